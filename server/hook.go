package server

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/metrics"
)

// hooks answers the networks' calls at /hooks/<channel>/<account>: read once
// and bounded, proven, understood, journaled, and only then answered.
type hooks struct {
	s        *Server
	p        *parts
	by       map[string]*hook
	limit    int64
	unstored *atomic.Bool
	bufs     sync.Pool
}

type hook struct {
	account   string
	adapter   channel.Adapter
	handshake channel.Handshaker
	answer    channel.Answerer
	counts    *metrics.Account
}

func newHooks(r *running) *hooks {
	s, p, m := r.s, r.p, r.metrics
	h := &hooks{s: s, p: p, by: make(map[string]*hook), limit: int64(s.cfg.Limits.Body), unstored: &r.unstored}
	h.bufs.New = func() any { b := make([]byte, 0, 4096); return &b }
	for _, a := range s.accounts {
		if a.web != nil {
			continue
		}
		hs, _ := p.adapters[a.key].(channel.Handshaker) // optional abilities
		ans, _ := p.adapters[a.key].(channel.Answerer)
		h.by["/hooks/"+a.key] = &hook{account: a.key, adapter: p.adapters[a.key], handshake: hs, answer: ans, counts: m.Account(a.key)}
	}
	return h
}

// ServeHTTP answers one call.
func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k := h.by[strings.TrimSuffix(r.URL.Path, "/")]
	if k == nil {
		h.wish(w, r)
		return
	}
	if r.Method != http.MethodPost && (r.Method != http.MethodGet || k.handshake == nil) {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	buf := h.bufs.Get().(*[]byte) //nolint:errcheck,forcetypeassert // only byte slices are in the pool
	defer func() { clear(*buf); h.bufs.Put(buf) }()
	body, err := readAll((*buf)[:0], r, h.limit)
	*buf = body
	if err != nil {
		k.counts.Refused.Inc()
		w.WriteHeader(refusal(err))
		return
	}
	h.answer(w, r, k, body)
}

var errTooLarge = errors.New("body too large")

// refusal is the status for a body that was not read: too large, or broken off.
func refusal(err error) int {
	var most *http.MaxBytesError
	if errors.Is(err, errTooLarge) || errors.As(err, &most) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

func readAll(buf []byte, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return buf, errTooLarge
	}
	if n := r.ContentLength; n > int64(cap(buf)) {
		buf = make([]byte, 0, n+1)
	}
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return buf, errTooLarge
		}
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

func (h *hooks) answer(w http.ResponseWriter, r *http.Request, k *hook, body []byte) {
	req := &channel.Request{Method: r.Method, Header: r.Header, Body: body, Now: h.s.now()}
	if r.URL.RawQuery != "" {
		req.Query = r.URL.Query()
	}
	if r.Method == http.MethodPost {
		if err := k.adapter.Verify(req); err != nil {
			k.counts.Forged.Inc()
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
	}
	if k.handshake != nil {
		resp, answered, err := k.handshake.Handshake(req)
		if err != nil {
			k.counts.Forged.Inc()
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if answered {
			writeResponse(w, resp)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
	}
	batch, err := k.adapter.Decode(body)
	if err != nil {
		k.counts.Malformed.Inc()
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	k.counts.Unknown.Add(float64(batch.Unknown))
	k.counts.Events.Add(float64(len(batch.Events)))
	if err := h.p.inbox.Receive(r.Context(), k.account, batch.Events); err != nil {
		k.counts.Unstored.Inc()
		if r.Context().Err() == nil { // a caller who hung up says nothing about the data
			h.unstored.Store(true)
			h.s.log.LogAttrs(r.Context(), slog.LevelError, "events not stored; the network will send them again",
				slog.String("account", k.account), slog.String("cause", sotto.KindOf(err).String()))
		}
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if h.unstored.Load() {
		h.unstored.Store(false)
	}
	if k.answer != nil {
		if resp := k.answer.Answer(req, batch); resp != nil {
			writeResponse(w, resp)
			return
		}
	}
	w.WriteHeader(http.StatusOK)
}

func writeResponse(w http.ResponseWriter, resp *channel.Response) {
	if resp.ContentType != "" {
		w.Header().Set("Content-Type", resp.ContentType)
	}
	status := resp.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = w.Write(resp.Body) //nolint:gosec // made by the adapter; the caller is gone, which is theirs to know
}
