package config

import (
	"reflect"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sotto-chat/sotto"
)

// Purposes are the declared purposes: first those that are always declared,
// then the others in the order of the file.
type Purposes []Purpose

const day = 24 * time.Hour

// defaultPurposes are declared in every configuration.
func defaultPurposes() Purposes {
	return Purposes{
		{
			Name: sotto.PurposeReply, On: true, Basis: sotto.BasisContract, Retention: 30 * day,
			Categories: []sotto.Category{sotto.CategoryMessage, sotto.CategoryContact},
		},
		{
			Name: sotto.PurposeSecurity, On: true, Basis: sotto.BasisLegitimateInterest, Retention: 30 * day,
			Categories: []sotto.Category{sotto.CategoryMessage, sotto.CategoryIdentifier},
		},
		{
			Name: sotto.PurposeLegal, On: true, Basis: sotto.BasisLegalObligation, Retention: 30 * day,
			Categories: []sotto.Category{sotto.CategoryMessage, sotto.CategoryContact, sotto.CategoryIdentifier},
		},
	}
}

func (p *Purposes) decode(d *decoder, n *yaml.Node, path string) {
	d.pairs(n, path, func(k, v *yaml.Node) {
		at := join(path, k.Value)
		if !isPurposeName(k.Value) {
			d.add(k, path, "a purpose's name has 1 to 32 of a-z, 0-9 and _, and begins with a letter")
			return
		}
		// An own purpose may have any name, but one that differs by one typing
		// mistake from a known one is a mistake.
		if near := closest(k.Value, knownPurposes()); near != "" && distance(k.Value, near) == 1 {
			d.add(k, path, "unknown purpose "+shown(k.Value)+", did you mean \""+near+"\"?")
			return
		}
		d.lines[at] = k.Line
		i := slices.IndexFunc(*p, func(q Purpose) bool { return string(q.Name) == k.Value })
		if i < 0 {
			*p = append(*p, Purpose{
				Name: sotto.Purpose(k.Value), Retention: 30 * day,
				Categories: []sotto.Category{sotto.CategoryMessage},
			})
			i = len(*p) - 1
		}
		d.structure(v, reflect.ValueOf(&(*p)[i]).Elem(), at)
	})
}

func knownPurposes() []string {
	return []string{
		string(sotto.PurposeReply), string(sotto.PurposePersonalise), string(sotto.PurposeAnalytics),
		string(sotto.PurposeTrain), string(sotto.PurposeMarketing), string(sotto.PurposeSupport),
		string(sotto.PurposeSecurity), string(sotto.PurposeLegal),
	}
}

func knownBases() []string {
	return []string{
		string(sotto.BasisConsent), string(sotto.BasisContract), string(sotto.BasisLegalObligation),
		string(sotto.BasisVitalInterest), string(sotto.BasisPublicInterest), string(sotto.BasisLegitimateInterest),
	}
}

func knownCategories() []string {
	return []string{
		string(sotto.CategoryMessage), string(sotto.CategoryContact), string(sotto.CategoryIdentifier),
		string(sotto.CategoryLocation), string(sotto.CategoryFinancial), string(sotto.CategoryHealth),
	}
}

func isPurposeName(s string) bool {
	for i, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != "" && len(s) <= 32
}
