package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// house is a log in a folder of its own.
type house struct {
	t    testing.TB
	dir  string
	cfg  Config
	db   *store.DB
	log  *Log
	open bool
}

func newHouse(tb testing.TB, change ...func(*Config)) *house {
	tb.Helper()
	h := &house{t: tb, dir: tb.TempDir()}
	h.cfg = Config{
		HeadFile: filepath.Join(h.dir, "head"), Seed: [32]byte{1, 2, 3}, Every: time.Millisecond,
		Now: func() time.Time { return start },
	}
	for _, f := range change {
		f(&h.cfg)
	}
	tb.Cleanup(h.close)
	h.start()
	return h
}

func (h *house) path() string { return filepath.Join(h.dir, "sotto.db") }

func (h *house) openDB() {
	h.t.Helper()
	db, err := store.Open(context.Background(), store.Config{Path: h.path()})
	if err != nil {
		h.t.Fatal(err)
	}
	h.db, h.open = db, true
}

// tryStart opens the log and returns its error.
func (h *house) tryStart() error {
	h.t.Helper()
	if !h.open {
		h.openDB()
	}
	l, err := Open(context.Background(), h.db, h.cfg)
	if err == nil {
		h.log = l
	}
	return err
}

func (h *house) start() {
	h.t.Helper()
	if err := h.tryStart(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) close() {
	h.t.Helper()
	if !h.open {
		return
	}
	h.open = false
	if err := h.db.Close(); err != nil {
		h.t.Error(err)
	}
}

// write adds n entries in one transaction.
func (h *house) write(n int) {
	h.t.Helper()
	trails := make([]*Trail, n)
	for i := range trails {
		trails[i] = trail()
	}
	if _, err := h.log.Write(context.Background(), trails...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) checkpoint() string {
	h.t.Helper()
	msg, err := h.log.Checkpoint(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return string(msg)
}

// sql changes the database behind the log's back.
func (h *house) sql(q string, args ...any) {
	h.t.Helper()
	err := h.db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(q, args...)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) leaf(idx int64) []byte {
	h.t.Helper()
	var b []byte
	if err := eachLeaf(onDB(context.Background(), h.db), idx, idx+1, func(_ int64, data []byte) error {
		b = data
		return nil
	}); err != nil {
		h.t.Fatal(err)
	}
	return b
}

func (h *house) verify() (Report, error) {
	return Verify(context.Background(), h.db, VerifyOptions{VerifierKey: h.log.VerifierKey(), HeadFile: h.cfg.HeadFile})
}

// trail is what an ordinary turn leaves.
func trail() *Trail {
	t := NewTrail("turn", Commitment{0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	t.Add(Act{Verb: "decide:open", Purpose: "reply", Recipient: "system", What: []string{"message"}, Reasons: []string{"sotto.machinery"}})
	t.Add(Act{Verb: "open", Purpose: "reply", Recipient: "bot", What: []string{"journal"}})
	t.Add(Act{Verb: "store", What: []string{"transcript"}, Count: 2})
	return t
}

// rootOf computes the root over all entries with the library alone.
func (h *house) rootOf() tlog.Hash {
	h.t.Helper()
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	var n int64
	err := h.log.Leaves(context.Background(), 0, h.log.Size(), func(idx int64, data []byte) error {
		hashes, err := tlog.StoredHashes(idx, data, read)
		stored = append(stored, hashes...)
		n++
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	root, err := tlog.TreeHash(n, read)
	if err != nil {
		h.t.Fatal(err)
	}
	return root
}

// The tree is the one that the library builds, at every size around the
// borders of tiles, and after a restart.
func TestTree(t *testing.T) {
	h := newHouse(t)
	for _, n := range []int{0, 1, 1, 1, 252, 1, 1, 255, 1, 300, 64, 1000} {
		if n > 0 {
			h.write(n)
		}
		if got, want := h.log.edge.root(), h.rootOf(); got != want {
			t.Fatalf("%d entries: root %v, the library says %v", h.log.Size(), got, want)
		}
		h.checkpoint()
		rep, err := h.verify()
		if err != nil {
			t.Fatalf("%d entries: %v", h.log.Size(), err)
		}
		if rep.Entries != h.log.Size() || rep.Signed != rep.Entries || rep.Head != rep.Entries {
			t.Errorf("report %+v, size %d", rep, h.log.Size())
		}
		before := h.log.edge
		h.close()
		h.start()
		if d := cmp.Diff(before.root(), h.log.edge.root()); d != "" || before.size != h.log.Size() {
			t.Fatalf("after a restart (-before +after):\n%s", d)
		}
	}
}

// The tree goes on over the second level of tiles, 65,536 entries.
func TestTwoLevels(t *testing.T) {
	h := newHouse(t)
	for range 66 {
		h.write(1000)
	}
	h.checkpoint()
	if got, want := h.log.edge.root(), h.rootOf(); got != want {
		t.Fatalf("root %v, the library says %v", got, want)
	}
	h.close()
	h.start()
	if _, err := h.verify(); err != nil {
		t.Error(err)
	}
	for _, i := range []int64{0, 255, 256, 65535, 65536, 65999} {
		b, err := h.log.Prove(context.Background(), i)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyProof(b, h.log.VerifierKey()); err != nil {
			t.Errorf("entry %d: %v", i, err)
		}
	}
	h.sql(`UPDATE audit_tile SET hashes = $1 WHERE level = 1 AND n = 0`, make([]byte, 32*256))
	wantFault(t, h, Fault{What: FaultTile, From: 0, To: 65536})
	h.close()
	if err := h.tryStart(); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("opened with a wrong tile: %v", err)
	}
}

func TestEntry(t *testing.T) {
	odd := NewTrail("a\"b\\c\n\r\t\b\f\x01\x7f é \u2028 \xff 😀", Commitment{})
	odd.Add(Act{Verb: "", Denied: true, Count: -3, Ref: "<r&1>", Reasons: []string{"", "x"}})
	for _, tr := range []*Trail{trail(), NewTrail("", Commitment{}), odd, NewTrail("start", Commitment{15: 1})} {
		data := appendEntry(nil, 41, start.Add(1234567), tr)
		type line struct {
			Index int64  `json:"i"`
			Time  string `json:"t"`
			Kind  string `json:"kind"`
			Who   string `json:"who,omitempty"`
			Acts  []Act  `json:"acts"`
		}
		l := line{Index: 41, Time: "2026-07-01T12:00:00.001Z", Kind: strings.ToValidUTF8(tr.Kind, "\ufffd"), Acts: append([]Act{}, tr.Acts()...)}
		if tr.Who != (Commitment{}) {
			l.Who = fmt.Sprintf("%x", tr.Who[:])
		}
		want, err := marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if string(data) != want {
			t.Errorf("entry\n got %s\nwant %s", data, want)
		}
		e, err := ParseEntry(data)
		if err != nil {
			t.Fatal(err)
		}
		if e.Index != 41 || e.Who != tr.Who || !e.Time.Equal(start.Add(time.Millisecond)) || len(e.Acts) != len(tr.Acts()) {
			t.Errorf("read back: %+v", e)
		}
	}
}

func marshal(v any) (string, error) {
	var b jsonBuffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return string(b[:max(len(b)-1, 0)]), err
}

type jsonBuffer []byte

func (b *jsonBuffer) Write(p []byte) (int, error) { *b = append(*b, p...); return len(p), nil }

func TestParseEntryRefuses(t *testing.T) {
	good := string(appendEntry(nil, 1, start, trail()))
	for _, s := range []string{
		"", "{}", "[]", good + " ", " " + good,
		`{"i":1,"t":"2026-07-01T12:00:00Z","kind":"x","acts":[]}`,
		`{"i":1,"t":"yesterday","kind":"x","acts":[]}`,
		`{"i":1,"t":"2026-07-01T12:00:00.000Z","kind":"x","who":"zz","acts":[]}`,
		`{"i":1,"t":"2026-07-01T12:00:00.000Z","kind":"x","acts":[],"more":1}`,
		`{"i":1,"t":"2026-07-01T12:00:00.000Z","kind":"x","acts":null}`,
	} {
		if _, err := ParseEntry([]byte(s)); sotto.KindOf(err) != sotto.KindCorrupt {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// A group in which one job fails is rolled back and run again job by job. The
// log must come out as if the failing one had never been.
func TestRollback(t *testing.T) {
	h := newHouse(t)
	h.write(250)
	boom := errors.New("boom")
	type item struct {
		fail   bool
		trails []*Trail
	}
	batch := store.NewBatch(h.db, func(tx *store.Tx, items []item) error {
		for _, it := range items {
			// Twice in one transaction.
			if err := errors.Join(h.log.Append(tx, it.trails...), h.log.Append(tx, trail())); err != nil {
				return err
			}
			if it.fail {
				return boom
			}
		}
		return nil
	})
	var wg sync.WaitGroup
	const writers = 40
	got := make([]int64, writers)
	for w := range writers {
		wg.Go(func() {
			it := item{fail: w%5 == 0, trails: []*Trail{trail(), trail()}}
			err := batch.Do(context.Background(), it)
			if it.fail != errors.Is(err, boom) {
				t.Errorf("writer %d: %v", w, err)
			}
			got[w] = it.trails[0].Index()
		})
	}
	wg.Wait()
	if want := int64(250 + 3*(writers-writers/5)); h.log.Size() != want {
		t.Errorf("%d entries, want %d", h.log.Size(), want)
	}
	seen := map[int64]bool{}
	for w, i := range got {
		if w%5 == 0 {
			continue
		}
		if seen[i] || i < 250 || i >= h.log.Size() {
			t.Errorf("writer %d has index %d", w, i)
		}
		seen[i] = true
	}
	if got, want := h.log.edge.root(), h.rootOf(); got != want {
		t.Errorf("root %v, want %v", got, want)
	}
	h.checkpoint()
	if _, err := h.verify(); err != nil {
		t.Error(err)
	}
}

// Many writers, a signer and a verifier at the same time.
func TestConcurrent(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(context.Background())
	var wg, run sync.WaitGroup
	run.Go(func() {
		if err := h.log.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	const writers, each = 16, 40
	for range writers {
		wg.Go(func() {
			for range each {
				tr := []*Trail{trail(), trail()}
				i, err := h.log.Write(ctx, tr...)
				if err != nil || tr[0].Index() != i || tr[1].Index() != i+1 {
					t.Errorf("index %d, %d, %d: %v", i, tr[0].Index(), tr[1].Index(), err)
				}
			}
		})
	}
	for range 10 {
		if _, err := h.verify(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	cancel()
	run.Wait()
	if h.log.Size() != 2*writers*each {
		t.Errorf("%d entries", h.log.Size())
	}
	rep, err := h.verify()
	if err != nil || rep.Head != 2*writers*each {
		t.Errorf("at the end: %+v, %v", rep, err)
	}
}

// A commit that was reported as failed and is durable leaves the log behind
// the database. It catches up, and does not write over anything.
func TestCatchUp(t *testing.T) {
	h := newHouse(t)
	h.write(300)
	was := h.log.edge
	h.write(3)
	h.log.edge = was // as if the commit's answer had been lost
	if _, err := h.log.Write(context.Background(), trail()); sotto.KindOf(err) != sotto.KindExists {
		t.Fatalf("wrote over an entry: %v", err)
	}
	h.write(1)
	if h.log.Size() != 304 {
		t.Errorf("%d entries, want 304", h.log.Size())
	}
	h.checkpoint()
	if _, err := h.verify(); err != nil {
		t.Error(err)
	}
	h.log.edge, h.log.stale = was, true
	h.write(300)
	h.sql(`DELETE FROM audit_tile WHERE level = 0 AND n = 1`)
	h.log.edge, h.log.stale = was, true
	if _, err := h.log.Write(context.Background(), trail()); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("caught up without the tree: %v", err)
	}
	h.retile()
	h.write(1)
	// Where the database is not a continuation, it stays refused.
	h.log.stale = true
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 604`, []byte("x"))
	for range 2 {
		if _, err := h.log.Write(context.Background(), trail()); sotto.KindOf(err) != sotto.KindCorrupt {
			t.Errorf("went on after another history: %v", err)
		}
	}
}

func TestRefusals(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	for name, cfg := range map[string]Config{
		"no clock":   {Seed: [32]byte{1}},
		"no seed":    {Now: h.cfg.Now},
		"bad origin": {Seed: [32]byte{1}, Now: h.cfg.Now, Origin: "a b"},
		"plus":       {Seed: [32]byte{1}, Now: h.cfg.Now, Origin: "a+b"},
	} {
		if _, err := Open(ctx, h.db, cfg); sotto.KindOf(err) != sotto.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.log.Write(ctx); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("wrote nothing: %v", err)
	}
	if err := h.db.Write(ctx, func(tx *store.Tx) error { return h.log.Append(tx) }); err != nil {
		t.Errorf("appending nothing: %v", err)
	}
	if i := trail().Index(); i != -1 {
		t.Errorf("index before it is written: %d", i)
	}
	if key, err := VerifierKey("", h.cfg.Seed); err != nil || key != h.log.VerifierKey() {
		t.Errorf("key %q, %v", key, err)
	}
	if _, err := VerifierKey("a b", h.cfg.Seed); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("a name with a space: %v", err)
	}
	stop := errors.New("stop")
	h.write(2)
	if err := h.log.Leaves(ctx, -5, 99, func(int64, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("went on: %v", err)
	}
}

func TestNoHeadFile(t *testing.T) {
	h := newHouse(t)
	h.cfg.HeadFile = ""
	h.start()
	h.write(3)
	h.checkpoint()
	rep, err := Verify(context.Background(), h.db, VerifyOptions{VerifierKey: h.log.VerifierKey()})
	if err != nil || rep.Head != -1 || rep.Signed != 3 {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestRunReportsTheLastError(t *testing.T) {
	h := newHouse(t)
	h.write(1)
	h.log.cfg.HeadFile = filepath.Join(h.dir, "no", "such", "head")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if err := h.log.Run(ctx); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Errorf("the head was written nowhere: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(h.dir, ".head-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	// A folder stands where the file should be: the rename fails.
	h.log.cfg.HeadFile = filepath.Join(h.dir, "folder")
	if err := os.MkdirAll(filepath.Join(h.dir, "folder", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := h.log.Checkpoint(context.Background()); err == nil {
		t.Error("the head was written over a folder")
	}
	if left, err := filepath.Glob(filepath.Join(h.dir, ".head-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
