package pii

import (
	"slices"
	"strings"
)

// passport looks for a passport number from the word i on. With a word that
// says so, any number in the length of a passport's counts, and one in the form
// of a country is surer.
func (b *reader) passport(i, k int, kind docKind) (docFound, bool) {
	if kind == passportDoc {
		d := b.ident(i, 0)
		if !d.exact {
			return docFound{}, false
		}
		if p := b.at(i - 1); i > 0 && p.caps && p.n <= 3 && !p.digits && p.sense&(sPassport|sNumber|sBe) == 0 && b.w[i].space && b.w[i].soft() {
			if l := b.ident(i-1, 1); l.exact && passportForm(l.s()) >= 0.85 {
				return docFound{from: i - 1, to: l.to, kind: Passport, score: 0.85, rule: "passport/named"}, true
			}
		}
		score := passportForm(d.s())
		if score == 0 {
			// Russia writes 45 10 123456, some people 12 345 678.
			if d = b.ident(i, 2); !d.exact || d.letters > 2 || d.digits < 7 || d.n > 10 || b.dateAhead(k) {
				return docFound{}, false
			}
			score = 0.6
		}
		return docFound{from: i, to: d.to, kind: Passport, score: score, rule: "passport/named"}, true
	}
	if kind == otherDoc {
		return docFound{}, false
	}
	d := b.ident(i, 0)
	if !d.exact || d.n != 9 || d.letters == 0 || !d.caps {
		return docFound{}, false
	}
	s := d.s()
	german := germanDocument(s)
	switch {
	case german && (b.region("DE") || b.bareAnswer(i, d.to)):
		return docFound{from: i, to: d.to, kind: Passport, score: 0.6, rule: "passport/de"}, true
	case (pattern(s, "A999A9999") || pattern(s, "A99999999")) && isKorean(s[0]) && b.region("KR"),
		pattern(s, "A999A9999") && isKorean(s[0]) && b.bareAnswer(i, d.to):
		return docFound{from: i, to: d.to, kind: Passport, score: 0.55, rule: "passport/kr"}, true
	case pattern(s, "AAA999999") && b.region("ES"), pattern(s, "AA9999999") && (b.region("GB") || b.region("IT")), pattern(s, "A99999999") && b.region("US"):
		return docFound{from: i, to: d.to, kind: Passport, score: 0.5, rule: "passport/region"}, true
	}
	return docFound{}, false
}

func isKorean(c byte) bool {
	return c == 'M' || c == 'S' || c == 'R' || c == 'O' || c == 'D' || c == 'G'
}

// dateAhead reports whether k begins a date.
func (b *reader) dateAhead(k int) bool {
	_, ok := b.threeNumbers(k)
	if !ok {
		_, ok = b.namedDate(k)
	}
	return ok
}

// passportForm says how well a number fits the passports that countries issue.
func passportForm(s []byte) float64 {
	digits, letters := 0, 0
	for _, c := range s {
		if isDigit(c) {
			digits++
		} else {
			letters++
		}
	}
	if germanDocument(s) {
		return 0.95
	}
	for _, p := range passportForms {
		if pattern(s, p) {
			return 0.85
		}
	}
	if len(s) == 9 && digits >= 2 && inGerman(s[0]) && !slices.ContainsFunc(s, func(c byte) bool { return !isDigit(c) && !inGerman(c) }) {
		return 0.7
	}
	switch {
	case len(s) < 6 || len(s) > 12 || digits < 4 || letters > 4:
		return 0
	case letters == 0 && (len(s) < 7 || len(s) > 10):
		return 0
	}
	return 0.7
}

// passportForms are the forms of passport numbers: A a letter, 9 a digit.
var passportForms = [...]string{ //nolint:gochecknoglobals // a constant table
	"999999999",  // United States, United Kingdom, Russia in one piece
	"A99999999",  // United States since 2021, China, Korea, Mexico, Taiwan
	"99AA99999",  // France
	"AAA999999",  // Spain, Argentina
	"AA9999999",  // Italy, Japan, Poland, Peru, United Kingdom as some write it
	"AA999999",   // Canada, Brazil, Sweden, Portugal
	"A9999999",   // India, Australia, Austria, Norway
	"A999999",    // Portugal, old
	"A999A9999",  // Korea since 2021
	"AAXXXXXX9",  // Netherlands
	"XXXXXXXXX9", // Germany with its check digit
	"99999999",   // Denmark, Bulgaria, Colombia
	"A9999999A",  // Singapore
	"AA99999",    // Australia, old
	"PA9999999",  // Australia, Finland
	"A99A99999",  // Turkey
	"9999999999", // Russia
}

// germanFirst are the letters of German documents: none that looks like a digit.
const germanFirst = "CFGHJKLMNPRTVWXYZ"

// germanDocument reports whether a number has the form and check digit of a
// German passport or identity card: nine characters of which the last checks
// those before it, with weights 7, 3, 1, or ten of which the tenth checks nine.
func germanDocument(s []byte) bool {
	if len(s) != 9 && len(s) != 10 || !inGerman(s[0]) || !isDigit(s[len(s)-1]) {
		return false
	}
	for _, c := range s {
		if !isDigit(c) && !inGerman(c) {
			return false
		}
	}
	n := len(s) - 1
	return checkDigit(s[:n]) == s[n]
}

func inGerman(c byte) bool { return strings.IndexByte(germanFirst, c) >= 0 }

// checkDigit is that of ICAO Doc 9303 part 3 section 4.9: weights 7, 3, 1; A is
// 10, the filler < is 0.
func checkDigit(s []byte) byte {
	weights := [...]int{7, 3, 1}
	sum := 0
	for i, c := range s {
		v := 0
		switch {
		case isDigit(c):
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		}
		sum += v * weights[i%3]
	}
	return byte(sum%10) + '0'
}
