package lifecycle_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/handout"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/lifecycle"
	"github.com/sotto-chat/sotto/internal/media"
	"github.com/sotto-chat/sotto/internal/offers"
	"github.com/sotto-chat/sotto/internal/parttest"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
)

func exec(h *parttest.House, q string, args ...any) {
	h.T.Helper()
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { _, err := tx.Exec(q, args...); return err }))
}

func export(h *parttest.House, user string) (b lifecycle.Bundle, text string) {
	h.T.Helper()
	data, err := h.Life.Export(context.Background(), h.Person(user), sotto.RecipientPrivacy)
	h.Must(err)
	h.Must(json.Unmarshal(data, &b))
	return b, string(data)
}

// personTables are the tables of the database in which a column names a person.
func personTables(h *parttest.House) []string {
	h.T.Helper()
	rows, err := h.DB.Query(context.Background(), `SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	h.Must(err)
	defer rows.Close() //nolint:errcheck // reading is over
	column := regexp.MustCompile(`(?i)(^|[\s(,])(person|id)\s+BLOB`)
	var out []string
	for rows.Next() {
		var name, sql string
		h.Must(rows.Scan(&name, &sql))
		if column.MatchString(sql) {
			out = append(out, name)
		}
	}
	h.Must(rows.Err())
	return out
}

// TestHoldingsAreComplete fails for a new table that holds something of persons
// and is not on the list that export, erasure and retention go by.
func TestHoldingsAreComplete(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	tables := personTables(h)
	if len(tables) < 5 {
		t.Fatalf("only %v name persons: the test looks at the wrong thing", tables)
	}
	var listed []string
	for _, x := range h.Life.Holdings() {
		listed = append(listed, x.Table)
		if x.Kind == "" || x.Ends == "" {
			t.Errorf("%s: what it is and when it ends is not said", x.Table)
		}
	}
	slices.Sort(listed)
	if diff := cmp.Diff(tables, listed); diff != "" {
		t.Errorf("tables with persons, and Holdings: %s", diff)
	}
	b, _ := export(h, "nobody")
	if diff := cmp.Diff(h.Life.Holdings(), b.Lists); diff != "" {
		t.Errorf("Holdings, and what an export names: %s", diff)
	}
}

// fill puts something of a person into every table.
func fill(h *parttest.House, user string) {
	h.T.Helper()
	h.Meet(user)
	h.Close()
	h.Open()
	h.Say(user, "waiting of "+user)
	h.Close()
	h.Net.Fail(func(int, *channel.Outgoing) error {
		return &channel.SendError{Class: channel.Retry, RetryAfter: time.Hour}
	})
	h.Start()
	h.Wait(func() bool { return h.Rows("outbox") == 1 && h.Rows("journal_event") == 0 }, "an answer waits to be sent")
	h.Close()
	h.Open()
	h.Say(user, "pending of "+user)
}

// TestEveryTableIsExportedAndErased has a row of the person in every table, sees
// each in the export, and sees each gone.
func TestEveryTableIsExportedAndErased(t *testing.T) {
	h := parttest.New(t)
	h.Files.Retention = time.Hour
	h.Start()
	h.Meet("bob")
	fill(h, "ann")
	count := func() map[string]int {
		n := make(map[string]int)
		for _, table := range personTables(h) {
			column := "person"
			if table == "person" {
				column = "id"
			}
			var k int
			h.Must(h.DB.QueryRow(context.Background(), fmt.Sprintf(`SELECT count(*) FROM %s WHERE %s = $1`, table, column), pointer(h.Person("ann"))).Scan(&k))
			n[table] = k
		}
		return n
	}
	other := h.Person("ann's other id")
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { return h.People.Link(tx, other, h.Person("ann"), h.Person("ann")) }))
	file, _, err := h.Handout.Prepare(context.Background(), h.IDs.Next(), h.Person("ann"), &handout.File{Data: []byte("a file")})
	h.Must(err)
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { return h.Handout.Add(tx, file) }))
	of, err := h.Offers.Make(context.Background(), offers.Offer{ID: h.IDs.Next(), Person: h.Person("ann"), Conversation: h.Conversation("ann")}, []sotto.Button{{Label: "yes of ann"}})
	h.Must(err)
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { return h.Offers.Put(tx, of) }))
	h.Net.Put("f", []byte("a file of ann"))
	files := h.Media.Begin(context.Background(), media.Turn{
		Record: 1, Generation: h.Vault.Generation(h.Person("ann")), Person: h.Person("ann"), Conversation: h.Conversation("ann"), Account: parttest.Account,
		Facts: gate.Facts{Noticed: true}, Attachments: []channel.Attachment{{Kind: "file", ID: "f", Name: "of ann.txt"}}, Trail: audit.NewTrail("test", audit.Commitment{}),
	})
	if _, err := files.Fetch(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	h.Must(files.Keep(context.Background()))
	files.Close()
	want := map[string]int{"person": 1, "alias": 1, "media": 1, "media_part": 1, "handout": 1, "offer": 1, "deletion_request": 0, "transcript": 2, "journal_event": 1, "outbox": 1, "lifecycle_erasure": 0}
	if diff := cmp.Diff(want, count()); diff != "" {
		t.Fatalf("rows of ann: %s", diff)
	}
	b, text := export(h, "ann")
	if !b.Held || b.Profile == nil || b.Profile.Account != parttest.Account || b.Profile.Notice == "" || len(b.Turns) != 2 || len(b.Pending) != 1 || len(b.Sending) != 1 ||
		!slices.Equal(b.Profile.Aliases, []string{other.String()}) || b.Also["handout"] != 1.0 || !strings.Contains(text, "yes of ann") ||
		!strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("a file of ann"))) || b.Also["media_part"] != nil {
		t.Errorf("export: %s", text)
	}
	if b.Turns[0].You != "hello" || b.Turns[0].Bot[0] != "you said: hello" || b.Pending[0].Text != "pending of ann" || b.Sending[0].Text != "you said: waiting of ann" {
		t.Errorf("export: %s", text)
	}
	if len(b.Keys) == 0 || b.Unreadable != 0 || strings.Contains(text, "bob") {
		t.Errorf("export: %s", text)
	}
	r, err := h.Life.EraseReceipt(context.Background(), h.Person("ann"), sotto.RecipientPrivacy)
	h.Must(err)
	if r.Keys == 0 || r.Receipt == "" || r.Signer == "" || len(r.Proof) == 0 || r.Entry == 0 {
		t.Errorf("receipt: %+v", r)
	}
	if b, text := export(h, "ann"); b.Profile != nil || len(b.Turns)+len(b.Pending)+len(b.Sending)+len(b.Keys) != 0 {
		t.Errorf("what is held right after the erasure: %s", text)
	}
	h.Must(h.Life.FinishErasures(context.Background()))
	for table, n := range count() {
		if n != 0 {
			t.Errorf("%s still has %d rows", table, n)
		}
	}
	if b, _ := export(h, "bob"); len(b.Turns) != 1 {
		t.Error("bob's data went with ann's")
	}
	_, err = h.Log.Checkpoint(context.Background())
	h.Must(err)
	_, err = audit.Verify(context.Background(), h.DB, audit.VerifyOptions{VerifierKey: h.Log.VerifierKey(), AcceptNoHead: true})
	h.Must(err)
}

func pointer(p sotto.PersonID) []byte { return p[:] }

// A row that cannot be read does not keep the others from being exported.
func TestExportSaysWhatCannotBeRead(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	exec(h, `UPDATE transcript SET id = id + 1`) // not where it was sealed for
	h.Say("ann", "two")
	h.WaitSent(3)
	h.WaitIdle()
	b, text := export(h, "ann")
	if len(b.Turns) != 1 || b.Unreadable != 1 {
		t.Errorf("export: %s", text)
	}
}

func TestWhoMayNotIsRefusedAndItIsWrittenDown(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	ctx := context.Background()
	size := h.Log.Size()
	if _, err := h.Life.Export(ctx, h.Person("ann"), sotto.RecipientBot); sotto.KindOf(err) != sotto.KindDenied {
		t.Errorf("the bot exports: %v", err)
	}
	if _, err := h.Life.Erase(ctx, h.Person("ann"), "vendor:acme"); sotto.KindOf(err) != sotto.KindDenied {
		t.Errorf("a vendor erases: %v", err)
	}
	if _, err := h.Life.EraseReceipt(ctx, h.Person("ann"), "vendor:acme"); sotto.KindOf(err) != sotto.KindDenied {
		t.Errorf("a vendor erases: %v", err)
	}
	if h.Log.Size() != size+3 {
		t.Errorf("%d refusals are in the log, want 3", h.Log.Size()-size)
	}
	if b, _ := export(h, "ann"); len(b.Turns) != 1 {
		t.Error("something was erased")
	}
}

// A crash between the intent to erase and the deed: whoever opens the data next
// finishes it before anything else, once for all intents.
func TestErasureIsFinishedAfterACrash(t *testing.T) {
	for _, state := range []int{1, 2} {
		h := parttest.New(t)
		h.Start()
		fill(h, "ann")
		id := h.Person("ann")
		for i := range 2 {
			exec(h, `INSERT INTO lifecycle_erasure (receipt, person, until, state) VALUES ($1, $2, $3, $4)`, fmt.Sprint("r", i), id[:], h.IDs.Next(), state)
		}
		c := h.Crash()
		c.Open()
		keys, err := c.Vault.Keys(context.Background(), id)
		c.Must(err)
		if got := len(keys) == 0; got != (state == 1) {
			t.Errorf("state %d: after the start there are %d keys", state, len(keys))
		}
		generation := c.Vault.Generation(id)
		c.Must(c.Life.FinishErasures(context.Background()))
		if c.Vault.Generation(id) != generation {
			t.Errorf("state %d: keys were destroyed again, with what they sealed since", state)
		}
		for _, table := range []string{"transcript", "outbox", "journal_event", "lifecycle_erasure"} {
			if n := c.Rows(table); n != 0 {
				t.Errorf("state %d: %s has %d rows", state, table, n)
			}
		}
		if n := c.Rows("person"); n != 0 && state == 1 {
			t.Errorf("%d persons are known", n)
		}

	}
}

// A deed that fails after its intent is done again, and what the person writes
// afterwards is not taken with it.
func TestAnErasureThatFailsIsDoneAgainOnce(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	h.Close()
	h.Open() // from here on nothing happens by itself
	exec(h, `CREATE TRIGGER no BEFORE DELETE ON person BEGIN SELECT RAISE(ABORT, 'no'); END`)
	if _, err := h.Life.Erase(context.Background(), h.Person("ann"), sotto.RecipientPrivacy); err == nil {
		t.Fatal("Erase succeeds")
	}
	if h.Rows("lifecycle_erasure") != 1 {
		t.Error("the intent is not kept")
	}
	exec(h, `DROP TRIGGER no`)
	_, err := h.Life.Erase(context.Background(), h.Person("ann"), sotto.RecipientPrivacy)
	h.Must(err)
	turn(h, h.Now(), h.Keep) // the person comes back
	h.Must(h.Life.FinishErasures(context.Background()))
	if b, text := export(h, "ann"); len(b.Turns) != 1 {
		t.Errorf("what came since is gone: %s", text)
	}
}

// Erasures of one person by several at once, and their finishing, all end.
func TestErasuresAtTheSameTime(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			r, err := h.Life.EraseReceipt(context.Background(), h.Person("ann"), sotto.RecipientPrivacy)
			if err != nil || r.Entry == 0 {
				t.Errorf("EraseReceipt = %+v, %v", r, err)
			}
		})
		wg.Go(func() {
			if err := h.Life.FinishErasures(context.Background()); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { h.Say("ann", "x") })
	}
	wg.Wait()
	h.WaitIdle()
	h.Must(h.Life.FinishErasures(context.Background()))
	if h.Rows("lifecycle_erasure") != 0 {
		t.Error("an erasure is left")
	}
}

// The farewell's key stays where the person has come back meanwhile.
func TestFarewell(t *testing.T) {
	for _, c := range []struct {
		name  string
		until func(h *parttest.House)
		left  bool
	}{
		{"nothing else", func(*parttest.House) {}, false},
		{"known again", func(h *parttest.House) {
			h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error {
				return h.People.Put(tx, h.Person("ann"), people.State{Notice: "v"})
			}))
		}, true},
		{"something waits to be handled", func(h *parttest.House) { h.Say("ann", "again") }, true},
	} {
		h := parttest.New(t)
		h.Open()
		_, err := h.Vault.Seal(context.Background(), vault.Ref{Table: "outbox", Row: 1, Field: "sealed", Person: h.Person("ann"), Purpose: "reply"}, vault.Transit, h.Now(), nil)
		h.Must(err)
		c.until(h)
		h.Life.Farewell(h.Person("ann"), 1)
		keys, err := h.Vault.Keys(context.Background(), h.Person("ann"))
		h.Must(err)
		if (len(keys) > 0) != c.left {
			t.Errorf("%s: %d keys are left", c.name, len(keys))
		}
	}
}

// turn stores a turn of ann as if it had been held at a time.
func turn(h *parttest.House, at time.Time, keep time.Duration) {
	h.T.Helper()
	r := transcript.Row{
		ID: at.UnixMicro(), Person: h.Person("ann"), Conversation: h.Conversation("ann"), Purpose: sotto.PurposeReply, At: at, Expires: at.Add(keep),
	}
	var err error
	r.Sealed, err = h.Vault.Seal(context.Background(), transcript.Ref(&r), vault.Reply, at, (&transcript.Said{In: "x"}).Encode())
	h.Must(err)
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { return h.Transcript.Add(tx, []transcript.Row{r}) }))
}

// TestRetention looks at every day of two years and at the ends of months, leap
// days and years: nothing readable goes before its time, and no key of a month
// stays when the month's last turn has ended.
func TestRetention(t *testing.T) {
	const day = 24 * time.Hour
	for _, keep := range []time.Duration{day, 28 * day, 30 * day, 31 * day, 365 * day} {
		t.Run(keep.String(), func(t *testing.T) {
			h := parttest.New(t)
			h.Keep = keep
			h.SetTime(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
			h.Open()
			ends := []time.Time{
				time.Date(2027, 1, 31, 23, 59, 59, 0, time.UTC), time.Date(2027, 2, 28, 23, 59, 59, 0, time.UTC),
				time.Date(2027, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC),
				time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(2028, 2, 29, 23, 59, 59, 0, time.UTC),
				time.Date(2028, 3, 31, 12, 0, 0, 0, time.UTC),
			}
			slices.SortFunc(ends, time.Time.Compare)
			for _, at := range ends {
				turn(h, at, keep)
			}
			var moments []time.Time
			for _, at := range ends {
				moments = append(moments, at.Add(keep-time.Minute), at.Add(keep+time.Minute))
			}
			slices.SortFunc(moments, time.Time.Compare)
			for _, now := range moments {
				h.SetTime(now)
				would, err := h.Life.Preview(context.Background())
				h.Must(err)
				did, err := h.Life.Sweep(context.Background())
				h.Must(err)
				if would.Turns != did.Turns || would.Keys != did.Keys || would.Held != did.Held || would.Deliveries != did.Deliveries || !would.DryRun || did.DryRun {
					t.Errorf("at %s: would %+v, did %+v", now, would, did)
				}
				want := 0
				for _, e := range ends {
					if e.Add(keep).After(now) {
						want++
					}
				}
				b, _ := export(h, "ann")
				if len(b.Turns) != want || b.Unreadable != 0 || h.Rows("transcript") != want {
					t.Errorf("at %s: %d turns can be read, %d rows, %d unreadable; want %d", now, len(b.Turns), h.Rows("transcript"), b.Unreadable, want)
				}
			}
			h.SetTime(ends[len(ends)-1].Add(keep + 32*day)) // the last month is over for sure
			_, err := h.Life.Sweep(context.Background())
			h.Must(err)
			if b, text := export(h, "ann"); len(b.Keys) != 0 {
				t.Errorf("keys are left: %s", text)
			}
		})
	}
}

// Retention that the operator changed: the shorter of the two holds.
func TestRetentionThatWasChanged(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct{ was, is time.Duration }{{90 * day, 30 * day}, {30 * day, 90 * day}} {
		h := parttest.New(t)
		h.Keep = c.was
		h.Open()
		for _, age := range []time.Duration{0, 20 * day, 40 * day, 80 * day} {
			turn(h, h.Now().Add(-age), c.was)
		}
		h.Close()
		h.Keep = c.is
		h.Open()
		for range 2 { // the first sweep looks at every row, others do not
			_, err := h.Life.Sweep(context.Background())
			h.Must(err)
			if n := h.Rows("transcript"); n != 2 {
				t.Errorf("from %s to %s: %d rows are left, want 2", c.was, c.is, n)
			}
			h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error {
				_, err := tx.Exec(`DELETE FROM transcript WHERE at < $1`, h.Now().Add(-30*day).UnixMilli())
				return err
			}))
			turn(h, h.Now().Add(-50*day), min(c.was, c.is))
			_, err = h.Life.Sweep(context.Background())
			h.Must(err)
			if n := h.Rows("transcript"); n != 2 {
				t.Errorf("from %s to %s, second sweep: %d rows are left, want 2", c.was, c.is, n)
			}
		}
	}
}

// A sweep at a clock that was set back deletes nothing, and none is missed when
// the clock is right again.
func TestSweepWithTheClockSetBack(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	turn(h, h.Now().Add(-10*24*time.Hour), h.Keep)
	h.Pass(-365 * 24 * time.Hour)
	r, err := h.Life.Sweep(context.Background())
	h.Must(err)
	if r.Turns+r.Keys+r.Held+r.Deliveries != 0 {
		t.Errorf("in the past a sweep deletes %+v", r)
	}
	h.Pass((365 + 21) * 24 * time.Hour)
	r, err = h.Life.Sweep(context.Background())
	h.Must(err)
	if r.Turns != 1 || r.Last.IsZero() || !r.Next.After(r.At) {
		t.Errorf("afterwards it deletes %+v", r)
	}
}

// What came in and was never handled ends as well.
func TestSweepOfTheJournal(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	h.Say("ann", "x")
	h.Pass(journal.SeenFor + 25*time.Hour)
	would, err := h.Life.Preview(context.Background())
	h.Must(err)
	did, err := h.Life.Sweep(context.Background())
	h.Must(err)
	if did.Held != 1 || did.Deliveries != 1 || would.Held != 1 || would.Deliveries != 1 {
		t.Errorf("would %+v, did %+v", would, did)
	}
}

// Run sweeps by itself, soon after the start.
func TestRunSweepsAfterDowntime(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	turn(h, h.Now().Add(-31*24*time.Hour), h.Keep)
	h.Run()
	h.Wait(func() bool { return h.Rows("transcript") == 0 }, "the turn is swept")
	h.Wait(func() bool { return strings.Contains(h.LogText(), "retention sweep") }, "the sweep is told of")
}

func TestRunSaysWhatFails(t *testing.T) {
	h := parttest.New(t)
	h.Start()
	h.Meet("ann")
	exec(h, `CREATE TRIGGER no BEFORE DELETE ON transcript BEGIN SELECT RAISE(ABORT, 'no'); END`)
	turn(h, h.Now().Add(-31*24*time.Hour), h.Keep)
	_, err := h.Life.Erase(context.Background(), h.Person("ann"), sotto.RecipientPrivacy)
	h.Must(err)
	h.Wait(func() bool { return strings.Contains(h.LogText(), "not deleted yet") }, "an erasure that cannot go on is told of")
	h.Wait(func() bool { return strings.Contains(h.LogText(), "sweep failed") }, "a sweep that fails is told of")
	exec(h, `DROP TRIGGER no`)
	h.Must(h.Life.FinishErasures(context.Background()))
}

func TestErrors(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	ctx := context.Background()
	for _, table := range []string{"lifecycle_sweep", "lifecycle_erasure", "journal_event", "outbox", "transcript", "person"} {
		exec(h, `DROP TABLE `+table)
		for name, f := range map[string]func() error{
			"erase": func() error { _, err := h.Life.Erase(ctx, h.Person("ann"), sotto.RecipientPrivacy); return err },
			"sweep": func() error {
				_, err := h.Life.Preview(ctx)
				if err != nil {
					_, err = h.Life.Sweep(ctx)
				}
				return err
			},
			"export": func() error { _, err := h.Life.Export(ctx, h.Person("ann"), sotto.RecipientPrivacy); return err },
			"finish": func() error { return h.Life.FinishErasures(ctx) },
		} {
			err := f()
			gone := map[string][]string{
				"erase":  {"lifecycle_erasure"},
				"sweep":  {"lifecycle_sweep"},
				"export": {"journal_event", "outbox", "transcript", "person"},
				"finish": {"lifecycle_erasure"},
			}[name]
			if slices.Contains(gone, table) && err == nil {
				t.Errorf("%s succeeds without %s", name, table)
			}
		}
	}
	h.Life.Farewell(h.Person("ann"), 1)
	if !strings.Contains(h.LogText(), "the key of a farewell stays") {
		t.Error("a farewell that fails is not told of")
	}
}

// BenchmarkErase erases a person of whom 100,000 turns are kept. What the caller
// waits for is the keys; the rows go in the background.
func BenchmarkErase(b *testing.B) {
	h := parttest.New(b)
	h.Open()
	at := h.Now().Add(-20 * 24 * time.Hour)
	var n int64
	for b.Loop() {
		b.StopTimer()
		for range 100 {
			rows := make([]transcript.Row, 1000)
			for i := range rows {
				n++
				r := &rows[i]
				*r = transcript.Row{ID: at.UnixMicro() + n, Person: h.Person("ann"), Conversation: h.Conversation("ann"), Purpose: sotto.PurposeReply, At: at, Expires: at.Add(h.Keep)}
				var err error
				r.Sealed, err = h.Vault.Seal(context.Background(), transcript.Ref(r), vault.Reply, at, (&transcript.Said{In: strings.Repeat("x", 200)}).Encode())
				h.Must(err)
			}
			h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { return h.Transcript.Add(tx, rows) }))
		}
		b.StartTimer()
		_, err := h.Life.Erase(context.Background(), h.Person("ann"), sotto.RecipientPrivacy)
		h.Must(err)
		b.StopTimer()
		h.Must(h.Life.FinishErasures(context.Background()))
		b.StartTimer()
	}
}

// What cannot be finished at the start stops the start: whoever is to be erased
// is not served first.
func TestOpenFailsWhereAnErasureCannotBeFinished(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	exec(h, `CREATE TRIGGER no BEFORE UPDATE ON lifecycle_erasure BEGIN SELECT RAISE(ABORT, 'no'); END`)
	id := h.Person("ann")
	exec(h, `INSERT INTO lifecycle_erasure (receipt, person, until, state) VALUES ('r', $1, 1, 1)`, id[:])
	h.Close()
	if err := h.TryOpen(); err == nil {
		t.Fatal("it opens")
	}
	exec(h, `DROP TRIGGER no`)
	h.Close()
	h.Open()
}

// Numbers go on behind an erasure whose rows are not deleted yet, so that
// nothing new is taken for old, wherever the clock stands.
func TestNumbersGoOnBehindAnErasure(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	far := h.Now().Add(1000 * time.Hour).UnixMicro()
	id := h.Person("ann")
	exec(h, `INSERT INTO lifecycle_erasure (receipt, person, until, state) VALUES ('r', $1, $2, 2)`, id[:], far)
	h.Close()
	h.Start()
	if n := h.IDs.Next(); n <= far {
		t.Errorf("the next number is %d, want more than %d", n, far)
	}
}

func TestErasing(t *testing.T) {
	h := parttest.New(t)
	h.Open()
	for want := range 3 {
		n, err := h.Life.Erasing(context.Background())
		h.Must(err)
		if int(n) != want {
			t.Errorf("%d erasures have rows to delete, want %d", n, want)
		}
		_, err = h.Life.Erase(context.Background(), h.Person("ann"), sotto.RecipientPrivacy)
		h.Must(err)
	}
}
