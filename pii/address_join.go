package pii

// join takes along what belongs to an address and stands behind its word i: the
// apartment, the postcode and the city, the state, the country. It returns the
// last word of all.
func (b *reader) join(i int) int {
	for range 5 {
		j := b.joinUnit(i)
		if j == i {
			j = b.joinLines(i)
		}
		if j == i {
			j = b.joinPlace(i)
		}
		if j == i {
			return i
		}
		i = j
	}
	return i
}

// adjoins reports whether the word i can go on with an address: white space, a
// comma, a hyphen, or a new line stand in front of it.
func (b *reader) adjoins(i int) bool {
	w := b.at(i)
	if w.line && (w.sep == '>' || w.sep == '?' || w.sep == '|' || w.sep == '*') {
		return true // lines that are quoted or listed
	}
	return w.start < len(b.text) && (w.sep == 0 || w.sep == ',' || w.sep == '.' || w.sep == '-' || w.sep == '/' || w.sep == '#' || w.sep == ';') &&
		(w.sep2 == 0 || w.line || w.sep2 == '#' || w.sep2 == ',')
}

// joinUnit takes Apt. 5B, Suite 12, 2º B, bus 3, 3. OG.
func (b *reader) joinUnit(i int) int {
	u, n := b.at(i+1), b.at(i+2)
	if !b.adjoins(i + 1) {
		return i
	}
	switch {
	case u.is(sUnit) && n.digits && !n.line && n.n <= 5:
		i += 2
	case u.is(sUnit) && n.n == 1 && n.upper && !n.hard():
		return i + 2
	case u.is(sBox) && n.digits && !n.line:
		return i + 2
	case u.digits && u.n <= 4 && u.sep == '#' || u.digits && u.n <= 4 && u.sep2 == '#':
		i++
	case u.digits && u.n <= 2 && n.sep == ordinalGap && u.sep == ',' && b.text[u.end] >= 0x80:
		i++
		if n.n <= 4 && !n.digits && !n.line && n.start < len(b.text) && (n.n == 1 || n.is(sUnit)) {
			i++
		}
		return i
	case u.digits && u.n <= 2 && n.is(sUnit) && !n.line && !n.digits:
		return i + 2
	default:
		return i
	}
	if l := b.at(i + 1); l.glued() && l.n == 1 && !l.digits && l.start < len(b.text) {
		i++
	}
	return i
}

// joinPlace takes 10115 Berlin; Bristol BS1 4DJ; Springfield, IL 62701; , Bristol.
func (b *reader) joinPlace(i int) int {
	if !b.adjoins(i + 1) {
		return i
	}
	if to, ok := b.codeAndCity(i + 1); ok {
		return to
	}
	// A city of up to four words, and then a state or a postcode.
	j := i
	for n := range 4 {
		w := b.at(j + 1)
		if n > 0 && (w.hard() && w.sep != '.') || w.digits || w.start == len(b.text) {
			break
		}
		if n > 0 || b.state(j+1) {
			if to, ok := b.stateAndCode(j + 1); ok {
				return to
			}
		}
		if to, ok := b.codeAt(j + 1); ok && n > 0 {
			return to
		}
		if !w.upper && (w.is(sStop) || n > 1) {
			break
		}
		j++
	}
	if j == i {
		return i
	}
	if w := b.at(j + 1); b.adjoins(j+1) && !w.digits {
		if to, ok := b.stateAndCode(j + 1); ok && b.allUpper(i+1, j) {
			return to
		}
	}
	if to, ok := b.codeAt(j + 1); ok && b.adjoins(j+1) && b.allUpper(i+1, j) {
		return to
	}
	// A city alone: behind a comma, or one that is known.
	w := b.at(i + 1)
	j = i
	for n := 0; n < 3 && b.at(j+1).upper && !b.at(j+1).digits && (n == 0 || b.at(j+1).soft()); n++ {
		j++
	}
	switch {
	case w.is(sCity) && !w.is(sStop) && w.loose():
		if j == i {
			j++
		}
		return j
	case j > i && w.sep == ',' && !w.line && w.sep2 == 0 && !w.is(sStop|sWho|sBe|sGoesOn) && (b.at(j+1).hard() || b.at(j+1).start == len(b.text)):
		return j
	}
	return i
}

func (b *reader) allUpper(i, j int) bool {
	for k := i; k <= j; k++ {
		if !b.at(k).upper && !b.at(k).is(sJoint) {
			return false
		}
	}
	return true
}

// joinLines takes up to three lines of capitalised words of which the last ends
// with a postcode, as at the top of a letter: Springfield, new line, Poland 11248.
func (b *reader) joinLines(i int) int {
	if !b.at(i + 1).line {
		return i
	}
	lines, words := 0, 0
	for j := i + 1; ; j++ {
		w := b.at(j)
		if w.line {
			if lines++; lines > 3 || !b.adjoins(j) {
				return i
			}
			words = 0
		}
		if w.digits && w.n >= 4 && w.n <= 6 && words > 0 && w.space && (b.at(j+1).line || b.at(j+1).hard()) {
			return j
		}
		if words++; w.digits || !w.upper && !w.is(sJoint) || words > 5 || !w.line && w.hard() && w.sep != ',' && w.sep != '.' && w.sep != '(' || w.start == len(b.text) {
			return i
		}
	}
}

// state reports whether the word i is the short name of a state, in capitals.
func (b *reader) state(i int) bool {
	w := b.at(i)
	return w.is(sState) && w.caps && w.n <= 3
}

// stateAndCode reads IL 62701, or CA 94107-1234, at i.
func (b *reader) stateAndCode(i int) (to int, ok bool) {
	if !b.at(i).is(sState) {
		return 0, false
	}
	z := b.at(i + 1)
	if !z.digits || z.n != 5 && z.n != 4 || !z.loose() || z.glued() {
		return 0, false
	}
	if b.at(i).n == 2 && !b.at(i).caps && z.n != 5 {
		return 0, false
	}
	return b.plusFour(i + 1), true
}

// plusFour takes the four digits behind an American postcode.
func (b *reader) plusFour(i int) int {
	if p := b.at(i + 1); p.digits && p.n == 4 && p.sep == '-' && !p.space && p.sep2 == 0 {
		return i + 1
	}
	return i
}

// stateBehind reports whether within the next words of an address a state and a
// postcode stand.
func (b *reader) stateBehind(i int) bool {
	for j := i; j < i+5; j++ {
		if !b.adjoins(j + 1) {
			return false
		}
		if _, ok := b.stateAndCode(j + 1); ok {
			return true
		}
	}
	return false
}

// codeAndCity reads 10115 Berlin, D-10115 Berlin, 1234 AB Amsterdam at i.
func (b *reader) codeAndCity(i int) (to int, ok bool) {
	if l := b.at(i); !l.digits && l.n <= 2 && l.caps && b.at(i+1).digits && b.at(i+1).sep == '-' {
		i++
	}
	to, ok = b.codeAt(i)
	if !ok {
		z := b.at(i)
		if !z.digits || z.n < 4 || z.n > 6 || b.at(i+1).glued() && i+1 < b.n {
			if c := b.at(i + 1); !z.digits || z.n != 3 || !c.digits || c.n != 2 || !c.space {
				return 0, false
			}
			i++ // 123 45 Stockholm
		}
		to = i
		if c := b.at(i + 1); c.digits && c.sep == '-' && (c.n == 3 || c.n == 4) && !c.space {
			to = i + 1
		}
	}
	n := 0
	for n < 4 {
		w := b.at(to + 1)
		if w.digits || w.start == len(b.text) || w.hard() || w.is(sStop) && n == 0 {
			break
		}
		if joint := w.is(sJoint) && b.at(to+2).upper; !w.upper && (n == 0 || !joint) && (n > 0 || !w.is(sCity)) {
			break
		}
		to++
		n++
	}
	if n == 0 && !ok {
		// A postcode alone on its line, or in front of the end.
		z := b.at(to)
		return to, z.n == 5 && b.at(i).sep == ',' && (b.at(to+1).hard() || b.at(to+1).start == len(b.text))
	}
	return to, true
}
