package gate

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go/types"
	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
)

func TestPolicies(t *testing.T) {
	dir := t.TempDir()
	own := "// first\n\n@id(\"own\")\nforbid (principal, action, resource)\nwhen { context.channel == \"x\" };\n"
	for name, text := range map[string]string{"b.cedar": own, "a.cedar": "permit (principal is Model, action, resource);", "notes.txt": "not a policy"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.cedar"), 0o700); err != nil {
		t.Fatal(err)
	}
	all := open(t, Config{Dir: dir}).Policies()
	for _, p := range all {
		if p.Policy == "" || p.Line < 1 || p.Source == "" {
			t.Errorf("%+v", p)
		}
		if strings.HasPrefix(p.File, "default/") != strings.HasPrefix(p.Policy, "sotto.") || strings.HasPrefix(p.File, "default/") && p.Text == "" {
			t.Errorf("a built-in policy has an id of its own and a reason: %+v", p)
		}
	}
	if n := len(all); n < 15 || all[n-2].Policy != "a.cedar#1" || all[n-1].Policy != "own" ||
		all[n-1].Line != 3 || all[n-1].Effect != "forbid" || !strings.HasPrefix(all[n-1].Source, "@id") {
		t.Errorf("%d policies, the last %+v", n, all[n-2:])
	}
}

// All that is wrong is said at once, in all files.
func TestAllErrors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.cedar": "permit (principal is Bott, action, resource);\n\npermit (principal is Bottt, action, resource);",
		"b.cedar": "permit",
		"c.cedar": "permit (principal, action, resource)\nwhen { context.purpose == \"fun\" };",
		"d.cedar": strings.Repeat(" ", maxPolicyFile+1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "e.cedar")); err != nil {
		t.Fatal(err)
	}
	_, err := New(withClock(Config{Dir: dir, Purposes: []PurposeRule{{}}}))
	if sotto.KindOf(err) != sotto.KindInvalid {
		t.Fatal(err)
	}
	for _, says := range []string{"a.cedar:1: ", "a.cedar:3: ", "b.cedar:1: ", "c.cedar:2: ", "d.cedar:1: ", "e.cedar: ", "a declared purpose has no name"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not in:\n%v", says, err)
		}
	}
	var one *PolicyError
	if !errors.As(err, &one) || one.Line != 1 {
		t.Errorf("first: %+v", one)
	}
	if _, err := New(withClock(Config{Dir: filepath.Join(dir, "nowhere")})); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestSchema(t *testing.T) {
	for _, text := range []string{"entity", "entity A { b: C };"} {
		if _, err := loadPolicies("", newNames(nil, nil, nil), []byte(text)); err == nil {
			t.Errorf("the schema %q was taken", text)
		}
	}
}

func TestParsePosition(t *testing.T) {
	for text, want := range map[string]struct {
		line int
		msg  string
	}{
		"parser error: parse error at <input>:7:3 \"x\": exact got": {7, "does not parse at \"x\": exact got"},
		"<input>:3:5: literal not terminated":                       {3, "literal not terminated"},
		"<input>:99999999999999999999:5: far":                       {1, "far"},
		"something else":                                            {1, "something else"},
	} {
		if line, msg := parsePosition(errors.New(text)); line != want.line || msg != want.msg {
			t.Errorf("%s: %d, %q", text, line, msg)
		}
	}
}

// Whatever an operator's file holds, loading it does not panic; what is wrong
// is in a line of the file; and what is taken decides without a panic, with
// reasons that are there.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
		for p := range strings.SplitSeq(string(b), "\n\n") {
			f.Add(p)
		}
	}
	rules, err := purposeRules(nil)
	if err != nil {
		f.Fatal(err)
	}
	n := newNames(rules, nil, nil)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := newLoader(n, schemaText)
		if err != nil {
			t.Fatal(err)
		}
		l.load("own.cedar", []byte(text))
		for _, err := range l.errs {
			var e *PolicyError
			if !errors.As(err, &e) || e.Line < 1 || e.Line > strings.Count(text, "\n")+1 || e.Text == "" {
				t.Errorf("%v", err)
			}
		}
		if len(l.errs) > 0 {
			return
		}
		all, some := policies{}, policies{}
		for _, p := range l.policies {
			if p.personal {
				some = append(some, p)
			} else {
				all = append(all, p)
			}
		}
		g := &Gate{rules: rules, forAll: all, forSome: some, cache: map[string]*answer{}}
		for _, u := range []Use{reply(), {Action: Send, Person: bob, Purpose: "legal", Recipient: "person"}} {
			d, err := g.Explain(u)
			if err != nil || d.Allowed && len(d.Reasons) == 0 {
				t.Errorf("%+v, %v", d, err)
			}
			// Another person's answer is another only where a policy looks at the person.
			u.Person = sotto.PersonID{7}
			if other, err := g.Explain(u); err != nil || len(some) == 0 && other.Allowed != d.Allowed {
				t.Errorf("%+v, %v", other, err)
			}
		}
	})
}

// A parser may fold a set or a record into one value; the names in it count.
func TestFoldedValues(t *testing.T) {
	f := &findings{names: newNames(nil, nil, nil)}
	boss, thing := types.NewEntityUID("Bot", "boss"), types.NewEntityUID("Thing", "x")
	f.value(types.NewSet(boss, types.String("x"), types.NewRecord(types.RecordMap{"a": thing})))
	if len(f.unknown) != 2 {
		t.Errorf("found %+v", f.unknown)
	}
	got := textsOf(types.NewSet(types.String("b"), types.NewSet(types.String("a")), types.Long(1)))
	if d := cmp.Diff([]string{"a", "b"}, got); d != "" {
		t.Errorf("texts (-want +got):\n%s", d)
	}
}

func TestAllStops(t *testing.T) {
	n := 0
	for range open(t, Config{}).policies.All() {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d policies after a break", n)
	}
}
