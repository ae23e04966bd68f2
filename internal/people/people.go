// Package people knows, for each pseudonym, what Sotto must obey before it
// does anything with the person's data: which notice was delivered, whether the
// person said stop, whether the address is gone, and the language to speak.
//
// It also knows which pseudonyms are one and the same person or conversation,
// because a network has given them another id.
//
// It holds no name, no platform id and no content. A person is known from the
// moment the notice was delivered, and not before; erasing the person deletes
// the row. Reads are served from a bounded cache that is updated only after the
// database is.
package people

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/store"
)

// State is what is known of a person. The zero State is a person who has not
// been told anything yet.
type State struct {
	Known      bool      // there is a row
	Account    string    // "telegram/shop"
	Notice     string    // version of the notice that was delivered; "" = none
	NoticeAt   time.Time // when it was delivered
	Language   string    // BCP 47; "" = the default
	Stopped    bool      // the person said stop
	ByNetwork  bool      // with Stopped: on the network and not to Sotto, so that an opt-in there takes it back
	Gone       bool      // the network said that the person cannot be reached
	Restricted bool      // processing is restricted (GDPR Art. 18)
	Since      time.Time // first known
}

// People is the open table.
type People struct {
	db    *store.DB
	cache *otter.Cache[sotto.PersonID, State]

	// A network can give a person or a conversation a new id, or two ids at
	// once, and each would be a pseudonym of its own: aliases say which of them
	// stand for another. The table holds pairs of pseudonyms, and no id of a network.
	aliases *otter.Cache[[16]byte, [16]byte]
	linked  atomic.Bool // there are any
}

// Open prepares the table. cache is how many persons stay in memory.
func Open(ctx context.Context, db *store.DB, cache int) (*People, error) {
	err := db.Migrate(ctx, "people", []string{
		`CREATE TABLE person (
			id BLOB PRIMARY KEY, account TEXT NOT NULL, notice TEXT NOT NULL, notice_at BIGINT NOT NULL,
			language TEXT NOT NULL, stopped BIGINT NOT NULL, gone BIGINT NOT NULL, restricted BIGINT NOT NULL,
			since BIGINT NOT NULL)`,
		`CREATE TABLE alias (id BLOB PRIMARY KEY, target BLOB NOT NULL, person BLOB NOT NULL)`,
		`CREATE INDEX alias_person ON alias (person)`,
	})
	if err != nil {
		return nil, err
	}
	c, err := otter.New(&otter.Options[sotto.PersonID, State]{MaximumSize: cache})
	if err != nil {
		return nil, sotto.E("people.open", sotto.KindInvalid, err)
	}
	a, err := otter.New(&otter.Options[[16]byte, [16]byte]{MaximumSize: 2 * cache})
	if err != nil {
		return nil, sotto.E("people.open", sotto.KindInvalid, err)
	}
	p := &People{db: db, cache: c, aliases: a}
	var n int64
	if err := db.QueryRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM alias LIMIT 1) AS any_alias`).Scan(&n); err != nil {
		return nil, sotto.E("people.open", sotto.KindOther, err)
	}
	p.linked.Store(n > 0)
	return p, nil
}

// Get returns what is known of a person.
func (p *People) Get(ctx context.Context, id sotto.PersonID) (State, error) {
	if s, ok := p.cache.GetIfPresent(id); ok {
		return s, nil
	}
	// The cache drops what a load found if the entry was set or invalidated meanwhile.
	return p.cache.Get(ctx, id, otter.LoaderFunc[sotto.PersonID, State](p.load))
}

func (p *People) load(ctx context.Context, id sotto.PersonID) (State, error) {
	return scan(p.db.QueryRow(ctx, selectPerson, id[:]))
}

// Read returns what is known of a person inside a transaction, with what the
// transaction itself has changed.
func (*People) Read(tx *store.Tx, id sotto.PersonID) (State, error) {
	return scan(tx.QueryRow(selectPerson, id[:]))
}

const selectPerson = `SELECT account, notice, notice_at, language, stopped, gone, restricted, since FROM person WHERE id = $1`

func scan(row *store.Row) (State, error) {
	s := State{Known: true}
	var noticeAt, since int64
	var stopped, gone, restricted int
	err := row.Scan(&s.Account, &s.Notice, &noticeAt, &s.Language, &stopped, &gone, &restricted, &since)
	if errors.Is(err, store.ErrNoRows) {
		return State{}, nil
	}
	if err != nil {
		return State{}, sotto.E("people.get", sotto.KindOther, err)
	}
	s.NoticeAt, s.Since = time.UnixMilli(noticeAt).UTC(), time.UnixMilli(since).UTC()
	s.ByNetwork = stopped == stoppedByNetwork
	s.Stopped, s.Gone, s.Restricted = stopped != 0, gone != 0, restricted != 0
	return s, nil
}

// Change changes what is known of a person, in a transaction with its cause. It
// works on what is stored now and not on what its caller has read before: two
// who change something at the same time do not undo each other's change. Of a
// person who is not known nothing is stored.
func (p *People) Change(tx *store.Tx, id sotto.PersonID, change func(*State)) error {
	s, err := p.Read(tx, id)
	if err != nil || !s.Known {
		return err
	}
	change(&s)
	return p.Put(tx, id, s)
}

// Put stores all that is known of a person, in a transaction with its cause.
func (p *People) Put(tx *store.Tx, id sotto.PersonID, s State) error {
	s.Known = true
	s.NoticeAt, s.Since = stored(s.NoticeAt), stored(s.Since)
	s.ByNetwork = s.ByNetwork && s.Stopped
	stopped := bit(s.Stopped)
	if s.ByNetwork {
		stopped = stoppedByNetwork
	}
	_, err := tx.Exec(`INSERT INTO person (id, account, notice, notice_at, language, stopped, gone, restricted, since)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)
		ON CONFLICT (id) DO UPDATE SET account = excluded.account, notice = excluded.notice, notice_at = excluded.notice_at,
		language = excluded.language, stopped = excluded.stopped, gone = excluded.gone, restricted = excluded.restricted`,
		id[:], s.Account, s.Notice, s.NoticeAt.UnixMilli(), s.Language, stopped, bit(s.Gone), bit(s.Restricted), s.Since.UnixMilli())
	if err == nil {
		tx.OnCommit(func() { p.cache.Set(id, s) })
	}
	return err
}

// stoppedByNetwork is what stands in the column for a stop that was said on the
// network; 1 is one that was said to Sotto.
const stoppedByNetwork = 2

// stored is a time as it is read back.
func stored(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Forget deletes a person's row.
func (p *People) Forget(tx *store.Tx, id sotto.PersonID) (int64, error) {
	if err := p.unlink(tx, id); err != nil {
		return 0, err
	}
	n, err := tx.Exec(`DELETE FROM person WHERE id = $1`, id[:])
	if err == nil {
		tx.OnCommit(func() { p.cache.Invalidate(id) })
	}
	return n, err
}

// Count returns how many persons are known.
func (p *People) Count(ctx context.Context) (int64, error) {
	var n int64
	err := p.db.QueryRow(ctx, `SELECT count(*) FROM person`).Scan(&n)
	return n, err
}

// Facts are what the gate is told of the person.
func (s State) Facts() gate.Facts {
	return gate.Facts{Noticed: s.Notice != "", Stopped: s.Stopped, Restricted: s.Restricted}
}

// Channel returns the channel part of an account: "telegram" of "telegram/shop".
func Channel(account string) string {
	c, _, _ := strings.Cut(account, "/")
	return c
}
