// Package line connects an official account on LINE through the Messaging API
// (August 2026, developers.line.biz/en/reference/messaging-api).
//
// LINE signs the raw bytes of each call with the channel secret, but no time:
// what keeps an old call from counting twice is the delivery key of each event.
// A call may hold events of many people, groups and rooms.
//
// An answer within about a minute goes out under the reply token of the event,
// which is free and good for one call. Everything later is pushed, which LINE
// bills, and carries a retry key by which LINE recognises a repeated push. A
// reply has no such key: see [Config.PushOnly].
//
// LINE takes no files of a bot, tells nobody when a message was read, and
// answers 200 when somebody who has blocked the account is written to: only the
// unfollow event tells of a block. This package does not use multicasts, rich
// menus, flex messages or the module channel's control of chats.
package line

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	// DefaultAPI is where the API is unless Config says otherwise.
	DefaultAPI = "https://api.line.me"
	// DefaultDataAPI is where the contents of messages are fetched.
	DefaultDataAPI = "https://api-data.line.me"

	signatureHeader = "X-Line-Signature"
	retryHeader     = "X-Line-Retry-Key"
)

// Config is what an account needs.
type Config struct {
	// Secrets are the channel secret; give two while one replaces the other.
	// Required.
	Secrets channel.Secrets `yaml:"channel_secret"`
	// Token is the channel access token. Required.
	Token channel.Secret `yaml:"access_token"`
	// ReplyWithin is how long after an event its reply token is tried; later a
	// message is pushed at once. LINE promises about a minute. Default 50s.
	ReplyWithin time.Duration `yaml:"reply_within"`
	// PushOnly leaves reply tokens alone. Every message then counts against the
	// plan's quota, and none can be shown twice: a reply whose outcome is unknown,
	// because this machine stopped in the middle of it, cannot be repeated
	// safely, a push can. Default false.
	PushOnly bool `yaml:"push_only"`
	// API is the address of the Messaging API, default https://api.line.me.
	API string `yaml:"api"`
	// DataAPI is the address of its contents, default https://api-data.line.me.
	DataAPI string `yaml:"data_api"`
	// Pace is how often the account may write; default 2000 calls a second.
	// LINE lets an account write for ever.
	Pace channel.Pace `yaml:",inline"`
	// Timeout bounds each call to the API, default: as long as the caller's
	// context says, and 20s where it says nothing.
	Timeout time.Duration `yaml:"timeout"`
	// Client makes the calls. Required; set by the server.
	Client channel.Doer `yaml:"-"`
	// Now is the clock; default none: a reply token is then tried whatever its
	// age, and clocks are not compared. Set by the server.
	Now func() time.Time `yaml:"-"`
}

// Adapter is one account on LINE. Its zero value verifies and sends nothing.
type Adapter struct {
	mac         *wire.MAC
	token       channel.Secret
	api, data   string
	replyWithin time.Duration
	tokens      *tokens // nil = replies are not used
	timeout     time.Duration
	client      channel.Doer
	now         func() time.Time // may be nil
	traits      channel.Traits

	reply, push, loading wire.Endpoint
}

var (
	_ channel.Adapter   = (*Adapter)(nil)
	_ channel.Typer     = (*Adapter)(nil)
	_ channel.Fetcher   = (*Adapter)(nil)
	_ channel.Checker   = (*Adapter)(nil)
	_ channel.Installer = (*Adapter)(nil)
)

// alternative is what an account without quota may still send.
const alternative = "an answer within a minute of the person's message, which LINE does not count; for more, a larger plan"

// New makes an adapter. The error, of kind invalid, names everything that is
// wrong with c at once and holds no secret.
func New(c Config) (*Adapter, error) {
	a := &Adapter{
		mac: wire.NewMAC(c.Secrets), token: c.Token, replyWithin: cmp.Or(c.ReplyWithin, 50*time.Second),
		timeout: c.Timeout, client: c.Client, now: c.Now,
		traits: channel.Traits{
			Idempotent: c.PushOnly, StableTime: true, NoFiles: true, Alternative: alternative,
			Pace: c.Pace.Or(channel.Pace{PerAccount: channel.Rate{Most: 2000, Per: time.Second}}),
		},
	}
	if !c.PushOnly {
		a.tokens = newTokens()
	}
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if !wire.Usable(c.Secrets) {
		bad("channel_secret: with an empty one anybody could sign")
	}
	if !regexp.MustCompile(`^[!-~]+$`).MatchString(c.Token.Reveal()) {
		bad("access_token: want printable characters without spaces")
	}
	var err error
	if a.api, err = wire.Base(cmp.Or(c.API, DefaultAPI)); err != nil {
		bad("api: %w", err)
	}
	if a.data, err = wire.Base(cmp.Or(c.DataAPI, DefaultDataAPI)); err != nil {
		bad("data_api: %w", err)
	}
	if c.ReplyWithin < 0 {
		bad("reply_within: want more than 0")
	}
	if c.Timeout < 0 {
		bad("timeout: want more than 0")
	}
	if c.Client == nil {
		bad("client: none was set")
	}
	if len(wrong) > 0 {
		return nil, sotto.E("line.new", sotto.KindInvalid, errors.Join(wrong...))
	}
	for _, m := range [...]struct {
		to   *wire.Endpoint
		path string
	}{
		{&a.reply, "/v2/bot/message/reply"},
		{&a.push, "/v2/bot/message/push"},
		{&a.loading, "/v2/bot/chat/loading/start"},
	} {
		if *m.to, err = a.endpoint(http.MethodPost, a.api+m.path); err != nil {
			return nil, sotto.E("line.new", sotto.KindInvalid, fmt.Errorf("api: %w", err))
		}
	}
	return a, nil
}

// endpoint is a method of the API.
func (a *Adapter) endpoint(method, addr string) (wire.Endpoint, error) {
	headers := []string{"Authorization", "Bearer " + a.token.Reveal()}
	if method != http.MethodGet {
		headers = append(headers, "Content-Type", "application/json")
	}
	return wire.NewEndpoint(method, addr, headers...)
}

// Bases are the addresses that the adapter calls.
func (c Config) Bases() []string {
	return []string{cmp.Or(c.API, DefaultAPI), cmp.Or(c.DataAPI, DefaultDataAPI)}
}

// Channel returns "line".
func (*Adapter) Channel() string { return "line" }

// Traits implements [channel.Adapter]. The network shows a message once however
// often it is sent only where it is pushed: see [Config.PushOnly].
func (a *Adapter) Traits() channel.Traits { return a.traits }

// Verify implements [channel.Adapter]: the signature over the raw body must
// stand in its header, once.
func (a *Adapter) Verify(r *channel.Request) error {
	signature, ok := wire.One(r.Header, signatureHeader)
	if !ok || r.Method != http.MethodPost || !a.mac.MatchBase64(signature, "", "", r.Body) {
		return channel.ErrUnverified
	}
	return nil
}
