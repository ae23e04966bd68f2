package notice

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/wording"
)

var update = flag.Bool("update", false, "write the golden files")

const day = 24 * time.Hour

func book(tb testing.TB) *wording.Book {
	tb.Helper()
	b, err := wording.Load()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// full declares everything that can be declared.
func full() *Notice {
	return &Notice{
		Controller: "Bakery Müller & Daughters\n1 Example Street, 12345 Sampletown",
		Contact:    "privacy@bakery.example",
		DPO:        "https://bakery.example/dpo",
		Complaint:  "State Commissioner for Data Protection",
		Link:       "https://bot.bakery.example/privacy",
		Recipients: []string{"Host Ltd (runs our server)", "Model Inc (writes answers)", "Tax <office>"},
		Purposes: []Purpose{
			{Name: sotto.PurposeReply, Basis: sotto.BasisContract, Categories: []sotto.Category{sotto.CategoryMessage, sotto.CategoryIdentifier}, Retention: 30 * day, On: true},
			{Name: sotto.PurposeSecurity, Basis: sotto.BasisLegitimateInterest, Categories: []sotto.Category{sotto.CategoryIdentifier}, Retention: 20 * time.Hour, On: true},
			{Name: sotto.PurposeLegal, Basis: sotto.BasisLegalObligation, Categories: []sotto.Category{sotto.CategoryIdentifier, sotto.CategoryContact, "loyalty"}, On: true},
			{Name: sotto.PurposeTrain, Basis: sotto.BasisConsent, Categories: []sotto.Category{sotto.CategoryMessage}, Retention: 400 * day},
			{Name: "raffle", Basis: sotto.BasisConsent, Categories: []sotto.Category{sotto.CategoryMessage}, Retention: day, On: true},
		},
	}
}

// least declares only what it must.
func least() *Notice {
	return &Notice{
		Controller: "Ada Example", Contact: "+49 30 000000",
		Purposes: []Purpose{
			{Name: sotto.PurposeReply, Basis: sotto.BasisContract, Categories: []sotto.Category{sotto.CategoryMessage}, Retention: 7 * day, On: true},
		},
	}
}

func TestGolden(t *testing.T) {
	b := book(t)
	for name, n := range map[string]*Notice{"full": full(), "least": least()} {
		for _, lang := range b.Languages() {
			html, err := n.Page(b, lang)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+lang+".html", string(html))
			golden(t, name+"."+lang+".txt",
				"-- first --\n"+n.Short(b, lang)+"\n-- changed --\n"+n.Changed(b, lang)+"\n-- privacy --\n"+n.Privacy(b, lang)+"\n")
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (rewrite with -update):\n%s", name, diff)
	}
}

// TestNothingLeftOpen: no text of Sotto's reaches a person with a placeholder,
// a key, or an unknown word in it.
func TestNothingLeftOpen(t *testing.T) {
	b := book(t)
	open := regexp.MustCompile(`[{}]|\[[a-z_.]+\]|%!`)
	for _, n := range []*Notice{full(), least()} {
		for _, lang := range b.Languages() {
			html, err := n.Page(b, lang)
			if err != nil {
				t.Fatal(err)
			}
			_, body, _ := strings.Cut(string(html), "</style>")
			for _, s := range []string{n.Short(b, lang), n.Changed(b, lang), n.Privacy(b, lang), body} {
				if m := open.FindString(s); m != "" {
					t.Errorf("%s: %q is left in\n%s", lang, m, s)
				}
			}
		}
	}
}

// TestEveryWordIsSpoken: a purpose, basis or category of the vocabulary has
// words in every language.
func TestEveryWordIsSpoken(t *testing.T) {
	b := book(t)
	purposes := []sotto.Purpose{
		sotto.PurposeReply, sotto.PurposePersonalise, sotto.PurposeAnalytics, sotto.PurposeTrain,
		sotto.PurposeMarketing, sotto.PurposeSupport, sotto.PurposeSecurity, sotto.PurposeLegal,
	}
	categories := []sotto.Category{
		sotto.CategoryMessage, sotto.CategoryContact, sotto.CategoryIdentifier,
		sotto.CategoryLocation, sotto.CategoryFinancial, sotto.CategoryHealth,
	}
	var keys []string
	for _, p := range purposes {
		keys = append(keys, "purpose."+string(p))
	}
	for _, c := range categories {
		keys = append(keys, "category."+string(c))
	}
	for _, c := range bases() {
		keys = append(keys, "basis."+string(c))
	}
	have := b.Keys()
	for _, k := range keys {
		if !slices.Contains(have, k) {
			t.Errorf("there is no text %s", k)
		}
	}
}

func TestVersion(t *testing.T) {
	base := full().Version()
	if !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(base) {
		t.Fatalf("version %q", base)
	}
	same := map[string]func(*Notice){
		"nothing":                func(*Notice) {},
		"order of purposes":      func(n *Notice) { slices.Reverse(n.Purposes) },
		"order of categories":    func(n *Notice) { slices.Reverse(n.Purposes[0].Categories) },
		"order of recipients":    func(n *Notice) { slices.Reverse(n.Recipients) },
		"a purpose that is off":  func(n *Notice) { n.Purposes[3].Retention = day },
		"a category said twice":  func(n *Notice) { n.Purposes[3].Categories = append(n.Purposes[3].Categories, "message") },
		"a purpose left undone":  func(n *Notice) { n.Purposes = append(n.Purposes, Purpose{Name: "x"}) },
		"a purpose that is gone": func(n *Notice) { n.Purposes = slices.Delete(n.Purposes, 3, 4) },
	}
	for name, change := range same {
		n := full()
		change(n)
		if got := n.Version(); got != base {
			t.Errorf("%s makes a new version", name)
		}
	}
	seen := map[string]string{base: "the declaration itself"}
	for name, change := range map[string]func(*Notice){
		"controller":  func(n *Notice) { n.Controller += "x" },
		"contact":     func(n *Notice) { n.Contact += "x" },
		"officer":     func(n *Notice) { n.DPO = "" },
		"complaint":   func(n *Notice) { n.Complaint = "" },
		"link":        func(n *Notice) { n.Link += "x" },
		"recipient":   func(n *Notice) { n.Recipients = n.Recipients[:1] },
		"split names": func(n *Notice) { n.Recipients = []string{"Host Ltd (runs our server)Model Inc (writes answers)"} },
		"basis":       func(n *Notice) { n.Purposes[0].Basis = sotto.BasisConsent },
		"category":    func(n *Notice) { n.Purposes[0].Categories[1] = sotto.CategoryHealth },
		"retention":   func(n *Notice) { n.Purposes[0].Retention += day },
		"turned on":   func(n *Notice) { n.Purposes[3].On = true },
		"turned off":  func(n *Notice) { n.Purposes[0].On = false },
		"moved":       func(n *Notice) { n.DPO, n.Complaint = n.Complaint, n.DPO },
	} {
		n := full()
		change(n)
		v := n.Version()
		if other, ok := seen[v]; ok {
			t.Errorf("a change of %s has the version of %s", name, other)
		}
		seen[v] = name
	}
}

func TestVersionLeavesTheDeclarationAlone(t *testing.T) {
	n := full()
	slices.Reverse(n.Recipients)
	slices.Reverse(n.Purposes[0].Categories)
	want := *n
	want.Purposes = slices.Clone(n.Purposes)
	want.Recipients = slices.Clone(n.Recipients)
	n.Version()
	if diff := cmp.Diff(&want, n); diff != "" {
		t.Error(diff)
	}
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		n    *Notice
		want []string
	}{
		"zero": {&Notice{}, []string{"controller is missing", "contact is missing", "no purpose is on"}},
		"all at once": {
			&Notice{Controller: " ", Contact: "a", Link: "javascript:alert(1)", Purposes: []Purpose{
				{Basis: "whim", Retention: -1, On: true},
				{Name: "a", Basis: sotto.BasisConsent, Categories: []sotto.Category{"b"}, On: true},
				{Name: "a", Basis: sotto.BasisConsent, Categories: []sotto.Category{"b"}, On: true},
			}},
			[]string{"controller", "not a web address", "no name", "none of GDPR", "no category", "negative", `"a" is declared twice`},
		},
		"a broken link": {&Notice{Controller: "a", Contact: "b", Link: "https://%zz", Purposes: least().Purposes}, []string{"not a web address"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.n.Check()
			if sotto.KindOf(err) != sotto.KindInvalid {
				t.Fatalf("got %v", err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is missing in %v", w, err)
				}
			}
			if _, err := c.n.Page(book(t), "en"); sotto.KindOf(err) != sotto.KindInvalid {
				t.Errorf("the page of a wrong declaration: %v", err)
			}
		})
	}
	for _, n := range []*Notice{full(), least()} {
		if err := n.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestSpan(t *testing.T) {
	s := speaker{book(t), "en"}
	for d, want := range map[time.Duration]string{
		0: "the purpose has ended", -1: "the purpose has ended", 1: "one hour", time.Hour: "one hour",
		90 * time.Minute: "2 hours", 23 * time.Hour: "23 hours", 23*time.Hour + 1: "one day",
		day: "one day", day + 1: "2 days", 365 * day: "365 days",
	} {
		if got := s.span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := s.list(nil); got != "" {
		t.Errorf("an empty list: %q", got)
	}
}

// TestShortIsHonest: the first message never names a shorter time than a
// purpose that is on keeps what is written, and says something where no purpose
// keeps messages.
func TestShortIsHonest(t *testing.T) {
	b, n := book(t), full()
	n.Purposes[3].On = true
	if s := n.Short(b, "en"); !strings.Contains(s, "deleted after 400 days") {
		t.Error(s)
	}
	n.Purposes[0].Retention = 0
	if s := n.Short(b, "en"); !strings.Contains(s, "deleted after the purpose has ended") {
		t.Error(s)
	}
	n.Purposes = n.Purposes[1:2]
	if s := n.Short(b, "en"); !strings.Contains(s, "used to protect the service") || !strings.Contains(s, "20 hours") {
		t.Error(s)
	}
}

// TestPageKeepsToItself: the style block is the one that the policy names, the
// page asks for nothing else, and what the operator wrote is escaped.
func TestPageKeepsToItself(t *testing.T) {
	n := full()
	n.Controller = `<script>alert(1)</script>`
	n.Contact = `javascript:alert(1)@a.b`
	n.DPO = `https://a.example/"onclick=x`
	n.Recipients = []string{`<img src=x>`}
	html, err := n.Page(book(t), "en")
	if err != nil {
		t.Fatal(err)
	}
	s := string(html)
	_, style, _ := strings.Cut(s, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	hash := base64.StdEncoding.EncodeToString(sum[:])
	if !strings.Contains(PageCSP(), "'sha256-"+hash+"'") {
		t.Error("the policy does not allow the page's own style")
	}
	if !strings.Contains(PageCSP(), "default-src 'none'") || !strings.Contains(PageCSP(), "frame-ancestors 'none'") {
		t.Error(PageCSP())
	}
	for _, bad := range []string{"<script", "<img", "javascript:alert(1)@a.b\"", "url(", "@import", "<link", "onclick=x\"", "ZgotmplZ"} {
		if strings.Contains(s, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

func TestPlaces(t *testing.T) {
	for in, want := range map[string]string{
		"a@b.example":            "mailto:a@b.example",
		" a@b.example ":          "mailto:a@b.example",
		"https://a.example/x":    "https://a.example/x",
		"https://":               "",
		"https://%zz":            "",
		"http://a.example":       "",
		"+49 30 1":               "",
		"@handle.x":              "",
		"a@b":                    "",
		"a@b.example?bcc=c@d.ex": "",
		"write to a@b.example":   "",
	} {
		if got := placeOf(in).Address; got != want {
			t.Errorf("%q leads to %q, want %q", in, got, want)
		}
	}
}

func BenchmarkShort(b *testing.B) {
	bk, n := book(b), full()
	b.ReportAllocs()
	for b.Loop() {
		n.Short(bk, "de")
	}
}

func BenchmarkPage(b *testing.B) {
	bk, n := book(b), full()
	for b.Loop() {
		if _, err := n.Page(bk, "de"); err != nil {
			b.Fatal(err)
		}
	}
}
