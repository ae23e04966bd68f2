package x_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/x"
)

// rig is a played network and an adapter made of its settings.
type rig struct {
	p     play.Player
	a     *x.Adapter
	now   time.Time
	mu    sync.Mutex
	shown []play.Shown
	busy  bool // the network refuses
}

func (g *rig) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if g.busy {
		g.p.Refuse(w, http.StatusTooManyRequests, 40*time.Second)
		return
	}
	got := g.p.Serve(w, r, body)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shown = append(g.shown, got...)
}

func played(t *testing.T, change ...func(*x.Config)) *rig {
	t.Helper()
	g := &rig{now: time.Now().Truncate(time.Second).UTC()}
	g.p = x.Player(play.Config{Now: func() time.Time { return g.now }})
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	set := g.p.Settings(srv.URL)
	c := x.Config{
		UserID: set["user_id"], ConsumerSecrets: channel.Secrets{channel.NewSecret(set["consumer_secret"])},
		AccessToken: channel.NewSecret(set["access_token"]), AppToken: channel.NewSecret(set["app_token"]),
		API: set["api"], Client: srv.Client(), Now: func() time.Time { return g.now },
	}
	for _, f := range change {
		f(&c)
	}
	a, err := x.New(c)
	if err != nil {
		t.Fatal(err)
	}
	g.a = a
	return g
}

// hear has the network make its call, and returns the event.
func (g *rig) hear(t *testing.T, a play.Act) (channel.Event, play.Webhook) {
	t.Helper()
	w, err := g.p.Webhook(a)
	if err != nil {
		t.Fatalf("%s: %v", a.Kind, err)
	}
	if err := g.a.Verify(&channel.Request{Method: w.Method, Header: w.Header, Body: w.Body}); err != nil {
		t.Fatalf("%s: %v", a.Kind, err)
	}
	b, err := g.a.Decode(w.Body)
	if err != nil || len(b.Events) != 1 || b.Unknown != 0 {
		t.Fatalf("%s: %+v, %v", a.Kind, b, err)
	}
	return b.Events[0], w
}

func TestPlayerActs(t *testing.T) {
	g := played(t)
	account := g.p.Settings("")["user_id"]
	deliveries := map[string]bool{}
	for _, tt := range []struct {
		act  play.Act
		want channel.Event
	}{
		{play.Act{Kind: sotto.EventMessage, User: "41", Text: "hi <b> & \"x\" &amp; é"}, channel.Event{Sender: "41", Conversation: "41", Text: "hi <b> & \"x\" &amp; é"}},
		{play.Act{Kind: sotto.EventMessage, User: "41", Text: "again"}, channel.Event{Sender: "41", Conversation: "41", Text: "again"}},
		{play.Act{Kind: sotto.EventButton, User: "41", Text: "Yes", Payload: "Y"}, channel.Event{Sender: "41", Conversation: "41", Text: "Yes", Payload: "Y"}},
		{play.Act{Kind: sotto.EventEcho, User: "41", Text: "hi"}, channel.Event{Sender: account, Conversation: "41", Text: "hi"}},
		{play.Act{Kind: sotto.EventReceipt, User: "41", ID: "5"}, channel.Event{ID: "5", Sender: "41", Conversation: "41"}},
		{play.Act{Kind: sotto.EventOther, User: "41"}, channel.Event{Sender: "41", Conversation: "41"}},
		{play.Act{Kind: sotto.EventBlock, User: "41"}, channel.Event{Sender: "41", Conversation: "41"}},
		{play.Act{Kind: sotto.EventUnblock, User: "41"}, channel.Event{Sender: "41", Conversation: "41"}},
		{play.Act{Kind: sotto.EventOptOut, User: "41"}, channel.Event{Sender: "41", Conversation: "41"}},
	} {
		e, w := g.hear(t, tt.act)
		if deliveries[e.Delivery] {
			t.Errorf("%s: the delivery is not new", tt.act.Kind)
		}
		deliveries[e.Delivery] = true
		tt.want.Kind, tt.want.Time = tt.act.Kind, g.now
		if w.ID != "" {
			tt.want.ID = w.ID
		}
		e.Delivery, e.Account = "", ""
		if diff := cmp.Diff(tt.want, e); diff != "" {
			t.Errorf("%s: %s", tt.act.Kind, diff)
		}
	}
	for _, a := range []play.Act{
		{Kind: sotto.EventEdit},
		{Kind: sotto.EventDelete},
		{Kind: sotto.EventReaction},
		{Kind: sotto.EventJoin},
		{Kind: sotto.EventLeave},
		{Kind: sotto.EventOptIn},
		{Kind: sotto.EventMigrate},
		{Kind: sotto.EventMessage, Group: "1"},
	} {
		if _, err := g.p.Webhook(a); !errors.Is(err, play.ErrNoSuch) {
			t.Errorf("%s: %v", a.Kind, err)
		}
	}
}

func TestPlayerSends(t *testing.T) {
	g := played(t)
	m := &channel.Outgoing{Conversation: "41", Text: "Pick", Buttons: []sotto.Button{{Label: "Yes"}, {Label: "No"}}}
	sent, err := g.a.Send(t.Context(), m)
	if err != nil || len(g.shown) != 1 || sent.ID != g.shown[0].ID {
		t.Fatal(sent, err)
	}
	if diff := cmp.Diff(play.Shown{Kind: "message", To: "41", ID: sent.ID, Text: "Pick\n1. Yes\n2. No"}, g.shown[0]); diff != "" {
		t.Error(diff)
	}
	g.busy = true
	var e *channel.SendError
	if _, err := g.a.Send(t.Context(), m); !errors.As(err, &e) || e.Class != channel.Retry || e.RetryAfter != 40*time.Second {
		t.Errorf("%v after %v", err, e.RetryAfter)
	}
}

func TestPlayerFiles(t *testing.T) {
	g := played(t)
	data := []byte("a picture")
	e, _ := g.hear(t, play.Act{Kind: sotto.EventMessage, User: "41", File: &channel.File{Name: "a.jpg", MIME: "image/jpeg", Data: data}})
	if len(e.Attachments) != 1 || e.Attachments[0].Kind != "image" {
		t.Fatalf("%+v", e)
	}
	if got, err := g.a.Fetch(t.Context(), e.Attachments[0], 100); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPlayerQuestions(t *testing.T) {
	g := played(t)
	qs := g.p.Questions()
	if len(qs) < 2 {
		t.Fatal(qs)
	}
	var last []byte
	for _, q := range qs {
		values, err := url.ParseQuery(q.Query)
		if err != nil {
			t.Fatal(err)
		}
		resp, answered, err := g.a.Handshake(&channel.Request{Method: q.Method, Query: values})
		if err != nil || !answered {
			t.Fatal(err)
		}
		if err := g.p.Answered(q, resp.Status, nil, resp.Body); err != nil {
			t.Error(err)
		}
		if g.p.Answered(q, resp.Status, nil, last) == nil || g.p.Answered(q, 403, nil, resp.Body) == nil {
			t.Error("what answer is right is not known")
		}
		last = resp.Body
	}
}

// The network refuses what is not as it wants it.
func TestPlayerRefuses(t *testing.T) {
	g := played(t)
	set := g.p.Settings("")
	user, app := "Bearer "+set["access_token"], "Bearer "+set["app_token"]
	for _, tt := range []struct {
		name, method, path, proof, body string
		status                          int
	}{
		{"no proof", "POST", "dm_conversations/with/41/messages", "", `{"text":"a"}`, 401},
		{"the app's proof", "POST", "dm_conversations/with/41/messages", app, `{"text":"a"}`, 403},
		{"no text", "POST", "dm_conversations/with/41/messages", user, `{}`, 400},
		{"empty text", "POST", "dm_conversations/with/41/messages", user, `{"text":""}`, 400},
		{"long text", "POST", "dm_conversations/with/41/messages", user, `{"text":"` + strings.Repeat("a", 10001) + `"}`, 400},
		{"nobody", "POST", "dm_conversations/with/ann/messages", user, `{"text":"a"}`, 400},
		{"GET", "GET", "dm_conversations/with/41/messages", user, ``, 404},
		{"no such path", "POST", "teleport", user, ``, 404},
		{"no such file", "GET", "dm_conversations/media/1/2/3", user, ``, 404},
		{"webhooks, by the account", "GET", "webhooks", user, ``, 403},
		{"webhook in clear", "POST", "webhooks", app, `{"url":"http://x.example"}`, 400},
		{"no such webhook", "PUT", "webhooks/1", app, ``, 404},
		{"no such subscription", "POST", "activity/subscriptions", user, `{"event_type":"teleport"}`, 400},
	} {
		r := httptest.NewRequest(tt.method, "/2/"+tt.path, strings.NewReader(tt.body))
		r.Header.Set("Authorization", tt.proof)
		w := httptest.NewRecorder()
		if shown := g.p.Serve(w, r, []byte(tt.body)); w.Code != tt.status || shown != nil {
			t.Errorf("%s: %d, %+v", tt.name, w.Code, shown)
		}
	}
}

func TestInstallAndCheck(t *testing.T) {
	for _, events := range []string{x.Activity, x.AccountActivity} {
		t.Run(events, func(t *testing.T) {
			g := played(t, func(c *x.Config) { c.Events = events })
			want := channel.Installation{Webhook: "https://bot.example/hooks/x/shop", Privacy: "https://bot.example/privacy"}
			wrong := func() (list []string) {
				found, err := g.a.Check(t.Context(), want)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range found {
					if !f.OK && !strings.Contains(f.Text, "OAuth 2.0") {
						list = append(list, f.Text)
					}
					if f.OK != (f.Fix == "") {
						t.Errorf("%+v", f)
					}
				}
				return list
			}
			if diff := cmp.Diff([]string{"The app has no webhook, so no message arrives."}, wrong()); diff != "" {
				t.Error(diff)
			}
			steps, err := g.a.Install(t.Context(), want)
			if err != nil {
				t.Fatal(err)
			}
			if err := steps[2].Do(t.Context()); sotto.KindOf(err) != sotto.KindNotFound {
				t.Error("subscribed to a webhook that there is not:", err)
			}
			for range 2 {
				for _, s := range steps {
					if (s.Do == nil) == (s.Hand == "") {
						t.Errorf("%q is for nobody, or for both", s.Text)
					}
					if s.Do != nil {
						if err := s.Do(t.Context()); err != nil {
							t.Errorf("%s: %v", s.Text, err)
						}
					}
				}
			}
			if list := wrong(); list != nil {
				t.Error(list)
			}
			again, err := g.a.Install(t.Context(), want)
			if err != nil || slices.ContainsFunc(again, func(s channel.Step) bool { return s.Do != nil && !s.Done }) {
				t.Errorf("%+v, %v", again, err)
			}
			want.Webhook = "https://other.example/"
			if diff := cmp.Diff([]string{"The app's webhook leads to another address than this server's."}, wrong()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
