package inbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// place is where attachments may be got from.
type place struct {
	scheme, host string // of a pattern ".domain"
	below        bool   // any host below the domain
}

// places reads addresses: https://host, or https://*.domain for all below it.
func places(list []string) ([]place, error) {
	var out []place
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
		if err != nil || u.Path != "" || strings.Contains(u.Host, "*") || below && (u.Port() != "" || !strings.Contains(domain, ".")) {
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
	if u.Scheme != p.scheme {
		return false
	}
	if p.below {
		return len(host) > len(p.host) && strings.HasSuffix(host, p.host)
	}
	return host == p.host
}

// Fetch implements [channel.Fetcher]. The address is Meta's own and signed, so
// no credential goes with the call; it is good for some days, and that of a
// story for as long as the story.
func (a *Account) Fetch(ctx context.Context, f channel.Attachment, limit int64) ([]byte, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	u, err := url.Parse(f.ID)
	if err != nil || f.ID == "" || u.User != nil || !a.known(u) {
		return nil, bad("host")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, bad("host")
	}
	b, err := wire.Fetch(a.client, r, limit)
	if err != nil {
		return nil, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	if sum := sha256.Sum256(b); f.Sum != "" && f.Sum != hex.EncodeToString(sum[:]) {
		return nil, bad("sum")
	}
	return b, nil
}

func (a *Account) known(u *url.URL) bool {
	for _, p := range a.media {
		if p.holds(u) {
			return true
		}
	}
	return false
}
