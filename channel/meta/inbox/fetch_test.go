package inbox_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/messenger"
	"github.com/sotto-chat/sotto/channel/play"
)

// seen counts the calls that would have left.
type seen struct{ urls []string }

// Do answers with what was asked for.
func (s *seen) Do(r *http.Request) (*http.Response, error) {
	s.urls = append(s.urls, r.URL.String())
	if len(r.Header["Authorization"]) > 0 {
		return nil, errors.New("a token went to a host that is not the API's")
	}
	w := httptest.NewRecorder()
	_, _ = w.WriteString("bytes")
	return w.Result(), nil
}

// TestFetchHosts: only Meta's own hosts are asked, whatever a webhook says.
func TestFetchHosts(t *testing.T) {
	for addr, ok := range map[string]bool{
		"https://scontent.xx.fbcdn.net/v/t1/a.jpg?oh=1&oe=2":  true,
		"https://lookaside.fbsbx.com/ig_messaging_cdn/?id=1":  true,
		"https://scontent-fra3-1.cdninstagram.com/v/x.mp4":    true,
		"https://SCONTENT.XX.FBCDN.NET/a":                     true,
		"http://scontent.xx.fbcdn.net/a":                      false,
		"https://fbcdn.net/a":                                 false,
		"https://evilfbcdn.net/a":                             false,
		"https://fbcdn.net.evil.example/a":                    false,
		"https://evil.example/.fbcdn.net":                     false,
		"https://evil.example#.fbcdn.net":                     false,
		"https://evil.example?x=.fbcdn.net":                   false,
		"https://evil.example\\.fbcdn.net/a":                  false,
		"https://scontent.fbcdn.net@evil.example/a":           false,
		"https://user:pw@scontent.fbcdn.net/a":                false,
		"https://scontent.fbcdn.net:8443/a":                   false,
		"https://.fbcdn.net/a":                                false,
		"https://127.0.0.1/a":                                 false,
		"https://[::1]/.fbcdn.net":                            false,
		"file:///etc/passwd":                                  false,
		"//scontent.fbcdn.net/a":                              false,
		"scontent.fbcdn.net/a":                                false,
		"IMAGE_URL":                                           false,
		"https://graph.facebook.com/v26.0/me?fields=messages": false,
		"":                             false,
		"https://%zz/":                 false,
		"https://a.fbcdn.net/\r\nX: y": false,
	} {
		way := new(seen)
		a, err := onMessenger(map[string]string{"app_secret": "s", "verify_token": "v", "access_token": "t"},
			func(c *messenger.Config) { c.Media, c.Client = nil, way })
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Fetch(t.Context(), channel.Attachment{Kind: "image", ID: addr}, 100)
		if ok && (err != nil || string(got) != "bytes" || len(way.urls) != 1) {
			t.Errorf("%q: %q, %v", addr, got, err)
		}
		var e *channel.SendError
		if !ok && (!errors.As(err, &e) || e.Class != channel.Bad || e.Code != "host" || len(way.urls) != 0) {
			t.Errorf("%q: %q, %v, asked %q", addr, got, err, way.urls)
		}
	}
}

func TestMediaSetting(t *testing.T) {
	for media, ok := range map[string]bool{
		"https://cdn.example": true, "https://*.cdn.example": true, "https://cdn.example:8443": true, "http://127.0.0.1:80": true,
		"": false, "cdn.example": false, "http://cdn.example": false, "https://*": false, "https://*.": false, "https://*.example": false,
		"https://a.*.example": false, "https://*.cdn.example/x": false, "https://cdn.example/x": false, "https://*.cdn.example:1": false,
	} {
		_, err := onMessenger(map[string]string{"app_secret": "s", "verify_token": "v", "access_token": "t", "media": media}, nil)
		if (err == nil) != ok {
			t.Errorf("%q: %v", media, err)
		}
	}
}

// TestFetchPlayed: what people send can be got, once and bounded.
func TestFetchPlayed(t *testing.T) {
	net := played(t, messenger.Player(play.Config{}))
	a, err := onMessenger(net.Player().Settings(net.URL()), nil)
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("\x89PNG bytes")
	w, err := net.Player().Webhook(play.Act{Kind: sotto.EventMessage, File: &channel.File{Name: "a.png", MIME: "image/png", Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Decode(w.Body)
	if err != nil || len(b.Events) != 1 || len(b.Events[0].Attachments) != 1 {
		t.Fatal(b, err)
	}
	f := b.Events[0].Attachments[0]
	sum := sha256.Sum256(data)
	for _, tt := range []struct {
		name  string
		sum   string
		limit int64
		code  string
	}{
		{"all", "", 10, ""},
		{"with its sum", hex.EncodeToString(sum[:]), 10, ""},
		{"with another sum", hex.EncodeToString(sum[:31]) + "00", 10, "sum"},
		{"too large", "", 9, "too_large"},
		{"none wanted", "", 0, "too_large"},
	} {
		f.Sum = tt.sum
		got, err := a.Fetch(t.Context(), f, tt.limit)
		var e *channel.SendError
		if tt.code == "" && (err != nil || string(got) != string(data)) || tt.code != "" && (!errors.As(err, &e) || e.Code != tt.code || e.Class != channel.Bad) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var e *channel.SendError
	if _, err := a.Fetch(ctx, f, 10); !errors.As(err, &e) || e.Class != channel.Retry {
		t.Error(err)
	}
}
