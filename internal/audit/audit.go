// Package audit is the tamper-evident log: a Merkle tree over every decision,
// change and deletion, with signed checkpoints.
//
// STUB: contract for implementers; see comments.
package audit

import (
	"context"
	"time"

	"github.com/sotto-chat/sotto/internal/store"
)

// Commitment stands for a person in the log: a keyed hash under a key of that
// person's own, so that erasing the person unlinks the entry. Zero: nobody.
type Commitment [16]byte

// Act is one thing that was done or refused, as it stands in an entry. No
// field ever holds content, a platform id, or a bare hash of either.
type Act struct {
	Verb      string   `json:"verb"` // "decide", "open", "store", "send", "erase", "sweep", "rotate", "export", …
	Purpose   string   `json:"purpose,omitempty"`
	Recipient string   `json:"to,omitempty"`
	What      []string `json:"what,omitempty"` // categories, or table names
	Denied    bool     `json:"denied,omitempty"`
	Reasons   []string `json:"why,omitempty"` // policy ids and error kinds
	Count     int64    `json:"n,omitempty"`
	Ref       string   `json:"ref,omitempty"` // id of a receipt, request or run
}

// Trail collects the acts of one unit of work; it becomes one entry of the
// log, in the same transaction as the work's effect. A Trail is used by one
// goroutine at a time. The nil Trail panics: whoever opens data must hold one.
type Trail struct {
	Kind string // "turn", "notice", "erase", "export", "retention", "keys", "start", …
	Who  Commitment
	acts []Act
}

// NewTrail starts a unit of work.
func NewTrail(kind string, who Commitment) *Trail { return &Trail{Kind: kind, Who: who} }

// Add records an act.
func (t *Trail) Add(a Act) { t.acts = append(t.acts, a) }

// Acts returns what was recorded.
func (t *Trail) Acts() []Act { return t.acts }

// Config says where heads go and who signs them.
type Config struct {
	Origin   string        // name of the log in checkpoints; default "sotto"
	HeadFile string        // where the newest checkpoint is copied to, outside the database
	Every    time.Duration // least time between two checkpoints; default 1s
	Seed     [32]byte      // Ed25519 seed of the signer, from the vault
	Now      func() time.Time
}

// Log is the open log.
type Log struct{}

// Open opens the log and continues it. A head file that is ahead of the
// database is an error of sotto.KindCorrupt: the database was rolled back.
func Open(ctx context.Context, db *store.DB, cfg Config) (*Log, error) { return &Log{}, nil }

// Append adds one entry per trail inside a transaction. It may be called several
// times in one transaction.
func (l *Log) Append(tx *store.Tx, trails ...*Trail) error { return nil }

// Write appends trails in a transaction of its own and returns the index of
// the first when it is durable.
func (l *Log) Write(ctx context.Context, trails ...*Trail) (int64, error) { return 0, nil }

// Checkpoint signs and stores the current head and returns it as a signed note.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) { return nil, nil }

// Run signs heads as they grow until ctx ends, and once more then.
func (l *Log) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Size returns the number of durable entries.
func (l *Log) Size() int64 { return 0 }
