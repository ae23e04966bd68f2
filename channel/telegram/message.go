package telegram

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// message holds what is needed of a message. Coordinates, telephone numbers
// of shared contacts, names, thumbnails and the text replied to are passed
// over: what is not read cannot leak.
type message struct {
	id, connection        string
	from                  user
	chat                  chat
	date, edited          int64
	text, caption         string
	entities, captionEnts []entity
	replyTo               user
	files                 []channel.Attachment
	joined                []string
	left                  string
	migrateTo             string
	migrateFrom           string
	byBot                 bool // sent by the bot itself for the business account
}

// entity is a marked part of the text. Offset and length count UTF-16 units.
type entity struct {
	kind           string
	offset, length int64
	user           string
}

func (m *message) read(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		name := string(s.Name())
		switch name {
		case "message_id":
			m.id = s.ID()
		case "from":
			m.from.read(s)
		case "chat":
			m.chat.read(s)
		case "date":
			m.date = s.Int()
		case "edit_date":
			m.edited = s.Int()
		case "text":
			m.text = s.Text()
		case "caption":
			m.caption = s.Text()
		case "entities":
			m.entities = readEntities(s)
		case "caption_entities":
			m.captionEnts = readEntities(s)
		case "reply_to_message":
			m.replyTo = readSender(s)
		case "business_connection_id":
			m.connection = s.ID()
		case "sender_business_bot":
			m.byBot = true
			s.Skip()
		default:
			m.readMore(s, name)
		}
	}
}

// readMore reads the fields that most messages do not have.
func (m *message) readMore(s *wire.Scanner, name string) {
	switch name {
	case "new_chat_members":
		m.joined = nil
		for ok := s.Array(); ok && s.Elem(); {
			var u user
			u.read(s)
			m.joined = append(m.joined, u.id)
		}
	case "left_chat_member":
		var u user
		u.read(s)
		m.left = u.id
	case "migrate_to_chat_id":
		m.migrateTo = s.ID()
	case "migrate_from_chat_id":
		m.migrateFrom = s.ID()
	case "photo":
		m.photo(s)
	case "video", "animation", "video_note", "live_photo":
		m.file(s, "video")
	case "audio", "voice":
		m.file(s, "audio")
	case "document":
		m.file(s, "file")
	case "sticker":
		m.file(s, "sticker")
	case "location", "venue":
		m.attach(s, "location")
	case "contact":
		m.attach(s, "contact")
	case "story", "poll", "dice", "game", "paid_media", "checklist":
		m.attach(s, "other")
	default:
		s.Skip()
	}
}

// attach notes an attachment of which nothing but the kind is kept. A venue
// comes with its location, and counts once.
func (m *message) attach(s *wire.Scanner, kind string) {
	s.Skip()
	a := channel.Attachment{Kind: kind}
	if !slices.Contains(m.files, a) {
		m.files = append(m.files, a)
	}
}

// photo notes the largest size of a picture, which is the last.
func (m *message) photo(s *wire.Scanner) {
	a := channel.Attachment{Kind: "image", MIME: "image/jpeg"}
	any := false
	for ok := s.Array(); ok && s.Elem(); {
		readFile(s, &a)
		any = true
	}
	if any {
		m.files = append(m.files, a)
	}
}

// file notes a file. An animation comes once more as a document, and counts once.
func (m *message) file(s *wire.Scanner, kind string) {
	a := channel.Attachment{Kind: kind}
	readFile(s, &a)
	for i := range m.files {
		if have := &m.files[i]; have.ID == a.ID && a.ID != "" {
			if have.Kind == "file" {
				have.Kind = kind
			}
			return
		}
	}
	m.files = append(m.files, a)
}

func readFile(s *wire.Scanner, a *channel.Attachment) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "file_id":
			a.ID = s.ID()
		case "mime_type":
			a.MIME = s.Text()
		case "file_name":
			a.Name = s.Text()
		default:
			s.Skip()
		}
	}
}

func readEntities(s *wire.Scanner) []entity {
	var list []entity
	for ok := s.Array(); ok && s.Elem(); {
		var e entity
		for ok := s.Object(); ok && s.Field(); {
			switch string(s.Name()) {
			case "type":
				e.kind = s.Text()
			case "offset":
				e.offset = s.Int()
			case "length":
				e.length = s.Int()
			case "user":
				var u user
				u.read(s)
				e.user = u.id
			default:
				s.Skip()
			}
		}
		switch e.kind {
		case "bot_command", "mention", "text_mention":
			list = append(list, e)
		}
	}
	return list
}

// readSender reads who sent a message, and nothing else of it.
func readSender(s *wire.Scanner) (u user) {
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) == "from" {
			u.read(s)
		} else {
			s.Skip()
		}
	}
	return u
}

// event says what the message means.
func (m *message) event(e *channel.Event, field string, me self) {
	e.ID, e.Sender, e.Language = m.id, m.from.id, m.from.language
	e.Conversation = conversation(m.chat.id, m.connection)
	e.Group = m.chat.group()
	e.Time = wire.Unix(max(m.date, m.edited))
	e.Text, e.Attachments = m.text, m.files
	ents := m.entities
	if e.Text == "" {
		e.Text, ents = m.caption, m.captionEnts
	}
	e.Kind = m.kind(field, e)
	switch {
	case e.Kind == sotto.EventMigrate && m.migrateTo != "":
		e.Payload = m.migrateTo
	case e.Kind == sotto.EventMigrate:
		e.Conversation, e.Payload = m.migrateFrom, m.chat.id
	case e.Group:
		e.Addressed = me.replied(m.replyTo) || slices.ContainsFunc(ents, func(n entity) bool { return me.meant(e.Text, n) })
	}
}

func (m *message) kind(field string, e *channel.Event) sotto.EventKind {
	switch {
	case m.migrateTo != "" || m.migrateFrom != "":
		return sotto.EventMigrate
	case strings.HasSuffix(field, "channel_post"):
		return sotto.EventOther // a channel speaks, not a person
	case field == guest:
		return sotto.EventOther
	case m.byBot, m.connection != "" && m.from.id != m.chat.id:
		return sotto.EventEcho // written for the business account, not to it
	case m.left != "" && m.left == m.from.id:
		return sotto.EventLeave
	case m.from.id != "" && slices.Contains(m.joined, m.from.id):
		return sotto.EventJoin
	case m.from.id == "" || m.from.bot:
		// Another bot, or an anonymous administrator, whose id all of them on
		// Telegram share: nobody whose data could be told from another's.
		return sotto.EventOther
	case strings.HasPrefix(field, "edited_"):
		return sotto.EventEdit
	case e.Text == "" && len(e.Attachments) == 0:
		return sotto.EventOther // a notice of Telegram's: a new title, a pinned message
	}
	return sotto.EventMessage
}

// replied reports whether a message of the bot is answered.
func (me self) replied(to user) bool {
	if me.id != "" {
		return to.id == me.id
	}
	return to.bot
}

// meant reports whether an entity names the bot. A command without a name is
// for every bot that sees it. While the bot does not know its name, a name
// with the ending that all bots have counts as its own: with Telegram's group
// privacy on, no other bot's commands come here.
func (me self) meant(text string, e entity) bool {
	if e.kind == "text_mention" {
		return me.id != "" && e.user == me.id
	}
	part := units(text, e.offset, e.length)
	_, name, named := strings.Cut(part, "@")
	if !named {
		return e.kind == "bot_command" && part != ""
	}
	name = strings.ToLower(name)
	if me.name != "" {
		return name == me.name
	}
	return strings.HasSuffix(name, "bot")
}

// units cuts a part out of text by UTF-16 offset and length; "" where they do
// not fit the text.
func units(text string, offset, length int64) string {
	if offset < 0 || length <= 0 || offset+length > int64(len(text)) || offset+length < 0 {
		return ""
	}
	start, pos := -1, int64(0)
	for i, r := range text {
		if pos == offset && start < 0 {
			start = i
		}
		if pos == offset+length {
			return cutAt(text, start, i)
		}
		pos++
		if r > 0xFFFF {
			pos++
		}
	}
	if pos == offset+length {
		return cutAt(text, start, len(text))
	}
	return ""
}

func cutAt(text string, start, end int) string {
	if start < 0 || !utf8.RuneStart(text[start]) {
		return ""
	}
	return text[start:end]
}

// other holds what is needed of an update that is not a message.
type other struct {
	id, connection string
	from           user
	chat           chat
	date           int64
	text, data     string
	message        message // under a pressed button
	messageID      string
	was, is        member
}

// member is somebody's standing in a chat.
type member struct {
	user, status string
	here         bool // of a restricted one
}

func (o *other) read(s *wire.Scanner, deleted *[]string) {
	if deleted != nil {
		*deleted = nil
	}
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			o.id = s.ID()
		case "from", "user":
			o.from.read(s)
		case "chat":
			o.chat.read(s)
		case "business_connection_id":
			o.connection = s.ID()
		case "date":
			o.date = s.Int()
		case "query":
			o.text = s.Text()
		case "data":
			o.data = s.Text()
		case "message_id":
			o.messageID = s.ID()
		case "message":
			o.message = message{}
			o.message.read(s)
		case "message_ids":
			for ok := s.Array(); ok && s.Elem(); {
				if id := s.ID(); id != "" && deleted != nil {
					*deleted = append(*deleted, id)
				}
			}
		case "old_chat_member":
			o.was.read(s)
		case "new_chat_member":
			o.is.read(s)
		default:
			s.Skip()
		}
	}
}

func (m *member) read(s *wire.Scanner) {
	*m = member{}
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "status":
			m.status = s.Text()
		case "is_member":
			m.here = s.Bool()
		case "user":
			var u user
			u.read(s)
			m.user = u.id
		default:
			s.Skip()
		}
	}
}

// in reports whether the member is in the chat.
func (m *member) in() bool {
	switch m.status {
	case "creator", "administrator", "member":
		return true
	case "restricted":
		return m.here
	}
	return false
}

// event says what the update means.
func (o *other) event(e *channel.Event, field string) {
	e.Sender, e.Language, e.Text = o.from.id, o.from.language, o.text
	e.Conversation = conversation(o.chat.id, o.connection)
	e.Group = o.chat.group()
	e.ID = o.messageID
	e.Time = wire.Unix(o.date)
	switch field {
	case "callback_query":
		o.button(e)
	case "my_chat_member":
		e.Kind = o.standing()
		e.Self = e.Kind == sotto.EventJoin || e.Kind == sotto.EventLeave
	case "chat_member":
		if o.is.user == o.from.id { // their own act, not an administrator's
			e.Kind = presence(&o.was, &o.is)
		}
	case "message_reaction":
		e.Kind = sotto.EventReaction
	case "deleted_business_messages":
		e.Kind = sotto.EventDelete
	}
}

// button reads a pressed button. One below a message that was placed in a
// chat through inline mode has no chat: the answer goes to the person, whose
// private chat has the person's own id.
func (o *other) button(e *channel.Event) {
	m := &o.message
	e.ID, e.Text, e.Payload, e.Callback = m.id, o.data, o.data, o.id
	e.Conversation, e.Group = conversation(m.chat.id, m.connection), m.chat.group()
	if m.chat.id == "" {
		e.Conversation = o.from.id
	}
	e.Addressed = e.Group
	e.Time = time.Time{} // Telegram tells when the message was sent, not when the button was pressed
	if o.data != "" {
		e.Kind = sotto.EventButton
	}
}

// standing says what became of the bot itself in a chat.
func (o *other) standing() sotto.EventKind {
	switch {
	case o.chat.kind == "channel": // nobody talks to it there
		return sotto.EventOther
	case o.chat.group():
		return presence(&o.was, &o.is)
	}
	switch o.is.status {
	case "kicked":
		return sotto.EventBlock
	case "member":
		return sotto.EventUnblock
	}
	return sotto.EventOther
}

func presence(was, is *member) sotto.EventKind {
	switch {
	case is.in() && !was.in():
		return sotto.EventJoin
	case was.in() && !is.in():
		return sotto.EventLeave
	}
	return sotto.EventOther
}
