package store

import (
	"context"

	"github.com/sotto-chat/sotto"
)

// Tx is the transaction of one group. It is valid only inside the work's call,
// and used by that goroutine only.
type Tx struct {
	c        *conn
	onCommit []func()
	stash    map[any]any
	open     []*Rows // not closed yet
}

// end closes the rows that the work left open, which would keep the
// transaction from ending.
func (tx *Tx) end() {
	for _, r := range tx.open {
		r.close()
	}
	tx.c = nil
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(q string, args ...any) (int64, error) {
	st, err := tx.prepare("store.exec", q)
	if err != nil {
		return 0, err
	}
	n, err := st.exec(args)
	if !st.keep {
		st.finalize()
	}
	if err != nil {
		return 0, sotto.E("store.exec", kindOf(err), err)
	}
	return n, nil
}

// Query runs a statement that returns rows, RETURNING included. Rows that are
// left open are closed when the work returns.
func (tx *Tx) Query(q string, args ...any) (*Rows, error) {
	r := new(Rows)
	if err := tx.start(context.Background(), r, q, args); err != nil {
		return nil, err
	}
	tx.open = append(tx.open, r)
	return r, nil
}

// QueryRow is Query for at most one row. The query runs when the row is
// scanned.
func (tx *Tx) QueryRow(q string, args ...any) *Row {
	return &Row{from: tx, ctx: context.Background(), q: q, args: args}
}

func (tx *Tx) start(_ context.Context, r *Rows, q string, args []any) error {
	st, err := tx.prepare("store.query", q)
	if err != nil {
		return err
	}
	if err := st.bind(args); err != nil {
		if !st.keep {
			st.finalize()
		}
		return sotto.E("store.query", kindOf(err), err)
	}
	st.busy = true
	r.st = st
	return nil
}

func (tx *Tx) prepare(op, q string) (*stmt, error) {
	if tx.c == nil {
		return nil, sotto.E(op, sotto.KindOther, errTxEnded)
	}
	st, err := tx.c.prepare(q)
	if err != nil {
		return nil, sotto.E(op, kindOf(err), err)
	}
	return st, nil
}

// OnCommit has f called after the transaction is durable, in commit order, by
// the writer: f must be quick and must not wait for a write.
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
