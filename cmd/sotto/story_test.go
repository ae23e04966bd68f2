package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sotto-chat/sotto/channel/channeltest"
)

func TestMain(m *testing.M) {
	testscript.Main(wide{m}, map[string]func(){"sotto": main, "sotto-child": childMain})
}

// wide runs more tests side by side than there are processors: most of the time
// they wait for processes, disks and clocks.
type wide struct{ m *testing.M }

// Run runs the tests.
func (w wide) Run() int {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f != nil && f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		if err := flag.Set("test.parallel", "8"); err != nil {
			return 1
		}
	}
	return w.m.Run()
}

// patience is how long a story waits for what is to happen.
const patience = 30 * time.Second

// TestStories runs testdata/*.txtar: one story of the binary each. Beside
// testscript's own commands they know those of [story.commands].
func TestStories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			s := &story{procs: map[string]*process{}}
			env.Values[storyKey{}] = s
			env.Defer(s.end)
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "home", "config"))
			env.Setenv("TG_TOKEN", channeltest.TelegramToken)
			env.Setenv("TG_SECRET", channeltest.TelegramSecret)
			env.Setenv("FB_SECRET", channeltest.MessengerSecret)
			env.Setenv("FB_VERIFY", channeltest.VerifyToken)
			env.Setenv("FB_TOKEN", channeltest.MessengerToken)
			env.Setenv("PAGE", channeltest.PageID)
			return os.MkdirAll(filepath.Join(env.WorkDir, "home"), 0o700)
		},
		Cmds: commands(),
	})
}

type storyKey struct{}

// story is what a script has running.
type story struct {
	net   *channeltest.Network
	procs map[string]*process
}

// process is a server in the background.
type process struct {
	cmd   *exec.Cmd
	url   string
	ended chan error
}

func (s *story) end() {
	for _, p := range s.procs {
		_ = p.cmd.Process.Kill()
		<-p.ended //nolint:errcheck // it was killed
	}
	if s.net != nil {
		_ = s.net.Close()
	}
}

type command = func(ts *testscript.TestScript, neg bool, args []string)

func of(ts *testscript.TestScript) *story {
	s, ok := ts.Value(storyKey{}).(*story)
	if !ok {
		ts.Fatalf("no story")
	}
	return s
}

// tell prints for the script to look at.
func tell(ts *testscript.TestScript, format string, args ...any) {
	_, err := fmt.Fprintf(ts.Stdout(), format, args...)
	ts.Check(err)
}

// want fails a command that was called wrongly.
func want(ts *testscript.TestScript, ok bool, usage string) {
	if !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

// commands are the commands of the stories.
func commands() map[string]command {
	return map[string]command{
		"network": cmdNetwork, "fault": cmdFault, "push": cmdPush, "press": cmdPress, "sent": cmdSent, "silent": cmdSilent,
		"start": cmdStart, "halt": cmdHalt, "waitlog": cmdWaitLog, "settle": cmdSettle,
		"http": cmdHTTP, "code": cmdCode, "sqlite": cmdSQLite, "overwrite": cmdOverwrite,
		"mode": cmdMode, "sum": cmdSum, "field": cmdField, "repeat": cmdRepeat, "port": cmdPort, "expand": cmdExpand, "same": cmdSame, "calls": cmdCalls,
	}
}

// cmdNetwork starts Telegram and Messenger and sets $API.
func cmdNetwork(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) == 0, "network")
	n, err := channeltest.NewNetwork(channeltest.NetworkConfig{Record: true})
	ts.Check(err)
	of(ts).net = n
	ts.Setenv("API", n.URL())
}

// cmdFault makes the network misbehave: "fault status=500 times=2 after=1 body=x
// hang reset done skip=1 delay=10ms", or "fault heal".
func cmdFault(ts *testscript.TestScript, _ bool, args []string) {
	var f channeltest.Fault
	num := func(s string) int {
		n, err := strconv.Atoi(s)
		ts.Check(err)
		return n
	}
	for _, a := range args {
		k, v, _ := strings.Cut(a, "=")
		switch k {
		case "heal":
			of(ts).net.Heal()
			return
		case "status":
			f.Status = num(v)
		case "times":
			f.Times = num(v)
		case "skip":
			f.Skip = num(v)
		case "after":
			f.After = num(v)
		case "body":
			f.Body = v
		case "hang":
			f.Hang = true
		case "reset":
			f.Reset = true
		case "done":
			f.Done = true
		case "delay":
			d, err := time.ParseDuration(v)
			ts.Check(err)
			f.Delay = d
		default:
			ts.Fatalf("no fault is called %q", k)
		}
	}
	of(ts).net.Fail(f)
}

// cmdPush has a user write: "push telegram 41 Hello". The webhook goes to $URL
// and has to be answered 200; with "!" it must not be.
func cmdPush(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, len(args) >= 3, "push CHANNEL USER WORD…")
	n := of(ts).net
	deliver(ts, neg, args[0], n.Text(args[0], args[1], strings.Join(args[2:], " ")))
}

// cmdPress has a user press a button: "press telegram 41 PAYLOAD".
func cmdPress(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, len(args) == 3, "press CHANNEL USER PAYLOAD")
	deliver(ts, neg, args[0], of(ts).net.Button(args[0], args[1], args[2]))
}

func deliver(ts *testscript.TestScript, neg bool, name string, w channeltest.Webhook) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	status, err := of(ts).net.Push(ctx, ts.Getenv("URL")+"/hooks/"+name+"/shop", w)
	ts.Check(err)
	tell(ts, "%v\n", status)
	if (status == http.StatusOK) == neg {
		ts.Fatalf("the webhook was answered %d", status)
	}
}

// cmdSent waits until a user got N messages and prints them, one line each,
// with buttons as [label=payload] and files as {name}.
func cmdSent(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) == 3, "sent CHANNEL USER N")
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := of(ts).net.Wait(ctx, args[0], args[1], n)
	for _, m := range got {
		tell(ts, "%s", strings.ReplaceAll(m.Text, "\n", `\n`))
		for _, b := range m.Buttons {
			tell(ts, " [%s=%s]", b.Label, b.Payload)
		}
		if m.File != nil {
			tell(ts, " {%s} %s", m.File.Name, bytes.ReplaceAll(m.File.Data, []byte("\n"), nil))
		}
		tell(ts, "\n")
	}
	ts.Check(err)
	if len(got) > n {
		ts.Fatalf("%d messages, want %d", len(got), n)
	}
}

// cmdCalls waits until the network got N calls in all, answered or not.
func cmdCalls(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) == 1, "calls N")
	n, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	for deadline := time.Now().Add(patience); of(ts).net.Count() < n; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("%d calls, want %d", of(ts).net.Count(), n)
		}
	}
}

// cmdSilent checks that the network got nothing at all.
func cmdSilent(ts *testscript.TestScript, _ bool, _ []string) {
	if n := of(ts).net.Count(); n != 0 {
		ts.Fatalf("the network got %d calls", n)
	}
}

// cmdStart runs "sotto ARG…" in the background as NAME, with its output in
// NAME.out and NAME.err, waits until it is ready and sets $URL.
func cmdStart(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) >= 2, "start NAME ARG…")
	s, name := of(ts), args[0]
	if s.procs[name] != nil {
		ts.Fatalf("%s runs already", name)
	}
	p := &process{cmd: program(ts, "sotto", args[1:]), ended: make(chan error, 1)}
	out, err := os.Create(ts.MkAbs(name + ".out"))
	ts.Check(err)
	p.cmd.Stdout = out
	logFile, err := os.OpenFile(ts.MkAbs(name+".err"), os.O_CREATE|os.O_APPEND|os.O_WRONLY|os.O_TRUNC, 0o600)
	ts.Check(err)
	p.cmd.Stderr = logFile
	ts.Check(p.cmd.Start())
	go func() {
		err := p.cmd.Wait()
		_ = out.Close()
		_ = logFile.Close()
		p.ended <- err
	}()
	s.procs[name] = p
	listen := regexp.MustCompile(`(?m)msg"?[:=]"?ready"?.*?listen"?[:=]"?([0-9.:\[\]]+)`)
	m := await(ts, p, ts.MkAbs(name+".err"), listen)
	p.url = "http://" + m[1]
	ts.Setenv("URL", p.url)
	ts.Setenv("ADDR", m[1])
}

func program(ts *testscript.TestScript, name string, args []string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, name); executable(p) {
			cmd.Path, cmd.Err = p, nil
			break
		}
	}
	cmd.Dir = ts.MkAbs(".")
	for _, k := range []string{
		"PATH", "HOME", "XDG_CONFIG_HOME", "WORK", "TMPDIR", "TG_TOKEN", "TG_SECRET", "FB_SECRET", "FB_VERIFY", "FB_TOKEN", "API",
		"SOTTO_KEK", "OTHER_KEK", "CREDENTIALS_DIRECTORY", "GOCOVERDIR", "GORACE",
	} {
		if v := ts.Getenv(k); v != "" {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
	}
	return cmd
}

func executable(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0
}

// await polls a file for an expression while a process runs.
func await(ts *testscript.TestScript, p *process, file string, re *regexp.Regexp) []string {
	deadline := time.Now().Add(patience)
	for {
		b, err := os.ReadFile(file)
		ts.Check(err)
		if m := re.FindStringSubmatch(string(b)); m != nil {
			return m
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			b, _ := os.ReadFile(file)
			ts.Fatalf("the process ended (%v):\n%s", err, b)
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not match %s:\n%s", filepath.Base(file), re, b)
		}
	}
}

// cmdHalt ends NAME with a signal (TERM, INT or KILL; default TERM) and waits.
// After TERM and INT the exit code has to be 0, with "!" another one.
func cmdHalt(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, len(args) == 1 || len(args) == 2, "halt NAME [SIGNAL]")
	s := of(ts)
	p := s.procs[args[0]]
	if p == nil {
		ts.Fatalf("%s does not run", args[0])
	}
	sig := syscall.SIGTERM
	if len(args) == 2 {
		switch args[1] {
		case "KILL":
			sig = syscall.SIGKILL
		case "INT":
			sig = syscall.SIGINT
		}
	}
	ts.Check(p.cmd.Process.Signal(sig))
	select {
	case err := <-p.ended:
		delete(s.procs, args[0])
		if sig != syscall.SIGKILL && (err == nil) == neg {
			ts.Fatalf("%s ended with %v", args[0], err)
		}
	case <-time.After(patience):
		ts.Fatalf("%s does not end", args[0])
	}
}

// cmdWaitLog waits until the log of NAME matches an expression.
func cmdWaitLog(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) == 2, "waitlog NAME REGEXP")
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	p := of(ts).procs[args[0]]
	if p == nil {
		ts.Fatalf("%s does not run", args[0])
	}
	await(ts, p, ts.MkAbs(args[0]+".err"), re)
}

// cmdSettle waits until nothing waits in the server at $URL.
func cmdSettle(ts *testscript.TestScript, _ bool, _ []string) {
	deadline := time.Now().Add(patience)
	for last := ""; ; {
		_, _, body, err := call(http.MethodGet, ts.Getenv("URL")+"/metrics", nil, nil)
		ts.Check(err)
		var now []string
		idle := true
		for sc := bufio.NewScanner(bytes.NewReader(body)); sc.Scan(); {
			name, v, _ := strings.Cut(sc.Text(), " ")
			switch name {
			case "sotto_journal_waiting", "sotto_outbox_waiting":
				idle = idle && v == "0"
			case "sotto_inbox_received_total", "sotto_inbox_turns_total", "sotto_inbox_discarded_total":
				now = append(now, v)
			}
		}
		if all := strings.Join(now, " "); idle && all == last {
			return
		} else {
			last = all
		}
		if time.Now().After(deadline) {
			ts.Fatalf("something waits:\n%s", body)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func call(method, url string, header map[string][]string, body []byte) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	for k, v := range header {
		r.Header[http.CanonicalHeaderKey(k)] = v
	}
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := tr.RoundTrip(r)
	if err != nil {
		return 0, nil, nil, err
	}
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, b, errors.Join(err, resp.Body.Close())
}
