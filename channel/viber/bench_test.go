package viber_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/viber"
)

func BenchmarkVerifyDecode(b *testing.B) {
	a, err := viber.New(viber.Config{Tokens: channel.Secrets{channel.NewSecret(first)}, Name: "Shop", Client: http.DefaultClient})
	if err != nil {
		b.Fatal(err)
	}
	body := message(1, strings.Repeat("a line of text, ", 52))
	r := &channel.Request{Method: http.MethodPost, Body: body, Header: http.Header{"X-Viber-Content-Signature": {sign(first, body)}}}
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
