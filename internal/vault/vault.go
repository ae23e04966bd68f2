// Package vault holds the keys, seals and opens.
//
// STUB: contract for implementers; see comments.
package vault

import (
	"context"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
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

// PeriodOf returns the month of t.
func PeriodOf(c Class, t time.Time) Period { return 0 }

// Ref is where a sealed value lives. All of it is bound to the ciphertext as associated data.
type Ref struct {
	Table   string
	Row     int64
	Field   string
	Person  sotto.PersonID
	Purpose sotto.Purpose
}

// Sealed is ciphertext at rest. It prints as "sealed", and its bytes are for the store only.
// It must implement database/sql/driver.Valuer and sql.Scanner, and refuse JSON and text.
type Sealed struct{ b []byte }

// Key is a secret that prints as "key".
type KEK struct{ b [32]byte }

// KeySource gives key-encryption keys. Implementations: FileSource, EnvSource, CredentialSource.
// See implementers' notes in the task.

// Config configures the vault.
type Config struct {
	Path    string // the key store's file
	Current KEK
	Old     []KEK // still unwrap; rewrapped at start (or by Rotate)
	Cache   int   // persons whose keys stay in memory; default 10000
	Now     func() time.Time
}

// Vault seals and opens.
type Vault struct{}

// Open opens the key store. A key store made under another KEK is an error of sotto.KindDenied with a clear text;
// a damaged one sotto.KindCorrupt. Never silently re-created.
func Open(ctx context.Context, cfg Config) (*Vault, error) { return &Vault{}, nil }

func (v *Vault) Close() error { return nil }

// PersonID computes the pseudonym of an account on a channel (HMAC-SHA-256 under the vault's look-up key, length-prefixed parts).
func (v *Vault) PersonID(channel, account, user string) sotto.PersonID { return sotto.PersonID{} }

// ConversationID likewise.
func (v *Vault) ConversationID(channel, account, conversation string) sotto.ConversationID {
	return sotto.ConversationID{}
}

// Digest is a keyed hash for look-ups and suppression: domain separates uses.
func (v *Vault) Digest(domain string, parts ...string) [16]byte { return [16]byte{} }

// Seed derives a named 32-byte secret (audit signer, cookie key …) from the vault's root (HKDF-SHA-256). The root is random, stored wrapped.
func (v *Vault) Seed(name string) [32]byte { return [32]byte{} }

// Seal encrypts plain for the place ref, under the person's key of that class and the month of at. The key is made, and durable,
// before Seal returns, if the person has none yet (concurrent makers group-commit).
func (v *Vault) Seal(ctx context.Context, ref Ref, c Class, at time.Time, plain []byte) (Sealed, error) {
	return Sealed{}, nil
}

// Open checks the permit (action open, person, purpose of ref), records an "open" act in the permit's trail, decrypts. Missing key =
// sotto.KindNotFound (erased or past its last day); wrong place = sotto.KindCorrupt.
func (v *Vault) Open(ctx context.Context, p gate.Permit, ref Ref, s Sealed) ([]byte, error) {
	return nil, nil
}

// Commitment returns what stands for the person in the audit log: HMAC under the person's Profile key; made if absent when create is set.
// ok is false if the person has no Profile key.
func (v *Vault) Commitment(ctx context.Context, person sotto.PersonID, create bool) (c audit.Commitment, ok bool, err error) {
	return
}

// Generation is the number of times the person's keys were destroyed in this process; work that sealed under an older generation must not be stored.
func (v *Vault) Generation(person sotto.PersonID) uint64 { return 0 }

// Erase destroys all keys of a person, durable when it returns, and forgets them in memory. Returns the number of keys.
func (v *Vault) Erase(ctx context.Context, person sotto.PersonID) (int64, error) { return 0, nil }

// DropBefore destroys all keys of a class whose month is before the given one.
func (v *Vault) DropBefore(ctx context.Context, c Class, before Period) (int64, error) { return 0, nil }

// CountBefore counts what DropBefore would destroy.
func (v *Vault) CountBefore(ctx context.Context, c Class, before Period) (int64, error) {
	return 0, nil
}

// Rotate rewraps every key under the current KEK in chunks and returns how many were rewrapped. After it, old KEKs are not needed.
func (v *Vault) Rotate(ctx context.Context) (int64, error) { return 0, nil }
