package people

import (
	"context"
	"errors"

	"github.com/maypok86/otter/v2"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

// AliasTable is the name of the table of aliases.
const AliasTable = "alias"

// Canonical returns the pseudonym that another one stands for, which is itself
// where it is nobody's alias.
func (p *People) Canonical(ctx context.Context, id [16]byte) ([16]byte, error) {
	if !p.linked.Load() {
		return id, nil
	}
	if to, ok := p.aliases.GetIfPresent(id); ok {
		return to, nil
	}
	return p.aliases.Get(ctx, id, otter.LoaderFunc[[16]byte, [16]byte](p.loadAlias))
}

func (p *People) loadAlias(ctx context.Context, id [16]byte) ([16]byte, error) {
	var b []byte
	err := p.db.QueryRow(ctx, `SELECT target FROM alias WHERE id = $1`, id[:]).Scan(&b)
	switch {
	case errors.Is(err, store.ErrNoRows):
		return id, nil
	case err != nil:
		return id, sotto.E("people.alias", sotto.KindOther, err)
	case len(b) != len(id):
		return id, sotto.E("people.alias", sotto.KindCorrupt, errors.New("a pseudonym of another length"))
	}
	return [16]byte(b), nil
}

// Link makes one pseudonym stand for another, of a person or of a conversation,
// until the person whom it concerns is erased. A link that is there already
// stays as it is.
func (p *People) Link(tx *store.Tx, id, target [16]byte, person sotto.PersonID) error {
	n, err := tx.Exec(`INSERT INTO alias (id, target, person) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING`, id[:], target[:], person[:])
	if err != nil || n == 0 {
		return err
	}
	tx.OnCommit(func() {
		p.linked.Store(true)
		p.aliases.Set(id, target)
	})
	return nil
}

// Aliases returns the pseudonyms that stand for a person or their conversation.
func (p *People) Aliases(ctx context.Context, person sotto.PersonID) ([]sotto.PersonID, error) {
	if !p.linked.Load() {
		return nil, nil
	}
	rows, err := p.db.Query(ctx, `SELECT id FROM alias WHERE person = $1 ORDER BY id`, person[:])
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	var out []sotto.PersonID
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil || len(b) != len(person) {
			return nil, sotto.E("people.alias", sotto.KindCorrupt, errors.New("a pseudonym of another length"))
		}
		out = append(out, sotto.PersonID(b))
	}
	return out, rows.Err()
}

// unlink deletes what stands for a person.
func (p *People) unlink(tx *store.Tx, person sotto.PersonID) error {
	if !p.linked.Load() {
		return nil
	}
	n, err := tx.Exec(`DELETE FROM alias WHERE person = $1`, person[:])
	if err == nil && n > 0 {
		tx.OnCommit(p.aliases.InvalidateAll)
	}
	return err
}
