package messenger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
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
		Sender    string `json:"sender_id"`
		Recipient string `json:"recipient_id"`
		Message   string `json:"message_id"`
		Text      string `json:"text"`
		Payload   string `json:"payload"`
		Events    int    `json:"events"`
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
	if len(list) < 60 {
		tb.Fatalf("only %d fixtures", len(list))
	}
	return list
}

// kinds is what each of the rows' kinds is to us.
var kinds = map[string]sotto.EventKind{
	"account_linking": sotto.EventOther, "echo": sotto.EventEcho, "message_edit": sotto.EventEdit,
	"deleted": sotto.EventDelete, "unsupported": sotto.EventMessage, "image": sotto.EventMessage,
	"text": sotto.EventMessage, "sticker": sotto.EventMessage, "optin": sotto.EventOptIn,
	"pass_thread_control": sotto.EventOther, "payment": sotto.EventOther, "postback": sotto.EventButton,
	"referral": sotto.EventOther, "delivery": sotto.EventReceipt, "read": sotto.EventReceipt,
	"quick_reply": sotto.EventButton, "unknown": sotto.EventOther, // {}: nothing happened
}

func TestFixtures(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.ID, func(t *testing.T) {
			b, err := Decode([]byte(f.Body))
			if f.Kind == "signature-vector" { // bodies made for signing: one is no JSON, one is {}
				if (err == nil) != (f.Body == "{}") || len(b.Events) != 0 {
					t.Fatal(b, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(b.Events) != f.Expect.Events || b.Unknown != 0 {
				t.Fatalf("%d events, %d unknown, want %d and 0", len(b.Events), b.Unknown, f.Expect.Events)
			}
			e := b.Events[0]
			if strings.Contains(f.Kind, "change:") { // who and what is not in the rows
				public(t, b.Events)
				return
			}
			switch f.Kind {
			case "message_edit":
				f.Expect.Text = "hello, world!" // the row leaves it out
			case "delivery":
				f.Expect.Message = "mid.1458668856218:ed81099e15d3f4f233" // the row leaves it out
			}
			if got, want := [3]string{e.Sender, e.ID, e.Text}, [3]string{f.Expect.Sender, f.Expect.Message, f.Expect.Text}; got != want {
				t.Errorf("sender, message, text = %q, want %q", got, want)
			}
			if f.Expect.Payload != "" && e.Payload != f.Expect.Payload {
				t.Errorf("payload = %q, want %q", e.Payload, f.Expect.Payload)
			}
			if want, ok := kinds[f.Kind]; !ok || e.Kind != want {
				t.Errorf("kind = %s, want %s", e.Kind, want)
			}
		})
	}
}

// public checks events of what happened in public.
func public(t *testing.T, events []channel.Event) {
	t.Helper()
	for _, e := range events {
		if e.Kind != sotto.EventOther || e.Conversation != "" || e.Delivery == "" || e.Time.IsZero() || e.Account == "" {
			t.Errorf("a change reads as %+v", e)
		}
	}
}

const people = `"sender":{"id":"41"},"recipient":{"id":"900"},"timestamp":1700000000000,`

func TestDecodeOtherPage(t *testing.T) {
	body := []byte(`{"object":"page","entry":[{"messaging":[{` + people + `"message":{"mid":"m1","text":"a"}}],"id":"901"},{"id":"900","messaging":[{` + people + `"message":{"mid":"m2","text":"b"}}]}]}`)
	a, err := New(Config{
		PageID: "900", AppSecrets: channel.Secrets{channel.NewSecret("s")}, VerifyToken: channel.NewSecret("v"),
		AccessToken: channel.NewSecret("t"), Client: http.DefaultClient,
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Decode(body)
	if err != nil || len(b.Events) != 1 || b.Events[0].ID != "m2" || b.Unknown != 1 {
		t.Error(b, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add([]byte(x.Body))
	}
	f.Add([]byte(`{"object":"page","entry":[{"id":1,"standby":[{` + people + `"message":{"mid":"m","text":"a"}}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Decode(body)
		again, errAgain := Decode(body)
		if diff := cmp.Diff(b, again); diff != "" || (err == nil) != (errAgain == nil) {
			t.Fatal("decoding twice differs", diff)
		}
		if err == nil && !json.Valid(body) {
			t.Fatal("decoded what is not JSON")
		}
		if len(b.Events)+b.Unknown > len(body) {
			t.Fatal("more events than bytes")
		}
		for _, e := range b.Events {
			if e.Delivery == "" || e.Kind == "" {
				t.Fatal("event without a delivery key or kind")
			}
			for _, s := range []string{e.ID, e.Delivery, e.Account, e.Sender, e.Conversation, e.Text, e.Payload} {
				if !utf8.ValidString(s) {
					t.Fatal("not UTF-8")
				}
			}
		}
	})
}
