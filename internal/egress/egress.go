// Package egress is the one way out: every outbound connection of Sotto is
// made here, for an owner, to a host that the owner has declared.
//
// It promises:
//
//   - A request to a host that its owner did not declare gets no socket.
//   - A name that resolves to an address of this machine, of a private network
//     or of a cloud's metadata service gets no socket either. The address is
//     checked when the connection is made, so an answer of DNS that changes in
//     between changes nothing. The exception is a base URL that itself names
//     localhost, or a loopback or private address: exactly that host and port.
//   - Redirects are never followed, a proxy from the environment is never used,
//     cookies are never kept, certificates are always verified (TLS 1.2 or later).
//   - An answer is bounded in headers, body and time.
//   - Errors hold no address, path, query, header or body: the path of a request
//     may be a credential. They tell by [Failure.Written] whether the other side
//     can have acted on the request.
//
// It does not retry, apart from what [net/http.Transport] repeats by itself: a
// request of which nothing was written, and a GET or HEAD request, or one with
// an Idempotency-Key header, on a kept connection that was closed.
package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"code.dny.dev/ssrf"

	"github.com/sotto-chat/sotto"
)

// Config configures the client. The zero value is ready to use.
type Config struct {
	MaxBody        int64          // bytes of an answer's body; default 1 MiB
	MaxHeader      int64          // bytes of an answer's headers; default 64 KiB
	Timeout        time.Duration  // of one request, from dialling to the end of the body; default 30s
	ConnectTimeout time.Duration  // of resolving and connecting, and again of the TLS handshake; default 5s
	IdlePerHost    int            // connections to one host kept open without use; default 64
	PerHost        int            // connections to one host at a time, more requests wait; default 256
	Roots          *x509.CertPool // authorities trusted for TLS; default the system's
	Resolver       *net.Resolver  // default the system's
}

func (cfg *Config) fill() {
	def(&cfg.MaxBody, 1<<20)
	def(&cfg.MaxHeader, 64<<10)
	def(&cfg.Timeout, 30*time.Second)
	def(&cfg.ConnectTimeout, 5*time.Second)
	def(&cfg.IdlePerHost, 64)
	def(&cfg.PerHost, 256)
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
}

func def[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Client makes connections. Its zero value refuses every request.
type Client struct {
	cfg       Config
	transport *http.Transport
	guard     *ssrf.Guardian

	mu     sync.Mutex
	views  map[string]*View
	local  map[string]*place // bases that may lead to this machine or a private network, by host:port
	denied atomic.Uint64     // connections refused because of their address
}

// New makes a client that nobody may use yet; see [Client.For].
func New(cfg Config) (*Client, error) {
	cfg.fill()
	c := &Client{
		cfg:   cfg,
		guard: ssrf.New(ssrf.WithAnyPort()), // the port is part of what an owner declares
		views: map[string]*View{},
		local: map[string]*place{},
	}
	c.transport = &http.Transport{
		Proxy:                  nil, // a proxy would choose the address instead of us
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.Roots, ClientSessionCache: tls.NewLRUClientSessionCache(256)},
		TLSHandshakeTimeout:    cfg.ConnectTimeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // answers are short, and a compressed one hides its size
		MaxIdleConnsPerHost:    cfg.IdlePerHost,
		MaxConnsPerHost:        cfg.PerHost,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: cfg.MaxHeader,
	}
	return c, nil
}

// For registers an owner with the base URLs it may reach, such as
// "https://api.telegram.org", and returns the owner's way out. Scheme, host and
// port count; the path does not. Plain http is accepted only for a base that
// names localhost, or a loopback or private address. An owner without bases
// reaches nothing. Each owner is registered once.
func (c *Client) For(owner string, bases ...string) (*View, error) {
	const op = "egress.for"
	if c.transport == nil {
		return nil, sotto.E(op, sotto.KindInvalid, errNotMade)
	}
	v := &View{client: c, owner: owner}
	for _, b := range bases {
		p, err := parsePlace(b)
		if err != nil {
			return nil, sotto.E(op, sotto.KindInvalid, err)
		}
		v.places = append(v.places, p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.views[owner]; ok || owner == "" {
		return nil, sotto.E(op, sotto.KindExists, errOwner)
	}
	c.views[owner] = v
	for i := range v.places {
		if p := &v.places[i]; p.local {
			c.local[p.hostPort] = p
		}
	}
	return v, nil
}

// Close closes connections that are not in use. The client works on.
func (c *Client) Close() {
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
}

// dial connects to addr, which is host:port as a request names it. It checks
// the address that it connects to, not the one that somebody looked up before.
func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c.mu.Lock()
	p, local := c.local[addr]
	c.mu.Unlock()
	d := net.Dialer{
		Timeout: c.cfg.ConnectTimeout, Resolver: c.cfg.Resolver,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4},
		ControlContext:  c.control,
	}
	if local {
		d.ControlContext = p.control
	}
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn}, nil
}

// countedConn counts the writes that may have reached the other side.
type countedConn struct {
	net.Conn
	writes atomic.Int64
}

// Write counts before it writes: whoever reads the count while a write is under
// way must not conclude that nothing went out.
func (c *countedConn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	n, err := c.Conn.Write(b)
	if n == 0 && err != nil {
		c.writes.Add(-1)
	}
	return n, err
}
