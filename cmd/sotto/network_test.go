package main

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/channel/channeltest"
)

// A network that answers 429, 500, nonsense or nothing, or breaks off: the
// person gets every answer in the end, in order, and no sooner than the network
// asked for; what may have arrived already is counted as unknown.
func TestNetworks(t *testing.T) {
	t.Parallel()
	faults := []struct {
		name    string
		f       channeltest.Fault
		unknown int           // sends reported as such
		copies  int           // of the answer
		wait    time.Duration // at least, between the two attempts
	}{
		{name: "429 with Retry-After", f: channeltest.Fault{Status: 429, After: 1}, copies: 1, wait: time.Second},
		{name: "503 with Retry-After", f: channeltest.Fault{Status: 503, After: 1, Body: "busy"}, copies: 1, wait: time.Second},
		{name: "500", f: channeltest.Fault{Status: 500, Body: "<html>"}, copies: 1},
		{name: "500 twice", f: channeltest.Fault{Status: 500, Times: 2}, copies: 1},
		{name: "hang", f: channeltest.Fault{Hang: true}, unknown: 1, copies: 1},
		{name: "hang when done", f: channeltest.Fault{Hang: true, Done: true}, unknown: 1, copies: 2},
		{name: "reset", f: channeltest.Fault{Reset: true}, unknown: 1, copies: 1},
		{name: "reset when done", f: channeltest.Fault{Reset: true, Done: true}, unknown: 1, copies: 2},
		{name: "nonsense", f: channeltest.Fault{Status: 200, Body: "whisper"}, unknown: 1, copies: 1},
		{name: "nonsense when done", f: channeltest.Fault{Status: 200, Body: "{", Done: true}, unknown: 1, copies: 2},
		{name: "504", f: channeltest.Fault{Status: 504, Body: "gateway"}, unknown: 1, copies: 1},
		{name: "slow", f: channeltest.Fault{Delay: 100 * time.Millisecond}, copies: 1},
	}
	for _, name := range []string{channeltest.Telegram, channeltest.Messenger} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, t.TempDir(), "", ", timeout: 1s")
			h.start()
			for i, c := range faults {
				user := fmt.Sprint(500 + i)
				h.say(name, user, "hello")
				h.settle()
				before := h.unknown()
				f := c.f
				h.net.Fail(f)
				from := len(h.net.Sent())
				h.say(name, user, "one")
				h.say(name, user, "two")
				h.settle()
				if got := h.unknown() - before; got != c.unknown {
					t.Errorf("%s: %d sends are reported as unknown, want %d", c.name, got, c.unknown)
				}
				want := []string{"hello"}
				for range c.copies {
					want = append(want, "one")
				}
				want = append(want, "two")
				var got []string
				for _, m := range h.net.Messages(name, user)[1:] { // after the notice
					got = append(got, m.Text)
				}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: the person got %q, want %q", c.name, got, want)
				}
				tries := h.net.Sent()[from:]
				if c.wait > 0 && tries[1].Time.Sub(tries[0].Time) < c.wait {
					t.Errorf("%s: tried again after %v, want %v", c.name, tries[1].Time.Sub(tries[0].Time), c.wait)
				}
			}
			if n := h.metric("sotto_outbox_unknown_total"); n != h.unknown() {
				t.Errorf("the metric says %d unknown, the log %d", n, h.unknown())
			}
			h.final(name)
			if err := h.kill(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		})
	}
}

// final is what ends a conversation: the network will never take a message, or
// the person has gone.
func (h *house) final(name string) {
	h.t.Helper()
	h.say(name, "700", "hello")
	h.settle()
	h.net.Fail(channeltest.Fault{Status: http.StatusBadRequest, Body: map[string]string{
		channeltest.Telegram:  `{"ok":false,"error_code":400,"description":"Bad Request: message text is empty"}`,
		channeltest.Messenger: `{"error":{"message":"whisper","type":"OAuthException","code":100}}`,
	}[name]})
	h.say(name, "700", "never taken")
	h.say(name, "700", "taken")
	h.settle()
	if got := h.net.Messages(name, "700"); len(got) != 3 || got[2].Text != "taken" {
		h.t.Errorf("after a refusal: %+v", got)
	}
	h.net.Fail(channeltest.Fault{Status: http.StatusForbidden, Body: map[string]string{
		channeltest.Telegram:  `{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`,
		channeltest.Messenger: `{"error":{"message":"whisper","type":"OAuthException","code":551}}`,
	}[name]})
	h.say(name, "700", "gone")
	h.settle()
	if n := h.metric("sotto_outbox_gone_total"); n != 1 {
		h.t.Errorf("%d persons are gone, want 1", n)
	}
	h.say(name, "700", "here again") // who writes can be reached
	h.settle()
	if got := h.net.Messages(name, "700"); got[len(got)-1].Text != "here again" {
		h.t.Errorf("who came back got %+v", got)
	}
}
