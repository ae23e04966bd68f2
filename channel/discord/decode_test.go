package discord

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
		Sender       string   `json:"sender_id"`
		Conversation string   `json:"conversation_id"`
		Message      string   `json:"message_id"`
		Payload      string   `json:"payload"`
		Values       []string `json:"values"`
		Command      string   `json:"command"`
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
	if len(list) < 12 {
		tb.Fatalf("only %d fixtures", len(list))
	}
	return list
}

func TestFixtures(t *testing.T) {
	kinds := map[string]sotto.EventKind{
		"application_command": sotto.EventMessage, "message_component": sotto.EventButton, "autocomplete": sotto.EventOther,
	}
	for _, f := range fixtures(t) {
		t.Run(f.ID, func(t *testing.T) {
			b, err := Decode([]byte(f.Body))
			if err != nil || len(b.Events) != 1 || b.Unknown != 0 {
				t.Fatalf("%d events, %d unknown, %v, want one", len(b.Events), b.Unknown, err)
			}
			e := b.Events[0]
			got := [4]string{string(e.Kind), e.Sender, e.Conversation, e.ID}
			want := [4]string{string(kinds[f.Kind]), f.Expect.Sender, f.Expect.Conversation, f.Expect.Message}
			if got != want {
				t.Errorf("kind, sender, conversation, message = %q, want %q", got, want)
			}
			if len(f.Expect.Values) > 0 { // the row has the menu's name; what was chosen says more
				f.Expect.Payload = strings.Join(f.Expect.Values, ",")
			}
			if e.Kind == sotto.EventButton && e.Payload != f.Expect.Payload {
				t.Errorf("payload %q, want %q", e.Payload, f.Expect.Payload)
			}
			if e.Kind == sotto.EventMessage && !strings.HasPrefix(e.Text, "/"+f.Expect.Command) && e.Payload != f.Expect.Command {
				t.Errorf("text %q, payload %q, want the command %q", e.Text, e.Payload, f.Expect.Command)
			}
		})
	}
}

// snow is an id of 15 November 2023.
const snow = "1174179128033280010"

// in is an interaction in a direct message.
func in(kind, data string) string {
	return `{"id":"` + snow + `","application_id":"12","type":` + kind + `,"token":"tok_EN-1.x","version":1,"context":1,` +
		`"channel":{"id":"55","type":1},"channel_id":"55","user":{"id":"41","username":"ann"},"locale":"de","data":` + data + `}`
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

// direct is the event of a command in a direct message.
func direct(change func(*channel.Event)) []channel.Event {
	e := channel.Event{
		Kind: sotto.EventMessage, ID: snow, Delivery: "i" + snow, Account: "12", Sender: "41", Conversation: "55",
		Handle: "cd.12." + snow + ".tok_EN-1.x", Time: made(snow), Language: "de",
	}
	change(&e)
	return []channel.Event{e}
}

func text(s string) []channel.Event { return direct(func(e *channel.Event) { e.Text = s }) }

func TestMade(t *testing.T) {
	// The example of the reference, in "Snowflakes".
	if got := made("175928847299117063"); !got.Equal(at("2016-04-30T11:18:25.796Z")) {
		t.Error(got)
	}
	for _, s := range []string{"", "0", "x", "-5", "99999999999999999999"} {
		if !made(s).IsZero() {
			t.Errorf("%q has a time", s)
		}
	}
}

func TestInteractions(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       []channel.Event
	}{
		{"command", in("2", `{"id":"1","name":"privacy","type":1}`), text("/privacy")},
		{"ask", in("2", `{"name":"ask","options":[{"name":"text","type":3,"value":"Is \ud83d\ude00 <b> ok?"}]}`), text("Is 😀 <b> ok?")},
		{"ask with a file", in("2", `{"name":"ask","options":[{"name":"text","type":3,"value":"see"},{"name":"file","type":11,"value":"9"}],"resolved":{"attachments":{"9":{"id":"9","filename":"a.png","content_type":"image/png","url":"https://cdn.discordapp.com/e/a.png?ex=1"}}}}`), direct(func(e *channel.Event) {
			e.Text = "see"
			e.Attachments = []channel.Attachment{{Kind: "image", ID: "https://cdn.discordapp.com/e/a.png?ex=1", MIME: "image/png", Name: "a.png"}}
		})},
		{"options", in("2", `{"name":"set","options":[{"name":"a","type":3,"value":"x y"},{"name":"b","type":4,"value":-7},{"name":"c","type":10,"value":1.50},{"name":"d","type":5,"value":true},{"name":"e","type":6,"value":"99"},{"name":"f","type":7,"value":"98"},{"name":"g","type":8,"value":"97"},{"name":"h","type":11,"value":"96"}]}`), text("/set x y -7 1.50 true <@99> <#98> <@&97>")},
		{"sub commands", in("2", `{"name":"foo","options":[{"options":[{"type":1,"name":"baz","options":[{"value":3,"type":4,"name":"n"}]}],"name":"bar","type":2}]}`), text("/foo bar baz 3")},
		{"used on a message", in("2", `{"name":"Explain this","type":3,"target_id":"8","resolved":{"messages":{"7":{"id":"7","content":"other"},"8":{"id":"8","content":"what it says","author":{"id":"77"},"attachments":[{"url":"https://cdn.discordapp.com/v.mp4","content_type":"video/mp4","filename":"v.mp4"}]}}}}`), direct(func(e *channel.Event) {
			e.Text, e.Payload = "what it says", "Explain this"
			e.Attachments = []channel.Attachment{{Kind: "video", ID: "https://cdn.discordapp.com/v.mp4", MIME: "video/mp4", Name: "v.mp4"}}
		})},
		{"used on a user", in("2", `{"name":"greet","type":2,"target_id":"99","resolved":{"users":{"99":{"id":"99","username":"x","email":"x@y.z"}}}}`), text("/greet <@99>")},
		{"button", in("3", `{"custom_id":"sotto:privacy","component_type":2}`), direct(func(e *channel.Event) {
			e.Kind, e.Payload, e.Handle = sotto.EventButton, "sotto:privacy", "kd.12."+snow+".tok_EN-1.x"
		})},
		{"menu", in("3", `{"custom_id":"m","component_type":3,"values":["a","b"]}`), direct(func(e *channel.Event) {
			e.Kind, e.Payload, e.Handle = sotto.EventButton, "a,b", "kd.12."+snow+".tok_EN-1.x"
		})},
		{"half a word", in("4", `{"name":"ask","options":[{"name":"text","type":3,"value":"secre","focused":true}]}`), direct(func(e *channel.Event) {
			e.Kind, e.Handle = sotto.EventOther, ""
		})},
		{"modal of rows", in("5", `{"custom_id":"m","components":[{"type":1,"components":[{"type":4,"custom_id":"a","value":"one"}]},{"type":1,"components":[{"type":4,"custom_id":"b","value":"two\nlines"}]}]}`), direct(func(e *channel.Event) {
			e.Text, e.Payload = "one\ntwo\nlines", "m"
		})},
		{"modal of labels", in("5", `{"custom_id":"m","components":[{"type":10,"id":1},{"type":18,"component":{"type":4,"value":"one"}},{"type":18,"component":{"type":3,"values":["ant","bee"]}},{"type":18,"component":{"type":19,"values":["9"]}},{"type":18,"component":{"type":21,"value":null}},{"type":18,"component":{"type":23,"value":true}}],"resolved":{"attachments":{"9":{"url":"https://cdn.discordapp.com/a","filename":"a"}}}}`), direct(func(e *channel.Event) {
			e.Text, e.Payload = "one\nant, bee\ntrue", "m"
			e.Attachments = []channel.Attachment{{Kind: "file", ID: "https://cdn.discordapp.com/a", Name: "a"}}
		})},
		{"a token that could leave its path", strings.Replace(in("2", `{"name":"help"}`), "tok_EN-1.x", "../../x", 1), direct(func(e *channel.Event) {
			e.Text, e.Handle = "/help", ""
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := Decode([]byte(tt.body))
			if err != nil || b.Unknown != 0 {
				t.Fatal(b.Unknown, err)
			}
			if diff := cmp.Diff(tt.want, b.Events); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhoReadsAlong(t *testing.T) {
	frame := func(rest string) string {
		return `{"type":2,"id":"` + snow + `","application_id":"12","token":"t","channel_id":"55","data":{"name":"help"},` + rest + `}`
	}
	for _, tt := range []struct {
		name, body string
		group      bool
	}{
		{"server", frame(`"context":0,"guild_id":"7","member":{"user":{"id":"41"}}`), true},
		{"with the bot", frame(`"context":1,"user":{"id":"41"}`), false},
		{"other private channel", frame(`"context":2,"user":{"id":"41"}`), true},
		{"a context of tomorrow", frame(`"context":3,"user":{"id":"41"}`), true},
		{"no context, server", frame(`"guild_id":"7","member":{"user":{"id":"41"}}`), true},
		{"no context, member alone", frame(`"member":{"user":{"id":"41"}}`), true},
		{"no context, direct", frame(`"context":null,"user":{"id":"41"}`), false},
		{"no context, group", frame(`"user":{"id":"41"},"channel":{"id":"55","type":3}`), true},
		{"nothing", frame(`"version":1`), true},
	} {
		b, err := Decode([]byte(tt.body))
		if err != nil || len(b.Events) != 1 {
			t.Fatal(tt.name, err)
		}
		e := b.Events[0]
		h, ok := parseHandle(e.Handle)
		if e.Group != tt.group || e.Addressed != tt.group || !ok || h.shared != tt.group {
			t.Errorf("%s: group %v, handle %q", tt.name, e.Group, e.Handle)
		}
		if tt.name != "nothing" && e.Sender != "41" {
			t.Errorf("%s: sender %q", tt.name, e.Sender)
		}
	}
}

func TestWebhookEvents(t *testing.T) {
	event := func(name, data string) string {
		return `{"version":1,"application_id":"12","type":1,"event":{"type":"` + name + `","timestamp":"2024-10-18T14:42:53.064834","data":` + data + `}}`
	}
	stamp := at("2024-10-18T14:42:53.064834Z")
	base := func(name, about string, change func(*channel.Event)) []channel.Event {
		e := channel.Event{Kind: sotto.EventOther, Delivery: name + "/2024-10-18T14:42:53.064834/41/" + about, Account: "12", Sender: "41", Time: stamp}
		change(&e)
		return []channel.Event{e}
	}
	const lobby = `{"id":"5","type":0,"content":"hi all","lobby_id":"66","channel_id":"67","author":{"id":"41"}}`
	for _, tt := range []struct {
		name, body string
		want       []channel.Event
		unknown    int
	}{
		{"installed", event("APPLICATION_AUTHORIZED", `{"integration_type":1,"scopes":["applications.commands"],"user":{"id":"41"}}`), base("APPLICATION_AUTHORIZED", "", func(e *channel.Event) {
			e.Kind = sotto.EventOptIn
		}), 0},
		{"added to a server", event("APPLICATION_AUTHORIZED", `{"integration_type":0,"user":{"id":"41"},"guild":{"id":"7","name":"x"}}`), base("APPLICATION_AUTHORIZED", "", func(e *channel.Event) {
			e.Kind, e.Group, e.Self = sotto.EventJoin, true, true
		}), 0},
		{"removed", event("APPLICATION_DEAUTHORIZED", `{"user":{"id":"41"}}`), base("APPLICATION_DEAUTHORIZED", "", func(e *channel.Event) {
			e.Kind = sotto.EventOptOut
		}), 0},
		{"bought", event("ENTITLEMENT_CREATE", `{"id":"8","user_id":"41","sku_id":"9","application_id":"12"}`), base("ENTITLEMENT_CREATE", "8", func(e *channel.Event) {
			e.ID = "8"
		}), 0},
		{"between players", event("LOBBY_MESSAGE_CREATE", lobby), base("LOBBY_MESSAGE_CREATE", "5", func(e *channel.Event) {
			e.Kind, e.ID, e.Text, e.Conversation, e.Group = sotto.EventStandby, "5", "hi all", "67", true
		}), 0},
		{"between two", event("GAME_DIRECT_MESSAGE_DELETE", `{"id":"5","content":"x","channel_id":"67","author":{"id":"41"}}`), base("GAME_DIRECT_MESSAGE_DELETE", "5", func(e *channel.Event) {
			e.Kind, e.ID, e.Text, e.Conversation = sotto.EventStandby, "5", "x", "67"
		}), 0},
		{"of tomorrow", event("TELEPORT", `{"user":{"id":"41"}}`), nil, 1},
		{"the inside alone", `{"type":"APPLICATION_DEAUTHORIZED","timestamp":"2024-10-18T14:42:53.064834","data":{"user":{"id":"41"}}}`, base("APPLICATION_DEAUTHORIZED", "", func(e *channel.Event) {
			e.Kind, e.Account = sotto.EventOptOut, ""
		}), 0},
		{"ping", `{"version":1,"application_id":"12","type":0}`, nil, 0},
		{"ping of interactions", `{"type":1,"id":"5","application_id":"12","token":"t","user":{"id":"41"},"version":1}`, nil, 0},
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

func TestGateway(t *testing.T) {
	dispatch := func(name, d string) string { return `{"op":0,"s":42,"t":"` + name + `","d":` + d + `}` }
	const m = `"id":"` + snow + `","type":0,"channel_id":"55","author":{"id":"41","username":"ann"},"content":"h\u00e9llo","timestamp":"2023-11-15T01:17:04.024000+00:00"`
	type short struct {
		Kind                   sotto.EventKind
		ID, Sender, Chat, Text string
		Group, Addressed, Self bool
	}
	for _, tt := range []struct {
		name, body string
		want       []short
	}{
		{"direct", dispatch("MESSAGE_CREATE", `{`+m+`}`), []short{{Kind: sotto.EventMessage, ID: snow, Sender: "41", Chat: "55", Text: "héllo"}}},
		{"lone message", `{` + m + `}`, []short{{Kind: sotto.EventMessage, ID: snow, Sender: "41", Chat: "55", Text: "héllo"}}},
		{"in a server", dispatch("MESSAGE_CREATE", `{`+m+`,"guild_id":"7","mentions":[]}`), []short{{Kind: sotto.EventMessage, ID: snow, Sender: "41", Chat: "55", Text: "héllo", Group: true}}},
		{"to a bot", dispatch("MESSAGE_CREATE", `{`+m+`,"guild_id":"7","mentions":[{"id":"12","bot":true}]}`), []short{{Kind: sotto.EventMessage, ID: snow, Sender: "41", Chat: "55", Text: "héllo", Group: true, Addressed: true}}},
		{"answers a bot", dispatch("MESSAGE_CREATE", `{`+m+`,"guild_id":"7","type":19,"referenced_message":{"id":"1","author":{"id":"12","bot":true},"content":"x"}}`), []short{{Kind: sotto.EventMessage, ID: snow, Sender: "41", Chat: "55", Text: "héllo", Group: true, Addressed: true}}},
		{"by a bot", dispatch("MESSAGE_CREATE", `{"id":"5","channel_id":"55","author":{"id":"12","bot":true},"content":"x"}`), []short{{Kind: sotto.EventEcho, ID: "5", Sender: "12", Chat: "55", Text: "x"}}},
		{"somebody came", dispatch("MESSAGE_CREATE", `{"id":"5","type":7,"channel_id":"55","guild_id":"7","author":{"id":"41"},"content":""}`), []short{{Kind: sotto.EventJoin, ID: "5", Sender: "41", Chat: "55", Group: true}}},
		{"pinned", dispatch("MESSAGE_CREATE", `{"id":"5","type":6,"channel_id":"55","author":{"id":"41"},"content":""}`), []short{{Kind: sotto.EventOther, ID: "5", Sender: "41", Chat: "55"}}},
		{"changed", dispatch("MESSAGE_UPDATE", `{`+m+`,"edited_timestamp":"2023-11-15T01:18:00+00:00"}`), []short{{Kind: sotto.EventEdit, ID: snow, Sender: "41", Chat: "55", Text: "héllo"}}},
		{"preview added", dispatch("MESSAGE_UPDATE", `{"id":"5","channel_id":"55","embeds":[{}]}`), []short{{Kind: sotto.EventOther, ID: "5", Chat: "55"}}},
		{"deleted", dispatch("MESSAGE_DELETE", `{"id":"5","channel_id":"55","guild_id":"7"}`), []short{{Kind: sotto.EventDelete, ID: "5", Chat: "55", Group: true}}},
		{"many deleted", dispatch("MESSAGE_DELETE_BULK", `{"ids":["5","6"],"channel_id":"55","guild_id":"7"}`), []short{{Kind: sotto.EventDelete, ID: "5", Chat: "55", Group: true}, {Kind: sotto.EventDelete, ID: "6", Chat: "55", Group: true}}},
		{"reaction", dispatch("MESSAGE_REACTION_ADD", `{"user_id":"41","message_id":"5","channel_id":"55","emoji":{"name":"x","id":null}}`), []short{{Kind: sotto.EventReaction, ID: "5", Sender: "41", Chat: "55"}}},
		{"member came", dispatch("GUILD_MEMBER_ADD", `{"guild_id":"7","user":{"id":"41"}}`), []short{{Kind: sotto.EventJoin, Sender: "41", Group: true}}},
		{"bot removed", dispatch("GUILD_DELETE", `{"id":"7"}`), []short{{Kind: sotto.EventLeave, Group: true, Self: true}}},
		{"outage", dispatch("GUILD_DELETE", `{"id":"7","unavailable":true}`), []short{{Kind: sotto.EventOther}}},
		{"typing", dispatch("TYPING_START", `{"user_id":"41","channel_id":"55"}`), []short{{Kind: sotto.EventOther, Sender: "41", Chat: "55"}}},
		{"interaction", dispatch("INTERACTION_CREATE", in("2", `{"name":"help"}`)), []short{{Kind: sotto.EventMessage, ID: snow, Sender: "41", Chat: "55", Text: "/help"}}},
		{"hello", `{"op":10,"d":{"heartbeat_interval":41250},"s":null,"t":null}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := Decode([]byte(tt.body))
			if err != nil || b.Unknown != 0 {
				t.Fatal(b.Unknown, err)
			}
			var got []short
			seen := map[string]bool{}
			for _, e := range b.Events {
				if e.Delivery == "" || seen[e.Delivery] {
					t.Error("a delivery key is missing or used twice")
				}
				seen[e.Delivery] = true
				got = append(got, short{e.Kind, e.ID, e.Sender, e.Conversation, e.Text, e.Group, e.Addressed, e.Self})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if b, err := Decode([]byte(dispatch("TELEPORT_START", `{}`))); err != nil || b.Unknown != 1 {
		t.Error("an event of tomorrow is not counted")
	}
}

func FuzzDecode(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add([]byte(x.Body))
	}
	f.Add([]byte(in("5", `{"components":[{"type":18,"component":{"value":"x"}}]}`)))
	f.Add([]byte(`{"op":0,"t":"MESSAGE_DELETE_BULK","d":{"ids":["1","2"]}}`))
	f.Add([]byte(`{"type":1,"event":{"type":"APPLICATION_AUTHORIZED","timestamp":"x","data":{"user":{"id":"1"}}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Decode(body)
		again, err2 := Decode(bytes.Clone(body))
		if (err == nil) != (err2 == nil) || cmp.Diff(b, again) != "" {
			t.Fatal("the same body reads differently the second time")
		}
		if err != nil && len(b.Events) > 0 {
			t.Fatal("an error and events")
		}
		for _, e := range b.Events {
			if e.Delivery == "" || e.Kind == "" {
				t.Fatalf("no delivery key or kind: %+v", e)
			}
			if !utf8.ValidString(e.ID + e.Delivery + e.Account + e.Sender + e.Conversation + e.Text + e.Payload + e.Handle + e.Language) {
				t.Fatal("not UTF-8")
			}
			if h, ok := parseHandle(e.Handle); e.Handle != "" && (!ok || h.String() != e.Handle || strings.ContainsAny(h.path(), "?#%\r\n ") || strings.HasSuffix(h.path(), "/..")) {
				t.Fatalf("handle %q", e.Handle)
			}
		}
	})
}

func FuzzHandle(f *testing.F) {
	f.Add("cd.12.34.token")
	f.Add("ks.1.2.a.b")
	f.Add("cs...")
	f.Fuzz(func(t *testing.T, s string) {
		if h, ok := parseHandle(s); ok && (h.String() != s || strings.Count(h.path(), "/") != 3) {
			t.Fatalf("%q reads as %+v", s, h)
		}
	})
}
