package line

import "sync"

// maxTokens bounds how many reply tokens are remembered: those of about a
// minute, after which LINE refuses them anyway.
const maxTokens = 8192

// tokens remembers which message a reply token was used for, so that the next
// message of the same event is pushed at once, and a message whose reply had an
// unknown outcome is neither lost nor shown twice. It holds no text and no id of
// a person. It ends with the process: what was under way when that stopped is
// not known any more.
type tokens struct {
	mu    sync.Mutex
	by    map[string]use
	order [maxTokens]string
	next  int
}

// use is what became of a token.
type use struct {
	key   string // of the message; see [channel.Outgoing.Key]
	state state
}

type state uint8

const (
	open state = iota // under way, or of unknown outcome
	done              // taken by LINE
	dead              // refused by LINE
)

// advice says how a message goes out.
type advice uint8

const (
	push  advice = iota // the token is of no use
	reply               // under the token
	retry               // once more under the token: whether it arrived before is not known
	sent                // it has gone out under this token
)

func newTokens() *tokens { return &tokens{by: make(map[string]use)} }

// take says how the message with this key goes out, and keeps the token for it.
func (t *tokens) take(token, key string, fresh bool) advice {
	t.mu.Lock()
	defer t.mu.Unlock()
	u, known := t.by[token]
	switch {
	case known && key != "" && u.key == key && u.state == open:
		return retry
	case known && key != "" && u.key == key && u.state == done:
		return sent
	case known || !fresh:
		return push
	}
	if old := t.order[t.next]; old != "" {
		delete(t.by, old)
	}
	t.order[t.next] = token
	t.next = (t.next + 1) % maxTokens
	t.by[token] = use{key: key}
	return reply
}

// settle says what became of a token.
func (t *tokens) settle(token string, s state) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u, ok := t.by[token]; ok {
		u.state = s
		t.by[token] = u
	}
}

// free gives a token back: certainly nothing was sent under it.
func (t *tokens) free(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.by, token)
}
