package acmetest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"github.com/sotto-chat/sotto/internal/transport"
)

const domain = "chat.sotto.example"

// The server gets a certificate by itself, by each of the two challenges, serves
// it, keeps it over a restart, and renews it before it ends.
func TestAutomaticCertificate(t *testing.T) {
	for _, challenge := range []string{"http-01", "tls-alpn-01"} {
		t.Run(challenge, func(t *testing.T) {
			// Only one of the two ports that the authority calls is ours, so that
			// the other challenge cannot succeed.
			httpPort, tlsPort, unused := freePort(t), freePort(t), freePort(t)
			a := authority{httpPort: httpPort, tlsPort: unused}
			if challenge == "tls-alpn-01" {
				a = authority{httpPort: unused, tlsPort: tlsPort}
			}
			a.start(t, 90*24*time.Hour)
			cfg := transport.Config{
				Listen: fmt.Sprintf("127.0.0.1:%d", tlsPort), HTTP: fmt.Sprintf("127.0.0.1:%d", httpPort),
				Domain: domain, CertDir: t.TempDir(),
				ACME: transport.ACME{Directory: a.directory, Email: "admin@sotto.example", CAFile: a.rootFile},
				Now:  time.Now,
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					fmt.Fprintf(w, "%s %v", r.Proto, transport.Secure(r))
				}),
			}
			stop := serve(t, &cfg)
			first := waitForCertificate(t, a.pool, tlsPort, nil)
			if got := get(t, a.pool, tlsPort); got != "HTTP/2.0 true" {
				t.Errorf("got %q", got)
			}
			if end, ok := stop.server.CertificateExpiry(); !ok || !end.Equal(first.NotAfter) {
				t.Errorf("expiry %v, want %v", end, first.NotAfter)
			}
			if end, ok := transport.StoredExpiry(cfg); !ok || !end.Equal(first.NotAfter) {
				t.Errorf("stored expiry %v, want %v", end, first.NotAfter)
			}
			redirected(t, httpPort, tlsPort)
			stop.stop(t)

			// After a restart the kept certificate is used, without the authority.
			a.stop()
			stop = serve(t, &cfg)
			again := waitForCertificate(t, a.pool, tlsPort, nil)
			if again.SerialNumber.Cmp(first.SerialNumber) != 0 {
				t.Error("the certificate was not kept")
			}
			stop.stop(t)
			private(t, cfg.CertDir)
		})
	}
}

// A certificate that is near its end when the server starts is renewed.
func TestRenewal(t *testing.T) {
	httpPort, tlsPort := freePort(t), freePort(t)
	a := authority{httpPort: httpPort, tlsPort: tlsPort}
	a.start(t, 90*24*time.Hour)
	logged := &logs{}
	cfg := transport.Config{
		Listen: fmt.Sprintf("127.0.0.1:%d", tlsPort), HTTP: fmt.Sprintf("127.0.0.1:%d", httpPort),
		Domain: domain, CertDir: t.TempDir(), Now: time.Now, Handler: http.NotFoundHandler(),
		ACME: transport.ACME{Directory: a.directory, CAFile: a.rootFile},
		Log:  slog.New(slog.NewTextHandler(logged, nil)),
	}
	stop := serve(t, &cfg)
	first := waitForCertificate(t, a.pool, tlsPort, nil)
	stop.stop(t)
	old := a.nearlyOver(t, cfg.CertDir, first)
	stop = serve(t, &cfg)
	fresh := waitForCertificate(t, a.pool, tlsPort, func(c *x509.Certificate) bool { return c.NotAfter.After(old.NotAfter) })
	stop.stop(t)
	if fresh.SerialNumber.Cmp(old.SerialNumber) == 0 {
		t.Error("the certificate was not renewed")
	}
	for _, want := range []string{"a certificate is being obtained", "a certificate was obtained", "renewal=true"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log does not have %q:\n%s", want, logged)
		}
	}
	if strings.Contains(logged.String(), "127.0.0.1") {
		t.Errorf("the log shows addresses:\n%s", logged)
	}
}

// What the authority refuses is logged so that an operator can act on it, and
// the server goes on.
func TestRefused(t *testing.T) {
	tlsPort := freePort(t)
	a := authority{httpPort: freePort(t), tlsPort: freePort(t)} // nobody listens there
	a.start(t, 90*24*time.Hour)
	logged := &logs{}
	cfg := transport.Config{
		Listen: fmt.Sprintf("127.0.0.1:%d", tlsPort), HTTP: "127.0.0.1:0", Domain: domain, CertDir: t.TempDir(), Now: time.Now, Handler: http.NotFoundHandler(),
		ACME: transport.ACME{Directory: a.directory, CAFile: a.rootFile},
		Log:  slog.New(slog.NewTextHandler(logged, nil)),
	}
	stop := serve(t, &cfg)
	for end := time.Now().Add(30 * time.Second); !strings.Contains(logged.String(), "no certificate was obtained"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the failure is not logged:\n%s", logged)
		}
	}
	// Which of the two challenges fails last is left to chance.
	if text := logged.String(); !strings.Contains(text, "reason=\"unauthorized: ") && !strings.Contains(text, "reason=\"connection: ") {
		t.Errorf("the authority's reason is not logged:\n%s", text)
	}
	if _, ok := stop.server.CertificateExpiry(); ok {
		t.Error("there is a certificate")
	}
	stop.stop(t)
}

type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type running struct {
	server *transport.Server
	cancel context.CancelFunc
	done   chan error
}

func serve(t *testing.T, cfg *transport.Config) *running {
	t.Helper()
	s, err := transport.New(*cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{server: s, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- s.Serve(ctx) }()
	t.Cleanup(cancel)
	return r
}

func (r *running) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	if err := <-r.done; err != nil {
		t.Error(err)
	}
}

func client(roots *x509.CertPool, port int) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			ForceAttemptHTTP2: true, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: domain},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// waitForCertificate connects, verifying, until there is a certificate that ok accepts.
func waitForCertificate(t *testing.T, roots *x509.CertPool, port int, ok func(*x509.Certificate) bool) *x509.Certificate {
	t.Helper()
	var last error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{RootCAs: roots, ServerName: domain})
		if err != nil {
			last = err
			continue
		}
		leaf := c.ConnectionState().PeerCertificates[0]
		c.Close()
		if ok == nil || ok(leaf) {
			return leaf
		}
	}
	t.Fatalf("no certificate: %v", last)
	return nil
}

func get(t *testing.T, roots *x509.CertPool, port int) string {
	t.Helper()
	resp, err := client(roots, port).Get("https://" + domain + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS")
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func redirected(t *testing.T, httpPort, tlsPort int) {
	t.Helper()
	resp, err := client(nil, httpPort).Get("http://" + domain + "/a?b")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got, want := resp.Header.Get("Location"), fmt.Sprintf("https://%s:%d/a?b", domain, tlsPort); got != want || resp.StatusCode != http.StatusPermanentRedirect {
		t.Errorf("%d to %q", resp.StatusCode, got)
	}
}

// private fails if somebody else could read a key.
func private(t *testing.T, dir string) {
	t.Helper()
	keys := 0
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		fi, err := e.Info()
		if err == nil && strings.HasSuffix(path, ".key") {
			keys++
			if fi.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", e.Name(), fi.Mode())
			}
		}
		return err
	})
	if err != nil || keys == 0 {
		t.Errorf("%d keys, %v", keys, err)
	}
}

// authority is a Pebble.
type authority struct {
	httpPort, tlsPort int // where it looks for the challenges

	directory string
	rootFile  string         // of its own HTTPS
	pool      *x509.CertPool // of the certificates that it gives
	ca        *ca.CAImpl
	server    *http.Server
}

func (a *authority) start(t *testing.T, life time.Duration) {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	a.ca = ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "d", ValidityPeriod: uint64(life.Seconds())}})
	v := va.New(quiet, a.httpPort, a.tlsPort, true, nameServer(t), store)
	front := wfe.New(quiet, store, v, a.ca, []string{"pebble.example"}, true, false, 1, 1)
	a.pool = x509.NewCertPool()
	a.pool.AddCert(a.ca.GetRootCert(0).Cert)

	pair, root := selfSigned(t)
	a.rootFile = filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(a.rootFile, root, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a.server = &http.Server{Handler: front.Handler(), TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}, ErrorLog: quiet, ReadHeaderTimeout: time.Minute}
	go a.server.ServeTLS(l, "", "") //nolint:errcheck // ends with the test
	t.Cleanup(a.stop)
	a.directory = "https://" + l.Addr().String() + wfe.DirectoryPath
}

func (a *authority) stop() { a.server.Close() }

// nameServer answers for every name that it is this machine.
func nameServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // Pebble asks over TCP
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1),
			})
		}
		w.WriteMsg(m) //nolint:errcheck // the authority asks again
	})}
	go s.ActivateAndServe() //nolint:errcheck // ends with the test
	t.Cleanup(func() { s.Shutdown() })
	return l.Addr().String()
}

// nearlyOver puts a certificate that ends soon in the place of the kept one.
func (a *authority) nearlyOver(t *testing.T, dir string, like *x509.Certificate) *x509.Certificate {
	t.Helper()
	matches, err := filepath.Glob(filepath.Join(dir, "certificates", "*", domain, domain+".crt"))
	if err != nil || len(matches) != 1 {
		t.Fatalf("%v %v", matches, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := *like
	tmpl.SerialNumber = big.NewInt(4711)
	tmpl.NotBefore, tmpl.NotAfter = time.Now().Add(-80*24*time.Hour), time.Now().Add(48*time.Hour)
	tmpl.SignatureAlgorithm = x509.UnknownSignatureAlgorithm
	tmpl.AuthorityKeyId, tmpl.PublicKey = nil, key.Public()
	der, err := x509.CreateCertificate(rand.Reader, &tmpl, &tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	kd, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	put(t, matches[0], "CERTIFICATE", der)
	put(t, strings.TrimSuffix(matches[0], ".crt")+".key", "EC PRIVATE KEY", kd)
	old, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return old
}

func put(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func selfSigned(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
