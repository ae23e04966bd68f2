package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sotto-chat/sotto"
)

// shape names a statement that is made out of a head, a number of parameters
// and a tail, so that its text is built once and not for every use.
type shape struct {
	head, tail string
	cols, rows int // rows 0: a list
}

var (
	errRows    = errors.New("the values do not fill whole rows")
	errTxEnded = errors.New("the transaction is over")
)

// maxRows is the most rows in one statement, and minList the fewest keys for
// which a list is cheaper than one statement for each.
const (
	maxRows = 64
	minList = 16
)

// Insert adds rows with as few statements as pay. head is the statement up
// to and without VALUES, tail what follows it ("ON CONFLICT … DO NOTHING"); args
// holds the rows' values one row after the other, cols to a row.
func (tx *Tx) Insert(head, tail string, cols int, args []any) error {
	return tx.rows(head, tail, cols, args, nil)
}

// InsertReturning is Insert with a RETURNING clause in tail; each is called for
// every returned row, in the order of the rows.
func (tx *Tx) InsertReturning(head, tail string, cols int, args []any, each func(*Rows) error) error {
	return tx.rows(head, tail, cols, args, each)
}

func (tx *Tx) rows(head, tail string, cols int, args []any, each func(*Rows) error) error {
	const op = "store.insert"
	if cols <= 0 || len(args)%cols != 0 {
		return sotto.E(op, sotto.KindOther, fmt.Errorf("%w: %d values, %d to a row", errRows, len(args), cols))
	}
	for len(args) > 0 {
		n := power(min(len(args)/cols, maxRows))
		st, err := tx.shape(shape{head: head, tail: tail, cols: cols, rows: n})
		if err != nil {
			return sotto.E(op, kindOf(err), err)
		}
		if err := tx.run(op, st, args[:n*cols], each); err != nil {
			return err
		}
		args = args[n*cols:]
	}
	return nil
}

func (tx *Tx) run(op string, st *stmt, args []any, each func(*Rows) error) error {
	if each == nil {
		if _, err := st.exec(args); err != nil {
			return sotto.E(op, kindOf(err), err)
		}
		return nil
	}
	if err := st.bind(args); err != nil {
		return sotto.E(op, kindOf(err), err)
	}
	st.busy = true
	r := &Rows{st: st}
	tx.open = append(tx.open, r)
	defer r.close()
	for r.Next() {
		if err := each(r); err != nil {
			return err
		}
	}
	return r.err
}

// DeleteIn deletes the rows whose key column is one of ids. head is the
// statement up to the list: "DELETE FROM t WHERE id IN".
func (tx *Tx) DeleteIn(head string, ids []int64) (int64, error) { return tx.in(head, nil, ids) }

// UpdateIn changes the rows whose key column is one of ids. head is the
// statement up to the list, args are its own arguments:
// "UPDATE t SET tries = tries + 1, due = $1 WHERE id IN".
func (tx *Tx) UpdateIn(head string, args []any, ids []int64) (int64, error) {
	return tx.in(head, args, ids)
}

func (tx *Tx) in(head string, own []any, ids []int64) (int64, error) {
	const op = "store.list"
	var total int64
	args := append(make([]any, 0, len(own)+min(len(ids), maxRows)), own...)
	for len(ids) > 0 {
		n := 1
		if len(ids) >= minList {
			n = power(min(len(ids), maxRows))
		}
		args = args[:len(own)]
		for _, id := range ids[:n] {
			args = append(args, id)
		}
		st, err := tx.shape(shape{head: head, cols: n, rows: 0})
		if err != nil {
			return total, sotto.E(op, kindOf(err), err)
		}
		k, err := st.exec(args)
		if err != nil {
			return total, sotto.E(op, kindOf(err), err)
		}
		total += k
		ids = ids[n:]
	}
	return total, nil
}

// shape returns the prepared statement of a shape.
func (tx *Tx) shape(s shape) (*stmt, error) {
	if tx.c == nil {
		return nil, errTxEnded
	}
	st, ok := tx.c.multi[s]
	if ok && !st.busy {
		return st, nil
	}
	st, err := tx.c.compile(s.sql(), true)
	if err != nil {
		return nil, err
	}
	if ok { // its rows are being read by whoever calls us
		st.keep = false
		return st, nil
	}
	if len(tx.c.multi) >= maxStmts {
		tx.c.dropIdle()
	}
	tx.c.multi[s] = st
	return st, nil
}

func (s shape) sql() string {
	var b strings.Builder
	head := rewrite(s.head)
	b.Grow(len(head) + len(s.tail) + max(s.rows, 1)*(2*s.cols+2) + 16)
	b.WriteString(head)
	if s.rows == 0 {
		// The head's own parameters are numbered; these go on after them.
		list(&b, s.cols)
		return b.String()
	}
	b.WriteString(" VALUES ")
	for r := range s.rows {
		if r > 0 {
			b.WriteByte(',')
		}
		list(&b, s.cols)
	}
	b.WriteByte(' ')
	b.WriteString(s.tail)
	return b.String()
}

// list writes (?,?,…).
func list(b *strings.Builder, n int) {
	b.WriteByte('(')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('?')
	}
	b.WriteByte(')')
}

// power returns the largest power of two that is not above n: it bounds how
// many shapes a statement has.
func power(n int) int { return 1 << (bitLen(n) - 1) }

func bitLen(n int) int {
	l := 0
	for ; n > 0; n >>= 1 {
		l++
	}
	return l
}

// rewrite turns $1, $2, … into the engine's numbered parameters. What stands
// in quotes stays.
func rewrite(q string) string {
	if !strings.Contains(q, "$") {
		return q
	}
	b := []byte(q)
	var quote byte
	for i, ch := range b {
		switch {
		case quote != 0:
			if ch == quote {
				quote = 0
			}
		case ch == '\'' || ch == '"':
			quote = ch
		case ch == '$' && i+1 < len(b) && b[i+1] >= '0' && b[i+1] <= '9':
			b[i] = '?'
		}
	}
	return string(b)
}

// DeleteChunks deletes what find names until it names nothing, in transactions
// of at most chunk rows, so that other work goes on in between. find selects
// the 64-bit keys of rows to delete, with its own arguments followed by the
// chunk as the last one (LIMIT); del is the head for [Tx.DeleteIn]. It returns
// how many rows are gone, also with an error.
func (db *DB) DeleteChunks(ctx context.Context, find, del string, chunk int, args ...any) (int64, error) {
	var total int64
	args = append(append(make([]any, 0, len(args)+1), args...), chunk)
	for {
		ids, err := db.keys(ctx, find, args)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		var n int64
		if err := db.Write(ctx, func(tx *Tx) (err error) { n, err = tx.DeleteIn(del, ids); return err }); err != nil {
			return total, err
		}
		total += n
		if n == 0 {
			return total, nil
		}
	}
}

func (db *DB) keys(ctx context.Context, q string, args []any) ([]int64, error) {
	rows, err := db.Query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, sotto.E("store.query", sotto.KindCorrupt, err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
