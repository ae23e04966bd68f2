package vault

import (
	"context"
	"fmt"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

// rotateChunk is how many keys one transaction of Rotate looks at. It keeps
// others from waiting for more than some milliseconds.
const rotateChunk = 500

// Rotate wraps every key under the current key-encryption key that is not, and
// returns how many. It works in pieces while others seal, and a call after an
// interrupted one continues. When it returns nil, old key-encryption keys are
// not needed and can be destroyed: with them ends what older copies of the key
// store could open. A damaged key is passed over and reported as KindCorrupt at
// the end; old versions are then kept.
func (v *Vault) Rotate(ctx context.Context) (total int64, err error) {
	const op = "vault.rotate"
	var damaged int64
	for after := int64(0); after >= 0; {
		var r rewrapped
		err := v.db.Write(ctx, func(tx *store.Tx) (err error) { //nolint:contextcheck // a transaction has its own
			r, err = v.rewrap(tx, after)
			return err
		})
		if err != nil {
			return total, sotto.E(op, sotto.KindOther, err)
		}
		after, total, damaged = r.last, total+r.done, damaged+r.damaged
	}
	if damaged > 0 {
		return total, sotto.E(op, sotto.KindCorrupt, fmt.Errorf("%d wrapped keys are damaged", damaged))
	}
	err = v.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`DELETE FROM vault_kek WHERE version <> $1`, v.current)
		return err
	})
	if err != nil {
		return total, sotto.E(op, sotto.KindOther, err)
	}
	v.soil()
	return total, nil
}

// rewrapped is what one piece of a rotation did.
type rewrapped struct {
	last    int64 // the row it came to; -1 at the end
	done    int64
	damaged int64
}

// rewrap does one piece: the rows after the given one.
func (v *Vault) rewrap(tx *store.Tx, after int64) (r rewrapped, err error) {
	type slot struct {
		id      int64
		wrapped []byte
		place   place
	}
	var todo []slot
	n := 0
	rows, err := tx.Query(`SELECT k.id, k.person, k.class, k.period, s.wrapped FROM vault_key k LEFT JOIN vault_slot s ON s.id = k.id
		WHERE k.id > $1 AND k.person IS NOT NULL ORDER BY k.id LIMIT $2`, after, rotateChunk)
	err = each("vault.rewrap", rows, err, func() error {
		var s slot
		var person []byte
		err := rows.Scan(&s.id, &person, &s.place.class, &s.place.period, &s.wrapped)
		copy(s.place.person[:], person)
		if len(s.wrapped) != wrappedLen || kekOf(s.wrapped) != v.current {
			todo = append(todo, s)
		}
		r.last = s.id
		n++
		return err
	})
	if err != nil {
		return r, err
	}
	for _, s := range todo {
		key, err := v.unwrap(s.wrapped, s.place.bind())
		if err != nil {
			r.damaged++
			continue
		}
		if _, err := tx.Exec(`UPDATE vault_slot SET wrapped = $1 WHERE id = $2`, v.wrap(key, s.place.bind()), s.id); err != nil {
			return r, err
		}
		r.done++
	}
	if n < rotateChunk {
		r.last = -1
	}
	return r, nil
}
