package inbox_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/parttest"
	"github.com/sotto-chat/sotto/internal/vault"
)

func className(c vault.Class) string {
	return map[vault.Class]string{vault.Transit: "transit", vault.Profile: "profile", vault.Reply: "reply"}[c]
}

func migrating(t *testing.T) *parttest.House {
	t.Helper()
	h := parttest.New(t)
	h.Adapters = map[string]channel.Adapter{parttest.Account: parttest.Migrating{Network: h.Net}}
	h.Start()
	return h
}

// from is a message of a person in a chat that is named as they are.
func from(h *parttest.House, id, alias, text string) channel.Event {
	ev := h.Event(id, text)
	ev.Conversation, ev.Alias = id, alias
	return ev
}

// A person who is known by a phone number and then by an id, or the other way
// round, or by both at once, is one person.
func TestOnePersonWithTwoIDs(t *testing.T) {
	for _, tt := range []struct {
		name  string
		says  [][2]string // id and alias of each message
		knows string      // the id that the one person is known by
	}{
		{"phone, both, id", [][2]string{{"49151", ""}, {"US.1", "49151"}, {"US.1", ""}, {"49151", ""}}, "49151"},
		{"both, phone, id", [][2]string{{"US.1", "49151"}, {"US.1", "49151"}, {"49151", ""}, {"US.1", ""}}, "US.1"},
		{"id, both, phone", [][2]string{{"US.1", ""}, {"US.1", "49151"}, {"49151", ""}}, "US.1"},
		{"phone, both the other way, id", [][2]string{{"49151", ""}, {"49151", "US.1"}, {"US.1", ""}}, "49151"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := migrating(t)
			for i, m := range tt.says {
				h.Receive(from(h, m[0], m[1], "hello"))
				h.WaitSent(i + 2) // and one notice
				h.WaitIdle()
			}
			if n, err := h.People.Count(context.Background()); err != nil || n != 1 {
				t.Errorf("%d persons, %v", n, err)
			}
			if got := turns(t, h, tt.knows); len(got) != len(tt.says) {
				t.Errorf("%d turns of %d", len(got), len(tt.says))
			}
			if n := len(h.Net.Sent()); n != len(tt.says)+1 {
				t.Errorf("%d messages were sent", n)
			}
			for i, m := range tt.says { // replies go to the id that was written from
				if to := h.Net.Sent()[i+1].Conversation; to != m[0] {
					t.Errorf("answer %d went to another id", i)
				}
			}
		})
	}
}

// A new id is told by itself; a restart in between changes nothing, and erasure
// forgets the ids too.
func TestNewIDOfAPerson(t *testing.T) {
	h := migrating(t)
	h.Receive(from(h, "49151", "", "hello"))
	h.WaitSent(2)
	h.WaitIdle()
	move := from(h, "49151", "", "")
	move.Kind, move.Payload = sotto.EventMigrate, "49160"
	h.Receive(move)
	h.WaitIdle()
	h.Close()
	h.Start()
	h.Receive(from(h, "49160", "", "it is me"))
	h.WaitSent(3)
	h.WaitIdle()
	if diff := cmp.Diff([]string{"hello", "it is me"}, yous(turns(t, h, "49151"))); diff != "" {
		t.Fatal(diff)
	}
	if _, err := h.Life.Erase(context.Background(), h.Person("49151"), sotto.RecipientPrivacy); err != nil {
		t.Fatal(err)
	}
	h.WaitIdle()
	if n := h.Rows("alias"); n != 0 {
		t.Errorf("%d aliases of a person who was erased", n)
	}
	sent := len(h.Net.Sent())
	h.Receive(from(h, "49160", "", "hello again"))
	h.WaitSent(sent + 2) // a notice: nobody knows this id
	h.WaitIdle()
	if got := turns(t, h, "49160"); len(got) != 1 {
		t.Errorf("%d turns of the person who came anew", len(got))
	}
}

// Nothing is remembered of the ids of somebody who was not told anything, and
// an id that somebody is known by is nobody else's alias.
func TestAliasesThatAreNotKept(t *testing.T) {
	h := migrating(t)
	move := from(h, "stranger", "", "")
	move.Kind, move.Payload = sotto.EventMigrate, "new"
	h.Receive(move)
	h.WaitIdle()
	if n := h.Rows("alias"); n != 0 {
		t.Errorf("%d aliases of a stranger", n)
	}
	for i, id := range []string{"ann", "eve"} {
		h.Receive(from(h, id, "", "hello"))
		h.WaitSent(2 * (i + 1))
		h.WaitIdle()
	}
	move = from(h, "eve", "", "")
	move.Kind, move.Payload = sotto.EventMigrate, "ann"
	h.Receive(move, from(h, "eve", "ann", "I am ann"))
	h.WaitSent(5)
	h.WaitIdle()
	h.Receive(from(h, "ann", "", "it is me"))
	h.WaitSent(6)
	h.WaitIdle()
	if diff := cmp.Diff([]string{"hello", "it is me"}, yous(turns(t, h, "ann"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"hello", "I am ann"}, yous(turns(t, h, "eve"))); diff != "" {
		t.Error(diff)
	}
}
