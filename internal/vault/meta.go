package vault

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

const (
	component = "vault"
	format    = "1" // of the key store and of what it wraps
)

// ErrWrongKEK is the cause of the KindDenied that [Open] returns for a
// key-encryption key that never wrapped anything here.
var ErrWrongKEK = errors.New("the key-encryption key is not the one this key store was made with")

// load reads the key store's own keys, or makes them in a new key store.
func (v *Vault) load(ctx context.Context, cfg Config) error {
	const op = "vault.open_store"
	have, err := v.readMeta(ctx)
	isNew := err != nil || len(have) == 0
	if isNew && !cfg.Create {
		kind := cmp.Or(sotto.KindOf(err), sotto.KindCorrupt) // without a kind: the table is not there
		return sotto.E(op, kind, errors.Join(errors.New("the file is not a key store"), err))
	}
	if err := v.db.Migrate(ctx, component, schema()); err != nil {
		return sotto.E(op, sotto.KindOther, err)
	}
	return v.db.Write(ctx, func(tx *store.Tx) error { //nolint:contextcheck // a transaction has its own
		if isNew {
			return v.initialise(tx, cfg)
		}
		return v.loadMeta(tx, cfg, have)
	})
}

// initialise fills a key store that has just been made.
func (v *Vault) initialise(tx *store.Tx, cfg Config) error {
	const op = "vault.create"
	var keys int64
	if err := tx.QueryRow(`SELECT COUNT(*) FROM vault_key`).Scan(&keys); err != nil {
		return wrapErr(op, err)
	}
	if keys > 0 {
		return sotto.E(op, sotto.KindCorrupt, errors.New("the key store has lost its own keys"))
	}
	if err := v.addKEK(tx, 1, cfg); err != nil {
		return err
	}
	_, _ = rand.Read(v.root[:]) // documented never to fail
	var lookup [32]byte
	_, _ = rand.Read(lookup[:]) // documented never to fail
	v.lookup = newMACPool(lookup)
	return tx.Insert(`INSERT INTO vault_meta (name, value)`, "", 2, []any{
		"format", []byte(format),
		"root", v.wrap(v.root, bindMeta("root")),
		"lookup", v.wrap(lookup, bindMeta("lookup")),
	})
}

func bindMeta(name string) []byte { return append([]byte(name), "|vault_meta"...) }

// addKEK makes cfg.Current the version that wraps new keys.
func (v *Vault) addKEK(tx *store.Tx, version int64, cfg Config) error {
	v.current = version
	v.wraps[version] = cfg.Current.aead()
	return tx.Insert(`INSERT INTO vault_kek (version, mark, since)`, "", 3, []any{version, cfg.Current.mark(), cfg.Now().Unix()})
}

// loadMeta finds out which versions the given key-encryption keys are, makes a
// version of a new one, and unwraps the root and the look-up key.
func (v *Vault) loadMeta(tx *store.Tx, cfg Config, have map[string][]byte) error {
	const op = "vault.open_store"
	if string(have["format"]) != format {
		return sotto.E(op, sotto.KindInvalid, fmt.Errorf("the key store's format is not %s", format))
	}
	known, missing, err := v.matchKEKs(tx, cfg)
	if err != nil {
		return err
	}
	switch {
	case len(v.wraps) == 0:
		return sotto.E(op, sotto.KindDenied, ErrWrongKEK)
	case missing:
		return sotto.E(op, sotto.KindDenied, errors.New("keys are still wrapped by an older key-encryption key: give it as an old one"))
	case v.current == 0:
		if err := v.addKEK(tx, known+1, cfg); err != nil {
			return err
		}
	}
	root, err := v.loadSecret(tx, "root", have["root"])
	if err != nil {
		return err
	}
	lookup, err := v.loadSecret(tx, "lookup", have["lookup"])
	if err != nil {
		return err
	}
	v.root, v.lookup = root, newMACPool(lookup)
	return nil
}

func (v *Vault) readMeta(ctx context.Context) (map[string][]byte, error) {
	have := make(map[string][]byte)
	rows, err := v.db.Query(ctx, `SELECT name, value FROM vault_meta`)
	err = each("vault.meta", rows, err, func() error {
		var name string
		var value []byte
		err := rows.Scan(&name, &value)
		have[name] = value
		return err
	})
	return have, err
}

// matchKEKs recognises the given key-encryption keys by their marks. It returns
// the newest version there is, and whether one is missing among those given.
func (v *Vault) matchKEKs(tx *store.Tx, cfg Config) (newest int64, missing bool, err error) {
	given := append([]KEK{cfg.Current}, cfg.Old...)
	marks := make([][]byte, len(given))
	for i, k := range given {
		marks[i] = k.mark()
	}
	rows, err := tx.Query(`SELECT version, mark FROM vault_kek ORDER BY version`)
	err = each("vault.keks", rows, err, func() error {
		var mark []byte
		err := rows.Scan(&newest, &mark)
		i := slices.IndexFunc(marks, func(m []byte) bool { return bytes.Equal(m, mark) })
		switch {
		case i < 0:
			missing = true
			return err
		case i == 0:
			v.current = newest
		}
		v.wraps[newest] = given[i].aead()
		return err
	})
	return newest, missing, err
}

// loadSecret unwraps one of the key store's own keys, and wraps it anew if that
// was not done under the current key-encryption key.
func (v *Vault) loadSecret(tx *store.Tx, name string, wrapped []byte) ([32]byte, error) {
	key, err := v.unwrap(wrapped, bindMeta(name))
	if err != nil || kekOf(wrapped) == v.current {
		return key, err
	}
	_, err = tx.Exec(`UPDATE vault_meta SET value = $1 WHERE name = $2`, v.wrap(key, bindMeta(name)), name)
	return key, err
}
