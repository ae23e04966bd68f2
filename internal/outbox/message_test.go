package outbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

func TestMessageForm(t *testing.T) {
	for _, want := range []Message{
		{},
		{
			To: "1", Text: "grüß 👋", ReplyTo: "2", Notice: "3", Language: "de",
			Buttons: []sotto.Button{{Label: "Ja", Payload: "y"}, {Label: "Nein"}},
			File:    &channel.File{Name: "a.json", MIME: "application/json", Data: []byte("{}")},
		},
	} {
		var got Message
		if err := got.Decode(want.encode()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if err := new(Message).Decode([]byte("{}")); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("another form: %v", err)
	}
}

func FuzzMessageForm(f *testing.F) {
	f.Add((&Message{To: "1", Buttons: []sotto.Button{{Label: "x"}}, File: &channel.File{Data: []byte("x")}}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again Message
		if m.Decode(b) != nil {
			return
		}
		if err := again.Decode(m.encode()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Error(diff)
		}
	})
}
