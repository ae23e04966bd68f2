package pii

import "strings"

// handle looks for a name on a network that begins with the at sign at
// text[at:end]: @ada, @ada@example.social, @ada:example.org.
func (s *scan) handle(at, end int) (Span, bool) {
	text := s.text
	if p, _ := before(text, at); isWord(p) || p == '@' || p == '/' || p == '.' {
		return Span{}, false
	}
	stop, ok := handleEnd(text, end)
	if !ok || isNoHandle(text[end:stop]) {
		return Span{}, false
	}
	score := 0.8
	switch c, w := next(text, stop); c {
	case '(', '/':
		return Span{}, false // a decorator, a package
	case '@', ':':
		if host, ok := domain(text, stop+w); ok {
			stop, score = host, 0.97
		}
	}
	return Span{Start: at, End: stop, Type: Username, Score: score, Rule: "username/handle"}, true
}

// handleEnd returns the end of the name at i. It begins with a letter, or holds
// four: "@5pm" is none.
func handleEnd(text string, i int) (end int, ok bool) {
	const most = 64
	letters := 0
	first, _ := next(text, i)
	for end = i; end-i <= most; {
		c, w := next(text, end)
		switch {
		case isAlpha(c) || c == letter:
			letters++
		case isDigit(c) || c == '_':
		case c == '.' || c == '-':
			if d, _ := next(text, end+w); !isAlpha(d) && !isDigit(d) && d != '_' {
				return end, enough(first, letters, end-i)
			}
		default:
			return end, enough(first, letters, end-i)
		}
		end += w
	}
	return end, false
}

func enough(first byte, letters, size int) bool {
	if isDigit(first) {
		return letters >= 4
	}
	return letters > 0 && size >= 2
}

// isNoHandle knows what is written with an at sign and is nobody's name: words
// of programming languages and of style sheets, and everybody.
func isNoHandle(w string) bool {
	const most = 16
	var buf [most]byte
	if len(w) > most {
		return false
	}
	for i := range len(w) {
		buf[i] = w[i] | 0x20
	}
	switch string(buf[:len(w)]) {
	case "override", "deprecated", "property", "staticmethod", "classmethod", "dataclass", "autowired", "component",
		"injectable", "test", "media", "import", "keyframes", "font-face", "param", "return", "returns", "throws",
		"everyone", "here", "channel", "all", "nullable", "notnull", "nonnull", "entity", "bean", "service",
		"controller", "inject", "input", "output", "app", "suppresswarnings", "charset", "supports", "interface",
		"implementation", "todo", "author", "see", "since", "example", "type", "types", "license", "latest", "next",
		"home", "work", "the", "least", "once", "online", "everybody", "abstractmethod", "cached_property",
		"before", "after", "data", "getter", "setter", "table", "column", "id", "end", "if", "echo", "page",
		"layer", "apply", "tailwind", "include", "mixin", "extend", "root", "this", "alle", "jeden", "todos":
		return true
	}
	return false
}

// username looks for a name behind the word at p for a network, or for such a
// name: "my insta is ada.l", "Discord: ada#1234".
func (s *scan) username(p piece) (Span, bool) {
	v, ok := s.announced(p, 3)
	if !ok {
		return Span{}, false
	}
	text := s.text
	end, ok := handleEnd(text, v.start)
	if !ok || end-v.start < 3 {
		return Span{}, false
	}
	if stop, ok := discordTag(text, end); ok {
		return Span{Start: v.start, End: stop, Type: Username, Score: 0.9, Rule: "username/tag", Context: "discord"}, true
	}
	c, _ := next(text, end)
	if c == '@' || c == '/' || c == ':' || c == '#' || c == '(' {
		return Span{}, false
	}
	word := text[v.start:end]
	sp := Span{Start: v.start, End: end, Type: Username, Score: 0.75, Rule: "username/announced", Context: "username"}
	switch {
	case c == '[' || c == '=' || word[0] == '<':
		return Span{}, false // a program
	case !v.said && !v.quoted:
		// "instagram ada_l": only what can be nothing else.
		return sp, s.cues[cueNetwork] == p.end && odd(word) && topLevel(word[strings.LastIndexByte(word, '.')+1:]) == noTLD && isAlpha(text[v.start])
	case odd(word):
		return sp, !timeLike(word)
	}
	sp.Score = 0.6
	own := s.told(cueMine, p.start, 12) || v.sign
	return sp, own && len(word) >= 4 && clauseEnds(text, end) && !isPlainAnswer(word)
}

// odd reports whether a text is no word: it has a digit, an underscore, a dot
// or a capital letter inside.
func odd(w string) bool {
	for i := range len(w) {
		switch c := w[i]; {
		case isDigit(c), c == '_', i > 0 && c == '.':
			return true
		case i > 0 && c >= 'A' && c <= 'Z' && w[i-1] >= 'a' && w[i-1] <= 'z':
			return true
		}
	}
	return false
}

// timeLike reports whether a text is only a number with a unit: 5pm, 24h, 2nd.
func timeLike(w string) bool {
	n := 0
	for i := range len(w) {
		if isAlpha(w[i]) {
			n++
		}
	}
	return isDigit(w[0]) && n <= 3
}

// discordTag reads the four digits of an old name on Discord: #1234.
func discordTag(text string, i int) (end int, ok bool) {
	if i+5 > len(text) || text[i] != '#' {
		return 0, false
	}
	for k := i + 1; k < i+5; k++ {
		if !isDigit(text[k]) {
			return 0, false
		}
	}
	if c, _ := next(text, i+5); isWord(c) {
		return 0, false
	}
	return i + 5, true
}

// sign handles an ampersand or a number sign.
func (s *scan) sign(i int) int {
	if s.text[i] == '&' {
		if s.view == nil && isEntity(s.text, i) {
			s.tricks |= entities
		}
		return i + 1
	}
	end, ok := discordTag(s.text, i)
	if !ok || !s.told(cueHandle, i, 48) && !s.follows(cueHandle, end) {
		return i + 1
	}
	start := i
	for start > 0 && i-start < 32 && (isWord(s.text[start-1]) || s.text[start-1] == '.') {
		start--
	}
	if i-start < 2 || isOrderWord(s.text[start:i]) {
		return i + 1
	}
	s.add(Span{Start: start, End: end, Type: Username, Score: 0.85, Rule: "username/tag", Context: "discord"})
	return end
}

func isOrderWord(w string) bool {
	e := look(w)
	return e.is(cueParcel) || e.is(cueVersion) || sameWord2(w, "issue") || sameWord2(w, "case") || sameWord2(w, "pr")
}
