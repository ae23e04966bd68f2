package pii

// group weighs a nationality, religion, party or ethnic group, whose last word
// is k. Most of these words are said of languages, dishes and goods as well:
// they count where a person is meant, and are entered with a score below the
// usual threshold elsewhere, for those who want them all.
func (b *reader) group(k int) {
	w := &b.w[k]
	i := k
	if w.words > 1 {
		i -= int(w.words) - 1
	}
	if i < 0 || b.w[i].start < b.groupEnd || b.joined(k+1) && b.at(k+1).sep != '-' || w.start > 0 && w.glued() {
		return
	}
	score, context := b.weighGroup(i, k)
	if score < b.least {
		return
	}
	b.groupEnd = w.end
	b.add(i, k, NRP, score, "nrp/word", context)
}

func (b *reader) weighGroup(i, k int) (float64, string) {
	w := &b.w[k]
	n := b.at(k + 1)
	if i > 0 && b.w[i].soft() && b.at(i-1).is(sLanguage) && !w.is(sGroup) || b.near(i, 2, sLanguage) && !w.is(sGroup) && b.w[i].soft() {
		return 0, ""
	}
	if b.labelBefore(i) {
		return 0.85, "label"
	}
	if n.is(sPersonWord) && n.soft() && !n.is(sBe) && n.start < len(b.text) {
		return 0.65, "person"
	}
	if n.soft() && n.is(sLanguage) && !n.is(sGoesOn) && n.start < len(b.text) {
		return 0, ""
	}
	if said := b.saidOf(i, k); said {
		return 0.85, "person"
	}
	if w.is(sGroup) {
		return 0.45, ""
	}
	return 0.4, ""
}

// labelBefore reports whether "nationality:" or the like stands in front of i.
func (b *reader) labelBefore(i int) bool {
	for j := i - 1; j >= 0 && j >= i-3; j-- {
		w := &b.w[j]
		if w.is(sGroupLabel) {
			return true
		}
		if b.w[j+1].hard() && b.w[j+1].sep != ':' || b.w[j+1].line {
			return false
		}
	}
	return false
}

// saidOf reports whether the words in front of i say that somebody is what the
// words i to k name: I'm, she is a, as a, ich bin, are you.
func (b *reader) saidOf(i, k int) bool {
	if n := b.at(k + 1); !b.ends(k+1) && !n.is(sPersonWord|sNRP|sHere|sJoint|sStop|sRelation) && b.w[k].is(sDemonym) && !b.w[k].is(sGroup) {
		return false // she is French Vogue's editor, I am German shepherd owner
	}
	j := i
	for range 3 { // a, proud, half, a devout
		if p := b.at(j - 1); j > 0 && !b.w[j].hard() && (p.is(sRelation) && !b.as(j-1) || b.adverb(p) || p.is(sNRP) && b.w[j].sep == 0 && j < i) {
			j--
			continue
		}
		break
	}
	if j == 0 || b.w[j].hard() {
		return false
	}
	p, q := b.at(j-1), b.at(j-2)
	switch {
	case p.is(sBe):
		switch {
		case b.letters(j-1, "bin"), b.letters(j-1, "im"), b.letters(j-1, "soy"), b.letters(j-1, "suis"), b.letters(j-1, "sou"), b.letters(j-1, "sono") && (b.w[j-1].hard() || q.is(sWho) || j == 1):
			return true
		case b.wordIs(p, "m") && b.wordIs(q, "i"):
			return true
		}
		return (q.is(sWho) || q.is(sKin)) && !b.w[j-1].hard() && !b.letters(j-2, "who") || p.sep == '\'' && q.is(sWho|sKin)
	case b.as(j - 1):
		return j < i || b.w[k].is(sGroup) || b.w[k].upper && b.letters(j-1, "als")
	case p.is(sWho) && q.is(sBe) && !b.letters(j-1, "on"):
		return true
	case b.at(j - 1).is(sTurned):
		return b.w[k].is(sGroup)
	}
	return false
}

// as reports whether the word i means as: as a Jew, als Jude, en tant que juif.
func (b *reader) as(i int) bool {
	return b.letters(i, "as") || b.letters(i, "als") || b.letters(i, "como") || b.letters(i, "come") || b.letters(i, "comme") ||
		b.letters(i, "que") && b.letters(i-1, "tant")
}
