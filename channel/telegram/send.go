package telegram

import (
	"bytes"
	"context"
	"encoding/json"
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
	calls, err := plan(m)
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
	if err != nil && ans != nil && ans.Parameters.Migrate != 0 {
		for j := i; j < len(calls); j++ {
			calls[j].Chat = json.RawMessage(strconv.FormatInt(ans.Parameters.Migrate, 10))
			calls[j].Reply = nil // message ids are unique only inside a chat
		}
		ans, err = a.send(ctx, &calls[i])
	}
	if err != nil {
		return "", err
	}
	if ans.Result.MessageID == 0 {
		return "", nil
	}
	return strconv.FormatInt(ans.Result.MessageID, 10), nil
}

// outgoing is a sendMessage or, with a file, a sendDocument.
type outgoing struct {
	Connection string          `json:"business_connection_id,omitempty"`
	Chat       json.RawMessage `json:"chat_id"`
	Text       string          `json:"text,omitempty"`
	Caption    string          `json:"caption,omitempty"`
	Preview    *preview        `json:"link_preview_options,omitempty"`
	Reply      *reply          `json:"reply_parameters,omitempty"`
	Markup     *markup         `json:"reply_markup,omitempty"`

	file *channel.File
}

type preview struct {
	Disabled bool `json:"is_disabled"`
}

type reply struct {
	ID      json.RawMessage `json:"message_id"`
	Without bool            `json:"allow_sending_without_reply"`
}

type markup struct {
	Rows [][]key `json:"inline_keyboard"`
}

type key struct {
	Text string `json:"text"`
	Data string `json:"callback_data"`
}

// plan lays out the API calls that a message takes.
func plan(m *channel.Outgoing) ([]outgoing, error) {
	to, connection, ok := address(m.Conversation)
	if !ok {
		return nil, bad("conversation")
	}
	keys, err := keyboard(m.Buttons)
	if err != nil {
		return nil, err
	}
	var calls []outgoing
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
	for _, part := range wire.Split(text, maxText) {
		calls = append(calls, outgoing{Text: part, Preview: &preview{Disabled: true}})
	}
	if m.File != nil {
		calls = append(calls, outgoing{Caption: caption, file: m.File})
	}
	if len(calls) == 0 {
		return nil, bad("empty")
	}
	for i := range calls {
		calls[i].Chat, calls[i].Connection = to, connection
	}
	if id, ok := integer(m.ReplyTo); ok {
		calls[0].Reply = &reply{ID: id, Without: true}
	}
	calls[len(calls)-1].Markup = keys
	return calls, nil
}

// keyboard lays buttons out, one in a row so that no label is cut. A button
// without a payload carries its label.
func keyboard(buttons []sotto.Button) (*markup, error) {
	if len(buttons) == 0 {
		return nil, nil //nolint:nilnil // no buttons, no keyboard
	}
	if len(buttons) > maxButtons {
		return nil, bad("buttons")
	}
	k := &markup{Rows: make([][]key, 0, len(buttons))}
	for _, b := range buttons {
		data := b.Payload
		if data == "" {
			data = b.Label
		}
		if b.Label == "" || len(data) > maxCallback {
			return nil, bad("button")
		}
		k.Rows = append(k.Rows, []key{{Text: b.Label, Data: data}})
	}
	return k, nil
}

// address reads the form that conversation writes.
func address(c string) (chat json.RawMessage, connection string, ok bool) {
	id, connection, _ := strings.Cut(c, "@")
	chat, ok = integer(id)
	return chat, connection, ok
}

// integer returns s as a JSON number if it is an id of Telegram's.
func integer(s string) (json.RawMessage, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n == 0 {
		return nil, false
	}
	return json.RawMessage(strconv.FormatInt(n, 10)), true
}

func bad(code string) error { return &channel.SendError{Class: channel.Bad, Code: code} }

// Typing implements [channel.Typer]. It shows for five seconds.
func (a *Adapter) Typing(ctx context.Context, c string) error {
	to, connection, ok := address(c)
	if !ok {
		return bad("conversation")
	}
	_, err := a.call(ctx, "sendChatAction", struct {
		Connection string          `json:"business_connection_id,omitempty"`
		Chat       json.RawMessage `json:"chat_id"`
		Action     string          `json:"action"`
	}{connection, to, "typing"})
	return err
}

// Acknowledge implements [channel.Acknowledger]: it ends the waiting that the
// person sees on the button.
func (a *Adapter) Acknowledge(ctx context.Context, callback string) error {
	_, err := a.call(ctx, "answerCallbackQuery", struct {
		ID string `json:"callback_query_id"`
	}{callback})
	return err
}

func (a *Adapter) send(ctx context.Context, m *outgoing) (*answer, error) {
	if m.file == nil {
		return a.call(ctx, "sendMessage", m)
	}
	body, kind, err := form(m)
	if err != nil {
		return nil, bad("form")
	}
	return a.post(ctx, "sendDocument", kind, body)
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
	asJSON := func(name string, v any) {
		j, e := json.Marshal(v)
		if e != nil && err == nil {
			err = e
		}
		add(name, string(j))
	}
	add("chat_id", string(m.Chat))
	add("business_connection_id", m.Connection)
	add("caption", m.Caption)
	if m.Reply != nil {
		asJSON("reply_parameters", m.Reply)
	}
	if m.Markup != nil {
		asJSON("reply_markup", m.Markup)
	}
	if err == nil {
		err = wire.FilePart(w, "document", m.file)
	}
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), w.FormDataContentType(), err
}

// answer is what the API answers to every method. Description is prose; it is
// looked at for the few causes that have no number of their own, and dropped.
type answer struct {
	OK          bool   `json:"ok"`
	Code        int    `json:"error_code"`
	Description string `json:"description"`
	Parameters  struct {
		RetryAfter int64 `json:"retry_after"`
		Migrate    int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
	Result result `json:"result"`
}

// result is a message, or whatever else a method results in.
type result struct {
	raw       json.RawMessage
	MessageID int64
}

// UnmarshalJSON keeps the bytes and takes the message id if there is one.
func (r *result) UnmarshalJSON(b []byte) error {
	r.raw = bytes.Clone(b)
	s := wire.NewScanner(b)
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) == "message_id" {
			r.MessageID = s.Int()
		} else {
			s.Skip()
		}
	}
	return s.End() //nolint:wrapcheck // an inner step of decoding
}

func (a *Adapter) call(ctx context.Context, method string, params any) (*answer, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(params); err != nil {
		return nil, bad("json")
	}
	return a.post(ctx, method, "application/json", b.Bytes())
}

// post calls a method. The error is a *channel.SendError; the answer comes
// with it where there is one.
func (a *Adapter) post(ctx context.Context, method, kind string, body []byte) (*answer, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.api+"/bot"+a.token.Reveal()+"/"+method, bytes.NewReader(body))
	if err != nil {
		return nil, bad("address") // err shows the address
	}
	r.Header.Set("Content-Type", kind)
	got, err := wire.Call(a.client, r)
	if err != nil {
		return nil, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	var ans answer
	if err := json.Unmarshal(got.Body, &ans); err != nil || !ans.OK && ans.Code == 0 {
		if got.Status/100 == 2 {
			return nil, &channel.SendError{Class: channel.Unknown, Status: got.Status, Code: "answer"}
		}
		return nil, sortStatus(got)
	}
	if ans.OK && got.Status/100 == 2 {
		return &ans, nil
	}
	return &ans, sortError(got, &ans)
}

// sortStatus sorts an answer that is not the API's own JSON: a proxy's.
func sortStatus(got *wire.Answer) *channel.SendError {
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
func sortError(got *wire.Answer, ans *answer) *channel.SendError {
	if ans.Code != 0 {
		got.Status = ans.Code
	}
	e := sortStatus(got)
	if s := ans.Parameters.RetryAfter; s > 0 {
		e.RetryAfter = wire.Seconds(strconv.FormatInt(s, 10))
	}
	if word := cause(ans.Description); word != "" && (e.Status == http.StatusBadRequest || e.Status == http.StatusForbidden) {
		e.Class = channel.Gone
		e.Code += "." + word
	}
	return e
}

// cause names the reason that a chat cannot be reached. Telegram tells these
// apart only in its prose.
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
	} {
		if strings.Contains(d, c.part) {
			return c.word
		}
	}
	return ""
}
