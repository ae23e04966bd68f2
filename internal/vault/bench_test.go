package vault

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/sotto-chat/sotto"
)

func BenchmarkSeal(b *testing.B) {
	for _, size := range []int{64, 1024, 16 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			v := open(b, newConfig(b))
			plain := make([]byte, size)
			ctx := b.Context()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Seal(ctx, refOf(anna), Reply, july, plain); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSealManyPeople(b *testing.B) {
	v := open(b, newConfig(b))
	people := make([]sotto.PersonID, 1000)
	for i := range people {
		people[i] = v.PersonID("test", "a", fmt.Sprint(i))
	}
	sealMany(b, v, people, 0)
	plain := make([]byte, 1024)
	ctx := b.Context()
	var n atomic.Int64
	b.SetParallelism(128)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := n.Add(1) * 7; pb.Next(); i++ {
			if _, err := v.Seal(ctx, refOf(people[i%1000]), Reply, july, plain); err != nil {
				b.Error(err)
			}
		}
	})
}

// A person seen for the first time: the key is made and durable.
func BenchmarkSealNewPerson(b *testing.B) {
	v := open(b, newConfig(b))
	ctx := b.Context()
	var n atomic.Int64
	b.SetParallelism(128)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p := v.PersonID("test", "a", fmt.Sprint(n.Add(1)))
			if _, err := v.Seal(ctx, refOf(p), Reply, july, nil); err != nil {
				b.Error(err)
			}
		}
	})
}

// A person whose keys are not in memory.
func BenchmarkSealNotCached(b *testing.B) {
	cfg := newConfig(b)
	cfg.Cache = 1
	v := open(b, cfg)
	seal(b, v, refOf(anna), Reply, july, "")
	seal(b, v, refOf(ben), Reply, july, "")
	ctx := b.Context()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p := anna
		if i%2 == 0 {
			p = ben
		}
		if _, err := v.Seal(ctx, refOf(p), Reply, july, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	v := open(b, newConfig(b))
	s := seal(b, v, refOf(anna), Reply, july, string(make([]byte, 1024)))
	p, _ := permit(b, anna, sotto.PurposeReply)
	ctx := b.Context()
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Open(ctx, p, refOf(anna), s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPersonID(b *testing.B) {
	v := open(b, newConfig(b))
	b.ReportAllocs()
	for b.Loop() {
		v.PersonID("telegram", "support-bot", "123456789012")
	}
}

func BenchmarkDigest(b *testing.B) {
	v := open(b, newConfig(b))
	b.ReportAllocs()
	for b.Loop() {
		v.Digest("delivery", "telegram:support-bot:123456789012")
	}
}

func BenchmarkCommitment(b *testing.B) {
	v := open(b, newConfig(b))
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := v.Commitment(ctx, anna, true); !ok || err != nil {
			b.Fatal(err)
		}
	}
}

// One erasure after the other, with the scrubbing that follows.
func BenchmarkErase(b *testing.B) {
	v := open(b, newConfig(b))
	ctx := b.Context()
	people := make([]sotto.PersonID, 1000)
	for i := range people {
		people[i] = v.PersonID("test", "a", fmt.Sprint(i))
	}
	for i := 0; b.Loop(); i++ {
		if i%len(people) == 0 {
			b.StopTimer()
			sealMany(b, v, people, 0)
			b.StartTimer()
		}
		if _, err := v.Erase(ctx, people[i%len(people)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScrub(b *testing.B) {
	v := open(b, newConfig(b))
	ctx := b.Context()
	for b.Loop() {
		seal(b, v, refOf(anna), Reply, july, "")
		if _, err := v.Erase(ctx, anna); err != nil {
			b.Fatal(err)
		}
		if err := v.Scrub(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
