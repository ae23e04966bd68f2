package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto/pii"
)

func TestScore(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rows.jsonl")
	rows := `{"source":"a","text":"é ada@example.org","spans":[{"start":2,"end":17,"type":"EMAIL"}],"scope":"*"}
{"source":"a","text":"missed here","spans":[{"start":0,"end":6,"type":"EMAIL"}],"scope":["EMAIL"]}
{"source":"b","text":"eve@example.org","spans":[],"scope":["EMAIL"]}
{"source":"b","text":"eve@example.org","spans":[],"scope":["IBAN"]}
{"source":"b","text":"bob@example.org","spans":[{"start":0,"end":3,"type":"EMAIL","weak":true}],"scope":"*"}
`
	if err := os.WriteFile(name, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	tab := newTable(2)
	f := new(pii.Finder)
	if err := readFile(name, func(r *row) { tab.add(r, f.Find(r.Text), nil) }); err != nil {
		t.Fatal(err)
	}
	c := tab.of(pii.Email)
	if c.right != 1 || c.missed != 1 || c.wrong != 1 || c.bytes != 21 || c.leaked != 6 || tab.clean != 2 || tab.false != 1 {
		t.Errorf("%+v %+v", c, tab)
	}
	if c.f(1) != 0.5 || c.f(2) != 0.5 || (&count{}).f(1) != 1 || (&count{missed: 1, wrong: 1}).f(1) != 0 {
		t.Error("F", c.f(1), c.f(2))
	}
	var out strings.Builder
	tab.print(&out)
	if !strings.Contains(out.String(), "leak  28.6 %") || !strings.Contains(out.String(), `missed "missed"`) {
		t.Error(out.String())
	}
	var whole strings.Builder
	if err := run([]string{"-sources", "-types", "EMAIL", name}, &whole); err != nil || strings.Count(whole.String(), "## ") != 3 {
		t.Error(err, whole.String())
	}
	if run([]string{"absent"}, &whole) == nil || run([]string{"-nosuch"}, &whole) == nil {
		t.Error("an error is not told")
	}
	for _, bad := range []string{"x", `{"text":"a","spans":[{"start":0,"end":9}]}`, `{"text":"a","scope":7}`} {
		if err := os.WriteFile(name, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := readFile(name, func(*row) {}); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}
