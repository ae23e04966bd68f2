package inbox

import (
	"context"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/wording"
)

// notify has the notice sent. The event stays in the journal, sealed, and is
// handled when the notice has reached the network; if it cannot be delivered,
// the event is destroyed. Of a person who has not been told anything, nothing
// else is stored.
func (t *turn) notify(ctx context.Context) (verdict, error) {
	m, err := t.greeting(ctx)
	if err != nil {
		return again, err
	}
	m.Buttons = t.buttons(wording.PayloadPrivacy, wording.PayloadStop)
	if err := t.say(ctx, outbox.Notice, m); err != nil {
		return again, err
	}
	t.res.trail = t.trail
	t.in.d.expectNotice(t.rec.Conversation) // before the outbox can be done with it
	if err := t.in.commit.Do(ctx, &t.res); err != nil {
		t.in.d.noNotice(t.box)
		return again, err
	}
	if t.res.stale { // the person was erased meanwhile: there is no notice to wait for
		t.in.d.noNotice(t.box)
		return again, nil
	}
	return park, nil
}

// farewell ends what an erased person's last message needed: its key.
func (in *Inbox) farewell(it *outbox.Item) {
	in.cfg.Rights.Farewell(it.Person, it.ID)
}

// buttons offers commands of Sotto's own.
func (t *turn) buttons(payloads ...string) []sotto.Button {
	out := make([]sotto.Button, 0, len(payloads))
	for _, p := range payloads {
		if cmd, ok := t.in.cfg.Book.Payload(p); ok {
			out = append(out, sotto.Button{Label: t.text("button." + string(cmd)), Payload: p})
		}
	}
	return out
}
