package journal

import (
	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/codec"
)

// eventForm is the version of the form in which events are sealed.
const eventForm = 2

// EncodeEvent returns the plain form of an event, to be sealed.
func EncodeEvent(e *channel.Event) []byte {
	w := codec.NewWriter(eventForm, 160+len(e.Text)+len(e.Payload)+len(e.Delivery))
	w.Str(string(e.Kind))
	for _, s := range [...]string{e.ID, e.Delivery, e.Account, e.Sender, e.Conversation, e.Text, e.Payload, e.Callback, e.Handle, e.Alias, e.Language} {
		w.Str(s)
	}
	w.Time(e.Time)
	w.Flag(e.Group)
	w.Flag(e.Addressed)
	w.Flag(e.Self)
	w.Len(len(e.Attachments))
	for i := range e.Attachments {
		a := &e.Attachments[i]
		for _, s := range [...]string{a.Kind, a.ID, a.MIME, a.Name, a.Sum} {
			w.Str(s)
		}
	}
	return w.Bytes()
}

// DecodeEvent reads what [EncodeEvent] made. Anything else is an error of
// [sotto.KindCorrupt].
func DecodeEvent(b []byte, e *channel.Event) error {
	r := codec.NewReader(b, eventForm)
	e.Kind = sotto.EventKind(r.Str())
	for _, s := range [...]*string{&e.ID, &e.Delivery, &e.Account, &e.Sender, &e.Conversation, &e.Text, &e.Payload, &e.Callback, &e.Handle, &e.Alias, &e.Language} {
		*s = r.Str()
	}
	e.Time = r.Time()
	e.Group = r.Flag()
	e.Addressed = r.Flag()
	e.Self = r.Flag()
	if n := r.Len(); n > 0 {
		e.Attachments = make([]channel.Attachment, n)
	}
	for i := range e.Attachments {
		a := &e.Attachments[i]
		for _, s := range [...]*string{&a.Kind, &a.ID, &a.MIME, &a.Name, &a.Sum} {
			*s = r.Str()
		}
	}
	return r.End()
}
