// Package play is the other side of package channel: a network as a bot meets
// it. A [Player] words and signs the webhooks of one network and answers its
// API as the network does, so that a bot can be tried, and a story told, without
// an account and without a connection to the outside.
//
// A player knows what Sotto uses of its network, keeps nothing that it is told,
// and refuses what the network would refuse for its form: a wrong token, a text
// that is too long, a missing field. It does not judge content or policy. It
// decides for itself from what the network's documentation says, and shares no
// code with the adapter that it is played against.
//
// The loopback server, its misbehaviour and its scripts are in package
// [github.com/sotto-chat/sotto/channel/sim].
package play

import (
	"errors"
	"net/http"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// ErrNoSuch says that the network knows no such act.
var ErrNoSuch = errors.New("this network has no such event")

// Config is what a player needs. Every field has a default; those of the
// credentials look like credentials and are none.
type Config struct {
	Secret string           // signs webhooks; for Discord the seed of the key pair, 64 hexadecimal digits
	Token  string           // the bot's at the network's API
	Now    func() time.Time // default: the machine's clock
}

// Act is what somebody does on the network.
type Act struct {
	Kind      sotto.EventKind // message, button, edit, delete, reaction, receipt, join, leave, block, unblock, opt_in, opt_out, echo, migrate
	User      string          // the network's id of the person; default a valid one
	Text      string
	Payload   string // of a button; of a migration the new id
	ID        string // of the message that it is about: an edit, a deletion, a reaction, a press
	ReplyTo   string // of the message that is answered
	Group     string // the network's id of a group; "" = one to one
	Addressed bool   // in a group: said to the bot
	File      *channel.File
}

// Webhook is a call as the network makes it.
type Webhook struct {
	Method string // default POST
	Query  string // of a GET
	Header http.Header
	Body   []byte
	ID     string // the network's id of the new message; "" = there is none
}

// Shown is one thing that the bot did, as people on the network see it.
type Shown struct {
	Kind    string // message, edit, typing, acknowledged, seen, setup
	To      string // the network's id of the conversation
	ID      string // of the message
	ReplyTo string
	Text    string
	Buttons []sotto.Button
	File    *channel.File
}

// Player is one network.
type Player interface {
	Channel() string

	// Settings are the section of an account under which a Sotto trusts this
	// player: the keys of the adapter's Config, and as values text, with base
	// as the address of every API.
	Settings(base string) map[string]string

	// Webhook words and signs what somebody does; ErrNoSuch where the network
	// does not tell a bot of such a thing.
	Webhook(a Act) (Webhook, error)

	// Questions are the calls by which the network makes sure of an address
	// when a webhook is set, and Answered whether a bot's answer to one is right.
	Questions() []Webhook
	Answered(w Webhook, status int, header http.Header, body []byte) error

	// Serve answers one call of the network's API, whose body was read, and
	// returns what people see of it. The paths are those of the real API.
	Serve(w http.ResponseWriter, r *http.Request, body []byte) []Shown

	// Refuse answers a call as the network does when it is asked too often
	// (429, with the time to wait) or is out of order (500 and above).
	Refuse(w http.ResponseWriter, status int, after time.Duration)
}

// Listener is implemented by players of networks that read the answer to an
// ordinary call. Heard returns what people see of it, and an error where the
// network would refuse the answer. For other networks any 2xx is right.
type Listener interface {
	Heard(w Webhook, status int, header http.Header, body []byte) ([]Shown, error)
}

// Sender is implemented by players that remember what is sent, such as keys
// that are good for once. Sends reports, without remembering anything, whether
// a call would show people a message: a network that is out of order then
// refuses it untouched.
type Sender interface {
	Sends(r *http.Request, body []byte) bool
}
