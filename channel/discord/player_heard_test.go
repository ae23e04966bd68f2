package discord_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/discord"
	"github.com/sotto-chat/sotto/channel/play"
)

func TestPlayerHears(t *testing.T) {
	p := discord.Player(play.Config{})
	asked, err := p.Webhook(play.Act{Kind: sotto.EventMessage, Text: "hi"})
	if err != nil {
		t.Fatal(err)
	}
	l, ok := p.(play.Listener)
	if !ok {
		t.Fatal("Discord does not read answers")
	}
	for name, c := range map[string]struct {
		status int
		kind   string
		body   string
		want   string // kind and text
		ok     bool
	}{
		"thinking":     {200, "application/json", `{"type":5}`, "typing", true},
		"at once":      {200, "application/json; charset=utf-8", `{"type":4,"data":{"content":"Hello!"}}`, "messageHello!", true},
		"nothing to":   {200, "application/json", `{"type":6}`, "", true},
		"empty":        {200, "application/json", `{"type":4,"data":{"content":" "}}`, "", false},
		"too long":     {200, "application/json", `{"type":4,"data":{"content":"` + strings.Repeat("é", 2001) + `"}}`, "", false},
		"no answer":    {200, "", ``, "", false},
		"no JSON":      {200, "text/plain", `{"type":5}`, "", false},
		"unknown type": {200, "application/json", `{"type":77}`, "", false},
		"refused":      {401, "application/json", `{"type":5}`, "", false},
	} {
		shown, err := l.Heard(asked, c.status, http.Header{"Content-Type": {c.kind}}, []byte(c.body))
		got := ""
		for _, x := range shown {
			got += x.Kind + x.Text
		}
		if (err == nil) != c.ok || got != c.want {
			t.Errorf("%s: %+v, %v", name, shown, err)
		}
	}
}
