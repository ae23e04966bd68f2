package pii

import (
	"strconv"
	"strings"
)

// Limits of a [Map]. What does not fit is masked all the same, by a placeholder
// without a number, which cannot be put back.
const (
	maxValues  = 1000
	maxBytes   = 128 << 10
	maxRespelt = 16
)

// Map remembers which placeholder stands for which value. It holds personal
// data in clear and belongs to one person and one turn; it prints as "[pii
// map]". It is used by one goroutine at a time. The zero value and [NewMap]
// are empty maps; a nil Map remembers nothing.
type Map struct {
	values  map[Type][]string       // placeholder n of a type stands for values[type][n-1]
	numbers map[Type]map[string]int // by the value in its normal form
	respelt map[string]string       // masked texts with a value spelt in several ways, and their clear text
	bytes   int                     // of values and normal forms
	spelt   int                     // bytes of respelt
	len     int                     // values
	others  int                     // what looked like a placeholder and got one
}

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

// Mask replaces findings by placeholders like [EMAIL_1]. The same value gets
// the same placeholder within a Map, however it is spelt. Where the text itself
// holds something that [Map.Unmask] would read as a placeholder, that gets a
// placeholder of its own, so that nobody can ask for a value by writing its
// placeholder. A text without findings is returned as it is.
func (f *Finder) Mask(m *Map, text string) string {
	found := f.Find(text)
	if found == nil && !strings.Contains(text, "[") {
		return text
	}
	var b strings.Builder
	respelt := false
	put := func(from, to int, t Type, key string) {
		if b.Cap() == 0 {
			b.Grow(len(text) + 32)
		}
		n, other := m.number(t, key, text[from:to])
		respelt = respelt || other
		b.WriteByte('[')
		b.WriteString(string(t))
		if n > 0 {
			b.WriteByte('_')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteByte(']')
	}
	done := 0
	for i := 0; i <= len(text); {
		switch {
		case len(found) > 0 && found[0].Start == i:
			sp := found[0]
			b.WriteString(text[done:sp.Start])
			put(sp.Start, sp.End, sp.Type, normal(sp.Type, text[sp.Start:sp.End]))
			found, i, done = found[1:], sp.End, sp.End
			continue
		case i == len(text):
		default:
			p, ok := readPlaceholder(text, i)
			if ok && (len(found) == 0 || p.end <= found[0].Start) {
				b.WriteString(text[done:i])
				put(i, p.end, p.typ, "["+text[i:p.end])
				i, done = p.end, p.end
				continue
			}
		}
		i++
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	masked := b.String()
	m.remember(masked, text, respelt)
	return masked
}

// Unmask puts values back. It also reads what a bot made of a placeholder:
// other case, a space or hyphen for the underscore, Markdown's backslashes. An
// unknown placeholder stays as it is, and a value is never read again. Where
// the text is one that Mask made, the result is the text that Mask was given;
// otherwise a value comes back as it was spelt first.
func (m *Map) Unmask(text string) string {
	if m == nil || m.values == nil || !strings.Contains(text, "[") {
		return text
	}
	if original, ok := m.respelt[text]; ok {
		return original
	}
	var b strings.Builder
	done := 0
	for i := 0; i < len(text); {
		p, ok := readPlaceholder(text, i)
		if vs := m.values[p.typ]; ok && p.n <= len(vs) {
			if b.Cap() == 0 {
				b.Grow(len(text) + 64)
			}
			b.WriteString(text[done:i])
			b.WriteString(vs[p.n-1])
			i, done = p.end, p.end
			continue
		}
		i++
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}

// number returns the number of a value's placeholder, a new one where it has
// none. It is 0 where the map is full. respelt reports that the value was first
// spelt in another way.
func (m *Map) number(t Type, key, value string) (n int, respelt bool) {
	if m == nil {
		return 0, false
	}
	if n := m.numbers[t][key]; n > 0 {
		return n, m.values[t][n-1] != value
	}
	if m.len+m.others >= maxValues || m.bytes+len(key)+len(value) > maxBytes {
		return 0, false
	}
	if m.values == nil {
		m.values, m.numbers = make(map[Type][]string), make(map[Type]map[string]int)
	}
	if m.numbers[t] == nil {
		m.numbers[t] = make(map[string]int)
	}
	// The text of a whole message must not live as long as one value of it.
	m.values[t] = append(m.values[t], strings.Clone(value))
	m.numbers[t][strings.Clone(key)] = len(m.values[t])
	if strings.HasPrefix(key, "[") {
		m.others++
	} else {
		m.len++
	}
	m.bytes += len(key) + len(value)
	return len(m.values[t]), false
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

// normal is the form in which two spellings of one value are equal.
func normal(t Type, value string) string {
	buf := make([]byte, 0, len(value))
	for i := 0; i < len(value); {
		c, w := next(value, i)
		switch {
		case c == letter || c == other || t == Email && !isAlpha(c) && c != skip:
			buf = append(buf, strings.ToLower(value[i:i+w])...)
		case isAlpha(c):
			buf = append(buf, c|0x20)
		case isDigit(c), c == '+', t == IP && c != skip:
			buf = append(buf, c)
		}
		i += w
	}
	return string(buf)
}

// placeholder is one that was read: text[i:end].
type placeholder struct {
	typ Type
	n   int
	end int
}

// maxNumber is the greatest number that is read. It is short of every number
// that is personal data.
const maxNumber = 99999

// initials are the types by the first letter of their names.
var initials = func() (t [26][]Type) { //nolint:gochecknoglobals // a constant table
	for _, typ := range Types() {
		t[typ[0]-'A'] = append(t[typ[0]-'A'], typ)
	}
	return t
}()

// readPlaceholder reads a placeholder of a known type at i. It never reaches
// over another opening bracket, so what Mask puts side by side is read apart
// again. A backslash in front belongs to it only where its closing bracket has
// one too, which Mask never writes.
func readPlaceholder(text string, i int) (placeholder, bool) {
	escaped := i < len(text) && text[i] == '\\'
	if escaped {
		i++
	}
	if i >= len(text) || text[i] != '[' {
		return placeholder{}, false
	}
	i = spaces(text, i+1)
	if i >= len(text) || !isAlpha(text[i]) {
		return placeholder{}, false
	}
	for _, t := range initials[text[i]&^0x20-'A'] {
		at, ok := readName(text, i, string(t))
		if !ok || at >= len(text) || !isDigit(text[at]) { // DATE_ begins DATE_OF_BIRTH_ as well
			continue
		}
		n, from := 0, at
		for at < len(text) && isDigit(text[at]) && n <= maxNumber {
			n = 10*n + int(text[at]-'0')
			at++
		}
		if at == from || text[from] == '0' || n > maxNumber {
			return placeholder{}, false
		}
		at = spaces(text, at)
		closing := at < len(text) && text[at] == '\\'
		if closing {
			at++
		}
		if at >= len(text) || text[at] != ']' || escaped && !closing {
			return placeholder{}, false
		}
		return placeholder{typ: t, n: n, end: at + 1}, true
	}
	return placeholder{}, false
}

// readName reads a type's name in any case and the sign behind it.
func readName(text string, i int, name string) (end int, ok bool) {
	name += "_"
	for k := range len(name) {
		if name[k] == '_' && i < len(text) && text[i] == '\\' {
			i++
		}
		if i >= len(text) {
			return 0, false
		}
		c := text[i]
		same := c == name[k] || isAlpha(c) && c&^0x20 == name[k] || name[k] == '_' && (c == ' ' || c == '-')
		if !same {
			return 0, false
		}
		i++
	}
	return i, true
}

func spaces(text string, i int) int {
	for i < len(text) && text[i] == ' ' {
		i++
	}
	return i
}
