package egress

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sotto-chat/sotto"
)

const opDo = "egress.do"

// View is the way out of one owner. Its zero value refuses every request.
type View struct {
	client *Client
	owner  string
	pools  []*pool
	wide   []*hosts

	requests, answers, denied, failed, unclear, redirects, tooLarge atomic.Uint64
}

// Stats is what one owner did so far.
type Stats struct {
	Owner     string
	Requests  uint64 // that were allowed
	Answers   uint64 // requests that got an answer, whatever its status
	Denied    uint64 // requests refused before a connection: another host, or not a public address
	Failed    uint64 // requests of which nothing was written
	Unclear   uint64 // requests that were written, whole or in part, and got no answer
	Redirects uint64 // answers that were redirects
	TooLarge  uint64 // answers whose body was too large
}

// Stats returns what the owners did, by name.
func (c *Client) Stats() []Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Stats, 0, len(c.views))
	for _, v := range c.views {
		all = append(all, v.Stats())
	}
	slices.SortFunc(all, func(a, b Stats) int { return cmp.Compare(a.Owner, b.Owner) })
	return all
}

// Stats returns what the owner did.
func (v *View) Stats() Stats {
	return Stats{
		Owner: v.owner, Requests: v.requests.Load(), Answers: v.answers.Load(), Denied: v.denied.Load(),
		Failed: v.failed.Load(), Unclear: v.unclear.Load(), Redirects: v.redirects.Load(), TooLarge: v.tooLarge.Load(),
	}
}

// Do makes one request. The answer's body is bounded in size and time, and has
// to be closed: until then it holds a connection. Every error, also one of reading the body, has a [*Failure] in
// its chain: sotto.KindDenied if the request was not let out, of which nothing
// was written then; sotto.KindInvalid if the request is at fault, or the answer
// is too large or a redirect; sotto.KindUnavailable for everything that may pass.
//
// The request is sent with the deadline of its context, if that is before the
// client's own. Its trailers cannot be sent; its Host, Content-Length,
// Transfer-Encoding and Trailer headers are not looked at.
func (v *View) Do(r *http.Request) (*http.Response, error) {
	if v == nil || v.client == nil || v.client.tls == nil {
		return nil, refuse(r, sotto.KindDenied, "the client was not made by New", nil)
	}
	p, ok := v.poolOf(r)
	switch {
	case !ok:
		v.denied.Add(1)
		return nil, refuse(r, sotto.KindDenied, "the owner may not reach this host", nil)
	case p == nil:
		v.failed.Add(1)
		return nil, refuse(r, sotto.KindUnavailable, "too many hosts are in use", nil)
	}
	v.requests.Add(1)
	ctx := r.Context()
	most, long := v.client.bounds(ctx)
	t := &try{view: v, pool: p, ctx: ctx, left: most, until: v.client.cfg.Now().Add(long)}
	if d, ok := ctx.Deadline(); ok && d.Before(t.until) {
		t.until = d
	}
	resp, err := t.run(r)
	if err != nil {
		f := failure(ctx, err, t.wrote)
		v.count(f)
		return nil, sotto.E(opDo, f.kind, f)
	}
	v.answers.Add(1)
	switch {
	case redirects(resp.StatusCode):
		v.redirects.Add(1)
		t.end(false)
		return nil, answered("the answer is a redirect")
	case resp.ContentLength > t.left && resp.Body != http.NoBody:
		v.tooLarge.Add(1)
		t.end(false)
		return nil, answered("the answer is too large")
	case resp.Body == http.NoBody:
		t.failed = io.EOF
		t.end(true)
	}
	resp.Body = t
	return resp, nil
}

// poolOf returns the connections to where the request goes; ok is false if the
// owner did not declare that, and the pool is nil if there is no room for one
// more host. A request whose Host header names somebody else, or which carries a
// password in its URL, goes nowhere.
func (v *View) poolOf(r *http.Request) (p *pool, ok bool) {
	u := r.URL
	if u == nil || u.User != nil || u.Opaque != "" || r.Method == http.MethodConnect || r.Host != "" && r.Host != u.Host {
		return nil, false
	}
	for _, p := range v.pools {
		if p.is(u) {
			return p, true
		}
	}
	for _, h := range v.wide {
		if host, ok := h.match(u); ok {
			return h.pool(host), true
		}
	}
	return nil, false
}

// allowance is what a context allows beyond the client's own bounds.
type allowance struct {
	body int64
	time time.Duration
}

type allowanceKey struct{}

// Allow returns a context under which an answer may have a body of up to body
// bytes, and an exchange may last for up to timeout, where that is more than the
// client's own bounds. It is for fetching files, by whoever gives the context to
// an adapter: an adapter cannot raise its own bounds.
func Allow(ctx context.Context, body int64, timeout time.Duration) context.Context {
	return context.WithValue(ctx, allowanceKey{}, allowance{body, timeout})
}

// bounds returns the bounds of body and time of a request.
func (c *Client) bounds(ctx context.Context) (body int64, timeout time.Duration) {
	a, _ := ctx.Value(allowanceKey{}).(allowance)
	return max(c.cfg.MaxBody, a.body), max(c.cfg.Timeout, a.time)
}

func (v *View) count(f *Failure) {
	switch {
	case f.kind == sotto.KindDenied:
		v.denied.Add(1)
	case f.written:
		v.unclear.Add(1)
	default:
		v.failed.Add(1)
	}
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}
