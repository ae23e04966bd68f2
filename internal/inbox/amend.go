package inbox

import (
	"context"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
)

// messageKey names the event's message among what is stored of the person; all
// zero where the network gave it no id. Some networks' ids are unique within a
// conversation only.
func (t *turn) messageKey() (key [16]byte) {
	if t.ev.ID != "" {
		key = t.in.cfg.Vault.Digest("message", string(t.rec.Conversation[:]), t.ev.ID)
	}
	return key
}

func (t *turn) name() string { return people.Channel(t.rec.Account) }

// note records what was done without the bot.
func (t *turn) note(verb string, count int64) {
	t.trail.Add(audit.Act{Verb: verb, What: []string{string(t.ev.Kind)}, Count: count})
}

// amend follows a person who changes or deletes a message on the network: what
// is stored of it is replaced, or goes with what was answered to it.
func (t *turn) amend(ctx context.Context) (verdict, error) {
	rows, err := t.in.cfg.Transcript.Message(ctx, t.rec.Person, t.messageKey())
	if err != nil {
		return again, err
	}
	if t.ev.Kind == sotto.EventDelete {
		t.res.forgotten = t.messageKey()
		for i := range rows {
			t.res.removed = append(t.res.removed, rows[i].ID)
		}
		t.note("destroy", int64(len(rows)))
		return t.finish(ctx)
	}
	if len(rows) > 0 {
		if err := t.rewrite(ctx, rows); err != nil {
			return again, err
		}
	}
	t.note("correct", int64(len(t.res.changed)))
	return t.finish(ctx)
}

// rewrite seals the turns again with the new text, under the keys of their own
// time, so that their last day stays what it was.
func (t *turn) rewrite(ctx context.Context, rows []transcript.Row) error {
	permit, err := t.in.cfg.Gate.Decide(ctx, t.trail, gate.Use{
		Action: gate.Open, Person: t.rec.Person, Facts: t.st.Facts(), Channel: t.name(),
		Purpose: sotto.PurposeReply, Categories: []sotto.Category{sotto.CategoryMessage},
		Recipient: sotto.RecipientSystem, System: true,
	})
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		plain, err := t.in.cfg.Vault.Open(ctx, permit, transcript.Ref(r), r.Sealed)
		if k := sotto.KindOf(err); k == sotto.KindNotFound || k == sotto.KindCorrupt {
			continue // its key is gone, and with it the text
		}
		if err != nil {
			return err
		}
		var s transcript.Said
		if err := s.Decode(plain); err != nil {
			return err
		}
		s.In = t.ev.Text
		if r.Sealed, err = t.in.cfg.Vault.Seal(ctx, transcript.Ref(r), vault.Reply, r.At, s.Encode()); err != nil {
			return err
		}
		t.res.changed = append(t.res.changed, *r)
	}
	return nil
}
