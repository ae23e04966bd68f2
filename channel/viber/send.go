package viber

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// What Viber takes.
const (
	maxText   = 7000     // characters of a message; counted in UTF-16 units, to be safe
	maxBody   = 30 << 10 // bytes of a call
	maxLabel  = 250      // characters of a button
	maxWide   = 12       // rows of a keyboard, with a button in each
	maxKeys   = 24       // with two
	maxID     = 512      // bytes of a person's id
	wholeRow  = "6"      // columns
	halfARow  = "3"
	smallText = 64 // units, below which a text is not cut to make a call fit
)

// Send implements [channel.Adapter]. A text over 7,000 characters, or one that
// would make a call over 30 KiB, goes out in several messages; the keyboard
// comes with the last of them, whose id is returned. Once a first message is
// out, the failure of a later one is of class Unknown: the whole must not be
// sent again.
//
// Buttons are a keyboard, whose labels come back as text, so that Numbered is
// set. More than 24 of them, labels over 250 characters or two alike follow the
// text as a numbered list instead.
//
// Viber knows no idempotency key and no quoting, so Key and ReplyTo are not
// used, and takes no files.
func (a *Adapter) Send(ctx context.Context, m *channel.Outgoing) (channel.Sent, error) {
	if m.File != nil {
		return channel.Sent{}, bad("no_files")
	}
	if m.Conversation == "" || len(m.Conversation) > maxID {
		return channel.Sent{}, bad("conversation")
	}
	keys, err := fit(m.Buttons)
	if err != nil {
		return channel.Sent{}, err
	}
	text, buttons := m.Text, m.Buttons
	if !keys {
		text, buttons = wire.Numbered(text, m.Buttons), nil
	}
	calls := a.plan(m.Conversation, text, buttons)
	if len(calls) == 0 {
		return channel.Sent{}, bad("empty")
	}
	sent := channel.Sent{Numbered: len(m.Buttons) > 0}
	for i, body := range calls {
		id, err := a.post(ctx, body)
		if err != nil {
			if i > 0 {
				err = wire.After(err)
			}
			return channel.Sent{}, err
		}
		sent.ID = id
	}
	return sent, nil
}

// plan lays out the calls that a text takes. What one may hold is bounded in
// characters and in bytes, and characters may take one byte or six.
func (a *Adapter) plan(to, text string, buttons []sotto.Button) [][]byte {
	for limit := maxText; ; limit /= 2 {
		var room [1]string
		parts := wire.AppendSplit(room[:0], text, limit, wire.Units)
		calls := make([][]byte, 0, len(parts))
		most := 0
		for i, part := range parts {
			var below []sotto.Button
			if i == len(parts)-1 {
				below = buttons
			}
			calls = append(calls, a.json(to, part, below))
			most = max(most, len(calls[i]))
		}
		if most <= maxBody || limit <= smallText {
			return calls
		}
	}
}

// fit reports whether the buttons fit as a keyboard.
func fit(buttons []sotto.Button) (bool, error) {
	fits := len(buttons) <= maxKeys
	for i := range buttons {
		label := buttons[i].Label
		if label == "" {
			return false, bad("button")
		}
		fits = fits && wire.Units(label) <= maxLabel
		for j := range i {
			fits = fits && buttons[j].Label != label
		}
	}
	return fits, nil
}

func bad(code string) error { return &channel.SendError{Class: channel.Bad, Code: code} }

// json lays a message out. Version 1 of the API shows texts as they are; later
// ones read marks such as * in them.
func (a *Adapter) json(to, text string, buttons []sotto.Button) []byte {
	const frame = 160 // more than all the rest takes
	size := frame + len(a.sender) + len(to) + len(text) + len(text)/8
	for i := range buttons {
		size += 96 + 3*len(buttons[i].Label)
	}
	b := wire.AppendString(append(make([]byte, 0, size), `{"receiver":`...), to)
	b = append(append(b, `,"min_api_version":1,"sender":`...), a.sender...)
	b = wire.AppendString(append(b, `,"type":"text","text":`...), text)
	if len(buttons) > 0 {
		b = append(b, `,"keyboard":{"Type":"keyboard","DefaultHeight":false,"Buttons":[`...)
		columns := wholeRow
		if len(buttons) > maxWide {
			columns = halfARow
		}
		for i := range buttons {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(append(b, `{"Columns":`...), columns...), `,"Rows":1,"ActionType":"reply","ActionBody":`...)
			b = wire.AppendString(b, buttons[i].Label)
			b = append(wire.AppendString(append(b, `,"Text":`...), shown(buttons[i].Label)), '}')
		}
		b = append(b, `]}`...)
	}
	return append(b, '}')
}

// shown is a label as a button shows it, which reads a little HTML.
func shown(label string) string {
	if !strings.Contains(label, "<") && (!strings.Contains(label, "&") || !strings.Contains(label, ";")) {
		return label
	}
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(label)
}

// answer is what the API answers to every method: 200, and whether it went
// well in the body.
type answer struct {
	status  int64
	some    bool
	message string // the token of the message sent
}

func (ans *answer) read(body []byte) bool {
	s := wire.NewScanner(body)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "status":
			c := s.Peek()
			ans.some = c == '-' || c >= '0' && c <= '9'
			ans.status = s.Int()
		case "message_token":
			ans.message = s.ID()
		default: // status_message is prose
			s.Skip()
		}
	}
	return s.End() == nil && ans.some
}

// post sends a message and returns its id.
func (a *Adapter) post(ctx context.Context, body []byte) (string, error) {
	if a.client == nil {
		return "", &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	got, err := a.call(ctx, a.message, body)
	if err != nil {
		return "", err
	}
	var ans answer
	ans.read(got.Body) // call has seen that it is one
	return ans.message, nil
}

// call makes a call and sorts its failure. The error is a *channel.SendError.
func (a *Adapter) call(ctx context.Context, to wire.Endpoint, body []byte) (wire.Answer, error) {
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	got, err := wire.Call(a.client, to.Request(ctx, body))
	if err != nil {
		return got, err //nolint:wrapcheck // a *channel.SendError, complete
	}
	var ans answer
	switch well := ans.read(got.Body); {
	case well && ans.status != 0:
		return got, sortError(got, ans.status)
	case got.Status/100 != 2:
		return got, wire.StatusError(got)
	case !well:
		return got, &channel.SendError{Class: channel.Unknown, Status: got.Status, Code: "answer"}
	}
	return got, nil
}

// sortError sorts a status of the API's (creators.viber.com/docs/bots-api/errors).
func sortError(got wire.Answer, status int64) *channel.SendError {
	e := &channel.SendError{Class: channel.Bad, Status: got.Status, Code: strconv.FormatInt(status, 10), RetryAfter: got.RetryAfter}
	switch status {
	case 12: // too often
		e.Class = channel.Retry
	case 5, // not registered
		6,  // not subscribed
		11: // has no device that takes messages of bots
		e.Class = channel.Gone
	case 2, // the token
		7, 8, 9, 15, // the account is blocked, not known, suspended, not authorised
		10,     // no webhook is set: Viber takes no message
		23, 24: // what the account may spend is spent
		e.Class = channel.Auth
	default:
		if got.Status == http.StatusTooManyRequests || got.Status >= http.StatusInternalServerError {
			e.Class = wire.StatusError(got).Class
		}
	}
	return e
}
