package whatsapp

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/meta"
	"github.com/sotto-chat/sotto/channel/wire"
)

// What WhatsApp takes. Lengths are counted in UTF-16 units, to be safe.
const (
	maxText    = 4096 // characters of a text, and of what stands above a list
	maxBody    = 1024 // above buttons
	maxCaption = 1024 // below a file
	maxButtons = 3
	maxTitle   = 20 // of a button, and of what opens a list
	maxRows    = 10
	maxRow     = 24  // of an entry of a list
	maxPayload = 200 // bytes of an entry's id; a button's may have 256
	maxFile    = 100 << 20
)

// Send implements [channel.Adapter]. Up to three buttons are buttons, up to ten
// a list, and more, or longer ones, a numbered list in the text. They stand
// below the last part of the text, which is the last that is sent and whose id
// is returned. A file goes out as a document, under the text where that is
// short and has no buttons, and before it otherwise. Once a first message is
// out, the failure of a later one is of class Unknown: the whole must not be
// sent again. ReplyTo is quoted by the first; Key is not used, as WhatsApp
// knows no idempotency key. Without a configured number Handle names it.
func (a *Adapter) Send(ctx context.Context, m *channel.Outgoing) (channel.Sent, error) {
	var room [1]outgoing // most messages take one call
	calls, numbered, err := a.plan(m, room[:0])
	if err != nil {
		return channel.Sent{}, err
	}
	to, upload, err := a.number(m.Handle)
	if err != nil {
		return channel.Sent{}, err
	}
	sent := channel.Sent{Numbered: numbered}
	for i := range calls {
		c := &calls[i]
		if c.file != nil {
			if c.media, err = a.store(ctx, upload, c.file); err != nil && i > 0 {
				err = wire.After(err)
			}
			if err != nil {
				return channel.Sent{}, err
			}
		}
		ans, err := a.call(ctx, to, c.json(a.conf.ListButton), "")
		if err == nil && ans.id == "" {
			err = &channel.SendError{Class: channel.Unknown, Status: http.StatusOK, Code: "answer"}
		}
		if err != nil {
			if i > 0 {
				err = wire.After(err)
			}
			return channel.Sent{}, err
		}
		sent.ID = ans.id
	}
	return sent, nil
}

// number returns where messages and files of the business number go.
func (a *Adapter) number(handle string) (messages, upload wire.Endpoint, err error) {
	if a.conf.Client == nil {
		return messages, upload, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	if a.conf.PhoneNumberID != "" {
		return a.messages, a.upload, nil
	}
	if !isDigits(handle) {
		return messages, upload, bad("phone_number_id")
	}
	if messages, err = a.endpoint(http.MethodPost, handle+"/messages?", "Content-Type", "application/json"); err == nil {
		upload, err = a.endpoint(http.MethodPost, handle+"/media?")
	}
	if err != nil {
		return messages, upload, bad("phone_number_id")
	}
	return messages, upload, nil
}

// outgoing is one message to be sent.
type outgoing struct {
	to      string
	replyTo string
	text    string
	choices []sotto.Button // as buttons or a list
	file    *channel.File
	media   string // id of the file, once Meta has it
}

// plan lays out the messages that one takes, behind those in calls, and
// reports whether its buttons became a numbered list.
func (a *Adapter) plan(m *channel.Outgoing, calls []outgoing) (_ []outgoing, numbered bool, err error) {
	if m.Conversation == "" {
		return nil, false, bad("conversation")
	}
	text, choices := m.Text, m.Buttons
	fits, err := fit(m.Buttons)
	if err != nil {
		return nil, false, err
	}
	if blank := strings.TrimSpace(text) == ""; !fits || blank && len(choices) > 0 {
		if blank {
			text = ""
		}
		text, choices, numbered = wire.Numbered(text, m.Buttons), nil, true
	}
	if m.File != nil {
		if len(m.File.Data) == 0 || len(m.File.Data) > maxFile {
			return nil, false, bad("file_size")
		}
		c := outgoing{to: m.Conversation, file: m.File}
		if len(choices) == 0 && wire.Units(text) <= maxCaption {
			c.text, text = text, ""
		}
		calls = append(calls, c)
	}
	var room [1]string
	for _, part := range split(room[:0], text, choices) {
		calls = append(calls, outgoing{to: m.Conversation, text: part})
	}
	if len(calls) == 0 {
		return nil, false, bad("empty")
	}
	calls[0].replyTo = m.ReplyTo
	calls[len(calls)-1].choices = choices
	return calls, numbered, nil
}

// fit reports whether the buttons can be shown as buttons or as a list.
func fit(buttons []sotto.Button) (bool, error) {
	fits, most := len(buttons) <= maxRows, maxTitle
	if len(buttons) > maxButtons {
		most = maxRow
	}
	for i := range buttons {
		b := &buttons[i]
		if b.Label == "" || len(b.Payload) > maxPayload {
			return false, bad("button")
		}
		fits = fits && wire.Units(b.Label) <= most && unlike(buttons[:i], b)
	}
	return fits, nil
}

// unlike reports whether no earlier button has the title or the id of this one,
// which WhatsApp refuses.
func unlike(earlier []sotto.Button, b *sotto.Button) bool {
	for i := range earlier {
		e := &earlier[i]
		if e.Label == b.Label || cmp.Or(e.Payload, e.Label) == cmp.Or(b.Payload, b.Label) {
			return false
		}
	}
	return true
}

// split cuts a text into parts, of which the last is short enough to stand
// above the choices.
func split(parts []string, text string, choices []sotto.Button) []string {
	parts = wire.AppendSplit(parts, text, maxText, wire.Units)
	if len(choices) == 0 || len(choices) > maxButtons || len(parts) == 0 {
		return parts
	}
	last := parts[len(parts)-1]
	if wire.Units(last) <= maxBody {
		return parts
	}
	pieces := wire.AppendSplit(nil, last, maxBody, wire.Units)
	tail := pieces[len(pieces)-1]
	head := strings.TrimSpace(last[:len(last)-len(tail)]) // the last piece is how the text ends
	return append(parts[:len(parts)-1], head, tail)
}

func bad(code string) error { return &channel.SendError{Class: channel.Bad, Code: code} }

// Typing implements [channel.Typer]. It shows for 25 seconds at most and marks
// the message that is answered as read; without one there is nothing to show.
func (a *Adapter) Typing(ctx context.Context, m *channel.Outgoing) error {
	if m.Conversation == "" {
		return bad("conversation")
	}
	if m.ReplyTo == "" {
		return nil
	}
	to, _, err := a.number(m.Handle)
	if err != nil {
		return err
	}
	b := wire.AppendString([]byte(`{"messaging_product":"whatsapp","status":"read","message_id":`), m.ReplyTo)
	_, err = a.call(ctx, to, append(b, `,"typing_indicator":{"type":"text"}}`...), "")
	return err
}

// json lays a message out.
func (c *outgoing) json(listButton string) []byte {
	const frame = 256 // more than all the rest takes
	size := frame + len(c.to) + len(c.replyTo) + len(c.text) + len(c.text)/8
	for i := range c.choices {
		size += 64 + 2*len(c.choices[i].Label) + len(c.choices[i].Payload)
	}
	b := make([]byte, 0, size)
	b = append(b, `{"messaging_product":"whatsapp",`...)
	b = append(b, address(c.to)...)
	b = wire.AppendString(b, strings.TrimPrefix(c.to, "+"))
	if c.replyTo != "" {
		b = append(b, `,"context":{"message_id":`...)
		b = wire.AppendString(b, c.replyTo)
		b = append(b, '}')
	}
	switch {
	case c.file != nil:
		b = append(b, `,"type":"document","document":{"id":`...)
		b = wire.AppendString(b, c.media)
		b = append(b, `,"filename":`...)
		b = wire.AppendString(b, cmp.Or(c.file.Name, "file"))
		if c.text != "" {
			b = append(b, `,"caption":`...)
			b = wire.AppendString(b, c.text)
		}
		return append(b, `}}`...)
	case len(c.choices) > maxButtons:
		b = append(b, `,"type":"interactive","interactive":{"type":"list","body":{"text":`...)
		b = wire.AppendString(b, c.text)
		b = append(b, `},"action":{"button":`...)
		b = wire.AppendString(b, listButton)
		b = append(b, `,"sections":[{"rows":[`...)
		b = c.list(b, "", "")
		return append(b, `]}]}}}`...)
	case len(c.choices) > 0:
		b = append(b, `,"type":"interactive","interactive":{"type":"button","body":{"text":`...)
		b = wire.AppendString(b, c.text)
		b = append(b, `},"action":{"buttons":[`...)
		b = c.list(b, `{"type":"reply","reply":`, `}`)
		return append(b, `]}}}`...)
	}
	b = append(b, `,"type":"text","text":{"body":`...)
	b = wire.AppendString(b, c.text)
	return append(b, `,"preview_url":false}}`...)
}

// list lays the choices out. One without a payload carries its label.
func (c *outgoing) list(b []byte, before, after string) []byte {
	for i := range c.choices {
		r := &c.choices[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, before...)
		b = append(b, `{"id":`...)
		b = wire.AppendString(b, cmp.Or(r.Payload, r.Label))
		b = append(b, `,"title":`...)
		b = wire.AppendString(b, r.Label)
		b = append(b, '}')
		b = append(b, after...)
	}
	return b
}

// address is how a message names whom it is for: a person by their number or by
// their id for this business, which is a country, a dot and more, or a group.
func address(to string) string {
	switch {
	case isDigits(strings.TrimPrefix(to, "+")):
		return `"recipient_type":"individual","to":`
	case len(to) > 3 && to[2] == '.' && isUpper(to[0]) && isUpper(to[1]):
		return `"recipient_type":"individual","recipient":`
	}
	return `"recipient_type":"group","to":`
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// store gives a file to Meta and returns the id under which it can be sent. The
// person has seen nothing of it, so a failure whose outcome is not known may
// simply be tried again.
func (a *Adapter) store(ctx context.Context, to wire.Endpoint, f *channel.File) (id string, err error) {
	body, kind, err := form(f)
	if err != nil {
		return "", bad("form")
	}
	ans, err := a.call(ctx, to, body, kind)
	if err == nil && ans.file == "" {
		err = &channel.SendError{Class: channel.Retry, Status: http.StatusOK, Code: "answer"}
	}
	if e, ok := err.(*channel.SendError); ok && e.Class == channel.Unknown { //nolint:errorlint // as call returns it
		e.Class = channel.Retry
	}
	return ans.file, err
}

// form lays a file out as multipart/form-data.
func form(f *channel.File) (body []byte, kind string, err error) {
	var b bytes.Buffer
	b.Grow(len(f.Data) + 1024)
	w := multipart.NewWriter(&b)
	g := *f
	g.MIME = accepted(f.MIME)
	for _, field := range [...][2]string{{"messaging_product", "whatsapp"}, {"type", g.MIME}} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return nil, "", fmt.Errorf("form: %w", err)
		}
	}
	if err := wire.FilePart(w, "file", &g); err != nil {
		return nil, "", err //nolint:wrapcheck // says it
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("form: %w", err)
	}
	return b.Bytes(), w.FormDataContentType(), nil
}

// accepted is a type that Meta takes for a file. It takes few; everything that
// is text, such as JSON, goes as plain text, and keeps its name.
func accepted(kind string) string {
	k, _, err := mime.ParseMediaType(kind)
	switch {
	case err != nil:
		return "application/octet-stream"
	case strings.HasPrefix(k, "text/"), strings.HasSuffix(k, "+json"), strings.HasSuffix(k, "+xml"),
		k == "application/json", k == "application/xml", k == "application/yaml", k == "application/x-ndjson":
		return "text/plain"
	}
	return k
}

// answer is what the API answers.
type answer struct {
	id     string      // of the message
	file   string      // id of a file
	fault  *meta.Fault // nil = none
	body   []byte
	header http.Header
}

// read reads an answer and reports whether it is the API's own.
func (ans *answer) read(body []byte) bool {
	ans.body = body
	s := wire.NewScanner(body)
	is, odd := s.Object(), false
	for ok := is; ok && s.Field(); {
		switch string(s.Name()) {
		case "messages":
			for ok := s.Array(); ok && s.Elem(); {
				for ok := s.Object(); ok && s.Field(); {
					if string(s.Name()) == "id" {
						ans.id = s.ID()
					} else {
						s.Skip()
					}
				}
			}
		case "id":
			ans.file = s.ID()
		case "error":
			ans.fault = meta.ReadFault(&s)
			odd = ans.fault == nil // an error that cannot be read is no success
		default:
			s.Skip()
		}
	}
	return s.End() == nil && is && !odd
}

// call makes one call with a body, which is JSON unless kind says otherwise.
// The error is a *channel.SendError.
func (a *Adapter) call(ctx context.Context, to wire.Endpoint, body []byte, kind string) (answer, error) {
	ctx, cancel := a.bound(ctx)
	defer cancel()
	r := to.Request(ctx, body)
	if kind != "" {
		r.Header["Content-Type"] = []string{kind}
	}
	got, err := wire.Call(a.conf.Client, r)
	if err != nil {
		return answer{}, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	ans := answer{header: got.Header}
	known := ans.read(got.Body)
	if err := meta.Judge(got, known, ans.fault, sort); err != nil {
		return answer{}, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	return ans, nil
}

// sort sorts an error by its code; see the Cloud API's list of error codes.
func sort(f *meta.Fault, got wire.Answer) *channel.SendError {
	e := wire.StatusError(got)
	if e.Class == channel.Auth && f.Code != 0 { // the status says less than the code
		e.Class = channel.Bad
	}
	e.Code = f.Name()
	wait := time.Duration(0)
	switch f.Code {
	case 1, 2, 4, 17, 32, 341, 613, 1200, 80007, 80008, 130429, // too much at once, or out of order
		131000, 131016, 131053, 131057, 133004, 133016:
		e.Class = channel.Retry
	case 131056: // too much to this person
		e.Class, wait = channel.Retry, 6*time.Second
	case 131048: // too many people find the number's messages unwanted
		e.Class, wait = channel.Retry, 15*time.Minute
	case 131047:
		e.Class = channel.Window
	case 131026, 131049, 131050, 130472: // not on WhatsApp, or not willing, or Meta will not
		e.Class = channel.Gone
	case 3, 10, 102, 190, 368, 131005, 131031, 131037, 131042, 131045, 133010: // token, permission, payment, blocked account, number not in order
		e.Class = channel.Auth
	default:
		switch {
		case f.Code >= 200 && f.Code < 300: // a permission
			e.Class = channel.Auth
		case f.Transient:
			e.Class = channel.Retry
		}
	}
	if e.Class == channel.Retry && e.RetryAfter == 0 {
		e.RetryAfter = wait
	}
	return e
}
