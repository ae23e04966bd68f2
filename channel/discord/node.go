package discord

import (
	"bytes"
	"strings"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// node is an object of Discord's while it is read. Interactions, webhook events,
// what a gateway says and messages share most of their fields, and which of them
// a body is may stand at its end, so all are read alike. What is in none of
// these fields is checked and passed over.
type node struct {
	id, app, kind  string // kind: a number, or the name of an event
	token          string
	guild, channel string
	lobby          string
	message        string // message_id: what a reaction is to
	place          int64  // context, -1 where there is none
	room           int64  // type of the channel, -1 where there is none
	user           user   // who used a command in a direct message, or installed the app
	member         user   // who used a command in a server
	author         user   // who wrote a message
	userID         string
	locale         string
	stamp, edited  string
	install        string // integration_type
	webhook        bool   // written by a webhook
	unavailable    bool
	inGuild        bool // there is a guild, or a member of one

	name, custom string // of a command; of a component or modal
	target       string
	options      []option
	values       []string
	inputs       []string // what was filled into a modal
	content      string
	mentioned    bool // a bot is mentioned or replied to
	ids          []string
	files        []channel.Attachment
	resolved     []resolved
	hasContent   bool

	op, t    string
	data     *node // of an interaction, or of a webhook event
	event    *node
	dispatch *node // what a gateway says: d
}

// user is a person or bot.
type user struct {
	id  string
	bot bool
}

// resolved is a message that a command was used on.
type resolved struct {
	id, text string
	files    []channel.Attachment
}

// option is what a person filled into a command, or the name of a part of it.
type option struct {
	name, kind string
	value      string
	some       bool // there is a value
	parts      []option
}

// maxParts bounds lists of which the network sends a few: options, inputs,
// selected values, files. The rest is passed over.
const maxParts = 128

func (n *node) read(s *wire.Scanner) bool {
	n.place, n.room = -1, -1
	is := s.Object()
	for ok := is; ok && s.Field(); {
		if name := s.Name(); !n.frame(s, name) && !n.payload(s, name) && !n.said(s, name) {
			s.Skip()
		}
	}
	return is
}

// frame reads what says where something happened and who did it.
func (n *node) frame(s *wire.Scanner, name []byte) bool {
	switch string(name) {
	case "id":
		n.id = s.ID()
	case "application_id":
		n.app = s.ID()
	case "type":
		n.kind = s.ID()
	case "token":
		n.token = s.Text()
	case "guild_id":
		n.guild = s.ID()
		n.inGuild = n.inGuild || n.guild != ""
	case "guild":
		n.inGuild = s.Peek() == '{' || n.inGuild
		s.Skip()
	case "channel_id":
		n.channel = s.ID()
	case "channel":
		n.readRoom(s)
	case "context":
		n.place = -1
		if c := s.Peek(); c >= '0' && c <= '9' {
			n.place = s.Int()
		} else {
			s.Skip()
		}
	case "user":
		n.user.read(s)
	case "member":
		n.inGuild = s.Peek() == '{' || n.inGuild
		for ok := s.Object(); ok && s.Field(); {
			if string(s.Name()) == "user" {
				n.member.read(s)
			} else {
				s.Skip()
			}
		}
	case "locale":
		n.locale = tag(s.Text())
	case "data":
		n.data = child(s)
	case "event":
		n.event = child(s)
	case "op":
		n.op = s.ID()
	case "t":
		n.t = s.Text()
	case "d":
		n.dispatch = child(s)
	default:
		return false
	}
	return true
}

// child reads an object; nil for any other value.
func child(s *wire.Scanner) *node {
	if s.Peek() != '{' {
		s.Skip()
		return nil
	}
	n := new(node)
	n.read(s)
	return n
}

// payload reads what was used: a command, a component or a modal.
func (n *node) payload(s *wire.Scanner, name []byte) bool {
	switch string(name) {
	case "name":
		n.name = s.Text()
	case "custom_id":
		n.custom = s.Text()
	case "target_id":
		n.target = s.ID()
	case "options":
		n.options = readOptions(s)
	case "values":
		n.values = readIDs(s)
	case "components":
		n.inputs = nil
		readInputs(s, &n.inputs)
	case "resolved":
		n.readResolved(s)
	case "integration_type":
		n.install = s.ID()
	default:
		return false
	}
	return true
}

// said reads what a message says.
func (n *node) said(s *wire.Scanner, name []byte) bool {
	switch string(name) {
	case "author":
		n.author.read(s)
	case "content":
		n.hasContent = s.Peek() == '"'
		n.content = s.Text()
	case "timestamp":
		n.stamp = s.Text()
	case "edited_timestamp":
		n.edited = s.Text()
	case "attachments":
		n.files = append(n.files, readFiles(s)...)
	case "sticker_items":
		for ok := s.Array(); ok && s.Elem(); {
			s.Skip()
			n.files = attach(n.files, channel.Attachment{Kind: "sticker"})
		}
	case "mentions":
		for ok := s.Array(); ok && s.Elem(); {
			var u user
			u.read(s)
			n.mentioned = n.mentioned || u.bot
		}
	case "referenced_message":
		var of node
		of.read(s)
		n.mentioned = n.mentioned || of.author.bot
	case "webhook_id":
		n.webhook = s.ID() != ""
	case "user_id":
		n.userID = s.ID()
	case "message_id":
		n.message = s.ID()
	case "lobby_id":
		n.lobby = s.ID()
	case "ids":
		n.ids = readIDs(s)
	case "unavailable":
		n.unavailable = s.Bool()
	default:
		return false
	}
	return true
}

func (n *node) readRoom(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			if id := s.ID(); n.channel == "" {
				n.channel = id
			}
		case "type":
			n.room = s.Int()
		default:
			s.Skip()
		}
	}
}

func (u *user) read(s *wire.Scanner) {
	*u = user{}
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "id":
			u.id = s.ID()
		case "bot":
			u.bot = s.Bool()
		default:
			s.Skip()
		}
	}
}

func readIDs(s *wire.Scanner) []string {
	var out []string
	for ok := s.Array(); ok && s.Elem(); {
		if id := s.ID(); id != "" && len(out) < maxParts {
			out = append(out, id)
		}
	}
	return out
}

func readOptions(s *wire.Scanner) []option {
	var out []option
	for ok := s.Array(); ok && s.Elem(); {
		var o option
		for ok := s.Object(); ok && s.Field(); {
			switch string(s.Name()) {
			case "name":
				o.name = s.Text()
			case "type":
				o.kind = s.ID()
			case "value":
				o.value, o.some = scalar(s)
			case "options":
				o.parts = readOptions(s)
			default:
				s.Skip()
			}
		}
		if len(out) < maxParts {
			out = append(out, o)
		}
	}
	return out
}

// scalar reads a text as it reads, and a number or truth value as it is written.
func scalar(s *wire.Scanner) (string, bool) {
	switch s.Peek() {
	case '"':
		return s.Text(), true
	case '{', '[', 'n', 0:
		s.Skip()
		return "", false
	}
	return string(s.Raw()), true
}

// readInputs reads what was filled into a modal, whose fields stand in rows or
// below labels, or the components of a message, in which nothing is filled.
func readInputs(s *wire.Scanner, out *[]string) {
	for ok := s.Array(); ok && s.Elem(); {
		readInput(s, out)
	}
}

func readInput(s *wire.Scanner, out *[]string) {
	var (
		text   string
		some   bool
		values []string
		kind   string
	)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "type":
			kind = s.ID()
		case "value":
			text, some = scalar(s)
		case "values":
			values = readIDs(s)
		case "component":
			readInput(s, out)
		case "components":
			readInputs(s, out)
		default:
			s.Skip()
		}
	}
	const upload = "19" // its values are ids of files
	switch {
	case len(*out) >= maxParts:
	case some && text != "":
		*out = append(*out, text)
	case len(values) > 0 && kind != upload:
		*out = append(*out, strings.Join(values, ", "))
	}
}

// readResolved reads the messages and files that a command speaks of. Users,
// roles and channels are named by their ids in the command itself; what else
// Discord tells of them is not read.
func (n *node) readResolved(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "messages":
			for ok := s.Object(); ok && s.Field(); {
				id := string(s.Name())
				var m node
				if m.read(s); len(n.resolved) < maxParts {
					n.resolved = append(n.resolved, resolved{id: id, text: m.content, files: m.files})
				}
			}
		case "attachments":
			for ok := s.Object(); ok && s.Field(); {
				n.files = attach(n.files, readFile(s))
			}
		default:
			s.Skip()
		}
	}
}

func readFiles(s *wire.Scanner) []channel.Attachment {
	var out []channel.Attachment
	for ok := s.Array(); ok && s.Elem(); {
		out = attach(out, readFile(s))
	}
	return out
}

func attach(files []channel.Attachment, f channel.Attachment) []channel.Attachment {
	if len(files) >= maxParts {
		return files
	}
	return append(files, f)
}

func readFile(s *wire.Scanner) channel.Attachment {
	f := channel.Attachment{Kind: "file"}
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "url":
			f.ID = s.Text()
		case "filename":
			f.Name = s.Text()
		case "content_type":
			f.MIME = s.Text()
		default:
			s.Skip()
		}
	}
	switch kind, _, _ := strings.Cut(f.MIME, "/"); kind {
	case "image", "video", "audio":
		f.Kind = kind
	}
	return f
}

// tag returns s if it can be a BCP 47 tag.
func tag(s string) string {
	if len(s) < 2 || len(s) > 35 {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return ""
		}
	}
	return s
}

// number reports whether s is an id of Discord's: digits that fit 64 bits.
func number(s string) bool {
	const digits = "0123456789"
	return s != "" && len(s) <= 20 && len(bytes.Trim([]byte(s), digits)) == 0
}
