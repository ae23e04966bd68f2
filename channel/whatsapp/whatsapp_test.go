package whatsapp_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	"github.com/sotto-chat/sotto/channel/whatsapp"
)

const token = "EAAtestTokenaBcDeFgHiJkLmNoPqRsTuVwXyZ"

func sign(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

func item(id int, text string) string {
	t, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"from":"41","id":"wamid.%d","timestamp":"1700000000","type":"text","text":{"body":%s}}`, id, t)
}

func call(messages string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"5","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1555","phone_number_id":"900"},` +
		`"contacts":[{"profile":{"name":"A"},"wa_id":"41"}],"messages":[` + messages + `]},"field":"messages"}]}]}`)
}

func refused(status, code int) channeltest.Answer {
	return channeltest.Answer{Status: status, Body: fmt.Sprintf(
		`{"error":{"message":"(#%d) whisper","type":"OAuthException","code":%d,"error_data":{"messaging_product":"whatsapp","details":"whisper"},"fbtrace_id":"whisper"}}`, code, code)}
}

func TestConformance(t *testing.T) {
	cases := []channeltest.ErrorCase{
		{Name: "transient", Answer: channeltest.Answer{Status: 400, Body: `{"error":{"code":9999,"is_transient":true}}`}, Class: channel.Retry, Code: "9999"},
		{Name: "subcode", Answer: channeltest.Answer{Status: 400, Body: `{"error":{"code":100,"error_subcode":33}}`}, Class: channel.Bad, Code: "100.33"},
		{Name: "no authentication", Answer: refused(401, 0), Class: channel.Auth, Code: "0"},
		{Name: "an error without a code", Answer: channeltest.Answer{Status: 500, Body: `{"error":{"message":"whisper"}}`}, Class: channel.Retry},
		{Name: "accepted without an id", Answer: channeltest.Answer{Status: 200, Body: `{"messaging_product":"whatsapp","messages":[]}`}, Class: channel.Unknown, Code: "answer"},
		{Name: "too fast for one person", Answer: refused(400, 131056), Class: channel.Retry, Code: "131056", RetryAfter: 6 * time.Second},
		{Name: "the header counts", Answer: channeltest.Answer{Status: 429, Header: map[string]string{"Retry-After": "9"}, Body: `{"error":{"code":131056}}`}, Class: channel.Retry, RetryAfter: 9 * time.Second},
		{Name: "unwanted by many", Answer: refused(400, 131048), Class: channel.Retry, Code: "131048", RetryAfter: 15 * time.Minute},
	}
	for class, codes := range map[channel.Class][]int{
		channel.Retry:  {1, 2, 4, 17, 32, 341, 613, 1200, 80007, 130429, 131000, 131016, 131053, 131057, 133004, 133016},
		channel.Window: {131047},
		channel.Gone:   {131026, 131049, 131050, 130472},
		channel.Auth:   {3, 10, 190, 200, 299, 368, 131005, 131031, 131042, 133010},
		channel.Bad:    {100, 131008, 131009, 131021, 131051, 132000, 132015, 9999},
	} {
		for _, code := range codes {
			for _, status := range []int{200, 400, 401, 403} {
				cases = append(cases, channeltest.ErrorCase{Name: fmt.Sprint(status, " ", code), Answer: refused(status, code), Class: class, Code: fmt.Sprint(code)})
			}
		}
	}
	channeltest.Run(t, channeltest.Spec{
		New: func(s channeltest.Setup) (channel.Adapter, error) {
			a, err := whatsapp.New(whatsapp.Config{
				PhoneNumberID: "900", AppSecrets: s.Secrets, VerifyToken: channel.NewSecret("verify"), AccessToken: s.Token, API: s.API, Client: s.Client,
			})
			if err != nil {
				return nil, err
			}
			return a, nil
		},
		Zero:      &whatsapp.Adapter{},
		Secrets:   [2]string{"first secret", "second secret"},
		Token:     token,
		Header:    "X-Hub-Signature-256",
		Sign:      sign,
		SignsBody: true,
		OwnFiles:  true,
		Message:   func(id int, text string) []byte { return call(item(id, text)) },
		Batch:     func(text string) []byte { return call(`7,` + item(1, text) + `,{"from":"x"}`) },
		Unknown: []string{
			string(call(`{"from":"41","id":"w","timestamp":"1","type":"teleport","teleport":{}}`)),
			`{"object":"whatsapp_business_account","entry":[{"id":"5","changes":[{"field":"teleport","value":{"messages":[` + item(1, "x") + `]}}]}]}`,
			`{"object":"whatsapp_business_account","entry":[{"id":"5","changes":[{"field":"messages"}]}]}`,
		},
		Empty: []string{`{}`, `{"object":"whatsapp_business_account","entry":[]}`, string(call("")), `{"object":"whatsapp_business_account","entry":[{"id":"5","changes":[]}]}`},
		Foreign: []string{
			`{"object":"page","entry":[{"id":"1","messaging":[]}]}`,
			`{"object":"instagram","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[` + item(1, "x") + `]}}]}]}`,
			`{"update_id":1,"message":{"message_id":1,"text":"x"}}`, `{"destination":"U1","events":[]}`,
			`{"type":"url_verification","challenge":"x","token":"y"}`, `{"event":"message","timestamp":1,"message_token":1,"sender":{"id":"x"}}`,
		},
		Conversation: "41",
		Success:      channeltest.Answer{Status: 200, Body: `{"messaging_product":"whatsapp","contacts":[{"input":"41","wa_id":"41"}],"messages":[{"id":"wamid.77"}]}`},
		MessageID:    "wamid.77",
		MaxText:      1024, // above buttons, which the suite's messages have
		Errors:       cases,
	})
}

func TestNewSaysAllAtOnce(t *testing.T) {
	_, err := whatsapp.New(whatsapp.Config{
		PhoneNumberID: "+49", BusinessAccountID: "a/b", AppID: "x", AccessToken: channel.NewSecret("top secret"), API: "http://example.org",
		Version: "26", Timeout: -1, ListButton: strings.Repeat("x", 21), IceBreakers: []string{" "}, MediaHosts: []string{"https://*.com"},
	})
	if sotto.KindOf(err) != sotto.KindInvalid {
		t.Fatal(err)
	}
	for _, word := range []string{
		"phone_number_id", "business_account_id", "app_id", "app_secret", "verify_token", "access_token", "api", "version",
		"timeout", "client", "list_button", "ice_breakers", "media_hosts",
	} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "top secret") {
		t.Error("the error shows a secret")
	}
	want := []string{whatsapp.DefaultAPI, "https://*.fbsbx.com", "https://*.fbcdn.net", "https://*.whatsapp.net"}
	if diff := cmp.Diff(want, whatsapp.Config{}.Bases()); diff != "" {
		t.Error(diff)
	}
}

func config(srv *httptest.Server) whatsapp.Config {
	return whatsapp.Config{
		PhoneNumberID: "900", AppSecrets: channel.Secrets{channel.NewSecret("first secret"), channel.NewSecret("second secret")},
		VerifyToken: channel.NewSecret("verify"), AccessToken: channel.NewSecret(token), API: srv.URL, Client: srv.Client(),
	}
}

func start(t *testing.T, h http.HandlerFunc, change func(*whatsapp.Config)) *whatsapp.Adapter {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c := config(srv)
	if change != nil {
		change(&c)
	}
	a, err := whatsapp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestHandshake(t *testing.T) {
	a := start(t, nil, nil)
	good := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {"verify"}}
	with := func(key string, values ...string) url.Values {
		q := url.Values{}
		maps.Copy(q, good)
		q[key] = values
		return q
	}
	for name, tt := range map[string]struct {
		q  url.Values
		ok bool
	}{
		"right":          {good, true},
		"no question":    {url.Values{}, false},
		"another mode":   {with("hub.mode", "unsubscribe"), false},
		"wrong token":    {with("hub.verify_token", "Verify"), false},
		"empty token":    {with("hub.verify_token", ""), false},
		"token twice":    {with("hub.verify_token", "verify", "verify"), false},
		"mark-up":        {with("hub.challenge", "<script>"), false},
		"long challenge": {with("hub.challenge", strings.Repeat("1", 129)), false},
	} {
		resp, answered, err := a.Handshake(&channel.Request{Method: http.MethodGet, Query: tt.q})
		if !answered || (err == nil) != tt.ok || err != nil && (!errors.Is(err, channel.ErrUnverified) || resp != nil) {
			t.Errorf("%s: %v, %v, %v", name, resp, answered, err)
			continue
		}
		if tt.ok && (resp.Status != 200 || string(resp.Body) != tt.q.Get("hub.challenge")) {
			t.Errorf("%s: %+v", name, resp)
		}
	}
	if _, answered, err := a.Handshake(&channel.Request{Method: http.MethodPost, Query: good}); answered || err != nil {
		t.Error("a POST is no question")
	}
	var zero whatsapp.Adapter
	if _, _, err := zero.Handshake(&channel.Request{Method: http.MethodGet, Query: with("hub.verify_token", "")}); err == nil {
		t.Error("the zero value answers")
	}
}

// sink keeps what was sent, as JSON with its keys in order.
func sink(t *testing.T, paths *[]string, bodies *[]string) http.HandlerFunc {
	t.Helper()
	proof := strings.TrimPrefix(sign("first secret", []byte(token)), "sha256=")
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "appsecret_proof="+proof || r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("%s?%s", r.URL.Path, r.URL.RawQuery)
		}
		*paths = append(*paths, r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/media") {
			if err := r.ParseMultipartForm(1 << 20); err != nil {
				t.Error(err)
			}
			f := r.MultipartForm.File["file"][0]
			*bodies = append(*bodies, fmt.Sprint(r.MultipartForm.Value, f.Filename, f.Header.Get("Content-Type")))
			_, _ = w.Write([]byte(`{"id":"77"}`))
			return
		}
		var v any
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			t.Error(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		*bodies = append(*bodies, string(b))
		_, _ = w.Write([]byte(`{"success":true,"messages":[{"id":"wamid.1"}]}`))
	}
}

func TestSendForm(t *testing.T) {
	many := func(n int) (list []sotto.Button) {
		for i := range n {
			list = append(list, sotto.Button{Label: fmt.Sprint("b", i)})
		}
		return list
	}
	file := &channel.File{Name: "a.json", MIME: "application/json", Data: []byte("{}")}
	const frame = `"messaging_product":"whatsapp","recipient_type":"individual","to":"41"`
	const upload = `map[messaging_product:[whatsapp] type:[text/plain]]a.jsontext/plain`
	for _, tt := range []struct {
		name     string
		m        channel.Outgoing
		want     []string
		numbered bool
	}{
		{"text", channel.Outgoing{Text: "Hi"}, []string{`{` + frame + `,"text":{"body":"Hi","preview_url":false},"type":"text"}`}, false},
		{"answer", channel.Outgoing{Text: "Hi", ReplyTo: "wamid.0"}, []string{`{"context":{"message_id":"wamid.0"},` + frame + `,"text":{"body":"Hi","preview_url":false},"type":"text"}`}, false},
		{"to a number with a plus", channel.Outgoing{Conversation: "+41", Text: "Hi"}, []string{`{` + frame + `,"text":{"body":"Hi","preview_url":false},"type":"text"}`}, false},
		{
			"to somebody without a number",
			channel.Outgoing{Conversation: "US.1349", Text: "Hi"},
			[]string{`{"messaging_product":"whatsapp","recipient":"US.1349","recipient_type":"individual","text":{"body":"Hi","preview_url":false},"type":"text"}`},
			false,
		},
		{
			"to a group",
			channel.Outgoing{Conversation: "Y2FwaV9ncm91cDoxOjI=", Text: "Hi"},
			[]string{`{"messaging_product":"whatsapp","recipient_type":"group","text":{"body":"Hi","preview_url":false},"to":"Y2FwaV9ncm91cDoxOjI=","type":"text"}`},
			false,
		},
		{
			"buttons",
			channel.Outgoing{Text: "Pick", Buttons: []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No"}}},
			[]string{`{"interactive":{"action":{"buttons":[{"reply":{"id":"Y","title":"Yes"},"type":"reply"},{"reply":{"id":"No","title":"No"},"type":"reply"}]},"body":{"text":"Pick"},"type":"button"},` + frame + `,"type":"interactive"}`},
			false,
		},
		{
			"list",
			channel.Outgoing{Text: "Pick", Buttons: many(4)},
			[]string{`{"interactive":{"action":{"button":"☰","sections":[{"rows":[{"id":"b0","title":"b0"},{"id":"b1","title":"b1"},{"id":"b2","title":"b2"},{"id":"b3","title":"b3"}]}]},"body":{"text":"Pick"},"type":"list"},` + frame + `,"type":"interactive"}`},
			false,
		},
		{
			"long label",
			channel.Outgoing{Text: "Pick", Buttons: []sotto.Button{{Label: "A label of over 20 characters"}, {Label: "No"}}},
			[]string{`{` + frame + `,"text":{"body":"Pick\n1. A label of over 20 characters\n2. No","preview_url":false},"type":"text"}`},
			true,
		},
		{
			"one label twice",
			channel.Outgoing{Text: "Pick", Buttons: []sotto.Button{{Label: "a", Payload: "1"}, {Label: "a", Payload: "2"}}},
			[]string{`{` + frame + `,"text":{"body":"Pick\n1. a\n2. a","preview_url":false},"type":"text"}`},
			true,
		},
		{"buttons alone", channel.Outgoing{Buttons: many(2)}, []string{`{` + frame + `,"text":{"body":"1. b0\n2. b1","preview_url":false},"type":"text"}`}, true},
		{"file", channel.Outgoing{File: file}, []string{upload, `{"document":{"filename":"a.json","id":"77"},` + frame + `,"type":"document"}`}, false},
		{"file with a text", channel.Outgoing{Text: "Here", File: file}, []string{upload, `{"document":{"caption":"Here","filename":"a.json","id":"77"},` + frame + `,"type":"document"}`}, false},
		{
			"file with buttons",
			channel.Outgoing{Text: "Here", File: file, Buttons: many(1)},
			[]string{
				upload, `{"document":{"filename":"a.json","id":"77"},` + frame + `,"type":"document"}`,
				`{"interactive":{"action":{"buttons":[{"reply":{"id":"b0","title":"b0"},"type":"reply"}]},"body":{"text":"Here"},"type":"button"},` + frame + `,"type":"interactive"}`,
			},
			false,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var paths, bodies []string
			a := start(t, sink(t, &paths, &bodies), nil)
			if tt.m.Conversation == "" {
				tt.m.Conversation = "41"
			}
			sent, err := a.Send(t.Context(), &tt.m)
			if err != nil || sent.ID != "wamid.1" || sent.Numbered != tt.numbered {
				t.Errorf("%+v, %v", sent, err)
			}
			for i, w := range tt.want {
				tt.want[i] = ordered(t, w)
			}
			if diff := cmp.Diff(tt.want, bodies); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// ordered puts the keys of an object in order; another text stays as it is.
func ordered(t *testing.T, text string) string {
	t.Helper()
	if text[0] != '{' {
		return text
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSendNumbersManyButtons(t *testing.T) {
	var paths, bodies []string
	a := start(t, sink(t, &paths, &bodies), nil)
	var buttons []sotto.Button
	for i := range 11 {
		buttons = append(buttons, sotto.Button{Label: fmt.Sprint("b", i)})
	}
	sent, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: "Pick", Buttons: buttons})
	if err != nil || !sent.Numbered || !strings.Contains(bodies[0], `\n11. b10"`) {
		t.Errorf("%+v, %v, %q", sent, err, bodies)
	}
}

// A long text with buttons: the last part is short enough for them, and nothing
// of the text is lost.
func TestSendLongWithButtons(t *testing.T) {
	var paths, bodies []string
	a := start(t, sink(t, &paths, &bodies), nil)
	text := strings.TrimSpace(strings.Repeat("lorem ipsum ", 500)) // 5,999 characters
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: text, Buttons: []sotto.Button{{Label: "Yes"}}}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, b := range bodies {
		var m struct {
			Text struct {
				Body string `json:"body"`
			} `json:"text"`
			Interactive struct {
				Body struct {
					Text string `json:"text"`
				} `json:"body"`
			} `json:"interactive"`
		}
		if err := json.Unmarshal([]byte(b), &m); err != nil {
			t.Fatal(err)
		}
		last := i == len(bodies)-1
		if (m.Interactive.Body.Text != "") != last || len(m.Text.Body) > 4096 || len(m.Interactive.Body.Text) > 1024 {
			t.Errorf("part %d: %d and %d characters", i, len(m.Text.Body), len(m.Interactive.Body.Text))
		}
		got = append(got, m.Text.Body+m.Interactive.Body.Text)
	}
	if strings.Join(got, " ") != text || len(got) != 3 {
		t.Errorf("%d parts, %d characters", len(got), len(strings.Join(got, " ")))
	}
}

// The upload is not yet a message: whatever becomes of it may be tried again.
func TestSendFileFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		text   string
		at     string
		answer channeltest.Answer
		want   channel.Class
	}{
		{"upload of unknown outcome", "", "media", channeltest.Answer{Status: 504}, channel.Retry},
		{"upload without an id", "", "media", channeltest.Answer{Status: 200, Body: `{}`}, channel.Retry},
		{"upload refused", "", "media", refused(400, 100), channel.Bad},
		{"message of unknown outcome", "", "messages", channeltest.Answer{Status: 504}, channel.Unknown},
		{"message refused", "", "messages", refused(400, 131047), channel.Window},
		{"text after the file refused", strings.Repeat("x", 1025), "second", refused(400, 131047), channel.Unknown},
	} {
		n := 0
		a := start(t, func(w http.ResponseWriter, r *http.Request) {
			at := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
			if n++; n == 3 {
				at = "second"
			}
			if at != tt.at {
				_, _ = w.Write([]byte(`{"id":"77","messages":[{"id":"wamid.1"}]}`))
				return
			}
			w.WriteHeader(tt.answer.Status)
			_, _ = w.Write([]byte(tt.answer.Body))
		}, nil)
		_, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: tt.text, File: &channel.File{Name: "a.txt", MIME: "text/plain", Data: []byte("x")}})
		var e *channel.SendError
		if !errors.As(err, &e) || e.Class != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestTyping(t *testing.T) {
	var paths, bodies []string
	a := start(t, sink(t, &paths, &bodies), nil)
	for _, m := range []*channel.Outgoing{{Conversation: "41"}, {Conversation: "41", ReplyTo: "wamid.0"}} {
		if err := a.Typing(t.Context(), m); err != nil {
			t.Error(err)
		}
	}
	want := []string{`{"message_id":"wamid.0","messaging_product":"whatsapp","status":"read","typing_indicator":{"type":"text"}}`}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Error(diff)
	}
}

// Without a number of its own an account answers from the one written to.
func TestManyNumbers(t *testing.T) {
	var paths, bodies []string
	a := start(t, sink(t, &paths, &bodies), func(c *whatsapp.Config) { c.PhoneNumberID = "" })
	b, err := a.Decode(call(item(1, "hi")))
	if err != nil || len(b.Events) != 1 {
		t.Fatal(err)
	}
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: "Hi", Handle: b.Events[0].Handle}); err != nil {
		t.Error(err)
	}
	var e *channel.SendError
	for _, handle := range []string{"", "../me", "9?x"} {
		_, err = a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: "Hi", Handle: handle})
		if !errors.As(err, &e) || e.Class != channel.Bad || e.Code != "phone_number_id" {
			t.Errorf("handle %q: %v", handle, err)
		}
	}
	if diff := cmp.Diff([]string{"/v26.0/900/messages"}, paths); diff != "" {
		t.Error(diff)
	}
}
