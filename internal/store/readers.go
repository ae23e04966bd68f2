package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sotto-chat/sotto"
)

// readers is the bounded set of connections that only read. They are opened
// when they are first needed, and closed when they were idle for a while.
type readers struct {
	open func() (*conn, error)
	slot chan struct{} // as many as there may be readers
	idle time.Duration

	mu     sync.Mutex
	free   []*conn // the last one given back is the first one taken
	unused int     // how many of the first in free were not taken since the timer last ran
	timer  *time.Timer
	closed bool
}

func newReaders(n int, idle time.Duration, open func() (*conn, error)) *readers {
	return &readers{open: open, slot: make(chan struct{}, n), idle: idle}
}

// take returns a reader, waiting for one until ctx ends.
func (r *readers) take(ctx context.Context) (*conn, error) {
	select {
	case r.slot <- struct{}{}:
	default:
		select {
		case r.slot <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		<-r.slot
		return nil, errClosed
	}
	if n := len(r.free); n > 0 {
		c := r.free[n-1]
		r.free = r.free[:n-1]
		r.unused = min(r.unused, n-1)
		r.mu.Unlock()
		c.ctx = ctx
		return c, nil
	}
	r.mu.Unlock()
	c, err := r.open()
	if err != nil {
		<-r.slot
		return nil, err
	}
	c.ctx = ctx
	return c, nil
}

// give takes a reader back.
func (r *readers) give(c *conn) {
	c.ctx = nil
	r.mu.Lock()
	keep := !r.closed
	if keep {
		r.free = append(r.free, c)
		if r.timer == nil {
			r.timer = time.AfterFunc(r.idle, r.reap)
		}
	}
	r.mu.Unlock()
	if !keep {
		_ = c.close() // it only read
	}
	<-r.slot
}

// drop ends a reader that gave an error which makes it doubtful.
func (r *readers) drop(c *conn) {
	_ = c.close() // the error is told already
	<-r.slot
}

// reap closes the readers that nobody needed since it last ran.
func (r *readers) reap() {
	r.mu.Lock()
	old := append([]*conn(nil), r.free[:r.unused]...)
	r.free = append(r.free[:0], r.free[r.unused:]...)
	r.unused = len(r.free)
	if r.closed || len(r.free) == 0 {
		r.timer = nil
	} else {
		r.timer = time.AfterFunc(r.idle, r.reap)
	}
	r.mu.Unlock()
	for _, c := range old {
		_ = c.close() // it only read
	}
}

// close ends the idle readers now and the others when they are given back.
func (r *readers) close() error {
	r.mu.Lock()
	free := r.free
	r.free, r.unused, r.closed = nil, 0, true
	if r.timer != nil {
		r.timer.Stop()
	}
	r.mu.Unlock()
	var errs []error
	for _, c := range free {
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}

// count returns how many readers are open and idle.
func (r *readers) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.free)
}

// Query runs a SELECT on a snapshot of what is committed. At most
// [Config.Readers] queries are read at once; others wait until ctx ends. A
// query also ends with ctx while it runs.
func (db *DB) Query(ctx context.Context, q string, args ...any) (*Rows, error) {
	r := new(Rows)
	if err := db.start(ctx, r, q, args); err != nil {
		return nil, err
	}
	return r, nil
}

// QueryRow is Query for at most one row. The query runs when the row is
// scanned.
func (db *DB) QueryRow(ctx context.Context, q string, args ...any) *Row {
	return &Row{from: db, ctx: ctx, q: q, args: args}
}

func (db *DB) start(ctx context.Context, r *Rows, q string, args []any) error {
	const op = "store.query"
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := db.readers.take(ctx)
	if err != nil {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errClosed):
			return sotto.E(op, sotto.KindUnavailable, err)
		}
		return sotto.E(op, kindOf(err), err)
	}
	st, err := c.prepare(q)
	if err == nil {
		if err = st.bind(args); err != nil && !st.keep {
			st.finalize()
		}
	}
	if err != nil {
		db.release(c, err)
		return sotto.E(op, kindOf(err), err)
	}
	st.busy = true
	r.st, r.pool = st, db
	return nil
}

// release gives a reader back, or ends it if what it met makes it doubtful.
func (db *DB) release(c *conn, err error) {
	if err != nil && distrust(err) {
		db.readers.drop(c)
		return
	}
	db.readers.give(c)
}
