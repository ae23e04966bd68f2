package transport

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// conn is what is known of a connection; it is made once for each.
type conn struct {
	server  *Server
	peer    netip.Addr // who holds the other end
	trusted bool       // the other end is a named proxy
	tls     bool
}

type connKey struct{}

func (s *Server) connContext(ctx context.Context, c net.Conn) context.Context {
	k := &conn{server: s, tls: s.certs != nil}
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		k.peer = a.AddrPort().Addr().Unmap().WithZone("")
	}
	k.trusted = s.trusts(k.peer)
	return context.WithValue(ctx, connKey{}, k)
}

func (s *Server) trusts(a netip.Addr) bool {
	for _, p := range s.cfg.Trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func connOf(r *http.Request) *conn {
	k, _ := r.Context().Value(connKey{}).(*conn) // nil where there is none
	return k
}

// welcome reports whether the connection may be used: plain HTTP comes from this
// machine or from the named proxy, everything else would be readable on its way.
func (k *conn) welcome() bool { return k.tls || k.trusted || k.peer.IsLoopback() }

// ClientIP returns the address of whoever made the request: the connection's
// own, or the one that the named proxy tells. It is for rate limits and must not
// be kept. The zero address means that it is not known; requests that did not
// come through a [Server] have none.
func ClientIP(r *http.Request) netip.Addr {
	k := connOf(r)
	if k == nil {
		return netip.Addr{}
	}
	if !k.trusted {
		return k.peer
	}
	return k.server.told(r.Header[k.server.cfg.Header], k.peer)
}

// told returns the last address in the header's values that is not one of the
// proxies: each proxy appends whom it was called by, so what stands before that
// was written by strangers. A value that is no address ends the search with the
// last proxy known, because nobody can tell what stands before it.
func (s *Server) told(values []string, peer netip.Addr) netip.Addr {
	last := peer
	for _, rest := range slices.Backward(values) {
		for more := true; more; {
			var item string
			if j := strings.LastIndexByte(rest, ','); j >= 0 {
				rest, item = rest[:j], rest[j+1:]
			} else {
				item, more = rest, false
			}
			a, ok := address(item)
			if !ok {
				return last
			}
			last = a
			if !s.trusts(a) {
				return a
			}
		}
	}
	return last
}

// address reads an address with or without a port.
func address(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	ap, err := netip.ParseAddrPort(s)
	return ap.Addr().Unmap().WithZone(""), err == nil
}

// Secure reports whether whoever made the request spoke HTTPS, with us or with
// the named proxy.
func Secure(r *http.Request) bool {
	k := connOf(r)
	if k == nil {
		return r.TLS != nil
	}
	return k.secure(r)
}

func (k *conn) secure(r *http.Request) bool {
	if k.tls {
		return true
	}
	if !k.trusted {
		return false
	}
	v := r.Header["X-Forwarded-Proto"]
	if len(v) == 0 {
		return false
	}
	// The last value is the one that our own proxy wrote.
	last := v[len(v)-1]
	last = last[strings.LastIndexByte(last, ',')+1:]
	return strings.EqualFold(strings.TrimSpace(last), "https")
}
