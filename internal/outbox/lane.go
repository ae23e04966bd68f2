package outbox

import (
	"container/heap"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

// lane is what waits for one conversation, in order. At most one worker has it.
type lane struct {
	key    sotto.ConversationID
	items  []*Item
	taken  bool // a worker has it, or it is in the ready list
	at     time.Time
	timed  bool // it is in the timer heap,
	pos    int  // at this place
	nudged bool // Wake was called while a worker had it

	queued   bool     // it waits for its account, see account.queue
	let      *account // that let it through, until the worker is done with it
	reserved bool     // its call is counted, but has not begun
}

// forget takes out what waits for a person, up to a number, but for the first
// item of a lane that a worker has or is about to have: that is its last try.
func (l *lane) forget(p sotto.PersonID, until int64) (dropped []*Item) {
	kept := l.items[:0]
	for i, it := range l.items {
		if it.Person == p && it.ID <= until && (i > 0 || !l.taken) {
			dropped = append(dropped, it)
			continue
		}
		if it.Person == p && it.ID <= until {
			it.forgot = true
		}
		kept = append(kept, it)
	}
	clear(l.items[len(kept):])
	l.items = kept
	return dropped
}

func (o *Outbox) enqueue(it *Item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.lanes[it.Conversation]
	if l == nil {
		l = &lane{key: it.Conversation}
		o.lanes[it.Conversation] = l
	}
	l.items = append(l.items, it)
	o.held++
	o.waits[it.Account]++
	if !l.taken && !l.timed && !l.queued {
		o.schedule(l)
	}
}

// left counts an item out. o.mu is held.
func (o *Outbox) left(it *Item) {
	o.held--
	if o.waits[it.Account]--; o.waits[it.Account] == 0 {
		delete(o.waits, it.Account)
	}
}

// due is when a lane with items can go on, as far as it alone is concerned: at
// its first item's time, or at once where it was nudged, but not before the
// network lets the bot write there again. o.mu is held.
func (o *Outbox) due(l *lane, nudged bool) time.Time {
	it := l.items[0]
	var at time.Time
	if !nudged {
		at = it.next
		if until := o.paused[it.Account]; until.After(at) {
			at = until
		}
	}
	if a := o.account(it.Account); a.persons.rate.Most > 0 {
		now := o.cfg.Now()
		m := now.Sub(o.base)
		free := now.Add(a.persons.free(it.Conversation, m) - m)
		if end := it.end(); free.After(end) { // it is given up in time
			free = end
		}
		if free.After(at) {
			at = free
		}
	}
	return at
}

// retime moves a lane that is in the timer heap. o.mu is held.
func (o *Outbox) retime(l *lane, at time.Time) {
	l.at = at
	heap.Fix(&o.timers, l.pos)
	o.rewind()
}

// rewind has the clockwork look at its timers again.
func (o *Outbox) rewind() {
	select {
	case o.rearm <- struct{}{}:
	default:
	}
}

// schedule makes a lane ready now, or at the time of its first item. o.mu is held.
func (o *Outbox) schedule(l *lane) {
	if len(l.items) == 0 {
		if !l.timed && !l.queued {
			delete(o.lanes, l.key)
		}
		return
	}
	at := o.due(l, l.nudged)
	l.nudged = false
	if at.After(o.cfg.Now()) {
		l.at, l.timed = at, true
		heap.Push(&o.timers, l)
		o.rewind()
		return
	}
	l.taken = true
	o.ready = append(o.ready, l)
	o.wake.Signal()
}

// Wake sends what waits for a conversation now instead of at its time, but not
// faster than the network allows.
func (o *Outbox) Wake(c sotto.ConversationID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.lanes[c]
	switch {
	case l == nil:
	case l.taken:
		l.nudged = true
	case l.timed && len(l.items) > 0:
		o.retime(l, o.due(l, true))
	}
}

// Run sends until ctx ends; then sends under way are finished and what waits
// stays in the database.
func (o *Outbox) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for range o.cfg.Workers {
		wg.Go(func() { o.work(ctx) })
	}
	wg.Go(func() { o.clockwork(ctx) })
	<-ctx.Done()
	o.mu.Lock()
	o.stopped = true
	o.wake.Broadcast()
	o.mu.Unlock()
	wg.Wait()
	o.handBack(context.WithoutCancel(ctx))
}

// handBack says in the database of what was stored as being sent, and whose
// call did not begin, that it is untried: only a crash leaves that in doubt.
func (o *Outbox) handBack(ctx context.Context) {
	var ids []int64
	o.mu.Lock()
	for _, l := range o.lanes {
		for _, it := range l.items {
			if it.marked {
				ids = append(ids, it.ID)
			}
		}
	}
	o.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	err := o.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.UpdateIn(`UPDATE outbox SET state = 1 WHERE id IN`, nil, ids)
		return err
	})
	if err != nil {
		o.cfg.Logger.LogAttrs(ctx, slog.LevelError, "untried messages could not be handed back; they will count as of unknown outcome",
			slog.Int("messages", len(ids)), slog.String("cause", sotto.KindOf(err).String()))
	}
}

func (o *Outbox) work(ctx context.Context) {
	for {
		l, it := o.take()
		if l == nil {
			return
		}
		done, how := o.deliver(ctx, l, it)
		o.mu.Lock()
		o.over(l, how == Sent)
		last := !done && it.forgot
		if (done || last) && len(l.items) > 0 && l.items[0] == it {
			l.items[0] = nil
			l.items = l.items[1:]
			o.left(it)
		}
		l.taken = false
		o.schedule(l)
		o.mu.Unlock()
		if last {
			o.done(it, Forgotten)
		}
	}
}

func (o *Outbox) take() (*lane, *Item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		for len(o.ready) == 0 && !o.stopped {
			o.wake.Wait()
		}
		if o.stopped {
			return nil, nil
		}
		l := o.ready[0]
		o.ready[0] = nil
		o.ready = o.ready[1:]
		if len(l.items) == 0 { // all of it was forgotten meanwhile
			l.taken = false
			o.over(l, false)
			o.schedule(l)
			continue
		}
		if l.let != nil || o.admit(l) {
			return l, l.items[0]
		}
	}
}

// clockwork makes lanes ready when their time has come.
func (o *Outbox) clockwork(ctx context.Context) {
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	for {
		o.mu.Lock()
		now := o.cfg.Now()
		if now.Before(o.seen) {
			o.turnBack()
		}
		o.seen = now
		wait := min(time.Hour, o.soonest())
		for len(o.timers) > 0 {
			l := o.timers[0]
			if l.at.After(now) {
				wait = min(wait, l.at.Sub(now))
				break
			}
			heap.Pop(&o.timers)
			l.timed = false
			if len(l.items) > 0 {
				l.taken = true
				o.ready = append(o.ready, l)
				o.wake.Signal()
			} else {
				o.schedule(l)
			}
		}
		o.mu.Unlock()
		t.Reset(min(wait, time.Hour))
		select {
		case <-ctx.Done():
			return
		case <-o.rearm:
		case <-t.C:
		}
	}
}

// turnBack gives all lanes new times after the clock went back. o.mu is held.
func (o *Outbox) turnBack() {
	for _, l := range o.timers {
		if len(l.items) > 0 {
			l.at = o.due(l, false)
		}
	}
	heap.Init(&o.timers)
}

// timerHeap orders lanes by the time at which they become ready.
type timerHeap []*lane //nolint:recvcheck // package heap wants it so

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}

// Push adds a lane; for package heap only.
func (h *timerHeap) Push(x any) {
	l := x.(*lane) //nolint:errcheck,forcetypeassert // only schedule pushes
	l.pos = len(*h)
	*h = append(*h, l)
}

// Pop removes the last lane; for package heap only.
func (h *timerHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return l
}
