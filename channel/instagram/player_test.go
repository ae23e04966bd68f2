package instagram_test

import (
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/instagram"
	"github.com/sotto-chat/sotto/channel/play"
)

// as makes an adapter as a player's settings say.
func as(s map[string]string, client channel.Doer) (channel.Adapter, error) {
	a, err := instagram.New(instagram.Config{
		AccountID: s["account_id"], AppID: s["app_id"], AppSecrets: channel.Secrets{channel.NewSecret(s["app_secret"])},
		VerifyToken: channel.NewSecret(s["verify_token"]), AccessToken: channel.NewSecret(s["access_token"]),
		API: s["api"], Media: []string{s["media"]}, Client: client,
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

func TestPlayer(t *testing.T) {
	channeltest.RunPlayer(t, channeltest.PlayerSpec{
		Player: instagram.Player, New: as,
		Others: play.Config{Secret: "another secret", Token: "IGAAanother"},
		Acts: []sotto.EventKind{
			sotto.EventButton, sotto.EventEdit, sotto.EventDelete, sotto.EventReaction, sotto.EventReceipt, sotto.EventEcho,
		},
	})
}
