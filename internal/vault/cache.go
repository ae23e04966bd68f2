package vault

import (
	"context"
	"crypto/cipher"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
)

// place is what a data key is for.
type place struct {
	person sotto.PersonID
	class  Class
	period Period
}

// dataKey is a data key ready for use.
type dataKey struct {
	place
	aead       cipher.AEAD
	commitment audit.Commitment // of Profile keys
}

// cache keeps the data keys of the people seen last, a shard for each part of
// the pseudonyms so that many goroutines do not meet at one lock. It also
// counts erasures, since both must change under the same lock.
type cache struct {
	shards []shard
	limit  int // people in each shard
}

type shard struct {
	mu      sync.RWMutex
	people  map[sotto.PersonID]*cached
	ring    []*cached // the same people, for eviction
	hand    int
	erased  map[sotto.PersonID]uint64        // how often, in this process
	erasing map[sotto.PersonID]chan struct{} // closed when it is over
	loading map[loadKey]*loading
}

// cached is one person's keys. The list is replaced, never changed, and holds
// the newest last.
type cached struct {
	person sotto.PersonID
	keys   []*dataKey
	at     int         // place in the ring
	used   atomic.Bool // since the hand came by last
}

type loadKey struct {
	place
	create bool
}

// loading is a key on its way, for those who want the same one.
type loading struct {
	done chan struct{}
	key  *dataKey
	err  error
}

// maxKeysEach bounds the keys of one person in memory. A person uses one key of
// each class at a time; reading a long history takes them month by month.
const maxKeysEach = 8

func newCache(people int) *cache {
	n := 1
	for n < 64 && people/(2*n) >= 16 {
		n *= 2
	}
	c := &cache{shards: make([]shard, n), limit: max(1, people/n)}
	for i := range c.shards {
		s := &c.shards[i]
		s.people = make(map[sotto.PersonID]*cached)
		s.erased = make(map[sotto.PersonID]uint64)
		s.erasing = make(map[sotto.PersonID]chan struct{})
		s.loading = make(map[loadKey]*loading)
	}
	return c
}

// shard returns where a person is kept. Pseudonyms are evenly spread.
func (c *cache) shard(p sotto.PersonID) *shard {
	return &c.shards[int(p[len(p)-1])&(len(c.shards)-1)]
}

// get returns a key that is in memory, or nil.
func (s *shard) get(pl place) *dataKey {
	s.mu.RLock()
	k := s.find(pl)
	s.mu.RUnlock()
	return k
}

// find is get for whoever holds the lock.
func (s *shard) find(pl place) *dataKey {
	e := s.people[pl.person]
	if e == nil {
		return nil
	}
	for _, k := range e.keys {
		if k.class == pl.class && k.period == pl.period {
			if !e.used.Load() {
				e.used.Store(true)
			}
			return k
		}
	}
	return nil
}

// put keeps a key. The caller holds the lock.
func (s *shard) put(k *dataKey, limit int) {
	e := s.people[k.person]
	if e == nil {
		e = &cached{person: k.person}
		if len(s.ring) < limit {
			e.at = len(s.ring)
			s.ring = append(s.ring, e)
		} else {
			e.at = s.evict()
			s.ring[e.at] = e
		}
		s.people[k.person] = e
	}
	old := e.keys
	if len(old) >= maxKeysEach {
		old = old[1:]
	}
	e.keys = append(slices.Clone(old), k)
}

// evict takes one person out who was not used for a whole round of the hand,
// and returns the free place.
func (s *shard) evict() int {
	for {
		s.hand = (s.hand + 1) % len(s.ring)
		e := s.ring[s.hand]
		if !e.used.Swap(false) {
			delete(s.people, e.person)
			return s.hand
		}
	}
}

// forget takes a person out. The caller holds the lock.
func (s *shard) forget(p sotto.PersonID) {
	e := s.people[p]
	if e == nil {
		return
	}
	delete(s.people, p)
	last := len(s.ring) - 1
	s.ring[e.at] = s.ring[last]
	s.ring[e.at].at = e.at
	s.ring[last] = nil
	s.ring = s.ring[:last]
}

// generation returns how often a person was erased.
func (s *shard) generation(p sotto.PersonID) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.erased[p]
}

// beginErase drops the person's keys, raises the generation, and makes everyone
// who needs a key of the person wait until endErase. It waits for its own turn.
func (s *shard) beginErase(ctx context.Context, p sotto.PersonID) error {
	s.mu.Lock()
	for {
		busy := s.erasing[p]
		if busy == nil {
			break
		}
		s.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.mu.Lock()
	}
	s.erasing[p] = make(chan struct{})
	s.erased[p]++
	s.forget(p)
	s.mu.Unlock()
	return nil
}

func (s *shard) endErase(p sotto.PersonID) {
	s.mu.Lock()
	close(s.erasing[p])
	delete(s.erasing, p)
	s.mu.Unlock()
}

// dropBefore takes out the keys of a class whose month is over.
func (c *cache) dropBefore(class Class, before Period) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for _, e := range s.people {
			e.keys = slices.DeleteFunc(slices.Clone(e.keys), func(k *dataKey) bool {
				return k.class == class && k.period < before
			})
		}
		s.mu.Unlock()
	}
}

// purge takes everybody out.
func (c *cache) purge() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		clear(s.people)
		clear(s.ring)
		s.ring = s.ring[:0]
		s.mu.Unlock()
	}
}
