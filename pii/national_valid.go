package pii

import (
	"math/rand/v2"
	"strings"
)

// valid makes up a number of a national identifier that passes all that is
// known of it: the check digit, dates, regions. It returns the letters and
// digits without what people write between them, and "" where the type is no
// national identifier. A Finnish code has its sign for the century as a letter.
func valid(t Type, rnd *rand.Rand) string {
	table := nationalTable()
	i, ok := table.byType[t]
	if !ok {
		return ""
	}
	r := &table.rules[i]
	for {
		code := madeUp(r.make, rnd)
		if r.check(code) && !alike(code) && r.fitsAny(code) {
			return string(code)
		}
	}
}

// fitsAny reports whether a code has one of the rule's forms.
func (r *nationalRule) fitsAny(code []byte) bool {
	letters := lettersOf(code)
	table := nationalTable()
	for _, f := range table.forms(len(code), letters) {
		if table.rules[f.rule].of == r.of && letters&^f.either == f.must && f.fits(code) {
			return true
		}
	}
	return false
}

// lettersOf returns the places that hold a letter.
func lettersOf(code []byte) uint32 {
	letters := uint32(0)
	for i, x := range code {
		if x >= 'A' {
			letters |= 1 << i
		}
	}
	return letters
}

// madeUp fills in what nationalRule.make describes.
func madeUp(form string, rnd *rand.Rand) []byte {
	const letters, either = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	pick := func(of string) byte { return of[rnd.IntN(len(of))] }
	var b []byte
	twoDigits := func(low, high int) {
		v := low + rnd.IntN(high-low+1)
		b = append(b, byte('0'+v/10), byte('0'+v%10)) //nolint:gosec // digits
	}
	for i := 0; i < len(form); i++ {
		rest := form[i:]
		switch c := form[i]; {
		case c == '9':
			b = append(b, pick("0123456789"))
		case c == 'a':
			b = append(b, pick(letters))
		case c == 'x':
			b = append(b, pick(either))
		case strings.HasPrefix(rest, "yyyy"):
			b = append(b, "19"...)
			twoDigits(30, 99)
			i += 3
		case strings.HasPrefix(rest, "yy"):
			twoDigits(0, 99)
			i++
		case strings.HasPrefix(rest, "mm"):
			twoDigits(1, 12)
			i++
		case strings.HasPrefix(rest, "dd"):
			twoDigits(1, 28)
			i++
		case c == '[':
			set, _, _ := strings.Cut(rest[1:], "]")
			b = append(b, pick(expand(set)))
			i += len(set) + 1
		case c == '{':
			words, _, _ := strings.Cut(rest[1:], "}")
			all := strings.Split(words, ",")
			b = append(b, all[rnd.IntN(len(all))]...)
			i += len(words) + 1
		default:
			b = append(b, c)
		}
	}
	return b
}

// expand writes ranges such as A-F out.
func expand(set string) string {
	var b strings.Builder
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			for c := set[i]; c <= set[i+2]; c++ {
				b.WriteByte(c)
			}
			i += 2
			continue
		}
		b.WriteByte(set[i])
	}
	return b.String()
}
