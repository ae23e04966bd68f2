package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Turns plays persons who write, wait for the answer, and write again.
type Turns struct {
	stub    *Stub
	waiting sync.Map // user → chan struct{}
	next    atomic.Int64
	talkers []*talker
}

// talker is one connection with a few persons who take turns on it.
type talker struct {
	conn  *conn
	users []int64
	got   chan struct{}
}

// NewTurns makes the stub network. Give [Turns.URL] to the server as the api of
// both channels.
func NewTurns(ctx context.Context) (*Turns, error) {
	t := &Turns{}
	var err error
	t.stub, err = NewStub(ctx, func(user int64) {
		if ch, ok := t.waiting.Load(user); ok {
			select {
			case ch.(chan struct{}) <- struct{}{}: //nolint:errcheck,forcetypeassert // only channels are in it
			default:
			}
		}
	})
	return t, err
}

// URL is the base address of the stub network.
func (t *Turns) URL() string { return t.stub.URL() }

// Close ends all connections.
func (t *Turns) Close() error {
	var errs []error
	for _, k := range t.talkers {
		errs = append(errs, k.conn.c.Close())
	}
	return errors.Join(append(errs, t.stub.Close())...)
}

// patience is how long a talker waits for an answer.
const patience = 10 * time.Second

// Meet connects and has every person say a first word, so that the notice is
// behind them.
func (t *Turns) Meet(ctx context.Context, addr string, conns, persons int) error {
	for i := range conns {
		channel := "telegram"
		if i%2 == 1 {
			channel = "messenger"
		}
		c, err := dial(ctx, addr, channel)
		if err != nil {
			return err
		}
		k := &talker{conn: c, got: make(chan struct{}, 2)}
		for j := range persons {
			u := int64(1000 + i*persons + j)
			k.users = append(k.users, u)
			t.waiting.Store(u, k.got)
		}
		t.talkers = append(t.talkers, k)
	}
	return t.each(func(k *talker) error {
		for _, u := range k.users {
			if err := t.exchange(k, u, 2); err != nil { // the notice, then the answer
				return err
			}
		}
		return nil
	})
}

func (t *Turns) each(f func(*talker) error) error {
	errs := make(chan error, len(t.talkers))
	for _, k := range t.talkers {
		go func() { errs <- f(k) }()
	}
	var all []error
	for range t.talkers {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// exchange says something as a person and waits for n messages.
func (t *Turns) exchange(k *talker, user int64, n int) error {
	status, err := k.conn.call(user, t.next.Add(1))
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("the server answered %d", status)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for range n {
		select {
		case <-k.got:
		case <-timer.C:
			return fmt.Errorf("no answer within %s", patience)
		}
	}
	return nil
}

// Run has everybody talk for a while.
func (t *Turns) Run(ctx context.Context, d time.Duration) (*Slice, error) {
	out := &Slice{}
	var mu sync.Mutex
	begin := time.Now() //nolint:forbidigo // a benchmark measures the real clock
	end := begin.Add(d)
	err := t.each(func(k *talker) error {
		var delays []time.Duration
		defer func() {
			mu.Lock()
			out.Delays = append(out.Delays, delays...)
			mu.Unlock()
		}()
		last := begin
		for i := 0; last.Before(end) && ctx.Err() == nil; i++ {
			if err := t.exchange(k, k.users[i%len(k.users)], 1); err != nil {
				return err
			}
			now := time.Now() //nolint:forbidigo // a benchmark measures the real clock
			delays = append(delays, now.Sub(last))
			last = now
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Took = time.Since(begin) //nolint:forbidigo // a benchmark measures the real clock
	out.Calls = int64(len(out.Delays))
	slices.Sort(out.Delays)
	return out, nil
}
