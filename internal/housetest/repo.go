package housetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Module is the path of this module.
const Module = "github.com/sotto-chat/sotto"

// Repo is the checkout that the tests read.
type Repo struct {
	Root  string
	Files []string // all files that belong to it, with slashes, relative to Root
	Fset  *token.FileSet
	Go    []Source
}

// Source is one parsed Go file.
type Source struct {
	Path    string // relative to the root
	Package string // its folder, "." for the root
	Test    bool   // _test.go
	AST     *ast.File
	Lines   int
}

// Open reads the checkout around the working directory.
func Open() (*Repo, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(root)
		if up == root {
			return nil, fs.ErrNotExist
		}
		root = up
	}
	r := &Repo{Root: root, Fset: token.NewFileSet()}
	if r.Files, err = list(root); err != nil {
		return nil, err
	}
	for _, f := range r.Files {
		if !strings.HasSuffix(f, ".go") || slices.Contains(strings.Split(f, "/"), "testdata") {
			continue
		}
		src, err := r.Read(f)
		if err != nil {
			return nil, err
		}
		tree, err := parser.ParseFile(r.Fset, f, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		r.Go = append(r.Go, Source{
			Path: f, Package: path.Dir(f), Test: strings.HasSuffix(f, "_test.go"),
			AST: tree, Lines: strings.Count(string(src), "\n"),
		})
	}
	return r, nil
}

// Read returns the bytes of a file of the checkout.
func (r *Repo) Read(file string) ([]byte, error) {
	return os.ReadFile(filepath.Join(r.Root, filepath.FromSlash(file)))
}

// list returns the files that git tracks and that are still there, and all
// visible ones where there is no git.
func list(root string) ([]string, error) {
	cmd := exec.Command("git", "-C", root, "ls-files", "-z") //nolint:noctx,gosec // ends by itself; the root was found by us
	out, err := cmd.Output()
	var files []string
	if err == nil && len(out) > 0 {
		for f := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
			if info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(f))); err == nil && info.Mode().IsRegular() {
				files = append(files, f)
			}
		}
		return files, nil
	}
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() && (rel == ".git" || rel == ".cache") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			files = append(files, rel)
		}
		return nil
	})
	return files, err
}

// Match reports whether a package fits a pattern of the table.
func Match(pattern, pkg string) bool {
	if pattern == "..." {
		return true
	}
	if folder, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == folder || strings.HasPrefix(pkg, folder+"/")
	}
	return pattern == pkg
}
