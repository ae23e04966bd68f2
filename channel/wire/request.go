package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// Endpoint is one method of an API: where it is and which headers every call
// of it carries. It is made once, so that a call neither parses its address
// nor builds its headers. Printing one shows neither.
type Endpoint struct{ model *http.Request }

// NewEndpoint checks an address. The headers are pairs of a name in canonical
// form and a value. The error does not repeat the address, which may hold a
// token.
func NewEndpoint(method, addr string, headers ...string) (Endpoint, error) {
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" || len(headers)%2 != 0 {
		return Endpoint{}, errors.New("not an address") // the parser's error would repeat it
	}
	h := make(http.Header, len(headers)/2)
	for ; len(headers) >= 2; headers = headers[2:] {
		h[headers[0]] = []string{headers[1]}
	}
	return Endpoint{&http.Request{
		Method: method, URL: u, Host: u.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody, GetBody: func() (io.ReadCloser, error) { return http.NoBody, nil },
	}}, nil
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

// Bound gives a call its last moment: after limit or, without a limit, when
// ctx says, and after 20 seconds where that says nothing. A caller that bounds
// its calls itself, as the outbox does, so pays for no second timer.
func Bound(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		if _, ok := ctx.Deadline(); ok {
			return ctx, func() {}
		}
		limit = 20 * time.Second
	}
	return context.WithTimeout(ctx, limit)
}
