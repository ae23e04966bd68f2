package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// me is the result of getMe.
type me struct {
	Username string `json:"username"`
	SeesAll  bool   `json:"can_read_all_group_messages"`
}

// hook is the result of getWebhookInfo.
type hook struct {
	URL       string   `json:"url"`
	Pending   int64    `json:"pending_update_count"`
	ErrorDate int64    `json:"last_error_date"`
	Error     string   `json:"last_error_message"`
	Allowed   []string `json:"allowed_updates"`
}

// update kinds and what is lost without them. Telegram sends reactions only
// where they are asked for, and in groups only to administrators.
func wanted() []struct{ name, loss string } {
	return []struct{ name, loss string }{
		{"message", "no message arrives"},
		{"edited_message", "changed messages keep their old text here"},
		{"callback_query", "pressed buttons do not arrive"},
		{"my_chat_member", "nobody is seen to block the bot, and it does not notice that it joins a group"},
		{"message_reaction", ""},
		{"business_connection", ""},
		{"business_message", ""},
		{"edited_business_message", ""},
		{"deleted_business_messages", ""},
	}
}

const (
	maxSkew    = 30 * time.Second // between the clocks
	maxPending = 100              // updates that wait
	recent     = time.Hour        // how long a failed delivery counts
	runSetup   = "Run: sotto channel setup telegram ACCOUNT."
)

// Check implements [channel.Checker] with getMe, getWebhookInfo and
// getMyCommands. The error is a *channel.SendError if Telegram could not be
// asked or refused the token.
func (a *Adapter) Check(ctx context.Context, want channel.Installation) ([]channel.Finding, error) {
	var m me
	got, err := a.ask(ctx, "getMe", nil, &m)
	if err != nil {
		return nil, err
	}
	var h hook
	if _, err := a.ask(ctx, "getWebhookInfo", nil, &h); err != nil {
		return nil, err
	}
	found := []channel.Finding{{OK: true, Text: "The token is valid and belongs to @" + printable(m.Username) + "."}}
	if a.self.name != "" && !strings.EqualFold(m.Username, a.self.name) {
		found[0] = channel.Finding{
			Text: fmt.Sprintf("The token belongs to @%s, but username says @%s.", printable(m.Username), a.self.name),
			Fix:  "Correct username in the configuration, or take the token of the other bot from @BotFather.",
		}
	}
	if m.SeesAll {
		found = append(found, channel.Finding{
			Text: "Group privacy is off: Telegram sends the bot everything that is said in its groups.", Fix: groupPrivacy,
		})
	} else {
		found = append(found, channel.Finding{OK: true, Text: "In groups the bot is sent only what is said to it."})
	}
	found = append(found, a.skew(got)...)
	found = append(found, h.findings(want, a.now())...)
	return a.checkCommands(ctx, want, found)
}

// skew compares the clocks.
func (a *Adapter) skew(got answer) []channel.Finding {
	date, err := http.ParseTime(got.date)
	if err != nil {
		return nil
	}
	off := a.now().Sub(date).Round(time.Second)
	if off.Abs() <= maxSkew {
		return []channel.Finding{{OK: true, Text: "This machine's clock agrees with Telegram's."}}
	}
	return []channel.Finding{{Text: fmt.Sprintf("This machine's clock is %s off Telegram's.", off), Fix: "Set the clock by NTP."}}
}

func (h *hook) findings(want channel.Installation, now time.Time) []channel.Finding {
	var found []channel.Finding
	wrong := func(text, fix string) { found = append(found, channel.Finding{Text: text, Fix: fix}) }
	switch {
	case h.URL == "":
		wrong("No webhook is set, so no message arrives.", runSetup)
		return found
	case want.Webhook != "" && h.URL != want.Webhook:
		wrong("The webhook leads to another address than this server's.", runSetup)
	default:
		found = append(found, channel.Finding{OK: true, Text: "The webhook is set."})
	}
	if at := time.Unix(h.ErrorDate, 0).UTC(); h.Error != "" {
		text := fmt.Sprintf("Telegram last failed to deliver at %s: %s.", at.Format(time.RFC3339), printable(h.Error))
		if now.Sub(at) > recent {
			found = append(found, channel.Finding{OK: true, Text: text})
		} else {
			wrong(text, h.fix())
		}
	}
	if h.Pending > maxPending {
		wrong(fmt.Sprintf("%d updates wait for delivery: the webhook is too slow or failing.", h.Pending), "Look for errors in this server's log.")
	}
	lacks := h.lacks()
	for _, l := range lacks {
		wrong(fmt.Sprintf("The webhook's allowed_updates lack %s: %s.", l[0], l[1]), runSetup)
	}
	if len(lacks) == 0 {
		found = append(found, channel.Finding{OK: true, Text: "The webhook tells of everything that matters."})
	}
	return found
}

// fix is what helps against the last failed delivery.
func (h *hook) fix() string {
	switch e := strings.ToLower(h.Error); {
	case h.refused():
		return "The webhook was set with another secret. " + runSetup
	case strings.Contains(e, "ssl"), strings.Contains(e, "certificate"):
		return "Have this server's certificate, with its chain, signed by an authority that all know."
	case strings.Contains(e, "timed out"), strings.Contains(e, "refused"), strings.Contains(e, "resolve"), strings.Contains(e, "connect"):
		return "See that the webhook's address leads to this server, on port 443, 80, 88 or 8443."
	}
	return "Look for the cause in this server's log."
}

// refused reports whether this server did not believe the last delivery.
func (h *hook) refused() bool { return strings.Contains(h.Error, "401") }

// lacks returns the needed kinds of updates that the webhook leaves out, and
// what is lost. An empty list means all but a few, which are not needed.
func (h *hook) lacks() [][2]string {
	var out [][2]string
	for _, w := range wanted() {
		if w.loss != "" && len(h.Allowed) > 0 && !slices.Contains(h.Allowed, w.name) {
			out = append(out, [2]string{w.name, w.loss})
		}
	}
	return out
}

func (a *Adapter) checkCommands(ctx context.Context, want channel.Installation, found []channel.Finding) ([]channel.Finding, error) {
	if len(want.Commands) == 0 {
		return found, nil
	}
	have, err := a.commands(ctx)
	if err != nil {
		return nil, err
	}
	if slices.Equal(have, commands(want)) {
		return append(found, channel.Finding{OK: true, Text: "The menu shows the commands."}), nil
	}
	return append(found, channel.Finding{Text: "The menu does not show the commands of this server.", Fix: runSetup}), nil
}

// ask calls a method that changes nothing, or one by which the bot is set up.
func (a *Adapter) ask(ctx context.Context, method string, body []byte, into any) (answer, error) {
	if a.client == nil {
		return answer{}, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	to, err := endpoint(a.api, a.token, method)
	if err != nil {
		return answer{}, bad("address")
	}
	if body == nil {
		body = []byte("{}")
	}
	ans, err := a.post(ctx, to, body, "")
	if err != nil || into == nil {
		return ans, err
	}
	result := struct {
		Result any `json:"result"`
	}{into}
	if err := json.Unmarshal(ans.body, &result); err != nil {
		return ans, sotto.E("telegram.ask", sotto.KindUnavailable, fmt.Errorf("%s: the answer was not understood", method))
	}
	return ans, nil
}

// printable keeps a network's own words to one short line for a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return strings.TrimRight(s[:min(len(s), 200)], ".")
}
