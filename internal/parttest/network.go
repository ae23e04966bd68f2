package parttest

import (
	"context"
	"strconv"
	"sync"

	"github.com/sotto-chat/sotto/channel"
)

// Network is a channel in memory that records what is sent and fails as it is
// told.
type Network struct {
	mu    sync.Mutex
	sent  []channel.Outgoing
	tried int
	fail  func(n int, m *channel.Outgoing) error
	news  chan struct{}

	// Peculiar are the network's traits, and Numbered says that buttons go out as
	// numbers. Set them before the house is opened.
	Peculiar channel.Traits
	Numbered bool

	files   map[string][]byte
	fetched int
	fetch   func(ctx context.Context, a channel.Attachment, limit int64) ([]byte, error)
}

// NewNetwork makes a network that takes everything.
func NewNetwork() *Network { return &Network{news: make(chan struct{}, 1)} }

// Fail has f decide about every attempt, of which n is the number, from 1. It
// may block, and is called from many goroutines. nil: everything is taken.
func (w *Network) Fail(f func(n int, m *channel.Outgoing) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = f
}

// Channel is "telegram", which policies know.
func (*Network) Channel() string { return "telegram" }

// Traits has those it was given, by default none.
func (w *Network) Traits() channel.Traits { return w.Peculiar }

// Verify refuses: tests hand events to the inbox.
func (*Network) Verify(*channel.Request) error { return channel.ErrUnverified }

// Decode finds nothing.
func (*Network) Decode([]byte) (channel.Batch, error) { return channel.Batch{}, nil }

// Send records m.
func (w *Network) Send(_ context.Context, m *channel.Outgoing) (channel.Sent, error) {
	w.mu.Lock()
	w.tried++
	n, fail := w.tried, w.fail
	w.mu.Unlock()
	if fail != nil {
		if err := fail(n, m); err != nil {
			return channel.Sent{}, err
		}
	}
	w.mu.Lock()
	w.sent = append(w.sent, *m)
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
	return channel.Sent{ID: strconv.Itoa(n), Numbered: w.Numbered && len(m.Buttons) > 0}, nil
}

// Sent returns what was taken, in order.
func (w *Network) Sent() []channel.Outgoing {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]channel.Outgoing(nil), w.sent...)
}

// Tried returns how many attempts there were.
func (w *Network) Tried() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tried
}

// Idempotent is a network that recognises a repeated send.
type Idempotent struct{ *Network }

// Traits says so.
func (Idempotent) Traits() channel.Traits { return channel.Traits{Idempotent: true} }

// Migrating is a network that gives people and groups new ids.
type Migrating struct{ *Network }

// Traits says so.
func (Migrating) Traits() channel.Traits { return channel.Traits{Migrates: true} }
