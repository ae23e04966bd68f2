package whatsapp

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// in wraps the inside of a value that is about messages.
func in(inside string) string { return change("messages", inside) }

func change(field, inside string) string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"5","time":1700000001,"changes":[{"value":{"messaging_product":"whatsapp",` +
		`"metadata":{"display_phone_number":"+1 555-000","phone_number_id":"900"},` + inside + `},"field":"` + field + `"}]}]}`
}

// said is a message of user 41 that holds something.
func said(holds string) string {
	return in(`"messages":[{"from":"41","id":"w1","timestamp":"1700000000",` + holds + `}]`)
}

// what is the text of user 41, before a test changes it.
func what(change func(*channel.Event)) []channel.Event {
	e := channel.Event{
		Kind: sotto.EventMessage, ID: "w1", Delivery: "m:w1", Account: "900", Handle: "900", Sender: "41", Conversation: "41",
		Time: time.Unix(1700000000, 0).UTC(),
	}
	change(&e)
	return []channel.Event{e}
}

// bare is an event of another kind than a message.
func bare(kind sotto.EventKind, change func(*channel.Event)) []channel.Event {
	return what(func(e *channel.Event) { e.Kind, e.Handle = kind, ""; change(e) })
}

func files(text string, list ...channel.Attachment) []channel.Event {
	return what(func(e *channel.Event) { e.Text, e.Attachments = text, list })
}

type reading struct {
	name, body string
	want       []channel.Event
}

func (r reading) run(t *testing.T) {
	t.Helper()
	t.Run(r.name, func(t *testing.T) {
		b, err := Decode([]byte(r.body))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(channel.Batch{Events: r.want}, b); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDecodeMessages(t *testing.T) {
	const zero = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" // of nothing
	const zeroHex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, tt := range []reading{
		{"text", said(`"type":"text","text":{"body":"h\u00e9 \ud83d\ude00"}`), what(func(e *channel.Event) { e.Text = "hé 😀" })},
		{"type last", said(`"text":{"body":"hi"},"type":"text"`), what(func(e *channel.Event) { e.Text = "hi" })},
		{"no type", said(`"text":{"body":"hi"}`), what(func(e *channel.Event) { e.Text = "hi" })},
		{"a type to come that holds text", said(`"type":"rich","text":{"body":"hi"}`), what(func(e *channel.Event) { e.Text = "hi" })},
		{"number as time", in(`"messages":[{"from":41,"id":"w1","timestamp":1700000000,"type":"text","text":{"body":"hi"}}]`), what(func(e *channel.Event) { e.Text = "hi" })},
		{"milliseconds", in(`"messages":[{"from":"41","id":"w1","timestamp":"1700000000000","type":"text","text":{"body":"hi"}}]`), what(func(e *channel.Event) { e.Text = "hi" })},
		{"no time", in(`"messages":[{"from":"41","id":"w1","timestamp":"TIMESTAMP","type":"text","text":{"body":"hi"}}]`), what(func(e *channel.Event) { e.Text, e.Time = "hi", time.Time{} })},
		{"image", said(`"type":"image","image":{"id":"7","mime_type":"image/jpeg","sha256":"` + zero + `","caption":"look"}`), files("look", channel.Attachment{Kind: "image", ID: "7", MIME: "image/jpeg", Sum: zeroHex})},
		{"a sum that is none", said(`"type":"image","image":{"id":"7","sha256":"abc"}`), files("", channel.Attachment{Kind: "image", ID: "7"})},
		{"an address alone", said(`"type":"video","video":{"url":"https://lookaside.fbsbx.com/x"}`), files("", channel.Attachment{Kind: "video", ID: "https://lookaside.fbsbx.com/x"})},
		{"voice", said(`"type":"audio","audio":{"id":"7","voice":true}`), files("", channel.Attachment{Kind: "audio", ID: "7"})},
		{"voice of its own type", said(`"type":"voice","voice":{"id":"7"}`), files("", channel.Attachment{Kind: "audio", ID: "7"})},
		{"document", said(`"type":"document","document":{"id":"7","filename":"a.pdf","caption":"this"}`), files("this", channel.Attachment{Kind: "file", ID: "7", Name: "a.pdf"})},
		{"sticker", said(`"type":"sticker","sticker":{"id":"7","animated":false}`), files("", channel.Attachment{Kind: "sticker", ID: "7"})},
		{"location", said(`"type":"location","location":{"latitude":1.5,"longitude":2,"name":"Home"}`), files("", channel.Attachment{Kind: "location"})},
		{"contacts", said(`"type":"contacts","contacts":[{"name":{"formatted_name":"A"}},{"name":{}}]`), files("", channel.Attachment{Kind: "contact"}, channel.Attachment{Kind: "contact"})},
		{"order", said(`"type":"order","order":{"catalog_id":"1","text":"quick please","product_items":[{"text":"no"}]}`), files("quick please", channel.Attachment{Kind: "other"})},
		{"unsupported", said(`"type":"unsupported","errors":[{"code":131051}],"unsupported":{"type":"poll"}`), files("", channel.Attachment{Kind: "other"})},
		{"from an advertisement", said(`"type":"text","text":{"body":"hi"},"referral":{"body":"AD","headline":"x","source_id":"1"}`), what(func(e *channel.Event) { e.Text = "hi" })},
		{"template button", said(`"type":"button","button":{"text":"Yes","payload":"Y"}`), what(func(e *channel.Event) { e.Kind, e.Text, e.Payload = sotto.EventButton, "Yes", "Y" })},
		{"button", said(`"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"Y","title":"Yes"}}`), what(func(e *channel.Event) { e.Kind, e.Text, e.Payload = sotto.EventButton, "Yes", "Y" })},
		{"list", said(`"type":"interactive","interactive":{"list_reply":{"id":"Y","title":"Yes","description":"no"},"type":"list_reply"}`), what(func(e *channel.Event) { e.Kind, e.Text, e.Payload = sotto.EventButton, "Yes", "Y" })},
		{"form", said(`"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"{\"a\":1}","body":"Sent","name":"flow"}}`), what(func(e *channel.Event) { e.Kind, e.Payload = sotto.EventButton, `{"a":1}` })},
		{"call permission", said(`"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"accept"}}`), bare(sotto.EventOther, func(*channel.Event) {})},
		{"an answer to come", said(`"type":"interactive","interactive":{"type":"dance","dance":{}}`), files("", channel.Attachment{Kind: "other"})},
	} {
		tt.run(t)
	}
}

func TestDecodeOthers(t *testing.T) {
	for _, tt := range []reading{
		{"reaction", said(`"type":"reaction","reaction":{"message_id":"w0","emoji":"\ud83d\udc4d"}`), bare(sotto.EventReaction, func(e *channel.Event) { e.ID, e.Own, e.Payload = "w0", "w1", "👍" })},
		{"reaction taken back", said(`"type":"reaction","reaction":{"message_id":"w0"}`), bare(sotto.EventReaction, func(e *channel.Event) { e.ID, e.Own = "w0", "w1" })},
		{
			"edit", said(`"type":"edit","edit":{"original_message_id":"w0","message":{"context":{"id":"x"},"type":"text","text":{"body":"better"}}}`),
			bare(sotto.EventEdit, func(e *channel.Event) { e.ID, e.Own, e.Text = "w0", "w1", "better" }),
		},
		{"deletion", said(`"type":"revoke","revoke":{"original_message_id":"w0"}`), bare(sotto.EventDelete, func(e *channel.Event) { e.ID, e.Own = "w0", "w1" })},
		{"first look", said(`"type":"request_welcome"`), bare(sotto.EventJoin, func(*channel.Event) {})},
		{
			"new number", said(`"type":"system","system":{"body":"A changed","type":"user_changed_number","wa_id":"42"}`),
			bare(sotto.EventMigrate, func(e *channel.Event) { e.Payload = "42" }),
		},
		{
			"new number and id", said(`"type":"system","system":{"type":"user_changed_number","wa_id":"42","user_id":"US.2","previous_user_id":"US.1"}`),
			append(bare(sotto.EventMigrate, func(e *channel.Event) { e.Payload, e.Alias = "42", "US.1" }),
				bare(sotto.EventMigrate, func(e *channel.Event) {
					e.Sender, e.Conversation, e.Payload, e.Delivery = "US.1", "US.1", "US.2", key("u", "w1", "US.1", "US.2")
				})...),
		},
		{
			"new id alone", in(`"messages":[{"id":"w1","timestamp":"1700000000","type":"system","system":{"type":"user_changed_user_id","user_id":"US.2","previous_user_id":"US.1"}}]`),
			bare(sotto.EventMigrate, func(e *channel.Event) { e.Sender, e.Conversation, e.Payload = "US.1", "US.1", "US.2" }),
		},
		{"new keys", said(`"type":"system","system":{"type":"customer_identity_changed","body":"x"}`), bare(sotto.EventOther, func(*channel.Event) {})},
		{
			"in a group", said(`"group_id":"G1","type":"text","text":{"body":"hi"}`),
			what(func(e *channel.Event) { e.Group, e.Conversation, e.Text = true, "G1", "hi" }),
		},
		{
			"mention in a group", said(`"group_id":"G1","type":"text","text":{"body":"hey @1555000 hi"}`),
			what(func(e *channel.Event) {
				e.Group, e.Addressed, e.Conversation, e.Text = true, true, "G1", "hey @1555000 hi"
			}),
		},
		{
			"another is mentioned", said(`"group_id":"G1","type":"text","text":{"body":"mail a@b.org or @15550001 /hi"}`),
			what(func(e *channel.Event) {
				e.Group, e.Conversation, e.Text = true, "G1", "mail a@b.org or @15550001 /hi"
			}),
		},
		{
			"answer in a group", said(`"context":{"from":"1555000","id":"w0"},"group_id":"G1","type":"text","text":{"body":"hi"}`),
			what(func(e *channel.Event) { e.Group, e.Addressed, e.Conversation, e.Text = true, true, "G1", "hi" }),
		},
		{
			"command in a group", said(`"group_id":"G1","type":"text","text":{"body":"/privacy"}`),
			what(func(e *channel.Event) { e.Group, e.Addressed, e.Conversation, e.Text = true, true, "G1", "/privacy" }),
		},
	} {
		tt.run(t)
	}
}

func TestDecodeNotices(t *testing.T) {
	for _, tt := range []reading{
		{
			"standby", change("standby", `"messages":[{"from":"41","id":"w1","timestamp":"1700000000","type":"text","text":{"body":"hi"}}]`),
			what(func(e *channel.Event) { e.Kind, e.Text = sotto.EventStandby, "hi" }),
		},
		{
			"echo", change("smb_message_echoes", `"message_echoes":[{"from":"1555000","to":"41","id":"w1","timestamp":"1700000000","type":"text","text":{"body":"we said"}}]`),
			bare(sotto.EventEcho, func(e *channel.Event) { e.Sender, e.Text, e.Delivery = "1555000", "we said", "e:w1" }),
		},
		{
			"echo to an id", change("message_echoes", `"message_echoes":[{"from":"1555000","to_user_id":"US.1","id":"w1","timestamp":"1700000000","type":"image","image":{"id":"7"}}]`),
			bare(sotto.EventEcho, func(e *channel.Event) {
				e.Sender, e.Conversation, e.Delivery, e.Attachments = "1555000", "US.1", "e:w1", []channel.Attachment{{Kind: "image", ID: "7"}}
			}),
		},
		{
			"status", in(`"statuses":[{"id":"w1","status":"read","timestamp":"1700000000","recipient_id":"41"}]`),
			bare(sotto.EventReceipt, func(e *channel.Event) { e.Payload, e.Delivery = "read", key("s", "w1", "read", "", "") }),
		},
		{
			"failed", in(`"statuses":[{"id":"w1","status":"failed","timestamp":"1700000000","recipient_user_id":"US.1","errors":[{"code":131026,"title":"whisper"},{"code":1}]}]`),
			bare(sotto.EventReceipt, func(e *channel.Event) {
				e.Payload, e.Delivery, e.Sender, e.Conversation = "failed/131026", key("s", "w1", "failed", "", ""), "US.1", "US.1"
			}),
		},
		{
			"status in a group", in(`"statuses":[{"id":"w1","status":"read","timestamp":"1700000000","recipient_id":"G1","recipient_type":"group","recipient_participant_id":"41","recipient_participant_user_id":"US.1"}]`),
			bare(sotto.EventReceipt, func(e *channel.Event) {
				e.Payload, e.Delivery, e.Group, e.Conversation, e.Alias = "read", key("s", "w1", "read", "41", "US.1"), true, "G1", "US.1"
			}),
		},
		{
			"opt-out", change("user_preferences", `"user_preferences":[{"wa_id":"41","detail":"x","category":"marketing_messages","value":"stop","timestamp":1700000000}]`),
			bare(sotto.EventOptOut, func(e *channel.Event) {
				e.ID, e.Payload, e.Delivery = "", "marketing_messages", key("p", "41", "", "marketing_messages", "stop", "1700000000")
			}),
		},
		{
			"opt-in of somebody without a number", change("user_preferences", `"user_preferences":[{"user_id":"US.1","category":"marketing_messages","value":"resume","timestamp":1700000000}]`),
			bare(sotto.EventOptIn, func(e *channel.Event) {
				e.ID, e.Payload, e.Delivery, e.Sender, e.Conversation = "", "marketing_messages", key("p", "", "US.1", "marketing_messages", "resume", "1700000000"), "US.1", "US.1"
			}),
		},
		{
			"left a group", change("group_participants_update", `"groups":[{"timestamp":"1700000000","group_id":"G1","type":"group_participants_remove","removed_participants":[{"wa_id":"41"},{"user_id":"US.1"}]}]`),
			append(bare(sotto.EventLeave, func(e *channel.Event) {
				e.ID, e.Group, e.Conversation, e.Delivery = "", true, "G1", key("g", "G1", "group_participants_remove", "1700000000", "leave", "41", "")
			}), bare(sotto.EventLeave, func(e *channel.Event) {
				e.ID, e.Group, e.Conversation, e.Sender, e.Delivery = "", true, "G1", "US.1", key("g", "G1", "group_participants_remove", "1700000000", "leave", "", "US.1")
			})...),
		},
		{
			"group closed", change("group_lifecycle_update", `"groups":[{"timestamp":"1700000000","group_id":"G1","type":"group_delete"}]`),
			bare(sotto.EventLeave, func(e *channel.Event) {
				e.ID, e.Group, e.Self, e.Conversation, e.Sender, e.Delivery = "", true, true, "G1", "", key("g", "G1", "group_delete", "1700000000")
			}),
		},
		{
			"group not made", change("group_lifecycle_update", `"groups":[{"timestamp":"1700000000","type":"group_create","errors":[{"code":131000}]}]`),
			bare(sotto.EventOther, func(e *channel.Event) {
				e.ID, e.Group, e.Conversation, e.Sender, e.Delivery = "", true, "", "", key("g", "", "group_create", "1700000000")
			}),
		},
		{
			"error of the account", in(`"errors":[{"code":130429,"title":"Rate limit hit"}]`),
			bare(sotto.EventOther, func(e *channel.Event) {
				e.ID, e.Sender, e.Conversation, e.Time, e.Payload, e.Delivery = "", "", "", time.Time{}, "130429", key("f", "messages", `{"code":130429,"title":"Rate limit hit"}`)
			}),
		},
		{
			"call", change("calls", `"calls":[{"id":"c1","from":"41","to":"1555000","event":"connect","timestamp":"1700000000"}]`),
			bare(sotto.EventOther, func(e *channel.Event) {
				e.ID, e.Delivery = "c1", key("a", "c1", "connect", "41", "", "1700000000")
			}),
		},
	} {
		tt.run(t)
	}
}

// Who an event is about: two ids become one person only where the body says so.
func TestPeople(t *testing.T) {
	text := `"id":"w1","timestamp":"1700000000","type":"text","text":{"body":"hi"}`
	for _, tt := range []struct {
		name, inside, sender, alias string
	}{
		{"number", `"messages":[{"from":"41",` + text + `}]`, "41", ""},
		{"both in the message", `"messages":[{"from":"41","from_user_id":"US.1",` + text + `}]`, "41", "US.1"},
		{"id in the message", `"messages":[{"from_user_id":"US.1",` + text + `}]`, "US.1", ""},
		{"id in the contact", `"contacts":[{"wa_id":"41","user_id":"US.1"}],"messages":[{"from":"41",` + text + `}]`, "41", "US.1"},
		{"contact behind", `"messages":[{"from":"41",` + text + `}],"contacts":[{"wa_id":"41","user_id":"US.1"}]`, "41", "US.1"},
		{"number in the contact", `"contacts":[{"wa_id":"41","user_id":"US.1"}],"messages":[{"from_user_id":"US.1",` + text + `}]`, "US.1", "41"},
		{"the contact alone", `"contacts":[{"wa_id":"41","user_id":"US.1"}],"messages":[{` + text + `}]`, "41", "US.1"},
		{"the contact alone, without a number", `"contacts":[{"user_id":"US.1"}],"messages":[{` + text + `}]`, "US.1", ""},
		{"another's contact", `"contacts":[{"wa_id":"42","user_id":"US.2"}],"messages":[{"from":"41",` + text + `}]`, "41", ""},
		{"among several", `"contacts":[{"wa_id":"42","user_id":"US.2"},{"wa_id":"41","user_id":"US.1"}],"messages":[{"from":"41",` + text + `}]`, "41", "US.1"},
		{"nobody among several", `"contacts":[{"wa_id":"42"},{"wa_id":"41"}],"messages":[{` + text + `}]`, "", ""},
	} {
		b, err := Decode([]byte(in(tt.inside)))
		if err != nil || len(b.Events) != 1 {
			t.Errorf("%s: %+v, %v", tt.name, b, err)
			continue
		}
		if e := b.Events[0]; e.Sender != tt.sender || e.Alias != tt.alias || e.Conversation != tt.sender {
			t.Errorf("%s: sender %q, alias %q, conversation %q", tt.name, e.Sender, e.Alias, e.Conversation)
		}
	}
}

// Everything that may stand in one call: several numbers, people and kinds.
func TestBatch(t *testing.T) {
	part := func(number, messages string) string {
		return `{"field":"messages","value":{"metadata":{"phone_number_id":"` + number + `"},"messages":[` + messages + `]}}`
	}
	one := func(n int) string {
		return fmt.Sprintf(`{"from":"4%d","id":"w%d","timestamp":"1","type":"text","text":{"body":"hi"}}`, n, n)
	}
	body := `{"entry":[{"changes":[` + part("900", one(1)+`,7,{"type":"teleport","id":"x","from":"1"},`+one(2)) + `,` + part("901", one(3)+`,`+one(4)) + `]},3,{"changes":[` +
		part("900", one(5)) + `,5,{"field":"teleport","value":{"messages":[` + one(6) + `]}}],"id":"1"}],"object":"whatsapp_business_account"}`
	for _, tt := range []struct {
		number, want string
		unknown      int
	}{{"", "w1 w2 w3 w4 w5", 5}, {"900", "w1 w2 w5", 7}, {"902", "", 10}} {
		a := &Adapter{conf: Config{PhoneNumberID: tt.number}}
		b, err := a.Decode([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, e := range b.Events {
			ids = append(ids, e.ID)
			if want := map[bool]string{true: e.Account}[tt.number == ""]; e.Handle != want {
				t.Errorf("handle %q, want %q", e.Handle, want)
			}
		}
		if got := strings.Join(ids, " "); got != tt.want || b.Unknown != tt.unknown {
			t.Errorf("of %q: %q, %d unknown; want %q and %d", tt.number, got, b.Unknown, tt.want, tt.unknown)
		}
	}
}

// Parts of a call that were kept without its frame, and those that only look so.
func TestLoose(t *testing.T) {
	const m = `{"from":"41","id":"w1","timestamp":"1","type":"text","text":{"body":"hi"}}`
	for body, want := range map[string]bool{
		m: true,
		`{"messages":[` + m + `],"contacts":[{"wa_id":"41"}]}`:                                         true,
		`{"field":"messages","value":{"messages":[` + m + `]}}`:                                        true,
		`{"id":"1","changes":[{"field":"messages","value":{"messages":[` + m + `]}}]}`:                 true,
		`{"entry":[{"id":"1","changes":[{"value":{"messages":[` + m + `]}}]}]}`:                        true,
		`{"id":"w1","status":"read","timestamp":"1","recipient_id":"41"}`:                              true,
		`{"object":"page","entry":[{"id":"1","changes":[{"value":{"messages":[` + m + `]}}]}]}`:        false,
		`{"object":"instagram","messages":[` + m + `]}`:                                                false,
		`{"id":"1","changes":[{"field":"feed","value":{}}]}`:                                           false,
		`{"to":"U1","messages":[{"type":"text","text":"hi"}]}`:                                         false,
		`{"type":"message","message":{"type":"text","id":"1","text":"hi"},"timestamp":1,"source":{}}`:  false,
		`{"message_id":1,"from":{"id":41},"chat":{"id":41},"date":1,"text":"hi"}`:                      false,
		`{"id":"1","type":0,"timestamp":"2026-01-01T00:00:00Z","author":{"id":"41"},"content":"hi"}`:   false,
		`{"sender":{"id":"41"},"recipient":{"id":"9"},"timestamp":1,"message":{"mid":"m","text":"x"}}`: false,
		`{"field":"x","value":1}`: false,
	} {
		b, err := Decode([]byte(body))
		if (err == nil && len(b.Events) == 1) != want || !want && err == nil {
			t.Errorf("%s: %+v, %v", body, b, err)
		}
	}
}

// Of what was said long ago nothing is answered.
func TestHistory(t *testing.T) {
	b, err := Decode([]byte(change("history", `"messages":[{"from":"41","id":"w1","timestamp":"1","type":"image","image":{"id":"7"}}]`)))
	if err != nil || len(b.Events) != 1 || b.Events[0].Kind != sotto.EventOther {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestKnownFields(t *testing.T) {
	for _, f := range []string{
		"account_alerts", "account_update", "account_review_update", "business_capability_update", "message_template_status_update",
		"phone_number_name_update", "template_category_update", "security", "flows", "history", "smb_app_state_sync", "partner_solutions",
		"payment_configuration_update", "tracking_events", "automatic_events", "messaging_handovers", "group_settings_update", "some_later_update",
	} {
		b, err := Decode([]byte(change(f, `"event":"x"`)))
		if err != nil || len(b.Events) != 1 || b.Events[0].Kind != sotto.EventOther || b.Events[0].Delivery == "" || b.Unknown != 0 {
			t.Errorf("%s: %+v, %v", f, b, err)
		}
	}
	first, err := Decode([]byte(change("account_update", `"event":"x"`)))
	if err != nil {
		t.Fatal(err)
	}
	if second, err := Decode([]byte(change("account_update", `"event":"y"`))); err != nil || first.Events[0].Delivery == second.Events[0].Delivery {
		t.Error("two notices share a delivery key", err)
	}
	if b, err := Decode([]byte(change("messages", `"event":"x"`))); err != nil || len(b.Events) != 0 || b.Unknown != 1 {
		t.Errorf("messages without any: %+v, %v", b, err)
	}
}

// FuzzDecode: no bytes bring the reader down, every event has a delivery key,
// every text is UTF-8, and the same bytes read the same twice.
func FuzzDecode(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add([]byte(x.Body))
	}
	f.Add([]byte(said(`"type":"system","system":{"type":"user_changed_number","wa_id":"42","user_id":"US.2","previous_user_id":"US.1"}`)))
	f.Add([]byte(said(`"type":"edit","edit":{"message":{"type":"edit","edit":{"message":{"text":{"body":"x"}}}}}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Decode(body)
		if err != nil && (len(b.Events) != 0 || b.Unknown != 0) {
			t.Fatal("an error and events")
		}
		for i := range b.Events {
			e := &b.Events[i]
			if e.Kind == "" || e.Delivery == "" || len(e.Delivery) > 256 {
				t.Fatalf("%+v", e)
			}
			for _, s := range [...]string{e.ID, e.Own, e.Delivery, e.Account, e.Sender, e.Conversation, e.Text, e.Payload, e.Handle, e.Alias} {
				if !utf8.ValidString(s) {
					t.Fatalf("%q is not UTF-8", s)
				}
			}
		}
		again, err2 := Decode(body)
		if diff := cmp.Diff(b, again); diff != "" || (err == nil) != (err2 == nil) {
			t.Fatal(diff)
		}
	})
}
