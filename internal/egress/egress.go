// Package egress is the one way out: every outbound connection of Sotto is
// made here, for an owner, to a host that the owner has declared.
//
// It promises:
//
//   - A request to a host that its owner did not declare gets no socket. An owner
//     declares hosts by name, or all hosts below a domain of its network by a
//     pattern such as "https://*.cdn.example", where a network spreads its files
//     over many. What matches is held to all the other promises, and connections
//     are kept for a bounded number of such hosts.
//   - A name that resolves to an address of this machine, of a private network
//     or of a cloud's metadata service gets no socket either. The address is
//     checked when the connection is made, so an answer of DNS that changes in
//     between changes nothing. The exception is a base URL that itself names
//     localhost, or a loopback or private address: exactly that host and port.
//   - Redirects are never followed, a proxy from the environment is never used,
//     cookies are never kept, certificates are always verified (TLS 1.2 or later).
//   - An answer is bounded in headers, body and time. [Allow] raises the bounds of
//     body and time for the requests of one caller, to fetch a file.
//   - Errors hold no address, path, query, header or body: the path of a request
//     may be a credential. They tell by [Failure.Written] whether the other side
//     can have acted on the request.
//
// It speaks HTTP/1.1 only, over TLS as well, and makes an exchange on the goroutine
// that asked for it: connections are kept, but none has a goroutine of its own.
// [net/http.Transport] has two for each connection and hands every request over
// to them and back; an HTTP/2 connection adds frames and a lock that all its
// streams share. Both cost more than a short call itself, and pay only with many
// calls to one host at a time. All networks speak HTTP/1.1.
//
// What follows from that: the body of a request is read by the caller's goroutine
// before, and if it is longer than 16 KiB, while it is sent, so a body that
// blocks holds up Do; an answer that comes early is seen when the request is
// written, or when writing fails; a trace (package net/http/httptrace) sees nothing.
//
// A kept connection is looked at before it is used; one that the other side has
// closed, or has written to, is thrown away. Once only, and on a new connection,
// a request is repeated that was on a kept connection which broke: if nothing of
// it was written, or if it is a GET, HEAD, OPTIONS or TRACE, or has an
// Idempotency-Key header, and nothing of the answer came. There are no other retries.
package egress

import (
	"crypto/tls"
	"crypto/x509"
	"net"
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
	IdlePerHost    int            // connections to one host kept open without use, for 90 seconds at most; default PerHost
	PerHost        int            // connections to one host at a time, more requests wait; default 256
	PerPattern     int            // hosts that match one pattern at a time, a request to one more is refused; default 64
	Roots          *x509.CertPool // authorities trusted for TLS; default the system's
	Resolver       *net.Resolver  // default the system's

	Now func() time.Time // the clock that Timeout is added to, which has to be the machine's; default time.Now
}

func (cfg *Config) fill() {
	def(&cfg.MaxBody, 1<<20)
	def(&cfg.MaxHeader, 64<<10)
	def(&cfg.Timeout, 30*time.Second)
	def(&cfg.ConnectTimeout, 5*time.Second)
	def(&cfg.PerHost, 256)
	def(&cfg.PerPattern, 64)
	def(&cfg.IdlePerHost, cfg.PerHost) // fewer means a handshake for each call above them
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	if cfg.Now == nil {
		cfg.Now = time.Now //nolint:forbidigo // the default clock itself
	}
}

func def[T int | int64 | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Client makes connections. Its zero value refuses every request.
type Client struct {
	cfg     Config
	tls     *tls.Config // nil only in a client that New did not make
	guard   *ssrf.Guardian
	buffers sync.Pool // of *[]byte: requests on their way

	mu     sync.Mutex
	views  map[string]*View
	pools  map[string]*pool  // by scheme, host and port: owners share connections
	wide   map[string]*hosts // patterns, by domain and port
	denied atomic.Uint64     // connections refused because of their address
}

// New makes a client that nobody may use yet; see [Client.For].
func New(cfg Config) (*Client, error) {
	cfg.fill()
	return &Client{
		cfg:   cfg,
		guard: ssrf.New(ssrf.WithAnyPort()), // the port is part of what an owner declares
		views: map[string]*View{},
		pools: map[string]*pool{},
		wide:  map[string]*hosts{},
		tls: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: cfg.Roots,
			NextProtos:                  []string{"http/1.1"},
			ClientSessionCache:          tls.NewLRUClientSessionCache(256),
			DynamicRecordSizingDisabled: true, // a request is one record and one write
		},
	}, nil
}

// For registers an owner with the base URLs it may reach, such as
// "https://api.telegram.org", and returns the owner's way out. Scheme, host and
// port count; the path does not. Plain http is accepted only for a base that
// names localhost, or a loopback or private address. An owner without bases
// reaches nothing. Each owner is registered once.
//
// A base of the form "https://*.cdn.example" is a pattern: it stands for every
// host with one or more labels before that domain, and not for the domain
// itself. The * is the whole first label and the only one, the scheme is https,
// the port is the one that is given or 443, and the domain is one that somebody
// can own: "*.net" and "*.co.uk" are refused (publicsuffix.org).
func (c *Client) For(owner string, bases ...string) (*View, error) {
	const op = "egress.for"
	if c.tls == nil {
		return nil, sotto.E(op, sotto.KindInvalid, errNotMade)
	}
	places := make([]place, 0, len(bases))
	var wide []hosts
	for _, b := range bases {
		if isPattern(b) {
			suffix, port, err := parsePattern(b)
			if err != nil {
				return nil, sotto.E(op, sotto.KindInvalid, err)
			}
			wide = append(wide, hosts{client: c, suffix: suffix, port: port, most: c.cfg.PerPattern})
			continue
		}
		p, err := parsePlace(b)
		if err != nil {
			return nil, sotto.E(op, sotto.KindInvalid, err)
		}
		places = append(places, p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.views[owner]; ok || owner == "" {
		return nil, sotto.E(op, sotto.KindExists, errOwner)
	}
	v := &View{client: c, owner: owner}
	for _, p := range places {
		key := p.scheme + "://" + p.hostPort
		if c.pools[key] == nil {
			c.pools[key] = newPool(c, p)
		}
		v.pools = append(v.pools, c.pools[key])
	}
	for i := range wide {
		v.wide = append(v.wide, c.shared(&wide[i]))
	}
	c.views[owner] = v
	return v, nil
}

// shared returns the hosts of a pattern that all its owners share.
func (c *Client) shared(h *hosts) *hosts {
	key := h.suffix + ":" + h.port
	if c.wide[key] == nil {
		c.wide[key] = &hosts{client: c, suffix: h.suffix, port: h.port, most: h.most, pools: map[string]*pool{}}
	}
	return c.wide[key]
}

// Close closes connections that are not in use. The client works on.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.pools {
		p.prune(0)
	}
	for _, h := range c.wide {
		h.prune()
	}
}
