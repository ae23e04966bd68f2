// Package offers remembers the buttons that went out as numbers, so that a
// number that comes back as text is the button.
//
// A network without buttons shows them as a numbered list, or as a keyboard
// whose presses come back as text. Of each person in each conversation the last
// such message is kept, sealed, until a later message with buttons takes its
// place, for a day at the most, or until the person is erased. In memory stands
// only who has an offer at all: where there is none, a message costs one look.
//
// It does not read messages by itself and does not decide who may: who asks for
// a match holds a permit to open what is the person's. It knows nothing of what a
// button does.
package offers

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/clock"
	"github.com/sotto-chat/sotto/internal/codec"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Table is the name of the table, part of what its ciphertext is bound to.
const Table = "offer"

// KeptFor is how long an offer can be answered.
const KeptFor = 24 * time.Hour

// Offer is the buttons of one message.
type Offer struct {
	ID           int64 // the message's
	Person       sotto.PersonID
	Conversation sotto.ConversationID
	At           time.Time
	Sealed       vault.Sealed
}

// Config connects the offers.
type Config struct {
	DB    *store.DB
	Vault *vault.Vault
	Now   clock.Clock
}

// Offers is the open table.
type Offers struct {
	cfg  Config
	mu   sync.RWMutex
	open map[key]entry
}

type key struct {
	conversation sotto.ConversationID
	person       sotto.PersonID
}

func (of *Offer) key() key { return key{of.Conversation, of.Person} }

// entry is an offer that can be answered. sealed is there until the row is.
type entry struct {
	id     int64
	at     time.Time
	sealed *vault.Sealed
}

// Open prepares the table and learns who has an offer.
func Open(ctx context.Context, cfg Config) (*Offers, error) {
	o := &Offers{cfg: cfg, open: make(map[key]entry)}
	err := cfg.DB.Migrate(ctx, "offers", []string{
		`CREATE TABLE offer (
			id BIGINT PRIMARY KEY, person BLOB NOT NULL, conversation BLOB NOT NULL, at BIGINT NOT NULL, sealed BLOB NOT NULL,
			UNIQUE (conversation, person))`,
	})
	if err != nil {
		return nil, err
	}
	rows, err := cfg.DB.Query(ctx, `SELECT id, person, conversation, at FROM offer`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	for rows.Next() {
		var e entry
		var p, c []byte
		var at int64
		if err := rows.Scan(&e.id, &p, &c, &at); err != nil || len(p) != len(sotto.PersonID{}) || len(c) != len(sotto.ConversationID{}) {
			return nil, sotto.E("offers.read", sotto.KindCorrupt, errors.New("a row that nobody wrote"))
		}
		e.at = time.UnixMilli(at)
		o.open[key{sotto.ConversationID(c), sotto.PersonID(p)}] = e
	}
	return o, rows.Err()
}

// Ref is the place of an offer, to seal and open it.
func Ref(id int64, p sotto.PersonID) vault.Ref {
	return vault.Ref{Table: Table, Row: id, Field: "sealed", Person: p, Purpose: sotto.PurposeReply}
}

// form is the version of the form in which offers are sealed.
const form = 1

func encode(buttons []sotto.Button) []byte {
	w := codec.NewWriter(form, 64*len(buttons))
	w.Len(len(buttons))
	for _, b := range buttons {
		w.Str(b.Label)
		w.Str(b.Payload)
	}
	return w.Bytes()
}

// Decode reads the buttons of an offer from its plain form. Anything else is an
// error of [sotto.KindCorrupt].
func Decode(plain []byte) ([]sotto.Button, error) {
	r := codec.NewReader(plain, form)
	var out []sotto.Button
	if n := r.Len(); n > 0 {
		out = make([]sotto.Button, n)
	}
	for i := range out {
		out[i] = sotto.Button{Label: r.Str(), Payload: r.Str()}
	}
	return out, r.End()
}

// Make seals the buttons of a message that the network has taken; of names the
// message. They can be answered from here on, and durably once [Offers.Put] is.
func (o *Offers) Make(ctx context.Context, of Offer, buttons []sotto.Button) (*Offer, error) {
	of.At = o.cfg.Now()
	var err error
	if of.Sealed, err = o.cfg.Vault.Seal(ctx, Ref(of.ID, of.Person), vault.Transit, of.At, encode(buttons)); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open[of.key()] = entry{of.ID, of.At, &of.Sealed}
	return &of, nil
}

// Put stores an offer in place of the one before.
func (o *Offers) Put(tx *store.Tx, of *Offer) error {
	_, err := tx.Exec(`INSERT INTO offer (id, person, conversation, at, sealed) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (conversation, person) DO UPDATE SET id = excluded.id, at = excluded.at, sealed = excluded.sealed`,
		of.ID, of.Person[:], of.Conversation[:], of.At.UnixMilli(), of.Sealed)
	if err == nil {
		tx.OnCommit(func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			if e, ok := o.open[of.key()]; ok && e.id == of.ID { // else forgotten meanwhile
				e.sealed = nil
				o.open[of.key()] = e
			}
		})
	}
	return err
}

// End drops what was offered to a person in a conversation, because something
// newer has buttons that work. It costs nothing where there is no offer.
func (o *Offers) End(tx *store.Tx, c sotto.ConversationID, p sotto.PersonID) error {
	if !o.Has(c, p) {
		return nil
	}
	_, err := tx.Exec(`DELETE FROM offer WHERE conversation = $1 AND person = $2`, c[:], p[:])
	if err == nil {
		tx.OnCommit(func() { o.drop(key{c, p}) })
	}
	return err
}

func (o *Offers) drop(k key) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.open, k)
}

// Has reports whether there is something that a person can answer with a
// number.
func (o *Offers) Has(c sotto.ConversationID, p sotto.PersonID) bool {
	_, ok := o.get(key{c, p})
	return ok
}

func (o *Offers) get(k key) (entry, bool) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if len(o.open) == 0 {
		return entry{}, false
	}
	e, ok := o.open[k]
	return e, ok && o.cfg.Now().Sub(e.at) < KeptFor
}

// Buttons opens what was offered last to a person in a conversation, in its
// order; nil where that is nothing, or cannot be opened any more.
func (o *Offers) Buttons(ctx context.Context, permit gate.Permit, c sotto.ConversationID, p sotto.PersonID) ([]sotto.Button, error) {
	e, ok := o.get(key{c, p})
	if !ok {
		return nil, nil
	}
	var sealed vault.Sealed
	if e.sealed != nil {
		sealed = *e.sealed
	} else {
		err := o.cfg.DB.QueryRow(ctx, `SELECT id, sealed FROM offer WHERE conversation = $1 AND person = $2`, c[:], p[:]).Scan(&e.id, &sealed)
		if errors.Is(err, store.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, sotto.E("offers.get", sotto.KindOther, err)
		}
	}
	return o.unseal(ctx, permit, e.id, p, sealed)
}

func (o *Offers) unseal(ctx context.Context, permit gate.Permit, id int64, p sotto.PersonID, sealed vault.Sealed) ([]sotto.Button, error) {
	plain, err := o.cfg.Vault.Open(ctx, permit, Ref(id, p), sealed)
	if k := sotto.KindOf(err); k == sotto.KindNotFound || k == sotto.KindCorrupt {
		return nil, nil // its key is gone, and what it said with it
	}
	if err != nil {
		return nil, err
	}
	return Decode(plain)
}

// Holding says what the table holds.
func (*Offers) Holding() (table, kind, ends string) {
	return Table, "the buttons of the last message that showed them as numbers", "with the next message that has buttons, at the latest after a day"
}

// Of returns how many offers of a person there are.
func (o *Offers) Of(ctx context.Context, p sotto.PersonID) (int64, error) {
	var n int64
	err := o.cfg.DB.QueryRow(ctx, `SELECT count(*) FROM offer WHERE person = $1`, p[:]).Scan(&n)
	return n, err
}

// Offered is an offer in a person's copy of what is held.
type Offered struct {
	At      time.Time `json:"at"`
	Buttons []string  `json:"buttons"`
}

// Export returns what a person was offered, as a list of [Offered]; nil where
// that is nothing. What cannot be opened any more is left out.
func (o *Offers) Export(ctx context.Context, permit gate.Permit, p sotto.PersonID) (any, error) {
	rows, err := o.cfg.DB.Query(ctx, `SELECT id, at, sealed FROM offer WHERE person = $1 ORDER BY id`, p[:])
	if err != nil {
		return nil, err
	}
	var found []Offer
	for rows.Next() {
		var of Offer
		var at int64
		if err := rows.Scan(&of.ID, &at, &of.Sealed); err != nil {
			return nil, errors.Join(sotto.E("offers.read", sotto.KindCorrupt, err), rows.Close())
		}
		of.At = time.UnixMilli(at).UTC()
		found = append(found, of)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	var out []Offered
	for i := range found {
		buttons, err := o.unseal(ctx, permit, found[i].ID, p, found[i].Sealed)
		if err != nil {
			return nil, err
		}
		if len(buttons) == 0 {
			continue
		}
		of := Offered{At: found[i].At}
		for _, b := range buttons {
			of.Buttons = append(of.Buttons, b.Label)
		}
		out = append(out, of)
	}
	if out == nil {
		return nil, nil //nolint:nilnil // nothing is held
	}
	return out, nil
}

// MaxID returns the largest number in the table, or 0.
func (o *Offers) MaxID(ctx context.Context) (int64, error) {
	var n int64
	err := o.cfg.DB.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM offer`).Scan(&n)
	return n, err
}

const sweepRows = 200

// Forget drops what a person was offered up to a number.
func (o *Offers) Forget(ctx context.Context, p sotto.PersonID, until int64) (int64, error) {
	o.mu.Lock()
	for k, e := range o.open {
		if k.person == p && e.id <= until {
			delete(o.open, k)
		}
	}
	o.mu.Unlock()
	return o.cfg.DB.DeleteChunks(ctx, `SELECT id FROM offer WHERE person = $1 AND id <= $2 LIMIT $3`, `DELETE FROM offer WHERE id IN`, sweepRows, p[:], until)
}

// Expired counts what [Offers.Sweep] would delete.
func (o *Offers) Expired(ctx context.Context, now time.Time) (int64, error) {
	var n int64
	err := o.cfg.DB.QueryRow(ctx, `SELECT count(*) FROM offer WHERE at <= $1`, now.Add(-KeptFor).UnixMilli()).Scan(&n)
	return n, err
}

// Sweep deletes what is older than [KeptFor], in small transactions.
func (o *Offers) Sweep(ctx context.Context, now time.Time) (int64, error) {
	end := now.Add(-KeptFor)
	o.mu.Lock()
	for k, e := range o.open {
		if !e.at.After(end) {
			delete(o.open, k)
		}
	}
	o.mu.Unlock()
	return o.cfg.DB.DeleteChunks(ctx, `SELECT id FROM offer WHERE at <= $1 LIMIT $2`, `DELETE FROM offer WHERE id IN`, sweepRows, end.UnixMilli())
}
