package inbox_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/ids"
	"github.com/sotto-chat/sotto/internal/inbox"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/lifecycle"
	"github.com/sotto-chat/sotto/internal/notice"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
	"github.com/sotto-chat/sotto/internal/wording"
	"github.com/sotto-chat/sotto/pii"
)

const account = "fake/one"

// network is a channel in memory that records what is sent.
type network struct {
	mu   sync.Mutex
	sent []channel.Outgoing
	fail func(n int, m *channel.Outgoing) error // nil = success
	n    int
	got  chan struct{}
}

func (*network) Channel() string                      { return "telegram" }
func (*network) Verify(*channel.Request) error        { return channel.ErrUnverified }
func (*network) Decode([]byte) (channel.Batch, error) { return channel.Batch{}, nil }

func (w *network) Send(_ context.Context, m *channel.Outgoing) (channel.Sent, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	if w.fail != nil {
		if err := w.fail(w.n, m); err != nil {
			return channel.Sent{}, err
		}
	}
	w.sent = append(w.sent, *m)
	select {
	case w.got <- struct{}{}:
	default:
	}
	return channel.Sent{ID: fmt.Sprint(w.n)}, nil
}

func (w *network) all() []channel.Outgoing {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]channel.Outgoing(nil), w.sent...)
}

// rig is all parts on a data directory, as the server connects them.
type rig struct {
	t     *testing.T
	dir   string
	kek   vault.KEK
	net   *network
	bot   sotto.Bot
	keep  time.Duration
	now   func() time.Time
	limit int
	logs  bytes.Buffer
	logMu sync.Mutex

	db     *store.DB
	vault  *vault.Vault
	log    *audit.Log
	people *people.People
	jour   *journal.Journal
	trans  *transcript.Transcript
	out    *outbox.Outbox
	in     *inbox.Inbox
	life   *lifecycle.Lifecycle
	stop   func()
	seq    int
}

func newRig(t *testing.T, bot sotto.BotFunc) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), kek: vault.NewKEK(), net: &network{got: make(chan struct{}, 1)}, bot: bot, keep: 30 * 24 * time.Hour, now: time.Now}
	if bot == nil {
		r.bot = sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error { t.Reply("you said: " + t.Text); return nil })
	}
	t.Cleanup(func() {
		if r.stop != nil {
			r.stop()
		}
	})
	return r
}

func (r *rig) Write(p []byte) (int, error) {
	r.logMu.Lock()
	defer r.logMu.Unlock()
	return r.logs.Write(p)
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// start opens everything and, with run, handles and sends.
func (r *rig) start(run bool) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	logger := slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	keys := filepath.Join(r.dir, "keys.db")
	r.vault, err = vault.Open(ctx, vault.Config{Path: keys, Create: true, Current: r.kek, Now: r.now})
	r.must(err)
	r.db, err = store.Open(ctx, store.Config{Path: filepath.Join(r.dir, "data.db")})
	r.must(err)
	g, err := gate.New(gate.Config{Now: r.now})
	r.must(err)
	r.log, err = audit.Open(ctx, r.db, audit.Config{HeadFile: filepath.Join(r.dir, "head"), Seed: r.vault.Seed("audit"), Now: r.now})
	r.must(err)
	r.people, err = people.Open(ctx, r.db, 1000)
	r.must(err)
	r.trans, err = transcript.Open(ctx, r.db)
	r.must(err)
	r.in = inbox.New()
	r.jour, err = journal.Open(ctx, journal.Config{DB: r.db, Committed: r.in.Committed, Generation: r.vault.Generation})
	r.must(err)
	adapters := map[string]channel.Adapter{account: r.net}
	r.out, err = outbox.Open(ctx, outbox.Config{
		DB: r.db, Vault: r.vault, Gate: g, Log: r.log, People: r.people, Adapters: adapters, Now: r.now, Logger: logger, Done: r.in.Done,
	})
	r.must(err)
	source := ids.NewSource(r.now, 0)
	r.life, err = lifecycle.Open(ctx, lifecycle.Config{
		DB: r.db, Vault: r.vault, Gate: g, Log: r.log, People: r.people, Journal: r.jour, Transcript: r.trans, Outbox: r.out,
		IDs: source, Now: r.now, Logger: logger, Retention: r.keep,
	})
	r.must(err)
	book, err := wording.Load()
	r.must(err)
	r.must(r.in.Connect(ctx, inbox.Config{
		DB: r.db, Vault: r.vault, Gate: g, Log: r.log, People: r.people, Journal: r.jour, Transcript: r.trans, Outbox: r.out,
		Rights: r.life, IDs: source, Now: r.now, Logger: logger, Bot: r.bot, Adapters: adapters, Finder: new(pii.Finder),
		Book: book, Notice: shopNotice(), Retention: r.keep, Limit: r.limit,
	}))
	var wg sync.WaitGroup
	if run {
		wg.Go(func() { r.in.Run(ctx) })
		wg.Go(func() { r.out.Run(ctx) })
		wg.Go(func() { r.life.Run(ctx) })
	}
	r.stop = func() {
		r.stop = nil
		cancel()
		wg.Wait()
		_, err := r.log.Checkpoint(context.Background())
		r.must(err)
		r.must(r.db.Close())
		r.must(r.vault.Close())
	}
}

func shopNotice() notice.Notice {
	return notice.Notice{
		Controller: "The Shop", Contact: "privacy@shop.example", Link: "https://shop.example/privacy",
		Purposes: []notice.Purpose{{
			Name: sotto.PurposeReply, Basis: sotto.BasisContract, Categories: []sotto.Category{sotto.CategoryMessage},
			Retention: 30 * 24 * time.Hour, On: true,
		}},
	}
}

func (r *rig) event(user, text string) channel.Event {
	r.seq++
	return channel.Event{
		Kind: sotto.EventMessage, ID: fmt.Sprint("m", r.seq), Delivery: fmt.Sprint("d", r.seq), Sender: user, Conversation: "chat-" + user,
		Text: text, Time: time.Now(), Language: "en",
	}
}

func (r *rig) say(user, text string) {
	r.t.Helper()
	r.must(r.in.Receive(context.Background(), account, []channel.Event{r.event(user, text)}))
}

func (r *rig) press(user, payload string) {
	r.t.Helper()
	ev := r.event(user, "")
	ev.Kind, ev.Payload = sotto.EventButton, payload
	r.must(r.in.Receive(context.Background(), account, []channel.Event{ev}))
}

// waitSent waits until n messages were sent.
func (r *rig) waitSent(n int) []channel.Outgoing {
	r.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		if got := r.net.all(); len(got) >= n {
			return got
		}
		select {
		case <-r.net.got:
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			r.t.Fatalf("%d messages were sent, want %d: %+v\nlog:\n%s", len(r.net.all()), n, r.net.all(), r.logText())
		}
	}
}

func (r *rig) logText() string {
	r.logMu.Lock()
	defer r.logMu.Unlock()
	return r.logs.String()
}

func (r *rig) person(user string) sotto.PersonID { return r.vault.PersonID("fake", account, user) }

// waitIdle waits until nothing waits to be handled or sent.
func (r *rig) waitIdle() {
	r.t.Helper()
	for range 500 {
		n, err := r.jour.Count(context.Background())
		r.must(err)
		if n == 0 && r.out.Held() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatal("something still waits")
}
