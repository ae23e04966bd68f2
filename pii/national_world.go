package pii

import "strings"

// The checks of the identifiers of the Americas, Asia, Africa and Australia.

func checkARCUIL(b []byte) bool {
	switch string(b[:2]) {
	case "20", "23", "24", "25", "26", "27", "30", "33", "34":
	default:
		return false
	}
	return (11-weigh(b, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11)%11 == int(b[10]-'0')
}

func checkARDNI(b []byte) bool { return b[0] != '0' }

func checkAUABN(b []byte) bool {
	return b[0] != '0' && (weigh(b, 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)-10)%89 == 0
}

func checkAUACN(b []byte) bool {
	return (10-weigh(b, 8, 7, 6, 5, 4, 3, 2, 1)%10)%10 == int(b[8]-'0') && number(b) > 0
}

func checkAUMedicare(b []byte) bool { // eight digits, check digit, issue, possibly the person's place on the card
	return b[0] >= '2' && b[0] <= '6' && weigh(b, 1, 3, 7, 9, 1, 3, 7, 9)%10 == int(b[8]-'0') && b[9] != '0'
}

func checkAUTFN(b []byte) bool {
	if len(b) == 8 {
		return weigh(b, 10, 7, 8, 4, 6, 3, 5, 1)%11 == 0
	}
	return weigh(b, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0
}

// elevenOK is the check digit of Brazil: weights from the right, 2 upwards,
// again from 2 behind most. Letters count as their place in ASCII, as the
// authority defines it from 2026 on.
func elevenOK(b []byte, most int) bool {
	sum, w := 0, 2
	for i := len(b) - 2; i >= 0; i-- {
		sum += int(b[i]-'0') * w
		if w++; w > most {
			w = 2
		}
	}
	return (11-sum%11)%11%10 == int(b[len(b)-1]-'0')
}

func checkBRCPF(b []byte) bool { return elevenOK(b[:10], 11) && elevenOK(b, 11) }

func checkBRCNPJ(b []byte) bool { return elevenOK(b[:13], 9) && elevenOK(b, 9) }

func checkCASIN(b []byte) bool { return b[0] != '8' && luhn(b) }

func checkCNID(b []byte) bool { // region, yyyymmdd, serial, ISO 7064 MOD 11-2
	const regions = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91"
	if !strings.Contains(regions, string(b[:2])) {
		return false
	}
	year := number(b[6:10])
	if year < 1850 || year > 2100 || !date(year, two(b[10:]), two(b[12:])) {
		return false
	}
	return "10X98765432"[weigh(b, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)%11] == b[17]
}

func checkINAadhaar(b []byte) bool { return b[0] >= '2' && verhoeffOK(b) }

// checkINPAN: the fourth letter says whose number it is.
func checkINPAN(b []byte) bool {
	return strings.IndexByte("ABCEFGHJKLPT", b[3]) >= 0 && number(b[5:9]) > 0
}

func checkINGSTIN(b []byte) bool { // state, PAN, how many of it, Z, check character
	state := two(b)
	if state == 0 || state > 38 && state != 97 && state != 99 || b[12] == '0' {
		return false
	}
	sum := 0
	for i, c := range b[:14] {
		p := digitValue(c) * (1 + i%2)
		sum += p/36 + p%36
	}
	return (36-sum%36)%36 == digitValue(b[14])
}

func checkINVoter(b []byte) bool { return number(b[3:]) > 0 }

func checkKRBRN(b []byte) bool {
	sum := weigh(b, 1, 3, 7, 1, 3, 7, 1, 3, 5) + int(b[8]-'0')*5/10
	return two(b[3:]) > 0 && number(b[:3]) > 100 && (10-sum%10)%10 == int(b[9]-'0')
}

// krResident checks yymmdd, then sex and century. The old check digit does not
// count: since October 2020 numbers are given out without one.
func krResident(b []byte, sexes string) bool {
	return dateYMD(b) && strings.IndexByte(sexes, b[6]) >= 0
}

func checkKRRRN(b []byte) bool { return krResident(b, "1234") }
func checkKRFRN(b []byte) bool { return krResident(b, "5678") }

func checkMXCURP(b []byte) bool { // name, yymmdd, sex, state, consonants, a sign for the century, check digit
	const alphabet = "0123456789ABCDEFGHIJKLMN_OPQRSTUVWXYZ" // Ñ has the place of the line
	const states = "AS BC BS CC CL CM CS CH DF DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS NE"
	if !dateYMD(b[4:]) || b[10] != 'H' && b[10] != 'M' && b[10] != 'X' || !strings.Contains(states, string(b[11:13])) {
		return false
	}
	sum := 0
	for i, c := range b[:17] {
		sum += strings.IndexByte(alphabet, c) * (18 - i)
	}
	return (10-sum%10)%10 == int(b[17]-'0')
}

// checkPEDNI takes eight digits, possibly with the check digit or letter.
func checkPEDNI(b []byte) bool {
	if len(b) == 8 {
		return true
	}
	k := (11 - weigh(b, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	return b[8] == "67890112345"[k%11] || b[8] == "KABCDEFGHIJ"[k%11]
}

func checkPHTIN(b []byte) bool { return number(b[:9]) > 0 }

func checkSGNRIC(b []byte) bool { return (b[0] == 'S' || b[0] == 'T') && sgCard(b) }
func checkSGFIN(b []byte) bool  { return (b[0] == 'F' || b[0] == 'G' || b[0] == 'M') && sgCard(b) }

// sgCard is the check letter of S, T, F, G and M numbers.
func sgCard(b []byte) bool {
	sum := weigh(b[1:], 2, 7, 6, 5, 4, 3, 2)
	letters := "JZIHGFEDCBA"
	switch b[0] {
	case 'T':
		sum += 4
	case 'F':
		letters = "XWUTRQPNMLK"
	case 'G':
		sum += 4
		letters = "XWUTRQPNMLK"
	case 'M':
		sum += 3
		letters = "XWUTRQPNJLK"
	}
	return letters[sum%11] == b[8]
}

func checkSGUEN(b []byte) bool {
	switch {
	case len(b) == 9: // businesses
		return "XMKECAWLJDB"[weigh(b, 10, 4, 9, 3, 8, 2, 7, 1)%11] == b[8]
	case isDigit(b[0]): // companies
		year := number(b[:4])
		return year >= 1800 && year <= 2100 && "ZKCMDNERGWH"[weigh(b, 10, 8, 6, 4, 9, 7, 5, 3, 1)%11] == b[9]
	case b[0] == 'F': // foreign companies; how the letter comes about is not published
		return string(b[1:4]) == "000" && digitsIn(b[4:9])
	}
	const kinds = "CC CD CH CL CM CP CS CX DP FB FC FM FN GA GB GS HS LL LP MB MC MD MH MM MQ NB NR PA PB PF RF RP SM SS TC TU VH XL"
	if b[0] < 'R' || b[0] > 'T' || !digitsIn(b[1:3]) || !strings.Contains(kinds, string(b[3:5])) {
		return false
	}
	const alphabet = "ABCDEFGHJKLMNPQRSTUVWX0123456789"
	sum := 0
	for i, w := range [...]int{4, 3, 5, 3, 10, 2, 2, 5, 7} {
		sum += strings.IndexByte(alphabet, b[i]) * w
	}
	return alphabet[(sum-5+11)%11] == b[9]
}

func checkTHTNIN(b []byte) bool { // kind of person, province and district, serial
	province := two(b[1:])
	switch {
	case b[0] == '0' || b[0] == '9':
		return false
	case province < 10 || province > 27 && province < 30 || province == 59 || province == 68 || province == 69,
		province == 78 || province == 79 || province > 86 && province < 90 || province > 96:
		return false
	}
	return (11-weigh(b, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11)%10 == int(b[12]-'0')
}

func checkUSDEA(b []byte) bool {
	if strings.IndexByte("ABCDEFGHJKLMNPRSTUX", b[0]) < 0 {
		return false
	}
	d := b[2:]
	return (weigh(d, 1, 0, 1, 0, 1)+weigh(d, 0, 2, 0, 2, 0, 2))%10 == int(d[6]-'0')
}

func checkUSITIN(b []byte) bool {
	g := two(b[3:])
	return b[0] == '9' && (g >= 50 && g <= 65 || g >= 70 && g <= 88 || g >= 90 && g <= 92 || g >= 94)
}

func checkUSMBI(b []byte) bool {
	const letters = "ACDEFGHJKMNPQRTUVWXY"
	alpha := func(i int) bool { return strings.IndexByte(letters, b[i]) >= 0 }
	mixed := func(i int) bool { return isDigit(b[i]) || alpha(i) }
	return b[0] != '0' && alpha(1) && mixed(2) && isDigit(b[3]) && alpha(4) && mixed(5) && isDigit(b[6]) &&
		alpha(7) && alpha(8) && isDigit(b[9]) && isDigit(b[10])
}

func checkUSNPI(b []byte) bool { // Luhn with 80840 in front
	var c [15]byte
	copy(c[:], "80840")
	copy(c[5:], b)
	return (b[0] == '1' || b[0] == '2') && luhn(c[:])
}

func checkUSSSN(b []byte) bool {
	area := number(b[:3])
	return area > 0 && area != 666 && area < 900 && two(b[3:]) > 0 && number(b[5:]) > 0 && number(b) != 78051120
}

func checkZAIDNumber(b []byte) bool { // yymmdd, serial, citizenship
	return dateYMD(b) && b[10] <= '2' && luhn(b)
}
