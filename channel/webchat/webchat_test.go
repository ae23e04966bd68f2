package webchat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

var (
	_ channel.Adapter   = (*Adapter)(nil)
	_ channel.Typer     = (*Adapter)(nil)
	_ channel.Forgetter = (*Adapter)(nil)
)

func TestPageStoresNothing(t *testing.T) {
	r := newRig(t, nil)
	for _, path := range []string{"/chat", "/chat/app.js", "/chat/style.css", "/chat/icon.svg"} {
		status, h, body := r.do(r.browser(), http.MethodGet, path, "")
		if status != http.StatusOK || body == "" {
			t.Errorf("GET %s: status %d", path, status)
		}
		if h.Values("Set-Cookie") != nil {
			t.Errorf("GET %s sets a cookie", path)
		}
		if status, _, _ := r.do(r.browser(), http.MethodGet, path, "", "If-None-Match", h.Get("Etag")); status != http.StatusNotModified {
			t.Errorf("GET %s again: status %d, want 304", path, status)
		}
	}
	if status, h, _ := r.do(r.browser(), http.MethodGet, "/chat/events", ""); status != http.StatusNoContent || h.Values("Set-Cookie") != nil {
		t.Errorf("events without a cookie: status %d, cookie %v", status, h.Values("Set-Cookie"))
	}
}

func TestPageIsStrict(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Title = `<script>alert(1)</script> & "Co"`
		c.PrivacyURL = "/privacy"
		c.Origins = []string{"https://www.example.org"}
	})
	_, h, body := r.do(r.browser(), http.MethodGet, "/chat", "", "Accept-Language", "fr, de-AT;q=0.8, en;q=0.3")
	csp := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "require-trusted-types-for 'script'", "frame-ancestors 'self' https://www.example.org"} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy lacks %q: %s", want, csp)
		}
	}
	for _, never := range []string{"unsafe", "*", "http:", "data:"} {
		if strings.Contains(csp, never) {
			t.Errorf("policy has %q: %s", never, csp)
		}
	}
	for _, never := range []string{"<script>", "<style", " style=", "onclick", "javascript:", "//cdn", "http://", "https://"} {
		if strings.Contains(body, never) {
			t.Errorf("page has %q", never)
		}
	}
	for _, want := range []string{`<html lang="de">`, `role="log"`, `aria-live="polite"`, `<label class="unseen" for="text">`, "<noscript>", `href="/privacy"`, "<main", "<header", "<footer"} {
		if !strings.Contains(body, want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if h.Get("Vary") != "Accept-Language" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("header %v", h)
	}
}

func TestTalk(t *testing.T) {
	r := newRig(t, nil)
	c, s, who := r.begin()
	if status := r.post(c, "message-1", "  Hello <b>there</b>  "); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	want := []channel.Event{{
		Kind: sotto.EventMessage, ID: "message-1", Delivery: who + "/message-1", Sender: who, Conversation: who,
		Text: "Hello <b>there</b>", Time: r.now,
	}}
	if d := cmp.Diff(want, r.got()); d != "" {
		t.Error(d)
	}
	if f := s.next(t); f.event != "said" || f.data["text"] != "Hello <b>there</b>" || f.data["id"] != "message-1" {
		t.Errorf("echo: %+v", f)
	}
	if err := r.a.Typing(t.Context(), &channel.Outgoing{Conversation: who}); err != nil {
		t.Error(err)
	}
	if f := s.next(t); f.event != "typing" || f.id != "" {
		t.Errorf("typing: %+v", f)
	}
	sent, err := r.a.Send(t.Context(), &channel.Outgoing{Conversation: who, Text: "line 1\nline 2 </script>", Buttons: []sotto.Button{{Label: "Yes", Payload: "y"}}, Key: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	f := s.next(t)
	if f.event != "message" || f.id != sent.ID || f.data["text"] != "line 1\nline 2 </script>" {
		t.Errorf("message: %+v", f)
	}
	status, _, _ := r.do(c, http.MethodPost, "/chat/messages", `{"id":"press-001","payload":"y","label":"Yes"}`)
	if e := r.got()[1]; status != http.StatusAccepted || e.Kind != sotto.EventButton || e.Payload != "y" || e.Text != "" {
		t.Errorf("button: status %d, %+v", status, e)
	}
	if f := s.next(t); f.event != "said" || f.data["text"] != "Yes" {
		t.Errorf("echo of the button: %+v", f)
	}
}

func TestReplayIsDeliveredOnce(t *testing.T) {
	r := newRig(t, nil)
	c, s, _ := r.begin()
	for range 5 {
		if status := r.post(c, "same-id-1", "once"); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
	}
	if n := len(r.got()); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	s.next(t)
	s.none(t)
	// Another visitor may use the same id, and does not use it up.
	c2, _, _ := r.begin()
	r.post(c2, "same-id-1", "mine")
	if got := r.got(); len(got) != 2 || got[0].Delivery == got[1].Delivery {
		t.Errorf("events %+v", got)
	}
}

func TestSendOnce(t *testing.T) {
	r := newRig(t, nil)
	_, s, who := r.begin()
	m := &channel.Outgoing{Conversation: who, Text: "hi", Key: "key-1"}
	first, err := r.a.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.a.Send(t.Context(), m)
	if err != nil || second != first {
		t.Errorf("second send: %v, %v; want %v", second, err, first)
	}
	s.next(t)
	s.none(t)
}

func TestNotConnected(t *testing.T) {
	r := newRig(t, nil)
	var se *channel.SendError
	who := newVisitor().String()
	_, err := r.a.Send(t.Context(), &channel.Outgoing{Conversation: who, Text: "hi", Key: "k"})
	if !errors.As(err, &se) || se.Class != channel.Retry || se.Code != "not_connected" || se.RetryAfter != 30*time.Second {
		t.Errorf("error %v", err)
	}
	if strings.Contains(err.Error(), who) {
		t.Error("the error names the visitor")
	}
	_, err = r.a.Send(t.Context(), &channel.Outgoing{Conversation: "nobody", Text: "hi", Key: "k"})
	if !errors.As(err, &se) || se.Class != channel.Bad {
		t.Errorf("error %v", err)
	}
	_, s, who := r.begin()
	s.close()
	waitFor(t, func() bool {
		_, err := r.a.Send(t.Context(), &channel.Outgoing{Conversation: who, Text: "hi"})
		return errors.As(err, &se) && se.Code == "not_connected"
	})
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("did not happen in five seconds")
}

func TestAwakeTwice(t *testing.T) {
	r := newRig(t, nil)
	r.a.times.again = 30 * time.Millisecond
	_, _, who := r.begin()
	select {
	case again := <-r.awake:
		if again != who {
			t.Errorf("awake %q, want %q", again, who)
		}
	case <-time.After(5 * time.Second):
		t.Error("Awake was called once only")
	}
}

func TestResume(t *testing.T) {
	r := newRig(t, nil)
	c, s, who := r.begin()
	send := func(n int) string {
		t.Helper()
		sent, err := r.a.Send(t.Context(), &channel.Outgoing{Conversation: who, Text: fmt.Sprint("line ", n), Key: fmt.Sprint("k", n)})
		if err != nil {
			t.Fatal(err)
		}
		return sent.ID
	}
	first := send(1)
	s.next(t)
	send(2)
	send(3)
	s.close() // line 2 and 3 may have been lost on the way
	back := r.listen(c, first)
	for n := 2; n <= 3; n++ {
		if f := back.next(t); f.data["text"] != fmt.Sprint("line ", n) {
			t.Errorf("got %v, want line %d", f.data["text"], n)
		}
	}
	back.none(t)
	// A page that is opened anew gets all recent lines; so does one that comes
	// with a number of an earlier life.
	for _, last := range []string{"", "00000000-7", "nonsense", first[:8] + "-999"} {
		fresh := r.listen(c, last)
		for n := 1; n <= 3; n++ {
			if f := fresh.next(t); f.data["text"] != fmt.Sprint("line ", n) {
				t.Errorf("last %q: got %v, want line %d", last, f.data["text"], n)
			}
		}
		fresh.close()
	}
	r.pass(11 * time.Minute)
	r.a.hub.sweep()
	r.listen(c, "").none(t)
}

func TestNothingIsKeptForIdleVisitors(t *testing.T) {
	r := newRig(t, nil)
	_, s, who := r.begin()
	if _, err := r.a.Send(t.Context(), &channel.Outgoing{Conversation: who, Text: "hi", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	s.close()
	h := r.a.hub
	waitFor(t, func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.streams == 0 })
	r.pass(11 * time.Minute)
	h.sweep()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.rooms) != 0 || h.memory != 0 || len(h.addresses) != 0 {
		t.Errorf("kept: %d rooms, %d bytes, %d addresses", len(h.rooms), h.memory, len(h.addresses))
	}
}

func TestBounds(t *testing.T) {
	now := time.Now()
	h := newHub(func() time.Time { return now }, 10, 256<<10)
	v := newVisitor()
	s, ok := h.attach(v, "192.0.2.1", "")
	if !ok {
		t.Fatal("no stream")
	}
	for i := range 200 {
		if _, err := h.send(v, &channel.Outgoing{Text: strings.Repeat("x", 100), Key: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(h.rooms[v].lines); n != keepLines {
		t.Errorf("%d lines kept, want %d", n, keepLines)
	}
	frames, _, _ := h.take(v, s, nil)
	if len(frames) != keepLines {
		t.Errorf("%d frames, want %d", len(frames), keepLines)
	}
	var se *channel.SendError
	for i := range 10 { // other people's rooms fill the memory, and are not pushed out
		w := newVisitor()
		if _, ok := h.attach(w, "192.0.2.2", ""); !ok {
			break
		}
		_, err := h.send(w, &channel.Outgoing{Text: strings.Repeat("y", 60<<10), Key: fmt.Sprint(i)})
		if errors.As(err, &se) && se.Code != "no_memory" {
			t.Errorf("error %v", err)
		}
	}
	if se == nil || h.memory > h.maxMemory {
		t.Errorf("memory %d of %d, error %v", h.memory, h.maxMemory, se)
	}
	if _, ok := h.attach(newVisitor(), "192.0.2.3", ""); ok {
		t.Error("more streams than allowed")
	}
	h.close()
	if h.memory != 0 || h.streams != 0 {
		t.Errorf("after close: %d bytes, %d streams", h.memory, h.streams)
	}
}

func TestOldestPageGivesWay(t *testing.T) {
	r := newRig(t, nil)
	c, s, _ := r.begin()
	for range perVisitor {
		r.listen(c, "")
	}
	if f := s.next(t); f.event != "superseded" {
		t.Errorf("got %q", f.event)
	}
}

func TestForget(t *testing.T) {
	r := newRig(t, nil)
	c, s, who := r.begin()
	_, other, otherWho := r.begin()
	if _, err := r.a.Send(t.Context(), &channel.Outgoing{Conversation: who, Text: "secret", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	s.next(t)
	r.a.Forget(who)
	if f := s.next(t); f.event != "forget" {
		t.Errorf("got %q, want forget", f.event)
	}
	if _, open := <-s.frames; open {
		t.Error("the stream goes on")
	}
	r.listen(c, "").none(t)
	_, h, _ := r.do(c, http.MethodPost, "/chat/forget", "{}")
	if got := h.Get("Set-Cookie"); !strings.Contains(got, "Max-Age=0") {
		t.Errorf("cookie not dropped: %q", got)
	}
	if status, _, _ := r.do(c, http.MethodGet, "/chat/events", ""); status != http.StatusNoContent {
		t.Errorf("still known: status %d", status)
	}
	if _, err := r.a.Send(t.Context(), &channel.Outgoing{Conversation: otherWho, Text: "you stay", Key: "k"}); err != nil {
		t.Error(err)
	}
	if f := other.next(t); f.data["text"] != "you stay" {
		t.Errorf("the other visitor got %v", f)
	}
	r.a.Forget("nonsense")
}

func TestFile(t *testing.T) {
	r := newRig(t, nil)
	c, s, who := r.begin()
	data := bytes.Repeat([]byte("data "), 100)
	m := &channel.Outgoing{Conversation: who, Text: "Here you are", File: &channel.File{Name: "Ihre \"Daten\"\r\nX: ü.json", MIME: "application/json", Data: data}, Key: "f"}
	if _, err := r.a.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	f := s.next(t)
	info, ok := f.data["file"].(map[string]any)
	if !ok {
		t.Fatalf("no file in %v", f.data)
	}
	below, ok := info["path"].(string)
	if !ok {
		t.Fatalf("no path in %v", info)
	}
	path := "/chat/" + below
	stranger, _, _ := r.begin()
	for name, c := range map[string]*http.Client{"nobody": r.browser(), "another visitor": stranger} {
		if status, _, body := r.do(c, http.MethodGet, path, ""); status != http.StatusNotFound || strings.Contains(body, "data ") {
			t.Errorf("%s: status %d", name, status)
		}
	}
	if status, _, _ := r.do(c, http.MethodGet, path, "", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("from another site: status %d", status)
	}
	status, h, body := r.do(c, http.MethodGet, path, "")
	if status != http.StatusOK || body != string(data) {
		t.Errorf("status %d, %d bytes", status, len(body))
	}
	if d := h.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment; ") || strings.ContainsAny(d, "\r\n") {
		t.Errorf("disposition %q", d)
	}
	if got := h.Get("X"); got != "" {
		t.Errorf("the name became a header: %q", got)
	}
	if status, _, _ := r.do(c, http.MethodGet, path, ""); status != http.StatusNotFound {
		t.Errorf("second time: status %d", status)
	}
}

func TestReceiveErrors(t *testing.T) {
	for kind, want := range map[sotto.Kind]int{
		sotto.KindBusy: 503, sotto.KindFull: 503, sotto.KindUnavailable: 503, sotto.KindInvalid: 400,
		sotto.KindDenied: 403, sotto.KindExists: 202, sotto.KindOther: 500, sotto.KindCorrupt: 500,
	} {
		r := newRig(t, nil)
		r.fail = sotto.E("x", kind, errors.New("inner detail"))
		c := r.browser()
		status, h, body := r.do(c, http.MethodPost, "/chat/messages", `{"id":"12345678","text":"hi"}`)
		if status != want || strings.Contains(body, "detail") {
			t.Errorf("%v: status %d, want %d; body %q", kind, status, want, body)
		}
		if want == 503 && h.Get("Retry-After") == "" {
			t.Errorf("%v: no Retry-After", kind)
		}
		r.mu.Lock()
		r.fail = nil
		r.mu.Unlock()
		if status := r.post(c, "12345678", "hi"); status != http.StatusAccepted {
			t.Errorf("%v: after recovery status %d", kind, status)
		}
	}
}

func TestCloseLetsTheServerStop(t *testing.T) {
	r := newRig(t, nil)
	_, s, _ := r.begin()
	r.a.Close()
	if f := s.next(t); f.event != "restart" {
		t.Errorf("got %q", f.event)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := r.srv.Config.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	receive := func(context.Context, channel.Event) error { return nil }
	good := Config{CookieKey: [32]byte{1}, Receive: receive}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"no key":           func(c *Config) { c.CookieKey = [32]byte{} },
		"no receiver":      func(c *Config) { c.Receive = nil },
		"origin wildcard":  func(c *Config) { c.Origins = []string{"https://*.example.org"} },
		"origin with path": func(c *Config) { c.Origins = []string{"https://example.org/"} },
		"origin injects":   func(c *Config) { c.Origins = []string{"https://example.org; script-src *"} },
		"script as notice": func(c *Config) { c.PrivacyURL = "javascript:alert(1)" },
		"foreign notice":   func(c *Config) { c.PrivacyURL = "//evil.example" },
		"negative":         func(c *Config) { c.MaxStreams = -1 },
	} {
		c := good
		change(&c)
		if _, err := New(c); sotto.KindOf(err) != sotto.KindInvalid {
			t.Errorf("%s: error %v", name, err)
		}
	}
	var zero Adapter
	if err := zero.Verify(nil); !errors.Is(err, channel.ErrUnverified) {
		t.Errorf("zero value verifies: %v", err)
	}
	var se *channel.SendError
	if _, err := zero.Send(t.Context(), &channel.Outgoing{}); !errors.As(err, &se) {
		t.Errorf("zero value sends: %v", err)
	}
	w := httptest.NewRecorder()
	zero.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/chat", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("zero value serves: %d", w.Code)
	}
	zero.Forget("x")
	zero.Close()
}
