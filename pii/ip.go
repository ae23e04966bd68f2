package pii

// ipv4 looks for an address in dotted decimal at the beginning of the
// chain. Five numbers with dots are none, and neither is one that is part of a
// word, or that a word says to be a version.
func (s *scan) ipv4() (Span, bool) {
	text, i := s.text, s.chain.chunks[0].start
	if s.chain.n < 4 && s.chain.total < 4 || s.chain.n > 1 && s.chain.chunks[1].sep != dot || s.told(cueVersion, i, 12) {
		return Span{}, false
	}
	if p, at := before(text, i); isWord(p) || p == '.' && at > 0 && isWord(text[at-1]) {
		return Span{}, false
	}
	end, ok := dotted(text, i)
	if !ok {
		return Span{}, false
	}
	if c, at := after(text, end); isWord(c) {
		return Span{}, false
	} else if d, _ := next(text, at+1); c == '.' && isDigit(d) {
		return Span{}, false
	}
	end = network(text, end)
	return Span{Start: i, End: end, Type: IP, Score: 0.9, Rule: "ip/4"}, true
}

// network takes the length of a network's prefix along: "/24".
func network(text string, i int) int {
	at := i
	if at >= len(text) || text[at] != '/' {
		return i
	}
	at++
	from := at
	for at < len(text) && at < from+3 && isDigit(text[at]) {
		at++
	}
	if c, _ := after(text, at); at == from || isWord(c) || c == '/' {
		return i
	}
	return at
}

// zone takes the interface of an address along: "%eth0" (RFC 4007).
func zone(text string, i int) int {
	if i >= len(text) || text[i] != '%' {
		return i
	}
	end := tokenEnd(text, i+1)
	if end-i < 2 || end-i > 16 {
		return i
	}
	return end
}

// dotted reads four numbers up to 255 with dots between them.
func dotted(text string, i int) (end int, ok bool) {
	for part := range 4 {
		if part > 0 {
			if i >= len(text) || text[i] != '.' {
				return 0, false
			}
			i++
		}
		v, from := 0, i
		for i < len(text) && i < from+3 && isDigit(text[i]) {
			v = 10*v + int(text[i]-'0')
			i++
		}
		if i == from || v > 255 {
			return 0, false
		}
	}
	return i, true
}

// ipv6 looks for an address (RFC 4291 section 2.2) whose first colon is at i.
// It must hold a digit: "dead::beef" is a name in too many programs.
func ipv6(text string, i int) (Span, bool) {
	start := i
	for start > 0 && i-start < 5 && isHex(text[start-1]) {
		start--
	}
	if p, _ := before(text, start); i-start > 4 || isWord(p) || p == ':' {
		return Span{}, false
	}
	end, ok := groups(text, start)
	if !ok {
		return Span{}, false
	}
	if c, at := after(text, end); isWord(c) {
		return Span{}, false
	} else if d, _ := next(text, at+1); (c == ':' || c == '.') && isWord(d) {
		return Span{}, false
	}
	end = network(text, zone(text, end))
	return Span{Start: start, End: end, Type: IP, Score: 0.92, Rule: "ip/6"}, true
}

// groups reads the text form of a version 6 address: up to eight groups of up
// to four hexadecimal digits, one run of zero groups as "::", the last two
// groups possibly in dotted decimal.
func groups(text string, start int) (end int, ok bool) {
	const most = 8
	n, gap, digits := 0, false, false
	i := start
	for {
		if i+1 < len(text) && text[i] == ':' && text[i+1] == ':' {
			if gap {
				return 0, false
			}
			gap = true
			i += 2
			end = i
		} else if i > start {
			if i >= len(text) || text[i] != ':' {
				break
			}
			i++
		}
		if v4, is := dotted(text, i); is && n+2 <= most {
			n, end, digits = n+2, v4, true
			break
		}
		from := i
		for i < len(text) && i < from+4 && isHex(text[i]) {
			digits = digits || isDigit(text[i])
			i++
		}
		if i == from {
			break
		}
		if n++; n > most {
			return 0, false
		}
		end = i
	}
	whole := n == most && !gap || n < most && gap
	return end, whole && digits
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
