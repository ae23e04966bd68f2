package slack

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// What a player is made of unless its Config says otherwise. They look like
// credentials and are none.
const (
	playedToken  = "xoxb-101-202-simTokenOfAPlayedNetwork" //nolint:gosec // made up
	playedSecret = "51ac4000000000000000000000000000"
	playedManage = "xoxe.xoxp-1-simConfigurationToken"
	playedUser   = "U0SIM0041"
	playedBot    = "U0SIMBOT0"
	playedTeam   = "T0SIM0001"
	playedApp    = "A0SIM0001"
)

// player is Slack as an app meets it, from Slack's documentation.
type player struct {
	token, secret string
	now           func() time.Time

	mu       sync.Mutex
	base     string
	next     int64 // tells ids and times apart
	files    map[string]channel.File
	uploads  map[string]*playedUpload
	urls     map[string]*playedURL
	hidden   map[string]bool // messages that one person alone sees
	recent   []string        // keys of these maps, oldest first
	manifest map[string]any
}

// playedURL is where a command or press is answered.
type playedURL struct {
	user string
	at   time.Time
	uses int
}

// Player returns Slack with one workspace. A user or group that has not the
// form of an id gets one that is always the same; the user "bot" is the bot
// itself. A text that begins with a slash is a slash command, as it is in
// Slack's own programs.
func Player(c play.Config) play.Player {
	p := &player{
		token: cmp.Or(c.Token, playedToken), secret: cmp.Or(c.Secret, playedSecret), now: c.Now, next: 100,
		base: "https://hooks.slack.com", files: map[string]channel.File{}, uploads: map[string]*playedUpload{},
		urls: map[string]*playedURL{}, hidden: map[string]bool{},
		manifest: map[string]any{"display_information": map[string]any{"name": "Sim"}},
	}
	if p.now == nil {
		p.now = time.Now //nolint:forbidigo // the default that play.Config promises
	}
	return p
}

// Channel implements [play.Player].
func (*player) Channel() string { return "slack" }

// Settings implements [play.Player].
func (p *player) Settings(base string) map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.base = base
	return map[string]string{
		"bot_token": p.token, "signing_secret": p.secret, "app_id": playedApp, "configuration_token": playedManage,
		"api": base + "/api", "files": base, "hooks": base,
	}
}

// Questions implements [play.Player].
func (p *player) Questions() []play.Webhook {
	body, err := worded(obj{"token": "sim", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification"})
	if err != nil {
		return nil
	}
	return []play.Webhook{p.signed("application/json", body, "")}
}

// Answered implements [play.Player]: the challenge has to come back, as text or
// in JSON.
func (*player) Answered(w play.Webhook, status int, _ http.Header, body []byte) error {
	var asked, said struct {
		Challenge string `json:"challenge"`
	}
	if err := json.Unmarshal(w.Body, &asked); err != nil {
		return fmt.Errorf("the question: %w", err)
	}
	if status/100 != 2 {
		return fmt.Errorf("status %d", status)
	}
	if string(body) == asked.Challenge || json.Unmarshal(body, &said) == nil && said.Challenge == asked.Challenge {
		return nil
	}
	return errors.New("your URL didn't respond with the value of the challenge parameter")
}

// obj is a JSON object.
type obj = map[string]any

// worded is JSON as Slack writes it: in ASCII, with escaped slashes, and
// without the escapes of HTML that Go would add.
func worded(v any) ([]byte, error) {
	var plain strings.Builder
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("slack player: %w", err)
	}
	var b []byte
	for _, r := range strings.TrimSuffix(plain.String(), "\n") {
		switch {
		case r == '/':
			b = append(b, `\/`...)
		case r < utf8.RuneSelf:
			b = utf8.AppendRune(b, r)
		default:
			for _, u := range utf16.Encode([]rune{r}) {
				b = fmt.Appendf(b, `\u%04x`, u)
			}
		}
	}
	return b, nil
}

func (p *player) signed(kind string, body []byte, id string) play.Webhook {
	at := strconv.FormatInt(p.now().Unix(), 10)
	m := hmac.New(sha256.New, []byte(p.secret))
	m.Write([]byte("v0:" + at + ":"))
	m.Write(body)
	return play.Webhook{
		Method: http.MethodPost, Body: body, ID: id,
		Header: http.Header{
			"Content-Type": {kind}, "X-Slack-Request-Timestamp": {at},
			"X-Slack-Signature": {"v0=" + hex.EncodeToString(m.Sum(nil))},
		},
	}
}

// place is who acts where.
type place struct {
	user, channel, kind, name string
}

func (p *player) place(a play.Act) place {
	s := place{user: formed(cmp.Or(a.User, playedUser), "U"), kind: "im", name: "directmessage"}
	if a.User == "bot" {
		s.user = playedBot
	}
	s.channel = directWith(s.user)
	if a.Group != "" {
		s.channel, s.kind, s.name = formed(a.Group, "C"), "channel", "general"
	}
	return s
}

// directWith is the channel of a person's direct messages with the bot.
func directWith(user string) string { return "D" + user[1:] }

// formed is the id that a name stands for.
func formed(name, letter string) string {
	if regexp.MustCompile(`^[CGUW][A-Z0-9]{2,20}$`).MatchString(name) {
		return name
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	return letter + strings.ToUpper(strconv.FormatUint(h.Sum64(), 36))
}

// stamp is a new message's id: the time, made unique.
func (p *player) stamp() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stampLocked()
}

func (p *player) stampLocked() string {
	p.next++
	return fmt.Sprintf("%d.%06d", p.now().Unix(), p.next%1_000_000)
}

// Webhook implements [play.Player].
func (p *player) Webhook(a play.Act) (play.Webhook, error) {
	s := p.place(a)
	switch {
	case a.Kind == sotto.EventButton:
		return p.press(a, s)
	case a.Kind == sotto.EventMessage && strings.HasPrefix(a.Text, "/") && a.File == nil:
		return p.command(a, s)
	}
	inside, id, err := p.event(a, s)
	if err != nil {
		return play.Webhook{}, err
	}
	at := p.stamp()
	inside["event_ts"] = cmp.Or(id, at)
	body, err := worded(obj{
		"token": "sim", "team_id": playedTeam, "context_team_id": playedTeam, "api_app_id": playedApp, "event": inside,
		"type": "event_callback", "event_id": "Ev" + strings.ReplaceAll(at, ".", ""), "event_time": p.now().Unix(),
		"authorizations":        []obj{{"enterprise_id": nil, "team_id": playedTeam, "user_id": playedBot, "is_bot": true, "is_enterprise_install": false}},
		"is_ext_shared_channel": false, "event_context": "4-sim",
	})
	if err != nil {
		return play.Webhook{}, err
	}
	return p.signed("application/json", body, id), nil
}

// event words what somebody does: the inner event, and the id of a new message.
func (p *player) event(a play.Act, s place) (inside obj, id string, err error) {
	switch a.Kind { //nolint:exhaustive // Slack tells of no others
	case sotto.EventMessage, sotto.EventEcho:
		id = p.stamp()
		return p.message(a, s, id), id, nil
	case sotto.EventEdit:
		m := obj{
			"type": "message", "user": s.user, "team": playedTeam, "ts": a.ID, "text": entities(a.Text), "blocks": rich(a.Text),
			"edited": obj{"user": s.user, "ts": p.stamp()},
		}
		was := obj{"type": "message", "user": s.user, "team": playedTeam, "ts": a.ID, "text": "…"}
		return obj{
			"type": "message", "subtype": "message_changed", "message": m, "previous_message": was, "channel": s.channel,
			"hidden": true, "ts": p.stamp(), "channel_type": s.kind,
		}, "", nil
	case sotto.EventDelete:
		return obj{
			"type": "message", "subtype": "message_deleted", "previous_message": obj{"type": "message", "user": s.user, "ts": a.ID, "text": "…"},
			"channel": s.channel, "hidden": true, "deleted_ts": a.ID, "ts": p.stamp(), "channel_type": s.kind,
		}, "", nil
	case sotto.EventReaction:
		kind := "reaction_added"
		if a.Text == "" {
			kind = "reaction_removed"
		}
		return obj{
			"type": kind, "user": s.user, "reaction": "thumbsup", "item_user": playedBot,
			"item": obj{"type": "message", "channel": s.channel, "ts": a.ID},
		}, "", nil
	case sotto.EventJoin, sotto.EventLeave:
		if a.Group == "" {
			break
		}
		kind := "member_joined_channel"
		if a.Kind == sotto.EventLeave {
			kind = "member_left_channel"
		}
		return obj{"type": kind, "user": s.user, "channel": s.channel, "channel_type": "C", "team": playedTeam}, "", nil
	case sotto.EventMigrate:
		if a.Group == "" || a.Payload == "" {
			break
		}
		return obj{"type": "channel_id_changed", "old_channel_id": s.channel, "new_channel_id": formed(a.Payload, "C")}, "", nil
	}
	return nil, "", play.ErrNoSuch
}

// message is a new message. One that mentions the bot in a channel is told as a
// mention, which has no type of channel.
func (p *player) message(a play.Act, s place, id string) obj {
	text := entities(a.Text)
	m := obj{"type": "message", "user": s.user, "ts": id, "team": playedTeam, "channel": s.channel, "channel_type": s.kind}
	if a.Group != "" && a.Addressed && a.ReplyTo == "" {
		text = "<@" + playedBot + "> " + text
		m["type"] = "app_mention"
		delete(m, "channel_type")
	}
	if a.ReplyTo != "" {
		m["thread_ts"], m["parent_user_id"] = a.ReplyTo, playedBot
	}
	m["text"], m["blocks"] = text, rich(a.Text)
	switch {
	case a.Kind == sotto.EventEcho:
		m["user"], m["bot_id"], m["app_id"] = playedBot, "B0SIM0001", playedApp
		m["bot_profile"] = obj{"id": "B0SIM0001", "name": "Sim", "app_id": playedApp}
	case a.File != nil:
		m["subtype"], m["upload"], m["files"] = "file_share", false, []obj{p.keep(a.File, s.user)}
	default:
		m["client_msg_id"] = fmt.Sprintf("00000000-0000-4000-8000-%012s", strings.ReplaceAll(id, ".", "")[4:])
	}
	return m
}

// rich is a text once more, as Slack's editor has it.
func rich(text string) []obj {
	return []obj{{"type": "rich_text", "block_id": "b", "elements": []obj{
		{"type": "rich_text_section", "elements": []obj{{"type": "text", "text": text}}},
	}}}
}

// entities writes a text as Slack does.
func entities(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// keep holds a file for who fetches it, and words it.
func (p *player) keep(f *channel.File, user string) obj {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	id := "F0SIM" + strconv.FormatInt(p.next, 10)
	p.files[id] = *f
	p.remember(id)
	addr := p.base + "/files-pri/" + playedTeam + "-" + id + "/"
	return obj{
		"id": id, "name": f.Name, "title": f.Name, "mimetype": f.MIME, "user": user, "size": len(f.Data), "mode": "hosted",
		"is_external": false, "is_public": false, "url_private": addr + url.PathEscape(f.Name),
		"url_private_download": addr + "download/" + url.PathEscape(f.Name), "file_access": "visible",
	}
}

// remember bounds what is held. p.mu is held.
func (p *player) remember(key string) {
	p.recent = append(p.recent, key)
	if len(p.recent) > 64 {
		old := p.recent[0]
		p.recent = p.recent[1:]
		delete(p.files, old)
		delete(p.uploads, old)
		delete(p.urls, old)
		delete(p.hidden, old)
	}
}

// answerAt is a new address at which somebody alone is answered.
func (p *player) answerAt(kind, user string) (addr, trigger string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	path := fmt.Sprintf("/%s/%s/%d/sim", kind, playedTeam, p.next)
	p.urls[path] = &playedURL{user: user, at: p.now()}
	p.remember(path)
	return p.base + path, fmt.Sprintf("%d.%d.sim", p.next, p.now().UnixNano())
}

// command is a slash command.
func (p *player) command(a play.Act, s place) (play.Webhook, error) {
	name, text, _ := strings.Cut(a.Text, " ")
	addr, trigger := p.answerAt("commands", s.user)
	q := url.Values{
		"token": {"sim"}, "team_id": {playedTeam}, "team_domain": {"sim"}, "channel_id": {s.channel}, "channel_name": {s.name},
		"user_id": {s.user}, "user_name": {"sim"}, "command": {name}, "text": {entities(text)}, "api_app_id": {playedApp},
		"is_enterprise_install": {"false"}, "response_url": {addr}, "trigger_id": {trigger},
	}
	return p.signed("application/x-www-form-urlencoded", []byte(q.Encode()), ""), nil
}

// press is a press of a button.
func (p *player) press(a play.Act, s place) (play.Webhook, error) {
	addr, trigger := p.answerAt("actions", s.user)
	under := cmp.Or(a.ID, p.stamp())
	p.mu.Lock()
	hidden := p.hidden[under]
	p.mu.Unlock()
	container := obj{"type": "message", "message_ts": under, "channel_id": s.channel, "is_ephemeral": hidden}
	if a.ReplyTo != "" {
		container["thread_ts"] = a.ReplyTo
	}
	pressed := obj{
		"type": "block_actions", "user": obj{"id": s.user, "username": "sim", "name": "sim", "team_id": playedTeam},
		"api_app_id": playedApp, "token": "sim", "container": container, "trigger_id": trigger,
		"team": obj{"id": playedTeam, "domain": "sim"}, "enterprise": nil, "is_enterprise_install": false,
		"channel": obj{"id": s.channel, "name": s.name}, "response_url": addr,
		"message": obj{"type": "message", "user": playedBot, "ts": under, "bot_id": "B0SIM0001", "text": "…"},
		"state":   obj{"values": obj{}},
		"actions": []obj{{
			"action_id": "b1", "block_id": "x", "text": obj{"type": "plain_text", "text": entities(a.Text), "emoji": false},
			"value": a.Payload, "type": "button", "action_ts": p.stamp(),
		}},
	}
	if hidden { // Slack keeps no such message
		delete(pressed, "message")
	}
	body, err := worded(pressed)
	if err != nil {
		return play.Webhook{}, err
	}
	return p.signed("application/x-www-form-urlencoded", []byte(url.Values{"payload": {string(body)}}.Encode()), ""), nil
}
