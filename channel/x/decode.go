package x

import (
	"errors"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// errNotX says that a body is not one of X's.
var errNotX = errors.New("not a webhook of X")

// Decode implements [channel.Adapter]. Events of other accounts than user_id
// are passed over and counted.
func (a *Adapter) Decode(body []byte) (channel.Batch, error) {
	d := decoder{user: a.user}
	return d.decode(body)
}

// Decode reads a body of X's for any account. It takes those of the X Activity
// API and of the Account Activity API, and a lone direct message as X's older
// API words it.
func Decode(body []byte) (channel.Batch, error) {
	d := decoder{}
	return d.decode(body)
}

// decoder gathers the events of a body.
type decoder struct {
	user  string // the account that is served; "" = any
	owner string // the account that the body is for; "" = not told
	batch channel.Batch

	credible bool
	raw      []record
	activity activity
}

// activity is the envelope of the X Activity API.
type activity struct {
	present    bool
	kind, uuid string
	single     record // of a payload that is not a list
	message    record // of a message without an envelope of its own
}

func (d *decoder) decode(body []byte) (channel.Batch, error) {
	s := wire.NewScanner(body)
	lone := record{list: "direct_message_events"}
	for ok := s.Object(); ok && s.Field(); {
		name := string(s.Name())
		switch name {
		case "for_user_id":
			d.owner = s.ID()
			d.credible = d.credible || d.owner != ""
		case "data":
			d.envelope(&s)
		case "user_event":
			d.userEvent(&s)
		case "event":
			inner := record{list: "direct_message_events"}
			for ok := s.Object(); ok && s.Field(); {
				inner.field(&s)
			}
			d.take(&inner)
		default:
			if !d.list(&s, name) {
				lone.field(&s)
			}
		}
	}
	if err := s.End(); err != nil {
		return channel.Batch{}, sotto.E("x.decode", sotto.KindInvalid, err)
	}
	d.take(&lone)
	if !d.credible {
		return channel.Batch{}, sotto.E("x.decode", sotto.KindInvalid, errNotX)
	}
	d.finish()
	return d.batch, nil
}

// take keeps a direct message that stands alone.
func (d *decoder) take(r *record) {
	if r.created {
		d.credible = true
		d.raw = append(d.raw, *r)
	}
}

// list reads a list of events and reports whether name is one.
func (d *decoder) list(s *wire.Scanner, name string) bool {
	if !strings.HasSuffix(name, "_events") {
		return false
	}
	switch name {
	case "direct_message_events", "direct_message_indicate_typing_events", "direct_message_mark_read_events",
		"block_events", "unblock_events", "mute_events", "unmute_events", "follow_events", "unfollow_events",
		"favorite_events", "tweet_create_events", "tweet_delete_events":
		d.credible = true
		for ok := s.Array(); ok && s.Elem(); {
			r := record{list: name}
			for ok := s.Object(); ok && s.Field(); {
				r.field(s)
			}
			d.raw = append(d.raw, r)
		}
	default:
		s.Skip()
		d.batch.Unknown++
	}
	return true
}

// userEvent reads that an account took the app's permission back.
func (d *decoder) userEvent(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		d.credible = true
		if string(s.Name()) != "revoke" {
			s.Skip()
			d.batch.Unknown++
			continue
		}
		r := record{list: "revoke"}
		for ok := s.Object(); ok && s.Field(); {
			r.field(s)
		}
		d.raw = append(d.raw, r)
	}
}

// envelope reads the frame of the X Activity API.
func (d *decoder) envelope(s *wire.Scanner) {
	a := &d.activity
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "event_uuid":
			a.uuid = s.ID()
		case "event_type":
			a.kind = s.Text()
		case "filter":
			for ok := s.Object(); ok && s.Field(); {
				if string(s.Name()) == "user_id" {
					d.owner = s.ID()
				} else {
					s.Skip()
				}
			}
		case "payload":
			a.present = true
			for ok := s.Object(); ok && s.Field(); {
				if !d.list(s, string(s.Name())) {
					a.single.field(s)
				}
			}
		default:
			a.message.field(s)
		}
	}
	if a.kind == "MessageCreate" || strings.Contains(a.kind, ".") && (a.present || a.uuid != "") {
		d.credible = true
	}
}

// record is one event while it is read. Names, profiles, posts and coordinates
// are passed over: what is not read cannot leak.
type record struct {
	list             string // which list it stood in
	kind, id         string
	at               time.Time
	sender, target   string
	source, user     string // who acts, where nobody is called sender
	text, metadata   string
	pressed, created bool
	lastRead         string
	files            []channel.Attachment
}

// field reads one field of an event.
func (r *record) field(s *wire.Scanner) {
	switch string(s.Name()) {
	case "type":
		r.kind = s.Text()
	case "id_str":
		r.id = s.ID()
	case "id":
		if id := s.ID(); r.id == "" { // of posts the number may be rounded, its text is not
			r.id = id
		}
	case "created_timestamp", "timestamp_ms":
		r.at = wire.UnixMilli(s.Int())
	case "date_time", "created_at":
		if t, err := time.Parse(time.RFC3339, s.Text()); err == nil {
			r.at = t.UTC()
		}
	case "sender_id":
		r.sender = s.ID()
	case "target", "recipient":
		r.target = userID(s)
	case "source":
		r.source = userID(s)
	case "user", "status":
		r.user = userID(s)
	case "user_id", "author_id":
		r.user = s.ID()
	case "last_read_event_id":
		r.lastRead = s.ID()
	case "text":
		r.text = unescape(s.Text())
	case "message_create":
		r.created = s.Object()
		for ok := r.created; ok && s.Field(); {
			r.message(s)
		}
	default:
		s.Skip()
	}
}

// message reads one field of a message_create.
func (r *record) message(s *wire.Scanner) {
	switch string(s.Name()) {
	case "sender_id":
		r.sender = s.ID()
	case "target":
		r.target = userID(s)
	case "message_data":
		for ok := s.Object(); ok && s.Field(); {
			switch string(s.Name()) {
			case "text":
				r.text = unescape(s.Text())
			case "quick_reply_response":
				r.pressed = s.Object()
				for ok := r.pressed; ok && s.Field(); {
					if string(s.Name()) == "metadata" {
						r.metadata = s.Text()
					} else {
						s.Skip()
					}
				}
			case "attachment":
				r.attachment(s)
			default:
				s.Skip()
			}
		}
	default:
		s.Skip()
	}
}

// userID returns the id of a person, in any of the forms that X gives them: an
// object with an id, with an object that has one, or the id alone.
func userID(s *wire.Scanner) (id string) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id_str", "recipient_id", "user_id":
			id = s.ID()
		case "id":
			if v := s.ID(); id == "" {
				id = v
			}
		case "data":
			id = userID(s)
		default:
			s.Skip()
		}
	}
	return id
}

// attachment notes what was sent along. Of a place only that there is one.
func (r *record) attachment(s *wire.Scanner) {
	a := channel.Attachment{Kind: "other"}
	kind := ""
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "type":
			kind = s.Text()
		case "media":
			media(s, &a)
		default:
			s.Skip()
		}
	}
	if kind == "location" {
		a = channel.Attachment{Kind: "location"}
	}
	r.files = []channel.Attachment{a}
}

// media reads a picture or film: of a film the copy of the most bits a second.
func media(s *wire.Scanner, a *channel.Attachment) {
	address, kind, film, mime, best := "", "", "", "", int64(-1)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "media_url_https":
			address = s.ID()
		case "type":
			kind = s.Text()
		case "video_info":
			for ok := s.Object(); ok && s.Field(); {
				if string(s.Name()) != "variants" {
					s.Skip()
					continue
				}
				for ok := s.Array(); ok && s.Elem(); {
					v := variant{}
					v.read(s)
					if strings.HasPrefix(v.mime, "video/") && v.rate > best {
						film, mime, best = v.url, v.mime, v.rate
					}
				}
			}
		default:
			s.Skip()
		}
	}
	a.ID = address
	switch kind {
	case "photo":
		a.Kind = "image"
	case "video", "animated_gif":
		a.Kind = "video"
		if film != "" {
			a.ID, a.MIME = film, mime
		}
	}
}

// variant is one copy of a film.
type variant struct {
	url, mime string
	rate      int64
}

func (v *variant) read(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "url":
			v.url = s.ID()
		case "content_type":
			v.mime = s.Text()
		case "bitrate":
			v.rate = s.Int()
		default:
			s.Skip()
		}
	}
}

// unescape undoes what X escapes in a text: the signs that mean something in
// HTML. Anything else that looks like an escape was written by the person.
func unescape(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'").Replace(s)
}
