package viber

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// place is a host, or all hosts below a domain, that files may be got from.
type place struct {
	scheme, host string // of a pattern ".domain"
	below        bool
}

// places reads addresses: https://host, or https://*.domain for all below it.
func places(list []string) ([]place, error) {
	out := make([]place, 0, len(list))
	for _, addr := range list {
		domain, below := strings.CutPrefix(addr, "https://*.")
		if below {
			addr = "https://" + domain
		}
		base, err := wire.Base(addr)
		if err != nil {
			return nil, err //nolint:wrapcheck // the caller names the setting
		}
		u, err := url.Parse(base)
		if err != nil || u.Path != "" || below && (u.Port() != "" || !strings.Contains(domain, ".")) {
			return nil, errors.New("want https://host or https://*.domain")
		}
		p := place{scheme: u.Scheme, host: strings.ToLower(u.Host), below: below}
		if below {
			p.host = "." + p.host
		}
		out = append(out, p)
	}
	return out, nil
}

func (p place) holds(u *url.URL) bool {
	host := strings.ToLower(u.Host)
	if p.below {
		return u.Scheme == p.scheme && len(host) > len(p.host) && strings.HasSuffix(host, p.host)
	}
	return u.Scheme == p.scheme && host == p.host
}

// Fetch implements [channel.Fetcher]. The address of a file is good for an
// hour, and no credential goes with the call.
func (a *Adapter) Fetch(ctx context.Context, f channel.Attachment, limit int64) ([]byte, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	u, err := url.Parse(f.ID)
	known := false
	for _, p := range a.media {
		known = known || err == nil && p.holds(u)
	}
	if !known || u.User != nil || u.Fragment != "" {
		return nil, bad("host")
	}
	to, err := wire.NewEndpoint(http.MethodGet, f.ID)
	if err != nil {
		return nil, bad("host")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	data, err := wire.Fetch(a.client, to.Request(ctx, nil), limit)
	var e *channel.SendError
	if errors.As(err, &e) && e.Class == channel.Auth {
		e.Class = channel.Bad // no credential of ours was there to be refused
	}
	return data, err //nolint:wrapcheck // a *channel.SendError, complete
}
