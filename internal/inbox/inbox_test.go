package inbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/lifecycle"
	"github.com/sotto-chat/sotto/internal/parttest"
)

func TestNoticeComesFirstAndNothingIsKeptBeforeIt(t *testing.T) {
	r := parttest.New(t)
	release := make(chan struct{})
	r.Net.Fail(func(n int, _ *channel.Outgoing) error {
		if n == 1 {
			<-release
		}
		return nil
	})
	r.Start()
	r.Say("ann", "hello")
	time.Sleep(50 * time.Millisecond)
	for _, table := range []string{"person", "transcript"} {
		var n int
		r.Must(r.DB.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n))
		if n != 0 {
			t.Errorf("%s has %d rows before the notice was sent", table, n)
		}
	}
	close(release)
	got := r.WaitSent(2)
	if !strings.Contains(got[0].Text, "The Shop") || !strings.Contains(got[0].Text, "https://shop.example/privacy") {
		t.Errorf("the first message is not the notice: %q", got[0].Text)
	}
	if got[1].Text != "you said: hello" {
		t.Errorf("second message = %q", got[1].Text)
	}
	r.Say("ann", "again")
	if got := r.WaitSent(3); got[2].Text != "you said: again" {
		t.Errorf("third message = %q; the notice comes once", got[2].Text)
	}
}

func TestNoticeThatCannotBeDeliveredDestroysTheMessage(t *testing.T) {
	r := parttest.New(t)
	r.Net.Fail(func(int, *channel.Outgoing) error { return &channel.SendError{Class: channel.Gone, Status: 403} })
	r.Start()
	r.Say("ann", "hello")
	r.WaitIdle()
	st, err := r.People.Get(context.Background(), r.Person("ann"))
	r.Must(err)
	if st.Known {
		t.Error("a person is known who never got the notice")
	}
}

func TestOrderWithinAConversation(t *testing.T) {
	r := parttest.New(t)
	r.InboxLimit = 40 // most of it waits in the database
	r.Start()
	const users, each = 20, 30
	for i := range each {
		for u := range users {
			r.Say(fmt.Sprint("u", u), fmt.Sprint(i))
		}
	}
	got := r.WaitSent(users * (each + 1))
	r.WaitIdle()
	next := make(map[string]int)
	for _, m := range got {
		n, ok := strings.CutPrefix(m.Text, "you said: ")
		if !ok {
			continue
		}
		if n != fmt.Sprint(next[m.Conversation]) {
			t.Fatalf("%s got %s, want %d", m.Conversation, n, next[m.Conversation])
		}
		next[m.Conversation]++
	}
	if len(got) != users*(each+1) {
		t.Errorf("%d messages, want %d", len(got), users*(each+1))
	}
}

func TestDuplicateDeliveriesAreHandledOnce(t *testing.T) {
	r := parttest.New(t)
	r.Start()
	ev := r.Event("ann", "once")
	for range 5 {
		r.Must(r.Inbox.Receive(context.Background(), parttest.Account, []channel.Event{ev, ev}))
	}
	r.WaitSent(2)
	r.WaitIdle()
	r.Close()
	r.Start() // it holds across a restart
	r.Must(r.Inbox.Receive(context.Background(), parttest.Account, []channel.Event{ev}))
	r.WaitIdle()
	time.Sleep(50 * time.Millisecond)
	if got := r.Net.Sent(); len(got) != 2 {
		t.Errorf("%d messages were sent, want 2", len(got))
	}
}

func TestUnhandledEventsAreHandledAfterARestart(t *testing.T) {
	r := parttest.New(t)
	r.Open()
	for i := range 5 {
		r.Say("ann", fmt.Sprint(i))
	}
	r.Close()
	r.Start()
	got := r.WaitSent(6)
	if got[5].Text != "you said: 4" {
		t.Errorf("last message = %q", got[5].Text)
	}
}

func TestStopIsObeyedAtOnceAndConfirmedOnce(t *testing.T) {
	r := parttest.New(t)
	r.Start()
	r.Say("ann", "hello")
	r.WaitSent(2)
	r.Say("ann", "STOP")
	r.WaitSent(3)
	r.Say("ann", "stop")
	r.Say("ann", "are you there?")
	r.WaitIdle()
	if got := r.Net.Sent(); len(got) != 3 {
		t.Fatalf("after stop %d messages were sent, want 3: %+v", len(got), got)
	}
	r.Say("ann", "START")
	r.WaitSent(4)
	r.Say("ann", "hello")
	if got := r.WaitSent(5); got[4].Text != "you said: hello" {
		t.Errorf("after start: %q", got[4].Text)
	}
}

func TestExportAndErase(t *testing.T) {
	r := parttest.New(t)
	r.Start()
	for _, u := range []string{"ann", "bob"} {
		r.Say(u, "the secret of "+u)
	}
	r.WaitSent(4)
	r.Say("ann", "/mydata")
	got := r.WaitSent(5)
	if got[4].File == nil || got[4].Conversation != "chat-ann" {
		t.Fatalf("no export was sent to ann: %+v", got[4])
	}
	var b lifecycle.Bundle
	r.Must(json.Unmarshal(got[4].File.Data, &b))
	if len(b.Turns) != 1 || b.Turns[0].You != "the secret of ann" || b.Turns[0].Bot[0] != "you said: the secret of ann" {
		t.Errorf("export = %+v", b.Turns)
	}
	if strings.Contains(string(got[4].File.Data), "bob") {
		t.Error("the export holds something of somebody else")
	}
	r.Say("ann", "/delete")
	if got := r.WaitSent(6); len(got[5].Buttons) != 2 {
		t.Fatalf("delete does not ask back: %+v", got[5])
	}
	r.Press("ann", "sotto:delete:yes")
	r.WaitSent(7)
	r.WaitIdle()
	for range 100 {
		var n int
		r.Must(r.DB.QueryRow(context.Background(), "SELECT count(*) FROM lifecycle_erasure").Scan(&n))
		if n == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	data, err := r.Life.Export(context.Background(), r.Person("ann"), sotto.RecipientPrivacy)
	r.Must(err)
	b = lifecycle.Bundle{}
	r.Must(json.Unmarshal(data, &b))
	if b.Held || len(b.Turns) != 0 || len(b.Keys) != 0 {
		t.Errorf("after erasure something is held: %s", data)
	}
	data, err = r.Life.Export(context.Background(), r.Person("bob"), sotto.RecipientPrivacy)
	r.Must(err)
	if !strings.Contains(string(data), "the secret of bob") {
		t.Error("bob's data went with ann's")
	}
	r.Say("ann", "hello again")
	if got := r.WaitSent(9); !strings.Contains(got[7].Text, "The Shop") {
		t.Errorf("after erasure the notice comes first again, got %q", got[7].Text)
	}
	_, err = audit.Verify(context.Background(), r.DB, audit.VerifyOptions{VerifierKey: r.Log.VerifierKey(), AcceptNoHead: true})
	r.Must(err)
}

func TestBotThatFailsOrPanics(t *testing.T) {
	r := parttest.New(t)
	r.Bot = sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error {
		if t.Text == "panic" {
			panic("secret of ann")
		}
		t.Reply("never seen")
		return errors.New("secret of ann")
	})
	r.Start()
	r.Say("ann", "panic")
	r.WaitSent(2)
	r.Say("ann", "fail")
	got := r.WaitSent(3)
	if got[1].Text != got[2].Text || strings.Contains(got[1].Text, "secret") {
		t.Errorf("answers = %q, %q", got[1].Text, got[2].Text)
	}
	if strings.Contains(r.LogText(), "secret") {
		t.Error("the log holds the text of a bot's error")
	}
}

func TestRetriesThenDelivers(t *testing.T) {
	r := parttest.New(t)
	r.Net.Fail(func(n int, _ *channel.Outgoing) error {
		if n == 2 || n == 3 {
			return &channel.SendError{Class: channel.Retry, Status: 500}
		}
		return nil
	})
	r.Start()
	r.Say("ann", "hello")
	if got := r.WaitSent(2); got[1].Text != "you said: hello" {
		t.Errorf("got %q", got[1].Text)
	}
}

func TestHistoryIsMaskedAndInOrder(t *testing.T) {
	lines := make(chan []sotto.Line, 4)
	r := parttest.New(t)
	r.Bot = sotto.BotFunc(func(ctx context.Context, t *sotto.Turn) error {
		h, err := t.History(ctx, 10)
		if err != nil {
			return err
		}
		lines <- h
		t.Reply("re: " + t.Text)
		return nil
	})
	r.Start()
	r.Say("ann", "one")
	r.WaitSent(2)
	<-lines
	r.Say("ann", "two")
	r.WaitSent(3)
	got := <-lines
	if len(got) != 2 || got[0].Text != "one" || got[0].FromBot || got[1].Text != "re: one" || !got[1].FromBot {
		t.Errorf("history = %+v", got)
	}
}
