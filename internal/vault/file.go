package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sotto-chat/sotto"
)

// ensureFile sees that the key store's file is there or may be made, and makes
// its directory then. It never touches what exists.
func ensureFile(path string, create bool) error {
	const op = "vault.open_store"
	_, err := os.Stat(path)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	if !create {
		return sotto.E(op, sotto.KindNotFound, errors.New("the key store's file is missing: restore it, or everything sealed is lost"))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	return nil
}

// writeNew makes a file that only its owner reads and that did not exist, in a
// directory that is made if it is missing, and makes it all durable.
func writeNew(path string, content []byte) error {
	dir := filepath.Dir(path)
	sync := []string{dir}
	if _, err := os.Stat(dir); err != nil {
		sync = append(sync, filepath.Dir(dir)) // which gets a new entry
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	for _, d := range sync {
		err = errors.Join(err, syncDir(d))
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
