package pii

import "strings"

// licence looks for the number of a driver's licence from the word i on. Words
// of a text fit the forms of some states, so a word that says what it is has to
// stand near it. Only a British number, which holds a date of birth in its
// structure, counts alone; some others do where they are the whole message.
func (b *reader) licence(i, k int, kind docKind) (docFound, bool) {
	d := b.ident(i, 0)
	f := docFound{from: i, to: d.to, kind: DriverLicense, rule: "licence/named"}
	if d.exact && dvla(d.s()) {
		f.score, f.rule = 0.75, "licence/uk"
		if kind == licenceDoc {
			f.score = 0.95
		}
		return f, true
	}
	if kind == licenceDoc {
		if !d.exact || !licenceForm(&d) {
			if d = b.ident(i, 5); !d.exact || !licenceForm(&d) || b.dateAhead(k) {
				return f, false
			}
			f.to = d.to
		}
		f.score = 0.75
		for _, p := range licenceForms {
			if pattern(d.s(), p) {
				f.score = 0.85
				break
			}
		}
		return f, !b.dateAhead(k)
	}
	if kind != noDoc || !d.caps || !d.exact {
		return f, false
	}
	s := d.s()
	switch {
	case pattern(s, "AA99999999X") && (b.region("DE") || b.bareAnswer(i, d.to)),
		(pattern(s, "AA9999999A") || italianU1(s)) && (b.region("IT") || b.bareAnswer(i, d.to)):
		f.score, f.rule = 0.55, "licence/alone"
		return f, true
	}
	return f, false
}

// italianU1 is the form of Italian licences since 2013: U1, seven letters and
// digits, and a letter.
func italianU1(s []byte) bool {
	return pattern(s, "A9XXXXXXXA") && s[0] == 'U' && s[1] == '1'
}

// licenceForm reports whether a number can be that of a licence at all.
func licenceForm(d *ident) bool {
	return pattern(d.s(), "AAAAAAA999AA") || d.n >= 5 && d.n <= 18 && d.digits >= 4 && d.letters <= 8 && (d.letters == 0 || d.digits >= 4 || d.n >= 9)
}

// licenceForms are forms in use: A a letter, 9 a digit, X either.
var licenceForms = [...]string{ //nolint:gochecknoglobals // a constant table
	"A9999999", "A99999999", "A999999999999", "A99999999999", "A999999999999999", "A99999999999999", "A999999999", // United States
	"9999999", "99999999", "999999999", "9999999999", "99A999999", "AA999999A", "AA999999", "AA99999", "999AA9999", "9999999A",
	"99999999A",        // Spain
	"999999999999",     // France, New York of old
	"99999999999",      // Brazil
	"AA9999999A",       // Italy
	"U1XXXXXXXA",       // Italy since 2013
	"XXX99999XXX",      // Germany
	"AA99999999X",      // Germany
	"A99999999999999",  // Ontario, New Jersey
	"A9999999999999",   // Illinois, Florida, Michigan
	"AA9999999999999",  // India
	"AAA99999999",      // Ireland
	"AAAAA999999AA9AA", // United Kingdom
}

// dvla reports whether a number is one of the DVLA in Swansea: five letters of
// the name, filled with 9; the decade of birth; the month, with 5 added to its
// first digit for women; the day; the year; two initials; and three more.
func dvla(s []byte) bool {
	if len(s) != 16 && len(s) != 18 {
		return false
	}
	filled := false
	for i, c := range s[:5] {
		switch {
		case c == '9' && i > 0:
			filled = true
		case !isAlpha(c) || filled:
			return false
		}
	}
	for _, c := range s[5:11] {
		if !isDigit(c) {
			return false
		}
	}
	month := int(s[6]-'0')*10 + int(s[7]-'0')
	day := int(s[8]-'0')*10 + int(s[9]-'0')
	if month > 50 {
		month -= 50
	}
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return false
	}
	initial := func(c byte) bool { return isAlpha(c) || c == '9' }
	return initial(s[11]) && initial(s[12]) && (s[11] != '9' || s[12] == '9') &&
		(isDigit(s[13]) || isAlpha(s[13])) && isAlpha(s[14]) && isAlpha(s[15])
}

// vin looks for the number of a vehicle (ISO 3779): 17 letters and digits
// without I, O and Q. Its check digit is used in North America and China.
func (b *reader) vin(i, _ int, kind docKind) (docFound, bool) {
	if kind != vinDoc && kind != plateDoc {
		return docFound{}, false
	}
	d := b.ident(i, 0)
	s := d.s()
	if d.n != 17 || !d.exact || d.digits < 4 || d.letters < 1 || strings.ContainsAny(string(s), "IOQ") {
		return docFound{}, false
	}
	f := docFound{from: i, to: d.to, kind: VehiclePlate, score: 0.75, rule: "plate/vin"}
	if vinCheck(s) {
		f.score = 0.97
	}
	return f, true
}

// vinCheck is the check of 49 CFR 565.15: the ninth character.
func vinCheck(s []byte) bool {
	const values = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ"
	weights := [...]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	sum := 0
	for i, c := range s {
		sum += strings.IndexByte(values, c) % 10 * weights[i]
	}
	return s[8] == "0123456789X"[sum%11]
}
