package viber

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// errNotCallback says that a body is not one of Viber's callbacks.
var errNotCallback = errors.New("not a callback of Viber")

// Decode reads a body without any configuration.
func Decode(body []byte) (channel.Batch, error) { return decode(body) }

// Decode implements [channel.Adapter]. A body is one callback and gives one
// event, except for the check of a webhook, which gives none.
func (*Adapter) Decode(body []byte) (channel.Batch, error) { return decode(body) }

// callback is one callback while it is read. Names, avatars, devices, phone
// numbers and positions are passed over: what is not read cannot leak.
type callback struct {
	event, token string
	stamp        int64
	stamped      bool
	sender       person // who wrote
	user         person // who opened the chat or subscribed
	userID       string // who unsubscribed, or got a message
	msg          message
	has          bool // a message
}

type person struct{ id, language string }

type message struct {
	kind, text, media, name string
}

func decode(body []byte) (channel.Batch, error) {
	s := wire.NewScanner(body)
	var c callback
	is := s.Object()
	for ok := is; ok && s.Field(); {
		c.read(&s)
	}
	switch err := s.End(); {
	case err != nil:
		return channel.Batch{}, sotto.E("viber.decode", sotto.KindInvalid, err)
	case !is || !c.plausible():
		return channel.Batch{}, sotto.E("viber.decode", sotto.KindInvalid, errNotCallback)
	case c.event == "webhook":
		return channel.Batch{}, nil
	}
	e, ok := c.tell()
	if !ok {
		return channel.Batch{Unknown: 1}, nil
	}
	if e.Delivery == "" {
		sum := sha256.Sum256(body) // the network gives no id
		e.Delivery = "h" + hex.EncodeToString(sum[:16])
	}
	return channel.Batch{Events: []channel.Event{e}}, nil
}

// plausible reports whether a body is Viber's: others name an event as well,
// but none beside a message_token, or with these people.
func (c *callback) plausible() bool {
	who := c.sender.id != "" || c.user.id != "" || c.userID != ""
	switch c.event {
	case "webhook":
		return c.token != "" || c.stamped
	case "":
		return c.token != "" && c.has && c.sender.id != "" // a message without its frame
	}
	return c.token != "" || c.stamped && who
}

func (c *callback) read(s *wire.Scanner) {
	switch string(s.Name()) {
	case "event":
		c.event = s.Text()
	case "message_token":
		c.token = s.ID()
	case "timestamp":
		c.stamp = s.Int()
		c.stamped = true
	case "sender":
		c.sender.read(s)
	case "user":
		c.user.read(s)
	case "user_id":
		c.userID = s.ID()
	case "message":
		c.has = s.Peek() == '{'
		c.msg.read(s)
	default:
		s.Skip()
	}
}

func (p *person) read(s *wire.Scanner) {
	*p = person{}
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			p.id = s.ID()
		case "language":
			p.language = tag(s.Text())
		default:
			s.Skip()
		}
	}
}

func (m *message) read(s *wire.Scanner) {
	*m = message{}
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "type":
			m.kind = s.Text()
		case "text":
			m.text = s.Text()
		case "media":
			m.media = s.Text()
		case "file_name":
			m.name = s.Text()
		default: // also tracking_data, which the client sends back as it likes
			s.Skip()
		}
	}
}

// tell makes an event; false means a kind that is not known.
func (c *callback) tell() (channel.Event, bool) {
	e := channel.Event{ID: c.token, Time: wire.UnixMilli(c.stamp), Sender: c.userID, Language: c.user.language}
	if e.Sender == "" {
		e.Sender = c.user.id
	}
	unique := true // the token is this callback's own
	switch c.event {
	case "message", "":
		e.Kind, e.Sender, e.Language = sotto.EventMessage, c.sender.id, c.sender.language
		c.msg.fill(&e)
	case "subscribed":
		e.Kind = sotto.EventUnblock
	case "unsubscribed":
		e.Kind = sotto.EventBlock // and so nothing is sent any more, at once
	case "conversation_started":
		e.Kind = sotto.EventJoin
	case "delivered", "seen", "failed":
		e.Kind, unique = sotto.EventReceipt, false
	case "client_status", "action":
		e.Kind, unique = sotto.EventOther, false
	default:
		return e, false
	}
	e.Conversation = e.Sender
	switch {
	case c.token == "":
	case unique:
		e.Delivery = "t" + c.token
	default:
		e.Delivery = strings.Join([]string{c.event, c.token, e.Sender}, "/")
	}
	return e, true
}

// fill puts in what a message says.
func (m *message) fill(e *channel.Event) {
	e.Text = m.text
	a := channel.Attachment{Kind: "other", ID: m.media, Name: m.name}
	switch m.kind {
	case "text":
		return
	case "":
		if m.media == "" {
			return
		}
	case "url": // what the person sees is the address
		if e.Text == "" {
			e.Text = m.media
		}
		return
	case "picture", "gif":
		a.Kind = "image"
	case "video", "file", "sticker", "location", "contact", "audio":
		a.Kind = m.kind
	}
	if a.Kind == "sticker" || a.Kind == "location" || a.Kind == "contact" {
		a.ID = ""
	}
	e.Attachments = []channel.Attachment{a}
}

// tag returns s if it can be a BCP 47 tag.
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
