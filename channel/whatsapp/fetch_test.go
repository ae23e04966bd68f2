package whatsapp_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/whatsapp"
)

// doer answers by host, and remembers which token went where.
type doer struct {
	hosts map[string]*said // by host, or host and path
	seen  map[string]string
}

// said is an answer, or how there is none.
type said struct {
	status int
	body   string
	err    error
}

// Do implements channel.Doer.
func (d *doer) Do(r *http.Request) (*http.Response, error) {
	d.seen[r.URL.Host] = r.Header.Get("Authorization")
	s := d.hosts[r.URL.Host+r.URL.Path]
	if s == nil {
		s = d.hosts[r.URL.Host]
	}
	if s == nil {
		return nil, errors.New("no such host")
	}
	if s.err != nil {
		return nil, s.err
	}
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(strings.NewReader(s.body)), ContentLength: -1, Request: r}, nil
}

func says(status int, body string) *said { return &said{status: status, body: body} }

func told(address, sum string, size int) *said {
	return says(200, fmt.Sprintf(`{"messaging_product":"whatsapp","url":%q,"mime_type":"image\/jpeg","sha256":%q,"file_size":%d,"id":"77"}`, address, sum, size))
}

func TestFetch(t *testing.T) {
	const content = "whisper-bytes"
	digest := sha256.Sum256([]byte(content))
	right, other := hex.EncodeToString(digest[:]), strings.Repeat("0", 64)
	const lookaside = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=77"
	for _, tt := range []struct {
		name       string
		at         channel.Attachment
		api, media *said
		host       string // of the media; its token is looked at
		token      bool
		code       string // of the error, "" = none
		class      channel.Class
	}{
		{"right", channel.Attachment{ID: "77", Sum: right}, told(lookaside, right, 13), says(200, content), "lookaside.fbsbx.com", true, "", 0},
		{"without sums", channel.Attachment{ID: "77"}, told(lookaside, "", 13), says(200, content), "lookaside.fbsbx.com", true, "", 0},
		{"sum in base64", channel.Attachment{ID: "77"}, told(lookaside, base64.StdEncoding.EncodeToString(digest[:]), 13), says(200, content), "lookaside.fbsbx.com", true, "", 0},
		{"from where no token goes", channel.Attachment{ID: "77"}, told("https://mmg.whatsapp.net/x", right, 13), says(200, content), "mmg.whatsapp.net", false, "", 0},
		{"from the API itself", channel.Attachment{ID: "77"}, nil, nil, "", true, "", 0},
		{"by an address", channel.Attachment{ID: lookaside, Sum: right}, nil, says(200, content), "lookaside.fbsbx.com", true, "", 0},
		{"another sum in the webhook", channel.Attachment{ID: "77", Sum: other}, told(lookaside, right, 13), says(200, content), "lookaside.fbsbx.com", true, "sum", channel.Bad},
		{"another sum at the API", channel.Attachment{ID: "77"}, told(lookaside, other, 13), says(200, content), "lookaside.fbsbx.com", true, "sum", channel.Bad},
		{"announced too large", channel.Attachment{ID: "77"}, told(lookaside, right, 101), nil, "lookaside.fbsbx.com", false, "too_large", channel.Bad},
		{"too large after all", channel.Attachment{ID: "77"}, told(lookaside, "", 1), says(200, strings.Repeat("x", 101)), "lookaside.fbsbx.com", true, "too_large", channel.Bad},
		{"another host", channel.Attachment{ID: "77"}, told("https://evil.example/x", right, 13), says(200, content), "evil.example", false, "host", channel.Bad},
		{"a host that only ends so", channel.Attachment{ID: "77"}, told("https://evilfbsbx.com/x", right, 13), says(200, content), "evilfbsbx.com", false, "host", channel.Bad},
		{"a host that only begins so", channel.Attachment{ID: "77"}, told("https://lookaside.fbsbx.com.evil.example/x", right, 13), says(200, content), "lookaside.fbsbx.com.evil.example", false, "host", channel.Bad},
		{"in clear", channel.Attachment{ID: "77"}, told("http://lookaside.fbsbx.com/x", right, 13), says(200, content), "lookaside.fbsbx.com", false, "host", channel.Bad},
		{"another port", channel.Attachment{ID: "77"}, told("https://lookaside.fbsbx.com:8443/x", right, 13), says(200, content), "lookaside.fbsbx.com:8443", false, "host", channel.Bad},
		{"with a password", channel.Attachment{ID: "77"}, told("https://a:b@lookaside.fbsbx.com/x", right, 13), says(200, content), "lookaside.fbsbx.com", false, "host", channel.Bad},
		{"an address of another host", channel.Attachment{ID: "https://evil.example/x"}, nil, says(200, content), "evil.example", false, "host", channel.Bad},
		{"an id that leaves its place", channel.Attachment{ID: "../me"}, says(200, "{}"), nil, "", false, "id", channel.Bad},
		{"an id with a question", channel.Attachment{ID: "77?fields=x"}, says(200, "{}"), nil, "", false, "id", channel.Bad},
		{"no id", channel.Attachment{}, says(200, "{}"), nil, "", false, "id", channel.Bad},
		{"redirected", channel.Attachment{ID: "77"}, told(lookaside, right, 13), says(302, ""), "lookaside.fbsbx.com", true, "host", channel.Bad},
		{"gone", channel.Attachment{ID: "77"}, told(lookaside, right, 13), says(404, ""), "lookaside.fbsbx.com", true, "expired", channel.Bad},
		{"out of order", channel.Attachment{ID: "77"}, told(lookaside, right, 13), says(503, ""), "lookaside.fbsbx.com", true, "503", channel.Retry},
		{"the API is out of order", channel.Attachment{ID: "77"}, says(504, ""), nil, "", false, "504", channel.Retry},
		{"the API refuses", channel.Attachment{ID: "77"}, says(401, `{"error":{"code":190}}`), nil, "", false, "190", channel.Auth},
		{"no address", channel.Attachment{ID: "77"}, says(200, `{}`), nil, "", false, "answer", channel.Retry},
		{"our own way out says no", channel.Attachment{ID: "77"}, told(lookaside, right, 13), &said{err: sotto.E("egress.do", sotto.KindDenied, errors.New("whisper"))}, "lookaside.fbsbx.com", true, "host", channel.Bad},
		{"connection breaks", channel.Attachment{ID: "77"}, told(lookaside, right, 13), &said{err: fmt.Errorf("GET %s: broken", lookaside)}, "lookaside.fbsbx.com", true, "broken", channel.Retry},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &doer{hosts: map[string]*said{tt.host: tt.media}, seen: map[string]string{}}
			d.hosts["graph.facebook.com"] = tt.api
			if tt.api == nil && tt.media == nil {
				d.hosts["graph.facebook.com"], d.hosts["graph.facebook.com/file"] = told("https://graph.facebook.com/file", right, 13), says(200, content)
			}
			a, err := whatsapp.New(whatsapp.Config{
				PhoneNumberID: "900", AppSecrets: channel.Secrets{channel.NewSecret("first secret")}, VerifyToken: channel.NewSecret("verify"),
				AccessToken: channel.NewSecret(token), Client: d,
			})
			if err != nil {
				t.Fatal(err)
			}
			data, err := a.Fetch(t.Context(), tt.at, 100)
			var e *channel.SendError
			switch {
			case tt.code == "" && (err != nil || string(data) != content):
				t.Errorf("%q, %v", data, err)
			case tt.code != "" && (!errors.As(err, &e) || e.Code != tt.code || e.Class != tt.class || data != nil):
				t.Errorf("%v with %d bytes, want %v %q", err, len(data), tt.class, tt.code)
			}
			if err != nil && (strings.Contains(err.Error(), "whisper") || strings.Contains(err.Error(), "fbsbx")) {
				t.Error("the error shows an address or a text")
			}
			if got := d.seen[tt.host] == "Bearer "+token; tt.host != "" && got != tt.token {
				t.Errorf("the token went to %s: %v", tt.host, got)
			}
		})
	}
	var zero whatsapp.Adapter
	if _, err := zero.Fetch(context.Background(), channel.Attachment{ID: "77"}, 1); err == nil {
		t.Error("the zero value fetches")
	}
}

// A plain http.Client follows redirects: what comes from elsewhere is not taken.
func TestFetchRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }))
	defer elsewhere.Close()
	a := start(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/77") {
			_, _ = fmt.Fprintf(w, `{"url":"http://%s/file"}`, r.Host)
			return
		}
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
	}, nil)
	var e *channel.SendError
	if _, err := a.Fetch(t.Context(), channel.Attachment{ID: "77"}, 100); !errors.As(err, &e) || e.Code != "host" {
		t.Error(err)
	}
}
