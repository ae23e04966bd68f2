// Package datadir is the data directory as a whole: who may read it, which
// process owns it, and whether everything that belongs in it is there.
//
// A directory that others can read is refused. One process at a time owns it,
// by a lock that the kernel ends with the process. A directory that has been
// used holds an identity file; if a database is missing beside it, that is an
// error and never a reason to begin anew: what is lost is said, not covered up.
package datadir

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/lease"
)

// The files of a data directory.
const (
	identityFile = "sotto.json"
	dataFile     = "data.db"
	keysFile     = "keys.db"
	leaseFile    = "sotto.lock"
)

// Options say how a directory is opened.
type Options struct {
	Create bool             // make it if there is none; default false: it must exist
	Now    func() time.Time // dates a new directory; required with Create
}

// Identity is what a directory says of itself.
type Identity struct {
	Format  int       `json:"format"`
	ID      string    `json:"id"` // random; tells two directories apart
	Created time.Time `json:"created"`
}

const format = 1

// Dir is an owned data directory. Close it.
type Dir struct {
	path  string
	lease *lease.Lease
	id    Identity
	fresh bool
}

// Absent reports whether there is no data at path yet: no identity file and no
// database.
func Absent(path string) bool {
	for _, f := range []string{identityFile, dataFile, keysFile} {
		if _, err := os.Stat(filepath.Join(path, f)); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

// Open takes the directory at path. Kinds of errors: KindNotFound where there
// is none and none may be made, KindDenied where others can read it, KindBusy
// while another process owns it, KindCorrupt where something is missing,
// KindInvalid where a newer version made it.
func Open(path string, opt Options) (*Dir, error) {
	const op = "datadir.open"
	d := &Dir{path: path, fresh: Absent(path)}
	if d.fresh && !opt.Create {
		return nil, sotto.E(op, sotto.KindNotFound, fmt.Errorf("there is no data in %s yet", path))
	}
	if err := private(path, opt.Create); err != nil {
		return nil, err
	}
	var err error
	if d.lease, err = lease.Acquire(filepath.Join(path, leaseFile)); err != nil {
		return nil, sotto.E(op, sotto.KindOf(err), fmt.Errorf("%s is in use: %w", path, err))
	}
	if d.fresh {
		b := make([]byte, 8)
		_, _ = rand.Read(b) //nolint:errcheck // it never fails
		d.id = Identity{Format: format, ID: hex.EncodeToString(b), Created: opt.Now().UTC().Truncate(time.Second)}
		return d, nil
	}
	if err := d.read(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// private sees that only the owner can use the directory.
func private(path string, create bool) error {
	const op = "datadir.open"
	if create {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return sotto.E(op, sotto.KindUnavailable, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	if !info.IsDir() {
		return sotto.E(op, sotto.KindInvalid, fmt.Errorf("%s is not a directory", path))
	}
	if info.Mode().Perm()&0o077 != 0 {
		return sotto.E(op, sotto.KindDenied, fmt.Errorf("others can look into %s; run: chmod 700 %s", path, path))
	}
	return nil
}

func (d *Dir) read() error {
	const op = "datadir.open"
	for _, f := range []string{identityFile, keysFile, dataFile} {
		_, err := os.Stat(filepath.Join(d.path, f))
		if errors.Is(err, fs.ErrNotExist) {
			return sotto.E(op, sotto.KindCorrupt, fmt.Errorf("%s is missing in %s: restore it from a backup, or move the directory away to begin anew", f, d.path))
		}
		if err != nil {
			return sotto.E(op, sotto.KindUnavailable, err)
		}
	}
	b, err := os.ReadFile(filepath.Join(d.path, identityFile))
	if err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	if err := json.Unmarshal(b, &d.id); err != nil || d.id.ID == "" {
		return sotto.E(op, sotto.KindCorrupt, fmt.Errorf("%s in %s is damaged: restore it from a backup", identityFile, d.path))
	}
	if d.id.Format > format {
		return sotto.E(op, sotto.KindInvalid, fmt.Errorf("%s was made by a newer version of this program", d.path))
	}
	return nil
}

// Seal writes the identity of a fresh directory, after its databases were
// made: from then on they must be there.
func (d *Dir) Seal() error {
	if !d.fresh {
		return nil
	}
	const op = "datadir.seal"
	b, err := json.Marshal(d.id)
	if err != nil {
		return sotto.E(op, sotto.KindOther, err)
	}
	name := filepath.Join(d.path, identityFile)
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // in our own directory
	if err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	d.fresh = false
	dir, err := os.Open(d.path)
	if err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Fresh reports whether the directory has never been used.
func (d *Dir) Fresh() bool { return d.fresh }

// ID returns what tells this directory from others.
func (d *Dir) ID() string { return d.id.ID }

// Data returns the path of the database.
func (d *Dir) Data() string { return filepath.Join(d.path, dataFile) }

// Keys returns the path of the key store.
func (d *Dir) Keys() string { return filepath.Join(d.path, keysFile) }

// Close gives the directory back.
func (d *Dir) Close() error { return d.lease.Release() }
