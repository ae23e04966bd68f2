package line

import (
	"errors"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// errNotLINE says that a body is not one of LINE's.
var errNotLINE = errors.New("not a webhook of LINE")

// Decode implements [channel.Adapter].
func (*Adapter) Decode(body []byte) (channel.Batch, error) { return Decode(body) }

// Decode reads a body of LINE's. The empty list of events, by which LINE tries
// an address, is a body in which nothing happened. A lone event and a list of
// them, as they are stored elsewhere, are understood as well.
func Decode(body []byte) (channel.Batch, error) {
	if b := strings.TrimLeft(string(body[:min(len(body), 64)]), " \t\r\n"); strings.HasPrefix(b, "[") {
		return decodeList(body)
	}
	s := wire.NewScanner(body)
	var d decoder
	var lone event
	fields, addressed, list := 0, false, false
	is := s.Object()
	for ok := is; ok && s.Field(); {
		fields++
		switch string(s.Name()) {
		case "destination":
			d.account = s.ID()
			addressed = true
		case "events":
			list = d.events(&s)
		default:
			lone.field(&s)
		}
	}
	switch {
	case s.End() != nil:
		return channel.Batch{}, sotto.E("line.decode", sotto.KindInvalid, s.End())
	case addressed: // no other network names a destination beside its events
	case list && (d.seen > 0 || d.batch.Unknown == 0 && fields == 1):
	case !list && lone.credible():
		d.add(&lone)
	default:
		return channel.Batch{}, sotto.E("line.decode", sotto.KindInvalid, errNotLINE)
	}
	return d.finish(), nil
}

// decodeList reads events that stand in a list without a frame.
func decodeList(body []byte) (channel.Batch, error) {
	s := wire.NewScanner(body)
	var d decoder
	d.events(&s)
	if err := s.End(); err != nil {
		return channel.Batch{}, sotto.E("line.decode", sotto.KindInvalid, err)
	}
	if d.seen == 0 {
		return channel.Batch{}, sotto.E("line.decode", sotto.KindInvalid, errNotLINE)
	}
	return d.finish(), nil
}

// decoder gathers the events of a body.
type decoder struct {
	batch   channel.Batch
	account string
	seen    int // events that look like LINE's, known or not
}

// finish gives the events their account, which may stand behind them.
func (d *decoder) finish() channel.Batch {
	for i := range d.batch.Events {
		d.batch.Events[i].Account = d.account
	}
	return d.batch
}

// events reads the list of events.
func (d *decoder) events(s *wire.Scanner) bool {
	is := s.Array()
	for ok := is; ok && s.Elem(); {
		var e event
		for ok := s.Object(); ok && s.Field(); {
			e.field(s)
		}
		d.add(&e)
	}
	return is
}

// add turns what was read into events.
func (d *decoder) add(r *event) {
	if r.credible() {
		d.seen++
	}
	e, ok := r.event()
	if !ok {
		d.batch.Unknown++
		return
	}
	if r.kind != "memberJoined" && r.kind != "memberLeft" || len(r.members) == 0 {
		d.batch.Events = append(d.batch.Events, e)
		return
	}
	key := e.Delivery
	for _, m := range r.members {
		e.Sender, e.Delivery = m, key+"/"+m
		d.batch.Events = append(d.batch.Events, e)
	}
}

// event is one event while it is read. Coordinates, addresses, keywords of
// stickers and the identity of beacons are passed over: what is not read cannot
// leak.
type event struct {
	kind, mode, id    string
	reply             string
	at                int64 // milliseconds
	again             bool  // delivered once more
	user, group, room string
	source            string
	msg               message
	unsent            string
	unblocked         bool
	members           []string
	data, date        string
}

// message is what a message event holds.
type message struct {
	id, kind, text, name, quote string
	external                    bool // the file lies on a host that is not LINE's
	toBot                       bool // the bot is mentioned
}

// credible reports whether an object can only be an event of LINE's.
func (r *event) credible() bool {
	if r.kind == "" {
		return false
	}
	switch r.source {
	case "user", "group", "room":
		return true
	}
	return r.id != "" && (r.mode == "active" || r.mode == "standby")
}

// field reads one field of an event.
func (r *event) field(s *wire.Scanner) {
	switch string(s.Name()) {
	case "type":
		r.kind = s.Text()
	case "mode":
		r.mode = s.Text()
	case "timestamp":
		r.at = s.Int()
	case "webhookEventId":
		r.id = s.ID()
	case "replyToken":
		r.reply = s.ID()
	case "source":
		r.readSource(s)
	case "message":
		r.msg = message{}
		for ok := s.Object(); ok && s.Field(); {
			r.msg.field(s)
		}
	case "unsend":
		r.unsent = one(s, "messageId")
	case "joined", "left":
		r.readMembers(s)
	case "deliveryContext":
		for ok := s.Object(); ok && s.Field(); {
			if string(s.Name()) == "isRedelivery" {
				r.again = s.Bool()
			} else {
				s.Skip()
			}
		}
	case "follow":
		for ok := s.Object(); ok && s.Field(); {
			if string(s.Name()) == "isUnblocked" {
				r.unblocked = s.Bool()
			} else {
				s.Skip()
			}
		}
	case "postback":
		r.readPostback(s)
	default:
		s.Skip()
	}
}

// one reads one id of an object.
func one(s *wire.Scanner, name string) (id string) {
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) == name {
			id = s.ID()
		} else {
			s.Skip()
		}
	}
	return id
}

func (r *event) readSource(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "type":
			r.source = s.Text()
		case "userId":
			r.user = s.ID()
		case "groupId":
			r.group = s.ID()
		case "roomId":
			r.room = s.ID()
		default:
			s.Skip()
		}
	}
}

func (r *event) readMembers(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) != "members" {
			s.Skip()
			continue
		}
		r.members = nil
		for ok := s.Array(); ok && s.Elem(); {
			if id := one(s, "userId"); id != "" {
				r.members = append(r.members, id)
			}
		}
	}
}

// readPostback reads what a button says. Of a date picker's parameters the
// chosen moment is what the person saw.
func (r *event) readPostback(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "data":
			r.data = s.Text()
		case "params":
			for ok := s.Object(); ok && s.Field(); {
				switch string(s.Name()) {
				case "date", "time", "datetime":
					r.date = s.Text()
				default:
					s.Skip()
				}
			}
		default:
			s.Skip()
		}
	}
}

// field reads one field of a message.
func (m *message) field(s *wire.Scanner) {
	switch string(s.Name()) {
	case "id":
		m.id = s.ID()
	case "type":
		m.kind = s.Text()
	case "text":
		m.text = s.Text()
	case "fileName":
		m.name = s.Text()
	case "quoteToken":
		m.quote = s.ID()
	case "contentProvider":
		for ok := s.Object(); ok && s.Field(); {
			if string(s.Name()) == "type" {
				m.external = s.Text() == "external"
			} else {
				s.Skip()
			}
		}
	case "mention":
		for ok := s.Object(); ok && s.Field(); {
			if string(s.Name()) != "mentionees" {
				s.Skip()
				continue
			}
			for ok := s.Array(); ok && s.Elem(); {
				for ok := s.Object(); ok && s.Field(); {
					if string(s.Name()) == "isSelf" {
						m.toBot = s.Bool() || m.toBot
					} else {
						s.Skip()
					}
				}
			}
		}
	default:
		s.Skip()
	}
}

// handle is what an answer to an event may be sent under: when the event
// happened, in milliseconds, the reply token, and the token that quotes the
// message. Of an event that is delivered again the time says nothing about its
// reply token and is left out.
func (r *event) handle() string {
	if r.reply == "" || strings.ContainsRune(r.reply+r.msg.quote, ' ') {
		return ""
	}
	at := r.at
	if r.again || at < 0 {
		at = 0
	}
	return strconv.FormatInt(at, 10) + " " + r.reply + " " + r.msg.quote
}
