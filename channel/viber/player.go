package viber

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// What a player is made of unless its Config says otherwise. The token looks
// like one and is none.
const (
	playedToken = "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9" //nolint:gosec // made up
	playedUser  = "01234567890A="
	keptFiles   = 64
)

// player is Viber as bots meet it, from the documentation of its REST API.
type player struct {
	token string
	now   func() time.Time

	mu    sync.Mutex
	base  string
	next  uint64 // message_token; they are beyond what a float holds
	files map[string]channel.File
	hook  string
	types []string
}

// Player returns Viber. A button that is pressed there comes as a message with
// its label: there is no other event for it. Joining is opening the chat,
// blocking is unsubscribing. Bots meet no groups.
func Player(c play.Config) play.Player {
	p := &player{
		token: cmp.Or(c.Token, c.Secret, playedToken), now: c.Now, next: 4912661846655238145, files: map[string]channel.File{},
		base: "https://dl-media.viber.com",
	}
	if p.now == nil {
		p.now = time.Now //nolint:forbidigo // the default that play.Config promises
	}
	return p
}

// Channel implements [play.Player].
func (*player) Channel() string { return "viber" }

// Settings implements [play.Player].
func (p *player) Settings(base string) map[string]string {
	p.mu.Lock()
	p.base = base
	p.mu.Unlock()
	return map[string]string{"token": p.token, "name": "Sotto", "api": base + "/pa", "media": base}
}

func (p *player) id() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	return p.next
}

// obj is a JSON object.
type obj = map[string]any

// signed is a callback with its signature.
func (p *player) signed(body obj, id string) (play.Webhook, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return play.Webhook{}, fmt.Errorf("viber: word a callback: %w", err)
	}
	mac := hmac.New(sha256.New, []byte(p.token))
	mac.Write(raw)
	return play.Webhook{
		Method: http.MethodPost, Body: raw, ID: id,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Viber-Content-Signature": {hex.EncodeToString(mac.Sum(nil))}},
	}, nil
}

// Questions implements [play.Player]: the call by which set_webhook makes sure
// of an address.
func (p *player) Questions() []play.Webhook {
	w, err := p.signed(obj{"event": "webhook", "timestamp": p.now().UnixMilli(), "chat_hostname": "SN-CHAT-01_", "message_token": p.id()}, "")
	if err != nil {
		return nil
	}
	return []play.Webhook{w}
}

// Answered implements [play.Player].
func (*player) Answered(_ play.Webhook, status int, _ http.Header, _ []byte) error {
	if status != http.StatusOK {
		return fmt.Errorf("the check of the webhook was answered %d, want 200", status)
	}
	return nil
}

// Webhook implements [play.Player].
func (p *player) Webhook(a play.Act) (play.Webhook, error) {
	who, token := cmp.Or(a.User, playedUser), p.id()
	user := obj{"id": who, "name": "Sim", "avatar": "", "country": "DE", "language": "en", "api_version": 10}
	body := obj{"timestamp": p.now().UnixMilli(), "chat_hostname": "SN-CHAT-01_", "message_token": token}
	id := ""
	about := func(event string) {
		body["event"], body["user_id"] = event, who
	}
	if a.Group != "" {
		return play.Webhook{}, play.ErrNoSuch
	}
	switch a.Kind { //nolint:exhaustive // Viber tells a bot of no others
	case sotto.EventMessage:
		body["event"], body["sender"], body["message"], body["silent"] = "message", user, p.message(a), false
		id = strconv.FormatUint(token, 10)
	case sotto.EventJoin:
		body["event"], body["type"], body["context"], body["user"], body["subscribed"] = "conversation_started", "open", "sim", user, false
	case sotto.EventUnblock:
		body["event"], body["user"] = "subscribed", user
	case sotto.EventBlock:
		about("unsubscribed")
	case sotto.EventReceipt:
		about("seen")
		if n, err := strconv.ParseUint(a.ID, 10, 64); err == nil {
			body["message_token"] = n
		}
	default:
		return play.Webhook{}, play.ErrNoSuch
	}
	return p.signed(body, id)
}

// message is what somebody wrote or sent.
func (p *player) message(a play.Act) obj {
	if a.File == nil {
		return obj{"type": "text", "text": a.Text}
	}
	name := path.Base("/" + cmp.Or(a.File.Name, "file"))
	p.mu.Lock()
	if len(p.files) >= keptFiles {
		clear(p.files)
	}
	at := fmt.Sprintf("/media/%d/%s", len(p.files), name)
	p.files[at] = *a.File
	m := obj{"media": p.base + (&url.URL{Path: at}).EscapedPath() + "?Expires=1", "file_name": name, "size": len(a.File.Data)}
	p.mu.Unlock()
	m["type"] = "file"
	switch {
	case strings.HasPrefix(a.File.MIME, "image/"):
		m["type"], m["thumbnail"] = "picture", m["media"]
	case strings.HasPrefix(a.File.MIME, "video/"):
		m["type"], m["duration"] = "video", 10
	}
	if a.Text != "" {
		m["text"] = a.Text
	}
	return m
}

// Serve implements [play.Player]. The API answers 200 to everything that it
// understands, and says in the body whether it went well.
func (p *player) Serve(w http.ResponseWriter, r *http.Request, body []byte) []play.Shown {
	p.mu.Lock()
	file, ok := p.files[r.URL.Path]
	p.mu.Unlock()
	if ok && r.Method == http.MethodGet {
		w.Header().Set("Content-Type", file.MIME)
		_, _ = w.Write(file.Data) // the caller is gone, which is theirs to know
		return nil
	}
	method, ok := strings.CutPrefix(r.URL.Path, "/pa/")
	if !ok || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusNotFound)
		return nil
	}
	var call call
	switch {
	case subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Viber-Auth-Token")), []byte(p.token)) != 1:
		say(w, http.StatusOK, obj{"status": 2, "status_message": "invalidAuthToken"})
	case len(body) > 30<<10, json.Unmarshal(body, &call) != nil:
		say(w, http.StatusOK, obj{"status": 3, "status_message": "badData"})
	case method == "send_message":
		return p.send(w, &call)
	case method == "set_webhook":
		return p.set(w, &call)
	case method == "get_account_info":
		p.mu.Lock()
		defer p.mu.Unlock()
		say(w, http.StatusOK, obj{
			"status": 0, "status_message": "ok", "id": "pa:75346594275468546724", "name": "Sotto Sim", "uri": "sottosim",
			"webhook": p.hook, "event_types": p.types, "subscribers_count": 1,
		})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	return nil
}

func say(w http.ResponseWriter, status int, what obj) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	b, _ := json.Marshal(what) //nolint:errchkjson // numbers and texts
	_, _ = w.Write(b)          // the caller is gone, which is theirs to know
}

// Refuse implements [play.Player].
func (*player) Refuse(w http.ResponseWriter, status int, after time.Duration) {
	if status != http.StatusTooManyRequests {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
	say(w, status, obj{"status": 12, "status_message": "tooManyRequests"})
}

// call is what is looked at of a call.
type call struct {
	Receiver string `json:"receiver"`
	Type     string `json:"type"`
	Text     string `json:"text"`
	Sender   struct {
		Name string `json:"name"`
	} `json:"sender"`
	Keyboard *struct {
		Type    string `json:"Type"`
		Buttons []struct {
			Columns int    `json:"Columns"`
			Rows    int    `json:"Rows"`
			Action  string `json:"ActionType"`
			Body    string `json:"ActionBody"`
			Text    string `json:"Text"`
		} `json:"Buttons"`
	} `json:"keyboard"`
	URL    string   `json:"url"`
	Events []string `json:"event_types"`
}

// check is what is wrong with a message as its form goes; nil if nothing is.
func (c *call) check() error {
	switch {
	case c.Receiver == "" || c.Sender.Name == "" || c.Type == "" || c.Text == "":
		return errors.New("missingData")
	case c.Type != "text", utf8.RuneCountInString(c.Text) > 7000, utf8.RuneCountInString(c.Sender.Name) > 28:
		return errors.New("badData")
	case c.Keyboard == nil:
		return nil
	case c.Keyboard.Type != "keyboard" || len(c.Keyboard.Buttons) == 0:
		return errors.New("badData")
	}
	room := 0
	for _, b := range c.Keyboard.Buttons {
		room += b.Columns * b.Rows
		if b.Action != "reply" || b.Body == "" || b.Text == "" || b.Columns < 1 || b.Columns > 6 || b.Rows < 1 || b.Rows > 2 {
			return errors.New("badData")
		}
	}
	if room > 6*12 {
		return errors.New("badData")
	}
	return nil
}

func (p *player) send(w http.ResponseWriter, c *call) []play.Shown {
	if err := c.check(); err != nil {
		status := 3
		if err.Error() == "missingData" {
			status = 4
		}
		say(w, http.StatusOK, obj{"status": status, "status_message": err.Error()})
		return nil
	}
	token := p.id()
	shown := play.Shown{Kind: "message", To: c.Receiver, ID: strconv.FormatUint(token, 10), Text: c.Text}
	if c.Keyboard != nil {
		for _, b := range c.Keyboard.Buttons {
			shown.Buttons = append(shown.Buttons, sotto.Button{Label: html.UnescapeString(b.Text), Payload: b.Body})
		}
	}
	say(w, http.StatusOK, obj{"status": 0, "status_message": "ok", "message_token": token, "chat_hostname": "SN-CHAT-01_", "billing_status": 1})
	return []play.Shown{shown}
}

func (p *player) set(w http.ResponseWriter, c *call) []play.Shown {
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Hostname() != "127.0.0.1" {
		say(w, http.StatusOK, obj{"status": 1, "status_message": "invalidUrl"})
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hook, p.types = c.URL, slices.Clone(c.Events)
	say(w, http.StatusOK, obj{"status": 0, "status_message": "ok", "event_types": p.types})
	return []play.Shown{{Kind: "setup", Text: "set_webhook"}}
}
