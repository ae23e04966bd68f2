package inbox

import (
	"errors"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// errOther says that a body is not of this network's inbox.
var errOther = errors.New("not a call of this network")

// Decode reads a call. Where account is given, events of other accounts are
// passed over and counted.
//
// What people have kept of calls is read as well where it cannot be mistaken:
// a list of calls, and one entry, one change or one item of an inbox by itself,
// which is how the documentation and Meta's own test button show them.
func Decode(body []byte, d Dialect, account string) (channel.Batch, error) {
	r := reader{s: wire.NewScanner(body), account: account}
	ours := false
	if r.s.Peek() == '[' {
		for ok := r.s.Array(); ok && r.s.Elem(); {
			ours = r.frame(d.Object)
			r.foreign = r.foreign || !ours
		}
	} else {
		ours = r.frame(d.Object)
	}
	if err := r.s.End(); err != nil {
		return channel.Batch{}, sotto.E(d.Name+".decode", sotto.KindInvalid, err)
	}
	if !ours || r.foreign {
		return channel.Batch{}, sotto.E(d.Name+".decode", sotto.KindInvalid, errOther)
	}
	return r.b, nil
}

// reader reads one body.
type reader struct {
	s       wire.Scanner
	b       channel.Batch
	account string
	foreign bool // a part of it says that it is of another network
}

// frame reads one call and reports whether it is of this network. One that
// names no object is, as far as its form tells.
func (r *reader) frame(want string) bool {
	s := &r.s
	var (
		object  string
		fields  int
		listed  bool
		from    = len(r.b.Events)
		unknown = r.b.Unknown
		lone    = entry{from: from}
		it      item
	)
	is := s.Object()
	for ok := is; ok && s.Field(); {
		fields++
		switch string(s.Name()) {
		case "object":
			object = s.Text()
		case "entry": // named twice: the last counts
			listed = true
			r.b.Events, r.b.Unknown = r.b.Events[:from], unknown
			r.entries()
		case "sample":
			lone.own.read(r)
		default:
			if listed || !r.entryField(&lone) && !it.field(s) {
				s.Skip()
			}
		}
	}
	switch {
	case !is || object != "" && object != want:
		return false
	case listed:
		return true
	case lone.lists || lone.own.field != "" && lone.own.object:
		r.finish(&lone)
		return true
	case it.kind != "" && it.recipient != "":
		r.b.Events = append(r.b.Events, it.event(false))
		return true
	}
	return object != "" || fields == 0
}

// entry is what happened on one account while it is read. Its id and time may
// come last, so they are put into the events afterwards.
type entry struct {
	id    string
	at    int64
	from  int // its first event
	lists bool
	own   change // some entries are themselves a change
}

// entries reads the list of entries, of which some samples show the one only.
func (r *reader) entries() {
	if r.s.Peek() == '{' {
		r.entry()
		return
	}
	for ok := r.s.Array(); ok && r.s.Elem(); {
		r.entry()
	}
}

func (r *reader) entry() {
	e := entry{from: len(r.b.Events)}
	s := &r.s
	if !s.Object() {
		r.b.Unknown++
		return
	}
	for s.Field() {
		if !r.entryField(&e) {
			s.Skip()
		}
	}
	r.finish(&e)
}

// entryField reads a field of an entry and reports whether it is one.
func (r *reader) entryField(e *entry) bool {
	s := &r.s
	switch string(s.Name()) {
	case "id":
		e.id = s.ID()
	case "time":
		e.at = s.Int()
	case "messaging":
		e.lists = true
		r.items(false)
	case "standby":
		e.lists = true
		r.items(true)
	case "changes":
		e.lists = true
		r.changes()
	case "changed_fields": // the older form, without values
		e.lists = true
		for ok := s.Array(); ok && s.Elem(); {
			c := change{field: s.Text()}
			r.add(&c)
		}
	case "field":
		e.own.field = s.Text()
	case "value":
		e.own.value(r)
	default:
		return false
	}
	return true
}

// hashed begins the delivery key of an event that has no time of its own and
// nothing else that tells it from a like one. The entry's time is added.
const hashed = "t:"

// finish gives an entry's events what the entry says of all of them.
func (r *reader) finish(e *entry) {
	if e.own.field != "" {
		r.add(&e.own)
	}
	b := &r.b
	if r.account != "" && e.id != "" && e.id != r.account {
		b.Unknown += len(b.Events) - e.from
		b.Events = b.Events[:e.from]
		return
	}
	for i := range b.Events[e.from:] {
		ev := &b.Events[e.from+i]
		if e.id != "" {
			ev.Account = e.id
		}
		if ev.Time.IsZero() {
			ev.Time = wire.Moment(e.at)
		}
		if strings.HasPrefix(ev.Delivery, hashed) {
			ev.Delivery += "." + strconv.FormatInt(e.at, 10)
		}
	}
}

// items reads messaging or standby: a list, of which some samples show the
// one element only.
func (r *reader) items(standby bool) {
	if r.s.Peek() == '{' {
		r.item(standby)
		return
	}
	for ok := r.s.Array(); ok && r.s.Elem(); {
		r.item(standby)
	}
}

func (r *reader) item(standby bool) {
	var it item
	is := r.s.Peek() == '{'
	if said := it.read(&r.s); it.kind == "" && (said || !is) { // {} says that nothing happened
		r.b.Unknown++
		return
	}
	r.b.Events = append(r.b.Events, it.event(standby))
}

func (r *reader) changes() {
	if r.s.Peek() == '{' {
		r.change()
		return
	}
	for ok := r.s.Array(); ok && r.s.Elem(); {
		r.change()
	}
}

func (r *reader) change() {
	var c change
	c.read(r)
	r.add(&c)
}

// add notes a change. One that names no field cannot be understood.
func (r *reader) add(c *change) {
	switch {
	case c.field == "":
		r.b.Unknown++
	case c.item.kind != "" && (c.item.sender != "" || c.item.recipient != ""):
		r.b.Events = append(r.b.Events, c.item.event(c.field == "standby"))
	default:
		r.b.Events = append(r.b.Events, c.event())
	}
}
