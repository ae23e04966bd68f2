package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

func TestErase(t *testing.T) {
	cfg := newConfig(t)
	v := open(t, cfg)
	_, err := v.Erase(t.Context(), sotto.PersonID{})
	wantKind(t, err, sotto.KindInvalid)
	if n, err := v.Erase(t.Context(), anna); n != 0 || err != nil {
		t.Errorf("nobody: %d, %v", n, err)
	}
	var all []Sealed
	for _, c := range []Class{Transit, Profile, Reply, 16} {
		all = append(all, seal(t, v, refOf(anna), c, july, "x"), seal(t, v, refOf(anna), c, august, "x"))
	}
	his := seal(t, v, refOf(ben), Reply, july, "his")
	if g := v.Generation(anna); g != 1 {
		t.Errorf("generation %d, want 1", g)
	}
	if n, err := v.Erase(t.Context(), anna); n != 7 || err != nil {
		t.Errorf("erased %d keys, %v, want 7", n, err)
	}
	if g := v.Generation(anna); g != 2 || v.Generation(ben) != 0 {
		t.Errorf("generation %d, want 2", g)
	}
	shut := func(v *Vault) {
		t.Helper()
		for _, s := range all {
			_, err := v.open(t.Context(), refOf(anna), s)
			wantKind(t, err, sotto.KindNotFound)
		}
		wantOpen(t, v, refOf(ben), his, "his")
	}
	shut(v)
	closeVault(t, v)
	v = open(t, cfg)
	shut(v)
	wantOpen(t, v, refOf(anna), seal(t, v, refOf(anna), Reply, july, "again"), "again")
}

func TestDropBefore(t *testing.T) {
	v := open(t, newConfig(t))
	ctx := t.Context()
	for _, c := range []Class{0, Profile} {
		_, err := v.DropBefore(ctx, c, 65535)
		wantKind(t, err, sotto.KindInvalid)
		_, err = v.CountBefore(ctx, c, 65535)
		wantKind(t, err, sotto.KindInvalid)
	}
	people := make([]sotto.PersonID, dropChunk+50) // more than one piece
	for i := range people {
		people[i] = sotto.PersonID{9, byte(i >> 8), byte(i)}
	}
	sealMany(t, v, people, 0)
	old := seal(t, v, refOf(anna), Reply, july, "old")
	kept := seal(t, v, refOf(anna), Reply, august, "kept")
	other := seal(t, v, refOf(anna), Transit, july, "other")
	profile := seal(t, v, refOf(anna), Profile, july, "profile")
	until := PeriodOf(Reply, august)
	want := int64(len(people) + 1)
	if n, err := v.CountBefore(ctx, Reply, until); n != want || err != nil {
		t.Errorf("counted %d, %v, want %d", n, err, want)
	}
	if n, err := v.DropBefore(ctx, Reply, until); n != want || err != nil {
		t.Errorf("dropped %d, %v, want %d", n, err, want)
	}
	if n, err := v.DropBefore(ctx, Reply, until); n != 0 || err != nil {
		t.Errorf("dropped %d, %v, want none", n, err)
	}
	for range 2 {
		_, err := v.open(ctx, refOf(anna), old)
		wantKind(t, err, sotto.KindNotFound)
		wantOpen(t, v, refOf(anna), kept, "kept")
		wantOpen(t, v, refOf(anna), other, "other")
		wantOpen(t, v, refOf(anna), profile, "profile")
		v.cache.purge()
	}
	// Rows of keys that are gone are used again.
	var before, after int64
	count := func(n *int64) {
		if err := v.db.QueryRow(ctx, `SELECT COUNT(*) FROM vault_slot`).Scan(n); err != nil {
			t.Fatal(err)
		}
	}
	count(&before)
	sealMany(t, v, people[:200], 1)
	count(&after)
	if after != before {
		t.Errorf("the key store grew from %d to %d rows", before, after)
	}
	if n, err := v.CountBefore(ctx, Reply, 65535); n != 201 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
}

// The write-ahead log is emptied soon after an erasure, also if somebody reads
// an older state at first.
func TestScrubsByItself(t *testing.T) {
	cfg := newConfig(t)
	v := open(t, cfg)
	seal(t, v, refOf(anna), Reply, july, "x")
	seal(t, v, refOf(ben), Reply, july, "x")
	if _, err := v.Erase(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if info, err := os.Stat(cfg.Path + "-wal"); err == nil && info.Size() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the write-ahead log is still there")
}

// A scrub that fails is tried again, until the vault is closed.
func TestScrubberGivesUpAtClose(t *testing.T) {
	v := open(t, newConfig(t))
	v.stop()
	<-v.ended
	ctx, cancel := context.WithCancel(t.Context())
	v.ended = make(chan struct{})
	closed, err := store.Open(ctx, store.Config{Path: filepath.Join(t.TempDir(), "x.db")})
	if err := errors.Join(err, closed.Close()); err != nil {
		t.Fatal(err)
	}
	good := v.db
	v.db = closed // every attempt fails
	v.soil()
	v.soil()
	go v.scrubber(ctx)
	time.Sleep(scrubRetry + 100*time.Millisecond)
	cancel()
	<-v.ended
	v.db = good
}

func TestRotate(t *testing.T) {
	ctx := t.Context()
	cfg := newConfig(t)
	v := open(t, cfg)
	people := make([]sotto.PersonID, 400) // 1200 keys: more than two pieces
	for i := range people {
		people[i] = sotto.PersonID{9, byte(i >> 8), byte(i)}
	}
	sealMany(t, v, people, 0)
	s := seal(t, v, refOf(anna), Reply, july, "text")
	seed := v.Seed("x")
	closeVault(t, v)

	first := cfg.Current
	cfg.Current = NewKEK()
	_, err := Open(ctx, cfg)
	wantKind(t, err, sotto.KindDenied)
	if !strings.Contains(err.Error(), "the key-encryption key is not the one this key store was made with") || !errors.Is(err, ErrWrongKEK) {
		t.Errorf("got %v", err)
	}
	cfg.Old = []KEK{NewKEK(), first}
	v = open(t, cfg)
	wantOpen(t, v, refOf(anna), s, "text")
	if v.Seed("x") != seed {
		t.Error("seeds changed")
	}
	// A rotation that ends after its first piece.
	if err := v.db.Write(ctx, func(tx *store.Tx) error { r, err := v.rewrap(tx, 0); _ = r; return err }); err != nil {
		t.Fatal(err)
	}
	closeVault(t, v)
	second := cfg.Current
	for _, c := range []struct {
		current KEK
		old     []KEK
	}{{second, nil}, {NewKEK(), []KEK{second}}, {first, nil}} {
		_, err := Open(ctx, Config{Path: cfg.Path, Current: c.current, Old: c.old})
		wantKind(t, err, sotto.KindDenied)
	}

	v = open(t, cfg)
	if n, err := v.Rotate(ctx); n != 1201-rotateChunk || err != nil {
		t.Errorf("rotated %d, %v", n, err)
	}
	if n, err := v.Rotate(ctx); n != 0 || err != nil {
		t.Errorf("rotated again: %d, %v", n, err)
	}
	closeVault(t, v)
	cfg.Old = nil
	v = open(t, cfg)
	wantOpen(t, v, refOf(anna), s, "text")
	keys, err := v.Keys(ctx, people[7])
	if err != nil || len(keys) != 3 || keys[0].KEK != 2 {
		t.Errorf("keys: %v, %v", keys, err)
	}
	if v.Seed("x") != seed {
		t.Error("seeds changed")
	}
}

// Going back to the key-encryption key before is a rotation as well.
func TestRotateBack(t *testing.T) {
	cfg := newConfig(t)
	v := open(t, cfg)
	s := seal(t, v, refOf(anna), Reply, july, "text")
	closeVault(t, v)
	one, two := cfg.Current, NewKEK()
	cfg.Current, cfg.Old = two, []KEK{one}
	v = open(t, cfg)
	his := seal(t, v, refOf(ben), Reply, july, "his")
	closeVault(t, v)
	cfg.Current, cfg.Old = one, []KEK{two}
	v = open(t, cfg)
	if n, err := v.Rotate(t.Context()); n != 1 || err != nil {
		t.Errorf("rotated %d, %v", n, err)
	}
	closeVault(t, v)
	cfg.Old = nil
	v = open(t, cfg)
	wantOpen(t, v, refOf(anna), s, "text")
	wantOpen(t, v, refOf(ben), his, "his")
}
