// Package slack connects a bot on Slack through the Events API, interactivity
// and slash commands over HTTP, and the Web API (docs.slack.dev, August 2026).
//
// Slack signs every call, with the time, over the raw body: a call is proven
// only if one signature of the app's signing secret fits and the signed time is
// at most five minutes from ours. A mention that Slack reports twice, as a
// mention and as a message, is one event. Bodies are JSON or forms; both are
// read once and within bounds.
//
// What was said in a channel is answered in its thread. What only one person
// can see (a slash command, a shortcut, a button on a message shown to nobody
// else) is answered so that only that person sees it, and never in the channel:
// such an event does not count as said in a group.
//
// Texts are handed on as Slack writes them, with &amp;, &lt; and &gt; read
// back; references such as <@U1>, <#C1|general> and <https://a.example|label>
// stay as they are, because what a person sees in their place cannot be known
// from the body. Texts go out without mark-up, mentions and previews of links.
//
// It does not use Socket Mode, modals, canvases or streamed answers, installs
// into one workspace for each account, and knows no idempotency key, because
// Slack promises none. Slack tells nobody that a person blocked a bot, nor
// that a message was read.
package slack

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
	signatureHeader = "X-Slack-Signature"
	timeHeader      = "X-Slack-Request-Timestamp"

	// maxSkew is how many seconds the signed time may be from ours
	// (docs.slack.dev/authentication/verifying-requests-from-slack).
	maxSkew = 300
)

// Where Slack is unless Config says otherwise. Slack for governments has the
// same hosts below slack-gov.com.
const (
	DefaultAPI   = "https://slack.com/api"
	DefaultFiles = "https://files.slack.com"
	DefaultHooks = "https://hooks.slack.com"
)

// Config is what an account needs: one app in one workspace.
type Config struct {
	// BotToken is the Bot User OAuth Token, xoxb-…. Required.
	BotToken channel.Secret `yaml:"bot_token"`
	// SigningSecrets prove that Slack calls. Give two while one replaces the
	// other. Required.
	SigningSecrets channel.Secrets `yaml:"signing_secret"`
	// BotUser is the bot's user id, U…. It tells in channels whether a line
	// mentions the bot; default "": as the body's authorizations say, which
	// Slack always sends.
	BotUser string `yaml:"bot_user"`
	// CommandPrefix stands before the slash commands of this app where another
	// app of the workspace has the plain ones: with "acme-", /acme-privacy reads
	// as /privacy. Default "".
	CommandPrefix string `yaml:"command_prefix"`
	// Assistant shows in assistant threads that the bot is at work. The app needs
	// the feature "Agents & AI Apps" and the scope assistant:write. Default false.
	Assistant bool `yaml:"assistant"`
	// AppID and ConfigurationToken let the app be set up over the API. The
	// token, xoxe.xoxp-…, is made on api.slack.com/apps and ends after twelve
	// hours: give it for setting up and take it out again. Default none.
	AppID              string         `yaml:"app_id"`
	ConfigurationToken channel.Secret `yaml:"configuration_token"`
	// API, Files and Hooks are the addresses of the Web API, of files, and of
	// what answers commands; default https://slack.com/api,
	// https://files.slack.com and https://hooks.slack.com.
	API   string `yaml:"api"`
	Files string `yaml:"files"`
	Hooks string `yaml:"hooks"`
	// Pace is how often the bot may write; default one message a second to a
	// conversation and 200 a minute in all. Slack lets a bot answer for ever.
	Pace channel.Pace `yaml:",inline"`
	// Timeout bounds each call to the API, default: as long as the caller's
	// context says, and 20s where it says nothing.
	Timeout time.Duration `yaml:"timeout"`
	// Client makes the calls. It must not follow redirects, which could take the
	// token along. Required; set by the server, whose client follows none.
	Client channel.Doer `yaml:"-"`
	// Now is the clock that Check compares with Slack's; default the machine's.
	Now func() time.Time `yaml:"-"`
}

// Bases are the addresses that the adapter calls.
func (c Config) Bases() []string {
	return []string{cmp.Or(c.API, DefaultAPI), cmp.Or(c.Files, DefaultFiles), cmp.Or(c.Hooks, DefaultHooks)}
}

// Adapter is one app in one workspace. Its zero value verifies and sends nothing.
type Adapter struct {
	self    self
	mac     *wire.MAC
	traits  channel.Traits
	timeout time.Duration // 0 = the caller's
	client  channel.Doer
	now     func() time.Time
	status  bool // show in assistant threads that the bot is at work
	app     string
	token   channel.Secret // the bot's
	manage  channel.Secret // the configuration token; zero = none

	api, files, hooks base

	post, upload, complete, typing, info wire.Endpoint
}

var (
	_ channel.Adapter    = (*Adapter)(nil)
	_ channel.Handshaker = (*Adapter)(nil)
	_ channel.Typer      = (*Adapter)(nil)
	_ channel.Fetcher    = (*Adapter)(nil)
	_ channel.Installer  = (*Adapter)(nil)
	_ channel.Checker    = (*Adapter)(nil)
)

// base is one of Slack's addresses: as it was configured, and what every
// address below it begins with.
type base struct {
	addr string // without a final slash
	wire.Host
}

func newBase(addr string) (base, error) {
	addr, err := wire.Base(addr)
	if err != nil {
		return base{}, err //nolint:wrapcheck // named by the caller
	}
	host, err := wire.ParseHost(addr)
	return base{addr, host}, err //nolint:wrapcheck // named by the caller
}

// New makes an adapter. The error, of kind invalid, names everything that is
// wrong with c at once and holds no secret.
func New(c Config) (*Adapter, error) {
	a := &Adapter{
		self:   self{user: c.BotUser, prefix: strings.Trim(c.CommandPrefix, "/")},
		mac:    wire.NewMAC(c.SigningSecrets),
		traits: channel.Traits{StableTime: true, Migrates: true, Pace: c.Pace.Or(pace())},
		app:    c.AppID, manage: c.ConfigurationToken, status: c.Assistant, token: c.BotToken,
		timeout: c.Timeout, client: c.Client, now: c.Now,
	}
	if a.now == nil {
		a.now = time.Now //nolint:forbidigo // the default that Config promises
	}
	wrong := c.check()
	for _, b := range [...]struct {
		to         *base
		name, addr string
	}{
		{&a.api, "api", cmp.Or(c.API, DefaultAPI)},
		{&a.files, "files", cmp.Or(c.Files, DefaultFiles)},
		{&a.hooks, "hooks", cmp.Or(c.Hooks, DefaultHooks)},
	} {
		var err error
		if *b.to, err = newBase(b.addr); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", b.name, err))
		}
	}
	if len(wrong) > 0 {
		return nil, sotto.E("slack.new", sotto.KindInvalid, errors.Join(wrong...))
	}
	for _, m := range [...]struct {
		to           *wire.Endpoint
		method, kind string
	}{
		{&a.post, "chat.postMessage", jsonType},
		{&a.upload, "files.getUploadURLExternal", formType},
		{&a.complete, "files.completeUploadExternal", jsonType},
		{&a.typing, "assistant.threads.setStatus", jsonType},
		{&a.info, "files.info", formType},
	} {
		var err error
		if *m.to, err = a.endpoint(m.method, m.kind, a.token); err != nil {
			return nil, sotto.E("slack.new", sotto.KindInvalid, fmt.Errorf("api: %w", err))
		}
	}
	return a, nil
}

// check names what is wrong with the values that are not addresses. Tokens
// become part of a header, ids part of a text: nothing in them may end it.
func (c Config) check() (wrong []error) {
	bad := func(text string) { wrong = append(wrong, errors.New(text)) }
	if !regexp.MustCompile(`^(xoxe\.)?xoxb-[A-Za-z0-9-]{1,512}$`).MatchString(c.BotToken.Reveal()) {
		bad("bot_token: want the Bot User OAuth Token, xoxb-…, from the app's page OAuth & Permissions")
	}
	if !wire.Usable(c.SigningSecrets) {
		bad("signing_secret: an account without one would believe everybody")
	}
	if c.BotUser != "" && !regexp.MustCompile(`^[A-Z0-9]{2,32}$`).MatchString(c.BotUser) {
		bad("bot_user: want a user id such as U0123ABCD")
	}
	if !regexp.MustCompile(`^/?[a-z0-9_-]{0,16}$`).MatchString(c.CommandPrefix) {
		bad("command_prefix: want up to 16 small letters, digits, - and _")
	}
	if c.AppID != "" && !regexp.MustCompile(`^A[A-Z0-9]{2,32}$`).MatchString(c.AppID) {
		bad("app_id: want an id such as A0123ABCD")
	}
	if t := c.ConfigurationToken; !t.IsZero() && !regexp.MustCompile(`^xoxe(\.xoxp)?-[A-Za-z0-9-]{1,512}$`).MatchString(t.Reveal()) {
		bad("configuration_token: want an app configuration token, xoxe.xoxp-…")
	}
	if !c.ConfigurationToken.IsZero() && c.AppID == "" {
		bad("app_id: a configuration token needs the app that it configures")
	}
	if c.Timeout < 0 {
		bad("timeout: want more than 0")
	}
	if c.Client == nil {
		bad("client: none was set")
	}
	return wrong
}

const (
	jsonType = "application/json; charset=utf-8"
	formType = "application/x-www-form-urlencoded"
)

// endpoint is a method of the Web API under a token.
func (a *Adapter) endpoint(method, kind string, token channel.Secret) (wire.Endpoint, error) {
	return wire.NewEndpoint(http.MethodPost, a.api.addr+"/"+method, "Content-Type", kind, "Authorization", "Bearer "+token.Reveal())
}

// pace is what Slack grants: chat.postMessage takes about one message a second
// for a channel and several hundred a minute for a workspace
// (docs.slack.dev/apis/web-api/rate-limits).
func pace() channel.Pace {
	return channel.Pace{
		PerAccount: channel.Rate{Most: 200, Per: time.Minute},
		PerPerson:  channel.Rate{Most: 1, Per: time.Second},
	}
}

// Channel returns "slack".
func (*Adapter) Channel() string { return "slack" }

// Traits implements [channel.Adapter].
func (a *Adapter) Traits() channel.Traits { return a.traits }

// Verify implements [channel.Adapter]: signature and time must stand in their
// headers, once each, the time in plain digits and not far from r.Now.
func (a *Adapter) Verify(r *channel.Request) error {
	signature, ok := wire.One(r.Header, signatureHeader)
	at, timed := wire.One(r.Header, timeHeader)
	if !ok || !timed || r.Method != http.MethodPost || !fresh(at, r.Now) ||
		!a.mac.MatchHex(signature, "v0=", "v0:"+at+":", r.Body) {
		return channel.ErrUnverified
	}
	return nil
}

// fresh reports whether at is a Unix time in decimal digits, neither old nor
// from the future.
func fresh(at string, now time.Time) bool {
	if len(at) == 0 || len(at) > 11 || at[0] == '0' {
		return false
	}
	var sec int64
	for i := range len(at) {
		if at[i] < '0' || at[i] > '9' {
			return false
		}
		sec = sec*10 + int64(at[i]-'0')
	}
	d := now.Unix() - sec
	return d >= -maxSkew && d <= maxSkew
}

// maxChallenge bounds the challenge that is repeated to Slack.
const maxChallenge = 256

// Handshake implements [channel.Handshaker]: when an address is entered Slack
// asks, in a signed POST, for its challenge back. One that could be more than a
// plain word is refused.
func (*Adapter) Handshake(r *channel.Request) (resp *channel.Response, answered bool, err error) {
	if r.Method != http.MethodPost {
		return nil, false, nil
	}
	challenge, asked := question(r.Body)
	if !asked {
		return nil, false, nil
	}
	if !plain(challenge) {
		return nil, true, channel.ErrUnverified
	}
	return &channel.Response{
		Status:      http.StatusOK,
		ContentType: "text/plain; charset=utf-8",
		Body:        []byte(challenge),
	}, true, nil
}

func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '-' && c != '_' && c != '.' && c != '=' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= maxChallenge
}
