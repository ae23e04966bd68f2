package pii

// date looks for a date of which the number k is a part.
//
// A date with its year in four digits, or with the name of its month, is
// unmistakable. One of two numbers, such as 12/05, needs a word in front of it
// that is followed by dates, because fractions, scores and prices look the same.
// Words such as "born" make it a date of birth.
func (b *reader) date(k int) {
	w := &b.w[k]
	if w.start < b.dateEnd || w.n > 8 {
		return
	}
	if d, ok := b.numericDate(k); ok {
		b.addDate(d)
		return
	}
	if d, ok := b.namedDate(k); ok {
		b.addDate(d)
		return
	}
	if d, ok := b.shortDate(k); ok {
		b.addDate(d)
		return
	}
	b.birthYear(k)
}

// dateAt is a date in the window.
type dateAt struct {
	from, to int // first and last word
	score    float64
	rule     string
	context  string
}

func (b *reader) addDate(d dateAt) {
	t := Date
	if context := b.birth(d.from, d.to); context != "" {
		t, d.score, d.context = DateOfBirth, max(d.score, 0.85)+0.05, context
	}
	if d.score < b.least || b.inStreet(d) {
		return
	}
	b.dateEnd = b.w[d.to].end
	start := b.w[d.from].start
	b.addBytes(start, b.clock(d.to), t, d.score, d.rule, d.context)
}

// inStreet reports whether a date is the name of a street: rue du 8 mai 1945,
// via XX Settembre 20.
func (b *reader) inStreet(d dateAt) bool {
	if d.rule == "date/numeric" || d.from == 0 {
		return false
	}
	p := b.at(d.from - 1)
	if p.is(sJoint) || p.caps && p.n <= 5 && p.n > 1 {
		p = b.at(d.from - 2)
	}
	return p.is(sStreet|sStreetWeak) && p.n > 1
}

func isYear(w *word) bool { return w.digits && w.n == 4 && w.val >= 1850 && w.val <= 2110 }

func small(w *word, most int32) bool {
	return w.digits && w.n <= 2 && w.val >= 1 && w.val <= most
}

// calendar reports whether two numbers can be day and month in any order.
func calendar(x, y *word) bool {
	return small(x, 31) && small(y, 12) || small(x, 12) && small(y, 31)
}

func padded(w *word) bool { return w.n == 2 }

// numericDate is a date of three numbers that begins at k, or of eight digits.
func (b *reader) numericDate(k int) (dateAt, bool) {
	d, ok := b.threeNumbers(k)
	if !ok {
		return b.compactDate(k)
	}
	// It must not be a part of something longer. Another date may follow a hyphen.
	first, behind := &b.w[k], b.at(d.to+1)
	if first.glued() && first.start > 0 && !b.wideBefore(first.start) {
		return dateAt{}, false
	}
	if p := b.at(k - 1); !first.space && !first.line && k > 0 && (p.digits && p.end != b.dateEnd && first.sep2 == 0 ||
		first.sep == '-' && !p.digits && first.sep2 == 0 && p.n <= 3) && first.sep != '(' && first.sep != ',' && first.sep != ':' {
		return dateAt{}, false
	}
	if behind.glued() && behind.start < len(b.text) && behind.sense&sOrdinal == 0 && !b.isT(d.to+1) && !b.wideBefore(behind.start) {
		return dateAt{}, false
	}
	if behind.digits && !behind.space && !behind.line && behind.sep2 == 0 && behind.sep != ',' && behind.sep != ':' {
		if _, another := b.threeNumbers(d.to + 1); !another || behind.sep != '-' && behind.sep != other {
			return dateAt{}, false
		}
	}
	if behind.digits && !behind.space && behind.sep == ':' {
		return dateAt{}, false
	}
	return d, true
}

// wideBefore reports whether a character of a script without spaces stands in
// front of i, which does not make a number part of a word.
func (b *reader) wideBefore(i int) bool {
	c, _ := before(b.text, i)
	return c == other
}

func (b *reader) isT(i int) bool {
	w := b.at(i)
	return w.n == 1 && w.glued() && !w.digits && w.end-w.start == 1 && b.text[w.start]|0x20 == 't'
}

// threeNumbers reads day, month and year at k without a look at what is around.
func (b *reader) threeNumbers(k int) (dateAt, bool) {
	x, y, z := b.at(k), b.at(k+1), b.at(k+2)
	if !y.digits || !z.digits || y.line || z.line || y.sep2 != 0 || z.sep2 != 0 || y.sep != z.sep {
		return dateAt{}, false
	}
	sep := y.sep
	if sep == 0 || sep != '.' && sep != '/' && sep != '-' {
		if sep == 0 && y.space && z.space && isYear(z) && calendar(x, y) && padded(x) && padded(y) && b.birth(k, k+2) != "" {
			return dateAt{from: k, to: k + 2, score: 0.7, rule: "date/spaced"}, true
		}
		return dateAt{}, false
	}
	d := dateAt{from: k, to: k + 2, score: 0.9, rule: "date/numeric"}
	spaced := y.space || z.space
	switch {
	case isYear(x) && small(y, 12) && small(z, 31) && !spaced:
		return d, sep != '.' || padded(y) && padded(z)
	case isYear(z) && calendar(x, y):
		return d, !spaced || sep != '-' || padded(x) && padded(y)
	case z.digits && z.n == 2 && calendar(x, y) && !spaced:
		d.score = 0.7
		if b.birth(k, k+2) != "" || b.dateBefore(k) {
			return d, true
		}
		d.score = 0.6
		switch sep {
		case '/':
			return d, true
		case '.': // 1.2.24 is rather a version
			return d, padded(x) && padded(y) && small(y, 12) && !b.at(k-1).is(sVersion)
		}
		d.score = 0.55 // 12-05-24 may be the code of a bank as well
		return d, padded(x) && padded(y) && x.val != y.val && !b.near(k, 5, sOtherID)
	}
	return dateAt{}, false
}

// compactDate is 19800512 where a word says that it is a birth or a date.
func (b *reader) compactDate(k int) (dateAt, bool) {
	w := &b.w[k]
	if w.n != 8 || w.glued() && k > 0 || b.at(k+1).glued() && k+1 < b.n {
		return dateAt{}, false
	}
	y, m, d := w.val/10000, w.val/100%100, w.val%100
	if y < 1900 || y > 2100 {
		d, m, y = w.val/1000000, w.val/10000%100, w.val%10000
	}
	if y < 1900 || y > 2100 || m < 1 || m > 12 || d < 1 || d > 31 || b.birth(k, k) == "" {
		return dateAt{}, false
	}
	return dateAt{from: k, to: k, score: 0.7, rule: "date/compact"}, true
}

// namedDate is a date with the name of its month, of which k is the first number.
func (b *reader) namedDate(k int) (dateAt, bool) {
	w := &b.w[k]
	if b.inNumber(k) {
		return dateAt{}, false
	}
	if small(w, 31) {
		if d, ok := b.dayMonth(k); ok && (!b.w[d.to].space || b.at(k+1).sep != '-') {
			return d, true
		}
		return b.monthDay(k)
	}
	if isYear(w) {
		return b.monthYear(k)
	}
	return dateAt{}, false
}

// inNumber reports whether k is a part of a longer number or word: 3.14, v2.
func (b *reader) inNumber(k int) bool {
	w := &b.w[k]
	if k == 0 && b.first || w.space || w.line {
		return false
	}
	p := b.at(k - 1)
	if w.glued() {
		return !p.is(sMonth) && !b.wideBefore(w.start)
	}
	return p.digits && w.sep2 == 0 && w.sep != '(' && w.sep != '-' && w.sep != '/' && w.sep != other
}

// dayMonth is 3 May, 3rd of May 2021, 3. Mai, 1er mars, 3-May-21.
func (b *reader) dayMonth(k int) (dateAt, bool) {
	i, sure := k+1, false
	w := b.at(i)
	if w.sep == ordinalGap && w.sep2 == 0 {
		sure = true
	} else if !w.digits && w.glued() && w.is(sOrdinal) {
		sure = true
		i++
	}
	if n := b.at(i); n.is(sOf) && !n.line && b.at(i+1).is(sMonth) && n.sep2 == 0 {
		sure = true
		i++
	}
	m := b.at(i)
	if !m.is(sMonth) || m.line || m.sep2 != 0 || m.sep != 0 && m.sep != '.' && m.sep != '-' && m.sep != '/' && m.sep != '\'' && m.sep != ordinalGap {
		return dateAt{}, false
	}
	d := dateAt{from: k, to: i, score: 0.8, rule: "date/named"}
	if to, ok := b.yearBehind(i); ok {
		d.to, d.score = to, 0.9
		return d, true
	}
	if m.sep == '.' && m.space {
		sure = true
	}
	if m.is(sMonthWeak) && !sure && !b.at(k-1).is(sDatePrep) {
		if !m.upper || b.at(i+1).is(sStop) && m.caps {
			return dateAt{}, false
		}
		d.score = 0.6
	}
	if n := b.at(i + 1); m.is(sMonthWeak) && !sure && n.is(sOf) && !n.line {
		return dateAt{}, false // 3 out of, 3 set of
	}
	return d, true
}

// yearBehind reads a year behind the month i: 2021, of 2021, de 2021, '21.
func (b *reader) yearBehind(i int) (to int, ok bool) {
	y := b.at(i + 1)
	if !y.line && y.is(sOf) && y.sep == 0 {
		i++
		y = b.at(i + 1)
	}
	if y.line || !y.digits || y.sep2 != 0 {
		return 0, false
	}
	if b.at(i+2).digits && b.at(i+2).sep == ':' && y.n <= 2 {
		return 0, false // a time
	}
	switch y.sep {
	case 0, '.', ',', '-', '/':
		if isYear(y) {
			return i + 1, true
		}
		m := b.at(i)
		return i + 1, y.n == 2 && !y.space && y.sep != 0 && y.sep == m.sep && y.sep != ','
	case '\'':
		return i + 1, y.n == 2 || isYear(y)
	}
	return 0, false
}

// monthDay is May 3, May 3rd, 2021, and May the 3rd.
func (b *reader) monthDay(k int) (dateAt, bool) {
	w, i := &b.w[k], k-1
	if p := b.at(i); p.is(sDatePrep) && !p.line && p.n == 3 && b.at(i-1).is(sMonth) {
		i-- // the
	}
	m := b.at(i)
	if !m.is(sMonth) || w.line || w.sep2 != 0 || w.sep != 0 && w.sep != '.' && w.sep != '-' && w.sep != '/' && w.sep != ',' {
		return dateAt{}, false
	}
	d := dateAt{from: i, to: k, score: 0.8, rule: "date/named"}
	j, sure := k, false
	if o := b.at(k + 1); !o.digits && o.glued() && o.is(sOrdinal) && o.start < len(b.text) {
		j, sure = k+1, true
	} else if o.glued() && o.start < len(b.text) && !b.isT(k+1) {
		return dateAt{}, false
	}
	d.to = j
	y := b.at(j + 1)
	if isYear(y) && !y.line && y.sep2 == 0 && (y.sep == 0 || y.sep == ',' || y.sep == '-' || y.sep == '/' || y.sep == '.' && y.space) {
		d.to, d.score = j+1, 0.9
		return d, true
	}
	if y.digits && !y.space && !y.line && (y.sep == '.' || y.sep == ':' || y.sep == ',') {
		return dateAt{}, false // April 3.5
	}
	if y.is(sMeasure) && y.soft() && !sure && y.sense&sDatePrep == 0 {
		return dateAt{}, false
	}
	if m.is(sMonthWeak) && !sure {
		p := b.at(i - 1)
		if p.is(sWho) && !p.is(sDatePrep) || !m.upper && !p.is(sDatePrep) && !m.hard() || m.caps && m.n > 3 && !p.is(sDatePrep) {
			return dateAt{}, false
		}
		d.score = 0.6
	}
	return d, true
}

// monthYear is May 2021, mayo de 2021.
func (b *reader) monthYear(k int) (dateAt, bool) {
	w, i := &b.w[k], k-1
	if p := b.at(i); p.is(sOf) && p.soft() && w.sep == 0 {
		i--
	}
	m := b.at(i)
	if !m.is(sMonth) || w.line || w.sep2 != 0 || w.sep != 0 && w.sep != '.' && w.sep != '-' && w.sep != '/' && w.sep != ',' || m.end <= b.dateEnd && b.dateEnd > 0 {
		return dateAt{}, false
	}
	if n := b.at(k + 1); n.is(sMeasure) && n.soft() && !n.is(sDatePrep) || n.glued() && n.start < len(b.text) {
		return dateAt{}, false
	}
	if m.is(sMonthWeak) && !m.upper && !b.at(i-1).is(sDatePrep) && !b.at(i-1).is(sHere) {
		return dateAt{}, false
	}
	return dateAt{from: i, to: k, score: 0.7, rule: "date/month"}, true
}

// shortDate is 12/05, 12.05. or 5/2021 behind a word that dates follow.
func (b *reader) shortDate(k int) (dateAt, bool) {
	x, y := b.at(k), b.at(k+1)
	if !y.digits || y.space || y.line || y.sep2 != 0 || y.sep != '/' && y.sep != '.' && y.sep != '-' || b.inNumber(k) {
		return dateAt{}, false
	}
	behind := b.at(k + 2)
	if behind.start < len(b.text) && (behind.glued() || behind.digits && !behind.space && !behind.line ||
		behind.is(sMeasure) && behind.soft() && !behind.is(sDatePrep)) {
		return dateAt{}, false
	}
	c, at := after(b.text, y.end)
	if c == ' ' {
		c, at = after(b.text, at+1)
	}
	if c == '%' || c == '$' || money(b.text, at) {
		return dateAt{}, false
	}
	birth := b.birth(k, k+1) != ""
	p := b.at(k - 1)
	led := b.dateBefore(k) && !x.hard()
	d := dateAt{from: k, to: k + 1, score: 0.6, rule: "date/short", context: "date"}
	switch {
	case calendar(x, y) && y.sep == '.':
		// In German the month has a dot behind it as well: am 12.05.
		ended := y.end < len(b.text) && b.text[y.end] == '.'
		return d, (birth || led && (ended || padded(y) && !b.priceWord(k-1)) && small(y, 12)) && !p.is(sVersion)
	case calendar(x, y) && y.sep == '/':
		return d, birth || led && !fraction(x, y)
	case calendar(x, y):
		return d, birth
	case small(x, 12) && isYear(y) && y.sep != '-':
		return d, (birth || led || p.is(sHere)) && !b.near(k, 3, sOtherID)
	case isYear(x) && small(y, 12) && padded(y) && y.sep != '.':
		return d, (birth || led) && !b.near(k, 3, sOtherID)
	}
	return dateAt{}, false
}

// priceWord reports whether the word i stands in front of dates, but also of
// prices and times with a dot.
func (b *reader) priceWord(i int) bool {
	for _, s := range [...]string{"for", "to", "the", "and", "from", "by", "und", "before", "after", "de", "du", "del", "di", "da", "date"} {
		if b.letters(i, s) {
			return true
		}
	}
	return false
}

// fraction reports whether two numbers are rather a part of a whole, or 24/7.
func fraction(x, y *word) bool {
	return x.n == 1 && y.n == 1 && x.val < y.val && y.val <= 5 || x.val == 24 && y.val == 7 || x.val == y.val && x.n == 2 && x.val > 12
}

// dateBefore reports whether the word in front of k is one that dates follow.
func (b *reader) dateBefore(k int) bool {
	w, p := b.at(k), b.at(k-1)
	if w.line {
		return false
	}
	if p.is(sDatePrep) || p.is(sBirth) {
		return true
	}
	q := b.at(k - 2)
	return p.is(sBe) && (q.is(sDatePrep) || q.is(sBirth))
}

// near reports whether one of the n words in front of k has the sense, in the
// same line.
func (b *reader) near(k, n int, s sense) bool {
	for i := k - 1; i >= k-n && i >= 0; i-- {
		if b.w[i+1].line {
			return false
		}
		if b.w[i].is(s) {
			return true
		}
	}
	return false
}

// clock returns the end of a date with the time that ISO 8601 and RFC 3339 join to it.
func (b *reader) clock(to int) int {
	end := b.w[to].end
	i := to + 1
	switch {
	case b.isT(i) && b.at(i+1).glued():
		i++
	case b.at(i).space && !b.at(i).line && b.at(i).sep == 0:
	default:
		return end
	}
	h, m := b.at(i), b.at(i+1)
	if !h.digits || h.n != 2 || h.val > 24 || !m.digits || m.sep != ':' || m.space || m.n != 2 || m.val > 59 {
		return end
	}
	end, i = m.end, i+2
	if s := b.at(i); s.digits && s.sep == ':' && !s.space && s.n == 2 {
		end, i = s.end, i+1
		if f := b.at(i); f.digits && f.sep == '.' && !f.space {
			end, i = f.end, i+1
		}
	}
	z, zm := b.at(i), b.at(i+1)
	switch {
	case z.n == 1 && !z.digits && z.glued() && z.end-z.start == 1 && b.text[z.start]|0x20 == 'z':
		end = z.end
	case z.digits && (z.sep == '+' || z.sep == '-') && !z.space && z.sep2 == 0 && z.n == 2:
		end = z.end
		if zm.digits && zm.sep == ':' && zm.n == 2 {
			end = zm.end
		}
	}
	return end
}
