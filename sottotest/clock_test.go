package sottotest_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/internal/journal" //nolint:depguard // for the name of its table
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/server"
	"github.com/sotto-chat/sotto/sottotest"
)

// clock is a clock that can be set; it goes on at the machine's pace.
type clock struct{ offset atomic.Int64 }

func clockAt(t time.Time) *clock {
	c := new(clock)
	c.set(t)
	return c
}

func (c *clock) set(t time.Time)      { c.offset.Store(int64(time.Until(t))) }
func (c *clock) Now() time.Time       { return time.Now().Add(time.Duration(c.offset.Load())).Round(0) }
func (c *clock) move(d time.Duration) { c.offset.Add(int64(d)) }

const day = 24 * time.Hour

// bundle is what is read of an export.
type bundle struct {
	Held  bool `json:"held"`
	Turns []struct {
		You   string    `json:"you"`
		At    time.Time `json:"at"`
		Until time.Time `json:"kept_until"`
	} `json:"turns"`
	Keys []any `json:"keys"`
}

func exported(t *testing.T, s *sottotest.Sotto, user string) bundle {
	t.Helper()
	var b bundle
	if err := json.Unmarshal(s.Export(user), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func said(b bundle) []string {
	out := []string{}
	for _, turn := range b.Turns {
		out = append(out, turn.You)
	}
	return out
}

func sweep(t *testing.T, s *sottotest.Sotto, dry bool) server.Report {
	t.Helper()
	var r server.Report
	if err := s.Operate(server.OpRetention, server.Retention{DryRun: dry}, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// Each message has its own last day. A dry run shows what a sweep then deletes:
// rows on their day, keys when the last day of their month is over.
func TestRetention(t *testing.T) {
	t.Parallel()
	c := clockAt(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	s := sottotest.Start(t, echo(), sottotest.Config{Now: c.Now, Settings: "retention: { every: 24h }"})
	s.Say("41", "in March")
	s.Settle()
	c.set(time.Date(2026, 3, 25, 12, 0, 0, 0, time.UTC))
	s.Say("41", "later in March")
	s.Settle()
	if r := sweep(t, s, false); r.Turns+r.Keys+r.Held != 0 {
		t.Errorf("too early: %+v", r)
	}
	c.set(time.Date(2026, 4, 9, 11, 0, 0, 0, time.UTC)) // an hour before
	if r := sweep(t, s, true); r.Turns != 0 {
		t.Errorf("an hour before the last day: %+v", r)
	}
	c.move(2 * time.Hour)
	dry := sweep(t, s, true)
	if dry.Turns != 1 || !dry.DryRun || dry.Keys == 0 { // those of March's traffic; the turns' live on
		t.Errorf("dry run: %+v", dry)
	}
	if got := said(exported(t, s, "41")); len(got) != 2 {
		t.Errorf("after a dry run %q is held", got)
	}
	did := sweep(t, s, false)
	if did.Turns != dry.Turns || did.Keys != dry.Keys || did.Held != dry.Held || did.Deliveries != dry.Deliveries {
		t.Errorf("the sweep did %+v, the dry run said %+v", did, dry)
	}
	b := exported(t, s, "41")
	if diff := cmp.Diff([]string{"later in March"}, said(b)); diff != "" {
		t.Errorf("held after the sweep:\n%s", diff)
	}
	if want := b.Turns[0].At.Add(30 * day).Truncate(time.Second); !b.Turns[0].Until.Equal(want) {
		t.Errorf("kept until %v, want %v", b.Turns[0].Until, want)
	}
	keys := len(b.Keys)

	c.set(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	if r := sweep(t, s, false); r.Turns != 1 || r.Keys == 0 {
		t.Errorf("in May: %+v, want the last turn and the keys of March", r)
	}
	if b := exported(t, s, "41"); len(b.Turns) != 0 || len(b.Keys) >= keys {
		t.Errorf("in May %d turns and %d keys are held; there were %d keys", len(b.Turns), len(b.Keys), keys)
	}
	if r := sweep(t, s, true); r.Turns+r.Keys+r.Held+r.Deliveries != 0 {
		t.Errorf("a sweep left something: %+v", r)
	}
	s.Verify()
}

// A server that was down on the day sweeps by itself when it is up again, and
// also destroys what waited for too long.
func TestRetentionCatchesUp(t *testing.T) {
	t.Parallel()
	c := clockAt(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	s := sottotest.Start(t, echo(), sottotest.Config{Now: c.Now})
	s.Say("41", "in March")
	s.Settle()
	s.Network.Fail(channeltest.Fault{Status: http.StatusServiceUnavailable, After: 3600, Times: -1})
	s.Say("42", "whose notice could not be sent")
	for s.Metric("sotto_outbox_retried_total") == 0 && t.Context().Err() == nil {
		continue
	}
	sweep(t, s, false) // so that there is a last time
	s.Stop()
	s.Network.Heal()
	old := copyFiles(t, filepath.Join(s.Dir(), "data"), "data.db")
	c.set(time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC))
	s.Restart()
	deadline := time.Now().Add(20 * time.Second)
	for !strings.Contains(s.Log(), `"msg":"retention sweep"`) {
		if time.Now().After(deadline) {
			t.Fatal("no sweep")
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.Settle()
	if b := exported(t, s, "41"); len(b.Turns) != 0 {
		t.Errorf("%q is held", said(b))
	}
	if b := exported(t, s, "42"); b.Held {
		t.Errorf("of a person without notice is held: %+v", b)
	}
	if got := s.Network.Messages(channeltest.Telegram, "42"); len(got) != 0 {
		t.Errorf("after three months was sent: %+v", got)
	}
	s.Stop()
	// A backup from before the month's end is worth nothing now.
	now := copyFiles(t, filepath.Join(s.Dir(), "data"), "keys.db")
	got := openAll(t, filepath.Join(s.Dir(), "kek"), filepath.Join(old, "data.db"), filepath.Join(now, "keys.db"))
	if got[transcript.Table] != (opened{1, 0}) || got[journal.Table] != (opened{1, 0}) {
		t.Errorf("of the old data could be read: %+v", got)
	}
}

// A clock that is set back and forth: what was said stays in its order, and
// each message keeps its own last day.
func TestClockIsSet(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)
	c := clockAt(noon)
	s := sottotest.Start(t, echo(), sottotest.Config{Now: c.Now})
	want := []string{}
	say := func(text string) {
		t.Helper()
		s.Say("41", text)
		s.Settle()
		want = append(want, text)
	}
	say("noon")
	c.move(-10 * day)
	say("ten days before")
	s.Restart()
	say("ten days before, after a restart")
	c.move(20 * day)
	say("ten days after")
	s.Restart()
	c.set(noon)
	say("noon again")
	if diff := cmp.Diff(want, s.Replies("41"), cmp.Transformer("said", func(v []string) []string {
		out := slices.Clone(v)
		for i := range out {
			out[i] = strings.TrimPrefix(out[i], "You said: ")
		}
		return out
	})); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	b := exported(t, s, "41")
	if diff := cmp.Diff(want, said(b)); diff != "" {
		t.Errorf("what was said is out of order (-want +got):\n%s", diff)
	}
	for _, turn := range b.Turns {
		if want := turn.At.Add(30 * day).Truncate(time.Second); !turn.Until.Equal(want) {
			t.Errorf("%q of %v is kept until %v", turn.You, turn.At, turn.Until)
		}
	}
	c.set(noon.Add(30*day - time.Hour))
	sweep(t, s, false)
	if diff := cmp.Diff([]string{"noon", "ten days after", "noon again"}, said(exported(t, s, "41"))); diff != "" {
		t.Errorf("an hour before noon's last day (-want +got):\n%s", diff)
	}
	s.Verify()
}
