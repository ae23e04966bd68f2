package discord_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/discord"
)

const (
	token = "MTIzNDU2Nzg5MDEyMzQ1Njc4.test.Token-of-no-bot_0123456789"
	clock = 1700000000 // of the conformance suite
	// live is an id of that moment, and old one of half an hour before.
	live = "1174109840998400002"
	old  = "1174102291251200002"
)

// keys are the private keys behind the public ones that tests use as secrets.
func keys() map[string]ed25519.PrivateKey {
	m := map[string]ed25519.PrivateKey{}
	for i := range byte(2) {
		m[public(i+1)] = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{i + 1}, ed25519.SeedSize))
	}
	return m
}

func public(i byte) string {
	k := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{i}, ed25519.SeedSize))
	return hex.EncodeToString(k[ed25519.SeedSize:]) // which is its public half
}

// sign signs as Discord does, with the key that belongs to a public one.
func sign(secret string, stamp int64, body []byte) string {
	k, ok := keys()[secret]
	if !ok {
		k = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	}
	return hex.EncodeToString(ed25519.Sign(k, append(strconv.AppendInt(nil, stamp, 10), body...)))
}

func message(id int, text string) []byte {
	t, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	n, err := strconv.Atoi(live)
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, `{"id":"%d","application_id":"12","type":2,"token":"aW50","version":1,"context":1,"channel_id":"55","user":{"id":"41"},"data":{"name":"ask","type":1,"options":[{"name":"text","type":3,"value":%s}]}}`, n+id, t)
}

func refused(status, code int) channeltest.Answer {
	return channeltest.Answer{Status: status, Body: fmt.Sprintf(`{"message":"whisper","code":%d}`, code)}
}

func now() time.Time { return time.Unix(clock, 0) }

func TestConformance(t *testing.T) {
	channeltest.Run(t, channeltest.Spec{
		New: func(s channeltest.Setup) (channel.Adapter, error) {
			return adapter(discord.New(discord.Config{Keys: s.Secrets, Token: s.Token, API: s.API, Client: s.Client, Now: now}))
		},
		Zero:      &discord.Adapter{},
		Secrets:   [2]string{public(1), public(2)},
		Token:     token,
		Header:    "X-Signature-Ed25519",
		Headers:   map[string]string{"X-Signature-Timestamp": strconv.Itoa(clock)},
		Sign:      func(secret string, body []byte) string { return sign(secret, clock, body) },
		SignsBody: true,
		Message:   message,
		Unknown:   []string{`{"id":"5","application_id":"12","type":9,"token":"t","data":{}}`, `{"type":1,"application_id":"12","event":{"type":"TELEPORT"}}`},
		Empty:     []string{`{"type":1}`, `{"type":0,"application_id":"12","version":1}`},
		Foreign: []string{
			`{"object":"page","entry":[{"id":"1","messaging":[]}]}`, `{"update_id":1,"message":{"message_id":1}}`,
			`{"destination":"U1","events":[]}`, `{"event":"webhook","timestamp":1,"message_token":1}`,
			`{"type":"url_verification","challenge":"x"}`, `{"type":"event_callback","event":{"type":"message","text":"x"}}`,
			`{"type":"MESSAGE","message":{"text":"x"}}`, `{"for_user_id":"1","direct_message_events":[]}`, `{}`,
		},
		Conversation: "55",
		Handle:       "kd.12." + live + ".aW50",
		Success:      channeltest.Answer{Status: 200, Body: `{"id":"77","channel_id":"55","content":"whisper"}`},
		MessageID:    "77",
		MaxText:      2000,
		Errors: []channeltest.ErrorCase{
			{Name: "flood", Answer: channeltest.Answer{Status: 429, Header: map[string]string{"Retry-After": "65"}, Body: `{"message":"whisper","retry_after":64.5,"global":false}`}, Class: channel.Retry, Code: "429", RetryAfter: 64500 * time.Millisecond},
			{Name: "flood of a resource", Answer: channeltest.Answer{Status: 429, Body: `{"retry_after":0.5,"code":20028}`}, Class: channel.Retry, Code: "20028", RetryAfter: 500 * time.Millisecond},
			{Name: "slow mode", Answer: refused(400, 20016), Class: channel.Retry, Code: "20016"},
			{Name: "takes no messages", Answer: refused(403, 50007), Class: channel.Gone, Code: "50007"},
			{Name: "shares no server", Answer: refused(403, 50278), Class: channel.Gone, Code: "50278"},
			{Name: "no such channel", Answer: refused(404, 10003), Class: channel.Gone, Code: "10003"},
			{Name: "may not write there", Answer: refused(403, 50013), Class: channel.Gone, Code: "50013"},
			{Name: "bot token", Answer: refused(401, 0), Class: channel.Auth, Code: "401"},
			{Name: "bot token by code", Answer: refused(401, 50014), Class: channel.Auth, Code: "50014"},
			{Name: "bad form", Answer: refused(400, 50035), Class: channel.Bad, Code: "50035"},
			{Name: "empty", Answer: refused(400, 50006), Class: channel.Bad, Code: "50006"},
			{Name: "moderated", Answer: refused(400, 200000), Class: channel.Bad, Code: "200000"},
			{Name: "a code of tomorrow", Answer: refused(400, 999999), Class: channel.Bad, Code: "999999"},
			{Name: "overloaded", Answer: refused(503, 130000), Class: channel.Retry},
			{Name: "theirs, with a code", Answer: refused(500, 50035), Class: channel.Retry, Code: "500"},
			{Name: "200 that names no message", Answer: channeltest.Answer{Status: 200, Body: `{"channel_id":"55"}`}, Class: channel.Unknown},
		},
	})
}

// adapter keeps a nil *discord.Adapter from becoming an interface that is not nil.
func adapter(a *discord.Adapter, err error) (channel.Adapter, error) {
	if err != nil {
		return nil, err
	}
	return a, nil
}

func TestNewSaysAllAtOnce(t *testing.T) {
	_, err := discord.New(discord.Config{
		Keys:  channel.Secrets{channel.NewSecret("feed with space"), channel.NewSecret(strings.Repeat("0", 64))},
		Token: channel.NewSecret("Bot wrong"), API: "ftp://x", CDN: "http://cdn.invalid", Timeout: -1,
	})
	if sotto.KindOf(err) != sotto.KindInvalid {
		t.Fatal(err)
	}
	for _, word := range []string{"public_key 1", "public_key 2", "token", "api", "cdn", "timeout", "client"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "feed") || strings.Contains(err.Error(), "wrong") {
		t.Error("the error shows a secret")
	}
}

// newBench makes one outside of a test.
func newBench() (*discord.Adapter, error) {
	return discord.New(discord.Config{
		Keys: channel.Secrets{channel.NewSecret(public(1))}, Token: channel.NewSecret(token), Client: http.DefaultClient, Now: now,
	})
}

// newAdapter makes one for questions that need no network.
func newAdapter(t *testing.T, change func(*discord.Config)) *discord.Adapter {
	t.Helper()
	c := discord.Config{
		Keys: channel.Secrets{channel.NewSecret(public(1))}, Token: channel.NewSecret(token), Client: http.DefaultClient, Now: now,
	}
	if change != nil {
		change(&c)
	}
	a, err := discord.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(body []byte, stamp, signature string) *channel.Request {
	return &channel.Request{
		Method: http.MethodPost, Body: body, Now: now(),
		Header: http.Header{"X-Signature-Ed25519": {signature}, "X-Signature-Timestamp": {stamp}},
	}
}

func TestVerifyTime(t *testing.T) {
	a := newAdapter(t, nil)
	body := []byte(`{"type":1}`)
	for off, ok := range map[int64]bool{0: true, -300: true, 300: true, -301: false, 301: false, -86400: false} {
		stamp := clock + off
		if err := a.Verify(request(body, strconv.FormatInt(stamp, 10), sign(public(1), stamp, body))); (err == nil) != ok {
			t.Errorf("%d seconds off: %v", off, err)
		}
	}
	// The time is signed as it is written: no other spelling of it, and no
	// moving of bytes between it and the body.
	k := keys()[public(1)]
	for _, stamp := range []string{"", " 1700000000", "+1700000000", "1700000000.0", "1.7e9", "01700000000000000", "1700000000\n", "0x6553F100", "17000000００"} {
		signature := hex.EncodeToString(ed25519.Sign(k, append([]byte(stamp), body...)))
		if a.Verify(request(body, stamp, signature)) == nil {
			t.Errorf("time %q is taken", stamp)
		}
	}
	moved := append([]byte("0"), body...)
	if a.Verify(request(moved, "170000000", sign(public(1), clock, body))) == nil {
		t.Error("a digit of the time can be moved into the body")
	}
	twice := request(body, strconv.Itoa(clock), sign(public(1), clock, body))
	twice.Header.Add("X-Signature-Timestamp", strconv.Itoa(clock))
	if a.Verify(twice) == nil {
		t.Error("two times are taken")
	}
	get := request(body, strconv.Itoa(clock), sign(public(1), clock, body))
	get.Method = http.MethodGet
	if a.Verify(get) == nil {
		t.Error("GET is taken")
	}
}

// The vectors of RFC 8032, section 7.1: their messages cannot begin with a time
// that Verify takes, so the library that it uses is asked, and New their keys.
func TestVectors(t *testing.T) {
	for _, v := range []struct{ key, msg, sig string }{
		{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
		{"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
	} {
		key, _ := hex.DecodeString(v.key)
		msg, _ := hex.DecodeString(v.msg)
		sig, _ := hex.DecodeString(v.sig)
		if !ed25519.Verify(key, msg, sig) {
			t.Error("a published vector does not verify")
		}
		if _, err := discord.New(discord.Config{Keys: channel.Secrets{channel.NewSecret(v.key)}, Token: channel.NewSecret(token), Client: http.DefaultClient}); err != nil {
			t.Error("a published key is refused:", err)
		}
	}
}

// Under a point of small order a signature can be made by anybody: the library
// takes one of these for every eighth message or so.
func TestWeakKeys(t *testing.T) {
	for _, key := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000", // order 1
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
		"0000000000000000000000000000000000000000000000000000000000000000", // order 4
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"0100000000000000000000000000000000000000000000000000000000000080", // not canonical
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"0200000000000000000000000000000000000000000000000000000000000000", // no point
		strings.Repeat("f", 64), strings.Repeat("0", 63), strings.Repeat("0", 66), "",
	} {
		_, err := discord.New(discord.Config{Keys: channel.Secrets{channel.NewSecret(key)}, Token: channel.NewSecret(token), Client: http.DefaultClient})
		if err == nil || key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("key %q: %v", key, err)
		}
	}
	// The forgery that this stops: neutral R, S = 0, neutral key.
	neutral := make([]byte, 32)
	neutral[0] = 1
	if !ed25519.Verify(neutral, []byte("anything"), append(bytes.Clone(neutral), make([]byte, 32)...)) {
		t.Log("the library refuses the neutral key by itself now")
	}
}

func TestHandshake(t *testing.T) {
	a := newAdapter(t, nil)
	for _, tt := range []struct {
		name, body string
		status     int // 0 = an ordinary call
		answer     string
	}{
		{"interactions", `{"type":1}`, 200, `{"type":1}`},
		{"interactions, in full", `{"app_permissions":"0","application_id":"12","entitlements":[],"id":"5","token":"t","type":1,"user":{"id":"41"},"version":1}`, 200, `{"type":1}`},
		{"webhook events", `{"version":1,"application_id":"12","type":0}`, 204, ""},
		{"webhook events, with an empty event", `{"version":1,"application_id":"12","type":0,"event":null}`, 204, ""},
		{"webhook event", `{"version":1,"application_id":"12","type":1,"event":{"type":"X"}}`, 0, ""},
		{"command", string(message(1, "hi")), 0, ""},
		{"nothing", `{}`, 0, ""},
		{"broken", `{"type":1`, 0, ""},
		{"text", `{"type":"x"}`, 0, ""},
	} {
		resp, answered, err := a.Handshake(&channel.Request{Method: http.MethodPost, Body: []byte(tt.body)})
		if err != nil || answered != (tt.status != 0) {
			t.Errorf("%s: answered %v, %v", tt.name, answered, err)
			continue
		}
		if answered && (resp.Status != tt.status || string(resp.Body) != tt.answer || resp.ContentType != "application/json") {
			t.Errorf("%s: %+v", tt.name, resp)
		}
	}
	if _, answered, err := a.Handshake(&channel.Request{Method: http.MethodGet, Body: []byte(`{"type":1}`)}); answered || err != nil {
		t.Error("a question by GET is answered")
	}
}

func TestAnswer(t *testing.T) {
	frame := func(kind, place, data string) string {
		who := `"user":{"id":"41"}`
		if place == "0" {
			who = `"guild_id":"7","member":{"user":{"id":"41"}}`
		}
		return `{"id":"` + live + `","application_id":"12","type":` + kind + `,"token":"t","context":` + place + `,"channel_id":"55",` + who + `,"data":` + data + `}`
	}
	for _, tt := range []struct {
		name, body   string
		public       bool
		status       int
		answer, kind string
	}{
		{"command in private", frame("2", "1", `{"name":"help"}`), false, 200, `{"type":5}`, "application/json"},
		{"command in a server", frame("2", "0", `{"name":"help"}`), false, 200, `{"type":5,"data":{"flags":64}}`, "application/json"},
		{"command in a server, for all", frame("2", "0", `{"name":"help"}`), true, 200, `{"type":5}`, "application/json"},
		{"command among friends", frame("2", "2", `{"name":"help"}`), false, 200, `{"type":5,"data":{"flags":64}}`, "application/json"},
		{"modal", frame("5", "0", `{"custom_id":"m","components":[]}`), false, 200, `{"type":5,"data":{"flags":64}}`, "application/json"},
		{"button", frame("3", "0", `{"custom_id":"m"}`), false, 200, `{"type":6}`, "application/json"},
		{"half a word", frame("4", "0", `{"name":"ask"}`), false, 200, `{"type":8,"data":{"choices":[]}}`, "application/json"},
		{"webhook event", `{"version":1,"application_id":"12","type":1,"event":{"type":"APPLICATION_AUTHORIZED","timestamp":"x","data":{"user":{"id":"41"}}}}`, false, 204, "", "application/json"},
		{"of tomorrow", frame("9", "0", `{}`), false, 204, "", "application/json"},
	} {
		a := newAdapter(t, func(c *discord.Config) { c.Public = tt.public })
		b, err := a.Decode([]byte(tt.body))
		if err != nil {
			t.Fatal(tt.name, err)
		}
		resp := a.Answer(&channel.Request{Method: http.MethodPost, Body: []byte(tt.body)}, b)
		if resp == nil || resp.Status != tt.status || string(resp.Body) != tt.answer || resp.ContentType != tt.kind {
			t.Errorf("%s: %+v", tt.name, resp)
		}
	}
}

func sendError(t *testing.T, err error) *channel.SendError {
	t.Helper()
	var e *channel.SendError
	if !errors.As(err, &e) {
		t.Fatalf("%v, want a *channel.SendError", err)
	}
	return e
}
