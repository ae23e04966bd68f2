package store

import (
	"context"
	"errors"
	"time"

	engine "modernc.org/sqlite/lib"

	"github.com/sotto-chat/sotto"
)

// The write-ahead log is moved into the file by the writer itself, after it has
// told the callers of a commit and before the next group: when the log has
// grown by Config.LogPages, by half of that when nobody waits, and by anything
// when nothing happened for a while. A second connection that copies beside the
// writer was measured and cost more than it saved: under load it never catches
// up, and what it copied is copied again.

// afterWork moves the log if it has grown enough.
func (w *writer) afterWork() {
	if w.c == nil {
		return
	}
	pages := w.c.walPages
	if pages < w.moved {
		w.moved = 0 // the log was started anew
	}
	w.db.stats.walPages.Store(int64(pages))
	limit := w.db.cfg.LogPages
	if w.db.queue.len() == 0 {
		limit /= 2
	}
	if pages-w.moved >= limit {
		w.moveLog()
	}
}

// moveLog copies the log into the file, as far as no query still reads an
// older state. The next commit then starts the log from its beginning.
func (w *writer) moveLog() {
	pages, done, err := w.c.checkpoint(false)
	if err != nil {
		_ = w.judge(err) // the log keeps everything; the next attempt may succeed
		return
	}
	if pages == done {
		w.db.stats.checkpoints.Add(1)
	}
	w.moved = max(pages, 0)
}

// rest is called when nothing happened for a while.
func (w *writer) rest() {
	if w.c == nil {
		return
	}
	if w.c.walPages > w.moved {
		w.moveLog()
	}
	if w.c != nil {
		w.c.shrink()
	}
}

// checkpointWait is how long [DB.Checkpoint] waits between two attempts, and
// checkpointTries how often it tries: about five seconds.
const (
	checkpointWait  = 20 * time.Millisecond
	checkpointTries = 250
)

var errReading = errors.New("a query still reads an older state")

// Checkpoint moves everything that is committed from the write-ahead log into
// the file and empties the log, so that what was deleted is in neither (with
// [Config.SecureDelete]). It waits some seconds until no query reads an older
// state; if one goes on, or ctx ends, the error is of [sotto.KindBusy].
func (db *DB) Checkpoint(ctx context.Context) error {
	const op = "store.checkpoint"
	for range checkpointTries {
		var busy bool
		err := db.apart(ctx, func(w *writer) error {
			engine.Xsqlite3_busy_timeout(w.c.tls, w.c.db, 0)
			defer func() {
				if w.c != nil {
					engine.Xsqlite3_busy_timeout(w.c.tls, w.c.db, busyTimeout)
				}
			}()
			_, _, err := w.c.checkpoint(true)
			if kindOf(err) == sotto.KindBusy {
				busy = true
				return nil
			}
			if err != nil {
				return sotto.E(op, kindOf(err), err)
			}
			w.c.walPages, w.moved = 0, 0
			w.db.stats.walPages.Store(0)
			w.db.stats.checkpoints.Add(1)
			return nil
		})
		if err != nil || !busy {
			return err
		}
		t := time.NewTimer(checkpointWait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return sotto.E(op, sotto.KindBusy, ctx.Err())
		}
	}
	return sotto.E(op, sotto.KindBusy, errReading)
}
