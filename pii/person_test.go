package pii

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withoutNames are all types but those that the model of package names finds.
func withoutNames() []Type {
	return slices.DeleteFunc(Types(), func(t Type) bool { return t == Person || t == Location || t == Org })
}

func TestNamesAndRules(t *testing.T) {
	for _, c := range []struct {
		f    Finder
		text string
		want string
	}{
		{Finder{}, "hi im anna from berlin, mail ada@example.org", `PERSON "anna", LOCATION "berlin", EMAIL "ada@example.org"`},
		{Finder{}, "mail anna@example.org, anna smith here", `EMAIL "anna@example.org", PERSON "anna smith"`},
		{Finder{Types: withoutNames()}, "hi im anna", "-"},
		{Finder{Types: []Type{Location}}, "hi im anna from berlin", `LOCATION "berlin"`},
		{Finder{Types: []Type{Person}}, "hi im anna from berlin", `PERSON "anna"`},
		{Finder{Types: []Type{Person}}, "mail me, i'm anna: anna@example.org", `PERSON "anna"`},
		{Finder{Threshold: 0.9}, "hi im anna, card 4111 1111 1111 1111", `CREDIT_CARD "4111 1111 1111 1111"`},
		{Finder{Allow: []string{"Anna"}}, "hi im anna from berlin", `LOCATION "berlin"`},
		{Finder{Own: []Recogniser{namesake{}}}, "hi im anna", `SECRET "anna"`},
	} {
		if diff := cmp.Diff(c.want, show(&c.f, c.text)); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}

// namesake finds "anna" as something else.
type namesake struct{}

func (namesake) Recognise(_ string, add func(Span)) {
	add(Span{Start: 6, End: 10, Type: Secret, Score: 0.5, Rule: "own"})
}

func TestNameSpansSayWhy(t *testing.T) {
	var f Finder
	got := f.Find("my name is anna")
	if len(got) != 1 || got[0].Rule != "name/person" || got[0].Context != "intro" || got[0].Score < 0.5 || got[0].Score > 0.69 {
		t.Errorf("%+v", got)
	}
}
