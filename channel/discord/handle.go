package discord

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// tokenLife is how long an interaction's token is good for. A call that
	// begins in its last seconds would come too late.
	tokenLife = 15 * time.Minute
	lastCall  = 5 * time.Second
	// youth is how long Discord may not know an interaction's token yet: it does
	// once it has our deferral, for which it waits three seconds, and an answer
	// can be faster.
	youth = 10 * time.Second
)

// handle is what an interaction is answered under. It travels in the event and
// comes back with the answer, also after a restart.
type handle struct {
	component bool   // deferred without a message that waits to be filled
	shared    bool   // others read along
	app       string // the application's id
	id        string // the interaction's
	token     string
}

// String returns the handle as an event carries it; "" where a part is missing
// or could not stand in a path.
func (h handle) String() string {
	if !number(h.app) || !number(h.id) || !pathSafe(h.token) {
		return ""
	}
	b := make([]byte, 0, 4+len(h.app)+len(h.id)+len(h.token))
	kind, place := byte('c'), byte('d')
	if h.component {
		kind = 'k'
	}
	if h.shared {
		place = 's'
	}
	b = append(b, kind, place, '.')
	b = append(append(b, h.app...), '.')
	b = append(append(b, h.id...), '.')
	return string(append(b, h.token...))
}

func pathSafe(token string) bool {
	const most = 1024
	for i := range len(token) {
		c := token[i]
		if c != '-' && c != '_' && c != '.' && c != '=' && c != '~' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return token != "" && len(token) <= most && token != "." && token != ".."
}

// parseHandle reads what String wrote.
func parseHandle(s string) (h handle, ok bool) {
	parts := strings.SplitN(s, ".", 4)
	if len(parts) != 4 {
		return h, false
	}
	h = handle{
		component: parts[0] == "kd" || parts[0] == "ks", shared: parts[0] == "cs" || parts[0] == "ks",
		app: parts[1], id: parts[2], token: parts[3],
	}
	return h, h.String() == s
}

// good reports whether the token can still be used.
func (h handle) good(now time.Time) bool {
	return now.Sub(made(h.id)) < tokenLife-lastCall
}

// waiting remembers of the last quarter of an hour which interactions show the
// bot as thinking, so that the first answer fills that message and later ones
// are messages of their own. It is a memory, not a record: where it knows
// nothing, as after a restart, Discord is asked.
type waiting struct {
	mu sync.Mutex
	by map[uint64]*interaction
}

type interaction struct {
	conversation string
	since        time.Time // by our clock
	filled       bool
}

// maxWaiting bounds the interactions that are remembered.
const maxWaiting = 1 << 14

// add notes that an interaction shows the bot as thinking.
func (w *waiting) add(id, conversation string, now time.Time) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[uint64]*interaction{}
	}
	if w.by[n] != nil {
		return // delivered twice
	}
	if len(w.by) >= maxWaiting {
		for old := range w.by {
			if now.Sub(made(strconv.FormatUint(old, 10))) > tokenLife {
				delete(w.by, old)
			}
		}
	}
	if len(w.by) < maxWaiting {
		w.by[n] = &interaction{conversation: conversation, since: now}
	}
}

// young reports whether an interaction was deferred a moment ago.
func (w *waiting) young(id string, now time.Time) bool {
	n, _ := strconv.ParseUint(id, 10, 64) // was checked
	w.mu.Lock()
	defer w.mu.Unlock()
	it := w.by[n]
	return it != nil && !it.filled && now.Sub(it.since) < youth
}

// state reports whether an interaction's message was filled, and whether that
// is known.
func (w *waiting) state(id string) (filled, known bool) {
	n, _ := strconv.ParseUint(id, 10, 64) // was checked
	w.mu.Lock()
	defer w.mu.Unlock()
	it := w.by[n]
	return it != nil && it.filled, it != nil
}

// fill notes that the message of an interaction was filled; forget, that it
// may have been.
func (w *waiting) fill(id, conversation string, now time.Time) {
	w.add(id, conversation, now)
	n, _ := strconv.ParseUint(id, 10, 64) // was checked
	w.mu.Lock()
	defer w.mu.Unlock()
	if it := w.by[n]; it != nil {
		it.filled = true
	}
}

func (w *waiting) forget(id string) {
	n, _ := strconv.ParseUint(id, 10, 64) // was checked
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.by, n)
}

// Forget implements [channel.Forgetter].
func (a *Adapter) Forget(conversation string) {
	a.waiting.mu.Lock()
	defer a.waiting.mu.Unlock()
	for id, it := range a.waiting.by {
		if it.conversation == conversation {
			delete(a.waiting.by, id)
		}
	}
}
