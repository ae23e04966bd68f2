package webchat

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// The bounds of what comes in and goes out.
const (
	maxText    = 4000     // characters of a message
	maxPayload = 64       // bytes, as sotto.Button promises
	maxLabel   = 200      // bytes of a button's label, echoed to the visitor's other pages
	maxBody    = 32 << 10 // bytes of a posted message
	maxSend    = 64 << 10 // bytes of a reply
	maxFile    = 8 << 20  // bytes of a file
)

// said is what the page posts.
type said struct {
	ID      string `json:"id"`
	Text    string `json:"text"`
	Payload string `json:"payload"`
	Label   string `json:"label"` // of the pressed button; for the visitor's other pages only

	Embedded bool `json:"embedded"` // the page stands in another site: its cookie is a partitioned one
}

// body is the form that Decode reads: what the page posts, and what the server
// otherwise knows from the cookie, the header and the clock.
type body struct {
	said
	Visitor  string    `json:"visitor"`
	Time     time.Time `json:"time"`
	Language string    `json:"language"`
}

var errBody = errors.New("not a web chat message")

// Decode reads one message in the form
//
//	{"visitor": "…32 hexadecimal digits…", "id": "…", "text": "…", "time": "2026-01-02T15:04:05Z", "language": "de"}
//
// with "payload" instead of "text" for a pressed button. The time and the
// language may be left out.
func (*Adapter) Decode(b []byte) (channel.Batch, error) {
	var m body
	if err := decodeOne(bytes.NewReader(b), &m); err != nil {
		return channel.Batch{}, sotto.E("webchat.decode", sotto.KindInvalid, errBody)
	}
	v, err := parseVisitor(m.Visitor)
	if err != nil || !m.valid() {
		return channel.Batch{}, sotto.E("webchat.decode", sotto.KindInvalid, errBody)
	}
	return channel.Batch{Events: []channel.Event{m.event(v, m.Time, language(m.Language))}}, nil
}

// decodeOne reads exactly one JSON value.
func decodeOne(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errBody
		}
		return err
	}
	return nil
}

// valid reports whether s says one thing, within bounds, under a usable id. It
// trims the text.
func (s *said) valid() bool {
	s.Text = strings.TrimSpace(s.Text)
	if !isToken(s.ID, 8, 64) || len(s.Payload) > maxPayload || len(s.Label) > maxLabel {
		return false
	}
	if (s.Text == "") == (s.Payload == "") {
		return false
	}
	return len(s.Text) <= maxText || utf8.RuneCountInString(s.Text) <= maxText
}

// event is what s says, said by v. The delivery key holds the visitor, so that
// nobody can use up another visitor's ids.
func (s *said) event(v visitor, at time.Time, lang string) channel.Event {
	who := v.String()
	e := channel.Event{
		Kind: sotto.EventMessage, ID: s.ID, Delivery: who + "/" + s.ID,
		Sender: who, Conversation: who, Text: s.Text, Time: at, Language: lang,
	}
	if s.Payload != "" {
		e.Kind, e.Payload = sotto.EventButton, s.Payload
	}
	return e
}

// isToken reports whether s is shortest to longest letters, digits, - and _.
func isToken(s string, shortest, longest int) bool {
	if len(s) < shortest || len(s) > longest {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// language returns s where it looks like a BCP 47 tag, and "" elsewhere.
func language(s string) string {
	if !isToken(s, 2, 35) || strings.Contains(s, "_") || (s[0] >= '0' && s[0] <= '9') {
		return ""
	}
	return s
}

// preferred returns the first language of an Accept-Language header. Browsers
// list languages in the order of preference.
func preferred(header string) string {
	first, _, _ := strings.Cut(header, ",")
	first, _, _ = strings.Cut(first, ";")
	return language(strings.TrimSpace(first))
}
