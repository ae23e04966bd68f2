package inbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// Fetch implements [channel.Fetcher]. The address is Meta's own and signed, so
// no credential goes with the call; it is good for some days, and that of a
// story for as long as the story.
func (a *Account) Fetch(ctx context.Context, f channel.Attachment, limit int64) ([]byte, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	u, err := url.Parse(f.ID)
	if err != nil || f.ID == "" || !a.known(u) {
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
	for _, h := range a.media {
		if h.Has(u) {
			return true
		}
	}
	return false
}
