package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sotto-chat/sotto"
)

func TestProof(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	h.write(300)
	h.checkpoint()
	h.write(5) // not covered yet
	for _, i := range []int64{0, 1, 255, 256, 299, 304} {
		b, err := h.log.Prove(ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		p, err := VerifyProof(b, h.log.VerifierKey())
		if err != nil {
			t.Fatal(err)
		}
		if p.Index != i || p.Leaf != string(h.leaf(i)) || !p.SignedAt().Equal(start) {
			t.Errorf("entry %d: %+v", i, p)
		}
	}
	for _, i := range []int64{-1, 305} {
		if _, err := h.log.Prove(ctx, i); sotto.KindOf(err) != sotto.KindNotFound {
			t.Errorf("entry %d: %v", i, err)
		}
	}
	h.sql(`UPDATE audit_leaf SET data = $1 WHERE idx = 41`, forge(41))
	if _, err := h.log.Prove(ctx, 41); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("proved an edited entry: %v", err)
	}
	h.sql(`DELETE FROM audit_tile`)
	if _, err := h.log.Prove(ctx, 40); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("proved without a tree: %v", err)
	}
	if at := (&Proof{Checkpoint: "x"}).SignedAt(); !at.IsZero() {
		t.Errorf("signed at %v", at)
	}
}

func TestForgedProof(t *testing.T) {
	h := newHouse(t)
	h.write(61)
	good, err := h.log.Prove(context.Background(), 41)
	if err != nil {
		t.Fatal(err)
	}
	key := h.log.VerifierKey()
	_, _, otherKey, err := newSigner("sotto", [32]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	_, _, otherLog, err := newSigner("elsewhere", h.cfg.Seed)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		old, new, key string
		want          sotto.Kind
	}{
		"the entry":      {`\"verb\":\"store\"`, `\"verb\":\"erase\"`, key, sotto.KindCorrupt},
		"the index":      {`"index":41`, `"index":40`, key, sotto.KindCorrupt},
		"out of range":   {`"index":41`, `"index":61`, key, sotto.KindCorrupt},
		"the size":       {`"size":61`, `"size":62`, key, sotto.KindCorrupt},
		"the checkpoint": {`sotto\n61\n`, `sotto\n62\n`, key, sotto.KindCorrupt},
		"the key":        {``, ``, otherKey, sotto.KindCorrupt},
		"another log":    {``, ``, otherLog, sotto.KindCorrupt},
		"no key":         {``, ``, "sotto", sotto.KindInvalid},
		"no JSON":        {`{`, `[`, key, sotto.KindInvalid},
		"more":           {`}`, `}{}`, key, sotto.KindInvalid},
		"a new field":    {`{"leaf"`, `{"x":1,"leaf"`, key, sotto.KindInvalid},
	} {
		b := []byte(strings.Replace(string(good), c.old, c.new, 1))
		if name == "more" {
			b = append(bytes.Clone(good), "{}"...)
		}
		if c.old != "" && bytes.Equal(b, good) {
			t.Fatalf("%s: nothing was changed in %s", name, good)
		}
		if _, err := VerifyProof(b, c.key); sotto.KindOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := Verify(context.Background(), h.db, VerifyOptions{}); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("verified without a key: %v", err)
	}
}

// Nothing but what the log made is a proof. The log is made in memory, because
// a database slows the fuzzer down a thousandfold.
func FuzzVerifyProof(f *testing.F) {
	signer, _, key, err := newSigner(defaultOrigin, [32]byte{1})
	if err != nil {
		f.Fatal(err)
	}
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	leaves := make([]string, 5)
	for i := range leaves {
		data := appendEntry(nil, int64(i), start, trail())
		leaves[i] = string(data)
		hashes, err := tlog.StoredHashes(int64(i), data, read)
		if err != nil {
			f.Fatal(err)
		}
		stored = append(stored, hashes...)
	}
	root, badRoot := tlog.TreeHash(5, read)
	way, badWay := tlog.ProveRecord(5, 3, read)
	c := checkpoint{origin: defaultOrigin, size: 5, root: root}
	msg, badSign := note.Sign(&note.Note{Text: c.text()}, signer)
	good, badJSON := json.Marshal(Proof{Leaf: leaves[3], Index: 3, Size: 5, Hashes: way, Checkpoint: string(msg)})
	if err := errors.Join(badRoot, badWay, badSign, badJSON); err != nil {
		f.Fatal(err)
	}
	if _, err := VerifyProof(good, key); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := VerifyProof(b, key)
		if err == nil && leaves[p.Index] != p.Leaf {
			t.Errorf("proved %q as entry %d", p.Leaf, p.Index)
		}
	})
}
