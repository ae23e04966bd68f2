package pii

// mac looks for a hardware address (EUI-48) whose first hexadecimal digits stand at
// i: 00:1A:2B:3C:4D:5E, with hyphens, or 001a.2b3c.4d5e. One of all
// noughts, or of all ones, is nobody's.
func mac(text string, i int) (Span, bool) {
	end := i
	for end < len(text) && end < i+5 && isHex(text[end]) {
		end++
	}
	size, count := end-i, 6
	switch {
	case end >= len(text), size != 2 && size != 4:
		return Span{}, false
	case size == 4:
		count = 3
	}
	sign := text[end]
	if (size == 4) != (sign == '.') || sign != '.' && sign != ':' && sign != '-' {
		return Span{}, false
	}
	first, same := text[i]|0x20, true
	at := i
	for n := range count {
		if n > 0 {
			if at >= len(text) || text[at] != sign {
				return Span{}, false
			}
			at++
		}
		for range size {
			if at >= len(text) || !isHex(text[at]) {
				return Span{}, false
			}
			same = same && text[at]|0x20 == first
			at++
		}
	}
	same = same && (first == '0'|0x20 || first == 'f')
	c, behind := after(text, at)
	if d, _ := next(text, behind+1); same || isWord(c) || c == sign && (isHex(d) || sign == ':') {
		return Span{}, false
	}
	if p, _ := before(text, i); isWord(p) || p == sign {
		return Span{}, false
	}
	return Span{Start: i, End: at, Type: MAC, Score: 0.95, Rule: "mac"}, true
}
