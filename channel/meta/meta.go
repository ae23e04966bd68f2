// Package meta holds what Meta's networks share: Messenger, Instagram and
// WhatsApp sign their calls in one way, ask one question when a webhook is set,
// pass on wishes to be deleted in one form, and word their errors alike
// (Graph API v26.0, July 2026, developers.facebook.com/docs/graph-api).
//
// It knows nothing of messages: those are each network's own. What an error's
// numbers mean for a message is for the adapter as well.
package meta

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	// DefaultVersion of the Graph API. Meta answers an expired one with the
	// oldest that still runs.
	DefaultVersion = "v26.0"

	signatureHeader = "X-Hub-Signature-256"
)

// MediaHosts are the hosts of Meta's on which attachments of all its networks
// lie, in the form that the adapters' Bases have.
func MediaHosts() []string {
	return []string{"https://*.fbcdn.net", "https://*.fbsbx.com", "https://*.cdninstagram.com"}
}

// Hook proves calls on a webhook. Its zero value proves none.
type Hook struct {
	mac    *wire.MAC
	verify channel.Secret
}

// NewHook returns the check for an app: its secrets, of which any may have
// signed, and the word that Meta repeats when the webhook is set.
func NewHook(appSecrets channel.Secrets, verifyToken channel.Secret) Hook {
	return Hook{mac: wire.NewMAC(appSecrets), verify: verifyToken}
}

// Verify reports as [channel.Adapter] does: the signature over the raw body
// must stand in its header, once. The older SHA-1 header that Meta still sends
// is ignored.
func (h *Hook) Verify(r *channel.Request) error {
	signature, ok := wire.One(r.Header, signatureHeader)
	if !ok || r.Method != http.MethodPost || !h.mac.MatchHex(signature, "sha256=", "", r.Body) {
		return channel.ErrUnverified
	}
	return nil
}

// maxChallenge bounds the challenge that is repeated to Meta.
const maxChallenge = 128

// Handshake answers as [channel.Handshaker] does: Meta asks with GET whether
// this address knows the verify token, and expects its challenge back. A
// challenge that could be more than a plain word is refused, because a browser
// can be made to ask as well.
func (h *Hook) Handshake(r *channel.Request) (resp *channel.Response, answered bool, err error) {
	if r.Method != http.MethodGet {
		return nil, false, nil
	}
	mode, challenge, token := r.Query["hub.mode"], r.Query["hub.challenge"], r.Query["hub.verify_token"]
	if len(mode) != 1 || len(challenge) != 1 || len(token) != 1 || !h.verify.Equal(token[0]) ||
		mode[0] != "subscribe" || !plain(challenge[0]) {
		return nil, true, channel.ErrUnverified
	}
	return &channel.Response{
		Status:      http.StatusOK,
		ContentType: "text/plain; charset=utf-8",
		Body:        []byte(challenge[0]),
	}, true, nil
}

func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= maxChallenge
}

// maxSigned bounds a signed_request: it holds a few numbers.
const maxSigned = 4096

// DataDeletion reads a signed_request as [channel.DataDeleter] does
// (developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback).
// The id is the app's own id of the person, not that of their messages. The
// times that Meta puts in are not judged: a wish that comes late is one still.
func (h *Hook) DataDeletion(r *channel.Request) (user string, err error) {
	form, perr := url.ParseQuery(string(r.Body))
	values := form["signed_request"]
	if r.Method != http.MethodPost || perr != nil || len(values) != 1 || len(values[0]) > maxSigned {
		return "", channel.ErrUnverified
	}
	signature, payload, _ := strings.Cut(values[0], ".")
	sum, ok := base64url(signature)
	if !ok || len(sum) != sha256.Size ||
		!h.mac.MatchHex(hex.EncodeToString(sum), "", "", []byte(payload)) { // signed as it stands, not as it reads
		return "", channel.ErrUnverified
	}
	plain, ok := base64url(payload)
	if !ok {
		return "", channel.ErrUnverified
	}
	var algorithm string
	s := wire.NewScanner(plain)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "algorithm":
			algorithm = s.Text()
		case "user_id":
			user = s.ID()
		default:
			s.Skip()
		}
	}
	if s.End() != nil || !strings.EqualFold(algorithm, "HMAC-SHA256") || user == "" {
		return "", channel.ErrUnverified
	}
	return user, nil
}

// base64url reads base64 for addresses (RFC 4648, section 5), without padding
// or with the right one. There is one way to write each sequence of bytes
// in each: what Go's decoder passes over, line ends and loose bits, is refused.
func base64url(s string) ([]byte, bool) {
	enc := base64.RawURLEncoding
	if strings.HasSuffix(s, "=") {
		enc = base64.URLEncoding
	}
	b, err := enc.Strict().DecodeString(s)
	return b, err == nil && !strings.ContainsAny(s, "\r\n")
}

// Confirmation answers as [channel.DataDeleter] does.
func Confirmation(address, code string) *channel.Response {
	b := wire.AppendString([]byte(`{"url":`), address)
	b = wire.AppendString(append(b, `,"confirmation_code":`...), code)
	return &channel.Response{Status: http.StatusOK, ContentType: "application/json", Body: append(b, '}')}
}

// Proof is the appsecret_proof of a call: it shows that whoever has the token
// has the app's secret as well.
func Proof(appSecret, token channel.Secret) channel.Secret {
	m := hmac.New(sha256.New, []byte(appSecret.Reveal()))
	m.Write([]byte(token.Reveal()))
	return channel.NewSecret(hex.EncodeToString(m.Sum(nil)))
}

// Fault is an error of the Graph API. Its message is prose, may quote ours, and
// is not read.
type Fault struct {
	Code, Subcode int64
	Transient     bool
}

// Name is the fault's number as [channel.SendError] carries it: "10.2018278".
func (f *Fault) Name() string {
	name := strconv.FormatInt(f.Code, 10)
	if f.Subcode != 0 {
		name += "." + strconv.FormatInt(f.Subcode, 10)
	}
	return name
}

// Judge says what an answer of the Graph API to a call means: nil where it is a
// success. known reports that it is the API's own, and fault is the error that it
// tells of, nil for none; sort makes of it what it means for a message.
func Judge(got wire.Answer, known bool, fault *Fault, sort func(*Fault, wire.Answer) *channel.SendError) error {
	switch {
	case got.Status == http.StatusGatewayTimeout: // whatever the document says: a gateway gave up waiting
		return wire.StatusError(got)
	case known && fault != nil:
		return sort(fault, got)
	case got.Status/100 != 2:
		return wire.StatusError(got)
	case !known:
		return &channel.SendError{Class: channel.Unknown, Status: got.Status, Code: "answer"}
	}
	return nil
}

// ReadFault reads the value of the field "error"; nil where it is none.
func ReadFault(s *wire.Scanner) *Fault {
	if !s.Object() {
		return nil
	}
	f := new(Fault)
	for s.Field() {
		switch string(s.Name()) {
		case "code":
			f.Code = s.Int()
		case "error_subcode":
			f.Subcode = s.Int()
		case "is_transient":
			f.Transient = s.Bool()
		default:
			s.Skip()
		}
	}
	return f
}
