package transcript

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

func TestSaidForm(t *testing.T) {
	for _, want := range []Said{{}, {In: "grüß", Button: "b", Out: []string{"eins", "", "zwei"}}} {
		var got Said
		if err := got.Decode(want.Encode()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if err := new(Said).Decode([]byte("{}")); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("another form: %v", err)
	}
}

func FuzzSaidForm(f *testing.F) {
	f.Add((&Said{In: "a", Out: []string{"b"}}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again Said
		if s.Decode(b) != nil {
			return
		}
		if err := again.Decode(s.Encode()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Error(diff)
		}
	})
}
