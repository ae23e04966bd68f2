package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// maxName is the longest socket name that fits into an address on all systems
// (sun_path holds 104 to 108 bytes).
const maxName = 100

// short returns a name for the socket that fits into an address, however long
// the directory's path is: a long one is replaced by one that leads through an
// open descriptor of the directory, which done closes.
func short(dir string) (name string, done func(), err error) {
	if name := filepath.Join(dir, socketName); len(name) <= maxName {
		return name, func() {}, nil
	}
	f, err := os.Open(dir) //nolint:gosec // the operator's own setting
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketName), func() { _ = f.Close() }, nil // only read
}

// peer returns the user at the other end: of a connection that was accepted,
// who connected; of one that was made, who listens.
func peer(c *net.UnixConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *syscall.Ucred
	var cerr error
	if err := raw.Control(func(fd uintptr) {
		cred, cerr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED) // a descriptor
	}); err != nil {
		return -1, err
	}
	if cerr != nil {
		return -1, cerr
	}
	return int(cred.Uid), nil
}

// owner returns whose directory it is.
func owner(st fs.FileInfo) int {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}

// refused reports that nobody listens: there is no socket, or a left-over one.
func refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT)
}
