package housetest

import (
	"bytes"
	"net/url"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rule is something that no file may hold.
type rule struct {
	what string
	re   *regexp.Regexp
	tell string
}

// rules are written so that this file does not break them itself.
func rules() []rule {
	words := []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "ST" + "UB"}
	return []rule{
		{"a word for unfinished work", regexp.MustCompile(`\b(` + strings.Join(words, "|") + `)\b`), "finish it, or open an issue"},
		{
			"a path of somebody's machine", regexp.MustCompile(`(^|[\s"'` + "`" + `=(:])/(work|root|home/[a-z][\w-]*|Users/\w+|workspace|builds)/`),
			"use a relative path, or t.TempDir",
		},
		{"a Windows user's folder", regexp.MustCompile(`[A-Z]:\\+Users\\`), "use a relative path"},
		{
			"a host that serves packages", regexp.MustCompile(`(?i)\b(proxy\.golang` + `\.org|sum\.golang` + `\.org|registry\.npmjs` + `\.org|artifact` + `ory|pypi` + `\.org)\b`),
			"tools find their registry by their own settings",
		},
		{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE ` + `KEY-----`), "make one in the test"},
	}
}

// TestHygiene reads every text file of the checkout.
func TestHygiene(t *testing.T) {
	r := open(t)
	all := append(rules(), proxies(t)...)
	for _, f := range r.Files {
		if f == "go.sum" {
			continue
		}
		raw, err := r.Read(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(raw, 0) >= 0 {
			continue // not text
		}
		for i, line := range bytes.Split(raw, []byte("\n")) {
			for k, rule := range all {
				if k == 0 && slices.Contains(strings.Split(f, "/"), "testdata") {
					continue // what networks and people write is not ours to finish
				}
				if m := rule.re.Find(line); m != nil {
					t.Errorf("%s:%d holds %s (%q): %s", f, i+1, rule.what, bytes.TrimSpace(m), rule.tell)
				}
			}
		}
	}
}

// proxies adds the hosts from which this machine happens to get its modules.
func proxies(t *testing.T) (found []rule) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.FieldsFunc(string(out), func(r rune) bool { return r == ',' || r == '|' || r == '\n' }) {
		u, err := url.Parse(p)
		if err != nil || u.Hostname() == "" || u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.") {
			continue
		}
		found = append(found, rule{
			"a host that serves packages", regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(u.Hostname()) + `\b`),
			"tools find their registry by their own settings",
		})
	}
	return found
}

// TestRulesBite: a rule that finds nothing anywhere is checked here.
func TestRulesBite(t *testing.T) {
	for i, bad := range []string{
		"// TO" + "DO: later", `dir := "/wo` + `rk/main"`, `C:\Use` + `rs\ada`, "GOPROXY=https://proxy.golang" + ".org", "-----BEGIN RSA PRIVATE " + "KEY-----",
	} {
		if !rules()[i].re.MatchString(bad) {
			t.Errorf("%s is not found in %q", rules()[i].what, bad)
		}
	}
	for _, good := range []string{"network/wo" + "rk/x", "todo list", "https://a.example/ro" + "ot/", "see ./ho" + "me/x/"} {
		for _, rule := range rules() {
			if rule.re.MatchString(good) {
				t.Errorf("%q counts as %s", good, rule.what)
			}
		}
	}
}

// TestNoStrayFiles: what is built or kept by a tool does not belong here.
func TestNoStrayFiles(t *testing.T) {
	for _, f := range open(t).Files {
		switch path.Ext(f) {
		case ".exe", ".test", ".prof", ".out", ".db", ".sqlite", ".pem", ".key", ".orig", ".rej":
			if !slices.Contains(strings.Split(f, "/"), "testdata") {
				t.Errorf("%s does not belong into the repository", f)
			}
		}
	}
}
