package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

func TestReadersSeeWhatIsCommitted(t *testing.T) {
	db := withTable(t)
	if err := put(t, db, 1, nil); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), `SELECT id FROM t ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // always nil
	if !rows.Next() {
		t.Fatal("no row")
	}
	err = db.Write(t.Context(), func(tx *Tx) error {
		if _, err := tx.Exec(`INSERT INTO t (id) VALUES (2)`); err != nil {
			return err
		}
		if diff := cmp.Diff([]int64{1}, ids(t, db)); diff != "" {
			t.Errorf("a reader in the middle of a transaction: %s", diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{1, 2}, ids(t, db)); diff != "" {
		t.Errorf("a reader after the commit: %s", diff)
	}
	if rows.Next() {
		t.Error("a query that began before the commit sees it")
	}
	if rows.Err() != nil || rows.Scan(new(int)) == nil {
		t.Error("rows at their end: an error, or a row")
	}
}

func TestReadersAreBounded(t *testing.T) {
	db := openWith(t, Config{Path: filepath.Join(t.TempDir(), "a.db"), Readers: 2, Idle: 30 * time.Millisecond})
	makeTable(t, db)
	if n := db.Stats().Readers; n != 0 {
		t.Errorf("%d readers before the first query", n)
	}
	var held []*Rows
	for range 2 {
		rows, err := db.Query(t.Context(), `SELECT 1`)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, rows)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := db.Query(ctx, `SELECT 1`); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third reader: %v", err)
	}
	for _, r := range held {
		_ = r.Close()
		_ = r.Close() // twice is once
	}
	var n int
	if err := db.QueryRow(t.Context(), `SELECT 5`).Scan(&n); err != nil || n != 5 {
		t.Errorf("got %d, %v", n, err)
	}
	waitFor(t, func() bool { return db.Stats().Readers == 0 }) // idle ones are closed
	if err := db.QueryRow(t.Context(), `SELECT 6`).Scan(&n); err != nil || n != 6 {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestAQueryEndsWithItsContext(t *testing.T) {
	db := open(t)
	const endless = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n`
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := db.QueryRow(ctx, endless).Scan(new(int)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	var n int
	if err := db.QueryRow(t.Context(), `SELECT 5`).Scan(&n); err != nil || n != 5 {
		t.Errorf("the reader afterwards: %d, %v", n, err)
	}
}

func TestCheckpointEmptiesTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := openWith(t, Config{Path: path, SecureDelete: true})
	makeTable(t, db)
	mark := []byte("a mark that is found in a file")
	if err := put(t, db, 1, mark); err != nil {
		t.Fatal(err)
	}
	if s := db.Stats(); s.LogBytes == 0 {
		t.Errorf("stats: %+v", s)
	}
	if err := db.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(`DELETE FROM t`); return err }); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), `SELECT 1 FROM store_version`)
	if err != nil || !rows.Next() {
		t.Fatal("no row", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := put(t, db, 2, nil); err != nil {
		t.Fatal(err)
	}
	if err := db.Checkpoint(ctx); sotto.KindOf(err) != sotto.KindBusy {
		t.Errorf("while a query reads an older state: %v", err)
	}
	_ = rows.Close()
	if err := db.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path + "-wal"); err != nil || st.Size() != 0 {
		t.Errorf("the log: %v, %v; want it empty", st, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, mark) {
		t.Error("what was deleted is in the file")
	}
	if s := db.Stats(); s.LogBytes != 0 || s.Checkpoints == 0 {
		t.Errorf("stats: %+v", s)
	}
	if n, err := db.Size(); err != nil || n != int64(len(b)) {
		t.Errorf("Size = %d, %v; want %d", n, err, len(b))
	}
}

func TestTheLogStaysSmall(t *testing.T) {
	db := openWith(t, Config{Path: filepath.Join(t.TempDir(), "a.db"), LogPages: 50})
	makeTable(t, db)
	var most int64
	for id := range int64(400) {
		if err := put(t, db, id, make([]byte, 3000)); err != nil {
			t.Fatal(err)
		}
		most = max(most, db.Stats().LogBytes)
	}
	if limit := int64(80 * pageSize); most > limit || db.Stats().Checkpoints < 5 {
		t.Errorf("the log grew to %d bytes, %d wanted at most: %+v", most, limit, db.Stats())
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRestMovesTheLog(t *testing.T) {
	db := openWith(t, Config{Path: filepath.Join(t.TempDir(), "a.db"), Idle: 20 * time.Millisecond})
	makeTable(t, db)
	waitFor(t, func() bool { return db.Stats().Checkpoints > 0 })
	if err := put(t, db, 1, nil); err != nil {
		t.Error(err)
	}
}
