package store

import (
	"context"
	"sync"
)

type writeFunc struct{}

func (writeFunc) runItems(tx *Tx, items []any) error {
	for _, it := range items {
		if err := it.(func(*Tx) error)(tx); err != nil { //nolint:errcheck,forcetypeassert // only Write makes these
			return err
		}
	}
	return nil
}

// Write runs f in the next group and returns when it is durable.
//
// If ctx ends while f still waits for its turn, f never runs and Write returns
// the context's error. Once f has begun, Write waits for the outcome whatever
// ctx says: what Write returns is always what happened.
func (db *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	return db.do(ctx, job{run: writeFunc{}, item: f})
}

// Batch runs like work together: all items that wait for one transaction are
// handed to one call, which can store them with few statements.
type Batch[T any] struct {
	db  *DB
	run func(tx *Tx, items []T) error
}

// NewBatch makes a batch whose items run stores.
func NewBatch[T any](db *DB, run func(tx *Tx, items []T) error) *Batch[T] {
	return &Batch[T]{db: db, run: run}
}

func (b *Batch[T]) runItems(tx *Tx, items []any) error {
	typed := make([]T, len(items))
	for i, it := range items {
		typed[i] = it.(T) //nolint:errcheck,forcetypeassert // only Do and Submit make these
	}
	return b.run(tx, typed)
}

// Do hands in one item and returns when it is durable. The context means what
// it means for [DB.Write].
func (b *Batch[T]) Do(ctx context.Context, item T) error {
	return b.db.do(ctx, job{run: b, item: item})
}

// Submit hands in one item and never waits. done is called by the writer, in
// commit order, after the item is durable or has failed: it must be quick and
// must not wait for a write; it may Submit.
//
// Where too much waits already (twice [Config.MaxQueue]) or the database is
// closed, done is called with the error ([sotto.KindBusy], [sotto.KindUnavailable])
// before Submit returns, by the caller's goroutine: hold no lock that done takes.
func (b *Batch[T]) Submit(item T, done func(error)) {
	j := &job{run: b, item: item, done: done}
	if err := b.db.queue.push(j, 2*b.db.cfg.MaxQueue); err != nil {
		done(err)
	}
}

// jobs keeps the jobs of those who wait, with their channels.
type jobs struct{ pool sync.Pool }

func (p *jobs) get(of job) *job {
	j, ok := p.pool.Get().(*job)
	if !ok {
		j = &job{ch: make(chan error, 1)}
	}
	ch := j.ch
	*j = of
	j.ch = ch
	return j
}

func (p *jobs) put(j *job) {
	*j = job{ch: j.ch}
	p.pool.Put(j)
}

// do hands in a job and waits for its outcome.
func (db *DB) do(ctx context.Context, of job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := db.jobs.get(of)
	if err := db.queue.pushWait(ctx, j); err != nil {
		db.jobs.put(j)
		return err
	}
	select {
	case err := <-j.ch:
		db.jobs.put(j)
		return err
	case <-ctx.Done():
		if db.queue.withdraw(j) {
			return ctx.Err() // the queue still holds j; it is not used again
		}
		err := <-j.ch
		db.jobs.put(j)
		return err
	}
}

// apart runs f between two transactions, alone.
func (db *DB) apart(ctx context.Context, f func(*writer) error) error {
	return db.do(ctx, job{apart: f})
}
