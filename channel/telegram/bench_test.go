package telegram_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/telegram"
)

// canned answers every call at once, and costs nothing.
type canned struct {
	resp http.Response
	body bytes.Reader
	text []byte
}

// Do answers.
func (c *canned) Do(*http.Request) (*http.Response, error) {
	c.body.Reset(c.text)
	return &c.resp, nil
}

// BenchmarkSend is what a send costs beside the HTTP call itself.
func BenchmarkSend(b *testing.B) {
	c := &canned{text: []byte(`{"ok":true,"result":{"message_id":77,"from":{"id":123456,"is_bot":true,"first_name":"Sotto","username":"sotto_bot"},"chat":{"id":41,"first_name":"A","type":"private"},"date":1700000000,"text":"You said: hello"}}`)}
	c.resp = http.Response{StatusCode: http.StatusOK, ContentLength: int64(len(c.text)), Body: io.NopCloser(&c.body)}
	a, err := telegram.New(telegram.Config{
		Token: channel.NewSecret(token), Secrets: channel.Secrets{channel.NewSecret("first_Secret-1")}, Client: c,
	})
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, ctx context.Context, m *channel.Outgoing) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if sent, err := a.Send(ctx, m); err != nil || sent.ID == "" {
					b.Fatal(err)
				}
			}
		})
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	short := "You said: hello, is the shop open on Sunday?"
	run("short", ctx, &channel.Outgoing{Conversation: "41", Text: short})
	run("without deadline", b.Context(), &channel.Outgoing{Conversation: "41", Text: short})
	run("1 KiB", ctx, &channel.Outgoing{Conversation: "41", Text: strings.Repeat("a line of text,\n", 64)})
	run("buttons", ctx, &channel.Outgoing{Conversation: "41", Text: short, Buttons: []sotto.Button{
		{Label: "Yes, please", Payload: "Y"}, {Label: "No, thank you", Payload: "N"}, {Label: "Later"},
	}})
}

func BenchmarkVerifyDecode(b *testing.B) {
	a, err := telegram.New(telegram.Config{
		Token: channel.NewSecret(token), Secrets: channel.Secrets{channel.NewSecret("first_Secret-1")}, Client: http.DefaultClient,
	})
	if err != nil {
		b.Fatal(err)
	}
	body := message(1234567, strings.Repeat("a line of text, ", 52))
	r := &channel.Request{
		Method: http.MethodPost, Body: body,
		Header: http.Header{"X-Telegram-Bot-Api-Secret-Token": {"first_Secret-1"}},
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Verify(r); err != nil {
			b.Fatal(err)
		}
		if got, err := a.Decode(body); err != nil || len(got.Events) != 1 {
			b.Fatal(err)
		}
	}
}
