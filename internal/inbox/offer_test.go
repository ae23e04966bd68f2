package inbox_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/parttest"
)

// seen is what a bot was told.
type seen struct {
	Kind          sotto.EventKind
	Text, Payload string
}

// menu is a bot that offers choices and writes down what it is told.
type menu struct {
	mu   sync.Mutex
	seen []seen
}

func (m *menu) Turn(_ context.Context, t *sotto.Turn) error {
	m.mu.Lock()
	m.seen = append(m.seen, seen{t.Kind, t.Text, t.Payload})
	m.mu.Unlock()
	switch t.Text {
	case "menu":
		t.Reply("Pick", sotto.Button{Label: "Opening hours", Payload: "hours"}, sotto.Button{Label: "Stop", Payload: "halt"}, sotto.Button{Label: "7", Payload: "seven"})
	default:
		t.Reply("ok")
	}
	return nil
}

func (m *menu) last() seen {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen[len(m.seen)-1]
}

func numbered(t *testing.T) (*parttest.House, *menu) {
	t.Helper()
	h, m := parttest.New(t), new(menu)
	h.Bot = m
	h.Net.Numbered = true
	h.Start()
	h.Meet("ann")
	return h, m
}

func TestNumberIsTheButton(t *testing.T) {
	h, m := numbered(t)
	for _, c := range []struct {
		text string
		want seen
	}{
		{"1", seen{sotto.EventButton, "Opening hours", "hours"}},
		{"１.", seen{sotto.EventButton, "Opening hours", "hours"}},
		{"opening HOURS ", seen{sotto.EventButton, "Opening hours", "hours"}},
		{"2", seen{sotto.EventButton, "Stop", "halt"}},
		{"3", seen{sotto.EventButton, "7", "seven"}},
		{"7", seen{sotto.EventButton, "7", "seven"}},
		{"4", seen{sotto.EventMessage, "4", ""}},
		{"1 or 2", seen{sotto.EventMessage, "1 or 2", ""}},
	} {
		h.Say("ann", "menu")
		h.WaitIdle()
		h.Say("ann", "something else") // does not end the offer
		h.Say("ann", c.text)
		h.WaitIdle()
		if diff := cmp.Diff(c.want, m.last()); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
	ev := h.Event("ann", "1")
	ev.Attachments = []channel.Attachment{{Kind: "image", ID: "x"}}
	h.Receive(ev)
	h.Say("bob", "1")
	h.WaitIdle()
	if got := m.last(); got != (seen{sotto.EventMessage, "1", ""}) {
		t.Errorf("an offer is another's, or a caption's: %+v", got)
	}
}

// Nobody can be kept from saying stop, and what Sotto itself offers works.
func TestOffersAndCommands(t *testing.T) {
	h, m := numbered(t)
	h.Say("ann", "menu")
	h.WaitIdle()
	before := len(m.seen)
	h.Say("ann", "stop")
	h.WaitIdle()
	st, err := h.People.Get(context.Background(), h.Person("ann"))
	h.Must(err)
	if !st.Stopped || len(m.seen) != before {
		t.Errorf("stopped: %v, and the bot was told %+v", st.Stopped, m.last())
	}
	h.Say("ann", "1") // the confirmation offers to start again
	h.WaitIdle()
	if st, err = h.People.Get(context.Background(), h.Person("ann")); err != nil || st.Stopped || len(m.seen) != before {
		t.Errorf("stopped: %v, %v; the bot was told %+v", st.Stopped, err, m.last())
	}
	texts := parttest.Texts(h.Net.Sent())
	if len(texts) == 0 || strings.HasPrefix(texts[len(texts)-1], "ok") {
		t.Errorf("sent %q", texts)
	}
}

func TestOfferAcrossARestartAndADay(t *testing.T) {
	h, m := numbered(t)
	h.Say("ann", "menu")
	h.WaitIdle()
	h.Close()
	h.Start()
	h.Say("ann", "1")
	h.WaitIdle()
	if got := m.last(); got.Payload != "hours" {
		t.Errorf("after a restart: %+v", got)
	}
	h.Pass(25 * time.Hour)
	h.Say("ann", "1")
	h.WaitIdle()
	if got := m.last(); got != (seen{sotto.EventMessage, "1", ""}) {
		t.Errorf("after a day: %+v", got)
	}
}
