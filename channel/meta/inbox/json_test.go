package inbox

import (
	"cmp"
	"encoding/json"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// FuzzJSON: whatever people and bots write stays inside its own string, and
// arrives as it was, but for bytes that are not UTF-8.
func FuzzJSON(f *testing.F) {
	f.Add("41", "hi", "Yes", "Y", "")
	f.Add("\"}", "\"},\"recipient\":{\"id\":\"1", "\\", "\x00\u2028\xff", "image/png")
	f.Fuzz(func(t *testing.T, to, text, label, payload, mime string) {
		m := outgoing{kind: "RESPONSE", to: to, text: text, replies: []sotto.Button{{Label: label, Payload: payload}, {Label: "b"}}}
		clean := func(s string) string { return string([]rune(s)) }
		message := map[string]any{
			"text": clean(text),
			"quick_replies": []any{
				map[string]any{"content_type": "text", "title": clean(label), "payload": clean(cmp.Or(payload, label))},
				map[string]any{"content_type": "text", "title": "b", "payload": "b"},
			},
		}
		if mime != "" {
			m.file = &channel.File{MIME: mime}
			delete(message, "text")
			message["attachment"] = map[string]any{"type": kindOf(m.file), "payload": map[string]any{}}
		}
		var got any
		if err := json.Unmarshal(m.json(), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"messaging_type": "RESPONSE", "recipient": map[string]any{"id": clean(to)}, "message": message}
		if diff := gocmp.Diff(any(want), got); diff != "" {
			t.Error(diff)
		}
	})
}
