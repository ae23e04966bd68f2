package inbox

import (
	"context"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/meta"
	"github.com/sotto-chat/sotto/channel/wire"
)

// answer is what the API answers to a call.
type answer struct {
	message string      // the id of what was sent
	fault   *meta.Fault // nil = none
	body    []byte      // for Check and Install
	date    string      // when it was given, by Meta's clock
}

// read reads an answer and reports whether it is the API's own.
func (ans *answer) read(body []byte) bool {
	ans.body = body
	s := wire.NewScanner(body)
	is, odd := s.Object(), false
	for ok := is; ok && s.Field(); {
		switch string(s.Name()) {
		case "message_id":
			ans.message = s.ID()
		case "error":
			ans.fault = meta.ReadFault(&s)
			odd = ans.fault == nil // an error that cannot be read is no success
		default:
			s.Skip()
		}
	}
	return s.End() == nil && is && !odd
}

// call makes one call with a body, which is JSON unless kind says otherwise.
// The error is a *channel.SendError.
func (a *Account) call(ctx context.Context, to wire.Endpoint, body []byte, kind string) (answer, error) {
	if a.client == nil {
		return answer{}, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	r := to.Request(ctx, body)
	if kind != "" {
		r.Header["Content-Type"] = []string{kind}
	}
	got, err := wire.Call(a.client, r)
	if err != nil {
		return answer{}, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	var ans answer
	known := ans.read(got.Body)
	ans.date = got.Header.Get("Date")
	if err := meta.Judge(got, known, ans.fault, sort); err != nil {
		return answer{}, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	return ans, nil
}

// sort sorts an error by its code and subcode; see the error references of the
// Graph API and of the Messenger Platform.
func sort(f *meta.Fault, got wire.Answer) *channel.SendError {
	e := wire.StatusError(got)
	if e.Class == channel.Auth { // the status says less than the code
		e.Class = channel.Bad
	}
	e.Code = f.Name()
	switch e.Code {
	case "10.2018278", "10.2018065", "10.2534022":
		e.Class = channel.Window
		return e
	case "200.1545041", "200.2018108", "100.2018001", "100.2534014":
		e.Class = channel.Gone
		return e
	case "10.1893063": // the page is restricted for a time
		e.Class = channel.Auth
		return e
	}
	switch f.Code {
	case 1, 2, 4, 17, 32, 341, 613, 1200, 80001, 80002, 80006: // the last three: limits of a page, of Instagram, of Messenger
		e.Class = channel.Retry
	case 102, 190, 368: // session, token, blocked for breaking a policy
		e.Class = channel.Auth
	case 551, 230:
		e.Class = channel.Gone
	default:
		if f.Transient {
			e.Class = channel.Retry
		}
	}
	return e
}
