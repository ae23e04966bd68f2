package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/server"
)

type serveCmd struct {
	configFlag
	Listen string `help:"Listen here instead of the configuration's address." placeholder:"HOST:PORT"`
}

// Run serves until a signal.
func (c *serveCmd) Run(ctx context.Context, con *console) error {
	cfg := c.server(con)
	cfg.Listen, cfg.Out = c.Listen, con.out
	s, err := server.New(cfg, nil) //nolint:contextcheck // it reads files and waits for nothing
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

type initCmd struct {
	File string `arg:"" optional:"" default:"sotto.yaml" type:"path" help:"Where to write it."`
}

// Run writes the template.
func (c *initCmd) Run(con *console) error {
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // the path is the operator's choice
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already; it stays as it is", c.File)
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(server.Template()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.out, "Wrote %s.\nFill in your channels, then: sotto check --config %s && sotto serve --config %s\n", c.File, c.File, c.File)
	return err
}

type checkCmd struct {
	configFlag
	Offline bool `help:"Do not ask the networks."`
}

// Run prints one line per finding.
func (c *checkCmd) Run(ctx context.Context, con *console) error {
	findings, err := server.Check(ctx, c.server(con), !c.Offline)
	if err != nil {
		return err
	}
	for _, f := range findings {
		con.printf("%s\n", f)
	}
	if findings.Bad() {
		return errFound
	}
	return nil
}

// maxBody is more than any network sends in one call.
const maxBody = 16 << 20

type decodeCmd struct {
	Channel string `arg:"" help:"The channel the body is of."`
}

// Run decodes standard input. Nothing is stored, no configuration is needed.
func (c *decodeCmd) Run(con *console) error {
	ad, err := server.Decoder(c.Channel)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(con.in, maxBody+1))
	if err != nil {
		return err
	}
	if len(body) > maxBody {
		return fmt.Errorf("the body has more than %d bytes", maxBody)
	}
	b, err := ad.Decode(body)
	if err != nil {
		return err
	}
	return channel.WriteJSON(con.out, b)
}

type whoFlags struct {
	Channel string `help:"The channel, such as telegram." placeholder:"NAME"`
	Account string `help:"The account's name in the configuration." placeholder:"NAME"`
	User    string `help:"The network's id of the person." placeholder:"ID"`
	Person  string `help:"The person's pseudonym, in place of the three." placeholder:"HEX"`
}

func (w whoFlags) who() server.Who {
	return server.Who{Channel: w.Channel, Account: w.Account, User: w.User, Person: w.Person}
}

type exportCmd struct {
	configFlag
	whoFlags
}

// Run prints the bundle.
func (c *exportCmd) Run(ctx context.Context, con *console) error {
	var bundle json.RawMessage
	if err := server.Operate(ctx, c.server(con), server.OpExport, c.who(), &bundle); err != nil {
		return err
	}
	return printJSON(con.out, bundle)
}

type eraseCmd struct {
	configFlag
	whoFlags
}

// Run erases and prints the receipt.
func (c *eraseCmd) Run(ctx context.Context, con *console) error {
	var r server.Receipt
	if err := server.Operate(ctx, c.server(con), server.OpErase, c.who(), &r); err != nil {
		return err
	}
	return printJSON(con.out, r)
}

type retentionCmd struct {
	Run retentionRunCmd `cmd:"" help:"Delete what is past its last day, now."`
}

type retentionRunCmd struct {
	configFlag
	DryRun bool `help:"Only say what would go."`
}

// Run sweeps.
func (c *retentionRunCmd) Run(ctx context.Context, con *console) error {
	var r server.Report
	if err := server.Operate(ctx, c.server(con), server.OpRetention, server.Retention{DryRun: c.DryRun}, &r); err != nil {
		return err
	}
	return printJSON(con.out, r)
}

type policyCmd struct {
	Explain policyExplainCmd `cmd:"" help:"What would be decided about a use, and by which policies."`
	List    policyListCmd    `cmd:"" help:"All policies in force."`
}

type policyExplainCmd struct {
	configFlag
	whoFlags
	Purpose   string   `required:"" help:"Why the data would be used."`
	Action    string   `default:"open" enum:"open,store,send,erase" help:"What would be done (${enum})."`
	Recipient string   `default:"bot" help:"Who would get it: bot, person, system, staff:ROLE, vendor:NAME, model:NAME."`
	Category  []string `default:"message" help:"Which kinds of data."`
	JSON      bool     `help:"Print JSON."`
}

// Run asks the gate.
func (c *policyExplainCmd) Run(ctx context.Context, con *console) error {
	in := server.Explain{Who: c.who(), Purpose: sotto.Purpose(c.Purpose), Action: c.Action, Recipient: sotto.Recipient(c.Recipient)}
	for _, k := range c.Category {
		in.Categories = append(in.Categories, sotto.Category(k))
	}
	var out server.Explained
	if err := server.Operate(ctx, c.server(con), server.OpExplain, in, &out); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(con.out, out)
	}
	answer := "denied"
	if out.Allowed {
		answer = "allowed"
	}
	con.printf("%s: %s for %s may %s for the purpose %s\n", answer, "data of "+out.Person, c.Recipient, c.Action, c.Purpose)
	if len(out.Reasons) == 0 {
		con.printf("  no policy permits it\n")
	}
	for _, r := range out.Reasons {
		con.printf("  %s %s (%s:%d): %s\n", r.Effect, r.Policy, r.File, r.Line, r.Text)
	}
	return nil
}

type policyListCmd struct{ configFlag }

// Run prints the policies' text.
func (c *policyListCmd) Run(ctx context.Context, con *console) error {
	var ps []server.Policy
	if err := server.Operate(ctx, c.server(con), server.OpPolicies, struct{}{}, &ps); err != nil {
		return err
	}
	for _, p := range ps {
		con.printf("// %s:%d\n%s\n\n", p.File, p.Line, p.Source)
	}
	return nil
}

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Hash the whole log again and compare it with its signed heads."`
	Prove  auditProveCmd  `cmd:"" help:"Print the proof that an entry is in the log."`
	Accept auditAcceptCmd `cmd:"" help:"After a backup was restored: go on with the log as it is. It is written into the log."`
}

type auditVerifyCmd struct{ configFlag }

// Run verifies.
func (c *auditVerifyCmd) Run(ctx context.Context, con *console) error {
	var v server.Verified
	if err := server.Operate(ctx, c.server(con), server.OpVerify, struct{}{}, &v); err != nil {
		return err
	}
	if !v.OK {
		con.printf("%s\n", v.Fault)
		return errFound
	}
	_, err := fmt.Fprintf(con.out, "ok: %d entries, root %s\n", v.Size, v.Root)
	return err
}

type auditAcceptCmd struct{ configFlag }

// Run accepts the log as it is.
func (c *auditAcceptCmd) Run(ctx context.Context, con *console) error {
	v, err := server.Accept(ctx, c.server(con))
	if err != nil {
		return err
	}
	if !v.OK {
		con.printf("%s\n", v.Fault)
		return errFound
	}
	_, err = fmt.Fprintf(con.out, "accepted: %d entries, root %s\n", v.Size, v.Root)
	return err
}

type auditProveCmd struct {
	configFlag
	Index int64 `arg:"" help:"The entry's index."`
}

// Run prints a proof bundle.
func (c *auditProveCmd) Run(ctx context.Context, con *console) error {
	var proof json.RawMessage
	if err := server.Operate(ctx, c.server(con), server.OpProve, c.Index, &proof); err != nil {
		return err
	}
	return printJSON(con.out, proof)
}

type keysCmd struct {
	Rotate keysRotateCmd `cmd:"" help:"Wrap every data key under keys.current; after that keys.old can go."`
}

type keysRotateCmd struct{ configFlag }

// Run rewraps.
func (c *keysRotateCmd) Run(ctx context.Context, con *console) error {
	var n int64
	if err := server.Operate(ctx, c.server(con), server.OpRotate, struct{}{}, &n); err != nil {
		return err
	}
	_, err := fmt.Fprintf(con.out, "wrapped anew: %d keys\n", n)
	return err
}

type versionCmd struct{}

// Run prints what this binary was built from.
func (*versionCmd) Run(con *console) error {
	v, rev := "development", ""
	if bi, ok := debug.ReadBuildInfo(); ok {
		if bi.Main.Version != "" && bi.Main.Version != "(devel)" {
			v = bi.Main.Version
		}
		for _, s := range bi.Settings {
			if s.Key == "vcs.revision" {
				rev = " " + s.Value
			}
		}
		_, err := fmt.Fprintf(con.out, "sotto %s%s %s\n", v, rev, bi.GoVersion)
		return err
	}
	_, err := fmt.Fprintln(con.out, "sotto", v)
	return err
}
