package x

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/play"
)

// What the played network gives out.
const (
	playUser = "1111111111111111111" // the account
	playAnn  = "2222222222222222222" // whoever writes to it
	playApp  = "29820954"
	playHook = "1146654567674912769"
	playKept = 4096 // files that are remembered
)

// Player returns X as a bot meets it: messages come by the X Activity API,
// receipts and blocks by the Account Activity API, which alone tells of blocks.
// An opt-out is that a person takes the app's permission back, and an echo what
// the account sends from a telephone.
func Player(c play.Config) play.Player {
	c.Secret = cmp.Or(c.Secret, "test-x-consumer-secret")
	c.Token = cmp.Or(c.Token, "test-x-user-token")
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the default of a tool for tests
	}
	return &player{conf: c, files: map[string][]byte{}, subs: map[string]bool{}}
}

// player is X's side.
type player struct {
	conf play.Config

	mu    sync.Mutex
	last  int64
	files map[string][]byte // by the path at which they are fetched
	hook  string
	subs  map[string]bool // events that are subscribed to
}

// obj is an object of JSON.
type obj = map[string]any

// Channel implements [play.Player].
func (*player) Channel() string { return "x" }

func (p *player) appToken() string { return p.conf.Token + "-app" }

// Settings implements [play.Player].
func (p *player) Settings(base string) map[string]string {
	return map[string]string{
		"user_id": playUser, "consumer_secret": p.conf.Secret, "access_token": p.conf.Token, "app_token": p.appToken(), "api": base,
	}
}

// next returns a new id.
func (p *player) next() string {
	p.last++
	return strconv.FormatInt(2080763914820927000+p.last, 10)
}

// mac signs as X does.
func (p *player) mac(b []byte) string {
	m := hmac.New(sha256.New, []byte(p.conf.Secret))
	m.Write(b)
	return "sha256=" + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// Webhook implements [play.Player].
func (p *player) Webhook(a play.Act) (play.Webhook, error) {
	kind := ""
	if a.File != nil {
		kind, _, _ = strings.Cut(cmp.Or(a.File.MIME, "other"), "/")
	}
	if a.Group != "" || kind != "" && kind != "image" { // neither groups nor documents come to a bot
		return play.Webhook{}, play.ErrNoSuch
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	body, id, err := p.word(a, cmp.Or(a.User, playAnn))
	if err != nil {
		return play.Webhook{}, err
	}
	b, err := json.Marshal(body) // escapes < > and & once more, as \u003c, which X does not: it means the same
	if err != nil {
		return play.Webhook{}, fmt.Errorf("x: %w", err)
	}
	return play.Webhook{Method: http.MethodPost, Body: b, ID: id, Header: http.Header{
		"Content-Type": {"application/json"}, signatureHeader: {p.mac(b)},
	}}, nil
}

// word words one act; the id is that of the new message, "" where there is none.
func (p *player) word(a play.Act, user string) (body obj, id string, err error) {
	at := strconv.FormatInt(p.conf.Now().UnixMilli(), 10)
	switch a.Kind { //nolint:exhaustive // the others are not X's
	case sotto.EventMessage, sotto.EventButton:
		id = p.next()
		return p.activity("dm.received", p.direct(a, id, at, user, playUser)), id, nil
	case sotto.EventEcho:
		id = p.next()
		return p.activity("dm.sent", p.direct(a, id, at, playUser, user)), id, nil
	case sotto.EventReceipt:
		return account("direct_message_mark_read_events", obj{
			"created_timestamp": at, "sender_id": user, "target": obj{"recipient_id": playUser}, "last_read_event_id": a.ID,
		}), "", nil
	case sotto.EventOther: // somebody is typing
		return account("direct_message_indicate_typing_events", obj{
			"created_timestamp": at, "sender_id": user, "target": obj{"recipient_id": playUser},
		}), "", nil
	case sotto.EventBlock, sotto.EventUnblock:
		return account("block_events", obj{
			"type": string(a.Kind), "created_timestamp": at, "source": person(user), "target": person(playUser),
		}), "", nil
	case sotto.EventOptOut:
		return obj{"user_event": obj{"revoke": obj{
			"date_time": p.conf.Now().UTC().Format(time.RFC3339), "target": obj{"app_id": playApp}, "source": obj{"user_id": user},
		}}}, "", nil
	}
	return nil, "", play.ErrNoSuch
}

// account words a body of the Account Activity API.
func account(list string, e obj) obj {
	return obj{"for_user_id": playUser, list: []obj{e}, "users": obj{playUser: person(playUser)}}
}

func person(id string) obj {
	return obj{"id": id, "screen_name": "user" + id, "created_timestamp": "1422556069340", "protected": false}
}

// activity words a body of the X Activity API. Its ids are as often negative as
// not.
func (p *player) activity(kind string, payload obj) obj {
	p.last++
	uuid := p.last * 1000003
	if p.last%2 == 0 {
		uuid = -uuid
	}
	return obj{"data": obj{
		"event_uuid": strconv.FormatInt(uuid, 10), "event_type": kind, "filter": obj{"user_id": playUser}, "tag": "sotto", "payload": payload,
	}}
}

// direct words a direct message.
func (p *player) direct(a play.Act, id, at, from, to string) obj {
	text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(a.Text)
	data := obj{"text": text, "entities": obj{"hashtags": []obj{}, "symbols": []obj{}, "user_mentions": []obj{}, "urls": []obj{}}}
	if a.Kind == sotto.EventButton {
		data["quick_reply_response"] = obj{"type": "options", "metadata": a.Payload}
	}
	if a.File != nil {
		if len(p.files) > playKept {
			clear(p.files)
		}
		path := id + "/" + p.next() + "/file.jpg"
		p.files[path] = a.File.Data
		data["attachment"] = obj{"type": "media", "media": obj{
			"id_str": id, "type": "photo", "media_url_https": "https://ton.twitter.com/1.1/ton/data/dm/" + path,
		}}
	}
	return obj{
		"direct_message_events": []obj{{
			"type": "message_create", "id": id, "created_timestamp": at,
			"message_create": obj{"target": obj{"recipient_id": to}, "sender_id": from, "message_data": data},
		}},
		"users": obj{from: obj{"data": person(from)}, to: obj{"data": person(to)}},
	}
}

// Questions implements [play.Player]: the challenge that every webhook is asked.
func (p *player) Questions() []play.Webhook {
	return []play.Webhook{
		{Method: http.MethodGet, Query: "crc_token=MTU4NDkyNDA2Ny1hMmVi"},
		{Method: http.MethodGet, Query: "crc_token=b6bf2a2f-7d1e-4a83-8f7e-1b0a6a4b9f0e"},
	}
}

// Answered implements [play.Player].
func (p *player) Answered(w play.Webhook, status int, _ http.Header, body []byte) error {
	var got struct {
		Token string `json:"response_token"`
	}
	if status != http.StatusOK || json.Unmarshal(body, &got) != nil {
		return fmt.Errorf("the challenge was answered with status %d, want 200 and a response_token", status)
	}
	_, token, _ := strings.Cut(w.Query, "=")
	if !hmac.Equal([]byte(got.Token), []byte(p.mac([]byte(token)))) {
		return fmt.Errorf("the challenge was answered wrongly")
	}
	return nil
}

// Refuse implements [play.Player].
func (p *player) Refuse(w http.ResponseWriter, status int, after time.Duration) {
	if status == http.StatusTooManyRequests {
		w.Header().Set("X-Rate-Limit-Limit", "15")
		w.Header().Set("X-Rate-Limit-Remaining", "0")
		w.Header().Set("X-Rate-Limit-Reset", strconv.FormatInt(p.conf.Now().Add(after+time.Second-1).Unix(), 10))
	}
	problem(w, status, "about:blank")
}

// problem answers with an error as API v2 words it.
func problem(w http.ResponseWriter, status int, kind string) {
	respond(w, status, obj{"title": http.StatusText(status), "detail": http.StatusText(status), "type": kind, "status": status})
}

const problems = "https://api.x.com/2/problems/"

// Serve implements [play.Player].
func (p *player) Serve(w http.ResponseWriter, r *http.Request, body []byte) []play.Shown {
	proof := r.Header.Get("Authorization")
	app := proof == "Bearer "+p.appToken()
	if !app && proof != "Bearer "+p.conf.Token {
		problem(w, http.StatusUnauthorized, "about:blank")
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/2/")
	switch {
	case strings.HasPrefix(path, "webhooks"), path == "activity/subscriptions" && r.Method == http.MethodGet,
		strings.HasSuffix(path, "/subscriptions/all/list"):
		if !app {
			problem(w, http.StatusForbidden, problems+"unsupported-authentication")
			return nil
		}
		return p.setup(w, r, path, body)
	case app:
		problem(w, http.StatusForbidden, problems+"unsupported-authentication")
		return nil
	case path == "activity/subscriptions", strings.HasPrefix(path, "account_activity/"):
		p.subscribe(w, path, body)
		return nil
	}
	if name, ok := strings.CutPrefix(path, "dm_conversations/media/"); ok {
		data, ok := p.files[name]
		if !ok {
			problem(w, http.StatusNotFound, problems+"resource-not-found")
			return nil
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(data) // the caller may be gone
		return nil
	}
	if path == "users/me" && r.Method == http.MethodGet {
		respond(w, http.StatusOK, obj{"data": obj{"id": playUser, "name": "Sotto", "username": "sotto"}})
		return nil
	}
	return p.send(w, r, path, body)
}

// send takes a direct message.
func (p *player) send(w http.ResponseWriter, r *http.Request, path string, body []byte) []play.Shown {
	to, ok := strings.CutPrefix(path, "dm_conversations/with/")
	to, ok2 := strings.CutSuffix(to, "/messages")
	if !ok || !ok2 || r.Method != http.MethodPost {
		problem(w, http.StatusNotFound, "about:blank")
		return nil
	}
	var q struct {
		Text *string `json:"text"`
	}
	_, err := strconv.ParseUint(to, 10, 64)
	if json.Unmarshal(body, &q) != nil || q.Text == nil || *q.Text == "" || utf8.RuneCountInString(*q.Text) > 10000 || err != nil {
		problem(w, http.StatusBadRequest, problems+"invalid-request")
		return nil
	}
	id := p.next()
	respond(w, http.StatusCreated, obj{"data": obj{"dm_conversation_id": to + "-" + playUser, "dm_event_id": id}})
	return []play.Shown{{Kind: "message", To: to, ID: id, Text: *q.Text}}
}

// setup answers what only the app may ask.
func (p *player) setup(w http.ResponseWriter, r *http.Request, path string, body []byte) []play.Shown {
	hook := obj{"id": playHook, "url": p.hook, "valid": true, "created_at": "2026-01-15T12:00:00.000Z"}
	switch {
	case path == "webhooks" && r.Method == http.MethodGet:
		list := []obj{}
		if p.hook != "" {
			list = append(list, hook)
		}
		respond(w, http.StatusOK, obj{"data": list, "meta": obj{"result_count": len(list)}})
	case path == "webhooks" && r.Method == http.MethodPost:
		var q struct {
			URL string `json:"url"`
		}
		if json.Unmarshal(body, &q) != nil || !strings.HasPrefix(q.URL, "https://") || len(q.URL) > 200 || p.hook != "" {
			problem(w, http.StatusBadRequest, problems+"invalid-request")
			return nil
		}
		p.hook, hook["url"] = q.URL, q.URL
		respond(w, http.StatusOK, obj{"data": hook})
		return []play.Shown{{Kind: "setup", Text: q.URL}}
	case path == "webhooks/"+playHook && r.Method == http.MethodPut && p.hook != "":
		respond(w, http.StatusOK, obj{"data": obj{"valid": true}})
	case path == "activity/subscriptions":
		list := []obj{}
		for event := range p.subs {
			list = append(list, obj{"subscription_id": p.next(), "event_type": event, "filter": obj{"user_id": playUser}, "webhook_id": playHook})
		}
		respond(w, http.StatusOK, obj{"data": list})
	case path == "account_activity/webhooks/"+playHook+"/subscriptions/all/list":
		list := []obj{}
		if p.subs["all"] {
			list = append(list, obj{"user_id": playUser})
		}
		respond(w, http.StatusOK, obj{"data": obj{"webhook_id": playHook, "subscriptions": list}})
	default:
		problem(w, http.StatusNotFound, "about:blank")
	}
	return nil
}

// subscribe takes a subscription of the account's.
func (p *player) subscribe(w http.ResponseWriter, path string, body []byte) {
	var q struct {
		Event   string `json:"event_type"`
		Webhook string `json:"webhook_id"`
		Filter  struct {
			User string `json:"user_id"`
		} `json:"filter"`
	}
	switch {
	case path == "account_activity/webhooks/"+playHook+"/subscriptions/all":
		p.subs["all"] = true
		respond(w, http.StatusOK, obj{"data": obj{"subscribed": true}})
	case path == "activity/subscriptions" && json.Unmarshal(body, &q) == nil && strings.HasPrefix(q.Event, "dm.") &&
		q.Webhook == playHook && q.Filter.User == playUser && !p.subs[q.Event]:
		p.subs[q.Event] = true
		respond(w, http.StatusOK, obj{"data": obj{"subscription_id": p.next(), "event_type": q.Event}})
	default:
		problem(w, http.StatusBadRequest, problems+"invalid-request")
	}
}

func respond(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the caller may be gone
}
