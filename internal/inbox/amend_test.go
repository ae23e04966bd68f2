package inbox_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/lifecycle"
	"github.com/sotto-chat/sotto/internal/parttest"
)

// turns returns what is stored of a user.
func turns(t *testing.T, h *parttest.House, user string) []lifecycle.Turn {
	t.Helper()
	b, err := h.Life.Export(context.Background(), h.Person(user), sotto.RecipientPerson)
	h.Must(err)
	var out lifecycle.Bundle
	h.Must(json.Unmarshal(b, &out))
	return out.Turns
}

func yous(turns []lifecycle.Turn) []string {
	out := make([]string, len(turns))
	for i := range turns {
		out[i] = turns[i].You
	}
	return out
}

// A message that the person changes or deletes on the network is changed or
// deleted here, and nobody else's is.
func TestWhatIsAmendedOnTheNetworkIsAmendedHere(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann", "bob")
	first, second := h.Event("ann", "my PIN is 1234"), h.Event("ann", "and my name is Ann")
	h.Receive(first, second)
	h.WaitIdle()
	until := turns(t, h, "ann")[1].Until

	edit := h.Event("ann", "my PIN is no business of yours")
	edit.Kind, edit.ID = sotto.EventEdit, first.ID
	wrong := h.Event("bob", "bob was here")
	wrong.Kind, wrong.ID, wrong.Conversation = sotto.EventEdit, second.ID, first.Conversation // somebody else's
	h.Receive(edit, wrong)
	h.WaitIdle()
	got := turns(t, h, "ann")
	if diff := cmp.Diff([]string{"hello", "my PIN is no business of yours", "and my name is Ann"}, yous(got)); diff != "" {
		t.Fatal(diff)
	}
	if !got[1].Until.Equal(until) {
		t.Error("an edit moves the last day")
	}
	if h.Rows("transcript") != 4 {
		t.Errorf("%d rows", h.Rows("transcript"))
	}

	gone := h.Event("ann", "")
	gone.Kind, gone.ID = sotto.EventDelete, first.ID
	again := gone
	again.Delivery += "2"
	others := h.Event("bob", "")
	others.Kind, others.ID, others.Conversation = sotto.EventDelete, second.ID, first.Conversation
	h.Receive(gone, again, others)
	h.WaitIdle()
	if diff := cmp.Diff([]string{"hello", "and my name is Ann"}, yous(turns(t, h, "ann"))); diff != "" {
		t.Error(diff)
	}
}

// What was deleted before the bot saw it does not come back with the answer.
func TestDeletedInOrder(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	m := h.Event("ann", "a slip")
	gone := h.Event("ann", "")
	gone.Kind, gone.ID = sotto.EventDelete, m.ID
	h.Receive(m, gone)
	h.WaitIdle()
	if diff := cmp.Diff([]string{"hello"}, yous(turns(t, h, "ann"))); diff != "" {
		t.Error(diff)
	}
}

// An edit of a turn from an earlier month is sealed under that month's key.
func TestEditOfAnOlderMonth(t *testing.T) {
	h := parttest.New(t)
	h.SetTime(time.Date(2031, 1, 30, 12, 0, 0, 0, time.UTC))
	h.Start()
	h.Meet("ann")
	m := h.Event("ann", "then")
	h.Receive(m)
	h.WaitIdle()
	keys := h.Rows("transcript")
	h.Pass(4 * 24 * time.Hour)
	edit := h.Event("ann", "now")
	edit.Kind, edit.ID = sotto.EventEdit, m.ID
	h.Receive(edit)
	h.WaitIdle()
	if got := turns(t, h, "ann"); len(got) != keys || got[1].You != "now" {
		t.Errorf("%+v", got)
	}
	list, err := h.Vault.Keys(context.Background(), h.Person("ann"))
	h.Must(err)
	for _, k := range list {
		if k.Period.String() == "2031-02" && className(k.Class) == "reply" {
			t.Error("the edit made a key of its own month")
		}
	}
}
