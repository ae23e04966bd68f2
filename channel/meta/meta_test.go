package meta

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

func hook(secrets ...string) Hook {
	var list channel.Secrets
	for _, s := range secrets {
		list = append(list, channel.NewSecret(s))
	}
	return NewHook(list, channel.NewSecret("meatyhamhock"))
}

// signed makes a signed_request as Meta does.
func signed(secret, payload string) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(sum(secret, body)) + "." + body
}

func sum(secret, body string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(body))
	return m.Sum(nil)
}

func wish(body string) *channel.Request {
	return &channel.Request{Method: http.MethodPost, Body: []byte(body)}
}

func form(values ...string) string { return url.Values{"signed_request": values}.Encode() }

// example has the shape that Meta publishes for a decoded signed_request.
const example = `{"algorithm":"HMAC-SHA256","expires":1291840400,"issued_at":1291836800,"user_id":"218471"}`

// published is the vector of Meta's SDKs, made with the secret "secret". It
// names nobody.
const published = "vlXgu64BQGFSQrY0ZcJBZASMvYvTHu9GQ0YM9rjPSso.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsIjAiOiJwYXlsb2FkIn0"

func TestDataDeletion(t *testing.T) {
	h := hook("secret", "the next secret")
	body := base64.RawURLEncoding.EncodeToString([]byte(example))
	mac := base64.RawURLEncoding.EncodeToString(sum("secret", body))
	padded := base64.URLEncoding.EncodeToString([]byte(example + " "))
	upper := base64.RawURLEncoding.EncodeToString(sum("secret", strings.ToUpper(body)))
	other := strings.Replace(example, "218471", "218472", 1)
	for _, tt := range []struct {
		name, body, want string // "" = refused
	}{
		{"right", form(signed("secret", example)), "218471"},
		{"the other secret", form(signed("the next secret", example)), "218471"},
		{"among other fields", form(signed("secret", example)) + "&locale=en", "218471"},
		{"id as a number", form(signed("secret", strings.Replace(example, `"218471"`, `9007199254740993`, 1))), "9007199254740993"},
		{"algorithm in small letters", form(signed("secret", strings.Replace(example, "HMAC-SHA256", "hmac-sha256", 1))), "218471"},
		{"fields of a later version", form(signed("secret", strings.Replace(example, "{", `{"new":{"user_id":"1","algorithm":"none"},`, 1))), "218471"},
		{"right padding, signed with it", form(base64.URLEncoding.EncodeToString(sum("secret", padded)) + "." + padded), "218471"},

		{"a third secret", form(signed("other", example)), ""},
		{"no secret", form(signed("", example)), ""},
		{"signed over what it reads as", form(base64.RawURLEncoding.EncodeToString(sum("secret", example)) + "." + body), ""},
		{"signature in hexadecimal digits", form(hex.EncodeToString(sum("secret", body)) + "." + body), ""},
		{"signature of another payload", form(mac + "." + base64.RawURLEncoding.EncodeToString([]byte(other))), ""},
		{"payload in capitals", form(upper + "." + strings.ToUpper(body)), ""},
		{"padding that is not needed", form(mac + "==." + body), ""},
		{"padding after the signing", form(mac + "." + body + "="), ""},
		{"line end in the signature", form(mac[:10] + "\n" + mac[10:] + "." + body), ""},
		{"line end at its end", form(mac + "\r\n." + body), ""},
		{"loose bits in the signature", form(loose(mac) + "." + body), ""},
		{"standard alphabet", form(standard()), ""},
		{"no signature", form("." + body), ""},
		{"no payload", form(mac + "."), ""},
		{"no point", form(mac), ""},
		{"two points", form(signed("secret", example) + "." + body), ""},
		{"empty", form(""), ""},
		{"missing", "user_id=218471", ""},
		{"twice", form(signed("secret", example), signed("secret", example)), ""},
		{"right, then wrong", form(signed("secret", example), "x.y"), ""},
		{"wrong, then right", form("x.y", signed("secret", example)), ""},
		{"not a form", `{"signed_request":"` + signed("secret", example) + `"}`, ""},
		{"broken form", form(signed("secret", example)) + "&%zz", ""},
		{"too long", form(signed("secret", strings.Replace(example, "{", `{"x":"`+strings.Repeat("x", 4096)+`",`, 1))), ""},

		{"no algorithm", form(signed("secret", `{"user_id":"218471"}`)), ""},
		{"algorithm none", form(signed("secret", strings.Replace(example, "HMAC-SHA256", "none", 1))), ""},
		{"another algorithm", form(signed("secret", strings.Replace(example, "HMAC-SHA256", "HMAC-SHA1", 1))), ""},
		{"algorithm that is no text", form(signed("secret", strings.Replace(example, `"HMAC-SHA256"`, `["HMAC-SHA256"]`, 1))), ""},
		{"algorithm named twice, the last another", form(signed("secret", strings.TrimSuffix(example, "}")+`,"algorithm":"none"}`)), ""},
		{"nobody", form(published), ""},
		{"empty id", form(signed("secret", strings.Replace(example, "218471", "", 1))), ""},
		{"id that is no id", form(signed("secret", strings.Replace(example, `"218471"`, `{"id":"218471"}`, 1))), ""},
		{"not JSON", form(signed("secret", "218471")), ""},
		{"JSON and more", form(signed("secret", example+"x")), ""},
	} {
		got, err := h.DataDeletion(wish(tt.body))
		if got != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, channel.ErrUnverified) {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	get := wish(form(signed("secret", example)))
	get.Method = http.MethodGet
	if _, err := h.DataDeletion(get); err == nil {
		t.Error("a GET is believed")
	}
	var zero Hook
	for _, secret := range []string{"", "secret"} {
		if _, err := zero.DataDeletion(wish(form(signed(secret, example)))); err == nil {
			t.Error("the zero value believes")
		}
	}
}

// The published vector is signed rightly: only that it names nobody refuses it.
func TestPublishedVector(t *testing.T) {
	signature, payload, _ := strings.Cut(published, ".")
	got, ok := base64url(signature)
	plain, also := base64url(payload)
	if !ok || !also || !hmac.Equal(got, sum("secret", payload)) || string(plain) != `{"algorithm":"HMAC-SHA256","0":"payload"}` {
		t.Error(ok, also, string(plain))
	}
}

// loose sets a bit of the last character that carries none of the bytes.
func loose(mac string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return mac[:len(mac)-1] + string(alphabet[strings.IndexByte(alphabet, mac[len(mac)-1])|1])
}

// standard is a right one whose signature is written in the other alphabet of
// base64, where that differs.
func standard() string {
	for i := 0; ; i++ {
		one := signed("secret", strings.Replace(example, "218471", strings.Repeat("1", i+1), 1))
		signature, payload, _ := strings.Cut(one, ".")
		if strings.ContainsAny(signature, "-_") {
			return strings.NewReplacer("-", "+", "_", "/").Replace(signature) + "." + payload
		}
	}
}

// TestDataDeletionBits: with any bit of the call changed it is not believed, or
// it names the same person.
func TestDataDeletionBits(t *testing.T) {
	h := hook("secret")
	body := "signed_request=" + signed("secret", example)
	for i := range len(body) * 8 {
		bad := []byte(body)
		bad[i/8] ^= 1 << (i % 8)
		if user, err := h.DataDeletion(wish(string(bad))); err == nil {
			t.Errorf("bit %d of byte %d (%q for %q) changed: %q is believed", i%8, i/8, bad[i/8], body[i/8], user)
		}
	}
}

func FuzzDataDeletion(f *testing.F) {
	f.Add(form(signed("secret", example)))
	f.Add(form(published))
	f.Add("signed_request=a.b&signed_request=c")
	h := hook("secret")
	f.Fuzz(func(t *testing.T, body string) {
		user, err := h.DataDeletion(wish(body))
		if err != nil {
			if user != "" || !errors.Is(err, channel.ErrUnverified) {
				t.Fatalf("%q, %v", user, err)
			}
			return
		}
		// What is believed was signed: the same holds for the parts themselves.
		q, _ := url.ParseQuery(body)
		signature, payload, _ := strings.Cut(q.Get("signed_request"), ".")
		got, ok := base64url(signature)
		if !ok || !hmac.Equal(got, sum("secret", payload)) || user == "" {
			t.Fatalf("%q is believed", body)
		}
	})
}

func TestConfirmation(t *testing.T) {
	r := Confirmation(`https://bot.example/deletion?id=a"b`, "a1b2")
	var got struct {
		URL  string `json:"url"`
		Code string `json:"confirmation_code"`
	}
	if err := json.Unmarshal(r.Body, &got); err != nil || r.Status != 200 || r.ContentType != "application/json" ||
		got.URL != `https://bot.example/deletion?id=a"b` || got.Code != "a1b2" {
		t.Error(r, got, err)
	}
}

// The proof is that of the documentation's own formula.
func TestProof(t *testing.T) {
	p := Proof(channel.NewSecret("secret"), channel.NewSecret("token"))
	if want := hex.EncodeToString(sum("secret", "token")); p.Reveal() != want || p.String() != "[secret]" {
		t.Error(p.Reveal())
	}
}

func TestVerify(t *testing.T) {
	h := hook("first", "second")
	body := []byte(`{"object":"page"}`)
	sign := func(secret string) string { return "sha256=" + hex.EncodeToString(sum(secret, string(body))) }
	for _, tt := range []struct {
		name   string
		method string
		header http.Header
		ok     bool
	}{
		{"first secret", "POST", http.Header{signatureHeader: {sign("first")}}, true},
		{"second secret", "POST", http.Header{signatureHeader: {sign("second")}}, true},
		{"beside the old one", "POST", http.Header{signatureHeader: {sign("first")}, "X-Hub-Signature": {"sha1=00"}}, true},
		{"the old one only", "POST", http.Header{"X-Hub-Signature": {"sha1=00"}}, false},
		{"the new one under the old name", "POST", http.Header{"X-Hub-Signature": {sign("first")}}, false},
		{"named SHA-1", "POST", http.Header{signatureHeader: {strings.Replace(sign("first"), "sha256", "sha1", 1)}}, false},
		{"without its name", "POST", http.Header{signatureHeader: {sign("first")[7:]}}, false},
		{"third secret", "POST", http.Header{signatureHeader: {sign("third")}}, false},
		{"twice", "POST", http.Header{signatureHeader: {sign("first"), sign("first")}}, false},
		{"none", "POST", http.Header{}, false},
		{"GET", "GET", http.Header{signatureHeader: {sign("first")}}, false},
	} {
		if err := h.Verify(&channel.Request{Method: tt.method, Header: tt.header, Body: body}); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestHandshakeAnswersNothingElse(t *testing.T) {
	h := hook("secret")
	q := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {"meatyhamhock"}}
	r, answered, err := h.Handshake(&channel.Request{Method: http.MethodGet, Query: q})
	if err != nil || !answered || string(r.Body) != "1158201444" || r.Status != 200 {
		t.Fatal(r, answered, err)
	}
	for i := range len("meatyhamhock") * 8 { // an oracle would tell a part of the word
		bad := []byte("meatyhamhock")
		bad[i/8] ^= 1 << (i % 8)
		q.Set("hub.verify_token", string(bad))
		if r, answered, err := h.Handshake(&channel.Request{Method: http.MethodGet, Query: q}); r != nil || !answered || !errors.Is(err, channel.ErrUnverified) {
			t.Error(r, answered, err)
		}
	}
	var zero Hook
	q.Set("hub.verify_token", "")
	if _, _, err := zero.Handshake(&channel.Request{Method: http.MethodGet, Query: q}); err == nil {
		t.Error("the zero value answers")
	}
}

func TestFault(t *testing.T) {
	for _, tt := range []struct {
		body string
		want Fault
		is   bool
	}{
		{`{"message":"whisper","type":"OAuthException","code":10,"error_subcode":2534022,"fbtrace_id":"x"}`, Fault{10, 2534022, false}, true},
		{`{"code":"190","is_transient":true}`, Fault{190, 0, true}, true},
		{`{}`, Fault{}, true},
		{`"whisper"`, Fault{}, false},
		{`null`, Fault{}, false},
	} {
		s := wire.NewScanner([]byte(tt.body))
		var f Fault
		got := ReadFault(&s)
		if got != nil {
			f = *got
		}
		if is := got != nil; is != tt.is || f != tt.want || s.End() != nil {
			t.Errorf("%s: %+v, %v", tt.body, f, is)
		}
	}
}
