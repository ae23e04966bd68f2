package vault

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
)

var (
	july   = time.Date(2026, 7, 14, 12, 0, 0, 0, time.UTC)
	august = time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	anna   = sotto.PersonID{1, 2, 3}
	ben    = sotto.PersonID{4, 5, 6}
)

// newConfig is a vault in a directory of its own.
func newConfig(tb testing.TB) Config {
	tb.Helper()
	return Config{Path: filepath.Join(tb.TempDir(), "keys", "keys.db"), Create: true, Current: NewKEK(), Now: func() time.Time { return july }}
}

func open(tb testing.TB, cfg Config) *Vault {
	tb.Helper()
	v, err := Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeVault(tb, v) })
	return v
}

func closeVault(tb testing.TB, v *Vault) {
	tb.Helper()
	if err := v.Close(); err != nil {
		tb.Error(err)
	}
}

// newGate permits the machinery to open, and staff for legal purposes.
func newGate(tb testing.TB, now func() time.Time) *gate.Gate {
	tb.Helper()
	g, err := gate.New(gate.Config{
		Purposes: []gate.PurposeRule{{Purpose: sotto.PurposeReply, Basis: sotto.BasisContract, On: true}},
		Now:      now,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func permit(tb testing.TB, person sotto.PersonID, purpose sotto.Purpose) (gate.Permit, *audit.Trail) {
	tb.Helper()
	return permitOf(tb, newGate(tb, func() time.Time { return july }), person, purpose)
}

func permitOf(tb testing.TB, g *gate.Gate, person sotto.PersonID, purpose sotto.Purpose) (gate.Permit, *audit.Trail) {
	tb.Helper()
	trail := audit.NewTrail("turn", audit.Commitment{})
	p, err := g.Decide(tb.Context(), trail, gate.Use{
		Action: gate.Open, Person: person, Purpose: purpose, Channel: "telegram",
		Facts:      gate.Facts{Noticed: true, AgeClass: "adult"},
		Categories: []sotto.Category{sotto.CategoryMessage}, Recipient: sotto.RecipientSystem,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return p, trail
}

func refOf(p sotto.PersonID) Ref {
	return Ref{Table: "transcript", Row: 7, Field: "text", Person: p, Purpose: sotto.PurposeReply}
}

func seal(tb testing.TB, v *Vault, ref Ref, c Class, at time.Time, plain string) Sealed {
	tb.Helper()
	s, err := v.Seal(tb.Context(), ref, c, at, []byte(plain))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func wantKind(tb testing.TB, err error, want sotto.Kind) {
	tb.Helper()
	if err == nil || sotto.KindOf(err) != want {
		tb.Errorf("got %v (kind %s), want kind %s", err, sotto.KindOf(err), want)
	}
}

func wantOpen(tb testing.TB, v *Vault, ref Ref, s Sealed, want string) {
	tb.Helper()
	got, err := v.open(tb.Context(), ref, s)
	if err != nil || string(got) != want {
		tb.Errorf("open: got %q, %v, want %q", got, err, want)
	}
}

func TestSealOpen(t *testing.T) {
	cfg := newConfig(t)
	v := open(t, cfg)
	for _, plain := range []string{"", "x", "Guten Tag, ich heiße Anna", string(make([]byte, 70_000))} {
		s := seal(t, v, refOf(anna), Reply, july, plain)
		if s.Len() != len(plain)+Overhead {
			t.Errorf("%d bytes sealed are %d", len(plain), s.Len())
		}
		if len(plain) > 8 && bytes.Contains(s.b, []byte(plain[:8])) {
			t.Error("the text is in clear")
		}
		p, _ := permit(t, anna, sotto.PurposeReply)
		got, err := v.Open(t.Context(), p, refOf(anna), s)
		if err != nil || string(got) != plain {
			t.Errorf("open: %v, %d bytes of %d", err, len(got), len(plain))
		}
	}
	one, two := seal(t, v, refOf(anna), Reply, july, "same"), seal(t, v, refOf(anna), Reply, july, "same")
	if bytes.Equal(one.b, two.b) {
		t.Error("the same text is sealed to the same bytes")
	}

	closeVault(t, v)
	cfg.Create = false
	v = open(t, cfg)
	wantOpen(t, v, refOf(anna), one, "same")
}

func TestSealNeedsAPlace(t *testing.T) {
	v := open(t, newConfig(t))
	full := refOf(anna)
	for name, change := range map[string]func(*Ref){
		"table":   func(r *Ref) { r.Table = "" },
		"field":   func(r *Ref) { r.Field = "" },
		"person":  func(r *Ref) { r.Person = sotto.PersonID{} },
		"purpose": func(r *Ref) { r.Purpose = "" },
	} {
		ref := full
		change(&ref)
		_, err := v.Seal(t.Context(), ref, Reply, july, nil)
		wantKind(t, err, sotto.KindInvalid)
		if _, err = v.open(t.Context(), ref, Sealed{}); sotto.KindOf(err) != sotto.KindInvalid {
			t.Errorf("open without %s: %v", name, err)
		}
	}
	_, err := v.Seal(t.Context(), full, 0, july, nil)
	wantKind(t, err, sotto.KindInvalid)
	_, err = v.Seal(t.Context(), full, Reply, time.Time{}, nil)
	wantKind(t, err, sotto.KindInvalid)
	seal(t, v, full, Profile, time.Time{}, "needs no time")
}

func TestOpenNeedsAPermit(t *testing.T) {
	v := open(t, newConfig(t))
	s := seal(t, v, refOf(anna), Reply, july, "secret")
	now := july
	g := newGate(t, func() time.Time { return now })

	_, err := v.Open(t.Context(), gate.Permit{}, refOf(anna), s)
	wantKind(t, err, sotto.KindDenied)

	p, trail := permitOf(t, g, anna, sotto.PurposeReply)
	other := refOf(ben)
	_, err = v.Open(t.Context(), p, other, s)
	wantKind(t, err, sotto.KindDenied)
	other = refOf(anna)
	other.Purpose = sotto.PurposeSupport
	_, err = v.Open(t.Context(), p, other, s)
	wantKind(t, err, sotto.KindDenied)
	for range 3 {
		if _, err := v.Open(t.Context(), p, refOf(anna), s); err != nil {
			t.Fatal(err)
		}
	}
	other = refOf(anna)
	other.Row++
	_, err = v.Open(t.Context(), p, other, s)
	wantKind(t, err, sotto.KindCorrupt)
	if _, err := v.Open(t.Context(), p, refOf(anna), s); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Erase(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	_, err = v.Open(t.Context(), p, refOf(anna), s)
	wantKind(t, err, sotto.KindNotFound)
	now = now.Add(time.Hour)
	_, err = v.Open(t.Context(), p, refOf(anna), s)
	wantKind(t, err, sotto.KindDenied)

	act := func(purpose sotto.Purpose, n int64, denied bool, why ...string) audit.Act {
		return audit.Act{
			Verb: "open", Purpose: string(purpose), Recipient: "system", What: []string{"transcript"},
			Count: n, Denied: denied, Reasons: why,
		}
	}
	want := []audit.Act{
		act(sotto.PurposeReply, 0, true, "denied"),
		act(sotto.PurposeSupport, 0, true, "denied"),
		act(sotto.PurposeReply, 3, false),
		act(sotto.PurposeReply, 0, false, "corrupt"),
		act(sotto.PurposeReply, 1, false),
		act(sotto.PurposeReply, 0, false, "not found"),
		act(sotto.PurposeReply, 0, true, "denied"),
	}
	var got []audit.Act
	for _, a := range trail.Acts() {
		if a.Verb == "open" && a.What[0] == "transcript" {
			got = append(got, a)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPeriod(t *testing.T) {
	west := time.FixedZone("west", -7*3600)
	for _, c := range []struct {
		class Class
		at    time.Time
		want  Period
		text  string
	}{
		{Reply, july, 12*2026 + 6, "2026-07"},
		{Reply, time.Date(2026, 7, 31, 23, 0, 0, 0, west), 12*2026 + 7, "2026-08"}, // already August in UTC
		{Transit, time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), 12 * 1970, "1970-01"},
		{Profile, july, 0, "-"},
		{20, time.Date(-3, 1, 1, 0, 0, 0, 0, time.UTC), 1, "0000-02"},
		{20, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 65535, "5461-04"},
	} {
		got := PeriodOf(c.class, c.at)
		if got != c.want || got.String() != c.text {
			t.Errorf("class %d, %s: got %d %s, want %d %s", c.class, c.at, got, got, c.want, c.text)
		}
	}
}

func TestKeysListsWithoutSecrets(t *testing.T) {
	v := open(t, newConfig(t))
	seal(t, v, refOf(anna), Reply, august, "a")
	seal(t, v, refOf(anna), Reply, july, "b")
	seal(t, v, refOf(anna), Transit, july, "c")
	seal(t, v, refOf(anna), Profile, july, "d")
	seal(t, v, refOf(ben), Profile, july, "e")
	got, err := v.Keys(t.Context(), anna)
	if err != nil {
		t.Fatal(err)
	}
	want := []KeyInfo{{Profile, 0, 1}, {Transit, 24318, 1}, {Reply, 24318, 1}, {Reply, 24319, 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestOpenStore(t *testing.T) {
	t.Run("config", func(t *testing.T) {
		_, err := Open(t.Context(), Config{Old: []KEK{{}}})
		wantKind(t, err, sotto.KindInvalid)
		if n := len(fmt.Sprint(err)); n < 60 {
			t.Errorf("not everything wrong is reported: %v", err)
		}
	})
	t.Run("missing", func(t *testing.T) {
		cfg := newConfig(t)
		cfg.Create = false
		_, err := Open(t.Context(), cfg)
		wantKind(t, err, sotto.KindNotFound)
		if _, err := os.Stat(cfg.Path); !os.IsNotExist(err) {
			t.Errorf("a file was made: %v", err)
		}
	})
	t.Run("modes", func(t *testing.T) {
		cfg := newConfig(t)
		v := open(t, cfg)
		seal(t, v, refOf(anna), Reply, july, "x")
		files, _ := filepath.Glob(filepath.Join(filepath.Dir(cfg.Path), "*"))
		for _, f := range files {
			if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", f, info.Mode(), err)
			}
		}
		if info, _ := os.Stat(filepath.Dir(cfg.Path)); info.Mode().Perm() != 0o700 {
			t.Errorf("directory: %v", info.Mode())
		}
	})
	t.Run("twice", func(t *testing.T) {
		cfg := newConfig(t)
		open(t, cfg)
		_, err := Open(t.Context(), cfg)
		wantKind(t, err, sotto.KindBusy)
	})
	t.Run("closed", func(t *testing.T) {
		v := open(t, newConfig(t))
		s := seal(t, v, refOf(anna), Reply, july, "x")
		closeVault(t, v)
		closeVault(t, v)
		if _, err := v.Seal(t.Context(), refOf(anna), Reply, july, nil); err == nil {
			t.Error("a closed vault seals")
		}
		if _, err := v.open(t.Context(), refOf(anna), s); err == nil {
			t.Error("a closed vault opens")
		}
	})
}
