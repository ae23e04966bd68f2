package discord

import (
	"net/http"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

// Handshake implements [channel.Handshaker]: Discord asks by PING whether an
// address answers, in one form for interactions and in another for webhook
// events, and sends calls with a wrong signature to see that they are refused.
// Every call comes by POST, so Verify has seen it.
func (*Adapter) Handshake(r *channel.Request) (resp *channel.Response, answered bool, err error) {
	if r.Method != http.MethodPost {
		return nil, false, nil
	}
	switch question(r.Body) {
	case "0":
		return done(), true, nil
	case typePing:
		return respond(`{"type":1}`), true, nil
	}
	return nil, false, nil
}

// question returns the type of a call that asks and carries nothing. One that
// carries something is none, which is seen early.
func question(body []byte) (kind string) {
	s := wire.NewScanner(body)
	for ok := s.Object(); ok && s.Field(); {
		switch string(s.Name()) {
		case "type":
			kind = s.ID()
		case "event", "data", "d", "op", "t", "message", "content", "author":
			if s.Peek() != 'n' {
				return ""
			}
			s.Skip()
		default:
			s.Skip()
		}
	}
	if s.End() != nil {
		return ""
	}
	return kind
}

// Answer implements [channel.Answerer]. It defers: the answer proper comes from
// Send. A command shows the bot as thinking, to one person or to all as the
// answer will be shown; a pressed button stops spinning; a half-typed word is
// given no suggestions, since it is passed to no bot.
func (a *Adapter) Answer(r *channel.Request, b channel.Batch) *channel.Response {
	if len(b.Events) != 1 {
		return done()
	}
	e := &b.Events[0]
	h, ok := parseHandle(e.Handle)
	switch {
	case !ok && isAutocomplete(r.Body):
		return respond(`{"type":8,"data":{"choices":[]}}`)
	case !ok:
		return done()
	case h.component:
		return respond(`{"type":6}`)
	}
	a.waiting.add(h.id, e.Conversation, a.now())
	if a.hidden(h) {
		return respond(`{"type":5,"data":{"flags":64}}`)
	}
	return respond(`{"type":5}`)
}

// hidden reports whether only the person who asked may see an answer.
func (a *Adapter) hidden(h handle) bool { return h.shared && !a.public }

func isAutocomplete(body []byte) bool {
	s := wire.NewScanner(body)
	kind := ""
	for ok := s.Object(); ok && s.Field(); {
		if string(s.Name()) == "type" {
			kind = s.ID()
		} else {
			s.Skip()
		}
	}
	return kind == typeAutocomplete
}

func respond(body string) *channel.Response {
	return &channel.Response{Status: http.StatusOK, ContentType: "application/json", Body: []byte(body)}
}

// done acknowledges without a word. Discord wants a content type even so.
func done() *channel.Response {
	return &channel.Response{Status: http.StatusNoContent, ContentType: "application/json"}
}
