package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/play"
)

// Delivery is what became of a webhook.
type Delivery struct {
	ID      string // the network's id of the new message, "" where there is none
	Status  int    // of the bot's answer; 0 while it is held back
	Refused error  // why the network does not take the answer, whatever its status
	Held    bool   // held back behind the next one
}

// OK reports whether the network takes the webhook for delivered.
func (d Delivery) OK() bool { return d.Held || d.Status/100 == 2 && d.Refused == nil }

// Do has somebody do something: the player words and signs it, and it is
// delivered. The error is play.ErrNoSuch where the network has no such event,
// and of kind unavailable where the bot could not be reached; any answer of the
// bot's is no error.
func (s *Sim) Do(ctx context.Context, a play.Act) (Delivery, error) {
	s.mu.Lock()
	if a.User == "" {
		a.User = s.user
	}
	s.mu.Unlock()
	w, err := s.player.Webhook(a)
	if err != nil {
		return Delivery{}, err //nolint:wrapcheck // the player's own words, for who acts
	}
	return s.Deliver(ctx, w)
}

// Deliver delivers a webhook, with the disorder that was asked for.
func (s *Sim) Deliver(ctx context.Context, w play.Webhook) (Delivery, error) {
	s.mu.Lock()
	times, before := 1, s.held
	if s.twice > 0 {
		s.twice--
		times = 2
	}
	if s.forged {
		s.forged = false
		w = spoiled(w)
	}
	s.last, s.handed, s.held = w, true, nil
	if s.behind {
		s.behind, s.held = false, &w
	}
	hold := s.held != nil
	s.mu.Unlock()

	d := Delivery{ID: w.ID, Held: hold}
	if !hold {
		for range times {
			if err := s.post(ctx, w, &d); err != nil {
				return d, err
			}
		}
	}
	if before != nil {
		if err := s.post(ctx, *before, new(Delivery)); err != nil {
			return d, err
		}
	}
	return d, nil
}

// Again delivers the last webhook once more, in the same bytes.
func (s *Sim) Again(ctx context.Context) (Delivery, error) {
	s.mu.Lock()
	w, ok := s.last, s.handed
	s.mu.Unlock()
	if !ok {
		return Delivery{}, sotto.E("sim.again", sotto.KindNotFound, errors.New("nothing was delivered yet"))
	}
	d := Delivery{ID: w.ID}
	err := s.post(ctx, w, &d)
	return d, err
}

// Flush delivers what is held back.
func (s *Sim) Flush(ctx context.Context) error {
	s.mu.Lock()
	w := s.held
	s.held = nil
	s.mu.Unlock()
	if w == nil {
		return nil
	}
	return s.post(ctx, *w, new(Delivery))
}

// Verdict is whether the bot answered a question of the network's rightly.
type Verdict struct {
	Question int // counted from 1
	Err      error
}

// Connect asks the bot what the network asks when a webhook is set. The error
// is of kind unavailable where the bot could not be reached.
func (s *Sim) Connect(ctx context.Context) ([]Verdict, error) {
	var out []Verdict
	for i, q := range s.player.Questions() {
		got, err := s.call(ctx, q)
		if err != nil {
			return out, err
		}
		v := Verdict{i + 1, s.player.Answered(q, got.status, got.header, got.body)}
		if v.Err == nil {
			s.say("  . question %d of the network was answered rightly", v.Question)
		} else {
			s.say("  ! question %d of the network was answered wrongly: %v", v.Question, v.Err)
		}
		out = append(out, v)
	}
	return out, nil
}

// post makes a webhook call, shows what people see of its answer, and says in d
// what became of it.
func (s *Sim) post(ctx context.Context, w play.Webhook, d *Delivery) error {
	got, err := s.call(ctx, w)
	if err != nil {
		return err
	}
	d.Status = got.status
	if l, ok := s.player.(play.Listener); ok {
		var shown []play.Shown
		shown, d.Refused = l.Heard(w, got.status, got.header, got.body)
		s.show(shown)
	}
	return nil
}

// maxAnswer bounds what is read of a bot's answer.
const maxAnswer = 1 << 20

func (s *Sim) call(ctx context.Context, w play.Webhook) (answer, error) {
	s.mu.Lock()
	to := s.to
	s.mu.Unlock()
	if to == "" {
		return answer{}, sotto.E("sim.deliver", sotto.KindInvalid, errors.New("no address of a webhook was given"))
	}
	if w.Query != "" {
		sep := "?"
		if strings.Contains(to, "?") {
			sep = "&"
		}
		to += sep + w.Query
	}
	method := w.Method
	if method == "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(w.Body))
	if err != nil {
		return answer{}, sotto.E("sim.deliver", sotto.KindInvalid, err)
	}
	for k, v := range w.Header {
		r.Header[http.CanonicalHeaderKey(k)] = append([]string(nil), v...)
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return answer{}, sotto.E("sim.deliver", sotto.KindUnavailable, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return answer{}, sotto.E("sim.deliver", sotto.KindUnavailable, fmt.Errorf("the answer broke off: %w", err))
	}
	return answer{resp.StatusCode, resp.Header, body}, nil
}

// spoiled is a webhook whose proof is wrong: one character of every header that
// is not about the form of the body is another.
func spoiled(w play.Webhook) play.Webhook {
	h := http.Header{}
	for k, v := range w.Header {
		h[k] = append([]string(nil), v...)
		switch http.CanonicalHeaderKey(k) {
		case "Content-Type", "Content-Length", "User-Agent", "Accept":
			continue
		}
		for i, x := range h[k] {
			if x == "" {
				continue
			}
			b := []byte(x)
			last := &b[len(b)-1]
			if len(b) > 1 && *last == '=' { // padding of base64
				last = &b[len(b)/2]
			}
			if *last != '0' {
				*last = '0'
			} else {
				*last = '1'
			}
			h[k][i] = string(b)
		}
	}
	w.Header = h
	return w
}
