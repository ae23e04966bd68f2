package pii

// mrz looks for the machine readable zone of a passport or identity card (ICAO
// Doc 9303): lines of 44, 36 or 30 characters with < as filler. Its check digits
// make it certain, whatever stands around it.
func (b *reader) mrz(k int) {
	w := &b.w[k]
	if w.start < b.mrzEnd || w.sep != '<' && w.sep2 != '<' && b.at(k+1).sep != '<' {
		return
	}
	start, end := b.mrzRun(w.start)
	b.mrzEnd = end
	line := b.text[start:end]
	from, to := start, end
	switch {
	case len(line) == 44 && secondLine(line) && composite(line):
		from = b.lineBefore(start, 44)
	case len(line) == 36 && secondLine(line):
		from = b.lineBefore(start, 36)
	case len(line) == 30 && checks(line, 0, 6, 6) && checks(line, 8, 14, 14) && isDigit(line[0]) && isDigit(line[8]):
		from = b.lineBefore(start, 30)
		to = b.lineBehind(end, 30)
	case len(line) == 30 && checks(line, 5, 14, 14) && (line[0] == 'I' || line[0] == 'A' || line[0] == 'C') && line[5] != '<':
		second := b.lineBehind(end, 30)
		to = second
		if second > end {
			to = b.lineBehind(second, 30)
		}
	default:
		return
	}
	b.mrzEnd, b.idEnd, b.dateEnd = to, to, to
	b.addressEnd = to
	b.addBytes(from, to, Passport, 0.99, "passport/mrz", "")
}

// secondLine reports whether a line is the second of a passport: its number,
// the date of birth and the date of expiry pass their checks.
func secondLine(line string) bool {
	return line[0] != '<' && isDigit(line[13]) && isDigit(line[21]) &&
		checks(line, 0, 9, 9) && checks(line, 13, 19, 19) && checks(line, 21, 27, 27)
}

// composite is the last check digit of a passport, over all the others.
func composite(line string) bool {
	var buf [44]byte
	n := copy(buf[:], line[:10])
	n += copy(buf[n:], line[13:20])
	n += copy(buf[n:], line[21:43])
	return checkDigit(buf[:n]) == line[43]
}

func isMRZ(c byte) bool { return c == '<' || isDigit(c) || c >= 'A' && c <= 'Z' }

// mrzRun returns the run of characters of a machine readable line around i.
func (b *reader) mrzRun(i int) (start, end int) {
	const most = 46
	start, end = i, i
	for start > 0 && start > i-most && isMRZ(b.text[start-1]) {
		start--
	}
	for end < len(b.text) && end < start+most && isMRZ(b.text[end]) {
		end++
	}
	return start, end
}

// checks reports whether the character at is the check digit of line[from:to].
func checks(line string, from, to, at int) bool {
	var buf [48]byte
	n := copy(buf[:], line[from:to])
	return checkDigit(buf[:n]) == line[at] || line[at] == '<' && checkDigit(buf[:n]) == '0'
}

// lineBefore returns where the line of n characters in front of i begins, or i.
func (b *reader) lineBefore(i, n int) int {
	at := i
	for at > 0 && i-at < 3 && (b.text[at-1] == '\n' || b.text[at-1] == '\r' || b.text[at-1] == ' ') {
		at--
	}
	from := at - n
	if from < 0 || at == i {
		return i
	}
	for j := from; j < at; j++ {
		if !isMRZ(b.text[j]) {
			return i
		}
	}
	return from
}

// lineBehind returns where the line of n characters behind i ends, or i.
func (b *reader) lineBehind(i, n int) int {
	at := i
	for at < len(b.text) && at-i < 3 && (b.text[at] == '\n' || b.text[at] == '\r' || b.text[at] == ' ') {
		at++
	}
	if at == i || at+n > len(b.text) {
		return i
	}
	for j := at; j < at+n; j++ {
		if !isMRZ(b.text[j]) {
			return i
		}
	}
	return at + n
}
