// Package gate is the one place where a use of personal data is allowed or refused.
//
// STUB: contract for implementers; see comments.
package gate

import (
	"context"
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

// Use is an intended use of one person's data.
type Use struct {
	Action     Action
	Person     sotto.PersonID
	Facts      Facts
	Channel    string
	Purpose    sotto.Purpose
	Basis      sotto.Basis // "" = the basis that the configuration gives the purpose
	Categories []sotto.Category
	Recipient  sotto.Recipient
	Clear      bool // the recipient gets text that is not masked
	System     bool // a message that Sotto itself owes the person: notice, receipt, stop confirmation
}

// Reason is one policy that took part in a decision.
type Reason struct {
	Policy string // id, "default/reply.cedar#1"
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

// Permit opens personal data for the use it was given for. Only the gate makes a working one;
// the zero value opens nothing.
type Permit struct {
	use   *Use
	trail *audit.Trail
	until time.Time
}

// PurposeRule is what the configuration declares about one purpose.
type PurposeRule struct {
	Purpose sotto.Purpose
	Basis   sotto.Basis
	On      bool
}

// Config configures the gate.
type Config struct {
	Dir      string        // operator's *.cedar files, added to the built-in ones; "" = none
	Purposes []PurposeRule // declared purposes; an undeclared purpose is denied
	Life     time.Duration // how long a permit opens; default 1m
	Now      func() time.Time
}

// Gate decides.
type Gate struct{}

// New parses all policies. A policy that does not parse, or that refers to unknown
// names, is an error with file, line and reason; all such errors are reported together.
func New(cfg Config) (*Gate, error) { return &Gate{}, nil }

// Decide answers a use, records the answer in trail, and returns a permit that works only if
// the answer was yes. A denial is an error of sotto.KindDenied that carries the decision (*DeniedError).
func (g *Gate) Decide(ctx context.Context, trail *audit.Trail, u Use) (Permit, error) {
	return Permit{}, nil
}

// Explain answers a use without giving a permit or recording anything.
func (g *Gate) Explain(u Use) (Decision, error) { return Decision{}, nil }

// Check reports why p does not open data of this person and purpose, or nil. Only the vault and
// the outbox call it. Action must match as well.
func (p Permit) Check(a Action, person sotto.PersonID, purpose sotto.Purpose) error { return nil }

// Trail returns where uses of the permit are recorded.
func (p Permit) Trail() *audit.Trail { return p.trail }
