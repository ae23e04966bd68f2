package sim

import (
	"net"
	"net/http"
	"path"
	"time"

	"github.com/sotto-chat/sotto/channel/play"
)

// Fault is a misbehaviour of the API. It hits calls that would show people a
// message; all others go well unless it says Any.
type Fault struct {
	Status int           // answers with this status instead, such as 429 or 500, as the network words it
	After  time.Duration // the time to wait that comes with the status
	Delay  time.Duration // waits before it does anything
	Cut    bool          // carries the call out, and breaks the connection instead of answering
	Lost   bool          // with Cut: does not carry it out
	Any    bool          // hits every call
	Times  int           // how many calls, default 1
}

// Fail adds a misbehaviour; they are used up in the order of adding.
func (s *Sim) Fail(f Fault) {
	f.Times = max(f.Times, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Heal ends all misbehaviour that waits.
func (s *Sim) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.twice, s.behind, s.forged = nil, 0, false, false
}

// Duplicate has each of the next n webhooks delivered twice, in the same bytes.
func (s *Sim) Duplicate(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.twice += n
}

// Reorder holds the next webhook back until the one after it was delivered.
func (s *Sim) Reorder() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behind = true
}

// Forge spoils the proof of the next webhook: a bot must refuse it.
func (s *Sim) Forge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forged = true
}

// fault takes the next misbehaviour for a call, nil if there is none.
func (s *Sim) fault(visible bool) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if !visible && !f.Any {
			continue
		}
		use := *f
		if f.Times--; f.Times == 0 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		return &use
	}
	return nil
}

// refuses reports whether the call is not carried out.
func (f *Fault) refuses() bool { return f != nil && (f.Status != 0 || f.Cut && f.Lost) }

// misbehave does what f says in place of, or before, the answer a.
func (s *Sim) misbehave(w http.ResponseWriter, r *http.Request, f *Fault, a *answer, shown []play.Shown) {
	name := path.Base(r.URL.Path)
	if f.Delay > 0 {
		s.say("  ! %s hangs for %v", name, f.Delay)
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		case <-s.stop:
			return
		}
	}
	switch {
	case f.Cut && f.Lost:
		s.say("  ! the connection of %s breaks before anything happened", name)
		cut(w)
	case f.Cut:
		s.show(shown)
		s.say("  ! the connection of %s breaks before the answer", name)
		cut(w)
	case f.Status != 0:
		s.say("  ! %s is answered %d", name, f.Status)
		s.player.Refuse(w, f.Status, f.After)
	default:
		s.show(shown)
		a.copyTo(w)
	}
}

// cut breaks a connection as a server that dies does.
func cut(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
