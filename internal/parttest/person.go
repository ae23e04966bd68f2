package parttest

import (
	"context"
	"fmt"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// Person is the pseudonym of a user of [Account].
func (h *House) Person(user string) sotto.PersonID {
	return h.Vault.PersonID("telegram", Account, user)
}

// Conversation is the pseudonym of a user's own chat.
func (h *House) Conversation(user string) sotto.ConversationID {
	return h.Vault.ConversationID("telegram", Account, "chat-"+user)
}

// Event is a new message of a user in their own chat.
func (h *House) Event(user, text string) channel.Event {
	n := h.seq.Add(1)
	return channel.Event{
		Kind: sotto.EventMessage, ID: fmt.Sprint("m", n), Delivery: fmt.Sprint("d", n), Sender: user, Conversation: "chat-" + user,
		Text: text, Time: h.Now(), Language: "en",
	}
}

// Receive hands events in as a webhook does.
func (h *House) Receive(events ...channel.Event) {
	h.T.Helper()
	h.Must(h.Inbox.Receive(context.Background(), Account, events))
}

// Say has a user write something.
func (h *House) Say(user, text string) {
	h.T.Helper()
	h.Receive(h.Event(user, text))
}

// Press has a user press a button.
func (h *House) Press(user, payload string) {
	h.T.Helper()
	ev := h.Event(user, "")
	ev.Kind, ev.Payload = sotto.EventButton, payload
	h.Receive(ev)
}

// Meet has a user say hello, and returns when the notice and the answer are sent.
func (h *House) Meet(users ...string) {
	h.T.Helper()
	for _, u := range users {
		before := len(h.Net.Sent())
		h.Say(u, "hello")
		h.WaitSent(before + 2)
	}
	h.WaitIdle()
}

// patience is how long a test waits for something that must happen.
const patience = 20 * time.Second

// WaitSent waits until n messages were sent, and returns all.
func (h *House) WaitSent(n int) []channel.Outgoing {
	h.T.Helper()
	h.Wait(func() bool { return len(h.Net.Sent()) >= n }, fmt.Sprintf("%d messages are sent", n))
	return h.Net.Sent()
}

// WaitIdle waits until nothing waits to be handled, sent or deleted.
func (h *House) WaitIdle() {
	h.T.Helper()
	h.Wait(func() bool {
		return h.Rows("journal_event")+h.Rows("outbox")+h.Rows("lifecycle_erasure") == 0 && h.Outbox.Held() == 0
	}, "nothing waits")
}

// Wait waits until something is so.
func (h *House) Wait(so func() bool, what string) {
	h.T.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !so() {
		select {
		case <-h.Net.news:
		case <-look.C:
		case <-deadline.C:
			h.T.Fatalf("waited in vain until %s; sent so far: %+v\nlog:\n%s", what, h.Net.Sent(), h.LogText())
		}
	}
}

// Rows counts the rows of a table.
func (h *House) Rows(table string) int {
	h.T.Helper()
	var n int
	h.Must(h.DB.QueryRow(context.Background(), "SELECT count(*) FROM "+table).Scan(&n)) // the test's own word
	return n
}

// LogText is what was logged.
func (h *House) LogText() string {
	h.logs.mu.Lock()
	defer h.logs.mu.Unlock()
	return h.logs.b.String()
}

// Texts are the texts of messages.
func Texts(sent []channel.Outgoing) []string {
	out := make([]string, len(sent))
	for i := range sent {
		out[i] = sent[i].Text
	}
	return out
}
