package store

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// cpu returns the processor time that the process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// reportCPU reports processor time per operation, split over rows.
func reportCPU(b *testing.B, start time.Duration, rowsPerOp int) {
	b.Helper()
	used := float64((cpu(b) - start).Nanoseconds()) / float64(b.N)
	b.ReportMetric(used/1e3, "cpu-µs/op")
	b.ReportMetric(used/1e3/float64(rowsPerOp), "cpu-µs/row")
}

var messageTables = []string{
	`CREATE TABLE seen (delivery BIGINT PRIMARY KEY, day BIGINT NOT NULL)`,
	`CREATE TABLE event (id BIGINT PRIMARY KEY, person BLOB NOT NULL, conversation BLOB NOT NULL, account TEXT NOT NULL, received BIGINT NOT NULL, sealed BLOB NOT NULL)`,
	`CREATE TABLE line (id BIGINT PRIMARY KEY, person BLOB NOT NULL, conversation BLOB NOT NULL, purpose TEXT NOT NULL, at BIGINT NOT NULL, expires BIGINT NOT NULL, sealed BLOB NOT NULL)`,
	`CREATE INDEX line_person ON line (person, id)`,
	`CREATE INDEX line_expires ON line (expires)`,
	`CREATE TABLE person (id BLOB PRIMARY KEY, account TEXT NOT NULL, language TEXT NOT NULL, since BIGINT NOT NULL)`,
	`CREATE TABLE outbox (id BIGINT PRIMARY KEY, person BLOB NOT NULL, account TEXT NOT NULL, due BIGINT NOT NULL, sealed BLOB NOT NULL)`,
	`CREATE TABLE audit (id BIGINT PRIMARY KEY, entry BLOB NOT NULL, hash BLOB NOT NULL)`,
}

type message struct {
	id     int64
	person [16]byte
	seen   int64
}

// parts are the two pieces of work that one message makes.
type parts struct {
	come, turn *Batch[*message]
}

func newParts(db *DB) *parts {
	body, reply, entry := make([]byte, 400), make([]byte, 300), make([]byte, 200)
	return &parts{
		come: NewBatch(db, func(tx *Tx, items []*message) error {
			seen := make([]any, 0, 2*len(items))
			rows := make([]any, 0, 6*len(items))
			for _, m := range items {
				seen = append(seen, m.seen, int64(20000))
				rows = append(rows, m.id, m.person[:], m.person[:], "telegram/main", m.id, body)
			}
			fresh := 0
			err := tx.InsertReturning(`INSERT INTO seen (delivery, day)`, `ON CONFLICT (delivery) DO NOTHING RETURNING delivery`, 2, seen, func(r *Rows) error {
				fresh++
				var n int64
				return r.Scan(&n)
			})
			if err != nil {
				return err
			}
			return tx.Insert(`INSERT INTO event (id, person, conversation, account, received, sealed)`, "", 6, rows)
		}),
		turn: NewBatch(db, func(tx *Tx, items []*message) error {
			lines := make([]any, 0, 14*len(items))
			out := make([]any, 0, 5*len(items))
			audit := make([]any, 0, 3*len(items))
			ids := make([]int64, 0, len(items))
			for _, m := range items {
				lines = append(lines, m.id, m.person[:], m.person[:], "reply", m.id, m.id>>20, body,
					m.id+1, m.person[:], m.person[:], "reply", m.id, m.id>>20, reply)
				out = append(out, m.id, m.person[:], "telegram/main", m.id, reply)
				audit = append(audit, m.id, entry, m.person[:])
				ids = append(ids, m.id)
				if _, err := tx.Exec(`INSERT INTO person (id, account, language, since) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET account = excluded.account, language = excluded.language`, m.person[:], "telegram/main", "en", m.id); err != nil {
					return err
				}
			}
			if err := tx.Insert(`INSERT INTO line (id, person, conversation, purpose, at, expires, sealed)`, "", 7, lines); err != nil {
				return err
			}
			if err := tx.Insert(`INSERT INTO outbox (id, person, account, due, sealed)`, "", 5, out); err != nil {
				return err
			}
			if err := tx.Insert(`INSERT INTO audit (id, entry, hash)`, "", 3, audit); err != nil {
				return err
			}
			_, err := tx.DeleteIn(`DELETE FROM event WHERE id IN`, ids)
			return err
		}),
	}
}

// BenchmarkMessage does the row operations of a whole message, eight, in the
// two durable steps that a message has.
func BenchmarkMessage(b *testing.B) {
	for _, par := range []int{1, 16, 128} {
		b.Run(name(par), func(b *testing.B) { benchMessage(b, par) })
	}
}

func name(n int) string {
	return map[int]string{1: "writers=2", 16: "writers=32", 128: "writers=256"}[n]
}

func benchMessage(b *testing.B, par int) {
	b.Helper()
	db := open(b)
	ctx := context.Background()
	if err := db.Migrate(ctx, "m", messageTables); err != nil {
		b.Fatal(err)
	}
	p := newParts(db)
	var next atomic.Int64
	next.Store(1_700_000_000_000_000)
	b.SetParallelism(par)
	var mu sync.Mutex
	var took []time.Duration
	b.ResetTimer()
	start := cpu(b)
	b.RunParallel(func(pb *testing.PB) {
		var mine []time.Duration
		defer func() { mu.Lock(); took = append(took, mine...); mu.Unlock() }()
		for pb.Next() {
			began := time.Now()
			m := &message{id: next.Add(10), seen: rand.Int64()}
			m.person[0], m.person[5] = byte(m.seen), byte(m.seen>>8)
			if err := p.come.Do(ctx, m); err != nil {
				b.Error(err)
			}
			if err := p.turn.Do(ctx, m); err != nil {
				b.Error(err)
			}
			mine = append(mine, time.Since(began))
		}
	})
	reportCPU(b, start, 8)
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1e3, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1e3, "max-ms")
	s := db.Stats()
	b.ReportMetric(float64(s.Items)/float64(s.Commits), "group")
}

func BenchmarkReadOne(b *testing.B) {
	db := open(b)
	ctx := b.Context()
	if err := db.Migrate(ctx, "m", messageTables); err != nil {
		b.Fatal(err)
	}
	if err := db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO event VALUES (1, 'p', 'c', 'a', 5, zeroblob(400))`)
		return err
	}); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	b.ReportAllocs()
	start := cpu(b)
	for range b.N {
		var id int64
		var sealed []byte
		if err := db.QueryRow(ctx, `SELECT received, sealed FROM event WHERE id = $1`, 1).Scan(&id, &sealed); err != nil {
			b.Fatal(err)
		}
	}
	reportCPU(b, start, 1)
}
