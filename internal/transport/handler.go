package transport

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const idHeader = "X-Request-Id"

// headers are the security headers of every answer. The slices are shared by all
// answers: setting or adding replaces them and never writes to them.
type headers struct {
	every, secure, page []header
}

type header struct {
	name  string
	value []string
}

func newHeaders() *headers {
	h := func(name, value string) header { return header{name, []string{value}} }
	return &headers{
		every: []header{
			h("X-Content-Type-Options", "nosniff"),
			h("Cache-Control", "no-store"),
		},
		secure: []header{h("Strict-Transport-Security", "max-age=31536000")},
		page: []header{
			h("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
			h("Referrer-Policy", "no-referrer"),
			h("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"),
			h("Cross-Origin-Opener-Policy", "same-origin"),
			h("Cross-Origin-Resource-Policy", "same-origin"),
		},
	}
}

// fill sets what the handler has not set. A name that the handler set to no
// value at all stays away.
func fill(to http.Header, with []header) {
	for i := range with {
		if _, ok := to[with[i].name]; !ok {
			to[with[i].name] = with[i].value
		}
	}
}

// idSource numbers requests: a random start of the process, then a count.
type idSource struct {
	prefix string
	n      *atomic.Uint32
}

func newIDSource() idSource {
	var b [5]byte
	rand.Read(b[:]) // never fails
	return idSource{prefix: hex.EncodeToString(b[:]), n: &atomic.Uint32{}}
}

func (s idSource) next() string {
	var b [18]byte
	var n [4]byte
	copy(b[:], s.prefix)
	binary.BigEndian.PutUint32(n[:], s.n.Add(1))
	hex.Encode(b[10:], n[:])
	return string(b[:])
}

// RequestID returns the number under which the request stands in the log and in
// the answer, and "" for a request that did not come through a [Server]. The
// first call makes it and keeps it in the request's headers, so that call must
// not run beside another use of them. Ask before the request is cloned.
func RequestID(r *http.Request) string {
	k := connOf(r)
	if k == nil {
		return ""
	}
	return k.id(r)[0]
}

// id makes the request's number when it is first needed.
func (k *conn) id(r *http.Request) []string {
	v := r.Header[idHeader] // what a stranger sent there is gone already
	if len(v) != 1 {
		v = []string{k.server.ids.next()}
		r.Header[idHeader] = v
	}
	return v
}

// writer fills in the headers of an answer and remembers its status.
type writer struct {
	http.ResponseWriter
	status  int
	conn    *conn
	request *http.Request
	debug   bool // the request will stand in the log
}

// begin completes the headers before the first byte. What a POST without a body
// is answered with in good order, as every webhook call is, gets none: no browser
// shows it and no cache may keep it (RFC 9111 section 3).
func (w *writer) begin(status int, body bool) {
	w.status = status
	bare := !body && status < http.StatusBadRequest && w.request.Method == http.MethodPost
	if bare && !w.debug && len(w.request.Header[idHeader]) == 0 {
		return
	}
	h := w.Header()
	h[idHeader] = w.conn.id(w.request)
	if bare {
		return
	}
	shared := w.conn.server.headers
	fill(h, shared.every)
	if w.conn.secure(w.request) {
		fill(h, shared.secure)
	}
	if body {
		fill(h, shared.page)
	}
}

// WriteHeader notes the status; 1xx answers come before the real one.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		n := w.Header()["Content-Length"]
		w.begin(status, status != http.StatusNoContent && (len(n) != 1 || n[0] != "0"))
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write answers 200 unless a status was written before.
func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.begin(http.StatusOK, true)
	}
	return w.ResponseWriter.Write(b)
}

// Flush sends what was written so far.
func (w *writer) Flush() {
	if w.status == 0 {
		w.begin(http.StatusOK, true)
	}
	http.NewResponseController(w.ResponseWriter).Flush() //nolint:errcheck,gosec // the next write tells
}

// Unwrap is for [http.ResponseController].
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// handler wraps the configured handler.
func (s *Server) handler() http.Handler {
	next := s.cfg.Handler
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		k := connOf(r)
		if k == nil || !k.welcome() {
			s.stats.refused.Add(1)
			rw.Header()["Connection"] = []string{"close"}
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		delete(r.Header, idHeader) // whatever a stranger sent there
		w := &writer{ResponseWriter: rw, conn: k, request: r, debug: s.cfg.Log.Enabled(r.Context(), slog.LevelDebug)}
		s.serve(w, r, next) //nolint:contextcheck // the context is the request's
	})
}

// serve lets the handler answer and keeps the counts, and the log at debug level.
func (s *Server) serve(w *writer, r *http.Request, next http.Handler) {
	s.stats.inFlight.Add(1)
	var began time.Time
	if w.debug {
		began = s.cfg.Now()
	}
	defer func() {
		if p := recover(); p != nil {
			s.panicked(w, r, p)
		}
		if w.status == 0 {
			w.begin(http.StatusOK, false) // net/http writes it after us
		}
		s.stats.inFlight.Add(-1)
		s.stats.status[min(w.status/100, 5)].Add(1)
		if w.debug {
			// The pattern is the route as the program knows it; the path may hold
			// a secret of the account.
			s.cfg.Log.LogAttrs(r.Context(), slog.LevelDebug, "request answered",
				slog.String("request_id", RequestID(r)), slog.String("route", r.Pattern),
				slog.Int("status", w.status), slog.Duration("duration", s.cfg.Now().Sub(began)))
		}
		if w.status < 0 {
			panic(http.ErrAbortHandler)
		}
	}()
	if r.ContentLength > s.cfg.MaxBody {
		s.stats.tooLarge.Add(1)
		h := w.Header()
		h["Connection"], h["Content-Length"] = []string{"close"}, []string{"0"}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if r.ContentLength < 0 { // net/http reads no more than was announced
		r.Body = http.MaxBytesReader(w.ResponseWriter, r.Body, s.cfg.MaxBody)
	}
	next.ServeHTTP(w, r)
}

// panicked answers for a handler that panicked: with 500 if nothing was written
// yet, and else by breaking the connection, so that half an answer does not look
// whole. What the handler panicked with is not logged, it may be a message.
func (s *Server) panicked(w *writer, r *http.Request, p any) {
	err, isErr := p.(error)
	abort := isErr && errors.Is(err, http.ErrAbortHandler)
	if !abort {
		s.stats.panics.Add(1)
		s.cfg.Log.LogAttrs(r.Context(), slog.LevelError, "a handler panicked",
			slog.String("request_id", RequestID(r)), slog.String("route", r.Pattern),
			slog.String("type", fmt.Sprintf("%T", p)), slog.String("stack", stack()))
	}
	if abort || w.status != 0 {
		w.status = -1
		return
	}
	h := w.Header()
	clear(h)
	h["Content-Length"] = []string{"0"}
	w.WriteHeader(http.StatusInternalServerError)
}

// stack names the functions and lines that led to a panic, without arguments.
func stack() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	var b strings.Builder
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") && f.Function != "" {
			fmt.Fprintf(&b, "%s:%d ", f.Function, f.Line)
		}
		if !more {
			return strings.TrimSpace(b.String())
		}
	}
}

// errorLog takes what net/http wants to log. Its lines hold addresses, and what
// strangers sent; only their number is kept.
func (s *Server) errorLog() *log.Logger { return log.New(&brokenCounter{s: s}, "", 0) }

type brokenCounter struct {
	s  *Server
	mu sync.Mutex
}

// Write counts one line.
func (b *brokenCounter) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.s.stats.broken.Add(1)
	return io.Discard.Write(line)
}
