package server

import (
	"cmp"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/play"
)

// Every network that is played, against the adapter that a configuration makes
// of the player's settings.
func TestPlayers(t *testing.T) {
	t.Parallel()
	groups := map[string]string{"telegram": "-1001234567890", "slack": "C0123456789", "line": "C" + strings.Repeat("4", 32), "whatsapp": "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0"}
	others := map[string]play.Config{
		"telegram": {Token: "987654:other-token", Secret: "other"},
		"slack":    {Token: "xoxb-other-token", Secret: "other"},
		"discord":  {Token: "another-token-of-nobody-at-all", Secret: strings.Repeat("5a", 32)},
	}
	acts := map[string][]sotto.EventKind{}
	for _, name := range Players() {
		acts[name] = []sotto.EventKind{sotto.EventButton}
	}
	acts["viber"], acts["x"] = nil, nil // a button says its label there
	for _, name := range Players() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other, ok := others[name]
			if !ok {
				other = play.Config{Token: "other-token", Secret: "other-secret"}
			}
			channeltest.RunPlayer(t, channeltest.PlayerSpec{
				Player: func(c play.Config) play.Player { return networks()[name].player(c).Player },
				New: func(settings map[string]string, client channel.Doer) (channel.Adapter, error) {
					p, err := Player(name, play.Config{})
					if err != nil {
						return nil, err
					}
					return p.adapter(settings, client)
				},
				Others: other, Group: groups[name], NoToken: name == "discord", Keyboard: name == "viber", Acts: acts[name],
			})
		})
	}
}

func TestPlayerUnknown(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"nowhere": "telegram", "webchat": "/chat"} {
		if _, err := Player(name, play.Config{}); sotto.KindOf(err) != sotto.KindNotFound || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is a secret stands in a variable, and what is a number is one.
func TestPlayedAccount(t *testing.T) {
	t.Parallel()
	p, err := Player("telegram", play.Config{Token: "1:secret-token", Secret: "secret-word"})
	if err != nil {
		t.Fatal(err)
	}
	lines, env := p.Account("shop", "http://127.0.0.1:9")
	if strings.Contains(lines, "secret-") || !strings.Contains(lines, "  telegram:\n    shop:\n") || !strings.Contains(lines, `api: "http://127.0.0.1:9"`) {
		t.Error(lines)
	}
	if got := cmp.Or(env["SIM_TELEGRAM_TOKEN"], "none") + " " + env["SIM_TELEGRAM_SECRET"]; got != "1:secret-token secret-word" {
		t.Error(got)
	}
}
