package pii

import (
	"strings"
	"testing"
)

// TestContext: the place is between the two bars.
func TestContext(t *testing.T) {
	for _, c := range []struct {
		text string
		of   Type
		want string // the word, "" for not announced
	}{
		{"my SSN is |123-45-6789|", USSSN, "ssn"},
		{"my S.S.N.: |123-45-6789|", USSSN, "ssn"},
		{"Social-Security number |123|", USSSN, "social security number"},
		{"ＳＳＮ |123|", USSSN, "ssn"},
		{"SSN\n|123|", USSSN, "ssn"},
		{"SSN\nand then |123|", USSSN, ""},
		{"|123| is my SSN", USSSN, "ssn"},
		{"|123|, SSN: 456", USSSN, ""},
		{"|123| and SSN 45678", USSSN, ""},
		{"|123|\nSSN", USSSN, ""},
		{"my SSN and order number |123|", USSSN, ""},
		{"my order and SSN |123|", USSSN, "ssn"},
		{"SSN 123456 |123|", USSSN, ""},
		{"SSN 2: |123|", USSSN, "ssn"},
		{"classn |123|", USSSN, ""},
		{"Steuer-Identifikationsnummer: |1|", DETaxID, "steuer identifikationsnummer"},
		{"STEUERIDENTIFIKATIONSNUMMERN |1|", DETaxID, "steuer identifikationsnummer"},
		{"numéro de sécurité sociale : |1|", FRNIR, "numero de securite sociale"},
		{"número|1|", FRNIR, ""},
		{"мой ЕГН |1|", BGEGN, "егн"},
		{"我的身份证号是|1|", CNID, "身份证号"},
		{"제 주민등록번호는 |1|", KRRRN, "주민등록번호"},
		{"เลขบัตรประชาชน |1|", THTNIN, "เลขบัตรประชาชน"},
		{"Rodné číslo |1|", CZRC, "rodne cislo"},
		{"T.C. Kimlik No: |1|", TRNationalID, "tc kimlik no"},
		{"P.IVA |1|", ITVATCode, "p iva"},
		{"n, i, f |1|", PTNIF, ""},
		{"STRASSE ORGNR |1|", SEOrganisationsnummer, "orgnr"},
		{"Ναι, SSN’s |1|", USSSN, "ssns"},
		{"Ç Œ Æ Þ ß SSN |1|", USSSN, "ssn"},
		{"ẞ Ș ț Ё Ђ Ά ώ ϐ SSN |1|", USSSN, "ssn"},
		{"S\u00a0S\u2011N |1|", USSSN, "ssn"},
		{"ssn npi utr cpf cnpj nie dni nif bsn |1| a b c d e f NHS", UKNHS, ""},
		{"שלום עולם გა SSN\u0301 |1|", USSSN, "ssn"},
		{"№ SSN° º |1|", USSSN, "ssn"},
		{"ＳＳＮ：|1|", USSSN, "ssn"},
		{"S\u200bS\u200bN |1|", USSSN, "ssn"},
		{"SSN - ١٢٣٤٥٦ |1|", USSSN, ""},
		{"ssn nhs npi bsn utr cpf cnpj nie |1|", USSSN, "ssn"},
		{"numéro national |1|", BENRN, "numero national"},
		{"номер ЕГН: |1|", BGEGN, "егн"},
		{strings.Repeat("身", 70) + "|1|", CNID, ""},
		{"|1| a b c d e f g h i SSN", USSSN, ""},
		{"SSN " + strings.Repeat("x", 70) + " |1|", USSSN, ""},
		{"SSN a b c d e f g h i j k l |1|", USSSN, ""},
		{"|1|", USSSN, ""},
		{"|1| SSN", notData, ""},
	} {
		start := strings.Index(c.text, "|")
		text := strings.Replace(c.text, "|", "", 1)
		end := strings.Index(text, "|")
		text = strings.Replace(text, "|", "", 1)
		s := scan{text: text}
		near := s.context(start, end)
		if got := near.word(c.of); got != c.want {
			t.Errorf("%q: %q announces %s, want %q", c.text, got, c.of, c.want)
		}
		if near.announces(c.of) != (c.want != "") || (near.distance(c.of) >= 0) != (c.want != "") {
			t.Errorf("%q: announces and distance do not agree with word", c.text)
		}
	}
}

func TestContextOrder(t *testing.T) {
	text := "SSN or NHS no, DNI 12 and NPI"
	s := scan{text: text}
	i := strings.Index(text, "12")
	near := s.context(i, i+2)
	if !near.nearest(ARDNI) || near.nearest(USSSN) || near.denied() || near.nearest(notData) {
		t.Error("the nearest word is not the nearest")
	}
	if a, b := near.distance(ARDNI), near.distance(USSSN); a != 0 || b != 4 {
		t.Errorf("distances %d and %d, want 0 and 4", a, b)
	}
	if near.distance(USNPI) != 3 {
		t.Errorf("distance %d of a word behind, want 3", near.distance(USNPI))
	}
	text = "order 12"
	s = scan{text: text}
	if !s.context(6, 8).denied() {
		t.Error("an order is not denied")
	}
}

func TestContextAllocatesNothing(t *testing.T) {
	s := scan{text: strings.Repeat("my order of Número de Identificación ", 3) + "123 เลขบัตรประชาชน"}
	i := strings.Index(s.text, "123")
	if n := testing.AllocsPerRun(50, func() {
		s.near.end = 0
		s.context(i, i+3)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWordTable(t *testing.T) {
	table := contextTable()
	if n := len(table.groups); n > maxGroups {
		t.Fatalf("%d groups, there is room for %d", n, maxGroups)
	}
	for i, w := range table.words {
		if i > 0 && w.key <= table.words[i-1].key {
			t.Errorf("%q is not in order", w.key)
		}
		if len(w.key) < 2 || len(w.key) > 80 {
			t.Errorf("%q is too short or too long", w.key)
		}
		var l line
		l.read(w.shown, false)
		if got, _ := table.longest(&l, 0); got != i {
			t.Errorf("%q does not find itself", w.shown)
		}
	}
	known := map[Type]bool{notData: true, anyID: true}
	for _, typ := range Types() {
		known[typ] = true
	}
	for typ := range table.groups {
		if !known[typ] {
			t.Errorf("%s is no type", typ)
		}
	}
}

func FuzzContext(f *testing.F) {
	f.Add("my SSN is 123-45-6789, ok", 10, 21)
	f.Add("我的身份证号是1 Número\xff", 21, 22)
	f.Fuzz(func(t *testing.T, text string, start, end int) {
		if start < 0 || end < start || end > len(text) {
			t.Skip()
		}
		s := scan{text: text}
		near := s.context(start, end)
		for i := 1; i < near.n; i++ {
			if near.hits[i].dist < near.hits[i-1].dist {
				t.Fatal("not in order")
			}
		}
	})
}

func BenchmarkContext(b *testing.B) {
	s := scan{text: "could you please send my parcel to the person with the number 123-45-6789 as soon as you can, thanks"}
	i := strings.Index(s.text, "123")
	b.ReportAllocs()
	for b.Loop() {
		s.near.end = 0
		s.context(i, i+11)
	}
}
