package whatsapp_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/whatsapp"
)

func wanted() channel.Installation {
	return channel.Installation{
		Webhook: "https://bot.example/hook/whatsapp/shop", Privacy: "https://bot.example/privacy",
		Commands: []channel.Command{{Name: "privacy", Text: "What is kept about you"}, {Name: "stop", Text: "No more messages"}},
	}
}

// A number is set up, every step is done then, and nothing is wrong any more.
func TestInstallPlayed(t *testing.T) {
	n := played(t)
	found, err := n.Check(t.Context(), wanted())
	if err != nil {
		t.Fatal(err)
	}
	if got := wrong(found); len(got) != 2 || !strings.Contains(got[0], "no message arrives") || !strings.Contains(got[1], "No webhook") {
		t.Errorf("before: %q", got)
	}
	for round := range 3 { // doing a step twice does no harm
		steps, err := n.Install(t.Context(), wanted())
		if err != nil || len(steps) != 6 {
			t.Fatal(len(steps), err)
		}
		for i, s := range steps {
			if i >= 4 {
				if s.Hand == "" || s.Do != nil {
					t.Errorf("%+v", s)
				}
				continue
			}
			if s.Text == "" || s.Hand != "" || s.Done != (round > 0) {
				t.Errorf("round %d: %q done %v, by hand %q", round, s.Text, s.Done, s.Hand)
			}
			if s.Do == nil {
				continue
			}
			if err := s.Do(t.Context()); err != nil {
				t.Errorf("%s: %v", s.Text, err)
			}
		}
	}
	found, err = n.Check(t.Context(), wanted())
	if err != nil || len(wrong(found)) != 0 || len(found) != 4 {
		t.Errorf("after: %q, %v", wrong(found), err)
	}
	other := wanted()
	other.Webhook = "https://elsewhere.example/"
	if found, err = n.Check(t.Context(), other); err != nil || len(wrong(found)) != 1 {
		t.Errorf("another address: %q, %v", wrong(found), err)
	}
}

func wrong(found []channel.Finding) (list []string) {
	for _, f := range found {
		if !f.OK {
			list = append(list, f.Text+" "+f.Fix)
		}
	}
	return list
}

// Without ids of the app and the account there is something to do by hand.
func TestInstallByHand(t *testing.T) {
	a := start(t, func(http.ResponseWriter, *http.Request) { t.Error("a call") }, func(c *whatsapp.Config) { c.PhoneNumberID = "" })
	steps, err := a.Install(t.Context(), wanted())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.Hand == "" || s.Do != nil || s.Done {
			t.Errorf("%+v", s)
		}
	}
	if !strings.Contains(steps[0].Hand, wanted().Webhook) {
		t.Error("the first step does not name the address")
	}
}

func TestCheck(t *testing.T) {
	const goodToken = `{"data":{"app_id":"7","is_valid":true,"expires_at":0,"scopes":["whatsapp_business_messaging","whatsapp_business_management"]}}`
	const goodNumber = `{"display_phone_number":"+1 555","verified_name":"Shop","status":"CONNECTED","quality_rating":"GREEN","name_status":"APPROVED"}`
	const goodApps = `{"data":[{"whatsapp_business_api_data":{"id":"7"}}]}`
	const goodHook = `{"data":[{"object":"page"},{"object":"whatsapp_business_account","callback_url":"https://bot.example/hook/whatsapp/shop","active":true,"fields":[{"name":"messages"},{"name":"user_preferences"},{"name":"group_lifecycle_update"},{"name":"group_participants_update"}]}]}`
	now := time.Unix(1700000000, 0)
	for _, tt := range []struct {
		name                      string
		token, number, apps, hook string
		skew                      time.Duration
		want                      []string
	}{
		{"all well", goodToken, goodNumber, goodApps, goodHook, 20 * time.Second, nil},
		{"token not valid", `{"data":{"app_id":"7","is_valid":false,"scopes":["whatsapp_business_messaging","whatsapp_business_management"]}}`, goodNumber, goodApps, goodHook, 0, []string{"not valid"}},
		{"token of another app", strings.Replace(goodToken, `"7"`, `"8"`, 1), goodNumber, goodApps, goodHook, 0, []string{"another app"}},
		{"token for a day", strings.Replace(goodToken, `"expires_at":0`, `"expires_at":1700080000`, 1), goodNumber, goodApps, goodHook, 0, []string{"ends on 15 November 2023"}},
		{"no permissions", `{"data":{"app_id":"7","is_valid":true}}`, goodNumber, goodApps, goodHook, 0, []string{"whatsapp_business_messaging", "whatsapp_business_management"}},
		{"clock", goodToken, goodNumber, goodApps, goodHook, 40 * time.Second, []string{"40s apart"}},
		{"not connected", goodToken, strings.Replace(goodNumber, "CONNECTED", "PENDING", 1), goodApps, goodHook, 0, []string{"PENDING"}},
		{"low quality", goodToken, strings.Replace(goodNumber, "GREEN", "RED", 1), goodApps, goodHook, 0, []string{"RED"}},
		{"name declined", goodToken, strings.Replace(goodNumber, "APPROVED", "DECLINED", 1), goodApps, goodHook, 0, []string{"DECLINED"}},
		{"another app is told", goodToken, goodNumber, strings.Replace(goodApps, `"7"`, `"8"`, 1), goodHook, 0, []string{"does not tell the app"}},
		{"no webhook", goodToken, goodNumber, goodApps, `{"data":[]}`, 0, []string{"No webhook"}},
		{"switched off", goodToken, goodNumber, goodApps, strings.Replace(goodHook, `"active":true`, `"active":false`, 1), 0, []string{"switched off"}},
		{"a field is missing", goodToken, goodNumber, goodApps, strings.Replace(goodHook, `"messages"`, `"calls"`, 1), 0, []string{"messages: no message arrives"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := start(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", now.Add(tt.skew).UTC().Format(http.TimeFormat))
				answers := map[string]string{
					"/v26.0/debug_token": tt.token, "/v26.0/900": tt.number, "/v26.0/5/subscribed_apps": tt.apps, "/v26.0/7/subscriptions": tt.hook,
				}
				_, _ = w.Write([]byte(answers[r.URL.Path]))
			}, func(c *whatsapp.Config) {
				c.AppID, c.BusinessAccountID, c.Now = "7", "5", func() time.Time { return now }
			})
			found, err := a.Check(t.Context(), wanted())
			if err != nil {
				t.Fatal(err)
			}
			got := wrong(found)
			if len(got) != len(tt.want) {
				t.Fatalf("%q, want %q", got, tt.want)
			}
			for i := range got {
				if !strings.Contains(got[i], tt.want[i]) {
					t.Errorf("%q is not about %q", got[i], tt.want[i])
				}
			}
			for _, f := range found {
				if strings.Contains(f.Text+f.Fix, token) || strings.Contains(f.Text+f.Fix, "first secret") || f.OK == (f.Fix != "") {
					t.Errorf("%+v", f)
				}
			}
		})
	}
	a := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":{"code":190}}`))
	}, nil)
	if _, err := a.Check(t.Context(), wanted()); class(err) != channel.Auth {
		t.Error(err)
	}
	var zero whatsapp.Adapter
	if _, err := zero.Check(t.Context(), wanted()); err == nil {
		t.Error("the zero value checks")
	}
}
