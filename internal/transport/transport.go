// Package transport is the one way in: the HTTP server that takes webhooks, the
// web chat and the pages.
//
// It promises:
//
//   - HTTPS by itself when a domain is given (RFC 8555, certificates kept and
//     renewed), HTTPS with given certificate files that are read again when they
//     change, and plain HTTP only on this machine or behind a named proxy. A call
//     over plain HTTP that does not come from the proxy or this machine is refused.
//   - A client's address is believed only from the named proxy.
//   - Every answer has strict security headers. A handler may set others in their
//     place, or set a name to nil to leave it out. An answer without a body has
//     only those that mean something then; for an empty 200 to a POST, which is
//     what a webhook call gets, that is none.
//   - Headers, bodies and times are bounded.
//   - A panic of a handler becomes a 500 without text. No log line holds a
//     client's address, or the path, query, headers or body of a request.
//
// Handlers find the number of the request with [RequestID], the client with
// [ClientIP] and whether its browser spoke HTTPS with [Secure].
//
// It does not route, authenticate or limit rates. Besides package egress it is
// the only part that connects to the outside, and only to the certificate
// authority.
package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sotto-chat/sotto"
)

// Config configures the server.
type Config struct {
	Handler http.Handler // required
	Listen  string       // host:port, port 0 = any free one; default 127.0.0.1:8080, with Domain :443

	Domain  string // host name with automatic certificates; default none
	CertDir string // where automatic certificates are kept; required with Domain
	ACME    ACME
	HTTP    string // host:port for redirects and challenges, with Domain only; default port 80 on Listen's host

	Cert string // file of a given certificate, PEM, the leaf first; default none
	Key  string // file of its key, PEM; default none

	Trusted []netip.Prefix // proxies that tell a client's address; default none
	Header  string         // in which they tell it; default X-Forwarded-For

	MaxHeader     int           // bytes of a request's headers; default 32 KiB
	MaxBody       int64         // bytes of a request's body; default 2 MiB
	HeaderTimeout time.Duration // of reading the headers; default 10s
	ReadTimeout   time.Duration // of reading a whole request; default 30s
	WriteTimeout  time.Duration // of answering, unless the handler sets another; default 60s
	IdleTimeout   time.Duration // of a connection between requests; default 2m
	StopTimeout   time.Duration // of requests under way when the server stops; default 20s

	OnStop func() // called when the server begins to stop, for handlers that answer without end; default nothing

	Now func() time.Time // the clock; required
	Log *slog.Logger     // default discards
}

// ACME says where automatic certificates come from.
type ACME struct {
	Directory string // default Let's Encrypt
	Email     string // default none
	CAFile    string // PEM roots trusted for Directory; default the system's
}

func (cfg *Config) fill() {
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:8080"
		if cfg.Domain != "" {
			cfg.Listen = ":443"
		}
	}
	if cfg.HTTP == "" && cfg.Domain != "" {
		if host, _, err := net.SplitHostPort(cfg.Listen); err == nil {
			cfg.HTTP = net.JoinHostPort(host, "80")
		}
	}
	if cfg.Header == "" {
		cfg.Header = "X-Forwarded-For"
	}
	cfg.Header = http.CanonicalHeaderKey(cfg.Header)
	def(&cfg.MaxHeader, 32<<10)
	def(&cfg.MaxBody, 2<<20)
	def(&cfg.HeaderTimeout, 10*time.Second)
	def(&cfg.ReadTimeout, 30*time.Second)
	def(&cfg.WriteTimeout, 60*time.Second)
	def(&cfg.IdleTimeout, 2*time.Minute)
	def(&cfg.StopTimeout, 20*time.Second)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
}

func def[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// check reports everything wrong at once.
func (cfg *Config) check() error {
	var wrong []error
	say := func(text string) { wrong = append(wrong, errors.New(text)) }
	if cfg.Handler == nil {
		say("no handler")
	}
	if cfg.Now == nil {
		say("no clock")
	}
	if cfg.Domain != "" && cfg.Cert != "" {
		say("certificates are either automatic or given")
	}
	if cfg.Domain != "" && cfg.CertDir == "" {
		say("automatic certificates need a directory")
	}
	if (cfg.Cert == "") != (cfg.Key == "") {
		say("a certificate needs its key, and a key its certificate")
	}
	if cfg.Domain == "" && cfg.Cert == "" && len(cfg.Trusted) == 0 && !loopback(cfg.Listen) {
		say("plain HTTP is for this machine only, or behind a named proxy")
	}
	for _, p := range cfg.Trusted {
		if !p.IsValid() || p.Bits() == 0 {
			say("a trusted proxy network is everybody")
		}
	}
	return errors.Join(wrong...)
}

// loopback reports whether a listen address is reached from this machine only.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// Server is a server that listens.
type Server struct {
	cfg   Config
	main  *http.Server
	plain *http.Server // redirects and challenges; nil without a domain
	on    net.Listener
	onAlt net.Listener // of plain
	certs certificates // nil for plain HTTP
	ids   idSource
	stats counters

	headers *headers

	over     sync.Once
	stopping sync.Once
}

// certificates give the server its TLS.
type certificates interface {
	config() *tls.Config
	expiry() (time.Time, bool)
	start(ctx context.Context) error
	stop()
}

// New checks the configuration and begins to listen; calls wait until [Server.Serve].
// sotto.KindInvalid is a wrong configuration, sotto.KindBusy an address in use.
func New(cfg Config) (*Server, error) {
	const op = "transport.new"
	cfg.fill()
	if err := cfg.check(); err != nil {
		return nil, sotto.E(op, sotto.KindInvalid, err)
	}
	s := &Server{cfg: cfg, ids: newIDSource(), headers: newHeaders()}
	if err := s.listen(); err != nil {
		s.Close()
		return nil, sotto.E(op, sotto.KindBusy, err)
	}
	if err := s.certificates(); err != nil {
		s.Close()
		return nil, sotto.E(op, sotto.KindInvalid, err)
	}
	s.main = s.server(s.handler())
	if s.certs != nil {
		s.main.TLSConfig = s.certs.config()
	}
	if s.onAlt != nil {
		s.plain = s.server(s.redirects())
		s.plain.MaxHeaderBytes = 8 << 10
		s.plain.WriteTimeout = 10 * time.Second
	}
	return s, nil
}

func (s *Server) listen() error {
	var lc net.ListenConfig
	var err error
	if s.on, err = lc.Listen(context.Background(), "tcp", s.cfg.Listen); err != nil {
		return err
	}
	if s.cfg.Domain != "" {
		s.onAlt, err = lc.Listen(context.Background(), "tcp", s.cfg.HTTP)
	}
	return err
}

func (s *Server) certificates() (err error) {
	var c certificates
	switch {
	case s.cfg.Domain != "":
		c, err = newManaged(&s.cfg, portOf(s.on), portOf(s.onAlt))
	case s.cfg.Cert != "":
		c, err = newFiles(&s.cfg)
	}
	if err == nil {
		s.certs = c
	}
	return err
}

func (s *Server) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: s.cfg.HeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.WriteTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 128},
		ErrorLog:          s.errorLog(),
		ConnContext:       s.connContext,
	}
}

// Addr returns where the server listens, with the port that was chosen.
func (s *Server) Addr() net.Addr { return s.on.Addr() }

// HTTPAddr returns where redirects and challenges are answered, nil without a domain.
func (s *Server) HTTPAddr() net.Addr {
	if s.onAlt == nil {
		return nil
	}
	return s.onAlt.Addr()
}

// Serve answers until ctx ends, then finishes what is under way, for at most
// Config.StopTimeout, and returns. nil means that the server stopped in order;
// sotto.KindBusy that requests were cut off. If somebody else calls
// [Server.Shutdown], Serve returns at once and that call does the waiting.
func (s *Server) Serve(ctx context.Context) error {
	const op = "transport.serve"
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() {
		if s.certs != nil {
			ended <- s.main.ServeTLS(s.on, "", "")
		} else {
			ended <- s.main.Serve(s.on)
		}
	}()
	if s.plain != nil {
		go func() { ended <- s.plain.Serve(s.onAlt) }()
	}
	if s.certs != nil {
		if err := s.certs.start(run); err != nil {
			s.Close()
			return sotto.E(op, sotto.KindUnavailable, err)
		}
	}
	select {
	case <-ctx.Done():
		//nolint:contextcheck // ctx has ended; stopping gets its own time
		return s.stopWithin(s.cfg.StopTimeout)
	case err := <-ended:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		s.Close()
		return sotto.E(op, sotto.KindOther, err)
	}
}

func (s *Server) stopWithin(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return s.Shutdown(ctx)
}

// Shutdown takes no more calls and waits for those under way until ctx ends;
// then it cuts them off and returns an error of sotto.KindBusy.
func (s *Server) Shutdown(ctx context.Context) error {
	if s.cfg.OnStop != nil {
		s.stopping.Do(s.cfg.OnStop)
	}
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, srv := range []*http.Server{s.main, s.plain} {
		if srv != nil {
			wg.Go(func() { errs[i] = srv.Shutdown(ctx) })
		}
	}
	wg.Wait()
	s.Close()
	if err := errors.Join(errs...); err != nil {
		return sotto.E("transport.shutdown", sotto.KindBusy, err)
	}
	return nil
}

// Close stops at once and gives up the addresses.
func (s *Server) Close() {
	s.over.Do(func() {
		for _, srv := range []*http.Server{s.main, s.plain} {
			if srv != nil {
				srv.Close() //nolint:errcheck,gosec // nothing can be done about it
			}
		}
		for _, l := range []net.Listener{s.on, s.onAlt} {
			if l != nil {
				l.Close() //nolint:errcheck,gosec // closed by the server already, mostly
			}
		}
		if s.certs != nil {
			s.certs.stop()
		}
	})
}

// CertificateExpiry returns the last moment of the certificate in use; false
// without HTTPS, or while there is no certificate yet.
func (s *Server) CertificateExpiry() (time.Time, bool) {
	if s.certs == nil {
		return time.Time{}, false
	}
	return s.certs.expiry()
}

// Stats is what happened so far.
type Stats struct {
	Requests uint64    // that a handler answered
	Status   [6]uint64 // answers by class of their status: Status[4] is 400 to 499, Status[0] what was broken off
	InFlight int64     // requests under way
	Panics   uint64    // of handlers
	Refused  uint64    // calls over plain HTTP from elsewhere than the proxy
	TooLarge uint64    // calls whose announced body was too large
	Broken   uint64    // connections that failed before a request, such as TLS handshakes
}

type counters struct {
	panics, refused, tooLarge, broken atomic.Uint64
	status                            [6]atomic.Uint64
	inFlight                          atomic.Int64
}

// Stats returns what happened so far.
func (s *Server) Stats() Stats {
	c := &s.stats
	st := Stats{
		InFlight: c.inFlight.Load(), Panics: c.panics.Load(),
		Refused: c.refused.Load(), TooLarge: c.tooLarge.Load(), Broken: c.broken.Load(),
	}
	for i := range st.Status {
		st.Status[i] = c.status[i].Load()
		st.Requests += st.Status[i]
	}
	return st
}

func portOf(l net.Listener) int {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}
