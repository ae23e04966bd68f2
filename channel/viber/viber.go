// Package viber connects a bot on Viber through the REST Bot API (version 7.3,
// creators.viber.com/docs/bots-api, developers.viber.com/docs/api/rest-bot-api).
// Since February 2024 bots run on commercial terms only.
//
// Viber proves itself with an HMAC of the body under the bot's own token, which
// is also what sends: whoever reads the token can do both. The signature covers
// no time, so a call that somebody kept can be repeated; it is known again by
// its message_token.
//
// A keyboard's button comes back as ordinary text, its label: which choice that
// was is for Sotto to remember, and so every send with buttons is reported as
// numbered ([channel.Sent]). Nothing is put into tracking_data, which a client
// could change.
//
// Who has only opened the chat may not be written to before they write or
// subscribe. They may be greeted once in the answer to that very call, with the
// text that Config.Welcome gives; nothing else is ever sent to them from here.
//
// Viber knows no typing, no edits or deletions that a bot is told of, no groups
// for bots, and takes files by their address alone, so that files are not sent.
package viber

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	// DefaultAPI is where the API is unless Config says otherwise.
	DefaultAPI = "https://chatapi.viber.com/pa"

	// defaultMedia is where files of people are; the host changes by region.
	defaultMedia = "https://*.viber.com"

	signatureHeader = "X-Viber-Content-Signature"
	tokenHeader     = "X-Viber-Auth-Token" //nolint:gosec // the name of a header

	maxName = 28 // characters of the sender's name
)

// Config is what an account needs.
type Config struct {
	// Tokens are the bot's authentication token, which both signs and sends.
	// Give two while Viber replaces one: the first sends, each verifies. Required.
	Tokens channel.Secrets `yaml:"token"`
	// Name is what people see as the sender of a message, at most 28
	// characters. Required.
	Name string `yaml:"name"`
	// Avatar is the address of the sender's picture, default none.
	Avatar string `yaml:"avatar"`
	// Welcome is said once to somebody who opens the chat, before they write,
	// at most 7000 characters; default nothing. It goes out before the notice:
	// say in it who speaks, and where the notice is.
	Welcome string `yaml:"welcome"`
	// API is the address of the API, default https://chatapi.viber.com/pa.
	API string `yaml:"api"`
	// Media are the addresses of the hosts that files of people may be got
	// from; default https://*.viber.com.
	Media []string `yaml:"media"`
	// Pace is how often the bot may write; default 50 messages a second, and 100
	// an hour to a person, as Viber grants where the person does not answer.
	Pace channel.Pace `yaml:",inline"`
	// Timeout bounds each call to the API, default: as long as the caller's
	// context says, and 20s where it says nothing.
	Timeout time.Duration `yaml:"timeout"`
	// Now is the clock, default time.Now.
	Now func() time.Time `yaml:"-"`
	// Client makes the calls. Required; set by the server.
	Client channel.Doer `yaml:"-"`
}

// Adapter is one bot on Viber. Its zero value verifies and sends nothing.
type Adapter struct {
	mac     *wire.MAC
	api     string
	token   channel.Secret
	sender  []byte // as JSON
	welcome []byte // the answer to somebody who opens the chat; nil = none
	media   []wire.Host
	timeout time.Duration // 0 = the caller's
	now     func() time.Time
	client  channel.Doer
	traits  channel.Traits

	message wire.Endpoint
}

var (
	_ channel.Adapter   = (*Adapter)(nil)
	_ channel.Answerer  = (*Adapter)(nil)
	_ channel.Fetcher   = (*Adapter)(nil)
	_ channel.Checker   = (*Adapter)(nil)
	_ channel.Installer = (*Adapter)(nil)
)

// New makes an adapter. The error, of kind invalid, names everything that is
// wrong with c at once and holds no secret.
func New(c Config) (*Adapter, error) {
	a := &Adapter{
		mac: wire.NewMAC(c.Tokens), timeout: c.Timeout, now: c.Now, client: c.Client,
		traits: channel.Traits{NoFiles: true, Pace: c.Pace.Or(pace())},
	}
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }

	if len(c.Tokens) == 0 {
		bad("token: an account without one would believe everybody")
	}
	form := regexp.MustCompile(`^[A-Za-z0-9_.+/=-]{8,256}$`)
	for i, s := range c.Tokens {
		if !form.MatchString(s.Reveal()) { // it becomes a header
			bad("token %d: want the token as Viber's admin panel shows it", i+1)
		}
	}
	if n := utf8.RuneCountInString(c.Name); strings.TrimSpace(c.Name) == "" || n > maxName {
		bad("name: want 1 to %d characters, which people see as the sender", maxName)
	}
	if u, err := url.Parse(c.Avatar); c.Avatar != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		bad("avatar: want an https address")
	}
	if wire.Units(c.Welcome) > maxText {
		bad("welcome: want at most %d characters", maxText)
	}
	var err error
	if a.api, err = wire.Base(cmp.Or(c.API, DefaultAPI)); err != nil {
		bad("api: %w", err)
	}
	if a.media, err = wire.ParseHosts(c.hosts()); err != nil {
		bad("media: %w", err)
	}
	if c.Timeout < 0 {
		bad("timeout: want more than 0")
	}
	if c.Client == nil {
		bad("client: none was set")
	}
	if len(wrong) > 0 {
		return nil, sotto.E("viber.new", sotto.KindInvalid, errors.Join(wrong...))
	}
	a.token = c.Tokens[0]
	if a.message, err = a.endpoint("/send_message"); err != nil {
		return nil, sotto.E("viber.new", sotto.KindInvalid, fmt.Errorf("api: %w", err))
	}
	a.introduce(c)
	if a.now == nil {
		a.now = time.Now //nolint:forbidigo // the default clock itself
	}
	return a, nil
}

// introduce lays out what every message says of its sender.
func (a *Adapter) introduce(c Config) {
	a.sender = wire.AppendString([]byte(`{"name":`), c.Name)
	if c.Avatar != "" {
		a.sender = wire.AppendString(append(a.sender, `,"avatar":`...), c.Avatar)
	}
	a.sender = append(a.sender, '}')
	if strings.TrimSpace(c.Welcome) != "" {
		a.welcome = append([]byte(`{"min_api_version":1,"type":"text","sender":`), a.sender...)
		a.welcome = append(wire.AppendString(append(a.welcome, `,"text":`...), c.Welcome), '}')
	}
}

// endpoint is a method of the API.
func (a *Adapter) endpoint(method string) (wire.Endpoint, error) {
	return wire.NewEndpoint(http.MethodPost, a.api+method, "Content-Type", "application/json", tokenHeader, a.token.Reveal())
}

// pace is what Viber grants: a hundred messages an hour to a person who does
// not answer. For the account it names 500 in ten seconds, of broadcasts.
func pace() channel.Pace {
	return channel.Pace{
		PerAccount: channel.Rate{Most: 50, Per: time.Second},
		PerPerson:  channel.Rate{Most: 100, Per: time.Hour},
	}
}

func (c Config) hosts() []string {
	if len(c.Media) == 0 {
		return []string{defaultMedia}
	}
	return c.Media
}

// Bases are the addresses that the adapter calls. https://*.viber.com stands
// for all hosts below viber.com.
func (c Config) Bases() []string { return append([]string{cmp.Or(c.API, DefaultAPI)}, c.hosts()...) }

// Channel returns "viber".
func (*Adapter) Channel() string { return "viber" }

// Traits implements [channel.Adapter].
func (a *Adapter) Traits() channel.Traits { return a.traits }

// Verify implements [channel.Adapter]: the signature over the raw body must
// stand in its header, once.
func (a *Adapter) Verify(r *channel.Request) error {
	signature, ok := wire.One(r.Header, signatureHeader)
	if !ok || r.Method != http.MethodPost || !a.mac.MatchHex(signature, "", "", r.Body) {
		return channel.ErrUnverified
	}
	return nil
}

// Answer implements [channel.Answerer]: who opens the chat is greeted, if there
// is a greeting. Every other call, also the one by which Viber makes sure of a
// webhook while it is set, gets an empty 200.
func (a *Adapter) Answer(_ *channel.Request, b channel.Batch) *channel.Response {
	if a.welcome == nil || len(b.Events) != 1 || b.Events[0].Kind != sotto.EventJoin {
		return nil
	}
	return &channel.Response{Status: http.StatusOK, ContentType: "application/json", Body: a.welcome}
}
