// Package channeltest checks adapters and stands in for their networks.
//
// [Run] is the conformance suite that every adapter passes: what a forged or
// doubled signature does, what hostile bytes do, how errors of the network are
// sorted, and that no error ever shows a token. An adapter that passes keeps
// the promises that the rest of Sotto builds on.
//
// [Network] is Telegram and Messenger on this machine: it takes what a bot
// sends, delivers signed webhooks as the real ones look, and misbehaves when
// told to. It needs no test around it and is fast enough to stand behind a
// load measurement.
//
// It knows only what this code base uses of the networks, and refuses nothing
// that they would refuse for reasons of content or policy.
package channeltest

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/channel"
)

// Setup is what an adapter under test is made of.
type Setup struct {
	Secrets channel.Secrets // prove the network
	Token   channel.Secret  // proves us to the network
	API     string          // address of the scripted server
	Client  channel.Doer
}

// Spec describes an adapter to [Run].
type Spec struct {
	// New makes the adapter, with values of its own for what Setup leaves out.
	New func(Setup) (channel.Adapter, error)
	// Zero is the adapter's zero value.
	Zero channel.Adapter
	// Secrets are two different valid secrets, and Token a valid token.
	Secrets [2]string
	Token   string
	// Header names the header of the signature, in canonical form, and Sign
	// makes it as the network would. SignsBody says that it covers the body.
	Header    string
	Sign      func(secret string, body []byte) string
	SignsBody bool
	// Headers are what else a call carries, such as the time that is signed
	// with it. It is Unix time 1,700,000,000 on the clock of the suite.
	Headers map[string]string
	// TokenIsSecret says that the network gives one credential for both ways:
	// Setup.Token is not looked at.
	TokenIsSecret bool
	// OwnFiles says that a file takes calls of their own, which the adapter's
	// own tests look at.
	OwnFiles bool

	// Message is a body with one message of user 41 that says text; id makes
	// it another message.
	Message func(id int, text string) []byte
	// Batch is a body that holds such a message between two events that
	// cannot be understood; nil where a body holds one event.
	Batch func(text string) []byte
	// Unknown are bodies with one part of a kind that does not exist.
	Unknown []string
	// Empty are bodies in which nothing happened.
	Empty []string
	// Foreign are well-formed bodies of other networks.
	Foreign []string

	// Conversation is a valid one, and MessageID the id in Sent, for Success,
	// which the network answers to a send.
	Conversation string
	Handle       string // what every message is sent under; "" = nothing
	Success      Answer
	MessageID    string
	// Errors are answers of the network and how they are sorted.
	Errors []ErrorCase
	// MaxText is the longest text that goes out in one call, in UTF-16 units.
	MaxText int
	// Key finds the idempotency key in a send; nil where the network knows none.
	Key func(r *http.Request, body []byte) string
}

// Answer is what the scripted server answers.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
}

// ErrorCase is an answer and the error that it must become.
type ErrorCase struct {
	Name       string
	Answer     Answer
	Class      channel.Class
	Code       string // "" = any
	RetryAfter time.Duration
}

// Run checks an adapter. Each part is a subtest of its own.
func Run(t *testing.T, spec Spec) {
	t.Helper()
	s := &spec
	t.Run("construct", s.construct)
	t.Run("verify", s.verify)
	t.Run("decode", s.decode)
	t.Run("hostile", s.hostile)
	t.Run("send", s.send)
	t.Run("errors", s.sendErrors)
	t.Run("broken", s.sendBroken)
	t.Run("parts", s.sendParts)
	t.Run("concurrent", s.concurrent)
}

// adapter makes a valid one.
func (s *Spec) adapter(t *testing.T, api string, client channel.Doer) channel.Adapter {
	t.Helper()
	if api == "" {
		api = "https://network.invalid"
	}
	if client == nil {
		client = noClient{}
	}
	a, err := s.New(Setup{
		Secrets: channel.Secrets{channel.NewSecret(s.Secrets[0])},
		Token:   channel.NewSecret(s.Token), API: api, Client: client,
	})
	if err != nil {
		t.Fatal("New:", err)
	}
	return a
}

// noClient is for what needs no network.
type noClient struct{}

// Do fails.
func (noClient) Do(*http.Request) (*http.Response, error) {
	return nil, errors.New("a call where none was expected")
}

func (s *Spec) construct(t *testing.T) {
	good := func() Setup {
		return Setup{
			Secrets: channel.Secrets{channel.NewSecret(s.Secrets[0])}, Token: channel.NewSecret(s.Token),
			API: "https://network.invalid", Client: noClient{},
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*Setup)
		ok     bool
	}{
		{"complete", func(*Setup) {}, true},
		{"two secrets", func(c *Setup) { c.Secrets = append(c.Secrets, channel.NewSecret(s.Secrets[1])) }, true},
		{"no secret", func(c *Setup) { c.Secrets = nil }, false},
		{"empty secret", func(c *Setup) { c.Secrets = channel.Secrets{{}} }, false},
		{"empty second secret", func(c *Setup) { c.Secrets = append(c.Secrets, channel.Secret{}) }, false},
		{"no token", func(c *Setup) { c.Token = channel.Secret{} }, false},
		{"token that ends its line", func(c *Setup) { c.Token = channel.NewSecret(s.Token + "\r\nX: y") }, false},
		{"no client", func(c *Setup) { c.Client = nil }, false},
		{"API in clear on another machine", func(c *Setup) { c.API = "http://network.invalid" }, false},
		{"API with a password", func(c *Setup) { c.API = "https://u:p@network.invalid" }, false},
		{"API that is no address", func(c *Setup) { c.API = "::" }, false},
	} {
		if s.TokenIsSecret && strings.Contains(tt.name, "token") {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			c := good()
			tt.change(&c)
			a, err := s.New(c)
			if (err == nil) != tt.ok {
				t.Fatalf("New: %v", err)
			}
			if err != nil {
				s.quiet(t, err)
			} else if a.Channel() == "" {
				t.Error("the channel has no name")
			}
		})
	}
}

// quiet fails if an error says what no error may.
func (s *Spec) quiet(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{s.Token, url.PathEscape(s.Token), url.QueryEscape(s.Token), s.Secrets[0], s.Secrets[1], "127.0.0.1", "whisper"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows a secret, an address or a text: it has %d bytes", len(err.Error()))
		}
	}
}

func (s *Spec) request(body []byte, signatures ...string) *channel.Request {
	h := http.Header{"Content-Type": {"application/json"}}
	for name, value := range s.Headers {
		h[name] = []string{value}
	}
	if len(signatures) > 0 {
		h[s.Header] = signatures
	}
	return &channel.Request{Method: http.MethodPost, Header: h, Body: body, Now: time.Unix(1700000000, 0)}
}

func (s *Spec) verify(t *testing.T) {
	a := s.adapter(t, "", nil)
	body := s.Message(1, "whisper")
	good := s.Sign(s.Secrets[0], body)
	old := s.Sign(s.Secrets[1], body)
	for _, tt := range []struct {
		name string
		r    *channel.Request
		ok   bool
	}{
		{"right", s.request(body, good), true},
		{"missing", s.request(body), false},
		{"empty", s.request(body, ""), false},
		{"of another secret", s.request(body, old), false},
		{"twice", s.request(body, good, good), false},
		{"right and wrong", s.request(body, good, old), false},
		{"wrong and right", s.request(body, old, good), false},
		{"in one header", s.request(body, good+","+good), false},
		{"cut short", s.request(body, good[:len(good)-1]), false},
		{"longer", s.request(body, good+"0"), false},
		{"with a space", s.request(body, " "+good), false},
		{"upper case", s.request(body, strings.ToUpper(good)), strings.ToUpper(good) == good},
		{"the secret's empty sister", s.request(body, s.Sign("", body)), false},
	} {
		if err := a.Verify(tt.r); !errors.Is(err, channel.ErrUnverified) && err != nil || (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for i := range len(good) * 8 {
		bad := []byte(good)
		bad[i/8] ^= 1 << (i % 8)
		if a.Verify(s.request(body, string(bad))) == nil {
			t.Errorf("accepted with bit %d of the signature changed", i)
		}
	}
	if s.SignsBody {
		for i := range len(body) * 8 {
			bad := slices.Clone(body)
			bad[i/8] ^= 1 << (i % 8)
			if a.Verify(s.request(bad, good)) == nil {
				t.Errorf("accepted with bit %d of the body changed", i)
			}
		}
	}
	if s.Zero.Verify(s.request(body, good)) == nil || s.Zero.Verify(s.request(body, s.Sign("", body))) == nil {
		t.Error("the zero value verifies")
	}
	s.rotation(t, body)
}

func (s *Spec) rotation(t *testing.T, body []byte) {
	t.Helper()
	a, err := s.New(Setup{
		Secrets: channel.Secrets{channel.NewSecret(s.Secrets[0]), channel.NewSecret(s.Secrets[1])},
		Token:   channel.NewSecret(s.Token), API: "https://network.invalid", Client: noClient{},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, secret := range s.Secrets {
		if err := a.Verify(s.request(body, s.Sign(secret, body))); err != nil {
			t.Errorf("secret %d of two: %v", i+1, err)
		}
	}
	if a.Verify(s.request(body, s.Sign("other", body))) == nil {
		t.Error("a third secret verifies")
	}
}

// concurrent uses one adapter from many goroutines; it is for the race detector.
func (s *Spec) concurrent(t *testing.T) {
	srv := newScript(t, s.Success)
	a := s.adapter(t, srv.url, srv.client)
	body := s.Message(1, "hello")
	r := s.request(body, s.Sign(s.Secrets[0], body))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if err := a.Verify(r); err != nil {
					t.Error(err)
				}
				if b, err := a.Decode(body); err != nil || len(b.Events) != 1 {
					t.Error(err)
				}
				if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: s.Conversation, Handle: s.Handle, Text: "hello"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
