package discord

import (
	"cmp"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// What a player is made of unless its Config says otherwise. They look like
// credentials and are none.
const (
	playedSeed  = "50147e6f2d0c4bb1a6a7d7d64c1f0b9e3d5c8a7f60412e9b8c7d6e5f4a3b2c1d"
	playedToken = "MTIzNDU2Nzg5MDEyMzQ1Njc4.sim.token-of-a-played-network" //nolint:gosec // made up
	playedApp   = "1216000000000000001"
	playedGuild = "1216000000000000002"
	playedUser  = "1216000000000000041"

	keptThings = 256 // files, and messages under a token, that are remembered
)

// player is Discord as applications meet it over HTTP, from its documentation.
type player struct {
	key   ed25519.PrivateKey
	wrong ed25519.PrivateKey // with which Discord tests that calls are refused
	token string
	now   func() time.Time

	mu       sync.Mutex
	base     string
	last     uint64                     // id
	rooms    map[string]int             // channels by their type
	original map[string]*playedOriginal // by token
	files    map[string]channel.File    // by path
	nonces   map[string]string          // the message sent under one
	about    map[string]any             // the application
	commands []map[string]any
}

// playedOriginal is the first answer to a command: at first a message that
// shows the bot as thinking.
type playedOriginal struct {
	id, text string
	filled   bool
}

// Player returns Discord. Ids of people and channels are numbers there; a name
// that is none is given a number that is always the same. A message is the
// command /ask, or the command that it begins with; a group is a channel of a
// server. Somebody who opts in installs the app for themselves, and one who
// opts out removes it; joining a group is adding the app to a server.
func Player(c play.Config) play.Player {
	seed, err := hex.DecodeString(cmp.Or(c.Secret, playedSeed))
	if err != nil || len(seed) != ed25519.SeedSize {
		seed, _ = hex.DecodeString(playedSeed) // is one
	}
	p := &player{
		key: ed25519.NewKeyFromSeed(seed), token: cmp.Or(c.Token, playedToken), now: c.Now, base: DefaultCDN,
		rooms: map[string]int{}, original: map[string]*playedOriginal{}, files: map[string]channel.File{}, nonces: map[string]string{},
	}
	seed[0] ^= 1
	p.wrong = ed25519.NewKeyFromSeed(seed)
	if p.now == nil {
		p.now = time.Now //nolint:forbidigo // the default that play.Config promises
	}
	p.about = map[string]any{
		"id": playedApp, "name": "Sotto Sim", "description": "", "bot_public": true, "verify_key": p.public(), "flags": 0,
		"interactions_endpoint_url": nil, "event_webhooks_url": nil, "event_webhooks_status": 1, "approximate_guild_count": 1,
	}
	return p
}

// Channel implements [play.Player].
func (*player) Channel() string { return "discord" }

func (p *player) public() string {
	key, _ := p.key.Public().(ed25519.PublicKey) // it always is
	return hex.EncodeToString(key)
}

// Settings implements [play.Player].
func (p *player) Settings(base string) map[string]string {
	p.mu.Lock()
	p.base = base
	p.mu.Unlock()
	return map[string]string{"public_key": p.public(), "token": p.token, "api": base + "/api/v10", "cdn": base}
}

// signed is a call of Discord's with a body.
func (p *player) signed(key ed25519.PrivateKey, body []byte, id string) play.Webhook {
	stamp := strconv.FormatInt(p.now().Unix(), 10)
	signature := ed25519.Sign(key, append([]byte(stamp), body...))
	return play.Webhook{
		Method: http.MethodPost, Body: body, ID: id,
		Header: http.Header{
			"Content-Type": {"application/json"}, "User-Agent": {"Discord-Interactions/1.0 (+https://discord.com)"},
			"X-Signature-Ed25519": {hex.EncodeToString(signature)}, "X-Signature-Timestamp": {stamp},
		},
	}
}

// Questions implements [play.Player]: both forms of PING, each also with a
// signature of nobody's.
func (p *player) Questions() []play.Webhook {
	ping := fmt.Appendf(nil, `{"app_permissions":"0","application_id":%q,"entitlements":[],"id":%q,"token":"ping","type":1,"user":{"id":%q},"version":1}`, playedApp, p.id(), playedUser)
	event := fmt.Appendf(nil, `{"version":1,"application_id":%q,"type":0}`, playedApp)
	return []play.Webhook{
		p.signed(p.key, ping, ""), p.signed(p.wrong, ping, ""), p.signed(p.key, event, ""), p.signed(p.wrong, event, ""),
	}
}

// Answered implements [play.Player].
func (p *player) Answered(w play.Webhook, status int, header http.Header, body []byte) error {
	signature, _ := hex.DecodeString(w.Header.Get("X-Signature-Ed25519")) // what is none verifies nothing
	key, _ := p.key.Public().(ed25519.PublicKey)
	var asked, said struct {
		Type *int `json:"type"`
	}
	if json.Unmarshal(w.Body, &asked) != nil || asked.Type == nil {
		return errors.New("the question is not Discord's")
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case !ed25519.Verify(key, append([]byte(w.Header.Get("X-Signature-Timestamp")), w.Body...), signature):
		if status != http.StatusUnauthorized {
			return fmt.Errorf("a wrong signature was answered %d, want 401", status)
		}
	case err != nil || media != "application/json":
		return errors.New("the answer names no valid content type")
	case *asked.Type == 0:
		if status != http.StatusNoContent || len(body) > 0 {
			return fmt.Errorf("PING of webhook events was answered %d with %d bytes, want 204 and none", status, len(body))
		}
	case status != http.StatusOK || json.Unmarshal(body, &said) != nil || said.Type == nil || *said.Type != 1:
		return fmt.Errorf("PING was answered %d, want 200 and a PONG", status)
	}
	return nil
}

// obj is a JSON object.
type obj = map[string]any

// id returns a new snowflake.
func (p *player) id() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	const epoch = 1420070400000
	p.last = max(p.last+1, uint64(max(p.now().UnixMilli()-epoch, 1))<<22)
	return strconv.FormatUint(p.last, 10)
}

// snowflake is the number that a name stands for.
func snowflake(name string) string {
	if n, err := strconv.ParseUint(name, 10, 64); err == nil && n != 0 {
		return name
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	return strconv.FormatUint(1<<60|h.Sum64()>>8, 10)
}

// Webhook implements [play.Player].
func (p *player) Webhook(a play.Act) (play.Webhook, error) {
	who := snowflake(cmp.Or(a.User, playedUser))
	var body obj
	id := ""
	switch a.Kind { //nolint:exhaustive // Discord tells an application of no others over HTTP
	case sotto.EventMessage:
		body = p.interaction(a, who, 'c', 2, p.used(a))
	case sotto.EventButton:
		body = p.interaction(a, who, 'k', 3, obj{"custom_id": cmp.Or(a.Payload, a.Text), "component_type": 2, "id": 2})
		body["message"] = obj{
			"id": snowflake(cmp.Or(a.ID, "message")), "channel_id": body["channel_id"], "type": 0, "content": "…", "flags": 0,
			"author": obj{"id": playedApp, "username": "Sotto Sim", "bot": true}, "application_id": playedApp,
		}
	case sotto.EventOptIn:
		body = p.event("APPLICATION_AUTHORIZED", obj{"integration_type": 1, "scopes": []string{"applications.commands"}, "user": person(who)})
	case sotto.EventOptOut:
		body = p.event("APPLICATION_DEAUTHORIZED", obj{"user": person(who)})
	case sotto.EventJoin:
		if a.Group == "" {
			return play.Webhook{}, play.ErrNoSuch
		}
		body = p.event("APPLICATION_AUTHORIZED", obj{
			"integration_type": 0, "scopes": []string{"bot", "applications.commands"}, "user": person(who),
			"guild": obj{"id": playedGuild, "name": "Sim"},
		})
	default:
		return play.Webhook{}, play.ErrNoSuch
	}
	if s, ok := body["id"].(string); ok {
		id = s
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return play.Webhook{}, fmt.Errorf("discord: word a call: %w", err)
	}
	return p.signed(p.key, raw, id), nil
}

func person(id string) obj {
	return obj{"id": id, "username": "sim" + id[max(0, len(id)-4):], "discriminator": "0", "global_name": "Sim", "avatar": nil, "public_flags": 0}
}

func (p *player) event(name string, data obj) obj {
	return obj{
		"version": 1, "application_id": playedApp, "type": 1,
		"event": obj{"type": name, "timestamp": p.now().UTC().Format("2006-01-02T15:04:05.000000"), "data": data},
	}
}

// interaction is what all interactions have, with a token that tells the API
// where its answers go.
func (p *player) interaction(a play.Act, who string, kind byte, number int, data obj) obj {
	id := p.id()
	room, place, category := snowflake("dm/"+who), 'd', 1
	b := obj{
		"version": 1, "id": id, "application_id": playedApp, "type": number, "data": data, "locale": "en-US",
		"app_permissions": "442368", "entitlements": []any{}, "context": 1, "attachment_size_limit": 10485760,
		"authorizing_integration_owners": obj{"0": "0"},
	}
	if a.Group != "" {
		room, place, category = snowflake(a.Group), 's', 0
		b["context"], b["guild_id"], b["guild_locale"] = 0, playedGuild, "en-US"
		b["guild"] = obj{"id": playedGuild, "locale": "en-US", "features": []any{}}
		b["member"] = obj{"user": person(who), "roles": []any{}, "nick": nil, "permissions": "2147483647", "joined_at": "2021-01-01T21:46:12.072Z"}
		b["authorizing_integration_owners"] = obj{"0": playedGuild}
	} else {
		b["user"] = person(who)
	}
	b["channel_id"], b["channel"] = room, obj{"id": room, "type": category}
	b["token"] = fmt.Sprintf("sim_%c%c-%s-%s", kind, place, room, id)
	p.mu.Lock()
	p.rooms[room] = category
	p.mu.Unlock()
	return b
}

// used is the command of a message.
func (p *player) used(a play.Act) obj {
	name, text := Ask, a.Text
	if rest, ok := strings.CutPrefix(a.Text, "/"); ok {
		name, text, _ = strings.Cut(rest, " ")
	}
	data := obj{"id": snowflake("command/" + name), "name": name, "type": 1}
	var options []obj
	if text != "" {
		options = append(options, obj{"name": "text", "type": 3, "value": text})
	}
	if a.File != nil {
		id := p.id()
		link, at := p.keep(id, a.File)
		options = append(options, obj{"name": "file", "type": 11, "value": id})
		data["resolved"] = obj{"attachments": obj{id: obj{
			"id": id, "filename": path.Base(at), "content_type": a.File.MIME, "size": len(a.File.Data), "url": link, "proxy_url": link, "ephemeral": true,
		}}}
	}
	if options != nil {
		data["options"] = options
	}
	return data
}

// keep holds a file that somebody sent, and returns its address and path.
func (p *player) keep(id string, f *channel.File) (link, at string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.files) >= keptThings {
		clear(p.files)
	}
	at = "/ephemeral-attachments/" + playedApp + "/" + id + "/" + path.Base("/"+cmp.Or(f.Name, "file"))
	p.files[at] = *f
	return p.base + (&url.URL{Path: at}).EscapedPath() + "?ex=68a5&is=68a4&hm=51", at
}
