package server

import (
	"net/http"
	"strings"
	"sync"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/notice"
)

// routes are the faces of the server. Webhooks come first: they are the many.
func (r *running) routes() http.Handler {
	hooks := newHooks(r)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", r.readyz)
	mux.Handle("GET /metrics", r.metrics.Handler())
	mux.HandleFunc("GET /privacy", r.privacy(r.pages()))
	mux.HandleFunc("GET /{$}", r.home)
	mux.HandleFunc("GET /deletion", r.status)
	mux.HandleFunc("GET /file/{word}", r.offer)
	mux.HandleFunc("POST /file/{word}", r.handOut)
	if r.web != nil {
		mux.Handle("/chat", r.web)
		mux.Handle("/chat/", r.web)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/hooks/") {
			hooks.ServeHTTP(w, req)
			return
		}
		mux.ServeHTTP(w, req)
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the caller is gone, which is theirs to know
}

// readyz says whether new messages can be kept.
func (r *running) readyz(w http.ResponseWriter, req *http.Request) {
	if _, err := r.p.journal.MaxID(req.Context()); err != nil {
		plain(w, http.StatusServiceUnavailable, "the data cannot be read: "+sotto.KindOf(err).String()+"\n")
		return
	}
	if r.unstored.Load() {
		plain(w, http.StatusServiceUnavailable, "the last events could not be stored; see the log\n")
		return
	}
	plain(w, http.StatusOK, "ready\n")
}

func (r *running) home(w http.ResponseWriter, req *http.Request) {
	to := "/privacy"
	if r.web != nil {
		to = "/chat"
	}
	http.Redirect(w, req, to, http.StatusSeeOther)
}

// pages makes the notice's page in each language once, when it is first asked
// for: the notice in force does not change while the server runs.
func (r *running) pages() map[string]func() ([]byte, error) {
	out := make(map[string]func() ([]byte, error))
	for _, lang := range r.p.book.Languages() {
		out[lang] = sync.OnceValues(func() ([]byte, error) { return r.p.notice.Page(r.p.book, lang) })
	}
	return out
}

// privacy shows the notice in force, in the language that the browser asks for.
func (r *running) privacy(pages map[string]func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		lang := r.p.book.Match(acceptLanguage(req.Header.Get("Accept-Language"))...)
		page, err := pages[lang]()
		if err != nil {
			plain(w, http.StatusInternalServerError, "the notice cannot be shown\n")
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Language", lang)
		h.Set("Vary", "Accept-Language")
		h.Set("Content-Security-Policy", notice.PageCSP())
		_, _ = w.Write(page) // the caller is gone, which is theirs to know
	}
}

// acceptLanguage returns the tags of an Accept-Language header in their order;
// browsers list them by preference.
func acceptLanguage(h string) []string {
	var out []string
	for part := range strings.SplitSeq(h, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		if tag != "" && len(out) < 16 {
			out = append(out, tag)
		}
	}
	return out
}
