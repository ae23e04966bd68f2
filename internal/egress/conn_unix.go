//go:build unix

package egress

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

func newRawConn(tcp net.Conn, now func() time.Time) *rawConn {
	c := &rawConn{Conn: tcp, now: now}
	if s, ok := tcp.(syscall.Conn); ok {
		c.sys, _ = s.SyscallConn() // nil if it fails, and the connection is not used again
	}
	c.read = func(fd uintptr) bool { // once for each connection, because it escapes
		for {
			c.n, c.err = syscall.Read(int(fd), c.buf)
			if !errors.Is(c.err, syscall.EINTR) {
				return true
			}
		}
	}
	return c
}

// readNow reads what is there: os.ErrDeadlineExceeded if that is nothing, and
// 0 bytes if the other side has closed.
func (c *rawConn) readNow(b []byte) (int, error) {
	if c.sys == nil {
		return 0, net.ErrClosed
	}
	c.buf = b
	err := c.sys.Read(c.read)
	c.buf = nil
	switch {
	case err != nil:
		return 0, net.ErrClosed
	case errors.Is(c.err, syscall.EAGAIN):
		return 0, os.ErrDeadlineExceeded
	case c.err != nil:
		return 0, c.err
	}
	return c.n, nil
}
