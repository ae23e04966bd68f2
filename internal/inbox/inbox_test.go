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
)

func TestNoticeComesFirstAndNothingIsKeptBeforeIt(t *testing.T) {
	r := newRig(t, nil)
	release := make(chan struct{})
	r.net.fail = func(n int, _ *channel.Outgoing) error {
		if n == 1 {
			<-release
		}
		return nil
	}
	r.start(true)
	r.say("ann", "hello")
	time.Sleep(50 * time.Millisecond)
	for _, table := range []string{"person", "transcript"} {
		var n int
		r.must(r.db.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n))
		if n != 0 {
			t.Errorf("%s has %d rows before the notice was sent", table, n)
		}
	}
	close(release)
	got := r.waitSent(2)
	if !strings.Contains(got[0].Text, "The Shop") || !strings.Contains(got[0].Text, "https://shop.example/privacy") {
		t.Errorf("the first message is not the notice: %q", got[0].Text)
	}
	if got[1].Text != "you said: hello" {
		t.Errorf("second message = %q", got[1].Text)
	}
	r.say("ann", "again")
	if got := r.waitSent(3); got[2].Text != "you said: again" {
		t.Errorf("third message = %q; the notice comes once", got[2].Text)
	}
}

func TestNoticeThatCannotBeDeliveredDestroysTheMessage(t *testing.T) {
	r := newRig(t, nil)
	r.net.fail = func(int, *channel.Outgoing) error { return &channel.SendError{Class: channel.Gone, Status: 403} }
	r.start(true)
	r.say("ann", "hello")
	r.waitIdle()
	st, err := r.people.Get(context.Background(), r.person("ann"))
	r.must(err)
	if st.Known {
		t.Error("a person is known who never got the notice")
	}
}

func TestOrderWithinAConversation(t *testing.T) {
	r := newRig(t, nil)
	r.limit = 40 // most of it waits in the database
	r.start(true)
	const users, each = 20, 30
	for i := range each {
		for u := range users {
			r.say(fmt.Sprint("u", u), fmt.Sprint(i))
		}
	}
	got := r.waitSent(users * (each + 1))
	r.waitIdle()
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
	r := newRig(t, nil)
	r.start(true)
	ev := r.event("ann", "once")
	for range 5 {
		r.must(r.in.Receive(context.Background(), account, []channel.Event{ev, ev}))
	}
	r.waitSent(2)
	r.waitIdle()
	r.stop()
	r.start(true) // it holds across a restart
	r.must(r.in.Receive(context.Background(), account, []channel.Event{ev}))
	r.waitIdle()
	time.Sleep(50 * time.Millisecond)
	if got := r.net.all(); len(got) != 2 {
		t.Errorf("%d messages were sent, want 2", len(got))
	}
}

func TestUnhandledEventsAreHandledAfterARestart(t *testing.T) {
	r := newRig(t, nil)
	r.start(false)
	for i := range 5 {
		r.say("ann", fmt.Sprint(i))
	}
	r.stop()
	r.start(true)
	got := r.waitSent(6)
	if got[5].Text != "you said: 4" {
		t.Errorf("last message = %q", got[5].Text)
	}
}

func TestStopIsObeyedAtOnceAndConfirmedOnce(t *testing.T) {
	r := newRig(t, nil)
	r.start(true)
	r.say("ann", "hello")
	r.waitSent(2)
	r.say("ann", "STOP")
	r.waitSent(3)
	r.say("ann", "stop")
	r.say("ann", "are you there?")
	r.waitIdle()
	if got := r.net.all(); len(got) != 3 {
		t.Fatalf("after stop %d messages were sent, want 3: %+v", len(got), got)
	}
	r.say("ann", "START")
	r.waitSent(4)
	r.say("ann", "hello")
	if got := r.waitSent(5); got[4].Text != "you said: hello" {
		t.Errorf("after start: %q", got[4].Text)
	}
}

func TestExportAndErase(t *testing.T) {
	r := newRig(t, nil)
	r.start(true)
	for _, u := range []string{"ann", "bob"} {
		r.say(u, "the secret of "+u)
	}
	r.waitSent(4)
	r.say("ann", "/mydata")
	got := r.waitSent(5)
	if got[4].File == nil || got[4].Conversation != "chat-ann" {
		t.Fatalf("no export was sent to ann: %+v", got[4])
	}
	var b lifecycle.Bundle
	r.must(json.Unmarshal(got[4].File.Data, &b))
	if len(b.Turns) != 1 || b.Turns[0].You != "the secret of ann" || b.Turns[0].Bot[0] != "you said: the secret of ann" {
		t.Errorf("export = %+v", b.Turns)
	}
	if strings.Contains(string(got[4].File.Data), "bob") {
		t.Error("the export holds something of somebody else")
	}
	r.say("ann", "/delete")
	if got := r.waitSent(6); len(got[5].Buttons) != 2 {
		t.Fatalf("delete does not ask back: %+v", got[5])
	}
	r.press("ann", "sotto:delete:yes")
	r.waitSent(7)
	r.waitIdle()
	for range 100 {
		var n int
		r.must(r.db.QueryRow(context.Background(), "SELECT count(*) FROM lifecycle_erasure").Scan(&n))
		if n == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	data, err := r.life.Export(context.Background(), r.person("ann"), sotto.RecipientPrivacy)
	r.must(err)
	b = lifecycle.Bundle{}
	r.must(json.Unmarshal(data, &b))
	if b.Held || len(b.Turns) != 0 || len(b.Keys) != 0 {
		t.Errorf("after erasure something is held: %s", data)
	}
	data, err = r.life.Export(context.Background(), r.person("bob"), sotto.RecipientPrivacy)
	r.must(err)
	if !strings.Contains(string(data), "the secret of bob") {
		t.Error("bob's data went with ann's")
	}
	r.say("ann", "hello again")
	if got := r.waitSent(9); !strings.Contains(got[7].Text, "The Shop") {
		t.Errorf("after erasure the notice comes first again, got %q", got[7].Text)
	}
	_, err = audit.Verify(context.Background(), r.db, audit.VerifyOptions{VerifierKey: r.log.VerifierKey(), AcceptNoHead: true})
	r.must(err)
}

func TestBotThatFailsOrPanics(t *testing.T) {
	r := newRig(t, func(_ context.Context, t *sotto.Turn) error {
		if t.Text == "panic" {
			panic("secret of ann")
		}
		t.Reply("never seen")
		return errors.New("secret of ann")
	})
	r.start(true)
	r.say("ann", "panic")
	r.waitSent(2)
	r.say("ann", "fail")
	got := r.waitSent(3)
	if got[1].Text != got[2].Text || strings.Contains(got[1].Text, "secret") {
		t.Errorf("answers = %q, %q", got[1].Text, got[2].Text)
	}
	if strings.Contains(r.logText(), "secret") {
		t.Error("the log holds the text of a bot's error")
	}
}

func TestRetriesThenDelivers(t *testing.T) {
	r := newRig(t, nil)
	r.net.fail = func(n int, _ *channel.Outgoing) error {
		if n == 2 || n == 3 {
			return &channel.SendError{Class: channel.Retry, Status: 500}
		}
		return nil
	}
	r.start(true)
	r.say("ann", "hello")
	if got := r.waitSent(2); got[1].Text != "you said: hello" {
		t.Errorf("got %q", got[1].Text)
	}
}

func TestHistoryIsMaskedAndInOrder(t *testing.T) {
	lines := make(chan []sotto.Line, 4)
	r := newRig(t, func(ctx context.Context, t *sotto.Turn) error {
		h, err := t.History(ctx, 10)
		if err != nil {
			return err
		}
		lines <- h
		t.Reply("re: " + t.Text)
		return nil
	})
	r.start(true)
	r.say("ann", "one")
	r.waitSent(2)
	<-lines
	r.say("ann", "two")
	r.waitSent(3)
	got := <-lines
	if len(got) != 2 || got[0].Text != "one" || got[0].FromBot || got[1].Text != "re: one" || !got[1].FromBot {
		t.Errorf("history = %+v", got)
	}
}
