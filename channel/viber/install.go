package viber

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// wantedEvents are the callbacks that Sotto acts on, beside messages, which
// always come. That a message was delivered or seen is asked for by nobody.
func wantedEvents() []string {
	return []string{"failed", "subscribed", "unsubscribed", "conversation_started"}
}

// info is what get_account_info tells, as far as it matters here.
type info struct {
	Name   string   `json:"name"`
	Hook   string   `json:"webhook"`
	Events []string `json:"event_types"`
	People int64    `json:"subscribers_count"`
}

// lacks are the callbacks that do not come.
func (i *info) lacks() []string {
	return slices.DeleteFunc(wantedEvents(), func(e string) bool { return slices.Contains(i.Events, e) })
}

// Install implements [channel.Installer]. Viber calls the webhook before it
// answers that it is set, so the server must be up. There is no menu of
// commands on Viber, and a bot's profile is changed by hand only.
func (a *Adapter) Install(ctx context.Context, want channel.Installation) ([]channel.Step, error) {
	i, _, err := a.info(ctx)
	if err != nil {
		return nil, err
	}
	steps := []channel.Step{{
		Text: "Set the webhook to " + want.Webhook, Done: i.Hook == want.Webhook && len(i.lacks()) == 0,
		Do: func(ctx context.Context) error { return a.setWebhook(ctx, want.Webhook) },
	}}
	if want.Privacy != "" {
		steps = append(steps, channel.Step{
			Text: "Link the privacy notice from the bot's profile",
			Hand: "Sign in at https://partners.viber.com as an admin of the bot, open Edit Info, put " + want.Privacy + " into the website or description, and save. The API cannot tell whether it is there.",
		})
	}
	return steps, nil
}

// setWebhook asks for names and photos of nobody: Sotto reads neither.
func (a *Adapter) setWebhook(ctx context.Context, hook string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{"url": hook, "event_types": wantedEvents(), "send_name": false, "send_photo": false}); err != nil {
		return bad("form")
	}
	to, err := a.endpoint("/set_webhook")
	if err != nil {
		return bad("address")
	}
	_, err = a.call(ctx, to, b.Bytes())
	return err
}

// info asks for the account, and how far this clock is ahead of Viber's.
func (a *Adapter) info(ctx context.Context) (i info, ahead time.Duration, err error) {
	if a.client == nil {
		return i, 0, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	to, err := a.endpoint("/get_account_info")
	if err != nil {
		return i, 0, bad("address")
	}
	got, err := a.call(ctx, to, []byte("{}"))
	if err != nil {
		return i, 0, err
	}
	if json.Unmarshal(got.Body, &i) != nil {
		return i, 0, sotto.E("viber.check", sotto.KindUnavailable, fmt.Errorf("the answer was not understood"))
	}
	if at, err := http.ParseTime(got.Header.Get("Date")); err == nil {
		ahead = a.now().Sub(at)
	}
	return i, ahead, nil
}

// Check implements [channel.Checker] with get_account_info. The error is a
// *channel.SendError if Viber could not be asked or refused the token.
func (a *Adapter) Check(ctx context.Context, want channel.Installation) ([]channel.Finding, error) {
	i, ahead, err := a.info(ctx)
	if err != nil {
		return nil, err
	}
	found := []channel.Finding{{OK: true, Text: fmt.Sprintf("The token is valid and belongs to the bot %s, with %d subscribers.", printable(i.Name), i.People)}}
	say := func(ok bool, good, wrong, fix string) {
		f := channel.Finding{OK: ok, Text: good}
		if !ok {
			f.Text, f.Fix = wrong, fix
		}
		found = append(found, f)
	}
	if want.Webhook != "" {
		wrong := "No webhook is set: nothing arrives, and Viber takes no message."
		if i.Hook != "" {
			wrong = "The webhook is at " + printable(host(i.Hook)) + ", not at this server's address."
		}
		say(i.Hook == want.Webhook, "The webhook is set to this server's address.", wrong, "Run sotto channel setup while the server is up.")
	}
	lacks := i.lacks()
	say(len(lacks) == 0, "Viber tells of people who leave, and of messages that failed.",
		"Viber does not tell of "+strings.Join(lacks, ", ")+": who unsubscribes may be written to once more.",
		"Run sotto channel setup while the server is up.")
	const most = 30 * time.Second
	if ahead > most || ahead < -most {
		say(false, "", fmt.Sprintf("This machine's clock and Viber's are %s apart.", ahead.Abs().Round(time.Second)), "Set this machine's clock by NTP.")
	}
	return found, nil
}

// host returns the host of an address, for a finding that shows no path.
func host(addr string) string {
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" {
		return "another address"
	}
	return u.Host
}

// printable keeps a network's own words to one short line for a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == '\u202e' || r == '\ufffd' {
			return -1
		}
		return r
	}, s)
	r := []rune(s)
	return string(r[:min(len(r), 100)])
}
