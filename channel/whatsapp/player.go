package whatsapp

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
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

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// What a player is made of unless its Config says otherwise. They look like
// credentials and are none.
const (
	playedToken   = "EAAsimTokenOfAPlayedNetwork0000000000000" //nolint:gosec // made up
	playedSecret  = "sim-app-secret"                           //nolint:gosec // made up
	playedVerify  = "sim-verify-token"                         //nolint:gosec // made up
	playedApp     = "670843887433847"
	playedAccount = "102290129340398"
	playedNumber  = "106540352242922" // Meta's id of the business number
	playedDisplay = "15550783881"
	playedUser    = "16505551234"
)

// obj is a JSON object. Its fields come out in the order of the alphabet,
// which means nothing in JSON.
type obj = map[string]any

// player is WhatsApp as bots meet it, from the documentation of the Cloud API.
type player struct {
	token, secret, verify string
	now                   func() time.Time

	mu      sync.Mutex
	next    int64
	media   map[string]channel.File // by id
	recent  []string                // the ids in media, oldest first
	hook    obj                     // the app's webhook
	apps    bool                    // the account tells the app of events
	menu    obj
	sites   []string
	written map[string]time.Time // when each person last wrote
}

// Player returns WhatsApp. A user written with digits is a phone number, one
// such as "US.13491208655302741918" somebody who shows no number, and
// "16505551234@US.13491208655302741918" somebody of whom both are told.
func Player(c play.Config) play.Player {
	p := &player{
		token: cmp.Or(c.Token, playedToken), secret: cmp.Or(c.Secret, playedSecret), verify: playedVerify, now: c.Now,
		next: 1000, media: map[string]channel.File{}, menu: obj{}, written: map[string]time.Time{},
	}
	if c.Secret != "" {
		p.verify += "-" + c.Secret // another app has another word
	}
	if p.now == nil {
		p.now = time.Now //nolint:forbidigo // the default that play.Config promises
	}
	return p
}

// Channel implements [play.Player].
func (*player) Channel() string { return "whatsapp" }

// Settings implements [play.Player].
func (p *player) Settings(base string) map[string]string {
	return map[string]string{
		"phone_number_id": playedNumber, "business_account_id": playedAccount, "app_id": playedApp,
		"app_secret": p.secret, "verify_token": p.verify, "access_token": p.token, "api": base,
	}
}

// Questions implements [play.Player].
func (p *player) Questions() []play.Webhook {
	q := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {p.verify}}
	return []play.Webhook{{Method: http.MethodGet, Query: q.Encode()}}
}

// Answered implements [play.Player].
func (*player) Answered(w play.Webhook, status int, _ http.Header, body []byte) error {
	q, err := url.ParseQuery(w.Query)
	switch {
	case err != nil:
		return errors.New("no question of WhatsApp")
	case status != http.StatusOK:
		return fmt.Errorf("the answer has status %d, not 200", status)
	case !bytes.Equal(bytes.TrimSpace(body), []byte(q.Get("hub.challenge"))):
		return errors.New("the answer is not the challenge")
	}
	return nil
}

// person is who acts: what is told of them.
type person struct{ phone, user string }

func who(id string) person {
	phone, user, both := strings.Cut(cmp.Or(id, playedUser), "@")
	switch {
	case both:
		return person{phone, user}
	case strings.Contains(phone, "."):
		return person{"", phone}
	}
	return person{phone: phone}
}

// contact is the entry of contacts that goes with every message.
func (w person) contact() obj {
	c := obj{"profile": obj{"name": "Sim Person"}}
	set(c, "wa_id", w.phone)
	set(c, "user_id", w.user)
	return c
}

func set(o obj, name, value string) {
	if value != "" {
		o[name] = value
	}
}

// Webhook implements [play.Player].
func (p *player) Webhook(a play.Act) (play.Webhook, error) {
	by := who(a.User)
	field, value, id, err := p.value(a, by)
	if err != nil {
		return play.Webhook{}, err
	}
	value["messaging_product"] = "whatsapp"
	value["metadata"] = obj{"display_phone_number": playedDisplay, "phone_number_id": playedNumber}
	body, err := ascii(obj{"object": "whatsapp_business_account", "entry": []obj{{
		"id": playedAccount, "changes": []obj{{"field": field, "value": value}},
	}}})
	if err != nil {
		return play.Webhook{}, err
	}
	if a.Kind == sotto.EventMessage || a.Kind == sotto.EventButton {
		p.mu.Lock()
		p.written[by.phone], p.written[by.user] = p.now(), p.now()
		p.mu.Unlock()
	}
	m := hmac.New(sha256.New, []byte(p.secret))
	m.Write(body)
	return play.Webhook{
		Method: http.MethodPost, Body: body, ID: id,
		Header: http.Header{
			"Content-Type":        {"application/json"},
			"User-Agent":          {"facebookexternalua"},
			"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(m.Sum(nil))},
		},
	}, nil
}

// value words what somebody does.
func (p *player) value(a play.Act, by person) (field string, v obj, id string, err error) {
	at := strconv.FormatInt(p.now().Unix(), 10)
	m := obj{"id": p.id(), "timestamp": at}
	id, _ = m["id"].(string)
	set(m, "from", by.phone)
	set(m, "from_user_id", by.user)
	set(m, "group_id", a.Group)
	if a.ReplyTo != "" {
		m["context"] = obj{"from": playedDisplay, "id": a.ReplyTo}
	}
	messages := func(kind string, holds any) (string, obj, string, error) {
		m["type"] = kind
		if holds != nil {
			m[kind] = holds
		}
		return "messages", obj{"contacts": []obj{by.contact()}, "messages": []obj{m}}, id, nil
	}
	switch a.Kind { //nolint:exhaustive // of the others a bot is not told
	case sotto.EventMessage:
		if a.File != nil {
			kind, holds := p.keep(a.File)
			set(holds, "caption", a.Text)
			return messages(kind, holds)
		}
		if a.Group != "" && a.Addressed && a.ReplyTo == "" {
			a.Text = "@" + playedDisplay + " " + a.Text
		}
		return messages("text", obj{"body": a.Text})
	case sotto.EventButton:
		m["context"] = obj{"from": playedDisplay, "id": cmp.Or(a.ID, "wamid.sim0")}
		return messages("interactive", obj{"type": "button_reply", "button_reply": obj{"id": a.Payload, "title": cmp.Or(a.Text, a.Payload)}})
	case sotto.EventEdit:
		return messages("edit", obj{"original_message_id": a.ID, "message": obj{"type": "text", "text": obj{"body": a.Text}}})
	case sotto.EventDelete:
		return messages("revoke", obj{"original_message_id": a.ID})
	case sotto.EventReaction:
		return messages("reaction", obj{"message_id": a.ID, "emoji": cmp.Or(a.Text, "👍")})
	case sotto.EventMigrate:
		return p.migrate(a, by, m)
	case sotto.EventReceipt:
		s := obj{"id": a.ID, "status": cmp.Or(a.Text, "read"), "timestamp": at, "recipient_id": by.phone}
		set(s, "recipient_user_id", by.user)
		if a.Group != "" {
			s = obj{"id": a.ID, "status": s["status"], "timestamp": at, "recipient_id": a.Group, "recipient_type": "group"}
			set(s, "recipient_participant_id", by.phone)
			set(s, "recipient_participant_user_id", by.user)
		}
		return "messages", obj{"contacts": []obj{by.contact()}, "statuses": []obj{s}}, "", nil
	case sotto.EventOptIn, sotto.EventOptOut:
		if a.Group != "" {
			break // a person chooses for themselves
		}
		s := obj{"category": "marketing_messages", "detail": "The person chose so.", "value": "stop", "timestamp": p.now().Unix()}
		if a.Kind == sotto.EventOptIn {
			s["value"] = "resume"
		}
		set(s, "wa_id", by.phone)
		set(s, "user_id", by.user)
		return "user_preferences", obj{"contacts": []obj{by.contact()}, "user_preferences": []obj{s}}, "", nil
	case sotto.EventEcho:
		m["from"], m["to"], m["type"], m["text"] = playedDisplay, by.phone, "text", obj{"body": a.Text}
		delete(m, "from_user_id")
		set(m, "to_user_id", by.user)
		return "smb_message_echoes", obj{"message_echoes": []obj{m}}, id, nil
	case sotto.EventJoin, sotto.EventLeave:
		return p.membership(a, by, at, messages)
	}
	return "", nil, "", play.ErrNoSuch
}

// membership is that somebody enters or leaves a group, or opens the chat for
// the first time. The user "bot" is the business, which makes and closes groups.
func (p *player) membership(a play.Act, by person, at string, messages func(string, any) (string, obj, string, error)) (string, obj, string, error) {
	join := a.Kind == sotto.EventJoin
	switch {
	case a.Group == "" && join:
		return messages("request_welcome", nil)
	case a.Group == "":
		return "", nil, "", play.ErrNoSuch
	case a.User == "bot":
		kind := "group_create"
		if !join {
			kind = "group_delete"
		}
		return "group_lifecycle_update", obj{"groups": []obj{{"group_id": a.Group, "type": kind, "timestamp": at, "subject": "Sim"}}}, "", nil
	}
	g := obj{"group_id": a.Group, "type": "group_participants_add", "timestamp": at, "reason": "invite_link", "added_participants": []obj{by.contact()}}
	if !join {
		g["type"], g["removed_participants"], g["initiated_by"] = "group_participants_remove", g["added_participants"], "participant"
		delete(g, "added_participants")
		delete(g, "reason")
	}
	return "group_participants_update", obj{"groups": []obj{g}}, "", nil
}

// migrate is that somebody has another number now, or, where no number is told,
// another id.
func (p *player) migrate(a play.Act, by person, m obj) (string, obj, string, error) {
	m["type"] = "system"
	id, _ := m["id"].(string)
	if by.phone == "" {
		delete(m, "from_user_id")
		m["system"] = obj{"type": "user_changed_user_id", "body": "Sim Person changed", "previous_user_id": by.user, "user_id": a.Payload}
	} else {
		m["system"] = obj{"type": "user_changed_number", "body": "Sim Person changed from " + by.phone + " to " + a.Payload, "wa_id": a.Payload}
	}
	return "messages", obj{"messages": []obj{m}}, id, nil
}

// id is a new message id.
func (p *player) id() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	return "wamid." + base64.StdEncoding.EncodeToString([]byte("sim-message-"+strconv.FormatInt(p.next, 10)))
}

// maxKept is how many files the player can hand out again.
const maxKept = 100

// keep takes a file that a person sends and returns how a webhook tells of it.
func (p *player) keep(f *channel.File) (kind string, holds obj) {
	kind, _, _ = strings.Cut(f.MIME, "/")
	if kind != "image" && kind != "audio" && kind != "video" {
		kind = "document"
	}
	sum := sha256.Sum256(f.Data)
	holds = obj{"id": p.store(f), "mime_type": f.MIME, "sha256": base64.StdEncoding.EncodeToString(sum[:])}
	if kind == "document" {
		holds["filename"] = f.Name
	}
	return kind, holds
}

func (p *player) store(f *channel.File) (id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	id = "77" + strconv.FormatInt(p.next, 10)
	p.media[id] = *f
	p.recent = append(p.recent, id)
	if len(p.recent) > maxKept {
		delete(p.media, p.recent[0])
		p.recent = p.recent[1:]
	}
	return id
}

// ascii writes JSON as Meta does: everything but ASCII is escaped, and so are
// slashes.
func ascii(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("whatsapp player: %w", err)
	}
	var out bytes.Buffer
	for _, r := range strings.TrimSpace(b.String()) {
		switch {
		case r == '/':
			out.WriteString(`\/`)
		case r < 0x7F:
			out.WriteRune(r)
		default:
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, u)
			}
		}
	}
	return out.Bytes(), nil
}
