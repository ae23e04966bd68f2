// Package discord connects an application on Discord through HTTP interactions
// and webhook events (API v10, documentation of August 2026,
// docs.discord.com/developers). Both arrive at one address.
//
// Discord proves itself with an Ed25519 signature over the time and the body,
// so a call cannot be made up, changed, or repeated more than five minutes
// later. The secret of an account is a public key: whoever reads it can check a
// call and can make none.
//
// An interaction is answered within three seconds with a deferral, once it is
// durable, and the answer follows under its token for fifteen minutes. In
// servers and in groups only the person who asked sees it, unless Config says
// otherwise. After that time an answer still reaches a direct message, as an
// ordinary message of the bot; elsewhere it is not sent, because all would read
// what was meant for one. No message pings anybody, and no link is opened.
//
// It opens no gateway: what people write in channels without the bot's commands
// never arrives here, and the privileged intents are not needed. Decode reads
// what a gateway says all the same, for bodies that others passed on. Texts are
// shown as Discord's Markdown.
package discord

import (
	"cmp"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	// DefaultAPI is where the API is unless Config says otherwise.
	DefaultAPI = "https://discord.com/api/v10"
	// DefaultCDN is where the files of messages are unless Config says otherwise.
	DefaultCDN = "https://cdn.discordapp.com"

	signatureHeader = "X-Signature-Ed25519"
	timeHeader      = "X-Signature-Timestamp"

	// tolerance is how far the time of a call may be from ours. Discord names
	// no bound.
	tolerance = 5 * time.Minute

	// agent is what Discord asks every client to call itself.
	agent = "DiscordBot (https://github.com/sotto-chat/sotto, 1)"
)

// Config is what an account needs.
type Config struct {
	// Keys are the application's public keys, 64 hexadecimal digits each. Give
	// two while one replaces the other. Required.
	Keys channel.Secrets `yaml:"public_key"`
	// Token is the bot's token. It is used for direct messages after an
	// interaction's time is over, and to set the account up. Required.
	Token channel.Secret `yaml:"token"`
	// Public shows answers in servers and groups to everybody there. Default
	// false: only to the person who asked.
	Public bool `yaml:"public"`
	// API is the address of the API with its version, default
	// https://discord.com/api/v10.
	API string `yaml:"api"`
	// CDN is the address of the files of messages, default
	// https://cdn.discordapp.com.
	CDN string `yaml:"cdn"`
	// Pace is how often the bot may write; default 50 messages a second, and 5
	// in two seconds to a conversation.
	Pace channel.Pace `yaml:",inline"`
	// Timeout bounds each call to the API, default: as long as the caller's
	// context says, and 20s where it says nothing.
	Timeout time.Duration `yaml:"timeout"`
	// Now is the clock, default time.Now.
	Now func() time.Time `yaml:"-"`
	// Client makes the calls. Required; set by the server.
	Client channel.Doer `yaml:"-"`
}

// Adapter is one application on Discord. Its zero value verifies and sends
// nothing.
type Adapter struct {
	keys    []ed25519.PublicKey
	public  bool
	token   channel.Secret
	api     string
	cdn     wire.Host
	timeout time.Duration // 0 = the caller's
	now     func() time.Time
	client  channel.Doer
	traits  channel.Traits
	waiting waiting
}

var (
	_ channel.Adapter    = (*Adapter)(nil)
	_ channel.Handshaker = (*Adapter)(nil)
	_ channel.Answerer   = (*Adapter)(nil)
	_ channel.Typer      = (*Adapter)(nil)
	_ channel.Fetcher    = (*Adapter)(nil)
	_ channel.Forgetter  = (*Adapter)(nil)
	_ channel.Checker    = (*Adapter)(nil)
	_ channel.Installer  = (*Adapter)(nil)
)

// New makes an adapter. The error, of kind invalid, names everything that is
// wrong with c at once and holds no secret.
func New(c Config) (*Adapter, error) {
	a := &Adapter{
		public: c.Public, token: c.Token, timeout: c.Timeout, now: c.Now, client: c.Client,
		traits: channel.Traits{StableTime: true, Whispers: !c.Public, Pace: c.Pace.Or(pace()), Alternative: "a direct message, or a new command of the person"},
	}
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }

	if len(c.Keys) == 0 {
		bad("public_key: an account without one would believe everybody")
	}
	for i, k := range c.Keys {
		key, err := publicKey(k.Reveal())
		if err != nil {
			bad("public_key %d: %w", i+1, err)
		}
		a.keys = append(a.keys, key)
	}
	// The token becomes part of a header: nothing in it may end the line.
	if !regexp.MustCompile(`^[A-Za-z0-9._=-]{16,256}$`).MatchString(c.Token.Reveal()) {
		bad("token: want the bot's token as the Bot page of the developer portal gives it, without the word Bot")
	}
	var err error
	if a.api, err = wire.Base(cmp.Or(c.API, DefaultAPI)); err != nil {
		bad("api: %w", err)
	}
	if a.cdn, err = wire.ParseHost(cmp.Or(c.CDN, DefaultCDN)); err != nil {
		bad("cdn: %w", err)
	}
	if c.Timeout < 0 {
		bad("timeout: want more than 0")
	}
	if c.Client == nil {
		bad("client: none was set")
	}
	if len(wrong) > 0 {
		return nil, sotto.E("discord.new", sotto.KindInvalid, errors.Join(wrong...))
	}
	if a.now == nil {
		a.now = time.Now //nolint:forbidigo // the default clock itself
	}
	return a, nil
}

// pace is what Discord grants: 50 calls a second to a bot, which calls under an
// interaction's token are not even counted in, and to one of those what a
// webhook has.
func pace() channel.Pace {
	return channel.Pace{
		PerAccount: channel.Rate{Most: 50, Per: time.Second},
		PerPerson:  channel.Rate{Most: 5, Per: 2 * time.Second},
	}
}

// Bases are the addresses that the adapter calls.
func (c Config) Bases() []string {
	return []string{cmp.Or(c.API, DefaultAPI), cmp.Or(c.CDN, DefaultCDN)}
}

// Channel returns "discord".
func (*Adapter) Channel() string { return "discord" }

// Traits implements [channel.Adapter].
func (a *Adapter) Traits() channel.Traits { return a.traits }

// Verify implements [channel.Adapter]: signature and time must stand in their
// headers, once each, and the time must be within five minutes of ours.
func (a *Adapter) Verify(r *channel.Request) error {
	digits, ok := wire.One(r.Header, signatureHeader)
	stamp, timed := wire.One(r.Header, timeHeader)
	if !ok || !timed || r.Method != http.MethodPost || len(a.keys) == 0 || !fresh(stamp, r.Now) {
		return channel.ErrUnverified
	}
	var signature [ed25519.SignatureSize]byte
	if !unhex(signature[:], digits) {
		return channel.ErrUnverified
	}
	signed := make([]byte, 0, len(stamp)+len(r.Body))
	signed = append(append(signed, stamp...), r.Body...)
	for _, key := range a.keys {
		if ed25519.Verify(key, signed, signature[:]) {
			return nil
		}
	}
	return channel.ErrUnverified
}

// fresh reports whether stamp, in seconds of Unix time, is near enough to now.
func fresh(stamp string, now time.Time) bool {
	const most = 12 // digits: until the year 33658
	if len(stamp) > most {
		return false
	}
	for i := range len(stamp) {
		if stamp[i] < '0' || stamp[i] > '9' {
			return false
		}
	}
	sec, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return false
	}
	off := now.Sub(time.Unix(sec, 0))
	return off >= -tolerance && off <= tolerance
}

// unhex reads exactly as many lower-case digits as fill b.
func unhex(b []byte, digits string) bool {
	if len(digits) != 2*len(b) {
		return false
	}
	for i := range len(digits) {
		if c := digits[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	_, err := hex.Decode(b, []byte(digits))
	return err == nil
}
