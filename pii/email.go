package pii

import "strings"

// email looks for an address around the at sign at text[at:end]: the common
// part of RFC 5321 and RFC 6531, that is without comments and address literals.
// A colon, an equals sign or a quotation mark ends it, because people write
// "mail:ada@example.org".
func (s *scan) email(at, end int) (Span, bool) {
	text := s.text
	start, ok := localPart(text, at)
	if !ok {
		if start, ok = quotedPart(text, at); !ok {
			return s.spacedEmail(at, end)
		}
	}
	stop, ok := domain(text, end)
	if !ok {
		return s.spacedEmail(at, end)
	}
	if c, _ := next(text, stop); c == ':' && sameText(text[start:at], "git") {
		return Span{}, false // where a program is fetched from
	}
	return Span{Start: start, End: stop, Type: Email, Score: 0.96, Rule: "email"}, true
}

// quotedPart walks left over a local part in quotation marks: "Ada L."@example.org.
func quotedPart(text string, at int) (start int, ok bool) {
	const most = 64 // octets, RFC 5321 section 4.5.3.1.1
	if at < 3 || text[at-1] != '"' {
		return 0, false
	}
	for i := at - 2; i >= max(0, at-most); i-- {
		switch text[i] {
		case '"':
			if i > 0 && text[i-1] == '\\' {
				continue
			}
			return i, i < at-2
		case '\n', '@':
			return 0, false
		}
	}
	return 0, false
}

// localPart walks left from the at sign. It stops at another at sign, so all
// walks over a text together are no longer than the text.
func localPart(text string, at int) (start int, ok bool) {
	start = at
	last, _ := prev(text, at)
	if !isWord(last) && last != '-' && last != '+' {
		return 0, false
	}
	for i := at; ; {
		c, w := prev(text, i)
		if !isWord(c) && (w != 1 || !strings.ContainsRune(".-+%&'#~", rune(c))) {
			break
		}
		i -= w
		if isWord(c) {
			start = i // it begins with a letter or digit
		}
	}
	return start, start < at
}

// domain walks right from the at sign and returns the end of the longest name
// with at least two labels of which the last can be a top-level domain.
func domain(text string, from int) (end int, ok bool) {
	const maxName = 255 // octets, RFC 1035 section 2.3.4
	var before label
	for i, n := from, 1; ; n++ {
		l := readLabel(text, i)
		if l.end == i || l.end-from > maxName {
			return end, end > 0
		}
		if n > 1 && !sentence(before, l, n) {
			if l.topLevel() {
				end = l.end
			} else if l.head > 0 {
				end = l.head
			}
		}
		c, w := next(text, l.end)
		if c != '.' {
			return end, end > 0
		}
		i, before = l.end+w, l
	}
}

// label is one part of a domain name.
type label struct {
	end      int  // in the text
	head     int  // end of the letters before its first hyphen; 0 where they are no top-level domain
	chars    int  // without hyphens at its end
	letters  int  // how many of them are letters
	upper    int  // how many are A to Z
	title    bool // the first is one of them
	punycode bool
}

func readLabel(text string, start int) label {
	l := label{end: start}
	for i := start; ; {
		c, w := next(text, i)
		switch {
		case c == '-' && w == 1 && i > start:
			if l.head == 0 && l.letters >= 2 && l.letters == l.chars {
				l.head = i
			}
		case isWord(c) && c != '_':
			l.end = i + w
		default:
			if l.end < i { // it ended with hyphens, which belong to the sentence
				l.chars -= i - l.end
			}
			l.punycode = l.end-start > 4 && strings.EqualFold(text[start:start+4], "xn--")
			return l
		}
		if isAlpha(c) || c == letter {
			l.letters++
		}
		if c >= 'A' && c <= 'Z' {
			l.upper++
			l.title = l.title || i == start
		}
		l.chars++
		i += w
	}
}

func (l label) topLevel() bool { return l.punycode || l.letters >= 2 && l.letters == l.chars }

// sentence reports whether l is rather the first word of a sentence that
// follows the address without a space: "ada@example.org.Thanks".
func sentence(before, l label, n int) bool {
	return n > 2 && l.title && l.upper == 1 && l.letters > 2 && before.upper == 0 && before.topLevel()
}
