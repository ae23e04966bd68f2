package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Both kinds of calls are HTTP, have bodies of the promised size that are JSON,
// and are signed as the networks sign.
func TestRequests(t *testing.T) {
	for _, ch := range []string{"telegram", "messenger"} {
		w := newWriter(ch)
		for n := int64(1); n < 1_000_000_000; n *= 37 {
			req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(w.request(n%1000, n))))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(req.Body)
			if err != nil || len(body) != size || !json.Valid(body) {
				t.Fatalf("%s, event %d: %d bytes, valid JSON: %v, error %v", ch, n, len(body), json.Valid(body), err)
			}
			if req.Method != http.MethodPost || req.URL.Path != "/hooks/"+ch+"/bench" {
				t.Errorf("%s %s", req.Method, req.URL)
			}
			mac := hmac.New(sha256.New, []byte(AppSecret))
			mac.Write(body)
			signed := req.Header.Get("X-Hub-Signature-256") == "sha256="+hex.EncodeToString(mac.Sum(nil))
			if ch == "telegram" {
				signed = req.Header.Get("X-Telegram-Bot-Api-Secret-Token") == TelegramSecret
			}
			if !signed {
				t.Errorf("%s, event %d is not signed", ch, n)
			}
		}
	}
}

func listening(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

func TestIngest(t *testing.T) {
	var calls atomic.Int64
	addr := listening(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if calls.Add(1)%10 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("no room"))
		}
	})
	var next atomic.Int64
	s, err := Ingest(context.Background(), addr, "messenger", 4, 10, &next, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if s.Calls != calls.Load() || s.Calls != next.Load() || s.Bad != s.Calls/10 || s.PerSecond() <= 0 || s.Took < 100*time.Millisecond {
		t.Errorf("%d calls were counted of %d, %d of them bad, %.0f/s", s.Calls, calls.Load(), s.Bad, s.PerSecond())
	}
	if s.Quantile(0) > s.Quantile(.5) || s.Quantile(.5) > s.Quantile(1) || s.Quantile(1) != s.Delays[len(s.Delays)-1] {
		t.Error("quantiles are not in order")
	}
	if new(Slice).Quantile(.5) != 0 {
		t.Error("nothing has a quantile")
	}
}

func TestIngestAgainstWhatIsNotAServer(t *testing.T) {
	var next atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("hi\n"))
			_ = c.Close()
		}
	}()
	if _, err := Ingest(context.Background(), l.Addr().String(), "telegram", 1, 1, &next, time.Second); err == nil {
		t.Error("a greeting counts as an answer")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Ingest(context.Background(), l.Addr().String(), "telegram", 1, 1, &next, time.Second); err == nil {
		t.Error("nobody counts as a server")
	}
}

// echo is a bot that answers over the stub network; new persons get a notice
// first.
func echo(t *testing.T, api func() string) http.HandlerFunc {
	t.Helper()
	var known sync.Map
	return func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		path, key, to := "/botX/sendMessage", `"chat":{"id":`, `{"chat_id":`
		end := `}`
		if strings.Contains(r.URL.Path, "messenger") {
			path, key, to, end = "/v1/me/messages", `"sender":{"id":"`, `{"recipient":{"id":"`, `"}}`
		}
		_, rest, _ := bytes.Cut(body, []byte(key))
		user := string(rest[:bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })])
		n := 1
		if _, old := known.LoadOrStore(user, true); !old {
			n = 2
		}
		go func() {
			for range n {
				resp, err := http.Post(api()+path, "application/json", strings.NewReader(to+user+end))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		}()
	}
}

func TestTurns(t *testing.T) {
	turns, err := NewTurns(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	addr := listening(t, echo(t, turns.URL))
	if err := turns.Meet(context.Background(), addr, 4, 3); err != nil {
		t.Fatal(err)
	}
	s, err := turns.Run(context.Background(), 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if s.Calls == 0 || len(s.Delays) != int(s.Calls) || s.Bad != 0 {
		t.Errorf("%+v", s)
	}
	if err := turns.Close(); err != nil {
		t.Error(err)
	}
}

func TestTurnsThatAreRefused(t *testing.T) {
	turns, err := NewTurns(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer turns.Close() //nolint:errcheck // it failed on purpose
	addr := listening(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	if err := turns.Meet(context.Background(), addr, 1, 1); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("Meet = %v", err)
	}
	if err := turns.Meet(context.Background(), "127.0.0.1:1", 1, 1); err == nil {
		t.Error("nobody was met")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := NewStub(ctx, func(int64) {}); err == nil {
		t.Log("listening does not mind the context") // it is the system's choice
	}
}

func TestStubOnBrokenCalls(t *testing.T) {
	var got atomic.Int64
	s, err := NewStub(context.Background(), func(int64) { got.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"", "POST", "POST /bot HTTP/1.1\r\n", "POST /bot HTTP/1.1\r\nContent-Length: 9\r\n\r\nx", "POST /bot HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"} {
		c, err := net.Dial("tcp", s.l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(call))
		_ = c.Close()
	}
	idle, err := net.Dial("tcp", s.l.Addr().String()) // is closed by the stub
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	_ = idle.Close()
	if got.Load() != 0 {
		t.Error("a broken call counts as a message")
	}
	for in, want := range map[string]int64{`{"chat_id": "12"}`: 12, `{"chat_id":7,`: 7, `{}`: 0, `{"chat_id":x}`: 0} {
		if n := number([]byte(in), `"chat_id":`); n != want {
			t.Errorf("number(%s) = %d", in, n)
		}
	}
}
