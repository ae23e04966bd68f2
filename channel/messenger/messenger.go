// Package messenger connects a page's inbox on Facebook Messenger through
// Meta's Graph API (v26.0, July 2026, developers.facebook.com/docs/messenger-platform).
//
// Meta signs the raw bytes of each call with the app secret, but no time:
// what keeps an old call from counting twice is the delivery key of each
// event. Only the SHA-256 signature is looked at; the older SHA-1 header that
// Meta still sends is ignored. A call may hold events of many people and, if
// the app serves several, of other pages.
//
// Meta does not tell when a person blocks a page; that shows in the class Gone
// of the next send. It does not handle the page's feed, ratings and comments,
// nor Instagram and WhatsApp, whose calls look alike.
package messenger

import (
	"cmp"
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

// DefaultAPI is where the API is unless Config says otherwise.
const DefaultAPI = "https://graph.facebook.com"

// Config is what an account needs.
type Config struct {
	// PageID is the id of the page. Events of other pages are passed over and
	// counted; default "": those of every page that the app serves are taken.
	PageID string `yaml:"page_id"`
	// AppSecrets are the app secret; give two while one replaces the other.
	// The first also proves our own calls (appsecret_proof). Required.
	AppSecrets channel.Secrets `yaml:"app_secret"`
	// VerifyToken is the word that Meta must repeat when the webhook is set.
	// Required.
	VerifyToken channel.Secret `yaml:"verify_token"`
	// AccessToken is the page's access token. Required.
	AccessToken channel.Secret `yaml:"access_token"`
	// API is the address of the Graph API, default https://graph.facebook.com.
	API string `yaml:"api"`
	// Version is the version of the Graph API, default v26.0. Meta answers an
	// expired one with the oldest that still runs.
	Version string `yaml:"version"`
	// Pace is how often and for how long the page may write; default: for 24
	// hours after the person last wrote, and 300 messages a second.
	Pace channel.Pace `yaml:",inline"`
	// Timeout bounds each call to the API, default: as long as the caller's
	// context says, and 20s where it says nothing.
	Timeout time.Duration `yaml:"timeout"`
	// Client makes the calls. Required; set by the server.
	Client channel.Doer `yaml:"-"`
}

// Adapter is one page on Messenger. Its zero value verifies and sends nothing.
type Adapter struct {
	page    string
	hook    meta.Hook
	token   channel.Secret
	base    string         // address of the API with its version
	proof   channel.Secret // appsecret_proof
	timeout time.Duration  // 0 = the caller's
	client  channel.Doer
	traits  channel.Traits

	messages wire.Endpoint // the Send API
}

var (
	_ channel.Adapter     = (*Adapter)(nil)
	_ channel.Handshaker  = (*Adapter)(nil)
	_ channel.Typer       = (*Adapter)(nil)
	_ channel.Checker     = (*Adapter)(nil)
	_ channel.DataDeleter = (*Adapter)(nil)
)

// New makes an adapter. The error, of kind invalid, names everything that is
// wrong with c at once and holds no secret.
func New(c Config) (*Adapter, error) {
	a := &Adapter{
		page: c.PageID, hook: meta.NewHook(c.AppSecrets, c.VerifyToken),
		token: c.AccessToken, timeout: c.Timeout, client: c.Client,
		traits: channel.Traits{StableTime: true, Pace: c.Pace.Or(pace()), Alternative: alternative},
	}
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if !wire.Usable(c.AppSecrets) {
		bad("app_secret: with an empty one anybody could sign")
	}
	if c.VerifyToken.IsZero() {
		bad("verify_token: is missing")
	}
	if !regexp.MustCompile(`^[!-~]+$`).MatchString(c.AccessToken.Reveal()) {
		bad("access_token: want printable characters without spaces")
	}
	if c.API == "" {
		c.API = DefaultAPI
	}
	if c.Version == "" {
		c.Version = meta.DefaultVersion
	}
	if !regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]{1,2}$`).MatchString(c.Version) {
		bad("version: want the form v26.0")
	}
	base, err := wire.Base(c.API)
	if err != nil {
		bad("api: %w", err)
	}
	if c.Timeout < 0 {
		bad("timeout: want more than 0")
	}
	if c.Client == nil {
		bad("client: none was set")
	}
	if len(wrong) > 0 {
		return nil, sotto.E("messenger.new", sotto.KindInvalid, errors.Join(wrong...))
	}
	a.base = base + "/" + c.Version
	a.proof = meta.Proof(c.AppSecrets[0], c.AccessToken)
	if a.messages, err = a.endpoint(http.MethodPost, "/me/messages?", "Content-Type", "application/json"); err != nil {
		return nil, sotto.E("messenger.new", sotto.KindInvalid, fmt.Errorf("api: %w", err))
	}
	return a, nil
}

// alternative is what Meta lets a page send later.
const alternative = "a person may answer for 7 days with the tag HUMAN_AGENT, or a utility template that Meta has approved may be sent"

// pace is what Meta grants a page.
func pace() channel.Pace {
	return channel.Pace{Window: 24 * time.Hour, PerAccount: channel.Rate{Most: 300, Per: time.Second}}
}

// Bases are the addresses that the adapter calls.
func (c Config) Bases() []string { return []string{cmp.Or(c.API, DefaultAPI)} }

// endpoint is a method of the API, with the proof behind what path asks.
func (a *Adapter) endpoint(method, path string, headers ...string) (wire.Endpoint, error) {
	headers = append(headers, "Authorization", "Bearer "+a.token.Reveal())
	return wire.NewEndpoint(method, a.base+path+"appsecret_proof="+a.proof.Reveal(), headers...)
}

// Channel returns "messenger".
func (*Adapter) Channel() string { return "messenger" }

// Verify implements [channel.Adapter].
func (a *Adapter) Verify(r *channel.Request) error { return a.hook.Verify(r) } //nolint:wrapcheck // ErrUnverified as it is

// Handshake implements [channel.Handshaker].
func (a *Adapter) Handshake(r *channel.Request) (resp *channel.Response, answered bool, err error) {
	return a.hook.Handshake(r) //nolint:wrapcheck // ErrUnverified as it is
}

// DataDeletion implements [channel.DataDeleter].
func (a *Adapter) DataDeletion(r *channel.Request) (user string, err error) {
	return a.hook.DataDeletion(r) //nolint:wrapcheck // ErrUnverified as it is
}

// Confirmation implements [channel.DataDeleter].
func (*Adapter) Confirmation(url, code string) *channel.Response { return meta.Confirmation(url, code) }

// Traits implements [channel.Adapter].
func (a *Adapter) Traits() channel.Traits { return a.traits }
