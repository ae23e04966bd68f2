package inbox

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

func decode(body string) (channel.Batch, error) {
	return Decode([]byte(body), Dialect{Name: "messenger", Object: "page"}, "")
}

// in wraps one element of messaging.
func in(item string) string {
	return `{"object":"page","entry":[{"id":"900","time":1700000001000,"messaging":[` + item + `]}]}`
}

const people = `"sender":{"id":"41"},"recipient":{"id":"900"},"timestamp":1700000000000,`

func TestDecode(t *testing.T) {
	at := time.UnixMilli(1700000000000).UTC()
	base := channel.Event{Kind: sotto.EventMessage, ID: "m1", Delivery: "me:m1", Account: "900", Sender: "41", Conversation: "41", Time: at}
	with := func(change func(*channel.Event)) []channel.Event {
		e := base
		change(&e)
		return []channel.Event{e}
	}
	for _, tt := range []struct {
		name, body string
		want       []channel.Event
		unknown    int
	}{
		{"text", in(`{` + people + `"message":{"mid":"m1","text":"hi \u00e9"}}`), with(func(e *channel.Event) { e.Text = "hi é" }), 0},
		{"any order of fields", `{"entry":[{"messaging":[{"message":{"text":"hi","mid":"m1"},"timestamp":1700000000000,"recipient":{"id":"900"},"sender":{"id":"41"}}],"id":"900"}],"object":"page"}`, with(func(e *channel.Event) { e.Text = "hi" }), 0},
		{"quick reply", in(`{` + people + `"message":{"mid":"m1","text":"Red","quick_reply":{"payload":"R"}}}`), with(func(e *channel.Event) {
			e.Kind, e.Delivery, e.Text, e.Payload = sotto.EventButton, "bu:m1", "Red", "R"
		}), 0},
		{"postback", in(`{` + people + `"postback":{"mid":"m1","title":"Start","payload":"GO","referral":{"ref":"r"}}}`), with(func(e *channel.Event) {
			e.Kind, e.Delivery, e.Text, e.Payload = sotto.EventButton, "bu:m1", "Start", "GO"
		}), 0},
		{"echo", in(`{"sender":{"id":"900"},"recipient":{"id":"41"},"timestamp":1700000000000,"message":{"mid":"m1","is_echo":true,"app_id":5,"text":"hi"}}`), with(func(e *channel.Event) {
			e.Kind, e.Delivery, e.Text, e.Sender = sotto.EventEcho, "ec:m1", "hi", "900"
		}), 0},
		{"deleted", in(`{` + people + `"message":{"mid":"m1","is_deleted":true}}`), with(func(e *channel.Event) {
			e.Kind, e.Delivery = sotto.EventDelete, "de:m1"
		}), 0},
		{"unsupported", in(`{` + people + `"message":{"mid":"m1","is_unsupported":true}}`), with(func(e *channel.Event) {
			e.Attachments = []channel.Attachment{{Kind: "other"}}
		}), 0},
		{"nothing in it", in(`{` + people + `"message":{"mid":"m1"}}`), with(func(e *channel.Event) { e.Kind, e.Delivery = sotto.EventOther, "ot:m1" }), 0},
		{"files", in(`{` + people + `"message":{"mid":"m1","attachments":[{"type":"image","payload":{"url":"u1"}},{"type":"location","payload":{"coordinates":{"lat":1.5,"long":2}}},{"type":"ig_reel","payload":{"url":"u2"}},{"type":"fallback","title":"t"},7]}}`), with(func(e *channel.Event) {
			e.Attachments = []channel.Attachment{{Kind: "image", ID: "u1"}, {Kind: "location"}, {Kind: "video", ID: "u2"}, {Kind: "other"}, {Kind: "other"}}
		}), 0},
		{"sticker told twice", in(`{` + people + `"message":{"mid":"m1","attachments":[{"type":"image","payload":{"url":"u","sticker_id":9}},{"type":"sticker","payload":{"url":"u","sticker_id":9}}]}}`), with(func(e *channel.Event) {
			e.Attachments = []channel.Attachment{{Kind: "sticker", ID: "u"}}
		}), 0},
		{"standby", `{"object":"page","entry":[{"id":"900","standby":[{` + people + `"message":{"mid":"m1","text":"hi"}},{` + people + `"message":{"mid":"m2","is_deleted":true}}]}]}`, []channel.Event{
			with(func(e *channel.Event) { e.Kind, e.Delivery, e.Text = sotto.EventStandby, "st:m1", "hi" })[0],
			with(func(e *channel.Event) { e.Kind, e.ID, e.Delivery = sotto.EventDelete, "m2", "de:m2" })[0],
		}, 0},
		{"one bad element", in(`7,{` + people + `"message":"no"},{` + people + `"message":{"mid":"m1","text":"hi"}},{"sender":5},[]`), []channel.Event{
			with(func(e *channel.Event) { e.Text = "hi" })[0],
		}, 4},
		{"nothing at all", in(`{}`), []channel.Event{{Kind: sotto.EventOther, Account: "900", Time: time.UnixMilli(1700000001000).UTC()}}, 0},
		{"unknown kind", in(`{` + people + `"teleport":{}}`), nil, 1},
		{"several entries", `{"object":"page","entry":[{"id":"900","messaging":[{` + people + `"message":{"mid":"m1","text":"a"}}]},{"messaging":[{` + people + `"message":{"mid":"m2","text":"b"}}],"id":"901"},"x"]}`, []channel.Event{
			with(func(e *channel.Event) { e.Text = "a" })[0],
			with(func(e *channel.Event) { e.ID, e.Delivery, e.Text, e.Account = "m2", "me:m2", "b", "901" })[0],
		}, 1},
		{"entry named twice: the last", `{"object":"page","entry":[{"id":"9","changes":[1]}],"entry":[]}`, nil, 0},
		{"message named twice: the last, whole", in(`{` + people + `"message":{"mid":"m0","text":"old","is_echo":true},"message":{"mid":"m1","text":"new"}}`), with(func(e *channel.Event) { e.Text = "new" }), 0},
		{"referral beside a message", in(`{` + people + `"message":{"mid":"m1","text":"hi"},"referral":{"ref":"x"}}`), with(func(e *channel.Event) { e.Text = "hi" }), 0},
		{"ids as numbers beyond 2^53", `{"object":"page","entry":[{"id":9007199254740993,"messaging":[{"sender":{"id":9007199254740995},"recipient":{"id":9007199254740993},"timestamp":1700000000000,"message":{"mid":"m1","text":"hi"}}]}]}`, with(func(e *channel.Event) {
			e.Text, e.Account, e.Sender, e.Conversation = "hi", "9007199254740993", "9007199254740995", "9007199254740995"
		}), 0},
		{"time of the entry", `{"object":"page","entry":[{"id":"900","time":1700000000000,"messaging":[{"sender":{"id":"41"},"message":{"mid":"m1","text":"hi"}}]}]}`, with(func(e *channel.Event) { e.Text = "hi" }), 0},
		{"time in seconds", in(`{"sender":{"id":"41"},"timestamp":1700000000,"message":{"mid":"m1","text":"hi"}}`), with(func(e *channel.Event) { e.Text = "hi" }), 0},
		{"invalid UTF-8", in(`{` + people + "\"message\":{\"mid\":\"m1\",\"text\":\"a\xffb\"}}"), with(func(e *channel.Event) { e.Text = "a\ufffdb" }), 0},
		{"no object", `{"entry":[]}`, nil, 0},
		{"empty", `{"object":"page","entry":[]}`, nil, 0},
		{"nothing", `{}`, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := decode(tt.body)
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.Events {
				if strings.HasPrefix(b.Events[i].Delivery, "h:") || strings.HasPrefix(b.Events[i].Delivery, hashed) {
					b.Events[i].Delivery = ""
				}
			}
			if diff := cmp.Diff(tt.want, b.Events); diff != "" {
				t.Error(diff)
			}
			if b.Unknown != tt.unknown {
				t.Errorf("Unknown = %d, want %d", b.Unknown, tt.unknown)
			}
		})
	}
}

// Events without an id of their own: each is named by what tells it apart, the
// same each time.
func TestDecodeHashed(t *testing.T) {
	seen := map[string]string{}
	for _, tt := range []struct {
		item string
		want channel.Event
	}{
		{`"read":{"watermark":1}`, channel.Event{Kind: sotto.EventReceipt}},
		{`"read":{"watermark":2}`, channel.Event{Kind: sotto.EventReceipt}},
		{`"read":{"mid":"m1"}`, channel.Event{Kind: sotto.EventReceipt, ID: "m1"}},
		{`"delivery":{"watermark":1}`, channel.Event{Kind: sotto.EventReceipt}},
		{`"delivery":{"mids":["m1","m2"],"watermark":1}`, channel.Event{Kind: sotto.EventReceipt, ID: "m1"}},
		{`"message_edit":{"mid":"m1","text":"a","num_edit":1}`, channel.Event{Kind: sotto.EventEdit, ID: "m1", Text: "a"}},
		{`"message_edit":{"mid":"m1","text":"a","num_edit":"2"}`, channel.Event{Kind: sotto.EventEdit, ID: "m1", Text: "a"}},
		{`"reaction":{"mid":"m1","action":"react","emoji":"x"}`, channel.Event{Kind: sotto.EventReaction, ID: "m1"}},
		{`"reaction":{"mid":"m1","action":"unreact"}`, channel.Event{Kind: sotto.EventReaction, ID: "m1"}},
		{`"postback":{"title":"A","payload":"P"}`, channel.Event{Kind: sotto.EventButton, Text: "A", Payload: "P"}},
		{`"postback":{"title":"AP","payload":""}`, channel.Event{Kind: sotto.EventButton, Text: "AP"}},
		{`"optin":{"ref":"R"}`, channel.Event{Kind: sotto.EventOptIn, Payload: "R"}},
		{`"optin":{"type":"notification_messages","notification_messages_status":"STOP_NOTIFICATIONS"}`, channel.Event{Kind: sotto.EventOptOut}},
		{`"optin":{"type":"notification_messages","notification_messages_status":"RESUME_NOTIFICATIONS"}`, channel.Event{Kind: sotto.EventOptIn}},
		{`"referral":{"ref":"R","source":"SHORTLINK"}`, channel.Event{Kind: sotto.EventOther, Payload: "R"}},
		{`"account_linking":{"status":"linked"}`, channel.Event{Kind: sotto.EventOther}},
		{`"take_thread_control":{"previous_owner_app_id":"5"}`, channel.Event{Kind: sotto.EventOther}},
		{`"policy-enforcement":{"action":"warning"}`, channel.Event{Kind: sotto.EventOther}},
		{`"message":{"mid":"` + strings.Repeat("m", 300) + `","text":"a"}`, channel.Event{Kind: sotto.EventMessage, ID: strings.Repeat("m", 300), Text: "a"}},
	} {
		b, err := decode(in(`{` + people + tt.item + `}`))
		again, _ := decode(in(` { ` + people + tt.item + ` } `))
		if err != nil || len(b.Events) != 1 {
			t.Fatal(tt.item, b, err)
		}
		e := b.Events[0]
		tt.want.Account, tt.want.Sender, tt.want.Conversation = "900", "41", "41"
		if diff := cmp.Diff(tt.want, e, cmpopts.IgnoreFields(channel.Event{}, "Delivery", "Time")); diff != "" {
			t.Error(tt.item, diff)
		}
		if len(e.Delivery) != 34 || seen[e.Delivery] != "" || again.Events[0].Delivery != e.Delivery {
			t.Errorf("%s: delivery %q, again %q, also of %s", tt.item, e.Delivery, again.Events[0].Delivery, seen[e.Delivery])
		}
		seen[e.Delivery] = tt.item
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, body := range []string{
		``, `x`, `7`, `[]`, `null`, `"page"`, `{"object":"instagram","entry":[]}`, `{"object":"user"}`,
		`{"update_id":7,"message":{"text":"hi"}}`, `{"object":"page","entry":[]} {}`, `{"object":"page","entry":[`,
		`{"object":"page","entry":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`,
	} {
		if b, err := decode(body); err == nil || len(b.Events) != 0 || sotto.KindOf(err) != sotto.KindInvalid {
			t.Errorf("%.40s: %v, %v", body, b, err)
		}
	}
}
