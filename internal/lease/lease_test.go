package lease

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
)

func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Acquire(path)
	var held *HeldError
	if sotto.KindOf(err) != sotto.KindBusy || !errors.As(err, &held) || held.PID != os.Getpid() {
		t.Errorf("a second one: %v", err)
	}
	// Opening and closing the file elsewhere does not end the lock.
	if _, err := os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Acquire(path); sotto.KindOf(err) != sotto.KindBusy {
		t.Errorf("after the file was read: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Wait(ctx, path); sotto.KindOf(err) != sotto.KindBusy || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait: %v", err)
	}
	time.AfterFunc(30*time.Millisecond, func() { _ = l.Release() })
	again, err := Wait(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(again.Release(), again.Release(), (*Lease)(nil).Release()); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 || st.Size() != 0 {
		t.Errorf("the file: %v, %v", st, err)
	}
}

func TestAForgottenLeaseStaysHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if _, err := Acquire(path); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		runtime.GC()
	}
	if _, err := Acquire(path); sotto.KindOf(err) != sotto.KindBusy {
		t.Errorf("after the collector ran: %v", err)
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := errors.Join(os.WriteFile(target, []byte("precious"), 0o600), os.Symlink(target, filepath.Join(dir, "lock"))); err != nil {
		t.Fatal(err)
	}
	if l, err := Acquire(filepath.Join(dir, "lock")); err == nil {
		_ = l.Release()
		t.Error("a link was followed")
	}
	if b, err := os.ReadFile(target); err != nil || string(b) != "precious" {
		t.Errorf("the target: %q, %v", b, err)
	}
}

func TestNowhere(t *testing.T) {
	if _, err := Acquire(filepath.Join(t.TempDir(), "none", "lock")); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Errorf("got %v", err)
	}
}

func FuzzPID(f *testing.F) {
	for _, s := range []string{"1", "4294967296", "-1", "0", "", " 12\n", "012", "+5", "12x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		pid := parsePID(s)
		if pid < 0 {
			t.Fatalf("%q: %d", s, pid)
		}
		if pid > 0 && parsePID(strconv.Itoa(pid)) != pid {
			t.Errorf("%q was read as %d, which is not read", s, pid)
		}
	})
}
