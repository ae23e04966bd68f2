package whatsapp

import (
	"cmp"
	"encoding/json"
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
	f.Add("41", "hi", "Yes", "Y", "wamid.0", 0)
	f.Add("US.1", "\"},\"to\":\"1", "\\", "\x00\u2028\xff", "\"", 1)
	f.Add("G1", "a", "b", "c", "", 4)
	f.Add("+41", "a", "b", "c", "", 9)
	f.Fuzz(func(t *testing.T, to, text, label, payload, replyTo string, shape int) {
		c := outgoing{to: to, text: text, replyTo: replyTo}
		clean := func(s string) string { return string([]rune(s)) }
		want := map[string]any{"messaging_product": "whatsapp"}
		one := map[string]any{"id": clean(cmp.Or(payload, label)), "title": clean(label)}
		body := map[string]any{"text": clean(text)}
		switch shape % 4 {
		case 1:
			c.choices = []sotto.Button{{Label: label, Payload: payload}}
			want["type"], want["interactive"] = "interactive", map[string]any{
				"type": "button", "body": body, "action": map[string]any{"buttons": []any{map[string]any{"type": "reply", "reply": one}}},
			}
		case 2:
			b := sotto.Button{Label: label, Payload: payload}
			c.choices = []sotto.Button{b, b, b, b}
			want["type"], want["interactive"] = "interactive", map[string]any{
				"type": "list", "body": body, "action": map[string]any{"button": "go", "sections": []any{map[string]any{"rows": []any{one, one, one, one}}}},
			}
		case 3:
			c.file, c.media = &channel.File{Name: label}, payload
			d := map[string]any{"id": clean(payload), "filename": clean(cmp.Or(label, "file"))}
			if text != "" {
				d["caption"] = clean(text)
			}
			want["type"], want["document"] = "document", d
		default:
			want["type"], want["text"] = "text", map[string]any{"body": clean(text), "preview_url": false}
		}
		if replyTo != "" {
			want["context"] = map[string]any{"message_id": clean(replyTo)}
		}
		want["recipient_type"] = "individual"
		field := "to"
		switch {
		case isDigits(strings.TrimPrefix(to, "+")):
		case len(to) > 3 && to[2] == '.' && to[:2] == strings.ToUpper(to[:2]) && strings.Trim(to[:2], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "":
			field = "recipient"
		default:
			want["recipient_type"] = "group"
		}
		want[field] = clean(strings.TrimPrefix(to, "+"))
		var got any
		if err := json.Unmarshal(c.json("go"), &got); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(any(want), got); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzPlace: no address is of Meta's unless its host is one label or more below
// a domain that is allowed, over https, on its usual port.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{
		"https://lookaside.fbsbx.com/x?y", "https://LOOKASIDE.FBSBX.COM:443/", "https://fbsbx.com/", "https://a.fbsbx.com.evil.example/",
		"https://evil.example/#.fbsbx.com", "https://evil.example\\.fbsbx.com/", "https://a@b.fbsbx.com", "http://a.fbsbx.com", "https://a.fbsbx.com.",
	} {
		f.Add(s)
	}
	p, err := wire.ParseHost("https://*.fbsbx.com")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, address string) {
		u, err := url.Parse(address)
		if err != nil || !p.Has(u) {
			return
		}
		if name := strings.ToLower(u.Hostname()); u.Scheme != "https" || !strings.HasSuffix(name, ".fbsbx.com") || u.Port() != "" && u.Port() != "443" {
			t.Errorf("%q is taken for Meta's", address)
		}
	})
}
