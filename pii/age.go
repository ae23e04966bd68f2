package pii

// age looks for an age: the number k and the words around it that can say
// nothing else. The finding is the number alone, so that "I am 34 years old"
// stays a sentence.
func (b *reader) age(k int) {
	w := &b.w[k]
	if w.n > 3 || w.val > 122 || w.start < b.dateEnd || w.start < b.idEnd || w.n > 1 && b.text[w.start] == '0' || b.partOfNumber(k) {
		return
	}
	var rule string
	score := 0.85
	switch {
	case b.yearsOld(k):
		rule = "age/years-old"
	case b.hasYears(k):
		rule = "age/has-years"
	case b.labelled(k):
		rule = "age/label"
	case b.isAge(k):
		rule, score = "age/is", 0.75
	case b.ageAndSex(k):
		rule, score = "age/sex", 0.75
	default:
		return
	}
	b.add(k, k, Age, score, rule, "")
}

// partOfNumber reports whether signs join the number k to others, or money or a
// percentage is meant.
func (b *reader) partOfNumber(k int) bool {
	w, n := &b.w[k], b.at(k+1)
	if !w.space && !w.line && w.sep != '(' && w.sep != '[' && w.sep != ':' && w.sep != '\'' && w.sep != '=' && w.sep != '~' {
		if p := b.at(k - 1); k > 0 && (w.glued() && p.n > 1 || p.digits || w.sep == '#' || w.sep == '$' || w.sep == '/' && !p.is(sWho)) {
			return true
		}
	}
	if w.sep == '$' || w.sep2 == '$' || w.sep == '#' || w.sep2 == '#' || w.sep == '<' || w.sep == '>' {
		return true
	}
	if n.digits && !n.space && !n.line && n.sep2 == 0 && (n.sep == '.' || n.sep == ',' || n.sep == ':' || n.sep == '/') {
		return true
	}
	c, at := after(b.text, w.end)
	if c == ' ' {
		at++
		c, _ = next(b.text, at)
	}
	return c == '%' || c == '$' || c == '+' || money(b.text, at)
}

// yearsOld is 34 years old, 34-year-old, 34 yo, 34 Jahre alt, 34-jährig, 34 jaar oud.
func (b *reader) yearsOld(k int) bool {
	y := b.at(k + 1)
	if y.line || y.sep2 != 0 || y.sep != 0 && y.sep != '-' && y.sep != other {
		return false
	}
	i := k + 2
	switch {
	case b.letters(k+1, "yo"):
	case b.letters(k+1, "y") && b.letters(k+2, "o") && b.at(k+2).sep != 0:
		i = k + 3
	case b.stem(k+1, "jahrig"), b.stem(k+1, "jaehrig"), b.stem(k+1, "jarig"):
	case y.is(sYears) && b.at(i).is(sOld) && b.at(i).soft():
		if b.at(i).is(sAgeLabel) && b.letters(i, "age") && !b.at(i).space { // ans, d'âge: a whisky
			return false
		}
		i++
	case y.is(sYears) && b.at(i).is(sOf) && b.at(i+1).is(sOld) && b.at(i+1).soft():
		i += 2
	case y.is(sYears) && b.at(i).is(sOld|sAgeLabel):
		return false
	default:
		return false
	}
	return !b.thing(k, i)
}

// thing reports whether it is rather something else than a person that is so
// old: a 10 year old laptop, my car is 10 years old.
func (b *reader) thing(k, behind int) bool {
	for i := behind; i < behind+2; i++ {
		if w := b.at(i); !w.soft() {
			break
		} else if w.is(sThing) && !w.is(sKin) {
			return true
		}
	}
	for i := k - 1; i >= max(0, k-5) && !b.w[i+1].line; i-- {
		if b.w[i].is(sThing) && !b.w[i].is(sKin) {
			return true
		}
		if b.w[i].is(sKin|sWho) && !b.letters(i, "my") {
			return false
		}
	}
	return false
}

// hasYears is j'ai 34 ans, tengo 34 años, ho 34 anni, un homme de 34 ans.
func (b *reader) hasYears(k int) bool {
	y := b.at(k + 1)
	if !y.is(sYears) || !y.soft() || b.w[k].hard() {
		return false
	}
	if n := b.at(k + 2); n.soft() && (n.is(sOf) || n.start < n.end && b.letters(k+2, "d")) && !b.at(k+3).is(sOld|sAgeLabel) && b.at(k+3).start < len(b.text) {
		return false // cinq ans d'expérience
	}
	i := k - 1
	if b.adverb(b.at(i)) {
		i--
	}
	p, q := b.at(i), b.at(i-1)
	switch {
	case p.is(sHaveAge):
		if b.letters(i, "a") && (b.letters(i-1, "y") || !q.is(sWho|sKin) && !q.upper) {
			return false // il y a dix ans; an article
		}
		return !q.is(sThing) || q.is(sKin)
	case p.is(sOf): // âgé de, homme de
		return q.is(sAgeLabel) || q.is(sKin)
	case p.is(sBe) && q.is(sWho|sKin): // ich bin 34 Jahre, ik ben 34 jaar
		return b.ends(k + 2)
	}
	return p.is(sAgeLabel) && !p.is(sOf)
}

// ends reports whether the clause ends in front of the word i, or goes on as it
// does behind an age.
func (b *reader) ends(i int) bool {
	w := b.at(i)
	return w.start == len(b.text) || w.hard() || w.is(sGoesOn)
}

// labelled is age 34, aged 34, Alter: 34, âge : 34 ans.
func (b *reader) labelled(k int) bool {
	w, p := &b.w[k], b.at(k-1)
	if w.line && w.sep == 0 {
		return false
	}
	if p.is(sBe) && !w.hard() { // my age is 34
		p = b.at(k - 2)
		if w.space && p.is(sAgeLabel) && p.is(sOld) {
			return b.ends(k + 1)
		}
		return false
	}
	if !p.is(sAgeLabel) || w.sep != 0 && w.sep != ':' && w.sep != '=' && w.sep != '-' && w.sep != '.' || w.sep2 != 0 {
		return false
	}
	if q := b.at(k - 2); q.start < q.end && (b.letters(k-2, "minimum") || b.letters(k-2, "legal") || b.letters(k-2, "under") || b.letters(k-2, "d") || b.letters(k-2, "ice")) {
		return false
	}
	if b.letters(k-1, "aged") {
		return !b.thing(k, k+1)
	}
	n := b.at(k + 1)
	return w.sep == ':' || w.sep == '=' || (b.at(k-1).hard() || k == 1 || b.at(k-2).is(sOf|sWho) || b.at(k-2).is(sHere)) && (b.ends(k+1) || n.is(sYears))
}

// isAge is I'm 34, ich bin 34, she is 34, my son is 7, I just turned 46.
func (b *reader) isAge(k int) bool {
	w := &b.w[k]
	if w.hard() || w.val < 1 || !b.ends(k+1) || b.letters(k+1, "m") && b.at(k+1).glued() {
		return false
	}
	if n := b.at(k + 1); n.sep == '-' && n.digits || n.is(sMeasure) && n.soft() && !n.is(sGoesOn) {
		return false
	}
	i := k - 1
	for range 2 { // just, only, now, already
		if p := b.at(i); b.adverb(p) && i > 0 && !b.w[i].hard() {
			i--
		}
	}
	p, q := b.at(i), b.at(i-1)
	switch {
	case (b.letters(i, "tengo") || b.letters(i, "tenho")) && w.val > 11:
		return b.letters(i-1, "yo") || b.letters(i-1, "eu")
	case p.is(sTurned):
		if p.is(sHaveAge) || q.is(sWho|sKin) || b.adverb(q) || b.at(i-2).is(sWho|sKin) {
			return w.val >= 1 && !b.letters(i-1, "it") && w.val != 180 && w.val != 360 && w.val != 90
		}
		return false
	case p.is(sBe):
		if b.letters(i, "im") || b.letters(i, "bin") {
			return w.val > 2 && (b.letters(i, "bin") || i == 0 || b.w[i].hard() || q.is(sGoesOn) || b.letters(i-1, "hi") || b.letters(i-1, "hey"))
		}
		if q.is(sWho) {
			// Two letters that mean something else in other languages.
			return w.val > 2 && !b.letters(i-1, "you") && !b.letters(i-1, "they") && !b.letters(i-1, "we") && !b.letters(i-1, "all") && !b.letters(i-1, "on") && !b.letters(i-1, "y") && !b.letters(i-1, "el")
		}
		return q.is(sKin) && !q.is(sWho) && w.val > 0
	}
	return false
}

func (b *reader) adverb(w *word) bool {
	switch {
	case w.digits || w.start == w.end:
		return false
	case w.n == 3:
		return b.wordIs(w, "now")
	case w.n == 4:
		return b.wordIs(w, "just") || b.wordIs(w, "only") || b.wordIs(w, "erst") || b.wordIs(w, "also")
	case w.n == 5:
		return b.wordIs(w, "schon") || b.wordIs(w, "still")
	case w.n == 6:
		return b.wordIs(w, "gerade") || b.wordIs(w, "almost") || b.wordIs(w, "nearly")
	case w.n == 7 && w.end-w.start > 7:
		return b.foldIs(w, "bientot")
	}
	return b.wordIs(w, "presque") || b.wordIs(w, "already") || b.wordIs(w, "currently") || b.wordIs(w, "recently")
}

// ageAndSex is I (34M), my wife [28F], (w/34).
func (b *reader) ageAndSex(k int) bool {
	w, n := &b.w[k], b.at(k+1)
	if w.n != 2 || w.val < 12 {
		return false
	}
	bracket := w.sep == '(' || w.sep == '[' || w.sep2 == '(' || w.sep2 == '['
	if sex(b, n, k+1) && n.glued() {
		closed := n.end < len(b.text) && (b.text[n.end] == ')' || b.text[n.end] == ']')
		p := b.at(k - 1)
		return bracket && closed || !w.hard() && n.upper && (p.is(sKin) || b.letters(k-1, "i") || b.letters(k-1, "im") || b.letters(k-1, "me"))
	}
	if sex(b, n, k+1) && n.sep == '/' && !n.space { // 34/m
		p := b.at(k - 1)
		return bracket || p.is(sBe|sWho|sKin) || b.first && k == 0
	}
	p := b.at(k - 1)
	return sex(b, p, k-1) && w.sep == '/' && !w.space && (p.sep == '(' || p.sep == '[' || b.at(k-2).is(sBe|sWho))
}

// sex reports whether a word is a letter for man or woman.
func sex(b *reader, w *word, i int) bool {
	return w.n == 1 && !w.digits && (b.letters(i, "m") || b.letters(i, "f") || b.letters(i, "w"))
}

// letters reports whether the word i is s, which is in small letters.
func (b *reader) letters(i int, s string) bool { return b.wordIs(b.at(i), s) }

func (b *reader) wordIs(w *word, s string) bool {
	if w.digits || int(w.n) != len(s) || w.end-w.start != len(s) {
		return false
	}
	for i := range len(s) {
		if b.text[w.start+i]|0x20 != s[i] {
			return false
		}
	}
	return true
}

// foldIs reports whether a word is s when its marks are taken away.
func (b *reader) foldIs(w *word, s string) bool {
	var buf [48]byte
	return string(b.fold(buf[:], w)) == s
}

// stem reports whether the folded word i begins with s.
func (b *reader) stem(i int, s string) bool {
	w := b.at(i)
	if w.digits || int(w.n) < len(s)-1 || w.n > 20 {
		return false
	}
	var buf [48]byte
	f := b.fold(buf[:], w)
	return len(f) >= len(s) && string(f[:len(s)]) == s
}
