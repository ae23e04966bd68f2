package messenger

import (
	"errors"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// errNotPage says that a body is not of a page's inbox.
var errNotPage = errors.New("not a call of Messenger")

// Decode reads a call as an adapter without a page id does: events of every
// page are taken. It is for looking at a body by hand.
func Decode(body []byte) (channel.Batch, error) { return decode(body, "") }

// Decode implements [channel.Adapter].
func (a *Adapter) Decode(body []byte) (channel.Batch, error) { return decode(body, a.page) }

func decode(body []byte, page string) (channel.Batch, error) {
	s := wire.NewScanner(body)
	var (
		b      channel.Batch
		object string
		fields int
		listed bool
	)
	is := s.Object()
	for ok := is; ok && s.Field(); {
		fields++
		switch string(s.Name()) {
		case "object":
			object = s.Text()
		case "entry":
			listed = true
			b = channel.Batch{}
			for ok := s.Array(); ok && s.Elem(); {
				readEntry(&s, &b, page)
			}
		default:
			s.Skip()
		}
	}
	if err := s.End(); err != nil {
		return channel.Batch{}, sotto.E("messenger.decode", sotto.KindInvalid, err)
	}
	if !is || object != "page" && (object != "" || !listed && fields > 0) {
		return channel.Batch{}, sotto.E("messenger.decode", sotto.KindInvalid, errNotPage)
	}
	return b, nil
}

// readEntry reads what happened on one page. The page's id may come last, so
// it is put into the events afterwards.
func readEntry(s *wire.Scanner, b *channel.Batch, page string) {
	var (
		id   string
		at   int64
		from = len(b.Events)
	)
	if !s.Object() {
		b.Unknown++
		return
	}
	for s.Field() {
		switch string(s.Name()) {
		case "id":
			id = s.ID()
		case "time":
			at = s.Int()
		case "messaging":
			readItems(s, b, false)
		case "standby":
			readItems(s, b, true)
		case "changes": // of the page's feed, ratings, mentions
			for ok := s.Array(); ok && s.Elem(); {
				s.Skip()
				b.Unknown++
			}
		default:
			s.Skip()
		}
	}
	if page != "" && id != "" && id != page {
		b.Unknown += len(b.Events) - from
		b.Events = b.Events[:from]
		return
	}
	for i := range b.Events[from:] {
		e := &b.Events[from+i]
		if id != "" {
			e.Account = id
		}
		if e.Time.IsZero() {
			e.Time = moment(at)
		}
	}
}

func readItems(s *wire.Scanner, b *channel.Batch, standby bool) {
	for ok := s.Array(); ok && s.Elem(); {
		var it item
		it.read(s)
		if it.kind == "" {
			b.Unknown++
			continue
		}
		b.Events = append(b.Events, it.event(standby))
	}
}

// item is one element of messaging or standby while it is read.
type item struct {
	kind              string // the field that says what happened; "" = none that is known
	sender, recipient string
	at                int64
	part              part
}

// part holds what is needed of the field that says what happened. What Meta's
// language analysis (nlp), profiles and order forms say is passed over.
type part struct {
	mid, text, title      string
	payload               string
	quick                 bool // a quick reply was pressed
	echo, deleted, opaque bool
	files                 []channel.Attachment
	watermark, edits      int64
	action                string
	status                string
}

func (it *item) read(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "sender":
			it.sender = readID(s)
		case "recipient":
			it.recipient = readID(s)
		case "timestamp":
			it.at = s.Int()
		case "message", "postback", "message_edit", "reaction", "read", "delivery",
			"optin", "referral", "account_linking",
			"pass_thread_control", "take_thread_control", "request_thread_control", "app_roles",
			"policy_enforcement", "policy-enforcement",
			"payment", "pre_checkout", "checkout_update", "order", "game_play",
			"messaging_feedback", "response_feedback", "messaging_customer_information",
			"in_thread_lead_form_submit", "messaging_in_thread_lead_form_submit",
			"customer_information", "call", "calls", "call_permission_reply":
			name := string(s.Name()) // here alone it is kept
			if (it.kind == "message" || it.kind == "postback") && name != "message" && name != "postback" {
				s.Skip() // said beside a message, not instead of it
				continue
			}
			it.kind = name
			it.part = part{}
			it.part.read(s)
		default:
			s.Skip()
		}
	}
}

// readID reads the id of a sender or recipient. One who uses the check box of
// a web page has only a user_ref.
func readID(s *wire.Scanner) (id string) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			id = s.ID()
		default:
			s.Skip()
		}
	}
	return id
}

func (p *part) read(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "mid":
			p.mid = s.ID()
		case "mids":
			for ok := s.Array(); ok && s.Elem(); {
				if id := s.ID(); p.mid == "" {
					p.mid = id
				}
			}
		case "text":
			p.text = s.Text()
		case "title":
			p.title = s.Text()
		case "payload", "ref":
			if v := s.Text(); v != "" {
				p.payload = v
			}
		case "quick_reply":
			p.readQuick(s)
		case "attachments":
			p.readFiles(s)
		case "is_echo":
			p.echo = s.Bool()
		case "is_deleted":
			p.deleted = s.Bool()
		case "is_unsupported":
			p.opaque = s.Bool()
		case "watermark":
			p.watermark = s.Int()
		case "num_edit":
			p.edits = s.Int()
		case "action", "type":
			p.action = s.Text()
		case "notification_messages_status", "status":
			p.status = s.Text()
		default:
			s.Skip()
		}
	}
}

func (p *part) readQuick(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) == "payload" {
			p.payload = s.Text()
			p.quick = true
		} else {
			s.Skip()
		}
	}
}

func (p *part) readFiles(s *wire.Scanner) {
	p.files = nil
	for ok := s.Array(); ok && s.Elem(); {
		var a channel.Attachment
		sticker := false
		for ok := s.Object(); ok && s.Field(); {
			switch string(s.Name()) {
			case "type":
				a.Kind = fileKind(s.Text())
			case "payload":
				for ok := s.Object(); ok && s.Field(); {
					switch string(s.Name()) {
					case "url":
						a.ID = s.Text()
					case "sticker_id":
						sticker = s.ID() != "" || sticker
					default: // coordinates are not read: what is not read cannot leak
						s.Skip()
					}
				}
			default:
				s.Skip()
			}
		}
		if sticker {
			a.Kind = "sticker"
		}
		if a.Kind == "" {
			a.Kind = "other"
		}
		// Until August 2026 a sticker came twice, as image and as sticker.
		if n := len(p.files); n > 0 && sticker && p.files[n-1] == a {
			continue
		}
		p.files = append(p.files, a)
	}
}

func fileKind(t string) string {
	switch t {
	case "image", "video", "audio", "file", "location", "sticker":
		return t
	case "reel", "ig_reel":
		return "video"
	}
	return "other" // fallback, template, product, post and what comes after them
}

// moment turns a timestamp into a time. Meta's are milliseconds, some samples
// and older fields have seconds.
func moment(n int64) time.Time {
	const (
		month3In1973 = 100_000_000_000     // as milliseconds; as seconds the year 5138
		year10000    = 253_402_300_800_000 // as milliseconds
	)
	switch {
	case n <= 0 || n >= year10000:
		return time.Time{}
	case n < month3In1973:
		return time.Unix(n, 0).UTC()
	}
	return time.UnixMilli(n).UTC()
}
