package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/parttest"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
)

// failing answers the first n attempts with err.
func failing(n int, err error) func(int, *channel.Outgoing) error {
	var tried atomic.Int64
	return func(int, *channel.Outgoing) error {
		if tried.Add(1) <= int64(n) {
			return err
		}
		return nil
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	type counts struct{ Tried, Sent, Retried, Unknown, Dropped, Gone, Failed, Window int }
	for _, c := range []struct {
		name       string
		err        error
		unknown    outbox.Unknown
		idempotent bool
		want       counts
	}{
		{name: "retry", err: &channel.SendError{Class: channel.Retry, Status: 500}, want: counts{Tried: 2, Sent: 1, Retried: 1}},
		{name: "unknown, sent again", err: &channel.SendError{Class: channel.Unknown}, want: counts{Tried: 2, Sent: 1, Retried: 1, Unknown: 1}},
		{name: "unknown, dropped", unknown: outbox.Drop, err: &channel.SendError{Class: channel.Unknown}, want: counts{Tried: 1, Unknown: 1, Dropped: 1}},
		{name: "unknown, idempotent", idempotent: true, unknown: outbox.Drop, err: &channel.SendError{Class: channel.Unknown}, want: counts{Tried: 2, Sent: 1, Retried: 1}},
		{name: "an error of no class", unknown: outbox.Drop, err: errors.New("no class"), want: counts{Tried: 1, Unknown: 1, Dropped: 1}},
		{name: "a class that does not exist", err: &channel.SendError{Class: 99}, want: counts{Tried: 2, Sent: 1, Retried: 1, Unknown: 1}},
		{name: "window", err: &channel.SendError{Class: channel.Window}, want: counts{Tried: 1, Dropped: 1, Window: 1}},
		{name: "bad", err: &channel.SendError{Class: channel.Bad}, want: counts{Tried: 1, Dropped: 1, Failed: 1}},
		{name: "gone", err: &channel.SendError{Class: channel.Gone}, want: counts{Tried: 1, Dropped: 1, Gone: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := parttest.New(t)
			h.Unknown = c.unknown
			if c.idempotent {
				h.Adapters = map[string]channel.Adapter{parttest.Account: parttest.Idempotent{Network: h.Net}}
			}
			h.Start()
			h.Meet("ann")
			tried, sent := h.Net.Tried(), len(h.Net.Sent())
			s := &h.Outbox.Stats
			if s.Retried.Load()+s.Dropped.Load() != 0 {
				t.Fatal("something went wrong before")
			}
			h.Net.Fail(failing(1, c.err))
			h.Say("ann", "x")
			h.WaitIdle()
			got := counts{
				Tried: h.Net.Tried() - tried, Sent: len(h.Net.Sent()) - sent, Retried: int(s.Retried.Load()), Unknown: int(s.Unknown.Load()),
				Dropped: int(s.Dropped.Load()), Gone: int(s.Gone.Load()), Failed: int(s.Failed.Load()), Window: int(s.Window.Load()),
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			st, err := h.People.Get(context.Background(), h.Person("ann"))
			h.Must(err)
			if st.Gone != (c.want.Gone == 1) {
				t.Errorf("gone = %v", st.Gone)
			}
		})
	}
}

func TestRefusedCredentialsPauseTheAccount(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann", "bob")
	h.Net.Fail(failing(1, &channel.SendError{Class: channel.Auth, Status: 401}))
	tried := h.Net.Tried()
	h.Say("ann", "x")
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() == 1 }, "the send is put off")
	h.Say("bob", "y")
	h.Wait(func() bool { return h.Outbox.Held() == 2 }, "both wait")
	time.Sleep(50 * time.Millisecond)
	if got := h.Net.Tried() - tried; got != 1 {
		t.Errorf("%d attempts while the credentials are refused, want 1", got)
	}
	h.Pass(2 * time.Minute)
	for _, u := range []string{"ann", "bob"} {
		h.Outbox.Wake(h.Conversation(u))
	}
	h.WaitIdle()
	if got := h.Net.Tried() - tried; got != 3 {
		t.Errorf("%d attempts, want 3", got)
	}
	if !strings.Contains(h.LogText(), "refuses the credentials") {
		t.Error("the operator is not told")
	}
}

// However long the network wants to be left alone, nothing waits past its last day.
func TestExpiredIsGivenUpInTime(t *testing.T) {
	h := parttest.New(t)
	h.SendFor = 700 * time.Millisecond
	h.Start()
	h.Meet("ann")
	h.Net.Fail(failing(99, &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}))
	h.Say("ann", "x")
	begin := time.Now()
	h.WaitIdle()
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("given up after %s", d)
	}
	if h.Outbox.Stats.Dropped.Load() != 1 {
		t.Error("it is not counted")
	}
}

// item stores a message to ann as a turn does.
func item(h *parttest.House, kind outbox.Kind, account, text string, expires time.Time) int64 {
	h.T.Helper()
	it := &outbox.Item{
		ID: h.IDs.Next(), Person: h.Person("ann"), Conversation: h.Conversation("ann"), Account: account, Kind: kind, Expires: expires,
	}
	h.Must(h.Outbox.Seal(context.Background(), it, &outbox.Message{To: "chat-ann", Text: text}))
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { return h.Outbox.Add(tx, []*outbox.Item{it}) }))
	return it.ID
}

func TestAnAccountThatIsNotConfiguredDoesNotKeepMessagesForEver(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	item(h, outbox.Reply, "telegram/other", "x", h.Now().Add(500*time.Millisecond))
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() > 0 }, "it waits for the account")
	h.WaitIdle()
}

func TestWhoWasNotToldGetsNoReplyButWhatIsOwed(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	item(h, outbox.Reply, parttest.Account, "reply", h.Now().Add(time.Hour))
	item(h, outbox.System, parttest.Account, "owed", h.Now().Add(time.Hour))
	h.WaitIdle()
	if got := parttest.Texts(h.Net.Sent()); !cmp.Equal(got, []string{"owed"}) {
		t.Errorf("sent %q", got)
	}
	if h.Outbox.Stats.Denied.Load() != 1 {
		t.Error("the refusal is not counted")
	}
}

// group is a line of a user in a group that everybody can write in.
func group(h *parttest.House, user, text string) channel.Event {
	ev := h.Event(user, text)
	ev.Conversation, ev.Group, ev.Addressed = "group", true, true
	return ev
}

func TestStopHoldsAtSendTime(t *testing.T) {
	t.Parallel()
	for name, outcome := range map[string]error{"the send before is taken": nil, "the send before finds the person gone": &channel.SendError{Class: channel.Gone}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := parttest.New(t)
			h.Start()
			h.Meet("ann")
			entered, release := make(chan struct{}), make(chan struct{})
			h.Net.Fail(func(_ int, m *channel.Outgoing) error {
				if m.Text != "you said: one" {
					return nil
				}
				close(entered)
				<-release
				return outcome
			})
			h.Say("ann", "one")
			<-entered
			h.Say("ann", "two") // its answer waits behind the one that is being sent
			h.Wait(func() bool { return h.Outbox.Held() == 2 }, "the second answer waits")
			h.Receive(group(h, "ann", "STOP"))
			h.Wait(func() bool {
				st, err := h.People.Get(context.Background(), h.Person("ann"))
				h.Must(err)
				return st.Stopped
			}, "the stop is known")
			close(release)
			h.WaitIdle()
			if got := parttest.Texts(h.Net.Sent()); slices.Contains(got, "you said: two") {
				t.Errorf("sent after the stop: %q", got)
			}
			st, err := h.People.Get(context.Background(), h.Person("ann"))
			h.Must(err)
			if !st.Stopped || st.Gone != (outcome != nil) {
				t.Errorf("known of the person: %+v", st)
			}
		})
	}
}

func TestOrderUnderRetries(t *testing.T) {
	h := parttest.New(t)
	h.Bot = sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error {
		for i := range 4 {
			t.Reply(fmt.Sprint(t.Text, i))
		}
		return nil
	})
	h.Start()
	h.Say("ann", "a")
	h.WaitIdle()
	h.Net.Fail(func(n int, _ *channel.Outgoing) error {
		if n%2 == 0 {
			return &channel.SendError{Class: channel.Retry}
		}
		return nil
	})
	h.Say("ann", "b")
	h.WaitIdle()
	if got, want := parttest.Texts(h.Net.Sent())[1:], strings.Fields("a0 a1 a2 a3 b0 b1 b2 b3"); !cmp.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestWake(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	h.Outbox.Wake(h.Conversation("nobody"))
	entered, release := make(chan struct{}, 1), make(chan struct{})
	h.Net.Fail(func(int, *channel.Outgoing) error {
		entered <- struct{}{}
		<-release
		return &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}
	})
	h.Say("ann", "x")
	<-entered
	h.Outbox.Wake(h.Conversation("ann")) // while it is being sent: the next attempt comes at once
	release <- struct{}{}
	<-entered
	release <- struct{}{}
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() == 2 }, "it waits for an hour")
	h.Net.Fail(nil)
	h.Outbox.Wake(h.Conversation("ann"))
	h.WaitIdle()
}

// Messages of many conversations, sent, put off, woken and forgotten at the same
// time: no two sends of one conversation at once, nothing twice, in order.
func TestOneAtATimeInOrder(t *testing.T) {
	h := parttest.New(t)
	h.Sends = 8
	h.Start()
	const users, each = 12, 12
	names := make([]string, users)
	busy := make(map[string]*atomic.Int32)
	for i := range names {
		names[i] = fmt.Sprint("u", i)
		busy["chat-"+names[i]] = new(atomic.Int32)
	}
	h.Meet(names...)
	before := len(h.Net.Sent())
	h.Net.Fail(func(n int, m *channel.Outgoing) error {
		if busy[m.Conversation].Add(1) != 1 {
			t.Error("two sends of one conversation at once")
		}
		defer busy[m.Conversation].Add(-1)
		if n%5 == 0 {
			return &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}
		}
		return nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	woken := make(chan struct{})
	go func() {
		defer close(woken)
		for ctx.Err() == nil {
			for _, u := range names {
				h.Outbox.Wake(h.Conversation(u))
			}
			if _, err := h.Outbox.Forget(ctx, h.Person("nobody"), 1<<62); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	}()
	for i := range each {
		for _, u := range names {
			h.Say(u, fmt.Sprint(i))
		}
	}
	h.WaitIdle()
	cancel()
	<-woken
	next := make(map[string]int)
	for _, m := range h.Net.Sent()[before:] {
		if want := fmt.Sprint("you said: ", next[m.Conversation]); m.Text != want {
			t.Fatalf("%s got %q, want %q", m.Conversation, m.Text, want)
		}
		next[m.Conversation]++
	}
	for _, u := range names {
		if next["chat-"+u] != each {
			t.Errorf("%s got %d messages, want %d", u, next["chat-"+u], each)
		}
	}
}

// A crash while a message is being sent: its outcome is unknown.
func TestCrashWhileSending(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		unknown    outbox.Unknown
		idempotent bool
		sent       int
		counted    int64
	}{
		{"sent again", outbox.Resend, false, 1, 1},
		{"dropped", outbox.Drop, false, 0, 1},
		{"idempotent", outbox.Drop, true, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := parttest.New(t)
			h.Unknown = c.unknown
			h.Start()
			h.Meet("ann")
			entered, release := make(chan struct{}), make(chan struct{})
			h.Net.Fail(func(int, *channel.Outgoing) error { close(entered); <-release; return nil })
			h.Say("ann", "x")
			<-entered
			after := h.Crash()
			close(release)
			h.Net.Fail(nil)
			if c.idempotent {
				after.Adapters = map[string]channel.Adapter{parttest.Account: parttest.Idempotent{Network: after.Net}}
			}
			after.Start()
			after.WaitIdle()
			if got := len(after.Net.Sent()); got != c.sent {
				t.Errorf("%d messages were sent after the crash, want %d", got, c.sent)
			}
			if got := after.Outbox.Stats.Unknown.Load(); got != c.counted {
				t.Errorf("%d unknown outcomes are counted, want %d", got, c.counted)
			}
		})
	}
}

// block makes it impossible to end messages, until it is taken back.
func block(h *parttest.House) (unblock func()) {
	exec := func(q string) {
		h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(q); return err }))
	}
	exec(`CREATE TRIGGER block BEFORE DELETE ON outbox BEGIN SELECT RAISE(ABORT, 'blocked'); END`)
	return func() { exec(`DROP TRIGGER block`) }
}

func TestAnOutcomeThatCannotBeStoredIsNotForgotten(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	unblock := block(h)
	tried := h.Net.Tried()
	h.Say("ann", "x")
	h.Wait(func() bool { return strings.Count(h.LogText(), "not stored yet") >= 3 }, "storing was tried some times")
	unblock()
	h.WaitIdle()
	if got := h.Net.Tried() - tried; got != 1 {
		t.Errorf("the message was sent %d times, want once", got)
	}
}

func TestAnOutcomeThatCannotBeStoredDoesNotKeepFromStopping(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	block(h)
	h.Say("ann", "x")
	h.Wait(func() bool { return strings.Contains(h.LogText(), "not stored yet") }, "storing fails")
	stopped := make(chan struct{})
	go func() { h.Stop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(15 * time.Second):
		t.Fatal("it does not stop")
	}
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(`DROP TRIGGER block`); return err }))
	h.Close()
	h.Start()
	h.WaitIdle()
	if got := h.Outbox.Stats.Unknown.Load(); got != 1 {
		t.Errorf("after the next start %d outcomes are unknown, want 1", got)
	}
}

func TestForget(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	h.Net.Fail(func(int, *channel.Outgoing) error {
		return &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}
	})
	item(h, outbox.Reply, parttest.Account, "one", h.Now().Add(24*time.Hour))
	last := item(h, outbox.Reply, parttest.Account, "two", h.Now().Add(24*time.Hour))
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() == 1 }, "the first is put off")
	item(h, outbox.System, parttest.Account, "three", h.Now().Add(24*time.Hour))
	items, err := h.Outbox.Of(context.Background(), h.Person("ann"))
	h.Must(err)
	if len(items) != 3 {
		t.Fatalf("%d messages are on their way, want 3", len(items))
	}
	h.Net.Fail(nil)
	n, err := h.Outbox.Forget(context.Background(), h.Person("ann"), last)
	h.Must(err)
	if n != 2 {
		t.Errorf("%d messages were dropped, want 2", n)
	}
	h.WaitIdle() // what is left does not wait for the time of what was first
	if got := parttest.Texts(h.Net.Sent())[2:]; !cmp.Equal(got, []string{"three"}) {
		t.Errorf("sent %q", got)
	}
}

func TestForgetEverythingOfALaneThatWaits(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	h.Net.Fail(failing(1, &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}))
	item(h, outbox.Reply, parttest.Account, "one", h.Now().Add(24*time.Hour))
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() == 1 }, "it is put off")
	_, err := h.Outbox.Forget(context.Background(), h.Person("ann"), 1<<62)
	h.Must(err)
	h.WaitIdle()
	item(h, outbox.Reply, parttest.Account, "two", h.Now().Add(24*time.Hour))
	h.WaitIdle()
	if got := parttest.Texts(h.Net.Sent())[2:]; !cmp.Equal(got, []string{"two"}) {
		t.Errorf("sent %q", got)
	}
}

func TestFullIsPerAccount(t *testing.T) {
	h := parttest.New(t)
	h.OutboxLimit = 2
	h.Open()
	for range 2 {
		item(h, outbox.System, parttest.Account, "x", h.Now().Add(time.Hour))
	}
	if !h.Outbox.Full(parttest.Account) || h.Outbox.Full("telegram/other") {
		t.Error("an account with two messages is full, and no other")
	}
	h.Run()
	h.WaitIdle()
	if h.Outbox.Full(parttest.Account) {
		t.Error("it is still full")
	}
}

// What an erased person was about to be sent is not sent any more.
func TestErasedBeforeTheCall(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	h.Close()
	h.Open()
	item(h, outbox.Reply, parttest.Account, "x", h.Now().Add(time.Hour))
	_, err := h.Life.Erase(context.Background(), h.Person("ann"), sotto.RecipientPrivacy)
	h.Must(err)
	h.Run()
	h.WaitIdle()
	if got := len(h.Net.Sent()); got != 2 {
		t.Errorf("%d messages were sent, want 2", got)
	}
}

func TestNoticesAndMaxID(t *testing.T) {
	h := parttest.New(t)
	h.Net.Fail(func(int, *channel.Outgoing) error {
		return &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}
	})
	h.Start()
	h.Say("ann", "hello")
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() == 1 }, "the notice is put off")
	var got []sotto.ConversationID
	h.Outbox.Notices(func(c sotto.ConversationID) { got = append(got, c) })
	if !cmp.Equal(got, []sotto.ConversationID{h.Conversation("ann")}) {
		t.Errorf("notices on their way to %v", got)
	}
	n, err := h.Outbox.MaxID(context.Background())
	h.Must(err)
	if n == 0 {
		t.Error("no number is in use")
	}
	h.Close()
	h.Net.Fail(nil)
	h.Open() // the notice was untried or tried; either way it is sent, and first
	h.Run()
	h.Outbox.Wake(h.Conversation("ann"))
	h.WaitIdle()
	if got := parttest.Texts(h.Net.Sent()); len(got) != 2 || got[1] != "you said: hello" {
		t.Errorf("sent %q", got)
	}
	st, err := h.People.Get(context.Background(), h.Person("ann"))
	h.Must(err)
	if diff := cmp.Diff(people.State{Known: true, Account: parttest.Account, Notice: h.Notice.Version(), Language: "en", NoticeAt: st.NoticeAt, Since: st.Since}, st); diff != "" {
		t.Error(diff)
	}
}
