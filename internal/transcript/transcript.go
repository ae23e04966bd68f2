// Package transcript keeps what was said, turn by turn, for as long as the
// purpose it was said for allows.
//
// A row is one turn: what the person wrote and what the bot answered, sealed
// together under the person's key of the purpose's retention class. Its last
// day is written with it and counts from the turn itself, not from the last
// thing said in the conversation.
package transcript

import (
	"context"
	"math"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Table is the name of the table, part of what its ciphertext is bound to.
const Table = "transcript"

// Row is one stored turn.
type Row struct {
	ID           int64
	Person       sotto.PersonID
	Conversation sotto.ConversationID
	Purpose      sotto.Purpose
	At           time.Time
	Expires      time.Time // the row is deleted from then on
	Sealed       vault.Sealed

	// Message names what the person wrote by a keyed hash of the network's id,
	// so that it can be found when the person changes or deletes it there; all
	// zero where the network gave none.
	Message [16]byte
}

// Transcript is the open table.
type Transcript struct{ db *store.DB }

// Open prepares the table.
func Open(ctx context.Context, db *store.DB) (*Transcript, error) {
	return &Transcript{db: db}, db.Migrate(ctx, "transcript", []string{
		`CREATE TABLE transcript (
			id BIGINT PRIMARY KEY, person BLOB NOT NULL, conversation BLOB NOT NULL,
			purpose TEXT NOT NULL, at BIGINT NOT NULL, expires BIGINT NOT NULL, sealed BLOB NOT NULL)`,
		`CREATE INDEX transcript_person ON transcript (person, id)`,
		`ALTER TABLE transcript ADD COLUMN message BLOB`,
	})
}

// Add stores rows in the transaction of their turns.
func (*Transcript) Add(tx *store.Tx, rows []Row) error {
	args := make([]any, 0, 8*len(rows))
	for i := range rows {
		r := &rows[i]
		args = append(args, r.ID, r.Person[:], r.Conversation[:], string(r.Purpose), r.At.UnixMilli(), r.Expires.Unix(), r.Sealed, r.Message[:])
	}
	return tx.Insert(`INSERT INTO transcript (id, person, conversation, purpose, at, expires, sealed, message)`, "", 8, args)
}

const columns = `SELECT id, conversation, purpose, at, expires, sealed FROM transcript `

// Of calls f with every turn of a person, oldest first.
func (t *Transcript) Of(ctx context.Context, p sotto.PersonID, f func(Row) error) error {
	return t.each(ctx, p, f, columns+`WHERE person = $1 ORDER BY id`, p[:])
}

// Last returns the n newest turns of a person, oldest first.
func (t *Transcript) Last(ctx context.Context, p sotto.PersonID, n int) ([]Row, error) {
	var out []Row
	err := t.each(ctx, p, func(r Row) error { out = append(out, r); return nil },
		columns+`WHERE person = $1 ORDER BY id DESC LIMIT $2`, p[:], n)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, err
}

// Message returns the turns that began with a message of a person.
func (t *Transcript) Message(ctx context.Context, p sotto.PersonID, message [16]byte) ([]Row, error) {
	var out []Row
	err := t.each(ctx, p, func(r Row) error { r.Message = message; out = append(out, r); return nil },
		columns+`WHERE person = $1 AND message = $2 ORDER BY id`, p[:], message[:])
	return out, err
}

// Replace stores another text for a turn that is there; its last day stays.
func (*Transcript) Replace(tx *store.Tx, r *Row) error {
	_, err := tx.Exec(`UPDATE transcript SET sealed = $1 WHERE id = $2`, r.Sealed, r.ID)
	return err
}

// Remove deletes turns.
func (*Transcript) Remove(tx *store.Tx, rows []int64) error {
	_, err := tx.DeleteIn(`DELETE FROM transcript WHERE id IN`, rows)
	return err
}

func (t *Transcript) each(ctx context.Context, p sotto.PersonID, f func(Row) error, q string, args ...any) error {
	rows, err := t.db.Query(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	for rows.Next() {
		r := Row{Person: p}
		var c []byte
		var at, expires int64
		if err := rows.Scan(&r.ID, &c, &r.Purpose, &at, &expires, &r.Sealed); err != nil {
			return sotto.E("transcript.read", sotto.KindCorrupt, err)
		}
		copy(r.Conversation[:], c)
		r.At, r.Expires = time.UnixMilli(at).UTC(), time.Unix(expires, 0).UTC()
		if err := f(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// MaxID returns the largest number in the table, or 0.
func (t *Transcript) MaxID(ctx context.Context) (int64, error) {
	var n int64
	err := t.db.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM transcript`).Scan(&n)
	return n, err
}

const sweepRows = 200

// Due says which rows are to go: those past the last day that was written with
// them, and those for which the retention of today has passed, which may be
// shorter than the one they were written under.
type Due struct {
	Now  time.Time
	Keep time.Duration // the retention of today

	// Shortest is the shortest retention that rows were written under. Rows are
	// numbered by age, so that younger ones need no look; 0 looks at every row.
	Shortest time.Duration
}

const isDue = `id <= $1 AND (expires <= $2 OR id <= $3)`

func (d Due) args() []any {
	young := int64(math.MaxInt64)
	if d.Shortest > 0 {
		young = d.Now.Add(-d.Shortest).UnixMicro()
	}
	return []any{young, d.Now.Unix(), d.Now.Add(-d.Keep).UnixMicro()}
}

// Expired counts the rows whose time is over.
func (t *Transcript) Expired(ctx context.Context, d Due) (int64, error) {
	var n int64
	err := t.db.QueryRow(ctx, `SELECT count(*) FROM transcript WHERE `+isDue, d.args()...).Scan(&n)
	return n, err
}

// Sweep deletes the rows whose time is over, in small transactions.
func (t *Transcript) Sweep(ctx context.Context, d Due) (int64, error) {
	return t.db.DeleteChunks(ctx, `SELECT id FROM transcript WHERE `+isDue+` LIMIT $4`, `DELETE FROM transcript WHERE id IN`, sweepRows, d.args()...)
}

// Forget deletes the rows of a person up to a number, in small transactions.
func (t *Transcript) Forget(ctx context.Context, p sotto.PersonID, until int64) (int64, error) {
	return t.db.DeleteChunks(ctx, `SELECT id FROM transcript WHERE person = $1 AND id <= $2 LIMIT $3`, `DELETE FROM transcript WHERE id IN`, sweepRows, p[:], until)
}

// Ref is the place of a row, to seal and open it.
func Ref(r *Row) vault.Ref {
	return vault.Ref{Table: Table, Row: r.ID, Field: "sealed", Person: r.Person, Purpose: r.Purpose}
}
