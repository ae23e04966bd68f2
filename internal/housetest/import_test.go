package housetest

import (
	"go/ast"
	"strconv"
	"strings"
	"testing"
)

func open(t *testing.T) *Repo {
	t.Helper()
	r, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Go) == 0 {
		t.Fatal("there are no Go files")
	}
	return r
}

func rowOf(pkg string) (Row, bool) {
	for _, row := range Table() {
		if Match(row.Package, pkg) {
			return row, true
		}
	}
	return Row{}, false
}

func TestImportTable(t *testing.T) {
	r := open(t)
	missing := map[string]bool{}
	for _, f := range r.Go {
		row, ok := rowOf(f.Package)
		if !ok {
			if !missing[f.Package] {
				t.Errorf("%s is not in the import table: add a row that says what it may import, and why", f.Package)
			}
			missing[f.Package] = true
			continue
		}
		if f.Test {
			continue
		}
		for _, imp := range f.AST.Imports {
			target, ok := local(imp)
			if !ok {
				continue
			}
			allowed := false
			for _, may := range row.May {
				allowed = allowed || Match(may, target)
			}
			if !allowed {
				t.Errorf("%s: %s must not import %s (%s). Declare a small interface for what it needs and let server connect the two",
					f.Path, row.Package, target, row.Why)
			}
		}
	}
}

// TestFacesHoldNoStore says the rule that no row of the table may soften.
func TestFacesHoldNoStore(t *testing.T) {
	for _, row := range Table() {
		face := strings.HasPrefix(row.Package, "channel") || strings.HasPrefix(row.Package, "cmd") ||
			strings.HasPrefix(row.Package, "examples") || row.Package == "sottotest"
		for _, may := range row.May {
			if face && (may == "internal/store" || may == "internal/journal" || may == "internal/vault" || may == "..." || may == "internal/...") {
				t.Errorf("the table lets %s import %s: faces never hold a store, a journal or a vault", row.Package, may)
			}
			if strings.HasPrefix(row.Package, "channel") && strings.HasPrefix(may, "internal") {
				t.Errorf("the table lets %s import %s: an adapter knows the contract, never the inside", row.Package, may)
			}
		}
	}
}

// TestMechanismsImportNoDomain says the direction that no row may turn round.
func TestMechanismsImportNoDomain(t *testing.T) {
	mechanisms := strings.Fields("internal/gate internal/vault internal/store internal/journal internal/audit internal/egress internal/guard pii")
	domains := strings.Fields("internal/people internal/notice internal/transcript internal/outbox internal/inbox internal/lifecycle internal/answer")
	for _, m := range mechanisms {
		row, ok := rowOf(m)
		if !ok {
			t.Errorf("%s is not in the table", m)
		}
		for _, may := range row.May {
			for _, d := range domains {
				if Match(may, d) {
					t.Errorf("the table lets the mechanism %s import the domain %s", m, d)
				}
			}
		}
	}
}

func local(imp *ast.ImportSpec) (string, bool) {
	p, err := strconv.Unquote(imp.Path.Value)
	if err != nil {
		return "", false
	}
	if p == Module {
		return ".", true
	}
	return strings.CutPrefix(p, Module+"/")
}

func TestOwners(t *testing.T) {
	for _, f := range open(t).Go {
		if f.Test {
			continue
		}
		for _, imp := range f.AST.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range Owners() {
				if p != o.Import && (!strings.HasSuffix(o.Import, "/") || !strings.HasPrefix(p, o.Import)) {
					continue
				}
				mine := false
				for _, pkg := range o.Packages {
					mine = mine || pkg == f.Package
				}
				if !mine {
					t.Errorf("%s imports %s, which belongs to %v: %s", f.Path, p, o.Packages, o.Why)
				}
			}
		}
	}
}

// TestOneWayOut: nobody but the packages in Dialers opens a connection, so no
// byte leaves by a way that egress does not see.
func TestOneWayOut(t *testing.T) {
	forbidden := map[string][]string{
		"net/http":   {"Get", "Post", "PostForm", "Head", "DefaultClient", "DefaultTransport", "Client", "Transport"},
		"net":        {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "DefaultResolver", "LookupHost", "LookupIP"},
		"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
	}
	dialers := Dialers()
	for _, f := range open(t).Go {
		if _, ok := dialers[f.Package]; ok || f.Test {
			continue
		}
		names := map[string]string{} // local name to import path
		for _, imp := range f.AST.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			name := p[strings.LastIndexByte(p, '/')+1:]
			if imp.Name != nil {
				name = imp.Name.Name
			}
			names[name] = p
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			for _, bad := range forbidden[names[x.Name]] {
				if sel.Sel.Name == bad {
					t.Errorf("%s uses %s.%s: take a channel.Doer, or the client of internal/egress, from the caller",
						openPos(f, sel), x.Name, bad)
				}
			}
			return true
		})
	}
}

func openPos(f Source, n ast.Node) string {
	// Positions are offsets in the file set; the file's own start is known.
	return f.Path + ":+" + strconv.Itoa(int(n.Pos()-f.AST.FileStart))
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, pkg string
		want         bool
	}{
		{"a", "a", true},
		{"a", "a/b", false},
		{"a/...", "a", true},
		{"a/...", "a/b/c", true},
		{"a/...", "ab", false},
		{"...", "x", true},
	} {
		if got := Match(c.pattern, c.pkg); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.pattern, c.pkg, got)
		}
	}
}
