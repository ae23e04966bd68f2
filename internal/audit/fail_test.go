package audit

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

var errRead = errors.New("the disk does not answer")

// faulty fails its n-th query.
type faulty struct {
	q querier
	n int
}

func (f *faulty) Query(q string, args ...any) (*store.Rows, error) {
	if f.n--; f.n < 0 {
		return nil, errRead
	}
	return f.q.Query(q, args...)
}

// Whatever cannot be read, nothing is taken for right.
func TestReadsThatFail(t *testing.T) {
	h := newHouse(t)
	h.write(65536) // two levels of tiles are full
	h.checkpoint()
	good := onDB(context.Background(), h.db)
	for n := 0; ; n++ {
		err := h.log.load(context.Background(), &faulty{good, n})
		if err == nil {
			break
		}
		if !errors.Is(err, errRead) {
			t.Fatalf("65,536 entries, query %d: %v", n, err)
		}
	}
	h.write(4464)
	h.checkpoint()
	h.write(5)
	for name, f := range map[string]func(q querier) error{
		"open": func(q querier) error { return h.log.load(context.Background(), q) },
		"prove": func(q querier) error {
			_, err := prove(q, h.log.last, 41)
			return err
		},
		"verify": func(q querier) error {
			v := &verification{q: q, verifier: h.log.verifier}
			return v.run(VerifyOptions{HeadFile: h.cfg.HeadFile})
		},
	} {
		n := 0
		for ; n < 40; n++ {
			err := f(&faulty{good, n})
			if err == nil {
				break
			}
			var fault *Fault
			if !errors.Is(err, errRead) && !errors.As(err, &fault) {
				t.Errorf("%s, query %d: %v", name, n, err)
			}
		}
		if n < 3 {
			t.Errorf("%s made %d queries", name, n)
		}
	}
	v := &verification{q: &faulty{good, 0}, end: 10}
	if _, err := v.gapTo(3); !errors.Is(err, errRead) {
		t.Errorf("the gap was not read: %v", err)
	}
	h.sql(`DELETE FROM audit_leaf WHERE idx >= 200 AND idx < 700`)
	for n := range 20 {
		v := &verification{q: &faulty{good, n}, verifier: h.log.verifier}
		if err := v.run(VerifyOptions{HeadFile: h.cfg.HeadFile}); err == nil {
			t.Errorf("query %d: the gap was not found", n)
		}
	}
}

// Tables of the same names that hold other things.
func TestWrongTypes(t *testing.T) {
	h := newHouse(t)
	h.write(10)
	h.checkpoint()
	h.sql(`ALTER TABLE audit_leaf RENAME TO leaf`)
	h.sql(`CREATE TABLE audit_leaf (idx, data)`)
	h.sql(`INSERT INTO audit_leaf (idx, data) SELECT CASE idx WHEN 7 THEN 7.5 ELSE idx END, data FROM leaf`)
	if _, err := h.verify(); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("an index that is no whole number: %v", err)
	}
	wantNoStart(t, h, "no whole number")
	h.sql(`DROP TABLE audit_leaf`)
	h.sql(`ALTER TABLE leaf RENAME TO audit_leaf`)
	h.sql(`ALTER TABLE audit_checkpoint RENAME TO checkpoint`)
	h.sql(`CREATE TABLE audit_checkpoint (size, note)`)
	h.sql(`INSERT INTO audit_checkpoint (size, note) SELECT 'ten', note FROM checkpoint`)
	wantFault(t, h, Fault{What: FaultCheckpoint}, "no whole number")
}

// Whatever cannot be written, the log is what it was.
func TestWritesThatFail(t *testing.T) {
	refuse := func(table, when string) string {
		return `CREATE TRIGGER refuse BEFORE INSERT ON ` + table + ` WHEN ` + when + ` BEGIN SELECT RAISE(FAIL, 'refused'); END`
	}
	sign := func(h *house) error {
		_, err := h.log.Checkpoint(context.Background())
		return err
	}
	write := func(h *house) error {
		_, err := h.log.Write(context.Background(), trail(), trail())
		return err
	}
	for name, c := range map[string]struct {
		breaks, mends string
		try           func(h *house) error
	}{
		"an entry":          {refuse("audit_leaf", "NEW.idx = 256"), `DROP TRIGGER refuse`, write},
		"a tile":            {refuse("audit_tile", "NEW.level = 0"), `DROP TRIGGER refuse`, write},
		"a tile above":      {refuse("audit_tile", "NEW.level = 1"), `DROP TRIGGER refuse`, write},
		"a checkpoint":      {refuse("audit_checkpoint", "1"), `DROP TRIGGER refuse`, sign},
		"the growing tile":  {refuse("audit_tile", "NEW.level = 0"), `DROP TRIGGER refuse`, sign},
		"older checkpoints": {`CREATE TRIGGER refuse BEFORE DELETE ON audit_checkpoint BEGIN SELECT RAISE(FAIL, 'refused'); END`, `DROP TRIGGER refuse`, sign},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.write(200)
			h.checkpoint()
			h.write(55)
			h.sql(c.breaks)
			if err := c.try(h); err == nil || !strings.Contains(err.Error(), "refused") {
				t.Fatalf("it was written: %v", err)
			}
			if h.log.Size() != 255 || h.log.edge.size != 255 {
				t.Errorf("%d entries", h.log.Size())
			}
			h.sql(c.mends)
			if err := errors.Join(write(h), sign(h)); err != nil {
				t.Fatal(err)
			}
			if got, want := h.log.edge.root(), h.rootOf(); got != want {
				t.Errorf("root %v, want %v", got, want)
			}
			if _, err := h.verify(); err != nil {
				t.Error(err)
			}
		})
	}
}

type noSigner struct{ note.Signer }

func (noSigner) Sign([]byte) ([]byte, error) { return nil, errRead }

func TestCheckpointsThatFail(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	h.write(3)
	signer := h.log.signer
	h.log.signer = noSigner{signer}
	if _, err := h.log.Checkpoint(ctx); !errors.Is(err, errRead) {
		t.Errorf("signed: %v", err)
	}
	if _, err := h.log.Prove(ctx, 1); !errors.Is(err, errRead) {
		t.Errorf("proved what is not signed: %v", err)
	}
	h.log.signer = signer

	// Nothing is signed that does not continue what was written.
	h.log.stale = true
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 1`, forge(1))
	if _, err := h.log.Checkpoint(ctx); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("signed another history: %v", err)
	}
	for _, table := range []string{"audit_tile", "audit_leaf"} {
		h.sql(`ALTER TABLE ` + table + ` RENAME TO gone`)
		if _, err := h.log.Write(ctx, trail()); err == nil {
			t.Errorf("wrote without %s", table)
		}
		h.sql(`ALTER TABLE gone RENAME TO ` + table)
	}
}

func TestOlderProgram(t *testing.T) {
	h := newHouse(t)
	h.sql(`UPDATE store_version SET version = 99 WHERE component = 'audit'`)
	if err := h.tryStart(); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("opened newer data: %v", err)
	}
}

// A large entry is written, and its memory is not kept.
func TestLargeEntry(t *testing.T) {
	h := newHouse(t)
	tr := NewTrail("sweep", Commitment{})
	tr.Add(Act{Verb: "sweep", Ref: strings.Repeat("x", maxBuffer)})
	if _, err := h.log.Write(context.Background(), tr); err != nil {
		t.Fatal(err)
	}
	if h.log.buf != nil {
		t.Errorf("%d bytes are kept", cap(h.log.buf))
	}
	h.checkpoint()
	if _, err := h.verify(); err != nil {
		t.Error(err)
	}
}

func TestRunLogs(t *testing.T) {
	var seen strings.Builder
	h := newHouse(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&seen, nil)) })
	h.write(1)
	good := h.cfg.HeadFile
	h.log.cfg.HeadFile = filepath.Join(h.dir, "no", "head")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- h.log.Run(ctx) }()
	for range 50 {
		h.write(1)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("the last checkpoint failed and Run returned nil")
	}
	if !strings.Contains(seen.String(), "could not be signed") {
		t.Errorf("log: %q", seen.String())
	}
	h.log.cfg.HeadFile = good
	h.checkpoint()
	if err := syncDir(filepath.Join(h.dir, "no")); err == nil {
		t.Error("synced a folder that is not there")
	}
}
