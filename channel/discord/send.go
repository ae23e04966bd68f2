package discord

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"mime/multipart"
	"net/http"
	"strconv"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// What Discord takes.
const (
	maxText    = 2000 // characters of a message; counted in UTF-16 units, to be safe
	maxRow     = 5    // buttons in a row
	maxButtons = 25
	maxLabel   = 80  // characters
	maxCustom  = 100 // characters of what a button carries
	maxNonce   = 25  // characters
	maxFile    = 10 << 20

	suppressEmbeds = 1 << 2 // no previews of links
	ephemeral      = 1 << 6 // for one person's eyes
	loading        = 1 << 7 // the bot is shown as thinking
)

// Send implements [channel.Adapter]. A text over 2,000 characters goes out in
// several messages; buttons, and the file, are in the last, whose id is
// returned. More than 25 buttons, or labels over 80 characters, follow the text
// as a numbered list instead. Once a first message is out, the failure of a
// later one is of class Unknown: the whole must not be sent again.
//
// Under the handle of an interaction the first answer fills the message that
// shows the bot as thinking, and the others follow it. Where Sotto was started
// anew since, Discord is asked first whether that message still waits; one that
// says already what was to be sent counts as sent. A handle whose fifteen
// minutes are over, and a message without one, goes to a direct message as the
// bot's own; to any other channel it is of class Window, unless Config.Public.
//
// Only a direct message knows an idempotency key, and that for some minutes: it
// is used, and not relied on.
func (a *Adapter) Send(ctx context.Context, m *channel.Outgoing) (channel.Sent, error) {
	var room [1]outgoing // most messages take one call
	calls, numbered, err := plan(m, room[:0])
	if err != nil {
		return channel.Sent{}, err
	}
	if a.client == nil {
		return channel.Sent{}, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	way, err := a.route(ctx, m)
	if err != nil {
		return channel.Sent{}, err
	}
	sent := channel.Sent{Numbered: numbered}
	for i := range calls {
		id, err := a.deliver(ctx, &way, &calls[i])
		if err != nil {
			if i > 0 {
				err = wire.After(err)
			}
			return channel.Sent{}, err
		}
		sent.ID = id
	}
	return sent, nil
}

// outgoing is one message.
type outgoing struct {
	text    string
	buttons []sotto.Button
	file    *channel.File
	nonce   string
}

// plan lays out the messages that an outgoing one takes, behind those in calls.
func plan(m *channel.Outgoing, calls []outgoing) (out []outgoing, numbered bool, err error) {
	if !number(m.Conversation) {
		return nil, false, bad("conversation")
	}
	fits, err := fit(m.Buttons)
	if err != nil {
		return nil, false, err
	}
	text, buttons := m.Text, m.Buttons
	if !fits {
		text, buttons = wire.Numbered(text, m.Buttons), nil
	}
	var room [1]string
	for i, part := range wire.AppendSplit(room[:0], text, maxText, wire.Units) {
		calls = append(calls, outgoing{text: part, nonce: nonce(m.Key, i)})
	}
	if m.File != nil {
		if len(m.File.Data) == 0 || len(m.File.Data) > maxFile {
			return nil, false, bad("file_size")
		}
		if len(calls) == 0 {
			calls = append(calls, outgoing{nonce: nonce(m.Key, 0)})
		}
		calls[len(calls)-1].file = m.File
	}
	if len(calls) == 0 {
		return nil, false, bad("empty")
	}
	calls[len(calls)-1].buttons = buttons
	return calls, !fits, nil
}

// fit reports whether the buttons fit as such.
func fit(buttons []sotto.Button) (bool, error) {
	fits := len(buttons) <= maxButtons
	for i := range buttons {
		b := &buttons[i]
		if b.Label == "" {
			return false, bad("button")
		}
		fits = fits && wire.Units(b.Label) <= maxLabel && wire.Units(carries(b)) <= maxCustom
		for j := range i {
			fits = fits && carries(&buttons[j]) != carries(b) // Discord wants them different
		}
	}
	return fits, nil
}

// carries is what a button says when it is pressed: its label if it has no payload.
func carries(b *sotto.Button) string {
	if b.Payload == "" {
		return b.Label
	}
	return b.Payload
}

// nonce names a part of a message in no more characters than Discord takes.
func nonce(key string, part int) string {
	if key == "" {
		return ""
	}
	s := key + "." + strconv.Itoa(part)
	if len(s) <= maxNonce {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:maxNonce]
}

func bad(code string) error { return &channel.SendError{Class: channel.Bad, Code: code} }

// Typing implements [channel.Typer]. It shows for ten seconds, and only where
// nobody else reads along: after a command Discord shows the bot as thinking
// anyway, and in a server all would see that somebody pressed a button.
func (a *Adapter) Typing(ctx context.Context, m *channel.Outgoing) error {
	if !number(m.Conversation) {
		return bad("conversation")
	}
	if h, ok := parseHandle(m.Handle); !ok || !h.component || h.shared {
		return nil
	}
	_, err := a.call(ctx, request{method: http.MethodPost, path: "/channels/" + m.Conversation + "/typing", bot: true, body: []byte("{}")})
	return err
}

// json lays a message out. flags are those of the way it goes.
func (m *outgoing) json(flags int, reply, nonce string) []byte {
	const frame = 256 // more than all the rest takes
	size := frame + len(m.text) + len(m.text)/8
	for i := range m.buttons {
		size += 64 + 2*len(m.buttons[i].Label) + len(m.buttons[i].Payload)
	}
	b := append(make([]byte, 0, size), `{"allowed_mentions":{"parse":[]},"flags":`...)
	b = strconv.AppendInt(b, int64(flags), 10)
	if m.text != "" {
		b = wire.AppendString(append(b, `,"content":`...), m.text)
	}
	if m.file != nil {
		b = wire.AppendString(append(b, `,"attachments":[{"id":0,"filename":`...), m.file.Name)
		b = append(b, `}]`...)
	}
	if reply != "" {
		b = wire.AppendString(append(b, `,"message_reference":{"message_id":`...), reply)
		b = append(b, `,"fail_if_not_exists":false}`...)
	}
	if nonce != "" {
		b = wire.AppendString(append(b, `,"nonce":`...), nonce)
		b = append(b, `,"enforce_nonce":true`...)
	}
	if len(m.buttons) > 0 {
		b = m.rows(append(b, `,"components":`...))
	}
	return append(b, '}')
}

// rows lays buttons out, five in a row.
func (m *outgoing) rows(b []byte) []byte {
	for i := range m.buttons {
		switch {
		case i == 0:
			b = append(b, `[{"type":1,"components":[`...)
		case i%maxRow == 0:
			b = append(b, `]},{"type":1,"components":[`...)
		default:
			b = append(b, ',')
		}
		b = wire.AppendString(append(b, `{"type":2,"style":2,"label":`...), m.buttons[i].Label)
		b = wire.AppendString(append(b, `,"custom_id":`...), carries(&m.buttons[i]))
		b = append(b, '}')
	}
	return append(b, `]}]`...)
}

// form puts a file beside the JSON of its message.
func form(payload []byte, f *channel.File) (body []byte, kind string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	err = w.WriteField("payload_json", string(payload))
	if err == nil {
		err = wire.FilePart(w, "files[0]", f)
	}
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), w.FormDataContentType(), err
}
