package egress

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
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
	b.Run("net", func(b *testing.B) { send(b, &http.Client{Timeout: 30 * time.Second}, srv.URL+"/send") })
}

// With HTTP/2 net/http speaks what it would if it had the choice.
func BenchmarkTLS(b *testing.B) {
	srv, roots := tlsServer(b, false, http.HandlerFunc(serve))
	b.Run("egress", func(b *testing.B) { send(b, view(b, Config{Roots: roots}, srv.URL), srv.URL+"/send") })
	b.Run("net", func(b *testing.B) { send(b, srv.Client(), srv.URL+"/send") })
	h2, _ := tlsServer(b, true, http.HandlerFunc(serve))
	b.Run("net-http2", func(b *testing.B) { send(b, h2.Client(), h2.URL+"/send") })
}

// BenchmarkClient measures the client beside a server that does next to nothing
// for an answer.
func BenchmarkClient(b *testing.B) {
	base := raw(b, canned)
	b.Run("egress", func(b *testing.B) { send(b, view(b, Config{}, base), base+"/send") })
	b.Run("net", func(b *testing.B) { send(b, &http.Client{Timeout: 30 * time.Second}, base+"/send") })
	b.Run("floor", func(b *testing.B) { // nothing but the bytes
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // the test sees what follows
		buf := make([]byte, 1024)
		for b.Loop() {
			if _, err := conn.Write(buf[:200]); err != nil {
				b.Fatal(err)
			}
			if _, err := conn.Read(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// canned answers whatever comes in one read.
func canned(conn net.Conn) {
	out := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Length: %d\r\n\r\n%s",
		len(answerBody), answerBody)
	in := make([]byte, 4096)
	for {
		if _, err := conn.Read(in); err != nil {
			return
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// BenchmarkOverhead measures this package alone: the connection is left out.
func BenchmarkOverhead(b *testing.B) {
	v := view(b, Config{}, "https://api.example")
	r := httptest.NewRequest(http.MethodPost, "https://api.example/send", http.NoBody)
	b.ReportAllocs()
	for b.Loop() {
		if p, ok := v.poolOf(r); !ok || p == nil {
			b.Fatal("not allowed")
		}
	}
}
