package whatsapp_test

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
	"github.com/sotto-chat/sotto/channel/whatsapp"
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

func benched(b *testing.B, client channel.Doer) *whatsapp.Adapter {
	b.Helper()
	a, err := whatsapp.New(whatsapp.Config{
		PhoneNumberID: "900", AppSecrets: channel.Secrets{channel.NewSecret("first secret")}, VerifyToken: channel.NewSecret("verify"),
		AccessToken: channel.NewSecret(token), Client: client,
	})
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// BenchmarkSend is what a send costs beside the HTTP call itself.
func BenchmarkSend(b *testing.B) {
	c := &canned{text: []byte(`{"messaging_product":"whatsapp","contacts":[{"input":"41","wa_id":"41"}],"messages":[{"id":"wamid.HBgLMTY0NjcwNDM1OTUVAgARGBI1RjQyNUE3NEYxMzAzMzQ5MkEA"}]}`)}
	c.resp = http.Response{StatusCode: http.StatusOK, ContentLength: int64(len(c.text)), Body: io.NopCloser(&c.body)}
	a := benched(b, c)
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
	run("short", &channel.Outgoing{Conversation: "16505551234", Text: short, ReplyTo: "wamid.0"})
	run("1 KiB", &channel.Outgoing{Conversation: "16505551234", Text: strings.Repeat("a line of text,\n", 64)})
	run("buttons", &channel.Outgoing{Conversation: "16505551234", Text: short, Buttons: []sotto.Button{
		{Label: "Yes, please", Payload: "Y"}, {Label: "No, thank you", Payload: "N"}, {Label: "Later"},
	}})
}

func BenchmarkVerifyDecode(b *testing.B) {
	a := benched(b, http.DefaultClient)
	body := call(item(1234567, strings.Repeat("a line of text, ", 43)))
	r := &channel.Request{Method: http.MethodPost, Body: body, Header: http.Header{"X-Hub-Signature-256": {sign("first secret", body)}}}
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
