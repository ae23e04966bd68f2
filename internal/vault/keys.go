package vault

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

// schema keeps wrapped keys in rows that are written once, never move and are
// never deleted: a row of vault_slot has always the same size, a key that ends
// is overwritten in place, and its row is used again. In a table whose rows come
// and go the engine moves them between pages when it rebalances its tree, and
// copies stay behind that overwriting does not reach.
func schema() []string {
	return []string{
		`CREATE TABLE vault_meta (name TEXT PRIMARY KEY, value BLOB NOT NULL)`,
		`CREATE TABLE vault_kek (version BIGINT PRIMARY KEY, mark BLOB NOT NULL, since BIGINT NOT NULL)`,
		`CREATE TABLE vault_slot (id BIGINT PRIMARY KEY, wrapped BLOB NOT NULL)`,
		`CREATE TABLE vault_key (id BIGINT PRIMARY KEY, person BLOB, class BIGINT NOT NULL, period BIGINT NOT NULL)`, // person NULL: free
		`CREATE UNIQUE INDEX vault_key_place ON vault_key (person, class, period)`,
		`CREATE INDEX vault_key_month ON vault_key (class, period)`,
	}
}

// wrappedLen is the size of a wrapped key: version of the key-encryption key,
// nonce, ciphertext, tag.
const wrappedLen = 4 + nonceLen + 32 + tagLen

// wrap wraps a key for a place that ad names.
func (v *Vault) wrap(key [32]byte, ad []byte) []byte {
	out := make([]byte, 4, wrappedLen)
	binary.BigEndian.PutUint32(out, uint32(v.current))   //nolint:gosec // counts rotations
	return v.wraps[v.current].Seal(out, nil, key[:], ad) //nolint:gosec // the nonce is random and made inside
}

// unwrap is the way back. The key-encryption keys were checked when the key
// store was opened, so that a failure means damage.
func (v *Vault) unwrap(wrapped, ad []byte) (key [32]byte, err error) {
	const op = "vault.unwrap"
	if len(wrapped) != wrappedLen {
		return key, sotto.E(op, sotto.KindCorrupt, errors.New("a wrapped key has the wrong size"))
	}
	a := v.wraps[kekOf(wrapped)]
	if a == nil {
		return key, sotto.E(op, sotto.KindCorrupt, errors.New("a wrapped key names an unknown key-encryption key"))
	}
	if _, err := a.Open(key[:0], nil, wrapped[4:], ad); err != nil {
		return [32]byte{}, sotto.E(op, sotto.KindCorrupt, errors.New("a wrapped key is damaged"))
	}
	return key, nil
}

func kekOf(wrapped []byte) int64 { return int64(binary.BigEndian.Uint32(wrapped)) }

// bind returns the associated data of a wrapped data key.
func (pl place) bind() []byte {
	b := append(make([]byte, 0, 32), pl.person[:]...)
	b = append(b, byte(pl.class))
	b = binary.BigEndian.AppendUint16(b, uint16(pl.period))
	return append(b, "vault_key"...)
}

func (pl place) ready(key [32]byte) *dataKey {
	k := &dataKey{place: pl, aead: newAEAD(key)}
	if pl.class == Profile {
		k.commitment = commitmentOf(key[:], pl.person)
	}
	return k
}

var (
	errNoKey = errors.New("there is no key: erased, or past its last day")
	errAgain = errors.New("the keys changed meanwhile")
)

// key returns the data key of a place from memory, else from the key store,
// else makes it, if create is set. Only one goroutine fetches a key; the others
// that want it wait for that one.
func (v *Vault) key(ctx context.Context, pl place, create bool) (*dataKey, error) {
	s := v.cache.shard(pl.person)
	lk := loadKey{pl, create}
	for {
		if k := s.get(pl); k != nil {
			return k, nil
		}
		s.mu.Lock()
		if busy := s.erasing[pl.person]; busy != nil {
			s.mu.Unlock()
			if err := wait(ctx, busy); err != nil {
				return nil, err
			}
			continue
		}
		if l := s.loading[lk]; l != nil {
			s.mu.Unlock()
			if err := wait(ctx, l.done); err != nil {
				return nil, err
			}
			if l.err == nil || !passing(l.err) {
				return l.key, l.err
			}
			continue // the one who fetched it gave up, or must begin again
		}
		l := &loading{done: make(chan struct{})}
		s.loading[lk] = l
		at := moment{s.erased[pl.person], v.dropped.Load()}
		s.mu.Unlock()

		v.fetch(ctx, s, lk, l, at)
		if !errors.Is(l.err, errAgain) {
			return l.key, l.err
		}
	}
}

// passing reports whether an error says nothing about the key itself.
func passing(err error) bool {
	return errors.Is(err, errAgain) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func wait(ctx context.Context, ch <-chan struct{}) error {
	select {
	case <-ch:
		return nil
	case <-ctx.Done():
		return sotto.E("vault.wait", sotto.KindUnavailable, ctx.Err())
	}
}

// moment counts the destructions that may concern a key.
type moment struct{ erased, dropped uint64 }

// fetch fills l and tells those who wait. A key that may have been destroyed
// since the given moment is not kept, and l.err is errAgain.
func (v *Vault) fetch(ctx context.Context, s *shard, lk loadKey, l *loading, at moment) {
	k, err := v.read(ctx, lk.place)
	if lk.create && errors.Is(err, errNoKey) {
		k, err = v.make(ctx, lk.place, at.erased)
	}
	s.mu.Lock()
	switch {
	case s.erased[lk.person] != at.erased || v.dropped.Load() != at.dropped:
		l.err = errAgain
	case err != nil:
		l.err = err
	default:
		if l.key = s.find(lk.place); l.key == nil {
			l.key = k
			s.put(k, v.cache.limit)
		}
	}
	delete(s.loading, lk)
	s.mu.Unlock()
	close(l.done)
}

// read fetches a key from the key store.
func (v *Vault) read(ctx context.Context, pl place) (*dataKey, error) {
	var wrapped []byte
	err := v.db.QueryRow(ctx, `SELECT s.wrapped FROM vault_key k LEFT JOIN vault_slot s ON s.id = k.id
		WHERE k.person = $1 AND k.class = $2 AND k.period = $3`, pl.person[:], int64(pl.class), int64(pl.period)).Scan(&wrapped)
	if errors.Is(err, store.ErrNoRows) {
		return nil, sotto.E("vault.key", sotto.KindNotFound, errNoKey)
	}
	if err != nil {
		return nil, wrapErr("vault.key", err)
	}
	key, err := v.unwrap(wrapped, pl.bind())
	if err != nil {
		return nil, err
	}
	return pl.ready(key), nil
}

// wrapErr names the operation in an error of the store, whose kind it keeps.
func wrapErr(op string, err error) error {
	if err == nil {
		return nil
	}
	return sotto.E(op, sotto.KindOther, err)
}

// newKey is a key on its way to the key store.
type newKey struct {
	place
	wrapped []byte
	gen     uint64
}

// make makes a key and waits until it is durable.
func (v *Vault) make(ctx context.Context, pl place, gen uint64) (*dataKey, error) {
	var key [32]byte
	_, _ = rand.Read(key[:]) // documented never to fail
	n := &newKey{place: pl, wrapped: v.wrap(key, pl.bind()), gen: gen}
	if err := v.makes.Do(ctx, n); err != nil {
		return nil, sotto.E("vault.make", sotto.KindOther, err)
	}
	return pl.ready(key), nil // left out by insertKeys if the person was erased, which fetch sees as well
}

// insertKeys stores new keys, in free rows first. A key whose person was erased
// after it was made is left out: the erasure's own transaction may be over.
func (v *Vault) insertKeys(tx *store.Tx, items []*newKey) error {
	keep := make([]*newKey, 0, len(items))
	for _, n := range items {
		if v.Generation(n.person) == n.gen {
			keep = append(keep, n)
		}
	}
	free, next, err := freeSlots(tx, len(keep))
	if err != nil {
		return err
	}
	for i, id := range free {
		n := keep[i]
		if _, err := tx.Exec(`UPDATE vault_slot SET wrapped = $1 WHERE id = $2`, n.wrapped, id); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE vault_key SET person = $1, class = $2, period = $3 WHERE id = $4`,
			n.person[:], int64(n.class), int64(n.period), id); err != nil {
			return err
		}
	}
	keep = keep[len(free):]
	slots, keys := make([]any, 0, 2*len(keep)), make([]any, 0, 4*len(keep))
	for _, n := range keep {
		slots = append(slots, next, n.wrapped)
		keys = append(keys, next, n.person[:], int64(n.class), int64(n.period))
		next++
	}
	if err := tx.Insert(`INSERT INTO vault_slot (id, wrapped)`, "", 2, slots); err != nil {
		return err
	}
	return tx.Insert(`INSERT INTO vault_key (id, person, class, period)`, "", 4, keys)
}

// freeSlots returns up to n free rows and the number after the last row.
func freeSlots(tx *store.Tx, n int) (free []int64, next int64, err error) {
	const op = "vault.free"
	rows, err := tx.Query(`SELECT id FROM vault_key WHERE person IS NULL LIMIT $1`, n)
	err = each(op, rows, err, func() error {
		free = append(free, 0)
		return rows.Scan(&free[len(free)-1])
	})
	if err != nil {
		return nil, 0, err
	}
	err = tx.QueryRow(`SELECT COALESCE(MAX(id), 0) + 1 FROM vault_slot`).Scan(&next)
	return free, next, wrapErr(op, err)
}

// Keys lists a person's keys, oldest month first, without the secrets: what
// there is to be destroyed.
func (v *Vault) Keys(ctx context.Context, person sotto.PersonID) ([]KeyInfo, error) {
	const op = "vault.keys"
	var list []KeyInfo
	rows, err := v.db.Query(ctx, `SELECT k.class, k.period, s.wrapped FROM vault_key k LEFT JOIN vault_slot s ON s.id = k.id
		WHERE k.person = $1 ORDER BY k.period, k.class`, person[:])
	err = each(op, rows, err, func() error {
		var k KeyInfo
		var wrapped []byte
		if err := rows.Scan(&k.Class, &k.Period, &wrapped); err != nil || len(wrapped) != wrappedLen {
			return sotto.E(op, sotto.KindCorrupt, err)
		}
		k.KEK = kekOf(wrapped)
		list = append(list, k)
		return nil
	})
	return list, err
}

// each calls f for every row of a query's result, and closes it.
func each(op string, rows *store.Rows, err error, f func() error) error {
	if err != nil {
		return wrapErr(op, err)
	}
	defer rows.Close() //nolint:errcheck // reading is over
	for rows.Next() {
		if err := f(); err != nil {
			return wrapErr(op, err)
		}
	}
	return wrapErr(op, rows.Err())
}
