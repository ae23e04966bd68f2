package pii

// creditCard looks for a payment card number at the beginning of the chain:
// 12 to 19 digits of a known issuer that pass the Luhn check (ISO/IEC 7812-1),
// in one piece or in groups with a space, hyphen or dot between them.
func (s *scan) creditCard() (Span, bool) {
	text, c := s.text, &s.chain
	if c.total < 12 {
		return Span{}, false
	}
	start := c.chunks[0].start
	if p, at := before(text, start); isWord(p) || p == '+' || p == '/' && waMe(text[:at]) {
		return Span{}, false // a plus sign makes it a telephone number
	}
	for k := c.n - 1; k >= 0; k-- {
		n := c.chunks[k].to
		if n < 12 || n > 19 || !cardGroups(c, k) {
			continue
		}
		kind := issuer(c.digits[:n])
		if kind == noCard || !luhn(c.digits[:n]) || kind == rareCard && !s.saysCard(start, k) {
			continue
		}
		end := c.chunks[k].end
		if a, _ := after(text, end); isWord(a) || a == '@' {
			continue
		}
		return Span{Start: start, End: end, Type: CreditCard, Score: 0.98, Rule: "card"}, true
	}
	return Span{}, false
}

// saysCard reports whether a number of an unusual length is one of a card: a
// word says so, or it is in groups as on a card and no word says otherwise.
func (s *scan) saysCard(start, last int) bool {
	c := &s.chain
	parcel := s.told(cueParcel, start, 40)
	if s.told(cueCard, start, 40) {
		return !parcel || s.cues[cueCard] > s.cues[cueParcel]
	}
	if parcel || last == 0 && gtin(c.digits[:c.chunks[0].to]) {
		return false
	}
	return last > 0 && c.len(0) == 4 || last == 0 && c.total <= 14
}

// gtin reports whether digits are a number of an article: 12 to 14 digits with
// the check digit of GS1. Those of Germany look like cards of Visa.
func gtin(digits []byte) bool {
	sum := 0
	for i, d := range digits {
		w := 1
		if (len(digits)-i)%2 == 0 {
			w = 3
		}
		sum += w * int(d-'0')
	}
	return len(digits) <= 14 && sum%10 == 0
}

// cardGroups reports whether chunks 0 to last are grouped as on a card: at
// least three digits in each group but the last.
func cardGroups(c *chain, last int) bool {
	for k := range last + 1 {
		if k < last && c.len(k) < 3 {
			return false
		}
		if sep := c.chunks[k].sep; sep&(slash|opened|closed) != 0 || sep == space|dot {
			return false
		}
	}
	return true
}

// luhn is the check of ISO/IEC 7812-1 annex B.
func luhn(digits []byte) bool {
	sum := 0
	for i, d := range digits {
		v := int(d - '0')
		if (len(digits)-i)%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

// cardKind says how usual a card of some length is.
type cardKind uint8

const (
	noCard   cardKind = iota
	rareCard          // the digits prove too little
	usualCard
)

// issuer looks up the range of a card network that issues numbers of this
// length. Ranges are public facts of the networks.
func issuer(digits []byte) cardKind {
	p := 0 // the first six digits
	for _, d := range digits[:6] {
		p = 10*p + int(d-'0')
	}
	kind := noCard
	for _, r := range issuers {
		if p >= r.from && p <= r.to && len(digits) >= r.min && len(digits) <= r.max {
			kind = max(kind, r.kind)
		}
	}
	return kind
}

// issuers are the ranges of the first six digits and the lengths in use.
var issuers = [...]struct { //nolint:gochecknoglobals // a constant table
	from, to, min, max int
	kind               cardKind
}{
	{400000, 499999, 16, 16, usualCard}, // Visa
	{400000, 499999, 13, 13, rareCard},  // Visa, old
	{400000, 499999, 19, 19, rareCard},  // Visa
	{510000, 559999, 16, 16, usualCard}, // Mastercard
	{222100, 272099, 16, 16, usualCard}, // Mastercard
	{340000, 349999, 15, 15, usualCard}, // American Express
	{370000, 379999, 15, 15, usualCard}, // American Express
	{300000, 305999, 14, 14, rareCard},  // Diners Club
	{309500, 309599, 14, 14, rareCard},  // Diners Club
	{360000, 369999, 14, 14, rareCard},  // Diners Club
	{380000, 399999, 14, 14, rareCard},  // Diners Club
	{300000, 305999, 16, 19, rareCard},  // Diners Club
	{360000, 369999, 16, 19, rareCard},  // Diners Club
	{380000, 399999, 16, 19, rareCard},  // Diners Club
	{350000, 359999, 16, 16, usualCard}, // JCB, and the made-up ones around it
	{352800, 358999, 17, 19, rareCard},  // JCB
	{601100, 601199, 16, 16, usualCard}, // Discover
	{601100, 601199, 17, 19, rareCard},  // Discover
	{622126, 622925, 16, 19, usualCard}, // Discover, UnionPay
	{644000, 659999, 16, 16, usualCard}, // Discover, RuPay, Verve, Elo
	{644000, 659999, 17, 19, rareCard},  // Discover, RuPay, Verve
	{620000, 629999, 16, 19, usualCard}, // UnionPay
	{810000, 829999, 16, 19, usualCard}, // UnionPay, RuPay
	{500000, 509999, 16, 16, usualCard}, // Maestro, Elo, RuPay, Verve, Dankort
	{500000, 509999, 12, 19, rareCard},  // Maestro, Elo, RuPay, Verve
	{560000, 589999, 16, 16, usualCard}, // Maestro, BC Card
	{560000, 589999, 12, 19, rareCard},  // Maestro
	{600000, 609999, 16, 16, usualCard}, // RuPay, Hipercard, GPN
	{600000, 609999, 17, 19, rareCard},  // Hipercard
	{630400, 630499, 12, 19, rareCard},  // Maestro
	{633000, 633999, 16, 19, usualCard}, // Solo, Switch
	{637000, 639999, 16, 16, usualCard}, // InstaPayment, Elo, Maestro
	{637000, 639999, 12, 19, rareCard},  // Maestro
	{670000, 679999, 16, 16, usualCard}, // Maestro, Laser
	{670000, 679999, 12, 19, rareCard},  // Maestro, Laser
	{676700, 676799, 16, 19, usualCard}, // Solo
	{220000, 220499, 16, 19, usualCard}, // Mir
	{979200, 979299, 16, 16, usualCard}, // Troy
	{860000, 860099, 16, 16, usualCard}, // Uzcard
	{986000, 986099, 16, 16, usualCard}, // Humo
	{910000, 919999, 16, 16, rareCard},  // Pakistan, Indonesia
	{135400, 135499, 15, 15, rareCard},  // UATP
	{131500, 131599, 15, 15, rareCard},  // UATP
	{180000, 180099, 15, 15, usualCard}, // JCB, old
	{213100, 213199, 15, 15, usualCard}, // JCB, old
	{353000, 356999, 15, 15, rareCard},  // JCB, old; the numbers of telephones as well
}
