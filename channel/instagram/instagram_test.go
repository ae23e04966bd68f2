package instagram_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/instagram"
)

const token = "IGAAtestTokenaBcDeFgHiJkLmNoPqRsTuVwXyZ"

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
	return fmt.Sprintf(`{"sender":{"id":"41"},"recipient":{"id":"178"},"timestamp":1700000000000,"message":{"mid":"m_%d","text":%s}}`, id, t)
}

func call(items string) []byte {
	return []byte(`{"object":"instagram","entry":[{"id":"178","time":1700000001000,"messaging":[` + items + `]}]}`)
}

func refused(status, code, subcode int) channeltest.Answer {
	return channeltest.Answer{Status: status, Body: fmt.Sprintf(
		`{"error":{"message":"(#%d) whisper","type":"IGApiException","code":%d,"error_subcode":%d,"fbtrace_id":"whisper"}}`, code, code, subcode)}
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
		{500, 1, 0, channel.Retry},
		{500, 2, 0, channel.Retry},
		{400, 4, 0, channel.Retry},
		{400, 613, 0, channel.Retry},
		{403, 80002, 0, channel.Retry},
		{400, 190, 0, channel.Auth},
		{400, 190, 463, channel.Auth},
		{403, 368, 0, channel.Auth},
		{403, 10, 2534022, channel.Window},
		{400, 10, 2018278, channel.Window},
		{400, 100, 2534014, channel.Gone},
		{400, 200, 1545041, channel.Gone},
		{400, 551, 0, channel.Gone},
		{400, 100, 0, channel.Bad},
		{403, 10, 0, channel.Bad},
		{403, 200, 0, channel.Bad},
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
			a, err := instagram.New(instagram.Config{
				AppSecrets: s.Secrets, VerifyToken: channel.NewSecret("verify"), AccessToken: s.Token, API: s.API, Client: s.Client,
			})
			if err != nil {
				return nil, err
			}
			return a, nil
		},
		Zero:      &instagram.Adapter{},
		Secrets:   [2]string{"first secret", "second secret"},
		Token:     token,
		Header:    "X-Hub-Signature-256",
		Sign:      sign,
		SignsBody: true,
		Message:   func(id int, text string) []byte { return call(item(id, text)) },
		Batch:     func(text string) []byte { return call(`7,` + item(1, text) + `,{"sender":"x"}`) },
		Unknown: []string{
			string(call(`{"sender":{"id":"41"},"recipient":{"id":"178"},"timestamp":1,"teleport":{}}`)),
			string(call(`{"sender":{"id":"41"},"recipient":{"id":"178"},"timestamp":1,"message":"x"}`)),
			`{"object":"instagram","entry":[{"id":"178","changes":[{"value":{"text":"x"}}]}]}`,
		},
		Empty: []string{`{}`, `{"object":"instagram","entry":[]}`, string(call(""))},
		Foreign: []string{
			`{"object":"page","entry":[{"id":"1","messaging":[` + item(1, "x") + `]}]}`,
			`{"object":"whatsapp_business_account","entry":[]}`,
			`{"update_id":1,"message":{"message_id":1,"text":"x"}}`, `{"destination":"U1","events":[]}`,
			`{"event":"message","timestamp":1,"sender":{"id":"41"},"message":{"text":"x","type":"text"}}`,
		},
		Conversation: "41",
		Success:      channeltest.Answer{Status: 200, Body: `{"recipient_id":"41","message_id":"m_77"}`},
		MessageID:    "m_77",
		MaxText:      1000,
		Errors:       cases,
	})
}

func TestNewSaysAllAtOnce(t *testing.T) {
	_, err := instagram.New(instagram.Config{
		AccountID: "x", AppID: "x", Login: "myspace", AccessToken: channel.NewSecret("top secret"),
		API: "http://example.org", Version: "26", Media: []string{"ftp://x"}, Timeout: -1,
	})
	if sotto.KindOf(err) != sotto.KindInvalid {
		t.Fatal(err)
	}
	for _, word := range []string{"account_id", "app_id", "login", "app_secret", "verify_token", "access_token", "api", "version", "media", "timeout", "client"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "top secret") {
		t.Error("the error shows a secret")
	}
	_, err = instagram.New(instagram.Config{
		Login: "myspace", AppSecrets: channel.Secrets{channel.NewSecret("s")}, VerifyToken: channel.NewSecret("v"),
		AccessToken: channel.NewSecret("t"), Client: http.DefaultClient,
	})
	if sotto.KindOf(err) != sotto.KindInvalid || !strings.Contains(err.Error(), "login") {
		t.Error(err)
	}
}

// TestBases: where the calls go follows from the login, and the other way round.
func TestBases(t *testing.T) {
	media := []string{"https://*.fbcdn.net", "https://*.fbsbx.com", "https://*.cdninstagram.com"}
	for _, tt := range []struct {
		c    instagram.Config
		want []string
	}{
		{instagram.Config{}, append([]string{"https://graph.instagram.com"}, media...)},
		{instagram.Config{Login: instagram.LoginFacebook}, append([]string{"https://graph.facebook.com"}, media...)},
		{instagram.Config{API: "https://graph.facebook.com/"}, append([]string{"https://graph.facebook.com/"}, media...)},
		{instagram.Config{API: "https://x.example", Media: []string{"https://y.example"}}, []string{"https://x.example", "https://y.example"}},
	} {
		if diff := cmp.Diff(tt.want, tt.c.Bases()); diff != "" {
			t.Error(diff)
		}
	}
}

// TestSendForm: what goes out, with either login.
func TestSendForm(t *testing.T) {
	for login, query := range map[instagram.Login]string{
		instagram.LoginInstagram: "",
		instagram.LoginFacebook:  "appsecret_proof=" + strings.TrimPrefix(sign("first secret", []byte(token)), "sha256="),
	} {
		var bodies []string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v26.0/me/messages" || r.URL.RawQuery != query || r.Header.Get("Authorization") != "Bearer "+token {
				t.Errorf("%s?%s", r.URL.Path, r.URL.RawQuery)
			}
			var v any
			if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
				t.Error(err)
			}
			b, err := json.Marshal(v)
			if err != nil {
				t.Error(err)
			}
			bodies = append(bodies, string(b))
			_, _ = w.Write([]byte(`{"recipient_id":"41","message_id":"m_1"}`))
		}))
		a, err := instagram.New(instagram.Config{
			Login: login, AppSecrets: channel.Secrets{channel.NewSecret("first secret")}, VerifyToken: channel.NewSecret("verify"),
			AccessToken: channel.NewSecret(token), API: srv.URL, Client: srv.Client(),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []*channel.Outgoing{
			{Conversation: "41", Text: "Pick", Buttons: []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No"}}},
			{Conversation: "41", Text: strings.Repeat("\U0001F600", 300)}, // 1200 bytes, 600 UTF-16 units
		} {
			if _, err := a.Send(t.Context(), m); err != nil {
				t.Error(err)
			}
		}
		want := []string{
			`{"message":{"quick_replies":[{"content_type":"text","payload":"Y","title":"Yes"},{"content_type":"text","payload":"No","title":"No"}],"text":"Pick"},"recipient":{"id":"41"}}`,
			`{"message":{"text":"` + strings.Repeat("\U0001F600", 250) + `"},"recipient":{"id":"41"}}`,
			`{"message":{"text":"` + strings.Repeat("\U0001F600", 50) + `"},"recipient":{"id":"41"}}`,
		}
		if diff := cmp.Diff(want, bodies); diff != "" {
			t.Error(diff)
		}
		srv.Close()
	}
}

type fixture struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Body   string `json:"body"`
	Expect struct {
		Sender string `json:"sender_id"`
		Events int    `json:"events"`
	} `json:"expect"`
}

func fixtures(tb testing.TB) []fixture {
	tb.Helper()
	b, err := os.ReadFile("testdata/fixtures.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	var list []fixture
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		var f fixture
		if err := json.Unmarshal(s.Bytes(), &f); err != nil {
			tb.Fatal(err)
		}
		list = append(list, f)
	}
	if len(list) != 4 {
		tb.Fatalf("%d fixtures", len(list))
	}
	return list
}

func TestFixtures(t *testing.T) {
	for _, f := range fixtures(t) {
		b, err := instagram.Decode([]byte(f.Body))
		if err != nil || len(b.Events) != f.Expect.Events || b.Unknown != 0 {
			t.Errorf("%s: %+v, %v", f.ID, b, err)
			continue
		}
		e := b.Events[0]
		if f.Kind == "read" {
			if e.Kind != sotto.EventReceipt || e.Sender != f.Expect.Sender || e.ID != "MESSAGE-ID" || e.Time.UnixMilli() != 1668022333735 {
				t.Errorf("%s: %+v", f.ID, e)
			}
			continue
		}
		// The rows do not say who commented, nor what.
		if e.Kind != sotto.EventOther || e.ID != "123456789" || e.Text != "This is an example." || e.Conversation != "" || e.Time.Unix() != 1519399307 {
			t.Errorf("%s: %+v", f.ID, e)
		}
	}
}

func TestDecodeOtherAccount(t *testing.T) {
	a, err := instagram.New(instagram.Config{
		AccountID: "178", AppSecrets: channel.Secrets{channel.NewSecret("s")}, VerifyToken: channel.NewSecret("v"),
		AccessToken: channel.NewSecret("t"), Client: http.DefaultClient,
	})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"object":"instagram","entry":[{"messaging":[` + item(1, "a") + `],"id":"179"},{"id":"178","messaging":[` + item(2, "b") + `]}]}`
	b, err := a.Decode([]byte(body))
	if err != nil || len(b.Events) != 1 || b.Events[0].ID != "m_2" || b.Unknown != 1 {
		t.Error(b, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add([]byte(x.Body))
	}
	f.Add(call(item(1, "x")))
	f.Add([]byte(item(1, "x")))
	f.Add([]byte(`[{"entry":[{"field":"messages","value":[` + item(1, "x") + `],"changed_fields":["a"]}],"sample":{"field":"x","value":{}}}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := instagram.Decode(body)
		again, errAgain := instagram.Decode(body)
		if diff := cmp.Diff(b, again); diff != "" || (err == nil) != (errAgain == nil) {
			t.Fatal("decoding twice differs", diff)
		}
		if err == nil && !json.Valid(body) {
			t.Fatal("decoded what is not JSON")
		}
		if err != nil && (len(b.Events) > 0 || b.Unknown > 0) {
			t.Fatal("an error and events")
		}
		if len(b.Events)+b.Unknown > len(body) {
			t.Fatal("more events than bytes")
		}
		for _, e := range b.Events {
			if e.Delivery == "" || e.Kind == "" {
				t.Fatal("event without a delivery key or kind")
			}
			for _, s := range []string{e.ID, e.Delivery, e.Account, e.Sender, e.Conversation, e.Text, e.Payload} {
				if !utf8.ValidString(s) {
					t.Fatal("not UTF-8")
				}
			}
		}
	})
}
