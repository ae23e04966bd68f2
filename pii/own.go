package pii

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// OwnRule describes a recogniser of one's own: a pattern, a list of words, or
// both. [Compile] makes a [Recogniser] of it, for [Finder].Own.
//
// A finding neither begins nor ends inside of a word. Patterns see the text as
// it is written: in them, unlike in the built-in recognisers, a full-width digit
// is no digit.
type OwnRule struct {
	// Name says which rule found something; it stands in [Span].Rule as
	// "own/name". Small letters, digits, hyphens, at most 40. Required.
	Name string `json:"name"`

	// Type is a type of this package or a new one: a capital letter and then
	// capital letters, digits and underscores, at most 40. Required.
	Type Type `json:"type"`

	// Pattern is a regular expression in the syntax of package regexp (RE2), at
	// most 500 bytes. A group named "value" is what is found, otherwise the
	// whole match. A repetition without an end (* and +) counts up to 64 times,
	// a match may have up to 1024 bytes and must have one at least. Default: none.
	Pattern string `json:"pattern,omitempty"`

	// IgnoreCase makes letters in the pattern stand for both cases.
	IgnoreCase bool `json:"ignore_case,omitempty"`

	// Check is the name of a check that the letters and digits of a finding must
	// pass; see [Checks]. Default: none.
	Check string `json:"check,omitempty"`

	// Words make a finding surer that has one of them near: whole words or
	// several, whatever their case and accents. At most 200. Default: none.
	Words []string `json:"words,omitempty"`

	// Before and After are how many bytes of the text around a finding are
	// looked at for Words, at most 500; default 60 and 30.
	Before int `json:"before,omitempty"`
	After  int `json:"after,omitempty"`

	// Score is how sure a match of the pattern is, and ScoreNear how sure it is
	// with one of Words near; default 0.6 and 0.9. A Finder leaves out what is
	// below its Threshold, so a Score of 0.1 needs a word.
	Score     float64 `json:"score,omitempty"`
	ScoreNear float64 `json:"score_near,omitempty"`

	// Deny are words that are always found, with a score of 1: whatever their
	// case and accents, with any signs or spaces between several. At most
	// 100,000, each of at most 8 words. Default: none.
	Deny []string `json:"deny,omitempty"`

	// Allow are values that this rule never finds, compared in the same way.
	// Default: none.
	Allow []string `json:"allow,omitempty"`
}

// Limits of an OwnRule.
const (
	maxPattern  = 500
	maxMatch    = 1024 // bytes
	maxRepeat   = 64
	maxOwnWords = 200
	maxDeny     = 100_000
	maxTerms    = 8 // words of one entry of Deny
	maxReach    = 500
	maxName     = 40
	ownBefore   = 60
	ownAfter    = 30
	ownScore    = 0.6
	ownNear     = 0.9
)

// own is a compiled OwnRule.
type own struct {
	rule    OwnRule
	pattern *regexp.Regexp
	group   int // of the pattern, the one that is found
	check   func(code []byte) bool
	words   []ownWord
	deny    *terms
	allow   map[string]bool
}

// ownWord is one of Words, with a space on either side where its script has
// spaces between words.
type ownWord struct{ folded, shown string }

// ReadOwn reads recognisers from a JSON array of [OwnRule]. A field that is not
// known is an error.
func ReadOwn(r io.Reader) ([]Recogniser, error) {
	var rules []OwnRule
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&rules); err != nil {
		return nil, fmt.Errorf("pii: own rules: %w", err)
	}
	return Compile(rules...)
}

// Compile makes recognisers of rules. The error names every rule and field that
// is wrong, and what is.
func Compile(rules ...OwnRule) ([]Recogniser, error) {
	out := make([]Recogniser, 0, len(rules))
	var errs []error
	names := make(map[string]bool)
	for i, r := range rules {
		o, err := compileOwn(r)
		label := fmt.Sprintf("rule %d", i+1)
		if validName(r.Name) {
			label = fmt.Sprintf("rule %q", r.Name)
			if names[r.Name] {
				err = errors.Join(err, errors.New("name: there is another rule of this name"))
			}
			names[r.Name] = true
		}
		if err != nil {
			for e := range strings.SplitSeq(err.Error(), "\n") {
				errs = append(errs, fmt.Errorf("pii: %s: %s", label, e))
			}
			continue
		}
		out = append(out, o)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

func validName(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}

func compileOwn(r OwnRule) (*own, error) {
	o := &own{rule: r}
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !validName(r.Name) {
		fail("name: %q is not made of small letters, digits and hyphens, at most %d", r.Name, maxName)
	}
	if !validType(r.Type) {
		fail("type: %q is not a capital letter and then capital letters, digits and underscores, at most %d", r.Type, maxTypeName-8)
	}
	if r.Pattern == "" && len(r.Deny) == 0 {
		fail("pattern: there is neither a pattern nor a word in deny")
	}
	if r.Pattern != "" {
		var err error
		if o.pattern, err = compilePattern(r.Pattern, r.IgnoreCase); err != nil {
			fail("pattern: %w", err)
		} else {
			o.group = max(o.pattern.SubexpIndex("value"), 0)
		}
	}
	if r.Check != "" {
		if o.check = checkNamed(r.Check); o.check == nil {
			fail("check: %q is none of %s", r.Check, strings.Join(Checks(), ", "))
		}
	}
	for _, n := range [...]struct {
		name       string
		value, max int
	}{
		{"before", r.Before, maxReach},
		{"after", r.After, maxReach},
		{"words", len(r.Words), maxOwnWords},
		{"deny", len(r.Deny), maxDeny},
		{"allow", len(r.Allow), maxDeny},
	} {
		if n.value < 0 || n.value > n.max {
			fail("%s: %d is not from 0 to %d", n.name, n.value, n.max)
		}
	}
	for _, s := range [...]struct {
		name  string
		value float64
	}{{"score", r.Score}, {"score_near", r.ScoreNear}} {
		if !(s.value >= 0 && s.value <= 1) {
			fail("%s: %v is not from 0 to 1", s.name, s.value)
		}
	}
	if err := o.readLists(); err != nil {
		errs = append(errs, err)
	}
	o.defaults()
	return o, errors.Join(errs...)
}

func (o *own) defaults() {
	r := &o.rule
	if r.Before == 0 {
		r.Before = ownBefore
	}
	if r.After == 0 {
		r.After = ownAfter
	}
	if r.Score == 0 {
		r.Score = ownScore
	}
	if r.ScoreNear == 0 {
		r.ScoreNear = ownNear
	}
}

// readLists compiles the lists of words.
func (o *own) readLists() error {
	var errs []error
	for _, w := range o.rule.Words {
		folded := string(foldWords(w))
		if folded == "" {
			errs = append(errs, fmt.Errorf("words: %q holds no letter or digit", w))
			continue
		}
		if !strings.ContainsFunc(folded, wideLetter) {
			folded = " " + folded + " "
		}
		o.words = append(o.words, ownWord{folded, w})
	}
	for _, w := range o.rule.Deny {
		if o.deny == nil {
			o.deny = new(terms)
		}
		if n := o.deny.add(w); n == 0 || n > maxTerms {
			errs = append(errs, fmt.Errorf("deny: %q has %d words, not 1 to %d", w, n, maxTerms))
		}
	}
	for _, w := range o.rule.Allow {
		if o.allow == nil {
			o.allow = make(map[string]bool)
		}
		o.allow[string(foldWords(w))] = true
	}
	return errors.Join(errs...)
}

// Recognise implements [Recogniser].
func (o *own) Recognise(text string, add func(Span)) {
	if o.deny != nil {
		o.deny.find(text, func(start, end int) {
			if !o.allowed(text[start:end]) {
				add(Span{Start: start, End: end, Type: o.rule.Type, Score: 1, Rule: "own/" + o.rule.Name})
			}
		})
	}
	if o.pattern == nil {
		return
	}
	for _, m := range o.pattern.FindAllStringSubmatchIndex(text, -1) {
		start, end := m[2*o.group], m[2*o.group+1]
		if sp, ok := o.judge(text, start, end); ok {
			add(sp)
		}
	}
}

// judge says how sure a match is.
func (o *own) judge(text string, start, end int) (Span, bool) {
	sp := Span{Start: start, End: end, Type: o.rule.Type, Score: o.rule.Score, Rule: "own/" + o.rule.Name}
	if start < 0 || start >= end || !wordBorder(text, start) || !wordBorder(text, end) || o.allowed(text[start:end]) {
		return sp, false
	}
	if o.check != nil && !o.check(codeOf(text[start:end])) {
		return sp, false
	}
	if word := o.near(text, start, end); word != "" {
		sp.Score, sp.Context = o.rule.ScoreNear, word
	}
	return sp, true
}

func (o *own) allowed(value string) bool {
	return o.allow != nil && o.allow[string(foldWords(value))]
}

// near returns which of Words stands near, "" for none.
func (o *own) near(text string, start, end int) string {
	if len(o.words) == 0 {
		return ""
	}
	from, to := max(0, start-o.rule.Before), min(len(text), end+o.rule.After)
	for from < start && !utf8.RuneStart(text[from]) {
		from++
	}
	for to > end && to < len(text) && !utf8.RuneStart(text[to]) {
		to--
	}
	around := " " + string(foldWords(text[from:start])) + " . " + string(foldWords(text[end:to])) + " "
	if i := slices.IndexFunc(o.words, func(w ownWord) bool { return strings.Contains(around, w.folded) }); i >= 0 {
		return o.words[i].shown
	}
	return ""
}
