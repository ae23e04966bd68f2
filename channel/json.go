package channel

import (
	"cmp"
	"encoding/json"
	"io"
	"time"
)

// line is the form of an event for people and scripts.
type line struct {
	Kind         string `json:"kind"`
	Sender       string `json:"sender_id"`
	Conversation string `json:"conversation_id"`
	Message      string `json:"message_id"`
	Text         string `json:"text"`
	Time         string `json:"time"`
}

// WriteJSON writes one line of JSON for each event of b: kind, sender_id,
// conversation_id, message_id, text, and time in RFC 3339, UTC, "" where the
// network gives none. message_id names the message in the body itself; of an
// edit, a deletion or a reaction that has no id of its own, the message it is
// about. For each part that was not understood there is a line of kind "unknown".
// The output is personal data in clear.
func WriteJSON(w io.Writer, b Batch) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range b.Events {
		e := &b.Events[i]
		l := line{
			Kind: string(e.Kind), Sender: e.Sender, Conversation: e.Conversation,
			Message: cmp.Or(e.Own, e.ID), Text: e.Text,
		}
		if !e.Time.IsZero() {
			l.Time = e.Time.UTC().Format(time.RFC3339Nano)
		}
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	for range b.Unknown {
		if err := enc.Encode(line{Kind: "unknown"}); err != nil {
			return err
		}
	}
	return nil
}
