package egress

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

// written composes and writes a request.
func written(tb testing.TB, r *http.Request) (string, error) {
	tb.Helper()
	m, err := compose(r, "api.example", nil)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = m.send(&b)
	return b.String(), err
}

func TestRequestText(t *testing.T) {
	r := post(t, "https://api.example/a%20b?c=d#e")
	r.Header = http.Header{
		"X-A": {" 1 ", "2"}, "content-length": {"999"}, "Transfer-encoding": {"chunked"}, "HOST": {"other.example"}, "Trailer": {"X"}, "User-Agent": {""},
	}
	got, err := written(t, r)
	if err != nil {
		t.Fatal(err)
	}
	want := "POST /a%20b?c=d HTTP/1.1\r\nHost: api.example\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 18\r\n\r\nsaid in confidence"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	r = get(t, "https://api.example")
	r.Method, r.Header, r.Close, r.Body = "", nil, true, nil
	got, err = written(t, r)
	want = "GET / HTTP/1.1\r\nHost: api.example\r\nUser-Agent: Go-http-client/1.1\r\nConnection: close\r\n\r\n"
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

// What a server reads is what the caller gave, whatever the length of the body.
func TestRequestBodies(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		for _, size := range []int{0, 1, 1000, maxOut - 200, maxOut - 100, maxOut - 1, maxOut, maxOut + 1, 2 * maxOut, 3*maxOut - 48, 100_000} {
			for _, known := range []bool{true, false} {
				body := strings.Repeat("sotto", size/5+1)[:size]
				r, err := http.NewRequestWithContext(t.Context(), method, "https://api.example/", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				if !known {
					r.ContentLength, r.Body = -1, io.NopCloser(iotest.HalfReader(strings.NewReader(body)))
				}
				text, err := written(t, r)
				if err != nil {
					t.Fatal(err)
				}
				br := bufio.NewReader(strings.NewReader(text))
				back, err := http.ReadRequest(br)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(back.Body)
				if err != nil || string(got) != body || br.Buffered() != 0 || back.Method != method {
					t.Errorf("%s of %d bytes, known %v: %d bytes, %d left, %v", method, size, known, len(got), br.Buffered(), err)
				}
				if chunked := len(back.TransferEncoding) > 0; chunked != (!known && size > maxOut-70) && (size < maxOut-200 || size > maxOut) {
					t.Errorf("%d bytes, known %v: chunked %v", size, known, chunked)
				}
			}
		}
	}
}

// A request that would read as something else is not sent, and takes no connection.
func TestBadRequests(t *testing.T) {
	fails := io.NopCloser(iotest.ErrReader(errors.New(token)))
	long := func() io.Reader { return io.LimitReader(zeros{}, 100_000) }
	tests := []struct {
		name   string
		change func(r *http.Request)
		text   string
		wrote  bool
	}{
		{"header value", func(r *http.Request) { r.Header["X"] = []string{"a\r\nb: c"} }, "not valid", false},
		{"header value nul", func(r *http.Request) { r.Header["X"] = []string{"a\x00"} }, "not valid", false},
		{"agent", func(r *http.Request) { r.Header["User-Agent"] = []string{"a\nb: c"} }, "not valid", false},
		{"header name", func(r *http.Request) { r.Header["X: a\r\nY"] = []string{"b"} }, "not valid", false},
		{"no name", func(r *http.Request) { r.Header[""] = []string{"b"} }, "not valid", false},
		{"method", func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\nX:" }, "not valid", false},
		{"path", func(r *http.Request) { r.URL.Path, r.URL.RawPath = "*", "" }, "not valid", false},
		{"query", func(r *http.Request) { r.URL.RawQuery = "a HTTP/1.1\r\nX: b" }, "not valid", false},
		{"query space", func(r *http.Request) { r.URL.RawQuery = "a b" }, "not valid", false},
		{"trailer", func(r *http.Request) { r.Trailer = http.Header{"X": {"a"}} }, "not valid", false},
		{"no body", func(r *http.Request) { r.Body = nil }, "not valid", false},
		{"short body", func(r *http.Request) { r.ContentLength = 19 }, "not valid", false},
		{"long body", func(r *http.Request) { r.ContentLength = 17 }, "not valid", false},
		{"broken body", func(r *http.Request) { r.Body = fails }, "could not be read", false},
		{"broken end", func(r *http.Request) { r.Body = io.NopCloser(io.MultiReader(r.Body, fails)) }, "could not be read", false},
		{"broken unknown", func(r *http.Request) { r.Body, r.ContentLength = fails, -1 }, "could not be read", false},
		{"short long", func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(long()), 100_001 }, "not valid", true},
		{"longer long", func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(long()), 99_999 }, "not valid", true},
		{"broken long", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(io.MultiReader(long(), fails)), 100_001
		}, "could not be read", true},
		{"broken chunks", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(io.MultiReader(long(), fails)), -1
		}, "could not be read", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := raw(t, func(c net.Conn) {
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err == nil {
					io.Copy(io.Discard, r.Body) //nolint:errcheck // a test server
				}
				if !tt.wrote {
					t.Error("a connection was made")
				}
			})
			v := view(t, Config{}, base)
			r := post(t, base+"/x")
			tt.change(r)
			want(t, v, r, sotto.KindInvalid, tt.text, tt.wrote)
			wantState(t, v, 0, 0)
		})
	}
}

// FuzzCompose: what a request says to a server is what was asked for, and not a
// second request.
func FuzzCompose(f *testing.F) {
	f.Add("POST", "/bot/send", "a=b", "X-A", "v", "body")
	f.Add("GET", "/%zz", "a b", "Content-length", "7", "")
	f.Add("P\r", "/\r\n", "\r\n\r\n", "X: a\r\nB", "c\r\n\r\nGET / HTTP/1.1", "0\r\n\r\n")
	f.Fuzz(func(t *testing.T, method, path, query, name, value, body string) {
		r := post(t, "https://api.example/")
		r.Method, r.URL.Path, r.URL.RawQuery, r.Header[name] = method, path, query, []string{value}
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		text, err := written(t, r)
		if err != nil {
			return
		}
		br := bufio.NewReader(strings.NewReader(text))
		back, err := http.ReadRequest(br)
		if err != nil {
			if method != "PRI" && !strings.EqualFold(name, "Connection") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		got, err := io.ReadAll(back.Body)
		if err != nil || string(got) != body || br.Buffered() != 0 || back.Host != "api.example" {
			t.Errorf("%q: %q, %d left, %v", text, got, br.Buffered(), err)
		}
	})
}
