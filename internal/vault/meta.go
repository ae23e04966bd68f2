package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

const (
	component = "vault"
	format    = "1" // of the key store and of what it wraps
)

// ErrWrongKEK is the cause of the KindDenied that [Open] returns for a
// key-encryption key that never wrapped anything here.
var ErrWrongKEK = errors.New("the key-encryption key is not the one this key store was made with") //nolint:gochecknoglobals // a sentinel

// load reads the key store's own keys, or makes them in a new key store.
func (v *Vault) load(ctx context.Context, cfg Config) error {
	const op = "vault.open_store"
	var n int
	err := v.db.QueryRow(ctx, `SELECT COUNT(*) FROM vault_meta`).Scan(&n)
	if kind := sotto.KindOf(wrapErr(op, err)); kind != sotto.KindOther {
		return sotto.E(op, kind, err)
	}
	if err := ctx.Err(); err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	isNew := err != nil || n == 0 // without a kind: the table is not there
	if isNew && !cfg.Create {
		return sotto.E(op, sotto.KindCorrupt, errors.New("the file is not a key store"))
	}
	if err := v.db.Migrate(ctx, component, schema()); err != nil {
		return sotto.E(op, sotto.KindOther, err)
	}
	return v.db.Write(ctx, func(tx *store.Tx) error {
		if isNew {
			return v.initialise(tx, cfg)
		}
		return v.loadMeta(tx, cfg)
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
	_, _ = rand.Read(v.root[:]) //nolint:errcheck // documented never to fail
	var lookup [32]byte
	_, _ = rand.Read(lookup[:]) //nolint:errcheck // documented never to fail
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
func (v *Vault) loadMeta(tx *store.Tx, cfg Config) error {
	const op = "vault.open_store"
	have, err := readMeta(tx)
	if err != nil {
		return err
	}
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

func readMeta(tx *store.Tx) (map[string][]byte, error) {
	rows, err := tx.Query(`SELECT name, value FROM vault_meta`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	have := make(map[string][]byte)
	for rows.Next() {
		var name string
		var value []byte
		if err := rows.Scan(&name, &value); err != nil {
			return nil, wrapErr("vault.meta", err)
		}
		have[name] = value
	}
	return have, wrapErr("vault.meta", rows.Err())
}

// matchKEKs recognises the given key-encryption keys by their marks. It returns
// the newest version there is, and whether one is missing among those given.
func (v *Vault) matchKEKs(tx *store.Tx, cfg Config) (newest int64, missing bool, err error) {
	rows, err := tx.Query(`SELECT version, mark FROM vault_kek ORDER BY version`)
	if err != nil {
		return 0, false, err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	current := cfg.Current.mark()
	old := make([][]byte, len(cfg.Old))
	for i, k := range cfg.Old {
		old[i] = k.mark()
	}
	for rows.Next() {
		var version int64
		var mark []byte
		if err := rows.Scan(&version, &mark); err != nil {
			return 0, false, wrapErr("vault.keks", err)
		}
		newest = version
		found := false
		if bytes.Equal(mark, current) {
			v.current, v.wraps[version], found = version, cfg.Current.aead(), true
		}
		for i := 0; i < len(old) && !found; i++ {
			if bytes.Equal(mark, old[i]) {
				v.wraps[version], found = cfg.Old[i].aead(), true
			}
		}
		missing = missing || !found
	}
	return newest, missing, wrapErr("vault.keks", rows.Err())
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
