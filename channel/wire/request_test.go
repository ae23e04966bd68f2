package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

// FuzzAppendString: what is written is, byte for byte, what encoding/json
// writes, and the scanner reads it back.
func FuzzAppendString(f *testing.F) {
	var all strings.Builder
	for i := range 256 {
		all.WriteByte(byte(i))
	}
	for _, s := range []string{
		"", "plain", all.String(), "a \"b\" \\ </script> &", "\u2027\u2028\u2029\u202a", "é😀\ufffd\x7f",
		"\xff", "a\xe2\x80", "\xed\xa0\x80", "\xf0\x9f\x98", "\xc0\x80", "end\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		got := AppendString([]byte("x"), s)
		if string(got)+"\n" != "x"+want.String() {
			t.Fatalf("%q: got %s, want %s", s, got[1:], want.String())
		}
		sc := NewScanner(got[1:])
		if back := sc.Text(); sc.End() != nil || back != string([]rune(s)) {
			t.Errorf("%q was read back as %q", s, back)
		}
	})
}

func TestEndpoint(t *testing.T) {
	const secret = "hush"
	for _, addr := range []string{"", "x", "http://%zz" + secret, "https:///" + secret, "http://a b/" + secret} {
		if _, err := NewEndpoint(http.MethodPost, addr); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", addr, err)
		}
	}
	e, err := NewEndpoint(http.MethodPost, "https://u.example/"+secret+"?p="+secret, "Content-Type", "application/json", "Authorization", secret)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %#v", e, e, struct{ e Endpoint }{e}); strings.Contains(text, secret) {
		t.Errorf("printed: %s", text)
	}
	first := e.Request(t.Context(), []byte("one"))
	first.URL.Path = "/other"
	first.Header.Set("Authorization", "other")
	first.Header.Add("Content-Type", "other")
	second := e.Request(t.Context(), []byte("two"))
	if second.URL.String() != "https://u.example/hush?p=hush" || second.Host != "u.example" || second.ContentLength != 3 {
		t.Errorf("%s %s %d", second.URL, second.Host, second.ContentLength)
	}
	if h := second.Header; h.Get("Authorization") != secret || len(h["Content-Type"]) != 1 || h.Get("Content-Type") != "application/json" {
		t.Errorf("what one call changed is changed for others: %v", h)
	}
	again, err := second.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []io.Reader{second.Body, again} {
		if b, err := io.ReadAll(r); err != nil || string(b) != "two" {
			t.Errorf("%q, %v", b, err)
		}
	}
	if none := e.Request(t.Context(), nil); none.Body != http.NoBody || none.ContentLength != 0 {
		t.Error("a call without a body has one")
	}
}

// A connection serves call after call, whatever the form of the answer, and
// each request goes out in one piece.
func TestCallReusesConnection(t *testing.T) {
	var conns atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		switch string(b) {
		case "chunked":
			_ = http.NewResponseController(w).Flush()
			fallthrough
		case "long":
			_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
		case "refused":
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	e, err := NewEndpoint(http.MethodPost, srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		body         string
		status, size int
		after        float64
	}{{"empty", 200, 0, 0}, {"long", 200, 100_000, 0}, {"chunked", 200, 100_000, 0}, {"refused", 429, 0, 3}, {"empty", 200, 0, 0}} {
		a, err := Call(srv.Client(), e.Request(t.Context(), []byte(tt.body)))
		if err != nil || a.Status != tt.status || len(a.Body) != tt.size || a.RetryAfter.Seconds() != tt.after {
			t.Errorf("%s: %d with %d bytes, %v", tt.body, a.Status, len(a.Body), err)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections for calls one after the other", n)
	}
}

func TestReadAll(t *testing.T) {
	for _, size := range []int{0, 1, firstRoom - 1, firstRoom, firstRoom + 1, mostRoom, mostRoom + 1, maxAnswer - 1, maxAnswer, maxAnswer + 1, 2 * maxAnswer} {
		text := strings.Repeat("0123456789abcde\n", size/16+1)[:size]
		for _, announced := range []int64{-1, 0, int64(size), 2 * maxAnswer} {
			for name, r := range map[string]io.Reader{"plain": strings.NewReader(text), "with end": iotest.DataErrReader(strings.NewReader(text)), "half": iotest.HalfReader(strings.NewReader(text))} {
				b, err := readAll(r, announced)
				if want := text[:min(size, maxAnswer)]; err != nil || string(b) != want {
					t.Errorf("%s, %d of %d: %d bytes, %v", name, size, announced, len(b), err)
				}
			}
		}
	}
	if _, err := readAll(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(io.ErrUnexpectedEOF)), 2); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// Calls at the same time share nothing that they change.
func TestCallsTogether(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	defer srv.Close()
	e, err := NewEndpoint(http.MethodPost, srv.URL, "Content-Type", "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 8 {
				want := fmt.Sprint(i, j)
				a, err := Call(srv.Client(), e.Request(t.Context(), []byte(want)))
				if err != nil || string(a.Body) != want {
					t.Errorf("%s: %q, %v", want, a.Body, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestBound(t *testing.T) {
	for _, tt := range []struct {
		caller, limit, want time.Duration
	}{
		{0, 0, 20 * time.Second},
		{time.Hour, 0, time.Hour},
		{time.Minute, 0, time.Minute},
		{time.Hour, time.Minute, time.Minute},
		{time.Minute, time.Hour, time.Minute},
		{0, time.Minute, time.Minute},
	} {
		ctx, cancel := t.Context(), context.CancelFunc(func() {})
		if tt.caller > 0 {
			ctx, cancel = context.WithTimeout(ctx, tt.caller)
		}
		bound, end := Bound(ctx, tt.limit)
		at, ok := bound.Deadline()
		if left := time.Until(at); !ok || left > tt.want || left < tt.want-5*time.Second {
			t.Errorf("caller %v, limit %v: %v left, want %v", tt.caller, tt.limit, left, tt.want)
		}
		end()
		cancel()
	}
}

func TestAppendSplit(t *testing.T) {
	var room [1]string
	got := AppendSplit(room[:0], "short", 10, Units)
	if len(got) != 1 || got[0] != "short" || &got[0] != &room[0] {
		t.Errorf("%q", got)
	}
	if got := AppendSplit([]string{"a"}, "bb cc", 2, Units); len(got) != 3 || got[1] != "bb" || got[2] != "cc" {
		t.Errorf("%q", got)
	}
}

// counter counts the writes of a connection.
type counter struct {
	net.Conn
	writes *atomic.Int64
}

// Write writes.
func (c counter) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// Headers and body of a call leave in one write.
func TestCallIsOneWrite(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	var writes atomic.Int64
	tr := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return counter{c, &writes}, err
	}}
	defer tr.CloseIdleConnections()
	e, err := NewEndpoint(http.MethodPost, srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := Call(&http.Client{Transport: tr}, e.Request(t.Context(), []byte("body"))); err != nil {
			t.Fatal(err)
		}
	}
	if n := writes.Load(); n != 3 {
		t.Errorf("%d writes for 3 calls", n)
	}
}
