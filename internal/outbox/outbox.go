// Package outbox sends what the bot and Sotto itself say: durably, in order
// within a conversation, and no more often than it has to.
//
// A message is stored, sealed, in the transaction that holds the result of its
// turn. Each attempt is marked in the database before the network is called, so
// that after a crash a message is known to be either untried or of unknown
// outcome. An unknown one is repeated where the network recognises repeats;
// elsewhere [Config.Unknown] chooses between "maybe twice" and "maybe never".
// Either way it is counted and stands in the audit log.
//
// Every send is a decision of the gate, made at the moment of sending: who said
// stop a second ago gets nothing more, whatever waits. Messages to one
// conversation are sent one after the other; different conversations do not
// wait for each other.
package outbox

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/clock"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/offers"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Table is the name of the table, part of what its ciphertext is bound to.
const Table = "outbox"

// Kind says what a message is.
type Kind uint8

// The kinds of messages.
const (
	Reply    Kind = 1 // the bot's words
	Notice   Kind = 2 // the privacy notice; the person is known once it was sent
	System   Kind = 3 // what Sotto owes the person whatever they decided: confirmation, export, receipt
	Farewell Kind = 4 // the last words after erasure; leaves nothing behind
)

// Item is one message on its way.
type Item struct {
	ID           int64
	Person       sotto.PersonID
	Conversation sotto.ConversationID
	Account      string
	Kind         Kind
	Expires      time.Time // given up after this
	Closes       time.Time // not sent after this, because the network takes no answer any more; zero = never
	Sealed       vault.Sealed

	state    state
	marked   bool // stored as being sent from the start: no other mark is needed before the call
	attempts int
	next     time.Time
	forgot   bool // while a worker had it: if it was not sent, it is not tried again; guarded by Outbox.mu
}

type state uint8

const (
	waiting state = 1
	sending state = 2
)

// Unknown is what to do with a send of unknown outcome on a network without
// idempotency keys.
type Unknown string

// The choices.
const (
	Resend Unknown = "resend" // the person may see it twice
	Drop   Unknown = "drop"   // the person may never see it
)

// Config connects the outbox.
type Config struct {
	DB       *store.DB
	Vault    *vault.Vault
	Gate     *gate.Gate
	Log      *audit.Log
	People   *people.People
	Offers   *offers.Offers             // what is offered as numbers; default: nothing is remembered
	Adapters map[string]channel.Adapter // by account, "telegram/shop"; may be filled until [Outbox.Run]
	Unknown  Unknown                    // default Resend
	Workers  int                        // sends under way at once; default 128
	Limit    int                        // messages of one account that wait before it is [Outbox.Full]; default 10000
	Timeout  time.Duration              // of one attempt; default 30s
	Now      clock.Clock
	Logger   *slog.Logger

	// Done is called once for every item, after its end is durable.
	Done func(it *Item, how Ending)
}

// Ending is how the way of an item ended.
type Ending uint8

// The endings.
const (
	Sent      Ending = iota + 1 // the network took it
	GivenUp                     // it was not delivered, or nobody will know
	Forgotten                   // its person was erased
)

// Outbox is the open outbox. Call [Outbox.Run] to send.
type Outbox struct {
	cfg     Config
	mark    *store.Batch[int64]
	settle  *store.Batch[*outcome]
	mu      sync.Mutex
	lanes   map[sotto.ConversationID]*lane
	ready   []*lane
	wake    *sync.Cond
	held    int
	waits   map[string]int // of held, by account
	stopped bool
	timers  timerHeap
	rearm   chan struct{}
	paused  map[string]time.Time // accounts whose credentials were refused, until when

	base     time.Time // the moments of windows count from here
	accounts map[string]*account
	muted    map[sotto.PersonID]Muting
	mutes    atomic.Int64 // counts calls of Mute and Unmute
	round    int          // counts premarks
	seen     time.Time
	Stats    Stats
}

// Stats counts outcomes since the start.
type Stats struct {
	Sent, Retried, Unknown, Dropped, Denied, Gone, Failed, Window, Stopped atomic.Int64
}

// Open prepares the table and loads what waits in it.
func Open(ctx context.Context, cfg Config) (*Outbox, error) {
	if cfg.Unknown == "" {
		cfg.Unknown = Resend
	}
	if cfg.Workers == 0 {
		cfg.Workers = 128
	}
	if cfg.Limit == 0 {
		cfg.Limit = 10000
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	o := &Outbox{
		cfg: cfg, lanes: make(map[sotto.ConversationID]*lane), rearm: make(chan struct{}, 1), paused: make(map[string]time.Time),
		waits: make(map[string]int), base: cfg.Now().Add(-century), accounts: make(map[string]*account), muted: make(map[sotto.PersonID]Muting),
	}
	o.wake = sync.NewCond(&o.mu)
	err := cfg.DB.Migrate(ctx, "outbox", []string{
		`CREATE TABLE outbox (
			id BIGINT PRIMARY KEY, person BLOB NOT NULL, conversation BLOB NOT NULL, account TEXT NOT NULL,
			kind BIGINT NOT NULL, state BIGINT NOT NULL, attempts BIGINT NOT NULL, next BIGINT NOT NULL,
			expires BIGINT NOT NULL, sealed BLOB NOT NULL)`,
		`ALTER TABLE outbox ADD COLUMN closes BIGINT NOT NULL DEFAULT 0`,
	})
	if err != nil {
		return nil, err
	}
	o.mark = store.NewBatch(cfg.DB, func(tx *store.Tx, ids []int64) error {
		_, err := tx.UpdateIn(`UPDATE outbox SET state = 2, attempts = attempts + 1 WHERE id IN`, nil, ids)
		return err
	})
	o.settle = store.NewBatch(cfg.DB, o.settleTx)
	items, err := o.load(ctx, `ORDER BY id`)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		o.enqueue(it)
	}
	return o, nil
}

func (o *Outbox) load(ctx context.Context, where string, args ...any) ([]*Item, error) {
	rows, err := o.cfg.DB.Query(ctx, `SELECT id, person, conversation, account, kind, state, attempts, next, expires, closes, sealed FROM outbox `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	var out []*Item
	for rows.Next() {
		it := new(Item)
		var p, c []byte
		var next, expires, closes int64
		if err := rows.Scan(&it.ID, &p, &c, &it.Account, &it.Kind, &it.state, &it.attempts, &next, &expires, &closes, &it.Sealed); err != nil {
			return nil, sotto.E("outbox.read", sotto.KindCorrupt, err)
		}
		copy(it.Person[:], p)
		copy(it.Conversation[:], c)
		it.next, it.Expires = time.UnixMilli(next), time.UnixMilli(expires)
		if closes != 0 {
			it.Closes = time.UnixMilli(closes)
		}
		out = append(out, it)
	}
	return out, rows.Err()
}

// Ref is the place of an item, to seal its message for.
func Ref(id int64, p sotto.PersonID) vault.Ref {
	return vault.Ref{Table: Table, Row: id, Field: "sealed", Person: p, Purpose: sotto.PurposeReply}
}

// Seal makes the sealed form of a message.
func (o *Outbox) Seal(ctx context.Context, it *Item, m *Message) error {
	var err error
	it.Sealed, err = o.cfg.Vault.Seal(ctx, Ref(it.ID, it.Person), vault.Transit, o.cfg.Now(), m.encode())
	return err
}

// Add stores items in the transaction of their turn; they are sent once it is durable.
func (o *Outbox) Add(tx *store.Tx, items []*Item) error {
	if len(items) == 0 {
		return nil
	}
	args := make([]any, 0, 11*len(items))
	o.premark(items)
	for _, it := range items {
		st := waiting
		if it.marked {
			st = sending
		}
		var closes int64
		if !it.Closes.IsZero() {
			closes = it.Closes.UnixMilli()
		}
		args = append(args, it.ID, it.Person[:], it.Conversation[:], it.Account, int64(it.Kind), int64(st), 0, int64(0), it.Expires.UnixMilli(), closes, it.Sealed)
	}
	tx.OnCommit(func() {
		for _, it := range items {
			o.enqueue(it)
		}
	})
	return tx.Insert(`INSERT INTO outbox (id, person, conversation, account, kind, state, attempts, next, expires, closes, sealed)`, "", 11, args)
}

// premark decides which items are stored as being sent, because they are going
// to be sent at once: it saves a transaction for each. After a crash such an
// item counts as of unknown outcome even if its call had not begun, which is
// right where unknown ones are sent again, and only there. What has to wait for
// the network's limits is not marked; what meets a limit after all, because
// others were quicker, is the next of its account to go.
func (o *Outbox) premark(items []*Item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	free := o.cfg.Workers - o.held
	now := o.now()
	o.round++
	for _, it := range items {
		it.state = waiting
		_, busy := o.lanes[it.Conversation]
		it.marked = !busy && free > 0 && o.choice(it) == Resend && o.clear(it, now)
		free--
	}
	for i := 1; i < len(items); i++ { // the second message of a conversation waits for the first
		if items[i].Conversation == items[i-1].Conversation {
			items[i].marked = false
		}
	}
}

// Full reports whether so much waits to be sent for an account that no more
// turns of it should start. Other accounts go on.
func (o *Outbox) Full(account string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waits[account] >= o.cfg.Limit
}

// Held returns how many messages wait or are being sent.
func (o *Outbox) Held() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.held
}

// Of returns the messages to a person that are on their way.
func (o *Outbox) Of(ctx context.Context, p sotto.PersonID) ([]*Item, error) {
	return o.load(ctx, `WHERE person = $1 ORDER BY id`, p[:])
}

// Notices calls f with the conversation of every notice that is on its way.
func (o *Outbox) Notices(f func(sotto.ConversationID)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c, l := range o.lanes {
		for _, it := range l.items {
			if it.Kind == Notice {
				f(c)
			}
		}
	}
}

// MaxID returns the largest number in the table, or 0.
func (o *Outbox) MaxID(ctx context.Context) (int64, error) {
	var n int64
	err := o.cfg.DB.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM outbox`).Scan(&n)
	return n, err
}

const sweepRows = 200

// Forget drops all messages to a person up to a number but those being sent
// this moment.
func (o *Outbox) Forget(ctx context.Context, p sotto.PersonID, until int64) (int64, error) {
	var dropped []*Item
	o.mu.Lock()
	for _, l := range o.lanes {
		gone := l.forget(p, until)
		for _, it := range gone {
			o.left(it)
		}
		if len(gone) > 0 && l.timed { // what is first now may be due
			var at time.Time
			if len(l.items) > 0 {
				at = o.due(l, false)
			}
			o.retime(l, at)
		}
		dropped = append(dropped, gone...)
	}
	o.mu.Unlock()
	n, err := o.cfg.DB.DeleteChunks(ctx, `SELECT id FROM outbox WHERE person = $1 AND id <= $2 LIMIT $3`, `DELETE FROM outbox WHERE id IN`, sweepRows, p[:], until)
	// Whatever the database says: nobody will send these any more.
	for _, it := range dropped {
		o.done(it, Forgotten)
	}
	return n, err
}

func (o *Outbox) done(it *Item, how Ending) {
	if o.cfg.Done != nil {
		o.cfg.Done(it, how)
	}
}

// Idle reports, inside a transaction, whether nothing is on its way to a person.
func (*Outbox) Idle(tx *store.Tx, p sotto.PersonID, but int64) (bool, error) {
	var n int64
	err := tx.QueryRow(`SELECT count(*) FROM outbox WHERE person = $1 AND id <> $2`, p[:], but).Scan(&n)
	return n == 0, err
}
