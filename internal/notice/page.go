package notice

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style are files
	"encoding/base64"
	"html/template"
	"net/url"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/wording"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// PageCSP is the value of the Content-Security-Policy header that goes with
// [Notice.Page]. It allows the page's own style block, by its hash, and nothing
// else. The page says the same in a meta element, except for frame-ancestors,
// which browsers heed in the header only.
func PageCSP() string { return csp() + "; frame-ancestors 'none'" }

func csp() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
}

// page is what the template sees.
type page struct {
	Lang, Dir, CSP string
	CSS            template.CSS
	Title, Lead    string
	Languages      []language
	Controller     string
	Contact, DPO   place
	Purposes       []purpose
	Recipients     []string
	Commands       []command
	RightsMore     string
	Complaint      string
	Version        string
	text           func(key string) string
}

// T is the text of a key, for the template.
func (p *page) T(key string) string { return p.text(key) }

type language struct {
	Tag, Name string
	Current   bool
}

type purpose struct{ Title, Categories, Basis, Days string }

type command struct{ Name, Text string }

// place is where somebody is reached: words, and an address to follow if they
// are one.
type place struct{ Text, Address string }

// Page is the whole notice as an HTML page in one language. It links to itself
// in the other languages with ?lang=xx. It changes only with [Notice.Version]
// and lang, so a caller makes it once and keeps it. An incomplete declaration
// is the error of [Notice.Check].
func (n *Notice) Page(b *wording.Book, lang string) ([]byte, error) {
	const op = "notice.page"
	if err := n.Check(); err != nil {
		return nil, err
	}
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, sotto.E(op, sotto.KindOther, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, n.page(b, b.Match(lang))); err != nil {
		return nil, sotto.E(op, sotto.KindOther, err)
	}
	return out.Bytes(), nil
}

func (n *Notice) page(b *wording.Book, lang string) *page {
	s := speaker{b, lang}
	text := func(key string, args ...string) string { return b.Text(lang, key, args...) }
	p := &page{
		Lang: lang, Dir: "ltr", CSP: csp(),
		CSS:        template.CSS(pageCSS), //nolint:gosec // a constant of this package
		Title:      text("page.title", "controller", firstLine(n.Controller)),
		Lead:       text("page.lead", "controller", firstLine(n.Controller)),
		Controller: n.Controller,
		Contact:    placeOf(n.Contact),
		DPO:        placeOf(n.DPO),
		Recipients: n.Recipients,
		RightsMore: text("page.rights_more", "contact", n.Contact),
		Complaint:  text("page.complaint_any"),
		Version:    n.Version(),
		text:       func(key string) string { return text(key) },
	}
	if b.RTL(lang) {
		p.Dir = "rtl"
	}
	if n.Complaint != "" {
		p.Complaint = text("page.complaint_to", "complaint", n.Complaint)
	}
	for _, tag := range b.Languages() {
		p.Languages = append(p.Languages, language{Tag: tag, Name: b.Name(tag), Current: tag == lang})
	}
	for _, q := range n.on() {
		p.Purposes = append(p.Purposes, purpose{
			Title:      text("page.purpose", "purpose", s.purpose(q.Name)),
			Categories: s.categories(q.Categories),
			Basis:      s.basis(q.Basis),
			Days:       s.span(q.Retention),
		})
	}
	for _, c := range []wording.Command{
		wording.CommandPrivacy, wording.CommandMyData, wording.CommandDelete, wording.CommandStop, wording.CommandStart,
	} {
		p.Commands = append(p.Commands, command{Name: "/" + string(c), Text: text("page.cmd_" + string(c))})
	}
	return p
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}

// placeOf makes an e-mail or web address something to follow.
func placeOf(s string) place {
	s = strings.TrimSpace(s)
	p := place{Text: s}
	switch {
	case strings.ContainsAny(s, " \t\n,;<>\"?&"):
	case strings.HasPrefix(s, "https://"):
		if u, err := url.Parse(s); err == nil && u.Host != "" {
			p.Address = s
		}
	case strings.Count(s, "@") == 1 && !strings.HasPrefix(s, "@") && strings.Contains(s, "."):
		p.Address = "mailto:" + s
	}
	return p
}
