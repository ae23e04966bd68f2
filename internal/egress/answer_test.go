package egress

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
)

// script is a connection on which the other side says what it says.
type script struct{ bytes.Reader }

func (*script) Write(b []byte) (int, error)      { return len(b), nil }
func (*script) Close() error                     { return nil }
func (*script) LocalAddr() net.Addr              { return nil }
func (*script) RemoteAddr() net.Addr             { return nil }
func (*script) SetDeadline(time.Time) error      { return nil }
func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }

// FuzzAnswer: whatever comes as an answer, its head and body stay within their
// bounds, every error is a Failure, and the connection is used again only if
// the answer was exactly what was read.
func FuzzAnswer(f *testing.F) {
	const most, mostHead = 100, 300
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nffffffffffffffff\r\nok",
		"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.0 200 OK\r\n\r\nuntil the end",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
		"HTTP/1.1 099 \r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "\r\n", "",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, in []byte, head bool) {
		v := view(t, Config{MaxBody: most, MaxHeader: mostHead}, "http://127.0.0.1:1")
		other := &script{}
		other.Reset(in)
		raw := newRawConn(other, time.Now)
		r := post(t, "http://127.0.0.1:1/")
		if head {
			r.Method = http.MethodHead
		}
		tr := &try{view: v, pool: v.pools[0], ctx: context.Background(), left: most, until: time.Now().Add(time.Hour)}
		tr.pool.slots = 1
		tr.use(newConn(raw, raw))
		m, err := compose(r, "127.0.0.1:1", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.exchange(r, &m) //nolint:bodyclose // tr is the body
		if err != nil {
			if f := failure(r.Context(), err, true); f.Error() == "the request failed" {
				t.Errorf("no words for %v", err)
			}
			tr.end(false)
			return
		}
		if resp.Body == http.NoBody {
			tr.failed = io.EOF
			tr.end(true)
		}
		body, err := io.ReadAll(tr)
		var fail *Failure
		if err != nil && !errors.As(err, &fail) {
			t.Errorf("%v", err)
		}
		if len(body) > most || resp.StatusCode < 101 {
			t.Errorf("%d bytes, status %d", len(body), resp.StatusCode)
		}
		if _, slots, _ := state(v); slots == 0 {
			return
		}
		br := bufio.NewReader(bytes.NewReader(in))
		for {
			again, err := http.ReadResponse(br, r) //nolint:bodyclose // of bytes in memory
			if err != nil {
				t.Fatal(err)
			}
			all, err := io.ReadAll(again.Body)
			if err != nil {
				t.Fatal(err)
			}
			if again.StatusCode < 200 {
				continue
			}
			rest, err := io.ReadAll(br)
			if err != nil || !bytes.Equal(all, body) || len(rest) > 0 && len(in) < 4096 {
				t.Errorf("%q was read, then %q is left; %v", all, rest, err)
			}
			return
		}
	})
}

// Every error has its words, and none shows what it was made of.
func TestFailureText(t *testing.T) {
	for _, tt := range []struct {
		err  error
		text string
	}{
		{&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, "the host cannot be reached"},
		{&net.DNSError{Name: token}, "the host's name does not resolve"},
		{errConnectTime, "the connection took too long"},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, "the connection was closed"},
		{os.ErrDeadlineExceeded, "the request took too long"},
		{timeout{errors.New(token)}, "the connection took too long"},
		{errors.New("remote error: tls: " + token), "the TLS handshake failed"},
		{tls.RecordHeaderError{Msg: token}, "the TLS handshake failed"},
		{errors.New(token), "the request failed"},
	} {
		f := failure(t.Context(), tt.err, true)
		if f.Error() != tt.text || !f.Written() {
			t.Errorf("%v: %v", tt.err, f)
		}
	}
}

type timeout struct{ error }

func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// A TLS handshake that does not come to its end has its own bound.
func TestHandshakeTime(t *testing.T) {
	base := "https" + strings.TrimPrefix(raw(t, func(net.Conn) { time.Sleep(time.Second) }), "http")
	v := view(t, Config{ConnectTimeout: 100 * time.Millisecond}, base)
	want(t, v, post(t, base), sotto.KindUnavailable, "the connection took too long", false)
	wantState(t, v, 0, 0)
}

// The owners' numbers are in the order of their names.
func TestStats(t *testing.T) {
	c := client(t, Config{})
	for _, owner := range []string{"b", "a"} {
		if _, err := c.For(owner); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); len(s) != 2 || s[0].Owner != "a" || s[1].Owner != "b" {
		t.Errorf("%+v", s)
	}
}

// Interim answers are passed over.
func TestInterim(t *testing.T) {
	base := raw(t, func(c net.Conn) {
		readRequest(c)
		io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") //nolint:errcheck // a test server
		readRequest(c)
	})
	v := view(t, Config{}, base)
	r := post(t, base)
	r.Header.Set("Expect", "100-continue")
	if got := whole(t, v, r); got != "ok" {
		t.Errorf("%q", got)
	}
	wantState(t, v, 1, 1)
}

// Connections that one side wants closed are closed.
func TestNotKept(t *testing.T) {
	for name, head := range map[string]string{
		"close":    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"1.0":      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"upgrade":  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
		"ours":     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"too much": "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			base := raw(t, func(c net.Conn) {
				readRequest(c)
				io.WriteString(c, head) //nolint:errcheck // a test server
				readRequest(c)
			})
			v := view(t, Config{}, base)
			r := get(t, base)
			r.Close = name == "ours"
			resp, err := v.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
			wantState(t, v, 0, 0)
		})
	}
}
