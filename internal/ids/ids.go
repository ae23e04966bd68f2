// Package ids makes the row numbers of all tables: 64-bit, unique in a process,
// growing, and close to the time in microseconds, so that rows sort by age.
//
// A row's number is bound into its ciphertext, so it is made before the row is
// sealed, and not by the database.
package ids

import (
	"sync/atomic"

	"github.com/sotto-chat/sotto/internal/clock"
)

// Source hands out numbers. Make it with [NewSource].
type Source struct {
	now  clock.Clock
	last atomic.Int64
}

// NewSource returns a source whose numbers are greater than after, the largest
// that is already in use, even where the clock has been set back.
func NewSource(now clock.Clock, after int64) *Source {
	s := &Source{now: now}
	s.last.Store(after)
	return s
}

// Skip has all further numbers be greater than n.
func (s *Source) Skip(n int64) {
	for {
		last := s.last.Load()
		if last >= n || s.last.CompareAndSwap(last, n) {
			return
		}
	}
}

// Next returns a number greater than all before.
func (s *Source) Next() int64 {
	t := s.now().UnixMicro()
	for {
		last := s.last.Load()
		n := max(t, last+1)
		if s.last.CompareAndSwap(last, n) {
			return n
		}
	}
}
