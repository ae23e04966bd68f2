//go:build !unix

package lease

import (
	"errors"
	"os"
)

const noFollow = 0

// lock refuses: without a lock two processes could write at once.
func lock(*os.File) error { return errors.New("this system has no file locks that Sotto knows") }

func noRoom(error) bool { return false }
