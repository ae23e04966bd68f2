package line_test

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
	"github.com/sotto-chat/sotto/channel/line"
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
	c := &canned{text: []byte(`{"sentMessages":[{"id":"461230966842064897","quoteToken":"IStG5h1Tz7b"}]}`)}
	c.resp = http.Response{StatusCode: http.StatusOK, ContentLength: int64(len(c.text)), Body: io.NopCloser(&c.body)}
	a, err := line.New(line.Config{Secrets: channel.Secrets{channel.NewSecret("s")}, Token: channel.NewSecret(token), Client: c})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	run := func(name string, m *channel.Outgoing) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if sent, err := a.Send(ctx, m); err != nil || sent.ID == "" {
					b.Fatal(err)
				}
			}
		})
	}
	short := "You said: hello, is the shop open on Sunday?"
	run("push", &channel.Outgoing{Conversation: "U41", Text: short, Key: "1"})
	run("buttons", &channel.Outgoing{Conversation: "U41", Text: short, Key: "1", Buttons: []sotto.Button{{Label: "Yes, please", Payload: "Y"}, {Label: "No, thank you", Payload: "N"}}})
}

func BenchmarkVerifyDecode(b *testing.B) {
	a, err := line.New(line.Config{Secrets: channel.Secrets{channel.NewSecret("first secret")}, Token: channel.NewSecret(token), Client: http.DefaultClient})
	if err != nil {
		b.Fatal(err)
	}
	body := page(item(1234567, strings.Repeat("a line of text, ", 44)))
	r := &channel.Request{Method: http.MethodPost, Body: body, Header: http.Header{"X-Line-Signature": {sign("first secret", body)}}}
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
