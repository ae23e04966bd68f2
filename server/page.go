package server

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style are files
	"encoding/base64"
	"encoding/json"
	"html/template"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/deletion"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// leaf is a small page for one person: what became of a request, or a file.
type leaf struct {
	Lang, Dir, Title string
	CSS              template.CSS
	Lines            []string
	Rows             []row
	Button           string
	More, MoreText   string
	status           int
}

type row struct{ Name, Value string }

func (r *running) leaf(req *http.Request) (l *leaf, text func(key string, args ...string) string) {
	lang := r.p.book.Match(acceptLanguage(req.Header.Get("Accept-Language"))...)
	l = &leaf{
		Lang: lang, Dir: "ltr", status: http.StatusOK,
		CSS: template.CSS(pageCSS), //nolint:gosec // a constant of this package
	}
	if r.p.book.RTL(lang) {
		l.Dir = "rtl"
	}
	return l, func(key string, args ...string) string { return r.p.book.Text(lang, key, args...) }
}

// show writes a page that nothing may keep, frame or load anything into.
func (r *running) show(w http.ResponseWriter, l *leaf) {
	var out bytes.Buffer
	t, err := template.New("page").Parse(pageHTML)
	if err == nil {
		err = t.Execute(&out, l)
	}
	if err != nil {
		plain(w, http.StatusInternalServerError, "the page cannot be shown\n")
		return
	}
	sum := sha256.Sum256([]byte(pageCSS))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", l.Lang)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	w.WriteHeader(l.status)
	_, _ = w.Write(out.Bytes()) // the caller is gone, which is theirs to know
}

func (r *running) failed(w http.ResponseWriter, req *http.Request, err error) {
	r.s.log.LogAttrs(req.Context(), slog.LevelError, "a page was not shown", slog.String("cause", sotto.KindOf(err).String()))
	plain(w, http.StatusServiceUnavailable, "please try again later\n")
}

// status shows what became of a wish to be deleted, or of an erasure, to
// whoever has its code. With form=json it is the receipt for a machine.
func (r *running) status(w http.ResponseWriter, req *http.Request) {
	id := req.URL.Query().Get("id")
	if len(id) > 64 {
		id = ""
	}
	wish, isWish, err := r.p.deletion.Get(req.Context(), id)
	if err != nil {
		r.failed(w, req, err)
		return
	}
	receipt := id
	if isWish {
		receipt = wish.Receipt
	}
	l, text := r.leaf(req)
	l.Title = text("status.title")
	if isWish {
		l.Lines = append(l.Lines, text("status."+string(wish.State)))
		l.Rows = append(l.Rows, row{text("status.code"), wish.Code}, row{text("status.asked"), day(wish.At)})
		if wish.State == deletion.Refused {
			l.Rows = append(l.Rows, row{text("status.reason"), wish.Reason})
		}
		if !wish.Done.IsZero() {
			l.Rows = append(l.Rows, row{text("status.done"), day(wish.Done)})
		}
	}
	rc, rowsGone, isReceipt, err := r.p.life.Receipt(req.Context(), receipt)
	if err != nil {
		r.failed(w, req, err)
		return
	}
	if !isWish && !isReceipt {
		l.Lines, l.status = []string{text("status.unknown")}, http.StatusNotFound
		r.show(w, l)
		return
	}
	if isReceipt {
		if req.URL.Query().Get("form") == "json" {
			r.receipt(w, rc)
			return
		}
		l.receipt(rc, rowsGone, isWish, text)
	}
	l.Lines = append(l.Lines, text("status.contact", "contact", r.p.notice.Contact))
	r.show(w, l)
}

func (l *leaf) receipt(rc Receipt, rowsGone, isWish bool, text func(string, ...string) string) {
	if !isWish {
		l.Lines = append(l.Lines, text("status.erased"))
	}
	l.Rows = append(l.Rows, row{text("status.receipt"), rc.Receipt}, row{text("status.keys"), day(rc.At)})
	if rowsGone {
		l.Lines = append(l.Lines, text("status.rows_gone"))
	} else {
		l.Lines = append(l.Lines, text("status.rows_left"))
	}
	l.Rows = append(l.Rows, row{text("status.entry"), strconv.FormatInt(rc.Entry, 10)})
	l.More, l.MoreText = "/deletion?form=json&id="+rc.Receipt, text("status.proof")
}

func (*running) receipt(w http.ResponseWriter, rc Receipt) {
	b, err := json.MarshalIndent(rc, "", "  ")
	if err != nil {
		plain(w, http.StatusInternalServerError, "the receipt cannot be shown\n")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(append(b, '\n')) // the caller is gone, which is theirs to know
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// offer shows that a file can be fetched. It does not hand it out: networks
// look at links before people do.
func (r *running) offer(w http.ResponseWriter, req *http.Request) {
	ok, err := r.p.handout.Ready(req.Context(), req.PathValue("word"))
	if err != nil {
		r.failed(w, req, err)
		return
	}
	l, text := r.leaf(req)
	l.Title = text("file.title")
	if ok {
		l.Lines, l.Button = []string{text("file.ready")}, text("file.button")
	} else {
		l.Lines, l.status = []string{text("file.gone")}, http.StatusNotFound
	}
	r.show(w, l)
}

// handOut hands a file out, once.
func (r *running) handOut(w http.ResponseWriter, req *http.Request) {
	f, err := r.p.handout.Take(req.Context(), req.PathValue("word"))
	if sotto.KindOf(err) == sotto.KindNotFound {
		l, text := r.leaf(req)
		l.Title, l.Lines, l.status = text("file.title"), []string{text("file.gone")}, http.StatusNotFound
		r.show(w, l)
		return
	}
	if err != nil {
		r.failed(w, req, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.MIME)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = w.Write(f.Data) //nolint:gosec // an attachment of a fixed type, never shown as a page
}
