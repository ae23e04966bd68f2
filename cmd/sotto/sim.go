package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/sim"
	"github.com/sotto-chat/sotto/server"
)

type simCmd struct {
	Channel     string `arg:"" help:"The network to play, such as telegram."`
	To          string `help:"The webhook of a bot that runs already. Without it a Sotto is started in this process, with data that go when it ends." placeholder:"URL"`
	Listen      string `help:"Where the network's API listens. Default: 127.0.0.1:8099 with --to, else any free port." placeholder:"HOST:PORT"`
	Script      string `help:"Carry out the lines of this file instead of those that are typed; - is standard input. The exit code says whether all went as expected." placeholder:"FILE"`
	Secret      string `help:"Signs the webhooks. For Discord: the seed of the key pair, 64 hexadecimal digits." placeholder:"SECRET"`
	Token       string `help:"The bot's at the network's API." placeholder:"TOKEN"`
	User        string `help:"The network's id of the person who writes." placeholder:"ID"`
	Bot         string `default:"answers" enum:"answers,echo" help:"Who answers in the Sotto that is started here (${enum})."`
	PrintConfig bool   `help:"Print what a Sotto needs to meet this network, and end."`
}

// simListen is where the API is looked for with --to: the bot's configuration
// names it.
const simListen = "127.0.0.1:8099"

// Run plays the network.
func (c *simCmd) Run(ctx context.Context, con *console) error {
	p, err := server.Player(c.Channel, play.Config{Secret: c.Secret, Token: c.Token})
	if err != nil {
		return err
	}
	if c.PrintConfig {
		con.printConfig(p, c.account(), "http://"+c.listen())
		return nil
	}
	s, err := c.start(con, p) //nolint:contextcheck // a socket is opened at once
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // nothing is lost with it
	if c.To != "" {
		s.Target(c.To)
		con.printf("# %s: the API is at %s. What a Sotto needs to meet it:\n", c.Channel, s.URL())
		con.printConfig(p, c.account(), s.URL())
		return c.play(ctx, con, s)
	}
	own, err := startOwn(ctx, con, p, s.URL(), c.Bot)
	if err != nil {
		return err
	}
	s.Target(own.url + "/hooks/" + c.Channel + "/sim")
	con.printf("# %s: the API is at %s, a Sotto at %s\n", c.Channel, s.URL(), own.url)
	err = c.play(ctx, con, s)
	return errors.Join(err, s.Close(), own.end())
}

func (c *simCmd) listen() string {
	switch {
	case c.Listen != "":
		return c.Listen
	case c.To != "" || c.PrintConfig:
		return simListen
	}
	return "127.0.0.1:0"
}

// start begins to play. Where the usual port is taken, and none was asked for,
// it takes any other.
func (c *simCmd) start(con *console, p *server.Played) (*sim.Sim, error) {
	cfg := sim.Config{Player: p.Player, Listen: c.listen(), User: c.User, Out: con.out}
	s, err := sim.New(cfg)
	if err != nil && c.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
		return sim.New(cfg)
	}
	return s, err
}

// account is the name of the account in the address of the webhook.
func (c *simCmd) account() string {
	_, hook, ok := strings.Cut(c.To, "/hooks/"+c.Channel+"/")
	if name := path.Base(hook); ok && name != "." && name != "/" {
		return name
	}
	return "sim"
}

// play asks what the network asks, and carries out what is typed or written. A
// script whose result is to depend on the questions has the line connect.
func (c *simCmd) play(ctx context.Context, con *console, s *sim.Sim) error {
	_, err := s.Connect(ctx) // it says itself what was answered wrongly
	if c.Script == "" {
		if err != nil {
			con.printf("  ! %v\n", err)
		}
		con.printf("# type something; /help says what else there is\n")
		return s.Chat(ctx, con.in)
	}
	if err != nil {
		return err
	}
	in, name := con.in, "standard input"
	if c.Script != "-" {
		f, err := os.Open(c.Script)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // nothing was written
		in, name = f, filepath.Base(c.Script)
	}
	checks, err := s.Script(ctx, name, in)
	if err != nil {
		return err
	}
	con.printf("ok: %s, %d expectations\n", name, checks)
	return nil
}

// printConfig prints the lines of a configuration and the variables in them.
func (c *console) printConfig(p *server.Played, account, base string) {
	lines, env := p.Account(account, base)
	for _, k := range slices.Sorted(maps.Keys(env)) {
		c.printf("# export %s='%s'\n", k, env[k])
	}
	c.printf("%s", lines)
}

// ownSotto is a Sotto in this process.
type ownSotto struct {
	url    string
	dir    string
	cancel context.CancelFunc
	ended  chan error
}

// startOwn starts a Sotto that trusts the network, in development mode and with
// data of its own.
func startOwn(ctx context.Context, con *console, p *server.Played, api, bot string) (_ *ownSotto, err error) {
	dir, err := os.MkdirTemp("", "sotto-sim-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	account, env := p.Account("sim", api)
	file := filepath.Join(dir, "sotto.yaml")
	text := fmt.Sprintf("listen: 127.0.0.1:0\ndata: ./data\nbot: { kind: %s }\n%s", bot, account)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	srv, err := server.New(server.Config{ //nolint:contextcheck // it reads files and waits for nothing
		File: file, Dev: true, Out: io.Discard,
		Logger: slog.New(slog.NewTextHandler(con.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Env: func(k string) (string, bool) {
			if v, ok := env[k]; ok {
				return v, true
			}
			return con.env(k)
		},
	}, nil)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it ends after the network
	o := &ownSotto{dir: dir, cancel: cancel, ended: make(chan error, 1)}
	go func() { o.ended <- srv.Run(ctx) }()
	select {
	case err := <-o.ended:
		cancel()
		return nil, fmt.Errorf("the Sotto in this process did not start: %w", err)
	case <-srv.Ready():
	}
	o.url = "http://" + srv.Addr()
	return o, nil
}

// end stops the Sotto and takes its data away.
func (o *ownSotto) end() error {
	o.cancel()
	return errors.Join(<-o.ended, os.RemoveAll(o.dir))
}
