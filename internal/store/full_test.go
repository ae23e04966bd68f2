package store

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

func TestAFullFileGrowsAgainWhenItMay(t *testing.T) {
	const limit = 300_000
	db := openWith(t, Config{Path: filepath.Join(t.TempDir(), "a.db"), MaxBytes: limit})
	makeTable(t, db)
	var stored []int64
	fill := func() (full error) {
		for id := int64(len(stored)) + 1; full == nil && id < 2000; id++ {
			full = put(t, db, id, make([]byte, 1000))
			if full == nil {
				stored = append(stored, id)
			}
		}
		return full
	}
	if err := fill(); sotto.KindOf(err) != sotto.KindFull {
		t.Fatalf("got %v, want %v", err, sotto.KindFull)
	}
	if n := len(stored); n < 200 || n > 300 {
		t.Errorf("%d rows fit", n)
	}
	if err := put(t, db, 9999, make([]byte, 1000)); sotto.KindOf(err) != sotto.KindFull {
		t.Errorf("once more: %v", err)
	}
	if diff := cmp.Diff(stored, ids(t, db)); diff != "" {
		t.Errorf("what is there: %s", diff)
	}
	// Deleting works without room, and makes some.
	if err := db.Write(t.Context(), func(tx *Tx) error { _, err := tx.DeleteIn(`DELETE FROM t WHERE id IN`, stored[:50]); return err }); err != nil {
		t.Errorf("deleting: %v", err)
	}
	if err := put(t, db, 5000, make([]byte, 1000)); err != nil {
		t.Errorf("after deleting: %v", err)
	}
	if err := db.SetMaxBytes(t.Context(), 2*limit); err != nil {
		t.Fatal(err)
	}
	before := len(stored)
	if err := fill(); sotto.KindOf(err) != sotto.KindFull || len(stored) < before+200 {
		t.Errorf("after the limit was raised: %d more rows, %v", len(stored)-before, err)
	}
	if err := db.SetMaxBytes(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := fill(); err != nil {
		t.Errorf("without a limit: %v", err)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// A group on a full disk fails for those that need room and for nobody else.
func TestAFullFileIsOnes(t *testing.T) {
	db := openWith(t, Config{Path: filepath.Join(t.TempDir(), "a.db"), MaxBytes: 100_000})
	makeTable(t, db)
	release := stop(t, db)
	big, small := make(chan error, 1), make(chan error, 1)
	go func() { big <- put(t, db, 1, make([]byte, 1_000_000)) }()
	go func() { small <- put(t, db, 2, nil) }()
	waitFor(t, func() bool { return db.queue.len() == 2 })
	release()
	if err := errors.Join(<-small); err != nil {
		t.Errorf("the small one: %v", err)
	}
	if err := <-big; sotto.KindOf(err) != sotto.KindFull {
		t.Errorf("the big one: %v", err)
	}
}
