// Package lifecycle gives data its end, and the person a hand in it: export,
// erasure and retention, all on one list of what is held.
//
// The list is [Lifecycle.Holdings]: every table with personal data says how it is read,
// deleted and swept. What is not on the list does not exist for a person, so a
// test compares it with the tables of the database.
//
// Erasure destroys the person's keys first, which takes milliseconds however
// much was said and reaches every copy of the data; the rows, unreadable by
// then, are deleted in the background in small transactions. An erasure that
// was begun is finished after a crash.
//
// Retention counts from each message. What is past its last day is deleted by a
// sweep that runs by itself, catches up after downtime, and also destroys the
// month's keys when the last row sealed under them has ended.
package lifecycle

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/clock"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/ids"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Config connects the lifecycle. All fields without a default are required.
type Config struct {
	DB         *store.DB
	Vault      *vault.Vault
	Gate       *gate.Gate
	Log        *audit.Log
	People     *people.People
	Journal    *journal.Journal
	Transcript *transcript.Transcript
	Outbox     *outbox.Outbox
	IDs        *ids.Source
	Now        clock.Clock
	Logger     *slog.Logger

	Also []Part // tables of other parts that hold something of persons

	Retention time.Duration // of the transcript for the purpose reply
	Every     time.Duration // between two sweeps; default 1h
}

// Lifecycle is the engine. Call [Lifecycle.Run] for what it does by itself.
type Lifecycle struct {
	cfg   Config
	begun chan struct{} // an erasure has rows to delete
	sweep sync.Mutex    // one sweep at a time
	swept bool          // since the start, guarded by sweep

	shortest time.Duration // retention that turns were ever kept under

	// Held for reading by an erasure from its intent to its deed, so that who
	// finishes what a crash left does not meet one that is under way.
	erasing sync.RWMutex
}

// Open prepares the tables, and destroys the keys of every erasure that a crash
// cut off: whoever was to be erased is erased before anything else is done.
func Open(ctx context.Context, cfg Config) (*Lifecycle, error) {
	if cfg.Every == 0 {
		cfg.Every = time.Hour
	}
	l := &Lifecycle{cfg: cfg, begun: make(chan struct{}, 1)}
	err := cfg.DB.Migrate(ctx, "lifecycle", []string{
		`CREATE TABLE lifecycle_erasure (receipt TEXT PRIMARY KEY, person BLOB NOT NULL, until BIGINT NOT NULL, state BIGINT NOT NULL)`,
		`CREATE TABLE lifecycle_sweep (name TEXT PRIMARY KEY, last BIGINT NOT NULL)`,
		`CREATE TABLE lifecycle_receipt (receipt TEXT PRIMARY KEY, at BIGINT NOT NULL, keys BIGINT NOT NULL, entry BIGINT NOT NULL)`,
	})
	if err != nil {
		return nil, err
	}
	if l.shortest, err = l.shortestRetention(ctx); err != nil {
		return nil, err
	}
	todo, err := l.resume(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range todo { // what is written from now on is newer, wherever the clock stands
		cfg.IDs.Skip(e.until)
	}
	return l, nil
}

// Run finishes erasures and sweeps until ctx ends.
func (l *Lifecycle) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { l.eraser(ctx) })
	wg.Go(func() { l.sweeper(ctx) })
	wg.Wait()
}

// Holding is one table that holds something of persons.
type Holding struct {
	Table string `json:"table"`
	Kind  string `json:"holds"` // what it is, in plain words
	Ends  string `json:"ends"`  // when a row ends, in plain words
}

// Part is a table of another part.
type Part struct {
	Holding
	// Export returns what is held of a person for their copy, nil for nothing.
	Export func(ctx context.Context, permit gate.Permit, p sotto.PersonID) (any, error)
	// Forget deletes the rows of an erased person up to a number, and returns
	// how many.
	Forget func(ctx context.Context, p sotto.PersonID, until int64) (int64, error)
	// Sweep deletes the rows that are past their last day, and returns how many;
	// nil where rows end otherwise.
	Sweep func(ctx context.Context, now time.Time) (int64, error)
}

// Table is a table whose rows are counted in a person's copy or, where it has a
// method Export like a [Part]'s, opened for it.
type Table interface {
	Holding() (table, kind, ends string)
	Of(ctx context.Context, p sotto.PersonID) (int64, error)
	Forget(ctx context.Context, p sotto.PersonID, until int64) (int64, error)
	Sweep(ctx context.Context, now time.Time) (int64, error)
}

// Exporter is a table whose rows themselves stand in a person's copy.
type Exporter interface {
	Export(ctx context.Context, permit gate.Permit, p sotto.PersonID) (any, error)
}

// PartOf makes a part of a table.
func PartOf(t Table) Part {
	var p Part
	p.Table, p.Kind, p.Ends = t.Holding()
	p.Forget, p.Sweep = t.Forget, t.Sweep
	if e, ok := t.(Exporter); ok {
		p.Export = e.Export
		return p
	}
	p.Export = func(ctx context.Context, _ gate.Permit, who sotto.PersonID) (any, error) {
		n, err := t.Of(ctx, who)
		if err != nil || n == 0 {
			return nil, err
		}
		return n, nil
	}
	if e, ok := t.(interface {
		Export(ctx context.Context, permit gate.Permit, p sotto.PersonID) (any, error)
	}); ok {
		p.Export = e.Export
	}
	return p
}

// Holdings lists every table in which something stands that is about a person.
func (l *Lifecycle) Holdings() []Holding {
	out := own()
	for i := range l.cfg.Also {
		out = append(out, l.cfg.Also[i].Holding)
	}
	return out
}

// own lists the tables that every Sotto has.
func own() []Holding {
	return []Holding{
		{Table: "person", Kind: "which notice was given and whether the person said stop", Ends: "with the person's erasure"},
		{Table: people.AliasTable, Kind: "which pseudonyms are the same person, because the network gave another id", Ends: "with the person's erasure"},
		{Table: transcript.Table, Kind: "what was said", Ends: "when the retention of its purpose is over"},
		{Table: journal.Table, Kind: "what came in and is not handled yet", Ends: "when it is handled, at the latest after 7 days"},
		{Table: outbox.Table, Kind: "what is on its way to the person", Ends: "when it is sent, at the latest after a day"},
		{Table: "lifecycle_erasure", Kind: "an erasure whose rows are being deleted", Ends: "when the rows are gone"},
	}
}

// facts are what the gate is told of a person when Sotto acts for them.
func (l *Lifecycle) decide(ctx context.Context, t *audit.Trail, p sotto.PersonID, a gate.Action, to sotto.Recipient) (gate.Permit, error) {
	st, err := l.cfg.People.Get(ctx, p)
	if err != nil {
		return gate.Permit{}, err
	}
	return l.cfg.Gate.Decide(ctx, t, gate.Use{
		Action: a, Person: p, Facts: st.Facts(), Channel: people.Channel(st.Account), Purpose: sotto.PurposeLegal,
		Categories: []sotto.Category{sotto.CategoryMessage, sotto.CategoryContact, sotto.CategoryIdentifier}, Recipient: to,
	})
}
