package pii

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func writtenMap(tb testing.TB) (*Map, []byte) {
	tb.Helper()
	m := NewMap()
	var f Finder
	f.Mask(m, "[NOTE_3] ada@example.org ADA@example.org +49 151 12345678 [EMAIL_1] 0151 12345678")
	for _, name := range []string{"Anna Schmidt", "Frau Schmidt", "Anna Weber", "Anna"} {
		m.number(Person, name)
	}
	m.take("ORDER_NO", 2)
	m.number("ORDER_NO", "A 1")
	m.number("ORDER_NO", "A 2")
	b, err := m.MarshalBinary()
	if err != nil {
		tb.Fatal(err)
	}
	return m, b
}

// TestMapIsWrittenDown: a map that was read again goes on as the first one.
func TestMapIsWrittenDown(t *testing.T) {
	m, b := writtenMap(t)
	var again Map
	if err := again.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if again.Len() != m.Len() || again.bytes != m.bytes || again.others != m.others || again.nkeys != m.nkeys {
		t.Errorf("read %d values, %d bytes, %d others; want %d, %d, %d", again.Len(), again.bytes, again.others, m.Len(), m.bytes, m.others)
	}
	text := "[EMAIL_1] [EMAIL_2] [PHONE_1] [PERSON_1] [PERSON_3] [ORDER_NO_1] [ORDER_NO_2] [ORDER_NO_3]"
	if diff := cmp.Diff(m.Unmask(text), again.Unmask(text)); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"Dr. Anna Schmidt", "Schmidt", "anna", "Weber", "Peter Schmidt", "Schmidt"} {
		want, _ := m.number(Person, name)
		if got, _ := again.number(Person, name); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	one, _ := m.MarshalBinary()
	two, _ := again.MarshalBinary()
	if !bytes.Equal(one, two) {
		t.Error("two maps are the same and are not written the same")
	}
	for _, empty := range []*Map{nil, NewMap()} {
		b, err := empty.MarshalBinary()
		var m Map
		if err != nil || m.UnmarshalBinary(b) != nil || m.Len() != 0 {
			t.Errorf("an empty map: %v", err)
		}
	}
}

// TestFullMapIsWrittenDown: whatever fits into a map can be read again.
func TestFullMapIsWrittenDown(t *testing.T) {
	m := NewMap()
	for i := range 2 * maxValues {
		m.number(Person, fmt.Sprintf("Anna Maria Xx%d Yy%d", i, i%7))
		m.number(Person, fmt.Sprintf("MARIA xx%d", i))
		m.number(Email, strings.Repeat("x", 100)+fmt.Sprint(i)+"@example.org")
		m.take("NOTE", i)
	}
	if m.bytes > maxBytes || m.len+m.others > maxValues || m.nkeys > maxKeys {
		t.Errorf("%d bytes, %d values, %d keys", m.bytes, m.len, m.nkeys)
	}
	b, _ := m.MarshalBinary()
	var again Map
	if err := again.UnmarshalBinary(b); err != nil || again.Len() != m.Len() {
		t.Error(err)
	}
}

// TestDamagedMap: no part of a map that is missing or changed is accepted with
// another meaning, and none stops the program.
func TestDamagedMap(t *testing.T) {
	_, b := writtenMap(t)
	for n := range b {
		var m Map
		if m.UnmarshalBinary(b[:n]) == nil {
			t.Fatalf("a map of %d of %d bytes is read", n, len(b))
		}
	}
	for _, bad := range [][]byte{nil, append(bytes.Clone(b), 0), make([]byte, maxWritten+1), []byte(mapFormat + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), []byte(mapFormat + "\x80\x00")} {
		m, _ := writtenMap(t)
		n := m.Len()
		if m.UnmarshalBinary(bad) == nil || m.Len() != n {
			t.Errorf("%d bytes are read as a map", len(bad))
		}
	}
}

// FuzzMapBinary: what is read is written the same again, within its limits, and
// can be used.
func FuzzMapBinary(f *testing.F) {
	_, b := writtenMap(f)
	f.Add(b)
	f.Add([]byte(mapFormat + "\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Map
		if m.UnmarshalBinary(b) != nil {
			return
		}
		again, err := m.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is written as %q", b, again)
		}
		for _, typ := range []Type{Person, Phone, Email, "ORDER_NO"} {
			m.number(typ, "Anna +49 151 1234567")
			m.number(typ, "0151 1234567")
			m.literal(typ, "x")
			m.take(typ, 7)
		}
		m.Unmask("[PERSON_1] [PHONE_2] [ORDER_NO_3]")
		if m.bytes > maxBytes || m.len+m.others > maxValues {
			t.Errorf("%d bytes, %d values", m.bytes, m.len+m.others)
		}
	})
}
