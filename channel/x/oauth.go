package x

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // OAuth 1.0a signs with HMAC-SHA1; it is not used for anything else
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto/channel"
)

// auth proves calls of the account's to X: by a bearer token (OAuth 2.0), or
// with a consumer key by a signature (OAuth 1.0a, RFC 5849), which does not end.
type auth struct {
	token, key, secret, tokenSecret channel.Secret
	now                             func() time.Time
}

// sign gives a request its Authorization. Of the request's address the query is
// signed with it; its body is not, as it is no form.
func (a *auth) sign(r *http.Request) {
	if a.key.IsZero() {
		r.Header["Authorization"] = []string{"Bearer " + a.token.Reveal()}
		return
	}
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails (crypto/rand)
	r.Header["Authorization"] = []string{a.header(r, hex.EncodeToString(nonce[:]), a.now().Unix(), nil)}
}

// signs reports whether calls are signed rather than carry a token that is good
// for any other call.
func (a *auth) signs() bool { return !a.key.IsZero() }

// param is a name and a value, in clear.
type param struct{ name, value string }

// header is the value of a signed Authorization. form are the parameters of a
// body that is a form.
func (a *auth) header(r *http.Request, nonce string, at int64, form []param) string {
	own := []param{
		{"oauth_consumer_key", a.key.Reveal()},
		{"oauth_nonce", nonce},
		{"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", strconv.FormatInt(at, 10)},
		{"oauth_token", a.token.Reveal()},
		{"oauth_version", "1.0"},
	}
	all := slices.Concat(own, form)
	for name, values := range r.URL.Query() {
		for _, v := range values {
			all = append(all, param{name, v})
		}
	}
	m := hmac.New(sha1.New, []byte(escape(a.secret.Reveal())+"&"+escape(a.tokenSecret.Reveal())))
	m.Write([]byte(baseString(r, all)))
	own = append(own, param{"oauth_signature", base64.StdEncoding.EncodeToString(m.Sum(nil))})
	var b strings.Builder
	b.WriteString("OAuth ")
	for i, p := range own {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.name + `="` + escape(p.value) + `"`)
	}
	return b.String()
}

// baseString is what is signed (RFC 5849, 3.4.1).
func baseString(r *http.Request, params []param) string {
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = escape(p.name) + "=" + escape(p.value)
	}
	slices.Sort(pairs)
	u := *r.URL
	u.RawQuery, u.Fragment = "", ""
	return r.Method + "&" + escape(u.String()) + "&" + escape(strings.Join(pairs, "&"))
}

// escape encodes all but what RFC 3986 calls unreserved.
func escape(s string) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+8)
	for i := range len(s) {
		c := s[i]
		if (c >= '0' && c <= '9') || (c|0x20 >= 'a' && c|0x20 <= 'z') || strings.IndexByte("-._~", c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}
