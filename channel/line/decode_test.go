package line

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

type fixture struct {
	ID      string            `json:"id"`
	Kind    string            `json:"kind"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
	Secret  string            `json:"secret"`
	Expect  struct {
		Sender       string   `json:"sender_id"`
		Conversation string   `json:"conversation_id"`
		Chat         string   `json:"chat_type"`
		Message      string   `json:"message_id"`
		Text         string   `json:"text"`
		Event        string   `json:"event_id"`
		Payload      string   `json:"payload"`
		Reply        string   `json:"reply_token"`
		Events       int      `json:"events"`
		Kinds        []string `json:"kinds"`
	} `json:"expect"`
}

func fixtures(tb testing.TB) []fixture {
	tb.Helper()
	f, err := os.Open("testdata/fixtures.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // read only
	var list []fixture
	s := bufio.NewScanner(f)
	for s.Buffer(nil, 1<<20); s.Scan(); {
		var x fixture
		if err := json.Unmarshal(s.Bytes(), &x); err != nil {
			tb.Fatal(err)
		}
		list = append(list, x)
	}
	if len(list) < 45 {
		tb.Fatalf("only %d fixtures", len(list))
	}
	return list
}

// Each body gives an event for each of its own, in their order, but for those
// of kinds that do not exist.
func TestFixtures(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.Kind == "signature-vector" {
			continue
		}
		t.Run(f.ID, func(t *testing.T) {
			b, err := Decode([]byte(f.Body))
			if err != nil {
				t.Fatal(err)
			}
			want, unknown := members(t, f.Body), 0
			for _, k := range f.Expect.Kinds {
				switch k {
				case "undefined", "greatNewFeature", "unknownunknownuknown":
					unknown++
				}
			}
			if b.Unknown != unknown || len(b.Events) != f.Expect.Events-unknown+want {
				t.Fatalf("%d events, %d unknown; want %d and %d", len(b.Events), b.Unknown, f.Expect.Events-unknown+want, unknown)
			}
			if len(b.Events) == 0 {
				return
			}
			e := b.Events[0]
			if strings.HasPrefix(f.Kind, "member") && f.Kind != "membership" {
				if e.Sender == "" {
					t.Error("who joined or left is not told")
				}
				f.Expect.Sender = e.Sender // the rows leave it out
				f.Expect.Event += "/" + e.Sender
				if f.Expect.Event == "/"+e.Sender {
					f.Expect.Event = ""
				}
			}
			if f.Kind == "postback" && f.Expect.Text == "" {
				f.Expect.Text = e.Text // of a date picker the rows leave out what was chosen
			}
			got := [5]string{e.Sender, e.Conversation, e.ID, e.Text, e.Payload}
			if got != [5]string{f.Expect.Sender, f.Expect.Conversation, f.Expect.Message, f.Expect.Text, f.Expect.Payload} {
				t.Errorf("sender, conversation, message, text, payload = %q, want %+v", got, f.Expect)
			}
			if e.Group != (f.Expect.Chat == "group" || f.Expect.Chat == "room") {
				t.Errorf("group: %v", e.Group)
			}
			if f.Expect.Event != "" && e.Delivery != f.Expect.Event || e.Delivery == "" {
				t.Errorf("delivery %q, want %q", e.Delivery, f.Expect.Event)
			}
			if _, token, _ := readHandle(e.Handle); e.Handle != "" && token != f.Expect.Reply {
				t.Errorf("reply token %q, want %q", token, f.Expect.Reply)
			}
		})
	}
}

// members counts the people beyond the first who joined or left with one event:
// they have an event of their own.
func members(t *testing.T, body string) (more int) {
	t.Helper()
	type list struct {
		Members []struct{} `json:"members"`
	}
	var b struct {
		Events []struct {
			Joined list `json:"joined"`
			Left   list `json:"left"`
		} `json:"events"`
	}
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		t.Fatal(err)
	}
	for _, e := range b.Events {
		more += max(len(e.Joined.Members)-1, 0) + max(len(e.Left.Members)-1, 0)
	}
	return more
}

// The vectors were published with their secrets.
func TestSignatureVectors(t *testing.T) {
	n := 0
	for _, f := range fixtures(t) {
		if f.Kind != "signature-vector" {
			continue
		}
		n++
		a, err := New(Config{Secrets: channel.Secrets{channel.NewSecret("other"), channel.NewSecret(f.Secret)}, Token: channel.NewSecret("t"), Client: http.DefaultClient})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		for k, v := range f.Headers {
			h.Set(k, v)
		}
		if err := a.Verify(&channel.Request{Method: http.MethodPost, Header: h, Body: []byte(f.Body)}); err != nil {
			t.Error(err)
		}
		if a.Verify(&channel.Request{Method: http.MethodPost, Header: h, Body: []byte(f.Body + " ")}) == nil {
			t.Error("another body is verified")
		}
		if a.Verify(&channel.Request{Method: http.MethodGet, Header: h, Body: []byte(f.Body)}) == nil {
			t.Error("a GET is verified")
		}
	}
	if n < 2 {
		t.Errorf("%d vectors", n)
	}
}

const (
	ann   = `"source":{"type":"user","userId":"U41"}`
	inC   = `"source":{"type":"group","groupId":"C7","userId":"U41"}`
	frame = `"mode":"active","timestamp":1700000000000,"webhookEventId":"01H","deliveryContext":{"isRedelivery":false},"replyToken":"tok",`
)

// in wraps events.
func in(events ...string) string {
	return `{"destination":"U900","events":[{` + strings.Join(events, "},{") + `}]}`
}

func says(inside string) string {
	return in(frame + ann + `,"type":"message","message":{` + inside + `}`)
}

// direct is the event of a message of Ann's.
func direct(change func(*channel.Event)) []channel.Event {
	e := channel.Event{
		Kind: sotto.EventMessage, ID: "5", Delivery: "01H", Account: "U900", Sender: "U41", Conversation: "U41",
		Time: time.Unix(1700000000, 0).UTC(), Handle: "1700000000000 tok ",
	}
	change(&e)
	return []channel.Event{e}
}

func grouped(change func(*channel.Event)) []channel.Event {
	return direct(func(e *channel.Event) {
		e.Conversation, e.Group = "C7", true
		change(e)
	})
}

func file(a channel.Attachment) []channel.Event {
	return direct(func(e *channel.Event) { e.Attachments = []channel.Attachment{a} })
}

func other(sender string) []channel.Event {
	return direct(func(e *channel.Event) {
		e.Kind, e.ID, e.Handle, e.Sender, e.Conversation = sotto.EventOther, "", "", sender, sender
	})
}

type decodeCase struct {
	name, body string
	want       []channel.Event
	unknown    int
}

func run(t *testing.T, cases []decodeCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			b, err := Decode([]byte(tt.body))
			if diff := cmp.Diff(tt.want, b.Events); diff != "" || err != nil || b.Unknown != tt.unknown {
				t.Errorf("%v, %d unknown, want %d: %s", err, b.Unknown, tt.unknown, diff)
			}
		})
	}
}

func TestDecodeMessages(t *testing.T) {
	run(t, []decodeCase{
		{"text", says(`"id":"5","type":"text","text":"hi \ud83d\ude00"`), direct(func(e *channel.Event) { e.Text = "hi 😀" }), 0},
		{"text with a quote token", says(`"id":"5","type":"text","text":"hi","quoteToken":"q"`), direct(func(e *channel.Event) { e.Text, e.Handle = "hi", "1700000000000 tok q" }), 0},
		{"any order of fields", `{"events":[{"message":{"text":"hi","type":"text","id":"5"},"type":"message",` + frame + ann + `}],"destination":"U900"}`, direct(func(e *channel.Event) { e.Text = "hi" }), 0},
		{"image", says(`"id":"5","type":"image","contentProvider":{"type":"line"},"imageSet":{"id":"s","index":1,"total":2}`), file(channel.Attachment{Kind: "image", ID: "5"}), 0},
		{"image elsewhere", says(`"id":"5","type":"image","contentProvider":{"type":"external","originalContentUrl":"https://evil.example"}`), file(channel.Attachment{Kind: "image"}), 0},
		{"video", says(`"id":"5","type":"video","duration":60000,"contentProvider":{"type":"line"}`), file(channel.Attachment{Kind: "video", ID: "5"}), 0},
		{"audio", says(`"id":"5","type":"audio","duration":60000,"contentProvider":{"type":"line"}`), file(channel.Attachment{Kind: "audio", ID: "5"}), 0},
		{"file", says(`"id":"5","type":"file","fileName":"a.pdf","fileSize":9`), file(channel.Attachment{Kind: "file", ID: "5", Name: "a.pdf"}), 0},
		{"location: where is not read", says(`"id":"5","type":"location","title":"home","address":"Street 1","latitude":1.5,"longitude":2.5`), file(channel.Attachment{Kind: "location"}), 0},
		{"sticker", says(`"id":"5","type":"sticker","packageId":"1","stickerId":"2","keywords":["love"]`), file(channel.Attachment{Kind: "sticker"}), 0},
		{"sticker with a text", says(`"id":"5","type":"sticker","packageId":"1","stickerId":"2","text":"mine"`), direct(func(e *channel.Event) {
			e.Text, e.Attachments = "mine", []channel.Attachment{{Kind: "sticker"}}
		}), 0},
		{"a kind to come", says(`"id":"5","type":"hologram","text":"look"`), direct(func(e *channel.Event) {
			e.Text, e.Attachments = "look", []channel.Attachment{{Kind: "other"}}
		}), 0},
		{"edit", in(frame + ann + `,"type":"messageEdited","message":{"id":"5","type":"text","text":"new"}`), direct(func(e *channel.Event) { e.Kind, e.Text = sotto.EventEdit, "new" }), 0},
		{"unsent", in(frame + ann + `,"type":"unsend","unsend":{"messageId":"5"}`), direct(func(e *channel.Event) { e.Kind = sotto.EventDelete }), 0},
		{"in a group", in(frame + inC + `,"type":"message","message":{"id":"5","type":"text","text":"hi"}`), grouped(func(e *channel.Event) { e.Text = "hi" }), 0},
		{"in a room", in(frame + `"source":{"type":"room","roomId":"R7","userId":"U41"},"type":"message","message":{"id":"5","type":"text","text":"hi"}`), grouped(func(e *channel.Event) {
			e.Text, e.Conversation = "hi", "R7"
		}), 0},
		{"in a group, by nobody", in(frame + `"source":{"type":"group","groupId":"C7"},"type":"message","message":{"id":"5","type":"text","text":"hi"}`), grouped(func(e *channel.Event) {
			e.Text, e.Sender = "hi", ""
		}), 0},
		{"in a group, to the bot", in(frame + inC + `,"type":"message","message":{"id":"5","type":"text","text":"@bot hi","mention":{"mentionees":[{"type":"user","userId":"U1","isSelf":false},{"type":"user","isSelf":true},{"type":"all"}]}}`), grouped(func(e *channel.Event) {
			e.Text, e.Addressed = "@bot hi", true
		}), 0},
		{"in a group, to all", in(frame + inC + `,"type":"message","message":{"id":"5","type":"text","text":"@All","mention":{"mentionees":[{"type":"all"}]}}`), grouped(func(e *channel.Event) { e.Text = "@All" }), 0},
		{"standby", in(`"mode":"standby","timestamp":1700000000000,"webhookEventId":"01H",` + ann + `,"type":"message","message":{"id":"5","type":"text","text":"hi"}`), direct(func(e *channel.Event) {
			e.Kind, e.Text, e.Handle = sotto.EventStandby, "hi", ""
		}), 0},
		{"unsent in standby", in(`"mode":"standby","timestamp":1700000000000,"webhookEventId":"01H",` + ann + `,"type":"unsend","unsend":{"messageId":"5"}`), direct(func(e *channel.Event) {
			e.Kind, e.Handle = sotto.EventDelete, ""
		}), 0},
		{"delivered again", strings.Replace(says(`"id":"5","type":"text","text":"hi"`), `"isRedelivery":false`, `"isRedelivery":true`, 1), direct(func(e *channel.Event) {
			e.Text, e.Handle = "hi", "0 tok "
		}), 0},
		{"an older console's trial", strings.Replace(says(`"id":"5","type":"text","text":"Hello, world"`), `"tok"`, `"`+strings.Repeat("0", 32)+`"`, 1), direct(func(e *channel.Event) {
			e.Kind, e.Text, e.Handle = sotto.EventOther, "Hello, world", ""
		}), 0},
		{"no time", strings.Replace(says(`"id":"5","type":"text","text":"hi"`), `1700000000000`, `"soon"`, 1), direct(func(e *channel.Event) {
			e.Text, e.Time, e.Handle = "hi", time.Time{}, "0 tok "
		}), 0},
		{"ids as numbers", says(`"id":444573844083572737,"type":"text","text":"hi"`), direct(func(e *channel.Event) { e.Text, e.ID = "hi", "444573844083572737" }), 0},
		{"a lone event", `{` + frame + ann + `,"type":"message","message":{"id":"5","type":"text","text":"hi"}}`, direct(func(e *channel.Event) { e.Text, e.Account = "hi", "" }), 0},
		{"a list of events", `[{` + frame + ann + `,"type":"message","message":{"id":"5","type":"text","text":"hi"}},{"type":"new"}]`, direct(func(e *channel.Event) { e.Text, e.Account = "hi", "" }), 1},
		{"no destination", `{"events":[{` + frame + ann + `,"type":"message","message":{"id":"5","type":"text","text":"hi"}}]}`, direct(func(e *channel.Event) { e.Text, e.Account = "hi", "" }), 0},
		{"empty list alone", `{"events":[]}`, nil, 0},
	})
}

func TestDecodeEvents(t *testing.T) {
	run(t, []decodeCase{
		{"button", in(frame + ann + `,"type":"postback","postback":{"data":"Y"}`), direct(func(e *channel.Event) { e.Kind, e.ID, e.Payload = sotto.EventButton, "", "Y" }), 0},
		{"button in a group", in(frame + inC + `,"type":"postback","postback":{"data":"Y"}`), grouped(func(e *channel.Event) { e.Kind, e.ID, e.Payload, e.Addressed = sotto.EventButton, "", "Y", true }), 0},
		{"date picker", in(frame + ann + `,"type":"postback","postback":{"data":"Y","params":{"datetime":"2017-12-25T01:00"}}`), direct(func(e *channel.Event) {
			e.Kind, e.ID, e.Payload, e.Text = sotto.EventButton, "", "Y", "2017-12-25T01:00"
		}), 0},
		{"rich menu", in(frame + ann + `,"type":"postback","postback":{"data":"m","params":{"newRichMenuAliasId":"b","status":"SUCCESS"}}`), direct(func(e *channel.Event) {
			e.Kind, e.ID, e.Payload = sotto.EventButton, "", "m"
		}), 0},
		{"new friend", in(frame + ann + `,"type":"follow","follow":{"isUnblocked":false}`), direct(func(e *channel.Event) { e.Kind, e.ID = sotto.EventJoin, "" }), 0},
		{"unblocked", in(frame + ann + `,"type":"follow","follow":{"isUnblocked":true}`), direct(func(e *channel.Event) { e.Kind, e.ID = sotto.EventUnblock, "" }), 0},
		{"blocked", in(`"timestamp":1700000000000,"webhookEventId":"01H",` + ann + `,"type":"unfollow"`), direct(func(e *channel.Event) { e.Kind, e.ID, e.Handle = sotto.EventBlock, "", "" }), 0},
		{"the bot joins", in(frame + `"source":{"type":"group","groupId":"C7"},"type":"join"`), grouped(func(e *channel.Event) { e.Kind, e.ID, e.Sender, e.Self = sotto.EventJoin, "", "", true }), 0},
		{"the bot leaves", in(frame + `"source":{"type":"group","groupId":"C7"},"type":"leave"`), grouped(func(e *channel.Event) { e.Kind, e.ID, e.Sender, e.Self = sotto.EventLeave, "", "", true }), 0},
		{
			"two people join", in(frame + `"source":{"type":"group","groupId":"C7"},"type":"memberJoined","joined":{"members":[{"type":"user","userId":"U1"},{"type":"user"},{"type":"user","userId":"U2"}]}`),
			append(grouped(func(e *channel.Event) { e.Kind, e.ID, e.Sender, e.Delivery = sotto.EventJoin, "", "U1", "01H/U1" }),
				grouped(func(e *channel.Event) { e.Kind, e.ID, e.Sender, e.Delivery = sotto.EventJoin, "", "U2", "01H/U2" })...), 0,
		},
		{"somebody leaves", in(frame + `"source":{"type":"group","groupId":"C7"},"type":"memberLeft","left":{"members":[{"type":"user","userId":"U1"}]}`), grouped(func(e *channel.Event) {
			e.Kind, e.ID, e.Sender, e.Delivery = sotto.EventLeave, "", "U1", "01H/U1"
		}), 0},
		{"nobody is said to leave", in(frame + `"source":{"type":"group","groupId":"C7"},"type":"memberLeft"`), grouped(func(e *channel.Event) { e.Kind, e.ID, e.Sender = sotto.EventLeave, "", "" }), 0},
		{"beacon", in(frame + ann + `,"type":"beacon","beacon":{"hwid":"x","type":"enter"}`), other("U41"), 0},
		{"account link", in(frame + ann + `,"type":"accountLink","link":{"result":"ok","nonce":"n"}`), other("U41"), 0},
		{"membership", in(frame + ann + `,"type":"membership","membership":{"type":"joined","membershipId":1}`), other("U41"), 0},
		{"video", in(frame + ann + `,"type":"videoPlayComplete","videoPlayComplete":{"trackingId":"x"}`), other("U41"), 0},
		{"module", in(frame + `"type":"module","module":{"type":"attached","botId":"U1"}`), other(""), 0},
		{"activated", in(frame + ann + `,"type":"activated","chatControl":{"expireAt":1}`), other("U41"), 0},
		{"deactivated", in(frame + ann + `,"type":"deactivated"`), other("U41"), 0},
		{"suspended", in(frame + `"type":"botSuspended"`), other(""), 0},
		{"resumed", in(frame + `"type":"botResumed"`), other(""), 0},
		{"delivery", in(frame + ann + `,"type":"delivery","delivery":{"data":"x"}`), other("U41"), 0},
		{"unknown, then a message", in(frame+ann+`,"type":"teleport"`, frame+ann+`,"type":"message","message":{"id":"5","type":"text","text":"hi"}`, `"type":"message"`), direct(func(e *channel.Event) { e.Text = "hi" }), 2},
		{"nothing", in(``), nil, 1},
		{"no objects", `{"destination":"U900","events":[null,1,"x",[]]}`, nil, 4},
		{"a trial of the address", `{"destination":"U900","events":[]}`, nil, 0},
	})
}

// Events from before there were ids are told apart all the same.
func TestDeliveryWithoutID(t *testing.T) {
	seen := map[string]string{}
	for _, inside := range []string{
		`"type":"follow"`, `"type":"message","message":{"id":"5","type":"text","text":"a"}`, `"type":"message","message":{"id":"6","type":"text","text":"a"}`,
		`"type":"postback","postback":{"data":"a"}`, `"type":"postback","postback":{"data":"b"}`,
	} {
		for _, who := range []string{"U1", "U2"} {
			body := in(`"timestamp":5,"replyToken":"r","source":{"type":"user","userId":"` + who + `"},` + inside)
			b, err := Decode([]byte(body))
			if err != nil || len(b.Events) != 1 {
				t.Fatal(b, err)
			}
			if other, ok := seen[b.Events[0].Delivery]; ok {
				t.Errorf("%s and %s share a key", body, other)
			}
			seen[b.Events[0].Delivery] = body
		}
	}
}

func TestForeign(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"events":[{"type":"x"}]}`, `{"events":[{"kind":1}]}`, `{"events":{}}`, `{"type":"message","message":{"text":"x"}}`, `{"type":"MESSAGE","message":{},"user":{}}`,
		`{"object":"page","entry":[]}`, `{"update_id":1,"message":{}}`, `{"for_user_id":"1","direct_message_events":[]}`, `[{"type":"message"}]`, `[]`,
		`{"type":"event_callback","event":{"type":"message"}}`, `{"event":"message","sender":{"id":"1"}}`, `{"type":1,"id":"2"}`, `{"data":{"event_uuid":"1"}}`,
		`{"type":"message","id":"1","from":{"id":"2"},"channelId":"msteams"}`,
	} {
		if b, err := Decode([]byte(body)); err == nil {
			t.Errorf("%s is understood: %+v", body, b)
		}
	}
}

// FuzzDecode: no bytes make it panic; what comes out is valid, named, and the
// same the second time.
func FuzzDecode(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add([]byte(x.Body))
	}
	f.Add([]byte(in(frame + `"source":{"groupId":"C"},"type":"memberJoined","joined":{"members":[{"userId":"\ud800"}]}`)))
	f.Add([]byte("[{}]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Decode(body)
		if err != nil {
			if len(b.Events) != 0 || b.Unknown != 0 || strings.Contains(err.Error(), fmt.Sprintf("%.20s", body)) && len(body) > 19 {
				t.Errorf("%+v beside an error, or an error that shows the body", b)
			}
			return
		}
		again, err := Decode(body)
		if err != nil || !reflect.DeepEqual(b, again) {
			t.Errorf("the second time: %+v, %v", again, err)
		}
		for _, e := range b.Events {
			if e.Delivery == "" || e.Kind == "" || !utf8.ValidString(e.Text+e.Sender+e.ID+e.Conversation+e.Delivery+e.Handle+e.Payload+e.Account) {
				t.Errorf("%+v", e)
			}
			if _, token, quote := readHandle(e.Handle); e.Handle != "" && (token == "" || strings.Contains(token+quote, " ")) {
				t.Errorf("handle %q", e.Handle)
			}
			for _, a := range e.Attachments {
				if !utf8.ValidString(a.ID + a.Name) {
					t.Errorf("%+v", a)
				}
			}
		}
	})
}
