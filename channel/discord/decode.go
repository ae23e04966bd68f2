package discord

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// errNotDiscord says that a body is neither an interaction nor an event.
var errNotDiscord = errors.New("not a call of Discord")

// The types of interactions.
const (
	typePing         = "1" // of a webhook event: an event
	typeCommand      = "2"
	typeComponent    = "3"
	typeAutocomplete = "4"
	typeModal        = "5"
)

// Decode reads a body without any configuration.
func Decode(body []byte) (channel.Batch, error) { return decode(body) }

// Decode implements [channel.Adapter]. A body is one interaction or one webhook
// event. What a gateway says, and a lone message, are understood as well.
func (*Adapter) Decode(body []byte) (channel.Batch, error) { return decode(body) }

func decode(body []byte) (channel.Batch, error) {
	s := wire.NewScanner(body)
	var n node
	is := n.read(&s)
	if err := s.End(); err != nil {
		return channel.Batch{}, sotto.E("discord.decode", sotto.KindInvalid, err)
	}
	b, ok := n.batch()
	if !is || !ok {
		return channel.Batch{}, sotto.E("discord.decode", sotto.KindInvalid, errNotDiscord)
	}
	for i := range b.Events {
		if e := &b.Events[i]; e.Delivery == "" {
			sum := sha256.Sum256(body) // the network gives no id
			e.Delivery = "h" + strconv.Itoa(i) + "." + hex.EncodeToString(sum[:16])
		}
	}
	return b, nil
}

// batch tells the frames apart; false means another network's.
func (n *node) batch() (channel.Batch, bool) {
	switch {
	case n.t != "" && (n.op == "0" || n.op == ""):
		return gateway(n.t, n.dispatch), true
	case number(n.op) && n.kind == "" && n.id == "": // a gateway's own affairs
		return channel.Batch{}, true
	case n.event != nil && (n.kind == typePing || n.kind == "" && n.app != ""):
		return happened(n.event, n.app), true
	case n.event == nil && (n.kind == "0" || n.kind == typePing) && n.content == "" && n.author.id == "":
		return channel.Batch{}, true // a question, see Handshake
	case n.author.id != "" && n.id != "" && (n.hasContent || n.channel != "" || n.lobby != ""):
		return one(n.messageEvent(sotto.EventMessage)), true
	case number(n.kind) && n.id != "" && (n.token != "" || n.data != nil):
		return n.interaction(), true
	case n.data != nil && family(n.kind) && n.stamp != "": // the inside of a webhook event alone
		return happened(n, n.app), true
	}
	return channel.Batch{}, false
}

func one(e channel.Event) channel.Batch { return channel.Batch{Events: []channel.Event{e}} }

// interaction reads what a person did with the application.
func (n *node) interaction() channel.Batch {
	e := channel.Event{
		ID: n.id, Delivery: "i" + n.id, Account: n.app, Sender: n.member.id, Conversation: n.channel,
		Time: made(n.id), Group: n.shared(), Language: n.locale,
	}
	if e.Sender == "" {
		e.Sender = n.user.id
	}
	e.Addressed = e.Group
	d := n.data
	if d == nil {
		d = new(node)
	}
	switch n.kind {
	case typeCommand:
		d.command(&e)
	case typeComponent:
		e.Kind, e.Payload = sotto.EventButton, d.custom
		if len(d.values) > 0 {
			e.Payload = strings.Join(d.values, ",")
		}
	case typeAutocomplete: // half a word, which the network asks about at every key
		e.Kind = sotto.EventOther
		return one(e)
	case typeModal:
		e.Kind, e.Payload, e.Text, e.Attachments = sotto.EventMessage, d.custom, strings.Join(d.inputs, "\n"), d.files
	default:
		return channel.Batch{Unknown: 1}
	}
	e.Handle = handle{component: n.kind == typeComponent, shared: e.Group, app: n.app, id: n.id, token: n.token}.String()
	return one(e)
}

// Ask is the command of which the option is a message to the bot, as Install
// registers it. Its text alone is what the person said.
const Ask = "ask"

// command reads a command. One that is used on a message says what stands
// there, and is itself the payload.
func (n *node) command(e *channel.Event) {
	e.Kind, e.Attachments = sotto.EventMessage, n.files
	const onUser, onMessage = "2", "3"
	switch {
	case n.kind == onMessage || n.kind == "" && len(n.resolved) > 0:
		e.Payload = n.name
		for i := range n.resolved {
			if m := &n.resolved[i]; m.id == n.target || n.target == "" || len(n.resolved) == 1 {
				e.Text, e.Attachments = m.text, append(e.Attachments, m.files...)
				return
			}
		}
	case n.kind == onUser:
		e.Text = "/" + n.name
		if n.target != "" {
			e.Text += " <@" + n.target + ">"
		}
	case n.name == Ask && len(n.options) > 0 && len(n.options[0].parts) == 0:
		e.Text = n.options[0].text()
	case n.name != "":
		var b strings.Builder
		b.WriteString("/" + n.name)
		spell(&b, n.options)
		e.Text = b.String()
	}
}

// spell writes the parts of a command and what was filled in, without the
// names of the fields.
func spell(b *strings.Builder, options []option) {
	for i := range options {
		o := &options[i]
		text := o.text()
		if !o.some && (o.kind == "1" || o.kind == "2" || len(o.parts) > 0) {
			text = o.name
		}
		if text != "" {
			b.WriteByte(' ')
			b.WriteString(text)
		}
		spell(b, o.parts)
	}
}

// text is the value of an option as it would read in a message. A file is no
// text.
func (o *option) text() string {
	if !o.some || o.value == "" {
		return ""
	}
	switch o.kind {
	case "6", "9": // a user; a user or role
		return "<@" + o.value + ">"
	case "7":
		return "<#" + o.value + ">"
	case "8":
		return "<@&" + o.value + ">"
	case "11":
		return ""
	}
	return o.value
}

// shared reports whether others than one person and the bot read along.
func (n *node) shared() bool {
	const guild, direct, private = 0, 1, 2
	const dm = 1
	switch {
	case n.place == direct:
		return false
	case n.place == guild, n.place == private, n.place > private: // what is not known may be anything
		return true
	}
	// Older calls name no context.
	return n.inGuild || n.room >= 0 && n.room != dm || n.user.id == "" && n.room != dm
}

// happened reads a webhook event.
func happened(n *node, app string) channel.Batch {
	d := n.data
	if d == nil {
		d = new(node)
	}
	e := channel.Event{Kind: sotto.EventOther, Account: app, Sender: first(d.user.id, d.userID, d.author.id), Time: instant(n.stamp)}
	about := d.id
	switch n.kind {
	case "APPLICATION_AUTHORIZED":
		e.Kind = sotto.EventOptIn
		if d.install == "0" || d.inGuild { // to a server: who did it said nothing for themselves
			e.Kind, e.Group, e.Self = sotto.EventJoin, true, true
		}
	case "APPLICATION_DEAUTHORIZED":
		e.Kind = sotto.EventOptOut
	case "LOBBY_MESSAGE_CREATE", "LOBBY_MESSAGE_UPDATE", "LOBBY_MESSAGE_DELETE",
		"GAME_DIRECT_MESSAGE_CREATE", "GAME_DIRECT_MESSAGE_UPDATE", "GAME_DIRECT_MESSAGE_DELETE":
		// Players talk to each other; the bot is not spoken to.
		e = d.messageEvent(sotto.EventStandby)
		e.Account, e.Group, e.Addressed = app, d.lobby != "", false
		if at := instant(n.stamp); !at.IsZero() {
			e.Time = at
		}
	default:
		if !family(n.kind) {
			return channel.Batch{Unknown: 1}
		}
		e.ID = about
	}
	e.Delivery = ""
	if n.stamp != "" && len(n.stamp) < 64 {
		e.Delivery = strings.Join([]string{n.kind, n.stamp, e.Sender, about}, "/")
	}
	return one(e)
}

// family reports whether a webhook event is of a kind that Discord documents.
func family(kind string) bool {
	return strings.HasPrefix(kind, "APPLICATION_") && strings.HasSuffix(kind, "AUTHORIZED") ||
		strings.HasPrefix(kind, "ENTITLEMENT_") || strings.HasPrefix(kind, "QUEST_") ||
		strings.HasPrefix(kind, "LOBBY_MESSAGE_") || strings.HasPrefix(kind, "GAME_DIRECT_MESSAGE_")
}

func first(ids ...string) string {
	if i := slices.IndexFunc(ids, func(s string) bool { return s != "" }); i >= 0 {
		return ids[i]
	}
	return ""
}

// made returns when an id was made, which stands in it
// (docs.discord.com/developers/reference, "Snowflakes").
func made(id string) time.Time {
	const epoch = 1420070400000 // 2015 in milliseconds of Unix time
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n>>22 == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(n>>22) + epoch).UTC()
}

// instant reads a time; those of webhook events leave out that they are UTC.
func instant(s string) time.Time {
	for _, form := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
