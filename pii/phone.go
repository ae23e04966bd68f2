package pii

import (
	"slices"

	"github.com/nyaruka/phonenumbers"
)

// maxChecks is how often one text asks the telephone library, which takes 12 µs
// each time. What comes after that counts by its shape alone, so a text made of
// plus signs costs no more than a long one.
const maxChecks = 48

// phone looks for a telephone number at the beginning of the chain.
func (s *scan) phone() (Span, bool) {
	c := &s.chain
	n := c.total
	if n < 7 {
		return Span{}, false
	}
	p := phoneAt{scan: s, chain: c, start: c.chunks[0].start}
	if c.n > 7 && n <= c.n+1 || !p.readFront() || bits(c.digits[:n]) { // digits one by one are looked at in a view
		return Span{}, false
	}
	if p.plus || c.digits[0] == '0' && c.digits[1] == '0' && c.digits[2] != '0' && n >= 9 {
		if sp, ok := p.international(); ok || p.plus {
			return sp, ok
		}
	}
	return p.national()
}

// bits reports whether there are only noughts and ones: a number to base 2, or
// one that was made unreadable.
func bits(digits []byte) bool {
	for _, d := range digits {
		if d > '1' {
			return false
		}
	}
	return true
}

// phoneAt is a chain seen as a telephone number.
type phoneAt struct {
	*scan
	*chain
	start   int  // where the number begins: its plus sign or bracket
	plus    bool // there is a plus sign
	bracket bool // the first group stands in brackets
}

// readFront takes the plus sign and the bracket in front of the digits. It
// reports false where what comes before makes it no telephone number.
func (p *phoneAt) readFront() bool {
	c, at := before(p.text, p.start)
	if c == '+' {
		p.plus, p.start = true, at
		c, at = before(p.text, at)
	}
	if c == '(' && p.n > 1 && p.chunks[1].sep&closed != 0 && p.chunks[1].sep&opened == 0 {
		p.bracket, p.start = true, at
		if c, at = before(p.text, at); c == '+' {
			p.plus, p.start = true, at
			c, at = before(p.text, at)
		}
	}
	switch c {
	case '#', '=', '$', '%', '*', '/':
		return c == '/' && waMe(p.text[:at])
	case '-', '.', ',', '+':
		// A hyphen between words, the fraction of a number, a sum.
		d, _ := before(p.text, at)
		return !isWord(d)
	}
	if c == ' ' {
		if d, i := before(p.text, at); d == '$' || currency(p.text, i) {
			return false
		}
	}
	return !isWord(c) && !currency(p.text, at)
}

// waMe reports whether the text ends in the address under which WhatsApp links
// to a telephone number. The number then has a country code.
func waMe(text string) bool {
	const host = "WA.ME"
	return len(text) >= len(host) && foldEqual(text[len(text)-len(host):], host)
}

func foldEqual(s, upper string) bool {
	for i := range len(upper) {
		c := s[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}

// currency reports whether a sign of money that is not ASCII begins at i.
func currency(text string, i int) bool {
	rest := text[min(i, len(text)):]
	for _, sign := range [...]string{"€", "£", "¥", "₹", "₽", "₺", "₩", "¢", "№", "°"} {
		if len(rest) >= len(sign) && rest[:len(sign)] == sign {
			return true
		}
	}
	return false
}

// ends reports whether a number can end behind chunk k.
func (p *phoneAt) ends(k int) bool {
	end := p.chunks[k].end
	c, at := after(p.text, end)
	switch c {
	case '@', '%', '$':
		return false
	case '.', ',', ':':
		d, _ := next(p.text, at+1)
		return !isDigit(d)
	}
	if c == 'x' || c == 'X' {
		return extension(p.text, end) > end
	}
	return !isWord(c) && !currency(p.text, at)
}

// span makes the finding that ends behind chunk k, and takes an extension along.
func (p *phoneAt) span(k int, score float64, rule string) (Span, bool) {
	if c, at := before(p.text, p.start); c == '/' && waMe(p.text[:at]) {
		score = 0.98 // surer than the link it stands in
	}
	return Span{Start: p.start, End: extension(p.text, p.chunks[k].end), Type: Phone, Score: score, Rule: rule}, true
}

// extension returns the end of an extension behind a number, such as "x769" or
// " ext. 12", and i where there is none.
func extension(text string, i int) int {
	at := i
	if c, w := next(text, at); c == ' ' {
		at += w
	}
	word := wordEnd(text, at)
	switch w := text[at:word]; {
	case len(w) == 1 && w[0]|0x20 == 'x':
		at = word
	case isExtension(w):
		at = word
		if at < len(text) && (text[at] == '.' || text[at] == ':') {
			at++
		}
		if c, w := next(text, at); c == ' ' {
			at += w
		}
	default:
		return i
	}
	from := at
	for at < len(text) && at < from+6 && isDigit(text[at]) {
		at++
	}
	if c, _ := next(text, at); at == from || isWord(c) {
		return i
	}
	return at
}

// isExtension reports whether a word announces an extension.
func isExtension(w string) bool {
	for _, e := range [...]string{"ext", "extn", "extension", "durchwahl", "dw", "poste", "anexo", "ramal", "interno", "toestel"} {
		if sameWord2(w, e) {
			return true
		}
	}
	return false
}

// international looks for a number with a country code (ITU-T E.164: at most 15
// digits). It is the longest run of groups that the library finds valid; where
// none is, the longest that is possible, because numbers are made up as well.
func (p *phoneAt) international() (Span, bool) {
	cut := 0
	if !p.plus {
		cut = 2
	}
	possible := -1
	for k := p.n - 1; k >= 0; k-- {
		n := p.chunks[k].to - cut
		if n < 7 || n > 15 || !p.ends(k) {
			continue
		}
		valid, maybe := p.check("+"+string(p.digits[cut:p.chunks[k].to]), "ZZ")
		if valid {
			return p.span(k, 0.88, "phone/international")
		}
		if maybe && possible < 0 {
			possible = k
		}
	}
	if possible < 0 || !p.plus && p.n == 1 {
		return Span{}, false
	}
	return p.span(possible, 0.6, "phone/possible")
}

// check asks the library. It is asked a bounded number of times for one text.
func (p *phoneAt) check(number, region string) (valid, possible bool) {
	if p.checks >= maxChecks {
		return false, true
	}
	p.checks++
	n, err := phonenumbers.Parse(number, region)
	if err != nil {
		return false, false
	}
	return phonenumbers.IsValidNumber(n), phonenumbers.IsPossibleNumber(n)
}

// national looks for a number without a country code. Its digits alone prove
// nothing, so its shape or the words before it have to.
func (p *phoneAt) national() (Span, bool) {
	last, n := p.n-1, p.total
	if n > 15 || p.more || !p.ends(last) || p.dateLike() || p.fraction() {
		return Span{}, false
	}
	words := hint(p.text, p.start)
	if words == 0 && p.claimed(last) {
		words = 1
	}
	if words < 0 || words == 0 && (p.thousands() || p.continued()) {
		return Span{}, false
	}
	var score float64
	switch {
	case p.northAmerican(), p.shaped():
		score = 0.8
	case p.inBrackets():
		score = 0.75
	case p.trunk():
		score = 0.7
	case words > 0 && n <= 13:
		score = 0.65
	case p.inRegions():
		score = 0.6
	default:
		return Span{}, false
	}
	return p.span(last, score, "phone/national")
}

// claimed reports whether somebody says behind chunk k that it is their number:
// "… is my number", "… ist meine Handynummer".
func (p *phoneAt) claimed(k int) bool {
	var w [3]piece
	at := p.chunks[k].end
	for i := range w {
		w[i] = pieceAt(p.text, at, 1)
		if at = w[i].end; w[i].start == w[i].end {
			return false
		}
	}
	var buf [hintReach]byte
	last := buf[:0]
	for i := w[2].start; i < w[2].end; {
		_, size := next(p.text, i)
		if len(last)+size > len(buf) {
			return false
		}
		last = last[:len(last)+size]
		lower(last[len(last)-size:], p.text[i:i+size])
		i += size
	}
	return meansNothing(p.text[w[0].start:w[0].end]) == verb && lookAt(p.text, w[1]).is(cueMine) &&
		(among(last, &hintWords.numbers) || meaning(last) > 0)
}

// northAmerican is the shape 415-555-0100, in brackets or not, with a leading 1
// or not. Area codes begin with 2 to 9; signs between the groups are proof
// enough without that.
func (p *phoneAt) northAmerican() bool {
	first := 0
	switch {
	case p.is(3, 3, 4):
	case p.is(1, 3, 3, 4) && p.digits[0] == '1':
		first = 1
	default:
		return false
	}
	signs := dash | dot | closed
	return p.chunks[first+1].sep&signs != 0 && p.chunks[first+2].sep&signs != 0 ||
		p.digits[first] >= '2' && p.digits[first+3] >= '2'
}

// shaped are groupings of other countries that little else has.
func (p *phoneAt) shaped() bool {
	d := p.digits[0]
	signs := p.n > 1 && p.chunks[p.n-1].sep&dash != 0
	switch {
	case p.is(3, 3, 2, 2), p.is(1, 3, 3, 2, 2) && (d == '7' || d == '8' || d == '0'): // Turkey, Russia
		return true
	case p.is(3, 4, 4): // China, mobile
		return d == '1' && p.digits[1] >= '3'
	case p.is(5, 5): // India, mobile
		return d >= '6'
	case p.is(3, 2, 2, 2): // Spain
		return d >= '6'
	case p.is(2, 5, 4): // Brazil, mobile
		return signs && p.digits[2] == '9'
	}
	return false
}

// continued reports whether the chain is rather the end of a longer one: more
// digits, or a word with digits, stand right before it. A short number before
// a telephone number of few groups is let pass: "room 12 0151 234567".
func (p *phoneAt) continued() bool {
	c, at := before(p.text, p.start)
	if c != ' ' {
		return false // other signs were looked at in front
	}
	d, i := before(p.text, at)
	if !isDigit(d) {
		return false
	}
	n := 0
	for isDigit(d) && n < 4 {
		n++
		at = i
		d, i = before(p.text, at)
	}
	return n > 3 || isWord(d) || p.n > 3 || p.len(0) < 3 || p.len(0) > 5
}

// inBrackets is an area code in brackets: (030) 1234567.
func (p *phoneAt) inBrackets() bool {
	first := p.len(0)
	year := first == 4 && (p.digits[0] == '1' || p.digits[0] == '2')
	return p.bracket && p.total >= 8 && p.total <= 12 && first >= 2 && first <= 5 && !year
}

// trunk is a number that begins with the 0 which most countries dial before an
// area code: 0341 8387176, 0612345678.
func (p *phoneAt) trunk() bool {
	if p.digits[0] != '0' || p.digits[1] == '0' {
		return false
	}
	if p.n == 1 {
		return p.total == 10 || p.total == 11
	}
	if p.total < 9 || p.total > 12 {
		return false
	}
	first := p.len(0)
	if first == 1 {
		first = p.len(1) + 1
		if p.chunks[1].sep&(opened|space) == 0 {
			return false // 0-306-40615-2 is a book
		}
	}
	if first > 6 || p.is(3, 2, 4) || p.is(5, 4) && p.chunks[1].sep == dash {
		return false // the shapes of an American social security number and postcode
	}
	for k := 1; k < p.n; k++ {
		if p.len(k) < 2 {
			return false
		}
	}
	return true
}

// inRegions reports whether the number is valid in one of the Finder's regions.
func (p *phoneAt) inRegions() bool {
	return slices.ContainsFunc(p.regions, func(region string) bool {
		valid, _ := p.check(string(p.digits[:p.total]), region)
		return valid
	})
}

// dateLike reports whether the chain is a date, or begins with one: 2024-01-31,
// 31.01.2024, 1/31/24, possibly followed by a time; or is a span of years.
func (p *phoneAt) dateLike() bool {
	year := func(k int) bool { v := p.value(k); return p.len(k) == 4 && v >= 1900 && v <= 2100 }
	small := func(k, most int) bool { return p.len(k) <= 2 && p.value(k) >= 1 && p.value(k) <= most }
	if p.n == 1 {
		// 20240131, and 20240131103000
		d := p.digits[:p.total]
		return (len(d) == 8 || len(d) == 12 || len(d) == 14) && (string(d[:2]) == "19" || string(d[:2]) == "20") &&
			within(d[4:6], 12) && within(d[6:8], 31)
	}
	if p.n == 2 {
		return year(0) && year(1)
	}
	if year(0) && small(1, 12) && small(2, 31) {
		return true
	}
	// Day, month and year at the beginning, or at the end of a span of days.
	return small(0, 31) && small(1, 31) && year(2) ||
		p.n == 3 && small(0, 31) && small(1, 31) && p.len(2) == 2 ||
		p.n >= 5 && small(0, 31) && small(1, 12) && year(p.n-1)
}

func within(d []byte, most int) bool {
	v := 10*int(d[0]-'0') + int(d[1]-'0')
	return v >= 1 && v <= most
}

// fraction reports whether the chain is a decimal number: 52.5200066.
func (p *phoneAt) fraction() bool {
	return p.n == 2 && p.chunks[1].sep == dot && (p.digits[0] != '0' || p.len(0) == 1)
}

// thousands reports whether the chain is a number with its thousands set apart:
// 12 500 000.
func (p *phoneAt) thousands() bool {
	if p.len(0) > 3 || p.digits[0] == '0' {
		return false
	}
	for k := 1; k < p.n; k++ {
		if p.len(k) != 3 || p.chunks[k].sep != p.chunks[1].sep || p.chunks[k].sep&(space|dot) == 0 {
			return false
		}
	}
	return p.n > 1
}
