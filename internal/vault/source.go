package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sotto-chat/sotto"
)

// credentialsDir names the directory in which systemd gives a service its
// credentials (systemd.exec, LoadCredential=).
const credentialsDir = "CREDENTIALS_DIRECTORY"

// maxKeyFile is more than any form of a key needs.
const maxKeyFile = 1 << 10

// LoadKEK reads a key-encryption key from where ref says:
//
//	file:PATH        a file that nobody but its owner can read
//	env:NAME         an environment variable
//	credential:NAME  a systemd credential, a file in $CREDENTIALS_DIRECTORY
//
// lookupEnv is os.LookupEnv. A file below $CREDENTIALS_DIRECTORY may have any
// mode, since systemd guards the directory. Kinds of errors: KindInvalid for a
// bad reference or content, KindNotFound, KindDenied for a file that others can
// read. No error holds content of the key.
func LoadKEK(ctx context.Context, ref string, lookupEnv func(string) (string, bool)) (KEK, error) {
	const op = "vault.load_kek"
	if err := ctx.Err(); err != nil {
		return KEK{}, sotto.E(op, sotto.KindUnavailable, err)
	}
	kind, name, _ := strings.Cut(ref, ":")
	var content []byte
	switch {
	case name == "":
		kind = ""
	case kind == "env":
		s, ok := lookupEnv(name)
		if !ok {
			return KEK{}, sotto.E(op, sotto.KindNotFound, errors.New("the environment variable of the key-encryption key is not set"))
		}
		content = []byte(s)
	case kind == "credential":
		dir, _ := lookupEnv(credentialsDir)
		if dir == "" {
			return KEK{}, sotto.E(op, sotto.KindNotFound, errors.New("no $CREDENTIALS_DIRECTORY: the service has no systemd credentials"))
		}
		if name != filepath.Base(name) || !filepath.IsLocal(name) {
			return KEK{}, sotto.E(op, sotto.KindInvalid, errors.New("a credential has a name, not a path"))
		}
		var err error
		if content, err = readKeyFile(filepath.Join(dir, name), true); err != nil {
			return KEK{}, err
		}
	case kind == "file":
		dir, _ := lookupEnv(credentialsDir)
		var err error
		if content, err = readKeyFile(name, below(name, dir)); err != nil {
			return KEK{}, err
		}
	default:
		kind = ""
	}
	if kind == "" {
		return KEK{}, sotto.E(op, sotto.KindInvalid, errors.New("want file:PATH, env:NAME or credential:NAME"))
	}
	defer clear(content)
	k, err := ParseKEK(content)
	if err != nil {
		return KEK{}, sotto.E(op, sotto.KindInvalid, err)
	}
	return k, nil
}

// below reports whether path lies in dir, links resolved.
func below(path, dir string) bool {
	if dir == "" {
		return false
	}
	in, err := Beside(path, dir)
	return err == nil && in
}

// readKeyFile reads a small file. It looks at the mode of the open file, so
// that the file cannot be another one by then.
func readKeyFile(path string, guarded bool) ([]byte, error) {
	const op = "vault.read_kek"
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if errors.Is(err, fs.ErrNotExist) {
		return nil, sotto.E(op, sotto.KindNotFound, err)
	}
	if err != nil {
		return nil, sotto.E(op, sotto.KindDenied, err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	b, readErr := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err := errors.Join(err, readErr); err != nil {
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && !guarded {
		return nil, sotto.E(op, sotto.KindDenied, fmt.Errorf("%s has mode %04o: others can read or change it, use chmod 600", path, mode))
	}
	if len(b) > maxKeyFile {
		return nil, sotto.E(op, sotto.KindInvalid, fmt.Errorf("%s is too long for a key", path))
	}
	return b, nil
}

// CreateKEKFile makes a random key-encryption key and writes it to a new file
// that only its owner can read (mode 0600, a directory made for it 0700); both
// are durable at return. A file that exists is an error of [sotto.KindExists].
func CreateKEKFile(path string) (KEK, error) {
	const op = "vault.create_kek"
	k := NewKEK()
	content := k.Encode()
	defer clear(content)
	err := writeNew(path, content)
	switch {
	case errors.Is(err, fs.ErrExist):
		return KEK{}, sotto.E(op, sotto.KindExists, err)
	case err != nil:
		return KEK{}, sotto.E(op, sotto.KindUnavailable, err)
	}
	return k, nil
}

// Beside reports whether the key file lies in the data directory or below it,
// links resolved, so that whoever copies the data gets the key as well. Neither
// needs to exist.
func Beside(keyPath, dataDir string) (bool, error) {
	const op = "vault.beside"
	key, err := resolve(keyPath, 0)
	if err != nil {
		return false, sotto.E(op, sotto.KindInvalid, err)
	}
	data, err := resolve(dataDir, 0)
	if err != nil {
		return false, sotto.E(op, sotto.KindInvalid, err)
	}
	// A directory can have several names (bind mounts, letter case): ask the
	// file system where it can answer.
	info, err := os.Stat(data)
	known := err == nil
	for dir := filepath.Dir(key); ; dir = filepath.Dir(dir) {
		d, err := os.Stat(dir)
		if dir == data || known && err == nil && os.SameFile(d, info) {
			return true, nil
		}
		if dir == filepath.Dir(dir) {
			return false, nil
		}
	}
}

// resolve returns the absolute path without links, of which the last parts need
// not exist. A link to something that does not exist yet is followed as well.
func resolve(path string, depth int) (string, error) {
	if depth > 64 {
		return "", errors.New("too many links")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	plain, err := filepath.EvalSymlinks(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return plain, err
	}
	dir, err := resolve(filepath.Dir(path), depth)
	if to, noLink := os.Readlink(path); noLink == nil && err == nil {
		if !filepath.IsAbs(to) {
			to = filepath.Join(dir, to)
		}
		return resolve(to, depth+1)
	}
	return filepath.Join(dir, filepath.Base(path)), err
}
