package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
)

// Permit opens personal data for the use it was given for. Only the gate makes
// a working one; the zero value opens nothing.
type Permit struct{ g *grant }

// grant is what was allowed. It is never changed.
type grant struct {
	action     Action
	person     sotto.PersonID
	purpose    sotto.Purpose
	recipient  sotto.Recipient
	categories []sotto.Category
	clear      bool
	trail      *audit.Trail
	now        func() time.Time
	until      time.Time
}

// Check reports why p does not open data of this person and purpose, or nil.
// Only the vault and the outbox call it. Action must match as well, but that a
// permit to send also opens: what is sent to a person is unsealed on the way. A
// permit to open for the purpose legal opens what is kept for any purpose,
// because the right of access reaches all of it (GDPR Art. 15). The error is of
// [sotto.KindDenied] and says what did not match.
func (p Permit) Check(a Action, person sotto.PersonID, purpose sotto.Purpose) error {
	const op = "gate.permit"
	g := p.g
	switch {
	case g == nil:
		return sotto.E(op, sotto.KindDenied, fmt.Errorf("there is no permit to %s", a))
	case g.action != a && (g.action != Send || a != Open):
		return sotto.E(op, sotto.KindDenied, fmt.Errorf("the permit is to %s, not to %s", g.action, a))
	case g.person != person:
		return sotto.E(op, sotto.KindDenied, fmt.Errorf("the permit is for person %s, not for %s", g.person, person))
	case g.purpose != purpose && (g.purpose != sotto.PurposeLegal || g.action != Open):
		return sotto.E(op, sotto.KindDenied, fmt.Errorf("the permit is for the purpose %s, not for %s", g.purpose, purpose))
	case !g.now().Before(g.until):
		return sotto.E(op, sotto.KindDenied, fmt.Errorf("the permit ended at %s", g.until.UTC().Format(time.RFC3339)))
	}
	return nil
}

// Covers reports whether data of category c was part of the use.
func (p Permit) Covers(c sotto.Category) bool {
	return p.g != nil && slices.Contains(p.g.categories, c)
}

// Recipient returns who may get the data; "" for the zero value.
func (p Permit) Recipient() sotto.Recipient {
	if p.g == nil {
		return ""
	}
	return p.g.recipient
}

// Clear reports whether the recipient may get text that is not masked.
func (p Permit) Clear() bool { return p.g != nil && p.g.clear }

// Trail returns where uses of the permit are recorded; nil for the zero value.
func (p Permit) Trail() *audit.Trail {
	if p.g == nil {
		return nil
	}
	return p.g.trail
}

// DeniedError is a use that was refused, with the decision. It names no person.
type DeniedError struct {
	Action    Action
	Purpose   sotto.Purpose
	Recipient sotto.Recipient
	Decision  Decision
}

func (e *DeniedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s for %q by %q: ", e.Action, e.Purpose, e.Recipient)
	if len(e.Decision.Reasons) == 0 {
		b.WriteString("no policy permits it")
	}
	for i, r := range e.Decision.Reasons {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(r.Policy)
		if r.Text != "" {
			b.WriteString(": ")
			b.WriteString(r.Text)
		}
	}
	return b.String()
}
