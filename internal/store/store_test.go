package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

func open(tb testing.TB) *DB {
	tb.Helper()
	return openWith(tb, Config{Path: filepath.Join(tb.TempDir(), "a.db")})
}

func openWith(tb testing.TB, cfg Config) *DB {
	tb.Helper()
	db, err := Open(context.Background(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// withTable opens a database with a table t (id, v).
func withTable(tb testing.TB) *DB {
	tb.Helper()
	db := open(tb)
	makeTable(tb, db)
	return db
}

func makeTable(tb testing.TB, db *DB) {
	tb.Helper()
	if err := db.Migrate(tb.Context(), "t", []string{`CREATE TABLE t (id BIGINT PRIMARY KEY, v BLOB)`}); err != nil {
		tb.Fatal(err)
	}
}

func put(tb testing.TB, db *DB, id int64, v any) error {
	tb.Helper()
	return db.Write(context.Background(), func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO t (id, v) VALUES ($1, $2)`, id, v)
		return err
	})
}

func ids(tb testing.TB, db *DB) []int64 {
	tb.Helper()
	got, err := db.keys(context.Background(), `SELECT id FROM t ORDER BY id`, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

func upTo(n int64) []int64 {
	s := make([]int64, 0, n)
	for i := range n {
		s = append(s, i+1)
	}
	return s
}

// secret reads and writes itself, the one by pointer and the other not, as
// the standard library has it.
//
//nolint:recvcheck // that is what is tested
type secret struct{ s string }

type (
	word  string
	small uint8
	tag   [4]byte
	raw   []byte
)

func (s secret) Value() (driver.Value, error) { return []byte("x" + s.s), nil }

func (s *secret) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok {
		return fmt.Errorf("a %T", v)
	}
	s.s = strings.TrimPrefix(string(b), "x")
	return nil
}

func TestValues(t *testing.T) {
	db := withTable(t)
	five := int64(5)
	for name, c := range map[string]struct {
		in   any
		dest any // pointer to what in becomes
		want any
	}{
		"int64":         {int64(-1 << 63), new(int64), int64(-1 << 63)},
		"int":           {7, new(int), 7},
		"uint8 type":    {small(200), new(small), small(200)},
		"uint32":        {uint32(1 << 31), new(uint32), uint32(1 << 31)},
		"bool":          {true, new(bool), true},
		"float":         {1.5, new(float64), 1.5},
		"int as float":  {2, new(float64), 2.0},
		"string":        {"grüß\x00gott", new(string), "grüß\x00gott"},
		"empty string":  {"", new(string), ""},
		"string type":   {word("w"), new(word), word("w")},
		"bytes":         {[]byte{0, 1, 2}, new([]byte), []byte{0, 1, 2}},
		"empty bytes":   {[]byte{}, new([]byte), []byte{}},
		"nil bytes":     {[]byte(nil), new([]byte), []byte(nil)},
		"bytes type":    {raw{3}, new(raw), raw{3}},
		"array":         {tag{1, 2, 3, 4}, new(tag), tag{1, 2, 3, 4}},
		"large":         {[]byte(strings.Repeat("z", 100_000)), new([]byte), []byte(strings.Repeat("z", 100_000))},
		"null":          {nil, new(any), nil},
		"pointer":       {&five, new(*int64), &five},
		"nil pointer":   {(*int64)(nil), new(*int64), (*int64)(nil)},
		"own form":      {secret{"s"}, new(secret), secret{"s"}},
		"text as bytes": {"x", new([]byte), []byte("x")},
	} {
		t.Run(name, func(t *testing.T) {
			if err := db.Write(t.Context(), func(tx *Tx) error {
				_, err := tx.Exec(`INSERT INTO t (id, v) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET v = excluded.v`, c.in)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if err := db.QueryRow(t.Context(), `SELECT v FROM t WHERE id = $1`, 1).Scan(c.dest); err != nil {
				t.Fatal(err)
			}
			got := c.dest
			if diff := cmp.Diff(pointerTo(c.want), got, cmp.AllowUnexported(secret{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// pointerTo makes a pointer to a copy of v, of v's own type.
func pointerTo(v any) any {
	switch v := v.(type) {
	case int64:
		return &v
	case int:
		return &v
	case small:
		return &v
	case uint32:
		return &v
	case bool:
		return &v
	case float64:
		return &v
	case string:
		return &v
	case word:
		return &v
	case []byte:
		return &v
	case raw:
		return &v
	case tag:
		return &v
	case *int64:
		return &v
	case secret:
		return &v
	default:
		return &v
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	db := withTable(t)
	for name, v := range map[string]any{
		"struct": struct{}{}, "map": map[string]int{}, "uint64": uint64(1 << 63), "time": time.Time{}, "func": func() {},
	} {
		if err := put(t, db, 1, v); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
	if err := put(t, db, 1, "words"); err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]any{
		"int": new(int64), "array of another length": new(tag), "no pointer": 5, "nil pointer": (*int64)(nil), "struct": new(struct{}),
	} {
		if err := db.QueryRow(t.Context(), `SELECT v FROM t`).Scan(d); err == nil {
			t.Errorf("text into %s: no error", name)
		}
	}
	for name, q := range map[string]string{
		"null into an int": `SELECT NULL`, "300 into a byte": `SELECT 300`, "-1 into a byte": `SELECT -1`, "two columns": `SELECT 1, 2`,
	} {
		if err := db.QueryRow(t.Context(), q).Scan(new(small)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := db.QueryRow(t.Context(), `SELECT $1`).Scan(new(int)); !errors.Is(err, errArguments) {
		t.Errorf("a missing argument: %v", err)
	}
}

func TestParametersByNumber(t *testing.T) {
	db := open(t)
	var got string
	err := db.QueryRow(t.Context(), `SELECT $2 || '$1' || $1 || "$2" || $2 FROM (SELECT 'col' AS "$2")`, "a", "b").Scan(&got)
	if want := "b$1acolb"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestManyRows(t *testing.T) {
	for _, n := range []int64{0, 1, 2, 3, 63, 64, 65, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			db := withTable(t)
			args := make([]any, 0, 2*n)
			for _, id := range upTo(n) {
				args = append(args, id, id)
			}
			var returned []int64
			err := db.Write(t.Context(), func(tx *Tx) error {
				returned = nil
				if err := tx.Insert(`INSERT INTO t (id, v)`, ``, 2, args); err != nil {
					return err
				}
				for i := range args {
					if i%2 == 0 {
						args[i] = args[i].(int64) + 1 //nolint:errcheck // made above; all but the last are there
					}
				}
				return tx.InsertReturning(`INSERT INTO t (id, v)`, `ON CONFLICT (id) DO NOTHING RETURNING id`, 2, args, func(r *Rows) error {
					var id int64
					err := r.Scan(&id)
					returned = append(returned, id)
					return err
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			want := upTo(n)
			if n > 0 {
				want = upTo(n + 1)
				if diff := cmp.Diff([]int64{n + 1}, returned); diff != "" {
					t.Error(diff)
				}
			}
			if diff := cmp.Diff(want, append([]int64{}, ids(t, db)...)); diff != "" {
				t.Error(diff)
			}
			var updated, deleted int64
			err = db.Write(t.Context(), func(tx *Tx) (err error) {
				if updated, err = tx.UpdateIn(`UPDATE t SET v = v + $1 * $2 WHERE id IN`, []any{10, 2}, want); err != nil {
					return err
				}
				deleted, err = tx.DeleteIn(`DELETE FROM t WHERE v >= 20 AND id IN`, want)
				return err
			})
			if err != nil || updated != int64(len(want)) || deleted != updated || len(ids(t, db)) != 0 {
				t.Errorf("updated %d, deleted %d of %d, left %d: %v", updated, deleted, len(want), len(ids(t, db)), err)
			}
		})
	}
}

func TestRowsThatAreNotWhole(t *testing.T) {
	db := withTable(t)
	err := db.Write(t.Context(), func(tx *Tx) error { return tx.Insert(`INSERT INTO t (id, v)`, ``, 2, []any{1, 2, 3}) })
	if !errors.Is(err, errRows) {
		t.Errorf("got %v", err)
	}
}

func TestOneFaultIsOnes(t *testing.T) {
	db := withTable(t)
	release := stop(t, db)
	b := NewBatch(db, func(tx *Tx, items []int64) error {
		for _, id := range items {
			if _, err := tx.Exec(`INSERT INTO t (id) VALUES ($1)`, id); err != nil {
				return err
			}
		}
		return nil
	})
	var committed []int64
	results := make(chan error, 6)
	var order []int64
	for _, id := range []int64{1, 2, 2, 3, 4} {
		b.Submit(id, func(err error) { order = append(order, id); results <- err })
	}
	go func() {
		results <- db.Write(context.Background(), func(tx *Tx) error {
			tx.OnCommit(func() { committed = append(committed, 5) })
			_, err := tx.Exec(`INSERT INTO t (id) VALUES (5)`)
			return err
		})
	}()
	waitFor(t, func() bool { return db.queue.len() == 6 })
	release()
	kinds := map[sotto.Kind]int{}
	for range 6 {
		err := <-results
		if err == nil {
			continue
		}
		kinds[sotto.KindOf(err)]++
	}
	if diff := cmp.Diff(map[sotto.Kind]int{sotto.KindExists: 1}, kinds); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{1, 2, 2, 3, 4}, order); diff != "" {
		t.Errorf("order of callbacks: %s", diff)
	}
	if diff := cmp.Diff(upTo(5), ids(t, db)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{5}, committed); diff != "" {
		t.Errorf("OnCommit, which must run once for what is durable: %s", diff)
	}
	if s := db.Stats(); s.Retries != 1 || s.Failed != 2 {
		t.Errorf("stats: %+v", s)
	}
}

// stop keeps the writer busy until the function that it returns is called.
func stop(tb testing.TB, db *DB) func() {
	tb.Helper()
	began, hold, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- db.Write(context.Background(), func(*Tx) error {
			close(began)
			<-hold
			return nil
		})
	}()
	<-began
	release := sync.OnceFunc(func() {
		close(hold)
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(release)
	return release
}

// waitFor waits for something that another goroutine brings about.
func waitFor(tb testing.TB, f func() bool) {
	tb.Helper()
	for range 5000 {
		if f() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	tb.Fatal("it did not happen")
}

func TestOneTransaction(t *testing.T) {
	db := withTable(t)
	err := db.Write(t.Context(), func(tx *Tx) error {
		for id := range int64(3) {
			if _, err := tx.Exec(`INSERT INTO t (id, v) VALUES ($1, $2)`, id, id*10); err != nil {
				return err
			}
		}
		p := tx.Stash("key")
		if *p != nil {
			t.Error("a new transaction has a stash")
		}
		*p = 1
		if *tx.Stash("key") != 1 {
			t.Error("the stash is lost")
		}
		// The same query inside itself, and rows that stay open.
		outer, err := tx.Query(`SELECT id FROM t ORDER BY id`)
		if err != nil {
			return err
		}
		var pairs []string
		for outer.Next() {
			var a, b int64
			inner, err := tx.Query(`SELECT id FROM t ORDER BY id`)
			if err != nil {
				return err
			}
			for inner.Next() {
				if err := errors.Join(outer.Scan(&a), inner.Scan(&b)); err != nil {
					return err
				}
				pairs = append(pairs, fmt.Sprint(a, b))
			}
			if a == 1 {
				break // outer stays open
			}
		}
		if diff := cmp.Diff([]string{"0 0", "0 1", "0 2", "1 0", "1 1", "1 2"}, pairs); diff != "" {
			t.Error(diff)
		}
		var v int64
		if err := tx.QueryRow(`SELECT v FROM t WHERE id = $1`, 2).Scan(&v); err != nil || v != 20 {
			t.Errorf("own write: %d, %v", v, err)
		}
		if err := tx.QueryRow(`SELECT v FROM t WHERE id = $1`, 9).Scan(&v); !errors.Is(err, ErrNoRows) {
			t.Errorf("no row: %v", err)
		}
		if _, err := tx.Query(`INSERT INTO t (id) VALUES (7) RETURNING id`); err != nil { // left open, and not begun
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{0, 1, 2}, ids(t, db)); diff != "" {
		t.Error(diff)
	}
}

func TestTxAfterItsEnd(t *testing.T) {
	db := withTable(t)
	var kept *Tx
	if err := db.Write(t.Context(), func(tx *Tx) error { kept = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Exec(`DELETE FROM t`); !errors.Is(err, errTxEnded) {
		t.Errorf("Exec: %v", err)
	}
	if err := kept.Insert(`INSERT INTO t (id)`, ``, 1, []any{1}); !errors.Is(err, errTxEnded) {
		t.Errorf("Insert: %v", err)
	}
}

func TestMigrate(t *testing.T) {
	db := open(t)
	one := []string{`CREATE TABLE a (id BIGINT PRIMARY KEY); -- a comment
		CREATE INDEX a_id ON a (id)`}
	two := []string{one[0], `INSERT INTO a (id) VALUES (1)`}
	for _, steps := range [][]string{one, one, two, two} {
		if err := db.Migrate(t.Context(), "a", steps); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM a`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v; want 1: a step ran twice or not at all", n, err)
	}
	if err := db.Migrate(t.Context(), "a", one); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("an older program: %v", err)
	}
	if err := db.Migrate(t.Context(), "b", []string{`CREATE TABLE b (id BIGINT)`, `CREATE TABEL c`}); err == nil || !strings.Contains(err.Error(), "b, step 2") {
		t.Errorf("a wrong step: %v", err)
	}
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM b`).Scan(&n); err == nil {
		t.Error("half a migration stayed")
	}
}

func TestSQLErrors(t *testing.T) {
	db := withTable(t)
	if err := db.Migrate(t.Context(), "u", []string{`CREATE TABLE u (a BIGINT NOT NULL)`}); err != nil {
		t.Fatal(err)
	}
	for q, want := range map[string]sotto.Kind{
		`INSERT INTO u (a) VALUES (NULL)`:     sotto.KindInvalid,
		`INSERT INTO nowhere (id) VALUES (1)`: sotto.KindOther,
		`SELEC`:                               sotto.KindOther,
		`SELECT 1; SELECT 2`:                  sotto.KindOther,
		`INSERT INTO t (id) VALUES (1), (1)`:  sotto.KindExists,
	} {
		err := db.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(q); return err })
		if err == nil || sotto.KindOf(err) != want {
			t.Errorf("%s: %v, want %v", q, err, want)
		}
	}
	if _, err := db.Query(t.Context(), `DELETE FROM t`); err != nil {
		t.Error(err) // it is refused when it runs
	}
	if err := db.QueryRow(t.Context(), `DELETE FROM t RETURNING id`).Scan(new(int)); err == nil {
		t.Error("a reader wrote")
	}
}

func TestDeleteChunks(t *testing.T) {
	db := withTable(t)
	for _, id := range upTo(25) {
		if err := put(t, db, id, id%2); err != nil {
			t.Fatal(err)
		}
	}
	n, err := db.DeleteChunks(t.Context(), `SELECT id FROM t WHERE v = $1 LIMIT $2`, `DELETE FROM t WHERE id IN`, 4, 1)
	if err != nil || n != 13 || len(ids(t, db)) != 12 {
		t.Errorf("deleted %d, left %d: %v", n, len(ids(t, db)), err)
	}
}
