package pii

// spokenEmail looks for an address around a word that means an at sign, such as
// "ada (at) example (dot) org" or "ada arroba example punto com". Without
// brackets the word means little, so the rest has to say what it is.
func (s *scan) spokenEmail(p piece) (Span, bool) {
	open, at := before(s.text, p.start)
	shut, from := after(s.text, p.end)
	bracketed := open == '(' && shut == ')' || open == '[' && shut == ']' || open == '{' && shut == '}' ||
		open == '<' && shut == '>'
	switch {
	case bracketed:
		_, w := next(s.text, from)
		from += w
	case open != ' ' || shut != ' ':
		return Span{}, false
	default:
		at, from = p.start, p.end
	}
	start, ok := spokenLocal(s.text, at)
	if !ok {
		return Span{}, false
	}
	d := spokenDomain(s.text, from)
	english := sameWord2(s.text[p.start:p.end], "at")
	switch {
	case d.end == 0, d.doubtful && english && !bracketed:
		return Span{}, false
	case !bracketed && english && !d.spread && !d.provider && !s.told(cueMail, start, 40):
		return Span{}, false // we meet at example.org
	}
	return Span{Start: start, End: d.end, Type: Email, Score: 0.85, Rule: "email/spoken"}, true
}

func sameWord2(w, small string) bool { return len(w) == len(small) && sameWord(w, small) }

// spacedEmail looks for an address whose at sign or dots have spaces around
// them: "ada @ example . org".
func (s *scan) spacedEmail(at, end int) (Span, bool) {
	start, ok := spokenLocal(s.text, at)
	if !ok {
		return Span{}, false
	}
	d := spokenDomain(s.text, end)
	left, _ := prev(s.text, at)
	right, _ := next(s.text, end)
	apart := left == ' ' && right == ' ' // live @ example.org
	if d.end == 0 || d.doubtful || apart && !d.spread && !d.provider && !s.told(cueMail, start, 40) || left == ' ' && right != ' ' {
		return Span{}, false
	}
	return Span{Start: start, End: d.end, Type: Email, Score: 0.85, Rule: "email/spaced"}, true
}

// spokenLocal walks left over a local part whose dots may be words: "ada dot l".
func spokenLocal(text string, at int) (start int, ok bool) {
	const parts = 4
	for range parts {
		i := blanksBefore(text, at)
		from, good := localPart(text, i)
		if !good {
			return start, ok
		}
		start, ok = from, true
		if at, good = wordedBefore(text, from); !good {
			return start, ok
		}
	}
	return start, ok
}

// wordedBefore reports whether a word for a sign of a local part stands in
// front of i, and where.
func wordedBefore(text string, i int) (at int, ok bool) {
	i = blanksBefore(text, i)
	var shut byte
	if c, w := prev(text, i); c == ')' || c == ']' || c == '}' {
		shut = c
		i -= w
	}
	end := i
	for {
		c, w := prev(text, i)
		if !isAlpha(c) && c != letter {
			break
		}
		i -= w
		if end-i > 12 {
			return 0, false
		}
	}
	if !isDotWord(text[i:end]) && !isSignWord(text[i:end]) {
		return 0, false
	}
	if shut != 0 {
		c, w := prev(text, i)
		if i -= w; c != '(' && c != '[' && c != '{' {
			return 0, false
		}
	}
	return i, true
}

func blanksBefore(text string, i int) int {
	for range 2 {
		if c, w := prev(text, i); c == ' ' {
			i -= w
		}
	}
	return i
}

func blanksAfter(text string, i int) int {
	for range 2 {
		if c, w := next(text, i); c == ' ' {
			i += w
		}
	}
	return i
}

// isDotWord reports whether a word means the dot of an address.
func isDotWord(w string) bool {
	return sameWord2(w, "dot") || sameWord2(w, "punkt") || sameWord2(w, "punto") || sameWord2(w, "ponto") ||
		sameWord2(w, "point") || sameWord2(w, "punt") || w == "точка"
}

// isSignWord reports whether a word means another sign of a local part.
func isSignWord(w string) bool {
	return sameWord2(w, "underscore") || sameWord2(w, "unterstrich") || sameWord2(w, "hyphen") ||
		sameWord2(w, "bindestrich")
}

// spokenName is a domain name as it is spoken or spaced out.
type spokenName struct {
	end      int  // 0 for none
	spread   bool // a dot is a word, or has spaces around it
	provider bool // many people have their mail there
	doubtful bool // may be an ordinary sentence: "at this point in"
}

// spokenDomain reads a domain name whose dots may be words: "example dot org".
func spokenDomain(text string, i int) (d spokenName) {
	const parts = 5
	spread, doubtful := false, false
	i = blanksAfter(text, i)
	first := i
	for n := range parts {
		l := readLabel(text, i)
		if l.end == i {
			return d
		}
		word := text[i:l.end]
		if n == 0 {
			d.provider = isProvider(word)
		}
		if n > 0 && topLevel(word) != noTLD && l.end-first <= 80 {
			d.end, d.spread = l.end, spread
			d.doubtful = doubtful && topLevel(word) == wordTLD
		}
		sep, at := readDot(text, l.end)
		if sep == noDot {
			return d
		}
		if (sep == loneDot || sep == endingDot) && d.end == l.end {
			return d // the end of a sentence
		}
		spread = spread || sep != tightDot
		doubtful = doubtful || sep == pointWord || sep == endingDot
		i = at
	}
	return d
}

// dotKind says how the dot of an address is written.
type dotKind uint8

const (
	noDot     dotKind = iota
	tightDot          // .
	loneDot           // with spaces around it
	endingDot         // with a space behind it, like that of a sentence
	wordDot           // dot, (punkt)
	pointWord         // point, which means much else
)

// readDot reads a dot, or a word for one, and returns where it ends.
func readDot(text string, i int) (dotKind, int) {
	c, w := next(text, i)
	if c == '.' {
		if c, _ := next(text, i+w); c != ' ' {
			return tightDot, i + w
		}
		return endingDot, blanksAfter(text, i+w)
	}
	spaced := c == ' '
	i = blanksAfter(text, i)
	c, w = next(text, i)
	if c == '.' {
		return loneDot, blanksAfter(text, i+w)
	}
	shut := byte(0)
	switch c {
	case '(':
		shut = ')'
	case '[':
		shut = ']'
	case '{':
		shut = '}'
	}
	if shut != 0 {
		i += w
	} else if !spaced {
		return noDot, i
	}
	end := wordEnd(text, i)
	word := text[i:end]
	if c, w := next(text, i); shut != 0 && c == '.' {
		end, word = i+w, "dot"
	}
	if !isDotWord(word) {
		return noDot, i
	}
	c, w = next(text, end)
	switch {
	case shut != 0 && c == shut:
		return wordDot, blanksAfter(text, end+w)
	case shut == 0 && c == ' ' && sameWord2(word, "point"):
		return pointWord, blanksAfter(text, end)
	case shut == 0 && c == ' ':
		return wordDot, blanksAfter(text, end)
	}
	return noDot, i
}

// isProvider reports whether a name is one at which many people have their mail.
func isProvider(w string) bool {
	var buf [12]byte
	if len(w) > len(buf) {
		return false
	}
	for i := range len(w) {
		buf[i] = w[i] | 0x20
	}
	switch string(buf[:len(w)]) {
	case "gmail", "googlemail", "yahoo", "ymail", "hotmail", "outlook", "live", "icloud", "aol", "gmx", "web",
		"protonmail", "proton", "yandex", "t-online", "orange", "laposte", "wanadoo", "libero", "virgilio",
		"uol", "bol", "terra", "msn", "zoho", "posteo", "tutanota", "freenet", "fastmail", "hey", "mail",
		"tuta", "naver", "daum", "rediffmail", "comcast", "btinternet", "arcor", "bluewin", "hotmal":
		return true
	}
	return false
}
