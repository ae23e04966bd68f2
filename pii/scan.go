package pii

import "unicode/utf8"

// scan is one pass over one text.
type scan struct {
	text    string
	regions []string
	found   []Span
	chain   chain  // the run of digits that is being looked at
	checks  int    // calls of the telephone library so far
	near    nearby // the words around the place that was asked for last
}

// Characters that have no ASCII counterpart are one of these, beside the ASCII
// character itself. All recognisers see text through this alphabet.
const (
	none   = 0x00 // before the beginning, after the end; the real one counts as other
	letter = 0x80 // a letter of an alphabet whose words are set apart by spaces
	skip   = 0x81 // invisible, as if it were not there
	other  = 0xff
)

// class says what a byte can begin.
type class uint8

const (
	plain class = iota
	digit
	atSign
	colon
	wide // not ASCII: the whole character decides
)

// classes is the class of each byte. A recogniser for something that begins
// otherwise gets a class of its own here and a case in run.
var classes = func() (t [256]class) { //nolint:gochecknoglobals // a constant table
	for c := '0'; c <= '9'; c++ {
		t[c] = digit
	}
	for c := utf8.RuneSelf; c < len(t); c++ {
		t[c] = wide
	}
	t['@'], t[':'] = atSign, colon
	return t
}()

// run hands every trigger to the recognisers that want it.
func (s *scan) run() {
	for i := 0; i < len(s.text); {
		c, w := classes[s.text[i]], 1
		if c == wide {
			var folded byte
			folded, w = next(s.text, i)
			c = classes[folded]
		}
		switch c {
		case digit:
			i = s.number(i)
			continue
		case atSign:
			s.add(email(s.text, i, i+w))
		case colon:
			if sp, ok := ipv6(s.text, i); ok {
				s.add(sp, true)
				i = sp.End
				continue
			}
		case plain, wide:
		}
		i += w
	}
}

// number tries everything that begins with a digit and returns where to go on:
// behind the finding, or behind this run of digits.
func (s *scan) number(i int) int {
	if sp, ok := iban(s.text, i); ok {
		s.add(sp, true)
		return sp.End
	}
	s.chain.read(s.text, i)
	if s.chain.total < 4 {
		return s.chain.chunks[0].end
	}
	if sp, ok := creditCard(s.text, &s.chain); ok {
		s.add(sp, true)
		return sp.End
	}
	if sp, ok := ipv4(s.text, i); ok {
		s.add(sp, true)
		return sp.End
	}
	if sp, ok := s.phone(); ok {
		s.add(sp, true)
		return sp.End
	}
	return s.chain.chunks[0].end
}

// add enters a finding. Where it overlaps earlier ones, the surer of the two
// stays, and of two equally sure ones the longer. Findings come nearly in
// order, so only the last ones can overlap.
func (s *scan) add(sp Span, ok bool) {
	if !ok {
		return
	}
	keep := len(s.found)
	for keep > 0 && s.found[keep-1].End > sp.Start {
		if last := s.found[keep-1]; !better(sp, last) {
			return
		}
		keep--
	}
	s.found = append(s.found[:keep], sp)
}

func better(a, b Span) bool {
	if a.Score > b.Score || a.Score < b.Score {
		return a.Score > b.Score
	}
	return a.End-a.Start > b.End-b.Start
}

// next returns the character at i in the recognisers' alphabet and its width
// in bytes; 0, 0 at the end.
func next(s string, i int) (c byte, width int) {
	if i >= len(s) {
		return none, 0
	}
	if s[i] < utf8.RuneSelf {
		return ascii(s[i]), 1
	}
	r, w := utf8.DecodeRuneInString(s[i:])
	return fold(r), w
}

// prev is next for the character that ends at i.
func prev(s string, i int) (c byte, width int) {
	if i <= 0 {
		return none, 0
	}
	if s[i-1] < utf8.RuneSelf {
		return ascii(s[i-1]), 1
	}
	r, w := utf8.DecodeLastRuneInString(s[:i])
	return fold(r), w
}

func ascii(c byte) byte {
	if c == none {
		return other
	}
	return c
}

// fold maps a character that is not ASCII to the recognisers' alphabet.
func fold(r rune) byte {
	switch {
	case r == utf8.RuneError:
		return other
	case r == 0xd7, r == 0xf7: // the signs for times and divided
		return other
	case r == 0xa0, r >= 0x2000 && r <= 0x200a, r == 0x202f, r == 0x205f, r == 0x3000:
		return ' '
	case r == 0xad, r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x2069, r == 0xfeff:
		return skip
	case r >= 0x2010 && r <= 0x2015, r == 0x2212, r == 0xfe63:
		return '-'
	case r >= 0xc0 && r <= 0x52f, r >= 0x1e00 && r <= 0x1fff, r >= 0x531 && r <= 0x587:
		return letter // Latin, Greek, Cyrillic, Armenian, and the marks that combine with them
	case r >= 0xff01 && r <= 0xff5e:
		return byte(r - 0xff01 + '!')
	}
	return foldDigit(r)
}

// zeros are the digits nought of scripts in use on networks; nine more follow each.
const zeros = "٠۰߀०০੦૦୦௦౦೦൦๐໐༠၀០"

func foldDigit(r rune) byte {
	if r < 0x660 || r > 0x17e9 {
		return other
	}
	for _, z := range zeros {
		if r >= z && r <= z+9 {
			return byte(r-z) + '0' //nolint:gosec // 0 to 9, by the line above
		}
	}
	return other
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' && c < utf8.RuneSelf }

// isWord reports whether c continues a word: a finding neither begins behind
// it nor ends in front of it.
func isWord(c byte) bool { return isDigit(c) || isAlpha(c) || c == letter || c == '_' }

// after returns the next character at or behind i that is not invisible, and
// where it begins.
func after(s string, i int) (c byte, at int) {
	for {
		c, w := next(s, i)
		if c != skip {
			return c, i
		}
		i += w
	}
}

// before returns the last character in front of i that is not invisible, and
// where it begins.
func before(s string, i int) (c byte, at int) {
	for {
		c, w := prev(s, i)
		i -= w
		if c != skip {
			return c, i
		}
	}
}
