package pii

import (
	"sort"
	"unicode/utf8"
)

// Limits of a look at the words around a place.
const (
	reachBefore = 60 // characters
	reachAfter  = 44 // characters
	mostWords   = 10 // before
	mostBehind  = 7  // after
	mostHits    = 8
	maxTokens   = 64  // more than the characters that are looked at
	maxFolded   = 192 // bytes: three for each of them
	afterDelay  = 2   // a word behind counts as if it stood so many words farther away
)

// nearby are the words with a meaning (see words.go) around a place in a text,
// the nearest first. Ask it:
//
//	near := s.context(start, end)
//	if near.announces(DriverLicense) {      // "driving licence: " stands before
//		sp.Context = near.word(DriverLicense) // the word, as in words.go
//	}
//
// It belongs to the scan and is good until the next call of context.
type nearby struct {
	start, end int // what it was made for
	hits       [mostHits]hit
	n          int
}

// hit is one word that was found.
type hit struct {
	word  uint16 // index in the list of words
	dist  uint8  // how many words stand between
	after bool
}

// group is a type as a number, for quick comparing.
type group uint8

// groupSet is a set of groups.
type groupSet [3]uint64

const maxGroups = 192

func (g *groupSet) put(i group) { g[i/64] |= 1 << (i % 64) }

// meets reports whether the two have a group in common.
func (g *groupSet) meets(o *groupSet) bool { return g[0]&o[0]|g[1]&o[1]|g[2]&o[2] != 0 }

func (g *groupSet) has(i group) bool { return g[i/64]&(1<<(i%64)) != 0 }

// context looks at the words before and after text[start:end] once: on the
// same line, or on the line before where nothing else begins the line; up to 60
// characters and ten words before, 44 characters and seven words behind; no
// farther than the next number of six digits. A word behind that is rather the
// label of what follows ("…, phone: 12") does not count. Asking again for the
// same place costs nothing, and nothing is allocated.
//
// Words are compared without case, accents and width. In scripts that do not
// put spaces between words they are found inside of what stands there.
func (s *scan) context(start, end int) *nearby {
	c := &s.near
	if c.start == start && c.end == end && end > 0 {
		return c
	}
	c.start, c.end, c.n = start, end, 0
	var l line
	l.read(s.text[lowEnd(s.text, start):start], false)
	c.collect(&l, false)
	if end < len(s.text) {
		l.n, l.size = 0, 0
		l.read(s.text[end:min(len(s.text), end+3*reachAfter)], true)
		c.collect(&l, true)
	}
	return c
}

// announces reports whether a word for the type stands near, and no word
// nearer that says the number is something which is no personal data (an
// order, an invoice).
func (c *nearby) announces(t Type) bool { return c.find(contextTable().groupOf(t)) >= 0 }

// word returns the nearest word for the type as it is written in words.go, ""
// where it is not announced.
func (c *nearby) word(t Type) string { return c.wordOf(contextTable().groupOf(t)) }

// distance returns how many words stand between the nearest word for the type
// and the place, -1 where it is not announced.
func (c *nearby) distance(t Type) int { return c.distanceOf(contextTable().groupOf(t)) }

// denied reports whether the nearest word with a meaning says that the number
// is something which is no personal data.
func (c *nearby) denied() bool {
	return c.n > 0 && contextTable().words[c.hits[0].word].groups.has(groupNone)
}

// nearest reports whether the nearest word with a meaning is one for the type.
func (c *nearby) nearest(t Type) bool {
	g := contextTable().groupOf(t)
	return g != groupNone && c.n > 0 && contextTable().words[c.hits[0].word].groups.has(g)
}

// find returns the index of the hit that announces group g, -1 for none.
func (c *nearby) find(g group) int {
	if g == groupNone {
		return -1
	}
	t := contextTable()
	for i := range c.hits[:c.n] {
		set := &t.words[c.hits[i].word].groups
		if set.has(g) {
			return i
		}
		if set.has(groupNone) {
			return -1
		}
	}
	return -1
}

func (c *nearby) wordOf(g group) string {
	if i := c.find(g); i >= 0 {
		return contextTable().words[c.hits[i].word].shown
	}
	return ""
}

func (c *nearby) distanceOf(g group) int {
	if i := c.find(g); i >= 0 {
		return int(c.hits[i].dist)
	}
	return -1
}

// lowEnd walks back from start to where the look begins.
func lowEnd(text string, start int) int {
	at, digits, words := start, 0, 0
	edge := start // right end of the last run of digits
	inWord, broken := false, false
	for n := 0; n < reachBefore && at > 0; n++ {
		r, w := rune(text[at-1]), 1
		if r >= utf8.RuneSelf {
			r, w = utf8.DecodeLastRuneInString(text[:at])
		}
		k := kindOf(r)
		switch {
		case r == '\n':
			if words > 0 || inWord || broken || digits > 0 {
				return at
			}
			broken = true // the label stands on the line above
		case k == digitRune:
			if digits == 0 {
				edge = at
			}
			if digits++; digits >= 6 {
				return edge
			}
		case k == letterRune || k == glyphRune:
			digits = 0
		}
		if k == letterRune != inWord {
			if inWord {
				words++
			}
			inWord = !inWord
		}
		if words >= mostWords {
			return at
		}
		at -= w
	}
	if inWord && at > 0 { // not from the middle of a word
		if r, _ := utf8.DecodeLastRuneInString(text[:at]); kindOf(r) == letterRune {
			for at < start {
				r, w := utf8.DecodeRuneInString(text[at:])
				if kindOf(r) != letterRune {
					break
				}
				at += w
			}
		}
	}
	return at
}

// line is a piece of text as folded words, all in one buffer without what
// stands between them, so that "tax id", "tax-id" and "TaxID" look the same.
type line struct {
	buf    [maxFolded]byte
	size   int
	tokens [maxTokens]token
	n      int
}

type token struct {
	start, end uint8 // in buf
	word       uint8 // how many words are before this one
	joined     bool  // only a space, hyphen, dot or the like in front of it
	single     bool  // one character of a script without spaces
}

// read cuts text into words. Behind a number (label is true) it stops where
// the next number or its label begins.
func (l *line) read(text string, behind bool) {
	joined, open := false, false
	digits, words, mark, chars := 0, 0, 0, 0
	for i := 0; i < len(text); {
		r, w := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, w = utf8.DecodeRuneInString(text[i:])
		}
		i += w
		chars++
		k := kindOf(r)
		if k == skipRune {
			continue
		}
		if behind {
			if k == digitRune {
				digits++
			} else {
				digits = 0
			}
			if r == ':' || r == '=' || r == '#' || r == 0xff1a || digits >= 4 {
				l.n = mark
				return
			}
			begins := k == letterRune && !open || k == glyphRune
			if r == '\n' || chars > reachAfter && (begins || !open) || begins && k != glyphRune && words >= mostBehind {
				return
			}
		}
		if k != letterRune && k != glyphRune {
			joined = joined && k == joinRune || k == joinRune && open
			if k == breakRune {
				mark = l.n
			}
			open = false
			continue
		}
		if !open || k == glyphRune {
			if k == letterRune || !open {
				words++
			}
			l.tokens[l.n] = token{
				start: uint8(l.size), word: uint8(words - 1), single: k == glyphRune, //nolint:gosec // below maxFolded
				joined: joined || k == glyphRune || open,
			}
			l.n++
		}
		open, joined = true, true
		l.size += foldWord(l.buf[l.size:l.size:maxFolded], r)
		l.tokens[l.n-1].end = uint8(l.size) //nolint:gosec // below maxFolded
	}
}

// collect enters the words of a line that have a meaning, sorted by distance.
func (c *nearby) collect(l *line, after bool) {
	t := contextTable()
	for i := 0; i < l.n; {
		w, to := t.longest(l, i)
		if w < 0 {
			i++
			continue
		}
		h := hit{word: uint16(w), after: after} //nolint:gosec // an index
		if after {
			h.dist = l.tokens[i].word + afterDelay
		} else {
			h.dist = l.tokens[l.n-1].word - l.tokens[to-1].word
		}
		c.enter(h)
		i = to
	}
}

// enter puts a hit in its place; of too many the farthest is lost.
func (c *nearby) enter(h hit) {
	at := c.n
	for at > 0 && c.hits[at-1].dist > h.dist {
		at--
	}
	if at == mostHits {
		return
	}
	c.n = min(c.n+1, mostHits)
	copy(c.hits[at+1:c.n], c.hits[at:])
	c.hits[at] = h
}

// longest returns the longest entry of the table that begins with token i, and
// the token behind it; -1 for none.
func (t *wordTable) longest(l *line, i int) (word, next int) {
	from := int(l.tokens[i].start)
	word, next = -1, i+1
	r := t.begin(l.buf[from:l.size])
	last := i // the token that the byte before k is part of
	for r.depth > 0 && from+1 == int(l.tokens[last].end) && last == i {
		if last+1 == l.n || !l.tokens[last+1].joined {
			return -1, i + 1
		}
		last++
	}
	for k := r.depth; r.low < r.high; {
		if r.low < r.high && len(t.words[r.low].key) == k {
			e := &t.words[r.low]
			whole := from+k == int(l.tokens[last].end)
			if whole || e.stem {
				word, next = r.low, last+1
			}
		}
		if from+k == int(l.tokens[last].end) {
			if last+1 == l.n || !l.tokens[last+1].joined {
				break
			}
			last++
		}
		r.narrow(t, k, l.buf[from+k])
		k++
	}
	return word, next
}

// span is a range of the sorted words which begin with the same depth bytes.
type wordRange struct{ low, high, depth int }

// begin returns the words that begin with the first two letters, or all.
func (t *wordTable) begin(b []byte) wordRange {
	if len(b) >= 2 && b[0]-'a' < 26 && b[1]-'a' < 26 {
		k := int(b[0]-'a')*26 + int(b[1]-'a')
		return wordRange{int(t.index[k]), int(t.index[k+1]), 2}
	}
	return wordRange{0, len(t.words), 0}
}

// narrow keeps the words that have byte b at place k.
func (r *wordRange) narrow(t *wordTable, k int, b byte) {
	at := func(i int) int { // -1 where the word has ended
		if w := t.words[i].key; k < len(w) {
			return int(w[k])
		}
		return -1
	}
	low := r.low + sort.Search(r.high-r.low, func(i int) bool { return at(r.low+i) >= int(b) })
	r.high = low + sort.Search(r.high-low, func(i int) bool { return at(low+i) > int(b) })
	r.low = low
}
