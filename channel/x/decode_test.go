package x

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// The bodies are worded as docs.x.com words them, with ids of our own: 900 is
// the account, 41 whoever writes to it.

// aaa is a body of the Account Activity API.
func aaa(fields string) string { return `{"for_user_id":"900",` + fields + `}` }

// xaa is a body of the X Activity API.
func xaa(kind, payload string) string {
	return `{"data":{"event_uuid":"-6850472171600526495","filter":{"user_id":"900"},"event_type":"` + kind + `","tag":"t","payload":{` + payload + `}}}`
}

// dm is a direct message.
func dm(id, from, to, data string) string {
	return `{"type":"message_create","id":"` + id + `","created_timestamp":"1700000000123","message_create":{"target":{"recipient_id":"` + to +
		`"},"sender_id":"` + from + `","source_app_id":"1","message_data":{` + data + `,"entities":{"urls":[],"hashtags":[]}}}}`
}

const people = `,"users":{"41":{"data":{"id":"41","username":"ann","entities":{"url":{"urls":[]}}}},"900":{"data":{"id":"900"}}}`

// direct is the event of a direct message of 41.
func direct(change func(*channel.Event)) []channel.Event {
	e := channel.Event{
		Kind: sotto.EventMessage, ID: "5", Delivery: "dm/5/900", Account: "900", Sender: "41", Conversation: "41",
		Time: time.UnixMilli(1700000000123).UTC(),
	}
	change(&e)
	return []channel.Event{e}
}

func text(s string) []channel.Event { return direct(func(e *channel.Event) { e.Text = s }) }

func file(a channel.Attachment) []channel.Event {
	return direct(func(e *channel.Event) { e.Attachments = []channel.Attachment{a} })
}

// other is an event with which nothing is done.
func other(kind sotto.EventKind, sender, id string) []channel.Event {
	return direct(func(e *channel.Event) {
		e.Kind, e.Sender, e.Conversation, e.ID, e.Delivery = kind, sender, sender, id, "e/-6850472171600526495"
		e.Time = time.Time{}
	})
}

func at(events []channel.Event, t time.Time) []channel.Event {
	events[0].Time = t
	return events
}

type decodeCase struct {
	name, body string
	want       []channel.Event
	unknown    int
}

// run compares, but for the deliveries of events that are named by their hash.
func run(t *testing.T, cases []decodeCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			b, err := Decode([]byte(tt.body))
			for i := range b.Events {
				if strings.HasPrefix(b.Events[i].Delivery, "h/") && len(b.Events[i].Delivery) == 34 {
					b.Events[i].Delivery = "e/-6850472171600526495"
				}
			}
			if diff := cmp.Diff(tt.want, b.Events); diff != "" || err != nil || b.Unknown != tt.unknown {
				t.Errorf("%v, %d unknown, want %d: %s", err, b.Unknown, tt.unknown, diff)
			}
		})
	}
}

func TestDecodeMessages(t *testing.T) {
	list := func(events ...string) string { return `"direct_message_events":[` + strings.Join(events, ",") + `]` }
	hi := dm("5", "41", "900", `"text":"hi"`)
	run(t, []decodeCase{
		{"received", aaa(list(hi) + people), text("hi"), 0},
		{"received, by activity", xaa("dm.received", list(hi)+people), text("hi"), 0},
		{"owner behind the messages", `{` + list(hi) + `,"for_user_id":"900"}`, text("hi"), 0},
		{"filter behind the payload", `{"data":{"payload":{` + list(hi) + `},"event_type":"dm.received","filter":{"user_id":"900"}}}`, text("hi"), 0},
		{"escaped", aaa(list(dm("5", "41", "900", `"text":"a &lt;b&gt; &amp;amp; &quot;c&quot; &#39;d&#39; &eacute; & e"`))), text(`a <b> &amp; "c" 'd' &eacute; & e`), 0},
		{"link as delivered", aaa(list(dm("5", "41", "900", `"text":"see https://t.co/abc"`))), text("see https://t.co/abc"), 0},
		{"sent by the account", aaa(list(dm("5", "900", "41", `"text":"hi"`))), direct(func(e *channel.Event) { e.Kind, e.Text, e.Sender = sotto.EventEcho, "hi", "900" }), 0},
		{"sent, by activity", xaa("dm.sent", list(dm("5", "900", "41", `"text":"hi"`))), direct(func(e *channel.Event) { e.Kind, e.Text, e.Sender = sotto.EventEcho, "hi", "900" }), 0},
		{"quick reply", aaa(list(dm("5", "41", "900", `"text":"Yes","quick_reply_response":{"type":"options","metadata":"Y"}`))), direct(func(e *channel.Event) {
			e.Kind, e.Text, e.Payload = sotto.EventButton, "Yes", "Y"
		}), 0},
		{"photo", aaa(list(dm("5", "41", "900", `"text":"","attachment":{"type":"media","media":{"id":1,"id_str":"1","media_url":"http://x","media_url_https":"https://ton.twitter.com/1.1/ton/data/dm/5/6/a.jpg","type":"photo","sizes":{}}}`))), file(channel.Attachment{Kind: "image", ID: "https://ton.twitter.com/1.1/ton/data/dm/5/6/a.jpg"}), 0},
		{"film: the best copy", aaa(list(dm("5", "41", "900", `"text":"","attachment":{"type":"media","media":{"type":"video","media_url_https":"https://pbs.twimg.com/p.jpg","video_info":{"aspect_ratio":[1,1],"variants":[{"content_type":"application/x-mpegURL","url":"https://video.twimg.com/a.m3u8"},{"bitrate":320000,"content_type":"video/mp4","url":"https://video.twimg.com/s.mp4"},{"bitrate":2176000,"content_type":"video/mp4","url":"https://video.twimg.com/l.mp4"}]}}}`))), file(channel.Attachment{Kind: "video", ID: "https://video.twimg.com/l.mp4", MIME: "video/mp4"}), 0},
		{"animation without copies", aaa(list(dm("5", "41", "900", `"text":"","attachment":{"type":"media","media":{"type":"animated_gif","media_url_https":"https://pbs.twimg.com/p.jpg"}}`))), file(channel.Attachment{Kind: "video", ID: "https://pbs.twimg.com/p.jpg"}), 0},
		{"animation, of no rate", aaa(list(dm("5", "41", "900", `"text":"","attachment":{"type":"media","media":{"type":"animated_gif","media_url_https":"https://pbs.twimg.com/p.jpg","video_info":{"variants":[{"bitrate":0,"content_type":"video/mp4","url":"https://video.twimg.com/g.mp4"}]}}}`))), file(channel.Attachment{Kind: "video", ID: "https://video.twimg.com/g.mp4", MIME: "video/mp4"}), 0},
		{"place: where is not read", aaa(list(dm("5", "41", "900", `"text":"","attachment":{"type":"location","location":{"type":"shared_coordinate","shared_coordinate":{"coordinates":{"type":"Point","coordinates":[-122.4,37.7]}}}}`))), file(channel.Attachment{Kind: "location"}), 0},
		{"attachment to come", aaa(list(dm("5", "41", "900", `"text":"","attachment":{"type":"hologram"}`))), file(channel.Attachment{Kind: "other"}), 0},
		{"ids as numbers", `{"for_user_id":900,"direct_message_events":[{"type":"message_create","id":2080765901528535096,"created_timestamp":1700000000123,"message_create":{"sender_id":41,"target":{"recipient_id":900},"message_data":{"text":"hi"}}}]}`, direct(func(e *channel.Event) {
			e.Text, e.ID, e.Delivery = "hi", "2080765901528535096", "dm/2080765901528535096/900"
		}), 0},
		{"alone", hi, direct(func(e *channel.Event) { e.Text, e.Account, e.Delivery = "hi", "", "dm/5/" }), 0},
		{"alone, in a frame", `{"event":` + hi + `,"apps":{}}`, direct(func(e *channel.Event) { e.Text, e.Account, e.Delivery = "hi", "", "dm/5/" }), 0},
		{"as API v2 words it", `{"data":{"event_type":"MessageCreate","id":"5","text":"hi &amp; bye","sender_id":"41","dm_conversation_id":"41-900","created_at":"2023-11-14T22:13:20.123Z"}}`, direct(func(e *channel.Event) {
			e.Text, e.Account, e.Delivery = "hi & bye", "", "dm/5/"
		}), 0},
		{"without a list", xaa("dm.received", `"id":"5","text":"hi","sender_id":"41","created_timestamp":"1700000000123"`), text("hi"), 0},
		{"two, and one to come", aaa(list(dm("5", "41", "900", `"text":"a"`), `{"type":"message_melt","id":"7"}`, dm("6", "42", "900", `"text":"b"`), `null`)), append(text("a"),
			direct(func(e *channel.Event) {
				e.Text, e.ID, e.Delivery, e.Sender, e.Conversation = "b", "6", "dm/6/900", "42", "42"
			})...), 2},
		{"no sender", aaa(list(`{"type":"message_create","id":"5","message_create":{}}`)), nil, 1},
		{"no messages", aaa(list()), nil, 0},
		{"nothing", `{"for_user_id":"900"}`, nil, 0},
	})
}

func TestDecodeEvents(t *testing.T) {
	moment := time.UnixMilli(1518452444662).UTC()
	user := func(id string) string {
		return `{"id":"` + id + `","screen_name":"x","created_timestamp":"1422556069340"}`
	}
	pair := func(source, target string) string {
		return `"created_timestamp":"1518452444662","source":` + user(source) + `,"target":` + user(target)
	}
	v2 := func(source, target string) string {
		return `"source":{"data":{"username":"a","entities":{"url":{"urls":[{"url":"u"}]}},"id":"` + source + `"}},"target":{"data":{"id":"` + target + `","public_metrics":{}}}`
	}
	run(t, []decodeCase{
		{"read", aaa(`"direct_message_mark_read_events":[{"created_timestamp":"1518452444662","sender_id":"41","target":{"recipient_id":"900"},"last_read_event_id":"963085315333238788"}]`), at(other(sotto.EventReceipt, "41", "963085315333238788"), moment), 0},
		{"read, by activity", xaa("dm.read", `"direct_message_mark_read_events":[{"created_timestamp":"1518452444662","sender_id":"41","target":{"recipient_id":"900"},"last_read_event_id":"9"}]`), at(other(sotto.EventReceipt, "41", "9"), moment), 0},
		{"read, without a list", xaa("dm.read", `"sender_id":"41","last_read_event_id":"9"`), other(sotto.EventReceipt, "41", "9"), 0},
		{"typing", aaa(`"direct_message_indicate_typing_events":[{"created_timestamp":"1518452444662","sender_id":"41","target":{"recipient_id":"900"}}]` + people), at(other(sotto.EventOther, "41", ""), moment), 0},
		{"typing, without a list", xaa("dm.indicate_typing", `"sender_id":"41"`), other(sotto.EventOther, "41", ""), 0},
		{"blocked", aaa(`"block_events":[{"type":"block",` + pair("41", "900") + `}]`), at(other(sotto.EventBlock, "41", ""), moment), 0},
		{"unblocked", aaa(`"block_events":[{"type":"unblock",` + pair("41", "900") + `}]`), at(other(sotto.EventUnblock, "41", ""), moment), 0},
		{"unblocked, in a list of its own", aaa(`"unblock_events":[{` + pair("41", "900") + `}]`), at(other(sotto.EventUnblock, "41", ""), moment), 0},
		{"the account blocks", aaa(`"block_events":[{"type":"block",` + pair("900", "41") + `}]`), at(other(sotto.EventOther, "900", ""), moment), 0},
		{"the account blocks, by activity", xaa("block.block", v2("900", "41")), other(sotto.EventOther, "900", ""), 0},
		{"blocked, by activity", xaa("block.block", v2("41", "900")), other(sotto.EventBlock, "41", ""), 0},
		{"unblocked, by activity", xaa("block.unblock", v2("41", "900")), other(sotto.EventUnblock, "41", ""), 0},
		{"followed", aaa(`"follow_events":[{"type":"follow",` + pair("41", "900") + `},{"type":"unfollow",` + pair("42", "900") + `}]`), append(at(other(sotto.EventOther, "41", ""), moment), at(other(sotto.EventOther, "42", ""), moment)...), 0},
		{"muted", aaa(`"mute_events":[{"type":"mute",` + pair("900", "41") + `}]`), at(other(sotto.EventOther, "900", ""), moment), 0},
		{"liked", aaa(`"favorite_events":[{"id":"a7ba","created_at":"Mon Mar 26 16:33:26 +0000 2018","timestamp_ms":1518452444662,"favorited_status":{"id":1,"text":"t"},"user":` + user("41") + `}]`), at(other(sotto.EventOther, "41", "a7ba"), moment), 0},
		{"posted", aaa(`"user_has_blocked":false,"tweet_create_events":[{"created_at":"Mon May 19 14:01:46 +0000 2025","id":1924465506158879000,"id_str":"1924465506158878979","text":"hi","user":{"id":41,"id_str":"41"}}]`), other(sotto.EventOther, "41", "1924465506158878979"), 0},
		{"post deleted", aaa(`"tweet_delete_events":[{"status":{"id":"1","user_id":"41"},"timestamp_ms":"1518452444662"}]`), at(other(sotto.EventOther, "41", ""), moment), 0},
		{"like, by activity", xaa("like.create", `"id":"8771","timestamp_ms":"1518452444662","liked_tweet_author_id":"3","liked_tweet_id":"4"`), at(other(sotto.EventOther, "", "8771"), moment), 0},
		{"follow, by activity", xaa("follow.follow", v2("41", "900")), other(sotto.EventOther, "41", ""), 0},
		{"post, by activity", xaa("post.mention.create", `"id":"1","author_id":"41","created_at":"2018-02-12T16:20:44.662Z","text":"hey"`), at(other(sotto.EventOther, "41", "1"), moment), 0},
		{"profile", xaa("profile.update.bio", `"before":"a","after":"b"`), other(sotto.EventOther, "", ""), 0},
		{"encrypted chat", xaa("chat.received", `"conversation_token":"t","id":"e4f4d3fc","sender_id":"41","conversation_id":"41:900","encoded_event":"CwAB"`), other(sotto.EventOther, "41", "e4f4d3fc"), 0},
		{"encrypted chat, changed", xaa("chat.conversation.join", `"id":"1"`), other(sotto.EventOther, "", "1"), 0},
		{"space", xaa("spaces.start", `"user":{"data":{"id":"41"}},"broadcast_id":"1"`), other(sotto.EventOther, "41", ""), 0},
		{"mute, by activity", xaa("mute.mute", v2("900", "41")), other(sotto.EventOther, "900", ""), 0},
		{"broadcast", xaa("broadcast.chat", `"message_id":"1","author":{"data":{"id":"41"}}`), other(sotto.EventOther, "", ""), 0},
		{"news", xaa("news.new", `"headline":"x"`), other(sotto.EventOther, "", ""), 0},
		{
			"permission taken back", `{"user_event":{"revoke":{"date_time":"2018-02-12T16:20:44.662+00:00","target":{"app_id":"1"},"source":{"user_id":"41"}}}}`,
			at(direct(func(e *channel.Event) {
				e.Kind, e.ID, e.Account, e.Delivery = sotto.EventOptOut, "", "", "e/-6850472171600526495"
			}), moment), 0,
		},
		{
			"permission taken back, by activity", `{"data":{"event_uuid":"-6850472171600526495","filter":{},"event_type":"oauth.revoke","payload":{"date_time":"2018-02-12T16:20:44.662+00:00","user_id":"41","app_id":"2"}}}`,
			at(direct(func(e *channel.Event) {
				e.Kind, e.ID, e.Account, e.Delivery = sotto.EventOptOut, "", "", "e/-6850472171600526495"
			}), moment), 0,
		},
		{"list to come", aaa(`"teleport_events":[{"id":"1"}]`), nil, 1},
		{"event to come", `{"user_event":{"teleport":{}}}`, nil, 1},
		{"activity to come", xaa("teleport.start", ``), nil, 1},
		{"message activity to come", xaa("dm.melted", `"id":"1"`), nil, 1},
		{"list in a payload to come", xaa("dm.received", `"teleport_events":[{"id":"1"}]`), nil, 1},
		{"oauth to come", xaa("oauth.teleport", ``), nil, 1},
	})
}

// An adapter that knows its account passes over what is for others.
func TestOtherAccounts(t *testing.T) {
	a := &Adapter{user: "900"}
	for body, want := range map[string][2]int{
		aaa(`"direct_message_events":[` + dm("5", "41", "900", `"text":"hi"`) + `]`):                                                {1, 0},
		`{"for_user_id":"901","direct_message_events":[` + dm("5", "41", "901", `"text":"hi"`) + `]}`:                               {0, 1},
		`{"data":{"event_uuid":"1","filter":{"user_id":"901"},"event_type":"profile.update.bio","payload":{}}}`:                     {0, 1},
		`{"user_event":{"revoke":{"source":{"user_id":"41"}}}}`:                                                                     {1, 0},
		`{"event":` + dm("5", "41", "900", `"text":"hi"`) + `}`:                                                                     {1, 0},
		`{"data":{"event_uuid":"1","filter":{},"event_type":"oauth.revoke","payload":{"user_id":"41"}}}`:                            {1, 0},
		`{"for_user_id":"901","direct_message_events":[` + dm("5", "900", "901", `"text":"hi"`) + `],"block_events":[{}],"x":[{}]}`: {0, 2},
	} {
		b, err := a.Decode([]byte(body))
		if err != nil || len(b.Events) != want[0] || b.Unknown != want[1] {
			t.Errorf("%s: %d events, %d unknown, %v; want %v", body, len(b.Events), b.Unknown, err, want)
		}
	}
	// Of the account itself a permission taken back is no wish of a person.
	b, err := a.Decode([]byte(`{"user_event":{"revoke":{"source":{"user_id":"900"}}}}`))
	if err != nil || len(b.Events) != 1 || b.Events[0].Kind != sotto.EventOther {
		t.Errorf("%+v, %v", b, err)
	}
	b, err = a.Decode([]byte(dm("5", "900", "41", `"text":"hi"`)))
	if err != nil || len(b.Events) != 1 || b.Events[0].Kind != sotto.EventEcho {
		t.Errorf("%+v, %v", b, err)
	}
}

// A message counts once, whichever product delivers it, but for each account.
func TestDeliveries(t *testing.T) {
	m := `"direct_message_events":[` + dm("5", "41", "900", `"text":"hi"`) + `]`
	key := func(body string) string {
		t.Helper()
		b, err := Decode([]byte(body))
		if err != nil || len(b.Events) == 0 {
			t.Fatal(body, err)
		}
		return b.Events[len(b.Events)-1].Delivery
	}
	if key(aaa(m)) != key(xaa("dm.received", m)) {
		t.Error("the products name a message differently")
	}
	if key(aaa(m)) == key(`{"for_user_id":"41",`+m+`}`) {
		t.Error("what one account sent and another got is one event")
	}
	seen := map[string]bool{}
	for _, body := range []string{
		aaa(`"direct_message_indicate_typing_events":[{"created_timestamp":"1","sender_id":"41"}]`),
		aaa(`"direct_message_indicate_typing_events":[{"created_timestamp":"2","sender_id":"41"}]`),
		aaa(`"direct_message_indicate_typing_events":[{"created_timestamp":"1","sender_id":"42"}]`),
		aaa(`"direct_message_mark_read_events":[{"created_timestamp":"1","sender_id":"41","last_read_event_id":"1"}]`),
		aaa(`"direct_message_mark_read_events":[{"created_timestamp":"1","sender_id":"41","last_read_event_id":"2"}]`),
		aaa(`"block_events":[{"type":"block","created_timestamp":"1","source":{"id":"41"},"target":{"id":"900"}}]`),
		aaa(`"block_events":[{"type":"unblock","created_timestamp":"1","source":{"id":"41"},"target":{"id":"900"}}]`),
		xaa("dm.read", `"direct_message_mark_read_events":[{"sender_id":"41"}]`),
		xaa("dm.read", `"direct_message_mark_read_events":[{"sender_id":"41"},{"sender_id":"41"}]`),
	} {
		if k := key(body); seen[k] {
			t.Errorf("%s has the key of another", body)
		} else {
			seen[k] = true
		}
	}
}

func TestForeign(t *testing.T) {
	for _, body := range []string{
		`{}`, `[]`, `{"data":{}}`, `{"data":[]}`, `{"data":{"event_type":"x"}}`, `{"type":2,"data":{"name":"x"},"id":"1"}`, `{"event":"message","sender":{"id":"1"}}`,
		`{"type":"event_callback","event":{"type":"message","text":"x"}}`, `{"object":"page","entry":[]}`, `{"update_id":1,"message":{}}`,
		`{"destination":"U1","events":[]}`, `{"type":"MESSAGE","message":{}}`, `{"user_event":{}}`, `{"for_user_id":null}`, `{"teleport_events":[]}`,
		`{"type":"message","id":"1","text":"x"}`, `{"response_token":"sha256=x"}`,
	} {
		if b, err := Decode([]byte(body)); err == nil {
			t.Errorf("%s is understood: %+v", body, b)
		}
	}
}

// FuzzDecode: no bytes make it panic; what comes out is valid, named, and the
// same the second time.
func FuzzDecode(f *testing.F) {
	m := `"direct_message_events":[` + dm("5", "41", "900", `"text":"hi &amp;","attachment":{"type":"media","media":{"type":"video","video_info":{"variants":[{"bitrate":1,"content_type":"video/mp4","url":"u"}]}}}`) + `]`
	for _, s := range []string{
		aaa(m + people), xaa("dm.received", m), xaa("block.block", `"source":{"data":{"id":"41"}},"target":{"data":{"id":"900"}}`),
		`{"user_event":{"revoke":{"date_time":"2018-05-24T09:48:12+00:00","source":{"user_id":"41"}}}}`, dm("5", "41", "900", `"text":"hi"`),
		`{"data":{"event_type":"MessageCreate","id":"5","sender_id":"41"}}`, aaa(`"x_events":{}`),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Decode(body)
		if err != nil {
			if len(b.Events) != 0 || b.Unknown != 0 || len(body) > 19 && strings.Contains(err.Error(), fmt.Sprintf("%.20s", body)) {
				t.Errorf("%+v beside an error, or an error that shows the body", b)
			}
			return
		}
		again, err := Decode(body)
		if err != nil || !reflect.DeepEqual(b, again) {
			t.Errorf("the second time: %+v, %v", again, err)
		}
		for _, e := range b.Events {
			if e.Delivery == "" || e.Kind == "" || !utf8.ValidString(e.Text+e.Sender+e.ID+e.Conversation+e.Delivery+e.Payload+e.Account) {
				t.Errorf("%+v", e)
			}
			for _, a := range e.Attachments {
				if !utf8.ValidString(a.ID + a.MIME) {
					t.Errorf("%+v", a)
				}
			}
		}
	})
}

// FuzzUnescape: what X escapes comes back as it was written.
func FuzzUnescape(f *testing.F) {
	f.Add("a < b && c > d &amp; &lt;")
	f.Fuzz(func(t *testing.T, s string) {
		escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
		if got := unescape(escaped); got != s {
			t.Errorf("%q became %q", s, got)
		}
	})
}
