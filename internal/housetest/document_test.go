package housetest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the import table into ARCHITECTURE.md")

func TestDocumentsExist(t *testing.T) {
	r := open(t)
	for name, want := range map[string]string{
		"README.md":       "go test ./...",
		"CHANGELOG.md":    "",
		"ARCHITECTURE.md": begin,
		"SECURITY.md":     "",
		"LICENSE":         "Apache License",
	} {
		raw, err := r.Read(name)
		if err != nil {
			t.Errorf("%s is missing", name)
			continue
		}
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s does not hold %q", name, want)
		}
	}
}

// The import table stands between these two lines.
const (
	begin = "<!-- imports: made by go test ./internal/housetest -run Architecture -update -->"
	end   = "<!-- imports: end -->"
)

func TestArchitectureShowsTheTable(t *testing.T) {
	r := open(t)
	path := filepath.Join(r.Root, "ARCHITECTURE.md")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal("ARCHITECTURE.md is missing: it is one page with the picture and the import table")
	}
	head, rest, ok := strings.Cut(string(raw), begin)
	got, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("ARCHITECTURE.md needs the two lines\n%s\n%s", begin, end)
	}
	want := "\n" + render() + "\n"
	if *update && got != want {
		if err := os.WriteFile(path, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(got, "\n"), strings.Split(want, "\n")); diff != "" {
		t.Errorf("ARCHITECTURE.md shows another import table (rewrite with -update):\n%s", diff)
	}
}

// render writes the tables as Markdown.
func render() string {
	var b strings.Builder
	b.WriteString("| package | may import | why |\n|---|---|---|\n")
	for _, row := range Table() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", code([]string{row.Package}), code(row.May), row.Why)
	}
	b.WriteString("\n| from outside | only in | why |\n|---|---|---|\n")
	for _, o := range Owners() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", code([]string{o.Import}), code(o.Packages), o.Why)
	}
	b.WriteString("\n| opens connections | why |\n|---|---|\n")
	dialers := Dialers()
	for _, pkg := range slices.Sorted(func(yield func(string) bool) {
		for k := range dialers {
			if !yield(k) {
				return
			}
		}
	}) {
		fmt.Fprintf(&b, "| %s | %s |\n", code([]string{pkg}), dialers[pkg])
	}
	return strings.TrimRight(b.String(), "\n")
}

func code(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	out := make([]string, len(names))
	for i, n := range names {
		switch n {
		case ".":
			n = "sotto"
		case "...":
			n = "everything"
		}
		out[i] = "`" + strings.TrimPrefix(n, "internal/") + "`"
	}
	return strings.Join(out, " ")
}

// TestSnippetsCompile: every complete program in the documents builds. It is
// laid over the checkout, so nothing is written into it.
func TestSnippetsCompile(t *testing.T) {
	r := open(t)
	overlay := map[string]string{}
	var packages []string
	for _, f := range r.Files {
		if !strings.HasSuffix(f, ".md") || slices.Contains(strings.Split(f, "/"), "testdata") {
			continue
		}
		raw, err := r.Read(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, program := range programs(string(raw)) {
			name := fmt.Sprintf("snippet%d_%s", i, strings.NewReplacer("/", "_", ".", "_").Replace(f))
			tmp := filepath.Join(t.TempDir(), "main.go")
			if err := os.WriteFile(tmp, []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			overlay[filepath.Join(r.Root, "internal", "housetest", name, "main.go")] = tmp
			packages = append(packages, "./internal/housetest/"+name)
		}
	}
	if len(packages) == 0 {
		t.Skip("no document holds a complete program")
	}
	raw, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"build", "-overlay", file, "-o", t.TempDir()}, packages...)...)
	cmd.Dir = r.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("a program in a document does not build: %v\n%s", err, out)
	}
}

// programs returns the Go blocks of a Markdown text that are whole programs.
func programs(text string) (found []string) {
	for {
		_, rest, ok := strings.Cut(text, "```go\n")
		if !ok {
			return found
		}
		block, after, closed := strings.Cut(rest, "\n```")
		if !closed {
			return found
		}
		if strings.HasPrefix(block, "package main") || strings.Contains(block, "\npackage main\n") {
			found = append(found, block+"\n")
		}
		text = after
	}
}

func TestPrograms(t *testing.T) {
	got := programs("a\n```go\npackage main\n\nfunc main() {}\n```\nb\n```go\nx := 1\n```\n```go\n// Says hello.\npackage main\n\nfunc main() {}\n```\n```go\nopen")
	want := []string{"package main\n\nfunc main() {}\n", "// Says hello.\npackage main\n\nfunc main() {}\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
