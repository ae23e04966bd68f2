package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"
)

// managed are automatic certificates.
type managed struct {
	cfg    *Config
	cache  *certmagic.Cache
	magic  *certmagic.Config
	issuer *certmagic.ACMEIssuer
}

// newManaged prepares the certificates of the domain; port and alt are where the
// server listens for HTTPS and for plain HTTP.
func newManaged(cfg *Config, port, alt int) (*managed, error) {
	m := &managed{cfg: cfg}
	var roots *x509.CertPool
	if cfg.ACME.CAFile != "" {
		pem, err := os.ReadFile(cfg.ACME.CAFile)
		if err != nil {
			return nil, fmt.Errorf("the authority's roots cannot be read: %w", errors.Unwrap(err))
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, errors.New("the file of the authority's roots holds no certificate")
		}
	}
	// Its lines name addresses of callers; what matters comes by onEvent.
	quiet := zap.NewNop()
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return m.magic, nil },
		Logger:           quiet,
	})
	m.magic = certmagic.New(m.cache, certmagic.Config{
		Storage:           &certmagic.FileStorage{Path: cfg.CertDir},
		DefaultServerName: cfg.Domain,
		OnEvent:           m.onEvent,
		OCSP:              certmagic.OCSPConfig{DisableStapling: true}, // it would connect to a host that nobody named
		Logger:            quiet,
	})
	host, _, _ := net.SplitHostPort(cfg.Listen) // it was listened on
	m.issuer = certmagic.NewACMEIssuer(m.magic, certmagic.ACMEIssuer{
		CA:             directory(cfg.ACME.Directory),
		TestCA:         directory(cfg.ACME.Directory),
		Email:          cfg.ACME.Email,
		Agreed:         true,
		ListenHost:     host,
		AltHTTPPort:    alt,
		AltTLSALPNPort: port,
		TrustedRoots:   roots,
		HTTPProxy:      func(*http.Request) (*url.URL, error) { return nil, nil },
		Logger:         quiet,
	})
	m.magic.Issuers = []certmagic.Issuer{m.issuer}
	return m, nil
}

func directory(d string) string {
	if d == "" {
		return certmagic.LetsEncryptProductionCA
	}
	return d
}

func (m *managed) config() *tls.Config {
	c := m.magic.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	c.NextProtos = append([]string{"h2", "http/1.1"}, c.NextProtos...)
	return c
}

// start obtains the certificate in the background, and goes on trying: a server
// that waits for its certificate can still answer the authority's challenges.
func (m *managed) start(ctx context.Context) error {
	return m.magic.ManageAsync(ctx, []string{m.cfg.Domain})
}

func (m *managed) stop() { m.cache.Stop() }

func (m *managed) expiry() (time.Time, bool) {
	var last time.Time
	for _, c := range m.cache.AllMatchingCertificates(m.cfg.Domain) {
		if c.Leaf != nil && c.Leaf.NotAfter.After(last) {
			last = c.Leaf.NotAfter
		}
	}
	return last, !last.IsZero()
}

// onEvent logs what an operator has to know of certificates.
func (m *managed) onEvent(ctx context.Context, event string, data map[string]any) error {
	switch event {
	case "cert_obtaining":
		m.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "a certificate is being obtained", renewal(data))
	case "cert_obtained":
		m.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "a certificate was obtained", renewal(data))
	case "cert_failed":
		m.cfg.Log.LogAttrs(ctx, slog.LevelError, "no certificate was obtained, it is tried again", renewal(data), slog.String("reason", why(data)))
	}
	return nil
}

func renewal(data map[string]any) slog.Attr {
	r, _ := data["renewal"].(bool) // false is right
	return slog.Bool("renewal", r)
}

// why returns the authority's problem type (RFC 8555 6.7), and what the
// authority says of it, which is about the domain and not about a person.
func why(data map[string]any) string {
	err, ok := data["error"].(error)
	if !ok {
		return "not known"
	}
	if p, ok := errors.AsType[acme.Problem](err); ok {
		return strings.TrimPrefix(p.Type, "urn:ietf:params:acme:error:") + ": " + p.Detail
	}
	return err.Error()
}

// redirects answers the authority's challenges, and sends browsers to HTTPS.
func (s *Server) redirects() http.Handler {
	base := "https://" + s.cfg.Domain
	if port := portOf(s.on); port != 443 {
		base += ":" + strconv.Itoa(port)
	}
	to := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Connection"] = []string{"close"}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			// Its body was sent in clear. Sending the caller on would hide that.
			w.WriteHeader(http.StatusForbidden)
			return
		}
		path := r.URL.EscapedPath()
		if !strings.HasPrefix(path, "/") {
			path = "/"
		}
		if r.URL.RawQuery != "" {
			path += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", base+path)
		w.WriteHeader(http.StatusPermanentRedirect)
	})
	m, ok := s.certs.(*managed)
	if !ok {
		return to
	}
	return m.issuer.HTTPChallengeHandler(to)
}
