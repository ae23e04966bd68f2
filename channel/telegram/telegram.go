// Package telegram connects a bot on Telegram through the Bot API (version
// 9.4, February 2026, core.telegram.org/bots/api; it knows the kinds of updates
// that came with 10.0 as well).
//
// Telegram proves itself with a secret in a header, not with a signature: the
// secret covers neither the body nor the time, so serve the webhook over TLS
// only, and on a path that nobody can guess. Updates are told apart by their
// update_id. Set the webhook with allowed_updates that name my_chat_member, or
// blocks stay unseen, and message_reaction if reactions matter.
//
// Texts go out as plain text without previews of links, so that Telegram
// fetches no address that a person was told in confidence. The bot's token
// stands in the path of every call; no error of this package shows a path.
//
// [Player] is the other side: Telegram, for trying a bot without an account.
//
// It does not use long polling, inline mode, payments, or formatted text, and
// Telegram tells nobody when a person deletes a message in an ordinary chat.
package telegram

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	secretHeader = "X-Telegram-Bot-Api-Secret-Token" //nolint:gosec // the name of a header
)

// DefaultAPI is where the API is unless Config says otherwise.
const DefaultAPI = "https://api.telegram.org"

// Config is what an account needs.
type Config struct {
	// Token is the bot's token from @BotFather. Required.
	Token channel.Secret `yaml:"token"`
	// Secrets are the secret_token of setWebhook: 1 to 256 letters, digits,
	// - and _. Give two while one replaces the other. Required.
	Secrets channel.Secrets `yaml:"secret"`
	// Username is the bot's user name, with or without @. It tells in groups
	// whether a command or mention is for this bot; default "": any name that
	// ends in "bot" is taken for it.
	Username string `yaml:"username"`
	// API is the address of the Bot API, default https://api.telegram.org. A
	// Bot API server of one's own may be http on this machine.
	API string `yaml:"api"`
	// Pace is how often the bot may write; default 30 messages a second, and
	// five in five seconds to a chat: Telegram asks for one a second and lets
	// short bursts pass. Telegram lets a bot answer for ever.
	Pace channel.Pace `yaml:",inline"`
	// Timeout bounds each call to the API, default: as long as the caller's
	// context says, and 20s where it says nothing.
	Timeout time.Duration `yaml:"timeout"`
	// Client makes the calls. Required; set by the server.
	Client channel.Doer `yaml:"-"`
	// Now is the clock that Telegram's is compared with, default the machine's.
	Now func() time.Time `yaml:"-"`
}

// Adapter is one bot on Telegram. Its zero value verifies and sends nothing.
type Adapter struct {
	self    self
	secrets channel.Secrets
	token   channel.Secret
	api     string
	timeout time.Duration // 0 = the caller's
	client  channel.Doer
	now     func() time.Time
	traits  channel.Traits

	message, document, action, acknowledge wire.Endpoint // the methods for sending
}

var (
	_ channel.Adapter      = (*Adapter)(nil)
	_ channel.Typer        = (*Adapter)(nil)
	_ channel.Acknowledger = (*Adapter)(nil)
	_ channel.Checker      = (*Adapter)(nil)
	_ channel.Installer    = (*Adapter)(nil)
	_ channel.Fetcher      = (*Adapter)(nil)
)

// New makes an adapter. The error, of kind invalid, names everything that is
// wrong with c at once and holds no secret.
func New(c Config) (*Adapter, error) {
	a := &Adapter{
		secrets: c.Secrets, token: c.Token, timeout: c.Timeout, client: c.Client, now: c.Now,
		traits: channel.Traits{StableTime: true, Migrates: true, Pace: c.Pace.Or(pace())},
	}
	if a.now == nil {
		a.now = time.Now //nolint:forbidigo // the default that Config promises
	}
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }

	// The token becomes part of a path: nothing in it may end the path early.
	if m := regexp.MustCompile(`^([0-9]{1,20}):[A-Za-z0-9_-]{1,256}$`).FindStringSubmatch(c.Token.Reveal()); m != nil {
		a.self.id = m[1]
	} else {
		bad("token: want the form 123456:ABC-def that @BotFather gives")
	}
	if len(c.Secrets) == 0 {
		bad("secret: an account without one would believe everybody")
	}
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	for i, s := range c.Secrets {
		if !form.MatchString(s.Reveal()) {
			bad("secret %d: want 1 to 256 letters, digits, - and _", i+1)
		}
	}
	a.self.name = strings.ToLower(strings.TrimPrefix(c.Username, "@"))
	if !regexp.MustCompile(`^[a-z0-9_]{0,64}$`).MatchString(a.self.name) {
		bad("username: want letters, digits and _")
	}
	if c.API == "" {
		c.API = DefaultAPI
	}
	var err error
	if a.api, err = wire.Base(c.API); err != nil {
		bad("api: %w", err)
	}
	if c.Timeout < 0 {
		bad("timeout: want more than 0")
	}
	if c.Client == nil {
		bad("client: none was set")
	}
	if len(wrong) > 0 {
		return nil, sotto.E("telegram.new", sotto.KindInvalid, errors.Join(wrong...))
	}
	for _, m := range [...]struct {
		to   *wire.Endpoint
		name string
	}{
		{&a.message, "sendMessage"},
		{&a.document, "sendDocument"},
		{&a.action, "sendChatAction"},
		{&a.acknowledge, "answerCallbackQuery"},
	} {
		if *m.to, err = endpoint(a.api, a.token, m.name); err != nil {
			return nil, sotto.E("telegram.new", sotto.KindInvalid, fmt.Errorf("api: %w", err))
		}
	}
	return a, nil
}

// endpoint is a method of the API.
func endpoint(api string, token channel.Secret, method string) (wire.Endpoint, error) {
	return wire.NewEndpoint(http.MethodPost, api+"/bot"+token.Reveal()+"/"+method, "Content-Type", "application/json")
}

// pace is what Telegram grants a bot, as its FAQ has it.
func pace() channel.Pace {
	return channel.Pace{
		PerAccount: channel.Rate{Most: 30, Per: time.Second},
		PerPerson:  channel.Rate{Most: 5, Per: 5 * time.Second}, // one a second, and short bursts
	}
}

// Bases are the addresses that the adapter calls.
func (c Config) Bases() []string { return []string{cmp.Or(c.API, DefaultAPI)} }

// Channel returns "telegram".
func (*Adapter) Channel() string { return "telegram" }

// Verify implements [channel.Adapter]: the secret must stand in its header,
// once.
func (a *Adapter) Verify(r *channel.Request) error {
	if r.Method != http.MethodPost || !wire.SecretHeader(r.Header, secretHeader, a.secrets) {
		return channel.ErrUnverified
	}
	return nil
}

// Traits implements [channel.Adapter].
func (a *Adapter) Traits() channel.Traits { return a.traits }
