package sottotest

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/server"
)

// ownPrefix begins the payloads of the buttons that Sotto itself offers.
const ownPrefix = "sotto:"

// Hook is the address at which the server takes the webhooks of a channel.
func (s *Sotto) Hook(channelName string) string {
	s.t.Helper()
	return s.URL() + "/hooks/" + channelName + "/" + Account
}

// Deliver sends a webhook and returns the server's status.
func (s *Sotto) Deliver(channelName string, w channeltest.Webhook) int {
	s.t.Helper()
	ctx, cancel := s.patience()
	defer cancel()
	status, err := s.Network.Push(ctx, s.Hook(channelName), w)
	s.must(err)
	return status
}

func (s *Sotto) patience() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), s.cfg.Wait)
}

// Say has a user write text. It returns when the server has acknowledged it;
// [Sotto.Replies] waits for the answer.
func (s *Sotto) Say(user, text string) {
	s.t.Helper()
	name, id, err := userOf(user)
	s.must(err)
	s.accepted(s.Deliver(name, s.Network.Text(name, id, text)))
}

// SendFile has a Telegram user send a file, with a caption or "". A bot gets it if
// it is a [sotto.MediaBot].
func (s *Sotto) SendFile(user, caption, name, mime string, data []byte) {
	s.t.Helper()
	channelName, id, err := userOf(user)
	s.must(err)
	if channelName != channeltest.Telegram {
		s.t.Fatal("sottotest: files are played for Telegram only")
	}
	s.accepted(s.Deliver(channelName, s.Network.File(id, caption, name, mime, data)))
}

// Press has a user press the button with payload.
func (s *Sotto) Press(user, payload string) {
	s.t.Helper()
	name, id, err := userOf(user)
	s.must(err)
	s.accepted(s.Deliver(name, s.Network.Button(name, id, payload)))
}

func (s *Sotto) accepted(status int) {
	s.t.Helper()
	if status != http.StatusOK {
		s.t.Fatalf("sottotest: the webhook was answered %d", status)
	}
}

// Wait returns the messages to a user, the privacy notice included, as soon as
// there are n of them.
func (s *Sotto) Wait(user string, n int) []channeltest.Call {
	s.t.Helper()
	name, id, err := userOf(user)
	s.must(err)
	ctx, cancel := s.patience()
	defer cancel()
	got, err := s.Network.Wait(ctx, name, id, n)
	if err != nil {
		s.t.Fatalf("sottotest: %v\nlog:\n%s", err, s.log.said())
	}
	return got
}

// Messages waits until nothing is under way and returns what a user got, with
// the words of Sotto itself, oldest first.
func (s *Sotto) Messages(user string) []channeltest.Call {
	s.t.Helper()
	s.Settle()
	name, id, err := userOf(user)
	s.must(err)
	return s.Network.Messages(name, id)
}

// Replies is the text of [Sotto.Messages] without those with which Sotto itself
// offers its own buttons: the privacy notice and answers to /privacy, /stop,
// /delete and the like.
func (s *Sotto) Replies(user string) []string {
	s.t.Helper()
	var out []string
	for _, m := range s.Messages(user) {
		own := false
		for _, b := range m.Buttons {
			own = own || strings.HasPrefix(b.Payload, ownPrefix)
		}
		if !own {
			out = append(out, m.Text)
		}
	}
	return out
}

// Settle waits until every event that came in is handled, and every message is
// sent.
func (s *Sotto) Settle() {
	s.t.Helper()
	ctx, cancel := s.patience()
	defer cancel()
	tick := time.NewTimer(0)
	defer tick.Stop()
	var last counters
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		now, err := s.counters(ctx)
		if err != nil && ctx.Err() == nil {
			s.must(err)
		}
		if err == nil && now.idle() && now == last {
			return
		}
		last = now
		tick.Reset(pause)
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("sottotest: something is still under way: %+v\nlog:\n%s", now, s.log.said())
		}
	}
}

// counters is what tells whether something is under way.
type counters struct{ journal, outbox, received, turns, discarded, sent float64 }

// idle reports whether nothing is. What waited when the server started makes
// turns that were not received by it.
func (c counters) idle() bool {
	return c.journal == 0 && c.outbox == 0 && c.turns+c.discarded >= c.received
}

func (s *Sotto) counters(ctx context.Context) (counters, error) {
	m, err := s.metrics(ctx)
	return counters{
		journal: m["sotto_journal_waiting"], outbox: m["sotto_outbox_waiting"], received: m["sotto_inbox_received_total"],
		turns: m["sotto_inbox_turns_total"], discarded: m["sotto_inbox_discarded_total"], sent: m["sotto_outbox_sent_total"],
	}, err
}

// Metric returns the value of one of the server's metrics, such as
// "sotto_outbox_unknown_total".
func (s *Sotto) Metric(name string) float64 {
	s.t.Helper()
	ctx, cancel := s.patience()
	defer cancel()
	m, err := s.metrics(ctx)
	s.must(err)
	v, ok := m[name]
	if !ok {
		s.t.Fatalf("sottotest: there is no metric %q", name)
	}
	return v
}

// metrics reads the metrics that have no labels.
func (s *Sotto) metrics(ctx context.Context) (map[string]float64, error) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := s.http.Do(r)
	if err != nil {
		return nil, err
	}
	out := make(map[string]float64)
	for sc := bufio.NewScanner(resp.Body); sc.Scan(); {
		if name, value, ok := strings.Cut(sc.Text(), " "); ok {
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				out[name] = v
			}
		}
	}
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: status %d", resp.StatusCode)
	}
	return out, nil
}

func (s *Sotto) who(user string) server.Who {
	s.t.Helper()
	name, id, err := userOf(user)
	s.must(err)
	return server.Who{Channel: name, Account: Account, User: id}
}

// Operate carries out an operation as an operator would, in the running server
// or, if that is stopped, by itself. See [server.Operate].
func (s *Sotto) Operate(op string, in, out any) error {
	ctx, cancel := s.patience()
	defer cancel()
	return server.Operate(ctx, s.config(), op, in, out)
}

// Export returns everything that is held of a user, as the user would get it.
func (s *Sotto) Export(user string) []byte {
	s.t.Helper()
	var b json.RawMessage
	s.must(s.Operate(server.OpExport, s.who(user), &b))
	return b
}

// Erase erases a user and returns the receipt.
func (s *Sotto) Erase(user string) server.Receipt {
	s.t.Helper()
	var r server.Receipt
	s.must(s.Operate(server.OpErase, s.who(user), &r))
	return r
}

// Verify checks the whole audit log and returns how many entries it has.
func (s *Sotto) Verify() int64 {
	s.t.Helper()
	var v server.Verified
	s.must(s.Operate(server.OpVerify, struct{}{}, &v))
	if !v.OK {
		s.must(errors.New("the audit log: " + v.Fault))
	}
	return v.Size
}

// Text is a bot that answers every text with what f makes of it, and buttons
// with what it makes of their payload.
func Text(f func(string) string) sotto.Bot {
	return sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error {
		t.Reply(f(cmp.Or(t.Payload, t.Text)))
		return nil
	})
}
