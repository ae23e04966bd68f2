package pii

import (
	"slices"
	"strings"
)

// Limits of a [Map]. What does not fit is masked all the same, by a placeholder
// without a number, which cannot be put back.
const (
	maxValues  = 1000
	maxBytes   = 128 << 10
	maxRespelt = 16
	maxKeys    = 4 * maxValues // spellings of all values
	maxShared  = 16            // values that one link may lead to
)

// Map remembers which placeholder stands for which value. It holds personal
// data in clear and belongs to one person and one conversation: nothing is ever
// put back from another one's. It prints as "[pii map]". It is used by one
// goroutine at a time. The zero value and [NewMap] are empty maps; a nil Map
// remembers nothing. [Map.MarshalBinary] writes it down.
//
// # When two values are one
//
// A value gets the placeholder of an earlier one where both are the same but
// for case, spaces, signs and marks on letters, as far as these mean nothing in
// their type. Beyond that:
//
//   - Names. Titles ("Frau", "Dr.", "Señora") and a possessive 's count for
//     nothing. A name is the same as an earlier one where all words of the one
//     stand in the other, in any order, an initial standing for a word: after
//     "Anna Schmidt" also "Anna", "ANNA SCHMIDT", "Schmidt, Anna", "A. Schmidt"
//     and "Frau Schmidt"; after "Anna" also "Anna Schmidt". Where two people so
//     far could be meant, the name gets a placeholder of its own and keeps it.
//     Two titles of different sex are two people.
//   - Telephone numbers. "0151 1234567" is the same as "+49 151 1234567" where
//     only one number in the map ends so.
//   - Dates that are written in full are the same however they are written.
type Map struct {
	entries map[Type][]maskEntry
	keys    map[Type]map[string]int   // number by the value in its normal form
	links   map[Type]map[string][]int // numbers by what values have in common, such as a word of a name
	taken   map[Type]map[int]bool     // numbers that stood in a text before their type had values
	respelt map[string]string         // masked texts with a value spelt in several ways, and their clear text
	bytes   int                       // of values, normal forms and words
	spelt   int                       // bytes of respelt
	len     int                       // values
	others  int                       // what looked like a placeholder
	nkeys   int
}

// maskEntry is what the placeholder of one number stands for.
type maskEntry struct {
	value string   // as it was spelt first
	words []string // what decides whether another value is the same; nil: only its normal form
	sex   titleSex // of the title
	kind  entryKind
}

// entryKind says what an entry is.
type entryKind uint8

const (
	isValue   entryKind = iota
	isAlone             // a value that is never taken for another one, because several fitted
	isLiteral           // what a person wrote that only looks like a placeholder
	isTaken             // the number stood in a text and is not used
)

// NewMap returns an empty map.
func NewMap() *Map { return &Map{} }

// Len returns how many values the map holds. What a person wrote that only
// looks like a placeholder is none.
func (m *Map) Len() int {
	if m == nil {
		return 0
	}
	return m.len
}

// String returns "[pii map]".
func (m *Map) String() string { return "[pii map]" }

// GoString returns "[pii map]".
func (m *Map) GoString() string { return "[pii map]" }

// full reports whether n more bytes do not fit.
func (m *Map) full(n int) bool {
	return m.len+m.others >= maxValues || m.bytes+n > maxBytes || m.nkeys >= maxKeys
}

// number returns the number of a value's placeholder, a new one where it has
// none. It is 0 where the map is full. respelt reports that the value was first
// spelt in another way.
func (m *Map) number(t Type, value string) (n int, respelt bool) {
	if m == nil || !validType(t) {
		return 0, false
	}
	key := normal(t, value)
	if n := m.keys[t][key]; n > 0 {
		return n, m.entries[t][n-1].value != value
	}
	e := linkable(t, value)
	n, several := m.linked(t, &e)
	if n > 0 {
		if m.nkeys < maxKeys && m.bytes+len(key) <= maxBytes {
			m.key(t, strings.Clone(key), n)
			m.widen(t, n, e)
		}
		return n, m.entries[t][n-1].value != value
	}
	if several {
		e.kind = isAlone
	}
	e.value = value
	return m.add(t, e, key), false
}

// literal returns the number of a new placeholder for what looks like one.
func (m *Map) literal(t Type, text string) int {
	if m == nil || !validType(t) {
		return 0
	}
	key := "[" + text
	if n := m.keys[t][key]; n > 0 {
		return n
	}
	return m.add(t, maskEntry{value: text, kind: isLiteral}, key)
}

// add enters a value and returns its number, 0 where the map is full.
func (m *Map) add(t Type, e maskEntry, key string) int {
	size := len(key) + len(e.value) + e.wordBytes()
	if m.full(size) {
		return 0
	}
	// The text of a whole message must not live as long as one value of it.
	e.value = strings.Clone(e.value)
	m.bytes += len(e.value) + e.wordBytes()
	n := m.push(t, e)
	m.key(t, strings.Clone(key), n)
	return n
}

func (e *maskEntry) wordBytes() (n int) {
	for _, w := range e.words {
		n += len(w)
	}
	return n
}

// push appends an entry behind the numbers that are taken.
func (m *Map) push(t Type, e maskEntry) int {
	if m.entries == nil {
		m.entries, m.keys, m.links = make(map[Type][]maskEntry), make(map[Type]map[string]int), make(map[Type]map[string][]int)
	}
	for m.taken[t][len(m.entries[t])+1] {
		m.entries[t] = append(m.entries[t], maskEntry{kind: isTaken})
	}
	m.entries[t] = append(m.entries[t], e)
	n := len(m.entries[t])
	switch e.kind {
	case isValue, isAlone:
		m.len++
	case isLiteral:
		m.others++
	case isTaken: // counted when it was taken
	}
	m.link(t, n, e.words)
	return n
}

func (m *Map) key(t Type, key string, n int) {
	if m.keys[t] == nil {
		m.keys[t] = make(map[string]int)
	}
	m.keys[t][key] = n
	m.nkeys++
	m.bytes += len(key)
}

// link makes an entry findable by its words. A word that many values share
// leads to none of them any more.
func (m *Map) link(t Type, n int, words []string) {
	if len(words) > 0 && m.links[t] == nil {
		m.links[t] = make(map[string][]int)
	}
	for _, w := range words {
		if ns := m.links[t][w]; len(ns) <= maxShared && !slices.Contains(ns, n) {
			m.links[t][w] = append(ns, n)
		}
	}
}

// take keeps the number of a placeholder-like text free whose type has no
// values yet. So a value can never be asked for by naming it beforehand. In a
// full map no number is given away any more, so there is nothing to keep.
func (m *Map) take(t Type, n int) {
	if m == nil || n < 1 || n > 2*maxValues || !validType(t) || m.taken[t][n] || m.full(len(t)) {
		return
	}
	m.keepFree(t, n)
}

// keepFree enters a number that is taken.
func (m *Map) keepFree(t Type, n int) {
	if m.taken == nil {
		m.taken = make(map[Type]map[int]bool)
	}
	if m.taken[t] == nil {
		m.taken[t] = make(map[int]bool)
	}
	m.taken[t][n] = true
	m.others++
	m.bytes += len(t)
}

// linked returns the one value that another spelling stands for; several
// reports that more than one fits.
func (m *Map) linked(t Type, e *maskEntry) (n int, several bool) {
	if len(e.words) == 0 || m.links[t] == nil {
		return 0, false
	}
	for _, w := range e.words {
		ns := m.links[t][w]
		if len(ns) > maxShared {
			return 0, true
		}
		for _, k := range ns {
			if k == n || !agree(t, &m.entries[t][k-1], e) {
				continue
			}
			if n > 0 {
				return 0, true
			}
			n = k
		}
	}
	return n, false
}

// widen adds to a value what another spelling of it says more.
func (m *Map) widen(t Type, n int, by maskEntry) {
	e := &m.entries[t][n-1]
	if e.sex == noSex {
		e.sex = by.sex
	}
	if t != Person {
		return
	}
	for _, w := range by.words {
		if slices.Contains(e.words, w) || m.bytes+len(w) > maxBytes || len(e.words) >= maxWords {
			continue
		}
		e.words = append(e.words, w)
		m.bytes += len(w)
		m.link(t, n, e.words[len(e.words)-1:])
	}
}

// remember keeps a masked text from which its clear text cannot be made again
// by values alone, and forgets an older one that was masked to the same.
func (m *Map) remember(masked, text string, respelt bool) {
	if m == nil {
		return
	}
	if old, ok := m.respelt[masked]; ok {
		m.spelt -= len(masked) + len(old)
		delete(m.respelt, masked)
	}
	n := len(masked) + len(text)
	if !respelt || n > maxBytes {
		return
	}
	if m.respelt == nil || len(m.respelt) >= maxRespelt || m.spelt+n > maxBytes {
		m.respelt, m.spelt = make(map[string]string), 0
	}
	m.respelt[masked] = text
	m.spelt += n
}
