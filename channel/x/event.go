package x

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// finish turns what was read into events.
func (d *decoder) finish() {
	parts := d.raw
	if a := &d.activity; len(parts) == 0 && a.kind != "" && d.batch.Unknown == 0 {
		r, ok := a.record()
		if !ok {
			d.batch.Unknown++
			return
		}
		parts = []record{r}
	}
	for i := range parts {
		e, ok := d.event(&parts[i])
		if !ok || d.user != "" && d.owner != "" && d.owner != d.user {
			d.batch.Unknown++
			continue
		}
		e.Account, e.Delivery = d.owner, d.delivery(&parts[i], i)
		d.batch.Events = append(d.batch.Events, e)
	}
}

// record is the event of an envelope whose payload is no list: what such a
// payload is named after says which list it would stand in.
func (a *activity) record() (record, bool) {
	r := a.single
	if a.kind == "MessageCreate" {
		r = a.message
		r.list, r.kind = "direct_message_events", ""
		return r, true
	}
	group, act, _ := strings.Cut(a.kind, ".")
	switch group {
	case "dm":
		switch act {
		case "received", "sent":
			r.list, r.kind = "direct_message_events", ""
		case "read":
			r.list = "direct_message_mark_read_events"
		case "indicate_typing":
			r.list = "direct_message_indicate_typing_events"
		default:
			return r, false
		}
	case "block":
		r.list, r.kind = "block_events", act
	case "oauth":
		r.list = act
	case "post", "like", "follow", "profile", "chat", "news", "spaces", "mute", "broadcast":
		r.list = "other"
	default:
		return r, false
	}
	return r, true
}

// event says what happened; false where it is of a kind that is not known, or
// holds too little to tell.
func (d *decoder) event(r *record) (channel.Event, bool) {
	e := channel.Event{ID: r.id, Time: r.at}
	switch r.list {
	case "direct_message_events":
		return d.message(r, e)
	case "direct_message_mark_read_events":
		e.Kind, e.Sender, e.ID = sotto.EventReceipt, r.sender, r.lastRead
	case "direct_message_indicate_typing_events":
		e.Kind, e.Sender = sotto.EventOther, r.sender
	case "block_events", "unblock_events":
		e.Kind, e.Sender = sotto.EventOther, r.source
		if r.source == "" || r.source == d.owner || d.owner != "" && r.target != d.owner {
			break // our own doing, or none of ours
		}
		e.Kind = sotto.EventBlock
		if r.kind == "unblock" || r.kind == "" && r.list == "unblock_events" {
			e.Kind = sotto.EventUnblock
		}
	case "revoke":
		return d.revoke(r, e)
	case "follow_events", "unfollow_events", "mute_events", "unmute_events", "favorite_events", "tweet_create_events", "tweet_delete_events", "other":
		e.Kind, e.Sender = sotto.EventOther, first(r.source, r.sender, r.user)
	default:
		return e, false
	}
	e.Conversation = e.Sender
	return e, true
}

// message fills an event with a direct message. What the account itself sent,
// by this app or by another, comes back as well.
func (d *decoder) message(r *record, e channel.Event) (channel.Event, bool) {
	if r.kind != "" && r.kind != "message_create" || r.id == "" || r.sender == "" {
		return e, false
	}
	e.Kind, e.Sender, e.Conversation, e.Text, e.Attachments = sotto.EventMessage, r.sender, r.sender, r.text, r.files
	switch {
	case r.sender == d.owner, d.user != "" && r.sender == d.user, d.activity.kind == "dm.sent":
		e.Kind, e.Conversation = sotto.EventEcho, r.target
	case r.pressed:
		e.Kind, e.Payload = sotto.EventButton, r.metadata
	}
	return e, true
}

// revoke fills an event with the end of a permission: a person who had let the
// app in takes that back and is to be left alone. Of our own account it says
// only that its token is good no more, which the next call shows.
func (d *decoder) revoke(r *record, e channel.Event) (channel.Event, bool) {
	e.Kind, e.Sender = sotto.EventOptOut, first(r.source, r.user)
	if e.Sender == "" {
		return e, false
	}
	if e.Sender == d.user {
		e.Kind = sotto.EventOther
	}
	e.ID, e.Conversation = "", e.Sender
	return e, true
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// delivery names the event for ever. A message is named by its own id, so that
// it counts once even if both products deliver it, for each account that it
// concerns; other events by the id of their envelope, or by all that tells them
// from others.
func (d *decoder) delivery(r *record, i int) string {
	switch {
	case r.list == "direct_message_events":
		return "dm/" + r.id + "/" + d.owner
	case d.activity.uuid != "" && i == 0:
		return "e/" + d.activity.uuid
	case d.activity.uuid != "":
		return "e/" + d.activity.uuid + "/" + strconv.Itoa(i)
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{
		d.activity.kind, r.list, r.kind, d.owner, r.id, strconv.FormatInt(r.at.UnixMilli(), 10), r.sender, r.source, r.user, r.target, r.lastRead,
	}, "\x00")))
	return "h/" + hex.EncodeToString(sum[:16])
}
