package housetest

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// TestPackageComments: the tour of the code is its package comments.
func TestPackageComments(t *testing.T) {
	longest, files := map[string]int{}, map[string]string{}
	for _, f := range open(t).Go {
		if f.Test {
			continue
		}
		files[f.Package] = f.Path
		n := 0
		if f.AST.Doc != nil {
			n = strings.Count(strings.TrimSpace(f.AST.Doc.Text()), "\n") + 1
		}
		longest[f.Package] = max(longest[f.Package], n)
	}
	for pkg, n := range longest {
		if n < 3 {
			t.Errorf("%s (%s) has a package comment of %d lines: say what it is for, what it promises, and what it does not do", pkg, files[pkg], n)
		}
	}
}

// TestExportedNamesAreDocumented covers what is reachable from outside a
// package: functions, types, constants, variables and methods.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range open(t).Go {
		if f.Test || f.AST.Name.Name == "main" {
			continue
		}
		for _, d := range f.AST.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no comment: say what it means, its units, and its errors", f.Path, name)
			}
		}
	}
}

// known are methods whose meaning is fixed by the standard library.
func known() []string {
	return []string{"String", "Error", "Unwrap", "Read", "Write", "ServeHTTP", "Len", "Less", "Swap"}
}

func undocumented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc != nil || !d.Name.IsExported() {
			return nil
		}
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		recv := receiver(d.Recv.List[0].Type)
		if ast.IsExported(recv) && !slices.Contains(known(), d.Name.Name) {
			return []string{recv + "." + d.Name.Name}
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// Hard limits; what we aim at is far below (500 and 45 lines).
const (
	maxFileLines = 800
	maxFuncLines = 120
)

func TestSizes(t *testing.T) {
	r := open(t)
	for _, f := range r.Go {
		if ast.IsGenerated(f.AST) {
			continue
		}
		if f.Lines > maxFileLines {
			t.Errorf("%s has %d lines, at most %d are allowed: split it by what belongs together", f.Path, f.Lines, maxFileLines)
		}
		for _, d := range f.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			if n := r.Fset.Position(fn.End()).Line - r.Fset.Position(fn.Pos()).Line + 1; n > maxFuncLines {
				t.Errorf("%s: %s has %d lines, at most %d are allowed", f.Path, fn.Name.Name, n, maxFuncLines)
			}
		}
	}
}
