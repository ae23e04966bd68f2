package webchat

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/channel"
)

// rig is a chat on a real server, with a journal in memory behind it.
type rig struct {
	t   *testing.T
	a   *Adapter
	srv *httptest.Server

	mu     sync.Mutex
	events []channel.Event
	fail   error
	awake  chan string
	now    time.Time
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, awake: make(chan string, 100), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	cfg := Config{
		CookieKey: [32]byte{1, 2, 3}, Receive: r.receive,
		Awake: func(c string) {
			select {
			case r.awake <- c:
			default:
			}
		},
		Now: func() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.now },
	}
	if change != nil {
		change(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.a = a
	r.srv = httptest.NewServer(a)
	t.Cleanup(func() { a.Close(); r.srv.Close() })
	return r
}

func (r *rig) receive(_ context.Context, e channel.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	for _, have := range r.events {
		if have.Delivery == e.Delivery {
			return nil
		}
	}
	r.events = append(r.events, e)
	return nil
}

func (r *rig) got() []channel.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]channel.Event(nil), r.events...)
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// browser is a client with a cookie jar.
func (r *rig) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: &http.Transport{}, Timeout: 20 * time.Second}
}

// do makes a call and returns the status, the header and the body.
func (r *rig) do(c *http.Client, method, path, body string, header ...string) (int, http.Header, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.srv.URL+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", r.srv.URL)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if req.Header.Set(header[i], header[i+1]); header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	res, err := c.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

func (r *rig) post(c *http.Client, id, text string) int {
	r.t.Helper()
	b, err := json.Marshal(map[string]string{"id": id, "text": text})
	if err != nil {
		r.t.Fatal(err)
	}
	status, _, _ := r.do(c, http.MethodPost, "/chat/messages", string(b))
	return status
}

// frameIn is one server-sent event.
type frameIn struct {
	id, event string
	data      map[string]any
}

// stream is an open event stream.
type sse struct {
	frames chan frameIn
	close  func()
}

func (r *rig) listen(c *http.Client, last string) *sse {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.srv.URL+"/chat/events", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	streaming := &http.Client{Jar: c.Jar, Transport: c.Transport}
	res, err := streaming.Do(req) //nolint:bodyclose // closed when the stream is
	if err != nil {
		r.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		r.t.Fatalf("events: status %d", res.StatusCode)
	}
	s := &sse{frames: make(chan frameIn, 1000), close: func() { cancel(); _ = res.Body.Close() }}
	go func() {
		defer close(s.frames)
		var f frameIn
		sc := bufio.NewScanner(res.Body)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			switch line := sc.Text(); {
			case line == "":
				if f.event != "" {
					s.frames <- f
				}
				f = frameIn{}
			case strings.HasPrefix(line, "id: "):
				f.id = line[4:]
			case strings.HasPrefix(line, "event: "):
				f.event = line[7:]
			case strings.HasPrefix(line, "data: "):
				_ = json.Unmarshal([]byte(line[6:]), &f.data)
			}
		}
	}()
	r.t.Cleanup(s.close)
	return s
}

func (s *sse) next(t *testing.T) frameIn {
	t.Helper()
	select {
	case f, ok := <-s.frames:
		if !ok {
			t.Fatal("the stream ended")
		}
		return f
	case <-time.After(5 * time.Second):
		t.Fatal("nothing came in five seconds")
	}
	return frameIn{}
}

func (s *sse) none(t *testing.T) {
	t.Helper()
	select {
	case f, ok := <-s.frames:
		if ok {
			t.Fatalf("unexpected event %q %v", f.event, f.data)
		}
	case <-time.After(100 * time.Millisecond):
	}
}

// begin starts a visitor with an open stream.
func (r *rig) begin() (*http.Client, *sse, string) {
	r.t.Helper()
	c := r.browser()
	if status, _, _ := r.do(c, http.MethodPost, "/chat/start", "{}"); status != http.StatusNoContent {
		r.t.Fatalf("start: status %d", status)
	}
	s := r.listen(c, "")
	select {
	case who := <-r.awake:
		return c, s, who
	case <-time.After(5 * time.Second):
		r.t.Fatal("Awake was not called")
	}
	return nil, nil, ""
}
