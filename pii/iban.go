package pii

// iban looks for an account number whose two check digits begin at i: ISO
// 13616, with the country's length, in groups or not, the letters all capital
// or all small.
func iban(text string, i int) (Span, bool) {
	start, ok := ibanStart(text, i)
	if !ok {
		return Span{}, false
	}
	var b ibanReader
	for at := start; ; {
		c, w := next(text, at)
		switch {
		case c == skip:
		case isDigit(c) || isAlpha(c):
			if !b.push(c) {
				return Span{}, false
			}
		case (c == ' ' || c == '-') && b.gap < 2 && b.n >= 2:
			b.gap++
		default:
			return Span{}, false
		}
		at += w
		if b.n == b.want {
			if a, _ := after(text, at); isWord(a) || !b.valid() {
				return Span{}, false
			}
			return Span{Start: start, End: at, Type: IBAN, Score: 1, Rule: "iban"}, true
		}
	}
}

// ibanStart returns where the country code in front of i begins. The word IBAN
// itself may be glued to it.
func ibanStart(text string, i int) (int, bool) {
	if d, _ := next(text, i+1); !isDigit(d) || !isDigit(text[i]) {
		return 0, false // a run of digits of other scripts begins no account number
	}
	b, at := before(text, i)
	if b == ' ' {
		b, at = before(text, at) // DE 89 3704
	}
	a, start := before(text, at)
	if !isAlpha(a) || !isAlpha(b) || ibanLength(a&^0x20, b&^0x20) == 0 {
		return 0, false
	}
	if p, _ := before(text, start); isWord(p) {
		if start < 4 || !equalFold(text[start-4:start], "IBAN") {
			return 0, false
		}
		if p, _ := before(text, start-4); isWord(p) {
			return 0, false
		}
	}
	return start, true
}

func equalFold(s, upper string) bool {
	for i := range len(upper) {
		if s[i]&^0x20 != upper[i] {
			return false
		}
	}
	return true
}

// maxIBAN is the greatest length that the standard allows.
const maxIBAN = 34

type ibanReader struct {
	c            [maxIBAN]byte
	n            int
	want         int // the length in the country
	gap          int // spaces and hyphens since the last one
	upper, lower bool
}

// push takes a letter or digit. It reports false where the number cannot be
// valid any more.
func (b *ibanReader) push(c byte) bool {
	b.gap = 0
	if isAlpha(c) {
		b.lower = b.lower || c >= 'a'
		b.upper = b.upper || c < 'a'
		c &^= 0x20
	}
	b.c[b.n] = c
	if b.n++; b.n == 2 {
		b.want = ibanLength(b.c[0], b.c[1])
	}
	if b.n == 3 || b.n == 4 {
		return isDigit(c)
	}
	return !b.lower || !b.upper
}

// valid is the check of ISO 7064 (MOD 97-10) over the number with its first
// four characters moved to the end, letters counting from A = 10.
func (b *ibanReader) valid() bool {
	rest := 0
	for i := range b.n {
		c := b.c[(i+4)%b.n]
		if isDigit(c) {
			rest = (10*rest + int(c-'0')) % 97
		} else {
			rest = (100*rest + int(c-'A') + 10) % 97
		}
	}
	return rest == 1
}

// ibanLengths are the lengths of the registry of the standard: country code,
// then the length as two digits.
const ibanLengths = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28" +
	"EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20" +
	"LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29" +
	"RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30" +
	// In use without being in the registry.
	"AO25BF28BJ28CF27CG27CI28CM27CV25DZ26GA27GQ27GW25IR26KM27MA28MG27ML28MZ25NE28SN28TD27TG28"

// ibanLength returns the length of a country's account numbers, 0 for none.
func ibanLength(a, b byte) int {
	for i := 0; i < len(ibanLengths); i += 4 {
		if ibanLengths[i] == a && ibanLengths[i+1] == b {
			return int(ibanLengths[i+2]-'0')*10 + int(ibanLengths[i+3]-'0')
		}
	}
	return 0
}
