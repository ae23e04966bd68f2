package pii

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// wordTable are the words of words.go, folded and sorted.
type wordTable struct {
	words  []contextWord
	groups map[Type]group
	// general are the groups of types that are no identifiers of one country.
	general groupSet
	index   [26*26 + 1]uint16 // where the words begin that begin with these two letters
}

type contextWord struct {
	key    string // folded, without spaces
	shown  string // as it is written in words.go
	stem   bool   // words that begin with it count too
	groups groupSet
}

// groupNone is the group of notData, and of types that have no words.
const groupNone group = 0

// contextTable returns the table. It is built when it is needed first, because
// a program that only imports the package should not pay for it.
var contextTable = sync.OnceValue(func() *wordTable { //nolint:gochecknoglobals // a constant table
	t := &wordTable{groups: map[Type]group{notData: groupNone}}
	known := map[string]int{}
	for _, row := range contextWords() {
		g, ok := t.groups[row.of]
		if !ok {
			g = group(len(t.groups))
			t.groups[row.of] = g
			if !row.of.national() && row.of != notData && row.of != anyID {
				t.general.put(g)
			}
		}
		for shown := range strings.FieldsSeq(row.words) {
			t.put(known, shown, g)
		}
	}
	slices.SortFunc(t.words, func(a, b contextWord) int { return strings.Compare(a.key, b.key) })
	for i := range t.index {
		pair := string([]byte{byte('a' + i/26), byte('a' + i%26)})
		k, _ := slices.BinarySearchFunc(t.words, pair, func(w contextWord, pair string) int { return strings.Compare(w.key, pair) })
		t.index[i] = uint16(k)
	}
	return t
})

// put enters one word for a group.
func (t *wordTable) put(known map[string]int, shown string, g group) {
	shown, stem := strings.CutSuffix(shown, "*")
	var buf []byte
	for _, r := range shown {
		if k := kindOf(r); k == letterRune || k == glyphRune {
			var b [8]byte
			buf = append(buf, b[:foldWord(b[:0:8], r)]...)
		}
	}
	key := string(buf)
	i, ok := known[key]
	if !ok {
		i = len(t.words)
		known[key] = i
		t.words = append(t.words, contextWord{key: key, shown: strings.ReplaceAll(shown, "_", " ")})
	}
	w := &t.words[i]
	w.stem = w.stem || stem
	w.groups.put(g)
}

// groupOf returns the group of a type.
func (t *wordTable) groupOf(typ Type) group { return t.groups[typ] }

// runeKind is what a character is to the look at words.
type runeKind uint8

const (
	breakRune  runeKind = iota // a comma, bracket or the like: no phrase goes over it
	joinRune                   // a space, hyphen, dot: a phrase may go over it
	skipRune                   // as if it were not there
	digitRune                  // ends a word
	letterRune                 // part of a word
	glyphRune                  // a word or part of one, in a script without spaces between words
)

func kindOf(r rune) runeKind {
	if r < utf8.RuneSelf {
		return asciiKinds[r]
	}
	switch {
	case r == 0xb7, r == 0xb0, r == 0xba, r == 0xaa, r == 0x2116: // · ° º ª №
		return joinRune
	case r == 0x2019 || r == 0x2018 || r == 0xb4:
		return joinRune
	case r >= 0x300 && r <= 0x36f, r >= 0x610 && r <= 0x61a, r >= 0x64b && r <= 0x65f: // marks
		return skipRune
	case r >= 0xe00 && r <= 0xe4f, r >= 0xe81 && r <= 0xecf, r >= 0x1780 && r <= 0x17d3, r >= 0x1000 && r <= 0x103f:
		return glyphRune // Thai, Lao, Khmer, Burmese
	case r >= 0x3041 && r <= 0x30ff, r >= 0x3400 && r <= 0x9fff, r >= 0xac00 && r <= 0xd7a3, r >= 0x1100 && r <= 0x11ff:
		return glyphRune // Japanese, Chinese, Korean
	case r >= 0xff21 && r <= 0xff3a, r >= 0xff41 && r <= 0xff5a:
		return letterRune
	}
	switch c := fold(r); {
	case c == ' ', c == '-', c == '.':
		return joinRune
	case c == skip:
		return skipRune
	case isDigit(c):
		return digitRune
	case c == letter:
		return letterRune
	}
	if r >= 0x590 && r <= 0xdff || r >= 0x10a0 && r <= 0x10ff {
		return letterRune // Hebrew, Arabic, the scripts of India, Georgian
	}
	return breakRune
}

// asciiKinds are the kinds of ASCII characters.
var asciiKinds = func() (t [utf8.RuneSelf]runeKind) { //nolint:gochecknoglobals // a constant table
	for c := range byte(utf8.RuneSelf) {
		switch {
		case isAlpha(c):
			t[c] = letterRune
		case isDigit(c):
			t[c] = digitRune
		case strings.IndexByte(" -._/'&", c) >= 0:
			t[c] = joinRune
		}
	}
	return t
}()

// Latin letters with marks from U+00C0 and U+0100 on, without them. A star is
// one that is written with two letters, or none.
const (
	latin1 = "aaaaaa*ceeeeiiiidnooooo*ouuuuy**aaaaaa*ceeeeiiiidnooooo*ouuuuy*y"
	latinA = "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkkkllllllllll" +
		"nnnnnnnnnoooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
)

// foldWord appends a letter in its folded form and returns how many bytes it
// takes, at most as many as the letter itself.
func foldWord(dst []byte, r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return len(append(dst, byte(r)|0x20)) //nolint:gosec // below RuneSelf
	case r >= 0xff21 && r <= 0xff5a:
		return len(append(dst, byte(r-0xff21+'A')|0x20))
	case r >= 0xc0 && r <= 0xff && latin1[r-0xc0] != '*':
		return len(append(dst, latin1[r-0xc0]))
	case r >= 0x100 && r <= 0x17f && latinA[r-0x100] != '*':
		return len(append(dst, latinA[r-0x100]))
	case r == 'ß' || r == 0x1e9e:
		return len(append(dst, "ss"...))
	case r == 'æ' || r == 'Æ':
		return len(append(dst, "ae"...))
	case r == 'œ' || r == 'Œ':
		return len(append(dst, "oe"...))
	case r == 'þ' || r == 'Þ':
		return len(append(dst, "th"...))
	case r >= 0x218 && r <= 0x21b:
		return len(append(dst, "sstt"[r-0x218]))
	case r >= 0x386 && r <= 0x3ce:
		r = greek(r)
	case r >= 0x410 && r <= 0x42f:
		r += 0x20
	case r == 0x401 || r == 0x451:
		r = 'е'
	case r >= 0x400 && r <= 0x40f:
		r += 0x50
	}
	return len(utf8.AppendRune(dst, r))
}

// greek returns the small letter without its mark.
func greek(r rune) rune {
	const from, to = "ΆΈΉΊΌΎΏάέήίόύώϊϋς", "αεηιουωαεηιουωιυσ"
	k := 0
	for _, f := range from {
		if f == r {
			return []rune(to)[k]
		}
		k++
	}
	if r >= 0x391 && r <= 0x3a9 {
		return r + 0x20
	}
	return r
}
