package pii

// creditCard looks for a payment card number at the beginning of the chain:
// 12 to 19 digits of a known issuer that pass the Luhn check (ISO/IEC 7812-1),
// in one piece or in groups with a space, hyphen or dot between them.
func creditCard(text string, c *chain) (Span, bool) {
	start := c.chunks[0].start
	if p, at := before(text, start); isWord(p) || p == '+' || p == '/' && waMe(text[:at]) {
		return Span{}, false // a plus sign makes it a telephone number
	}
	for k := c.n - 1; k >= 0; k-- {
		n := c.chunks[k].to
		if n < 12 || n > 19 || !cardGroups(c, k) || !issuer(c.digits[:n]) || !luhn(c.digits[:n]) {
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

// issuer reports whether the number begins with the range of a card network
// that issues numbers of this length. Ranges are public facts of the networks.
func issuer(digits []byte) bool {
	p := 0 // the first six digits
	for _, d := range digits[:6] {
		p = 10*p + int(d-'0')
	}
	for _, r := range issuers {
		if p >= r.from && p <= r.to && len(digits) >= r.min && len(digits) <= r.max {
			return true
		}
	}
	return false
}

// issuers are the ranges of the first six digits and the lengths in use.
var issuers = [...]struct{ from, to, min, max int }{ //nolint:gochecknoglobals // a constant table
	{400000, 499999, 13, 13}, // Visa, old
	{400000, 499999, 16, 16}, // Visa
	{400000, 499999, 19, 19}, // Visa
	{510000, 559999, 16, 16}, // Mastercard
	{222100, 272099, 16, 16}, // Mastercard
	{340000, 349999, 15, 15}, // American Express
	{370000, 379999, 15, 15}, // American Express
	{300000, 305999, 14, 19}, // Diners Club
	{309500, 309599, 14, 19}, // Diners Club
	{360000, 369999, 14, 19}, // Diners Club
	{380000, 399999, 14, 19}, // Diners Club
	{350000, 359999, 16, 16}, // JCB, and the made-up ones around it
	{352800, 358999, 17, 19}, // JCB
	{601100, 601199, 16, 19}, // Discover
	{622126, 622925, 16, 19}, // Discover, UnionPay
	{644000, 659999, 16, 19}, // Discover, RuPay, Verve
	{620000, 629999, 16, 19}, // UnionPay
	{810000, 829999, 16, 19}, // UnionPay, RuPay
	{500000, 509999, 12, 19}, // Maestro, Elo, RuPay, Verve, Dankort
	{560000, 589999, 12, 19}, // Maestro
	{600000, 609999, 16, 19}, // RuPay, Hipercard
	{637000, 639999, 16, 19}, // InstaPayment, Elo, Maestro
	{630400, 630499, 12, 19}, // Maestro
	{633000, 633999, 16, 19}, // Solo, Switch
	{670000, 679999, 12, 19}, // Maestro
	{220000, 220499, 16, 19}, // Mir
	{979200, 979299, 16, 16}, // Troy
	{135400, 135499, 15, 15}, // UATP
	{131500, 131599, 15, 15}, // UATP
	{180000, 180099, 15, 15}, // JCB, old
	{213100, 213199, 15, 15}, // JCB, old
	{353000, 356999, 15, 15}, // JCB, old
}
