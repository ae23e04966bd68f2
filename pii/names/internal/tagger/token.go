package tagger

import "unicode/utf8"

// shape is how a word is written.
type shape uint8

const (
	lower  shape = iota
	cap1         // one capital letter: an initial
	capped       // Anna
	upper        // ANNA
	mixed        // McDonald, iPhone
	digits       // a number, or a word with a digit
	masked       // an address, a link or a handle: never a name
)

// token is one word.
type token struct {
	hash       uint64 // of the folded letters
	flags      Flags  // what the lexicon says
	start, end int32
	class      uint16 // the lexicon's class of the word
	sep        uint16 // what stands before it
	shape      shape
	len        uint8 // letters
	cand       bool  // the gate lets it through
	phrase     uint8 // place in a known phrase: 0 none, 2*kind-1 first, 2*kind later
}

// tokenizer cuts a text into words, a chunk at a time.
type tokenizer struct {
	text string
	at   int
	tag  bool // inside a hashtag: #BobMarley is two words
}

// next reads one word. ok is false at the end of the text.
//
//nolint:gocognit // one pass, one place
func (z *tokenizer) next(t *token) (ok bool) {
	s, i, sep := z.text, z.at, uint16(0)
	var c, f uint32
	var w int
	for {
		if i >= len(s) {
			z.at = i
			return false
		}
		if e := &classes[s[i]]; e.class != isWide {
			c, f, w = e.class, uint32(e.fold), 1
		} else {
			c, f, w = z.char(i)
		}
		if c&(isLetter|isDigit) != 0 {
			break
		}
		if c&isSkip == 0 {
			sep |= uint16(c) //nolint:gosec // a separator fits
		}
		i += w
	}
	t.start, t.sep = int32(i), sep //nolint:gosec // callers cut texts at 1 GiB
	z.tag = sep&sepHash != 0 || z.tag && sep == 0
	h, n, uppers, figures, end := uint64(hashSeed), 0, 0, 0, i
	first, before := c, c
	var run, last uint32
	once := h
	for {
		if c&isSkip == 0 {
			if z.tag && c&isUpper != 0 && before&isUpper == 0 && n > 0 {
				break
			}
			before = c
			if f == last {
				run++
			} else {
				run = 0
			}
			switch run {
			case 0:
				h = mixWord(h, f)
				once = h
			case 1:
				h = mixWord(h, f)
			default: // heyyyyy is hey
				h = once
			}
			last = f
			n++
			uppers += int(c >> 17 & 1)
			figures += int(c >> 18 & 1)
			end = i + w
		}
		i += w
		if i >= len(s) {
			break
		}
		if e := &classes[s[i]]; e.class != isWide {
			c, f, w = e.class, uint32(e.fold), 1
		} else {
			c, f, w = z.char(i)
		}
		if c&(isLetter|isDigit|isSkip) == 0 {
			if uint16(c) == sepApostrophe && n == 1 && z.irish(i, w, first, last) { //nolint:gosec // a separator fits
				i += w
				c, f, w = z.char(i)
				continue
			}
			break
		}
	}
	t.hash, t.end, t.len = endWord(h), int32(end), uint8(min(n, 255)) //nolint:gosec // as above
	t.shape = shapeOf(first, n, uppers, figures)
	t.cand, t.phrase = false, 0
	z.at = i
	if c&(isLetter|isDigit|isSkip) == 0 && i < len(s) || sep&(sepAt|sepQuote) != 0 {
		z.mask(t, sep)
	}
	return true
}

func (z *tokenizer) char(i int) (class, folded uint32, width int) {
	b := z.text[i]
	e := classes[b]
	if e.class != isWide {
		return e.class, uint32(e.fold), 1
	}
	r, w := utf8.DecodeRuneInString(z.text[i:])
	c, f := wideRune(r)
	return c, f, w
}

// irish reports whether an apostrophe behind one letter is inside a name: O'Neill,
// D'Angelo, o'brien; not l'eau or d'accord.
func (z *tokenizer) irish(i, w int, first, letter uint32) bool {
	if letter != 'o' && letter != 'd' || i+w >= len(z.text) {
		return false
	}
	c, _, _ := z.char(i + w)
	if letter == 'd' {
		return first&c&isUpper != 0
	}
	return c&isLetter != 0
}

func shapeOf(first uint32, n, uppers, figures int) shape {
	switch {
	case figures > 0:
		return digits
	case uppers == 0:
		return lower
	case n == 1:
		return cap1
	case uppers == n:
		return upper
	case uppers == 1 && first&isUpper != 0:
		return capped
	}
	return mixed
}

// mask swallows the rest of links, addresses and handles.
func (z *tokenizer) mask(t *token, sep uint16) {
	s, i := z.text, z.at
	glued := sep&sepSpace == 0
	switch {
	case i < len(s) && s[i] == ':' && i+2 < len(s) && s[i+1] == '/' && s[i+2] == '/',
		i < len(s) && s[i] == '@' && i+1 < len(s) && s[i+1] > ' ',
		i < len(s) && s[i] == '.' && t.len == 3 && t.hash == hashWWW():
		for i < len(s) && s[i] > ' ' {
			i++
		}
	case sep&sepAt != 0 && s[max(int(t.start)-1, 0)] == '@': // a handle
		for i < len(s) && (s[i] == '_' || s[i] == '.' && i+1 < len(s) && s[i+1] > ' ' || classes[s[i]].class&(isLetter|isDigit) != 0) {
			i++
		}
	case i+1 < len(s) && s[i] == '_' && classes[s[i+1]].class&(isLetter|isDigit) != 0, glued && inSnake(s, int(t.start)): // snake_case, but not _emphasis_
		for i < len(s) && (s[i] == '_' || classes[s[i]].class&(isLetter|isDigit) != 0) {
			i++
		}
	default:
		return
	}
	t.shape, t.end, z.at = masked, int32(i), i //nolint:gosec // as above
}

// inSnake reports whether the word at i stands behind another and "_".
func inSnake(s string, i int) bool {
	return i > 1 && s[i-1] == '_' && classes[s[i-2]].class&(isLetter|isDigit) != 0
}

func hashWWW() uint64 {
	h := uint64(hashSeed)
	h = mixWord(h, 'w') // the others are dropped
	return endWord(h)
}

// Key is the same for two spellings of a word that the lexicon does not tell
// apart: case, accents and width do not matter. It is 0 for no word or several.
func Key(word string) uint64 {
	if h := hashWords(word); len(h) == 1 {
		return h[0]
	}
	return 0
}

// hashWords hashes the words of a lexicon entry.
func hashWords(entry string) (to []uint64) {
	z := tokenizer{text: entry}
	var t token
	for z.next(&t) {
		to = append(to, t.hash)
	}
	return to
}
