package telegram_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/sim"
	"github.com/sotto-chat/sotto/channel/telegram"
)

// played is an adapter and the network that it meets.
func played(t *testing.T) (*telegram.Adapter, *sim.Sim) {
	t.Helper()
	net, err := sim.New(sim.Config{Player: telegram.Player(play.Config{})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = net.Close() })
	a, err := as(net.Player().Settings(net.URL()), http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	return a.(*telegram.Adapter), net //nolint:errcheck,forcetypeassert // as makes no other
}

func want() channel.Installation {
	return channel.Installation{
		Webhook: "https://bot.example.org/hooks/telegram/shop", Privacy: "https://bot.example.org/privacy",
		Commands: []channel.Command{{Name: "privacy", Text: "What is kept, and why"}, {Name: "/stop", Text: "No more messages"}},
	}
}

func TestInstall(t *testing.T) {
	a, net := played(t)
	for round, wantDone := range [][]bool{{false, false, true, false, true}, {true, true, true, false, true}} {
		steps, err := a.Install(t.Context(), want())
		if err != nil {
			t.Fatal(err)
		}
		var done []bool
		for _, s := range steps {
			done = append(done, s.Done)
			if (s.Do == nil) == (s.Hand == "") {
				t.Errorf("%q is made neither by hand nor by itself", s.Text)
			}
		}
		if diff := cmp.Diff(wantDone, done); diff != "" {
			t.Errorf("round %d: %s", round, diff)
		}
		for range 2 { // twice does no harm
			for _, s := range steps {
				if s.Do != nil {
					if err := s.Do(t.Context()); err != nil {
						t.Errorf("%s: %v", s.Text, err)
					}
				}
			}
		}
	}
	var said []string
	for _, x := range net.Shown() {
		said = append(said, x.Text)
	}
	if !strings.Contains(strings.Join(said, "|"), "webhook https://bot.example.org/hooks/telegram/shop|2 commands") {
		t.Errorf("the network was told %q", said)
	}
	found, err := a.Check(t.Context(), want())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if !f.OK {
			t.Errorf("after setting up: %+v", f)
		}
	}
	if len(found) < 5 {
		t.Errorf("only %d findings", len(found))
	}
}

func TestInstallRefuses(t *testing.T) {
	a, net := played(t)
	for name, change := range map[string]func(*channel.Installation){
		"http":        func(w *channel.Installation) { w.Webhook = "http://bot.example.org/x" },
		"none":        func(w *channel.Installation) { w.Webhook = "" },
		"other port":  func(w *channel.Installation) { w.Webhook = "https://bot.example.org:8080/x" },
		"command":     func(w *channel.Installation) { w.Commands[0].Name = "Privacy!" },
		"no text":     func(w *channel.Installation) { w.Commands[0].Text = "" },
		"long text":   func(w *channel.Installation) { w.Commands[0].Text = strings.Repeat("é", 257) },
		"no command":  func(w *channel.Installation) { w.Commands[0].Name = "/" },
		"bad address": func(w *channel.Installation) { w.Webhook = "https://\x00" },
	} {
		w := want()
		change(&w)
		if _, err := a.Install(t.Context(), w); sotto.KindOf(err) != sotto.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(net.Shown()) > 0 {
		t.Error("something was set up all the same")
	}
	if _, err := new(telegram.Adapter).Install(t.Context(), want()); err == nil {
		t.Error("the zero value installs")
	}
}

// clock is when the checks of these tests are made.
var clock = time.Unix(1700000600, 0)

func TestCheck(t *testing.T) {
	const all = `"allowed_updates":["message","edited_message","callback_query","my_chat_member"]`
	for _, tt := range []struct {
		name, me, hook string
		want           []string // a word of each finding that is not OK
		fix            string
	}{
		{"all well", `{"username":"sottobot"}`, `{"url":"https://x/y",` + all + `}`, nil, ""},
		{"default updates", `{"username":"SottoBot"}`, `{"url":"https://x/y"}`, nil, ""},
		{"no webhook", `{"username":"sottobot"}`, `{"url":""}`, []string{"No webhook"}, "channel setup"},
		{"elsewhere", `{"username":"sottobot"}`, `{"url":"https://x/z"}`, []string{"another address"}, "channel setup"},
		{"an error long ago", `{"username":"sottobot"}`, `{"url":"https://x/y","last_error_date":1690000000,"last_error_message":"timed out"}`, nil, ""},
		{"secret", `{"username":"sottobot"}`, `{"url":"https://x/y","last_error_date":1700000000,"last_error_message":"Wrong response from the webhook: 401 Unauthorized"}`, []string{"401"}, "another secret"},
		{"certificate", `{"username":"sottobot"}`, `{"url":"https://x/y","last_error_date":1700000000,"last_error_message":"SSL error {337047686}"}`, []string{"SSL"}, "certificate"},
		{"not reached", `{"username":"sottobot"}`, `{"url":"https://x/y","last_error_date":1700000000,"last_error_message":"Connection timed out"}`, []string{"timed out"}, "port 443"},
		{
			"all wrong", `{"username":"other","can_read_all_group_messages":true}`,
			`{"url":"https://x/y","pending_update_count":500,"last_error_date":1700000000,"last_error_message":"Wrong response\u001b[31m: 500.","allowed_updates":["message","edited_message","callback_query"]}`,
			[]string{"@other", "privacy", "2023-11-14T22:13:20Z: Wrong response[31m: 500.", "500 updates", "my_chat_member"},
			"",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{answers: []string{`{"ok":true,"result":` + tt.me + `}`, `{"ok":true,"result":` + tt.hook + `}`}, date: clock.Add(20 * time.Second)}
			found, err := start(t, rec).Check(t.Context(), channel.Installation{Webhook: "https://x/y"})
			if err != nil {
				t.Fatal(err)
			}
			var bad []channel.Finding
			for _, f := range found {
				if !f.OK {
					bad = append(bad, f)
				}
			}
			if len(bad) != len(tt.want) || len(found) < 3 {
				t.Fatalf("%+v", found)
			}
			for i, f := range bad {
				if !strings.Contains(f.Text, tt.want[i]) || f.Fix == "" || !strings.Contains(f.Fix, tt.fix) || strings.Contains(f.Text, "\x1b") {
					t.Errorf("finding %+v, want one about %q", f, tt.want[i])
				}
			}
		})
	}
	rec := &recorder{answers: []string{`{"ok":true,"result":{"username":7}}`}}
	if _, err := start(t, rec).Check(t.Context(), channel.Installation{}); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Error(err)
	}
}

func TestCheckClock(t *testing.T) {
	for off, ok := range map[time.Duration]bool{0: true, 29 * time.Second: true, -29 * time.Second: true, 31 * time.Second: false, -time.Hour: false} {
		rec := &recorder{answers: []string{`{"ok":true,"result":{"username":"sottobot"}}`, `{"ok":true,"result":{"url":"https://x/y"}}`}, date: clock.Add(off)}
		found, err := start(t, rec).Check(t.Context(), channel.Installation{})
		if err != nil {
			t.Fatal(err)
		}
		seen := false
		for _, f := range found {
			if strings.Contains(f.Text, "clock") {
				seen = true
				if f.OK != ok {
					t.Errorf("%v: %+v", off, f)
				}
			}
		}
		if !seen {
			t.Errorf("%v: nothing is said of the clock", off)
		}
	}
}

func TestFetch(t *testing.T) {
	a, net := played(t)
	data := strings.Repeat("picture ", 100)
	w, err := net.Player().Webhook(play.Act{Kind: sotto.EventMessage, File: &channel.File{Name: "ä b.pdf", MIME: "application/pdf", Data: []byte(data)}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Decode(w.Body)
	if err != nil || len(b.Events) != 1 || len(b.Events[0].Attachments) != 1 {
		t.Fatal(b, err)
	}
	at := b.Events[0].Attachments[0]
	got, err := a.Fetch(t.Context(), at, int64(len(data)))
	if err != nil || string(got) != data {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	for name, c := range map[string]struct {
		at    channel.Attachment
		limit int64
		code  string
	}{
		"over the limit": {at, int64(len(data)) - 1, "too_large"},
		"unknown":        {channel.Attachment{ID: "nothing"}, 100, "400"},
		"no id":          {channel.Attachment{Kind: "location"}, 100, "no_id"},
	} {
		var e *channel.SendError
		if _, err := a.Fetch(t.Context(), c.at, c.limit); !errors.As(err, &e) || e.Class != channel.Bad || e.Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := new(telegram.Adapter).Fetch(t.Context(), at, 100); err == nil {
		t.Error("the zero value fetches")
	}
}

// What the API names as the path of a file never leads anywhere else, and its
// token is in no error.
func TestFetchAttacks(t *testing.T) {
	for path, code := range map[string]string{
		`/etc/passwd`: "host", `../../bot1:x/getMe`: "host", `a/../b`: "host", `a//b`: "host", ``: "host", `a\\b`: "host", `.`: "host",
		`http://evil.example/x`: "host", `x?y#z`: "404", `x%2f..%2fy`: "404", `documents/f.pdf`: "404",
	} {
		rec := &recorder{answers: []string{`{"ok":true,"result":{"file_path":"` + path + `"}}`}, files404: true}
		_, err := start(t, rec).Fetch(t.Context(), channel.Attachment{ID: "f"}, 100)
		var e *channel.SendError
		if !errors.As(err, &e) || e.Class != channel.Bad || e.Code != code {
			t.Errorf("%q: %v", path, err)
		}
		if err != nil && (strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "127.0.0.1")) {
			t.Errorf("%q: the error shows the token or the address", path)
		}
		for _, p := range rec.paths {
			if !strings.HasPrefix(p, "/bot"+token+"/") && !strings.HasPrefix(p, "/file/bot"+token+"/") {
				t.Errorf("%q: asked for %q", path, p)
			}
		}
	}
	rec := &recorder{answers: []string{`{"ok":false,"error_code":400,"description":"Bad Request: file is too big"}`}}
	var e *channel.SendError
	if _, err := start(t, rec).Fetch(t.Context(), channel.Attachment{ID: "f"}, 1<<30); !errors.As(err, &e) || e.Class != channel.Bad || e.Code != "too_large" {
		t.Error(err)
	}
}
