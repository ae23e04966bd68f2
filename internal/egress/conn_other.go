//go:build !unix

package egress

import (
	"net"
	"time"
)

func newRawConn(tcp net.Conn, now func() time.Time) *rawConn { return &rawConn{Conn: tcp, now: now} }

// readNow reads what is there, and waits a millisecond for it, which is the
// shortest look that this system allows.
func (c *rawConn) readNow(b []byte) (int, error) {
	if err := c.Conn.SetReadDeadline(c.now().Add(time.Millisecond)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if again := c.Conn.SetReadDeadline(c.until); again != nil {
		return 0, again
	}
	return n, err
}
