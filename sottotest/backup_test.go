package sottotest_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/journal" //nolint:depguard // does what a thief of the files would do
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/store" //nolint:depguard // does what a thief of the files would do
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault" //nolint:depguard // does what a thief of the files would do
	"github.com/sotto-chat/sotto/sottotest"
)

// opened is how many rows of a table there are, and how many could be read.
type opened struct{ Rows, Read int }

// openAll reads every sealed row of a copy of the data, with all rights and the
// key store at keys: what whoever has both and the key could do.
func openAll(t *testing.T, kekFile, data, keys string) map[string]opened {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	kek, err := vault.LoadKEK(ctx, "file:"+kekFile, func(string) (string, bool) { return "", false })
	must(err)
	va, err := vault.Open(ctx, vault.Config{Path: keys, Current: kek, Now: time.Now})
	must(err)
	defer func() { must(va.Close()) }()
	db, err := store.Open(ctx, store.Config{Path: data, MustExist: true})
	must(err)
	defer func() { must(db.Close()) }()
	g, err := gate.New(gate.Config{Now: time.Now})
	must(err)
	out := map[string]opened{}
	for table, ref := range map[string]func(int64, sotto.PersonID) vault.Ref{
		transcript.Table: func(id int64, p sotto.PersonID) vault.Ref {
			return transcript.Ref(&transcript.Row{ID: id, Person: p, Purpose: sotto.PurposeReply})
		},
		journal.Table: func(id int64, p sotto.PersonID) vault.Ref { return journal.Ref(&journal.Record{ID: id, Person: p}) },
		outbox.Table:  outbox.Ref,
	} {
		rows, err := db.Query(ctx, `SELECT id, person, sealed FROM `+table)
		must(err)
		var n opened
		for rows.Next() {
			var id int64
			var who []byte
			var sealed vault.Sealed
			must(rows.Scan(&id, &who, &sealed))
			p := sotto.PersonID(who)
			permit, err := g.Decide(ctx, audit.NewTrail("test", audit.Commitment{}), gate.Use{
				Action: gate.Open, Person: p, Facts: gate.Facts{Noticed: true}, Channel: "telegram", Purpose: sotto.PurposeReply,
				Categories: []sotto.Category{sotto.CategoryMessage}, Recipient: sotto.RecipientSystem, System: true,
			})
			must(err)
			n.Rows++
			if _, err := va.Open(ctx, permit, ref(id, p), sealed); err == nil {
				n.Read++
			} else if sotto.KindOf(err) != sotto.KindNotFound {
				t.Errorf("%s: %v, want that there is no key", table, err)
			}
		}
		must(rows.Err())
		must(rows.Close())
		out[table] = n
	}
	return out
}

// copyFiles copies databases to a directory of their own.
func copyFiles(t *testing.T, from string, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(from, n))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, n), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A copy of the data from before an erasure cannot be read with the keys of
// after it, whatever waited in it; nor can the copy be taken for the data.
func TestBackupAfterErasure(t *testing.T) {
	t.Parallel()
	s := sottotest.Start(t, echo())
	s.Say("41", inText)
	s.Say("42", "I stay")
	s.Settle()
	s.Network.Fail(channeltest.Fault{Status: http.StatusServiceUnavailable, After: 3600})
	s.Say("41", "this answer waits")
	for s.Metric("sotto_outbox_retried_total") == 0 && t.Context().Err() == nil {
		if s.Metric("sotto_outbox_sent_total") > 4 {
			t.Fatal("the answer did not wait")
		}
	}
	s.Stop()
	data, kek := filepath.Join(s.Dir(), "data"), filepath.Join(s.Dir(), "kek")
	old := copyFiles(t, data, "data.db", "keys.db")
	s.Restart()
	s.Erase("41")
	s.Settle()
	s.Stop()
	left := openAll(t, kek, filepath.Join(copyFiles(t, data, "data.db"), "data.db"), filepath.Join(copyFiles(t, data, "keys.db"), "keys.db"))
	if left[transcript.Table] != (opened{1, 1}) || left[outbox.Table].Rows+left[journal.Table].Rows != 0 {
		t.Errorf("after the erasure: %+v, want the other person's turn and nothing else", left)
	}

	// The present keys against the old data: only the person who stayed.
	now := copyFiles(t, data, "keys.db")
	got := openAll(t, kek, filepath.Join(old, "data.db"), filepath.Join(now, "keys.db"))
	if got[transcript.Table] != (opened{3, 1}) || got[outbox.Table] != (opened{1, 0}) {
		t.Errorf("old data with the present keys: %+v", got)
	}
	// The old keys open it all: the comparison above can fail.
	if got := openAll(t, kek, filepath.Join(old, "data.db"), filepath.Join(old, "keys.db")); got[transcript.Table] != (opened{3, 3}) || got[outbox.Table] != (opened{1, 1}) {
		t.Errorf("old data with the old keys: %+v", got)
	}

	// The old data in the place of the data: refused, and said why.
	b, err := os.ReadFile(filepath.Join(old, "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "data.db"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	var out json.RawMessage
	if err := s.Operate("export", map[string]string{"channel": "telegram", "account": "test", "user": "41"}, &out); err == nil || !strings.Contains(err.Error(), "set back") {
		t.Errorf("restored data are taken for the data: %v, %s", err, out)
	}
}
