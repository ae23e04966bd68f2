package pii

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOneValueOnePlaceholder: each line is what is said in one conversation, in
// order, and the numbers that the values get.
func TestOneValueOnePlaceholder(t *testing.T) {
	for _, c := range []struct {
		typ    Type
		values string // with | between them
		want   []int
	}{
		{Person, "Anna Schmidt|Anna|ANNA SCHMIDT|Frau Schmidt|schmidt|Schmidt, Anna|A. Schmidt|Dr. Anna Schmidt|Anna's", []int{1, 1, 1, 1, 1, 1, 1, 1, 1}},
		{Person, "Anna|Anna Schmidt|Schmidt|anna", []int{1, 1, 1, 1}},
		{Person, "Anna Schmidt|Anna Weber|Anna|Schmidt|Anna|Weber|Anna Weber", []int{1, 2, 3, 1, 3, 2, 2}},
		{Person, "Herr Schmidt|Frau Schmidt|Schmidt|Herr Schmidt|Mr Schmidt", []int{1, 2, 3, 1, 1}},
		{Person, "Peter Schmidt|Anna Schmidt|Frau Schmidt", []int{1, 2, 3}},
		{Person, "Jürgen Müller|JURGEN MULLER|juergen mueller", []int{1, 1, 2}},
		{Person, "José María García López|García López|Maria Garcia|Señor García", []int{1, 1, 1, 1}},
		{Person, "A. Schmidt|Anna Schmidt|Anna", []int{1, 1, 1}},
		{Person, "A.|Anna", []int{1, 2}},
		{Person, "Anna Schmidt|Peter Anna|Anna Schmidt", []int{1, 2, 1}},
		{Person, "Анна Петрова|анна|АННА ПЕТРОВА", []int{1, 1, 1}},
		{Person, "王小明|王小明|小明", []int{1, 1, 2}},
		{Person, "Frau|Frau|Herr", []int{1, 1, 2}},
		{Person, "O’Brien|O'Brien|obrien", []int{1, 1, 1}},
		{Phone, "+49 151 1234567|0151 1234567|0049 151 1234567|+49 (0)151 1234567|151 1234567", []int{1, 1, 1, 1, 1}},
		{Phone, "0151 1234567|+49 151 1234567", []int{1, 1}},
		{Phone, "+49 151 1234567|+43 151 1234567|0151 1234567", []int{1, 2, 3}},
		{Phone, "+1 415 555 2671|555-2671|415 555 2671", []int{1, 2, 1}},
		{Phone, "+1 415 555 2671 x12|415 555 2671", []int{1, 2}},
		{Date, "3 May 2024|2024-05-03|03.05.2024|4 May 2024|3. Mai 2024|3 May", []int{1, 1, 1, 2, 1, 3}},
		{Email, "ada@example.org|ADA@Example.org|ada at example dot org|ada (at) example.org|a.da@example.org", []int{1, 1, 1, 1, 2}},
		{URL, "https://Example.org/A|HTTPS://example.org/A|https://example.org/a|https://example.org", []int{1, 1, 2, 3}},
		{Secret, "abcDEF|abcdef|abcDEF", []int{1, 2, 1}},
		{Username, "@Ada|@ada", []int{1, 1}},
		{IBAN, "DE89 3704 0044 0532 0130 00|de89370400440532013000", []int{1, 1}},
		{IP, "2001:DB8::1|2001:db8::1|1.2.3.4|12.3.4", []int{1, 1, 2, 3}},
		{Org, "Acme  Inc.|ACME Inc", []int{1, 1}},
		{"ORDER_NO", "A-1|a 1|A1", []int{1, 1, 2}},
		{"bad type", "x|y", []int{0, 0}},
	} {
		m := NewMap()
		var got []int
		for v := range strings.SplitSeq(c.values, "|") {
			n, _ := m.number(c.typ, v)
			got = append(got, n)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %s: got %v, want %v", c.typ, c.values, got, c.want)
		}
	}
}

// TestCommonWords: a word that very many people share leads to none of them,
// and looking it up stays cheap.
func TestCommonWords(t *testing.T) {
	m := NewMap()
	for i := range 500 {
		if n, _ := m.number(Person, "Anna "+string([]byte{byte('a' + i/26%26), byte('a' + i%26), 'x'})); n != i+1 {
			t.Fatalf("person %d has number %d", i+1, n)
		}
	}
	if n, _ := m.number(Person, "Anna"); n != 501 {
		t.Errorf("Anna is %d", n)
	}
	if n, _ := m.number(Person, "abx"); n != 2 {
		t.Errorf("abx is %d", n)
	}
}
