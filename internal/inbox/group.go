package inbox

import (
	"context"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
)

// A group has a pseudonym like a person's, made from the network's id of the
// group, and a row in the same table: whether the notice was given there, and
// whether the bot is still in it. Nothing that is said in a group is kept, and
// what is not said to the bot is not even journaled.

// groupKnown is a group that was told with the first member who spoke to the bot.
type groupKnown struct {
	id    sotto.PersonID
	state people.State
}

// group returns the group's pseudonym and what is known of it.
func (t *turn) group(ctx context.Context) (sotto.PersonID, people.State, error) {
	id, err := t.in.cfg.People.Canonical(ctx, t.in.cfg.Vault.PersonID(t.name(), t.rec.Account, t.ev.Conversation))
	if err != nil {
		return id, people.State{}, err
	}
	st, err := t.in.cfg.People.Get(ctx, id)
	return id, st, err
}

// joined gives the notice to a group that the bot was added to.
func (t *turn) joined(ctx context.Context) (verdict, error) {
	if t.st.Known && t.st.Gone {
		t.change(func(s *people.State) { s.Gone = false })
	}
	if t.st.Known && t.st.Notice == t.in.version {
		return t.finish(ctx)
	}
	return t.notify(ctx)
}

// whispered reports whether nobody else in the group sees what is answered.
func (t *turn) whispered() bool {
	ad := t.in.cfg.Adapters[t.rec.Account]
	return ad != nil && ad.Traits().Whispers
}

// wasTold makes a group known that was told together with the first member who
// spoke to the bot: the notice stands there for all to read.
func (t *turn) wasTold(ctx context.Context) error {
	id, st, err := t.group(ctx)
	if err != nil || st.Notice == t.in.version {
		return err
	}
	now := t.in.cfg.Now()
	if !st.Known {
		st = people.State{Account: t.rec.Account, Since: now}
	}
	st.Notice, st.NoticeAt, st.Language, st.Gone = t.in.version, now, t.lang, false
	t.res.group = &groupKnown{id, st}
	return nil
}

// greeting is the notice for somebody who was not told yet. Where the group has
// it already, a member who speaks to the bot for the first time gets one line.
func (t *turn) greeting(ctx context.Context) (*outbox.Message, error) {
	m := &outbox.Message{Notice: t.in.version, Language: t.lang}
	switch {
	case t.st.Known:
		m.Text = t.in.cfg.Notice.Changed(t.in.cfg.Book, t.lang)
	case t.ev.Group && t.ev.Kind != sotto.EventJoin && !t.whispered():
		_, st, err := t.group(ctx)
		if err != nil {
			return nil, err
		}
		if st.Notice == t.in.version {
			m.Text = t.in.cfg.Notice.Member(t.in.cfg.Book, t.lang)
			return m, nil
		}
		m.Text = t.in.cfg.Notice.Short(t.in.cfg.Book, t.lang)
	default:
		m.Text = t.in.cfg.Notice.Short(t.in.cfg.Book, t.lang)
	}
	return m, nil
}
