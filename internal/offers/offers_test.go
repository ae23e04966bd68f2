package offers_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/offers"
	"github.com/sotto-chat/sotto/internal/parttest"
	"github.com/sotto-chat/sotto/internal/store"
)

var ctx = context.Background()

func permit(h *parttest.House, user string) gate.Permit {
	h.T.Helper()
	p, err := h.Gate.Decide(ctx, audit.NewTrail("test", audit.Commitment{}), gate.Use{
		Action: gate.Open, Person: h.Person(user), Channel: "telegram", Purpose: sotto.PurposeReply,
		Categories: []sotto.Category{sotto.CategoryMessage}, Recipient: sotto.RecipientSystem, System: true,
	})
	h.Must(err)
	return p
}

// offer makes an offer and stores it.
func offer(h *parttest.House, user string, labels ...string) {
	h.T.Helper()
	of := made(h, user, labels...)
	h.Must(h.DB.Write(ctx, func(tx *store.Tx) error { return h.Offers.Put(tx, of) }))
}

func made(h *parttest.House, user string, labels ...string) *offers.Offer {
	h.T.Helper()
	var buttons []sotto.Button
	for _, l := range labels {
		buttons = append(buttons, sotto.Button{Label: l, Payload: "of " + l})
	}
	of, err := h.Offers.Make(ctx, offers.Offer{ID: h.IDs.Next(), Person: h.Person(user), Conversation: h.Conversation(user)}, buttons)
	h.Must(err)
	return of
}

// labels are what a user can choose from; nil where that is nothing.
func labels(h *parttest.House, user string) (out []string) {
	h.T.Helper()
	buttons, err := h.Offers.Buttons(ctx, permit(h, user), h.Conversation(user), h.Person(user))
	h.Must(err)
	for _, b := range buttons {
		out = append(out, b.Label)
	}
	return out
}

func TestLastOfferCounts(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	if h.Offers.Has(h.Conversation("ann"), h.Person("ann")) || labels(h, "ann") != nil {
		t.Error("something is offered from the start")
	}
	offer(h, "ann", "one", "two")
	offer(h, "bob", "other")
	offer(h, "ann", "three")
	if got := labels(h, "ann"); !cmp.Equal(got, []string{"three"}) || h.Rows("offer") != 2 {
		t.Errorf("ann chooses from %q; %d rows", got, h.Rows("offer"))
	}
	h.Close()
	h.Open()
	if got := labels(h, "ann"); !cmp.Equal(got, []string{"three"}) {
		t.Errorf("after a restart from %q", got)
	}
	h.Must(h.DB.Write(ctx, func(tx *store.Tx) error { return h.Offers.End(tx, h.Conversation("ann"), h.Person("ann")) }))
	if labels(h, "ann") != nil || h.Rows("offer") != 1 || labels(h, "bob") == nil {
		t.Error("the end of ann's offer is not the end of ann's offer")
	}
}

// An answer can be quicker than the transaction.
func TestAnswerBeforeItIsStored(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	made(h, "ann", "quick")
	if got := labels(h, "ann"); !cmp.Equal(got, []string{"quick"}) {
		t.Errorf("ann chooses from %q", got)
	}
}

func TestOfferEndsAfterADay(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	offer(h, "ann", "one")
	h.Pass(offers.KeptFor - time.Minute)
	if n, err := h.Offers.Sweep(ctx, h.Now()); n != 0 || err != nil || labels(h, "ann") == nil {
		t.Errorf("it ends early: %d, %v", n, err)
	}
	h.Pass(2 * time.Minute)
	if h.Offers.Has(h.Conversation("ann"), h.Person("ann")) || labels(h, "ann") != nil {
		t.Error("it can be answered after a day")
	}
	n, err := h.Offers.Expired(ctx, h.Now())
	h.Must(err)
	swept, err := h.Offers.Sweep(ctx, h.Now())
	h.Must(err)
	if n != 1 || swept != 1 || h.Rows("offer") != 0 {
		t.Errorf("%d expired, %d swept, %d left", n, swept, h.Rows("offer"))
	}
}

func TestOfferGoesWithThePerson(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	offer(h, "ann", "one")
	offer(h, "bob", "two")
	_, err := h.Life.Erase(ctx, h.Person("ann"), sotto.RecipientPrivacy)
	h.Must(err)
	if labels(h, "ann") != nil {
		t.Error("it opens after the keys are gone")
	}
	late := made(h, "ann", "new beginning")
	h.Must(h.DB.Write(ctx, func(tx *store.Tx) error { return h.Offers.Put(tx, late) }))
	h.Must(h.Life.FinishErasures(ctx))
	if n, err := h.Offers.Of(ctx, h.Person("ann")); n != 1 || err != nil {
		t.Errorf("%d rows of ann, %v; want the one since", n, err)
	}
	if got := labels(h, "bob"); !cmp.Equal(got, []string{"two"}) {
		t.Errorf("bob chooses from %q", got)
	}
}

// Without a permit for that person nothing opens, and nothing is in the clear.
func TestOffersAreSealed(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	offer(h, "ann", "canary-label")
	for _, p := range []gate.Permit{{}, permit(h, "bob")} {
		if b, err := h.Offers.Buttons(ctx, p, h.Conversation("ann"), h.Person("ann")); sotto.KindOf(err) != sotto.KindDenied || b != nil {
			t.Errorf("%v, %v", b, err)
		}
	}
	h.Must(h.DB.Checkpoint(ctx))
	h.Close()
	for _, name := range []string{"data.db", "keys.db"} {
		b, err := os.ReadFile(filepath.Join(h.Dir, name))
		h.Must(err)
		if bytes.Contains(b, []byte("canary")) {
			t.Errorf("%s shows what was offered", name)
		}
	}
}
