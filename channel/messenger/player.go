package messenger

import (
	"github.com/sotto-chat/sotto/channel/meta/inboxplay"
	"github.com/sotto-chat/sotto/channel/play"
)

// Player returns Messenger as a page's bot meets it. People's ids are digits.
func Player(c play.Config) play.Player {
	return inboxplay.New(inboxplay.Network{
		Channel: "messenger", Object: "page", Account: "900000000000001", IDKey: "page_id",
		Limit: 2000, Typed: true, Files: true, OptIns: true, Welcome: true,
	}, c)
}
