package telegram

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

// FuzzJSON: whatever people and bots write stays inside its own string, and
// arrives as it was, but for bytes that are not UTF-8.
func FuzzJSON(f *testing.F) {
	f.Add("bc", "hi", "Yes", "Y")
	f.Add("\"", "\",\"chat_id\":1,\"x\":\"", "\\", "\x00\u2028\xff")
	f.Fuzz(func(t *testing.T, connection, text, label, payload string) {
		m := outgoing{connection: connection, chat: -5, text: text, reply: 7, buttons: []sotto.Button{{Label: label, Payload: payload}, {Label: "b"}}}
		clean := func(s string) string { return string([]rune(s)) }
		var got any
		if err := json.Unmarshal(m.json(), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"chat_id": -5.0, "text": clean(text),
			"link_preview_options": map[string]any{"is_disabled": true},
			"reply_parameters":     map[string]any{"message_id": 7.0, "allow_sending_without_reply": true},
			"reply_markup": map[string]any{"inline_keyboard": []any{
				[]any{map[string]any{"text": clean(label), "callback_data": clean(data(&m.buttons[0]))}},
				[]any{map[string]any{"text": "b", "callback_data": "b"}},
			}},
		}
		if connection != "" {
			want["business_connection_id"] = clean(connection)
		}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Error(diff)
		}
	})
}
