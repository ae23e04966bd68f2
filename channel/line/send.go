package line

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// What LINE takes.
const (
	maxText    = 5000 // UTF-16 units of a message
	maxParts   = 5    // messages in one call
	maxReplies = 13   // quick replies
	maxLabel   = 20   // characters of a quick reply; counted in UTF-16 units, to be safe
	maxData    = 300  // characters of what a quick reply carries; counted in bytes, to be safe
	loadingFor = "20" // seconds
)

// Send implements [channel.Adapter]. A text over 5,000 UTF-16 units goes out in
// several messages, five to a call; quick replies stand below the last, whose
// id is returned. Where there are more than 13 buttons, or a label is over 20
// characters, the labels follow the text as a numbered list instead.
//
// The first call goes out under the reply token of the event, if there is one
// that is fresh and was not used; where LINE says that the token is of no use,
// nothing was sent, and the same message is pushed. A push carries a retry key
// made of Key, and LINE's answer that it has taken that key before is success.
// A reply whose outcome is unknown is repeated under its token: if LINE then
// refuses the token within its time, the first try had arrived.
//
// In groups a message quotes the one it answers, by what is told in Handle.
func (a *Adapter) Send(ctx context.Context, m *channel.Outgoing) (channel.Sent, error) {
	calls, numbered, err := plan(m)
	if err != nil {
		return channel.Sent{}, err
	}
	out := channel.Sent{Numbered: numbered}
	for i, messages := range calls {
		id, err := a.deliver(ctx, m, i, messages)
		if err != nil {
			if i > 0 {
				err = wire.After(err)
			}
			return channel.Sent{}, err
		}
		out.ID = id
	}
	return out, nil
}

// plan lays out what the calls of a message carry: lists of messages.
func plan(m *channel.Outgoing) (calls [][]byte, numbered bool, err error) {
	if m.Conversation == "" {
		return nil, false, bad("conversation")
	}
	if m.File != nil {
		return nil, false, bad("no_files")
	}
	short, err := fit(m.Buttons)
	if err != nil {
		return nil, false, err
	}
	text, buttons := m.Text, m.Buttons
	if !short {
		text, buttons, numbered = wire.Numbered(text, buttons), nil, true
	}
	var room [maxParts]string // most messages take one
	parts := wire.AppendSplit(room[:0], text, maxText, wire.Units)
	if len(parts) == 0 {
		return nil, false, bad("empty")
	}
	quote := ""
	if m.ReplyTo != "" && group(m.Conversation) {
		_, _, quote = readHandle(m.Handle)
	}
	for len(parts) > 0 {
		n := min(len(parts), maxParts)
		last := buttons
		if n < len(parts) {
			last = nil
		}
		calls = append(calls, messages(parts[:n], quote, last))
		parts, quote = parts[n:], ""
	}
	return calls, numbered, nil
}

// fit reports whether the buttons fit as quick replies.
func fit(buttons []sotto.Button) (bool, error) {
	short := len(buttons) <= maxReplies
	for i := range buttons {
		b := &buttons[i]
		if b.Label == "" || len(b.Payload) > maxData {
			return false, bad("button")
		}
		short = short && wire.Units(b.Label) <= maxLabel
	}
	return short, nil
}

func bad(code string) error { return &channel.SendError{Class: channel.Bad, Code: code} }

// group reports whether a conversation is a group or a room, by the letter that
// its id begins with.
func group(conversation string) bool {
	return strings.HasPrefix(conversation, "C") || strings.HasPrefix(conversation, "R")
}

// readHandle reads the form that [event.handle] writes.
func readHandle(h string) (at int64, token, quote string) {
	ms, rest, _ := strings.Cut(h, " ")
	token, quote, _ = strings.Cut(rest, " ")
	at, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return 0, "", ""
	}
	return at, token, quote
}

// messages lays out a list of messages.
func messages(parts []string, quote string, buttons []sotto.Button) []byte {
	size := 64 + len(quote)
	for _, p := range parts {
		size += 32 + len(p) + len(p)/8
	}
	for i := range buttons {
		size += 96 + 3*len(buttons[i].Label) + len(buttons[i].Payload)
	}
	b := append(make([]byte, 0, size), '[')
	for i, p := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":"text","text":`...)
		b = wire.AppendString(b, p)
		if i == 0 && quote != "" {
			b = append(b, `,"quoteToken":`...)
			b = wire.AppendString(b, quote)
		}
		if i == len(parts)-1 && len(buttons) > 0 {
			b = append(b, `,"quickReply":`...)
			b = replies(b, buttons)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// replies lays out quick replies. One without a payload carries its label.
func replies(b []byte, buttons []sotto.Button) []byte {
	b = append(b, `{"items":[`...)
	for i := range buttons {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":"action","action":{"type":"postback","label":`...)
		b = wire.AppendString(b, buttons[i].Label)
		b = append(b, `,"data":`...)
		b = wire.AppendString(b, cmp.Or(buttons[i].Payload, buttons[i].Label))
		b = append(b, `,"displayText":`...)
		b = wire.AppendString(b, buttons[i].Label)
		b = append(b, `}}`...)
	}
	return append(b, `]}`...)
}

// deliver makes one call of a message, and a second one where the first could
// not have sent anything.
func (a *Adapter) deliver(ctx context.Context, m *channel.Outgoing, part int, messages []byte) (string, error) {
	at, token, _ := readHandle(m.Handle)
	if part > 0 || token == "" || a.tokens == nil {
		return a.pushed(ctx, m, part, messages)
	}
	fresh := a.fresh(at)
	how := a.tokens.take(token, m.Key, fresh)
	switch how {
	case sent:
		return "", nil
	case push:
		return a.pushed(ctx, m, part, messages)
	case reply, retry:
	}
	id, err := a.replied(ctx, token, messages)
	if err == nil {
		a.tokens.settle(token, done)
		return id, nil
	}
	switch {
	case err.Code != invalidToken && err.Class == channel.Unknown:
		return "", err // the token stays open
	case err.Code != invalidToken:
		if how == reply { // else the earlier try is still unknown
			a.tokens.free(token)
		}
		return "", err
	case how == retry && fresh:
		a.tokens.settle(token, done)
		return "", nil
	}
	a.tokens.settle(token, dead)
	return a.pushed(ctx, m, part, messages)
}

// fresh reports whether a reply token can still be good, at being when its
// event happened: 0 where that says nothing.
func (a *Adapter) fresh(at int64) bool {
	return at == 0 || a.now == nil || a.now().Sub(time.UnixMilli(at)) < a.replyWithin
}

// replied sends messages under a reply token. A failure of LINE's own leaves
// open what became of them, as there is no key to repeat the call with.
func (a *Adapter) replied(ctx context.Context, token string, messages []byte) (string, *channel.SendError) {
	b := make([]byte, 0, len(messages)+len(token)+64)
	b = wire.AppendString(append(b, `{"replyToken":`...), token)
	b = append(append(append(b, `,"messages":`...), messages...), '}')
	id, err := a.call(ctx, a.reply, b, "")
	if err != nil && err.Status >= http.StatusInternalServerError {
		err.Class = channel.Unknown
	}
	return id, err
}

// pushed sends messages to a conversation.
func (a *Adapter) pushed(ctx context.Context, m *channel.Outgoing, part int, messages []byte) (string, error) {
	b := make([]byte, 0, len(messages)+len(m.Conversation)+64)
	b = wire.AppendString(append(b, `{"to":`...), m.Conversation)
	b = append(append(append(b, `,"messages":`...), messages...), '}')
	id, err := a.call(ctx, a.push, b, retryKey(m, part))
	if err != nil {
		return "", err
	}
	return id, nil
}

// retryKey is the UUID (version 8, RFC 9562) of one call of a message: the same
// for every attempt at it.
func retryKey(m *channel.Outgoing, part int) string {
	if m.Key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("sotto line " + strconv.Itoa(part) + "\x00" + m.Conversation + "\x00" + m.Key))
	sum[6] = sum[6]&0x0F | 0x80
	sum[8] = sum[8]&0x3F | 0x80
	u := make([]byte, 0, 36)
	for i, end := range [...]int{4, 6, 8, 10, 16} {
		if i > 0 {
			u = append(u, '-')
		}
		u = hex.AppendEncode(u, sum[[...]int{0, 4, 6, 8, 10}[i]:end])
	}
	return string(u)
}

// Typing implements [channel.Typer]: a person sees an animation until the next
// message comes, for twenty seconds at most. Groups have none.
func (a *Adapter) Typing(ctx context.Context, m *channel.Outgoing) error {
	if m.Conversation == "" {
		return bad("conversation")
	}
	if group(m.Conversation) {
		return nil
	}
	b := wire.AppendString([]byte(`{"chatId":`), m.Conversation)
	if _, err := a.call(ctx, a.loading, append(b, `,"loadingSeconds":`+loadingFor+`}`...), ""); err != nil {
		return err
	}
	return nil
}

// answer is what the API answers.
type answer struct {
	id    string // of the last message sent
	cause string // see cause; "" where the status says all
}

// read reads an answer and reports whether it is the API's own.
func (ans *answer) read(body []byte) bool {
	s := wire.NewScanner(body)
	is := s.Object()
	for ok := is; ok && s.Field(); {
		switch string(s.Name()) {
		case "message": // prose; dropped once its cause has a name
			ans.cause = cause(s.Text())
		case "sentMessages":
			for ok := s.Array(); ok && s.Elem(); {
				ans.id = one(&s, "id")
			}
		default:
			s.Skip()
		}
	}
	return s.End() == nil && is
}

const invalidToken = "400.invalid_reply_token" //nolint:gosec // the name of an error

// cause names the reasons that LINE tells apart only in its prose.
func cause(message string) string {
	m := strings.ToLower(message)
	for _, c := range [...]struct{ part, word string }{
		{"invalid reply token", "invalid_reply_token"},
		{"monthly limit", "monthly_limit"},
		{"target limit", "monthly_limit"},
		{"failed to send messages", "failed_to_send"},
	} {
		if strings.Contains(m, c.part) {
			return c.word
		}
	}
	return ""
}

// call makes one call; key is its retry key, "" where it has none.
func (a *Adapter) call(ctx context.Context, to wire.Endpoint, body []byte, key string) (string, *channel.SendError) {
	if a.client == nil {
		return "", &channel.SendError{Class: channel.Auth, Code: "not_configured"}
	}
	ctx, cancel := wire.Bound(ctx, a.timeout)
	defer cancel()
	r := to.Request(ctx, body)
	if key != "" {
		r.Header[retryHeader] = []string{key}
	}
	got, err := wire.Call(a.client, r)
	if err != nil {
		return "", sendError(err)
	}
	var ans answer
	known := ans.read(got.Body)
	switch {
	case got.Status == http.StatusConflict && key != "": // taken before under this key
		return ans.id, nil
	case got.Status/100 != 2:
		return "", sort(got, &ans)
	case !known:
		return "", &channel.SendError{Class: channel.Unknown, Status: got.Status, Code: "answer"}
	}
	return ans.id, nil
}

// sort sorts an error of the API.
func sort(got wire.Answer, ans *answer) *channel.SendError {
	e := wire.StatusError(got)
	if e.Status == http.StatusForbidden {
		e.Class = channel.Auth // the channel may not use this API
	}
	if ans.cause == "" {
		return e
	}
	e.Code += "." + ans.cause
	switch ans.cause {
	case "monthly_limit": // over until the month is, or the plan is another
		e.Class, e.RetryAfter = channel.Window, 0
	case "failed_to_send": // there is no such person, or the account is not in the group
		e.Class = channel.Gone
	}
	return e
}
