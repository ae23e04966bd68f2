package inbox

import (
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// item is one element of messaging or standby while it is read.
type item struct {
	kind              string // the field that says what happened; "" = none that is known
	sender, recipient string
	at                int64
	part              part
}

// part holds what is needed of the field that says what happened. What Meta's
// language analysis (nlp), profiles, order forms and shared posts say is
// passed over, and so is the story that a message answers.
type part struct {
	mid, text, title      string
	payload               string
	quick                 bool // a quick reply was pressed
	echo, deleted, opaque bool
	files                 []channel.Attachment
	watermark, edits      int64
	action                string
	status                string
}

// read reads an item and reports whether it says anything.
func (it *item) read(s *wire.Scanner) (said bool) {
	for ok := s.Object(); ok && s.Field(); {
		said = true
		if !it.field(s) {
			s.Skip()
		}
	}
	return said
}

// field reads a field of an item and reports whether it is one. What happened
// stands in an object under one of the names below; the list holds what the
// webhook reference of the two networks and its older versions know.
func (it *item) field(s *wire.Scanner) bool {
	switch string(s.Name()) {
	case "sender":
		it.sender = readID(s)
	case "recipient":
		it.recipient = readID(s)
	case "timestamp":
		it.at = s.Int()
	case "message", "postback", "message_edit", "reaction", "read", "delivery",
		"optin", "optout", "referral", "account_linking", "fblogin_account_linking",
		"pass_thread_control", "take_thread_control", "request_thread_control", "app_roles",
		"policy_enforcement", "policy-enforcement", "business_integrity",
		"payment", "pre_checkout", "checkout_update", "order", "send_cart", "game_play",
		"messaging_feedback", "response_feedback", "messaging_customer_information", "customer_information",
		"in_thread_lead_form_submit", "messaging_in_thread_lead_form_submit",
		"call", "calls", "call_permission_reply", "call_settings_update",
		"user_action", "phone_number", "message_context":
		it.happened(s)
	default:
		return false
	}
	return true
}

// happened reads what happened. Beside a message or a press others may stand,
// such as the advertisement that led to it; those do not replace it.
func (it *item) happened(s *wire.Scanner) {
	name := string(s.Name()) // here alone it is kept
	beside := (it.kind == "message" || it.kind == "postback") && name != "message" && name != "postback"
	if beside || s.Peek() != '{' {
		s.Skip()
		return
	}
	it.kind = name
	it.part = part{}
	it.part.read(s)
}

// readID reads the id of a sender or recipient. One who uses the check box of
// a web page has only a user_ref.
func readID(s *wire.Scanner) (id string) {
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

func (p *part) read(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "mid":
			p.mid = s.ID()
		case "mids":
			for ok := s.Array(); ok && s.Elem(); {
				if id := s.ID(); p.mid == "" {
					p.mid = id
				}
			}
		case "text":
			p.text = s.Text()
		case "title":
			p.title = s.Text()
		case "payload", "ref":
			if v := s.Text(); v != "" {
				p.payload = v
			}
		case "quick_reply":
			p.readQuick(s)
		case "attachments", "attachment":
			p.readFiles(s)
		case "is_echo":
			p.echo = s.Bool()
		case "is_deleted":
			p.deleted = s.Bool()
		case "is_unsupported":
			p.opaque = s.Bool()
		case "watermark":
			p.watermark = s.Int()
		case "num_edit":
			p.edits = s.Int()
		case "action", "type":
			p.action = s.Text()
		case "notification_messages_status", "status":
			p.status = s.Text()
		default:
			s.Skip()
		}
	}
}

func (p *part) readQuick(s *wire.Scanner) {
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) == "payload" {
			p.payload = s.Text()
			p.quick = true
		} else {
			s.Skip()
		}
	}
}

// readFiles reads attachments: a list, of which some samples show the one
// element only.
func (p *part) readFiles(s *wire.Scanner) {
	p.files = nil
	if s.Peek() == '{' {
		p.readFile(s)
		return
	}
	for ok := s.Array(); ok && s.Elem(); {
		p.readFile(s)
	}
}

func (p *part) readFile(s *wire.Scanner) {
	var a channel.Attachment
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "type":
			if kind := fileKind(s.Text()); a.Kind == "" {
				a.Kind = kind
			}
		case "payload":
			readPayload(s, &a)
		default: // the outer address of a place holds its coordinates
			s.Skip()
		}
	}
	switch a.Kind {
	case "":
		a.Kind = "other"
	case "location": // what is not read cannot leak
		a.ID = ""
	}
	// For some months each, Meta told a sticker as image and as sticker, and a
	// shared post under its old name and its new one.
	if n := len(p.files); n > 0 && (a.ID != "" || a.Kind == "sticker") && p.files[n-1] == a {
		return
	}
	p.files = append(p.files, a)
}

func readPayload(s *wire.Scanner, a *channel.Attachment) {
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "url":
			a.ID = s.Text()
		case "sticker_id":
			if s.ID() != "" {
				a.Kind = "sticker"
			}
		default: // coordinates and the like
			s.Skip()
		}
	}
}

func fileKind(t string) string {
	switch t {
	case "image", "video", "audio", "file", "location", "sticker":
		return t
	case "reel", "ig_reel":
		return "video"
	case "animated_image", "animated_image_share", "gif":
		return "image"
	case "like_heart":
		return "sticker"
	case "":
		return ""
	}
	return "other" // share, ig_post, story_mention, fallback, template, unsupported_type and what comes after them
}
