// Package pii finds personal data in text and masks it.
//
// It knows the types in [Types]: e-mail addresses, telephone numbers, payment
// cards, accounts and codes of banks, wallets, internet and hardware addresses,
// links, names on networks, keys and passwords, identifiers of single countries,
// dates, addresses, documents. It can be used alone:
//
//	var f pii.Finder
//	m := pii.NewMap()
//	masked := f.Mask(m, "Write to ada@example.org") // "Write to [EMAIL_1]"
//	clear := m.Unmask("I wrote to [EMAIL_1].")      // "I wrote to ada@example.org."
//
// # How it works
//
// One pass over the text looks at the class of each byte and hands the few that
// can begin something to the recognisers that want them; they look a bounded way
// to the left and right, so the time is proportional to the length whatever the
// text is. The pass also looks each word up once, so a recogniser knows which
// words stand before a number without reading them again. Digits, signs and
// spaces of other scripts count as their ASCII counterparts. What has a checksum
// must pass it; what has none needs a word nearby.
//
// Where the pass sees signs that a text hides what it says (character references,
// characters without width, letters of another alphabet inside of Latin words,
// digits set apart or spelled), the text is looked at a second time as a reader
// would see it. Spans always refer to the text as it was given.
//
// # What it promises
//
// Spans are in order, do not overlap, and begin and end between characters.
// Nothing is allocated where nothing is found. Mask then Unmask gives back the
// same text, even where the text itself already holds something like
// "[EMAIL_1]".
//
// # What it does not do
//
// It does not understand: what people tell about themselves in their own words is
// not found, and somebody who hides a value well enough succeeds. So masked text
// is still personal data. Prices, measures and order numbers are left alone on
// purpose, because a bot needs them; a number without a country code counts as a
// telephone number only when its shape or the words around it say so, and a code
// of a bank, a password or a name on a network only when a word announces it.
package pii

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// Span is one finding: text[Start:End], byte offsets.
type Span struct {
	Start, End int
	Type       Type
	Score      float64 // how sure the rule is, above 0 and at most 1
	Rule       string  // which recogniser, such as "phone/national"
	Context    string  // the word nearby that made the rule sure, as it is written in the rule; "" = none was needed
}

// Finder finds. The zero value finds every type. A Finder is safe for many
// goroutines.
type Finder struct {
	// Regions are the ISO 3166 codes of countries whose bare national numbers,
	// such as "5321234567" for TR, count as telephone numbers, or as identifiers
	// where they pass the check, without any words that say so. Order numbers
	// may then count as well; default none.
	Regions []string

	// Types are the types that are found; default: all.
	// Where at most eight of them are identifiers of countries, bare numbers
	// count as with Regions, because they were asked for by name.
	Types []Type

	// Threshold is the least score that counts; default 0.5.
	Threshold float64

	// Own are recognisers of one's own, which are asked before the built-in
	// ones: where two findings overlap and are equally sure, theirs stays.
	Own []Recogniser

	// Allow are texts that are never a finding, such as the operator's own
	// telephone number: compared without case, spaces and signs. Default none.
	Allow []string
}

// Recogniser finds something of one's own in a text. It calls add for each
// finding, with byte offsets on the borders of characters, in any order. It is
// used by many goroutines at once.
type Recogniser interface {
	Recognise(text string, add func(Span))
}

// Find returns findings in order, not overlapping. It returns nil where there
// is none.
func (f *Finder) Find(text string) []Span {
	s := scan{text: text, finder: f, regions: f.Regions}
	s.run()
	if s.tricks != 0 {
		s.found = f.merge(f.findInView(&s), s.found)
	}
	if found := f.inWords(text); found != nil {
		s.found = f.merge(s.found, found)
	}
	if len(f.Own) > 0 {
		s.found = f.merge(f.findOwn(text), s.found)
	}
	s.found = f.findNames(text, s.found)
	if len(s.found) == 0 || len(f.Types) == 0 && len(f.Allow) == 0 {
		return s.found
	}
	found := slices.DeleteFunc(s.found, func(sp Span) bool {
		return !f.wants(sp.Type) || f.allows(text[sp.Start:sp.End])
	})
	if len(found) == 0 {
		return nil
	}
	return found
}

// wants reports whether a type is to be found.
func (f *Finder) wants(t Type) bool { return len(f.Types) == 0 || slices.Contains(f.Types, t) }

func (f *Finder) threshold() float64 {
	if f.Threshold > 0 {
		return f.Threshold
	}
	return 0.5
}

// better reports whether a stays where a and b overlap: the surer, and of two
// equally sure ones the longer. Where only one is of a type that is wanted, the
// other does not hide it, unless both say what the very same characters are: a
// telephone number in a link is one, an account number is none.
func (f *Finder) better(a, b Span) bool {
	if wa, wb := f.wants(a.Type), f.wants(b.Type); wa != wb && (a.Start != b.Start || a.End != b.End) {
		return wa
	}
	if a.Score > b.Score || a.Score < b.Score {
		return a.Score > b.Score
	}
	return a.End-a.Start > b.End-b.Start
}

// merge brings two lists together that each are in order and do not overlap.
// Where one of the second is no better than one of the first, it goes.
func (f *Finder) merge(first, second []Span) []Span {
	if len(first) == 0 {
		return second
	}
	covers := func(of []Span, wins func(mine, theirs Span) bool) func(Span) bool {
		at := 0
		return func(sp Span) bool {
			for at < len(of) && of[at].End <= sp.Start {
				at++
			}
			for _, o := range of[at:] {
				if o.Start >= sp.End {
					break
				}
				if wins(o, sp) {
					return true
				}
			}
			return false
		}
	}
	second = slices.DeleteFunc(second, covers(first, func(o, sp Span) bool {
		return !f.better(sp, o) || sp.Score <= o.Score
	}))
	first = slices.DeleteFunc(first, covers(second, func(Span, Span) bool { return true }))
	first = append(first, second...)
	slices.SortFunc(first, func(a, b Span) int { return a.Start - b.Start })
	return first
}

// findOwn asks the recognisers of one's own. What is no span of the text does
// not count.
func (f *Finder) findOwn(text string) []Span {
	var all []Span
	border := func(i int) bool { return i == len(text) || utf8.RuneStart(text[i]) }
	for _, r := range f.Own {
		r.Recognise(text, func(sp Span) {
			if sp.Start >= 0 && sp.Start < sp.End && sp.End <= len(text) && border(sp.Start) && border(sp.End) &&
				sp.Score >= f.threshold() && sp.Score <= 1 {
				all = append(all, sp)
			}
		})
	}
	slices.SortStableFunc(all, func(a, b Span) int { return a.Start - b.Start })
	s := scan{text: text, finder: f, regions: f.Regions}
	for _, sp := range all {
		s.add(sp)
	}
	return s.found
}

// allows reports whether a text is one that is never a finding.
func (f *Finder) allows(text string) bool {
	return slices.ContainsFunc(f.Allow, func(allowed string) bool { return sameText(text, allowed) })
}

// sameText compares two texts without case, spaces and signs.
func sameText(a, b string) bool {
	i, j := 0, 0
	for {
		ra, wa := significant(a[i:])
		rb, wb := significant(b[j:])
		if wa == 0 || wb == 0 {
			return wa == wb && i+j > 0
		}
		if ra != rb {
			return false
		}
		i, j = i+wa, j+wb
	}
}

// significant returns the first letter or digit of a text, small, and where the
// text goes on; 0 where there is none.
func significant(s string) (r rune, end int) {
	for i, r := range s {
		c := fold(r)
		if r < utf8.RuneSelf {
			c = byte(r) //nolint:gosec // ASCII
		}
		switch {
		case isAlpha(c):
			return unicode.ToLower(rune(c)), i + utf8.RuneLen(r)
		case isDigit(c):
			return rune(c), i + utf8.RuneLen(r)
		case unicode.IsLetter(r):
			return unicode.ToLower(r), i + utf8.RuneLen(r)
		}
	}
	return 0, 0
}

// region reports whether numbers of a country count without words.
func (f *Finder) region(code string) bool { return slices.Contains(f.Regions, code) }
