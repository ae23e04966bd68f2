package audit

import (
	"crypto/sha256"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	// maxLevels times tileHeight is more than the bits of an index.
	maxLevels = 8
)

// edge is the right edge of the tree: the hashes of the tile that grows, on
// each level of tiles. It says all that adding an entry and computing the root
// need. A copy is cheap, and stays what it was when the original grows: adding
// only writes behind the end of a copy's slices, and begins a new slice when a
// tile is full. Two copies must not both grow, unless one of them is given up.
type edge struct {
	size   int64
	levels [maxLevels][]tlog.Hash
}

// tile is a tile that changed.
type tile struct {
	level  int
	n      int64
	hashes []tlog.Hash
}

// add adds the hash of the next entry, and hands full tiles to full.
func (e *edge) add(h tlog.Hash, full func(tile)) {
	e.size++
	n := e.size
	for level := range e.levels {
		if e.levels[level] == nil {
			e.levels[level] = make([]tlog.Hash, 0, tileWidth)
		}
		e.levels[level] = append(e.levels[level], h)
		if len(e.levels[level]) < tileWidth {
			return
		}
		n >>= tileHeight
		full(tile{level: level, n: n - 1, hashes: e.levels[level]})
		h = perfectRoot(e.levels[level])
		e.levels[level] = nil
	}
}

// partial returns the tile that grows on a level.
func (e *edge) partial(level int) tile {
	return tile{level: level, n: e.size >> (tileHeight * (level + 1)), hashes: e.levels[level]}
}

// root returns the root over all entries (RFC 6962, section 2.1).
func (e *edge) root() tlog.Hash {
	var root tlog.Hash
	first := true
	// The tree is a row of perfect trees, each smaller than the one before it.
	// They are joined from the right.
	for level := range e.levels {
		rest := e.levels[level]
		for width := 1; len(rest) > 0; width <<= 1 {
			if len(rest)&width == 0 {
				continue
			}
			left := perfectRoot(rest[len(rest)-width:])
			rest = rest[:len(rest)-width]
			if first {
				root, first = left, false
			} else {
				root = tlog.NodeHash(left, root)
			}
		}
	}
	if first {
		return sha256.Sum256(nil)
	}
	return root
}

// perfectRoot returns the root over 2^k hashes.
func perfectRoot(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(perfectRoot(hashes[:half]), perfectRoot(hashes[half:]))
}

// joined returns hashes one behind the other, as a tile is stored.
func joined(hashes []tlog.Hash) []byte {
	b := make([]byte, 0, len(hashes)*tlog.HashSize)
	for i := range hashes {
		b = append(b, hashes[i][:]...)
	}
	return b
}
