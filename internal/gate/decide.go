package gate

import (
	"encoding/binary"
	"errors"
	"iter"
	"slices"

	"github.com/cedar-policy/cedar-go"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
)

// answer is a decision and all that is made of it, kept for the next use like
// this one. It is shared and never changed.
type answer struct {
	action     Action
	context    cedar.Record
	principal  principal
	decision   Decision
	forbidden  bool
	act        audit.Act
	categories []sotto.Category
}

// answer decides u: from the cache where it may.
func (g *Gate) answer(u *Use) (*answer, error) {
	kind, err := g.check(u)
	if err != nil {
		return nil, err
	}
	var room [256]byte
	key := appendKey(room[:0], u)
	g.mu.RLock()
	a := g.cache[string(key)]
	g.mu.RUnlock()
	if a == nil {
		a = g.prepare(u, kind)
		a.decide(g.forAll, noPerson)
		g.mu.Lock()
		if len(g.cache) >= maxAnswers {
			clear(g.cache)
		}
		g.cache[string(key)] = a
		g.mu.Unlock()
	}
	if len(g.forSome) > 0 {
		own := *a
		own.decide(g.forSome, u.Person.String())
		a = &own
	}
	return a, nil
}

// check reports what is missing in u, and returns the type of its principal.
func (g *Gate) check(u *Use) (cedar.EntityType, error) {
	if g.rules == nil {
		return "", errors.New("this gate was not made by New")
	}
	if u.Action.verb() == "decide" {
		return "", errors.New("the use names no action that exists")
	}
	if u.Person.IsZero() {
		return "", errors.New("the use names no person")
	}
	if u.Purpose == "" {
		return "", errors.New("the use names no purpose")
	}
	kind := principalType(u.Recipient.Kind())
	if kind == "" {
		return "", errors.New("the use names no kind of recipient that exists")
	}
	return kind, nil
}

func principalType(kind string) cedar.EntityType {
	switch kind {
	case "bot":
		return typeBot
	case "staff":
		return typeStaff
	case "person":
		return typePerson
	case "system":
		return typeSystem
	case "vendor":
		return typeVendor
	case "model":
		return typeModel
	}
	return ""
}

// prepare translates u into what policies see, but for the person.
func (g *Gate) prepare(u *Use, kind cedar.EntityType) *answer {
	rule := g.rules[u.Purpose]
	basis := u.Basis
	if basis == "" || rule.Basis == sotto.BasisConsent {
		basis = rule.Basis
	}
	categories := make([]cedar.Value, len(u.Categories))
	what := make([]string, len(u.Categories))
	for i, c := range u.Categories {
		categories[i], what[i] = cedar.String(c), string(c)
	}
	consents := make([]cedar.Value, len(u.Facts.Consents))
	for i, c := range u.Facts.Consents {
		consents[i] = cedar.String(c)
	}
	own := kind == typeSystem || kind == typePerson
	name := u.Recipient.Kind()
	if len(u.Recipient) > len(name)+1 {
		name = string(u.Recipient[len(name)+1:])
	}
	return &answer{
		action: u.Action,
		principal: principal{
			UID:        cedar.NewEntityUID(kind, cedar.String(name)),
			Attributes: cedar.NewRecord(cedar.RecordMap{"name": cedar.String(name)}),
		},
		context: cedar.NewRecord(cedar.RecordMap{
			attrPurpose:    cedar.String(u.Purpose),
			attrBasis:      cedar.String(basis),
			attrCategories: cedar.NewSet(categories...),
			attrChannel:    cedar.String(u.Channel),
			attrRegion:     cedar.String(u.Facts.Region),
			attrAgeClass:   cedar.String(u.Facts.AgeClass),
			attrNoticed:    cedar.Boolean(u.Facts.Noticed),
			attrStopped:    cedar.Boolean(u.Facts.Stopped),
			attrRestricted: cedar.Boolean(u.Facts.Restricted),
			attrConsents:   cedar.NewSet(consents...),
			attrConsented:  cedar.Boolean(slices.Contains(u.Facts.Consents, u.Purpose)),
			attrPurposeOn:  cedar.Boolean(rule.On),
			attrClear:      cedar.Boolean(u.Clear),
			attrSystem:     cedar.Boolean(u.System && own),
		}),
		categories: slices.Clone(u.Categories),
		act: audit.Act{
			Verb: u.Action.verb(), Purpose: string(u.Purpose), Recipient: string(u.Recipient), What: what,
		},
	}
}

// decide evaluates policies and adds what they say to what the others said.
func (a *answer) decide(set policies, person string) {
	p := a.principal
	if p.UID.Type == typePerson {
		p.UID.ID = cedar.String(person)
	}
	ok, diag := cedar.Authorize(set, p, cedar.Request{
		Principal: p.UID,
		Action:    cedar.NewEntityUID(typeAction, cedar.String(a.action)),
		Resource:  cedar.NewEntityUID(typeData, cedar.String(person)),
		Context:   a.context,
	})
	var reasons []Reason
	for _, r := range diag.Reasons {
		reasons = append(reasons, set.get(r.PolicyID).reason())
	}
	// A policy that fails takes no part in Cedar's answer. If it is a forbid,
	// that would open; so here it denies.
	for _, e := range diag.Errors {
		r := set.get(e.PolicyID).reason()
		r.Effect, r.Text = effectForbid, "cannot be evaluated: "+e.Message
		reasons = append(reasons, r)
	}
	forbidden := len(diag.Errors) > 0 || !bool(ok) && len(diag.Reasons) > 0
	a.settle(reasons, forbidden)
}

// settle joins the reasons of one set of policies with those of another: a
// forbid wins, and then the permits determine nothing.
func (a *answer) settle(reasons []Reason, forbidden bool) {
	all := append(slices.Clone(a.decision.Reasons), reasons...)
	if a.forbidden = a.forbidden || forbidden; a.forbidden {
		all = slices.DeleteFunc(all, func(r Reason) bool { return r.Effect == effectPermit })
	}
	a.decision = Decision{Allowed: !a.forbidden && len(all) > 0, Reasons: all}
	a.act.Denied = !a.decision.Allowed
	a.act.Reasons = make([]string, len(all))
	for i, r := range all {
		a.act.Reasons[i] = r.Policy
	}
}

// policies are policies in their order.
type policies []policy

// All gives them to Cedar.
func (ps policies) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for i := range ps {
			if !yield(cedar.PolicyID(ps[i].id), ps[i].cedar) {
				return
			}
		}
	}
}

func (ps policies) get(id cedar.PolicyID) *policy {
	return &ps[slices.IndexFunc(ps, func(p policy) bool { return p.id == string(id) })]
}

// principal is the one entity with attributes that a policy can look at.
type principal cedar.Entity

// Get implements Cedar's look-up of entities.
func (p principal) Get(uid cedar.EntityUID) (cedar.Entity, bool) {
	return cedar.Entity(p), uid == p.UID
}

// malformed is the answer to a use that cannot be decided.
func malformed(u *Use, err error) *answer {
	return &answer{
		decision: Decision{Reasons: []Reason{{Policy: "gate.malformed", Effect: effectForbid, Text: err.Error()}}},
		act: audit.Act{
			Verb: u.Action.verb(), Purpose: string(u.Purpose), Recipient: string(u.Recipient),
			Denied: true, Reasons: []string{"gate.malformed"},
		},
	}
}

// appendKey writes all of u that policies see, but the person, so that two
// uses with the same key get the same answer.
func appendKey(b []byte, u *Use) []byte {
	flags := byte(0)
	for i, f := range [...]bool{u.Facts.Noticed, u.Facts.Stopped, u.Facts.Restricted, u.Clear, u.System} {
		if f {
			flags |= 1 << i
		}
	}
	b = append(b, flags)
	b = appendPart(b, string(u.Action))
	b = appendPart(b, string(u.Purpose))
	b = appendPart(b, string(u.Basis))
	b = appendPart(b, string(u.Recipient))
	b = appendPart(b, u.Channel)
	b = appendPart(b, u.Facts.Region)
	b = appendPart(b, u.Facts.AgeClass)
	b = appendLen(b, len(u.Categories))
	for _, c := range u.Categories {
		b = appendPart(b, string(c))
	}
	for _, c := range u.Facts.Consents {
		b = appendPart(b, string(c))
	}
	return b
}

func appendPart(b []byte, s string) []byte { return append(appendLen(b, len(s)), s...) }

func appendLen(b []byte, n int) []byte {
	return binary.AppendUvarint(b, uint64(n)) //nolint:gosec // a length is not negative
}
