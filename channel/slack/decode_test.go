package slack

import (
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// in wraps the inside of an event in its envelope.
func in(inside string) string {
	return `{"token":"x","team_id":"T1","api_app_id":"A1","event":{` + inside + `},"type":"event_callback","event_id":"Ev1",` +
		`"event_time":1700000001,"authorizations":[{"team_id":"T1","user_id":"UBOT","is_bot":true},{"team_id":"T1","user_id":"UINST","is_bot":false}]}`
}

const (
	dm    = `"type":"message","user":"U41","channel":"D41","channel_type":"im","ts":"1700000000.000100","event_ts":"1700000000.000100"`
	room  = `"type":"message","user":"U41","channel":"C7","channel_type":"channel","ts":"1700000000.000100","event_ts":"1700000000.000100"`
	named = `"type":"app_mention","user":"U41","channel":"C7","ts":"1700000000.000100","event_ts":"1700000000.000100","text":"<@UBOT> hi"`
)

func at(sec, micro int64) time.Time { return time.Unix(sec, micro*1000).UTC() }

// direct is the event of dm.
func direct() channel.Event {
	return channel.Event{
		Kind: sotto.EventMessage, ID: "1700000000.000100", Delivery: "m/D41/1700000000.000100", Account: "T1",
		Sender: "U41", Conversation: "D41", Time: at(1700000000, 100),
	}
}

// with changes direct.
func with(change func(*channel.Event)) []channel.Event {
	e := direct()
	change(&e)
	return []channel.Event{e}
}

// grouped is the event of room, changed.
func grouped(change func(*channel.Event)) []channel.Event {
	return with(func(e *channel.Event) {
		e.Conversation, e.Delivery, e.Group, e.Handle = "C7", "m/C7/1700000000.000100", true, "1700000000.000100"
		change(e)
	})
}

// told is an event under the id of its envelope.
func told(kind sotto.EventKind, change func(*channel.Event)) []channel.Event {
	return with(func(e *channel.Event) {
		e.Kind, e.Delivery, e.ID = kind, "Ev1", ""
		change(e)
	})
}

func nothing(*channel.Event) {}

type decodeCase struct {
	name, body string
	want       []channel.Event
	unknown    int
}

func (tt *decodeCase) run(t *testing.T) {
	t.Helper()
	b, err := Decode([]byte(tt.body))
	if diff := cmp.Diff(tt.want, b.Events); diff != "" || err != nil || b.Unknown != tt.unknown {
		t.Errorf("%v, %d unknown, want %d: %s", err, b.Unknown, tt.unknown, diff)
	}
}

func TestDecodeMessages(t *testing.T) {
	said := func(text string) func(*channel.Event) { return func(e *channel.Event) { e.Text = text } }
	to := func(text string) func(*channel.Event) {
		return func(e *channel.Event) { e.Text, e.Addressed = text, true }
	}
	echo := func(e *channel.Event) { e.Kind, e.Text = sotto.EventEcho, "hi" }
	for _, tt := range []decodeCase{
		{"direct", in(dm + `,"text":"hi \ud83d\ude00"`), with(said("hi 😀")), 0},
		{"entities, and not twice", in(dm + `,"text":"a &amp; b &lt;c&gt; &amp;lt; &copy; &"`), with(said("a & b <c> &lt; &copy; &")), 0},
		{"references stay", in(dm + `,"text":"<@U1> <#C1|x> <https:\/\/a.example|b> <!here>"`), with(said("<@U1> <#C1|x> <https://a.example|b> <!here>")), 0},
		{"the old tab of an app", in(strings.Replace(dm, `"im"`, `"app_home"`, 1) + `,"text":"hi"`), with(said("hi")), 0},
		{"no type of channel", in(strings.Replace(dm, `"channel_type":"im",`, ``, 1) + `,"text":"hi"`), with(said("hi")), 0},
		{"in a thread of the assistant", in(dm + `,"text":"hi","thread_ts":"1699999999.000001"`), with(func(e *channel.Event) { e.Text, e.Handle = "hi", "1699999999.000001" }), 0},
		{"in a channel, to nobody", in(room + `,"text":"hi"`), grouped(said("hi")), 0},
		{"in a channel, to somebody else", in(room + `,"text":"<@UBOTTOM> <@UINST> hi"`), grouped(said("<@UBOTTOM> <@UINST> hi")), 0},
		{"in a channel, to the bot", in(room + `,"text":"so, <@UBOT> hi"`), grouped(to("so, <@UBOT> hi")), 0},
		{"in a channel, by name", in(room + `,"text":"<@UBOT|sotto>"`), grouped(to("<@UBOT|sotto>")), 0},
		{"a mention", in(named), grouped(to("<@UBOT> hi")), 0},
		{"in a thread", in(room + `,"text":"hi","thread_ts":"1699999999.000001","parent_user_id":"U9"`), grouped(func(e *channel.Event) { e.Text, e.Handle = "hi", "1699999999.000001" }), 0},
		{"in a thread of the bot", in(room + `,"text":"hi","thread_ts":"1699999999.000001","parent_user_id":"UBOT"`), grouped(func(e *channel.Event) { e.Text, e.Addressed, e.Handle = "hi", true, "1699999999.000001" }), 0},
		{"in a group of persons", in(strings.Replace(room, `"channel_type":"channel"`, `"channel_type":"mpim"`, 1) + `,"text":"hi"`), grouped(said("hi")), 0},
		{"with emphasis", in(dm + `,"subtype":"me_message","text":"hi"`), with(said("hi")), 0},
		{"thread and channel", in(room + `,"subtype":"thread_broadcast","text":"hi","thread_ts":"1699999999.000001"`), grouped(func(e *channel.Event) { e.Text, e.Handle = "hi", "1699999999.000001" }), 0},
		{"own", in(dm + `,"text":"hi","bot_id":"B1","app_id":"A1"`), with(echo), 0},
		{"of another bot", in(room + `,"text":"hi","bot_id":"B2"`), grouped(func(e *channel.Event) { echo(e); e.Handle = "" }), 0},
		{"a bot that mentions us", in(named + `,"bot_id":"B2"`), grouped(func(e *channel.Event) { echo(e); e.Handle, e.Text = "", "<@UBOT> hi" }), 0},
		{"of the old kind of bots", in(`"type":"message","subtype":"bot_message","bot_id":"B2","channel":"C7","channel_type":"channel","ts":"1700000000.000100","text":"hi"`), grouped(func(e *channel.Event) { echo(e); e.Sender, e.Handle = "", "" }), 0},
		{"Slack itself", in(strings.Replace(dm, "U41", "USLACKBOT", 1) + `,"text":"hi"`), with(func(e *channel.Event) { echo(e); e.Sender = "USLACKBOT" }), 0},
		{"a subtype that does not exist", in(dm + `,"subtype":"teleported"`), nil, 1},
		{"without its envelope", `{` + dm + `,"text":"hi","team":"T1"}`, with(said("hi")), 0},
		{"any order of fields", `{"event_id":"Ev1","type":"event_callback","authorizations":[{"user_id":"UBOT","is_bot":true}],"event":{"text":"<@UBOT>",` + room + `},"team_id":"T1"}`, grouped(to("<@UBOT>")), 0},
		{"Socket Mode", `{"envelope_id":"e","payload":` + in(dm+`,"text":"hi"`) + `,"type":"events_api","accepts_response_payload":false}`, with(said("hi")), 0},
	} {
		t.Run(tt.name, tt.run)
	}
}

func TestDecodeFiles(t *testing.T) {
	for _, tt := range []decodeCase{
		{"picture", in(dm + `,"subtype":"file_share","text":"look","files":[{"id":"F1","name":"a.png","mimetype":"image\/png","mode":"hosted",` +
			`"url_private":"https:\/\/files.slack.com\/p","url_private_download":"https:\/\/files.slack.com\/d","thumb_64":"https:\/\/files.slack.com\/t"}]`), with(func(e *channel.Event) {
			e.Text, e.Attachments = "look", []channel.Attachment{{Kind: "image", ID: "https://files.slack.com/d", MIME: "image/png", Name: "a.png"}}
		}), 0},
		{"recording", in(dm + `,"subtype":"file_share","files":[{"id":"F1","subtype":"slack_audio","mimetype":"video\/mp4","url_private":"https:\/\/files.slack.com\/p"},{"id":"F2","mimetype":"text\/plain"}]`), with(func(e *channel.Event) {
			e.Attachments = []channel.Attachment{{Kind: "audio", ID: "https://files.slack.com/p", MIME: "video/mp4"}, {Kind: "file", ID: "F2", MIME: "text/plain"}}
		}), 0},
		{"of another organisation", in(dm + `,"files":[{"id":"F1","mode":"file_access","file_access":"check_file_info"}]`), with(func(e *channel.Event) {
			e.Attachments = []channel.Attachment{{Kind: "file", ID: "F1"}}
		}), 0},
		{"passed on, and a preview", in(dm + `,"attachments":[{"is_share":true,"text":"x","author_id":"U2"},{"from_url":"https:\/\/a.example"}]`), with(func(e *channel.Event) {
			e.Attachments = []channel.Attachment{{Kind: "other"}}
		}), 0},
		{"odd values", in(dm + `,"text":"hi","files":[null,7,{"mimetype":5}],"attachments":{}`), with(func(e *channel.Event) {
			e.Text, e.Attachments = "hi", []channel.Attachment{{Kind: "file"}}
		}), 0},
	} {
		t.Run(tt.name, tt.run)
	}
}

func TestDecodeChanges(t *testing.T) {
	const frame = `"type":"message","channel":"D41","channel_type":"im","hidden":true,"ts":"1700000009.000900","event_ts":"1700000009.000900"`
	const was = `"previous_message":{"type":"message","user":"U41","ts":"1700000000.000100","text":"old"}`
	change := func(kind sotto.EventKind, text string) []channel.Event {
		return told(kind, func(e *channel.Event) {
			e.ID, e.Own, e.Text, e.Time = "1700000000.000100", "1700000009.000900", text, at(1700000009, 900)
		})
	}
	for _, tt := range []decodeCase{
		{"edit", in(frame + `,"subtype":"message_changed","message":{"type":"message","user":"U41","text":"n &amp; w","ts":"1700000000.000100","edited":{"user":"U41"}},` + was), change(sotto.EventEdit, "n & w"), 0},
		{"edit of the bot's", in(frame + `,"subtype":"message_changed","message":{"type":"message","user":"U41","bot_id":"B1","text":"new","ts":"1700000000.000100"},` + was), change(sotto.EventEcho, "new"), 0},
		{"edit without the message", in(frame + `,"subtype":"message_changed",` + was), change(sotto.EventEdit, ""), 0},
		{"deletion", in(frame + `,"subtype":"message_deleted","deleted_ts":"1700000000.000100",` + was), change(sotto.EventDelete, ""), 0},
		{"deletion of the bot's", in(frame + `,"subtype":"message_deleted","deleted_ts":"1700000000.000100","previous_message":{"user":"U41","bot_id":"B1"}`), change(sotto.EventEcho, ""), 0},
		{"deletion below which there is a thread", in(frame + `,"subtype":"message_changed","message":{"type":"message","subtype":"tombstone","user":"USLACKBOT","text":"This message was deleted.","ts":"1700000000.000100"},` + was), change(sotto.EventDelete, ""), 0},
		{"answered in a thread", in(frame + `,"subtype":"message_replied","message":{"type":"message","user":"U41","text":"hi","ts":"1700000000.000100","reply_count":1}`), change(sotto.EventOther, "hi"), 0},
		{"attachments are the new ones", in(frame + `,"subtype":"message_changed","message":{"user":"U41","ts":"1700000000.000100","files":[{"id":"F2"}]},"previous_message":{"files":[{"id":"F1"}]}`), func() []channel.Event {
			l := change(sotto.EventEdit, "")
			l[0].Attachments = []channel.Attachment{{Kind: "file", ID: "F2"}}
			return l
		}(), 0},
	} {
		t.Run(tt.name, tt.run)
	}
}

func TestDecodeOthers(t *testing.T) {
	envelope := func(e *channel.Event) { e.Sender, e.Conversation, e.Time = "", "", at(1700000001, 0) }
	for _, tt := range []decodeCase{
		{"reaction", in(`"type":"reaction_added","user":"U41","reaction":"eyes","item":{"type":"message","channel":"D41","ts":"1699999999.000001"},"item_user":"UBOT","event_ts":"1700000000.000100"`), told(sotto.EventReaction, func(e *channel.Event) { e.ID = "1699999999.000001" }), 0},
		{"reaction taken back", in(`"type":"reaction_removed","user":"U41","reaction":"eyes","item":{"type":"message","channel":"D41","ts":"1699999999.000001"},"event_ts":"1700000000.000100"`), told(sotto.EventReaction, func(e *channel.Event) { e.ID = "1699999999.000001" }), 0},
		{"somebody joins", in(`"type":"member_joined_channel","user":"U41","channel":"C7","channel_type":"C","event_ts":"1700000000.000100"`), told(sotto.EventJoin, func(e *channel.Event) { e.Conversation, e.Group = "C7", true }), 0},
		{"the bot joins", in(`"type":"member_joined_channel","user":"UBOT","channel":"C7","channel_type":"C","inviter":"U41","event_ts":"1700000000.000100"`), told(sotto.EventJoin, func(e *channel.Event) { e.Sender, e.Conversation, e.Group, e.Self = "UBOT", "C7", true, true }), 0},
		{"the bot goes", in(`"type":"member_left_channel","user":"UBOT","channel":"C7","channel_type":"C","event_ts":"1700000000.000100"`), told(sotto.EventLeave, func(e *channel.Event) { e.Sender, e.Conversation, e.Group, e.Self = "UBOT", "C7", true, true }), 0},
		{"who installed the app goes", in(`"type":"member_left_channel","user":"UINST","channel":"C7","channel_type":"C","event_ts":"1700000000.000100"`), told(sotto.EventLeave, func(e *channel.Event) { e.Sender, e.Conversation, e.Group = "UINST", "C7", true }), 0},
		{"the bot was taken out", in(`"type":"channel_left","channel":"C7","actor_id":"U41","event_ts":"1700000000.000100"`), told(sotto.EventLeave, func(e *channel.Event) { e.Sender, e.Conversation, e.Group, e.Self = "", "C7", true, true }), 0},
		{"a line about joining", in(room + `,"subtype":"channel_join","text":"<@U41> has joined"`), told(sotto.EventJoin, func(e *channel.Event) {
			e.ID, e.Conversation, e.Group, e.Text = "1700000000.000100", "C7", true, "<@U41> has joined"
		}), 0},
		{"a line about a topic", in(room + `,"subtype":"channel_topic","topic":"x","text":"set"`), told(sotto.EventOther, func(e *channel.Event) { e.ID, e.Conversation, e.Group, e.Text = "1700000000.000100", "C7", true, "set" }), 0},
		{"a channel gets another id", in(`"type":"channel_id_changed","old_channel_id":"G1","new_channel_id":"C1","event_ts":"1700000000.000100"`), told(sotto.EventMigrate, func(e *channel.Event) { e.Sender, e.Conversation, e.Payload, e.Group = "", "G1", "C1", true }), 0},
		{"home opened", in(`"type":"app_home_opened","user":"U41","channel":"D41","tab":"messages","event_ts":"1700000000.000100"`), told(sotto.EventOther, nothing), 0},
		{"assistant opened", in(`"type":"assistant_thread_started","assistant_thread":{"user_id":"U41","channel_id":"D41","thread_ts":"1.2","context":{"channel_id":"C9"}},"event_ts":"1700000000.000100"`), told(sotto.EventOther, nothing), 0},
		{"link", in(`"type":"link_shared","user":"U41","channel":"D41","message_ts":"1699999999.000001","links":[{"url":"x"}],"event_ts":"1700000000.000100"`), told(sotto.EventOther, func(e *channel.Event) { e.ID = "1699999999.000001" }), 0},
		{"file", in(`"type":"file_shared","file_id":"F1","file":{"id":"F1"},"user_id":"U41","channel_id":"D41","event_ts":"1700000000.000100"`), told(sotto.EventOther, nothing), 0},
		{"pin", in(`"type":"pin_added","user":"U41","channel_id":"D41","item":{"type":"message","channel":"D41","message":{"ts":"1699999999.000001","user":"U9"}},"event_ts":"1700000000.000100"`), told(sotto.EventOther, func(e *channel.Event) { e.ID = "1699999999.000001" }), 0},
		{"somebody new", in(`"type":"team_join","user":{"id":"U41","name":"x"},"event_ts":"1700000000.000100"`), told(sotto.EventOther, func(e *channel.Event) { e.Conversation = "" }), 0},
		{"a new channel", in(`"type":"channel_created","channel":{"id":"C7","name":"x","creator":"U41"},"event_ts":"1700000000.000100"`), told(sotto.EventOther, func(e *channel.Event) { e.Sender, e.Conversation, e.Group = "", "C7", true }), 0},
		{"app uninstalled", in(`"type":"app_uninstalled"`), told(sotto.EventOther, func(e *channel.Event) { envelope(e); e.Payload = "app_uninstalled" }), 0},
		{"tokens revoked", in(`"type":"tokens_revoked","tokens":{"oauth":["U41"],"bot":["UBOT"]}`), told(sotto.EventOther, func(e *channel.Event) { envelope(e); e.Payload = "tokens_revoked" }), 0},
	} {
		t.Run(tt.name, tt.run)
	}
}

// The mention and the message are two calls under two ids, and one event.
func TestMentionOnce(t *testing.T) {
	first, err := Decode([]byte(in(named)))
	if err != nil {
		t.Fatal(err)
	}
	second, err := Decode([]byte(strings.ReplaceAll(in(room+`,"text":"<@UBOT> hi"`), "Ev1", "Ev2")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}

// form lays fields out as Slack posts them.
func posted(fields ...string) string {
	q := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		q.Set(fields[i], fields[i+1])
	}
	return q.Encode()
}

const answers = "https://hooks.slack.com/commands/T1/2/x"

func TestDecodeCommands(t *testing.T) {
	alone := func(text string) []channel.Event {
		return []channel.Event{{
			Kind: sotto.EventMessage, Delivery: "t/1.2.x", Account: "T1", Sender: "U41", Conversation: "C7", Text: text,
			Addressed: true, Handle: "U41 " + answers,
		}}
	}
	slash := func(command, text string, more ...string) string {
		return posted(append([]string{
			"token", "x", "team_id", "T1", "channel_id", "C7", "channel_name", "general", "user_id", "U41",
			"command", command, "text", text, "response_url", answers, "trigger_id", "1.2.x",
		}, more...)...)
	}
	for _, tt := range []decodeCase{
		{"command", slash("/privacy", ""), alone("/privacy"), 0},
		{"with words", slash("/ask", "grüß & &lt;b&gt; + 1%"), alone("/ask grüß & <b> + 1%"), 0},
		{"as JSON", `{"envelope_id":"e","type":"slash_commands","payload":{"command":"/privacy","user_id":"U41","team_id":"T1","channel_id":"C7","response_url":"` + answers + `","trigger_id":"1.2.x"}}`, alone("/privacy"), 0},
		{"an address that is none", slash("/privacy", "", "response_url", "javascript:x"), func() []channel.Event {
			l := alone("/privacy")
			l[0].Handle = "U41"
			return l
		}(), 0},
		{"outgoing webhook", posted("token", "x", "team_id", "T1", "channel_id", "C7", "timestamp", "1700000000.000100", "user_id", "U41", "text", "bot: hi", "trigger_word", "bot:"), grouped(func(e *channel.Event) { e.Text, e.Addressed = "bot: hi", true }), 0},
		{"is anybody there", posted("ssl_check", "1", "token", "x"), nil, 0},
		{"a form of tomorrow", posted("token", "x", "teleport", "1"), nil, 1},
	} {
		t.Run(tt.name, tt.run)
	}
	a := &Adapter{self: self{prefix: "acme-"}}
	for command, want := range map[string]string{"/acme-privacy": "/privacy", "/privacy": "/privacy", "/acme-": "/acme-"} {
		if b, err := a.Decode([]byte(slash(command, ""))); err != nil || b.Events[0].Text != want {
			t.Errorf("%s: %+v, %v", command, b.Events, err)
		}
	}
}

func TestDecodeInteractions(t *testing.T) {
	const who = `"user":{"id":"U41","name":"x","team_id":"T1"},"team":{"id":"T1","domain":"x"},"api_app_id":"A1","trigger_id":"1.2.x","response_url":"` + answers + `"`
	press := func(change func(*channel.Event)) []channel.Event {
		return with(func(e *channel.Event) {
			e.Kind, e.Delivery, e.Time = sotto.EventButton, "t/1.2.x", at(1700000005, 0)
			change(e)
		})
	}
	const below = `"container":{"type":"message","message_ts":"1700000000.000100","channel_id":"D41","is_ephemeral":false},"channel":{"id":"D41","name":"directmessage"}`
	const inRoom = `"container":{"type":"message","message_ts":"1700000000.000100","channel_id":"C7","thread_ts":"1699999999.000001"},"channel":{"id":"C7","name":"x"}`
	action := func(inside string) string {
		return `"actions":[{"action_id":"b1","action_ts":"1700000005.000000",` + inside + `}]`
	}
	button := action(`"type":"button","text":{"type":"plain_text","text":"R&amp;D"},"value":"a&amp;b"`)
	value := func(payload, text string) []channel.Event {
		return press(func(e *channel.Event) { e.Payload, e.Text = payload, text })
	}
	for _, tt := range []decodeCase{
		{"button", `{"type":"block_actions",` + who + `,` + below + `,` + button + `}`, value("a&amp;b", "R&D"), 0},
		{"in a channel, in the thread", `{"type":"block_actions",` + who + `,` + inRoom + `,` + button + `}`, press(func(e *channel.Event) {
			e.Conversation, e.Group, e.Addressed, e.Handle, e.Payload, e.Text = "C7", true, true, "1699999999.000001", "a&amp;b", "R&D"
		}), 0},
		{"on a message that nobody else sees", `{"type":"block_actions",` + who + `,` + strings.Replace(inRoom, `"thread_ts"`, `"is_ephemeral":true,"thread_ts"`, 1) + `,` + button + `}`, press(func(e *channel.Event) {
			e.Conversation, e.Handle, e.Payload, e.Text = "C7", "U41 "+answers, "a&amp;b", "R&D"
		}), 0},
		{"in a view of the app's own", `{"type":"block_actions",` + who + `,"container":{"type":"view","view_id":"V1"},` + button + `}`, press(func(e *channel.Event) {
			e.ID, e.Conversation, e.Payload, e.Text = "", "U41", "a&amp;b", "R&D"
		}), 0},
		{"select", `{"type":"block_actions",` + who + `,` + below + `,` + action(`"type":"static_select","selected_option":{"text":{"type":"plain_text","text":"One"},"value":"1"}`) + `}`, value("1", "One"), 0},
		{"boxes", `{"type":"block_actions",` + who + `,` + below + `,` + action(`"type":"checkboxes","selected_options":[{"text":{"text":"One"},"value":"1"},{"text":{"text":"Two"},"value":"2"}]`) + `}`, value("1,2", "One, Two"), 0},
		{"date", `{"type":"block_actions",` + who + `,` + below + `,` + action(`"type":"datepicker","selected_date":"2026-11-23"`) + `}`, value("2026-11-23", ""), 0},
		{"moment", `{"type":"block_actions",` + who + `,` + below + `,` + action(`"type":"datetimepicker","selected_date_time":1700000000`) + `}`, value("1700000000", ""), 0},
		{"persons", `{"type":"block_actions",` + who + `,` + below + `,` + action(`"type":"multi_users_select","selected_users":["U1","U2"]`) + `}`, value("U1,U2", ""), 0},
		{"without a value", `{"type":"block_actions",` + who + `,` + below + `,` + action(`"type":"button","text":{"text":"Yes"}`) + `}`, value("Yes", "Yes"), 0},
		{"written into", `{"type":"block_actions",` + who + `,` + below + `,` + action(`"type":"plain_text_input","value":"sotto:delete:yes"`) + `}`, press(func(e *channel.Event) { e.Kind, e.Text = sotto.EventMessage, "sotto:delete:yes" }), 0},
		{"of the old kind", `{"type":"interactive_message","callback_id":"c",` + who + `,"action_ts":"1700000005.000000","message_ts":"1700000000.000100","channel":{"id":"D41","name":"directmessage"},"original_message":{"ts":"1700000000.000100"},"actions":[{"name":"n","type":"button","value":"Y"}]}`, value("Y", ""), 0},
		{
			"two at once", `{"type":"block_actions",` + who + `,` + below + `,"actions":[{"type":"button","value":"1","action_ts":"1700000005.000000"},{"type":"button","value":"2","action_ts":"1700000005.000000"}]}`,
			append(value("1", ""), press(func(e *channel.Event) { e.Payload, e.Delivery = "2", "t/1.2.x/1" })...), 0,
		},
		{"shortcut", `{"type":"shortcut","callback_id":"sotto:privacy","action_ts":"1700000005.000000",` + who + `}`, press(func(e *channel.Event) {
			e.ID, e.Conversation, e.Payload, e.Handle = "", "U41", "sotto:privacy", "U41 "+answers
		}), 0},
		{"on a message of somebody", `{"type":"message_action","callback_id":"cb","action_ts":"1700000005.000000",` + who + `,"channel":{"id":"C7","name":"x"},"message_ts":"1700000000.000100","message":{"user":"U9","text":"theirs"}}`, press(func(e *channel.Event) {
			e.Conversation, e.Payload, e.Handle = "C7", "cb", "U41 "+answers
		}), 0},
		{"view", `{"type":"view_submission",` + who + `,"view":{"id":"V1","team_id":"T2","bot_id":"B1","state":{"values":{"a":{"b":{"value":"secret"}}}}}}`, press(func(e *channel.Event) {
			e.Kind, e.ID, e.Conversation, e.Time = sotto.EventOther, "", "U41", time.Time{}
		}), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.run(t)
			tt.body = posted("payload", tt.body)
			t.Run("as a form", tt.run)
		})
	}
	e, err := Decode([]byte(`{"type":"view_closed",` + strings.Replace(who, `"trigger_id":"1.2.x",`, "", 1) + `}`))
	if err != nil || len(e.Events) != 1 || !strings.HasPrefix(e.Events[0].Delivery, "h/") {
		t.Errorf("without an id of its own: %+v, %v", e, err)
	}
}

// A body of a megabyte that is nothing but parts becomes no more than it should.
func TestManyParts(t *testing.T) {
	many := func(part string) string {
		return strings.TrimSuffix(strings.Repeat(part+",", 1<<20/(len(part)+1)), ",")
	}
	for _, body := range []string{
		`{"type":"block_actions","user":{"id":"U1"},"actions":[` + many(`{}`) + `]}`,
		`{"type":"block_actions","user":{"id":"U1"},"actions":[{"selected_options":[` + many(`{"value":"x","text":"y"}`) + `]}]}`,
		in(dm + `,"files":[` + many(`{}`) + `],"attachments":[` + many(`{"is_share":true}`) + `]`),
		in(dm + `,"text":"` + many("<@") + `"`),
	} {
		b, err := Decode([]byte(body))
		if err != nil || len(b.Events) == 0 || len(b.Events) > maxParts || len(b.Events[0].Attachments) > maxParts || len(b.Events[0].Payload) > 16<<10 {
			t.Errorf("%d events, %v", len(b.Events), err)
		}
	}
}

// TestFormAttacks is forms that two readers could read differently.
func TestFormAttacks(t *testing.T) {
	for name, body := range map[string]string{
		"two payloads":       "payload=%7B%7D&payload=%7B%7D",
		"two commands":       "command=/a&command=/b&user_id=U1",
		"two persons":        "command=/a&user_id=U1&user_id=U2",
		"a name in disguise": "command=/a&user_id=U1&%75ser_id=U2",
		"half an escape":     "command=/a&user_id=U1&text=%4",
		"no escape":          "command=/a&user_id=U1&text=%zz",
		"no sign":            "command=/a&user_id=U1&text",
		"nothing between":    "command=/a&&user_id=U1",
		"many fields":        "command=/a&user_id=U1" + strings.Repeat("&a=b", 64),
		"a long name":        "command=/a&user_id=U1&" + strings.Repeat("a", 65) + "=b",
		"nobody":             "command=/a&channel_id=C1",
		"no command":         "command=a&user_id=U1",
		"nothing known":      "a=b",
		"payload of another": "payload=" + url.QueryEscape(`{"object":"page","entry":[]}`),
		"a form in a form":   "payload=" + url.QueryEscape("payload={}"),
	} {
		if b, err := Decode([]byte(body)); err == nil || len(b.Events) != 0 {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}

func TestMentions(t *testing.T) {
	for text, want := range map[string]bool{
		"<@U1>": true, "a <@U1|x> b": true, "<@U2> <@U1>": true, "<@<@U1>": true,
		"@U1": false, "<@U11>": false, "<@U1": false, "< @U1>": false, "": false, "&lt;@U1&gt;": false,
	} {
		if got := mentions(text, "U1"); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestWhen(t *testing.T) {
	for ts, want := range map[string]time.Time{
		"1355517523.000005": at(1355517523, 5), "1355517523.5": at(1355517523, 500000), "1355517523.0000051": at(1355517523, 5),
		"": {}, "0000000000.000000": {}, "1": {}, "-1.0": {}, "1.-1": {}, "99999999999999.0": {}, "x.y": {}, "1.2.3": {},
		"99999999999999999999999.0": {},
	} {
		if got := when(ts); !got.Equal(want) {
			t.Errorf("%s: %v", ts, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add([]byte(x.Body))
		f.Add([]byte(posted("payload", x.Body)))
	}
	f.Add([]byte(in(room + `,"text":"<@UBOT> &amp;"`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Decode(body)
		again, err2 := Decode(body)
		if diff := cmp.Diff(b, again); diff != "" || (err == nil) != (err2 == nil) {
			t.Error("read differently the second time", diff)
		}
		if err != nil && (len(b.Events) != 0 || b.Unknown != 0) {
			t.Error("an error, and events")
		}
		keys := map[string]bool{}
		for i := range b.Events {
			e := &b.Events[i]
			if e.Delivery == "" || keys[e.Delivery] || e.Kind == "" {
				t.Errorf("delivery %q, kind %q", e.Delivery, e.Kind)
			}
			keys[e.Delivery] = true
			for _, s := range []string{e.ID, e.Own, e.Delivery, e.Account, e.Sender, e.Conversation, e.Text, e.Payload, e.Handle, e.Language} {
				if !utf8.ValidString(s) {
					t.Errorf("%q is not UTF-8", s)
				}
			}
			// A handle reads as it was written: nothing in a body can become more
			// of it than a thread, a person and an address.
			if h := parseHandle(e.Handle); h.String() != e.Handle {
				t.Errorf("handle %q reads as %q", e.Handle, h.String())
			}
		}
	})
}

// FuzzForm: what is accepted reads as the standard library reads it.
func FuzzForm(f *testing.F) {
	f.Add([]byte("command=%2Fprivacy&user_id=U1&text=a+b%26"))
	f.Add([]byte("payload=%7B%7D"))
	f.Add([]byte("text=\xff%ff&a=b&token=x"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseForm(body)
		if err != nil {
			return
		}
		q, err := url.ParseQuery(string(body))
		if err != nil {
			if strings.ContainsRune(string(body), ';') {
				return // a separator to nobody, which the library refuses
			}
			t.Fatal("accepted, but not by others")
		}
		for name, value := range map[string]string{
			"payload": got.payload, "command": got.command, "text": got.text, "user_id": got.user, "channel_id": got.channel,
			"team_id": got.team, "response_url": got.url, "trigger_id": got.trigger, "timestamp": got.stamp,
		} {
			if want := strings.ToValidUTF8(q.Get(name), "\ufffd"); value != want || len(q[name]) > 1 {
				t.Errorf("%s reads as %q, want %q", name, value, want)
			}
		}
	})
}
