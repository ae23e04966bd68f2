// Package notice makes what a person is told about their data: the first
// message, the answer to /privacy, and the page behind the link. All three come
// from one declaration, which is the running configuration and not a document
// beside it.
//
// # What it promises
//
// The same declaration always has the same [Notice.Version], and a declaration
// that says anything else to the person has another, so that "was told version
// X" is a fact that can be checked. Only purposes that are on are spoken of.
// The page is complete in itself: no script, no image, no other file, and a
// content security policy that allows nothing more.
//
// # What it does not do
//
// It does not send, remember who was told, or decide whether the declaration is
// lawful. Names and addresses in it are the operator's words and are not
// translated.
package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/wording"
)

// Notice is what an operator declares about the use of personal data (GDPR
// Art. 13). The zero value says nothing and does not pass [Notice.Check].
type Notice struct {
	Controller string    // who answers for it: name, and address if it has one
	Contact    string    // e-mail address, web address or telephone of the controller
	DPO        string    // how to reach the data protection officer; default "": none
	Complaint  string    // the supervisory authority; default "": "where you live or work"
	Purposes   []Purpose // all that are declared, on or off
	Recipients []string  // who else gets the data, in the operator's words; default none
	Link       string    // address of the page; default "": none
}

// Purpose is one reason to use data.
type Purpose struct {
	Name       sotto.Purpose
	Basis      sotto.Basis
	Categories []sotto.Category
	Retention  time.Duration // counted from each message; 0 = until the purpose has ended
	On         bool          // in use; what is off is not spoken of
}

// Check reports everything that is wrong with the declaration at once, as an
// error of [sotto.KindInvalid].
func (n *Notice) Check() error {
	var errs []error
	bad := func(s string) { errs = append(errs, errors.New(s)) }
	if strings.TrimSpace(n.Controller) == "" {
		bad("the controller is missing: say who answers for the data")
	}
	if strings.TrimSpace(n.Contact) == "" {
		bad("the contact is missing: say where people can ask")
	}
	if n.Link != "" {
		u, err := url.Parse(n.Link)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			bad("the link is not a web address")
		}
	}
	on := n.on()
	if len(on) == 0 {
		bad("no purpose is on")
	}
	for i, p := range on {
		name := strconv.Quote(string(p.Name))
		if slices.ContainsFunc(on[:i], func(q Purpose) bool { return q.Name == p.Name }) {
			bad("purpose " + name + " is declared twice")
		}
		if p.Name == "" {
			bad("a purpose has no name")
		}
		if !slices.Contains(bases(), p.Basis) {
			bad("purpose " + name + ": the basis is none of GDPR Art. 6(1)")
		}
		if len(p.Categories) == 0 {
			bad("purpose " + name + ": no category of data")
		}
		if p.Retention < 0 {
			bad("purpose " + name + ": the retention is negative")
		}
	}
	if len(errs) > 0 {
		return sotto.E("notice.check", sotto.KindInvalid, errors.Join(errs...))
	}
	return nil
}

func bases() []sotto.Basis {
	return []sotto.Basis{
		sotto.BasisConsent, sotto.BasisContract, sotto.BasisLegalObligation,
		sotto.BasisVitalInterest, sotto.BasisPublicInterest, sotto.BasisLegitimateInterest,
	}
}

// Version names the declaration: 12 hexadecimal digits of a SHA-256 over what
// the person is told. Order and what is off do not count.
func (n *Notice) Version() string {
	h := sha256.New()
	// Quoted and on lines of their own, so that no two declarations write the
	// same. The first line is the version of this form.
	line := func(name string, values ...string) { _, _ = fmt.Fprintf(h, "%s %q\n", name, values) }
	line("notice", "1")
	line("controller", n.Controller)
	line("contact", n.Contact)
	line("dpo", n.DPO)
	line("complaint", n.Complaint)
	line("link", n.Link)
	line("recipients", slices.Sorted(slices.Values(n.Recipients))...)
	purposes := n.on()
	slices.SortFunc(purposes, func(a, b Purpose) int { return strings.Compare(string(a.Name), string(b.Name)) })
	for _, p := range purposes {
		line("purpose", string(p.Name), string(p.Basis), p.Retention.String())
		for _, c := range slices.Compact(slices.Sorted(slices.Values(p.Categories))) {
			line("category", string(c))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// on returns a copy of the purposes in use, in the operator's order.
func (n *Notice) on() []Purpose {
	var on []Purpose
	for _, p := range n.Purposes {
		if p.On {
			on = append(on, p)
		}
	}
	return on
}

// Short is the first thing a person reads: who answers, that it is a machine,
// what for, how long it is kept, and what they can do.
func (n *Notice) Short(b *wording.Book, lang string) string { return n.say(b, lang, "notice") }

// Changed is [Notice.Short] for a person who was told an earlier version.
func (n *Notice) Changed(b *wording.Book, lang string) string {
	return n.say(b, lang, "notice_changed")
}

// Member is one line for a member of a group that has the notice already.
func (n *Notice) Member(b *wording.Book, lang string) string {
	return n.say(b, lang, "notice_member")
}

func (n *Notice) say(b *wording.Book, lang, key string) string {
	s := speaker{b, lang}
	on := n.on()
	// Both texts speak of "what you write", so only purposes that use it count.
	written := slices.DeleteFunc(slices.Clone(on), func(p Purpose) bool {
		return !slices.Contains(p.Categories, sotto.CategoryMessage)
	})
	if len(written) == 0 {
		written = on
	}
	names := make([]string, len(written))
	for i, p := range written {
		names[i] = s.purpose(p.Name)
		if p.Basis == sotto.BasisConsent {
			names[i] = b.Text(lang, "purpose.consent", "purpose", names[i])
		}
	}
	return b.Text(lang, key,
		"controller", firstLine(n.Controller), "purposes", s.list(names), "days", s.span(longest(written)), "link", n.Link)
}

// longest returns the longest retention, of which 0 is the longest of all.
func longest(purposes []Purpose) time.Duration {
	var d time.Duration
	for _, p := range purposes {
		if p.Retention == 0 {
			return 0
		}
		d = max(d, p.Retention)
	}
	return d
}

// Privacy is the answer to /privacy: what is kept, why, until when, who else
// gets it, and where to ask.
func (n *Notice) Privacy(b *wording.Book, lang string) string {
	s := speaker{b, lang}
	lines := []string{b.Text(lang, "privacy_head", "controller", firstLine(n.Controller))}
	for _, p := range n.on() {
		lines = append(lines, b.Text(lang, "privacy_purpose",
			"purpose", s.purpose(p.Name), "categories", s.categories(p.Categories),
			"basis", s.basis(p.Basis), "days", s.span(p.Retention)))
	}
	if len(n.Recipients) > 0 {
		lines = append(lines, b.Text(lang, "privacy_recipients", "recipients", s.list(n.Recipients)))
	}
	lines = append(lines, b.Text(lang, "privacy_foot",
		"contact", n.Contact, "dpo", n.DPO, "complaint", n.Complaint, "link", n.Link))
	return strings.Join(lines, "\n")
}

// speaker says the vocabulary's words in one language.
type speaker struct {
	book *wording.Book
	lang string
}

func (s speaker) purpose(p sotto.Purpose) string {
	if t, ok := s.book.Lookup(s.lang, "purpose."+string(p)); ok {
		return t
	}
	return s.book.Text(s.lang, "purpose.other", "purpose", string(p))
}

func (s speaker) basis(b sotto.Basis) string { return s.book.Text(s.lang, "basis."+string(b)) }

func (s speaker) categories(cs []sotto.Category) string {
	names := make([]string, len(cs))
	for i, c := range cs {
		t, ok := s.book.Lookup(s.lang, "category."+string(c))
		if !ok {
			t = s.book.Text(s.lang, "category.other", "category", string(c))
		}
		names[i] = t
	}
	return s.list(names)
}

// list joins items as the language does: "a, b and c".
func (s speaker) list(items []string) string {
	if len(items) == 0 {
		return ""
	}
	out := items[0]
	for i, item := range items[1:] {
		key := "list.more"
		if i == len(items)-2 {
			key = "list.and"
		}
		out = s.book.Text(s.lang, key, "first", out, "last", item)
	}
	return out
}

// span says a retention in whole days, or hours below a day, rounded up.
func (s speaker) span(d time.Duration) string {
	const day = 24 * time.Hour
	one, many, unit := "span.day", "span.days", day
	switch {
	case d <= 0:
		return s.book.Text(s.lang, "span.open")
	case d <= day-time.Hour:
		one, many, unit = "span.hour", "span.hours", time.Hour
	}
	n := int64((d + unit - 1) / unit)
	if n == 1 {
		return s.book.Text(s.lang, one)
	}
	return s.book.Text(s.lang, many, "n", strconv.FormatInt(n, 10))
}
