// Package bench measures a Sotto from outside: it plays the networks on
// loopback, towards a server in another process, and reads that process's own
// account of its CPU time.
//
// The load is closed: each connection has one call under way, each person one
// message. The playing side is as cheap as it can be, because it shares the
// machine with what it measures; its CPU time is not counted.
package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Slice is what one stretch of load did.
type Slice struct {
	Calls  int64
	Bad    int64 // answered with anything but 200
	Took   time.Duration
	Delays []time.Duration // sorted
}

// PerSecond is the rate of calls.
func (s *Slice) PerSecond() float64 { return float64(s.Calls) / s.Took.Seconds() }

// Quantile returns the delay that the share q of calls did not exceed.
func (s *Slice) Quantile(q float64) time.Duration {
	if len(s.Delays) == 0 {
		return 0
	}
	return s.Delays[min(int(q*float64(len(s.Delays))), len(s.Delays)-1)]
}

// conn is one kept-alive connection to the server.
type conn struct {
	c net.Conn
	r *bufio.Reader
	w *writer
}

func dial(ctx context.Context, addr, channel string) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{c: c, r: bufio.NewReaderSize(c, 2048), w: newWriter(channel)}, nil
}

var errAnswer = errors.New("the server's answer is not HTTP")

// call makes one webhook call and returns its status.
func (c *conn) call(user, n int64) (int, error) {
	if _, err := c.c.Write(c.w.request(user, n)); err != nil {
		return 0, err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil || len(line) < 12 {
		return 0, errors.Join(errAnswer, err)
	}
	status := int(line[9]-'0')*100 + int(line[10]-'0')*10 + int(line[11]-'0')
	length := 0
	for {
		line, err = c.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			for _, d := range bytes.TrimSpace(v) {
				length = length*10 + int(d-'0')
			}
		}
	}
	_, err = c.r.Discard(length)
	return status, err
}

// Ingest drives conns connections at addr for a while.
func Ingest(ctx context.Context, addr, channel string, conns int, users int64, next *atomic.Int64, d time.Duration) (*Slice, error) {
	var (
		mu   sync.Mutex
		out  = &Slice{}
		wg   sync.WaitGroup
		errs error
	)
	open := make([]*conn, conns)
	for i := range open {
		c, err := dial(ctx, addr, channel)
		if err != nil {
			return nil, err
		}
		defer c.c.Close() //nolint:errcheck // the run is over
		open[i] = c
	}
	begin := time.Now() //nolint:forbidigo // a benchmark measures the real clock
	end := begin.Add(d)
	for _, c := range open {
		wg.Go(func() {
			delays := make([]time.Duration, 0, 8192)
			bad := int64(0)
			var err error
			for t := begin; t.Before(end) && ctx.Err() == nil; {
				n := next.Add(1)
				var status int
				if status, err = c.call(1+n%users, n); err != nil {
					break
				}
				now := time.Now() //nolint:forbidigo // a benchmark measures the real clock
				if status != 200 {
					bad++
				}
				delays = append(delays, now.Sub(t))
				t = now
			}
			mu.Lock()
			defer mu.Unlock()
			out.Bad += bad
			out.Delays = append(out.Delays, delays...)
			errs = errors.Join(errs, err)
		})
	}
	wg.Wait()
	out.Took = time.Since(begin) //nolint:forbidigo // a benchmark measures the real clock
	out.Calls = int64(len(out.Delays))
	slices.Sort(out.Delays)
	if errs != nil {
		return nil, fmt.Errorf("%s at %d connections: %w", channel, conns, errs)
	}
	return out, nil
}
