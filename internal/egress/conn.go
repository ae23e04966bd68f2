package egress

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

var (
	errHeaders = errors.New("the answer's headers are too large")
	errNotHTTP = errors.New("the answer is not HTTP")
)

// conn is a connection that one request at a time is on. Only the goroutine of
// that request touches it, apart from cut.
type conn struct {
	raw   *rawConn
	rw    net.Conn // raw, or TLS over it
	br    *bufio.Reader
	cut   func()               // ends what is under way, from any goroutine
	state *tls.ConnectionState // nil for plain HTTP
	kept  bool                 // was used before
	tick  uint                 // of its pool, when it was last used
	one   [1]byte

	// of the exchange
	room   int64 // bytes that may still be read; below 0 there is no bound
	heard  bool  // something was read
	failed error // of the last read
}

func newConn(raw *rawConn, rw net.Conn) *conn {
	c := &conn{raw: raw, rw: rw}
	c.br = bufio.NewReader(c)
	c.cut = func() { raw.Close() } //nolint:errcheck,gosec // whoever reads or writes gets the error
	return c
}

// Read reads for br.
func (c *conn) Read(b []byte) (int, error) {
	if c.room >= 0 {
		if c.room == 0 {
			c.failed = errHeaders
			return 0, errHeaders
		}
		b = b[:min(int64(len(b)), c.room)]
	}
	n, err := c.rw.Read(b)
	if c.room > 0 {
		c.room -= int64(n)
	}
	c.heard = c.heard || n > 0
	c.failed = err
	return n, err
}

// ready sets the time until which an exchange may last, and reports whether the
// connection can be used: the other side has neither closed it nor said anything.
// TLS has messages of its own, which are no answer, so it is TLS that looks.
func (c *conn) ready(until time.Time) bool {
	if c.raw.SetDeadline(until) != nil {
		return false
	}
	c.raw.look = true
	n, err := c.rw.Read(c.one[:])
	c.raw.look = false
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// begin forgets the exchange before.
func (c *conn) begin() { c.room, c.heard, c.failed = -1, false, nil }

// receive reads the head of an answer, and the heads of interim answers before
// it (RFC 9110, 15.2), all within one bound.
func (c *conn) receive(r *http.Request, most int64) (*http.Response, error) {
	c.room = most
	for {
		resp, err := http.ReadResponse(c.br, r)
		if err != nil {
			return nil, c.why()
		}
		if resp.StatusCode >= http.StatusOK || resp.StatusCode == http.StatusSwitchingProtocols {
			c.room = -1
			resp.TLS = c.state
			return resp, nil
		}
		if resp.StatusCode < http.StatusContinue {
			return nil, errNotHTTP
		}
	}
}

// why returns the reason for which an answer could not be read: that of the
// connection, or else it was the answer's own fault.
func (c *conn) why() error {
	if c.failed != nil {
		return c.failed
	}
	return errNotHTTP
}

// bye closes a connection that is not in use.
func (c *conn) bye() {
	c.rw.Close() //nolint:errcheck,gosec // nobody waits for anything on it
}

// rawConn is a TCP connection that counts what is written, and that can be
// looked at without waiting.
type rawConn struct {
	net.Conn
	sys   syscall.RawConn
	now   func() time.Time
	sent  int64
	until time.Time // the deadline
	look  bool      // reads do not wait

	read func(fd uintptr) bool // reads into buf
	buf  []byte
	n    int
	err  error
}

// SetDeadline remembers the deadline for systems where a look changes it.
func (c *rawConn) SetDeadline(t time.Time) error {
	c.until = t
	return c.Conn.SetDeadline(t)
}

func (c *rawConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.sent += int64(n)
	return n, err
}

func (c *rawConn) Read(b []byte) (int, error) {
	if !c.look {
		return c.Conn.Read(b)
	}
	n, err := c.readNow(b)
	if n == 0 && err == nil && len(b) > 0 {
		err = io.EOF
	}
	return n, err
}
