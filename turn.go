package sotto

import (
	"context"
	"time"
)

// EventKind says what happened.
type EventKind string

// The kinds of events that a channel reports. A bot sees only
// [EventMessage] and [EventButton]; the others are acted on by Sotto itself.
const (
	EventMessage  EventKind = "message"  // a person wrote or sent something
	EventButton   EventKind = "button"   // a person pressed a button or quick reply
	EventEdit     EventKind = "edit"     // a person changed an earlier message
	EventDelete   EventKind = "delete"   // a person deleted an earlier message
	EventReaction EventKind = "reaction" // a person reacted to a message
	EventReceipt  EventKind = "receipt"  // a message was delivered or read
	EventJoin     EventKind = "join"     // a person or the bot joined, or a person started the chat
	EventLeave    EventKind = "leave"    // a person or the bot left
	EventBlock    EventKind = "block"    // a person blocked the bot or unsubscribed
	EventUnblock  EventKind = "unblock"  // a person let the bot write again
	EventOptIn    EventKind = "opt_in"   // a person agreed on the network to a class of messages
	EventOptOut   EventKind = "opt_out"  // a person refused on the network a class of messages
	EventEcho     EventKind = "echo"     // the network repeats what the account itself sent
	EventStandby  EventKind = "standby"  // another application owns the conversation
	EventMigrate  EventKind = "migrate"  // a conversation or person got a new id on the network
	EventOther    EventKind = "other"    // known to be harmless to ignore
)

// Event is one thing that happened in a conversation, as a bot sees it: no
// platform ids, and text masked unless the bot's permit says otherwise.
type Event struct {
	Kind         EventKind
	Person       PersonID
	Conversation ConversationID
	Channel      string    // "telegram"
	Account      string    // the operator's name of the account on the channel
	Text         string    // masked; "" where the event has none
	Payload      string    // what a pressed button carries
	Time         time.Time // when it happened, by the network's clock
	Group        bool      // said in a group
}

// Line is one earlier line of a conversation.
type Line struct {
	FromBot bool
	Text    string // masked
	Time    time.Time
}

// Button is a choice offered below a reply. Channels without buttons show a
// numbered list.
type Button struct {
	Label   string
	Payload string // comes back as [Event.Payload]; at most 64 bytes
}

// Reply is one message from the bot to the person. Placeholders such as
// [EMAIL_1] in Text are put back on the way out, for this person only.
type Reply struct {
	Text    string
	Buttons []Button
}

// Attachment is something sent along that is not text, as it is announced:
// nothing of it was fetched yet, and what it is stands only in the [File].
type Attachment struct {
	Kind string // image, video, audio, file, sticker, location, contact, other
	MIME string // what the sender or the network calls it, which may be wrong; "" where nobody says
	Ext  string // the ending of its name, such as ".pdf"; a name itself may be personal
}

// File is an attachment that was fetched. Where and with which device it was made
// was taken out of images, sound and films; documents are as they were sent. What
// a picture shows or a text says is not masked.
type File struct {
	MIME string // by the content alone
	Data []byte // not to be changed: it is stored after the turn, if files are kept
}

// Turn is one handling of one event: what the bot sees and says. A Turn is
// used by one goroutine at a time and is worth nothing after the bot returned.
type Turn struct {
	Event
	Language string // BCP 47 tag of the language Sotto speaks with the person, such as "en"

	// History returns up to n earlier lines of the conversation, oldest first,
	// masked with the same placeholders as Text. It is nil where there is none.
	History func(ctx context.Context, n int) ([]Line, error)

	// Attachments are what was sent along, for a [MediaBot]; nobody else is told.
	Attachments []Attachment

	// Fetch gets attachment i from the network, for a [MediaBot]; it is nil for
	// others. Asking again is not another download. Kinds of errors: KindInvalid
	// for a file that is too large, damaged, or of a type that is not accepted;
	// KindDenied where the gate refuses; KindNotFound where there is nothing to
	// fetch, as with a location; KindBusy and KindUnavailable for what may pass.
	Fetch func(ctx context.Context, i int) (*File, error)

	replies []Reply
}

// Reply says text to the person. It is sent after the bot returned nil, and
// only if the result of the turn is durable.
func (t *Turn) Reply(text string, buttons ...Button) {
	t.replies = append(t.replies, Reply{Text: text, Buttons: buttons})
}

// Replies returns what the bot has said so far, in order.
func (t *Turn) Replies() []Reply { return t.replies }

// Bot answers events. Turn is called for one event of a conversation at a
// time, and for many conversations at once. An error discards the turn's
// replies; the person is told that something went wrong, and the error is
// logged without its text, which may hold personal data. A process that dies
// during a turn calls Turn again for the same event after its restart.
type Bot interface {
	Turn(ctx context.Context, t *Turn) error
}

// BotFunc lets a function be a [Bot].
type BotFunc func(ctx context.Context, t *Turn) error

// Turn calls f.
func (f BotFunc) Turn(ctx context.Context, t *Turn) error { return f(ctx, t) }

// MediaBot is a [Bot] that can do something with what people send along. If
// Media returns true it gets messages that have no text too, with their
// [Turn.Attachments]; other bots never see those, and the person is told to write
// in words. Media is asked once, at the start.
type MediaBot interface {
	Bot
	Media() bool
}

// MediaFunc lets a function be a [MediaBot].
type MediaFunc func(ctx context.Context, t *Turn) error

// Turn calls f.
func (f MediaFunc) Turn(ctx context.Context, t *Turn) error { return f(ctx, t) }

// Media returns true.
func (MediaFunc) Media() bool { return true }
