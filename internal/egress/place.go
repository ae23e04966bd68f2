package egress

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
)

// Reasons for which a base URL is refused. They are for the operator who wrote
// it and do not repeat it, because it may hold a password.
var (
	errNotMade  = errors.New("the client was not made by New")
	errOwner    = errors.New("the owner is registered already, or has no name")
	errBase     = errors.New("a base URL is not of the form https://host or https://host:port")
	errUser     = errors.New("a base URL holds a user name or password")
	errClear    = errors.New("a base URL is not https; plain http is for localhost and for loopback and private addresses")
	errNumeric  = errors.New("a base URL holds an address that is not written in the usual form")
	errReserved = errors.New("a base URL holds an address that nothing may be sent to")
	errAddress  = errors.New("the address is not public")
)

// place is a scheme, host and port that an owner may reach.
type place struct {
	scheme   string
	host     string // as it stands in a request's URL: with the port if it is not the scheme's own
	hostPort string // always with the port
	local    bool   // names this machine or a private network
	addr     netip.Addr
}

// parsePlace reads a base URL.
func parsePlace(base string) (place, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return place{}, errBase
	case u.User != nil:
		return place{}, errUser
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
		return place{}, errBase
	}
	p := place{scheme: u.Scheme, hostPort: net.JoinHostPort(host, port)}
	p.host = p.hostPort
	if port == defaultPort(u.Scheme) {
		p.host = strings.TrimSuffix(p.hostPort, ":"+port)
	}
	if err := p.name(host); err != nil {
		return place{}, err
	}
	if p.scheme == "http" && !p.local {
		return place{}, errClear
	}
	return p, nil
}

// name checks the host and finds out whether it is local.
func (p *place) name(host string) error {
	if host == "localhost" {
		p.local = true
		return nil
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return hostName(host)
	}
	switch {
	case a.Zone() != "" || a.Is4In6() || a.String() != host:
		return errNumeric
	case a == netip.MustParseAddr("fd00:ec2::254"): // a cloud's metadata service within the private range
		return errReserved
	case a.IsLoopback() || a.IsPrivate():
		p.local, p.addr = true, a
	case !a.IsGlobalUnicast():
		return errReserved
	}
	return nil
}

// hostName refuses names that a resolver may read as an address: "2130706433",
// "0x7f.1", "127.1" (a last label that is a number, WHATWG URL 3.5), and names
// that are not written in the letters of DNS.
func hostName(host string) error {
	for _, c := range []byte(host) {
		if c != '-' && c != '.' && c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return errBase
		}
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" {
		return errBase
	}
	if last[0] >= '0' && last[0] <= '9' {
		if _, err := strconv.ParseUint(last, 0, 64); err == nil || strings.Trim(last, "0123456789") == "" || last == "0x" {
			return errNumeric
		}
	}
	return nil
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// is reports whether a request to u goes to the place.
func (p *place) is(u *url.URL) bool {
	if u.Scheme != p.scheme {
		return false
	}
	if u.Host == p.host || u.Host == p.hostPort {
		return true
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return net.JoinHostPort(host, port) == p.hostPort
}

// control lets a connection to a local place through if it goes to the address
// that the base URL names; localhost may be any loopback address.
func (p *place) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return errAddress
	}
	a := ap.Addr().Unmap()
	if p.addr.IsValid() && a == p.addr || !p.addr.IsValid() && a.IsLoopback() {
		return nil
	}
	return errAddress
}

// control refuses addresses that are not public.
func (c *Client) control(_ context.Context, network, address string, raw syscall.RawConn) error {
	if err := c.guard.Safe(network, address, raw); err != nil {
		c.denied.Add(1)
		return errAddress
	}
	return nil
}
