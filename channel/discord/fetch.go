package discord

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// Fetch implements [channel.Fetcher]. The address of a file is signed and good
// for about a day; the bot's token does not go there.
func (a *Adapter) Fetch(ctx context.Context, f channel.Attachment, limit int64) ([]byte, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	if u, err := url.Parse(f.ID); err != nil || !a.cdn.Has(u) || u.Fragment != "" {
		return nil, bad("host")
	}
	to, err := wire.NewEndpoint(http.MethodGet, f.ID, "User-Agent", agent)
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
