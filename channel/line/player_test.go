package line_test

import (
	"bytes"
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
	"github.com/sotto-chat/sotto/channel/line"
	"github.com/sotto-chat/sotto/channel/play"
)

// rig is a played network and an adapter made of its settings.
type rig struct {
	p     play.Player
	a     *line.Adapter
	now   time.Time
	mu    sync.Mutex
	shown []play.Shown
}

func (g *rig) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	got := g.p.Serve(w, r, body)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shown = append(g.shown, got...)
}

func played(t *testing.T) *rig {
	t.Helper()
	g := &rig{now: time.Now().Truncate(time.Millisecond).UTC()}
	g.p = line.Player(play.Config{Now: func() time.Time { return g.now }})
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	set := g.p.Settings(srv.URL)
	a, err := line.New(line.Config{
		Secrets: channel.Secrets{channel.NewSecret(set["channel_secret"])}, Token: channel.NewSecret(set["access_token"]),
		API: set["api"], DataAPI: set["data_api"], Client: srv.Client(), Now: func() time.Time { return g.now },
	})
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
	deliveries := map[string]bool{}
	for _, tt := range []struct {
		act  play.Act
		want channel.Event
	}{
		{play.Act{Kind: sotto.EventMessage, User: "Uann", Text: "hi <&> \"x\""}, channel.Event{Sender: "Uann", Conversation: "Uann", Text: "hi <&> \"x\""}},
		{play.Act{Kind: sotto.EventMessage, Group: "C7", User: "Uann", Text: "hi"}, channel.Event{Sender: "Uann", Conversation: "C7", Group: true, Text: "hi"}},
		{play.Act{Kind: sotto.EventMessage, Group: "R7", User: "Uann", Text: "hi", Addressed: true}, channel.Event{Sender: "Uann", Conversation: "R7", Group: true, Addressed: true, Text: "@bot hi"}},
		{play.Act{Kind: sotto.EventStandby, User: "Uann", Text: "hi"}, channel.Event{Sender: "Uann", Conversation: "Uann", Text: "hi"}},
		{play.Act{Kind: sotto.EventButton, User: "Uann", Payload: "Y"}, channel.Event{Sender: "Uann", Conversation: "Uann", Payload: "Y"}},
		{play.Act{Kind: sotto.EventEdit, User: "Uann", ID: "5", Text: "new"}, channel.Event{ID: "5", Sender: "Uann", Conversation: "Uann", Text: "new"}},
		{play.Act{Kind: sotto.EventDelete, User: "Uann", ID: "5"}, channel.Event{ID: "5", Sender: "Uann", Conversation: "Uann"}},
		{play.Act{Kind: sotto.EventBlock, User: "Uann"}, channel.Event{Sender: "Uann", Conversation: "Uann"}},
		{play.Act{Kind: sotto.EventUnblock, User: "Uann"}, channel.Event{Sender: "Uann", Conversation: "Uann"}},
		{play.Act{Kind: sotto.EventJoin, User: "Uann"}, channel.Event{Sender: "Uann", Conversation: "Uann"}},
		{play.Act{Kind: sotto.EventJoin, Group: "C7", User: "Uann"}, channel.Event{Sender: "Uann", Conversation: "C7", Group: true}},
		{play.Act{Kind: sotto.EventJoin, Group: "C7"}, channel.Event{Conversation: "C7", Group: true, Self: true}},
		{play.Act{Kind: sotto.EventLeave, Group: "C7", User: "Uann"}, channel.Event{Sender: "Uann", Conversation: "C7", Group: true}},
		{play.Act{Kind: sotto.EventLeave, Group: "C7"}, channel.Event{Conversation: "C7", Group: true, Self: true}},
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
		e.Delivery, e.Account, e.Handle = "", "", ""
		if diff := cmp.Diff(tt.want, e); diff != "" {
			t.Errorf("%s: %s", tt.act.Kind, diff)
		}
	}
	for _, kind := range []sotto.EventKind{sotto.EventReaction, sotto.EventReceipt, sotto.EventOptIn, sotto.EventOptOut, sotto.EventEcho, sotto.EventMigrate, sotto.EventLeave} {
		if _, err := g.p.Webhook(play.Act{Kind: kind}); err != play.ErrNoSuch {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// What is said is answered under the reply token, then pushed, and shown once.
func TestPlayerSends(t *testing.T) {
	g := played(t)
	e, w := g.hear(t, play.Act{Kind: sotto.EventMessage, User: "Uann", Text: "hi"})
	ge, gw := g.hear(t, play.Act{Kind: sotto.EventMessage, User: "Uann", Group: "C7", Text: "hi"})
	if w.ID == "" || gw.ID == w.ID {
		t.Error("messages have no ids of their own")
	}
	buttons := []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No", Payload: "N"}}
	for _, m := range []*channel.Outgoing{
		{Conversation: "Uann", Text: "one", Handle: e.Handle, Key: "1", Buttons: buttons},
		{Conversation: "Uann", Text: "two", Handle: e.Handle, Key: "2"},
		{Conversation: "Uann", Text: "two", Handle: e.Handle, Key: "2"},
		{Conversation: "C7", Text: "three", Handle: ge.Handle, Key: "3", ReplyTo: ge.ID},
	} {
		if s, err := g.a.Send(t.Context(), m); err != nil || s.ID == "" {
			t.Fatalf("%s: %+v, %v", m.Text, s, err)
		}
	}
	if err := g.a.Typing(t.Context(), &channel.Outgoing{Conversation: "Uann"}); err != nil {
		t.Error(err)
	}
	for i := range g.shown {
		if g.shown[i].Kind == "message" && g.shown[i].ID == "" {
			t.Error("a message without an id is shown")
		}
		g.shown[i].ID = ""
	}
	want := []play.Shown{
		{Kind: "message", To: "Uann", Text: "one", Buttons: buttons},
		{Kind: "message", To: "Uann", Text: "two"},
		{Kind: "message", To: "C7", Text: "three", ReplyTo: ge.ID},
		{Kind: "typing", To: "Uann"},
	}
	if diff := cmp.Diff(want, g.shown); diff != "" {
		t.Error(diff)
	}

	// A token that the network holds for used or for too old, in spite of our clock.
	late, _ := g.hear(t, play.Act{Kind: sotto.EventMessage, User: "Uann", Text: "hi"})
	_, rest, _ := strings.Cut(late.Handle, " ")
	late.Handle = "0 " + rest
	g.now, g.shown = g.now.Add(2*time.Minute), nil
	if _, err := g.a.Send(t.Context(), &channel.Outgoing{Conversation: "Uann", Text: "late", Handle: late.Handle, Key: "4"}); err != nil || len(g.shown) != 1 || g.shown[0].To != "Uann" {
		t.Errorf("%+v, %v", g.shown, err)
	}
}

func TestPlayerFiles(t *testing.T) {
	g := played(t)
	for mime, kind := range map[string]string{"image/png": "image", "video/mp4": "video", "audio/ogg": "audio", "application/pdf": "file"} {
		data := []byte("data of " + mime)
		e, _ := g.hear(t, play.Act{Kind: sotto.EventMessage, User: "Uann", File: &channel.File{Name: "a.x", MIME: mime, Data: data}})
		if len(e.Attachments) != 1 || e.Attachments[0].Kind != kind {
			t.Fatalf("%s: %+v", mime, e)
		}
		if got, err := g.a.Fetch(t.Context(), e.Attachments[0], 100); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %q, %v", mime, got, err)
		}
	}
}

func TestPlayerQuestions(t *testing.T) {
	g := played(t)
	qs := g.p.Questions()
	if len(qs) != 1 {
		t.Fatal(qs)
	}
	if err := g.a.Verify(&channel.Request{Method: qs[0].Method, Header: qs[0].Header, Body: qs[0].Body}); err != nil {
		t.Error(err)
	}
	if b, err := g.a.Decode(qs[0].Body); err != nil || len(b.Events)+b.Unknown != 0 {
		t.Errorf("%+v, %v", b, err)
	}
	if g.p.Answered(qs[0], 200, nil, nil) != nil || g.p.Answered(qs[0], 401, nil, nil) == nil {
		t.Error("what answer is right is not known")
	}
}

// The network refuses what is not as it wants it.
func TestPlayerRefuses(t *testing.T) {
	g := played(t)
	set := g.p.Settings("http://127.0.0.1")
	for _, tt := range []struct {
		name, method, path, token, key, body string
		status                               int
	}{
		{"wrong token", "POST", "message/push", "x", "", `{"to":"U1","messages":[{"type":"text","text":"a"}]}`, 401},
		{"nobody", "POST", "message/push", "", "", `{"messages":[{"type":"text","text":"a"}]}`, 400},
		{"nothing", "POST", "message/push", "", "", `{"to":"U1","messages":[]}`, 400},
		{"six", "POST", "message/push", "", "", `{"to":"U1","messages":[` + strings.Repeat(`{"type":"text","text":"a"},`, 5) + `{"type":"text","text":"a"}]}`, 400},
		{"long", "POST", "message/push", "", "", `{"to":"U1","messages":[{"type":"text","text":"` + strings.Repeat("a", 5001) + `"}]}`, 400},
		{"no items", "POST", "message/push", "", "", `{"to":"U1","messages":[{"type":"text","text":"a","quickReply":{"items":[]}}]}`, 400},
		{"long label", "POST", "message/push", "", "", `{"to":"U1","messages":[{"type":"text","text":"a","quickReply":{"items":[{"type":"action","action":{"type":"postback","label":"` + strings.Repeat("a", 21) + `","data":"x"}}]}}]}`, 400},
		{"retry key on a reply", "POST", "message/reply", "", "k", `{"replyToken":"x","messages":[{"type":"text","text":"a"}]}`, 400},
		{"no such reply token", "POST", "message/reply", "", "", `{"replyToken":"x","messages":[{"type":"text","text":"a"}]}`, 400},
		{"typing in a group", "POST", "chat/loading/start", "", "", `{"chatId":"C1","loadingSeconds":20}`, 400},
		{"typing for 7 seconds", "POST", "chat/loading/start", "", "", `{"chatId":"U1","loadingSeconds":7}`, 400},
		{"webhook in clear", "PUT", "channel/webhook/endpoint", "", "", `{"endpoint":"http://x.example"}`, 400},
		{"no webhook", "GET", "channel/webhook/endpoint", "", "", ``, 404},
		{"no such content", "GET", "message/5/content", "", "", ``, 404},
		{"no such method", "GET", "teleport", "", "", ``, 404},
	} {
		r := httptest.NewRequest(tt.method, "/v2/bot/"+tt.path, strings.NewReader(tt.body))
		r.Header.Set("Authorization", "Bearer "+set["access_token"]+tt.token)
		if tt.key != "" {
			r.Header.Set("X-Line-Retry-Key", tt.key)
		}
		w := httptest.NewRecorder()
		if shown := g.p.Serve(w, r, []byte(tt.body)); w.Code != tt.status || shown != nil {
			t.Errorf("%s: %d, %+v", tt.name, w.Code, shown)
		}
	}
	for _, status := range []int{429, 500} {
		w := httptest.NewRecorder()
		if g.p.Refuse(w, status, time.Second); w.Code != status {
			t.Error(w.Code)
		}
	}
}

func TestInstallAndCheck(t *testing.T) {
	g := played(t)
	want := channel.Installation{Webhook: "https://bot.example/hooks/line/shop", Privacy: "https://bot.example/privacy"}
	wrong := func() (list []string) {
		found, err := g.a.Check(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if !f.OK {
				list = append(list, f.Text)
			}
			if f.OK != (f.Fix == "") {
				t.Errorf("%+v", f)
			}
		}
		return list
	}
	if diff := cmp.Diff([]string{"No webhook is set, so no message arrives."}, wrong()); diff != "" {
		t.Error(diff)
	}
	steps, err := g.a.Install(t.Context(), want)
	if err != nil {
		t.Fatal(err)
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
	if err != nil || !again[0].Done || !again[1].Done || steps[0].Done {
		t.Errorf("%+v, %v", again, err)
	}
	want.Webhook = "https://other.example/"
	if diff := cmp.Diff([]string{"The webhook leads to another address than this server's."}, wrong()); diff != "" {
		t.Error(diff)
	}
	for _, addr := range []string{"", "http://x.example", "https://x.example/" + strings.Repeat("a", 500)} {
		if _, err := g.a.Install(t.Context(), channel.Installation{Webhook: addr}); sotto.KindOf(err) != sotto.KindInvalid {
			t.Errorf("%.30s: %v", addr, err)
		}
	}
	if _, err := (&line.Adapter{}).Check(t.Context(), want); err == nil {
		t.Error("the zero value checks")
	}
}
