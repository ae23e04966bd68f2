//go:build !linux

package control

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// short returns the name of the socket. On systems other than Linux the data
// directory's path must be short (about 90 bytes).
func short(dir string) (name string, done func(), err error) {
	return filepath.Join(dir, socketName), func() {}, nil
}

// peer cannot be asked here in a portable way; the directory's mode decides.
func peer(*net.UnixConn) (int, error) { return os.Geteuid(), nil }

func owner(fs.FileInfo) int { return os.Geteuid() }

// refused reports that nobody listens: there is no socket, or a left-over one.
func refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, os.ErrNotExist)
}
