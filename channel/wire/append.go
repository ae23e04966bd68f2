package wire

import (
	"math/bits"
	"unicode/utf8"
)

const (
	low  = 0x0101010101010101 // the lowest bit of each of eight bytes
	high = 0x8080808080808080 // the highest
)

// load returns the first eight bytes of s, the first one lowest.
func load[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// marks looks at eight bytes at once: the lowest bit that is set belongs to the
// first byte that cannot stand in a JSON string as it is, a control character,
// quote or backslash. It says nothing of the bytes after that one.
func marks(x uint64) uint64 {
	quote, slash := x^low*'"', x^low*'\\'
	return ((x-low*' ')&^x | (quote-low)&^quote | (slash-low)&^slash) & high
}

// AppendString appends s to b as a JSON string. It escapes what RFC 8259 says
// must be, and the two line ends that older JavaScript does not take in a
// string, U+2028 and U+2029. Bytes that are not UTF-8 become U+FFFD.
func AppendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	start := 0 // of what was looked at and needs no escape
	for i := 0; i < len(s); {
		for len(s)-i >= 8 {
			x := load(s[i:])
			n := bits.TrailingZeros64(marks(x)|x&high) / 8
			i += n
			if n < 8 {
				break
			}
		}
		if i == len(s) {
			break
		}
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			if e := letter(c); e != 0 {
				b = append(b, '\\', e)
			} else {
				b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || r == '\u2028' || r == '\u2029' {
			b = append(b, s[start:i]...)
			b = append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
			start = i + n
		}
		i += n
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// letter returns the letter of the short escape of c, 0 if it has none.
func letter(c byte) byte {
	switch c {
	case '"', '\\':
		return c
	case '\b':
		return 'b'
	case '\f':
		return 'f'
	case '\n':
		return 'n'
	case '\r':
		return 'r'
	case '\t':
		return 't'
	}
	return 0
}
