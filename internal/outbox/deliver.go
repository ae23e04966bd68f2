package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/offers"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
)

// outcome is what one attempt, or the decision against one, leaves behind.
type outcome struct {
	it    *Item
	tried bool                // the network may have been called
	keep  bool                // tried again later; otherwise the row goes
	state state               // of a kept row
	learn func(*people.State) // what the outcome says of the person; nil = nothing
	met   bool                // the person is known from now on
	gen   uint64              // of the person's keys when the attempt began
	trail *audit.Trail
	lane  *lane

	buttons bool          // a message with buttons was sent: an earlier offer is over,
	offer   *offers.Offer // and this one begins; nil = none
}

// deliver makes one attempt and reports whether the item is done with. Once stop
// has ended it waits for the network and for nothing else.
func (o *Outbox) deliver(stop context.Context, l *lane, it *Item) (done bool, how Ending) {
	ctx := context.WithoutCancel(stop)
	out := &outcome{it: it, lane: l, state: it.state, gen: o.cfg.Vault.Generation(it.Person)}
	how = o.attempt(ctx, out)
	if !o.settled(ctx, stop, out) {
		if out.tried {
			it.state = sending // unknown from here on, as the database says
		}
		it.next = o.cfg.Now().Add(5 * time.Second)
		return false, how
	}
	if out.keep {
		it.state = out.state
		return false, 0
	}
	o.done(it, how)
	return true, how
}

// settled stores an outcome. It must not be lost, because without it the message
// would go out again: storing is tried until it succeeds or the database is
// closed or the outbox stops.
func (o *Outbox) settled(ctx, stop context.Context, out *outcome) bool {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := o.settle.Do(ctx, out)
		if err == nil {
			return true
		}
		kind := sotto.KindOf(err)
		o.cfg.Logger.LogAttrs(ctx, slog.LevelError, "outcome of a send not stored yet", slog.String("cause", kind.String()))
		if kind == sotto.KindUnavailable || stop.Err() != nil {
			return false
		}
		sleep(stop, wait)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (o *Outbox) attempt(ctx context.Context, out *outcome) Ending {
	it := out.it
	mutes := o.mutes.Load()
	st, err := o.cfg.People.Get(ctx, it.Person)
	if err != nil {
		o.later(out, time.Second)
		return 0
	}
	who, _, err := o.cfg.Vault.Commitment(ctx, it.Person, false)
	if err != nil {
		o.later(out, time.Second)
		return 0
	}
	out.trail = audit.NewTrail("send", who)
	if why := o.hopeless(out.lane, it, st); why != "" {
		return o.refuse(ctx, out, why)
	}
	m, err := o.open(ctx, out, st)
	if err != nil {
		if k := sotto.KindOf(err); k == sotto.KindNotFound || k == sotto.KindCorrupt {
			return Forgotten // its key is gone, or there is another one since
		}
		return GivenUp
	}
	ad := o.cfg.Adapters[it.Account]
	if ad == nil {
		o.cfg.Logger.LogAttrs(ctx, slog.LevelError, "a message waits for an account that is not configured", slog.String("account", it.Account))
		o.later(out, time.Minute)
		return 0
	}
	if m.File != nil && ad.Traits().NoFiles { // whoever made the message should have made a link of it
		return o.refuse(ctx, out, "file")
	}
	if it.state == sending && !ad.Traits().Idempotent {
		o.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "a send was cut off; its outcome is unknown",
			slog.Int64("message", it.ID), slog.String("account", it.Account), slog.String("then", string(o.choice(it))))
		if o.unknown(out) == Drop {
			return GivenUp
		}
	}
	if it.marked {
		it.marked = false
	} else if err := o.mark.Do(ctx, it.ID); err != nil {
		o.later(out, time.Second)
		return 0
	}
	if o.cfg.Vault.Generation(it.Person) != out.gen {
		o.drop(out, "erased")
		return Forgotten
	}
	why, wait := o.claim(ctx, out, mutes, st)
	if why != "" {
		return o.refuse(ctx, out, why)
	}
	if wait > 0 {
		out.state = waiting
		o.postpone(out, wait)
		return 0
	}
	it.attempts++
	out.state, out.tried = waiting, true
	return o.call(ctx, out, ad, m)
}

// unknown counts a send of unknown outcome and says what is done about it.
func (o *Outbox) unknown(out *outcome) Unknown {
	c := o.choice(out.it)
	o.Stats.Unknown.Add(1)
	if c == Drop {
		o.Stats.Dropped.Add(1)
	}
	out.trail.Add(audit.Act{Verb: "send", Reasons: []string{"unknown", string(c)}})
	return c
}

// open asks the gate and unseals; on an error the outcome is settled.
func (o *Outbox) open(ctx context.Context, out *outcome, st people.State) (*Message, error) {
	it := out.it
	permit, err := o.cfg.Gate.Decide(ctx, out.trail, gate.Use{
		Action: gate.Send, Person: it.Person, Facts: st.Facts(), Channel: people.Channel(it.Account),
		Purpose: sotto.PurposeReply, Categories: []sotto.Category{sotto.CategoryMessage},
		Recipient: sotto.RecipientPerson, System: it.Kind != Reply,
	})
	if err != nil {
		o.Stats.Denied.Add(1)
		return nil, err
	}
	plain, err := o.cfg.Vault.Open(ctx, permit, Ref(it.ID, it.Person), it.Sealed)
	if err != nil {
		if k := sotto.KindOf(err); k == sotto.KindNotFound || k == sotto.KindCorrupt {
			o.drop(out, k.String())
		} else {
			o.later(out, time.Second)
		}
		return nil, err
	}
	m := new(Message)
	if err := m.Decode(plain); err != nil {
		o.drop(out, "corrupt")
		return nil, err
	}
	return m, nil
}

// hopeless says why a message is not even unsealed, or "".
func (o *Outbox) hopeless(l *lane, it *Item, st people.State) string {
	switch {
	case st.Gone:
		return "gone"
	case !o.cfg.Now().Before(it.Expires):
		return "expired"
	case o.closed(l, it):
		return "window"
	}
	return ""
}

func (o *Outbox) call(ctx context.Context, out *outcome, ad channel.Adapter, m *Message) Ending {
	it := out.it
	cctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	sent, err := ad.Send(cctx, &channel.Outgoing{
		Conversation: m.To, Text: m.Text, Buttons: m.Buttons, ReplyTo: m.ReplyTo, Handle: m.Handle, File: m.File,
		Key: strconv.FormatInt(it.ID, 36),
	})
	if err == nil {
		o.Stats.Sent.Add(1)
		out.trail.Add(audit.Act{Verb: "send", Count: int64(it.attempts)})
		if it.Kind == Notice {
			o.noticed(ctx, out, m)
		}
		o.offered(ctx, out, m, sent)
		return Sent
	}
	var se *channel.SendError
	if !errors.As(err, &se) {
		se = &channel.SendError{Class: channel.Unknown}
	}
	o.failed(ctx, out, se, ad)
	return GivenUp
}

func (o *Outbox) failed(ctx context.Context, out *outcome, se *channel.SendError, ad channel.Adapter) {
	it := out.it
	o.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "send failed", slog.Int64("message", it.ID), slog.String("account", it.Account),
		slog.String("class", se.Class.String()), slog.Int("status", se.Status), slog.String("code", se.Code), slog.Int("attempt", it.attempts))
	switch se.Class {
	case channel.Retry:
		if se.Status == http.StatusTooManyRequests {
			o.slow(ctx, it, se.RetryAfter)
		}
		o.later(out, max(se.RetryAfter, backoff(it.attempts)))
	case channel.Gone:
		o.Stats.Gone.Add(1)
		out.learn = func(s *people.State) { s.Gone = true }
		o.drop(out, "gone")
	case channel.Auth:
		o.pause(ctx, it.Account)
		o.later(out, time.Minute)
	case channel.Window:
		o.outside(ctx, out, ad.Traits().Alternative)
	case channel.Bad:
		o.Stats.Failed.Add(1)
		o.drop(out, "bad")
	case channel.Unknown:
		fallthrough
	default: // a class that does not exist says nothing
		if ad.Traits().Idempotent || o.unknown(out) == Resend {
			o.later(out, backoff(it.attempts))
		}
	}
}

// choice is what is done about an unknown outcome. A notice is always repeated:
// what the person wrote waits for it.
func (o *Outbox) choice(it *Item) Unknown {
	if it.Kind == Notice {
		return Resend
	}
	return o.cfg.Unknown
}

// noticed makes the person known, and the log say who was told what. The
// person's own key exists from here on, and not before.
func (o *Outbox) noticed(ctx context.Context, out *outcome, m *Message) {
	if o.cfg.Vault.Generation(out.it.Person) == out.gen { // else erased while the notice was under way
		if who, ok, err := o.cfg.Vault.Commitment(ctx, out.it.Person, true); err == nil && ok {
			out.trail.Who = who
		}
	}
	now := o.cfg.Now()
	out.met = true
	out.learn = func(s *people.State) { s.Notice, s.NoticeAt, s.Language = m.Notice, now, m.Language }
	out.trail.Kind = "notice"
	out.trail.Add(audit.Act{Verb: "notice", Ref: m.Notice})
}

// pause keeps an account from sending for a while: its credentials were refused.
func (o *Outbox) pause(ctx context.Context, account string) {
	o.mu.Lock()
	o.paused[account] = o.cfg.Now().Add(time.Minute)
	o.mu.Unlock()
	o.cfg.Logger.LogAttrs(ctx, slog.LevelError, "the network refuses the credentials of this account; sending pauses", slog.String("account", account))
}

// backoff doubles from half a second to five minutes, with jitter.
func backoff(attempts int) time.Duration {
	d := 500 * time.Millisecond << min(max(attempts-1, 0), 10)
	d = min(d, 5*time.Minute)
	return d/2 + rand.N(d) //nolint:gosec // jitter, not a secret
}

// later has an item tried again after a while.
func (o *Outbox) later(out *outcome, d time.Duration) {
	o.Stats.Retried.Add(1)
	o.postpone(out, d)
}

// postpone has an item wait for a while, but given up when its time is over
// however long the network wants to be left alone.
func (o *Outbox) postpone(out *outcome, d time.Duration) {
	out.keep = true
	it := out.it
	it.marked = false // the row says from now on what is so
	now := o.cfg.Now()
	it.next = now.Add(d)
	if it.next.After(it.Expires) {
		it.next = it.Expires
	}
	if end := it.end(); it.next.After(end) && end.After(now) {
		it.next = end
	}
}

func (o *Outbox) drop(out *outcome, why string) {
	o.Stats.Dropped.Add(1)
	out.trail.Add(audit.Act{Verb: "send", Denied: true, Reasons: []string{why}})
}

// offered remembers the buttons of a message that went out as numbers.
func (o *Outbox) offered(ctx context.Context, out *outcome, m *Message, sent channel.Sent) {
	if o.cfg.Offers == nil || len(m.Buttons) == 0 {
		return
	}
	it := out.it
	out.buttons = true
	if !sent.Numbered {
		return
	}
	var err error
	out.offer, err = o.cfg.Offers.Make(ctx, offers.Offer{ID: it.ID, Person: it.Person, Conversation: it.Conversation}, m.Buttons)
	if err != nil {
		o.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "what was offered is not remembered; a number will reach the bot as text",
			slog.Int64("message", it.ID), slog.String("cause", sotto.KindOf(err).String()))
	}
}

// offerTx stores what was offered, unless the person was erased meanwhile.
func (o *Outbox) offerTx(tx *store.Tx, out *outcome) error {
	if !out.buttons || o.cfg.Vault.Generation(out.it.Person) != out.gen {
		return nil
	}
	if out.offer != nil {
		return o.cfg.Offers.Put(tx, out.offer)
	}
	return o.cfg.Offers.End(tx, out.it.Conversation, out.it.Person)
}

// learned stores what an outcome says of the person, unless they were erased
// meanwhile.
func (o *Outbox) learned(tx *store.Tx, out *outcome) error {
	it := out.it
	if out.learn == nil || o.cfg.Vault.Generation(it.Person) != out.gen {
		return nil
	}
	if !out.met {
		return o.cfg.People.Change(tx, it.Person, out.learn)
	}
	st, err := o.cfg.People.Read(tx, it.Person)
	if err != nil {
		return err
	}
	if !st.Known {
		st = people.State{Account: it.Account, Since: o.cfg.Now()}
	}
	out.learn(&st)
	return o.cfg.People.Put(tx, it.Person, st)
}

func (o *Outbox) settleTx(tx *store.Tx, outs []*outcome) error {
	gone := make([]int64, 0, len(outs))
	trails := make([]*audit.Trail, 0, len(outs))
	for _, out := range outs {
		if out.trail != nil && len(out.trail.Acts()) > 0 {
			trails = append(trails, out.trail)
		}
		if err := o.learned(tx, out); err != nil {
			return err
		}
		if err := o.offerTx(tx, out); err != nil {
			return err
		}
		if !out.keep {
			gone = append(gone, out.it.ID)
			continue
		}
		if _, err := tx.Exec(`UPDATE outbox SET state = $1, next = $2 WHERE id = $3`, int64(out.state), out.it.next.UnixMilli(), out.it.ID); err != nil {
			return err
		}
	}
	if _, err := tx.DeleteIn(`DELETE FROM outbox WHERE id IN`, gone); err != nil {
		return err
	}
	return o.cfg.Log.Append(tx, trails...)
}
