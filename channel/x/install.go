package x

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	maxAddress = 200 // characters of a webhook's address
	maxSkew    = 30 * time.Second
)

// needed are the events of the X Activity API that are subscribed to.
func needed() []string { return []string{"dm.received", "dm.sent", "dm.read"} }

// manage makes one call of the API's for setting up, as the app or as the
// account. What is answered is read into the last argument.
func (a *Adapter) manage(ctx context.Context, app bool, method, path string, body []byte, into any) (wire.Answer, error) {
	if a.client == nil {
		return wire.Answer{}, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	to, err := wire.NewEndpoint(method, a.api+path, "Accept", "application/json")
	if err != nil {
		return wire.Answer{}, bad("address")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	r := to.Request(ctx, body)
	if body != nil {
		r.Header["Content-Type"] = []string{"application/json"}
	}
	if app {
		r.Header["Authorization"] = []string{"Bearer " + a.appToken.Reveal()}
	} else {
		a.auth.sign(r)
	}
	got, err := wire.Call(a.client, r)
	if err != nil {
		return got, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	var ans answer
	ans.read(got.Body)
	if got.Status/100 != 2 {
		return got, a.sort(got, &ans)
	}
	if into != nil && json.Unmarshal(got.Body, into) != nil {
		return got, sotto.E("x.manage", sotto.KindUnavailable, errors.New("the answer was not understood"))
	}
	return got, nil
}

// hook is one webhook of the app.
type hook struct {
	ID    string `json:"id"`
	URL   string `json:"url"`
	Valid bool   `json:"valid"`
}

// webhook finds the app's webhook with this address; the zero hook where there
// is none. others counts those with other addresses.
func (a *Adapter) webhook(ctx context.Context, addr string) (h hook, others int, err error) {
	var list struct {
		Data []hook `json:"data"`
	}
	if _, err := a.manage(ctx, true, http.MethodGet, "/2/webhooks", nil, &list); err != nil {
		return hook{}, 0, err
	}
	for _, x := range list.Data {
		if x.URL == addr && number(x.ID) {
			h = x
		} else {
			others++
		}
	}
	return h, others, nil
}

// me asks whose the account's token is.
func (a *Adapter) me(ctx context.Context) (id, name string, got wire.Answer, err error) {
	var me struct {
		Data struct {
			ID       string `json:"id"`
			Username string `json:"username"`
		} `json:"data"`
	}
	got, err = a.manage(ctx, false, http.MethodGet, "/2/users/me", nil, &me)
	if err == nil && !number(me.Data.ID) {
		err = sotto.E("x.manage", sotto.KindUnavailable, errors.New("the answer does not say whose the token is"))
	}
	return me.Data.ID, printable(me.Data.Username), got, err
}

// subscribed returns which events reach the webhook for an account.
func (a *Adapter) subscribed(ctx context.Context, h hook, user string) ([]string, error) {
	if a.events == AccountActivity {
		var list struct {
			Data struct {
				Subscriptions []struct {
					User string `json:"user_id"`
				} `json:"subscriptions"`
			} `json:"data"`
		}
		if _, err := a.manage(ctx, true, http.MethodGet, "/2/account_activity/webhooks/"+h.ID+"/subscriptions/all/list", nil, &list); err != nil {
			return nil, err
		}
		for _, s := range list.Data.Subscriptions {
			if s.User == user {
				return []string{"all"}, nil
			}
		}
		return nil, nil
	}
	var list struct {
		Data []struct {
			Event   string `json:"event_type"`
			Webhook string `json:"webhook_id"`
			Filter  struct {
				User string `json:"user_id"`
			} `json:"filter"`
		} `json:"data"`
	}
	if _, err := a.manage(ctx, true, http.MethodGet, "/2/activity/subscriptions?max_results=1000", nil, &list); err != nil {
		return nil, err
	}
	var have []string
	for _, s := range list.Data {
		if s.Filter.User == user && s.Webhook == h.ID {
			have = append(have, s.Event)
		}
	}
	return have, nil
}

// wants are the subscriptions that the account wants.
func (a *Adapter) wants() []string {
	if a.events == AccountActivity {
		return []string{"all"}
	}
	return needed()
}

// Check implements [channel.Checker]: whose token it is, whether the webhook is
// there and valid, which events reach it, and how far the clocks are apart. The
// error is a *channel.SendError if X could not be asked or refused the token.
func (a *Adapter) Check(ctx context.Context, want channel.Installation) ([]channel.Finding, error) {
	id, name, got, err := a.me(ctx)
	if err != nil {
		return nil, err
	}
	found := []channel.Finding{{OK: true, Text: fmt.Sprintf("The access token is valid and belongs to @%s.", name)}}
	switch {
	case a.user == "":
		found = append(found, channel.Finding{OK: true, Text: "No user_id is set, so events of every account of the app are taken; this one is " + id + "."})
	case a.user != id:
		found = append(found, channel.Finding{Text: "The access token belongs to another account than user_id.", Fix: "Set user_id to " + id + ", or make a token for the other account."})
	}
	if !a.auth.signs() {
		found = append(found, channel.Finding{
			Text: "The access token is of OAuth 2.0 and ends two hours after it was made.",
			Fix:  "In X's Developer Console open the app, then Keys and tokens, generate Access Token and Secret, and set consumer_key, access_token and access_token_secret.",
		})
	}
	found = append(found, a.skew(got)...)
	if a.appToken.IsZero() {
		return append(found, channel.Finding{
			Text: "Whether the webhook is set could not be looked at, as there is no app_token.",
			Fix:  "In X's Developer Console open the app, then Keys and tokens, and set app_token to the Bearer Token.",
		}), nil
	}
	hooks, err := a.checkHook(ctx, want.Webhook, id)
	return append(found, hooks...), err
}

// skew compares the clocks.
func (a *Adapter) skew(got wire.Answer) []channel.Finding {
	date, err := http.ParseTime(got.Header.Get("Date"))
	if err != nil || a.now == nil {
		return nil
	}
	off := a.now().Sub(date).Round(time.Second)
	if off.Abs() <= maxSkew {
		return []channel.Finding{{OK: true, Text: "This machine's clock agrees with X's."}}
	}
	return []channel.Finding{{
		Text: fmt.Sprintf("This machine's clock is %s off X's.", off),
		Fix:  "Set the clock by NTP: signed calls say when they were made, and X refuses those that are far off.",
	}}
}

func (a *Adapter) checkHook(ctx context.Context, addr, user string) ([]channel.Finding, error) {
	if addr == "" {
		return nil, nil
	}
	h, others, err := a.webhook(ctx, addr)
	switch {
	case err != nil:
		return nil, err
	case h.ID == "" && others > 0:
		return []channel.Finding{{Text: "The app's webhook leads to another address than this server's.", Fix: "Run sotto channel setup for this account; where the plan grants no further webhook, delete the other in X's Developer Console first."}}, nil
	case h.ID == "":
		return []channel.Finding{{Text: "The app has no webhook, so no message arrives.", Fix: "Run sotto channel setup for this account."}}, nil
	}
	found := []channel.Finding{{OK: true, Text: "The webhook is set and valid."}}
	if !h.Valid {
		found[0] = channel.Finding{Text: "X holds the webhook for invalid and sends nothing: it did not answer X's question rightly.", Fix: "Run sotto channel setup for this account, which has X ask again; see that the address is reachable from outside and that consumer_secret is the app's."}
	}
	have, err := a.subscribed(ctx, h, user)
	if err != nil {
		return found, err
	}
	for _, event := range a.wants() {
		f := channel.Finding{OK: slices.Contains(have, event), Text: fmt.Sprintf("The account's events (%s) reach the webhook.", event)}
		if !f.OK {
			f.Text, f.Fix = fmt.Sprintf("The account's events (%s) do not reach the webhook.", event), "Run sotto channel setup for this account."
		}
		found = append(found, f)
	}
	return found, nil
}

// Install implements [channel.Installer]. The webhook belongs to the app, and
// wants app_token; the subscriptions belong to the account.
func (a *Adapter) Install(ctx context.Context, want channel.Installation) ([]channel.Step, error) {
	u, err := url.Parse(want.Webhook)
	if err != nil || u.Scheme != "https" || u.Port() != "" || len(want.Webhook) > maxAddress {
		return nil, sotto.E("x.install", sotto.KindInvalid, fmt.Errorf("the webhook's address: want https, no port, and at most %d characters", maxAddress))
	}
	if a.appToken.IsZero() {
		return nil, sotto.E("x.install", sotto.KindInvalid, errors.New("app_token: the app's bearer token is needed to set the webhook"))
	}
	user, _, _, err := a.me(ctx)
	if err != nil {
		return nil, err
	}
	h, _, err := a.webhook(ctx, want.Webhook)
	if err != nil {
		return nil, err
	}
	var have []string
	if h.ID != "" {
		if have, err = a.subscribed(ctx, h, user); err != nil {
			return nil, err
		}
	}
	steps := []channel.Step{
		{
			Text: "Give the app the right to direct messages",
			Hand: "In X's Developer Console open the app, then User authentication settings, and choose Read and write and Direct message. Then generate the account's Access Token and Secret anew.",
		},
		{
			Text: "Set the webhook to " + want.Webhook, Done: h.Valid,
			Do: func(ctx context.Context) error { return a.setHook(ctx, want.Webhook) },
		},
	}
	for _, event := range a.wants() {
		steps = append(steps, channel.Step{
			Text: fmt.Sprintf("Have the account's events (%s) sent to the webhook", event), Done: slices.Contains(have, event),
			Do: func(ctx context.Context) error { return a.subscribe(ctx, want.Webhook, user, event) },
		})
	}
	steps = append(steps, channel.Step{
		Text: "Mark the account as automated, as X's rules for automation ask",
		Hand: "On X, signed in as the account, open Settings, Your account, Automation, and name the account of the person who runs it.",
	}, channel.Step{
		Text: "Let everyone write to the account",
		Hand: "On X, signed in as the account, open Settings, Privacy and safety, Direct Messages, and allow message requests from everyone. Leave encrypted chat off: a bot cannot read it.",
	})
	if want.Privacy != "" {
		steps = append(steps, channel.Step{
			Text: "Link the privacy notice",
			Hand: "In X's Developer Console open the app, then User authentication settings, and enter " + want.Privacy + " as Privacy policy; put it into the account's profile as well.",
		})
	}
	return steps, nil
}

// setHook makes the webhook, or has X ask it again. X asks at once.
func (a *Adapter) setHook(ctx context.Context, addr string) error {
	h, _, err := a.webhook(ctx, addr)
	switch {
	case err != nil || h.Valid:
		return err
	case h.ID != "":
		_, err = a.manage(ctx, true, http.MethodPut, "/2/webhooks/"+h.ID, nil, nil)
	default:
		_, err = a.manage(ctx, true, http.MethodPost, "/2/webhooks", append(wire.AppendString([]byte(`{"url":`), addr), '}'), nil)
	}
	if err != nil {
		return err
	}
	if h, _, err = a.webhook(ctx, addr); err == nil && !h.Valid {
		err = sotto.E("x.install", sotto.KindUnavailable, errors.New("the webhook was asked by X, which did not take its answer: see that it is reachable from outside and that consumer_secret is the app's"))
	}
	return err
}

// subscribe has one kind of events sent to the webhook, unless they are.
func (a *Adapter) subscribe(ctx context.Context, addr, user, event string) error {
	h, _, err := a.webhook(ctx, addr)
	if err != nil {
		return err
	}
	if h.ID == "" {
		return sotto.E("x.install", sotto.KindNotFound, errors.New("there is no webhook yet"))
	}
	have, err := a.subscribed(ctx, h, user)
	if err != nil || slices.Contains(have, event) {
		return err
	}
	if a.events == AccountActivity {
		_, err = a.manage(ctx, false, http.MethodPost, "/2/account_activity/webhooks/"+h.ID+"/subscriptions/all", []byte(`{}`), nil)
		return err
	}
	b := wire.AppendString([]byte(`{"event_type":`), event)
	b = wire.AppendString(append(b, `,"filter":{"user_id":`...), user)
	b = wire.AppendString(append(b, `},"tag":"sotto","webhook_id":`...), h.ID)
	_, err = a.manage(ctx, false, http.MethodPost, "/2/activity/subscriptions", append(b, '}'), nil)
	return err
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
