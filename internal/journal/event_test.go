package journal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

func TestEventForm(t *testing.T) {
	for _, want := range []channel.Event{
		{},
		{
			Kind: sotto.EventMessage, ID: "1", Delivery: "2", Account: "3", Sender: "4", Conversation: "5", Text: "grüß 👋", Payload: "6",
			Callback: "7", Language: "de-AT", Time: time.Date(2026, 11, 23, 1, 2, 3, 4000, time.UTC), Group: true, Addressed: true,
			Attachments: []channel.Attachment{{Kind: "image", ID: "8", MIME: "image/png", Name: "a.png"}, {Kind: "location"}},
		},
	} {
		var got channel.Event
		if err := DecodeEvent(EncodeEvent(&want), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if err := DecodeEvent([]byte(`{"k":"message"}`), new(channel.Event)); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("another form: %v", err)
	}
}

func FuzzEventForm(f *testing.F) {
	f.Add(EncodeEvent(&channel.Event{Kind: "message", Text: "x", Attachments: []channel.Attachment{{Kind: "file"}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e, again channel.Event
		if DecodeEvent(b, &e) != nil {
			return
		}
		if err := DecodeEvent(EncodeEvent(&e), &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Error(diff)
		}
	})
}
