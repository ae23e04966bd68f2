package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/lease"
)

// childVar makes the test binary run as a child that does one thing.
const childVar = "SOTTO_STORE_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVar); path != "" {
		if err := child(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child writes rows as fast as it can and says which are durable, until it is
// killed.
func child(path string) error {
	db, err := Open(context.Background(), Config{Path: path, LogPages: 60})
	if err != nil {
		return err
	}
	if err := db.Migrate(context.Background(), "t", []string{`CREATE TABLE t (id BIGINT PRIMARY KEY, v BLOB)`}); err != nil {
		return err
	}
	var last int64
	if err := db.QueryRow(context.Background(), `SELECT COALESCE(max(id), 0) FROM t`).Scan(&last); err != nil {
		return err
	}
	b := NewBatch(db, func(tx *Tx, items []int64) error {
		args := make([]any, 0, 2*len(items))
		for _, id := range items {
			args = append(args, id, rowOf(id))
		}
		return tx.Insert(`INSERT INTO t (id, v)`, ``, 2, args)
	})
	fmt.Println("ready")
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range int64(8) {
		wg.Go(func() {
			for id := last + 1 + w; ; id += 8 {
				if err := b.Do(context.Background(), id); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				mu.Lock()
				_, _ = os.Stdout.WriteString(strconv.FormatInt(id, 10) + "\n")
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.New("the writers ended")
}

// rowOf is what the row of an id holds.
func rowOf(id int64) []byte { return []byte(strings.Repeat(strconv.FormatInt(id, 10)+" ", 150)) }

// runChild starts a child and returns what it says, line by line, with a
// function that kills it and waits for its end.
func runChild(t *testing.T, path string) (lines <-chan string, pid int, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0]) // this test binary
	cmd.Env = append(os.Environ(), childVar+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ch := make(chan string, 1<<16)
	go func() {
		defer close(ch)
		for s := bufio.NewScanner(out); s.Scan(); {
			ch <- s.Text()
		}
	}()
	once := sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // SIGKILL
	})
	t.Cleanup(func() { once(); _ = cmd.Wait() })
	return ch, cmd.Process.Pid, once
}

func TestAKilledProcessLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	acked := make(map[int64]bool)
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		lines, _, kill := runChild(t, path)
		if s := <-lines; s != "ready" {
			t.Fatalf("the child said %q", s)
		}
		time.AfterFunc(time.Duration(40+35*round)*time.Millisecond, kill)
		n := 0
		for s := range lines { // until the killed child's pipe ends
			id, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				break // the last line may be cut
			}
			acked[id] = true
			n++
		}
		var db *DB
		waitFor(t, func() (free bool) {
			var err error
			if db, err = Open(t.Context(), Config{Path: path, MustExist: true}); err != nil && sotto.KindOf(err) != sotto.KindBusy {
				t.Fatal(err)
			}
			return err == nil
		})
		rows, err := db.Query(t.Context(), `SELECT id, v FROM t`)
		if err != nil {
			t.Fatal(err)
		}
		have := make(map[int64]bool)
		for rows.Next() {
			var id int64
			var v string
			if err := rows.Scan(&id, &v); err != nil {
				t.Fatal(err)
			}
			if v != string(rowOf(id)) {
				t.Errorf("row %d is not what was written", id)
			}
			have[id] = true
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
		for id := range acked {
			if !have[id] {
				t.Errorf("round %d: row %d was acknowledged and is lost", round, id)
			}
		}
		t.Logf("round %d: %d acknowledged in this round, %d rows there", round, n, len(have))
		if n == 0 {
			t.Errorf("round %d: the child did nothing", round)
		}
		if err := errors.Join(db.Check(t.Context()), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	lines, pid, kill := runChild(t, path)
	if s := <-lines; s != "ready" {
		t.Fatalf("the child said %q", s)
	}
	_, err := Open(t.Context(), Config{Path: path})
	var held *lease.HeldError
	if sotto.KindOf(err) != sotto.KindBusy || !errors.As(err, &held) || held.PID != pid {
		t.Errorf("while process %d has it open: %v", pid, err)
	}
	kill()
	for range lines {
	}
	var db *DB
	waitFor(t, func() bool { db, err = Open(t.Context(), Config{Path: path}); return err == nil })
	if _, err := Open(t.Context(), Config{Path: path}); sotto.KindOf(err) != sotto.KindBusy {
		t.Errorf("twice in one process: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err = Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal("after Close:", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// A crash while the log is moved leaves a file that is shorter than its header
// says; the log holds the rest.
func TestACrashInTheMiddleOfMovingTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := openWith(t, Config{Path: path, Idle: 20 * time.Millisecond})
	makeTable(t, db)
	for _, id := range upTo(200) {
		if err := put(t, db, id, rowOf(id)); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, func() bool { return db.Stats().Checkpoints > 0 })
	crashed := filepath.Join(t.TempDir(), "b.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(crashed+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(crashed, 5*pageSize); err != nil {
		t.Fatal(err)
	}
	again := openWith(t, Config{Path: crashed, MustExist: true})
	if n := len(ids(t, again)); n != 200 {
		t.Errorf("%d of 200 rows", n)
	}
	if err := again.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
