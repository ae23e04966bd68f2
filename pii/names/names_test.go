package names

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindAllocatesNothing(t *testing.T) {
	for _, s := range []string{
		"hello, could you tell me when you are open on saturday, and do you have the blue one in size 42? thanks!",
		"hi im anna from berlin, this is my sister Maria de la Cruz",
	} {
		n := 0
		if a := testing.AllocsPerRun(50, func() {
			Find(s, func(int, int, Kind, float64, string) { n++ })
		}); a != 0 {
			t.Errorf("%v allocations for %q", a, s)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	for name, s := range map[string]string{
		"clean45":  "can you tell me when my order will arrive? thx",
		"clean300": strings.Repeat("can you tell me when my order will arrive? it is three days late and i need it for the weekend, thanks ", 3),
		"name45":   "hi my name is anna schmidt and i need help pls",
		"german":   "Hallo, ich warte seit drei Tagen auf meine Lieferung. Können Sie mir bitte sagen, wann das Paket kommt?",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				Find(s, func(int, int, Kind, float64, string) {})
			}
		})
	}
}

var update = flag.Bool("update", false, "write the golden files")

const arrow = "  →  "

// TestGolden runs testdata/*.txt: each line is a text, a tab arrow, and what is
// found in it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 2 {
		t.Fatal("the golden files are missing", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "# ") {
				out.WriteString(line + "\n")
				continue
			}
			in, _, _ := strings.Cut(line, arrow)
			out.WriteString(in + arrow + show(in) + "\n")
		}
		if *update {
			if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(strings.Split(string(raw), "\n"), strings.Split(out.String(), "\n")); diff != "" {
			t.Errorf("%s (rewrite with -update)\n%s", file, diff)
		}
	}
}

func show(text string) string {
	out := ""
	Find(text, func(start, end int, kind Kind, _ float64, _ string) {
		out += fmt.Sprintf(", %v %q", kind, text[start:end])
	})
	if out == "" {
		return "-"
	}
	return out[2:]
}

func TestKinds(t *testing.T) {
	if model() == nil {
		t.Fatal("the model in the repository does not load")
	}
	for k, want := range map[Kind]string{Person: "PERSON", Location: "LOCATION", Org: "ORG", 0: "", 9: ""} {
		if got := k.String(); got != want {
			t.Errorf("%d: %q, want %q", k, got, want)
		}
	}
}
