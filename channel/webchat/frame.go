package webchat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"github.com/sotto-chat/sotto/channel"
)

// shown is one line as the page gets it.
type shown struct {
	ID      string       `json:"id"`
	At      int64        `json:"at"` // milliseconds since 1970
	Text    string       `json:"text,omitempty"`
	Buttons []shownPress `json:"buttons,omitempty"`
	File    *shownFile   `json:"file,omitempty"`
}

type shownPress struct {
	Label   string `json:"label"`
	Payload string `json:"payload"`
}

type shownFile struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
	Path  string `json:"path"` // below /chat/
}

// messageFrame is what the bot said.
func messageFrame(id string, m *channel.Outgoing, token string, at time.Time) []byte {
	s := shown{ID: lineID(id, m.Key), At: at.UnixMilli(), Text: m.Text}
	for _, b := range m.Buttons {
		s.Buttons = append(s.Buttons, shownPress{Label: b.Label, Payload: b.Payload})
	}
	if m.File != nil {
		s.File = &shownFile{Name: m.File.Name, Bytes: len(m.File.Data), Path: "files/" + token}
	}
	return frame(id, "message", &s)
}

// lineID names a message for the page, which shows each name once. It comes
// from the message's key, so that a message sent again after a restart of the
// process is still shown once on a page that stayed open.
func lineID(id, key string) string {
	if key == "" {
		return id
	}
	sum := sha256.Sum256([]byte("sotto webchat line\x00" + key))
	return hex.EncodeToString(sum[:12])
}

// saidFrame is what the visitor said. Its id is the page's own.
func saidFrame(id string, m *said, at time.Time) []byte {
	text := m.Text
	if text == "" {
		text = m.Label
	}
	return frame(id, "said", &shown{ID: m.ID, At: at.UnixMilli(), Text: text})
}

// frame writes one server-sent event. JSON has no line breaks outside its
// strings and escapes them inside, so the data is always one line.
func frame(id, event string, data *shown) []byte {
	j, err := json.Marshal(data)
	if err != nil { // strings and numbers: cannot fail
		j = []byte("{}")
	}
	b := make([]byte, 0, len(j)+len(id)+len(event)+24)
	if id != "" {
		b = append(append(append(b, "id: "...), id...), '\n')
	}
	b = append(append(append(b, "event: "...), event...), '\n')
	b = append(append(append(b, "data: "...), j...), '\n', '\n')
	return b
}

// retryFrame tells the browser how long to wait before it connects again, a
// little different for each, so that a restart is not followed by all at once.
func retryFrame(spread byte) []byte {
	return []byte("retry: " + strconv.Itoa(1000+8*int(spread)) + "\n\n")
}
