package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sotto-chat/sotto/server"
)

type channelCmd struct {
	Setup channelSetupCmd `cmd:"" help:"Register webhook, secret, menu and privacy link on the network. Says first what it will do; can be repeated."`
	Check channelCheckCmd `cmd:"" help:"Probe token, rights, webhook and clock on the network, and say what to do."`
}

type channelSetupCmd struct {
	configFlag
	Channel string `arg:"" help:"The channel, such as telegram."`
	Account string `arg:"" help:"The account's name in the configuration."`
	Yes     bool   `help:"Do not ask before changing anything." short:"y"`
	DryRun  bool   `help:"Only say what would be done."`
}

// Run sets an account up.
func (c *channelSetupCmd) Run(ctx context.Context, con *console) error {
	steps, err := server.Install(ctx, c.server(con), c.Channel, c.Account)
	if err != nil {
		return err
	}
	todo, byHand := 0, 0
	for _, s := range steps {
		switch {
		case s.Done:
			con.printf("done     %s\n", s.Text)
		case s.Hand != "":
			byHand++
			con.printf("by hand  %s\n         %s\n", s.Text, strings.ReplaceAll(s.Hand, "\n", "\n         "))
		default:
			todo++
			con.printf("to do    %s\n", s.Text)
		}
	}
	switch {
	case todo == 0 && byHand == 0:
		con.printf("Nothing is to be done.\n")
		return nil
	case todo == 0 || c.DryRun:
		return nil
	}
	if !c.Yes {
		con.printf("Make %d changes on the network? [y/N] ", todo)
		line, err := bufio.NewReader(con.in).ReadString('\n')
		if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
			con.printf("\nNothing was changed.\n")
			if err != nil { // nobody is there to ask
				return errors.New("not confirmed; give --yes to go on without being asked")
			}
			return nil
		}
	}
	for _, s := range steps {
		if s.Done || s.Do == nil {
			continue
		}
		if err := s.Do(ctx); err != nil {
			con.printf("failed   %s\n", s.Text)
			return fmt.Errorf("the steps before it are made, and doing them again does no harm: %w", server.Unasked(err))
		}
		con.printf("made     %s\n", s.Text)
	}
	return nil
}

type channelCheckCmd struct {
	configFlag
	Channel string `arg:"" optional:"" help:"The channel. Default: all."`
	Account string `arg:"" optional:"" help:"The account's name in the configuration. Default: all of the channel."`
}

// Run prints one line per finding.
func (c *channelCheckCmd) Run(ctx context.Context, con *console) error {
	found, err := server.CheckChannels(ctx, c.server(con), c.Channel, c.Account)
	if err != nil {
		return err
	}
	for _, f := range found {
		con.printf("%s\n", f)
	}
	if found.Bad() {
		return errFound
	}
	return nil
}

type deletionCmd struct {
	List   deletionListCmd   `cmd:"" help:"All wishes to be deleted that networks passed on."`
	Show   deletionShowCmd   `cmd:"" help:"The network's number of whoever is meant. That it was looked at stands in the audit log."`
	Settle deletionSettleCmd `cmd:"" help:"End a wish: erase a person, refuse it with a reason, or, with neither, say that nothing is held."`
}

type deletionListCmd struct{ configFlag }

// Run prints the wishes.
func (c *deletionListCmd) Run(ctx context.Context, con *console) error {
	var list []server.Wish
	if err := server.Operate(ctx, c.server(con), server.OpWishes, struct{}{}, &list); err != nil {
		return err
	}
	return printJSON(con.out, list)
}

type deletionShowCmd struct {
	configFlag
	Code string `arg:"" help:"The code of the wish."`
}

// Run prints the number.
func (c *deletionShowCmd) Run(ctx context.Context, con *console) error {
	var user string
	if err := server.Operate(ctx, c.server(con), server.OpWish, c.Code, &user); err != nil {
		return err
	}
	_, err := fmt.Fprintln(con.out, user)
	return err
}

type deletionSettleCmd struct {
	configFlag
	whoFlags
	Code   string `arg:"" help:"The code of the wish."`
	Refuse string `help:"Why it is refused. The person reads this." placeholder:"REASON"`
}

// Run settles a wish and prints it.
func (c *deletionSettleCmd) Run(ctx context.Context, con *console) error {
	in := server.Settle{Code: c.Code, Reason: c.Refuse}
	if c.whoFlags != (whoFlags{}) {
		w := c.who()
		in.Erase = &w
	}
	var out server.Wish
	if err := server.Operate(ctx, c.server(con), server.OpSettle, in, &out); err != nil {
		return err
	}
	return printJSON(con.out, out)
}
