package telegram

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
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

// What a player is made of unless its Config says otherwise. They look like
// credentials and are none.
const (
	playedToken  = "123456789:AAsim-token-of-a-played-network-00000"
	playedSecret = "sim-webhook-secret" //nolint:gosec // made up
	playedName   = "sotto_sim_bot"
	playedUser   = "41"
	playedOwner  = 777000111 // who owns the business account
)

// player is Telegram as bots meet it, from the documentation of the Bot API.
type player struct {
	token, secret string
	bot           int64
	now           func() time.Time

	mu     sync.Mutex
	next   int64                   // ids of updates, messages and presses
	files  map[string]channel.File // what people sent, by file_id
	recent []string                // the ids in files, oldest first
	hook   playedHook
	menu   json.RawMessage // of setMyCommands
	button json.RawMessage // of setChatMenuButton
}

// Player returns Telegram. Ids of users and groups are numbers there; a name
// that is none is given a number that is always the same. A user written
// "41@bc" meets the bot in the chat of a business account over the connection
// bc, where alone Telegram tells of deletions; the user "bot" is the bot itself,
// which joins and leaves groups.
func Player(c play.Config) play.Player {
	p := &player{
		token: cmp.Or(c.Token, playedToken), secret: cmp.Or(c.Secret, playedSecret),
		now: c.Now, next: 1000, files: map[string]channel.File{},
		menu: json.RawMessage(`[]`), button: json.RawMessage(`{"type":"default"}`),
	}
	if p.now == nil {
		p.now = time.Now //nolint:forbidigo // the default that play.Config promises
	}
	id, _, _ := strings.Cut(p.token, ":")
	p.bot, _ = strconv.ParseInt(id, 10, 64) // a token of another form has no bot
	return p
}

// Channel implements [play.Player].
func (*player) Channel() string { return "telegram" }

// Settings implements [play.Player].
func (p *player) Settings(base string) map[string]string {
	return map[string]string{"token": p.token, "secret": p.secret, "username": playedName, "api": base}
}

// Questions implements [play.Player]: Telegram asks none.
func (*player) Questions() []play.Webhook { return nil }

// Answered implements [play.Player].
func (*player) Answered(play.Webhook, int, http.Header, []byte) error {
	return errors.New("Telegram asks no questions") //nolint:staticcheck // a name begins with a capital
}

// obj is a JSON object. Its fields come out in the order of the alphabet,
// which means nothing in JSON.
type obj = map[string]any

// scene is who acts where.
type scene struct {
	user       int64
	connection string // of a business account
	chat       obj
	id         int64 // of the chat
	now        int64
}

// Webhook implements [play.Player].
func (p *player) Webhook(a play.Act) (play.Webhook, error) {
	s := p.scene(a)
	field, inside, id, err := p.update(a, s)
	if err != nil {
		return play.Webhook{}, err
	}
	head, err := ascii(p.id())
	if err != nil {
		return play.Webhook{}, err
	}
	body, err := ascii(inside)
	if err != nil {
		return play.Webhook{}, err
	}
	w := play.Webhook{
		Method: http.MethodPost,
		Header: http.Header{"Content-Type": {"application/json"}, secretHeader: {p.secret}},
		Body:   fmt.Appendf(nil, "{\"update_id\":%s,\n\"%s\":%s}", head, field, body),
	}
	if id != 0 {
		w.ID = strconv.FormatInt(id, 10)
	}
	return w, nil
}

func (p *player) scene(a play.Act) scene {
	user, connection, _ := strings.Cut(cmp.Or(a.User, playedUser), "@")
	s := scene{user: number(user, 1), connection: connection, now: p.now().Unix()}
	if user == "bot" {
		s.user = p.bot
	}
	s.id, s.chat = s.user, obj{"id": s.user, "type": "private", "first_name": "Sim", "username": "sim" + strconv.FormatInt(s.user, 10)}
	if a.Group != "" {
		s.id = number(a.Group, -1)
		s.chat = obj{"id": s.id, "type": "supergroup", "title": a.Group}
		if s.id > -1e12 {
			s.chat["type"] = "group"
		}
	}
	return s
}

// number is the id that a name stands for. Those of groups are negative.
func number(name string, sign int64) int64 {
	if n, err := strconv.ParseInt(name, 10, 64); err == nil && n != 0 {
		return n
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	n := 1_000_000_000 + int64(h.Sum32())
	if sign < 0 {
		n = -1_000_000_000_000 - n
	}
	return n
}

func (p *player) id() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	return p.next
}

func person(id int64) obj {
	return obj{"id": id, "is_bot": false, "first_name": "Sim", "username": "sim" + strconv.FormatInt(id, 10), "language_code": "en"}
}

func (p *player) self() obj {
	return obj{"id": p.bot, "is_bot": true, "first_name": "Sotto", "username": playedName}
}

// update words what somebody does: the field of the update, its value, and the
// id of a new message.
func (p *player) update(a play.Act, s scene) (field string, inside obj, id int64, err error) {
	business := ""
	if s.connection != "" {
		business = "business_"
	}
	switch a.Kind { //nolint:exhaustive // Telegram tells of no others
	case sotto.EventMessage:
		m := p.message(a, s)
		p.content(m, a)
		return business + "message", m, asID(m["message_id"]), nil
	case sotto.EventEdit:
		m := p.message(a, s)
		m["message_id"], m["edit_date"] = number(a.ID, 1), s.now
		p.content(m, a)
		return "edited_" + business + "message", m, 0, nil
	case sotto.EventButton:
		return "callback_query", p.press(a, s), 0, nil
	case sotto.EventReaction:
		return "message_reaction", reaction(a, s), 0, nil
	case sotto.EventDelete:
		if business == "" {
			break
		}
		return "deleted_business_messages", obj{"business_connection_id": s.connection, "chat": s.chat, "message_ids": []int64{number(a.ID, 1)}}, 0, nil
	case sotto.EventEcho:
		if business == "" {
			break
		}
		m := p.message(a, s)
		m["from"], m["sender_business_bot"], m["text"] = person(playedOwner), p.self(), a.Text
		return "business_message", m, asID(m["message_id"]), nil
	case sotto.EventBlock, sotto.EventUnblock, sotto.EventJoin, sotto.EventLeave:
		return p.membership(a, s)
	case sotto.EventMigrate:
		if a.Group == "" || a.Payload == "" {
			break
		}
		m := p.message(a, s)
		m["migrate_to_chat_id"] = number(a.Payload, -1)
		return "message", m, 0, nil
	}
	return "", nil, 0, play.ErrNoSuch
}

func asID(v any) int64 {
	n, _ := v.(int64) // what message put there
	return n
}

// message is a message without content.
func (p *player) message(a play.Act, s scene) obj {
	m := obj{"message_id": p.id(), "from": person(s.user), "chat": s.chat, "date": s.now}
	if s.connection != "" {
		m["business_connection_id"] = s.connection
	}
	if a.ReplyTo != "" {
		m["reply_to_message"] = obj{"message_id": number(a.ReplyTo, 1), "from": p.self(), "chat": s.chat, "date": s.now, "text": "…"}
	}
	return m
}

// content puts text and file into a message. Said to the bot in a group, the
// text begins with the bot's name, as people write it.
func (p *player) content(m obj, a play.Act) {
	text, entities := a.Text, []obj(nil)
	if a.Addressed && a.Group != "" && a.ReplyTo == "" {
		text = "@" + playedName + " " + text
		entities = append(entities, obj{"type": "mention", "offset": 0, "length": len(playedName) + 1})
	}
	if strings.HasPrefix(text, "/") {
		word, _, _ := strings.Cut(text, " ")
		entities = append(entities, obj{"type": "bot_command", "offset": 0, "length": len(utf16.Encode([]rune(word)))})
	}
	name, marks := "text", "entities"
	if a.File != nil {
		name, marks = "caption", "caption_entities"
		p.attach(m, a.File)
	}
	if text != "" || a.File == nil {
		m[name] = text
	}
	if entities != nil {
		m[marks] = entities
	}
}

// attach keeps a file for getFile and puts it into a message as the client
// would: a picture as a photograph of two sizes.
func (p *player) attach(m obj, f *channel.File) {
	n := strconv.FormatInt(p.id(), 10)
	id := "BQACAgIAAxkBAAI" + n
	p.mu.Lock()
	p.files[id] = *f
	p.recent = append(p.recent, id)
	if len(p.recent) > 32 {
		delete(p.files, p.recent[0])
		p.recent = p.recent[1:]
	}
	p.mu.Unlock()
	file := obj{"file_id": id, "file_unique_id": "u" + n, "file_size": len(f.Data)}
	kind, _, _ := strings.Cut(f.MIME, "/")
	switch kind {
	case "image":
		small := obj{"file_id": id + "s", "file_unique_id": "s" + n, "file_size": len(f.Data), "width": 90, "height": 90}
		file["width"], file["height"] = 800, 800
		m["photo"] = []obj{small, file}
		return
	case "audio", "video":
		file["duration"] = 1
		if kind == "video" {
			file["width"], file["height"] = 640, 480
		}
	default:
		kind = "document"
	}
	file["file_name"], file["mime_type"] = f.Name, f.MIME
	m[kind] = file
}

func (p *player) press(a play.Act, s scene) obj {
	under := obj{"message_id": p.id(), "from": p.self(), "chat": s.chat, "date": s.now, "text": "…"}
	if a.ID != "" {
		under["message_id"] = number(a.ID, 1)
	}
	if s.connection != "" {
		under["business_connection_id"] = s.connection
	}
	return obj{
		"id": strconv.FormatInt(p.id()<<20, 10), "from": person(s.user), "message": under,
		"chat_instance": strconv.FormatInt(-s.id, 10), "data": a.Payload,
	}
}

// reaction is a new one; without a text the old one is taken back.
func reaction(a play.Act, s scene) obj {
	before, after := []obj{}, []obj{{"type": "emoji", "emoji": a.Text}}
	if a.Text == "" {
		before, after = []obj{{"type": "emoji", "emoji": "👍"}}, before
	}
	return obj{
		"chat": s.chat, "message_id": number(a.ID, 1), "user": person(s.user), "date": s.now,
		"old_reaction": before, "new_reaction": after,
	}
}

// membership words who came and went: in a private chat the person blocks the
// bot, in a group the bot has its own update and people a message.
func (p *player) membership(a play.Act, s scene) (field string, inside obj, id int64, err error) {
	standing := func(was, is string) obj {
		return obj{
			"chat": s.chat, "from": person(number(playedUser, 1)), "date": s.now,
			"old_chat_member": obj{"user": p.self(), "status": was}, "new_chat_member": obj{"user": p.self(), "status": is, "until_date": 0},
		}
	}
	group, bot := a.Group != "", s.user == p.bot
	switch {
	case !group && (a.Kind == sotto.EventBlock || a.Kind == sotto.EventUnblock):
		was, is := "member", "kicked"
		if a.Kind == sotto.EventUnblock {
			was, is = is, was
		}
		m := standing(was, is)
		m["from"] = person(s.user)
		return "my_chat_member", m, 0, nil
	case group && bot && a.Kind == sotto.EventJoin:
		return "my_chat_member", standing("left", "member"), 0, nil
	case group && bot && a.Kind == sotto.EventLeave:
		return "my_chat_member", standing("member", "left"), 0, nil
	case group && a.Kind == sotto.EventJoin:
		m := p.message(a, s)
		who := person(s.user)
		m["new_chat_member"], m["new_chat_participant"], m["new_chat_members"] = who, who, []obj{who}
		return "message", m, 0, nil
	case group && a.Kind == sotto.EventLeave:
		m := p.message(a, s)
		m["left_chat_member"], m["left_chat_participant"] = person(s.user), person(s.user)
		return "message", m, 0, nil
	}
	return "", nil, 0, play.ErrNoSuch
}

// ascii is JSON as Telegram writes it: everything beyond ASCII is escaped.
func ascii(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("telegram player: %w", err)
	}
	var out []byte
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if r < utf8.RuneSelf {
			out = utf8.AppendRune(out, r)
			continue
		}
		for _, u := range utf16.Encode([]rune{r}) {
			out = fmt.Appendf(out, `\u%04x`, u)
		}
	}
	return out, nil
}
