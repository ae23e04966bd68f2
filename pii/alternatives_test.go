package pii

import (
	"slices"
	"testing"
)

func TestAlternatives(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []Type // that have to be listed; nil: nothing at all
	}{
		{"44051401359", []Type{PLPESEL}},
		{" 111.444.777-35\n", []Type{BRCPF}},
		{"4405140135 9x", nil},
		{"44051401358", nil}, // its check fails
		{"it is 44051401359", nil},
		{"", nil},
		{"hello", nil},
		{"12", nil},
		{"44051401359 44051401359 44051401359 44051401359", nil},
	} {
		f := Finder{}
		var got []Type
		for _, s := range f.Alternatives(tt.text) {
			got = append(got, s.Type)
			if s.Start < 0 || s.End > len(tt.text) || s.Start >= s.End || s.Score <= 0 {
				t.Errorf("%q: %+v", tt.text, s)
			}
		}
		for _, w := range tt.want {
			if !slices.Contains(got, w) {
				t.Errorf("%q: %v, want %v", tt.text, got, w)
			}
		}
		if tt.want == nil && slices.Contains(got, PLPESEL) {
			t.Errorf("%q: %v", tt.text, got)
		}
	}
	f := Finder{Types: []Type{PLPESEL}}
	if got := f.Alternatives("44051401359"); len(got) != 1 {
		t.Errorf("%v", got)
	}
	f.Types = []Type{Email}
	if got := f.Alternatives("44051401359"); got != nil {
		t.Errorf("%v", got)
	}
}
