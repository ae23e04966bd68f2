package outbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// Muting says why nothing is sent to a person although nothing known of them
// says so yet: what they said is durable, but its turn has not come.
type Muting uint8

// The reasons for muting, which can hold together.
const (
	Stopped Muting = 1 << iota // wants no more messages; what Sotto owes still goes out, see [System]
	Blocked                    // blocked the account; nothing goes out
)

// Mute stops sending to a person at once: no call for them begins after it
// returns. Messages whose turn comes are dropped.
func (o *Outbox) Mute(p sotto.PersonID, why Muting) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.muted[p] |= why
	o.mutes.Add(1)
}

// Unmute takes a reason back. What was dropped stays dropped.
func (o *Outbox) Unmute(p sotto.PersonID, why Muting) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mutes.Add(1) // who looked at what is known of the person before this looks again
	if left := o.muted[p] &^ why; left == 0 {
		delete(o.muted, p)
	} else {
		o.muted[p] = left
	}
}

// silenced says why a message is not sent to somebody who was muted, or "".
// o.mu is held.
func (o *Outbox) silenced(it *Item) string {
	if len(o.muted) == 0 {
		return ""
	}
	m := o.muted[it.Person]
	switch {
	case m&Blocked != 0:
		return "blocked"
	case m&Stopped != 0 && (it.Kind == Reply || it.Kind == Notice):
		return "stopped"
	}
	return ""
}

// end is when a message is given up: at its last day, or when its window closes.
func (it *Item) end() time.Time {
	if !it.Closes.IsZero() && it.Closes.Before(it.Expires) {
		return it.Closes
	}
	return it.Expires
}

// closed reports whether the time is over in which the network lets a bot
// answer. A later answer that waits behind this one shows that the person has
// written again, which opens the window for both.
func (o *Outbox) closed(l *lane, it *Item) bool {
	now := o.cfg.Now()
	if it.Closes.IsZero() || now.Before(it.Closes) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, other := range l.items {
		if other.Person == it.Person && (other.Closes.IsZero() || now.Before(other.Closes)) {
			return false
		}
	}
	return true
}

// Closes returns when the network's window for answers to something that a
// person did closes, the zero time for never: ad's window after the network's
// time of it or, where that is missing or cannot be, after it was received.
func Closes(ad channel.Adapter, at, received time.Time) time.Time {
	if ad == nil {
		return time.Time{}
	}
	w := ad.Traits().Pace.Window
	if w <= 0 {
		return time.Time{}
	}
	if at.IsZero() || at.After(received) {
		at = received
	}
	return at.Add(w)
}

// outside gives a message up whose window is over, by the clock or by the word
// of the network.
func (o *Outbox) outside(ctx context.Context, out *outcome, alternative string) {
	o.Stats.Window.Add(1)
	o.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "a message came too late: the network lets a bot answer for a while only",
		slog.Int64("message", out.it.ID), slog.String("account", out.it.Account), slog.String("instead", alternative))
	o.drop(out, "window")
}

// refuse gives a message up before the call, for a reason of ours.
func (o *Outbox) refuse(ctx context.Context, out *outcome, why string) Ending {
	switch why {
	case "window":
		o.outside(ctx, out, o.traits(out.it.Account).Alternative)
		return GivenUp
	case "blocked", "stopped":
		o.Stats.Stopped.Add(1)
	case "file":
		o.Stats.Failed.Add(1)
		o.cfg.Logger.LogAttrs(ctx, slog.LevelError, "a file cannot be sent on this network",
			slog.Int64("message", out.it.ID), slog.String("account", out.it.Account))
	}
	o.drop(out, why)
	return GivenUp
}

func (o *Outbox) traits(account string) channel.Traits {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.account(account).traits
}
