package slack

import (
	"context"
	"net/http"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// answer is what the Web API answers to every method: what is looked at of it.
type answer struct {
	ok       bool
	code     string // of an error
	ts       string // the id of the message sent
	uploadTo string
	file     string // the id of a file
	header   http.Header
	body     []byte
}

// read reads an answer and reports whether it is the API's own.
func (ans *answer) read(body []byte) bool {
	ans.body = body
	is := false
	s := wire.NewScanner(body)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "ok":
			is = s.Peek() == 't' || s.Peek() == 'f'
			ans.ok = s.Bool()
		case "error":
			ans.code = s.Text()
		case "ts":
			ans.ts = s.ID()
		case "upload_url":
			ans.uploadTo = s.Text()
		case "file_id":
			ans.file = s.ID()
		default:
			s.Skip()
		}
	}
	return s.End() == nil && is
}

// call calls a method with a body of the endpoint's type. The error is a
// *channel.SendError.
func (a *Adapter) call(ctx context.Context, to wire.Endpoint, body []byte) (answer, error) {
	if a.client == nil {
		return answer{}, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	got, err := wire.Call(a.client, to.Request(ctx, body))
	if err != nil {
		return answer{}, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	ans := answer{header: got.Header}
	known := ans.read(got.Body)
	switch {
	case known && ans.ok && got.Status/100 == 2:
		return ans, nil
	case known && !ans.ok:
		return ans, fault(got, ans.code)
	case got.Status/100 == 2: // something else answers there
		return answer{}, &channel.SendError{Class: channel.Unknown, Status: got.Status, Code: "answer"}
	}
	return answer{}, wire.StatusError(got)
}

// fault sorts an error of the API by its code. Most come with status 200.
func fault(got wire.Answer, code string) *channel.SendError {
	e := wire.StatusError(got)
	e.Code = word(code)
	if got.Status == http.StatusTooManyRequests || got.Status >= 500 {
		return e
	}
	e.Class = class(code)
	return e
}

// class says what an error means (docs.slack.dev/reference/methods, the errors
// of chat.postMessage, files.* and conversations.*).
func class(code string) channel.Class {
	switch code {
	case "ratelimited", "rate_limited", "message_limit_exceeded", "service_unavailable", "internal_error",
		"fatal_error", "request_timeout", "team_added_to_org", "timeout":
		return channel.Retry
	case "channel_not_found", "is_archived", "not_in_channel", "user_disabled", "cannot_dm_bot", "user_not_found",
		"user_not_visible", "user_not_in_channel", "users_not_found", "is_inactive", "invalid_channel",
		"posting_to_channel_denied", "no_permission", "team_not_found":
		return channel.Gone
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope",
		"not_allowed_token_type", "access_denied", "accesslimited", "app_access_restricted", "ekm_access_denied",
		"enterprise_is_restricted", "is_bot", "org_login_required", "team_access_not_granted",
		"two_factor_setup_required", "invalid_token", "missing_authentication":
		return channel.Auth
	}
	if strings.HasPrefix(code, "restricted_action") {
		return channel.Gone
	}
	return channel.Bad
}

// word returns a code if it has the form that SendError promises.
func word(code string) string {
	for i := range len(code) {
		c := code[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return "error"
		}
	}
	if code == "" || len(code) > 40 {
		return "error"
	}
	return code
}
