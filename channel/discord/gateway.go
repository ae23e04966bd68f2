package discord

import (
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// gateway reads a dispatch of the gateway. Sotto opens none: these bodies come
// from whoever passes them on.
func gateway(name string, d *node) channel.Batch {
	if d == nil {
		d = new(node)
	}
	e := channel.Event{Kind: sotto.EventOther, Sender: first(d.userID, d.user.id, d.member.id), Conversation: d.channel, Group: d.inGuild}
	switch name {
	case "INTERACTION_CREATE":
		return d.interaction()
	case "MESSAGE_CREATE":
		return one(d.messageEvent(sotto.EventMessage))
	case "MESSAGE_UPDATE":
		if d.author.id == "" || d.edited == "" { // a preview was added, not a word changed
			e.ID = d.id
			return one(e)
		}
		return one(d.messageEvent(sotto.EventEdit))
	case "MESSAGE_DELETE":
		e.Kind, e.ID = sotto.EventDelete, d.id
	case "MESSAGE_DELETE_BULK":
		var b channel.Batch
		for _, id := range d.ids {
			e.Kind, e.ID = sotto.EventDelete, id
			b.Events = append(b.Events, e)
		}
		return b
	case "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE", "MESSAGE_REACTION_REMOVE_ALL", "MESSAGE_REACTION_REMOVE_EMOJI":
		e.Kind, e.ID = sotto.EventReaction, d.message
	case "GUILD_MEMBER_ADD":
		e.Kind, e.Group = sotto.EventJoin, true
	case "GUILD_MEMBER_REMOVE":
		e.Kind, e.Group = sotto.EventLeave, true
	case "GUILD_DELETE":
		if !d.unavailable {
			e.Kind, e.Group, e.Self = sotto.EventLeave, true, true
		}
	default:
		if !spoken(name) {
			return channel.Batch{Unknown: 1}
		}
	}
	return one(e)
}

// spoken reports whether an event is of a family that the gateway documents.
func spoken(name string) bool {
	for _, family := range [...]string{
		"APPLICATION_", "AUTO_MODERATION_", "CHANNEL_", "ENTITLEMENT_", "GUILD_", "INTEGRATION_", "INVITE_", "MESSAGE_",
		"PRESENCE_", "RATE_LIMITED", "READY", "RESUMED", "SOUNDBOARD_", "STAGE_", "SUBSCRIPTION_", "THREAD_", "TYPING_",
		"USER_", "VOICE_", "WEBHOOKS_", "LOBBY_", "GAME_",
	} {
		if strings.HasPrefix(name, family) {
			return true
		}
	}
	return false
}

// messageEvent reads a message. What bots and webhooks write is an echo: it is
// never answered, or two bots would talk for ever.
func (n *node) messageEvent(kind sotto.EventKind) channel.Event {
	const plain, joined, reply, command, starter, menu = "0", "7", "19", "20", "21", "23"
	e := channel.Event{
		Kind: kind, ID: n.id, Account: n.app, Sender: n.author.id, Conversation: first(n.channel, n.lobby),
		Text: n.content, Time: instant(n.stamp), Group: n.inGuild || n.lobby != "" || n.room > 1, Attachments: n.files,
	}
	e.Addressed = e.Group && n.mentioned
	if e.Time.IsZero() {
		e.Time = made(n.id)
	}
	if kind == sotto.EventMessage {
		e.Delivery = "m" + n.id
	}
	switch {
	case kind == sotto.EventStandby:
	case n.author.bot || n.webhook:
		e.Kind = sotto.EventEcho
	case n.kind == joined:
		e.Kind, e.Text = sotto.EventJoin, ""
	case n.kind != "" && n.kind != plain && n.kind != reply && n.kind != command && n.kind != starter && n.kind != menu:
		e.Kind = sotto.EventOther // the network itself speaks: a pin, a call, a boost
	}
	return e
}
