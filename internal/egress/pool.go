package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

// idleTick is how often a place with unused connections is looked after. A
// connection that was not used for a whole tick is closed at its end, so none
// is kept for more than two, 90 seconds.
const idleTick = 45 * time.Second

var errConnectTime = errors.New("the TLS handshake took too long")

// pool holds the connections to one place. A slot is the right to have a
// connection, in use or not; there are Config.PerHost of them.
type pool struct {
	place
	client *Client
	dialer net.Dialer
	tls    *tls.Config // nil for plain HTTP

	mu      sync.Mutex
	idle    []*conn      // the one used last is last, and is used next
	slots   int          // taken
	waiting []chan *conn // of requests that found no slot; first come, first served
	tick    uint
	timer   *time.Timer // runs while there are idle connections
	retired bool        // nobody finds it any more, so no connection is kept
}

func newPool(c *Client, p place) *pool {
	w := &pool{place: p, client: c}
	w.dialer = net.Dialer{
		Timeout: c.cfg.ConnectTimeout, Resolver: c.cfg.Resolver,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4},
		ControlContext:  c.control,
	}
	if p.local {
		w.dialer.ControlContext = w.control
	}
	if p.scheme == "https" {
		w.tls = c.tls.Clone()
		w.tls.ServerName, _, _ = net.SplitHostPort(p.hostPort) // JoinHostPort made it
	}
	return w
}

// take returns a connection that was kept, or nil and a slot to make one in.
func (p *pool) take(ctx context.Context, until time.Time) (*conn, error) {
	p.mu.Lock()
	if n := len(p.idle) - 1; n >= 0 {
		c := p.idle[n]
		p.idle[n] = nil
		p.idle = p.idle[:n]
		p.mu.Unlock()
		return c, nil
	}
	if p.slots < p.client.cfg.PerHost {
		p.slots++
		p.mu.Unlock()
		return nil, nil //nolint:nilnil // a slot, see above
	}
	turn := make(chan *conn, 1)
	p.waiting = append(p.waiting, turn)
	p.mu.Unlock()
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	select {
	case c := <-turn:
		return c, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	i := slices.Index(p.waiting, turn)
	if i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	}
	p.mu.Unlock()
	if i < 0 { // it came in the same moment
		p.put(<-turn)
	}
	return nil, ctx.Err()
}

// put gives a connection back, or if c is nil, a slot without one.
func (p *pool) put(c *conn) {
	p.mu.Lock()
	if len(p.waiting) > 0 {
		turn := p.waiting[0]
		p.waiting = slices.Delete(p.waiting, 0, 1)
		p.mu.Unlock()
		turn <- c
		return
	}
	if c == nil || p.retired || len(p.idle) >= p.client.cfg.IdlePerHost {
		p.slots--
		p.mu.Unlock()
		if c != nil {
			c.bye()
		}
		return
	}
	c.tick = p.tick
	p.idle = append(p.idle, c)
	if p.timer == nil {
		p.timer = time.AfterFunc(idleTick, func() { p.prune(2) })
	}
	p.mu.Unlock()
}

// prune begins a tick and closes connections that were not used for so many.
func (p *pool) prune(ticks uint) {
	p.mu.Lock()
	p.tick++
	old := 0 // connections are in the order of their last use
	for old < len(p.idle) && p.tick-p.idle[old].tick >= ticks {
		old++
	}
	gone := slices.Clone(p.idle[:old])
	p.idle = slices.Delete(p.idle, 0, old)
	p.slots -= old
	switch {
	case p.timer == nil:
	case len(p.idle) > 0:
		p.timer.Reset(idleTick)
	default:
		p.timer.Stop()
		p.timer = nil
	}
	p.mu.Unlock()
	for _, c := range gone {
		c.bye()
	}
}

// retire closes the connections for good if none is in use, and reports whether
// it did. A request that has found the pool just before works on, and its
// connection is closed after it.
func (p *pool) retire() bool {
	p.mu.Lock()
	if p.slots > len(p.idle) || len(p.waiting) > 0 {
		p.mu.Unlock()
		return false
	}
	p.retired = true
	p.mu.Unlock()
	p.prune(0)
	return true
}

// dial makes a connection in a slot. It checks the address that it connects to,
// not the one that somebody looked up before.
func (p *pool) dial(ctx context.Context, until time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	tcp, err := p.dialer.DialContext(ctx, "tcp", p.hostPort)
	if err != nil {
		return nil, err
	}
	raw := newRawConn(tcp, p.client.cfg.Now)
	if p.tls == nil {
		return newConn(raw, raw), nil
	}
	secure := tls.Client(raw, p.tls)
	limited, cancel := context.WithTimeout(ctx, p.client.cfg.ConnectTimeout)
	defer cancel()
	if err := secure.HandshakeContext(limited); err != nil {
		raw.Close() //nolint:errcheck,gosec // nothing was said
		if limited.Err() != nil && ctx.Err() == nil {
			err = errConnectTime
		}
		return nil, err
	}
	c := newConn(raw, secure)
	state := secure.ConnectionState()
	c.state = &state
	return c, nil
}
