// Package webchat is Sotto's own web chat: one page, and the adapter behind it.
//
// The page needs no account and no third party. A visitor writes, the message
// is posted to this host, and answers arrive over a server-sent event stream.
//
// # What it promises
//
//   - Nothing is stored in the browser before it is needed: looking at the page
//     sets no cookie and no other storage. The first message sets one cookie, a
//     random signed visitor number, which scripts cannot read.
//   - The page talks to its own host only, runs no inline code, and shows every
//     text as text.
//   - A message is acknowledged after [Config.Receive] returned, so after the
//     durable write.
//   - The process keeps in memory what is needed to resume a broken
//     connection: the last 64 lines of a visitor, for ten minutes. It writes
//     nothing to a disk and logs nothing. Nothing is kept for an idle visitor.
//
// # What it does not do
//
// It does not store a conversation; a page that is opened an hour later starts
// empty. It does not hear of a visitor who closed the page: [Adapter.Send] then
// answers "not_connected", and [Config.Awake] says when to try again. A line
// that was handed to a connection which turns out to be dead is shown only if
// the visitor is back within ten minutes.
//
// The chat is fed by its own faces, not by webhooks: [Adapter.Verify] always
// refuses, and [Adapter.Decode] exists for the command line and tests.
package webchat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// Name is the channel's name.
const Name = "webchat"

// Config says how the chat looks and what it is connected to.
type Config struct {
	// Origins are the sites, such as "https://www.example.org", that may show
	// the chat in an iframe and whose pages may post to it. Default: none, only
	// the host that serves the page.
	Origins []string `yaml:"origins"`

	Title      string `yaml:"title"`       // heading of the page; default "Chat"
	PrivacyURL string `yaml:"privacy_url"` // the privacy notice, https or a path on this host; default none: no link is shown

	VisitorPerMinute int `yaml:"visitor_per_minute"` // messages of one visitor, with a burst of a third; default 30
	AddressPerMinute int `yaml:"address_per_minute"` // calls from one IPv4 address or IPv6 /64, with a burst of a third; default 600
	MaxStreams       int `yaml:"max_streams"`        // open event streams; default 20000
	MaxMemory        int `yaml:"max_memory"`         // bytes of lines and files kept for resuming; default 64 MiB

	// CookieKey signs visitor cookies. A new key makes every visitor a new one.
	// It has no default: a zero key refuses.
	CookieKey [32]byte `yaml:"-"`

	// Receive takes each event and returns after the durable write. An error of
	// sotto.KindBusy, KindFull or KindUnavailable tells the page to try again.
	// It has no default.
	Receive func(ctx context.Context, e channel.Event) error `yaml:"-"`

	// Awake is called when a visitor connects, so that what waits for the
	// conversation can be sent at once; and again a second later, because a
	// send that was refused just before may not have been noted yet. It must
	// not block. Default: nobody is told.
	Awake func(conversation string) `yaml:"-"`

	// ClientIP is the visitor's address. It is used for rate limits only and
	// forgotten with the first call after the limit has run down. Default: the connection's address.
	ClientIP func(r *http.Request) string `yaml:"-"`

	// HTTPS reports whether the visitor's browser reached us by HTTPS, behind a
	// proxy too. Default: whether the connection itself has TLS.
	HTTPS func(r *http.Request) bool `yaml:"-"`

	Now func() time.Time `yaml:"-"` // the clock; default time.Now
}

func (c Config) withDefaults() Config {
	if c.Title == "" {
		c.Title = "Chat"
	}
	if c.VisitorPerMinute == 0 {
		c.VisitorPerMinute = 30
	}
	if c.AddressPerMinute == 0 {
		c.AddressPerMinute = 600
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = 20000
	}
	if c.MaxMemory == 0 {
		c.MaxMemory = 64 << 20
	}
	if c.ClientIP == nil {
		c.ClientIP = func(r *http.Request) string { return r.RemoteAddr }
	}
	if c.HTTPS == nil {
		c.HTTPS = func(r *http.Request) bool { return r.TLS != nil }
	}
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the default clock itself
	}
	return c
}

// problems reports everything that is wrong with c.
func (c Config) problems() error {
	var errs []error
	if c.CookieKey == ([32]byte{}) {
		errs = append(errs, errors.New("no cookie key: visitors could be impersonated"))
	}
	if c.Receive == nil {
		errs = append(errs, errors.New("nobody receives the messages"))
	}
	for i, o := range c.Origins {
		if !isOrigin(o) {
			errs = append(errs, fmt.Errorf("origins[%d]: want scheme://host[:port], without a path or wildcard", i))
		}
	}
	if c.PrivacyURL != "" && !isLink(c.PrivacyURL) {
		errs = append(errs, errors.New("privacy_url: want an https address or a path that starts with /"))
	}
	if c.VisitorPerMinute < 0 || c.AddressPerMinute < 0 || c.MaxStreams < 0 || c.MaxMemory < 0 {
		errs = append(errs, errors.New("limits are not negative"))
	}
	return errors.Join(errs...)
}

func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return false
	}
	return s == u.Scheme+"://"+u.Host && !strings.ContainsAny(u.Host, "*;,'\" ")
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	if u.Scheme == "" && u.Host == "" {
		return strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && !strings.HasPrefix(s, `/\`)
	}
	return u.Scheme == "https" && u.Host != ""
}

// Adapter is the web chat: a [channel.Adapter] for the pipeline and an
// [http.Handler] for the paths below /chat. The zero value decodes, and
// refuses everything else.
type Adapter struct {
	cfg      Config
	hub      *hub
	routes   http.Handler
	origin   *http.CrossOriginProtection
	visitors *limiter
	callers  *limiter
	times    times
}

// times are the intervals of the event stream; tests shorten them.
type times struct {
	heartbeat time.Duration
	again     time.Duration // until the second call of Awake
	life      time.Duration // of a stream; the browser then connects anew and shows its cookie again
	write     time.Duration // for one write to a browser
}

// New makes the chat.
func New(cfg Config) (*Adapter, error) {
	cfg = cfg.withDefaults()
	if err := cfg.problems(); err != nil {
		return nil, sotto.E("webchat.new", sotto.KindInvalid, err)
	}
	a := &Adapter{
		cfg:      cfg,
		hub:      newHub(cfg.Now, cfg.MaxStreams, cfg.MaxMemory),
		origin:   http.NewCrossOriginProtection(),
		visitors: newLimiter(cfg.VisitorPerMinute),
		callers:  newLimiter(cfg.AddressPerMinute),
		times:    times{heartbeat: 20 * time.Second, again: time.Second, life: time.Hour, write: 10 * time.Second},
	}
	for _, o := range cfg.Origins {
		if err := a.origin.AddTrustedOrigin(o); err != nil {
			return nil, sotto.E("webchat.new", sotto.KindInvalid, err)
		}
	}
	var err error
	if a.routes, err = a.newRoutes(); err != nil {
		return nil, sotto.E("webchat.new", sotto.KindOther, err)
	}
	return a, nil
}

// Channel returns "webchat".
func (*Adapter) Channel() string { return Name }

// Verify always refuses: the chat is fed by its own page, never by webhooks.
func (*Adapter) Verify(*channel.Request) error { return channel.ErrUnverified }

// Send shows m to the visitor. A visitor without an open page is a Retry with
// the code "not_connected". A message whose Key was sent within the last ten
// minutes is not shown again.
func (a *Adapter) Send(ctx context.Context, m *channel.Outgoing) (channel.Sent, error) {
	if a.hub == nil {
		return channel.Sent{}, &channel.SendError{Class: channel.Auth, Code: "not_set_up"}
	}
	if ctx.Err() != nil {
		return channel.Sent{}, &channel.SendError{Class: channel.Retry, Code: "cancelled"}
	}
	v, err := parseVisitor(m.Conversation)
	if err != nil {
		return channel.Sent{}, &channel.SendError{Class: channel.Bad, Code: "no_such_visitor"}
	}
	if len(m.Text) > maxSend || (m.File != nil && len(m.File.Data) > maxFile) {
		return channel.Sent{}, &channel.SendError{Class: channel.Bad, Code: "too_long"}
	}
	id, err := a.hub.send(v, m)
	if err != nil {
		return channel.Sent{}, err
	}
	return channel.Sent{ID: id}, nil
}

// Traits implements [channel.Adapter]: a message is shown once for the same
// Key, within ten minutes, or for as long as the page stays open.
func (*Adapter) Traits() channel.Traits { return channel.Traits{Idempotent: true} }

// Typing shows the visitor that an answer is on its way.
func (a *Adapter) Typing(_ context.Context, m *channel.Outgoing) error {
	v, err := parseVisitor(m.Conversation)
	if err != nil || a.hub == nil {
		return nil //nolint:nilerr // a sign that nobody sees is no failure
	}
	a.hub.typing(v)
	return nil
}

// Forget erases what the process remembers of a visitor, tells open pages to
// empty their log and drop the cookie, and ends their connections.
func (a *Adapter) Forget(visitor string) {
	v, err := parseVisitor(visitor)
	if err != nil || a.hub == nil {
		return
	}
	a.hub.forget(v)
}

// Close ends all event streams, so that an HTTP server can shut down. Pages
// connect again by themselves.
func (a *Adapter) Close() {
	if a.hub != nil {
		a.hub.close()
	}
}

// ServeHTTP serves /chat and the paths below it.
func (a *Adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.routes == nil {
		http.Error(w, "not set up", http.StatusServiceUnavailable)
		return
	}
	a.routes.ServeHTTP(w, r)
}
