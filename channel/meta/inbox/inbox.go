// Package inbox is what Messenger and Instagram have in common: Meta words
// their webhooks and takes their sends in one form, with small differences that
// a [Network] names (Graph API v26.0, July 2026,
// developers.facebook.com/docs/messenger-platform and
// developers.facebook.com/docs/instagram-platform).
//
// An [Account] is all of an adapter but its name and its configuration; both
// adapters are made of one. Like an adapter it keeps nothing, decides nothing
// about privacy and never logs, and its errors hold neither tokens nor
// addresses nor texts.
//
// It knows conversations of one person with one account: Meta's groups have no
// bots. What happens in public, such as comments, is understood and told as
// [sotto.EventOther], and never answered.
package inbox

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/meta"
	"github.com/sotto-chat/sotto/channel/wire"
)

// Dialect says whose calls are read.
type Dialect struct {
	Name   string // of the channel: "messenger"
	Object string // as Meta names it in a call: "page"
}

// Network is what is peculiar to one of the two.
type Network struct {
	Dialect

	// MaxText is the longest text of one message, by Measure.
	MaxText int
	Measure wire.Measure
	// Type is the messaging_type of a send, "" = none is said.
	Type string
	// Prove: calls carry the appsecret_proof.
	Prove bool
	// Setup is how an account is set up on the network.
	Setup Setup
}

// Config is what an account needs. There are no defaults: the adapters, whose
// configuration an operator writes, set them.
type Config struct {
	Network Network

	ID          string // of the page or account; "" = any
	IDKey       string // what the operator's configuration calls the id
	AppID       string // "" = not known
	AppSecrets  channel.Secrets
	VerifyToken channel.Secret
	AccessToken channel.Secret
	API         string
	Version     string
	Media       []string // where attachments may be got from: https://host, or https://*.domain for all hosts below it
	Traits      channel.Traits
	Timeout     time.Duration
	Client      channel.Doer
	Now         func() time.Time // nil: clocks are not compared
}

// Account is one account on one of the two networks. Its zero value verifies
// and sends nothing.
type Account struct {
	net     Network
	id      string
	idKey   string
	app     string
	hook    meta.Hook
	verify  channel.Secret
	secret  channel.Secret // of the app, the one in use
	token   channel.Secret
	proof   channel.Secret // appsecret_proof, zero = none
	base    string         // address of the API with its version
	media   []wire.Host
	timeout time.Duration // 0 = the caller's
	client  channel.Doer
	now     func() time.Time
	traits  channel.Traits

	messages wire.Endpoint // the Send API
}

// New makes an account. The error, of kind invalid, names everything that is
// wrong with c at once and holds no secret.
func New(c Config) (*Account, error) {
	a := &Account{
		net: c.Network, id: c.ID, idKey: c.IDKey, app: c.AppID, verify: c.VerifyToken,
		hook: meta.NewHook(c.AppSecrets, c.VerifyToken), token: c.AccessToken,
		timeout: c.Timeout, client: c.Client, now: c.Now, traits: c.Traits,
	}
	op := c.Network.Name + ".new"
	base, wrong := a.check(&c)
	if len(wrong) > 0 {
		return nil, sotto.E(op, sotto.KindInvalid, errors.Join(wrong...))
	}
	a.base = base + "/" + c.Version
	a.secret = c.AppSecrets[0]
	if c.Network.Prove {
		a.proof = meta.Proof(a.secret, c.AccessToken)
	}
	var err error
	if a.messages, err = a.endpoint(http.MethodPost, "/me/messages", "", "Content-Type", "application/json"); err != nil {
		return nil, sotto.E(op, sotto.KindInvalid, fmt.Errorf("api: %w", err))
	}
	return a, nil
}

// check returns the address of the API and everything that is wrong.
func (a *Account) check(c *Config) (base string, wrong []error) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	number := regexp.MustCompile(`^[0-9]{0,32}$`)
	if !number.MatchString(c.ID) {
		bad("%s: want digits", c.IDKey)
	}
	if !number.MatchString(c.AppID) {
		bad("app_id: want digits")
	}
	if !wire.Usable(c.AppSecrets) {
		bad("app_secret: with an empty one anybody could sign")
	}
	if c.VerifyToken.IsZero() {
		bad("verify_token: is missing")
	}
	if !regexp.MustCompile(`^[!-~]+$`).MatchString(c.AccessToken.Reveal()) {
		bad("access_token: want printable characters without spaces")
	}
	if !regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]{1,2}$`).MatchString(c.Version) {
		bad("version: want the form v26.0")
	}
	base, err := wire.Base(c.API)
	if err != nil {
		bad("api: %w", err)
	}
	if a.media, err = wire.ParseHosts(c.Media); err != nil {
		bad("media: %w", err)
	}
	if c.Timeout < 0 {
		bad("timeout: want more than 0")
	}
	if c.Client == nil {
		bad("client: none was set")
	}
	return base, wrong
}

// endpoint is a method of the API. The token goes into a header, because
// addresses are written into logs.
func (a *Account) endpoint(method, path, query string, headers ...string) (wire.Endpoint, error) {
	addr, mark := a.base+path, "?"
	if query != "" {
		addr, mark = addr+mark+query, "&"
	}
	if !a.proof.IsZero() {
		addr += mark + "appsecret_proof=" + a.proof.Reveal()
	}
	return wire.NewEndpoint(method, addr, append(headers, "Authorization", "Bearer "+a.token.Reveal())...)
}

// Verify implements [channel.Adapter].
func (a *Account) Verify(r *channel.Request) error { return a.hook.Verify(r) } //nolint:wrapcheck // ErrUnverified as it is

// Handshake implements [channel.Handshaker].
func (a *Account) Handshake(r *channel.Request) (resp *channel.Response, answered bool, err error) {
	return a.hook.Handshake(r) //nolint:wrapcheck // ErrUnverified as it is
}

// DataDeletion implements [channel.DataDeleter].
func (a *Account) DataDeletion(r *channel.Request) (user string, err error) {
	return a.hook.DataDeletion(r) //nolint:wrapcheck // ErrUnverified as it is
}

// Confirmation implements [channel.DataDeleter].
func (*Account) Confirmation(url, code string) *channel.Response { return meta.Confirmation(url, code) }

// Traits implements [channel.Adapter].
func (a *Account) Traits() channel.Traits { return a.traits }
