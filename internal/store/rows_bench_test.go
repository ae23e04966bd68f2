package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

var errUndo = errors.New("undo")

// BenchmarkRows is the processor time of one row inside a transaction, without
// the commit.
func BenchmarkRows(b *testing.B) {
	db, err := Open(context.Background(), Config{Path: filepath.Join(b.TempDir(), "a.db"), CacheKiB: 64 << 10})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	ctx := context.Background()
	if err := db.Migrate(ctx, "m", messageTables); err != nil {
		b.Fatal(err)
	}
	const rows = 64
	body := make([]byte, 400)
	person := make([]byte, 16)
	for name, f := range map[string]func(tx *Tx, i int64) error{
		"insert": func(tx *Tx, i int64) error {
			args := make([]any, 0, 6*rows)
			for k := range int64(rows) {
				args = append(args, i*rows+k, person, person, "telegram/main", i, body)
			}
			return tx.Insert(`INSERT INTO event (id, person, conversation, account, received, sealed)`, "", 6, args)
		},
		"returning": func(tx *Tx, i int64) error {
			args := make([]any, 0, 2*rows)
			for k := range int64(rows) {
				args = append(args, i*rows+k, 20000)
			}
			return tx.InsertReturning(`INSERT INTO seen (delivery, day)`, `ON CONFLICT (delivery) DO NOTHING RETURNING delivery`, 2, args, func(r *Rows) error {
				var n int64
				return r.Scan(&n)
			})
		},
		"delete": func(tx *Tx, i int64) error {
			ids := make([]int64, rows)
			for k := range ids {
				ids[k] = i*rows + int64(k)
			}
			_, err := tx.DeleteIn(`DELETE FROM event WHERE id IN`, ids)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			var used time.Duration
			for done := 0; done < b.N; {
				n := min(b.N-done, 256)
				err := db.Write(ctx, func(tx *Tx) error {
					if name == "delete" {
						for i := range n {
							args := make([]any, 0, 6*rows)
							for k := range int64(rows) {
								args = append(args, int64(i)*rows+k, person, person, "telegram/main", i, body)
							}
							if err := tx.Insert(`INSERT INTO event (id, person, conversation, account, received, sealed)`, "", 6, args); err != nil {
								return err
							}
						}
					}
					start := cpu(b)
					defer func() { used += cpu(b) - start }()
					for i := range n {
						if err := f(tx, int64(i)); err != nil {
							return err
						}
					}
					return errUndo
				})
				if !errors.Is(err, errUndo) {
					b.Fatal(err)
				}
				done += n
			}
			b.ReportMetric(float64(used.Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}
