package discord_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto/channel"
)

// BenchmarkVerifyDecode is mostly the signature: Ed25519 costs more than an
// HMAC by its nature.
func BenchmarkVerifyDecode(b *testing.B) {
	body := message(1, strings.Repeat("a line of text, ", 52))
	r := request(body, strconv.Itoa(clock), sign(public(1), clock, body))
	a, err := newBench()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Verify(r); err != nil {
			b.Fatal(err)
		}
		if _, answered, _ := a.Handshake(r); answered {
			b.Fatal("answered")
		}
		got, err := a.Decode(body)
		if err != nil || len(got.Events) != 1 {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode is the same without the signature.
func BenchmarkDecode(b *testing.B) {
	body := message(1, strings.Repeat("a line of text, ", 52))
	a, err := newBench()
	if err != nil {
		b.Fatal(err)
	}
	r := &channel.Request{Method: "POST", Body: body}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, answered, _ := a.Handshake(r); answered {
			b.Fatal("answered")
		}
		if got, err := a.Decode(body); err != nil || len(got.Events) != 1 {
			b.Fatal(err)
		}
	}
}
