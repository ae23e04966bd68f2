package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
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
	r.front, err = transport.New(s.transportConfig(r, &lateHandler{r: r}))
	if err != nil {
		return nil, err
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
	r.count()
	s.addr = r.front.Addr().String()
	if r.control, err = control.Listen(s.cfg.Data, s.operations(r.p)); err != nil {
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
		view, err := client.For(a.key, a.api)
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

// serve runs until ctx ends, then stops in the order in which nothing is lost:
// no new calls, turns under way, sends under way, the log's head, the data.
func (r *running) serve(ctx context.Context) error {
	s := r.s
	var wg sync.WaitGroup
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	turns, stopTurns := context.WithCancel(background)
	sends, stopSends := context.WithCancel(background)
	defer stopTurns()
	defer stopSends()
	turnsDone := make(chan struct{})
	go func() {
		defer close(turnsDone)
		if s.in.Hold {
			<-turns.Done()
			return
		}
		r.p.inbox.Run(turns)
	}()
	wg.Go(func() { r.p.outbox.Run(sends) })
	wg.Go(func() { r.p.life.Run(background) })
	logged := make(chan error, 1)
	go func() { logged <- r.p.log.Run(background) }()
	served := make(chan error, 1)
	front, stopFront := context.WithCancel(background)
	defer stopFront()
	go func() { served <- r.front.Serve(front) }()
	s.banner(r)
	close(s.ready)
	s.log.LogAttrs(ctx, slog.LevelInfo, "ready", slog.String("listen", s.addr), slog.Duration("after", s.now().Sub(r.started)))

	var err error
	select {
	case <-ctx.Done():
		s.log.LogAttrs(ctx, slog.LevelInfo, "stopping")
		stopFront()
		err = <-served
	case err = <-served:
	}
	err = errors.Join(err, r.control.Close())
	stopTurns()
	<-turnsDone
	stopSends()
	stopBackground()
	wg.Wait()
	return errors.Join(err, <-logged, r.p.close())
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
