package channeltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// script is a server that answers what it is told to, and keeps what it got.
type script struct {
	url    string
	client *http.Client

	mu     sync.Mutex
	answer func(n int, w http.ResponseWriter, r *http.Request)
	calls  []call
}

// call is one request that the script got.
type call struct {
	r    *http.Request
	body []byte
}

func newScript(t *testing.T, a Answer) *script {
	t.Helper()
	s := &script{}
	s.always(a)
	srv := httptest.NewServer(s)
	s.url, s.client = srv.URL, srv.Client()
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return s
}

func (s *script) always(a Answer) {
	s.do(func(_ int, w http.ResponseWriter, _ *http.Request) { a.write(w) })
}

func (s *script) do(f func(n int, w http.ResponseWriter, r *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.calls = f, nil
}

func (s *script) got() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// ServeHTTP implements http.Handler.
func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	n, f := len(s.calls), s.answer
	s.calls = append(s.calls, call{r, body})
	s.mu.Unlock()
	f(n, w, r)
}

func (a Answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	for k, v := range a.Header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body)
}

// reset breaks the connection as a crashed server does.
func reset(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func (s *Spec) outgoing() *channel.Outgoing {
	return &channel.Outgoing{
		Conversation: s.Conversation, Handle: s.Handle, Text: "whisper", Key: "key-1",
		Buttons: []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No", Payload: "N"}},
	}
}

func (s *Spec) send(t *testing.T) {
	srv := newScript(t, s.Success)
	a := s.adapter(t, srv.url, srv.client)
	sent, err := a.Send(t.Context(), s.outgoing())
	if err != nil || sent.ID != s.MessageID {
		t.Fatalf("Send: %+v, %v; want id %q", sent, err, s.MessageID)
	}
	calls := srv.got()
	if len(calls) != 1 {
		t.Fatalf("%d calls for one short message", len(calls))
	}
	if !bytes.Contains(calls[0].body, []byte("whisper")) {
		t.Error("the text was not sent")
	}
	if a.Traits().Idempotent != (s.Key != nil) {
		t.Error("the adapter and the description differ on whether the network knows an idempotency key")
	}
	if s.Key != nil {
		s.keys(t, srv, a, s.Key(calls[0].r, calls[0].body))
	}
	s.sendFile(t, srv, a)
	if typer, ok := a.(channel.Typer); ok {
		if err := typer.Typing(t.Context(), s.outgoing()); err != nil {
			t.Error("Typing:", err)
		}
	}
	s.sendNothing(t, srv, a)
}

// keys checks that the network can tell a repeated send from another one.
func (s *Spec) keys(t *testing.T, srv *script, a channel.Adapter, first string) {
	t.Helper()
	send := func(key string) string {
		srv.always(s.Success)
		m := s.outgoing()
		m.Key = key
		if _, err := a.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		c := srv.got()[0]
		return s.Key(c.r, c.body)
	}
	again, other := send("key-1"), send("key-2")
	if first == "" || again != first || other == first {
		t.Errorf("idempotency keys %q and %q for one message, %q for another", first, again, other)
	}
}

// sendFile sends a file whose name and type want to be more than that.
func (s *Spec) sendFile(t *testing.T, srv *script, a channel.Adapter) {
	t.Helper()
	srv.always(s.Success)
	m := s.outgoing()
	m.Text, m.Buttons = "", nil
	m.File = &channel.File{Name: "a\"\r\nX-Evil: 1.txt", MIME: "text/plain\r\nX-Evil: 1", Data: []byte("file-bytes")}
	_, err := a.Send(t.Context(), m)
	if a.Traits().NoFiles {
		s.is(t, "file", err, ErrorCase{Class: channel.Bad})
		return
	}
	if s.OwnFiles {
		return
	}
	if err != nil {
		t.Error("file:", err)
	}
	for _, c := range srv.got() {
		if bytes.Contains(c.body, []byte("\nX-Evil")) {
			t.Error("the name or type of a file ends a line of the form")
		}
	}
}

// sendNothing gives the adapter what it must refuse by itself.
func (s *Spec) sendNothing(t *testing.T, srv *script, a channel.Adapter) {
	t.Helper()
	srv.always(s.Success)
	for name, m := range map[string]*channel.Outgoing{
		"no text":         {Conversation: s.Conversation, Handle: s.Handle},
		"white space":     {Conversation: s.Conversation, Handle: s.Handle, Text: " \n"},
		"no conversation": {Text: "whisper"},
		"empty file":      {Conversation: s.Conversation, Handle: s.Handle, File: &channel.File{Name: "a"}},
		"empty label":     {Conversation: s.Conversation, Handle: s.Handle, Text: "whisper", Buttons: []sotto.Button{{Payload: "Y"}}},
	} {
		_, err := a.Send(t.Context(), m)
		s.is(t, name, err, ErrorCase{Class: channel.Bad})
	}
	if n := len(srv.got()); n != 0 {
		t.Errorf("%d calls for messages that are none", n)
	}
	if _, err := s.Zero.Send(t.Context(), s.outgoing()); err == nil {
		t.Error("the zero value sends")
	}
}

// codeForm is the form that SendError promises for its code.
const codeForm = `^[a-z0-9_./-]{0,40}$`

func (s *Spec) is(t *testing.T, name string, err error, want ErrorCase) {
	t.Helper()
	var e *channel.SendError
	if !errors.As(err, &e) {
		t.Errorf("%s: %v, want a *channel.SendError", name, err)
		return
	}
	s.quiet(t, err)
	if e.Class != want.Class || want.Code != "" && e.Code != want.Code || e.RetryAfter != want.RetryAfter {
		t.Errorf("%s: %v after %v, want %v code %q after %v", name, e, e.RetryAfter, want.Class, want.Code, want.RetryAfter)
	}
	if !regexp.MustCompile(codeForm).MatchString(e.Code) {
		t.Errorf("%s: code %q", name, e.Code)
	}
}

func (s *Spec) sendErrors(t *testing.T) {
	srv := newScript(t, s.Success)
	a := s.adapter(t, srv.url, srv.client)
	cases := append([]ErrorCase{
		{Name: "429 without JSON", Answer: Answer{Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: "whisper"}, Class: channel.Retry, RetryAfter: 7 * time.Second},
		{Name: "429 with an endless wait", Answer: Answer{Status: 429, Header: map[string]string{"Retry-After": "1e300"}}, Class: channel.Retry, RetryAfter: 24 * time.Hour},
		{Name: "429 with a negative wait", Answer: Answer{Status: 429, Header: map[string]string{"Retry-After": "-7"}}, Class: channel.Retry},
		{Name: "429 with nonsense", Answer: Answer{Status: 429, Header: map[string]string{"Retry-After": "whisper"}}, Class: channel.Retry},
		{Name: "500", Answer: Answer{Status: 500, Body: "<html>whisper"}, Class: channel.Retry},
		{Name: "502", Answer: Answer{Status: 502}, Class: channel.Retry},
		{Name: "503", Answer: Answer{Status: 503, Header: map[string]string{"Retry-After": "1.5"}}, Class: channel.Retry, RetryAfter: 1500 * time.Millisecond},
		{Name: "504: it may have arrived", Answer: Answer{Status: 504}, Class: channel.Unknown},
		{Name: "401", Answer: Answer{Status: 401}, Class: channel.Auth},
		{Name: "400", Answer: Answer{Status: 400, Body: "{}"}, Class: channel.Bad},
		{Name: "413", Answer: Answer{Status: 413}, Class: channel.Bad},
		{Name: "200 with nonsense", Answer: Answer{Status: 200, Body: "whisper"}, Class: channel.Unknown},
		{Name: "200 with nothing", Answer: Answer{Status: 200}, Class: channel.Unknown},
		{Name: "200 with an array", Answer: Answer{Status: 200, Body: "[]"}, Class: channel.Unknown},
	}, s.Errors...)
	for _, c := range cases {
		srv.always(c.Answer)
		_, err := a.Send(t.Context(), s.outgoing())
		s.is(t, c.Name, err, c)
		if n := len(srv.got()); n != 1 {
			t.Errorf("%s: %d calls; an adapter does not try again", c.Name, n)
		}
	}
}

func (s *Spec) sendBroken(t *testing.T) {
	srv := newScript(t, s.Success)
	a := s.adapter(t, srv.url, srv.client)
	try := func(ctx context.Context, name string, want channel.Class) {
		t.Helper()
		_, err := a.Send(ctx, s.outgoing())
		s.is(t, name, err, ErrorCase{Class: want})
		if typer, ok := a.(channel.Typer); ok {
			if err := typer.Typing(ctx, s.outgoing()); err != nil {
				s.quiet(t, err)
			}
		}
	}
	srv.do(func(_ int, w http.ResponseWriter, _ *http.Request) { reset(w) })
	try(t.Context(), "reset after the request", channel.Unknown)

	srv.do(func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		reset(w)
	})
	try(t.Context(), "reset within the answer", channel.Unknown)

	srv.do(func(_ int, w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	try(t.Context(), "answer of 4 MiB", channel.Unknown)

	srv.do(func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	try(ctx, "hang", channel.Unknown)

	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	a = s.adapter(t, "http://"+addr, srv.client)
	try(t.Context(), "refused", channel.Retry)

	a = s.adapter(t, "https://network.invalid", leaky{})
	try(t.Context(), "an error that shows the address", channel.Unknown)

	a = s.adapter(t, "https://network.invalid", denied{})
	try(t.Context(), "our own way out said no", channel.Retry)
}

// leaky fails as http.Client does: with the address in its error.
type leaky struct{}

// Do fails.
func (leaky) Do(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%s %q: broken pipe", r.Method, r.URL.String())
}

// denied fails as the egress client does.
type denied struct{}

// Do fails.
func (denied) Do(r *http.Request) (*http.Response, error) {
	return nil, sotto.E("egress.do", sotto.KindDenied, fmt.Errorf("host of %s", r.URL))
}

// sendParts checks what a text over the limit becomes, and what a failure of
// its second part means.
func (s *Spec) sendParts(t *testing.T) {
	srv := newScript(t, s.Success)
	a := s.adapter(t, srv.url, srv.client)
	m := s.outgoing()
	m.Text = strings.Repeat("whisper ", s.MaxText/8*2)
	if _, err := a.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	calls := srv.got()
	if len(calls) != 2 {
		t.Fatalf("%d calls for a text of two parts", len(calls))
	}
	if has := bytes.Contains(calls[0].body, []byte("Yes")); has || !bytes.Contains(calls[1].body, []byte("Yes")) {
		t.Error("the buttons do not stand below the last part, and there alone")
	}
	failing := func(at int) {
		srv.do(func(n int, w http.ResponseWriter, _ *http.Request) {
			if n == at {
				Answer{Status: 429, Header: map[string]string{"Retry-After": "3"}}.write(w)
				return
			}
			s.Success.write(w)
		})
	}
	failing(0)
	_, err := a.Send(t.Context(), m)
	s.is(t, "first part", err, ErrorCase{Class: channel.Retry, RetryAfter: 3 * time.Second})
	failing(1)
	_, err = a.Send(t.Context(), m)
	s.is(t, "second part", err, ErrorCase{Class: channel.Unknown, RetryAfter: 3 * time.Second})
	if n := len(srv.got()); n != 2 {
		t.Errorf("%d calls", n)
	}
}
