// Package sottotest runs a whole Sotto in a test, for authors of bots.
//
//	s := sottotest.Start(t, bot)
//	s.Say("41", "My number is +49 30 901820")
//	got := s.Replies("41")
//
// It is the real server: webhooks come in signed over loopback, are sealed and
// stored in SQLite, and replies go out over HTTP. Telegram and Messenger are
// played by [channeltest.Network], which can also be told to misbehave; the web
// chat is served as well. The data lie in a directory of their own that goes
// with the test.
//
// A user is named by the id that the network knows, "41" for Telegram (digits)
// and "messenger/41" for Messenger. As everywhere, the first thing that a
// person gets is the privacy notice; [Sotto.Replies] leaves it out and
// [Sotto.Messages] does not.
//
// What left the house is in [Sotto.LeftTheHouse], what lies on the disk and in
// the log in [Sotto.Files], and [Sotto.Search] looks for a text in it in all
// the forms in which text hides. So a bot's author can show that nothing leaks:
//
//	if at := s.Search("+4930901820"); len(at) > 0 {
//		t.Errorf("the number is found in %v", at)
//	}
//
// It does not play what the networks themselves refuse, and it measures
// nothing: that is what "sotto bench" is for.
package sottotest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/server"
)

// Account is the name of the accounts that a test's configuration has:
// "telegram/test", "messenger/test" and the web chat "webchat/test".
const Account = "test"

// Config says how to run. The zero value is a Sotto with defaults.
type Config struct {
	// Settings are more lines of the configuration file, such as
	// "bot: { text: clear }". Default none.
	Settings string
	// Wait is how long the methods that wait do so before the test fails,
	// default 30s.
	Wait time.Duration
	// Now is the clock of the server and of the network, default the machine's.
	Now func() time.Time
}

// Sotto is a running Sotto and the networks around it. Its methods end the test
// when something goes wrong that the test is not about.
type Sotto struct {
	// Network is what people and bot meet on. Use it to deliver other webhooks
	// than messages and buttons, and to make the network misbehave.
	Network *channeltest.Network

	t     testing.TB
	cfg   Config
	bot   sotto.Bot
	root  string // everything on the disk
	out   *recorder
	api   string
	log   *lines
	http  *http.Client
	serve *serving
}

// serving is one run of the server.
type serving struct {
	url    string
	cancel context.CancelFunc
	ended  chan error
}

// Start runs bot until the test ends. A nil bot is the one that the
// configuration names, which answers for a sample shop by default.
func Start(tb testing.TB, bot sotto.Bot, cfg ...Config) *Sotto {
	tb.Helper()
	s := &Sotto{t: tb, bot: bot, root: tb.TempDir(), log: new(lines), http: new(http.Client)}
	if len(cfg) > 0 {
		s.cfg = cfg[0]
	}
	if s.cfg.Wait == 0 {
		s.cfg.Wait = 30 * time.Second
	}
	s.http.Transport = &http.Transport{MaxIdleConnsPerHost: 16}
	s.startNetwork()
	s.configure()
	tb.Cleanup(s.Stop)
	s.run()
	return s
}

// must ends the test on an error.
func (s *Sotto) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("sottotest: %v", err)
	}
}

// startNetwork puts a listener that writes down what comes in before the
// network.
func (s *Sotto) startNetwork() {
	s.t.Helper()
	n, err := channeltest.NewNetwork(channeltest.NetworkConfig{Record: true, Now: s.cfg.Now})
	s.must(err)
	s.Network = n
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	s.must(err)
	s.out = &recorder{to: n}
	srv := &http.Server{Handler: s.out, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l)
	}()
	s.api = "http://" + l.Addr().String()
	s.t.Cleanup(func() {
		s.must(n.Close()) // lets go of calls that hang
		s.must(srv.Close())
		<-done
		s.http.CloseIdleConnections()
	})
}

// secrets are where the configuration's references lead.
func secrets(name string) (string, bool) {
	v, ok := map[string]string{
		"TG_TOKEN": channeltest.TelegramToken, "TG_SECRET": channeltest.TelegramSecret,
		"FB_SECRET": channeltest.MessengerSecret, "FB_VERIFY": channeltest.VerifyToken, "FB_TOKEN": channeltest.MessengerToken,
	}[name]
	return v, ok
}

// Secrets returns the credentials that the server was given, for searching what
// it has written.
func (*Sotto) Secrets() []string {
	return []string{
		channeltest.TelegramToken, channeltest.TelegramSecret, channeltest.MessengerSecret,
		channeltest.VerifyToken, channeltest.MessengerToken,
	}
}

func (s *Sotto) configure() {
	s.t.Helper()
	text := strings.NewReplacer("$API", s.api, "$PAGE", channeltest.PageID, "$NAME", Account).Replace(`
listen: 127.0.0.1:0
public_url: http://localhost
data: ./data
keys: { current: file:./kek }
audit: { head: ./head }
channels:
  telegram: { $NAME: { token: env:TG_TOKEN, secret: env:TG_SECRET, api: "$API", per_account: 1000000/s, per_person: 1000000/s } }
  messenger: { $NAME: { page_id: "$PAGE", app_secret: env:FB_SECRET, verify_token: env:FB_VERIFY, access_token: env:FB_TOKEN, api: "$API", per_account: 1000000/s, per_person: 1000000/s } }
  webchat: { $NAME: {} }
`) + s.cfg.Settings + "\n"
	s.must(os.WriteFile(filepath.Join(s.root, "sotto.yaml"), []byte(text), 0o600))
	s.must(server.CreateKey(filepath.Join(s.root, "kek")))
}

// config is what the server and the operations on its data are made with.
func (s *Sotto) config() server.Config {
	return server.Config{
		File: filepath.Join(s.root, "sotto.yaml"), Env: secrets, Now: s.cfg.Now,
		Logger: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Out: s.log,
	}
}

// run starts the server and returns when it answers.
func (s *Sotto) run() {
	s.t.Helper()
	srv, err := server.New(s.config(), s.bot)
	s.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	select {
	case err := <-ended:
		cancel()
		s.t.Fatalf("sottotest: the server did not start: %v", err)
	case <-srv.Ready():
	}
	s.serve = &serving{url: "http://" + srv.Addr(), cancel: cancel, ended: ended}
}

// URL is the address of the server. It changes with [Sotto.Restart].
func (s *Sotto) URL() string {
	s.t.Helper()
	if s.serve == nil {
		s.t.Fatal("sottotest: the server is stopped")
	}
	return s.serve.url
}

// Dir is the directory that holds everything: sotto.yaml, the key in kek, the
// copy of the log's head in head, and the data in data.
func (s *Sotto) Dir() string { return s.root }

// Stop ends the server as a signal would: what is under way is finished. It
// does nothing where it is stopped already.
func (s *Sotto) Stop() {
	s.t.Helper()
	if s.serve == nil {
		return
	}
	run := s.serve
	s.serve = nil
	s.http.CloseIdleConnections()
	run.cancel()
	if err := <-run.ended; err != nil {
		s.t.Errorf("sottotest: the server stopped with: %v", err)
	}
}

// Restart stops the server, if it runs, and starts it again on the same data.
func (s *Sotto) Restart() {
	s.t.Helper()
	s.Stop()
	s.run()
}

// lines gathers what is written to it.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.buf.Bytes())
}

// said returns the end of what was written, without the calls that were
// answered: what to show when a test fails.
func (l *lines) said() []byte {
	var out [][]byte
	for line := range bytes.Lines(l.bytes()) {
		if !bytes.Contains(line, []byte(`"request answered"`)) {
			out = append(out, line)
		}
	}
	return bytes.Join(out[max(0, len(out)-40):], nil)
}

// userOf reads a user as the methods take it.
func userOf(user string) (channelName, id string, err error) {
	channelName, id, ok := strings.Cut(user, "/")
	if !ok {
		channelName, id = channeltest.Telegram, user
	}
	if channelName != channeltest.Telegram && channelName != channeltest.Messenger || id == "" {
		return "", "", fmt.Errorf("%q is no user; want digits, or messenger/ID", user)
	}
	if channelName == channeltest.Telegram && strings.Trim(id, "0123456789") != "" {
		return "", "", fmt.Errorf("%q is no user: Telegram's are numbers", user)
	}
	return channelName, id, nil
}
