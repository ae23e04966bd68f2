package channeltest

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// maxCall bounds the body of a call: an upload of the largest file.
const maxCall = 64 << 20

// ServeHTTP plays both APIs.
func (n *Network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.total.Add(1)
	if n.serveFile(w, r) {
		return
	}
	name, method, ok := n.route(r)
	var body []byte
	var err error
	if n.conf.Record {
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxCall))
	} else {
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		return // the caller went away
	}
	f := n.fault(name)
	id := n.next.Add(1)
	call := Call{Channel: name, Method: method, ID: messageID(name, id), Fault: f.spoils()}
	if n.conf.Record {
		call.read(r.Header.Get("Content-Type"), body)
		n.record(call)
	}
	if f != nil && n.misbehave(w, r, f, name) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if !ok {
		refuse(w, name)
		return
	}
	_, _ = w.Write(n.success(name, method, id, &call))
}

// route tells the networks apart by their paths, and checks the token.
func (n *Network) route(r *http.Request) (name, method string, ok bool) {
	if rest, is := strings.CutPrefix(r.URL.Path, "/bot"); is {
		token, method, _ := strings.Cut(rest, "/")
		return Telegram, method, same(token, n.conf.TelegramToken)
	}
	_, method, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return Messenger, method, same(r.Header.Get("Authorization"), "Bearer "+n.conf.MessengerToken)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func messageID(name string, id int64) string {
	if name == Telegram {
		return strconv.FormatInt(id, 10)
	}
	return "m_" + strconv.FormatInt(id, 10)
}

func refuse(w http.ResponseWriter, name string) {
	w.WriteHeader(http.StatusUnauthorized)
	if name == Telegram {
		_, _ = io.WriteString(w, `{"ok":false,"error_code":401,"description":"Unauthorized"}`)
		return
	}
	_, _ = io.WriteString(w, `{"error":{"message":"Invalid OAuth access token.","type":"OAuthException","code":190}}`)
}

// success is the answer to a call that went well.
func (n *Network) success(name, method string, id int64, c *Call) []byte {
	if name == Telegram {
		switch method {
		case "sendMessage", "sendDocument":
			return fmt.Appendf(nil, `{"ok":true,"result":{"message_id":%d,"date":%d}}`, id, n.conf.Now().Unix())
		case "getMe":
			return fmt.Appendf(nil, `{"ok":true,"result":{"id":123456789,"is_bot":true,"first_name":"Test","username":%q}}`, BotUsername)
		case "getWebhookInfo":
			return []byte(`{"ok":true,"result":{"url":"https://bot.example/hook","pending_update_count":0}}`)
		}
		return []byte(`{"ok":true,"result":true}`)
	}
	switch {
	case method == "me":
		return fmt.Appendf(nil, `{"id":%q}`, n.conf.PageID)
	case strings.HasSuffix(method, "subscribed_apps"):
		return []byte(`{"data":[{"id":"1","subscribed_fields":["messages","messaging_postbacks","message_edits","messaging_optins"]}]}`)
	case c.Action != "":
		return fmt.Appendf(nil, `{"recipient_id":%q}`, c.Conversation)
	}
	return fmt.Appendf(nil, `{"recipient_id":%q,"message_id":"m_%d"}`, c.Conversation, id)
}

// spoils reports whether the call does not count as done.
func (f *Fault) spoils() bool {
	return f != nil && !f.Done && (f.Hang || f.Reset || f.Status != 0)
}

// misbehave does what f says and reports whether it has answered.
func (n *Network) misbehave(w http.ResponseWriter, r *http.Request, f *Fault, name string) bool {
	if f.Hang || f.Delay > 0 {
		var over <-chan time.Time
		if !f.Hang {
			timer := time.NewTimer(f.Delay)
			defer timer.Stop()
			over = timer.C
		}
		select {
		case <-over:
		case <-r.Context().Done():
			return true
		case <-n.stop:
			return true
		}
	}
	if f.Reset {
		reset(w)
		return true
	}
	if f.Status == 0 {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	if f.After > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.After))
	}
	w.WriteHeader(f.Status)
	body := f.Body
	if body == "" && name == Telegram {
		body = fmt.Sprintf(`{"ok":false,"error_code":%d,"description":%q,"parameters":{"retry_after":%d}}`, f.Status, http.StatusText(f.Status), f.After)
	} else if body == "" {
		body = fmt.Sprintf(`{"error":{"message":%q,"type":"OAuthException","code":%d}}`, http.StatusText(f.Status), graphCode(f.Status))
	}
	_, _ = io.WriteString(w, body)
	return true
}

// graphCode is the code that the Graph API gives with a status.
func graphCode(status int) int {
	switch {
	case status == http.StatusTooManyRequests:
		return 613
	case status >= http.StatusInternalServerError:
		return 2
	case status == http.StatusUnauthorized:
		return 190
	}
	return 100
}

// params are the fields of both APIs that are looked at.
type params struct {
	Chat     json.Number `json:"chat_id"`
	Text     string      `json:"text"`
	Caption  string      `json:"caption"`
	Action   string      `json:"action"`
	Callback string      `json:"callback_query_id"`
	Reply    struct {
		ID json.Number `json:"message_id"`
	} `json:"reply_parameters"`
	Markup struct {
		Rows [][]struct {
			Text string `json:"text"`
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	} `json:"reply_markup"`

	Recipient struct {
		ID string `json:"id"`
	} `json:"recipient"`
	Sender  string `json:"sender_action"`
	Message struct {
		Text    string `json:"text"`
		Replies []struct {
			Title   string `json:"title"`
			Payload string `json:"payload"`
		} `json:"quick_replies"`
	} `json:"message"`
}

// read fills the call from its body. What is not understood stays empty.
func (c *Call) read(kind string, body []byte) {
	var p params
	if media, opts, err := mime.ParseMediaType(kind); err == nil && media == "multipart/form-data" {
		body, c.File = readForm(multipart.NewReader(bytes.NewReader(body), opts["boundary"]))
	}
	if json.Unmarshal(body, &p) != nil {
		return
	}
	c.Conversation, c.Text, c.Action, c.Callback = p.Chat.String(), p.Text+p.Caption, p.Action, p.Callback
	c.ReplyTo = p.Reply.ID.String()
	for _, row := range p.Markup.Rows {
		for _, k := range row {
			c.Buttons = append(c.Buttons, sotto.Button{Label: k.Text, Payload: k.Data})
		}
	}
	if c.Channel == Messenger {
		c.Conversation, c.Text, c.Action = p.Recipient.ID, p.Message.Text, p.Sender
		for _, q := range p.Message.Replies {
			c.Buttons = append(c.Buttons, sotto.Button{Label: q.Title, Payload: q.Payload})
		}
	}
}

// readForm turns a form into the JSON that the same call would have without a
// file, and the file.
func readForm(r *multipart.Reader) ([]byte, *channel.File) {
	fields := map[string]json.RawMessage{}
	var file *channel.File
	for {
		p, err := r.NextPart()
		if err != nil {
			break
		}
		data, err := io.ReadAll(p)
		if err != nil {
			break
		}
		switch {
		case p.FileName() != "":
			file = &channel.File{Name: p.FileName(), MIME: p.Header.Get("Content-Type"), Data: data}
		case p.FormName() != "caption" && json.Valid(data):
			fields[p.FormName()] = data
		default:
			if fields[p.FormName()], err = json.Marshal(string(data)); err != nil {
				delete(fields, p.FormName())
			}
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return nil, file
	}
	return body, file
}
