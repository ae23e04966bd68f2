package pii

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Explanation says why a place of a text is a finding, or why it is none.
type Explanation struct {
	Span

	// Found reports that the Finder finds it. Otherwise it is a near miss: some
	// rule wanted it, or it looks like something that is found.
	Found bool

	// Why says in sentences which rule it was, how sure it is, which word made
	// it so, what a checksum says, and which other finding it won or lost
	// against. It holds nothing of the text itself, but the word of the rule.
	Why string
}

// Explain returns what [Finder.Find] finds and what it nearly found, in order.
// It looks at the text once for every type, so it takes a hundred times as long
// as Find: it is for the one who asks why, and not for every message.
func (f *Finder) Explain(text string) []Explanation {
	e := explainer{finder: f, text: text, found: f.Find(text)}
	e.ask()
	for _, sp := range e.found {
		e.add(sp, true, e.won(sp))
	}
	for _, sp := range e.candidates {
		if slices.ContainsFunc(e.found, func(o Span) bool { return sameSpan(o, sp) }) {
			continue
		}
		if why, ok := e.lost(sp); ok {
			e.add(sp, false, why)
		}
	}
	e.broken()
	slices.SortStableFunc(e.out, func(a, b Explanation) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End), strings.Compare(string(a.Type), string(b.Type)))
	})
	return e.out
}

type explainer struct {
	finder     *Finder
	text       string
	found      []Span
	bare       map[int]int // by where they begin: how many near misses only wait for a word
	candidates []Span      // what is found of every single type by itself, however weak
	out        []Explanation
}

func sameSpan(a, b Span) bool { return a.Start == b.Start && a.End == b.End && a.Type == b.Type }

// weakest is the threshold for near misses.
const weakest = 0.01

// ask looks for every type by itself.
func (e *explainer) ask() {
	types := Types()
	all := Finder{Own: e.finder.Own, Threshold: weakest}
	for _, sp := range all.findOwn(e.text) {
		if !slices.Contains(types, sp.Type) {
			types = append(types, sp.Type)
		}
	}
	for _, t := range types {
		one := Finder{Regions: e.finder.Regions, Own: e.finder.Own, Types: []Type{t}, Threshold: weakest}
		for _, sp := range one.Find(e.text) {
			if sp.Type == t {
				e.candidates = append(e.candidates, sp)
			}
		}
	}
}

func (e *explainer) add(sp Span, found bool, why string) {
	e.out = append(e.out, Explanation{Span: sp, Found: found, Why: why})
}

// rule says which rule found something, and why it is as sure as it is.
func (e *explainer) rule(sp Span) string {
	s := fmt.Sprintf("The rule %s takes this for %s and is %.2f sure of it.", sp.Rule, sp.Type, sp.Score)
	if c := checkOf(sp.Type); c != "" && !strings.HasPrefix(sp.Rule, "own/") {
		s += " " + c
	}
	if sp.Context != "" {
		s += fmt.Sprintf(" The word %q stands near.", sp.Context)
	}
	return s
}

// checkOf says what a finding of a type has passed, "" for no check.
func checkOf(t Type) string {
	switch t { //nolint:exhaustive // the others have no check, or are in the table
	case CreditCard:
		return "Its check digit is right (Luhn)."
	case IBAN:
		return "Its check digits are right (modulo 97)."
	}
	if i, ok := nationalTable().byType[t]; ok {
		if n := nationalTable().rules[i].odds; n > 1 {
			return fmt.Sprintf("It passes its check, as one in about %d of such numbers does by chance.", n)
		}
		return "Numbers of this kind have no check."
	}
	return ""
}

// won says against what a finding won.
func (e *explainer) won(sp Span) string {
	var why strings.Builder
	why.WriteString(e.rule(sp))
	for _, c := range e.candidates {
		if overlap(c, sp) && c.Type != sp.Type {
			fmt.Fprintf(&why, " It won against %s (%s, %.2f), being %s.", c.Type, c.Rule, c.Score, e.advantage(sp, c))
		}
	}
	return why.String()
}

func overlap(a, b Span) bool { return a.Start < b.End && b.Start < a.End }

// advantage says why a stays where b goes.
func (e *explainer) advantage(a, b Span) string {
	switch {
	case !e.finder.wants(b.Type):
		return "of a type that is looked for"
	case b.Score < e.finder.threshold():
		return "sure enough"
	case a.Score > b.Score:
		return "surer"
	case a.End-a.Start > b.End-b.Start:
		return "longer"
	case a.Score == b.Score:
		return "just as sure and found first"
	}
	return "seen first in a larger whole"
}

// lost says why a candidate is no finding. It reports false for one that is not
// worth a word: a bare number has the form of many things.
func (e *explainer) lost(sp Span) (why string, ok bool) {
	why = e.rule(sp)
	switch {
	case !e.finder.wants(sp.Type):
		return why + fmt.Sprintf(" It is no finding, because %s is not among the types that are looked for.", sp.Type), true
	case e.finder.allows(e.text[sp.Start:sp.End]):
		return why + " It is no finding, because it is allowed.", true
	case sp.Score < e.finder.threshold():
		return why + fmt.Sprintf(" It is no finding, because that is less than the threshold of %.2f.", e.finder.threshold()), true
	}
	for _, o := range e.found {
		if overlap(o, sp) {
			return why + fmt.Sprintf(" It lost against %s (%s, %.2f), which is %s.", o.Type, o.Rule, o.Score, e.advantage(o, sp)), true
		}
	}
	const most = 3
	if e.bare == nil {
		e.bare = make(map[int]int)
	}
	e.bare[sp.Start]++
	return fmt.Sprintf("The rule %s would take this for %s if a word near said so, or if the Finder looked for little else or for its region. %s",
		sp.Rule, sp.Type, checkOf(sp.Type)), e.bare[sp.Start] <= most
}

// broken finds what has the form of something with a checksum, and fails it.
func (e *explainer) broken() {
	s := scan{text: e.text, finder: e.finder, regions: e.finder.Regions}
	for i := 0; i < len(e.text); {
		c, w := next(e.text, i)
		if c == '@' {
			e.brokenEmail(i, i+w)
		}
		if !isDigit(c) {
			i += w
			continue
		}
		s.chain.read(e.text, i)
		end := s.chain.chunks[s.chain.n-1].end
		sp, ok := e.brokenCard(&s.chain, i, end)
		if !ok {
			sp, ok = e.brokenIBAN(i)
		}
		if !ok {
			sp, ok = e.brokenNational(&s, i)
		}
		if !ok {
			sp, ok = e.noPhone(&s.chain, i, end)
		}
		if ok {
			end = max(end, sp.End)
		}
		i = end
	}
}

// free reports whether nothing is known of a place so far that says more than a
// near miss of a type.
func (e *explainer) free(start, end int, t Type) bool {
	return !slices.ContainsFunc(e.out, func(o Explanation) bool {
		return overlap(o.Span, Span{Start: start, End: end}) && (o.Type == t || t == Phone || t == Email)
	})
}

// miss adds a near miss.
func (e *explainer) miss(start, end int, t Type, rule, context, why string) (Span, bool) {
	if !e.free(start, end, t) {
		return Span{}, false
	}
	sp := Span{Start: start, End: end, Type: t, Rule: rule, Context: context}
	if context != "" {
		why += fmt.Sprintf(" The word %q stands near.", context)
	}
	e.add(sp, false, why)
	return sp, true
}

func (e *explainer) brokenEmail(at, end int) {
	start, ok := localPart(e.text, at)
	if !ok {
		return
	}
	for end < len(e.text) {
		c, w := next(e.text, end)
		if !isWord(c) && c != '-' {
			break
		}
		end += w
	}
	e.miss(start, end, Email, "email", "", "This is no e-mail address, because what follows the at sign is no name of a domain with a dot in it.")
}

func (e *explainer) brokenCard(c *chain, start, end int) (Span, bool) {
	if c.more || c.total < 13 || c.total > 19 || luhn(c.digits[:c.total]) || issuer(c.digits[:c.total]) == noCard || !cardGroups(c, c.n-1) {
		return Span{}, false
	}
	return e.miss(start, end, CreditCard, "card", "", "This has the length and the beginning of a card number, but its check digit is wrong (Luhn).")
}

func (e *explainer) brokenIBAN(i int) (Span, bool) {
	start, ok := ibanStart(e.text, i)
	if !ok {
		return Span{}, false
	}
	a, aw := next(e.text, start)
	b, _ := next(e.text, start+aw)
	want, n, end := ibanLength(a&^0x20, b&^0x20), 0, start
	for at := start; at < len(e.text) && n < want; {
		c, w := next(e.text, at)
		if !isDigit(c) && !isAlpha(c) && c != ' ' && c != '-' && c != skip {
			break
		}
		at += w
		if isDigit(c) || isAlpha(c) {
			n, end = n+1, at
		}
	}
	switch c, _ := after(e.text, end); {
	case n < want && n > want/2, n == want && isWord(c):
		return e.miss(start, end, IBAN, "iban", "", fmt.Sprintf("This begins like an account number, but has not the %d letters and digits of its country.", want))
	case n == want:
		return e.miss(start, end, IBAN, "iban", "", "This has the form of an account number, but its check digits are wrong (modulo 97).")
	}
	return Span{}, false
}

// brokenNational reports a number of the form of an identifier that a word
// nearby announces, and that fails its check.
func (e *explainer) brokenNational(s *scan, i int) (Span, bool) {
	var c nationalCode
	if !c.right(e.text, i) || !c.left(e.text, i) {
		return Span{}, false
	}
	table := nationalTable()
	for b := c.np - 1; b >= c.home; b-- {
		for a := range c.home + 1 {
			code := c.b[c.parts[a].from:c.parts[b].to]
			if len(code) < minCode || len(code) > maxCode {
				continue
			}
			letters, near := lettersOf(code), s.context(c.parts[a].start, c.parts[b].end)
			for _, f := range table.forms(len(code), letters) {
				r := &table.rules[f.rule]
				if letters&^f.either != f.must || !f.fits(code) || r.check(code) || !near.announces(r.of) {
					continue
				}
				return e.miss(c.parts[a].start, c.parts[b].end, r.of, r.name, near.word(r.of),
					fmt.Sprintf("This has the form of %s, but fails its check.", r.of))
			}
		}
	}
	return Span{}, false
}

func (e *explainer) noPhone(c *chain, start, end int) (Span, bool) {
	if c.total < 7 || c.total > 15 {
		return Span{}, false
	}
	return e.miss(start, end, Phone, "phone", "",
		"This has as many digits as a telephone number, but neither a country code nor its groups nor a word near say that it is one.")
}
