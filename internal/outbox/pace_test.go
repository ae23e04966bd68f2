package outbox_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/parttest"
	"github.com/sotto-chat/sotto/internal/store"
)

// The tests of this file run in a time of their own, in which waiting takes
// none.

// call is one call of a network.
type call struct {
	at   time.Time
	text string
	to   string
}

// line is a network that writes down when it was called.
type line struct {
	*parttest.Network
	mu    sync.Mutex
	calls []call
}

func newLine(now func() time.Time, pace channel.Pace) *line {
	l := &line{Network: parttest.NewNetwork()}
	l.Peculiar.Pace = pace
	l.answer(now, nil)
	return l
}

// answer writes calls down, and has f answer them.
func (l *line) answer(now func() time.Time, f func(n int, m *channel.Outgoing) error) {
	l.Fail(func(n int, m *channel.Outgoing) error {
		l.mu.Lock()
		l.calls = append(l.calls, call{now(), m.Text, m.Conversation})
		l.mu.Unlock()
		if f != nil {
			return f(n, m)
		}
		return nil
	})
}

func (l *line) made() []call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

// bounded fails where more than most calls began in some span of per.
func bounded(tb testing.TB, what string, calls []call, r channel.Rate) {
	tb.Helper()
	if r.Most == 0 {
		return
	}
	for i := range calls {
		if j := i + r.Most; j < len(calls) && calls[j].at.Sub(calls[i].at) < r.Per {
			tb.Fatalf("%s: %d calls within %s, and %s allows no more than %d", what, r.Most+1, calls[j].at.Sub(calls[i].at), r, r.Most)
		}
	}
}

func perPerson(calls []call) map[string][]call {
	out := make(map[string][]call)
	for _, c := range calls {
		out[c.to] = append(out[c.to], c)
	}
	return out
}

// queue stores n messages of an account, to its users in turn.
func queue(h *parttest.House, account string, users, n int) {
	h.T.Helper()
	items := make([]*outbox.Item, 0, n)
	for i := range n {
		user := fmt.Sprint("u", i%users)
		it := &outbox.Item{
			ID: h.IDs.Next(), Person: h.Vault.PersonID("telegram", account, user), Conversation: h.Vault.ConversationID("telegram", account, user),
			Account: account, Kind: outbox.System, Expires: h.Now().Add(24 * time.Hour),
		}
		h.Must(h.Outbox.Seal(context.Background(), it, &outbox.Message{To: user, Text: fmt.Sprint(i)}))
		items = append(items, it)
	}
	for part := range slices.Chunk(items, 500) {
		h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { return h.Outbox.Add(tx, part) }))
	}
}

// drain waits until nothing waits, for up to an hour of the test's time.
func drain(h *parttest.House) {
	h.T.Helper()
	for end := time.Now().Add(time.Hour); h.Outbox.Held() > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			h.T.Fatalf("%d messages wait for an hour\n%s", h.Outbox.Held(), h.LogText())
		}
	}
}

// virtual runs f with a house that is closed before the test's time ends.
func virtual(t *testing.T, f func(h *parttest.House)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := parttest.New(t)
		f(h)
		h.Close()
	})
}

// A backlog of three accounts drains at the rate of each, in order, and nobody
// waits for somebody else's turn.
func TestBacklogDrainsAtTheRate(t *testing.T) {
	virtual(t, func(h *parttest.House) {
		t := h.T
		rate := func(most int, per time.Duration) channel.Rate { return channel.Rate{Most: most, Per: per} }
		paces := map[string]channel.Pace{
			"telegram/shop": {PerAccount: rate(30, time.Second), PerPerson: rate(1, time.Second)},
			"telegram/slow": {PerAccount: rate(20, time.Minute)},
			"telegram/free": {},
		}
		messages := map[string]int{"telegram/shop": 5000, "telegram/slow": 500, "telegram/free": 4500}
		lines := make(map[string]*line)
		h.Adapters = make(map[string]channel.Adapter)
		for account, pace := range paces {
			lines[account] = newLine(h.Now, pace)
			h.Adapters[account] = lines[account]
		}
		h.OutboxLimit = 20000
		h.Open()
		for account, n := range messages {
			queue(h, account, 100, n)
		}
		begin := h.Now()
		h.Run()
		drain(h)
		for account, n := range messages {
			calls := lines[account].made()
			if len(calls) != n {
				t.Errorf("%s: %d calls for %d messages", account, len(calls), n)
			}
			bounded(t, account, calls, paces[account].PerAccount)
			took := calls[n-1].at.Sub(begin)
			want := time.Duration(0)
			if r := paces[account].PerAccount; r.Most > 0 {
				want = time.Duration((n-1)/r.Most) * r.Per
			}
			if took < want || took > want+want/50+2*time.Second {
				t.Errorf("%s: it took %s, want %s", account, took, want)
			}
			for to, own := range perPerson(calls) {
				bounded(t, account+" "+to, own, paces[account].PerPerson)
				for k := 1; k < len(own); k++ {
					if len(own[k-1].text) > len(own[k].text) || len(own[k-1].text) == len(own[k].text) && own[k-1].text >= own[k].text {
						t.Fatalf("%s %s: %s before %s", account, to, own[k-1].text, own[k].text)
					}
				}
			}
		}
		if s := &h.Outbox.Stats; s.Retried.Load()+s.Unknown.Load()+s.Dropped.Load() != 0 {
			t.Errorf("waiting counts as an attempt: %d retried, %d unknown, %d dropped", s.Retried.Load(), s.Unknown.Load(), s.Dropped.Load())
		}
	})
}

// Somebody with much to say does not keep the others of the account waiting.
func TestConversationsTakeTurns(t *testing.T) {
	virtual(t, func(h *parttest.House) {
		t := h.T
		l := newLine(h.Now, channel.Pace{PerAccount: channel.Rate{Most: 10, Per: time.Second}})
		h.Adapters = map[string]channel.Adapter{parttest.Account: l}
		h.Start()
		queue(h, parttest.Account, 1, 500)
		time.Sleep(3 * time.Second)
		begin := h.Now()
		queue(h, parttest.Account, 10, 10) // nine who are new, and one more for the first
		drain(h)
		for to, own := range perPerson(l.made()) {
			if wait := own[0].at.Sub(begin); to != "u0" && wait > 2*time.Second {
				t.Errorf("%s waited for %s", to, wait)
			}
		}
	})
}

// What waits for its conversation's turn keeps nobody else waiting, and what is
// far below the limits is not marked twice.
func TestPerPersonKeepsNobodyElseWaiting(t *testing.T) {
	virtual(t, func(h *parttest.House) {
		t := h.T
		r := channel.Rate{Most: 5, Per: 5 * time.Second}
		l := newLine(h.Now, channel.Pace{PerPerson: r})
		h.Adapters = map[string]channel.Adapter{parttest.Account: l}
		h.Start()
		queue(h, parttest.Account, 1, 12)
		queue(h, parttest.Account, 20, 20)
		time.Sleep(time.Second)
		for to, own := range perPerson(l.made()) {
			want := 1
			if to == "u0" {
				want = 5
			}
			if len(own) != want {
				t.Errorf("%s got %d messages in the first second, want %d", to, len(own), want)
			}
		}
		if n := count(h, `SELECT count(*) FROM outbox WHERE state = 2`); n != 0 {
			t.Errorf("%d messages that wait are stored as being sent", n)
		}
		drain(h)
		bounded(t, "u0", perPerson(l.made())["u0"], r)
	})
}

func count(h *parttest.House, q string, args ...any) (n int) {
	h.T.Helper()
	h.Must(h.DB.QueryRow(context.Background(), q, args...).Scan(&n))
	return n
}

// A message that would wait is not stored as being sent.
func TestPremarkMindsTheRate(t *testing.T) {
	virtual(t, func(h *parttest.House) {
		t := h.T
		l := newLine(h.Now, channel.Pace{PerAccount: channel.Rate{Most: 3, Per: time.Hour}})
		h.Adapters = map[string]channel.Adapter{parttest.Account: l}
		h.Start()
		queue(h, parttest.Account, 10, 10)
		time.Sleep(time.Second)
		if got := len(l.made()); got != 3 {
			t.Errorf("%d calls, want 3", got)
		}
		if n := count(h, `SELECT count(*) FROM outbox WHERE state = 2`); n != 0 || h.Outbox.Held() != 7 {
			t.Errorf("%d messages are stored as being sent, %d wait; want none and 7", n, h.Outbox.Held())
		}
	})
}

// An account that is told to be quiet is quiet, and no other is.
func TestTooManyRequestsSlowsTheAccount(t *testing.T) {
	virtual(t, func(h *parttest.House) {
		t := h.T
		person := channel.Pace{PerPerson: channel.Rate{Most: 5, Per: time.Second}}
		quiet, other, one := newLine(h.Now, person), newLine(h.Now, person), newLine(h.Now, person)
		h.Adapters = map[string]channel.Adapter{"telegram/quiet": quiet, "telegram/other": other, "telegram/one": one}
		h.Start()
		wait := &channel.SendError{Class: channel.Retry, Status: 429, RetryAfter: 30 * time.Second}
		begin := h.Now()
		quiet.answer(h.Now, func(int, *channel.Outgoing) error {
			if h.Now().Sub(begin) < 25*time.Second {
				return wait
			}
			return nil
		})
		one.answer(h.Now, func(n int, m *channel.Outgoing) error {
			if m.Conversation == "u0" && h.Now().Sub(begin) < 25*time.Second {
				return wait
			}
			return nil
		})
		queue(h, "telegram/quiet", 2, 2)
		queue(h, "telegram/one", 2, 2)
		time.Sleep(time.Second)
		queue(h, "telegram/quiet", 300, 300)
		queue(h, "telegram/other", 300, 300)
		queue(h, "telegram/one", 300, 300)
		time.Sleep(20 * time.Second)
		if got := len(quiet.made()); got != 2 {
			t.Errorf("%d calls of an account that was told to be quiet, want the 2 before", got)
		}
		if got := len(other.made()); got != 300 {
			t.Errorf("another account made %d calls, want 300", got)
		}
		if got := len(one.made()); got != 301 { // 2 before, and all but those of u0
			t.Errorf("%d calls of an account of which one conversation is to be quiet, want 301", got)
		}
		drain(h)
		if got := len(quiet.made()); got != 304 {
			t.Errorf("%d calls in the end, want 304", got)
		}
		if n := strings.Count(h.LogText(), "wants this account to send less"); n != 1 {
			t.Errorf("the operator is told %d times, want once", n)
		}
	})
}

// However long the network says, the account is asked again within a quarter of
// an hour.
func TestHoldEnds(t *testing.T) {
	virtual(t, func(h *parttest.House) {
		t := h.T
		l := newLine(h.Now, channel.Pace{})
		h.Adapters = map[string]channel.Adapter{parttest.Account: l}
		h.Start()
		first := true
		l.answer(h.Now, func(int, *channel.Outgoing) error {
			if first {
				first = false
				return &channel.SendError{Class: channel.Retry, Status: 429, RetryAfter: 1000 * time.Hour}
			}
			return nil
		})
		queue(h, parttest.Account, 1, 1)
		time.Sleep(time.Second)
		queue(h, parttest.Account, 2, 2)
		time.Sleep(16 * time.Minute)
		if got := len(l.made()); got != 2 { // u1's; u0 waits as it was told
			t.Errorf("%d calls, want 2", got)
		}
	})
}

// A crash between mark and settle, with others waiting for the rate: nothing is
// lost, only what was under way may come twice, and the rate holds after the
// start as well.
func TestCrashUnderARate(t *testing.T) {
	virtual(t, func(h *parttest.House) {
		t := h.T
		pace := channel.Pace{PerAccount: channel.Rate{Most: 10, Per: time.Second}, PerPerson: channel.Rate{Most: 1, Per: time.Second}}
		l := newLine(h.Now, pace)
		h.Adapters = map[string]channel.Adapter{parttest.Account: l}
		h.Start()
		stuck := make(chan struct{})
		l.answer(h.Now, func(n int, _ *channel.Outgoing) error {
			if n > 25 {
				<-stuck // the network has it, and nobody here knows
			}
			return nil
		})
		queue(h, parttest.Account, 50, 100)
		time.Sleep(2500 * time.Millisecond)
		before := l.made()
		if len(before) != 30 {
			t.Fatalf("%d calls before the crash, want 30", len(before))
		}
		after := h.Crash()
		m := newLine(after.Now, pace)
		after.Adapters = map[string]channel.Adapter{parttest.Account: m}
		after.Start()
		drain(after)
		close(stuck)
		bounded(t, "after the crash", m.made(), pace.PerAccount)
		got := make(map[string]int)
		for _, c := range slices.Concat(before, m.made()) {
			got[c.text]++
		}
		twice := 0
		for _, n := range got {
			twice += n - 1
		}
		if len(got) != 100 || twice != 5 {
			t.Errorf("%d of 100 messages were sent, %d of them twice; want all, and the 5 under way", len(got), twice)
		}
		if n := after.Outbox.Stats.Unknown.Load(); n != 5 {
			t.Errorf("%d outcomes are unknown, want 5", n)
		}
		after.Close()
	})
}

// A clock that is set back or forward stops nothing, and breaks no rate by the
// time that passes for the network.
func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{-time.Hour, time.Hour, -200 * 24 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			virtual(t, func(h *parttest.House) {
				t := h.T
				pace := channel.Pace{PerAccount: channel.Rate{Most: 10, Per: time.Second}, PerPerson: channel.Rate{Most: 2, Per: time.Second}}
				l := newLine(time.Now, pace) // by the network's clock
				h.Adapters = map[string]channel.Adapter{parttest.Account: l}
				h.Start()
				queue(h, parttest.Account, 7, 200)
				time.Sleep(3500 * time.Millisecond)
				h.Pass(jump)
				begin := time.Now()
				drain(h)
				if d := time.Since(begin); d > 25*time.Second {
					t.Errorf("it took another %s", d)
				}
				calls := l.made()
				if len(calls) != 200 {
					t.Errorf("%d calls", len(calls))
				}
				if jump < 0 {
					bounded(t, "all", calls, pace.PerAccount)
					for to, own := range perPerson(calls) {
						bounded(t, to, own, pace.PerPerson)
					}
				}
			})
		})
	}
}

// What waits for a rate is forgotten with its person, and woken by nobody.
func TestForgetAndWakeUnderARate(t *testing.T) {
	virtual(t, func(h *parttest.House) {
		t := h.T
		pace := channel.Pace{PerAccount: channel.Rate{Most: 2, Per: time.Minute}, PerPerson: channel.Rate{Most: 1, Per: time.Minute}}
		l := newLine(h.Now, pace)
		h.Adapters = map[string]channel.Adapter{parttest.Account: l}
		h.Start()
		queue(h, parttest.Account, 5, 10)
		time.Sleep(time.Second)
		for i := range 5 {
			c := h.Vault.ConversationID("telegram", parttest.Account, fmt.Sprint("u", i))
			h.Outbox.Wake(c)
			h.Outbox.Wake(c)
		}
		time.Sleep(time.Second)
		if got := len(l.made()); got != 2 {
			t.Errorf("%d calls, want 2", got)
		}
		for i := range 4 {
			_, err := h.Outbox.Forget(context.Background(), h.Vault.PersonID("telegram", parttest.Account, fmt.Sprint("u", i)), 1<<62)
			h.Must(err)
		}
		drain(h)
		got := make(map[string]int)
		for _, c := range l.made() {
			got[c.to]++
		}
		if diff := cmp.Diff(map[string]int{"u0": 1, "u1": 1, "u4": 2}, got); diff != "" {
			t.Error(diff)
		}
		bounded(t, "all", l.made(), pace.PerAccount)
	})
}

// Whatever is given up before its call leaves room for others at once.
func TestWhatIsNotCalledTakesNoRoom(t *testing.T) {
	virtual(t, func(h *parttest.House) {
		t := h.T
		l := newLine(h.Now, channel.Pace{PerAccount: channel.Rate{Most: 2, Per: time.Hour}})
		h.Adapters = map[string]channel.Adapter{parttest.Account: l}
		h.Open()
		queue(h, parttest.Account, 50, 50)
		for i := range 48 {
			h.Outbox.Mute(h.Vault.PersonID("telegram", parttest.Account, fmt.Sprint("u", i)), outbox.Blocked)
		}
		h.Run()
		time.Sleep(time.Second)
		if got := len(l.made()); got != 2 || h.Outbox.Held() != 0 {
			t.Errorf("%d calls and %d wait, want 2 and none", got, h.Outbox.Held())
		}
	})
}
