package whatsapp

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// window is how long after a person wrote a business may answer.
const window = 24 * time.Hour

// refusal is an error of the Graph API.
type refusal struct {
	status, code int
	text         string
}

func invalid(text string) *refusal { return &refusal{http.StatusBadRequest, 100, text} }

// Serve implements [play.Player].
func (p *player) Serve(w http.ResponseWriter, r *http.Request, body []byte) []play.Shown {
	if id, ok := strings.CutPrefix(r.URL.Path, "/sim-media/"); ok {
		p.download(w, r, id)
		return nil
	}
	said, shown, no := p.answer(r, body)
	if no != nil {
		reply(w, no.status, obj{"error": obj{
			"message": "(#" + strconv.Itoa(no.code) + ") " + no.text, "type": "OAuthException", "code": no.code,
			"error_data": obj{"messaging_product": "whatsapp", "details": no.text}, "fbtrace_id": "Asim",
		}})
		return nil
	}
	reply(w, http.StatusOK, said)
	return shown
}

func reply(w http.ResponseWriter, status int, said obj) {
	b, err := json.Marshal(said)
	if err != nil {
		status, b = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the caller is gone, which is theirs to know
}

// Refuse implements [play.Player].
func (*player) Refuse(w http.ResponseWriter, status int, after time.Duration) {
	e := obj{"message": "(#131000) Something went wrong", "type": "OAuthException", "code": 131000}
	if status == http.StatusTooManyRequests {
		e = obj{"message": "(#130429) Rate limit hit", "type": "OAuthException", "code": 130429}
		if after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
		}
	}
	reply(w, status, obj{"error": e})
}

// answer answers one call of the Graph API.
func (p *player) answer(r *http.Request, body []byte) (obj, []play.Shown, *refusal) {
	version, path, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !ok || !regexp.MustCompile(`^v\d+\.\d+$`).MatchString(version) {
		return nil, nil, &refusal{http.StatusBadRequest, 2500, "Unknown path components"}
	}
	app := path == playedApp+"/subscriptions"
	if no := p.admit(r, app); no != nil {
		return nil, nil, no
	}
	post := r.Method == http.MethodPost
	switch {
	case path == playedNumber+"/messages" && post:
		return p.message(body)
	case path == playedNumber+"/media" && post:
		said, no := p.take(r.Header.Get("Content-Type"), body)
		return said, nil, no
	case path == playedNumber+"/conversational_automation" && post:
		return p.setMenu(body)
	case path == playedNumber+"/whatsapp_business_profile" && post:
		return p.setProfile(body)
	case path == playedAccount+"/subscribed_apps" && post:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.apps = true
		return obj{"success": true}, []play.Shown{{Kind: "setup", Text: "the account tells the app of events"}}, nil
	case app && post:
		return p.setHook(body)
	case r.Method == http.MethodGet:
		said, no := p.get(r, path)
		return said, nil, no
	}
	return nil, nil, &refusal{http.StatusBadRequest, 100, "Unsupported request"}
}

// admit checks the token of a call: the account's, or the app's own.
func (p *player) admit(r *http.Request, app bool) *refusal {
	own := r.Header.Get("Authorization") == "Bearer "+playedApp+"|"+p.secret
	inspect := strings.HasSuffix(r.URL.Path, "/debug_token")
	if app || inspect && own {
		if !own {
			return &refusal{http.StatusBadRequest, 15, "This method must be called with an app access token"}
		}
		return nil
	}
	if r.Header.Get("Authorization") != "Bearer "+p.token {
		return &refusal{http.StatusUnauthorized, 190, "Invalid OAuth access token"}
	}
	m := hmac.New(sha256.New, []byte(p.secret))
	m.Write([]byte(p.token))
	if proof := r.URL.Query().Get("appsecret_proof"); proof != "" && proof != hex.EncodeToString(m.Sum(nil)) {
		return invalid("Invalid appsecret_proof provided in the API argument")
	}
	return nil
}

// get answers a question of the API.
func (p *player) get(r *http.Request, path string) (obj, *refusal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch path {
	case "debug_token":
		return obj{"data": obj{
			"app_id": playedApp, "is_valid": r.URL.Query().Get("input_token") == p.token, "expires_at": 0, "type": "SYSTEM_USER",
			"scopes": []string{"whatsapp_business_management", "whatsapp_business_messaging", "public_profile"},
		}}, nil
	case playedNumber:
		return obj{
			"id": playedNumber, "display_phone_number": "+1 555-078-3881", "verified_name": "Sim Shop", "quality_rating": "GREEN",
			"code_verification_status": "VERIFIED", "name_status": "APPROVED", "status": "CONNECTED", "conversational_automation": p.menu,
		}, nil
	case playedNumber + "/whatsapp_business_profile":
		return obj{"data": []obj{{"messaging_product": "whatsapp", "websites": p.sites}}}, nil
	case playedAccount + "/subscribed_apps":
		list := []obj{}
		if p.apps {
			list = append(list, obj{"whatsapp_business_api_data": obj{"id": playedApp, "name": "Sim"}})
		}
		return obj{"data": list}, nil
	case playedApp + "/subscriptions":
		list := []obj{}
		if p.hook != nil {
			list = append(list, p.hook)
		}
		return obj{"data": list}, nil
	}
	f, ok := p.media[path]
	if !ok {
		return nil, &refusal{http.StatusBadRequest, 100, "Object with this id does not exist"}
	}
	sum := sha256.Sum256(f.Data)
	return obj{
		"messaging_product": "whatsapp", "id": path, "url": "http://" + r.Host + "/sim-media/" + path,
		"mime_type": f.MIME, "sha256": hex.EncodeToString(sum[:]), "file_size": len(f.Data),
	}, nil
}

// download hands out the bytes of a file.
func (p *player) download(w http.ResponseWriter, r *http.Request, id string) {
	p.mu.Lock()
	f, ok := p.media[id]
	p.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "Bearer "+p.token:
		w.WriteHeader(http.StatusUnauthorized)
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", f.MIME)
		_, _ = w.Write(f.Data) // the caller is gone, which is theirs to know
	}
}

// sent is the body of a call of messages.
type sent struct {
	Product   string `json:"messaging_product"`
	Kind      string `json:"recipient_type"`
	To        string `json:"to"`
	Recipient string `json:"recipient"`
	Type      string `json:"type"`
	Context   struct {
		ID string `json:"message_id"`
	} `json:"context"`
	Text struct {
		Body string `json:"body"`
	} `json:"text"`
	Document struct {
		ID      string `json:"id"`
		Caption string `json:"caption"`
		Name    string `json:"filename"`
	} `json:"document"`
	Interactive struct {
		Type string `json:"type"`
		Body struct {
			Text string `json:"text"`
		} `json:"body"`
		Action struct {
			Button  string `json:"button"`
			Buttons []struct {
				Type  string `json:"type"`
				Reply choice `json:"reply"`
			} `json:"buttons"`
			Sections []struct {
				Rows []choice `json:"rows"`
			} `json:"sections"`
		} `json:"action"`
	} `json:"interactive"`

	Status string `json:"status"`
	Read   string `json:"message_id"`
	Typing struct {
		Type string `json:"type"`
	} `json:"typing_indicator"`
}

type choice struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// message takes what a bot says.
func (p *player) message(body []byte) (obj, []play.Shown, *refusal) {
	var m sent
	if json.Unmarshal(body, &m) != nil || !utf8.Valid(body) {
		return nil, nil, invalid("The request is no JSON")
	}
	if m.Product != "whatsapp" {
		return nil, nil, invalid("The parameter messaging_product is required.")
	}
	if m.Status == "read" {
		if m.Read == "" {
			return nil, nil, invalid("message_id is required")
		}
		shown := []play.Shown{{Kind: "seen", ID: m.Read}}
		if m.Typing.Type == "text" {
			shown = append(shown, play.Shown{Kind: "typing"})
		}
		return obj{"success": true}, shown, nil
	}
	to := m.To
	switch {
	case m.Kind == "group" && m.To == "":
		return nil, nil, invalid("The parameter to is required.")
	case to == "":
		if to = m.Recipient; !regexp.MustCompile(`^[A-Z]{2}\.[A-Za-z0-9.]{1,128}$`).MatchString(to) {
			return nil, nil, invalid("The parameter to or recipient is required.")
		}
	case m.Kind != "group" && !regexp.MustCompile(`^\+?\d{1,20}$`).MatchString(to):
		return nil, nil, invalid("to is not a phone number")
	}
	if last, ok := p.last(to); m.Kind != "group" && ok && p.now().Sub(last) > window {
		return nil, nil, &refusal{http.StatusBadRequest, 131047, "More than 24 hours have passed since the person last wrote."}
	}
	x := play.Shown{Kind: "message", To: to, ReplyTo: m.Context.ID, ID: p.id()}
	if no := p.show(&m, &x); no != nil {
		return nil, nil, no
	}
	who := obj{"input": to}
	if m.To != "" {
		who["wa_id"] = to
	} else {
		who["user_id"] = to
	}
	return obj{"messaging_product": "whatsapp", "contacts": []obj{who}, "messages": []obj{{"id": x.ID}}}, []play.Shown{x}, nil
}

func (p *player) last(user string) (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.written[user]
	return t, ok
}

// show says what people see of a message, and refuses one whose form is wrong.
func (p *player) show(m *sent, x *play.Shown) *refusal {
	long := func(s string, most int) bool { return s == "" || utf8.RuneCountInString(s) > most }
	switch m.Type {
	case "", "text":
		if x.Text = m.Text.Body; long(x.Text, 4096) {
			return invalid("text.body must be 1 to 4096 characters long")
		}
	case "document":
		p.mu.Lock()
		f, ok := p.media[m.Document.ID]
		p.mu.Unlock()
		if !ok || m.Document.Caption != "" && long(m.Document.Caption, 1024) {
			return &refusal{http.StatusBadRequest, 131053, "Media upload error"}
		}
		f.Name = m.Document.Name
		x.File, x.Text = &f, m.Document.Caption
	case "interactive":
		return m.choices(x)
	default:
		return &refusal{http.StatusBadRequest, 131009, "Unsupported type"}
	}
	return nil
}

func (m *sent) choices(x *play.Shown) *refusal {
	i := &m.Interactive
	x.Text = i.Body.Text
	most, title, room := 3, 20, 1024
	var list []choice
	switch i.Type {
	case "button":
		for _, b := range i.Action.Buttons {
			if b.Type != "reply" {
				return &refusal{http.StatusBadRequest, 131009, "Button type is invalid"}
			}
			list = append(list, b.Reply)
		}
	case "list":
		most, title, room = 10, 24, 4096
		if n := utf8.RuneCountInString(i.Action.Button); n < 1 || n > 20 {
			return &refusal{http.StatusBadRequest, 131009, "action.button must be 1 to 20 characters long"}
		}
		for _, s := range i.Action.Sections {
			list = append(list, s.Rows...)
		}
	}
	if n := utf8.RuneCountInString(x.Text); n < 1 || n > room || len(list) < 1 || len(list) > most {
		return &refusal{http.StatusBadRequest, 131009, "Parameter value is not valid"}
	}
	ids, titles := map[string]bool{}, map[string]bool{}
	for _, c := range list {
		if n := utf8.RuneCountInString(c.Title); n < 1 || n > title || c.ID == "" || len(c.ID) > 256 || ids[c.ID] || titles[c.Title] {
			return &refusal{http.StatusBadRequest, 131009, "Button title or id is too long, missing or not unique"}
		}
		ids[c.ID], titles[c.Title] = true, true
		x.Buttons = append(x.Buttons, sotto.Button{Label: c.Title, Payload: c.ID})
	}
	return nil
}

// take takes an uploaded file.
func (p *player) take(kind string, body []byte) (obj, *refusal) {
	_, opts, err := mime.ParseMediaType(kind)
	if err != nil || opts["boundary"] == "" {
		return nil, invalid("The parameter file is required.")
	}
	var file *channel.File
	fields := map[string]string{}
	for r := multipart.NewReader(bytes.NewReader(body), opts["boundary"]); ; {
		part, err := r.NextPart()
		if err != nil {
			break
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, invalid("The form is broken")
		}
		if part.FormName() == "file" {
			file = &channel.File{Name: part.FileName(), MIME: part.Header.Get("Content-Type"), Data: data}
		} else {
			fields[part.FormName()] = string(data)
		}
	}
	switch {
	case file == nil || len(file.Data) == 0:
		return nil, invalid("The parameter file is required.")
	case fields["messaging_product"] != "whatsapp":
		return nil, invalid("The parameter messaging_product is required.")
	case !takes(file.MIME):
		return nil, invalid("Param file must be a file with one of the supported types")
	}
	return obj{"id": p.store(file)}, nil
}

// takes reports whether WhatsApp takes an upload of a type.
func takes(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	switch kind {
	case "audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg", "image/jpeg", "image/png", "image/webp",
		"video/mp4", "video/3gpp", "text/plain", "application/pdf", "application/msword",
		"application/vnd.ms-excel", "application/vnd.ms-powerpoint":
		return true
	}
	return strings.HasPrefix(kind, "application/vnd.openxmlformats-officedocument.")
}

func (p *player) setMenu(body []byte) (obj, []play.Shown, *refusal) {
	var m struct {
		Commands []struct {
			Name string `json:"command_name"`
			Text string `json:"command_description"`
		} `json:"commands"`
		Prompts []string `json:"prompts"`
	}
	var all obj
	if json.Unmarshal(body, &m) != nil || json.Unmarshal(body, &all) != nil || len(m.Commands) > 30 || len(m.Prompts) > 4 {
		return nil, nil, invalid("Invalid parameter")
	}
	x := play.Shown{Kind: "setup"}
	for _, c := range m.Commands {
		if c.Name == "" || c.Text == "" || utf8.RuneCountInString(c.Name) > 32 || utf8.RuneCountInString(c.Text) > 256 {
			return nil, nil, invalid("Invalid command")
		}
		x.Buttons = append(x.Buttons, sotto.Button{Label: "/" + c.Name, Payload: c.Text})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.menu = all
	x.Text = "the menu"
	return obj{"success": true}, []play.Shown{x}, nil
}

func (p *player) setProfile(body []byte) (obj, []play.Shown, *refusal) {
	var m struct {
		Product string   `json:"messaging_product"`
		Sites   []string `json:"websites"`
	}
	if json.Unmarshal(body, &m) != nil || m.Product != "whatsapp" || len(m.Sites) > 2 {
		return nil, nil, invalid("Invalid parameter")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sites = m.Sites
	return obj{"success": true}, []play.Shown{{Kind: "setup", Text: "the profile shows " + strings.Join(m.Sites, " ")}}, nil
}

func (p *player) setHook(body []byte) (obj, []play.Shown, *refusal) {
	var m struct {
		Object string `json:"object"`
		URL    string `json:"callback_url"`
		Token  string `json:"verify_token"`
		Fields string `json:"fields"`
	}
	if json.Unmarshal(body, &m) != nil || m.Object != "whatsapp_business_account" || m.URL == "" || m.Fields == "" {
		return nil, nil, invalid("Invalid parameter")
	}
	if m.Token != p.verify {
		return nil, nil, &refusal{http.StatusBadRequest, 2200, "Callback verification failed"}
	}
	var list []obj
	for name := range strings.SplitSeq(m.Fields, ",") {
		list = append(list, obj{"name": name, "version": "v26.0"})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hook = obj{"object": m.Object, "callback_url": m.URL, "active": true, "fields": list}
	return obj{"success": true}, []play.Shown{{Kind: "setup", Text: "the webhook leads to " + m.URL}}, nil
}
