package transport

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// fakeWriter costs next to nothing, so that the benchmark shows the wrapper.
type fakeWriter struct{ h http.Header }

func (w *fakeWriter) Header() http.Header       { return w.h }
func (*fakeWriter) WriteHeader(int)             {}
func (*fakeWriter) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkHandler is what this package adds to a request, without the network.
func BenchmarkHandler(b *testing.B) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	s := &Server{cfg: Config{Handler: next, Now: time.Now, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, ids: newIDSource(), headers: newHeaders()}
	s.cfg.fill()
	c, _ := net.Pipe()
	ctx := s.connContext(context.Background(), c)
	k, _ := ctx.Value(connKey{}).(*conn)
	k.peer, k.trusted = netip.MustParseAddr("127.0.0.1"), true
	r := httptest.NewRequest(http.MethodPost, "/hook/telegram/shop", strings.NewReader("{}")).WithContext(ctx)
	r.Header.Set("X-Forwarded-For", "203.0.113.7")
	r.Header.Set("X-Forwarded-Proto", "https")
	h := s.handler()
	b.Run("sotto", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h.ServeHTTP(&fakeWriter{h: make(http.Header)}, r)
		}
	})
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			next.ServeHTTP(&fakeWriter{h: make(http.Header)}, r)
		}
	})
	b.Run("client ip", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !ClientIP(r).IsValid() {
				b.Fatal("nobody")
			}
		}
	})
}

// BenchmarkServer compares whole requests over loopback with bare net/http.
func BenchmarkServer(b *testing.B) {
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // a test server
		if r.URL.Path == "/page" {
			io.WriteString(w, "page") //nolint:errcheck // a test server
		}
	})
	run := func(b *testing.B, url string) {
		b.Helper()
		b.ReportAllocs()
		for b.Loop() {
			resp, err := http.Post(url, "application/json", strings.NewReader(`{"update_id":1}`))
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body) //nolint:errcheck // empty
			resp.Body.Close()              //nolint:errcheck // the test sees what follows
		}
	}
	srv := httptest.NewServer(next)
	defer srv.Close()
	for _, path := range []string{"/hook", "/page"} {
		b.Run(path+"/sotto", func(b *testing.B) { run(b, urlOf(start(b, Config{Handler: next}))+path) })
		b.Run(path+"/bare", func(b *testing.B) { run(b, srv.URL+path) })
	}
}
