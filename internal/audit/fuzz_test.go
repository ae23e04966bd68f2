package audit

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An entry that is accepted says what its bytes say: written again it is the same.
func FuzzParseEntry(f *testing.F) {
	f.Add(appendEntry(nil, 41, start, trail()))
	f.Add([]byte(`{"i":1,"t":"2026-07-01T12:00:00.000Z","kind":"x","acts":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseEntry(data)
		if err != nil {
			return
		}
		again := appendEntry(nil, e.Index, e.Time, &Trail{Kind: e.Kind, Who: e.Who, acts: e.Acts})
		if !bytes.Equal(again, data) {
			t.Errorf("%s was read as %s", data, again)
		}
		if n, err := saysIndex(data); err != nil || n != e.Index {
			t.Errorf("%s: index %d, %v", data, n, err)
		}
	})
}

// What is written of any texts is accepted and says the same.
func FuzzWriteEntry(f *testing.F) {
	f.Add(int64(3), "turn", "reply", "a\"b\x00\u2028\xff")
	f.Fuzz(func(t *testing.T, index int64, kind, verb, why string) {
		tr := NewTrail(kind, Commitment{1})
		tr.Add(Act{Verb: verb, Reasons: []string{why, kind}, What: []string{verb}})
		data := appendEntry(nil, index, start, tr)
		e, err := ParseEntry(data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		want := Act{Verb: valid(verb), Reasons: []string{valid(why), valid(kind)}, What: []string{valid(verb)}}
		if e.Index != index || e.Kind != valid(kind) {
			t.Errorf("%s: %+v", data, e)
		}
		if d := cmp.Diff([]Act{want}, e.Acts); d != "" {
			t.Errorf("%s (-want +got):\n%s", data, d)
		}
	})
}

// valid replaces each byte that is no UTF-8.
func valid(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}

// A checkpoint that is accepted says what its text says.
func FuzzParseCheckpoint(f *testing.F) {
	f.Add("sotto\n61\n" + strings.Repeat("A", 43) + "=\n")
	f.Add("sotto\n61\n" + strings.Repeat("A", 43) + "=\ntime 2026-07-01T12:00:00Z\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCheckpoint(text)
		if err == nil && c.text() != text {
			t.Errorf("%q was read as %q", text, c.text())
		}
	})
}
