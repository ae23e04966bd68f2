package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/internal/config"
	"github.com/sotto-chat/sotto/internal/deletion"
)

// signedRequest is what Meta posts when a person removes the app.
func signedRequest(secret, user string) string {
	payload := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"algorithm":"HMAC-SHA256","issued_at":1700000000,"expires":0,"user_id":%q}`, user))
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(payload))
	return "signed_request=" + url.QueryEscape(base64.RawURLEncoding.EncodeToString(m.Sum(nil))+"."+payload)
}

func (s *site) form(path, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+s.r.s.addr+path, strings.NewReader(body))
	s.must(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	s.must(err)
	defer resp.Body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(resp.Body)
	s.must(err)
	return resp.StatusCode, string(b)
}

func (s *site) page(path string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.r.s.addr+path, nil)
	s.must(err)
	resp, err := http.DefaultClient.Do(req)
	s.must(err)
	defer resp.Body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(resp.Body)
	s.must(err)
	return resp.StatusCode, string(b)
}

// A wish to be deleted gets a code, and the page of the code says what became
// of it; who is asked about and whether anything is held shows nowhere.
func TestDeletionCallback(t *testing.T) {
	s := newSite(t)
	s.start()
	const path = messengerHook + "/deletion"
	for name, body := range map[string]string{
		"forged":      signedRequest("another secret", "7001"),
		"no request":  "",
		"two of them": signedRequest(secretApp, "7001") + "&" + signedRequest(secretApp, "7001"),
		"too long":    signedRequest(secretApp, strings.Repeat("7", 20000)),
	} {
		if status, got := s.form(path, body); status/100 != 4 || got != "" {
			t.Errorf("%s: %d %q", name, status, got)
		}
	}
	for _, other := range []string{telegramHook + "/deletion", "/hooks/messenger/nobody/deletion", messengerHook + "/deletion/deauthorise"} {
		if status, _ := s.form(other, signedRequest(secretApp, "7001")); status != http.StatusNotFound {
			t.Errorf("%s: %d", other, status)
		}
	}
	var answer struct {
		URL  string `json:"url"`
		Code string `json:"confirmation_code"`
	}
	status, body := s.form(path, signedRequest(secretApp, "7001"))
	s.must(json.Unmarshal([]byte(body), &answer))
	if status != http.StatusOK || !regexp.MustCompile(`^[A-Z0-9]{20}$`).MatchString(answer.Code) || answer.URL != "https://bot.example.org/deletion?id="+answer.Code {
		t.Fatalf("%d %s", status, body)
	}
	for range 100 { // it is looked at in the background
		if w, _, err := s.r.p.deletion.Get(t.Context(), answer.Code); err == nil && w.State == deletion.Review {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	status, body = s.page("/deletion?id=" + answer.Code)
	if status != http.StatusOK || !strings.Contains(body, answer.Code) || !strings.Contains(body, "another number") || strings.Contains(body, "7001") {
		t.Errorf("%d %s", status, body)
	}
	var user string
	s.must(Operate(t.Context(), s.config(), OpWish, answer.Code, &user))
	if user != "7001" {
		t.Errorf("the number is %q", user)
	}
	var settled Wish
	if err := Operate(t.Context(), s.config(), OpSettle, Settle{Code: answer.Code, Erase: &Who{Person: "zz"}}, &settled); err == nil {
		t.Error("settled by nobody")
	}
	s.must(Operate(t.Context(), s.config(), OpSettle, Settle{Code: answer.Code, Reason: "a <b>court</b> forbids it"}, &settled))
	status, body = s.page("/deletion?id=" + answer.Code)
	if status != http.StatusOK || !strings.Contains(body, "a &lt;b&gt;court") {
		t.Errorf("%d %s", status, body)
	}
	var list []Wish
	s.must(Operate(t.Context(), s.config(), OpWishes, struct{}{}, &list))
	if len(list) != 1 || list[0].State != deletion.Refused {
		t.Errorf("%+v", list)
	}
	if status, _ = s.form(messengerHook+"/deauthorise", signedRequest(secretApp, "7001")); status != http.StatusOK {
		t.Errorf("deauthorise: %d", status)
	}
	if status, _ = s.form(messengerHook+"/deauthorise", signedRequest("x", "7001")); status != http.StatusUnauthorized {
		t.Errorf("deauthorise, forged: %d", status)
	}
	for _, id := range []string{"", "NOSUCH", strings.Repeat("A", 100), "%00"} {
		if status, body = s.page("/deletion?id=" + id); status != http.StatusNotFound || !strings.Contains(body, "no request") {
			t.Errorf("%q: %d", id, status)
		}
	}
	s.stop()
	if strings.Contains(s.log.String(), "7001") {
		t.Error("the number stands in the log")
	}
	s.noSecret("the log", s.log.String())
}

// An erasure's receipt is on the same page, with its proof for a machine.
func TestReceiptPage(t *testing.T) {
	s := newSite(t)
	s.start()
	var r Receipt
	s.must(Operate(t.Context(), s.config(), OpErase, Who{Channel: "telegram", Account: "shop", User: "41"}, &r))
	status, body := s.page("/deletion?id=" + r.Receipt)
	if status != http.StatusOK || !strings.Contains(body, r.Receipt) || !strings.Contains(body, "keys are destroyed") {
		t.Errorf("%d %s", status, body)
	}
	status, body = s.page("/deletion?form=json&id=" + r.Receipt)
	var again Receipt
	s.must(json.Unmarshal([]byte(body), &again))
	if status != http.StatusOK || again.Entry != r.Entry || again.Signer != r.Signer || len(again.Proof) == 0 {
		t.Errorf("%d %s", status, body)
	}
}

// A file behind a link is not handed out to who only looks.
func TestFilePage(t *testing.T) {
	s := newSite(t)
	s.start()
	for _, method := range []func(string) (int, string){s.page, func(p string) (int, string) { return s.form(p, "") }} {
		if status, body := method("/file/NOSUCHWORD"); status != http.StatusNotFound || !strings.Contains(body, "nothing here any more") {
			t.Errorf("%d %s", status, body)
		}
	}
	if a := (account{bases: []string{"http://127.0.0.1:1"}}); !a.local() || (account{bases: []string{"https://x", "http://127.0.0.1:1"}}).local() || (account{}).local() {
		t.Error("local is told wrongly")
	}
}

// Setting up asks first, and refuses where no network could reach the bot.
func TestInstall(t *testing.T) {
	s := newSite(t)
	for _, tt := range [][2]string{{"pigeon", "shop"}, {"telegram", "nobody"}, {"webchat", "site"}} {
		if _, err := Install(t.Context(), s.config(), tt[0], tt[1]); err == nil {
			t.Errorf("%s/%s is set up", tt[0], tt[1])
		}
		if _, err := CheckChannels(t.Context(), s.config(), tt[0], tt[1]); err == nil {
			t.Errorf("%s/%s is checked", tt[0], tt[1])
		}
	}
	want := (&Server{cfg: &config.Config{PublicURL: "https://b.example"}}).wanted(account{key: "telegram/shop"})
	if want.Webhook != "https://b.example/hooks/telegram/shop" || want.Privacy != "https://b.example/privacy" || len(want.Commands) != 6 {
		t.Errorf("%+v", want)
	}
	for _, c := range want.Commands {
		if c.Name == "" || c.Text == "" || strings.Contains(c.Text, "button.") {
			t.Errorf("%+v", c)
		}
	}
}
