package pii

import "strings"

// plate looks for the plate of a vehicle from the word i on. A word such as
// "plate" has to say so, or the Finder's regions, or the plate is the whole
// message.
func (b *reader) plate(i, k int, kind docKind) (docFound, bool) {
	short := b.first && b.ended && b.n < 8
	if kind == otherDoc || kind == passportDoc || kind == licenceDoc || kind == noDoc && len(b.regions) == 0 && !short {
		return docFound{}, false
	}
	// Letters in front of the digits, set apart by a space or hyphen, belong to
	// it: B-MW 1234.
	from := i
	for range 2 {
		w := b.at(from)
		p := b.at(from - 1)
		if from == 0 || p.digits || p.n > 3 || w.line || w.sep2 != 0 || w.sep != 0 && w.sep != '-' && w.sep != '·' || w.space && w.sep != 0 ||
			!p.caps && (kind != plateDoc || p.sense != 0 && p.sep != '-' && w.sep != '-') || p.end-p.start > 4 || kind == plateDoc && p.is(sBe|sNumber) && !p.caps {
			break
		}
		from--
	}
	for start := from; start <= i; start++ {
		if start > 0 && b.w[start].glued() {
			continue
		}
		if f, ok := b.plateFrom(start, i, k, kind); ok {
			return f, true
		}
	}
	return docFound{}, false
}

func (b *reader) plateFrom(from, i, k int, kind docKind) (docFound, bool) {
	f := docFound{from: from, kind: VehiclePlate}
	for gaps := 3; gaps >= 0; gaps-- {
		d := b.ident(from, gaps)
		if !d.exact || d.to < i || d.n < 4 || d.n > 10 || d.digits == 0 {
			continue
		}
		if announced := b.at(from-1).is(sNumber|sBe) || b.at(from).sep == ':'; d.letters == 0 && (kind != plateDoc || gaps > 0 || d.n > 8 || !announced) {
			continue
		}
		f.to = d.to
		form, country := b.plateForm(from, &d)
		switch {
		case kind == plateDoc && form:
			f.score, f.rule = 0.85, "plate/named"
		case kind == plateDoc && d.letters <= 6 && (gaps == 0 || d.gaps > 0 && d.caps) && d.digits >= 2 && d.n >= 4 && d.n <= 8 && !b.dateAhead(k):
			f.score, f.rule = 0.65, "plate/named"
		case form && kind == noDoc && d.caps && (b.region(country) || b.bareAnswer(from, d.to) && d.n >= 5):
			f.score, f.rule = 0.55, "plate/region"
		case form && kind == noDoc && country == "GB" && d.n == 7 && !d.caps && b.bareAnswer(from, d.to):
			f.score, f.rule = 0.5, "plate/alone"
		default:
			continue
		}
		return f, true
	}
	return f, false
}

// plateForm reports whether a number has the form of the plates of a country,
// and of which.
func (b *reader) plateForm(from int, d *ident) (ok bool, country string) {
	s := d.s()
	switch {
	case german(b, from, d):
		return true, "DE"
	case pattern(s, "AA99AAA") && (s[2] == '0' && s[3] >= '2' || s[2] == '1' || s[2] == '2' || s[2] >= '5' && s[2] <= '7') &&
		!strings.ContainsAny(string(s), "IQ") && !strings.ContainsAny(string(s[4:]), "I"):
		return true, "GB"
	case pattern(s, "AA999AA"): // and Italy
		return d.gaps != 1 && !strings.ContainsAny(string(s), "IOU"), "FR"
	case pattern(s, "9999AAA"):
		return !strings.ContainsAny(string(s[4:]), "AEIOU"), "ES"
	case turkish(s):
		return true, "TR"
	case pattern(s, "AA99AA9999"), pattern(s, "AA99A9999"):
		return b.inList(indianStates, b.at(from)), "IN"
	case pattern(s, "AAA999AA") && d.signs:
		return true, "NG"
	case pattern(s, "AAA9A99"), pattern(s, "AAA9999") && d.signs:
		return true, "BR"
	case pattern(s, "AA999A"), pattern(s, "99AAA9"), pattern(s, "9AAA99"), pattern(s, "99AA99"), pattern(s, "A999AA"), pattern(s, "AA99AA"):
		return d.gaps == 2 && d.signs, "NL"
	case pattern(s, "A999AAA"), pattern(s, "AAA999A"):
		return !strings.ContainsAny(string(s[:1]), "IQZ"), "GB"
	}
	return false, ""
}

const indianStates = " AN AP AR AS BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TN TR TS UA UK UP UT WB "

// turkish is a plate of one of the 81 provinces: 34 ABC 12, 06 A 1234.
func turkish(s []byte) bool {
	if len(s) < 5 || len(s) > 9 || !isDigit(s[0]) || !isDigit(s[1]) {
		return false
	}
	province := int(s[0]-'0')*10 + int(s[1]-'0')
	letters := 0
	for 2+letters < len(s) && isAlpha(s[2+letters]) {
		letters++
	}
	rest := s[2+letters:]
	if province < 1 || province > 81 || letters < 1 || letters > 3 || len(rest) < 2 || len(rest) > 4 {
		return false
	}
	for _, c := range rest {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// german reports whether an ident is a German plate: the district, one or two
// letters, up to four digits, and E or H for electric and old cars.
func german(b *reader, from int, d *ident) bool {
	w := b.at(from)
	if d.gaps < 1 || w.digits || w.n > 3 {
		return false
	}
	letters, n := b.at(from+1), b.at(from+2)
	if letters.digits || letters.n > 2 || letters.glued() || !n.digits || n.n > 4 || b.text[n.start] == '0' {
		return false
	}
	if end := b.at(d.to); d.to != from+2 && (d.to != from+3 || end.digits || end.n != 1 || !end.glued() || b.text[end.start]|0x20 != 'e' && b.text[end.start]|0x20 != 'h') {
		return false
	}
	return b.inList(germanDistricts, w)
}

// germanDistricts are the letters of districts on German plates.
const germanDistricts = " A AA AB ABG ABI AC AE AH AIB AIC AK ALF ALZ AM AN ANA ANG ANK AP APD AR ARN ART AS ASL ASZ AT AU AUR AW AZ AZE" +
	" B BA BAD BAR BB BBG BBL BC BCH BD BE BED BER BF BGL BH BI BID BIN BIR BIT BIW BK BKS BL BLB BLK BM BN BNA BO BOG BOH BOR BOT BP BRA BRB BRG BRI BRK BRL BRV BS BSB BSK BT BTF BUD BUL BURG BW BWL BYL BZ BZA" +
	" C CA CAS CB CE CHA CLP CLZ CO COC COE CR CUX CW D DA DAH DAN DAU DB DBR DD DE DEG DEL DGF DH DI DIL DIN DIZ DKB DL DLG DM DN DO DON DS DU DUD DW DZ" +
	" E EA EB EBE EBN EBS ECK ED EE EF EG EH EI EIC EIH EIL EIN EIS EL EM EMD EMS EN ER ERB ERH ERK ERZ ES ESB ESW EU EUT EW F FB FD FDB FDS FEU FF FFB FG FH FI FKB FL FLÖ FN FO FOR FR FRG FRI FRW FS FT FTL FW FZ" +
	" G GA GAN GAP GC GD GDB GE GEL GEM GEO GER GF GG GHA GHC GI GK GL GLA GM GMN GN GNT GOA GOH GP GR GRA GRH GRI GRM GRZ GS GT GTH GUB GUN GV GVM GW GZ" +
	" H HA HAB HAL HAM HAS HB HBN HBS HC HCH HD HDH HDL HE HEB HEF HEI HEL HER HET HF HG HGN HGW HH HHM HI HIG HIP HK HL HM HMÜ HN HO HOG HOH HOL HOM HOR HOT HP HR HRO HS HSK HST HU HV HVL HWI HX HY HZ" +
	" IGB IK IL ILL IN IZ J JB JE JEV JL K KA KB KC KE KEH KEL KEM KF KG KH KI KIB KK KL KLE KLZ KM KN KO KON KR KRU KS KT KU KUS KW KY KYF" +
	" L LA LAN LAU LB LBS LBZ LC LD LDK LDS LEO LER LEV LF LG LH LI LIB LIF LIN LIP LL LM LN LOS LP LR LRO LSZ LU LUP LWL" +
	" M MA MAB MAI MAK MAL MB MC MD ME MED MEG MEI MEK MEL MER MET MG MGH MGN MH MHL MI MIL MK MKK ML MM MN MO MOD MOL MON MOS MQ MR MS MSE MSH MSP MST MTK MTL MW MY MYK MZ MZG MÜ" +
	" N NAB NAI NAU NB ND NDH NE NEA NEB NEC NEN NES NEW NF NH NI NK NL NM NMB NMS NOH NOL NOM NOR NP NR NRW NT NU NVP NW NWM NY NZ" +
	" OA OAL OB OBB OBG OC OCH OD OE OF OG OH OHA OHV OHZ OK OL OP OPR OS OSL OVI OVL OVP OZ P PA PAF PAN PAR PB PCH PE PEG PF PI PIR PL PLÖ PM PN PR PRÜ PS PW PZ QFT QLB R RA RC RD RDG RE REG REH REI RG RH RI RID RIE RL RM RN RO ROD ROF ROK ROL ROS ROT ROW RP RPL RS RSL RT RU RV RW RY RZ RÜD RÜG" +
	" S SAB SAD SAL SAN SAW SB SBG SBK SC SCZ SDH SDL SDT SE SEB SEE SEF SEL SFB SFT SG SGH SH SHA SHG SHK SHL SI SIG SIM SK SL SLE SLF SLK SLN SLS SLZ SM SN SNH SO SOB SOG SOK SOL SON SP SPB SPN SR SRB SRO ST STA STB STD STE STH STL STO SU SUL SW SWA SY SZ SZB" +
	" TBB TDO TE TET TF TG TIR TO TP TR TS TT TUT TÖL TÜ UE UEM UER UFF UH UL UM UN USI V VAI VB VEC VER VG VIB VIE VIT VK VKL VOH VR VS W WA WAF WAK WAN WAR WAT WB WBS WDA WE WEB WEL WEN WER WES WF WG WHV WI WIL WIS WIT WIZ WK WL WLG WM WMS WN WND WO WOB WOH WOL WOR WOS WR WRN WS WSF WSM WST WSW WT WTM WUG WUN WUR WW WZ WZL WÜ X Y Z ZE ZEL ZI ZIG ZP ZR ZS ZW ZZ "
