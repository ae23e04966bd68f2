package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

const (
	// maxAnswer bounds what is read of an answer; those to sends are below 20 KiB.
	maxAnswer = 1 << 20
	// firstRoom is what is held ready for an answer of unknown length, and
	// mostRoom for one that announces its length: it need not be true.
	firstRoom, mostRoom = 1 << 10, 64 << 10
	// maxWait bounds the time that a network may ask to be left alone.
	maxWait = 24 * time.Hour
)

// Answer is what a network answered to one API call.
type Answer struct {
	Status     int
	Body       []byte
	RetryAfter time.Duration // of the header, 0 where there is none
	Header     http.Header   // for what a network says of the time, or of its limits
}

// Call makes one API call and reads its answer to the end, so that the
// connection can be used again, but at most 1 MiB. The error is a
// *channel.SendError without the address: Retry where certainly nothing
// reached the network, Unknown otherwise. An answer of any status is no error.
func Call(client channel.Doer, r *http.Request) (Answer, error) {
	resp, err := client.Do(r)
	if err != nil {
		return Answer{}, broken(err)
	}
	body, err := readAll(resp.Body, resp.ContentLength)
	_ = resp.Body.Close() // all that counts was read
	if err != nil {
		e := broken(err)
		e.Class = channel.Unknown // it was answered
		e.Status = resp.StatusCode
		return Answer{}, e
	}
	a := Answer{Status: resp.StatusCode, Body: body, Header: resp.Header}
	if v := resp.Header["Retry-After"]; len(v) > 0 {
		a.RetryAfter = Seconds(v[0])
	}
	return a, nil
}

// readAll reads at most maxAnswer bytes. length is what was announced, -1 if
// nothing was.
func readAll(r io.Reader, length int64) ([]byte, error) {
	room := int64(firstRoom)
	if length >= 0 {
		room = min(length, mostRoom) + 1 // one more shows the end
	}
	b := make([]byte, 0, room)
	for {
		n, err := r.Read(b[len(b):min(cap(b), maxAnswer)])
		b = b[:len(b)+n]
		switch {
		case errors.Is(err, io.EOF), err == nil && len(b) == maxAnswer:
			return b, nil
		case err != nil:
			return nil, err
		case len(b) == cap(b):
			b = slices.Grow(b, cap(b))
		}
	}
}

// broken sorts the error of a call that got no answer. A client that knows
// whether anything was written says so by Written; of another, the errors that
// come before a connection is made are known. The error itself is dropped: it names the
// address, and the address may hold a token.
func broken(err error) *channel.SendError {
	e := &channel.SendError{Class: channel.Unknown, Code: "broken"}
	var (
		wrote interface{ Written() bool }
		op    *net.OpError
		dns   *net.DNSError
		cert  *tls.CertificateVerificationError
	)
	switch {
	case sotto.KindOf(err) == sotto.KindDenied: // our own way out said no
		e.Class, e.Code = channel.Retry, "denied"
	case errors.As(err, &dns):
		e.Class, e.Code = channel.Retry, "dns"
	case errors.As(err, &cert):
		e.Class, e.Code = channel.Retry, "certificate"
	case errors.As(err, &op) && op.Op == "dial":
		e.Class, e.Code = channel.Retry, "dial"
	case errors.As(err, &wrote) && !wrote.Written():
		e.Class, e.Code = channel.Retry, "not_written"
	case errors.Is(err, context.Canceled):
		e.Code = "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		e.Code = "timeout"
	}
	return e
}

// Seconds reads a Retry-After of whole or broken seconds, at most a day. Any
// other text, such as a date, reads as 0.
func Seconds(s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f > 0) {
		return 0
	}
	if f > maxWait.Seconds() {
		return maxWait
	}
	return time.Duration(f * float64(time.Second))
}

// StatusError sorts an answer by its HTTP status alone, for answers that say
// no more: Retry for 429 and server errors, Unknown where a gateway gave up
// waiting for the network's own server, Auth for 401, Bad for the rest.
func StatusError(a Answer) *channel.SendError {
	e := &channel.SendError{Class: channel.Bad, Status: a.Status, Code: strconv.Itoa(a.Status), RetryAfter: a.RetryAfter}
	switch {
	case a.Status == http.StatusUnauthorized:
		e.Class = channel.Auth
	case a.Status == http.StatusGatewayTimeout:
		e.Class = channel.Unknown
	case a.Status == http.StatusTooManyRequests, a.Status == http.StatusRequestTimeout, a.Status >= 500:
		e.Class = channel.Retry
	}
	return e
}

// After turns the failure of a later part of a message into Unknown: the
// earlier parts went out, so the whole must not simply be sent again.
func After(err error) error {
	var e *channel.SendError
	if !errors.As(err, &e) {
		return err
	}
	late := *e
	late.Class = channel.Unknown
	return &late
}

// Base checks the address of an API and returns it without a final slash. It
// must be https, or http to this machine, because tokens go there.
func Base(addr string) (string, error) {
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" {
		return "", errors.New("not an address") // the parser's error would repeat it
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("only scheme, host and path may be given")
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	if u.Scheme != "https" && (u.Scheme != "http" || host != "localhost" && !ip.IsLoopback()) {
		return "", fmt.Errorf("scheme %q: want https, or http to this machine", u.Scheme)
	}
	return strings.TrimRight(addr, "/"), nil
}

// FilePart writes a file as a part of a multipart form. Bytes of its name that
// could end the part's header are replaced.
func FilePart(w *multipart.Writer, field string, f *channel.File) error {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == '"' || r == '\\' || r == '/' {
			return '_'
		}
		return r
	}, f.Name)
	if name == "" {
		name = "file"
	}
	kind, params, err := mime.ParseMediaType(f.MIME)
	if err != nil {
		kind, params = "application/octet-stream", nil
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename="%s"`, field, name))
	h.Set("Content-Type", mime.FormatMediaType(kind, params))
	p, err := w.CreatePart(h)
	if err != nil {
		return fmt.Errorf("form: %w", err)
	}
	if _, err := p.Write(f.Data); err != nil {
		return fmt.Errorf("form: %w", err)
	}
	return nil
}
