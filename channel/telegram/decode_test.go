package telegram

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
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
		Sender       string `json:"sender_id"`
		Conversation string `json:"conversation_id"`
		Message      string `json:"message_id"`
		Text         string `json:"text"`
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
	if len(list) < 30 {
		tb.Fatalf("only %d fixtures", len(list))
	}
	return list
}

func TestFixtures(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.ID, func(t *testing.T) {
			b, err := Decode([]byte(f.Body))
			if err != nil {
				t.Fatal(err)
			}
			if f.Kind == "unknown" { // the row counts it as an event; to us it is passed over
				if b.Unknown != 1 || len(b.Events) != 0 {
					t.Fatalf("%d events, %d unknown, want 0 and 1", len(b.Events), b.Unknown)
				}
				return
			}
			if len(b.Events) != 1 || b.Unknown != 0 {
				t.Fatalf("%d events, %d unknown, want 1 and 0", len(b.Events), b.Unknown)
			}
			e := b.Events[0]
			if strings.HasPrefix(f.Kind, "message_reaction") {
				f.Expect.Message = e.ID // the rows leave out the message reacted to
				f.Expect.Conversation = e.Conversation
				if e.ID == "" || e.Conversation == "" {
					t.Error("a reaction to no message")
				}
			}
			if f.Kind == "removed_chat_boost" {
				f.Expect.Conversation = e.Conversation // the row leaves it out
			}
			if got := [4]string{e.Sender, e.Conversation, e.ID, e.Text}; got != [4]string{
				f.Expect.Sender, f.Expect.Conversation, f.Expect.Message, f.Expect.Text,
			} {
				t.Errorf("sender, conversation, message, text = %q, want %+v", got, f.Expect)
			}
		})
	}
}

// in wraps the inside of an update.
func in(field, inside string) string { return `{"update_id":7,"` + field + `":{` + inside + `}}` }

const (
	ann     = `"from":{"id":41,"is_bot":false,"language_code":"de"}`
	private = `"chat":{"id":41,"type":"private"}`
	group   = `"chat":{"id":-100200,"type":"supergroup"}`
)

const msg = `"message_id":5,"date":1700000000,` + ann + `,`

// direct is the event of msg in a private chat.
func direct() channel.Event {
	return channel.Event{
		Kind: sotto.EventMessage, ID: "5", Delivery: "7", Sender: "41", Conversation: "41", Language: "de",
		Time: time.Unix(1700000000, 0).UTC(),
	}
}

// with changes direct.
func with(change func(*channel.Event)) []channel.Event {
	e := direct()
	change(&e)
	return []channel.Event{e}
}

func file(a ...channel.Attachment) []channel.Event {
	return with(func(e *channel.Event) { e.Attachments = a })
}

func grouped(kind sotto.EventKind, change func(*channel.Event)) []channel.Event {
	return with(func(e *channel.Event) {
		e.Kind, e.Conversation, e.Group = kind, "-100200", true
		change(e)
	})
}

type decodeCase struct {
	name, body string
	want       []channel.Event
	unknown    int
}

func (tt *decodeCase) run(t *testing.T) {
	b, err := Decode([]byte(tt.body))
	if diff := cmp.Diff(tt.want, b.Events); diff != "" || err != nil || b.Unknown != tt.unknown {
		t.Errorf("%v, %d unknown, want %d: %s", err, b.Unknown, tt.unknown, diff)
	}
}

func TestDecodeMessages(t *testing.T) {
	for _, tt := range []decodeCase{
		{"text", in("message", msg+private+`,"text":"hi \ud83d\ude00"`), with(func(e *channel.Event) { e.Text = "hi 😀" }), 0},
		{"any order of fields", `{"message":{"text":"hi",` + private + `,` + msg[:len(msg)-1] + `},"update_id":7}`, with(func(e *channel.Event) { e.Text = "hi" }), 0},
		{"edit", in("edited_message", msg+private+`,"edit_date":1700000060,"text":"new"`), with(func(e *channel.Event) {
			e.Kind, e.Text, e.Time = sotto.EventEdit, "new", direct().Time.Add(time.Minute)
		}), 0},
		{"photo: the largest", in("message", msg+private+`,"photo":[{"file_id":"s"},{"file_id":"l"}],"caption":"look"`), with(func(e *channel.Event) {
			e.Text, e.Attachments = "look", []channel.Attachment{{Kind: "image", ID: "l", MIME: "image/jpeg"}}
		}), 0},
		{"document", in("message", msg+private+`,"document":{"file_id":"d","mime_type":"application/pdf","file_name":"a.pdf"}`), file(channel.Attachment{Kind: "file", ID: "d", MIME: "application/pdf", Name: "a.pdf"}), 0},
		{"animation once", in("message", msg+private+`,"animation":{"file_id":"g"},"document":{"file_id":"g"}`), file(channel.Attachment{Kind: "video", ID: "g"}), 0},
		{"animation once, turned round", in("message", msg+private+`,"document":{"file_id":"g"},"animation":{"file_id":"g"}`), file(channel.Attachment{Kind: "video", ID: "g"}), 0},
		{"voice", in("message", msg+private+`,"voice":{"file_id":"v","mime_type":"audio/ogg"}`), file(channel.Attachment{Kind: "audio", ID: "v", MIME: "audio/ogg"}), 0},
		{"sticker", in("message", msg+private+`,"sticker":{"file_id":"k","emoji":"x"}`), file(channel.Attachment{Kind: "sticker", ID: "k"}), 0},
		{"location without its coordinates", in("message", msg+private+`,"venue":{"title":"Home"},"location":{"latitude":1.5,"longitude":2}`), file(channel.Attachment{Kind: "location"}), 0},
		{"contact without its number", in("message", msg+private+`,"contact":{"phone_number":"+4912345","first_name":"A"}`), file(channel.Attachment{Kind: "contact"}), 0},
		{"poll", in("message", msg+private+`,"poll":{"id":"1","question":"?"}`), file(channel.Attachment{Kind: "other"}), 0},
		{"service notice", in("message", msg+group+`,"new_chat_title":"T"`), grouped(sotto.EventOther, func(*channel.Event) {}), 0},
		{"joined by themselves", in("message", msg+group+`,"new_chat_members":[{"id":41}]`), grouped(sotto.EventJoin, func(*channel.Event) {}), 0},
		{"added somebody", in("message", msg+group+`,"new_chat_members":[{"id":42}]`), grouped(sotto.EventOther, func(*channel.Event) {}), 0},
		{"left", in("message", msg+group+`,"left_chat_member":{"id":41}`), grouped(sotto.EventLeave, func(*channel.Event) {}), 0},
		{"group became supergroup", in("message", msg+group+`,"migrate_to_chat_id":-100300`), grouped(sotto.EventMigrate, func(e *channel.Event) { e.Payload = "-100300" }), 0},
		{"supergroup tells of its group", in("message", msg+group+`,"migrate_from_chat_id":-5`), grouped(sotto.EventMigrate, func(e *channel.Event) {
			e.Conversation, e.Payload = "-5", "-100200"
		}), 0},
		{"another bot", in("message", `"message_id":5,"date":1700000000,"from":{"id":41,"is_bot":true},`+group+`,"text":"x"`), grouped(sotto.EventOther, func(e *channel.Event) {
			e.Text, e.Language = "x", ""
		}), 0},
		{"channel post", in("channel_post", `"message_id":5,"date":1700000000,"chat":{"id":-100200,"type":"channel"},"text":"x"`), grouped(sotto.EventOther, func(e *channel.Event) {
			e.Text, e.Sender, e.Language = "x", "", ""
		}), 0},
		{"business message", in("business_message", msg+private+`,"business_connection_id":"bc","text":"x"`), with(func(e *channel.Event) {
			e.Text, e.Conversation = "x", "41@bc"
		}), 0},
		{"business account's own", in("business_message", msg+`"chat":{"id":99,"type":"private"},"business_connection_id":"bc","text":"x"`), with(func(e *channel.Event) {
			e.Kind, e.Text, e.Conversation = sotto.EventEcho, "x", "99@bc"
		}), 0},
		{"business deletions", in("deleted_business_messages", `"business_connection_id":"bc",`+private+`,"message_ids":[1,"2",null]`), []channel.Event{
			{Kind: sotto.EventDelete, ID: "1", Delivery: "7/1", Conversation: "41@bc"},
			{Kind: sotto.EventDelete, ID: "2", Delivery: "7/2", Conversation: "41@bc"},
		}, 0},
	} {
		t.Run(tt.name, tt.run)
	}
}

func TestDecodeOthers(t *testing.T) {
	for _, tt := range []decodeCase{
		{"button", in("callback_query", `"id":"99",`+ann+`,"data":"Y","message":{"message_id":5,"date":1600000000,"text":"Pick",`+private+`}`), with(func(e *channel.Event) {
			e.Kind, e.Text, e.Payload, e.Callback, e.Time = sotto.EventButton, "Y", "Y", "99", time.Time{}
		}), 0},
		{"button of an inaccessible message", in("callback_query", `"id":"99",`+ann+`,"data":"Y","message":{"message_id":5,"date":0,`+private+`}`), with(func(e *channel.Event) {
			e.Kind, e.Text, e.Payload, e.Callback, e.Time = sotto.EventButton, "Y", "Y", "99", time.Time{}
		}), 0},
		{"button of an inline message", in("callback_query", `"id":"99",`+ann+`,"data":"Y","inline_message_id":"q"`), with(func(e *channel.Event) {
			e.Kind, e.ID, e.Text, e.Payload, e.Callback, e.Time = sotto.EventButton, "", "Y", "Y", "99", time.Time{}
		}), 0},
		{"game", in("callback_query", `"id":"99",`+ann+`,"game_short_name":"g"`), with(func(e *channel.Event) {
			e.Kind, e.ID, e.Callback, e.Time = sotto.EventOther, "", "99", time.Time{}
		}), 0},
		{"blocked", in("my_chat_member", `"date":1700000000,`+ann+`,`+private+`,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"kicked"}`), with(func(e *channel.Event) {
			e.Kind, e.ID = sotto.EventBlock, ""
		}), 0},
		{"unblocked", in("my_chat_member", `"date":1700000000,`+ann+`,`+private+`,"old_chat_member":{"status":"kicked"},"new_chat_member":{"status":"member"}`), with(func(e *channel.Event) {
			e.Kind, e.ID = sotto.EventUnblock, ""
		}), 0},
		{"bot added to a group", in("my_chat_member", `"date":1700000000,`+ann+`,`+group+`,"old_chat_member":{"status":"left"},"new_chat_member":{"status":"member"}`), grouped(sotto.EventJoin, func(e *channel.Event) { e.ID, e.Self = "", true }), 0},
		{"bot kicked from a group", in("my_chat_member", `"date":1700000000,`+ann+`,`+group+`,"old_chat_member":{"status":"restricted","is_member":true},"new_chat_member":{"status":"kicked"}`), grouped(sotto.EventLeave, func(e *channel.Event) { e.ID, e.Self = "", true }), 0},
		{"bot made administrator of a channel", in("my_chat_member", `"date":1700000000,`+ann+`,"chat":{"id":-100200,"type":"channel"},"old_chat_member":{"status":"left"},"new_chat_member":{"status":"administrator"}`), grouped(sotto.EventOther, func(e *channel.Event) { e.ID = "" }), 0},
		{"guest message", in("guest_message", msg+group+`,"guest_query_id":"q","text":"@bot hi"`), grouped(sotto.EventOther, func(e *channel.Event) { e.Text = "@bot hi" }), 0},
		{"subscription", in("subscription", `"user":{"id":41,"language_code":"de"},"date":1700000000`), with(func(e *channel.Event) {
			e.Kind, e.ID, e.Conversation = sotto.EventOther, "", ""
		}), 0},
		{"bot promoted", in("my_chat_member", `"date":1700000000,`+ann+`,`+group+`,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"administrator"}`), grouped(sotto.EventOther, func(e *channel.Event) { e.ID = "" }), 0},
		{"somebody left", in("chat_member", `"date":1700000000,`+ann+`,`+group+`,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"left","user":{"id":41}}`), grouped(sotto.EventLeave, func(e *channel.Event) { e.ID = "" }), 0},
		{"somebody was removed", in("chat_member", `"date":1700000000,`+ann+`,`+group+`,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"kicked","user":{"id":42}}`), grouped(sotto.EventOther, func(e *channel.Event) { e.ID = "" }), 0},
		{"reaction", in("message_reaction", `"date":1700000000,"message_id":5,"user":{"id":41,"language_code":"de"},`+private+`,"new_reaction":[{"type":"emoji","emoji":"x"}]`), with(func(e *channel.Event) {
			e.Kind = sotto.EventReaction
		}), 0},
		{"inline query", in("inline_query", `"id":"1",`+ann+`,"query":"find"`), with(func(e *channel.Event) {
			e.Kind, e.ID, e.Conversation, e.Text, e.Time = sotto.EventOther, "", "", "find", time.Time{}
		}), 0},
	} {
		t.Run(tt.name, tt.run)
	}
}

func TestDecodeOddities(t *testing.T) {
	for _, tt := range []decodeCase{
		{"ids as strings", `{"update_id":"7","message":{"message_id":"5","from":{"id":"41"},"chat":{"id":"41"},"date":"1700000000","text":"x"}}`, with(func(e *channel.Event) {
			e.Language, e.Text = "", "x"
		}), 0},
		{"ids beyond 2^53", `{"update_id":9007199254740993,"message":{"message_id":9007199254740995,"from":{"id":9007199254740997},"chat":{"id":9007199254740997},"text":"x"}}`, []channel.Event{{
			Kind: sotto.EventMessage, ID: "9007199254740995", Delivery: "9007199254740993", Sender: "9007199254740997", Conversation: "9007199254740997", Text: "x",
		}}, 0},
		{"field named twice: the last", in("message", msg+private+`,"text":"one","text":"two"`), with(func(e *channel.Event) { e.Text = "two" }), 0},
		{"update named twice: the last, whole", `{"update_id":7,"message":{"text":"old","caption":"c"},"message":{` + msg + private + `,"photo":[{"file_id":"p"}]}}`, file(channel.Attachment{Kind: "image", ID: "p", MIME: "image/jpeg"}), 0},
		{"fields of odd types", in("message", `"message_id":{},"date":"x","from":[],"chat":7,"text":5,"photo":{},"entities":"no"`), []channel.Event{{Kind: sotto.EventOther, Delivery: "7"}}, 0},
		{"invalid UTF-8", in("message", msg+private+",\"text\":\"a\xffb\""), with(func(e *channel.Event) { e.Text = "a\ufffdb" }), 0},
		{"lone surrogate", in("message", msg+private+`,"text":"a\ud83d"`), with(func(e *channel.Event) { e.Text = "a\ufffd" }), 0},
		{"far time", in("message", `"message_id":5,"date":9223372036854775807,`+ann+`,`+private+`,"text":"x"`), with(func(e *channel.Event) { e.Time, e.Text = time.Time{}, "x" }), 0},
		{"odd language", in("message", `"message_id":5,"date":1700000000,"from":{"id":41,"language_code":"pt_BR"},`+private+`,"text":"x"`), with(func(e *channel.Event) { e.Language, e.Text = "pt-BR", "x" }), 0},
		{"unknown kind", `{"update_id":7,"teleport":{"to":1}}`, nil, 1},
		{"unknown beside known", `{"update_id":7,"teleport":{},"poll":{"id":"1"}}`, []channel.Event{{Kind: sotto.EventOther, Delivery: "7"}}, 0},
		{"no update id", `{"message":{` + msg + private + `,"text":"x"}}`, with(func(e *channel.Event) {
			e.Text, e.Delivery = "x", "h449f298d7cc7008eb5071f6f4fb5b2fd"
		}), 0},
		{"nothing", `{}`, nil, 0},
		{"only an id", `{"update_id":7}`, nil, 0},
	} {
		t.Run(tt.name, tt.run)
	}
}

func TestAddressed(t *testing.T) {
	ent := func(kind string, offset, length int) string {
		b, _ := json.Marshal([]map[string]any{{"type": kind, "offset": offset, "length": length, "user": map[string]any{"id": 123456}}})
		return `"entities":` + string(b)
	}
	known, unknown := self{id: "123456", name: "sottobot"}, self{}
	for _, tt := range []struct {
		name, inside           string
		wantKnown, wantUnknown bool
	}{
		{"plain line", `"text":"hello"`, false, false},
		{"command", `"text":"/start",` + ent("bot_command", 0, 6), true, true},
		{"command for this bot", `"text":"/start@SottoBot now",` + ent("bot_command", 0, 15), true, true},
		{"command for another bot", `"text":"/start@otherbot",` + ent("bot_command", 0, 15), false, true},
		{"mention", `"text":"hi @sottobot",` + ent("mention", 3, 9), true, true},
		{"mention after an emoji", `"text":"😀 @sottobot",` + ent("mention", 3, 9), true, true},
		{"mention of a person", `"text":"hi @annika",` + ent("mention", 3, 7), false, false},
		{"mention cut inside a character", `"text":"😀@sottobot",` + ent("mention", 1, 10), false, false},
		{"mention past the end", `"text":"@sottobot",` + ent("mention", 0, 10), false, false},
		{"mention of negative length", `"text":"@sottobot",` + ent("mention", 5, -2), false, false},
		{"mention without a name", `"text":"hi bot",` + ent("text_mention", 3, 3), true, false},
		{"in a caption", `"photo":[{"file_id":"p"}],"caption":"@sottobot","caption_` + ent("mention", 0, 9)[1:], true, true},
		{"reply to this bot", `"text":"yes","reply_to_message":{"from":{"id":123456,"is_bot":true}}`, true, true},
		{"reply to another bot", `"text":"yes","reply_to_message":{"from":{"id":5,"is_bot":true}}`, false, true},
		{"reply to a person", `"text":"yes","reply_to_message":{"from":{"id":5,"is_bot":false}}`, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := []byte(in("message", ann+`,`+group+`,`+tt.inside))
			for me, want := range map[self]bool{known: tt.wantKnown, unknown: tt.wantUnknown} {
				b, err := me.decode(body)
				if err != nil || len(b.Events) != 1 {
					t.Fatal(b, err)
				}
				if got := b.Events[0].Addressed; got != want {
					t.Errorf("name %q: Addressed = %v, want %v", me.name, got, want)
				}
			}
		})
	}
}

// What people keep of updates often lacks the update around it, or has several.
func TestDecodeOtherFrames(t *testing.T) {
	text := direct()
	text.Text = "hi"
	second := text
	second.Delivery = "8"
	up := func(id string) string {
		return `{"update_id":` + id + `,"message":{` + msg + private + `,"text":"hi"}}`
	}
	for _, tt := range []struct {
		name, body string
		want       []channel.Event
		ok         bool
	}{
		{"answer to getUpdates", `{"ok":true,"result":[` + up("7") + `,` + up("8") + `]}`, []channel.Event{text, second}, true},
		{"turned round", `{"result":[` + up("7") + `],"ok":true}`, []channel.Event{text}, true},
		{"nothing new", `{"ok":true,"result":[]}`, nil, true},
		{"list", `[` + up("7") + `,` + up("8") + `]`, []channel.Event{text, second}, true},
		{"list of messages", `[{` + msg + private + `}]`, nil, false},
		{"list of something else", `[1,{}]`, nil, false},
		{"answer of something else", `{"ok":true,"result":{"id":1}}`, nil, true},
		{"Slack's refusal", `{"ok":false,"error":"x"}`, nil, false},
		{"message", `{` + msg + private + `,"text":"hi"}`, []channel.Event{text}, true},
		{"message with a poll", `{"poll":{"id":"1"},` + msg + private + `}`, with(func(e *channel.Event) {
			e.Attachments = []channel.Attachment{{Kind: "other"}}
		}), true},
		{"press", `{"message":{"message_id":5,"date":1,` + private + `},"id":"99",` + ann + `,"chat_instance":"1","data":"Y"}`, with(func(e *channel.Event) {
			e.Kind, e.Text, e.Payload, e.Callback, e.Time = sotto.EventButton, "Y", "Y", "99", time.Time{}
		}), true},
		{"standing", `{"date":1700000000,` + ann + `,` + private + `,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"kicked"}}`, with(func(e *channel.Event) {
			e.Kind, e.ID = sotto.EventBlock, ""
		}), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := Decode([]byte(tt.body))
			for i := range b.Events {
				if strings.HasPrefix(b.Events[i].Delivery, "h") { // of the body
					b.Events[i].Delivery = "7"
				}
			}
			if diff := cmp.Diff(tt.want, b.Events); diff != "" || (err == nil) != tt.ok || b.Unknown != 0 {
				t.Errorf("%v, %d unknown: %s", err, b.Unknown, diff)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add([]byte(x.Body))
	}
	f.Add([]byte(in("deleted_business_messages", `"message_ids":[1,2,3],`+private)))
	f.Add([]byte(in("message", group+`,"text":"😀@bot","entities":[{"type":"mention","offset":2,"length":4}]`)))
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
			for _, s := range []string{e.ID, e.Delivery, e.Sender, e.Conversation, e.Text, e.Payload, e.Callback, e.Language} {
				if !utf8.ValidString(s) {
					t.Fatal("not UTF-8")
				}
			}
		}
	})
}
