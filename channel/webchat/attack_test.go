package webchat

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/channel"
)

func TestForgedCookies(t *testing.T) {
	r := newRig(t, nil)
	_, victim, who := r.begin()
	v, err := parseVisitor(who)
	if err != nil {
		t.Fatal(err)
	}
	good := r.a.sign(v, r.now)
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(i int) string {
		b := append([]byte(nil), raw...)
		b[i] ^= 1
		return base64.RawURLEncoding.EncodeToString(b)
	}
	other, err := New(Config{CookieKey: [32]byte{9}, Receive: r.receive})
	if err != nil {
		t.Fatal(err)
	}
	forged := map[string]string{
		"unsigned":     base64.RawURLEncoding.EncodeToString(raw[:24]),
		"bare number":  who,
		"other key":    other.sign(v, r.now),
		"visitor":      flip(0),
		"time":         flip(20),
		"proof":        flip(39),
		"expired":      r.a.sign(v, r.now.Add(-31*24*time.Hour)),
		"future":       r.a.sign(v, r.now.Add(2*time.Hour)),
		"longer":       good + "AA",
		"empty":        "",
		"zero proof":   base64.RawURLEncoding.EncodeToString(append(append([]byte(nil), raw[:24]...), make([]byte, 16)...)),
		"not strict64": good[:len(good)-1] + "_",
	}
	for name, value := range forged {
		cookie := cookiePlain + "=" + value
		if status, _, _ := r.do(r.browser(), http.MethodGet, "/chat/events", "", "Cookie", cookie); status != http.StatusNoContent {
			t.Errorf("%s: events: status %d, want 204", name, status)
		}
		status, h, _ := r.do(r.browser(), http.MethodPost, "/chat/messages", `{"id":"forged-1","text":"I am you"}`, "Cookie", cookie)
		got := r.got()
		if status != http.StatusAccepted || got[len(got)-1].Sender == who {
			t.Errorf("%s: status %d, sender is the victim: %t", name, status, got[len(got)-1].Sender == who)
		}
		if h.Get("Set-Cookie") == "" {
			t.Errorf("%s: no cookie of its own", name)
		}
	}
	victim.none(t)
}

func TestOtherVisitor(t *testing.T) {
	r := newRig(t, nil)
	_, alice, aliceIs := r.begin()
	_, bob, _ := r.begin()
	if _, err := r.a.Send(t.Context(), &channel.Outgoing{Conversation: aliceIs, Text: "for Alice", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if f := alice.next(t); f.data["text"] != "for Alice" {
		t.Errorf("Alice got %v", f)
	}
	bob.none(t)
}

func TestCookieAttributes(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Origins = []string{"https://www.example.org"}
		c.HTTPS = func(r *http.Request) bool { return r.Header.Get("X-Test-Https") != "" }
	})
	for _, tt := range []struct {
		name, body, https string
		want              []string
		never             []string
	}{
		{"plain", "{}", "", []string{"sotto_chat=", "HttpOnly", "SameSite=Strict", "Max-Age=2592000"}, []string{"Secure", "Domain", "__Host-"}},
		{"https", "{}", "1", []string{"__Host-sotto_chat=", "Path=/", "HttpOnly", "Secure", "SameSite=Strict"}, []string{"Domain", "Partitioned"}},
		{"embedded", `{"embedded":true}`, "1", []string{"__Host-sotto_chat=", "Secure", "SameSite=None", "Partitioned"}, []string{"Domain"}},
		{"embedded without https", `{"embedded":true}`, "", []string{"SameSite=Strict"}, []string{"SameSite=None"}},
	} {
		_, h, _ := r.do(r.browser(), http.MethodPost, "/chat/start", tt.body, "X-Test-Https", tt.https)
		got := h.Get("Set-Cookie")
		for _, w := range tt.want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: lacks %q: %s", tt.name, w, got)
			}
		}
		for _, w := range tt.never {
			if strings.Contains(got, w) {
				t.Errorf("%s: has %q: %s", tt.name, w, got)
			}
		}
	}
	// A cookie under the plain name, which a sibling host can plant, is nobody over HTTPS.
	planted := cookiePlain + "=" + r.a.sign(newVisitor(), r.now)
	if status, _, _ := r.do(r.browser(), http.MethodGet, "/chat/events", "", "X-Test-Https", "1", "Cookie", planted); status != http.StatusNoContent {
		t.Errorf("planted cookie: status %d", status)
	}
}

func TestCookieSlides(t *testing.T) {
	r := newRig(t, nil)
	v := newVisitor()
	cookie := func(age time.Duration) string { return cookiePlain + "=" + r.a.sign(v, r.now.Add(-age)) }
	for age, renewed := range map[time.Duration]bool{time.Hour: false, 25 * time.Hour: true, 29 * 24 * time.Hour: true} {
		_, h, _ := r.do(r.browser(), http.MethodPost, "/chat/messages", `{"id":"sliding-`+age.String()+`","text":"x"}`, "Cookie", cookie(age))
		if got := h.Get("Set-Cookie") != ""; got != renewed {
			t.Errorf("after %v: renewed %t, want %t", age, got, renewed)
		}
	}
	for _, e := range r.got() {
		if e.Sender != v.String() {
			t.Errorf("became another visitor")
		}
	}
}

func TestCrossOrigin(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Origins = []string{"https://www.example.org"} })
	for _, tt := range []struct {
		name, origin, site string
		want               int
	}{
		{"own page", r.srv.URL, "same-origin", 202},
		{"own page, old browser", r.srv.URL, "", 202},
		{"no browser", "", "", 202},
		{"allowed origin", "https://www.example.org", "cross-site", 202},
		{"evil", "https://evil.example", "cross-site", 403},
		{"evil, old browser", "https://evil.example", "", 403},
		{"sandboxed", "null", "cross-site", 403},
		{"sandboxed, old browser", "null", "", 403},
		{"sibling", "https://x.example.org", "same-site", 403},
		{"look-alike", "https://www.example.org.evil.example", "cross-site", 403},
		{"other scheme", "http://www.example.org", "cross-site", 403},
	} {
		before := len(r.got())
		status, h, _ := r.do(r.browser(), http.MethodPost, "/chat/messages", `{"id":"cross-origin","text":"x"}`, "Origin", tt.origin, "Sec-Fetch-Site", tt.site)
		if status != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, status, tt.want)
		}
		if tt.want == 403 && (len(r.got()) != before || h.Get("Set-Cookie") != "") {
			t.Errorf("%s: refused, yet it had an effect", tt.name)
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: other origins may read", tt.name)
		}
	}
	for _, site := range []string{"cross-site", "same-site"} {
		if status, _, _ := r.do(r.browser(), http.MethodGet, "/chat/events", "", "Sec-Fetch-Site", site); status != 403 {
			t.Errorf("events from %s: status %d", site, status)
		}
	}
	for _, typ := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""} {
		if status, _, _ := r.do(r.browser(), http.MethodPost, "/chat/messages", `{"id":"cross-origin","text":"x"}`, "Content-Type", typ); status != 415 {
			t.Errorf("type %q: status %d", typ, status)
		}
	}
}

func TestBadBodies(t *testing.T) {
	r := newRig(t, nil)
	c := r.browser()
	for _, tt := range []struct {
		name, body string
		want       int
	}{
		{"empty", "", 400},
		{"not JSON", "hello", 400},
		{"array", "[]", 400},
		{"two values", `{"id":"12345678","text":"a"}{}`, 400},
		{"no id", `{"text":"a"}`, 400},
		{"short id", `{"id":"1","text":"a"}`, 400},
		{"id with path", `{"id":"../../../etc","text":"a"}`, 400},
		{"long id", `{"id":"` + strings.Repeat("a", 65) + `","text":"a"}`, 400},
		{"says nothing", `{"id":"12345678","text":"  \n "}`, 400},
		{"says two things", `{"id":"12345678","text":"a","payload":"b"}`, 400},
		{"long payload", `{"id":"12345678","payload":"` + strings.Repeat("a", 65) + `"}`, 400},
		{"long text", `{"id":"12345678","text":"` + strings.Repeat("ä", 4001) + `"}`, 400},
		{"oversized", `{"id":"12345678","text":"` + strings.Repeat("a", 40<<10) + `"}`, 413},
		{"oversized padding", `{"id":"12345678","text":"a"}` + strings.Repeat(" ", 40<<10), 413},
		{"just fits", `{"id":"12345678","text":"` + strings.Repeat("ä", 4000) + `"}`, 202},
	} {
		if status, _, _ := r.do(c, http.MethodPost, "/chat/messages", tt.body); status != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, status, tt.want)
		}
	}
	if n := len(r.got()); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		if status, _, _ := r.do(c, method, "/chat/messages", ""); status != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", method, status)
		}
	}
}

func TestRateLimits(t *testing.T) {
	addr := "203.0.113.7:4711"
	r := newRig(t, func(c *Config) { c.ClientIP = func(*http.Request) string { return addr } })
	c, _, _ := r.begin()
	count := func() (ok int) {
		for i := range 40 {
			id := "burst-" + r.now.Format("150405") + "-" + string(rune('a'+i%26)) + string(rune('a'+i/26))
			if r.post(c, id, "x") == http.StatusAccepted {
				ok++
			}
		}
		return ok
	}
	if n := count(); n != 10 {
		t.Errorf("%d of 40 messages at once accepted, want 10", n)
	}
	r.pass(time.Minute)
	if n := count(); n != 10 {
		t.Errorf("%d of 40 accepted a minute later, want 10", n)
	}
	// New cookies do not help: the address has its own count.
	refused := 0
	for range 220 {
		if status, _, _ := r.do(r.browser(), http.MethodPost, "/chat/messages", `{"id":"12345678","text":"x"}`); status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("%d of 220 new visitors of one address refused", refused)
	}
	addr = "198.51.100.1:1"
	if status := r.post(r.browser(), "12345678", "x"); status != http.StatusAccepted {
		t.Errorf("another address: status %d", status)
	}
}

func TestLimiterMemory(t *testing.T) {
	l := newLimiter(60)
	now := time.Now()
	for i := range maxCallers + 1000 {
		l.allow(string([]byte{byte(i), byte(i >> 8), byte(i >> 16)}), 1, now)
	}
	if n := len(l.paid); n > maxCallers+1 {
		t.Errorf("%d callers kept", n)
	}
	l.allow("later", 1, now.Add(time.Minute))
	if n := len(l.paid); n != 1 {
		t.Errorf("%d callers kept a minute later, want 1", n)
	}
}

func TestPrefix(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:443": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
		"": "unknown", "unix": "unknown",
	} {
		if got := prefixOf(in); got != want {
			t.Errorf("prefixOf(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSpoken(t *testing.T) {
	for in, want := range map[string]string{
		"": "en", "de": "de", "de-AT,en;q=0.5": "de", "en-US,de;q=0.9": "en", "fr,de;q=0.2": "de", "en;q=0.1,de;q=0.2": "de",
		"de;q=0": "en", "*": "en", "den": "en", strings.Repeat("fr,", 100) + "de": "en", "de;q=x": "en",
	} {
		if got := spoken(in); got != want {
			t.Errorf("spoken(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"visitor":"00112233445566778899aabbccddeeff","id":"12345678","text":"hi","time":"2026-01-02T15:04:05Z","language":"de"}`))
	f.Add([]byte(`{"visitor":"00112233445566778899aabbccddeeff","id":"12345678","payload":"x"}`))
	f.Add([]byte(`{"visitor":"00112233445566778899aabbccddeeff","id":"12345678","payload":"x","text":"y"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := (&Adapter{}).Decode(b)
		if err != nil {
			if len(got.Events) != 0 {
				t.Error("events beside an error")
			}
			return
		}
		e := got.Events[0]
		if len(got.Events) != 1 || e.Delivery != e.Sender+"/"+e.ID || e.Sender == "" || (e.Text == "") == (e.Payload == "") || len(e.Payload) > maxPayload {
			t.Errorf("event %+v", e)
		}
	})
}

func FuzzCookie(f *testing.F) {
	a, err := New(Config{CookieKey: [32]byte{1}, Receive: (&rig{}).receive})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(a.sign(visitor{1}, time.Now()))
	f.Fuzz(func(t *testing.T, value string) {
		v, issued, ok := a.open(value)
		if ok && a.sign(v, issued) != value {
			t.Error("two cookies for one visitor and time")
		}
	})
}

func BenchmarkPage(b *testing.B) {
	a, err := New(Config{CookieKey: [32]byte{1}, Receive: (&rig{}).receive})
	if err != nil {
		b.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodGet, "/chat", nil)
	req.Header.Set("Accept-Language", "de-DE,de;q=0.9,en;q=0.8")
	b.ReportAllocs()
	for b.Loop() {
		a.ServeHTTP(httptest.NewRecorder(), req)
	}
}

func BenchmarkSend(b *testing.B) {
	h := newHub(time.Now, 10, 64<<20)
	v := newVisitor()
	s, _ := h.attach(v, "", "")
	var frames [][]byte
	b.ReportAllocs()
	for b.Loop() {
		_, _ = h.send(v, &channel.Outgoing{Text: "A short answer, as most are.", Key: ""})
		frames, _, _ = h.take(v, s, frames[:0])
	}
}
