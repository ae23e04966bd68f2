package inbox

import (
	"sync"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/clock"
)

// limiter bounds how many of a person's messages reach the bot in a minute. It
// remembers only who wrote in the present minute.
type limiter struct {
	most   int
	now    clock.Clock
	mu     sync.Mutex
	minute int64
	counts map[sotto.PersonID]int
}

// allow counts a message. first is true for the first message over the limit.
func (l *limiter) allow(p sotto.PersonID) (ok, first bool) {
	if l.most <= 0 {
		return true, false
	}
	minute := l.now().Unix() / 60
	l.mu.Lock()
	defer l.mu.Unlock()
	if minute != l.minute || l.counts == nil {
		l.minute, l.counts = minute, make(map[sotto.PersonID]int)
	}
	l.counts[p]++
	n := l.counts[p]
	return n <= l.most, n == l.most+1
}
