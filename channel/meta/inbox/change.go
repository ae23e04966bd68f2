package inbox

import (
	"cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// change is one element of changes: something that happened in public, such as
// a comment, which is not said to a bot and never answered. Instagram also
// tells of messages in this form; then the value is an item of the inbox.
type change struct {
	field  string
	object bool // the value is an object
	item   item

	from, sender       string // who did it: an object's id, and a bare id
	comment, id, other string // what it is about: the nearest first
	text, what         string
	at                 int64
}

func (c *change) read(r *reader) {
	s := &r.s
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "field":
			c.field = s.Text()
		case "value":
			c.value(r)
		default:
			s.Skip()
		}
	}
}

func (c *change) value(r *reader) {
	s := &r.s
	if s.Peek() == '[' {
		for ok := s.Array(); ok && s.Elem(); {
			c.values(r)
		}
		return
	}
	c.values(r)
}

func (c *change) values(r *reader) {
	s := &r.s
	c.object = s.Peek() == '{'
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "from":
			c.from = readID(s)
		case "sender_id", "user_id", "reviewer_id":
			c.sender = s.ID()
		case "comment_id":
			c.comment = s.ID()
		case "id":
			c.id = s.ID()
		case "post_id", "media_id", "open_graph_story_id", "photo_id", "video_id", "leadgen_id":
			if id := s.ID(); c.other == "" {
				c.other = id
			}
		case "message", "text", "review_text":
			c.words(s)
		case "item", "verb", "reaction_type":
			c.what += "." + s.Text()
		case "created_time":
			c.at = s.Int()
		case "messaging_product": // WhatsApp's calls look like these
			r.foreign = true
			s.Skip()
		default:
			if !c.item.field(s) {
				s.Skip()
			}
		}
	}
}

// words reads what was said in public; a message that is an object is one of
// the inbox.
func (c *change) words(s *wire.Scanner) {
	if s.Peek() == '"' {
		c.text = cmp.Or(s.Text(), c.text)
	} else if !c.item.field(s) {
		s.Skip()
	}
}

func (c *change) event() channel.Event {
	e := channel.Event{
		Kind: sotto.EventOther, ID: cmp.Or(c.comment, c.id, c.other), Sender: cmp.Or(c.from, c.sender),
		Text: c.text, Time: wire.Moment(cmp.Or(c.at, c.item.at)),
	}
	e.Delivery = name(cmp.Or(c.at, c.item.at) == 0, []string{c.field, e.ID, c.other, e.Sender, c.what, c.text}, c.at, c.item.at)
	return e
}
