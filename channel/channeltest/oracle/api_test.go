package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"github.com/line/line-bot-sdk-go/v8/linebot/messaging_api"
	"github.com/slack-go/slack"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/sim"
	"github.com/sotto-chat/sotto/channel/telegram"
)

func serve(t *testing.T, p play.Player) *sim.Sim {
	t.Helper()
	s, err := sim.New(sim.Config{Player: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p.Settings(s.URL()) // where its API is
	return s
}

// said returns the messages that people saw.
func said(s *sim.Sim) []play.Shown {
	return slices.DeleteFunc(s.Shown(), func(x play.Shown) bool { return x.Kind != "message" })
}

func TestTelegramAPI(t *testing.T) {
	t.Parallel()
	const token = "123456:oracle-token"
	s := serve(t, telegram.Player(play.Config{Token: token}))
	b, err := bot.New(token, bot.WithServerURL(s.URL()))
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.SendMessage(t.Context(), &bot.SendMessageParams{
		ChatID: 42, Text: text, ReplyParameters: &models.ReplyParameters{MessageID: 7},
		ReplyMarkup: &models.InlineKeyboardMarkup{InlineKeyboard: [][]models.InlineKeyboardButton{{{Text: "Yes", CallbackData: "Y|1"}}}},
	})
	if err != nil || m.ID == 0 || m.Chat.ID != 42 {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := b.SendDocument(t.Context(), &bot.SendDocumentParams{ChatID: 42, Caption: "here", Document: &models.InputFileUpload{Filename: "a.txt", Data: bytes.NewReader([]byte("data"))}}); err != nil {
		t.Error(err)
	}
	if ok, err := b.SendChatAction(t.Context(), &bot.SendChatActionParams{ChatID: 42, Action: models.ChatActionTyping}); err != nil || !ok {
		t.Error(err)
	}
	if ok, err := b.AnswerCallbackQuery(t.Context(), &bot.AnswerCallbackQueryParams{CallbackQueryID: "99"}); err != nil || !ok {
		t.Error(err)
	}
	if ok, err := b.SetWebhook(t.Context(), &bot.SetWebhookParams{URL: "https://x.example/y", SecretToken: "s", AllowedUpdates: []string{"message"}}); err != nil || !ok {
		t.Error(err)
	}
	if h, err := b.GetWebhookInfo(t.Context()); err != nil || h.URL != "https://x.example/y" || len(h.AllowedUpdates) != 1 {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := b.SetMyCommands(t.Context(), &bot.SetMyCommandsParams{Commands: []models.BotCommand{{Command: "stop", Description: "No more"}}}); err != nil {
		t.Error(err)
	}
	if c, err := b.GetMyCommands(t.Context(), &bot.GetMyCommandsParams{}); err != nil || len(c) != 1 || c[0].Command != "stop" {
		t.Errorf("%+v, %v", c, err)
	}
	got := said(s)
	if len(got) != 2 || got[0].Text != text || got[0].ReplyTo != "7" || !slices.Equal(got[0].Buttons, []sotto.Button{{Label: "Yes", Payload: "Y|1"}}) ||
		got[1].Text != "here" || got[1].File == nil || string(got[1].File.Data) != "data" {
		t.Errorf("%+v", got)
	}
	s.Fail(sim.Fault{Status: 429, After: 3 * time.Second})
	var many *bot.TooManyRequestsError
	if _, err := b.SendMessage(t.Context(), &bot.SendMessageParams{ChatID: 42, Text: "x"}); !errors.As(err, &many) || many.RetryAfter != 3 {
		t.Error(err)
	}
	if _, err := b.SendMessage(t.Context(), &bot.SendMessageParams{ChatID: 42, Text: string(bytes.Repeat([]byte("x"), 4097))}); !errors.Is(err, bot.ErrorBadRequest) {
		t.Error(err)
	}
	if _, err := bot.New("123456:other", bot.WithServerURL(s.URL())); !errors.Is(err, bot.ErrorUnauthorized) {
		t.Error(err)
	}
}

// bearer sends what the library says in the form in which Sotto says it, and
// for which the player looks: the token in a header, and JSON instead of a form.
// Slack takes both.
type bearer struct{ token string }

// Do makes the call.
func (b bearer) Do(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	args := map[string]any{}
	for k, v := range r.PostForm {
		args[k] = v[0]
		if k == "blocks" {
			args[k] = json.RawMessage(v[0])
		}
	}
	body, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	r, err = http.NewRequestWithContext(r.Context(), http.MethodPost, r.URL.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultClient.Do(r)
}

func TestSlackAPI(t *testing.T) {
	t.Parallel()
	s := serve(t, verifiers(t)["slack"].player)
	c := slack.New(token, slack.OptionAPIURL(s.URL()+"/api/"), slack.OptionHTTPClient(bearer{token}))
	if who, err := c.AuthTestContext(t.Context()); err != nil || who.UserID == "" {
		t.Errorf("%+v, %v", who, err)
	}
	channel, stamp, err := c.PostMessageContext(t.Context(), "D0000042", slack.MsgOptionText("hello &amp; welcome", false), slack.MsgOptionBlocks(
		slack.NewSectionBlock(slack.NewTextBlockObject(slack.PlainTextType, "Pick", false, false), nil, nil),
		slack.NewActionBlock("", slack.NewButtonBlockElement("a1", "Y|1", slack.NewTextBlockObject(slack.PlainTextType, "Yes", false, false))),
	))
	if err != nil || channel != "D0000042" || stamp == "" {
		t.Errorf("%s, %s, %v", channel, stamp, err)
	}
	if got := said(s); len(got) != 1 || !slices.Equal(got[0].Buttons, []sotto.Button{{Label: "Yes", Payload: "Y|1"}}) || got[0].To != "D0000042" {
		t.Errorf("%+v", got)
	}
	s.Fail(sim.Fault{Status: 429, After: 3 * time.Second})
	var many *slack.RateLimitedError
	if _, _, err := c.PostMessageContext(t.Context(), "D0000042", slack.MsgOptionText("x", false)); !errors.As(err, &many) || many.RetryAfter != 3*time.Second {
		t.Error(err)
	}
	other := slack.New("other", slack.OptionAPIURL(s.URL()+"/api/"), slack.OptionHTTPClient(bearer{"other"}))
	if _, err := other.AuthTestContext(t.Context()); err == nil || err.Error() != "invalid_auth" {
		t.Error(err)
	}
}

func TestLineAPI(t *testing.T) {
	t.Parallel()
	s := serve(t, verifiers(t)["line"].player)
	c, err := messaging_api.NewMessagingApiAPI(token, messaging_api.WithEndpoint(s.URL()))
	if err != nil {
		t.Fatal(err)
	}
	to := "U0123456789abcdef0123456789abcdee"
	sent, err := c.PushMessage(&messaging_api.PushMessageRequest{To: to, Messages: []messaging_api.MessageInterface{messaging_api.TextMessage{
		Text: text, QuickReply: &messaging_api.QuickReply{Items: []messaging_api.QuickReplyItem{{Type: "action", Action: &messaging_api.PostbackAction{Label: "Yes", Data: "Y|1", DisplayText: "Yes"}}}},
	}}}, "123e4567-e89b-12d3-a456-426614174000")
	if err != nil || len(sent.SentMessages) != 1 {
		t.Errorf("%+v, %v", sent, err)
	}
	if got := said(s); len(got) != 1 || got[0].Text != text || got[0].To != to || !slices.Equal(got[0].Buttons, []sotto.Button{{Label: "Yes", Payload: "Y|1"}}) {
		t.Errorf("%+v", got)
	}
	if info, err := c.GetBotInfo(); err != nil || info.UserId == "" {
		t.Errorf("%+v, %v", info, err)
	}
	other, err := messaging_api.NewMessagingApiAPI("other", messaging_api.WithEndpoint(s.URL()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.GetBotInfo(); err == nil {
		t.Error("another token is believed")
	}
}

// The library keeps its addresses in variables of the package, so this test
// does not run beside others of Discord.
func TestDiscordAPI(t *testing.T) {
	p := verifiers(t)["discord"].player
	s := serve(t, p)
	webhooks := discordgo.EndpointWebhooks
	t.Cleanup(func() { discordgo.EndpointWebhooks = webhooks })
	discordgo.EndpointWebhooks = s.URL() + "/api/v10/webhooks/"
	var i discordgo.Interaction
	w := worded(t, p, play.Act{Kind: sotto.EventMessage, User: "42", Text: "hello"})
	if err := i.UnmarshalJSON(w.Body); err != nil {
		t.Fatal(err)
	}
	if l, ok := p.(play.Listener); ok { // the answer to the call: something will come
		if _, err := l.Heard(w, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, []byte(`{"type":5}`)); err != nil {
			t.Error(err)
		}
	}
	d, err := discordgo.New("Bot " + token)
	if err != nil {
		t.Fatal(err)
	}
	content := text
	m, err := d.InteractionResponseEdit(&i, &discordgo.WebhookEdit{Content: &content, Components: &[]discordgo.MessageComponent{
		discordgo.ActionsRow{Components: []discordgo.MessageComponent{discordgo.Button{Label: "Yes", CustomID: "Y|1", Style: discordgo.PrimaryButton}}},
	}})
	if err != nil || m.ID == "" {
		t.Fatalf("%+v, %v", m, err)
	}
	if m, err = d.FollowupMessageCreate(&i, true, &discordgo.WebhookParams{Content: "more"}); err != nil || m.ID == "" {
		t.Errorf("%+v, %v", m, err)
	}
	got := slices.DeleteFunc(s.Shown(), func(x play.Shown) bool { return x.Text == "" })
	if len(got) != 2 || got[0].Text != text || !slices.Equal(got[0].Buttons, []sotto.Button{{Label: "Yes", Payload: "Y|1"}}) || got[1].Text != "more" {
		t.Errorf("%+v", got)
	}
}
