package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
)

// outcome is what one attempt, or the decision against one, leaves behind.
type outcome struct {
	it     *Item
	keep   bool          // tried again later; otherwise the row goes
	state  state         // of a kept row
	person *people.State // changed by the outcome; nil = not
	gen    uint64        // of the person's keys when the attempt began
	trail  *audit.Trail
}

// deliver makes one attempt and reports whether the item is done with.
func (o *Outbox) deliver(ctx context.Context, it *Item) (done bool) {
	out := &outcome{it: it, state: it.state, gen: o.cfg.Vault.Generation(it.Person)}
	sent := o.attempt(ctx, out)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := o.settle.Do(ctx, out)
		if err == nil {
			break
		}
		// The outcome must not be lost: without it the message would go out again.
		o.cfg.Logger.LogAttrs(ctx, slog.LevelError, "outcome of a send not stored yet", slog.String("cause", sotto.KindOf(err).String()))
		if k := sotto.KindOf(err); k != sotto.KindFull && k != sotto.KindBusy {
			it.state, it.next = sending, o.cfg.Now().Add(5*time.Second) // unknown from here on
			return false
		}
		sleep(ctx, wait)
	}
	if out.keep {
		it.state = out.state
		return false
	}
	if o.cfg.Done != nil {
		o.cfg.Done(it, sent)
	}
	return true
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (o *Outbox) attempt(ctx context.Context, out *outcome) (sent bool) {
	it := out.it
	st, err := o.cfg.People.Get(ctx, it.Person)
	if err != nil {
		o.later(out, time.Second)
		return false
	}
	who, _, err := o.cfg.Vault.Commitment(ctx, it.Person, false)
	if err != nil {
		o.later(out, time.Second)
		return false
	}
	out.trail = audit.NewTrail("send", who)
	m, err := o.open(ctx, out, st)
	if err != nil {
		return false
	}
	ad := o.cfg.Adapters[it.Account]
	if ad == nil {
		o.cfg.Logger.LogAttrs(ctx, slog.LevelError, "a message waits for an account that is not configured", slog.String("account", it.Account))
		o.later(out, time.Minute)
		return false
	}
	if why := o.hopeless(it, st); why != "" {
		o.drop(out, why)
		return false
	}
	key, idem := ad.(channel.Idempotent)
	if it.state == sending && (!idem || !key.Idempotent()) {
		o.Stats.Unknown.Add(1)
		o.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "a send was cut off; its outcome is unknown",
			slog.Int64("message", it.ID), slog.String("account", it.Account), slog.String("then", string(o.choice(it))))
		out.trail.Add(audit.Act{Verb: "send", Reasons: []string{"unknown", string(o.choice(it))}})
		if o.choice(it) == Drop {
			return false
		}
	}
	if err := o.mark.Do(ctx, it.ID); err != nil {
		o.later(out, time.Second)
		return false
	}
	it.attempts++
	out.state = waiting
	return o.call(ctx, out, ad, m, st)
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

func (o *Outbox) hopeless(it *Item, st people.State) string {
	switch {
	case st.Gone:
		return "gone"
	case o.cfg.Now().After(it.Expires):
		return "expired"
	}
	return ""
}

func (o *Outbox) call(ctx context.Context, out *outcome, ad channel.Adapter, m *Message, st people.State) (sent bool) {
	it := out.it
	cctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	_, err := ad.Send(cctx, &channel.Outgoing{
		Conversation: m.To, Text: m.Text, Buttons: m.Buttons, ReplyTo: m.ReplyTo, File: m.File,
		Key: strconv.FormatInt(it.ID, 36),
	})
	if err == nil {
		o.Stats.Sent.Add(1)
		out.trail.Add(audit.Act{Verb: "send", Count: int64(it.attempts)})
		if it.Kind == Notice {
			now := o.cfg.Now()
			if !st.Known {
				st = people.State{Account: it.Account, Since: now}
			}
			st.Notice, st.NoticeAt, st.Language = m.Notice, now, m.Language
			out.person = &st
			o.noticed(ctx, out, m.Notice)
		}
		return true
	}
	var se *channel.SendError
	if !errors.As(err, &se) {
		se = &channel.SendError{Class: channel.Unknown}
	}
	o.failed(ctx, out, se, ad, st)
	return false
}

func (o *Outbox) failed(ctx context.Context, out *outcome, se *channel.SendError, ad channel.Adapter, st people.State) {
	it := out.it
	o.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "send failed", slog.Int64("message", it.ID), slog.String("account", it.Account),
		slog.String("class", se.Class.String()), slog.Int("status", se.Status), slog.String("code", se.Code), slog.Int("attempt", it.attempts))
	switch se.Class {
	case channel.Retry:
		o.later(out, max(se.RetryAfter, backoff(it.attempts)))
	case channel.Unknown:
		if i, ok := ad.(channel.Idempotent); ok && i.Idempotent() {
			o.later(out, backoff(it.attempts))
			return
		}
		o.Stats.Unknown.Add(1)
		out.trail.Add(audit.Act{Verb: "send", Reasons: []string{"unknown", string(o.choice(it))}})
		if o.choice(it) == Resend {
			o.later(out, backoff(it.attempts))
		} else {
			o.Stats.Dropped.Add(1)
		}
	case channel.Gone:
		o.Stats.Gone.Add(1)
		if st.Known {
			st.Gone = true
			out.person = &st
		}
		o.drop(out, "gone")
	case channel.Auth:
		o.pause(ctx, it.Account)
		o.later(out, time.Minute)
	case channel.Window, channel.Bad:
		o.Stats.Failed.Add(1)
		o.drop(out, se.Class.String())
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

// noticed makes the log say who was told what. The person's own key exists from
// here on, and not before.
func (o *Outbox) noticed(ctx context.Context, out *outcome, version string) {
	if who, ok, err := o.cfg.Vault.Commitment(ctx, out.it.Person, true); err == nil && ok {
		out.trail.Who = who
	}
	out.trail.Kind = "notice"
	out.trail.Add(audit.Act{Verb: "notice", Ref: version})
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

func (o *Outbox) later(out *outcome, d time.Duration) {
	o.Stats.Retried.Add(1)
	out.keep = true
	out.it.next = o.cfg.Now().Add(d)
}

func (o *Outbox) drop(out *outcome, why string) {
	o.Stats.Dropped.Add(1)
	out.trail.Add(audit.Act{Verb: "send", Denied: true, Reasons: []string{why}})
}

func (o *Outbox) settleTx(tx *store.Tx, outs []*outcome) error {
	gone := make([]int64, 0, len(outs))
	trails := make([]*audit.Trail, 0, len(outs))
	for _, out := range outs {
		if out.trail != nil && len(out.trail.Acts()) > 0 {
			trails = append(trails, out.trail)
		}
		if out.person != nil && o.cfg.Vault.Generation(out.it.Person) == out.gen {
			if err := o.cfg.People.Put(tx, out.it.Person, *out.person); err != nil {
				return err
			}
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
