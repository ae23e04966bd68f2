package pii

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestOperators runs testdata/operators/*.txt, one file for an operator: each
// line is a type and a value, an arrow, and what is put in. "# use region
// language" says how dates are read from there on.
func TestOperators(t *testing.T) {
	k := testKey(t, "k")
	for name, op := range map[string]Operator{
		"redact": Redact{}, "leave": Leave{}, "partial": Partial{}, "hash": Hash{Key: k}, "generalise": Generalise{},
		"dateshift": DateShift{Key: k}, "weekday": DateShift{Key: k, KeepWeekday: true, Days: 90}, "surrogate": Surrogate{Key: k},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", "operators", name+".txt")
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			u := Use{Person: "p"}
			for line := range strings.Lines(string(raw)) {
				line = strings.TrimSuffix(line, "\n")
				if use, ok := strings.CutPrefix(line, "# use "); ok {
					u.Region, u.Language, _ = strings.Cut(use, " ")
				}
				if line == "" || line[0] == '#' {
					out.WriteString(line + "\n")
					continue
				}
				in, _, _ := strings.Cut(line, arrow)
				typ, value, _ := strings.Cut(in, " ")
				out.WriteString(in + arrow + string(op.Append(nil, Finding{Type: Type(typ), Value: value, Use: u})) + "\n")
			}
			if *update {
				if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(string(raw), "\n"), strings.Split(out.String(), "\n")); diff != "" {
				t.Errorf("(rewrite with -update)\n%s", diff)
			}
		})
	}
}

func TestKey(t *testing.T) {
	if _, err := NewKey(make([]byte, minKey-1)); err == nil {
		t.Error("a short key is taken")
	}
	k := testKey(t, "secret")
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), fmt.Sprint(Hash{Key: k}), fmt.Sprintf("%v", Surrogate{Key: k})} {
		if !strings.Contains(s, "[pii key]") {
			t.Errorf("a key prints as %q", s)
		}
	}
	f := Finding{Type: Date, Value: "2024-05-03"}
	for _, op := range []Operator{Hash{}, Surrogate{}, DateShift{}} {
		if got := string(op.Append(nil, f)); got != "[DATE]" {
			t.Errorf("%T without a key: %q", op, got)
		}
	}
}

// TestHash: equal for spellings, unlike for types, keys and values.
func TestHash(t *testing.T) {
	hash := func(k Key, t Type, v string, n int) string {
		return string(Hash{Key: k, Length: n}.Append(nil, Finding{Type: t, Value: v}))
	}
	k := testKey(t, "a")
	base := hash(k, Email, "ada@example.org", 0)
	if hash(k, Email, "ADA@Example.org", 0) != base || len(base) != len("EMAIL:")+16 || !strings.HasPrefix(base, "EMAIL:") {
		t.Errorf("got %q", base)
	}
	seen := map[string]bool{base[6:]: true}
	for _, h := range []string{hash(k, Username, "ada@example.org", 0)[9:], hash(testKey(t, "b"), Email, "ada@example.org", 0)[6:], hash(k, Email, "adb@example.org", 0)[6:]} {
		if seen[h] {
			t.Errorf("%q is there twice", h)
		}
		seen[h] = true
	}
	if n := len(hash(k, Email, "x", 3)); n != 6+8 {
		t.Errorf("%d characters", n)
	}
	if n := len(hash(k, Email, "x", 99)); n != 6+51 {
		t.Errorf("%d characters", n)
	}
}

// TestDateShiftBack: moving back gives the date again, in every format; the
// distance between dates of a person stays; people move differently.
func TestDateShiftBack(t *testing.T) {
	k := testKey(t, "a")
	r := rand.New(rand.NewPCG(1, 1))
	formats := []struct{ layout, region, language string }{
		{"2006-01-02", "", ""},
		{"02.01.2006", "", ""},
		{"02/01/2006", "", ""},
		{"01/02/2006", "US", ""},
		{"20060102", "", ""},
		{"2 January 2006", "", "en"},
		{"January 2, 2006", "", "en"},
		{"Monday, 2 January 2006", "", "en"},
		{"Jan 2 2006", "", "en"},
		{"02-Jan-06", "", "en"},
		{"2006年1月2日", "", ""},
		{"02.01.06", "", ""},
		{"2 January", "", "en"},
		{"02.01.", "", ""},
		{"Mon 02 Jan 2006 15:04", "", "en"},
		{"2006-01-02T15:04:05Z", "", ""},
	}
	for range 400 {
		day := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, r.IntN(36000))
		f := formats[r.IntN(len(formats))]
		person := fmt.Sprint(r.IntN(50))
		text := day.Format(f.layout)
		u := Use{Person: person, Region: f.region, Language: f.language}
		s := DateShift{Key: k, Days: 1 + r.IntN(60), KeepWeekday: r.IntN(2) == 0}
		moved := string(s.Append(nil, Finding{Type: Date, Value: text, Use: u}))
		back := s
		back.Back = true
		got := string(back.Append(nil, Finding{Type: Date, Value: moved, Use: u}))
		a, ok := readDate(text, orderOf(u))
		b, ok2 := readDate(got, orderOf(u))
		m, ok3 := readDate(moved, orderOf(u))
		if !ok || !ok2 || !ok3 || a.y != b.y || a.m != b.m || a.d != b.d {
			t.Fatalf("%q became %q and then %q", text, moved, got)
		}
		if strings.Contains(f.layout, "02") && f.language == "" && got != text {
			t.Errorf("%q became %q and then %q", text, moved, got)
		}
		if moved == text {
			t.Errorf("%q does not move", text)
		}
		if a.y > 0 && m.time().Sub(a.time()) != time.Duration(s.days(person))*24*time.Hour {
			t.Errorf("%q became %q, not by %d days", text, moved, s.days(person))
		}
		if s.KeepWeekday && a.y > 0 && m.time().Weekday() != a.time().Weekday() {
			t.Errorf("%q became %q", text, moved)
		}
	}
	days := map[int]bool{}
	for i := range 2000 {
		d := DateShift{Key: k, Days: 5}.days(fmt.Sprint(i))
		if d == 0 || d < -5 || d > 5 {
			t.Fatalf("%d days", d)
		}
		days[d] = true
	}
	if len(days) != 10 {
		t.Errorf("%d distances", len(days))
	}
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"3. Mai 2024", "May 3rd, 2024", "20240503", "２０２４年５月３日", "1er mars", "3/5", "mar. 3 avr", "03.05.24 10:30", "31.02.2024", "Пн 3 мая"} {
		f.Add(s)
	}
	k := testKey(f, "a")
	f.Fuzz(func(t *testing.T, text string) {
		for _, op := range []Operator{DateShift{Key: k}, Generalise{}, Surrogate{Key: k}, Partial{}, Hash{Key: k}} {
			for _, typ := range []Type{Date, DateOfBirth, Age, Postcode, IP, URL, Location, Email, Phone, Person, CreditCard, IBAN, Secret, CryptoWallet, MAC, PLPESEL, FIHETU, "OWN"} {
				op.Append(nil, Finding{Type: typ, Value: text})
				normal(typ, text)
			}
		}
		d, ok := readDate(text, dateOrder{})
		if !ok || !d.whole() {
			return
		}
		moved := string(d.moved(nil, 10))
		first := d.mi < d.di && !d.monthWord
		m, ok := readDate(moved, dateOrder{monthFirst: first, lang: monthTables[d.lang].lang})
		if d.y < 9999 && !d.short && (!ok || m.y == d.y && m.m == d.m && m.d == d.d) {
			t.Fatalf("%q became %q", text, moved)
		}
	})
}
