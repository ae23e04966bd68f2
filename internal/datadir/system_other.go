//go:build !unix

package datadir

import (
	"os"

	"github.com/sotto-chat/sotto"
)

func owner(os.FileInfo) (int, bool) { return 0, false }

func fail(op string, err error) error { return sotto.E(op, sotto.KindUnavailable, err) }
