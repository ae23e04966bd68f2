package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sotto-chat/sotto"
)

const socketName = "control.sock"

// closeWait is how long Close lets calls under way go on before their contexts
// end, and then how long they have to come back.
const closeWait = 5 * time.Second

// Server answers on the socket of a data directory.
type Server struct {
	dir    string
	http   *http.Server
	cancel context.CancelFunc
	wait   time.Duration // closeWait
	wg     sync.WaitGroup
}

// Listen opens the socket in dir, whose lease the caller holds, and answers
// there. A socket that a killed process left behind is replaced; anything else
// of that name is refused, and so is a directory that others can use
// ([sotto.KindDenied]).
func Listen(dir string, m *Mux) (*Server, error) {
	const op = "control.listen"
	if err := private(op, dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, socketName)
	switch st, err := os.Lstat(path); { //nolint:gosec // the operator's own setting
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	case st.Mode().Type() != fs.ModeSocket:
		return nil, sotto.E(op, sotto.KindExists, fmt.Errorf("%s is not a socket; move it away", path))
	default:
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { //nolint:gosec // the operator's own setting
			return nil, sotto.E(op, sotto.KindUnavailable, err)
		}
	}
	name, done, err := short(dir)
	if err != nil {
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	l.SetUnlinkOnClose(false)                     // its name may lead through a descriptor that is closed by then
	if err := os.Chmod(path, 0o600); err != nil { //nolint:gosec // the operator's own setting
		return nil, errors.Join(sotto.E(op, sotto.KindUnavailable, err), l.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{dir: dir, cancel: cancel, wait: closeWait, http: &http.Server{
		Handler: m, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    log.New(io.Discard, "", 0), // it would print what was thrown
	}}
	s.wg.Go(func() { _ = s.http.Serve(&own{l}) }) // it ends with Close
	return s, nil
}

// private refuses a directory that others than its owner can use.
func private(op, dir string) error {
	st, err := os.Stat(dir) //nolint:gosec // the operator's own setting
	if err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return sotto.E(op, sotto.KindDenied, fmt.Errorf("others can use %s; run: chmod 700 %s", dir, dir))
	}
	return nil
}

// Close refuses new calls, lets those under way end, and removes the socket.
// Calls that take longer than some seconds see their context end.
func (s *Server) Close() error {
	defer s.cancel()
	err := s.shutdown()
	if err != nil {
		s.cancel()
		if err = s.shutdown(); err != nil {
			err = s.http.Close()
		}
	}
	s.wg.Wait()
	if rerr := os.Remove(filepath.Join(s.dir, socketName)); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	if err != nil {
		return sotto.E("control.close", sotto.KindUnavailable, err)
	}
	return nil
}

func (s *Server) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.wait)
	defer cancel()
	return s.http.Shutdown(ctx)
}

// own accepts only connections of this user and of root.
type own struct{ *net.UnixListener }

// Accept returns the next connection of an allowed user.
func (o *own) Accept() (net.Conn, error) {
	for {
		c, err := o.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if uid, err := peer(c); err == nil && allowed(uid, os.Geteuid()) {
			return c, nil
		}
		_ = c.Close() // a stranger
	}
}

// allowed reports whether user uid may talk to user me.
func allowed(uid, me int) bool { return uid == me || uid == 0 }
