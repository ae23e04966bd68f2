package pii

import "strings"

// postcode looks for a postcode that is no part of an address, of which the
// number k is the first. Those of letters and digits have a structure that
// little else has; those of digits alone need a word such as "zip", a state in
// front or a city behind.
func (b *reader) postcode(k int) {
	w := &b.w[k]
	if w.start < b.addressEnd || w.start < b.dateEnd || w.start < b.idEnd || w.start < b.mrzEnd {
		return
	}
	i := k
	if k > 0 && w.glued() && !b.w[k-1].digits {
		i--
	}
	if i > 0 && b.w[i].glued() && !b.wideBefore(b.w[i].start) {
		return
	}
	if to, score := b.lettered(i); score > 0 {
		if b.zipWord(i) || b.country(i, to) {
			score = 0.9
		}
		b.found1(i, to, score, "postcode/letters")
		return
	}
	if i != k {
		return
	}
	if to, score, rule := b.numeric(k); score > 0 {
		b.found1(k, to, score, rule)
	}
}

func (b *reader) found1(i, to int, score float64, rule string) {
	if score >= b.least {
		b.add(i, to, Postcode, score, rule, "")
		b.idEnd = max(b.idEnd, b.w[to].end)
	}
}

// country reports whether one of the Finder's regions has postcodes of letters.
func (b *reader) country(i, to int) bool {
	digitsFirst := b.w[i].digits
	for _, r := range b.regions {
		if digitsFirst && r == "NL" || !digitsFirst && (r == "GB" || r == "CA" || r == "IE") && to > i {
			return true
		}
	}
	return false
}

// zipWord reports whether a word in front of i announces a postcode.
func (b *reader) zipWord(i int) bool {
	for j := i - 1; j >= 0 && j >= i-5; j-- {
		w := &b.w[j]
		if w.is(sZip) {
			return w.words > 1 || !b.ambiguousZip(j)
		}
		if w.digits || b.w[j+1].line && j < i-1 {
			return false
		}
	}
	return false
}

// ambiguousZip reports whether the word j alone says little: postal, cap, zip file.
func (b *reader) ambiguousZip(j int) bool {
	return b.letters(j, "zip") && (b.letters(j+1, "file") || b.letters(j+1, "files")) || b.letters(j, "cap") && !b.w[j].upper ||
		b.letters(j, "postal") && !b.letters(j+1, "code")
}

// codeAt reads a postcode of letters and digits at the word i, inside of an
// address, and returns its last word.
func (b *reader) codeAt(i int) (to int, ok bool) {
	to, score := b.lettered(i)
	return to, score > 0
}

// lettered reads a postcode of the United Kingdom, Canada, Ireland, or the
// Netherlands at the word i, or one in digits with a hyphen.
func (b *reader) lettered(i int) (to int, score float64) {
	if b.at(i).start == len(b.text) {
		return 0, 0
	}
	if b.at(i).digits {
		return b.dutch(i)
	}
	if to, score := b.british(i); score > 0 {
		return to, score
	}
	if to, score := b.canadian(i); score > 0 {
		return to, score
	}
	return b.irish(i)
}

// chars collects the characters of the words from i on, in capitals, up to the
// first gap of more than a space or hyphen, and where the gaps are.
type chars struct {
	c    [12]byte
	n    int
	gap  int // how many characters stand in front of the first gap; 0 = none
	gaps int
	to   int // the last word
	all  bool
	caps bool
}

// collect reads at most words words from i on, which are at most one gap apart.
func (b *reader) collect(i, most int) (c chars) {
	c.caps = true
	for j := i; ; j++ {
		w := b.at(j)
		if w.start == len(b.text) || j > i && !w.glued() && (!w.soft() || w.sep == '\'' || w.space && w.sep != 0) {
			c.all = true
			return c
		}
		if c.n+int(w.n) > most || int(w.n) > len(c.c)-c.n {
			c.all = j > i && !w.glued()
			return c
		}
		if j > i && !w.glued() {
			if c.gaps++; c.gaps > 1 {
				c.all = true
				return c
			}
			c.gap = c.n
		}
		n, caps := b.plain(c.c[c.n:], w)
		if n < 0 {
			return c
		}
		c.n += n
		c.caps = c.caps && caps
		c.to = j
	}
}

// plain writes a word of ASCII letters and digits, or those that stand for them,
// in capitals into dst, and reports whether it was in capitals; -1 where it has
// other letters.
func (b *reader) plain(dst []byte, w *word) (n int, caps bool) {
	caps = true
	for i := w.start; i < w.end && n < len(dst); {
		c, width := next(b.text, i)
		i += width
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
			caps = false
		case c == skip:
			continue
		case !isDigit(c) && !isAlpha(c):
			return -1, false
		}
		dst[n] = c
		n++
	}
	return n, caps
}

func pattern(s []byte, p string) bool {
	if len(s) != len(p) {
		return false
	}
	for i, c := range s {
		if p[i] == 'A' && !isAlpha(c) || p[i] == '9' && !isDigit(c) || p[i] == 'X' && !isDigit(c) && !isAlpha(c) {
			return false
		}
	}
	return true
}

// ukAreas are the letters at the beginning of British postcodes.
const ukAreas = " AB AL B BA BB BD BF BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL GU GY" +
	" HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR" +
	" RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE "

// british is BS1 4DJ, EC1A 1BB, ec1a1bb. The inward part has no C I K M O V.
func (b *reader) british(i int) (to int, score float64) {
	w := b.at(i)
	if w.n > 2 || !b.at(i+1).glued() || !b.at(i+1).digits || !b.inList(ukAreas, w) {
		return 0, 0
	}
	// Outward: one or two digits, and perhaps a letter. Then the inward part.
	d := b.at(i + 1)
	j := i + 2
	out := d.n
	if l := b.at(j); l.n == 1 && l.glued() && !l.digits && d.n == 1 && b.at(j+1).digits {
		j++
	}
	in := b.at(j)
	if !in.digits { // EC26XH: the digits are not told apart
		if in.n != 2 || !in.glued() || out < 2 || out > 3 || in.start == len(b.text) {
			return 0, 0
		}
		j--
		out--
	} else if in.n != 1 || !in.glued() && (!in.soft() || in.sep != 0) {
		return 0, 0
	}
	l := b.at(j + 1)
	if out > 2 || l.n != 2 || !l.glued() || l.digits || b.joined(j+2) {
		return 0, 0
	}
	var inward [2]byte
	if n, _ := b.plain(inward[:], l); n != 2 || strings.IndexByte("CIKMOV", inward[0]) >= 0 || strings.IndexByte("CIKMOV", inward[1]) >= 0 {
		return 0, 0
	}
	switch {
	case in.digits && in.space:
		score = 0.85
	case l.caps && w.caps:
		score = 0.6
	default:
		score = 0.5
	}
	return j + 1, score
}

// joined reports whether the word i is joined to the one in front of it.
func (b *reader) joined(i int) bool {
	w := b.at(i)
	return w.start < len(b.text) && (w.glued() || !w.space && !w.line && (w.sep == '-' || w.sep == '_' || w.sep == '@')) && !b.wideBefore(w.start)
}

// canadian is K1A 0B1: letters without D F I O Q U, the first without W Z.
func (b *reader) canadian(i int) (to int, score float64) {
	c := b.collect(i, 6)
	s := c.c[:c.n]
	if c.n != 6 || c.gaps > 0 && c.gap != 3 || !pattern(s, "A9A9A9") || b.joined(c.to+1) {
		return 0, 0
	}
	for _, at := range [...]int{0, 2, 4} {
		if strings.IndexByte("DFIOQU", s[at]) >= 0 {
			return 0, 0
		}
	}
	if s[0] == 'W' || s[0] == 'Z' {
		return 0, 0
	}
	switch {
	case c.gap == 3:
		score = 0.85
	case c.caps:
		score = 0.55
	default:
		score = 0.45
	}
	return c.to, score
}

// irish is an Eircode: A65 F4E2, D6W XY00.
func (b *reader) irish(i int) (to int, score float64) {
	c := b.collect(i, 7)
	s := c.c[:c.n]
	const letters = "ACDEFHKNPRTVWXY"
	if c.n != 7 || c.gaps > 0 && c.gap != 3 || strings.IndexByte(letters, s[0]) < 0 || b.joined(c.to+1) ||
		!isDigit(s[1]) || !isDigit(s[2]) && string(s[:3]) != "D6W" {
		return 0, 0
	}
	digits, alphas := 0, 0
	for _, ch := range s[3:] {
		switch {
		case isDigit(ch):
			digits++
		case strings.IndexByte(letters, ch) < 0:
			return 0, 0
		default:
			alphas++
		}
	}
	if digits == 0 || alphas == 0 {
		return 0, 0
	}
	if c.gap == 3 && c.caps {
		return c.to, 0.7
	}
	return c.to, 0.4
}

// dutchUnits are the two letters that are in no Dutch postcode, units, and words.
const dutchUnits = " SA SD SS AD BC CE KM KG MG ML CM MM GB MB TB KB PS HP AM PM EU EC MP KW HZ BP IN OF OR TO ON AT IS UM AU DE LE LA EN ET SI SO NO IT DI ST ND RD TH SE DO DA NA EM "

// dutch is 1234 AB: not SA, SD, SS, and no unit of measure.
func (b *reader) dutch(i int) (to int, score float64) {
	d, l := b.at(i), b.at(i+1)
	if d.n != 4 || d.val < 1000 || l.digits || l.n != 2 || l.end-l.start != 2 || l.line || l.sep != 0 || l.start == len(b.text) || b.joined(i+2) {
		return 0, 0
	}
	two := [4]byte{' ', b.text[l.start] &^ 0x20, b.text[l.start+1] &^ 0x20, ' '}
	if strings.Contains(dutchUnits, string(two[:])) {
		return 0, 0
	}
	city := b.at(i + 2)
	switch {
	case l.caps && city.upper && city.space && city.sep == 0 && !city.is(sStop):
		return i + 1, 0.75
	case b.zipWord(i), b.near(i, 6, sAddress):
		return i + 1, 0.8
	case l.caps && !isYear(d):
		return i + 1, 0.5
	}
	return i + 1, 0.3
}

// numeric is a postcode of digits alone.
func (b *reader) numeric(k int) (to int, score float64, rule string) {
	w := &b.w[k]
	if b.glueBefore(k) || w.n < 2 || w.n > 8 || w.n == 2 && b.at(k+1).sep != '-' {
		return 0, 0, ""
	}
	to = k
	n, length := b.at(k+1), int(w.n)
	if n.digits && n.sep2 == 0 && !n.line && (n.sep == '-' && !n.space && n.n >= 3 && n.n <= 4 || n.sep == 0 && n.space && w.n == 3 && n.n <= 3) {
		to, length = k+1, length+int(n.n)
	} else if n.digits && !n.space && !n.line && n.sep2 == 0 {
		return 0, 0, ""
	}
	behind := b.at(to + 1)
	if b.joined(to + 1) {
		return 0, 0, ""
	}
	if b.zipWord(k) && length <= 9 {
		return to, 0.85, "postcode/word"
	}
	p := b.at(k - 1)
	switch {
	case w.n == 5 && b.state(k-1) && w.space && w.sep == 0 && (b.at(k-2).upper && k > 1 || (p.hard() || k == 1 || b.at(k-2).is(sHere)) && !p.is(sHere|sStop|sJoint|sOf|sBe|sGoesOn) && !b.letters(k-1, "ok") && !b.letters(k-1, "id") && !b.letters(k-1, "al")) && !p.is(sWho) && w.val > 500:
		return to, 0.7, "postcode/state"
	case p.is(sState) && p.n > 3 && p.upper && w.n == 5 && w.space && w.sep == 0:
		return to, 0.65, "postcode/state"
	case w.n == 5 && to == k && behind.upper && behind.is(sCity) && behind.space && behind.sep == 0 && !behind.is(sStop|sMeasure):
		return to, 0.75, "postcode/city"
	case w.n == 4 && to == k && !isYear(w) && behind.upper && behind.is(sCity) && behind.space && behind.sep == 0 && !behind.is(sStop|sMeasure):
		return to, 0.6, "postcode/city"
	case p.is(sCity) && p.upper && w.space && (w.sep == 0 || w.sep == ',') && w.n == 5 && w.sep2 == 0 && (behind.hard() || behind.start == len(b.text)):
		return to, 0.6, "postcode/city"
	case w.n == 5 && to == k && behind.upper && behind.space && behind.sep == 0 && b.placeWord(k-1) && !behind.is(sStop|sMeasure) && !behind.caps && b.at(to+2).n > 0 && (b.at(to+2).hard() || b.at(to+2).start == len(b.text)) && b.near(k, 4, sAddress):
		return to, 0.7, "postcode/place"
	case (w.n == 2 && n.n == 3 || w.n == 4 && n.n == 3 || w.n == 5 && n.n == 3) && to > k && behind.upper && behind.space && behind.sep == 0 && !behind.is(sStop):
		return to, 0.6, "postcode/place"
	}
	if w.n == 5 && to == k && w.soft() && b.placeWord(k-1) && (behind.hard() || behind.start == len(b.text)) && (b.letters(k-1, "to") || b.letters(k-1, "in") || b.letters(k-1, "from")) && b.near(k, 3, sAddress) {
		return to, 0.6, "postcode/place"
	}
	if b.bareAnswer(k, to) && to == k && w.n == 5 {
		for _, r := range b.regions {
			if r == "DE" || r == "US" || r == "FR" || r == "ES" || r == "IT" {
				return to, 0.6, "postcode/region"
			}
		}
	}
	return 0, 0, ""
}

// placeWord reports whether the word i stands in front of places.
func (b *reader) placeWord(i int) bool { return b.at(i).is(sHere) && !b.at(i).is(sBe) }

// bareAnswer reports whether the words i to j are the whole text, as in an
// answer to a question.
func (b *reader) bareAnswer(i, j int) bool {
	return b.first && i == 0 && b.ended && j == b.n-1
}
