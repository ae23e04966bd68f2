package discord

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sotto-chat/sotto/channel"
)

// Check implements [channel.Checker] with GET /applications/@me and the list of
// commands. The error is a *channel.SendError if Discord could not be asked or
// refused the token.
func (a *Adapter) Check(ctx context.Context, want channel.Installation) ([]channel.Finding, error) {
	var app application
	ahead, err := a.ask(ctx, "/applications/@me", &app)
	if err != nil {
		return nil, err
	}
	if !number(app.ID) {
		return nil, errNotUnderstood()
	}
	page := portal + app.ID
	found := []channel.Finding{{OK: true, Text: fmt.Sprintf("The token is valid and belongs to the application %s (%s).", printable(app.Name), app.ID)}}
	say := func(ok bool, good, wrong, fix string) {
		f := channel.Finding{OK: ok, Text: good}
		if !ok {
			f.Text, f.Fix = wrong, fix
		}
		found = append(found, f)
	}
	say(a.trusts(app.Key), "The public key is this application's.",
		"The public key is not this application's: every call of Discord is refused.",
		"Copy Public Key from "+page+"/information into public_key.")
	if want.Webhook != "" {
		a.checkHooks(&app, want.Webhook, say)
	}
	missing, err := a.missing(ctx, app.ID, want.Commands)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(missing))
	for _, c := range missing {
		names = append(names, "/"+printable(c.Name))
	}
	say(len(missing) == 0, "The commands are registered.",
		"These commands are not registered, or with another text: "+strings.Join(names, ", ")+".", "Run sotto channel setup.")
	if want.Privacy != "" {
		say(app.Privacy == want.Privacy, "The app's profile links the privacy notice.",
			"The app's profile does not link the privacy notice.", "Put "+want.Privacy+" into Privacy Policy URL at "+page+"/information.")
	}
	for _, i := range []struct {
		flags int64
		name  string
	}{{flagsContent, "Message Content"}, {flagsMembers, "Server Members"}, {flagsOnline, "Presence"}} {
		if app.Flags&i.flags != 0 {
			say(false, "", "The privileged intent "+i.name+" is on, which Sotto does not use.", "Turn "+i.name+" Intent off at "+page+"/bot.")
		}
	}
	const most = 30 * time.Second
	if ahead > most || ahead < -most {
		say(false, "", fmt.Sprintf("This machine's clock and Discord's are %s apart; at five minutes every call is refused.", ahead.Abs().Round(time.Second)),
			"Set this machine's clock by NTP.")
	}
	return found, nil
}

// checkHooks looks at where Discord calls.
func (a *Adapter) checkHooks(app *application, hook string, say func(ok bool, good, wrong, fix string)) {
	page := portal + app.ID
	wrong := "No interactions endpoint is set: nothing arrives."
	if app.Hook != "" {
		wrong = "Interactions go to " + printable(host(app.Hook)) + ", not to this webhook."
	}
	say(app.Hook == hook, "Interactions arrive at this webhook.", wrong,
		"Run sotto channel setup, or put the webhook's address into Interactions Endpoint URL at "+page+"/information.")

	const disabledByDiscord = 3
	wrong = "Installs and removals of the app are not reported to this webhook: who removes the app is not taken as refusing messages."
	if app.Events == hook && app.State == disabledByDiscord {
		wrong = "Discord has switched the app's webhook events off, because they were not acknowledged."
	} else if app.Events == hook && !slices.Contains(app.Types, "APPLICATION_DEAUTHORIZED") {
		wrong = "The app's webhook events leave out APPLICATION_DEAUTHORIZED: who removes the app is not taken as refusing messages."
	}
	say(app.reports(hook), "Installs and removals of the app are reported to this webhook.", wrong,
		"Run sotto channel setup, or set Endpoint and Events at "+page+"/webhooks.")
}

// trusts reports whether a key of Discord's is one of ours.
func (a *Adapter) trusts(digits string) bool {
	key, err := publicKey(digits)
	return err == nil && slices.ContainsFunc(a.keys, func(k ed25519.PublicKey) bool { return k.Equal(key) })
}

// printable keeps a network's own words to one short line for a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 100)]
}
