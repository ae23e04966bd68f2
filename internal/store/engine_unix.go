//go:build unix

package store

import (
	"errors"
	"syscall"

	"modernc.org/libc"
	engine "modernc.org/sqlite/lib"
)

// tuneEngine sets what the library keeps for the whole process. It may be
// called any number of times.
func tuneEngine() {
	tls := libc.NewTLS()
	defer tls.Close()
	// fdatasync is as durable as fsync and spares the journal of the file
	// system a write for the file's times.
	engine.Xmodernc_fdatasync(tls, 1)
	// Locks that belong to the open file: otherwise whoever in this process
	// opens and closes the database file (a backup) silently ends them.
	engine.Xmodernc_ofd_locking(tls, 1)
	registerVFS(tls, vfsName, layerOpen)
}

func errnoOf(err error) int {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return int(e)
	}
	return 0
}
