package whatsapp

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// value is the value of one change while it is read. What its parts have in
// common (the number, the people) may stand behind them, so it is put into the
// events at the end.
type value struct {
	*reader

	field   string // what the change is about; "" = not told
	from    int    // the first of its events
	listed  bool   // it has a list of things that happened
	failed  int    // of them could not be understood
	account string // id of the number
	display string // the number itself
	lines   []line // of groups
	people  []contact
	room    [1]contact // nearly always there is one
}

// contact is a person as a call names them.
type contact struct{ phone, user string }

func (v *value) read(s *wire.Scanner) {
	v.people = v.room[:0]
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "metadata":
			v.metadata(s)
		case "contacts":
			v.contacts(s)
		case "messages":
			v.each(s, func(s *wire.Scanner) { v.message(s, false) })
		case "message_echoes":
			v.each(s, func(s *wire.Scanner) { v.message(s, true) })
		case "statuses":
			v.each(s, v.status)
		case "user_preferences":
			v.each(s, v.preference)
		case "user_id_update":
			v.each(s, v.renamed)
		case "groups":
			v.each(s, v.group)
		case "calls":
			v.each(s, v.call)
		case "errors":
			v.each(s, v.fault)
		default:
			s.Skip()
		}
	}
}

// each reads the elements of a list of things that happened.
func (v *value) each(s *wire.Scanner, read func(*wire.Scanner)) {
	v.listed = true
	for ok := s.Array(); ok && s.Elem(); {
		read(s)
	}
}

func (v *value) add(e channel.Event) { v.Events = append(v.Events, e) }

// unknown counts a part that is not understood.
func (v *value) unknown() {
	v.Unknown++
	v.failed++
}

// drop turns everything that was read into something unknown.
func (v *value) drop() {
	v.Unknown += max(1, len(v.Events)-v.from+v.failed) - v.failed
	v.Events, v.lines = v.Events[:v.from], nil
}

// finish puts what the parts have in common into the events.
func (v *value) finish() {
	if v.number != "" && v.account != "" && v.account != v.number {
		v.Unknown += len(v.Events) - v.from
		v.Events = v.Events[:v.from]
		return
	}
	for _, l := range v.lines {
		e := &v.Events[l.at]
		e.Addressed = e.Addressed || v.addressed(l, e.Text)
	}
	for i := range v.Events[v.from:] {
		e := &v.Events[v.from+i]
		e.Account = v.account
		if e.Kind != sotto.EventEcho && e.Kind != sotto.EventMigrate {
			v.identify(e)
		}
		if e.Kind != sotto.EventMessage && e.Kind != sotto.EventButton {
			continue
		}
		if v.number == "" {
			e.Handle = v.account // an answer has to go out from there
		}
		switch v.field {
		case "messages", "":
		case "standby":
			e.Kind = sotto.EventStandby
		default: // what was said before the number came to this API
			e.Kind = sotto.EventOther
		}
	}
}

// identify completes who an event is about. An id is looked up among the
// people of the call only where it stands there itself: a call may name
// several, and two people must never become one.
func (v *value) identify(e *channel.Event) {
	lone := e.Sender == ""
	if lone {
		e.Sender, e.Alias = e.Alias, ""
	}
	if e.Sender == "" && len(v.people) == 1 && !account(e.Kind) {
		e.Sender, e.Alias = v.people[0].phone, v.people[0].user
		if e.Sender == "" {
			e.Sender, e.Alias = e.Alias, ""
		}
	}
	for i := range v.people {
		p := &v.people[i]
		if e.Alias != "" || e.Sender == "" {
			break
		}
		switch e.Sender {
		case p.phone:
			e.Alias = p.user
		case p.user:
			e.Alias = p.phone
		}
	}
	if e.Conversation == "" {
		e.Conversation = e.Sender
	}
}

// account reports whether an event of this kind may be about nobody.
func account(k sotto.EventKind) bool {
	return k == sotto.EventOther || k == sotto.EventJoin || k == sotto.EventLeave
}

func (v *value) metadata(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "phone_number_id":
			v.account = s.ID()
		case "display_phone_number":
			v.display = s.ID()
		default:
			s.Skip()
		}
	}
}

// contacts reads the people of a call. Their names and pictures are not read:
// what is not read cannot leak.
func (v *value) contacts(s *wire.Scanner) {
	for ok := s.Array(); ok && s.Elem(); {
		if p := readContact(s); p != (contact{}) {
			v.people = append(v.people, p)
		}
	}
}

func readContact(s *wire.Scanner) (p contact) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "wa_id":
			p.phone = s.ID()
		case "user_id":
			p.user = s.ID()
		default:
			s.Skip()
		}
	}
	return p
}

// status reads what became of a message that was sent.
func (v *value) status(s *wire.Scanner) {
	var (
		id, state, kind string
		at              int64
		to, participant contact
		group           bool
		code            string
	)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			id = s.ID()
		case "status":
			state = s.Text()
		case "type":
			kind = s.Text()
		case "timestamp":
			at = s.Int()
		case "recipient_id":
			to.phone = s.ID()
		case "recipient_user_id":
			to.user = s.ID()
		case "recipient_participant_id":
			participant.phone = s.ID()
		case "recipient_participant_user_id":
			participant.user = s.ID()
		case "recipient_type":
			group = s.Text() == "group"
		case "errors":
			code = readCodes(s)
		default:
			s.Skip()
		}
	}
	if id == "" || state == "" {
		v.unknown()
		return
	}
	e := channel.Event{
		Kind: sotto.EventReceipt, ID: id, Sender: to.phone, Alias: to.user, Time: wire.Moment(at), Payload: state,
		Delivery: key("s", id, state, participant.phone, participant.user),
	}
	if code != "" {
		e.Payload += "/" + code
	}
	if group {
		e.Group, e.Conversation = true, to.phone
		e.Sender, e.Alias = participant.phone, participant.user
	}
	if kind != "" && kind != "message" { // of a call or a payment
		e.Kind = sotto.EventOther
	}
	v.add(e)
}

// readCodes reads a list of errors and returns the code of the first.
func readCodes(s *wire.Scanner) (code string) {
	for ok := s.Array(); ok && s.Elem(); {
		if c := readCode(s); code == "" {
			code = c
		}
	}
	return code
}

func readCode(s *wire.Scanner) (code string) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "code":
			code = strconv.FormatInt(s.Int(), 10)
		default: // titles and details are prose
			s.Skip()
		}
	}
	return code
}

// fault reads an error that Meta tells of the account.
func (v *value) fault(s *wire.Scanner) {
	raw := s.Raw()
	in := wire.NewScanner(raw)
	v.add(channel.Event{Kind: sotto.EventOther, Payload: readCode(&in), Delivery: key("f", v.field, string(raw))})
}

// preference reads that a person refuses marketing messages, or wants them.
func (v *value) preference(s *wire.Scanner) {
	var (
		who             contact
		category, state string
		at              int64
	)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "wa_id":
			who.phone = s.ID()
		case "user_id":
			who.user = s.ID()
		case "category":
			category = s.Text()
		case "value":
			state = s.Text()
		case "timestamp":
			at = s.Int()
		default:
			s.Skip()
		}
	}
	e := channel.Event{
		Kind: sotto.EventOther, Sender: who.phone, Alias: who.user, Payload: category, Time: wire.Moment(at),
		Delivery: key("p", who.phone, who.user, category, state, stamp(at)),
	}
	switch state {
	case "stop":
		e.Kind = sotto.EventOptOut
	case "resume", "signup":
		e.Kind = sotto.EventOptIn
	case "":
		v.unknown()
		return
	}
	v.add(e)
}

// renamed reads that a person's id for this business is another now.
func (v *value) renamed(s *wire.Scanner) {
	var (
		phone    string
		old, now string
		at       int64
	)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "wa_id":
			phone = s.ID()
		case "timestamp":
			at = s.Int()
		case "user_id":
			for ok := s.Object(); ok && s.Field(); {
				switch string(s.Name()) {
				case "previous":
					old = s.ID()
				case "current":
					now = s.ID()
				default:
					s.Skip()
				}
			}
		default:
			s.Skip()
		}
	}
	if old == "" || now == "" {
		v.unknown()
		return
	}
	v.add(channel.Event{
		Kind: sotto.EventMigrate, Sender: old, Alias: phone, Conversation: old, Payload: now, Time: wire.Moment(at),
		Delivery: key("u", old, now, stamp(at)),
	})
}

// group reads that a group was made or closed, or who came and went. The
// business itself makes its groups, and is in every one of them.
func (v *value) group(s *wire.Scanner) {
	var (
		id, kind string
		at       int64
		failed   bool
		came     []contact
		went     []contact
	)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "group_id":
			id = s.ID()
		case "type":
			kind = s.Text()
		case "timestamp":
			at = s.Int()
		case "errors":
			failed = readCodes(s) != ""
		case "added_participants":
			came = readPeople(s, came)
		case "removed_participants":
			went = readPeople(s, went)
		default:
			s.Skip()
		}
	}
	base := channel.Event{Kind: sotto.EventOther, Conversation: id, Group: true, Time: wire.Moment(at), Delivery: key("g", id, kind, stamp(at))}
	if id == "" || failed {
		v.add(base)
		return
	}
	switch {
	case kind == "group_create":
		base.Kind, base.Self = sotto.EventJoin, true
	case kind == "group_delete":
		base.Kind, base.Self = sotto.EventLeave, true
	case len(came)+len(went) > 0:
		for i, p := range slices.Concat(came, went) {
			e := base
			e.Kind = sotto.EventJoin
			if i >= len(came) {
				e.Kind = sotto.EventLeave
			}
			e.Sender, e.Alias = p.phone, p.user
			e.Delivery = key("g", id, kind, stamp(at), string(e.Kind), p.phone, p.user)
			v.add(e)
		}
		return
	}
	v.add(base)
}

func readPeople(s *wire.Scanner, list []contact) []contact {
	for ok := s.Array(); ok && s.Elem(); {
		if p := readContact(s); p != (contact{}) {
			list = append(list, p)
		}
	}
	return list
}

// call reads that a person calls, or a call ended. A bot takes none.
func (v *value) call(s *wire.Scanner) {
	var (
		id, what string
		who      contact
		at       int64
	)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			id = s.ID()
		case "event":
			what = s.Text()
		case "from":
			who.phone = s.ID()
		case "from_user_id":
			who.user = s.ID()
		case "timestamp":
			at = s.Int()
		default:
			s.Skip()
		}
	}
	v.add(channel.Event{
		Kind: sotto.EventOther, ID: id, Sender: who.phone, Alias: who.user, Time: wire.Moment(at),
		Delivery: key("a", id, what, who.phone, who.user, stamp(at)),
	})
}

func stamp(n int64) string { return strconv.FormatInt(n, 10) }

// sameNumber reports whether two writings of a telephone number, such as
// "+1 555 078 3881" and "15550783881", are one.
func sameNumber(a, b string) bool {
	digits := func(s string) string {
		if isDigits(s) {
			return s
		}
		return strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, s)
	}
	a = digits(a)
	return a != "" && a == digits(b)
}
