package pii

import (
	"fmt"
	"strings"
	"testing"
)

// TestPlaceholderForms: what models make of a placeholder, and what is none.
func TestPlaceholderForms(t *testing.T) {
	m := NewMap()
	m.number(Email, "ada@example.org")
	m.number(DateOfBirth, "3 May 1984")
	m.number("A_1B", "own")
	for in, want := range map[string]string{
		"[EMAIL _ 1]": "ada@example.org", "[EMAIL_ 1]": "ada@example.org", "［ＥＭＡＩＬ＿１］": "ada@example.org", "【EMAIL_1】": "ada@example.org",
		"【email 1]": "ada@example.org", "[EMAIL‑1]": "ada@example.org", "[E\u200bMAIL_1]": "ada@example.org", "`[EMAIL_1]`": "`ada@example.org`",
		"[date of birth 1]": "3 May 1984", "[DATE OF\u00a0BIRTH - 1]": "3 May 1984", `\[DATE\_OF\_BIRTH\_1\]`: "3 May 1984", "[a 1b 1]": "own",
		"[EMAIL_1](mailto:[EMAIL_1])": "ada@example.org(mailto:ada@example.org)",
		"[EMAIL1]":                    "[EMAIL1]", "[EMAIL_01]": "[EMAIL_01]", "[EMAIL__1]": "[EMAIL__1]", "[_EMAIL_1]": "[_EMAIL_1]", "[EMAIL_1_]": "[EMAIL_1_]",
		"(EMAIL_1)": "(EMAIL_1)", "[EMAIL\n1]": "[EMAIL\n1]", "[EMAIL_123456]": "[EMAIL_123456]", "[1_EMAIL]": "[1_EMAIL]", "[EMAIL_x]": "[EMAIL_x]", "[E_1]": "[E_1]",
		"[EMAIL      1]": "[EMAIL      1]", "[EMAIL___1]": "[EMAIL___1]", `[EMAIL\x1]`: `[EMAIL\x1]`, `[EMAIL\`: `[EMAIL\`, "】": "】", "【": "【",
		"[" + strings.Repeat("A", 60) + "_1]": "[" + strings.Repeat("A", 60) + "_1]", "[EMAIL" + strings.Repeat("\u200b", 60) + "_1]": "[EMAIL" + strings.Repeat("\u200b", 60) + "_1]",
	} {
		if got := m.Unmask(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestTypeNames(t *testing.T) {
	for _, good := range append(Types(), "A", "A1", "MY_TYPE", "A__B", Type(strings.Repeat("A", 40))) {
		if !validType(good) {
			t.Errorf("%q is no name", good)
		}
	}
	for _, bad := range []Type{"", "a", "1A", "_A", "A_", "A-B", "A B", "Ä", "A___B", Type(strings.Repeat("A", 41))} {
		if validType(bad) {
			t.Errorf("%q is a name", bad)
		}
	}
}

// TestOperatorsAlone: operators that look at what they are given.
func TestOperatorsAlone(t *testing.T) {
	m := NewMap()
	f := Finding{Type: Email, Value: "ada@example.org", Use: Use{Map: m}}
	if got := string(Placeholder{}.Append([]byte("to "), f)) + m.Unmask("[EMAIL_1]"); got != "to [EMAIL_1]ada@example.org" {
		t.Errorf("got %q", got)
	}
	g := Generalise{Country: func(place string) string { return strings.TrimPrefix(place, "Ham") }}
	if got := string(g.Append(nil, Finding{Type: Location, Value: "Hamburg"})); got != "burg" {
		t.Errorf("got %q", got)
	}
}

// TestUnsoundTypes: what a recogniser of one's own calls a type is never more
// than a name in brackets.
func TestUnsoundTypes(t *testing.T) {
	var own stubRecogniser
	f := Finder{Own: []Recogniser{&own}, Threshold: 0.99999}
	for _, typ := range []Type{"", "x", "EMAIL_1]", "] [EMAIL_1", "A B"} {
		own.typ = typ
		m := NewMap()
		m.number(Email, "ada@example.org")
		got := f.Mask(m, "a <b>")
		if got != "a [PII]" || m.Unmask(got) != got {
			t.Errorf("%q: %q", typ, got)
		}
	}
}

// TestTakenNumbers: numbers that stood in a text are passed over, as far as
// anybody can ask for them.
func TestTakenNumbers(t *testing.T) {
	var own stubRecogniser
	own.typ = "NOTE"
	f := Finder{Own: []Recogniser{&own}, Threshold: 0.99999}
	m := NewMap()
	for i := range 2 * maxValues {
		f.Mask(m, fmt.Sprintf("[NOTE_%d] [note %d]", i+1, i+1))
	}
	f.Mask(m, "[NOTE_99999] ["+strings.Repeat("N", 44)+"_1]")
	if m.others != maxValues || m.Len() != 0 {
		t.Errorf("%d taken", m.others)
	}
	if got := f.Mask(m, "<x>"); got != "[NOTE]" {
		t.Errorf("a full map: %q", got)
	}
}

// TestDeepMask: hostile text with a map that lives on costs no more than its
// length.
func TestDeepMask(t *testing.T) {
	var f Finder
	p := DefaultPolicy()
	m := NewMap()
	for i := range 300 {
		text := strings.Repeat(fmt.Sprintf("[EMAIL_%d] [NOTE_%d] a%d@example.org ", i, i, i), 20)
		masked := f.Mask(m, text)
		if strings.Contains(masked, "@") {
			t.Fatal("a value is left")
		}
		p.Apply(Use{Map: m}, masked)
	}
	if m.bytes > maxBytes || m.len+m.others > maxValues || m.spelt > maxBytes || m.nkeys > maxKeys {
		t.Errorf("%d bytes, %d values, %d others", m.bytes, m.len, m.others)
	}
}

// TestMaskerStuck: text without a place to cut.
func TestMaskerStuck(t *testing.T) {
	var own stubRecogniser
	own.typ = "NOTE"
	p := Policy{Finder: Finder{Own: []Recogniser{&own}, Types: []Type{URL, "NOTE"}}}
	for _, c := range [][2]string{
		{"<" + strings.Repeat("a b ", 22) + ">" + strings.Repeat(" c", 100), "[NOTE_1]" + strings.Repeat(" c", 100)},
		{"https://example.org/" + strings.Repeat("ab1/", 45) + strings.Repeat(" c", 100), "[URL_1]" + strings.Repeat(" c", 100)},
		{strings.Repeat("é", 100) + "x" + strings.Repeat("é", 200), strings.Repeat("é", 100) + "x" + strings.Repeat("é", 200)},
		{strings.Repeat("x", 1000), strings.Repeat("x", 1000)},
		{strings.Repeat("é", 500), strings.Repeat("é", 500)},
		{strings.Repeat("x", 120) + "<" + strings.Repeat("y", 60) + ">" + strings.Repeat("z", 200), strings.Repeat("x", 120) + "[NOTE_1]" + strings.Repeat("z", 200)},
		{strings.Repeat("[ ", 300), strings.Repeat("[ ", 300)},
		{"<a\nb>", "<a\n[NOTE_1]"},
	} {
		s := p.Masker(Use{Map: NewMap()})
		got := ""
		for i := range len(c[0]) {
			got += s.Write(c[0][i : i+1])
		}
		if got += s.Close(); got != c[1] {
			t.Errorf("%q\nbecame %q", c[0], got)
		}
	}
}

func TestReaches(t *testing.T) {
	for _, c := range []struct {
		found []Span
		want  bool
	}{
		{nil, false},
		{[]Span{{Start: 6, End: 8}}, false},
		{[]Span{{Start: 6, End: 12}}, true},
		{[]Span{{Start: 2, End: 8}}, true},
		{[]Span{{Start: 2, End: 10}}, false},
		{[]Span{{Start: 10, End: 12}}, false},
	} {
		if got := reaches(c.found, 2, 10); got != c.want {
			t.Errorf("%v: %v", c.found, got)
		}
	}
}

func TestNormalOfWords(t *testing.T) {
	for _, c := range []struct {
		typ  Type
		a, b string
	}{
		{Medical, "Type-2 Diabetes", "type 2  diabetes"},
		{Location, "München", "MUNCHEN"},
		{Location, "Mu\u0308nchen", "munchen"},
		{"OWN", "Ａ b", "a B"},
		{URL, "Example.org/A", "example.ORG/A"},
		{MAC, "3C:22:FB:00:00:01", "3c:22:fb:00:00:01"},
		{Phone, "00 49 (0)30 123456", "+49 30 123456"},
		{Email, "ada [at] example (dot) org", "ada@example.org"},
	} {
		if a, b := normal(c.typ, c.a), normal(c.typ, c.b); a != b {
			t.Errorf("%s: %q and %q are %q and %q", c.typ, c.a, c.b, a, b)
		}
	}
	if normal(Person, "!") != " !" || normal(Date, "?") != " ?" {
		t.Error("a value without words")
	}
}
