package channel

import "context"

// The interfaces of this file are abilities that some networks have and others
// lack. An adapter implements those that its network knows.

// Handshaker is implemented by adapters whose network asks questions on the
// webhook address: answered is false where r is an ordinary call. For GET
// requests Verify is not called before it; for POST it has succeeded. An
// ErrUnverified is answered 401 (or 403) without a body.
type Handshaker interface {
	Handshake(r *Request) (resp *Response, answered bool, err error)
}

// Answerer is implemented by adapters whose network reads the answer to an
// ordinary call. Answer is called after the events of the batch are durable;
// nil is an empty 200.
type Answerer interface {
	Answer(r *Request, b Batch) *Response
}

// Typer is implemented by adapters that can show that the bot is typing. It
// sees the message that is being answered, of which Conversation, ReplyTo and
// Handle are set.
type Typer interface {
	Typing(ctx context.Context, m *Outgoing) error
}

// Acknowledger is implemented by adapters whose network wants a button press
// acknowledged apart from the answer.
type Acknowledger interface {
	Acknowledge(ctx context.Context, callback string) error
}

// Fetcher is implemented by adapters whose network carries attachments. Fetch
// gets one, from the network's own hosts only and without following a redirect
// to any other; no credential goes to a host that is not the API's. It returns
// at most limit bytes, and a *SendError of class Bad with code "too_large" where
// there are more, "host" where the address is not the network's. Where the
// attachment has a Sum the bytes have been compared with it.
type Fetcher interface {
	Fetch(ctx context.Context, a Attachment, limit int64) ([]byte, error)
}

// Forgetter is implemented by adapters that hold something of a conversation in
// memory. Forget drops it; it is called when the person is erased.
type Forgetter interface {
	Forget(conversation string)
}

// Checker is implemented by adapters that can probe their account on the
// network: the token, what it is allowed to do, the webhook, and how far the
// clocks are apart. It changes nothing there. The error is a *SendError where
// the network could not be asked at all.
type Checker interface {
	Check(ctx context.Context, want Installation) ([]Finding, error)
}

// Finding is one thing that was looked at.
type Finding struct {
	OK   bool
	Text string // one sentence in plain words; no secret, nothing of a message
	Fix  string // where it is wrong: what to do, and where to click
}

// Installer is implemented by adapters that can be set up over the network's
// API. Install asks the network how things stand and returns all steps in
// order, also those that are done already; it changes nothing until a step's Do
// is called. Doing a step twice does no harm.
type Installer interface {
	Install(ctx context.Context, want Installation) ([]Step, error)
}

// Installation is how an account should be set up.
type Installation struct {
	Webhook  string    // the public address of the webhook
	Privacy  string    // the public address of the privacy notice
	Commands []Command // for the network's menu
}

// Command is one entry of the menu that a network shows for a bot.
type Command struct {
	Name string // without a slash: "privacy"
	Text string // one short line
}

// Step is one step of setting an account up.
type Step struct {
	Text string // what the step does, in plain words: "Set the webhook to https://…"
	Done bool   // it is so already
	Hand string // the step can only be made by hand: what to do, and where to click
	Do   func(ctx context.Context) error
}

// DataDeleter is implemented by adapters whose network passes on that a person
// wants their data deleted, or has taken the app's permission back, on an
// address of its own. DataDeletion proves the call and returns the network's id
// of the person, which may be another than that of their messages;
// ErrUnverified is all it says of a call that does not prove its sender.
// Confirmation is the answer that the network expects: url shows what became
// of the request, and code names it.
type DataDeleter interface {
	DataDeletion(r *Request) (user string, err error)
	Confirmation(url, code string) *Response
}
