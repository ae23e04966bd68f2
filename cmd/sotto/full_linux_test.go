package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/sotto-chat/sotto/channel/channeltest"
)

// A disk that is full: webhooks are answered 503, so that the network keeps and
// repeats them; what was acknowledged before is answered once there is room
// again; no restart is needed; and a stop in the middle of it ends.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("file size", func(t *testing.T) {
		t.Parallel()
		h := newHouse(t, t.TempDir(), "", "")
		h.start()
		fullDisk(t, h, func() { limit(t, h, 0) }, func() { limit(t, h, -1) })
	})
	t.Run("tmpfs", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
			t.Skipf("no small file system can be mounted here (%v); the limit on file sizes is tested", err)
		}
		h := newHouse(t, dir, "", "")
		t.Cleanup(func() {
			_ = h.kill(syscall.SIGKILL)
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		})
		h.start()
		filler := filepath.Join(dir, "filler")
		fullDisk(t, h, func() { fill(t, filler) }, func() {
			if err := os.Remove(filler); err != nil {
				t.Error(err)
			}
		})
	})
}

// room is what is left of the disk.
const room = 384 << 10

// limit bounds the size of the files that the running server writes, by the
// size that its data have and some bytes; negative: not at all.
func limit(t *testing.T, h *house, more int64) {
	t.Helper()
	if h.run == nil {
		return
	}
	to := syscall.Rlimit{Cur: ^uint64(0), Max: ^uint64(0)}
	if more >= 0 {
		for _, f := range []string{"data.db", "data.db-wal", "keys.db", "keys.db-wal"} {
			if fi, err := os.Stat(filepath.Join(h.dir, "data", f)); err == nil {
				more = max(more, fi.Size()+room)
			}
		}
		to.Cur = uint64(more)
	}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(h.run.cmd.Process.Pid), syscall.RLIMIT_FSIZE,
		uintptr(unsafe.Pointer(&to)), 0, 0, 0)
	if errno != 0 {
		t.Fatalf("prlimit: %v", errno)
	}
}

// fill takes all room but a little.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it is a filler
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); err != nil {
			break
		}
	}
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(max(0, fi.Size()-room)); err != nil {
		t.Fatal(err)
	}
}

func fullDisk(t *testing.T, h *house, full, free func()) {
	t.Helper()
	h.say("telegram", "41", "before")
	h.settle()
	full()
	acked := 0
	refused := []channeltest.Webhook{}
	text := func(i int) string { return fmt.Sprintf("line %d %s", i, strings.Repeat("and so on ", 40)) }
	for i := 0; len(refused) < 5; i++ {
		w := h.net.Text("telegram", "41", text(i))
		switch status := h.push(t.Context(), "telegram", w); status {
		case http.StatusOK:
			acked++
			if len(refused) > 0 {
				t.Logf("line %d was acknowledged after one was refused", i)
			}
		case http.StatusServiceUnavailable:
			refused = append(refused, w)
		default:
			t.Fatalf("status %d", status)
		}
		if i > 5000 {
			t.Fatal("it is never full")
		}
	}
	if status, _ := h.get("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d while nothing can be stored", status)
	}
	if status, _ := h.get("/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d; a restart would not help", status)
	}
	free()
	for _, w := range refused {
		h.until("a repeated webhook is acknowledged", func() bool { return h.push(t.Context(), "telegram", w) == http.StatusOK })
	}
	if status, body := h.get("/readyz"); status != http.StatusOK {
		t.Errorf("readyz: %d %s after there is room again", status, body)
	}
	h.settle()
	wantOnce(t, h, acked+len(refused)+2, "after there was room again")

	// Once more, and the server has to stop while it is full.
	full()
	late := acked
	for i := 0; ; i++ {
		status := h.push(t.Context(), "telegram", h.net.Text("telegram", "41", text(i)+"2"))
		if status != http.StatusOK {
			break
		}
		late++
	}
	begun := time.Now()
	if err := h.kill(syscall.SIGTERM); err != nil {
		t.Logf("the stop on a full disk: %v", err)
	}
	t.Logf("%d acknowledged, then %d; the stop took %v", acked, late-acked, time.Since(begun))
	free()
	h.start()
	h.settle()
	wantOnce(t, h, late+len(refused)+2, "after the restart")
	if err := h.kill(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}

// wantOnce checks that the network got n messages to user 41 and none of them
// twice, apart from those reported as unknown.
func wantOnce(t *testing.T, h *house, n int, when string) {
	t.Helper()
	seen := map[string]int{}
	for _, m := range h.net.Messages("telegram", "41") {
		seen[m.Text]++
	}
	twice := 0
	for _, k := range seen {
		twice += k - 1
	}
	if len(seen) != n {
		t.Errorf("%s %d different messages were sent, want %d", when, len(seen), n)
	}
	if u := h.unknown(); twice > u {
		t.Errorf("%s %d messages were sent twice, and %d reported as unknown", when, twice, u)
	}
}
