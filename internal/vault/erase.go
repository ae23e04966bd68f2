package vault

import (
	"context"
	"errors"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

// Generation is the number of times the person's keys were destroyed in this
// process. It rises when an erasure begins. Whoever stores what was sealed takes
// the generation first, then seals, and compares it in the storing transaction:
// work of an older generation must not be stored. Rows are deleted after Erase
// has returned, so that nothing that passed the comparison is left behind.
func (v *Vault) Generation(person sotto.PersonID) uint64 {
	return v.cache.shard(person).generation(person)
}

// Erase destroys all keys of a person and returns how many there were. When it
// returns nil that is durable, and nothing sealed under them opens again. While
// it runs, whoever needs a key of the person waits. After an error the keys may
// or may not be there: call it again.
func (v *Vault) Erase(ctx context.Context, person sotto.PersonID) (n int64, err error) {
	const op = "vault.erase"
	if person.IsZero() {
		return 0, sotto.E(op, sotto.KindInvalid, errNobody)
	}
	s := v.cache.shard(person)
	if err := s.beginErase(ctx, person); err != nil {
		return 0, sotto.E(op, sotto.KindUnavailable, err)
	}
	defer s.endErase(person)
	// Once begun it is not given up: nobody may see a key again that is about to go.
	err = v.db.Write(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		if _, err = tx.Exec(`UPDATE vault_slot SET wrapped = $1 WHERE id IN (SELECT id FROM vault_key WHERE person = $2)`,
			make([]byte, wrappedLen), person[:]); err != nil {
			return err
		}
		n, err = tx.Exec(`UPDATE vault_key SET person = NULL, class = 0, period = 0 WHERE person = $1`, person[:])
		return err
	})
	if err != nil {
		return 0, sotto.E(op, sotto.KindOther, err)
	}
	v.soil()
	return n, nil
}

// dropChunk is how many keys one transaction of DropBefore destroys. It keeps
// others from waiting for more than some milliseconds.
const dropChunk = 1000

// DropBefore destroys all keys of a class whose month is before the given one,
// and returns how many; all of it is durable then. It is done in pieces, and an
// interrupted call has done some of them. The class Profile has no months.
func (v *Vault) DropBefore(ctx context.Context, c Class, before Period) (total int64, err error) {
	const op = "vault.drop_before"
	if err := months(op, c); err != nil {
		return 0, err
	}
	defer func() {
		if total > 0 {
			v.dropped.Add(1) // first: a key that was read before this is not cached after the sweep
			v.cache.dropBefore(c, before)
			v.soil()
		}
	}()
	for {
		var n int64
		err := v.db.Write(ctx, func(tx *store.Tx) (err error) {
			if _, err = tx.Exec(`UPDATE vault_slot SET wrapped = $1 WHERE id IN
				(SELECT id FROM vault_key WHERE class = $2 AND period < $3 ORDER BY class, period, id LIMIT $4)`,
				make([]byte, wrappedLen), int64(c), int64(before), dropChunk); err != nil {
				return err
			}
			n, err = tx.Exec(`UPDATE vault_key SET person = NULL, class = 0, period = 0 WHERE id IN
				(SELECT id FROM vault_key WHERE class = $1 AND period < $2 ORDER BY class, period, id LIMIT $3)`,
				int64(c), int64(before), dropChunk)
			return err
		})
		if err != nil {
			return total, sotto.E(op, sotto.KindOther, err)
		}
		if total += n; n < dropChunk {
			return total, nil
		}
	}
}

// CountBefore counts what DropBefore would destroy.
func (v *Vault) CountBefore(ctx context.Context, c Class, before Period) (n int64, err error) {
	const op = "vault.count_before"
	if err := months(op, c); err != nil {
		return 0, err
	}
	err = v.db.QueryRow(ctx, `SELECT COUNT(*) FROM vault_key WHERE class = $1 AND period < $2`, int64(c), int64(before)).Scan(&n)
	return n, wrapErr(op, err)
}

func months(op string, c Class) error {
	if c == 0 || c == Profile {
		return sotto.E(op, sotto.KindInvalid, errors.New("the class has no months"))
	}
	return nil
}

// Scrub sees that wrapped keys that were destroyed or replaced are in no byte
// of the key store's files any more: they were overwritten in the pages, and
// now the write-ahead log, which holds older pages, is emptied. It is done soon
// after each destruction without being asked. An error of [sotto.KindBusy]
// means that others are at work; try again.
func (v *Vault) Scrub(ctx context.Context) error { return v.db.Checkpoint(ctx) }

// soil asks for a Scrub. Many requests are one.
func (v *Vault) soil() {
	select {
	case v.dirty <- struct{}{}:
	default:
	}
}

// scrubRetry is how long the scrubber waits after it found others at work.
const scrubRetry = time.Second

// scrubber scrubs when asked, until the vault closes. Closing the key store
// scrubs as well, since the last one to close empties the write-ahead log.
func (v *Vault) scrubber(ctx context.Context) {
	defer close(v.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-v.dirty:
		}
		if v.Scrub(ctx) == nil {
			continue
		}
		v.soil()
		t := time.NewTimer(scrubRetry)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}
