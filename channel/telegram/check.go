package telegram

import (
	"context"
	"encoding/json"
	"fmt"
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

// Check implements [channel.Checker] with getMe and getWebhookInfo. The error
// is a *channel.SendError if Telegram could not be asked or refused the token.
func (a *Adapter) Check(ctx context.Context, _ channel.Installation) ([]channel.Finding, error) {
	var m me
	if err := a.ask(ctx, "getMe", &m); err != nil {
		return nil, err
	}
	var h hook
	if err := a.ask(ctx, "getWebhookInfo", &h); err != nil {
		return nil, err
	}
	var found []string
	if a.self.name != "" && !strings.EqualFold(m.Username, a.self.name) {
		found = append(found, fmt.Sprintf("The token belongs to @%s, but username says @%s.", printable(m.Username), a.self.name))
	}
	if m.SeesAll {
		found = append(found, "Group privacy is off: Telegram sends the bot everything that is said in its groups. Turn it on in @BotFather unless the bot needs that.")
	}
	found = append(found, h.findings()...)
	out := make([]channel.Finding, 0, len(found))
	for _, f := range found {
		out = append(out, channel.Finding{Text: f})
	}
	return out, nil
}

func (h *hook) findings() []string {
	if h.URL == "" {
		return []string{"No webhook is set: call setWebhook with this server's address and the secret, or no message arrives."}
	}
	var found []string
	if h.Error != "" {
		when := time.Unix(h.ErrorDate, 0).UTC().Format(time.RFC3339)
		found = append(found, fmt.Sprintf("Telegram last failed to deliver at %s: %s.", when, printable(h.Error)))
	}
	if h.Pending > 100 {
		found = append(found, fmt.Sprintf("%d updates wait for delivery: the webhook is too slow or failing.", h.Pending))
	}
	for _, need := range []string{"message", "edited_message", "callback_query", "my_chat_member"} {
		if len(h.Allowed) > 0 && !slices.Contains(h.Allowed, need) {
			found = append(found, fmt.Sprintf("The webhook's allowed_updates lack %s: call setWebhook with it.", need))
		}
	}
	return found
}

func (a *Adapter) ask(ctx context.Context, method string, into any) error {
	if a.client == nil {
		return &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	to, err := endpoint(a.api, a.token, method)
	if err != nil {
		return bad("address")
	}
	ans, err := a.post(ctx, to, []byte("{}"), "")
	if err != nil {
		return err
	}
	result := struct {
		Result any `json:"result"`
	}{into}
	if err := json.Unmarshal(ans.body, &result); err != nil {
		return sotto.E("telegram.check", sotto.KindUnavailable, fmt.Errorf("%s: the answer was not understood", method))
	}
	return nil
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
