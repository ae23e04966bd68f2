package egress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/sotto-chat/sotto"
)

const (
	closeRest = 4 << 10               // bytes of a body that Close reads to reach the end
	closeTime = 50 * time.Millisecond // how long it waits for them, and for a last word after a failed write
)

// try is one request on its way, and then the body of its answer.
type try struct {
	view  *View
	pool  *pool
	ctx   context.Context //nolint:containedctx // the body is read under the request's own limits
	until time.Time
	wrote bool // something of the request left this machine

	mu     sync.Mutex // one reads the body or closes it; a connection has one user
	conn   *conn      // nil if the answer has come to its end
	unhook func() bool
	keep   bool // the connection may be used again
	body   io.Reader
	left   int64
	failed error
}

// run makes the exchange, up to the answer's body.
func (t *try) run(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close() //nolint:errcheck // what counts was read
	}
	c := t.view.client
	buf, ok := c.buffers.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	m, err := compose(r, t.pool.host, (*buf)[:0])
	defer func() {
		clear(m.out) // what people said is not left lying about
		if *buf = m.out[:0]; cap(m.out) <= 4*maxOut {
			c.buffers.Put(buf)
		}
	}()
	if err != nil {
		return nil, err
	}
	if err := t.connect(); err != nil {
		return nil, err
	}
	resp, err := t.exchange(r, &m)
	if err != nil && t.again(r, &m, err) {
		if err := t.reconnect(); err != nil {
			return nil, err
		}
		resp, err = t.exchange(r, &m)
	}
	if err != nil {
		t.end(false)
		return nil, err
	}
	return resp, nil
}

// connect gets a connection: the one that was used last and still can be, or a
// new one.
func (t *try) connect() error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	for {
		c, err := t.pool.take(t.ctx, t.until)
		switch {
		case err != nil:
			return err
		case c == nil:
			return t.fresh()
		case c.ready(t.until):
			t.use(c)
			return nil
		}
		c.cut()
		t.pool.put(nil)
	}
}

// fresh makes a connection in the slot that the request has.
func (t *try) fresh() error {
	c, err := t.pool.dial(t.ctx, t.until)
	if err == nil {
		err = c.raw.SetDeadline(t.until)
	}
	if err != nil {
		if c != nil {
			c.cut()
		}
		t.pool.put(nil)
		return err
	}
	t.use(c)
	return nil
}

// reconnect puts a new connection in the place of a broken one.
func (t *try) reconnect() error {
	t.conn.cut()
	if t.unhook != nil {
		t.unhook()
	}
	t.conn, t.unhook = nil, nil
	return t.fresh()
}

// use begins an exchange on a connection. A context that ends closes it.
func (t *try) use(c *conn) {
	c.begin()
	t.conn = c
	if t.ctx.Done() != nil {
		t.unhook = context.AfterFunc(t.ctx, c.cut)
	}
}

// exchange writes the request and reads the head of the answer.
func (t *try) exchange(r *http.Request, m *message) (*http.Response, error) {
	c := t.conn
	before := c.raw.sent
	err := m.send(c.rw)
	t.wrote = t.wrote || c.raw.sent != before
	if err != nil && (!t.wrote || !closed(err)) {
		return nil, err
	}
	// Who closes the connection while a long request is on its way may have
	// said why. It is here already, or never comes.
	if err != nil && !t.hurry() {
		return nil, err
	}
	resp, late := c.receive(r, t.view.client.cfg.MaxHeader)
	switch {
	case late != nil && err != nil:
		return nil, err
	case late != nil:
		return nil, late
	}
	t.keep = err == nil && keeps(r) && !resp.Close && resp.StatusCode != http.StatusSwitchingProtocols
	t.body = resp.Body
	return resp, nil
}

// again reports whether a request that failed is made once more.
func (t *try) again(r *http.Request, m *message, err error) bool {
	c := t.conn
	return c.kept && !c.heard && !m.used && closed(err) && (!t.wrote || repeatable(r)) && t.ctx.Err() == nil
}

// closed reports whether the other side ended the connection.
func closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// end gives up the connection. whole says that the answer was read to its end;
// a connection on which there is more than that is not used again.
func (t *try) end(whole bool) {
	c := t.conn
	if c == nil {
		return
	}
	t.conn, t.body = nil, nil
	inTime := t.unhook == nil || t.unhook()
	if whole && inTime && t.keep && c.br.Buffered() == 0 {
		c.kept = true
		t.pool.put(c)
		return
	}
	c.cut()
	t.pool.put(nil)
}

// hurry lets what is read from now on take closeTime, and no more.
func (t *try) hurry() bool {
	soon := t.view.client.cfg.Now().Add(closeTime)
	return !soon.Before(t.until) || t.conn.raw.SetDeadline(soon) == nil
}

// Read reads the body up to its bound.
func (t *try) Read(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.failed != nil:
		return 0, t.failed
	case len(p) == 0:
		return 0, nil
	}
	if int64(len(p)) > t.left+1 {
		p = p[:t.left+1] // one more, to see whether it goes on
	}
	n, err := t.body.Read(p)
	if int64(n) > t.left {
		n = int(t.left)
		t.view.tooLarge.Add(1)
		err = answered("the answer is too large")
	} else if err != nil && !errors.Is(err, io.EOF) {
		f := failure(t.ctx, t.conn.why(), true)
		err = sotto.E(opDo, f.kind, f)
	}
	t.left -= int64(n)
	if err != nil {
		t.failed = err
		t.end(errors.Is(err, io.EOF))
	}
	return n, err
}

// Close ends the request. A short rest of the body that the reader left, such
// as the mark of its end, is read, so that the connection can be used again. It
// waits for a Read that is under way.
func (t *try) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil {
		whole := false
		if t.keep && t.hurry() {
			n, err := io.CopyN(io.Discard, t.body, closeRest)
			whole = n < closeRest && errors.Is(err, io.EOF)
		}
		t.end(whole)
	}
	if t.failed == nil {
		t.failed = answered("the answer was closed")
	}
	return nil
}
