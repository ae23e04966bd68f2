package audit

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

// staged is what one transaction has added so far. It becomes the log's when
// the transaction is durable, and is forgotten when it is rolled back.
type staged struct{ edge edge }

// stage returns the state of the log inside tx.
func (l *Log) stage(tx *store.Tx) (*staged, error) {
	slot := tx.Stash(l)
	if st, ok := (*slot).(*staged); ok {
		return st, nil
	}
	if l.stale {
		if err := l.catchUp(tx); err != nil {
			return nil, err
		}
	}
	st := &staged{edge: l.edge}
	*slot = st
	tx.OnCommit(func() {
		l.edge = st.edge
		l.size.Store(st.edge.size)
	})
	return st, nil
}

// catchUp reads the edge anew. It is needed after a commit that was reported as
// failed and is durable nevertheless.
func (l *Log) catchUp(tx *store.Tx) error {
	r := newReader(tx)
	e, err := r.edge()
	if err != nil {
		return err
	}
	was, err := r.rootAt(l.edge.size)
	if err != nil {
		return err
	}
	if was != l.edge.root() {
		return corrupt("the first %d entries are not those that were written", l.edge.size)
	}
	l.edge, l.stale = e, false
	return nil
}

// Append adds one entry per trail inside a transaction. It may be called several
// times in one transaction. After an error the transaction must be rolled back.
func (l *Log) Append(tx *store.Tx, trails ...*Trail) error {
	const op = "audit.append"
	if len(trails) == 0 {
		return nil
	}
	st, err := l.stage(tx)
	if err != nil {
		return sotto.E(op, sotto.KindOther, err)
	}
	next := st.edge
	var changed []tile
	full := func(t tile) { changed = append(changed, t) }
	now := l.cfg.Now()
	b, args := l.buf[:0], l.args[:0]
	for _, t := range trails {
		from := len(b)
		// The hash of an entry is over a zero byte and the entry (RFC 6962).
		b = appendEntry(append(b, 0), next.size, now, t)
		args = append(args, next.size, b[from+1:])
		t.index = next.size + 1
		next.add(sha256.Sum256(b[from:]), full)
	}
	err = tx.Insert(`INSERT INTO audit_leaf (idx, data)`, "", 2, args)
	clear(args)
	l.buf, l.args = b, args
	if cap(b) > maxBuffer {
		l.buf = nil
	}
	if err == nil {
		err = writeTiles(tx, &next, changed)
	}
	if err != nil {
		l.stale = l.stale || sotto.KindOf(err) == sotto.KindExists
		return sotto.E(op, sotto.KindOther, err)
	}
	st.edge = next
	return nil
}

// maxBuffer is how much memory for encoding is kept between transactions.
const maxBuffer = 1 << 20

// writeTiles stores full tiles, and the growing tiles above them. The growing
// tile of the lowest level is stored with each checkpoint: until then its
// entries say the same, and writing it with each transaction would cost more
// than the entries do.
func writeTiles(tx *store.Tx, e *edge, full []tile) error {
	if len(full) == 0 {
		return nil
	}
	top := 0
	for _, t := range full {
		if err := writeTile(tx, t); err != nil {
			return err
		}
		top = max(top, t.level+1)
	}
	for level := 1; level <= top && level < maxLevels; level++ {
		if err := writeTile(tx, e.partial(level)); err != nil {
			return err
		}
	}
	return nil
}

func writeTile(tx *store.Tx, t tile) error {
	if len(t.hashes) == 0 {
		return nil
	}
	_, err := tx.Exec(`INSERT INTO audit_tile (level, n, hashes) VALUES ($1, $2, $3) ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes`,
		t.level, t.n, joined(t.hashes))
	return err
}

// write is one call of Write.
type write struct {
	trails []*Trail
	first  int64
}

// Write appends trails in a transaction of its own and returns the index of
// the first when it is durable. Several writers share a transaction. There must
// be at least one trail.
func (l *Log) Write(ctx context.Context, trails ...*Trail) (int64, error) {
	if len(trails) == 0 {
		return 0, sotto.E("audit.write", sotto.KindInvalid, errors.New("there is no trail"))
	}
	w := &write{trails: trails}
	if err := l.writes.Do(ctx, w); err != nil {
		return 0, err
	}
	return w.first, nil
}

func (l *Log) runWrites(tx *store.Tx, ws []*write) error {
	trails := make([]*Trail, 0, len(ws))
	for _, w := range ws {
		trails = append(trails, w.trails...)
	}
	if err := l.Append(tx, trails...); err != nil {
		return err
	}
	for _, w := range ws {
		w.first = w.trails[0].Index()
	}
	return nil
}
