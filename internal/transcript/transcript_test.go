package transcript

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

type rig struct {
	t     testing.TB
	db    *store.DB
	vault *vault.Vault
	tr    *Transcript
}

func newRig(tb testing.TB) *rig {
	tb.Helper()
	r := &rig{t: tb}
	dir := tb.TempDir()
	var err error
	r.vault, err = vault.Open(context.Background(), vault.Config{Path: filepath.Join(dir, "keys.db"), Create: true, Current: vault.NewKEK()})
	r.must(err)
	tb.Cleanup(func() { r.must(r.vault.Close()) })
	r.db, err = store.Open(context.Background(), store.Config{Path: filepath.Join(dir, "data.db")})
	r.must(err)
	tb.Cleanup(func() { r.must(r.db.Close()) })
	r.tr, err = Open(context.Background(), r.db)
	r.must(err)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// row is a turn at a time, numbered as a turn is.
func (r *rig) row(person byte, at time.Time, keep time.Duration) Row {
	r.t.Helper()
	row := Row{
		ID: at.UnixMicro(), Person: who(person), Conversation: sotto.ConversationID{person}, Purpose: sotto.PurposeReply,
		At: at, Expires: at.Add(keep),
	}
	var err error
	row.Sealed, err = r.vault.Seal(context.Background(), Ref(&row), vault.Reply, at, []byte("x"))
	r.must(err)
	return row
}

func (r *rig) add(rows ...Row) {
	r.t.Helper()
	r.must(r.db.Write(context.Background(), func(tx *store.Tx) error { return r.tr.Add(tx, rows) }))
}

func (r *rig) ids(person byte) []int64 {
	r.t.Helper()
	out := []int64{}
	r.must(r.tr.Of(context.Background(), who(person), func(row Row) error {
		out = append(out, row.ID)
		return nil
	}))
	return out
}

func who(b byte) sotto.PersonID { return sotto.PersonID{b, 1} }

const day = 24 * time.Hour

func TestOrderAndLast(t *testing.T) {
	r := newRig(t)
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var rows []Row
	for i := range 9 {
		rows = append(rows, r.row(byte(i%2), begin.Add(time.Duration(8-i)*time.Second), day)) // stored newest first
	}
	r.add(rows...)
	r.add()
	want := []int64{}
	for i := 8; i >= 0; i -= 2 {
		want = append(want, rows[i].ID)
	}
	if diff := cmp.Diff(want, r.ids(0)); diff != "" {
		t.Errorf("Of: %s", diff)
	}
	last, err := r.tr.Last(context.Background(), who(0), 2)
	r.must(err)
	if len(last) != 2 || last[0].ID != want[3] || last[1].ID != want[4] {
		t.Errorf("Last: %+v", last)
	}
	if l := last[1]; l.Person != who(0) || l.Purpose != sotto.PurposeReply || !l.At.Equal(rows[0].At) || !l.Expires.Equal(rows[0].Expires) || l.Sealed.Len() == 0 {
		t.Errorf("a row came back as %+v", l)
	}
	for _, n := range []int{0, 99} {
		last, err := r.tr.Last(context.Background(), who(0), n)
		r.must(err)
		if len(last) != min(n, 5) {
			t.Errorf("Last(%d) has %d rows", n, len(last))
		}
	}
	no := errors.New("no")
	if err := r.tr.Of(context.Background(), who(0), func(Row) error { return no }); !errors.Is(err, no) {
		t.Errorf("Of = %v", err)
	}
	if n, err := r.tr.MaxID(context.Background()); n != rows[0].ID || err != nil {
		t.Errorf("MaxID = %d, %v", n, err)
	}
}

func TestSweep(t *testing.T) {
	now := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name      string
		keep, was time.Duration // the retention of today, and the one that rows were written under
		shortest  time.Duration
		ages      []time.Duration
		left      int
		ahead     time.Duration // of the numbers
	}{
		{name: "to the second", keep: 30 * day, was: 30 * day, shortest: 30 * day, ages: []time.Duration{0, 30*day - time.Second, 30 * day, 31 * day}, left: 2},
		{name: "made longer", keep: 90 * day, was: 30 * day, shortest: 30 * day, ages: []time.Duration{0, 29 * day, 30 * day, 89 * day}, left: 2},
		{name: "made shorter", keep: 30 * day, was: 90 * day, shortest: 30 * day, ages: []time.Duration{0, 29 * day, 31 * day, 89 * day}, left: 2},
		{name: "turned off", keep: 0, was: 90 * day, shortest: 90 * day, ages: []time.Duration{time.Second, 91 * day}, left: 1},
		{name: "turned off, every row", keep: 0, was: 90 * day, ages: []time.Duration{time.Second, 91 * day}, left: 0},
		{name: "numbers ahead of the time", keep: 30 * day, was: 30 * day, ages: []time.Duration{0, 29 * day, 31 * day}, left: 2, ahead: 400 * day},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			for _, age := range c.ages {
				row := r.row(1, now.Add(-age), c.was)
				row.ID += c.ahead.Microseconds()
				r.add(row)
			}
			d := Due{Now: now, Keep: c.keep, Shortest: c.shortest}
			ctx := context.Background()
			want, err := r.tr.Expired(ctx, d)
			r.must(err)
			got, err := r.tr.Sweep(ctx, d)
			r.must(err)
			if got != want || len(r.ids(1)) != c.left {
				t.Errorf("announced %d, swept %d; %d are left, want %d", want, got, len(r.ids(1)), c.left)
			}
		})
	}
}

func TestForget(t *testing.T) {
	r := newRig(t)
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range 500 { // more than one transaction's worth
		r.add(r.row(1, begin.Add(time.Duration(i)*time.Second), day))
	}
	r.add(r.row(2, begin.Add(-time.Second), day))
	n, err := r.tr.Forget(context.Background(), who(1), begin.Add(450*time.Second).UnixMicro())
	r.must(err)
	if n != 451 || len(r.ids(1)) != 49 || len(r.ids(2)) != 1 {
		t.Errorf("%d rows went, %d and %d are left", n, len(r.ids(1)), len(r.ids(2)))
	}
}

func TestErrors(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	r.add(r.row(1, time.Unix(1, 0), day))
	exec := func(q string) {
		r.must(r.db.Write(ctx, func(tx *store.Tx) error { _, err := tx.Exec(q); return err }))
	}
	exec(`UPDATE transcript SET sealed = x'00'`)
	if _, err := r.tr.Last(ctx, who(1), 1); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("damaged: %v", err)
	}
	exec(`DROP TABLE transcript`)
	if _, err := r.tr.Last(ctx, who(1), 1); err == nil {
		t.Error("reading succeeds without the table")
	}
}
