package telegram

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// errNotUpdate says that a body is not one of Telegram's updates.
var errNotUpdate = errors.New("not an update of Telegram")

// Decode reads an update as an adapter without a user name and token does: in
// groups it takes any bot that is mentioned or replied to for this one. It is
// for looking at a body by hand.
func Decode(body []byte) (channel.Batch, error) { return self{}.decode(body) }

// Decode implements [channel.Adapter]. A body is one update and gives one
// event, except for deleted messages of a business chat, which give one each.
func (a *Adapter) Decode(body []byte) (channel.Batch, error) { return a.self.decode(body) }

// self is what the bot knows of itself, for telling whether a line in a group
// is meant for it.
type self struct {
	id   string // user id; "" = not known
	name string // user name without @, lower case; "" = not known
}

// update is one update while it is read.
type update struct {
	id      string
	field   string // the field that says what happened; "" = none that is known
	fields  int    // how many fields beside the id
	lone    marks  // what the body would be if it were no update
	msg     message
	other   other
	deleted []string
}

// marks are fields by which an object is known that stands alone, without the
// update around it. Telegram sends none, but people keep them so.
type marks uint8

const (
	markMessageID marks = 1 << iota
	markChat
	markFrom
	markInstance
	markMember
	markOK
	markResult
)

func (m marks) all(want marks) bool { return m&want == want }

func (me self) decode(body []byte) (channel.Batch, error) {
	s := wire.NewScanner(body)
	if s.Peek() == '[' {
		return me.list(body)
	}
	var u update
	is := s.Object()
	for ok := is; ok && s.Field(); {
		u.read(&s)
	}
	if err := s.End(); err != nil {
		return channel.Batch{}, sotto.E("telegram.decode", sotto.KindInvalid, err)
	}
	if u.id == "" && u.lone != 0 {
		if u.lone.all(markOK | markResult) {
			return me.list(body)
		}
		u.alone(body)
	}
	// Other networks say "message" as well, but never alone.
	if !is || u.id == "" && (u.fields > 1 || u.fields == 1 && u.field == "") {
		return channel.Batch{}, sotto.E("telegram.decode", sotto.KindInvalid, errNotUpdate)
	}
	var b channel.Batch
	u.add(&b, me, body)
	return b, nil
}

// list reads several updates, alone or as getUpdates answers them. Each must
// have its id.
func (me self) list(body []byte) (channel.Batch, error) {
	var b channel.Batch
	s := wire.NewScanner(body)
	foreign := false
	read := func() {
		for ok := s.Array(); ok && s.Elem(); {
			var u update
			for ok := s.Object(); ok && s.Field(); {
				u.read(&s)
			}
			foreign = foreign || u.id == ""
			u.add(&b, me, body)
		}
	}
	answer := s.Peek() == '{'
	if !answer {
		read()
	}
	for ok := answer && s.Object(); ok && s.Field(); {
		if string(s.Name()) == "result" {
			read()
		} else {
			s.Skip()
		}
	}
	if err := s.End(); err != nil {
		return channel.Batch{}, sotto.E("telegram.decode", sotto.KindInvalid, err)
	}
	if foreign || !answer && len(b.Events)+b.Unknown == 0 {
		return channel.Batch{}, sotto.E("telegram.decode", sotto.KindInvalid, errNotUpdate)
	}
	return b, nil
}

// alone reads once more, as what stands in an update, a body that is none.
func (u *update) alone(body []byte) {
	s := wire.NewScanner(body)
	lone := update{fields: 1}
	switch {
	case u.lone.all(markMessageID | markChat):
		lone.field = "message"
		lone.msg.read(&s)
	case u.lone.all(markFrom | markInstance):
		lone.field = "callback_query"
		lone.other.read(&s, nil)
	case u.lone.all(markChat | markFrom | markMember):
		lone.field = "my_chat_member"
		lone.other.read(&s, nil)
	default:
		return
	}
	*u = lone
}

// read reads one field of the update.
func (u *update) read(s *wire.Scanner) {
	switch string(s.Name()) {
	case "update_id":
		u.id = s.ID()
		return
	case "message", "edited_message", "channel_post", "edited_channel_post",
		"business_message", "edited_business_message", guest:
		u.field = string(s.Name())
		u.msg = message{}
		u.msg.read(s)
	case "deleted_business_messages":
		u.field = string(s.Name())
		u.other = other{}
		u.other.read(s, &u.deleted)
	case "business_connection", "message_reaction", "message_reaction_count", "inline_query",
		"chosen_inline_result", "callback_query", "shipping_query", "pre_checkout_query",
		"purchased_paid_media", "poll", "poll_answer", "my_chat_member", "chat_member",
		"chat_join_request", "chat_boost", "removed_chat_boost", "managed_bot", "subscription":
		u.field = string(s.Name())
		u.other = other{}
		u.other.read(s, nil)
	default:
		u.mark(string(s.Name()))
		s.Skip()
	}
	u.fields++
}

// guest is a message to the bot in a chat that it is not in. It is answered
// through a method of its own, which this package does not use.
const guest = "guest_message"

func (u *update) mark(name string) {
	switch name {
	case "message_id":
		u.lone |= markMessageID
	case "chat":
		u.lone |= markChat
	case "from":
		u.lone |= markFrom
	case "chat_instance":
		u.lone |= markInstance
	case "new_chat_member":
		u.lone |= markMember
	case "ok":
		u.lone |= markOK
	case "result":
		u.lone |= markResult
	}
}

// add puts what the update says into b.
func (u *update) add(b *channel.Batch, me self, body []byte) {
	if u.field == "" {
		b.Unknown += u.fields
		return
	}
	e := channel.Event{Kind: sotto.EventOther}
	if isMessage(u.field) {
		u.msg.event(&e, u.field, me)
	} else {
		u.other.event(&e, u.field)
	}
	b.Events = append(b.Events, u.deliveries(e, body)...)
}

// deliveries gives e its de-duplication key, and makes one event of each
// deleted message. Update ids are unique for a bot; a body without one, which
// Telegram does not send, is named by its hash.
func (u *update) deliveries(e channel.Event, body []byte) []channel.Event {
	key := u.id
	if key == "" {
		sum := sha256.Sum256(body)
		key = "h" + hex.EncodeToString(sum[:16])
	}
	if u.field != "deleted_business_messages" {
		e.Delivery = key
		return []channel.Event{e}
	}
	events := make([]channel.Event, 0, len(u.deleted))
	for _, id := range u.deleted {
		e.ID, e.Delivery = id, key+"/"+id
		events = append(events, e)
	}
	return events
}

func isMessage(field string) bool {
	return strings.HasSuffix(field, "message") || strings.HasSuffix(field, "channel_post")
}

// user is who did something.
type user struct {
	id, language string
	bot          bool
}

func (u *user) read(s *wire.Scanner) {
	*u = user{}
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			u.id = s.ID()
		case "is_bot":
			u.bot = s.Bool()
		case "language_code":
			u.language = tag(s.Text())
		default:
			s.Skip()
		}
	}
}

// tag returns s if it can be a BCP 47 tag; some clients write en_US.
func tag(s string) string {
	if len(s) < 2 || len(s) > 35 {
		return ""
	}
	s = strings.ReplaceAll(s, "_", "-")
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return ""
		}
	}
	return s
}

// chat is where something happened.
type chat struct {
	id, kind string
}

func (c *chat) read(s *wire.Scanner) {
	*c = chat{}
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			c.id = s.ID()
		case "type":
			c.kind = s.Text()
		default:
			s.Skip()
		}
	}
}

// group reports whether others than one person read along. Ids of groups and
// channels are negative, should the type be missing.
func (c *chat) group() bool {
	switch c.kind {
	case "private", "sender":
		return false
	case "":
		return strings.HasPrefix(c.id, "-")
	}
	return true
}

// conversation is where an answer goes. A business chat belongs to the person
// who connected the bot, and is reached only through that connection.
func conversation(chat, connection string) string {
	if chat == "" || connection == "" {
		return chat
	}
	return chat + "@" + connection
}
