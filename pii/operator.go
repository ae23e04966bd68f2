package pii

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Operator says what takes the place of a finding. The operators of this
// package are values: [Surrogate], [Placeholder], [Redact], [Leave], [Partial], [Hash],
// [DateShift] and [Generalise]. Only what Placeholder puts in can
// be put back, and only with the [Map]; dates that DateShift moved can be moved
// back with its key. An operator is used by many goroutines at once.
type Operator interface {
	// Append appends to dst what takes the place of the finding. It keeps none
	// of it. What it appends is never read as a placeholder.
	Append(dst []byte, f Finding) []byte
}

// Finding is what an [Operator] is given.
type Finding struct {
	Type  Type
	Value string // as it stands in the text
	Use   Use
}

// Use says for whom and for what one text is masked. Everything in it may be
// left out.
type Use struct {
	Map      *Map   // the map of the conversation; nil: nothing can be put back
	Person   string // whom the conversation is with; makes [DateShift] differ between people
	Purpose  string // chooses among the rules of a [Policy], such as "statistics"
	Region   string // ISO 3166 code: how dates are read ("US": month first), and for rules
	Language string // ISO 639-1 code: which month names are meant, and for rules
}

// Placeholder puts in typed, numbered placeholders: "[EMAIL_1]". It needs a Map
// in [Use]; without one the placeholders have no numbers.
type Placeholder struct{}

// Append implements [Operator].
func (Placeholder) Append(dst []byte, f Finding) []byte {
	n, _ := f.Use.Map.number(f.Type, f.Value)
	return appendPlaceholder(dst, f.Type, n)
}

// Redact puts in the name of the type alone: "[EMAIL]".
type Redact struct{}

// Append implements [Operator].
func (Redact) Append(dst []byte, f Finding) []byte { return appendPlaceholder(dst, f.Type, 0) }

// Leave leaves the value as it is.
type Leave struct{}

// Append implements [Operator].
func (Leave) Append(dst []byte, f Finding) []byte { return append(dst, f.Value...) }

func isLeave(op Operator) bool {
	_, ok := op.(Leave)
	return ok
}

// Partial leaves so much that its owner knows the value again: the last four
// digits of a number of twelve or more ("•••• 1111"), the last two of a shorter
// one, the first letters of an address ("a•••@e•••.org") and of names
// ("A••• S•••"), the first number of an internet address. Of secrets, of dates
// and of what somebody says about themselves nothing is left, and neither is
// anything of a value that is too short. The length of what is hidden does not
// show.
type Partial struct{}

const bullets = "•••"

// Append implements [Operator].
func (Partial) Append(dst []byte, f Finding) []byte {
	switch f.Type { //nolint:exhaustive // the others are numbers
	case Email:
		local, host, ok := strings.Cut(f.Value, "@")
		dot := strings.LastIndexByte(host, '.')
		if !ok || dot <= 0 || local == "" {
			return append(dst, bullets...)
		}
		dst = append(appendFirst(dst, local), '@')
		return append(appendFirst(dst, host[:dot]), host[dot:]...)
	case Person, Username, Org:
		for i, w := range strings.Fields(f.Value) {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = appendFirst(dst, w)
		}
		return dst
	case Secret, Date, DateOfBirth, Age, NRP, Medical, Address, Location, Postcode:
		return append(dst, bullets...)
	case URL:
		return append(appendHost(dst, f.Value), "/"+bullets...)
	case IP:
		if k := strings.IndexAny(f.Value, ".:"); k > 0 {
			return append(append(dst, f.Value[:k+1]...), bullets...)
		}
		return append(dst, bullets...)
	default:
		return appendLast(dst, f.Value)
	}
}

// appendFirst appends the first letter of a word of at least three. A sign in
// front, such as the one of "@ada", stays.
func appendFirst(dst []byte, word string) []byte {
	rest := strings.TrimLeftFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if utf8.RuneCountInString(rest) >= 3 {
		_, w := utf8.DecodeRuneInString(rest)
		dst = append(dst, word[:len(word)-len(rest)+w]...)
	}
	return append(dst, bullets...)
}

// appendLast appends the last letters and digits of a number.
func appendLast(dst []byte, value string) []byte {
	dst = append(dst, "••••"...)
	var kept [4]byte
	n, k := 0, len(kept)
	for i := len(value); i > 0; {
		c, w := prev(value, i)
		i -= w
		if !isDigit(c) && !isAlpha(c) {
			continue
		}
		if n++; k > 0 {
			k--
			kept[k] = c
		}
	}
	switch {
	case n >= 12:
		return append(append(dst, ' '), kept[:]...)
	case n >= 7:
		return append(append(dst, ' '), kept[2:]...)
	}
	return dst
}

// appendHost appends the scheme and the host of an address.
func appendHost(dst []byte, url string) []byte {
	from := strings.Index(url, "://") + len("://")
	if from < len("://") {
		from = 0
	}
	if k := strings.IndexAny(url[from:], "/?#"); k >= 0 {
		url = url[:from+k]
	}
	if k := strings.LastIndexByte(url, '@'); k >= from { // a name and a password
		url = url[:from] + url[k+1:]
	}
	return append(dst, url...)
}

// Key is the secret of the operators [Hash], [Surrogate] and [DateShift]. The
// zero Key is none: with it they put in what [Redact] does. It prints as
// "[pii key]".
type Key struct{ secret [sha256.Size]byte }

// minKey is how many bytes a key must have at least.
const minKey = 16

// NewKey makes a key from at least 16 secret random bytes. It refuses fewer,
// because what is hashed without a secret is found again by trying.
func NewKey(secret []byte) (Key, error) {
	var k Key
	if len(secret) < minKey {
		return k, errors.New("pii: a key needs at least 16 bytes")
	}
	b, err := hkdf.Key(sha256.New, secret, nil, "sotto pii key 1", len(k.secret))
	if err != nil {
		return k, err
	}
	copy(k.secret[:], b)
	return k, nil
}

// String returns "[pii key]".
func (Key) String() string { return "[pii key]" }

// GoString returns "[pii key]".
func (Key) GoString() string { return "[pii key]" }

func (k Key) none() bool { return k == Key{} }

// sum is a keyed hash of parts that cannot be mistaken for other parts.
func (k Key) sum(parts ...string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, k.secret[:])
	for _, p := range parts {
		n := len(p)
		h.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) //nolint:gosec // four bytes of a length
		h.Write([]byte(p))
	}
	h.Sum(sum[:0])
	return sum
}

// Hash puts in a keyed hash: the type and the beginning of HMAC-SHA-256 over
// type and value in base 32, such as "EMAIL:4Q7ZKXJ2M5TN3RDA". The same value
// has the same hash under one key, however it is spelt, and another one in
// another type. Whoever has the key can find a value again by trying; whoever
// has not, cannot.
type Hash struct {
	Key Key

	// Length is how many characters of 5 bits, from 8 to 51; default 16, where
	// two values in a thousand million are the same once in two million times.
	Length int
}

// Append implements [Operator].
func (h Hash) Append(dst []byte, f Finding) []byte {
	if h.Key.none() {
		return Redact{}.Append(dst, f)
	}
	const short, long = 8, 51
	n := h.Length
	if n == 0 {
		n = 16
	}
	sum := h.Key.sum("hash", string(f.Type), normal(f.Type, f.Value))
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])
	dst = append(append(dst, f.Type...), ':')
	return append(dst, text[:min(max(n, short), long)]...)
}
