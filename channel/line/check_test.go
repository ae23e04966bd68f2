package line_test

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
	"github.com/sotto-chat/sotto/channel/line"
)

// What is wrong is said in words, with what to do, and nothing else of it.
func TestCheckFindsFaults(t *testing.T) {
	answers := map[string]string{}
	status := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Tue, 14 Nov 2023 22:13:20 GMT")
		if s := status[r.URL.Path]; s != 0 {
			w.WriteHeader(s)
		}
		_, _ = io.WriteString(w, answers[r.URL.Path])
	}))
	defer srv.Close()
	now := time.Unix(1700000000, 0)
	a, err := line.New(line.Config{
		Secrets: channel.Secrets{channel.NewSecret("s")}, Token: channel.NewSecret(token), API: srv.URL, Client: srv.Client(),
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	const info, hook, quota, used = "/v2/bot/info", "/v2/bot/channel/webhook/endpoint", "/v2/bot/message/quota", "/v2/bot/message/quota/consumption"
	well := func() {
		now = time.Unix(1700000020, 0)
		clear(status)
		answers = map[string]string{
			info: `{"basicId":"@shop","chatMode":"bot"}`, hook: `{"endpoint":"https://bot.example/h","active":true}`,
			quota: `{"type":"limited","value":200}`, used: `{"totalUsage":199}`, "/v2/bot/channel/webhook/test": `{"success":false,"statusCode":401,"reason":"ERROR_STATUS_CODE"}`,
		}
	}
	for _, tt := range []struct {
		name   string
		change func()
		want   string // in the finding that is wrong; "" = none is
	}{
		{"all well", func() {}, ""},
		{"no limit", func() { answers[quota] = `{"type":"none"}` }, ""},
		{"chat as well", func() { answers[info] = `{"basicId":"@shop","chatMode":"chat"}` }, ""},
		{"clock ahead", func() { now = time.Unix(1700000031, 0) }, "31s off"},
		{"clock behind", func() { now = time.Unix(1699999900, 0) }, "-1m40s off"},
		{"not in use", func() { answers[hook] = `{"endpoint":"https://bot.example/h","active":false}` }, "not in use"},
		{"quota used up", func() { answers[used] = `{"totalUsage":200}` }, "200 of the month's 200"},
		{"elsewhere", func() { answers[hook] = `{"endpoint":"https://evil.example/?secret","active":true}` }, "another address"},
	} {
		well()
		tt.change()
		found, err := a.Check(t.Context(), channel.Installation{Webhook: "https://bot.example/h"})
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
	for _, path := range []string{info, hook, quota, used} {
		well()
		status[path] = http.StatusUnauthorized
		var e *channel.SendError
		if _, err := a.Check(t.Context(), channel.Installation{}); !errors.As(err, &e) || e.Class != channel.Auth {
			t.Errorf("%s: %v", path, err)
		}
		well()
		answers[path] = `[]`
		if _, err := a.Check(t.Context(), channel.Installation{}); sotto.KindOf(err) != sotto.KindUnavailable {
			t.Errorf("%s: %v", path, err)
		}
	}
	well()
	steps, err := a.Install(t.Context(), channel.Installation{Webhook: "https://bot.example/h"})
	if err != nil || !steps[0].Done {
		t.Fatal(steps, err)
	}
	if err := steps[2].Do(t.Context()); err == nil || !strings.Contains(err.Error(), "ERROR_STATUS_CODE, status 401") {
		t.Error(err)
	}
	status[hook] = http.StatusInternalServerError
	if _, err := a.Install(t.Context(), channel.Installation{Webhook: "https://bot.example/h"}); err == nil {
		t.Error("installed without asking")
	}
}
