package pii

import "strings"

// link looks for an address with a scheme (RFC 3986) whose colon is text[i:end].
// It has to lead to a name with a dot or to an internet address.
func link(text string, i, end int) (Span, bool) {
	if end != i+1 || !strings.HasPrefix(text[end:], "//") {
		return Span{}, false
	}
	start := i
	for start > 0 && i-start <= maxCueWord && classes[text[start-1]] == alpha {
		start--
	}
	if !look(text[start:i]).is(cueScheme) {
		return Span{}, false
	}
	from := end + len("//")
	const most = 320 // octets of a user, a password and a name
	authority := text[from:min(len(text), from+most)]
	if n := strings.IndexAny(authority, "/?# \n"); n >= 0 {
		authority = authority[:n]
	}
	at := from + strings.LastIndexByte(authority, '@') + 1
	if !isHost(text, at) {
		return Span{}, false
	}
	stop := linkEnd(text, from)
	if stop <= at {
		return Span{}, false
	}
	return Span{Start: start, End: stop, Type: URL, Score: 0.97, Rule: "url"}, true
}

// isHost reports whether a name with a dot, or an internet address, stands at i.
func isHost(text string, i int) bool {
	if _, ok := dotted(text, i); ok {
		return true
	}
	if i < len(text) && text[i] == '[' {
		_, ok := groups(text, i+1)
		return ok
	}
	_, ok := domain(text, i)
	return ok
}

// linkEnd returns where a link ends: at what cannot stand in one, and before
// the punctuation of the sentence around it.
func linkEnd(text string, i int) int {
	from, open := i, 0
	for i < len(text) {
		c, w := next(text, i)
		if c <= ' ' || c == skip || c == other || w == 1 && strings.IndexByte("<>\"`{}|\\^", c) >= 0 {
			break
		}
		switch c {
		case '(', '[':
			open++
		case ')', ']':
			open--
		}
		i += w
	}
	for i > from {
		switch text[i-1] {
		case '.', ',', ';', ':', '!', '?', '\'', '*', '_', '~':
		case ')', ']':
			if open >= 0 {
				return i
			}
			open++
		default:
			return i
		}
		i--
	}
	return i
}

// waLink returns where the number stands in the address under which WhatsApp
// links to a telephone number.
func waLink(link string) (at int, ok bool) {
	for i := 0; i+6 < len(link) && i < 24; i++ {
		if foldEqual(link[i:i+6], "WA.ME/") {
			return i + 6, i+6 < len(link) && isDigit(link[i+6])
		}
	}
	return 0, false
}

// period handles a dot: the first one of a name without a scheme.
func (s *scan) period(i int) int {
	if i < s.hostEnd || i == 0 || i+1 >= len(s.text) || !isLabel(s.text, i+1) {
		return i + 1
	}
	if c, _ := prev(s.text, i); !isWord(c) || c == '_' {
		return i + 1
	}
	sp, walked, ok := s.host(i)
	s.hostEnd = walked
	if !ok {
		return i + 1
	}
	s.add(sp)
	s.hostEnd = max(walked, sp.End)
	if !s.finder.wants(URL) {
		return i + 1 // what is in it may be wanted
	}
	return sp.End
}

func isLabel(text string, i int) bool {
	c, _ := next(text, i)
	return isAlpha(c) || isDigit(c) || c == letter
}

// host looks for a name like example.com whose first dot is at i, and what
// belongs to it. It also returns how far it looked: the dots up to there are
// its own.
func (s *scan) host(i int) (sp Span, walked int, ok bool) {
	start, ok := hostStart(s.text, i)
	h := readHost(s.text, start)
	if !ok || h.kind == noTLD {
		return Span{}, h.walked, false
	}
	c, _ := next(s.text, h.end)
	switch c {
	case '@', '(', '=', '_', '\\', '[':
		return Span{}, h.walked, false // an e-mail address, a program
	}
	stop := h.end
	if c == ':' || c == '/' || c == '?' {
		stop = max(h.end, linkEnd(s.text, h.end))
	}
	path := stop > h.end+1
	score := h.score(path)
	if score == 0 && s.saysSite(start) {
		score = 0.65
	}
	if score == 0 && h.kind == wordTLD && h.country && !path {
		// The name ends what is said; in front of more words it may be a dot
		// whose space is missing.
		if c, at := after(s.text, h.end); c != ' ' || !isLabel(s.text, at+1) {
			score = 0.55
		}
	}
	sp = Span{Start: start, End: stop, Type: URL, Score: score, Rule: "url/bare"}
	return sp, h.walked, score > 0
}

// saysSite reports whether the words before i announce a link.
func (s *scan) saysSite(i int) bool { return s.told(cueSite, i, 24) || s.told(cueOn, i, 1) }

// hostStart walks left over the first label of a name whose dot is at i.
func hostStart(text string, i int) (start int, ok bool) {
	const maxLabel = 63 // octets, RFC 1035 section 2.3.4
	start = i
	letters := false
	for i-start <= maxLabel {
		c, w := prev(text, start)
		if !isAlpha(c) && !isDigit(c) && c != letter && c != '-' {
			break
		}
		letters = letters || isAlpha(c) || c == letter
		start -= w
	}
	for start < i && text[start] == '-' {
		start++
	}
	p, _ := before(text, start)
	return start, letters && !isWord(p) && p != '@' && p != '/' && p != '\\' && p != '.' && p != '#' && p != '~'
}

// hostName is a name of two labels or more.
type hostName struct {
	start, end int // end of the last label that can be a top-level domain
	walked     int
	labels     int // up to the end
	www        bool
	country    bool // the last label is that of a country in which many people write so
	kind       tldKind
	first      int // bytes of the first label
}

func readHost(text string, start int) hostName {
	h := hostName{start: start, end: start, walked: start}
	for i, n := start, 1; ; n++ {
		l := readLabel(text, i)
		if l.end == i || l.end-start > 255 {
			if n > 1 && i == h.end+1 {
				return h // the full stop behind it
			}
			h.kind = noTLD
			return h
		}
		h.walked = l.end
		word := text[i:l.end]
		if n == 1 {
			h.first = l.end - i
			h.www = sameWord2(word, "www")
		}
		sentence := l.title && l.upper == 1 // Example.com.Thanks
		if k := topLevel(word); n > 1 && (k != noTLD || l.punycode) && !sentence {
			h.kind, h.end, h.labels = max(k, wordTLD), l.end, n
			if k == fileTLD {
				h.kind = fileTLD
			}
			h.country = isCountryWord(word)
		} else if n > 1 && !sentence {
			h.kind = noTLD // foo.com.txt
		}
		c, w := next(text, l.end)
		if c != '.' {
			return h
		}
		i = l.end + w
	}
}

// isCountryWord reports whether an ending that is a word as well is much more
// often that of a country where nothing follows.
func isCountryWord(w string) bool {
	switch w {
	case "de", "ca", "ch", "es", "se", "hu", "hr", "il", "at", "be":
		return true
	}
	return false
}

// score says how sure the name alone is; 0 is not at all.
func (h *hostName) score(path bool) float64 {
	switch {
	case h.www && h.labels > 2:
		return 0.95
	case path && h.first > 0:
		return 0.85
	case h.kind == goodTLD && h.first > 1 && !h.www:
		return 0.65
	case h.labels > 2 && h.kind == wordTLD && !h.www:
		return 0.6 // shop.example.de
	}
	return 0
}
