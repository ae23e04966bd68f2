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
	"github.com/sotto-chat/sotto/internal/parttest"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
)

// TestEvents sends one event of each kind of a person who is known, and of one
// who is not.
func TestEvents(t *testing.T) {
	kept := map[sotto.EventKind]func(*people.State){
		sotto.EventBlock:   func(s *people.State) { s.Gone = true },
		sotto.EventUnblock: func(s *people.State) { s.Gone = false },
		sotto.EventOptOut:  func(s *people.State) { s.Stopped, s.ByNetwork = true, true },
		sotto.EventOptIn:   func(*people.State) {},
		sotto.EventEdit:    func(*people.State) {},
		sotto.EventDelete:  func(*people.State) {},
	}
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	known, err := h.People.Get(context.Background(), h.Person("ann"))
	h.Must(err)
	for _, kind := range []sotto.EventKind{
		sotto.EventEdit, sotto.EventDelete, sotto.EventReaction, sotto.EventReceipt, sotto.EventJoin, sotto.EventLeave, sotto.EventEcho,
		sotto.EventStandby, sotto.EventMigrate, sotto.EventOther, "unheard of",
		sotto.EventBlock, sotto.EventUnblock, sotto.EventOptIn, sotto.EventOptOut,
	} {
		received, ignored := h.Inbox.Stats.Received.Load(), h.Inbox.Stats.Ignored.Load()
		for _, u := range []string{"ann", "stranger"} {
			ev := h.Event(u, "")
			ev.Kind, ev.Conversation = kind, "" // a block has no chat on some networks
			h.Receive(ev)
		}
		h.WaitIdle()
		change, wanted := kept[kind]
		if wanted {
			change(&known)
		}
		if got := h.Inbox.Stats.Received.Load() - received; got != map[bool]int64{true: 2}[wanted] {
			t.Errorf("%s: %d were journaled", kind, got)
		}
		if got := h.Inbox.Stats.Ignored.Load() - ignored; got != map[bool]int64{false: 2}[wanted] {
			t.Errorf("%s: %d were ignored", kind, got)
		}
		got, err := h.People.Get(context.Background(), h.Person("ann"))
		h.Must(err)
		if diff := cmp.Diff(known, got); diff != "" {
			t.Errorf("%s: known of ann: %s", kind, diff)
		}
		got, err = h.People.Get(context.Background(), h.Person("stranger"))
		h.Must(err)
		if got.Known {
			t.Errorf("%s: something is kept of somebody who was not told", kind)
		}
	}
	if n := len(h.Net.Sent()); n != 2 {
		t.Errorf("%d messages were sent, want 2", n)
	}
}

func TestMessagesThatAreNotForTheBotAreNotKept(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	for name, change := range map[string]func(*channel.Event){
		"no sender":         func(e *channel.Event) { e.Sender = "" },
		"no chat":           func(e *channel.Event) { e.Conversation = "" },
		"a group's own":     func(e *channel.Event) { e.Group = true },
		"a receipt, no one": func(e *channel.Event) { e.Kind, e.Sender = sotto.EventBlock, "" },
	} {
		h.Receive(with(h.Event("ann", "x"), change))
		if h.Rows("journal_event") != 0 {
			t.Errorf("%s: kept", name)
		}
	}
}

func TestCommands(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	for _, c := range []struct {
		say, press, want string
		buttons          []string
	}{
		{say: "/privacy", want: "The Shop", buttons: []string{"sotto:mydata", "sotto:delete", "sotto:stop"}},
		{say: "/help", want: "/mydata", buttons: []string{"sotto:privacy", "sotto:stop"}},
		{press: "sotto:privacy", want: "The Shop", buttons: []string{"sotto:mydata", "sotto:delete", "sotto:stop"}},
		{say: "start", want: "you said: start"}, // an everyday word while nothing was stopped
		{say: "/delete", want: "", buttons: []string{"sotto:delete:yes", "sotto:delete:no"}},
		{press: "sotto:delete:no", want: ""},
		{press: "blue", want: "you said: "},
		{press: "sotto:stop", want: "", buttons: []string{"sotto:start"}},
		{say: "/privacy", want: "The Shop", buttons: []string{"sotto:mydata", "sotto:delete", "sotto:start"}},
		{press: "sotto:start", want: ""},
	} {
		before := len(h.Net.Sent())
		if c.press != "" {
			h.Press("ann", c.press)
		} else {
			h.Say("ann", c.say)
		}
		got := h.WaitSent(before + 1)[before:]
		h.WaitIdle()
		if len(h.Net.Sent()) != before+1 || !strings.Contains(got[0].Text, c.want) || got[0].Text == "" {
			t.Errorf("%s%s: answered %q", c.say, c.press, parttest.Texts(got))
		}
		var payloads []string
		for _, b := range got[0].Buttons {
			if b.Label == "" {
				t.Errorf("%s%s: a button without a label", c.say, c.press)
			}
			payloads = append(payloads, b.Payload)
		}
		if diff := cmp.Diff(c.buttons, payloads); diff != "" {
			t.Errorf("%s%s: buttons: %s", c.say, c.press, diff)
		}
	}
	before := len(h.Net.Sent())
	h.Press("ann", "sotto:unheard-of") // from an old version; nobody else's business
	h.WaitIdle()
	h.Receive(with(h.Event("ann", ""), func(e *channel.Event) { e.Attachments = []channel.Attachment{{Kind: "image"}} }))
	if got := h.WaitSent(before + 1)[before:]; len(got) != 1 || strings.Contains(got[0].Text, "you said") {
		t.Errorf("to a picture: %q", parttest.Texts(got))
	}
}

func TestMyDataNeverGoesIntoAGroup(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	h.Receive(with(h.Event("ann", "/mydata"), func(e *channel.Event) { e.Group, e.Addressed, e.Conversation = true, true, "group" }))
	got := h.WaitSent(3)
	if got[2].File != nil || got[2].Conversation != "group" {
		t.Errorf("sent %+v", got[2])
	}
	h.Receive(with(h.Event("ann", "in a group"), func(e *channel.Event) { e.Group, e.Addressed, e.Conversation = true, true, "group" }))
	h.WaitSent(4)
	h.WaitIdle()
	if n := h.Rows("transcript"); n != 1 {
		t.Errorf("%d turns are kept; a group's are not", n)
	}
}

func TestLimitPerMinute(t *testing.T) {
	h := parttest.New(t)
	h.PerMinute = 2
	h.Start()
	h.SetTime(time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC)) // early in a minute
	h.Meet("ann")
	for i := range 5 {
		h.Say("ann", fmt.Sprint(i))
	}
	h.WaitIdle()
	got := parttest.Texts(h.Net.Sent())[2:]
	if len(got) != 2 || got[0] != "you said: 0" || strings.Contains(got[1], "you said") {
		t.Errorf("sent %q", got)
	}
}

func TestWhoIsRestrictedIsNotHandedToTheBot(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error {
		return h.People.Change(tx, h.Person("ann"), func(s *people.State) { s.Restricted = true })
	}))
	h.Say("ann", "x")
	h.WaitIdle()
	if got := len(h.Net.Sent()); got != 2 {
		t.Errorf("%d messages were sent, want 2", got)
	}
}

func TestTheBotSeesPlaceholdersAndThePersonDoesNot(t *testing.T) {
	for _, clear := range []bool{false, true} {
		h := parttest.New(t)
		h.Clear = clear
		saw := make(chan sotto.Event, 9)
		h.Bot = sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error {
			saw <- t.Event
			t.Reply("to "+t.Text, sotto.Button{Label: t.Text, Payload: "p"})
			return nil
		})
		h.Start()
		h.Say("ann", "ann@example.org")
		if clear { // no policy permits it
			h.WaitSent(1)
			h.WaitIdle()
			if len(saw) != 0 {
				t.Error("the bot saw clear text that no policy permits")
			}
			continue
		}
		got := h.WaitSent(2)[1]
		if got.Text != "to ann@example.org" || got.Buttons[0].Label != "ann@example.org" {
			t.Errorf("sent %+v", got)
		}
		ev := <-saw
		if ev.Text != "[EMAIL_1]" || ev.Channel != "telegram" || ev.Account != "shop" || ev.Person != h.Person("ann") {
			t.Errorf("the bot saw %+v", ev)
		}
	}
}

// courteous is a network that shows typing and wants presses acknowledged.
type courteous struct {
	*parttest.Network
	typed, acked chan string
	err          error
}

func (c courteous) Typing(_ context.Context, m *channel.Outgoing) error {
	conversation := m.Conversation
	c.typed <- conversation
	return c.err
}

func (c courteous) Acknowledge(_ context.Context, callback string) error {
	c.acked <- callback
	return c.err
}

// Forget says that the conversation was dropped.
func (c courteous) Forget(conversation string) { c.typed <- "forgot " + conversation }

func TestCourtesies(t *testing.T) {
	for _, err := range []error{nil, errors.New("not now")} {
		h := parttest.New(t)
		c := courteous{Network: h.Net, typed: make(chan string, 9), acked: make(chan string, 9), err: err}
		h.Adapters = map[string]channel.Adapter{parttest.Account: c}
		h.Typing = time.Millisecond
		slow := make(chan struct{})
		h.Bot = sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error {
			if t.Payload == "slow" {
				<-slow
			}
			t.Reply("ok")
			return nil
		})
		h.Start()
		h.Meet("ann")
		h.Receive(with(h.Event("ann", ""), func(e *channel.Event) { e.Kind, e.Payload, e.Callback = sotto.EventButton, "slow", "cb" }))
		if got := <-c.acked; got != "cb" {
			t.Errorf("acknowledged %q", got)
		}
		if got := <-c.typed; got != "chat-ann" {
			t.Errorf("typing in %q", got)
		}
		close(slow)
		h.WaitSent(3)
		h.Press("ann", "sotto:delete:yes")
		h.Wait(func() bool {
			select {
			case got := <-c.typed:
				return got == "forgot chat-ann"
			default:
				return false
			}
		}, "the adapter forgets the chat")
		h.WaitSent(4)
		h.WaitIdle()
	}
}

func TestBotThatIsTooSlow(t *testing.T) {
	h := parttest.New(t)
	h.Timeout = 20 * time.Millisecond
	h.Bot = sotto.BotFunc(func(ctx context.Context, _ *sotto.Turn) error { <-ctx.Done(); return ctx.Err() })
	h.Start()
	h.Say("ann", "x")
	h.WaitSent(2)
	if !strings.Contains(h.LogText(), "cause=timeout") {
		t.Error("the log does not say why")
	}
}

func TestWithoutRetentionNothingIsKept(t *testing.T) {
	h := parttest.New(t)
	h.Keep = 0
	h.Start()
	h.Meet("ann")
	if h.Rows("transcript") != 0 {
		t.Error("a transcript is kept")
	}
}

// The person writes in two chats at once; a stop in one is not undone by the
// slow turn in the other that finds them reachable again.
func TestASlowTurnDoesNotUndoAStop(t *testing.T) {
	h := parttest.New(t)
	entered, release := make(chan struct{}), make(chan struct{})
	h.Bot = sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error {
		if t.Text == "slow" {
			close(entered)
			<-release
		}
		return nil
	})
	h.Start()
	h.Say("ann", "hello")
	h.WaitSent(1)
	h.WaitIdle()
	h.Receive(with(h.Event("ann", ""), func(e *channel.Event) { e.Kind = sotto.EventBlock }))
	h.WaitIdle()
	h.Say("ann", "slow")
	<-entered
	h.Receive(with(h.Event("ann", "STOP"), func(e *channel.Event) { e.Group, e.Addressed, e.Conversation = true, true, "group" }))
	h.Wait(func() bool {
		st, err := h.People.Get(context.Background(), h.Person("ann"))
		h.Must(err)
		return st.Stopped
	}, "the stop is known")
	close(release)
	h.WaitIdle()
	st, err := h.People.Get(context.Background(), h.Person("ann"))
	h.Must(err)
	if !st.Stopped || st.Gone {
		t.Errorf("known of ann: %+v", st)
	}
}

// Farewell leaves nothing behind, whatever becomes of it.
func TestFarewellLeavesNoKey(t *testing.T) {
	for name, err := range map[string]error{"sent": nil, "lost": &channel.SendError{Class: channel.Gone}} {
		h := parttest.New(t)
		h.Start()
		h.Meet("ann")
		h.Net.Fail(func(int, *channel.Outgoing) error { return err })
		h.Press("ann", "sotto:delete:yes")
		h.WaitIdle()
		h.Wait(func() bool {
			keys, err := h.Vault.Keys(context.Background(), h.Person("ann"))
			h.Must(err)
			return len(keys) == 0
		}, name+": no key is left")
	}
}

func TestHistoryOfAnErasedTimeIsPassedOver(t *testing.T) {
	lines := make(chan []sotto.Line, 9)
	h := parttest.New(t)
	h.Bot = sotto.BotFunc(func(ctx context.Context, t *sotto.Turn) error {
		got, err := t.History(ctx, 2)
		lines <- got
		t.Reply("ok")
		return err
	})
	h.Start()
	h.Meet("ann")
	<-lines
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { // a row that was sealed elsewhere
		_, err := tx.Exec(`UPDATE transcript SET id = id + 1`)
		return err
	}))
	h.Say("ann", "two")
	h.WaitSent(3)
	if got := <-lines; len(got) != 0 {
		t.Errorf("history = %+v", got)
	}
	for range 3 {
		before := len(h.Net.Sent())
		h.Say("ann", "more")
		h.WaitSent(before + 1)
		h.WaitIdle()
		<-lines
	}
	h.Say("ann", "last")
	if got := <-lines; len(got) != 2 || got[0].Text != "more" || !got[1].FromBot {
		t.Errorf("history = %+v", got)
	}
}
