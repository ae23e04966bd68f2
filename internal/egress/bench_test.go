package egress

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"testing"
	"time"
)

var answerBody = []byte(`{"ok":true,"result":{"message_id":42,"date":1700000000,"chat":{"id":7}}}`)

func serve(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body) //nolint:errcheck // a test server
	w.Write(answerBody)         //nolint:errcheck // a test server
}

type doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// traced is a caller that traces its requests itself.
type traced struct{ d doer }

func (t traced) Do(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{GetConn: func(string) {}, GotConn: func(httptrace.GotConnInfo) {}}
	return t.d.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
}

func send(b *testing.B, d doer, url string) {
	b.Helper()
	body := []byte(`{"chat_id":7,"text":"your order is on its way"}`)
	buf := make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		resp, err := d.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = resp.Body.Read(buf)
		}
		resp.Body.Close() //nolint:errcheck // the test sees what follows
	}
}

// The difference between egress and net is what this package costs.
func BenchmarkHTTP1(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(serve))
	defer srv.Close()
	b.Run("egress", func(b *testing.B) { send(b, view(b, Config{}, srv.URL), srv.URL+"/send") })
	b.Run("traced", func(b *testing.B) { send(b, traced{view(b, Config{}, srv.URL)}, srv.URL+"/send") })
	b.Run("net", func(b *testing.B) { send(b, &http.Client{Timeout: 30 * time.Second}, srv.URL+"/send") })
}

func BenchmarkHTTP2(b *testing.B) {
	srv, roots := tlsServer(b, true, http.HandlerFunc(serve))
	b.Run("egress", func(b *testing.B) { send(b, view(b, Config{Roots: roots}, srv.URL), srv.URL+"/send") })
	b.Run("net", func(b *testing.B) { send(b, srv.Client(), srv.URL+"/send") })
}

// BenchmarkOverhead measures this package alone: the connection is left out.
func BenchmarkOverhead(b *testing.B) {
	v := view(b, Config{}, "https://api.example")
	r := httptest.NewRequest(http.MethodPost, "https://api.example/send", http.NoBody)
	b.ReportAllocs()
	for b.Loop() {
		if !v.allows(r) {
			b.Fatal("not allowed")
		}
	}
}
