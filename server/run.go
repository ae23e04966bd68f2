package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/webchat"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/control"
	"github.com/sotto-chat/sotto/internal/egress"
	"github.com/sotto-chat/sotto/internal/metrics"
	"github.com/sotto-chat/sotto/internal/transport"
)

// running is a server that is open and listens.
type running struct {
	s       *Server
	p       *parts
	metrics *metrics.Metrics
	front   *transport.Server
	control *control.Server
	web     *webchat.Adapter
	started time.Time

	unstored atomic.Bool // the last webhook's events could not be stored
}

// start opens the data and everything on it, and begins to listen.
func (s *Server) start(ctx context.Context) (r *running, err error) {
	r = &running{s: s, metrics: metrics.New(), started: s.now()}
	if r.p, err = s.open(ctx, true); err != nil {
		return nil, err
	}
	begun := r // a return of an error clears r
	defer func() {
		if err != nil {
			if begun.front != nil {
				begun.front.Close()
			}
			err = errors.Join(err, begun.p.close())
		}
	}()
	r.front, err = transport.New(s.transportConfig(r, &lateHandler{r: r})) //nolint:contextcheck // a socket is opened at once
	if err != nil {
		return nil, err
	}
	s.addr = r.front.Addr().String()
	if u, perr := url.Parse(s.cfg.PublicURL); perr == nil && u.Port() == "0" { // any free port was asked for
		s.cfg.PublicURL = s.localURL()
		r.p.notice = s.notice()
	}
	if err = r.buildAdapters(); err != nil {
		return nil, err
	}
	if err = r.p.connect(ctx, s); err != nil {
		return nil, err
	}
	trail := audit.NewTrail("start", audit.Commitment{})
	trail.Add(audit.Act{Verb: "start", Ref: r.p.notice.Version()})
	if _, err = r.p.log.Write(ctx, trail); err != nil {
		return nil, err
	}
	r.count() //nolint:contextcheck // numbers are asked for later, by whoever reads them
	s.addr = r.front.Addr().String()
	if r.control, err = control.Listen(s.cfg.Data, s.operations(r.p)); err != nil { //nolint:contextcheck // a socket is opened at once
		return nil, err
	}
	return r, nil
}

// buildAdapters gives every account its way out and nothing else.
func (r *running) buildAdapters() error {
	s := r.s
	client, err := egress.New(egress.Config{})
	if err != nil {
		return err
	}
	for _, a := range s.accounts {
		if a.web != nil {
			if err := r.buildWeb(a); err != nil {
				return err
			}
			continue
		}
		view, err := client.For(a.key, a.bases...)
		if err != nil {
			return err
		}
		ad, err := a.build(view)
		if err != nil {
			return sotto.E("server."+a.channel, sotto.KindInvalid, err)
		}
		r.p.adapters[a.key] = ad
	}
	return nil
}

func (r *running) buildWeb(a account) error {
	c := *a.web
	c.CookieKey = r.p.vault.Seed("webchat." + a.name)
	c.Now = r.s.now
	c.ClientIP = func(req *http.Request) string { return transport.ClientIP(req).String() }
	c.HTTPS = transport.Secure
	if c.PrivacyURL == "" {
		c.PrivacyURL = "/privacy"
	}
	c.Receive = func(ctx context.Context, e channel.Event) error {
		return r.p.inbox.Receive(ctx, a.key, []channel.Event{e})
	}
	c.Awake = func(conversation string) {
		r.p.outbox.Wake(r.p.vault.ConversationID(a.channel, a.key, conversation))
	}
	ad, err := webchat.New(c)
	if err != nil {
		return err
	}
	r.web = ad
	r.p.adapters[a.key] = ad
	return nil
}

// work is something that goes on until it is stopped.
type work struct {
	stop context.CancelFunc
	done chan struct{}
}

func begin(ctx context.Context, f func(context.Context)) *work {
	ctx, stop := context.WithCancel(ctx)
	w := &work{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		f(ctx)
	}()
	return w
}

// end stops the work and returns when it has ended.
func (w *work) end() {
	w.stop()
	<-w.done
}

// serve runs until ctx ends, then stops in the order in which nothing is lost:
// no new calls, turns under way, sends under way, deletions, the log's head over
// all that they wrote, the data.
func (r *running) serve(ctx context.Context) error {
	s := r.s
	background := context.WithoutCancel(ctx)
	turns := begin(background, func(ctx context.Context) {
		if s.in.Hold {
			<-ctx.Done()
			return
		}
		r.p.inbox.Run(ctx)
	})
	sends := begin(background, r.p.outbox.Run)
	life := begin(background, r.p.life.Run)
	wishes := begin(background, r.p.deletion.Run)
	var logged, served error
	log := begin(background, func(ctx context.Context) { logged = r.p.log.Run(ctx) })
	front := begin(background, func(ctx context.Context) { served = r.front.Serve(ctx) })
	s.banner(r)
	close(s.ready)
	s.log.LogAttrs(ctx, slog.LevelInfo, "ready", slog.String("listen", s.addr), slog.Duration("after", s.now().Sub(r.started)))

	select {
	case <-ctx.Done():
		s.log.LogAttrs(ctx, slog.LevelInfo, "stopping")
	case <-front.done:
	}
	front.end()
	err := errors.Join(served, r.control.Close()) //nolint:contextcheck // what is under way is finished after the context has ended
	s.endTurns(ctx, turns)
	sends.end()
	wishes.end()
	life.end()
	log.end()
	return errors.Join(err, logged, r.p.close())
}

// patience is how long a turn may go on past the bot's time before the server
// stops without it.
const patience = 5 * time.Second

// endTurns waits for the turns under way, but not for a bot that does not mind
// its context: what it was asked is asked again after the next start.
func (s *Server) endTurns(ctx context.Context, turns *work) {
	turns.stop()
	t := time.NewTimer(s.cfg.Bot.Timeout + patience)
	defer t.Stop()
	select {
	case <-turns.done:
	case <-t.C:
		s.log.LogAttrs(ctx, slog.LevelError, "a turn does not end; stopping without it")
	}
}

func (s *Server) transportConfig(r *running, h http.Handler) transport.Config {
	c := s.cfg
	return transport.Config{
		Handler: h, Listen: c.Listen, Domain: c.Domain, CertDir: filepath.Join(c.Data, "certs"),
		ACME: transport.ACME{Directory: c.ACME.Directory, Email: c.ACME.Email, CAFile: c.ACME.CAFile}, HTTP: c.ACME.HTTP,
		Cert: c.TLS.Cert, Key: c.TLS.Key, Trusted: c.Proxy.Trusted, Header: c.Proxy.Header,
		MaxBody: int64(c.Limits.Body) + 4096, Now: s.now, Log: s.log,
		OnStop: func() {
			if r.web != nil {
				r.web.Close()
			}
		},
	}
}

// lateHandler is the routes of a server, made when all parts are there.
type lateHandler struct {
	r    *running
	once sync.Once
	mux  http.Handler
}

// ServeHTTP passes the call on.
func (l *lateHandler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	l.once.Do(func() { l.mux = l.r.routes() })
	l.mux.ServeHTTP(w, req)
}
