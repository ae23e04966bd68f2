package line_test

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
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/line"
)

const token = "line-Access+Token/aBc="

func sign(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func item(id int, text string) string {
	t, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"type":"message","mode":"active","timestamp":1700000000000,"webhookEventId":"01H%d","deliveryContext":{"isRedelivery":false},"replyToken":"tok%d","source":{"type":"user","userId":"41"},"message":{"id":"%d","type":"text","quoteToken":"q","text":%s}}`, id, id, id, t)
}

func page(items ...string) []byte {
	return []byte(`{"destination":"U900","events":[` + strings.Join(items, ",") + `]}`)
}

func refused(status int, message string) channeltest.Answer {
	return channeltest.Answer{Status: status, Body: fmt.Sprintf(`{"message":%q}`, message)}
}

func spec(pushOnly bool) channeltest.Spec {
	s := channeltest.Spec{
		New: func(s channeltest.Setup) (channel.Adapter, error) {
			a, err := line.New(line.Config{Secrets: s.Secrets, Token: s.Token, API: s.API, DataAPI: s.API, Client: s.Client, PushOnly: pushOnly})
			if err != nil {
				return nil, err
			}
			return a, nil
		},
		Zero:      &line.Adapter{},
		Secrets:   [2]string{"first secret", "second secret"},
		Token:     token,
		Header:    "X-Line-Signature",
		Sign:      sign,
		SignsBody: true,
		Message:   func(id int, text string) []byte { return page(item(id, text)) },
		Batch: func(text string) []byte {
			return page(`{"type":"teleport"}`, item(7, text), `null`)
		},
		Unknown: []string{string(page(`{"type":"teleport","source":{"type":"user","userId":"U1"}}`))},
		Empty:   []string{`{"destination":"U900","events":[]}`},
		Foreign: []string{
			`{"update_id":1,"message":{"message_id":1,"text":"x"}}`, `{"object":"page","entry":[{"id":"1","messaging":[]}]}`, `{"type":1}`,
			`{"event":"message","timestamp":1,"message":{"text":"x"}}`, `{"type":"MESSAGE","message":{}}`, `{"for_user_id":"1","direct_message_events":[]}`,
			`{"type":"event_callback","event":{"type":"message","user":"U1","text":"x"}}`, `{"data":{"event_uuid":"1","event_type":"dm.received","payload":{}}}`,
		},
		Conversation: "U41",
		Success:      channeltest.Answer{Status: 200, Body: `{"sentMessages":[{"id":"460000000000000076"},{"id":"461230966842064897","quoteToken":"q"}]}`},
		MessageID:    "461230966842064897",
		MaxText:      25000,
		Errors: []channeltest.ErrorCase{
			{Name: "wrong token", Answer: refused(401, "Authentication failed. Confirm that the access token in the authorization header is valid."), Class: channel.Auth, Code: "401"},
			{Name: "no permission", Answer: refused(403, "Access to this API is not available for your account"), Class: channel.Auth, Code: "403"},
			{Name: "body", Answer: refused(400, "The request body has 2 error(s)"), Class: channel.Bad, Code: "400"},
			{Name: "no such person", Answer: refused(400, "Failed to send messages"), Class: channel.Gone, Code: "400.failed_to_send"},
			{Name: "a reply token where there is none", Answer: refused(400, "Invalid reply token"), Class: channel.Bad},
			{Name: "too fast", Answer: refused(429, "The API rate limit has been exceeded. Try again later."), Class: channel.Retry, Code: "429"},
			{Name: "quota", Answer: refused(429, "You have reached your monthly limit."), Class: channel.Window, Code: "429.monthly_limit"},
			{Name: "quota, with a time", Answer: channeltest.Answer{Status: 429, Header: map[string]string{"Retry-After": "3"}, Body: `{"message":"You have reached your monthly limit."}`}, Class: channel.Window, Code: "429.monthly_limit"},
			{Name: "unknown path", Answer: refused(404, "Not found"), Class: channel.Bad, Code: "404"},
			{Name: "media type", Answer: refused(415, "Unsupported media type"), Class: channel.Bad, Code: "415"},
			{Name: "theirs", Answer: refused(500, "Internal Server Error whisper"), Class: channel.Retry, Code: "500"},
			{Name: "prose that is no code", Answer: refused(400, "whisper \u0000 \\ invalid"), Class: channel.Bad, Code: "400"},
		},
	}
	if pushOnly {
		s.Key = func(r *http.Request, _ []byte) string { return r.Header.Get("X-Line-Retry-Key") }
	}
	return s
}

func TestConformance(t *testing.T)         { channeltest.Run(t, spec(false)) }
func TestConformancePushOnly(t *testing.T) { channeltest.Run(t, spec(true)) }

func TestNewSaysAllAtOnce(t *testing.T) {
	_, err := line.New(line.Config{Token: channel.NewSecret("to ken"), API: "ftp://x", DataAPI: "x", ReplyWithin: -1, Timeout: -1})
	if sotto.KindOf(err) != sotto.KindInvalid {
		t.Fatal(err)
	}
	for _, word := range []string{"channel_secret", "access_token", "api:", "data_api:", "reply_within", "timeout", "client"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "to ken") {
		t.Error("the error shows a secret")
	}
	if diff := cmp.Diff([]string{line.DefaultAPI, line.DefaultDataAPI}, line.Config{}.Bases()); diff != "" {
		t.Error(diff)
	}
}

// call is one call that the recorder got.
type call struct {
	Path, Key string
	Body      map[string]any
}

// recorder answers from a list, then 200, and keeps the calls.
type recorder struct {
	mu      sync.Mutex
	answers []channeltest.Answer
	calls   []call
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	var m map[string]any
	_ = json.NewDecoder(r.Body).Decode(&m)
	rec.calls = append(rec.calls, call{strings.TrimPrefix(r.URL.Path, "/v2/bot/message/"), r.Header.Get("X-Line-Retry-Key"), m})
	a := channeltest.Answer{Status: 200, Body: `{"sentMessages":[{"id":"9"}]}`}
	if len(rec.answers) > 0 {
		a, rec.answers = rec.answers[0], rec.answers[1:]
	}
	if a.Status == 0 { // break the connection
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = c.Close()
		}
		return
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body)
}

// paths are those of the calls so far, which are forgotten.
func (rec *recorder) paths() (list []string) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for _, c := range rec.calls {
		list = append(list, c.Path)
	}
	rec.calls = nil
	return list
}

const second = int64(1700000000)

func start(t *testing.T, rec *recorder, change ...func(*line.Config)) *line.Adapter {
	t.Helper()
	srv := httptest.NewServer(rec)
	t.Cleanup(srv.Close)
	c := line.Config{
		Secrets: channel.Secrets{channel.NewSecret("s")}, Token: channel.NewSecret(token), API: srv.URL + "/", DataAPI: srv.URL, Client: srv.Client(),
		Now: func() time.Time { return time.Unix(second+10, 0) },
	}
	for _, f := range change {
		f(&c)
	}
	a, err := line.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// handle is one as Decode makes it.
func handle(token string) string { return fmt.Sprintf("%d %s quote", second*1000, token) }

func TestSendForm(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec)
	m := &channel.Outgoing{
		Conversation: "C7", Text: "Pick", Key: "k1", Handle: handle("tok"), ReplyTo: "5",
		Buttons: []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No"}},
	}
	if s, err := a.Send(t.Context(), m); err != nil || s.ID != "9" || s.Numbered {
		t.Fatal(s, err)
	}
	m.Handle, m.ReplyTo, m.Buttons = "", "", nil
	if _, err := a.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	action := func(label, data string) any {
		return map[string]any{"type": "action", "action": map[string]any{"type": "postback", "label": label, "data": data, "displayText": label}}
	}
	want := []call{
		{"reply", "", map[string]any{"replyToken": "tok", "messages": []any{map[string]any{
			"type": "text", "text": "Pick", "quoteToken": "quote",
			"quickReply": map[string]any{"items": []any{action("Yes", "Y"), action("No", "No")}},
		}}}},
		{"push", "", map[string]any{"to": "C7", "messages": []any{map[string]any{"type": "text", "text": "Pick"}}}},
	}
	key := rec.calls[1].Key
	rec.calls[1].Key = ""
	if diff := cmp.Diff(want, rec.calls); diff != "" {
		t.Error(diff)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(key) {
		t.Errorf("retry key %q", key)
	}
}

func TestSendNumbered(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec)
	for _, buttons := range [][]sotto.Button{
		{{Label: strings.Repeat("é", 21)}, {Label: "No"}},
		slices.Repeat([]sotto.Button{{Label: "a"}}, 14),
	} {
		s, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "U41", Text: "Pick", Buttons: buttons})
		if err != nil || !s.Numbered {
			t.Errorf("%+v, %v", s, err)
		}
		got, err := json.Marshal(rec.calls[len(rec.calls)-1].Body)
		if err != nil || !strings.Contains(string(got), `Pick\n1. `) || strings.Contains(string(got), "quickReply") {
			t.Errorf("%s %v", got, err)
		}
	}
}

func TestSendRefuses(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec)
	for code, m := range map[string]*channel.Outgoing{
		"no_files":     {Conversation: "U41", File: &channel.File{Name: "a", Data: []byte("x")}},
		"button":       {Conversation: "U41", Text: "x", Buttons: []sotto.Button{{Label: "a", Payload: strings.Repeat("é", 151)}}},
		"empty":        {Conversation: "U41"},
		"conversation": {Text: "x"},
	} {
		var e *channel.SendError
		if _, err := a.Send(t.Context(), m); !errors.As(err, &e) || e.Class != channel.Bad || e.Code != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	if len(rec.calls) != 0 {
		t.Error("sent all the same")
	}
}

// Reply tokens: what is free is used once, and nothing is lost or shown twice.
func TestReplyTokens(t *testing.T) {
	invalid, theirs, broken := refused(400, "Invalid reply token"), refused(500, "x"), channeltest.Answer{}
	type try struct {
		handle, key string
		answers     []channeltest.Answer
		paths       []string
		class       channel.Class // 0 = sent
	}
	at := func(sec int64, token string) string { return fmt.Sprintf("%d %s ", (second+sec)*1000, token) }
	for _, tt := range []struct {
		name  string
		tries []try
	}{
		{"the first message of an event, then others", []try{
			{handle("a"), "1", nil, []string{"reply"}, 0},
			{handle("a"), "2", nil, []string{"push"}, 0},
			{handle("b"), "3", nil, []string{"reply"}, 0},
		}},
		{"no handle", []try{{"", "1", nil, []string{"push"}, 0}, {"x", "1", nil, []string{"push"}, 0}}},
		{"run out", []try{{at(-60, "a"), "1", nil, []string{"push"}, 0}}},
		{"just good", []try{{at(-39, "a"), "1", nil, []string{"reply"}, 0}}},
		{"time not known", []try{{"0 a ", "1", nil, []string{"reply"}, 0}}},
		{"refused: pushed at once", []try{
			{handle("a"), "1", []channeltest.Answer{invalid}, []string{"reply", "push"}, 0},
			{handle("a"), "2", nil, []string{"push"}, 0},
		}},
		{"refused, and so is the push", []try{
			{handle("a"), "1", []channeltest.Answer{invalid, theirs}, []string{"reply", "push"}, channel.Retry},
			{handle("a"), "1", nil, []string{"push"}, 0},
		}},
		{"unknown, and had not arrived", []try{
			{handle("a"), "1", []channeltest.Answer{broken}, []string{"reply"}, channel.Unknown},
			{handle("a"), "1", nil, []string{"reply"}, 0},
		}},
		{"unknown, and had arrived", []try{
			{handle("a"), "1", []channeltest.Answer{broken}, []string{"reply"}, channel.Unknown},
			{handle("a"), "1", []channeltest.Answer{invalid}, []string{"reply"}, 0},
			{handle("a"), "1", nil, nil, 0},
		}},
		{"their fault leaves it unknown", []try{
			{handle("a"), "1", []channeltest.Answer{theirs}, []string{"reply"}, channel.Unknown},
			{handle("a"), "1", []channeltest.Answer{refused(429, "slow")}, []string{"reply"}, channel.Retry},
			{handle("a"), "1", []channeltest.Answer{invalid}, []string{"reply"}, 0},
		}},
		{"unknown: another message does not take the token", []try{
			{handle("a"), "1", []channeltest.Answer{broken}, []string{"reply"}, channel.Unknown},
			{handle("a"), "2", nil, []string{"push"}, 0},
			{handle("a"), "1", nil, []string{"reply"}, 0},
		}},
		{"certainly not sent: the token is still good", []try{
			{handle("a"), "1", []channeltest.Answer{refused(429, "slow")}, []string{"reply"}, channel.Retry},
			{handle("a"), "1", nil, []string{"reply"}, 0},
		}},
		{"no key: never the same message", []try{
			{handle("a"), "", nil, []string{"reply"}, 0}, {handle("a"), "", nil, []string{"push"}, 0},
		}},
		{"pushed before under this key", []try{{"", "1", []channeltest.Answer{{Status: 409, Body: `{"message":"The retry key is already accepted","sentMessages":[{"id":"9"}]}`}}, []string{"push"}, 0}}},
		{"a conflict without a key is none of ours", []try{{"", "", []channeltest.Answer{refused(409, "x")}, []string{"push"}, channel.Bad}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{}
			a := start(t, rec)
			for i, x := range tt.tries {
				rec.answers = x.answers
				_, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "U41", Text: "hi", Handle: x.handle, Key: x.key})
				var e *channel.SendError
				switch {
				case x.class == 0 && err != nil:
					t.Errorf("try %d: %v", i, err)
				case x.class != 0 && (!errors.As(err, &e) || e.Class != x.class):
					t.Errorf("try %d: %v, want %v", i, err, x.class)
				}
				if diff := cmp.Diff(x.paths, rec.paths()); diff != "" {
					t.Errorf("try %d: %s", i, diff)
				}
			}
		})
	}
}

// An unknown reply that is repeated after its token's time is pushed: it may
// have been lost, and whoever repeats it would rather show it twice.
func TestUnknownReplyRunsOut(t *testing.T) {
	now := second
	rec := &recorder{answers: []channeltest.Answer{{}, refused(400, "Invalid reply token")}}
	a := start(t, rec, func(c *line.Config) { c.Now = func() time.Time { return time.Unix(now, 0) } })
	m := &channel.Outgoing{Conversation: "U41", Text: "hi", Handle: handle("a"), Key: "1"}
	if _, err := a.Send(t.Context(), m); err == nil {
		t.Fatal("sent over a broken connection")
	}
	now += 300
	if _, err := a.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"reply", "reply", "push"}, rec.paths()); diff != "" {
		t.Error(diff)
	}
}

// A long message whose second call failed is repeated whole: the first call is
// recognised, by its token or by its key.
func TestPartsAreNotRepeated(t *testing.T) {
	rec := &recorder{answers: []channeltest.Answer{{Status: 200, Body: `{"sentMessages":[{"id":"1"}]}`}, refused(500, "x")}}
	a := start(t, rec)
	m := &channel.Outgoing{Conversation: "U41", Text: strings.Repeat("word ", 6000), Handle: handle("a"), Key: "1"}
	var e *channel.SendError
	if _, err := a.Send(t.Context(), m); !errors.As(err, &e) || e.Class != channel.Unknown {
		t.Fatal(err)
	}
	if _, err := a.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"reply", "push", "push"}, rec.paths()); diff != "" {
		t.Error(diff)
	}
}

func TestPushOnly(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec, func(c *line.Config) { c.PushOnly = true })
	for range 2 {
		if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "U41", Text: strings.Repeat("word ", 6000), Handle: handle("a"), Key: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	c := rec.calls
	if len(c) != 4 || c[0].Key != c[2].Key || c[1].Key != c[3].Key || c[0].Key == c[1].Key || c[0].Path != "push" || !a.Traits().Idempotent {
		t.Errorf("%d calls", len(c))
	}
}

func TestTyping(t *testing.T) {
	rec := &recorder{answers: []channeltest.Answer{{Status: 202, Body: `{}`}}}
	a := start(t, rec)
	for _, to := range []string{"U41", "C7", "R7"} {
		if err := a.Typing(t.Context(), &channel.Outgoing{Conversation: to}); err != nil {
			t.Error(err)
		}
	}
	if a.Typing(t.Context(), &channel.Outgoing{}) == nil {
		t.Error("typing to nobody")
	}
	if diff := cmp.Diff([]call{{"/v2/bot/chat/loading/start", "", map[string]any{"chatId": "U41", "loadingSeconds": 20.0}}}, rec.calls); diff != "" {
		t.Error(diff)
	}
}

func TestFetch(t *testing.T) {
	var status int
	var location string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/bot/message/325708/content" || r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "0123456789")
	}))
	defer srv.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "stolen") }))
	defer other.Close()
	a, err := line.New(line.Config{
		Secrets: channel.Secrets{channel.NewSecret("s")}, Token: channel.NewSecret(token), API: "https://network.invalid", DataAPI: srv.URL, Client: srv.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, id string
		limit    int64
		status   int
		location string
		class    channel.Class
		code     string
	}{
		{"all", "325708", 10, 200, "", 0, ""},
		{"one byte too much", "325708", 9, 200, "", channel.Bad, "too_large"},
		{"not ready", "325708", 10, 202, "", channel.Retry, "202"},
		{"gone", "325708", 10, 410, "", channel.Bad, "410"},
		{"not found", "325708", 10, 404, "", channel.Bad, "404"},
		{"token", "325708", 10, 401, "", channel.Auth, "401"},
		{"theirs", "325708", 10, 503, "", channel.Retry, "503"},
		{"led away", "325708", 10, 302, other.URL, channel.Bad, "host"},
		{"path", "325708/../x", 10, 200, "", channel.Bad, "host"},
		{"address", "https://evil.example/x", 10, 200, "", channel.Bad, "host"},
		{"none", "", 10, 200, "", channel.Bad, "host"},
	} {
		status, location = tt.status, tt.location
		b, err := a.Fetch(t.Context(), channel.Attachment{Kind: "image", ID: tt.id}, tt.limit)
		var e *channel.SendError
		switch {
		case tt.class == 0 && (err != nil || string(b) != "0123456789"):
			t.Errorf("%s: %q, %v", tt.name, b, err)
		case tt.class != 0 && (!errors.As(err, &e) || e.Class != tt.class || e.Code != tt.code || b != nil):
			t.Errorf("%s: %q, %v", tt.name, b, err)
		}
	}
	srv.Close()
	if _, err := a.Fetch(t.Context(), channel.Attachment{ID: "325708"}, 10); err == nil {
		t.Error("fetched from nowhere")
	}
	if _, err := (&line.Adapter{}).Fetch(t.Context(), channel.Attachment{ID: "325708"}, 10); err == nil {
		t.Error("the zero value fetches")
	}
}
