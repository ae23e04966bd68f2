package store

import (
	"context"
	"path/filepath"
	"testing"
)

func open(t testing.TB) *DB {
	t.Helper()
	db, err := Open(context.Background(), Config{Path: filepath.Join(t.TempDir(), "a.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func BenchmarkBatch(b *testing.B) {
	db := open(b)
	ctx := context.Background()
	if err := db.Migrate(ctx, "x", []string{`CREATE TABLE x (id BIGINT PRIMARY KEY, v BLOB)`}); err != nil {
		b.Fatal(err)
	}
	payload := make([]byte, 600)
	bt := NewBatch(db, func(tx *Tx, items []int) error {
		args := make([]any, 0, 2*len(items))
		for _, it := range items {
			args = append(args, it, payload)
		}
		return tx.Insert("INSERT INTO x (id, v)", "", 2, args)
	})
	n := make(chan int, 1)
	n <- 0
	b.SetParallelism(128)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := <-n
			n <- i + 1
			if err := bt.Do(ctx, i); err != nil {
				b.Error(err)
			}
		}
	})
}
