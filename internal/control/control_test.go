package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

// childVar makes the test binary run as a server that can be killed, or as a
// stranger that knocks.
const childVar = "SOTTO_CONTROL_CHILD"

func TestMain(m *testing.M) {
	what, dir, _ := strings.Cut(os.Getenv(childVar), " ")
	switch what {
	case "serve":
		if _, err := Listen(dir, operations()); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ready")
		select {}
	case "probe":
		fmt.Println(probe(dir))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func operations() *Mux {
	m := NewMux()
	m.Handle("echo", func(_ context.Context, arg json.RawMessage) (any, error) { return arg, nil })
	m.Handle("big", func(context.Context, json.RawMessage) (any, error) { return strings.Repeat("x", 20<<20), nil })
	m.Handle("panic", func(context.Context, json.RawMessage) (any, error) { panic("+49 170 1234567") })
	m.Handle("shapeless", func(context.Context, json.RawMessage) (any, error) { return func() {}, nil })
	m.Handle("stream", func(_ context.Context, arg json.RawMessage) (any, error) {
		return Stream(func(w io.Writer) error {
			for range 30 {
				if _, err := w.Write(bytes.Repeat([]byte("y"), 1<<20)); err != nil {
					return err
				}
			}
			switch string(arg) {
			case `"fail"`:
				return sotto.E("x.write", sotto.KindFull, errors.New("naïve\nœuvre 🐟"))
			case `"panic"`:
				panic("+49 170 1234567")
			case `"hang"`:
				select {}
			}
			return nil
		}), nil
	})
	m.Handle("slow", func(ctx context.Context, _ json.RawMessage) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	m.Handle("hang", func(context.Context, json.RawMessage) (any, error) { select {} })
	return m
}

func privateDir(t *testing.T, more ...string) string {
	t.Helper()
	dir := filepath.Join(append([]string{t.TempDir()}, more...)...)
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func serve(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := Listen(dir, operations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func dial(t *testing.T, dir string) *Client {
	t.Helper()
	c, err := Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestCall(t *testing.T) {
	for name, dir := range map[string]string{"short": privateDir(t), "long": privateDir(t, strings.Repeat("long/", 60))} {
		t.Run(name, func(t *testing.T) {
			if name == "long" && runtime.GOOS != "linux" {
				t.Skip("long names work on Linux only")
			}
			if _, err := Dial(dir); sotto.KindOf(err) != sotto.KindNotFound {
				t.Fatalf("without a server: %v", err)
			}
			s := serve(t, dir)
			if info, err := os.Stat(filepath.Join(dir, socketName)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("socket: %v, %v; want mode 0600", info, err)
			}
			shared := dial(t, dir)
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					c := shared
					if i%2 == 0 {
						c = dial(t, dir)
					}
					var out string
					if err := c.Call(t.Context(), "echo", fmt.Sprint("hello", i), &out); err != nil || out != fmt.Sprint("hello", i) {
						t.Errorf("echo = %q, %v", out, err)
					}
					if err := c.Call(t.Context(), "none", nil, &out); sotto.KindOf(err) != sotto.KindNotFound {
						t.Errorf("an unknown operation: %v", err)
					}
					if i > 0 {
						return
					}
					if err := c.Call(t.Context(), "big", nil, &out); err != nil || len(out) != 20<<20 {
						t.Errorf("big: %d bytes, %v", len(out), err)
					}
				})
			}
			wg.Wait()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := shared.Call(t.Context(), "echo", "x", nil); sotto.KindOf(err) != sotto.KindUnavailable {
				t.Errorf("after the server ended: %v", err)
			}
			if _, err := Dial(dir); sotto.KindOf(err) != sotto.KindNotFound {
				t.Errorf("after the server ended: %v", err)
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
	if _, err := Dial(filepath.Join(t.TempDir(), "none")); sotto.KindOf(err) != sotto.KindNotFound {
		t.Errorf("without a directory: %v", err)
	}
}

func TestResults(t *testing.T) {
	dir := privateDir(t)
	serve(t, dir)
	c := dial(t, dir)
	var raw json.RawMessage
	if err := c.Call(t.Context(), "echo", map[string]int{"a": 1}, &raw); err != nil || string(raw) != `{"a":1}` {
		t.Errorf("raw: %s, %v", raw, err)
	}
	if err := c.Call(t.Context(), "echo", 1, nil); err != nil {
		t.Errorf("a result that nobody wants: %v", err)
	}
	if err := c.Call(t.Context(), "echo", "text", new(int)); err == nil {
		t.Error("a result of another form: no error")
	}
	for op, in := range map[string]any{"shapeless": nil, "panic": nil, "echo": func() {}} {
		err := c.Call(t.Context(), op, in, nil)
		if err == nil || strings.Contains(err.Error(), "1234567") {
			t.Errorf("%s: %v", op, err)
		}
	}
	if err := c.Call(t.Context(), "echo", strings.Repeat("x", maxArgument), nil); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("a large argument: %v", err)
	}
	if err := c.Call(t.Context(), "echo", strings.Repeat("x", maxArgument-2), nil); err != nil {
		t.Errorf("the largest argument: %v", err)
	}
	resp, err := c.http.Get("http://sotto/echo")
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode == http.StatusOK {
		t.Error("a GET was answered")
	}
}

func TestStream(t *testing.T) {
	dir := privateDir(t)
	serve(t, dir)
	c := dial(t, dir)
	var b bytes.Buffer
	if err := c.Copy(t.Context(), "stream", "", &b); err != nil || b.Len() != 30<<20 {
		t.Errorf("%d bytes, %v", b.Len(), err)
	}
	err := c.Copy(t.Context(), "stream", "fail", io.Discard)
	if want := sotto.E("x.write", sotto.KindFull, errors.New("naïve\nœuvre 🐟")); sotto.KindOf(err) != sotto.KindFull || err.Error() != want.Error() {
		t.Errorf("a failure at the end: %v, want %v", err, want)
	}
	if err := c.Copy(t.Context(), "stream", "panic", io.Discard); err == nil || strings.Contains(err.Error(), "1234567") {
		t.Errorf("a panic at the end: %v", err)
	}
	full := errors.New("the disk is full")
	if err := c.Copy(t.Context(), "stream", "", writerFunc(func([]byte) (int, error) { return 0, full })); !errors.Is(err, full) {
		t.Errorf("the caller's own failure: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Copy(ctx, "slow", nil, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a context that ended: %v", err)
	}
	if err := c.Call(t.Context(), "echo", 1, nil); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestErrorsKeepTheirKindAndText(t *testing.T) {
	dir := privateDir(t)
	var now error
	m := NewMux()
	m.Handle("fail", func(context.Context, json.RawMessage) (any, error) { return nil, now })
	s, err := Listen(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // the test ends
	c := dial(t, dir)
	for k := sotto.KindOther; k <= sotto.KindUnavailable; k++ {
		for _, now = range []error{
			sotto.E("x.do", k, errors.New("no such luck")),
			sotto.E("x.do", k, nil),
			sotto.E("outer", sotto.KindOther, sotto.E("inner", k, errors.New("deep"))),
		} {
			err := c.Call(t.Context(), "fail", nil, nil)
			if sotto.KindOf(err) != sotto.KindOf(now) || !strings.Contains(err.Error(), now.Error()) {
				t.Errorf("got %v (%v), want %v", err, sotto.KindOf(err), now)
			}
		}
	}
	now = sotto.E("x.do", sotto.KindDenied, errors.New("no such luck"))
	if err := c.Call(t.Context(), "fail", nil, nil); err.Error() != now.Error() {
		t.Errorf("got %q, want %q", err, now)
	}
	now = errors.New("plain")
	if err := c.Call(t.Context(), "fail", nil, nil); err.Error() != "fail: plain" {
		t.Errorf("got %q", err)
	}
}

func TestWhoMayTalk(t *testing.T) {
	t.Run("a directory open to others", func(t *testing.T) {
		dir := privateDir(t)
		serve(t, dir)
		if err := os.Chmod(dir, 0o750); err != nil { // what is tested
			t.Fatal(err)
		}
		if _, err := Dial(dir); sotto.KindOf(err) != sotto.KindDenied {
			t.Errorf("Dial: %v", err)
		}
		if _, err := Listen(dir, operations()); sotto.KindOf(err) != sotto.KindDenied || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("Listen: %v", err)
		}
	})
	t.Run("another user", func(t *testing.T) {
		if os.Getuid() != 0 || runtime.GOOS != "linux" {
			t.Skip("running as another user needs root and Linux")
		}
		dir := privateDir(t)
		serve(t, dir)
		// Let the stranger through every file mode, so that only the question
		// who they are is left.
		for p := dir; p != "/" && p != "/tmp"; p = filepath.Dir(p) {
			if err := os.Chmod(p, 0o711); err != nil { // what is tested
				t.Fatal(err)
			}
		}
		if err := os.Chmod(filepath.Join(dir, socketName), 0o666); err != nil { // what is tested
			t.Fatal(err)
		}
		self := filepath.Join(privateDir(t), "self")
		b, err := os.ReadFile(os.Args[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(self, b, 0o755), os.Chmod(filepath.Dir(self), 0o711), os.Chmod(filepath.Dir(filepath.Dir(self)), 0o711)); err != nil { // what is tested
			t.Fatal(err)
		}
		stranger := exec.Command(self)
		stranger.Dir = "/"
		stranger.Env = []string{childVar + "=probe " + filepath.Join(dir, socketName)}
		stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := stranger.CombinedOutput()
		if err != nil {
			t.Skipf("no stranger could be made: %v %s", err, out)
		}
		if got := strings.TrimSpace(string(out)); got != "closed" {
			t.Errorf("a stranger got %q", got)
		}
	})
	for _, c := range []struct {
		uid, me int
		want    bool
	}{{1000, 1000, true}, {0, 1000, true}, {1001, 1000, false}, {1000, 0, false}, {-1, 1000, false}} {
		if got := allowed(c.uid, c.me); got != c.want {
			t.Errorf("allowed(%d, %d) = %v", c.uid, c.me, got)
		}
	}
}

// probe calls without our client's own checks and says what came back.
func probe(socket string) string {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return err.Error()
	}
	_, _ = c.Write([]byte("POST /echo HTTP/1.1\r\nHost: sotto\r\nContent-Length: 1\r\n\r\n1"))
	b, _ := io.ReadAll(io.LimitReader(c, 12))
	if len(b) == 0 {
		return "closed"
	}
	return string(b)
}

func TestWhatIsLeftIsReplaced(t *testing.T) {
	dir := privateDir(t)
	kill := serveInChild(t, dir)
	if err := dial(t, dir).Call(t.Context(), "echo", 1, nil); err != nil {
		t.Fatal(err)
	}
	kill()
	if _, err := os.Lstat(filepath.Join(dir, socketName)); err != nil {
		t.Fatalf("the killed server left no socket: %v", err)
	}
	if _, err := Dial(dir); sotto.KindOf(err) != sotto.KindNotFound {
		t.Errorf("a left-over socket: %v", err)
	}
	s := serve(t, dir)
	if err := dial(t, dir).Call(t.Context(), "echo", 1, nil); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, socketName), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(dir, operations()); sotto.KindOf(err) != sotto.KindExists {
		t.Errorf("a file in the socket's place: %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, socketName)); err != nil || string(b) != "mine" {
		t.Errorf("the file: %q, %v", b, err)
	}
	if _, err := Dial(dir); sotto.KindOf(err) != sotto.KindNotFound {
		t.Errorf("Dial with a file in the socket's place: %v", err)
	}
}

// serveInChild runs a server in a process of its own and returns what kills it.
func serveInChild(t *testing.T, dir string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"=serve "+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	line := make([]byte, 100)
	if n, err := out.Read(line); err != nil || string(line[:n]) != "ready\n" {
		t.Fatalf("the server said %q, %v", line[:n], err)
	}
	return kill
}

func TestTheServerEndsInTheMiddle(t *testing.T) {
	for _, op := range []string{"hang", "stream"} {
		t.Run(op, func(t *testing.T) {
			dir := privateDir(t)
			kill := serveInChild(t, dir)
			c := dial(t, dir)
			started := make(chan struct{})
			once := sync.OnceFunc(func() { close(started) })
			if op == "hang" {
				time.AfterFunc(50*time.Millisecond, once)
			}
			go func() { <-started; kill() }()
			n := 0
			err := c.Copy(t.Context(), op, "hang", writerFunc(func(b []byte) (int, error) {
				if n += len(b); n >= 30<<20 {
					once()
				}
				return len(b), nil
			}))
			if sotto.KindOf(err) != sotto.KindUnavailable {
				t.Errorf("after %d bytes: %v", n, err)
			}
		})
	}
}

func TestCloseEndsWhatTakesTooLong(t *testing.T) {
	dir := privateDir(t)
	s := serve(t, dir)
	s.wait = 300 * time.Millisecond
	c := dial(t, dir)
	result := make(chan error, 1)
	go func() { result <- c.Call(context.Background(), "slow", nil, nil) }()
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < s.wait {
		t.Errorf("Close took %v", took)
	}
	if err := <-result; err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("the call: %v", err)
	}
}

func FuzzFailure(f *testing.F) {
	f.Add(`{"op":"x.do","kind":"denied","text":"no"}`)
	f.Add(`{"kind":"failed"}`)
	f.Add(`{"kind":"from the future","text":"\u00fc\ud83d\udc1f"}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, s string) {
		err := decodeFailure("op", []byte(s))
		if err == nil {
			t.Fatal("a refusal became a success")
		}
		line := encodeFailure(err)
		for _, b := range line {
			if b < ' ' || b > '~' {
				t.Fatalf("byte %#x cannot stand in a header", b)
			}
		}
		again := decodeFailure("other", line)
		if sotto.KindOf(again) != sotto.KindOf(err) {
			t.Errorf("kind: %v became %v", sotto.KindOf(err), sotto.KindOf(again))
		}
		if diff := cmp.Diff(strings.ToValidUTF8(err.Error(), "\uFFFD"), again.Error()); diff != "" && !strings.HasPrefix(again.Error(), "other") {
			t.Error(diff)
		}
	})
}

// The address of a listener must never be the network's.
var _ net.Listener = (*own)(nil)
