package messenger

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/meta"
	"github.com/sotto-chat/sotto/channel/wire"
)

// What Messenger takes.
const (
	maxText    = 2000 // characters of a message; counted in UTF-16 units, to be safe
	maxReplies = 13   // quick replies
	maxTitle   = 20   // characters of a quick reply
	maxPayload = 1000 // bytes of a quick reply's payload
	maxFile    = 25 << 20
)

// Send implements [channel.Adapter]. A text over 2,000 characters goes out in
// several messages, and a file in one of its own after the text; quick replies
// stand below the last, whose id is returned. Once a first message is out, the
// failure of a later one is of class Unknown: the whole must not be sent
// again. Where there are more than 13 buttons, or a label is over 20
// characters, the labels follow the text as a numbered list instead.
//
// Messages are sent as RESPONSE, which Meta takes for 24 hours after the
// person last wrote; later the class is Window. Messenger knows no idempotency
// key and the Send API no quoting, so Key and ReplyTo are not used.
func (a *Adapter) Send(ctx context.Context, m *channel.Outgoing) (channel.Sent, error) {
	var room [1]outgoing // most messages take one call
	calls, err := plan(m, room[:0])
	if err != nil {
		return channel.Sent{}, err
	}
	var sent channel.Sent
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
	to      string
	text    string
	replies []sotto.Button
	file    *channel.File
}

// plan lays out the API calls that a message takes, behind those in calls.
func plan(m *channel.Outgoing, calls []outgoing) ([]outgoing, error) {
	if m.Conversation == "" {
		return nil, bad("conversation")
	}
	text, replies := m.Text, m.Buttons
	short, err := fit(m.Buttons)
	if err != nil {
		return nil, err
	}
	if !short {
		text, replies = wire.Numbered(text, m.Buttons), nil
	}
	var room [1]string
	for _, part := range wire.AppendSplit(room[:0], text, maxText, wire.Units) {
		calls = append(calls, outgoing{to: m.Conversation, text: part})
	}
	if m.File != nil {
		if len(m.File.Data) == 0 || len(m.File.Data) > maxFile {
			return nil, bad("file_size")
		}
		calls = append(calls, outgoing{to: m.Conversation, file: m.File})
	}
	if len(calls) == 0 {
		return nil, bad("empty")
	}
	calls[len(calls)-1].replies = replies
	return calls, nil
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
func (a *Adapter) Typing(ctx context.Context, m *channel.Outgoing) error {
	if m.Conversation == "" {
		return bad("conversation")
	}
	b := wire.AppendString([]byte(`{"recipient":{"id":`), m.Conversation)
	_, err := a.call(ctx, a.messages, append(b, `},"sender_action":"typing_on"}`...), "")
	return err
}

func (a *Adapter) send(ctx context.Context, m *outgoing) (answer, error) {
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
	b := make([]byte, 0, size)
	b = append(b, `{"messaging_type":"RESPONSE","recipient":`...)
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
	for _, f := range [...][2]string{{"messaging_type", "RESPONSE"}, {"recipient", string(m.recipient(nil))}, {"message", string(m.message(nil))}} {
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

// answer is what the API answers to a send.
type answer struct {
	message string // its id
	failed  bool
	fault   meta.Fault
	body    []byte // for Check
}

// read reads an answer and reports whether it is the API's own.
func (ans *answer) read(body []byte) bool {
	ans.body = body
	s := wire.NewScanner(body)
	is, odd := s.Object(), false
	for ok := is; ok && s.Field(); {
		switch string(s.Name()) {
		case "message_id":
			ans.message = s.ID()
		case "error":
			ans.failed = ans.fault.Read(&s)
			odd = !ans.failed // an error that cannot be read is no success
		default:
			s.Skip()
		}
	}
	return s.End() == nil && is && !odd
}

// call makes one call with a body, which is JSON unless kind says otherwise.
// The error is a *channel.SendError.
func (a *Adapter) call(ctx context.Context, to wire.Endpoint, body []byte, kind string) (answer, error) {
	if a.client == nil {
		return answer{}, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	r := to.Request(ctx, body)
	if kind != "" {
		r.Header["Content-Type"] = []string{kind}
	}
	got, err := wire.Call(a.client, r)
	if err != nil {
		return answer{}, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	var ans answer
	known := ans.read(got.Body)
	switch {
	case got.Status == http.StatusGatewayTimeout: // whatever the document says: a gateway gave up waiting
		return answer{}, wire.StatusError(got)
	case known && ans.failed:
		return answer{}, sort(&ans.fault, got)
	case got.Status/100 != 2:
		return answer{}, wire.StatusError(got)
	case !known:
		return answer{}, &channel.SendError{Class: channel.Unknown, Status: got.Status, Code: "answer"}
	}
	return ans, nil
}

// sort sorts an error by its code and subcode; see the error reference of the
// Graph API and of the Send API.
func sort(f *meta.Fault, got wire.Answer) *channel.SendError {
	e := wire.StatusError(got)
	if e.Class == channel.Auth { // the status says less than the code
		e.Class = channel.Bad
	}
	e.Code = strconv.FormatInt(f.Code, 10)
	if f.Subcode != 0 {
		e.Code += "." + strconv.FormatInt(f.Subcode, 10)
	}
	switch e.Code {
	case "10.2018278", "10.2534022":
		e.Class = channel.Window
		return e
	case "200.1545041", "100.2018001":
		e.Class = channel.Gone
		return e
	case "10.1893063": // the page is restricted for a time
		e.Class = channel.Auth
		return e
	}
	switch f.Code {
	case 1, 2, 4, 17, 32, 341, 613, 1200:
		e.Class = channel.Retry
	case 102, 190, 368: // session, token, blocked for breaking a policy
		e.Class = channel.Auth
	case 551, 230:
		e.Class = channel.Gone
	default:
		if f.Transient {
			e.Class = channel.Retry
		}
	}
	return e
}
