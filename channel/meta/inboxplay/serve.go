package inboxplay

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// fault is a refusal of the Graph API.
type fault struct {
	status, code, subcode int
	text                  string
}

func wrong(text string) *fault { return &fault{http.StatusBadRequest, 100, 0, "(#100) " + text} }

func (f *fault) write(w http.ResponseWriter) {
	kind := "OAuthException"
	if f.status >= http.StatusInternalServerError {
		kind = "FacebookApiException"
	}
	e := obj{"message": f.text, "type": kind, "code": f.code, "fbtrace_id": "AplayedTrace"}
	if f.subcode != 0 {
		e["error_subcode"] = f.subcode
	}
	answer(w, f.status, obj{"error": e})
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":{"message":"played","code":1}}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the caller is gone, which is theirs to know
}

// Refuse implements [play.Player].
func (*player) Refuse(w http.ResponseWriter, status int, after time.Duration) {
	f := &fault{status, 2, 0, "An unexpected error has occurred. Please retry your request later."}
	if status == http.StatusTooManyRequests {
		f.code, f.text = 613, "(#613) Calls to this api have exceeded the rate limit."
		w.Header().Set("Retry-After", strconv.FormatInt(int64((after+time.Second-1)/time.Second), 10))
	}
	f.write(w)
}

// Serve implements [play.Player].
func (p *player) Serve(w http.ResponseWriter, r *http.Request, body []byte) []play.Shown {
	if name, ok := strings.CutPrefix(r.URL.Path, "/media/"); ok {
		p.download(w, r, name)
		return nil
	}
	f, err := readForm(r, body)
	if err != nil {
		err.write(w)
		return nil
	}
	result, shown, err := p.route(r, f)
	if err != nil {
		err.write(w)
		return nil
	}
	answer(w, http.StatusOK, result)
	return shown
}

// download serves an attachment. Its address alone opens it, and a token is
// none of this host's business.
func (p *player) download(w http.ResponseWriter, r *http.Request, name string) {
	p.mu.Lock()
	f, ok := p.files[name]
	p.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "":
		w.WriteHeader(http.StatusBadRequest)
	case r.Method != http.MethodGet || !ok:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", f.MIME)
		_, _ = w.Write(f.Data) // the caller is gone, which is theirs to know
	}
}

// route finds the method that is called and who may call it.
func (p *player) route(r *http.Request, f *form) (any, []play.Shown, *fault) {
	path := regexp.MustCompile(`^/v[0-9]+\.[0-9]+`).ReplaceAllString(r.URL.Path, "")
	path = strings.Replace(path, "/"+p.net.Account, "/me", 1)
	app := path == "/"+playedApp+"/subscriptions" || path == "/debug_token"
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	token = cmp.Or(token, f.text("access_token"))
	want := p.token
	if app {
		want = playedApp + "|" + p.secret
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(want)) != 1 {
		return nil, nil, &fault{http.StatusBadRequest, 190, 0, "Invalid OAuth access token."}
	}
	if proof := f.text("appsecret_proof"); proof != "" && proof != p.proof(token) {
		return nil, nil, wrong("Invalid appsecret_proof provided in the API argument")
	}
	post := r.Method == http.MethodPost
	switch {
	case path == "/me/messages" && post:
		return p.sendMessage(f)
	case path == "/me" && !post:
		return obj{"id": p.net.Account, "user_id": p.net.Account, "name": "Played"}, nil, nil
	case path == "/app" && !post:
		return obj{"id": playedApp, "name": "Played"}, nil, nil
	case path == "/me/subscribed_apps":
		return p.subscribedApps(f, post)
	case path == "/me/messenger_profile":
		return p.messengerProfile(f, post)
	case path == "/debug_token":
		return p.debugToken(f)
	case app:
		return p.subscriptions(f, post)
	}
	return nil, nil, &fault{http.StatusBadRequest, 2500, 0, "Unknown path components: " + path}
}

func (p *player) proof(token string) string {
	m := hmac.New(sha256.New, []byte(p.secret))
	m.Write([]byte(token))
	return hex.EncodeToString(m.Sum(nil))
}

// form are the parameters of a call: texts as they are, everything else as
// JSON, whichever of its forms the call took.
type form struct {
	v    map[string]json.RawMessage
	file *channel.File
}

func readForm(r *http.Request, body []byte) (*form, *fault) {
	f := &form{v: map[string]json.RawMessage{}}
	media, opts, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // none is none
	switch media {
	case "application/json":
		if json.Unmarshal(body, &f.v) != nil {
			return nil, wrong("The body is not JSON")
		}
	case "application/x-www-form-urlencoded":
		q, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, wrong("The body is no form")
		}
		f.add(q)
	case "multipart/form-data":
		if !f.parts(multipart.NewReader(bytes.NewReader(body), opts["boundary"])) {
			return nil, wrong("The body is no form")
		}
	}
	f.add(r.URL.Query())
	return f, nil
}

func (f *form) add(q url.Values) {
	for k, v := range q {
		f.set(k, []byte(v[0]))
	}
}

// set keeps a value of a form, which is JSON or a text.
func (f *form) set(name string, value []byte) {
	if c := bytes.TrimSpace(value); len(c) > 0 && (c[0] == '{' || c[0] == '[') && json.Valid(c) {
		f.v[name] = c
		return
	}
	if b, err := json.Marshal(string(value)); err == nil {
		f.v[name] = b
	}
}

func (f *form) parts(r *multipart.Reader) bool {
	for {
		part, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // as it is documented
			return true
		}
		if err != nil {
			return false
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return false
		}
		if part.FileName() != "" {
			f.file = &channel.File{Name: part.FileName(), MIME: part.Header.Get("Content-Type"), Data: data}
			continue
		}
		f.set(part.FormName(), data)
	}
}

func (f *form) text(name string) string {
	var s string
	if json.Unmarshal(f.v[name], &s) != nil {
		return ""
	}
	return s
}

// list reads a value that is a list or names between commas.
func (f *form) list(name string) []string {
	var l []string
	if json.Unmarshal(f.v[name], &l) == nil {
		return l
	}
	if s := f.text(name); s != "" {
		return strings.Split(s, ",")
	}
	return nil
}

// sending is a message as the Send API takes it.
type sending struct {
	Text    *string `json:"text"`
	Replies []struct {
		Type    string `json:"content_type"`
		Title   string `json:"title"`
		Payload string `json:"payload"`
	} `json:"quick_replies"`
	Attachment *struct {
		Type    string          `json:"type"`
		Payload json.RawMessage `json:"payload"`
	} `json:"attachment"`
}

// sendMessage takes a message or a sign of the bot's.
func (p *player) sendMessage(f *form) (any, []play.Shown, *fault) {
	var to struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(f.v["recipient"], &to) != nil || to.ID == "" {
		return nil, nil, wrong("The parameter recipient is required")
	}
	action, raw := f.text("sender_action"), f.v["message"]
	switch {
	case action != "" && raw != nil:
		return nil, nil, &fault{http.StatusBadRequest, 100, 2018005, "(#100) Cannot send both message and state at the same time."}
	case action == "typing_on":
		return obj{"recipient_id": to.ID}, []play.Shown{{Kind: "typing", To: to.ID}}, nil
	case action == "mark_seen":
		return obj{"recipient_id": to.ID}, []play.Shown{{Kind: "seen", To: to.ID}}, nil
	case action != "" && action != "typing_off":
		return nil, nil, wrong("sender_action must be one of typing_on, typing_off, mark_seen")
	case action != "":
		return obj{"recipient_id": to.ID}, nil, nil
	}
	if kind := f.text("messaging_type"); kind != "RESPONSE" && kind != "UPDATE" && (kind != "" || p.net.Typed) {
		return nil, nil, wrong("messaging_type must be RESPONSE, UPDATE or MESSAGE_TAG with a tag")
	}
	var m sending
	if json.Unmarshal(raw, &m) != nil {
		return nil, nil, wrong("The parameter message is required")
	}
	shown, refused := p.shown(&m, f.file)
	if refused != nil {
		return nil, nil, refused
	}
	shown.To, shown.ID = to.ID, p.newID()
	return obj{"recipient_id": to.ID, "message_id": shown.ID}, []play.Shown{shown}, nil
}

// shown checks a message and tells what people see of it.
func (p *player) shown(m *sending, file *channel.File) (play.Shown, *fault) {
	s := play.Shown{Kind: "message"}
	switch {
	case m.Attachment != nil && file != nil:
		if m.Attachment.Type == "file" && !p.net.Files {
			return s, wrong("Upload attachment failure.")
		}
		if len(m.Attachment.Payload) == 0 || len(file.Data) == 0 || m.Text != nil {
			return s, wrong("Must upload exactly one file")
		}
		s.File = file
	case m.Text == nil || *m.Text == "":
		return s, wrong("Message cannot be empty, must provide valid attachment or text")
	case p.size(*m.Text) > p.net.Limit:
		return s, wrong("Length of param message[text] must be less than or equal to " + strconv.Itoa(p.net.Limit))
	default:
		s.Text = *m.Text
	}
	if len(m.Replies) > 13 {
		return s, wrong("quick_replies must have at most 13 elements")
	}
	for _, q := range m.Replies {
		if q.Type != "text" || q.Title == "" || utf8.RuneCountInString(q.Title) > 20 || q.Payload == "" || len(q.Payload) > 1000 {
			return s, wrong("A quick reply needs a title of at most 20 characters and a payload of at most 1000")
		}
		s.Buttons = append(s.Buttons, sotto.Button{Label: q.Title, Payload: q.Payload})
	}
	return s, nil
}

func (p *player) size(text string) int {
	if p.net.Bytes {
		return len(text)
	}
	return utf8.RuneCountInString(text)
}
