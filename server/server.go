// Package server puts a Sotto together and runs it: the one place where all
// parts meet.
//
// A bot's author needs two calls:
//
//	s, err := server.New(server.Config{File: "sotto.yaml"}, bot)
//	…
//	err = s.Run(ctx)
//
// New reads the configuration and reports everything that is wrong with it at
// once; nothing is opened or started before. Run opens the data, listens, and
// serves until its context ends; then it finishes or hands back what is under
// way. Without a file it runs in development mode: on loopback only, with its
// data and a development key in ./sotto-data, and a web chat.
//
// [Operate] carries out what an operator asks on the command line, in the
// running server of the same data or, where none runs, by itself.
package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/clock"
	"github.com/sotto-chat/sotto/internal/config"
	"github.com/sotto-chat/sotto/pii"
)

// Config says where the configuration is and what takes its place in code. The
// zero value is development mode with defaults.
type Config struct {
	File   string // the configuration file; default "": development mode with defaults
	Dev    bool   // development mode with a file: loopback only, the key may lie beside the data; default false
	Listen string // takes the place of the file's listen; default "": the file's
	Data   string // takes the place of the file's data; default "": the file's

	// AcceptHead goes on although the head file of the audit log does not fit
	// the database, as after a backup was restored. The old head file is kept
	// beside the new one, and the log says that it was accepted. Default false.
	AcceptHead bool

	// Hold has events journaled and not handled, to measure the one without the
	// other. Default false.
	Hold bool

	Env    func(string) (string, bool) // where env: references are looked up; default [os.LookupEnv]
	Out    io.Writer                   // the start-up text goes here; default none
	Logger *slog.Logger                // default: to standard error, as the file's log section says
	Now    func() time.Time            // default the machine's clock
}

// Server is a configured Sotto. Run it once.
type Server struct {
	cfg      *config.Config
	in       Config
	now      clock.Clock
	log      *slog.Logger
	bot      sotto.Bot
	accounts []account
	mask     *pii.Policy // what bots see of what people write
	ready    chan struct{}
	addr     string
}

// New reads the configuration and checks it. A nil bot is the one that the
// configuration names. An error lists everything that is wrong, one line each
// with file and line.
func New(cfg Config, bot sotto.Bot) (*Server, error) {
	s, err := configure(cfg)
	if err != nil {
		return nil, err
	}
	s.bot = bot
	if s.bot == nil {
		if s.bot, err = s.configuredBot(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// configure reads and checks the configuration, with the sections of the accounts.
func configure(in Config) (*Server, error) {
	if in.Env == nil {
		in.Env = os.LookupEnv //nolint:forbidigo // the default that the configuration is read with
	}
	dev := in.Dev || in.File == ""
	c, err := config.Source{Path: in.File, Env: in.Env, Dev: dev, Listen: in.Listen, Data: in.Data}.Load()
	var problems config.Problems
	if err != nil {
		var p *config.Problems
		if !errors.As(err, &p) {
			return nil, err
		}
		problems = *p
	}
	s := &Server{cfg: c, in: in, now: in.Now, log: in.Logger, ready: make(chan struct{})}
	if s.now == nil {
		s.now = clock.Wall()
	}
	if s.log == nil {
		s.log = newLogger(c.Log)
	}
	if c != nil {
		var more []config.Problem
		s.accounts, more = s.readAccounts()
		problems.Add(more...)
		s.mask, more = maskPolicy(c)
		problems.Add(more...)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

func newLogger(c config.Log) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.Slog()}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, opts))
}

// Ready is closed when the server answers; [Server.Addr] is set then.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Addr returns the address that the server listens on, once it is ready.
func (s *Server) Addr() string { return s.addr }

// Run serves until ctx ends. It returns nil after a graceful stop.
func (s *Server) Run(ctx context.Context) error {
	r, err := s.start(ctx)
	if err != nil {
		return err
	}
	return r.serve(ctx)
}
