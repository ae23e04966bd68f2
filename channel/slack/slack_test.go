package slack_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/slack"
)

const (
	token = "xoxb-111-222-aBcDeFgHiJkLmNoPqRsTuVwX"
	now   = 1700000000
)

func sign(secret string, body []byte) string { return signAt(secret, strconv.Itoa(now), body) }

func signAt(secret, at string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("v0:" + at + ":"))
	m.Write(body)
	return "v0=" + hex.EncodeToString(m.Sum(nil))
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// escaped is a text as Slack writes it.
func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// message is a direct message as Slack posts it; \u003c and the like are not
// escapes that Slack uses, so the marks stand as they are.
func message(id int, text string) []byte {
	q := strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(quote(escaped(text)))
	return fmt.Appendf(nil, `{"token":"x","team_id":"T1","api_app_id":"A1","event":{"client_msg_id":"c-%d","type":"message","text":%s,`+
		`"user":"41","ts":"1700000000.%06d","team":"T1","channel":"D41","event_ts":"1700000000.%06d","channel_type":"im"},`+
		`"type":"event_callback","event_id":"Ev%d","event_time":1700000000,"authorizations":[{"enterprise_id":null,"team_id":"T1",`+
		`"user_id":"UBOT","is_bot":true,"is_enterprise_install":false}],"is_ext_shared_channel":false,"event_context":"4-x"}`, id, q, id, id, id)
}

func refused(status int, code string) channeltest.Answer {
	return channeltest.Answer{Status: status, Body: fmt.Sprintf(`{"ok":false,"error":%q,"response_metadata":{"messages":["whisper"]}}`, code)}
}

func TestConformance(t *testing.T) {
	cases := []channeltest.ErrorCase{
		{
			Name: "too often", Answer: channeltest.Answer{Status: 429, Header: map[string]string{"Retry-After": "30"}, Body: `{"ok":false,"error":"ratelimited"}`},
			Class: channel.Retry, Code: "ratelimited", RetryAfter: 30 * time.Second,
		},
		{Name: "a code that is none", Answer: refused(200, "Whisper it!"), Class: channel.Bad, Code: "error"},
		{Name: "no code", Answer: channeltest.Answer{Status: 200, Body: `{"ok":false}`}, Class: channel.Bad, Code: "error"},
		{Name: "another program's JSON", Answer: channeltest.Answer{Status: 200, Body: `{"status":"ok"}`}, Class: channel.Unknown},
		{Name: "a proxy's JSON", Answer: channeltest.Answer{Status: 404, Body: `{"message":"no route"}`}, Class: channel.Bad},
	}
	for code, class := range map[string]channel.Class{
		"ratelimited": channel.Retry, "rate_limited": channel.Retry, "service_unavailable": channel.Retry,
		"internal_error": channel.Retry, "fatal_error": channel.Retry, "request_timeout": channel.Retry,
		"channel_not_found": channel.Gone, "is_archived": channel.Gone, "not_in_channel": channel.Gone,
		"user_disabled": channel.Gone, "cannot_dm_bot": channel.Gone, "user_not_found": channel.Gone,
		"restricted_action": channel.Gone, "restricted_action_read_only_channel": channel.Gone,
		"restricted_action_non_threadable_channel": channel.Gone,
		"invalid_auth": channel.Auth, "token_revoked": channel.Auth, "token_expired": channel.Auth,
		"account_inactive": channel.Auth, "not_authed": channel.Auth, "missing_scope": channel.Auth,
		"org_login_required": channel.Auth, "ekm_access_denied": channel.Auth,
		"invalid_blocks": channel.Bad, "msg_too_long": channel.Bad, "no_text": channel.Bad,
		"messages_tab_disabled": channel.Bad, "a_code_of_tomorrow": channel.Bad,
	} {
		cases = append(cases, channeltest.ErrorCase{Name: code, Answer: refused(200, code), Class: class, Code: code})
	}
	channeltest.Run(t, channeltest.Spec{
		New: func(s channeltest.Setup) (channel.Adapter, error) {
			a, err := slack.New(slack.Config{
				BotToken: s.Token, SigningSecrets: s.Secrets, API: s.API, Files: s.API, Hooks: s.API, Client: s.Client, Assistant: true,
			})
			if err != nil {
				return nil, err
			}
			return a, nil
		},
		Zero:      &slack.Adapter{},
		Secrets:   [2]string{"8f742231b10e8888abcd99yyyzzz85a5", "second secret"},
		Token:     token,
		Header:    "X-Slack-Signature",
		Sign:      sign,
		SignsBody: true,
		Headers:   map[string]string{"X-Slack-Request-Timestamp": strconv.Itoa(now)},
		OwnFiles:  true,
		Message:   message,
		Unknown: []string{
			`{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"teleport","user":"U1"}}`,
			`{"type":"event_callback","team_id":"T1","event_id":"Ev1"}`,
			`{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"message","subtype":"teleported","user":"U1"}}`,
			`{"type":"teleport_actions","api_app_id":"A1","user":{"id":"U1"}}`,
			`token=x&team_id=T1&teleport=1`,
		},
		Empty: []string{
			`{"type":"url_verification","token":"x","challenge":"abc"}`,
			`{"type":"app_rate_limited","token":"x","team_id":"T1","minute_rate_limited":1518467820,"api_app_id":"A1"}`,
			`ssl_check=1&token=x`,
		},
		Foreign: []string{
			`{}`,
			`{"update_id":1,"message":{"message_id":1,"text":"x"}}`,
			`{"object":"page","entry":[{"id":"1","messaging":[]}]}`,
			`{"destination":"U1","events":[]}`,
			`{"type":"message","message":{"type":"text","id":"1","text":"x"},"source":{"type":"user","userId":"U1"},"timestamp":1,"mode":"active"}`,
			`{"event":"message","timestamp":1,"message_token":1,"sender":{"id":"1"},"message":{"type":"text","text":"x"}}`,
			`{"type":"message","id":"1","channelId":"msteams","serviceUrl":"https://x.example","from":{"id":"1"},"text":"x"}`,
			`{"type":1,"id":"1","application_id":"1","token":"x"}`,
			`{"for_user_id":"1","direct_message_events":[]}`,
			`{"type":"MESSAGE","space":{"name":"x"},"message":{"text":"x"}}`,
			`Body=hello&From=%2B1555&MessageSid=SM1`,
			`payload=%7B%22update_id%22%3A1%7D`,
			`<xml></xml>`,
		},
		Conversation: "D41",
		Success:      channeltest.Answer{Status: 200, Body: `{"ok":true,"channel":"D41","ts":"1700000001.000100","message":{"ts":"no","text":"whisper"}}`},
		MessageID:    "1700000001.000100",
		MaxText:      4000,
		Errors:       cases,
	})
}

func TestNewSaysAllAtOnce(t *testing.T) {
	_, err := slack.New(slack.Config{
		BotToken: channel.NewSecret("xoxp-top-secret"), ConfigurationToken: channel.NewSecret("top-secret"), BotUser: "me!", CommandPrefix: "A B",
		API: "http://example.org", Files: "ftp://x", Hooks: "https://u:p@x.example", Timeout: -1,
	})
	if sotto.KindOf(err) != sotto.KindInvalid {
		t.Fatal(err)
	}
	for _, word := range []string{"bot_token", "signing_secret", "bot_user", "command_prefix", "app_id", "configuration_token", "api", "files", "hooks", "timeout", "client"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "top-secret") || strings.Contains(err.Error(), "u:p") {
		t.Error("the error shows a secret")
	}
}

// start makes an adapter whose every address is h.
func start(t *testing.T, h http.HandlerFunc, change ...func(*slack.Config)) *slack.Adapter {
	t.Helper()
	c := slack.Config{
		BotToken: channel.NewSecret(token), SigningSecrets: channel.Secrets{channel.NewSecret("first"), channel.NewSecret("second")},
		API: "https://api.invalid", Client: http.DefaultClient, Now: func() time.Time { return time.Unix(now, 0) },
	}
	if h != nil {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		c.API, c.Files, c.Hooks, c.Client = srv.URL+"/api", srv.URL, srv.URL, srv.Client()
	}
	for _, f := range change {
		f(&c)
	}
	a, err := slack.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func signed(at, signature string, body []byte) *channel.Request {
	return &channel.Request{
		Method: http.MethodPost, Body: body, Now: time.Unix(now, 0),
		Header: http.Header{"X-Slack-Signature": {signature}, "X-Slack-Request-Timestamp": {at}},
	}
}

// TestVerifyTime is what somebody who has recorded a call can try.
func TestVerifyTime(t *testing.T) {
	a := start(t, nil)
	body := message(1, "hello")
	for _, tt := range []struct {
		name, at string
		ok       bool
	}{
		{"now", strconv.Itoa(now), true},
		{"five minutes ago", strconv.Itoa(now - 300), true},
		{"in five minutes", strconv.Itoa(now + 300), true},
		{"longer ago", strconv.Itoa(now - 301), false},
		{"later", strconv.Itoa(now + 301), false},
		{"empty", "", false},
		{"zero", "0", false},
		{"negative", "-1700000000", false},
		{"signed", "+1700000000", false},
		{"broken", "1700000000.0", false},
		{"hexadecimal", "0x6553f100", false},
		{"exponent", "17e8", false},
		{"leading zero", "01700000000", false},
		{"white space", " 1700000000", false},
		{"endless", strings.Repeat("9", 400), false},
		{"wide digits", "１７０００００００0", false},
	} {
		if err := a.Verify(signed(tt.at, signAt("first", tt.at, body), body)); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	at := strconv.Itoa(now)
	good := signAt("first", at, body)
	for name, change := range map[string]func(*channel.Request){
		"no time":           func(r *channel.Request) { r.Header.Del("X-Slack-Request-Timestamp") },
		"time twice":        func(r *channel.Request) { r.Header.Add("X-Slack-Request-Timestamp", at) },
		"another time":      func(r *channel.Request) { r.Header.Set("X-Slack-Request-Timestamp", strconv.Itoa(now-1)) },
		"another method":    func(r *channel.Request) { r.Method = http.MethodPut },
		"another version":   func(r *channel.Request) { r.Header.Set("X-Slack-Signature", "v1"+good[2:]) },
		"bytes moved over":  func(r *channel.Request) { r.Body = append([]byte(":"), r.Body...) },
		"a clock not set":   func(r *channel.Request) { r.Now = time.Time{} },
		"the body replaced": func(r *channel.Request) { r.Body = message(2, "hello") },
	} {
		r := signed(at, good, body)
		change(r)
		if err := a.Verify(r); !errors.Is(err, channel.ErrUnverified) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHandshake(t *testing.T) {
	a := start(t, nil)
	ask := func(challenge string) []byte {
		return []byte(`{"token":"x","challenge":` + quote(challenge) + `,"type":"url_verification"}`)
	}
	for _, tt := range []struct {
		name     string
		body     []byte
		answered bool
		want     string
	}{
		{"right", ask("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"), true, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"},
		{"mark-up", ask("<script>"), true, ""},
		{"empty", ask(""), true, ""},
		{"long", ask(strings.Repeat("a", 257)), true, ""},
		{"line end", ask("a\nb"), true, ""},
		{"number", []byte(`{"type":"url_verification","challenge":7}`), true, ""},
		{"an event that says the word", message(1, `{"type":"url_verification","challenge":"abc"}`), false, ""},
		{"an object that holds the question", []byte(`{"type":"event_callback","event":{"type":"url_verification","challenge":"abc"}}`), false, ""},
		{"two bodies", append(ask("abc"), ask("abc")...), false, ""},
		{"a form", []byte("payload=url_verification"), false, ""},
	} {
		resp, answered, err := a.Handshake(&channel.Request{Method: http.MethodPost, Body: tt.body})
		if answered != tt.answered || (err == nil) != (tt.want != "" || !tt.answered) {
			t.Errorf("%s: %v, %v, %v", tt.name, resp, answered, err)
			continue
		}
		if tt.want == "" {
			if resp != nil || err != nil && !errors.Is(err, channel.ErrUnverified) {
				t.Errorf("%s: %v, %v", tt.name, resp, err)
			}
		} else if resp.Status != 200 || string(resp.Body) != tt.want || resp.ContentType != "text/plain; charset=utf-8" {
			t.Errorf("%s: %+v", tt.name, resp)
		}
	}
	if _, answered, err := a.Handshake(&channel.Request{Method: http.MethodGet, Body: ask("abc")}); answered || err != nil {
		t.Error("Slack asks by POST only, which is signed")
	}
	// The question is no oracle: what comes back is not made with any secret,
	// and only who can sign is asked at all.
	if a.Verify(signed(strconv.Itoa(now), signAt("forged", strconv.Itoa(now), ask("abc")), ask("abc"))) == nil {
		t.Error("a forged question is proven")
	}
}
