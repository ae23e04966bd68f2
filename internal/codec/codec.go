// Package codec writes and reads the plain form of what is sealed: fields one
// after the other, lengths in front, a version first.
//
// It exists because a message is encoded and decoded several times on its way,
// and a self-describing format costs more than sealing it. Each type's own
// package says which fields it has; a form once released is read for ever, so
// a changed one gets a new version.
package codec

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/sotto-chat/sotto"
)

// Writer appends fields.
type Writer struct{ b []byte }

// NewWriter starts a form of a version, with room for about size bytes.
func NewWriter(version byte, size int) *Writer {
	return &Writer{b: append(make([]byte, 0, size+16), version)}
}

// Bytes returns what was written.
func (w *Writer) Bytes() []byte { return w.b }

// Str appends a text.
func (w *Writer) Str(s string) {
	w.b = binary.AppendUvarint(w.b, uint64(len(s)))
	w.b = append(w.b, s...)
}

// Raw appends bytes.
func (w *Writer) Raw(s []byte) {
	w.b = binary.AppendUvarint(w.b, uint64(len(s)))
	w.b = append(w.b, s...)
}

// Len appends the number of things that follow.
func (w *Writer) Len(n int) { w.b = binary.AppendUvarint(w.b, uint64(n)) } //nolint:gosec // a length

// Flag appends a truth.
func (w *Writer) Flag(v bool) {
	if v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

// Time appends an instant, to the microsecond; the zero time stays zero.
func (w *Writer) Time(t time.Time) {
	if t.IsZero() {
		w.b = append(w.b, 0)
		return
	}
	w.b = binary.AppendVarint(append(w.b, 1), t.UnixMicro())
}

// Reader takes fields off, in the order in which they were written. After the
// first fault all fields are empty, and [Reader.End] returns it.
type Reader struct {
	b   []byte
	bad bool
}

// NewReader begins to read; the version must be the one that is known.
func NewReader(b []byte, version byte) *Reader {
	if len(b) == 0 || b[0] != version {
		return &Reader{bad: true}
	}
	return &Reader{b: b[1:]}
}

func (r *Reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Str takes a text.
func (r *Reader) Str() string { return string(r.Raw()) }

// Raw takes bytes, which share memory with the input.
func (r *Reader) Raw() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

// Len takes a number of things, each of which takes at least one byte.
func (r *Reader) Len() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n) //nolint:gosec // not more than the bytes that are left
}

// Flag takes a truth.
func (r *Reader) Flag() bool {
	if len(r.b) == 0 || r.b[0] > 1 {
		r.bad, r.b = true, nil
		return false
	}
	v := r.b[0] == 1
	r.b = r.b[1:]
	return v
}

// Time takes an instant.
func (r *Reader) Time() time.Time {
	if !r.Flag() {
		return time.Time{}
	}
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return time.Time{}
	}
	r.b = r.b[n:]
	return time.UnixMicro(v).UTC()
}

var errForm = errors.New("not of this form")

// End reports whether exactly this form was there: an error of
// [sotto.KindCorrupt] otherwise.
func (r *Reader) End() error {
	if r.bad || len(r.b) > 0 {
		return sotto.E("codec.read", sotto.KindCorrupt, errForm)
	}
	return nil
}
