package inbox_test

import (
	"strings"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/parttest"
)

const group = "-100"

// inGroup is a line of a user in the group, said to the bot.
func inGroup(h *parttest.House, user, text string) channel.Event {
	ev := h.Event(user, text)
	ev.Conversation, ev.Group, ev.Addressed = group, true, true
	return ev
}

// notices counts the whole notices, and the lines for members.
func notices(h *parttest.House) (whole, lines int) {
	for _, m := range h.Net.Sent() {
		switch {
		case strings.Contains(m.Text, "/privacy what we keep"):
			whole++
		case strings.Contains(m.Text, "A word to you as well"):
			lines++
		}
	}
	return whole, lines
}

// The notice stands in a group once, and each member who speaks to the bot for
// the first time is told once.
func TestNoticeInAGroup(t *testing.T) {
	for _, joined := range []bool{true, false} {
		h := parttest.New(t)
		h.Start()
		sent := 0
		say := func(user string, more int) {
			t.Helper()
			h.Receive(inGroup(h, user, "hello"))
			sent += more
			h.WaitSent(sent)
			h.WaitIdle()
		}
		want := [2]int{1, 2}
		if joined {
			join := inGroup(h, "", "")
			join.Kind, join.Sender, join.Self = sotto.EventJoin, "admin", true
			h.Receive(join)
			sent++
			h.WaitSent(sent)
			h.WaitIdle()
			again := join
			again.Delivery += "2"
			h.Receive(again)
			h.WaitIdle()
			want[1] = 3
		}
		for _, u := range []string{"ann", "bob", "cid"} {
			say(u, 2)
			say(u, 1)
		}
		other := inGroup(h, "dan", "between ourselves")
		other.Addressed = false
		h.Receive(other)
		h.WaitIdle()
		if whole, lines := notices(h); whole != want[0] || lines != want[1] {
			t.Errorf("joined %v: %d notices and %d lines, want %v", joined, whole, lines, want)
		}
		if n := len(h.Net.Sent()); n != sent {
			t.Errorf("joined %v: %d messages, want %d", joined, n, sent)
		}
		if n := h.Rows("transcript"); n != 0 {
			t.Errorf("joined %v: %d lines of a group are kept", joined, n)
		}
		for _, m := range h.Net.Sent()[sent-2:] {
			if m.ReplyTo == "" {
				t.Errorf("joined %v: it does not show who is answered", joined)
			}
		}
		h.Close()
	}
}

// A group that gets another id is the same group, and one that the bot was
// taken out of is told again that it is back by nothing but its coming back.
func TestGroupMovesAndEnds(t *testing.T) {
	h := migrating(t)
	h.Receive(inGroup(h, "ann", "hello"))
	h.WaitSent(2)
	h.WaitIdle()
	move := inGroup(h, "", "")
	move.Kind, move.Payload = sotto.EventMigrate, "-100200"
	h.Receive(move)
	h.WaitIdle()
	moved := inGroup(h, "bob", "hello")
	moved.Conversation = "-100200"
	h.Receive(moved)
	h.WaitSent(4)
	h.WaitIdle()
	if whole, lines := notices(h); whole != 1 || lines != 1 {
		t.Errorf("%d notices and %d lines", whole, lines)
	}
	leave := inGroup(h, "", "")
	leave.Kind, leave.Conversation, leave.Self = sotto.EventLeave, "-100200", true
	h.Receive(leave)
	h.WaitIdle()
	join := inGroup(h, "", "")
	join.Kind, join.Conversation, join.Self = sotto.EventJoin, "-100200", true
	h.Receive(join)
	h.WaitIdle()
	if n := len(h.Net.Sent()); n != 4 {
		t.Errorf("%d messages", n)
	}
}

// A word to Sotto itself counts behind the mention that a group asks for.
func TestCommandBehindAMention(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Receive(inGroup(h, "ann", "hello"))
	h.WaitSent(2)
	h.WaitIdle()
	for i, text := range []string{"@sotto_bot /privacy", "<@U123> /help", "@sotto_bot stop"} {
		h.Receive(inGroup(h, "ann", text))
		sent := h.WaitSent(3 + i)
		if got := sent[2+i].Text; strings.HasPrefix(got, "you said") {
			t.Errorf("%q reached the bot", text)
		}
		h.WaitIdle()
	}
	if st, err := h.People.Get(t.Context(), h.Person("ann")); err != nil || !st.Stopped {
		t.Error("not stopped", err)
	}
}

// Where what is answered in a group is shown to one person alone, the group was
// not told by it: each member gets the whole notice.
func TestWhisperedNotice(t *testing.T) {
	h := parttest.New(t)
	h.Adapters = map[string]channel.Adapter{parttest.Account: whispering{h.Net}}
	h.Start()
	for i, u := range []string{"ann", "bob"} {
		h.Receive(inGroup(h, u, "hello"))
		h.WaitSent(2 * (i + 1))
		h.WaitIdle()
	}
	if whole, lines := notices(h); whole != 2 || lines != 0 {
		t.Errorf("%d notices and %d lines", whole, lines)
	}
}

// whispering is a network whose answers in a group are shown to one person.
type whispering struct{ *parttest.Network }

func (whispering) Traits() channel.Traits { return channel.Traits{Whispers: true} }
