// Package sim plays a network on loopback: it serves the network's API, makes
// its webhook calls, and misbehaves when told to. What the network says and
// understands comes from a [play.Player]; this package drives it, from a
// terminal ([Sim.Chat]), from a script that is a test ([Sim.Script]), or from
// Go code:
//
//	s, err := sim.New(sim.Config{Player: telegram.Player(play.Config{}), To: hook})
//	defer s.Close()
//	_, err = s.Do(ctx, play.Act{Kind: sotto.EventMessage, Text: "hello"})
//	shown, err := s.Next(ctx, 0)
//
// It promises that every call is signed as the network signs it, that a call
// delivered twice has the same bytes, and that a misbehaviour hits the calls it
// is meant for: those that would have shown people a message.
//
// It listens on this machine only unless it is told otherwise, keeps what was
// shown in memory until it is closed, and does not judge what a bot says.
package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// Config says what is played, and against whom.
type Config struct {
	// Player is the network. Required.
	Player play.Player
	// To is the address of the bot's webhook; default "": set by [Sim.Target].
	To string
	// Listen is where the network's API listens, default 127.0.0.1:0: any free
	// port of this machine.
	Listen string
	// User is the network's id of the person who acts, default the player's own.
	User string
	// Out gets a readable line for everything that happens, default none.
	Out io.Writer
	// Client makes the webhook calls, default one that gives up after 30s.
	Client channel.Doer
}

// Sim is a network that runs. All methods may be called from many goroutines.
type Sim struct {
	player play.Player
	client channel.Doer
	server *http.Server
	url    string
	stop   chan struct{} // closed by Close; ends calls that hang
	done   chan struct{} // closed when the server has ended
	once   sync.Once

	print sync.Mutex
	out   io.Writer

	mu     sync.Mutex
	to     string
	user   string
	shown  []play.Shown
	wake   chan struct{} // closed and replaced when something was shown
	faults []*Fault
	twice  int           // webhooks to deliver twice
	behind bool          // hold the next webhook back
	forged bool          // spoil the proof of the next webhook
	held   *play.Webhook // held back
	last   play.Webhook
	handed bool // there is a last one
}

// New begins to listen. End it with Close.
func New(c Config) (*Sim, error) {
	if c.Player == nil {
		return nil, sotto.E("sim.new", sotto.KindInvalid, errors.New("no player was given"))
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Out == nil {
		c.Out = io.Discard
	}
	if c.Client == nil {
		c.Client = &http.Client{
			Timeout:       30 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // networks do not follow one
		}
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", c.Listen)
	if err != nil {
		return nil, sotto.E("sim.listen", sotto.KindUnavailable, err)
	}
	s := &Sim{
		player: c.Player, client: c.Client, to: c.To, user: c.User, out: c.Out, url: "http://" + l.Addr().String(),
		stop: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}),
	}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(l) // ends with Close
	}()
	return s, nil
}

// URL is the address of the network's API.
func (s *Sim) URL() string { return s.url }

// Player returns what is played.
func (s *Sim) Player() play.Player { return s.player }

// Target sets where webhooks go.
func (s *Sim) Target(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = url
}

// Close ends the network and everything that hangs on it.
func (s *Sim) Close() error {
	s.once.Do(func() { close(s.stop) })
	err := s.server.Close()
	<-s.done
	if err != nil {
		return sotto.E("sim.close", sotto.KindOther, err)
	}
	return nil
}

// maxCall bounds the body of a call: an upload of the largest file.
const maxCall = 64 << 20

// ServeHTTP plays the network's API.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCall))
	if err != nil {
		return // the caller went away, or sends no end of bytes
	}
	before := s.before(r, body)
	if before.refuses() {
		s.misbehave(w, r, before, nil, nil)
		return
	}
	var a answer
	shown := s.player.Serve(&a, r, body)
	if a.status/100 > 3 {
		s.say("  ! the network refused %s %s with %d: %s", r.Method, path.Base(r.URL.Path), a.status, line(string(a.body), 200))
	}
	f := before
	if f == nil && !s.foresees() {
		f = s.fault(visible(shown))
	}
	if f == nil {
		s.show(shown)
		a.copyTo(w)
		return
	}
	s.misbehave(w, r, f, &a, shown)
}

// foresees reports whether the player knows before a call what it will show.
func (s *Sim) foresees() bool {
	_, ok := s.player.(play.Sender)
	return ok
}

// before takes the misbehaviour for a call that nothing was done for yet.
func (s *Sim) before(r *http.Request, body []byte) *Fault {
	p, ok := s.player.(play.Sender)
	return s.fault(ok && p.Sends(r, body))
}

// visible reports whether people see a message of it.
func visible(shown []play.Shown) bool {
	return slices.ContainsFunc(shown, func(x play.Shown) bool { return x.Kind == "message" || x.Kind == "edit" })
}

// answer is what a player answered, kept back until it is known whether the
// network misbehaves, or what a bot answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, b...)
	return len(b), nil
}

func (a *answer) copyTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(max(a.status, http.StatusOK))
	_, _ = w.Write(a.body) // the caller is gone, which is theirs to know
}

// show keeps what people see, prints it, and wakes who waits for it.
func (s *Sim) show(shown []play.Shown) {
	if len(shown) == 0 {
		return
	}
	for i := range shown {
		s.say("%s", Line(shown[i]))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = append(s.shown, shown...)
	close(s.wake)
	s.wake = make(chan struct{})
}

// Shown returns what people have seen so far, oldest first.
func (s *Sim) Shown() []play.Shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.shown)
}

// Next returns the n-th thing that people saw, counted from 0, and waits for it.
func (s *Sim) Next(ctx context.Context, n int) (play.Shown, error) {
	for {
		s.mu.Lock()
		wake := s.wake
		if n < len(s.shown) {
			x := s.shown[n]
			s.mu.Unlock()
			return x, nil
		}
		s.mu.Unlock()
		select {
		case <-wake:
		case <-s.stop:
			return play.Shown{}, sotto.E("sim.next", sotto.KindUnavailable, errors.New("closed"))
		case <-ctx.Done():
			return play.Shown{}, ctx.Err() //nolint:wrapcheck // the caller's own
		}
	}
}

// Watch returns a channel of what people see, from the beginning on. It is
// closed when ctx ends or the network is closed.
func (s *Sim) Watch(ctx context.Context) <-chan play.Shown {
	c := make(chan play.Shown)
	go func() {
		defer close(c)
		for n := 0; ; n++ {
			x, err := s.Next(ctx, n)
			if err != nil {
				return
			}
			select {
			case c <- x:
			case <-ctx.Done():
				return
			}
		}
	}()
	return c
}

// say prints a line.
func (s *Sim) say(format string, args ...any) {
	s.print.Lock()
	defer s.print.Unlock()
	_, _ = fmt.Fprintf(s.out, format+"\n", args...) // nobody to tell
}

// Line is what people saw, in words: text, [buttons] and {files}, on lines of
// their own where the text has several.
func Line(x play.Shown) string {
	var b strings.Builder
	b.WriteString("bot")
	if x.To != "" {
		b.WriteString(" → " + x.To)
	}
	b.WriteString(": " + strings.ReplaceAll(content(x), "\n", "\n     "))
	if x.ID != "" && (x.Kind == "message" || x.Kind == "edit") {
		b.WriteString("   #" + x.ID)
	}
	return b.String()
}

// content is what people saw without to whom: what a script compares with.
func content(x play.Shown) string {
	var parts []string
	if x.Kind != "message" {
		parts = append(parts, "("+x.Kind+")")
	}
	if x.Text != "" {
		parts = append(parts, x.Text)
	}
	if x.File != nil {
		parts = append(parts, fmt.Sprintf("{%s, %d bytes}", x.File.Name, len(x.File.Data)))
	}
	for _, k := range x.Buttons {
		parts = append(parts, "["+k.Label+"]")
	}
	if x.ReplyTo != "" {
		parts = append(parts, "(in reply to #"+x.ReplyTo+")")
	}
	return strings.Join(parts, " ")
}

// line is one short line of a text.
func line(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
