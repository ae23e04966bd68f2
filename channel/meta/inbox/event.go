package inbox

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// event says what an item means.
func (it *item) event(standby bool) channel.Event {
	p := &it.part
	e := channel.Event{
		Kind: it.meaning(), ID: p.mid, Sender: it.sender, Conversation: it.sender,
		Account: it.recipient, Time: wire.Moment(it.at),
	}
	switch e.Kind { //nolint:exhaustive // the others carry no text
	case sotto.EventMessage, sotto.EventEcho, sotto.EventEdit:
		e.Text, e.Attachments = p.text, p.files
		if p.opaque && len(p.files) == 0 {
			e.Attachments = []channel.Attachment{{Kind: "other"}}
		}
	case sotto.EventButton:
		e.Text, e.Payload, e.Attachments = p.text, p.payload, p.files
		if it.kind == "postback" {
			e.Text = p.title
		}
	case sotto.EventOptIn, sotto.EventOptOut, sotto.EventOther:
		e.Payload = p.payload
	}
	if p.echo { // sender and recipient are swapped
		e.Conversation, e.Account = it.recipient, it.sender
	}
	if standby && (e.Kind == sotto.EventMessage || e.Kind == sotto.EventButton) {
		e.Kind = sotto.EventStandby
	}
	e.Delivery = it.delivery(e.Kind)
	return e
}

func (it *item) meaning() sotto.EventKind {
	p := &it.part
	switch it.kind {
	case "message":
		switch {
		case p.deleted:
			return sotto.EventDelete
		case p.echo:
			return sotto.EventEcho
		case p.quick:
			return sotto.EventButton
		case p.text == "" && len(p.files) == 0 && !p.opaque:
			return sotto.EventOther
		}
		return sotto.EventMessage
	case "postback":
		return sotto.EventButton
	case "message_edit":
		return sotto.EventEdit
	case "reaction":
		return sotto.EventReaction
	case "read", "delivery":
		return sotto.EventReceipt
	case "optin":
		if strings.HasPrefix(strings.ToUpper(p.status), "STOP") {
			return sotto.EventOptOut
		}
		return sotto.EventOptIn
	case "optout":
		return sotto.EventOptOut
	}
	return sotto.EventOther
}

// delivery names the event for ever. Meta gives ids to messages and most
// postbacks; other events are named by a hash of what tells them apart. The
// kind is part of the name, because an edit, a reaction and a deletion carry
// the id of the message they are about.
func (it *item) delivery(kind sotto.EventKind) string {
	p := &it.part
	if p.mid != "" && len(p.mid) <= 200 && (it.kind == "message" || it.kind == "postback") {
		return string(kind[:2]) + ":" + p.mid
	}
	return name(it.at == 0 && p.watermark == 0,
		[]string{it.kind, it.sender, it.recipient, p.mid, p.payload, p.title, p.text, p.action, p.status}, it.at, p.watermark, p.edits)
}

// name is a delivery key of what tells an event apart. Timeless is one that
// may look like another without the time of its entry.
func name(timeless bool, texts []string, numbers ...int64) string {
	h := sha256.New()
	var n [8]byte
	for _, v := range texts {
		binary.BigEndian.PutUint64(n[:], uint64(len(v)))
		h.Write(n[:])
		h.Write([]byte(v))
	}
	for _, v := range numbers {
		binary.BigEndian.PutUint64(n[:], uint64(v)) //nolint:gosec // any bits will do
		h.Write(n[:])
	}
	var sum [sha256.Size]byte
	head := "h:"
	if timeless {
		head = hashed
	}
	return head + hex.EncodeToString(h.Sum(sum[:0])[:16])
}
