package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const groupPrivacy = "In @BotFather send /setprivacy, choose the bot and send Enable; then take the bot out of its groups and add it again."

// command is an entry of the menu, as setMyCommands takes it.
type command struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

// Install implements [channel.Installer]: the webhook with its secret and all
// kinds of updates that are understood, and the menu. Telegram does not say
// which secret a webhook was set with, so a webhook that is there counts as set
// unless this server did not believe the last delivery. The privacy notice and
// the group privacy are set with @BotFather only.
func (a *Adapter) Install(ctx context.Context, want channel.Installation) ([]channel.Step, error) {
	if why := unfit(want.Webhook); why != "" {
		return nil, sotto.E("telegram.install", sotto.KindInvalid, errors.New("the webhook's address: "+why))
	}
	list := commands(want)
	for _, c := range list {
		if len(c.Command) > 32 || c.Command == "" || strings.Trim(c.Command, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || c.Description == "" || wire.Units(c.Description) > 256 {
			return nil, sotto.E("telegram.install", sotto.KindInvalid, fmt.Errorf("command %q: want 1 to 32 of a-z, 0-9 and _, and a text of up to 256 characters", c.Command))
		}
	}
	var m me
	if _, err := a.ask(ctx, "getMe", nil, &m); err != nil {
		return nil, err
	}
	var h hook
	if _, err := a.ask(ctx, "getWebhookInfo", nil, &h); err != nil {
		return nil, err
	}
	steps := []channel.Step{{
		Text: "Set the webhook to " + want.Webhook,
		Done: h.URL == want.Webhook && h.complete() && !h.refused(),
		Do:   func(ctx context.Context) error { return a.set(ctx, "setWebhook", a.webhook(want.Webhook)) },
	}}
	if len(list) > 0 {
		more, err := a.menu(ctx, list)
		if err != nil {
			return nil, err
		}
		steps = append(steps, more...)
	}
	if want.Privacy != "" {
		steps = append(steps, channel.Step{
			Text: "Link the privacy notice",
			Hand: "In @BotFather send /mybots, choose the bot, then Edit Bot, Edit Privacy Policy, and send " + want.Privacy + ".",
		})
	}
	return append(steps, channel.Step{Text: "See in groups only what is said to the bot", Done: !m.SeesAll, Hand: groupPrivacy}), nil
}

// unfit says why Telegram would not take an address for a webhook; "" if it would.
func unfit(addr string) string {
	u, err := url.Parse(addr)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "":
		return "want https"
	case !slices.Contains([]string{"", "443", "80", "88", "8443"}, u.Port()):
		return "Telegram calls ports 443, 80, 88 and 8443 only"
	}
	return ""
}

// complete reports whether the webhook tells of everything that is understood.
func (h *hook) complete() bool {
	for _, w := range wanted() {
		if !slices.Contains(h.Allowed, w.name) {
			return false
		}
	}
	return true
}

// webhook is the body of setWebhook.
func (a *Adapter) webhook(addr string) []byte {
	b := wire.AppendString([]byte(`{"url":`), addr)
	b = append(b, `,"secret_token":`...)
	b = wire.AppendString(b, a.secrets[0].Reveal())
	b = append(b, `,"allowed_updates":[`...)
	for i, w := range wanted() {
		if i > 0 {
			b = append(b, ',')
		}
		b = wire.AppendString(b, w.name)
	}
	return append(b, "]}"...)
}

// menu returns the steps that show the commands.
func (a *Adapter) menu(ctx context.Context, list []command) ([]channel.Step, error) {
	have, err := a.commands(ctx)
	if err != nil {
		return nil, err
	}
	var button struct {
		Type string `json:"type"`
	}
	if _, err := a.ask(ctx, "getChatMenuButton", nil, &button); err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"commands": list})
	if err != nil {
		return nil, sotto.E("telegram.install", sotto.KindOther, err)
	}
	return []channel.Step{
		{
			Text: fmt.Sprintf("Put %d commands into the menu", len(list)), Done: slices.Equal(have, list),
			Do: func(ctx context.Context) error { return a.set(ctx, "setMyCommands", body) },
		},
		{
			Text: "Show the menu beside the text field", Done: button.Type == "commands" || button.Type == "default",
			Do: func(ctx context.Context) error {
				return a.set(ctx, "setChatMenuButton", []byte(`{"menu_button":{"type":"commands"}}`))
			},
		},
	}, nil
}

func (a *Adapter) set(ctx context.Context, method string, body []byte) error {
	_, err := a.ask(ctx, method, body, nil)
	return err
}

// commands returns the commands of an installation as Telegram has them.
func commands(want channel.Installation) []command {
	var out []command
	for _, c := range want.Commands {
		out = append(out, command{strings.TrimPrefix(c.Name, "/"), c.Text})
	}
	return out
}

// commands asks for those that the menu shows.
func (a *Adapter) commands(ctx context.Context) ([]command, error) {
	var have []command
	_, err := a.ask(ctx, "getMyCommands", nil, &have)
	return have, err
}
