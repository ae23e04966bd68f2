package messenger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
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
	calls, err := plan(m)
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
		sent.ID = ans.MessageID
	}
	return sent, nil
}

// outgoing is one call of the Send API.
type outgoing struct {
	Type      string    `json:"messaging_type,omitempty"`
	Recipient recipient `json:"recipient"`
	Message   *message  `json:"message,omitempty"`
	Action    string    `json:"sender_action,omitempty"`

	file *channel.File
}

type recipient struct {
	ID string `json:"id"`
}

type message struct {
	Text       string      `json:"text,omitempty"`
	Attachment *attachment `json:"attachment,omitempty"`
	Replies    []quick     `json:"quick_replies,omitempty"`
}

type attachment struct {
	Type    string   `json:"type"`
	Payload struct{} `json:"payload"`
}

type quick struct {
	Type    string `json:"content_type"`
	Title   string `json:"title"`
	Payload string `json:"payload"`
}

// plan lays out the API calls that a message takes.
func plan(m *channel.Outgoing) ([]outgoing, error) {
	if m.Conversation == "" {
		return nil, bad("conversation")
	}
	replies, fit, err := quickReplies(m.Buttons)
	if err != nil {
		return nil, err
	}
	text := m.Text
	if !fit {
		text = wire.Numbered(text, m.Buttons)
	}
	var calls []outgoing
	for _, part := range wire.Split(text, maxText) {
		calls = append(calls, outgoing{Message: &message{Text: part}})
	}
	if m.File != nil {
		if len(m.File.Data) == 0 || len(m.File.Data) > maxFile {
			return nil, bad("file_size")
		}
		kind := "file"
		if k, _, _ := strings.Cut(m.File.MIME, "/"); k == "image" || k == "audio" || k == "video" {
			kind = k
		}
		calls = append(calls, outgoing{Message: &message{Attachment: &attachment{Type: kind}}, file: m.File})
	}
	if len(calls) == 0 {
		return nil, bad("empty")
	}
	for i := range calls {
		calls[i].Type, calls[i].Recipient.ID = "RESPONSE", m.Conversation
	}
	calls[len(calls)-1].Message.Replies = replies
	return calls, nil
}

// quickReplies returns the buttons as quick replies, and whether they fit. A
// button without a payload carries its label.
func quickReplies(buttons []sotto.Button) (list []quick, fit bool, err error) {
	fit = len(buttons) <= maxReplies
	for _, b := range buttons {
		if b.Label == "" || len(b.Payload) > maxPayload {
			return nil, false, bad("button")
		}
		payload := b.Payload
		if payload == "" {
			payload = b.Label
		}
		fit = fit && wire.Units(b.Label) <= maxTitle
		list = append(list, quick{Type: "text", Title: b.Label, Payload: payload})
	}
	if !fit {
		return nil, false, nil
	}
	return list, true, nil
}

func bad(code string) error { return &channel.SendError{Class: channel.Bad, Code: code} }

// Typing implements [channel.Typer]. It shows for about twenty seconds.
func (a *Adapter) Typing(ctx context.Context, c string) error {
	if c == "" {
		return bad("conversation")
	}
	_, err := a.send(ctx, &outgoing{Recipient: recipient{ID: c}, Action: "typing_on"})
	return err
}

func (a *Adapter) send(ctx context.Context, m *outgoing) (*answer, error) {
	if m.file != nil {
		body, kind, err := form(m)
		if err != nil {
			return nil, bad("form")
		}
		return a.call(ctx, http.MethodPost, "/me/messages", kind, body)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil, bad("json")
	}
	return a.call(ctx, http.MethodPost, "/me/messages", "application/json", b.Bytes())
}

// form lays a file out as multipart/form-data.
func form(m *outgoing) (body []byte, kind string, err error) {
	to, err := json.Marshal(m.Recipient)
	if err != nil {
		return nil, "", fmt.Errorf("form: %w", err)
	}
	msg, err := json.Marshal(m.Message)
	if err != nil {
		return nil, "", fmt.Errorf("form: %w", err)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range [...][2]string{{"messaging_type", m.Type}, {"recipient", string(to)}, {"message", string(msg)}} {
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
	MessageID string `json:"message_id"`
	Fault     *fault `json:"error"`
	body      []byte // for Check
}

// fault is the API's own error. Its message is prose, may quote ours, and is
// not read.
type fault struct {
	Code      int  `json:"code"`
	Subcode   int  `json:"error_subcode"`
	Transient bool `json:"is_transient"`
}

// call makes one call. The error is a *channel.SendError.
func (a *Adapter) call(ctx context.Context, method, path, kind string, body []byte) (*answer, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	r, err := http.NewRequestWithContext(ctx, method, a.base+path+sep+"appsecret_proof="+a.proof, bytes.NewReader(body))
	if err != nil {
		return nil, bad("address") // err shows the address
	}
	r.Header.Set("Authorization", "Bearer "+a.token.Reveal())
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	got, err := wire.Call(a.client, r)
	if err != nil {
		return nil, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	ans := answer{body: got.Body}
	err = json.Unmarshal(got.Body, &ans)
	switch {
	case err == nil && ans.Fault != nil:
		return nil, ans.Fault.sort(got)
	case got.Status/100 != 2:
		return nil, wire.StatusError(got)
	case err != nil:
		return nil, &channel.SendError{Class: channel.Unknown, Status: got.Status, Code: "answer"}
	}
	return &ans, nil
}

// sort sorts an error by its code and subcode; see the error reference of the
// Graph API and of the Send API.
func (f *fault) sort(got *wire.Answer) *channel.SendError {
	e := wire.StatusError(got)
	if e.Class == channel.Auth { // the status says less than the code
		e.Class = channel.Bad
	}
	e.Code = strconv.Itoa(f.Code)
	if f.Subcode != 0 {
		e.Code += "." + strconv.Itoa(f.Subcode)
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
