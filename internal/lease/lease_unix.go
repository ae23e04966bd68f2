//go:build unix

package lease

import (
	"errors"
	"os"
	"syscall"
)

// file is an open lock file. It is a bare descriptor and not an [os.File],
// which the collector would close, and so unlock, if a lease were forgotten.
type file struct{ fd int }

// openFile opens or makes the file; a symbolic link is refused.
func openFile(path string) (*file, error) {
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CREAT|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &file{fd: fd}, nil
}

// lock takes the lock without waiting. It is flock(2) and not a record lock:
// it survives the closing of another descriptor of the same file.
func (f *file) lock() error {
	for {
		err := syscall.Flock(f.fd, syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHeld
		}
		return err
	}
}

// read returns the first bytes of the file.
func (f *file) read() string {
	b := make([]byte, 20)
	n, err := syscall.Pread(f.fd, b, 0)
	if err != nil {
		return ""
	}
	return string(b[:n])
}

// write replaces what the file says.
func (f *file) write(s string) error {
	if err := syscall.Ftruncate(f.fd, 0); err != nil || s == "" {
		return err
	}
	_, err := syscall.Pwrite(f.fd, []byte(s), 0)
	return err
}

func (f *file) close() error { return syscall.Close(f.fd) }
