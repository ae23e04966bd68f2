package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

// rig is a journal with real keys.
type rig struct {
	t         testing.TB
	db        *store.DB
	vault     *vault.Vault
	j         *Journal
	mu        sync.Mutex
	committed []int64
	next      int64
	now       time.Time
}

func newRig(tb testing.TB) *rig {
	tb.Helper()
	r := &rig{t: tb, now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	dir := tb.TempDir()
	var err error
	r.vault, err = vault.Open(context.Background(), vault.Config{Path: filepath.Join(dir, "keys.db"), Create: true, Current: vault.NewKEK()})
	r.must(err)
	tb.Cleanup(func() { r.must(r.vault.Close()) })
	r.db, err = store.Open(context.Background(), store.Config{Path: filepath.Join(dir, "data.db")})
	r.must(err)
	tb.Cleanup(func() { r.must(r.db.Close()) })
	r.j, err = Open(context.Background(), Config{DB: r.db, Committed: r.note, Generation: r.vault.Generation})
	r.must(err)
	return r
}

func (r *rig) note(records []Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range records {
		r.committed = append(r.committed, records[i].ID)
	}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// record is a sealed record; delivery names it for the network.
func (r *rig) record(person byte, delivery int64) Record {
	r.t.Helper()
	r.mu.Lock()
	r.next++
	id := r.next
	r.mu.Unlock()
	rec := Record{
		ID: id, Delivery: delivery, Person: who(person), Conversation: sotto.ConversationID{person}, Account: "telegram/shop", Received: r.now,
	}
	rec.Generation = r.vault.Generation(rec.Person)
	var err error
	rec.Sealed, err = r.vault.Seal(context.Background(), Ref(&rec), vault.Transit, r.now, []byte("x"))
	r.must(err)
	return rec
}

func (r *rig) append(records ...Record) int {
	r.t.Helper()
	n, err := r.j.Append(context.Background(), records)
	r.must(err)
	return n
}

func (r *rig) handled(ids ...int64) {
	r.t.Helper()
	r.must(r.db.Write(context.Background(), func(tx *store.Tx) error { return r.j.Handled(tx, ids) }))
}

func who(b byte) sotto.PersonID { return sotto.PersonID{b, 1} }

func idsOf(records []Record) []int64 {
	out := []int64{}
	for i := range records {
		out = append(out, records[i].ID)
	}
	return out
}

func TestAppendKeepsWhatIsNew(t *testing.T) {
	r := newRig(t)
	at := func(rec Record, minute int64) Record { rec.Minute = minute; return rec }
	for _, c := range []struct {
		name string
		in   []Record
		want int
	}{
		{"nothing", nil, 0},
		{"one", []Record{r.record(1, 1)}, 1},
		{"the same again", []Record{r.record(1, 1)}, 0},
		{"one old, two new", []Record{r.record(1, 1), r.record(1, 2), r.record(2, 3)}, 2},
		{"twice in one call", []Record{r.record(1, 4), r.record(1, 4)}, 1},
		{"of another minute", []Record{at(r.record(1, 1), 77)}, 1},
		{"of that minute again", []Record{at(r.record(1, 1), 77)}, 0},
	} {
		if got := r.append(c.in...); got != c.want {
			t.Errorf("%s: %d are new, want %d", c.name, got, c.want)
		}
	}
	r.handled(2)
	if got := r.append(r.record(1, 1)); got != 0 {
		t.Error("what was handled came in again as new")
	}
	all, err := r.j.Pending(context.Background(), 0, 100)
	r.must(err)
	if diff := cmp.Diff(r.committed, idsOf(all)); diff != "" {
		t.Errorf("committed and pending: %s", diff)
	}
}

// Many calls bring the same deliveries at the same time: each is kept once.
func TestDuplicatesInOneGroup(t *testing.T) {
	r := newRig(t)
	const calls, deliveries = 40, 25
	batches := make([][]Record, calls)
	for i := range batches {
		for d := range deliveries {
			batches[i] = append(batches[i], r.record(byte(d), int64(d)))
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for _, b := range batches {
		wg.Go(func() {
			n, err := r.j.Append(context.Background(), b)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			total += n
			mu.Unlock()
		})
	}
	wg.Wait()
	n, err := r.j.Count(context.Background())
	r.must(err)
	if total != deliveries || n != deliveries || len(r.committed) != deliveries {
		t.Errorf("%d were called new, %d are kept, %d were handed on; want %d", total, n, len(r.committed), deliveries)
	}
}

// A batch with one record of an erased person is refused as a whole, and the
// others of its group are not.
func TestStale(t *testing.T) {
	r := newRig(t)
	old, other := r.record(1, 1), r.record(2, 2)
	_, err := r.vault.Erase(context.Background(), who(1))
	r.must(err)
	if _, err := r.j.Append(context.Background(), []Record{other, old}); !errors.Is(err, ErrStale) {
		t.Fatalf("Append = %v, want ErrStale", err)
	}
	if n, _ := r.j.Count(context.Background()); n != 0 || len(r.committed) != 0 {
		t.Error("something of a refused batch is kept")
	}
	// One transaction with both kinds.
	var wg sync.WaitGroup
	r.must(r.db.Write(context.Background(), func(*store.Tx) error {
		wg.Go(func() {
			if _, err := r.j.Append(context.Background(), []Record{old}); !errors.Is(err, ErrStale) {
				t.Errorf("Append = %v, want ErrStale", err)
			}
		})
		wg.Go(func() {
			if n, err := r.j.Append(context.Background(), []Record{other}); n != 1 || err != nil {
				t.Errorf("Append = %d, %v", n, err)
			}
		})
		time.Sleep(20 * time.Millisecond) // both wait for the writer
		return nil
	}))
	wg.Wait()
	if n := r.append(r.record(1, 1)); n != 1 { // sealed again, it is new
		t.Error("a refused delivery counts as seen")
	}
}

func TestReading(t *testing.T) {
	r := newRig(t)
	for i := range 10 {
		r.append(r.record(byte(i%2), int64(i)))
	}
	ctx := context.Background()
	some, err := r.j.Pending(ctx, 3, 4)
	r.must(err)
	if diff := cmp.Diff([]int64{4, 5, 6, 7}, idsOf(some)); diff != "" {
		t.Errorf("Pending: %s", diff)
	}
	of, err := r.j.Of(ctx, who(1))
	r.must(err)
	if diff := cmp.Diff([]int64{2, 4, 6, 8, 10}, idsOf(of)); diff != "" {
		t.Errorf("Of: %s", diff)
	}
	r.handled(5)
	got, err := r.j.Get(ctx, []int64{7, 5, 6, 99})
	r.must(err)
	if diff := cmp.Diff([]int64{7, 6}, idsOf(got)); diff != "" {
		t.Errorf("Get: %s", diff)
	}
	if g := got[0]; g.Person != who(0) || g.Account != "telegram/shop" || !g.Received.Equal(r.now) || g.Sealed.Len() == 0 {
		t.Errorf("a record came back as %+v", g)
	}
	if n, err := r.j.MaxID(ctx); n != 10 || err != nil {
		t.Errorf("MaxID = %d, %v", n, err)
	}
}

func TestForgetAndIdle(t *testing.T) {
	r := newRig(t)
	for i := range 6 {
		r.append(r.record(byte(i%2), int64(i)))
	}
	idle := func(p byte) (is bool) {
		r.must(r.db.Write(context.Background(), func(tx *store.Tx) (err error) {
			is, err = r.j.Idle(tx, who(p))
			return err
		}))
		return is
	}
	n, err := r.j.Forget(context.Background(), who(1), 4)
	r.must(err)
	if n != 2 || idle(1) {
		t.Errorf("%d were forgotten up to number 4, want 2; idle: %v", n, idle(1))
	}
	_, err = r.j.Forget(context.Background(), who(1), 1<<62)
	r.must(err)
	if !idle(1) || idle(0) {
		t.Error("one person waits for nothing, the other does")
	}
}

func TestSweep(t *testing.T) {
	for _, now := range []time.Time{
		time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		t.Run(now.Format(time.DateOnly), func(t *testing.T) {
			r := newRig(t)
			ages := []time.Duration{0, time.Hour, HeldFor - time.Second, HeldFor, HeldFor + time.Second, SeenFor, SeenFor + 25*time.Hour, 40 * 24 * time.Hour}
			for i, age := range ages {
				r.now = now.Add(-age)
				rec := r.record(1, int64(i))
				if i%2 == 0 { // of a network whose times hold
					rec.Minute = r.now.Unix() / 60
				}
				r.append(rec)
			}
			ctx := context.Background()
			wantHeld, wantSeen, err := r.j.Expired(ctx, now)
			r.must(err)
			if wantHeld != 4 || wantSeen != 2 {
				t.Errorf("%d records and %d deliveries are past their time, want 4 and 2", wantHeld, wantSeen)
			}
			held, seen, err := r.j.Sweep(ctx, now)
			r.must(err)
			if held != wantHeld || seen != wantSeen {
				t.Errorf("swept %d and %d, announced %d and %d", held, seen, wantHeld, wantSeen)
			}
			left, err := r.j.Pending(ctx, 0, 99)
			r.must(err)
			if diff := cmp.Diff([]int64{1, 2, 3, 4}, idsOf(left)); diff != "" {
				t.Errorf("left: %s", diff)
			}
			if held, seen, err = r.j.Sweep(ctx, now); held+seen != 0 || err != nil {
				t.Errorf("a second sweep finds %d, %d, %v", held, seen, err)
			}
			// A clock that was set back sweeps nothing.
			if held, seen, err = r.j.Sweep(ctx, now.Add(-365*24*time.Hour)); held+seen != 0 || err != nil {
				t.Errorf("in the past a sweep finds %d, %d, %v", held, seen, err)
			}
		})
	}
}

// An event that is dated far ahead is recognised as long as networks repeat it.
func TestDeliveryDatedAhead(t *testing.T) {
	r := newRig(t)
	ahead := func() Record {
		rec := r.record(1, 1)
		rec.Minute = r.now.Add(100*24*time.Hour).Unix() / 60
		return rec
	}
	first := ahead()
	r.append(first)
	r.handled(first.ID)
	_, _, err := r.j.Sweep(context.Background(), r.now.Add(20*24*time.Hour))
	r.must(err)
	if got := r.append(ahead()); got != 0 {
		t.Error("it was handled twice")
	}
	_, seen, err := r.j.Sweep(context.Background(), r.now.Add(111*24*time.Hour))
	r.must(err)
	if seen != 1 {
		t.Errorf("%d deliveries were swept after their date, want 1", seen)
	}
}

func TestErrors(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	exec := func(q string) {
		r.must(r.db.Write(ctx, func(tx *store.Tx) error { _, err := tx.Exec(q); return err }))
	}
	exec(`CREATE TRIGGER no BEFORE INSERT ON journal_event BEGIN SELECT RAISE(ABORT, 'no'); END`)
	if _, err := r.j.Append(ctx, []Record{r.record(1, 1)}); err == nil || len(r.committed) != 0 {
		t.Errorf("Append = %v, handed on %v", err, r.committed)
	}
	exec(`DROP TRIGGER no`)
	if n := r.append(r.record(1, 1)); n != 1 { // nothing of the failed one is left
		t.Error("a delivery that was not stored counts as seen")
	}
	exec(`UPDATE journal_event SET sealed = x'00'`)
	if _, err := r.j.Pending(ctx, 0, 9); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("damaged: %v", err)
	}
	exec(`DROP TABLE journal_event`)
	exec(`DROP TABLE journal_seen`)
	for name, f := range map[string]func() error{
		"append":  func() error { _, err := r.j.Append(ctx, []Record{r.record(1, 2)}); return err }, //nolint:contextcheck // sealing is not what is measured
		"pending": func() error { _, err := r.j.Pending(ctx, 0, 1); return err },
		"get":     func() error { _, err := r.j.Get(ctx, []int64{1}); return err },
		"expired": func() error { _, _, err := r.j.Expired(ctx, r.now); return err },
		"sweep":   func() error { _, _, err := r.j.Sweep(ctx, r.now); return err },
		"count":   func() error { _, err := r.j.Count(ctx); return err },
	} {
		if f() == nil {
			t.Errorf("%s succeeds without its table", name)
		}
	}
	r.must(r.db.Close())
	if _, err := Open(ctx, Config{DB: r.db}); err == nil {
		t.Error("a closed database was opened")
	}
}

func TestDeliveryKey(t *testing.T) {
	a, b := DeliveryKey([16]byte{1}), DeliveryKey([16]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	if a != 1<<56 || b != -1 {
		t.Errorf("DeliveryKey = %d, %d", a, b)
	}
}

func BenchmarkAppend(b *testing.B) {
	r := newRig(b)
	r.j.append = store.NewBatch(r.db, func(tx *store.Tx, items []*appendItem) error {
		return appendTx(tx, items, Config{Committed: func([]Record) {}, Generation: r.vault.Generation})
	})
	b.ReportAllocs()
	var mu sync.Mutex
	n := int64(0)
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			n++
			d := n
			mu.Unlock()
			if _, err := r.j.Append(context.Background(), []Record{r.record(byte(d), d)}); err != nil {
				b.Error(fmt.Sprint(err))
			}
		}
	})
}
