package audit

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sotto-chat/sotto"
)

func wantFault(t *testing.T, h *house, want Fault, says ...string) {
	t.Helper()
	_, err := h.verify()
	var got *Fault
	if !errors.As(err, &got) {
		t.Fatalf("want fault %v, got %v", want, err)
	}
	if sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("kind %v", sotto.KindOf(err))
	}
	if d := cmp.Diff(want, *got, cmpopts.IgnoreFields(Fault{}, "Detail")); d != "" {
		t.Errorf("fault (-want +got):\n%s\n%v", d, err)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q is not in: %v", s, err)
		}
	}
}

// wantNoStart checks that the log does not open on what was changed.
func wantNoStart(t *testing.T, h *house, says string) {
	t.Helper()
	err := h.tryStart()
	if sotto.KindOf(err) != sotto.KindCorrupt || !strings.Contains(err.Error(), says) {
		t.Errorf("start: %v, want %q", err, says)
	}
}

// forge makes the bytes of another entry.
func forge(index int64) []byte {
	t := NewTrail("turn", Commitment{})
	t.Add(Act{Verb: "open", Purpose: "reply", Recipient: "person"})
	return appendEntry(nil, index, start, t)
}

// retile rewrites the tree to match the entries, as an attacker would who knows
// how it is built but has no key.
func (h *house) retile() {
	h.t.Helper()
	h.sql(`DELETE FROM audit_tile`)
	r := newReader(onDB(context.Background(), h.db))
	var e edge
	write := func(x tile) {
		h.sql(`INSERT INTO audit_tile (level, n, hashes) VALUES ($1, $2, $3)`, x.level, x.n, joined(x.hashes))
	}
	end, err := lastIndex(r.q)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := eachLeaf(r.q, 0, end, func(_ int64, data []byte) error {
		e.add(tlog.RecordHash(data), write)
		return nil
	}); err != nil {
		h.t.Fatal(err)
	}
	for level := range e.levels {
		if x := e.partial(level); len(x.hashes) > 0 {
			write(x)
		}
	}
}

func TestEditedLeaf(t *testing.T) {
	h := newHouse(t)
	h.write(61)
	h.checkpoint()
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 41`, forge(41))
	wantFault(t, h, Fault{What: FaultEdited, From: 41, To: 42}, "entry 41 was edited")
	wantNoStart(t, h, "entry 41 is not the one in the tree")
}

func TestEditedLeafInFullTile(t *testing.T) {
	h := newHouse(t)
	h.write(600)
	h.checkpoint()
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 300`, forge(300))
	wantFault(t, h, Fault{What: FaultEdited, From: 300, To: 301}, "entry 300 was edited")
	wantNoStart(t, h, "entries 256 to 511")
	// Further back, only a full verification finds it.
	h.write(300)
	h.checkpoint()
	wantFault(t, h, Fault{What: FaultEdited, From: 300, To: 301}, "entry 300 was edited")
	h.start()
}

// One byte, anywhere in any entry, is found and named.
func TestEveryLeaf(t *testing.T) {
	h := newHouse(t)
	h.write(300)
	h.checkpoint()
	for i := int64(0); i < 300; i += 13 {
		good := h.leaf(i)
		bad := bytes.Clone(good)
		bad[int(i)%len(bad)] ^= 1
		h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = $2`, bad, i)
		wantFault(t, h, Fault{What: FaultEdited, From: i, To: i + 1})
		h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = $2`, good, i)
	}
	if _, err := h.verify(); err != nil {
		t.Error(err)
	}
}

func TestEditedLeafAndTree(t *testing.T) {
	h := newHouse(t)
	h.write(300)
	h.checkpoint()
	h.write(300) // no checkpoint: 600 entries come with the next
	h.write(100)
	h.checkpoint() // 700
	h.write(100)
	h.checkpoint() // 800
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 400`, forge(400))
	h.retile()
	wantFault(t, h, Fault{What: FaultEdited, From: 300, To: 700}, "entries 300 to 699", "signed at 2026-07-01T12:00:00Z covers 700")
	wantNoStart(t, h, "another history")
}

func TestEditedTile(t *testing.T) {
	h := newHouse(t)
	h.write(300)
	h.checkpoint()
	hashes, err := readTile(onDB(context.Background(), h.db), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	hashes[7][0] ^= 1
	h.sql(`UPDATE audit_tile SET hashes = $1 WHERE level = 0 AND n = 0`, joined(hashes))
	wantFault(t, h, Fault{What: FaultTile, From: 7, To: 8}, "the entry is the one that was signed")
	wantNoStart(t, h, "entries 0 to 255")
	h.sql(`UPDATE audit_tile SET hashes = $1 WHERE level = 0 AND n = 0`, []byte("short"))
	wantFault(t, h, Fault{What: FaultTile, From: 0, To: 256}, "5 bytes")
	wantNoStart(t, h, "5 bytes")
	h.sql(`DELETE FROM audit_tile WHERE level = 0 AND n = 0`)
	wantFault(t, h, Fault{What: FaultTile, From: 0, To: 256}, "tile 0/0 is missing")
	wantNoStart(t, h, "tile 0/0")
	h.retile()
	h.sql(`UPDATE audit_tile SET hashes = $1 WHERE level = 0 AND n = 1`, []byte("short"))
	wantFault(t, h, Fault{What: FaultTile, From: 256, To: 300}, "5 bytes")
	wantNoStart(t, h, "5 bytes")
	h.retile()
	h.sql(`UPDATE audit_tile SET hashes = $1 WHERE level = 1 AND n = 0`, make([]byte, 32))
	wantFault(t, h, Fault{What: FaultTile, From: 0, To: 300}, "tile 1/0")
	wantNoStart(t, h, "tile 0/0 does not match the tile above it")
}

func TestRemovedFromTheMiddle(t *testing.T) {
	h := newHouse(t)
	h.write(61)
	h.checkpoint()
	h.sql(`DELETE FROM audit_leaf WHERE idx IN (20, 21)`)
	wantFault(t, h, Fault{What: FaultRemoved, From: 20, To: 22}, "entries 20 to 21 are missing")
	wantNoStart(t, h, "entry 20 is missing")
}

func TestRemovedBlocks(t *testing.T) {
	h := newHouse(t)
	h.write(1000)
	h.checkpoint()
	h.sql(`DELETE FROM audit_leaf WHERE idx >= 200 AND idx < 700`)
	wantFault(t, h, Fault{What: FaultRemoved, From: 200, To: 700}, "entries 200 to 699 are missing", "the next one is entry 700")
}

// The gap is closed by moving the later entries up.
func TestRemovedAndClosed(t *testing.T) {
	h := newHouse(t)
	h.write(61)
	h.checkpoint()
	h.sql(`DELETE FROM audit_leaf WHERE idx = 20`)
	for i := int64(21); i < 61; i++ {
		h.sql(`UPDATE audit_leaf SET idx = $1 WHERE idx = $2`, i-1, i)
	}
	wantFault(t, h, Fault{What: FaultRemoved, From: 20, To: 21}, "entry 20 is missing")
	wantNoStart(t, h, "")
}

func TestInserted(t *testing.T) {
	h := newHouse(t)
	h.write(61)
	h.checkpoint()
	h.sql(`UPDATE audit_leaf SET idx = -1 - idx WHERE idx >= 20`)
	h.sql(`UPDATE audit_leaf SET idx = -idx WHERE idx < 0`)
	h.sql(`INSERT INTO audit_leaf (idx, data) VALUES ($1, $2)`, 20, forge(20))
	wantFault(t, h, Fault{What: FaultInserted, From: 20, To: 21}, "entry 20 was inserted")
	wantNoStart(t, h, "entry 20")
}

func TestInsertedOutside(t *testing.T) {
	h := newHouse(t)
	h.write(61)
	h.checkpoint()
	h.sql(`INSERT INTO audit_leaf (idx, data) VALUES ($1, $2)`, -3, forge(-3))
	wantFault(t, h, Fault{What: FaultInserted, From: -3, To: -2}, "entry -3 was inserted")
	h.sql(`DELETE FROM audit_leaf WHERE idx < 0`)
	// After the last one, copied from elsewhere.
	h.sql(`INSERT INTO audit_leaf (idx, data) VALUES ($1, $2)`, 61, h.leaf(12))
	wantFault(t, h, Fault{What: FaultInserted, From: 61, To: 62}, "it says that it is entry 12")
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 61`, []byte("{}"))
	wantFault(t, h, Fault{What: FaultInserted, From: 61, To: 62}, "it does not say")
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 61`, []byte(`{"i":99999999999999999999,`))
	wantFault(t, h, Fault{What: FaultInserted, From: 61, To: 62}, "it does not say")
}

func TestRemovedAtTheEnd(t *testing.T) {
	for name, tidy := range map[string]func(h *house){
		"leaves only":          func(*house) {},
		"and the tree":         func(h *house) { h.retile() },
		"but not the tree":     func(h *house) { h.sql(`DELETE FROM audit_checkpoint`) },
		"but not all the tree": func(h *house) { h.sql(`DELETE FROM audit_leaf WHERE idx >= 57`) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.write(61)
			h.checkpoint()
			h.sql(`DELETE FROM audit_leaf WHERE idx >= 57`)
			tidy(h)
			wantFault(t, h, Fault{What: FaultRemoved, From: 57, To: 61},
				"entries 57 to 60 are missing: the head signed at 2026-07-01T12:00:00Z covers 61")
			wantNoStart(t, h, "")
		})
	}
	t.Run("without a head", func(t *testing.T) {
		h := newHouse(t)
		h.write(261)
		h.checkpoint()
		h.write(300)
		h.sql(`DELETE FROM audit_leaf WHERE idx >= 257`)
		if err := os.Remove(h.cfg.HeadFile); err != nil {
			t.Fatal(err)
		}
		wantFault(t, h, Fault{What: FaultHead}, "the head file is missing")
		_, err := Verify(context.Background(), h.db, VerifyOptions{VerifierKey: h.log.VerifierKey(), HeadFile: h.cfg.HeadFile, AcceptNoHead: true})
		var f *Fault
		if !errors.As(err, &f) || f.What != FaultRemoved || f.From != 257 || f.To != 512 {
			t.Errorf("%v", err)
		}
	})
}

// The leaves, the tree and the checkpoints are set back alike: an older copy of
// the whole database, which is in itself without fault.
func TestRolledBack(t *testing.T) {
	h := newHouse(t)
	h.write(50)
	h.checkpoint()
	h.close()
	old, err := os.ReadFile(h.path())
	if err != nil {
		t.Fatal(err)
	}
	h.start()
	h.write(11)
	h.checkpoint()
	h.close()
	for _, ext := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(h.path() + ext); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(h.path(), old, 0o600); err != nil {
		t.Fatal(err)
	}
	h.openDB()
	wantFault(t, h, Fault{What: FaultRolledBack, From: 50, To: 61},
		"the database was set back: it has 50 entries, the head signed at 2026-07-01T12:00:00Z covers 61")
	wantNoStart(t, h, "the database was set back: the head file signed at 2026-07-01T12:00:00Z covers 61 entries, the log has 50")

	// Without the head file it needs the operator's word, and goes on as
	// another history. The old head does not belong to it.
	head, err := os.ReadFile(h.cfg.HeadFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(h.cfg.HeadFile); err != nil {
		t.Fatal(err)
	}
	wantNoStart(t, h, "the head file is missing")
	h.cfg.AcceptNoHead = true
	h.start()
	if _, err := h.verify(); err != nil {
		t.Error(err)
	}
	h.sql(`DELETE FROM audit_leaf WHERE idx < 0`)
	if _, err := h.log.Write(context.Background(), NewTrail("start", Commitment{})); err != nil {
		t.Fatal(err)
	}
	h.write(300)
	h.checkpoint()
	if err := os.WriteFile(h.cfg.HeadFile, head, 0o600); err != nil {
		t.Fatal(err)
	}
	wantFault(t, h, Fault{What: FaultHead, To: 61}, "the head signed at 2026-07-01T12:00:00Z, of 61 entries, is of another history")
	wantNoStart(t, h, "the head file signed at 2026-07-01T12:00:00Z is of another history")
}

func TestSwapped(t *testing.T) {
	h := newHouse(t)
	h.write(61)
	h.checkpoint()
	a, b := h.leaf(10), h.leaf(40)
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 10`, b)
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 40`, a)
	wantFault(t, h, Fault{What: FaultEdited, From: 10, To: 11}, "entry 40 stands in its place")
	wantNoStart(t, h, "entry 10")
}

func TestForgedHead(t *testing.T) {
	h := newHouse(t)
	h.write(61)
	h.checkpoint()
	other := newHouse(t, func(c *Config) { c.Seed[0]++ })
	other.write(70)
	for name, head := range map[string]string{
		"another key": other.checkpoint(),
		"no note":     "sotto\n61\n",
		"empty":       "",
		"large":       strings.Repeat("x", maxHead+1),
	} {
		if err := os.WriteFile(h.cfg.HeadFile, []byte(head), 0o600); err != nil {
			t.Fatal(err)
		}
		wantFault(t, h, Fault{What: FaultHead}, "the head file")
		t.Log(name)
		wantNoStart(t, h, "the head file")
	}
	if err := errors.Join(os.Remove(h.cfg.HeadFile), os.Mkdir(h.cfg.HeadFile, 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.verify(); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Errorf("a folder: %v", err)
	}
	if err := h.tryStart(); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Errorf("a folder: %v", err)
	}
	h.cfg.HeadFile = filepath.Join(h.cfg.HeadFile, "\x00")
	if err := h.tryStart(); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Errorf("an impossible name: %v", err)
	}
}

func TestForgedCheckpoint(t *testing.T) {
	h := newHouse(t)
	h.write(61)
	h.checkpoint()
	// An attacker edits an entry and the tree, and signs with a key of their own.
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 41`, forge(41))
	h.retile()
	r := newReader(onDB(context.Background(), h.db))
	e, err := r.edge()
	if err != nil {
		t.Fatal(err)
	}
	signer, _, _, err := newSigner("sotto", [32]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	c := checkpoint{origin: "sotto", size: 61, root: e.root()}
	msg, err := note.Sign(&note.Note{Text: c.text()}, signer)
	if err != nil {
		t.Fatal(err)
	}
	h.sql(`UPDATE audit_checkpoint SET note = $1 WHERE size = 61`, msg)
	wantFault(t, h, Fault{What: FaultCheckpoint, To: 61}, "the checkpoint of 61 entries is not genuine")
	wantNoStart(t, h, "the newest checkpoint in the database")
}

// A genuine checkpoint under another size says something that was never signed.
func TestMovedCheckpoint(t *testing.T) {
	h := newHouse(t)
	h.write(61)
	h.checkpoint()
	h.sql(`UPDATE audit_checkpoint SET size = 60 WHERE size = 61`)
	wantFault(t, h, Fault{What: FaultCheckpoint, To: 60}, "it covers 61 entries")
}

// Two logs with one key: a checkpoint of the other is genuine and foreign.
func TestForeignCheckpoint(t *testing.T) {
	h, other := newHouse(t), newHouse(t)
	if _, err := other.log.Write(context.Background(), NewTrail("start", Commitment{})); err != nil {
		t.Fatal(err)
	}
	other.write(60)
	h.write(70)
	h.checkpoint()
	h.sql(`INSERT INTO audit_checkpoint (size, note) VALUES ($1, $2)`, 61, []byte(other.checkpoint()))
	wantFault(t, h, Fault{What: FaultCheckpoint, To: 61}, "is of another history")
}

func TestParseCheckpoint(t *testing.T) {
	root := strings.Repeat("A", 43) + "="
	for _, s := range []string{
		"", "sotto\n1\n" + root, "sotto\n1\n", "sotto\n-1\n" + root + "\n", "sotto\n01\n" + root + "\n", "sotto\n+1\n" + root + "\n",
		"sotto\nx\n" + root + "\n", "sotto\n1\n\n", "\n1\n" + root + "\n", "sotto\n1\n" + root[:40] + "\n", "sotto\n1\n" + root + "\n\n",
		"sotto\n1\n" + strings.Repeat("A", 42) + "B=\n",
	} {
		if c, err := parseCheckpoint(s); err == nil {
			t.Errorf("%q was read as %+v", s, c)
		}
	}
	c, err := parseCheckpoint("sotto\n0\n" + root + "\nhello\ntime tomorrow\n")
	if err != nil || c.size != 0 || c.signedAt() != "" || len(c.extensions) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	// A genuine signature under a body that is no checkpoint, or another's.
	signer, v, _, err := newSigner("sotto", [32]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"hello\n", "other\n0\n" + root + "\n"} {
		msg, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := openCheckpoint(msg, v); err == nil {
			t.Errorf("%q is no checkpoint of sotto", text)
		}
	}
}
