package channel_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

func TestWriteJSON(t *testing.T) {
	var out strings.Builder
	east := time.FixedZone("", 2*3600)
	err := channel.WriteJSON(&out, channel.Batch{Unknown: 1, Events: []channel.Event{
		{
			Kind: sotto.EventMessage, ID: "5", Delivery: "d", Sender: "41", Conversation: "-100", Text: "a <b>\n\"é\"",
			Payload: "hidden", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, east),
		},
		{Kind: sotto.EventReceipt},
		{Kind: sotto.EventEdit, ID: "5", Own: "6"},
	}})
	want := `{"kind":"message","sender_id":"41","conversation_id":"-100","message_id":"5","text":"a <b>\n\"é\"","time":"2026-01-02T01:04:05Z"}
{"kind":"receipt","sender_id":"","conversation_id":"","message_id":"","text":"","time":""}
{"kind":"edit","sender_id":"","conversation_id":"","message_id":"6","text":"","time":""}
{"kind":"unknown","sender_id":"","conversation_id":"","message_id":"","text":"","time":""}
`
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
	out.Reset()
	if err := channel.WriteJSON(&out, channel.Batch{}); err != nil || out.Len() != 0 {
		t.Error(err, out.String())
	}
}
