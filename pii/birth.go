package pii

// birth says which kind of word near the words from to to makes them the date
// of a birth; "" if none does.
func (b *reader) birth(from, to int) string {
	const reach, reachBehind = 6, 6
	lines := 0
	for i := from; i > from-reach && i > 0; i-- {
		w, p := &b.w[i], &b.w[i-1]
		if p.end <= b.dateEnd && b.dateEnd > 0 {
			break
		}
		if w.line {
			if lines++; lines > 1 || i != from {
				break
			}
		}
		if w.sep == '.' && w.space && w.upper || w.sep == '!' || w.sep == '?' || w.sep == ';' {
			break // another sentence
		}
		if p.is(sBirth) && !p.is(sWho) {
			if !w.is(sDocWord) || w.line {
				return "birth"
			}
			break
		}
	}
	if c, at := before(b.text, b.w[from].start); c == '*' || c == ' ' && at > 0 && b.text[at-1] == '*' {
		if d, _ := before(b.text, max(0, at-1)); d != '*' && !isWord(d) {
			return "*"
		}
	}
	for i := to + 1; i <= to+reachBehind && i < b.n; i++ {
		w := &b.w[i]
		if w.line || w.digits || w.sep2 != 0 || (w.sep == '.' || w.sep == '!' || w.sep == '?' || w.sep == ';' || w.sep == ',') && w.space {
			break
		}
		if w.is(sBirth) && w.sense&sWho == 0 && !b.at(i+1).is(sDocWord) {
			return "birth"
		}
	}
	return ""
}

// birthYear is a year alone behind a birth: born in 1984, Jahrgang 1984.
func (b *reader) birthYear(k int) {
	w := &b.w[k]
	if w.n != 4 || w.val < 1900 || w.val > 2030 || w.hard() && w.sep != ':' && w.sep != '.' || b.at(k+1).glued() && k+1 < b.n {
		return
	}
	for i := k - 1; i >= 0 && i >= k-4; i-- {
		p := &b.w[i]
		if p.is(sBirth) {
			b.dateEnd = w.end
			b.add(k, k, DateOfBirth, 0.7, "date/birth-year", "birth")
			return
		}
		if p.digits || b.w[i+1].line || !p.is(sHere|sOf|sYears|sBe|sDatePrep|sCity) && (!p.upper || i == k-1) {
			return
		}
	}
}
