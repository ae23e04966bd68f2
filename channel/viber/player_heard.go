package viber

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/sotto-chat/sotto/channel/play"
)

// Heard implements [play.Listener]. Viber reads the answer where somebody opens
// the chat: a message in it is the bot's welcome. It takes no other notice of an
// answer than of its status, which has to be 200.
func (*player) Heard(w play.Webhook, status int, _ http.Header, body []byte) ([]play.Shown, error) {
	var call struct {
		Event string `json:"event"`
		User  struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("status %d, want 200", status)
	}
	if err := json.Unmarshal(w.Body, &call); err != nil {
		return nil, fmt.Errorf("the call: %w", err)
	}
	if call.Event != "conversation_started" || len(body) == 0 {
		return nil, nil
	}
	var said struct {
		Type   string `json:"type"`
		Text   string `json:"text"`
		Sender struct {
			Name string `json:"name"`
		} `json:"sender"`
	}
	if json.Unmarshal(body, &said) != nil || said.Type != "text" || said.Text == "" || said.Sender.Name == "" {
		return nil, errors.New("the welcome is not as Viber wants it: a text, and a sender with a name")
	}
	return []play.Shown{{Kind: "message", To: call.User.ID, Text: said.Text}}, nil
}
