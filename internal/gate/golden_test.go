package gate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

var update = flag.Bool("update", false, "write what is decided into testdata")

// Each file in testdata holds settings ("purpose …", "channel …"), an
// operator's policies, and uses, each with its decision below it. Where the
// policies are wrong, what is said of them stands at the end.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := golden(t, string(b))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(b), got); d != "" {
				t.Errorf("(-file +decided):\n%s", d)
			}
		})
	}
}

// golden writes a file anew. Policies keep the lines that they have in it.
func golden(t *testing.T, file string) string {
	t.Helper()
	head, rest, _ := strings.Cut(file, "\n===")
	cfg := Config{Dir: t.TempDir()}
	var policies, out strings.Builder
	for line := range strings.Lines(head + "\n") {
		if word := strings.Fields(line); strings.HasPrefix(line, "#") || len(word) > 0 && setting(&cfg, word) {
			line = "\n"
		}
		policies.WriteString(line)
	}
	own := filepath.Join(cfg.Dir, "own.cedar")
	if err := os.WriteFile(own, []byte(policies.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out.WriteString(head + "\n")
	if strings.HasPrefix(filepath.Base(t.Name()), "bad-") {
		_, err := New(withClock(cfg))
		if sotto.KindOf(err) != sotto.KindInvalid {
			t.Fatalf("the policies were taken: %v", err)
		}
		return out.String() + "=== errors\n" + strings.ReplaceAll(err.Error(), own, "own.cedar") + "\n"
	}
	g := open(t, cfg)
	for line := range strings.Lines("===" + rest) {
		word := strings.Fields(line)
		switch {
		case len(word) > 0 && word[0] == "===":
			out.WriteString(line + decided(t, g, own, word[1:]))
		case len(word) == 0 || strings.HasPrefix(line, "#"):
			out.WriteString(line)
		}
	}
	return out.String()
}

func setting(cfg *Config, word []string) bool {
	dash := func(s string) string {
		if s == "-" {
			return ""
		}
		return s
	}
	switch word[0] {
	case "purpose":
		cfg.Purposes = append(cfg.Purposes, PurposeRule{
			Purpose: sotto.Purpose(dash(word[1])), Basis: sotto.Basis(dash(word[2])), On: word[3] == "on",
		})
	case "channel":
		cfg.Channels = append(cfg.Channels, word[1])
	case "category":
		cfg.Categories = append(cfg.Categories, sotto.Category(word[1]))
	default:
		return false
	}
	return true
}

// use reads what stands behind ===.
func use(t *testing.T, word []string) Use {
	t.Helper()
	u := Use{
		Action: Action(word[0]), Recipient: sotto.Recipient(word[1]), Purpose: sotto.Purpose(strings.TrimPrefix(word[2], "-")),
		Person: ada, Channel: "telegram", Categories: []sotto.Category{sotto.CategoryMessage},
	}
	for _, w := range word[3:] {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "noticed":
			u.Facts.Noticed = true
		case "stopped":
			u.Facts.Stopped = true
		case "restricted":
			u.Facts.Restricted = true
		case "clear":
			u.Clear = true
		case "system":
			u.System = true
		case "adult", "minor", "child":
			u.Facts.AgeClass = name
		case "telegram":
			u.Channel = name
		case "channel":
			u.Channel = value
		case "region":
			u.Facts.Region = value
		case "basis":
			u.Basis = sotto.Basis(value)
		case "person":
			u.Person = sotto.PersonID{value[0] - '0'}
		case "consent":
			for c := range strings.SplitSeq(value, ",") {
				u.Facts.Consents = append(u.Facts.Consents, sotto.Purpose(c))
			}
		default:
			t.Fatalf("what is %q?", w)
		}
	}
	return u
}

// decided writes the decision on a use.
func decided(t *testing.T, g *Gate, own string, word []string) string {
	t.Helper()
	d, err := g.Explain(use(t, word))
	if err != nil {
		if sotto.KindOf(err) != sotto.KindInvalid || d.Allowed {
			t.Errorf("%v: %v", word, err)
		}
		return fmt.Sprintf("    %v\n", err)
	}
	var b strings.Builder
	b.WriteString(map[bool]string{true: "    yes\n", false: "    no\n"}[d.Allowed])
	for _, r := range d.Reasons {
		fmt.Fprintf(&b, "        %s %s %s:%d %q\n", r.Effect, r.Policy, strings.ReplaceAll(r.File, own, "own.cedar"), r.Line, r.Text)
	}
	return b.String()
}
