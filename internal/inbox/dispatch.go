package inbox

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/outbox"
)

// dispatcher gives each conversation's records to one worker at a time, in
// order. It holds at most limit records; what comes in beyond that stays in the
// database alone and is read when there is room, in order. Of a conversation
// that waits for its notice only the records' numbers are held; the records are
// read back a few at a time when their turn comes.
type dispatcher struct {
	mu      sync.Mutex
	wake    *sync.Cond
	boxes   map[sotto.ConversationID]*box
	ready   []*box
	held    int // records in memory
	limit   int
	stopped bool

	behind bool  // records are in the database that are not here
	cursor int64 // all of them have larger numbers

	loading  bool             // refill reads the database: what comes in goes to late,
	late     []journal.Record // in commit order, unless there is too much of it,
	gap      bool             // and some of it was passed over,
	finished map[int64]bool   // and what is done meanwhile is in what it read
	early    map[int64]bool   // what the last refill had: it may be announced only now; nil when all of it is done
}

// box is what waits in one conversation.
type box struct {
	key     sotto.ConversationID
	records []journal.Record
	parked  []int64                 // numbers of later records, which are in the database alone
	notice  bool                    // the notice is on its way
	taken   bool                    // a worker has it, or it is in the ready list
	delayed bool                    // waits for a time before the next try
	refused map[sotto.PersonID]bool // the notice could not be delivered to them
	tries   int
}

// overlap is how far back, in microseconds, a number may lie of a record that
// becomes durable now: the longest time between numbering and commit.
const overlap = int64(2 * time.Minute / time.Microsecond)

// Committed takes records that have just become durable. It is called by the
// database's writer, in commit order.
func (in *Inbox) Committed(records []journal.Record) {
	for i := range records {
		in.stops.note(records[i].ID, records[i].Person, records[i].Mark)
	}
	d := &in.d
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.loading:
		d.gap = d.gap || len(d.late)+len(records) > d.limit
		if !d.gap {
			d.late = append(d.late, records...)
		}
	case d.behind:
	case d.held+len(records) > d.limit:
		d.behind, d.cursor = true, records[0].ID-overlap
	default:
		for _, r := range records {
			if !d.early[r.ID] {
				d.push(r)
			}
		}
	}
}

// push puts a record at the end of its box. d.mu is held.
func (d *dispatcher) push(r journal.Record) {
	b := d.box(r.Conversation)
	if b.notice || len(b.parked) > 0 {
		b.parked = append(b.parked, r.ID)
		return
	}
	b.records = append(b.records, r)
	d.held++
	d.schedule(b)
}

func (d *dispatcher) box(c sotto.ConversationID) *box {
	b := d.boxes[c]
	if b == nil {
		b = &box{key: c}
		d.boxes[c] = b
	}
	return b
}

func (d *dispatcher) schedule(b *box) {
	if b.taken || b.delayed || b.notice {
		return
	}
	if len(b.records)+len(b.parked) == 0 {
		delete(d.boxes, b.key)
		return
	}
	b.taken = true
	d.ready = append(d.ready, b)
	d.wake.Signal()
}

func (d *dispatcher) stop() {
	d.mu.Lock()
	d.stopped = true
	d.wake.Broadcast()
	d.mu.Unlock()
}

// take returns the next box and its first record, which is nil where it must be
// read back first.
func (d *dispatcher) take() (*box, *journal.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.ready) == 0 && !d.stopped {
		d.wake.Wait()
	}
	if d.stopped {
		return nil, nil
	}
	b := d.ready[0]
	d.ready[0] = nil
	d.ready = d.ready[1:]
	if len(b.records) == 0 {
		return b, nil
	}
	return b, &b.records[0]
}

// verdict says what becomes of a record after a worker had it.
type verdict uint8

const (
	done  verdict = iota // its result is durable
	park                 // it waits for the notice
	again                // it is tried again after a while
	read                 // the records that waited are read back
)

func (in *Inbox) work(ctx context.Context) {
	d := &in.d
	for {
		b, r := d.take()
		if b == nil {
			return
		}
		var v verdict
		switch {
		case r == nil:
			v = in.readBack(ctx, b)
		case d.isRefused(b, r.Person):
			v = in.discard(ctx, r)
		default:
			v = in.handle(ctx, b, r)
		}
		if v == done {
			in.stops.handled(r.ID)
		}
		in.release(b, v)
	}
}

// release puts a box back after a worker had it.
func (in *Inbox) release(b *box, v verdict) {
	d := &in.d
	d.mu.Lock()
	defer d.mu.Unlock()
	b.taken = false
	switch v {
	case done:
		if d.loading {
			d.finished[b.records[0].ID] = true
		}
		b.records[0] = journal.Record{}
		b.records = b.records[1:]
		b.tries = 0
		d.held--
	case park:
		if b.notice { // else it was sent meanwhile
			ids := make([]int64, 0, len(b.records)+len(b.parked))
			for i := range b.records {
				ids = append(ids, b.records[i].ID)
			}
			b.parked = append(ids, b.parked...) // what came in meanwhile is later
			d.held -= len(b.records)
			b.records = nil
		}
	case again:
		in.Stats.Retried.Add(1)
		b.tries++
		b.delayed = true
		time.AfterFunc(min(100*time.Millisecond<<min(b.tries, 8), 15*time.Second), func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			b.delayed = false
			d.schedule(b)
		})
	case read:
	}
	d.schedule(b)
	if len(d.boxes) == 0 { // a record is announced before its result is stored
		d.early = nil
	}
}

func (d *dispatcher) isRefused(b *box, p sotto.PersonID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return b.refused[p]
}

// expectNotice has a conversation wait until Done is called for its notice.
func (d *dispatcher) expectNotice(c sotto.ConversationID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.box(c).notice = true
}

// noNotice takes expectNotice back: the notice was not stored.
func (d *dispatcher) noNotice(b *box) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b.notice = false
}

// Done takes the outcome of a message from the outbox.
func (in *Inbox) Done(it *outbox.Item, how outbox.Ending) {
	switch it.Kind {
	case outbox.Farewell:
		if how != outbox.Forgotten { // else the key went with another erasure
			in.farewell(it)
		}
	case outbox.Notice:
		if how == outbox.Sent {
			in.Stats.Noticed.Add(1)
		}
		in.unpark(it, how)
	case outbox.Reply, outbox.System:
	}
}

// unpark lets a conversation go on after its notice. If the notice could not be
// delivered, what the person wrote before is destroyed instead of handled.
func (in *Inbox) unpark(it *outbox.Item, how outbox.Ending) {
	d := &in.d
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.box(it.Conversation)
	b.notice = false
	if how == outbox.GivenUp {
		if b.refused == nil {
			b.refused = make(map[sotto.PersonID]bool)
		}
		b.refused[it.Person] = true
	}
	d.schedule(b)
}

// readBackRows is how many records of one conversation are read back at once.
const readBackRows = 64

// readBack reads the first records that waited for the notice. Some may be gone
// by now: erased, or past their last day.
func (in *Inbox) readBack(ctx context.Context, b *box) verdict {
	d := &in.d
	d.mu.Lock()
	ids := b.parked[:min(len(b.parked), readBackRows)]
	d.mu.Unlock()
	records, err := in.cfg.Journal.Get(ctx, ids)
	if err != nil {
		in.cfg.Logger.LogAttrs(ctx, slog.LevelError, "the journal cannot be read", slog.String("cause", sotto.KindOf(err).String()))
		return again
	}
	in.vanished(ids, records)
	d.mu.Lock()
	defer d.mu.Unlock()
	b.parked = b.parked[len(ids):]
	if len(b.parked) == 0 {
		b.parked = nil
	}
	b.records = records
	b.tries = 0
	d.held += len(records)
	return read
}

// keepUp reads records that did not fit into memory when there is room again.
func (in *Inbox) keepUp(ctx context.Context) {
	t := time.NewTicker(50 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		in.d.mu.Lock()
		due := in.d.behind && in.d.held <= in.d.limit/2
		in.d.mu.Unlock()
		if !due {
			continue
		}
		if err := in.refill(ctx); err != nil && ctx.Err() == nil {
			in.cfg.Logger.LogAttrs(ctx, slog.LevelError, "the journal cannot be read", slog.String("cause", sotto.KindOf(err).String()))
		}
	}
}

const refillRows = 1024

// refill reads what waits in the journal until memory is full or the end is
// reached. Records that become durable meanwhile go to late: at the end both
// are in memory and in order, or the inbox stays behind.
func (in *Inbox) refill(ctx context.Context) error {
	d := &in.d
	d.mu.Lock()
	after := d.cursor
	d.loading, d.gap, d.late, d.finished = true, false, nil, make(map[int64]bool)
	have := d.numbers()
	d.mu.Unlock()
	for {
		records, err := in.cfg.Journal.Pending(ctx, after, refillRows)
		d.mu.Lock()
		if err != nil {
			d.loading, d.late = false, nil
			d.mu.Unlock()
			return err
		}
		for _, r := range records {
			if !have[r.ID] && !d.finished[r.ID] {
				have[r.ID] = true
				d.push(r)
			}
			after = r.ID
		}
		end := len(records) < refillRows
		if end || d.held >= d.limit {
			d.endRefill(end, after, have)
			d.mu.Unlock()
			return nil
		}
		d.mu.Unlock()
	}
}

// endRefill puts what came in during a refill behind what it read. d.mu is held.
func (d *dispatcher) endRefill(end bool, after int64, have map[int64]bool) {
	complete := end && !d.gap
	if complete {
		for _, r := range d.late {
			if !have[r.ID] && !d.finished[r.ID] {
				d.push(r)
			}
		}
	}
	d.behind = !complete
	d.cursor = after - overlap
	d.loading, d.late, d.finished, d.early = false, nil, nil, have
}

// numbers returns the numbers of all records that are here. d.mu is held.
func (d *dispatcher) numbers() map[int64]bool {
	have := make(map[int64]bool, d.held)
	for _, b := range d.boxes {
		for i := range b.records {
			have[b.records[i].ID] = true
		}
		for _, id := range b.parked {
			have[id] = true
		}
	}
	return have
}
