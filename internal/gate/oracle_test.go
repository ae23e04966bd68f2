package gate

import (
	"slices"
	"testing"

	"github.com/sotto-chat/sotto"
)

// oracle says in Go what the built-in policies say in Cedar.
func oracle(u Use, on bool, basis sotto.Basis) bool {
	f := u.Facts
	kind := u.Recipient.Kind()
	privacy := u.Recipient == sotto.RecipientPrivacy
	if u.Action == Erase {
		return kind == "person" || kind == "system" || privacy
	}
	machine := kind == "system"
	owed := u.System && (machine || kind == "person")
	duty := u.Purpose == sotto.PurposeLegal || u.Purpose == sotto.PurposeSecurity
	past := owed
	if u.Action != Send {
		past = machine || duty
	}
	selling := slices.Contains([]sotto.Purpose{"marketing", "train", "analytics"}, u.Purpose)
	switch {
	case !on && !owed && !duty,
		!f.Noticed && !past,
		f.Stopped && !past,
		f.Restricted && !owed && !duty && (!machine || u.Action != Store),
		basis == sotto.BasisConsent && !slices.Contains(f.Consents, u.Purpose) && !owed && (!machine || u.Action != Open),
		selling && f.AgeClass != "adult",
		u.Purpose == "train" && slices.Contains([]string{"discord", "slack", "x", "telegram", ""}, u.Channel):
		return false
	}
	switch {
	case machine:
		return u.Action != Send
	case kind == "bot":
		return u.Action != Send && (u.Purpose == "reply" || u.Purpose == "personalise") &&
			on && f.Noticed && !f.Stopped && !f.Restricted && !u.Clear
	case kind == "person" && u.Action == Send:
		return owed || f.Noticed && on && !f.Stopped
	case kind == "person" || privacy:
		return u.Action == Open && u.Purpose == sotto.PurposeLegal
	}
	return false
}

// Every combination of facts gets the answer that the oracle gives.
func TestEveryUse(t *testing.T) {
	rules := map[sotto.Purpose]PurposeRule{}
	for _, r := range []PurposeRule{
		{"reply", sotto.BasisContract, true},
		{"personalise", sotto.BasisConsent, true},
		{"train", sotto.BasisConsent, true},
		{"marketing", sotto.BasisLegitimateInterest, true},
		{"analytics", sotto.BasisConsent, false},
		{"legal", sotto.BasisLegalObligation, true},
		{"security", sotto.BasisLegitimateInterest, false},
		{"own", sotto.BasisContract, true},
	} {
		rules[r.Purpose] = r
	}
	var cfg Config
	for _, r := range rules {
		cfg.Purposes = append(cfg.Purposes, r)
	}
	g := open(t, cfg)
	purposes := []sotto.Purpose{"reply", "personalise", "train", "marketing", "analytics", "legal", "security", "own", "undeclared"}
	uses, allowed := 0, 0
	for _, action := range []Action{Open, Store, Send, Erase} {
		for _, to := range []sotto.Recipient{"bot", "person", "system", "staff:privacy", "staff:support", "vendor:acme", "model:local"} {
			for _, purpose := range purposes {
				for flags := range 64 {
					for _, age := range []string{"", "adult", "minor"} {
						for _, channel := range []string{"telegram", "line", ""} {
							u := Use{Action: action, Person: ada, Purpose: purpose, Recipient: to, Channel: channel}
							u.Facts = Facts{Noticed: flags&1 != 0, Stopped: flags&2 != 0, Restricted: flags&4 != 0, AgeClass: age}
							u.Clear, u.System = flags&8 != 0, flags&16 != 0
							if flags&32 != 0 {
								u.Facts.Consents = []sotto.Purpose{purpose}
							}
							d, err := g.Explain(u)
							if err != nil {
								t.Fatal(err)
							}
							uses++
							if d.Allowed {
								allowed++
							}
							if want := oracle(u, rules[purpose].On, rules[purpose].Basis); d.Allowed != want {
								t.Fatalf("%+v\n got %+v\nwant %v", u, d, want)
							}
							if d.Allowed && len(d.Reasons) == 0 {
								t.Fatalf("%+v is allowed without a reason", u)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d uses, %d allowed", uses, allowed)
}
