package wire

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/sotto-chat/sotto"
)

// Units returns the length of s in UTF-16 code units, in which Telegram and
// others count texts and offsets.
func Units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// Split cuts text into parts of at most limit UTF-16 units. It cuts between
// paragraphs, else lines, else words, as long as that leaves a part at least
// half full; it never cuts inside what a reader sees as one character or
// inside a web address, unless that alone is longer than limit. White space at
// a cut is dropped, and so are parts of nothing else. The limit is at least 2.
func Split(text string, limit int) []string { return AppendSplit(nil, text, limit, Units) }

// Measure says how long a network takes a text to be. It is additive, and never
// more than the text's bytes.
type Measure func(s string) int

// Bytes measures in bytes of UTF-8.
func Bytes(s string) int { return len(s) }

// AppendSplit is [Split] by a measure of choice, which is [Units] or [Bytes],
// and appends the parts to those there are. The limit is at least one character.
func AppendSplit(parts []string, text string, limit int, size Measure) []string {
	limit = max(limit, size("\U0010FFFF")) // a character is never cut
	for runes(text, limit, size) < len(text) {
		at := cut(text, limit, size)
		parts = add(parts, strings.TrimRightFunc(text[:at], unicode.IsSpace))
		text = strings.TrimLeftFunc(text[at:], unicode.IsSpace)
	}
	if strings.TrimSpace(text) == "" {
		return parts
	}
	return append(parts, text)
}

func add(parts []string, s string) []string {
	if s == "" {
		return parts
	}
	return append(parts, s)
}

// places are the ends of the last paragraph, line, word and character that
// fit, and of the last character outside a web address.
type places struct {
	para, line, word, glyph int
	half                    int // the first place that leaves a part half full
	pos                     int // the last character that fits ends here
}

// cut returns where text, which is longer than limit, is best cut.
func cut(text string, limit int, size Measure) int {
	p, link := survey(text, limit, size)
	if p.pos < len(text) && isSpace(text[p.pos:]) { // as good as one before
		p.word, link = p.pos, false
	}
	for _, at := range []int{p.para, p.line, p.word} {
		if at > 0 && at >= p.half {
			return at
		}
	}
	switch {
	case link && p.glyph > 0:
		return p.glyph
	case p.pos > 0:
		return p.pos
	}
	return runes(text, limit, size)
}

// survey finds the places of the part that fits, and whether it ends inside a
// web address.
func survey(text string, limit int, size Measure) (p places, link bool) {
	used, state := 0, -1
	for rest := text; rest != ""; {
		if !link && head(text, p.pos) {
			link = isLink(rest)
		}
		g, next, _, st := uniseg.FirstGraphemeClusterInString(rest, state)
		n := size(g)
		if used+n > limit {
			return p, link
		}
		p.pos, used, rest, state = p.pos+len(g), used+n, next, st
		if p.half == 0 && used >= limit/2 {
			p.half = p.pos
		}
		if !isSpace(g) {
			if !link {
				p.glyph = p.pos
			}
			continue
		}
		link = false
		if g[len(g)-1] == '\n' {
			if p.line > 0 && strings.TrimSpace(text[p.line:p.pos]) == "" {
				p.para = p.pos
			}
			p.line = p.pos
		}
		p.word, p.glyph = p.pos, p.pos
	}
	return p, link
}

// runes returns how much of text fits when it may be cut between any runes.
func runes(text string, limit int, size Measure) int {
	if len(text) <= limit { // no measure is more than the bytes
		return len(text)
	}
	used := 0
	for i := 0; i < len(text); {
		_, w := utf8.DecodeRuneInString(text[i:])
		if used += size(text[i : i+w]); used > limit {
			return i
		}
		i += w
	}
	return len(text)
}

// head reports whether a word begins at pos.
func head(text string, pos int) bool {
	if pos == 0 {
		return true
	}
	r, _ := utf8.DecodeLastRuneInString(text[:pos])
	return !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

func isSpace(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(r)
}

// isLink reports whether s begins with a web address.
func isLink(s string) bool {
	for _, p := range []string{"https://", "http://", "www."} {
		if len(s) >= len(p) && strings.EqualFold(s[:len(p)], p) {
			return true
		}
	}
	return false
}

// Numbered adds buttons to a text as a numbered list, for where they cannot be
// shown as buttons.
func Numbered(text string, buttons []sotto.Button) string {
	var b strings.Builder
	b.WriteString(text)
	for i, c := range buttons {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strconv.Itoa(i + 1))
		b.WriteString(". ")
		b.WriteString(c.Label)
	}
	return b.String()
}
