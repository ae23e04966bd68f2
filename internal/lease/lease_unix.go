//go:build unix

package lease

import (
	"errors"
	"os"
	"syscall"
)

// noFollow refuses a lock file that is a symbolic link.
const noFollow = syscall.O_NOFOLLOW

// lock takes the lock without waiting. It is flock(2) and not a record lock:
// it survives the closing of another descriptor of the same file.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) // a descriptor is small
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHeld
		}
		return err
	}
}

func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
