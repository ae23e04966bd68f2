package x

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	maxText   = 10000 // characters of a message; counted in UTF-16 units, to be safe
	maxAnswer = 24 * time.Hour
)

// Send implements [channel.Adapter]. A text over the limit goes out in several
// messages; the id of the last is returned. API v2 has no quick replies: buttons
// follow the text as a numbered list. Once a first message is out, the failure of
// a later one is of class Unknown: the whole must not be sent again.
//
// X knows no idempotency key, quotes no message and takes no documents, so Key
// and ReplyTo are not used, and a file is refused.
func (a *Adapter) Send(ctx context.Context, m *channel.Outgoing) (channel.Sent, error) {
	switch {
	case !number(m.Conversation):
		return channel.Sent{}, bad("conversation")
	case m.File != nil:
		return channel.Sent{}, bad("no_files")
	}
	for i := range m.Buttons {
		if m.Buttons[i].Label == "" {
			return channel.Sent{}, bad("button")
		}
	}
	sent := channel.Sent{Numbered: len(m.Buttons) > 0}
	text := m.Text
	if sent.Numbered {
		text = wire.Numbered(text, m.Buttons)
	}
	var room [1]string // most messages take one call
	parts := wire.AppendSplit(room[:0], text, a.textLimit, wire.Units)
	if len(parts) == 0 {
		return channel.Sent{}, bad("empty")
	}
	for i, part := range parts {
		id, err := a.send(ctx, m.Conversation, part)
		if err != nil {
			if i > 0 {
				err = wire.After(err)
			}
			return channel.Sent{}, err
		}
		sent.ID = id
	}
	return sent, nil
}

func bad(code string) error { return &channel.SendError{Class: channel.Bad, Code: code} }

func (a *Adapter) send(ctx context.Context, to, text string) (string, error) {
	if a.client == nil {
		return "", &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	b := make([]byte, 0, len(text)+len(text)/8+32)
	b = append(wire.AppendString(append(b, `{"text":`...), text), '}')
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	r := a.messages.Request(ctx, b)
	r.URL.Path += to + "/messages"
	a.auth.sign(r)
	got, err := wire.Call(a.client, r)
	if err != nil {
		return "", err //nolint:wrapcheck // a *channel.SendError, complete
	}
	var ans answer
	known := ans.read(got.Body)
	switch {
	case got.Status/100 != 2, known && ans.failed && ans.id == "":
		return "", a.sort(got, &ans)
	case !known || ans.id == "":
		return "", &channel.SendError{Class: channel.Unknown, Status: got.Status, Code: "answer"}
	}
	return ans.id, nil
}

// answer is what the API answers to a send.
type answer struct {
	id      string // of the message
	failed  bool
	problem string // the last word of a problem's type
	code    int64  // of an error in the older form
}

// read reads an answer and reports whether it is the API's own. Titles, details
// and messages are prose, may quote ours, and are not read.
func (ans *answer) read(body []byte) bool {
	s := wire.NewScanner(body)
	is := s.Object()
	for ok := is; ok && s.Field(); {
		switch string(s.Name()) {
		case "data":
			for ok := s.Object(); ok && s.Field(); {
				if string(s.Name()) == "dm_event_id" {
					ans.id = s.ID()
				} else {
					s.Skip()
				}
			}
		case "type":
			ans.failed = true
			ans.kind(s.Text())
		case "errors":
			for ok := s.Array(); ok && s.Elem(); {
				ans.failed = true
				for ok := s.Object(); ok && s.Field(); {
					switch string(s.Name()) {
					case "type":
						ans.kind(s.Text())
					case "code":
						ans.code = s.Int()
					default:
						s.Skip()
					}
				}
			}
		default:
			s.Skip()
		}
	}
	return s.End() == nil && is
}

// kind keeps the last word of a problem's type, such as
// https://api.x.com/2/problems/client-forbidden.
func (ans *answer) kind(address string) {
	word := address[strings.LastIndexByte(address, '/')+1:]
	if len(word) > 30 || word == "" || word == "about:blank" {
		return
	}
	for i := range len(word) {
		if c := word[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return
		}
	}
	ans.problem = word
}

// sort sorts an error of the API by its status, and by the type or code that
// comes with it.
func (a *Adapter) sort(got wire.Answer, ans *answer) *channel.SendError {
	if got.Status == http.StatusTooManyRequests && got.RetryAfter == 0 {
		got.RetryAfter = a.reset(got.Header)
	}
	e := wire.StatusError(got)
	switch got.Status {
	case http.StatusForbidden: // the person takes no messages of this account
		e.Class = channel.Gone
	case http.StatusPaymentRequired: // the app has no credit left
		e.Class = channel.Auth
	}
	switch {
	case got.Status == http.StatusGatewayTimeout: // whatever the document says: a gateway gave up waiting
	case ans.problem != "":
		e.Code += "." + ans.problem
		e.Class = ofProblem(ans.problem, e.Class)
	case ans.code > 0 && ans.code < 1e6:
		e.Code += "." + strconv.FormatInt(ans.code, 10)
		e.Class = ofCode(ans.code, e.Class)
	}
	if e.Class != channel.Retry {
		e.RetryAfter = 0
	}
	return e
}

// ofProblem is the class of a problem of API v2
// (docs.x.com/x-api/fundamentals/response-codes-and-errors).
func ofProblem(problem string, other channel.Class) channel.Class {
	switch problem {
	case "client-forbidden", "unsupported-authentication", "oauth1-permissions", "usage-capped", "credits-depleted":
		return channel.Auth // nothing goes out until somebody changes the app's access
	case "resource-not-found", "not-authorized-for-resource", "resource-unavailable":
		return channel.Gone
	case "rate-limit-exceeded":
		return channel.Retry
	case "invalid-request", "disallowed-resource":
		return channel.Bad
	}
	return other
}

// ofCode is the class of an error in the form of API v1.1.
func ofCode(code int64, other channel.Class) channel.Class {
	switch code {
	case 32, 64, 87, 89, 93, 99, 135, 215, 220, 226, 261, 326, 453: // token, app, or the account itself
		return channel.Auth
	case 34, 50, 63, 108, 150, 151, 179, 349: // no such person, suspended, or takes no messages
		return channel.Gone
	case 88, 130, 131:
		return channel.Retry
	case 38, 44, 187, 214, 354:
		return channel.Bad
	}
	return other
}

// reset is how long X wants to be left alone: until the last of the limits that
// are used up begins again. X tells the second, not the time to wait.
func (a *Adapter) reset(h http.Header) time.Duration {
	if a.now == nil {
		return 0
	}
	wait := time.Duration(0)
	for _, limit := range []string{"X-Rate-Limit", "X-User-Limit-24hour", "X-App-Limit-24hour"} {
		if left := h.Get(limit + "-Remaining"); left != "0" && (left != "" || limit != "X-Rate-Limit") {
			continue
		}
		sec, err := strconv.ParseInt(h.Get(limit+"-Reset"), 10, 64)
		if err != nil || sec <= 0 || sec > 1<<40 {
			continue
		}
		wait = max(wait, min(time.Unix(sec, 0).Sub(a.now()), maxAnswer))
	}
	return wait
}
