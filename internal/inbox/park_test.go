package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/parttest"
	"github.com/sotto-chat/sotto/internal/store"
)

// gate holds the first message of a kind back until it is opened.
func gate(h *parttest.House, is func(*channel.Outgoing) bool, then error) (entered <-chan struct{}, open func()) {
	in, out := make(chan struct{}), make(chan struct{})
	first := make(chan struct{}, 1)
	first <- struct{}{}
	h.Net.Fail(func(_ int, m *channel.Outgoing) error {
		if !is(m) {
			return nil
		}
		select {
		case <-first:
			close(in)
			<-out
			return then
		default:
			return nil
		}
	})
	return in, func() { close(out) }
}

func isNotice(m *channel.Outgoing) bool { return strings.Contains(m.Text, "The Shop") }

// What is written while the notice is under way is answered afterwards, in
// order, however much it is; little of it is in memory.
func TestWhatComesInBeforeTheNoticeKeepsItsOrder(t *testing.T) {
	h := parttest.New(t)
	h.InboxLimit = 100
	h.Start()
	entered, open := gate(h, isNotice, nil)
	const n = 300
	h.Say("ann", "0")
	<-entered
	for i := 1; i < n; i++ {
		h.Say("ann", fmt.Sprint(i))
	}
	if held, _ := h.Inbox.Waiting(); held > 2 {
		t.Errorf("%d records of a conversation that waits are in memory", held)
	}
	open()
	got := h.WaitSent(n + 1)
	for i, m := range got[1:] {
		if want := fmt.Sprint("you said: ", i); m.Text != want {
			t.Fatalf("message %d is %q, want %q", i, m.Text, want)
		}
	}
	h.WaitIdle()
}

// The notice is sent as fast as can be, while its sender goes on writing.
func TestOrderWhileTheNoticeIsFast(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	const users, each = 40, 10
	for u := range users {
		go func() {
			for i := range each {
				ev := h.Event(fmt.Sprint("u", u), fmt.Sprint(i))
				if err := h.Inbox.Receive(context.Background(), parttest.Account, []channel.Event{ev}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	next := make(map[string]int)
	for _, m := range h.WaitSent(users * (each + 1)) {
		if isNotice(&m) {
			continue
		}
		if want := fmt.Sprint("you said: ", next[m.Conversation]); m.Text != want {
			t.Fatalf("%s got %q, want %q\n%s", m.Conversation, m.Text, want, h.LogText())
		}
		next[m.Conversation]++
	}
}

// An erasure drops the notice that waits. The person who writes again gets one.
func TestErasureWhileTheNoticeWaits(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Net.Fail(func(int, *channel.Outgoing) error {
		return &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}
	})
	h.Say("ann", "before")
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() == 1 }, "the notice is put off")
	h.Net.Fail(nil)
	_, err := h.Life.Erase(context.Background(), h.Person("ann"), sotto.RecipientPrivacy)
	h.Must(err)
	h.WaitIdle()
	h.Say("ann", "after")
	got := h.WaitSent(2)
	h.WaitIdle()
	if !isNotice(&got[0]) || got[1].Text != "you said: after" || len(h.Net.Sent()) != 2 {
		t.Errorf("sent %q", parttest.Texts(h.Net.Sent()))
	}
}

// What a person writes between their erasure and the end of a send that was
// under way is not lost with what was erased.
func TestWhatIsWrittenAfterAnErasureIsAnswered(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	entered, open := gate(h, isNotice, &channel.SendError{Class: channel.Retry})
	h.Say("ann", "before")
	<-entered
	_, err := h.Life.Erase(context.Background(), h.Person("ann"), sotto.RecipientPrivacy)
	h.Must(err)
	h.Say("ann", "after")
	open()
	h.WaitSent(2)
	h.WaitIdle()
	if got := parttest.Texts(h.Net.Sent()); len(got) != 2 || got[1] != "you said: after" {
		t.Errorf("sent %q", got)
	}
}

// A person who could not be reached and writes again, under a new notice, gets it.
func TestWhoWasGoneComesBackUnderANewNotice(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	h.Receive(with(h.Event("ann", ""), func(e *channel.Event) { e.Kind = sotto.EventBlock }))
	h.WaitIdle()
	h.Close()
	h.Notice.Controller = "The Shop of Others"
	h.Start()
	h.Say("ann", "back")
	got := h.WaitSent(4)
	if !strings.Contains(got[2].Text, "changed") || got[3].Text != "you said: back" {
		t.Errorf("sent %q", parttest.Texts(got[2:]))
	}
}

func with(e channel.Event, change func(*channel.Event)) channel.Event {
	change(&e)
	return e
}

// A notice that cannot be delivered destroys what waits for it, all of it, and
// the next message begins anew.
func TestRefusedNotice(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	entered, open := gate(h, isNotice, &channel.SendError{Class: channel.Bad})
	for i := range 5 {
		h.Say("ann", fmt.Sprint(i))
		if i == 0 {
			<-entered
		}
	}
	open()
	h.WaitIdle()
	h.Wait(func() bool { return h.Inbox.Stats.Discarded.Load() == 5 }, "all five are counted as destroyed")
	h.Say("ann", "anew")
	if got := h.WaitSent(2); got[1].Text != "you said: anew" {
		t.Errorf("sent %q", parttest.Texts(got))
	}
}

// The journal cannot be read for a moment when the notice was sent.
func TestReadingBackIsTriedAgain(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	entered, open := gate(h, isNotice, nil)
	h.Say("ann", "0")
	<-entered
	h.Say("ann", "1")
	exec := func(q string) {
		h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(q); return err }))
	}
	exec(`ALTER TABLE journal_event RENAME TO hidden`)
	open()
	h.Wait(func() bool { return strings.Contains(h.LogText(), "the journal cannot be read") }, "reading fails")
	exec(`ALTER TABLE hidden RENAME TO journal_event`)
	if got := parttest.Texts(h.WaitSent(3))[1:]; !cmp.Equal(got, []string{"you said: 0", "you said: 1"}) {
		t.Errorf("sent %q", got)
	}
}

// A person is erased while their first turn is about to store the notice.
func TestErasedWhileTheNoticeIsMade(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	for i := range 20 { // it is a race: each outcome must end well
		u := fmt.Sprint("u", i)
		go func() {
			if _, err := h.Life.Erase(context.Background(), h.Person(u), sotto.RecipientPrivacy); err != nil {
				t.Error(err)
			}
		}()
		h.Say(u, "hello")
	}
	h.WaitIdle()
	for i := range 20 {
		h.Say(fmt.Sprint("u", i), "again")
	}
	h.WaitIdle()
	answered := make(map[string]bool)
	for _, m := range h.Net.Sent() {
		if m.Text == "you said: again" {
			answered[m.Conversation] = true
		}
	}
	if len(answered) != 20 {
		t.Errorf("%d of 20 were answered after their erasure", len(answered))
	}
}

// A record can be read from the database before the inbox is told that it is
// durable: it is handled once.
func TestReadBeforeItWasAnnounced(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	h.Close()
	h.Open()
	h.Say("ann", "once")
	h.Close()
	h.Open() // reads it
	records, err := h.Journal.Pending(context.Background(), 0, 10)
	h.Must(err)
	h.Inbox.Committed(records)
	h.Say("ann", "then")
	h.Run()
	h.WaitIdle()
	if got := parttest.Texts(h.Net.Sent())[2:]; !cmp.Equal(got, []string{"you said: once", "you said: then"}) {
		t.Errorf("sent %q", got)
	}
}

// More comes in than there is room for, while records are read and handled.
func TestRefillWhileMoreComesIn(t *testing.T) {
	h := parttest.New(t)
	h.InboxLimit = 20
	h.Open()
	const users, each = 10, 60
	for i := range each / 2 {
		for u := range users {
			h.Say(fmt.Sprint("u", u), fmt.Sprint(i))
		}
	}
	if _, more := h.Inbox.Waiting(); !more {
		t.Error("nothing waits in the database")
	}
	h.Run()
	for i := each / 2; i < each; i++ {
		for u := range users {
			h.Say(fmt.Sprint("u", u), fmt.Sprint(i))
		}
	}
	next := make(map[string]int)
	for _, m := range h.WaitSent(users * (each + 1)) {
		if isNotice(&m) {
			continue
		}
		if want := fmt.Sprint("you said: ", next[m.Conversation]); m.Text != want {
			t.Fatalf("%s got %q, want %q\n%s", m.Conversation, m.Text, want, h.LogText())
		}
		next[m.Conversation]++
	}
	h.WaitIdle()
	if held, more := h.Inbox.Waiting(); held != 0 || more {
		t.Errorf("waiting: %d, %v", held, more)
	}
}

// A crash in the middle of a busy time: nothing is lost, and in order. What was
// being sent may come twice.
func TestCrash(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	const users, each = 10, 20
	for i := range each {
		for u := range users {
			h.Say(fmt.Sprint("u", u), fmt.Sprint(i))
		}
	}
	after := h.Crash()
	before := h.Net.Sent()
	after.Start()
	after.WaitIdle()
	last := make(map[string]int)
	seen := make(map[string]map[int]bool)
	note := func(sent []channel.Outgoing, ordered bool) {
		for _, m := range sent {
			var n int
			if _, err := fmt.Sscanf(m.Text, "you said: %d", &n); err != nil {
				continue
			}
			if prev, ok := last[m.Conversation]; ordered && ok && n < prev {
				t.Errorf("%s got %d after %d", m.Conversation, n, prev)
			}
			last[m.Conversation] = n
			if seen[m.Conversation] == nil {
				seen[m.Conversation] = make(map[int]bool)
			}
			seen[m.Conversation][n] = true
		}
	}
	note(before, true)
	clear(last)
	note(after.Net.Sent(), true)
	for u := range users {
		if got := len(seen[fmt.Sprint("chat-u", u)]); got != each {
			t.Errorf("u%d got %d different answers, want %d", u, got, each)
		}
	}
}

// While a network takes nothing, what comes in stays in the journal; other
// things go on when it takes messages again.
func TestFullOutboxHoldsTurnsBack(t *testing.T) {
	h := parttest.New(t)
	h.OutboxLimit = 2
	h.Start()
	h.Meet("ann", "bob", "cem")
	h.Net.Fail(func(int, *channel.Outgoing) error {
		return &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}
	})
	turns := h.Inbox.Stats.Turns.Load()
	h.Say("ann", "1")
	h.Say("bob", "2")
	h.Wait(func() bool { return h.Outbox.Full(parttest.Account) }, "the outbox is full")
	h.Say("cem", "3")
	h.Say("new", "4")
	h.Wait(func() bool { return h.Inbox.Stats.Retried.Load() >= 2 }, "turns are put off")
	if got := h.Inbox.Stats.Turns.Load() - turns; got != 2 {
		t.Errorf("%d turns were run, want 2", got)
	}
	h.Net.Fail(nil)
	for _, u := range []string{"ann", "bob"} {
		h.Outbox.Wake(h.Conversation(u))
	}
	h.WaitIdle()
	if got := len(h.Net.Sent()); got != 6+5 {
		t.Errorf("%d messages were sent: %q", got, parttest.Texts(h.Net.Sent()))
	}
}

// A record that is not what was sealed is destroyed and does not stop others.
func TestDamagedRecord(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	h.Say("ann", "damaged")
	h.Say("ann", "whole")
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE journal_event SET sealed = (SELECT sealed FROM journal_event ORDER BY id DESC LIMIT 1)`)
		return err
	}))
	h.Close()
	h.Start()
	if got := h.WaitSent(2); got[1].Text != "you said: whole" {
		t.Errorf("sent %q", parttest.Texts(got))
	}
	h.WaitIdle()
	if h.Inbox.Stats.Discarded.Load() != 1 {
		t.Error("the damaged record was not destroyed")
	}
}

// Nothing of the transaction is kept where the database refuses a part of it.
func TestATurnWhoseResultCannotBeStoredIsTriedAgain(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	exec := func(q string) {
		h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(q); return err }))
	}
	exec(`CREATE TRIGGER block BEFORE INSERT ON transcript BEGIN SELECT RAISE(ABORT, 'blocked'); END`)
	h.Say("ann", "x")
	h.Wait(func() bool { return h.Inbox.Stats.Retried.Load() >= 2 }, "it was tried some times")
	if h.Rows("outbox") != 0 || len(h.Net.Sent()) != 2 {
		t.Error("a part of the result was kept")
	}
	exec(`DROP TRIGGER block`)
	h.WaitSent(3)
	h.WaitIdle()
	if got := len(h.Net.Sent()); got != 3 {
		t.Errorf("%d messages were sent, want 3", got)
	}
}

func TestANoticeThatCannotBeStoredIsTriedAgain(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	exec := func(q string) {
		h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(q); return err }))
	}
	exec(`CREATE TRIGGER block BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'blocked'); END`)
	h.Say("ann", "x")
	h.Wait(func() bool { return h.Inbox.Stats.Retried.Load() >= 2 }, "it was tried some times")
	exec(`DROP TRIGGER block`)
	h.WaitSent(2)
	h.WaitIdle()
}

func TestErasureBetweenSealingAndStoring(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	ev := h.Event("ann", "x")
	// What Receive does, with an erasure in between, is told by the journal.
	r := journal.Record{
		ID: h.IDs.Next(), Delivery: 1, Person: h.Person("ann"), Conversation: h.Conversation("ann"), Account: parttest.Account,
		Received: h.Now(), Generation: h.Vault.Generation(h.Person("ann")),
	}
	_, err := h.Vault.Erase(context.Background(), h.Person("ann"))
	h.Must(err)
	if _, err := h.Journal.Append(context.Background(), []journal.Record{r}); !errors.Is(err, journal.ErrStale) {
		t.Errorf("stored under a key that is gone: %v", err)
	}
	h.Receive(ev) // and it is sealed anew
	h.Run()
	h.WaitSent(2)
}
