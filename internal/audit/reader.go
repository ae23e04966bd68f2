package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

func corrupt(format string, args ...any) error {
	return sotto.E("audit", sotto.KindCorrupt, fmt.Errorf(format, args...))
}

// querier is what a transaction and the database have in common.
type querier interface {
	Query(q string, args ...any) (*store.Rows, error)
}

type dbQuerier struct {
	ctx context.Context //nolint:containedctx // lives as long as the call that made it
	db  *store.DB
}

func onDB(ctx context.Context, db *store.DB) querier { return dbQuerier{ctx, db} }

// Query implements querier on what is committed.
func (q dbQuerier) Query(s string, args ...any) (*store.Rows, error) {
	return q.db.Query(q.ctx, s, args...)
}

// each calls f for each row of a query.
func each(q querier, f func(*store.Rows) error, query string, args ...any) (err error) {
	rows, err := q.Query(query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Err(), rows.Close()) }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return nil
}

// eachLeaf calls f for the entries that there are in [from, to).
func eachLeaf(q querier, from, to int64, f func(idx int64, data []byte) error) error {
	return each(q, func(rows *store.Rows) error {
		var idx int64
		var data []byte
		if err := rows.Scan(&idx, &data); err != nil {
			return corrupt("an entry from %d on has no whole number as its index: %w", from, err)
		}
		return f(idx, data)
	}, `SELECT idx, data FROM audit_leaf WHERE idx >= $1 AND idx < $2 ORDER BY idx`, from, to)
}

// lastIndex returns the highest index plus one.
func lastIndex(q querier) (end int64, err error) {
	err = each(q, func(rows *store.Rows) error {
		return rows.Scan(&end)
	}, `SELECT COALESCE(MAX(idx) + 1, 0) FROM audit_leaf`)
	return end, err
}

// readTile returns the stored hashes of a tile; none where there is no row.
func readTile(q querier, level int, n int64) (hashes []tlog.Hash, err error) {
	err = each(q, func(rows *store.Rows) error {
		var b []byte
		if err := rows.Scan(&b); err != nil || len(b)%tlog.HashSize != 0 || len(b) > tileWidth*tlog.HashSize {
			return corrupt("tile %d/%d has %d bytes", level, n, len(b))
		}
		hashes = make([]tlog.Hash, 0, tileWidth)
		for ; len(b) > 0; b = b[tlog.HashSize:] {
			hashes = append(hashes, tlog.Hash(b[:tlog.HashSize]))
		}
		return nil
	}, `SELECT hashes FROM audit_tile WHERE level = $1 AND n = $2`, level, n)
	return hashes, err
}

// reader computes hashes of the stored tree.
type reader struct {
	q     querier
	size  int64 // known after edge
	tiles map[[2]int64][]tlog.Hash
}

func newReader(q querier) *reader { return &reader{q: q, tiles: make(map[[2]int64][]tlog.Hash)} }

// edge reads the right edge: the lowest level from the entries themselves, the
// others from the tiles.
func (r *reader) edge() (edge, error) {
	var e edge
	var err error
	if r.size, err = lastIndex(r.q); err != nil {
		return e, err
	}
	e.size = r.size
	if e.levels[0], err = r.leafHashes(r.size &^ (tileWidth - 1)); err != nil {
		return e, err
	}
	for level := 1; level < maxLevels; level++ {
		want := int(r.size >> (tileHeight * level) & (tileWidth - 1))
		if want == 0 {
			continue
		}
		t := e.partial(level)
		hashes, err := r.tile(level, t.n, want)
		if err != nil {
			return e, err
		}
		e.levels[level] = append(make([]tlog.Hash, 0, tileWidth), hashes[:want]...)
	}
	return e, nil
}

// leafHashes hashes the entries of one tile, up to the end of the log.
func (r *reader) leafHashes(from int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, 0, tileWidth)
	err := eachLeaf(r.q, from, min(from+tileWidth, r.size), func(idx int64, data []byte) error {
		if idx != from+int64(len(hashes)) {
			return corrupt("entry %d is missing", from+int64(len(hashes)))
		}
		hashes = append(hashes, tlog.RecordHash(data))
		return nil
	})
	return hashes, err
}

// tile returns the hashes of a tile, at least want of them.
func (r *reader) tile(level int, n int64, want int) ([]tlog.Hash, error) {
	key := [2]int64{int64(level), n}
	hashes, ok := r.tiles[key]
	if !ok {
		var err error
		if level == 0 && n == r.size>>tileHeight {
			hashes, err = r.leafHashes(n << tileHeight)
		} else {
			hashes, err = readTile(r.q, level, n)
		}
		if err != nil {
			return nil, err
		}
		r.tiles[key] = hashes
	}
	if len(hashes) < want {
		return nil, corrupt("tile %d/%d has %d hashes, %d are needed", level, n, len(hashes), want)
	}
	return hashes, nil
}

// ReadHashes implements tlog.HashReader.
func (r *reader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		t := tlog.TileForIndex(tileHeight, index)
		hashes, err := r.tile(t.L, t.N, t.W)
		if err == nil {
			out[i], err = tlog.HashFromTile(t, joined(hashes[:t.W]), index)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rootAt returns the root over the first size entries, from the tiles.
func (r *reader) rootAt(size int64) (tlog.Hash, error) {
	if size == 0 {
		return (&edge{}).root(), nil
	}
	return tlog.TreeHash(size, r)
}

// checkEdge holds the right edge against what is stored beside it: the newest
// entries against their tile, and each level's last full tile against the tile
// above.
func (r *reader) checkEdge(e *edge) error {
	stored, err := readTile(r.q, 0, e.size>>tileHeight)
	if err != nil {
		return err
	}
	for i, h := range stored {
		at := e.size&^(tileWidth-1) + int64(i)
		if i >= len(e.levels[0]) {
			return corrupt("the tree has entry %d, the log ends before it: entries were removed", at)
		}
		if h != e.levels[0][i] {
			return corrupt("entry %d is not the one in the tree", at)
		}
	}
	for level := 0; e.size>>(tileHeight*(level+1)) > 0; level++ {
		n := e.size>>(tileHeight*(level+1)) - 1
		below, err := r.tile(level, n, tileWidth)
		if err != nil {
			return err
		}
		if level == 0 {
			leaves, err := r.leafHashes(n << tileHeight)
			if err != nil {
				return err
			}
			if !slices.Equal(leaves, below) {
				return corrupt("entries %d to %d are not those in the tree", n<<tileHeight, (n+1)<<tileHeight-1)
			}
		}
		at := int(n & (tileWidth - 1))
		above, err := r.tile(level+1, n>>tileHeight, at+1)
		if err != nil {
			return err
		}
		if above[at] != perfectRoot(below) {
			return corrupt("tile %d/%d does not match the tile above it", level, n)
		}
	}
	return nil
}

// newestCheckpoint returns the one of the greatest size; nil where there is none.
func (r *reader) newestCheckpoint(v note.Verifier) (*checkpoint, error) {
	var found *checkpoint
	err := each(r.q, func(rows *store.Rows) error {
		var b []byte
		err := rows.Scan(&b)
		if err == nil {
			found, err = openCheckpoint(b, v)
		}
		if err != nil {
			return corrupt("the newest checkpoint in the database: %w", err)
		}
		return nil
	}, `SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1`)
	return found, err
}

// covers reports why the log is not the one that c was made of, or that it
// ends before c.
func (r *reader) covers(c *checkpoint, what string) error {
	if c == nil {
		return nil
	}
	if c.size > r.size {
		return corrupt("the database was set back: %s%s covers %d entries, the log has %d", what, c.signedAt(), c.size, r.size)
	}
	root, err := r.rootAt(c.size)
	if err != nil {
		return err
	}
	if root != c.root {
		return corrupt("%s%s is of another history: the first %d entries are not those that were signed", what, c.signedAt(), c.size)
	}
	return nil
}
