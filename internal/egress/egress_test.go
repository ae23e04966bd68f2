package egress

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sotto-chat/sotto"
)

// token stands for a credential in a path; no error may show it.
const token = "8412:AAF-canary_Zx9Qw7"

func client(tb testing.TB, cfg Config) *Client {
	tb.Helper()
	c, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

func view(tb testing.TB, cfg Config, bases ...string) *View {
	tb.Helper()
	v, err := client(tb, cfg).For("telegram/shop", bases...)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func get(tb testing.TB, url string) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func post(tb testing.TB, url string) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, url, strings.NewReader("said in confidence"))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// try1 makes a request that has to fail, and returns kind, text and whether it
// may have been written, the way an adapter finds out.
func try1(tb testing.TB, v *View, r *http.Request) (kind sotto.Kind, text string, written bool) {
	tb.Helper()
	resp, err := v.Do(r)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close() //nolint:errcheck // the test sees what follows
	}
	if err == nil {
		tb.Fatal("the request succeeded")
	}
	for _, secret := range []string{token, "confidence", "127.0.0.1", "example", "/bot"} {
		if strings.Contains(fmt.Sprintf("%v %+v %q", err, err, err), secret) {
			tb.Errorf("the error shows %q: %v", secret, err)
		}
	}
	var w interface{ Written() bool }
	if !errors.As(err, &w) {
		tb.Fatalf("%T does not tell whether it was written", err)
	}
	return sotto.KindOf(err), err.Error(), w.Written()
}

// want fails the request and compares.
func want(t *testing.T, v *View, r *http.Request, kind sotto.Kind, text string, written bool) {
	t.Helper()
	k, s, w := try1(t, v, r)
	if k != kind || !strings.Contains(s, text) || w != written {
		t.Errorf("got %v, %q, written %v; want %v, %q, %v", k, s, w, kind, text, written)
	}
}

func TestAnswer(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("http2=%v", h2), func(t *testing.T) {
			srv, roots := tlsServer(t, h2, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				w.Header().Set("X-Proto", r.Proto)
				w.WriteHeader(http.StatusTeapot)
				fmt.Fprintf(w, "%s %s", r.URL.Path, body) //nolint:errcheck // the test sees what follows
			}))
			v := view(t, Config{Roots: roots}, srv.URL+"/ignored")
			for range 3 {
				resp, err := v.Do(post(t, srv.URL+"/bot/send"))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil || string(body) != "/bot/send said in confidence" || resp.StatusCode != http.StatusTeapot {
					t.Errorf("%d %q %v", resp.StatusCode, body, err)
				}
				if got := resp.Header.Get("X-Proto"); got != "HTTP/1.1" || resp.TLS == nil {
					t.Errorf("spoke %s", got)
				}
				if err := resp.Body.Close(); err != nil {
					t.Error(err)
				}
			}
			if s := v.Stats(); s.Requests != 3 || s.Answers != 3 || s.Owner != "telegram/shop" {
				t.Errorf("%+v", s)
			}
		})
	}
}

func tlsServer(tb testing.TB, h2 bool, h http.Handler) (*httptest.Server, *x509.CertPool) {
	tb.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = h2
	srv.StartTLS()
	tb.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return srv, roots
}

// Whatever is not declared gets no socket.
func TestOtherHosts(t *testing.T) {
	var hits atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer srv.Close()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer other.Close()
	c := client(t, Config{})
	v, err := c.For("a", srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	// Another owner's place, on this machine too, is not ours.
	if _, err := c.For("b", other.URL); err != nil {
		t.Fatal(err)
	}
	port := srv.Listener.Addr().(*net.TCPAddr).Port //nolint:errcheck // the test sees what follows
	urls := []string{
		other.URL + "/bot" + token,
		"https://example.org/bot" + token,
		fmt.Sprintf("https://127.0.0.1:%d/", port), // other scheme
		"http://127.0.0.1/",                        // other port
		fmt.Sprintf("http://localhost:%d/", port),  // other name of the same
		fmt.Sprintf("http://127.1:%d/", port),
		fmt.Sprintf("http://2130706433:%d/", port),
		fmt.Sprintf("http://0177.0.0.1:%d/", port),
		fmt.Sprintf("http://0x7f000001:%d/", port),
		fmt.Sprintf("http://[::ffff:127.0.0.1]:%d/", port),
		fmt.Sprintf("http://127.0.0.1.:%d/", port),
		fmt.Sprintf("http://127.0.0.1:%d@example.org/", port),
		fmt.Sprintf("http://user:%s@127.0.0.1:%d/", "pass", port),
		fmt.Sprintf("ftp://127.0.0.1:%d/", port),
	}
	for _, u := range urls {
		r := get(t, u)
		if k, text, written := try1(t, v, r); k != sotto.KindDenied || written {
			t.Errorf("%s: %v %q %v", u, k, text, written)
		}
	}
	odd := map[string]func(r *http.Request){
		"host header": func(r *http.Request) { r.Host = "example.org" },
		"opaque":      func(r *http.Request) { r.URL.Opaque = "//example.org/x" },
		"connect":     func(r *http.Request) { r.Method = http.MethodConnect },
		"no url":      func(r *http.Request) { r.URL = nil },
	}
	for name, change := range odd {
		r := get(t, srv.URL)
		change(r)
		if k, text, written := try1(t, v, r); k != sotto.KindDenied || written {
			t.Errorf("%s: %v %q %v", name, k, text, written)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests got through", hits.Load())
	}
	if s := v.Stats(); s.Denied != uint64(len(urls)+len(odd)) || s.Requests != 0 {
		t.Errorf("%+v", s)
	}
	var none *View
	want(t, none, get(t, srv.URL), sotto.KindDenied, "", false)
	want(t, &View{}, post(t, srv.URL), sotto.KindDenied, "", false)
	empty, err := c.For("empty")
	if err != nil {
		t.Fatal(err)
	}
	want(t, empty, get(t, srv.URL), sotto.KindDenied, "", false)
}

func TestBases(t *testing.T) {
	good := []string{
		"https://api.telegram.org", "https://API.telegram.org/x", "https://a.example:8443", "https://8.8.8.8",
		"http://localhost:1", "http://127.0.0.1:1", "http://10.1.2.3", "http://[::1]:80", "https://[fd12::1]", "https://3com.example", "https://a_b.example",
	}
	for _, b := range good {
		if _, err := parsePlace(b); err != nil {
			t.Errorf("%s: %v", b, err)
		}
	}
	bad := []string{
		"", "api.telegram.org", "ftp://a.example", "https://", "https://user:pw@a.example", "http://a.example", "http://8.8.8.8",
		"https://2130706433", "https://127.1", "https://0177.0.0.1", "https://0x7f.1", "https://0x7f000001", "https://1.2.3.4.5", "https://a.example.",
		"https://[::ffff:127.0.0.1]", "https://[fe80::1%25eth0]", "https://169.254.169.254", "https://[fe80::1]", "https://0.0.0.0", "https://[::]",
		"https://224.0.0.1", "https://255.255.255.255", "https://[fd00:ec2::254]", "https://münchen.example", "https://a b", "https://a.example:0",
		"https://a.example:99999", "https://a.example:080", "mailto:a@b.example", "http://169.254.169.254",
	}
	for _, b := range bad {
		if p, err := parsePlace(b); err == nil {
			t.Errorf("%q is %+v", b, p)
		} else if b != "" && strings.Contains(err.Error(), "pw") {
			t.Errorf("%v", err)
		}
	}
	c := client(t, Config{})
	if _, err := c.For("a", "https://a.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.For("a"); sotto.KindOf(err) != sotto.KindExists {
		t.Errorf("an owner twice: %v", err)
	}
	if _, err := c.For("b", "x"); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("%v", err)
	}
	if _, err := (&Client{}).For("a"); err == nil {
		t.Error("the zero client took an owner")
	}
}

// A name that leads to this machine or to a private network gets no socket,
// whatever a resolver says of it, and however often it changes its mind.
func TestRebinding(t *testing.T) {
	var hits atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the test sees what follows
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			hits.Add(1)
			conn.Close() //nolint:errcheck // the test sees what follows
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port //nolint:errcheck // the test sees what follows
	for _, addr := range []string{
		"127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1",
		"198.51.100.1", "::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fd00:ec2::254", "fe80::1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
	} {
		t.Run(addr, func(t *testing.T) {
			base := fmt.Sprintf("https://rebind.example:%d", port)
			c := client(t, Config{Resolver: resolver(t, netip.MustParseAddr(addr)), Timeout: 5 * time.Second})
			v, err := c.For("a", base)
			if err != nil {
				t.Fatal(err)
			}
			want(t, v, get(t, base+"/bot"+token), sotto.KindDenied, "not public", false)
			if v.Stats().Denied != 1 {
				t.Errorf("%+v", v.Stats())
			}
		})
	}
	if hits.Load() != 0 {
		t.Errorf("%d connections were made", hits.Load())
	}
}

// The name localhost may not lead elsewhere either, if the resolver lies.
func TestLocalhostElsewhere(t *testing.T) {
	p, err := parsePlace("http://localhost:80")
	if err != nil {
		t.Fatal(err)
	}
	literal, err := parsePlace("http://10.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	for addr, ok := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "10.0.0.1:80": false, "93.184.216.34:80": false, "169.254.169.254:80": false, "x": false} {
		if err := p.control(t.Context(), "tcp4", addr, nil); (err == nil) != ok {
			t.Errorf("localhost at %s: %v", addr, err)
		}
	}
	for addr, ok := range map[string]bool{"10.0.0.1:80": true, "10.0.0.2:80": false, "127.0.0.1:80": false} {
		if err := literal.control(t.Context(), "tcp4", addr, nil); (err == nil) != ok {
			t.Errorf("10.0.0.1 at %s: %v", addr, err)
		}
	}
}

// resolver answers every question with one address.
func resolver(t *testing.T, addr netip.Addr) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() }) //nolint:errcheck // the test sees what follows
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer, ok := answer(buf[:n], addr); ok {
				pc.WriteTo(answer, from) //nolint:errcheck // the test times out
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func answer(question []byte, addr netip.Addr) ([]byte, bool) {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil, false
	}
	m.Response, m.Additionals = true, nil
	q := m.Questions[0]
	h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
	switch {
	case q.Type == dnsmessage.TypeA && addr.Is4():
		m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: addr.As4()}}}
	case q.Type == dnsmessage.TypeAAAA && addr.Is6():
		m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
	}
	b, err := m.Pack()
	return b, err == nil
}

func TestRedirect(t *testing.T) {
	var hits atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer target.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				hits.Add(1)
			}
			to := target.URL
			if r.URL.Query().Has("same") {
				to = "/other"
			}
			http.Redirect(w, r, to, status)
		}))
		v := view(t, Config{}, srv.URL)
		want(t, v, post(t, srv.URL), sotto.KindInvalid, "redirect", true)
		want(t, v, get(t, srv.URL+"?same"), sotto.KindInvalid, "redirect", true)
		if v.Stats().Redirects != 2 {
			t.Errorf("%+v", v.Stats())
		}
		srv.Close()
	}
	if hits.Load() != 0 {
		t.Errorf("%d redirects were followed", hits.Load())
	}
}

func TestProxyFromEnvironment(t *testing.T) {
	var hits atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer proxy.Close()
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("HTTP_PROXY", proxy.URL)
	v := view(t, Config{Resolver: resolver(t, netip.MustParseAddr("10.0.0.1"))}, "https://api.example")
	want(t, v, get(t, "https://api.example/"), sotto.KindDenied, "", false)
	if hits.Load() != 0 {
		t.Error("the proxy was used")
	}
}

func TestCookies(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" {
			t.Error("a cookie was kept")
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	}))
	defer srv.Close()
	v := view(t, Config{}, srv.URL)
	for range 2 {
		resp, err := v.Do(get(t, srv.URL))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close() //nolint:errcheck // the test sees what follows
	}
}

// raw serves connections with a function.
func raw(tb testing.TB, serve func(net.Conn)) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() }) //nolint:errcheck // the test sees what follows
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close() //nolint:errcheck // the test sees what follows
				serve(conn)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func readRequest(conn net.Conn) {
	if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // a test server
	}
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	endless := func(conn net.Conn, head, part string) {
		readRequest(conn)
		io.WriteString(conn, head) //nolint:errcheck // until the client has enough
		for {
			if _, err := io.WriteString(conn, part); err != nil {
				return
			}
		}
	}
	slow := func(conn net.Conn) {
		readRequest(conn)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n") //nolint:errcheck // a test server
		for range 1000 {
			if _, err := io.WriteString(conn, "x"); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	tests := []struct {
		name  string
		serve func(net.Conn)
		kind  sotto.Kind
		text  string
	}{
		{"long body", func(c net.Conn) {
			endless(c, "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "x")
		}, sotto.KindInvalid, "the answer is too large"},
		{"endless body", func(c net.Conn) {
			endless(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "400\r\n"+strings.Repeat("x", 1024)+"\r\n")
		}, sotto.KindInvalid, "the answer is too large"},
		{"header bomb", func(c net.Conn) {
			endless(c, "HTTP/1.1 200 OK\r\n", "X-A: "+strings.Repeat("a", 1000)+"\r\n")
		}, sotto.KindInvalid, "headers are too large"},
		{"endless early hints", func(c net.Conn) {
			endless(c, "", "HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("a", 100)+"\r\n\r\n")
		}, sotto.KindInvalid, "headers are too large"},
		{"slow body", slow, sotto.KindUnavailable, "took too long"},
		{"no answer", func(c net.Conn) { readRequest(c); time.Sleep(2 * time.Second) }, sotto.KindUnavailable, "took too long"},
		{"closed", func(c net.Conn) { readRequest(c) }, sotto.KindUnavailable, "closed"},
		{"cut short", func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") //nolint:errcheck // a test server
		}, sotto.KindUnavailable, "closed"},
		{"not http", func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, "SSH-2.0-"+token+"\r\n\r\n") //nolint:errcheck // a test server
		}, sotto.KindUnavailable, "not HTTP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := raw(t, tt.serve)
			v := view(t, Config{Timeout: 500 * time.Millisecond, MaxBody: 10 << 10}, base)
			want(t, v, post(t, base+"/bot"+token), tt.kind, tt.text, true)
		})
	}
}

// TestLimit: a body of exactly the bound is whole, one more byte is an error.
func TestLimit(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		for size := 98; size <= 102; size++ {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if chunked {
					w.(http.Flusher).Flush() //nolint:errcheck // the test sees what follows
				}
				io.WriteString(w, strings.Repeat("x", size)) //nolint:errcheck // a test server
			}))
			v := view(t, Config{MaxBody: 100}, srv.URL)
			resp, err := v.Do(get(t, srv.URL))
			var body []byte
			if err == nil {
				body, err = io.ReadAll(resp.Body)
				resp.Body.Close() //nolint:errcheck // the test sees what follows
			}
			if (err != nil) != (size > 100) || err == nil && len(body) != size || len(body) > 100 {
				t.Errorf("size %d, chunked %v: %d bytes, %v", size, chunked, len(body), err)
			}
			srv.Close()
		}
	}
}

func TestNothingWritten(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		base := "http://" + l.Addr().String()
		l.Close() //nolint:errcheck // the test sees what follows
		v := view(t, Config{}, base)
		want(t, v, post(t, base+"/bot"+token), sotto.KindUnavailable, "refused", false)
		if s := v.Stats(); s.Failed != 1 || s.Unclear != 0 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("certificate", func(t *testing.T) {
		srv, _ := tlsServer(t, true, http.NotFoundHandler())
		srv.Config.ErrorLog = nil
		v := view(t, Config{}, srv.URL)
		want(t, v, post(t, srv.URL+"/bot"+token), sotto.KindUnavailable, "certificate", false)
	})
	t.Run("old TLS", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(http.NotFoundHandler())
		srv.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} // what the client has to refuse
		srv.StartTLS()
		defer srv.Close()
		roots := x509.NewCertPool()
		roots.AddCert(srv.Certificate())
		v := view(t, Config{Roots: roots}, srv.URL)
		want(t, v, post(t, srv.URL), sotto.KindUnavailable, "TLS", false)
	})
	t.Run("not TLS", func(t *testing.T) {
		base := raw(t, func(c net.Conn) { io.WriteString(c, "hello, this is no TLS\r\n"); readRequest(c) }) //nolint:errcheck // a test server
		base = strings.Replace(base, "http:", "https:", 1)
		v := view(t, Config{}, base)
		want(t, v, post(t, base), sotto.KindUnavailable, "TLS", false)
	})
	t.Run("cancelled before", func(t *testing.T) {
		base := raw(t, func(c net.Conn) { readRequest(c) })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		v := view(t, Config{}, base)
		_, err := v.Do(post(t, base).WithContext(ctx)) //nolint:bodyclose // there is none
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		want(t, v, post(t, base).WithContext(ctx), sotto.KindUnavailable, "cancelled", false)
	})
	t.Run("handshake takes too long", func(t *testing.T) {
		base := strings.Replace(raw(t, func(net.Conn) { time.Sleep(time.Second) }), "http:", "https:", 1)
		v := view(t, Config{Timeout: 200 * time.Millisecond}, base)
		want(t, v, post(t, base), sotto.KindUnavailable, "too long", false)
	})
	t.Run("bad header", func(t *testing.T) {
		base := raw(t, func(c net.Conn) { readRequest(c) })
		r := post(t, base)
		r.Header["X"] = []string{"a\r\nb: " + token}
		want(t, view(t, Config{}, base), r, sotto.KindInvalid, "request is not valid", false)
	})
}

// A kept connection that the server closed, and a server that then is gone:
// nothing was written.
func TestKeptConnectionGone(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	v := view(t, Config{}, srv.URL)
	resp, err := v.Do(post(t, srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close() //nolint:errcheck // the test sees what follows
	srv.CloseClientConnections()
	srv.Close()
	time.Sleep(50 * time.Millisecond)
	want(t, v, post(t, srv.URL), sotto.KindUnavailable, "refused", false)
}

// A kept connection that breaks when the request arrives: it may have been
// acted upon, and is not repeated.
func TestKeptConnectionBreaks(t *testing.T) {
	var requests atomic.Int64
	base := raw(t, func(c net.Conn) {
		br := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body) //nolint:errcheck // a test server
			if requests.Add(1) > 1 {
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") //nolint:errcheck // a test server
		}
	})
	v := view(t, Config{}, base)
	resp, err := v.Do(post(t, base))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close() //nolint:errcheck // without reading: the rest is read for us
	want(t, v, post(t, base), sotto.KindUnavailable, "closed", true)
	if requests.Load() != 2 {
		t.Errorf("%d requests", requests.Load())
	}
	if s := v.Stats(); s.Unclear != 1 {
		t.Errorf("%+v", s)
	}
}

// Over TLS too: what was written and not answered may have been acted upon.
func TestUnclear(t *testing.T) {
	srv, roots := tlsServer(t, true, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // a test server
		<-r.Context().Done()
	}))
	v := view(t, Config{Roots: roots, Timeout: 300 * time.Millisecond}, srv.URL)
	want(t, v, post(t, srv.URL), sotto.KindUnavailable, "too long", true)
}

// Connections are used again, also by readers that stop before the end.
func TestReuse(t *testing.T) {
	var conns atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("chunked") {
			io.WriteString(w, "{")   //nolint:errcheck // a test server
			w.(http.Flusher).Flush() //nolint:errcheck // the test sees what follows
		}
		io.WriteString(w, `"ok":true}`) //nolint:errcheck // a test server
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	v := view(t, Config{}, srv.URL)
	for range 5 {
		for _, query := range []string{"", "?chunked"} {
			resp, err := v.Do(post(t, srv.URL+query))
			if err != nil {
				t.Fatal(err)
			}
			var some [3]byte
			if _, err := io.ReadFull(resp.Body, some[:]); err != nil && query == "" {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if conns.Load() != 1 {
		t.Errorf("%d connections", conns.Load())
	}
}
