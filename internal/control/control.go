// Package control is how a second command talks to the server that runs on the
// same data: HTTP over a socket in the data directory.
//
// Only the owner of the data directory can reach the socket: the directory is
// open to its owner alone, the socket too, and the caller's user is asked of
// the kernel. The socket's name works however long the directory's path is.
//
// This is the one package besides egress that makes HTTP requests: to a socket
// in the file system and nowhere else.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sotto-chat/sotto"
)

const socketName = "control.sock"

// maxArgument bounds what a caller sends. Answers are not bounded: an export
// may be large.
const maxArgument = 1 << 20

// Func carries out one operation.
type Func func(ctx context.Context, arg json.RawMessage) (any, error)

// Mux knows the operations.
type Mux struct{ by map[string]Func }

// NewMux returns a Mux without operations.
func NewMux() *Mux { return &Mux{by: make(map[string]Func)} }

// Handle adds an operation.
func (m *Mux) Handle(op string, f Func) { m.by[op] = f }

// Call carries out an operation in this process.
func (m *Mux) Call(ctx context.Context, op string, arg json.RawMessage) (any, error) {
	f := m.by[op]
	if f == nil {
		return nil, sotto.E("control.call", sotto.KindNotFound, fmt.Errorf("there is no operation %q", op))
	}
	return f(ctx, arg)
}

// failure is an error on its way over the socket.
type failure struct {
	Kind sotto.Kind `json:"kind"`
	Text string     `json:"text"`
}

// ServeHTTP answers one call.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arg, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxArgument))
	if err != nil {
		fail(w, sotto.E("control.call", sotto.KindInvalid, errors.New("the argument is too large")))
		return
	}
	res, err := m.Call(r.Context(), strings.TrimPrefix(r.URL.Path, "/"), arg)
	if err != nil {
		fail(w, err)
		return
	}
	b, err := json.Marshal(res)
	if err != nil {
		fail(w, sotto.E("control.call", sotto.KindOther, err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) //nolint:errcheck // the caller is gone, which is theirs to know
}

func fail(w http.ResponseWriter, err error) {
	b, _ := json.Marshal(failure{Kind: sotto.KindOf(err), Text: err.Error()}) //nolint:errcheck,errchkjson // two plain fields
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_, _ = w.Write(b) //nolint:errcheck // the caller is gone, which is theirs to know
}

// Server answers on the socket of a data directory.
type Server struct {
	dir  string
	http *http.Server
	wg   sync.WaitGroup
}

// Listen opens the socket in dir, which the caller owns, and answers there. A
// socket that a killed process left behind is replaced.
func Listen(dir string, m *Mux) (*Server, error) {
	const op = "control.listen"
	name, done, err := short(dir)
	if err != nil {
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	defer done()
	if err := os.Remove(filepath.Join(dir, socketName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	l.SetUnlinkOnClose(false) // its name leads through a descriptor that is closed by then
	if err := os.Chmod(filepath.Join(dir, socketName), 0o600); err != nil {
		return nil, errors.Join(sotto.E(op, sotto.KindUnavailable, err), l.Close())
	}
	s := &Server{dir: dir, http: &http.Server{Handler: m, ReadHeaderTimeout: 5 * time.Second}}
	s.wg.Go(func() { _ = s.http.Serve(&own{l}) }) //nolint:errcheck // it ends with Close
	return s, nil
}

// Close ends the calls under way and removes the socket.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	s.wg.Wait()
	if rerr := os.Remove(filepath.Join(s.dir, socketName)); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
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
		uid, err := peer(c)
		if err == nil && (uid == os.Getuid() || uid == 0) {
			return c, nil
		}
		_ = c.Close() //nolint:errcheck // a stranger
	}
}

// Client calls the server that runs on a data directory.
type Client struct {
	conn net.Conn
	http *http.Client
}

// Dial connects. Where no server runs, the error is of [sotto.KindNotFound].
func Dial(dir string) (*Client, error) {
	const op = "control.dial"
	name, done, err := short(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, sotto.E(op, sotto.KindNotFound, errors.New("no server runs on this data"))
	}
	if err != nil {
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	defer done()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		if refused(err) {
			return nil, sotto.E(op, sotto.KindNotFound, errors.New("no server runs on this data"))
		}
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	c := &Client{conn: conn}
	first := make(chan net.Conn, 1)
	first <- conn
	c.http = &http.Client{Transport: &http.Transport{
		MaxConnsPerHost: 1,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			select {
			case conn := <-first:
				return conn, nil
			default:
				return nil, errors.New("the server ended")
			}
		},
	}}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Call carries out an operation in the server. An error keeps its kind and text.
func (c *Client) Call(ctx context.Context, op string, in, out any) error {
	arg, err := json.Marshal(in)
	if err != nil {
		return sotto.E("control.call", sotto.KindInvalid, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://sotto/"+op, bytes.NewReader(arg))
	if err != nil {
		return sotto.E("control.call", sotto.KindInvalid, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return sotto.E("control.call", sotto.KindUnavailable, errors.Join(errors.New("the server did not answer"), ctx.Err()))
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return sotto.E("control.call", sotto.KindUnavailable, errors.New("the server ended while it answered"))
	}
	if resp.StatusCode != http.StatusOK {
		var f failure
		if err := json.Unmarshal(b, &f); err != nil {
			return sotto.E("control.call", sotto.KindUnavailable, errors.New("the server's answer is not understood"))
		}
		return sotto.E(op, f.Kind, errors.New(f.Text))
	}
	if err := json.Unmarshal(b, out); err != nil {
		return sotto.E("control.call", sotto.KindOther, err)
	}
	return nil
}
