package viber_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/viber"
)

const first, second = "445da6az1s345z78-first-token", "445da6az1s345z78-second-token"

func sign(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

func message(id int, text string) []byte {
	t, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, `{"event":"message","timestamp":1700000000000,"chat_hostname":"SN-CHAT-01_","message_token":%d,"sender":{"id":"41","name":"Ann","language":"en"},"message":{"type":"text","text":%s},"silent":false}`, 4912661846655238145+id, t)
}

func refused(status int, word string) channeltest.Answer {
	return channeltest.Answer{Status: 200, Body: fmt.Sprintf(`{"status":%d,"status_message":%q,"message_token":5057}`, status, word)}
}

// adapter keeps a nil *viber.Adapter from becoming an interface that is not nil.
func adapter(a *viber.Adapter, err error) (channel.Adapter, error) {
	if err != nil {
		return nil, err
	}
	return a, nil
}

func TestConformance(t *testing.T) {
	channeltest.Run(t, channeltest.Spec{
		New: func(s channeltest.Setup) (channel.Adapter, error) {
			return adapter(viber.New(viber.Config{Tokens: s.Secrets, Name: "Sotto", API: s.API, Client: s.Client}))
		},
		Zero:          &viber.Adapter{},
		Secrets:       [2]string{first, second},
		Token:         first,
		TokenIsSecret: true,
		Header:        "X-Viber-Content-Signature",
		Sign:          sign,
		SignsBody:     true,
		Message:       message,
		Unknown:       []string{`{"event":"teleported","timestamp":1,"message_token":1}`},
		Empty:         []string{`{"event":"webhook","timestamp":1457764197627,"message_token":241256543215}`, `{"event":"webhook","message_token":5058590812907389764}`},
		Foreign: []string{
			`{"object":"page","entry":[{"id":"1","messaging":[]}]}`, `{"update_id":1,"message":{"message_id":1,"text":"x"}}`,
			`{"destination":"U1","events":[]}`, `{"type":1}`, `{}`, `{"event":"webhook"}`, `{"event":"message","timestamp":1,"message":{"text":"x"}}`,
			`{"type":"event_callback","event":{"type":"message","text":"x"}}`, `{"for_user_id":"1","direct_message_events":[]}`,
		},
		Conversation: "41",
		Success:      channeltest.Answer{Status: 200, Body: `{"status":0,"status_message":"ok","message_token":5741311803571721087,"chat_hostname":"SN","billing_status":1}`},
		MessageID:    "5741311803571721087",
		MaxText:      7000,
		Errors: []channeltest.ErrorCase{
			{Name: "too often", Answer: refused(12, "tooManyRequests"), Class: channel.Retry, Code: "12"},
			{Name: "too often, by status as well", Answer: channeltest.Answer{Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: `{"status":12}`}, Class: channel.Retry, Code: "12", RetryAfter: 7 * time.Second},
			{Name: "not registered", Answer: refused(5, "receiverNotRegistered"), Class: channel.Gone, Code: "5"},
			{Name: "not subscribed", Answer: refused(6, "receiverNotSubscribed"), Class: channel.Gone, Code: "6"},
			{Name: "no device", Answer: refused(11, "receiverNoSuitableDevice"), Class: channel.Gone, Code: "11"},
			{Name: "wrong token", Answer: refused(2, "invalidAuthToken"), Class: channel.Auth, Code: "2"},
			{Name: "blocked", Answer: refused(7, "publicAccountBlocked"), Class: channel.Auth, Code: "7"},
			{Name: "not found", Answer: refused(8, "publicAccountNotFound"), Class: channel.Auth, Code: "8"},
			{Name: "suspended", Answer: refused(9, "publicAccountSuspended"), Class: channel.Auth, Code: "9"},
			{Name: "no webhook", Answer: refused(10, "webhookNotSet"), Class: channel.Auth, Code: "10"},
			{Name: "not authorised", Answer: refused(15, "publicAccountNotAuthorized"), Class: channel.Auth, Code: "15"},
			{Name: "nothing left to spend", Answer: refused(23, "whisper"), Class: channel.Auth, Code: "23"},
			{Name: "bad data", Answer: refused(3, "badData"), Class: channel.Bad, Code: "3"},
			{Name: "missing data", Answer: refused(4, "missingData"), Class: channel.Bad, Code: "4"},
			{Name: "version", Answer: refused(13, "apiVersionNotSupported"), Class: channel.Bad, Code: "13"},
			{Name: "of tomorrow", Answer: refused(99, "whisper"), Class: channel.Bad, Code: "99"},
			{Name: "theirs, with a status", Answer: channeltest.Answer{Status: 503, Body: `{"status":3}`}, Class: channel.Retry, Code: "3"},
			{Name: "a status that is none", Answer: channeltest.Answer{Status: 200, Body: `{"status":null,"message_token":1}`}, Class: channel.Unknown},
		},
	})
}

func TestPlayer(t *testing.T) {
	channeltest.RunPlayer(t, channeltest.PlayerSpec{
		Player: viber.Player,
		New: func(s map[string]string, client channel.Doer) (channel.Adapter, error) {
			return adapter(viber.New(viber.Config{
				Tokens: channel.Secrets{channel.NewSecret(s["token"])}, Name: s["name"], API: s["api"], Media: []string{s["media"]}, Client: client,
			}))
		},
		Others:   play.Config{Token: "another-token-of-nobody"},
		Acts:     []sotto.EventKind{sotto.EventBlock, sotto.EventUnblock, sotto.EventJoin, sotto.EventReceipt},
		Keyboard: true,
	})
}

func TestNewSaysAllAtOnce(t *testing.T) {
	_, err := viber.New(viber.Config{
		Tokens: channel.Secrets{channel.NewSecret("with space 123")}, Name: strings.Repeat("é", 29), Avatar: "http://x/y",
		Welcome: strings.Repeat("x", 7001), API: "ftp://x", Media: []string{"https://x/y"}, Timeout: -1,
	})
	if sotto.KindOf(err) != sotto.KindInvalid {
		t.Fatal(err)
	}
	for _, word := range []string{"token 1", "name", "avatar", "welcome", "api", "media", "timeout", "client"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "with space") {
		t.Error("the error shows a secret")
	}
	if _, err := viber.New(viber.Config{}); err == nil || !strings.Contains(err.Error(), "believe everybody") {
		t.Error(err)
	}
}

// The example of the documentation's signature is not published with its
// token; this one is of RFC 4231, test case 2, whose key is no token but signs.
func TestVector(t *testing.T) {
	if got := sign("Jefe", []byte("what do ya want for nothing?")); got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" {
		t.Error(got)
	}
}

// recorder answers from a list and keeps the calls.
type recorder struct {
	answers []string
	calls   []string
	bodies  []map[string]any
	sizes   []int
	tokens  []string
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	var m map[string]any
	_ = json.Unmarshal(b, &m)
	rec.calls, rec.bodies, rec.sizes = append(rec.calls, r.Method+" "+r.URL.Path), append(rec.bodies, m), append(rec.sizes, len(b))
	rec.tokens = append(rec.tokens, r.Header.Get("X-Viber-Auth-Token"))
	a := `{"status":0,"status_message":"ok","message_token":7}`
	if len(rec.answers) > 0 {
		a, rec.answers = rec.answers[0], rec.answers[1:]
	}
	_, _ = io.WriteString(w, a)
}

func start(t *testing.T, rec *recorder, change func(*viber.Config)) *viber.Adapter {
	t.Helper()
	srv := httptest.NewServer(rec)
	t.Cleanup(srv.Close)
	c := viber.Config{
		Tokens: channel.Secrets{channel.NewSecret(first), channel.NewSecret(second)}, Name: "Shop", API: srv.URL + "/pa/",
		Media: []string{srv.URL, "https://*.viber.com"}, Client: srv.Client(),
	}
	if change != nil {
		change(&c)
	}
	a, err := viber.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func sendError(t *testing.T, err error) *channel.SendError {
	t.Helper()
	var e *channel.SendError
	if !errors.As(err, &e) {
		t.Fatalf("%v, want a *channel.SendError", err)
	}
	return e
}

func TestSendForm(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec, func(c *viber.Config) { c.Avatar = "https://shop.example/a.png" })
	sent, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "U1=", Text: "Pick *one*", Buttons: []sotto.Button{{Label: "Q&A", Payload: "1"}, {Label: "<b> &amp;"}}})
	if err != nil || !sent.Numbered || sent.ID != "7" {
		t.Fatal(sent, err)
	}
	key := func(body, text string) map[string]any {
		return map[string]any{"Columns": 6.0, "Rows": 1.0, "ActionType": "reply", "ActionBody": body, "Text": text}
	}
	if diff := cmp.Diff([]map[string]any{{
		"receiver": "U1=", "min_api_version": 1.0, "type": "text", "text": "Pick *one*",
		"sender":   map[string]any{"name": "Shop", "avatar": "https://shop.example/a.png"},
		"keyboard": map[string]any{"Type": "keyboard", "DefaultHeight": false, "Buttons": []any{key("Q&A", "Q&A"), key("<b> &amp;", "&lt;b&gt; &amp;amp;")}},
	}}, rec.bodies); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"POST /pa/send_message"}, rec.calls); diff != "" || rec.tokens[0] != first {
		t.Error(diff)
	}
	if html.UnescapeString("&lt;b&gt; &amp;amp;") != "<b> &amp;" {
		t.Error("the label reads differently on the button")
	}
	if sent, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "U1=", Text: "x"}); err != nil || sent.Numbered {
		t.Error("numbered without a choice")
	}
}

func TestKeyboards(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec, nil)
	labels := func(n int) (out []sotto.Button) {
		for i := range n {
			out = append(out, sotto.Button{Label: fmt.Sprint("choice ", i)})
		}
		return out
	}
	for _, tt := range []struct {
		name    string
		buttons []sotto.Button
		columns float64 // 0 = a list
	}{
		{"twelve", labels(12), 6},
		{"thirteen", labels(13), 3},
		{"twenty-four", labels(24), 3},
		{"twenty-five", labels(25), 0},
		{"long", []sotto.Button{{Label: strings.Repeat("é", 251)}}, 0},
		{"alike", []sotto.Button{{Label: "Yes", Payload: "a"}, {Label: "Yes", Payload: "b"}}, 0},
	} {
		rec.bodies = nil
		sent, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "U1=", Text: "Pick", Buttons: tt.buttons})
		if err != nil || !sent.Numbered {
			t.Fatal(tt.name, sent, err)
		}
		k, _ := rec.bodies[0]["keyboard"].(map[string]any)
		list := strings.HasPrefix(fmt.Sprint(rec.bodies[0]["text"]), "Pick\n1. ")
		if tt.columns == 0 && (k != nil || !list) || tt.columns != 0 && (k == nil || list) {
			t.Errorf("%s: keyboard %v, list %v", tt.name, k != nil, list)
		}
		if keys, _ := k["Buttons"].([]any); tt.columns != 0 && (len(keys) != len(tt.buttons) || keys[0].(map[string]any)["Columns"] != tt.columns) { //nolint:errcheck // a panic is a failure
			t.Errorf("%s: %v", tt.name, keys)
		}
	}
}

// Seven thousand characters can be more than the bytes that a call may have.
func TestBodyLimit(t *testing.T) {
	for name, text := range map[string]string{
		"plain": strings.Repeat("x", 7000), "three bytes": strings.Repeat("\u3042", 7000), "escaped": strings.Repeat("\x01", 7000),
		"quotes": strings.Repeat("\"", 7000), "two parts": strings.Repeat("\u3042 ", 7000), "lines": strings.Repeat("\u2028", 6999) + "x",
	} {
		rec := &recorder{}
		a := start(t, rec, nil)
		if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "U1=", Text: text, Buttons: []sotto.Button{{Label: "ok"}}}); err != nil {
			t.Fatal(name, err)
		}
		whole := ""
		for i, b := range rec.bodies {
			if rec.sizes[i] > 30<<10 {
				t.Errorf("%s: a call of %d bytes", name, rec.sizes[i])
			}
			part, _ := b["text"].(string)
			whole += part
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if squeeze(whole) != squeeze(text) {
			t.Errorf("%s: %d bytes became %d in %d calls", name, len(text), len(whole), len(rec.bodies))
		}
	}
}

func TestSendRefuses(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec, nil)
	for name, m := range map[string]*channel.Outgoing{
		"no_files":     {Conversation: "U1=", Text: "x", File: &channel.File{Name: "a", Data: []byte("x")}},
		"conversation": {Conversation: strings.Repeat("x", 513), Text: "x"},
		"button":       {Conversation: "U1=", Text: "x", Buttons: []sotto.Button{{}}},
		"empty":        {Conversation: "U1=", Text: " "},
	} {
		if _, err := a.Send(t.Context(), m); sendError(t, err).Code != name || sendError(t, err).Class != channel.Bad {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(rec.calls) != 0 {
		t.Error("sent all the same")
	}
}

func TestWelcome(t *testing.T) {
	opened := []byte(`{"event":"conversation_started","timestamp":1,"message_token":5,"type":"open","user":{"id":"U1="},"subscribed":false}`)
	for _, tt := range []struct {
		name, welcome string
		body          []byte
		answered      bool
	}{
		{"greeted", "Hello, I am a machine. Privacy: https://x/y", opened, true},
		{"no greeting", " ", opened, false},
		{"a message", "Hello", message(1, "hi"), false},
		{"the check", "Hello", []byte(`{"event":"webhook","timestamp":1,"message_token":5}`), false},
		{"subscribed", "Hello", []byte(`{"event":"subscribed","timestamp":1,"message_token":5,"user":{"id":"U1="}}`), false},
	} {
		a := start(t, &recorder{}, func(c *viber.Config) { c.Welcome = tt.welcome })
		b, err := a.Decode(tt.body)
		if err != nil {
			t.Fatal(err)
		}
		resp := a.Answer(&channel.Request{Body: tt.body}, b)
		if (resp != nil) != tt.answered {
			t.Errorf("%s: %+v", tt.name, resp)
		}
		if resp == nil {
			continue
		}
		var got map[string]any
		if err := json.Unmarshal(resp.Body, &got); err != nil || resp.Status != 200 || resp.ContentType != "application/json" {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]any{"min_api_version": 1.0, "type": "text", "text": tt.welcome, "sender": map[string]any{"name": "Shop"}}, got); diff != "" {
			t.Error(diff)
		}
	}
	if resp := new(viber.Adapter).Answer(&channel.Request{}, channel.Batch{Events: []channel.Event{{Kind: sotto.EventJoin}}}); resp != nil {
		t.Error("the zero value greets")
	}
}

func TestFetch(t *testing.T) {
	rec := &recorder{answers: []string{"0123456789", "0123456789"}}
	srv := httptest.NewServer(rec)
	defer srv.Close()
	a := start(t, &recorder{}, func(c *viber.Config) { c.Media, c.Client = []string{srv.URL}, srv.Client() })
	if got, err := a.Fetch(t.Context(), channel.Attachment{ID: srv.URL + "/a?Expires=1"}, 10); err != nil || string(got) != "0123456789" {
		t.Error(string(got), err)
	}
	if _, err := a.Fetch(t.Context(), channel.Attachment{ID: srv.URL + "/a"}, 9); sendError(t, err).Code != "too_large" {
		t.Error(err)
	}
	if rec.tokens[0] != "" {
		t.Error("the token went to the files' host")
	}
	wide := start(t, &recorder{}, func(c *viber.Config) { c.Media = nil })
	for _, url := range []string{
		"https://viber.com/x", "http://dl-media.viber.com/x", "https://dl-media.viber.com.evil.example/x", "https://evilviber.com/x",
		"https://u:p@dl-media.viber.com/x", "https://dl-media.viber.com:8443/x", "//dl-media.viber.com/x", "", "::",
	} {
		if _, err := wide.Fetch(t.Context(), channel.Attachment{ID: url}, 9); sendError(t, err).Code != "host" {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestBases(t *testing.T) {
	if diff := cmp.Diff([]string{"https://chatapi.viber.com/pa", "https://*.viber.com"}, viber.Config{}.Bases()); diff != "" {
		t.Error(diff)
	}
}

func TestSetup(t *testing.T) {
	now := time.Unix(1700000000, 0)
	p := viber.Player(play.Config{Now: func() time.Time { return now }})
	skew := time.Duration(0)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Date", now.Add(skew).UTC().Format(http.TimeFormat))
		p.Serve(w, r, body)
	}))
	defer srv.Close()
	s := p.Settings(srv.URL)
	a, err := viber.New(viber.Config{Tokens: channel.Secrets{channel.NewSecret(s["token"])}, Name: s["name"], API: s["api"], Client: srv.Client(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	want := channel.Installation{Webhook: "https://bot.example/hooks/viber/shop", Privacy: "https://bot.example/privacy"}
	if wrong := faults(t, a, want); len(wrong) != 2 {
		t.Errorf("%q", wrong)
	}
	steps, err := a.Install(t.Context(), want)
	if err != nil || len(steps) != 2 || steps[0].Done || steps[1].Hand == "" {
		t.Fatalf("%+v, %v", steps, err)
	}
	for range 2 {
		if err := steps[0].Do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if steps, err = a.Install(t.Context(), want); err != nil || !steps[0].Done {
		t.Errorf("%+v, %v", steps, err)
	}
	if wrong := faults(t, a, want); len(wrong) != 0 {
		t.Errorf("%q", wrong)
	}
	skew = -time.Hour
	if wrong := faults(t, a, channel.Installation{Webhook: "https://other.example/h"}); len(wrong) != 2 || !strings.Contains(wrong[0], "bot.example") || strings.Contains(wrong[0], "shop") || !strings.Contains(wrong[1], "1h0m0s") {
		t.Errorf("%q", wrong)
	}
	bad, err := a.Install(t.Context(), channel.Installation{Webhook: "http://plain.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := bad[0].Do(t.Context()); sendError(t, err).Code != "1" {
		t.Error(err)
	}
	if _, err := new(viber.Adapter).Check(t.Context(), want); sendError(t, err).Class != channel.Auth {
		t.Error(err)
	}
	rec := &recorder{answers: []string{`{"status":0,"subscribers_count":"x"}`, `{"status":2}`}}
	odd := start(t, rec, nil)
	if _, err := odd.Check(t.Context(), want); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Error(err)
	}
	if _, err := odd.Check(t.Context(), want); sendError(t, err).Class != channel.Auth {
		t.Error(err)
	}
}

// Viber is told to send neither names nor photos, and no receipts.
func TestSetsLeast(t *testing.T) {
	rec := &recorder{}
	steps, err := start(t, rec, nil).Install(t.Context(), channel.Installation{Webhook: "https://bot.example/h?a=1&b=2"})
	if err != nil {
		t.Fatal(err)
	}
	if err := steps[0].Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{
		"url": "https://bot.example/h?a=1&b=2", "send_name": false, "send_photo": false,
		"event_types": []any{"failed", "subscribed", "unsubscribed", "conversation_started"},
	}, rec.bodies[1]); diff != "" {
		t.Error(diff)
	}
}

func faults(t *testing.T, a *viber.Adapter, want channel.Installation) []string {
	t.Helper()
	found, err := a.Check(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range found {
		if !f.OK {
			out = append(out, f.Text)
		}
		if f.OK != (f.Fix == "") {
			t.Errorf("%q: what is wrong has a fix, and what is right has none", f.Text)
		}
	}
	return out
}
