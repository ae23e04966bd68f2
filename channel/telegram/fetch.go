package telegram

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// stored is the result of getFile.
type stored struct {
	Path string `json:"file_path"`
	Size int64  `json:"file_size"`
}

// Fetch implements [channel.Fetcher] with getFile and the API's own host. The
// Bot API hands out files of up to 20 MB; a larger one is "too_large" whatever
// the limit is.
func (a *Adapter) Fetch(ctx context.Context, at channel.Attachment, limit int64) ([]byte, error) {
	if at.ID == "" {
		return nil, bad("no_id")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	var f stored
	if _, err := a.ask(ctx, "getFile", append(wire.AppendString([]byte(`{"file_id":`), at.ID), '}'), &f); err != nil {
		return nil, err
	}
	if f.Size > limit {
		return nil, bad("too_large")
	}
	path, ok := filePath(f.Path)
	if !ok {
		return nil, bad("host")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.api+"/file/bot"+a.token.Reveal()+"/"+path, http.NoBody)
	if err != nil { // it would show the address, and so the token
		return nil, bad("address")
	}
	return wire.Fetch(a.client, r, limit) //nolint:wrapcheck // a *channel.SendError, complete
}

// filePath escapes a path for an address. One that leads elsewhere is refused:
// a Bot API server with --local names files of its own disk, which are not to be
// had over HTTP.
func filePath(p string) (string, bool) {
	if p == "" || strings.HasPrefix(p, "/") || strings.ContainsAny(p, "\\\x00") {
		return "", false
	}
	parts := strings.Split(p, "/")
	for i, part := range parts {
		if part == "" || part == "." || part == ".." {
			return "", false
		}
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/"), true
}
