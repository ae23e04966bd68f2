package egress

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxOut is what is held of a request. One that fits into it is written at once.
const maxOut = 16 << 10

var (
	errRequest = errors.New("the request is not valid")
	errBody    = errors.New("the request's body could not be read")
)

// message is a request in the form in which it is written.
type message struct {
	out  []byte    // the head, and the body or its beginning
	rest io.Reader // the rest of the body, or nil
	left int64     // bytes of the rest, or -1 if that is not known: it is sent in chunks
	used bool      // something of the rest was read, so that it cannot be written again
}

// compose checks a request and writes its beginning into out (RFC 9112, 3).
// The URL's host has been checked, it is that of the place.
func compose(r *http.Request, host string, out []byte) (message, error) {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	uri := r.URL.RequestURI()
	if !isToken(method) || !isURI(uri) || len(r.Trailer) > 0 {
		return message{out: out}, errRequest
	}
	out = append(out, method...)
	out = append(out, ' ')
	out = append(out, uri...)
	out = append(out, " HTTP/1.1\r\nHost: "...)
	out = append(out, host...)
	out = append(out, "\r\n"...)
	if _, ok := r.Header["User-Agent"]; !ok {
		out = append(out, "User-Agent: Go-http-client/1.1\r\n"...)
	}
	for name, values := range r.Header {
		if ours(name) {
			continue
		}
		if !isToken(name) {
			return message{out: out}, errRequest
		}
		for _, v := range values {
			v = strings.Trim(v, " \t")
			if !isValue(v) {
				return message{out: out}, errRequest
			}
			if v == "" && name == "User-Agent" {
				continue // this is how net/http is told to send none
			}
			out = append(out, name...)
			out = append(out, ": "...)
			out = append(out, v...)
			out = append(out, "\r\n"...)
		}
	}
	if r.Close && len(r.Header["Connection"]) == 0 {
		out = append(out, "Connection: close\r\n"...)
	}
	m := message{out: out}
	return m, m.body(r, method)
}

// body adds the length of the body and as much of it as there is room for.
func (m *message) body(r *http.Request, method string) error {
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		if r.ContentLength > 0 {
			return errRequest
		}
		if method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
			m.out = append(m.out, "Content-Length: 0\r\n"...)
		}
		m.out = append(m.out, "\r\n"...)
		return nil
	case r.ContentLength > 0:
		return m.known(r.Body, r.ContentLength)
	}
	return m.unknown(r.Body)
}

// known begins a body that says its length.
func (m *message) known(body io.Reader, length int64) error {
	m.out = append(m.out, "Content-Length: "...)
	m.out = strconv.AppendInt(m.out, length, 10)
	m.out = append(m.out, "\r\n\r\n"...)
	n := int(min(length, max(0, int64(maxOut-len(m.out)))))
	if err := m.fill(body, n); err != nil {
		return err
	}
	if m.left = length - int64(n); m.left > 0 {
		m.rest = body
		return nil
	}
	return atEnd(body, m.out)
}

// fill reads n bytes of the body.
func (m *message) fill(body io.Reader, n int) error {
	at := len(m.out)
	m.out = slices.Grow(m.out, n+1)[:at+n] // one more, see atEnd
	got, err := io.ReadFull(body, m.out[at:])
	switch {
	case got == n:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errRequest // it is shorter than it said
	}
	return errBody
}

// atEnd checks that a body is not longer than it said. buf lends a byte.
func atEnd(body io.Reader, buf []byte) error {
	buf = slices.Grow(buf, 1)
	n, err := body.Read(buf[len(buf) : len(buf)+1])
	switch {
	case n > 0:
		return errRequest
	case err != nil && !errors.Is(err, io.EOF):
		return errBody
	}
	return nil
}

// unknown begins a body that does not say its length. If it turns out to be
// short, the request says it.
func (m *message) unknown(body io.Reader) error {
	at := len(m.out)
	n := max(1<<10, maxOut-at)
	m.out = slices.Grow(m.out, n)[:at+n]
	n, err := io.ReadFull(body, m.out[at:])
	m.out = m.out[:at+n]
	var line []byte
	switch {
	case err == nil:
		m.rest, m.left = body, -1
		line = append(line, "Transfer-Encoding: chunked\r\n\r\n"...)
		line = strconv.AppendInt(line, int64(n), 16)
		line = append(line, "\r\n"...)
		m.out = append(m.out, "\r\n"...)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		line = append(line, "Content-Length: "...)
		line = strconv.AppendInt(line, int64(n), 10)
		line = append(line, "\r\n\r\n"...)
	default:
		return errBody
	}
	m.out = slices.Insert(m.out, at, line...)
	return nil
}

// send writes the request.
func (m *message) send(w io.Writer) error {
	if _, err := w.Write(m.out); err != nil || m.rest == nil {
		return err
	}
	m.used = true
	buf := slices.Grow(m.out[:0], maxOut)[:maxOut]
	if m.left < 0 {
		return m.sendChunks(w, buf)
	}
	for m.left > 0 {
		n := min(m.left, int64(len(buf)))
		if got, err := io.ReadFull(m.rest, buf[:n]); int64(got) < n {
			return bodyError(err)
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return err
		}
		m.left -= n
	}
	return atEnd(m.rest, buf[:0])
}

// sendChunks writes a rest of unknown length (RFC 9112, 7.1).
func (m *message) sendChunks(w io.Writer, buf []byte) error {
	const size, mark = maxOut - 16, "0\r\n\r\n"
	for {
		n, err := io.ReadFull(m.rest, buf[8:8+size])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return errBody
		}
		out := buf[8 : 8+n]
		if n > 0 {
			var room [8]byte
			line := append(strconv.AppendInt(room[:0], int64(n), 16), "\r\n"...)
			out = append(out, "\r\n"...)
			copy(buf[8-len(line):], line)
			out = buf[8-len(line) : 8+len(out)]
		}
		if last {
			out = append(out, mark...)
		}
		if _, err := w.Write(out); err != nil || last {
			return err
		}
	}
}

func bodyError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errRequest
	}
	return errBody
}

// ours reports whether a header is written by this package and not taken from
// the caller. The spelling does not matter: a second length of another spelling
// would be a second request for some servers.
func ours(name string) bool {
	switch len(name) {
	case len("Host"):
		return strings.EqualFold(name, "Host")
	case len("Trailer"):
		return strings.EqualFold(name, "Trailer")
	case len("Content-Length"):
		return strings.EqualFold(name, "Content-Length")
	case len("Transfer-Encoding"):
		return strings.EqualFold(name, "Transfer-Encoding")
	}
	return false
}

// isToken reports whether s is a token (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isValue reports whether s can be the value of a header (RFC 9110, 5.5).
func isValue(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isURI reports whether s can stand between the method and the version.
func isURI(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return s != "" && s[0] == '/'
}

// keeps reports whether the request lets the connection be used again.
func keeps(r *http.Request) bool { return !r.Close && len(r.Header["Connection"]) == 0 }

// repeatable reports whether the request may be made twice (RFC 9110, 9.2.2).
func repeatable(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return len(r.Header["Idempotency-Key"]) > 0 || len(r.Header["X-Idempotency-Key"]) > 0
}
