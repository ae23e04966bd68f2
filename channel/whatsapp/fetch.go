package whatsapp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// Fetch implements [channel.Fetcher]. It asks the API where the attachment lies,
// for five minutes from then on, and gets it from there. Meta keeps attachments
// for seven days. The token goes to the API's own host and to hosts below
// fbsbx.com, where Meta asks for it.
//
// The bytes are compared with the attachment's sum, where it has one, and with
// the one that the API tells. A failure that another attempt may mend is of
// class Retry: fetching twice does no harm.
func (a *Adapter) Fetch(ctx context.Context, at channel.Attachment, limit int64) ([]byte, error) {
	if a.conf.Client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	ctx, cancel := a.bound(ctx)
	defer cancel()
	var f found
	switch {
	case strings.HasPrefix(at.ID, "https://") || strings.HasPrefix(at.ID, "http://"):
		f.url, f.size = at.ID, -1 // some webhooks tell the address alone
	default:
		var err error
		if f, err = a.locate(ctx, at.ID); err != nil {
			return nil, again(err)
		}
	}
	if f.size > limit {
		return nil, bad("too_large")
	}
	data, err := a.download(ctx, f.url, limit)
	if err != nil {
		return nil, err
	}
	got := sha256.Sum256(data)
	for _, want := range [...]string{at.Sum, f.sum} {
		if want != "" && want != hex.EncodeToString(got[:]) {
			return nil, bad("sum")
		}
	}
	return data, nil
}

// found is what the API tells of an attachment.
type found struct {
	url, sum string
	size     int64 // -1 where it is not told
}

// locate asks the API where an attachment lies.
func (a *Adapter) locate(ctx context.Context, id string) (f found, err error) {
	if !isMediaID(id) {
		return f, bad("id")
	}
	q := ""
	if a.conf.PhoneNumberID != "" {
		q = query("phone_number_id", a.conf.PhoneNumberID) // of no other number's
	}
	to, err := a.endpoint(http.MethodGet, id+"?"+q)
	if err != nil {
		return f, bad("id")
	}
	ans, err := a.call(ctx, to, nil, "")
	if err != nil {
		return f, err
	}
	s := wire.NewScanner(ans.body)
	f.size = -1
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "url":
			f.url = s.Text()
		case "sha256":
			f.sum = sum(s.Text())
		case "file_size":
			f.size = s.Int()
		default:
			s.Skip()
		}
	}
	if f.url == "" {
		return f, &channel.SendError{Class: channel.Retry, Status: http.StatusOK, Code: "answer"}
	}
	return f, nil
}

// again turns a call whose outcome is not known into one to be repeated.
func again(err error) error {
	var e *channel.SendError
	if !errors.As(err, &e) || e.Class != channel.Unknown {
		return err
	}
	late := *e
	late.Class = channel.Retry
	return &late
}

// isMediaID reports whether an id can stand in a path. Meta's are digits.
func isMediaID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return id != "" && len(id) <= 128
}

func (a *Adapter) download(ctx context.Context, address string, limit int64) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, bad("host")
	}
	if u.Scheme == "https" {
		u.Host = strings.TrimSuffix(u.Host, ":443") // the usual port is no other place
	}
	at := slices.IndexFunc(a.hosts, func(h wire.Host) bool { return h.Has(u) })
	if at < 0 {
		return nil, bad("host")
	}
	headers := []string{"User-Agent", "sotto"} // without one the hosts refuse
	if at == 0 || strings.HasSuffix(strings.ToLower(u.Hostname()), ".fbsbx.com") {
		headers = append(headers, "Authorization", "Bearer "+a.conf.AccessToken.Reveal())
	}
	to, err := wire.NewEndpoint(http.MethodGet, address, headers...)
	if err != nil {
		return nil, bad("host")
	}
	r := to.Request(ctx, nil)
	resp, err := a.conf.Client.Do(r)
	if err != nil {
		e := &channel.SendError{Class: channel.Retry, Code: "broken"}
		if kind := sotto.KindOf(err); kind == sotto.KindDenied || kind == sotto.KindInvalid {
			e.Class, e.Code = channel.Bad, "host" // our own way out said no
		}
		return nil, e
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.Request != nil && resp.Request.URL.Host != r.URL.Host, resp.StatusCode/100 == 3: // it leads elsewhere
		return nil, bad("host")
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return nil, &channel.SendError{Class: channel.Bad, Status: resp.StatusCode, Code: "expired"}
	case resp.StatusCode != http.StatusOK:
		return nil, again(wire.StatusError(wire.Answer{Status: resp.StatusCode}))
	}
	return wire.Body(resp, limit) //nolint:wrapcheck // a *channel.SendError, complete
}
