package slack

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// What Slack takes (docs.slack.dev/reference/methods/chat.postMessage and
// …/block-kit). Texts are counted in UTF-16 units, which is never less than
// what Slack counts.
const (
	maxText    = 4000 // beyond that a message is folded up; 40,000 are refused
	maxButtons = 25
	maxRow     = 5
	maxLabel   = 75
	maxValue   = 2000
)

// Send implements [channel.Adapter]. A text over 4000 characters goes out in
// several messages; buttons stand below the last of them, whose id is returned.
// Once a first message is out, the failure of a later one is of class Unknown:
// the whole must not be sent again. More than 25 buttons, or one whose label is
// over 75 characters, become a numbered list.
//
// With the handle of what only one person can see, the message is shown to that
// person alone. Where that is not possible any more (after 30 minutes, or the
// fifth answer) it is sent to them directly, and never to the channel; a file is
// from the start.
//
// Slack promises no idempotency key, so Key is not used.
func (a *Adapter) Send(ctx context.Context, m *channel.Outgoing) (channel.Sent, error) {
	if a.client == nil {
		return channel.Sent{}, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	if !isID(m.Conversation) {
		return channel.Sent{}, bad("conversation")
	}
	text, buttons, numbered := m.Text, m.Buttons, false
	for i := range buttons {
		if buttons[i].Label == "" || len(data(&buttons[i])) > maxValue {
			return channel.Sent{}, bad("button")
		}
		numbered = numbered || utf8.RuneCountInString(buttons[i].Label) > maxLabel
	}
	if numbered = numbered || len(buttons) > maxButtons; numbered {
		text, buttons = wire.Numbered(text, buttons), nil
	}
	to := a.target(m)
	var (
		id  string
		err error
	)
	if m.File != nil {
		id, err = a.sendFile(ctx, to, text, buttons, m.File)
	} else {
		id, err = a.sendText(ctx, to, text, buttons)
	}
	if err != nil {
		return channel.Sent{}, err
	}
	return channel.Sent{ID: id, Numbered: numbered}, nil
}

// target is where a message goes.
type target struct {
	channel string // or the id of a person, whose direct messages are meant
	thread  string
	url     string // where one person alone is answered; "" = not so
}

func (a *Adapter) target(m *channel.Outgoing) target {
	h := parseHandle(m.Handle)
	t := target{channel: m.Conversation, thread: h.thread}
	if t.thread == "" && isTS(m.ReplyTo) {
		t.thread = m.ReplyTo
	}
	if h.user == "" {
		return t
	}
	t.channel, t.thread = h.user, ""
	// An address is believed only where answers are taken.
	if u, err := url.Parse(h.url); err == nil && h.url != "" && a.hooks.Has(u) {
		t.url = h.url
	}
	return t
}

// sendText sends the parts of a text, and returns the id of the last.
func (a *Adapter) sendText(ctx context.Context, to target, text string, buttons []sotto.Button) (id string, err error) {
	var room [1]string
	parts := wire.AppendSplit(room[:0], text, maxText, wire.Units)
	if len(parts) == 0 {
		return "", bad("empty")
	}
	for i, part := range parts {
		var below []sotto.Button
		if i == len(parts)-1 {
			below = buttons
		}
		if id, err = a.say(ctx, &to, part, below); err != nil {
			if i > 0 {
				err = wire.After(err)
			}
			return "", err
		}
	}
	return id, nil
}

// say sends one message. If a person cannot be answered in place any more, it
// changes the target to their direct messages.
func (a *Adapter) say(ctx context.Context, to *target, text string, buttons []sotto.Button) (string, error) {
	if to.url != "" {
		err := a.answer(ctx, to.url, text, buttons)
		var e *channel.SendError
		if err == nil || !errors.As(err, &e) || e.Class != channel.Bad {
			return "", err
		}
		to.url = ""
	}
	ans, err := a.call(ctx, a.post, message(to, text, buttons))
	return ans.ts, err
}

// answer posts to the address that came with a command or press, which takes
// five answers within 30 minutes.
func (a *Adapter) answer(ctx context.Context, addr, text string, buttons []sotto.Button) error {
	e, err := wire.NewEndpoint(http.MethodPost, addr, "Content-Type", jsonType)
	if err != nil {
		return bad("address")
	}
	b := append(make([]byte, 0, 256+2*len(text)), `{"response_type":"ephemeral","replace_original":false`...)
	b = append(content(b, text, buttons), '}')
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	got, err := wire.Call(a.client, e.Request(ctx, b))
	if err != nil {
		return err //nolint:wrapcheck // a *channel.SendError, complete
	}
	var ans answer
	switch known := ans.read(got.Body); {
	case known && !ans.ok:
		e := fault(got, ans.code)
		if e.Class == channel.Gone || e.Class == channel.Auth { // of this address, and not of the person
			e.Class = channel.Bad
		}
		return e
	case got.Status/100 == 2:
		return nil // a plain "ok"
	}
	se := wire.StatusError(got)
	if se.Class == channel.Auth {
		se.Class = channel.Bad
	}
	return se
}

// message lays a message out for chat.postMessage.
func message(to *target, text string, buttons []sotto.Button) []byte {
	const frame = 256 // more than all the rest takes
	size := frame + len(text) + len(text)/8
	if len(buttons) > 0 {
		size += size
	}
	for i := range buttons {
		size += 128 + len(buttons[i].Label) + len(buttons[i].Payload)
	}
	b := append(make([]byte, 0, size), `{"channel":`...)
	b = wire.AppendString(b, to.channel)
	if to.thread != "" {
		b = append(b, `,"thread_ts":`...)
		b = wire.AppendString(b, to.thread)
	}
	b = append(b, `,"mrkdwn":false,"unfurl_links":false,"unfurl_media":false`...)
	return append(content(b, text, buttons), '}')
}

// content adds a text and its buttons. With buttons the text stands in blocks,
// and once more as what a notification shows.
func content(b []byte, text string, buttons []sotto.Button) []byte {
	b = append(b, `,"text":`...)
	b = wire.AppendString(b, escape(text))
	if len(buttons) == 0 {
		return b
	}
	b = append(b, `,"blocks":[`...)
	for _, s := range sections(text) {
		b = append(b, `{"type":"section","text":{"type":"mrkdwn","verbatim":true,"text":`...)
		b = wire.AppendString(b, s)
		b = append(b, `}},`...)
	}
	for i := range buttons {
		if i%maxRow == 0 {
			if i > 0 {
				b = append(b, `]},`...)
			}
			b = append(b, `{"type":"actions","elements":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(b, `{"type":"button","action_id":"b`...)
		b = strconv.AppendInt(b, int64(i+1), 10)
		b = append(b, `","text":{"type":"plain_text","emoji":false,"text":`...)
		b = wire.AppendString(b, escape(buttons[i].Label))
		b = append(b, `},"value":`...)
		b = wire.AppendString(b, data(&buttons[i]))
		b = append(b, '}')
	}
	return append(b, `]}]`...)
}

// data is what a button says when it is pressed: its label if it has no payload.
func data(b *sotto.Button) string {
	if b.Payload == "" {
		return b.Label
	}
	return b.Payload
}

func bad(code string) error { return &channel.SendError{Class: channel.Bad, Code: code} }

// Typing implements [channel.Typer]. Slack shows that a bot is at work only in
// the threads of its assistant, for two minutes at most; elsewhere, and unless
// Config.Assistant is set, nothing is sent.
func (a *Adapter) Typing(ctx context.Context, m *channel.Outgoing) error {
	h := parseHandle(m.Handle)
	if !a.status || h.thread == "" || h.user != "" || !strings.HasPrefix(m.Conversation, "D") {
		return nil
	}
	b := wire.AppendString([]byte(`{"channel_id":`), m.Conversation)
	b = wire.AppendString(append(b, `,"thread_ts":`...), h.thread)
	_, err := a.call(ctx, a.typing, append(b, `,"status":"…"}`...))
	return err
}
