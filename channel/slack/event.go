package slack

import (
	"slices"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// event makes the events of one of the Events API.
func (d *decoder) event(r *record) channel.Batch {
	e := channel.Event{
		Kind: sotto.EventOther, Delivery: r.eventID, Account: r.team,
		Sender: r.user, Conversation: or(r.channel, r.aboutChannel),
		ID: or(r.aboutTS, r.messageTS), Time: when(r.eventTS),
	}
	e.Group = isGroup(e.Conversation, r.channelType, r.channelName)
	if e.Time.IsZero() {
		e.Time = unix(r.eventTime, 0)
	}
	switch r.kind {
	case "message", "app_mention":
		if !d.message(r, &e) {
			return channel.Batch{Unknown: 1}
		}
	case "reaction_added", "reaction_removed":
		e.Kind = sotto.EventReaction
	case "member_joined_channel", "channel_joined", "group_joined":
		e.Kind, e.Group = sotto.EventJoin, true
		e.Self = d.comes(r)
	case "member_left_channel", "channel_left", "group_left":
		e.Kind, e.Group = sotto.EventLeave, true
		e.Self = d.comes(r)
	case "channel_id_changed":
		e.Conversation, e.Payload = r.oldChannel, r.newChannel
		if e.Conversation != "" && e.Payload != "" {
			e.Kind, e.Group = sotto.EventMigrate, true
		}
	case "app_uninstalled", "app_uninstalled_team", "tokens_revoked", "team_access_revoked", "team_access_granted":
		e.Payload = r.kind
	default:
		if !isEvent(r.kind) {
			return channel.Batch{Unknown: 1}
		}
	}
	return d.one(e)
}

// comes reports whether it is the bot itself that came or went: "member" tells
// of somebody, the others only ever of the one who is told.
func (d *decoder) comes(r *record) bool {
	if !strings.HasPrefix(r.kind, "member_") {
		return true
	}
	return d.isBot(r, r.user)
}

func (d *decoder) isBot(r *record, user string) bool {
	return user != "" && (user == d.user || slices.Contains(r.bots, user))
}

// message fills e from a message or mention, and reports whether its subtype is known.
func (d *decoder) message(r *record, e *channel.Event) bool {
	e.ID, e.Text, e.Attachments = r.ts, r.text, r.files
	if t := when(r.ts); !t.IsZero() {
		e.Time = t
	}
	if r.kind == "app_mention" && r.channelType == "" && e.Conversation == "" {
		e.Group = true // nobody mentions a bot in a direct message to it
	}
	switch r.subtype {
	case "", "file_share", "me_message", "thread_broadcast", "reply_broadcast":
		d.said(r, e)
		return true
	case "bot_message", "slackbot_response":
		e.Kind, e.Delivery = sotto.EventEcho, messageKey(r, e)
		return true
	case "message_changed":
		d.changed(r, e)
		return true
	case "message_deleted":
		d.gone(r, e, r.previous)
		return true
	case "channel_join", "group_join":
		e.Kind, e.Self = sotto.EventJoin, d.isBot(r, r.user)
		return true
	case "channel_leave", "group_leave":
		e.Kind, e.Self = sotto.EventLeave, d.isBot(r, r.user)
		return true
	case "message_replied":
		if m := r.message; m != nil {
			e.Own, e.ID, e.Sender, e.Text = r.ts, m.ts, m.user, m.text
		}
		return true
	}
	return isQuiet(r.subtype)
}

// messageKey names a message whichever event reports it. A mention comes as one
// of its own and, where the app reads the channel, as a message too.
func messageKey(r *record, e *channel.Event) string {
	if e.Conversation == "" || e.ID == "" {
		return r.eventID
	}
	return "m/" + e.Conversation + "/" + e.ID
}

// said is something that a person wrote or, if a program did, an echo: which of
// them does not matter, because bots that answer bots never stop.
func (d *decoder) said(r *record, e *channel.Event) {
	e.Kind, e.Delivery = sotto.EventMessage, messageKey(r, e)
	if r.automatic() {
		e.Kind = sotto.EventEcho
		return
	}
	h := handle{}
	if isTS(r.thread) {
		h.thread = r.thread
	}
	if e.Group {
		e.Addressed = r.kind == "app_mention" || d.isBot(r, r.parent) || d.mentioned(r)
		if h.thread == "" && isTS(r.ts) {
			h.thread = r.ts
		}
	}
	e.Handle = h.thread
}

// automatic reports whether a program wrote the message, or Slack itself.
func (r *record) automatic() bool {
	return r.bot != "" || r.user == "USLACKBOT" || r.subtype == "bot_message"
}

func (d *decoder) mentioned(r *record) bool {
	if d.user != "" && mentions(r.text, d.user) {
		return true
	}
	for _, b := range r.bots {
		if mentions(r.text, b) {
			return true
		}
	}
	return false
}

// mentions reports whether a text holds <@user> or <@user|name>.
func mentions(text, user string) bool {
	for {
		i := strings.Index(text, "<@")
		if i < 0 {
			return false
		}
		text = text[i+2:]
		if rest, ok := strings.CutPrefix(text, user); ok && rest != "" && (rest[0] == '>' || rest[0] == '|') {
			return true
		}
	}
}

// changed is a message with another text. The first message of a thread that
// is deleted leaves a tombstone in its place, and that is no edit.
func (d *decoder) changed(r *record, e *channel.Event) {
	e.Kind, e.Own, e.ID, e.Text, e.Attachments = sotto.EventEdit, r.ts, "", "", nil
	m := r.message
	if m == nil {
		m = new(record)
	}
	if m.subtype == "tombstone" {
		d.gone(r, e, r.previous)
		e.ID = or(m.ts, e.ID)
		return
	}
	e.Sender, e.ID, e.Text, e.Attachments = m.user, m.ts, m.text, m.files
	if p := r.previous; p != nil {
		e.Sender, e.ID = or(e.Sender, p.user), or(e.ID, p.ts)
	}
	if m.automatic() {
		e.Kind = sotto.EventEcho
	}
}

// gone is a deleted message. Who wrote it stands in what it was.
func (*decoder) gone(r *record, e *channel.Event, was *record) {
	e.Kind, e.Own, e.ID, e.Sender, e.Text, e.Attachments = sotto.EventDelete, r.ts, r.deleted, "", "", nil
	if was == nil {
		return
	}
	e.ID, e.Sender = or(e.ID, was.ts), was.user
	if was.automatic() {
		e.Kind = sotto.EventEcho
	}
}
