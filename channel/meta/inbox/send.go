package inbox

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"mime/multipart"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// What both networks take.
const (
	maxReplies = 13   // quick replies
	maxTitle   = 20   // characters of a quick reply
	maxPayload = 1000 // bytes of a quick reply's payload
	maxFile    = 25 << 20
)

// Send implements [channel.Adapter]. A text over the network's limit goes out
// in several messages, and a file in one of its own after the text; quick
// replies stand below the last, whose id is returned. Once a first message is
// out, the failure of a later one is of class Unknown: the whole must not be
// sent again. Where there are more than 13 buttons, or a label is over 20
// characters, the labels follow the text as a numbered list instead.
//
// Meta takes messages for 24 hours after the person last wrote; later the
// class is Window. It knows no idempotency key and documents no quoting in a
// send, so Key and ReplyTo are not used.
func (a *Account) Send(ctx context.Context, m *channel.Outgoing) (channel.Sent, error) {
	var room [1]outgoing // most messages take one call
	calls, numbered, err := a.plan(m, room[:0])
	if err != nil {
		return channel.Sent{}, err
	}
	sent := channel.Sent{Numbered: numbered}
	for i := range calls {
		ans, err := a.send(ctx, &calls[i])
		if err != nil {
			if i > 0 {
				err = wire.After(err)
			}
			return channel.Sent{}, err
		}
		sent.ID = ans.message
	}
	return sent, nil
}

// outgoing is one call of the Send API.
type outgoing struct {
	kind    string // messaging_type, "" = none
	to      string
	text    string
	replies []sotto.Button
	file    *channel.File
}

// plan lays out the API calls that a message takes, behind those in calls, and
// tells whether its buttons became a numbered list.
func (a *Account) plan(m *channel.Outgoing, calls []outgoing) (_ []outgoing, numbered bool, err error) {
	switch {
	case m.Conversation == "":
		return nil, false, bad("conversation")
	case m.File != nil && a.traits.NoFiles:
		return nil, false, bad("no_files")
	case m.File != nil && (len(m.File.Data) == 0 || len(m.File.Data) > maxFile):
		return nil, false, bad("file_size")
	}
	text, replies := m.Text, m.Buttons
	short, err := fit(m.Buttons)
	if err != nil {
		return nil, false, err
	}
	if !short {
		text, replies = wire.Numbered(text, m.Buttons), nil
	}
	size := a.net.Measure
	if size == nil {
		size = wire.Units // of the zero value, which sends nothing
	}
	var room [1]string
	for _, part := range wire.AppendSplit(room[:0], text, a.net.MaxText, size) {
		calls = append(calls, outgoing{kind: a.net.Type, to: m.Conversation, text: part})
	}
	if m.File != nil {
		calls = append(calls, outgoing{kind: a.net.Type, to: m.Conversation, file: m.File})
	}
	if len(calls) == 0 {
		return nil, false, bad("empty")
	}
	calls[len(calls)-1].replies = replies
	return calls, !short, nil
}

// fit reports whether the buttons fit as quick replies.
func fit(buttons []sotto.Button) (bool, error) {
	short := len(buttons) <= maxReplies
	for i := range buttons {
		b := &buttons[i]
		if b.Label == "" || len(b.Payload) > maxPayload {
			return false, bad("button")
		}
		short = short && wire.Units(b.Label) <= maxTitle
	}
	return short, nil
}

func bad(code string) error { return &channel.SendError{Class: channel.Bad, Code: code} }

// Typing implements [channel.Typer]. It shows for about twenty seconds.
func (a *Account) Typing(ctx context.Context, m *channel.Outgoing) error {
	if m.Conversation == "" {
		return bad("conversation")
	}
	b := wire.AppendString([]byte(`{"recipient":{"id":`), m.Conversation)
	_, err := a.call(ctx, a.messages, append(b, `},"sender_action":"typing_on"}`...), "")
	return err
}

func (a *Account) send(ctx context.Context, m *outgoing) (answer, error) {
	if m.file == nil {
		return a.call(ctx, a.messages, m.json(), "")
	}
	body, kind, err := form(m)
	if err != nil {
		return answer{}, bad("form")
	}
	return a.call(ctx, a.messages, body, kind)
}

// json lays a message out for the Send API.
func (m *outgoing) json() []byte {
	const frame = 128 // more than all the rest takes
	size := frame + len(m.to) + len(m.text) + len(m.text)/8
	for i := range m.replies {
		size += 64 + 2*len(m.replies[i].Label) + len(m.replies[i].Payload)
	}
	b := append(make([]byte, 0, size), '{')
	if m.kind != "" {
		b = append(b, `"messaging_type":`...)
		b = wire.AppendString(b, m.kind)
		b = append(b, ',')
	}
	b = append(b, `"recipient":`...)
	b = m.recipient(b)
	b = append(b, `,"message":`...)
	b = m.message(b)
	return append(b, '}')
}

func (m *outgoing) recipient(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = wire.AppendString(b, m.to)
	return append(b, '}')
}

// message is a text or the announcement of a file, with its quick replies. One
// without a payload carries its label.
func (m *outgoing) message(b []byte) []byte {
	if m.file == nil {
		b = append(b, `{"text":`...)
		b = wire.AppendString(b, m.text)
	} else {
		b = append(b, `{"attachment":{"type":`...)
		b = wire.AppendString(b, kindOf(m.file))
		b = append(b, `,"payload":{}}`...)
	}
	for i := range m.replies {
		r := &m.replies[i]
		if i == 0 {
			b = append(b, `,"quick_replies":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(b, `{"content_type":"text","title":`...)
		b = wire.AppendString(b, r.Label)
		b = append(b, `,"payload":`...)
		b = wire.AppendString(b, cmp.Or(r.Payload, r.Label))
		b = append(b, '}')
	}
	if len(m.replies) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

// kindOf is what Meta calls a file of this type.
func kindOf(f *channel.File) string {
	switch k, _, _ := strings.Cut(f.MIME, "/"); k {
	case "image", "audio", "video":
		return k
	}
	return "file"
}

// form lays a file out as multipart/form-data.
func form(m *outgoing) (body []byte, kind string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range [...][2]string{{"messaging_type", m.kind}, {"recipient", string(m.recipient(nil))}, {"message", string(m.message(nil))}} {
		if f[1] == "" {
			continue
		}
		if err := w.WriteField(f[0], f[1]); err != nil {
			return nil, "", fmt.Errorf("form: %w", err)
		}
	}
	if err := wire.FilePart(w, "filedata", m.file); err != nil {
		return nil, "", err //nolint:wrapcheck // says it
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("form: %w", err)
	}
	return b.Bytes(), w.FormDataContentType(), nil
}
