package pii

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// Dates, ages, addresses, documents and what people say about themselves are
// told by words and by numbers between words. One pass reads the text as words
// and numbers, looks each word up once, and keeps a window of them, so a
// recogniser that stands at one word sees those before and after it.

// word is a run of letters or a run of digits, and the gap in front of it.
type word struct {
	start, end int
	hash       uint64 // of the folded letters
	sense      sense  // what the word may mean; 0 for one that is not known
	val        int32  // the number that digits are (up to 9 of them); of a month, which
	n          uint8  // letters or digits, at most 255
	words      uint8  // of the phrase that ends here and has the sense; 0 = this word alone
	sep        byte   // the first sign in the gap in front of it; 0 = none, other = no ASCII
	sep2       byte   // the last sign, where there is more than one
	space      bool   // there is white space in the gap
	line       bool   // there is a new line in the gap
	digits     bool
	upper      bool // begins with a capital
	caps       bool // all are capitals
}

// The gap in front of a word.
func (w *word) glued() bool { return w.sep == 0 && !w.space && !w.line }

// soft reports whether there is at most white space of one line, or a hyphen or
// apostrophe, in front of the word.
func (w *word) soft() bool {
	return !w.line && w.sep2 == 0 && (w.sep == 0 || w.sep == '-' || w.sep == '\'')
}

// loose is soft, and a dot or comma may stand there.
func (w *word) loose() bool {
	return !w.line && w.sep2 == 0 && (w.sep == 0 || w.sep == '-' || w.sep == '\'' || w.sep == '.' || w.sep == ',')
}

// hard reports whether a clause ends in front of the word.
func (w *word) hard() bool {
	return w.line || w.sep2 != 0 || w.sep != 0 && w.sep != '-' && w.sep != '\''
}

func (w *word) is(s sense) bool { return w.sense&s != 0 }

const (
	lookBehind = 20
	lookAhead  = 20
	roomWords  = 64
)

// reader is the window that goes over the text.
type reader struct {
	text    string
	regions []string
	least   float64 // the score from which findings count
	w       [roomWords]word
	n       int // words in the window
	pos     int // how far the text is read
	ended   bool
	first   bool // w[0] is the first word of the text
	edge    word // stands for what is before the first word
	tail    word // stands for what is behind the last word
	found   []Span

	dateEnd    int // where the last date ended
	addressEnd int
	idEnd      int // where the last document ended
	mrzEnd     int
	medicalEnd int
	groupEnd   int

	open  [maxOpen]opening // the phrases that the last word may go on with
	opens int
}

// opening is the beginning of a phrase: its hash and how many words it has.
type opening struct {
	hash  uint64
	words uint8
}

const maxOpen = 4

// inWords runs the recognisers that work on words.
func (f *Finder) inWords(text string) []Span {
	if len(f.Types) > 0 && !slices.ContainsFunc(f.Types, func(t Type) bool { return slices.Contains(wordTypes[:], t) }) {
		return nil
	}
	b := reader{text: text, regions: f.Regions, least: f.threshold(), first: true}
	b.edge = word{line: true, sep: other, sep2: other}
	b.run()
	if len(b.found) == 0 {
		return nil
	}
	slices.SortStableFunc(b.found, func(x, y Span) int { return x.Start - y.Start })
	s := scan{text: text, finder: f}
	for _, sp := range b.found {
		s.add(sp)
	}
	return s.found
}

// wordTypes are the types that are found in words.
var wordTypes = [...]Type{Date, DateOfBirth, Age, Address, Postcode, Passport, DriverLicense, VehiclePlate, NRP, Medical} //nolint:gochecknoglobals // a constant table

// run reads the text once. Each word is looked at when those behind it are known.
func (b *reader) run() {
	k := 0
	for {
		for b.n < roomWords && !b.ended {
			b.read()
		}
		limit := b.n
		if !b.ended {
			limit -= lookAhead
		}
		for ; k < limit; k++ {
			if w := &b.w[k]; w.digits {
				b.number(k)
			} else if w.sense&triggers != 0 {
				b.term(k)
			}
		}
		if b.ended {
			return
		}
		cut := k - lookBehind
		copy(b.w[:], b.w[cut:b.n])
		b.n -= cut
		k -= cut
		b.first = false
	}
}

// at returns the word i, and what stands for the edge of the text outside.
func (b *reader) at(i int) *word {
	if i < 0 {
		return &b.edge
	}
	if i >= b.n {
		return &b.tail
	}
	return &b.w[i]
}

// number asks everything that can begin or end with a number.
func (b *reader) number(k int) {
	b.mrz(k)
	if b.w[k].start >= b.idEnd {
		b.document(k)
	}
	b.date(k)
	b.age(k)
	b.address(k)
	b.postcode(k)
	b.measure(k)
}

// term asks everything that begins with a word.
func (b *reader) term(k int) {
	if b.w[k].is(sNRP) {
		b.group(k)
	}
	if b.w[k].is(sMedical) {
		b.medical(k)
	}
}

// add enters a finding that goes from word i to word j.
func (b *reader) add(i, j int, t Type, score float64, rule, context string) {
	b.addBytes(b.w[i].start, b.w[j].end, t, score, rule, context)
}

func (b *reader) addBytes(start, end int, t Type, score float64, rule, context string) {
	if score >= b.least {
		b.found = append(b.found, Span{Start: start, End: end, Type: t, Score: score, Rule: rule, Context: context})
	}
}

// read reads one word into the window, or the end of the text.
func (b *reader) read() {
	w := word{}
	t := b.text
	i := b.pos
	for i < len(t) {
		c, n := ascii(t[i]), 1
		if t[i] >= utf8.RuneSelf {
			c, n = b.wide(i)
		}
		if kinds[c] != 0 {
			break
		}
		switch c {
		case ' ', '\t':
			w.space = true
		case '\n', '\r':
			w.line = true
		case skip:
		default:
			if w.sep == 0 {
				w.sep = c
			} else {
				w.sep2 = c
			}
		}
		i += n
	}
	if i >= len(t) {
		w.start, w.end = len(t), len(t)
		w.line = true
		b.tail, b.ended, b.pos = w, true, i
		return
	}
	w.start = i
	if kinds[b.folded(i)] == digit {
		b.pos = w.number(t, i)
	} else {
		b.pos = w.fold(t, i)
		if lexicon.maybe(w.hash) {
			w.sense, w.val = lexicon.find(w.hash)
		}
	}
	if b.opens > 0 || w.sense&sOpens != 0 {
		b.phrases(&w)
	}
	b.w[b.n] = w
	b.n++
}

// phrases gives the last word of a known phrase the sense of the phrase.
func (b *reader) phrases(w *word) {
	var going [maxOpen]opening
	n := 0
	if w.loose() || w.sep == '.' {
		for _, o := range b.open[:b.opens] {
			h := phrase(o.hash, w.hash)
			if !lexicon.maybe(h) {
				continue
			}
			s, _ := lexicon.find(h)
			if s&^sOpens != 0 {
				w.sense |= s &^ sOpens
				w.words = max(w.words, o.words+1)
			}
			if s&sOpens != 0 && n < maxOpen-1 {
				going[n] = opening{h, o.words + 1}
				n++
			}
		}
	}
	if w.sense&sOpens != 0 {
		going[n] = opening{w.hash, 1}
		n++
	}
	b.open, b.opens = going, n
}

// wide is next with what matters in a gap: signs of ordinals, quotation marks.
func (b *reader) wide(i int) (byte, int) {
	c, n := next(b.text, i)
	if c == other {
		switch r, _ := utf8.DecodeRuneInString(b.text[i:]); r {
		case 'º', 'ª', '°':
			return ordinalGap, n
		case '’', 'ʼ', '´', '‘':
			return '\'', n
		}
	}
	return c, n
}

// ordinalGap is the sign of an ordinal in the reader's alphabet.
const ordinalGap = 0x82

func (b *reader) folded(i int) byte {
	c, _ := next(b.text, i)
	return c
}

// kinds is what a folded byte can be part of: digit, plain (a letter of a
// word, as class atSign) or 0.
var kinds = func() (t [256]class) { //nolint:gochecknoglobals // a constant table
	for c := '0'; c <= '9'; c++ {
		t[c] = digit
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = wide, wide
	}
	t[letter] = wide
	return t
}()

// number reads digits.
func (w *word) number(t string, i int) int {
	w.digits = true
	w.hash = hashSeed
	for i < len(t) {
		c, n := next(t, i)
		if c == skip {
			i += n
			continue
		}
		if !isDigit(c) {
			break
		}
		if w.n < 9 {
			w.val = w.val*10 + int32(c-'0')
			w.hash = (w.hash ^ uint64(c)) * hashPrime
		}
		if w.n < 255 {
			w.n++
		}
		i += n
		w.end = i
	}
	return w.end
}

const (
	hashSeed  = 14695981039346656037
	hashPrime = 1099511628211
)

// fold reads letters and folds them.
func (w *word) fold(t string, i int) int {
	h := uint64(hashSeed)
	w.caps = true
	for i < len(t) {
		c := t[i]
		if c < utf8.RuneSelf {
			if kinds[c] != wide {
				break
			}
			if c >= 'a' {
				w.caps = false
			} else if w.n == 0 {
				w.upper = true
			}
			h = (h ^ uint64(c|0x20)) * hashPrime
			i++
			w.end = i
			w.count()
			continue
		}
		f, n := next(t, i)
		if f == skip {
			i += n
			continue
		}
		if kinds[f] != wide {
			break
		}
		h = w.wideLetter(t, i, f, h)
		i += n
		w.end = i
	}
	w.hash = h
	return w.end
}

func (w *word) count() {
	if w.n < 255 {
		w.n++
	}
}

// wideLetter folds a letter that is not ASCII, whose fold is f.
func (w *word) wideLetter(t string, i int, f byte, h uint64) uint64 {
	if f != letter {
		if f >= 'a' {
			w.caps = false
		} else if w.n == 0 {
			w.upper = true
		}
		w.count()
		return (h ^ uint64(f|0x20)) * hashPrime
	}
	r, _ := utf8.DecodeRuneInString(t[i:])
	if r >= 0x300 && r <= 0x36f {
		return h // a mark that combines with the letter before
	}
	l := unicode.ToLower(r)
	if l == r {
		w.caps = false
	} else if w.n == 0 {
		w.upper = true
	}
	w.count()
	return hashRune(h, l)
}

// hashRune folds one small letter: without marks, ligatures as two letters.
func hashRune(h uint64, r rune) uint64 {
	if r >= 0xdf && int(r-0xdf) < len(plainLatin) {
		if p := plainLatin[r-0xdf]; p != "" {
			for i := range len(p) {
				h = (h ^ uint64(p[i])) * hashPrime
			}
			return h
		}
	}
	return (h ^ uint64(r)) * hashPrime //nolint:gosec // a rune is not negative
}

// plainLatin is what small letters from ß on are without marks.
var plainLatin = func() (t [0x17f - 0xdf + 1]string) { //nolint:gochecknoglobals // a constant table
	for _, row := range []struct{ plain, marked string }{
		{"a", "àáâãäåāăą"},
		{"ae", "æ"},
		{"c", "çćĉċč"},
		{"d", "ďđð"},
		{"e", "èéêëēĕėęě"},
		{"g", "ĝğġģ"},
		{"h", "ĥħ"},
		{"i", "ìíîïĩīĭįı"},
		{"j", "ĵ"},
		{"k", "ķ"},
		{"l", "ĺļľŀł"},
		{"n", "ñńņň"},
		{"o", "òóôõöøōŏő"},
		{"oe", "œ"},
		{"r", "ŕŗř"},
		{"s", "śŝşš"},
		{"ss", "ß"},
		{"t", "ţťŧ"},
		{"th", "þ"},
		{"u", "ùúûüũūŭůűų"},
		{"w", "ŵ"},
		{"y", "ýÿŷ"},
		{"z", "źżž"},
	} {
		for _, r := range row.marked {
			t[r-0xdf] = row.plain
		}
	}
	return t
}()

// fold writes the folded ASCII letters of a word into dst and returns them; it
// is used where the end of a word matters.
func (b *reader) fold(dst []byte, w *word) []byte {
	dst = dst[:0]
	for i := w.start; i < w.end && len(dst)+2 < cap(dst); {
		c, n := next(b.text, i)
		switch {
		case isAlpha(c):
			dst = append(dst, c|0x20)
		case c == letter:
			r, _ := utf8.DecodeRuneInString(b.text[i:])
			r = unicode.ToLower(r)
			if r >= 0xdf && int(r-0xdf) < len(plainLatin) && plainLatin[r-0xdf] != "" {
				dst = append(dst, plainLatin[r-0xdf]...)
			} else if r < 0x300 || r > 0x36f {
				dst = append(dst, '?')
			}
		case isDigit(c):
			dst = append(dst, c)
		}
		i += n
	}
	return dst
}
