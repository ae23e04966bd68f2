package server

import (
	"fmt"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/discord"
	"github.com/sotto-chat/sotto/channel/instagram"
	"github.com/sotto-chat/sotto/channel/line"
	"github.com/sotto-chat/sotto/channel/messenger"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/slack"
	"github.com/sotto-chat/sotto/channel/telegram"
	"github.com/sotto-chat/sotto/channel/viber"
	"github.com/sotto-chat/sotto/channel/webchat"
	"github.com/sotto-chat/sotto/channel/whatsapp"
	"github.com/sotto-chat/sotto/channel/x"
	"github.com/sotto-chat/sotto/internal/clock"
	"github.com/sotto-chat/sotto/internal/config"
)

// account is one configured account on one channel.
type account struct {
	key     string // "telegram/shop"
	channel string
	name    string
	bases   []string // addresses that it may call
	build   func(channel.Doer) (channel.Adapter, error)
	web     *webchat.Config // of a web chat, which is built with the server's parts
}

// network is what the server knows of a channel: a row per network.
type network struct {
	decoder func() channel.Adapter
	read    func(config.Section, *account) []config.Problem
	player  func(play.Config) *Played // nil where there is no network to play
}

// networks is the table of channels. To add a network is to add its folder
// under channel/ and a row here.
func networks() map[string]network {
	return map[string]network{
		"telegram": {
			func() channel.Adapter { return new(telegram.Adapter) },
			read(func(c telegram.Config, d channel.Doer) (channel.Adapter, error) {
				c.Client, c.Now = d, clock.Wall()
				return telegram.New(c)
			}),
			played[telegram.Config](telegram.Player),
		},
		"messenger": {
			func() channel.Adapter { return new(messenger.Adapter) },
			read(func(c messenger.Config, d channel.Doer) (channel.Adapter, error) {
				c.Client, c.Now = d, clock.Wall()
				return messenger.New(c)
			}),
			played[messenger.Config](messenger.Player),
		},
		"whatsapp": {
			func() channel.Adapter { return new(whatsapp.Adapter) },
			read(func(c whatsapp.Config, d channel.Doer) (channel.Adapter, error) { c.Client = d; return whatsapp.New(c) }),
			played[whatsapp.Config](whatsapp.Player),
		},
		"instagram": {
			func() channel.Adapter { return new(instagram.Adapter) },
			read(func(c instagram.Config, d channel.Doer) (channel.Adapter, error) {
				c.Client, c.Now = d, clock.Wall()
				return instagram.New(c)
			}),
			played[instagram.Config](instagram.Player),
		},
		"line": {
			func() channel.Adapter { return new(line.Adapter) },
			read(func(c line.Config, d channel.Doer) (channel.Adapter, error) {
				c.Client, c.Now = d, clock.Wall()
				return line.New(c)
			}),
			played[line.Config](line.Player),
		},
		"slack": {
			func() channel.Adapter { return new(slack.Adapter) },
			read(func(c slack.Config, d channel.Doer) (channel.Adapter, error) {
				c.Client, c.Now = d, clock.Wall()
				return slack.New(c)
			}),
			played[slack.Config](slack.Player),
		},
		"discord": {
			func() channel.Adapter { return new(discord.Adapter) },
			read(func(c discord.Config, d channel.Doer) (channel.Adapter, error) {
				c.Client, c.Now = d, clock.Wall()
				return discord.New(c)
			}),
			played[discord.Config](discord.Player),
		},
		"viber": {
			func() channel.Adapter { return new(viber.Adapter) },
			read(func(c viber.Config, d channel.Doer) (channel.Adapter, error) {
				c.Client, c.Now = d, clock.Wall()
				return viber.New(c)
			}),
			played[viber.Config](viber.Player),
		},
		"x": {
			func() channel.Adapter { return new(x.Adapter) },
			read(func(c x.Config, d channel.Doer) (channel.Adapter, error) {
				c.Client, c.Now = d, clock.Wall()
				return x.New(c)
			}),
			played[x.Config](x.Player),
		},
		"webchat": {func() channel.Adapter { return new(webchat.Adapter) }, readWebchat, nil},
	}
}

// Decoder returns what reads a channel's webhook bodies without any
// configuration: only its Decode works.
func Decoder(name string) (channel.Adapter, error) {
	n, ok := networks()[name]
	if !ok {
		return nil, sotto.E("decode", sotto.KindNotFound, fmt.Errorf("no channel is called %q; there are %s", name, strings.Join(config.Channels(), ", ")))
	}
	return n.decoder(), nil
}

// read decodes the section of an account into its network's own Config.
func read[C interface{ Bases() []string }](build func(C, channel.Doer) (channel.Adapter, error)) func(config.Section, *account) []config.Problem {
	return func(sec config.Section, a *account) []config.Problem {
		var c C
		problems := sec.Decode(&c)
		a.bases = c.Bases()
		a.build = func(d channel.Doer) (channel.Adapter, error) { return build(c, d) }
		return problems
	}
}

func readWebchat(sec config.Section, a *account) []config.Problem {
	a.web = new(webchat.Config)
	return sec.Decode(a.web)
}

// readAccounts decodes the sections of all accounts and reports what is wrong
// with any of them.
func (s *Server) readAccounts() ([]account, []config.Problem) {
	var out []account
	var problems []config.Problem
	table := networks()
	web := 0
	for _, ac := range s.cfg.Channels {
		n, ok := table[ac.Channel]
		if !ok {
			problems = append(problems, ac.Section.Problem("", "this version does not speak "+ac.Channel+" yet"))
			continue
		}
		a := account{key: ac.Channel + "/" + ac.Name, channel: ac.Channel, name: ac.Name}
		found := n.read(ac.Section, &a)
		if a.web != nil {
			if web++; web > 1 {
				found = append(found, ac.Section.Problem("", "there is one web chat already"))
			}
		} else if len(found) == 0 {
			if _, err := a.build(refusing{}); err != nil {
				found = append(found, ac.Section.Problem("", err.Error()))
			}
		}
		problems = append(problems, found...)
		out = append(out, a)
	}
	return out, problems
}

// refusing makes no calls: it stands in while a configuration is checked.
type refusing struct{ channel.Doer }
