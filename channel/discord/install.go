package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// application is what GET /applications/@me tells, as far as it matters here.
type application struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Key     string   `json:"verify_key"`
	Hook    string   `json:"interactions_endpoint_url"`
	Events  string   `json:"event_webhooks_url"`
	State   int      `json:"event_webhooks_status"`
	Types   []string `json:"event_webhooks_types"`
	Privacy string   `json:"privacy_policy_url"`
	Flags   int64    `json:"flags"`
	Guilds  int      `json:"approximate_guild_count"`
	Users   int      `json:"approximate_user_install_count"`
}

// command is one of the application's commands.
type command struct {
	ID      string          `json:"id,omitempty"`
	Name    string          `json:"name"`
	Text    string          `json:"description"`
	Type    int             `json:"type"`
	Options []commandOption `json:"options,omitempty"`
	// Where it can be used: in servers, with the bot, and in other private
	// channels of people who installed the app for themselves.
	Places []int `json:"contexts,omitempty"`
}

type commandOption struct {
	Type     int    `json:"type"`
	Name     string `json:"name"`
	Text     string `json:"description"`
	Required bool   `json:"required"`
	Most     int    `json:"max_length,omitempty"`
}

const (
	eventsOn = 2
	askMost  = 4000 // characters of a question

	portal = "https://discord.com/developers/applications/"

	// The privileged intents that show a bot what people write and who they are.
	flagsContent = 1<<18 | 1<<19
	flagsMembers = 1<<14 | 1<<15
	flagsOnline  = 1<<12 | 1<<13
)

// wantedEvents are the webhook events that Sotto acts on.
func wantedEvents() []string {
	return []string{"APPLICATION_AUTHORIZED", "APPLICATION_DEAUTHORIZED"}
}

// wantedCommands are Sotto's own and the one that carries a message to the bot.
func wantedCommands(want []channel.Command) []command {
	const text = 3
	everywhere := []int{0, 1, 2}
	out := []command{{
		Name: Ask, Text: "Say something to the bot", Type: 1, Places: everywhere,
		Options: []commandOption{{Type: text, Name: "text", Text: "What you want to say", Required: true, Most: askMost}},
	}}
	for _, c := range want {
		if c.Name == Ask {
			out[0].Text = c.Text
			continue
		}
		out = append(out, command{Name: c.Name, Text: c.Text, Type: 1, Places: everywhere})
	}
	return out
}

// Install implements [channel.Installer]. Commands are added or replaced by
// their names, and others of the application are left alone. Setting the
// addresses makes Discord call them at once, so the server must be up.
func (a *Adapter) Install(ctx context.Context, want channel.Installation) ([]channel.Step, error) {
	var app application
	if _, err := a.ask(ctx, "/applications/@me", &app); err != nil {
		return nil, err
	}
	if !number(app.ID) {
		return nil, errNotUnderstood()
	}
	missing, err := a.missing(ctx, app.ID, want.Commands)
	if err != nil {
		return nil, err
	}
	steps := []channel.Step{
		a.commandStep(app.ID, want.Commands, missing),
		{
			Text: "Set the interactions endpoint to " + want.Webhook, Done: app.Hook == want.Webhook,
			Do: a.change(map[string]any{"interactions_endpoint_url": want.Webhook}),
		},
		{
			Text: "Have installs and removals of the app reported to " + want.Webhook, Done: app.reports(want.Webhook),
			Do: a.change(map[string]any{
				"event_webhooks_url": want.Webhook, "event_webhooks_status": eventsOn,
				"event_webhooks_types": union(app.Types, wantedEvents()),
			}),
		},
	}
	if want.Privacy != "" {
		steps = append(steps, channel.Step{
			Text: "Link the privacy notice from the app's profile", Done: app.Privacy == want.Privacy,
			Hand: "Open " + portal + app.ID + "/information, put " + want.Privacy + " into Privacy Policy URL, and save.",
		})
	}
	return append(steps, channel.Step{
		Text: "Add the app to a server, or to an account", Done: app.Guilds+app.Users > 0,
		Hand: "Open " + portal + app.ID + "/installation, choose the installation contexts with the scope applications.commands (and bot, without any permission, for direct messages), then open https://discord.com/oauth2/authorize?client_id=" + app.ID + " and add the app.",
	}), nil
}

// reports reports whether the app's webhook events arrive at an address.
func (app *application) reports(hook string) bool {
	return app.Events == hook && app.State == eventsOn && len(union(app.Types, wantedEvents())) == len(app.Types)
}

// union returns a and what of b is missing in it.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (a *Adapter) commandStep(app string, want []channel.Command, missing []command) channel.Step {
	all := wantedCommands(want)
	names := make([]string, 0, len(all))
	for _, c := range all {
		names = append(names, "/"+c.Name)
	}
	return channel.Step{
		Text: "Register the commands " + strings.Join(names, ", "), Done: len(missing) == 0,
		Do: func(ctx context.Context) error {
			for _, c := range missing {
				if err := a.tell(ctx, http.MethodPost, "/applications/"+app+"/commands", c); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// missing are the commands that are not registered, or not so.
func (a *Adapter) missing(ctx context.Context, app string, want []channel.Command) ([]command, error) {
	var have []command
	if _, err := a.ask(ctx, "/applications/"+app+"/commands", &have); err != nil {
		return nil, err
	}
	var out []command
	for _, c := range wantedCommands(want) {
		if !slices.ContainsFunc(have, func(h command) bool {
			return h.Name == c.Name && h.Text == c.Text && h.Type == c.Type && len(h.Options) == len(c.Options)
		}) {
			out = append(out, c)
		}
	}
	return out, nil
}

// change is the step that edits the application.
func (a *Adapter) change(fields map[string]any) func(context.Context) error {
	return func(ctx context.Context) error { return a.tell(ctx, http.MethodPatch, "/applications/@me", fields) }
}

func (a *Adapter) tell(ctx context.Context, method, path string, what any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(what); err != nil {
		return bad("form")
	}
	_, err := a.call(ctx, request{method: method, path: path, bot: true, body: b.Bytes()})
	return err
}

// ask reads an answer of the API's and how far its clock is before ours.
func (a *Adapter) ask(ctx context.Context, path string, into any) (ahead time.Duration, err error) {
	ans, err := a.call(ctx, request{method: http.MethodGet, path: path, bot: true})
	if err != nil {
		return 0, err
	}
	if json.Unmarshal(ans.Body, into) != nil {
		return 0, errNotUnderstood()
	}
	if at, err := http.ParseTime(ans.Header.Get("Date")); err == nil {
		ahead = a.now().Sub(at)
	}
	return ahead, nil
}

func errNotUnderstood() error {
	return sotto.E("discord.check", sotto.KindUnavailable, fmt.Errorf("the answer was not understood"))
}

// host returns the host of an address, for a finding that shows no path.
func host(addr string) string {
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" {
		return "another address"
	}
	return u.Host
}
