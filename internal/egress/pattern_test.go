package egress

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"code.dny.dev/ssrf"

	"github.com/sotto-chat/sotto"
)

func TestPatterns(t *testing.T) {
	for _, b := range []string{
		"https://*.fbcdn.net", "https://*.FBCDN.net/", "https://*.xx.fbcdn.net:8443", "https://*.cdn.example.co.uk", "https://*.a_b.example", "https://*.xn--mnchen-3ya.example",
	} {
		if _, _, err := parsePattern(b); err != nil || !isPattern(b) {
			t.Errorf("%s: %v", b, err)
		}
	}
	for _, b := range []string{
		"*", "https://*", "https://*.", "https://*.net", "https://*.net.", "https://*.co.uk", "https://*.fbcdn.net.", "https://*.*.fbcdn.net", "https://*fbcdn.net",
		"https://a*.fbcdn.net", "https://a.*.fbcdn.net", "https://fbcdn.*", "https://*..fbcdn.net", "https://*.-a.example", "http://*.fbcdn.net", "ftp://*.fbcdn.net",
		"https://pw@*.fbcdn.net", "https://*.fbcdn.net:0", "https://*.fbcdn.net:99999", "https://*.1.2.3.4", "https://*.0x7f.1", "https://*.localhost", "https://*.[::1]",
		"https://fbcdn.net/*", "https://*.fbcdn.net/*", "https://*.fbcdn.net?*", "https://*.münchen.example", "https://*.fb cdn.net", "*.fbcdn.net", "https://*.127.0.0.1", "//*.fbcdn.net",
		"https://*." + strings.Repeat("a", 64) + ".example", "https://*." + strings.Repeat("abcdefg.", 32) + "example",
	} {
		if _, _, err := parsePattern(b); err == nil {
			t.Errorf("%q is taken as a pattern", b)
		} else if strings.Contains(err.Error(), "pw") {
			t.Errorf("%v", err)
		}
		if _, err := client(t, Config{}).For("a", b); err == nil {
			t.Errorf("%q is taken", b)
		}
	}
}

// lies are addresses that look as if they matched https://*.fbcdn.net.
var lies = []string{
	"https://fbcdn.net/", "https://evilfbcdn.net/", "https://a.evilfbcdn.net/", "https://fbcdn.net.evil.com/", "https://a.fbcdn.net.evil.com/", "https://a.fbcdn.net./",
	"https://a.fbcdn.net@evil.com/", "https://user:pass@a.fbcdn.net/", "https://a.fbcdn.net:8443/", "https://a.fbcdn.net:80/", "http://a.fbcdn.net/", "http://a.fbcdn.net:443/",
	"ftp://a.fbcdn.net/", "https://.fbcdn.net/", "https://a..fbcdn.net/", "https://-a.fbcdn.net/", "https://a-.fbcdn.net/", "https://*.fbcdn.net/", "https://127.0.0.1/",
	"https://[::1]/", "https://2130706433/", "https://1.2.3.4.fbcdn.net.evil.com/", "https://evil.com/a.fbcdn.net", "https://evil.com?.fbcdn.net", "https://evil.com#.fbcdn.net",
	"https://xn--a-fbcdn.net/", "https://a.fbcdn.xn--net-5s2a/", "https://a.fbcdn.nеt/", "https://a\u3002fbcdn.net/", "https://münchen.fbcdn.net/", "https://evil.com%2f.fbcdn.net/",
	"https://a.fbcdn.net:443:443/", "https://" + strings.Repeat("a", 64) + ".fbcdn.net/", "https://" + strings.Repeat("abcdefg.", 40) + "fbcdn.net/",
}

func TestHostsThatLie(t *testing.T) {
	c := client(t, Config{Resolver: resolver(t, netip.MustParseAddr("127.0.0.1"))})
	v, err := c.For("a", "https://*.fbcdn.net")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range lies {
		r := get(t, "https://x.example/")
		if r.URL, err = url.Parse(u); err != nil {
			continue // nobody can ask for it
		}
		r.Host = ""
		if k, text, written := try1(t, v, r); k != sotto.KindDenied || written || !strings.Contains(text, "may not reach") {
			t.Errorf("%s: %v %q", u, k, text)
		}
	}
	for _, host := range []string{"evil.com/.fbcdn.net", "evil.com\\.fbcdn.net", "evil.com#.fbcdn.net", "evil.com:1@a.fbcdn.net", "evil.com\r\nX: .fbcdn.net", "evil.com\x00.fbcdn.net", "[::1].fbcdn.net", "a.fbcdn.net:443:1"} {
		r := get(t, "https://x.example/")
		r.URL = &url.URL{Scheme: "https", Host: host, Path: "/"}
		r.Host = ""
		if k, _, written := try1(t, v, r); k != sotto.KindDenied || written {
			t.Errorf("%q: %v", host, k)
		}
	}
	if n := len(v.wide[0].pools); n != 0 {
		t.Errorf("%d pools were made", n)
	}
	// What matches is held to the other promises: here the address is not public.
	for _, u := range []string{"https://a.fbcdn.net/", "https://A.B.fbcdn.NET:443/", "https://xn--mnchen-3ya.fbcdn.net/"} {
		want(t, v, get(t, u), sotto.KindDenied, "not public", false)
	}
}

// wideServer answers for every host below cdn.example, on this machine, for a
// client whose guard lets that through.
func wideServer(t *testing.T, cfg Config, h http.HandlerFunc) (v *View, port int, conns *atomic.Int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"*.cdn.example", "*.eu.cdn.example"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	conns = new(atomic.Int64)
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Roots = x509.NewCertPool()
	cfg.Roots.AddCert(parsed)
	cfg.Resolver = resolver(t, netip.MustParseAddr("127.0.0.1"))
	c := client(t, cfg)
	c.guard = ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(netip.MustParsePrefix("127.0.0.0/8")))
	port = srv.Listener.Addr().(*net.TCPAddr).Port //nolint:errcheck,forcetypeassert // the test sees what follows
	if v, err = c.For("a", fmt.Sprintf("https://*.cdn.example:%d", port)); err != nil {
		t.Fatal(err)
	}
	return v, port, conns
}

func TestPatternAnswers(t *testing.T) {
	v, port, conns := wideServer(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Host) //nolint:errcheck // a test server
	})
	for _, host := range []string{"a.cdn.example", "A.CDN.example", "b.eu.cdn.example"} {
		want := fmt.Sprintf("%s:%d", strings.ToLower(host), port)
		if got := whole(t, v, get(t, fmt.Sprintf("https://%s:%d/x", host, port))); got != want {
			t.Errorf("%s was asked as %q", host, got)
		}
	}
	if conns.Load() != 2 {
		t.Errorf("%d connections for two hosts", conns.Load())
	}
	// A name that the certificate does not cover.
	want(t, v, get(t, fmt.Sprintf("https://a.b.c.cdn.example:%d/", port)), sotto.KindUnavailable, "certificate", false)
	// Two owners of one pattern share its connections, another pattern does not.
	c := v.client
	w, err := c.For("b", fmt.Sprintf("https://*.CDN.example:%d/path", port), fmt.Sprintf("https://*.eu.cdn.example:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	if w.wide[0] != v.wide[0] || w.wide[1] == v.wide[0] || len(c.wide) != 2 {
		t.Error("patterns are not shared as they should")
	}
	c.Close()
	for _, p := range v.wide[0].order {
		if len(p.idle)+p.slots != 0 {
			t.Error("Close left a connection")
		}
	}
}

// However many hosts match, a bounded number of them takes room.
func TestManyHosts(t *testing.T) {
	c := client(t, Config{Resolver: resolver(t, netip.MustParseAddr("10.0.0.1")), PerPattern: 8})
	v, err := c.For("a", "https://*.fbcdn.net")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		p, ok := v.poolOf(get(t, fmt.Sprintf("https://h%d.fbcdn.net/", i)))
		if !ok || p == nil {
			t.Fatalf("host %d: %v", i, ok)
		}
	}
	h := v.wide[0]
	if len(h.pools) != 8 || len(h.order) != 8 {
		t.Errorf("%d and %d pools", len(h.pools), len(h.order))
	}
	for host, p := range h.pools {
		if p.retired || !strings.HasPrefix(p.hostPort, host) {
			t.Errorf("%s is %s, retired %v", host, p.hostPort, p.retired)
		}
	}
	// The one asked for last stays longest.
	first := h.order[0]
	host := strings.TrimSuffix(first.hostPort, ":443")
	if h.pool(host) != first || h.order[7] != first {
		t.Error("a host asked for again is not the newest")
	}
	h.pool("new.fbcdn.net")
	if h.pools[host] != first {
		t.Error("the newest host went first")
	}
}

// Hosts that are in use are not given up: one more is refused, and taken as soon
// as one of them is free. Connections of hosts that went are closed.
func TestHostsInUse(t *testing.T) {
	var mu sync.Mutex
	release := map[string]chan struct{}{"0": make(chan struct{}), "1": make(chan struct{})}
	v, port, conns := wideServer(t, Config{PerPattern: 2}, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		ch := release[r.URL.RawQuery]
		mu.Unlock()
		if ch != nil {
			<-ch
		}
		io.WriteString(w, "ok") //nolint:errcheck // a test server
	})
	at := func(i int) string { return fmt.Sprintf("https://h%d.cdn.example:%d/?%d", i, port, i) }
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() { whole(t, v, get(t, at(i))) })
	}
	for conns.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	want(t, v, get(t, at(2)), sotto.KindUnavailable, "too many hosts", false)
	close(release["0"])
	for {
		resp, err := v.Do(get(t, at(2)))
		if err == nil {
			resp.Body.Close() //nolint:errcheck // the test sees what follows
			break
		}
		if sotto.KindOf(err) != sotto.KindUnavailable {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	close(release["1"])
	wg.Wait()
	// A request that found its pool just before it was retired.
	p, _ := v.poolOf(get(t, at(1)))
	if !p.retire() {
		t.Fatal("the pool is in use")
	}
	tr := &try{view: v, pool: p, ctx: t.Context(), until: time.Now().Add(time.Minute), left: 10}
	if err := tr.connect(); err != nil {
		t.Fatal(err)
	}
	tr.keep = true
	tr.end(true)
	if len(p.idle)+p.slots != 0 || p.timer != nil {
		t.Errorf("a retired pool keeps %d connections", len(p.idle))
	}
}

// A caller may allow a larger body, and an adapter that is given the context
// does not notice; the others keep their bound.
func TestAllow(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "slow" {
			time.Sleep(300 * time.Millisecond)
		}
		io.WriteString(w, strings.Repeat("x", 1000)) //nolint:errcheck // a test server
	}))
	defer srv.Close()
	v := view(t, Config{MaxBody: 100, Timeout: 100 * time.Millisecond}, srv.URL)
	want(t, v, get(t, srv.URL), sotto.KindInvalid, "too large", true)
	for allowed, fits := range map[int64]bool{999: false, 1000: true, 2000: true} {
		r := get(t, srv.URL)
		resp, err := v.Do(r.WithContext(Allow(r.Context(), allowed, 0)))
		var body []byte
		if err == nil {
			body, err = io.ReadAll(resp.Body)
			resp.Body.Close() //nolint:errcheck // the test sees what follows
		}
		if (err == nil) != fits || fits && len(body) != 1000 {
			t.Errorf("%d allowed: %d bytes, %v", allowed, len(body), err)
		}
	}
	want(t, v, get(t, srv.URL+"?slow"), sotto.KindUnavailable, "too long", true)
	r := get(t, srv.URL+"?slow")
	resp, err := v.Do(r.WithContext(Allow(r.Context(), 1000, time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.ReadAll(resp.Body); err != nil {
		t.Error(err)
	}
	resp.Body.Close() //nolint:errcheck // the test sees what follows
	// It never lowers the client's own bounds.
	small := view(t, Config{}, srv.URL)
	r = get(t, srv.URL)
	if got := whole(t, small, r.WithContext(Allow(r.Context(), 1, time.Nanosecond))); len(got) != 1000 {
		t.Errorf("%d bytes", len(got))
	}
}

// FuzzPattern: what matches ends in the domain, label by label, and its pool
// goes nowhere else.
func FuzzPattern(f *testing.F) {
	for _, u := range lies {
		f.Add(u)
	}
	f.Add("https://a.fbcdn.net/")
	f.Add("https://scontent-fra3-1.xx.FBCDN.net:443/v/t1?x=y")
	c, err := New(Config{})
	if err != nil {
		f.Fatal(err)
	}
	v, err := c.For("a", "https://*.fbcdn.net")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r := &http.Request{Method: http.MethodGet}
		if r.URL, err = url.Parse(in); err != nil {
			r.URL = &url.URL{Scheme: "https", Host: in}
		}
		p, ok := v.poolOf(r)
		if !ok {
			return
		}
		host, port, err := net.SplitHostPort(p.hostPort)
		labels := strings.Split(host, ".")
		if err != nil || port != "443" || len(labels) < 3 || labels[len(labels)-1] != "net" || labels[len(labels)-2] != "fbcdn" || p.tls == nil || p.tls.ServerName != host {
			t.Errorf("%q goes to %s", in, p.hostPort)
		}
		if _, err := netip.ParseAddr(host); err == nil || errors.Is(hostName(host), errNumeric) {
			t.Errorf("%q is an address", host)
		}
		if _, port, err := net.SplitHostPort(r.URL.Host); err == nil && port != "443" && port != "" {
			t.Errorf("%q has another port", in)
		}
	})
}
