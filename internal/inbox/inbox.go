// Package inbox is the way of a message: from a verified webhook to a durable
// reply, a file per step.
//
//	receive.go   the event is sealed and journaled; then the network gets its 200
//	dispatch.go  conversations side by side, events of one in order
//	turn.go      what is done with one event
//	notice.go    the first contact: the event waits until the notice was sent
//	command.go   what a person tells Sotto itself: /privacy, /stop, /mydata, /delete …
//	bot.go       masked text to the bot, its words back
//	commit.go    the whole result of a turn in one transaction
//
// What it promises: an event whose Receive returned nil is handled once, in the
// order of its conversation, also across a crash; the result of a turn is
// stored whole or not at all; the bot runs again for an event whose result was
// not stored. Before the notice was sent nothing exists of a person but the
// sealed record in the journal.
package inbox

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
	"github.com/sotto-chat/sotto/internal/handout"
	"github.com/sotto-chat/sotto/internal/ids"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/media"
	"github.com/sotto-chat/sotto/internal/notice"
	"github.com/sotto-chat/sotto/internal/offers"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
	"github.com/sotto-chat/sotto/internal/wording"
)

// Rights carries out what a person may ask for. Export returns the person's
// bundle as JSON; Erase destroys the person's keys before it returns, and
// returns the receipt's id. Acts are recorded in the trail of their own.
type Rights interface {
	Export(ctx context.Context, p sotto.PersonID, to sotto.Recipient) ([]byte, error)
	Erase(ctx context.Context, p sotto.PersonID, by sotto.Recipient) (receipt string, err error)

	// Farewell is called when the last message to an erased person, which is
	// gone from the outbox, was dealt with: its key is not needed any more.
	Farewell(p sotto.PersonID, message int64)
}

// Config connects the inbox. All fields without a default are required.
type Config struct {
	DB         *store.DB
	Vault      *vault.Vault
	Gate       *gate.Gate
	Log        *audit.Log
	People     *people.People
	Journal    *journal.Journal
	Transcript *transcript.Transcript
	Outbox     *outbox.Outbox
	Offers     *offers.Offers // default: a number is a text like any other
	Handout    *handout.Desk
	Media      *media.Media // default: bots get no attachments
	Rights     Rights
	IDs        *ids.Source
	Now        clock.Clock
	Logger     *slog.Logger

	Bot       sotto.Bot
	Adapters  map[string]channel.Adapter // by account
	Mask      Mask
	Book      *wording.Book
	Notice    notice.Notice
	Public    string        // address at which people reach this Sotto, for links; default "": no links are given
	Retention time.Duration // of the transcript for the purpose reply; 0 keeps none
	Clear     bool          // the bot may get text that is not masked, if a policy permits it
	Timeout   time.Duration // of a bot's turn; default 20s
	SendFor   time.Duration // how long sending a reply is tried; default 24h
	Workers   int           // turns under way at once; default 256
	Limit     int           // records held in memory; default 8192
	Typing    time.Duration // a bot that takes longer shows as typing; default 700ms
	PerMinute int           // messages of a person that reach the bot in a minute; default 0: as many as come
}

// Inbox is a running inbox.
type Inbox struct {
	cfg     Config
	version string // of the notice
	commit  *store.Batch[*result]
	d       dispatcher
	stops   stops
	limit   limiter
	media   bool          // the bot gets attachments
	acks    chan struct{} // bounds acknowledgements under way
	Stats   Stats
}

// Stats counts since the start.
type Stats struct {
	Received, Duplicates, Ignored, Turns, BotErrors, Noticed, Discarded, Retried atomic.Int64
}

// New makes an inbox. Its Committed must be given to [journal.Open], and its
// Done to the outbox; both may be called before [Inbox.Run].
func New() *Inbox {
	in := new(Inbox)
	in.d.boxes = make(map[sotto.ConversationID]*box)
	in.d.wake = sync.NewCond(&in.d.mu)
	return in
}

// Connect gives the inbox its parts and loads what waits in the journal.
func (in *Inbox) Connect(ctx context.Context, cfg Config) error {
	if cfg.Timeout == 0 {
		cfg.Timeout = 20 * time.Second
	}
	if cfg.SendFor == 0 {
		cfg.SendFor = 24 * time.Hour
	}
	if cfg.Workers == 0 {
		cfg.Workers = 256
	}
	if cfg.Limit == 0 {
		cfg.Limit = 8192
	}
	if cfg.Typing == 0 {
		cfg.Typing = 700 * time.Millisecond
	}
	in.cfg = cfg
	in.media = wantsMedia(&cfg)
	in.version = cfg.Notice.Version()
	in.limit = limiter{most: cfg.PerMinute, now: cfg.Now}
	in.acks = make(chan struct{}, 64)
	in.commit = store.NewBatch(cfg.DB, in.commitTx)
	cfg.Outbox.Notices(in.d.expectNotice)
	in.stops.connect(cfg.Outbox)
	if err := cfg.Journal.Marked(ctx, in.stops.note); err != nil {
		return err
	}
	in.d.limit = cfg.Limit
	in.d.behind = true
	return in.refill(ctx)
}

// Run handles events until ctx ends; turns under way are finished, what waits
// stays in the journal.
func (in *Inbox) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for range in.cfg.Workers {
		wg.Go(func() { in.work(context.WithoutCancel(ctx)) })
	}
	wg.Go(func() { in.keepUp(ctx) })
	<-ctx.Done()
	in.d.stop()
	wg.Wait()
}

// Waiting returns how many records wait in memory, and whether more wait in the
// database.
func (in *Inbox) Waiting() (held int, more bool) {
	in.d.mu.Lock()
	defer in.d.mu.Unlock()
	return in.d.held, in.d.behind
}
