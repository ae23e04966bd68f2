package store

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

func insertBatch(db *DB) *Batch[int64] {
	return NewBatch(db, func(tx *Tx, items []int64) error {
		args := make([]any, 0, len(items))
		for _, id := range items {
			args = append(args, id)
		}
		return tx.Insert(`INSERT INTO t (id)`, ``, 1, args)
	})
}

func TestAFullQueueRefusesSubmitAndHoldsDo(t *testing.T) {
	db := openWith(t, Config{Path: filepath.Join(t.TempDir(), "a.db"), MaxQueue: 4})
	makeTable(t, db)
	b := insertBatch(db)
	release := stop(t, db)
	results := make(chan error, 20)
	for id := range int64(8) {
		b.Submit(id, func(err error) { results <- err })
	}
	refused := false
	b.Submit(100, func(err error) { refused = sotto.KindOf(err) == sotto.KindBusy })
	if !refused {
		t.Error("the ninth Submit was not refused with KindBusy before it returned")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := b.Do(ctx, 101); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Do without room: %v", err)
	}
	for id := range int64(3) {
		go func() { results <- b.Do(context.Background(), 8+id) }()
	}
	waitFor(t, func() bool { db.queue.mu.Lock(); defer db.queue.mu.Unlock(); return len(db.queue.waiting) == 3 })
	release()
	for range 11 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if got := len(ids(t, db)); got != 11 {
		t.Errorf("%d rows, want 11: neither refused nor given up work may be stored", got)
	}
}

// Callbacks run on the writer's goroutine: a Submit there must neither wait nor
// be starved by others.
func TestSubmitFromACallback(t *testing.T) {
	db := openWith(t, Config{Path: filepath.Join(t.TempDir(), "a.db"), MaxQueue: 2, MaxGroup: 2})
	makeTable(t, db)
	b := insertBatch(db)
	const chains, length = 4, 50
	var wg sync.WaitGroup
	wg.Add(chains * length)
	var next atomic.Int64
	var chain func(left int) func(error)
	chain = func(left int) func(error) {
		return func(err error) {
			if err != nil {
				t.Error(err)
			}
			wg.Done()
			if left > 1 {
				b.Submit(next.Add(1), chain(left-1))
			}
		}
	}
	for range chains {
		b.Submit(next.Add(1), chain(length))
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("the writer waits for itself")
	}
}

func TestAContextTakesBackWhatHasNotBegun(t *testing.T) {
	db := withTable(t)
	release := stop(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	var ran atomic.Int64
	result := make(chan error, 1)
	go func() { result <- db.Write(ctx, func(*Tx) error { ran.Add(1); return nil }) }()
	waitFor(t, func() bool { return db.queue.len() == 1 })
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	release()
	if err := put(t, db, 1, nil); err != nil { // comes after it
		t.Fatal(err)
	}
	if ran.Load() != 0 {
		t.Error("work ran after its caller was told that it would not")
	}
	if err := db.Write(ctx, func(*Tx) error { ran.Add(1); return nil }); !errors.Is(err, context.Canceled) || ran.Load() != 0 {
		t.Errorf("a context that has ended: %v, ran %d times", err, ran.Load())
	}
}

func TestWorkThatBeganIsWaitedFor(t *testing.T) {
	db := withTable(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(ctx, func(tx *Tx) error {
		cancel()
		time.Sleep(10 * time.Millisecond)
		_, err := tx.Exec(`INSERT INTO t (id) VALUES (1)`)
		return err
	})
	if err != nil || len(ids(t, db)) != 1 {
		t.Errorf("%v, %d rows; want none of the context's error, since it is stored", err, len(ids(t, db)))
	}
}

func TestCloseWaitsForTheQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	makeTable(t, db)
	b := insertBatch(db)
	release := stop(t, db)
	var stored atomic.Int64
	for id := range int64(100) {
		b.Submit(id, func(err error) {
			if err == nil {
				stored.Add(1)
			}
		})
	}
	go release()
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	if stored.Load() != 100 {
		t.Errorf("%d of 100 were stored before Close returned", stored.Load())
	}
	for name, err := range map[string]error{
		"Write":      put(t, db, 1, nil),
		"Do":         b.Do(t.Context(), 1),
		"Checkpoint": db.Checkpoint(t.Context()),
		"QueryRow":   db.QueryRow(t.Context(), `SELECT 1`).Scan(new(int)),
	} {
		if sotto.KindOf(err) != sotto.KindUnavailable {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	b.Submit(1, func(e error) { err = e })
	if sotto.KindOf(err) != sotto.KindUnavailable {
		t.Errorf("Submit after Close: %v", err)
	}
	if left, _ := filepath.Glob(path + "-*"); len(left) != 0 {
		t.Errorf("Close left %v", left)
	}
	again := openWith(t, Config{Path: path, MustExist: true})
	if got := len(ids(t, again)); got != 100 {
		t.Errorf("%d rows after Close and Open", got)
	}
}

func TestAPanicIsOnes(t *testing.T) {
	var logged bytes.Buffer
	db := openWith(t, Config{Path: filepath.Join(t.TempDir(), "a.db"), Log: slog.New(slog.NewTextHandler(&logged, nil))})
	makeTable(t, db)
	release := stop(t, db)
	secretText, id := "+49 170 1234567", len(t.Name())/10
	var bad, worse, none error
	var wg sync.WaitGroup
	wg.Go(func() { bad = db.Write(context.Background(), func(*Tx) error { panic(secretText) }) })
	wg.Go(func() {
		worse = db.Write(context.Background(), func(tx *Tx) error {
			if _, err := tx.Query(`SELECT id FROM t`); err != nil { // stays open
				return err
			}
			s := make([]int, id)
			_ = s[len(secretText)]
			return nil
		})
	})
	wg.Go(func() { none = put(t, db, 1, nil) })
	waitFor(t, func() bool { return db.queue.len() == 3 })
	release()
	wg.Wait()
	if none != nil || len(ids(t, db)) != 1 {
		t.Errorf("the other work: %v", none)
	}
	for _, err := range []error{bad, worse} {
		var p *panicError
		if !errors.As(err, &p) || !strings.Contains(err.Error(), "queue_test.go") && !strings.Contains(err.Error(), "TestAPanicIsOnes") {
			t.Errorf("a panic: %v", err)
		}
		if err != nil && strings.Contains(err.Error(), secretText) {
			t.Errorf("the error repeats what was thrown: %v", err)
		}
	}
	if err := put(t, db, 2, nil); err != nil {
		t.Errorf("after the panics: %v", err)
	}

	// A callback that panics harms nobody's work either, and is told of.
	told := make(chan error, 1)
	insertBatch(db).Submit(3, func(error) { panic(secretText) })
	insertBatch(db).Submit(4, func(err error) { told <- err })
	if err := <-told; err != nil {
		t.Error(err)
	}
	if err := db.Write(t.Context(), func(tx *Tx) error { tx.OnCommit(func() { panic(secretText) }); return nil }); err != nil {
		t.Error(err)
	}
	if got := db.Stats().Panics; got != 2 || strings.Count(logged.String(), "panicked") < 2 || strings.Contains(logged.String(), secretText) {
		t.Errorf("%d panics counted, logged: %s", got, logged.String())
	}
	if diff := cmp.Diff(upTo(4), ids(t, db)); diff != "" {
		t.Error(diff)
	}
}

func TestWorkThatEndsTheGoroutine(t *testing.T) {
	db := withTable(t)
	err := db.Write(t.Context(), func(tx *Tx) error {
		if _, err := tx.Exec(`INSERT INTO t (id) VALUES (1)`); err != nil {
			return err
		}
		runtime.Goexit()
		return nil
	})
	if !errors.Is(err, errGoexit) {
		t.Errorf("got %v", err)
	}
	if err := put(t, db, 2, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{2}, ids(t, db)); diff != "" {
		t.Error(diff)
	}
}

func TestManyAtOnce(t *testing.T) {
	db := openWith(t, Config{Path: filepath.Join(t.TempDir(), "a.db"), MaxQueue: 16, MaxGroup: 8, LogPages: 20, Readers: 2, CacheKiB: 256, Idle: time.Millisecond})
	makeTable(t, db)
	b := insertBatch(db)
	var wg sync.WaitGroup
	const workers, each = 12, 60
	for w := range int64(workers) {
		wg.Go(func() {
			for i := range int64(each) {
				id := w*each + i + 1
				if err := b.Do(context.Background(), id); err != nil {
					t.Error(err)
					return
				}
				var n int
				if err := db.QueryRow(context.Background(), `SELECT count(*) FROM t WHERE id = $1`, id).Scan(&n); err != nil || n != 1 {
					t.Errorf("a durable row is not there: %d, %v", n, err)
				}
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			for range 20 {
				if err := db.Checkpoint(context.Background()); err != nil && sotto.KindOf(err) != sotto.KindBusy {
					t.Error(err)
				}
				_ = db.Stats()
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(upTo(workers*each), ids(t, db)); diff != "" {
		t.Error(diff)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	s := db.Stats()
	if s.Items < workers*each || s.Commits == 0 || s.Largest > 8 {
		t.Errorf("stats: %+v", s)
	}
}
