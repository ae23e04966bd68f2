package tagger

import (
	"unicode"
	"unicode/utf8"
)

// What stands between two words.
const (
	sepSpace uint16 = 1 << iota
	sepComma
	sepStop  // .
	sepBang  // ! ?
	sepColon // : ;
	sepQuote // " “ ” «
	sepOpen  // ( [
	sepClose // ) ]
	sepDash  // -
	sepSlash // / \ |
	sepAt
	sepHash
	sepLine // a new line
	sepOther
	sepAnd // & +
	sepApostrophe
)

// sepHard ends a name: what follows is another one.
const sepHard = sepComma | sepBang | sepColon | sepQuote | sepOpen | sepClose | sepSlash | sepAt | sepHash | sepLine | sepOther

// Classes of bytes beside the separators.
const (
	isLetter = 1 << 16
	isUpper  = 1 << 17
	isDigit  = 1 << 18
	isWide   = 1 << 19 // not ASCII: the whole character decides
	isSkip   = 1 << 20 // invisible
)

// classes has the class of each byte above and its folded letter below.
var classes = func() (t [256]struct { //nolint:gochecknoglobals // a constant table
	class uint32
	fold  byte
},
) {
	for c := range t {
		t[c].class = uint32(sepOther)
		switch {
		case c >= 'a' && c <= 'z':
			t[c].class, t[c].fold = isLetter, byte(c)
		case c >= 'A' && c <= 'Z':
			t[c].class, t[c].fold = isLetter|isUpper, byte(c)|0x20
		case c >= '0' && c <= '9':
			t[c].class, t[c].fold = isDigit, byte(c)
		case c >= utf8.RuneSelf:
			t[c].class = isWide
		}
	}
	for chars, sep := range map[string]uint16{
		"\x20\t": sepSpace, ",": sepComma, ".": sepStop, "!?": sepBang, ":;": sepColon, "\"*_~`": sepQuote, "([{<": sepOpen, ")]}>": sepClose,
		"-": sepDash, "/\\|": sepSlash, "@": sepAt, "#": sepHash, "\n\r": sepLine, "&+": sepAnd, "'": sepApostrophe,
	} {
		for i := range len(chars) {
			t[chars[i]].class = uint32(sep)
		}
	}
	return t
}()

// bases are the base letters of U+00C0 to U+024F, in order.
const bases = "aaaaaaaceeeeiiiidnooooo_ouuuuytsaaaaaaaceeeeiiiidnooooo_ouuuuytyaaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll" +
	"lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzsbbbbttoccddddteaeffgghiikkllmnnoooooppytterttttuuuvyyzzeeeetttiwdlardddl" +
	"llnnnaaiioouuuuuuuuuuaaaaaaaggggkkooooeejdddgghwnnaaaaooaaaaeeeeiiiioooorrrruuuussttyyhhndoozzaaeeooooooooyylntjdqaccltszggbuveejjqqrryy"

// vietnamese are the base letters of U+1EA0 to U+1EF9, each for two.
const vietnamese = "aaaaaaaaaaaaeeeeeeeeiioooooooooooouuuuuuuyyyy"

// wideRune folds a character that is not ASCII: its class, and for a letter
// what goes into the hash of its word.
func wideRune(r rune) (class, folded uint32) {
	switch {
	case r < 0xc0:
		switch r {
		case 0xa0:
			return uint32(sepSpace), 0
		case 0xad:
			return isSkip, 0
		case 0xab, 0xbb:
			return uint32(sepQuote), 0
		case 0xb4:
			return uint32(sepApostrophe), 0
		}
		return uint32(sepOther), 0
	case r < 0xc0+rune(len(bases)) && r < 0x250:
		return latin(r, bases[r-0xc0])
	case r >= 0x1ea0 && r < 0x1ea0+2*rune(len(vietnamese)):
		return latin(r, vietnamese[(r-0x1ea0)/2])
	case r >= 0x300 && r <= 0x36f, r >= 0x200b && r <= 0x200f, r >= 0x2060 && r <= 0x2064, r == 0xfeff, r >= 0xfe00 && r <= 0xfe0f:
		return isSkip, 0
	case r >= 0xff01 && r <= 0xff5e: // full width
		c := classes[byte(r-0xff01+'!')]
		return c.class, uint32(c.fold)
	case r >= 0x2000 && r <= 0x206f || r == 0x3000:
		return punctuation(r), 0
	case r >= 0x250 && r < 0x2000 && r != 0x0e3f: // other alphabets
		return otherAlphabet(r)
	}
	return uint32(sepOther), 0
}

func latin(r rune, base byte) (class, folded uint32) {
	if base == '_' {
		return uint32(sepOther), 0
	}
	class = isLetter
	if unicode.IsUpper(r) {
		class |= isUpper
	}
	return class, uint32(base)
}

func punctuation(r rune) uint32 {
	switch {
	case r == 0x2019 || r == 0x2018 || r == 0x2032:
		return uint32(sepApostrophe)
	case r >= 0x201a && r <= 0x201f || r == 0x2039 || r == 0x203a:
		return uint32(sepQuote)
	case r >= 0x2010 && r <= 0x2015:
		return uint32(sepDash)
	case r == 0x2026:
		return uint32(sepStop)
	case r == 0x2028 || r == 0x2029:
		return uint32(sepLine)
	case r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x3000:
		return uint32(sepSpace)
	case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
		return isSkip
	}
	return uint32(sepOther)
}

// otherAlphabet handles Greek, Cyrillic, Arabic and the like. Thai, Lao, Burmese
// and Khmer do not set words apart; their letters only separate here.
func otherAlphabet(r rune) (class, folded uint32) {
	if r >= 0xe00 && r < 0x10a0 || r >= 0x1780 && r < 0x1800 {
		return uint32(sepOther), 0
	}
	if r == 0x60c || r == 0x61b || r == 0x61f {
		return uint32(sepComma), 0
	}
	if unicode.IsLetter(r) {
		lower := unicode.ToLower(r)
		switch lower {
		case 'ё':
			lower = 'е'
		case 'أ', 'إ', 'آ':
			lower = 'ا'
		}
		class = isLetter
		if lower != r {
			class |= isUpper
		}
		return class, uint32(lower)
	}
	if unicode.IsMark(r) {
		return isSkip, 0
	}
	if unicode.IsDigit(r) {
		return isDigit, '0'
	}
	return uint32(sepOther), 0
}

// Hashing of words: the folded letters one after another.
const (
	hashSeed = 0x9e3779b97f4a7c15
	hashMul  = 0xff51afd7ed558ccd
)

func mixWord(h uint64, c uint32) uint64 { return (h ^ uint64(c)) * hashMul }

func endWord(h uint64) uint64 { return h ^ h>>32 }

// join hashes a word behind others.
func join(before, word uint64) uint64 {
	h := (before*3 ^ word) * hashMul
	return h ^ h>>29
}
