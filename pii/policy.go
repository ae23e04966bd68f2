package pii

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Policy says what is looked for and what is done with each type. The zero
// Policy finds every type and puts placeholders in for all of them. It is used
// by many goroutines at once and not changed then.
type Policy struct {
	// Finder finds. Its Types, Regions, Threshold, Own and Allow hold for the
	// policy; default: everything.
	Finder Finder

	// Default is what is done with types that have no operator of their own;
	// default [Placeholder].
	Default Operator

	// Types are what is done with single types; default none.
	Types map[Type]Operator

	// Rules are exceptions for a purpose, a region or a language. The first one
	// that fits and names the type counts, before Types; default none.
	Rules []PolicyRule
}

// PolicyRule is an exception in a [Policy]. It fits where everything it names
// is the same as in [Use].
type PolicyRule struct {
	Purpose, Region, Language string // "" fits every one
	Types                     map[Type]Operator
}

// DefaultPolicy is what Sotto's bots are given. It is led by two questions: does
// the value lead to the person, alone or with little else? And can the bot still
// help without it?
//
//   - Masked: what reaches or names a person or opens something of theirs, that
//     is e-mail addresses, telephone numbers, cards, accounts, wallets, internet
//     and device addresses, names on networks, secrets, names of people, street
//     addresses, postcodes, dates of birth, passports, licences, number plates
//     and all identifiers of single countries. A bot needs none of them: it
//     passes the placeholder on, and the value is put back on the way out.
//   - Left: dates, places, organisations, ages, web addresses. "My parcel of 3
//     May to Hamburg" must stay a sentence, and none of these alone leads to a
//     person. A web address is what people ask about.
//   - Left as well: nationality, religion, politics and health ([NRP],
//     [Medical]). They are sensitive, but without a name beside them they are
//     nobody's, and a bot that does not know of an allergy gives bad advice. Who
//     keeps or counts texts should use [StoragePolicy].
func DefaultPolicy() *Policy {
	leave := Leave{}
	return &Policy{Types: map[Type]Operator{
		Date: leave, Location: leave, Org: leave, Age: leave, URL: leave, NRP: leave, Medical: leave,
	}}
}

// StoragePolicy is for texts that are kept or counted and never answered:
// nothing can be put back. Ages become bands, dates months, postcodes and
// internet addresses their beginning, places countries; of everything else the
// type alone is left.
func StoragePolicy() *Policy {
	g := Generalise{}
	return &Policy{Default: Redact{}, Types: map[Type]Operator{
		Date: g, DateOfBirth: g, Age: g, Postcode: g, IP: g, Location: g, URL: g,
	}}
}

// Check returns what is wrong with a policy: a name that is no type's, or a
// keyed operator without a key, which would redact.
func (p *Policy) Check() error {
	var errs []error
	check := func(where string, ops map[Type]Operator) {
		for t, op := range ops {
			if !validType(t) {
				errs = append(errs, fmt.Errorf("pii: %s: %q is no name of a type", where, t))
			}
			if err := checkOperator(op); err != nil {
				errs = append(errs, fmt.Errorf("pii: %s: %s: %w", where, t, err))
			}
		}
	}
	if p.Default != nil {
		if err := checkOperator(p.Default); err != nil {
			errs = append(errs, fmt.Errorf("pii: default: %w", err))
		}
	}
	check("types", p.Types)
	for i, r := range p.Rules {
		check(fmt.Sprintf("rule %d", i+1), r.Types)
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

func checkOperator(op Operator) error {
	var key Key
	switch op := op.(type) {
	case nil:
		return errors.New("there is no operator")
	case Hash:
		key = op.Key
	case Surrogate:
		key = op.Key
	case DateShift:
		key = op.Key
	default:
		return nil
	}
	if key.none() {
		return errors.New("the operator has no key")
	}
	return nil
}

// operator returns what is done with a type.
func (p *Policy) operator(t Type, u Use) Operator {
	for i := range p.Rules {
		r := &p.Rules[i]
		fits := (r.Purpose == "" || r.Purpose == u.Purpose) && (r.Region == "" || r.Region == u.Region) &&
			(r.Language == "" || r.Language == u.Language)
		if op := r.Types[t]; fits && op != nil {
			return op
		}
	}
	if op := p.Types[t]; op != nil {
		return op
	}
	if p.Default != nil {
		return p.Default
	}
	return Placeholder{}
}

// Apply finds in a text what the policy looks for and does with each finding
// what the policy says. A text that does not change is returned as it is.
// Whatever is done, a person's own "[EMAIL_1]" is never read as a placeholder
// later, as in [Finder.Mask].
func (p *Policy) Apply(u Use, text string) string {
	found := p.drop(u, p.Finder.Find(text))
	if len(found) == 0 && !holdsBracket(text) {
		return text
	}
	r := rewriter{use: u, policy: p, lazy: true}
	return r.whole(text, found)
}

// Mask is Apply for a map and nothing else, as [Finder.Mask] is.
func (p *Policy) Mask(m *Map, text string) string { return p.Apply(Use{Map: m}, text) }

// drop takes out what is left as it is.
func (p *Policy) drop(u Use, found []Span) []Span {
	return slices.DeleteFunc(found, func(sp Span) bool { return isLeave(p.operator(sp.Type, u)) })
}
