package inbox

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
)

// Who blocks the account or wants no more messages gets none from the moment
// that this is durable, although its turn may come much later: the outbox is
// muted for them until the turn has said the same to all who ask. What a record
// means for that stands beside it in the journal, so that it holds after a crash
// as well.
const (
	markStop  int64 = 1 // wants no more messages
	markBlock int64 = 2 // blocked the account
	markBack  int64 = 3 // came back after a block: who writes has not blocked anybody
	markAgain int64 = 4 // wants messages again
)

// mark says what is to be known of an event at once.
func mark(ev *channel.Event) int64 {
	switch ev.Kind { //nolint:exhaustive // of all others nothing
	case sotto.EventBlock:
		return markBlock
	case sotto.EventUnblock:
		return markBack
	case sotto.EventMessage, sotto.EventButton:
		if !ev.Group { // who blocked the bot can still write in a group
			return markBack
		}
	case sotto.EventOptOut:
		if !advertising(ev) {
			return markStop
		}
	case sotto.EventOptIn:
		if !advertising(ev) {
			return markAgain
		}
	}
	return 0
}

// advertising reports whether an opt-in or opt-out is about advertising only,
// such as WhatsApp's category "marketing_messages". A bot's answers to what a
// person says are none.
func advertising(ev *channel.Event) bool {
	return strings.HasPrefix(strings.ToLower(ev.Payload), "marketing")
}

// stops knows which records that are not handled yet have muted somebody.
type stops struct {
	outbox  *outbox.Outbox
	any     atomic.Bool
	mu      sync.Mutex
	persons map[sotto.PersonID]*stopped
	records map[int64]sotto.PersonID
}

// stopped holds the numbers of the last records that say so; 0 = none does.
type stopped struct{ stop, block int64 }

func (s *stops) connect(o *outbox.Outbox) {
	s.outbox = o
	s.persons, s.records = make(map[sotto.PersonID]*stopped), make(map[int64]sotto.PersonID)
}

// note learns of a record that is durable, in commit order.
func (s *stops) note(id int64, p sotto.PersonID, m int64) {
	mutes := m == markStop || m == markBlock
	if m == 0 || !mutes && !s.any.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.persons[p]
	if st == nil {
		if !mutes {
			return
		}
		st = new(stopped)
		s.persons[p] = st
		s.any.Store(true)
	}
	switch m {
	case markStop:
		s.set(&st.stop, id, p, outbox.Stopped)
	case markBlock:
		s.set(&st.block, id, p, outbox.Blocked)
	case markAgain:
		s.set(&st.stop, 0, p, outbox.Stopped)
	case markBack:
		s.set(&st.block, 0, p, outbox.Blocked)
	}
}

// set puts a record in the place of another, and mutes or unmutes. s.mu is held.
func (s *stops) set(at *int64, id int64, p sotto.PersonID, why outbox.Muting) {
	delete(s.records, *at)
	*at = id
	if id != 0 {
		s.records[id] = p
		s.outbox.Mute(p, why)
		return
	}
	s.outbox.Unmute(p, why)
	if st := s.persons[p]; *st == (stopped{}) {
		delete(s.persons, p)
		s.any.Store(len(s.persons) > 0)
	}
}

// handled learns that a record is gone: what it said is known, or nobody is left
// for whom it mattered.
func (s *stops) handled(id int64) {
	if !s.any.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.records[id]
	if !ok {
		return
	}
	if st := s.persons[p]; st.stop == id {
		s.set(&st.stop, 0, p, outbox.Stopped)
	} else {
		s.set(&st.block, 0, p, outbox.Blocked)
	}
}

// vanished learns which of the records that waited are not there any more.
func (in *Inbox) vanished(ids []int64, there []journal.Record) {
	if !in.stops.any.Load() {
		return
	}
	for _, id := range ids {
		if !slices.ContainsFunc(there, func(r journal.Record) bool { return r.ID == id }) {
			in.stops.handled(id)
		}
	}
}

// optOut obeys a person who refused on the network to get messages. One who
// refused advertising still gets answers to what they ask; Sotto sends none of
// its own accord, so that is noted and nothing else.
func (t *turn) optOut(ctx context.Context) (verdict, error) {
	if advertising(&t.ev) {
		return t.advertising(ctx)
	}
	return t.remember(ctx, func(s *people.State) {
		s.ByNetwork = s.ByNetwork || !s.Stopped // a stop that was said to Sotto stays one
		s.Stopped = true
	})
}

// optIn takes back what an opt-out on the network said, and nothing more: a
// person who said stop to Sotto says start to Sotto.
func (t *turn) optIn(ctx context.Context) (verdict, error) {
	if advertising(&t.ev) {
		return t.advertising(ctx)
	}
	return t.remember(ctx, func(s *people.State) {
		if s.ByNetwork {
			s.Stopped, s.ByNetwork = false, false
		}
	})
}

// advertising notes in the log what a person decided about advertising.
func (t *turn) advertising(ctx context.Context) (verdict, error) {
	if t.st.Known {
		t.trail.Add(audit.Act{Verb: "note", What: []string{string(t.ev.Kind)}, Purpose: string(sotto.PurposeMarketing)})
	}
	return t.finish(ctx)
}
