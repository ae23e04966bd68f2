package gate

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
)

var (
	start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	ada   = sotto.PersonID{1}
	bob   = sotto.PersonID{2}
)

func open(t testing.TB, cfg Config) *Gate {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return start }
	}
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// reply is what the bot asks for on each turn.
func reply() Use {
	return Use{
		Action: Open, Person: ada, Facts: Facts{Noticed: true, AgeClass: "adult", Region: "DE"}, Channel: "telegram",
		Purpose: sotto.PurposeReply, Categories: []sotto.Category{sotto.CategoryMessage}, Recipient: sotto.RecipientBot,
	}
}

func TestDecide(t *testing.T) {
	g := open(t, Config{})
	trail := audit.NewTrail("turn", audit.Commitment{})
	p, err := g.Decide(context.Background(), trail, reply())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(Open, ada, sotto.PurposeReply); err != nil {
		t.Error(err)
	}
	u := reply()
	u.Facts.Stopped = true
	_, err = g.Decide(context.Background(), trail, u)
	var denied *DeniedError
	if sotto.KindOf(err) != sotto.KindDenied || !errors.As(err, &denied) {
		t.Fatalf("a stopped person's message was opened: %v", err)
	}
	want := []audit.Act{
		{Verb: "decide:open", Purpose: "reply", Recipient: "bot", What: []string{"message"}, Reasons: []string{"sotto.bot"}},
		{Verb: "decide:open", Purpose: "reply", Recipient: "bot", What: []string{"message"}, Denied: true, Reasons: []string{"sotto.stop.use"}},
	}
	if d := cmp.Diff(want, trail.Acts()); d != "" {
		t.Errorf("trail (-want +got):\n%s", d)
	}
}

func BenchmarkDecide(b *testing.B) {
	g := open(b, Config{})
	u := reply()
	ctx := context.Background()
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.Decide(ctx, audit.NewTrail("turn", audit.Commitment{}), u); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			clear(g.cache)
			if _, err := g.Decide(ctx, audit.NewTrail("turn", audit.Commitment{}), u); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("personal", func(b *testing.B) {
		g.forSome = append(g.forSome, g.forAll[0])
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.Decide(ctx, audit.NewTrail("turn", audit.Commitment{}), u); err != nil {
				b.Fatal(err)
			}
		}
	})
	p, err := open(b, Config{}).Decide(ctx, audit.NewTrail("turn", audit.Commitment{}), u)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := p.Check(Open, ada, sotto.PurposeReply); err != nil {
				b.Fatal(err)
			}
		}
	})
}
