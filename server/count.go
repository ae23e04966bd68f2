package server

import (
	"context"
	"sync/atomic"
	"time"
)

// count shows what the parts count.
func (r *running) count() {
	m, in, out := r.metrics, &r.p.inbox.Stats, &r.p.outbox.Stats
	for _, c := range []struct {
		name, help string
		n          *atomic.Int64
	}{
		{"sotto_inbox_received_total", "Events that were new and are durable.", &in.Received},
		{"sotto_inbox_duplicates_total", "Events that had come in before.", &in.Duplicates},
		{"sotto_inbox_ignored_total", "Events that nothing is done with; not kept.", &in.Ignored},
		{"sotto_inbox_turns_total", "Events that were handled.", &in.Turns},
		{"sotto_inbox_bot_errors_total", "Turns in which the bot failed.", &in.BotErrors},
		{"sotto_inbox_discarded_total", "Events destroyed unhandled: no notice could be delivered, or their key was gone.", &in.Discarded},
		{"sotto_inbox_retried_total", "Turns that were tried again.", &in.Retried},
		{"sotto_notices_total", "Notices delivered.", &in.Noticed},
		{"sotto_outbox_sent_total", "Messages that a network took.", &out.Sent},
		{"sotto_outbox_retried_total", "Sends put off to be tried again.", &out.Retried},
		{"sotto_outbox_unknown_total", "Sends whose outcome is unknown.", &out.Unknown},
		{"sotto_outbox_denied_total", "Sends that the gate refused: stop, no notice, no permit.", &out.Denied},
		{"sotto_outbox_gone_total", "Sends to somebody who cannot be reached any more.", &out.Gone},
		{"sotto_outbox_failed_total", "Sends that a network will never take.", &out.Failed},
		{"sotto_outbox_window_total", "Messages that came too late for the time in which a network lets a bot answer.", &out.Window},
		{"sotto_outbox_stopped_total", "Messages held back because the person had just blocked the account or opted out.", &out.Stopped},
		{"sotto_outbox_dropped_total", "Messages given up.", &out.Dropped},
	} {
		m.Counter(c.name, c.help, func() float64 { return float64(c.n.Load()) })
	}
	m.Gauge("sotto_outbox_waiting", "Messages that wait or are being sent.", func() float64 { return float64(r.p.outbox.Held()) })
	m.Gauge("sotto_journal_waiting", "Events that are not handled yet.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := r.p.journal.Count(ctx)
		if err != nil {
			return -1
		}
		return float64(n)
	})
	db := r.p.db
	m.Counter("sotto_store_commits_total", "Transactions that were made durable.", func() float64 { return float64(db.Stats().Commits) })
	m.Counter("sotto_store_work_total", "Pieces of work in them.", func() float64 { return float64(db.Stats().Items) })
	m.Counter("sotto_store_failed_total", "Transactions that failed.", func() float64 { return float64(db.Stats().Failed) })
	m.Gauge("sotto_store_queue", "Pieces of work that wait for the writer.", func() float64 { return float64(db.Stats().Queue) })
	m.Gauge("sotto_store_log_bytes", "Size of the write-ahead log.", func() float64 { return float64(db.Stats().LogBytes) })
	m.Gauge("sotto_audit_entries", "Entries in the audit log.", func() float64 { return float64(r.p.log.Size()) })
	m.Gauge("sotto_certificate_expiry_seconds", "When the certificate ends, in seconds since 1970; 0 without one.", func() float64 {
		t, ok := r.front.CertificateExpiry()
		if !ok {
			return 0
		}
		return float64(t.Unix())
	})
}
