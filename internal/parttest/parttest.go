// Package parttest puts the parts of a Sotto together for the parts' own tests:
// real database, real keys, real gate and log, on a directory of the test.
//
// It promises what the server promises about how parts are connected, and adds
// what tests need: a network that does as it is told, a clock that can be set,
// and a crash, which opens a copy of the files as they lie there while
// everything is at work. It is for tests only, and opens no connection.
package parttest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/deletion"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/handout"
	"github.com/sotto-chat/sotto/internal/ids"
	"github.com/sotto-chat/sotto/internal/inbox"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/lifecycle"
	"github.com/sotto-chat/sotto/internal/media"
	"github.com/sotto-chat/sotto/internal/notice"
	"github.com/sotto-chat/sotto/internal/offers"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
	"github.com/sotto-chat/sotto/internal/wording"
	"github.com/sotto-chat/sotto/pii"
)

// Account is the account that everybody writes to.
const Account = "telegram/shop"

// House is all parts on a data directory, as the server connects them. Set the
// first fields before [House.Open].
type House struct {
	T           testing.TB
	Dir         string                     // default: a new one of the test
	Bot         sotto.Bot                  // default: repeats what it was told
	Adapters    map[string]channel.Adapter // default: Net as [Account]
	Keep        time.Duration              // retention of the transcript; default 30 days
	InboxLimit  int
	OutboxLimit int
	PerMinute   int
	Unknown     outbox.Unknown
	SendFor     time.Duration
	Timeout     time.Duration // of a bot's turn
	Sends       int           // sends under way at once
	Typing      time.Duration
	Clear       bool
	Files       media.Config  // bounds and retention of files; the rest is filled in
	Notice      notice.Notice // default: that of a shop

	Net *Network

	DB         *store.DB
	Vault      *vault.Vault
	Gate       *gate.Gate
	Log        *audit.Log
	People     *people.People
	Journal    *journal.Journal
	Transcript *transcript.Transcript
	Outbox     *outbox.Outbox
	Inbox      *inbox.Inbox
	Offers     *offers.Offers
	Media      *media.Media
	Life       *lifecycle.Lifecycle
	Handout    *handout.Desk
	Deletion   *deletion.Desk
	IDs        *ids.Source

	kek    vault.KEK
	ahead  *atomic.Int64 // of the machine's clock, in nanoseconds
	logs   *logs
	seq    atomic.Int64
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// New makes a house that is not open yet. It is closed with the test.
func New(tb testing.TB) *House {
	tb.Helper()
	h := &House{T: tb, Dir: tb.TempDir(), Keep: 30 * 24 * time.Hour, Net: NewNetwork(), kek: vault.NewKEK(), ahead: new(atomic.Int64), logs: new(logs)}
	h.Bot = sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error { t.Reply("you said: " + t.Text); return nil })
	h.Notice = notice.Notice{
		Controller: "The Shop", Contact: "privacy@shop.example", Link: "https://shop.example/privacy",
		Purposes: []notice.Purpose{{
			Name: sotto.PurposeReply, Basis: sotto.BasisContract, Categories: []sotto.Category{sotto.CategoryMessage},
			Retention: 30 * 24 * time.Hour, On: true,
		}},
	}
	tb.Cleanup(h.Close)
	return h
}

// Now is the house's clock.
func (h *House) Now() time.Time {
	return time.Now().Add(time.Duration(h.ahead.Load())) //nolint:forbidigo // the clock that tests set begins at the machine's
}

// Pass sets the clock forward, or back.
func (h *House) Pass(d time.Duration) { h.ahead.Add(int64(d)) }

// SetTime sets the clock to a time, from which it goes on.
func (h *House) SetTime(to time.Time) {
	h.ahead.Store(int64(time.Until(to)))
}

// Must ends the test on an error.
func (h *House) Must(err error) {
	h.T.Helper()
	if err != nil {
		h.T.Fatal(err)
	}
}

// Open opens everything; nothing is handled or sent before [House.Run].
func (h *House) Open() {
	h.T.Helper()
	h.Must(h.TryOpen())
}

// Start is Open and Run.
func (h *House) Start() {
	h.T.Helper()
	h.Open()
	h.Run()
}

// TryOpen is Open for a test that expects an error.
func (h *House) TryOpen() (err error) {
	ctx := context.Background()
	if h.Adapters == nil {
		h.Adapters = map[string]channel.Adapter{Account: h.Net}
	}
	if h.Vault, err = vault.Open(ctx, vault.Config{Path: filepath.Join(h.Dir, "keys.db"), Create: true, Current: h.kek, Now: h.Now}); err != nil {
		return err
	}
	if h.DB, err = store.Open(ctx, store.Config{Path: filepath.Join(h.Dir, "data.db")}); err != nil {
		return err
	}
	if h.Gate, err = gate.New(gate.Config{Now: h.Now}); err != nil {
		return err
	}
	if h.Log, err = audit.Open(ctx, h.DB, audit.Config{HeadFile: filepath.Join(h.Dir, "head"), Seed: h.Vault.Seed("audit"), Now: h.Now, AcceptNoHead: true}); err != nil {
		return err
	}
	if h.People, err = people.Open(ctx, h.DB, 1000); err != nil {
		return err
	}
	if h.Transcript, err = transcript.Open(ctx, h.DB); err != nil {
		return err
	}
	h.Inbox = inbox.New()
	if h.Journal, err = journal.Open(ctx, journal.Config{DB: h.DB, Committed: h.Inbox.Committed, Generation: h.Vault.Generation}); err != nil {
		return err
	}
	if h.Offers, err = offers.Open(ctx, offers.Config{DB: h.DB, Vault: h.Vault, Now: h.Now}); err != nil {
		return err
	}
	h.Outbox, err = outbox.Open(ctx, outbox.Config{
		Offers: h.Offers, DB: h.DB, Vault: h.Vault, Gate: h.Gate, Log: h.Log, People: h.People, Adapters: h.Adapters, Now: h.Now, Logger: h.logger(),
		Done: h.Inbox.Done, Unknown: h.Unknown, Limit: h.OutboxLimit, Workers: h.Sends,
	})
	if err != nil {
		return err
	}
	return h.connect(ctx)
}

func (h *House) connect(ctx context.Context) error {
	files := h.Files
	files.DB, files.Vault, files.Gate, files.Now, files.Adapters = h.DB, h.Vault, h.Gate, h.Now, h.Adapters
	var err error
	if h.Media, err = media.Open(ctx, files); err != nil {
		return err
	}
	var after int64
	for _, most := range []func(context.Context) (int64, error){h.Journal.MaxID, h.Transcript.MaxID, h.Outbox.MaxID, h.Offers.MaxID, h.Media.MaxID} {
		n, err := most(ctx)
		if err != nil {
			return err
		}
		after = max(after, n)
	}
	h.IDs = ids.NewSource(h.Now, after)
	h.Media.Number(h.IDs)
	if h.Handout, err = handout.Open(ctx, handout.Config{DB: h.DB, Vault: h.Vault, Gate: h.Gate, Log: h.Log, People: h.People, Now: h.Now}); err != nil {
		return err
	}
	h.Deletion, err = deletion.Open(ctx, deletion.Config{
		DB: h.DB, Vault: h.Vault, Gate: h.Gate, Log: h.Log, People: h.People, IDs: h.IDs, Now: h.Now, Logger: h.logger(),
		Erase: func(ctx context.Context, p sotto.PersonID, by sotto.Recipient) (string, error) {
			return h.Life.Erase(ctx, p, by)
		},
	})
	if err != nil {
		return err
	}
	h.Life, err = lifecycle.Open(ctx, lifecycle.Config{
		DB: h.DB, Vault: h.Vault, Gate: h.Gate, Log: h.Log, People: h.People, Journal: h.Journal, Transcript: h.Transcript, Outbox: h.Outbox,
		IDs: h.IDs, Now: h.Now, Logger: h.logger(), Retention: h.Keep, Also: []lifecycle.Part{lifecycle.PartOf(h.Handout), lifecycle.PartOf(h.Deletion), lifecycle.PartOf(h.Offers), lifecycle.PartOf(h.Media), lifecycle.PartOf(h.Media.Parts())},
	})
	if err != nil {
		return err
	}
	book, err := wording.Load()
	if err != nil {
		return err
	}
	return h.Inbox.Connect(ctx, inbox.Config{
		Offers: h.Offers, DB: h.DB, Vault: h.Vault, Gate: h.Gate, Log: h.Log, People: h.People, Journal: h.Journal, Transcript: h.Transcript, Outbox: h.Outbox, Handout: h.Handout, Public: "https://shop.example",
		Rights: h.Life, IDs: h.IDs, Now: h.Now, Logger: h.logger(), Bot: h.Bot, Adapters: h.Adapters, Mask: new(pii.Finder),
		Book: book, Notice: h.Notice, Retention: h.Keep, Limit: h.InboxLimit, PerMinute: h.PerMinute, SendFor: h.SendFor,
		Timeout: h.Timeout, Typing: h.Typing, Clear: h.Clear, Media: h.Media,
	})
}

func (h *House) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Run handles, sends, deletes and sweeps until [House.Stop].
func (h *House) Run() {
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	h.wg.Go(func() { h.Inbox.Run(ctx) })
	h.wg.Go(func() { h.Outbox.Run(ctx) })
	h.wg.Go(func() { h.Life.Run(ctx) })
}

// Stop ends what [House.Run] began and leaves everything open.
func (h *House) Stop() {
	if h.cancel != nil {
		h.cancel()
		h.cancel = nil
	}
	h.wg.Wait()
}

// Close stops and closes everything. It can be opened again.
func (h *House) Close() {
	h.Stop()
	if h.Log != nil && h.DB != nil {
		if _, err := h.Log.Checkpoint(context.Background()); err != nil && sotto.KindOf(err) != sotto.KindUnavailable {
			h.T.Error(err)
		}
	}
	if h.DB != nil {
		h.Must(h.DB.Close())
	}
	if h.Vault != nil {
		h.Must(h.Vault.Close())
	}
	h.Log, h.DB, h.Vault = nil, nil, nil
}

// Crash returns a house, not open yet, on a copy of the files as they lie there
// this moment: what a power cut would leave.
func (h *House) Crash() *House {
	h.T.Helper()
	c := New(h.T)
	c.kek, c.Bot, c.Keep, c.Unknown, c.Notice, c.SendFor = h.kek, h.Bot, h.Keep, h.Unknown, h.Notice, h.SendFor
	c.Net.Peculiar, c.Net.Numbered = h.Net.Peculiar, h.Net.Numbered
	c.ahead.Store(h.ahead.Load())
	c.seq.Store(h.seq.Load())
	for range 50 {
		before := h.databases()
		h.copyTo(c.Dir)
		if before == h.databases() { // else a log was moved into its database while they were copied
			return c
		}
	}
	h.T.Fatal("the databases do not hold still")
	return nil
}

// databases says which state the databases without their logs are in.
func (h *House) databases() (s [2]time.Time) {
	for i, name := range []string{"data.db", "keys.db"} {
		info, err := os.Stat(filepath.Join(h.Dir, name))
		h.Must(err)
		s[i] = info.ModTime()
	}
	return s
}

// copyTo copies all files, write-ahead logs last.
func (h *House) copyTo(dir string) {
	entries, err := os.ReadDir(h.Dir)
	h.Must(err)
	for _, last := range []bool{false, true} {
		for _, e := range entries {
			isLog := strings.HasSuffix(e.Name(), "-wal")
			if isLog == last && !strings.HasSuffix(e.Name(), "-shm") && !strings.HasSuffix(e.Name(), ".lock") {
				copyFile(h.T, filepath.Join(h.Dir, e.Name()), filepath.Join(dir, e.Name()))
			}
		}
	}
}

func copyFile(tb testing.TB, from, to string) {
	tb.Helper()
	in, err := os.Open(from) //nolint:gosec // a file of the test
	if err != nil {
		tb.Fatal(err)
	}
	defer in.Close()                                                       //nolint:errcheck // only read
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // a file of the test
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		tb.Fatal(err)
	}
	if err := out.Close(); err != nil {
		tb.Fatal(err)
	}
}
