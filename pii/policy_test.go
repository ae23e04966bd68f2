package pii

import (
	"strings"
	"testing"
)

func TestDefaultPolicy(t *testing.T) {
	p := DefaultPolicy()
	m := NewMap()
	for _, c := range [][2]string{
		{"my parcel of 3 May 2024 to Hamburg, mail ada@example.org", "my parcel of 3 May 2024 to Hamburg, mail [EMAIL_1]"},
		{"I am 34 and read https://example.org/help", "I am 34 and read https://example.org/help"},
		{"call +49 151 12345678", "call [PHONE_1]"},
		{"hello", "hello"},
		{"[EMAIL_1]", "[EMAIL_2]"},
		{"[DATE_1]", "[DATE_1]"},
	} {
		got := p.Apply(Use{Map: m}, c[0])
		if got != c[1] {
			t.Errorf("%q became %q, want %q", c[0], got, c[1])
		}
		if back := m.Unmask(got); back != c[0] {
			t.Errorf("%q came back as %q", c[0], back)
		}
		if again := p.Mask(m, c[0]); again != got {
			t.Errorf("%q became %q, then %q", c[0], got, again)
		}
	}
	if err := p.Check(); err != nil {
		t.Error(err)
	}
}

func TestStoragePolicy(t *testing.T) {
	p := StoragePolicy()
	got := p.Apply(Use{}, "ada@example.org wrote on 2024-05-03 from 192.0.2.77, see https://example.org/x?y=ada")
	if want := "[EMAIL] wrote on 2024-05 from 192.0.2.0/24, see https://example.org"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := p.Check(); err != nil {
		t.Error(err)
	}
}

func TestPolicyRules(t *testing.T) {
	p := Policy{
		Default: Redact{},
		Types:   map[Type]Operator{Phone: Partial{}},
		Rules: []PolicyRule{
			{Purpose: "statistics", Region: "DE", Types: map[Type]Operator{Email: Leave{}}},
			{Purpose: "statistics", Types: map[Type]Operator{Email: Partial{}, IP: nil}},
			{Language: "fr", Types: map[Type]Operator{Phone: Leave{}}},
		},
	}
	text := "ada@example.org +49 151 12345678 8.8.8.8"
	for _, c := range []struct {
		use  Use
		want string
	}{
		{Use{}, "[EMAIL] •••• 5678 [IP]"},
		{Use{Purpose: "statistics"}, "a•••@e•••.org •••• 5678 [IP]"},
		{Use{Purpose: "statistics", Region: "DE"}, "ada@example.org •••• 5678 [IP]"},
		{Use{Language: "fr"}, "[EMAIL] +49 151 12345678 [IP]"},
	} {
		if got := p.Apply(c.use, text); got != c.want {
			t.Errorf("%+v: %q, want %q", c.use, got, c.want)
		}
	}
	var zero Policy
	if got := zero.Apply(Use{}, text); got != "[EMAIL] [PHONE] [IP]" {
		t.Errorf("the zero policy: %q", got)
	}
	bad := Policy{
		Default: Hash{}, Types: map[Type]Operator{"x y": Leave{}, Phone: nil, Date: DateShift{}},
		Rules: []PolicyRule{{Types: map[Type]Operator{Email: Surrogate{}}}},
	}
	err := bad.Check()
	if err == nil || strings.Count(err.Error(), "\n") != 4 || !strings.Contains(err.Error(), `rule 1: EMAIL: the operator has no key`) {
		t.Errorf("got %v", err)
	}
}

// sly is an operator that writes what would be read as a placeholder.
type sly struct{ text string }

func (s sly) Append(dst []byte, _ Finding) []byte { return append(dst, s.text...) }

// TestNobodyAsksUnderAPolicy: whatever operators a policy has, and whatever a
// person writes around what they change, a value comes out only where its own
// placeholder was put in.
func TestNobodyAsksUnderAPolicy(t *testing.T) {
	k := testKey(t, "a")
	for _, op := range []Operator{Redact{}, Leave{}, Partial{}, Hash{Key: k}, Surrogate{Key: k}, Generalise{}, DateShift{Key: k}, sly{"[EMAIL_1]"}, sly{"1"}, sly{"EMAIL_1"}, sly{"[EMAIL"}, sly{"【EMAIL_1】"}, sly{"［email 1］"}, sly{`\[EMAIL\_1\]`}} {
		p := Policy{Types: map[Type]Operator{Phone: op, URL: op, IP: op, Age: op, Date: op}}
		for _, ask := range []string{
			"[EMAIL_+49 151 12345678]", "[EMAIL_8.8.8.8]", "[+49 151 12345678]", "[8.8.8.8", "8.8.8.8_1]", "https://example.org/[EMAIL_1]", "[EMAIL_1]8.8.8.8",
			"[EMAIL_1 8.8.8.8]", "【EMAIL_1】", "[I am 1 years old]", "[EMAIL_1] +49 151 12345678 [EMAIL_1]", `\[EMAIL\_1\]`, "https://example.org/?[email 1]", "[2024-05-03]",
		} {
			m := NewMap()
			p.Apply(Use{Map: m}, "secret@example.org")
			got := p.Apply(Use{Map: m}, ask)
			if back := m.Unmask(got); strings.Contains(back, "secret@") {
				t.Errorf("%T%v: %q became %q and then %q", op, op, ask, got, back)
			}
			s := p.Masker(Use{Map: m})
			if back := m.Unmask(s.Write(ask) + s.Close()); strings.Contains(back, "secret@") {
				t.Errorf("%T%v: %q in pieces gave %q", op, op, ask, back)
			}
		}
	}
}

// TestNobodyElsesValue: a placeholder of one conversation is nothing in another.
func TestNobodyElsesValue(t *testing.T) {
	p := DefaultPolicy()
	a, b := NewMap(), NewMap()
	masked := p.Apply(Use{Map: a}, "ada@example.org")
	if got := b.Unmask(masked); got != masked {
		t.Errorf("got %q", got)
	}
	p.Apply(Use{Map: b}, "bob@example.org")
	if got := b.Unmask(masked); strings.Contains(got, "ada") {
		t.Errorf("got %q", got)
	}
}

// TestAllTypesComeBack: what is masked of any type comes back.
func TestAllTypesComeBack(t *testing.T) {
	var own stubRecogniser
	f := Finder{Own: []Recogniser{&own}, Threshold: 0.99999}
	for _, typ := range append(Types(), "CUSTOM", "CUSTOM_2", "A", "X_9Y") {
		own.typ = typ
		m := NewMap()
		text := "a <value one> b <value two> c <value one>"
		masked := f.Mask(m, text)
		want := strings.NewReplacer("<value one>", "["+string(typ)+"_1]", "<value two>", "["+string(typ)+"_2]").Replace(text)
		if masked != want {
			t.Errorf("got %q, want %q", masked, want)
		}
		for _, s := range []string{masked, strings.ToLower(masked)} {
			if got := m.Unmask(s); got != text {
				t.Errorf("%q came back as %q", s, got)
			}
		}
		if got := m.Unmask(strings.NewReplacer("[", "【", "]", "】", "_", " ").Replace(masked)); got != text {
			t.Errorf("%s came back as %q", typ, got)
		}
	}
}

// stubRecogniser finds what stands in angle brackets.
type stubRecogniser struct{ typ Type }

func (s *stubRecogniser) Recognise(text string, add func(Span)) {
	for i := 0; ; {
		k := strings.IndexByte(text[i:], '<')
		if k < 0 {
			return
		}
		end := strings.IndexByte(text[i+k:], '>')
		if end < 0 {
			return
		}
		add(Span{Start: i + k, End: i + k + end + 1, Type: s.typ, Score: 1, Rule: "stub"})
		i += k + end + 1
	}
}

func TestPolicyAllocatesNothingForNothing(t *testing.T) {
	p := DefaultPolicy()
	m := NewMap()
	for _, s := range quiet() {
		if p.Finder.Find(s) != nil {
			continue
		}
		if n := testing.AllocsPerRun(20, func() { p.Apply(Use{Map: m}, s) }); n != 0 {
			t.Errorf("%v allocations for %q", n, s)
		}
	}
	u := m.Unmasker()
	if n := testing.AllocsPerRun(20, func() { u.Write("a word") }); n != 0 {
		t.Errorf("%v allocations for a word that goes through", n)
	}
}
