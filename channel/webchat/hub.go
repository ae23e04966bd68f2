package webchat

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sotto-chat/sotto/channel"
)

const (
	keepLines   = 64               // lines of one visitor kept for resuming
	keepBytes   = 1 << 20          // and how many bytes of them
	keepFor     = 10 * time.Minute // and how long
	perVisitor  = 4                // open pages of one visitor; the oldest gives way
	perAddress  = 512              // open streams of one address
	sweepEvery  = 30 * time.Second
	overhead    = 256 // bytes that a line costs beside its frame
	retryAbsent = 30 * time.Second
)

// hub knows which visitors have a page open and what was shown to them lately.
// A visitor without an open page and without recent lines is not in it.
type hub struct {
	now        func() time.Time
	maxStreams int
	maxMemory  int

	mu        sync.Mutex
	rooms     map[visitor]*room
	addresses map[string]int // open streams of each
	streams   int
	memory    int
	sweeper   *time.Timer // armed while there are rooms
	searched  time.Time   // when place was last looked for
	closed    bool
}

// room is one visitor's recent lines and open pages.
type room struct {
	epoch   string // tells this room's numbers from those of an earlier room
	next    uint64 // number of the next line
	lines   []line // oldest first
	bytes   int    // that the lines cost
	files   map[string]*file
	streams []*stream // oldest first
}

// line is one thing shown, as the bytes that go to the browser.
type line struct {
	n     uint64
	key   string
	frame []byte
	at    time.Time
}

func (l *line) cost() int { return len(l.frame) + len(l.key) + overhead }

// file waits to be fetched once.
type file struct {
	name, mime string
	data       []byte
	at         time.Time
}

// stream is one open page. All its fields but wake are guarded by the hub.
type stream struct {
	wake    chan struct{} // has one place; filled when there is something to take
	address string
	seen    uint64 // number of the last line taken
	typing  bool
	end     string // why the stream ends: the event that says so, see the end constants
}

// The ways in which a stream ends.
const (
	endForget     = "forget"     // the visitor was erased
	endSuperseded = "superseded" // the visitor opened another page
	endRestart    = "restart"    // we are going down
)

func newHub(now func() time.Time, maxStreams, maxMemory int) *hub {
	return &hub{
		now: now, maxStreams: maxStreams, maxMemory: maxMemory,
		rooms: make(map[visitor]*room), addresses: make(map[string]int),
	}
}

func (s *stream) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// attach opens a stream for v. last is the number of the last line that the
// page has seen, "" or another room's number for none.
func (h *hub) attach(v visitor, address, last string) (*stream, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.streams >= h.maxStreams || h.addresses[address] >= perAddress {
		return nil, false
	}
	r := h.rooms[v]
	if r == nil {
		r = &room{epoch: randomHex(4), next: 1}
		h.rooms[v] = r
		h.arm()
	}
	for len(r.streams) >= perVisitor {
		h.finish(r, r.streams[0], endSuperseded)
	}
	s := &stream{wake: make(chan struct{}, 1), address: address}
	if epoch, n, ok := strings.Cut(last, "-"); ok && epoch == r.epoch {
		if seen, err := strconv.ParseUint(n, 10, 64); err == nil && seen < r.next {
			s.seen = seen
		}
	}
	r.streams = append(r.streams, s)
	h.streams++
	h.addresses[address]++
	s.ring()
	return s, true
}

// finish takes s out of its room and tells it why.
func (h *hub) finish(r *room, s *stream, why string) {
	for i, have := range r.streams {
		if have != s {
			continue
		}
		r.streams = append(r.streams[:i:i], r.streams[i+1:]...)
		h.streams--
		if h.addresses[s.address]--; h.addresses[s.address] <= 0 {
			delete(h.addresses, s.address)
		}
		s.end = why
		s.ring()
		return
	}
}

// detach ends a stream whose connection has ended.
func (h *hub) detach(v visitor, s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[v]
	if r == nil {
		return
	}
	h.finish(r, s, endRestart)
	h.tidy(v, r, h.now())
}

// take appends to frames what s has to show now.
func (h *hub) take(v visitor, s *stream, frames [][]byte) (out [][]byte, typing bool, end string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	typing, s.typing = s.typing, false
	if r := h.rooms[v]; r != nil && s.end != endForget {
		for i := range r.lines {
			if l := &r.lines[i]; l.n > s.seen {
				frames = append(frames, l.frame)
				s.seen = l.n
			}
		}
	}
	return frames, typing, s.end
}

// send shows m on all open pages of v.
func (h *hub) send(v visitor, m *channel.Outgoing) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[v]
	if r == nil {
		return "", &channel.SendError{Class: channel.Retry, Code: "not_connected", RetryAfter: retryAbsent}
	}
	now := h.now()
	h.tidy(v, r, now)
	key := "k" + m.Key
	if l := r.find(key); l != nil && m.Key != "" {
		return r.id(l.n), nil
	}
	if len(r.streams) == 0 {
		return "", &channel.SendError{Class: channel.Retry, Code: "not_connected", RetryAfter: retryAbsent}
	}
	f, token := fileOf(m.File, now)
	id := r.id(r.next)
	l := line{n: r.next, key: key, frame: messageFrame(id, m, token, now), at: now}
	if !h.makeRoom(l.cost() + f.cost()) {
		return "", &channel.SendError{Class: channel.Retry, Code: "no_memory", RetryAfter: retryAbsent}
	}
	if f != nil {
		if r.files == nil {
			r.files = make(map[string]*file)
		}
		r.files[token] = f
		h.memory += f.cost()
	}
	h.add(r, l)
	return id, nil
}

// echo shows what the visitor said on all of its pages. The page that said it
// knows the id and shows it once.
func (h *hub) echo(v visitor, m *said) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[v]
	if r == nil || r.find("s"+m.ID) != nil {
		return
	}
	now := h.now()
	l := line{n: r.next, key: "s" + m.ID, frame: saidFrame(r.id(r.next), m, now), at: now}
	if h.makeRoom(l.cost()) && h.rooms[v] == r { // making room may end a room that nobody looks at
		h.add(r, l)
	}
}

// heard reports whether v said the message with this id a moment ago.
func (h *hub) heard(v visitor, id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[v]
	return r != nil && r.find("s"+id) != nil
}

func (h *hub) typing(v visitor) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.rooms[v]; r != nil {
		for _, s := range r.streams {
			s.typing = true
			s.ring()
		}
	}
}

// fetch takes a file out. It is put back with restore if it did not arrive.
func (h *hub) fetch(v visitor, token string) *file {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[v]
	if r == nil {
		return nil
	}
	f := r.files[token]
	if f == nil || h.now().Sub(f.at) > keepFor {
		return nil
	}
	delete(r.files, token)
	h.memory -= f.cost()
	return f
}

func (h *hub) restore(v visitor, token string, f *file) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.makeRoom(f.cost()) {
		return
	}
	if r := h.rooms[v]; r != nil && r.files != nil {
		r.files[token] = f
		h.memory += f.cost()
	}
}

// forget drops all of v.
func (h *hub) forget(v visitor) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[v]
	if r == nil {
		return
	}
	for len(r.streams) > 0 {
		h.finish(r, r.streams[0], endForget)
	}
	h.drop(v, r)
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for v, r := range h.rooms {
		for len(r.streams) > 0 {
			h.finish(r, r.streams[0], endRestart)
		}
		h.drop(v, r)
	}
	if h.sweeper != nil {
		h.sweeper.Stop()
	}
}

func (h *hub) drop(v visitor, r *room) {
	h.memory -= r.bytes
	r.bytes = 0
	for _, f := range r.files {
		h.memory -= f.cost()
	}
	r.lines, r.files = nil, nil
	delete(h.rooms, v)
}

func (h *hub) add(r *room, l line) {
	n := max(0, len(r.lines)+1-keepLines)
	for over := r.bytes + l.cost() - keepBytes; n < len(r.lines) && over > 0; n++ {
		over -= r.lines[n].cost()
	}
	h.cut(r, n)
	r.lines = append(r.lines, l)
	r.next++
	r.bytes += l.cost()
	h.memory += l.cost()
	for _, s := range r.streams {
		s.ring()
	}
}

// cut forgets the n oldest lines of r.
func (h *hub) cut(r *room, n int) {
	for i := range n {
		r.bytes -= r.lines[i].cost()
		h.memory -= r.lines[i].cost()
	}
	kept := copy(r.lines, r.lines[n:])
	clear(r.lines[kept:])
	r.lines = r.lines[:kept]
}

// tidy forgets what is too old in r, and r itself if nothing is left.
func (h *hub) tidy(v visitor, r *room, now time.Time) {
	n := 0
	for n < len(r.lines) && now.Sub(r.lines[n].at) > keepFor {
		n++
	}
	if n > 0 {
		h.cut(r, n)
	}
	for t, f := range r.files {
		if now.Sub(f.at) > keepFor {
			h.memory -= f.cost()
			delete(r.files, t)
		}
	}
	if len(r.streams) == 0 && len(r.lines) == 0 && len(r.files) == 0 {
		h.drop(v, r)
	}
}

// makeRoom makes place for n more bytes: old lines go first, then the rooms of
// visitors who have left. It looks for them at most once a second.
func (h *hub) makeRoom(n int) bool {
	if h.memory+n <= h.maxMemory {
		return true
	}
	now := h.now()
	if now.Sub(h.searched) < time.Second {
		return false
	}
	h.searched = now
	for v, r := range h.rooms {
		h.tidy(v, r, now)
	}
	for v, r := range h.rooms {
		if h.memory+n <= h.maxMemory {
			break
		}
		if len(r.streams) == 0 {
			h.drop(v, r)
		}
	}
	return h.memory+n <= h.maxMemory
}

// arm starts the sweep that ends what nobody asks for any more.
func (h *hub) arm() {
	if h.sweeper == nil {
		h.sweeper = time.AfterFunc(sweepEvery, h.sweep)
	} else if len(h.rooms) == 1 {
		h.sweeper.Reset(sweepEvery)
	}
}

func (h *hub) sweep() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	for v, r := range h.rooms {
		h.tidy(v, r, now)
	}
	if len(h.rooms) > 0 && !h.closed {
		h.sweeper.Reset(sweepEvery)
	}
}

func (r *room) id(n uint64) string { return r.epoch + "-" + strconv.FormatUint(n, 10) }

func (r *room) find(key string) *line {
	for i := range r.lines {
		if r.lines[i].key == key {
			return &r.lines[i]
		}
	}
	return nil
}

func (f *file) cost() int {
	if f == nil {
		return 0
	}
	return len(f.data) + len(f.name) + len(f.mime) + overhead
}

func fileOf(in *channel.File, now time.Time) (f *file, token string) {
	if in == nil {
		return nil, ""
	}
	return &file{name: in.Name, mime: in.MIME, data: in.Data, at: now}, randomHex(16)
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, says its documentation
	return hex.EncodeToString(b)
}
