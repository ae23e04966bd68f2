package pii

import (
	"fmt"
	"strings"
	"testing"
)

func explained(f *Finder, text string) string {
	var b strings.Builder
	for _, e := range f.Explain(text) {
		fmt.Fprintf(&b, "%q found=%v %s\n", text[e.Start:e.End], e.Found, e.Why)
	}
	return b.String()
}

func TestExplain(t *testing.T) {
	own, err := Compile(OwnRule{Name: "ticket", Type: "TICKET", Pattern: `T-\d+`, Score: 0.2, Words: []string{"ticket"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		f    Finder
		text string
		want []string
	}{
		{Finder{}, "hello", nil},
		{Finder{}, "ada@example.org", []string{`"ada@example.org" found=true The rule email takes this for EMAIL and is 0.96 sure of it.`}},
		{Finder{}, "card 4111 1111 1111 1111", []string{`found=true The rule card`, `Its check digit is right (Luhn).`}},
		{Finder{}, "card 4111 1111 1111 1112", []string{`"4111 1111 1111 1112" found=false This has the length and the beginning of a card number, but its check digit is wrong`}},
		{Finder{}, "DE89 3704 0044 0532 0130 01", []string{`found=false This has the form of an account number, but its check digits are wrong`}},
		{Finder{}, "DE89 3704 0044 0532 01", []string{`has not the 22 letters and digits`}},
		{Finder{}, "my pesel is 44051401358", []string{`"44051401358" found=false This has the form of PL_PESEL, but fails its check. The word "pesel" stands near.`}},
		{Finder{}, "my pesel is 44051401359", []string{`found=true The rule national/pl_pesel`, `It passes its check, as one in about`, `The word "pesel" stands near.`}},
		{Finder{}, "ada@localhost", []string{`"ada@localhost" found=false This is no e-mail address`}},
		{Finder{}, "order 100200300", []string{`"100200300"`, `found=false`}},
		{Finder{}, "my pesel is 44051401358", []string{`if a word near said so`}},
		{Finder{Types: []Type{Phone}}, "ada@example.org", []string{`found=false`, `EMAIL is not among the types that are looked for.`}},
		{Finder{Allow: []string{"ada@example.org"}}, "ada@example.org", []string{`found=false`, `it is allowed.`}},
		{Finder{Threshold: 0.99}, "ada@example.org", []string{`found=false`, `less than the threshold of 0.99.`}},
		{Finder{Own: own}, "T-123", []string{`"T-123" found=false The rule own/ticket takes this for TICKET and is 0.20 sure`, `less than the threshold of 0.50.`}},
		{Finder{Own: own}, "ticket T-123", []string{`"T-123" found=true`, `The word "ticket" stands near.`}},
		{Finder{}, "https://example.org/?mail=ada@example.org", []string{`against`}},
	} {
		got := explained(&c.f, c.text)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%q: %q is missing in\n%s", c.text, want, got)
			}
		}
		if c.want == nil && got != "" {
			t.Errorf("%q:\n%s", c.text, got)
		}
	}
}

// TestExplainAgrees: what is explained as found is what is found, and the
// sentences hold nothing of the text.
func TestExplainAgrees(t *testing.T) {
	var f Finder
	for _, text := range append(streamTexts()[:6], quiet()...) {
		spans := f.Find(text)
		n := 0
		for _, e := range f.Explain(text) {
			if e.Start < 0 || e.End > len(text) || e.Start >= e.End || e.Why == "" {
				t.Errorf("%q: %+v", text, e)
				continue
			}
			if value := text[e.Start:e.End]; len(value) > 6 && strings.Contains(e.Why, value) {
				t.Errorf("%q names %q", e.Why, value)
			}
			if !e.Found {
				continue
			}
			if n >= len(spans) || spans[n] != e.Span {
				t.Errorf("%q: %+v is explained and not found", text, e.Span)
			}
			n++
		}
		if n != len(spans) {
			t.Errorf("%q: %d of %d are explained", text, n, len(spans))
		}
	}
}

func FuzzExplain(f *testing.F) {
	for _, s := range streamTexts() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 500 {
			return
		}
		var fd Finder
		for _, e := range fd.Explain(text) {
			if e.Start < 0 || e.End > len(text) || e.Start >= e.End || !border(text, e.Start) || !border(text, e.End) || e.Why == "" {
				t.Fatalf("%q: %+v", text, e)
			}
		}
	})
}

// TestAdvantage: each reason for which one finding stays and another goes.
func TestAdvantage(t *testing.T) {
	e := explainer{finder: &Finder{Types: []Type{Email, Phone}}}
	email := Span{Start: 0, End: 10, Type: Email, Score: 0.8}
	for want, b := range map[string]Span{
		"of a type that is looked for": {End: 10, Type: IP, Score: 0.9},
		"sure enough":                  {End: 10, Type: Phone, Score: 0.2},
		"surer":                        {End: 10, Type: Phone, Score: 0.7},
		"longer":                       {End: 9, Type: Phone, Score: 0.8},
		"just as sure and found first": {End: 10, Type: Phone, Score: 0.8},
		"seen first in a larger whole": {End: 12, Type: Phone, Score: 0.9},
	} {
		if got := e.advantage(email, b); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := checkOf(ARDNI); got != "Numbers of this kind have no check." {
		t.Errorf("got %q", got)
	}
}
