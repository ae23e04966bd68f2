package pii

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// mapFormat begins a map that was written down.
const mapFormat = "sotto pii map 1\n"

// maxWritten is the greatest size of a map that is read.
const maxWritten = 1 << 20

var errMap = errors.New("pii: not a map that was written down, or damaged")

// MarshalBinary writes the map down, so that it can live as long as the
// conversation. What it returns is personal data in clear: seal it before it is
// kept anywhere, with a key that is deleted with the person. How a message with
// several spellings of one value was spelt is not in it.
func (m *Map) MarshalBinary() ([]byte, error) {
	b := []byte(mapFormat)
	if m == nil {
		return binary.AppendUvarint(b, 0), nil
	}
	types := slices.Collect(maps.Keys(m.entries))
	for t := range m.taken {
		if m.entries[t] == nil {
			types = append(types, t)
		}
	}
	slices.Sort(types)
	b = binary.AppendUvarint(b, uint64(len(types)))
	for _, t := range types {
		b = appendString(b, string(t))
		b = binary.AppendUvarint(b, uint64(len(m.entries[t])))
		for _, e := range m.entries[t] {
			b = append(b, byte(e.kind), byte(e.sex))
			b = appendString(b, e.value)
			b = binary.AppendUvarint(b, uint64(len(e.words)))
			for _, w := range e.words {
				b = appendString(b, w)
			}
		}
		b = binary.AppendUvarint(b, uint64(len(m.keys[t])))
		for _, k := range slices.Sorted(maps.Keys(m.keys[t])) {
			b = binary.AppendUvarint(appendString(b, k), uint64(m.keys[t][k])) //nolint:gosec // above 0
		}
		b = binary.AppendUvarint(b, uint64(len(m.taken[t])))
		for _, n := range slices.Sorted(maps.Keys(m.taken[t])) {
			b = binary.AppendUvarint(b, uint64(n)) //nolint:gosec // above 0
		}
	}
	return b, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// UnmarshalBinary reads a map that MarshalBinary wrote, in place of what the
// map held. It fails on anything else, and leaves the map as it was then.
func (m *Map) UnmarshalBinary(b []byte) error {
	if len(b) > maxWritten || !bytes.HasPrefix(b, []byte(mapFormat)) {
		return errMap
	}
	r := mapReader{b: b[len(mapFormat):]}
	var read Map
	for range r.number(maxValues) {
		if !r.readType(&read) {
			return errMap
		}
	}
	if r.bad || len(r.b) > 0 {
		return errMap
	}
	// The same map is written in one way only.
	if again, err := read.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
		return errMap
	}
	*m = read
	return nil
}

// mapReader reads parts of a map. After the first bad one all are empty.
type mapReader struct {
	b   []byte
	bad bool
}

// number reads a number of at most most.
func (r *mapReader) number(most int) int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || r.bad || v > uint64(most) { //nolint:gosec // above 0
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return int(v) //nolint:gosec // at most most
}

func (r *mapReader) text() string {
	n := r.number(len(r.b))
	if n > len(r.b) {
		r.bad = true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *mapReader) octet(most byte) byte {
	if len(r.b) == 0 || r.b[0] > most {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

// readType reads all about one type.
func (r *mapReader) readType(m *Map) bool {
	t := Type(r.text())
	if !validType(t) || m.entries[t] != nil {
		return false
	}
	for range r.number(3 * maxValues) {
		e := maskEntry{kind: entryKind(r.octet(byte(isTaken))), sex: titleSex(r.octet(byte(female)))}
		e.value = r.text()
		for range r.number(2 * maxWords) {
			e.words = append(e.words, r.text())
		}
		if r.bad || t == Phone && len(e.words) != 0 && (len(e.words) != 2 || e.words[1] == "") {
			return false
		}
		m.bytes += len(e.value) + e.wordBytes()
		m.push(t, e)
	}
	count := len(m.entries[t])
	for range r.number(maxKeys) {
		k, n := r.text(), r.number(count)
		if r.bad || n == 0 {
			return false
		}
		m.key(t, k, n)
	}
	for range r.number(maxValues) {
		n := r.number(2 * maxValues)
		if r.bad || n == 0 || m.taken[t][n] {
			return false
		}
		m.keepFree(t, n)
	}
	return !r.bad && m.len+m.others <= maxValues && m.bytes <= maxBytes && m.nkeys <= maxKeys
}
