package store

import (
	"context"
	"errors"
	"time"

	engine "modernc.org/sqlite/lib"

	"github.com/sotto-chat/sotto"
)

// The write-ahead log is moved into the file in two steps. When it has grown
// by Config.LogPages, a connection of its own copies it while the writer goes
// on; then the writer copies the few pages that came meanwhile, which lets the
// next commit start the log from its beginning. So a commit never waits for
// the bulk.

// afterWork starts a copy if the log has grown enough.
func (w *writer) afterWork() {
	if w.c == nil {
		return
	}
	pages := w.c.walPages
	w.db.stats.walPages.Store(int64(pages))
	if pages < w.ckptAt {
		w.ckptAt = 0 // the log was started anew
	}
	select {
	case <-w.copied:
		w.finishCheckpoint()
		return
	default:
	}
	if w.copied != nil || pages-w.ckptAt < w.db.cfg.LogPages {
		return
	}
	w.ckptAt = pages
	w.copied = make(chan struct{})
	go w.copyLog(w.copied)
}

// copyLog copies the log into the file without disturbing anybody.
func (w *writer) copyLog(copied chan<- struct{}) {
	defer close(copied)
	if w.ckpt == nil {
		c, err := w.db.openCopier()
		if err != nil {
			return // the log grows on; the next attempt may succeed
		}
		w.ckpt = c
	}
	if _, _, err := w.ckpt.checkpoint(false); err != nil && distrust(err) {
		_ = w.ckpt.close() //nolint:errcheck // opened anew for the next attempt
		w.ckpt = nil
	}
}

// finishCheckpoint copies what came since the copy began.
func (w *writer) finishCheckpoint() {
	w.copied = nil
	if w.c == nil {
		return
	}
	pages, done, err := w.c.checkpoint(false)
	if err != nil {
		_ = w.judge(err) //nolint:errcheck // the log keeps everything; the next attempt may succeed
		return
	}
	if pages == done {
		w.db.stats.checkpoints.Add(1)
	}
	w.ckptAt = pages
}

// rest is called when nothing happened for a while.
func (w *writer) rest() {
	if w.c == nil {
		return
	}
	if w.copied == nil && w.c.walPages > 0 && w.ckptAt != w.c.walPages {
		w.finishCheckpoint()
	}
	if w.c != nil {
		w.c.shrink()
	}
}

// stop ends the writer's connections, the copier's first: the last one to
// close moves the rest of the log into the file.
func (w *writer) stop() error {
	if w.copied != nil {
		<-w.copied
	}
	return errors.Join(w.ckpt.close(), w.c.close())
}

// checkpointWait is how long [DB.Checkpoint] waits between two attempts, and
// checkpointTries how often it tries: about five seconds.
const (
	checkpointWait  = 20 * time.Millisecond
	checkpointTries = 250
)

var errReading = errors.New("a query still reads an older state") //nolint:gochecknoglobals // a sentinel

// Checkpoint moves everything that is committed from the write-ahead log into
// the file and empties the log, so that what was deleted is in neither (with
// [Config.SecureDelete]). It waits some seconds until no query reads an older
// state; if one goes on, or ctx ends, the error is of [sotto.KindBusy].
func (db *DB) Checkpoint(ctx context.Context) error {
	const op = "store.checkpoint"
	for range checkpointTries {
		var busy bool
		err := db.apart(ctx, func(w *writer) error {
			if w.copied != nil {
				<-w.copied
				w.copied = nil
			}
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
			w.c.walPages, w.ckptAt = 0, 0
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
