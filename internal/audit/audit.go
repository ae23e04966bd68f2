// Package audit is the tamper-evident log: a Merkle tree over every decision,
// change and deletion, with signed checkpoints.
//
// # What is kept
//
// Each unit of work is one [Trail] and becomes one entry, a line of JSON, in
// the same transaction as the work's effect. The entries are the leaves of a
// Merkle tree (RFC 6962), whose inner hashes are kept in tiles of height 8
// (golang.org/x/mod/sumdb/tlog). A checkpoint signs the number of entries and
// the root over all of them (C2SP tlog-checkpoint, Ed25519). The newest one is
// also copied to the head file, outside the database.
//
// Entries name people by [Commitment] only. They never hold content, a platform
// id, or a bare hash of either: that is the duty of whoever adds acts.
//
// # What it promises
//
// An entry that a checkpoint covers cannot be edited, removed, inserted or
// moved without [Verify] finding it, and [Open] refuses a database that was set
// back to before its head file. [Log.Prove] makes a proof of one entry that
// anybody with the public key can check offline. A rolled-back transaction
// leaves nothing behind, in the database or in memory.
//
// # What it does not do
//
// Entries after the newest checkpoint, those of the last second, are not signed
// yet and can still be changed by who can write to the database. Who can write
// to the database, holds the signing key and can replace the head file can
// write another history: keep the head file, or copies of it, elsewhere.
package audit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

// Commitment stands for a person in the log: a keyed hash under a key of that
// person's own, so that erasing the person unlinks the entry. Zero: nobody.
type Commitment [16]byte

// Act is one thing that was done or refused, as it stands in an entry. No
// field ever holds content, a platform id, or a bare hash of either.
type Act struct {
	Verb      string   `json:"verb"` // "decide:open", "open", "store", "send", "erase", "sweep", "rotate", "export", …
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
	Kind  string // "turn", "notice", "erase", "export", "retention", "keys", "start", …
	Who   Commitment
	acts  []Act
	index int64 // of its entry, plus one
}

// NewTrail starts a unit of work.
func NewTrail(kind string, who Commitment) *Trail { return &Trail{Kind: kind, Who: who} }

// Add records an act. It keeps a's slices: they must not be changed later.
func (t *Trail) Add(a Act) {
	if t.acts == nil {
		t.acts = make([]Act, 0, 4) // a turn decides, opens and stores
	}
	t.acts = append(t.acts, a)
}

// Acts returns what was recorded.
func (t *Trail) Acts() []Act { return t.acts }

// Index returns the index of the trail's entry, and -1 before [Log.Append]. It
// holds once the transaction is durable.
func (t *Trail) Index() int64 { return t.index - 1 }

// Config says where heads go and who signs them.
type Config struct {
	Origin       string           // name of the log in checkpoints and keys, without spaces and plus signs; default "sotto"
	HeadFile     string           // where the newest checkpoint is copied to, outside the database; default "": nowhere, and a database that was set back goes unnoticed
	AcceptNoHead bool             // start although the head file of a log with entries is missing; default false
	Every        time.Duration    // least time between two checkpoints; default 1s
	Seed         [32]byte         // Ed25519 seed of the signer, from the vault
	Now          func() time.Time // the clock; there is no default
	Logger       *slog.Logger     // told of checkpoints that fail; default none
}

// Log is the open log. Make one with [Open]; only one may be open on a
// database at a time. It is safe for concurrent use.
type Log struct {
	db       *store.DB
	cfg      Config
	signer   note.Signer
	verifier note.Verifier
	key      string // of the verifier
	writes   *store.Batch[*write]
	size     atomic.Int64 // durable entries

	// Only the database's writer touches these, one transaction at a time.
	edge  edge // what is durable
	stale bool // the database holds entries that edge does not know
	buf   []byte
	args  []any

	signing sync.Mutex  // one checkpoint at a time
	last    *checkpoint // newest one that is durable, guarded by signing
	headed  *checkpoint // what the head file holds, guarded by signing
}

// Open opens the log and continues it. Errors of [sotto.KindCorrupt]: the head
// file is ahead of the database, which was set back; the head file or the
// newest checkpoint is of another history, or not signed by the key of seed;
// the newest entries do not match their tiles; the head file of a log with
// entries is missing. The cost is the same for a long log: [Verify] looks at
// every entry, Open at the last few hundred.
func Open(ctx context.Context, db *store.DB, cfg Config) (*Log, error) {
	const op = "audit.open"
	if cfg.Now == nil {
		return nil, sotto.E(op, sotto.KindInvalid, errors.New("there is no clock"))
	}
	if cfg.Seed == [32]byte{} {
		return nil, sotto.E(op, sotto.KindInvalid, errors.New("there is no seed to sign with"))
	}
	if cfg.Origin == "" {
		cfg.Origin = defaultOrigin
	}
	if cfg.Every <= 0 {
		cfg.Every = time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Log{db: db, cfg: cfg}
	l.writes = store.NewBatch(db, l.runWrites)
	var err error
	if l.signer, l.verifier, l.key, err = newSigner(cfg.Origin, cfg.Seed); err != nil {
		return nil, sotto.E(op, sotto.KindInvalid, err)
	}
	if err := db.Migrate(ctx, "audit", migrations()); err != nil {
		return nil, sotto.E(op, sotto.KindOther, err)
	}
	if err := l.load(ctx, onDB(ctx, db)); err != nil {
		return nil, sotto.E(op, sotto.KindOther, err)
	}
	return l, nil
}

func migrations() []string {
	return []string{
		`CREATE TABLE audit_leaf (idx BIGINT PRIMARY KEY, data BLOB NOT NULL)`,
		`CREATE TABLE audit_tile (level BIGINT NOT NULL, n BIGINT NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, n))`,
		`CREATE TABLE audit_checkpoint (size BIGINT PRIMARY KEY, note BLOB NOT NULL)`,
	}
}

// load reads the right edge and holds it against the newest checkpoint and the
// head file.
func (l *Log) load(ctx context.Context, q querier) error {
	r := newReader(q)
	e, err := r.edge()
	if err != nil {
		return err
	}
	if err := r.checkEdge(&e); err != nil {
		return err
	}
	if l.last, err = r.newestCheckpoint(l.verifier); err != nil {
		return err
	}
	if l.headed, err = readHead(l.cfg.HeadFile, l.verifier); err != nil {
		return err
	}
	if err := r.covers(l.last, "the newest checkpoint in the database"); err != nil {
		return err
	}
	if err := r.covers(l.headed, "the head file"); err != nil {
		return err
	}
	l.edge = e
	l.size.Store(e.size)
	if l.headed != nil || l.cfg.HeadFile == "" {
		return nil
	}
	if e.size > 0 && !l.cfg.AcceptNoHead {
		return corrupt("the log has %d entries and the head file is missing; if that is right, accept it once", e.size)
	}
	// From now on there is a head file, so that its absence means something.
	_, err = l.Checkpoint(ctx)
	return err
}

// Size returns the number of durable entries.
func (l *Log) Size() int64 { return l.size.Load() }

// VerifierKey returns the public key of the log's checkpoints, in the form of
// golang.org/x/mod/sumdb/note.
func (l *Log) VerifierKey() string { return l.key }

// Leaves calls f with the stored bytes of each entry from index from up to but
// without to, in order; see [ParseEntry]. data is f's only until it returns. It
// stops at f's first error and returns it. Entries are not checked against the
// tree.
func (l *Log) Leaves(ctx context.Context, from, to int64, f func(idx int64, data []byte) error) error {
	to = min(to, l.Size())
	for from = max(from, 0); from < to; from += tileWidth {
		if err := eachLeaf(onDB(ctx, l.db), from, min(from+tileWidth, to), f); err != nil {
			return err
		}
	}
	return nil
}
