// Package vault holds the keys: it seals what is personal, opens it for a
// permit, and destroys keys so that what they sealed is gone everywhere.
//
// # Keys
//
// Each person has one random 256-bit data key per retention class and calendar
// month ([Class], [Period]). Data keys stand in a key store, a file apart from
// the data, each wrapped by the key-encryption key ([KEK]), which is in neither
// file. Wrapping and sealing are AES-256-GCM (NIST SP 800-38D) with a random
// 96-bit nonce, which bounds each key to 2^32 uses; a month of one person does
// not come near that, and a key-encryption key should be rotated before it has
// wrapped that many keys. A random root and a random look-up key, wrapped as
// well, give derived secrets (HKDF-SHA-256, RFC 5869) and pseudonyms
// (HMAC-SHA-256, RFC 2104).
//
// # What it promises
//
//   - A sealed value opens only in the place it was sealed for: table, row,
//     field, person, purpose, class and month are bound to the ciphertext.
//   - [Vault.Open] opens nothing without a permit for that person and purpose,
//     and records what it opened in the permit's trail in the same call.
//   - When [Vault.Erase] or [Vault.DropBefore] returns, the keys are gone from
//     memory and durably from the key store. Nothing sealed under them opens
//     again, with any copy of the data and the key store as it is now. Soon
//     after, and when [Vault.Scrub] returns, the wrapped keys are also in no
//     byte of the key store's files.
//   - A key is durable before anything sealed under it is returned.
//   - A key store is made only when asked for, and never over an existing file.
//
// # What it does not do
//
// It does not decide who may open what (package gate), delete rows, or protect
// against somebody who reads this process's memory. An old copy of the key
// store still holds the keys of people erased since, until the key-encryption
// key that wrapped them is rotated and destroyed: keep such copies for a short
// time. File systems and disks may keep bytes that were overwritten.
package vault

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/clock"
	"github.com/sotto-chat/sotto/internal/store"
)

// Class is a retention class: data of one class and month share a person's key.
type Class uint8

// The classes that Sotto itself uses. Values from 16 on belong to configured purposes.
const (
	Transit Class = 1 // journal and outbox: held until handled, at most 7 days
	Profile Class = 2 // address, settings, the key of the commitment: no month; ends with the person
	Reply   Class = 3 // transcript for the purpose reply
)

// Period is a calendar month, UTC: 12*year+month-1. 0 where the class has none (Profile).
type Period uint16

// PeriodOf returns the month of t, or 0 for a class that has no months. Years
// that do not fit are taken as the first or the last one that does.
func PeriodOf(c Class, t time.Time) Period {
	if c == Profile {
		return 0
	}
	y, m, _ := t.UTC().Date()
	n := 12*y + int(m) - 1
	return Period(min(max(n, 1), 1<<16-1))
}

// String returns the month as "2026-07", and "-" for no month.
func (p Period) String() string {
	if p == 0 {
		return "-"
	}
	return fmt.Sprintf("%04d-%02d", p/12, p%12+1)
}

// Config configures the vault.
type Config struct {
	Path    string           // the key store's file; no default
	Create  bool             // make the key store if there is no file; default false: it must exist
	Current KEK              // wraps new keys; no default
	Old     []KEK            // still unwrap, until Rotate has run; default none
	Cache   int              // persons whose keys stay in memory, about 1 KiB for each key; default 10000
	Now     func() time.Time // dates the first use of a key-encryption key; default clock.Wall()
}

func (c Config) withDefaults() Config {
	if c.Cache <= 0 {
		c.Cache = 10000
	}
	if c.Now == nil {
		c.Now = clock.Wall()
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	if c.Path == "" {
		errs = append(errs, errors.New("no file for the key store"))
	}
	if c.Current.IsZero() {
		errs = append(errs, errors.New("no key-encryption key"))
	}
	for i, k := range c.Old {
		if k.IsZero() {
			errs = append(errs, errors.New("old key-encryption key "+strconv.Itoa(i+1)+" is empty"))
		}
	}
	return errors.Join(errs...)
}

// Vault seals and opens. It is safe for use by many goroutines. Make one with
// [Open]; the zero value has no keys and must not be used.
type Vault struct {
	db      *store.DB
	makes   *store.Batch[*newKey]
	wraps   map[int64]cipher.AEAD // by version of the key-encryption key
	current int64                 // the version that wraps new keys
	root    [32]byte
	lookup  *macPool
	cache   *cache
	dropped atomic.Uint64 // raised after each DropBefore: what was loaded before it is not cached
	binds   sync.Pool     // *[]byte: associated data while it is built

	dirty chan struct{} // asks the scrubber for a run
	stop  context.CancelFunc
	ended chan struct{}
	close sync.Once
}

// Open opens the key store, or makes it where [Config.Create] says so. Kinds of
// errors: KindInvalid for a Config that cannot work, KindNotFound for a missing
// file, KindBusy while another process has it open, KindDenied for a
// key-encryption key that is not the key store's, KindCorrupt for a damaged file.
func Open(ctx context.Context, cfg Config) (*Vault, error) {
	const op = "vault.open_store"
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, sotto.E(op, sotto.KindInvalid, err)
	}
	if err := ensureFile(cfg.Path, cfg.Create); err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Config{Path: cfg.Path, CacheKiB: 4096, MustExist: !cfg.Create, SecureDelete: true})
	if err != nil {
		return nil, err
	}
	v := &Vault{
		db: db, cache: newCache(cfg.Cache), wraps: make(map[int64]cipher.AEAD),
		dirty: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	v.binds.New = func() any { b := make([]byte, 0, 160); return &b }
	v.makes = store.NewBatch(db, v.insertKeys)
	if err := v.load(ctx, cfg); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	scrubbing, stop := context.WithCancel(context.WithoutCancel(ctx)) // ends with Close
	v.stop = stop
	go v.scrubber(scrubbing)
	return v, nil
}

// Close forgets all keys and closes the key store.
func (v *Vault) Close() error {
	var err error
	v.close.Do(func() {
		v.stop()
		<-v.ended
		v.cache.purge()
		err = v.db.Close()
	})
	return err
}

// Check reads the whole key store and reports the first damage found.
func (v *Vault) Check(ctx context.Context) error { return v.db.Check(ctx) }

// KeyInfo describes a key of a person. It holds no secret.
type KeyInfo struct {
	Class  Class
	Period Period
	KEK    int64 // version of the key-encryption key that wraps it
}
