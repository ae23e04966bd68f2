package viber_test

import (
	"net/http"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/viber"
)

func TestPlayerHears(t *testing.T) {
	p := viber.Player(play.Config{})
	opened, err := p.Webhook(play.Act{Kind: sotto.EventJoin, User: "U1="})
	if err != nil {
		t.Fatal(err)
	}
	wrote, err := p.Webhook(play.Act{Kind: sotto.EventMessage, User: "U1=", Text: "hi"})
	if err != nil {
		t.Fatal(err)
	}
	l, ok := p.(play.Listener)
	if !ok {
		t.Fatal("Viber does not read answers")
	}
	for name, c := range map[string]struct {
		w      play.Webhook
		status int
		body   string
		text   string
		ok     bool
	}{
		"welcome":              {opened, 200, `{"type":"text","text":"Hello!","sender":{"name":"Shop"}}`, "Hello!", true},
		"none":                 {opened, 200, ``, "", true},
		"welcome of nobody":    {opened, 200, `{"type":"text","text":"Hello!"}`, "", false},
		"welcome that is none": {opened, 200, `hello`, "", false},
		"where none is read":   {wrote, 200, `{"type":"text","text":"Hello!"}`, "", true},
		"refused":              {wrote, 401, ``, "", false},
	} {
		shown, err := l.Heard(c.w, c.status, http.Header{}, []byte(c.body))
		if (err == nil) != c.ok || len(shown) > 1 || (len(shown) == 1) != (c.text != "") || len(shown) == 1 && (shown[0].Text != c.text || shown[0].To != "U1=") {
			t.Errorf("%s: %+v, %v", name, shown, err)
		}
	}
}
