package inbox

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// pic is how Instagram words its calls.
func pic(body string) (channel.Batch, error) {
	return Decode([]byte(body), Dialect{Name: "instagram", Object: "instagram"}, "")
}

// dm wraps one element of messaging.
func dm(inside string) string {
	return `{"object":"instagram","entry":[{"id":"178","time":1700000001000,"messaging":[` + one(inside) + `]}]}`
}

func one(inside string) string {
	return `{"sender":{"id":"41"},"recipient":{"id":"178"},"timestamp":1700000000000,` + inside + `}`
}

// TestDecodeInstagram: what Instagram words in its own way.
func TestDecodeInstagram(t *testing.T) {
	at := time.UnixMilli(1700000000000).UTC()
	base := channel.Event{Kind: sotto.EventMessage, ID: "m1", Delivery: "me:m1", Account: "178", Sender: "41", Conversation: "41", Time: at}
	with := func(change func(*channel.Event)) channel.Event {
		e := base
		change(&e)
		return e
	}
	files := func(list ...channel.Attachment) channel.Event {
		return with(func(e *channel.Event) { e.Attachments = list })
	}
	hashed := func(kind sotto.EventKind) channel.Event {
		return with(func(e *channel.Event) { e.Kind, e.Delivery = kind, "" })
	}
	for _, tt := range []struct {
		name, inside string
		want         channel.Event
	}{
		{"text", `"message":{"mid":"m1","text":"h\u00e9\/"}`, with(func(e *channel.Event) { e.Text = "hé/" })},
		{"answer to a story", `"message":{"mid":"m1","text":"nice","reply_to":{"story":{"url":"https://lookaside.fbsbx.com/s","id":"5"}}}`, with(func(e *channel.Event) { e.Text = "nice" })},
		{"answer to a message", `"message":{"mid":"m1","text":"yes","reply_to":{"mid":"m0","is_self_reply":true}}`, with(func(e *channel.Event) { e.Text = "yes" })},
		{"mention in a story", `"message":{"mid":"m1","attachments":[{"type":"story_mention","payload":{"url":"https://lookaside.fbsbx.com/s"}}]}`, files(channel.Attachment{Kind: "other", ID: "https://lookaside.fbsbx.com/s"})},
		{"reel", `"message":{"mid":"m1","attachments":[{"type":"ig_reel","payload":{"reel_video_id":"1","title":"not theirs","url":"u"}}]}`, files(channel.Attachment{Kind: "video", ID: "u"})},
		{"post under both names", `"message":{"mid":"m1","attachments":[{"type":"share","payload":{"ig_post_media_id":"1","title":"t","url":"u"}},{"type":"ig_post","payload":{"url":"u"}}]}`, files(channel.Attachment{Kind: "other", ID: "u"})},
		{"heart", `"message":{"mid":"m1","attachments":[{"type":"like_heart"}]}`, files(channel.Attachment{Kind: "sticker"})},
		{"moving picture", `"message":{"mid":"m1","attachments":[{"type":"animated_image","payload":{"url":"u"}}]}`, files(channel.Attachment{Kind: "image", ID: "u"})},
		{"what the API does not tell", `"message":{"mid":"m1","is_unsupported":true}`, files(channel.Attachment{Kind: "other"})},
		{"unsupported, named", `"message":{"mid":"m1","attachments":[{"type":"unsupported_type","payload":null}]}`, files(channel.Attachment{Kind: "other"})},
		{"one attachment", `"message":{"mid":"m1","attachments":{"type":"image","payload":{"url":"u"}}}`, files(channel.Attachment{Kind: "image", ID: "u"})},
		{"place", `"message":{"mid":"m1","attachments":[{"type":"location","title":"x","url":"https://bing.example/?1.5,2","payload":{"url":"https://bing.example/?1.5,2","coordinates":{"lat":1.5,"long":2}}}]}`, files(channel.Attachment{Kind: "location"})},
		{"product", `"message":{"mid":"m1","text":"how much","referral":{"product":{"id":"9"}}}`, with(func(e *channel.Event) { e.Text = "how much" })},
		{"deleted", `"message":{"mid":"m1","is_deleted":true}`, with(func(e *channel.Event) { e.Kind, e.Delivery = sotto.EventDelete, "de:m1" })},
		{"question to begin with", `"postback":{"mid":"m1","title":"Opening hours?","payload":"HOURS"}`, with(func(e *channel.Event) {
			e.Kind, e.Delivery, e.Text, e.Payload = sotto.EventButton, "bu:m1", "Opening hours?", "HOURS"
		})},
		{"seen", `"read":{"mid":"m1"}`, hashed(sotto.EventReceipt)},
		{"changed", `"message_edit":{"mid":"m1","text":"new","num_edit":1}`, with(func(e *channel.Event) { e.Kind, e.Delivery, e.Text = sotto.EventEdit, "", "new" })},
		{"reaction", `"reaction":{"mid":"m1","action":"react","reaction":"love","emoji":"\u2764"}`, hashed(sotto.EventReaction)},
		{"reaction taken back", `"reaction":{"mid":"m1","action":"unreact"}`, hashed(sotto.EventReaction)},
		{"link followed", `"referral":{"ref":"R","source":"IGME-SOURCE-LINK","type":"OPEN_THREAD"}`, with(func(e *channel.Event) { e.Kind, e.ID, e.Delivery, e.Payload = sotto.EventOther, "", "", "R" })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := pic(dm(tt.inside))
			if err != nil || len(b.Events) != 1 || b.Unknown != 0 {
				t.Fatal(b, err)
			}
			got := b.Events[0]
			if strings.HasPrefix(got.Delivery, "h:") {
				got.Delivery = ""
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Echoes come as messages, with sender and recipient swapped; what the account
// takes back comes as its echo.
func TestDecodeEchoes(t *testing.T) {
	for inside, want := range map[string]sotto.EventKind{
		`"message":{"mid":"m1","text":"hi","is_echo":true}`:           sotto.EventEcho,
		`"message":{"mid":"m1","is_deleted":true,"is_echo":true}`:     sotto.EventDelete,
		`"message":{"mid":"m1","is_echo":true,"attachments":[{}]}`:    sotto.EventEcho,
		`"message":{"mid":"m1","is_echo":true,"is_unsupported":true}`: sotto.EventEcho,
	} {
		b, err := pic(`{"object":"instagram","entry":[{"id":"178","messaging":[{"sender":{"id":"178"},"recipient":{"id":"41"},"timestamp":1,` + inside + `}]}]}`)
		if err != nil || len(b.Events) != 1 {
			t.Fatal(b, err)
		}
		if e := b.Events[0]; e.Kind != want || e.Sender != "178" || e.Conversation != "41" || e.Account != "178" {
			t.Errorf("%s: %+v", inside, e)
		}
	}
}

// TestDecodeChanges: what happens in public, and messages in that form.
func TestDecodeChanges(t *testing.T) {
	entry := func(inside string) string {
		return `{"object":"instagram","entry":[{` + inside + `,"id":"178","time":1700000000}]}`
	}
	at := time.Unix(1700000000, 0).UTC()
	public := channel.Event{Kind: sotto.EventOther, Account: "178", Time: at}
	with := func(id, sender, text string) []channel.Event {
		e := public
		e.ID, e.Sender, e.Text = id, sender, text
		return []channel.Event{e}
	}
	message := []channel.Event{{
		Kind: sotto.EventMessage, ID: "random_mid", Delivery: "me:random_mid", Account: "178", Sender: "12334", Conversation: "12334",
		Text: "random_text", Time: time.Unix(1527459824, 0).UTC(),
	}}
	value := `{"sender":{"id":"12334"},"recipient":{"id":"23245"},"timestamp":"1527459824","message":{"mid":"random_mid","text":"random_text"}}`
	for _, tt := range []struct {
		name, body string
		want       []channel.Event
		unknown    int
	}{
		{"comment", entry(`"changes":[{"field":"comments","value":{"from":{"id":"7","username":"u"},"id":"55","parent_id":"54","text":"so nice","media":{"id":"3","media_product_type":"FEED"}}}]`), with("55", "7", "so nice"), 0},
		{"comment, worded as an entry", entry(`"field":"comments","value":{"from":{"id":"7"},"id":"55","text":"so nice"}`), with("55", "7", "so nice"), 0},
		{"comment by itself", `{"field":"comments","value":{"from":{"id":"7"},"id":"55","text":"so nice"}}`, []channel.Event{{Kind: sotto.EventOther, ID: "55", Sender: "7", Text: "so nice"}}, 0},
		{"comment in a list of one", entry(`"changes":[{"field":"comments","value":[{"from":{"id":"7"},"id":"55","text":"so nice"}]}]`), with("55", "7", "so nice"), 0},
		{"mention", entry(`"changes":[{"value":{"media_id":"3","comment_id":"55"},"field":"mentions"}]`), with("55", "", ""), 0},
		{"mention in a caption", entry(`"changes":[{"field":"mentions","value":{"media_id":"3"}}]`), with("3", "", ""), 0},
		{"figures of a story", entry(`"changes":[{"field":"story_insights","value":{"media_id":"3","exits":1}}]`), with("3", "", ""), 0},
		{"two that look alike", entry(`"changes":[{"field":"comments","value":{"id":"55","text":"a"}},{"field":"comments","value":{"id":"56","text":"a"}}]`), []channel.Event{with("55", "", "a")[0], with("56", "", "a")[0]}, 0},
		{
			"post on a page", entry(`"changes":[{"field":"feed","value":{"item":"comment","verb":"add","comment_id":"1_2","post_id":"1_1","sender_id":1234567890321,"sender_name":"T","created_time":1690000000,"message":"and so on"}}]`),
			[]channel.Event{{Kind: sotto.EventOther, ID: "1_2", Sender: "1234567890321", Account: "178", Text: "and so on", Time: time.Unix(1690000000, 0).UTC()}},
			0,
		},
		{"without a value", entry(`"changes":[{"field":"parking"}]`), with("", "", ""), 0},
		{"older form", entry(`"changed_fields":["feed","picture"]`), []channel.Event{public, public}, 0},
		{"without a field", entry(`"changes":[{"value":{"text":"x"}},7]`), nil, 2},
		{"message, as Meta's test button words it", entry(`"changes":[{"field":"messages","value":` + value + `}]`), message, 0},
		{"the same, as the console shows it", `{"sample":{"field":"messages","value":` + value + `}}`, withoutAccount(message), 0},
		{"the same by itself", `{"field":"messages","value":` + value + `}`, withoutAccount(message), 0},
		{"message that another app answers", entry(`"changes":[{"value":` + value + `,"field":"standby"}]`), as(message, sotto.EventStandby, "st:random_mid"), 0},
		{
			"handing over", entry(`"changes":[{"field":"messaging_handover","value":{"sender":{"id":"41"},"recipient":{"id":"178"},"timestamp":1700000000,"pass_thread_control":{"new_owner_app_id":"1"}}}]`),
			[]channel.Event{{Kind: sotto.EventOther, Account: "178", Sender: "41", Conversation: "41", Time: at}},
			0,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := pic(tt.body)
			if err != nil || b.Unknown != tt.unknown {
				t.Fatal(b, err)
			}
			seen := map[string]bool{}
			for i := range b.Events {
				e := &b.Events[i]
				if e.Delivery == "" || seen[e.Delivery] {
					t.Errorf("delivery %q", e.Delivery)
				}
				seen[e.Delivery] = true
				if strings.HasPrefix(e.Delivery, "h:") || strings.HasPrefix(e.Delivery, hashed) {
					e.Delivery = ""
				}
			}
			if diff := cmp.Diff(tt.want, b.Events); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func withoutAccount(list []channel.Event) []channel.Event {
	e := list[0]
	e.Account = "23245"
	return []channel.Event{e}
}

func as(list []channel.Event, kind sotto.EventKind, delivery string) []channel.Event {
	e := list[0]
	e.Kind, e.Delivery = kind, delivery
	return []channel.Event{e}
}

// TestDecodeFrames: other frames around the same message.
func TestDecodeFrames(t *testing.T) {
	item := one(`"message":{"mid":"m1","text":"hi"}`)
	for name, body := range map[string]string{
		"as it is":                dm(`"message":{"mid":"m1","text":"hi"}`),
		"a list of calls":         `[` + dm(`"message":{"mid":"m1","text":"hi"}`) + `]`,
		"no object":               `{"entry":[{"id":"178","messaging":[` + item + `]}]}`,
		"one entry":               `{"id":"178","time":1,"messaging":[` + item + `]}`,
		"one item":                item,
		"one item under its name": `{"messaging":` + item + `}`,
		"object alone outside":    `{"object":"instagram","messaging":[` + item + `]}`,
		"entry without a list":    `{"object":"instagram","entry":{"id":"178","messaging":[` + item + `]}}`,
		"ids as numbers":          strings.NewReplacer(`"41"`, `41`, `"178"`, `178`).Replace(item),
		"ids without objects":     strings.NewReplacer(`{"id":"41"}`, `"41"`, `{"id":"178"}`, `"178"`).Replace(item),
		"time as text":            strings.Replace(item, `1700000000000`, `"1700000000000"`, 1),
		"time in seconds":         strings.Replace(item, `1700000000000`, `1700000000`, 1),
	} {
		b, err := pic(body)
		if err != nil || len(b.Events) != 1 || b.Unknown != 0 {
			t.Errorf("%s: %+v, %v", name, b, err)
			continue
		}
		e := b.Events[0]
		if e.Kind != sotto.EventMessage || e.Text != "hi" || e.ID != "m1" || e.Sender != "41" || e.Account != "178" || e.Time.Unix() != 1700000000 {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestDecodeForeignFrames: what looks a little like an item, and is none.
func TestDecodeForeignFrames(t *testing.T) {
	for _, body := range []string{
		`[]`, `[[]]`, `[{"object":"page","entry":[]}]`, `[{"object":"instagram","entry":[]},{"update_id":1}]`,
		`{"event":"message","timestamp":1,"message_token":5,"sender":{"id":"41","name":"A"},"message":{"type":"text","text":"x"}}`,
		`{"type":"message","id":"1","recipient":{"id":"b"},"from":{"id":"a"},"text":"x"}`,
		`{"update_id":7,"message":{"message_id":1,"from":{"id":41},"chat":{"id":41},"text":"x"}}`,
		`{"destination":"U1","events":[]}`, `{"token":"t","event":{"type":"message"}}`,
		`{"field":"messages","value":{"messaging_product":"whatsapp","contacts":[],"messages":[]}}`,
		`{"entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","messages":[]}}]}]}`,
		`{"field":"x"}`, `{"id":"1","time":2}`, `{"sender":{"id":"1"},"recipient":{"id":"2"}}`, `{"message":{"mid":"1","text":"x"}}`,
	} {
		if b, err := pic(body); err == nil || len(b.Events) != 0 || b.Unknown != 0 {
			t.Errorf("%s: %+v, %v", body, b, err)
		}
	}
}

// What the entry says tells events without a time of their own apart.
func TestDecodeTimeless(t *testing.T) {
	key := func(at string) string {
		b, err := pic(`{"object":"instagram","entry":[{"id":"1","time":` + at + `,"messaging":[{"sender":{"id":"41"},"recipient":{"id":"1"},"account_linking":{"status":"linked"}}]}]}`)
		if err != nil || len(b.Events) != 1 {
			t.Fatal(b, err)
		}
		return b.Events[0].Delivery
	}
	if first, again, other := key("1"), key("1"), key("2"); first != again || first == other {
		t.Error(first, again, other)
	}
}
