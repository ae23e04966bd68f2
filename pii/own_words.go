package pii

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// terms are words, and several in a row, that are found whatever their case and
// accents and whatever signs stand between them: a tree by words.
type terms struct {
	next map[string]*terms
	end  bool
}

// add enters one entry and returns how many words it has.
func (t *terms) add(entry string) int {
	n := 0
	at := t
	for i := 0; ; {
		from, to, key := nextTerm(entry, i, nil)
		if from == to {
			break
		}
		if at.next == nil {
			at.next = make(map[string]*terms)
		}
		if at.next[string(key)] == nil {
			at.next[string(key)] = new(terms)
		}
		at = at.next[string(key)]
		n++
		i = to
	}
	at.end = at.end || n > 0
	return n
}

// find calls found for each longest entry in the text. They do not overlap. Each
// word of the text is looked at eight times at most.
func (t *terms) find(text string, found func(start, end int)) {
	var buf [64]byte
	for i := 0; ; {
		from, to, key := nextTerm(text, i, buf[:0])
		if from == to {
			return
		}
		i = to
		last := 0
		for at, k := t.next[string(key)], to; at != nil; {
			if at.end {
				last = k
			}
			gap := k
			f, e, key := nextTerm(text, k, buf[:0])
			const most = 3 // signs and spaces between two words
			if f == e || f-gap > most {
				break
			}
			at, k = at.next[string(key)], e
		}
		if last > 0 {
			found(from, last)
			i = last
		}
	}
}

// nextTerm returns the next word at or behind i and its folded form in dst; from
// is to where there is none. A letter of a script without spaces between words
// is a word for itself.
func nextTerm(text string, i int, dst []byte) (from, to int, key []byte) {
	for i < len(text) {
		c, w := next(text, i)
		if isAlpha(c) || isDigit(c) || c == letter || c == other && wideAt(text, i) {
			break
		}
		i += w
	}
	from, to = i, i
	for to < len(text) {
		c, w := next(text, to)
		wide := c == other && wideAt(text, to)
		if wide && to == from {
			to += w
			break
		}
		if !isAlpha(c) && !isDigit(c) && c != letter && c != skip {
			break
		}
		to += w
	}
	return from, to, appendFolded(dst, text[from:to])
}

func wideAt(text string, i int) bool {
	r, _ := utf8.DecodeRuneInString(text[i:])
	return wideLetter(r)
}

// wideLetter reports whether r is a letter of a script that is not written with
// the letters that next knows, many of them without spaces.
func wideLetter(r rune) bool {
	return r >= 0x590 && (unicode.IsLetter(r) || unicode.IsMark(r)) && fold(r) == other && !strings.ContainsRune("々", r)
}
