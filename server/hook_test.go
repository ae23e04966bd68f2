package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unsized hides the length of a body, which is then sent in chunks.
type unsized struct{ io.Reader }

func TestHooks(t *testing.T) {
	s := newSite(t)
	s.start()
	big := strings.Repeat("x", 5<<10)
	for _, c := range []struct {
		name, method, path string
		header             map[string]string
		body               io.Reader
		status             int
		allow, answer      string
	}{
		{name: "no such account", method: "POST", path: "/hooks/telegram/other", status: 404},
		{name: "no such channel", method: "POST", path: "/hooks/slack/shop", status: 404},
		{name: "the web chat has no hook", method: "POST", path: "/hooks/webchat/site", status: 404},
		{name: "above all hooks", method: "POST", path: "/hooks/", status: 404},
		{name: "method", method: "PUT", path: telegramHook, header: signed(), status: 405, allow: "POST"},
		{name: "get where there is no handshake", method: "GET", path: telegramHook, header: signed(), status: 405, allow: "POST"},
		{name: "no secret", method: "POST", path: telegramHook, body: strings.NewReader(update(1, 1, "x")), status: 401},
		{name: "wrong secret", method: "POST", path: telegramHook, header: map[string]string{"X-Telegram-Bot-Api-Secret-Token": "x"}, body: strings.NewReader(update(1, 1, "x")), status: 401},
		{name: "wrong signature", method: "POST", path: messengerHook, header: map[string]string{"X-Hub-Signature-256": "sha256=00"}, body: strings.NewReader("{}"), status: 401},
		{name: "too large", method: "POST", path: telegramHook, header: signed(), body: strings.NewReader(big), status: 413},
		{name: "too large, in chunks", method: "POST", path: telegramHook, header: signed(), body: unsized{strings.NewReader(big)}, status: 413},
		{name: "much too large, in chunks", method: "POST", path: telegramHook, header: signed(), body: unsized{strings.NewReader(strings.Repeat("x", 64<<10))}, status: 413},
		{name: "not of this network", method: "POST", path: telegramHook, header: signed(), body: strings.NewReader("[]"), status: 400},
		{name: "no body", method: "POST", path: telegramHook, header: signed(), status: 400},
		{name: "unknown kind", method: "POST", path: telegramHook, header: signed(), body: strings.NewReader(`{"update_id":5,"something_new":{}}`), status: 200},
		{name: "a message", method: "POST", path: telegramHook, header: signed(), body: strings.NewReader(update(6, 1, "x")), status: 200},
		{name: "a message, in chunks", method: "POST", path: telegramHook, header: signed(), body: unsized{strings.NewReader(update(7, 1, "x"))}, status: 200},
		{name: "a slash behind", method: "POST", path: telegramHook + "/", header: signed(), body: strings.NewReader(update(8, 1, "x")), status: 200},
		{name: "handshake", method: "GET", path: messengerHook + "?hub.mode=subscribe&hub.challenge=42&hub.verify_token=" + secretVerify, status: 200, answer: "42"},
		{name: "handshake, wrong word", method: "GET", path: messengerHook + "?hub.mode=subscribe&hub.challenge=42&hub.verify_token=x", status: 403},
	} {
		resp, body := s.do(c.method, c.path, c.header, c.body)
		if resp.StatusCode != c.status || resp.Header.Get("Allow") != c.allow || body != c.answer {
			t.Errorf("%s: %d, Allow %q, %q; want %d, %q, %q", c.name, resp.StatusCode, resp.Header.Get("Allow"), body, c.status, c.allow, c.answer)
		}
	}
	s.wait("the notice and three answers are sent", func() bool { return s.r.p.outbox.Stats.Sent.Load() == 4 })
	_, text := s.do("GET", "/metrics", nil, nil)
	for what, n := range map[string]int{"forged": 2, "refused": 3, "malformed": 2, "unknown": 1, "event": 3, "unstored": 0} {
		if want := fmt.Sprintf("sotto_webhook_total{account=\"telegram/shop\",result=%q} %d\n", what, n); !strings.Contains(text, want) {
			t.Errorf("/metrics does not say %s", want)
		}
	}
	for _, want := range []string{"sotto_outbox_sent_total 4\n", "sotto_inbox_turns_total", "sotto_journal_waiting 0", "sotto_certificate_expiry_seconds 0", "sotto_audit_entries"} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics does not say %s", want)
		}
	}
}

// A body that breaks off is not too large.
func TestBodyThatBreaksOff(t *testing.T) {
	s := newSite(t)
	s.start()
	conn, err := net.Dial("tcp", s.r.s.Addr())
	s.must(err)
	defer conn.Close() //nolint:errcheck // the call is over
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nX-Telegram-Bot-Api-Secret-Token: %s\r\nContent-Length: 100\r\n\r\nshort", telegramHook, secretHook)
	s.must(err)
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		t.Fatal("no TCP")
	}
	s.must(tcp.CloseWrite())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	s.must(err)
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("answered %d, want 400", resp.StatusCode)
	}
	s.must(resp.Body.Close())
}

func TestEventsThatCannotBeStored(t *testing.T) {
	s := newSite(t)
	s.start()
	ready := func(status int, text string) {
		t.Helper()
		if resp, body := s.do("GET", "/readyz", nil, nil); resp.StatusCode != status || !strings.Contains(body, text) {
			t.Errorf("/readyz answers %d, %q; want %d, %q", resp.StatusCode, body, status, text)
		}
	}
	ready(200, "ready")
	s.exec(`CREATE TRIGGER no BEFORE INSERT ON journal_event BEGIN SELECT RAISE(ABORT, 'no'); END`)
	resp, body := s.do("POST", telegramHook, signed(), strings.NewReader(update(1, 1, "canary-text")))
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || body != "" {
		t.Errorf("answered %d, %q", resp.StatusCode, body)
	}
	ready(503, "could not be stored")
	s.exec(`DROP TRIGGER no`)
	s.say(1, 1, "canary-text") // the same delivery comes again
	ready(200, "ready")
	s.wait("it is answered", func() bool { return s.messages() == 2 })
	s.exec(`ALTER TABLE journal_event RENAME TO hidden`)
	ready(503, "cannot be read")
	if _, text := s.do("GET", "/metrics", nil, nil); !strings.Contains(text, "sotto_journal_waiting -1") {
		t.Error("/metrics does not say that the journal cannot be read")
	}
	s.exec(`ALTER TABLE hidden RENAME TO journal_event`)
	if strings.Contains(s.log.String(), "canary") {
		t.Error("the log holds something of a message or a secret")
	}
}

func TestPages(t *testing.T) {
	s := newSite(t)
	s.start()
	for _, c := range []struct {
		path, accept string
		status       int
		header       map[string]string
		want         string
	}{
		{path: "/healthz", status: 200, want: "ok"},
		{path: "/", status: 303, header: map[string]string{"Location": "/chat"}},
		{path: "/privacy", status: 200, header: map[string]string{"Content-Language": "en", "Vary": "Accept-Language"}, want: "<html"},
		{path: "/privacy", accept: "fr;q=0.9, de-AT", status: 200, header: map[string]string{"Content-Language": "de"}},
		{path: "/chat", status: 200, want: "<html"},
		{path: "/nothing", status: 404},
	} {
		resp, body := s.do("GET", c.path, map[string]string{"Accept-Language": c.accept}, nil)
		if resp.StatusCode != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d", c.path, resp.StatusCode)
		}
		for k, v := range c.header {
			if got := resp.Header.Get(k); !strings.Contains(got, v) {
				t.Errorf("%s: %s is %q, want %q", c.path, k, got, v)
			}
		}
		if c.path == "/privacy" && resp.Header.Get("Content-Security-Policy") == "" {
			t.Error("the notice has no policy")
		}
	}
}

func TestAcceptLanguage(t *testing.T) {
	many := strings.Repeat("x,", 40)
	for in, want := range map[string][]string{
		"":                          nil,
		",,;q=1,":                   nil,
		"de":                        {"de"},
		"de-AT, en;q=0.8 , *;q=0.1": {"de-AT", "en", "*"},
		many:                        strings.Split(strings.TrimSuffix(strings.Repeat("x,", 16), ","), ","),
	} {
		if diff := cmp.Diff(want, acceptLanguage(in)); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func TestHomeWithoutAChat(t *testing.T) {
	s := newSite(t)
	s.configure("listen: 127.0.0.1:0\ndata: ./data\nkeys: { current: file:./kek }\naudit: { head: ./head }\ncontroller: { name: A, contact: a@example.org }\nbot: { kind: echo }\n" +
		"channels: { telegram: { shop: { token: env:TOKEN, secret: env:HOOK } } }\n")
	s.start()
	if resp, _ := s.do("GET", "/", nil, nil); resp.Header.Get("Location") != "/privacy" {
		t.Errorf("/ leads to %q", resp.Header.Get("Location"))
	}
	if resp, _ := s.do("GET", "/chat", nil, nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("/chat answers %d", resp.StatusCode)
	}
	if !strings.Contains(s.out.String(), "listening") {
		t.Errorf("banner:\n%s", s.out.String())
	}
}
