package oracle

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/bwmarrin/discordgo"
	"github.com/go-telegram/bot/models"
	"github.com/line/line-bot-sdk-go/v8/linebot/webhook"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/telegram"
)

// worded is what a player makes of an act.
func worded(t *testing.T, p play.Player, a play.Act) play.Webhook {
	t.Helper()
	w, err := p.Webhook(a)
	if err != nil {
		t.Fatalf("%s: %v", a.Kind, err)
	}
	return w
}

func TestTelegramTypes(t *testing.T) {
	t.Parallel()
	p := telegram.Player(play.Config{})
	update := func(a play.Act) models.Update {
		t.Helper()
		var u models.Update
		if err := json.Unmarshal(worded(t, p, a).Body, &u); err != nil || u.ID == 0 {
			t.Fatal(a.Kind, err)
		}
		return u
	}
	if u := update(play.Act{Kind: sotto.EventMessage, User: "42", Text: text, ReplyTo: "7"}); u.Message == nil || u.Message.Text != text ||
		u.Message.From.ID != 42 || u.Message.Chat.ID != 42 || u.Message.Chat.Type != models.ChatTypePrivate || u.Message.ReplyToMessage.ID != 7 || u.Message.Date == 0 {
		t.Errorf("message: %+v", u.Message)
	}
	if u := update(play.Act{Kind: sotto.EventMessage, User: "42", Group: "-1005", Text: text, Addressed: true}); u.Message == nil ||
		u.Message.Chat.ID != -1005 || u.Message.Chat.Type != models.ChatTypeGroup || len(u.Message.Entities) != 1 || u.Message.Entities[0].Type != models.MessageEntityTypeMention {
		t.Errorf("in a group: %+v", u.Message)
	}
	if u := update(play.Act{Kind: sotto.EventMessage, Text: "look", File: &channel.File{Name: "a.jpg", MIME: "image/jpeg", Data: []byte("x")}}); u.Message == nil || len(u.Message.Photo) != 2 || u.Message.Caption != "look" {
		t.Errorf("photo: %+v", u.Message)
	}
	if u := update(play.Act{Kind: sotto.EventMessage, File: &channel.File{Name: "a.pdf", MIME: "application/pdf", Data: []byte("x")}}); u.Message == nil || u.Message.Document == nil || u.Message.Document.FileName != "a.pdf" {
		t.Errorf("document: %+v", u.Message)
	}
	if u := update(play.Act{Kind: sotto.EventButton, User: "42", Payload: "Y|1", ID: "7"}); u.CallbackQuery == nil || u.CallbackQuery.Data != "Y|1" ||
		u.CallbackQuery.From.ID != 42 || u.CallbackQuery.Message.Message == nil || u.CallbackQuery.Message.Message.ID != 7 || u.CallbackQuery.ID == "" {
		t.Errorf("button: %+v", u.CallbackQuery)
	}
	if u := update(play.Act{Kind: sotto.EventEdit, ID: "7", Text: text}); u.EditedMessage == nil || u.EditedMessage.ID != 7 || u.EditedMessage.Text != text || u.EditedMessage.EditDate == 0 {
		t.Errorf("edit: %+v", u.EditedMessage)
	}
	if u := update(play.Act{Kind: sotto.EventReaction, ID: "7", Text: "👍"}); u.MessageReaction == nil || u.MessageReaction.MessageID != 7 ||
		len(u.MessageReaction.NewReaction) != 1 || u.MessageReaction.NewReaction[0].ReactionTypeEmoji.Emoji != "👍" {
		t.Errorf("reaction: %+v", u.MessageReaction)
	}
	if u := update(play.Act{Kind: sotto.EventBlock}); u.MyChatMember == nil || u.MyChatMember.NewChatMember.Type != models.ChatMemberTypeBanned || u.MyChatMember.OldChatMember.Type != models.ChatMemberTypeMember {
		t.Errorf("block: %+v", u.MyChatMember)
	}
	if u := update(play.Act{Kind: sotto.EventJoin, User: "bot", Group: "-1005"}); u.MyChatMember == nil || u.MyChatMember.NewChatMember.Type != models.ChatMemberTypeMember {
		t.Errorf("the bot joins: %+v", u.MyChatMember)
	}
	if u := update(play.Act{Kind: sotto.EventJoin, User: "42", Group: "-1005"}); u.Message == nil || len(u.Message.NewChatMembers) != 1 || u.Message.NewChatMembers[0].ID != 42 {
		t.Errorf("somebody joins: %+v", u.Message)
	}
	if u := update(play.Act{Kind: sotto.EventMigrate, Group: "-5", Payload: "-1005"}); u.Message == nil || u.Message.MigrateToChatID != -1005 {
		t.Errorf("migration: %+v", u.Message)
	}
	if u := update(play.Act{Kind: sotto.EventDelete, User: "42@bc", ID: "7"}); u.DeletedBusinessMessages == nil || len(u.DeletedBusinessMessages.MessageIDs) != 1 || u.DeletedBusinessMessages.BusinessConnectionID != "bc" {
		t.Errorf("deletion: %+v", u.DeletedBusinessMessages)
	}
}

func TestLineTypes(t *testing.T) {
	t.Parallel()
	p := verifiers(t)["line"].player
	event := func(a play.Act) webhook.EventInterface {
		t.Helper()
		cb, err := webhook.ParseRequest(secret, request(t, worded(t, p, a)))
		if err != nil || len(cb.Events) == 0 || cb.Destination == "" {
			t.Fatal(a.Kind, err)
		}
		return cb.Events[0]
	}
	user := "U" + "0123456789abcdef0123456789abcdee"
	m, ok := event(play.Act{Kind: sotto.EventMessage, User: user, Text: text}).(webhook.MessageEvent)
	if !ok || m.ReplyToken == "" || m.WebhookEventId == "" || m.Timestamp == 0 {
		t.Fatalf("message: %+v", m)
	}
	if c, ok := m.Message.(webhook.TextMessageContent); !ok || c.Text != text || c.Id == "" || m.Source.(webhook.UserSource).UserId != user {
		t.Errorf("message: %+v", m)
	}
	m, ok = event(play.Act{Kind: sotto.EventMessage, File: &channel.File{Name: "a.png", MIME: "image/png", Data: []byte("x")}}).(webhook.MessageEvent)
	if _, image := m.Message.(webhook.ImageMessageContent); !ok || !image {
		t.Errorf("image: %+v", m)
	}
	if e, ok := event(play.Act{Kind: sotto.EventButton, Payload: "Y|1"}).(webhook.PostbackEvent); !ok || e.Postback.Data != "Y|1" {
		t.Errorf("button: %+v", e)
	}
	if e, ok := event(play.Act{Kind: sotto.EventDelete, ID: "77"}).(webhook.UnsendEvent); !ok || e.Unsend.MessageId != "77" {
		t.Errorf("deletion: %+v", e)
	}
	if _, ok := event(play.Act{Kind: sotto.EventBlock}).(webhook.UnfollowEvent); !ok {
		t.Error("block")
	}
	if e, ok := event(play.Act{Kind: sotto.EventUnblock}).(webhook.FollowEvent); !ok || !e.Follow.IsUnblocked {
		t.Errorf("unblock: %+v", e)
	}
}

func TestSlackTypes(t *testing.T) {
	t.Parallel()
	p := verifiers(t)["slack"].player
	event := func(a play.Act) any {
		t.Helper()
		e, err := slackevents.ParseEvent(json.RawMessage(worded(t, p, a).Body), slackevents.OptionNoVerifyToken())
		if err != nil {
			t.Fatal(a.Kind, err)
		}
		return e.InnerEvent.Data
	}
	const escaped = "h\u00e9 \U0001F600 \"q\" \\ &lt;b&gt; &amp; 'x' / end" // as Slack sends it
	if m, ok := event(play.Act{Kind: sotto.EventMessage, User: "U0000042", Text: text}).(*slackevents.MessageEvent); !ok || m.Text != escaped ||
		m.User != "U0000042" || m.ChannelType != "im" || m.TimeStamp == "" || m.Channel == "" {
		t.Errorf("message: %+v", m)
	}
	if m, ok := event(play.Act{Kind: sotto.EventEdit, ID: "1700000000.000100", Text: text}).(*slackevents.MessageEvent); !ok || m.SubType != "message_changed" || m.Message == nil || m.Message.Text != escaped {
		t.Errorf("edit: %+v", m)
	}
	if m, ok := event(play.Act{Kind: sotto.EventDelete, ID: "1700000000.000100"}).(*slackevents.MessageEvent); !ok || m.SubType != "message_deleted" {
		t.Errorf("deletion: %+v", m)
	}
	if r, ok := event(play.Act{Kind: sotto.EventReaction, ID: "1700000000.000100", Text: "👍"}).(*slackevents.ReactionAddedEvent); !ok || r.Item.Timestamp != "1700000000.000100" || r.Reaction == "" {
		t.Errorf("reaction: %+v", r)
	}
	w := worded(t, p, play.Act{Kind: sotto.EventButton, User: "U0000042", Text: "Yes", Payload: "Y|1", ID: "1700000000.000100"})
	form, err := url.ParseQuery(string(w.Body))
	if err != nil {
		t.Fatal(err)
	}
	var in slack.InteractionCallback
	if err := json.Unmarshal([]byte(form.Get("payload")), &in); err != nil || in.Type != slack.InteractionTypeBlockActions || in.User.ID != "U0000042" ||
		len(in.ActionCallback.BlockActions) != 1 || in.ActionCallback.BlockActions[0].Value != "Y|1" {
		t.Errorf("button: %v, %+v", err, in.ActionCallback.BlockActions)
	}
	command, err := slack.SlashCommandParse(request(t, worded(t, p, play.Act{Kind: sotto.EventMessage, User: "U0000042", Text: "/ask now"})))
	if err != nil || command.Command != "/ask" || command.Text != "now" || command.UserID != "U0000042" {
		t.Errorf("command: %v, %+v", err, command)
	}
	for _, q := range p.Questions() {
		if e, err := slackevents.ParseEvent(json.RawMessage(q.Body), slackevents.OptionNoVerifyToken()); err != nil || e.Type != slackevents.URLVerification {
			t.Errorf("question: %v, %+v", err, e)
		}
	}
}

func TestDiscordTypes(t *testing.T) {
	t.Parallel()
	p := verifiers(t)["discord"].player
	interaction := func(w play.Webhook) discordgo.Interaction {
		t.Helper()
		var i discordgo.Interaction
		if err := json.Unmarshal(w.Body, &i); err != nil {
			t.Fatal(err)
		}
		return i
	}
	i := interaction(worded(t, p, play.Act{Kind: sotto.EventMessage, User: "42", Text: text}))
	if i.Type != discordgo.InteractionApplicationCommand || i.ID == "" || i.Token == "" || i.User == nil || i.User.ID != "42" || i.ChannelID == "" {
		t.Fatalf("message: %+v", i)
	}
	if o := i.ApplicationCommandData().Options; len(o) != 1 || o[0].StringValue() != text {
		t.Errorf("message: %+v", o)
	}
	i = interaction(worded(t, p, play.Act{Kind: sotto.EventMessage, User: "42", Group: "4711", Text: text}))
	if i.Member == nil || i.Member.User.ID != "42" || i.GuildID == "" || i.User != nil {
		t.Errorf("in a server: %+v", i)
	}
	i = interaction(worded(t, p, play.Act{Kind: sotto.EventButton, User: "42", Text: "Yes", Payload: "Y|1", ID: "77"}))
	if i.Type != discordgo.InteractionMessageComponent || i.MessageComponentData().CustomID != "Y|1" || i.Message == nil {
		t.Errorf("button: %+v", i)
	}
	pings := 0
	for _, q := range p.Questions() {
		if q.Method != http.MethodGet && interaction(q).Type == discordgo.InteractionPing {
			pings++
		}
	}
	if pings == 0 {
		t.Error("Discord asks nothing")
	}
}
