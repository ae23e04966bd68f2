package outbox

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// drive asks a window at random times whether a call may begin, and returns when
// those began that might.
func drive(r *rand.Rand, rate channel.Rate, n int) []moment {
	w := new(window)
	var at []moment
	now := moment(0)
	for len(at) < n {
		switch r.IntN(4) {
		case 0: // all at once
		case 1:
			now += moment(r.Int64N(int64(rate.Per)))
		case 2:
			now += moment(r.Int64N(int64(rate.Per)/100 + 1))
		case 3:
			now = w.free(now, rate)
		}
		if w.room(now, rate, 0) > 0 {
			w.add(now, rate)
			at = append(at, now)
		}
	}
	return at
}

// Never more than Most begin in any span of Per, whatever the times.
func TestNeverMoreThanMostInAnySpan(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rate := channel.Rate{Most: 1 + r.IntN(40), Per: time.Duration(1 + r.Int64N(int64(time.Hour)))}
		at := drive(r, rate, 300)
		for i := range at {
			if j := i + rate.Most; j < len(at) && at[j]-at[i] < rate.Per {
				t.Fatalf("%v: calls %d to %d began within %s", rate, i, j, at[j]-at[i])
			}
		}
	}
}

// Whoever waits until a window is free finds it free, and as soon as it may be.
func TestFree(t *testing.T) {
	w, rate := new(window), channel.Rate{Most: 3, Per: time.Second}
	if got := w.free(5, rate); got != 5 {
		t.Errorf("an empty window is free at %d", got)
	}
	for _, at := range []moment{0, 100 * time.Millisecond, 300 * time.Millisecond} {
		if w.free(at, rate) != at {
			t.Errorf("not free at %s", at)
		}
		w.add(at, rate)
	}
	if got := w.free(400*time.Millisecond, rate); got != time.Second {
		t.Errorf("free at %s, want 1s", got)
	}
	if n := w.room(time.Second-1, rate, 0); n != 0 {
		t.Errorf("room for %d just before", n)
	}
	if n := w.room(time.Second, rate, 0); n != 1 {
		t.Errorf("room for %d, want 1", n)
	}
	if n := w.room(1100*time.Millisecond, rate, 1); n != 1 {
		t.Errorf("room for %d beside a reserved one, want 1", n)
	}
}

// After the clock went back nothing waits for longer than Per.
func TestWindowWhenTheClockGoesBack(t *testing.T) {
	w, rate := new(window), channel.Rate{Most: 2, Per: time.Minute}
	w.add(10*time.Hour, rate)
	w.add(10*time.Hour+time.Second, rate)
	now := 2 * time.Hour
	if got := w.free(now, rate); got <= now || got > now+time.Minute {
		t.Errorf("free after %s", got-now)
	}
}

// However large the numbers, a window stays small and goes on with its rate.
func TestWindowStaysSmall(t *testing.T) {
	w, rate := new(window), channel.Rate{Most: 1_000_000, Per: 24 * time.Hour}
	sent, most := 0, 0
	for now := moment(0); now < 48*time.Hour; now += 50 * time.Millisecond {
		if w.room(now, rate, 0) > 0 {
			w.add(now, rate)
			sent++
		}
		most = max(most, len(w.spans))
	}
	if most > grain+1 {
		t.Errorf("%d spans", most)
	}
	if sent < 1_990_000 || sent > 2_000_000 {
		t.Errorf("%d in two days", sent)
	}
}

func TestWindowsForget(t *testing.T) {
	ws := windows{rate: channel.Rate{Most: 1, Per: time.Second}}
	for i := range 1000 {
		ws.add(sotto.ConversationID{byte(i), byte(i >> 8)}, moment(i)*10*time.Millisecond)
	}
	if n := len(ws.now) + len(ws.old); n > 201 {
		t.Errorf("%d conversations are remembered, want those of two seconds", n)
	}
	last := sotto.ConversationID{999 & 0xff, 999 >> 8}
	if got := ws.free(last, 10*time.Second); got != 10_990*time.Millisecond {
		t.Errorf("free at %s", got)
	}
	if got := ws.free(last, 100*time.Second); got != 100*time.Second {
		t.Errorf("free at %s, long after", got)
	}
	none := windows{}
	none.add(last, 1)
	if none.of(last, 1) != nil || none.free(last, 1) != 1 {
		t.Error("without a rate something is remembered")
	}
	if n := new(window).room(1, channel.Rate{}, 5); n != math.MaxInt {
		t.Errorf("room for %d without a rate", n)
	}
}

// BenchmarkWindow is what a message costs that is far below the limits of its
// account and its conversation.
func BenchmarkWindow(b *testing.B) {
	ws, w := windows{rate: channel.Rate{Most: 5, Per: 5 * time.Second}}, new(window)
	rate := channel.Rate{Most: 100, Per: time.Second}
	ids := make([]sotto.ConversationID, 1000)
	for i := range ids {
		ids[i] = sotto.ConversationID{byte(i), byte(i >> 8)}
	}
	b.ReportAllocs()
	var now moment
	for i := 0; b.Loop(); i++ {
		now += 20 * time.Millisecond
		c := ids[i%len(ids)]
		if w.room(now, rate, 0) <= 0 || ws.free(c, now) > now {
			b.Fatal("no room")
		}
		w.add(now, rate)
		ws.add(c, now)
	}
}

func TestQueueOrderOfMarked(t *testing.T) {
	o := &Outbox{accounts: make(map[string]*account), rearm: make(chan struct{}, 1)}
	o.cfg.Now = func() time.Time { return time.Unix(1000, 0) }
	a := o.account("x")
	a.known = true
	a.traits.Pace.PerAccount = channel.Rate{Most: 1, Per: time.Second}
	lane := func(id int64, marked bool) *lane {
		return &lane{items: []*Item{{ID: id, Account: "x", marked: marked}}, taken: true}
	}
	if !o.admit(lane(1, false)) {
		t.Fatal("the first is not let through")
	}
	for i, marked := range []bool{false, false, true} {
		if o.admit(lane(int64(i+2), marked)) {
			t.Fatal("one too many is let through")
		}
	}
	var got []int64
	for _, l := range a.queue {
		got = append(got, l.items[0].ID)
	}
	if !slices.Equal(got, []int64{4, 2, 3}) {
		t.Errorf("they wait in the order %v", got)
	}
}
