// Package datadir is the directory in which one Sotto keeps everything: who may
// look into it, which files belong there, and who holds it.
//
// # What it promises
//
// The directory is its owner's alone (0700); one that others can read or write
// is refused, with the command that mends it. One process at a time holds it;
// a second one is told who does. Nothing is ever made anew where something was:
// once the databases exist, a directory that lacks one of them is an error of
// [sotto.KindCorrupt] that names the missing file, since a new, empty one would
// turn a lost disk into "nobody ever wrote to us".
//
// # What it does not do
//
// It does not open the databases, and does not look into them; their packages
// do. It does not protect against the owner, or root.
package datadir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/lease"
)

// The files that belong in the directory. Others may lie there too (the audit
// log's head, certificates, the control socket) and are looked after by the
// packages that make them.
const (
	identityFile = "sotto.json" // which Sotto this is, and in which format
	dataFile     = "data.db"    // everything but keys, sealed
	keysFile     = "keys.db"    // the wrapped keys
	leaseFile    = "sotto.lock" // held as long as the process lives
)

// Options say how to open a directory.
type Options struct {
	Create bool             // make it if there is none; default false: that is an error of sotto.KindNotFound
	Now    func() time.Time // dates a new directory; required with Create
}

// Dir is a data directory that this process holds. Close it to let it go.
type Dir struct {
	path  string
	id    Identity
	lease *lease.Lease
}

// Absent reports whether there is no data at path yet: no identity file and no
// database.
func Absent(path string) bool {
	for _, f := range []string{identityFile, dataFile, keysFile} {
		if _, err := os.Lstat(filepath.Join(path, f)); !errors.Is(err, fs.ErrNotExist) { //nolint:gosec // the operator's own path
			return false
		}
	}
	return true
}

// Open checks the directory at path, takes it for this process, and makes it
// if Options say so and there is none. Where another process holds it, the
// error is of [sotto.KindBusy] and names that process. Other kinds:
// KindNotFound where there is none and none may be made, KindDenied where
// others can use it, KindCorrupt where something is missing or damaged,
// KindInvalid where a newer version made it, KindFull.
func Open(path string, opt Options) (*Dir, error) {
	return open(path, opt, lease.Acquire)
}

// Wait is Open, but waits until the process that holds the directory lets it
// go or ctx ends.
func Wait(ctx context.Context, path string, opt Options) (*Dir, error) {
	return open(path, opt, func(p string) (*lease.Lease, error) { return lease.Wait(ctx, p) })
}

func open(path string, opt Options, take func(string) (*lease.Lease, error)) (*Dir, error) {
	const op = "datadir.open"
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, sotto.E(op, sotto.KindInvalid, err)
	}
	if Absent(path) && !opt.Create {
		return nil, sotto.E(op, sotto.KindNotFound, fmt.Errorf("there is no data in %s yet", path))
	}
	if err := prepare(path, opt.Create); err != nil {
		return nil, err
	}
	held, err := take(filepath.Join(path, leaseFile))
	if err != nil {
		return nil, sotto.E(op, sotto.KindOther, heldBy(err))
	}
	d := &Dir{path: path, lease: held}
	if err := d.identify(opt); err != nil {
		return nil, errors.Join(err, held.Release())
	}
	return d, nil
}

// heldBy says what the lease's error means here.
func heldBy(err error) error {
	var h *lease.HeldError
	if !errors.As(err, &h) {
		return err
	}
	who := "another process"
	if h.PID != 0 {
		who = fmt.Sprintf("process %d", h.PID)
	}
	return fmt.Errorf("the data directory is in use by %s: %w", who, err)
}

// prepare makes the directory if that is wanted, and checks who may use it.
func prepare(path string, create bool) error {
	const op = "datadir.open"
	st, err := os.Stat(path) //nolint:gosec // the operator's own path
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil { //nolint:gosec // the operator's own path
			return fail(op, err)
		}
		if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) { //nolint:gosec // the operator's own path
			return fail(op, err)
		}
		if st, err = os.Stat(path); err != nil { //nolint:gosec // the operator's own path
			return fail(op, err)
		}
	case err != nil:
		return fail(op, err)
	}
	return checkAccess(path, st)
}

// checkAccess refuses a directory that others than its owner may use.
func checkAccess(path string, st os.FileInfo) error {
	const op = "datadir.open"
	if !st.IsDir() {
		return sotto.E(op, sotto.KindInvalid, fmt.Errorf("%s is not a directory", path))
	}
	if uid, ok := owner(st); ok && uid != os.Geteuid() {
		return sotto.E(op, sotto.KindDenied, fmt.Errorf("%s belongs to user %d and not to the user that runs Sotto (%d); change its owner (chown -R) or run as that user", path, uid, os.Geteuid()))
	}
	if mode := st.Mode().Perm(); mode&0o077 != 0 {
		return sotto.E(op, sotto.KindDenied, fmt.Errorf("others can use %s (mode %04o): it holds personal data and keys; run: chmod 700 %s", path, mode, path))
	}
	return nil
}

// identify reads who the directory is, or makes it somebody. Nothing that it
// looks at changes meanwhile: the lease is held.
func (d *Dir) identify(opt Options) error {
	const op = "datadir.open"
	id, err := readIdentity(d.file(identityFile))
	switch {
	case err == nil && id.New && !opt.Create:
		return sotto.E(op, sotto.KindNotFound, fmt.Errorf("there is no data in %s yet", d.path))
	case err == nil:
		d.id = id
		return d.whole()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case !Absent(d.path):
		return missing(d.path, identityFile)
	case !opt.Create:
		return sotto.E(op, sotto.KindNotFound, fmt.Errorf("there is no data in %s yet", d.path))
	case opt.Now == nil:
		return sotto.E(op, sotto.KindInvalid, errors.New("no clock"))
	}
	d.id = newIdentity(opt.Now())
	return d.id.write(d.path)
}

// whole looks for the databases that the identity says have been there.
func (d *Dir) whole() error {
	if d.id.New {
		return nil // nothing was acknowledged yet, so nothing can be lost
	}
	for _, f := range []string{keysFile, dataFile} {
		_, err := os.Stat(d.file(f))
		if errors.Is(err, fs.ErrNotExist) {
			return missing(d.path, f)
		}
		if err != nil {
			return fail("datadir.open", err)
		}
	}
	return nil
}

func missing(dir, file string) error {
	return sotto.E("datadir.open", sotto.KindCorrupt, fmt.Errorf("%s is missing in %s: restore the directory from a backup, or move it away to begin anew; no empty one is made in its place, because what it held would seem never to have been", file, dir))
}

// Seal records that both databases are there: from then on a missing one is
// damage. Call it after they were made and before anything is acknowledged.
func (d *Dir) Seal() error {
	if !d.id.New {
		return nil
	}
	id := d.id
	id.New = false
	sealed := Dir{path: d.path, id: id}
	if err := sealed.whole(); err != nil {
		return err
	}
	if err := id.write(d.path); err != nil {
		return err
	}
	d.id = id
	return nil
}

// Fresh reports whether the directory was never used: its databases may be made.
func (d *Dir) Fresh() bool { return d.id.New }

// ID returns what tells this directory from others.
func (d *Dir) ID() string { return d.id.ID }

// Created returns when the directory was made.
func (d *Dir) Created() time.Time { return d.id.Created }

// Path returns the absolute path of the directory.
func (d *Dir) Path() string { return d.path }

// Data returns the path of the database.
func (d *Dir) Data() string { return d.file(dataFile) }

// Keys returns the path of the key store.
func (d *Dir) Keys() string { return d.file(keysFile) }

func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }

// Close lets the directory go.
func (d *Dir) Close() error { return d.lease.Release() }

// Holder returns the number of the process that holds the directory at path,
// and false if nobody does. The number is 0 where it is not known.
func Holder(path string) (int, bool, error) {
	l, err := lease.Acquire(filepath.Join(path, leaseFile))
	var h *lease.HeldError
	switch {
	case errors.As(err, &h):
		return h.PID, true, nil
	case err != nil:
		return 0, false, sotto.E("datadir.holder", sotto.KindOther, err)
	}
	return 0, false, l.Release()
}
