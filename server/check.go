package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/config"
	"github.com/sotto-chat/sotto/internal/datadir"
	"github.com/sotto-chat/sotto/internal/egress"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transport"
)

// Finding is one line of a check.
type Finding struct {
	OK   bool
	Text string
}

func (f Finding) String() string {
	if f.OK {
		return "ok     " + f.Text
	}
	return "WRONG  " + f.Text
}

// Findings are the lines of a check.
type Findings []Finding

// Bad reports whether anything is wrong.
func (fs Findings) Bad() bool {
	for _, f := range fs {
		if !f.OK {
			return true
		}
	}
	return false
}

// Check looks at everything that can be looked at without serving: the
// configuration, the policies, the key, the data, the certificate, and, with
// online, each account on its network.
func Check(ctx context.Context, in Config, online bool) (Findings, error) {
	s, err := configure(in)
	if err != nil {
		var p *config.Problems
		if !errors.As(err, &p) {
			return nil, err
		}
		var out Findings
		for _, line := range p.List {
			out = append(out, Finding{Text: line.String()})
		}
		return out, nil
	}
	out := Findings{{OK: true, Text: "configuration"}}
	add := func(what string, err error) {
		if err != nil {
			what += ": " + err.Error()
		}
		out = append(out, Finding{OK: err == nil, Text: what})
	}
	_, err = gate.New(gate.Config{Dir: s.cfg.Policies, Purposes: s.rules(), Now: s.now})
	add("policies", err)
	out = append(out, s.checkStored(ctx, in)...)
	if s.cfg.Domain != "" || s.cfg.TLS.Cert != "" {
		out = append(out, s.checkCertificate())
	}
	if online {
		out = append(out, s.checkNetworks(ctx)...)
	}
	return out, nil
}

func (s *Server) checkStored(ctx context.Context, in Config) Findings {
	if datadir.Absent(s.cfg.Data) {
		return Findings{{OK: true, Text: "data: none yet; the first start makes " + s.cfg.Data}}
	}
	var wrong []string
	if err := Operate(ctx, in, OpCheck, struct{}{}, &wrong); err != nil {
		return Findings{{Text: "data: " + err.Error()}}
	}
	if len(wrong) == 0 {
		return Findings{{OK: true, Text: "data, key store and audit log"}}
	}
	var out Findings
	for _, w := range wrong {
		out = append(out, Finding{Text: w})
	}
	return out
}

func (s *Server) checkCertificate() Finding {
	until, ok := transport.StoredExpiry(s.transportConfig(new(running), nil))
	if !ok {
		return Finding{OK: true, Text: "certificate: none yet; the first start asks for one"}
	}
	left := until.Sub(s.now())
	return Finding{OK: left > 7*24*time.Hour, Text: fmt.Sprintf("certificate: ends on %s, in %d days", until.Format(time.DateOnly), int(left.Hours()/24))}
}

func (s *Server) checkNetworks(ctx context.Context) Findings {
	client, err := egress.New(egress.Config{})
	if err != nil {
		return Findings{{Text: err.Error()}}
	}
	var out Findings
	for _, a := range s.accounts {
		if a.web != nil {
			continue
		}
		out = append(out, s.checkNetwork(ctx, client, a)...)
	}
	return out
}

func (s *Server) checkNetwork(ctx context.Context, client *egress.Client, a account) Findings {
	ad, err := a.adapter(client)
	if err != nil {
		return Findings{{Text: a.key + ": " + err.Error()}}
	}
	c, ok := ad.(channel.Checker)
	if !ok {
		return nil
	}
	found, err := c.Check(ctx, s.wanted(a))
	if err != nil {
		return Findings{{Text: a.key + ": " + Unasked(err).Error()}}
	}
	if len(found) == 0 {
		return Findings{{OK: true, Text: a.key + ": token and webhook"}}
	}
	var out Findings
	for _, f := range found {
		text := a.key + ": " + f.Text
		if f.Fix != "" {
			text += " " + f.Fix
		}
		out = append(out, Finding{OK: f.OK, Text: text})
	}
	return out
}

// Unasked says in plain words why a network could not be asked.
func Unasked(err error) error {
	var e *channel.SendError
	if !errors.As(err, &e) {
		return err
	}
	what := "the network could not be asked"
	switch e.Class {
	case channel.Auth:
		what = "the network refuses the token: make a new one where the network's documentation in docs/channels says"
	case channel.Retry, channel.Unknown:
		switch e.Status {
		case 0:
			what = "the network does not answer: look at this machine's way out, and at the account's api"
		case http.StatusTooManyRequests:
			what = "the network was asked too often; try again later"
		default:
			what = "the network is out of order; try again later"
		}
	case channel.Bad, channel.Gone, channel.Window:
		what = "the network refuses the question"
	}
	return fmt.Errorf("%s (status %d, code %q)", what, e.Status, e.Code)
}

// verifyOffline verifies the log without opening it for writing, so that a
// fault is found and named where an ordinary start would refuse.
func (s *Server) verifyOffline(ctx context.Context) (v Verified, err error) {
	p := new(parts)
	defer func() { err = errors.Join(err, p.close()) }()
	if err := p.openData(ctx, s, false); err != nil {
		return v, err
	}
	key, err := audit.VerifierKey("", p.vault.Seed("audit"))
	if err != nil {
		return v, err
	}
	return verifyLog(ctx, p.db, s.cfg.Audit.Head, key)
}

func verifyLog(ctx context.Context, db *store.DB, head, key string) (Verified, error) {
	rep, err := audit.Verify(ctx, db, audit.VerifyOptions{HeadFile: head, VerifierKey: key})
	if f, ok := errors.AsType[*audit.Fault](err); ok {
		return Verified{Fault: f.Error()}, nil
	}
	if err != nil {
		return Verified{}, sotto.E("audit.verify", sotto.KindOf(err), err)
	}
	return Verified{OK: true, Size: rep.Entries, Root: rep.Root}, nil
}
