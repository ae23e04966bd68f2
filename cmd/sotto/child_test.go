package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/server"
)

// childMain is the binary on bad days. A write beyond the limit on file sizes
// is an error for it and not its end, as a full disk would be.
func childMain() {
	signal.Ignore(syscall.SIGXFSZ)
	main()
}

// house is a server in a process of its own that can be killed, and the
// networks around it.
type house struct {
	t   *testing.T
	dir string
	net *channeltest.Network

	mu  sync.Mutex
	url string
	run *childRun
	log bytes.Buffer // standard error of all runs
}

type childRun struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
}

// newHouse prepares a server with its data in dir; settings are more lines of
// the configuration, and account more settings of each account.
func newHouse(t *testing.T, dir, settings, account string) *house {
	t.Helper()
	n, err := channeltest.NewNetwork(channeltest.NetworkConfig{Record: true})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, dir: dir, net: n}
	text := strings.NewReplacer("$API", n.URL(), "$PAGE", channeltest.PageID, "$MORE", account).Replace(`
listen: 127.0.0.1:0
public_url: http://localhost
data: ./data
keys: { current: file:./kek }
audit: { head: ./head }
bot: { kind: echo }
limits: { per_person_per_minute: 1000000 }
channels:
  telegram: { shop: { token: env:TG_TOKEN, secret: env:TG_SECRET, api: "$API", per_account: 1000000/s, per_person: 1000000/s $MORE } }
  messenger: { shop: { page_id: "$PAGE", app_secret: env:FB_SECRET, verify_token: env:FB_VERIFY, access_token: env:FB_TOKEN, api: "$API", per_account: 1000000/s, per_person: 1000000/s $MORE } }
`) + settings + "\n"
	if err := os.WriteFile(h.config(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := server.CreateKey(filepath.Join(dir, "kek")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = h.kill(syscall.SIGKILL) // its exit code is of no interest
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			log := h.logged()
			t.Logf("log:\n%s", log[max(0, len(log)-8000):])
		}
	})
	return h
}

func (h *house) config() string { return filepath.Join(h.dir, "sotto.yaml") }

// Write takes what the children write to standard error.
func (h *house) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(b)
}

func (h *house) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

var listens = regexp.MustCompile(`"msg":"ready","listen":"([^"]+)"`)

// start runs the server and returns when it is ready.
func (h *house) start() {
	h.t.Helper()
	before := len(h.logged())
	r := &childRun{cmd: exec.Command("sotto-child", "serve", "--config", h.config()), ended: make(chan struct{})}
	r.cmd.Env = append(os.Environ(),
		"TG_TOKEN="+channeltest.TelegramToken, "TG_SECRET="+channeltest.TelegramSecret, "FB_SECRET="+channeltest.MessengerSecret,
		"FB_VERIFY="+channeltest.VerifyToken, "FB_TOKEN="+channeltest.MessengerToken)
	r.cmd.Stderr, r.cmd.Stdout = h, io.Discard
	if err := r.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() { r.err = r.cmd.Wait(); close(r.ended) }()
	h.run = r
	h.until("the server is ready", func() bool {
		select {
		case <-r.ended:
			h.t.Fatalf("the server ended: %v\n%s", r.err, h.logged()[before:])
		default:
		}
		m := listens.FindStringSubmatch(h.logged()[before:])
		if m == nil {
			return false
		}
		h.mu.Lock()
		h.url = "http://" + m[1]
		h.mu.Unlock()
		return true
	})
}

// kill ends the server with a signal, waits, and returns how it ended.
func (h *house) kill(sig syscall.Signal) error {
	if h.run == nil {
		return nil
	}
	r := h.run
	h.run = nil
	_ = r.cmd.Process.Signal(sig)
	select {
	case <-r.ended:
	case <-time.After(patience):
		_ = r.cmd.Process.Kill()
		<-r.ended
		h.t.Errorf("the server did not end after %v", sig)
	}
	return r.err
}

// until waits for something that is asked again and again.
func (h *house) until(what string, ok func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (h *house) base() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.url
}

// push delivers a webhook once; 0 where there was no answer.
func (h *house) push(ctx context.Context, name string, w channeltest.Webhook) int {
	status, err := h.net.Push(ctx, h.base()+"/hooks/"+name+"/shop", w)
	if err != nil {
		return 0
	}
	return status
}

// say has a user write, and wants it acknowledged.
func (h *house) say(name, user, text string) {
	h.t.Helper()
	if status := h.push(h.t.Context(), name, h.net.Text(name, user, text)); status != http.StatusOK {
		h.t.Fatalf("%s/%s %q: status %d", name, user, text, status)
	}
}

func (h *house) get(path string) (int, string) {
	status, _, b, err := call(http.MethodGet, h.base()+path, nil, nil)
	if err != nil {
		return 0, ""
	}
	return status, string(b)
}

// metric returns a metric without labels, -1 where it is not told.
func (h *house) metric(name string) int {
	_, body := h.get("/metrics")
	n := -1
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			if _, err := fmt.Sscan(rest, &n); err != nil {
				return -1
			}
		}
	}
	return n
}

// settle waits until nothing waits in the server.
func (h *house) settle() {
	h.t.Helper()
	last := -1
	h.until("nothing waits", func() bool {
		turns := h.metric("sotto_inbox_turns_total") + h.metric("sotto_outbox_sent_total")
		idle := h.metric("sotto_journal_waiting") == 0 && h.metric("sotto_outbox_waiting") == 0 && turns == last
		last = turns
		return idle
	})
}

// unknown counts the sends that the server has reported as of unknown outcome,
// over all its lives.
func (h *house) unknown() int {
	n := 0
	for line := range strings.Lines(h.logged()) {
		if strings.Contains(line, "its outcome is unknown") || strings.Contains(line, `"send failed"`) && strings.Contains(line, `"class":"unknown"`) {
			n++
		}
	}
	return n
}
