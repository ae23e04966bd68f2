package line

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// event says what happened; false where it is of a kind that is not known, or
// holds too little to tell.
func (r *event) event() (channel.Event, bool) {
	e := channel.Event{
		Sender: r.user, Conversation: r.conversation(), Group: r.group != "" || r.room != "",
		Time: wire.UnixMilli(r.at),
	}
	ok := r.classify(&e)
	if !ok {
		return channel.Event{}, false
	}
	if r.trial() {
		e.Kind = sotto.EventOther
	}
	r.standBy(&e)
	if e.Kind != sotto.EventOther && e.Kind != sotto.EventStandby {
		e.Handle = r.handle()
	}
	e.Delivery = r.delivery(&e)
	return e, true
}

// conversation is where an answer goes.
func (r *event) conversation() string {
	switch {
	case r.group != "":
		return r.group
	case r.room != "":
		return r.room
	}
	return r.user
}

// classify sorts the event by its type.
func (r *event) classify(e *channel.Event) bool {
	switch r.kind {
	case "message", "messageEdited":
		return r.message(e)
	case "postback":
		e.Kind, e.Payload, e.Text, e.Addressed = sotto.EventButton, r.data, r.date, e.Group
		return e.Conversation != ""
	case "unsend":
		e.Kind, e.ID = sotto.EventDelete, r.unsent
		return e.ID != ""
	case "follow":
		e.Kind = sotto.EventJoin
		if r.unblocked {
			e.Kind = sotto.EventUnblock
		}
		return e.Sender != ""
	case "unfollow":
		e.Kind = sotto.EventBlock
		return e.Sender != ""
	case "join", "leave":
		e.Kind, e.Self = sotto.EventJoin, true
		if r.kind == "leave" {
			e.Kind = sotto.EventLeave
		}
		return e.Conversation != ""
	case "memberJoined", "memberLeft":
		e.Kind = sotto.EventJoin
		if r.kind == "memberLeft" {
			e.Kind = sotto.EventLeave
		}
		return e.Conversation != ""
	case "videoPlayComplete", "beacon", "accountLink", "membership", "module", "activated", "deactivated",
		"botSuspended", "botResumed", "delivery", "things":
		e.Kind = sotto.EventOther
		return true
	}
	return false
}

// message fills an event with what was said or sent. A kind of message that is
// not known is one all the same: somebody sent something.
func (r *event) message(e *channel.Event) bool {
	m := &r.msg
	e.Kind, e.ID, e.Text = sotto.EventMessage, m.id, m.text
	e.Addressed = e.Group && m.toBot
	if r.kind == "messageEdited" {
		e.Kind = sotto.EventEdit
	}
	if m.id == "" || m.kind == "" || e.Conversation == "" {
		return false
	}
	a := channel.Attachment{Kind: m.kind, ID: m.id, Name: m.name}
	switch m.kind {
	case "text":
		return true
	case "image", "video", "audio", "file":
	case "location", "sticker":
		a.ID = ""
	default:
		a.Kind, a.ID = "other", ""
	}
	if m.external { // it lies on a host that is not LINE's, from which nothing is fetched
		a.ID = ""
	}
	e.Attachments = []channel.Attachment{a}
	return true
}

// trial reports whether the event comes from an older console, which tried an
// address with made-up messages.
func (r *event) trial() bool {
	const length = 32
	return len(r.reply) == length && (strings.Trim(r.reply, "0") == "" || strings.Trim(r.reply, "f") == "")
}

// standBy marks what is said while another application owns the chat. What
// takes something away from us, such as a message that is unsent, counts all
// the same.
func (r *event) standBy(e *channel.Event) {
	if r.mode != "standby" {
		return
	}
	switch e.Kind { //nolint:exhaustive // the others are not made here
	case sotto.EventDelete, sotto.EventEdit, sotto.EventBlock, sotto.EventUnblock, sotto.EventLeave, sotto.EventOther:
	default:
		e.Kind = sotto.EventStandby
	}
}

// delivery names the event for ever: by the id that LINE gives each, and for
// events from before there were such ids by all that tells it from others.
func (r *event) delivery(e *channel.Event) string {
	if r.id != "" {
		return r.id
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{
		r.kind, strconv.FormatInt(r.at, 10), e.Conversation, e.Sender, e.ID, r.reply, r.data, e.Text,
	}, "\x00")))
	return "h" + hex.EncodeToString(sum[:16])
}
