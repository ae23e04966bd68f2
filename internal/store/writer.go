package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sotto-chat/sotto"
)

var (
	errClosed    = errors.New("the database is closed")
	errQueueFull = errors.New("too much work waits for the disk")
	errGoexit    = errors.New("the work ended its goroutine")
	errMoved     = errors.New("the file was moved, replaced or deleted while in use")
)

// writer is the goroutine that does all writing, and its connection.
type writer struct {
	db    *DB
	c     *conn // nil after an error that makes it doubtful: opened anew for the next work
	group []*job
	moved int // pages of the log that are in the file
	ran   []batchRunner
	items []any
}

// run works until the queue is closed and empty.
func (w *writer) run() {
	clean := false
	defer func() {
		if !clean {
			// A piece of work ended the goroutine (runtime.Goexit, as a test's
			// FailNow does). The others must not hang.
			w.abandon()
			go w.run()
			return
		}
		close(w.db.done)
	}()
	idle := time.NewTimer(w.db.cfg.Idle)
	defer idle.Stop()
	for {
		w.group = w.db.queue.take(w.group[:0], w.db.cfg.MaxGroup)
		if len(w.group) > 0 {
			w.work()
			continue
		}
		if w.db.queue.ended() {
			break
		}
		idle.Reset(w.db.cfg.Idle)
		select {
		case <-w.db.queue.wake:
			runtime.Gosched() // those who were woken by the last commit come along
		case <-idle.C:
			w.rest()
		}
	}
	clean = true
}

// work does what is in group and tells the callers.
func (w *writer) work() {
	group := w.group
	if group[0].apart != nil {
		w.finish(group, w.apart(group[0].apart))
	} else if err := w.transact(group); err == nil || len(group) == 1 {
		w.finish(group, err)
	} else {
		w.db.stats.retries.Add(1)
		// One of them failed, or the commit did. Each stands for itself now.
		for i := range group {
			w.finish(group[i:i+1], w.transact(group[i:i+1]))
		}
	}
	clear(w.group)
	w.afterWork()
}

// abandon rolls back and fails the group whose work ended the goroutine.
func (w *writer) abandon() {
	_ = w.drop() // nothing of it is kept
	for _, j := range w.group {
		if j != nil {
			w.tell(j, sotto.E("store.write", sotto.KindOther, errGoexit))
		}
	}
	clear(w.group)
}

func (w *writer) finish(group []*job, err error) {
	for i, j := range group {
		group[i] = nil
		w.tell(j, err)
	}
}

func (w *writer) tell(j *job, err error) {
	if j.ch != nil {
		j.ch <- err
		return
	}
	if e := guard(func() error { j.done(err); return nil }); e != nil {
		w.panicked(e)
	}
}

// panicked makes it known that a callback failed, whose work is durable.
func (w *writer) panicked(err error) {
	w.db.stats.panics.Add(1)
	if w.db.cfg.Log != nil {
		w.db.cfg.Log.LogAttrs(context.Background(), slog.LevelError, "a callback of the database's writer panicked", slog.String("error", err.Error()))
	}
}

// apart runs f outside of a transaction.
func (w *writer) apart(f func(*writer) error) error {
	if err := w.ensure(); err != nil {
		return err
	}
	return w.judge(guard(func() error { return f(w) }))
}

// ensure opens the connection if there is none.
func (w *writer) ensure() error {
	if w.c != nil {
		return nil
	}
	c, err := w.db.openWriter()
	if err != nil {
		return sotto.E("store.reopen", kindOf(err), err)
	}
	w.db.stats.reopened.Add(1)
	w.c = c
	return nil
}

// judge gives the connection up after an error that makes it doubtful.
func (w *writer) judge(err error) error {
	var p *panicError
	if distrust(err) || errors.As(err, &p) {
		return errors.Join(err, w.drop())
	}
	return err
}

func (w *writer) drop() error {
	c := w.c
	w.c = nil
	return c.close()
}

// transact runs the jobs in one transaction. Jobs of one batch run together,
// at the place of the first of them.
func (w *writer) transact(group []*job) error {
	if err := w.ensure(); err != nil {
		return err
	}
	if _, err := w.c.begin.exec(nil); err != nil {
		return w.judge(sotto.E("store.begin", kindOf(err), err))
	}
	tx := &Tx{c: w.c}
	err := guard(func() error { return w.runGroup(tx, group) })
	tx.end()
	if err == nil {
		if _, err = w.c.commit.exec(nil); err != nil {
			err = sotto.E("store.commit", kindOf(err), err)
		} else {
			err = w.db.still()
		}
	}
	if err != nil {
		w.db.stats.failed.Add(1)
		w.rollback()
		return w.judge(err)
	}
	w.db.stats.count(len(group))
	for _, f := range tx.onCommit {
		if e := guard(func() error { f(); return nil }); e != nil {
			w.panicked(e)
		}
	}
	return nil
}

// rollback undoes what the transaction did. A connection that cannot do that
// is given up, which undoes it as well.
func (w *writer) rollback() {
	if w.c == nil || !w.c.inTx() {
		return
	}
	if _, err := w.c.rollback.exec(nil); err != nil || w.c.inTx() {
		_ = w.drop() // the first error is the one that counts
	}
}

// panicError is a panic in a piece of work.
type panicError struct {
	what string
	at   string
}

func (e *panicError) Error() string { return "the work panicked at " + e.at + ": " + e.what }

// guard turns a panic of f into an error. What was thrown may hold anything,
// so only the runtime's own words are kept, and the place.
func guard(f func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		what := fmt.Sprintf("a %T", p)
		if re, ok := p.(runtime.Error); ok { // a panic value, wrapped by nobody
			what = re.Error()
		}
		err = &panicError{what: what, at: panicPlace()}
	}()
	return f()
}

func panicPlace() string {
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if f.Function != "" && !isRuntime(f.Function) {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

func isRuntime(name string) bool { return len(name) > 8 && name[:8] == "runtime." }

func (w *writer) runGroup(tx *Tx, group []*job) error {
	w.ran = w.ran[:0]
	for i, j := range group {
		if slices.Contains(w.ran, j.run) {
			continue
		}
		w.ran = append(w.ran, j.run)
		w.items = w.items[:0]
		for _, k := range group[i:] {
			if k.run == j.run {
				w.items = append(w.items, k.item)
			}
		}
		if err := j.run.runItems(tx, w.items); err != nil {
			return err
		}
	}
	return nil
}

// counters are the numbers behind [DB.Stats].
type counters struct {
	commits, items, failed, retries, panics, reopened, checkpoints atomic.Int64
	largest                                                        atomic.Int64
	sizes                                                          [groupSizes]atomic.Int64
	walPages                                                       atomic.Int64
}

func (s *counters) count(n int) {
	s.commits.Add(1)
	s.items.Add(int64(n))
	if int64(n) > s.largest.Load() {
		s.largest.Store(int64(n)) // only the writer stores
	}
	s.sizes[min(bitLen(n), groupSizes)-1].Add(1)
}
