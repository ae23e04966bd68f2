package config

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/sotto-chat/sotto/channel"
)

const maxSecret = 64 << 10

// Env looks up an environment variable, as [os.LookupEnv] does.
type Env func(name string) (string, bool)

// refs resolves references to secrets.
type refs struct {
	dir string // what relative files are relative to
	env Env
}

// isRef reports whether s has the form of a reference.
func isRef(s string) bool {
	return strings.HasPrefix(s, "env:") || strings.HasPrefix(s, "file:")
}

// resolve returns the secret that ref names, or why there is none. The reason
// never holds the secret, nor ref itself where it is no reference.
func (r refs) resolve(ref string) (s channel.Secret, why string) {
	if name, ok := strings.CutPrefix(ref, "env:"); ok {
		return r.variable(name)
	}
	if path, ok := strings.CutPrefix(ref, "file:"); ok {
		return r.file(path)
	}
	return s, "a secret does not stand in the configuration; write env:NAME or file:PATH"
}

func (r refs) variable(name string) (s channel.Secret, why string) {
	if !isVariable(name) {
		return s, "what follows env: is not the name of an environment variable"
	}
	v, ok := r.env(name)
	switch {
	case !ok:
		return s, "the environment variable " + name + " is not set"
	case v == "":
		return s, "the environment variable " + name + " is empty"
	}
	return channel.NewSecret(v), ""
}

func (r refs) file(path string) (s channel.Secret, why string) {
	if path == "" {
		return s, "file: needs the path of a file"
	}
	at := within(r.dir, path)
	// The check comes before opening: a pipe would block the start.
	fi, err := os.Stat(at)
	switch {
	case err != nil:
		return s, "the file " + shownPath(path) + " cannot be read: " + reason(err)
	case !fi.Mode().IsRegular():
		return s, "the file " + shownPath(path) + " is not a regular file"
	case fi.Mode().Perm()&0o004 != 0 && runtime.GOOS != "windows" && !r.mounted(at):
		return s, "the file " + shownPath(path) + " can be read by everybody; run chmod o-rwx on it"
	}
	f, err := os.Open(at) //nolint:gosec // the operator names the file
	if err != nil {
		return s, "the file " + shownPath(path) + " cannot be read: " + reason(err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return s, "the file " + shownPath(path) + " cannot be read: " + reason(err)
	}
	v := strings.TrimRight(string(b), "\r\n")
	switch {
	case v == "":
		return s, "the file " + shownPath(path) + " is empty"
	case len(b) > maxSecret:
		return s, "the file " + shownPath(path) + " is too large for a secret"
	}
	return channel.NewSecret(v), ""
}

// mounted reports whether path lies where a service manager puts secrets for
// one service alone; there the mode of the file says nothing.
func (r refs) mounted(path string) bool {
	if inside("/run/secrets", path) {
		return true
	}
	dir, ok := r.env("CREDENTIALS_DIRECTORY")
	return ok && filepath.IsAbs(dir) && inside(dir, path)
}

func isVariable(s string) bool {
	if s == "" || len(s) > 128 || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	for _, c := range []byte(s) {
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// within returns path, taken as relative to dir.
func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// inside reports whether path is dir or lies below it. Links in the part that
// exists are followed, so that a link does not hide where a file lies.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(resolved(dir), resolved(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func resolved(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path
	}
	return filepath.Join(resolved(parent), filepath.Base(path))
}

// shownPath returns a path as it may be printed. Whoever writes the content of
// a file where its path belongs does not find it in a log.
func shownPath(path string) string {
	if len(path) > 200 || strings.ContainsAny(path, "\r\n\t") || strings.Contains(path, "-----") {
		return "(not shown)"
	}
	return path
}
