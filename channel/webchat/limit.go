package webchat

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// limiter holds back those who call too often. It keeps one number for each
// caller, and only while that caller is being counted: the time at which all
// its calls are paid for (the generic cell rate algorithm).
type limiter struct {
	cost  time.Duration // what one call adds
	burst time.Duration // how far ahead a caller may be

	mu    sync.Mutex
	paid  map[string]time.Time
	sweep time.Time
}

// maxCallers bounds a limiter's memory. Callers beyond it share one count.
const maxCallers = 1 << 16

func newLimiter(perMinute int) *limiter {
	cost := time.Minute / time.Duration(max(perMinute, 1))
	return &limiter{cost: cost, burst: 20 * time.Second, paid: make(map[string]time.Time)}
}

// allow counts a call of the weight n. It returns 0, or how long to wait.
func (l *limiter) allow(key string, n int, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.After(l.sweep) {
		l.sweep = now.Add(10 * time.Second)
		for k, t := range l.paid {
			if !t.After(now) {
				delete(l.paid, k)
			}
		}
	}
	t, known := l.paid[key]
	if !known && len(l.paid) >= maxCallers {
		key = ""
		t = l.paid[key]
	}
	if t.Before(now) {
		t = now
	}
	t = t.Add(time.Duration(n) * l.cost)
	if over := t.Sub(now) - max(l.burst, l.cost); over > 0 {
		return over
	}
	l.paid[key] = t
	return 0
}

// prefixOf turns an address, with or without a port, into what is counted as
// one caller: an IPv4 address, or the /64 that a household gets in IPv6.
func prefixOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		addr = host
	}
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return p.String()
}
