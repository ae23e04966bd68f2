package discord

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/sotto-chat/sotto/channel/play"
)

// Heard implements [play.Listener]. Discord reads the answer to an interaction:
// without one of the kinds that it knows it tells the person that the
// interaction failed. A message in the answer is shown at once, and a promise of
// one shows the bot as thinking.
func (*player) Heard(w play.Webhook, status int, header http.Header, body []byte) ([]play.Shown, error) {
	var call struct {
		Token   string `json:"token"`
		Channel string `json:"channel_id"`
	}
	if status/100 != 2 {
		return nil, fmt.Errorf("status %d", status)
	}
	if err := json.Unmarshal(w.Body, &call); err != nil {
		return nil, fmt.Errorf("the call: %w", err)
	}
	if call.Token == "" { // not an interaction: any success is right
		return nil, nil
	}
	var said struct {
		Type int           `json:"type"`
		Data playedMessage `json:"data"`
	}
	if !strings.HasPrefix(header.Get("Content-Type"), "application/json") || json.Unmarshal(body, &said) != nil {
		return nil, errors.New("this interaction failed: the answer is no JSON")
	}
	switch said.Type {
	case 4, 7: // a message, and another one in the place of that with the button
		if strings.TrimSpace(said.Data.Content) == "" || utf8.RuneCountInString(said.Data.Content) > 2000 {
			return nil, errors.New("this interaction failed: want a content of up to 2000 characters")
		}
		return said.Data.shown(call.Channel, ""), nil
	case 5:
		return []play.Shown{{Kind: "typing", To: call.Channel}}, nil
	case 6, 8, 9:
		return nil, nil
	}
	return nil, fmt.Errorf("this interaction failed: it cannot be answered with type %d", said.Type)
}
