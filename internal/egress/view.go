package egress

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sotto-chat/sotto"
)

const opDo = "egress.do"

// View is the way out of one owner. Its zero value refuses every request.
type View struct {
	client *Client
	owner  string
	places []place

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
// to be closed. Every error, also one of reading the body, has a [*Failure] in
// its chain: sotto.KindDenied if the request was not let out, of which nothing
// was written then; sotto.KindInvalid if the request is at fault, or the answer
// is too large or a redirect; sotto.KindUnavailable for everything that may pass.
//
// A caller that only wants to know whether the request was written asks the
// error. A trace of its own (package net/http/httptrace) in the request's context
// costs seven allocations more, because the two are joined by reflection.
func (v *View) Do(r *http.Request) (*http.Response, error) {
	if v == nil || v.client == nil || v.client.transport == nil {
		return nil, refuse(r, sotto.KindDenied, "the client was not made by New", nil)
	}
	if !v.allows(r) {
		v.denied.Add(1)
		return nil, refuse(r, sotto.KindDenied, "the owner may not reach this host", nil)
	}
	v.requests.Add(1)
	t := &try{view: v, left: v.client.cfg.MaxBody}
	ctx := t.bound(r.Context(), v.client.cfg.Timeout)
	t.trace.GotConn = t.gotConn
	resp, err := v.client.transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(ctx, &t.trace)))
	if err != nil {
		f := failure(ctx, err, t.written())
		t.cancel()
		v.count(f)
		return nil, sotto.E(opDo, f.kind, f)
	}
	v.answers.Add(1)
	t.body = resp.Body
	switch {
	case redirects(resp.StatusCode):
		v.redirects.Add(1)
		t.drop()
		return nil, answered(sotto.KindInvalid, "the answer is a redirect")
	case resp.ContentLength > t.left && r.Method != http.MethodHead:
		v.tooLarge.Add(1)
		t.drop()
		return nil, answered(sotto.KindInvalid, "the answer is too large")
	}
	t.ctx = ctx
	resp.Body = t
	resp.Request = r
	return resp, nil
}

// allows reports whether the owner declared where the request goes. A request
// whose Host header names somebody else, or which carries a password in its
// URL, goes nowhere.
func (v *View) allows(r *http.Request) bool {
	u := r.URL
	if u == nil || u.User != nil || u.Opaque != "" || r.Method == http.MethodConnect || r.Host != "" && r.Host != u.Host {
		return false
	}
	for i := range v.places {
		if v.places[i].is(u) {
			return true
		}
	}
	return false
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

// try is one request on its way, and then the body of its answer.
type try struct {
	view  *View
	trace httptrace.ClientTrace

	mu     sync.Mutex
	conn   httpConn // the connection that the request is on
	before int64    // writes on it before the request
	wrote  bool     // an earlier connection took a part of the request

	cancel context.CancelFunc
	ctx    context.Context //nolint:containedctx // the body is read under the request's own time limit
	body   io.ReadCloser
	left   int64
	ended  bool
	failed error
}

// bound gives the request its last moment, unless its context has an earlier one.
func (t *try) bound(ctx context.Context, limit time.Duration) context.Context {
	ctx, t.cancel = context.WithTimeout(ctx, limit) // called when the body ends
	return ctx
}

// gotConn notes the connection. It is called again if the transport repeats
// the request on another one.
func (t *try) gotConn(info httptrace.GotConnInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrote = t.wrote || t.conn.written(t.before)
	t.conn = connOf(info.Conn)
	t.before = t.conn.writes()
}

func (t *try) written() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wrote || t.conn.written(t.before)
}

// drop closes the body of an answer that nobody gets to see.
func (t *try) drop() {
	t.body.Close() //nolint:errcheck,gosec // nothing of it is used
	t.cancel()
}

// Read reads the body up to its bound.
func (t *try) Read(p []byte) (int, error) {
	switch {
	case t.failed != nil:
		return 0, t.failed
	case len(p) == 0:
		return 0, nil
	}
	if int64(len(p)) > t.left+1 {
		p = p[:t.left+1] // one more, to see whether it goes on
	}
	n, err := t.body.Read(p)
	if int64(n) > t.left {
		n = int(t.left)
		t.view.tooLarge.Add(1)
		err = answered(sotto.KindInvalid, "the answer is too large")
	} else if err != nil && !errors.Is(err, io.EOF) {
		f := failure(t.ctx, err, true)
		err = sotto.E(opDo, f.kind, f)
	}
	t.left -= int64(n)
	if err != nil {
		t.failed = err
		t.ended = errors.Is(err, io.EOF)
		if t.ended {
			t.cancel()
		}
	}
	return n, err
}

// Close ends the request. A short rest of the body that the reader left, such
// as the mark of its end, is read, so that the connection can be used again.
func (t *try) Close() error {
	if !t.ended && t.failed == nil {
		stop := time.AfterFunc(50*time.Millisecond, t.cancel)
		io.CopyN(io.Discard, t.body, 4<<10) //nolint:errcheck,gosec // only to reach the end
		stop.Stop()
	}
	err := t.body.Close()
	t.cancel()
	if err != nil {
		return answered(sotto.KindUnavailable, "the answer could not be closed")
	}
	return nil
}
