package store

import (
	"errors"
	"fmt"
	"syscall"

	engine "modernc.org/sqlite/lib"

	"github.com/sotto-chat/sotto"
)

// engineError is what the SQLite library says. Its text names tables and
// columns and never holds values.
type engineError struct {
	code  int // extended result code, https://www.sqlite.org/rescode.html
	errno int // of the last failed system call
	text  string
}

func (e *engineError) Error() string {
	if e.errno != 0 && (e.primary() == engine.SQLITE_IOERR || e.primary() == engine.SQLITE_CANTOPEN) {
		return fmt.Sprintf("%s (sqlite %d: %v)", e.text, e.code, syscall.Errno(e.errno)) // small
	}
	return fmt.Sprintf("%s (sqlite %d)", e.text, e.code)
}

func (e *engineError) primary() int { return e.code & 0xff }

// noSpace reports whether the system refused for want of room: a full disk, a
// quota, or a limit on file sizes.
func (e *engineError) noSpace() bool {
	switch syscall.Errno(e.errno) { //nolint:exhaustive // all others are not about room
	case syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG:
		return true
	}
	return false
}

func kindOf(err error) sotto.Kind {
	var e *engineError
	if !errors.As(err, &e) {
		return sotto.KindOther
	}
	switch e.primary() {
	case engine.SQLITE_FULL:
		return sotto.KindFull
	case engine.SQLITE_IOERR:
		switch e.code {
		case engine.SQLITE_IOERR_CORRUPTFS, engine.SQLITE_IOERR_DATA:
			return sotto.KindCorrupt
		case engine.SQLITE_IOERR_SHORT_READ:
			return sotto.KindCorrupt
		}
		if e.noSpace() {
			return sotto.KindFull
		}
		return sotto.KindUnavailable
	case engine.SQLITE_CANTOPEN:
		if e.noSpace() {
			return sotto.KindFull
		}
		return sotto.KindUnavailable
	case engine.SQLITE_CORRUPT, engine.SQLITE_NOTADB:
		return sotto.KindCorrupt
	case engine.SQLITE_BUSY, engine.SQLITE_LOCKED:
		return sotto.KindBusy
	case engine.SQLITE_CONSTRAINT:
		if e.code == engine.SQLITE_CONSTRAINT_UNIQUE || e.code == engine.SQLITE_CONSTRAINT_PRIMARYKEY || e.code == engine.SQLITE_CONSTRAINT_ROWID {
			return sotto.KindExists
		}
		return sotto.KindInvalid
	default:
		return sotto.KindOther
	}
}

// distrust reports whether a connection that gave this error must not be used
// again: what it knows of the file may no longer be so.
func distrust(err error) bool {
	var e *engineError
	if !errors.As(err, &e) {
		return false
	}
	switch e.primary() {
	case engine.SQLITE_IOERR, engine.SQLITE_CORRUPT, engine.SQLITE_NOTADB, engine.SQLITE_CANTOPEN,
		engine.SQLITE_NOMEM, engine.SQLITE_MISUSE, engine.SQLITE_INTERNAL, engine.SQLITE_PROTOCOL, engine.SQLITE_READONLY:
		return true
	}
	return false
}
