// Package messenger connects a page's inbox on Facebook Messenger through
// Meta's Graph API (v26.0, July 2026, developers.facebook.com/docs/messenger-platform).
//
// Meta signs the raw bytes of each call with the app secret, but no time:
// what keeps an old call from counting twice is the delivery key of each
// event. Only the SHA-256 signature is looked at; the older SHA-1 header that
// Meta still sends is ignored. A call may hold events of many people and, if
// the app serves several, of other pages.
//
// What is done and how it is worded is shared with Instagram and stands in
// package [github.com/sotto-chat/sotto/channel/meta/inbox]. This one names what
// is Messenger's own: its limits, its webhook fields, its permissions.
//
// Meta does not tell when a person blocks a page; that shows in the class Gone
// of the next send. What happens on the page outside its inbox is told as
// [sotto.EventOther] and never answered.
package messenger

import (
	"cmp"
	"slices"
	"time"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/meta"
	"github.com/sotto-chat/sotto/channel/meta/inbox"
	"github.com/sotto-chat/sotto/channel/wire"
)

// DefaultAPI is where the API is unless Config says otherwise.
const DefaultAPI = "https://graph.facebook.com"

// Config is what an account needs.
type Config struct {
	// PageID is the id of the page. Events of other pages are passed over and
	// counted; default "": those of every page that the app serves are taken.
	PageID string `yaml:"page_id"`
	// AppID is the id of the app. With it the webhook can be set and checked
	// over the API; default "": that is done by hand.
	AppID string `yaml:"app_id"`
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
	// Media are the places that attachments may be got from, each https://host
	// or https://*.domain; default Meta's own: https://*.fbcdn.net,
	// https://*.fbsbx.com and https://*.cdninstagram.com.
	Media []string `yaml:"media"`
	// Pace is how often and for how long the page may write; default: for 24
	// hours after the person last wrote, and 300 messages a second.
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
func (c Config) Bases() []string {
	return append([]string{cmp.Or(c.API, DefaultAPI)}, c.media()...)
}

func (c Config) media() []string {
	if len(c.Media) > 0 {
		return slices.Clone(c.Media)
	}
	return meta.MediaHosts()
}

// account is what does the work.
type account = inbox.Account

// Adapter is one page on Messenger. Its zero value verifies and sends nothing.
type Adapter struct {
	account
	page string
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
	a, err := inbox.New(inbox.Config{
		Network: network(), ID: c.PageID, IDKey: "page_id", AppID: c.AppID,
		AppSecrets: c.AppSecrets, VerifyToken: c.VerifyToken, AccessToken: c.AccessToken,
		API: cmp.Or(c.API, DefaultAPI), Version: cmp.Or(c.Version, meta.DefaultVersion), Media: c.media(),
		Traits: channel.Traits{StableTime: true, Pace: c.Pace.Or(pace()), Alternative: alternative},
		Client: c.Client, Timeout: c.Timeout, Now: c.Now,
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // it names this package
	}
	return &Adapter{*a, c.PageID}, nil
}

// alternative is what Meta lets a page send later.
const alternative = "a person may answer for 7 days with the tag HUMAN_AGENT, or a utility template that Meta has approved may be sent"

// pace is what Meta grants a page.
func pace() channel.Pace {
	return channel.Pace{Window: 24 * time.Hour, PerAccount: channel.Rate{Most: 300, Per: time.Second}}
}

func dialect() inbox.Dialect { return inbox.Dialect{Name: "messenger", Object: "page"} }

// network is what is Messenger's own.
func network() inbox.Network {
	return inbox.Network{
		Dialect: dialect(),
		MaxText: 2000, Measure: wire.Units, // characters; counted in UTF-16 units, to be safe
		Type: "RESPONSE", Prove: true,
		Setup: inbox.Setup{
			What: "page",
			Fields: []inbox.Field{
				{Name: "messages", Loss: "no message arrives"},
				{Name: "messaging_postbacks", Loss: "pressed buttons do not arrive"},
				{Name: "message_edits", Loss: "changed messages keep their old text here"},
				{Name: "messaging_optins", Loss: "opt-outs do not arrive"},
			},
			Scopes:  []string{"pages_messaging", "pages_manage_metadata"},
			Edge:    true,
			Webhook: "developers.facebook.com/apps > your app > Use cases > Engage with customers on Messenger > Customize > Messenger API settings > Configure webhooks",
			Token:   "developers.facebook.com/apps > your app > Use cases > Engage with customers on Messenger > Customize > Messenger API settings > Generate access tokens",
			Basics:  "developers.facebook.com/apps > your app > App settings > Basic",
			Wishes:  "developers.facebook.com/apps > your app > App settings > Basic > User data deletion, and App settings > Advanced > Deauthorize",
			Welcome: true,
		},
	}
}

// Channel returns "messenger".
func (*Adapter) Channel() string { return "messenger" }

// Decode reads a call as an adapter without a page id does: events of every
// page are taken. It is for looking at a body by hand.
func Decode(body []byte) (channel.Batch, error) { return inbox.Decode(body, dialect(), "") }

// Decode implements [channel.Adapter].
func (a *Adapter) Decode(body []byte) (channel.Batch, error) {
	return inbox.Decode(body, dialect(), a.page)
}
