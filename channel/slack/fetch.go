package slack

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// Fetch implements [channel.Fetcher]. The address must be below Config.Files,
// where alone the token goes. A file that another organisation shares is told
// by its id only, and asked for first (files.info).
func (a *Adapter) Fetch(ctx context.Context, at channel.Attachment, limit int64) ([]byte, error) {
	if a.client == nil {
		return nil, &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	addr := at.ID
	if !strings.Contains(addr, ":") {
		var err error
		if addr, err = a.locate(ctx, at.ID); err != nil {
			return nil, err
		}
	}
	u, err := url.Parse(addr)
	if err != nil || !a.files.Has(u) {
		return nil, bad("host")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, bad("host")
	}
	r.Header["Authorization"] = []string{"Bearer " + a.token.Reveal()}
	return a.get(r, at.MIME, limit)
}

// locate asks for the address of a file.
func (a *Adapter) locate(ctx context.Context, id string) (string, error) {
	if !isID(id) {
		return "", bad("host")
	}
	ans, err := a.call(ctx, a.info, []byte("file="+id))
	if err != nil {
		return "", local(err)
	}
	var r record
	s := wire.NewScanner(ans.body)
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) == "file" {
			r.file(&s)
		} else {
			s.Skip()
		}
	}
	if s.End() != nil || len(r.files) != 1 || !strings.Contains(r.files[0].ID, ":") {
		return "", bad("no_address")
	}
	return r.files[0].ID, nil
}

// get reads at most limit bytes. To who has no right to a file Slack shows its
// page for signing in, with status 200.
func (a *Adapter) get(r *http.Request, kind string, limit int64) ([]byte, error) {
	resp, err := a.client.Do(r)
	if err != nil {
		return nil, &channel.SendError{Class: channel.Retry, Code: "broken"} // the error shows the address
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.Request != nil && resp.Request.URL != nil && !a.files.Has(resp.Request.URL) {
		return nil, bad("host") // a client that follows was led away
	}
	if resp.StatusCode != http.StatusOK {
		e := wire.StatusError(wire.Answer{Status: resp.StatusCode})
		switch resp.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			e.Code = "host" // somewhere else
		case http.StatusUnauthorized, http.StatusForbidden:
			e.Class = channel.Bad // of this file, which may be another's
		case http.StatusGatewayTimeout:
			e.Class = channel.Retry // nothing is lost by asking again
		}
		return nil, e
	}
	if page(resp.Header.Get("Content-Type")) && !page(kind) {
		return nil, &channel.SendError{Class: channel.Bad, Status: resp.StatusCode, Code: "sign_in"}
	}
	return wire.Body(resp, limit) //nolint:wrapcheck // a *channel.SendError, complete
}

func page(kind string) bool {
	k, _, err := mime.ParseMediaType(kind)
	return err == nil && k == "text/html"
}
