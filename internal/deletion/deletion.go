// Package deletion follows wishes to be deleted that a network passes on: Meta
// calls an address of its own when a person removes an app, and expects a code
// under which the person can see what became of it.
//
// It promises that every proven wish is durable before the network is answered,
// that the same wish gets the same code for as long as it is open, and that the
// answer never tells whether anything is held of that person. Where the
// network's id is one that the person has written under, the person is erased at
// once. Often it is not: Meta names people to an app by another number than to a
// page. Such a wish waits for somebody who looks the number up, and says so.
//
// The network's number is kept sealed until the wish is settled. What stays
// after that, for half a year, is the code, the state and the days.
package deletion

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/clock"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/ids"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Table is the name of the table, part of what its ciphertext is bound to.
const Table = "deletion_request"

// State is how far a wish is.
type State string

// The states.
const (
	Received State = "received" // nobody has looked yet
	Review   State = "review"   // somebody must find out who is meant
	Erased   State = "erased"   // done; there is a receipt
	Nothing  State = "nothing"  // nothing is held of that person
	Refused  State = "refused"  // with a reason
)

// Open reports whether something is still to be done.
func (s State) Open() bool { return s == Received || s == Review }

// Request is one wish.
type Request struct {
	Code    string    `json:"code"`
	Account string    `json:"account"` // "messenger/shop"
	State   State     `json:"state"`
	Reason  string    `json:"reason,omitempty"` // of a refusal, in the operator's words
	At      time.Time `json:"at"`
	Done    time.Time `json:"done,omitzero"`
	Receipt string    `json:"receipt,omitempty"` // of the erasure
}

// Config connects the desk. All fields are required.
type Config struct {
	DB     *store.DB
	Vault  *vault.Vault
	Gate   *gate.Gate
	Log    *audit.Log
	People *people.People
	IDs    *ids.Source
	Now    clock.Clock
	Logger *slog.Logger

	// Erase erases a person and returns the receipt's id.
	Erase func(ctx context.Context, p sotto.PersonID, by sotto.Recipient) (receipt string, err error)
}

// Desk is where wishes are taken in and settled.
type Desk struct {
	cfg Config
	new chan struct{}
}

// Open prepares the table.
func Open(ctx context.Context, cfg Config) (*Desk, error) {
	return &Desk{cfg: cfg, new: make(chan struct{}, 1)}, cfg.DB.Migrate(ctx, "deletion", []string{
		`CREATE TABLE deletion_request (
			code TEXT PRIMARY KEY, id BIGINT NOT NULL, person BLOB NOT NULL, account TEXT NOT NULL, state TEXT NOT NULL,
			reason TEXT NOT NULL, at BIGINT NOT NULL, done BIGINT NOT NULL, receipt TEXT NOT NULL, sealed BLOB)`,
		`CREATE INDEX deletion_person ON deletion_request (person)`,
	})
}

// subject is the pseudonym of the network's number, apart from that of anybody
// who writes.
func (d *Desk) subject(account, user string) sotto.PersonID {
	return d.cfg.Vault.PersonID(people.Channel(account), account, "deletion:"+user)
}

func ref(id int64, subject sotto.PersonID) vault.Ref {
	return vault.Ref{Table: Table, Row: id, Field: "sealed", Person: subject, Purpose: sotto.PurposeLegal}
}

// Receive takes a proven wish in and returns the code for the person. user is
// the network's number of them.
func (d *Desk) Receive(ctx context.Context, account, user string) (code string, err error) {
	subject := d.subject(account, user)
	id, now := d.cfg.IDs.Next(), d.cfg.Now()
	sealed, err := d.cfg.Vault.Seal(ctx, ref(id, subject), vault.Profile, now, []byte(user))
	if err != nil {
		return "", err
	}
	fresh := rand.Text()[:20]
	err = d.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(`SELECT code FROM deletion_request WHERE person = $1 AND state IN ('received', 'review')`, subject[:]).Scan(&code)
		if err == nil || !errors.Is(err, store.ErrNoRows) {
			return err
		}
		code = fresh
		_, err = tx.Exec(`INSERT INTO deletion_request (code, id, person, account, state, reason, at, done, receipt, sealed)
			VALUES ($1, $2, $3, $4, $5, '', $6, 0, '', $7)`, code, id, subject[:], account, string(Received), now.UnixMilli(), sealed)
		if err != nil {
			return err
		}
		return d.record(tx, code, Received)
	})
	if err != nil {
		return "", err
	}
	select {
	case d.new <- struct{}{}:
	default:
	}
	return code, nil
}

// record writes into the log that a wish is in a state now.
func (d *Desk) record(tx *store.Tx, code string, s State) error {
	trail := audit.NewTrail("deletion", audit.Commitment{})
	trail.Add(audit.Act{Verb: string(s), Ref: code})
	return d.cfg.Log.Append(tx, trail)
}

const columns = `SELECT code, account, state, reason, at, done, receipt FROM deletion_request `

func scan(row interface{ Scan(into ...any) error }) (Request, error) {
	var r Request
	var at, done int64
	if err := row.Scan(&r.Code, &r.Account, &r.State, &r.Reason, &at, &done, &r.Receipt); err != nil {
		return Request{}, err //nolint:wrapcheck // ErrNoRows is told apart by the caller
	}
	r.At = time.UnixMilli(at).UTC()
	if done != 0 {
		r.Done = time.UnixMilli(done).UTC()
	}
	return r, nil
}

// Get returns a wish by its code; ok is false where there is none.
func (d *Desk) Get(ctx context.Context, code string) (r Request, ok bool, err error) {
	r, err = scan(d.cfg.DB.QueryRow(ctx, columns+`WHERE code = $1`, code))
	if errors.Is(err, store.ErrNoRows) {
		return Request{}, false, nil
	}
	if err != nil {
		return Request{}, false, sotto.E("deletion.get", sotto.KindOther, err)
	}
	return r, true, nil
}

// List returns all wishes, the oldest first.
func (d *Desk) List(ctx context.Context) ([]Request, error) {
	rows, err := d.cfg.DB.Query(ctx, columns+`ORDER BY at, code`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	out := []Request{}
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, sotto.E("deletion.list", sotto.KindCorrupt, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Subject opens the network's number of whoever is meant, for the staff that
// looks it up. It is an error of [sotto.KindNotFound] once the wish is settled.
func (d *Desk) Subject(ctx context.Context, code string) (string, error) {
	const op = "deletion.subject"
	r, _, err := d.Get(ctx, code)
	if err != nil {
		return "", err
	}
	id, subject, sealed, err := d.sealed(ctx, code)
	if err != nil {
		return "", err
	}
	if !r.State.Open() {
		return "", sotto.E(op, sotto.KindNotFound, errors.New("the request is settled, and the number is not kept any more"))
	}
	trail := audit.NewTrail("deletion", audit.Commitment{})
	permit, err := d.cfg.Gate.Decide(ctx, trail, gate.Use{
		Action: gate.Open, Person: subject, Purpose: sotto.PurposeLegal,
		Categories: []sotto.Category{sotto.CategoryIdentifier}, Recipient: sotto.RecipientPrivacy,
	})
	trail.Add(audit.Act{Verb: "look up", Recipient: string(sotto.RecipientPrivacy), Ref: code})
	if _, werr := d.cfg.Log.Write(ctx, trail); werr != nil || err != nil {
		return "", errors.Join(err, werr)
	}
	plain, err := d.cfg.Vault.Open(ctx, permit, ref(id, subject), sealed)
	if err != nil {
		return "", sotto.E(op, sotto.KindOf(err), errors.New("the number cannot be opened"))
	}
	return string(plain), nil
}

func (d *Desk) sealed(ctx context.Context, code string) (id int64, subject sotto.PersonID, sealed vault.Sealed, err error) {
	var b []byte
	err = d.cfg.DB.QueryRow(ctx, `SELECT id, person, sealed FROM deletion_request WHERE code = $1`, code).Scan(&id, &b, &sealed)
	if errors.Is(err, store.ErrNoRows) {
		return 0, subject, sealed, sotto.E("deletion.get", sotto.KindNotFound, fmt.Errorf("there is no request %s", code))
	}
	copy(subject[:], b)
	return id, subject, sealed, err
}

// Holding says what the table is.
func (*Desk) Holding() (table, kind, ends string) {
	return Table, "wishes to be deleted that a network passed on, with the network's own number until they are settled", "half a year after they are settled"
}

// Of returns how many wishes there are of a pseudonym, which is that of a
// network's number and not that of a person who writes.
func (d *Desk) Of(ctx context.Context, p sotto.PersonID) (n int64, err error) {
	err = d.cfg.DB.QueryRow(ctx, `SELECT count(*) FROM deletion_request WHERE person = $1`, p[:]).Scan(&n)
	return n, err
}

// Forget deletes the wishes of a pseudonym up to a number.
func (d *Desk) Forget(ctx context.Context, p sotto.PersonID, until int64) (n int64, err error) {
	err = d.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		n, err = tx.Exec(`DELETE FROM deletion_request WHERE person = $1 AND id <= $2`, p[:], until)
		return err
	})
	return n, err
}

// MaxID returns the largest number in the table, or 0.
func (d *Desk) MaxID(ctx context.Context) (n int64, err error) {
	err = d.cfg.DB.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM deletion_request`).Scan(&n)
	return n, err
}
