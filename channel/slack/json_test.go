package slack

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

// FuzzJSON: whatever people and bots write stays inside its own string, arrives
// as it was, but for bytes that are not UTF-8, and can mention nobody and hide
// no address behind another.
func FuzzJSON(f *testing.F) {
	f.Add("D41", "hi", "Yes", "Y")
	f.Add("\"", "\",\"channel\":1,\"x\":\" <!channel> <https://a|b> http://x.example/<y>&amp;", "\\<@U1>", "\x00\u2028\xff")
	f.Fuzz(func(t *testing.T, to, text, label, payload string) {
		if strings.TrimSpace(text) == "" {
			return
		}
		clean := func(s string) string { return string([]rune(s)) }
		b := message(&target{channel: to, thread: "1.2"}, text, []sotto.Button{{Label: label, Payload: payload}, {Label: "b"}})
		var got struct {
			Channel string `json:"channel"`
			Thread  string `json:"thread_ts"`
			Text    string `json:"text"`
			Mrkdwn  *bool  `json:"mrkdwn"`
			Links   *bool  `json:"unfurl_links"`
			Media   *bool  `json:"unfurl_media"`
			Blocks  []struct {
				Text struct {
					Text     string `json:"text"`
					Verbatim bool   `json:"verbatim"`
				} `json:"text"`
				Elements []struct {
					Value string `json:"value"`
					Text  struct {
						Text string `json:"text"`
					} `json:"text"`
				} `json:"elements"`
			} `json:"blocks"`
		}
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.UseNumber()
		if err := d.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got.Channel != clean(to) || got.Thread != "1.2" || *got.Mrkdwn || *got.Links || *got.Media {
			t.Errorf("%+v", got)
		}
		if strings.ContainsAny(got.Text, "<>") || read(got.Text) != clean(text) {
			t.Errorf("%q arrives as %q", text, got.Text)
		}
		last := len(got.Blocks) - 1
		for _, s := range got.Blocks[:last] {
			if !s.Text.Verbatim {
				t.Error("Slack looks into the words")
			}
			rest := regexp.MustCompile(`<https?://[^<>|\s]+>`).ReplaceAllString(s.Text.Text, "")
			if strings.ContainsAny(rest, "<>") {
				t.Errorf("%q is more than text and links", s.Text.Text)
			}
		}
		e := got.Blocks[last].Elements
		if diff := cmp.Diff([]string{clean(label), clean(data(&sotto.Button{Label: label, Payload: payload})), "b"}, []string{read(e[0].Text.Text), e[0].Value, e[1].Value}); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzRead: escaping and reading are each other's reverse, and an address found
// in a text is part of it.
func FuzzRead(f *testing.F) {
	f.Add("a & b <c> &amp; &lt;")
	f.Add("see https://a.example/x?y=1&z=2, http:// and xhttps://b http://.")
	f.Fuzz(func(t *testing.T, s string) {
		if got := read(escape(s)); got != s {
			t.Errorf("%q reads as %q", s, got)
		}
		if i := address(s); i >= 0 {
			if n := addressEnd(s[i:]); n < len("http://a") || i+n > len(s) {
				t.Errorf("%q: an address of %d bytes at %d", s, n, i)
			}
		}
		linked := section(s)
		if plain := strings.NewReplacer("<", "", ">", "").Replace(linked); read(plain) != s {
			t.Errorf("%q becomes %q", s, linked)
		}
	})
}
