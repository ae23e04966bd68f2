package slack

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// maxFile is what goes out of one piece. Slack takes a gigabyte.
const maxFile = 100 << 20

// sendFile gives Slack a file in three steps, of which only the last one shows
// it to anybody: until then a failure of unknown outcome has sent nothing. A
// text that fits stands with the file; buttons, or a longer text, follow in a
// message of their own, whose id is returned. Slack gives the message with the
// file no id.
func (a *Adapter) sendFile(ctx context.Context, to target, text string, buttons []sotto.Button, f *channel.File) (string, error) {
	if len(f.Data) == 0 || len(f.Data) > maxFile {
		return "", bad("file_size")
	}
	comment := ""
	if len(buttons) == 0 && wire.Units(text) <= maxText {
		comment, text = text, ""
	}
	id, err := a.store(ctx, f)
	if err != nil {
		return "", unsent(err)
	}
	to.url = "" // what is posted there cannot hold a file
	if _, err := a.call(ctx, a.complete, share(to, id, comment, f)); err != nil {
		return "", local(err)
	}
	if strings.TrimSpace(text) == "" && len(buttons) == 0 {
		return "", nil
	}
	id, err = a.sendText(ctx, to, text, buttons)
	if err != nil {
		return "", wire.After(err)
	}
	return id, nil
}

// store brings a file to Slack and returns its id. Nobody sees it yet.
func (a *Adapter) store(ctx context.Context, f *channel.File) (id string, err error) {
	q := url.Values{"filename": {name(f)}, "length": {strconv.Itoa(len(f.Data))}}
	ans, err := a.call(ctx, a.upload, []byte(q.Encode()))
	if err != nil {
		return "", err
	}
	u, perr := url.Parse(ans.uploadTo)
	if perr != nil || ans.file == "" || !a.files.Has(u) && !a.api.Has(u) {
		return "", bad("host") // a file goes to Slack and nowhere else
	}
	// The address is the permission: no token goes along.
	e, err := wire.NewEndpoint(http.MethodPost, ans.uploadTo, "Content-Type", "application/octet-stream")
	if err != nil {
		return "", bad("host")
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	got, err := wire.Call(a.client, e.Request(ctx, f.Data))
	if err != nil {
		return "", err //nolint:wrapcheck // a *channel.SendError, complete
	}
	if got.Status/100 != 2 {
		return "", local(wire.StatusError(got))
	}
	return ans.file, nil
}

// share lays out the step that shows a file.
func share(to target, id, comment string, f *channel.File) []byte {
	b := wire.AppendString(make([]byte, 0, 256+len(comment)), id)
	b = append([]byte(`{"files":[{"id":`), b...)
	b = wire.AppendString(append(b, `,"title":`...), name(f))
	b = append(b, `}]`...)
	// "channels" takes persons as well, "channel_id" does not.
	b = wire.AppendString(append(b, `,"channels":`...), to.channel)
	if to.thread != "" {
		b = wire.AppendString(append(b, `,"thread_ts":`...), to.thread)
	}
	if strings.TrimSpace(comment) != "" {
		b = wire.AppendString(append(b, `,"initial_comment":`...), escape(comment))
	}
	return append(b, '}')
}

// name is a file's name without what could be read as more than that.
func name(f *channel.File) string {
	n := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == '"' || r == '\\' || r == '/' {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(f.Name, "_"))
	if len(n) > 255 {
		n = strings.ToValidUTF8(n[:255], "")
	}
	return or(n, "file")
}

// unsent turns an unknown outcome of a step that shows nothing into a plain
// failure.
func unsent(err error) error {
	var e *channel.SendError
	if !errors.As(err, &e) {
		return err
	}
	own := *e
	if own.Class == channel.Unknown {
		own.Class = channel.Retry
	}
	return local(&own)
}

// local keeps a refusal that is about files alone from stopping the account: a
// scope that only files need, or the store's own, which knows no token.
func local(err error) error {
	var e *channel.SendError
	if !errors.As(err, &e) || e.Class != channel.Auth || e.Code != "missing_scope" && e.Code != "401" {
		return err
	}
	own := *e
	own.Class = channel.Bad
	return &own
}
