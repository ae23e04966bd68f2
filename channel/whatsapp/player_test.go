package whatsapp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/whatsapp"
)

// network is a player behind a server, and an adapter that is set up by its
// settings.
type network struct {
	play.Player
	*whatsapp.Adapter

	mu    sync.Mutex
	shown []play.Shown
	now   time.Time
}

func played(t *testing.T) *network {
	t.Helper()
	n := &network{now: time.Unix(1700000000, 0)}
	n.Player = whatsapp.Player(play.Config{Now: func() time.Time { return n.now }})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		w.Header().Set("Date", n.now.UTC().Format(http.TimeFormat))
		n.shown = append(n.shown, n.Serve(w, r, body)...)
	}))
	t.Cleanup(srv.Close)
	s := n.Settings(srv.URL)
	a, err := whatsapp.New(whatsapp.Config{
		PhoneNumberID: s["phone_number_id"], BusinessAccountID: s["business_account_id"], AppID: s["app_id"], API: s["api"],
		AppSecrets: channel.Secrets{channel.NewSecret(s["app_secret"])}, VerifyToken: channel.NewSecret(s["verify_token"]),
		AccessToken: channel.NewSecret(s["access_token"]), Client: srv.Client(), IceBreakers: []string{"Is the shop open?"},
		Now: func() time.Time { return n.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Adapter = a
	return n
}

// Channel is the same of both.
func (n *network) Channel() string { return n.Player.Channel() }

// hear lets the adapter take a webhook as a server does.
func (n *network) hear(t *testing.T, a play.Act) channel.Event {
	t.Helper()
	w, err := n.Webhook(a)
	if err != nil {
		t.Fatal(err)
	}
	r := &channel.Request{Method: http.MethodPost, Header: w.Header, Body: w.Body, Now: n.now}
	if err := n.Verify(r); err != nil {
		t.Fatal(err)
	}
	b, err := n.Decode(r.Body)
	if err != nil || len(b.Events) != 1 || b.Unknown != 0 {
		t.Fatalf("%+v, %v", b, err)
	}
	r.Body = bytes.Replace(r.Body, []byte("whatsapp_business_account"), []byte("Whatsapp_business_account"), 1)
	if n.Verify(r) == nil {
		t.Error("a changed body is accepted")
	}
	return b.Events[0]
}

func (n *network) saw() []play.Shown {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.shown
	n.shown = nil
	return s
}

func TestPlayedActs(t *testing.T) {
	n := played(t)
	const both = "41@US.1"
	for _, tt := range []struct {
		name string
		act  play.Act
		want channel.Event
	}{
		{"message", play.Act{Kind: sotto.EventMessage, User: "41", Text: "hé 😀 <b>/\n"}, channel.Event{Kind: sotto.EventMessage, Sender: "41", Conversation: "41", Text: "hé 😀 <b>/\n"}},
		{"of both ids", play.Act{Kind: sotto.EventMessage, User: both, Text: "hi"}, channel.Event{Kind: sotto.EventMessage, Sender: "41", Conversation: "41", Alias: "US.1", Text: "hi"}},
		{"without a number", play.Act{Kind: sotto.EventMessage, User: "US.1", Text: "hi"}, channel.Event{Kind: sotto.EventMessage, Sender: "US.1", Conversation: "US.1", Text: "hi"}},
		{"in a group", play.Act{Kind: sotto.EventMessage, User: "41", Group: "G1", Text: "hi"}, channel.Event{Kind: sotto.EventMessage, Sender: "41", Conversation: "G1", Group: true, Text: "hi"}},
		{"to the bot in a group", play.Act{Kind: sotto.EventMessage, User: "41", Group: "G1", Addressed: true, Text: "hi"}, channel.Event{Kind: sotto.EventMessage, Sender: "41", Conversation: "G1", Group: true, Addressed: true, Text: "@15550783881 hi"}},
		{"button", play.Act{Kind: sotto.EventButton, User: "41", Text: "Yes", Payload: "Y"}, channel.Event{Kind: sotto.EventButton, Sender: "41", Conversation: "41", Text: "Yes", Payload: "Y"}},
		{"edit", play.Act{Kind: sotto.EventEdit, User: "41", ID: "w0", Text: "better"}, channel.Event{Kind: sotto.EventEdit, ID: "w0", Sender: "41", Conversation: "41", Text: "better"}},
		{"delete", play.Act{Kind: sotto.EventDelete, User: "41", ID: "w0"}, channel.Event{Kind: sotto.EventDelete, ID: "w0", Sender: "41", Conversation: "41"}},
		{"reaction", play.Act{Kind: sotto.EventReaction, User: "41", ID: "w0"}, channel.Event{Kind: sotto.EventReaction, ID: "w0", Sender: "41", Conversation: "41", Payload: "👍"}},
		{"receipt", play.Act{Kind: sotto.EventReceipt, User: both, ID: "w0"}, channel.Event{Kind: sotto.EventReceipt, ID: "w0", Sender: "41", Alias: "US.1", Conversation: "41", Payload: "read"}},
		{"first look", play.Act{Kind: sotto.EventJoin, User: "41"}, channel.Event{Kind: sotto.EventJoin, Sender: "41", Conversation: "41"}},
		{"join", play.Act{Kind: sotto.EventJoin, User: "41", Group: "G1"}, channel.Event{Kind: sotto.EventJoin, Sender: "41", Conversation: "G1", Group: true}},
		{"leave", play.Act{Kind: sotto.EventLeave, User: "41", Group: "G1"}, channel.Event{Kind: sotto.EventLeave, Sender: "41", Conversation: "G1", Group: true}},
		{"a group of our own", play.Act{Kind: sotto.EventJoin, User: "bot", Group: "G1"}, channel.Event{Kind: sotto.EventJoin, Self: true, Conversation: "G1", Group: true}},
		{"closed", play.Act{Kind: sotto.EventLeave, User: "bot", Group: "G1"}, channel.Event{Kind: sotto.EventLeave, Self: true, Conversation: "G1", Group: true}},
		{"opt-out", play.Act{Kind: sotto.EventOptOut, User: "41"}, channel.Event{Kind: sotto.EventOptOut, Sender: "41", Conversation: "41", Payload: "marketing_messages"}},
		{"opt-in", play.Act{Kind: sotto.EventOptIn, User: both}, channel.Event{Kind: sotto.EventOptIn, Sender: "41", Alias: "US.1", Conversation: "41", Payload: "marketing_messages"}},
		{"echo", play.Act{Kind: sotto.EventEcho, User: "41", Text: "we said"}, channel.Event{Kind: sotto.EventEcho, Sender: "15550783881", Conversation: "41", Text: "we said"}},
		{"new number", play.Act{Kind: sotto.EventMigrate, User: "41", Payload: "42"}, channel.Event{Kind: sotto.EventMigrate, Sender: "41", Conversation: "41", Payload: "42"}},
		{"new id", play.Act{Kind: sotto.EventMigrate, User: "US.1", Payload: "US.2"}, channel.Event{Kind: sotto.EventMigrate, Sender: "US.1", Conversation: "US.1", Payload: "US.2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := n.hear(t, tt.act)
			if got.Delivery == "" || got.Account != "106540352242922" || !got.Time.Equal(n.now) {
				t.Errorf("%+v", got)
			}
			if tt.want.ID == "" {
				tt.want.ID = got.ID
			}
			got.Delivery, got.Account, got.Own, got.Time = "", "", "", time.Time{}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, a := range []play.Act{{Kind: sotto.EventBlock}, {Kind: sotto.EventUnblock}, {Kind: sotto.EventLeave}, {Kind: sotto.EventStandby}} {
		if _, err := n.Webhook(a); !errors.Is(err, play.ErrNoSuch) {
			t.Errorf("%s: %v", a.Kind, err)
		}
	}
}

func TestPlayedQuestions(t *testing.T) {
	n := played(t)
	for _, q := range n.Questions() {
		values, err := url.ParseQuery(q.Query)
		if err != nil {
			t.Fatal(err)
		}
		resp, answered, err := n.Handshake(&channel.Request{Method: q.Method, Query: values})
		if !answered || err != nil {
			t.Fatal(answered, err)
		}
		if err := n.Answered(q, resp.Status, nil, resp.Body); err != nil {
			t.Error(err)
		}
		if n.Answered(q, 200, nil, []byte("no")) == nil || n.Answered(q, 403, nil, resp.Body) == nil {
			t.Error("a wrong answer passes")
		}
	}
}

func TestPlayedSends(t *testing.T) {
	n := played(t)
	data := bytes.Repeat([]byte("file-bytes"), 1000)
	at := n.hear(t, play.Act{Kind: sotto.EventMessage, User: "41", Text: "look", File: &channel.File{Name: "a.pdf", MIME: "application/pdf", Data: data}})
	if at.Text != "look" || len(at.Attachments) != 1 || at.Attachments[0].Kind != "file" || at.Attachments[0].Sum == "" || at.Attachments[0].Name != "a.pdf" {
		t.Fatalf("%+v", at)
	}
	if got, err := n.Fetch(t.Context(), at.Attachments[0], 1<<20); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	buttons := []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No", Payload: "N"}}
	list := append(append([]sotto.Button{}, buttons...), sotto.Button{Label: "Maybe", Payload: "M"}, sotto.Button{Label: "Later", Payload: "L"})
	file := &channel.File{Name: "b.txt", MIME: "text/plain", Data: []byte("b")}
	for _, tt := range []struct {
		m    channel.Outgoing
		want []play.Shown
	}{
		{channel.Outgoing{Conversation: "41", Text: "Hi", ReplyTo: at.ID}, []play.Shown{{Kind: "message", To: "41", Text: "Hi", ReplyTo: at.ID}}},
		{channel.Outgoing{Conversation: "US.1", Text: "Hi"}, []play.Shown{{Kind: "message", To: "US.1", Text: "Hi"}}},
		{channel.Outgoing{Conversation: "G1", Text: "Hi"}, []play.Shown{{Kind: "message", To: "G1", Text: "Hi"}}},
		{channel.Outgoing{Conversation: "41", Text: "Pick", Buttons: buttons}, []play.Shown{{Kind: "message", To: "41", Text: "Pick", Buttons: buttons}}},
		{channel.Outgoing{Conversation: "41", Text: "Pick", Buttons: list}, []play.Shown{{Kind: "message", To: "41", Text: "Pick", Buttons: list}}},
		{channel.Outgoing{Conversation: "41", Text: "Here", File: file}, []play.Shown{{Kind: "message", To: "41", Text: "Here", File: file}}},
	} {
		sent, err := n.Send(t.Context(), &tt.m)
		if err != nil || sent.ID == "" {
			t.Errorf("%+v, %v", sent, err)
		}
		got := n.saw()
		for i := range got {
			got[i].ID = ""
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Error(diff)
		}
	}
	if err := n.Typing(t.Context(), &channel.Outgoing{Conversation: "41", ReplyTo: at.ID}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]play.Shown{{Kind: "seen", ID: at.ID}, {Kind: "typing"}}, n.saw()); diff != "" {
		t.Error(diff)
	}
	if _, err := n.Send(t.Context(), &channel.Outgoing{Conversation: "41", File: &channel.File{Name: "a.zip", MIME: "application/zip", Data: []byte("x")}}); class(err) != channel.Bad {
		t.Error(err)
	}
	n.now = n.now.Add(25 * time.Hour)
	if _, err := n.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: "late"}); class(err) != channel.Window {
		t.Error(err)
	}
}

func class(err error) channel.Class {
	var e *channel.SendError
	if !errors.As(err, &e) {
		return 0
	}
	return e.Class
}

func TestPlayedRefusals(t *testing.T) {
	p := whatsapp.Player(play.Config{})
	for status, want := range map[int]string{429: "130429", 503: "131000"} {
		w := httptest.NewRecorder()
		p.Refuse(w, status, 1500*time.Millisecond)
		if w.Code != status || !strings.Contains(w.Body.String(), want) || status == 429 && w.Header().Get("Retry-After") != "2" {
			t.Errorf("%d: %d %s", status, w.Code, w.Body)
		}
	}
	for _, body := range []string{
		``, `{}`, `{"messaging_product":"whatsapp"}`, `{"messaging_product":"whatsapp","to":"41"}`, `{"messaging_product":"whatsapp","to":"x","text":{"body":"a"}}`,
		`{"messaging_product":"whatsapp","recipient":"x","text":{"body":"a"}}`, `{"messaging_product":"whatsapp","status":"read"}`,
		`{"messaging_product":"whatsapp","to":"41","text":{"body":"` + strings.Repeat("x", 4097) + `"}}`,
		`{"messaging_product":"whatsapp","to":"41","type":"document","document":{"id":"1"}}`, `{"messaging_product":"whatsapp","to":"41","type":"dance"}`,
		`{"messaging_product":"whatsapp","to":"41","type":"interactive","interactive":{"type":"button","body":{"text":"a"},"action":{"buttons":[{"type":"reply","reply":{"id":"1","title":"` + strings.Repeat("x", 21) + `"}}]}}}`,
		`{"messaging_product":"whatsapp","to":"41","type":"interactive","interactive":{"type":"list","body":{"text":"a"},"action":{"sections":[{"rows":[{"id":"1","title":"x"}]}]}}}`,
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/v26.0/106540352242922/messages", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+p.Settings("")["access_token"])
		if shown := p.Serve(w, r, []byte(body)); shown != nil || w.Code != 400 {
			t.Errorf("%.80s: %d, %v", body, w.Code, shown)
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/v26.0/106540352242922/messages", http.NoBody)
	if p.Serve(w, r, []byte(`{}`)); w.Code != http.StatusUnauthorized {
		t.Error("no token is asked for")
	}
}
