package pii

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Surrogate puts in a made-up value that looks like the one it replaces: same
// length, signs and case, and right by the same checksum, so that a program or
// a model behind it works as before. The same value has the same surrogate
// under one key, however it is spelt; nobody without the key can tell which
// value it stands for, and nobody at all can turn it back. A number that is made up may be
// somebody's by chance, where nothing else is said below.
//
//   - Cards keep the network, account numbers the country, national identifiers
//     their form; all pass their check.
//   - E-mail addresses end in example.org, web addresses lead there, and
//     internet addresses are of the networks that are kept for documentation
//     (RFC 2606, RFC 5737, RFC 3849).
//   - Telephone numbers are of those that authorities keep for films and books,
//     in the countries where they are known (US and Canada, UK, France, Germany,
//     Sweden, Ireland, Australia; with a country code, or where [Use.Region]
//     says which). Elsewhere they keep the first digits, and may be somebody's.
//   - Names become names of the same script that are given to anybody, each word
//     for itself, so that "Anna" stays the beginning of "Anna Schmidt". They are
//     few, so two people may get the same.
//   - Dates move as under [DateShift] with the same key; ages by up to three years.
//   - Of secrets the known beginning stays, such as "ghp_".
//   - Addresses, places, organisations, groups and health become what [Redact]
//     makes of them: nothing that could be made up there says nothing.
//   - Types of one's own keep their form; their checks are not known here.
type Surrogate struct {
	Key Key

	// Days is how far a date moves at most; default 30.
	Days int
}

// maxTries is how often another surrogate is made where one does not pass.
const maxTries = 200

// Append implements [Operator].
func (s Surrogate) Append(dst []byte, f Finding) []byte {
	if s.Key.none() {
		return Redact{}.Append(dst, f)
	}
	switch f.Type { //nolint:exhaustive // the others are made up
	case Date, DateOfBirth:
		return DateShift{Key: s.Key, Days: s.Days}.Append(dst, f)
	case Address, Location, Org, NRP, Medical:
		return Redact{}.Append(dst, f)
	}
	own := normal(f.Type, f.Value)
	r := rand.New(rand.NewChaCha8(s.Key.sum("surrogate", string(f.Type), own))) //nolint:gosec // seeded by a keyed hash, so that it is the same again
	found := seenAlone(f.Type, f.Value)
	for range maxTries {
		v := s.makeUp(f, r)
		if v == "" {
			break
		}
		if normal(f.Type, v) != own && (!found || seenAlone(f.Type, v)) {
			return append(dst, v...)
		}
	}
	return Redact{}.Append(dst, f)
}

// seenAlone reports whether a value is found as a whole where nothing stands
// around it.
func seenAlone(t Type, value string) bool {
	if t == Person || !validType(t) || builtins[string(t)] == "" {
		return false
	}
	f := Finder{Types: []Type{t}}
	found := f.Find(value)
	return len(found) == 1 && found[0].Start == 0 && found[0].End == len(value)
}

// makeUp makes a value up, "" where that is not possible.
func (s Surrogate) makeUp(f Finding, r *rand.Rand) string {
	switch f.Type { //nolint:exhaustive // all others are made up by their form
	case Email:
		return madeUpEmail(f.Value, r)
	case Phone:
		return madeUpPhone(f.Value, f.Use.Region, r)
	case CreditCard:
		return madeUpCard(f.Value, r)
	case IBAN:
		return madeUpIBAN(f.Value, r)
	case IP:
		return madeUpIP(f.Value, r)
	case MAC:
		return madeUpMAC(f.Value, r)
	case URL:
		return madeUpURL(f.Value, r)
	case Secret:
		return madeUpSecret(f.Value, r)
	case CryptoWallet:
		return madeUpWallet(f.Value, r)
	case Person:
		return s.madeUpName(f.Value)
	case Age:
		return madeUpAge(f.Value, r)
	}
	if f.Type.national() {
		if _, ok := builtins[string(f.Type)]; ok {
			return madeUpNational(f.Type, f.Value, r)
		}
	}
	return scramble(f.Value, r)
}

const (
	someSmall  = "abcdefghijklmnopqrstuvwxyz"
	someDigits = "0123456789"
)

// scramble puts another digit in the place of every digit and another letter in
// the place of every letter, of the same script and case. Signs stay.
func scramble(value string, r *rand.Rand) string {
	var b strings.Builder
	for _, c := range value {
		b.WriteRune(another(c, r))
	}
	return b.String()
}

// another returns a letter or digit like c.
func another(c rune, r *rand.Rand) rune {
	d := fold(c)
	switch {
	case c < utf8.RuneSelf && isDigit(byte(c)): //nolint:gosec // ASCII
		return rune(someDigits[r.IntN(len(someDigits))])
	case c >= 'a' && c <= 'z':
		return rune(someSmall[r.IntN(len(someSmall))])
	case c >= 'A' && c <= 'Z':
		return rune(someSmall[r.IntN(len(someSmall))]) - 'a' + 'A'
	case c < utf8.RuneSelf:
		return c
	case isDigit(d):
		return c - rune(d-'0') + r.Int32N(10)
	case c >= 'а' && c <= 'я':
		return 'а' + r.Int32N(32)
	case c >= 'А' && c <= 'Я':
		return 'А' + r.Int32N(32)
	case unicode.IsUpper(c):
		return rune(someSmall[r.IntN(len(someSmall))]) - 'a' + 'A'
	case unicode.IsLetter(c):
		return rune(someSmall[r.IntN(len(someSmall))])
	}
	return c
}

// madeUpEmail keeps the form of the part before the at sign.
func madeUpEmail(value string, r *rand.Rand) string {
	local, _, ok := strings.Cut(value, "@")
	if !ok {
		local, _, _ = strings.Cut(string(normalEmail(value)), "@")
	}
	return scramble(local, r) + "@example.org"
}

// layout puts code's letters and digits in the place of those of value, in its
// case and digits. Both have as many.
func layout(value, code string) string {
	var b strings.Builder
	k := 0
	for i := 0; i < len(value); {
		c, w := next(value, i)
		switch {
		case k >= len(code) || !isAlpha(c) && !isDigit(c):
			b.WriteString(value[i : i+w])
		default:
			n := code[k]
			k++
			if isAlpha(n) && (isDigit(c) || isAlpha(c)) {
				n |= 0x20
				if lowerLike(value, c) {
					b.WriteByte(n)
				} else {
					b.WriteByte(n &^ 0x20)
				}
				break
			}
			v, _ := utf8.DecodeRuneInString(value[i:])
			if isDigit(c) {
				b.WriteRune(v - rune(c) + rune(n))
			} else {
				b.WriteByte(n)
			}
		}
		i += w
	}
	return b.String()
}

// lowerLike reports whether a letter in the place of c is a small one.
func lowerLike(value string, c byte) bool {
	if isAlpha(c) {
		return c >= 'a'
	}
	return strings.ContainsFunc(value, unicode.IsLower) && !strings.ContainsFunc(value, unicode.IsUpper)
}

// codeOf returns the letters, as capitals, and digits of a value.
func codeOf(value string) []byte {
	var code []byte
	for i := 0; i < len(value); {
		c, w := next(value, i)
		if isAlpha(c) {
			c &^= 0x20
		}
		if isDigit(c) || isAlpha(c) {
			code = append(code, c)
		}
		i += w
	}
	return code
}

// madeUpCard keeps the first two digits, so that the network stays.
func madeUpCard(value string, r *rand.Rand) string {
	code := codeOf(value)
	if len(code) < 12 {
		return ""
	}
	for range maxTries {
		for i := 2; i < len(code); i++ {
			code[i] = someDigits[r.IntN(10)]
		}
		for d := range someDigits {
			code[len(code)-1] = someDigits[d]
			if luhn(code) && seenAlone(CreditCard, string(code)) {
				return layout(value, string(code))
			}
		}
	}
	return ""
}

// madeUpIBAN keeps the country and puts the check digits right.
func madeUpIBAN(value string, r *rand.Rand) string {
	code := codeOf(value)
	if len(code) < 8 {
		return ""
	}
	for i := 4; i < len(code); i++ {
		code[i] = byte(another(rune(code[i]), r)) //nolint:gosec // ASCII
	}
	code[2], code[3] = '0', '0'
	rest := 0
	for i := range code {
		c := code[(i+4)%len(code)]
		if isDigit(c) {
			rest = (10*rest + int(c-'0')) % 97
		} else {
			rest = (100*rest + digitValue(c)) % 97
		}
	}
	check := 98 - rest
	code[2], code[3] = someDigits[check/10], someDigits[check%10]
	return layout(value, string(code))
}

// madeUpNational asks for numbers until one has the form of the value, and
// changes the value itself where none has.
func madeUpNational(t Type, value string, r *rand.Rand) string {
	table := nationalTable()
	rule := &table.rules[table.byType[t]]
	code := codeOf(value)
	century := t == FIHETU && len(code) == 10 // the sign between is a letter in the rule
	for range maxTries {
		made := valid(t, r)
		if century && len(made) == 11 {
			made = made[:6] + made[7:]
		}
		if len(made) == len(code) && sameKinds(made, code) {
			return layout(value, made)
		}
	}
	if len(code) > maxCode || !rule.fitsAny(code) || !rule.check(code) {
		return scramble(value, r)
	}
	const tries = 20000
	for range tries {
		c := []byte(string(code))
		differ := 0
		for _, i := range r.Perm(len(c))[:len(c)/2+r.IntN(len(c)/2+1)] {
			if c[i] = byte(another(rune(c[i]), r)); c[i] != code[i] { //nolint:gosec // ASCII
				differ++
			}
		}
		if 3*differ >= len(c) && rule.fitsAny(c) && rule.check(c) { // the rest must not give it away
			return layout(value, string(c))
		}
	}
	return ""
}

// sameKinds reports whether letters stand where letters stand.
func sameKinds(a string, b []byte) bool {
	for i := range b {
		if isDigit(a[i]) != isDigit(b[i]) {
			return false
		}
	}
	return true
}

// madeUpAge moves the first number by up to three.
func madeUpAge(value string, r *rand.Rand) string {
	for i := range len(value) {
		if !isDigit(value[i]) {
			continue
		}
		p := readDateNumber(value, i)
		by := 1 + r.IntN(3)
		if r.IntN(2) == 0 && p.value > 6 {
			by = -by
		}
		return value[:i] + strconv.Itoa(p.value+by) + value[p.end:]
	}
	return ""
}

// madeUpSecret keeps what says of which kind a secret is.
func madeUpSecret(value string, r *rand.Rand) string {
	if strings.Contains(value, "-----") {
		return ""
	}
	keep := 0
	for i := range min(len(value), 12) {
		if c := value[i]; c == '_' || c == '-' {
			keep = i + 1
		} else if !isAlpha(c) {
			break
		}
	}
	if keep == 0 && len(value) >= 16 {
		keep = 4
	}
	for keep > 0 && !utf8.RuneStart(value[keep]) {
		keep--
	}
	return value[:keep] + scramble(value[keep:], r)
}
