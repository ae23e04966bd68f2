package deletion_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/deletion"
	"github.com/sotto-chat/sotto/internal/parttest"
)

func receive(t *testing.T, h *parttest.House, user string) string {
	t.Helper()
	code, err := h.Deletion.Receive(context.Background(), parttest.Account, user)
	h.Must(err)
	return code
}

func get(t *testing.T, h *parttest.House, code string) deletion.Request {
	t.Helper()
	r, ok, err := h.Deletion.Get(context.Background(), code)
	h.Must(err)
	if !ok {
		t.Fatalf("no request %s", code)
	}
	return r
}

// Whoever has written under the network's number is erased, and the page can
// say so; the number is gone with it.
func TestKnownPersonIsErased(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("4917", "other")
	code := receive(t, h, "4917")
	if r := get(t, h, code); r.State != deletion.Received || r.Account != parttest.Account {
		t.Errorf("%+v", r)
	}
	if again := receive(t, h, "4917"); again != code {
		t.Error("the same wish has another code")
	}
	h.Must(h.Deletion.Work(context.Background()))
	h.WaitIdle()
	r := get(t, h, code)
	if r.State != deletion.Erased || r.Receipt == "" || r.Done.IsZero() {
		t.Errorf("%+v", r)
	}
	if st, err := h.People.Get(context.Background(), h.Person("4917")); err != nil || st.Known {
		t.Error("the person is still known", err)
	}
	if st, err := h.People.Get(context.Background(), h.Person("other")); err != nil || !st.Known {
		t.Error("somebody else is not", err)
	}
	if _, gone, ok, err := h.Life.Receipt(context.Background(), r.Receipt); err != nil || !ok || !gone {
		t.Error("the receipt does not show", err)
	}
	if _, err := h.Deletion.Subject(context.Background(), code); sotto.KindOf(err) != sotto.KindNotFound {
		t.Error("the network's number is still kept:", err)
	}
	if later := receive(t, h, "4917"); later == code {
		t.Error("a new wish has the code of one that is settled")
	}
}

// Where nobody has written under the number, somebody looks it up.
func TestReview(t *testing.T) {
	ctx := context.Background()
	h := parttest.New(t)
	h.Start()
	h.Meet("psid-1")
	code, wrong := receive(t, h, "asid-9"), receive(t, h, "asid-10")
	nothing := receive(t, h, "asid-11")
	h.Must(h.Deletion.Work(ctx))
	h.Must(h.Deletion.Work(ctx)) // a second look changes nothing
	for _, c := range []string{code, wrong, nothing} {
		if r := get(t, h, c); r.State != deletion.Review || !r.Done.IsZero() {
			t.Errorf("%+v", r)
		}
	}
	if user, err := h.Deletion.Subject(ctx, code); err != nil || user != "asid-9" {
		t.Errorf("%q, %v", user, err)
	}
	var nobody sotto.PersonID
	for _, bad := range []func() error{
		func() error { _, err := h.Deletion.Settle(ctx, "NOSUCH", deletion.Nothing, nobody, ""); return err },
		func() error { _, err := h.Deletion.Settle(ctx, code, deletion.Erased, nobody, ""); return err },
		func() error { _, err := h.Deletion.Settle(ctx, code, deletion.Refused, nobody, ""); return err },
		func() error { _, err := h.Deletion.Settle(ctx, code, deletion.Review, nobody, ""); return err },
		func() error { _, err := h.Deletion.Subject(ctx, "NOSUCH"); return err },
	} {
		if bad() == nil {
			t.Error("settled by nothing")
		}
	}
	if r, err := h.Deletion.Settle(ctx, code, deletion.Erased, h.Person("psid-1"), ""); err != nil || r.State != deletion.Erased || r.Receipt == "" {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := h.Deletion.Settle(ctx, wrong, deletion.Refused, nobody, "a court forbids it until May"); err != nil || r.Reason == "" {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := h.Deletion.Settle(ctx, nothing, deletion.Nothing, nobody, ""); err != nil || r.State != deletion.Nothing {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := h.Deletion.Settle(ctx, code, deletion.Nothing, nobody, ""); sotto.KindOf(err) != sotto.KindExists {
		t.Error("settled twice:", err)
	}
	list, err := h.Deletion.List(ctx)
	if err != nil || len(list) != 3 {
		t.Errorf("%v, %v", list, err)
	}
	h.Pass(181 * 24 * time.Hour)
	if n, err := h.Deletion.Sweep(ctx, h.Now()); err != nil || n != 3 {
		t.Errorf("%d swept, %v", n, err)
	}
}

// A wish that was answered survives a crash; the number stands nowhere in clear.
func TestCrash(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("4917-canary")
	code := receive(t, h, "4917-canary")
	c := h.Crash()
	h.Close()
	c.Start()
	c.Must(c.Deletion.Work(context.Background()))
	if r := get(t, c, code); r.State != deletion.Erased {
		t.Errorf("%+v", r)
	}
	if strings.Contains(c.LogText(), "canary") {
		t.Error("the number stands in the log")
	}
}
