package vault

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

func TestDamagedFile(t *testing.T) {
	cfg := newConfig(t)
	v := open(t, cfg)
	seal(t, v, refOf(anna), Reply, july, "x")
	closeVault(t, v)
	good, err := os.ReadFile(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	noise := bytes.Repeat([]byte("not a database. "), 512)
	for name, content := range map[string][]byte{
		"noise": noise, "empty": {}, "noise inside": append(bytes.Clone(good[:200]), noise...),
	} {
		t.Run(name, func(t *testing.T) {
			cfg := cfg
			cfg.Path, cfg.Create = filepath.Join(t.TempDir(), "keys.db"), false
			write(t, cfg.Path, 0o600, content)
			_, err := Open(t.Context(), cfg)
			wantKind(t, err, sotto.KindCorrupt)
		})
	}
	t.Run("of something else", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "data.db")
		db, err := store.Open(t.Context(), store.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if err := errNonNil(db.Migrate(t.Context(), "x", []string{`CREATE TABLE x (id BIGINT PRIMARY KEY)`}), db.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = Open(t.Context(), Config{Path: path, Current: NewKEK()})
		wantKind(t, err, sotto.KindCorrupt)
	})
	t.Run("no way to it", func(t *testing.T) {
		_, err := Open(t.Context(), Config{Path: filepath.Join(cfg.Path, "below"), Current: NewKEK()})
		wantKind(t, err, sotto.KindUnavailable)
		dir := t.TempDir()
		write(t, filepath.Join(dir, "file"), 0o600, nil)
		_, err = Open(t.Context(), Config{Path: filepath.Join(dir, "none", "keys.db"), Create: true, Current: KEK{}})
		wantKind(t, err, sotto.KindInvalid)
		if err := os.Symlink("/proc/nowhere", filepath.Join(dir, "dir")); err != nil {
			t.Fatal(err)
		}
		_, err = Open(t.Context(), Config{Path: filepath.Join(dir, "dir", "keys.db"), Create: true, Current: NewKEK()})
		wantKind(t, err, sotto.KindUnavailable)
		if err := os.Mkdir(filepath.Join(dir, "k.lock"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err = Open(t.Context(), Config{Path: filepath.Join(dir, "k"), Create: true, Current: NewKEK()})
		wantKind(t, err, sotto.KindUnavailable)
	})
	t.Run("no time", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if v, err := Open(ctx, cfg); err == nil {
			closeVault(t, v)
			t.Error("opens without time")
		} else if sotto.KindOf(err) == sotto.KindCorrupt {
			t.Errorf("called damaged: %v", err)
		}
	})
}

// A creation that was cut short is finished by the next one, as nothing can
// have been sealed; but only if it is asked for.
func TestCreationCutShort(t *testing.T) {
	cfg := newConfig(t)
	if err := ensureFile(cfg.Path, true); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{Path: cfg.Path})
	if err := errNonNil(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	cfg.Create = false
	_, err = Open(t.Context(), cfg)
	wantKind(t, err, sotto.KindCorrupt)
	cfg.Create = true
	v := open(t, cfg)
	seal(t, v, refOf(anna), Reply, july, "x")
}

// Damage to single rows, each in a key store of its own.
func TestDamagedRows(t *testing.T) {
	for name, c := range map[string]struct {
		q    string
		want sotto.Kind
	}{
		"root changed":     {`UPDATE vault_meta SET value = zeroblob(64) WHERE name = 'root'`, sotto.KindCorrupt},
		"root lost":        {`DELETE FROM vault_meta WHERE name = 'root'`, sotto.KindCorrupt},
		"look-up key lost": {`DELETE FROM vault_meta WHERE name = 'lookup'`, sotto.KindCorrupt},
		"keys exchanged": {`UPDATE vault_meta SET value = (SELECT value FROM vault_meta WHERE name = 'lookup')
			WHERE name = 'root'`, sotto.KindCorrupt},
		"all of it lost":  {`DELETE FROM vault_meta`, sotto.KindCorrupt},
		"half of it lost": {`DELETE FROM vault_meta; DROP TABLE vault_key`, sotto.KindOther},
		"marks lost":      {`DELETE FROM vault_meta; DELETE FROM vault_key; DROP TABLE vault_kek`, sotto.KindOther},
		"another format":  {`UPDATE vault_meta SET value = '2' WHERE name = 'format'`, sotto.KindInvalid},
		"a later version": {`UPDATE store_version SET version = 99`, sotto.KindInvalid},
		"no marks":        {`DELETE FROM vault_kek`, sotto.KindDenied},
		"mark changed":    {`UPDATE vault_kek SET mark = zeroblob(16)`, sotto.KindDenied},
		"no table":        {`DROP TABLE vault_kek`, sotto.KindOther},
		"no keys":         {`DROP TABLE vault_meta`, sotto.KindOther},
		"value is missing": {`CREATE TABLE m AS SELECT name, NULL AS value FROM vault_meta;
			DROP TABLE vault_meta; ALTER TABLE m RENAME TO vault_meta`, sotto.KindOther},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := newConfig(t)
			v := open(t, cfg)
			seal(t, v, refOf(anna), Reply, july, "x")
			for q := range strings.SplitSeq(c.q, ";") {
				exec(t, v, q)
			}
			closeVault(t, v)
			v, err := Open(t.Context(), cfg)
			if err == nil {
				closeVault(t, v)
				t.Fatal("opens")
			}
			if c.want != sotto.KindOther {
				wantKind(t, err, c.want)
			}
		})
	}
}

// One damaged key is that key's trouble: the others open, rotate and are erased.
func TestDamagedKey(t *testing.T) {
	zero := make([]byte, wrappedLen)
	unknown := append([]byte{0, 0, 0, 1}, zero[4:]...)
	for name, wrapped := range map[string][]byte{"short": zero[:20], "unknown version": zero, "changed": unknown} {
		t.Run(name, func(t *testing.T) {
			cfg := newConfig(t)
			v := open(t, cfg)
			hers := seal(t, v, refOf(anna), Reply, july, "hers")
			his := seal(t, v, refOf(ben), Reply, july, "his")
			exec(t, v, `UPDATE vault_slot SET wrapped = $1 WHERE id = 1`, wrapped)
			closeVault(t, v)
			cfg.Current, cfg.Old = NewKEK(), []KEK{cfg.Current}
			v = open(t, cfg)
			_, err := v.open(t.Context(), refOf(anna), hers)
			wantKind(t, err, sotto.KindCorrupt)
			_, err = v.Seal(t.Context(), refOf(anna), Reply, july, nil)
			wantKind(t, err, sotto.KindCorrupt)
			_, err = v.Keys(t.Context(), anna)
			if name == "short" {
				wantKind(t, err, sotto.KindCorrupt)
			}
			wantOpen(t, v, refOf(ben), his, "his")
			n, err := v.Rotate(t.Context())
			wantKind(t, err, sotto.KindCorrupt)
			if n != 1 {
				t.Errorf("rotated %d, want 1", n)
			}
			if n, err := v.Erase(t.Context(), anna); n != 1 || err != nil {
				t.Errorf("erased %d, %v", n, err)
			}
			if n, err := v.Rotate(t.Context()); n != 0 || err != nil {
				t.Errorf("rotated %d, %v", n, err)
			}
		})
	}
}

// A wrapped key that is put at another person's place does not open anything.
func TestExchangedKeys(t *testing.T) {
	v := open(t, newConfig(t))
	hers := seal(t, v, refOf(anna), Reply, july, "hers")
	exec(t, v, `UPDATE vault_key SET person = $1`, ben[:])
	v.cache.purge()
	_, err := v.open(t.Context(), refOf(ben), hers)
	wantKind(t, err, sotto.KindCorrupt)
	_, err = v.Seal(t.Context(), refOf(ben), Reply, july, nil) // the key itself does not unwrap
	wantKind(t, err, sotto.KindCorrupt)
}

// Every operation reports a key store that fails, and goes on when it is well.
func TestFailingStore(t *testing.T) {
	ops := map[string]func(context.Context, *Vault) error{
		"seal": func(ctx context.Context, v *Vault) error {
			_, err := v.Seal(ctx, refOf(anna), 20, july, nil)
			return err
		},
		"erase":  func(ctx context.Context, v *Vault) error { _, err := v.Erase(ctx, ben); return err },
		"drop":   func(ctx context.Context, v *Vault) error { _, err := v.DropBefore(ctx, Reply, 65535); return err },
		"count":  func(ctx context.Context, v *Vault) error { _, err := v.CountBefore(ctx, Reply, 65535); return err },
		"rotate": func(ctx context.Context, v *Vault) error { _, err := v.Rotate(ctx); return err },
		"keys":   func(ctx context.Context, v *Vault) error { _, err := v.Keys(ctx, anna); return err },
		"make":   func(ctx context.Context, v *Vault) error { _, err := v.make(ctx, place{ben, 20, 7}, 0); return err },
		"seal more": func(ctx context.Context, v *Vault) error {
			_, err1 := v.Seal(ctx, refOf(anna), 21, july, nil)
			_, err2 := v.Seal(ctx, refOf(anna), 22, july, nil)
			return errNonNil(err1, err2)
		},
		"commitment": func(ctx context.Context, v *Vault) error {
			_, _, err := v.Commitment(ctx, anna, true)
			return err
		},
	}
	for _, c := range []struct {
		name  string
		setup string
		fail  []string
	}{
		{"no slots", `ALTER TABLE vault_slot RENAME TO gone`, []string{"seal", "erase", "drop", "rotate", "keys", "commitment"}},
		{"no keys", `ALTER TABLE vault_key RENAME TO gone`, []string{"seal", "make", "erase", "drop", "count", "rotate", "keys", "commitment"}},
		{"no versions", `ALTER TABLE vault_kek RENAME TO gone`, []string{"rotate"}},
		{"slots cannot change", `CREATE TRIGGER x BEFORE UPDATE ON vault_slot BEGIN SELECT RAISE(ABORT, 'no'); END`, []string{"seal", "erase", "drop", "rotate"}},
		{"keys cannot change", `CREATE TRIGGER x BEFORE UPDATE ON vault_key BEGIN SELECT RAISE(ABORT, 'no'); END`, []string{"seal", "erase", "drop"}},
		{"slots cannot come", `CREATE TRIGGER x BEFORE INSERT ON vault_slot BEGIN SELECT RAISE(ABORT, 'no'); END`, []string{"seal more"}},
		{"keys cannot come", `CREATE TRIGGER x BEFORE INSERT ON vault_key BEGIN SELECT RAISE(ABORT, 'no'); END`, []string{"seal more"}},
		{"slots lost", `DELETE FROM vault_slot`, []string{"keys", "rotate"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := newConfig(t)
			v := open(t, cfg)
			seal(t, v, refOf(anna), Reply, july, "x")
			seal(t, v, refOf(ben), Reply, july, "x")
			seal(t, v, refOf(ben), Transit, july, "x")
			if _, err := v.DropBefore(t.Context(), Transit, 65535); err != nil { // one free row
				t.Fatal(err)
			}
			closeVault(t, v)
			cfg.Current, cfg.Old = NewKEK(), []KEK{cfg.Current}
			v = open(t, cfg)
			exec(t, v, c.setup)
			for _, name := range c.fail {
				if err := ops[name](t.Context(), v); err == nil {
					t.Errorf("%s does not report it", name)
				} else if k := sotto.KindOf(err); k == sotto.KindNotFound {
					t.Errorf("%s is called not found: %v", name, err)
				}
			}
		})
	}
	for name, q := range map[string]string{
		"root stays":      `CREATE TRIGGER x BEFORE UPDATE ON vault_meta BEGIN SELECT RAISE(ABORT, 'no'); END`,
		"look-up stays":   `CREATE TRIGGER x BEFORE UPDATE ON vault_meta WHEN new.name = 'lookup' BEGIN SELECT RAISE(ABORT, 'no'); END`,
		"no new versions": `CREATE TRIGGER x BEFORE INSERT ON vault_kek BEGIN SELECT RAISE(ABORT, 'no'); END`,
	} {
		t.Run("at the start, "+name, func(t *testing.T) {
			cfg := newConfig(t)
			v := open(t, cfg)
			exec(t, v, q)
			closeVault(t, v)
			cfg.Current, cfg.Old = NewKEK(), []KEK{cfg.Current}
			if v, err := Open(t.Context(), cfg); err == nil {
				closeVault(t, v)
				t.Error("goes unnoticed")
			}
		})
	}
}
