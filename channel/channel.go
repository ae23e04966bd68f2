// Package channel is the contract between Sotto and a social network.
//
// An adapter turns the network's webhooks into events and replies into the
// network's API calls. It proves the sender, understands the bytes, and sorts
// the network's errors; it keeps nothing, decides nothing about privacy, and
// never logs. One folder per network, with its own Config, and one conformance
// suite for all of them (package channeltest).
package channel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sotto-chat/sotto"
)

// Event is one thing that happened, as the network tells it. It holds platform
// ids and clear text: it is sealed before it is stored, and a bot never sees it.
//
// The Payload of an opt-in or opt-out is the class of messages that it is about:
// "" for all, and a word that begins with "marketing" for advertising only,
// which keeps nobody from getting answers.
type Event struct {
	Kind         sotto.EventKind `json:"k"`
	ID           string          `json:"i,omitempty"` // the network's id of the message it is about; "" where it gives none
	Own          string          `json:"-"`           // the network's id of this very event, where that is another than ID; for people who look at a body, and not kept
	Delivery     string          `json:"d"`           // names this event on this account for ever: the de-duplication key; never empty
	Account      string          `json:"a,omitempty"` // the network's own id of the receiving account, where the body names it
	Sender       string          `json:"s,omitempty"` // the network's id of the person
	Conversation string          `json:"c,omitempty"` // the network's id of the chat; replies go there
	Text         string          `json:"t,omitempty"`
	Payload      string          `json:"p,omitempty"` // of a pressed button; of a migration the new id, see [Traits.Migrates]
	Callback     string          `json:"b,omitempty"` // a press that the network wants acknowledged, see Acknowledger
	Handle       string          `json:"h,omitempty"` // what an answer to this very event may be sent under, for a while; see [Outgoing.Handle]
	Alias        string          `json:"n,omitempty"` // another id of the person on this network, told with the first; see [Traits.Migrates]
	Time         time.Time       `json:"w"`           // by the network's clock; zero where it gives none
	Group        bool            `json:"g,omitempty"`
	Addressed    bool            `json:"m,omitempty"` // in a group: said to the bot (command, mention, reply)
	Self         bool            `json:"z,omitempty"` // of a join or leave: it is the bot itself that came or went
	Language     string          `json:"l,omitempty"` // BCP 47, where the network tells it
	Attachments  []Attachment    `json:"f,omitempty"`
}

// Attachment is something sent along that is not text.
type Attachment struct {
	Kind string `json:"k"`           // image, video, audio, file, sticker, location, contact, other
	ID   string `json:"i,omitempty"` // the network's id or address of it, which [Fetcher] takes
	MIME string `json:"m,omitempty"`
	Name string `json:"n,omitempty"`
	Sum  string `json:"s,omitempty"` // SHA-256 in lower-case hexadecimal digits, where the network tells it
}

// Batch is what one webhook body says.
type Batch struct {
	Events  []Event
	Unknown int // parts of an unknown kind, passed over
}

// Request is a webhook call whose body was read once, bounded.
type Request struct {
	Method string
	Header http.Header
	Query  url.Values
	Body   []byte
	Now    time.Time
}

// Response is what the network is answered instead of an empty 200.
type Response struct {
	Status      int
	ContentType string
	Body        []byte
}

// ErrUnverified is the only thing that Verify says of a call that does not
// prove its sender. It is the same for every cause, and holds nothing of the call.
var ErrUnverified = errors.New("the sender is not proven")

// Adapter is one account on one network.
//
// Verify proves over the raw body, in constant time, that the network sent the
// call: nil or ErrUnverified. It is called before Decode, on POST only.
//
// Decode reads a body. It needs no configuration. A kind that it does not know
// is counted, one event that does not decode never spoils the others, and an
// error means that the body as a whole is not of this network; its text holds
// nothing of the body. It must not panic on any bytes.
//
// Send makes one API call for one message. It does not retry. A failure is a
// *SendError. If ctx ends, or the connection breaks after the request was
// written, the class is Unknown.
//
// Traits says what is peculiar to the network and the account; it is the same
// for as long as the adapter lives.
type Adapter interface {
	Channel() string
	Traits() Traits
	Verify(r *Request) error
	Decode(body []byte) (Batch, error)
	Send(ctx context.Context, m *Outgoing) (Sent, error)
}

// Doer makes HTTP requests. *http.Client and the egress client are Doers; an
// adapter gets one from its Config and uses nothing else to reach the network.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Outgoing is one message to a conversation.
type Outgoing struct {
	Conversation string // the network's id of the chat
	Text         string
	Buttons      []sotto.Button
	ReplyTo      string // the network's id of the message answered; "" = none
	Handle       string // [Event.Handle] of the event answered; "" = none. It may have run out or been used
	File         *File
	Key          string // the same for every attempt at this message: the idempotency key where the network has one
}

// File is a document sent to a person.
type File struct {
	Name string
	MIME string
	Data []byte
}

// Sent is the network's receipt.
type Sent struct {
	ID       string // the network's id of the message, "" where it gives none
	Numbered bool   // the buttons went out as a numbered list: a number will come back as text
}

// Class says what a failed send means for the next attempt.
type Class uint8

// The classes of failed sends.
const (
	Retry   Class = iota + 1 // not sent; try again, not before RetryAfter
	Unknown                  // may have been sent
	Window                   // outside the time in which the network lets a bot write
	Gone                     // the person cannot be reached any more: blocked, deleted, left
	Auth                     // our credentials are refused: stop the account
	Bad                      // the network will never take this message
)

func (c Class) String() string {
	switch c {
	case Retry:
		return "retry"
	case Unknown:
		return "unknown"
	case Window:
		return "window"
	case Gone:
		return "gone"
	case Auth:
		return "auth"
	case Bad:
		return "bad"
	}
	return "invalid"
}

// SendError is a failed send. It never holds the request, its address, or text
// of the network's answer: only numbers and short code words.
type SendError struct {
	Class      Class
	Status     int    // HTTP status, 0 where there was no answer
	Code       string // the network's error code, as it names it: [a-z0-9_./-] and at most 40 bytes
	RetryAfter time.Duration
}

func (e *SendError) Error() string {
	return fmt.Sprintf("send: %s (status %d, code %q)", e.Class, e.Status, e.Code)
}
