package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
)

// recheck is how often given certificate files are looked at.
const recheck = 5 * time.Second

// files are given certificate files, read again when they change.
type files struct {
	cfg     *Config
	current atomic.Pointer[tls.Certificate]

	mu      sync.Mutex
	checked atomic.Int64 // when the files were looked at, in Unix seconds
	seen    [2]fileState
}

type fileState struct {
	size int64
	mod  time.Time
}

func newFiles(cfg *Config) (*files, error) {
	f := &files{cfg: cfg}
	f.checked.Store(cfg.Now().Unix())
	if _, err := f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// load reads the files if they changed since they were read.
func (f *files) load() (changed bool, err error) {
	var now [2]fileState
	for i, path := range []string{f.cfg.Cert, f.cfg.Key} {
		fi, err := os.Stat(path)
		if err != nil {
			return false, fmt.Errorf("a certificate file cannot be read: %w", errors.Unwrap(err))
		}
		now[i] = fileState{fi.Size(), fi.ModTime()}
	}
	if now == f.seen {
		return false, nil
	}
	c, err := tls.LoadX509KeyPair(f.cfg.Cert, f.cfg.Key)
	if err != nil {
		return false, errors.New("the certificate and its key cannot be read, or do not belong together")
	}
	f.current.Store(&c)
	f.seen = now
	return true, nil
}

// get gives the certificate. While a pair is being replaced it does not fit
// together; the old one is then given until the next look.
func (f *files) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	now := f.cfg.Now().Unix()
	last := f.checked.Load()
	if now-last >= int64(recheck/time.Second) && f.checked.CompareAndSwap(last, now) {
		f.mu.Lock()
		changed, err := f.load()
		f.mu.Unlock()
		switch {
		case err != nil:
			f.cfg.Log.LogAttrs(context.Background(), slog.LevelError, "the changed certificate cannot be used, the old one stays", slog.Any("error", err))
		case changed:
			f.cfg.Log.LogAttrs(context.Background(), slog.LevelInfo, "the certificate was read again")
		}
	}
	return f.current.Load(), nil
}

func (f *files) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: f.get, NextProtos: []string{"h2", "http/1.1"}}
}

func (f *files) expiry() (time.Time, bool) {
	c := f.current.Load()
	if c == nil || c.Leaf == nil {
		return time.Time{}, false
	}
	return c.Leaf.NotAfter, true
}

func (f *files) start(context.Context) error { return nil }
func (f *files) stop()                       {}

// StoredExpiry returns the last moment of the certificate that a server of this
// configuration would begin with, without listening: of the given file, or of
// what is kept in the directory of automatic certificates. false means that
// there is none yet, or that it cannot be read.
func StoredExpiry(cfg Config) (time.Time, bool) {
	path := cfg.Cert
	if cfg.Domain != "" {
		issuer := certmagic.ACMEIssuer{CA: directory(cfg.ACME.Directory)}
		path = filepath.Join(cfg.CertDir, filepath.FromSlash(certmagic.StorageKeys.SiteCert(issuer.IssuerKey(), cfg.Domain)))
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return time.Time{}, false
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return time.Time{}, false
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, false
	}
	return leaf.NotAfter, true
}
