package pii

import (
	"math/rand/v2"
	"os"
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

// TestMadeUpNumbers: each made-up number is found with a word that announces
// it, in whichever way it is written.
func TestMadeUpNumbers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	table := nationalTable()
	for i := range table.rules {
		r := &table.rules[i]
		word := announcing(t, r.of)
		var f Finder
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
	var f Finder
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
		if share := float64(passed) / float64(tried); share > 0.03 && !blind[r.of] {
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
