// Package lease makes sure that one process at a time owns something on the
// disk, through a lock on a file.
//
// The lock belongs to the open file, so the kernel ends it when the process
// ends, however that happens; the file itself stays, and what it says (the
// holder's process number) is a hint for people and never proof. The lock is
// advisory: it keeps out programs that ask, not ones that do not. It is not
// meant for network file systems.
package lease

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/sotto-chat/sotto"
)

// Lease is a held lock. Release it, or end the process: a Lease that is merely
// forgotten stays held.
type Lease struct {
	f *file
}

// HeldError says who holds the lock. It is the cause of the error of
// [sotto.KindBusy] that [Acquire] returns.
type HeldError struct {
	Path string
	PID  int // 0 where it is not known
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return "another process holds " + e.Path
	}
	return fmt.Sprintf("process %d holds %s", e.PID, e.Path)
}

// errHeld is what the system's lock call says.
var errHeld = errors.New("held")

// Acquire takes the lock on the file at path, which is made if there is none.
// Where somebody holds it, the error is of [sotto.KindBusy] with a [*HeldError]
// in its chain.
func Acquire(path string) (*Lease, error) {
	const op = "lease.acquire"
	f, err := openFile(filepath.Clean(path))
	if err != nil {
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	switch err := f.lock(); {
	case errors.Is(err, errHeld):
		pid := parsePID(f.read())
		return nil, errors.Join(sotto.E(op, sotto.KindBusy, &HeldError{Path: path, PID: pid}), f.close())
	case err != nil:
		return nil, errors.Join(sotto.E(op, sotto.KindUnavailable, err), f.close())
	}
	// The lock counts; the number is a hint, and a full disk is no reason to
	// do without the lock.
	_ = f.write(strconv.Itoa(os.Getpid())) // see above
	return &Lease{f: f}, nil
}

// Wait is Acquire, tried again until the lock is free or ctx ends.
func Wait(ctx context.Context, path string) (*Lease, error) {
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for {
		l, err := Acquire(path)
		if err == nil || sotto.KindOf(err) != sotto.KindBusy {
			return l, err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

// Release gives the lock back. The file stays, so that nobody locks a file
// that another one has just unlinked.
func (l *Lease) Release() error {
	if l == nil || l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	return errors.Join(f.write(""), f.close())
}

// parsePID reads the number of a process, and returns 0 for anything else.
func parsePID(s string) int {
	pid, err := strconv.ParseInt(s, 10, 32)
	if err != nil || pid <= 0 || strconv.FormatInt(pid, 10) != s {
		return 0
	}
	return int(pid)
}
