// Package instagram connects the inbox of a professional Instagram account
// (v26.0, July 2026, developers.facebook.com/docs/instagram-platform), either
// over the API of Instagram itself, for which the account's owner logs in to
// Instagram, or through the Facebook page that the account belongs to.
//
// Meta signs the raw bytes of each call, but no time: what keeps an old call
// from counting twice is the delivery key of each event. The secret is that of
// the app that the owner logged in to: with the login to Instagram the
// Instagram app secret, which is another than the app's own.
//
// What is done and how it is worded is shared with Messenger and stands in
// package [github.com/sotto-chat/sotto/channel/meta/inbox]. This one names what
// is Instagram's own: its limits, its webhook fields, its permissions, and that
// it takes no documents of a bot. It takes pictures, sound, film and PDF, and
// that for the most part from an address only; what a bot sends, a person's own
// data as JSON, is none of these.
//
// Comments and mentions are told as [sotto.EventOther] and never answered.
// Instagram does not tell when a person blocks an account, nor that a message
// was delivered.
package instagram

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/meta"
	"github.com/sotto-chat/sotto/channel/meta/inbox"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	// DefaultAPI is where the API is unless Config says otherwise.
	DefaultAPI = "https://graph.instagram.com"
	// FacebookAPI is where it is for a token of the account's page.
	FacebookAPI = "https://graph.facebook.com"
)

// Login says where the owner of the account logged in for the access token.
type Login string

// The logins.
const (
	LoginInstagram Login = "instagram"
	LoginFacebook  Login = "facebook"
)

// Config is what an account needs.
type Config struct {
	// AccountID is the id of the professional account, as webhooks give it.
	// Events of other accounts are passed over and counted; default "": those
	// of every account that the app serves are taken.
	AccountID string `yaml:"account_id"`
	// Login is where the access token comes from: "instagram" or "facebook";
	// default as API says, and instagram where that says nothing.
	Login Login `yaml:"login"`
	// AppID is the id of the app. With it the token's permissions can be
	// checked where the login is facebook; default "": they are not.
	AppID string `yaml:"app_id"`
	// AppSecrets are the secret of the app that the owner logged in to, with
	// which Meta signs; give two while one replaces the other. Required.
	AppSecrets channel.Secrets `yaml:"app_secret"`
	// VerifyToken is the word that Meta must repeat when the webhook is set.
	// Required.
	VerifyToken channel.Secret `yaml:"verify_token"`
	// AccessToken is the account's access token, or that of its page. Required.
	AccessToken channel.Secret `yaml:"access_token"`
	// API is the address of the API, default https://graph.instagram.com, and
	// https://graph.facebook.com where the login is facebook.
	API string `yaml:"api"`
	// Version is the version of the API, default v26.0. Meta answers an
	// expired one with the oldest that still runs.
	Version string `yaml:"version"`
	// Media are the places that attachments may be got from, each https://host
	// or https://*.domain; default Meta's own: https://*.fbcdn.net,
	// https://*.fbsbx.com and https://*.cdninstagram.com.
	Media []string `yaml:"media"`
	// Pace is how often and for how long the account may write; default: for
	// 24 hours after the person last wrote, and 300 messages a second.
	Pace channel.Pace `yaml:",inline"`
	// Timeout bounds each call to the API, default: as long as the caller's
	// context says, and 20s where it says nothing.
	Timeout time.Duration `yaml:"timeout"`
	// Client makes the calls. Required; set by the server.
	Client channel.Doer `yaml:"-"`
	// Now is the clock; default nil: it is not compared with Meta's.
	Now func() time.Time `yaml:"-"`
}

// Bases are the addresses that the adapter calls.
func (c Config) Bases() []string { return append([]string{c.api()}, c.media()...) }

func (c Config) media() []string {
	if len(c.Media) > 0 {
		return slices.Clone(c.Media)
	}
	return meta.MediaHosts()
}

// login is the login that is meant.
func (c Config) login() Login {
	if c.Login != "" {
		return c.Login
	}
	if u, err := url.Parse(c.API); err == nil && u.Host == "graph.facebook.com" {
		return LoginFacebook
	}
	return LoginInstagram
}

func (c Config) api() string {
	if c.login() == LoginFacebook {
		return cmp.Or(c.API, FacebookAPI)
	}
	return cmp.Or(c.API, DefaultAPI)
}

// account is what does the work.
type account = inbox.Account

// Adapter is one account on Instagram. Its zero value verifies and sends
// nothing.
type Adapter struct {
	account
	id string
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
	var wrong error
	if c.Login != "" && c.Login != LoginInstagram && c.Login != LoginFacebook {
		wrong = errors.New("login: want instagram or facebook")
	}
	a, err := inbox.New(inbox.Config{
		Network: network(c.login()), ID: c.AccountID, IDKey: "account_id", AppID: c.AppID,
		AppSecrets: c.AppSecrets, VerifyToken: c.VerifyToken, AccessToken: c.AccessToken,
		API: c.api(), Version: cmp.Or(c.Version, meta.DefaultVersion), Media: c.media(),
		Traits: channel.Traits{StableTime: true, NoFiles: true, Pace: c.Pace.Or(pace()), Alternative: alternative},
		Client: c.Client, Timeout: c.Timeout, Now: c.Now,
	})
	switch {
	case err != nil && wrong != nil:
		return nil, fmt.Errorf("%w\n%w", err, wrong)
	case wrong != nil:
		return nil, sotto.E("instagram.new", sotto.KindInvalid, wrong)
	case err != nil:
		return nil, err //nolint:wrapcheck // it names this package
	}
	return &Adapter{*a, c.AccountID}, nil
}

// alternative is what Meta lets an account send later.
const alternative = "a person may answer for 7 days with the tag HUMAN_AGENT"

// pace is what Meta grants an account.
func pace() channel.Pace {
	return channel.Pace{Window: 24 * time.Hour, PerAccount: channel.Rate{Most: 300, Per: time.Second}}
}

func dialect() inbox.Dialect { return inbox.Dialect{Name: "instagram", Object: "instagram"} }

// network is what is Instagram's own.
func network(login Login) inbox.Network {
	n := inbox.Network{
		Dialect: dialect(),
		MaxText: 1000, Measure: wire.Bytes,
		Setup: inbox.Setup{
			What: "account",
			Fields: []inbox.Field{
				{Name: "messages", Loss: "no message arrives"},
				{Name: "messaging_postbacks", Loss: "chosen menu entries and questions do not arrive"},
			},
			Webhook:   "developers.facebook.com/apps > your app > Use cases > Manage messaging & content on Instagram > Customize > API setup with Instagram login > Configure webhooks",
			Token:     "developers.facebook.com/apps > your app > Use cases > Manage messaging & content on Instagram > Customize > API setup with Instagram login > Generate token",
			Basics:    "developers.facebook.com/apps > your app > App settings > Basic",
			Wishes:    "developers.facebook.com/apps > your app > Use cases > Manage messaging & content on Instagram > Customize > API setup with Instagram login > Set up Instagram business login > Business login settings",
			Platform:  "instagram",
			Questions: true,
		},
	}
	if login == LoginFacebook {
		n.Prove = true
		n.Setup.What = "page"
		n.Setup.Any = true
		// Meta asks for any field of the page at all. This one says nothing of people.
		n.Setup.Fields = []inbox.Field{{Name: "name", Loss: "no message arrives"}}
		n.Setup.Scopes = []string{"instagram_basic", "instagram_manage_messages", "pages_manage_metadata"}
		n.Setup.Wishes = "developers.facebook.com/apps > your app > App settings > Basic > User data deletion, and App settings > Advanced > Deauthorize"
		n.Setup.Webhook = "developers.facebook.com/apps > your app > Use cases > Engage with customers on Messenger > Customize > Instagram settings > Configure webhooks"
		n.Setup.Token = "developers.facebook.com/apps > your app > Use cases > Engage with customers on Messenger > Customize > Instagram settings > Generate access tokens"
	}
	return n
}

// Channel returns "instagram".
func (*Adapter) Channel() string { return "instagram" }

// Decode reads a call as an adapter without an account id does: events of every
// account are taken. It is for looking at a body by hand.
func Decode(body []byte) (channel.Batch, error) { return inbox.Decode(body, dialect(), "") }

// Decode implements [channel.Adapter].
func (a *Adapter) Decode(body []byte) (channel.Batch, error) {
	return inbox.Decode(body, dialect(), a.id)
}
