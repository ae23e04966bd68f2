package pii

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden runs testdata/*.txt: each line is a text, a tab arrow, and what is
// found in it. Lines that begin with "# " are comments. A failing case is a new
// line.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 5 {
		t.Fatal("the golden files are missing", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f := Finder{}
			var out strings.Builder
			for line := range strings.Lines(string(raw)) {
				line = strings.TrimSuffix(line, "\n")
				if line == "" || strings.HasPrefix(line, "# ") {
					if regions, ok := strings.CutPrefix(line, "# regions "); ok {
						f.Regions = strings.Fields(regions)
					}
					if types, ok := strings.CutPrefix(line, "# types "); ok {
						f.Types = nil
						for t := range strings.FieldsSeq(types) {
							f.Types = append(f.Types, Type(t))
						}
					}
					out.WriteString(line + "\n")
					continue
				}
				in, _, _ := strings.Cut(line, arrow)
				out.WriteString(in + arrow + show(&f, unquote(in)) + "\n")
			}
			if *update {
				if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := strings.Split(string(raw), "\n")
			if diff := cmp.Diff(want, strings.Split(out.String(), "\n")); diff != "" && !*update {
				t.Errorf("(rewrite with -update)\n%s", diff)
			}
		})
	}
}

const arrow = "  →  "

// unquote puts invisible characters and new lines into a case.
func unquote(s string) string {
	return strings.NewReplacer("<zwsp>", "\u200b", "<nbsp>", "\u00a0", "<lre>", "\u202a", "<pdf>", "\u202c",
		"<begin>", begin, "<shy>", "\u00ad", "<nl>", "\n", "<nul>", "\x00", "<ff>", "\xff").Replace(s)
}

// begin is the beginning of a key's first line. It is put together here so that
// no file of the project looks as if it held a key.
const begin = "-----" + "BEGIN "

func show(f *Finder, text string) string {
	var out []string
	for _, sp := range f.Find(text) {
		out = append(out, fmt.Sprintf("%s %q", sp.Type, strings.ReplaceAll(text[sp.Start:sp.End], begin, "<begin>")))
	}
	if out == nil {
		return "-"
	}
	return strings.Join(out, ", ")
}

func TestNothingFoundAllocatesNothing(t *testing.T) {
	var f Finder
	for _, s := range quiet() {
		m := NewMap()
		if n := testing.AllocsPerRun(20, func() { f.Mask(m, s) }); n != 0 {
			t.Errorf("%v allocations for %q", n, s)
		}
	}
}

// quiet are texts without findings.
func quiet() []string {
	return []string{
		"hello, could you tell me when you are open on saturday, and do you have the blue one in size 42? thanks!",
		"at 10:30, not 11:00; costs 12.50 or 1.299,00 €: order 4711-0815 of monday, see you :) ::",
		"mein Paket Nr. 00340434161094042557 ist seit dem Montag unterwegs, 3,5 kg, Bestellung 100200300",
		"привет! сколько стоит доставка в Казань? спасибо — жду 🙂 “ok” … 10–12",
		"請問這個多少錢？我要兩個，謝謝！",
		"she said a@b or @ nothing, @ 5pm",
	}
}

// TestHostile: the time grows with the length and not with its square.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("compares times, which the race detector distorts")
	}
	var f Finder
	for _, unit := range []string{
		"a@", "@a", "a.", "a.b@c.d", "1", "1 ", "1-", "+1", "+1 ", "(1)", "0 0", "00", "012 ", ":", "::", "1:", "a:b::", "1.", "255.", "DE89 ",
		"DE89", "4111 ", "[EMAIL_1]", "[", `\[`, "[EMAIL_", "a@b.de ", "+4915112345678 ", "0151 1234567 ", "call 1234567 ", "\u200b1", "1\u200b", "\u200b", "\xff", "é@é.é",
		"-a", "a@b-", "a@b.c-d.", "ext 1", "555-010-9999x", "1/", "é1", "٠",
		"12 ", "1/1/", "a1 ", "12a ", "12 may ", "12 High ", "calle 1, ", "str. 1 ", "B-M 1 ", "born 1 ", "passport 1 ", "type 2 ", "1<", "M1 1A", "i am 1 ",
		"a1 ", "AB-12", "123456789 ", "ssn 12345678Z, ", "nif ", "身份证 1", "tax id 1. ",
	} {
		f.Find("+4915112345678") // the library loads its tables once
		// Sixteen times the length would be 256 times the time if it were the
		// square. On a busy machine one measurement says nothing, so it must
		// fail every time.
		var time1, time2 time.Duration
		n := 0
		for range 8 {
			time1, n = measure(&f, unit, 8_000)
			if time2, _ = measure(&f, unit, 128_000); time2 <= 80*time1+20*time.Millisecond {
				n = 0
				break
			}
		}
		if n > 0 {
			t.Errorf("%q: %v for %d bytes, %v for sixteen times as many", unit, time1, n, time2)
		}
	}
}

// measure returns the least of three times, and the length.
func measure(f *Finder, unit string, n int) (time.Duration, int) {
	s := strings.Repeat(unit, n/len(unit))
	best := time.Hour
	for range 3 {
		m := NewMap()
		start := time.Now()
		m.Unmask(f.Mask(m, s))
		best = min(best, time.Since(start))
	}
	return best, len(s)
}

func BenchmarkMask(b *testing.B) {
	var f Finder
	for i, s := range quiet() {
		b.Run(fmt.Sprintf("quiet%d", i), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s)))
			m := NewMap()
			for b.Loop() {
				f.Mask(m, s)
			}
		})
	}
	for _, s := range []string{"write to ada@example.org please", "call me at +49 151 12345678", "card 4111 1111 1111 1111", "0151 12345678"} {
		b.Run(s[:8], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Mask(NewMap(), s)
			}
		})
	}
}

func BenchmarkUnmask(b *testing.B) {
	var f Finder
	m := NewMap()
	f.Mask(m, "write to ada@example.org please")
	b.ReportAllocs()
	for b.Loop() {
		m.Unmask("Thank you. We will write to [EMAIL_1] as soon as it is here.")
	}
}
