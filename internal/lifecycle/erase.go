package lifecycle

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transcript"
)

// Receipt is the proof of an erasure. It holds nothing that leads back to the
// person: the commitment in its log entry was made with one of the keys that
// are gone.
type Receipt struct {
	Format  string          `json:"format"` // "sotto-erasure/1"
	Receipt string          `json:"receipt"`
	At      time.Time       `json:"at"`
	Keys    int64           `json:"keys_destroyed"`
	Entry   int64           `json:"log_entry"` // index of the entry in the audit log
	Signer  string          `json:"log_signer,omitempty"`
	Proof   json.RawMessage `json:"proof,omitempty"` // that the entry is in the log; checked offline
	Note    string          `json:"note"`
}

// An erasure that was begun is in one of these states.
const (
	intended = 1 // keys may be there yet
	keysGone = 2 // rows are being deleted
)

// Erase destroys all keys of a person and has the rows deleted in the
// background; it returns the receipt's id. See [Lifecycle.EraseReceipt].
func (l *Lifecycle) Erase(ctx context.Context, p sotto.PersonID, by sotto.Recipient) (string, error) {
	r, err := l.erase(ctx, p, by)
	return r.Receipt, err
}

// EraseReceipt is Erase and returns the whole receipt, with its proof.
func (l *Lifecycle) EraseReceipt(ctx context.Context, p sotto.PersonID, by sotto.Recipient) (Receipt, error) {
	r, err := l.erase(ctx, p, by)
	if err != nil {
		return Receipt{}, err
	}
	return l.prove(ctx, r)
}

func (l *Lifecycle) prove(ctx context.Context, r Receipt) (Receipt, error) {
	var err error
	if r.Proof, err = l.cfg.Log.Prove(ctx, r.Entry); err != nil {
		return Receipt{}, err
	}
	r.Signer = l.cfg.Log.VerifierKey()
	return r, nil
}

// Receipt returns the receipt of an erasure by its id, and whether the rows are
// gone as well; ok is false where there is none. Receipts are kept: they name
// nobody.
func (l *Lifecycle) Receipt(ctx context.Context, id string) (r Receipt, rowsGone, ok bool, err error) {
	var at int64
	err = l.cfg.DB.QueryRow(ctx, `SELECT at, keys, entry FROM lifecycle_receipt WHERE receipt = $1`, id).Scan(&at, &r.Keys, &r.Entry)
	if errors.Is(err, store.ErrNoRows) {
		return Receipt{}, false, false, nil
	}
	if err != nil {
		return Receipt{}, false, false, err
	}
	r = receipt(id, time.UnixMilli(at), r.Keys, r.Entry)
	var n int64
	if err = l.cfg.DB.QueryRow(ctx, `SELECT count(*) FROM lifecycle_erasure WHERE receipt = $1`, id).Scan(&n); err != nil {
		return Receipt{}, false, false, err
	}
	r, err = l.prove(ctx, r)
	return r, n == 0, err == nil, err
}

func receipt(id string, at time.Time, keys, entry int64) Receipt {
	return Receipt{
		Format: "sotto-erasure/1", Receipt: id, At: at.UTC().Truncate(time.Second), Keys: keys, Entry: entry,
		Note: "The keys are destroyed; copies of the data, backups included, cannot be opened any more. The rows themselves are deleted in the background.",
	}
}

func (l *Lifecycle) erase(ctx context.Context, p sotto.PersonID, by sotto.Recipient) (Receipt, error) {
	who, _, err := l.cfg.Vault.Commitment(ctx, p, false)
	if err != nil {
		return Receipt{}, err
	}
	id := rand.Text()[:16]
	trail := audit.NewTrail("erase", who)
	if _, err := l.decide(ctx, trail, p, gate.Erase, by); err != nil {
		if _, werr := l.cfg.Log.Write(ctx, trail); werr != nil {
			return Receipt{}, werr
		}
		return Receipt{}, err
	}
	l.erasing.RLock()
	defer l.erasing.RUnlock()
	// The intent first: whatever happens from here on, the erasure is finished.
	err = l.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO lifecycle_erasure (receipt, person, until, state) VALUES ($1, $2, $3, $4)`,
			id, p[:], l.cfg.IDs.Next(), intended)
		return err
	})
	if err != nil {
		return Receipt{}, err
	}
	return l.destroy(context.WithoutCancel(ctx), id, p, by, trail)
}

// destroy drops the keys inside a transaction of the data: the writer runs no
// other work meanwhile, so that what was sealed before is never stored after.
func (l *Lifecycle) destroy(ctx context.Context, id string, p sotto.PersonID, by sotto.Recipient, trail *audit.Trail) (Receipt, error) {
	var keys int64
	acted := false
	err := l.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		n, err := l.cfg.Vault.Erase(ctx, p)
		if err != nil {
			return err
		}
		keys += n
		if !acted { // the transaction may run twice
			trail.Add(audit.Act{Verb: "erase", Recipient: string(by), What: []string{"keys"}, Count: keys, Ref: id})
			acted = true
		}
		if _, err := l.cfg.People.Forget(tx, p); err != nil {
			return err
		}
		// All that is stored by now goes, and all intents for the person are fulfilled.
		if _, err := tx.Exec(`UPDATE lifecycle_erasure SET state = $1, until = $2 WHERE person = $3`, keysGone, l.cfg.IDs.Next(), p[:]); err != nil {
			return err
		}
		if err := l.cfg.Log.Append(tx, trail); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO lifecycle_receipt (receipt, at, keys, entry) VALUES ($1, $2, $3, $4) ON CONFLICT (receipt) DO NOTHING`,
			id, l.cfg.Now().UnixMilli(), keys, trail.Index())
		return err
	})
	if err != nil {
		return Receipt{}, err
	}
	select {
	case l.begun <- struct{}{}:
	default:
	}
	return receipt(id, l.cfg.Now(), keys, trail.Index()), nil
}

// eraser deletes the rows of erased persons.
func (l *Lifecycle) eraser(ctx context.Context) {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		if err := l.FinishErasures(ctx); err != nil && ctx.Err() == nil {
			l.cfg.Logger.LogAttrs(ctx, slog.LevelError, "rows of an erased person are not deleted yet; tried again", slog.String("cause", sotto.KindOf(err).String()))
		}
		select {
		case <-ctx.Done():
			return
		case <-l.begun:
		case <-t.C:
		}
	}
}

type erasure struct {
	receipt string
	person  sotto.PersonID
	until   int64
	state   int
}

// FinishErasures completes every erasure that was begun, and returns when their
// rows are gone.
func (l *Lifecycle) FinishErasures(ctx context.Context) error {
	todo, err := l.resume(ctx)
	if err != nil {
		return err
	}
	for _, e := range todo {
		if err := l.deleteRows(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// resume destroys the keys of persons whose erasure was cut off between the
// intent and the deed, and returns all erasures whose rows are still there.
func (l *Lifecycle) resume(ctx context.Context) ([]erasure, error) {
	l.erasing.Lock()
	defer l.erasing.Unlock()
	todo, err := l.erasures(ctx)
	if err != nil {
		return nil, err
	}
	gone := make(map[sotto.PersonID]bool)
	for _, e := range todo {
		if e.state != intended || gone[e.person] {
			continue
		}
		trail := audit.NewTrail("erase", audit.Commitment{})
		if _, err := l.destroy(ctx, e.receipt, e.person, sotto.RecipientSystem, trail); err != nil {
			return nil, err
		}
		gone[e.person] = true
	}
	if len(gone) == 0 {
		return todo, nil
	}
	return l.erasures(ctx)
}

func (l *Lifecycle) erasures(ctx context.Context) ([]erasure, error) {
	rows, err := l.cfg.DB.Query(ctx, `SELECT receipt, person, until, state FROM lifecycle_erasure`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	var out []erasure
	for rows.Next() {
		var e erasure
		var p []byte
		if err := rows.Scan(&e.receipt, &p, &e.until, &e.state); err != nil {
			return nil, sotto.E("lifecycle.erase", sotto.KindCorrupt, err)
		}
		copy(e.person[:], p)
		out = append(out, e)
	}
	return out, rows.Err()
}

// deleteRows deletes what was held before the erasure. What the person wrote
// since is a new beginning and stays.
func (l *Lifecycle) deleteRows(ctx context.Context, e erasure) error {
	trail := audit.NewTrail("erase", audit.Commitment{})
	parts := append([]Part{
		{Holding: Holding{Table: journal.Table}, Forget: l.cfg.Journal.Forget},
		{Holding: Holding{Table: transcript.Table}, Forget: l.cfg.Transcript.Forget},
		{Holding: Holding{Table: outbox.Table}, Forget: l.cfg.Outbox.Forget},
	}, l.cfg.Also...)
	for i := range parts {
		n, err := parts[i].Forget(ctx, e.person, e.until)
		if err != nil {
			return err
		}
		trail.Add(audit.Act{Verb: "delete", What: []string{parts[i].Table}, Count: n, Ref: e.receipt})
	}
	return l.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(`DELETE FROM lifecycle_erasure WHERE receipt = $1`, e.receipt); err != nil {
			return err
		}
		return l.cfg.Log.Append(tx, trail)
	})
}

// Farewell drops the key that the last message to an erased person was sealed
// under, if the person has not come back meanwhile.
func (l *Lifecycle) Farewell(p sotto.PersonID, message int64) {
	ctx := context.Background()
	err := l.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		st, err := l.cfg.People.Read(tx, p) // with what this very transaction stores
		if err != nil || st.Known {
			return err
		}
		idle, err := l.cfg.Outbox.Idle(tx, p, message)
		if err != nil || !idle {
			return err
		}
		if idle, err = l.cfg.Journal.Idle(tx, p); err != nil || !idle {
			return err
		}
		_, err = l.cfg.Vault.Erase(ctx, p)
		return err
	})
	if err != nil {
		l.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "the key of a farewell stays until its month ends", slog.String("cause", sotto.KindOf(err).String()))
	}
}

// Erasing returns the number of erasures whose rows are not all deleted yet.
func (l *Lifecycle) Erasing(ctx context.Context) (int64, error) {
	var n int64
	err := l.cfg.DB.QueryRow(ctx, `SELECT count(*) FROM lifecycle_erasure`).Scan(&n)
	return n, err
}
