package pii

import "strings"

// The checks of the European identifiers. Each takes a code that has one of the
// forms in the table of rules; what they check is public knowledge of the
// authorities that issue them.

func checkATSVNR(b []byte) bool { // serial, check digit, day of birth; months 13 to 15 where it is not known
	sum := weigh(b, 3, 7, 9, 0, 5, 8, 4, 2, 1, 6) % 11
	month := two(b[6:])
	if month > 12 && month <= 15 {
		month = 12
	}
	return b[0] != '0' && sum == int(b[3]-'0') && date(two(b[8:]), month, two(b[4:]))
}

func checkBENRN(b []byte) bool { // yymmdd, serial, 97 less the rest; born since 2000: with a 2 in front
	n, check := number(b[:9]), two(b[9:])
	if 97-n%97 != check && 97-(n+2_000_000_000)%97 != check {
		return false
	}
	month, day := two(b[2:])%20, two(b[4:]) // bis numbers: 20 or 40 more
	return two(b[2:]) <= 52 && month <= 12 && (month == 0 || day == 0 || date(two(b), month, day))
}

func checkBGEGN(b []byte) bool { // yymmdd with 20 or 40 added to the month for another century
	month := two(b[2:])
	for month > 20 && month <= 52 {
		month -= 20
	}
	return date(two(b), month, two(b[4:])) && weigh(b, 2, 4, 8, 5, 10, 9, 7, 3, 6)%11%10 == int(b[9]-'0')
}

func checkCZRC(b []byte) bool { // yymmdd, women 50 more, 20 more where a day ran out of serials
	month := two(b[2:]) % 50
	if month > 20 {
		month -= 20
	}
	if !date(two(b), month, two(b[4:])) {
		return false
	}
	if len(b) == 9 {
		return two(b) < 54 && number(b[6:]) != 0 // until 1953, without a check digit
	}
	rest := number(b[:9]) % 11
	return rest%10 == int(b[9]-'0')
}

func checkDEHealthInsurance(b []byte) bool { // a letter as two digits, eight digits
	n := int(b[0]-'A') + 1
	c := [11]byte{byte('0' + n/10), byte('0' + n%10)} //nolint:gosec // digits
	copy(c[2:], b[1:])
	return weighAcross(c[:], 1, 2, 1, 2, 1, 2, 1, 2, 1, 2)%10 == int(b[9]-'0')
}

// deCard are the characters of German identity documents: no vowels, and
// nothing that looks like a digit.
const deCard = "CFGHJKLMNPRTVWXYZ0123456789"

// checkDEIDCard takes the serial number, alone or with its check digit, and
// possibly the D behind it. Of the serial alone only the characters are known.
func checkDEIDCard(b []byte) bool {
	if len(b) == 11 {
		b = b[:10]
	}
	digits := 0
	for _, c := range b[:9] {
		if strings.IndexByte(deCard, c) < 0 {
			return false
		}
		if isDigit(c) {
			digits++
		}
	}
	if isDigit(b[0]) && len(b) == 9 || digits < 3 {
		return false
	}
	return len(b) == 9 || weigh(b, 7, 3, 1, 7, 3, 1, 7, 3, 1)%10 == int(b[9]-'0')
}

func checkDESocialSecurity(b []byte) bool { // area, ddmmyy, letter of the name, serial
	n := int(b[8]-'A') + 1
	var c [13]byte
	copy(c[:], b[:8])
	c[8], c[9] = byte('0'+n/10), byte('0'+n%10) //nolint:gosec // digits
	copy(c[10:], b[9:])
	day := two(b[2:]) // 50 more and the like where a day ran out of serials
	return two(b) > 1 && day > 0 && two(b[4:]) >= 1 && two(b[4:]) <= 12 && (day > 31 || dateDMY(b[2:])) &&
		weighAcross(c[:], 2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)%10 == int(b[11]-'0')
}

// checkDETaxID: of the first ten digits at most one digit may stand there three
// times, and most others once; that is only seen to as far as it tells made-up
// numbers of equal digits apart.
func checkDETaxID(b []byte) bool {
	var count [10]int
	most := 0
	for _, c := range b[:10] {
		count[c-'0']++
		most = max(most, count[c-'0'])
	}
	return b[0] != '0' && most <= 3 && iso7064Mod11x10OK(b)
}

func checkDEVATID(b []byte) bool {
	if len(b) == 11 { // DE in front
		b = b[2:]
	}
	return b[0] != '0' && iso7064Mod11x10OK(b)
}

// balticOK is the check of Estonia and Lithuania: two rows of weights.
func balticOK(b []byte) bool {
	sum := weigh(b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1) % 11
	if sum == 10 {
		sum = weigh(b, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 11 % 10
	}
	return sum == int(b[10]-'0')
}

func checkEEIK(b []byte) bool { return b[0] >= '1' && b[0] <= '8' && dateYMD(b[1:]) && balticOK(b) }

func checkLTAK(b []byte) bool {
	return (b[0] >= '1' && b[0] <= '6' && dateYMD(b[1:]) || b[0] == '9') && balticOK(b)
}

func checkLVPK(b []byte) bool { // ddmmyy and the century; since 2017 beginning with 32, without a date and a check digit
	if b[0] == '3' && b[1] == '2' {
		return true
	}
	return dateDMY(b) && b[6] <= '2' && (1+weigh(b, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9))%11%10 == int(b[10]-'0')
}

const esLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

func checkESNIE(b []byte) bool {
	return b[0] >= 'X' && (number(b[1:8])+int(b[0]-'X')*10_000_000)%23 == strings.IndexByte(esLetters, b[8])
}

// checkESNIF takes the numbers of citizens, those that begin with K, L or M, and
// those of companies, whose last place is a digit or a letter.
func checkESNIF(b []byte) bool {
	if len(b) == 11 { // ES in front
		b = b[2:]
	}
	last := b[len(b)-1]
	if isDigit(b[0]) {
		return number(b[:len(b)-1])%23 == strings.IndexByte(esLetters, last)
	}
	if b[0] >= 'K' && b[0] <= 'M' {
		return number(b[1:8])%23 == strings.IndexByte(esLetters, last)
	}
	check := (10 - weighAcross(b[1:], 2, 1, 2, 1, 2, 1, 2)%10) % 10
	switch {
	case strings.IndexByte("ABCDEFGHJNPQRSUVW", b[0]) < 0:
		return false
	case isDigit(last):
		return int(last-'0') == check && strings.IndexByte("NPQRSW", b[0]) < 0
	}
	return last == "JABCDEFGHI"[check] && strings.IndexByte("ABEH", b[0]) < 0
}

func checkESNUSS(b []byte) bool { // province, number, two check digits
	province, n := two(b), number(b[2:10])
	if n < 10_000_000 {
		n += province * 10_000_000
	} else {
		n += province * 100_000_000
	}
	return province > 0 && n%97 == two(b[10:])
}

func checkFIHETU(b []byte) bool { // ddmmyy, a sign for the century (for + and - none is kept), serial, check character
	if len(b) == 11 && strings.IndexByte("ABCDEFUVWXY", b[6]) < 0 {
		return false
	}
	serial := number(b[len(b)-4 : len(b)-1])
	n := number(b[:6])*1000 + serial
	return dateDMY(b) && serial >= 2 && "0123456789ABCDEFHJKLMNPRSTUVWXY"[n%31] == b[len(b)-1]
}

func checkFRNIF(b []byte) bool { return number(b[:10])%511 == number(b[10:]) && number(b[:10]) > 0 }

func checkFRNIR(b []byte) bool { // sex, yymm, department, commune, serial, two check digits
	month := two(b[3:])
	if strings.IndexByte("123478", b[0]) < 0 || month == 0 || month > 12 && month < 20 || month > 42 && month < 50 {
		return false
	}
	var c [13]byte
	copy(c[:], b)
	switch c[6] { // Corsica
	case 'A':
		c[5], c[6] = '1', '9'
	case 'B':
		c[5], c[6] = '1', '8'
	}
	if !digitsIn(c[:]) || c[6] != b[6] && b[5] != '2' || two(c[5:]) == 0 {
		return false
	}
	return 97-number(c[:])%97 == two(b[13:])
}

func checkIEPPS(b []byte) bool {
	if b[0] == 'I' {
		b = b[2:] // IE in front
	}
	sum := weigh(b, 8, 7, 6, 5, 4, 3, 2)
	if len(b) == 9 && b[8] != 'W' { // W was for wives, and counts nothing
		if b[8] > 'I' {
			return false
		}
		sum += 9 * int(b[8]-'A'+1)
	}
	return "WABCDEFGHIJKLMNOPQRSTUV"[sum%23] == b[7]
}

// checkITFiscalCode: digits may be written as letters where two people would
// have the same code.
func checkITFiscalCode(b []byte) bool {
	const omocodia = "LMNPQRSTUV"
	var d [16]byte
	sum := 0
	for i, c := range b[:15] {
		d[i] = c
		if strings.IndexByte("\x06\x07\x09\x0a\x0c\x0d\x0e", byte(i)) >= 0 && !isDigit(c) {
			k := strings.IndexByte(omocodia, c)
			if k < 0 {
				return false
			}
			d[i] = byte('0' + k) //nolint:gosec // a digit
		}
		switch v := digitValue(c); {
		case i%2 == 0:
			sum += int(oddValues[v])
		case v >= 10:
			sum += v - 10
		default:
			sum += v
		}
	}
	day := two(d[9:])
	return strings.IndexByte("ABCDEHLMPRST", b[8]) >= 0 && (day <= 31 || day > 40 && day <= 71) &&
		byte('A'+sum%26) == b[15]
}

// oddValues are what 0 to 9 and A to Z count at odd places of an Italian code.
var oddValues = [36]uint8{ //nolint:gochecknoglobals // a constant table
	1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
	1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
}

func checkITVATCode(b []byte) bool { // serial, office, check digit
	if len(b) == 13 {
		b = b[2:]
	}
	office := number(b[7:10])
	return number(b[:7]) > 0 && (office >= 1 && office <= 100 || office == 120 || office == 121 || office == 888 || office == 999) && luhn(b)
}

func checkNLBSN(b []byte) bool {
	var c [9]byte
	c[0] = '0' // of old ones the nought in front is left out
	copy(c[9-len(b):], b)
	return weigh(c[:], 9, 8, 7, 6, 5, 4, 3, 2, 10)%11 == 0 && number(b) > 0
}

func checkPLIDCard(b []byte) bool { return weigh(b, 7, 3, 1, 9, 7, 3, 1, 7, 3)%10 == 0 }

func checkPLPESEL(b []byte) bool { // yymmdd with 20, 40, 60 or 80 added to the month for another century
	return date(two(b), two(b[2:])%20, two(b[4:])) && weigh(b, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)%10 == 0
}

func checkPTCC(b []byte) bool {
	sum := 0
	for i := range b {
		v := digitValue(b[i])
		if i%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

func checkPTNIF(b []byte) bool {
	if len(b) == 11 { // PT in front
		b = b[2:]
	}
	check := 11 - weigh(b, 9, 8, 7, 6, 5, 4, 3, 2)%11
	if check > 9 {
		check = 0
	}
	return b[0] != '0' && (b[0] != '4' || b[1] == '5') && check == int(b[8]-'0')
}

func checkROCNP(b []byte) bool { // sex and century, yymmdd, county, serial
	county := two(b[7:])
	check := weigh(b, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11
	if check == 10 {
		check = 1
	}
	return b[0] != '0' && dateYMD(b[1:]) && (county >= 1 && county <= 52 || county == 70 || county >= 80 && county <= 83 || county >= 90) &&
		check == int(b[12]-'0')
}

func checkSEOrganisationsnummer(b []byte) bool {
	if b[0] == 'S' {
		b = b[2:12] // SE in front and 01 behind: for VAT
	}
	if len(b) == 12 {
		b = b[2:] // 16 in front, in registers
	}
	return b[2] >= '2' && strings.IndexByte("1235678", b[0]) >= 0 && luhn(b)
}

func checkSEPersonnummer(b []byte) bool { // yymmdd or yyyymmdd, 60 added to the day for people who are not registered
	if len(b) == 12 {
		b = b[2:]
	}
	day := two(b[4:])
	if day >= 60 { // of those, month and day may be unknown
		day = max(day-60, 1)
		return date(two(b), max(two(b[2:]), 1), day) && luhn(b)
	}
	return date(two(b), two(b[2:]), day) && luhn(b)
}

func checkSIEMSO(b []byte) bool { // ddmmyyy, region, serial
	check := (11 - weigh(b, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	return dateDMY3(b) && (b[4] == '9' || b[4] == '0') && check == int(b[12]-'0')
}

// dateDMY3 is a date whose year has three digits.
func dateDMY3(b []byte) bool { return date(two(b[5:]), two(b[2:]), two(b)) }

func checkTRNationalID(b []byte) bool {
	odd, even := 0, 0
	for i, c := range b[:9] {
		if i%2 == 0 {
			odd += int(c - '0')
		} else {
			even += int(c - '0')
		}
	}
	ten := ((7*odd-even)%10 + 10) % 10
	return b[0] != '0' && ten == int(b[9]-'0') && (odd+even+ten)%10 == int(b[10]-'0')
}

func checkUKNHS(b []byte) bool {
	check := 11 - weigh(b, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11
	return check%11 == int(b[9]-'0') && check != 10
}

// checkUKNINO: no check digit, but letters that are not used.
func checkUKNINO(b []byte) bool {
	if strings.IndexByte("DFIQUV", b[0]) >= 0 || strings.IndexByte("DFIOQUV", b[1]) >= 0 || b[8] > 'D' {
		return false
	}
	switch string(b[:2]) {
	case "BG", "GB", "KN", "NK", "NT", "TN", "ZZ":
		return false
	}
	return true
}

func checkUKTRN(b []byte) bool { // the first digit checks the others
	return "21987654321"[weigh(b[1:], 6, 7, 8, 9, 10, 5, 4, 3, 2)%11] == b[0]
}

// checkITIdentityCard: the cards have no check digit.
func checkITIdentityCard([]byte) bool { return true }
