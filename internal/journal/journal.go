// Package journal is the durable, ordered, de-duplicated record of what came in
// and has not been handled yet.
//
// A webhook is answered only after [Journal.Append] returned. A record is
// sealed under the person's key of the short-lived transit class; it is deleted
// in the transaction that holds the result of its turn. What stays is a keyed
// hash of the network's delivery id, kept longer than any network tries again,
// so that the same delivery is handled once however often it is sent.
//
// The journal does not know what is in a record, and hands records out in the
// order of their numbers; who handles them keeps the order within a
// conversation.
package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Table is the name of the table of records, part of what their ciphertext is
// bound to.
const Table = "journal_event"

// SeenFor is how long the hash of a delivery is kept: longer than the longest
// time over which a network tries again (WhatsApp: seven days).
const SeenFor = 10 * 24 * time.Hour

// HeldFor is how long a record may wait to be handled before it is destroyed.
const HeldFor = 7 * 24 * time.Hour

// Record is one event that came in.
type Record struct {
	ID           int64
	Delivery     int64 // keyed hash of the network's delivery id, see [DeliveryKey]
	Minute       int64 // of the event, where repeated deliveries carry the same time; else 0
	Person       sotto.PersonID
	Conversation sotto.ConversationID
	Account      string // "telegram/shop"
	Received     time.Time
	Generation   uint64 // of the person's keys when the record was sealed; not stored
	Mark         int64  // what its maker must know of it at once after a start, without opening it; 0 = nothing
	Sealed       vault.Sealed
}

// delivery is what a repeated delivery is recognised by.
type delivery struct{ minute, hash int64 }

func (r *Record) key() delivery { return delivery{r.Minute, r.Delivery} }

// DeliveryKey turns a keyed digest into the number that deliveries are known by.
func DeliveryKey(digest [16]byte) int64 {
	return int64(binary.BigEndian.Uint64(digest[:8])) //nolint:gosec // all 64 bits are wanted
}

// Journal is the open journal.
type Journal struct {
	db     *store.DB
	append *store.Batch[*appendItem]
}

type appendItem struct {
	records []Record
	fresh   []Record
	stale   bool
}

// ErrStale says that a person was erased between the sealing of a record and
// its storing. Nothing was stored; seal again.
var ErrStale = errors.New("sealed under a key that is gone")

// Config connects the journal.
type Config struct {
	DB *store.DB

	// Committed is called by the database's writer, in commit order, with the
	// records that are new and durable; it must be quick.
	Committed func([]Record)

	// Generation tells the present generation of a person's keys.
	Generation func(sotto.PersonID) uint64
}

// Open prepares the tables.
func Open(ctx context.Context, cfg Config) (*Journal, error) {
	db := cfg.DB
	if err := db.Migrate(ctx, "journal", migrations()); err != nil {
		return nil, err
	}
	j := &Journal{db: db}
	j.append = store.NewBatch(db, func(tx *store.Tx, items []*appendItem) error {
		return appendTx(tx, items, cfg)
	})
	return j, nil
}

func migrations() []string {
	return []string{
		`CREATE TABLE journal_event (
			id BIGINT PRIMARY KEY, person BLOB NOT NULL, conversation BLOB NOT NULL,
			account TEXT NOT NULL, received BIGINT NOT NULL, sealed BLOB NOT NULL)`,
		// In the order of time: a new delivery is stored beside the last ones,
		// and a repeated one is found there.
		`CREATE TABLE journal_seen (
			minute BIGINT NOT NULL, delivery BIGINT NOT NULL, day BIGINT NOT NULL,
			PRIMARY KEY (minute, delivery)
		) -- clustered`,
		`ALTER TABLE journal_event ADD COLUMN mark BIGINT NOT NULL DEFAULT 0`,
	}
}

// Append stores the records of one webhook call that are new, all or none, and
// returns how many those were when they are durable.
func (j *Journal) Append(ctx context.Context, records []Record) (int, error) {
	it := &appendItem{records: records}
	if err := j.append.Do(ctx, it); err != nil {
		return 0, err
	}
	if it.stale {
		return 0, ErrStale
	}
	return len(it.fresh), nil
}

func appendTx(tx *store.Tx, items []*appendItem, cfg Config) error {
	n := 0
	for _, it := range items {
		it.fresh = nil
		it.stale = slices.ContainsFunc(it.records, func(r Record) bool { return cfg.Generation(r.Person) != r.Generation })
		n += len(it.records)
	}
	items = slices.DeleteFunc(slices.Clone(items), func(it *appendItem) bool { return it.stale })
	if n == 0 {
		return nil
	}
	seen := make([]any, 0, 3*n)
	fresh := make(map[delivery]bool, n)
	for _, it := range items {
		for i := range it.records {
			r := &it.records[i]
			if _, dup := fresh[r.key()]; dup {
				continue
			}
			fresh[r.key()] = false
			seen = append(seen, r.Minute, r.Delivery, r.Received.Unix()/86400)
		}
	}
	err := tx.InsertReturning(`INSERT INTO journal_seen (minute, delivery, day)`, `ON CONFLICT (minute, delivery) DO NOTHING RETURNING minute, delivery`, 3, seen, func(rows *store.Rows) error {
		var d delivery
		err := rows.Scan(&d.minute, &d.hash)
		fresh[d] = true
		return err
	})
	if err != nil {
		return err
	}
	args := make([]any, 0, 7*n)
	all := make([]Record, 0, n)
	for _, it := range items {
		for _, r := range it.records {
			if !fresh[r.key()] {
				continue
			}
			fresh[r.key()] = false // a second one in the same group is a duplicate
			args = append(args, r.ID, r.Person[:], r.Conversation[:], r.Account, r.Received.UnixMilli(), r.Sealed, r.Mark)
			it.fresh = append(it.fresh, r)
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil
	}
	tx.OnCommit(func() { cfg.Committed(all) })
	return tx.Insert(`INSERT INTO journal_event (id, person, conversation, account, received, sealed, mark)`, "", 7, args)
}

// Handled deletes records, in the transaction that holds the result of their turns.
func (j *Journal) Handled(tx *store.Tx, ids []int64) error {
	_, err := tx.DeleteIn(`DELETE FROM journal_event WHERE id IN`, ids)
	return err
}

// Pending returns up to limit records that are not handled, with numbers above
// after, in order.
func (j *Journal) Pending(ctx context.Context, after int64, limit int) ([]Record, error) {
	return j.query(ctx, `SELECT id, person, conversation, account, received, sealed FROM journal_event WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// Marked calls f with every record that has a mark and is not handled, in order.
func (j *Journal) Marked(ctx context.Context, f func(id int64, p sotto.PersonID, mark int64)) error {
	rows, err := j.db.Query(ctx, `SELECT id, person, mark FROM journal_event WHERE mark <> 0 ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	for rows.Next() {
		var id, mark int64
		var b []byte
		var p sotto.PersonID
		if err := rows.Scan(&id, &b, &mark); err != nil {
			return sotto.E("journal.read", sotto.KindCorrupt, err)
		}
		copy(p[:], b)
		f(id, p, mark)
	}
	return rows.Err()
}

// Of returns all records of a person that are not handled.
func (j *Journal) Of(ctx context.Context, p sotto.PersonID) ([]Record, error) {
	return j.query(ctx, `SELECT id, person, conversation, account, received, sealed FROM journal_event WHERE person = $1 ORDER BY id`, p[:])
}

func (j *Journal) query(ctx context.Context, q string, args ...any) ([]Record, error) {
	rows, err := j.db.Query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	var out []Record
	for rows.Next() {
		var r Record
		var p, c []byte
		var at int64
		if err := rows.Scan(&r.ID, &p, &c, &r.Account, &at, &r.Sealed); err != nil {
			return nil, sotto.E("journal.read", sotto.KindCorrupt, err)
		}
		copy(r.Person[:], p)
		copy(r.Conversation[:], c)
		r.Received = time.UnixMilli(at)
		out = append(out, r)
	}
	return out, rows.Err()
}

// Get returns the records with these numbers that are still there, in their order.
func (j *Journal) Get(ctx context.Context, ids []int64) ([]Record, error) {
	out := make([]Record, 0, len(ids))
	for _, id := range ids {
		r, err := j.query(ctx, `SELECT id, person, conversation, account, received, sealed FROM journal_event WHERE id = $1`, id)
		if err != nil {
			return nil, err
		}
		out = append(out, r...)
	}
	return out, nil
}

// Count returns how many records wait.
func (j *Journal) Count(ctx context.Context) (int64, error) {
	var n int64
	err := j.db.QueryRow(ctx, `SELECT count(*) FROM journal_event`).Scan(&n)
	return n, err
}

// MaxID returns the largest number in the journal, or 0.
func (j *Journal) MaxID(ctx context.Context) (int64, error) {
	var n int64
	err := j.db.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM journal_event`).Scan(&n)
	return n, err
}

const sweepRows = 500

// Expired counts what [Journal.Sweep] would delete.
func (j *Journal) Expired(ctx context.Context, now time.Time) (held, seen int64, err error) {
	if err = j.db.QueryRow(ctx, `SELECT count(*) FROM journal_event WHERE received < $1`, now.Add(-HeldFor).UnixMilli()).Scan(&held); err != nil {
		return 0, 0, err
	}
	err = j.db.QueryRow(ctx, `SELECT count(*) FROM journal_seen WHERE minute <= $1 AND day < $2`, now.Add(-SeenFor).Unix()/60, now.Add(-SeenFor).Unix()/86400).Scan(&seen)
	return held, seen, err
}

// Sweep deletes records that waited for longer than [HeldFor] and delivery
// hashes older than [SeenFor], in small transactions.
func (j *Journal) Sweep(ctx context.Context, now time.Time) (held, seen int64, err error) {
	held, err = j.db.DeleteChunks(ctx, `SELECT id FROM journal_event WHERE received < $1 LIMIT $2`, `DELETE FROM journal_event WHERE id IN`, sweepRows, now.Add(-HeldFor).UnixMilli())
	if err != nil {
		return held, 0, err
	}
	seen, err = j.sweepSeen(ctx, now.Add(-SeenFor))
	return held, seen, err
}

// sweepSeen deletes what was seen before a day, in small transactions. One that
// is dated in the future goes when its date has passed.
func (j *Journal) sweepSeen(ctx context.Context, before time.Time) (total int64, err error) {
	for {
		var n int64
		err := j.db.Write(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.Exec(`DELETE FROM journal_seen WHERE (minute, delivery) IN
				(SELECT minute, delivery FROM journal_seen WHERE minute <= $1 AND day < $2 LIMIT $3)`,
				before.Unix()/60, before.Unix()/86400, sweepRows)
			return err
		})
		if err != nil || n == 0 {
			return total, err
		}
		total += n
	}
}

// Forget deletes the records of a person up to a number, in small transactions.
func (j *Journal) Forget(ctx context.Context, p sotto.PersonID, until int64) (int64, error) {
	return j.db.DeleteChunks(ctx, `SELECT id FROM journal_event WHERE person = $1 AND id <= $2 LIMIT $3`, `DELETE FROM journal_event WHERE id IN`, sweepRows, p[:], until)
}

// Idle reports, inside a transaction, whether nothing of a person waits.
func (*Journal) Idle(tx *store.Tx, p sotto.PersonID) (bool, error) {
	var n int64
	err := tx.QueryRow(`SELECT count(*) FROM journal_event WHERE person = $1`, p[:]).Scan(&n)
	return n == 0, err
}

// Ref is the place of a record, to seal and open it.
func Ref(r *Record) vault.Ref {
	return vault.Ref{Table: Table, Row: r.ID, Field: "sealed", Person: r.Person, Purpose: sotto.PurposeReply}
}
