package outbox

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/people"
)

// account is what the outbox minds of one account. Lanes that may not be sent
// for yet wait in its queue, in order, so that one conversation with much to say
// takes its turn with the others. All of it is guarded by Outbox.mu.
type account struct {
	known  bool // there is an adapter, and traits are its own
	traits channel.Traits

	sent     window
	reserved int // lanes that were let through and whose call has not begun
	under    int // lanes that were let through and are not done with
	persons  windows
	queue    []*lane
	armed    moment // when the clockwork looks at the queue again; never = only when told to

	hold moment // the network wants the account to be quiet until then
	ease int    // after that, how many lanes are let through at once; 0 = as many as there are
	told told

	round int // of premark, for which
	left  int // so many may begin at once
}

// told is the last conversation that the network wanted to be left alone.
type told struct {
	conversation sotto.ConversationID
	until        moment
}

// longestHold is for how long an account is quiet at the most before the
// network is asked again.
const longestHold = 15 * time.Minute

func (o *Outbox) now() moment { return o.cfg.Now().Sub(o.base) }

// account returns what is minded of an account. Adapters may come after the
// outbox was opened, but before it runs.
func (o *Outbox) account(name string) *account {
	a := o.accounts[name]
	if a == nil {
		a = &account{armed: never}
		o.accounts[name] = a
	}
	if !a.known {
		if ad := o.cfg.Adapters[name]; ad != nil {
			a.known, a.traits = true, ad.Traits()
			a.persons.rate = a.traits.Pace.PerPerson
		}
	}
	return a
}

// room is how many lanes may be let through now.
func (a *account) room(now moment) int {
	if now < a.hold {
		if a.hold-now > longestHold { // the clock went back
			a.hold = now + longestHold
		}
		return 0
	}
	n := a.sent.room(now, a.traits.Pace.PerAccount, a.reserved)
	if a.ease > 0 {
		n = min(n, a.ease-a.under)
	}
	return n
}

// opens returns when there is room again as far as time alone makes it.
func (a *account) opens(now moment) moment {
	if now < a.hold {
		return a.hold
	}
	if at := a.sent.free(now, a.traits.Pace.PerAccount); at > now {
		return at
	}
	return never // whoever is under way makes room
}

// admit lets a lane through that a worker is about to have, or puts it into its
// account's queue. What was stored as being sent goes first.
func (o *Outbox) admit(l *lane) bool {
	a := o.account(l.items[0].Account)
	if len(a.queue) == 0 && a.room(o.now()) > 0 {
		a.let(l)
		return true
	}
	l.taken, l.queued = false, true
	a.queue = append(a.queue, l)
	if l.items[0].marked {
		copy(a.queue[1:], a.queue)
		a.queue[0] = l
	}
	o.arm(a)
	return false
}

func (a *account) let(l *lane) {
	l.let, l.reserved = a, true
	a.reserved++
	a.under++
}

// begun ends the reservation of a lane, because its call begins or will not.
func (l *lane) begun() {
	if l.reserved {
		l.reserved = false
		l.let.reserved--
	}
}

// over ends what let a lane through, and lets others through. An account that
// was told to be quiet goes on slowly: with one lane, and with twice as many for
// every message that the network takes. o.mu is held.
func (o *Outbox) over(l *lane, sent bool) {
	a := l.let
	if a == nil {
		return
	}
	l.begun()
	l.let = nil
	a.under--
	if sent && a.ease > 0 {
		if a.ease *= 2; a.ease >= o.cfg.Workers {
			a.ease = 0
		}
	}
	if len(a.queue) > 0 {
		o.pump(a)
		o.arm(a)
	}
}

// arm has the clockwork look at an account's queue when time makes room, if it
// was not going to anyway. o.mu is held.
func (o *Outbox) arm(a *account) {
	if len(a.queue) > 0 && a.opens(o.now()) < a.armed {
		o.rewind()
	}
}

// pump makes those lanes of an account's queue ready that may be sent for.
func (o *Outbox) pump(a *account) {
	now := o.now()
	for len(a.queue) > 0 {
		l := a.queue[0]
		waits := len(l.items) > 0 && !o.due(l, false).After(o.cfg.Now())
		if waits && a.room(now) <= 0 {
			return
		}
		a.queue[0] = nil
		a.queue = a.queue[1:]
		l.queued = false
		if !waits { // forgotten, or its time is another by now
			o.schedule(l)
			continue
		}
		a.let(l)
		l.taken = true
		o.ready = append(o.ready, l)
		o.wake.Signal()
	}
	a.queue = nil
}

// claim is the last look before a call: it counts the call, or says why there is
// to be none, or how long it must wait. Whoever was muted before it is not
// called. st is what was known of the person when mutes was read.
func (o *Outbox) claim(ctx context.Context, out *outcome, mutes int64, st people.State) (why string, wait time.Duration) {
	for {
		why, wait, ok := o.tryClaim(out, mutes)
		if ok {
			return why, wait
		}
		// Somebody was muted or unmuted meanwhile: what silenced this person may
		// be known of them by now.
		mutes = o.mutes.Load()
		if again, err := o.cfg.People.Get(ctx, out.it.Person); err != nil || again != st {
			return "", time.Millisecond
		}
	}
}

func (o *Outbox) tryClaim(out *outcome, mutes int64) (why string, wait time.Duration, ok bool) {
	l, it := out.lane, out.it
	o.mu.Lock()
	defer o.mu.Unlock()
	if why = o.silenced(it); why != "" {
		return why, 0, true
	}
	if o.mutes.Load() != mutes {
		return "", 0, false
	}
	now := o.now()
	a := o.account(it.Account)
	if at := a.persons.free(it.Conversation, now); at > now { // the clock went back
		return "", at - now, true
	}
	a.persons.add(it.Conversation, now)
	a.sent.add(now, a.traits.Pace.PerAccount)
	l.begun()
	o.arm(a)
	return "", 0, true
}

// clear reports whether a message would be called for at once, for premark.
func (o *Outbox) clear(it *Item, now moment) bool {
	a := o.account(it.Account)
	if a.round != o.round {
		a.round, a.left = o.round, 0
		if len(a.queue) == 0 {
			a.left = a.room(now)
		}
	}
	if a.left <= 0 || a.persons.free(it.Conversation, now) > now {
		return false
	}
	a.left--
	return true
}

// slow has an account be quiet after it was told that it sends too much. A
// network that bounds single conversations as well may mean only this one: that
// a second one is told so meanwhile shows that it means the account.
func (o *Outbox) slow(ctx context.Context, it *Item, d time.Duration) {
	d = min(max(d, time.Second), longestHold)
	o.mu.Lock()
	now := o.now()
	a := o.account(it.Account)
	one := a.traits.Pace.PerPerson.Most > 0 && (a.told.until <= now || a.told.until > now+longestHold || a.told.conversation == it.Conversation)
	a.told = told{it.Conversation, max(a.told.until, now+d)}
	first := false
	if !one {
		first = a.hold <= now
		a.hold, a.ease = max(a.hold, now+d), 1
	}
	o.mu.Unlock()
	if first {
		o.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "the network wants this account to send less; sending pauses",
			slog.String("account", it.Account), slog.Duration("for", d))
	}
}

// soonest returns when the clockwork has to look at the accounts again.
func (o *Outbox) soonest() time.Duration {
	wait := time.Duration(math.MaxInt64)
	for _, a := range o.accounts {
		if len(a.queue) == 0 {
			a.armed = never
			continue
		}
		o.pump(a)
		if a.armed = never; len(a.queue) > 0 {
			now := o.now()
			if a.armed = a.opens(now); a.armed != never {
				wait = min(wait, a.armed-now)
			}
		}
	}
	return wait
}
