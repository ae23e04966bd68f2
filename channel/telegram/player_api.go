package telegram

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// playedHook is what getWebhookInfo tells. Telegram keeps the secret to itself.
type playedHook struct {
	URL     string   `json:"url"`
	Cert    bool     `json:"has_custom_certificate"`
	Pending int      `json:"pending_update_count"`
	Most    int      `json:"max_connections,omitempty"`
	Allowed []string `json:"allowed_updates,omitempty"`
}

// wrong is a refusal of the API.
type wrong struct {
	status int
	text   string
}

func badRequest(text string) *wrong { return &wrong{http.StatusBadRequest, "Bad Request: " + text} }

// Serve implements [play.Player].
func (p *player) Serve(w http.ResponseWriter, r *http.Request, body []byte) []play.Shown {
	rest := r.URL.Path
	file := strings.HasPrefix(rest, "/file/bot")
	token, method, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(rest, "/file"), "/bot"), "/")
	switch {
	case !ok || !strings.HasPrefix(strings.TrimPrefix(rest, "/file"), "/bot") || !strings.Contains(token, ":"):
		refusal(w, &wrong{http.StatusNotFound, "Not Found"}, 0)
		return nil
	case subtle.ConstantTimeCompare([]byte(token), []byte(p.token)) != 1:
		refusal(w, &wrong{http.StatusUnauthorized, "Unauthorized"}, 0)
		return nil
	case file:
		p.download(w, method)
		return nil
	}
	f, fault := readParams(r, body)
	if fault != nil {
		refusal(w, fault, 0)
		return nil
	}
	result, shown, fault := p.call(strings.ToLower(method), f)
	if fault != nil {
		refusal(w, fault, 0)
		return nil
	}
	b, err := ascii(obj{"ok": true, "result": result})
	if err != nil {
		refusal(w, &wrong{http.StatusInternalServerError, "Internal Server Error"}, 0)
		return nil
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the caller is gone, which is theirs to know
	return shown
}

// Refuse implements [play.Player].
func (*player) Refuse(w http.ResponseWriter, status int, after time.Duration) {
	sec := int64((after + time.Second - 1) / time.Second)
	f := &wrong{status, http.StatusText(status)}
	if status == http.StatusTooManyRequests {
		sec = max(sec, 1)
		f.text = "Too Many Requests: retry after " + strconv.FormatInt(sec, 10)
	}
	refusal(w, f, sec)
}

func refusal(w http.ResponseWriter, f *wrong, after int64) {
	answer := obj{"ok": false, "error_code": f.status, "description": f.text}
	w.Header().Set("Content-Type", "application/json")
	if after > 0 {
		answer["parameters"] = obj{"retry_after": after}
		w.Header().Set("Retry-After", strconv.FormatInt(after, 10))
	}
	b, _ := json.Marshal(answer) //nolint:errchkjson // numbers and texts
	w.WriteHeader(f.status)
	_, _ = w.Write(b)
}

// params are the parameters of a call: texts as they are, everything else as
// JSON, whichever of its forms the call took.
type params struct {
	v    map[string]json.RawMessage
	file *channel.File
}

func readParams(r *http.Request, body []byte) (*params, *wrong) {
	f := &params{v: map[string]json.RawMessage{}}
	f.add(r.URL.Query())
	media, opts, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // none is none
	switch media {
	case "application/json":
		if err := json.Unmarshal(body, &f.v); err != nil {
			return nil, badRequest("can't parse JSON object")
		}
	case "application/x-www-form-urlencoded":
		q, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, badRequest("can't parse parameters")
		}
		f.add(q)
	case "multipart/form-data":
		if err := f.form(multipart.NewReader(bytes.NewReader(body), opts["boundary"])); err != nil {
			return nil, badRequest("can't parse form")
		}
	}
	return f, nil
}

func (f *params) add(q url.Values) {
	for k, v := range q {
		f.set(k, v[0])
	}
}

// set keeps a value of a form. The API takes objects there as serialised JSON.
func (f *params) set(k, v string) {
	b := json.RawMessage(v)
	if !json.Valid(b) || k == "text" || k == "caption" || k == "url" || k == "secret_token" {
		b, _ = json.Marshal(v) //nolint:errchkjson // a text
	}
	f.v[k] = b
}

func (f *params) form(r *multipart.Reader) error {
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) { // also of a form with nothing in it
			return nil
		}
		if err != nil {
			return err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if part.FileName() != "" {
			f.file = &channel.File{Name: part.FileName(), MIME: part.Header.Get("Content-Type"), Data: data}
			continue
		}
		f.set(part.FormName(), string(data))
	}
}

// text returns a parameter as text; a number counts as one.
func (f *params) text(name string) string {
	var s string
	if json.Unmarshal(f.v[name], &s) == nil {
		return s
	}
	return strings.Trim(string(f.v[name]), `"`)
}

// into reads a parameter that is an object or a list, which may be serialised
// into a text once more.
func (f *params) into(name string, v any) bool {
	raw := f.v[name]
	var s string
	if json.Unmarshal(raw, &s) == nil {
		raw = json.RawMessage(s)
	}
	return len(raw) == 0 || json.Unmarshal(raw, v) == nil
}

// call carries out a method.
func (p *player) call(method string, f *params) (result any, shown []play.Shown, fault *wrong) {
	switch method {
	case "getme":
		me := p.self()
		me["can_join_groups"], me["can_read_all_group_messages"], me["supports_inline_queries"] = true, false, false
		return me, nil, nil
	case "sendmessage", "senddocument":
		return p.send(f, method == "senddocument")
	case "sendchataction":
		to, fault := f.chat()
		if fault == nil && !slices.Contains(actions(), f.text("action")) {
			fault = badRequest("wrong parameter action in request")
		}
		return true, []play.Shown{{Kind: "typing", To: to}}, fault
	case "answercallbackquery":
		if f.text("callback_query_id") == "" {
			return nil, nil, badRequest("query is too old and response timeout expired or query ID is invalid")
		}
		return true, []play.Shown{{Kind: "acknowledged", ID: f.text("callback_query_id")}}, nil
	case "getfile":
		return p.getFile(f)
	}
	return p.setUp(method, f)
}

func actions() []string {
	return []string{
		"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
		"choose_sticker", "find_location", "record_video_note", "upload_video_note",
	}
}

// chat returns where a call goes, in the form of a conversation.
func (f *params) chat() (string, *wrong) {
	id := f.text("chat_id")
	if id == "" {
		return "", badRequest("chat_id is empty")
	}
	if n, err := strconv.ParseInt(id, 10, 64); err != nil || n == 0 {
		return "", badRequest("chat not found")
	}
	if c := f.text("business_connection_id"); c != "" {
		id += "@" + c
	}
	return id, nil
}

// send checks a message as the API does and returns it as people see it.
func (p *player) send(f *params, document bool) (any, []play.Shown, *wrong) {
	to, fault := f.chat()
	if fault != nil {
		return nil, nil, fault
	}
	text, most, long, field := f.text("text"), 4096, "message is too long", "text"
	if document {
		text, most, long, field = f.text("caption"), 1024, "message caption is too long", "caption"
	}
	switch {
	case document && f.file == nil:
		return nil, nil, badRequest("there is no document in the request")
	case document && len(f.file.Data) == 0:
		return nil, nil, badRequest("file must be non-empty")
	case !document && strings.TrimSpace(text) == "":
		return nil, nil, badRequest("message text is empty")
	case len(utf16.Encode([]rune(text))) > most:
		return nil, nil, badRequest(long)
	}
	buttons, fault := f.buttons()
	if fault != nil {
		return nil, nil, fault
	}
	var reply struct {
		ID json.Number `json:"message_id"`
	}
	if !f.into("reply_parameters", &reply) {
		return nil, nil, badRequest("can't parse reply parameters JSON object")
	}
	id := p.id()
	chat, _, _ := strings.Cut(to, "@")
	m := obj{"message_id": id, "from": p.self(), "date": p.now().Unix(), "chat": obj{"id": json.Number(chat), "type": kindOf(chat)}}
	if text != "" {
		m[field] = text
	}
	s := play.Shown{Kind: "message", To: to, ID: strconv.FormatInt(id, 10), ReplyTo: reply.ID.String(), Text: text, Buttons: buttons}
	if document {
		s.File = f.file
		m["document"] = obj{"file_id": "BQACsent" + s.ID, "file_unique_id": "u" + s.ID, "file_name": f.file.Name, "mime_type": f.file.MIME, "file_size": len(f.file.Data)}
	}
	return m, []play.Shown{s}, nil
}

func kindOf(chat string) string {
	switch {
	case strings.HasPrefix(chat, "-100"):
		return "supergroup"
	case strings.HasPrefix(chat, "-"):
		return "group"
	}
	return "private"
}

// buttons reads an inline keyboard.
func (f *params) buttons() ([]sotto.Button, *wrong) {
	var markup struct {
		Rows [][]struct {
			Text string  `json:"text"`
			Data *string `json:"callback_data"`
			URL  string  `json:"url"`
		} `json:"inline_keyboard"`
	}
	if !f.into("reply_markup", &markup) {
		return nil, badRequest("can't parse reply keyboard markup JSON object")
	}
	var out []sotto.Button
	for _, row := range markup.Rows {
		for _, b := range row {
			switch {
			case b.Text == "":
				return nil, badRequest("field \"text\" of an InlineKeyboardButton must be non-empty")
			case b.Data == nil && b.URL == "":
				return nil, badRequest("text buttons are unallowed in the inline keyboard")
			case b.Data == nil:
				out = append(out, sotto.Button{Label: b.Text})
				continue
			case *b.Data == "" || len(*b.Data) > 64:
				return nil, badRequest("BUTTON_DATA_INVALID")
			}
			out = append(out, sotto.Button{Label: b.Text, Payload: *b.Data})
		}
	}
	if len(out) > 100 {
		return nil, badRequest("reply markup is too long")
	}
	return out, nil
}

func (p *player) getFile(f *params) (any, []play.Shown, *wrong) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := f.text("file_id")
	file, ok := p.files[id]
	switch {
	case !ok:
		return nil, nil, badRequest("invalid file_id")
	case len(file.Data) > 20<<20:
		return nil, nil, badRequest("file is too big")
	}
	return obj{"file_id": id, "file_unique_id": "u", "file_size": len(file.Data), "file_path": "documents/" + id + path.Ext(file.Name)}, nil, nil
}

func (p *player) download(w http.ResponseWriter, name string) {
	p.mu.Lock()
	id, _, _ := strings.Cut(path.Base(name), ".")
	file, ok := p.files[id]
	p.mu.Unlock()
	if !ok {
		refusal(w, &wrong{http.StatusNotFound, "Not Found"}, 0)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(file.Data)
}

// setUp carries out the methods by which a bot is set up.
func (p *player) setUp(method string, f *params) (any, []play.Shown, *wrong) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := func(text string) (any, []play.Shown, *wrong) {
		return true, []play.Shown{{Kind: "setup", Text: text}}, nil
	}
	switch method {
	case "setwebhook":
		h := playedHook{URL: f.text("url"), Most: 40}
		if fault := f.webhook(&h); fault != nil {
			return nil, nil, fault
		}
		p.hook = h
		return done("webhook " + h.URL)
	case "deletewebhook":
		p.hook = playedHook{}
		return done("no webhook")
	case "getwebhookinfo":
		return p.hook, nil, nil
	case "setmycommands":
		var list []struct {
			Command     string `json:"command"`
			Description string `json:"description"`
		}
		if !f.into("commands", &list) || len(list) > 100 {
			return nil, nil, badRequest("can't parse commands")
		}
		for _, c := range list {
			if !isCommand(c.Command) || c.Description == "" || len(utf16.Encode([]rune(c.Description))) > 256 {
				return nil, nil, badRequest("BOT_COMMAND_INVALID")
			}
		}
		p.menu = f.v["commands"]
		return done(fmt.Sprintf("%d commands", len(list)))
	case "getmycommands":
		return p.menu, nil, nil
	case "setchatmenubutton":
		p.button = f.v["menu_button"]
		return done("menu button")
	case "getchatmenubutton":
		return p.button, nil, nil
	}
	return nil, nil, &wrong{http.StatusNotFound, "Not Found: method not found"}
}

// webhook checks what setWebhook is given.
func (f *params) webhook(h *playedHook) *wrong {
	u, err := url.Parse(h.URL)
	loopback := err == nil && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1") // as the local Bot API server has it
	switch {
	case h.URL == "":
		return nil // takes the webhook away
	case err != nil || u.Host == "" || u.Scheme != "https" && !loopback:
		return badRequest("bad webhook: An HTTPS URL must be provided for webhook")
	case !loopback && !slices.Contains([]string{"", "443", "80", "88", "8443"}, u.Port()):
		return badRequest("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
	}
	secret := f.text("secret_token")
	if len(secret) > 256 || strings.Trim(secret, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		return badRequest("secret token contains unallowed characters")
	}
	if !f.into("allowed_updates", &h.Allowed) {
		return badRequest("can't parse allowed_updates")
	}
	return nil
}

func isCommand(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
