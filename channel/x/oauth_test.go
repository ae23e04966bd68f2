package x

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto/channel"
)

// The vector is the one of X's documentation (docs.x.com, OAuth 1.0a, creating a
// signature); its tokens are published there and good for nothing.
func TestSignatureVector(t *testing.T) {
	u, err := url.Parse("https://api.x.com/1.1/statuses/update.json?include_entities=true")
	if err != nil {
		t.Fatal(err)
	}
	a := auth{
		key:         channel.NewSecret("xvz1evFS4wEEPTGEFPHBog"),
		secret:      channel.NewSecret("kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw"),
		token:       channel.NewSecret("370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"),
		tokenSecret: channel.NewSecret("LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"),
	}
	got := a.header(&http.Request{Method: http.MethodPost, URL: u}, "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", 1318622958,
		[]param{{"status", "Hello Ladies + Gentlemen, a signed OAuth request!"}})
	if !strings.HasSuffix(got, `, oauth_signature="Ls93hJiZbQ3akF3HF3x1Bz8%2FzU4%3D"`) {
		t.Error(got)
	}
	if u.RawQuery != "include_entities=true" {
		t.Error("the request was changed")
	}
}

// FuzzEscape: what is escaped comes back, and holds nothing but what may stand
// in a header and a base string.
func FuzzEscape(f *testing.F) {
	f.Add("Ladies + Gentlemen é\x00\xff\"")
	f.Fuzz(func(t *testing.T, s string) {
		got := escape(s)
		back, err := url.PathUnescape(got)
		if err != nil || back != s {
			t.Errorf("%q became %q and then %q, %v", s, got, back, err)
		}
		if strings.Trim(got, "%-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			t.Errorf("%q", got)
		}
	})
}
