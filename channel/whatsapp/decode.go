package whatsapp

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// object is what Meta calls the source of these calls.
const object = "whatsapp_business_account"

// errNotWhatsApp says that a body is of something else.
var errNotWhatsApp = errors.New("not a call of WhatsApp")

// Decode reads a call as an adapter without a phone number id does: events of
// every number are taken. It is for looking at a body by hand, and so reads a
// part of a call that was kept without its frame as well.
func Decode(body []byte) (channel.Batch, error) { return decode(body, "") }

// Decode implements [channel.Adapter].
//
// The Payload of an EventReceipt is the state that Meta tells, and for a failed
// message the code behind a slash: "read", "failed/131026"; of an EventReaction
// it is the emoji, "" where one was taken back; of an EventOptIn or EventOptOut
// the class of messages; of an EventOther the code of an error that Meta tells.
func (a *Adapter) Decode(body []byte) (channel.Batch, error) {
	return decode(body, a.conf.PhoneNumberID)
}

// reader is what goes along with the reading of one body.
type reader struct {
	channel.Batch

	number string // the id of the number whose events are taken, "" = of all
}

func decode(body []byte, number string) (channel.Batch, error) {
	s := wire.NewScanner(body)
	var (
		r            = reader{number: number}
		source       string
		fields       int
		listed, seen bool
	)
	is := s.Object()
	for ok := is; ok && s.Field(); {
		fields++
		switch string(s.Name()) {
		case "object":
			source = s.Text()
		case "entry":
			seen, r.Batch = true, channel.Batch{}
			for ok := s.Array(); ok && s.Elem(); {
				listed = true
				r.entry(&s)
			}
		default:
			s.Skip()
		}
	}
	if err := s.End(); err != nil {
		return channel.Batch{}, sotto.E("whatsapp.decode", sotto.KindInvalid, err)
	}
	switch {
	case is && source == object:
	case is && source == "" && (fields == 0 || seen && !listed):
	case is && source == "" && seen && len(r.Events) > 0: // entries that hold what only WhatsApp says
	case is && source == "" && !seen && r.loose(body):
	default:
		return channel.Batch{}, sotto.E("whatsapp.decode", sotto.KindInvalid, errNotWhatsApp)
	}
	return r.Batch, nil
}

// loose reads a part of a call that stands alone: one entry, one change, the
// value of one, or a single message or status. It reports whether it is one;
// what could be of another network is not.
func (r *reader) loose(body []byte) bool {
	const (
		hasChanges = 1 << iota
		hasField
		hasValue
		hasList
		hasFrom
		hasTo
		hasID
		hasTime
		hasType
		hasStatus
	)
	has := 0
	s := wire.NewScanner(body)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "changes":
			has |= hasChanges
		case "field":
			has |= hasField
		case "value":
			has |= hasValue
		case "messages", "statuses", "message_echoes", "user_preferences", "user_id_update":
			has |= hasList
		case "id":
			has |= hasID
		case "timestamp":
			has |= hasTime
		case "from", "from_user_id":
			if s.ID() != "" {
				has |= hasFrom
			}
			continue
		case "recipient_id", "recipient_user_id":
			has |= hasTo
		case "type":
			if s.Text() != "" {
				has |= hasType
			}
			continue
		case "status":
			if s.Text() != "" {
				has |= hasStatus
			}
			continue
		}
		s.Skip()
	}
	s = wire.NewScanner(body)
	all := func(bits int) bool { return has&bits == bits }
	switch {
	case all(hasChanges):
		r.entry(&s)
	case all(hasField | hasValue):
		r.change(&s, "", 0)
	case all(hasList):
		v := value{reader: r}
		v.read(&s)
		v.finish()
	case all(hasFrom | hasID | hasTime | hasType):
		v := value{reader: r}
		v.message(&s, false)
		v.finish()
	case all(hasTo | hasID | hasTime | hasStatus):
		v := value{reader: r}
		v.status(&s)
		v.finish()
	default:
		return false
	}
	return len(r.Events) > 0
}

// entry reads what happened in one business account.
func (r *reader) entry(s *wire.Scanner) {
	if !s.Object() {
		r.Unknown++
		return
	}
	var (
		id  string
		at  int64
		raw []byte
	)
	for s.Field() {
		switch string(s.Name()) {
		case "id":
			id = s.ID()
		case "time":
			at = s.Int()
		case "changes":
			raw = s.Raw() // id and time may come behind
		default:
			s.Skip()
		}
	}
	c := wire.NewScanner(raw)
	for ok := raw != nil && c.Array(); ok && c.Elem(); {
		r.change(&c, id, at)
	}
}

// change reads one change of an entry. The field that says what it is about may
// come behind its value.
func (r *reader) change(s *wire.Scanner, entry string, at int64) {
	if !s.Object() {
		r.Unknown++
		return
	}
	var (
		name string
		raw  []byte
	)
	for s.Field() {
		switch string(s.Name()) {
		case "field":
			name = s.Text()
		case "value":
			raw = s.Raw()
		default:
			s.Skip()
		}
	}
	v := value{reader: r, field: name, from: len(r.Events)}
	if raw != nil {
		in := wire.NewScanner(raw)
		v.read(&in)
	}
	switch known := isField(name); {
	case !known && name != "":
		v.drop() // whatever it holds may be meant for others
	case v.listed || v.failed > 0:
	case known && name != "messages":
		r.Events = append(r.Events, channel.Event{Kind: sotto.EventOther, Delivery: key("c", name, entry, stamp(at), string(raw)), Time: wire.Moment(at)})
	default:
		r.Unknown++
	}
	v.finish()
}

// isField reports whether Meta is known to tell of a field. A field whose name
// ends in _update is a notice on the account, as all of those are.
func isField(name string) bool {
	switch name {
	case "messages", "message_echoes", "smb_message_echoes", "standby", "messaging_handovers",
		"user_preferences", "contacts", "consumer_profile", "calls", "history", "smb_app_state_sync",
		"account_alerts", "account_offboarded", "account_reconnected", "automatic_events", "tracking_events",
		"flows", "partner_solutions", "security", "template_correct_category_detection", "message_template_status",
		"account_message_receiving", "payment_status", "business_encryption":
		return true
	}
	return strings.HasSuffix(name, "_update") || strings.HasSuffix(name, "_updates")
}

// key names an event for ever. It is the parts themselves where that is short,
// and else their hash.
func key(kind string, parts ...string) string {
	size := len(kind)
	for _, p := range parts {
		size += 1 + len(p)
	}
	if len(parts) == 1 && size <= 200 {
		return kind + ":" + parts[0]
	}
	h := sha256.New()
	var n [8]byte
	for _, p := range parts { // with their lengths, so that "ab","c" is not "a","bc"
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	var sum [sha256.Size]byte
	return kind + "#" + hex.EncodeToString(h.Sum(sum[:0])[:16])
}
