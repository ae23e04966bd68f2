package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/bench"
	"github.com/sotto-chat/sotto/internal/store"
)

// The secrets of the sites in these tests. None may be seen anywhere.
const (
	secretToken   = "12345:canary-bot-token"
	secretHook    = "canary-hook-secret"
	secretApp     = "canary-app-secret"
	secretVerify  = "canary-verify-token"
	secretAccess  = "canary-access-token"
	telegramHook  = "/hooks/telegram/shop"
	messengerHook = "/hooks/messenger/page"
)

// buffer is written by many.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// site is a configured server whose network is a stub.
type site struct {
	t        *testing.T
	dir      string
	env      map[string]string
	bot      sotto.Bot
	got      func(user int64) // called for every message that the stub takes
	mu       sync.Mutex
	sent     int
	out, log *buffer
	r        *running
	stop     func()
}

const siteConfig = `
listen: 127.0.0.1:0
public_url: https://bot.example.org
data: ./data
keys: { current: file:./kek }
audit: { head: ./head }
limits: { body: 4KiB }
bot: { timeout: 200ms }
channels:
  telegram: { shop: { token: env:TOKEN, secret: env:HOOK, api: "API" } }
  messenger: { page: { page_id: "77", app_secret: env:APP, verify_token: env:VERIFY, access_token: env:ACCESS, api: "API" } }
  webchat: { site: {} }
`

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), out: new(buffer), log: new(buffer)}
	s.env = map[string]string{"TOKEN": secretToken, "HOOK": secretHook, "APP": secretApp, "VERIFY": secretVerify, "ACCESS": secretAccess}
	stub, err := bench.NewStub(context.Background(), func(user int64) {
		if f := s.got; f != nil {
			f(user)
		}
		s.mu.Lock()
		s.sent++
		s.mu.Unlock()
	})
	s.must(err)
	t.Cleanup(func() { s.must(stub.Close()) })
	s.must(CreateKey(filepath.Join(s.dir, "kek")))
	s.configure(strings.ReplaceAll(siteConfig, "API", stub.URL()))
	return s
}

func (s *site) configure(text string) {
	s.t.Helper()
	s.must(os.WriteFile(filepath.Join(s.dir, "sotto.yaml"), []byte(text), 0o600))
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) config() Config {
	return Config{
		File: filepath.Join(s.dir, "sotto.yaml"), Out: s.out, Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Env: func(k string) (string, bool) { v, ok := s.env[k]; return v, ok },
	}
}

// start serves until the test or stop ends it.
func (s *site) start() {
	s.t.Helper()
	srv, err := New(s.config(), s.bot)
	s.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	s.r, err = srv.start(ctx)
	if err != nil {
		cancel()
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.r.serve(ctx) }()
	<-srv.Ready()
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			s.must(<-ended)
		})
	}
	s.t.Cleanup(s.stop)
}

func (s *site) messages() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// wait waits until something is so.
func (s *site) wait(what string, so func() bool) {
	s.t.Helper()
	for range 4000 {
		if so() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Fatalf("waited in vain until %s; log:\n%s", what, s.log.String())
}

// answered is what a call was answered.
type answered struct {
	StatusCode int
	Header     http.Header
}

// do makes a call and returns the answer and its body.
func (s *site) do(method, path string, header map[string]string, body io.Reader) (answered, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, "http://"+s.r.s.Addr()+path, body)
	s.must(err)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	s.must(err)
	b, err := io.ReadAll(resp.Body)
	s.must(err)
	s.must(resp.Body.Close())
	return answered{resp.StatusCode, resp.Header}, string(b)
}

func signed() map[string]string {
	return map[string]string{"X-Telegram-Bot-Api-Secret-Token": secretHook}
}

// update is the body of a webhook call: user says text.
func update(id, user int, text string) string {
	return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"A","language_code":"en"},"chat":{"id":%d,"type":"private","first_name":"A"},"date":%d,"text":%q}}`,
		id, id, user, user, time.Now().Unix(), text)
}

// say has a user write something.
func (s *site) say(id, user int, text string) {
	s.t.Helper()
	if resp, _ := s.do(http.MethodPost, telegramHook, signed(), strings.NewReader(update(id, user, text))); resp.StatusCode != http.StatusOK {
		s.t.Fatalf("answered %d", resp.StatusCode)
	}
}

func (s *site) exec(q string) {
	s.t.Helper()
	s.must(s.r.p.db.Write(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(q); return err }))
}
