package people_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
)

func open(tb testing.TB, cache int) (*people.People, *store.DB) {
	tb.Helper()
	db, err := store.Open(context.Background(), store.Config{Path: filepath.Join(tb.TempDir(), "data.db")})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	p, err := people.Open(context.Background(), db, cache)
	if err != nil {
		tb.Fatal(err)
	}
	return p, db
}

func write(tb testing.TB, db *store.DB, f func(*store.Tx) error) {
	tb.Helper()
	if err := db.Write(context.Background(), f); err != nil {
		tb.Error(err)
	}
}

func get(tb testing.TB, p *people.People, id sotto.PersonID) people.State {
	tb.Helper()
	s, err := p.Get(context.Background(), id)
	if err != nil {
		tb.Error(err)
	}
	return s
}

func full() people.State {
	return people.State{
		Known: true, Account: "telegram/shop", Notice: "v1", NoticeAt: time.Date(2026, 2, 28, 23, 59, 59, 123_456_789, time.FixedZone("", 3600)),
		Language: "de", Stopped: true, Gone: true, Restricted: true, Since: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
	}
}

func TestPutGetForget(t *testing.T) {
	p, db := open(t, 100)
	id := sotto.PersonID{1}
	if s := get(t, p, id); s != (people.State{}) {
		t.Errorf("of a stranger is known %+v", s)
	}
	write(t, db, func(tx *store.Tx) error { return p.Put(tx, id, full()) })
	want := full()
	want.NoticeAt = want.NoticeAt.UTC().Truncate(time.Millisecond)
	if diff := cmp.Diff(want, get(t, p, id)); diff != "" {
		t.Error(diff)
	}
	again, err := people.Open(context.Background(), db, 100) // without what is in memory
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, get(t, again, id)); diff != "" {
		t.Errorf("read from the database: %s", diff)
	}
	if n, err := p.Count(context.Background()); n != 1 || err != nil {
		t.Errorf("Count = %d, %v", n, err)
	}
	write(t, db, func(tx *store.Tx) error {
		n, err := p.Forget(tx, id)
		if n != 1 {
			t.Errorf("%d rows were deleted, want 1", n)
		}
		return err
	})
	if s := get(t, p, id); s != (people.State{}) {
		t.Errorf("after Forget is known %+v", s)
	}
}

// What a transaction that fails said is not known.
func TestRollback(t *testing.T) {
	p, db := open(t, 100)
	id := sotto.PersonID{1}
	no := errors.New("no")
	for _, f := range []func(*store.Tx) error{
		func(tx *store.Tx) error { return errors.Join(p.Put(tx, id, full()), no) },
		func(tx *store.Tx) error { _, err := p.Forget(tx, id); return errors.Join(err, no) },
	} {
		before := get(t, p, id)
		if err := db.Write(context.Background(), f); !errors.Is(err, no) {
			t.Fatalf("Write = %v", err)
		}
		if diff := cmp.Diff(before, get(t, p, id)); diff != "" {
			t.Error(diff)
		}
		write(t, db, func(tx *store.Tx) error { return p.Put(tx, id, full()) })
	}
}

func TestChange(t *testing.T) {
	p, db := open(t, 100)
	id := sotto.PersonID{1}
	stop := func(s *people.State) { s.Stopped = true }
	write(t, db, func(tx *store.Tx) error { return p.Change(tx, id, stop) })
	if s := get(t, p, id); s.Known {
		t.Error("a change made a stranger known")
	}
	write(t, db, func(tx *store.Tx) error {
		err := p.Put(tx, id, people.State{Account: "telegram/shop"})
		err = errors.Join(err, p.Change(tx, id, stop), p.Change(tx, id, func(s *people.State) { s.Gone = true }))
		s, rerr := p.Read(tx, id)
		if !s.Stopped || !s.Gone {
			t.Errorf("inside the transaction: %+v", s)
		}
		return errors.Join(err, rerr)
	})
	if s := get(t, p, id); !s.Stopped || !s.Gone {
		t.Errorf("%+v", s)
	}
}

// The cache never goes on serving what is not in the database any more, however
// reads, changes and deletions meet.
func TestCacheUnderConcurrentChanges(t *testing.T) {
	p, db := open(t, 4) // it evicts all the time
	const persons, rounds = 8, 150
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					for i := range persons {
						get(t, p, sotto.PersonID{byte(i)})
					}
				}
			}
		})
	}
	for i := range persons {
		writers.Go(func() {
			id := sotto.PersonID{byte(i)}
			for n := range rounds {
				if n%3 == 2 {
					write(t, db, func(tx *store.Tx) error { _, err := p.Forget(tx, id); return err })
					if get(t, p, id).Known {
						t.Errorf("round %d: person %d is still known", n, i)
					}
					continue
				}
				s := full()
				s.Stopped, s.Gone = n%2 == 0, n%5 == 0
				write(t, db, func(tx *store.Tx) error { return p.Put(tx, id, s) })
				if got := get(t, p, id); got.Stopped != s.Stopped || got.Gone != s.Gone {
					t.Errorf("round %d: of person %d is known %+v", n, i, got)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}

func TestErrors(t *testing.T) {
	p, db := open(t, 100)
	write(t, db, func(tx *store.Tx) error { _, err := tx.Exec(`DROP TABLE person`); return err })
	if _, err := p.Get(context.Background(), sotto.PersonID{1}); err == nil {
		t.Error("reading without a table succeeds")
	}
	if err := db.Write(context.Background(), func(tx *store.Tx) error {
		return p.Change(tx, sotto.PersonID{1}, func(*people.State) { t.Error("changed") })
	}); err == nil {
		t.Error("changing without a table succeeds")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := people.Open(context.Background(), db, 1); err == nil {
		t.Error("a closed database was opened")
	}
}

func TestFactsAndChannel(t *testing.T) {
	for _, c := range []struct {
		s    people.State
		want gate.Facts
	}{
		{people.State{}, gate.Facts{}},
		{people.State{Known: true, Gone: true}, gate.Facts{}},
		{full(), gate.Facts{Noticed: true, Stopped: true, Restricted: true}},
	} {
		if diff := cmp.Diff(c.want, c.s.Facts()); diff != "" {
			t.Error(diff)
		}
	}
	for account, want := range map[string]string{"telegram/shop": "telegram", "telegram": "telegram", "": "", "a/b/c": "a"} {
		if got := people.Channel(account); got != want {
			t.Errorf("Channel(%q) = %q", account, got)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	p, db := open(b, 100)
	id := sotto.PersonID{1}
	write(b, db, func(tx *store.Tx) error { return p.Put(tx, id, full()) })
	b.ReportAllocs()
	for b.Loop() {
		get(b, p, id)
	}
}
