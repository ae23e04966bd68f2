package x_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/x"
)

const (
	token = "x-Access+Token/aBc="
	now   = 1700000000
)

func sign(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return "sha256=" + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func item(id int, text string) string {
	t, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"type":"message_create","id":"%d","created_timestamp":"1700000000000","message_create":{"target":{"recipient_id":"900"},"sender_id":"41","message_data":{"text":%s,"entities":{"urls":[]}}}}`, id, t)
}

func page(items ...string) []byte {
	return []byte(`{"for_user_id":"900","direct_message_events":[` + strings.Join(items, ",") + `],"users":{"41":{"id":"41"},"900":{"id":"900"}}}`)
}

func problem(status int, kind string, headers ...string) channeltest.Answer {
	a := channeltest.Answer{Status: status, Header: map[string]string{}, Body: fmt.Sprintf(`{"title":"whisper","detail":"whisper","type":%q,"status":%d}`, kind, status)}
	for ; len(headers) > 1; headers = headers[2:] {
		a.Header[headers[0]] = headers[1]
	}
	return a
}

func older(status, code int) channeltest.Answer {
	return channeltest.Answer{Status: status, Body: fmt.Sprintf(`{"errors":[{"code":%d,"message":"whisper"}]}`, code)}
}

func spec(signed bool) channeltest.Spec {
	const problems = "https://api.x.com/2/problems/"
	reset := func(after int) string { return fmt.Sprint(now + after) }
	return channeltest.Spec{
		New: func(s channeltest.Setup) (channel.Adapter, error) {
			c := x.Config{
				ConsumerSecrets: s.Secrets, AccessToken: s.Token, API: s.API, Client: s.Client, UserID: "900",
				Now: func() time.Time { return time.Unix(now, 0) },
			}
			if signed {
				c.ConsumerKey, c.TokenSecret = channel.NewSecret("key"), channel.NewSecret("token secret")
			}
			a, err := x.New(c)
			if err != nil {
				return nil, err
			}
			return a, nil
		},
		Zero:      &x.Adapter{},
		Secrets:   [2]string{"first secret", "second secret"},
		Token:     token,
		Header:    "X-Twitter-Webhooks-Signature",
		Sign:      sign,
		SignsBody: true,
		Message:   func(id int, text string) []byte { return page(item(id, text)) },
		Batch:     func(text string) []byte { return page(`{"type":"teleport"}`, item(7, text), `null`) },
		Unknown:   []string{`{"for_user_id":"900","teleport_events":[{"id":"1"}]}`},
		Empty:     []string{`{"for_user_id":"900"}`, string(page())},
		Foreign: []string{
			`{"update_id":1,"message":{"message_id":1,"text":"x"}}`, `{"object":"page","entry":[{"id":"1","messaging":[]}]}`, `{"type":1}`,
			`{"destination":"U1","events":[{"type":"message","source":{"type":"user","userId":"1"}}]}`, `{"event":"message","message":{"text":"x"}}`,
			`{"type":"MESSAGE","message":{}}`, `{"type":"event_callback","event":{"type":"message"}}`,
		},
		Conversation: "41",
		Success:      channeltest.Answer{Status: 201, Body: `{"data":{"dm_conversation_id":"41-900","dm_event_id":"1582103724607971332"}}`},
		MessageID:    "1582103724607971332",
		MaxText:      9992, // less than 10,000, as buttons take their place in the text
		Errors: []channeltest.ErrorCase{
			{Name: "too often", Answer: problem(429, "about:blank", "x-rate-limit-limit", "15", "x-rate-limit-remaining", "0", "x-rate-limit-reset", reset(90)), Class: channel.Retry, Code: "429", RetryAfter: 90 * time.Second},
			{Name: "too often, without what is left", Answer: problem(429, "about:blank", "x-rate-limit-reset", reset(90)), Class: channel.Retry, RetryAfter: 90 * time.Second},
			{Name: "too often today", Answer: problem(429, "about:blank", "x-rate-limit-remaining", "3", "x-rate-limit-reset", reset(90), "x-user-limit-24hour-remaining", "0", "x-user-limit-24hour-reset", reset(7200)), Class: channel.Retry, RetryAfter: 2 * time.Hour},
			{Name: "too often, until long after", Answer: problem(429, "about:blank", "x-rate-limit-reset", "99999999999"), Class: channel.Retry, RetryAfter: 24 * time.Hour},
			{Name: "too often, until before", Answer: problem(429, "about:blank", "x-rate-limit-reset", reset(-90)), Class: channel.Retry},
			{Name: "too often, until nonsense", Answer: problem(429, "about:blank", "x-rate-limit-reset", "whisper"), Class: channel.Retry},
			{Name: "limit of the plan", Answer: problem(429, problems+"usage-capped", "x-rate-limit-reset", reset(90)), Class: channel.Auth, Code: "429.usage-capped"},
			{Name: "no credit", Answer: problem(402, "about:blank"), Class: channel.Auth, Code: "402"},
			{Name: "takes no messages", Answer: problem(403, "about:blank"), Class: channel.Gone, Code: "403"},
			{Name: "takes no messages, in the older form", Answer: older(403, 349), Class: channel.Gone, Code: "403.349"},
			{Name: "app without access", Answer: problem(403, problems+"client-forbidden"), Class: channel.Auth, Code: "403.client-forbidden"},
			{Name: "app token", Answer: problem(403, problems+"unsupported-authentication"), Class: channel.Auth, Code: "403.unsupported-authentication"},
			{Name: "account locked", Answer: older(403, 326), Class: channel.Auth, Code: "403.326"},
			{Name: "wrong token", Answer: problem(401, "about:blank"), Class: channel.Auth, Code: "401"},
			{Name: "no such person", Answer: problem(404, problems+"resource-not-found"), Class: channel.Gone, Code: "404.resource-not-found"},
			{Name: "no such path", Answer: problem(404, "about:blank"), Class: channel.Bad, Code: "404"},
			{Name: "not as X wants it", Answer: problem(400, problems+"invalid-request"), Class: channel.Bad, Code: "400.invalid-request"},
			{Name: "too long", Answer: older(403, 354), Class: channel.Bad, Code: "403.354"},
			{Name: "theirs", Answer: problem(503, "about:blank"), Class: channel.Retry, Code: "503"},
			{Name: "a problem with status 200", Answer: channeltest.Answer{Status: 200, Body: `{"errors":[{"title":"whisper","type":"` + problems + `not-authorized-for-resource"}]}`}, Class: channel.Gone, Code: "200.not-authorized-for-resource"},
			{Name: "a type that is prose", Answer: problem(400, "Whisper, \u2028!"), Class: channel.Bad, Code: "400"},
			{Name: "201 without an id", Answer: channeltest.Answer{Status: 201, Body: `{"data":{}}`}, Class: channel.Unknown, Code: "answer"},
		},
	}
}

func TestConformance(t *testing.T)       { channeltest.Run(t, spec(false)) }
func TestConformanceSigned(t *testing.T) { channeltest.Run(t, spec(true)) }

func adapter(t *testing.T, change ...func(*x.Config)) *x.Adapter {
	t.Helper()
	c := x.Config{
		ConsumerSecrets: channel.Secrets{channel.NewSecret("first secret"), channel.NewSecret("second secret")}, AccessToken: channel.NewSecret(token),
		API: "https://network.invalid", Client: http.DefaultClient, UserID: "900", Now: func() time.Time { return time.Unix(now, 0) },
	}
	for _, f := range change {
		f(&c)
	}
	a, err := x.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNewSaysAllAtOnce(t *testing.T) {
	_, err := x.New(x.Config{
		UserID: "@me", AccessToken: channel.NewSecret("to ken"), AppToken: channel.NewSecret("app\ntoken"), ConsumerKey: channel.NewSecret("k"),
		Events: "all", TextLimit: -1, API: "ftp://x", Timeout: -1,
	})
	if sotto.KindOf(err) != sotto.KindInvalid {
		t.Fatal(err)
	}
	for _, word := range []string{"user_id", "consumer_secret", "access_token:", "app_token", "consumer_key", "now:", "events", "text_limit", "api:", "timeout", "client"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "to ken") || strings.Contains(err.Error(), "app\ntoken") {
		t.Error("the error shows a secret")
	}
	if b := (x.Config{}).Bases(); b[0] != x.DefaultAPI || len(b) != 5 {
		t.Errorf("%q", b)
	}
}

func question(query string) *channel.Request {
	q, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	return &channel.Request{Method: http.MethodGet, Query: q}
}

func TestHandshake(t *testing.T) {
	a := adapter(t)
	// printf %s challenge-123 | openssl dgst -sha256 -hmac "first secret" -binary | base64
	const vector = "TXMS/GLeR2g73+ey28l0Ct6B6glDqj2e0YZQVZoWrDM="
	resp, answered, err := a.Handshake(question("crc_token=challenge-123"))
	want := `{"response_token":"sha256=` + vector + `"}`
	if err != nil || !answered || resp.Status != 200 || resp.ContentType != "application/json" || string(resp.Body) != want {
		t.Errorf("%+v, %v, %v", resp, answered, err)
	}
	for name, query := range map[string]string{
		"none": "", "empty": "crc_token=", "twice": "crc_token=a&crc_token=b", "long": "crc_token=" + strings.Repeat("a", 257), "space": "crc_token=a+b",
		"object": "crc_token=" + url.QueryEscape(`{"for_user_id":"900"}`), "list": "crc_token=" + url.QueryEscape(`[]`), "string": "crc_token=%22a%22",
		"zero byte": "crc_token=a%00", "line": "crc_token=a%0a", "beyond ASCII": "crc_token=%C3%A9", "colon": "crc_token=a:b", "comma": "crc_token=a,b",
	} {
		if resp, answered, err := a.Handshake(question(query)); !errors.Is(err, channel.ErrUnverified) || !answered || resp != nil {
			t.Errorf("%s: %+v, %v, %v", name, resp, answered, err)
		}
	}
	if _, answered, err := a.Handshake(&channel.Request{Method: http.MethodPost, Query: url.Values{"crc_token": {"a"}}}); answered || err != nil {
		t.Error("a POST is answered", err)
	}
	if _, _, err := (&x.Adapter{}).Handshake(question("crc_token=a")); !errors.Is(err, channel.ErrUnverified) {
		t.Error("the zero value signs")
	}
}

// FuzzOracle: the handshake signs with the key and in the way of a call, so
// nothing that it signs may be a call that is understood.
func FuzzOracle(f *testing.F) {
	for _, s := range []string{"MTU4NDkyNDA2Ny1hMmVi", "123", "true", "null", "-1", "1e5", `{"for_user_id":"900"}`, "[]", " {}", "\ufeff{}", "\t{\"user_event\":{\"revoke\":{}}}", string(page(item(1, "x")))} {
		f.Add(s)
	}
	a, err := x.New(x.Config{ConsumerSecrets: channel.Secrets{channel.NewSecret("s")}, AccessToken: channel.NewSecret("t"), Client: http.DefaultClient})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		resp, answered, err := a.Handshake(&channel.Request{Method: http.MethodGet, Query: url.Values{"crc_token": {s}}})
		if err != nil {
			return
		}
		if !answered || !json.Valid(resp.Body) {
			t.Fatalf("%+v", resp)
		}
		var got struct {
			Token string `json:"response_token"`
		}
		if err := json.Unmarshal(resp.Body, &got); err != nil {
			t.Fatal(err)
		}
		r := &channel.Request{Method: http.MethodPost, Header: http.Header{"X-Twitter-Webhooks-Signature": {got.Token}}, Body: []byte(s)}
		if err := a.Verify(r); err != nil {
			t.Fatal("the answer is not the signature:", err)
		}
		if b, err := a.Decode(r.Body); err == nil {
			t.Fatalf("a forged call is understood: %+v", b)
		}
	})
}

func TestSendForm(t *testing.T) {
	var path, proof, body string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		path, proof, body = r.Method+" "+r.URL.Path, r.Header.Get("Authorization"), string(b)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"data":{"dm_event_id":"7"}}`)
	}))
	defer srv.Close()
	at := func(c *x.Config) { c.API, c.Client = srv.URL+"/base/", srv.Client() }
	m := &channel.Outgoing{Conversation: "41", Text: "Pick \"one\" & go", Key: "k", ReplyTo: "5", Buttons: []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No"}}}
	sent, err := adapter(t, at).Send(t.Context(), m)
	if err != nil || sent != (channel.Sent{ID: "7", Numbered: true}) {
		t.Fatal(sent, err)
	}
	if diff := cmp.Diff([]string{"POST /base/2/dm_conversations/with/41/messages", "Bearer " + token, `{"text":"Pick \"one\" & go\n1. Yes\n2. No"}`}, []string{path, proof, body}); diff != "" {
		t.Error(diff)
	}
	signed := adapter(t, at, func(c *x.Config) { c.ConsumerKey, c.TokenSecret = channel.NewSecret("key"), channel.NewSecret("hush") })
	if _, err := signed.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(proof, `OAuth oauth_consumer_key="key", oauth_nonce="`) || !strings.Contains(proof, `oauth_timestamp="1700000000"`) || strings.Contains(proof, "hush") || strings.Contains(proof, "first secret") {
		t.Error(proof)
	}
	first := proof
	if _, err := signed.Send(t.Context(), m); err != nil || proof == first {
		t.Error("the same proof twice", err)
	}
	if _, err := adapter(t, at, func(c *x.Config) { c.TextLimit = 10 }).Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: "one two three four"}); err != nil || body != `{"text":"three four"}` {
		t.Error(body, err)
	}
}

func TestSendRefuses(t *testing.T) {
	a := adapter(t)
	for code, m := range map[string]*channel.Outgoing{
		"conversation": {Conversation: "41/../../x", Text: "x"},
		"no_files":     {Conversation: "41", File: &channel.File{Name: "a", Data: []byte("x")}},
		"button":       {Conversation: "41", Text: "x", Buttons: []sotto.Button{{}}},
		"empty":        {Conversation: "41"},
	} {
		var e *channel.SendError
		if _, err := a.Send(t.Context(), m); !errors.As(err, &e) || e.Class != channel.Bad || e.Code != code {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// web answers as any host, and keeps what it was asked.
type web struct {
	answer *http.Response
	body   string
	got    []*http.Request
	err    error
}

// Do answers.
func (w *web) Do(r *http.Request) (*http.Response, error) {
	w.got = append(w.got, r)
	if w.err != nil {
		return nil, w.err
	}
	a := *w.answer
	a.Body = io.NopCloser(strings.NewReader(w.body))
	a.ContentLength = -1
	return &a, nil
}

func TestFetch(t *testing.T) {
	const ton = "https://ton.twitter.com/1.1/ton/data/dm/11/22/a-b_C.jpg"
	elsewhere := &http.Request{URL: &url.URL{Scheme: "https", Host: "evil.example"}}
	for _, tt := range []struct {
		name, id string
		signed   bool
		answer   http.Response
		addr     string // that was asked; "" = none
		proof    string
		code     string // "" = fetched
	}{
		{"direct message, by token", ton, false, http.Response{StatusCode: http.StatusOK}, "https://network.invalid/2/dm_conversations/media/11/22/a-b_C.jpg", "Bearer", ""},
		{"direct message, signed", ton, true, http.Response{StatusCode: http.StatusOK}, ton, "OAuth", ""},
		{"other path, by token: without it", "https://ton.twitter.com/i/x", false, http.Response{StatusCode: http.StatusOK}, "https://ton.twitter.com/i/x", "", ""},
		{"path that goes up", "https://ton.twitter.com/1.1/ton/data/dm/11/22/..%2f..%2fusers", false, http.Response{StatusCode: http.StatusOK}, "https://ton.twitter.com/1.1/ton/data/dm/11/22/..%2f..%2fusers", "", ""},
		{"path that goes up, plainly", "https://ton.twitter.com/1.1/ton/data/dm/11/22/..", false, http.Response{StatusCode: http.StatusOK}, "https://ton.twitter.com/1.1/ton/data/dm/11/22/..", "", ""},
		{"film", "https://video.twimg.com/dm_video/1/a.mp4?tag=1", true, http.Response{StatusCode: http.StatusOK}, "https://video.twimg.com/dm_video/1/a.mp4?tag=1", "", ""},
		{"picture", "https://pbs.twimg.com/a.jpg", false, http.Response{StatusCode: http.StatusOK}, "https://pbs.twimg.com/a.jpg", "", ""},
		{"another host", "https://evil.example/a.jpg", false, http.Response{StatusCode: http.StatusOK}, "", "", "host"},
		{"a host that looks like it", "https://pbs.twimg.com.evil.example/a.jpg", false, http.Response{StatusCode: http.StatusOK}, "", "", "host"},
		{"another port", "https://pbs.twimg.com:444/a.jpg", false, http.Response{StatusCode: http.StatusOK}, "", "", "host"},
		{"a name before it", "https://ann@pbs.twimg.com/a.jpg", false, http.Response{StatusCode: http.StatusOK}, "", "", "host"},
		{"in clear", "http://pbs.twimg.com/a.jpg", false, http.Response{StatusCode: http.StatusOK}, "", "", "host"},
		{"no address", "", false, http.Response{StatusCode: http.StatusOK}, "", "", "host"},
		{"led away", "https://pbs.twimg.com/a.jpg", false, http.Response{StatusCode: http.StatusOK, Request: elsewhere}, "https://pbs.twimg.com/a.jpg", "", "host"},
		{"redirect", "https://pbs.twimg.com/a.jpg", false, http.Response{StatusCode: http.StatusFound}, "https://pbs.twimg.com/a.jpg", "", "host"},
		{"gone", "https://pbs.twimg.com/a.jpg", false, http.Response{StatusCode: http.StatusNotFound}, "https://pbs.twimg.com/a.jpg", "", "404"},
	} {
		w := &web{answer: &tt.answer, body: "0123456789"}
		a := adapter(t, func(c *x.Config) {
			c.Client = w
			if tt.signed {
				c.ConsumerKey, c.TokenSecret = channel.NewSecret("key"), channel.NewSecret("hush")
			}
		})
		b, err := a.Fetch(t.Context(), channel.Attachment{Kind: "image", ID: tt.id}, 10)
		var e *channel.SendError
		if tt.code == "" && (err != nil || string(b) != "0123456789") || tt.code != "" && (!errors.As(err, &e) || e.Code != tt.code || b != nil) {
			t.Errorf("%s: %q, %v", tt.name, b, err)
		}
		addr, proof := "", ""
		if len(w.got) > 0 {
			addr = w.got[0].URL.String()
			proof, _, _ = strings.Cut(w.got[0].Header.Get("Authorization"), " ")
		}
		if len(w.got) > 1 || addr != tt.addr || proof != tt.proof {
			t.Errorf("%s: asked %q with %q", tt.name, addr, proof)
		}
	}
	w := &web{answer: &http.Response{StatusCode: http.StatusOK}, body: "0123456789"}
	a := adapter(t, func(c *x.Config) { c.Client = w })
	for name, tt := range map[string]struct {
		err   error
		limit int64
		class channel.Class
		code  string
	}{
		"too large": {nil, 9, channel.Bad, "too_large"},
		"no way":    {sotto.E("egress.do", sotto.KindDenied, nil), 10, channel.Bad, "host"},
		"refused":   {sotto.E("egress.do", sotto.KindInvalid, nil), 10, channel.Bad, "denied"},
		"broken":    {io.ErrUnexpectedEOF, 10, channel.Retry, "broken"},
	} {
		w.err = tt.err
		var e *channel.SendError
		if _, err := a.Fetch(t.Context(), channel.Attachment{ID: "https://pbs.twimg.com/a.jpg"}, tt.limit); !errors.As(err, &e) || e.Class != tt.class || e.Code != tt.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (&x.Adapter{}).Fetch(t.Context(), channel.Attachment{ID: ton}, 10); err == nil {
		t.Error("the zero value fetches")
	}
}
