package channeltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// The channels that a [Network] plays.
const (
	Telegram  = "telegram"
	Messenger = "messenger"
)

// What a [Network] expects of a bot unless its configuration says otherwise.
// They look like credentials and are none.
const (
	TelegramToken   = "123456789:test-bot-token-of-the-fake-network"
	TelegramSecret  = "test-webhook-secret" //nolint:gosec // made up
	MessengerToken  = "EAAtest-page-token-of-the-fake-network"
	MessengerSecret = "test-app-secret"
	VerifyToken     = "test-verify-token"
	PageID          = "900000000000001"
	BotUsername     = "sotto_test_bot"
)

// NetworkConfig says how a [Network] plays. The zero value is a network that
// records nothing and accepts the credentials above.
type NetworkConfig struct {
	// Addr is where it listens, default 127.0.0.1:0: any free port of this
	// machine.
	Addr string
	// Record keeps what bots send, for [Network.Sent]. Without it nothing is
	// kept and bodies are not looked into: for measuring load. Default false.
	Record bool
	// TelegramToken and TelegramSecret are the bot's token and the webhook's
	// secret, default those of this package.
	TelegramToken, TelegramSecret string
	// MessengerToken and MessengerSecret are the page's token and the app's
	// secret, default those of this package.
	MessengerToken, MessengerSecret string
	// PageID is the page that people write to, default that of this package.
	PageID string
	// Client delivers the webhooks, default one that reuses connections.
	Client channel.Doer
	// Now is the clock, default the machine's.
	Now func() time.Time
}

func (c *NetworkConfig) fill() {
	for _, f := range []struct {
		field *string
		value string
	}{
		{&c.Addr, "127.0.0.1:0"},
		{&c.TelegramToken, TelegramToken},
		{&c.TelegramSecret, TelegramSecret},
		{&c.MessengerToken, MessengerToken},
		{&c.MessengerSecret, MessengerSecret},
		{&c.PageID, PageID},
	} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the default of a tool for tests
	}
	if c.Client == nil {
		c.Client = &http.Client{
			Timeout:   30 * time.Second,
			Transport: &http.Transport{MaxIdleConns: 512, MaxIdleConnsPerHost: 512},
		}
	}
}

// Call is one call that a bot made.
type Call struct {
	Channel      string
	Method       string // Telegram's method; for Messenger the path, such as "me/messages"
	Conversation string
	Text         string // or the caption of a file
	Buttons      []sotto.Button
	ReplyTo      string
	File         *channel.File // of an upload
	Action       string        // "typing" and the like, "" for a message
	Callback     string        // of an acknowledged button
	ID           string        // what the network called the message
	Fault        bool          // the network misbehaved on this call
	Time         time.Time
}

// Network plays Telegram and Messenger on this machine. All methods may be
// called from many goroutines.
type Network struct {
	conf   NetworkConfig
	server *http.Server
	url    string
	stop   chan struct{} // closed by Close; ends hanging calls
	once   sync.Once

	next  atomic.Int64 // ids of messages and updates
	total atomic.Int64

	faulty atomic.Bool // there are faults; checked without the lock
	mu     sync.Mutex
	faults []*Fault
	sent   []Call
	files  map[string][]byte // that users sent, by id
	wake   chan struct{}     // closed and replaced when something was sent
}

// NewNetwork starts a network. End it with Close.
func NewNetwork(c NetworkConfig) (*Network, error) {
	c.fill()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", c.Addr)
	if err != nil {
		return nil, fmt.Errorf("fake network: %w", err)
	}
	n := &Network{conf: c, url: "http://" + l.Addr().String(), stop: make(chan struct{}), wake: make(chan struct{})}
	n.next.Store(1000)
	n.server = &http.Server{Handler: n, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = n.server.Serve(l) }()
	return n, nil
}

// URL is the address of both APIs, for the adapters' API setting.
func (n *Network) URL() string { return n.url }

// Close ends the network and all its connections.
func (n *Network) Close() error {
	n.once.Do(func() { close(n.stop) })
	if err := n.server.Close(); err != nil {
		return fmt.Errorf("fake network: %w", err)
	}
	return nil
}

// Count returns how many calls bots made, recorded or not.
func (n *Network) Count() int64 { return n.total.Load() }

// Sent returns what was recorded, oldest first.
func (n *Network) Sent() []Call {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.sent)
}

// Messages returns the recorded messages to a conversation, without typing,
// acknowledgements, and calls on which the network misbehaved.
func (n *Network) Messages(channelName, conversation string) []Call {
	return slices.DeleteFunc(n.Sent(), func(c Call) bool { return !c.message(channelName, conversation) })
}

func (c *Call) message(channelName, conversation string) bool {
	return c.Channel == channelName && c.Conversation == conversation && !c.Fault &&
		c.Action == "" && c.Callback == "" && (c.Text != "" || c.File != nil)
}

// Forget drops what was recorded.
func (n *Network) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = nil
}

// Wait returns the messages to a conversation as soon as there are at least
// want of them. When ctx ends first it returns what there is and an error.
func (n *Network) Wait(ctx context.Context, channelName, conversation string, want int) ([]Call, error) {
	for {
		n.mu.Lock()
		wake := n.wake
		n.mu.Unlock()
		got := n.Messages(channelName, conversation)
		if len(got) >= want {
			return got, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return got, fmt.Errorf("fake network: %d of %d messages: %w", len(got), want, ctx.Err())
		case <-n.stop:
			return got, errors.New("fake network: closed")
		}
	}
}

func (n *Network) record(c Call) {
	c.Time = n.conf.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, c)
	close(n.wake)
	n.wake = make(chan struct{})
}

// Fault is a misbehaviour. The zero value answers as usual.
type Fault struct {
	Channel string        // which network misbehaves, "" = both
	Times   int           // on how many calls, default 1; negative: until [Network.Heal]
	Skip    int           // how many calls go well before
	Delay   time.Duration // waits before it answers, or before it resets
	Hang    bool          // never answers
	Reset   bool          // takes the whole request, then breaks the connection
	Done    bool          // carries the call out, and records it as done, before it misbehaves
	Status  int           // answers with this status, 0 = as usual
	Body    string        // and this body, default the network's own error for the status
	After   int           // Retry-After in seconds; Telegram says it in its body as well
}

// Fail adds a misbehaviour; they are used up in the order of adding.
func (n *Network) Fail(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = append(n.faults, &f)
	n.faulty.Store(true)
}

// Heal ends all misbehaviour.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = nil
	n.faulty.Store(false)
}

// fault takes the next misbehaviour for a call, nil if there is none.
func (n *Network) fault(channelName string) *Fault {
	if !n.faulty.Load() {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, f := range n.faults {
		if f.Channel != "" && f.Channel != channelName {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			return nil
		}
		use := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				n.faults = slices.Delete(n.faults, i, i+1)
				n.faulty.Store(len(n.faults) > 0)
			}
		}
		return &use
	}
	return nil
}
