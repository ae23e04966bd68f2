package slack

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// Install implements [channel.Installer]. Slack lets an app be set up over its
// API only with an app configuration token: with one, the app's manifest is
// completed, and what else it holds stays. Without one the manifest is printed,
// to be put in by hand. Installing the app into the workspace, which changed
// scopes need again, is by hand always.
//
// A token that Slack refuses is no error here: whoever sets an app up for the
// first time has none that works yet.
func (a *Adapter) Install(ctx context.Context, want channel.Installation) ([]channel.Step, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	who, err := a.whoami(ctx)
	var e *channel.SendError
	if err != nil && (!errors.As(err, &e) || e.Class != channel.Auth) {
		return nil, err
	}
	first := channel.Step{Text: "Describe the app to Slack: its address, commands, scopes and events", Hand: "Open https://api.slack.com/apps. " +
		"For a new app choose Create New App, then From a manifest; for one that exists, Features > App Manifest. Put this in, with a name of yours:\n" + a.print(want)}
	if !a.manage.IsZero() {
		m, err := a.export(ctx)
		if err != nil {
			return nil, err
		}
		changed := a.apply(m, want)
		first = channel.Step{Text: first.Text, Done: len(changed) == 0, Do: func(ctx context.Context) error { return a.update(ctx, m) }}
		if len(changed) > 0 {
			first.Text += " (to change: " + strings.Join(changed, ", ") + ")"
		}
	}
	missing := who.missing(a.scopes(want))
	second := channel.Step{
		Text: "Install the app into the workspace, so that the bot's token is allowed what it needs",
		Done: err == nil && len(missing) == 0,
		Hand: "On the app's page choose Settings > Install App > Install to Workspace (or Reinstall), allow it, and copy the Bot User OAuth Token to where bot_token is read from.",
	}
	if err == nil && len(missing) > 0 {
		second.Text += " (missing: " + strings.Join(missing, ", ") + ")"
	}
	return []channel.Step{first, second}, nil
}

// export gets the app's manifest.
func (a *Adapter) export(ctx context.Context) (tree, error) {
	ans, err := a.managing(ctx, "apps.manifest.export", url.Values{"app_id": {a.app}})
	if err != nil {
		return nil, err
	}
	var got struct {
		Manifest tree `json:"manifest"`
	}
	if json.Unmarshal(ans.body, &got) != nil || got.Manifest == nil {
		return nil, &channel.SendError{Class: channel.Bad, Code: "manifest"}
	}
	return got.Manifest, nil
}

// update sets the app's manifest. Slack asks a changed address its question at
// once, so the server has to run.
func (a *Adapter) update(ctx context.Context, m tree) error {
	b, err := json.Marshal(m)
	if err != nil {
		return &channel.SendError{Class: channel.Bad, Code: "manifest"}
	}
	_, err = a.managing(ctx, "apps.manifest.update", url.Values{"app_id": {a.app}, "manifest": {string(b)}})
	return err
}

// managing calls a method under the configuration token.
func (a *Adapter) managing(ctx context.Context, method string, q url.Values) (answer, error) {
	to, err := a.endpoint(method, formType, a.manage)
	if err != nil {
		return answer{}, bad("address")
	}
	return a.call(ctx, to, []byte(q.Encode()))
}

// identity is whom a token belongs to, and what it is allowed.
type identity struct {
	team, user, teamID, userID, botID string
	scopes                            []string
	told                              bool // Slack said the scopes
	answer                            answer
}

// whoami asks whose token it is.
func (a *Adapter) whoami(ctx context.Context) (who identity, err error) {
	to, err := a.endpoint("auth.test", formType, a.token)
	if err != nil {
		return who, bad("address")
	}
	if who.answer, err = a.call(ctx, to, nil); err != nil {
		return who, err
	}
	s := wire.NewScanner(who.answer.body)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "team":
			who.team = s.Text()
		case "user":
			who.user = s.Text()
		case "team_id":
			who.teamID = s.ID()
		case "user_id":
			who.userID = s.ID()
		case "bot_id":
			who.botID = s.ID()
		default:
			s.Skip()
		}
	}
	if list, ok := who.answer.header["X-Oauth-Scopes"]; ok {
		who.told = true
		for scope := range strings.SplitSeq(strings.Join(list, ","), ",") {
			if scope = strings.TrimSpace(scope); scope != "" {
				who.scopes = append(who.scopes, scope)
			}
		}
	}
	return who, nil
}

// missing are the scopes of want that the token lacks. Where Slack does not say
// them, none is known to be missing.
func (who *identity) missing(want []string) (missing []string) {
	for _, w := range want {
		if who.told && !slices.Contains(who.scopes, w) {
			missing = append(missing, w)
		}
	}
	return missing
}
