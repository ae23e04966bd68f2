package inbox

import (
	"context"
	"log/slog"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/wording"
)

// turn is the handling of one event.
type turn struct {
	in     *Inbox
	rec    *journal.Record
	box    *box
	ev     channel.Event
	st     people.State
	lang   string
	closed bool // the event is sealed yet
	trail  *audit.Trail
	res    result
}

// handle does all that is to be done with one event.
func (in *Inbox) handle(ctx context.Context, b *box, r *journal.Record) verdict {
	t := &turn{in: in, rec: r, box: b}
	t.res.record, t.res.person = r.ID, r.Person
	t.res.generation = in.cfg.Vault.Generation(r.Person)
	v, err := t.run(ctx)
	if err == nil {
		return v
	}
	k := sotto.KindOf(err)
	if k == sotto.KindDenied || t.closed && (k == sotto.KindNotFound || k == sotto.KindCorrupt) {
		// Its key is gone: the person was erased, or its time is over. Or no
		// policy permits to look at it. Either way it is destroyed. Other damage
		// says nothing about the event.
		in.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "event not handled", slog.Int64("record", r.ID), slog.String("cause", k.String()))
		return in.discard(ctx, r)
	}
	in.cfg.Logger.LogAttrs(ctx, slog.LevelError, "turn not finished; it is tried again", slog.Int64("record", r.ID), slog.String("cause", k.String()))
	return again
}

func (t *turn) run(ctx context.Context) (verdict, error) {
	in := t.in
	var err error
	if t.st, err = in.cfg.People.Get(ctx, t.rec.Person); err != nil {
		return again, err
	}
	who, _, err := in.cfg.Vault.Commitment(ctx, t.rec.Person, false)
	if err != nil {
		return again, err
	}
	t.trail = audit.NewTrail("turn", who)
	t.closed = true
	if err := t.open(ctx); err != nil {
		return again, err
	}
	t.closed = false
	t.lang = t.language()
	switch t.ev.Kind {
	case sotto.EventMessage, sotto.EventButton:
		return t.message(ctx)
	case sotto.EventBlock:
		return t.remember(ctx, func(s *people.State) { s.Gone = true })
	case sotto.EventUnblock:
		return t.remember(ctx, func(s *people.State) { s.Gone = false })
	case sotto.EventOptOut:
		return t.optOut(ctx)
	case sotto.EventOptIn:
		return t.optIn(ctx)
	case sotto.EventEdit, sotto.EventDelete:
		return t.amend(ctx)
	case sotto.EventMigrate:
		return t.migrate(ctx)
	case sotto.EventJoin:
		return t.joined(ctx)
	case sotto.EventLeave:
		return t.remember(ctx, func(s *people.State) { s.Gone = true })
	case sotto.EventReaction, sotto.EventReceipt, sotto.EventEcho, sotto.EventStandby, sotto.EventOther:
	}
	return t.finish(ctx)
}

// open unseals the event for Sotto's own routing. Whether the bot may see it is
// another decision.
func (t *turn) open(ctx context.Context) error {
	permit, err := t.in.cfg.Gate.Decide(ctx, t.trail, gate.Use{
		Action: gate.Open, Person: t.rec.Person, Facts: t.st.Facts(), Channel: people.Channel(t.rec.Account),
		Purpose: sotto.PurposeReply, Categories: []sotto.Category{sotto.CategoryMessage},
		Recipient: sotto.RecipientSystem, System: true,
	})
	if err != nil {
		return err
	}
	plain, err := t.in.cfg.Vault.Open(ctx, permit, journal.Ref(t.rec), t.rec.Sealed)
	if err != nil {
		return err
	}
	return journal.DecodeEvent(plain, &t.ev)
}

func (t *turn) language() string {
	if t.st.Language != "" {
		return t.st.Language
	}
	return t.in.cfg.Book.Match(t.ev.Language)
}

// remember changes what is known of a person; of somebody who has not been
// told anything, nothing is kept.
func (t *turn) remember(ctx context.Context, change func(*people.State)) (verdict, error) {
	if t.st.Known {
		t.change(change)
		t.trail.Add(audit.Act{Verb: "note", What: []string{string(t.ev.Kind)}})
	}
	return t.finish(ctx)
}

// change has what is known of the person changed with the result, and lets the
// rest of the turn see it.
func (t *turn) change(f func(*people.State)) {
	f(&t.st)
	before := t.res.state
	t.res.state = func(s *people.State) {
		if before != nil {
			before(s)
		}
		f(s)
	}
}

func (t *turn) message(ctx context.Context) (verdict, error) {
	if t.ev.Callback != "" {
		t.acknowledge(ctx)
	}
	if t.st.Gone { // who writes can be reached again
		t.change(func(s *people.State) { s.Gone = false })
	}
	if !t.st.Known || t.st.Notice != t.in.version {
		if t.in.cfg.Outbox.Full(t.rec.Account) {
			return again, nil
		}
		return t.notify(ctx)
	}
	if err := t.acquaint(ctx); err != nil {
		return again, err
	}
	if t.ev.Group && !t.whispered() {
		if err := t.wasTold(ctx); err != nil {
			return again, err
		}
	}
	if err := t.choose(ctx); err != nil {
		return again, err
	}
	if cmd, ok := t.command(); ok {
		return t.obey(ctx, cmd)
	}
	if t.st.Stopped || strings.HasPrefix(t.ev.Payload, wording.PayloadPrefix) {
		return t.finish(ctx)
	}
	if t.wordless() {
		return t.tell(ctx, t.text("unsupported"))
	}
	if t.in.cfg.Outbox.Full(t.rec.Account) { // the network takes nothing: keep what comes in where it is
		return again, nil
	}
	if ok, first := t.in.limit.allow(t.rec.Person); !ok {
		t.trail.Add(audit.Act{Verb: "limit", Denied: true, Reasons: []string{"too many messages in a minute"}})
		if first {
			return t.tell(ctx, t.text("busy"))
		}
		return t.finish(ctx)
	}
	return t.converse(ctx)
}

// acknowledge tells the network that a button press arrived. It is a courtesy:
// it is not repeated, and never waited for.
func (t *turn) acknowledge(ctx context.Context) {
	ad, ok := t.in.cfg.Adapters[t.rec.Account].(channel.Acknowledger)
	if !ok {
		return
	}
	callback, record := t.ev.Callback, t.rec.ID // the turn may be over before
	select {
	case t.in.acks <- struct{}{}:
		go func() {
			defer func() { <-t.in.acks }()
			actx, cancel := context.WithTimeout(ctx, t.in.cfg.Timeout)
			defer cancel()
			if err := ad.Acknowledge(actx, callback); err != nil {
				t.in.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "a button press was not acknowledged", slog.Int64("record", record))
			}
		}()
	default:
	}
}

// say adds one message to the result.
func (t *turn) say(ctx context.Context, kind outbox.Kind, m *outbox.Message) error {
	m.To, m.Handle = t.ev.Conversation, t.ev.Handle
	if t.ev.Group { // who is answered shows by what is answered
		m.ReplyTo = t.ev.ID
	}
	it := &outbox.Item{
		ID: t.in.cfg.IDs.Next(), Person: t.rec.Person, Conversation: t.rec.Conversation, Account: t.rec.Account,
		Kind: kind, Expires: t.in.cfg.Now().Add(t.in.cfg.SendFor),
		Closes: outbox.Closes(t.in.cfg.Adapters[t.rec.Account], t.ev.Time, t.rec.Received),
	}
	if err := t.in.cfg.Outbox.Seal(ctx, it, m); err != nil {
		return err
	}
	t.res.out = append(t.res.out, it)
	return nil
}

// finish stores the result.
func (t *turn) finish(ctx context.Context) (verdict, error) {
	t.res.trail = t.trail
	t.res.handled = true
	if err := t.in.commit.Do(ctx, &t.res); err != nil {
		return again, err
	}
	t.in.Stats.Turns.Add(1)
	return done, nil
}

// discard destroys an event that is not handled: the notice could not be
// delivered, or its key is gone.
func (in *Inbox) discard(ctx context.Context, r *journal.Record) verdict {
	trail := audit.NewTrail("discard", audit.Commitment{})
	trail.Add(audit.Act{Verb: "destroy", What: []string{journal.Table}, Count: 1})
	res := &result{record: r.ID, person: r.Person, generation: in.cfg.Vault.Generation(r.Person), trail: trail, handled: true}
	if err := in.commit.Do(ctx, res); err != nil {
		return again
	}
	in.Stats.Discarded.Add(1)
	return done
}
