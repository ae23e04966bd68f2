// Package x connects an account on X (formerly Twitter) by its direct messages:
// webhooks of the X Activity API and of the Account Activity API that it
// replaces, answers through API v2 (August 2026, docs.x.com/x-api).
//
// X signs the raw bytes of each call with the app's consumer secret, but no
// time: what keeps an old call from counting twice is the delivery key of each
// event. With the same secret X has an address prove itself, by signing a token
// of X's choice; so that nobody can have a forged call signed this way, only
// tokens that cannot begin a JSON object are signed.
//
// X tells of nobody who blocks the account unless the Account Activity API is
// used, and never that a person deleted a message. Encrypted chats (XChat)
// cannot be read without the keys of a device and are passed over. API v2 has no
// quick replies, shows no typing and takes no documents. Links in a text are
// X's own short ones (t.co), as X delivers them.
package x

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
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
	// DefaultAPI is where the API is unless Config says otherwise.
	DefaultAPI = "https://api.x.com"

	signatureHeader = "X-Twitter-Webhooks-Signature"
)

// The products that deliver events; see [Config.Events].
const (
	Activity        = "activity"
	AccountActivity = "account_activity"
)

// Config is what an account needs.
type Config struct {
	// UserID is the number of the account. Events of other accounts are passed
	// over and counted, as one app has one webhook for all its accounts; default
	// "": those of every account that the app serves are taken.
	UserID string `yaml:"user_id"`
	// ConsumerSecrets are the app's consumer secret (API key secret); give two
	// while one replaces the other. The first signs. Required.
	ConsumerSecrets channel.Secrets `yaml:"consumer_secret"`
	// AccessToken is the account's token. Required. One of OAuth 2.0 ends two
	// hours after it was made: for a bot that stays, give one of OAuth 1.0a
	// together with ConsumerKey and TokenSecret.
	AccessToken channel.Secret `yaml:"access_token"`
	// ConsumerKey is the app's consumer key (API key), and TokenSecret the
	// secret of an access token of OAuth 1.0a: both, or neither where
	// AccessToken is of OAuth 2.0.
	ConsumerKey channel.Secret `yaml:"consumer_key"`
	TokenSecret channel.Secret `yaml:"access_token_secret"`
	// AppToken is the app's own bearer token, which sets up and checks the
	// webhook; default none: that is then done by hand.
	AppToken channel.Secret `yaml:"app_token"`
	// Events is the product that delivers events: activity (X Activity API) or
	// account_activity; default activity. Bodies of both are always understood.
	Events string `yaml:"events"`
	// TextLimit is the longest text of a message in UTF-16 units, default 10000.
	TextLimit int `yaml:"text_limit"`
	// API is the address of the API, default https://api.x.com.
	API string `yaml:"api"`
	// Pace is how often the account may write; default 15 messages in 15 minutes,
	// which is also X's bound of 1,440 a day. X lets an account answer for ever.
	Pace channel.Pace `yaml:",inline"`
	// Timeout bounds each call to the API, default: as long as the caller's
	// context says, and 20s where it says nothing.
	Timeout time.Duration `yaml:"timeout"`
	// Client makes the calls. Required; set by the server.
	Client channel.Doer `yaml:"-"`
	// Now is the clock. Required for OAuth 1.0a; default none: how long X wants
	// to be left alone is then not known, and clocks are not compared. Set by
	// the server.
	Now func() time.Time `yaml:"-"`
}

// Adapter is one account on X. Its zero value verifies and sends nothing.
type Adapter struct {
	user      string
	mac       *wire.MAC
	secret    channel.Secret // signs
	auth      auth
	appToken  channel.Secret
	events    string
	textLimit int
	api       string
	timeout   time.Duration
	client    channel.Doer
	now       func() time.Time // may be nil
	traits    channel.Traits

	messages wire.Endpoint // to which the person's id is added
}

var (
	_ channel.Adapter    = (*Adapter)(nil)
	_ channel.Handshaker = (*Adapter)(nil)
	_ channel.Fetcher    = (*Adapter)(nil)
	_ channel.Checker    = (*Adapter)(nil)
	_ channel.Installer  = (*Adapter)(nil)
)

// New makes an adapter. The error, of kind invalid, names everything that is
// wrong with c at once and holds no secret.
func New(c Config) (*Adapter, error) {
	a := &Adapter{
		user: c.UserID, mac: wire.NewMAC(c.ConsumerSecrets), appToken: c.AppToken, events: cmp.Or(c.Events, Activity),
		textLimit: cmp.Or(c.TextLimit, maxText), timeout: c.Timeout, client: c.Client, now: c.Now,
		traits: channel.Traits{
			StableTime: true, NoFiles: true,
			Pace: c.Pace.Or(channel.Pace{PerAccount: channel.Rate{Most: 15, Per: 15 * time.Minute}}),
		},
	}
	wrong := c.wrong()
	base, err := wire.Base(cmp.Or(c.API, DefaultAPI))
	if err != nil {
		wrong = append(wrong, fmt.Errorf("api: %w", err))
	}
	if len(wrong) > 0 {
		return nil, sotto.E("x.new", sotto.KindInvalid, errors.Join(wrong...))
	}
	a.api, a.secret = base, c.ConsumerSecrets[0]
	a.auth = auth{token: c.AccessToken, key: c.ConsumerKey, secret: c.ConsumerSecrets[0], tokenSecret: c.TokenSecret, now: c.Now}
	if a.messages, err = wire.NewEndpoint(http.MethodPost, base+"/2/dm_conversations/with/", "Content-Type", "application/json"); err != nil {
		return nil, sotto.E("x.new", sotto.KindInvalid, fmt.Errorf("api: %w", err))
	}
	return a, nil
}

// wrong is everything that is wrong with c, but for the address of the API.
func (c Config) wrong() (wrong []error) {
	bad := func(text string) { wrong = append(wrong, errors.New(text)) }
	printable := regexp.MustCompile(`^[!-~]+$`)
	if c.UserID != "" && !number(c.UserID) {
		bad("user_id: want the account's number")
	}
	if !wire.Usable(c.ConsumerSecrets) {
		bad("consumer_secret: with an empty one anybody could sign")
	}
	if !printable.MatchString(c.AccessToken.Reveal()) {
		bad("access_token: want printable characters without spaces")
	}
	if !c.AppToken.IsZero() && !printable.MatchString(c.AppToken.Reveal()) {
		bad("app_token: want printable characters without spaces")
	}
	if c.ConsumerKey.IsZero() != c.TokenSecret.IsZero() {
		bad("consumer_key and access_token_secret: OAuth 1.0a wants both, OAuth 2.0 neither")
	}
	if !c.ConsumerKey.IsZero() && c.Now == nil {
		bad("now: OAuth 1.0a signs the time")
	}
	if c.Events != "" && c.Events != Activity && c.Events != AccountActivity {
		bad("events: want activity or account_activity")
	}
	if c.TextLimit < 0 {
		bad("text_limit: want more than 0")
	}
	if c.Timeout < 0 {
		bad("timeout: want more than 0")
	}
	if c.Client == nil {
		bad("client: none was set")
	}
	return wrong
}

// Bases are the addresses that the adapter calls: the API's, and those where X
// keeps what people send along.
func (c Config) Bases() []string {
	bases := []string{cmp.Or(c.API, DefaultAPI)}
	for _, host := range mediaHosts() {
		bases = append(bases, "https://"+host)
	}
	return bases
}

// Channel returns "x".
func (*Adapter) Channel() string { return "x" }

// Traits implements [channel.Adapter].
func (a *Adapter) Traits() channel.Traits { return a.traits }

// Verify implements [channel.Adapter]: the signature over the raw body must
// stand in its header, once.
func (a *Adapter) Verify(r *channel.Request) error {
	signature, ok := wire.One(r.Header, signatureHeader)
	if !ok || r.Method != http.MethodPost || !a.mac.MatchBase64(signature, "sha256=", "", r.Body) {
		return channel.ErrUnverified
	}
	return nil
}

// maxToken bounds the token that is signed for X.
const maxToken = 256

// Handshake implements [channel.Handshaker]: X asks with GET whether this
// address knows the consumer secret, and expects its token back, signed. Calls
// are signed in the very same way, so a token that could be a call is refused:
// one that holds anything but letters, digits and - _ . ~ + / = cannot begin a
// JSON object, and anything else is no call that [Decode] takes.
func (a *Adapter) Handshake(r *channel.Request) (resp *channel.Response, answered bool, err error) {
	if r.Method != http.MethodGet {
		return nil, false, nil
	}
	token := r.Query["crc_token"]
	if len(token) != 1 || !plain(token[0]) || a.secret.IsZero() {
		return nil, true, channel.ErrUnverified
	}
	m := hmac.New(sha256.New, []byte(a.secret.Reveal()))
	m.Write([]byte(token[0]))
	return &channel.Response{
		Status:      http.StatusOK,
		ContentType: "application/json",
		Body:        []byte(`{"response_token":"sha256=` + base64.StdEncoding.EncodeToString(m.Sum(nil)) + `"}`),
	}, true, nil
}

// plain reports whether a token can be nothing but a token.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && !strings.ContainsRune("-_.~+/=", rune(c)) {
			return false
		}
	}
	return s != "" && len(s) <= maxToken
}

// number reports whether s is an id of X's: 1 to 19 digits.
func number(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= 19
}
