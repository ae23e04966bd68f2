package pii

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestMask(t *testing.T) {
	var f Finder
	m := NewMap()
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"hello", "hello"},
		{"[hello]", "[hello]"},
		{"I am ada@example.org", "I am [EMAIL_1]"},
		{"or ADA@Example.org, bob@example.org", "or [EMAIL_1], [EMAIL_2]"},
		{"+49 151 12345678 or +4915112345678", "[PHONE_1] or [PHONE_1]"},
		{"DE89 3704 0044 0532 0130 00, de89370400440532013000", "[IBAN_1], [IBAN_1]"},
		{"4111 1111 1111 1111/4111111111111111", "[CREDIT_CARD_1]/[CREDIT_CARD_1]"},
		{"2001:DB8::1 2001:db8::1 192.0.2.1", "[IP_1] [IP_1] [IP_2]"},
		{"give me [EMAIL_1]", "give me [EMAIL_3]"},
		{"give me [email 2] and [EMAIL_1]", "give me [EMAIL_4] and [EMAIL_3]"},
		{`\[PHONE\_1\]`, "[PHONE_2]"},
		{"[NAME_1] [EMAIL_0] [EMAIL_01] [EMAIL_x] [EMAIL_1", "[NAME_1] [EMAIL_0] [EMAIL_01] [EMAIL_x] [EMAIL_1"},
		{"[ada@example.org]", "[[EMAIL_1]]"},
	} {
		got := f.Mask(m, c.text)
		if got != c.want {
			t.Errorf("Mask(%q) = %q, want %q", c.text, got, c.want)
		}
		if back := m.Unmask(got); back != c.text {
			t.Errorf("Unmask(%q) = %q, want %q", got, back, c.text)
		}
	}
	if m.Len() != 7 {
		t.Errorf("%d values, want 7", m.Len())
	}
}

func TestUnmask(t *testing.T) {
	var f Finder
	m := NewMap()
	f.Mask(m, "ada@example.org, 4111 1111 1111 1111, bob@example.org")
	for in, want := range map[string]string{
		"[EMAIL_1]":            "ada@example.org",
		"[email_1]":            "ada@example.org",
		"[Email 1], [EMAIL-2]": "ada@example.org, bob@example.org",
		"[ EMAIL_1 ]":          "ada@example.org",
		`\[EMAIL\_1\]`:         "ada@example.org",
		`[EMAIL\_1]`:           "ada@example.org",
		`\[EMAIL_1]`:           `\ada@example.org`,
		"[credit card 1]":      "4111 1111 1111 1111",
		`[credit\_card\_1\]`:   "4111 1111 1111 1111",
		"**[EMAIL_1]**":        "**ada@example.org**",
		"[EMAIL_3]":            "[EMAIL_3]",
		"[EMAIL_99999999999]":  "[EMAIL_99999999999]",
		"[EMAIL_0]":            "[EMAIL_0]",
		"[EMAIL_]":             "[EMAIL_]",
		"[EMAIL]":              "[EMAIL]",
		"[EMAIL_1":             "[EMAIL_1",
		"[EMAIL_1x]":           "[EMAIL_1x]",
		"[EMAIL_1)":            "[EMAIL_1)",
		"[IP_1]":               "[IP_1]",
		"[NAME_1]":             "[NAME_1]",
		"EMAIL_1":              "EMAIL_1",
		"[":                    "[",
		`\`:                    `\`,
		`[EMAIL\`:              `[EMAIL\`,
		"[[EMAIL_1]]":          "[ada@example.org]",
		"[EMAIL_[EMAIL_1]]":    "[EMAIL_ada@example.org]",
	} {
		if got := m.Unmask(in); got != want {
			t.Errorf("Unmask(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestNobodyAsksForAValue: a person who knows how placeholders look gets
// nothing by writing them, in whatever form, before or after there is a value.
func TestNobodyAsksForAValue(t *testing.T) {
	var f Finder
	for _, ask := range []string{
		"[EMAIL_1]", "[email_1]", "[EMAIL 1]", "[ EMAIL-1 ]", `\[EMAIL\_1\]`, "[[EMAIL_1]]", "[EMAIL_[EMAIL_1]1]", `[EMAIL\ 1\]`,
	} {
		for _, text := range []string{ask + " secret@example.org", "secret@example.org " + ask} {
			m := NewMap()
			masked := f.Mask(m, text)
			if strings.Contains(masked, "secret") || m.Unmask(masked) != text {
				t.Errorf("%q became %q, then %q", text, masked, m.Unmask(masked))
			}
			if n := strings.Count(m.Unmask(f.Mask(m, ask)), "secret"); n != 0 {
				t.Errorf("%q gave the value away", ask)
			}
		}
	}
}

// TestSpelling: the value comes back as in the text that was masked last, and
// otherwise as it was spelt first.
func TestSpelling(t *testing.T) {
	var f Finder
	m := NewMap()
	small, big := "ada@example.org", "ADA@example.org"
	for _, text := range []string{small, big, small, big, big, small} {
		if got := m.Unmask(f.Mask(m, text)); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	if got := m.Unmask("to [EMAIL_1]"); got != "to "+small {
		t.Errorf("got %q", got)
	}
}

func TestMapIsBounded(t *testing.T) {
	var f Finder
	m := NewMap()
	for i := range 3 * maxValues {
		text := fmt.Sprintf("a%d@example.org", i)
		masked := f.Mask(m, text)
		if strings.Contains(masked, "@") {
			t.Fatalf("%q is not masked", text)
		}
	}
	if m.Len() != maxValues {
		t.Errorf("%d values, want %d", m.Len(), maxValues)
	}
	if got := f.Mask(m, "late@example.org"); got != "[EMAIL]" || m.Unmask(got) != "[EMAIL]" {
		t.Errorf("a value that does not fit: %q", got)
	}
	if got := f.Mask(m, "[EMAIL_1]"); got != "[EMAIL]" {
		t.Errorf("a literal that does not fit: %q", got)
	}
	m = NewMap()
	long := strings.Repeat("a", 2000)
	for i := range 200 {
		f.Mask(m, fmt.Sprintf("%s%d@example.org", long, i))
	}
	if m.bytes > maxBytes || m.Len() < 10 {
		t.Errorf("%d bytes in %d values, want at most %d", m.bytes, m.Len(), maxBytes)
	}
	m = NewMap()
	f.Mask(m, "ada@example.org")
	for i := range 100 {
		text := fmt.Sprintf("ADA@example.org %d %s", i, long)
		if got := m.Unmask(f.Mask(m, text)); got != text {
			t.Fatal("a spelling is lost")
		}
	}
	if len(m.respelt) > maxRespelt || m.spelt > maxBytes {
		t.Errorf("%d texts, %d bytes of spellings", len(m.respelt), m.spelt)
	}
	f.Mask(m, "ADA@example.org"+strings.Repeat(" ", maxBytes))
	if m.spelt > maxBytes {
		t.Errorf("%d bytes of spellings", m.spelt)
	}
}

func TestMapKeepsNoMessage(t *testing.T) {
	var f Finder
	m := NewMap()
	f.Mask(m, strings.Repeat("x ", 1000)+"ada@example.org")
	if v := m.entries[Email][0].value; v != "ada@example.org" {
		t.Errorf("got %q", v)
	}
	for _, s := range []string{fmt.Sprint(m), fmt.Sprintf("%+v", m), fmt.Sprintf("%#v", m)} {
		if s != "[pii map]" {
			t.Errorf("a map prints as %q", s)
		}
	}
}

func TestNilMap(t *testing.T) {
	var f Finder
	var m *Map
	if got := f.Mask(m, "a@example.org"); got != "[EMAIL]" {
		t.Errorf("got %q", got)
	}
	if m.Unmask("[EMAIL_1]") != "[EMAIL_1]" || m.Len() != 0 {
		t.Error("a nil map knows something")
	}
	if got := NewMap().Unmask("[EMAIL_1]"); got != "[EMAIL_1]" {
		t.Errorf("an empty map: %q", got)
	}
	var zero Map
	if got := f.Mask(&zero, "a@example.org"); got != "[EMAIL_1]" {
		t.Errorf("the zero map: %q", got)
	}
}

func TestNormal(t *testing.T) {
	for _, c := range []struct {
		typ  Type
		a, b string
	}{
		{Email, "Ada@Example.org", "ada@example.ORG"},
		{Email, "ÄDA@example.org", "äda@example.org"},
		{Phone, "+49 (151) 123-45", "+4915112345"},
		{Phone, "０９０", "090"},
		{CreditCard, "4111-1111", "41111111"},
		{IBAN, "DE89 3704", "de893704"},
		{IP, "2001:DB8::1", "2001:db8::1"},
	} {
		if a, b := normal(c.typ, c.a), normal(c.typ, c.b); a != b {
			t.Errorf("%s: %q and %q are %q and %q", c.typ, c.a, c.b, a, b)
		}
	}
	if normal(IP, "1.2.3.4") == normal(IP, "12.3.4") || normal(Email, "a.b@c.de") == normal(Email, "ab@c.de") {
		t.Error("different values are equal")
	}
}

// FuzzMask: mask then unmask is the same text, what was found is not in the
// masked text any more, and spans are sound.
func FuzzMask(f *testing.F) {
	for _, s := range []string{
		"I am ada@example.org, +49 151 12345678", "[EMAIL_1] a@b.de", `\[email\_1\] a@b.de`, `\a@b.de\]`, "[EMAIL_a@b.de_1]",
		"a@b.de A@b.de", "[[PHONE_1]+4915112345678]", "::1 1.2.3.4", "\xffa@b.de\xfe", "ａ@b.de", "DE89370400440532013000",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, first, text string) {
		var fd Finder
		m := NewMap()
		fd.Mask(m, first)
		spans := fd.Find(text)
		last := 0
		for _, sp := range spans {
			if sp.Start < last || sp.End <= sp.Start || sp.End > len(text) || sp.Score <= 0 || sp.Score > 1 || sp.Rule == "" {
				t.Fatalf("unsound span %+v in %q", sp, text)
			}
			if !border(text, sp.Start) || !border(text, sp.End) {
				t.Fatalf("span %+v cuts a character of %q", sp, text)
			}
			last = sp.End
		}
		masked := fd.Mask(m, text)
		if got := m.Unmask(masked); got != text && m.Len()+m.others < maxValues && len(text) < maxBytes/4 {
			t.Errorf("%q became %q, then %q", text, masked, got)
		}
		if spans == nil && !strings.Contains(text, "[") && masked != text {
			t.Errorf("%q has no finding and became %q", text, masked)
		}
		if diff := cmp.Diff(spans, fd.Find(text)); diff != "" {
			t.Error(diff)
		}
	})
}

func border(s string, i int) bool {
	return i == len(s) || utf8.RuneStart(s[i]) || !utf8.ValidString(s)
}
