package audit

import (
	"context"
	"fmt"
	"testing"

	"github.com/sotto-chat/sotto/internal/store"
)

func BenchmarkEncode(b *testing.B) {
	t := trail()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = appendEntry(buf[:0], 123456, start, t)
	}
	b.SetBytes(int64(len(buf)))
}

// BenchmarkAppend is the cost of one entry inside a transaction that is there
// anyway, in groups of 64: in one call, and in a call each.
func BenchmarkAppend(b *testing.B) {
	for _, per := range []int{64, 1} {
		b.Run(fmt.Sprintf("group64/call%d", per), func(b *testing.B) {
			h := newHouse(b)
			trails := make([]*Trail, 64)
			for i := range trails {
				trails[i] = trail()
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.StopTimer()
			for n := 0; n < b.N; {
				if err := h.db.Write(context.Background(), func(tx *store.Tx) error {
					for from := 0; from < len(trails); from += per {
						b.StartTimer()
						if err := h.log.Append(tx, trails[from:from+per]...); err != nil {
							return err
						}
						n += per
					}
					b.StopTimer() // the commit is not the log's
					return nil
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBatch is the whole way of an entry, fsync included, for many writers.
func BenchmarkBatch(b *testing.B) {
	h := newHouse(b)
	batch := store.NewBatch(h.db, func(tx *store.Tx, items []*Trail) error { return h.log.Append(tx, items...) })
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		t := trail()
		for pb.Next() {
			if err := batch.Do(context.Background(), t); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkCheckpoint(b *testing.B) {
	h := newHouse(b)
	h.write(255)
	for b.Loop() {
		h.log.last = nil
		h.checkpoint()
	}
}

func BenchmarkVerify(b *testing.B) {
	h := newHouse(b)
	const n = 20000
	h.write(n)
	h.checkpoint()
	for b.Loop() {
		if _, err := h.verify(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
}

func BenchmarkOpen(b *testing.B) {
	h := newHouse(b)
	for range 100 {
		h.write(1000)
	}
	h.checkpoint()
	for b.Loop() {
		h.start()
	}
}

func BenchmarkProve(b *testing.B) {
	h := newHouse(b)
	h.write(5000)
	h.checkpoint()
	for b.Loop() {
		if _, err := h.log.Prove(context.Background(), 77); err != nil {
			b.Fatal(err)
		}
	}
}
