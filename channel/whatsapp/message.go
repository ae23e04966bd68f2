package whatsapp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// message is one message while it is read. What it holds stands in a field that
// is named like its type, which may come behind it.
type message struct {
	id       string
	from     contact
	to       contact // of an echo
	group    string
	at       int64
	kind     string // the type that is told; "" = none
	holds    string // the last field that holds a message; "" = none
	text     string
	payload  string
	pressed  bool   // a button, an entry of a list, or a form was sent off
	silent   bool   // an answer that says nothing to a bot
	original string // id of the message that it is about
	answered string // the number whose message it answers
	files    []channel.Attachment
	sys      system
}

// system is what a message of the network itself says: that a person has
// another number or id now.
type system struct {
	kind               string
	phone, user        string // new
	previous, customer string // old
}

// message reads one message, or with echo one that the business itself sent.
func (v *value) message(s *wire.Scanner, echo bool) {
	var m message
	if is := s.Object(); is {
		m.fields(s)
	}
	if m.id == "" && (m.at == 0 || m.from == contact{}) {
		v.unknown()
		return
	}
	e := channel.Event{
		ID: m.id, Sender: m.from.phone, Alias: m.from.user, Time: wire.Moment(m.at),
		Delivery: key("m", m.id),
	}
	if m.id == "" {
		e.Delivery = key("m", m.from.phone, m.from.user, stamp(m.at), m.kind, m.text, m.payload)
	}
	if m.group != "" {
		e.Group, e.Conversation = true, m.group
	}
	switch {
	case echo:
		e.Kind, e.Text, e.Attachments = sotto.EventEcho, m.text, m.files
		e.Delivery = "e" + e.Delivery[1:]
		e.Alias = "" // it is the person's no more than Sender is
		if e.Conversation == "" {
			e.Conversation = m.to.phone
		}
		if e.Conversation == "" {
			e.Conversation = m.to.user
		}
		v.add(e)
		return
	case m.what() == "system":
		v.system(&m, e)
		return
	}
	if e.Kind = m.meaning(); e.Kind == "" {
		v.unknown()
		return
	}
	m.fill(&e)
	if e.Group && (e.Kind == sotto.EventMessage || e.Kind == sotto.EventButton) {
		e.Addressed = m.pressed || isCommand(m.text)
		v.lines = append(v.lines, line{at: len(v.Events), answered: m.answered})
	}
	v.add(e)
}

// fill puts into an event what its kind carries.
func (m *message) fill(e *channel.Event) {
	switch e.Kind { //nolint:exhaustive // the others carry nothing
	case sotto.EventMessage:
		e.Text, e.Attachments = m.text, m.files
	case sotto.EventButton:
		e.Text, e.Payload, e.Attachments = m.text, m.payload, m.files
	case sotto.EventEdit:
		e.ID, e.Own, e.Text, e.Attachments = m.original, m.id, m.text, m.files
	case sotto.EventDelete:
		e.ID, e.Own = m.original, m.id
	case sotto.EventReaction:
		e.ID, e.Own, e.Payload = m.original, m.id, m.payload
	}
}

// what is the type of the message: what is told, where that is a type that is
// known, and else what it holds.
func (m *message) what() string {
	if isType(m.kind) || m.holds == "" {
		return m.kind
	}
	return m.holds
}

func isType(t string) bool {
	switch t {
	case "text", "image", "audio", "voice", "video", "document", "sticker", "location", "contacts",
		"button", "interactive", "order", "reaction", "system", "edit", "revoke",
		"unsupported", "unknown", "ephemeral", "request_welcome", "media_placeholder":
		return true
	}
	return false
}

// meaning is the kind of event; "" for a type that is not known.
func (m *message) meaning() sotto.EventKind {
	switch m.what() {
	case "text", "image", "audio", "voice", "video", "document", "sticker", "location", "contacts", "order":
		return sotto.EventMessage
	case "button", "interactive":
		switch {
		case m.pressed:
			return sotto.EventButton
		case m.silent:
			return sotto.EventOther
		case m.text == "":
			m.files = append(m.files, channel.Attachment{Kind: "other"})
		}
		return sotto.EventMessage
	case "unsupported", "unknown", "ephemeral", "media_placeholder": // a person sent what Meta does not pass on
		if m.text == "" && len(m.files) == 0 {
			m.files = append(m.files, channel.Attachment{Kind: "other"})
		}
		return sotto.EventMessage
	case "reaction":
		return sotto.EventReaction
	case "edit":
		return sotto.EventEdit
	case "revoke":
		return sotto.EventDelete
	case "request_welcome":
		return sotto.EventJoin
	}
	return ""
}

func isCommand(text string) bool { return len(text) > 1 && text[0] == '/' && text[1] > ' ' }

// line is what was said in a group and may be to the business: which number is
// the business's may stand behind it.
type line struct {
	at       int    // among the events
	answered string // the number whose message it answers
}

// addressed reports whether a line in a group answers the business or mentions it.
func (v *value) addressed(l line, text string) bool {
	return l.answered != "" && (l.answered == v.account || sameNumber(l.answered, v.display)) || mentions(text, v.display)
}

// mentions reports whether a text mentions a number as WhatsApp writes it: "@"
// and all digits.
func mentions(text, number string) bool {
	for {
		_, rest, ok := strings.Cut(text, "@")
		if !ok {
			return false
		}
		end := 0
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		if sameNumber(rest[:end], number) {
			return true
		}
		text = rest
	}
}

// system adds what a message of the network says. A person who changes their
// number gets another id as well: those are two changes, of which a call may
// tell one.
func (v *value) system(m *message, e channel.Event) {
	y := &m.sys
	old := m.from
	if old.phone == "" {
		old.phone = y.customer
	}
	if y.previous != "" {
		old.user = y.previous
	}
	e.Kind, e.Sender, e.Alias = sotto.EventOther, old.phone, old.user
	if !strings.Contains(y.kind, "changed_number") && !strings.Contains(y.kind, "changed_user_id") {
		v.add(e) // such as a change of keys
		return
	}
	moved := false
	if old.phone != "" && y.phone != "" && y.phone != old.phone {
		e.Kind, e.Payload, moved = sotto.EventMigrate, y.phone, true
		if e.Alias == "" && y.customer != old.phone {
			e.Alias = y.customer
		}
		e.Conversation = e.Sender
		v.add(e)
	}
	if y.previous != "" && y.user != "" && y.user != y.previous {
		e.Kind, e.Sender, e.Payload = sotto.EventMigrate, y.previous, y.user
		e.Alias, e.Conversation = "", y.previous
		if moved {
			e.Delivery = key("u", m.id, y.previous, y.user)
		}
		moved = true
		v.add(e)
	}
	if !moved {
		v.add(e)
	}
}

func (m *message) fields(s *wire.Scanner) {
	for s.Field() {
		switch string(s.Name()) {
		case "id":
			m.id = s.ID()
		case "from":
			m.from.phone = s.ID()
		case "from_user_id":
			m.from.user = s.ID()
		case "to":
			m.to.phone = s.ID()
		case "to_user_id":
			m.to.user = s.ID()
		case "group_id":
			m.group = s.ID()
		case "timestamp":
			m.at = s.Int()
		case "type":
			m.kind = s.Text()
		case "context":
			m.context(s)
		default:
			if !m.content(s) {
				s.Skip()
			}
		}
	}
}

// content reads the field that holds what was said and reports whether it is
// one of those.
func (m *message) content(s *wire.Scanner) bool {
	switch string(s.Name()) {
	case "text":
		m.holds = "text"
		m.words(s)
	case "image", "audio", "voice", "video", "document", "sticker":
		m.holds = string(s.Name())
		m.file(s, m.holds)
	case "location":
		m.holds = "location" // where it is, is not read
		s.Skip()
		m.files = append(m.files, channel.Attachment{Kind: "location"})
	case "contacts":
		m.holds = "contacts"
		for ok := s.Array(); ok && s.Elem(); { // who it is, is not read
			s.Skip()
			m.files = append(m.files, channel.Attachment{Kind: "contact"})
		}
	case "order":
		m.holds = "order"
		m.words(s)
		m.files = append(m.files, channel.Attachment{Kind: "other"})
	case "button":
		m.holds, m.pressed = "button", true
		m.words(s)
	case "interactive":
		m.holds = "interactive"
		m.interactive(s)
	case "reaction", "revoke", "edit":
		m.holds = string(s.Name())
		m.about(s)
	case "system":
		m.holds = "system"
		m.sys.read(s)
	default:
		return false
	}
	return true
}

// words reads the fields by which texts, orders, buttons and answers carry what
// a person sees and what the bot gave along.
func (m *message) words(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "body", "text", "title":
			m.text = s.Text()
		case "payload", "id":
			m.payload = s.Text()
		default:
			s.Skip()
		}
	}
}

func (m *message) context(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "from":
			m.answered = s.ID()
		default:
			s.Skip()
		}
	}
}

func (m *message) interactive(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "button_reply", "list_reply":
			m.pressed = true
			m.words(s)
		case "nfm_reply":
			m.pressed = true
			m.form(s)
		case "call_permission_reply":
			m.silent = true
			s.Skip()
		case "body": // of a product that a person asks about
			m.words(s)
		default:
			s.Skip()
		}
	}
}

// form reads the answers to a form (a Flow). They come as JSON within a string.
func (m *message) form(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "response_json":
			m.payload = s.Text()
		default: // the body says only that it was sent, in the person's language
			s.Skip()
		}
	}
}

// about reads what is said of an earlier message: a reaction, a deletion, or
// what it reads from now on.
func (m *message) about(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "original_message_id", "message_id":
			m.original = s.ID()
		case "emoji":
			m.payload = s.Text()
		case "message":
			var now message
			if is := s.Object(); is {
				now.fields(s)
			}
			m.text, m.files = now.text, now.files
		default:
			s.Skip()
		}
	}
}

func (m *message) file(s *wire.Scanner, kind string) {
	switch kind {
	case "voice":
		kind = "audio"
	case "document":
		kind = "file"
	}
	a := channel.Attachment{Kind: kind}
	link := ""
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			a.ID = s.ID()
		case "url", "link":
			link = s.Text()
		case "mime_type":
			a.MIME = s.Text()
		case "sha256":
			a.Sum = sum(s.Text())
		case "filename":
			a.Name = s.Text()
		case "caption":
			m.text = s.Text()
		default:
			s.Skip()
		}
	}
	if a.ID == "" {
		a.ID = link
	}
	m.files = append(m.files, a)
}

// sum returns a SHA-256 in hexadecimal digits; "" where the text is none.
// Webhooks carry it in base64, the API in hexadecimal digits.
func sum(text string) string {
	if len(text) == hex.EncodedLen(sha256.Size) {
		if b, err := hex.DecodeString(text); err == nil {
			return hex.EncodeToString(b)
		}
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != sha256.Size {
		return ""
	}
	return hex.EncodeToString(b)
}

func (y *system) read(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "type":
			y.kind = s.Text()
		case "wa_id", "new_wa_id":
			y.phone = s.ID()
		case "user_id":
			y.user = s.ID()
		case "previous_user_id":
			y.previous = s.ID()
		case "customer":
			y.customer = s.ID()
		default: // the body names the person
			s.Skip()
		}
	}
}
