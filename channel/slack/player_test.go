package slack_test

import (
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/slack"
)

// as makes an adapter as a player's settings say.
func as(settings map[string]string, client channel.Doer) (channel.Adapter, error) {
	a, err := slack.New(slack.Config{
		BotToken: channel.NewSecret(settings["bot_token"]), SigningSecrets: channel.Secrets{channel.NewSecret(settings["signing_secret"])},
		AppID: settings["app_id"], ConfigurationToken: channel.NewSecret(settings["configuration_token"]),
		API: settings["api"], Files: settings["files"], Hooks: settings["hooks"], Client: client,
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func TestPlayer(t *testing.T) {
	channeltest.RunPlayer(t, channeltest.PlayerSpec{
		Player: slack.Player, New: as, Group: "C024BE91L",
		Others: play.Config{Secret: "other", Token: "xoxb-other"},
		Acts: []sotto.EventKind{
			sotto.EventButton, sotto.EventEdit, sotto.EventDelete, sotto.EventReaction, sotto.EventJoin, sotto.EventLeave, sotto.EventEcho,
		},
	})
}
