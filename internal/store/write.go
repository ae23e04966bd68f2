package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto"
)

// job is one piece of work for the writer: items of one batch, or a function.
type job struct {
	run  batchRunner
	item any
	done func(error) // called by the writer after the commit, in commit order
}

type batchRunner interface {
	runItems(tx *Tx, items []any) error
}

// Tx is the transaction of one group. It is valid only inside the work's call.
type Tx struct {
	ctx      context.Context //nolint:containedctx // lives exactly as long as the transaction
	db       *DB
	tx       *sql.Tx
	stmts    map[string]*sql.Stmt // the writer's prepared statements, kept between transactions
	onCommit []func()
	stash    map[any]any
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(q string, args ...any) (int64, error) {
	st, err := tx.stmt(q)
	if err != nil {
		return 0, sotto.E("store.exec", kindOf(err), err)
	}
	res, err := st.ExecContext(tx.ctx, args...)
	if err != nil {
		return 0, sotto.E("store.exec", kindOf(err), err)
	}
	return res.RowsAffected()
}

// Query runs a statement that returns rows, RETURNING included. Close the rows
// before the next call.
func (tx *Tx) Query(q string, args ...any) (*Rows, error) {
	st, err := tx.stmt(q)
	if err != nil {
		return nil, sotto.E("store.query", kindOf(err), err)
	}
	rows, err := st.QueryContext(tx.ctx, args...) //nolint:sqlclosecheck,rowserrcheck // the caller's to close
	if err != nil {
		return nil, sotto.E("store.query", kindOf(err), err)
	}
	return rows, nil
}

// QueryRow is Query for at most one row.
func (tx *Tx) QueryRow(q string, args ...any) *Row {
	return tx.tx.QueryRowContext(tx.ctx, rewrite(q), args...)
}

func (tx *Tx) stmt(q string) (*sql.Stmt, error) {
	if st, ok := tx.stmts[q]; ok {
		return st, nil
	}
	st, err := tx.db.conn.PrepareContext(tx.ctx, rewrite(q))
	if err != nil {
		return nil, err
	}
	tx.stmts[q] = st
	return st, nil
}

// maxParams keeps a statement below the engines' limits on parameters
// (SQLite 32,766; PostgreSQL 65,535) and few enough shapes to stay prepared.
const maxRows = 64

// Insert adds rows with as few statements as it can. head is the statement up
// to and without VALUES, tail what follows it ("ON CONFLICT … DO NOTHING"); args
// holds the rows' values one row after the other, cols to a row.
func (tx *Tx) Insert(head, tail string, cols int, args []any) error {
	for len(args) > 0 {
		rows := min(len(args)/cols, maxRows)
		rows = 1 << (bitLen(rows) - 1) // 1, 2, 4 … 64: seven prepared shapes
		if _, err := tx.Exec(valuesSQL(head, tail, cols, rows), args[:rows*cols]...); err != nil {
			return err
		}
		args = args[rows*cols:]
	}
	return nil
}

// InsertReturning is Insert with a RETURNING clause in tail; each is called for
// every returned row.
func (tx *Tx) InsertReturning(head, tail string, cols int, args []any, each func(*Rows) error) error {
	for len(args) > 0 {
		rows := min(len(args)/cols, maxRows)
		rows = 1 << (bitLen(rows) - 1)
		if err := tx.each(valuesSQL(head, tail, cols, rows), args[:rows*cols], each); err != nil {
			return err
		}
		args = args[rows*cols:]
	}
	return nil
}

func (tx *Tx) each(q string, args []any, each func(*Rows) error) error {
	rows, err := tx.Query(q, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return sotto.E("store.query", kindOf(err), err)
	}
	return nil
}

// DeleteIn deletes the rows whose key column is one of ids. head is the
// statement up to the list: "DELETE FROM t WHERE id IN".
func (tx *Tx) DeleteIn(head string, ids []int64) (int64, error) {
	var total int64
	for len(ids) > 0 {
		n := 1 << (bitLen(min(len(ids), maxRows)) - 1)
		args := make([]any, n)
		for i, id := range ids[:n] {
			args[i] = id
		}
		k, err := tx.Exec(listSQL(head, n), args...)
		if err != nil {
			return total, err
		}
		total += k
		ids = ids[n:]
	}
	return total, nil
}

func listSQL(head string, n int) string {
	var b strings.Builder
	b.WriteString(head)
	b.WriteString(" (")
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteByte(')')
	return b.String()
}

func bitLen(n int) int {
	l := 0
	for ; n > 0; n >>= 1 {
		l++
	}
	return l
}

func valuesSQL(head, tail string, cols, rows int) string {
	var b strings.Builder
	b.Grow(len(head) + len(tail) + rows*cols*6 + 16)
	b.WriteString(head)
	b.WriteString(" VALUES ")
	n := 1
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for c := range cols {
			if c > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			n++
		}
		b.WriteByte(')')
	}
	b.WriteByte(' ')
	b.WriteString(tail)
	return b.String()
}

// OnCommit has f called after the transaction is durable, in commit order, by
// the writer: f must be quick and must not write.
func (tx *Tx) OnCommit(f func()) { tx.onCommit = append(tx.onCommit, f) }

// Stash keeps a value for the length of the transaction, for parts that are
// called several times in one group and must see their own staged state. It
// returns a place for key, which is nil on its first use in this transaction.
func (tx *Tx) Stash(key any) *any {
	if tx.stash == nil {
		tx.stash = make(map[any]any)
	}
	if v, ok := tx.stash[key].(*any); ok {
		return v
	}
	v := new(any)
	tx.stash[key] = v
	return v
}

type writeFunc struct{}

func (writeFunc) runItems(tx *Tx, items []any) error {
	for _, it := range items {
		if err := it.(func(*Tx) error)(tx); err != nil { //nolint:errcheck,forcetypeassert // only Write makes these
			return err
		}
	}
	return nil
}

// Write runs f in the next group and returns when it is durable. If ctx ends
// first, Write returns its error, and f may or may not have run.
func (db *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	ch := make(chan error, 1)
	db.submit(job{run: writeFunc{}, item: f, done: func(err error) { ch <- err }})
	select {
	case err := <-ch:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Batch runs like work together: all items that wait for one transaction are
// handed to one call, which can store them with few statements.
type Batch[T any] struct {
	db  *DB
	run func(tx *Tx, items []T) error
}

// NewBatch makes a batch whose items run stores.
func NewBatch[T any](db *DB, run func(tx *Tx, items []T) error) *Batch[T] {
	return &Batch[T]{db: db, run: run}
}

func (b *Batch[T]) runItems(tx *Tx, items []any) error {
	typed := make([]T, len(items))
	for i, it := range items {
		typed[i] = it.(T) //nolint:errcheck,forcetypeassert // only Submit makes these
	}
	return b.run(tx, typed)
}

// Do hands in one item and returns when it is durable. If ctx ends first, Do
// returns its error, and the item may or may not be stored.
func (b *Batch[T]) Do(ctx context.Context, item T) error {
	ch := make(chan error, 1)
	b.Submit(item, func(err error) { ch <- err })
	select {
	case err := <-ch:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Submit hands in one item without waiting. done is called by the writer, in
// commit order, after the item is durable or has failed: it must be quick and
// must not write.
func (b *Batch[T]) Submit(item T, done func(error)) {
	b.db.submit(job{run: b, item: item, done: done})
}

func (db *DB) submit(j job) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		j.done(sotto.E("store.write", sotto.KindUnavailable, errClosed))
		return
	}
	db.jobs <- j
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
	defer rows.Close() //nolint:errcheck // reading is over
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
