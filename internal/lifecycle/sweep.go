package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Report says what a sweep deleted, or would delete.
type Report struct {
	At         time.Time `json:"at"`
	DryRun     bool      `json:"dry_run"`
	Turns      int64     `json:"turns"`      // transcript rows past their last day
	Held       int64     `json:"held"`       // journal records that waited too long
	Deliveries int64     `json:"deliveries"` // hashes kept for de-duplication
	Keys       int64     `json:"keys"`       // keys of months that have ended
	Also       int64     `json:"also"`       // rows of other parts past their last day
	Last       time.Time `json:"last,omitzero"`
	Next       time.Time `json:"next"`
}

func (r *Report) total() int64 { return r.Turns + r.Held + r.Deliveries + r.Keys + r.Also }

// endOf returns the first month whose keys of a class are still needed: rows
// sealed in earlier months are all past their retention.
func endOf(c vault.Class, now time.Time, retention time.Duration) vault.Period {
	return vault.PeriodOf(c, now.Add(-retention))
}

// Preview counts what a sweep would delete now.
func (l *Lifecycle) Preview(ctx context.Context) (Report, error) {
	now := l.cfg.Now()
	r := Report{At: now.UTC(), DryRun: true}
	var err error
	if r.Turns, err = l.cfg.Transcript.Expired(ctx, l.due(now, true)); err != nil {
		return r, err
	}
	if r.Held, r.Deliveries, err = l.cfg.Journal.Expired(ctx, now); err != nil {
		return r, err
	}
	for c, keep := range l.classes() {
		n, err := l.cfg.Vault.CountBefore(ctx, c, endOf(c, now, keep))
		if err != nil {
			return r, err
		}
		r.Keys += n
	}
	r.Last, err = l.last(ctx)
	r.Next = now.UTC()
	return r, err
}

func (l *Lifecycle) classes() map[vault.Class]time.Duration {
	return map[vault.Class]time.Duration{vault.Transit: journal.HeldFor, vault.Reply: l.cfg.Retention}
}

// Sweep deletes what is past its last day, in small transactions, and says in
// the log what it did.
func (l *Lifecycle) Sweep(ctx context.Context) (Report, error) {
	l.sweep.Lock()
	defer l.sweep.Unlock()
	now := l.cfg.Now()
	r := Report{At: now.UTC()}
	var err error
	if r.Last, err = l.last(ctx); err != nil {
		return r, err
	}
	if r.Turns, err = l.cfg.Transcript.Sweep(ctx, l.due(now, !l.swept)); err != nil {
		return r, err
	}
	if r.Held, r.Deliveries, err = l.cfg.Journal.Sweep(ctx, now); err != nil {
		return r, err
	}
	for i := range l.cfg.Also {
		if sweep := l.cfg.Also[i].Sweep; sweep != nil {
			n, err := sweep(ctx, now)
			if err != nil {
				return r, err
			}
			r.Also += n
		}
	}
	for c, keep := range l.classes() {
		n, err := l.cfg.Vault.DropBefore(ctx, c, endOf(c, now, keep))
		if err != nil {
			return r, err
		}
		r.Keys += n
	}
	l.swept = true
	r.Next = now.Add(l.cfg.Every).UTC()
	return r, l.record(ctx, &r)
}

// due says which turns are to go. all looks at every row: numbers are ahead of
// the time where the clock was set back.
func (l *Lifecycle) due(now time.Time, all bool) transcript.Due {
	d := transcript.Due{Now: now, Keep: l.cfg.Retention}
	if !all {
		d.Shortest = l.shortest
	}
	return d
}

// shortestRetention returns the shortest retention that turns were ever kept
// under, and remembers the one of today.
func (l *Lifecycle) shortestRetention(ctx context.Context) (time.Duration, error) {
	var ms int64
	err := l.cfg.DB.QueryRow(ctx, `SELECT last FROM lifecycle_sweep WHERE name = $1`, "shortest").Scan(&ms)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return 0, err
	}
	stored, today := time.Duration(ms)*time.Millisecond, l.cfg.Retention
	if today <= 0 || err == nil && stored <= today { // what is not kept has no rows
		return stored, nil
	}
	return today, l.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO lifecycle_sweep (name, last) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET last = excluded.last`, "shortest", today.Milliseconds())
		return err
	})
}

func (l *Lifecycle) record(ctx context.Context, r *Report) error {
	trail := audit.NewTrail("retention", audit.Commitment{})
	for _, p := range []struct {
		what string
		n    int64
	}{{"transcript", r.Turns}, {"journal_event", r.Held}, {"journal_seen", r.Deliveries}, {"keys", r.Keys}} {
		trail.Add(audit.Act{Verb: "sweep", What: []string{p.what}, Count: p.n})
	}
	return l.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO lifecycle_sweep (name, last) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET last = excluded.last`, "all", r.At.UnixMilli())
		if err != nil {
			return err
		}
		return l.cfg.Log.Append(tx, trail)
	})
}

func (l *Lifecycle) last(ctx context.Context) (time.Time, error) {
	var ms int64
	err := l.cfg.DB.QueryRow(ctx, `SELECT last FROM lifecycle_sweep WHERE name = $1`, "all").Scan(&ms)
	if errors.Is(err, store.ErrNoRows) {
		return time.Time{}, nil
	}
	return time.UnixMilli(ms).UTC(), err
}

// sweeper sweeps at its times; after downtime at once.
func (l *Lifecycle) sweeper(ctx context.Context) {
	for {
		wait := l.untilNext(ctx)
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		r, err := l.Sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			l.cfg.Logger.LogAttrs(ctx, slog.LevelError, "retention sweep failed; tried again", slog.String("cause", sotto.KindOf(err).String()))
		case r.total() > 0:
			l.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "retention sweep", slog.Int64("turns", r.Turns), slog.Int64("held", r.Held),
				slog.Int64("deliveries", r.Deliveries), slog.Int64("keys", r.Keys))
		}
	}
}

// untilNext is at least a second, so that a failing sweep does not spin, and
// at most the interval, so that a clock set forward and back does no harm.
func (l *Lifecycle) untilNext(ctx context.Context) time.Duration {
	last, err := l.last(ctx)
	if err != nil || last.IsZero() {
		return time.Second
	}
	return min(max(last.Add(l.cfg.Every).Sub(l.cfg.Now()), time.Second), l.cfg.Every)
}
