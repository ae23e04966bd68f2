package pii

import "strings"

// bank looks for the number of a bank or of an account at the beginning of the
// chain. Such numbers prove little, so a word has to announce them.
func (s *scan) bank() (Span, bool) {
	c := &s.chain
	start := c.chunks[0].start
	if p, _ := before(s.text, start); isWord(p) || p == '+' || p == '$' {
		return Span{}, false
	}
	if sp, ok := s.routing(start); ok {
		return sp, true
	}
	if sp, ok := s.sortCode(start); ok {
		return sp, true
	}
	return s.account(start)
}

const bankReach = 32 // bytes between a word and a number

// ends reports whether a number can end at i.
func (s *scan) ends(i int) bool {
	c, at := after(s.text, i)
	switch c {
	case '.', ',', ':':
		d, _ := next(s.text, at+1)
		return !isDigit(d)
	case '%', '@':
		return false
	}
	return !isWord(c) && !currency(s.text, at)
}

// routing looks for an American routing number: nine digits of a district of
// the Federal Reserve with a check digit.
func (s *scan) routing(start int) (Span, bool) {
	c := &s.chain
	k := -1
	for n := range c.n {
		if c.chunks[n].to == 9 && (n == 0 || n == 2 && c.len(0) == 4 && c.len(1) == 4) {
			k = n
		}
	}
	if k < 0 || !s.ends(c.chunks[k].end) || !aba(c.digits[:9]) {
		return Span{}, false
	}
	sp := Span{Start: start, End: c.chunks[k].end, Type: BankRouting, Score: 0.4, Rule: "bank/routing"}
	switch {
	case s.told(cueRouting, start, bankReach), s.follows(cueRouting, sp.End):
		sp.Score, sp.Context = 1, "routing"
	case k == 2 && c.chunks[1].sep == dash: // as on a cheque
		sp.Score = 0.6
	case s.finder.region("US") && k == 0 && c.n == 1:
		sp.Score = 0.55
	}
	return sp, sp.Score >= s.finder.threshold()
}

// saysCode reports whether the last "sort" is that of "sort code".
func (s *scan) saysCode() bool {
	end := s.cues[cueSort]
	return strings.EqualFold(s.text[max(0, end-4):end], "code") || lookAt(s.text, pieceAt(s.text, end, 1)).is(cueCode)
}

func aba(d []byte) bool {
	sum := 0
	for i, w := range [...]int{3, 7, 1, 3, 7, 1, 3, 7, 1} {
		sum += w * int(d[i]-'0')
	}
	district := 10*int(d[0]-'0') + int(d[1]-'0')
	return sum%10 == 0 && sum > 0 &&
		(district <= 12 || district >= 21 && district <= 32 || district >= 61 && district <= 72 || district == 80)
}

// sortCode looks for bank codes without a check digit: British sort codes
// (12-34-56), German Bankleitzahlen (100 200 30), Australian BSB (123-456).
func (s *scan) sortCode(start int) (Span, bool) {
	c := &s.chain
	british, german := s.told(cueSort, start, bankReach) && s.saysCode(), s.told(cueBLZ, start, bankReach)
	if s.told(cueAccount, start, start-max(s.cues[cueSort], s.cues[cueBLZ])) {
		return Span{}, false // the code was before
	}
	if !british && !german {
		return Span{}, false
	}
	for k := min(c.n, 3) - 1; k >= 0; k-- {
		n := c.chunks[k].to
		ok := british && n == 6 && (k == 0 || k == 2 && c.len(0) == 2 && c.len(1) == 2) ||
			german && (n == 8 && (k == 0 || k == 2 && c.len(0) == 3 && c.len(1) == 3) ||
				n == 6 && k < 2)
		if !ok || !s.ends(c.chunks[k].end) {
			continue
		}
		if german && n == 8 && (c.digits[0] == '0' || c.digits[0] == '9') {
			return Span{}, false // there are no such districts
		}
		word := "sort code"
		if german {
			word = "blz"
		}
		return Span{
			Start: start, End: c.chunks[k].end, Type: BankRouting, Score: 0.85, Rule: "bank/code", Context: word,
		}, true
	}
	return Span{}, false
}

// account looks for the number of an account: 6 to 28 digits behind the word.
// A bank has to be near as well, or the word "number".
func (s *scan) account(start int) (Span, bool) {
	c := &s.chain
	if !s.told(cueAccount, start, bankReach) {
		return Span{}, false
	}
	if s.told(cueParcel, start, start-s.cues[cueAccount]) || s.told(cueHandle, start, start-s.cues[cueAccount]) {
		return Span{}, false // a nearer word says that it is something else
	}
	var score float64
	switch {
	case s.told(cueBank, start, 96), s.cues[cueAccountNumber] == s.cues[cueAccount], s.follows(cueSort, c.chunks[0].end):
		score = 0.85
	case s.follows(cueBank, c.chunks[0].end):
		score = 0.7
	case s.told(cueNumber, start, start-s.cues[cueAccount]), s.told(cueNumber, s.cues[cueAccount], 16),
		strings.IndexByte(s.text[s.cues[cueAccount]:start], '#') >= 0:
		score = 0.65
	default:
		return Span{}, false
	}
	for k := c.n - 1; k >= 0; k-- {
		n := c.chunks[k].to
		if n < 6 || n > maxDigits || c.more && k == c.n-1 || !s.ends(c.chunks[k].end) || !plainGroups(c, k) {
			continue
		}
		return Span{
			Start: start, End: c.chunks[k].end, Type: BankAccount, Score: score, Rule: "bank/account", Context: "account",
		}, true
	}
	return Span{}, false
}

// plainGroups reports whether only spaces and hyphens stand between the groups
// up to k.
func plainGroups(c *chain, k int) bool {
	for n := 1; n <= k; n++ {
		if c.chunks[n].sep&(slash|opened|closed|dot) != 0 {
			return false
		}
	}
	return true
}

// announcedBIC looks for a business identifier code (ISO 9362) behind the word
// at p: four letters of the bank, two of the country, two of the place and
// three of the branch.
func (s *scan) announcedBIC(p piece) (Span, bool) {
	v, ok := s.announced(p, 2)
	if !ok {
		return Span{}, false
	}
	end := tokenEnd(s.text, v.start)
	w := s.text[v.start:end]
	if !isBIC(w) {
		return Span{}, false
	}
	if c, _ := after(s.text, end); isWord(c) || c == '@' {
		return Span{}, false
	}
	sp := Span{Start: v.start, End: end, Type: BankRouting, Score: 0.9, Rule: "bank/bic", Context: "bic"}
	if !upperAndDigits(w) {
		sp.Score = 0.6
	}
	return sp, upperAndDigits(w) || v.sign || len(w) == 11 && strings.EqualFold(w[8:], "xxx")
}

func isBIC(w string) bool {
	if len(w) != 8 && len(w) != 11 {
		return false
	}
	for i := range len(w) {
		if c := w[i]; !isAlpha(c) && (i < 6 || !isDigit(c)) {
			return false
		}
	}
	return isCountry(w[4]&^0x20, w[5]&^0x20)
}

// countries are the codes of ISO 3166-1, and XK.
const countries = "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCU" +
	"CVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISIT" +
	"JEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZ" +
	"OMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUG" +
	"UMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW"

func isCountry(a, b byte) bool {
	for i := 0; i < len(countries); i += 2 {
		if countries[i] == a && countries[i+1] == b {
			return true
		}
	}
	return false
}
