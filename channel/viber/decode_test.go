package viber

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

type fixture struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Body   string `json:"body"`
	Expect struct {
		Sender  string `json:"sender_id"`
		Message string `json:"message_id"`
		Text    string `json:"text"`
		Events  int    `json:"events"`
	} `json:"expect"`
}

func fixtures(tb testing.TB) []fixture {
	tb.Helper()
	b, err := os.ReadFile("testdata/fixtures.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	var list []fixture
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		var f fixture
		if err := json.Unmarshal(s.Bytes(), &f); err != nil {
			tb.Fatal(err)
		}
		list = append(list, f)
	}
	if len(list) < 7 {
		tb.Fatalf("only %d fixtures", len(list))
	}
	return list
}

func TestFixtures(t *testing.T) {
	kinds := map[string]sotto.EventKind{
		"text": sotto.EventMessage, "seen": sotto.EventReceipt, "delivered": sotto.EventReceipt, "conversation_started": sotto.EventJoin,
	}
	for _, f := range fixtures(t) {
		t.Run(f.ID, func(t *testing.T) {
			b, err := Decode([]byte(f.Body))
			if err != nil || len(b.Events) != f.Expect.Events || b.Unknown != 0 {
				t.Fatalf("%d events, %d unknown, %v, want %d", len(b.Events), b.Unknown, err, f.Expect.Events)
			}
			if len(b.Events) == 0 { // the row gives the check of the webhook an id; it is no event
				return
			}
			e := b.Events[0]
			got := [4]string{string(e.Kind), e.Sender, e.ID, e.Text}
			if want := [4]string{string(kinds[f.Kind]), f.Expect.Sender, f.Expect.Message, f.Expect.Text}; got != want {
				t.Errorf("kind, sender, message, text = %q, want %q", got, want)
			}
		})
	}
}

func said(message string) string {
	return `{"event":"message","timestamp":1457764197627,"chat_hostname":"SN","message_token":18446744073709551615,` +
		`"sender":{"id":"U1=","name":"Ann","avatar":"https://x/y","country":"DE","language":"de","api_version":8},"message":` + message + `,"silent":false}`
}

func TestDecode(t *testing.T) {
	base := func(change func(*channel.Event)) []channel.Event {
		e := channel.Event{
			Kind: sotto.EventMessage, ID: "18446744073709551615", Delivery: "t18446744073709551615", Sender: "U1=", Conversation: "U1=",
			Language: "de", Time: time.UnixMilli(1457764197627).UTC(),
		}
		change(&e)
		return []channel.Event{e}
	}
	attached := func(text string, a channel.Attachment) []channel.Event {
		return base(func(e *channel.Event) { e.Text, e.Attachments = text, []channel.Attachment{a} })
	}
	const frame = `"timestamp":1457764197627,"message_token":18446744073709551615`
	const user = `"user":{"id":"U1=","name":"Ann","language":"de"}`
	for _, tt := range []struct {
		name, body string
		want       []channel.Event
		unknown    int
	}{
		{"text", said(`{"type":"text","text":"h\u00e9 \"q\" \\ \ud83d\ude00","tracking_data":"x"}`), base(func(e *channel.Event) { e.Text = `hé "q" \ 😀` }), 0},
		{"picture", said(`{"type":"picture","text":"see","media":"https://dl-media.viber.com/p.jpg","thumbnail":"https://x/t","file_name":"p.jpg","size":9}`), attached("see", channel.Attachment{Kind: "image", ID: "https://dl-media.viber.com/p.jpg", Name: "p.jpg"}), 0},
		{"video", said(`{"type":"video","media":"https://dl-media.viber.com/v.mp4","duration":3}`), attached("", channel.Attachment{Kind: "video", ID: "https://dl-media.viber.com/v.mp4"}), 0},
		{"file", said(`{"type":"file","media":"https://dl-media.viber.com/f","file_name":"f.pdf"}`), attached("", channel.Attachment{Kind: "file", ID: "https://dl-media.viber.com/f", Name: "f.pdf"}), 0},
		{"sticker", said(`{"type":"sticker","sticker_id":46105,"media":"https://x/s"}`), attached("", channel.Attachment{Kind: "sticker"}), 0},
		{"location", said(`{"type":"location","location":{"lat":50.7,"lon":12.3,"address":"x"}}`), attached("", channel.Attachment{Kind: "location"}), 0},
		{"contact", said(`{"type":"contact","contact":{"name":"Bob","phone_number":"+4915"}}`), attached("", channel.Attachment{Kind: "contact"}), 0},
		{"address", said(`{"type":"url","media":"https://example.org/a"}`), base(func(e *channel.Event) { e.Text = "https://example.org/a" }), 0},
		{"carousel", said(`{"type":"rich_media","rich_media":{"Buttons":[]}}`), attached("", channel.Attachment{Kind: "other"}), 0},
		{"of tomorrow", said(`{"type":"hologram","text":"x"}`), attached("x", channel.Attachment{Kind: "other"}), 0},
		{"without its frame", `{"message_token":"5","timestamp":1457764197627,"sender":{"id":"U1="},"message":{"type":"text","text":"x"}}`, base(func(e *channel.Event) {
			e.ID, e.Delivery, e.Text, e.Language = "5", "t5", "x", ""
		}), 0},
		{"subscribed", `{"event":"subscribed",` + frame + `,` + user + `}`, base(func(e *channel.Event) { e.Kind = sotto.EventUnblock }), 0},
		{"unsubscribed", `{"event":"unsubscribed",` + frame + `,"user_id":"U1="}`, base(func(e *channel.Event) { e.Kind, e.Language = sotto.EventBlock, "" }), 0},
		{"opened", `{"event":"conversation_started",` + frame + `,"type":"open","context":"secret","subscribed":false,` + user + `}`, base(func(e *channel.Event) { e.Kind = sotto.EventJoin }), 0},
		{"delivered", `{"event":"delivered",` + frame + `,"user_id":"U1="}`, base(func(e *channel.Event) {
			e.Kind, e.Language, e.Delivery = sotto.EventReceipt, "", "delivered/18446744073709551615/U1="
		}), 0},
		{"seen", `{"event":"seen",` + frame + `,"user_id":"U1="}`, base(func(e *channel.Event) {
			e.Kind, e.Language, e.Delivery = sotto.EventReceipt, "", "seen/18446744073709551615/U1="
		}), 0},
		{"failed", `{"event":"failed",` + frame + `,"user_id":"U1=","desc":"failure description"}`, base(func(e *channel.Event) {
			e.Kind, e.Language, e.Delivery = sotto.EventReceipt, "", "failed/18446744073709551615/U1="
		}), 0},
		{"client status", `{"event":"client_status",` + frame + `,` + user + `,"status":{"code":0}}`, base(func(e *channel.Event) {
			e.Kind, e.Delivery = sotto.EventOther, "client_status/18446744073709551615/U1="
		}), 0},
		{"webhook", `{"event":"webhook","timestamp":1457764197627,"message_token":241256543215}`, nil, 0},
		{"an event of tomorrow", `{"event":"teleported",` + frame + `,"user_id":"U1="}`, nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := Decode([]byte(tt.body))
			if err != nil || b.Unknown != tt.unknown {
				t.Fatal(b.Unknown, err)
			}
			if diff := cmp.Diff(tt.want, b.Events); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add([]byte(x.Body))
	}
	f.Add([]byte(said(`{"type":"url","media":"x"}`)))
	f.Add([]byte(`{"event":"unsubscribed","timestamp":1,"user_id":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Decode(body)
		again, err2 := Decode(bytes.Clone(body))
		if (err == nil) != (err2 == nil) || cmp.Diff(b, again) != "" {
			t.Fatal("the same body reads differently the second time")
		}
		if len(b.Events) > 1 || err != nil && (len(b.Events) > 0 || b.Unknown > 0) {
			t.Fatal("more than one event, or an error and events")
		}
		for _, e := range b.Events {
			if e.Delivery == "" || e.Kind == "" {
				t.Fatalf("no delivery key or kind: %+v", e)
			}
			if !utf8.ValidString(e.ID + e.Delivery + e.Sender + e.Conversation + e.Text + e.Language) {
				t.Fatal("not UTF-8")
			}
		}
	})
}

// FuzzJSON: whatever people and bots write stays inside its own string.
func FuzzJSON(f *testing.F) {
	f.Add("U1=", "hi", "Yes")
	f.Add("\"", "\",\"receiver\":\"x", "\\<b>&amp;\u2028\xff")
	f.Fuzz(func(t *testing.T, to, text, label string) {
		a := &Adapter{sender: []byte(`{"name":"S"}`)}
		clean := func(s string) string { return string([]rune(s)) }
		var got any
		if err := json.Unmarshal(a.json(to, text, []sotto.Button{{Label: label, Payload: "Y"}}), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"receiver": clean(to), "min_api_version": 1.0, "sender": map[string]any{"name": "S"}, "type": "text", "text": clean(text),
			"keyboard": map[string]any{"Type": "keyboard", "DefaultHeight": false, "Buttons": []any{
				map[string]any{"Columns": 6.0, "Rows": 1.0, "ActionType": "reply", "ActionBody": clean(label), "Text": clean(shown(label))},
			}},
		}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Error(diff)
		}
	})
}
