package outbox_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/parttest"
	"github.com/sotto-chat/sotto/internal/store"
)

// add stores a message to ann that change has changed.
func add(h *parttest.House, m outbox.Message, change func(*outbox.Item)) {
	h.T.Helper()
	it := &outbox.Item{
		ID: h.IDs.Next(), Person: h.Person("ann"), Conversation: h.Conversation("ann"), Account: parttest.Account,
		Kind: outbox.Reply, Expires: h.Now().Add(24 * time.Hour),
	}
	if change != nil {
		change(it)
	}
	m.To = "chat-ann"
	h.Must(h.Outbox.Seal(context.Background(), it, &m))
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { return h.Outbox.Add(tx, []*outbox.Item{it}) }))
}

// refused counts the entries of the log that refuse a send for a reason.
func refused(h *parttest.House, reason string) int {
	h.T.Helper()
	return count(h, `SELECT count(*) FROM audit_leaf WHERE CAST(data AS TEXT) LIKE $1`, `%"`+reason+`"%`)
}

const instead = "an approved template message"

// closing is a house whose network lets a bot answer for a day.
func closing(t *testing.T) *parttest.House {
	t.Helper()
	h := parttest.New(t)
	h.Net.Peculiar = channel.Traits{Pace: channel.Pace{Window: 24 * time.Hour}, Alternative: instead}
	return h
}

func TestTooLateIsRefusedBeforeTheCall(t *testing.T) {
	h := closing(t)
	h.SendFor = 72 * time.Hour
	h.Start()
	h.Meet("ann")
	h.Net.Fail(failing(1, &channel.SendError{Class: channel.Retry, RetryAfter: 48 * time.Hour}))
	tried := h.Net.Tried()
	h.Say("ann", "x")
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() == 1 }, "it waits")
	h.Pass(24 * time.Hour)
	h.Outbox.Wake(h.Conversation("ann"))
	h.WaitIdle()
	if got := h.Net.Tried() - tried; got != 1 {
		t.Errorf("%d calls, want 1", got)
	}
	s := &h.Outbox.Stats
	if s.Window.Load() != 1 || s.Dropped.Load() != 1 || s.Failed.Load() != 0 {
		t.Errorf("%d too late, %d dropped, %d failed", s.Window.Load(), s.Dropped.Load(), s.Failed.Load())
	}
	if !strings.Contains(h.LogText(), instead) {
		t.Error("the operator is not told what may be sent instead")
	}
	if refused(h, "window") != 1 {
		t.Error("the log does not say why")
	}
}

// What waits is given up when the window closes, and not only when somebody
// looks: also after a restart.
func TestWindowClosesByItself(t *testing.T) {
	h := closing(t)
	h.Start()
	h.Meet("ann")
	h.Net.Fail(failing(99, &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}))
	add(h, outbox.Message{Text: "x"}, func(it *outbox.Item) { it.Closes = h.Now().Add(1500 * time.Millisecond) })
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() == 1 }, "it waits")
	h.Close()
	h.Start()
	h.WaitIdle()
	if h.Outbox.Stats.Window.Load() != 1 {
		t.Error("it is not counted")
	}
}

func TestLaterAnswerKeepsTheWindowOpen(t *testing.T) {
	h := closing(t)
	h.Open()
	late, open := h.Now().Add(-time.Minute), h.Now().Add(time.Hour)
	system := func(closes time.Time) func(*outbox.Item) {
		return func(it *outbox.Item) { it.Kind, it.Closes = outbox.System, closes }
	}
	add(h, outbox.Message{Text: "one"}, system(late))
	add(h, outbox.Message{Text: "two"}, system(open))
	add(h, outbox.Message{Text: "three"}, system(late)) // nothing behind it says that the window is open
	h.Run()
	h.WaitIdle()
	if got := parttest.Texts(h.Net.Sent()); !cmp.Equal(got, []string{"one", "two"}) {
		t.Errorf("sent %q", got)
	}
}

func TestNetworkSaysTooLate(t *testing.T) {
	h := closing(t)
	h.Start()
	h.Meet("ann")
	h.Net.Fail(failing(1, &channel.SendError{Class: channel.Window, Status: 400, Code: "131047"}))
	h.Say("ann", "x")
	h.Say("ann", "y")
	h.WaitIdle()
	if h.Outbox.Stats.Window.Load() != 1 || !strings.Contains(h.LogText(), instead) || refused(h, "window") != 1 {
		t.Errorf("counted %d times, logged %v, recorded %d times", h.Outbox.Stats.Window.Load(), strings.Contains(h.LogText(), instead), refused(h, "window"))
	}
}

func TestCloses(t *testing.T) {
	day := parttest.NewNetwork()
	day.Peculiar.Pace.Window = 24 * time.Hour
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	later := at.Add(time.Minute)
	for name, c := range map[string]struct {
		ad   channel.Adapter
		at   time.Time
		want time.Time
	}{
		"from the network's time": {day, at, at.Add(24 * time.Hour)},
		"without one":             {day, time.Time{}, later.Add(24 * time.Hour)},
		"from the future":         {day, later.Add(time.Hour), later.Add(24 * time.Hour)},
		"no window":               {parttest.NewNetwork(), at, time.Time{}},
		"no adapter":              {nil, at, time.Time{}},
	} {
		if got := outbox.Closes(c.ad, c.at, later); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A message that the network will never take keeps no other from being sent.
func TestBadAndFilesDoNotBlock(t *testing.T) {
	h := parttest.New(t)
	h.Net.Peculiar.NoFiles = true
	h.Start()
	h.Meet("ann")
	h.Net.Fail(func(_ int, m *channel.Outgoing) error {
		if m.Text == "bad" {
			return &channel.SendError{Class: channel.Bad, Status: 400}
		}
		return nil
	})
	tried := h.Net.Tried()
	add(h, outbox.Message{Text: "bad"}, nil)
	add(h, outbox.Message{Text: "file", File: &channel.File{Name: "a.json", Data: []byte("{}")}}, nil)
	add(h, outbox.Message{Text: "good"}, nil)
	h.WaitIdle()
	if got := parttest.Texts(h.Net.Sent())[2:]; !cmp.Equal(got, []string{"good"}) {
		t.Errorf("sent %q", got)
	}
	s := &h.Outbox.Stats
	if got := h.Net.Tried() - tried; got != 2 || s.Failed.Load() != 2 || s.Dropped.Load() != 2 || s.Retried.Load() != 0 {
		t.Errorf("%d calls, %d failed, %d dropped, %d retried", got, s.Failed.Load(), s.Dropped.Load(), s.Retried.Load())
	}
	if refused(h, "file") != 1 || !strings.Contains(h.LogText(), "a file cannot be sent") {
		t.Error("it is not said why")
	}
}

func TestMute(t *testing.T) {
	all := map[outbox.Kind]string{outbox.Reply: "reply", outbox.Notice: "notice", outbox.System: "owed", outbox.Farewell: "farewell"}
	for _, c := range []struct {
		name   string
		why    outbox.Muting
		want   []string
		reason string
	}{
		{"blocked", outbox.Blocked, nil, "blocked"},
		{"stopped", outbox.Stopped, []string{"owed", "farewell"}, "stopped"},
		{"both", outbox.Stopped | outbox.Blocked, nil, "blocked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := parttest.New(t)
			h.Start()
			h.Meet("ann")
			h.Outbox.Mute(h.Person("ann"), c.why)
			for k := outbox.Reply; k <= outbox.Farewell; k++ {
				add(h, outbox.Message{Text: all[k]}, func(it *outbox.Item) { it.Kind = k })
			}
			h.WaitIdle()
			got := parttest.Texts(h.Net.Sent())[2:]
			if !cmp.Equal(got, append([]string{}, c.want...)) {
				t.Errorf("sent %q, want %q", got, c.want)
			}
			if n := int(h.Outbox.Stats.Stopped.Load()); n != 4-len(c.want) || refused(h, c.reason) != n {
				t.Errorf("%d are counted and %d recorded, want %d", n, refused(h, c.reason), 4-len(c.want))
			}
			h.Outbox.Unmute(h.Person("ann"), c.why)
			add(h, outbox.Message{Text: "again"}, nil)
			h.WaitSent(3 + len(c.want))
		})
	}
}

// Once Mute has returned no call begins, also of a message that was about to be
// sent: it is looked at before the call and not only when its turn comes.
func TestNoCallBeginsAfterMute(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	ctx := context.Background()
	for range 50 {
		sent := h.Net.Tried()
		add(h, outbox.Message{Text: "x"}, nil)
		h.Outbox.Mute(h.Person("ann"), outbox.Blocked)
		begun := h.Net.Tried() // some were quicker
		h.WaitIdle()
		if got := h.Net.Tried(); got > begun+1 || got > sent+1 { // one may have passed the last look, which is before the call
			t.Fatalf("%d calls after the person was muted", got-begun)
		}
		h.Outbox.Unmute(h.Person("ann"), outbox.Blocked)
	}
	_, err := h.Outbox.Forget(ctx, h.Person("ann"), 1<<62)
	h.Must(err)
}

// What is known of a person changes while a message is on its way to its call:
// muted, said and unmuted again. It is not sent.
func TestMutedAndKnownMeanwhile(t *testing.T) {
	h := parttest.New(t)
	h.Unknown = outbox.Drop // each call is marked in a transaction of its own
	h.Start()
	h.Meet("ann", "bob")
	h.Close()
	h.Open()
	add(h, outbox.Message{Text: "x"}, nil)
	// The mark of the attempt waits behind a transaction in which ann's block is
	// noted.
	hold, begun := make(chan struct{}), make(chan struct{})
	go func() {
		h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error {
			close(begun)
			<-hold
			return markGone(h, tx)
		}))
		h.Outbox.Unmute(h.Person("ann"), outbox.Blocked)
	}()
	<-begun
	h.Run()
	time.Sleep(20 * time.Millisecond)
	h.Outbox.Mute(h.Person("ann"), outbox.Blocked)
	close(hold)
	h.WaitIdle()
	if got := len(h.Net.Sent()); got != 4 {
		t.Errorf("%d messages were sent, want 4", got)
	}
}

func markGone(h *parttest.House, tx *store.Tx) error {
	st, err := h.People.Read(tx, h.Person("ann"))
	if err != nil {
		return err
	}
	st.Gone = true
	return h.People.Put(tx, h.Person("ann"), st)
}

func TestOffersOfSentMessages(t *testing.T) {
	h := parttest.New(t)
	h.Net.Numbered = true
	h.Start()
	h.Meet("ann")
	has := func() bool { return h.Offers.Has(h.Conversation("ann"), h.Person("ann")) }
	if !has() {
		t.Error("the notice's buttons are not remembered")
	}
	add(h, outbox.Message{Text: "pick", Buttons: []sotto.Button{{Label: "Yes", Payload: "y"}}}, nil)
	h.WaitIdle()
	if !has() || h.Rows("offer") != 1 {
		t.Errorf("%d offers", h.Rows("offer"))
	}
	add(h, outbox.Message{Text: "no buttons"}, nil)
	h.WaitIdle()
	if !has() {
		t.Error("a message without buttons ends an offer")
	}
	h.Close()
	h.Net.Numbered = false
	h.Start()
	if !has() {
		t.Error("after a restart the offer is gone")
	}
	add(h, outbox.Message{Text: "real ones", Buttons: []sotto.Button{{Label: "Yes", Payload: "y"}}}, nil)
	h.WaitIdle()
	if has() || h.Rows("offer") != 0 {
		t.Error("a message with buttons that work does not end an offer")
	}
}

// Messages of a version that knew no windows are sent as ever.
func TestMessagesOfAnEarlierVersion(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	add(h, outbox.Message{Text: "old"}, func(it *outbox.Item) { it.Kind = outbox.System })
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error {
		for _, q := range []string{`ALTER TABLE outbox DROP COLUMN closes`, `UPDATE store_version SET version = 1 WHERE component = 'outbox'`} {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		return nil
	}))
	h.Close()
	h.Start()
	if got := parttest.Texts(h.WaitSent(1)); !cmp.Equal(got, []string{"old"}) {
		t.Errorf("sent %q", got)
	}
	h.WaitIdle()
}

// Who is forgotten while a worker has the message, which the network puts off,
// is not kept waiting for.
func TestForgottenDuringTheCall(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	entered, release := make(chan struct{}), make(chan struct{})
	h.Net.Fail(func(int, *channel.Outgoing) error {
		close(entered)
		<-release
		return &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}
	})
	add(h, outbox.Message{Text: "x"}, nil)
	<-entered
	_, err := h.Outbox.Forget(context.Background(), h.Person("ann"), 1<<62)
	h.Must(err)
	close(release)
	h.WaitIdle()
}
