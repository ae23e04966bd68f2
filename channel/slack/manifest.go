package slack

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto/channel"
)

// tree is a manifest as Slack exports it: what it holds beside our part is the
// operator's, and stays.
type tree = map[string]any

// manifest describes the app that an installation needs, with the least that it
// may do (docs.slack.dev/reference/app-manifest).
func (a *Adapter) manifest(want channel.Installation) tree {
	m := tree{
		"display_information": tree{"name": "Sotto"},
		"features":            tree{"bot_user": tree{"display_name": "Sotto", "always_online": true}},
	}
	a.apply(m, want)
	return m
}

// apply puts our part into a manifest, and says what was otherwise before.
func (a *Adapter) apply(m tree, want channel.Installation) (changed []string) {
	note := func(what string, is bool) {
		if is && !slices.Contains(changed, what) {
			changed = append(changed, what)
		}
	}
	note("the messages tab", set(m, true, "features", "app_home", "messages_tab_enabled"))
	note("the messages tab", set(m, false, "features", "app_home", "messages_tab_read_only_enabled"))
	note("the scopes", union(m, a.scopes(want), "oauth_config", "scopes", "bot"))
	note("the events", union(m, a.events(), "settings", "event_subscriptions", "bot_events"))
	note("socket mode", set(m, false, "settings", "socket_mode_enabled"))
	note("buttons", set(m, true, "settings", "interactivity", "is_enabled"))
	if want.Webhook != "" {
		note("the address of events", set(m, want.Webhook, "settings", "event_subscriptions", "request_url"))
		note("the address of buttons", set(m, want.Webhook, "settings", "interactivity", "request_url"))
		note("the commands", a.commands(m, want))
	}
	if want.Privacy != "" && !strings.Contains(text(m, "display_information", "long_description"), want.Privacy) {
		note("the privacy notice", set(m, about(want.Privacy), "display_information", "long_description"))
	}
	return changed
}

// about is what people read on the app's page. Slack wants 174 characters at least.
func about(privacy string) string {
	return "A program answers what you write to this app. It stores messages encrypted, uses them only to answer you, " +
		"and deletes them on a fixed day. What is kept, why, for how long, and how to get a copy of it or have it erased: " + privacy
}

// scopes are what the bot has to be allowed.
func (a *Adapter) scopes(want channel.Installation) []string {
	s := []string{"app_mentions:read", "chat:write", "files:read", "files:write", "im:history"}
	if a.status {
		s = append(s, "assistant:write")
	}
	if len(want.Commands) > 0 {
		s = append(s, "commands")
	}
	return s
}

// events are what the bot has to be told of.
func (a *Adapter) events() []string {
	return []string{"app_mention", "app_uninstalled", "message.im", "tokens_revoked"}
}

// commands puts the slash commands of our own into a manifest.
func (a *Adapter) commands(m tree, want channel.Installation) (changed bool) {
	if len(want.Commands) == 0 {
		return false
	}
	features := branch(m, "features")
	list, _ := features["slash_commands"].([]any)
	for _, c := range want.Commands {
		ours := tree{
			"command": "/" + a.self.prefix + c.Name, "url": want.Webhook,
			"description": or(c.Text, c.Name), "should_escape": false,
		}
		i := slices.IndexFunc(list, func(v any) bool {
			old, ok := v.(tree)
			return ok && old["command"] == ours["command"]
		})
		switch {
		case i < 0:
			list, changed = append(list, ours), true
		case !sameCommand(list[i], ours):
			list[i], changed = ours, true
		}
	}
	features["slash_commands"] = list
	return changed
}

func sameCommand(old any, ours tree) bool {
	o, ok := old.(tree)
	return ok && o["url"] == ours["url"] && o["description"] == ours["description"]
}

// branch returns an object inside a manifest, and makes it where there is none.
func branch(m tree, path ...string) tree {
	for _, name := range path {
		next, ok := m[name].(tree)
		if !ok {
			next = tree{}
			m[name] = next
		}
		m = next
	}
	return m
}

// set sets a value and reports whether it was another.
func set(m tree, v any, path ...string) (changed bool) {
	last := len(path) - 1
	m = branch(m, path[:last]...)
	old, ok := m[path[last]]
	if v == false && !ok {
		old = false // what is off is left out
	}
	m[path[last]] = v
	return old != v
}

// text returns a text inside a manifest, "" where there is none.
func text(m tree, path ...string) string {
	last := len(path) - 1
	for _, name := range path[:last] {
		m, _ = m[name].(tree)
	}
	s, _ := m[path[last]].(string)
	return s
}

// union adds words to a list and reports whether any was missing.
func union(m tree, words []string, path ...string) (changed bool) {
	last := len(path) - 1
	m = branch(m, path[:last]...)
	list, _ := m[path[last]].([]any)
	for _, w := range words {
		if !slices.Contains(list, any(w)) {
			list, changed = append(list, w), true
		}
	}
	m[path[last]] = list
	return changed
}

// print is a manifest as it is put in by hand.
func (a *Adapter) print(want channel.Installation) string {
	b, err := json.MarshalIndent(a.manifest(want), "", "  ")
	if err != nil {
		return fmt.Sprint(err) // a tree of words always marshals
	}
	return string(b)
}
