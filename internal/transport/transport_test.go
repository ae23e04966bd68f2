package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

// token stands for a credential in a path; no log may show it.
const token = "8412:AAF-canary_Zx9Qw7"

// start runs a server until the test ends.
func start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	return s
}

func urlOf(s *Server) string { return "http://" + s.Addr().String() }

func do(tb testing.TB, c *http.Client, method, url string, body io.Reader, header ...string) (answer, string) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, url, body)
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	resp, err := c.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // the test sees what follows
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header}, string(b)
}

// answer is an answer whose body was read.
type answer struct {
	StatusCode int
	Header     http.Header
}

func TestHeaders(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/plain", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") }) //nolint:errcheck // a test
	mux.HandleFunc("/status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	mux.HandleFunc("/flush", func(w http.ResponseWriter, _ *http.Request) { http.NewResponseController(w).Flush() }) //nolint:errcheck // the test sees what follows
	mux.HandleFunc("/error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) })
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/refused", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Length"] = []string{"0"}
		w.WriteHeader(http.StatusUnauthorized)
	})
	mux.HandleFunc("/own", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		w.Header().Add("Cache-Control", "max-age=60")
		w.Header()["Cross-Origin-Resource-Policy"] = nil
		w.Header().Add("X-Content-Type-Options", "nosniff")
		io.WriteString(w, "x") //nolint:errcheck // a test
	})
	s := start(t, Config{Handler: mux})
	want := map[string]string{
		"Content-Security-Policy":      "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
		"Strict-Transport-Security":    "",
		"Server":                       "",
	}
	check := func() {
		t.Helper()
		for _, path := range []string{"/plain", "/status", "/flush", "/error", "/nothing"} {
			resp, _ := do(t, http.DefaultClient, "GET", urlOf(s)+path, nil)
			got := map[string]string{}
			for k := range want {
				got[k] = strings.Join(resp.Header.Values(k), "|")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(path, diff)
			}
		}
	}
	check()
	resp, _ := do(t, http.DefaultClient, "GET", urlOf(s)+"/own", nil)
	if got := resp.Header.Get("Content-Security-Policy"); got != "default-src 'self'" {
		t.Errorf("own policy: %q", got)
	}
	if got := resp.Header.Values("Cache-Control"); len(got) != 1 || got[0] != "max-age=60" {
		t.Errorf("own caching: %q", got)
	}
	if _, ok := resp.Header["Cross-Origin-Resource-Policy"]; ok {
		t.Error("a header that was left out is there")
	}
	resp, _ = do(t, http.DefaultClient, "POST", urlOf(s)+"/empty", strings.NewReader("x"))
	resp.Header.Del("Date")
	if diff := cmp.Diff(http.Header{"Content-Length": {"0"}}, resp.Header); diff != "" {
		t.Error("a webhook call:", diff)
	}
	for _, path := range []string{"/empty", "/refused"} {
		method := http.MethodGet
		if path == "/refused" {
			method = http.MethodPost
		}
		resp, _ = do(t, http.DefaultClient, method, urlOf(s)+path, nil)
		if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Content-Security-Policy") != "" || resp.Header.Get("X-Request-Id") == "" {
			t.Errorf("without a body: %s: %v", path, resp.Header)
		}
	}
	check() // what one handler changed is not changed for others
}

func TestRequestID(t *testing.T) {
	s := start(t, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, RequestID(r)) //nolint:errcheck // the test compares
	})})
	seen := map[string]bool{}
	for range 3 {
		resp, body := do(t, http.DefaultClient, "GET", urlOf(s), nil, "X-Request-Id", "mine", "X-Request-Id", "forged")
		if len(body) != 18 || resp.Header.Get("X-Request-Id") != body || seen[body] {
			t.Errorf("id %q, header %q", body, resp.Header.Get("X-Request-Id"))
		}
		seen[body] = true
	}
	// An empty answer to a POST has a number only if the handler asked for it.
	var asked atomic.Value
	s = start(t, Config{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Request-Id") != "" {
			t.Error("what a stranger sent was passed on")
		}
		if r.URL.Path == "/asks" {
			asked.Store(RequestID(r))
		}
	})})
	resp, _ := do(t, http.DefaultClient, "POST", urlOf(s)+"/asks", nil, "X-Request-Id", "forged")
	if got := resp.Header.Get("X-Request-Id"); len(got) != 18 || got != asked.Load() {
		t.Errorf("the handler was told %v, the caller %q", asked.Load(), got)
	}
	resp, _ = do(t, http.DefaultClient, "POST", urlOf(s)+"/asks-not", nil, "X-Request-Id", "forged")
	if got := resp.Header.Get("X-Request-Id"); got != "" {
		t.Errorf("nobody asked, the caller was told %q", got)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Request-Id", "forged")
	if RequestID(r) != "" || ClientIP(r).IsValid() || Secure(r) {
		t.Error("a request from elsewhere was believed")
	}
}

// An address is believed only from the named proxy, and only the part of the
// list that a proxy wrote.
func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	tests := []struct {
		name, header string
		trusted      []netip.Prefix
		send         []string // pairs
		want         string
		secure       bool
	}{
		{"no proxy", "", nil, []string{"X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https"}, "127.0.0.1", false},
		{"another proxy", "", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, []string{"X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https"}, "127.0.0.1", false},
		{"proxy", "", trusted, []string{"X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https"}, "203.0.113.7", true},
		{"no header", "", trusted, nil, "127.0.0.1", false},
		{"forged in front", "", trusted, []string{"X-Forwarded-For", "1.1.1.1, 203.0.113.7", "X-Forwarded-Proto", "https, http"}, "203.0.113.7", false},
		{"forged in another line", "", trusted, []string{"X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https", "X-Forwarded-Proto", "http"}, "203.0.113.7", false},
		{"two proxies", "", trusted, []string{"X-Forwarded-For", "1.1.1.1, 203.0.113.7,10.1.2.3", "X-Forwarded-Proto", "HTTPS"}, "203.0.113.7", true},
		{"only proxies", "", trusted, []string{"X-Forwarded-For", "10.9.9.9, 10.1.2.3"}, "10.9.9.9", false},
		{"rubbish", "", trusted, []string{"X-Forwarded-For", "1.1.1.1, unknown, 10.1.2.3"}, "10.1.2.3", false},
		{"empty", "", trusted, []string{"X-Forwarded-For", ""}, "127.0.0.1", false},
		{"ports and brackets", "", trusted, []string{"X-Forwarded-For", "[2a00::1]:443, 10.0.0.1:5"}, "2a00::1", false},
		{"mapped", "", trusted, []string{"X-Forwarded-For", "203.0.113.9, ::ffff:10.0.0.1"}, "203.0.113.9", false},
		{"mapped client", "", trusted, []string{"X-Forwarded-For", "::ffff:203.0.113.9"}, "203.0.113.9", false},
		{"zone", "", trusted, []string{"X-Forwarded-For", "fe80::1%eth0"}, "fe80::1", false},
		{"other header", "cf-connecting-ip", trusted, []string{"X-Forwarded-For", "1.1.1.1", "CF-Connecting-IP", "203.0.113.7"}, "203.0.113.7", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, Config{Trusted: tt.trusted, Header: tt.header, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, "%v %v", ClientIP(r), Secure(r)) //nolint:errcheck // the test sees what follows
			})})
			resp, got := do(t, http.DefaultClient, "GET", urlOf(s), nil, tt.send...)
			if want := fmt.Sprintf("%s %v", tt.want, tt.secure); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if (resp.Header.Get("Strict-Transport-Security") != "") != tt.secure {
				t.Error("HSTS does not follow the protocol")
			}
		})
	}
}

// FuzzClientIP: whatever a proxy passes on, the answer is an address, and never
// one that a stranger placed in front of a trusted one.
func FuzzClientIP(f *testing.F) {
	f.Add("1.1.1.1, 2.2.2.2")
	f.Add("[::1]:1,,")
	f.Fuzz(func(t *testing.T, header string) {
		s := &Server{cfg: Config{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
		peer := netip.MustParseAddr("10.0.0.1")
		if got := s.told([]string{header}, peer); !got.IsValid() {
			t.Errorf("%q is nobody", header)
		}
		if got := s.told([]string{header + ", 203.0.113.7"}, peer); got.String() != "203.0.113.7" {
			t.Errorf("%q was believed: %v", header, got)
		}
	})
}

// Plain HTTP from elsewhere than the proxy was readable on its way.
func TestPlainFromElsewhere(t *testing.T) {
	ip := ownAddress(t)
	handled := false
	s := start(t, Config{
		Listen: "0.0.0.0:0", Trusted: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")},
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { handled = true }),
	})
	resp, body := do(t, http.DefaultClient, "POST", fmt.Sprintf("http://%s/", net.JoinHostPort(ip, fmt.Sprint(s.Addr().(*net.TCPAddr).Port))), strings.NewReader("x"), "X-Forwarded-Proto", "https") //nolint:errcheck // the test sees what follows
	if resp.StatusCode != http.StatusForbidden || body != "" || handled || s.Stats().Refused != 1 {
		t.Errorf("%d %q, handled %v, %+v", resp.StatusCode, body, handled, s.Stats())
	}
}

// ownAddress returns an address of this machine that is not loopback.
func ownAddress(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	t.Skip("this machine has only loopback")
	return ""
}

func TestRefusesConfig(t *testing.T) {
	h := http.NotFoundHandler()
	everybody := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	tests := map[string]Config{
		"no handler, no clock": {},
		"public":               {Handler: h, Now: time.Now, Listen: ":0"},
		"public name":          {Handler: h, Now: time.Now, Listen: "example.org:0"},
		"everybody a proxy":    {Handler: h, Now: time.Now, Listen: ":0", Trusted: everybody},
		"half a pair":          {Handler: h, Now: time.Now, Listen: "127.0.0.1:0", Cert: "x"},
		"no such files":        {Handler: h, Now: time.Now, Listen: "127.0.0.1:0", Cert: "/nowhere/" + token, Key: "y"},
		"no directory":         {Handler: h, Now: time.Now, Listen: "127.0.0.1:0", Domain: "a.example"},
		"two sources":          {Handler: h, Now: time.Now, Listen: "127.0.0.1:0", Domain: "a.example", CertDir: "x", Cert: "x", Key: "y"},
		"no roots":             {Handler: h, Now: time.Now, Listen: "127.0.0.1:0", HTTP: "127.0.0.1:0", Domain: "a.example", CertDir: t.TempDir(), ACME: ACME{CAFile: "/nowhere"}},
	}
	for name, cfg := range tests {
		s, err := New(cfg)
		if sotto.KindOf(err) != sotto.KindInvalid || s != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), token) {
			t.Error(err)
		}
	}
	s := start(t, Config{Handler: h})
	if _, err := New(Config{Handler: h, Now: time.Now, Listen: s.Addr().String()}); sotto.KindOf(err) != sotto.KindBusy {
		t.Errorf("an address in use: %v", err)
	}
}

// syncBuffer is a log that can be read while the server writes.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestPanicAndLog(t *testing.T) {
	var out syncBuffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook/{account}/{secret}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Set-Cookie", "a="+token)
		switch r.URL.Query().Get("do") {
		case "late":
			io.WriteString(w, "half an answer")   //nolint:errcheck // it breaks
			http.NewResponseController(w).Flush() //nolint:errcheck // the test sees what follows
			panic(string(body))
		case "panic":
			panic(errors.New(string(body)))
		case "abort":
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusAccepted)
	})
	s := start(t, Config{Handler: mux, Log: log})
	call := func(what string) (answer, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, urlOf(s)+"/hook/a/"+token+"?do="+what, strings.NewReader(token))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return answer{}, err
		}
		defer resp.Body.Close() //nolint:errcheck // the test sees what follows
		body, err := io.ReadAll(resp.Body)
		if strings.Contains(string(body), token) {
			t.Errorf("%q", body)
		}
		if what == "panic" && (len(body) > 0 || resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("Content-Type") != "") {
			t.Errorf("%q %v", body, resp.Header)
		}
		return answer{resp.StatusCode, resp.Header}, err
	}
	if resp, err := call(""); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Errorf("%v %v", resp, err)
	}
	if resp, err := call("panic"); err != nil || resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("%v %v", resp, err)
	}
	if _, err := call("late"); err == nil {
		t.Error("half an answer looks whole")
	}
	if _, err := call("abort"); err == nil {
		t.Error("a broken answer looks whole")
	}
	// Something that is not HTTP, with a secret in it.
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "%s\r\n\r\n", token) //nolint:errcheck // the test sees what follows
	io.Copy(io.Discard, c)              //nolint:errcheck // until the server closes
	c.Close()                           //nolint:errcheck // the test sees what follows
	waitFor(t, func() bool { return s.Stats().InFlight == 0 && s.Stats().Requests == 4 })
	text := out.String()
	for _, secret := range []string{token, "127.0.0.1", "canary"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log shows %q:\n%s", secret, text)
		}
	}
	for _, want := range []string{"request answered", "request_id=", "status=202", "status=500", "duration=", `route="POST /hook/{account}/{secret}"`, "a handler panicked", "type=*errors.errorString", "TestPanicAndLog"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not have %q:\n%s", want, text)
		}
	}
	if st := s.Stats(); st.Panics != 2 || st.Status != [6]uint64{2, 0, 1, 0, 0, 1} {
		t.Errorf("%+v", st)
	}
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for range 200 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("it did not happen")
}

func TestBounds(t *testing.T) {
	var read atomic.Int64
	s := start(t, Config{
		MaxBody: 1000, MaxHeader: 4096, HeaderTimeout: 200 * time.Millisecond, ReadTimeout: 400 * time.Millisecond,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			read.Add(n)
			if err != nil {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			}
		}),
	})
	status := func(method string, body io.Reader, header ...string) int {
		resp, _ := do(t, http.DefaultClient, method, urlOf(s), body, header...)
		return resp.StatusCode
	}
	if got := status("POST", strings.NewReader(strings.Repeat("x", 1000))); got != 200 {
		t.Errorf("a body of the bound: %d", got)
	}
	if got := status("POST", strings.NewReader(strings.Repeat("x", 1001))); got != 413 || read.Load() != 1000 {
		t.Errorf("an announced body above the bound: %d, read %d", got, read.Load())
	}
	if got := status("POST", io.MultiReader(strings.NewReader(strings.Repeat("x", 1001)))); got != 413 || read.Load() > 2000 {
		t.Errorf("a chunked body above the bound: %d, read %d", got, read.Load())
	}
	if got := status("GET", nil, "X-A", strings.Repeat("a", 20000)); got != 431 {
		t.Errorf("large headers: %d", got)
	}
	for name, part := range map[string]string{
		"slow headers": "POST / HTTP/1.1\r\nHost: a\r\nX-A: b",
		"slow body":    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc",
	} {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, part)                            //nolint:errcheck // the read tells
		c.SetReadDeadline(time.Now().Add(3 * time.Second)) //nolint:errcheck // the read tells
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("%s: the connection was not closed: %v", name, err)
		}
		c.Close() //nolint:errcheck // the test sees what follows
	}
}

func TestStop(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	stopped := make(chan struct{})
	cfg := Config{
		Listen: "127.0.0.1:0", Now: time.Now, StopTimeout: 5 * time.Second, OnStop: func() { close(stopped) },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			begun <- struct{}{}
			<-release
			io.WriteString(w, "done") //nolint:errcheck // the test compares
		}),
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	answer := make(chan string, 1)
	go func() {
		_, body := do(t, &http.Client{}, "GET", urlOf(s), nil)
		answer <- body
	}()
	<-begun
	cancel()
	<-stopped
	waitFor(t, func() bool {
		c, err := net.Dial("tcp", s.Addr().String())
		if err == nil {
			c.Close() //nolint:errcheck // the test sees what follows
		}
		return err != nil
	})
	close(release)
	if got := <-answer; got != "done" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}

	// A handler that does not end is cut off.
	cfg.StopTimeout, cfg.OnStop = 50*time.Millisecond, nil
	never := make(chan struct{})
	defer close(never)
	cfg.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { begun <- struct{}{}; <-never })
	if s, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	go func() { ended <- s.Serve(ctx) }()
	go http.Get(urlOf(s)) //nolint:errcheck // it is cut off
	<-begun
	cancel()
	if err := <-ended; sotto.KindOf(err) != sotto.KindBusy {
		t.Errorf("%v", err)
	}
}

// Answers without end work, and may set their own time limits.
func TestStream(t *testing.T) {
	s := start(t, Config{WriteTimeout: 100 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
		f, ok := w.(http.Flusher)
		if !ok {
			t.Error("cannot flush")
			return
		}
		for range 4 {
			fmt.Fprintln(w, "line") //nolint:errcheck // the test sees what follows
			f.Flush()
			time.Sleep(60 * time.Millisecond)
		}
	})})
	resp, err := http.Get(urlOf(s))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // the test sees what follows
	lines := 0
	for sc := bufio.NewScanner(resp.Body); sc.Scan(); {
		lines++
	}
	if lines != 4 {
		t.Errorf("%d lines", lines)
	}
}

func TestManagedWithoutAuthority(t *testing.T) {
	s := start(t, Config{
		HTTP: "127.0.0.1:0", Domain: "chat.example.org", CertDir: t.TempDir(), ACME: ACME{Directory: "https://127.0.0.1:1/dir", Email: "a@example.org"},
		Handler: http.NotFoundHandler(),
	})
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	base := "http://" + s.HTTPAddr().String()
	port := s.Addr().(*net.TCPAddr).Port //nolint:errcheck // the test sees what follows
	for path, want := range map[string]string{
		"/":                                   fmt.Sprintf("https://chat.example.org:%d/", port),
		"/a%2Fb?c=d":                          fmt.Sprintf("https://chat.example.org:%d/a%%2Fb?c=d", port),
		"//evil.example":                      fmt.Sprintf("https://chat.example.org:%d//evil.example", port),
		"/.well-known/acme-challenge/unknown": fmt.Sprintf("https://chat.example.org:%d/.well-known/acme-challenge/unknown", port),
	} {
		resp, body := do(t, c, "GET", base+path, nil, "Host", "evil.example")
		if resp.StatusCode != http.StatusPermanentRedirect || resp.Header.Get("Location") != want || body != "" {
			t.Errorf("%s: %d %q %q", path, resp.StatusCode, resp.Header.Get("Location"), body)
		}
	}
	if resp, body := do(t, c, "POST", base+"/hook", strings.NewReader("x")); resp.StatusCode != http.StatusForbidden || body != "" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	if _, ok := s.CertificateExpiry(); ok {
		t.Error("there is a certificate")
	}
	_, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{ServerName: "chat.example.org"})
	if err == nil {
		t.Error("a handshake without certificate")
	}
	waitFor(t, func() bool { return s.Stats().Broken > 0 })
}

func TestCertificateFiles(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	var clock atomic.Int64
	clock.Store(1_800_000_000)
	now := func() time.Time { return time.Unix(clock.Load(), 0) }
	first := writePair(t, cert, key, time.Unix(2_000_000_000, 0))
	var out syncBuffer
	cfg := Config{
		Cert: cert, Key: key, Now: now, Log: slog.New(slog.NewTextHandler(&out, nil)),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto, Secure(r)) }), //nolint:errcheck // the test sees what follows
	}
	s := start(t, cfg)
	roots := x509.NewCertPool()
	roots.AddCert(first)
	c := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	resp, body := do(t, c, "GET", "https://"+s.Addr().String(), nil)
	if body != "HTTP/2.0true" || resp.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("%q %v", body, resp.Header)
	}
	if end, ok := s.CertificateExpiry(); !ok || end.Unix() != 2_000_000_000 {
		t.Errorf("%v %v", end, ok)
	}
	if end, ok := StoredExpiry(cfg); !ok || end.Unix() != 2_000_000_000 {
		t.Errorf("stored: %v %v", end, ok)
	}
	serial := func() string {
		t.Helper()
		c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // the test sees what follows
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	if _, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}); err == nil {
		t.Error("TLS 1.1 was spoken")
	}

	// Half of a new pair: the old one stays.
	if err := os.WriteFile(cert, []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	clock.Add(10)
	if serial() != first.SerialNumber.String() || !strings.Contains(out.String(), "the old one stays") {
		t.Errorf("half a pair was used: %s", out.String())
	}
	second := writePair(t, cert, key, time.Unix(2_100_000_000, 0))
	if serial() != first.SerialNumber.String() {
		t.Error("the files are looked at for every handshake")
	}
	clock.Add(10)
	if serial() != second.SerialNumber.String() || !strings.Contains(out.String(), "was read again") {
		t.Errorf("the new pair is not used: %s", out.String())
	}
	if end, _ := s.CertificateExpiry(); end.Unix() != 2_100_000_000 {
		t.Errorf("%v", end)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	clock.Add(10)
	if serial() != second.SerialNumber.String() {
		t.Error("a missing file ended HTTPS")
	}
	if strings.Contains(out.String(), dir) {
		t.Errorf("the log shows paths: %s", out.String())
	}
}
