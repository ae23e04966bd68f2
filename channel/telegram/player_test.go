package telegram_test

import (
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/telegram"
)

// as makes an adapter as a player's settings say.
func as(settings map[string]string, client channel.Doer) (channel.Adapter, error) {
	return adapter(telegram.New(telegram.Config{
		Token: channel.NewSecret(settings["token"]), Secrets: channel.Secrets{channel.NewSecret(settings["secret"])},
		Username: settings["username"], API: settings["api"], Client: client,
	}))
}

func TestPlayer(t *testing.T) {
	channeltest.RunPlayer(t, channeltest.PlayerSpec{
		Player: telegram.Player, New: as, Group: "-1001234567890",
		Others: play.Config{Secret: "other", Token: "987654:other-token"},
		Acts:   []sotto.EventKind{sotto.EventButton, sotto.EventEdit, sotto.EventReaction, sotto.EventJoin, sotto.EventLeave, sotto.EventBlock, sotto.EventUnblock},
	})
}
