package telegram

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// What Telegram takes.
const (
	maxText     = 4096 // UTF-16 units of a message
	maxCaption  = 1024 // UTF-16 units below a document
	maxCallback = 64   // bytes of a button's payload
	maxButtons  = 100
	maxFile     = 50 << 20
)

// Send implements [channel.Adapter]. A text over 4096 UTF-16 units goes out in
// several messages, and a document takes as its caption a text of up to 1024;
// buttons stand below the last of them, whose id is returned. Once a first
// message is out, the failure of a later one is of class Unknown: the whole
// must not be sent again. Where a group became a supergroup, and only there,
// the message is sent once more, to the new id that Telegram answered.
//
// Telegram knows no idempotency key, so Key is not used.
func (a *Adapter) Send(ctx context.Context, m *channel.Outgoing) (channel.Sent, error) {
	var room [1]outgoing // most messages take one call
	calls, err := plan(m, room[:0])
	if err != nil {
		return channel.Sent{}, err
	}
	var sent channel.Sent
	for i := range calls {
		id, err := a.deliver(ctx, calls, i)
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

// deliver sends one of the messages. If the chat has moved, it corrects the
// address of this one and the later ones.
func (a *Adapter) deliver(ctx context.Context, calls []outgoing, i int) (string, error) {
	ans, err := a.send(ctx, &calls[i])
	if err != nil && ans.migrate != 0 {
		for j := i; j < len(calls); j++ {
			calls[j].chat = ans.migrate
			calls[j].reply = 0 // message ids are unique only inside a chat
		}
		ans, err = a.send(ctx, &calls[i])
	}
	if err != nil || ans.message == 0 {
		return "", err
	}
	return strconv.FormatInt(ans.message, 10), nil
}

// outgoing is a sendMessage or, with a file, a sendDocument.
type outgoing struct {
	connection string
	chat       int64
	text       string // of a document its caption
	reply      int64  // 0 = answers none
	buttons    []sotto.Button
	file       *channel.File
}

// plan lays out the API calls that a message takes, behind those in calls.
func plan(m *channel.Outgoing, calls []outgoing) ([]outgoing, error) {
	to, connection, ok := address(m.Conversation)
	if !ok {
		return nil, bad("conversation")
	}
	if err := fit(m.Buttons); err != nil {
		return nil, err
	}
	text := m.Text
	caption := ""
	if m.File != nil {
		if len(m.File.Data) == 0 || len(m.File.Data) > maxFile {
			return nil, bad("file_size")
		}
		if wire.Units(text) <= maxCaption {
			caption, text = text, ""
		}
	}
	var room [1]string
	for _, part := range wire.AppendSplit(room[:0], text, maxText, wire.Units) {
		calls = append(calls, outgoing{connection: connection, chat: to, text: part})
	}
	if m.File != nil {
		calls = append(calls, outgoing{connection: connection, chat: to, text: caption, file: m.File})
	}
	if len(calls) == 0 {
		return nil, bad("empty")
	}
	calls[0].reply, _ = integer(m.ReplyTo) // anything else is no message of Telegram's
	calls[len(calls)-1].buttons = m.Buttons
	return calls, nil
}

// fit reports whether Telegram takes the buttons.
func fit(buttons []sotto.Button) error {
	if len(buttons) > maxButtons {
		return bad("buttons")
	}
	for i := range buttons {
		if buttons[i].Label == "" || len(data(&buttons[i])) > maxCallback {
			return bad("button")
		}
	}
	return nil
}

// data is what a button says when it is pressed: its label if it has no payload.
func data(b *sotto.Button) string {
	if b.Payload == "" {
		return b.Label
	}
	return b.Payload
}

// address reads the form that conversation writes.
func address(c string) (chat int64, connection string, ok bool) {
	id, connection, _ := strings.Cut(c, "@")
	chat, ok = integer(id)
	return chat, connection, ok
}

// integer reads an id of Telegram's; 0 is none.
func integer(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, false
	}
	return n, n != 0
}

func bad(code string) error { return &channel.SendError{Class: channel.Bad, Code: code} }

// Typing implements [channel.Typer]. It shows for five seconds.
func (a *Adapter) Typing(ctx context.Context, m *channel.Outgoing) error {
	to, connection, ok := address(m.Conversation)
	if !ok {
		return bad("conversation")
	}
	_, err := a.post(ctx, a.action, append(head(nil, to, connection), `,"action":"typing"}`...), "")
	return err
}

// Acknowledge implements [channel.Acknowledger]: it ends the waiting that the
// person sees on the button.
func (a *Adapter) Acknowledge(ctx context.Context, callback string) error {
	b := wire.AppendString([]byte(`{"callback_query_id":`), callback)
	_, err := a.post(ctx, a.acknowledge, append(b, '}'), "")
	return err
}

func (a *Adapter) send(ctx context.Context, m *outgoing) (answer, error) {
	if m.file == nil {
		return a.post(ctx, a.message, m.json(), "")
	}
	body, kind, err := form(m)
	if err != nil {
		return answer{}, bad("form")
	}
	return a.post(ctx, a.document, body, kind)
}

// json lays a message out for sendMessage.
func (m *outgoing) json() []byte {
	const frame = 256 // more than all the rest takes
	size := frame + len(m.connection) + len(m.text) + len(m.text)/8
	for i := range m.buttons {
		size += 48 + 2*len(m.buttons[i].Label) + len(m.buttons[i].Payload)
	}
	b := head(make([]byte, 0, size), m.chat, m.connection)
	b = append(b, `,"text":`...)
	b = wire.AppendString(b, m.text)
	b = append(b, `,"link_preview_options":{"is_disabled":true}`...)
	if m.reply != 0 {
		b = append(b, `,"reply_parameters":`...)
		b = m.quoting(b)
	}
	if len(m.buttons) > 0 {
		b = append(b, `,"reply_markup":`...)
		b = m.keyboard(b)
	}
	return append(b, '}')
}

// head begins the parameters of a call with where it goes.
func head(b []byte, chat int64, connection string) []byte {
	b = append(b, `{"chat_id":`...)
	b = strconv.AppendInt(b, chat, 10)
	if connection != "" {
		b = append(b, `,"business_connection_id":`...)
		b = wire.AppendString(b, connection)
	}
	return b
}

// quoting says which message is answered.
func (m *outgoing) quoting(b []byte) []byte {
	b = append(b, `{"message_id":`...)
	b = strconv.AppendInt(b, m.reply, 10)
	return append(b, `,"allow_sending_without_reply":true}`...)
}

// keyboard lays buttons out, one in a row so that no label is cut.
func (m *outgoing) keyboard(b []byte) []byte {
	b = append(b, `{"inline_keyboard":[`...)
	for i := range m.buttons {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `[{"text":`...)
		b = wire.AppendString(b, m.buttons[i].Label)
		b = append(b, `,"callback_data":`...)
		b = wire.AppendString(b, data(&m.buttons[i]))
		b = append(b, `}]`...)
	}
	return append(b, `]}`...)
}

// form lays a document out as multipart/form-data.
func form(m *outgoing) (body []byte, kind string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	add := func(name, value string) {
		if err == nil && value != "" {
			err = w.WriteField(name, value)
		}
	}
	add("chat_id", strconv.FormatInt(m.chat, 10))
	add("business_connection_id", m.connection)
	add("caption", m.text)
	if m.reply != 0 {
		add("reply_parameters", string(m.quoting(nil)))
	}
	if len(m.buttons) > 0 {
		add("reply_markup", string(m.keyboard(nil)))
	}
	if err == nil {
		err = wire.FilePart(w, "document", m.file)
	}
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), w.FormDataContentType(), err
}

// answer is what the API answers to every method.
type answer struct {
	ok      bool
	code    int64
	cause   string // see cause; "" where the code says all
	after   int64  // seconds
	migrate int64  // the new id of a group that became a supergroup
	message int64  // the id of the message sent
	body    []byte // for ask
	date    string // the header
}

// read reads an answer and reports whether it is the API's own.
func (ans *answer) read(body []byte) bool {
	ans.body = body
	s := wire.NewScanner(body)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "ok":
			ans.ok = s.Bool()
		case "error_code":
			ans.code = s.Int()
		case "description": // prose; dropped once its cause has a name
			ans.cause = cause(s.Text())
		case "parameters":
			for ok := s.Object(); ok && s.Field(); {
				switch string(s.Name()) {
				case "retry_after":
					ans.after = s.Int()
				case "migrate_to_chat_id":
					ans.migrate = s.Int()
				default:
					s.Skip()
				}
			}
		case "result":
			for ok := s.Object(); ok && s.Field(); {
				if string(s.Name()) == "message_id" {
					ans.message = s.Int()
				} else {
					s.Skip()
				}
			}
		default:
			s.Skip()
		}
	}
	return s.End() == nil && (ans.ok || ans.code != 0)
}

// post calls a method with a body, which is JSON unless kind says otherwise.
// The error is a *channel.SendError; the answer comes with it where there is one.
func (a *Adapter) post(ctx context.Context, to wire.Endpoint, body []byte, kind string) (answer, error) {
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
	if !ans.read(got.Body) {
		if got.Status/100 == 2 {
			return answer{}, &channel.SendError{Class: channel.Unknown, Status: got.Status, Code: "answer"}
		}
		return answer{}, sortStatus(got)
	}
	ans.date = got.Header.Get("Date")
	if ans.ok && got.Status/100 == 2 {
		return ans, nil
	}
	return ans, sortError(got, &ans)
}

// sortStatus sorts an answer that is not the API's own JSON: a proxy's.
func sortStatus(got wire.Answer) *channel.SendError {
	e := wire.StatusError(got)
	switch got.Status {
	case http.StatusNotFound: // the path, and so the token, is not known
		e.Class = channel.Auth
	case http.StatusForbidden:
		e.Class = channel.Gone
	}
	return e
}

// sortError sorts an answer of the API's.
func sortError(got wire.Answer, ans *answer) *channel.SendError {
	if ans.code > 0 && ans.code <= 999 {
		got.Status = int(ans.code)
	}
	e := sortStatus(got)
	if ans.after > 0 {
		e.RetryAfter = wire.Seconds(strconv.FormatInt(ans.after, 10))
	}
	if ans.cause == tooLarge {
		e.Code = tooLarge
	} else if word := ans.cause; word != "" && (e.Status == http.StatusBadRequest || e.Status == http.StatusForbidden) {
		e.Class = channel.Gone
		e.Code += "." + word
	}
	return e
}

// tooLarge is the cause of a file that the API does not hand out.
const tooLarge = "too_large"

// cause names the reason that a chat cannot be reached, or a file not be had.
// Telegram tells these apart only in its prose.
func cause(description string) string {
	d := strings.ToLower(description)
	for _, c := range [...]struct{ part, word string }{
		{"chat not found", "chat_not_found"},
		{"user not found", "user_not_found"},
		{"peer_id_invalid", "peer_id_invalid"},
		{"group chat was deactivated", "deactivated"},
		{"group chat was deleted", "deleted"},
		{"bot was blocked", "blocked"},
		{"user is deactivated", "deactivated"},
		{"bot was kicked", "kicked"},
		{"bot is not a member", "not_a_member"},
		{"can't initiate conversation", "not_started"},
		{"file is too big", tooLarge},
	} {
		if strings.Contains(d, c.part) {
			return c.word
		}
	}
	return ""
}
