package codec

import (
	"bytes"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
)

func write(s string, raw []byte, n int, f bool, at time.Time) []byte {
	w := NewWriter(7, 10)
	w.Str(s)
	w.Raw(raw)
	w.Flag(f)
	w.Time(at)
	w.Len(n)
	for range n {
		w.Str("x")
	}
	return w.Bytes()
}

func read(b []byte) (s string, raw []byte, n int, f bool, at time.Time, err error) {
	r := NewReader(b, 7)
	s, raw, f, at, n = r.Str(), r.Raw(), r.Flag(), r.Time(), r.Len()
	for range n {
		r.Str()
	}
	return s, raw, n, f, at, r.End()
}

func TestRoundTrip(t *testing.T) {
	for _, at := range []time.Time{{}, time.UnixMicro(1_795_000_000_123_456).UTC(), time.UnixMicro(-5).UTC()} {
		s, raw, n, f, got, err := read(write("grüß", []byte{0, 255}, 3, true, at))
		if err != nil || s != "grüß" || !bytes.Equal(raw, []byte{0, 255}) || n != 3 || !f || !got.Equal(at) || got.IsZero() != at.IsZero() {
			t.Errorf("read %q %v %d %v %v, %v", s, raw, n, f, got, err)
		}
	}
}

func TestFaults(t *testing.T) {
	good := write("text", []byte("raw"), 2, false, time.UnixMicro(99))
	for i := range good {
		if _, _, _, _, _, err := read(good[:i]); sotto.KindOf(err) != sotto.KindCorrupt {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	if _, _, _, _, _, err := read(append(good, 0)); err == nil {
		t.Error("a byte too many is taken")
	}
	good[0]++
	if _, _, _, _, _, err := read(good); err == nil {
		t.Error("another version is taken")
	}
}

// FuzzReader checks that what is accepted is exactly what would be written.
func FuzzReader(f *testing.F) {
	f.Add(write("a", nil, 1, true, time.UnixMicro(5)))
	f.Add([]byte{7, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(b, 7)
		s, raw, flag, at := r.Str(), r.Raw(), r.Flag(), r.Time()
		if r.End() != nil {
			return
		}
		w := NewWriter(7, 0)
		w.Str(s)
		w.Raw(raw)
		w.Flag(flag)
		w.Time(at)
		if got := w.Bytes(); len(got) > len(b) {
			t.Errorf("%x reads as what is written %x", b, got)
		}
	})
}
