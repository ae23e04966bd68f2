package inbox_test

import (
	"context"
	"fmt"
	"strings"
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

// of is something that ann does on the network.
func of(h *parttest.House, kind sotto.EventKind, payload string) channel.Event {
	return with(h.Event("ann", ""), func(e *channel.Event) { e.Kind, e.Payload = kind, payload })
}

// state is what is known of ann.
func state(h *parttest.House) people.State {
	h.T.Helper()
	st, err := h.People.Get(context.Background(), h.Person("ann"))
	h.Must(err)
	return st
}

// busy is a house in which ann's conversation stands still, because the bot
// thinks about the question "think", with an answer of before waiting to be sent.
func busy(t *testing.T) (h *parttest.House, goOn func()) {
	t.Helper()
	h = parttest.New(t)
	thinks, think := make(chan struct{}, 1), make(chan struct{})
	h.Bot = sotto.BotFunc(func(ctx context.Context, t *sotto.Turn) error {
		if t.Text == "think" {
			thinks <- struct{}{}
			select {
			case <-think:
			case <-ctx.Done():
			}
		}
		t.Reply("answer to " + t.Text)
		return nil
	})
	h.Timeout = time.Minute
	h.Start()
	h.Meet("ann", "bob")
	h.Net.Fail(func(_ int, m *channel.Outgoing) error {
		if m.Text == "answer to before" {
			return &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}
		}
		return nil
	})
	h.Say("ann", "before")
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() == 1 }, "an answer waits")
	h.Say("ann", "think")
	<-thinks
	h.Net.Fail(nil)
	return h, func() { close(think) }
}

// owed stores what Sotto owes ann.
func owed(h *parttest.House, text string) {
	h.T.Helper()
	it := &outbox.Item{
		ID: h.IDs.Next(), Person: h.Person("ann"), Conversation: h.Conversation("ann"), Account: parttest.Account,
		Kind: outbox.System, Expires: h.Now().Add(time.Hour),
	}
	h.Must(h.Outbox.Seal(context.Background(), it, &outbox.Message{To: "chat-ann", Text: text}))
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { return h.Outbox.Add(tx, []*outbox.Item{it}) }))
}

// Who blocks or opts out gets nothing from the moment that this is durable,
// although their conversation stands still.
func TestStopsBeforeItsTurn(t *testing.T) {
	for _, c := range []struct {
		kind sotto.EventKind
		want []string
	}{
		{sotto.EventBlock, nil},
		{sotto.EventOptOut, []string{"owed"}},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			h, goOn := busy(t)
			sent := len(h.Net.Sent())
			h.Receive(of(h, c.kind, ""))
			h.Outbox.Wake(h.Conversation("ann"))
			h.Wait(func() bool { return h.Outbox.Stats.Stopped.Load() == 1 }, "the answer of before is dropped")
			owed(h, "owed")
			h.Wait(func() bool { return h.Outbox.Held() == 0 }, "nothing waits")
			goOn()
			h.WaitIdle()
			if got := parttest.Texts(h.Net.Sent())[sent:]; strings.Join(got, ",") != strings.Join(c.want, ",") {
				t.Errorf("sent %q, want %q", got, c.want)
			}
			st := state(h)
			if st.Gone != (c.kind == sotto.EventBlock) || st.Stopped != (c.kind == sotto.EventOptOut) {
				t.Errorf("known of ann: %+v", st)
			}
			h.Say("bob", "still here?")
			h.WaitSent(sent + len(c.want) + 1)
		})
	}
}

// The block was acknowledged, then the power went. After the start nothing is
// sent, whether or not the inbox gets to it first; then its turn says the same.
func TestBlockSurvivesACrash(t *testing.T) {
	for _, kind := range []sotto.EventKind{sotto.EventBlock, sotto.EventOptOut} {
		t.Run(string(kind), func(t *testing.T) {
			h, goOn := busy(t)
			defer goOn()
			h.Receive(of(h, kind, ""))
			after := h.Crash()
			after.Bot = sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error { t.Reply("late answer"); return nil })
			after.Open()
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan struct{})
			go func() { after.Outbox.Run(ctx); close(ended) }()
			after.Outbox.Wake(after.Conversation("ann"))
			after.Wait(func() bool { return after.Outbox.Held() == 0 }, "the outbox alone has dealt with what waits")
			cancel()
			<-ended
			if got := after.Net.Sent(); len(got) != 0 {
				t.Errorf("sent %q", parttest.Texts(got))
			}
			after.Close()
			after.Start() // and now with the inbox, in which a question waits before the block
			after.WaitIdle()
			if got := after.Net.Sent(); len(got) != 0 {
				t.Errorf("sent %q", parttest.Texts(got))
			}
			if st := state(after); !st.Gone && !st.Stopped {
				t.Errorf("known of ann: %+v", st)
			}
		})
	}
}

// Who comes back before the block's turn is written to again.
func TestBackBeforeItsTurn(t *testing.T) {
	for name, back := range map[string]func(h *parttest.House) channel.Event{
		"unblocks": func(h *parttest.House) channel.Event { return of(h, sotto.EventUnblock, "") },
		"writes":   func(h *parttest.House) channel.Event { return h.Event("ann", "me again") },
	} {
		t.Run(name, func(t *testing.T) {
			h, goOn := busy(t)
			h.Receive(of(h, sotto.EventBlock, ""))
			h.Receive(back(h))
			h.Outbox.Wake(h.Conversation("ann"))
			h.Wait(func() bool { return h.Outbox.Held() == 0 }, "the answer of before is dealt with")
			texts := parttest.Texts(h.Net.Sent())
			if texts[len(texts)-1] != "answer to before" {
				t.Errorf("sent %q", texts)
			}
			goOn()
			h.WaitIdle()
			if st := state(h); st.Gone {
				t.Error("ann is gone")
			}
			if name == "writes" {
				texts = parttest.Texts(h.Net.Sent())
				if texts[len(texts)-1] != "answer to me again" {
					t.Errorf("sent %q", texts)
				}
			}
		})
	}
}

// A block that comes in again, after the person has come back, is no block.
func TestRepeatedBlockMutesNobody(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	block := of(h, sotto.EventBlock, "")
	h.Receive(block)
	h.Say("ann", "back")
	h.WaitIdle()
	h.Receive(block)
	h.Say("ann", "again")
	h.WaitSent(4)
	h.WaitIdle()
	if h.Outbox.Stats.Stopped.Load() != 0 || state(h).Gone {
		t.Error("ann is taken for gone")
	}
}

// A stranger's block ends their notice, and the mute ends with it.
func TestBlockBeforeTheNotice(t *testing.T) {
	h := parttest.New(t)
	h.Net.Fail(func(int, *channel.Outgoing) error {
		return &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}
	})
	h.Start()
	h.Say("ann", "hello")
	h.Wait(func() bool { return h.Outbox.Stats.Retried.Load() == 1 }, "the notice is put off")
	h.Net.Fail(nil)
	h.Receive(of(h, sotto.EventBlock, ""))
	h.Outbox.Wake(h.Conversation("ann"))
	h.WaitIdle()
	if got := h.Net.Sent(); len(got) != 0 {
		t.Errorf("sent %q", parttest.Texts(got))
	}
	h.Say("ann", "here I am")
	h.WaitSent(2)
	h.WaitIdle()
}

// What an opt-out on the network said an opt-in there takes back, and nothing
// else; advertising is another matter.
func TestOptInAndOptOut(t *testing.T) {
	type act struct {
		kind    sotto.EventKind
		payload string // or what is said
	}
	out, in := act{kind: sotto.EventOptOut}, act{kind: sotto.EventOptIn}
	say := func(text string) act { return act{sotto.EventMessage, text} }
	less, more := act{sotto.EventOptOut, "marketing_messages"}, act{sotto.EventOptIn, "marketing_messages"}
	for i, c := range []struct {
		acts []act
		want bool // stopped
	}{
		{[]act{out}, true},
		{[]act{out, in}, false},
		{[]act{out, more}, true},
		{[]act{less}, false},
		{[]act{{sotto.EventOptOut, "MARKETING"}}, false},
		{[]act{{sotto.EventOptOut, "utility"}}, true},
		{[]act{say("STOP")}, true},
		{[]act{say("STOP"), in}, true},
		{[]act{say("STOP"), more}, true},
		{[]act{say("STOP"), out, in}, true},
		{[]act{out, say("STOP"), in}, true},
		{[]act{out, say("START")}, false},
		{[]act{out, say("START"), say("STOP"), in}, true},
		{[]act{say("STOP"), say("START"), out, in}, false},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			h := parttest.New(t)
			h.Start()
			h.Meet("ann")
			for _, a := range c.acts {
				if a.kind == sotto.EventMessage {
					h.Say("ann", a.payload)
				} else {
					h.Receive(of(h, a.kind, a.payload))
				}
				h.WaitIdle()
			}
			if got := state(h).Stopped; got != c.want {
				t.Errorf("%v: stopped %v, want %v", c.acts, got, c.want)
			}
			sent := len(h.Net.Sent())
			h.Say("ann", "a question")
			h.WaitIdle()
			if got := len(h.Net.Sent()) > sent; got == c.want {
				t.Errorf("%v: answered %v", c.acts, got)
			}
		})
	}
}

// Advertising that is refused keeps nobody from the answer that is on its way.
func TestAdvertisingMutesNobody(t *testing.T) {
	h, goOn := busy(t)
	h.Receive(of(h, sotto.EventOptOut, "marketing_messages"))
	h.Outbox.Wake(h.Conversation("ann"))
	goOn()
	h.WaitIdle()
	if got := parttest.Texts(h.Net.Sent())[4:]; !cmp.Equal(got, []string{"answer to before", "answer to think"}) {
		t.Errorf("sent %q", got)
	}
	var n int
	h.Must(h.DB.QueryRow(context.Background(), `SELECT count(*) FROM audit_leaf WHERE CAST(data AS TEXT) LIKE '%"opt_out"%' AND CAST(data AS TEXT) LIKE '%"marketing"%'`).Scan(&n))
	if n != 1 {
		t.Errorf("it stands in the log %d times", n)
	}
}

// The answers to a person carry the end of the network's window.
func TestAnswersCarryTheirWindow(t *testing.T) {
	h := parttest.New(t)
	h.Net.Peculiar.Pace.Window = time.Hour
	h.Start()
	h.Meet("ann")
	h.Net.Fail(func(int, *channel.Outgoing) error {
		return &channel.SendError{Class: channel.Retry, RetryAfter: 10 * time.Minute}
	})
	ev := h.Event("ann", "x")
	ev.Time = h.Now().Add(-20 * time.Minute).Truncate(time.Millisecond)
	h.Receive(ev)
	h.Wait(func() bool { return h.Rows("outbox") == 1 }, "an answer waits")
	items, err := h.Outbox.Of(context.Background(), h.Person("ann"))
	h.Must(err)
	if want := ev.Time.Add(time.Hour); len(items) != 1 || !items[0].Closes.Equal(want) {
		t.Errorf("closes at %v, want %v", items[0].Closes, want)
	}
}
