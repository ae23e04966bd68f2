package messenger

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// Check implements [channel.Checker]: whose token it is, and which fields of
// the page this app is told about. The error is a *channel.SendError if Meta
// could not be asked or refused the token.
func (a *Adapter) Check(ctx context.Context, _ channel.Installation) ([]channel.Finding, error) {
	var page struct {
		ID string `json:"id"`
	}
	if err := a.ask(ctx, "/me?fields=id&", &page); err != nil {
		return nil, err
	}
	var found []channel.Finding
	if a.page != "" && page.ID != a.page {
		found = append(found, channel.Finding{Text: "The access token belongs to another page than page_id: make one for this page."})
	}
	var apps struct {
		Data []struct {
			Fields []string `json:"subscribed_fields"`
		} `json:"data"`
	}
	if err := a.ask(ctx, "/me/subscribed_apps?", &apps); err != nil {
		return nil, err
	}
	var have []string
	for _, app := range apps.Data {
		have = append(have, app.Fields...)
	}
	for _, f := range []struct{ name, loss string }{
		{"messages", "no message arrives"},
		{"messaging_postbacks", "pressed buttons do not arrive"},
		{"message_edits", "changed messages keep their old text here"},
		{"messaging_optins", "opt-outs do not arrive"},
	} {
		if !slices.Contains(have, f.name) {
			found = append(found, channel.Finding{Text: fmt.Sprintf("The page does not tell the app about %s: %s. Subscribe to it in the app's webhook settings.", f.name, f.loss)})
		}
	}
	return found, nil
}

func (a *Adapter) ask(ctx context.Context, path string, into any) error {
	if a.client == nil {
		return &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	to, err := a.endpoint(http.MethodGet, path)
	if err != nil {
		return bad("address")
	}
	ans, err := a.call(ctx, to, nil, "")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(ans.body, into); err != nil {
		return sotto.E("messenger.check", sotto.KindUnavailable, fmt.Errorf("the answer was not understood"))
	}
	return nil
}
