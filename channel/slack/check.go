package slack

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sotto-chat/sotto/channel"
)

// maxDrift is how far the clocks may be apart. Slack's calls are refused beyond
// five minutes.
const maxDrift = 30 * time.Second

// Check implements [channel.Checker] with auth.test and, where there is a
// configuration token, the app's manifest. The error is a *channel.SendError if
// Slack could not be asked or refused a token.
func (a *Adapter) Check(ctx context.Context, want channel.Installation) ([]channel.Finding, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	who, err := a.whoami(ctx)
	if err != nil {
		return nil, err
	}
	found := a.identity(&who)
	found = append(found, a.allowed(&who, want)...)
	if f, ok := a.drift(who.answer.header); ok {
		found = append(found, f)
	}
	if a.manage.IsZero() {
		return append(found, channel.Finding{OK: true, Text: "Where Slack sends events was not looked at: that takes an app configuration token."}), nil
	}
	m, err := a.export(ctx)
	if err != nil {
		return nil, err
	}
	return append(found, a.described(m, want)...), nil
}

// identity says whose token it is.
func (a *Adapter) identity(who *identity) []channel.Finding {
	found := []channel.Finding{{OK: true, Text: fmt.Sprintf("The token is that of the bot %s (%s) in the workspace %s (%s).",
		printable(who.user), printable(who.userID), printable(who.team), printable(who.teamID))}}
	if who.botID == "" {
		found[0] = channel.Finding{
			Text: "The token is not that of a bot.",
			Fix:  "Take the Bot User OAuth Token from OAuth & Permissions on the app's page.",
		}
	}
	if a.self.user != "" && a.self.user != who.userID {
		found = append(found, channel.Finding{
			Text: fmt.Sprintf("The bot's user id is %s, but bot_user says %s.", printable(who.userID), a.self.user),
			Fix:  "Correct bot_user, or leave it out.",
		})
	}
	return found
}

// allowed compares the token's scopes with what is needed.
func (a *Adapter) allowed(who *identity, want channel.Installation) (found []channel.Finding) {
	need := a.scopes(want)
	if missing := who.missing(need); len(missing) > 0 {
		found = append(found, channel.Finding{
			Text: "The bot is not allowed what it needs: " + strings.Join(missing, ", ") + ".",
			Fix:  "On the app's page add these under OAuth & Permissions > Scopes > Bot Token Scopes, then choose Reinstall to Workspace.",
		})
	}
	var more []string
	for _, s := range who.scopes {
		if !slices.Contains(need, s) && s != "commands" {
			more = append(more, printable(s))
		}
	}
	if len(more) > 0 {
		found = append(found, channel.Finding{OK: true, Text: "The bot is allowed more than Sotto asks for: " + strings.Join(more, ", ") + "."})
	}
	return found
}

// drift compares the clocks.
func (a *Adapter) drift(h http.Header) (channel.Finding, bool) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return channel.Finding{}, false
	}
	d := a.now().Sub(at).Round(time.Second)
	if d >= -maxDrift && d <= maxDrift {
		return channel.Finding{}, false
	}
	return channel.Finding{
		Text: fmt.Sprintf("This machine's clock and Slack's are %s apart; beyond five minutes no call of Slack's is believed.", d.Abs()),
		Fix:  "Turn on time synchronisation (NTP) on this machine.",
	}, true
}

// described compares the app's manifest with what is needed.
func (a *Adapter) described(m tree, want channel.Installation) (found []channel.Finding) {
	is := text(m, "settings", "event_subscriptions", "request_url")
	for _, what := range a.apply(m, want) {
		f := channel.Finding{
			Text: "The app's manifest is not as it should be: " + what + ".",
			Fix:  "Run the setup of this account, or correct it on the app's page under App Manifest.",
		}
		if what == "the address of events" {
			f.Text = fmt.Sprintf("Slack sends events to %q, and not to %q.", printable(is), want.Webhook)
			f.Fix = "Run the setup of this account, or enter the address on the app's page under Event Subscriptions > Request URL."
		}
		found = append(found, f)
	}
	if len(found) == 0 {
		found = append(found, channel.Finding{OK: true, Text: "The app's manifest is as it should be."})
	}
	return found
}

// printable keeps a network's own words to one short line for a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 200)]
}
