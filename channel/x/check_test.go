package x_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/x"
)

// What is wrong is said in words, with what to do, and nothing else of it.
func TestCheckFindsFaults(t *testing.T) {
	answers := map[string]string{}
	var status string // the path that is refused
	var calls []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls = append(calls, r.Method+" "+r.URL.Path)
		w.Header().Set("Date", "Tue, 14 Nov 2023 22:13:20 GMT")
		if r.URL.Path == status {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, answers[r.URL.Path])
	}))
	defer srv.Close()
	const me, hooks, subs = "/2/users/me", "/2/webhooks", "/2/activity/subscriptions"
	clock := int64(now)
	well := func() {
		clock, status = now+20, ""
		sub := func(event string) string {
			return `{"subscription_id":"1","event_type":"` + event + `","filter":{"user_id":"900"},"webhook_id":"7"}`
		}
		answers = map[string]string{
			me:    `{"data":{"id":"900","username":"shop"}}`,
			hooks: `{"data":[{"id":"6","url":"https://old.example","valid":true},{"id":"7","url":"https://bot.example/h","valid":true}]}`,
			subs:  `{"data":[` + sub("dm.received") + `,` + sub("dm.sent") + `,` + sub("dm.read") + `]}`,
		}
	}
	with := func(change ...func(*x.Config)) *x.Adapter {
		return adapter(t, append([]func(*x.Config){func(c *x.Config) {
			c.API, c.Client, c.AppToken = srv.URL, srv.Client(), channel.NewSecret("app")
			c.ConsumerKey, c.TokenSecret = channel.NewSecret("key"), channel.NewSecret("hush")
			c.Now = func() time.Time { return time.Unix(clock, 0) }
		}}, change...)...)
	}
	want := channel.Installation{Webhook: "https://bot.example/h"}
	for _, tt := range []struct {
		name   string
		config func(*x.Config)
		change func()
		want   string // in the findings that are wrong; "" = none is
	}{
		{"all well", nil, func() {}, ""},
		{"any account", func(c *x.Config) { c.UserID = "" }, func() {}, ""},
		{"another account", func(c *x.Config) { c.UserID = "901" }, func() {}, "another account"},
		{"a token that ends", func(c *x.Config) { c.ConsumerKey, c.TokenSecret = channel.Secret{}, channel.Secret{} }, func() {}, "two hours"},
		{"no app token", func(c *x.Config) { c.AppToken = channel.Secret{} }, func() {}, "no app_token"},
		{"clock", nil, func() { clock = now + 31 }, "31s off"},
		{"not valid", nil, func() { answers[hooks] = strings.ReplaceAll(answers[hooks], "true", "false") }, "invalid"},
		{"elsewhere", nil, func() { answers[hooks] = `{"data":[{"id":"6","url":"https://evil.example/?secret","valid":true}]}` }, "another address"},
		{"none", nil, func() { answers[hooks] = `{"meta":{"result_count":0}}` }, "no webhook"},
		{"subscribed elsewhere", nil, func() { answers[subs] = strings.Replace(answers[subs], `"7"`, `"6"`, 1) }, "(dm.received) do not reach"},
		{"another subscribed", nil, func() { answers[subs] = strings.Replace(answers[subs], `"900"`, `"901"`, 1) }, "(dm.received) do not reach"},
		{"id that is a path", nil, func() { answers[hooks] = strings.Replace(answers[hooks], `"7"`, `"../7"`, 1) }, "another address"},
	} {
		well()
		tt.change()
		a := with()
		if tt.config != nil {
			a = with(tt.config)
		}
		found, err := a.Check(t.Context(), want)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		got := ""
		for _, f := range found {
			if !f.OK {
				got += f.Text
			}
			if strings.Contains(f.Text+f.Fix, "evil") || strings.Contains(f.Text+f.Fix, token) || !f.OK && f.Fix == "" {
				t.Errorf("%s: %+v", tt.name, f)
			}
		}
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
	for _, path := range []string{me, hooks, subs} {
		well()
		status = path
		var e *channel.SendError
		if _, err := with().Check(t.Context(), want); !errors.As(err, &e) || e.Class != channel.Auth {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := with().Install(t.Context(), want); !errors.As(err, &e) || e.Class != channel.Auth {
			t.Errorf("%s: %v", path, err)
		}
		well()
		answers[path] = `[]`
		if _, err := with().Check(t.Context(), want); sotto.KindOf(err) != sotto.KindUnavailable {
			t.Errorf("%s: %v", path, err)
		}
	}
	// A webhook that is not valid is asked again, and what comes of it is told.
	well()
	answers[hooks] = strings.ReplaceAll(answers[hooks], "true", "false")
	steps, err := with().Install(t.Context(), want)
	if err != nil || steps[1].Done || !steps[2].Done {
		t.Fatalf("%+v, %v", steps, err)
	}
	calls = nil
	if err := steps[1].Do(t.Context()); sotto.KindOf(err) != sotto.KindUnavailable || len(calls) != 3 || calls[1] != "PUT /2/webhooks/7" {
		t.Errorf("%v, %q", err, calls)
	}
	well()
	for name, addr := range map[string]string{"clear": "http://bot.example/h", "port": "https://bot.example:8443/h", "long": "https://bot.example/" + strings.Repeat("a", 200), "none": ""} {
		if _, err := with().Install(t.Context(), channel.Installation{Webhook: addr}); sotto.KindOf(err) != sotto.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := with(func(c *x.Config) { c.AppToken = channel.Secret{} }).Install(t.Context(), want); sotto.KindOf(err) != sotto.KindInvalid {
		t.Error(err)
	}
	if _, err := (&x.Adapter{}).Check(t.Context(), want); err == nil {
		t.Error("the zero value checks")
	}
}
