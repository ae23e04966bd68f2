package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

// The kinds of faults.
const (
	FaultEdited     = "edited"      // entries are not those that were signed
	FaultRemoved    = "removed"     // entries are missing
	FaultInserted   = "inserted"    // entries are there that were never written
	FaultRolledBack = "rolled back" // the database was set back to before the head
	FaultCheckpoint = "checkpoint"  // a checkpoint in the database is not genuine
	FaultHead       = "head"        // the head file is not genuine, or missing
	FaultTile       = "tile"        // the entries are right, and the tree kept beside them is not
)

// Fault is what [Verify] found.
type Fault struct { //nolint:errname // a fault in the log, as the documents call it
	What     string // one of the kinds of faults
	From, To int64  // the entries concerned: From and those up to but without To
	Detail   string
}

func (f *Fault) Error() string {
	switch f.What {
	case FaultCheckpoint, FaultHead, FaultTile:
		return f.Detail
	case FaultRolledBack:
		return "the database was set back: " + f.Detail
	case FaultRemoved:
		return entries(f.From, f.To, "is missing", "are missing") + ": " + f.Detail
	case FaultInserted:
		return entries(f.From, f.To, "was inserted", "were inserted") + ": " + f.Detail
	}
	if f.To == f.From+1 {
		return entries(f.From, f.To, "was edited", "") + ": " + f.Detail
	}
	return fmt.Sprintf("one or more of the entries %d to %d were edited: %s", f.From, f.To-1, f.Detail)
}

func entries(from, to int64, one, many string) string {
	if to <= from+1 {
		return fmt.Sprintf("entry %d %s", from, one)
	}
	return fmt.Sprintf("entries %d to %d %s", from, to-1, many)
}

// VerifyOptions says what a log is held against.
type VerifyOptions struct {
	VerifierKey  string // the log's public key, see [Log.VerifierKey]; it must be known from elsewhere
	HeadFile     string // default "": none, and then a database that was set back goes unnoticed
	AcceptNoHead bool   // a missing head file is no fault; default false
}

// Report is what was verified.
type Report struct {
	Entries     int64     `json:"entries"`
	Signed      int64     `json:"signed"` // entries that a checkpoint covers
	Root        string    `json:"root"`   // over all entries, base64
	Checkpoints int       `json:"checkpoints"`
	Head        int64     `json:"head"` // entries that the head file covers; -1 without one
	HeadTime    time.Time `json:"head_time,omitzero"`
}

// Verify re-hashes every entry and holds the result against the stored tree,
// all stored checkpoints, and the head file. It needs the database and the
// public key, not the running program. The first fault found is the error: a
// [*Fault], wrapped as [sotto.KindCorrupt].
func Verify(ctx context.Context, db *store.DB, opts VerifyOptions) (Report, error) {
	const op = "audit.verify"
	verifier, err := note.NewVerifier(opts.VerifierKey)
	if err != nil {
		return Report{}, sotto.E(op, sotto.KindInvalid, fmt.Errorf("the verifier key: %w", err))
	}
	v := &verification{q: onDB(ctx, db), verifier: verifier}
	err = v.run(opts)
	if _, ok := errors.AsType[*Fault](err); ok {
		return v.report, sotto.E(op, sotto.KindCorrupt, err)
	}
	if err != nil {
		return v.report, sotto.E(op, sotto.KindOther, err)
	}
	return v.report, nil
}

// mark is a size at which the root is known from a signature.
type mark struct {
	*checkpoint
	head bool
}

func (m mark) String() string {
	what := "the checkpoint"
	if m.head {
		what = "the head"
	}
	return what + m.signedAt()
}

// verification is one run of Verify.
type verification struct {
	q        querier
	verifier note.Verifier
	report   Report

	marks []mark // in order of size
	known int64  // entries that the tree knows
	end   int64  // one more than the highest index
	edge  edge   // over the entries seen so far
	good  int64  // entries that a signature was found to cover

	// The first of each kind; which of them is the fault is known in the end.
	leaf    *Fault // an entry differs from its hash in the tree
	bad     *mark  // a signature does not cover the entries
	badFrom int64  // the entries that were good before it
	tile    *Fault // a tile is missing, or differs from the one below
}

func (v *verification) run(opts VerifyOptions) error {
	// What was signed is read before the entries, so that a log that grows
	// meanwhile is no fault.
	if err := v.readHead(opts); err != nil {
		return err
	}
	if err := v.readCheckpoints(); err != nil {
		return err
	}
	slices.SortStableFunc(v.marks, func(a, b mark) int { return cmp.Compare(a.size, b.size) })
	var err error
	if v.known, err = knownEntries(v.q); err != nil {
		return err
	}
	if v.end, err = lastIndex(v.q); err != nil {
		return err
	}
	if err := v.strays(); err != nil {
		return err
	}
	v.check()
	for n := int64(0); n<<tileHeight < v.end; n++ {
		gap, err := v.block(n)
		if err != nil {
			return err
		}
		if gap != nil {
			return v.earliest(gap)
		}
	}
	v.upperTiles()
	v.report.Entries, v.report.Signed, v.report.Root = v.edge.size, v.good, v.edge.root().String()
	return v.earliest(v.missing())
}

// knownEntries returns how many entries the lowest tiles know.
func knownEntries(q querier) (int64, error) {
	n := int64(-1)
	err := each(q, func(rows *store.Rows) error { return rows.Scan(&n) },
		`SELECT COALESCE(MAX(n), -1) FROM audit_tile WHERE level = 0`)
	if err != nil || n < 0 {
		return 0, err
	}
	hashes, err := readTile(q, 0, n)
	if sotto.KindOf(err) == sotto.KindCorrupt {
		return 0, nil // said when its entries are read
	}
	return n<<tileHeight + int64(len(hashes)), err
}

func (v *verification) readHead(opts VerifyOptions) error {
	v.report.Head = -1
	head, err := readHead(opts.HeadFile, v.verifier)
	switch {
	case sotto.KindOf(err) == sotto.KindCorrupt:
		return &Fault{What: FaultHead, Detail: err.Error()}
	case err != nil:
		return err
	case head != nil:
		v.report.Head, v.report.HeadTime = head.size, head.time()
		v.marks = append(v.marks, mark{head, true})
	case opts.HeadFile != "" && !opts.AcceptNoHead:
		return &Fault{What: FaultHead, Detail: "the head file is missing"}
	}
	return nil
}

func (v *verification) readCheckpoints() error {
	return each(v.q, func(rows *store.Rows) error {
		var size int64
		var msg []byte
		if err := rows.Scan(&size, &msg); err != nil {
			return &Fault{What: FaultCheckpoint, Detail: "a checkpoint has no whole number as its size"}
		}
		c, err := openCheckpoint(msg, v.verifier)
		if err == nil && c.size != size {
			err = fmt.Errorf("it covers %d entries", c.size)
		}
		if err != nil {
			return &Fault{What: FaultCheckpoint, To: size, Detail: fmt.Sprintf("the checkpoint of %d entries is not genuine: %v", size, err)}
		}
		v.report.Checkpoints++
		v.marks = append(v.marks, mark{c, false})
		return nil
	}, `SELECT size, note FROM audit_checkpoint ORDER BY size`)
}

// strays looks for entries before the first.
func (v *verification) strays() error {
	return eachLeaf(v.q, math.MinInt64, 0, func(idx int64, _ []byte) error {
		return &Fault{What: FaultInserted, From: idx, To: idx + 1, Detail: "the log begins with entry 0"}
	})
}

// block hashes the entries of one tile. gap is where entries are missing
// although later ones are there.
func (v *verification) block(n int64) (gap *Fault, err error) {
	from := n << tileHeight
	to := min(from+tileWidth, v.end)
	stored, err := readTile(v.q, 0, n)
	if err != nil {
		v.keepTile(&Fault{What: FaultTile, From: from, To: to, Detail: err.Error()})
	}
	var hashes []tlog.Hash
	says := int64(-1)
	suspect := -1
	err = eachLeaf(v.q, from, to, func(idx int64, data []byte) error {
		if want := from + int64(len(hashes)); idx != want {
			gap = &Fault{What: FaultRemoved, From: want, To: idx, Detail: fmt.Sprintf("the next one is entry %d", idx)}
			return errGap
		}
		h := tlog.RecordHash(data)
		at, err := saysIndex(data)
		known := len(hashes) < len(stored)
		if suspect < 0 && (known && stored[len(hashes)] != h || !known && (err != nil || at != idx)) {
			if suspect = len(hashes); err == nil {
				says = at
			}
		}
		hashes = append(hashes, h)
		return nil
	})
	if err != nil && !errors.Is(err, errGap) {
		return nil, err
	}
	if gap == nil && from+int64(len(hashes)) < to {
		if gap, err = v.gapTo(from + int64(len(hashes))); err != nil {
			return nil, err
		}
	}
	if suspect >= 0 && v.leaf == nil {
		v.leaf = classify(from, suspect, says, hashes, stored)
	}
	for _, h := range hashes {
		v.edge.add(h, v.compareTile)
		v.check()
	}
	return gap, nil
}

// errGap ends the reading of a block where an entry is missing.
var errGap = errors.New("an entry is missing")

// gapTo describes the gap that begins at from and ends in a later block.
func (v *verification) gapTo(from int64) (*Fault, error) {
	f := &Fault{What: FaultRemoved, From: from, To: v.end - 1}
	err := each(v.q, func(rows *store.Rows) error { return rows.Scan(&f.To) },
		`SELECT MIN(idx) FROM audit_leaf WHERE idx >= $1`, from)
	f.Detail = fmt.Sprintf("the next one is entry %d", f.To)
	return f, err
}

// classify says what happened to entry i of the block that begins at from.
// says is the index that stands in it, or -1.
func classify(from int64, i int, says int64, hashes, stored []tlog.Hash) *Fault {
	at := from + int64(i)
	f := &Fault{What: FaultEdited, From: at, To: at + 1, Detail: "it is not the one that the tree was made of"}
	switch {
	case i >= len(stored):
		f.What, f.Detail = FaultInserted, "it does not say that it is this entry"
		if says >= 0 {
			f.Detail = fmt.Sprintf("it says that it is entry %d", says)
		}
	case i+1 < len(hashes) && hashes[i+1] == stored[i]:
		f.What, f.Detail = FaultInserted, "the one that belongs here follows it"
	case i+1 < len(stored) && hashes[i] == stored[i+1]:
		f.What, f.Detail = FaultRemoved, "the one that follows it stands in its place"
	case says >= 0 && says != at:
		f.Detail = fmt.Sprintf("entry %d stands in its place", says)
	}
	return f
}

func (v *verification) keepTile(f *Fault) {
	if v.tile == nil {
		v.tile = f
	}
}

// compareTile holds a full tile against the stored one. Those of the lowest
// level were compared entry by entry, unless they are missing.
func (v *verification) compareTile(t tile) {
	stored, err := readTile(v.q, t.level, t.n)
	ok := err == nil && len(stored) >= len(t.hashes) && slices.Equal(stored[:len(t.hashes)], t.hashes)
	if !ok {
		width := int64(tileHeight * (t.level + 1))
		v.keepTile(&Fault{
			What: FaultTile, From: t.n << width, To: min((t.n+1)<<width, v.end),
			Detail: fmt.Sprintf("tile %d/%d is missing or does not match its entries, which are those that were signed", t.level, t.n),
		})
	}
}

// upperTiles compares the growing tiles above the lowest.
func (v *verification) upperTiles() {
	for level := 1; level < maxLevels; level++ {
		if t := v.edge.partial(level); len(t.hashes) > 0 {
			v.compareTile(t)
		}
	}
}

// check compares the root over the entries so far with what was signed.
func (v *verification) check() {
	for ; len(v.marks) > 0 && v.marks[0].size == v.edge.size; v.marks = v.marks[1:] {
		m := v.marks[0]
		switch {
		case v.edge.root() == m.root:
			v.good = m.size
		case v.bad == nil:
			v.bad, v.badFrom = &m, v.good
		}
	}
}

// missing reports entries that were signed, or are in the tree, and are not
// there any more.
func (v *verification) missing() *Fault {
	end := v.edge.size
	f := &Fault{What: FaultRolledBack, From: end}
	if v.known > end {
		f.What, f.To, f.Detail = FaultRemoved, v.known, "they are in the tree"
	}
	for _, m := range v.marks { // those that were not reached
		if !m.head {
			f.What = FaultRemoved
		}
		if m.size > f.To || m.head {
			f.To = max(f.To, m.size)
			f.Detail = fmt.Sprintf("%v covers %d", m, m.size)
		}
	}
	if f.To == 0 {
		return nil
	}
	if f.What == FaultRolledBack {
		f.Detail = fmt.Sprintf("it has %d entries, %s", end, f.Detail)
	}
	return f
}

// earliest decides which of the findings is the fault.
func (v *verification) earliest(gap *Fault) error {
	switch {
	case v.bad != nil && v.good >= v.bad.size:
		// What was signed later covers the same entries: they are right.
		return v.foreign()
	case v.bad != nil:
		if v.leaf != nil && v.leaf.From < v.bad.size {
			return v.leaf
		}
		return &Fault{
			What: FaultEdited, From: v.badFrom, To: v.bad.size,
			Detail: fmt.Sprintf("%v covers %d, and they do not have its root; the tree was changed with them", *v.bad, v.bad.size),
		}
	case v.leaf != nil && v.leaf.From >= v.good:
		return v.leaf
	case gap != nil:
		return gap
	case v.leaf != nil:
		return &Fault{
			What: FaultTile, From: v.leaf.From, To: v.leaf.To,
			Detail: fmt.Sprintf("the hash of entry %d was changed in the tree; the entry is the one that was signed", v.leaf.From),
		}
	case v.tile != nil:
		return v.tile
	}
	return nil
}

// foreign is the fault of a signature that does not belong to these entries,
// although they are right.
func (v *verification) foreign() error {
	f := &Fault{
		What: FaultCheckpoint, To: v.bad.size,
		Detail: fmt.Sprintf("%v, of %d entries, is of another history of this log", *v.bad, v.bad.size),
	}
	if v.bad.head {
		f.What = FaultHead
	}
	return f
}
