package pii

import (
	"strings"
	"unicode/utf8"
)

// MaxHeld is how many bytes a [Masker] or an [Unmasker] holds back at most.
const MaxHeld = 256

// Unmasker is [Map.Unmask] for a text that arrives in pieces, such as the
// answer of a model. It holds back only what may be the beginning of a
// placeholder, at most 99 bytes, so text without an open bracket goes through
// at once. However the text is cut, the result is that of the whole text, but
// that a value always comes back as it was spelt first. It is used by one
// goroutine at a time.
type Unmasker struct {
	m    *Map
	open string // what was not given out yet
}

// Unmasker returns an Unmasker for one text.
func (m *Map) Unmasker() *Unmasker { return &Unmasker{m: m} }

// Write takes the next piece and returns what can be given out.
func (u *Unmasker) Write(chunk string) string {
	if u.open == "" && !strings.ContainsFunc(chunk, func(r rune) bool { return r == '\\' || r == '[' || r >= 0x3000 }) && wholeRunes(chunk) == len(chunk) {
		return chunk
	}
	text := u.open + chunk
	n := wholeRunes(text)
	out, done := u.m.unmask(text[:n], false)
	u.open = strings.Clone(text[done:])
	return string(out)
}

// Close returns the rest. The Unmasker can be used for another text then.
func (u *Unmasker) Close() string {
	text := u.open
	u.open = ""
	out, done := u.m.unmask(text, true)
	return string(append(out, text[done:]...))
}

// wholeRunes returns the length of text without a character that is not
// complete at its end.
func wholeRunes(text string) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if c := text[len(text)-n]; utf8.RuneStart(c) {
			if !utf8.FullRuneInString(text[len(text)-n:]) {
				return len(text) - n
			}
			break
		}
	}
	return len(text)
}

// Masker is [Policy.Apply] for a text that arrives in pieces. What is given out
// depends on the text alone and never on how it was cut.
//
// A finding needs the words around it, so a Masker holds text back: until the
// line ends, or until 96 bytes more are there than are given out; at most 256
// bytes. It sees 128 bytes before what it decides on. So the result is that of
// the whole text but for this:
//
//   - what reaches over the end of a line is two values, or none where one half
//     says nothing;
//   - a value of more than about 160 bytes is replaced by a placeholder without
//     a number, and so is a private key of several lines; of one that shows only
//     at its end, more than 96 bytes from its beginning, the beginning stays;
//   - a word farther away than what is seen does not count, so that a name that
//     only its sentence makes one may be taken for one or not.
//
// It is used by one goroutine at a time.
type Masker struct {
	policy *Policy
	use    Use
	buf    []byte // what was given out last, and what was not yet
	seen   int    // bytes of buf that were given out
	next   int    // how many bytes held back are the next to be looked at
	drop   dropping
	line   []byte // of a private key, its last bytes
	out    []byte
}

// dropping says what of the text goes nowhere, because it belongs to a value
// that was too long.
type dropping uint8

const (
	dropNothing dropping = iota
	dropWord             // up to the next space
	dropKey              // up to the last line of a private key
)

const (
	streamAhead  = 96  // bytes behind what is decided on
	streamBehind = 128 // bytes in front of it
	streamFirst  = streamAhead + 64
	streamStep   = 16
)

// Masker returns a Masker for one text.
func (p *Policy) Masker(u Use) *Masker { return &Masker{policy: p, use: u, next: streamFirst} }

// Write takes the next piece and returns what can be given out.
func (m *Masker) Write(chunk string) string {
	m.out = m.out[:0]
	for len(chunk) > 0 {
		if m.drop != dropNothing {
			chunk = m.dropped(chunk)
			continue
		}
		n := min(len(chunk), m.next-m.held())
		if k := strings.IndexByte(chunk[:n], '\n'); k >= 0 {
			n = k + 1
		}
		m.buf = append(m.buf, chunk[:n]...)
		chunk = chunk[n:]
		switch {
		case m.buf[len(m.buf)-1] == '\n':
			m.release(true)
		case m.held() >= m.next:
			m.release(false)
		}
	}
	return string(m.out)
}

// Close returns the rest. The Masker can be used for another text then; its map
// stays.
func (m *Masker) Close() string {
	m.out = m.out[:0]
	m.release(true)
	out := string(m.out)
	*m = Masker{policy: m.policy, use: m.use, next: streamFirst}
	return out
}

func (m *Masker) held() int { return len(m.buf) - m.seen }

// dropped takes away what goes nowhere and returns the rest.
func (m *Masker) dropped(chunk string) string {
	if m.drop == dropWord {
		k := strings.IndexAny(chunk, " \t\r\n")
		if k < 0 {
			return ""
		}
		m.drop = dropNothing
		return chunk[k:]
	}
	const most = 72 // a last line, at most
	for i := range len(chunk) {
		m.line = append(m.line, chunk[i])
		if len(m.line) > 2*most {
			m.line = append(m.line[:0], m.line[len(m.line)-most:]...)
		}
		if chunk[i] != '-' {
			continue
		}
		if _, last, ok := strings.Cut(string(m.line), "-----END"); ok && strings.HasSuffix(last, "-----") {
			m.drop, m.line = dropNothing, nil
			return chunk[i+1:]
		}
	}
	return ""
}

// release gives out what can be decided on. At the end of a line, or of the
// text, that is everything.
func (m *Masker) release(all bool) {
	text := string(m.buf)
	found := m.policy.drop(m.use, m.policy.Finder.Find(text))
	for len(found) > 0 && found[0].End <= m.seen {
		found = found[1:]
	}
	if len(found) > 0 && found[0].Start < m.seen {
		found[0].Start = m.seen // the rest of what the end of a line cut off
	}
	to := len(text)
	if k := openKey(text[m.seen:]); k >= 0 && all && m.masks(Secret) {
		m.give(text, m.seen+k, found)
		m.tooLong(Secret, dropKey)
		return
	}
	if !all {
		to = m.cut(text, found)
		if to == m.seen {
			m.stuck(text, found)
			return
		}
	}
	m.give(text, to, found)
	m.forget(to)
}

// masks reports whether anything is done with a type.
func (m *Masker) masks(t Type) bool {
	return m.policy.Finder.wants(t) && !isLeave(m.policy.operator(t, m.use))
}

// cut returns how far the text can be given out: short of what a few more words
// could change, between words, and not inside of a finding or a bracket.
func (m *Masker) cut(text string, found []Span) int {
	to := len(text) - streamAhead
	for _, sp := range found {
		if sp.Start < to && sp.End > to {
			to = max(sp.Start, m.seen)
		}
	}
	for to > m.seen && !wordBorder(text, to) {
		to--
	}
	low := max(m.seen, to-maxPlaceholder)
	for i := low; i < to; i++ {
		if mayBegin(text[i]) {
			if p, is := readPlaceholder(text, i); is == openPlaceholder || is == aPlaceholder && p.end > to {
				to = i
			}
		}
	}
	if k := strings.LastIndexAny(text[low:to], "[]"); k >= 0 && text[low+k] == '[' && low+k > m.seen {
		to = low + k
	}
	for _, sp := range found { // a bracket may stand inside of a finding
		if sp.Start < to && sp.End > to {
			to = max(sp.Start, m.seen)
		}
	}
	return to
}

// wordBorder reports whether a word neither goes on at i nor a character.
func wordBorder(text string, i int) bool {
	if i < len(text) && !utf8.RuneStart(text[i]) {
		return false
	}
	a, _ := prev(text, i)
	b, _ := next(text, i)
	return !isWord(a) || !isWord(b)
}

// stuck handles text of which nothing could be given out: it waits for more,
// as long as it may.
func (m *Masker) stuck(text string, found []Span) {
	if m.held() < MaxHeld {
		m.next = min(m.held()+2*streamStep, MaxHeld)
		return
	}
	if len(found) > 0 && found[0].Start == m.seen {
		if sp := found[0]; sp.End < len(text) {
			m.give(text, sp.End, found)
			m.forget(sp.End)
			return
		}
		m.tooLong(found[0].Type, dropWord)
		return
	}
	// A word without an end. It is no value, as far as can be seen.
	to := len(text) - streamAhead
	if len(found) > 0 {
		to = min(to, found[0].Start)
	}
	for to > m.seen+1 && !utf8.RuneStart(text[to]) {
		to--
	}
	m.give(text, to, found)
	m.forget(to)
}

// give writes text up to to.
func (m *Masker) give(text string, to int, found []Span) {
	n := len(found)
	for n > 0 && found[n-1].Start >= to {
		n--
	}
	r := rewriter{use: m.use, policy: m.policy}
	r.part(text, m.seen, to, found[:n])
	r.guard(0)
	m.out = append(m.out, r.out...)
	m.seen = to
}

// forget keeps of what was given out only what is looked at again.
func (m *Masker) forget(to int) {
	from := max(0, to-streamBehind)
	for text := string(m.buf); from < to && !wordBorder(text, from); {
		from++
	}
	m.buf = append(m.buf[:0], m.buf[from:]...)
	m.seen = to - from
	m.next = min(max(streamFirst, m.held()+streamStep), MaxHeld)
}

// tooLong puts a placeholder without a number in the place of a value that is
// not at its end yet, and drops the rest of it.
func (m *Masker) tooLong(t Type, d dropping) {
	m.out = Redact{}.Append(m.out, Finding{Type: t})
	m.buf, m.seen, m.next, m.drop = m.buf[:0], 0, streamFirst, d
}

// openKey returns where a private key begins whose last line is missing, -1 for
// none.
func openKey(text string) int {
	const begin, finish = "-----BEGIN ", "-----END"
	k := strings.LastIndex(text, begin)
	if k < 0 {
		return -1
	}
	head, body, ok := strings.Cut(text[k+len(begin):], "-----")
	if !ok || !strings.HasSuffix(head, "PRIVATE KEY") && !strings.HasSuffix(head, "PRIVATE KEY BLOCK") {
		return -1
	}
	if _, last, ok := strings.Cut(body, finish); ok && strings.Contains(last, "-----") {
		return -1
	}
	return k
}
