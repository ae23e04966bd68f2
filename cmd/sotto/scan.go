package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/sotto-chat/sotto/internal/jsonl"
	"github.com/sotto-chat/sotto/pii"
	"github.com/sotto-chat/sotto/server"
)

// textFlags are shared by the commands that look for personal data in texts.
type textFlags struct {
	Files  []string `arg:"" optional:"" help:"Files to read, - is standard input. A file of JSON lines holds an object with id and text on each; any other is one text." placeholder:"FILE"`
	Type   []string `help:"Look for these types only, such as EMAIL." placeholder:"TYPE"`
	Region []string `help:"Countries (ISO 3166) whose national formats count without a word that says so." placeholder:"CC"`
	Own    string   `help:"A JSON file of recognisers of your own." type:"path" placeholder:"FILE"`
	Allow  []string `help:"Never count this text." placeholder:"TEXT"`

	failed atomic.Int64 // lines that were not understood

	Threshold float64 `help:"The least score that counts, above 0 and at most 1." default:"0.5"`
}

// finder is what the flags ask for.
func (f *textFlags) finder() (*pii.Finder, error) {
	out := &pii.Finder{Threshold: f.Threshold}
	if f.Threshold <= 0 || f.Threshold > 1 {
		return nil, fmt.Errorf("the threshold %v is not above 0 and at most 1", f.Threshold)
	}
	own, err := server.OwnRecognisers(f.Own)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Own, err)
	}
	out.Own, out.Allow = own, f.Allow
	for _, t := range f.Type {
		typ := pii.Type(strings.ToUpper(t))
		if !slices.Contains(pii.Types(), typ) {
			return nil, fmt.Errorf("there is no type %q", t)
		}
		out.Types = append(out.Types, typ)
	}
	for _, r := range f.Region {
		reg, err := language.ParseRegion(r)
		if err != nil || !reg.IsCountry() {
			return nil, fmt.Errorf("there is no country %q", r)
		}
		out.Regions = append(out.Regions, reg.String())
	}
	return out, nil
}

// record is one line of JSON lines.
type record struct {
	ID   json.RawMessage `json:"id"`
	Text *string         `json:"text"`
	Lang string          `json:"lang"`
}

// read reads a line. The error does not show what the line holds.
func (r *record) read(number int64, line []byte) error {
	if err := json.Unmarshal(line, r); err != nil || r.Text == nil {
		return fmt.Errorf("line %d is not an object with a text", number)
	}
	if r.ID == nil {
		r.ID = json.RawMessage("null")
	}
	return nil
}

// bad puts a line into the output in place of one that was not understood, and
// has the command end with an error when all is done.
func (f *textFlags) bad(out []byte, err error) []byte {
	f.failed.Add(1)
	return fmt.Appendf(out, "{\"id\":null,\"error\":%q}\n", err)
}

// regional is the finder for a line: its language may name a country.
func regional(f *pii.Finder, lang string) *pii.Finder {
	tag, err := language.Parse(lang)
	if lang == "" || err != nil {
		return f
	}
	region, sure := tag.Region()
	if sure != language.Exact || slices.Contains(f.Regions, region.String()) {
		return f
	}
	own := *f
	own.Regions = append(slices.Clone(f.Regions), region.String())
	return &own
}

// each opens the files one after the other, and tells JSON lines from texts by
// their first character.
func (f *textFlags) each(ctx context.Context, con *console, lines func(io.Reader) error, text func(name string, r io.Reader) error) error {
	files := f.Files
	if len(files) == 0 {
		files = []string{"-"}
	}
	for _, name := range files {
		if err := f.one(ctx, con, name, lines, text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if n := f.failed.Load(); n > 0 {
		return fmt.Errorf("%d lines were not understood; the output says which", n)
	}
	return nil
}

func (f *textFlags) one(ctx context.Context, con *console, name string, lines func(io.Reader) error, text func(name string, r io.Reader) error) (err error) {
	in := con.in
	if name != "-" {
		file, oerr := os.Open(name) //nolint:gosec // the file is the caller's choice
		if oerr != nil {
			return errors.New("cannot be read")
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		p := newProgress(con, file)
		defer p.end()
		in = io.TeeReader(file, p)
	}
	head, err := peek(in)
	if err != nil {
		return err
	}
	in = io.MultiReader(bytes.NewReader(head), in)
	if first := bytes.TrimLeft(head, "\ufeff \t\r\n"); len(first) > 0 && first[0] == '{' {
		return lines(in)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return text(name, in)
}

// peek reads until something other than white space.
func peek(in io.Reader) ([]byte, error) {
	var head []byte
	for buf := make([]byte, 4096); ; {
		n, err := in.Read(buf)
		head = append(head, buf[:n]...)
		if errors.Is(err, io.EOF) || len(bytes.TrimLeft(head, "\ufeff \t\r\n")) > 0 || len(head) > maxText {
			return head, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// maxText is the longest text that is read as one.
const maxText = 64 << 20

func readText(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxText {
		return "", fmt.Errorf("the text has more than %d bytes; give it as JSON lines", maxText)
	}
	return string(b), nil
}

type scanCmd struct {
	textFlags
	Explain string `help:"Say for this one text what was found and why, and what was not." placeholder:"TEXT"`
}

// Run prints a line of JSON for each text: its id, and start, end, type and
// score of each finding. Offsets count Unicode code points. Where a text is
// nothing but one number, everything that it may be is listed.
func (c *scanCmd) Run(ctx context.Context, con *console) error {
	f, err := c.finder()
	if err != nil {
		return err
	}
	if c.Explain != "" {
		return explain(con, f, c.Explain)
	}
	return c.each(ctx, con, func(in io.Reader) error {
		return jsonl.Each(ctx, in, con.out, func(n int64, line, out []byte) ([]byte, error) {
			var r record
			if err := r.read(n, line); err != nil {
				return c.bad(out, err), nil
			}
			return appendSpans(out, r.ID, *r.Text, find(regional(f, r.Lang), *r.Text)), nil
		})
	}, func(name string, in io.Reader) error {
		text, err := readText(in)
		if err != nil {
			return err
		}
		id, err := json.Marshal(name)
		if err != nil {
			return err
		}
		_, err = con.out.Write(appendSpans(nil, id, text, find(f, text)))
		return err
	})
}

// find returns the findings, and for a text that is nothing but one number also
// what else it may be.
func find(f *pii.Finder, text string) []pii.Span {
	found := f.Find(text)
	for _, s := range f.Alternatives(text) {
		if !slices.ContainsFunc(found, func(o pii.Span) bool { return o.Type == s.Type }) {
			found = append(found, s)
		}
	}
	return found
}

// appendSpans appends the findings of a text as one line of JSON.
func appendSpans(out []byte, id json.RawMessage, text string, found []pii.Span) []byte {
	out = append(append(out, `{"id":`...), id...)
	out = append(out, `,"spans":[`...)
	at, points := 0, 0
	count := func(to int) int {
		if to < at { // alternatives overlap
			at, points = 0, 0
		}
		points += utf8.RuneCountInString(text[at:to])
		at = to
		return points
	}
	for i := range found {
		s := &found[i]
		if i > 0 {
			out = append(out, ',')
		}
		start := count(s.Start)
		out = fmt.Appendf(out, `{"start":%d,"end":%d,"type":%q,"score":%.3g}`, start, count(s.End), s.Type, s.Score)
	}
	return append(out, "]}\n"...)
}

type maskCmd struct {
	textFlags
	Together bool `help:"Give the same value the same placeholder in all texts, as in one conversation; the texts are then masked one after the other."`
}

// Run prints each text with placeholders for what was found: JSON lines with id
// and text, and a plain text as it is.
func (c *maskCmd) Run(ctx context.Context, con *console) error {
	f, err := c.finder()
	if err != nil {
		return err
	}
	all := pii.NewMap()
	return c.each(ctx, con, func(in io.Reader) error {
		work := func(n int64, line, out []byte) ([]byte, error) {
			var r record
			if err := r.read(n, line); err != nil {
				return c.bad(out, err), nil
			}
			m := all
			if !c.Together {
				m = pii.NewMap()
			}
			return appendText(out, r.ID, regional(f, r.Lang).Mask(m, *r.Text))
		}
		if c.Together {
			return jsonl.One(ctx, in, con.out, work)
		}
		return jsonl.Each(ctx, in, con.out, work)
	}, func(_ string, in io.Reader) error {
		text, err := readText(in)
		if err != nil {
			return err
		}
		m := all
		if !c.Together {
			m = pii.NewMap()
		}
		_, err = io.WriteString(con.out, f.Mask(m, text))
		return err
	})
}

func appendText(out []byte, id json.RawMessage, text string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		ID   json.RawMessage `json:"id"`
		Text string          `json:"text"`
	}{id, text})
	return append(out, b.Bytes()...), err
}

// progress shows on a terminal how much of a file was read.
type progress struct {
	w    io.Writer // nil: nobody looks
	size int64
	read int64
	last int64
}

func newProgress(con *console, f *os.File) *progress {
	p := &progress{}
	info, err := f.Stat()
	tty, ok := con.err.(*os.File)
	if err != nil || !ok || !info.Mode().IsRegular() || info.Size() < 1<<20 {
		return p
	}
	if t, err := tty.Stat(); err == nil && t.Mode()&os.ModeCharDevice != 0 {
		p.w, p.size = tty, info.Size()
	}
	return p
}

// Write counts what was read.
func (p *progress) Write(b []byte) (int, error) {
	p.read += int64(len(b))
	if p.w != nil && 100*p.read/p.size > p.last {
		p.last = 100 * p.read / p.size
		const width = 40
		done := int(p.last) * width / 100
		_, _ = fmt.Fprintf(p.w, "\r[%s%s] %3d %%", strings.Repeat("#", done), strings.Repeat(" ", width-done), p.last) // a courtesy
	}
	return len(b), nil
}

func (p *progress) end() {
	if p.w != nil {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K") // a courtesy
	}
}

// explain prints what was found in one text and what nearly was, and why.
func explain(con *console, f *pii.Finder, text string) error {
	all := f.Explain(text)
	for i := range all {
		e := &all[i]
		what := "found   "
		if !e.Found {
			what = "not     "
		}
		con.printf("%s %s %q: %s\n", what, e.Type, text[e.Start:e.End], e.Why)
	}
	if len(all) == 0 {
		con.printf("nothing was found, and nothing nearly\n")
	}
	return nil
}
