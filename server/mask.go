package server

import (
	"fmt"
	"os"
	"slices"

	"github.com/sotto-chat/sotto/internal/config"
	"github.com/sotto-chat/sotto/pii"
)

// maskPolicy is what bots see of what people write: the default, with what the
// configuration changes.
func maskPolicy(c *config.Config) (*pii.Policy, []config.Problem) {
	var problems []config.Problem
	bad := func(key, format string, args ...any) {
		problems = append(problems, config.Problem{File: c.File, Line: c.Line("pii." + key), Text: "pii." + key + ": " + fmt.Sprintf(format, args...)})
	}
	p := pii.DefaultPolicy()
	p.Finder.Allow = c.PII.Allow
	own, err := OwnRecognisers(c.PII.Own)
	if err != nil {
		bad("own", "%v", err)
	}
	p.Finder.Own = own
	set := func(key string, types []string, op pii.Operator) {
		for _, t := range types {
			if !slices.Contains(pii.Types(), pii.Type(t)) && c.PII.Own == "" {
				bad(key, "there is no type of this name%s", config.Hint(t, names()))
				continue
			}
			p.Types[pii.Type(t)] = op
		}
	}
	set("mask", c.PII.Mask, pii.Placeholder{})
	set("leave", c.PII.Leave, pii.Leave{})
	for _, r := range c.PII.Regions {
		if len(r) != 2 || r[0] < 'A' || r[0] > 'Z' || r[1] < 'A' || r[1] > 'Z' {
			bad("regions", "want codes of countries such as DE")
			continue
		}
		p.Finder.Regions = append(p.Finder.Regions, r)
	}
	if err := p.Check(); err != nil {
		bad("mask", "%v", err)
	}
	return p, problems
}

// OwnRecognisers reads a file of recognisers; "" is none.
func OwnRecognisers(file string) ([]pii.Recogniser, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file) //nolint:gosec // the file is the operator's choice
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read")
	}
	own, err := pii.ReadOwn(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return own, err
}

func names() []string {
	types := pii.Types()
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = string(t)
	}
	return out
}
