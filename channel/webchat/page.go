package webchat

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"net/http"
	"path"
	"strings"
)

//go:embed page
var pageFiles embed.FS

// asset is a file that is the same for everybody, ready to be sent.
type asset struct {
	body      []byte
	kind      string // content type
	etag      string
	Tag       string // names this very content in an address
	Integrity string // lets the browser check it
	cache     string
	policy    string // of a page; "" for its parts
}

func newAsset(body []byte, kind, cache string) *asset {
	sum := sha256.Sum256(body)
	tag := hex.EncodeToString(sum[:8])
	return &asset{
		body: body, kind: kind, etag: `"` + tag + `"`, Tag: tag, cache: cache,
		Integrity: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]),
	}
}

// pageData is what the template sees.
type pageData struct {
	T             text
	Title         string
	PrivacyURL    string
	Style, Script *asset
}

// servePages renders the page once in each language and adds it and its parts
// to mux. A request then costs a few header lines and a copy.
func (a *Adapter) servePages(mux *http.ServeMux) error {
	named := map[string]*asset{}
	for name, kind := range map[string]string{
		"app.js":    "text/javascript; charset=utf-8",
		"style.css": "text/css; charset=utf-8",
		"icon.svg":  "image/svg+xml",
	} {
		b, err := pageFiles.ReadFile(path.Join("page", name))
		if err != nil {
			return err
		}
		f := newAsset(b, kind, "public, max-age=3600")
		named[name] = f
		mux.HandleFunc("GET /chat/"+name, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, f) })
	}
	tmpl, err := template.ParseFS(pageFiles, "page/chat.html")
	if err != nil {
		return err
	}
	pages := map[string]*asset{}
	for lang, t := range texts() {
		var b bytes.Buffer
		d := pageData{T: t, Title: a.cfg.Title, PrivacyURL: a.cfg.PrivacyURL, Style: named["style.css"], Script: named["app.js"]}
		if err := tmpl.Execute(&b, d); err != nil {
			return err
		}
		p := newAsset(b.Bytes(), "text/html; charset=utf-8", "no-cache")
		p.policy = a.policy()
		pages[lang] = p
	}
	mux.HandleFunc("GET /chat", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept-Language")
		a.serve(w, r, pages[spoken(r.Header.Get("Accept-Language"))])
	})
	mux.HandleFunc("GET /chat/{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "../chat", http.StatusMovedPermanently)
	})
	return nil
}

func (a *Adapter) serve(w http.ResponseWriter, r *http.Request, f *asset) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", f.cache)
	h.Set("Etag", f.etag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if f.policy != "" {
		h.Set("Content-Security-Policy", f.policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()")
		if len(a.cfg.Origins) == 0 {
			h.Set("X-Frame-Options", "SAMEORIGIN")
		}
	}
	if m := r.Header.Get("If-None-Match"); m != "" && strings.Contains(m, f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(f.body)
}

// policy lets the page load its own script and style and talk to its own host,
// and nothing else.
func (a *Adapter) policy() string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'; " +
		"frame-ancestors 'self'" + strings.Join(append([]string{""}, a.cfg.Origins...), " ")
}
