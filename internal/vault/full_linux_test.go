package vault

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sotto-chat/sotto"
)

// A key file that cannot be written whole is not left behind.
func TestKeyFileOnAFullDisk(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 10, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	k, err := CreateKEKFile(path)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	wantKind(t, err, sotto.KindUnavailable)
	if _, err := os.Stat(path); !os.IsNotExist(err) || !k.IsZero() {
		t.Errorf("something is left: %v", err)
	}
}
