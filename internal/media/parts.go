package media

import (
	"context"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/gate"
)

// ends says when a file ends, in plain words.
const ends = "on a last day of its own, and when the person deletes the message that it came with"

// Holding says what the table of files holds, for the list of what is held.
func (*Media) Holding() (table, kind, last string) {
	return Table, "files that were sent along and that the bot asked for", ends
}

// Of returns how many files of a person are kept.
func (m *Media) Of(ctx context.Context, p sotto.PersonID) (int64, error) {
	return m.count(ctx, `SELECT count(*) FROM media WHERE person = $1`, p)
}

func (m *Media) count(ctx context.Context, q string, p sotto.PersonID) (int64, error) {
	var n int64
	err := m.cfg.DB.QueryRow(ctx, q, p[:]).Scan(&n)
	return n, err
}

// Parts is the table of the content of files.
type Parts struct{ m *Media }

// Parts returns the table of the content of files, for the list of what is held.
func (m *Media) Parts() Parts { return Parts{m} }

// Holding says what the table holds.
func (Parts) Holding() (table, kind, last string) {
	return PartTable, "the content of these files, in parts", ends
}

// Export returns nothing: the content stands with the files.
func (Parts) Export(context.Context, gate.Permit, sotto.PersonID) (any, error) { return nil, nil } //nolint:nilnil // see above

// Of returns how many parts of files of a person are kept.
func (t Parts) Of(ctx context.Context, p sotto.PersonID) (int64, error) {
	return t.m.count(ctx, `SELECT count(*) FROM media_part WHERE person = $1`, p)
}

// Sweep deletes the parts of files that are past their last day.
func (t Parts) Sweep(ctx context.Context, now time.Time) (int64, error) {
	return t.m.cfg.DB.DeleteChunks(ctx, `SELECT id FROM media_part`+due, deletePart, partRows, t.m.dueArgs(now)...)
}

// Forget deletes the parts of files of a person up to a number.
func (t Parts) Forget(ctx context.Context, p sotto.PersonID, until int64) (int64, error) {
	return t.m.cfg.DB.DeleteChunks(ctx, `SELECT id FROM media_part`+ofPerson, deletePart, partRows, p[:], until)
}
