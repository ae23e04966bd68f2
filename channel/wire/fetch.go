package wire

import (
	"fmt"
	"io"
	"net/http"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// Fetch gets a file of at most limit bytes. Whether the address is one of the
// network's is for the caller to see to before. The error is a
// *channel.SendError: of class Bad with code "too_large" where there are more
// bytes, with code "host" where the client went to another host; as
// [StatusError] sorts it where the answer is no success; Retry where none came.
func Fetch(client channel.Doer, r *http.Request, limit int64) ([]byte, error) {
	resp, err := client.Do(r)
	if err != nil {
		return nil, unfetched(err, 0)
	}
	defer func() { _ = resp.Body.Close() }()
	refuse := func(code string) error {
		return &channel.SendError{Class: channel.Bad, Status: resp.StatusCode, Code: code}
	}
	switch {
	case resp.Request != nil && (resp.Request.URL.Host != r.URL.Host || resp.Request.URL.Scheme != r.URL.Scheme):
		return nil, refuse("host")
	case resp.StatusCode/100 != 2:
		a := Answer{Status: resp.StatusCode}
		if v := resp.Header["Retry-After"]; len(v) > 0 {
			a.RetryAfter = Seconds(v[0])
		}
		e := StatusError(a)
		if e.Class == channel.Unknown { // nothing is sent by asking
			e.Class = channel.Retry
		}
		return nil, e
	}
	return Body(resp, limit)
}

// Body reads a file of at most limit bytes out of an answer. The error is a
// *channel.SendError: of class Bad with code "too_large" where there are more,
// also where it is our own way out that says so; Retry where the answer broke off.
func Body(resp *http.Response, limit int64) ([]byte, error) {
	large := &channel.SendError{Class: channel.Bad, Status: resp.StatusCode, Code: "too_large"}
	if resp.ContentLength > limit {
		return nil, large
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case int64(len(b)) > limit, sotto.KindOf(err) == sotto.KindInvalid:
		return nil, large
	case err != nil:
		return nil, unfetched(fmt.Errorf("read: %w", err), resp.StatusCode)
	}
	return b, nil
}

// unfetched sorts the error of a call that brought nothing. A way out that says
// the answer itself is wrong, such as a redirect, would say so again.
func unfetched(err error, status int) *channel.SendError {
	e := broken(err)
	e.Class, e.Status = channel.Retry, status
	if sotto.KindOf(err) == sotto.KindInvalid {
		e.Class, e.Code = channel.Bad, "answer"
	}
	return e
}
