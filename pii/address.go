package pii

// address looks for a street and its number, of which the number is k, and for
// post office boxes and apartments. What follows and belongs to it, such as the
// apartment, the postcode and the city, is taken along.
//
// Three ways to write are known: the number in front (12 High Street, 12 rue de
// la Paix), the number behind (Hauptstraße 12a, Calle Mayor 5), and a name that
// is only shown to be a street by the postcode and city behind it, or by words
// in front of it such as "I live at".
func (b *reader) address(k int) {
	w := &b.w[k]
	if w.start < b.addressEnd || w.start < b.dateEnd || w.start < b.idEnd || w.n > 6 {
		return
	}
	last, ok := b.houseNumber(k)
	if ok {
		if s, ok := b.numberFirst(k, last); ok && b.addStreet(s) {
			return
		}
		if s, ok := b.numberLast(k, last); ok && b.addStreet(s) {
			return
		}
	}
	if s, ok := b.postBox(k); ok && b.addStreet(s) {
		return
	}
	if !ok {
		return
	}
	if s, ok := b.byContext(k, last); ok && b.addStreet(s) {
		return
	}
	if s, ok := b.apartment(k, last); ok {
		b.addStreet(s)
	}
}

// addStreet enters a street with what belongs to it, and reports whether it counts.
func (b *reader) addStreet(s street) bool {
	to := b.join(s.to)
	if s.needsMore && (to == s.to || s.rule == "address/context" && !b.anyDigits(s.to+1, to)) {
		return false
	}
	if to != s.to {
		s.score = max(s.score, 0.8)
	}
	if s.score < b.least {
		return false
	}
	if p := b.at(s.from - 1); p.digits && b.w[s.from].space && b.w[s.from].sep == 0 && !b.w[s.from].line && p.n <= 5 && p.start >= max(b.dateEnd, b.addressEnd) && !b.glueBefore(s.from-1) {
		s.from-- // some write a number at both ends
	}
	if p := b.at(s.from - 1); s.from > 1 && (p.digits && p.n <= 4 || p.n == 1) && b.w[s.from-2].is(sUnit) && b.w[s.from].loose() && p.loose() && b.w[s.from-2].start >= b.addressEnd {
		s.from -= 2 // Flat 2, 12 King's Road
	}
	b.addressEnd = b.w[to].end
	b.add(s.from, to, Address, s.score, s.rule, "")
	return true
}

// over reports whether the clause or the text ends in front of the word i.
func (b *reader) over(i int) bool { return b.at(i).hard() || b.at(i).start == len(b.text) }

// anyDigits reports whether a number is among the words i to j.
func (b *reader) anyDigits(i, j int) bool {
	for k := i; k <= j; k++ {
		if b.at(k).digits {
			return true
		}
	}
	return false
}

// street is what was found around a house number.
type street struct {
	from, to  int
	score     float64
	rule      string
	needsMore bool // counts only where a postcode or the like follows
}

// houseNumber reports whether k can be one, and the last word of it: 12, 12a,
// 12 a, 12-14, 12/3, 221B.
func (b *reader) houseNumber(k int) (last int, ok bool) {
	w := &b.w[k]
	if w.n > 5 || w.n == 0 || b.glueBefore(k) {
		return 0, false
	}
	last = k
	n := b.at(k + 1)
	switch {
	case n.glued() && !n.digits && n.start < len(b.text):
		if n.n > 1 && !b.letters(k+1, "bis") && !b.letters(k+1, "ter") {
			return 0, false
		}
		last = k + 1
	case n.digits && !n.space && !n.line && n.sep2 == 0 && (n.sep == '-' || n.sep == '/') && n.n <= 4 && (n.sep == '-' || !fraction(w, n)):
		last = k + 1
		if l := b.at(k + 2); l.n == 1 && l.glued() && !l.digits && l.start < len(b.text) {
			last = k + 2
		}
	case n.digits && !n.space && !n.line && n.sep2 == 0 && (n.sep == '.' || n.sep == ':' || n.sep == ',' || n.sep == '/'):
		return 0, false
	}
	if c, at := after(b.text, b.w[last].end); c == '%' || c == '$' || c == '+' || c == '@' || money(b.text, at) {
		return 0, false
	}
	return last, true
}

// money is currency with a quick no.
func money(text string, i int) bool { return i < len(text) && text[i] >= 0xc2 && currency(text, i) }

// glueBefore reports whether something is joined to k in front: v2, 3.12, #5, €5.
func (b *reader) glueBefore(k int) bool {
	w := &b.w[k]
	if w.sep == '$' || w.sep2 == '$' || w.start > 0 && w.sep == other && !w.space {
		return w.sep != other || !b.isQuote(w.start)
	}
	if w.space || w.line || k == 0 {
		return false
	}
	p := b.at(k - 1)
	return w.glued() && !p.is(sStreetEnd) || w.sep == '_' || w.sep == '@' || p.digits && w.sep2 == 0 && w.sep != ',' && w.sep != '/' && w.sep != '('
}

func (b *reader) isQuote(i int) bool {
	c, w := prev(b.text, i)
	return c == other && !money(b.text, i-w)
}

// numberFirst is 12 High Street, 221B Baker Street, 12 bis rue de la Paix, 350 5th Ave.
func (b *reader) numberFirst(k, last int) (street, bool) {
	s := street{from: k, score: 0.85, rule: "address/number-first"}
	i := last + 1
	if w := b.at(i); w.n <= 3 && w.soft() && (b.letters(i, "bis") || b.letters(i, "ter")) {
		i++
	}
	if w := b.at(i); w.is(sStreet|sStreetWeak) && !w.hard() || w.is(sStreet) && w.sep == ',' && !w.line {
		if to, ok := b.romance(i); ok {
			s.to = to
			if n := b.at(to + 1); n.digits && n.n <= 4 && n.space && n.soft() && b.over(to+2) {
				s.to++ // a number at both ends
			}
			return s, !w.is(sStreetEnd) || b.w[i+1].upper || b.at(i+1).is(sJoint)
		}
	}
	return b.english(k, i, s)
}

// romance reads a name behind a word such as rue at i, and returns its last word.
func (b *reader) romance(i int) (to int, ok bool) {
	const most = 7
	kind := b.at(i)
	sure := kind.is(sStreet) && !kind.is(sStreetWeak) || kind.upper && kind.n > 1
	named := 0
	for j := i + 1; j <= i+most; j++ {
		w := b.at(j)
		if w.line || w.sep2 != 0 || w.sep != 0 && w.sep != '\'' && w.sep != '-' && w.sep != '.' || w.start == len(b.text) {
			break
		}
		switch {
		case w.digits:
			if named > 0 || w.n > 2 || !b.at(j+1).is(sOf|sMonth) || b.at(j+1).line { // rue du 8 mai 1945
				if w.n != 4 || !b.at(j-1).is(sMonth) {
					return to, ok
				}
			}
			continue
		case w.is(sJoint) && named == 0, w.is(sJoint) && b.at(j+1).upper && !b.at(j+1).hard():
			continue
		case w.upper && (named == 0 || !w.is(sStop)), named == 0 && sure && !w.is(sStop):
			named++
			to, ok = j, true
			if !w.upper && b.at(j+1).sep != '-' {
				return to, ok
			}
		case w.sep == '-' && named > 0:
			to = j
		default:
			return to, ok
		}
	}
	return to, ok
}

// english reads a name from i on, up to a word such as street.
func (b *reader) english(k, i int, s street) (street, bool) {
	const most = 5
	capitals, names := 0, 0
	for j := i; j < i+most; j++ {
		w := b.at(j)
		if w.line || w.sep2 != 0 || w.sep != 0 && w.sep != '\'' && w.sep != '-' && w.sep != '.' || w.start == len(b.text) {
			return s, false
		}
		if w.is(sStreetEnd|sStreetEndWeak) && names > 0 && (j == i+most-1 || !b.at(j+1).is(sStreetEnd|sStreetEndWeak) || b.at(j+1).hard()) {
			s.to = j
			if d := b.at(j + 1); d.n <= 2 && d.caps && d.soft() && !d.digits && b.quarter(j+1) {
				s.to = j + 1
			}
			return b.weighEnglish(k, i, j, capitals, names, s)
		}
		switch {
		case w.digits:
			if o := b.at(j + 1); !o.is(sOrdinal) || !o.glued() {
				return s, false
			}
			j++
			names++
			capitals++
			continue
		case w.is(sStop) && !b.partOfName(j, names):
			return s, false
		}
		if w.upper {
			capitals++
		} else if w.is(sJoint) && names > 0 {
			capitals++
		}
		names++
	}
	return s, false
}

// partOfName reports whether the word i, which is seldom a part of a name, is
// one here: N Main St, The Avenue, Alfred the Great Road. So many words of the
// name stand in front of it.
func (b *reader) partOfName(i, names int) bool {
	w, n := b.at(i), b.at(i+1)
	if w.upper && (w.n == 1 || names == 0 && n.upper && !w.is(sMeasure)) {
		return true
	}
	return w.is(sJoint) && names > 0 && n.upper || b.quarter(i)
}

// quarter reports whether the word i is a quarter of the compass: N, SW.
func (b *reader) quarter(i int) bool {
	for _, q := range [...]string{"n", "s", "e", "w", "ne", "nw", "se", "sw"} {
		if b.letters(i, q) {
			return true
		}
	}
	return false
}

// weighEnglish says how sure the words i to j behind the number k are a street.
func (b *reader) weighEnglish(k, i, j, capitals, names int, s street) (street, bool) {
	kind, behind := b.at(j), b.at(j+1)
	if capitals == names && (kind.upper || kind.is(sStreetEnd)) {
		if !kind.is(sStreetEnd) {
			s.score, s.needsMore = 0.75, names > 3 || names == 3 && kind.n > 3 || isYear(b.at(k))
		}
		return s, b.w[k].sep != ':' || !b.at(k-1).digits
	}
	// In small letters the words around have to say more.
	if names > 3 || behind.soft() && b.notStreet(j+1) {
		return s, false
	}
	s.score = 0.6
	p := b.at(k - 1)
	led := k == 0 && b.first || b.w[k].hard() || p.is(sHere|sAddress|sUnit) || b.near(k, 4, sAddress)
	strong := b.near(k, 5, sAddress) || p.is(sUnit)
	if kind.is(sStreetEnd) {
		if strong && b.w[i].sense&sMeasure == 0 {
			s.score = 0.7
		}
		s.needsMore = !led || (k == 0 || b.w[k].hard()) && behind.soft() && behind.start < len(b.text)
		return s, b.w[i].sense&sMeasure == 0
	}
	met := b.letters(k-1, "at") && names == 1 && (behind.hard() || behind.is(sStop|sGoesOn))
	s.needsMore = !strong && !met
	return s, b.w[i].sense&sMeasure == 0 && names <= 2
}

// notStreet reports whether the word i makes a street in front of it something else.
func (b *reader) notStreet(i int) bool {
	for _, x := range [...]string{
		"food", "party", "art", "style", "lights", "light", "trip", "race", "bike", "bikes", "map", "maps",
		"sign", "signs", "work", "works", "market", "crossing", "project", "projects", "dogs", "cats", "cafes", "bankers", "journal", "vendors", "fighter", "performers", "bars",
	} {
		if b.letters(i, x) {
			return true
		}
	}
	return false
}

// numberLast is Hauptstraße 12a, Calle Mayor 5, Via Roma 10, Kerkstraat 12.
func (b *reader) numberLast(k, last int) (street, bool) {
	w := &b.w[k]
	if k == 0 || w.line || w.sep2 != 0 && (w.sep != '.' || w.sep2 != ordinalGap) || w.sep != 0 && w.sep != '.' && w.sep != ',' && w.sep != ordinalGap {
		return street{}, false
	}
	p := k - 1
	if b.w[p].is(sNumber) && p > 0 && b.w[p].n <= 6 { // Calle Mayor, nº 5
		p--
	}
	if l := b.at(last + 1); last == k && l.n == 1 && !l.digits && l.space && !l.hard() && b.houseLetter(last+1) {
		last++
	}
	if n := b.at(last + 1); n.is(sMeasure) && n.soft() && !n.is(sHere|sDatePrep) && n.start < len(b.text) {
		return street{}, false
	}
	s := street{to: last, score: 0.8, rule: "address/number-last"}
	if from, ok := b.germanic(p); ok {
		s.from = from.from
		s.score, s.needsMore = from.score, from.needsMore
		return s, true
	}
	return b.romanceBefore(p, k, s)
}

// houseLetter reports whether the single letter i belongs to the number in
// front of it: 12 a, but not "a" as a word.
func (b *reader) houseLetter(i int) bool {
	w, n := b.at(i), b.at(i+1)
	c := b.text[w.start] | 0x20
	return c >= 'a' && c <= 'k' && (w.upper || c != 'a' && c != 'e' && c != 'i') && (n.hard() || n.start == len(b.text) || n.digits)
}

// romanceBefore looks back from the word p for a word such as calle.
func (b *reader) romanceBefore(p, k int, s street) (street, bool) {
	const most = 7
	capital := false
	for i := p; i > p-most && i >= 0; i-- {
		w := &b.w[i]
		if i < p && w.is(sStreet|sStreetWeak) && !b.w[i+1].line && b.streetWord(i, p, k, capital) {
			s.from = i
			if w.n <= 2 || w.is(sStreetWeak) {
				s.score = 0.75
			}
			return s, true
		}
		if w.digits && !b.at(i+1).is(sOf|sMonth) || w.line || i < p && b.w[i+1].sep2 != 0 ||
			w.is(sStop) && !w.is(sJoint) && !w.upper && p-i > 0 {
			return s, false
		}
		if b.w[i].sep != 0 && b.w[i].sep != '.' && b.w[i].sep != '\'' && b.w[i].sep != '-' && b.w[i].sep != '/' && b.w[i].sep != ordinalGap {
			return s, false
		}
		capital = capital || w.upper && !w.is(sJoint)
	}
	return s, false
}

// streetWord weighs the word i, which announces a street whose name goes up to
// p. "via" and single letters are words of other languages as well.
func (b *reader) streetWord(i, p, k int, capital bool) bool {
	w := &b.w[i]
	if w.n == 1 {
		c := b.text[w.start] | 0x20
		sign := b.w[i+1].sep
		return capital && (c == 'c' && sign == '/' || (c == 'r' || c == 'v' || c == 'p') && w.upper && sign == '.')
	}
	names := 0
	for j := i + 1; j <= p; j++ {
		if !b.w[j].is(sJoint) && !b.w[j].is(sStop) {
			names++
		}
	}
	if names == 0 {
		return false
	}
	if b.letters(i, "via") {
		return capital && w.upper && !b.w[i].caps || b.near(i, 3, sAddress) || capital && (b.letters(i-1, "in") || b.letters(i-1, "a") || i == 0 && b.first && b.over(k+1))
	}
	if w.is(sStreetEnd|sStreetEndWeak) && !w.is(sStreetWeak) && !capital {
		return false
	}
	if w.is(sStreetWeak) {
		return capital && (w.upper || b.near(i, 3, sAddress|sHere)) || b.near(i, 3, sAddress)
	}
	return capital || w.n > 2 && names <= 3
}

// postBox is P.O. Box 101, Postfach 12 34, BP 5, Apartado de correos 12.
func (b *reader) postBox(k int) (street, bool) {
	p, w := b.at(k-1), &b.w[k]
	i := k - 1
	if p.is(sNumber) {
		i--
		p = b.at(i)
	}
	if !p.is(sBox) && b.at(i-1).is(sOf) && b.at(i-2).is(sBox) {
		return street{from: i - 2, to: k, score: 0.8, rule: "address/box"}, !w.line
	}
	if !p.is(sBox) || w.line || w.sep2 != 0 || w.glued() && !p.caps || w.sep != 0 && w.sep != ':' && w.sep != '#' && w.sep != '.' && w.sep != ordinalGap {
		return street{}, false
	}
	s := street{from: i, to: k, score: 0.85, rule: "address/box"}
	switch {
	case p.words > 1:
		s.from = i - int(p.words) + 1
	case b.letters(i, "box"):
		// Boxes are many things: only PO Box, Unit 12 Box 34, PSC 12, Box 34.
		q := b.at(i - 1)
		switch {
		case b.letters(i-1, "po"), b.letters(i-1, "pmb"):
			s.from = i - 1
		case q.digits && !p.line && b.w[i-1].n <= 5 && (b.at(i-2).is(sUnit) || b.letters(i-2, "psc") || b.letters(i-2, "cmr")):
			s.from = i - 2
		default:
			return street{}, false
		}
	case b.letters(i, "bp"):
		s.needsMore = !p.caps
		s.score = 0.6
		if b.w[k].val > 90 && b.at(k+1).sep == '/' { // blood pressure
			return street{}, false
		}
		s.needsMore = true
	case b.letters(i, "apartado"), b.letters(i, "casilla"):
		s.needsMore = !p.upper || p.hard()
	}
	if n := b.at(k + 1); n.digits && n.space && n.sep == 0 && !n.line && n.n <= 2 && w.n <= 2 { // Postfach 12 34
		s.to = k + 1
	}
	return s, true
}

// apartment is Apt. 123, where it stands alone.
func (b *reader) apartment(k, last int) (street, bool) {
	p, w := b.at(k-1), &b.w[k]
	if w.line || w.sep2 != 0 || w.sep != 0 && w.sep != '.' && w.sep != '#' || w.glued() || w.n > 4 {
		return street{}, false
	}
	known := b.letters(k-1, "apt") || b.letters(k-1, "apartment") && p.upper || b.letters(k-1, "suite") && p.upper || b.letters(k-1, "appt")
	if !known || b.at(k+1).is(sMeasure) && b.at(k+1).soft() {
		return street{}, false
	}
	return street{from: k - 1, to: last, score: 0.6, rule: "address/apartment"}, true
}

// byContext is a name and a number that only the words in front, or the
// postcode and city behind, make an address: "I live at Paraguay 87, Alcala",
// "Unter den Linden 5, 10117 Berlin".
func (b *reader) byContext(k, last int) (street, bool) {
	w := &b.w[k]
	s := street{from: k, to: last, score: 0.6, rule: "address/context"}
	if n := b.at(last + 1); n.is(sMeasure) && n.soft() && n.start < len(b.text) {
		return s, false
	}
	from := k
	if k > 0 && !w.line && (w.sep == 0 || w.sep == ',' || w.sep == '.') && w.sep2 == 0 {
		from = b.capitalsBefore(k)
	}
	if from < k {
		s.from = from
		s.needsMore = !b.near(s.from, 4, sAddress) || b.at(s.from-1).is(sBe) && !b.near(s.from, 3, sAddress)
		s.needsMore = s.needsMore || b.at(k-1).is(sMonth) || b.at(k-1).is(sUnit)
		return s, !b.at(k-1).is(sVersion|sOtherID|sZip) && w.n <= 5
	}
	// A number and capitalised words, and then a state and postcode.
	j := last
	for range 5 {
		c := b.at(j + 1)
		if !c.upper || c.hard() || c.digits || c.start == len(b.text) {
			break
		}
		j++
	}
	if j == last || j == last+1 && b.at(j).is(sStop|sMonth) {
		return s, false
	}
	s.to, s.needsMore = j, true
	if d := b.at(j + 1); d.digits && !d.hard() && d.n <= 4 && b.near(k, 4, sAddress) {
		s.to, s.needsMore = j+1, false
		return s, true
	}
	return s, b.stateBehind(j)
}

// capitalsBefore goes back over the capitalised words of a name in front of k.
func (b *reader) capitalsBefore(k int) int {
	i := k
	for n := 0; n < 4 && i > 0; n++ {
		w, p := &b.w[i], &b.w[i-1]
		if i < k && w.hard() || p.digits || !p.upper && (i == k || !p.is(sJoint)) || p.is(sWho|sAddress|sBe) || p.is(sStop) && !p.is(sJoint) {
			break
		}
		i--
	}
	for i < k && !b.w[i].upper {
		i++
	}
	return i
}
