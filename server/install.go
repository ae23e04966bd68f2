package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/config"
	"github.com/sotto-chat/sotto/internal/egress"
	"github.com/sotto-chat/sotto/internal/wording"
)

// Install asks a network how an account is set up and returns all steps to
// where it should be, those that are done already included. Nothing changes
// until a step's Do is called.
func Install(ctx context.Context, in Config, channelName, name string) ([]channel.Step, error) {
	const op = "server.install"
	s, err := configure(in)
	if err != nil {
		return nil, err
	}
	a, err := s.account(channelName, name)
	if err != nil {
		return nil, err
	}
	want, err := s.installation(a)
	if err != nil {
		return nil, sotto.E(op, sotto.KindInvalid, err)
	}
	client, err := egress.New(egress.Config{})
	if err != nil {
		return nil, err
	}
	ad, err := a.adapter(client)
	if err != nil {
		return nil, err
	}
	inst, ok := ad.(channel.Installer)
	if !ok {
		return nil, sotto.E(op, sotto.KindInvalid, fmt.Errorf("%s is not set up over its network's API", a.key))
	}
	steps, err := inst.Install(ctx, want)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.key, Unasked(err))
	}
	return steps, nil
}

// account finds a configured account.
func (s *Server) account(channelName, name string) (account, error) {
	const op = "server.account"
	i := slices.IndexFunc(s.accounts, func(a account) bool { return a.channel == channelName && a.name == name })
	switch {
	case i < 0 && !slices.Contains(config.Channels(), channelName):
		return account{}, sotto.E(op, sotto.KindNotFound, fmt.Errorf("no channel is called %q; there are %s", channelName, strings.Join(config.Channels(), ", ")))
	case i < 0:
		return account{}, sotto.E(op, sotto.KindNotFound, fmt.Errorf("no account %q of channel %q is configured", name, channelName))
	case s.accounts[i].web != nil:
		return account{}, sotto.E(op, sotto.KindInvalid, errors.New("the web chat is Sotto's own: there is nothing to set up"))
	}
	return s.accounts[i], nil
}

// adapter builds an account's adapter for a command beside the server.
func (a account) adapter(client *egress.Client) (channel.Adapter, error) {
	view, err := client.For(a.key, a.bases...)
	if err != nil {
		return nil, err
	}
	return a.build(view)
}

// installation is how an account should be set up. Networks reach a bot at a
// public address over TLS; a network that is played on this machine reaches it
// anywhere.
func (s *Server) installation(a account) (channel.Installation, error) {
	u, err := url.Parse(s.cfg.PublicURL)
	if err != nil || u.Scheme != "https" && !a.local() {
		return channel.Installation{}, errors.New("public_url is not an https address: networks deliver to a public address over TLS only; set domain or public_url")
	}
	return s.wanted(a), nil
}

func (s *Server) wanted(a account) channel.Installation {
	want := channel.Installation{
		Webhook: s.cfg.PublicURL + "/hooks/" + a.key,
		Privacy: s.cfg.PublicURL + "/privacy",
	}
	book, err := wording.Load()
	if err != nil { // the texts are part of the program
		return want
	}
	lang := book.Match(s.cfg.Languages...)
	for _, c := range []wording.Command{
		wording.CommandPrivacy, wording.CommandMyData, wording.CommandDelete, wording.CommandStop, wording.CommandStart, wording.CommandHelp,
	} {
		want.Commands = append(want.Commands, channel.Command{Name: string(c), Text: book.Text(lang, "button."+string(c))})
	}
	return want
}

// local reports whether all that the account calls is on this machine.
func (a account) local() bool {
	return len(a.bases) > 0 && !slices.ContainsFunc(a.bases, func(b string) bool { return !strings.HasPrefix(b, "http://") })
}

// CheckChannels asks the networks about the accounts: all of them, those of one
// channel, or one.
func CheckChannels(ctx context.Context, in Config, channelName, name string) (Findings, error) {
	s, err := configure(in)
	if err != nil {
		return nil, err
	}
	if name != "" {
		if _, err := s.account(channelName, name); err != nil {
			return nil, err
		}
	} else if channelName != "" && !slices.Contains(config.Channels(), channelName) {
		return nil, sotto.E("server.check", sotto.KindNotFound, fmt.Errorf("no channel is called %q; there are %s", channelName, strings.Join(config.Channels(), ", ")))
	}
	s.accounts = slices.DeleteFunc(s.accounts, func(a account) bool {
		return channelName != "" && a.channel != channelName || name != "" && a.name != name
	})
	return s.checkNetworks(ctx), nil
}
