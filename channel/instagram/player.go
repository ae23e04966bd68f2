package instagram

import (
	"github.com/sotto-chat/sotto/channel/meta/inboxplay"
	"github.com/sotto-chat/sotto/channel/play"
)

// Player returns Instagram as the bot of a professional account meets it, over
// the API of Instagram itself. People's ids are digits.
func Player(c play.Config) play.Player {
	return inboxplay.New(inboxplay.Network{
		Channel: "instagram", Object: "instagram", Account: "17840000000000001", IDKey: "account_id",
		Limit: 1000, Bytes: true, Seen: true,
	}, c)
}
