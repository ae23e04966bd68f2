package slack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// errNotSlack says that a body is not one of Slack's.
var errNotSlack = errors.New("not a call of Slack")

// Decode reads a body as an adapter without a configuration does: an event, an
// interaction or a command, as JSON or as a form. It is for looking at a body
// by hand, and understands also what Slack sends only inside others: a lone
// event, the JSON of an interaction, an envelope of Socket Mode.
func Decode(body []byte) (channel.Batch, error) { return self{}.decode(body) }

// Decode implements [channel.Adapter]. A body is one event, except for an
// interaction with several actions, which gives one for each.
//
// That the app was uninstalled, or its tokens revoked, is an
// [sotto.EventOther] whose Payload names it: it is about the account and no
// person, and the next call to the API is refused with class Auth.
func (a *Adapter) Decode(body []byte) (channel.Batch, error) { return a.self.decode(body) }

// self is what the bot knows of itself.
type self struct {
	user   string // its user id; "" = as the body says
	prefix string // of its slash commands, without the slash
}

func invalid(err error) error { return sotto.E("slack.decode", sotto.KindInvalid, err) }

func (me self) decode(body []byte) (channel.Batch, error) {
	inside := bytes.TrimLeft(body, " \t\r\n")
	if len(inside) == 0 || inside[0] == '{' || inside[0] == '[' || inside[0] == '"' {
		return me.json(body, body)
	}
	f, err := parseForm(body)
	if err != nil {
		return channel.Batch{}, invalid(err)
	}
	if f.payload != "" {
		return me.json([]byte(f.payload), body)
	}
	return me.command(&f, body)
}

// json reads JSON; body is what was posted.
func (me self) json(text, body []byte) (channel.Batch, error) {
	s := wire.NewScanner(text)
	var r record
	is := r.read(&s)
	if err := s.End(); err != nil {
		return channel.Batch{}, invalid(err)
	}
	if !is {
		return channel.Batch{}, invalid(errNotSlack)
	}
	return me.frame(&r, body)
}

// frame tells the outermost objects apart.
func (me self) frame(r *record, body []byte) (channel.Batch, error) {
	d := decoder{self: me, body: body}
	switch {
	case r.event != nil && (r.kind == "event_callback" || r.kind == "" && (r.team != "" || r.slack || r.eventID != "")):
		r.event.eventID, r.event.eventTime, r.event.bots = r.eventID, r.eventTime, r.bots
		if r.team != "" {
			r.event.team = r.team
		}
		return d.event(r.event), nil
	case r.event != nil || r.foreign:
	case r.inner != nil && (r.kind == "events_api" || r.kind == "interactive" || r.kind == "slash_commands"):
		if r.inner.inner == nil { // an envelope of Socket Mode holds no other
			return me.frame(r.inner, body)
		}
	case r.kind == "event_callback":
		return channel.Batch{Unknown: 1}, nil
	case r.kind == "url_verification" || r.kind == "app_rate_limited" || r.kind == "disconnect" ||
		r.kind == "hello" && r.slack:
		return channel.Batch{}, nil // said to the program, about no event
	case isInteraction(r.kind):
		return d.interaction(r), nil
	case r.kind == "" && strings.HasPrefix(r.commandName, "/") && r.user != "":
		return me.command(&form{
			command: r.commandName, text: r.text, user: r.user, channel: r.channel, channelName: r.channelName,
			team: r.team, trigger: r.triggerID, url: r.url,
		}, body)
	case r.alone():
		return d.event(r), nil
	case r.kind != "" && (r.slack || isTS(r.eventTS)):
		return channel.Batch{Unknown: 1}, nil
	}
	return channel.Batch{}, invalid(errNotSlack)
}

// alone reports whether an event stands without its envelope. Other networks
// use the plainest of the words as well, so those need more to be Slack's.
func (r *record) alone() bool {
	if !isEvent(r.kind) {
		return false
	}
	marked := isTS(r.ts) || isTS(r.eventTS) || isTS(r.aboutTS) || r.user != "" && r.channel != ""
	if strings.IndexByte(r.kind, '_') < 0 {
		return marked || r.kind == "message" && isQuiet(r.subtype)
	}
	return true
}

// decoder makes events of records.
type decoder struct {
	self
	body []byte
}

// key names an event that Slack gave no id.
func (d *decoder) key() string {
	sum := sha256.Sum256(d.body)
	return "h/" + hex.EncodeToString(sum[:16])
}

// one is a batch of one event. An id that it lacks is made of the body.
func (d *decoder) one(e channel.Event) channel.Batch {
	if e.Delivery == "" {
		e.Delivery = d.key()
	}
	return channel.Batch{Events: []channel.Event{e}}
}

// isGroup reports whether others than one person read along in a channel. Ids
// of direct messages begin with D, and those of people with U or W.
func isGroup(id, kind, name string) bool {
	switch kind {
	case "im", "app_home", "D":
		return false
	case "channel", "group", "mpim", "C", "G":
		return true
	}
	return id != "" && id[0] != 'D' && id[0] != 'U' && id[0] != 'W' && name != "directmessage"
}

// when turns "1355517523.000005" into a time.
func when(ts string) time.Time {
	if !isTS(ts) {
		return time.Time{}
	}
	sec, frac, _ := strings.Cut(ts, ".")
	n, err := strconv.ParseInt(sec, 10, 64)
	if err != nil {
		return time.Time{}
	}
	for len(frac) < 6 {
		frac += "0"
	}
	micro, err := strconv.ParseInt(frac[:6], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return unix(n, micro)
}

func unix(sec, micro int64) time.Time {
	const year10000 = 253402300800
	if sec <= 0 || sec >= year10000 {
		return time.Time{}
	}
	return time.Unix(sec, micro*1000).UTC()
}

// question reads Slack's question whether an address is the app's, and reports
// whether the body is one.
func question(body []byte) (challenge string, asked bool) {
	if !bytes.Contains(body, []byte("url_verification")) { // nearly always
		return "", false
	}
	s := wire.NewScanner(body)
	kind := ""
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "type":
			kind = s.Text()
		case "challenge":
			challenge = s.Text()
		default:
			s.Skip()
		}
	}
	return challenge, s.End() == nil && kind == "url_verification"
}

// handle is how an event is answered: in a thread, or to a person alone. It
// stands in [channel.Event.Handle] as words, each known by how it begins.
type handle struct {
	thread string // the first message of the thread
	user   string // who alone may see the answer
	url    string // where an answer that they alone see is posted
}

func (h handle) String() string {
	words := make([]string, 0, 3)
	for _, w := range [...]string{h.thread, h.user, h.url} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

func parseHandle(s string) (h handle) {
	for s != "" {
		var w string
		w, s, _ = strings.Cut(s, " ")
		switch {
		case strings.HasPrefix(w, "http"):
			h.url = w
		case isTS(w):
			h.thread = w
		case isID(w):
			h.user = w
		}
	}
	return h
}

// private is the handle of what one person alone can see.
func private(user, url string) string {
	h := handle{}
	if isID(user) {
		h.user = user
	}
	if len(url) <= 1024 && !strings.ContainsAny(url, " \t\r\n") && strings.HasPrefix(url, "http") {
		h.url = url
	}
	return h.String()
}

// isID reports whether s can be the id of a person or a channel.
func isID(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
