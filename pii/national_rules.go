package pii

// nationalRow describes one type.
type nationalRow struct {
	of     Type
	region string // ISO 3166 code of the country
	forms  string // how its code can look: 9 digit, a letter, x either, capitals as they are; ";" between
	odds   int    // of so many codes of the form about one passes the check; 1 where there is nothing to check

	// How sure it is without a word nearby: in one piece, and in groups that
	// hardly anything else has; 0 where it does not count.
	bare, shaped float64
	strict       bool   // in other groups, it counts with a word only
	shapes       string // the groups: "3-2-4"; "," between

	// make describes numbers of which some are valid, for making one up: as in
	// forms, and yy mm dd for a date, [..] for one of some characters, {..} for
	// one of some words.
	make string
}

// nationalRule is a row as it is used.
type nationalRule struct {
	nationalRow
	name  string
	group group // of its words
}

// nationalRows are the rules for all national identifiers. The groups, and what
// stands between them, are what people and authorities write.
func nationalRows() []nationalRow {
	return []nationalRow{
		{ARCUIL, "AR", "99999999999", 200, 0, 0.8, false, "2-8-1,2 8 1,2/8/1", "{20,23,24,27,30,33}999999999"},
		{ARDNI, "AR", "9999999;99999999", 1, 0, 0, false, "2.3.3,1.3.3", "[1-9]9999999"},
		{ATSVNR, "AT", "9999999999", 300, 0, 0.7, false, "4 6,4-6,4/6", "[1-9]999ddmmyy"},
		{AUABN, "AU", "99999999999", 89, 0, 0, false, "2 3 3 3,2-3-3-3", "[1-9]9999999999"},
		{AUACN, "AU", "999999999", 10, 0, 0, false, "3 3 3,3-3-3", "999999999"},
		{AUMedicare, "AU", "9999999999;99999999999", 20, 0, 0.6, false, "4 5 1,4-5-1,4 5 1 1,4 5 1/1,4-5-1-1,4 5 1-1", "[2-6]99999999[1-9]"},
		{AUTFN, "AU", "99999999;999999999", 11, 0, 0, false, "3 3 3,3-3-3,2 3 3", "999999999"},
		{BENRN, "BE", "99999999999", 1000, 0, 0.92, false, "2.2.2-3.2,6-3.2,6-3-2,2.2.2-3-2,2.2.2 3.2,2 2 2 3 2,6 3 2,2.2.2.3.2", "yymmdd99999"},
		{BGEGN, "BG", "9999999999", 300, 0, 0, false, "", "yymmdd9999"},
		{BRCNPJ, "BR", "xxxxxxxxxxxx99", 100, 0, 0.95, false, "2.3.3/4-2,2 3 3 4 2,2.3.3.4-2,8/4-2,2.3.3-4-2", "99999999000199"},
		{BRCPF, "BR", "99999999999", 100, 0, 0.95, false, "3.3.3-2,3.3.3.2,9-2,3.3.3/2", "99999999999"},
		{CASIN, "CA", "999999999", 12, 0, 0, false, "3 3 3,3-3-3,3.3.3", "[0-79]99999999"},
		{CNID, "CN", "99999999999999999x", 100000, 0.95, 0.95, false, "6 8 4,6-8-4,3 3 4 4 4", "{11,31,44,51}[0-3]9[0-2]9yyyymmdd999[0-9X]"},
		{CZRC, "CZ", "999999999;9999999999", 100, 0, 0.9, false, "6/4,6/3", "yymmdd9999"},
		{DEHealthInsurance, "DE", "a999999999", 10, 0, 0, false, "1 9,4 3 3", "a999999999"},
		{DEIDCard, "DE", "xxxxxxxxx;xxxxxxxxxx;xxxxxxxxxxD", 1, 0, 0, false, "", "[LMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]9[CFGHJKLMNPRTVWXYZ0-9]999[CFGHJKLMNPRTVWXYZ0-9]99"},
		{DESocialSecurity, "DE", "99999999a999", 1000, 0.9, 0.95, false, "2 6 1 3,8 1 3,2-6-1-3,2 6 1 2 1", "{12,53,65}ddmmyya999"},
		{DETaxID, "DE", "99999999999", 20, 0, 0, false, "2 3 3 3,2-3-3-3", "[1-9]9999999999"},
		{DEVATID, "DE", "DE999999999;999999999", 10, 0, 0, false, "2 9,2 3 3 3,2-3-3-3,2.3.3.3,5 3 3,2-9", "DE[1-9]99999999"},
		{EEIK, "EE", "99999999999", 300, 0, 0, false, "", "[3-6]yymmdd9999"},
		{ESNIE, "ES", "a9999999a", 25, 0.9, 0.9, false, "1-7-1,8-1,1 7 1,1-1.3.3-1,1-8,8 1,1.3.3.1", "[XYZ]9999999a"},
		{ESNIF, "ES", "99999999a;9999999a;a9999999x;ESa9999999x;ES99999999a", 23, 0.65, 0.85, false, "8-1,8 1,2.3.3-1,2.3.3 1,2.4-1,1-8,1-7-1,2.3.4,2.3.3.1", "99999999a"},
		{ESNUSS, "ES", "999999999999", 97, 0, 0.8, false, "2/8/2,2 8 2,2/10,2-8-2,2 10,2/7/2", "[0-4][1-9]9999999999"},
		{FIHETU, "FI", "999999999x;999999a999x", 500, 0.9, 0.9, true, "6-4,6+4", "ddmmyyA999[0-9A-Y]"},
		{FRNIF, "FR", "9999999999999", 500, 0, 0.85, false, "2 2 3 3 3", "[0-3]999999999999"},
		{FRNIR, "FR", "999999999999999;999999a99999999", 3000, 0.85, 0.95, false, "1 2 2 2 3 3 2,1-2-2-2-3-3-2,1 2 2 5 3 2,1-2-2-5-3-2,13 2,13-2,1.2.2.2.3.3.2,1 2 2 2 3 3-2", "[12]yymm[1-8][1-9]99999999"},
		{IEPPS, "IE", "9999999a;9999999aa;IE9999999a;IE9999999aa", 23, 0, 0, false, "7 1,7 2,7-2", "9999999a[A-I]"},
		{INAadhaar, "IN", "999999999999", 12, 0, 0.55, false, "4 4 4,4-4-4", "[2-9]99999999999"},
		{INGSTIN, "IN", "99aaaaa9999axxx", 50000, 0.95, 0.95, false, "2 10 3,2-10-3", "{07,27,29,33}aaa[CFHPT]a9999a[1-9]Zx"},
		{INPAN, "IN", "aaaaa9999a", 1, 0.7, 0, false, "5 4 1", "aaa[CFHPT]a9999a"},
		{INVoter, "IN", "aaa9999999", 1, 0, 0, false, "3 7", "aaa9999999"},
		{ITFiscalCode, "IT", "aaaaaaxxaxxaxxxa", 20000, 0.95, 0.95, false, "3 3 5 5,6 5 5,3 3 3 2 4 1,6 2 1 2 4 1,3 3 5 4 1,6 10,3-3-5-5", "aaaaaayy[ABCDEHLMPRST]dda999a"},
		{ITIdentityCard, "IT", "aa9999999;aa99999aa;9999999aa", 1, 0, 0, false, "2 7,2 5 2", "aa99999aa"},
		{ITVATCode, "IT", "99999999999;IT99999999999", 12, 0, 0, false, "2 11", "999999901[05]9"},
		{KRBRN, "KR", "9999999999", 10, 0, 0.6, false, "3-2-5", "[1-9]99[1-9]999999"},
		{KRFRN, "KR", "9999999999999", 100, 0, 0.8, false, "6-7,6 7", "yymmdd[5-8]999999"},
		{KRRRN, "KR", "9999999999999", 100, 0, 0.8, false, "6-7,6 7", "yymmdd[1-4]999999"},
		{LTAK, "LT", "99999999999", 200, 0, 0, false, "", "[3-6]yymmdd9999"},
		{LVPK, "LV", "99999999999", 100, 0, 0.75, false, "6-5", "ddmmyy[12]9999"},
		{MXCURP, "MX", "aaaa999999aaaaaax9", 50000, 0.95, 0.95, false, "4 6 6 2,4-6-6-2,4 6 8", "a[AEIOU]aayymmdd[HM]{DF,JC,MC,NL}aaa[0-9A]9"},
		{NLBSN, "NL", "99999999;999999999", 11, 0, 0, false, "4.2.3,3 3 3,4 2 3,3.3.3", "999999999"},
		{PEDNI, "PE", "99999999;99999999x", 1, 0, 0, false, "8-1", "99999999"},
		{PHTIN, "PH", "999999999;999999999999;99999999999999", 1, 0, 0, false, "3-3-3,3-3-3-3,3-3-3-5,3 3 3 3", "999999999000"},
		{PLIDCard, "PL", "aaa999999", 10, 0, 0, false, "3 6", "aaa999999"},
		{PLPESEL, "PL", "99999999999", 100, 0, 0, false, "", "yymmdd99999"},
		{PTCC, "PT", "999999999aa9;999999999a99;9999999999a9", 30, 0.75, 0.9, false, "8 1 3,8-1-3,9 3,8 1 2 1", "999999999aa9"},
		{PTNIF, "PT", "999999999;PT999999999", 12, 0, 0, false, "3 3 3,2 9", "[1235]99999999"},
		{ROCNP, "RO", "9999999999999", 500, 0, 0, false, "", "[1256]yymmdd{01,12,40}9999"},
		{SEOrganisationsnummer, "SE", "9999999999;999999999999;SE999999999999", 12, 0, 0.55, false, "6-4", "55[2-9]9999999"},
		{SEPersonnummer, "SE", "9999999999;999999999999", 300, 0, 0.75, false, "6-4,8-4,6+4,8+4", "yymmdd9999"},
		{SGFIN, "SG", "a9999999a", 100, 0.85, 0.85, false, "1 7 1,1-7-1,8 1", "[FGM]9999999a"},
		{SGNRIC, "SG", "a9999999a", 130, 0.85, 0.85, false, "1 7 1,1-7-1,8 1", "[ST]9999999a"},
		{SGUEN, "SG", "99999999a;999999999a;a99aa9999x;a99999999a", 20, 0, 0, false, "", "{2001,2014}99999a"},
		{SIEMSO, "SI", "9999999999999", 500, 0, 0, false, "", "ddmm9[5-9]9509999"},
		{THTNIN, "TH", "9999999999999", 15, 0, 0.9, false, "1-4-5-2-1,1 4 5 2 1", "[1-8]109999999999"},
		{TRNationalID, "TR", "99999999999", 100, 0, 0, false, "3 3 3 2", "[1-9]9999999999"},
		{UKNHS, "GB", "9999999999", 11, 0, 0, false, "3 3 4,3-3-4", "9999999999"},
		{UKNINO, "GB", "aa999999a", 2, 0.65, 0.9, false, "2 2 2 2 1,2-2-2-2-1,2 6 1,2 7,2.2.2.2.1", "[ABCE][ABCEHJL]999999[A-D]"},
		{UKTRN, "GB", "9999999999;9999999999K", 11, 0, 0, false, "5 5,3 3 3 1,3 3 4", "9999999999"},
		{USDEA, "US", "ax9999999", 10, 0, 0, false, "2 7,2-7", "[ABFM]a9999999"},
		{USITIN, "US", "999999999", 20, 0, 0.8, false, "3-2-4,3.2.4", "9997[0-8]9999"},
		{USMBI, "US", "9ax9ax9aa99", 500, 0.8, 0.95, false, "4-3-4,4 3 4", "[1-9][AC-HJKMNP]99[AC-HJKMNP]99[AC-HJKMNP][AC-HJKMNP]99"},
		{USNPI, "US", "9999999999", 50, 0, 0, false, "", "[12]999999999"},
		{USSSN, "US", "999999999", 1, 0, 0.75, false, "3-2-4,3.2.4", "[1-5]99[1-9]9999[1-9]"},
		{ZAIDNumber, "ZA", "9999999999999", 500, 0, 0, false, "6 4 3,6 4 2 1,6 4 1 1 1", "yymmdd99990[89]9"},
	}
}
