package pii

import "strings"

// ownChecks are the checks by their names. All take letters, as capitals, and
// digits.
var ownChecks = [...]struct { //nolint:gochecknoglobals // a constant table
	name  string
	check func(code []byte) bool
}{
	{"luhn", func(b []byte) bool { return digitsIn(b) && luhn(b) }},
	{"verhoeff", func(b []byte) bool { return digitsIn(b) && verhoeffOK(b) }},
	{"damm", dammOK},
	{"gs1", func(b []byte) bool { return weighted(b, 10, 1, 3) }},
	{"mod11", func(b []byte) bool { return weighted(b, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10) }},
	{"mod11-7", mod11Cycle},
	{"mod97", func(b []byte) bool { return pureSystem(b, 97, 10, "") }},
	{"iban", func(b []byte) bool {
		return len(b) > 4 && pureSystem([]byte(string(b[4:])+string(b[:4])), 97, 10, "")
	}},
	{"iso7064-mod11-2", func(b []byte) bool { return pureSystem(b, 11, 2, "0123456789X") }},
	{"iso7064-mod37-2", func(b []byte) bool { return pureSystem(b, 37, 2, "") }},
	{"iso7064-mod97-10", func(b []byte) bool { return pureSystem(b, 97, 10, "") }},
	{"iso7064-mod11-10", func(b []byte) bool { return digitsIn(b) && iso7064Mod11x10OK(b) }},
	{"iso7064-mod27-26", func(b []byte) bool { return hybridSystem(b, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") }},
	{"iso7064-mod37-36", func(b []byte) bool { return hybridSystem(b, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") }},
}

// Checks returns the names of the checks that an [OwnRule] can name:
//
//   - luhn: payment cards and many others (ISO/IEC 7812-1);
//   - verhoeff, damm: the checks of these authors;
//   - gs1: weights 1 and 3 from the right, as in EAN and GTIN;
//   - mod11: weights 1, 2, 3 … 10 from the right, X for ten, as in ISBN-10;
//   - mod11-7: weights 1, then 2 to 7 again and again from the right, where a
//     rest of ten or eleven is nought, as in many account numbers;
//   - mod97: the number leaves 1 when divided by 97, letters as two digits from
//     A = 10; iban: the same with its first four characters moved to the end;
//   - iso7064-mod11-2, -mod37-2, -mod97-10, -mod11-10, -mod27-26, -mod37-36:
//     the systems of ISO/IEC 7064.
func Checks() []string {
	var out []string
	for _, c := range ownChecks {
		out = append(out, c.name)
	}
	return out
}

// checkNamed returns a check that also wants at least two characters, and other
// than noughts alone. It returns nil where there is none of the name.
func checkNamed(name string) func(code []byte) bool {
	for _, c := range ownChecks {
		if c.name == name {
			return func(code []byte) bool {
				return len(code) >= 2 && strings.Trim(string(code), "0") != "" && c.check(code)
			}
		}
	}
	return nil
}

// weighted adds digits up, each times the weight of its place from the right;
// places that have no weight take the last two again. The sum must be a multiple.
func weighted(b []byte, of int, weights ...int) bool {
	sum := 0
	for i := range b {
		c := b[len(b)-1-i]
		v := int(c - '0')
		switch {
		case c == 'X' && i == 0 && of == 11:
			v = 10
		case !isDigit(c):
			return false
		}
		w := i
		if w >= len(weights) {
			w = len(weights) - 2 + (i-len(weights))%2
		}
		sum += v * weights[w]
	}
	return sum%of == 0
}

// mod11Cycle is the check with weights 2 to 7 from the right, over and over.
func mod11Cycle(b []byte) bool {
	if !digitsIn(b) {
		return false
	}
	sum := 0
	for i := range len(b) - 1 {
		sum += int(b[len(b)-2-i]-'0') * (2 + i%6)
	}
	check := 11 - sum%11
	if check > 9 {
		check = 0
	}
	return check == int(b[len(b)-1]-'0')
}

// dammOK is the check of H. M. Damm over his quasigroup of order ten.
func dammOK(b []byte) bool {
	const table = "0317598642709215486342068713591750983426612304597836742095815869720134894536201794386172052581436790"
	at := 0
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
		at = int(table[10*at+int(c-'0')] - '0')
	}
	return at == 0
}

// pureSystem is a pure system of ISO/IEC 7064: the value to a radix must leave
// 1 when divided by modulus. Letters count as in alphabet; without one, from
// A = 10, as two digits where the radix is ten.
func pureSystem(b []byte, modulus, radix int, alphabet string) bool {
	sum := 0
	for i, c := range b {
		v := digitValue(c)
		if alphabet != "" {
			v = strings.IndexByte(alphabet, c)
			if v < 0 || v == len(alphabet)-1 && i < len(b)-1 { // only the check character is an X
				return false
			}
		}
		if radix == 10 && v > 9 {
			sum = (100*sum + v) % modulus
		} else {
			sum = (sum*radix + v) % modulus
		}
	}
	return sum == 1
}

// hybridSystem is a hybrid system of ISO/IEC 7064 over an alphabet.
func hybridSystem(b []byte, alphabet string) bool {
	n := len(alphabet)
	p := n
	for i, c := range b {
		v := strings.IndexByte(alphabet, c)
		if v < 0 {
			return false
		}
		if i == len(b)-1 {
			return (p+v)%n == 1
		}
		s := (p + v) % n
		if s == 0 {
			s = n
		}
		p = 2 * s % (n + 1)
	}
	return false
}
