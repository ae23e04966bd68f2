package outbox

import (
	"math"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// moment is a time since a century before the outbox was opened, so that it is
// more than 0 also after the clock went back. It comes from the monotonic clock
// where the times that are handed in have one.
type moment = time.Duration

const century = 100 * 365 * 24 * time.Hour

const never = moment(math.MaxInt64)

// window remembers the calls of the last Per of one rate and lets at most Most
// begin in any span of Per, wherever the span begins: a burst of Most may go
// out at once, and the next call after it Per after the burst's first.
//
// A bucket that is refilled all the time would let 2·Most-1 through in one Per
// after a rest, which networks refuse. What went out is remembered to the
// thousandth part of Per, rounded to the strict side, so that a window stays
// small however large Most is. It is forgotten with the process.
type window struct {
	spans []span // oldest first
	n     int    // calls in them
}

// span is calls that began close to each other.
type span struct {
	first, last moment
	n           int
}

// grain is how many spans a window has at most.
const grain = 1024

// look drops what is out of sight. A clock that went back takes what went out
// with it: nothing waits for longer than Per.
func (w *window) look(now moment, per time.Duration) {
	gone := 0
	for gone < len(w.spans) && w.spans[gone].last <= now-per {
		w.n -= w.spans[gone].n
		gone++
	}
	if gone == len(w.spans) {
		w.spans = w.spans[:0]
		return
	}
	w.spans = w.spans[gone:]
	for i := len(w.spans) - 1; i >= 0 && w.spans[i].last > now; i-- {
		w.spans[i].last = now
		w.spans[i].first = min(w.spans[i].first, now)
	}
}

// room returns how many calls may begin now. reserved are those that are
// allowed and have not begun.
func (w *window) room(now moment, r channel.Rate, reserved int) int {
	if r.Most <= 0 {
		return math.MaxInt
	}
	w.look(now, r.Per)
	return r.Most - w.n - reserved
}

// free returns when a call may begin, at the earliest now.
func (w *window) free(now moment, r channel.Rate) moment {
	if r.Most <= 0 {
		return now
	}
	w.look(now, r.Per)
	left := w.n
	for _, s := range w.spans {
		if left < r.Most {
			break
		}
		left -= s.n
		if left < r.Most {
			return s.last + r.Per
		}
	}
	return now
}

// add counts a call that begins now.
func (w *window) add(now moment, r channel.Rate) {
	if r.Most <= 0 {
		return
	}
	w.look(now, r.Per)
	w.n++
	if k := len(w.spans) - 1; k >= 0 && now-w.spans[k].first < r.Per/grain {
		w.spans[k].last = now
		w.spans[k].n++
		return
	}
	w.spans = append(w.spans, span{now, now, 1})
}

// windows are those of the conversations of an account that were written to in
// the last Per, or at most twice that.
type windows struct {
	rate     channel.Rate
	now, old map[sotto.ConversationID]*window
	turned   moment
}

// of returns the window of a conversation; nil: nothing went there lately.
func (ws *windows) of(c sotto.ConversationID, now moment) *window {
	if ws.rate.Most <= 0 {
		return nil
	}
	ws.turn(now)
	if w := ws.now[c]; w != nil {
		return w
	}
	return ws.old[c]
}

// free returns when a conversation may be written to, at the earliest now.
func (ws *windows) free(c sotto.ConversationID, now moment) moment {
	if w := ws.of(c, now); w != nil {
		return w.free(now, ws.rate)
	}
	return now
}

// add counts a call that begins now.
func (ws *windows) add(c sotto.ConversationID, now moment) {
	if ws.rate.Most <= 0 {
		return
	}
	w := ws.of(c, now)
	if w == nil {
		w = new(window)
	}
	w.add(now, ws.rate)
	ws.now[c] = w
}

// turn drops what nobody wrote to for a whole Per.
func (ws *windows) turn(now moment) {
	switch age := now - ws.turned; {
	case ws.now == nil, age >= 2*ws.rate.Per:
		ws.now, ws.old, ws.turned = make(map[sotto.ConversationID]*window), nil, now
	case age >= ws.rate.Per:
		ws.now, ws.old, ws.turned = make(map[sotto.ConversationID]*window), ws.now, now
	case age < 0:
		ws.turned = now
	}
}
