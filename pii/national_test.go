package pii

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// published are numbers that authorities, or everybody who writes about them,
// use as examples.
func published() map[Type]string {
	return map[Type]string{
		ARCUIL: "20-08490848-8 20-26756539-3", ATSVNR: "1237010180", AUABN: "51824753556 53004085616",
		AUACN: "004085616 000000019 010749961", AUMedicare: "2123456701 2428778132", AUTFN: "123456782",
		BENRN: "93051822361 85073003328 00012511119", BGEGN: "7523169263 8032056031", BRCNPJ: "11222333000181 11444777000161 12ABC34501DE35",
		BRCPF: "11144477735 52998224725 39053344705", CASIN: "130692544 193456787", CNID: "11010519491231002X 440524188001010014",
		CZRC: "7103192745 9811150570", DEHealthInsurance: "A123456780", DEIDCard: "T220001293 L01X00T471",
		DESocialSecurity: "15070649C103 65170839J003", DETaxID: "86095742719 36574261809 47036892816",
		DEVATID: "DE136695976 DE129273398", EEIK: "37605030299 36805280109", ESNIE: "X1234567L Y1234567X Z1234567R X2482300W",
		ESNIF: "12345678Z 54362315K A58818501 B58378431 J99216582 K0867756N", ESNUSS: "281234567840",
		FIHETU: "131052-308T 131052A308T 290200A248A", FRNIF: "3023217600053", FRNIR: "255081416802538 295109912611193",
		IEPPS: "1234567T 1234567FA 6433435F", INAadhaar: "234123412346", INGSTIN: "27AAPFU0939F1ZV 29AAGCB7383J1Z4",
		ITFiscalCode: "RSSMRA85T10A562S MRTMTT91D08F205J RCCMNL83S18D969H", ITVATCode: "00743110157 07643520567",
		KRBRN: "1048656659 1208147521", LTAK: "33309240064 38703181745", LVPK: "16117519997", MXCURP: "BOXW310820HNERXN09 HEGG560427MVZRRL04",
		NLBSN: "111222333 123456782", PEDNI: "101174102", PLIDCard: "ABA300000 ABS123456", PLPESEL: "44051401359 02070803628",
		PTCC: "000000000ZZ4", PTNIF: "501964843 123456789", ROCNP: "1630615123457 1800101221144",
		SEOrganisationsnummer: "5560360793 2120000142 5567037485", SEPersonnummer: "8112189876 6403273813 8803200016",
		SGFIN: "F5221211K G3970684P M1234567K", SGNRIC: "S1234567D T1234567J S0000001I", SGUEN: "00192200M 197401143C S16FC0121D T01FC6132D",
		SIEMSO: "0101006500006", THTNIN: "1101700207366 3100600445635", TRNationalID: "10000000146 19191919190 17291716060",
		UKNHS: "9434765919 4505577104", UKTRN: "1123456789", USDEA: "AB1234563 F91234563", USNPI: "1234567893 1245319599",
		ZAIDNumber: "8001015009087 7503305044089", UKNINO: "AB123456C", USMBI: "1EG4TE5MK73", USITIN: "912901457", USSSN: "536904399",
		INPAN: "ACUPA7085R", INVoter: "WKH1186253", ITIdentityCard: "CA00000AA", KRRRN: "9710131019902", KRFRN: "9111245678901",
		PHTIN: "000123456000", ARDNI: "20123456",
	}
}

func TestPublishedNumbers(t *testing.T) {
	table := nationalTable()
	all := published()
	for of, list := range all {
		r := &table.rules[table.byType[of]]
		for s := range strings.FieldsSeq(list) {
			if b := []byte(strings.ReplaceAll(s, "-", "")); !r.fitsAny(b) || !r.check(b) {
				t.Errorf("%s: %s is refused", of, s)
			}
		}
	}
	for _, typ := range Types() {
		if _, ok := table.byType[typ]; ok != typ.national() {
			t.Errorf("%s: there is a rule: %v", typ, ok)
		} else if ok && all[typ] == "" {
			t.Errorf("%s has no example", typ)
		}
	}
	if len(all) != 65 || len(table.rules) != 65 {
		t.Errorf("%d examples and %d rules, want 65", len(all), len(table.rules))
	}
}

// TestRefusedNumbers: numbers of the right form that are none.
func TestRefusedNumbers(t *testing.T) {
	table := nationalTable()
	for of, list := range map[Type]string{
		ARCUIL: "99123456789 20084908487", ATSVNR: "0234010180 1237320180", AUABN: "01824753556 52824753556", AUMedicare: "9123456701 2123456700",
		BENRN: "85073003329 85630003328", BGEGN: "7523169264 7513169263", BRCNPJ: "11222333000182", BRCPF: "11144477736", CASIN: "812345678 130692545",
		CNID: "990105194912310025 11010519491331002X 110105174912310021 110105194912310021", CZRC: "7103192746 715319274 540101123 530101000 719919274",
		DEIDCard: "T220001290 A22000129 123456789 LLLLLLL12", DESocialSecurity: "00070649C103 15001349C103 15071349C103", DETaxID: "06095742719 11111111110",
		DEVATID: "DE036695976 DE136695977 036695976", EEIK: "97605030299 37613030299", LTAK: "73309240064 33313240064", LVPK: "16137519997 16117549997",
		ESNIE: "A1234567L X1234567A", ESNIF: "12345678A T58818501 A5881850A P46085001 K0867756A 1234567A", ESNUSS: "281234567841 001234567840",
		FIHETU: "1310523080 131052T308T 321052308T 131052001J", FRNIF: "3023217600054 0000000000000",
		FRNIR: "555081416802538 255131416802538 255001416802538 199072A22807011 255081A16802538 255080C16802538 255080016802538", IEPPS: "1234567F 1234567FJ",
		INAadhaar: "134123412346 234123412347", INGSTIN: "39AAPFU0939F1ZV 00AAPFU0939F1ZV 27AAPFU0939F0ZV 27AAPFU0939F1ZA", INPAN: "ACUDA7085R ACUPA0000R", INVoter: "WKH0000000",
		ITFiscalCode: "RSSMRA85T10A562T RSSMRA85Z10A562S RSSMRA85T35A562S RSSMRAA5T10A562S", ITVATCode: "00000000000 00743119997 00743110158",
		KRBRN: "1048656650 1040056659 0998656659", KRRRN: "9713131019902 9710135019902", KRFRN: "9111241678901", MXCURP: "BOXW310820ANERXN09 BOXW310820HXXRXN09 BOXW311320HNERXN09 BOXW310820HNERXN08",
		NLBSN: "111222334 00000000", PEDNI: "101174103", PLIDCard: "ABA300001", PLPESEL: "44131401359 44051401358", PTCC: "000000000ZZ3", PTNIF: "401964843 001964843 501964842",
		ROCNP: "0630615123457 1631315123457 1630615603457 1630615123458", SEOrganisationsnummer: "5510360793 4560360793 5560360794", SEPersonnummer: "8113189876 8112189877",
		SGFIN: "S1234567D F5221211A", SGNRIC: "F5221211K S1234567A", SGUEN: "00192200A 197401143A 177701143C A01FC6132D T01XX6132D T01FC6132A F00156789H TA1FC6132D",
		SIEMSO: "0113006500006 0101006500007 0101506500006", THTNIN: "0101700207366 1591700207366 1101700207367", TRNationalID: "00000000146 10000000147 10000000136",
		UKNHS: "9434765918 1000000000", UKNINO: "DB123456C AO123456C GB123456C AB123456E", UKTRN: "2123456789", USDEA: "YB1234563 AB1234564",
		USITIN: "812901457 912661457", USMBI: "0EG4TE5MK73 1SG4TE5MK73 1EG4TE5MKA3", USNPI: "3234567893 1234567890", USSSN: "000904399 666904399 936904399 536004399 536900000 078051120",
		ZAIDNumber: "8013015009087 8001015009387 8001015009086", ARDNI: "01234567", PHTIN: "000000000", AUACN: "004085617 000000000", AUTFN: "123456783 12345678", DEHealthInsurance: "A123456781",
	} {
		r := &table.rules[table.byType[of]]
		for s := range strings.FieldsSeq(list) {
			if b := []byte(s); r.fitsAny(b) && r.check(b) {
				t.Errorf("%s: %s passes", of, s)
			}
		}
	}
	var none nationalRule
	if none.check(nil) {
		t.Error("a type without a rule passes")
	}
}

// TestAskedFor: what a Finder is told to look for counts with less around it.
func TestAskedFor(t *testing.T) {
	many := Types()
	for _, c := range []struct {
		f    Finder
		text string
		want string
	}{
		{Finder{Types: []Type{UKNHS}}, "943 476 5919", "UK_NHS"},
		{Finder{Types: []Type{UKNHS}}, "943 476 5918", ""},
		{Finder{Types: []Type{UKNHS, Phone}}, "9434765919", "UK_NHS"},
		{Finder{Types: many}, "9434765919", ""},
		{Finder{Types: []Type{Email}}, "NHS 9434765919", ""},
		{Finder{Types: []Type{SGNRIC}}, "F5221211K", "SG_NRIC"},
		{Finder{Types: []Type{SGNRIC, SGFIN}}, "F5221211K", "SG_FIN"},
		{Finder{Types: []Type{SGFIN}}, "S1234567D", ""},
		{Finder{Types: []Type{USSSN}}, "536904399", ""},
		{Finder{Types: []Type{INVoter}}, "wkh1186253", "IN_VOTER"},
		{Finder{Types: []Type{INVoter}}, "Wkh1186253", "IN_VOTER"},
		{Finder{Types: []Type{FIHETU}}, "131052.308T", ""},
		{Finder{Types: []Type{KRRRN}}, "960121+1021413", ""},
		{Finder{Types: []Type{DEVATID}}, "de 136 695 976", "DE_VAT_ID"},
		{Finder{Types: []Type{UKNHS}}, "order 9434765919", ""},
		{Finder{Types: []Type{UKNHS}}, "call 9434765919", ""},
		{Finder{Types: []Type{BRCPF}}, "12.03.2024", ""},
		{Finder{Regions: []string{"GB"}, Types: many}, "9434765919", "UK_NHS"},
		{Finder{Regions: []string{"US"}, Types: []Type{USSSN, UKNHS, DETaxID, NLBSN, PTNIF, ROCNP, SIEMSO, CASIN, CZRC}}, "536-90-4399", "US_SSN"},
		{Finder{}, "my id: 11144477735", "BR_CPF"},
		{Finder{}, "ab 12 34 56 C", ""},
		{Finder{}, "NHS 943  476  5919", "UK_NHS"},
		{Finder{}, "NHS 943   476   5919", ""},
		{Finder{}, "1 99 07 2B 228 070 37", "FR_NIR"},
		{Finder{}, "RSSMRA85T10A56NH", "IT_FISCAL_CODE"},
		{Finder{}, "VAT IE1234567FA", "IE_PPS"},
		{Finder{}, "id 4 5", ""},
		{Finder{}, "the phone in my NHS letter: 9434765919", "UK_NHS"},
		{Finder{}, "NHS, phone: 9434765919", ""},
		{Finder{}, "NHS 9434765919 2", "UK_NHS"},
		{Finder{}, "NHS 943 476 5919 2", ""},
		{Finder{}, "NHS 9434765919/2", ""},
		{Finder{}, "NHS 9434765919.", "UK_NHS"},
		{Finder{}, "NHS 9434765919%", ""},
		{Finder{}, "NHS 9434765919 €", ""},
		{Finder{}, "NHS 9434765919é", ""},
		{Finder{}, "NHS +9434765919", ""},
		{Finder{}, "NHS $ 9434765919", ""},
		{Finder{}, "NHS 5,9434765919", ""},
		{Finder{}, "NHS 12345 9434765919", ""},
		{Finder{}, "NHS no 12 9434765919", "UK_NHS"},
		{Finder{}, "NHS 9434765919-A", "UK_NHS"},
		{Finder{}, "9434765919-A", ""},
		{Finder{}, "x-110105194912310 02X", ""},
		{Finder{}, "ref/12345678Z", ""},
		{Finder{}, "12345678Z-x", ""},
		{Finder{}, "12345678Z.Thanks", "ES_NIF"},
		{Finder{}, "12345678Z A1", "ES_NIF"},
		{Finder{}, "12345678z", "ES_NIF"},
		{Finder{}, "SSN abcdefghi536904399", "US_SSN"},
		{Finder{}, "SSN 536904399 and 536904398", "US_SSN"},
	} {
		var got []string
		for _, sp := range c.f.Find(c.text) {
			if sp.Type.national() {
				got = append(got, string(sp.Type))
			}
		}
		if strings.Join(slices.Compact(got), " ") != c.want {
			t.Errorf("%v %v %q: found %v, want %q", c.f.Types, c.f.Regions, c.text, got, c.want)
		}
	}
}

// TestMadeUpNumbers: each made-up number is found with a word that announces
// it, in whichever way it is written.
func TestMadeUpNumbers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	table := nationalTable()
	for i := range table.rules {
		r := &table.rules[i]
		word := announcing(t, r.of)
		f := Finder{Types: withoutNames()}
		for range 40 {
			code := valid(r.of, rnd)
			for _, text := range []string{
				word + ": " + code, "My " + word + " is " + strings.ToLower(code) + ".", code + " (" + word + ")", "here: " + code + " is my " + word,
			} {
				got := f.Find(text)
				if len(got) != 1 || got[0].Type != r.of || !strings.EqualFold(text[got[0].Start:got[0].End], code) {
					t.Errorf("%q: found %v, want %s", text, got, r.of)
				}
			}
		}
	}
	if valid(Email, rnd) != "" {
		t.Error("an e-mail address is no national identifier")
	}
}

func announcing(t *testing.T, of Type) string {
	t.Helper()
	for _, row := range contextWords() {
		if row.of == of {
			return strings.ReplaceAll(strings.TrimSuffix(strings.Fields(row.words)[0], "*"), "_", " ")
		}
	}
	t.Fatal("no words for", of)
	return ""
}

// TestDecoys: nothing is found in the file of numbers that are no identifiers.
func TestDecoys(t *testing.T) {
	raw, err := os.ReadFile("testdata/national_decoys.txt")
	if err != nil {
		t.Fatal(err)
	}
	f := Finder{Types: withoutNames()}
	n := 0
	for line := range strings.Lines(string(raw)) {
		in, _, ok := strings.Cut(line, arrow)
		if !ok {
			continue
		}
		n++
		for _, sp := range f.Find(in) {
			if sp.Type != Date { // which is one
				t.Errorf("%q: found %v", in, sp)
			}
		}
	}
	if n < 150 {
		t.Errorf("%d decoys, want 150", n)
	}
}

// TestCorruptedNumbers: with one digit changed, a number is refused, where the
// check is one that sees it.
func TestCorruptedNumbers(t *testing.T) {
	// Of these a part of the changes is not seen: there is no check digit, or
	// some digits weigh nothing, or remainders share a check digit.
	blind := map[Type]bool{
		ARDNI: true, PEDNI: true, PHTIN: true, INVoter: true, INPAN: true, ITIdentityCard: true, KRRRN: true, KRFRN: true,
		USITIN: true, USSSN: true, USMBI: true, UKNINO: true, AUACN: true, BENRN: true, MXCURP: true, THTNIN: true, USDEA: true, AUMedicare: true, DEIDCard: true,
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	table := nationalTable()
	for i := range table.rules {
		r := &table.rules[i]
		passed, tried := 0, 0
		for range 100 {
			code := []byte(valid(r.of, rnd))
			for k, c := range code {
				if !isDigit(c) {
					continue
				}
				for d := byte('0'); d <= '9'; d++ {
					if d == c {
						continue
					}
					code[k] = d
					tried++
					if r.check(code) {
						passed++
					}
				}
				code[k] = c
			}
		}
		// Where eleven remainders share ten digits, a few are not seen.
		if share := float64(passed) / float64(tried); share > 0.05 && !blind[r.of] {
			t.Errorf("%s: %.3f of changed numbers pass", r.of, share)
		}
	}
}

func BenchmarkNational(b *testing.B) {
	var f Finder
	for name, s := range map[string]string{
		"clean":   strings.Repeat("hello, could you tell me when you are open on saturday, and do you have the blue one in size 42? thanks! ", 100),
		"numbers": strings.Repeat("at 10:30 we had 4711 and 12345678901 or 123 456 789 of 2024-05-01 for 12.50 and 9876543210. ", 100),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				f.Find(s)
			}
		})
	}
	s := scan{text: "my number is 9434765919, ok", finder: &f}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.near.end = 0
			s.national(13)
		}
	})
}
