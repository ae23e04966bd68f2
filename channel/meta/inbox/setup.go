package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// Setup is how an account is set up on one of the networks.
type Setup struct {
	// What is the network's word for an account: "page".
	What string
	// Fields are what the account must tell the app about.
	Fields []Field
	// Any: the account need only tell the app about anything at all, for which
	// the first of Fields is used; the app's own settings choose the rest.
	Any bool
	// Scopes are the permissions that the access token must have.
	Scopes []string
	// Edge: the app's webhook can be set over the API, with the app's id.
	Edge bool
	// Webhook, Token, Basics and Wishes say where in Meta's console the webhook
	// is set, where an access token is made, where the privacy notice is named,
	// and where the addresses for wishes to be deleted are.
	Webhook, Token, Basics, Wishes string
	// Platform is said in calls of the messenger_profile, "" = nothing is.
	Platform string
	// Welcome: the welcome screen has a button to begin with, and a greeting.
	Welcome bool
	// Questions: a conversation can be begun with one of up to four questions.
	Questions bool
}

// Field is a webhook field.
type Field struct {
	Name string
	Loss string // what is lost without it
}

// names are the names of the fields.
func (s *Setup) names() []string {
	var out []string
	for _, f := range s.Fields {
		out = append(out, f.Name)
	}
	return out
}

// identity is whose token it is.
type identity struct {
	ID   string `json:"id"`
	User string `json:"user_id"` // Instagram: the id that webhooks give
	date string
}

func (a *Account) identity(ctx context.Context) (identity, error) {
	var who identity
	fields := "fields=id"
	if a.net.Setup.Platform != "" && !a.net.Prove { // the API of Instagram itself
		fields = "fields=id,user_id"
	}
	date, err := a.ask(ctx, "/me", fields, a.token, &who)
	who.date = date
	return who, err
}

// application returns the id of the app that the token was made for, "" if
// Meta does not say. The configured one is not asked for.
func (a *Account) application(ctx context.Context) string {
	if a.app != "" || !a.net.Prove {
		return a.app
	}
	var app struct {
		ID string `json:"id"`
	}
	if _, err := a.ask(ctx, "/app", "fields=id", a.token, &app); err != nil {
		return ""
	}
	return app.ID
}

// subscribed returns the fields that the account tells the app about. Where
// the app is not known those of all apps count, and are not surely its own.
func (a *Account) subscribed(ctx context.Context) (have []string, own bool, err error) {
	var apps struct {
		Data []struct {
			ID     string   `json:"id"`
			Fields []string `json:"subscribed_fields"`
		} `json:"data"`
	}
	if _, err := a.ask(ctx, "/me/subscribed_apps", "", a.token, &apps); err != nil {
		return nil, false, err
	}
	id := a.application(ctx)
	for _, app := range apps.Data {
		if id == "" || app.ID == "" || app.ID == id {
			have = append(have, app.Fields...)
		}
	}
	return have, id != "" || len(apps.Data) < 2 && !a.net.Prove, nil
}

// hookState is what the app's own settings say of the webhook.
type hookState struct {
	address string
	active  bool
	fields  []string
}

// hook asks for the app's webhook.
func (a *Account) hookState(ctx context.Context) (hookState, error) {
	var list struct {
		Data []struct {
			Object string `json:"object"`
			URL    string `json:"callback_url"`
			Active bool   `json:"active"`
			Fields []struct {
				Name string `json:"name"`
			} `json:"fields"`
		} `json:"data"`
	}
	if _, err := a.ask(ctx, "/"+a.app+"/subscriptions", "", a.appToken(), &list); err != nil {
		return hookState{}, err
	}
	for _, d := range list.Data {
		if d.Object != a.net.Object {
			continue
		}
		h := hookState{address: d.URL, active: d.Active}
		for _, f := range d.Fields {
			h.fields = append(h.fields, f.Name)
		}
		return h, nil
	}
	return hookState{}, nil
}

// appToken is what proves the app itself.
func (a *Account) appToken() channel.Secret {
	return channel.NewSecret(a.app + "|" + a.secret.Reveal())
}

// byApp reports whether the app's own settings can be read and changed.
func (a *Account) byApp() bool { return a.net.Setup.Edge && a.app != "" }

// profile is what people see before they write.
type profile struct {
	Started struct {
		Payload string `json:"payload"`
	} `json:"get_started"`
	Greeting []greeting `json:"greeting"`
	Menu     []actions  `json:"persistent_menu"`
	Breakers []actions  `json:"ice_breakers"`
}

type greeting struct {
	Locale string `json:"locale"`
	Text   string `json:"text"`
}

// actions are a menu or questions, for the people of one language.
type actions struct {
	Locale  string   `json:"locale"`
	Actions []action `json:"call_to_actions"`
}

type action struct {
	Type     string `json:"type,omitempty"`
	Title    string `json:"title,omitempty"`
	Question string `json:"question,omitempty"`
	Payload  string `json:"payload,omitempty"`
	URL      string `json:"url,omitempty"`
}

// usual are the actions for everybody whose language has none of its own.
func usual(list []actions) []action {
	for _, l := range list {
		if l.Locale == "default" || l.Locale == "" {
			return l.Actions
		}
	}
	return nil
}

// query is what calls of the profile say beside their fields.
func (a *Account) platform() string {
	if a.net.Setup.Platform == "" {
		return ""
	}
	return "platform=" + a.net.Setup.Platform
}

func (a *Account) profile(ctx context.Context) (profile, error) {
	fields := []string{"persistent_menu"}
	if a.net.Setup.Welcome {
		fields = append(fields, "get_started", "greeting")
	}
	if a.net.Setup.Questions {
		fields = append(fields, "ice_breakers")
	}
	query := "fields=" + strings.Join(fields, ",")
	if p := a.platform(); p != "" {
		query += "&" + p
	}
	var list struct {
		Data []profile `json:"data"`
	}
	_, err := a.ask(ctx, "/me/messenger_profile", query, a.token, &list)
	var e *channel.SendError
	if errors.As(err, &e) && e.Class == channel.Bad {
		return profile{}, nil // one that was never made
	}
	var all profile
	for _, p := range list.Data { // one element, or one for each property
		if p.Started.Payload != "" {
			all.Started = p.Started
		}
		all.Greeting = append(all.Greeting, p.Greeting...)
		all.Menu = append(all.Menu, p.Menu...)
		all.Breakers = append(all.Breakers, p.Breakers...)
	}
	return all, err
}

// ask reads something of the API. It returns when Meta answered, by its clock.
func (a *Account) ask(ctx context.Context, path, query string, token channel.Secret, into any) (date string, err error) {
	ans, err := a.request(ctx, http.MethodGet, path, query, token, nil, "")
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(ans.body, into); err != nil {
		return "", &channel.SendError{Class: channel.Retry, Code: "answer"}
	}
	return ans.date, nil
}

// change changes something over the API; what is a form or else becomes JSON.
func (a *Account) change(ctx context.Context, path, query string, token channel.Secret, what any) error {
	kind := "application/json"
	var body []byte
	if form, ok := what.(url.Values); ok {
		kind, body = "application/x-www-form-urlencoded", []byte(form.Encode())
	} else {
		var err error
		if body, err = json.Marshal(what); err != nil {
			return bad("form")
		}
	}
	ans, err := a.request(ctx, http.MethodPost, path, query, token, body, kind)
	if err != nil {
		return err
	}
	var said struct {
		Success *bool  `json:"success"`
		Result  string `json:"result"` // of the profile: "success"
	}
	if json.Unmarshal(ans.body, &said) != nil || said.Success != nil && !*said.Success || said.Success == nil && said.Result == "" {
		return bad("refused")
	}
	return nil
}

func (a *Account) request(ctx context.Context, method, path, query string, token channel.Secret, body []byte, kind string) (answer, error) {
	if a.client == nil {
		return answer{}, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	as := *a
	if token != a.token { // the proof belongs to the account's own token
		as.token, as.proof = token, channel.Secret{}
	}
	to, err := as.endpoint(method, path, query)
	if err != nil {
		return answer{}, bad("address")
	}
	return a.call(ctx, to, body, kind)
}

// missing are the fields that are not among those there are.
func missing(want, have []string) []string {
	return slices.DeleteFunc(slices.Clone(want), func(f string) bool { return slices.Contains(have, f) })
}

// union is both lists without repetition, in a fixed order.
func union(x, y []string) []string {
	all := slices.Concat(x, y)
	slices.Sort(all)
	return slices.Compact(all)
}

// fits cuts a text to what a menu shows.
func fits(text string, most int) string {
	parts := wire.AppendSplit(nil, strings.Join(strings.Fields(text), " "), most, wire.Units)
	if len(parts) == 0 {
		return ""
	}
	return parts[0]
}
