package media_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/egress"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/media"
	"github.com/sotto-chat/sotto/internal/parttest"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

func ctx() context.Context { return context.Background() }

// begin makes the files of a turn of ann with some attachments.
func begin(h *parttest.House, record int64, a ...channel.Attachment) *media.Files {
	h.T.Helper()
	return h.Media.Begin(ctx(), media.Turn{
		Record: record, Generation: h.Vault.Generation(h.Person("ann")), Person: h.Person("ann"), Conversation: h.Conversation("ann"),
		Message: [16]byte{byte(record)}, Account: parttest.Account, Channel: "telegram", Facts: gate.Facts{Noticed: true}, Attachments: a,
		Trail: audit.NewTrail("test", audit.Commitment{}),
	})
}

func house(t *testing.T, c media.Config) *parttest.House {
	t.Helper()
	h := parttest.New(t)
	h.Files = c
	h.Open()
	return h
}

func wantKind(t *testing.T, err error, kind sotto.Kind, text string) {
	t.Helper()
	if sotto.KindOf(err) != kind || !strings.Contains(fmt.Sprint(err), text) {
		t.Errorf("got %v (%v), want %v: %q", err, sotto.KindOf(err), kind, text)
	}
}

func fetch(t *testing.T, f *media.Files, i int) *sotto.File {
	t.Helper()
	file, err := f.Fetch(ctx(), i)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// files returns what stands in ann's copy.
func files(h *parttest.House, to sotto.Recipient) []*media.File {
	h.T.Helper()
	permit, err := h.Gate.Decide(ctx(), audit.NewTrail("test", audit.Commitment{}), gate.Use{
		Action: gate.Open, Person: h.Person("ann"), Facts: gate.Facts{Noticed: true}, Purpose: sotto.PurposeLegal, Recipient: to,
	})
	h.Must(err)
	out, err := h.Media.Export(ctx(), permit, h.Person("ann"))
	h.Must(err)
	list, _ := out.([]*media.File)
	return list
}

func TestList(t *testing.T) {
	h := house(t, media.Config{})
	f := begin(h, 1, channel.Attachment{Kind: "image", MIME: "Image/JPEG; name=anna.jpg", Name: "Anna at home.JPG"},
		channel.Attachment{Kind: "file", MIME: "anna@example.org", Name: "anna.a.b.tar.gz"}, channel.Attachment{Kind: "location"},
		channel.Attachment{MIME: strings.Repeat("a", 99) + "/b", Name: "x.from-anna"}, channel.Attachment{MIME: "a/b/c", Name: "noending."})
	defer f.Close()
	if diff := cmp.Diff([]sotto.Attachment{{Kind: "image", MIME: "image/jpeg", Ext: ".jpg"}, {Kind: "file", Ext: ".gz"}, {Kind: "location"}, {}, {}}, f.List()); diff != "" {
		t.Error(diff)
	}
}

// Once, whatever comes of it, unless it may pass.
func TestFetchOnce(t *testing.T) {
	h := house(t, media.Config{Limit: 1000, PerTurn: 3})
	h.Net.Put("a", []byte("hello"))
	h.Net.Put("large", bytes.Repeat([]byte("x"), 1001))
	f := begin(h, 1, channel.Attachment{Kind: "file", ID: "a"}, channel.Attachment{ID: "large"}, channel.Attachment{ID: "none"}, channel.Attachment{ID: "a"}, channel.Attachment{Kind: "location"})
	for range 3 {
		if got := fetch(t, f, 0); string(got.Data) != "hello" || got.MIME != "text/plain" {
			t.Errorf("%+v", got)
		}
		_, err := f.Fetch(ctx(), 1)
		wantKind(t, err, sotto.KindInvalid, "too large")
		_, err = f.Fetch(ctx(), 2)
		wantKind(t, err, sotto.KindNotFound, "does not have")
	}
	if n := h.Net.Fetched(); n != 3 {
		t.Errorf("%d downloads", n)
	}
	for _, i := range []int{-1, 5, 1 << 40} {
		_, err := f.Fetch(ctx(), i)
		wantKind(t, err, sotto.KindInvalid, "no such attachment")
	}
	_, err := f.Fetch(ctx(), 3)
	wantKind(t, err, sotto.KindInvalid, "more files")
	f.Close()
	_, err = f.Fetch(ctx(), 0)
	wantKind(t, err, sotto.KindInvalid, "over")

	g := begin(h, 2, channel.Attachment{Kind: "location"}, channel.Attachment{ID: "a"})
	defer g.Close()
	_, err = g.Fetch(ctx(), 0)
	wantKind(t, err, sotto.KindNotFound, "cannot be fetched")
	for _, fail := range []error{&channel.SendError{Class: channel.Retry}, &channel.SendError{Class: channel.Auth}, errors.New("secret of ann")} {
		h.Net.OnFetch(func(context.Context, channel.Attachment, int64) ([]byte, error) { return nil, fail })
		_, err = g.Fetch(ctx(), 1)
		wantKind(t, err, sotto.KindUnavailable, "does not give")
		if strings.Contains(err.Error(), "secret") {
			t.Error(err)
		}
	}
	for code, kind := range map[string]sotto.Kind{"host": sotto.KindDenied, "denied": sotto.KindDenied, "answer": sotto.KindInvalid, "too_large": sotto.KindInvalid, "404": sotto.KindNotFound} {
		h.Net.OnFetch(func(context.Context, channel.Attachment, int64) ([]byte, error) {
			return nil, &channel.SendError{Class: channel.Bad, Code: code}
		})
		k := begin(h, 3, channel.Attachment{ID: "a"})
		_, err = k.Fetch(ctx(), 0)
		wantKind(t, err, kind, "")
		k.Close()
	}
	h.Net.OnFetch(func(context.Context, channel.Attachment, int64) ([]byte, error) { return make([]byte, 1001), nil })
	k := begin(h, 4, channel.Attachment{ID: "a"})
	defer k.Close()
	_, err = k.Fetch(ctx(), 0) // an adapter that does not mind the limit
	wantKind(t, err, sotto.KindInvalid, "too large")
	h.Net.OnFetch(nil)
	fetch(t, g, 1)
}

// What a file calls itself opens no door, and closes one.
func TestWhatItCallsItself(t *testing.T) {
	h := house(t, media.Config{Types: []string{"text/plain", "image/*"}})
	h.Net.Put("text", []byte("alert(1)"))
	h.Net.Put("page", []byte("<html>"))
	h.Net.Put("pdf", []byte("%PDF-1.7"))
	for _, tt := range []struct {
		id, name, mime string
		want           string // a type, or the error
	}{
		{"text", "a.txt", "text/plain", "text/plain"},
		{"text", "a.jpg", "image/jpeg", "text/plain"},
		{"text", "", "", "text/plain"},
		{"text", "a.js", "text/plain", "a program"},
		{"text", "a.HTML", "", "a program"},
		{"text", "a.txt", "text/html; charset=utf-8", "a program"},
		{"text", "a.txt", "image/svg+xml", "a program"},
		{"text", "a.txt", "Application/X-JavaScript", "a program"},
		{"text", "a.txt.bat", "text/plain", "a program"},
		{"page", "a.gif", "image/gif", "a program"},
		{"pdf", "a.pdf", "application/pdf", "not accepted"},
	} {
		f := begin(h, 1, channel.Attachment{ID: tt.id, Name: tt.name, MIME: tt.mime})
		got, err := f.Fetch(ctx(), 0)
		if err == nil && got.MIME != tt.want || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %q %q: %+v, %v", tt.id, tt.name, tt.mime, got, err)
		}
		f.Close()
	}
}

func TestGateSaysNo(t *testing.T) {
	h := house(t, media.Config{})
	h.Net.Put("a", []byte("hello"))
	for _, facts := range []gate.Facts{{}, {Noticed: true, Stopped: true}, {Noticed: true, Restricted: true}} {
		trail := audit.NewTrail("test", audit.Commitment{})
		f := h.Media.Begin(ctx(), media.Turn{Person: h.Person("ann"), Account: parttest.Account, Facts: facts, Attachments: []channel.Attachment{{ID: "a"}}, Trail: trail})
		_, err := f.Fetch(ctx(), 0)
		wantKind(t, err, sotto.KindDenied, "")
		if acts := trail.Acts(); len(acts) != 2 || !acts[1].Denied || acts[1].Verb != "fetch" {
			t.Errorf("%+v", acts)
		}
		f.Close()
	}
	if h.Net.Fetched() != 0 {
		t.Error("it was fetched all the same")
	}
}

// webNet is an adapter that fetches over HTTP through the one way out.
type webNet struct {
	*parttest.Network
	way *egress.View
}

func (w *webNet) Fetch(ctx context.Context, a channel.Attachment, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.ID, http.NoBody)
	if err != nil {
		return nil, &channel.SendError{Class: channel.Bad}
	}
	return wire.Fetch(w.way, r, limit)
}

func TestAttacksOverHTTP(t *testing.T) {
	var stolen atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer elsewhere.Close()
	done := make(chan struct{})
	defer close(done)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/same":
			http.Redirect(w, r, "/fine", http.StatusFound)
		case "/huge":
			w.Header().Set("Content-Length", "9999999999")
			io.WriteString(w, "x") //nolint:errcheck // a test server
		case "/endless":
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case "/slow":
			for range 1000 {
				io.WriteString(w, "x")   //nolint:errcheck // a test server
				w.(http.Flusher).Flush() //nolint:errcheck,forcetypeassert // a test server
				select {
				case <-r.Context().Done():
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		case "/silent":
			select {
			case <-r.Context().Done():
			case <-done:
			}
		case "/fine":
			io.WriteString(w, strings.Repeat("text ", 1<<19)) //nolint:errcheck // a test server
		}
	}))
	defer srv.Close()
	client, err := egress.New(egress.Config{Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	way, err := client.For("net", srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	h := parttest.New(t)
	h.Adapters = map[string]channel.Adapter{parttest.Account: &webNet{h.Net, way}}
	h.Files = media.Config{Limit: 4 << 20, Timeout: 700 * time.Millisecond, Allow: egress.Allow}
	h.Open()
	for _, tt := range []struct {
		url  string
		kind sotto.Kind
	}{
		{srv.URL + "/redirect", sotto.KindInvalid},
		{srv.URL + "/same", sotto.KindInvalid},
		{srv.URL + "/huge", sotto.KindInvalid},
		{srv.URL + "/endless", sotto.KindInvalid},
		{srv.URL + "/slow", sotto.KindUnavailable},
		{srv.URL + "/silent", sotto.KindUnavailable},
		{elsewhere.URL, sotto.KindDenied},
		{"https://fbcdn.net.evil.example/x", sotto.KindDenied},
		{"http://169.254.169.254/latest/meta-data", sotto.KindDenied},
		{"file:///etc/passwd", sotto.KindDenied},
		{"::", sotto.KindNotFound},
	} {
		start := time.Now()
		f := begin(h, 1, channel.Attachment{ID: tt.url})
		_, err := f.Fetch(ctx(), 0)
		wantKind(t, err, tt.kind, "")
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", tt.url, took)
		}
		if strings.Contains(fmt.Sprint(err), "127.0.0.1") || strings.Contains(fmt.Sprint(err), "evil") {
			t.Errorf("the error shows the address: %v", err)
		}
		f.Close()
	}
	if stolen.Load() != 0 {
		t.Error("somebody else was asked")
	}
	f := begin(h, 1, channel.Attachment{ID: srv.URL + "/fine"}) // more than the way out gives without leave
	defer f.Close()
	if got := fetch(t, f, 0); len(got.Data) != 5<<19 {
		t.Errorf("%d bytes", len(got.Data))
	}
}

// Memory is given to as many files as there is room for; the others wait, in
// order, and not for ever.
func TestRoom(t *testing.T) {
	h := house(t, media.Config{Limit: 100, Memory: 200, Timeout: 20 * time.Second})
	gateway := make(chan struct{})
	var now, most atomic.Int64
	h.Net.OnFetch(func(ctx context.Context, _ channel.Attachment, _ int64) ([]byte, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		select {
		case <-gateway:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return append(make([]byte, 0, 100), "some text"...), nil
	})
	var wg sync.WaitGroup
	for i := range 8 {
		f := begin(h, int64(i), channel.Attachment{ID: "a"})
		wg.Go(func() {
			defer f.Close()
			if _, err := f.Fetch(ctx(), 0); err != nil {
				t.Error(err)
			}
		})
	}
	for now.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	f := begin(h, 9, channel.Attachment{ID: "a"})
	short, cancel := context.WithTimeout(ctx(), 20*time.Millisecond)
	defer cancel()
	_, err := f.Fetch(short, 0)
	wantKind(t, err, sotto.KindBusy, "too many files")
	close(gateway)
	wg.Wait()
	if most.Load() != 2 {
		t.Errorf("%d files at once", most.Load())
	}
	fetch(t, f, 0) // it may pass, and did
	f.Close()
	// Whoever goes on fetching after the turn is cut off with it.
	h.Net.OnFetch(func(ctx context.Context, _ channel.Attachment, _ int64) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	g := begin(h, 10, channel.Attachment{ID: "a"})
	wg.Go(func() {
		_, err := g.Fetch(ctx(), 0)
		wantKind(t, err, sotto.KindUnavailable, "")
	})
	time.Sleep(10 * time.Millisecond)
	g.Close()
	wg.Wait()
}

// A file of many parts comes back as it was, and nothing of it lies in a file.
func TestKeep(t *testing.T) {
	h := house(t, media.Config{Retention: time.Hour})
	var long bytes.Buffer
	for i := range 200_000 {
		fmt.Fprintf(&long, "canary line %d\n", i)
	}
	h.Net.Put("long", long.Bytes())
	h.Net.Put("short", []byte("canary short"))
	h.Net.Put("broken", []byte("\x00"))
	f := begin(h, 1, channel.Attachment{Kind: "file", ID: "long", Name: "canary.TXT"}, channel.Attachment{ID: "broken"}, channel.Attachment{Kind: "file", ID: "short"}, channel.Attachment{ID: "short"})
	none := begin(h, 1, channel.Attachment{ID: "short"})
	h.Must(none.Keep(ctx())) // nothing was fetched
	_, err := none.Fetch(ctx(), 0)
	wantKind(t, err, sotto.KindInvalid, "over")
	none.Close()
	fetch(t, f, 0)
	fetch(t, f, 2)
	if _, err := f.Fetch(ctx(), 1); err == nil {
		t.Error("a broken file was fetched")
	}
	h.Must(f.Keep(ctx()))
	h.Must(f.Keep(ctx()))
	f.Close()
	again := begin(h, 1, channel.Attachment{ID: "short"}) // the turn runs again after a crash
	fetch(t, again, 0)
	h.Must(again.Keep(ctx()))
	again.Close()
	got := files(h, sotto.RecipientPrivacy)
	if len(got) != 2 || !bytes.Equal(got[0].Data, long.Bytes()) || string(got[1].Data) != "canary short" {
		t.Fatalf("%d files", len(got))
	}
	if g := got[0]; g.Kind != "file" || g.Type != "text/plain" || g.Ending != ".txt" || g.Size != int64(long.Len()) || g.At.Add(time.Hour).Sub(g.Until) >= time.Second || g.Purpose != sotto.PurposeReply {
		t.Errorf("%s %s %s, %d bytes, from %v to %v", g.Kind, g.Type, g.Ending, g.Size, g.At, g.Until)
	}
	if n := h.Rows(media.PartTable); n != long.Len()/(256<<10)+2 {
		t.Errorf("%d parts", n)
	}
	wantNowhere(h, "canary")
	// The parts of another file, or in another order, do not open.
	h.Must(h.DB.Write(ctx(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE media_part SET sealed = (SELECT sealed FROM media_part ORDER BY id DESC LIMIT 1) WHERE id = (SELECT min(id) FROM media_part)`)
		return err
	}))
	if got := files(h, sotto.RecipientPrivacy); !got[0].Unreadable || got[0].Data != nil || got[1].Unreadable {
		t.Errorf("unreadable: %v, %v", got[0].Unreadable, got[1].Unreadable)
	}
}

// wantNowhere looks for a text in all files of a house.
func wantNowhere(h *parttest.House, text string) {
	h.T.Helper()
	names, err := filepath.Glob(filepath.Join(h.Dir, "*"))
	h.Must(err)
	size := 0
	for _, name := range names {
		b, err := os.ReadFile(name)
		h.Must(err)
		size += len(b)
		if bytes.Contains(b, []byte(text)) {
			h.T.Errorf("%q lies in %s", text, filepath.Base(name))
		}
	}
	if size == 0 {
		h.T.Error("there are no files")
	}
}

// What is not to be kept is not.
func TestKeepNothing(t *testing.T) {
	h := house(t, media.Config{})
	h.Net.Put("a", []byte("hello"))
	f := begin(h, 1, channel.Attachment{ID: "a"})
	fetch(t, f, 0)
	h.Must(f.Keep(ctx()))
	f.Close()
	if h.Rows(media.Table)+h.Rows(media.PartTable) != 0 {
		t.Error("a file was kept")
	}
}

// Of one person no more is kept than may be, and the bot gets it all the same.
func TestPerPerson(t *testing.T) {
	h := house(t, media.Config{Retention: time.Hour, PerPerson: 100})
	h.Net.Put("a", bytes.Repeat([]byte("x"), 60))
	for i := range 3 {
		f := begin(h, int64(i), channel.Attachment{ID: "a"})
		fetch(t, f, 0)
		h.Must(f.Keep(ctx()))
		f.Close()
	}
	if n := h.Rows(media.Table); n != 1 {
		t.Errorf("%d files are kept", n)
	}
}

// A copy for a chat leaves out what is too much, and says so.
func TestChatCopy(t *testing.T) {
	h := house(t, media.Config{Retention: time.Hour, Limit: 12 << 20})
	h.Net.Put("a", bytes.Repeat([]byte("x"), 10<<20))
	h.Net.Put("b", []byte("small"))
	for i, id := range []string{"a", "a", "b"} {
		f := begin(h, int64(i), channel.Attachment{ID: id})
		fetch(t, f, 0)
		h.Must(f.Keep(ctx()))
		f.Close()
	}
	got := files(h, sotto.RecipientPerson)
	if len(got) != 3 || len(got[0].Data) != 10<<20 || !got[1].LeftOut || got[1].Data != nil || got[1].Size != 10<<20 || string(got[2].Data) != "small" {
		t.Errorf("%d files", len(got))
	}
	if all := files(h, sotto.RecipientPrivacy); len(all[1].Data) != 10<<20 || all[1].LeftOut {
		t.Error("the whole copy is not whole")
	}
}

func keep(t *testing.T, h *parttest.House, record int64) {
	t.Helper()
	f := begin(h, record, channel.Attachment{ID: "a"})
	defer f.Close()
	fetch(t, f, 0)
	h.Must(f.Keep(ctx()))
}

func TestLastDay(t *testing.T) {
	h := house(t, media.Config{Retention: 24 * time.Hour})
	h.Net.Put("a", []byte("hello"))
	sweep := func() (n int64) {
		for _, s := range []func(context.Context, time.Time) (int64, error){h.Media.Sweep, h.Media.Parts().Sweep} {
			k, err := s(ctx(), h.Now())
			h.Must(err)
			n += k
		}
		return n
	}
	keep(t, h, 1)
	h.Pass(12 * time.Hour)
	keep(t, h, 2)
	if n := sweep(); n != 0 {
		t.Errorf("%d rows went too early", n)
	}
	h.Pass(12*time.Hour + time.Second)
	if n := sweep(); n != 2 || len(files(h, sotto.RecipientPrivacy)) != 1 {
		t.Errorf("%d rows went", n)
	}
	h.Close()
	h.Files.Retention = time.Hour // shorter from now on
	h.Open()
	if n := sweep(); n != 2 || h.Rows(media.Table)+h.Rows(media.PartTable) != 0 {
		t.Errorf("%d rows went", n)
	}
}

// What a message brought goes with it, and nothing else.
func TestForgetMessage(t *testing.T) {
	h := house(t, media.Config{Retention: time.Hour})
	h.Net.Put("a", []byte("hello"))
	for i := range int64(3) {
		keep(t, h, i) // the first has no id
	}
	forget := func(person sotto.PersonID, message byte) (n int64) {
		h.Must(h.DB.Write(ctx(), func(tx *store.Tx) (err error) {
			n, err = h.Media.ForgetMessage(tx, person, [16]byte{message})
			return err
		}))
		return n
	}
	if forget(h.Person("ann"), 0) != 0 || forget(h.Person("bob"), 1) != 0 || forget(h.Person("ann"), 9) != 0 {
		t.Error("too much went")
	}
	if n := forget(h.Person("ann"), 1); n != 1 || h.Rows(media.Table) != 2 || h.Rows(media.PartTable) != 2 {
		t.Errorf("%d files went", n)
	}
}

// An erasure that comes while a file is stored leaves nothing that opens.
func TestErasedMeanwhile(t *testing.T) {
	h := house(t, media.Config{Retention: time.Hour})
	h.Net.Put("a", []byte("hello"))
	keep(t, h, 1)
	f := begin(h, 2, channel.Attachment{ID: "a"})
	fetch(t, f, 0)
	_, err := h.Life.Erase(ctx(), h.Person("ann"), sotto.RecipientPrivacy)
	h.Must(err)
	if got := files(h, sotto.RecipientPrivacy); len(got) != 0 {
		t.Errorf("%d files open after the erasure", len(got))
	}
	h.Must(f.Keep(ctx()))
	f.Close()
	h.Must(h.Life.FinishErasures(ctx()))
	if n := h.Rows(media.Table) + h.Rows(media.PartTable); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// A copy of the data from before an erasure does not open after it.
func TestErasedInABackup(t *testing.T) {
	h := house(t, media.Config{Retention: time.Hour})
	h.Net.Put("a", []byte("hello"))
	keep(t, h, 1)
	var id, part int64
	var whole, piece vault.Sealed
	h.Must(h.DB.QueryRow(ctx(), `SELECT id, sealed FROM media`).Scan(&id, &whole))
	h.Must(h.DB.QueryRow(ctx(), `SELECT id, sealed FROM media_part`).Scan(&part, &piece))
	open := func() (n int) {
		for _, s := range []struct {
			table string
			id    int64
			b     vault.Sealed
		}{{media.Table, id, whole}, {media.PartTable, part, piece}} {
			permit, err := h.Gate.Decide(ctx(), audit.NewTrail("test", audit.Commitment{}), gate.Use{
				Action: gate.Open, Person: h.Person("ann"), Facts: gate.Facts{Noticed: true}, Purpose: sotto.PurposeReply, Recipient: sotto.RecipientSystem, System: true,
			})
			h.Must(err)
			if _, err := h.Vault.Open(ctx(), permit, vault.Ref{Table: s.table, Row: s.id, Field: "sealed", Person: h.Person("ann"), Purpose: sotto.PurposeReply}, s.b); err == nil {
				n++
			}
		}
		return n
	}
	if open() != 2 {
		t.Fatal("it does not open before")
	}
	_, err := h.Life.Erase(ctx(), h.Person("ann"), sotto.RecipientPrivacy)
	h.Must(err)
	if n := open(); n != 0 {
		t.Errorf("%d values open after the erasure", n)
	}
}

// Parts without the row that makes them a file are what a crash left.
func TestCrash(t *testing.T) {
	h := house(t, media.Config{Retention: time.Hour})
	h.Net.Put("a", []byte("hello"))
	keep(t, h, 1)
	keep(t, h, 2)
	h.Must(h.DB.Write(ctx(), func(tx *store.Tx) error { _, err := tx.Exec(`DELETE FROM media WHERE record = 2`); return err }))
	h.Close()
	h.Open()
	if h.Rows(media.Table) != 1 || h.Rows(media.PartTable) != 1 || len(files(h, sotto.RecipientPrivacy)) != 1 {
		t.Errorf("%d files, %d parts", h.Rows(media.Table), h.Rows(media.PartTable))
	}
}

// The whole way: a message without text, the bot, the disk, and the person who
// deletes the message on the network.
func TestTurn(t *testing.T) {
	h := parttest.New(t)
	h.Files = media.Config{Retention: time.Hour}
	var leaked func(context.Context, int) (*sotto.File, error)
	h.Bot = sotto.MediaFunc(func(ctx context.Context, t *sotto.Turn) error {
		for i := range t.Attachments {
			f, err := t.Fetch(ctx, i)
			if err != nil {
				return err
			}
			t.Reply(f.MIME + ": " + string(f.Data) + t.Text)
		}
		if leaked = t.Fetch; t.Text == "fail" {
			return errors.New("no")
		}
		return nil
	})
	h.Start()
	h.Net.Put("a", []byte("hello"))
	send := func(text string) channel.Event {
		ev := h.Event("ann", text)
		ev.Attachments = []channel.Attachment{{Kind: "file", ID: "a", Name: "a.txt"}}
		h.Receive(ev)
		return ev
	}
	first := send("")
	h.WaitSent(2)
	send("with words")
	got := h.WaitSent(3)
	if got[1].Text != "text/plain: hello" || got[2].Text != "text/plain: hellowith words" {
		t.Errorf("%q", parttest.Texts(got))
	}
	if _, err := leaked(ctx(), 0); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("a file is fetched after the turn: %v", err)
	}
	h.WaitIdle()
	if h.Rows(media.Table) != 2 || h.Net.Fetched() != 2 {
		t.Errorf("%d files, %d downloads", h.Rows(media.Table), h.Net.Fetched())
	}
	send("fail")
	h.WaitSent(4)
	h.WaitIdle()
	if h.Rows(media.Table) != 2 {
		t.Error("a failed turn has kept a file")
	}
	gone := h.Event("ann", "")
	gone.Kind, gone.ID = sotto.EventDelete, first.ID
	h.Receive(gone)
	h.Wait(func() bool { return h.Rows(media.Table) == 1 && h.Rows(media.PartTable) == 1 }, "the file goes with its message")
	h.WaitIdle()
	_, err := audit.Verify(ctx(), h.DB, audit.VerifyOptions{VerifierKey: h.Log.VerifierKey(), AcceptNoHead: true})
	h.Must(err)
	data, err := h.Life.Export(ctx(), h.Person("ann"), sotto.RecipientPerson)
	h.Must(err)
	var b struct {
		Also struct {
			Media []media.File `json:"media"`
		} `json:"also"`
	}
	h.Must(json.Unmarshal(data, &b))
	if len(b.Also.Media) != 1 || string(b.Also.Media[0].Data) != "hello" {
		t.Errorf("the copy: %s", data)
	}
}
