package pii

import (
	"slices"
	"strings"

	"github.com/sotto-chat/sotto/pii/names"
)

// findNames adds names of people, places and organisations to findings that are
// in order. What a rule has found is surer than what the model guesses, so a
// name that overlaps one is left out.
func (f *Finder) findNames(text string, found []Span) []Span {
	if !f.wants(Person) && !f.wants(Location) && !f.wants(Org) {
		return found
	}
	rules := len(found)
	at := 0
	names.Find(text, func(start, end int, kind names.Kind, score float64, why string) {
		for at < rules && (found[at].End <= start || !f.wants(found[at].Type)) {
			at++
		}
		sp := Span{Start: start, End: end, Type: nameTypes[kind], Score: nameScore(score), Rule: nameRules[kind], Context: why}
		if at < rules && found[at].Start < end || sp.Score < f.threshold() || !f.wants(sp.Type) {
			return
		}
		if at < rules && announces(text[start:end], &found[at], found[at].Start-end) {
			return // "NHS number 943 476 5919" names a number and no organisation
		}
		found = append(found, sp)
	})
	if len(found) > rules && rules > 0 {
		slices.SortFunc(found, func(a, b Span) int { return a.Start - b.Start })
	}
	return found
}

// announces reports whether a name is the word that made a finding sure, which
// begins gap bytes behind it.
func announces(name string, sp *Span, gap int) bool {
	const near = 24
	return gap <= near && sp.Context != "" && len(name) <= len(sp.Context) && strings.EqualFold(name, sp.Context[:len(name)])
}

// nameScore puts the model's probability, at least its threshold, into the range
// of a guess: 0.5 to 0.69, below every rule with a checksum or a format.
func nameScore(p float64) float64 { return 0.5 + 0.19*min(max(2*p-1, 0), 1) }

// nameTypes and nameRules are by the kind of name.
var (
	nameTypes = [...]Type{names.Person: Person, names.Location: Location, names.Org: Org}                     //nolint:gochecknoglobals // constant
	nameRules = [...]string{names.Person: "name/person", names.Location: "name/place", names.Org: "name/org"} //nolint:gochecknoglobals // constant
)
