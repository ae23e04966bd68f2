package slack_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/sim"
	"github.com/sotto-chat/sotto/channel/slack"
)

func TestFetch(t *testing.T) {
	elsewhere := 0
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere++
		if r.Header.Get("Authorization") != "" {
			t.Error("the token went to another host")
		}
	}))
	t.Cleanup(evil.Close)
	var base string
	a := start(t, func(w http.ResponseWriter, r *http.Request) {
		base = "http://" + r.Host
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Error("without the token")
		}
		switch r.URL.Path {
		case "/api/chat.postMessage":
			_, _ = io.WriteString(w, `{"ok":true}`)
		case "/files-pri/T1-F1/a.txt":
			_, _ = io.WriteString(w, "0123456789")
		case "/files-pri/T1-F1/page.html":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<p>")
		case "/files-pri/T1-F1/away":
			http.Redirect(w, r, evil.URL+"/x", http.StatusFound)
		case "/files-pri/T1-F1/broken":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "0")
		case "/files-pri/T1-F1/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/files-pri/T1-F1/forbidden":
			w.WriteHeader(http.StatusForbidden)
		case "/api/files.info":
			b, err := io.ReadAll(r.Body)
			switch {
			case err != nil:
			case string(b) == "file=F1":
				_, _ = io.WriteString(w, `{"ok":true,"file":{"id":"F1","url_private":"`+base+`/files-pri/T1-F1/a.txt"}}`)
			case string(b) == "file=F2":
				_, _ = io.WriteString(w, `{"ok":true,"file":{"id":"F2","url_private":"`+evil.URL+`/a.txt"}}`)
			case string(b) == "file=F3":
				_, _ = io.WriteString(w, `{"ok":true,"file":{"id":"F3"}}`)
			default:
				_, _ = io.WriteString(w, `{"ok":false,"error":"missing_scope"}`)
			}
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}, func(c *slack.Config) { // like the server's client, it follows no redirect
		c.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	})
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "D41", Text: "x"}); err != nil { // tells the address
		t.Fatal(err)
	}
	file := func(name string) string { return base + "/files-pri/T1-F1/" + name }
	for _, tt := range []struct {
		name, id, mime string
		limit          int64
		want           string
		class          channel.Class
		code           string
	}{
		{name: "right", id: file("a.txt"), limit: 10, want: "0123456789"},
		{name: "by its id", id: "F1", limit: 10, want: "0123456789"},
		{name: "too large", id: file("a.txt"), limit: 9, class: channel.Bad, code: "too_large"},
		{name: "a page that was asked for", id: file("page.html"), mime: "text/html", limit: 10, want: "<p>"},
		{name: "a page for signing in", id: file("page.html"), mime: "image/png", limit: 10, class: channel.Bad, code: "sign_in"},
		{name: "led away", id: file("away"), limit: 10, class: channel.Bad, code: "host"},
		{name: "broken off", id: file("broken"), limit: 1000, class: channel.Retry, code: "broken"},
		{name: "busy", id: file("busy"), limit: 10, class: channel.Retry, code: "503"},
		{name: "forbidden", id: file("forbidden"), limit: 10, class: channel.Bad, code: "403"},
		{name: "gone", id: file("nothing"), limit: 10, class: channel.Bad, code: "404"},
		{name: "another host", id: evil.URL + "/x", limit: 10, class: channel.Bad, code: "host"},
		{name: "another scheme", id: "https" + strings.TrimPrefix(file("a.txt"), "http"), limit: 10, class: channel.Bad, code: "host"},
		{name: "a name and password", id: strings.Replace(file("a.txt"), "http://", "http://a:b@", 1), limit: 10, class: channel.Bad, code: "host"},
		{name: "a file of this machine", id: "file:///etc/passwd", limit: 10, class: channel.Bad, code: "host"},
		{name: "nothing", id: "", limit: 10, class: channel.Bad, code: "host"},
		{name: "an id that is more", id: "F1&x=y", limit: 10, class: channel.Bad, code: "host"},
		{name: "by its id, elsewhere", id: "F2", limit: 10, class: channel.Bad, code: "host"},
		{name: "by its id, nowhere", id: "F3", limit: 10, class: channel.Bad, code: "no_address"},
		{name: "by its id, not allowed", id: "F4", limit: 10, class: channel.Bad, code: "missing_scope"},
	} {
		b, err := a.Fetch(t.Context(), channel.Attachment{ID: tt.id, MIME: tt.mime}, tt.limit)
		var e *channel.SendError
		switch {
		case tt.class == 0 && (err != nil || string(b) != tt.want):
			t.Errorf("%s: %q, %v", tt.name, b, err)
		case tt.class != 0 && (!errors.As(err, &e) || e.Class != tt.class || e.Code != tt.code || b != nil):
			t.Errorf("%s: %q, %v", tt.name, b, err)
		}
	}
	if elsewhere > 0 {
		t.Errorf("%d calls elsewhere", elsewhere)
	}
	var zero slack.Adapter
	if _, err := zero.Fetch(t.Context(), channel.Attachment{ID: "https://files.slack.com/x"}, 10); err == nil {
		t.Error("the zero value fetches")
	}
}

// TestPlayedStory is what the suite for players does not do: commands, their
// answers, files that people send, and setting up.
func TestPlayedStory(t *testing.T) {
	net, err := sim.New(sim.Config{Player: slack.Player(play.Config{})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = net.Close() })
	made, err := as(net.Player().Settings(net.URL()), http.DefaultClient)
	a, ok := made.(*slack.Adapter)
	if err != nil || !ok {
		t.Fatal(err)
	}
	event := func(act play.Act) channel.Event {
		t.Helper()
		w, err := net.Player().Webhook(act)
		if err != nil {
			t.Fatal(err)
		}
		b, err := a.Decode(w.Body)
		if err != nil || len(b.Events) != 1 {
			t.Fatalf("%+v, %v", b, err)
		}
		return b.Events[0]
	}
	last := func() play.Shown {
		s := net.Shown()
		return s[len(s)-1]
	}
	e := event(play.Act{Kind: sotto.EventMessage, User: "U0ANN", Group: "C024BE91L", Text: "/privacy now"})
	if e.Group || e.Text != "/privacy now" || e.Conversation != "C024BE91L" || e.Sender != "U0ANN" {
		t.Errorf("%+v", e)
	}
	for i := range 6 { // five answers, and one directly
		sent, err := a.Send(t.Context(), &channel.Outgoing{Conversation: e.Conversation, Handle: e.Handle, Text: "secret", Buttons: []sotto.Button{{Label: "Ok"}}})
		if err != nil || (sent.ID != "") != (i == 5) {
			t.Fatalf("%d: %+v, %v", i, sent, err)
		}
		if to := last().To; (to != "U0ANN" || i == 5) && (to != "D0ANN" || i < 5) {
			t.Errorf("%d: shown to %s", i, to)
		}
	}
	e = event(play.Act{Kind: sotto.EventMessage, Group: "C024BE91L", Text: "/privacy"})
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: e.Conversation, Handle: e.Handle, Text: "Pick"}); err != nil {
		t.Fatal(err)
	}
	e = event(play.Act{Kind: sotto.EventButton, Group: "C024BE91L", ID: last().ID, Text: "Stop", Payload: "sotto:stop"})
	if e.Group || e.Payload != "sotto:stop" || !strings.HasPrefix(e.Handle, e.Sender+" http") {
		t.Errorf("a press on what nobody else sees: %+v", e)
	}
	e = event(play.Act{Kind: sotto.EventMessage, Group: "C024BE91L", Text: "hello", Addressed: true})
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: e.Conversation, Handle: e.Handle, Text: "hi"}); err != nil || last().ReplyTo != e.ID {
		t.Errorf("%+v, %v", last(), err)
	}
	data := []byte("%PDF")
	e = event(play.Act{Kind: sotto.EventMessage, File: &channel.File{Name: "a b.pdf", MIME: "application/pdf", Data: data}})
	got, err := a.Fetch(t.Context(), e.Attachments[0], 10)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%q, %v", got, err)
	}
	e = event(play.Act{Kind: sotto.EventMigrate, Group: "G024BE91L", Payload: "C0NEW"})
	if e.Kind != sotto.EventMigrate || e.Conversation != "G024BE91L" || e.Payload != "C0NEW" {
		t.Errorf("%+v", e)
	}
	e = event(play.Act{Kind: sotto.EventJoin, User: "bot", Group: "C024BE91L"})
	if !e.Self || !e.Group {
		t.Errorf("%+v", e)
	}
	want := channel.Installation{Webhook: "https://bot.example/hooks/slack/shop", Privacy: "https://bot.example/privacy", Commands: []channel.Command{{Name: "privacy", Text: "What is kept"}}}
	for round := range 2 {
		steps, err := a.Install(t.Context(), want)
		if err != nil || len(steps) != 2 || steps[0].Done != (round == 1) || !steps[1].Done {
			t.Fatalf("round %d: %+v, %v", round, steps, err)
		}
		if err := steps[0].Do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	found, err := a.Check(t.Context(), want)
	if err != nil || len(found) != 2 || !found[0].OK || !found[1].OK {
		t.Errorf("%+v, %v", found, err)
	}
}
