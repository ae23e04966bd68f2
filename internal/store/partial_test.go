package store

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A checkpoint that a reader holds up is not synced, but what it copied counts
// as being in the file at once: another reader must find it there.
func TestReadersDuringCheckpointsThatAreHeldUp(t *testing.T) {
	db := openWith(t, Config{Path: filepath.Join(t.TempDir(), "a.db"), LogPages: 20, CacheKiB: 256, Readers: 8})
	if err := db.Migrate(t.Context(), "t", []string{`CREATE TABLE t (id BIGINT PRIMARY KEY, k BLOB NOT NULL, v BLOB NOT NULL)`, `CREATE INDEX t_k ON t (k)`}); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for r := range 6 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				rows, err := db.Query(t.Context(), `SELECT id, k FROM t WHERE id >= $1 ORDER BY id LIMIT 50`, i%500)
				if err != nil {
					t.Errorf("reader %d: %v", r, err)
					return
				}
				for rows.Next() {
					var id int64
					var k []byte
					if err := rows.Scan(&id, &k); err != nil || len(k) != 16 {
						t.Errorf("reader %d: row %d: %v", r, id, err)
					}
					if r == 0 {
						time.Sleep(100 * time.Microsecond) // holds an old state
					}
				}
				if err := rows.Err(); err != nil {
					t.Errorf("reader %d: %v", r, err)
					return
				}
				_ = rows.Close()
			}
		})
	}
	value := make([]byte, 700)
	for i := 0; i < 3000 && !t.Failed(); i += 10 {
		args := make([]any, 0, 30)
		for j := range 10 {
			args = append(args, i+j, fmt.Appendf(nil, "%016x", (i+j)*7919%3001), value)
		}
		if err := db.Write(t.Context(), func(tx *Tx) error { return tx.Insert(`INSERT INTO t (id, k, v)`, "", 3, args) }); err != nil {
			t.Fatal(err)
		}
		if i%100 == 50 {
			if err := db.Write(t.Context(), func(tx *Tx) error {
				_, err := tx.Exec(`DELETE FROM t WHERE id < $1`, i-400)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(stop)
	wg.Wait()
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
