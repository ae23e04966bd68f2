package inbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sotto-chat/sotto/channel"
)

const (
	maxSkew = 30 * time.Second    // between Meta's clock and ours
	soon    = 14 * 24 * time.Hour // before a token runs out
)

// Check implements [channel.Checker]: whose token it is and what it may do,
// which fields of the account the app is told about, where the app's webhook
// points, and how far the clocks are apart. The error is a *channel.SendError
// if Meta could not be asked or refused the token.
func (a *Account) Check(ctx context.Context, want channel.Installation) ([]channel.Finding, error) {
	who, err := a.identity(ctx)
	if err != nil {
		return nil, err
	}
	found := []channel.Finding{a.owner(who)}
	found = append(found, a.clock(who.date)...)
	more, err := a.tokenState(ctx)
	if err != nil {
		return nil, err
	}
	found = append(found, more...)
	if more, err = a.fieldState(ctx); err != nil {
		return nil, err
	}
	found = append(found, more...)
	if more, err = a.webhookState(ctx, want.Webhook); err != nil {
		return nil, err
	}
	return append(found, more...), nil
}

func (a *Account) owner(who identity) channel.Finding {
	s := &a.net.Setup
	if a.id != "" && who.ID != a.id && who.User != a.id && !s.Any {
		return channel.Finding{
			Text: fmt.Sprintf("The access token belongs to another %s than %s says.", s.What, a.idKey),
			Fix:  fmt.Sprintf("Make a token for this %s (%s), or correct %s.", s.What, s.Token, a.idKey),
		}
	}
	return channel.Finding{OK: true, Text: "The access token is valid."}
}

// clock compares Meta's clock with ours.
func (a *Account) clock(date string) []channel.Finding {
	if a.now == nil {
		return nil
	}
	theirs, err := http.ParseTime(date)
	if err != nil {
		return nil
	}
	if apart := a.now().Sub(theirs).Abs(); apart > maxSkew {
		return []channel.Finding{{
			Text: fmt.Sprintf("This machine's clock and Meta's are %s apart.", apart.Round(time.Second)),
			Fix:  "Let the machine keep its clock by NTP.",
		}}
	}
	return nil
}

// tokenState asks what the token may do and for how long, which takes the
// app's id.
func (a *Account) tokenState(ctx context.Context) ([]channel.Finding, error) {
	if a.app == "" || !a.net.Prove {
		return nil, nil
	}
	var said struct {
		Data struct {
			App     string   `json:"app_id"`
			Valid   bool     `json:"is_valid"`
			Expires int64    `json:"expires_at"`
			Access  int64    `json:"data_access_expires_at"`
			Scopes  []string `json:"scopes"`
		} `json:"data"`
	}
	_, err := a.ask(ctx, "/debug_token", "input_token="+url.QueryEscape(a.token.Reveal()), a.appToken(), &said)
	var e *channel.SendError
	if errors.As(err, &e) && (e.Class == channel.Auth || e.Class == channel.Bad) {
		return []channel.Finding{{
			Text: "Meta does not take app_id and app_secret together.",
			Fix:  a.net.Setup.Basics + ": compare both with the configuration.",
		}}, nil
	}
	if err != nil {
		return nil, err
	}
	var found []channel.Finding
	renew := "Make a new token (" + a.net.Setup.Token + ")."
	if said.Data.App != a.app {
		found = append(found, channel.Finding{Text: "The access token was made for another app than app_id says.", Fix: renew})
	}
	if lack := missing(a.net.Setup.Scopes, said.Data.Scopes); len(lack) > 0 {
		found = append(found, channel.Finding{
			Text: "The access token lacks " + strings.Join(lack, " and ") + ".",
			Fix:  "Add them to the app's permissions. " + renew,
		})
	} else {
		found = append(found, channel.Finding{OK: true, Text: "The access token has the permissions that are needed."})
	}
	if end := said.Data.Expires; end != 0 && a.now != nil && time.Unix(end, 0).Sub(a.now()) < soon {
		found = append(found, channel.Finding{
			Text: "The access token ends on " + time.Unix(end, 0).UTC().Format(time.DateOnly) + ".", Fix: renew,
		})
	}
	return found, nil
}

func (a *Account) fieldState(ctx context.Context) ([]channel.Finding, error) {
	have, _, err := a.subscribed(ctx)
	if err != nil {
		return nil, err
	}
	s := &a.net.Setup
	fix := "Run sotto channel setup, or subscribe in Meta's console (" + s.Webhook + ")."
	if a.enough(have) {
		return []channel.Finding{{OK: true, Text: "The " + s.What + " tells the app what happens."}}, nil
	}
	if s.Any {
		return []channel.Finding{{Text: "The " + s.What + " tells the app nothing: no message arrives.", Fix: fix}}, nil
	}
	var found []channel.Finding
	lack := missing(s.names(), have)
	for _, f := range s.Fields {
		if len(missing([]string{f.Name}, lack)) == 0 {
			found = append(found, channel.Finding{
				Text: fmt.Sprintf("The %s does not tell the app about %s: %s.", s.What, f.Name, f.Loss), Fix: fix,
			})
		}
	}
	return found, nil
}

func (a *Account) webhookState(ctx context.Context, address string) ([]channel.Finding, error) {
	if !a.byApp() || address == "" {
		return nil, nil
	}
	now, err := a.hookState(ctx)
	if err != nil {
		return nil, err
	}
	fix := "Run sotto channel setup, or set it in Meta's console (" + a.net.Setup.Webhook + ")."
	switch {
	case now.address == "":
		return []channel.Finding{{Text: "The app has no webhook: nothing arrives.", Fix: fix}}, nil
	case now.address != address:
		return []channel.Finding{{Text: "The app's webhook points to another address than this Sotto's.", Fix: fix}}, nil
	case !now.active:
		return []channel.Finding{{Text: "Meta has switched the app's webhook off, as it does when calls fail for an hour.", Fix: fix}}, nil
	}
	if lack := missing(a.net.Setup.names(), now.fields); len(lack) > 0 {
		return []channel.Finding{{Text: "The app's webhook is not subscribed to " + strings.Join(lack, ", ") + ".", Fix: fix}}, nil
	}
	return []channel.Finding{{OK: true, Text: "The app's webhook points to this Sotto."}}, nil
}
