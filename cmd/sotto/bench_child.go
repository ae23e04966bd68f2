package main

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/bench"
	"github.com/sotto-chat/sotto/server"
)

// benchChild is the first argument of a process that is measured by its parent.
const benchChild = "__bench"

// child is a measured process.
type child struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	addr string
	dir  string
}

// usage is what a process says of itself.
type usage struct {
	CPU    time.Duration `json:"cpu"`
	MaxRSS int64         `json:"max_rss"` // bytes
}

// startChild runs this program again as a server of a kind: "ingest", "turn" or
// "ceiling", on fresh data.
func startChild(ctx context.Context, con *console, kind string, f benchFlags, api string) (*child, error) {
	if kind == "ceiling" {
		return startChildOn(ctx, con, kind, "", "", f.Profile)
	}
	dir, err := os.MkdirTemp(f.Dir, "sotto-bench-")
	if err != nil {
		return nil, err
	}
	c, err := startChildOn(ctx, con, kind, dir, api, f.Profile)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	c.dir = dir
	return c, nil
}

// startChildOn is startChild on data that is there and stays.
func startChildOn(ctx context.Context, con *console, kind, dir, api, prof string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{}
	c.cmd = exec.CommandContext(ctx, self, benchChild, kind, dir, api, prof) //nolint:gosec // this program itself
	c.cmd.Stderr = con.err
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewScanner(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if !c.out.Scan() {
		c.end()
		return nil, errors.New("the measured process did not start")
	}
	c.addr = c.out.Text()
	return c, nil
}

func (c *child) usage() (usage, error) {
	var u usage
	if _, err := io.WriteString(c.in, "usage\n"); err != nil {
		return u, err
	}
	if !c.out.Scan() {
		return u, errors.New("the measured process ended")
	}
	return u, json.Unmarshal(c.out.Bytes(), &u)
}

// measure runs f and returns the CPU time that the child used meanwhile.
func (c *child) measure(f func() (*bench.Slice, error)) (*bench.Slice, time.Duration, error) {
	before, err := c.usage()
	if err != nil {
		return nil, 0, err
	}
	s, err := f()
	if err != nil {
		return nil, 0, err
	}
	after, err := c.usage()
	return s, after.CPU - before.CPU, err
}

// end closes the child's input, which ends it, and removes its data.
func (c *child) end() {
	_ = c.in.Close()                                                            // it may have ended already
	kill := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() }) // it may have ended already
	_ = c.cmd.Wait()                                                            // its exit code says nothing here
	kill.Stop()
	if c.dir != "" {
		_ = os.RemoveAll(c.dir) // a leftover in the temporary directory
	}
}

// runBenchChild is the measured process: a server, and a parent at standard input.
func runBenchChild(ctx context.Context, args []string, con *console) int {
	if len(args) != 4 {
		return 2
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if args[3] != "" {
		stop, err := profile(args[3])
		if err != nil {
			con.complain("sotto bench", err)
			return 1
		}
		defer stop()
	}
	var addr string
	var err error
	var wg sync.WaitGroup
	if args[0] == "ceiling" {
		addr, err = serveCeiling(ctx)
	} else {
		addr, err = serveBench(ctx, &wg, args[0], args[1], args[2], con)
	}
	if err != nil {
		con.complain("sotto bench", err)
		return 1
	}
	con.printf("%s\n", addr)
	for sc := bufio.NewScanner(con.in); sc.Scan(); {
		var ru syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
			return 1
		}
		b, err := json.Marshal(usage{CPU: time.Duration(ru.Utime.Nano() + ru.Stime.Nano()), MaxRSS: ru.Maxrss << 10})
		if err != nil {
			return 1
		}
		con.printf("%s\n", b)
	}
	cancel()
	wg.Wait()
	return 0
}

func profile(file string) (stop func(), err error) {
	f, err := os.Create(file) //nolint:gosec // the operator's choice
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // a profile is a help, not a result
	}, nil
}

// benchEnv are the secrets of a measured server.
func benchEnv(key string) (string, bool) {
	v, ok := map[string]string{"T": bench.TelegramToken, "S": bench.TelegramSecret, "A": bench.AppSecret, "V": "verify", "P": "page-token"}[key]
	return v, ok
}

func benchConfig(dir string) server.Config {
	return server.Config{File: filepath.Join(dir, "sotto.yaml"), Env: benchEnv}
}

// writeBenchConfig writes what a measured server is configured by.
func writeBenchConfig(dir, api string) (server.Config, error) {
	text := strings.NewReplacer("API", api, "PAGE", bench.PageID).Replace(`
listen: 127.0.0.1:0
data: ./data
keys: { current: file:./kek }
audit: { head: ./head }
log: { level: error }
limits: { per_person_per_minute: 1000000 }
channels:
  telegram: { bench: { token: env:T, secret: env:S, api: "API", per_account: 1000000/s, per_person: 1000000/s } }
  messenger: { bench: { page_id: "PAGE", app_secret: env:A, verify_token: env:V, access_token: env:P, api: "API", per_account: 1000000/s, per_person: 1000000/s } }
`)
	cfg := benchConfig(dir)
	if err := os.WriteFile(cfg.File, []byte(text), 0o600); err != nil { //nolint:gosec // a directory made for the run
		return cfg, err
	}
	return cfg, server.CreateKey(filepath.Join(dir, "kek"))
}

func serveBench(ctx context.Context, wg *sync.WaitGroup, kind, dir, api string, con *console) (string, error) {
	cfg := benchConfig(dir)
	if kind != "data" {
		var err error
		if cfg, err = writeBenchConfig(dir, api); err != nil {
			return "", err
		}
	}
	cfg.Hold = kind == "ingest"
	bot := sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error { t.Reply(t.Text); return nil })
	s, err := server.New(cfg, bot) //nolint:contextcheck // the bot is given: none is made
	if err != nil {
		return "", err
	}
	failed := make(chan error, 1)
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			con.complain("sotto bench", err)
			failed <- err
		}
	})
	select {
	case err := <-failed:
		return "", err
	case <-s.Ready():
		return s.Addr(), nil
	}
}

// serveCeiling is what a webhook costs without any of it: the signature is
// checked, and that is all.
func serveCeiling(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	bufs := sync.Pool{New: func() any { b := make([]byte, 4096); return &b }}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf := bufs.Get().(*[]byte) //nolint:errcheck,forcetypeassert // only byte slices are in the pool
		defer bufs.Put(buf)
		n, err := io.ReadFull(r.Body, *buf)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if !ceilingVerify(r, (*buf)[:n]) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { <-ctx.Done(); _ = srv.Close() }() // the run is over
	go func() { _ = srv.Serve(l) }()              // it ends with the run
	return l.Addr().String(), nil
}

func ceilingVerify(r *http.Request, body []byte) bool {
	if s := r.Header.Get("X-Telegram-Bot-Api-Secret-Token"); s != "" {
		return hmac.Equal([]byte(s), []byte(bench.TelegramSecret))
	}
	want, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256="))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(bench.AppSecret))
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), want)
}
