package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// short returns a name for the socket that fits into a socket address (108
// bytes), however long the directory's path is: it leads through an open
// descriptor of the directory, which done closes.
func short(dir string) (name string, done func(), err error) {
	f, err := os.Open(dir) //nolint:gosec // the operator's own setting
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketName), func() { _ = f.Close() }, nil //nolint:errcheck // only read
}

// peer returns the user at the other end.
func peer(c *net.UnixConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *syscall.Ucred
	var cerr error
	if err := raw.Control(func(fd uintptr) {
		cred, cerr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED) //nolint:gosec // a descriptor
	}); err != nil {
		return -1, err
	}
	if cerr != nil {
		return -1, cerr
	}
	return int(cred.Uid), nil
}

// refused reports that nobody listens: there is no socket, or a left-over one.
func refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT)
}
