package pii

import (
	"math/rand/v2"
	"strings"
)

// fictional is a range of numbers that an authority keeps for films, books and
// examples.
type fictional struct {
	country string // calling code
	region  string // ISO 3166
	first   string // what the number begins with, without the country
	length  int    // its digits, without the country
	number  string // # is any digit, = the one of the value
}

// fictionals are the ranges: NANPA (555-0100 to 0199), Ofcom, ARCEP,
// Bundesnetzagentur, PTS, ComReg and ACMA. The first row that fits counts.
var fictionals = [...]fictional{ //nolint:gochecknoglobals // a constant table
	{"1", "US", "", 10, "===55501##"},
	{"1", "CA", "", 10, "===55501##"},
	{"44", "GB", "7", 10, "7700900###"},
	{"44", "GB", "20", 10, "2079460###"},
	{"44", "GB", "", 10, "1632960###"},
	{"33", "FR", "1", 9, "19900####"},
	{"33", "FR", "2", 9, "26191####"},
	{"33", "FR", "3", 9, "35301####"},
	{"33", "FR", "4", 9, "46571####"},
	{"33", "FR", "5", 9, "53649####"},
	{"33", "FR", "6", 9, "63998####"},
	{"33", "FR", "7", 9, "63998####"},
	{"49", "DE", "1", 10, "17139200##"},
	{"49", "DE", "1", 11, "176040690##"},
	{"49", "DE", "", 10, "3023125###"},
	{"46", "SE", "7", 9, "70174066#"},
	{"46", "SE", "8", 9, "8465004##"},
	{"353", "IE", "", 9, "2091#####"},
	{"61", "AU", "4", 9, "49157015#"},
	{"61", "AU", "", 9, "=5550####"},
}

// madeUpPhone makes a number up, in the signs of the value. An extension gets
// other digits as well.
func madeUpPhone(value, region string, r *rand.Rand) string {
	main, ext := value, ""
	for i := 0; i < len(value); {
		c, w := next(value, i)
		if isAlpha(c) {
			main, ext = value[:i], value[i:]
			break
		}
		i += w
	}
	var digits []byte
	for _, c := range codeOf(main) {
		if isDigit(c) {
			digits = append(digits, c)
		}
	}
	normal := string(normalPhone(main))
	made := madeUpNumber(normal, region, r)
	if made == "" { // no such range
		const kept, least = 4, 3
		keep := min(kept, max(len(digits)-least, 0))
		if strings.HasPrefix(normal, "+") {
			keep = min(kept+2, max(len(digits)-least, 0))
		}
		for i := keep; i < len(digits); i++ {
			digits[i] = someDigits[r.IntN(10)]
		}
		return layout(main, string(digits)) + extensionLike(ext, r)
	}
	copy(digits[len(digits)-len(made):], made)
	return layout(main, string(digits)) + extensionLike(ext, r)
}

// extensionLike gives other digits to an extension.
func extensionLike(ext string, r *rand.Rand) string {
	b := []byte(ext)
	for i := range b {
		if isDigit(b[i]) {
			b[i] = someDigits[r.IntN(10)]
		}
	}
	return string(b)
}

// madeUpNumber returns the digits of a number without its country and without
// the nought in front, "" where no range is known.
func madeUpNumber(normal, region string, r *rand.Rand) string {
	for _, f := range fictionals {
		number, ok := strings.CutPrefix(normal, "+"+f.country)
		if !ok {
			if normal == "" || normal[0] == '+' || !strings.EqualFold(region, f.region) {
				continue
			}
			number = strings.TrimPrefix(normal, "0")
		}
		if len(number) != f.length || !strings.HasPrefix(number, f.first) {
			continue
		}
		b := []byte(f.number)
		for i := range b {
			switch b[i] {
			case '#':
				b[i] = someDigits[r.IntN(10)]
			case '=':
				b[i] = number[i]
			}
		}
		return string(b)
	}
	return ""
}
