package egress

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/sotto-chat/sotto"
)

const opDo = "egress.do"

// View is the way out of one owner. Its zero value refuses every request.
type View struct {
	client *Client
	owner  string
	pools  []*pool

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
	p := v.poolOf(r)
	if p == nil {
		v.denied.Add(1)
		return nil, refuse(r, sotto.KindDenied, "the owner may not reach this host", nil)
	}
	v.requests.Add(1)
	ctx := r.Context()
	t := &try{view: v, pool: p, ctx: ctx, left: v.client.cfg.MaxBody, until: v.client.cfg.Now().Add(v.client.cfg.Timeout)}
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

// poolOf returns the connections to where the request goes, or nil if the owner
// did not declare that. A request whose Host header names somebody else, or which
// carries a password in its URL, goes nowhere.
func (v *View) poolOf(r *http.Request) *pool {
	u := r.URL
	if u == nil || u.User != nil || u.Opaque != "" || r.Method == http.MethodConnect || r.Host != "" && r.Host != u.Host {
		return nil
	}
	for _, p := range v.pools {
		if p.is(u) {
			return p
		}
	}
	return nil
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
