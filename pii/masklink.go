package pii

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// normal is the form in which two spellings of one value are equal. It depends
// on the type what the signs in a value mean. It never begins with a bracket.
func normal(t Type, value string) string {
	var key []byte
	switch t { //nolint:exhaustive // all others are numbers
	case Secret, CryptoWallet:
		return " " + value // every sign and every capital counts
	case Email:
		key = normalEmail(value)
	case Phone:
		key = normalPhone(value)
	case URL:
		key = normalURL(value)
	case IP, MAC, Username:
		key = normalSigns(value)
	case Person:
		n := readName(value)
		key = []byte(strings.Join(n.words, " ") + [...]string{"", " mr", " mrs"}[n.sex])
	case Date, DateOfBirth:
		if d, ok := readDate(value, dateOrder{}); ok && d.whole() {
			return d.iso()
		}
		key = foldWords(value)
	case Address, Location, Org, NRP, Medical, Age:
		key = foldWords(value)
	default:
		if _, ok := builtins[string(t)]; ok {
			key = normalNumber(value)
		} else {
			key = foldWords(value)
		}
	}
	if len(key) == 0 {
		return " " + value
	}
	return string(key)
}

// normalNumber keeps letters and digits.
func normalNumber(value string) []byte {
	buf := make([]byte, 0, len(value))
	for i := 0; i < len(value); {
		c, w := next(value, i)
		switch {
		case c == letter || c == other:
			buf = append(buf, strings.ToLower(value[i:i+w])...)
		case isAlpha(c):
			buf = append(buf, c|0x20)
		case isDigit(c), c == '+':
			buf = append(buf, c)
		}
		i += w
	}
	return buf
}

// normalSigns keeps everything but case, spaces and what is invisible.
func normalSigns(value string) []byte {
	buf := make([]byte, 0, len(value))
	for i := 0; i < len(value); {
		c, w := next(value, i)
		switch {
		case c == letter || c == other:
			buf = append(buf, strings.ToLower(value[i:i+w])...)
		case isAlpha(c):
			buf = append(buf, c|0x20)
		case c == skip, c == ' ', c == '[':
		default:
			buf = append(buf, c)
		}
		i += w
	}
	return buf
}

// normalEmail also reads "ada (at) example dot org".
func normalEmail(value string) []byte {
	if strings.Contains(value, "@") && !strings.Contains(value, " ") {
		return normalSigns(value)
	}
	var buf []byte
	for _, w := range strings.FieldsFunc(strings.ToLower(value), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("()[]{}<>", r)
	}) {
		switch w {
		case "at", "ät", "arroba", "chiocciola", "arobase":
			w = "@"
		case "dot", "punkt", "punto", "point", "ponto", "dt":
			w = "."
		}
		buf = append(buf, w...)
	}
	return normalSigns(string(buf))
}

// normalURL takes the scheme and the host without case; the path counts as it is.
func normalURL(value string) []byte {
	from := strings.Index(value, "://")
	if from < 0 {
		from = 0
	} else {
		from += len("://")
	}
	path := len(value)
	if k := strings.IndexAny(value[from:], "/?#"); k >= 0 {
		path = from + k
	}
	return append(normalSigns(value[:path]), value[path:]...)
}

// normalPhone keeps the digits and a plus sign in front for a number with a
// country code, without the trunk prefix in brackets.
func normalPhone(value string) []byte {
	buf := normalNumber(value)
	if len(buf) > 6 && buf[0] == '0' && buf[1] == '0' && buf[2] != '0' {
		buf = append([]byte{'+'}, buf[2:]...)
	}
	if k := strings.Index(value, "(0)"); k > 0 && len(buf) > 0 && buf[0] == '+' {
		n := 0
		for i := range k {
			if isDigit(value[i]) {
				n++
			}
		}
		if value[0] == '0' { // 00 for +
			n -= 2
		}
		if n > 0 && n+1 < len(buf) && buf[n+1] == '0' {
			buf = slices.Delete(buf, n+1, n+2)
		}
	}
	return buf
}

// foldWords returns the words of a text, in small letters without marks, with
// one space between them.
func foldWords(text string) []byte { return appendFolded(nil, text) }

// appendFolded is foldWords into an empty dst.
func appendFolded(dst []byte, text string) []byte {
	gap := false
	for i := 0; i < len(text); {
		c, w := next(text, i)
		switch {
		case c == skip:
		case isAlpha(c) || isDigit(c):
			dst, gap = appendGap(dst, gap), false
			if isAlpha(c) {
				c |= 0x20
			}
			dst = append(dst, c)
		case c == letter || c == other:
			r, _ := utf8.DecodeRuneInString(text[i:])
			if unicode.Is(unicode.Mn, r) && r < 0x400 || r == '’' && len(dst) > 0 && !gap {
				break // a mark on a Latin letter, O’Brien
			}
			if !unicode.IsLetter(r) && !unicode.IsMark(r) {
				gap = true
				break
			}
			dst, gap = appendGap(dst, gap), false
			var b [8]byte
			dst = append(dst, b[:foldWord(b[:0], unicode.ToLower(r))]...)
		case c == '\'' && len(dst) > 0 && !gap: // O'Brien
		default:
			gap = true
		}
		i += w
	}
	return dst
}

func appendGap(dst []byte, gap bool) []byte {
	if gap && len(dst) > 0 {
		return append(dst, ' ')
	}
	return dst
}

// sex is what a title says.
type titleSex uint8

const (
	noSex titleSex = iota
	male
	female
)

// titles are words in front of names that are no part of them, and their sex.
var titles = map[string]titleSex{ //nolint:gochecknoglobals // a constant table
	"herr": male, "herrn": male, "frau": female, "fraulein": female, "mr": male, "mister": male, "sir": male, "lord": male,
	"mrs": female, "ms": female, "miss": female, "mx": noSex, "madam": female, "lady": female, "dame": female,
	//nolint:misspell // German
	"dr": noSex, "prof": noSex, "professor": noSex, "professorin": female, "doktor": noSex, "doctor": noSex, "med": noSex, "dipl": noSex, "ing": noSex, "phd": noSex,
	"monsieur": male, "madame": female, "mademoiselle": female, "mme": female, "mlle": female, "docteur": noSex, "maitre": noSex,
	"senor": male, "senora": female, "senorita": female, "sr": male, "sra": female, "srta": female, "don": male, "dona": female,
	"senhor": male, "senhora": female, "signor": male, "signore": male, "signora": female, "signorina": female, "sig": male,
	"dott": noSex, "dottore": male, "dottoressa": female, "meneer": male, "mevrouw": female, "bay": male, "bayan": female,
	"господин": male, "госпожа": female, "pan": male, "pani": female, "familie": noSex, "family": noSex,
}

// maxWords is how many words of a name are compared.
const maxWords = 8

// personName is a name as it is compared.
type personName struct {
	words []string
	sex   titleSex
}

// readName takes titles and a possessive away and turns "Schmidt, Anna" round.
func readName(value string) personName {
	for _, s := range [...]string{"'s", "’s", "'", "’"} {
		if cut, ok := strings.CutSuffix(value, s); ok {
			value = cut
			break
		}
	}
	if last, first, ok := strings.Cut(value, ","); ok && !strings.Contains(first, ",") {
		value = first + " " + last
	}
	var n personName
	for w := range strings.FieldsSeq(string(foldWords(value))) {
		if s, ok := titles[w]; ok {
			if s != noSex {
				n.sex = s
			}
			continue
		}
		if len(n.words) < maxWords {
			n.words = append(n.words, w)
		}
	}
	return n
}

// linkable returns what makes a value comparable with others of its type that
// are spelt in another way.
func linkable(t Type, value string) maskEntry {
	switch t { //nolint:exhaustive // all others are compared by their normal form alone
	case Person:
		n := readName(value)
		return maskEntry{words: n.words, sex: n.sex}
	case Phone:
		const tail = 7
		d := normalPhone(value)
		if slices.ContainsFunc(d, func(c byte) bool { return !isDigit(c) && c != '+' }) || len(d) < tail+1 {
			return maskEntry{} // an extension
		}
		return maskEntry{words: []string{string(d[len(d)-tail:]), string(d)}}
	default:
		return maskEntry{}
	}
}

// agree reports whether two values of a type are one.
func agree(t Type, a, b *maskEntry) bool {
	if a.kind != isValue {
		return false
	}
	if t == Phone {
		return samePhone(a.words[1], b.words[1]) || samePhone(b.words[1], a.words[1])
	}
	if a.sex != noSex && b.sex != noSex && a.sex != b.sex {
		return false
	}
	return wordsWithin(a.words, b.words) || wordsWithin(b.words, a.words)
}

// samePhone reports whether the second, without a country code, is the end of
// the first, with one.
func samePhone(world, national string) bool {
	if world[0] != '+' || national[0] == '+' {
		return false
	}
	rest, ok := strings.CutSuffix(world[1:], strings.TrimLeft(national, "0"))
	return ok && len(rest) >= 1 && len(rest) <= 3
}

// wordsWithin reports whether every word of a stands in b, or is the initial of
// one that does, or is the other way round the word of an initial. An initial
// alone is nobody.
func wordsWithin(a, b []string) bool {
	var used [maxWords]bool
	take := func(fits func(w string) bool) bool {
		for i := range min(len(b), maxWords) {
			if !used[i] && fits(b[i]) {
				used[i] = true
				return true
			}
		}
		return false
	}
	whole := false
	for _, w := range a {
		if take(func(v string) bool { return v == w }) {
			whole = whole || utf8.RuneCountInString(w) > 1
		} else if !take(func(v string) bool { return initial(w, v) || initial(v, w) }) {
			return false
		}
	}
	return whole
}

// initial reports whether a is the first letter of b.
func initial(a, b string) bool {
	return utf8.RuneCountInString(a) == 1 && strings.HasPrefix(b, a)
}
