package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/control"
	"github.com/sotto-chat/sotto/internal/deletion"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/lifecycle"
	"github.com/sotto-chat/sotto/internal/people"
)

// Who names a person as an operator knows them: by a network's id.
type Who struct {
	Channel string `json:"channel"`
	Account string `json:"account"`
	User    string `json:"user"`
	Person  string `json:"person,omitempty"` // the pseudonym, in place of the three
}

// Explain asks what the gate would answer.
type Explain struct {
	Who
	Purpose    sotto.Purpose    `json:"purpose"`
	Action     string           `json:"action"`
	Recipient  sotto.Recipient  `json:"recipient"`
	Categories []sotto.Category `json:"categories"`
}

// Explained is the gate's answer.
type Explained struct {
	Allowed bool          `json:"allowed"`
	Person  string        `json:"person"`
	Facts   gate.Facts    `json:"facts"`
	Reasons []gate.Reason `json:"reasons"`
}

// Retention asks for a sweep.
type Retention struct {
	DryRun bool `json:"dry_run"`
}

// Report is what a sweep did or would do.
type Report = lifecycle.Report

// Receipt is the proof of an erasure.
type Receipt = lifecycle.Receipt

// Wish is a wish to be deleted that a network passed on.
type Wish = deletion.Request

// Settle ends a wish: by erasing a person, with a reason to refuse, or, with
// neither, because nothing is held.
type Settle struct {
	Code   string `json:"code"`
	Erase  *Who   `json:"erase,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Verified is what an audit of the whole log found.
type Verified struct {
	OK    bool   `json:"ok"`
	Size  int64  `json:"size"`
	Root  string `json:"root"`
	Fault string `json:"fault,omitempty"`
}

// Operations that [Operate] knows.
const (
	OpExport    = "export"    // in: Who; out: the bundle
	OpErase     = "erase"     // in: Who; out: Receipt
	OpRetention = "retention" // in: Retention; out: Report
	OpExplain   = "explain"   // in: Explain; out: Explained
	OpPolicies  = "policies"  // in: nothing; out: a list of gate policies
	OpVerify    = "verify"    // in: nothing; out: Verified
	OpProve     = "prove"     // in: index; out: proof bundle
	OpRotate    = "rotate"    // in: nothing; out: number of keys wrapped anew
	OpErasing   = "erasing"   // in: nothing; out: number of erasures whose rows are being deleted
	OpCheck     = "check"     // in: nothing; out: problems found in the data
	OpWishes    = "wishes"    // in: nothing; out: a list of Wish
	OpWish      = "wish"      // in: code; out: the network's number of whoever is meant
	OpSettle    = "settle"    // in: Settle; out: Wish
)

// Operate carries out an operation on the data of a configuration: in the
// server that runs on it, over a socket that only the owner of the data can
// open, or by itself where none runs.
func Operate(ctx context.Context, cfg Config, op string, in, out any) error {
	s, err := configure(cfg)
	if err != nil {
		return err
	}
	c, err := control.Dial(s.cfg.Data)
	if err == nil {
		return errors.Join(c.Call(ctx, op, in, out), c.Close())
	}
	if sotto.KindOf(err) != sotto.KindNotFound {
		return err
	}
	if op == OpVerify {
		v, err := s.verifyOffline(ctx)
		if err != nil {
			return err
		}
		return reencode(v, out)
	}
	p, err := s.open(ctx, false)
	if err != nil {
		return err
	}
	err = s.offline(ctx, p, op, in, out)
	_, cerr := p.log.Checkpoint(ctx)
	return errors.Join(err, cerr, p.close())
}

// Accept goes on with a log whose head file does not fit, as after a backup was
// restored. No server may run on the data. The log says that it was accepted.
func Accept(ctx context.Context, cfg Config) (v Verified, err error) {
	cfg.AcceptHead = true
	s, err := configure(cfg)
	if err != nil {
		return v, err
	}
	p, err := s.open(ctx, false)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	trail := audit.NewTrail("head", audit.Commitment{})
	trail.Add(audit.Act{Verb: "accept", Count: p.log.Size()})
	if _, err := p.log.Write(ctx, trail); err != nil {
		return v, err
	}
	return s.verify(ctx, p)
}

func (s *Server) offline(ctx context.Context, p *parts, op string, in, out any) error {
	arg, err := json.Marshal(in)
	if err != nil {
		return sotto.E("server.operate", sotto.KindInvalid, err)
	}
	res, err := s.operations(p).Call(ctx, op, arg)
	if err != nil {
		return err
	}
	if op == OpErase || op == OpSettle { // nobody else will
		if err := p.life.FinishErasures(ctx); err != nil {
			return err
		}
	}
	return reencode(res, out)
}

func reencode(v, out any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return sotto.E("server.operate", sotto.KindOther, err)
	}
	return json.Unmarshal(b, out)
}

// operations is what the control socket offers.
func (s *Server) operations(p *parts) *control.Mux {
	m := control.NewMux()
	m.Handle(OpExport, on(func(ctx context.Context, w Who) (json.RawMessage, error) {
		id, err := s.person(ctx, p, w)
		if err != nil {
			return nil, err
		}
		return p.life.Export(ctx, id, sotto.RecipientPrivacy)
	}))
	m.Handle(OpErase, on(func(ctx context.Context, w Who) (Receipt, error) {
		id, err := s.person(ctx, p, w)
		if err != nil {
			return Receipt{}, err
		}
		return p.life.EraseReceipt(ctx, id, sotto.RecipientPrivacy)
	}))
	m.Handle(OpRetention, on(func(ctx context.Context, r Retention) (Report, error) {
		if r.DryRun {
			return p.life.Preview(ctx)
		}
		return p.life.Sweep(ctx)
	}))
	m.Handle(OpExplain, on(func(ctx context.Context, e Explain) (Explained, error) { return s.explain(ctx, p, e) }))
	m.Handle(OpPolicies, on(func(context.Context, struct{}) ([]gate.Policy, error) { return p.gate.Policies(), nil }))
	m.Handle(OpVerify, on(func(ctx context.Context, _ struct{}) (Verified, error) { return s.verify(ctx, p) }))
	m.Handle(OpProve, on(func(ctx context.Context, index int64) (json.RawMessage, error) { return p.log.Prove(ctx, index) }))
	m.Handle(OpRotate, on(func(ctx context.Context, _ struct{}) (int64, error) { return s.rotate(ctx, p) }))
	m.Handle(OpErasing, on(func(ctx context.Context, _ struct{}) (int64, error) { return p.life.Erasing(ctx) }))
	m.Handle(OpWishes, on(func(ctx context.Context, _ struct{}) ([]Wish, error) { return p.deletion.List(ctx) }))
	m.Handle(OpWish, on(func(ctx context.Context, code string) (string, error) { return p.deletion.Subject(ctx, code) }))
	m.Handle(OpSettle, on(func(ctx context.Context, w Settle) (Wish, error) { return s.settle(ctx, p, w) }))
	m.Handle(OpCheck, on(func(ctx context.Context, _ struct{}) ([]string, error) { return s.checkData(ctx, p), nil }))
	return m
}

func on[In, Out any](f func(context.Context, In) (Out, error)) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var in In
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, sotto.E("server.operate", sotto.KindInvalid, errors.New("the argument is not of the operation's form"))
		}
		return f(ctx, in)
	}
}

func (s *Server) person(ctx context.Context, p *parts, w Who) (sotto.PersonID, error) {
	if w.Person != "" {
		id, err := sotto.ParsePersonID(w.Person)
		if err != nil {
			return id, sotto.E("server.person", sotto.KindInvalid, err)
		}
		return id, nil
	}
	if w.Channel == "" || w.Account == "" || w.User == "" {
		return sotto.PersonID{}, sotto.E("server.person", sotto.KindInvalid, errors.New("a person is named by channel, account and user"))
	}
	key := w.Channel + "/" + w.Account
	for _, a := range s.accounts {
		if a.key == key {
			return p.people.Canonical(ctx, p.vault.PersonID(w.Channel, key, w.User))
		}
	}
	return sotto.PersonID{}, sotto.E("server.person", sotto.KindNotFound, fmt.Errorf("no account %q of channel %q is configured", w.Account, w.Channel))
}

func (s *Server) explain(ctx context.Context, p *parts, e Explain) (Explained, error) {
	id, err := s.person(ctx, p, e.Who)
	if err != nil {
		return Explained{}, err
	}
	st, err := p.people.Get(ctx, id)
	if err != nil {
		return Explained{}, err
	}
	if e.Action == "" {
		e.Action = string(gate.Open)
	}
	if e.Recipient == "" {
		e.Recipient = sotto.RecipientBot
	}
	if len(e.Categories) == 0 {
		e.Categories = []sotto.Category{sotto.CategoryMessage}
	}
	ch := e.Channel
	if ch == "" {
		ch = people.Channel(st.Account)
	}
	d, err := p.gate.Explain(gate.Use{
		Action: gate.Action(e.Action), Person: id, Facts: st.Facts(), Channel: ch, Purpose: e.Purpose,
		Categories: e.Categories, Recipient: e.Recipient,
	})
	return Explained{Allowed: d.Allowed, Person: id.String(), Facts: st.Facts(), Reasons: d.Reasons}, err
}

func (s *Server) settle(ctx context.Context, p *parts, w Settle) (Wish, error) {
	switch {
	case w.Erase != nil && w.Reason != "":
		return Wish{}, sotto.E("server.settle", sotto.KindInvalid, errors.New("either somebody is erased or the wish is refused"))
	case w.Erase != nil:
		id, err := s.person(ctx, p, *w.Erase)
		if err != nil {
			return Wish{}, err
		}
		return p.deletion.Settle(ctx, w.Code, deletion.Erased, id, "")
	case w.Reason != "":
		return p.deletion.Settle(ctx, w.Code, deletion.Refused, sotto.PersonID{}, w.Reason)
	}
	return p.deletion.Settle(ctx, w.Code, deletion.Nothing, sotto.PersonID{}, "")
}

func (s *Server) verify(ctx context.Context, p *parts) (Verified, error) {
	if _, err := p.log.Checkpoint(ctx); err != nil {
		return Verified{}, err
	}
	return verifyLog(ctx, p.db, s.cfg.Audit.Head, p.log.VerifierKey())
}

func (s *Server) rotate(ctx context.Context, p *parts) (int64, error) {
	n, err := p.vault.Rotate(ctx)
	if err != nil {
		return n, err
	}
	trail := audit.NewTrail("keys", audit.Commitment{})
	trail.Add(audit.Act{Verb: "rotate", Count: n})
	_, err = p.log.Write(ctx, trail)
	return n, err
}

func (s *Server) checkData(ctx context.Context, p *parts) []string {
	out := []string{}
	if err := p.db.Check(ctx); err != nil {
		out = append(out, "the database is damaged: "+err.Error())
	}
	if err := p.vault.Check(ctx); err != nil {
		out = append(out, "the key store is damaged: "+err.Error())
	}
	v, err := s.verify(ctx, p)
	if err != nil {
		out = append(out, "the audit log cannot be read: "+err.Error())
	} else if !v.OK {
		out = append(out, "the audit log was changed: "+v.Fault)
	}
	return out
}
