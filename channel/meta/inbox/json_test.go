package inbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
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

// FuzzPlaces: an address that is taken leads to a host below the domain, by the
// reading of the one who calls it.
func FuzzPlaces(f *testing.F) {
	for _, s := range []string{"https://a.fbcdn.net/x", "https://a.fbcdn.net@b.example", "https://b.example/.fbcdn.net", "https://a.fbcdn.net:1/", "https://\xff.fbcdn.net"} {
		f.Add(s)
	}
	list, err := wire.ParseHosts([]string{"https://*.fbcdn.net", "https://one.example"})
	if err != nil {
		f.Fatal(err)
	}
	a := &Account{media: list}
	f.Fuzz(func(t *testing.T, addr string) {
		u, err := url.Parse(addr)
		if err != nil || !a.known(u) {
			return
		}
		r, err := http.NewRequest(http.MethodGet, u.String(), nil)
		if err != nil {
			return
		}
		host := strings.ToLower(r.URL.Hostname())
		if r.URL.Scheme != "https" || host != "one.example" && !strings.HasSuffix(host, ".fbcdn.net") || r.URL.Port() != "" {
			t.Fatalf("%q leads to %q", addr, r.URL.Host)
		}
	})
}
