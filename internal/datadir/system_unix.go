//go:build unix

package datadir

import (
	"errors"
	"os"
	"syscall"

	"github.com/sotto-chat/sotto"
)

// owner returns whose file it is.
func owner(st os.FileInfo) (int, bool) {
	s, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}

// fail sorts an error of the file system.
func fail(op string, err error) error {
	kind := sotto.KindUnavailable
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		kind = sotto.KindFull
	case errors.Is(err, os.ErrPermission):
		kind = sotto.KindDenied
	}
	return sotto.E(op, kind, err)
}
