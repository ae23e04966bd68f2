package whatsapp

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sotto-chat/sotto/channel"
)

// maxSkew is how far Meta's clock and ours may be apart.
const maxSkew = 30 * time.Second

// Check implements [channel.Checker]: the token, whose it is and what it may do,
// the number, what the business account and the app tell of, the webhook's
// address, and how far the clocks are apart. What the configuration does not
// name cannot be looked at, and the findings say so. The error is a
// *channel.SendError if Meta could not be asked or refused the token.
func (a *Adapter) Check(ctx context.Context, want channel.Installation) ([]channel.Finding, error) {
	var c checker
	for _, f := range [...]func(context.Context, *checker, channel.Installation) error{
		a.checkToken, a.checkNumber, a.checkAccount, a.checkWebhook,
	} {
		if err := f(ctx, &c, want); err != nil {
			return nil, err
		}
	}
	return c.found, nil
}

// checker collects findings.
type checker struct{ found []channel.Finding }

func (c *checker) good(format string, args ...any) {
	c.found = append(c.found, channel.Finding{OK: true, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) bad(fix, format string, args ...any) {
	c.found = append(c.found, channel.Finding{Text: fmt.Sprintf(format, args...), Fix: fix})
}

// newToken says how to come by a token that is right.
const newToken = "In Business settings, Users > System users, choose the user, Generate new token, choose the app, and tick whatsapp_business_messaging and whatsapp_business_management."

func (a *Adapter) checkToken(ctx context.Context, c *checker, _ channel.Installation) error {
	var said struct {
		Data struct {
			App     string   `json:"app_id"`
			Valid   bool     `json:"is_valid"`
			Expires int64    `json:"expires_at"`
			Scopes  []string `json:"scopes"`
		} `json:"data"`
	}
	path := "debug_token?" + query("input_token", a.conf.AccessToken.Reveal())
	to, err := a.endpoint(http.MethodGet, path)
	if a.conf.AppID != "" {
		to, err = a.appEndpoint(http.MethodGet, strings.TrimSuffix(path, "&"))
	}
	header, err := a.ask(ctx, to, err, &said)
	if err != nil {
		return err
	}
	t := &said.Data
	now := a.conf.Now()
	switch {
	case !t.Valid:
		c.bad(newToken, "Meta says that the access token is not valid.")
	case a.conf.AppID != "" && t.App != a.conf.AppID:
		c.bad(newToken, "The access token belongs to another app than app_id.")
	case t.Expires > 0 && time.Unix(t.Expires, 0).Before(now.Add(30*24*time.Hour)):
		c.bad(newToken+" Choose that it never expires.", "The access token ends on %s.", time.Unix(t.Expires, 0).UTC().Format("2 January 2006"))
	default:
		c.good("The access token is valid.")
	}
	for _, s := range [...]string{"whatsapp_business_messaging", "whatsapp_business_management"} {
		if !slices.Contains(t.Scopes, s) {
			c.bad(newToken, "The access token lacks the permission %s.", s)
		}
	}
	if theirs, err := http.ParseTime(header.Get("Date")); err == nil {
		if d := now.Sub(theirs).Abs(); d > maxSkew {
			c.bad("Set this machine's clock, and keep it right with NTP.", "This machine's clock and Meta's are %s apart.", d.Round(time.Second))
		}
	}
	return nil
}

func (a *Adapter) checkNumber(ctx context.Context, c *checker, _ channel.Installation) error {
	if a.conf.PhoneNumberID == "" {
		c.bad("Set phone_number_id: App Dashboard, WhatsApp > API Setup, below the number.", "No number is configured: Sotto can answer, but send nothing of its own, such as a reminder.")
		return nil
	}
	var n struct {
		Number   string `json:"display_phone_number"`
		Name     string `json:"verified_name"`
		Verified string `json:"code_verification_status"`
		Named    string `json:"name_status"`
		Status   string `json:"status"`
		Quality  string `json:"quality_rating"`
	}
	to, err := a.endpoint(http.MethodGet, a.conf.PhoneNumberID+
		"?fields=display_phone_number,verified_name,code_verification_status,name_status,status,quality_rating&")
	if _, err = a.ask(ctx, to, err, &n); err != nil {
		return err
	}
	const manager = "Look at the number in WhatsApp Manager, Phone numbers."
	c.good("The number is %s, and people see the name %s.", printable(n.Number), printable(n.Name))
	if n.Status != "" && n.Status != "CONNECTED" {
		c.bad(manager+" If it was never registered, do so with POST /<phone_number_id>/register.", "The number's status is %s: nothing can be sent.", printable(n.Status))
	}
	if n.Quality == "RED" || n.Quality == "YELLOW" {
		c.bad(manager+" Write to people only what they expect; Meta lowers the limits of a number that many block.", "People rate the number's messages low (%s).", printable(n.Quality))
	}
	if n.Named == "DECLINED" || n.Named == "EXPIRED" {
		c.bad(manager+" Choose another display name.", "Meta does not accept the number's display name (%s).", printable(n.Named))
	}
	return nil
}

func (a *Adapter) checkAccount(ctx context.Context, c *checker, _ channel.Installation) error {
	if a.conf.BusinessAccountID == "" {
		c.good("Whether the business account tells the app of its events was not looked at: business_account_id is not set.")
		return nil
	}
	apps, err := a.subscribed(ctx)
	if err != nil {
		return err
	}
	if a.among(apps) {
		c.good("The business account tells the app of its events.")
	} else {
		c.bad("Run the set-up of this account, or call POST /<business_account_id>/subscribed_apps.", "The business account does not tell the app of its events: no message arrives.")
	}
	return nil
}

func (a *Adapter) checkWebhook(ctx context.Context, c *checker, want channel.Installation) error {
	if a.conf.AppID == "" {
		c.good("The webhook's address was not looked at: app_id is not set.")
		return nil
	}
	have, err := a.subscription(ctx)
	if err != nil {
		return err
	}
	const configure = "Run the set-up of this account, or go to the App Dashboard, WhatsApp > Configuration."
	switch {
	case have.URL == "":
		c.bad(configure, "No webhook is set: no message arrives.")
		return nil
	case want.Webhook != "" && have.URL != want.Webhook:
		c.bad(configure, "The webhook leads to another address than this server's.")
	case !have.Active:
		c.bad(configure, "The webhook is switched off.")
	default:
		c.good("The webhook is set and active.")
	}
	for _, f := range fields() {
		if !have.has(f[0]) {
			c.bad(configure, "The app is not told of %s: %s.", f[0], f[1])
		}
	}
	return nil
}

// printable keeps what Meta tells from writing more than a word on a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	return short(s, 64)
}
