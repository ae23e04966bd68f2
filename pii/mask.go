package pii

import (
	"strconv"
	"strings"
)

// Mask replaces findings by placeholders like [EMAIL_1]. The same value gets
// the same placeholder within a Map, however it is spelt; see [Map] for when
// two values are one. Where the text itself holds something that [Map.Unmask]
// would read as a placeholder, that gets a placeholder of its own, so that
// nobody can ask for a value by writing its placeholder. A text without
// findings is returned as it is.
func (f *Finder) Mask(m *Map, text string) string {
	found := f.Find(text)
	if found == nil && !holdsBracket(text) {
		return text
	}
	r := rewriter{use: Use{Map: m}, lazy: true}
	return r.whole(text, found)
}

// holdsBracket reports whether a placeholder may stand in the text.
func holdsBracket(text string) bool {
	return strings.IndexByte(text, '[') >= 0 || strings.Contains(text, "【") || strings.Contains(text, "［")
}

// rewriter puts something in the place of findings.
type rewriter struct {
	use     Use
	policy  *Policy // nil: placeholders for everything
	out     []byte
	ours    []int // where placeholders that were put in begin, in out; only under a policy
	respelt bool  // a value was first spelt in another way
	lossy   bool  // something else than placeholders was put in
	lazy    bool  // nothing is copied where nothing is replaced
}

// whole rewrites a whole text.
func (r *rewriter) whole(text string, found []Span) string {
	r.part(text, 0, len(text), found)
	if r.out == nil {
		return text
	}
	r.guard(0)
	masked := string(r.out)
	r.use.Map.remember(masked, text, r.respelt && !r.lossy)
	return masked
}

// part appends text[from:to], rewritten, to out. Findings lie in it, in order,
// and none is left as it is.
func (r *rewriter) part(text string, from, to int, found []Span) {
	done := from
	for i := from; i < to; {
		for len(found) > 0 && found[0].Start < i {
			found = found[1:]
		}
		at := len(found) > 0 && found[0].Start == i
		if mayBegin(text[i]) {
			// Findings that lie in a placeholder belong to it: "[AGE_34]".
			p, is := readPlaceholder(text[:to], i)
			if is == aPlaceholder && !reaches(found, i, p.end) && r.literal(text, &done, i, p) {
				i = done
				continue
			}
		}
		if at {
			sp := found[0]
			r.copy(text[done:i], len(text))
			r.put(r.operator(sp.Type), sp, text[sp.Start:sp.End])
			i, done = sp.End, sp.End
			continue
		}
		i++
	}
	if r.out != nil || !r.lazy {
		r.copy(text[done:to], 0)
	}
}

// reaches reports whether a finding begins in text[from:to] and ends behind it.
func reaches(found []Span, from, to int) bool {
	for _, sp := range found {
		if sp.Start >= to {
			return false
		}
		if sp.End > to || sp.Start == from && sp.End < to {
			return true
		}
	}
	return false
}

func (r *rewriter) copy(s string, size int) {
	if r.out == nil && size > 0 {
		r.out = make([]byte, 0, size+32)
	}
	r.out = append(r.out, s...)
}

// literal replaces what the text holds itself that looks like a placeholder. It
// reports false where it can stay: its type is nobody's so far.
func (r *rewriter) literal(text string, done *int, i int, p placeholder) bool {
	t, builtin := p.typeName()
	m := r.use.Map
	if !builtin && (m == nil || m.entries[t] == nil) {
		m.take(t, p.n)
		return false
	}
	r.copy(text[*done:i], len(text))
	r.placeholder(t, m.literal(t, text[i:p.end]))
	*done = p.end
	return true
}

// operator returns what is done with a type.
func (r *rewriter) operator(t Type) Operator {
	if r.policy == nil {
		return Placeholder{}
	}
	return r.policy.operator(t, r.use)
}

// put appends what takes the place of a finding.
func (r *rewriter) put(op Operator, sp Span, value string) {
	if _, ok := op.(Placeholder); ok {
		n, other := r.use.Map.number(sp.Type, value)
		r.respelt = r.respelt || other
		r.placeholder(sp.Type, n)
		return
	}
	r.lossy = true
	r.out = op.Append(r.out, Finding{Type: sp.Type, Value: value, Use: r.use})
}

// placeholder appends a placeholder; n = 0 is one without a number.
func (r *rewriter) placeholder(t Type, n int) {
	if r.policy != nil {
		r.ours = append(r.ours, len(r.out))
	}
	r.out = appendPlaceholder(r.out, t, n)
}

// appendPlaceholder appends "[EMAIL_1]"; n = 0 is "[EMAIL]", and a type whose
// name is none is "[PII]".
func appendPlaceholder(dst []byte, t Type, n int) []byte {
	if !validType(t) {
		t, n = "PII", 0
	}
	dst = append(append(dst, '['), t...)
	if n > 0 {
		dst = strconv.AppendInt(append(dst, '_'), int64(n), 10)
	}
	return append(dst, ']')
}

// guard breaks every placeholder from out[from] on that was not put in as one:
// what an operator wrote, alone or together with the text around it, must not
// be read back as a value.
func (r *rewriter) guard(from int) {
	if !r.lossy || r.use.Map == nil {
		return
	}
	text := string(r.out)
	ours := r.ours
	for i := from; i < len(text); {
		for len(ours) > 0 && ours[0] < i {
			ours = ours[1:]
		}
		if mayBegin(text[i]) && (len(ours) == 0 || ours[0] != i) {
			if p, is := readPlaceholder(text, i); is == aPlaceholder {
				if t, builtin := p.typeName(); builtin || r.use.Map.entries[t] != nil {
					unbracket(r.out[i:])
					i = p.end
					continue
				}
			}
		}
		i++
	}
}

// unbracket makes the first opening bracket one that is not read.
func unbracket(b []byte) {
	for i, c := range b {
		switch c {
		case '[':
			b[i] = '('
			return
		case 0xe3: // 【 becomes 〔
			b[i+2] = 0x94
			return
		case 0xef: // ［ becomes （
			b[i+2] = 0x88
			return
		}
	}
}

// Unmask puts values back. It also reads what a bot made of a placeholder:
// other case, a space or hyphen for the underscore, Markdown's backslashes,
// full-width and Japanese brackets; not one without both of its brackets. An
// unknown placeholder stays as it is, and a value is never read again. Where
// the text is one that Mask made, the result is the text that Mask was given;
// otherwise a value comes back as it was spelt first. What another operator
// than [Placeholder] put in stays.
func (m *Map) Unmask(text string) string {
	if m == nil || m.entries == nil || !holdsBracket(text) {
		return text
	}
	if original, ok := m.respelt[text]; ok {
		return original
	}
	out, rest := m.unmask(text, true)
	if out == nil {
		return text
	}
	return string(append(out, text[rest:]...))
}

// unmask returns text with its values put back, up to done; whole says that
// nothing follows, so that what is left open is none. With whole, the result is
// nil where there is nothing to put back.
func (m *Map) unmask(text string, whole bool) (dst []byte, done int) {
	for i := 0; i < len(text); {
		if !mayBegin(text[i]) {
			i++
			continue
		}
		p, is := readPlaceholder(text, i)
		if is == openPlaceholder && !whole {
			return append(dst, text[done:i]...), i
		}
		if is == aPlaceholder && m != nil {
			if es := m.entries[Type(p.name[:p.len])]; p.n <= len(es) && es[p.n-1].kind != isTaken {
				if dst == nil {
					dst = make([]byte, 0, len(text)+64)
				}
				dst = append(append(dst, text[done:i]...), es[p.n-1].value...)
				i, done = p.end, p.end
				continue
			}
		}
		i++
	}
	if whole {
		return dst, done
	}
	return append(dst, text[done:]...), len(text)
}
