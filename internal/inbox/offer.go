package inbox

import (
	"context"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/offers"
	"github.com/sotto-chat/sotto/internal/wording"
)

// choose makes a press of a button of a text that means one of the buttons that
// were offered last as numbers. A word that is a command to Sotto stays one,
// whatever a bot calls its buttons: nobody can be kept from saying stop.
func (t *turn) choose(ctx context.Context) error {
	o := t.in.cfg.Offers
	if o == nil || t.ev.Kind != sotto.EventMessage || t.ev.Text == "" || len(t.ev.Attachments) > 0 || !o.Has(t.rec.Conversation, t.rec.Person) {
		return nil
	}
	permit, err := t.in.cfg.Gate.Decide(ctx, t.trail, gate.Use{
		Action: gate.Open, Person: t.rec.Person, Facts: t.st.Facts(), Channel: t.name(),
		Purpose: sotto.PurposeReply, Categories: []sotto.Category{sotto.CategoryMessage},
		Recipient: sotto.RecipientSystem, System: true,
	})
	if sotto.KindOf(err) == sotto.KindDenied {
		return nil
	}
	if err != nil {
		return err
	}
	buttons, err := o.Buttons(ctx, permit, t.rec.Conversation, t.rec.Person)
	if err != nil {
		return err
	}
	b, byNumber, ok := offers.Match(buttons, t.ev.Text)
	if !ok {
		return nil
	}
	if _, command := t.command(); command && !byNumber && !strings.HasPrefix(b.Payload, wording.PayloadPrefix) {
		return nil
	}
	t.ev.Kind, t.ev.Text, t.ev.Payload = sotto.EventButton, b.Label, b.Payload
	return nil
}
