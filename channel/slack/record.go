package slack

import (
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// record is what is read of any of Slack's objects: an envelope, an event, a
// message inside an event, an interaction. Which of the fields mean something
// is known only once its type is, which may stand last.
type record struct {
	kind, subtype                     string
	user, bot, parent                 string
	channel, channelType, channelName string
	ts, eventTS, thread, messageTS    string
	text                              string
	deleted                           string // the message that a deletion is about
	aboutChannel, aboutTS             string // the message that a reaction or pin is about
	oldChannel, newChannel            string
	files                             []channel.Attachment

	// of an envelope
	team, eventID string
	eventTime     int64
	bots          []string // user ids of the app's bot
	slack         bool     // has a field that only Slack's envelopes have
	foreign       bool     // has a field in a form that Slack does not use
	event         *record
	inner         *record // the payload of Socket Mode

	// of an event about a message
	message, previous *record

	// of an interaction
	triggerID, actionTS, callback, commandName, url string
	ephemeral                                       bool
	actions                                         []action
}

// read reads an object and reports whether it is one.
func (r *record) read(s *wire.Scanner) bool {
	is := s.Object()
	for ok := is; ok && s.Field(); {
		if !r.common(s) && !r.envelope(s) && !r.interactive(s) {
			s.Skip()
		}
	}
	return is
}

// common reads the fields of an event or message, and reports whether this is one.
func (r *record) common(s *wire.Scanner) bool {
	switch string(s.Name()) {
	case "type":
		r.kind = s.Text()
	case "subtype":
		r.subtype = s.Text()
	case "user", "user_id":
		r.user = or(ident(s), r.user)
	case "bot_id":
		r.bot = s.ID()
	case "parent_user_id":
		r.parent = s.ID()
	case "channel":
		r.place(s)
	case "channel_id":
		r.channel = or(s.ID(), r.channel)
	case "channel_type":
		r.channelType = s.Text()
	case "channel_name":
		r.channelName = s.Text()
	case "ts":
		r.ts = s.ID()
	case "event_ts":
		r.eventTS = s.ID()
	case "thread_ts":
		r.thread = s.ID()
	case "message_ts":
		r.messageTS = or(s.ID(), r.messageTS)
	case "deleted_ts":
		r.deleted = s.ID()
	case "text":
		r.text = read(s.Text())
	case "files":
		for ok := s.Array(); ok && s.Elem(); {
			r.file(s)
		}
	case "file":
		r.file(s)
	case "attachments":
		r.shared(s)
	case "item":
		r.item(s)
	case "old_channel_id":
		r.oldChannel = s.ID()
	case "new_channel_id":
		r.newChannel = s.ID()
	case "assistant_thread":
		r.assistant(s)
	case "message", "original_message":
		r.message = sub(s, r.message)
	case "previous_message":
		r.previous = sub(s, r.previous)
	default:
		return false
	}
	return true
}

// envelope reads the fields of an envelope, and reports whether this is one.
func (r *record) envelope(s *wire.Scanner) bool {
	switch string(s.Name()) {
	case "event":
		r.foreign = s.Peek() == '"' // another network names its event in words
		r.event = sub(s, r.event)
	case "payload":
		r.inner = sub(s, r.inner)
	case "team_id":
		r.team = or(s.ID(), r.team)
	case "team":
		r.team = or(r.team, ident(s))
	case "event_id":
		r.eventID = s.ID()
	case "event_time":
		r.eventTime = s.Int()
	case "api_app_id", "event_context", "authed_users", "connection_info", "envelope_id":
		r.slack = true
		s.Skip()
	case "authorizations":
		r.slack = true
		for ok := s.Array(); ok && s.Elem(); {
			r.authorization(s)
		}
	default:
		return false
	}
	return true
}

// interactive reads the fields of an interaction, and reports whether this is one.
func (r *record) interactive(s *wire.Scanner) bool {
	switch string(s.Name()) {
	case "trigger_id":
		r.triggerID = s.ID()
	case "action_ts":
		r.actionTS = s.ID()
	case "callback_id":
		r.callback = s.ID()
	case "command":
		r.commandName = s.ID()
	case "response_url":
		r.slack = true
		r.url = s.Text()
	case "container":
		r.container(s)
	case "actions":
		r.actions = r.actions[:0]
		for ok := s.Array(); ok && s.Elem(); {
			var a action
			if a.read(s); len(r.actions) < maxParts {
				r.actions = append(r.actions, a)
			}
		}
	default:
		return false
	}
	return true
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// ident reads an id, which stands alone or in an object.
func ident(s *wire.Scanner) (id string) {
	if s.Peek() != '{' {
		return s.ID()
	}
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) == "id" {
			id = s.ID()
		} else {
			s.Skip()
		}
	}
	return id
}

// sub reads an object inside another; any other value leaves what there was.
func sub(s *wire.Scanner, old *record) *record {
	if s.Peek() != '{' {
		s.Skip()
		return old
	}
	r := new(record)
	r.read(s)
	return r
}

// place reads a channel: an id, or an object with one.
func (r *record) place(s *wire.Scanner) {
	if s.Peek() != '{' {
		r.channel = or(s.ID(), r.channel)
		return
	}
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			r.channel = or(s.ID(), r.channel)
		case "name":
			r.channelName = s.Text()
		default:
			s.Skip()
		}
	}
}

// item reads what a reaction, pin or star is about.
func (r *record) item(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "channel":
			r.aboutChannel = ident(s)
		case "ts":
			r.aboutTS = s.ID()
		case "message":
			if m := sub(s, nil); m != nil {
				r.aboutTS = or(r.aboutTS, m.ts)
			}
		default:
			s.Skip()
		}
	}
}

// assistant reads the thread that a person opened beside a channel.
func (r *record) assistant(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "user_id":
			r.user = or(r.user, s.ID())
		case "channel_id":
			r.channel = or(r.channel, s.ID())
		case "thread_ts":
			r.thread = or(r.thread, s.ID())
		default:
			s.Skip()
		}
	}
}

// authorization reads for which of its users an app is told of an event.
func (r *record) authorization(s *wire.Scanner) {
	user, bot := "", false
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "user_id":
			user = s.ID()
		case "is_bot":
			bot = s.Bool()
		default:
			s.Skip()
		}
	}
	if bot && user != "" {
		r.bots = append(r.bots, user)
	}
}

// container reads where a pressed element stands.
func (r *record) container(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "message_ts":
			r.messageTS = or(r.messageTS, s.ID())
		case "channel_id":
			r.channel = or(r.channel, s.ID())
		case "thread_ts":
			r.thread = or(r.thread, s.ID())
		case "is_ephemeral":
			r.ephemeral = s.Bool()
		default:
			s.Skip()
		}
	}
}

// file reads a file. What is not stored at Slack, or not shown to the app in
// full, is known by its id or address, for Fetch to find out or refuse.
func (r *record) file(s *wire.Scanner) {
	var a channel.Attachment
	var id, view, download, kind string
	is := s.Object()
	for ok := is; ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			id = s.ID()
		case "name":
			a.Name = s.Text()
		case "mimetype":
			a.MIME = s.Text()
		case "subtype":
			kind = s.Text()
		case "url_private":
			view = s.Text()
		case "url_private_download":
			download = s.Text()
		default:
			s.Skip()
		}
	}
	if !is {
		return
	}
	a.ID = or(download, or(view, id))
	a.Kind = "file"
	switch sort, _, _ := strings.Cut(a.MIME, "/"); sort {
	case "image", "video", "audio":
		a.Kind = sort
	}
	switch kind {
	case "slack_audio":
		a.Kind = "audio"
	case "slack_video":
		a.Kind = "video"
	}
	r.attach(a)
}

// maxParts bounds what is kept of the files or actions of one body. Slack sends
// ten files at most, and nearly always one action.
const maxParts = 100

func (r *record) attach(a channel.Attachment) {
	if len(r.files) < maxParts {
		r.files = append(r.files, a)
	}
}

// shared notes messages that were passed on. Previews of links stand in the
// same place, and are nothing that the person sent.
func (r *record) shared(s *wire.Scanner) {
	for ok := s.Array(); ok && s.Elem(); {
		share := false
		for ok := s.Object(); ok && s.Field(); {
			if string(s.Name()) == "is_share" {
				share = s.Bool()
			} else {
				s.Skip()
			}
		}
		if share {
			r.attach(channel.Attachment{Kind: "other"})
		}
	}
}
