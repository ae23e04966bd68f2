package pii

// medical weighs a condition, a complaint or a treatment, whose last word is k.
// It counts where somebody says to have it, or is said to; what people say about
// illness in general is no personal data. Complaints are figures of speech as
// well, such as the headache that a bug is.
func (b *reader) medical(k int) {
	w := &b.w[k]
	i := k
	if w.words > 1 {
		i -= int(w.words) - 1
	}
	if i < 0 || b.w[i].start < b.medicalEnd || b.w[i].start > 0 && b.w[i].glued() || b.w[i].sep == '#' {
		return
	}
	to, rule := k, "medical/condition"
	score, sure := 0.45, 0.85
	switch {
	case w.is(sCondition):
	case w.is(sDrug):
		rule = "medical/treatment"
	default:
		rule, score, sure = "medical/complaint", 0.3, 0.75
		if b.speech(i, k) || w.words > 1 && b.letters(k, "cold") && !b.ends(k+1) {
			return
		}
		if b.opensAllergy(k) {
			if to = b.allergen(k); to == k {
				return
			}
			score = 0.8
		}
	}
	context := ""
	switch {
	case b.suffers(i):
		score, context = max(score, sure), "has"
	case b.medLabel(i), !w.is(sComplaint) && b.near(i, 3, sTake):
		score, context = max(score, sure-0.1), "label"
	case b.first && b.ended && b.n <= 4 && !w.is(sComplaint) && i <= 1 && k == b.n-1:
		score = 0.55 // an answer
	}
	if score < b.least {
		return
	}
	b.medicalEnd = b.w[to].end
	b.add(i, to, Medical, score, rule, context)
}

// speech reports whether the words i to k are a figure of speech: a headache of
// a bug, gives me a headache.
func (b *reader) speech(i, k int) bool {
	if b.letters(k+1, "of") && b.at(k+2).is(sRelation) {
		return true
	}
	for j := i - 1; j >= max(0, i-4); j-- {
		if b.letters(j, "give") || b.letters(j, "gives") || b.letters(j, "giving") || b.letters(j, "gave") || b.letters(j, "like") {
			return true
		}
	}
	return false
}

// medLabel reports whether a label such as "diagnosis:" stands in front of i.
func (b *reader) medLabel(i int) bool {
	for j := i - 1; j >= max(0, i-6); j-- {
		next := &b.w[j+1]
		if b.w[j].is(sMedLabel) {
			return next.sep == ':' || j == i-1 && next.line
		}
		if next.line && j < i-1 || next.hard() && next.sep != ',' && next.sep != '(' {
			return false
		}
	}
	return false
}

// suffers reports whether the words in front of i say that a person has what follows.
func (b *reader) suffers(i int) bool {
	const reach = 6
	for j := i - 1; j >= 0 && j >= i-reach; j-- {
		next := &b.w[j+1]
		if next.line || next.hard() && next.sep != ',' && next.sep != ':' {
			return false
		}
		w, p := &b.w[j], b.at(j-1)
		if w.is(sThing) && !w.is(sKin) {
			return false
		}
		if w.is(sBe) && i-j <= 3 && (p.is(sWho|sKin) || b.letters(j, "bin") || b.letters(j, "im") || b.letters(j, "soy") || b.letters(j, "estoy") || b.letters(j, "suis") || b.letters(j, "sono") || b.letters(j, "sou") || b.letters(j, "estou")) {
			return true
		}
		if !w.is(sSuffer) || w.is(sOwner) && i-j > 2 || b.letters(j, "a") && !p.is(sWho|sKin) {
			continue
		}
		asked := b.letters(j-1, "you") && (b.letters(j-2, "do") || b.letters(j-2, "did"))
		return !asked && !p.is(sThing) && !b.letters(j-1, "it") && !b.letters(j-1, "this") && !b.letters(j-1, "that")
	}
	return false
}

// opensAllergy reports whether the word k says that somebody is allergic.
func (b *reader) opensAllergy(k int) bool {
	if b.at(k+1).sep == ':' && (b.stem(k, "allerg") || b.stem(k, "alerg")) {
		return true
	}
	return b.stem(k, "allerg") && !b.stem(k, "allergie") && !b.stem(k, "allergy") && !b.stem(k, "allergia") || b.stem(k, "alerg") && !b.stem(k, "alergia") ||
		b.letters(k, "intolerant")
}

// allergen returns the last word of what somebody is allergic to, or k: a thing
// that people are not allergic to is a joke.
func (b *reader) allergen(k int) int {
	for j := k + 1; j <= k+5; j++ {
		w := b.at(j)
		if w.hard() && w.sep != ',' && (j > k+1 || w.sep != ':') || w.start == len(b.text) {
			return k
		}
		if w.is(sAllergen) {
			return j
		}
	}
	return k
}

// measure looks for a dose, a value that was measured in somebody, or a code of
// a diagnosis, of which the number k is a part.
func (b *reader) measure(k int) {
	if b.w[k].start < b.idEnd || b.w[k].start < b.dateEnd {
		return
	}
	if b.dose(k) || b.labValue(k) {
		return
	}
	b.diagnosisCode(k)
}

// numberEnd returns the last word of a number such as 7.2 or 140/90.
func (b *reader) numberEnd(k int) int {
	n := b.at(k + 1)
	if n.digits && !n.space && !n.line && n.sep2 == 0 && (n.sep == '.' || n.sep == ',' || n.sep == '/') && n.n <= 3 {
		return k + 1
	}
	return k
}

// dose is metformin 500 mg, 20mg of fluoxetine, I take Xarelto 20 mg.
func (b *reader) dose(k int) bool {
	if b.w[k].digits && b.at(k-1).digits && !b.w[k].space && b.w[k].sep != 0 {
		return false
	}
	end := b.numberEnd(k)
	unit := b.at(end + 1)
	if !unit.is(sDose) || !unit.soft() {
		return false
	}
	end++
	for i := k - 1; i >= max(0, k-3); i-- {
		if b.w[i+1].hard() && b.w[i+1].sep != ',' && b.w[i+1].sep != '(' && b.w[i+1].sep != ':' || b.w[i].digits {
			break
		}
		if b.w[i].is(sDrug) {
			b.addMedical(i, end, 0.9, "medical/dose")
			return true
		}
	}
	for i := end + 1; i <= end+2; i++ {
		if n := b.at(i); n.is(sDrug) && n.soft() {
			b.addMedical(k, i, 0.9, "medical/dose")
			return true
		}
	}
	p := b.at(k - 1)
	if b.near(k, 4, sTake) && !b.letters(end, "g") && !b.letters(end, "ml") {
		i := k
		if k > 0 && !p.is(sTake|sStop|sJoint|sRelation) && b.w[k].soft() && p.n > 4 {
			i--
		}
		b.addMedical(i, end, 0.7, "medical/dose")
		return true
	}
	return false
}

func (b *reader) addMedical(i, to int, score float64, rule string) {
	if b.w[i].words > 1 {
		i -= int(b.w[i].words) - 1
	}
	if i < 0 || score < b.least {
		return
	}
	b.medicalEnd = b.w[to].end
	b.add(i, to, Medical, score, rule, "")
}

// labValue is blood pressure 140/90, HbA1c of 7.2, BMI: 31.
func (b *reader) labValue(k int) bool {
	w := &b.w[k]
	if w.n > 4 || w.glued() && k > 0 {
		return false
	}
	for i := k - 1; i >= max(0, k-4); i-- {
		n := &b.w[i+1]
		if n.line || n.hard() && n.sep != ':' && n.sep != '=' && n.sep != '(' && n.sep != '>' && n.sep != '<' {
			return false
		}
		if b.w[i].is(sLab) {
			b.addMedical(i, b.numberEnd(k), 0.8, "medical/value")
			return true
		}
		if b.w[i].digits || !b.w[i].is(sBe|sJoint|sHere|sOf|sStop|sRelation|sNumber|sDatePrep) && !b.letters(i, "level") && !b.letters(i, "value") && !b.letters(i, "result") {
			return false
		}
	}
	return false
}

// diagnosisCode is a code of ICD-10 behind a word that says so: F32.1.
func (b *reader) diagnosisCode(k int) {
	w, l := &b.w[k], b.at(k-1)
	if w.n != 2 || k == 0 || !w.glued() || l.n != 1 || l.digits || l.glued() && k > 1 || !b.near(k-1, 6, sICD) {
		return
	}
	end := k
	if n := b.at(k + 1); n.digits && n.sep == '.' && !n.space && n.n <= 2 {
		end++
	}
	if n := b.at(end + 1); n.glued() && n.n > 1 && n.start < len(b.text) {
		return
	}
	b.addMedical(k-1, end, 0.85, "medical/icd")
}
