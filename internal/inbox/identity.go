package inbox

import (
	"context"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// link makes one pseudonym stand for another from now on.
type link struct{ id, target [16]byte }

// party returns the network's id of whom an event is about: the person or,
// where the bot came or went or a group got another id, the group.
func party(ev *channel.Event) string {
	switch ev.Kind { //nolint:exhaustive // all others are a person's
	case sotto.EventJoin, sotto.EventLeave:
		return ev.Conversation
	case sotto.EventMigrate:
		if ev.Group {
			return ev.Conversation
		}
	}
	return ev.Sender
}

// parties returns the pseudonyms of whom an event is about and where it
// happened. On a network whose ids can change, an id that was told to be
// another name of somebody leads to that somebody.
func (in *Inbox) parties(ctx context.Context, name, account string, ev *channel.Event) (sotto.PersonID, sotto.ConversationID, error) {
	who, chat := party(ev), ev.Conversation
	if chat == "" {
		chat = who
	}
	p, c := in.cfg.Vault.PersonID(name, account, who), in.cfg.Vault.ConversationID(name, account, chat)
	if ad := in.cfg.Adapters[account]; ad == nil || !ad.Traits().Migrates {
		return p, c, nil
	}
	first, err := in.cfg.People.Canonical(ctx, p)
	if err != nil {
		return p, c, err
	}
	conv, err := in.cfg.People.Canonical(ctx, c)
	if err != nil || ev.Alias == "" || first != p {
		return first, conv, err
	}
	if st, err := in.cfg.People.Get(ctx, p); err != nil || st.Known {
		return p, conv, err
	}
	// Nobody is known by this id: maybe by the other.
	other, err := in.cfg.People.Canonical(ctx, in.cfg.Vault.PersonID(name, account, ev.Alias))
	if err != nil {
		return p, conv, err
	}
	if st, err := in.cfg.People.Get(ctx, other); err != nil || !st.Known {
		return p, conv, err
	}
	if chat == ev.Sender && conv == c {
		conv, err = in.cfg.People.Canonical(ctx, in.cfg.Vault.ConversationID(name, account, ev.Alias))
	}
	return other, conv, err
}

// acquaint remembers the ids under which a network knows the person, so that
// an event that has only one of them finds the same person.
func (t *turn) acquaint(ctx context.Context) error {
	if t.ev.Alias == "" {
		return nil
	}
	for _, id := range [...]string{t.ev.Sender, t.ev.Alias} {
		if err := t.linkPerson(ctx, id); err != nil {
			return err
		}
		if t.ev.Conversation == t.ev.Sender {
			if err := t.linkChat(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// linkPerson makes an id of the network lead to the person of this turn, unless
// somebody is known by it: two persons who turn out to be one stay two, because
// what was said to one is not the other's to read.
func (t *turn) linkPerson(ctx context.Context, id string) error {
	p := t.in.cfg.Vault.PersonID(t.name(), t.rec.Account, id)
	to, err := t.in.cfg.People.Canonical(ctx, p)
	if err != nil || p == t.rec.Person || to != p {
		return err
	}
	if st, err := t.in.cfg.People.Get(ctx, p); err != nil || st.Known {
		return err
	}
	t.res.links = append(t.res.links, link{p, t.rec.Person})
	return nil
}

func (t *turn) linkChat(ctx context.Context, id string) error {
	c := t.in.cfg.Vault.ConversationID(t.name(), t.rec.Account, id)
	to, err := t.in.cfg.People.Canonical(ctx, c)
	if err == nil && c != t.rec.Conversation && to == c {
		t.res.links = append(t.res.links, link{c, t.rec.Conversation})
	}
	return err
}

// migrate remembers that the network calls a person or a group otherwise from
// now on. Of somebody who has not been told anything, nothing is kept.
func (t *turn) migrate(ctx context.Context) (verdict, error) {
	if !t.st.Known {
		return t.finish(ctx)
	}
	if err := t.linkPerson(ctx, t.ev.Payload); err != nil {
		return again, err
	}
	if err := t.linkChat(ctx, t.ev.Payload); err != nil {
		return again, err
	}
	t.note("migrate", int64(len(t.res.links)))
	return t.finish(ctx)
}
