package pii

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxLone is how long a text may be that is nothing but one identifier.
const maxLone = 40

// Alternatives says what a text that is nothing but one number may be: each
// national identifier whose form and check it fits. No word says which of them
// it is, so the score is low and several are listed; [Finder.Find], which has to
// choose, gives at most one. It returns nil for any other text, and for types
// that the Finder does not look for. Such spans overlap.
func (f *Finder) Alternatives(text string) []Span {
	lone := strings.TrimSpace(text)
	if len(lone) < minCode || len(lone) > maxLone || !isLone(lone) {
		return nil
	}
	at := strings.Index(text, lone)
	var out []Span
	for _, t := range nationalTypes() {
		if len(f.Types) > 0 && !slices.Contains(f.Types, t) {
			continue
		}
		one := Finder{Types: []Type{t}, Regions: f.Regions, Threshold: f.Threshold} // two types of one form would hide each other
		for _, s := range one.Find(lone) {
			if s.Start == 0 && s.End == len(lone) {
				s.Start, s.End = at, at+len(lone)
				out = append(out, s)
			}
		}
	}
	return out
}

// isLone reports whether a text is one code: digits, letters in no more than two
// groups, and what stands between them.
func isLone(s string) bool {
	digits, groups, in := 0, 0, false
	for i := 0; i < len(s); {
		c, w := next(s, i)
		switch {
		case isDigit(c):
			digits++
			in = false
		case isAlpha(c):
			if !in {
				groups++
			}
			in = true
		case c == ' ', c == '-', c == '.', c == '/', c == '+', c == ':', c == skip:
			in = false
		default:
			return false
		}
		i += max(w, 1)
	}
	return digits >= 3 && groups <= 6 && utf8.ValidString(s)
}

// nationalTypes are the identifiers of single countries.
var nationalTypes = sync.OnceValue(func() (out []Type) { //nolint:gochecknoglobals // a constant table
	for _, t := range Types() {
		if t.national() {
			out = append(out, t)
		}
	}
	return out
})
