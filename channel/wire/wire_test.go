package wire

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// The vector is test case 2 of RFC 4231.
const (
	rfcKey  = "Jefe"
	rfcText = "what do ya want for nothing?"
	rfcMAC  = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
)

func TestMAC(t *testing.T) {
	keys := func(s ...string) (list channel.Secrets) {
		for _, k := range s {
			list = append(list, channel.NewSecret(k))
		}
		return list
	}
	for _, tt := range []struct {
		name      string
		keys      channel.Secrets
		signature string
		body      string
		want      bool
	}{
		{"right", keys(rfcKey), "sha256=" + rfcMAC, rfcText, true},
		{"second key", keys("old", rfcKey), "sha256=" + rfcMAC, rfcText, true},
		{"first key", keys(rfcKey, "new"), "sha256=" + rfcMAC, rfcText, true},
		{"no key", nil, "sha256=" + rfcMAC, rfcText, false},
		{"empty key", keys(""), "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", "", false},
		{"another body", keys(rfcKey), "sha256=" + rfcMAC, rfcText + "?", false},
		{"upper case", keys(rfcKey), "sha256=" + strings.ToUpper(rfcMAC), rfcText, false},
		{"another prefix", keys(rfcKey), "sha512=" + rfcMAC, rfcText, false},
		{"no prefix", keys(rfcKey), rfcMAC, rfcText, false},
		{"empty", keys(rfcKey), "", rfcText, false},
	} {
		m := NewMAC(tt.keys)
		for range 3 { // a hash is used again
			if got := m.MatchHex(tt.signature, "sha256=", "", []byte(tt.body)); got != tt.want {
				t.Errorf("%s: %v", tt.name, got)
			}
			if m.MatchHex("sha256="+strings.Repeat("0", 64), "sha256=", "", []byte("other")) {
				t.Errorf("%s: a wrong one matches", tt.name)
			}
		}
	}
	var none *MAC
	if none.MatchHex("sha256="+rfcMAC, "sha256=", "", []byte(rfcText)) || (&MAC{}).MatchHex("sha256="+rfcMAC, "sha256=", "", []byte(rfcText)) {
		t.Error("the zero value matches")
	}
}

// Checks at the same time do not mix their bodies up.
func TestMACTogether(t *testing.T) {
	m := NewMAC(channel.Secrets{channel.NewSecret("other"), channel.NewSecret(rfcKey)})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				if ok := m.MatchHex(rfcMAC, "", "", []byte(rfcText[i%2:])); ok != (i%2 == 0) {
					t.Errorf("%d: %v", i, ok)
				}
			}
		})
	}
	wg.Wait()
}

func TestSecretHeader(t *testing.T) {
	secrets := channel.Secrets{channel.NewSecret("a"), {}, channel.NewSecret("b")}
	for _, tt := range []struct {
		values []string
		want   bool
	}{{[]string{"a"}, true}, {[]string{"b"}, true}, {[]string{"c"}, false}, {[]string{""}, false}, {nil, false}, {[]string{"a", "a"}, false}} {
		if got := SecretHeader(http.Header{"X": tt.values}, "X", secrets); got != tt.want {
			t.Errorf("%q: %v", tt.values, got)
		}
	}
	if Usable(secrets) || Usable(nil) || !Usable(secrets[:1]) {
		t.Error("Usable")
	}
}

func TestBase(t *testing.T) {
	for addr, want := range map[string]string{
		"https://api.telegram.org":     "https://api.telegram.org",
		"https://x.example:8443/base/": "https://x.example:8443/base",
		"http://127.0.0.1:80":          "http://127.0.0.1:80",
		"http://[::1]:80/":             "http://[::1]:80",
		"http://localhost":             "http://localhost",
		"http://x.example":             "",
		"http://127.0.0.1.example":     "",
		"http://localhost.example":     "",
		"https://u:secret@x.example":   "",
		"https://x.example?q=secret":   "",
		"https://x.example#secret":     "",
		"ftp://127.0.0.1":              "",
		"https://":                     "",
		"secret":                       "",
		"https://x.example/%zz-secret": "",
		"":                             "",
	} {
		got, err := Base(addr)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", addr, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows it", addr)
		}
	}
}

func TestSeconds(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"": 0, "x": 0, "5": 5 * time.Second, "0.25": 250 * time.Millisecond, "-1": 0, "NaN": 0,
		"Inf": 24 * time.Hour, "1e99": 24 * time.Hour, "Wed, 21 Oct 2026 07:28:00 GMT": 0,
	} {
		if got := Seconds(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

func TestAfter(t *testing.T) {
	first := &channel.SendError{Class: channel.Retry, Status: 429, Code: "429", RetryAfter: time.Second}
	var e *channel.SendError
	if !errors.As(After(first), &e) || e.Class != channel.Unknown || e.Status != 429 || first.Class != channel.Retry {
		t.Error(e, first)
	}
	if other := errors.New("x"); !errors.Is(After(other), other) {
		t.Error("another error was changed")
	}
}

func TestNumbered(t *testing.T) {
	b := []sotto.Button{{Label: "Yes"}, {Label: "No"}}
	if got := Numbered("Pick", b); got != "Pick\n1. Yes\n2. No" {
		t.Error(got)
	}
	if got := Numbered("", b); got != "1. Yes\n2. No" {
		t.Error(got)
	}
}
