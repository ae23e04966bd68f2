package oracle

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bwmarrin/discordgo"
	"github.com/line/line-bot-sdk-go/v8/linebot/webhook"
	"github.com/slack-go/slack"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/discord"
	"github.com/sotto-chat/sotto/channel/line"
	"github.com/sotto-chat/sotto/channel/play"
	slackadapter "github.com/sotto-chat/sotto/channel/slack"
)

// The credentials of these tests. They are made up.
const (
	secret = "oracle-secret"
	token  = "oracle-token"
)

var seed = strings.Repeat("2b", 32)

// text is what people say here: with characters that one network or another escapes.
const text = "h\u00e9 \U0001F600 \"q\" \\ <b> & 'x' / end"

// verifier is a library's check of a webhook.
type verifier struct {
	player play.Player
	verify func(w play.Webhook) bool
	header string // of the signature
	prefix string
	decode func(string) ([]byte, error)
	encode func([]byte) string
}

func verifiers(t *testing.T) map[string]verifier {
	t.Helper()
	d := discord.Player(play.Config{Secret: seed, Token: token})
	key, err := hex.DecodeString(d.Settings("http://127.0.0.1")["public_key"])
	if err != nil {
		t.Fatal(err)
	}
	return map[string]verifier{
		"slack": {
			player: slackadapter.Player(play.Config{Secret: secret, Token: token}),
			verify: func(w play.Webhook) bool {
				v, err := slack.NewSecretsVerifier(w.Header, secret)
				if err != nil {
					return false
				}
				_, err = v.Write(w.Body)
				return err == nil && v.Ensure() == nil
			},
			header: "X-Slack-Signature", prefix: "v0=", decode: hex.DecodeString, encode: hex.EncodeToString,
		},
		"line": {
			player: line.Player(play.Config{Secret: secret, Token: token}),
			verify: func(w play.Webhook) bool {
				_, err := webhook.ParseRequest(secret, request(t, w))
				return err == nil
			},
			header: "X-Line-Signature", decode: base64.StdEncoding.DecodeString, encode: base64.StdEncoding.EncodeToString,
		},
		"discord": {
			player: d,
			verify: func(w play.Webhook) bool { return discordgo.VerifyInteraction(request(t, w), ed25519.PublicKey(key)) },
			header: "X-Signature-Ed25519", decode: hex.DecodeString, encode: hex.EncodeToString,
		},
	}
}

// request is a webhook as a server sees it.
func request(t *testing.T, w play.Webhook) *http.Request {
	t.Helper()
	method := w.Method
	if method == "" {
		method = http.MethodPost
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "/hook?"+w.Query, bytes.NewReader(w.Body))
	for k, v := range w.Header {
		r.Header[http.CanonicalHeaderKey(k)] = v
	}
	return r
}

// acts are everything that somebody may do.
func acts() []play.Act {
	var out []play.Act
	for _, k := range []sotto.EventKind{
		sotto.EventMessage, sotto.EventButton, sotto.EventEdit, sotto.EventDelete, sotto.EventReaction, sotto.EventReceipt,
		sotto.EventJoin, sotto.EventLeave, sotto.EventBlock, sotto.EventUnblock, sotto.EventOptIn, sotto.EventOptOut, sotto.EventEcho,
	} {
		out = append(out, play.Act{Kind: k, Text: text, Payload: "Y|1", ID: "1700000000.000100"})
	}
	return out
}

// The official check accepts what a player signs and refuses it when any bit of
// the body or of the signature is another.
func TestVerifiers(t *testing.T) {
	t.Parallel()
	for name, v := range verifiers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signed := 0
			for _, a := range acts() {
				w, err := v.player.Webhook(a)
				if err != nil || w.Header[v.header] == nil {
					continue // the network has no such event, or tells of it otherwise
				}
				if !v.verify(w) {
					t.Errorf("refused: %s", w.Body)
					continue
				}
				if signed++; signed <= 2 {
					v.change(t, w)
				}
			}
			if signed < 3 {
				t.Errorf("only %d calls were looked at", signed)
			}
			v.questions(t)
		})
	}
}

// questions are signed rightly, but for those that try whether a bot looks.
func (v *verifier) questions(t *testing.T) {
	t.Helper()
	asked, right := 0, 0
	for _, q := range v.player.Questions() {
		if q.Method == http.MethodGet {
			continue
		}
		asked++
		if v.verify(q) {
			right++
		}
	}
	if asked > 0 && right == 0 {
		t.Errorf("none of %d questions is signed rightly", asked)
	}
}

// change tries every change of one bit.
func (v *verifier) change(t *testing.T, w play.Webhook) {
	t.Helper()
	for bit := range 8 * len(w.Body) {
		bad := w
		bad.Body = bytes.Clone(w.Body)
		bad.Body[bit/8] ^= 1 << (bit % 8)
		if v.verify(bad) {
			t.Fatalf("accepted with bit %d of the body changed", bit)
		}
	}
	raw, err := v.decode(strings.TrimPrefix(w.Header.Get(v.header), v.prefix))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(raw) {
		sig := bytes.Clone(raw)
		sig[bit/8] ^= 1 << (bit % 8)
		bad := w
		bad.Header = w.Header.Clone()
		bad.Header.Set(v.header, v.prefix+v.encode(sig))
		if v.verify(bad) {
			t.Fatalf("accepted with bit %d of the signature changed", bit)
		}
	}
}
