package messenger_test

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
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/messenger"
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
	return fmt.Sprintf(`{"sender":{"id":"41"},"recipient":{"id":"900"},"timestamp":1700000000000,"message":{"mid":"m_%d","text":%s}}`, id, t)
}

func page(items string) []byte {
	return []byte(`{"object":"page","entry":[{"id":"900","time":1700000001000,"messaging":[` + items + `]}]}`)
}

func refused(status, code, subcode int) channeltest.Answer {
	return channeltest.Answer{Status: status, Body: fmt.Sprintf(
		`{"error":{"message":"(#%d) whisper","type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"whisper"}}`, code, code, subcode)}
}

func TestConformance(t *testing.T) {
	cases := []channeltest.ErrorCase{
		{Name: "transient", Answer: channeltest.Answer{Status: 400, Body: `{"error":{"code":9999,"is_transient":true}}`}, Class: channel.Retry, Code: "9999"},
		{Name: "refused with status 200", Answer: refused(200, 551, 0), Class: channel.Gone, Code: "551"},
	}
	for _, c := range []struct {
		status, code, subcode int
		want                  channel.Class
	}{
		{400, 1, 0, channel.Retry},
		{400, 2, 0, channel.Retry},
		{500, 2, 0, channel.Retry},
		{400, 4, 0, channel.Retry},
		{400, 17, 0, channel.Retry},
		{400, 32, 0, channel.Retry},
		{400, 341, 0, channel.Retry},
		{400, 613, 0, channel.Retry},
		{400, 1200, 0, channel.Retry},
		{400, 102, 0, channel.Auth},
		{401, 190, 0, channel.Auth},
		{400, 190, 460, channel.Auth},
		{403, 368, 0, channel.Auth},
		{400, 10, 1893063, channel.Auth},
		{400, 10, 2018278, channel.Window},
		{403, 10, 2534022, channel.Window},
		{400, 551, 0, channel.Gone},
		{400, 200, 1545041, channel.Gone},
		{400, 100, 2018001, channel.Gone},
		{403, 230, 0, channel.Gone},
		{400, 100, 0, channel.Bad},
		{400, 10, 0, channel.Bad},
		{403, 200, 0, channel.Bad},
		{403, 299, 0, channel.Bad},
		{401, 9999, 0, channel.Bad},
	} {
		code := fmt.Sprint(c.code)
		if c.subcode != 0 {
			code += fmt.Sprint(".", c.subcode)
		}
		cases = append(cases, channeltest.ErrorCase{Name: code, Answer: refused(c.status, c.code, c.subcode), Class: c.want, Code: code})
	}
	channeltest.Run(t, channeltest.Spec{
		New: func(s channeltest.Setup) (channel.Adapter, error) {
			a, err := messenger.New(messenger.Config{
				AppSecrets: s.Secrets, VerifyToken: channel.NewSecret("verify"), AccessToken: s.Token, API: s.API, Client: s.Client,
			})
			if err != nil {
				return nil, err
			}
			return a, nil
		},
		Zero:      &messenger.Adapter{},
		Secrets:   [2]string{"first secret", "second secret"},
		Token:     token,
		Header:    "X-Hub-Signature-256",
		Sign:      sign,
		SignsBody: true,
		Message:   func(id int, text string) []byte { return page(item(id, text)) },
		Batch:     func(text string) []byte { return page(`7,` + item(1, text) + `,{"sender":"x"}`) },
		Unknown: []string{
			string(page(`{"sender":{"id":"41"},"recipient":{"id":"900"},"timestamp":1,"teleport":{}}`)),
			`{"object":"page","entry":[{"id":"900","changes":[{"value":{"message":"x"}}]}]}`,
		},
		Empty: []string{`{}`, `{"object":"page","entry":[]}`, string(page(""))},
		Foreign: []string{
			`{"object":"instagram","entry":[{"id":"1","messaging":[` + item(1, "x") + `]}]}`,
			`{"object":"whatsapp_business_account","entry":[]}`,
			`{"update_id":1,"message":{"message_id":1,"text":"x"}}`, `{"destination":"U1","events":[]}`,
		},
		Conversation: "41",
		Success:      channeltest.Answer{Status: 200, Body: `{"recipient_id":"41","message_id":"m_77"}`},
		MessageID:    "m_77",
		MaxText:      2000,
		Errors:       cases,
	})
}

func TestNewSaysAllAtOnce(t *testing.T) {
	_, err := messenger.New(messenger.Config{AccessToken: channel.NewSecret("top secret"), API: "http://example.org", Version: "26", Timeout: -1})
	if sotto.KindOf(err) != sotto.KindInvalid {
		t.Fatal(err)
	}
	for _, word := range []string{"app_secret", "verify_token", "access_token", "api", "version", "timeout", "client"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "top secret") {
		t.Error("the error shows a secret")
	}
}

func start(t *testing.T, h http.HandlerFunc, pageID string) *messenger.Adapter {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	a, err := messenger.New(messenger.Config{
		PageID: pageID, AppSecrets: channel.Secrets{channel.NewSecret("first secret"), channel.NewSecret("second secret")},
		VerifyToken: channel.NewSecret("verify"), AccessToken: channel.NewSecret(token), API: srv.URL, Client: srv.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestHandshake(t *testing.T) {
	a := start(t, nil, "")
	good := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {"verify"}}
	with := func(key string, values ...string) url.Values {
		q := url.Values{}
		maps.Copy(q, good)
		q[key] = values
		return q
	}
	for _, tt := range []struct {
		name string
		q    url.Values
		ok   bool
	}{
		{"right", good, true},
		{"word", with("hub.challenge", "aZ_-9"), true},
		{"no question", url.Values{}, false},
		{"another mode", with("hub.mode", "unsubscribe"), false},
		{"wrong token", with("hub.verify_token", "Verify"), false},
		{"empty token", with("hub.verify_token", ""), false},
		{"token twice", with("hub.verify_token", "verify", "verify"), false},
		{"mark-up", with("hub.challenge", "<script>"), false},
		{"empty challenge", with("hub.challenge", ""), false},
		{"long challenge", with("hub.challenge", strings.Repeat("1", 129)), false},
		{"challenge twice", with("hub.challenge", "1", "2"), false},
	} {
		resp, answered, err := a.Handshake(&channel.Request{Method: http.MethodGet, Query: tt.q})
		if !answered || (err == nil) != tt.ok || err != nil && (!errors.Is(err, channel.ErrUnverified) || resp != nil) {
			t.Errorf("%s: %v, %v, %v", tt.name, resp, answered, err)
			continue
		}
		if tt.ok && (resp.Status != 200 || string(resp.Body) != tt.q.Get("hub.challenge") || resp.ContentType != "text/plain; charset=utf-8") {
			t.Errorf("%s: %+v", tt.name, resp)
		}
	}
	if _, answered, err := a.Handshake(&channel.Request{Method: http.MethodPost, Query: good}); answered || err != nil {
		t.Error("a POST is no question")
	}
	var zero messenger.Adapter
	if _, _, err := zero.Handshake(&channel.Request{Method: http.MethodGet, Query: with("hub.verify_token", "")}); err == nil {
		t.Error("the zero value answers")
	}
}

func TestSendForm(t *testing.T) {
	proof := strings.TrimPrefix(sign("first secret", []byte(token)), "sha256=")
	var bodies []string
	a := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v26.0/me/messages" || r.URL.RawQuery != "appsecret_proof="+proof || r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("%s?%s", r.URL.Path, r.URL.RawQuery)
		}
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			if err := r.ParseMultipartForm(1 << 20); err != nil {
				t.Error(err)
			}
			f := r.MultipartForm.File["filedata"][0]
			bodies = append(bodies, fmt.Sprint(r.MultipartForm.Value, f.Filename, f.Header.Get("Content-Type")))
		} else {
			var v any
			if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
				t.Error(err)
			}
			b, err := json.Marshal(v)
			if err != nil {
				t.Error(err)
			}
			bodies = append(bodies, string(b))
		}
		_, _ = w.Write([]byte(`{"recipient_id":"41","message_id":"m_1"}`))
	}, "")
	for _, m := range []*channel.Outgoing{
		{Conversation: "41", Text: "Pick", ReplyTo: "m_0", Buttons: []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No"}}},
		{Conversation: "41", Text: "Pick", Buttons: []sotto.Button{{Label: "A label of over 20 characters"}, {Label: "No"}}},
		{Conversation: "41", Text: "Here", Buttons: []sotto.Button{{Label: "Ok"}}, File: &channel.File{Name: "a.png", MIME: "image/png", Data: []byte("x")}},
	} {
		if _, err := a.Send(t.Context(), m); err != nil {
			t.Error(err)
		}
	}
	if err := a.Typing(t.Context(), &channel.Outgoing{Conversation: "41"}); err != nil {
		t.Error(err)
	}
	want := []string{
		`{"message":{"quick_replies":[{"content_type":"text","payload":"Y","title":"Yes"},{"content_type":"text","payload":"No","title":"No"}],"text":"Pick"},"messaging_type":"RESPONSE","recipient":{"id":"41"}}`,
		`{"message":{"text":"Pick\n1. A label of over 20 characters\n2. No"},"messaging_type":"RESPONSE","recipient":{"id":"41"}}`,
		`{"message":{"text":"Here"},"messaging_type":"RESPONSE","recipient":{"id":"41"}}`,
		`map[message:[{"attachment":{"type":"image","payload":{}},"quick_replies":[{"content_type":"text","title":"Ok","payload":"Ok"}]}] messaging_type:[RESPONSE] recipient:[{"id":"41"}]]a.pngimage/png`,
		`{"recipient":{"id":"41"},"sender_action":"typing_on"}`,
	}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Error(diff)
	}
}

func TestSendNumbersManyButtons(t *testing.T) {
	var got struct {
		Message struct {
			Text    string `json:"text"`
			Replies []any  `json:"quick_replies"`
		} `json:"message"`
	}
	a := start(t, func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte(`{}`))
	}, "")
	var buttons []sotto.Button
	for i := range 14 {
		buttons = append(buttons, sotto.Button{Label: fmt.Sprint("b", i)})
	}
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: "Pick", Buttons: buttons}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(got.Message.Text, "\n14. b13") || got.Message.Replies != nil {
		t.Errorf("%+v", got)
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name, fields string
		page         string
		want         []string
	}{
		{"all well", `["messages","messaging_postbacks","message_edits","messaging_optins"]`, "900", nil},
		{"nothing subscribed", `[]`, "", []string{"messages", "messaging_postbacks", "message_edits", "messaging_optins"}},
		{"another page", `["messages","messaging_postbacks","message_edits","messaging_optins"]`, "901", []string{"page_id"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := start(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v26.0/me" {
					_, _ = w.Write([]byte(`{"id":"900"}`))
					return
				}
				_, _ = w.Write([]byte(`{"data":[{"subscribed_fields":` + tt.fields + `}]}`))
			}, tt.page)
			found, err := a.Check(t.Context(), channel.Installation{})
			found = slices.DeleteFunc(found, func(f channel.Finding) bool { return f.OK })
			if err != nil || len(found) != len(tt.want) {
				t.Fatalf("%v, %v", found, err)
			}
			for i := range found {
				if !strings.Contains(found[i].Text, tt.want[i]) {
					t.Errorf("%q is not about %q", found[i].Text, tt.want[i])
				}
			}
		})
	}
	a := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":{"code":190}}`))
	}, "")
	var e *channel.SendError
	if _, err := a.Check(t.Context(), channel.Installation{}); !errors.As(err, &e) || e.Class != channel.Auth {
		t.Error(err)
	}
}
