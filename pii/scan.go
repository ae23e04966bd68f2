package pii

import (
	"slices"
	"unicode/utf8"
)

// scan is one pass over one text.
type scan struct {
	text    string
	finder  *Finder
	regions []string // the Finder's
	found   []Span
	chain   chain     // the run of digits that is being looked at
	checks  int       // calls of the telephone library so far
	cues    [cues]int // where the last word of each kind ended; 0 for none
	hostEnd int       // up to here there is no link without a scheme
	tricks  tricks    // what would be seen better in a view
	spelt   int       // words for digits in a row
	speltAt int       // where the last of them ended
	near    nearby    // the words around the place that was asked for last
	view    *view     // what this scan looks at, where it is no text that somebody wrote
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
	alpha
	digit
	atSign
	colon
	period
	sign // an ampersand or a number sign
	wide // not ASCII: the whole character decides
)

// classes is the class of each byte. A recogniser for something that begins
// otherwise gets a class of its own here and a case in run.
var classes = func() (t [256]class) { //nolint:gochecknoglobals // a constant table
	for c := '0'; c <= '9'; c++ {
		t[c] = digit
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c&^0x20] = alpha, alpha
	}
	for c := utf8.RuneSelf; c < len(t); c++ {
		t[c] = wide
	}
	t['@'], t[':'], t['.'], t['&'], t['#'] = atSign, colon, period, sign, sign
	return t
}()

// run hands every trigger to the recognisers that want it. Each of the methods
// it calls returns where to go on.
func (s *scan) run() {
	for i := 0; i < len(s.text); {
		switch classes[s.text[i]] {
		case plain:
			i++
		case alpha:
			i = s.word(i)
		case digit:
			i = s.number(i)
		case atSign:
			i = s.at(i, i+1)
		case colon:
			i = s.colon(i, i+1)
		case period:
			i = s.period(i)
		case sign:
			i = s.sign(i)
		case wide:
			i = s.wide(i)
		}
	}
}

// word handles the ASCII letters at i. A word that means something is noted,
// and may itself announce a value.
func (s *scan) word(i int) int {
	end := i + 1
	for end < len(s.text) && classes[s.text[end]] == alpha {
		end++
	}
	var behind byte
	if end < len(s.text) {
		behind = s.text[end]
	}
	if behind >= utf8.RuneSelf {
		return s.foreignWord(i)
	}
	if i > 0 && isDigit(s.text[i-1]) {
		return end // the rest of a word with digits
	}
	if i == 0 || s.text[i-1] != '_' {
		if next, ok := s.code(i, end, behind); ok {
			return next
		}
	}
	if e := look(s.text[i:end]); e != nil {
		return s.cue(e, piece{i, end})
	}
	return end
}

// code looks for what can begin with a letter, or a digit, and is no word: keys,
// wallets and hardware addresses. Letters, or digits, end at end, in front of
// behind.
func (s *scan) code(i, end int, behind byte) (next int, ok bool) {
	if t := s.text[i:]; len(t) > 13 && (t[2] == ':' || t[2] == '-' || t[4] == '.') {
		if sp, ok := mac(s.text, i); ok {
			s.add(sp)
			return sp.End, true
		}
	}
	const least = 15 // of a code
	if isDigit(behind) || isAlpha(behind) || behind == '_' {
		end = tokenEnd(s.text, end)
	}
	if end-i < least && s.told(cueKey, i, 24) {
		end = base64End(s.text, end)
	}
	if end-i < least && (behind != ':' || end-i < 8) {
		return 0, false
	}
	if sp, ok := s.token(i, end); ok {
		s.add(sp)
		return sp.End, true
	}
	return 0, false
}

// tokenEnd returns the end of ASCII letters, digits and underscores.
func tokenEnd(text string, i int) int {
	for i < len(text) && (classes[text[i]] == alpha || classes[text[i]] == digit || text[i] == '_') {
		i++
	}
	return i
}

// token tries what is written in one piece of many letters and digits.
func (s *scan) token(start, end int) (Span, bool) {
	if sp, ok := s.knownKey(start, end); ok {
		return sp, true
	}
	if sp, ok := s.wallet(start, end); ok {
		return sp, true
	}
	return s.announcedKey(start, end)
}

// cue handles a word that means something.
func (s *scan) cue(e *entry, p piece) int {
	s.note(e, p.end)
	if e.digit() >= 0 {
		s.spell(p)
	}
	for _, k := range e.kinds {
		var sp Span
		var ok bool
		switch k { //nolint:exhaustive // most words are only noted
		case cuePassword, cuePass:
			sp, ok = s.password(k, p)
		case cuePIN, cueOTP, cueCode:
			sp, ok = s.pin(k, p)
		case cueHandle:
			sp, ok = s.username(p)
		case cueAt:
			sp, ok = s.spokenEmail(p)
		case cuePrefix:
			sp, ok = s.prefixedKey(p)
		case cueBegin:
			sp, ok = pem(s.text, p)
		case cueBIC:
			sp, ok = s.announcedBIC(p)
		}
		if ok {
			s.add(sp)
			return max(p.end, sp.End)
		}
	}
	return p.end
}

// foreignWord is word for one with letters that are not ASCII.
func (s *scan) foreignWord(i int) int {
	p := piece{i, wordEnd(s.text, i)}
	if p.end == i { // ASCII letters and a character that is no letter
		p.end = i + 1
	}
	var buf [maxCueWord]byte
	n, alphabets := plainWord(&buf, s.text[p.start:p.end])
	if alphabets == latin|lookalike || alphabets&wideLetters != 0 {
		s.tricks |= letters
	}
	if e := look(string(buf[:n])); e != nil {
		return s.cue(e, p)
	}
	return p.end
}

// wide handles a character that is not ASCII.
func (s *scan) wide(i int) int {
	r, w := utf8.DecodeRuneInString(s.text[i:])
	switch c := fold(r); classes[c] {
	case digit:
		return s.number(i)
	case atSign:
		return s.at(i, i+w)
	case colon:
		return s.colon(i, i+w)
	case alpha:
		return s.foreignWord(i)
	case plain, period, sign:
	case wide:
		switch {
		case c == letter:
			return s.foreignWord(i)
		case c == skip:
			s.invisible(i, i+w)
		case r >= 0x3040 && r <= 0xd7a3:
			return s.hanWord(r, i, i+w)
		case mathLetter(r) != r:
			s.tricks |= letters
		}
	}
	return i + w
}

// at handles an at sign.
func (s *scan) at(i, end int) int {
	if sp, ok := s.email(i, end); ok {
		s.add(sp)
		return max(sp.End, end)
	}
	if sp, ok := s.handle(i, end); ok {
		s.add(sp)
		return sp.End
	}
	return end
}

// colon handles a colon: a link or an address of version 6.
func (s *scan) colon(i, end int) int {
	if sp, ok := link(s.text, i, end); ok {
		s.add(sp)
		s.hostEnd = sp.End
		return s.inside(end, sp)
	}
	if sp, ok := ipv6(s.text, i); ok {
		s.add(sp)
		return sp.End
	}
	return end
}

// inside returns where to go on in a link, i being behind its scheme: a telephone
// number in one that leads to a person is found all the same.
func (s *scan) inside(i int, sp Span) int {
	if p, ok := waLink(s.text[i:sp.End]); ok {
		return i + p
	}
	if !s.finder.wants(URL) {
		return i // what is in it may be wanted
	}
	return sp.End
}

// number tries everything that begins with a digit and returns where to go on:
// behind the finding, or behind this run of digits.
func (s *scan) number(i int) int {
	if p, _ := prev(s.text, i); !isWord(p) && classes[s.text[i]] == digit {
		end := i + 1
		for end < len(s.text) && classes[s.text[end]] == digit {
			end++
		}
		var behind byte
		if end < len(s.text) {
			behind = s.text[end]
		}
		if next, ok := s.code(i, end, behind); ok {
			return next
		}
	}
	if sp, ok := iban(s.text, i); ok {
		s.add(sp)
		return sp.End
	}
	s.chain.read(s.text, i)
	if sp, ok := s.ipv4(); ok {
		s.add(sp)
		return sp.End
	}
	if s.chain.n == maxChunks && s.chain.total == maxChunks { // digits one by one
		s.noteSpaced(i)
		return s.chain.chunks[0].end
	}
	national, ok := s.national(i)
	if ok {
		s.add(national)
		if national.Score >= 0.85 {
			return national.End
		}
	}
	if s.chain.total < 4 {
		return max(national.End, s.chain.chunks[0].end)
	}
	if s.chain.n > 6 && s.chain.len(0) == 1 && s.chain.len(1) == 1 {
		s.noteSpaced(i)
	}
	sp, ok := s.creditCard()
	if !ok {
		sp, ok = s.bank()
	}
	if !ok {
		sp, ok = s.phone()
	}
	if ok {
		s.add(sp)
		return max(sp.End, national.End, s.chain.chunks[0].end)
	}
	return max(national.End, s.chain.chunks[0].end)
}

// add enters a finding. Where it overlaps earlier ones, the surer of the two
// stays, and of two equally sure ones the longer. Findings come nearly in
// order, so only the last ones are looked at.
func (s *scan) add(sp Span) {
	if sp.Score < s.finder.threshold() {
		return
	}
	to := len(s.found)
	for to > 0 && s.found[to-1].Start >= sp.End {
		to--
	}
	from := to
	for from > 0 && s.found[from-1].End > sp.Start {
		if !s.finder.better(sp, s.found[from-1]) {
			return
		}
		from--
	}
	if to == len(s.found) {
		s.found = append(s.found[:from], sp)
		return
	}
	s.found = slices.Replace(s.found, from, to, sp)
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

// foldDigit folds the digits of other scripts in use on networks. In most
// blocks of 128 the nought stands at 0x66.
func foldDigit(r rune) byte {
	var zero rune
	switch {
	case r >= 0x660 && r <= 0x669:
		zero = 0x660 // Arabic
	case r >= 0x6f0 && r <= 0x6f9:
		zero = 0x6f0 // Persian, Urdu
	case r >= 0x7c0 && r <= 0x7c9:
		zero = 0x7c0 // N'Ko
	case r >= 0x966 && r <= 0xd6f && r&0x7f >= 0x66 && r&0x7f <= 0x6f:
		zero = r&^0x7f + 0x66 // Devanagari to Malayalam
	case r >= 0xe50 && r <= 0xe59, r >= 0xed0 && r <= 0xed9, r >= 0xf20 && r <= 0xf29:
		zero = r &^ 0xf // Thai, Lao, Tibetan
	case r >= 0x1040 && r <= 0x1049:
		zero = 0x1040 // Burmese
	case r >= 0x17e0 && r <= 0x17e9:
		zero = 0x17e0 // Khmer
	case r >= 0x1d7ce && r <= 0x1d7ff:
		zero = r - (r-0x1d7ce)%10 // of mathematics, in five styles
	default:
		return other
	}
	return byte(r-zero) + '0' //nolint:gosec // 0 to 9, by the lines above
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
