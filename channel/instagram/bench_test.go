package instagram_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/instagram"
)

func BenchmarkVerifyDecode(b *testing.B) {
	a, err := instagram.New(instagram.Config{
		AppSecrets: channel.Secrets{channel.NewSecret("first secret")}, VerifyToken: channel.NewSecret("verify"),
		AccessToken: channel.NewSecret(token), Client: http.DefaultClient,
	})
	if err != nil {
		b.Fatal(err)
	}
	body := call(item(1234567, strings.Repeat("a line of text, ", 52)))
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
