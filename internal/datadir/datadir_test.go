package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
)

func TestLifeOfADirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	if _, err := Open(path, Options{}); sotto.KindOf(err) != sotto.KindNotFound {
		t.Fatalf("an absent directory: %v", err)
	}
	d, err := Open(path, Options{Create: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if !d.Fresh() {
		t.Error("a new directory is not fresh")
	}
	if _, err := Open(path, Options{Create: true, Now: time.Now}); sotto.KindOf(err) != sotto.KindBusy {
		t.Errorf("a second owner: %v", err)
	}
	for _, f := range []string{d.Data(), d.Keys()} {
		if err := os.WriteFile(f, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Seal(); err != nil {
		t.Fatal(err)
	}
	id := d.ID()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d, err = Open(path, Options{Create: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if d.Fresh() || d.ID() != id {
		t.Errorf("opened again: fresh %v, id %q, want false, %q", d.Fresh(), d.ID(), id)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{dataFile, keysFile, identityFile} {
		t.Run(f, func(t *testing.T) {
			name := filepath.Join(path, f)
			kept, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			_, err = Open(path, Options{Create: true, Now: time.Now})
			if sotto.KindOf(err) != sotto.KindCorrupt || !strings.Contains(err.Error(), f) {
				t.Errorf("without %s: %v", f, err)
			}
			if _, err := os.Stat(name); err == nil {
				t.Errorf("%s was made anew", f)
			}
			if err := os.WriteFile(name, kept, 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
	if err := os.WriteFile(filepath.Join(path, identityFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("a damaged identity: %v", err)
	}
}

func TestOthersMustNotLookIn(t *testing.T) {
	path := t.TempDir()
	if err := os.Chmod(path, 0o755); err != nil { // what is tested
		t.Fatal(err)
	}
	_, err := Open(path, Options{Create: true, Now: time.Now})
	if sotto.KindOf(err) != sotto.KindDenied || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("got %v", err)
	}
}
