package inbox

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	// payloadOf a menu entry is understood by Sotto as its command.
	payloadOf = "sotto:"
	// begin is what the button of the welcome screen carries. The press goes to
	// the bot like any other.
	begin = "GET_STARTED"

	maxMenu      = 20  // entries
	maxQuestions = 4   // to begin with
	maxEntry     = 30  // characters of a menu entry
	maxQuestion  = 80  // characters
	maxGreeting  = 160 // characters
)

// Install implements [channel.Installer]. What the app itself is told, which
// webhook to call, can be set over the API on Messenger where the app's id is
// configured; elsewhere it is a step by hand. Entries that others put into the
// menu are replaced when the step is made, and the step says so.
func (a *Account) Install(ctx context.Context, want channel.Installation) ([]channel.Step, error) {
	if _, err := a.identity(ctx); err != nil {
		return nil, err
	}
	var steps []channel.Step
	if want.Webhook != "" {
		s, err := a.stepWebhook(ctx, want.Webhook)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	s, err := a.stepFields(ctx)
	if err != nil {
		return nil, err
	}
	steps = append(steps, s)
	p, err := a.profile(ctx)
	if err != nil {
		return nil, err
	}
	if a.net.Setup.Welcome {
		steps = append(steps, a.stepStarted(&p))
	}
	if menu := menuOf(want); len(menu) > 0 {
		steps = append(steps, a.stepMenu(&p, menu))
	}
	if q := questionsOf(want); a.net.Setup.Questions && len(q) > 0 {
		steps = append(steps, a.stepQuestions(&p, q))
	}
	if want.Privacy != "" && a.net.Setup.Welcome {
		steps = append(steps, a.stepGreeting(&p, want.Privacy))
	}
	return append(steps, a.stepsByHand(want)...), nil
}

// stepsByHand are settings of the app that no API knows.
func (a *Account) stepsByHand(want channel.Installation) []channel.Step {
	var steps []channel.Step
	if want.Privacy != "" {
		steps = append(steps, channel.Step{
			Text: "Name the privacy notice in the settings of the app",
			Hand: a.net.Setup.Basics + ": set \"Privacy policy URL\" to " + want.Privacy + ".",
		})
	}
	if want.Webhook != "" {
		steps = append(steps, channel.Step{
			Text: "Have Meta pass on that somebody wants to be deleted, or takes the app's permission back",
			Hand: fmt.Sprintf("%s: set the data deletion callback to %s/deletion and the deauthorize callback to %[2]s/deauthorise.",
				a.net.Setup.Wishes, strings.TrimSuffix(want.Webhook, "/")),
		})
	}
	return steps
}

// stepWebhook tells Meta where to call.
func (a *Account) stepWebhook(ctx context.Context, address string) (channel.Step, error) {
	fields := a.net.Setup.names()
	if a.net.Setup.Any {
		fields = []string{"messages", "messaging_postbacks"}
	}
	step := channel.Step{Text: "Set the webhook of the app to " + address}
	if !a.byApp() {
		step.Hand = fmt.Sprintf("%s: set the callback URL to %s and the verify token to the value of verify_token, and subscribe to %s. Sotto must be running meanwhile, because Meta asks it at once.",
			a.net.Setup.Webhook, address, strings.Join(fields, ", "))
		return step, nil
	}
	now, err := a.hookState(ctx)
	if err != nil {
		return step, err
	}
	step.Done = now.address == address && now.active && len(missing(fields, now.fields)) == 0
	if now.address != "" && now.address != address {
		step.Text += ", instead of another address"
	}
	step.Text += " (Sotto must be running, because Meta asks it at once)"
	step.Do = func(ctx context.Context) error {
		return a.change(ctx, "/"+a.app+"/subscriptions", "", a.appToken(), url.Values{
			"object": {a.net.Object}, "callback_url": {address}, "verify_token": {a.verify.Reveal()},
			"fields": {strings.Join(union(fields, now.fields), ",")}, "include_values": {"true"},
		})
	}
	return step, nil
}

// stepFields has the account tell the app about what happens.
func (a *Account) stepFields(ctx context.Context) (channel.Step, error) {
	have, own, err := a.subscribed(ctx)
	if err != nil {
		return channel.Step{}, err
	}
	fields := a.net.Setup.names()
	all := fields // what another app is told stays that app's
	if own {
		all = union(fields, have)
	}
	return channel.Step{
		Text: "Have the " + a.net.Setup.What + " tell the app about " + strings.Join(fields, ", "),
		Done: a.enough(have),
		Do: func(ctx context.Context) error {
			return a.change(ctx, "/me/subscribed_apps", "", a.token,
				url.Values{"subscribed_fields": {strings.Join(all, ",")}})
		},
	}, nil
}

// enough reports whether the account tells the app enough.
func (a *Account) enough(have []string) bool {
	if a.net.Setup.Any {
		return len(have) > 0
	}
	return len(missing(a.net.Setup.names(), have)) == 0
}

// stepStarted gives the welcome screen a button, without which Messenger shows
// no menu.
func (a *Account) stepStarted(p *profile) channel.Step {
	return channel.Step{
		Text: "Show a button to begin with on the welcome screen",
		Done: p.Started.Payload != "",
		Do: func(ctx context.Context) error {
			return a.setProfile(ctx, map[string]any{"get_started": map[string]string{"payload": begin}})
		},
	}
}

func (a *Account) stepMenu(p *profile, menu []action) channel.Step {
	now := usual(p.Menu)
	step := channel.Step{
		Text: "Show a menu: " + titles(menu),
		Done: slices.Equal(plain(now), plain(menu)),
		Do: func(ctx context.Context) error {
			return a.setProfile(ctx, map[string]any{"persistent_menu": []actions{{Locale: "default", Actions: menu}}})
		},
	}
	if len(now) > 0 && !step.Done {
		step.Text += "; it replaces the one there is"
	}
	return step
}

func (a *Account) stepQuestions(p *profile, questions []action) channel.Step {
	now := usual(p.Breakers)
	step := channel.Step{
		Text: "Offer questions to begin with: " + titles(questions),
		Done: slices.Equal(plain(now), plain(questions)),
		Do: func(ctx context.Context) error {
			return a.setProfile(ctx, map[string]any{"ice_breakers": []actions{{Locale: "default", Actions: questions}}})
		},
	}
	if len(now) > 0 && !step.Done {
		step.Text += "; they replace those there are"
	}
	return step
}

// stepGreeting puts the address of the privacy notice into the greeting, which
// keeps what it says.
func (a *Account) stepGreeting(p *profile, privacy string) channel.Step {
	list := slices.Clone(p.Greeting)
	at := slices.IndexFunc(list, func(g greeting) bool { return g.Locale == "default" })
	if at < 0 {
		list, at = append(list, greeting{Locale: "default"}), len(list)
	}
	step := channel.Step{Text: "Name the privacy notice in the greeting", Done: strings.Contains(list[at].Text, privacy)}
	text := strings.TrimSpace(list[at].Text + "\n" + "Privacy: " + privacy)
	if wire.Units(text) > maxGreeting {
		step.Hand = fmt.Sprintf("The greeting has at most %d characters, and the address %s does not fit behind what it says. Shorten it in the settings of the page's inbox.", maxGreeting, privacy)
		return step
	}
	list[at].Text = text
	step.Do = func(ctx context.Context) error { return a.setProfile(ctx, map[string]any{"greeting": list}) }
	return step
}

// setProfile sets properties of what people see before they write.
func (a *Account) setProfile(ctx context.Context, what map[string]any) error {
	if p := a.net.Setup.Platform; p != "" {
		what["platform"] = p
	}
	return a.change(ctx, "/me/messenger_profile", a.platform(), a.token, what)
}

// menuOf is the menu: the commands, and the privacy notice itself.
func menuOf(want channel.Installation) []action {
	var menu []action
	for _, c := range want.Commands {
		if title := fits(cmp.Or(c.Text, c.Name), maxEntry); title != "" && c.Name != "" && len(menu) < maxMenu-1 {
			menu = append(menu, action{Type: "postback", Title: title, Payload: payloadOf + c.Name})
		}
	}
	if want.Privacy != "" {
		menu = append(menu, action{Type: "web_url", Title: "Privacy notice", URL: want.Privacy})
	}
	return menu
}

func questionsOf(want channel.Installation) []action {
	var out []action
	for _, c := range want.Commands {
		if q := fits(cmp.Or(c.Text, c.Name), maxQuestion); q != "" && c.Name != "" && len(out) < maxQuestions {
			out = append(out, action{Question: q, Payload: payloadOf + c.Name})
		}
	}
	return out
}

// plain are actions without what Meta may add to them.
func plain(list []action) []action {
	out := slices.Clone(list)
	for i := range out {
		if out[i].Question != "" {
			out[i].Type, out[i].Title = "", ""
		}
	}
	return out
}

func titles(list []action) string {
	var out []string
	for _, x := range list {
		out = append(out, cmp.Or(x.Title, x.Question))
	}
	return strings.Join(out, ", ")
}
