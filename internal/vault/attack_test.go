package vault

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/quick"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

// A value that is moved to any other place does not open there.
func TestMovedRowDoesNotOpen(t *testing.T) {
	v := open(t, newConfig(t))
	ctx := t.Context()
	var last Ref
	moved := func(a, b Ref, class uint8, plain []byte) bool {
		a.Table, a.Field, a.Purpose = a.Table+"t", a.Field+"f", a.Purpose+"p"
		a.Person[0] |= 1
		c := Class(max(class, 1))
		s, err := v.Seal(ctx, a, c, july, plain)
		if err != nil {
			t.Error(err)
			return false
		}
		if got, err := v.open(ctx, a, s); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("does not open in its own place: %v", err)
			return false
		}
		b.Person[0] |= 1
		// Both people have keys, so that it is the place that decides.
		if _, err := v.Seal(ctx, Ref{"t", 1, "f", b.Person, "p"}, c, july, nil); err != nil {
			t.Error(err)
			return false
		}
		if last.Table == "" {
			last = a
		}
		// Each part alone, all together, and text that moves over a border.
		places := []Ref{
			{b.Table + "x", a.Row, a.Field, a.Person, a.Purpose},
			{a.Table, b.Row, a.Field, a.Person, a.Purpose},
			{a.Table, a.Row, b.Field + "x", a.Person, a.Purpose},
			{a.Table, a.Row, a.Field, b.Person, a.Purpose},
			{a.Table, a.Row, a.Field, a.Person, b.Purpose + "x"},
			{a.Table + a.Field[:1], a.Row, a.Field[1:] + "x", a.Person, a.Purpose},
			{a.Table, a.Row, a.Field + string(a.Purpose[:1]), a.Person, a.Purpose[1:] + "x"},
			{b.Table + "x", b.Row, b.Field + "x", b.Person, b.Purpose + "x"},
			last,
		}
		for i, r := range places {
			if r == a {
				continue
			}
			if _, err := v.open(ctx, r, s); sotto.KindOf(err) != sotto.KindCorrupt && sotto.KindOf(err) != sotto.KindNotFound {
				t.Errorf("place %d: %v", i, err)
				return false
			}
		}
		return true
	}
	if err := quick.Check(moved, &quick.Config{MaxCount: 60}); err != nil {
		t.Error(err)
	}
}

// A value of another class or month, or with any bit changed, does not open.
func TestChangedValueDoesNotOpen(t *testing.T) {
	v := open(t, newConfig(t))
	s := seal(t, v, refOf(anna), Reply, july, "a secret")
	seal(t, v, refOf(anna), Reply, august, "so that the other month has a key")
	seal(t, v, refOf(anna), Transit, july, "and the other class too")
	for bit := range 8 * s.Len() {
		b := bytes.Clone(s.b)
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := v.open(t.Context(), refOf(anna), Sealed{b}); err == nil {
			t.Errorf("opens with bit %d changed", bit)
		}
	}
	for n := range s.Len() {
		if _, err := v.open(t.Context(), refOf(anna), Sealed{s.b[:n]}); err == nil {
			t.Errorf("opens with only %d bytes", n)
		}
	}
	for _, place := range [][3]byte{{byte(Transit), s.b[2], s.b[3]}, {byte(Reply), s.b[2], s.b[3] + 1}} {
		b := bytes.Clone(s.b)
		copy(b[1:], place[:])
		_, err := v.open(t.Context(), refOf(anna), Sealed{b})
		wantKind(t, err, sotto.KindCorrupt)
	}
}

// Whatever bytes come from a column, they open only if the vault made them.
func FuzzOpen(f *testing.F) {
	v := open(f, newConfig(f))
	s := seal(f, v, refOf(anna), Reply, july, "text")
	f.Add(s.b)
	f.Add([]byte{})
	f.Add(append(bytes.Clone(s.b), 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got Sealed
		if err := got.Scan(b); err != nil {
			return
		}
		plain, err := v.open(t.Context(), refOf(anna), got)
		if err == nil && (!bytes.Equal(b, s.b) || string(plain) != "text") {
			t.Errorf("%x opens to %q", b, plain)
		}
	})
}

func copyFiles(tb testing.TB, from, to string) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(from, "*"))
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		tb.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		write(tb, filepath.Join(to, filepath.Base(f)), 0o600, b)
	}
}

func exec(tb testing.TB, v *Vault, q string, args ...any) {
	tb.Helper()
	if err := v.db.Write(tb.Context(), func(tx *store.Tx) error { _, err := tx.Exec(q, args...); return err }); err != nil {
		tb.Fatal(err)
	}
}

// Whoever has copies of both files, the data and the key store, and not the
// key-encryption key, opens nothing: not as they are, and not after putting the
// mark of a key of their own into the key store.
func TestStolenDisk(t *testing.T) {
	ctx := t.Context()
	cfg := newConfig(t)
	v := open(t, cfg)
	disk := filepath.Dir(cfg.Path)
	data, err := store.Open(ctx, store.Config{Path: filepath.Join(disk, "data.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := data.Migrate(ctx, "t", []string{`CREATE TABLE t (id BIGINT PRIMARY KEY, text BLOB NOT NULL)`}); err != nil {
		t.Fatal(err)
	}
	const text = "meine Adresse ist Hauptstraße 7"
	s := seal(t, v, refOf(anna), Reply, july, text)
	err = data.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`INSERT INTO t (id, text) VALUES ($1, $2)`, 7, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	stolen := Config{Path: filepath.Join(t.TempDir(), "loot", "keys.db"), Current: NewKEK()}
	copyFiles(t, disk, filepath.Dir(stolen.Path))
	files, err := filepath.Glob(filepath.Join(filepath.Dir(stolen.Path), "*"))
	if err != nil || len(files) < 3 {
		t.Fatalf("copied %v, %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for what, secret := range map[string][]byte{"text": []byte(text[:12]), "key-encryption key": cfg.Current.bytes()[:8], "root": v.root[:8]} {
			if bytes.Contains(b, secret) {
				t.Errorf("%s: the %s is in clear", filepath.Base(f), what)
			}
		}
	}
	_, err = Open(ctx, stolen)
	wantKind(t, err, sotto.KindDenied)
	stolen.Create = true // which changes nothing where there is a key store
	_, err = Open(ctx, stolen)
	wantKind(t, err, sotto.KindDenied)

	raw, err := store.Open(ctx, store.Config{Path: stolen.Path})
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE vault_kek SET mark = $1`, stolen.Current.mark())
		return err
	})
	if err := errNonNil(err, raw.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = Open(ctx, stolen)
	wantKind(t, err, sotto.KindCorrupt)

	// The loot is good: with the right key the copy opens.
	stolen.Current, stolen.Create = cfg.Current, false
	copyFiles(t, disk, filepath.Dir(stolen.Path))
	wantOpen(t, open(t, stolen), refOf(anna), s, text)
	if err := data.Close(); err != nil {
		t.Error(err)
	}
}

func errNonNil(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A copy of the data, restored after an erasure, stays shut with the present
// key store and the right key-encryption key; an old copy of the key store is
// shut once its key-encryption key is gone.
func TestRestoredBackupStaysShut(t *testing.T) {
	cfg := newConfig(t)
	v := open(t, cfg)
	s := seal(t, v, refOf(anna), Reply, july, "old")
	his := seal(t, v, refOf(ben), Reply, july, "his")
	backup := filepath.Join(t.TempDir(), "backup")
	copyFiles(t, filepath.Dir(cfg.Path), backup)
	if n, err := v.Erase(t.Context(), anna); n != 1 || err != nil {
		t.Fatalf("erased %d, %v", n, err)
	}
	closeVault(t, v)
	old := cfg.Current
	cfg.Current, cfg.Old = NewKEK(), []KEK{old}
	v = open(t, cfg)
	_, err := v.open(t.Context(), refOf(anna), s)
	wantKind(t, err, sotto.KindNotFound)
	seal(t, v, refOf(anna), Reply, july, "new") // she writes again
	_, err = v.open(t.Context(), refOf(anna), s)
	wantKind(t, err, sotto.KindCorrupt)
	wantOpen(t, v, refOf(ben), his, "his")
	if _, err := v.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Config{Path: filepath.Join(backup, "keys.db"), Current: cfg.Current})
	wantKind(t, err, sotto.KindDenied)
}

// allBytes indexes what is in the files of a directory by runs of 8 bytes.
func allBytes(tb testing.TB, dir string) map[[8]byte]bool {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		tb.Fatal(err)
	}
	have := make(map[[8]byte]bool)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		for i := 0; i+8 <= len(b); i++ {
			have[[8]byte(b[i:i+8])] = true
		}
	}
	return have
}

// wrappedKeys reads all wrapped keys there are.
func wrappedKeys(tb testing.TB, v *Vault) map[int64][]byte {
	tb.Helper()
	rows, err := v.db.Query(tb.Context(), `SELECT s.id, s.wrapped FROM vault_slot s JOIN vault_key k ON k.id = s.id WHERE k.person IS NOT NULL`)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // reading is over
	all := make(map[int64][]byte)
	for rows.Next() {
		var id int64
		var b []byte
		if err := rows.Scan(&id, &b); err != nil {
			tb.Fatal(err)
		}
		all[id] = bytes.Clone(b)
	}
	return all
}

// After keys came and went in many ways, no byte of a destroyed or replaced
// wrapped key is in any file, while all others are.
func TestDestroyedKeysLeaveNoBytes(t *testing.T) {
	cfg := newConfig(t)
	v := open(t, cfg)
	rnd := rand.New(rand.NewPCG(1, 2))
	made := make(map[string]bool) // every wrapped key there ever was
	note := func() {
		for _, w := range wrappedKeys(t, v) {
			made[string(w)] = true
		}
	}
	check := func(when string) {
		if err := v.Scrub(t.Context()); err != nil {
			t.Fatal(err)
		}
		live := make(map[string]bool)
		for _, w := range wrappedKeys(t, v) {
			live[string(w)] = true
		}
		have := allBytes(t, filepath.Dir(cfg.Path))
		left, lost := 0, 0
		for w := range made {
			first, last := have[[8]byte([]byte(w[16:24]))], have[[8]byte([]byte(w[wrappedLen-8:]))]
			if !live[w] && (first || last) {
				left++
			}
			if live[w] && (!first || !last) {
				lost++
			}
		}
		if left > 0 || lost > 0 {
			t.Errorf("%s: of %d keys %d live; %d destroyed are left, %d live not found", when, len(made), len(live), left, lost)
		}
	}
	var people []sotto.PersonID
	for round := range 6 {
		newcomers := make([]sotto.PersonID, 150)
		for i := range newcomers {
			newcomers[i] = v.PersonID("test", fmt.Sprint(round), fmt.Sprint(i))
		}
		sealMany(t, v, newcomers, round)
		people = append(people, newcomers...)
		note()
		rnd.Shuffle(len(people), reflect.Swapper(people))
		for _, p := range people[:len(people)/3] {
			if _, err := v.Erase(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		people = people[len(people)/3:]
		if round == 3 {
			if _, err := v.DropBefore(t.Context(), Reply, PeriodOf(Reply, july.AddDate(0, 2, 0))); err != nil {
				t.Fatal(err)
			}
		}
		check(fmt.Sprintf("round %d", round))
	}
	closeVault(t, v)
	cfg.Current, cfg.Old = NewKEK(), []KEK{cfg.Current}
	v = open(t, cfg)
	if n, err := v.Rotate(t.Context()); err != nil || n != int64(len(wrappedKeys(t, v))) {
		t.Fatalf("rotated %d, %v", n, err)
	}
	note()
	check("rotation")
}

// sealMany gives each person three keys, all of them at once.
func sealMany(tb testing.TB, v *Vault, people []sotto.PersonID, month int) {
	tb.Helper()
	done := make(chan error)
	for _, p := range people {
		go func() {
			var err error
			for _, c := range []Class{Transit, Profile, Reply} {
				_, e := v.Seal(tb.Context(), refOf(p), c, july.AddDate(0, month, 0), nil)
				err = errNonNil(err, e)
			}
			done <- err
		}()
	}
	for range people {
		if err := <-done; err != nil {
			tb.Fatal(err)
		}
	}
}
