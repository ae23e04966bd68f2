package webchat

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
)

// newRoutes connects the paths. Everything but the page and its parts answers
// only to this host's own page.
func (a *Adapter) newRoutes() (http.Handler, error) {
	mux := http.NewServeMux()
	if err := a.servePages(mux); err != nil {
		return nil, err
	}
	mux.HandleFunc("POST /chat/start", a.start)
	mux.HandleFunc("POST /chat/messages", a.messages)
	mux.HandleFunc("POST /chat/forget", a.leave)
	mux.HandleFunc("GET /chat/events", a.events)
	mux.HandleFunc("GET /chat/files/{token}", a.files)
	return mux, nil
}

// refuse answers with a code word that the page understands, and nothing else.
func refuse(w http.ResponseWriter, status int, code string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"error":"` + code + `"}` + "\n"))
}

func refuseFor(w http.ResponseWriter, status int, code string, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
	refuse(w, status, code)
}

// ours reports whether r may come from our own page, and answers it otherwise.
// A browser says where a call comes from; a program that says nothing has no
// visitor's cookie to abuse.
func (a *Adapter) ours(w http.ResponseWriter, r *http.Request, weight int) bool {
	if r.Method == http.MethodPost {
		if a.origin.Check(r) != nil {
			refuse(w, http.StatusForbidden, "origin")
			return false
		}
	} else if s := r.Header.Get("Sec-Fetch-Site"); s != "" && s != "same-origin" && s != "none" {
		refuse(w, http.StatusForbidden, "origin")
		return false
	}
	if wait := a.callers.allow(prefixOf(a.cfg.ClientIP(r)), weight, a.cfg.Now()); wait > 0 {
		refuseFor(w, http.StatusTooManyRequests, "slow_down", wait)
		return false
	}
	return true
}

// read decodes a posted body, and answers the call if it cannot. Only the
// JSON media type is taken: a form on another site cannot send it.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "type")
		return false
	}
	err := decodeOne(http.MaxBytesReader(w, r.Body, maxBody), into)
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		refuse(w, http.StatusRequestEntityTooLarge, "too_long")
		return false
	case err != nil:
		refuse(w, http.StatusBadRequest, "form")
		return false
	}
	return true
}

// start gives a browser its cookie, before its first message: the page opens
// the event stream first, so that the answer finds somebody there.
func (a *Adapter) start(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Embedded bool `json:"embedded"` // the page stands in another site and its cookie did not last
	}
	if !a.ours(w, r, 4) || !read(w, r, &in) {
		return
	}
	v, _, ok := a.visitorOf(r)
	if !ok {
		v = newVisitor()
	}
	if !ok || in.Embedded {
		a.setCookie(w, r, v, in.Embedded)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// messages takes one message.
func (a *Adapter) messages(w http.ResponseWriter, r *http.Request) {
	var in said
	if !a.ours(w, r, 1) || !read(w, r, &in) {
		return
	}
	if !in.valid() {
		refuse(w, http.StatusBadRequest, "form")
		return
	}
	now := a.cfg.Now()
	v, issued, ok := a.visitorOf(r)
	if !ok {
		v = newVisitor()
	}
	if wait := a.visitors.allow(string(v[:]), 1, now); wait > 0 {
		refuseFor(w, http.StatusTooManyRequests, "slow_down", wait)
		return
	}
	if !ok || now.Sub(issued) > cookieRefresh {
		a.setCookie(w, r, v, in.Embedded)
	}
	if !a.hub.heard(v, in.ID) {
		e := in.event(v, now, preferred(r.Header.Get("Accept-Language")))
		if err := a.cfg.Receive(r.Context(), e); err != nil {
			refuseError(w, err)
			return
		}
		a.hub.echo(v, &in)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write([]byte("{}\n"))
}

// refuseError says what an error of Receive means for the page.
func refuseError(w http.ResponseWriter, err error) {
	switch sotto.KindOf(err) {
	case sotto.KindBusy, sotto.KindFull, sotto.KindUnavailable:
		refuseFor(w, http.StatusServiceUnavailable, "busy", 2*time.Second)
	case sotto.KindInvalid:
		refuse(w, http.StatusBadRequest, "form")
	case sotto.KindDenied:
		refuse(w, http.StatusForbidden, "denied")
	case sotto.KindExists: // it was here before: the page may stop asking
		w.WriteHeader(http.StatusAccepted)
	case sotto.KindOther, sotto.KindNotFound, sotto.KindCorrupt:
		refuse(w, http.StatusInternalServerError, "failed")
	}
}

// leave drops the cookie. The page calls it when it was told to forget.
func (a *Adapter) leave(w http.ResponseWriter, r *http.Request) {
	if !a.ours(w, r, 1) {
		return
	}
	a.dropCookie(w, r)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// events is the stream of what the visitor is told. A browser without a cookie
// gets 204, after which it does not ask again.
func (a *Adapter) events(w http.ResponseWriter, r *http.Request) {
	if !a.ours(w, r, 1) {
		return
	}
	v, _, ok := a.visitorOf(r)
	if !ok {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("last")
	}
	s, ok := a.hub.attach(v, prefixOf(a.cfg.ClientIP(r)), last)
	if !ok {
		refuseFor(w, http.StatusServiceUnavailable, "busy", 5*time.Second)
		return
	}
	defer a.hub.detach(v, s)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no") // a proxy that holds frames back holds the answer back
	a.pump(w, r, v, s)
}

// pump writes frames until the page, the stream or the process ends.
func (a *Adapter) pump(w http.ResponseWriter, r *http.Request, v visitor, s *stream) {
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the server's limits are for short calls
	var spread [1]byte
	_, _ = rand.Read(spread[:]) // never fails, says its documentation
	frames := [][]byte{retryFrame(spread[0])}
	beat := time.NewTicker(a.times.heartbeat)
	defer beat.Stop()
	life := time.NewTimer(a.times.life)
	defer life.Stop()
	again := time.NewTimer(a.times.again)
	defer again.Stop()
	for first := true; ; first = false {
		var typing bool
		var end string
		frames, typing, end = a.hub.take(v, s, frames)
		if typing && len(frames) == 0 {
			frames = append(frames, []byte("event: typing\ndata: {}\n\n"))
		}
		if end != "" {
			frames = append(frames, []byte("event: "+end+"\ndata: {}\n\n"))
		}
		if !a.write(w, out, frames) || end != "" {
			return
		}
		clear(frames)
		frames = frames[:0]
		if first {
			a.awake(v)
		}
		select {
		case <-s.wake:
		case <-again.C:
			a.awake(v)
		case <-beat.C:
			frames = append(frames, []byte(":\n\n"))
		case <-life.C:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (a *Adapter) write(w http.ResponseWriter, out *http.ResponseController, frames [][]byte) bool {
	if len(frames) == 0 {
		return true
	}
	_ = out.SetWriteDeadline(deadline(a.times.write))
	for _, f := range frames {
		if _, err := w.Write(f); err != nil { //nolint:gosec // an event stream of JSON, with nosniff: no browser reads it as HTML
			return false
		}
	}
	return out.Flush() == nil
}

// deadline is by the machine's clock, as sockets are.
func deadline(d time.Duration) time.Time {
	return time.Now().Add(d) //nolint:forbidigo // see above
}

func (a *Adapter) awake(v visitor) {
	if a.cfg.Awake != nil {
		a.cfg.Awake(v.String())
	}
}

// files hands a file to the visitor it was sent to, once.
func (a *Adapter) files(w http.ResponseWriter, r *http.Request) {
	if !a.ours(w, r, 1) {
		return
	}
	token := r.PathValue("token")
	v, _, ok := a.visitorOf(r)
	var f *file
	if ok && r.Method == http.MethodGet {
		f = a.hub.fetch(v, token)
	}
	if f == nil {
		refuse(w, http.StatusNotFound, "gone")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	if t, _, err := mime.ParseMediaType(f.mime); err == nil {
		h.Set("Content-Type", t)
	}
	h.Set("Content-Length", strconv.Itoa(len(f.data)))
	h.Set("Content-Disposition", disposition(f.name))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	_ = http.NewResponseController(w).SetWriteDeadline(deadline(5 * time.Minute))
	if _, err := w.Write(f.data); err != nil {
		a.hub.restore(v, token, f)
	}
}

// disposition names the file for every browser (RFC 6266): a plain name, and
// the real one percent-encoded.
func disposition(name string) string {
	plain := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || strings.ContainsRune(`"\/%;`, c) {
			return '_'
		}
		return c
	}, name)
	if plain == "" {
		plain = "file"
	}
	return fmt.Sprintf("attachment; filename=%q; filename*=UTF-8''%s", plain, url.PathEscape(name))
}
