package gate

import (
	"context"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
)

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
