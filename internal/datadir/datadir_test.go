package datadir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
)

// childVar makes the test binary hold a directory until it is killed.
const childVar = "SOTTO_DATADIR_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVar); path != "" {
		if _, err := Open(path, Options{Create: true, Now: time.Now}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ready")
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

// made returns a directory that was used and is held by nobody.
func made(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data")
	d := open1(t, path)
	use(t, d)
	if err := errors.Join(d.Seal(), d.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func open1(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(path, Options{Create: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// use does what the databases' packages do.
func use(t *testing.T, d *Dir) {
	t.Helper()
	for _, f := range []string{d.Data(), d.Keys()} {
		if err := os.WriteFile(f, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLifeOfADirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "above", "data")
	if !Absent(path) {
		t.Error("nothing is there, and it is not absent")
	}
	if _, err := Open(path, Options{}); sotto.KindOf(err) != sotto.KindNotFound {
		t.Fatalf("an absent directory: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it was made without Create")
	}
	at := time.Date(2026, 11, 23, 12, 0, 0, 123, time.FixedZone("x", 3600))
	d, err := Open(path, Options{Create: true, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("mode: %v, %v; want 0700", st.Mode(), err)
	}
	if !d.Fresh() || !d.Created().Equal(at.Truncate(time.Second)) || len(d.ID()) != 32 || d.Path() != path {
		t.Errorf("new: fresh %v, created %v, id %q, path %q", d.Fresh(), d.Created(), d.ID(), d.Path())
	}
	if err := d.Seal(); sotto.KindOf(err) != sotto.KindCorrupt || !d.Fresh() {
		t.Errorf("sealed without databases: %v", err)
	}
	use(t, d)
	if err := errors.Join(d.Seal(), d.Seal()); err != nil || d.Fresh() {
		t.Errorf("sealed: %v, fresh %v", err, d.Fresh())
	}
	id := d.ID()
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	for _, create := range []bool{true, false} {
		d, err := Open(path, Options{Create: create, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if d.Fresh() || d.ID() != id || Absent(path) {
			t.Errorf("opened again: fresh %v, id %q, want false, %q", d.Fresh(), d.ID(), id)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if other := open1(t, filepath.Join(t.TempDir(), "data")); other.ID() == id {
		t.Error("two directories have one id")
	}
}

func TestMissingFilesAreToldAndNotMade(t *testing.T) {
	for _, f := range []string{dataFile, keysFile, identityFile} {
		for _, create := range []bool{true, false} {
			t.Run(f, func(t *testing.T) {
				path := made(t)
				name := filepath.Join(path, f)
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
				_, err := Open(path, Options{Create: create, Now: time.Now})
				if sotto.KindOf(err) != sotto.KindCorrupt || !strings.Contains(err.Error(), f) || !strings.Contains(err.Error(), "backup") {
					t.Errorf("got %v", err)
				}
				if _, err := os.Stat(name); err == nil {
					t.Error("it was made anew")
				}
				if err := os.WriteFile(name, []byte(`{"format":1,"id":"0123456789abcdef","created":"2026-01-01T00:00:00Z"}`), 0o600); err != nil {
					t.Fatal(err)
				}
				d, err := Open(path, Options{})
				if err != nil {
					t.Fatalf("after it was restored: %v", err)
				}
				_ = d.Close()
			})
		}
	}
}

// A process that ends while the directory is made leaves one that the next
// start can make whole: nothing was acknowledged yet.
func TestACrashWhileItIsMade(t *testing.T) {
	for _, left := range [][]string{{}, {keysFile}, {keysFile, dataFile}, {identityFile + ".new"}} {
		t.Run(strings.Join(left, "+"), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data")
			d := open1(t, path)
			id := d.ID()
			for _, f := range left {
				if err := os.WriteFile(filepath.Join(path, f), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path, Options{}); sotto.KindOf(err) != sotto.KindNotFound {
				t.Errorf("without Create: %v", err)
			}
			d = open1(t, path)
			if !d.Fresh() || d.ID() != id {
				t.Errorf("fresh %v, id %q, want true, %q", d.Fresh(), d.ID(), id)
			}
		})
	}
}

func TestDamagedIdentity(t *testing.T) {
	for text, want := range map[string]sotto.Kind{
		``:      sotto.KindCorrupt,
		`{`:     sotto.KindCorrupt,
		`{}`:    sotto.KindCorrupt,
		`hello`: sotto.KindCorrupt,
		`{"format":1,"id":"0123","created":"2026-01-01T00:00:00Z"}`:                   sotto.KindCorrupt,
		`{"format":1,"id":"0123456789ABCDEF","created":"2026-01-01T00:00:00Z"}`:       sotto.KindCorrupt,
		`{"format":1,"id":"0123456789abcdef","created":"2026-01-01T00:00:00Z","x":1}`: sotto.KindCorrupt,
		`{"format":2,"region":"eu"}`:                                                  sotto.KindInvalid,
		`{"format":1,"id":"0123456789abcdef"}` + strings.Repeat(" ", maxIdentity):     sotto.KindCorrupt,
	} {
		path := made(t)
		name := filepath.Join(path, identityFile)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Options{Create: true, Now: time.Now}); sotto.KindOf(err) != want {
			t.Errorf("%.40q: %v, want %v", text, err, want)
		}
		if b, err := os.ReadFile(name); err != nil || string(b) != text {
			t.Errorf("%.40q: it was changed to %q", text, b)
		}
	}
}

func TestOthersMustNotLookIn(t *testing.T) {
	for _, mode := range []os.FileMode{0o755, 0o750, 0o701, 0o720, 0o777} {
		path := made(t)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, Options{Create: true, Now: time.Now})
		if sotto.KindOf(err) != sotto.KindDenied || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, Options{Create: true, Now: time.Now}); sotto.KindOf(err) != sotto.KindInvalid && sotto.KindOf(err) != sotto.KindUnavailable {
		t.Errorf("a file: %v", err)
	}
	if os.Getuid() == 0 {
		path := made(t)
		if err := os.Chown(path, 12345, -1); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Options{}); sotto.KindOf(err) != sotto.KindDenied || !strings.Contains(err.Error(), "12345") {
			t.Errorf("somebody else's: %v", err)
		}
	}
}

func TestOneHolder(t *testing.T) {
	path := made(t)
	if _, held, err := Holder(path); held || err != nil {
		t.Errorf("held by nobody: %v, %v", held, err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	line := make([]byte, 100)
	if n, err := out.Read(line); err != nil || string(line[:n]) != "ready\n" {
		t.Fatalf("the child said %q, %v", line[:n], err)
	}
	pid := cmd.Process.Pid
	if got, held, err := Holder(path); got != pid || !held || err != nil {
		t.Errorf("Holder = %d, %v, %v; want %d", got, held, err, pid)
	}
	_, err = Open(path, Options{})
	if sotto.KindOf(err) != sotto.KindBusy || !strings.Contains(err.Error(), fmt.Sprintf("process %d", pid)) {
		t.Errorf("Open: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err = Wait(ctx, path, Options{}); sotto.KindOf(err) != sotto.KindBusy || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait: %v", err)
	}
	type result struct {
		d   *Dir
		err error
	}
	waited := make(chan result, 1)
	go func() {
		d, err := Wait(context.Background(), path, Options{})
		waited <- result{d, err}
	}()
	time.Sleep(100 * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r := <-waited
	if r.err != nil {
		t.Fatalf("after the holder was killed: %v", r.err)
	}
	if err := r.d.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add([]byte(`{"format":1,"id":"0123456789abcdef","created":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"format":1,"id":"0123456789abcdef0123456789abcdef","created":"2026-01-01T00:00:00Z","new":true}`))
	f.Add([]byte(`{"format":9}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := parseIdentity(b)
		if err != nil {
			return
		}
		out, err := id.encode()
		if err != nil {
			t.Skip("a date that cannot be written")
		}
		again, err := parseIdentity(out)
		if err != nil || again.ID != id.ID || again.New != id.New || again.Format != id.Format || !again.Created.Equal(id.Created) {
			t.Errorf("%q was read as %+v, written as %q and read as %+v, %v", b, id, out, again, err)
		}
	})
}
