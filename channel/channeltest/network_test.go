package channeltest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/messenger"
	"github.com/sotto-chat/sotto/channel/telegram"
)

func network(tb testing.TB, record bool) *channeltest.Network {
	tb.Helper()
	n, err := channeltest.NewNetwork(channeltest.NetworkConfig{Record: record})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := n.Close(); err != nil {
			tb.Error(err)
		}
	})
	return n
}

// bot is what both adapters are.
type bot interface {
	channel.Adapter
	channel.Typer
	channel.Checker
}

// bots are the real adapters, set up for the network.
func bots(tb testing.TB, n *channeltest.Network) map[string]bot {
	tb.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	tg, err := telegram.New(telegram.Config{
		Token: channel.NewSecret(channeltest.TelegramToken), Secrets: channel.Secrets{channel.NewSecret(channeltest.TelegramSecret)},
		Username: channeltest.BotUsername, API: n.URL(), Client: client,
	})
	if err != nil {
		tb.Fatal(err)
	}
	ms, err := messenger.New(messenger.Config{
		PageID: channeltest.PageID, AppSecrets: channel.Secrets{channel.NewSecret(channeltest.MessengerSecret)},
		VerifyToken: channel.NewSecret(channeltest.VerifyToken), AccessToken: channel.NewSecret(channeltest.MessengerToken),
		API: n.URL(), Client: client,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return map[string]bot{channeltest.Telegram: tg, channeltest.Messenger: ms}
}

func TestNetworkTakesWhatBotsSend(t *testing.T) {
	n := network(t, true)
	for name, a := range bots(t, n) {
		n.Forget()
		buttons := []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No", Payload: "N"}}
		sent, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: "Pick é", Buttons: buttons})
		if err != nil {
			t.Fatal(name, err)
		}
		f := &channel.File{Name: "a.json", MIME: "application/json", Data: []byte(`{"x":1}`)}
		doc, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", File: f})
		if err != nil {
			t.Fatal(name, err)
		}
		if err := a.Typing(t.Context(), &channel.Outgoing{Conversation: "41"}); err != nil {
			t.Fatal(name, err)
		}
		got, err := n.Wait(t.Context(), name, "41", 2)
		if err != nil {
			t.Fatal(err)
		}
		want := []channeltest.Call{
			{Channel: name, Conversation: "41", Text: "Pick é", Buttons: buttons, ID: sent.ID},
			{Channel: name, Conversation: "41", File: f, ID: doc.ID},
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(channeltest.Call{}, "Method", "Time")); diff != "" {
			t.Error(name, diff)
		}
		if all := n.Sent(); len(all) != 3 || !strings.HasPrefix(all[2].Action, "typing") {
			t.Errorf("%s: %+v", name, all)
		}
		found, err := a.Check(t.Context(), channel.Installation{})
		if err != nil || slices.ContainsFunc(found, func(f channel.Finding) bool { return !f.OK }) {
			t.Error(name, found, err)
		}
	}
}

func TestNetworkRefusesWrongToken(t *testing.T) {
	n, err := channeltest.NewNetwork(channeltest.NetworkConfig{TelegramToken: "1:a", MessengerToken: "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	for name, a := range bots(t, n) {
		_, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: "x"})
		var e *channel.SendError
		if !errors.As(err, &e) || e.Class != channel.Auth {
			t.Error(name, err)
		}
	}
}

func TestNetworkWebhooks(t *testing.T) {
	n := network(t, false)
	for name, a := range bots(t, n) {
		var got []channel.Event
		hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			if err := a.Verify(&channel.Request{Method: r.Method, Header: r.Header, Body: body}); err != nil {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			b, err := a.Decode(body)
			if err != nil || b.Unknown != 0 {
				t.Error(b, err)
			}
			got = append(got, b.Events...)
		}))
		defer hook.Close()
		ok := func(status int, err error) {
			t.Helper()
			if err != nil || status != 200 {
				t.Fatal(name, status, err)
			}
		}
		ok(n.PushText(t.Context(), hook.URL, name, "41", "hi \"é\" \u2028"))
		ok(n.PushButton(t.Context(), hook.URL, name, "41", "Y"))
		ok(n.Push(t.Context(), hook.URL, n.Edit(name, "41", "5", "new")))
		ok(n.Push(t.Context(), hook.URL, n.Delete(name, "41", "5")))
		ok(n.Push(t.Context(), hook.URL, n.Block(name, "41", false)))
		ok(n.Push(t.Context(), hook.URL, n.Block(name, "41", true)))
		want := []sotto.EventKind{sotto.EventMessage, sotto.EventButton, sotto.EventEdit, sotto.EventDelete, sotto.EventBlock, sotto.EventUnblock}
		if name == channeltest.Messenger {
			want[4], want[5] = sotto.EventOptOut, sotto.EventOptIn
		} else {
			ok(n.Push(t.Context(), hook.URL, n.Group("-100", "41", "hi", true)))
			ok(n.Push(t.Context(), hook.URL, n.Group("-100", "41", "hi", false)))
			want = append(want, sotto.EventMessage, sotto.EventMessage)
		}
		var kinds []sotto.EventKind
		for _, e := range got {
			kinds = append(kinds, e.Kind)
		}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Error(name, diff)
		}
		if got[0].Text != "hi \"é\" \u2028" || got[0].Sender != "41" || got[1].Payload != "Y" || got[2].ID != "5" || got[3].ID != "5" {
			t.Errorf("%s: %+v", name, got)
		}
		if len(got) > 6 && (!got[6].Addressed || got[7].Addressed) {
			t.Error("addressed", got[6].Addressed, got[7].Addressed)
		}
		if status, err := n.Push(t.Context(), hook.URL, channeltest.Webhook{Body: []byte("{}")}); err != nil || status != 401 {
			t.Error(name, status, err)
		}
	}
}

func TestNetworkBody(t *testing.T) {
	n := network(t, false)
	for name, a := range bots(t, n) {
		seen := map[string]bool{}
		for _, size := range []int{0, 1024, 1024, 100_000} {
			body, h := n.Body(name, "41", size)
			if size > 0 && len(body) != size {
				t.Errorf("%s: %d bytes, want %d", name, len(body), size)
			}
			if err := a.Verify(&channel.Request{Method: http.MethodPost, Header: h, Body: body}); err != nil {
				t.Error(name, err)
			}
			b, err := a.Decode(body)
			if err != nil || len(b.Events) != 1 || seen[b.Events[0].Delivery] {
				t.Error(name, b, err)
				continue
			}
			seen[b.Events[0].Delivery] = true
		}
	}
}

func TestNetworkMisbehaves(t *testing.T) {
	n := network(t, true)
	for name, a := range bots(t, n) {
		send := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := a.Send(ctx, &channel.Outgoing{Conversation: "41", Text: "x"})
			return err
		}
		for _, tt := range []struct {
			name  string
			fault channeltest.Fault
			want  channel.Class // 0 = no error
			after time.Duration
			done  int // messages that count as sent
		}{
			{"nothing", channeltest.Fault{}, 0, 0, 1},
			{"429", channeltest.Fault{Status: 429, After: 3}, channel.Retry, 3 * time.Second, 0},
			{"500", channeltest.Fault{Status: 500}, channel.Retry, 0, 0},
			{"401", channeltest.Fault{Status: 401}, channel.Auth, 0, 0},
			{"hang", channeltest.Fault{Hang: true}, channel.Unknown, 0, 0},
			{"hang when done", channeltest.Fault{Hang: true, Done: true}, channel.Unknown, 0, 1},
			{"reset", channeltest.Fault{Reset: true}, channel.Unknown, 0, 0},
			{"reset when done", channeltest.Fault{Reset: true, Done: true}, channel.Unknown, 0, 1},
			{"nonsense", channeltest.Fault{Status: 200, Body: "?"}, channel.Unknown, 0, 0},
			{"slow", channeltest.Fault{Delay: 20 * time.Millisecond}, 0, 0, 1},
			{"of the other network", channeltest.Fault{Channel: "other", Status: 500}, 0, 0, 1},
		} {
			n.Forget()
			n.Fail(tt.fault)
			err := send()
			var e *channel.SendError
			switch {
			case tt.want == 0 && err != nil, tt.want != 0 && !errors.As(err, &e):
				t.Errorf("%s, %s: %v", name, tt.name, err)
			case tt.want != 0 && (e.Class != tt.want || e.RetryAfter != tt.after):
				t.Errorf("%s, %s: %v after %v", name, tt.name, e, e.RetryAfter)
			}
			if got := len(n.Messages(name, "41")); got != tt.done {
				t.Errorf("%s, %s: %d messages count as sent, want %d", name, tt.name, got, tt.done)
			}
			n.Heal()
		}
		n.Fail(channeltest.Fault{Skip: 1, Times: 2, Status: 500})
		var failed []bool
		for range 4 {
			failed = append(failed, send() != nil)
		}
		if diff := cmp.Diff([]bool{false, true, true, false}, failed); diff != "" {
			t.Error(name, diff)
		}
	}
}

func TestNetworkWaitEnds(t *testing.T) {
	n := network(t, true)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := n.Wait(ctx, channeltest.Telegram, "41", 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestNetworkKeepsNothingUnlessTold(t *testing.T) {
	n := network(t, false)
	var wg sync.WaitGroup
	for _, a := range bots(t, n) {
		wg.Go(func() {
			for range 50 {
				if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: "x"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(n.Sent()); got != 0 || n.Count() != 100 {
		t.Errorf("%d kept, %d counted", got, n.Count())
	}
}

func BenchmarkNetworkSend(b *testing.B) {
	n := network(b, false)
	a := bots(b, n)[channeltest.Telegram]
	m := &channel.Outgoing{Conversation: "41", Text: "hello"}
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := a.Send(b.Context(), m); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkNetworkServe measures the network alone: the client writes the same
// bytes again and again.
func BenchmarkNetworkServe(b *testing.B) {
	n := network(b, false)
	body := `{"chat_id":41,"text":"hello"}`
	call := []byte("POST /bot" + channeltest.TelegramToken + "/sendMessage HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", strings.TrimPrefix(n.URL(), "http://"))
		if err != nil {
			b.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		buf := make([]byte, 4096)
		for pb.Next() {
			if _, err := c.Write(call); err != nil {
				b.Error(err)
			}
			if k, err := c.Read(buf); err != nil || !strings.HasPrefix(string(buf[:k]), "HTTP/1.1 200") {
				b.Error(err)
			}
		}
	})
}

func BenchmarkNetworkBody(b *testing.B) {
	n := network(b, false)
	for _, name := range []string{channeltest.Telegram, channeltest.Messenger} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if body, _ := n.Body(name, "41", 1024); len(body) != 1024 {
					b.Fatal(len(body))
				}
			}
		})
	}
}
