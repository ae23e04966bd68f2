package offers

import (
	"strings"
	"testing"
	"unicode"

	"github.com/sotto-chat/sotto"
)

var choices = []sotto.Button{{Label: "Yes, please", Payload: "y"}, {Label: "  No ", Payload: "n"}, {Label: "7", Payload: "seven"}, {Label: "Straße", Payload: "s"}}

func TestMatch(t *testing.T) {
	for text, want := range map[string]string{
		"1": "y", "2": "n", "2.": "n", "2)": "n", "２": "n", "２．": "n", "2。": "n", " 2\n": "n", "2\ufe0f\u20e3": "n", "2\u20e3": "n",
		"٢": "n", "२": "n", "৩": "seven", "𝟐": "n",
		"7": "seven", "yes, PLEASE": "y", "\tYes, please ": "y", "no": "n", "straße": "s", "STRAßE": "s",
		"": "", " ": "", "0": "", "5": "", "02": "", "2..": "", "2 3": "", "-1": "", "+2": "", "2nd": "", "1.5": "", "yes": "", "No thanks": "", ".": "",
		"1000": "", "4294967297": "", "18446744073709551617": "", "²": "", "Ⅱ": "", "二": "", "\ufe0f": "", "2\x00": "", "\xff2": "", "2 yes": "",
	} {
		b, byNumber, ok := Match(choices, text)
		if b.Payload != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, b.Payload, ok, want)
		}
		if first := strings.TrimSpace(text); ok && want != "seven" && byNumber != unicode.IsDigit([]rune(first)[0]) {
			t.Errorf("%q: by number %v", text, byNumber)
		}
	}
	if _, _, ok := Match(nil, "1"); ok {
		t.Error("nothing was offered")
	}
	if b, byNumber, ok := Match([]sotto.Button{{Label: "2", Payload: "a"}, {Label: "1", Payload: "b"}}, "1"); !ok || byNumber || b.Payload != "b" {
		t.Error("a number means a label before it means a place")
	}
}

// Every decimal digit that Unicode knows has the value that its name says: the
// ten digits of a script stand together.
func TestDigits(t *testing.T) {
	n := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		d, ok := digit(r)
		if ok != unicode.IsDigit(r) {
			t.Fatalf("%U: %v", r, ok)
		}
		if !ok {
			continue
		}
		n++
		if prev, was := digit(r - 1); d != 0 && (!was || prev != d-1) {
			t.Errorf("%U is %d and follows %d", r, d, prev)
		}
	}
	if n%10 != 0 || n < 600 {
		t.Errorf("%d digits", n)
	}
}

// A match is a button that was offered, and the text is its number or label and
// nothing else.
func FuzzMatch(f *testing.F) {
	f.Add("2.", "Yes", "No")
	f.Add("２", "２", "")
	f.Add("12\u20e3", "ſ", "S")
	f.Fuzz(func(t *testing.T, text, one, two string) {
		buttons := []sotto.Button{{Label: one, Payload: "1"}, {Label: two, Payload: "2"}}
		b, byNumber, ok := Match(buttons, text)
		switch {
		case !ok && b != (sotto.Button{}), ok && b != buttons[0] && b != buttons[1]:
			t.Fatalf("%+v", b)
		case ok && !byNumber && !strings.EqualFold(strings.TrimSpace(text), strings.TrimSpace(b.Label)):
			t.Fatalf("%q is not the label %q", text, b.Label)
		case ok && byNumber && len([]rune(strings.TrimSpace(text))) > 6:
			t.Fatalf("%q is a number", text)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(choices))
	f.Fuzz(func(t *testing.T, plain []byte) {
		b, err := Decode(plain)
		if err != nil {
			return
		}
		if got := encode(b); string(got) != string(plain) {
			t.Fatalf("%x is read as %x", plain, got)
		}
	})
}
