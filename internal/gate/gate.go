// Package gate is the one place where a use of personal data is allowed or
// refused.
//
// A [Use] says who wants what, of whom, and why; [Gate.Decide] answers it from
// policies and hands out a [Permit]. The vault and the outbox do nothing
// without one, so whoever reads personal data is found by a search for a type.
//
// # Policies
//
// Policies are Cedar text: built-in ones (folder policies), and the operator's
// *.cedar files. What no policy permits is denied, a forbid wins over every
// permit, and a policy that cannot be evaluated denies. Each policy has an id
// (@id, or file#number) and may say its @reason. Names are checked when
// policies are loaded, so that a misspelt purpose stops the start instead of
// never matching: see policies/sotto.cedarschema for what there is.
//
// # What it promises
//
// The zero Gate and the zero Permit refuse. Every decision stands in the
// trail, with the ids of the policies that made it. A permit opens data of one
// person for one purpose, for a minute. The same use gets the same answer for
// as long as the gate lives: policies know no clock.
//
// # What it does not do
//
// It keeps no facts. Consent, notice, region and age come from the domains, and
// a wrong fact makes a wrong answer.
package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
)

// Facts are what the domains know about a person when a use is decided.
// The zero value is the strictest.
type Facts struct {
	Noticed    bool            // the notice in force was delivered
	Stopped    bool            // the person said stop
	Restricted bool            // processing is restricted (GDPR Art. 18)
	Region     string          // ISO 3166 code, "" unknown: the strictest applies
	AgeClass   string          // "adult", "minor", "child", "" unknown
	Consents   []sotto.Purpose // purposes with a live consent, sorted
}

// Action is what is done with the data.
type Action string

// The actions.
const (
	Open  Action = "open"  // decrypt and hand over
	Store Action = "store" // keep beyond the journal
	Send  Action = "send"  // send to the person
	Erase Action = "erase"
)

// verb is what stands in the log for a decision on the action.
func (a Action) verb() string {
	switch a {
	case Open:
		return "decide:open"
	case Store:
		return "decide:store"
	case Send:
		return "decide:send"
	case Erase:
		return "decide:erase"
	}
	return "decide"
}

// Use is an intended use of one person's data.
type Use struct {
	Action     Action
	Person     sotto.PersonID
	Facts      Facts
	Channel    string
	Purpose    sotto.Purpose
	Basis      sotto.Basis // "" = the basis that the configuration gives the purpose; a purpose that is configured to need consent needs it whatever stands here
	Categories []sotto.Category
	Recipient  sotto.Recipient
	Clear      bool // the recipient gets text that is not masked
	System     bool // a message that Sotto itself owes the person: notice, receipt, stop confirmation; counts for the recipients system and person only
}

// Reason is one policy that took part in a decision.
type Reason struct {
	Policy string // id, "sotto.bot"; "own.cedar#1" where the text gives none
	File   string
	Line   int
	Effect string // "permit" or "forbid"
	Text   string // the policy's @reason annotation
}

// Decision is the gate's answer with every reason.
type Decision struct {
	Allowed bool
	Reasons []Reason // the policies that determined it; none = no policy permits
}

// PurposeRule is what the configuration declares about one purpose.
type PurposeRule struct {
	Purpose sotto.Purpose
	Basis   sotto.Basis
	On      bool
}

// Config configures the gate.
type Config struct {
	Dir        string           // operator's *.cedar files, added to the built-in ones; default "": none
	Purposes   []PurposeRule    // declared purposes, over the built-in ones: reply, security and legal are on, the others of package sotto are off; an undeclared purpose is denied
	Channels   []string         // channels that policies may name besides the ones that Sotto knows
	Categories []sotto.Category // categories that policies may name besides the ones that Sotto knows
	Life       time.Duration    // how long a permit opens; default 1m
	Now        func() time.Time // the clock; there is no default
}

// Gate decides. Make one with [New]; it is safe for concurrent use.
type Gate struct {
	life     time.Duration
	now      func() time.Time
	rules    map[sotto.Purpose]PurposeRule
	policies policies
	forAll   policies // those that do not look at who the person is: their answer is kept
	forSome  policies // those that do

	mu    sync.RWMutex
	cache map[string]*answer // what forAll say, by everything that they see
}

// maxAnswers bounds the cache. A service has some dozens of different uses.
const maxAnswers = 4096

// New parses all policies. A policy that does not parse, or that refers to
// unknown names, is an error with file, line and reason ([PolicyError]); all
// such errors are reported together.
func New(cfg Config) (*Gate, error) {
	const op = "gate.new"
	if cfg.Now == nil {
		return nil, sotto.E(op, sotto.KindInvalid, errors.New("there is no clock"))
	}
	if cfg.Life == 0 {
		cfg.Life = time.Minute
	}
	rules, ruleErr := purposeRules(cfg.Purposes)
	loaded, err := loadPolicies(cfg.Dir, newNames(rules, cfg.Channels, cfg.Categories), schemaText)
	if err = errors.Join(ruleErr, err); err != nil {
		return nil, sotto.E(op, sotto.KindInvalid, err)
	}
	g := &Gate{
		life: cfg.Life, now: cfg.Now, rules: rules, policies: loaded,
		cache: make(map[string]*answer),
	}
	for _, p := range loaded {
		if p.personal {
			g.forSome = append(g.forSome, p)
		} else {
			g.forAll = append(g.forAll, p)
		}
	}
	return g, nil
}

// purposeRules lays the configured rules over the built-in ones.
func purposeRules(configured []PurposeRule) (map[sotto.Purpose]PurposeRule, error) {
	rules := make(map[sotto.Purpose]PurposeRule)
	for _, r := range []PurposeRule{
		{sotto.PurposeReply, sotto.BasisContract, true},
		{sotto.PurposePersonalise, sotto.BasisConsent, false},
		{sotto.PurposeAnalytics, sotto.BasisConsent, false},
		{sotto.PurposeTrain, sotto.BasisConsent, false},
		{sotto.PurposeMarketing, sotto.BasisConsent, false},
		{sotto.PurposeSupport, sotto.BasisLegitimateInterest, false},
		{sotto.PurposeSecurity, sotto.BasisLegitimateInterest, true},
		{sotto.PurposeLegal, sotto.BasisLegalObligation, true},
	} {
		rules[r.Purpose] = r
	}
	var errs []error
	seen := make(map[sotto.Purpose]bool)
	for _, r := range configured {
		if r.Basis == "" {
			r.Basis = rules[r.Purpose].Basis
		}
		switch {
		case r.Purpose == "":
			errs = append(errs, errors.New("a declared purpose has no name"))
			continue
		case seen[r.Purpose]:
			errs = append(errs, fmt.Errorf("purpose %q is declared twice", r.Purpose))
		case !slices.Contains(bases(), string(r.Basis)) && (r.On || r.Basis != ""):
			errs = append(errs, fmt.Errorf("purpose %q: its basis %q is none of GDPR Art. 6(1)", r.Purpose, r.Basis))
		}
		seen[r.Purpose] = true
		rules[r.Purpose] = r
	}
	return rules, errors.Join(errs...)
}

// Decide answers a use, records the answer in trail, and returns a permit that
// works only if the answer was yes. A denial is an error of
// [sotto.KindDenied] that carries the decision ([DeniedError]). Without a trail
// the answer is no.
func (g *Gate) Decide(_ context.Context, trail *audit.Trail, u Use) (Permit, error) {
	const op = "gate.decide"
	a, err := g.answer(&u)
	if err != nil {
		a = malformed(&u, err)
	}
	if trail == nil {
		a = malformed(&u, errors.New("the use has no trail to stand in"))
	} else {
		trail.Add(a.act)
	}
	if !a.decision.Allowed {
		return Permit{}, sotto.E(op, sotto.KindDenied, &DeniedError{
			Action: u.Action, Purpose: u.Purpose, Recipient: u.Recipient, Decision: a.decision.clone(),
		})
	}
	return Permit{&grant{
		action: u.Action, person: u.Person, purpose: u.Purpose, recipient: u.Recipient,
		categories: a.categories, clear: u.Clear, trail: trail, now: g.now, until: g.now().Add(g.life),
	}}, nil
}

// Explain answers a use without giving a permit or recording anything. A use
// that cannot be decided, because its action or the kind of its recipient does
// not exist or it lacks a person or a purpose, is an error of
// [sotto.KindInvalid].
func (g *Gate) Explain(u Use) (Decision, error) {
	a, err := g.answer(&u)
	if err != nil {
		return Decision{}, sotto.E("gate.explain", sotto.KindInvalid, err)
	}
	return a.decision.clone(), nil
}

// Policy is one policy as the gate uses it.
type Policy struct {
	Reason
	Source string // its text, with its annotations
}

// Policies returns all policies, the built-in ones first.
func (g *Gate) Policies() []Policy {
	all := make([]Policy, len(g.policies))
	for i := range g.policies {
		all[i] = Policy{Reason: g.policies[i].reason(), Source: g.policies[i].source}
	}
	return all
}

func (d Decision) clone() Decision {
	d.Reasons = slices.Clone(d.Reasons)
	return d
}
