package pii

import (
	"slices"
	"strings"
)

// document looks for the number of a passport, a driver's licence or a vehicle,
// of which the digits k are the first. What these numbers look like proves
// little, so a word in front of them, or right behind, has to say what they are.
// Only a few stand for themselves: see the recognisers.
func (b *reader) document(k int) {
	i := b.identStart(k)
	if i < 0 {
		return
	}
	w, n := &b.w[k], b.at(k+1)
	if i == k && w.n < 4 && !n.glued() {
		// Short numbers are a part of something longer, or nothing.
		p := b.at(k - 1)
		goesOn := n.digits || n.caps
		begun := p.n <= 3 && (p.caps || w.soft())
		if w.n == 1 && n.digits || !goesOn && !begun {
			return
		}
	}
	// The kind of document that is named nearest.
	kind, context := b.named(i, k)
	if d, ok := b.vin(i, k, kind); ok && b.addDocument(d, context) {
		return
	}
	if d, ok := b.licence(i, k, kind); ok && b.addDocument(d, context) {
		return
	}
	if d, ok := b.passport(i, k, kind); ok && b.addDocument(d, context) {
		return
	}
	if d, ok := b.plate(i, k, kind); ok {
		b.addDocument(d, context)
	}
}

func (b *reader) addDocument(d docFound, context string) bool {
	if d.score < b.least {
		return false
	}
	b.idEnd = b.w[d.to].end
	b.add(d.from, d.to, d.kind, d.score, d.rule, context)
	return true
}

// docFound is a document in the window.
type docFound struct {
	from, to int
	kind     Type
	score    float64
	rule     string
}

// docKind is what the words near a number say that it is.
type docKind uint8

const (
	noDoc docKind = iota
	passportDoc
	licenceDoc
	plateDoc
	vinDoc
	otherDoc
)

// identStart returns the first word of the run of letters and digits that the
// digits k are in, or -1 where k is not the first number in it.
func (b *reader) identStart(k int) int {
	w := &b.w[k]
	if w.sep == '$' || w.sep == '@' && !w.space {
		return -1
	}
	i := k
	for i > 0 && b.w[i].glued() && k-i < 6 {
		i--
		if b.w[i].digits {
			return -1
		}
	}
	if i == 0 && !b.first && b.w[0].glued() {
		return -1
	}
	return i
}

// ident is a run of letters and digits, in capitals, without the gaps.
type ident struct {
	c       [24]byte
	n       int
	digits  int
	to      int // last word
	letters int
	caps    bool // no small letters
	gaps    int
	signs   bool // a hyphen is among the gaps
	exact   bool // nothing is joined to it behind
}

// read reads an ident from the word i. Where gaps are allowed, parts that are
// set apart by one space or hyphen count as one, as long as they hold digits or
// are a few capitals.
func (b *reader) ident(i, gaps int) (d ident) {
	d.caps = true
	d.to = i - 1
	for j := i; ; j++ {
		w := b.at(j)
		if w.start == len(b.text) {
			d.exact = true
			return d
		}
		if j > i && !w.glued() {
			if d.gaps >= gaps || !b.goesOn(j, &d) {
				d.exact = !b.joined(j)
				return d
			}
			d.gaps++
			d.signs = d.signs || w.sep == '-'
		}
		if d.n+int(w.n) > len(d.c) {
			return d
		}
		n, caps := b.plain(d.c[d.n:], w)
		if n < 0 {
			return d
		}
		d.n += n
		d.caps = d.caps && caps
		if w.digits {
			d.digits += int(w.n)
		} else {
			d.letters += int(w.n)
		}
		d.to = j
	}
}

// goesOn reports whether an ident, of which d is read, goes on with the word j
// behind a gap: 1234-5678, AB51 ABC, B-MW 12, but not with a word of the text.
func (b *reader) goesOn(j int, d *ident) bool {
	w := b.at(j)
	if w.line || w.sep2 != 0 || w.space && w.sep != 0 {
		return false
	}
	switch w.sep {
	case 0, '-':
	case '.':
		return w.digits && b.at(j-1).digits
	default:
		return false
	}
	if w.digits {
		return true
	}
	small := w.n == 3 && w.sense == 0 && d.letters == 2 && !d.caps // my reg is ab12 cde
	return w.n <= 3 && (w.caps || w.sep == '-' || small)
}

func (d *ident) s() []byte { return d.c[:d.n] }

// inList reports whether a list in capitals, with spaces around each of its
// entries, holds the few letters at w.
func (b *reader) inList(list string, w *word) bool {
	var buf [8]byte
	if w.n > 5 {
		return false
	}
	buf[0] = ' '
	n, _ := b.plain(buf[1:7], w)
	if n <= 0 {
		return false
	}
	f := buf[:n+1]
	f = append(f, ' ')
	return strings.Contains(list, string(f))
}

// named says which document the words near the number name: the nearest in
// front of it decides, or one right behind it: "X1234567 is my passport number".
func (b *reader) named(i, k int) (docKind, string) {
	const reach = 8
	lines := 0
	for j := i; j > i-reach && j > 0; j-- {
		w, p := &b.w[j], &b.w[j-1]
		if w.line {
			if lines++; lines > 1 || i-j > 2 {
				break
			}
		}
		if (w.sep == '.' || w.sep == '!' || w.sep == '?' || w.sep == ';') && w.space && p.n > 3 && !p.is(sPassport|sPlate|sNumber) {
			break
		}
		if p.digits && p.n >= 4 && j < i {
			break // another number is in between
		}
		if kind, c := b.namedBy(j - 1); kind != noDoc {
			return kind, c
		}
	}
	end := k
	for end+1 < b.n && b.w[end+1].glued() {
		end++
	}
	for j := end + 1; j <= end+5 && j < b.n; j++ {
		w := &b.w[j]
		if w.line || w.digits && w.n >= 4 || w.hard() && w.sep != '(' && w.sep != ':' && w.sep != ',' {
			break
		}
		if kind, c := b.namedBy(j); kind != noDoc && kind != otherDoc {
			return kind, c
		}
	}
	return noDoc, ""
}

func (b *reader) namedBy(j int) (docKind, string) {
	w := &b.w[j]
	switch {
	case w.sense&(sPassport|sDriver|sPlate|sVIN|sLicence|sOtherID) == 0:
		return noDoc, ""
	case w.is(sVIN):
		return vinDoc, "vin"
	case w.is(sPassport):
		if b.letters(j, "pass") && !b.germanPass(j) {
			return noDoc, "" // to pass, a bus pass
		}
		return passportDoc, "passport"
	case w.is(sDriver):
		return licenceDoc, "driver"
	case w.is(sPlate):
		if b.letters(j, "registration") && !b.vehicle(j) || b.letters(j, "tag") && !b.vehicle(j) {
			return noDoc, ""
		}
		return plateDoc, "plate"
	case w.is(sLicence):
		for n := j - 3; n <= j+3; n++ {
			if x := b.at(n); x.is(sDriver) {
				return licenceDoc, "driver"
			} else if n > j-3 && n != j && x.is(sPlate) || b.letters(n, "fishing") {
				return plateDoc, "plate"
			} else if n != j && x.is(sOtherID) {
				return otherDoc, ""
			}
		}
		return licenceDoc, "licence"
	}
	return otherDoc, ""
}

// germanPass reports whether the word j, pass, is the German word for passport:
// Pass-Nr., mein Pass, Pass C01234565.
func (b *reader) germanPass(j int) bool {
	n := b.at(j + 1)
	return b.w[j].upper && (n.is(sNumber) || n.sep == ':' || b.letters(j-1, "mein") || !n.digits && n.n <= 3 && n.caps)
}

// vehicle reports whether a word near j speaks of a vehicle.
func (b *reader) vehicle(j int) bool {
	for n := max(0, j-4); n <= j+3 && n < b.n; n++ {
		for _, v := range [...]string{"car", "vehicle", "van", "bike", "truck", "motorbike", "kfz", "auto", "my", "number", "reg", "mark", "minéralogique", "voiture"} {
			if n != j && b.letters(n, v) {
				return true
			}
		}
	}
	return false
}

// region reports whether the Finder was told of the country.
func (b *reader) region(code string) bool {
	return slices.Contains(b.regions, code)
}
