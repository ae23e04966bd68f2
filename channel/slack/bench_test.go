package slack_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/slack"
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

func bench(b *testing.B, client channel.Doer) *slack.Adapter {
	b.Helper()
	a, err := slack.New(slack.Config{
		BotToken: channel.NewSecret(token), SigningSecrets: channel.Secrets{channel.NewSecret("first")}, Client: client,
	})
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// BenchmarkVerifyDecode is a message of about 1 KiB, as JSON and as a form.
func BenchmarkVerifyDecode(b *testing.B) {
	a := bench(b, http.DefaultClient)
	at := strconv.Itoa(now)
	run := func(name string, body []byte) {
		b.Run(name, func(b *testing.B) {
			r := signed(at, signAt("first", at, body), body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := a.Verify(r); err != nil {
					b.Fatal(err)
				}
				if _, answered, err := a.Handshake(r); answered || err != nil {
					b.Fatal(err)
				}
				if got, err := a.Decode(body); err != nil || len(got.Events) != 1 {
					b.Fatal(err)
				}
			}
		})
	}
	run("message", message(1, strings.Repeat("a line of text, ", 36)))
	run("command", []byte(url.Values{
		"token": {"x"}, "team_id": {"T1"}, "channel_id": {"C1"}, "user_id": {"U1"}, "command": {"/ask"}, "trigger_id": {"1.2.x"},
		"response_url": {"https://hooks.slack.com/commands/T1/2/x"}, "text": {strings.Repeat("a line of text, ", 40)},
	}.Encode()))
}

// BenchmarkSend is what a send costs beside the HTTP call itself.
func BenchmarkSend(b *testing.B) {
	c := &canned{text: []byte(`{"ok":true,"channel":"D41","ts":"1700000001.000100","message":{"user":"UBOT","type":"message","ts":"1700000001.000100","bot_id":"B1","text":"You said: hello"}}`)}
	c.resp = http.Response{StatusCode: http.StatusOK, ContentLength: int64(len(c.text)), Body: io.NopCloser(&c.body)}
	a := bench(b, c)
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	for name, m := range map[string]*channel.Outgoing{
		"short":   {Conversation: "D41", Text: "You said: hello, is the shop open on Sunday?"},
		"buttons": {Conversation: "D41", Text: "Pick", Buttons: []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No", Payload: "N"}, {Label: "Later"}}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if sent, err := a.Send(ctx, m); err != nil || sent.ID == "" {
					b.Fatal(err)
				}
			}
		})
	}
}
