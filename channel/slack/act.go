package slack

import (
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// action is one element that a person used.
type action struct {
	kind, id string
	value    string // what a button carries, or an input holds
	chosen   string // what was selected, several with commas between
	label    string
	ts       string
}

func (a *action) read(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "type":
			a.kind = s.Text()
		case "action_id", "name":
			a.id = or(a.id, s.ID())
		case "action_ts":
			a.ts = s.ID()
		case "value":
			a.value = s.Text()
		case "text":
			a.label = or(label(s), a.label)
		case "selected_option":
			a.option(s)
		case "selected_options":
			for ok := s.Array(); ok && s.Elem(); {
				a.option(s)
			}
		case "selected_user", "selected_conversation", "selected_channel", "selected_date", "selected_time", "selected_date_time":
			a.choose(s.ID())
		case "selected_users", "selected_conversations", "selected_channels":
			for ok := s.Array(); ok && s.Elem(); {
				a.choose(s.ID())
			}
		default:
			s.Skip()
		}
	}
}

// choose adds a choice to those there are.
func (a *action) choose(s string) { a.chosen = join(a.chosen, ",", s) }

// join adds a part to a list in words, as long as that is of a sensible length.
func join(list, sep, part string) string {
	const most = 8 << 10
	if list == "" || part == "" {
		return or(list, part)
	}
	if len(list) > most {
		return list
	}
	return list + sep + part
}

func (a *action) option(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "value":
			a.choose(s.Text())
		case "text":
			a.label = join(a.label, ", ", label(s))
		default:
			s.Skip()
		}
	}
}

// label reads what stands on an element. Slack escapes it as it does messages;
// the value that goes with it comes back as it was sent.
func label(s *wire.Scanner) (text string) {
	if s.Peek() != '{' {
		return read(s.Text())
	}
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) == "text" {
			text = read(s.Text())
		} else {
			s.Skip()
		}
	}
	return text
}

// typed reports whether the element is one that a person writes into.
func (a *action) typed() bool {
	return strings.HasSuffix(a.kind, "_input")
}

// interaction makes the events of an interaction. What happens in a view of the
// app's own, and not below a message, is answered in a direct message.
func (d *decoder) interaction(r *record) channel.Batch {
	m := r.message
	if m == nil {
		m = new(record)
	}
	e := channel.Event{
		Kind: sotto.EventOther, Account: r.team, Sender: r.user, Conversation: or(r.channel, r.user),
		ID: or(r.messageTS, m.ts), Time: when(r.actionTS),
	}
	if r.triggerID != "" {
		e.Delivery = "t/" + r.triggerID
	}
	thread := or(r.thread, m.thread)
	switch {
	case r.ephemeral || r.kind == "message_action" || r.kind == "shortcut":
		e.Handle = private(r.user, r.url)
	case isGroup(e.Conversation, "", r.channelName):
		e.Group, e.Addressed = true, true
		e.Handle = or(first(thread), first(e.ID))
	default:
		e.Handle = first(thread)
	}
	switch r.kind {
	case "shortcut", "message_action":
		if r.callback != "" {
			e.Kind, e.Payload = sotto.EventButton, r.callback
		}
	case "block_actions", "interactive_message":
		return d.pressed(r, e)
	}
	return d.one(e)
}

// first returns s if it can name the first message of a thread.
func first(s string) string {
	if isTS(s) {
		return s
	}
	return ""
}

// pressed makes an event of each element that was used.
func (d *decoder) pressed(r *record, e channel.Event) channel.Batch {
	if len(r.actions) == 0 {
		return d.one(e)
	}
	e.Kind, e.Delivery = sotto.EventButton, or(e.Delivery, d.key())
	events := make([]channel.Event, 0, len(r.actions))
	for i := range r.actions {
		a := &r.actions[i]
		one := e
		one.Payload, one.Text = or(a.value, a.chosen), a.label
		switch {
		case a.typed():
			one.Kind, one.Payload, one.Text = sotto.EventMessage, "", a.value
		case one.Payload == "":
			one.Payload = or(a.label, a.id) // an element without a value
		}
		if t := when(a.ts); !t.IsZero() {
			one.Time = t
		}
		if i > 0 {
			one.Delivery += "/" + strconv.Itoa(i)
		}
		events = append(events, one)
	}
	return channel.Batch{Events: events}
}

// command makes the event of a form that is none of an interaction: a slash
// command, or a line that an outgoing webhook of the old kind passes on.
func (me self) command(f *form, body []byte) (channel.Batch, error) {
	d := decoder{self: me, body: body}
	e := channel.Event{Kind: sotto.EventMessage, Account: f.team, Sender: f.user, Conversation: or(f.channel, f.user)}
	switch {
	case strings.HasPrefix(f.command, "/") && f.user != "":
		name := f.command
		if me.prefix != "" {
			if rest, ok := strings.CutPrefix(name, "/"+me.prefix); ok && rest != "" {
				name = "/" + rest
			}
		}
		e.Text = name
		if text := strings.TrimSpace(read(f.text)); text != "" {
			e.Text += " " + text
		}
		// Nobody else sees a command, nor what it is answered.
		e.Addressed, e.Handle = true, private(f.user, f.url)
		if f.trigger != "" {
			e.Delivery = "t/" + f.trigger
		}
	case f.webhook && f.user != "" && f.channel != "":
		e.ID, e.Text, e.Time = f.stamp, read(f.text), when(f.stamp)
		e.Group, e.Addressed, e.Handle = true, true, first(f.stamp)
		e.Delivery = messageKey(new(record), &e)
		if f.user == "USLACKBOT" {
			e.Kind = sotto.EventEcho
		}
	case f.check:
		return channel.Batch{}, nil
	case f.slack:
		return channel.Batch{Unknown: 1}, nil
	default:
		return channel.Batch{}, invalid(errNotSlack)
	}
	return d.one(e), nil
}
