package inbox

import (
	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/handout"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transcript"
)

// result is all that a turn changes.
type result struct {
	record     int64 // the journal's
	person     sotto.PersonID
	generation uint64              // of the person's keys when the turn began
	handled    bool                // the record goes; else it waits for the notice
	state      func(*people.State) // changes what is known of the person; nil = not
	row        *transcript.Row
	changed    []transcript.Row // turns with another text
	removed    []int64          // turns that go
	forgotten  [16]byte         // a message that the person deleted, with its files
	group      *groupKnown      // the group was told with the person
	links      []link
	handout    *handout.Row
	out        []*outbox.Item
	trail      *audit.Trail

	stale bool // set by commitTx: the person was erased meanwhile, and nothing for them was stored
}

// commitTx stores the results of a group of turns. What was sealed for a person
// who has been erased meanwhile is not stored.
func (in *Inbox) commitTx(tx *store.Tx, results []*result) error {
	records := make([]int64, 0, len(results))
	rows := make([]transcript.Row, 0, len(results))
	items := make([]*outbox.Item, 0, len(results))
	trails := make([]*audit.Trail, 0, len(results))
	for _, r := range results {
		if r.handled {
			records = append(records, r.record)
		}
		if r.trail != nil {
			trails = append(trails, r.trail) // what was done was done
		}
		if r.stale = in.cfg.Vault.Generation(r.person) != r.generation; r.stale {
			continue
		}
		if r.state != nil {
			if err := in.cfg.People.Change(tx, r.person, r.state); err != nil {
				return err
			}
		}
		if err := in.commitRest(tx, r); err != nil {
			return err
		}
		if r.row != nil {
			rows = append(rows, *r.row)
		}
		items = append(items, r.out...)
	}
	if err := in.cfg.Journal.Handled(tx, records); err != nil {
		return err
	}
	if err := in.cfg.Transcript.Add(tx, rows); err != nil {
		return err
	}
	if err := in.cfg.Outbox.Add(tx, items); err != nil {
		return err
	}
	return in.cfg.Log.Append(tx, trails...)
}

// commitRest stores what few turns have.
func (in *Inbox) commitRest(tx *store.Tx, r *result) error {
	if err := in.forgetFiles(tx, r); err != nil {
		return err
	}
	for i := range r.changed {
		if err := in.cfg.Transcript.Replace(tx, &r.changed[i]); err != nil {
			return err
		}
	}
	if len(r.removed) > 0 {
		if err := in.cfg.Transcript.Remove(tx, r.removed); err != nil {
			return err
		}
	}
	for _, l := range r.links {
		if err := in.cfg.People.Link(tx, l.id, l.target, r.person); err != nil {
			return err
		}
	}
	if r.handout != nil {
		if err := in.cfg.Handout.Add(tx, r.handout); err != nil {
			return err
		}
	}
	if g := r.group; g != nil {
		return in.cfg.People.Put(tx, g.id, g.state)
	}
	return nil
}
