package line

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	webhookPath = "/v2/bot/channel/webhook/endpoint"
	maxAddress  = 500 // characters of a webhook's address
	maxSkew     = 30 * time.Second
)

// hook is how LINE has the webhook.
type hook struct {
	Endpoint string `json:"endpoint"`
	Active   bool   `json:"active"`
}

// manage makes one call of the API's for setting up. What is answered is read
// into the last argument, which may be nil.
func (a *Adapter) manage(ctx context.Context, method, path string, body []byte, into any) (wire.Answer, error) {
	if a.client == nil {
		return wire.Answer{}, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	to, err := a.endpoint(method, a.api+path)
	if err != nil {
		return wire.Answer{}, bad("address")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	got, err := wire.Call(a.client, to.Request(ctx, body))
	if err != nil {
		return got, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	if got.Status/100 != 2 {
		var ans answer
		ans.read(got.Body)
		return got, sort(got, &ans)
	}
	if into != nil && json.Unmarshal(got.Body, into) != nil {
		return got, sotto.E("line.manage", sotto.KindUnavailable, errors.New("the answer was not understood"))
	}
	return got, nil
}

// webhook asks how the webhook stands. An account without one is answered 404.
func (a *Adapter) webhook(ctx context.Context) (hook, error) {
	var h hook
	got, err := a.manage(ctx, http.MethodGet, webhookPath, nil, &h)
	if got.Status == http.StatusNotFound {
		return hook{}, nil
	}
	return h, err
}

// Check implements [channel.Checker]: whose token it is, where the webhook
// leads and whether it is in use, how much of the month's quota is left, and how
// far the clocks are apart. The error is a *channel.SendError if LINE could not
// be asked or refused the token.
func (a *Adapter) Check(ctx context.Context, want channel.Installation) ([]channel.Finding, error) {
	var me struct {
		BasicID string `json:"basicId"`
		Chat    string `json:"chatMode"`
	}
	got, err := a.manage(ctx, http.MethodGet, "/v2/bot/info", nil, &me)
	if err != nil {
		return nil, err
	}
	found := []channel.Finding{{OK: true, Text: fmt.Sprintf("The access token is valid and belongs to %s.", printable(me.BasicID))}}
	found = append(found, a.skew(got)...)
	h, err := a.webhook(ctx)
	if err != nil {
		return nil, err
	}
	found = append(found, h.findings(want)...)
	quota, err := a.quota(ctx)
	if err != nil {
		return nil, err
	}
	found = append(found, quota)
	if me.Chat == "chat" {
		found = append(found, channel.Finding{
			OK:   true,
			Text: "Chat is on for this account, so people may be answered by hand as well as by the bot.",
		})
	}
	return found, nil
}

// skew compares the clocks.
func (a *Adapter) skew(got wire.Answer) []channel.Finding {
	date, err := http.ParseTime(got.Header.Get("Date"))
	if err != nil || a.now == nil {
		return nil
	}
	off := a.now().Sub(date).Round(time.Second)
	if off.Abs() <= maxSkew {
		return []channel.Finding{{OK: true, Text: "This machine's clock agrees with LINE's."}}
	}
	return []channel.Finding{{
		Text: fmt.Sprintf("This machine's clock is %s off LINE's.", off),
		Fix:  "Set the clock by NTP: whether a reply token is still good is judged by it.",
	}}
}

func (h hook) findings(want channel.Installation) []channel.Finding {
	var found []channel.Finding
	switch {
	case h.Endpoint == "":
		found = append(found, channel.Finding{Text: "No webhook is set, so no message arrives.", Fix: "Run sotto channel setup for this account, or set it in the LINE Developers Console under Messaging API, Webhook URL."})
	case want.Webhook != "" && h.Endpoint != want.Webhook:
		found = append(found, channel.Finding{Text: "The webhook leads to another address than this server's.", Fix: "Run sotto channel setup for this account, or change it in the LINE Developers Console under Messaging API, Webhook URL."})
	default:
		found = append(found, channel.Finding{OK: true, Text: "The webhook is set."})
	}
	if h.Endpoint != "" && !h.Active {
		return append(found, channel.Finding{Text: "The webhook is not in use.", Fix: useHook})
	}
	return found
}

const useHook = "In the LINE Developers Console open the channel, then Messaging API, and turn Use webhook on."

// quota says how much of the month's messages are left.
func (a *Adapter) quota(ctx context.Context) (channel.Finding, error) {
	var limit struct {
		Type  string `json:"type"`
		Value int64  `json:"value"`
	}
	if _, err := a.manage(ctx, http.MethodGet, "/v2/bot/message/quota", nil, &limit); err != nil {
		return channel.Finding{}, err
	}
	if limit.Type != "limited" {
		return channel.Finding{OK: true, Text: "The plan sets no limit to the month's pushed messages."}, nil
	}
	var used struct {
		Total int64 `json:"totalUsage"`
	}
	if _, err := a.manage(ctx, http.MethodGet, "/v2/bot/message/quota/consumption", nil, &used); err != nil {
		return channel.Finding{}, err
	}
	f := channel.Finding{OK: used.Total < limit.Value, Text: fmt.Sprintf("%d of the month's %d pushed messages are used.", used.Total, limit.Value)}
	if !f.OK {
		f.Fix = "Only answers within a minute go out until the month is over: take a larger plan in the LINE Official Account Manager."
	}
	return f, nil
}

// Install implements [channel.Installer]: the webhook is set and tried over the
// API; that it is used at all, and the account's own automatic answers, are set
// in LINE's consoles only.
func (a *Adapter) Install(ctx context.Context, want channel.Installation) ([]channel.Step, error) {
	if !strings.HasPrefix(want.Webhook, "https://") || len(want.Webhook) > maxAddress {
		return nil, sotto.E("line.install", sotto.KindInvalid, fmt.Errorf("the webhook's address: want https and at most %d characters", maxAddress))
	}
	h, err := a.webhook(ctx)
	if err != nil {
		return nil, err
	}
	body := append(wire.AppendString([]byte(`{"endpoint":`), want.Webhook), '}')
	steps := []channel.Step{
		{
			Text: "Set the webhook to " + want.Webhook, Done: h.Endpoint == want.Webhook,
			Do: func(ctx context.Context) error {
				_, err := a.manage(ctx, http.MethodPut, webhookPath, body, nil)
				return err
			},
		},
		{Text: "Use the webhook", Done: h.Endpoint == want.Webhook && h.Active, Hand: useHook},
		{
			Text: "Have LINE try the webhook",
			Do:   func(ctx context.Context) error { return a.try(ctx, body) },
		},
		{
			Text: "Have LINE repeat what did not arrive",
			Hand: "In the LINE Developers Console open the channel, then Messaging API, and turn Webhook redelivery on.",
		},
		{
			Text: "Turn LINE's own automatic answers off",
			Hand: "In the LINE Official Account Manager open Settings, then Response settings, and turn Auto-response messages off.",
		},
	}
	if want.Privacy != "" {
		steps = append(steps, channel.Step{
			Text: "Link the privacy notice",
			Hand: "In the LINE Developers Console open the channel, then Basic settings, and enter " + want.Privacy + " as Privacy policy URL.",
		})
	}
	return steps, nil
}

// try has LINE call the webhook.
func (a *Adapter) try(ctx context.Context, body []byte) error {
	var result struct {
		Success bool   `json:"success"`
		Status  int    `json:"statusCode"`
		Reason  string `json:"reason"`
	}
	if _, err := a.manage(ctx, http.MethodPost, "/v2/bot/channel/webhook/test", body, &result); err != nil {
		return err
	}
	if !result.Success {
		return sotto.E("line.install", sotto.KindUnavailable, fmt.Errorf("LINE tried the webhook and says %s, status %d", printable(result.Reason), result.Status))
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
	return strings.TrimRight(s[:min(len(s), 100)], ".")
}
