package discord

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// way is how the messages of one Send go.
type way struct {
	h        handle
	under    bool   // an interaction's token is used
	fill     bool   // the next message fills the one that shows the bot as thinking
	direct   bool   // a direct message of the bot's own may be sent
	original string // what that message says already, and its id
	id       string
	channel  string
	reply    string
}

// route finds the way for a message, with at most one question to Discord.
func (a *Adapter) route(ctx context.Context, m *channel.Outgoing) (way, error) {
	w := way{channel: m.Conversation}
	if number(m.ReplyTo) {
		w.reply = m.ReplyTo
	}
	h, ok := parseHandle(m.Handle)
	if !ok {
		if !a.public { // whose eyes there are is not known
			if err := a.private(ctx, m.Conversation); err != nil {
				return w, err
			}
		}
		return w, nil
	}
	w.h, w.under, w.direct = h, h.good(a.now()), !h.shared
	switch {
	case !w.under && h.shared && !a.public:
		return w, &channel.SendError{Class: channel.Window, Code: "interaction_over"}
	case !w.under || h.component:
		return w, nil
	}
	filled, known := a.waiting.state(h.id)
	if w.fill = known && !filled; known {
		return w, nil
	}
	return w, a.look(ctx, &w)
}

// private reports, as an error, that a channel is not a direct message.
func (a *Adapter) private(ctx context.Context, id string) error {
	ans, err := a.call(ctx, request{method: http.MethodGet, path: "/channels/" + id, bot: true})
	if err != nil {
		return asked(err)
	}
	var c struct {
		Type *int `json:"type"`
	}
	const dm = 1
	if err := json.Unmarshal(ans.Body, &c); err != nil || c.Type == nil {
		return &channel.SendError{Class: channel.Retry, Status: ans.Status, Code: "answer"}
	}
	if *c.Type != dm {
		return &channel.SendError{Class: channel.Window, Code: "not_private"}
	}
	return nil
}

// look asks whether the message of an interaction still waits to be filled.
func (a *Adapter) look(ctx context.Context, w *way) error {
	ans, err := a.call(ctx, request{method: http.MethodGet, path: w.h.path() + "/messages/@original"})
	var e *channel.SendError
	switch {
	case errors.As(err, &e) && (e.Code == codeUnknownMessage || e.Class == channel.Window):
		return a.early(w.h, e) // else gone, or never shown: what follows tells more
	case err != nil:
		return asked(err)
	}
	var o struct {
		ID      string `json:"id"`
		Content string `json:"content"`
		Flags   int    `json:"flags"`
	}
	if err := json.Unmarshal(ans.Body, &o); err != nil {
		return &channel.SendError{Class: channel.Retry, Status: ans.Status, Code: "answer"}
	}
	w.fill = o.Flags&loading != 0
	if !w.fill {
		w.original, w.id = o.Content, o.ID
		a.waiting.fill(w.h.id, w.channel, a.now())
	}
	return nil
}

// early returns an error where Discord may just not know the interaction yet:
// nothing was sent, and a moment later it will.
func (a *Adapter) early(h handle, e *channel.SendError) error {
	unknown := e.Code == codeUnknownMessage || e.Code == codeUnknownWebhook || e.Code == codeUnknownInteraction
	if now := a.now(); !unknown || now.Sub(made(h.id)) >= youth && !a.waiting.young(h.id, now) {
		return nil
	}
	again := *e
	again.Class, again.RetryAfter = channel.Retry, time.Second
	return &again
}

// asked turns the failure of a question into that of a send: nothing was sent.
func asked(err error) error {
	var e *channel.SendError
	if errors.As(err, &e) && e.Class == channel.Unknown {
		again := *e
		again.Class = channel.Retry
		return &again
	}
	return err
}

// deliver sends one message on its way. A way that turns out to be closed, with
// nothing sent, is left for the next that is open.
func (a *Adapter) deliver(ctx context.Context, w *way, m *outgoing) (string, error) {
	if w.id != "" {
		said, id := w.original, w.id
		w.original, w.id = "", ""
		if m.text != "" && strings.TrimSpace(said) == strings.TrimSpace(m.text) {
			return id, nil // it went out before the restart, and only the receipt was lost
		}
	}
	if w.fill {
		w.fill = false
		id, err := a.post(ctx, http.MethodPatch, w.h.path()+"/messages/@original", false, m, m.json(suppressEmbeds, "", ""))
		var e *channel.SendError
		switch {
		case err == nil:
			a.waiting.fill(w.h.id, w.channel, a.now())
			return id, nil
		case !errors.As(err, &e):
			return "", err
		case e.Class == channel.Unknown:
			a.waiting.forget(w.h.id) // the next attempt asks
			return "", err
		case e.Code != codeUnknownMessage && e.Class != channel.Window:
			return "", err
		}
		if err := a.early(w.h, e); err != nil {
			return "", err
		}
		if e.Code != codeUnknownMessage && !w.direct {
			return "", err
		}
		a.waiting.fill(w.h.id, w.channel, a.now()) // the person dismissed it, or never saw it
	}
	if w.under {
		flags := suppressEmbeds
		if a.hidden(w.h) {
			flags |= ephemeral
		}
		id, err := a.post(ctx, http.MethodPost, w.h.path(), false, m, m.json(flags, "", ""))
		var e *channel.SendError
		if !errors.As(err, &e) || e.Class != channel.Window {
			return id, err
		}
		if early := a.early(w.h, e); early != nil {
			return "", early
		}
		if !w.direct {
			return "", err
		}
		w.under = false
	}
	return a.post(ctx, http.MethodPost, "/channels/"+w.channel+"/messages", true, m, m.json(suppressEmbeds, w.reply, m.nonce))
}

// path is where the answers to an interaction go.
func (h handle) path() string { return "/webhooks/" + h.app + "/" + h.token }

// post sends a message and returns its id.
func (a *Adapter) post(ctx context.Context, method, path string, bot bool, m *outgoing, body []byte) (string, error) {
	kind := ""
	if m.file != nil {
		var err error
		if body, kind, err = form(body, m.file); err != nil {
			return "", bad("form")
		}
	}
	ans, err := a.call(ctx, request{method: method, path: path, bot: bot, body: body, kind: kind})
	if err != nil {
		return "", err
	}
	s := wire.NewScanner(ans.Body)
	id := ""
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) == "id" {
			id = s.ID()
		} else {
			s.Skip()
		}
	}
	if s.End() != nil || id == "" {
		return "", &channel.SendError{Class: channel.Unknown, Status: ans.Status, Code: "answer"}
	}
	return id, nil
}

// request is a call of the API. One under an interaction's token carries no
// other credential.
type request struct {
	method, path string
	bot          bool
	body         []byte
	kind         string // of the body; default JSON
}

// call makes a call. The error is a *channel.SendError.
func (a *Adapter) call(ctx context.Context, q request) (wire.Answer, error) {
	if a.client == nil {
		return wire.Answer{}, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	headers := []string{"User-Agent", agent}
	if q.body != nil {
		if q.kind == "" {
			q.kind = "application/json"
		}
		headers = append(headers, "Content-Type", q.kind)
	}
	if q.bot {
		headers = append(headers, "Authorization", "Bot "+a.token.Reveal())
	}
	to, err := wire.NewEndpoint(q.method, a.api+q.path, headers...)
	if err != nil {
		return wire.Answer{}, bad("address")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	ans, err := wire.Call(a.client, to.Request(ctx, q.body))
	if err != nil {
		return wire.Answer{}, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	if ans.Status/100 != 2 {
		return ans, sortError(ans)
	}
	return ans, nil
}
