package slack_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/slack"
)

func wanted() channel.Installation {
	return channel.Installation{
		Webhook: "https://bot.example/hooks/slack/shop", Privacy: "https://bot.example/privacy",
		Commands: []channel.Command{{Name: "privacy", Text: "What is kept"}, {Name: "stop"}},
	}
}

// console is Slack as far as setting up goes.
type console struct {
	scopes   string
	token    string // an error of auth.test
	manifest string
	date     time.Time
	updated  string
	bot      string
}

func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !c.date.IsZero() {
		w.Header().Set("Date", c.date.UTC().Format(http.TimeFormat))
	} else {
		w.Header()["Date"] = nil
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	q, err := url.ParseQuery(string(b))
	if err != nil {
		return
	}
	managing := r.Header.Get("Authorization") == "Bearer xoxe.xoxp-1-abc"
	switch name := strings.TrimPrefix(r.URL.Path, "/api/"); {
	case name == "auth.test" && c.token != "":
		_, _ = io.WriteString(w, `{"ok":false,"error":"`+c.token+`"}`)
	case name == "auth.test" && !managing:
		if c.scopes != "" {
			w.Header().Set("X-OAuth-Scopes", c.scopes)
		}
		_, _ = io.WriteString(w, `{"ok":true,"url":"x","team":"Acme\u001b[31m","user":"sotto","team_id":"T1","user_id":"UBOT"`+c.bot+`}`)
	case name == "apps.manifest.export" && managing && q.Get("app_id") == "A0APP":
		_, _ = io.WriteString(w, `{"ok":true,"manifest":`+c.manifest+`}`)
	case name == "apps.manifest.update" && managing && q.Get("app_id") == "A0APP":
		c.updated, c.manifest = q.Get("manifest"), q.Get("manifest")
		_, _ = io.WriteString(w, `{"ok":true,"app_id":"A0APP"}`)
	default:
		_, _ = io.WriteString(w, `{"ok":false,"error":"invalid_auth"}`)
	}
}

const enough = "app_mentions:read,chat:write, files:read,files:write,im:history,commands"

func manages(c *slack.Config) {
	c.AppID, c.ConfigurationToken = "A0APP", channel.NewSecret("xoxe.xoxp-1-abc")
}

func TestInstallByHand(t *testing.T) {
	a := start(t, (&console{scopes: "chat:write", bot: `,"bot_id":"B1"`}).ServeHTTP, func(c *slack.Config) { c.CommandPrefix, c.Assistant = "/acme-", true })
	steps, err := a.Install(t.Context(), wanted())
	if err != nil || len(steps) != 2 || steps[0].Hand == "" || steps[1].Hand == "" || steps[0].Done || steps[1].Done {
		t.Fatalf("%+v, %v", steps, err)
	}
	_, text, _ := strings.Cut(steps[0].Hand, "\n")
	var got any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal("the manifest cannot be put in as it is printed:", err)
	}
	about, _ := got.(map[string]any)["display_information"].(map[string]any)["long_description"].(string)
	if len(about) < 174 || len(about) > 4000 || !strings.HasSuffix(about, "https://bot.example/privacy") {
		t.Errorf("%d characters: %s", len(about), about)
	}
	want := map[string]any{
		"display_information": map[string]any{"name": "Sotto", "long_description": about},
		"features": map[string]any{
			"app_home": map[string]any{"messages_tab_enabled": true, "messages_tab_read_only_enabled": false},
			"bot_user": map[string]any{"display_name": "Sotto", "always_online": true},
			"slash_commands": []any{
				map[string]any{"command": "/acme-privacy", "url": "https://bot.example/hooks/slack/shop", "description": "What is kept", "should_escape": false},
				map[string]any{"command": "/acme-stop", "url": "https://bot.example/hooks/slack/shop", "description": "stop", "should_escape": false},
			},
		},
		"oauth_config": map[string]any{"scopes": map[string]any{"bot": []any{"app_mentions:read", "chat:write", "files:read", "files:write", "im:history", "assistant:write", "commands"}}},
		"settings": map[string]any{
			"event_subscriptions": map[string]any{"request_url": "https://bot.example/hooks/slack/shop", "bot_events": []any{"app_mention", "app_uninstalled", "message.im", "tokens_revoked"}},
			"interactivity":       map[string]any{"is_enabled": true, "request_url": "https://bot.example/hooks/slack/shop"},
			"socket_mode_enabled": false,
		},
	}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(steps[1].Text, "assistant:write") || strings.Contains(steps[1].Text, "chat:write") {
		t.Error(steps[1].Text)
	}
}

// What the documentation prints asks for what the program asks for.
func TestDocumentedManifest(t *testing.T) {
	doc, err := os.ReadFile("../../docs/channels/slack.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(doc), "```json\n")
	text, _, _ = strings.Cut(text, "```")
	type app struct {
		OAuth struct {
			Scopes struct {
				Bot []string `json:"bot"`
			} `json:"scopes"`
		} `json:"oauth_config"`
		Settings struct {
			Events struct {
				Bot []string `json:"bot_events"`
			} `json:"event_subscriptions"`
		} `json:"settings"`
	}
	read := func(text string) (events, scopes []string) {
		t.Helper()
		var a app
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		slices.Sort(a.OAuth.Scopes.Bot)
		return a.Settings.Events.Bot, a.OAuth.Scopes.Bot
	}
	steps, err := start(t, (&console{scopes: enough}).ServeHTTP).Install(t.Context(), wanted())
	if err != nil {
		t.Fatal(err)
	}
	_, printed, _ := strings.Cut(steps[0].Hand, "\n")
	events, scopes := read(text)
	wantEvents, wantScopes := read(printed)
	if diff := cmp.Diff(wantEvents, events) + cmp.Diff(wantScopes, scopes); diff != "" || len(scopes) == 0 {
		t.Error(diff)
	}
}

// What the manifest of an app holds beside ours stays.
func TestInstallKeeps(t *testing.T) {
	c := &console{scopes: enough, bot: `,"bot_id":"B1"`, manifest: `{"display_information":{"name":"Shop"},"features":{"slash_commands":[{"command":"/order","url":"https://shop.example"},` +
		`{"command":"/stop","url":"https://old.example","description":"x"}]},"oauth_config":{"scopes":{"bot":["users:read","chat:write"],"user":["x"]},"redirect_urls":["y"]},` +
		`"settings":{"socket_mode_enabled":true,"event_subscriptions":{"bot_events":["team_join"]}}}`}
	a := start(t, c.ServeHTTP, manages)
	steps, err := a.Install(t.Context(), wanted())
	if err != nil || len(steps) != 2 || steps[0].Done || steps[0].Do == nil || steps[0].Hand != "" || !steps[1].Done {
		t.Fatalf("%+v, %v", steps, err)
	}
	if c.updated != "" {
		t.Fatal("asking has changed something")
	}
	for range 2 { // twice does no harm
		if err := steps[0].Do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, kept := range []string{`"name":"Shop"`, `"/order"`, `"users:read"`, `"user":["x"]`, `"redirect_urls":["y"]`, `"team_join"`, `"socket_mode_enabled":false`, `"/privacy"`} {
		if !strings.Contains(c.updated, kept) {
			t.Errorf("%s is not in %s", kept, c.updated)
		}
	}
	if strings.Contains(c.updated, "old.example") || strings.Count(c.updated, `"chat:write"`) != 1 {
		t.Error(c.updated)
	}
	if steps, err = a.Install(t.Context(), wanted()); err != nil || !steps[0].Done {
		t.Errorf("%+v, %v", steps, err)
	}
}

func TestInstallWithoutToken(t *testing.T) {
	a := start(t, (&console{token: "invalid_auth"}).ServeHTTP)
	steps, err := a.Install(t.Context(), wanted())
	if err != nil || len(steps) != 2 || steps[1].Done {
		t.Errorf("who sets an app up for the first time has no token: %+v, %v", steps, err)
	}
	var e *channel.SendError
	a = start(t, (&console{token: "internal_error"}).ServeHTTP)
	if _, err := a.Install(t.Context(), wanted()); !errors.As(err, &e) || e.Class != channel.Retry {
		t.Error(err)
	}
	a = start(t, (&console{scopes: enough, manifest: `null`}).ServeHTTP, manages)
	if _, err := a.Install(t.Context(), wanted()); !errors.As(err, &e) || e.Code != "manifest" {
		t.Error(err)
	}
	var zero slack.Adapter
	if _, err := zero.Install(t.Context(), wanted()); err == nil {
		t.Error("the zero value sets up")
	}
}

func TestCheck(t *testing.T) {
	const bot = `,"bot_id":"B1"`
	good := func() *console { return &console{scopes: enough, bot: bot, date: time.Unix(now, 0)} }
	for _, tt := range []struct {
		name   string
		change func(*console)
		config func(*slack.Config)
		ok     bool
		want   []string // words of what is found, the first finding last
	}{
		{"all well", func(*console) {}, nil, true, []string{"sotto (UBOT)", "not looked at"}},
		{"not a bot's", func(c *console) { c.bot = "" }, nil, false, []string{"not that of a bot"}},
		{"another bot", func(*console) {}, func(c *slack.Config) { c.BotUser = "U9" }, false, []string{"bot_user says U9"}},
		{"scopes missing", func(c *console) { c.scopes = "chat:write,im:history" }, nil, false, []string{"app_mentions:read, files:read, files:write, commands."}},
		{"scopes to spare", func(c *console) { c.scopes += ",channels:history" }, nil, true, []string{"more than Sotto asks for: channels:history"}},
		{"scopes not told", func(c *console) { c.scopes = "" }, nil, true, []string{"sotto (UBOT)"}},
		{"clock late", func(c *console) { c.date = c.date.Add(31 * time.Second) }, nil, false, []string{"31s apart"}},
		{"clock early", func(c *console) { c.date = c.date.Add(-time.Hour) }, nil, false, []string{"1h0m0s apart"}},
		{"clock near", func(c *console) { c.date = c.date.Add(-30 * time.Second) }, nil, true, []string{"sotto (UBOT)"}},
		{"manifest", func(c *console) {
			c.manifest = `{"settings":{"event_subscriptions":{"request_url":"https://old.example/\u001b"}}}`
		}, manages, false, []string{`"https://old.example/", and not to "https://bot.example/hooks/slack/shop"`, "messages tab", "scopes", "commands"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := good()
			tt.change(c)
			var change []func(*slack.Config)
			if tt.config != nil {
				change = append(change, tt.config)
			}
			found, err := start(t, c.ServeHTTP, change...).Check(t.Context(), wanted())
			if err != nil {
				t.Fatal(err)
			}
			ok, all := true, ""
			for _, f := range found {
				ok = ok && f.OK
				all += f.Text + "\n"
				if !f.OK && f.Fix == "" || strings.ContainsAny(f.Text, "\x1b\n") {
					t.Errorf("%+v", f)
				}
			}
			if ok != tt.ok {
				t.Errorf("ok is %v:\n%s", ok, all)
			}
			for _, w := range tt.want {
				if !strings.Contains(all, w) {
					t.Errorf("%q is not in:\n%s", w, all)
				}
			}
		})
	}
	var e *channel.SendError
	if _, err := start(t, (&console{token: "token_revoked"}).ServeHTTP).Check(t.Context(), wanted()); !errors.As(err, &e) || e.Class != channel.Auth || e.Code != "token_revoked" {
		t.Error(err)
	}
	var zero slack.Adapter
	if _, err := zero.Check(t.Context(), wanted()); err == nil {
		t.Error("the zero value checks")
	}
}
