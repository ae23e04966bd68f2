package webchat

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"
)

// visitor is the random number of one browser. It is the sender and the
// conversation of its events.
type visitor [16]byte

func newVisitor() visitor {
	var v visitor
	_, _ = rand.Read(v[:]) // never fails, says its documentation
	return v
}

func (v visitor) String() string { return hex.EncodeToString(v[:]) }

func parseVisitor(s string) (visitor, error) {
	var v visitor
	if len(s) != 2*len(v) || strings.ToLower(s) != s {
		return v, errors.New("not a visitor")
	}
	_, err := hex.Decode(v[:], []byte(s))
	return v, err
}

const (
	cookieLife    = 30 * 24 * time.Hour // after the last message
	cookieRefresh = 24 * time.Hour      // a cookie older than this is renewed with the next message

	// A browser takes a __Host- cookie only from this very host over HTTPS, so
	// no sibling host can plant a visitor number of its own choice.
	cookieHTTPS = "__Host-sotto_chat"
	cookiePlain = "sotto_chat"

	cookieBytes = 16 + 8 + 16 // visitor, seconds, half an HMAC-SHA256
)

// sign returns the cookie's value: the visitor, the time, and a proof that we
// wrote both.
func (a *Adapter) sign(v visitor, at time.Time) string {
	b := make([]byte, 0, cookieBytes)
	b = append(b, v[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(at.Unix())) //nolint:gosec // only read back by us, as the same bits
	b = append(b, a.mac(b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (a *Adapter) mac(b []byte) []byte {
	h := hmac.New(sha256.New, a.cfg.CookieKey[:])
	h.Write([]byte("sotto webchat visitor 1\x00"))
	h.Write(b)
	return h.Sum(nil)[:16]
}

// open checks a cookie's value. A cookie from the future is refused as well:
// only a clock that was set back, or another's key, makes one.
func (a *Adapter) open(value string) (v visitor, issued time.Time, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || len(b) != cookieBytes || !hmac.Equal(a.mac(b[:24]), b[24:]) {
		return visitor{}, time.Time{}, false
	}
	issued = time.Unix(int64(binary.BigEndian.Uint64(b[16:24])), 0) //nolint:gosec // see sign
	age := a.cfg.Now().Sub(issued)
	if age > cookieLife || age < -time.Hour {
		return visitor{}, time.Time{}, false
	}
	return visitor(b[:16]), issued, true
}

// secure reports whether the browser speaks HTTPS with us: we see it, or the
// browser says so.
func (a *Adapter) secure(r *http.Request) bool {
	return a.cfg.HTTPS(r) || strings.HasPrefix(r.Header.Get("Origin"), "https://")
}

// visitorOf returns who calls. Over HTTPS only the protected name counts.
func (a *Adapter) visitorOf(r *http.Request) (v visitor, issued time.Time, ok bool) {
	c, err := r.Cookie(cookieHTTPS)
	if err != nil {
		if a.secure(r) {
			return visitor{}, time.Time{}, false
		}
		if c, err = r.Cookie(cookiePlain); err != nil {
			return visitor{}, time.Time{}, false
		}
	}
	return a.open(c.Value)
}

// setCookie makes the browser visitor v for the next 30 days. In an iframe on
// another site a Strict cookie is not kept: such a page asks for a partitioned
// one, which this site gets back only below that other site. Then the origin
// check alone stands against forged calls.
func (a *Adapter) setCookie(w http.ResponseWriter, r *http.Request, v visitor, embedded bool) {
	http.SetCookie(w, a.cookie(r, a.sign(v, a.cfg.Now()), int(cookieLife/time.Second), embedded))
}

// dropCookie makes the browser nobody, in both partitions.
func (a *Adapter) dropCookie(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, a.cookie(r, "", -1, false))
	if a.mayEmbed(r) {
		http.SetCookie(w, a.cookie(r, "", -1, true))
	}
}

func (a *Adapter) mayEmbed(r *http.Request) bool { return len(a.cfg.Origins) > 0 && a.secure(r) }

func (a *Adapter) cookie(r *http.Request, value string, maxAge int, embedded bool) *http.Cookie {
	c := &http.Cookie{
		Name: cookiePlain, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	if a.secure(r) {
		c.Name, c.Secure = cookieHTTPS, true
	}
	if embedded && a.mayEmbed(r) {
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	return c
}
