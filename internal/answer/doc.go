package answer

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// doc is one Markdown file.
type doc struct {
	path, title, lang string
	passages          []*passage
}

// passage is what stands below one heading.
type passage struct {
	doc     *doc
	at      int    // its place in the file
	heading string // "" before the first heading
	anchor  string // of the heading, as code hosts name it
	text    string // as it is said
	also    []string

	terms *termSets // set by the corpus
}

// maxFile bounds a help page.
const maxFile = 1 << 20

// payload is what a button that leads to p carries, "" if it would be too long.
func (p *passage) payload() string {
	s := "go:" + p.doc.path + "#" + p.anchor
	if len(s) > 64 {
		return ""
	}
	return s
}

// readDocs reads all Markdown files.
func readDocs(cfg Config) ([]*doc, error) {
	var docs []*doc
	md := goldmark.DefaultParser()
	err := fs.WalkDir(cfg.FS, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.EqualFold(path.Ext(name), ".md") {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Size() > maxFile {
			return fmt.Errorf("%s: larger than %d bytes", name, maxFile)
		}
		b, err := fs.ReadFile(cfg.FS, name)
		if err != nil {
			return err
		}
		d, err := parseDoc(md, name, b, cfg.Language)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		docs = append(docs, d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, errors.New("no Markdown files")
	}
	return docs, nil
}

// parseDoc splits one file into passages.
func parseDoc(md parser.Parser, name string, b []byte, lang string) (*doc, error) {
	d := &doc{path: name, lang: lang}
	for dir := range strings.SplitSeq(path.Dir(name), "/") {
		if texts(dir) != nil {
			d.lang = dir
		}
	}
	b, err := d.frontMatter(b)
	if err != nil {
		return nil, err
	}
	p := &passage{doc: d}
	var body []string
	used := map[string]int{}
	flush := func() {
		p.text = strings.TrimSpace(strings.Join(body, "\n\n"))
		if p.text != "" {
			p.at = len(d.passages)
			d.passages = append(d.passages, p)
		}
		body = nil
	}
	for n := md.Parse(text.NewReader(b)).FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			flush()
			title := inline(n, b)
			p = &passage{doc: d, heading: title, anchor: anchor(title, used)}
			if h.Level == 1 && d.title == "" {
				d.title = title
			}
			continue
		}
		if h, ok := n.(*ast.HTMLBlock); ok {
			p.also = append(p.also, alsoWords(string(h.Lines().Value(b)))...)
			continue
		}
		if s := block(n, b); s != "" {
			body = append(body, s)
		}
	}
	flush()
	if d.title == "" {
		d.title = strings.TrimSuffix(path.Base(name), path.Ext(name))
	}
	return d, nil
}

// frontMatter reads "title:" and "lang:" between two lines of three dashes, and
// returns what follows. Other keys are for other programs.
func (d *doc) frontMatter(b []byte) ([]byte, error) {
	s := strings.ReplaceAll(strings.TrimPrefix(string(b), "\ufeff"), "\r\n", "\n")
	rest, ok := strings.CutPrefix(s, "---\n")
	if !ok {
		return []byte(s), nil
	}
	head, body, ok := strings.Cut(rest, "\n---\n")
	if !ok {
		return []byte(s), nil // a line across the page, not front matter
	}
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		switch strings.TrimSpace(key) {
		case "title":
			d.title = value
		case "lang", "language":
			primary, _, _ := strings.Cut(strings.ToLower(value), "-")
			if texts(primary) == nil {
				return nil, fmt.Errorf("lang: want en or de")
			}
			d.lang = primary
		}
	}
	return []byte(body), nil
}

// alsoWords reads <!-- also: a, b c -->.
func alsoWords(html string) []string {
	s, ok := strings.CutPrefix(strings.TrimSpace(html), "<!--")
	if !ok {
		return nil
	}
	s, _, _ = strings.Cut(s, "-->")
	s, ok = strings.CutPrefix(strings.TrimSpace(s), "also:")
	if !ok {
		return nil
	}
	return strings.Split(s, ",")
}

// block returns a block as plain text for a chat.
func block(n ast.Node, src []byte) string {
	switch n := n.(type) {
	case *ast.List:
		var items []string
		number := n.Start
		for li := n.FirstChild(); li != nil; li = li.NextSibling() {
			mark := "• "
			if n.IsOrdered() {
				mark = strconv.Itoa(number) + ". "
				number++
			}
			items = append(items, mark+strings.ReplaceAll(blocks(li, src), "\n", "\n  "))
		}
		return strings.Join(items, "\n")
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		return strings.TrimRight(string(n.Lines().Value(src)), "\n")
	case *ast.Blockquote:
		return blocks(n, src)
	case *ast.ThematicBreak, *ast.HTMLBlock:
		return ""
	}
	return inline(n, src)
}

// blocks joins the blocks inside n.
func blocks(n ast.Node, src []byte) string {
	var parts []string
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if s := block(c, src); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "\n")
}

// inline returns the text inside n without its marks. A link keeps its address
// where that says more than its text.
func inline(n ast.Node, src []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Segment.Value(src))
			if c.HardLineBreak() {
				b.WriteByte('\n')
			} else if c.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.AutoLink:
			b.Write(c.URL(src))
		case *ast.RawHTML:
		case *ast.Link:
			s, to := inline(c, src), string(c.Destination)
			b.WriteString(s)
			if strings.HasPrefix(to, "https://") && to != s {
				b.WriteString(" (" + to + ")")
			}
		default:
			b.WriteString(inline(c, src))
		}
	}
	return strings.TrimSpace(b.String())
}

// anchor names a heading as code hosts do: letters and digits in lower case,
// spaces as dashes, and a number behind a name that was used before.
func anchor(title string, used map[string]int) string {
	var b strings.Builder
	for _, c := range strings.ToLower(title) {
		switch {
		case unicode.IsLetter(c), unicode.IsDigit(c), c == '-', c == '_':
			b.WriteRune(c)
		case c == ' ':
			b.WriteByte('-')
		}
	}
	s := b.String()
	n := used[s]
	used[s]++
	if n > 0 {
		s += "-" + strconv.Itoa(n)
	}
	return s
}
