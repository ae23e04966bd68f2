package outbox

import (
	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/codec"
)

// Message is what is sealed: one message to one conversation.
type Message struct {
	To       string // the network's id of the conversation
	Text     string
	Buttons  []sotto.Button
	ReplyTo  string
	Handle   string // of the event answered; see [channel.Outgoing]
	File     *channel.File
	Notice   string // of a Notice: its version
	Language string // of a Notice: the language it was given in
}

// messageForm is the version of the form in which messages are sealed.
const messageForm = 2

// encode returns the plain form of a message, to be sealed.
func (m *Message) encode() []byte {
	size := 64 + len(m.Text)
	if m.File != nil {
		size += len(m.File.Data)
	}
	w := codec.NewWriter(messageForm, size)
	for _, s := range [...]string{m.To, m.Text, m.ReplyTo, m.Handle, m.Notice, m.Language} {
		w.Str(s)
	}
	w.Len(len(m.Buttons))
	for _, b := range m.Buttons {
		w.Str(b.Label)
		w.Str(b.Payload)
	}
	w.Flag(m.File != nil)
	if m.File != nil {
		w.Str(m.File.Name)
		w.Str(m.File.MIME)
		w.Raw(m.File.Data)
	}
	return w.Bytes()
}

// Decode reads the plain form of a message. Anything else is an error of
// [sotto.KindCorrupt].
func (m *Message) Decode(b []byte) error {
	r := codec.NewReader(b, messageForm)
	for _, s := range [...]*string{&m.To, &m.Text, &m.ReplyTo, &m.Handle, &m.Notice, &m.Language} {
		*s = r.Str()
	}
	if n := r.Len(); n > 0 {
		m.Buttons = make([]sotto.Button, n)
	}
	for i := range m.Buttons {
		m.Buttons[i] = sotto.Button{Label: r.Str(), Payload: r.Str()}
	}
	if r.Flag() {
		m.File = &channel.File{Name: r.Str(), MIME: r.Str(), Data: r.Raw()}
	}
	return r.End()
}
