package discord_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/discord"
	"github.com/sotto-chat/sotto/channel/play"
)

// rig is an adapter and the network that is played against it.
type rig struct {
	a    *discord.Adapter
	p    play.Player
	t    *testing.T
	time time.Time

	mu    sync.Mutex
	shown []play.Shown
	skew  time.Duration
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, time: now()}
	r.p = discord.Player(play.Config{Now: r.now})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		w.Header().Set("Date", r.now().Add(r.skew).UTC().Format(http.TimeFormat))
		r.mu.Lock()
		defer r.mu.Unlock()
		r.shown = append(r.shown, r.p.Serve(w, q, body)...)
	}))
	t.Cleanup(srv.Close)
	s := r.p.Settings(srv.URL)
	a, err := discord.New(discord.Config{
		Keys: channel.Secrets{channel.NewSecret(s["public_key"])}, Token: channel.NewSecret(s["token"]),
		API: s["api"], CDN: s["cdn"], Client: srv.Client(), Now: r.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.a = a
	return r
}

func (r *rig) now() time.Time { return r.time }

// act has somebody do something, and returns the event it becomes.
func (r *rig) act(a play.Act) channel.Event {
	r.t.Helper()
	w, err := r.p.Webhook(a)
	if err != nil {
		r.t.Fatal(err)
	}
	q := &channel.Request{Method: w.Method, Header: w.Header, Body: w.Body, Now: r.now()}
	if err := r.a.Verify(q); err != nil {
		r.t.Fatal(err)
	}
	if _, answered, err := r.a.Handshake(q); answered || err != nil {
		r.t.Fatal("taken for a question")
	}
	b, err := r.a.Decode(w.Body)
	if err != nil || len(b.Events) != 1 || b.Unknown != 0 {
		r.t.Fatalf("%+v, %v", b, err)
	}
	if resp := r.a.Answer(q, b); resp == nil {
		r.t.Fatal("not answered")
	}
	if b.Events[0].ID != w.ID {
		r.t.Errorf("message id %q, want %q", b.Events[0].ID, w.ID)
	}
	return b.Events[0]
}

func (r *rig) send(e channel.Event, m channel.Outgoing) []play.Shown {
	r.t.Helper()
	r.shown = nil
	m.Conversation, m.Handle = e.Conversation, e.Handle
	if _, err := r.a.Send(r.t.Context(), &m); err != nil {
		r.t.Fatal(err)
	}
	return r.shown
}

func TestPlayer(t *testing.T) {
	channeltest.RunPlayer(t, channeltest.PlayerSpec{
		Player: discord.Player,
		New: func(s map[string]string, client channel.Doer) (channel.Adapter, error) {
			return adapter(discord.New(discord.Config{
				Keys: channel.Secrets{channel.NewSecret(s["public_key"])}, Token: channel.NewSecret(s["token"]),
				API: s["api"], CDN: s["cdn"], Client: client,
			}))
		},
		Others:  play.Config{Secret: strings.Repeat("7a", 32), Token: "another-token-of-nobody-at-all"},
		Acts:    []sotto.EventKind{sotto.EventButton, sotto.EventOptIn, sotto.EventOptOut},
		NoToken: true, // answers go under the token of the interaction
	})
}

func TestPlayedActs(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		act  play.Act
		kind sotto.EventKind
		text string
		pay  string
	}{
		{play.Act{Kind: sotto.EventMessage, User: "41", Text: "hello \"there\""}, sotto.EventMessage, "hello \"there\"", ""},
		{play.Act{Kind: sotto.EventMessage, User: "41", Text: "/privacy"}, sotto.EventMessage, "/privacy", ""},
		{play.Act{Kind: sotto.EventMessage, User: "41", Text: "/delete all of it"}, sotto.EventMessage, "/delete all of it", ""},
		{play.Act{Kind: sotto.EventMessage, User: "41", Text: "hi", Group: "room"}, sotto.EventMessage, "hi", ""},
		{play.Act{Kind: sotto.EventButton, User: "41", Payload: "Y"}, sotto.EventButton, "", "Y"},
		{play.Act{Kind: sotto.EventOptIn, User: "41"}, sotto.EventOptIn, "", ""},
		{play.Act{Kind: sotto.EventOptOut, User: "41"}, sotto.EventOptOut, "", ""},
		{play.Act{Kind: sotto.EventJoin, User: "41", Group: "room"}, sotto.EventJoin, "", ""},
	} {
		e := r.act(tt.act)
		if e.Kind != tt.kind || e.Sender != "41" || e.Text != tt.text || e.Payload != tt.pay || e.Group != (tt.act.Group != "") || e.Time.IsZero() {
			t.Errorf("%+v is told as %+v", tt.act, e)
		}
	}
	for _, kind := range []sotto.EventKind{
		sotto.EventEdit, sotto.EventDelete, sotto.EventReaction, sotto.EventReceipt, sotto.EventJoin, sotto.EventLeave,
		sotto.EventBlock, sotto.EventUnblock, sotto.EventEcho, sotto.EventMigrate,
	} {
		if _, err := r.p.Webhook(play.Act{Kind: kind}); !errors.Is(err, play.ErrNoSuch) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestPlayedTalk(t *testing.T) {
	r := newRig(t)
	e := r.act(play.Act{Kind: sotto.EventMessage, Text: "hello"})
	buttons := []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No", Payload: "N"}}
	first := r.send(e, channel.Outgoing{Text: "Pick", Buttons: buttons})
	if len(first) != 1 || first[0].Text != "Pick" || first[0].To != e.Conversation || cmp.Diff(buttons, first[0].Buttons) != "" {
		t.Errorf("%+v", first)
	}
	second := r.send(e, channel.Outgoing{File: &channel.File{Name: "a.txt", MIME: "text/plain", Data: []byte("abc")}})
	if len(second) != 1 || second[0].ID == first[0].ID || second[0].File == nil || string(second[0].File.Data) != "abc" {
		t.Errorf("%+v", second)
	}
	if got := r.send(e, channel.Outgoing{Text: strings.Repeat("word ", 600)}); len(got) != 2 {
		t.Errorf("%d messages", len(got))
	}
	press := r.act(play.Act{Kind: sotto.EventButton, Payload: "Y", ID: first[0].ID})
	if got := r.send(press, channel.Outgoing{Text: "You said yes"}); len(got) != 1 || got[0].Text != "You said yes" {
		t.Errorf("%+v", got)
	}
	r.shown = nil
	if err := r.a.Typing(t.Context(), &channel.Outgoing{Conversation: press.Conversation, Handle: press.Handle}); err != nil || len(r.shown) != 1 || r.shown[0].Kind != "typing" {
		t.Error(r.shown, err)
	}
	r.time = r.time.Add(16 * time.Minute)
	late := r.send(e, channel.Outgoing{Text: "late", Key: "one"})
	if len(late) != 1 || late[0].To != e.Conversation {
		t.Errorf("%+v", late)
	}
	if again := r.send(e, channel.Outgoing{Text: "late", Key: "one"}); len(again) != 0 {
		t.Error("the same key is shown twice")
	}
	group := r.act(play.Act{Kind: sotto.EventMessage, Text: "hello", Group: "room"})
	r.time = r.time.Add(16 * time.Minute)
	if _, err := r.a.Send(t.Context(), &channel.Outgoing{Conversation: group.Conversation, Handle: group.Handle, Text: "x"}); sendError(t, err).Class != channel.Window {
		t.Error(err)
	}
}

func TestPlayedFile(t *testing.T) {
	r := newRig(t)
	e := r.act(play.Act{Kind: sotto.EventMessage, Text: "see", File: &channel.File{Name: "a b.png", MIME: "image/png", Data: []byte("png")}})
	if e.Text != "see" || len(e.Attachments) != 1 || e.Attachments[0].Kind != "image" {
		t.Fatalf("%+v", e)
	}
	got, err := r.a.Fetch(t.Context(), e.Attachments[0], 10)
	if err != nil || string(got) != "png" {
		t.Error(string(got), err)
	}
}

func TestPlayedQuestions(t *testing.T) {
	r := newRig(t)
	asked := r.p.Questions()
	if len(asked) != 4 {
		t.Fatalf("%d questions", len(asked))
	}
	for i, w := range asked {
		q := &channel.Request{Method: w.Method, Header: w.Header, Body: w.Body, Now: r.now()}
		status, header, body := http.StatusUnauthorized, http.Header{}, []byte(nil)
		if r.a.Verify(q) == nil {
			resp, answered, err := r.a.Handshake(q)
			if !answered || err != nil {
				t.Fatalf("question %d: %v", i, err)
			}
			status, body = resp.Status, resp.Body
			header.Set("Content-Type", resp.ContentType)
		}
		if err := r.p.Answered(w, status, header, body); err != nil {
			t.Errorf("question %d: %v", i, err)
		}
		if r.p.Answered(w, 200, http.Header{}, nil) == nil || r.p.Answered(w, 200, http.Header{"Content-Type": {"application/json"}}, []byte(`{"type":4}`)) == nil {
			t.Errorf("question %d: a wrong answer is right", i)
		}
	}
}

func TestPlayedSetup(t *testing.T) {
	r := newRig(t)
	want := channel.Installation{
		Webhook: "https://bot.example/hooks/discord/shop", Privacy: "https://bot.example/privacy",
		Commands: []channel.Command{{Name: "privacy", Text: "What is kept of you"}, {Name: "delete", Text: "Delete it"}},
	}
	before, err := r.a.Check(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := faults(before); len(wrong) != 4 {
		t.Errorf("%q", wrong)
	}
	steps, err := r.a.Install(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.Text == "" || (s.Do != nil) == (s.Hand != "") {
			t.Errorf("%q: a step is made by the program or by hand", s.Text)
		}
		if !s.Done && s.Do != nil {
			if err := s.Do(t.Context()); err != nil {
				t.Errorf("%s: %v", s.Text, err)
			}
			if err := s.Do(t.Context()); err != nil {
				t.Errorf("%s, again: %v", s.Text, err)
			}
		}
	}
	steps, err = r.a.Install(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if !s.Done && s.Hand == "" {
			t.Errorf("%s: not done", s.Text)
		}
	}
	after, err := r.a.Check(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := faults(after); len(wrong) != 1 || !strings.Contains(wrong[0], "privacy notice") {
		t.Errorf("%q", wrong)
	}
	r.skew = -time.Minute
	late, err := r.a.Check(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := faults(late); len(wrong) != 2 || !strings.Contains(wrong[1], "1m0s") {
		t.Errorf("%q", wrong)
	}
}

func faults(found []channel.Finding) []string {
	var out []string
	for _, f := range found {
		if !f.OK {
			out = append(out, f.Text+" "+f.Fix)
		} else if f.Fix != "" {
			out = append(out, "a fix for what is right: "+f.Fix)
		}
	}
	return out
}

func TestCheckFindings(t *testing.T) {
	rec := &recorder{answers: map[string]string{
		"GET /applications/@me":         `200 {"id":"12","name":"Bo\u001b[31mt","verify_key":"` + public(2) + `","interactions_endpoint_url":"https://other.example/secret-path","event_webhooks_url":"https://bot.example/h","event_webhooks_status":3,"event_webhooks_types":["APPLICATION_AUTHORIZED"],"flags":278528}`,
		"GET /applications/12/commands": `200 [{"name":"ask","type":1,"description":"Say something to the bot","options":[{"name":"text","type":3}]},{"name":"other","type":1,"description":"x"}]`,
	}}
	a := start(t, rec, nil)
	found, err := a.Check(t.Context(), channel.Installation{Webhook: "https://bot.example/h"})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(faults(found), "\n")
	for _, word := range []string{"public key is not", "other.example", "switched the app's webhook events off", "Message Content", "Server Members"} {
		if !strings.Contains(all, word) {
			t.Errorf("no finding about %q in:\n%s", word, all)
		}
	}
	if strings.Contains(all, "secret-path") || strings.Contains(all, "\x1b") || strings.Contains(all, "commands are not") {
		t.Error(all)
	}
	rec.answers["GET /applications/@me"] = `200 []`
	if _, err := a.Check(t.Context(), channel.Installation{}); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Error(err)
	}
	rec.answers["GET /applications/@me"] = `401 {"code":0,"message":"401: Unauthorized"}`
	if _, err := a.Install(t.Context(), channel.Installation{}); sendError(t, err).Class != channel.Auth {
		t.Error(err)
	}
	if _, err := new(discord.Adapter).Check(context.Background(), channel.Installation{}); err == nil {
		t.Error("the zero value asks")
	}
}

// The player refuses what Discord refuses.
func TestPlayerRefuses(t *testing.T) {
	r := newRig(t)
	e := r.act(play.Act{Kind: sotto.EventMessage, Text: "hello"})
	for _, tt := range []struct {
		name, method, path, auth, agent, kind, body string
		status                                      int
	}{
		{"no agent", "GET", "/api/v10/applications/@me", "Bot " + r.p.Settings("")["token"], "curl", "", "", 403},
		{"no token", "GET", "/api/v10/applications/@me", "", "DiscordBot (x, 1)", "", "", 401},
		{"wrong version", "GET", "/api/v1/applications/@me", "", "DiscordBot (x, 1)", "", "", 404},
		{"no such webhook", "POST", "/api/v10/webhooks/1/2", "", "DiscordBot (x, 1)", "application/json", `{"content":"x"}`, 404},
		{"no such channel", "POST", "/api/v10/channels/1/messages", "Bot " + r.p.Settings("")["token"], "DiscordBot (x, 1)", "application/json", `{"content":"x"}`, 404},
		{"empty", "POST", "/api/v10/channels/" + e.Conversation + "/messages", "Bot " + r.p.Settings("")["token"], "DiscordBot (x, 1)", "application/json", `{"content":" "}`, 400},
		{"too long", "POST", "/api/v10/channels/" + e.Conversation + "/messages", "Bot " + r.p.Settings("")["token"], "DiscordBot (x, 1)", "application/json", `{"content":"` + strings.Repeat("x", 2001) + `"}`, 400},
		{"hidden in a channel", "POST", "/api/v10/channels/" + e.Conversation + "/messages", "Bot " + r.p.Settings("")["token"], "DiscordBot (x, 1)", "application/json", `{"content":"x","flags":64}`, 400},
		{"no kind", "POST", "/api/v10/channels/" + e.Conversation + "/messages", "Bot " + r.p.Settings("")["token"], "DiscordBot (x, 1)", "", `{"content":"x"}`, 400},
		{"button without id", "POST", "/api/v10/channels/" + e.Conversation + "/messages", "Bot " + r.p.Settings("")["token"], "DiscordBot (x, 1)", "application/json", `{"content":"x","components":[{"type":1,"components":[{"type":2,"style":1,"label":"a"}]}]}`, 400},
		{"bare buttons", "POST", "/api/v10/channels/" + e.Conversation + "/messages", "Bot " + r.p.Settings("")["token"], "DiscordBot (x, 1)", "application/json", `{"content":"x","components":[{"type":2,"style":1,"label":"a","custom_id":"a"}]}`, 400},
	} {
		q := httptest.NewRequest(tt.method, tt.path, nil)
		q.Header.Set("Authorization", tt.auth)
		q.Header.Set("User-Agent", tt.agent)
		if tt.kind != "" {
			q.Header.Set("Content-Type", tt.kind)
		}
		w := httptest.NewRecorder()
		if shown := r.p.Serve(w, q, []byte(tt.body)); w.Code != tt.status || len(shown) > 0 {
			t.Errorf("%s: %d, shown %v", tt.name, w.Code, shown)
		}
	}
	w := httptest.NewRecorder()
	r.p.Refuse(w, 429, 1500*time.Millisecond)
	if w.Code != 429 || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), `"retry_after":1.5`) {
		t.Error(w.Code, w.Header(), w.Body)
	}
}
