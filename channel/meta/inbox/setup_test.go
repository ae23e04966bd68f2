package inbox_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/instagram"
	"github.com/sotto-chat/sotto/channel/messenger"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/sim"
)

// helper is what an operator's tools use of an adapter.
type helper interface {
	channel.Adapter
	channel.Installer
	channel.Checker
	channel.Fetcher
}

// onMessenger and onInstagram make an adapter as a player's settings say, with
// changes.
func onMessenger(s map[string]string, change func(*messenger.Config)) (helper, error) {
	c := messenger.Config{
		PageID: s["page_id"], AppID: s["app_id"], AppSecrets: channel.Secrets{channel.NewSecret(s["app_secret"])},
		VerifyToken: channel.NewSecret(s["verify_token"]), AccessToken: channel.NewSecret(s["access_token"]),
		API: s["api"], Media: []string{s["media"]}, Client: http.DefaultClient, Now: time.Now,
	}
	if change != nil {
		change(&c)
	}
	return messenger.New(c)
}

func onInstagram(s map[string]string, change func(*instagram.Config)) (helper, error) {
	c := instagram.Config{
		AccountID: s["account_id"], AppID: s["app_id"], AppSecrets: channel.Secrets{channel.NewSecret(s["app_secret"])},
		VerifyToken: channel.NewSecret(s["verify_token"]), AccessToken: channel.NewSecret(s["access_token"]),
		API: s["api"], Media: []string{s["media"]}, Client: http.DefaultClient, Now: time.Now,
	}
	if change != nil {
		change(&c)
	}
	return instagram.New(c)
}

func played(t *testing.T, p play.Player) *sim.Sim {
	t.Helper()
	net, err := sim.New(sim.Config{Player: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = net.Close() })
	return net
}

func want() channel.Installation {
	return channel.Installation{
		Webhook: "https://bot.example/hooks/x/y", Privacy: "https://bot.example/privacy",
		Commands: []channel.Command{{Name: "privacy", Text: "How we handle what you write"}, {Name: "help"}, {Name: "mydata", Text: "A copy of my data"}},
	}
}

const wishes = "Have Meta pass on that somebody wants to be deleted, or takes the app's permission back"

// state is which steps are done, which are for a hand, and what went wrong.
func state(t *testing.T, a helper, w channel.Installation) (open, hand []string) {
	t.Helper()
	steps, err := a.Install(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		switch {
		case s.Hand != "":
			hand = append(hand, s.Text)
		case s.Do == nil:
			t.Errorf("%s: nothing can be done", s.Text)
		case !s.Done:
			open = append(open, s.Text)
		}
	}
	return open, hand
}

func perform(t *testing.T, a helper, w channel.Installation) {
	t.Helper()
	steps, err := a.Install(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice does no harm
		for _, s := range steps {
			if s.Do == nil {
				continue
			}
			if err := s.Do(t.Context()); err != nil {
				t.Errorf("%s: %v", s.Text, err)
			}
		}
	}
}

func wrong(t *testing.T, a helper, w channel.Installation) []string {
	t.Helper()
	found, err := a.Check(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range found {
		if f.Text == "" || !f.OK && f.Fix == "" {
			t.Errorf("a finding says %+v", f)
		}
		if !f.OK {
			out = append(out, f.Text)
		}
	}
	return out
}

func TestInstall(t *testing.T) {
	for _, tt := range []struct {
		name       string
		player     play.Player
		make       func(map[string]string) (helper, error)
		open, hand []string
		bad, left  []string // findings before and after
	}{
		{
			"messenger", messenger.Player(play.Config{}), func(s map[string]string) (helper, error) { return onMessenger(s, nil) },
			[]string{
				"Set the webhook of the app to https://bot.example/hooks/x/y (Sotto must be running, because Meta asks it at once)",
				"Have the page tell the app about messages, messaging_postbacks, message_edits, messaging_optins",
				"Show a button to begin with on the welcome screen",
				"Show a menu: How we handle what you write, help, A copy of my data, Privacy notice",
				"Name the privacy notice in the greeting",
			},
			[]string{"Name the privacy notice in the settings of the app", wishes},
			[]string{
				"The page does not tell the app about messages: no message arrives.",
				"The page does not tell the app about messaging_postbacks: pressed buttons do not arrive.",
				"The page does not tell the app about message_edits: changed messages keep their old text here.",
				"The page does not tell the app about messaging_optins: opt-outs do not arrive.",
				"The app has no webhook: nothing arrives.",
			},
			nil,
		},
		{
			"messenger, app unknown", messenger.Player(play.Config{}), func(s map[string]string) (helper, error) {
				return onMessenger(s, func(c *messenger.Config) { c.AppID = "" })
			},
			[]string{
				"Have the page tell the app about messages, messaging_postbacks, message_edits, messaging_optins",
				"Show a button to begin with on the welcome screen",
				"Show a menu: How we handle what you write, help, A copy of my data, Privacy notice",
				"Name the privacy notice in the greeting",
			},
			[]string{"Set the webhook of the app to https://bot.example/hooks/x/y", "Name the privacy notice in the settings of the app", wishes},
			[]string{
				"The page does not tell the app about messages: no message arrives.",
				"The page does not tell the app about messaging_postbacks: pressed buttons do not arrive.",
				"The page does not tell the app about message_edits: changed messages keep their old text here.",
				"The page does not tell the app about messaging_optins: opt-outs do not arrive.",
			},
			nil,
		},
		{
			"instagram", instagram.Player(play.Config{}), func(s map[string]string) (helper, error) { return onInstagram(s, nil) },
			[]string{
				"Have the account tell the app about messages, messaging_postbacks",
				"Show a menu: How we handle what you write, help, A copy of my data, Privacy notice",
				"Offer questions to begin with: How we handle what you write, help, A copy of my data",
			},
			[]string{"Set the webhook of the app to https://bot.example/hooks/x/y", "Name the privacy notice in the settings of the app", wishes},
			[]string{
				"The account does not tell the app about messages: no message arrives.",
				"The account does not tell the app about messaging_postbacks: chosen menu entries and questions do not arrive.",
			},
			nil,
		},
		{
			"instagram through the page", instagram.Player(play.Config{}), func(s map[string]string) (helper, error) {
				return onInstagram(s, func(c *instagram.Config) { c.Login, c.AccountID = instagram.LoginFacebook, "5" })
			},
			[]string{
				"Have the page tell the app about name",
				"Show a menu: How we handle what you write, help, A copy of my data, Privacy notice",
				"Offer questions to begin with: How we handle what you write, help, A copy of my data",
			},
			[]string{"Set the webhook of the app to https://bot.example/hooks/x/y", "Name the privacy notice in the settings of the app", wishes},
			[]string{"The page tells the app nothing: no message arrives."},
			nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			net := played(t, tt.player)
			a, err := tt.make(net.Player().Settings(net.URL()))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.bad, wrong(t, a, want())); diff != "" {
				t.Error("before:", diff)
			}
			open, hand := state(t, a, want())
			if diff := cmp.Diff(tt.open, open); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.hand, hand); diff != "" {
				t.Error(diff)
			}
			if n := len(net.Shown()); n != 0 {
				t.Errorf("looking changed %d things", n)
			}
			perform(t, a, want())
			if open, _ := state(t, a, want()); open != nil {
				t.Error("still open:", open)
			}
			if diff := cmp.Diff(tt.left, wrong(t, a, want())); diff != "" {
				t.Error("after:", diff)
			}
		})
	}
}

// What is there already is kept or named, and a webhook elsewhere is found.
func TestInstallOverSomething(t *testing.T) {
	net := played(t, messenger.Player(play.Config{}))
	a, err := onMessenger(net.Player().Settings(net.URL()), nil)
	if err != nil {
		t.Fatal(err)
	}
	perform(t, a, want())
	other := want()
	other.Webhook, other.Privacy = "https://elsewhere.example/", "https://elsewhere.example/privacy"
	open, _ := state(t, a, other)
	wanted := []string{
		"Set the webhook of the app to https://elsewhere.example/, instead of another address (Sotto must be running, because Meta asks it at once)",
		"Show a menu: How we handle what you write, help, A copy of my data, Privacy notice; it replaces the one there is",
		"Name the privacy notice in the greeting",
	}
	if diff := cmp.Diff(wanted, open); diff != "" {
		t.Error(diff)
	}
	if got := wrong(t, a, other); len(got) != 1 || !strings.Contains(got[0], "another address") {
		t.Error(got)
	}
	other.Privacy = "https://elsewhere.example/" + strings.Repeat("x", 160)
	if _, hand := state(t, a, other); len(hand) != 3 || hand[0] != "Name the privacy notice in the greeting" {
		t.Error(hand)
	}
}

// canned answers by path.
func canned(t *testing.T, answers map[string]string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[strings.TrimPrefix(r.URL.Path, "/v26.0")]
		if !ok {
			body = `{"error":{"code":100,"message":"whisper"}}`
		}
		if strings.Contains(body, `"error"`) {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestCheckFinds(t *testing.T) {
	fields := `{"data":[{"id":"9","subscribed_fields":["messages","messaging_postbacks","message_edits","messaging_optins"]}]}`
	hook := `{"data":[{"object":"user","callback_url":"x"},{"object":"page","callback_url":"https://bot.example/hooks/x/y","active":true,"fields":[{"name":"messages"},{"name":"messaging_postbacks"},{"name":"message_edits"},{"name":"messaging_optins"}]}]}`
	token := `{"data":{"app_id":"9","is_valid":true,"scopes":["pages_messaging","pages_manage_metadata"]}}`
	good := map[string]string{"/me": `{"id":"900"}`, "/me/subscribed_apps": fields, "/9/subscriptions": hook, "/debug_token": token}
	ended := time.Now().Add(72 * time.Hour)
	for _, tt := range []struct {
		name, path, answer string
		now                time.Duration
		want               []string
	}{
		{"all well", "", "", 0, nil},
		{"another page", "/me", `{"id":"901"}`, 0, []string{"The access token belongs to another page than page_id says."}},
		{"fields of another app", "/me/subscribed_apps", strings.Replace(fields, `"9"`, `"8"`, 1), 0, []string{"about messages", "about messaging_postbacks", "about message_edits", "about messaging_optins"}},
		{"webhook elsewhere", "/9/subscriptions", strings.Replace(hook, "bot.example", "b.example", 1), 0, []string{"another address"}},
		{"webhook switched off", "/9/subscriptions", strings.Replace(hook, `"active":true`, `"active":false`, 1), 0, []string{"switched the app's webhook off"}},
		{"webhook without a field", "/9/subscriptions", strings.Replace(hook, `{"name":"message_edits"},`, "", 1), 0, []string{"not subscribed to message_edits"}},
		{"no webhook", "/9/subscriptions", `{"data":[]}`, 0, []string{"has no webhook"}},
		{"token of another app", "/debug_token", strings.Replace(token, `"9"`, `"8"`, 1), 0, []string{"another app"}},
		{"token without a permission", "/debug_token", strings.Replace(token, `"pages_messaging",`, "", 1), 0, []string{"lacks pages_messaging"}},
		{"token that ends", "/debug_token", strings.Replace(token, `"is_valid"`, `"expires_at":`+itoa(ended.Unix())+`,"is_valid"`, 1), 0, []string{"ends on " + ended.UTC().Format(time.DateOnly)}},
		{"app secret of another app", "/debug_token", `{"error":{"code":190}}`, 0, []string{"app_id and app_secret"}},
		{"clock before", "", "", -time.Minute, []string{"apart"}},
		{"clock behind", "", "", time.Minute, []string{"apart"}},
		{"clock a little behind", "", "", 20 * time.Second, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answers := map[string]string{}
			maps.Copy(answers, good)
			if tt.path != "" {
				answers[tt.path] = tt.answer
			}
			srv := canned(t, answers)
			a, err := onMessenger(map[string]string{"page_id": "900", "app_id": "9", "app_secret": "s", "verify_token": "v", "access_token": "t", "api": srv.URL, "media": srv.URL},
				func(c *messenger.Config) { c.Now = func() time.Time { return time.Now().Add(tt.now) } })
			if err != nil {
				t.Fatal(err)
			}
			got := wrong(t, a, want())
			if len(got) != len(tt.want) {
				t.Fatalf("%q, want %q", got, tt.want)
			}
			for i := range got {
				if !strings.Contains(got[i], tt.want[i]) {
					t.Errorf("%q is not about %q", got[i], tt.want[i])
				}
			}
		})
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Where Meta refuses the token there are no findings but an error, and a step
// that Meta does not make is one that failed.
func TestSetupRefused(t *testing.T) {
	srv := canned(t, map[string]string{"/me": `{"error":{"code":190,"message":"whisper"}}`})
	s := map[string]string{"app_secret": "s", "verify_token": "v", "access_token": "top-secret", "api": srv.URL, "media": srv.URL}
	a, err := onMessenger(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	var e *channel.SendError
	if _, err := a.Check(t.Context(), want()); !errors.As(err, &e) || e.Class != channel.Auth {
		t.Error(err)
	}
	if _, err := a.Install(t.Context(), want()); !errors.As(err, &e) || e.Class != channel.Auth {
		t.Error(err)
	}
	srv = canned(t, map[string]string{"/me": `{"id":"1"}`, "/me/subscribed_apps": `{"success":false,"data":[]}`})
	s["api"] = srv.URL
	if a, err = onMessenger(s, nil); err != nil {
		t.Fatal(err)
	}
	steps, err := a.Install(t.Context(), channel.Installation{})
	if err != nil || len(steps) != 2 {
		t.Fatal(steps, err)
	}
	for _, step := range steps {
		if err := step.Do(context.Background()); !errors.As(err, &e) || strings.Contains(err.Error(), "top-secret") || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: %v", step.Text, err)
		}
	}
	for _, zero := range []helper{new(messenger.Adapter), new(instagram.Adapter)} {
		if _, err := zero.Check(t.Context(), want()); err == nil {
			t.Error("the zero value checks")
		}
		if _, err := zero.Install(t.Context(), want()); err == nil {
			t.Error("the zero value installs")
		}
		if _, err := zero.Fetch(t.Context(), channel.Attachment{ID: "https://a.fbcdn.net/x"}, 10); err == nil {
			t.Error("the zero value fetches")
		}
	}
}
