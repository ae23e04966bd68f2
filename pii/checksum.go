package pii

// The sums that identifiers are checked with. All take the code as it is kept
// by nationalCode: digits and capital letters. A function that ends in OK takes
// the whole code, the check digit last.

// digitsIn reports whether b is digits only.
func digitsIn(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// number returns the value of some digits, at most eighteen.
func number(b []byte) int {
	n := 0
	for _, c := range b {
		n = 10*n + int(c-'0')
	}
	return n
}

// digitValue is that of a digit, or of a letter counting from A = 10.
func digitValue(c byte) int {
	if isDigit(c) {
		return int(c - '0')
	}
	return int(c-'A') + 10
}

// weigh adds the digits up, each times its weight; letters count from A = 10.
func weigh(b []byte, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += digitValue(b[i]) * w
	}
	return sum
}

// weighAcross is weigh with the sum of the digits of each product.
func weighAcross(b []byte, weights ...int) int {
	sum := 0
	for i, w := range weights {
		p := int(b[i]-'0') * w
		sum += p/10 + p%10
	}
	return sum
}

// iso7064Mod11x10OK is the check of ISO/IEC 7064 MOD 11,10.
func iso7064Mod11x10OK(b []byte) bool {
	p := 10
	for _, c := range b[:len(b)-1] {
		s := (int(c-'0') + p) % 10
		if s == 0 {
			s = 10
		}
		p = 2 * s % 11
	}
	return (11-p)%10 == int(b[len(b)-1]-'0')
}

// verhoeffOK is the check of J. Verhoeff over the dihedral group of order ten.
func verhoeffOK(b []byte) bool {
	c := 0
	for i := range b {
		d := int(b[len(b)-1-i] - '0')
		for range i % 8 {
			d = int("1576283094"[d] - '0')
		}
		c = dihedral(c, d)
	}
	return c == 0
}

// dihedral multiplies in the group of the symmetries of a pentagon: 0 to 4 turn,
// 5 to 9 turn and flip.
func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return (a+b-5)%5 + 5
	case b < 5:
		return (a-5-b+5)%5 + 5
	}
	return (a - b + 5) % 5
}

// date reports whether the day exists. A year without its century is taken as
// of 2000, which has the 29th of February.
func date(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	last := 31
	switch month {
	case 2:
		last = 28
		if year%4 == 0 {
			last = 29
		}
	case 4, 6, 9, 11:
		last = 30
	}
	return day <= last
}

// two returns the value of two digits.
func two(b []byte) int { return 10*int(b[0]-'0') + int(b[1]-'0') }

// dateYMD is date for digits such as 850730, dateDMY for 300785.
func dateYMD(b []byte) bool { return date(two(b), two(b[2:]), two(b[4:])) }
func dateDMY(b []byte) bool { return date(two(b[4:]), two(b[2:]), two(b)) }

// alike reports whether all characters are the same, as in 000000000.
func alike(b []byte) bool {
	for _, c := range b[1:] {
		if c != b[0] {
			return false
		}
	}
	return true
}
