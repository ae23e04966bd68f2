// Package handout hands a file to a person through a link that works once, on
// networks that take no files from a bot.
//
// The file is sealed under the person's key until it is fetched. The link holds
// a random word of 130 bits, of which only a hash is stored; it ends with the
// first fetch, after a day, and when the person is erased. Whoever has the link
// has the file: it is sent in the person's own chat and nowhere else.
package handout

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/clock"
	"github.com/sotto-chat/sotto/internal/codec"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Table is the name of the table, part of what its ciphertext is bound to.
const Table = "handout"

// Life is how long a link works if nobody follows it.
const Life = 24 * time.Hour

// File is what is handed out.
type File struct {
	Name string
	MIME string
	Data []byte
}

// Config connects the desk. All fields are required.
type Config struct {
	DB     *store.DB
	Vault  *vault.Vault
	Gate   *gate.Gate
	Log    *audit.Log
	People *people.People
	Now    clock.Clock
}

// Desk hands files out.
type Desk struct{ cfg Config }

// Open prepares the table.
func Open(ctx context.Context, cfg Config) (*Desk, error) {
	return &Desk{cfg}, cfg.DB.Migrate(ctx, "handout", []string{
		`CREATE TABLE handout (id BIGINT PRIMARY KEY, word BLOB NOT NULL, person BLOB NOT NULL, expires BIGINT NOT NULL, sealed BLOB NOT NULL)`,
		`CREATE UNIQUE INDEX handout_word ON handout (word)`,
	})
}

// Row is a file that is ready to be stored.
type Row struct {
	ID      int64
	Person  sotto.PersonID
	Expires time.Time
	word    [16]byte
	sealed  vault.Sealed
}

const fileForm = 1

// Prepare seals a file for a person and returns the word for its link. Nothing
// is stored before [Desk.Add].
func (d *Desk) Prepare(ctx context.Context, id int64, p sotto.PersonID, f *File) (row *Row, word string, err error) {
	now := d.cfg.Now()
	w := codec.NewWriter(fileForm, len(f.Data)+64)
	w.Str(f.Name)
	w.Str(f.MIME)
	w.Raw(f.Data)
	row = &Row{ID: id, Person: p, Expires: now.Add(Life)}
	word = rand.Text()
	row.word = hash(word)
	row.sealed, err = d.cfg.Vault.Seal(ctx, ref(id, p), vault.Transit, now, w.Bytes())
	return row, word, err
}

func hash(word string) [16]byte {
	sum := sha256.Sum256([]byte(word))
	return [16]byte(sum[:16])
}

func ref(id int64, p sotto.PersonID) vault.Ref {
	return vault.Ref{Table: Table, Row: id, Field: "sealed", Person: p, Purpose: sotto.PurposeLegal}
}

// Add stores a file in the transaction of the message that holds its link.
func (*Desk) Add(tx *store.Tx, r *Row) error {
	_, err := tx.Exec(`INSERT INTO handout (id, word, person, expires, sealed) VALUES ($1, $2, $3, $4, $5)`,
		r.ID, r.word[:], r.Person[:], r.Expires.UnixMilli(), r.sealed)
	return err
}

// Ready reports whether a word leads to a file.
func (d *Desk) Ready(ctx context.Context, word string) (bool, error) {
	h := hash(word)
	var n int64
	err := d.cfg.DB.QueryRow(ctx, `SELECT count(*) FROM handout WHERE word = $1 AND expires > $2`, h[:], d.cfg.Now().UnixMilli()).Scan(&n)
	return n > 0, err
}

// Take returns the file that a word leads to, once: of several who take it at
// the same time one gets it. The others, and everybody later, get an error of
// [sotto.KindNotFound], as for a word that never was.
func (d *Desk) Take(ctx context.Context, word string) (*File, error) {
	const op = "handout.take"
	gone := sotto.E(op, sotto.KindNotFound, errors.New("the link leads nowhere, or not any more"))
	h := hash(word)
	var id, expires int64
	var b []byte
	var sealed vault.Sealed
	err := d.cfg.DB.QueryRow(ctx, `SELECT id, person, expires, sealed FROM handout WHERE word = $1`, h[:]).Scan(&id, &b, &expires, &sealed)
	if errors.Is(err, store.ErrNoRows) || err == nil && expires <= d.cfg.Now().UnixMilli() {
		return nil, gone
	}
	if err != nil {
		return nil, sotto.E(op, sotto.KindOther, err)
	}
	var p sotto.PersonID
	copy(p[:], b)
	f, trail, err := d.open(ctx, id, p, sealed)
	if k := sotto.KindOf(err); k == sotto.KindNotFound || k == sotto.KindCorrupt {
		return nil, gone // erased meanwhile
	}
	if err != nil {
		return nil, err
	}
	var n int64
	err = d.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		if n, err = tx.Exec(`DELETE FROM handout WHERE id = $1`, id); err != nil || n == 0 {
			return err
		}
		return d.cfg.Log.Append(tx, trail)
	})
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, gone
	}
	return f, nil
}

func (d *Desk) open(ctx context.Context, id int64, p sotto.PersonID, sealed vault.Sealed) (*File, *audit.Trail, error) {
	who, _, err := d.cfg.Vault.Commitment(ctx, p, false)
	if err != nil {
		return nil, nil, err
	}
	st, err := d.cfg.People.Get(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	trail := audit.NewTrail("handout", who)
	permit, err := d.cfg.Gate.Decide(ctx, trail, gate.Use{
		Action: gate.Open, Person: p, Facts: st.Facts(), Channel: people.Channel(st.Account), Purpose: sotto.PurposeLegal,
		Categories: []sotto.Category{sotto.CategoryMessage}, Recipient: sotto.RecipientPerson,
	})
	if err != nil {
		return nil, nil, err
	}
	plain, err := d.cfg.Vault.Open(ctx, permit, ref(id, p), sealed)
	if err != nil {
		return nil, nil, err
	}
	trail.Add(audit.Act{Verb: "hand out", Recipient: string(sotto.RecipientPerson), Count: 1})
	r := codec.NewReader(plain, fileForm)
	f := &File{Name: r.Str(), MIME: r.Str(), Data: r.Raw()}
	return f, trail, r.End()
}

// Holding says what the table is.
func (*Desk) Holding() (table, kind, ends string) {
	return Table, "files that wait to be fetched through a link", "when they are fetched, at the latest after a day"
}

const sweepRows = 200

// Of returns how many files wait for a person.
func (d *Desk) Of(ctx context.Context, p sotto.PersonID) (n int64, err error) {
	err = d.cfg.DB.QueryRow(ctx, `SELECT count(*) FROM handout WHERE person = $1`, p[:]).Scan(&n)
	return n, err
}

// Forget deletes the files of a person up to a number.
func (d *Desk) Forget(ctx context.Context, p sotto.PersonID, until int64) (int64, error) {
	return d.cfg.DB.DeleteChunks(ctx, `SELECT id FROM handout WHERE person = $1 AND id <= $2 LIMIT $3`, `DELETE FROM handout WHERE id IN`, sweepRows, p[:], until)
}

// Sweep deletes the files whose link has ended.
func (d *Desk) Sweep(ctx context.Context, now time.Time) (int64, error) {
	return d.cfg.DB.DeleteChunks(ctx, `SELECT id FROM handout WHERE expires <= $1 LIMIT $2`, `DELETE FROM handout WHERE id IN`, sweepRows, now.UnixMilli())
}

// MaxID returns the largest number in the table, or 0.
func (d *Desk) MaxID(ctx context.Context) (int64, error) {
	var n int64
	err := d.cfg.DB.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM handout`).Scan(&n)
	return n, err
}
