package x

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// signedHost is where the older API keeps what is sent along in direct messages:
// it wants each call signed by an account that takes part.
const signedHost = "ton.twitter.com"

// mediaHosts are X's own hosts for media.
func mediaHosts() []string {
	return []string{signedHost, "ton.twimg.com", "pbs.twimg.com", "video.twimg.com"}
}

// Fetch implements [channel.Fetcher]. The id is the address that X gave. What
// was sent in a direct message is asked for with the account's proof: through
// API v2 with a token of OAuth 2.0, and at its own address with a signature of
// OAuth 1.0a, which is good for that one call. No other host gets a proof.
func (a *Adapter) Fetch(ctx context.Context, at channel.Attachment, limit int64) ([]byte, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	u, err := url.Parse(at.ID)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" || !slices.Contains(mediaHosts(), u.Host) {
		return nil, bad("host")
	}
	addr, proof := at.ID, u.Host == signedHost
	if path, ok := directMedia(u); ok && !a.auth.signs() {
		addr = a.api + "/2/dm_conversations/media/" + path
	} else if proof && !a.auth.signs() {
		proof = false // a token that is good for everything stays with the API
	}
	to, err := wire.NewEndpoint(http.MethodGet, addr)
	if err != nil {
		return nil, bad("address")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	r := to.Request(ctx, nil)
	if proof {
		a.auth.sign(r)
	}
	return a.get(r, limit)
}

// directMedia returns the three names under which API v2 knows a file whose
// address of the older API is …/ton/data/dm/<message>/<media>/<file>.
func directMedia(u *url.URL) (string, bool) {
	_, path, ok := strings.Cut(u.EscapedPath(), "/ton/data/dm/")
	names := strings.Split(path, "/")
	if !ok || u.Host != signedHost || len(names) != 3 || !number(names[0]) || !number(names[1]) {
		return "", false
	}
	for _, c := range []byte(names[2]) {
		if c != '.' && c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return "", false
		}
	}
	return path, names[2] != "" && names[2][0] != '.'
}

// get reads an answer of at most limit bytes.
func (a *Adapter) get(r *http.Request, limit int64) ([]byte, error) {
	resp, err := a.client.Do(r)
	if err != nil {
		switch sotto.KindOf(err) { //nolint:exhaustive // the others may pass
		case sotto.KindDenied:
			return nil, bad("host")
		case sotto.KindInvalid: // our own way out takes no redirects
			return nil, bad("denied")
		}
		return nil, &channel.SendError{Class: channel.Retry, Code: "broken"}
	}
	defer resp.Body.Close() //nolint:errcheck // what counts was read
	switch {
	case resp.StatusCode/100 == 3, resp.Request != nil && resp.Request.URL.Host != r.URL.Host:
		return nil, bad("host")
	case resp.StatusCode != http.StatusOK:
		return nil, a.sort(wire.Answer{
			Status: resp.StatusCode, RetryAfter: wire.Seconds(resp.Header.Get("Retry-After")), Header: resp.Header,
		}, new(answer))
	}
	return wire.Body(resp, limit) //nolint:wrapcheck // a *channel.SendError, complete
}
