package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
)

// Endpoint is one method of an API: where it is and which headers every call
// of it carries. It is made once, so that a call neither parses its address
// nor builds its headers. Printing one shows neither.
type Endpoint struct{ model *http.Request }

// NewEndpoint checks an address. The headers are pairs of a name in canonical
// form and a value. The error does not repeat the address, which may hold a
// token.
func NewEndpoint(method, addr string, headers ...string) (Endpoint, error) {
	r, err := http.NewRequestWithContext(context.Background(), method, addr, http.NoBody)
	if err != nil || r.URL.Host == "" || len(headers)%2 != 0 {
		return Endpoint{}, errors.New("not an address")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = []string{headers[i+1]}
	}
	return Endpoint{r}, nil
}

// parts is what a request points to, in one piece.
type parts struct {
	url  url.URL
	body bytes.Reader
}

// Request returns a new request that carries body, which must not change until
// the answer was read and the client is done with it. Its address and the map
// of its headers are its own. The endpoint must be one of [NewEndpoint].
func (e Endpoint) Request(ctx context.Context, body []byte) *http.Request {
	r := e.model.WithContext(ctx)
	p := &parts{url: *e.model.URL}
	r.URL, r.Header = &p.url, maps.Clone(e.model.Header)
	if len(body) == 0 {
		return r
	}
	p.body.Reset(body)
	// The transport knows these two types as bytes in memory, and sends headers
	// and body in one write. Behind any other type it would flush in between.
	r.Body = io.NopCloser(&p.body)
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.ContentLength = int64(len(body))
	return r
}
