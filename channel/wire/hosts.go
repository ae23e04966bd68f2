package wire

import (
	"errors"
	"net/url"
	"strings"
)

// Host is where a network keeps files: a host, or all hosts below a domain.
type Host struct {
	scheme, host string // with the port, in lower case; of a pattern ".domain"
	below        bool
}

// ParseHost reads an address that [Base] takes, of which the path does not count,
// or https://*.domain for all hosts below a domain of at least two names, on the
// usual port.
func ParseHost(addr string) (Host, error) {
	domain, below := strings.CutPrefix(addr, "https://*.")
	if below {
		addr = "https://" + domain
	}
	base, err := Base(addr)
	if err != nil {
		return Host{}, err
	}
	u, err := url.Parse(base)
	if err != nil || strings.Contains(u.Host, "*") || below && (u.Path != "" || u.Port() != "" || !strings.Contains(domain, ".")) {
		return Host{}, errHost
	}
	h := Host{scheme: u.Scheme, host: strings.ToLower(u.Host), below: below}
	if below {
		h.host = "." + h.host
	}
	return h, nil
}

var errHost = errors.New("want https://host or https://*.domain")

// ParseHosts is [ParseHost] for a list whose addresses have no path.
func ParseHosts(list []string) ([]Host, error) {
	out := make([]Host, 0, len(list))
	for _, addr := range list {
		h, err := ParseHost(addr)
		if err != nil {
			return nil, err
		}
		if u, err := url.Parse(addr); err != nil || strings.Trim(u.Path, "/") != "" {
			return nil, errHost
		}
		out = append(out, h)
	}
	return out, nil
}

// Has reports whether an address is there. One with a password in it is nowhere,
// and nothing is at the zero Host.
func (h Host) Has(u *url.URL) bool {
	if h.host == "" || u.Scheme != h.scheme || u.User != nil || u.Opaque != "" {
		return false
	}
	host := strings.ToLower(u.Host)
	if h.below {
		return len(host) > len(h.host) && strings.HasSuffix(host, h.host)
	}
	return host == h.host
}
