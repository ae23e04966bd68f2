// Command score measures how well the finder finds on labelled texts.
//
//	go run ./pii/score FILE...
//
// A file holds JSON lines: {"text", "spans":[{"start","end","type","weak"}],
// "scope", "source", "lang"}. Offsets count Unicode code points. scope is "*"
// where every type is labelled, else the list of the types that are labelled
// completely: a finding of another type counts neither way. A label is found if a
// finding of its type overlaps it; a finding that overlaps no label of its type is
// false; a label that is weak counts neither way.
//
// Printed for each source and type: labels, precision, recall, F1, F2 (which
// counts a miss more than a false alarm), and the part of the labelled
// characters that no finding covers at all, which would leak.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto/pii"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "score:", err)
		os.Exit(1) //nolint:forbidigo // this is a command
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("score", flag.ContinueOnError)
	bySource := flags.Bool("sources", false, "one table for each source")
	threshold := flags.Float64("threshold", 0.5, "the least score that counts")
	types := flags.String("types", "", "only these types, with commas between")
	show := flags.Int("show", 0, "show this many misses and false alarms of each type; the output is then personal data")
	if err := flags.Parse(args); err != nil {
		return err
	}
	f := &pii.Finder{Threshold: *threshold}
	only := map[pii.Type]bool{}
	for t := range strings.SplitSeq(*types, ",") {
		if t != "" {
			only[pii.Type(t)] = true
		}
	}
	all, tables := newTable(*show), map[string]*table{}
	for _, name := range flags.Args() {
		err := readFile(name, func(r *row) {
			found := f.Find(r.Text)
			all.add(r, found, only)
			if tables[r.Source] == nil {
				tables[r.Source] = newTable(0)
			}
			tables[r.Source].add(r, found, only)
		})
		if err != nil {
			return err
		}
	}
	if *bySource {
		for _, s := range slices.Sorted(maps.Keys(tables)) {
			_, _ = fmt.Fprintln(out, "##", s)
			tables[s].print(out)
		}
	}
	_, _ = fmt.Fprintln(out, "## all")
	all.print(out)
	return nil
}

// label is one span of a row.
type label struct {
	Start int      `json:"start"`
	End   int      `json:"end"`
	Type  pii.Type `json:"type"`
	Weak  bool     `json:"weak"`
}

// row is one labelled text.
type row struct {
	Source string          `json:"source"`
	Text   string          `json:"text"`
	Spans  []label         `json:"spans"`
	Scope  json.RawMessage `json:"scope"`

	scope map[pii.Type]bool // nil: every type
}

func readFile(name string, each func(*row)) error {
	f, err := os.Open(name) //nolint:gosec // the file is the caller's choice
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	s := bufio.NewScanner(f)
	s.Buffer(nil, 16<<20)
	for n := 1; s.Scan(); n++ {
		var r row
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			return fmt.Errorf("%s:%d: not a labelled text", name, n)
		}
		if err := r.prepare(); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
		each(&r)
	}
	return s.Err()
}

// prepare turns code points into bytes and reads the scope.
func (r *row) prepare() error {
	at := make([]int, 0, len(r.Text)+1)
	for i := range r.Text {
		at = append(at, i)
	}
	at = append(at, len(r.Text))
	for i := range r.Spans {
		s := &r.Spans[i]
		if s.Start < 0 || s.End < s.Start || s.End >= len(at) {
			return fmt.Errorf("a span lies outside of the text")
		}
		s.Start, s.End = at[s.Start], at[s.End]
	}
	var any string
	if len(r.Scope) == 0 || json.Unmarshal(r.Scope, &any) == nil {
		return nil
	}
	var list []pii.Type
	if err := json.Unmarshal(r.Scope, &list); err != nil {
		return fmt.Errorf("the scope is neither * nor a list of types")
	}
	r.scope = make(map[pii.Type]bool)
	for _, t := range list {
		r.scope[t] = true
	}
	return nil
}

// count is what was right and wrong.
type count struct {
	right, missed, wrong int
	bytes, leaked        int
	examples             []string
}

func (c *count) precision() float64 { return ratio(c.right, c.right+c.wrong) }
func (c *count) recall() float64    { return ratio(c.right, c.right+c.missed) }

// f is the weighted harmonic mean of precision and recall.
func (c *count) f(beta float64) float64 {
	p, r := c.precision(), c.recall()
	if p+r == 0 {
		return 0
	}
	return (1 + beta*beta) * p * r / (beta*beta*p + r)
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// table counts by type.
type table struct {
	types map[pii.Type]*count
	show  int
	texts int
	clean int // texts without any label whose every type is labelled,
	false int // and those of them with a finding
}

func newTable(show int) *table { return &table{types: make(map[pii.Type]*count), show: show} }

func (t *table) of(typ pii.Type) *count {
	if t.types[typ] == nil {
		t.types[typ] = &count{}
	}
	return t.types[typ]
}

func (t *table) example(c *count, what string, r *row, from, to int) {
	if len(c.examples) < t.show {
		c.examples = append(c.examples, fmt.Sprintf("%s %q in %q", what, r.Text[from:to], r.Text[max(0, from-40):min(len(r.Text), to+40)]))
	}
}

// add compares the findings with the labels of a row.
func (t *table) add(r *row, found []pii.Span, only map[pii.Type]bool) {
	counts := func(typ pii.Type) bool {
		return (len(only) == 0 || only[typ]) && (r.scope == nil || r.scope[typ])
	}
	t.texts++
	if len(r.Spans) == 0 {
		t.clean++
		if slices.ContainsFunc(found, func(s pii.Span) bool { return counts(s.Type) }) {
			t.false++
		}
	}
	taken := make([]bool, len(r.Spans))
	for _, s := range found {
		if !counts(s.Type) {
			continue
		}
		hit := false
		for i, l := range r.Spans {
			if l.Type == s.Type && l.Start < s.End && s.Start < l.End {
				taken[i], hit = true, true
			}
		}
		if !hit {
			t.of(s.Type).wrong++
			t.example(t.of(s.Type), "false", r, s.Start, s.End)
		}
	}
	for i, l := range r.Spans {
		if l.Weak || !counts(l.Type) {
			continue
		}
		c := t.of(l.Type)
		c.bytes += l.End - l.Start
		c.leaked += l.End - l.Start - covered(l, found)
		if taken[i] {
			c.right++
		} else {
			c.missed++
			t.example(c, "missed", r, l.Start, l.End)
		}
	}
}

// covered returns how many bytes of a label lie in findings of any type.
func covered(l label, found []pii.Span) (n int) {
	for _, s := range found {
		n += max(0, min(l.End, s.End)-max(l.Start, s.Start))
	}
	return n
}

func (t *table) print(w io.Writer) {
	var sum count
	line := func(name string, c *count) {
		_, _ = fmt.Fprintf(w, "%-24s %6d  P %.3f  R %.3f  F1 %.3f  F2 %.3f  leak %5.1f %%\n",
			name, c.right+c.missed, c.precision(), c.recall(), c.f(1), c.f(2), 100*(1-ratio(c.bytes-c.leaked, c.bytes)))
		for _, e := range c.examples {
			_, _ = fmt.Fprintln(w, "   ", e)
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(t.types)) {
		c := t.types[typ]
		line(string(typ), c)
		sum.right, sum.missed, sum.wrong = sum.right+c.right, sum.missed+c.missed, sum.wrong+c.wrong
		sum.bytes, sum.leaked = sum.bytes+c.bytes, sum.leaked+c.leaked
	}
	line("all types", &sum)
	_, _ = fmt.Fprintf(w, "%d texts; %d without a label, of which %d (%.2f %%) with a finding\n", t.texts, t.clean, t.false, 100*float64(t.false)/float64(max(t.clean, 1)))
}
