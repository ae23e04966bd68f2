package egress

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

// Reasons for which a pattern is refused.
var (
	errStar = errors.New("a pattern has one * as its whole first label, such as https://*.cdn.example")
	errWide = errors.New("a pattern's part after the * is not a domain that somebody owns: *.net and *.co.uk match everybody")
)

// hosts are the places that match one pattern: one or more labels below a
// domain, over https, on one port. Each concrete host has a pool of its own.
type hosts struct {
	client *Client
	suffix string // ".cdn.example", in lower case
	port   string
	most   int // pools at a time

	mu    sync.Mutex
	pools map[string]*pool // by host, in lower case
	order []*pool          // the one asked for last is last
}

// isPattern reports whether a base URL is meant as a pattern.
func isPattern(base string) bool { return strings.Contains(base, "*") }

// parsePattern reads a pattern. What follows the "*." is read as a base URL is.
func parsePattern(base string) (suffix, port string, err error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return "", "", errBase
	case u.User != nil:
		return "", "", errUser
	case u.Scheme == "http":
		return "", "", errClear
	}
	domain, ok := strings.CutPrefix(strings.ToLower(u.Hostname()), "*.")
	if !ok || strings.Contains(u.Path+u.RawQuery+u.Fragment, "*") || !isHostName(domain) {
		return "", "", errStar
	}
	rest := *u
	rest.Host = strings.TrimPrefix(u.Host, "*.")
	p, err := parsePlace(rest.String())
	if err != nil {
		return "", "", err
	}
	if list, official := publicsuffix.PublicSuffix(domain); !strings.Contains(domain, ".") || official && list == domain {
		return "", "", errWide
	}
	if _, err := netip.ParseAddr(domain); err == nil || p.local {
		return "", "", errWide
	}
	return "." + domain, p.hostPort[strings.LastIndexByte(p.hostPort, ':')+1:], nil
}

// isHostName reports whether s is labels of 1 to 63 letters, digits, hyphens and
// underscores with dots between them, none of which begins or ends with a
// hyphen (RFC 1035 2.3.1; underscores occur), in lower case.
func isHostName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

// match returns the host that u names if it is below the domain, in lower case.
func (h *hosts) match(u *url.URL) (host string, ok bool) {
	if u.Scheme != "https" {
		return "", false
	}
	host = strings.ToLower(u.Hostname())
	port := u.Port()
	if port == "" {
		port = "443"
	}
	if port != h.port || len(host) <= len(h.suffix) || !strings.HasSuffix(host, h.suffix) || !isHostName(host) {
		return "", false
	}
	return host, true
}

// pool returns the connections to a host that matches. Where there are as many
// hosts as there may be, the one that was asked for longest ago and is not in
// use goes; nil: all are in use.
func (h *hosts) pool(host string) *pool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.pools[host]; p != nil {
		h.last(p)
		return p
	}
	place, err := parsePlace("https://" + host + ":" + h.port)
	if err != nil || place.local {
		return nil // match lets no such name through
	}
	if len(h.order) >= h.most && !h.evict() {
		return nil
	}
	p := newPool(h.client, place)
	h.pools[host] = p
	h.order = append(h.order, p)
	return p
}

// last puts p at the end of the order.
func (h *hosts) last(p *pool) {
	for i, q := range h.order {
		if q == p {
			copy(h.order[i:], h.order[i+1:])
			h.order[len(h.order)-1] = p
			return
		}
	}
}

// evict drops a pool that is not in use.
func (h *hosts) evict() bool {
	for i, p := range h.order {
		if !p.retire() {
			continue
		}
		host := strings.TrimSuffix(p.hostPort, ":"+h.port)
		delete(h.pools, host)
		copy(h.order[i:], h.order[i+1:])
		h.order[len(h.order)-1] = nil
		h.order = h.order[:len(h.order)-1]
		return true
	}
	return false
}

// prune closes connections that are not in use.
func (h *hosts) prune() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.order {
		p.prune(0)
	}
}
