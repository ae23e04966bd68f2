package pii

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestLongTexts: what is found does not depend on where in a text it stands,
// although only a window of it is looked at.
func TestLongTexts(t *testing.T) {
	for _, c := range []struct {
		sentence string
		want     Type
		found    string
	}{
		{"I live at 221B Baker Street, London.\n", Address, "221B Baker Street, London"},
		{"Ich wohne in der Hauptstraße 12a, 10115 Berlin.\n", Address, "Hauptstraße 12a, 10115 Berlin"},
		{"She was born on the 3rd of May 1990.\n", DateOfBirth, "3rd of May 1990"},
		{"My son is 7 years old.\n", Age, "7"},
		{"My passport number is A12803456.\n", Passport, "A12803456"},
		{"I was diagnosed with type 2 diabetes.\n", Medical, "type 2 diabetes"},
		{"I'm a German.\n", NRP, "German"},
		{"Kennzeichen B-MW 1234.\n", VehiclePlate, "B-MW 1234"},
	} {
		f := Finder{Types: []Type{c.want}}
		for _, filler := range []string{"", "so ", "so what is it that you do, "} {
			const times = 60
			text := strings.Repeat(filler+c.sentence, times)
			found := f.Find(text)
			if len(found) != times {
				t.Fatalf("%q: found %d times of %d", filler+c.sentence, len(found), times)
			}
			for _, sp := range found {
				if got := text[sp.Start:sp.End]; got != c.found || sp.Type != c.want {
					t.Fatalf("%q: found %s %q", filler+c.sentence, sp.Type, got)
				}
			}
		}
	}
}

// TestThreshold: what is less sure is found by those who want it.
func TestThreshold(t *testing.T) {
	sure, all := Finder{Types: []Type{NRP, Medical}, Threshold: 0.9}, Finder{Types: []Type{NRP, Medical}, Threshold: 0.3}
	for text, n := range map[string]int{"an American company": 1, "a Catholic school": 1, "asthma is an illness that many have": 1, "german": 1} {
		if got := all.Find(text); len(got) != n {
			t.Errorf("%q: found %v, want %d", text, got, n)
		}
		if got := sure.Find(text); got != nil {
			t.Errorf("%q: found %v, want none", text, got)
		}
	}
	for _, text := range []string{"12 High Street", "1.5.2024", "passport AB12345678", "I'm German", "SW1A 1AA", "i take 500 mg", "I'm 34"} {
		f := Finder{Threshold: 0.99, Types: wordTypes[:]}
		if got := f.Find(text); got != nil {
			t.Errorf("%q: found %v above 0.99", text, got)
		}
	}
}

// FuzzWords: findings are in order, inside of the text, between characters and
// do not overlap, and are the same the second time.
func FuzzWords(f *testing.F) {
	for _, file := range []string{"date", "age", "address", "postcode", "passport", "licence", "plate", "nrp", "medical"} {
		raw, err := os.ReadFile("testdata/" + file + ".txt")
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			in, _, _ := strings.Cut(line, arrow)
			f.Add(unquote(in))
		}
	}
	find := Finder{Types: wordTypes[:], Threshold: 0.1, Regions: []string{"DE", "GB", "US", "NL", "CA", "ES", "IT", "KR"}}
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for _, sp := range find.Find(text) {
			if sp.Start < at || sp.End <= sp.Start || sp.End > len(text) || sp.Score <= 0 || sp.Score > 1 || sp.Rule == "" {
				t.Fatalf("%+v after %d in %q", sp, at, text)
			}
			border := func(i int) bool {
				return i == len(text) || utf8.RuneStart(text[i]) || !utf8.ValidString(text)
			}
			if !border(sp.Start) || !border(sp.End) {
				t.Fatalf("%+v cuts a character of %q", sp, text)
			}
			at = sp.End
		}
	})
}
