// Package whatsapp connects a business number on WhatsApp through Meta's Cloud
// API (Graph API v26.0, July 2026, developers.facebook.com/documentation/business-messaging/whatsapp).
//
// Meta signs the raw bytes of each call with the app secret, but no time: what
// keeps an old call from counting twice is the delivery key of each event. A
// call may hold events of many people and of several numbers of the business.
//
// A person has a phone number, or an id of their own for this business such as
// "US.13491208655302741918", or both; the number may stay away once the person
// has chosen a user name. An event's Sender is the phone number where the body
// names one and the other id else; where both stand in it the other one is its
// Alias. Replies go to either.
//
// Meta does not tell when a person blocks the number; that shows in the class
// Gone of the next send. The adapter sends no templates, so nothing after 24
// hours, and places no calls.
package whatsapp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
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
	// PhoneNumberID is Meta's id of the business number, which is not the
	// number itself. Events of other numbers are passed over and counted;
	// default "": those of every number that the app serves are taken, and only
	// answers can be sent, from the number that was written to.
	PhoneNumberID string `yaml:"phone_number_id"`
	// BusinessAccountID is the id of the WhatsApp Business Account. Default "":
	// whether it tells the app of events is neither looked at nor set up.
	BusinessAccountID string `yaml:"business_account_id"`
	// AppID is the id of the Meta app. Default "": the webhook's address is
	// neither looked at nor set up; that is then a step to make by hand.
	AppID string `yaml:"app_id"`
	// AppSecrets are the app secret; give two while one replaces the other.
	// The first also proves our own calls (appsecret_proof). Required.
	AppSecrets channel.Secrets `yaml:"app_secret"`
	// VerifyToken is the word that Meta must repeat when the webhook is set.
	// Required.
	VerifyToken channel.Secret `yaml:"verify_token"`
	// AccessToken is a token of a system user of the business. Required.
	AccessToken channel.Secret `yaml:"access_token"`
	// ListButton is what a person presses to see four to ten choices, at most
	// 20 characters; default "☰".
	ListButton string `yaml:"list_button"`
	// IceBreakers are sentences that a new person is offered to begin with, at
	// most four of 80 characters. Default none.
	IceBreakers []string `yaml:"ice_breakers"`
	// API is the address of the Graph API, default https://graph.facebook.com.
	API string `yaml:"api"`
	// MediaHosts are where attachments may be fetched from besides the API's
	// own host: addresses, or patterns such as https://*.example.org for all
	// hosts below a domain. The token goes to those below fbsbx.com and to the
	// API's host only. Default https://*.fbsbx.com, https://*.fbcdn.net and
	// https://*.whatsapp.net.
	MediaHosts []string `yaml:"media_hosts"`
	// Version is the version of the Graph API, default v26.0. Meta answers an
	// expired one with the oldest that still runs.
	Version string `yaml:"version"`
	// Pace is how often and for how long the number may write; default: for 24
	// hours after the person last wrote, 80 messages a second, and 45 to one
	// person in four and a half minutes.
	Pace channel.Pace `yaml:",inline"`
	// Timeout bounds each call to the API, default: as long as the caller's
	// context says, and 20s where it says nothing.
	Timeout time.Duration `yaml:"timeout"`
	// Client makes the calls. Required; set by the server.
	Client channel.Doer `yaml:"-"`
	// Now is the clock that Meta's is compared with, default time.Now.
	Now func() time.Time `yaml:"-"`
}

// Adapter is one business number. Its zero value verifies and sends nothing.
type Adapter struct {
	conf   Config
	hook   meta.Hook
	base   string         // address of the API with its version
	proof  channel.Secret // appsecret_proof
	hosts  []wire.Host    // of attachments
	traits channel.Traits

	messages wire.Endpoint // of the configured number
	upload   wire.Endpoint
}

var (
	_ channel.Adapter     = (*Adapter)(nil)
	_ channel.Handshaker  = (*Adapter)(nil)
	_ channel.Typer       = (*Adapter)(nil)
	_ channel.Fetcher     = (*Adapter)(nil)
	_ channel.Checker     = (*Adapter)(nil)
	_ channel.Installer   = (*Adapter)(nil)
	_ channel.DataDeleter = (*Adapter)(nil)
)

// New makes an adapter. The error, of kind invalid, names everything that is
// wrong with c at once and holds no secret.
func New(c Config) (*Adapter, error) {
	c.API = cmp.Or(c.API, DefaultAPI)
	c.Version = cmp.Or(c.Version, meta.DefaultVersion)
	c.ListButton = cmp.Or(c.ListButton, "☰")
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the default clock itself
	}
	if len(c.MediaHosts) == 0 {
		c.MediaHosts = mediaHosts()
	}
	a := &Adapter{
		conf: c, hook: meta.NewHook(c.AppSecrets, c.VerifyToken),
		traits: channel.Traits{StableTime: true, Migrates: true, Pace: c.Pace.Or(pace()), Alternative: alternative},
	}
	base, wrong := faults(&c)
	for _, h := range append([]string{c.API}, c.MediaHosts...) {
		host, err := wire.ParseHost(h)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("media_hosts: %w", err))
		}
		a.hosts = append(a.hosts, host)
	}
	if len(wrong) > 0 {
		return nil, sotto.E("whatsapp.new", sotto.KindInvalid, errors.Join(wrong...))
	}
	a.base = base + "/" + c.Version
	a.proof = meta.Proof(c.AppSecrets[0], c.AccessToken)
	if c.PhoneNumberID == "" {
		return a, nil
	}
	var errs [2]error
	a.messages, errs[0] = a.endpoint(http.MethodPost, c.PhoneNumberID+"/messages?", "Content-Type", "application/json")
	a.upload, errs[1] = a.endpoint(http.MethodPost, c.PhoneNumberID+"/media?")
	if err := errors.Join(errs[:]...); err != nil {
		return nil, sotto.E("whatsapp.new", sotto.KindInvalid, fmt.Errorf("api: %w", err))
	}
	return a, nil
}

// faults returns everything that is wrong with c, and the address of its API.
func faults(c *Config) (base string, wrong []error) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	for _, id := range [...]struct{ name, value string }{
		{"phone_number_id", c.PhoneNumberID}, {"business_account_id", c.BusinessAccountID}, {"app_id", c.AppID},
	} {
		if !isDigits(id.value) && id.value != "" {
			bad("%s: want the digits that Meta shows", id.name)
		}
	}
	if !wire.Usable(c.AppSecrets) {
		bad("app_secret: with an empty one anybody could sign")
	}
	for _, s := range c.AppSecrets {
		if strings.ContainsFunc(s.Reveal(), func(r rune) bool { return r < ' ' || r > '~' }) {
			bad("app_secret: want printable characters")
		}
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
	if strings.TrimSpace(c.ListButton) == "" || wire.Units(c.ListButton) > maxTitle {
		bad("list_button: want 1 to %d characters", maxTitle)
	}
	if len(c.IceBreakers) > maxBreakers || slices.ContainsFunc(c.IceBreakers, func(s string) bool {
		return strings.TrimSpace(s) == "" || wire.Units(s) > maxBreaker
	}) {
		bad("ice_breakers: want at most %d, of 1 to %d characters", maxBreakers, maxBreaker)
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
	return base, wrong
}

// alternative is what Meta lets a business send later.
const alternative = "an approved template message"

// pace is what Meta grants a number: to one person a message every six seconds,
// of which 45 may come at once.
func pace() channel.Pace {
	return channel.Pace{
		Window:     24 * time.Hour,
		PerAccount: channel.Rate{Most: 80, Per: time.Second},
		PerPerson:  channel.Rate{Most: 45, Per: 45 * 6 * time.Second},
	}
}

func mediaHosts() []string {
	return []string{"https://*.fbsbx.com", "https://*.fbcdn.net", "https://*.whatsapp.net"}
}

// Bases are the addresses that the adapter calls.
func (c Config) Bases() []string {
	hosts := c.MediaHosts
	if len(hosts) == 0 {
		hosts = mediaHosts()
	}
	return append([]string{cmp.Or(c.API, DefaultAPI)}, hosts...)
}

// endpoint is a method of the API under the account's token, with the proof
// behind what path asks.
func (a *Adapter) endpoint(method, path string, headers ...string) (wire.Endpoint, error) {
	headers = append(headers, "Authorization", "Bearer "+a.conf.AccessToken.Reveal())
	return wire.NewEndpoint(method, a.base+"/"+path+"appsecret_proof="+a.proof.Reveal(), headers...)
}

// appEndpoint is one under the app's own token, which is made of its id and
// secret.
func (a *Adapter) appEndpoint(method, path string, headers ...string) (wire.Endpoint, error) {
	headers = append(headers, "Authorization", "Bearer "+a.conf.AppID+"|"+a.conf.AppSecrets[0].Reveal())
	return wire.NewEndpoint(method, a.base+"/"+path, headers...)
}

// query makes a query of names and values, which another part may follow.
func query(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(pairs[i] + "=" + url.QueryEscape(pairs[i+1]) + "&")
	}
	return b.String()
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Channel returns "whatsapp".
func (*Adapter) Channel() string { return "whatsapp" }

// Verify implements [channel.Adapter].
func (a *Adapter) Verify(r *channel.Request) error { return a.hook.Verify(r) } //nolint:wrapcheck // ErrUnverified as it is

// Handshake implements [channel.Handshaker].
func (a *Adapter) Handshake(r *channel.Request) (resp *channel.Response, answered bool, err error) {
	return a.hook.Handshake(r) //nolint:wrapcheck // ErrUnverified as it is
}

// DataDeletion implements [channel.DataDeleter]. The id is that of somebody who
// uses the app with a Facebook account, which nobody has in WhatsApp itself.
func (a *Adapter) DataDeletion(r *channel.Request) (user string, err error) {
	return a.hook.DataDeletion(r) //nolint:wrapcheck // ErrUnverified as it is
}

// Confirmation implements [channel.DataDeleter].
func (*Adapter) Confirmation(address, code string) *channel.Response {
	return meta.Confirmation(address, code)
}

// Traits implements [channel.Adapter].
func (a *Adapter) Traits() channel.Traits { return a.traits }

// bound gives a call its last moment.
func (a *Adapter) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return wire.Bound(ctx, a.conf.Timeout)
}
