package ids

import (
	"sync"
	"testing"
	"time"
)

func TestNextGrowsWhenTheClockIsSetBack(t *testing.T) {
	now := time.UnixMicro(5_000)
	s := NewSource(func() time.Time { return now }, 0)
	a := s.Next()
	now = time.UnixMicro(10)
	b := s.Next()
	if a != 5_000 || b != 5_001 {
		t.Fatalf("got %d, %d; want 5000, 5001", a, b)
	}
	if c := NewSource(func() time.Time { return now }, 9_000).Next(); c != 9_001 {
		t.Fatalf("after 9000 comes %d, want 9001", c)
	}
}

func TestNextIsUniqueAmongGoroutines(t *testing.T) {
	s := NewSource(time.Now, 0)
	var mu sync.Mutex
	seen := make(map[int64]bool)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				n := s.Next()
				mu.Lock()
				if seen[n] {
					t.Errorf("%d was handed out twice", n)
				}
				seen[n] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestSkip(t *testing.T) {
	s := NewSource(func() time.Time { return time.UnixMicro(10) }, 0)
	s.Skip(100)
	s.Skip(50) // never back
	if n := s.Next(); n != 101 {
		t.Errorf("after 100 comes %d", n)
	}
}
