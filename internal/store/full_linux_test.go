package store

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"modernc.org/libc"
	engine "modernc.org/sqlite/lib"

	"github.com/sotto-chat/sotto"
)

// smallDisk mounts a file system of the given size, or skips the test.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		t.Skipf("mounting a small disk is not permitted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDisk(t *testing.T) {
	dir := smallDisk(t, "2m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 900_000), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.db")
	db, err := Open(t.Context(), Config{Path: path, LogPages: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	makeTable(t, db)
	var stored []int64
	fill := func() (full error) {
		for id := int64(len(stored)) + 1; full == nil && id < 3000; id++ {
			if full = put(t, db, id, make([]byte, 1500)); full == nil {
				stored = append(stored, id)
			}
		}
		return full
	}
	for round := range 3 {
		if err := fill(); sotto.KindOf(err) != sotto.KindFull {
			t.Fatalf("round %d: %d rows, then %v, want %v", round, len(stored), err, sotto.KindFull)
		}
		if diff := cmp.Diff(stored, ids(t, db)); diff != "" {
			t.Fatalf("round %d: what is there: %s", round, diff)
		}
		if err := os.Truncate(ballast, int64(600_000-300_000*round)); err != nil {
			t.Fatal(err)
		}
		before := len(stored)
		if err := put(t, db, int64(before)+1, make([]byte, 1500)); err != nil {
			t.Fatalf("round %d: with room again and without a restart: %v", round, err)
		}
		stored = append(stored, int64(before)+1)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	_ = db.Close() // with no room to move the log, it stays, and nothing is lost
	again := openWith(t, Config{Path: path, MustExist: true})
	if diff := cmp.Diff(stored, ids(t, again)); diff != "" {
		t.Errorf("after Close and Open: %s", diff)
	}
}

func TestADiskThatIsFullFromTheStart(t *testing.T) {
	dir := smallDisk(t, "64k")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 60_000), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.db")
	if db, err := Open(t.Context(), Config{Path: path}); err == nil {
		_ = db.Close()
		t.Error("opened")
	} else if sotto.KindOf(err) != sotto.KindFull {
		t.Errorf("got %v, want %v", err, sotto.KindFull)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file is there that is not whole")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=4m"); err != nil {
		t.Skip("the small disk cannot be made larger:", err)
	}
	db := openWith(t, Config{Path: path})
	makeTable(t, db)
}

// faults makes the engine's file operations fail. The engine's functions must
// outlive the process, so there is one set of switches.
var faults struct {
	sync, write, open atomic.Int32 // the result, and 0 for none
	writes            atomic.Int64 // writes to let pass before
}

func faultOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	if rc := faults.open.Load(); rc != 0 {
		(*engine.Tsqlite3_file)(pointer(file)).FpMethods = 0
		return rc
	}
	return layerOpen(tls, vfs, name, file, flags, out)
}

func faultSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	if rc := faults.sync.Load(); rc != 0 {
		return rc
	}
	return layerSync(tls, file, flags)
}

func faultWrite(tls *libc.TLS, file, data uintptr, n int32, off int64) int32 {
	if rc := faults.write.Load(); rc != 0 && faults.writes.Add(-1) < 0 {
		return rc
	}
	return layerWrite(tls, file, data, n, off)
}

// failingVFS is the writer's file layer with faults.
func failingVFS(t *testing.T) string {
	t.Helper()
	tuneEngine()
	const name = "sotto-faults"
	tls := libc.NewTLS()
	defer tls.Close()
	if !registerVFS(tls, name, faultLayerOpen) {
		t.Fatal("no file layer")
	}
	t.Cleanup(func() { faults.sync.Store(0); faults.write.Store(0); faults.open.Store(0) })
	return name
}

func faultLayerOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	rc := faultOpen(tls, vfs, name, file, flags, out)
	if rc == engine.SQLITE_OK && flags&(engine.SQLITE_OPEN_WAL|engine.SQLITE_OPEN_MAIN_DB) != 0 {
		g := at(file)
		g.own.FxSync, g.own.FxWrite = entry[fileSync](faultSync), entry[fileIO](faultWrite)
	}
	return rc
}

func TestAFailingDisk(t *testing.T) {
	vfs := failingVFS(t)
	for name, c := range map[string]struct {
		fail func()
		want sotto.Kind
	}{
		"sync fails":           {func() { faults.sync.Store(engine.SQLITE_IOERR_FSYNC) }, sotto.KindUnavailable},
		"write fails":          {func() { faults.write.Store(engine.SQLITE_IOERR_WRITE) }, sotto.KindUnavailable},
		"a later write fails":  {func() { faults.writes.Store(3); faults.write.Store(engine.SQLITE_IOERR_WRITE) }, sotto.KindUnavailable},
		"disk full":            {func() { faults.write.Store(engine.SQLITE_FULL) }, sotto.KindFull},
		"disk full at a later": {func() { faults.writes.Store(5); faults.write.Store(engine.SQLITE_FULL) }, sotto.KindFull},
		"cannot open": {func() {
			faults.sync.Store(engine.SQLITE_IOERR_FSYNC)
			faults.open.Store(engine.SQLITE_CANTOPEN)
		}, sotto.KindUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			db, err := Open(t.Context(), Config{Path: path, vfs: vfs, LogPages: 10})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close() //nolint:errcheck // closed below
			makeTable(t, db)
			var stored []int64
			for id := range int64(30) {
				if id%10 == 5 {
					c.fail()
					for try := range 3 {
						if err := put(t, db, 1000+id, make([]byte, 20_000)); sotto.KindOf(err) != c.want {
							t.Errorf("row %d, try %d: %v, want %v", id, try, err, c.want)
						}
					}
					if diff := cmp.Diff(stored, ids(t, db)); diff != "" {
						t.Errorf("while the disk fails: %s", diff)
					}
					faults.sync.Store(0)
					faults.write.Store(0)
					faults.open.Store(0)
				}
				if err := put(t, db, id, make([]byte, 3000)); err != nil {
					t.Fatalf("row %d, when the disk works: %v", id, err)
				}
				stored = append(stored, id)
			}
			if err := db.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if c.want != sotto.KindFull && db.Stats().Reopened == 0 {
				t.Error("the connection was kept")
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			again := openWith(t, Config{Path: path, MustExist: true})
			if diff := cmp.Diff(stored, ids(t, again)); diff != "" {
				t.Errorf("after Close and Open: %s", diff)
			}
		})
	}
}
