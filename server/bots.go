package server

import (
	"context"
	"os"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/examples/shop-help"
	"github.com/sotto-chat/sotto/internal/answer"
	"github.com/sotto-chat/sotto/internal/config"
	"github.com/sotto-chat/sotto/internal/gate"
)

// configuredBot makes the bot that the configuration names.
func (s *Server) configuredBot() (sotto.Bot, error) {
	if s.cfg.Bot.Kind == "echo" {
		return sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error {
			t.Reply(t.Text)
			return nil
		}), nil
	}
	files := shophelp.Files()
	prefix := "help/"
	if s.cfg.Bot.Sources != "" {
		prefix = ""
		files = os.DirFS(s.cfg.Bot.Sources)
	}
	return answer.New(context.Background(), answer.Config{FS: files, Prefix: prefix})
}

// Template returns the commented configuration that `sotto init` writes.
func Template() []byte { return config.Template() }

// Policy is one policy in force.
type Policy = gate.Policy
