package inboxplay

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sotto-chat/sotto/channel/play"
)

// subscription is the app's webhook.
type subscription struct {
	URL    string
	Word   string
	Fields []string
}

func done(what string) (any, []play.Shown, *fault) {
	return obj{"success": true}, []play.Shown{{Kind: "setup", Text: what}}, nil
}

// subscribedApps is which fields the account tells the app about.
func (p *player) subscribedApps(f *form, post bool) (any, []play.Shown, *fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if post {
		fields := f.list("subscribed_fields")
		if len(fields) == 0 {
			return nil, nil, wrong("Param subscribed_fields must be non-empty")
		}
		p.fields = fields
		return done("fields " + strings.Join(fields, ","))
	}
	data := []obj{}
	if len(p.fields) > 0 {
		data = append(data, obj{"id": playedApp, "name": "Played", "subscribed_fields": p.fields})
	}
	return obj{"data": data}, nil, nil
}

// subscriptions is the app's webhook. Meta asks the new address before it
// agrees; a player makes no calls, and leaves that to whoever drives it.
func (p *player) subscriptions(f *form, post bool) (any, []play.Shown, *fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !post {
		data := []obj{}
		if p.hook.URL != "" {
			fields := []obj{}
			for _, name := range p.hook.Fields {
				fields = append(fields, obj{"name": name, "version": "v26.0"})
			}
			data = append(data, obj{"object": p.net.Object, "callback_url": p.hook.URL, "active": true, "fields": fields})
		}
		return obj{"data": data}, nil, nil
	}
	s := subscription{URL: f.text("callback_url"), Word: f.text("verify_token"), Fields: f.list("fields")}
	switch {
	case f.text("object") != p.net.Object:
		return nil, nil, wrong("Param object must be one of {" + p.net.Object + "}")
	case !strings.HasPrefix(s.URL, "https://"):
		return nil, nil, wrong("callback_url must be a secure address")
	case s.Word != p.word():
		return nil, nil, &fault{400, 2200, 0, "(#2200) Callback verification failed"}
	case len(s.Fields) == 0:
		return nil, nil, wrong("The parameter fields is required")
	}
	p.hook = s
	return done("webhook " + s.URL)
}

// messengerProfile is what people see before they write.
func (p *player) messengerProfile(f *form, post bool) (any, []play.Shown, *fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := []string{"persistent_menu", "ice_breakers"}
	if p.net.Welcome {
		names = append(names, "get_started", "greeting")
	}
	if !post {
		data := obj{}
		for _, name := range f.list("fields") {
			if !slices.Contains(names, name) {
				return nil, nil, wrong("Tried accessing nonexisting field (" + name + ")")
			}
			if v, ok := p.profile[name]; ok {
				data[name] = v
			}
		}
		if len(data) == 0 {
			return obj{"data": []obj{}}, nil, nil
		}
		return obj{"data": []obj{data}}, nil, nil
	}
	var set []string
	for _, name := range names {
		v, ok := f.v[name]
		if !ok {
			continue
		}
		if refused := p.checkProfile(name, v, f); refused != nil {
			return nil, nil, refused
		}
		set = append(set, name)
	}
	if len(set) == 0 {
		return nil, nil, wrong("Requires one of the params: " + strings.Join(names, ","))
	}
	for _, name := range set {
		p.profile[name] = f.v[name]
	}
	return obj{"result": "success"}, []play.Shown{{Kind: "setup", Text: strings.Join(set, ",")}}, nil
}

// property is what all properties of the profile have in common.
type property struct {
	Locale  string `json:"locale"`
	Text    string `json:"text"`
	Actions []struct {
		Type     string `json:"type"`
		Title    string `json:"title"`
		Question string `json:"question"`
		Payload  string `json:"payload"`
		URL      string `json:"url"`
	} `json:"call_to_actions"`
}

func (p *player) checkProfile(name string, v json.RawMessage, f *form) *fault {
	if name == "get_started" {
		var s struct {
			Payload string `json:"payload"`
		}
		if json.Unmarshal(v, &s) != nil || s.Payload == "" {
			return wrong("get_started needs a payload")
		}
		return nil
	}
	if !p.net.Welcome && f.text("platform") != "instagram" {
		return wrong("platform must be instagram")
	}
	var list []property
	if json.Unmarshal(v, &list) != nil || !slices.ContainsFunc(list, func(x property) bool { return x.Locale == "default" }) {
		return wrong("You must set the locale default of " + name)
	}
	if _, started := p.profile["get_started"]; name == "persistent_menu" && p.net.Welcome && !started && f.v["get_started"] == nil {
		return wrong("You must set a Get Started button if you also wish to use persistent menu")
	}
	for _, x := range list {
		if utf8.RuneCountInString(x.Text) > 160 {
			return wrong("A greeting has at most 160 characters")
		}
		if name == "ice_breakers" && len(x.Actions) > 4 || len(x.Actions) > 20 {
			return wrong("Too many call_to_actions")
		}
		for _, a := range x.Actions {
			ok := a.Type == "postback" && a.Payload != "" || a.Type == "web_url" && strings.HasPrefix(a.URL, "https://")
			if name == "ice_breakers" {
				ok = a.Question != "" && a.Payload != "" && utf8.RuneCountInString(a.Question) <= 80
			} else {
				ok = ok && a.Title != "" && utf8.RuneCountInString(a.Title) <= 30
			}
			if !ok {
				return wrong("A call_to_action of " + name + " is not complete")
			}
		}
	}
	return nil
}

// debugToken tells about a token.
func (p *player) debugToken(f *form) (any, []play.Shown, *fault) {
	token := f.text("input_token")
	if token == "" {
		return nil, nil, wrong("The parameter input_token is required")
	}
	if token != p.token {
		return obj{"data": obj{"is_valid": false, "error": obj{"code": 190, "message": "Invalid OAuth access token."}, "scopes": []string{}}}, nil, nil
	}
	return obj{"data": obj{
		"app_id": playedApp, "type": "PAGE", "is_valid": true, "expires_at": 0,
		"scopes": []string{"pages_messaging", "pages_manage_metadata", "instagram_basic", "instagram_manage_messages"},
	}}, nil, nil
}
