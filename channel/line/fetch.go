package line

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// Fetch implements [channel.Fetcher]. LINE keeps the content of a message for a
// while and hands it out by the message's id. A video or audio may still be in
// preparation: the class is then Retry, with code "202".
func (a *Adapter) Fetch(ctx context.Context, at channel.Attachment, limit int64) ([]byte, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	if !digits(at.ID) { // LINE's ids are numbers; anything else could be a path
		return nil, bad("host")
	}
	to, err := a.endpoint(http.MethodGet, a.data+"/v2/bot/message/"+at.ID+"/content")
	if err != nil {
		return nil, bad("address")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	r := to.Request(ctx, nil)
	resp, err := a.client.Do(r)
	if err != nil {
		return nil, failed(err)
	}
	defer resp.Body.Close() //nolint:errcheck // what counts was read
	switch {
	case resp.StatusCode/100 == 3, resp.Request != nil && resp.Request.URL.Host != r.URL.Host:
		return nil, bad("host")
	case resp.StatusCode == http.StatusAccepted:
		return nil, &channel.SendError{Class: channel.Retry, Status: resp.StatusCode, Code: strconv.Itoa(resp.StatusCode)}
	case resp.StatusCode != http.StatusOK:
		return nil, wire.StatusError(wire.Answer{Status: resp.StatusCode, RetryAfter: wire.Seconds(resp.Header.Get("Retry-After"))})
	}
	return wire.Body(resp, limit) //nolint:wrapcheck // a *channel.SendError, complete
}

// digits reports whether an id is one of LINE's messages.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= 32
}

// failed sorts the error of a call that reads: nothing is done twice by trying
// again. Our own way out refuses redirects and answers that are too large.
func failed(err error) error {
	switch sotto.KindOf(err) { //nolint:exhaustive // the others may pass
	case sotto.KindDenied:
		return bad("host")
	case sotto.KindInvalid:
		return bad("denied")
	}
	return &channel.SendError{Class: channel.Retry, Code: "broken"}
}

// sendError returns the error of a call as what it is.
func sendError(err error) *channel.SendError {
	if e, ok := errors.AsType[*channel.SendError](err); ok {
		return e
	}
	return &channel.SendError{Class: channel.Unknown}
}
