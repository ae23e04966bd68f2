package line

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/play"
)

// What the played network gives out.
const (
	playBot     = "U0123456789abcdef0123456789abcdef"
	playUser    = "U4af4980629b4f5a1c2d3e4f506172839"
	playTimeout = time.Minute // of a reply token
	playKept    = 4096        // reply tokens, retry keys and files that are remembered
)

// Player returns LINE as a bot meets it. A join in a group without a User is
// the bot's own. Kind standby is a message while another application owns the
// chat.
func Player(c play.Config) play.Player {
	if c.Secret == "" {
		c.Secret = "test-line-channel-secret"
	}
	if c.Token == "" {
		c.Token = "test-line-access-token"
	}
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the default of a tool for tests
	}
	return &player{conf: c, tokens: map[string]issued{}, keys: map[string]string{}, files: map[string][]byte{}}
}

// player is LINE's side.
type player struct {
	conf play.Config

	mu     sync.Mutex
	last   int64
	tokens map[string]issued // reply tokens that are still good
	keys   map[string]string // retry keys that were accepted, and the id of the message
	files  map[string][]byte // contents, by the message's id
	hook   string
}

// issued is a reply token.
type issued struct {
	to    string
	until time.Time
}

// Channel implements [play.Player].
func (*player) Channel() string { return "line" }

// Settings implements [play.Player].
func (p *player) Settings(base string) map[string]string {
	return map[string]string{"channel_secret": p.conf.Secret, "access_token": p.conf.Token, "api": base, "data_api": base}
}

// next returns a new id of a message.
func (p *player) next() string {
	p.last++
	return strconv.FormatInt(500000000000000000+p.last, 10)
}

// issue returns a new reply token for a conversation.
func (p *player) issue(to string) string {
	if len(p.tokens) > playKept {
		clear(p.tokens)
	}
	p.last++
	sum := sha256.Sum256(strconv.AppendInt([]byte("reply token "), p.last, 10))
	t := fmt.Sprintf("%x", sum[:16])
	p.tokens[t] = issued{to, p.conf.Now().Add(playTimeout)}
	return t
}

// obj is an object of JSON.
type obj = map[string]any

// Webhook implements [play.Player].
func (p *player) Webhook(a play.Act) (play.Webhook, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, id, err := p.word(a)
	if err != nil {
		return play.Webhook{}, err
	}
	p.last++
	e["timestamp"] = p.conf.Now().UnixMilli()
	e["webhookEventId"] = fmt.Sprintf("01PLAY%020d", p.last)
	e["deliveryContext"] = obj{"isRedelivery": false}
	if e["mode"] == nil {
		e["mode"] = "active"
	}
	w, err := p.sign(e)
	w.ID = id
	return w, err
}

// sign puts events into a body and signs it.
func (p *player) sign(events ...obj) (play.Webhook, error) {
	if events == nil {
		events = []obj{}
	}
	body, err := json.Marshal(obj{"destination": playBot, "events": events})
	if err != nil {
		return play.Webhook{}, fmt.Errorf("line: %w", err)
	}
	m := hmac.New(sha256.New, []byte(p.conf.Secret))
	m.Write(body)
	return play.Webhook{Method: http.MethodPost, Body: body, Header: http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, signatureHeader: {base64.StdEncoding.EncodeToString(m.Sum(nil))},
	}}, nil
}

// word words one act; the id is that of the new message, "" where there is none.
func (p *player) word(a play.Act) (e obj, id string, err error) {
	user := a.User
	own := user == "" && a.Group != "" && (a.Kind == sotto.EventJoin || a.Kind == sotto.EventLeave)
	if user == "" {
		user = playUser
	}
	source := obj{"type": "user", "userId": user}
	switch {
	case strings.HasPrefix(a.Group, "R"):
		source = obj{"type": "room", "roomId": a.Group, "userId": user}
	case a.Group != "":
		source = obj{"type": "group", "groupId": a.Group, "userId": user}
	}
	e = obj{"source": source}
	switch a.Kind { //nolint:exhaustive // the others are not LINE's
	case sotto.EventMessage, sotto.EventStandby:
		id = p.next()
		e["type"], e["message"] = "message", p.message(a, id)
		if a.Kind == sotto.EventStandby {
			e["mode"] = "standby"
			return e, id, nil
		}
	case sotto.EventEdit:
		e["type"], e["message"] = "messageEdited", p.message(a, a.ID)
	case sotto.EventButton:
		e["type"], e["postback"] = "postback", obj{"data": a.Payload}
	case sotto.EventDelete:
		e["type"], e["unsend"] = "unsend", obj{"messageId": a.ID}
		return e, "", nil
	case sotto.EventBlock:
		e["type"] = "unfollow"
		return e, "", nil
	case sotto.EventUnblock:
		e["type"], e["follow"] = "follow", obj{"isUnblocked": true}
	case sotto.EventJoin:
		joined(e, source, user, own, a.Group != "")
	case sotto.EventLeave:
		if a.Group == "" {
			return nil, "", play.ErrNoSuch
		}
		left(e, source, user, own)
		return e, "", nil
	default:
		return nil, "", play.ErrNoSuch
	}
	e["replyToken"] = p.issue(cmp.Or(a.Group, user))
	return e, id, nil
}

// joined words that somebody, or the bot, came.
func joined(e, source obj, user string, own, group bool) {
	switch {
	case !group:
		e["type"], e["follow"] = "follow", obj{"isUnblocked": false}
	case own:
		e["type"] = "join"
		delete(source, "userId")
	default:
		e["type"], e["joined"] = "memberJoined", obj{"members": []obj{{"type": "user", "userId": user}}}
		delete(source, "userId")
	}
}

// left words that somebody, or the bot, went.
func left(e, source obj, user string, own bool) {
	delete(source, "userId")
	e["type"] = "leave"
	if !own {
		e["type"], e["left"] = "memberLeft", obj{"members": []obj{{"type": "user", "userId": user}}}
	}
}

// message words what was said or sent. A file beside a text is not LINE's: the
// file is sent.
func (p *player) message(a play.Act, id string) obj {
	m := obj{"id": id, "type": "text", "text": a.Text, "quoteToken": "quote-" + id}
	if a.ReplyTo != "" {
		m["quotedMessageId"] = a.ReplyTo
	}
	if a.Addressed {
		m["text"] = "@bot " + a.Text
		m["mention"] = obj{"mentionees": []obj{{"index": 0, "length": 4, "type": "user", "userId": playBot, "isSelf": true}}}
	}
	if a.File == nil {
		return m
	}
	if len(p.files) > playKept {
		clear(p.files)
	}
	p.files[id] = a.File.Data
	m = obj{"id": id, "contentProvider": obj{"type": "line"}}
	switch kind, _, _ := strings.Cut(a.File.MIME, "/"); kind {
	case "image", "video", "audio":
		m["type"] = kind
	default:
		m = obj{"id": id, "type": "file", "fileName": a.File.Name, "fileSize": len(a.File.Data)}
	}
	return m
}

// Questions implements [play.Player]: the console's Verify button.
func (p *player) Questions() []play.Webhook {
	w, err := p.sign()
	if err != nil {
		return nil
	}
	return []play.Webhook{w}
}

// Answered implements [play.Player]: any 200 will do.
func (*player) Answered(_ play.Webhook, status int, _ http.Header, _ []byte) error {
	if status != http.StatusOK {
		return fmt.Errorf("the webhook answered %d, want 200", status)
	}
	return nil
}

// Refuse implements [play.Player].
func (*player) Refuse(w http.ResponseWriter, status int, _ time.Duration) {
	text := "An error occurred"
	if status == http.StatusTooManyRequests {
		text = "The API rate limit has been exceeded. Try again later."
	}
	answerJSON(w, status, obj{"message": text})
}

// Serve implements [play.Player].
func (p *player) Serve(w http.ResponseWriter, r *http.Request, body []byte) []play.Shown {
	if r.Header.Get("Authorization") != "Bearer "+p.conf.Token {
		answerJSON(w, http.StatusUnauthorized, obj{"message": "Authentication failed. Confirm that the access token in the authorization header is valid."})
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if id, ok := strings.CutPrefix(r.URL.Path, "/v2/bot/message/"); ok && strings.HasSuffix(id, "/content") {
		p.content(w, r, strings.TrimSuffix(id, "/content"))
		return nil
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /v2/bot/message/reply":
		return p.send(w, r, body, true)
	case "POST /v2/bot/message/push":
		return p.send(w, r, body, false)
	case "POST /v2/bot/chat/loading/start":
		return loading(w, body)
	case "GET /v2/bot/info":
		answerJSON(w, http.StatusOK, obj{"userId": playBot, "basicId": "@sotto", "displayName": "Sotto", "chatMode": "bot", "markAsReadMode": "auto"})
	case "GET /v2/bot/message/quota":
		answerJSON(w, http.StatusOK, obj{"type": "limited", "value": 200})
	case "GET /v2/bot/message/quota/consumption":
		answerJSON(w, http.StatusOK, obj{"totalUsage": 3})
	case "GET /v2/bot/channel/webhook/endpoint":
		if p.hook == "" {
			answerJSON(w, http.StatusNotFound, obj{"message": "Not found"})
			return nil
		}
		answerJSON(w, http.StatusOK, obj{"endpoint": p.hook, "active": true})
	case "PUT /v2/bot/channel/webhook/endpoint":
		return p.setHook(w, body)
	case "POST /v2/bot/channel/webhook/test":
		answerJSON(w, http.StatusOK, obj{"success": true, "timestamp": p.conf.Now().UTC().Format(time.RFC3339), "statusCode": 200, "reason": "OK", "detail": "200"})
	default:
		answerJSON(w, http.StatusNotFound, obj{"message": "Not found"})
	}
	return nil
}

// content hands out a file that a person sent.
func (p *player) content(w http.ResponseWriter, r *http.Request, id string) {
	data, ok := p.files[id]
	if !ok || r.Method != http.MethodGet {
		answerJSON(w, http.StatusNotFound, obj{"message": "Not found"})
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(data) // the caller may be gone
}

func (p *player) setHook(w http.ResponseWriter, body []byte) []play.Shown {
	var q struct {
		Endpoint string `json:"endpoint"`
	}
	if json.Unmarshal(body, &q) != nil || !strings.HasPrefix(q.Endpoint, "https://") || len(q.Endpoint) > 500 {
		answerJSON(w, http.StatusBadRequest, obj{"message": "Invalid webhook endpoint URL"})
		return nil
	}
	p.hook = q.Endpoint
	answerJSON(w, http.StatusOK, obj{})
	return []play.Shown{{Kind: "setup", Text: q.Endpoint}}
}

func loading(w http.ResponseWriter, body []byte) []play.Shown {
	var q struct {
		Chat    string `json:"chatId"`
		Seconds int    `json:"loadingSeconds"`
	}
	if json.Unmarshal(body, &q) != nil || !strings.HasPrefix(q.Chat, "U") || q.Seconds < 5 || q.Seconds > 60 || q.Seconds%5 != 0 {
		answerJSON(w, http.StatusBadRequest, obj{"message": "The request body has 1 error(s)"})
		return nil
	}
	answerJSON(w, http.StatusAccepted, obj{})
	return []play.Shown{{Kind: "typing", To: q.Chat}}
}

// sending is the body of a reply or push.
type sending struct {
	Token    string `json:"replyToken"`
	To       string `json:"to"`
	Messages []struct {
		Type  string `json:"type"`
		Text  string `json:"text"`
		Quote string `json:"quoteToken"`
		Quick *struct {
			Items []struct {
				Type   string `json:"type"`
				Action struct {
					Type        string `json:"type"`
					Label       string `json:"label"`
					Data        string `json:"data"`
					DisplayText string `json:"displayText"`
				} `json:"action"`
			} `json:"items"`
		} `json:"quickReply"`
	} `json:"messages"`
}

// send takes a reply or a push.
func (p *player) send(w http.ResponseWriter, r *http.Request, body []byte, reply bool) []play.Shown {
	key := r.Header.Get(retryHeader)
	var q sending
	if err := q.read(body, reply); err != nil || reply && key != "" {
		answerJSON(w, http.StatusBadRequest, obj{"message": "The request body has 1 error(s)"})
		return nil
	}
	if reply {
		t, ok := p.tokens[q.Token]
		delete(p.tokens, q.Token)
		q.To = t.to
		if !ok || p.conf.Now().After(t.until) {
			answerJSON(w, http.StatusBadRequest, obj{"message": "Invalid reply token"})
			return nil
		}
	}
	if id, ok := p.keys[key]; ok && key != "" {
		answerJSON(w, http.StatusConflict, obj{"message": "The retry key is already accepted", "sentMessages": []obj{{"id": id}}})
		return nil
	}
	var shown []play.Shown
	var sent []obj
	for i := range q.Messages {
		m := &q.Messages[i]
		s := play.Shown{Kind: "message", To: q.To, ID: p.next(), Text: m.Text, ReplyTo: strings.TrimPrefix(m.Quote, "quote-")}
		if m.Quick != nil {
			for _, it := range m.Quick.Items {
				s.Buttons = append(s.Buttons, sotto.Button{Label: it.Action.Label, Payload: it.Action.Data})
			}
		}
		shown, sent = append(shown, s), append(sent, obj{"id": s.ID})
	}
	if key != "" {
		if len(p.keys) > playKept {
			clear(p.keys)
		}
		p.keys[key] = shown[len(shown)-1].ID
	}
	answerJSON(w, http.StatusOK, obj{"sentMessages": sent})
	return shown
}

var errForm = errors.New("not as the API wants it")

// read reads what is sent, and refuses what LINE refuses for its form.
func (q *sending) read(body []byte, reply bool) error {
	if json.Unmarshal(body, q) != nil || len(q.Messages) == 0 || len(q.Messages) > 5 || reply != (q.Token != "") || reply == (q.To != "") {
		return errForm
	}
	for i := range q.Messages {
		m := &q.Messages[i]
		if m.Type != "text" || strings.TrimSpace(m.Text) == "" || length(m.Text) > 5000 {
			return errForm
		}
		if m.Quick == nil {
			continue
		}
		if n := len(m.Quick.Items); n == 0 || n > 13 {
			return errForm
		}
		for _, it := range m.Quick.Items {
			if it.Type != "action" || it.Action.Type != "postback" || it.Action.Label == "" || length(it.Action.Label) > 20 ||
				it.Action.Data == "" || length(it.Action.Data) > 300 {
				return errForm
			}
		}
	}
	return nil
}

// length counts as LINE does.
func length(s string) int { return len(utf16.Encode([]rune(s))) }

func answerJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the caller may be gone
}

// Sends implements [play.Sender]: a reply token and a retry key are good for once.
func (*player) Sends(r *http.Request, _ []byte) bool {
	return r.Method == http.MethodPost && (r.URL.Path == "/v2/bot/message/reply" || r.URL.Path == "/v2/bot/message/push")
}
