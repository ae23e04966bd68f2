//go:build unix

package vault

import (
	"errors"
	"os"
	"syscall"

	"github.com/sotto-chat/sotto"
)

// lockFile takes a lock that ends with the process. A second process on the
// same key store would keep keys in memory that the first one destroyed.
func lockFile(path string) (*os.File, error) {
	const op = "vault.lock"
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // a descriptor fits
		return nil, errors.Join(sotto.E(op, sotto.KindBusy, errors.New("another process has the key store open")), f.Close())
	}
	return f, nil
}
