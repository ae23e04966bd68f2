package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"

	"github.com/sotto-chat/sotto"
)

// Client calls the server that runs on a data directory. It may be used by
// several goroutines at once.
type Client struct {
	dir   string
	first chan net.Conn // the connection that Dial made, until a call takes it
	http  *http.Client
}

var errNoServer = errors.New("no server runs on this data")

// Dial connects. Where no server runs, the error is of [sotto.KindNotFound];
// where the one that answers is not the directory's owner, or others can use
// the directory, of [sotto.KindDenied].
func Dial(dir string) (*Client, error) {
	c := &Client{dir: dir, first: make(chan net.Conn, 1)}
	conn, err := c.connect()
	if err != nil {
		return nil, err
	}
	c.first <- conn
	c.http = &http.Client{Transport: &http.Transport{
		DisableCompression: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			select {
			case conn := <-c.first:
				return conn, nil
			default:
				return c.connect()
			}
		},
	}}
	return c, nil
}

func (c *Client) connect() (net.Conn, error) {
	const op = "control.dial"
	st, err := os.Stat(c.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, sotto.E(op, sotto.KindNotFound, errNoServer)
	case err != nil:
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	name, done, err := short(c.dir)
	if err != nil {
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	defer done()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: name, Net: "unix"})
	switch {
	case err != nil && refused(err):
		return nil, sotto.E(op, sotto.KindNotFound, errNoServer)
	case errors.Is(err, fs.ErrPermission):
		return nil, sotto.E(op, sotto.KindDenied, err)
	case err != nil:
		return nil, sotto.E(op, sotto.KindUnavailable, err)
	}
	if err := private(op, c.dir); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	uid, err := peer(conn)
	if err != nil || !allowed(uid, os.Geteuid()) && uid != owner(st) {
		return nil, errors.Join(sotto.E(op, sotto.KindDenied, errors.New("the one that answers is not the owner of the data")), conn.Close())
	}
	return conn, nil
}

// Close ends the connections that no call uses.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	select {
	case conn := <-c.first:
		return conn.Close()
	default:
		return nil
	}
}

// Call carries out an operation in the server and reads its result into out,
// which may be nil. An error of the operation keeps its kind and text. Where
// the server ends before it has answered, the error is of
// [sotto.KindUnavailable], and the operation may or may not have been done.
func (c *Client) Call(ctx context.Context, op string, in, out any) error {
	var b bytes.Buffer
	if err := c.Copy(ctx, op, in, &b); err != nil {
		return err
	}
	switch p := out.(type) {
	case nil:
		return nil
	case *json.RawMessage:
		if !json.Valid(b.Bytes()) {
			return notUnderstood()
		}
		*p = b.Bytes()
		return nil
	}
	if err := json.Unmarshal(b.Bytes(), out); err != nil {
		return notUnderstood()
	}
	return nil
}

func notUnderstood() error {
	return sotto.E("control.call", sotto.KindOther, errors.New("the server's answer has not the form that is expected of it"))
}

// Copy carries out an operation in the server and writes its result, JSON or
// whatever its [Stream] is, to w as it comes. With an error, what w got is not
// whole.
func (c *Client) Copy(ctx context.Context, op string, in any, w io.Writer) error {
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
		return gone(ctx, "the server did not answer")
	}
	defer resp.Body.Close() //nolint:errcheck // it is read to its end, or given up
	if resp.StatusCode != http.StatusOK {
		b, err := io.ReadAll(io.LimitReader(resp.Body, maxArgument))
		if err != nil {
			return gone(ctx, "the server ended while it answered")
		}
		return decodeFailure(op, b)
	}
	src := &source{r: resp.Body}
	if _, err := io.Copy(w, src); err != nil {
		if src.failed {
			return gone(ctx, "the server ended while it answered")
		}
		return sotto.E("control.call", sotto.KindOther, err) // w's own error
	}
	if _, streamed := resp.Trailer[trailer]; !streamed {
		return nil
	}
	switch result := resp.Trailer.Get(trailer); result {
	case "ok":
		return nil
	case "":
		return gone(ctx, "the server ended while it answered")
	default:
		return decodeFailure(op, []byte(result))
	}
}

// gone is the error of a call whose outcome is unknown.
func gone(ctx context.Context, what string) error {
	return sotto.E("control.call", sotto.KindUnavailable, errors.Join(errors.New(what), ctx.Err()))
}

// source remembers whether an error came from reading or from writing.
type source struct {
	r      io.Reader
	failed bool
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.failed = err != nil && !errors.Is(err, io.EOF)
	return n, err
}
