package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/channel/channeltest"
)

// The server is killed again and again while people write and the network is
// slow, fails, or breaks off. Every message that was acknowledged is answered
// exactly once and in the order of its conversation, apart from as many as the
// server itself has reported to be of unknown outcome.
func TestKillNine(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"resend", "drop", "slow"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			killNine(t, mode)
		})
	}
}

const (
	killWriters = 12 // people
	killRounds  = 5
	killAfter   = 60 // acknowledged messages between two kills, about
)

// writer is a person who writes one line after the other, and the network that
// delivers a line until it is acknowledged.
type writer struct {
	channel, user string
	acked         []string
}

// killNine is one mode: what is done with a send of unknown outcome, or "slow":
// sent again, and the network is never worse than slow, so that a kill is the
// only reason for a second answer.
func killNine(t *testing.T, mode string) {
	t.Helper()
	settings := ""
	if mode == "drop" {
		settings = "outbox: { unknown: drop }"
	}
	h := newHouse(t, t.TempDir(), settings, "")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	troubles(h.net, dice, mode == "slow")
	h.start()

	var acks atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	people := make([]*writer, killWriters)
	for i := range people {
		p := &writer{channel: channeltest.Telegram, user: fmt.Sprint(4100 + i)}
		if i%2 == 1 {
			p.channel = channeltest.Messenger
		}
		people[i] = p
		wg.Go(func() { p.write(h, &acks, stop) })
	}
	var kills [][2]time.Time // when it was killed, and when the next one was ready
	for range killRounds {
		want := acks.Load() + killAfter/2 + dice.Int64N(killAfter)
		h.until("people have written", func() bool { return acks.Load() >= want })
		time.Sleep(time.Duration(dice.Int64N(int64(8 * time.Millisecond)))) // the point at random
		killed := time.Now()
		if err := h.kill(syscall.SIGKILL); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("the server was not killed: %v", err)
		}
		h.start()
		kills = append(kills, [2]time.Time{killed, time.Now()})
	}
	close(stop)
	wg.Wait()
	h.net.Heal()
	h.settle()
	judge(t, h, people, mode)
	if mode == "slow" {
		onlyKills(t, h, people, kills)
	}
	if err := h.kill(syscall.SIGTERM); err != nil {
		t.Errorf("the last stop: %v", err)
	}
}

// troubles prepares what the network will do wrong.
func troubles(n *channeltest.Network, dice *rand.Rand, slow bool) {
	for range 400 {
		f := channeltest.Fault{Skip: dice.IntN(6), Delay: time.Duration(dice.IntN(15)) * time.Millisecond}
		kind := dice.IntN(12)
		if slow {
			kind = -1
		}
		switch kind {
		case 0:
			f.Status = http.StatusInternalServerError
		case 1:
			f.Reset, f.Done = true, true
		case 2:
			f.Reset = true
		case 3:
			f.Status, f.After = http.StatusTooManyRequests, 1
		}
		n.Fail(f)
	}
}

func (p *writer) write(h *house, acks *atomic.Int64, stop chan struct{}) {
	for i := 0; ; i++ {
		text := fmt.Sprintf("%s %d", p.user, i)
		w := h.net.Text(p.channel, p.user, text)
		for h.push(h.t.Context(), p.channel, w) != http.StatusOK {
			select {
			case <-h.t.Context().Done():
				return
			case <-time.After(5 * time.Millisecond): // the network tries again
			}
		}
		p.acked = append(p.acked, text)
		acks.Add(1)
		select {
		case <-stop:
			return
		default:
		}
	}
}

// judge compares what was acknowledged with what the network got.
func judge(t *testing.T, h *house, people []*writer, mode string) {
	t.Helper()
	var acked, answers, doubled, missing, notices int
	for _, p := range people {
		acked += len(p.acked)
		times := map[string]int{}
		var first []string
		for _, m := range h.net.Messages(p.channel, p.user) {
			if len(m.Buttons) > 0 {
				notices++
				continue
			}
			answers++
			if times[m.Text]++; times[m.Text] == 1 {
				first = append(first, m.Text)
			} else {
				doubled++
			}
		}
		for _, text := range p.acked {
			if times[text] == 0 {
				missing++
			}
			delete(times, text)
		}
		if len(times) > 0 {
			t.Errorf("%s got answers to what was never written: %v", p.user, times)
		}
		want := slices.DeleteFunc(slices.Clone(p.acked), func(s string) bool { return !slices.Contains(first, s) })
		if !slices.Equal(first, want) {
			t.Errorf("%s was answered out of order:\n%v", p.user, first)
		}
	}
	reported := h.unknown()
	t.Logf("%d acknowledged, %d answers, %d doubled, %d missing, %d notices to %d people, %d reported as unknown",
		acked, answers, doubled, missing, notices, len(people), reported)
	if acked < killRounds*killAfter/2 {
		t.Errorf("only %d messages were acknowledged", acked)
	}
	extra := doubled + notices - len(people)
	switch {
	case notices < len(people):
		t.Errorf("%d notices to %d people", notices, len(people))
	case mode != "drop" && missing > 0:
		t.Errorf("%d acknowledged messages were never answered", missing)
	case mode != "drop" && extra > reported:
		t.Errorf("%d messages were sent twice, and only %d reported as unknown", extra, reported)
	case mode == "drop" && doubled > 0:
		t.Errorf("%d answers were sent twice", doubled)
	case mode == "drop" && missing+notices-len(people) > reported:
		t.Errorf("%d answers are missing, and only %d reported as unknown", missing, reported)
	}
	for _, must := range []string{"sotto_outbox_waiting", "sotto_journal_waiting"} {
		if n := h.metric(must); n != 0 {
			t.Errorf("%s %d", must, n)
		}
	}
}

// onlyKills checks that between a first and a second answer the server was
// killed. What it sent last may be noted a moment after its end.
func onlyKills(t *testing.T, h *house, people []*writer, kills [][2]time.Time) {
	t.Helper()
	for _, p := range people {
		at := map[string]time.Time{}
		for _, m := range h.net.Messages(p.channel, p.user) {
			first, again := at[m.Text]
			at[m.Text] = m.Time
			if again && !slices.ContainsFunc(kills, func(k [2]time.Time) bool { return first.Before(k[1]) && m.Time.After(k[0]) }) {
				t.Errorf("%q was sent at %v and at %v, and nothing happened in between", m.Text, first, m.Time)
			}
		}
	}
}
