package vault

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
)

func cancelled(tb testing.TB) (context.Context, context.CancelFunc) {
	tb.Helper()
	return context.WithCancel(tb.Context())
}

// Everything at once. What must hold whatever happens: a value opens as long as
// the person's generation is the one it was sealed in; no value of an older
// generation opens after its erasure has returned; nothing opens to anything
// but what was sealed.
func TestSealOpenEraseAtOnce(t *testing.T) {
	cfg := newConfig(t)
	cfg.Cache = 4 // people go in and out of memory all the time
	v := open(t, cfg)
	ctx := t.Context()
	stop := time.Now().Add(1500 * time.Millisecond)
	people := make([]sotto.PersonID, 12)
	for i := range people {
		people[i] = v.PersonID("test", "a", fmt.Sprint(i))
	}
	check := func(p sotto.PersonID, gen uint64, s Sealed, want string) {
		got, err := v.open(ctx, refOf(p), s)
		now := v.Generation(p)
		switch {
		case err == nil && string(got) != want:
			t.Errorf("opened to %q", got)
		case err != nil && now == gen:
			t.Errorf("does not open, though nobody erased it: %v", err)
		}
	}
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := 0; time.Now().Before(stop); i++ {
				p := people[(w*7+i)%len(people)]
				want := fmt.Sprintf("%d.%d", w, i)
				gen := v.Generation(p)
				s, err := v.Seal(ctx, refOf(p), Reply, july, []byte(want))
				if err != nil {
					t.Error(err)
					return
				}
				check(p, gen, s, want)
				if _, _, err := v.Commitment(ctx, p, i%2 == 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for w := range 2 {
		wg.Go(func() {
			for i := 0; time.Now().Before(stop); i++ {
				p := people[(w*5+i)%len(people)]
				s, err := v.Seal(ctx, refOf(p), Reply, july, []byte("x"))
				if err != nil {
					t.Error(err)
				}
				if _, err := v.Erase(ctx, p); err != nil {
					t.Error(err)
				}
				if _, err := v.open(ctx, refOf(p), s); err == nil {
					t.Error("opens after its erasure")
				}
			}
		})
	}
	wg.Go(func() {
		for time.Now().Before(stop) {
			if _, err := v.Rotate(ctx); err != nil {
				t.Error(err)
			}
			if _, err := v.DropBefore(ctx, Transit, PeriodOf(Transit, august)); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()

	for _, p := range people {
		if _, err := v.Erase(ctx, p); err != nil {
			t.Error(err)
		}
		if keys, err := v.Keys(ctx, p); err != nil || len(keys) > 0 {
			t.Errorf("left after erasure: %v %v", keys, err)
		}
	}
	if err := v.Check(ctx); err != nil {
		t.Error(err)
	}
}

// Keys of a month that is dropped again and again while others make them.
func TestSealDropAtOnce(t *testing.T) {
	v := open(t, newConfig(t))
	stop := time.Now().Add(500 * time.Millisecond)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for time.Now().Before(stop) {
				p := v.PersonID("test", "a", fmt.Sprint(w))
				keep, err := v.Seal(t.Context(), refOf(p), Reply, august, []byte("keep"))
				if err != nil {
					t.Error(err)
				}
				if _, err := v.Seal(t.Context(), refOf(p), Reply, july, []byte("drop")); err != nil {
					t.Error(err)
				}
				wantOpen(t, v, refOf(p), keep, "keep")
			}
		})
	}
	wg.Go(func() {
		for time.Now().Before(stop) {
			if _, err := v.DropBefore(t.Context(), Reply, PeriodOf(Reply, august)); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	var sealed []Sealed
	for w := range 8 {
		sealed = append(sealed, seal(t, v, refOf(v.PersonID("test", "a", fmt.Sprint(w))), Reply, july, "drop"))
	}
	if n, err := v.DropBefore(t.Context(), Reply, PeriodOf(Reply, august)); err != nil || n != 8 {
		t.Errorf("dropped %d, %v", n, err)
	}
	for w, s := range sealed {
		_, err := v.open(t.Context(), refOf(v.PersonID("test", "a", fmt.Sprint(w))), s)
		wantKind(t, err, sotto.KindNotFound)
	}
}

// Many who want the same new key get the same one, and some who lose patience
// spoil it for nobody.
func TestOneKeyForMany(t *testing.T) {
	v := open(t, newConfig(t))
	for round := range 20 {
		p := v.PersonID("test", "a", fmt.Sprint(round))
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(w)*20*time.Microsecond)
				defer cancel()
				if w >= 8 {
					ctx = t.Context()
				}
				s, err := v.Seal(ctx, refOf(p), Reply, july, []byte("x"))
				if err == nil {
					wantOpen(t, v, refOf(p), s, "x")
				} else if w >= 8 {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if keys, err := v.Keys(t.Context(), p); err != nil || len(keys) != 1 {
			t.Errorf("keys: %v, %v", keys, err)
		}
	}
}

// Whoever needs a key of a person who is being erased waits, with patience of
// its own, and gets a new one.
func TestWaitsForErase(t *testing.T) {
	v := open(t, newConfig(t))
	old := seal(t, v, refOf(anna), Reply, july, "old")
	s := v.cache.shard(anna)
	if err := s.beginErase(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	_, err := v.Seal(short, refOf(anna), Reply, july, nil)
	wantKind(t, err, sotto.KindUnavailable)
	_, err = v.Erase(short, anna)
	wantKind(t, err, sotto.KindUnavailable)
	done := make(chan Sealed)
	go func() {
		s, err := v.Seal(t.Context(), refOf(anna), Reply, july, []byte("new"))
		if err != nil {
			t.Error(err)
		}
		done <- s
	}()
	erased := make(chan error)
	go func() {
		_, err := v.Erase(t.Context(), anna)
		erased <- err
	}()
	time.Sleep(5 * time.Millisecond)
	s.endErase(anna)
	<-done
	if err := <-erased; err != nil {
		t.Error(err)
	}
	if g := v.Generation(anna); g != 2 {
		t.Errorf("generation %d", g)
	}
	if _, err := v.open(t.Context(), refOf(anna), old); err == nil {
		t.Error("opens after its erasure")
	}
}

// A key that is destroyed between reading and keeping is not kept.
func TestFetchedKeyIsStale(t *testing.T) {
	v := open(t, newConfig(t))
	seal(t, v, refOf(anna), Reply, july, "x")
	pl := place{anna, Reply, PeriodOf(Reply, july)}
	s := v.cache.shard(anna)
	fetch := func(create bool, at moment) error {
		v.cache.purge()
		l := &loading{done: make(chan struct{})}
		v.fetch(t.Context(), s, loadKey{pl, create}, l, at)
		<-l.done
		return l.err
	}
	if err := fetch(false, moment{0, 0}); err != nil || s.get(pl) == nil {
		t.Error(err)
	}
	for _, at := range []moment{{1, 0}, {0, 1}} {
		if err := fetch(false, at); err == nil || s.get(pl) != nil {
			t.Errorf("kept, though the moment is %v: %v", at, err)
		}
	}
	if _, err := v.Erase(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	if err := fetch(true, moment{0, 0}); err == nil || s.get(pl) != nil {
		t.Errorf("made for an older generation: %v", err)
	}
	if keys, err := v.Keys(t.Context(), anna); err != nil || len(keys) > 0 {
		t.Errorf("stored for an older generation: %v, %v", keys, err)
	}
	seal(t, v, refOf(anna), Reply, july, "x")
	// There is never a second key for a place.
	_, err := v.make(t.Context(), pl, v.Generation(anna))
	wantKind(t, err, sotto.KindExists)
}

func TestCacheBounds(t *testing.T) {
	cfg := newConfig(t)
	cfg.Cache = 100
	v := open(t, cfg)
	sealed := make(map[sotto.PersonID]Sealed)
	for i := range 500 {
		p := v.PersonID("test", "a", fmt.Sprint(i))
		sealed[p] = seal(t, v, refOf(p), Profile, july, "x")
	}
	n := 0
	for i := range v.cache.shards {
		s := &v.cache.shards[i]
		n += len(s.people)
		if len(s.people) != len(s.ring) {
			t.Errorf("%d people, %d in the ring", len(s.people), len(s.ring))
		}
		for j, e := range s.ring {
			if e.at != j || s.people[e.person] != e {
				t.Errorf("the ring is out of order at %d", j)
			}
		}
	}
	if n > 100 || n < 60 {
		t.Errorf("%d people in memory", n)
	}
	for p, s := range sealed {
		wantOpen(t, v, refOf(p), s, "x")
	}
	var months []Sealed
	for m := range 30 {
		months = append(months, seal(t, v, refOf(anna), Reply, july.AddDate(0, -m, 0), "x"))
	}
	for _, s := range months {
		wantOpen(t, v, refOf(anna), s, "x")
	}
	if n := len(v.cache.shard(anna).people[anna].keys); n > maxKeysEach {
		t.Errorf("%d keys of one person in memory", n)
	}
}
