// Package inboxplay is the other side of Messenger and Instagram: the parts of
// Meta's networks that a bot meets, worded from Meta's documentation
// (developers.facebook.com/docs/messenger-platform and
// developers.facebook.com/docs/instagram-platform, July 2026), for trying a bot
// without an account and without a connection to the outside.
//
// It signs its webhooks, escapes them as Meta does, asks the question that
// Meta asks of a new address, and answers the calls that send messages, fetch
// attachments and set an account up. It refuses a wrong token or proof, a text
// that is too long and a missing field.
//
// It shares no code with package inbox, so that a mistake in one shows in the
// other. It knows neither Meta's policies nor the window of 24 hours.
package inboxplay

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Meta still sends this signature beside the one that counts
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// Network is which of the two is played.
type Network struct {
	Channel string // "messenger"
	Object  string // as webhooks name it: "page"
	Account string // the id of the page or account
	IDKey   string // what a configuration calls the id
	Limit   int    // of a text: characters, or bytes if Bytes
	Bytes   bool
	Typed   bool // a send must say its messaging_type
	Files   bool // documents are taken
	Seen    bool // a message is seen by its id, not by a time
	OptIns  bool // people can let themselves be notified
	Welcome bool // there are a greeting and a button to begin with
}

// What a player is made of unless its Config says otherwise. They look like
// credentials and are none.
const (
	playedToken  = "EAAsim-access-token-of-a-played-account"
	playedSecret = "sim-app-secret" //nolint:gosec // made up
	playedUser   = "4100000000000041"
	playedApp    = "770000000000077"
)

// player plays one account.
type player struct {
	net           Network
	token, secret string
	now           func() time.Time
	born          int64

	mu      sync.Mutex
	base    string // where the API is, for the addresses of attachments
	next    int64
	last    int64 // the latest time that a webhook told
	files   map[string]channel.File
	fields  []string // that the account tells the app about
	hook    subscription
	profile map[string]json.RawMessage
}

// New returns a network.
func New(n Network, c play.Config) play.Player {
	p := &player{
		net: n, token: cmp.Or(c.Token, playedToken), secret: cmp.Or(c.Secret, playedSecret), now: c.Now,
		files: map[string]channel.File{}, profile: map[string]json.RawMessage{},
	}
	if p.now == nil {
		p.now = time.Now //nolint:forbidigo // the default that play.Config promises
	}
	p.born = p.now().UnixMilli()
	return p
}

// Channel implements [play.Player].
func (p *player) Channel() string { return p.net.Channel }

// Settings implements [play.Player].
func (p *player) Settings(base string) map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.base = base
	return map[string]string{
		p.net.IDKey: p.net.Account, "app_id": playedApp, "app_secret": p.secret, "verify_token": p.word(),
		"access_token": p.token, "api": base, "media": base,
	}
}

// word is the verify token. It goes with the secret, so that other credentials
// have another one.
func (p *player) word() string {
	sum := sha256.Sum256([]byte("verify " + p.secret))
	return hex.EncodeToString(sum[:8])
}

// Questions implements [play.Player]: Meta asks one.
func (p *player) Questions() []play.Webhook {
	q := url.Values{
		"hub.mode": {"subscribe"}, "hub.challenge": {strconv.FormatInt(1_000_000_000+p.count(), 10)}, "hub.verify_token": {p.word()},
	}
	return []play.Webhook{{Method: http.MethodGet, Query: q.Encode(), Header: http.Header{}}}
}

// Answered implements [play.Player].
func (*player) Answered(w play.Webhook, status int, _ http.Header, body []byte) error {
	q, err := url.ParseQuery(w.Query)
	switch {
	case err != nil || w.Method != http.MethodGet || q.Get("hub.challenge") == "":
		return errors.New("this is not a question of Meta's")
	case status != http.StatusOK:
		return fmt.Errorf("the status is %d, want 200", status)
	case string(body) != q.Get("hub.challenge"):
		return errors.New("the answer is not the challenge")
	}
	return nil
}

func (p *player) count() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	return p.next
}

// newID is the id of a message.
func (p *player) newID() string { return fmt.Sprintf("m_%x-%d", p.born, p.count()) }

// moment is a time that no webhook has told before.
func (p *player) moment() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = max(p.now().UnixMilli(), p.last+1)
	return p.last
}

type obj = map[string]any

// Webhook implements [play.Player].
func (p *player) Webhook(a play.Act) (play.Webhook, error) {
	if a.Group != "" {
		return play.Webhook{}, play.ErrNoSuch
	}
	at := p.moment()
	from, to := cmp.Or(a.User, playedUser), p.net.Account
	field, what, id, err := p.happening(a, at)
	if err != nil {
		return play.Webhook{}, err
	}
	if a.Kind == sotto.EventEcho {
		from, to = to, from
	}
	item := obj{"sender": obj{"id": from}, "recipient": obj{"id": to}, "timestamp": at, field: what}
	body, err := ascii(obj{"object": p.net.Object, "entry": []obj{{"id": p.net.Account, "time": at + 1, "messaging": []obj{item}}}})
	if err != nil {
		return play.Webhook{}, err
	}
	return play.Webhook{Method: http.MethodPost, Header: p.sign(body), Body: body, ID: id}, nil
}

// happening is the part of a webhook that says what happened, and the id of
// the message if it is a new one.
func (p *player) happening(a play.Act, at int64) (field string, what obj, id string, err error) {
	switch a.Kind { //nolint:exhaustive // the others are unheard of here
	case sotto.EventMessage, sotto.EventEcho:
		m := p.message(a)
		return "message", m, m["mid"].(string), nil //nolint:forcetypeassert,errcheck // set there
	case sotto.EventButton:
		id = p.newID()
		if a.Text == "" { // of a menu or of the welcome screen
			return "postback", obj{"mid": id, "title": "Menu", "payload": a.Payload}, id, nil
		}
		return "message", obj{"mid": id, "text": a.Text, "quick_reply": obj{"payload": a.Payload}}, id, nil
	case sotto.EventEdit:
		return "message_edit", obj{"mid": a.ID, "text": a.Text, "num_edit": p.count()}, "", nil
	case sotto.EventDelete:
		return "message", obj{"mid": a.ID, "is_deleted": true}, "", nil
	case sotto.EventReaction:
		if a.Text == "" {
			return "reaction", obj{"mid": a.ID, "action": "unreact"}, "", nil
		}
		return "reaction", obj{"mid": a.ID, "action": "react", "reaction": "other", "emoji": a.Text}, "", nil
	case sotto.EventReceipt:
		if p.net.Seen {
			return "read", obj{"mid": a.ID}, "", nil
		}
		return "read", obj{"watermark": at}, "", nil
	case sotto.EventOptIn, sotto.EventOptOut:
		if p.net.OptIns {
			status := map[sotto.EventKind]string{sotto.EventOptIn: "RESUME_NOTIFICATIONS", sotto.EventOptOut: "STOP_NOTIFICATIONS"}[a.Kind]
			return "optin", obj{
				"type": "notification_messages", "payload": a.Payload, "title": "Updates",
				"notification_messages_token": "token-of-a-played-person", "notification_messages_status": status,
			}, "", nil
		}
	}
	return "", nil, "", play.ErrNoSuch
}

// message is a message, which a person or, as an echo, the account wrote.
func (p *player) message(a play.Act) obj {
	m := obj{"mid": p.newID()}
	if a.Kind == sotto.EventEcho {
		m["is_echo"], m["app_id"] = true, json.Number(playedApp)
	}
	if a.Text != "" {
		m["text"] = a.Text
	}
	if a.ReplyTo != "" {
		m["reply_to"] = obj{"mid": a.ReplyTo}
	}
	if a.File != nil {
		kind, _, _ := strings.Cut(a.File.MIME, "/")
		if kind != "image" && kind != "video" && kind != "audio" {
			kind = "file"
		}
		m["attachments"] = []obj{{"type": kind, "payload": obj{"url": p.keep(*a.File)}}}
	}
	return m
}

// keep holds a file ready and returns where.
func (p *player) keep(f channel.File) string {
	name := strconv.FormatInt(p.count(), 10)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files[name] = f
	return cmp.Or(p.base, "https://scontent.xx.fbcdn.net") + "/media/" + name
}

// sign proves a body, in both ways that Meta does.
func (p *player) sign(body []byte) http.Header {
	strong, weak := hmac.New(sha256.New, []byte(p.secret)), hmac.New(sha1.New, []byte(p.secret))
	strong.Write(body)
	weak.Write(body)
	return http.Header{
		"Content-Type":        {"application/json"},
		"X-Hub-Signature":     {"sha1=" + hex.EncodeToString(weak.Sum(nil))},
		"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(strong.Sum(nil))},
	}
}

// ascii is JSON as Meta writes it: everything beyond ASCII, and every slash,
// is escaped.
func ascii(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("played webhook: %w", err)
	}
	out := make([]byte, 0, len(b)+len(b)/8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == '/':
			out = append(out, '\\', '/')
		case r < utf8.RuneSelf:
			out = append(out, b[0])
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		b = b[n:]
	}
	return out, nil
}
