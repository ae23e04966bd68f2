package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto"
)

// filled makes a database of about 400 KiB that was closed properly.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	makeTable(t, db)
	if err := db.Write(t.Context(), func(tx *Tx) error {
		args := make([]any, 0, 800)
		for _, id := range upTo(400) {
			args = append(args, id, bytes.Repeat([]byte{byte(id)}, 1000))
		}
		return tx.Insert(`INSERT INTO t (id, v)`, ``, 2, args)
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func patch(t *testing.T, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// contents reads all files beside path, but the lock and the shared memory.
func contents(t *testing.T, path string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, ".lock") || strings.HasSuffix(f, "-shm") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue // a directory
		}
		all[filepath.Base(f)] = b
	}
	return all
}

func TestDamageIsToldAndNeverMended(t *testing.T) {
	wal := func(t *testing.T, path string) {
		t.Helper()
		if err := os.WriteFile(path+"-wal", bytes.Repeat([]byte{7}, 5000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	empty := func(t *testing.T, path string) {
		t.Helper()
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		do   func(t *testing.T, path string)
		want sotto.Kind
	}{
		"header overwritten": {func(t *testing.T, p string) { t.Helper(); patch(t, p, 0, make([]byte, 100)) }, sotto.KindCorrupt},
		"magic overwritten":  {func(t *testing.T, p string) { t.Helper(); patch(t, p, 3, []byte{0}) }, sotto.KindCorrupt},
		"page size of zero":  {func(t *testing.T, p string) { t.Helper(); patch(t, p, 16, []byte{0, 0}) }, sotto.KindCorrupt},
		"schema overwritten": {func(t *testing.T, p string) { t.Helper(); patch(t, p, 100, bytes.Repeat([]byte{0xff}, 3000)) }, sotto.KindCorrupt},
		"another program's":  {func(t *testing.T, p string) { t.Helper(); patch(t, p, 68, []byte("Else")) }, sotto.KindCorrupt},
		"nobody's":           {func(t *testing.T, p string) { t.Helper(); patch(t, p, 68, make([]byte, 4)) }, sotto.KindCorrupt},
		"cut off": {func(t *testing.T, p string) {
			t.Helper()
			if err := os.Truncate(p, 100_000); err != nil {
				t.Fatal(err)
			}
		}, sotto.KindCorrupt},
		"cut in the header": {func(t *testing.T, p string) {
			t.Helper()
			if err := os.Truncate(p, 50); err != nil {
				t.Fatal(err)
			}
		}, sotto.KindCorrupt},
		"empty":           {empty, sotto.KindCorrupt},
		"empty, with log": {func(t *testing.T, p string) { t.Helper(); empty(t, p); wal(t, p) }, sotto.KindCorrupt},
		"gone, with log": {func(t *testing.T, p string) {
			t.Helper()
			wal(t, p)
			if err := os.Remove(p); err != nil {
				t.Fatal(err)
			}
		}, sotto.KindCorrupt},
		"a text": {func(t *testing.T, p string) {
			t.Helper()
			if err := os.WriteFile(p, []byte(strings.Repeat("Dear diary, ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, sotto.KindCorrupt},
		"a directory": {func(t *testing.T, p string) {
			t.Helper()
			if err := errors.Join(os.Remove(p), os.Mkdir(p, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, sotto.KindInvalid},
	} {
		for _, must := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				path := filled(t)
				c.do(t, path)
				before := contents(t, path)
				db, err := Open(t.Context(), Config{Path: path, MustExist: must})
				if err == nil {
					_ = db.Close()
				}
				if sotto.KindOf(err) != c.want {
					t.Errorf("Open: %v, want %v", err, c.want)
				}
				if !maps.EqualFunc(before, contents(t, path), bytes.Equal) {
					t.Error("Open changed what was left")
				}
				// And it let the lock go.
				if err := os.RemoveAll(filepath.Dir(path)); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

func TestNothingThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	if _, err := Open(t.Context(), Config{Path: path, MustExist: true}); sotto.KindOf(err) != sotto.KindNotFound {
		t.Errorf("MustExist: %v", err)
	}
	if _, err := Open(t.Context(), Config{Path: filepath.Join(path, "none", "a.db")}); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Errorf("without a directory: %v", err)
	}
	// What a crash in the middle of making it left behind is no obstacle.
	for _, f := range []string{".new", ".new-wal", ".new-journal"} {
		if err := os.WriteFile(path+f, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db := openWith(t, Config{Path: path})
	makeTable(t, db)
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v; want mode 0600", st.Mode(), err)
	}
	if left, _ := filepath.Glob(path + ".new*"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// Damage in the middle of the file is met when the damaged part is read, and
// the rest stays usable.
func TestGarbagePages(t *testing.T) {
	path := filled(t)
	patch(t, path, 40*pageSize, bytes.Repeat([]byte{0xa5}, 10*pageSize))
	db := openWith(t, Config{Path: path})
	if err := db.Check(t.Context()); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("Check: %v", err)
	}
	var v []byte
	if err := db.QueryRow(t.Context(), `SELECT v FROM t WHERE id = 5`).Scan(&v); err != nil {
		t.Errorf("an undamaged row: %v", err)
	}
	if err := db.QueryRow(t.Context(), `SELECT sum(length(v)) FROM t`).Scan(new(int)); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("all rows: %v", err)
	}
	err := db.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(`UPDATE t SET v = zeroblob(1000)`); return err })
	if sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("a write to all rows: %v", err)
	}
	if err := db.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(`UPDATE t SET v = NULL WHERE id = 5`); return err }); err != nil {
		t.Errorf("a write to an undamaged row: %v", err)
	}
	if db.Stats().Reopened == 0 {
		t.Error("the writer's connection was kept after it had met damage")
	}
}

// Whatever one byte of the file is changed to, nothing breaks: each use works
// or says what is wrong.
func TestAnyByte(t *testing.T) {
	path := filled(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	step := 2999
	if testing.Short() {
		step = 9973
	}
	dir := t.TempDir()
	for at := 0; at < len(whole); at += step {
		p := filepath.Join(dir, "x.db")
		b := bytes.Clone(whole)
		b[at] ^= 0xff
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(t.Context(), Config{Path: p})
		if err == nil {
			err = errors.Join(
				db.QueryRow(t.Context(), `SELECT count(v) FROM t`).Scan(new(int)),
				db.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(`UPDATE t SET v = 1`); return err }),
				db.Close())
		}
		if k := sotto.KindOf(err); err != nil && k != sotto.KindCorrupt && k != sotto.KindUnavailable && k != sotto.KindOther {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
}

func TestTheFileIsTakenAway(t *testing.T) {
	for name, do := range map[string]func(path string) error{
		"file deleted": os.Remove,
		"file moved":   func(p string) error { return os.Rename(p, p+".away") },
		"log deleted":  func(p string) error { return os.Remove(p + "-wal") },
		"file replaced": func(p string) error {
			return errors.Join(os.WriteFile(p+".other", nil, 0o600), os.Rename(p+".other", p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			db, err := Open(t.Context(), Config{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close() //nolint:errcheck // what is tested is before it
			makeTable(t, db)
			if err := do(path); err != nil {
				t.Fatal(err)
			}
			if err := put(t, db, 1, nil); sotto.KindOf(err) != sotto.KindCorrupt || !errors.Is(err, errMoved) {
				t.Errorf("a write that no restart would find: %v", err)
			}
		})
	}
}

func FuzzHeader(f *testing.F) {
	head := make([]byte, headerSize)
	copy(head, "SQLite format 3\x00")
	binary.BigEndian.PutUint16(head[16:], pageSize)
	binary.BigEndian.PutUint32(head[28:], 3)
	binary.BigEndian.PutUint32(head[68:], applicationID)
	f.Add(head, int64(3*pageSize), false)
	f.Add(head, int64(2*pageSize), true)
	f.Add(make([]byte, headerSize), int64(0), false)
	f.Fuzz(func(t *testing.T, b []byte, size int64, log bool) {
		if len(b) < headerSize {
			return
		}
		if judgeHeader(b, size, log) != "" {
			return
		}
		// What is accepted is a database of ours or nobody's, and whole.
		id := binary.BigEndian.Uint32(b[68:])
		if !bytes.HasPrefix(b, head[:16]) || id != applicationID && id != 0 {
			t.Error("accepted a foreign file")
		}
		pages := int64(binary.BigEndian.Uint32(b[28:]))
		if bytes.Equal(b[24:28], b[92:96]) && !log && size < pages*512 {
			t.Error("accepted a file that was cut off")
		}
	})
}

func TestOpenIsDoneWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Config{Path: filepath.Join(t.TempDir(), "a.db")}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
