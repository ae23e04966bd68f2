package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// What WhatsApp's menu takes.
const (
	maxCommands    = 30
	maxCommand     = 32  // characters of a command's name
	maxCommandText = 256 // of what it does
	maxBreakers    = 4
	maxBreaker     = 80
	maxSites       = 2 // addresses in a business profile
)

// fields are what Meta has to tell the app of, with what is missed without it.
func fields() [][2]string {
	return [][2]string{
		{"messages", "no message arrives"},
		{"user_preferences", "that somebody refuses marketing messages is not noticed"},
		{"group_lifecycle_update", "what is kept of a group outlives it"},
		{"group_participants_update", "who comes into a group or leaves it is not noticed"},
	}
}

// Install implements [channel.Installer]: the webhook of the app, what the
// business account tells it, the menu of the number, and the privacy notice in
// its profile. Without app_id, business_account_id or phone_number_id the steps
// that need them are to be made by hand.
func (a *Adapter) Install(ctx context.Context, want channel.Installation) ([]channel.Step, error) {
	var steps []channel.Step
	for _, f := range [...]func(context.Context, channel.Installation) (channel.Step, error){
		a.stepWebhook, a.stepAccount, a.stepMenu, a.stepProfile,
	} {
		s, err := f(ctx, want)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return append(steps, byHand(want)...), nil
}

// byHand are settings of the app that no API knows.
func byHand(want channel.Installation) (steps []channel.Step) {
	const basic = "developers.facebook.com/apps > your app > App settings > Basic"
	if want.Privacy != "" {
		steps = append(steps, channel.Step{
			Text: "Name the privacy notice in the settings of the app",
			Hand: basic + ": set \"Privacy policy URL\" to " + want.Privacy + "; without it the app cannot be published.",
		})
	}
	if hook := strings.TrimSuffix(want.Webhook, "/"); hook != "" {
		steps = append(steps, channel.Step{
			Text: "Have Meta pass on that somebody wants to be deleted, or takes the app's permission back",
			Hand: basic + " > User data deletion: set the callback to " + hook + "/deletion; and App settings > Advanced > Deauthorize: to " + hook + "/deauthorise.",
		})
	}
	return steps
}

func (a *Adapter) stepWebhook(ctx context.Context, want channel.Installation) (channel.Step, error) {
	names := make([]string, 0, len(fields()))
	for _, f := range fields() {
		names = append(names, f[0])
	}
	step := channel.Step{Text: "Set the webhook to " + want.Webhook + " with " + strings.Join(names, ", ")}
	if a.conf.AppID == "" {
		step.Hand = "In the App Dashboard, WhatsApp > Configuration, enter " + want.Webhook + " as Callback URL and the configured verify_token as Verify token, click Verify and save, and subscribe to " +
			strings.Join(names, ", ") + ". Or set app_id, and this is done for you."
		return step, nil
	}
	have, err := a.subscription(ctx)
	if err != nil {
		return step, err
	}
	missing := slices.ContainsFunc(names, func(n string) bool { return !have.has(n) })
	step.Done = have.URL == want.Webhook && have.Active && !missing
	for _, f := range have.Fields { // what the app is told for other reasons stays
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	step.Do = func(ctx context.Context) error {
		b := wire.AppendString([]byte(`{"object":"whatsapp_business_account","callback_url":`), want.Webhook)
		b = wire.AppendString(append(b, `,"verify_token":`...), a.conf.VerifyToken.Reveal())
		b = wire.AppendString(append(b, `,"fields":`...), strings.Join(names, ","))
		to, err := a.appEndpoint(http.MethodPost, a.conf.AppID+"/subscriptions", "Content-Type", "application/json")
		return a.do(ctx, to, err, append(b, '}'))
	}
	return step, nil
}

// do makes a call of which only its success counts. A failure to make the
// endpoint is handed on.
func (a *Adapter) do(ctx context.Context, to wire.Endpoint, err error, body []byte) error {
	if err != nil {
		return bad("address")
	}
	ans, err := a.call(ctx, to, body, "")
	if err != nil {
		return err
	}
	var said struct {
		Success json.RawMessage `json:"success"` // true, and of old "true"
	}
	if json.Unmarshal(ans.body, &said) != nil || strings.Trim(string(said.Success), `"`) != "true" {
		return &channel.SendError{Class: channel.Unknown, Status: http.StatusOK, Code: "answer"}
	}
	return nil
}

// subscription is what an app is told of, and where.
type subscription struct {
	Object string `json:"object"`
	URL    string `json:"callback_url"`
	Active bool   `json:"active"`
	Fields []struct {
		Name string `json:"name"`
	} `json:"fields"`
}

func (s *subscription) has(field string) bool {
	for _, f := range s.Fields {
		if f.Name == field {
			return true
		}
	}
	return false
}

// subscription asks for the app's webhook; it is empty where none is set.
func (a *Adapter) subscription(ctx context.Context) (subscription, error) {
	var list struct {
		Data []subscription `json:"data"`
	}
	to, err := a.appEndpoint(http.MethodGet, a.conf.AppID+"/subscriptions")
	if _, err = a.ask(ctx, to, err, &list); err != nil {
		return subscription{}, err
	}
	for _, s := range list.Data {
		if s.Object == object {
			return s, nil
		}
	}
	return subscription{}, nil
}

// ask makes a call and reads its answer.
func (a *Adapter) ask(ctx context.Context, to wire.Endpoint, err error, into any) (http.Header, error) {
	if a.conf.Client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	if err != nil {
		return nil, bad("address")
	}
	ans, err := a.call(ctx, to, nil, "")
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(ans.body, into) != nil {
		return nil, sotto.E("whatsapp.ask", sotto.KindUnavailable, errors.New("the answer was not understood"))
	}
	return ans.header, nil
}

func (a *Adapter) stepAccount(ctx context.Context, _ channel.Installation) (channel.Step, error) {
	step := channel.Step{Text: "Have the business account tell the app of its events"}
	if a.conf.BusinessAccountID == "" {
		step.Hand = "Set business_account_id (WhatsApp Manager, Account settings), and this is done for you; or call POST /<business account id>/subscribed_apps with the account's token."
		return step, nil
	}
	apps, err := a.subscribed(ctx)
	if err != nil {
		return step, err
	}
	step.Done = a.among(apps)
	step.Do = func(ctx context.Context) error {
		to, err := a.endpoint(http.MethodPost, a.conf.BusinessAccountID+"/subscribed_apps?")
		return a.do(ctx, to, err, nil)
	}
	return step, nil
}

// among reports whether this app is among apps; without an app_id any app
// passes for it.
func (a *Adapter) among(apps []string) bool {
	return len(apps) > 0 && (a.conf.AppID == "" || slices.Contains(apps, a.conf.AppID))
}

// subscribed asks which apps the business account tells of its events.
func (a *Adapter) subscribed(ctx context.Context) (ids []string, err error) {
	var list struct {
		Data []struct {
			App struct {
				ID string `json:"id"`
			} `json:"whatsapp_business_api_data"`
		} `json:"data"`
	}
	to, err := a.endpoint(http.MethodGet, a.conf.BusinessAccountID+"/subscribed_apps?")
	if _, err = a.ask(ctx, to, err, &list); err != nil {
		return nil, err
	}
	for _, d := range list.Data {
		ids = append(ids, d.App.ID)
	}
	return ids, nil
}

// menu is what WhatsApp shows beside the line that a person writes in.
type menu struct {
	Commands []menuCommand `json:"commands"`
	Prompts  []string      `json:"prompts"`
	Welcome  bool          `json:"enable_welcome_message"`
}

type menuCommand struct {
	Name string `json:"command_name"`
	Text string `json:"command_description"`
}

func (a *Adapter) stepMenu(ctx context.Context, want channel.Installation) (channel.Step, error) {
	m := menu{Prompts: a.conf.IceBreakers}
	for _, c := range want.Commands {
		if len(m.Commands) < maxCommands {
			m.Commands = append(m.Commands, menuCommand{short(c.Name, maxCommand), short(c.Text, maxCommandText)})
		}
	}
	step := channel.Step{Text: fmt.Sprintf("Show %d commands and %d sentences to begin with in the menu", len(m.Commands), len(m.Prompts))}
	if a.conf.PhoneNumberID == "" {
		step.Hand = "In WhatsApp Manager, Phone numbers, choose the number, Automations, and enter the commands; or set phone_number_id, and this is done for you."
		return step, nil
	}
	var have struct {
		Menu menu `json:"conversational_automation"`
	}
	to, err := a.endpoint(http.MethodGet, a.conf.PhoneNumberID+"?fields=conversational_automation&")
	if _, err = a.ask(ctx, to, err, &have); err != nil {
		return step, err
	}
	m.Welcome = have.Menu.Welcome // not ours to change
	if len(m.Prompts) == 0 {
		m.Prompts = have.Menu.Prompts
	}
	step.Done = slices.Equal(m.Commands, have.Menu.Commands) && slices.Equal(m.Prompts, have.Menu.Prompts)
	step.Do = func(ctx context.Context) error {
		if m.Commands == nil {
			m.Commands = []menuCommand{}
		}
		if m.Prompts == nil {
			m.Prompts = []string{}
		}
		body, err := json.Marshal(m)
		if err != nil {
			return bad("menu")
		}
		to, err := a.endpoint(http.MethodPost, a.conf.PhoneNumberID+"/conversational_automation?", "Content-Type", "application/json")
		return a.do(ctx, to, err, body)
	}
	return step, nil
}

// short cuts a text to a length.
func short(s string, most int) string {
	if parts := wire.Split(s, most); len(parts) > 0 {
		return parts[0]
	}
	return ""
}

func (a *Adapter) stepProfile(ctx context.Context, want channel.Installation) (channel.Step, error) {
	step := channel.Step{Text: "Show the address of the privacy notice in the business profile"}
	hand := "In WhatsApp Manager, Phone numbers, choose the number, Profile, and enter " + want.Privacy + " as a website."
	if a.conf.PhoneNumberID == "" || want.Privacy == "" {
		step.Hand = hand
		return step, nil
	}
	var have struct {
		Data []struct {
			Sites []string `json:"websites"`
		} `json:"data"`
	}
	to, err := a.endpoint(http.MethodGet, a.conf.PhoneNumberID+"/whatsapp_business_profile?fields=websites&")
	if _, err = a.ask(ctx, to, err, &have); err != nil {
		return step, err
	}
	var sites []string
	for _, d := range have.Data {
		sites = append(sites, d.Sites...)
	}
	if slices.ContainsFunc(sites, func(s string) bool { return strings.TrimRight(s, "/") == strings.TrimRight(want.Privacy, "/") }) {
		step.Done = true
		return step, nil
	}
	if len(sites) >= maxSites {
		step.Hand = "The profile shows two websites already, which is the most. " + hand
		return step, nil
	}
	sites = append(sites, want.Privacy)
	step.Do = func(ctx context.Context) error {
		body, err := json.Marshal(map[string]any{"messaging_product": "whatsapp", "websites": sites})
		if err != nil {
			return bad("profile")
		}
		to, err := a.endpoint(http.MethodPost, a.conf.PhoneNumberID+"/whatsapp_business_profile?", "Content-Type", "application/json")
		return a.do(ctx, to, err, body)
	}
	return step, nil
}
