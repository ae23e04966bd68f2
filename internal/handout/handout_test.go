package handout_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/handout"
	"github.com/sotto-chat/sotto/internal/parttest"
	"github.com/sotto-chat/sotto/internal/store"
)

// fileless is a network that takes no files.
type fileless struct{ *parttest.Network }

func (fileless) Traits() channel.Traits { return channel.Traits{NoFiles: true} }

// ask has a user ask for their data, and returns the word of the link.
func ask(t *testing.T, h *parttest.House, user string) string {
	t.Helper()
	n := len(h.Net.Sent())
	h.Say(user, "/mydata")
	m := h.WaitSent(n + 1)[n]
	h.WaitIdle()
	found := regexp.MustCompile(`https://shop\.example/file/([A-Z0-9]{26})`).FindStringSubmatch(m.Text)
	if m.File != nil || found == nil {
		t.Fatalf("no link in %q", m.Text)
	}
	return found[1]
}

func start(t *testing.T) *parttest.House {
	t.Helper()
	h := parttest.New(t)
	h.Adapters = map[string]channel.Adapter{parttest.Account: fileless{h.Net}}
	h.Start()
	return h
}

// The link gives the person's own data, once, also to many who follow it at the
// same time, and the word itself is stored nowhere.
func TestOnce(t *testing.T) {
	ctx := context.Background()
	h := start(t)
	h.Meet("ann")
	word := ask(t, h, "ann")
	if ok, err := h.Handout.Ready(ctx, word); !ok || err != nil {
		t.Fatal("not ready", err)
	}
	var got atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			f, err := h.Handout.Take(ctx, word)
			switch {
			case err == nil && strings.Contains(string(f.Data), "hello") && f.Name == "my-data.json":
				got.Add(1)
			case sotto.KindOf(err) != sotto.KindNotFound:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := got.Load(); n != 1 {
		t.Errorf("%d got the file", n)
	}
	if ok, err := h.Handout.Ready(ctx, word); ok || err != nil {
		t.Error("still ready", err)
	}
	for _, wrong := range []string{"", "A", word[1:], strings.ToLower(word)} {
		if _, err := h.Handout.Take(ctx, wrong); sotto.KindOf(err) != sotto.KindNotFound {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestLinkEnds(t *testing.T) {
	ctx := context.Background()
	h := start(t)
	h.Meet("ann", "bob")
	late, erased := ask(t, h, "ann"), ask(t, h, "bob")
	if _, err := h.Life.Erase(ctx, h.Person("bob"), sotto.RecipientPrivacy); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Handout.Take(ctx, erased); sotto.KindOf(err) != sotto.KindNotFound {
		t.Error("erased:", err)
	}
	h.Pass(handout.Life + time.Second)
	if _, err := h.Handout.Take(ctx, late); sotto.KindOf(err) != sotto.KindNotFound {
		t.Error("late:", err)
	}
	if _, err := h.Life.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	h.WaitIdle()
	if n := h.Rows("handout"); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

// Whoever takes the disk finds neither the word nor the file.
func TestStolenDisk(t *testing.T) {
	h := start(t)
	h.Meet("ann")
	h.Say("ann", "my canary is called Pieps")
	h.WaitIdle()
	word := ask(t, h, "ann")
	h.Must(h.DB.Write(context.Background(), func(tx *store.Tx) error { return nil }))
	h.Close()
	files, err := filepath.Glob(filepath.Join(h.Dir, "*"))
	h.Must(err)
	for _, name := range files {
		b, err := os.ReadFile(name)
		h.Must(err)
		for _, canary := range []string{word, "Pieps"} {
			if strings.Contains(string(b), canary) {
				t.Errorf("%s shows it", filepath.Base(name))
			}
		}
	}
}
