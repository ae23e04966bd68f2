package pii

import (
	"slices"
)

// Limits of the code of a national identifier as it stands in a text.
const (
	minCode    = 7  // letters and digits of an identifier
	maxCode    = 18 // likewise
	maxRight   = 24 // letters and digits that are read from the first digit on
	maxLeft    = 18 // letters that are read in front of it
	maxParts   = 11
	maxLetters = 6 // of a part that is letters only

	// fewTypes is how many national identifiers a Finder may look for so that
	// naming one says that bare numbers count.
	fewTypes = 8
)

// nationalCode is what stands around a digit, cut into parts at single spaces,
// hyphens, dots and slashes: "PR 12 36 12 C". The recognisers see its letters
// (as capitals) and digits.
type nationalCode struct {
	b     [maxLeft + maxRight]byte
	n     int
	parts [maxParts]codePart
	np    int
	home  int // the part with the digit that began it
}

type codePart struct {
	start, end int  // in the text
	from, to   int  // in the code
	sep        byte // what stands in front: space, hyphen, dot, slash, plus sign; 0 for nothing
	digits     int
	lower      bool // holds a small letter
	upper      bool // holds a capital
}

// candidate is a code that passed a check.
type candidate struct {
	Span
	odds int
}

// national looks for a national identifier of which the digit at i is the
// first. Where several fit, the words around decide, then how sure the format is.
func (s *scan) national(i int) (Span, bool) {
	if p, _ := before(s.text, i); !isAlpha(p) && !s.mayBegin(i) {
		return Span{}, false
	}
	var c nationalCode
	if !c.right(s.text, i) || !c.left(s.text, i) {
		return Span{}, false
	}
	var best candidate
	for a := range c.home + 1 {
		if !s.mayBegin(c.parts[a].start) {
			continue
		}
		for b := c.np - 1; b >= c.home; b-- {
			n := c.parts[b].to - c.parts[a].from
			if n >= minCode && n <= maxCode && 2*n >= 3*(b-a+1) {
				s.window(&c, a, b, &best)
			}
		}
	}
	return best.Span, best.Score > 0
}

// window asks the rules for the length of parts a to b.
func (s *scan) window(c *nationalCode, a, b int, best *candidate) {
	code := c.b[c.parts[a].from:c.parts[b].to]
	letters := lettersOf(code)
	if letters == 0 && alike(code) {
		return
	}
	table := nationalTable()
	forms := table.forms(len(code), letters)
	for i := range forms {
		f := &forms[i]
		if letters&^f.either != f.must || !f.fits(code) {
			continue
		}
		r := &table.rules[f.rule]
		if !r.check(code) || !s.wants(r.of) {
			continue
		}
		w := window{scan: s, code: c, a: a, b: b, rule: r, letters: letters != 0, prefixed: f.at == 0 && len(f.literal) == 2}
		score, word := w.judge()
		if score > best.Score || score > 0 && score == best.Score && r.odds > best.odds {
			*best = candidate{odds: r.odds, Span: Span{
				Start: c.parts[a].start, End: c.parts[b].end, Type: s.reported(r.of),
				Score: score, Rule: r.name, Context: word,
			}}
		}
	}
}

// reported returns the type under which a finding is wanted: numbers of
// foreigners in Singapore are often called by the name of the citizens' number.
func (s *scan) reported(t Type) Type {
	if t == SGFIN && !s.listed(SGFIN) && s.listed(SGNRIC) {
		return SGNRIC
	}
	return t
}

func (s *scan) listed(t Type) bool { return slices.Contains(s.finder.Types, t) }

// wants reports whether findings of the type are wanted at all.
func (s *scan) wants(t Type) bool {
	return len(s.finder.Types) == 0 || s.listed(t) || t == SGFIN && s.listed(SGNRIC)
}

// window is a number of parts seen as one identifier.
type window struct {
	*scan
	code     *nationalCode
	a, b     int
	rule     *nationalRule
	letters  bool
	prefixed bool // with the code of the country in front, as for VAT
	keyBuf   [2 * maxParts]byte
	keyLen   int
}

// judge returns how sure it is that the parts are what the rule describes, and
// the word that says so.
func (w *window) judge() (float64, string) {
	r, c := w.rule, w.code
	start, end := c.parts[w.a].start, c.parts[w.b].end
	if p := &c.parts[w.a]; w.prefixed && p.lower && p.to-p.from == 2 && c.parts[w.a+1].sep != 0 {
		return 0, "" // rather a word: "mi DNI es 12345678Z"
	}
	if c.dateLike(w.a, w.b) || c.plus(w.a, w.b) && !r.hasShape(w.key()) {
		return 0, ""
	}
	near := w.context(start, end)
	d := near.distanceOf(r.group)
	if d >= 0 && w.otherNearer(near) {
		d = -1
	}
	if !w.bounded(d) {
		return 0, ""
	}
	if d >= 0 {
		score := 0.85
		if r.odds > 1 {
			score = 0.95
		}
		return score + 0.04/float64(1+d), near.wordOf(r.group)
	}
	if n := len(w.found); n > 0 && w.found[n-1].Type == r.of && start-w.found[n-1].End <= 6 && start >= w.found[n-1].End {
		return 0.85, "" // one more of a list
	}
	return w.alone(near), ""
}

// otherNearer reports whether a word for something that is no identifier of a
// country (a telephone number, an account) stands nearer than the one for the rule.
func (w *window) otherNearer(near *nearby) bool {
	t := contextTable()
	nearer := near.hits[:max(near.find(w.rule.group), 0)]
	return slices.ContainsFunc(nearer, func(h hit) bool { return t.general.meets(&t.words[h.word].groups) })
}

// alone returns how sure the format alone is.
func (w *window) alone(near *nearby) float64 {
	r := w.rule
	if near.n > 0 && (r.bare < 0.9 || r.odds < 1000) {
		t := contextTable()
		if set := &t.words[near.hits[0].word].groups; near.denied() || t.general.meets(set) {
			return 0 // announced as an order, a telephone number or the like
		}
	}
	score, shaped := 0.0, false
	switch k := w.key(); {
	case len(k) == 1:
		score = r.bare
	case r.hasShape(k):
		score, shaped = r.shaped, true
	}
	if w.prefixed {
		score = 0.85
	}
	if w.letters && (w.code.mixedCase(w.a, w.b) || w.prefixed && w.code.parts[w.a].lower) {
		score = 0
	}
	switch {
	case score < 0.6 && near.distanceOf(contextTable().groupOf(anyID)) >= 0 && (r.odds >= 90 || shaped):
		score = 0.6
	case r.strict && !shaped && score == 0:
	default:
		score = max(score, w.local(shaped))
	}
	return score
}

// local returns how sure a bare number is because its country is one of the
// Finder's regions, or because the Finder looks for few national identifiers,
// and for this one; 0 where that is not so.
func (w *window) local(shaped bool) float64 {
	asked := w.asked()
	switch {
	case !asked && !slices.Contains(w.regions, w.rule.region):
		return 0
	case w.rule.odds <= 1 && !shaped && !w.letters:
		return 0
	case w.rule.odds <= 1:
		return 0.55
	case asked && !w.listed(Phone):
		return 0.82 // it may look like a telephone number
	}
	return 0.65
}

// asked reports whether the Finder looks for few national identifiers.
func (s *scan) asked() bool {
	n := 0
	for _, t := range s.finder.Types {
		if t.national() {
			n++
		}
	}
	return n > 0 && n <= fewTypes
}

// key describes how the parts are grouped: the length of each as one character
// from '0' on, with what stands between.
func (w *window) key() []byte {
	if w.keyLen > 0 {
		return w.keyBuf[:w.keyLen]
	}
	k := w.keyBuf[:0]
	length := 0
	for i := w.a; i <= w.b; i++ {
		p := &w.code.parts[i]
		if i > w.a && p.sep != 0 {
			k = append(k, byte('0'+length), p.sep)
			length = 0
		}
		length += p.to - p.from
	}
	k = append(k, byte('0'+length))
	w.keyLen = len(k)
	return k
}

// plus reports whether a plus sign stands between the parts. It does only where
// it means something, as in Sweden and Finland.
func (c *nationalCode) plus(a, b int) bool {
	for i := a + 1; i <= b; i++ {
		if c.parts[i].sep == '+' {
			return true
		}
	}
	return false
}

// mixedCase reports whether there are small letters and capitals.
func (c *nationalCode) mixedCase(a, b int) bool {
	lower, upper := false, false
	for _, p := range c.parts[a : b+1] {
		lower, upper = lower || p.lower, upper || p.upper
	}
	return lower && upper
}

// dateLike reports whether the parts are a date as people write it, possibly
// with a time behind.
func (c *nationalCode) dateLike(a, b int) bool {
	if b-a < 2 {
		return false
	}
	var n, v [3]int
	for i := range n {
		p := &c.parts[a+i]
		if n[i] = p.to - p.from; n[i] != p.digits || n[i] > 4 {
			return false
		}
		v[i] = number(c.b[p.from:p.to])
	}
	return n[0] == 4 && n[1] <= 2 && n[2] <= 2 && v[0] >= 1900 && v[0] <= 2100 && v[1] <= 12 && v[2] <= 31 ||
		n[0] <= 2 && n[1] <= 2 && n[2] == 4 && v[0] <= 31 && v[1] <= 31 && v[2] >= 1900 && v[2] <= 2100
}

// mayBegin reports whether an identifier can begin there, as far as that does
// not depend on the words around.
func (s *scan) mayBegin(at int) bool {
	p, i := before(s.text, at)
	switch p {
	case '+', '$', '%', '@', '*', '\\', '<', '^', '~', '_', letter:
		return false
	case ' ':
		q, k := before(s.text, i)
		if q == '$' || currency(s.text, k) {
			return false
		}
		return !isDigit(q) || s.shortBefore(k) || len(s.found) > 0 && s.found[len(s.found)-1].End == k+1
	case ',', '.', ':', '-', '/', '\'':
		q, _ := before(s.text, i)
		return !isDigit(q) && q != '+'
	}
	return !isDigit(p) && !currency(s.text, i)
}

// shortBefore reports whether the number that ends with the digit at i has at
// most two digits and is none of several: "room 12 123-45-6789".
func (s *scan) shortBefore(i int) bool {
	p, at := before(s.text, i)
	if isDigit(p) {
		p, at = before(s.text, at)
	}
	if p == ' ' {
		p, _ = before(s.text, at)
		return !isDigit(p)
	}
	return p == none
}

// bounded reports whether the text around lets the parts be one number. What
// is announced by a word at distance d is let pass where something is glued to it.
func (w *window) bounded(d int) bool {
	c := w.code
	first, last := &c.parts[w.a], &c.parts[w.b]
	p, i := before(w.text, first.start)
	q, _ := before(w.text, i)
	switch {
	case isAlpha(p):
		if d != 0 && (d < 0 || w.letters || c.parts[w.a].to-c.parts[w.a].from < 9) { // "cpf11144477735"
			return false
		}
	case (p == '-' || p == '/' || p == '.' || p == '_' || p == '#' || p == '=') && (isWord(q) || p == '#' || p == '='):
		if d < 0 || d > 0 && p != '#' { // "N.I.F.12345678Z", "SSN #12"
			return false
		}
	case p == ' ' && isDigit(q) && w.spaced():
		return false
	}
	if w.b+1 < c.np {
		next := &c.parts[w.b+1]
		switch {
		case next.digits == 0:
			return next.sep == ' ' || next.sep == '.' || d >= 0
		case next.sep != ' ':
			return false
		case !isDigit(c.b[next.from]):
			return true
		}
		return !w.spaced() && (d >= 0 || w.b > w.a && last.sep != 0 || next.to-next.from > 4)
	}
	return boundedRight(w.text, last.end)
}

// spaced reports whether there is a space between the parts.
func (w *window) spaced() bool {
	for i := w.a + 1; i <= w.b; i++ {
		if w.code.parts[i].sep == ' ' {
			return true
		}
	}
	return false
}

// boundedRight reports whether an identifier can end at i.
func boundedRight(text string, i int) bool {
	a, at := after(text, i)
	_, w := next(text, at)
	b, _ := after(text, at+w)
	switch a {
	case '@', '%', '$', '*', '\\':
		return false
	case ',', '.', ':', '-', '/', '+':
		return !isDigit(b)
	case ' ':
		if b == '%' || b == '$' || isDigit(b) || currency(text, at+w) {
			return false
		}
		return true
	}
	return !isWord(a) && !currency(text, at)
}

// right reads the parts from the digit at i on. It reports false where there
// are too few digits for any identifier.
func (c *nationalCode) right(text string, i int) bool {
	const fewest = 4
	digits, words := 0, 0
	for sep := byte(0); c.np < maxParts-3; {
		p := codePart{start: i, end: i, from: c.n, sep: sep}
		whole := c.part(text, &p)
		length := p.to - p.from
		if words++; p.digits > 0 {
			words = 0
		}
		if !whole || words > 1 || words == 1 && length > maxLetters {
			c.n = p.from
			break
		}
		digits += p.digits
		c.parts[c.np] = p
		c.np++
		if sep, i = codeSeparator(text, p.end); sep == 0 {
			break
		}
	}
	return digits >= fewest && c.np > 0
}

// part reads letters and digits to the end of the part. It reports false where
// they do not end, or end within a word.
func (c *nationalCode) part(text string, p *codePart) bool {
	p.to = p.from
	for i := p.start; ; {
		x, w := next(text, i)
		i += w
		switch {
		case x == skip:
			continue
		case !isDigit(x) && !isAlpha(x):
			return x != letter && x != '_'
		case c.n == maxRight:
			return false
		}
		if isDigit(x) {
			p.digits++
		} else {
			p.lower, p.upper = p.lower || x >= 'a', p.upper || x < 'a'
			x &^= 0x20
		}
		c.b[c.n] = x
		c.n++
		p.to, p.end = c.n, i
	}
}

// codeSeparator reads what may stand between two parts; 0 where nothing does.
func codeSeparator(text string, i int) (sep byte, at int) {
	x, at := after(text, i)
	switch x {
	case ' ', '-', '.', '/', '+':
	default:
		return 0, i
	}
	_, w := next(text, at)
	y, k := after(text, at+w)
	if x == ' ' && y == ' ' {
		_, w = next(text, k)
		y, k = after(text, k+w)
	}
	if !isDigit(y) && !isAlpha(y) || x == '+' && !isDigit(y) {
		return 0, i
	}
	return x, k
}

// left takes letters along that stand before the digit at i: those glued to it,
// and two short words in front. It reports false where the digit is inside of a
// longer number or word.
func (c *nationalCode) left(text string, i int) bool {
	var parts [3]codePart // from right to left, each with what stands behind it
	n, words := 0, 0
	for at, sep := i, byte(0); words < 2; {
		p, ok := lettersBefore(text, at)
		if !ok && sep == 0 {
			return false
		}
		if !ok || p.to > maxLetters || p.to == 0 && sep != 0 {
			break
		}
		if p.to > 0 {
			p.sep = sep
			parts[n] = p
			n++
		}
		if sep != 0 {
			words++
		}
		x, k := before(text, p.start)
		if x != ' ' && x != '-' && x != '.' && x != '/' {
			break
		}
		at, sep = k, x
	}
	c.prepend(text, parts[:n])
	return true
}

// lettersBefore returns the letters in front of i; their number is in to. ok is
// false where there is more of a word or number in front of them.
func lettersBefore(text string, i int) (p codePart, ok bool) {
	p = codePart{start: i, end: i}
	for p.to <= maxLetters {
		x, at := before(text, p.start)
		if !isAlpha(x) {
			return p, !isWord(x)
		}
		p.lower, p.upper = p.lower || x >= 'a', p.upper || x < 'a'
		p.start = at
		p.to++
	}
	return p, true
}

// prepend makes room for parts in front, which come from right to left.
func (c *nationalCode) prepend(text string, parts []codePart) {
	size := 0
	for k := range parts {
		size += parts[k].to
	}
	copy(c.b[size:], c.b[:c.n])
	copy(c.parts[len(parts):], c.parts[:c.np])
	c.n += size
	c.np += len(parts)
	c.home = len(parts)
	for k := c.home; k < c.np; k++ {
		c.parts[k].from += size
		c.parts[k].to += size
	}
	for k, p := range parts {
		size -= p.to
		to := size
		for i := p.start; i < p.end; {
			x, w := next(text, i)
			i += w
			if x != skip {
				c.b[to] = x &^ 0x20
				to++
			}
		}
		at := len(parts) - 1 - k
		c.parts[at+1].sep = p.sep
		p.from, p.to, p.sep = size, size+p.to, 0
		c.parts[at] = p
	}
}
