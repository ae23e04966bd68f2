package inbox

import (
	"context"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Receive journals the events of one verified webhook call and returns when
// they are durable. An error means that none of them is kept, and that the
// network should try again: sotto.KindFull, KindBusy or KindUnavailable.
//
// Events that nothing is done with (receipts, echoes, a group's lines that are
// not said to the bot) are not kept at all.
func (in *Inbox) Receive(ctx context.Context, account string, events []channel.Event) error {
	for {
		records, err := in.seal(ctx, account, events)
		if err != nil || len(records) == 0 {
			return err
		}
		n, err := in.cfg.Journal.Append(ctx, records)
		if err == journal.ErrStale { //nolint:errorlint // returned as it is
			continue // the person was erased between sealing and storing; seal under a new key
		}
		in.Stats.Received.Add(int64(n))
		in.Stats.Duplicates.Add(int64(len(records) - n))
		return err
	}
}

// wanted reports whether anything is ever done with an event.
func wanted(ev *channel.Event) bool {
	switch ev.Kind {
	case sotto.EventMessage, sotto.EventButton:
		return ev.Sender != "" && ev.Conversation != "" && (!ev.Group || ev.Addressed)
	case sotto.EventBlock, sotto.EventUnblock, sotto.EventOptIn, sotto.EventOptOut:
		return ev.Sender != ""
	case sotto.EventEdit, sotto.EventDelete: // what is said in a group is not kept
		return ev.Sender != "" && ev.ID != "" && !ev.Group
	case sotto.EventJoin, sotto.EventLeave:
		return ev.Self && ev.Group && ev.Conversation != ""
	case sotto.EventMigrate:
		return ev.Payload != "" && party(ev) != ""
	case sotto.EventReaction, sotto.EventReceipt, sotto.EventEcho, sotto.EventStandby, sotto.EventOther:
		return false
	}
	return false
}

func (in *Inbox) seal(ctx context.Context, account string, events []channel.Event) ([]journal.Record, error) {
	var out []journal.Record
	now := in.cfg.Now()
	name, _, _ := strings.Cut(account, "/")
	for i := range events {
		ev := &events[i]
		if !wanted(ev) {
			in.Stats.Ignored.Add(1)
			continue
		}
		person, conversation, err := in.parties(ctx, name, account, ev)
		if err != nil {
			return nil, err
		}
		r := journal.Record{
			ID:           in.cfg.IDs.Next(),
			Delivery:     journal.DeliveryKey(in.cfg.Vault.Digest("delivery", account, ev.Delivery)),
			Person:       person,
			Conversation: conversation,
			Minute:       minute(in.cfg.Adapters[account], ev),
			Account:      account,
			Received:     now,
			Mark:         mark(ev),
		}
		r.Generation = in.cfg.Vault.Generation(r.Person)
		if r.Sealed, err = in.cfg.Vault.Seal(ctx, journal.Ref(&r), vault.Transit, now, journal.EncodeEvent(ev)); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// minute places an event among the remembered deliveries.
func minute(ad channel.Adapter, ev *channel.Event) int64 {
	if ad == nil || !ad.Traits().StableTime || ev.Time.IsZero() {
		return 0
	}
	return max(0, ev.Time.Unix()/60)
}
