package x_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/x"
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
	c := &canned{text: []byte(`{"data":{"dm_conversation_id":"41-900","dm_event_id":"1582103724607971332"}}`)}
	c.resp = http.Response{StatusCode: http.StatusCreated, ContentLength: int64(len(c.text)), Body: io.NopCloser(&c.body)}
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	for _, signed := range []bool{false, true} {
		name := "bearer"
		conf := x.Config{ConsumerSecrets: channel.Secrets{channel.NewSecret("s")}, AccessToken: channel.NewSecret(token), Client: c, Now: time.Now}
		if signed {
			name = "signed"
			conf.ConsumerKey, conf.TokenSecret = channel.NewSecret("key"), channel.NewSecret("secret")
		}
		a, err := x.New(conf)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if sent, err := a.Send(ctx, &channel.Outgoing{Conversation: "41", Text: "You said: hello, is the shop open on Sunday?"}); err != nil || sent.ID == "" {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyDecode(b *testing.B) {
	a, err := x.New(x.Config{ConsumerSecrets: channel.Secrets{channel.NewSecret("first secret")}, AccessToken: channel.NewSecret(token), Client: http.DefaultClient})
	if err != nil {
		b.Fatal(err)
	}
	body := page(item(1234567, strings.Repeat("a line of text, ", 45)))
	r := &channel.Request{Method: http.MethodPost, Body: body, Header: http.Header{"X-Twitter-Webhooks-Signature": {sign("first secret", body)}}}
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
