package gate

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

//go:embed policies/*.cedar
var builtIn embed.FS

// schemaText declares the names and types that policies may use.
//
//go:embed policies/sotto.cedarschema
var schemaText []byte

const (
	builtInDir = "policies"

	// maxPolicyFile bounds one file of an operator, in bytes.
	maxPolicyFile = 1 << 20

	effectPermit = "permit"
	effectForbid = "forbid"
)

// policy is one policy of one file.
type policy struct {
	id       string
	file     string
	line     int
	text     string // its @reason
	source   string
	cedar    *cedar.Policy
	personal bool // it looks at who the person is
}

func (p *policy) reason() Reason {
	r := Reason{Policy: p.id, File: p.file, Line: p.line, Effect: effectForbid, Text: p.text}
	if p.cedar.Effect() == cedar.Permit {
		r.Effect = effectPermit
	}
	return r
}

// PolicyError is one thing that is wrong with a policy file.
type PolicyError struct {
	File string
	Line int // 1 where the whole file is meant
	Text string
}

func (e *PolicyError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text) }

// loader reads policies and collects all that is wrong with them.
type loader struct {
	names    *names
	types    *validate.Validator
	policies []policy
	lines    map[string]string // where an id stands
	errs     []error
}

// loadPolicies reads the built-in policies and those of dir, and checks them
// against a schema.
func loadPolicies(dir string, n *names, schema []byte) ([]policy, error) {
	l, err := newLoader(n, schema)
	if err != nil {
		return nil, err
	}
	l.readAll(builtIn, builtInDir, func(name string) string { return path.Join("default", name) })
	if dir != "" {
		l.readAll(os.DirFS(dir), ".", func(name string) string { return filepath.Join(dir, name) })
	}
	return l.policies, errors.Join(l.errs...)
}

func newLoader(n *names, text []byte) (*loader, error) {
	var s schema.Schema
	if err := s.UnmarshalCedar(text); err != nil {
		return nil, err
	}
	names, err := s.Resolve()
	if err != nil {
		return nil, err
	}
	return &loader{names: n, types: validate.New(names), lines: make(map[string]string)}, nil
}

// readAll loads the *.cedar files of one folder in the order of their names.
func (l *loader) readAll(fsys fs.FS, dir string, shown func(name string) string) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("policies: %w", err))
		return
	}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".cedar") {
			continue
		}
		text, err := fs.ReadFile(fsys, path.Join(dir, e.Name()))
		if err != nil {
			l.errs = append(l.errs, fmt.Errorf("policies: %s: %w", shown(e.Name()), err))
			continue
		}
		l.load(shown(e.Name()), text)
	}
}

// load adds the policies of one file. What is wrong with them goes to l.errs.
func (l *loader) load(file string, text []byte) {
	if len(text) > maxPolicyFile {
		l.fail(file, 1, fmt.Sprintf("the file has %d bytes, more than %d", len(text), maxPolicyFile))
		return
	}
	list, err := cedar.NewPolicyListFromBytes(file, text)
	if err != nil {
		line, msg := parsePosition(err)
		l.fail(file, line, msg)
		return
	}
	for i, p := range list {
		from, to := p.Position().Offset, len(text)
		if i+1 < len(list) {
			to = list[i+1].Position().Offset
		}
		l.add(file, i+1, p, bytes.TrimSpace(text[from:to]))
	}
}

// add checks and adds one policy: the n-th of its file, with its source.
func (l *loader) add(file string, n int, p *cedar.Policy, source []byte) {
	line := p.Position().Line
	notes := p.Annotations()
	id, named := notes["id"]
	if !named {
		id = cedar.String(fmt.Sprintf("%s#%d", filepath.Base(file), n))
	}
	switch at, taken := l.lines[string(id)]; {
	case !validID(string(id)):
		l.fail(file, line, fmt.Sprintf("the id %q is not made of 1 to 80 letters, digits and . _ - / #", id))
	case taken:
		l.fail(file, line, fmt.Sprintf("the id %q is taken by the policy at %s", id, at))
	default:
		l.lines[string(id)] = fmt.Sprintf("%s:%d", file, line)
	}
	tree := (*ast.Policy)(p.AST())
	found := l.names.check(tree)
	for _, f := range found.unknown {
		l.fail(file, line+f.line(source), f.text)
	}
	if len(found.unknown) == 0 {
		// Names are right; now the types: a comparison that can never hold, a
		// condition that is no condition.
		if err := l.types.Policy("", tree); err != nil {
			l.fail(file, line, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
	l.policies = append(l.policies, policy{
		id: string(id), file: file, line: line, text: string(notes["reason"]),
		source: string(source), cedar: p, personal: found.personal,
	})
}

func (l *loader) fail(file string, line int, text string) {
	l.errs = append(l.errs, &PolicyError{File: file, Line: line, Text: text})
}

// validID keeps ids harmless where they are shown and logged.
func validID(id string) bool {
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("._-/#", c) >= 0:
		default:
			return false
		}
	}
	return id != "" && len(id) <= 80
}

// parsePosition takes the line out of an error of Cedar's parser, which has it
// only in its text.
func parsePosition(err error) (line int, msg string) {
	msg = strings.TrimPrefix(err.Error(), "parser error: ")
	at := regexp.MustCompile(`<input>:(\d+):\d+:? ?`)
	m := at.FindStringSubmatch(msg)
	if m == nil {
		return 1, msg
	}
	if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
		line = n
	}
	msg = strings.Replace(msg, m[0], "", 1)
	return max(line, 1), strings.Replace(msg, "parse error at ", "does not parse at ", 1)
}
