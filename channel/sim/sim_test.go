package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/sim"
	"github.com/sotto-chat/sotto/channel/telegram"
)

const (
	token  = "123456:test-token"
	secret = "test-secret"
)

// bot answers every message with what was said, through the played API. It
// knows nothing of Sotto.
type bot struct {
	t      *testing.T
	mu     sync.Mutex
	api    string
	bodies []string
	said   []string
	codes  []int // of the API's answers; 0 where there was none
	status int   // answered to webhooks, default 200
}

// ServeHTTP takes a webhook.
func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Header.Get("X-Telegram-Bot-Api-Secret-Token") != secret {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bodies = append(b.bodies, string(body))
	var u struct {
		Message struct {
			Text string `json:"text"`
			Chat struct {
				ID int64 `json:"id"`
			} `json:"chat"`
		} `json:"message"`
		Press struct {
			ID   string `json:"id"`
			Data string `json:"data"`
			From struct {
				ID int64 `json:"id"`
			} `json:"from"`
		} `json:"callback_query"`
	}
	if err := json.Unmarshal(body, &u); err != nil {
		b.t.Error(err)
	}
	switch {
	case u.Press.ID != "":
		b.call("sendMessage", map[string]any{"chat_id": u.Press.From.ID, "text": "you pressed " + u.Press.Data})
	case u.Message.Text != "":
		b.said = append(b.said, u.Message.Text)
		b.call("sendChatAction", map[string]any{"chat_id": u.Message.Chat.ID, "action": "typing"})
		m := map[string]any{"chat_id": u.Message.Chat.ID, "text": "you said " + u.Message.Text}
		if strings.Contains(u.Message.Text, "buttons") {
			m["reply_markup"] = map[string]any{"inline_keyboard": [][]map[string]string{{{"text": "Yes", "callback_data": "Y|1"}}}}
		}
		b.call("sendMessage", m)
	}
	if b.status != 0 {
		w.WriteHeader(b.status)
	}
}

func (b *bot) call(method string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		b.t.Error(err)
	}
	resp, err := http.Post(b.api+"/bot"+token+"/"+method, "application/json", bytes.NewReader(body))
	if err != nil {
		b.codes = append(b.codes, 0)
		return
	}
	b.codes = append(b.codes, resp.StatusCode)
	_ = resp.Body.Close()
}

// start has a bot and a network meet.
func start(t *testing.T, out io.Writer) (*bot, *sim.Sim) {
	t.Helper()
	b := &bot{t: t}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	s, err := sim.New(sim.Config{Player: telegram.Player(play.Config{Secret: secret, Token: token}), To: srv.URL, User: "77", Out: out})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	b.api = s.URL()
	return b, s
}

func texts(s *sim.Sim) []string {
	var out []string
	for _, x := range s.Shown() {
		if x.Kind == "message" {
			out = append(out, x.To+": "+x.Text)
		}
	}
	return out
}

func say(t *testing.T, s *sim.Sim, text string) sim.Delivery {
	t.Helper()
	d, err := s.Do(t.Context(), play.Act{Kind: sotto.EventMessage, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDo(t *testing.T) {
	b, s := start(t, nil)
	if d := say(t, s, "hi"); !d.OK() || d.ID == "" || d.Status != 200 {
		t.Errorf("%+v", d)
	}
	if diff := cmp.Diff([]string{"77: you said hi"}, texts(s)); diff != "" {
		t.Error(diff)
	}
	x, err := s.Next(t.Context(), 0)
	if err != nil || x.Kind != "typing" {
		t.Errorf("%+v, %v", x, err)
	}
	b.status = http.StatusServiceUnavailable
	if d := say(t, s, "hi"); d.OK() || d.Status != 503 {
		t.Errorf("%+v", d)
	}
	if _, err := s.Do(t.Context(), play.Act{Kind: sotto.EventReceipt}); !errors.Is(err, play.ErrNoSuch) {
		t.Error(err)
	}
	s.Target("http://127.0.0.1:1")
	if _, err := s.Do(t.Context(), play.Act{Kind: sotto.EventMessage, Text: "x"}); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Error(err)
	}
	s.Target("")
	if _, err := s.Do(t.Context(), play.Act{Kind: sotto.EventMessage, Text: "x"}); sotto.KindOf(err) != sotto.KindInvalid {
		t.Error(err)
	}
}

func TestDuplicateAndAgain(t *testing.T) {
	b, s := start(t, nil)
	if _, err := s.Again(t.Context()); sotto.KindOf(err) != sotto.KindNotFound {
		t.Error(err)
	}
	s.Duplicate(1)
	say(t, s, "one")
	say(t, s, "two")
	if _, err := s.Again(t.Context()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"one", "one", "two", "two"}, b.said); diff != "" {
		t.Error(diff)
	}
	if b.bodies[0] != b.bodies[1] || b.bodies[2] != b.bodies[3] || b.bodies[0] == b.bodies[2] {
		t.Error("a repeated webhook has other bytes")
	}
}

func TestReorder(t *testing.T) {
	b, s := start(t, nil)
	s.Reorder()
	if d := say(t, s, "one"); !d.Held || !d.OK() {
		t.Errorf("%+v", d)
	}
	say(t, s, "two")
	say(t, s, "three")
	s.Reorder()
	say(t, s, "four")
	if err := s.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"two", "one", "three", "four"}, b.said); diff != "" {
		t.Error(diff)
	}
}

func TestForge(t *testing.T) {
	b, s := start(t, nil)
	s.Forge()
	if d := say(t, s, "one"); d.Status != http.StatusUnauthorized {
		t.Errorf("%+v", d)
	}
	if d := say(t, s, "two"); d.Status != http.StatusOK || len(b.said) != 1 {
		t.Errorf("%+v, %q", d, b.said)
	}
}

// Faults hit messages and leave typing alone.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		f     sim.Fault
		codes []int // of typing and message, twice
		shown int
	}{
		{"429", sim.Fault{Status: 429, After: time.Second}, []int{200, 429, 200, 200}, 1},
		{"500 twice", sim.Fault{Status: 500, Times: 2}, []int{200, 500, 200, 500}, 0},
		{"any", sim.Fault{Status: 500, Any: true}, []int{500, 200, 200, 200}, 2},
		{"cut", sim.Fault{Cut: true}, []int{200, 0, 200, 200}, 2},
		{"lost", sim.Fault{Cut: true, Lost: true}, []int{200, 0, 200, 200}, 1},
		{"late", sim.Fault{Delay: 30 * time.Millisecond}, []int{200, 200, 200, 200}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, s := start(t, nil)
			s.Fail(tt.f)
			begin := time.Now()
			say(t, s, "one")
			if time.Since(begin) < tt.f.Delay {
				t.Error("it did not hang")
			}
			say(t, s, "two")
			if diff := cmp.Diff(tt.codes, b.codes); diff != "" {
				t.Error(diff)
			}
			if got := texts(s); len(got) != tt.shown {
				t.Errorf("shown: %q", got)
			}
			s.Fail(tt.f)
			s.Heal()
			say(t, s, "three")
			if b.codes[len(b.codes)-1] != 200 {
				t.Error("not healed")
			}
		})
	}
}

// reader is a network that reads answers, and one on which a button says its label.
type reader struct {
	play.Player
	err error
}

func (r reader) Heard(play.Webhook, int, http.Header, []byte) ([]play.Shown, error) {
	return []play.Shown{{Kind: "message", To: "77", Text: "at once", ID: "5", Buttons: []sotto.Button{{Label: "Yes"}}}}, r.err
}

func (r reader) Webhook(a play.Act) (play.Webhook, error) {
	if a.Kind == sotto.EventButton {
		return play.Webhook{}, play.ErrNoSuch
	}
	return r.Player.Webhook(a)
}

func TestAnswers(t *testing.T) {
	b, plain := start(t, nil)
	for _, refused := range []error{nil, errors.New("no content")} {
		s, err := sim.New(sim.Config{Player: reader{plain.Player(), refused}})
		if err != nil {
			t.Fatal(err)
		}
		hook := httptest.NewServer(b)
		s.Target(hook.URL)
		if d := say(t, s, "hi"); d.OK() != (refused == nil) || !errors.Is(d.Refused, refused) || d.Status != 200 {
			t.Errorf("%+v", d)
		}
		n, err := s.Script(t.Context(), "script", strings.NewReader("hi\nexpect at once\nbutton Yes\nbutton No\n"))
		if n != 1 || err == nil || refused != nil && !strings.Contains(err.Error(), "no content") || refused == nil && !strings.Contains(err.Error(), "script:4: telegram knows nothing") {
			t.Errorf("%d checks, %v", n, err)
		}
		if !slices.Contains(b.said, "Yes") {
			t.Error("the button did not say its label")
		}
		hook.Close()
		_ = s.Close()
	}
}

func TestWatch(t *testing.T) {
	_, s := start(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c := s.Watch(ctx)
	say(t, s, "one")
	if x := <-c; x.Kind != "typing" {
		t.Errorf("%+v", x)
	}
	if x := <-c; x.Text != "you said one" {
		t.Errorf("%+v", x)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if x, open := <-c; open {
		t.Errorf("%+v after the end", x)
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := sim.New(sim.Config{}); sotto.KindOf(err) != sotto.KindInvalid {
		t.Error(err)
	}
	_, s := start(t, nil)
	if _, err := sim.New(sim.Config{Player: s.Player(), Listen: strings.TrimPrefix(s.URL(), "http://")}); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Error(err)
	}
}

// Scripts that come true, and scripts that fail with the reason and the line.
func TestScript(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, script string
		checks       int
		fails        string // of the error
	}{
		{"plain", "# comment\n\nhello\nexpect you said hello", 1, ""},
		{"say", "say expect this\nexpect you said expect this", 1, ""},
		{"slash to the bot", "/start now\nexpect you said /start now\n//fail 1\nexpect you said /fail 1", 2, ""},
		{"slash without its words is said", "/delete\nexpect you said /delete", 1, ""},
		{"words that are no command here", "leave me alone\nexpect leave me alone", 1, ""},
		{"expression", "hello\nexpect /sa.d h[a-z]+o$/", 1, ""},
		{"lines", `say a\nb` + "\n" + `expect said a\nb`, 1, ""},
		{"typing", "hello\nexpect (typing)", 1, ""},
		{"button by its label", "say buttons\nexpect [Yes]\nbutton Yes\nexpect you pressed Y|1", 2, ""},
		{"button by its payload", "say buttons\nexpect [Yes]\n/button Y|1\nexpect you pressed Y|1", 2, ""},
		{"each answer once", "hello\nhello\nexpect you said hello\nexpect you said hello", 2, ""},
		{"somebody else", "user 78\nhello\nexpect you said hello\ngroup -100200\nmention hi\nexpect @sotto_sim_bot hi", 2, ""},
		{"about messages", "hello\nedit last bye\nreact\nreact last 👎\nreply last yes\nexpect said yes\nfile " + file + " look", 1, ""},
		{"group", "group team\njoin\nleave\nmigrate -1005\nuser bot\njoin\ngroup\nuser 77\nblock\nunblock", 0, ""},
		{"disorder", "duplicate 2 times\nreorder\none\ntwo\nheal\nagain", 0, ""},
		{"forged", "forge\nhello\nexpect status 401\nhello\nexpect status 200\nexpect said hello", 3, ""},
		{"failing", "fail 429 2 times after 1s\nfail 500 once any\nhang 1ms\ncut lost\nheal\nhello\nexpect hello", 1, ""},
		{"never", "hello\nexpect hello\nnever goodbye\nquiet 20ms", 3, ""},
		{"times", "wait 1ms\ntimeout 1s\nconnect", 0, ""},
		{"end", "quit\nexpect nothing", 0, ""},

		{"in vain", "hello\nexpect you said hello\ntimeout 30ms\nexpect goodbye", 0, "script:4: expected \"goodbye\" in vain for 30ms; nothing came"},
		{"something else", "timeout 200ms\nhello\nexpect goodbye", 0, "came instead: you said hello"},
		{"twice", "timeout 30ms\nhello\nexpect you said hello\nexpect you said hello", 0, "script:4"},
		{"never said", "hello\nexpect hello\nnever hello", 0, "script:3: was said after all"},
		{"not quiet", "hang 20ms\nbackground", 0, ""},
		{"refused", "forge\nhello\nhello", 0, "script:2: the bot answered the webhook with 401"},
		{"refused, and on", "forge\nhello\nhello\nexpect said hello\nquit", 1, "script:2: the bot answered the webhook with 401"},
		{"refused at the end", "hello\nforge\nhello", 0, "script:3: the bot answered"},
		{"another status", "forge\nhello\nexpect status 200", 0, "script:3: the bot answered the webhook with 401, want 200"},
		{"no such thing", "optin", 0, "script:1: telegram knows nothing of the kind"},
		{"too few words", "edit 5", 0, "script:1: edit wants more"},
		{"no message", "react", 0, "there is no message yet"},
		{"no message of mine", "delete last", 0, "there is no message yet"},
		{"fault", "fail 200", 0, "status of HTTP"},
		{"fault's words", "fail 429 soon", 0, `"soon" is not understood`},
		{"fault's time", "fail 429 after soon", 0, `"soon" is no time`},
		{"time", "wait soon", 0, `"soon" is no time`},
		{"hang", "hang long", 0, `"long" is no time`},
		{"number", "duplicate often", 0, `"often" is no number`},
		{"expression's form", "expect /(/", 0, "the expression"},
		{"status's form", "expect status fine", 0, "no status"},
		{"no file", "file " + dir + "/none", 0, "the file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			_, s := start(t, &out)
			n, err := s.Script(t.Context(), "script", strings.NewReader(tt.script))
			switch {
			case tt.fails == "" && (err != nil || n != tt.checks):
				t.Errorf("%d checks, %v\n%s", n, err, &out)
			case tt.fails != "" && tt.checks != 0 && n != tt.checks:
				t.Errorf("%d checks, want %d", n, tt.checks)
			case tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)):
				t.Errorf("%v, want an error about %q", err, tt.fails)
			}
		})
	}
}

func TestChat(t *testing.T) {
	var out bytes.Buffer
	_, s := start(t, &out)
	in := "hello\n\n# said, not a comment\n/button x\n/nothing of the kind\n/edit 5\n/optin\n/fail soon\nleave\n/help\n/quit\nnot said\n"
	if err := s.Chat(t.Context(), strings.NewReader(in)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"bot → 77: you said hello", "you said # said", "you pressed x", "you said /nothing of the kind", "you said /edit 5",
		"! telegram knows nothing", "! want a status", "you said leave", "/hang 2s",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "not said") {
		t.Error("went on after the end")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, w := io.Pipe()
	defer w.Close() //nolint:errcheck // a pipe
	if err := s.Chat(ctx, r); err != nil {
		t.Error(err)
	}
}
