package discord

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// Fetch implements [channel.Fetcher]. The address of a file is signed and good
// for about a day; the bot's token does not go there.
func (a *Adapter) Fetch(ctx context.Context, f channel.Attachment, limit int64) ([]byte, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	if !below(a.cdn, f.ID) {
		return nil, bad("host")
	}
	to, err := wire.NewEndpoint(http.MethodGet, f.ID, "User-Agent", agent)
	if err != nil {
		return nil, bad("host")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	resp, err := a.client.Do(to.Request(ctx, nil))
	if err != nil {
		return nil, &channel.SendError{Class: channel.Retry, Code: "broken"} // nothing is changed by asking
	}
	defer resp.Body.Close() //nolint:errcheck // all that counts was read
	if resp.StatusCode != http.StatusOK {
		e := wire.StatusError(wire.Answer{Status: resp.StatusCode})
		if e.Class == channel.Auth || e.Class == channel.Unknown { // no token was sent, and nothing changed
			e.Class = channel.Bad
		}
		return nil, e
	}
	if limit >= 0 && resp.ContentLength > limit {
		return nil, bad("too_large")
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, &channel.SendError{Class: channel.Retry, Status: resp.StatusCode, Code: "broken"}
	case int64(len(data)) > limit:
		return nil, bad("too_large")
	}
	return data, nil
}

// below reports whether an address is of the host of base.
func below(base, addr string) bool {
	b, err := url.Parse(base)
	u, uerr := url.Parse(addr)
	return err == nil && uerr == nil && u.Scheme == b.Scheme && strings.EqualFold(u.Host, b.Host) && u.User == nil && u.Opaque == "" && u.Fragment == ""
}
