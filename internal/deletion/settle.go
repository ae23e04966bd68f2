package deletion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
)

// remembered is how long a settled wish can be looked up.
const remembered = 180 * 24 * time.Hour

// Run looks at new wishes, and at those that a stop left, until ctx ends.
func (d *Desk) Run(ctx context.Context) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		if err := d.Work(ctx); err != nil && ctx.Err() == nil {
			d.cfg.Logger.LogAttrs(ctx, slog.LevelError, "a wish to be deleted is not dealt with yet; tried again", slog.String("cause", sotto.KindOf(err).String()))
		}
		select {
		case <-ctx.Done():
			return
		case <-d.new:
		case <-t.C:
		}
	}
}

// Work looks at every wish that nobody has looked at.
func (d *Desk) Work(ctx context.Context) error {
	all, err := d.List(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].State != Received {
			continue
		}
		if err := d.look(ctx, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

// Sweep forgets wishes that were settled long ago.
func (d *Desk) Sweep(ctx context.Context, now time.Time) (n int64, err error) {
	err = d.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		n, err = tx.Exec(`DELETE FROM deletion_request WHERE done > 0 AND done < $1`, now.Add(-remembered).UnixMilli())
		return err
	})
	return n, err
}

// look erases whoever has written under the network's number, and leaves the
// wish to somebody else where nobody has.
func (d *Desk) look(ctx context.Context, r *Request) error {
	id, subject, sealed, err := d.sealed(ctx, r.Code)
	if err != nil {
		return err
	}
	trail := audit.NewTrail("deletion", audit.Commitment{})
	permit, err := d.cfg.Gate.Decide(ctx, trail, gate.Use{
		Action: gate.Open, Person: subject, Purpose: sotto.PurposeLegal,
		Categories: []sotto.Category{sotto.CategoryIdentifier}, Recipient: sotto.RecipientSystem, System: true,
	})
	if err != nil {
		return err
	}
	user, err := d.cfg.Vault.Open(ctx, permit, ref(id, subject), sealed)
	if err != nil {
		return err
	}
	p, err := d.cfg.People.Canonical(ctx, d.cfg.Vault.PersonID(people.Channel(r.Account), r.Account, string(user)))
	if err != nil {
		return err
	}
	st, err := d.cfg.People.Get(ctx, p)
	if err != nil {
		return err
	}
	if !st.Known {
		return d.put(ctx, r.Code, Review, "", "")
	}
	return d.erase(ctx, r.Code, p, sotto.RecipientPerson)
}

func (d *Desk) erase(ctx context.Context, code string, p sotto.PersonID, by sotto.Recipient) error {
	receipt, err := d.cfg.Erase(ctx, p, by)
	if err != nil {
		return err
	}
	return d.put(ctx, code, Erased, "", receipt)
}

// put stores a state, and destroys the network's number with the last.
func (d *Desk) put(ctx context.Context, code string, s State, reason, receipt string) error {
	_, subject, _, err := d.sealed(ctx, code)
	if err != nil {
		return err
	}
	var done int64
	if !s.Open() {
		done = d.cfg.Now().UnixMilli()
	}
	err = d.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		var is State
		if err := tx.QueryRow(`SELECT state FROM deletion_request WHERE code = $1`, code).Scan(&is); err != nil {
			return err
		}
		if !is.Open() {
			return sotto.E("deletion.settle", sotto.KindExists, fmt.Errorf("the request is settled already: %s", is))
		}
		_, err := tx.Exec(`UPDATE deletion_request SET state = $1, reason = $2, receipt = $3, done = $4 WHERE code = $5`,
			string(s), reason, receipt, done, code)
		if err == nil && !s.Open() {
			_, err = tx.Exec(`UPDATE deletion_request SET sealed = NULL WHERE code = $1`, code)
		}
		if err != nil {
			return err
		}
		return d.record(tx, code, s)
	})
	if err != nil || s.Open() {
		return err
	}
	_, err = d.cfg.Vault.Erase(ctx, subject)
	return err
}

// Settle ends a wish that somebody has looked at: Erased with the pseudonym of
// the person who was found, Nothing where nobody was, Refused with a reason that
// the person will read.
func (d *Desk) Settle(ctx context.Context, code string, s State, p sotto.PersonID, reason string) (Request, error) {
	const op = "deletion.settle"
	r, ok, err := d.Get(ctx, code)
	switch {
	case err != nil:
		return r, err
	case !ok:
		return r, sotto.E(op, sotto.KindNotFound, fmt.Errorf("there is no request %s", code))
	case !r.State.Open():
		return r, sotto.E(op, sotto.KindExists, fmt.Errorf("the request is settled already: %s", r.State))
	}
	switch {
	case s == Erased && !p.IsZero():
		err = d.erase(ctx, code, p, sotto.RecipientPrivacy)
	case s == Nothing:
		err = d.put(ctx, code, Nothing, "", "")
	case s == Refused && reason != "":
		err = d.put(ctx, code, Refused, reason, "")
	default:
		err = sotto.E(op, sotto.KindInvalid, errors.New("want a person to erase, or that nothing is held, or a reason to refuse"))
	}
	if err != nil {
		return r, err
	}
	r, _, err = d.Get(ctx, code)
	return r, err
}
