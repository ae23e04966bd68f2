package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto/pii/names/internal/tagger"
)

// count is right, wrong and missed findings of a kind.
type count struct{ right, wrong, missed int }

func (c count) String() string {
	p := float64(c.right) / float64(max(c.right+c.wrong, 1))
	r := float64(c.right) / float64(max(c.right+c.missed, 1))
	f := 0.0
	if p+r > 0 {
		f = 2 * p * r / (p + r)
	}
	return fmt.Sprintf("P %.3f R %.3f F1 %.3f (%d)", p, r, f, c.right+c.missed)
}

// score compares findings with labels: the same kind and an overlap is right.
// What overlaps an unknown span does not count.
func score(m *tagger.Model, set []example, report func(e example, f tagger.Found, what string)) (c [4]count) {
	for _, e := range set {
		used := make([]bool, len(e.spans))
		m.Find(e.text, func(f tagger.Found) {
			free := false
			for i, sp := range e.spans {
				if f.Start >= sp.end || f.End <= sp.start {
					continue
				}
				if sp.unknown || sp.kind == f.Kind && used[i] {
					free = true
				} else if sp.kind == f.Kind {
					used[i] = true
					c[f.Kind].right++
					return
				}
			}
			if !free {
				c[f.Kind].wrong++
				report(e, f, "wrong")
			}
		})
		for i, sp := range e.spans {
			if !sp.unknown && !used[i] {
				c[sp.kind].missed++
				report(e, tagger.Found{Start: sp.start, End: sp.end, Kind: sp.kind}, "missed")
			}
		}
	}
	return c
}

// evaluate leaves each source out and measures on it.
func (d *data) evaluate(out io.Writer, clean string, show int) error {
	var cleanTexts []example
	if clean != "" {
		root, err := os.OpenRoot(filepath.Dir(clean))
		if err != nil {
			return err
		}
		defer func() { _ = root.Close() }()
		cleanTexts, err = benign(root.FS(), filepath.Base(clean))
		if err != nil {
			return err
		}
	}
	groups := [][]string{{"wnut17"}, {"broad-twitter-corpus"}, {"presidio-research"}, {"wnut17", "broad-twitter-corpus"}, {"synthetic"}, nil}
	for _, leave := range groups {
		from := slices.DeleteFunc(d.sources(), func(s string) bool { return slices.Contains(leave, s) })
		file, err := d.train(from, 1)
		if err != nil {
			return err
		}
		m, err := tagger.Load(string(file))
		if err != nil {
			return err
		}
		left := show
		report := func(e example, f tagger.Found, what string) {
			if left > 0 && (f.Kind == tagger.Person || leave == nil) {
				left--
				_, _ = fmt.Fprintf(out, "    %s %d %q %.2f in %q\n", what, f.Kind, e.text[f.Start:f.End], f.Score, e.text[:min(len(e.text), 140)])
			}
		}
		if leave == nil {
			d.cleanFigures(out, m, cleanTexts, report)
			continue
		}
		for _, s := range leave {
			set := d.texts[s]
			if s == "synthetic" {
				set = d.messages(1, 99)
			}
			c := score(m, set, report)
			lost := gateLost(m, set)
			_, err = fmt.Fprintf(out, "without %v on %s:\n  PERSON   %v\n  LOCATION %v\n  ORG      %v\n  kept back by the gate: %v\n", leave, s, c[1], c[2], c[3], lost[1:])
			sweep(out, m, set)
			if err != nil {
				return err
			}
			if len(cleanTexts) > 0 {
				cleanRate(out, m, "guard", cleanTexts, func(example, tagger.Found, string) {})
			}
		}
	}
	return nil
}

// cleanFigures prints how many texts without names get a finding.
func (d *data) cleanFigures(out io.Writer, m *tagger.Model, texts []example, report func(example, tagger.Found, string)) {
	by := map[string][]example{}
	for _, e := range texts {
		by[e.group] = append(by[e.group], e)
	}
	keys := make([]string, 0, len(by))
	for k := range by {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		cleanRate(out, m, k, by[k], report)
	}
}

func cleanRate(out io.Writer, m *tagger.Model, name string, set []example, report func(example, tagger.Found, string)) {
	hit, person := 0, 0
	for _, e := range set {
		any, p := false, false
		m.Find(e.text, func(f tagger.Found) {
			any = true
			p = p || f.Kind == tagger.Person
			report(e, f, "found")
		})
		if any {
			hit++
		}
		if p {
			person++
		}
	}
	n := float64(max(len(set), 1))
	_, _ = fmt.Fprintf(out, "  clean %-40.40s %5d texts: a person %.2f %%, any name %.2f %%\n", name, len(set), 100*float64(person)/n, 100*float64(hit)/n)
}

func benign(fsys fs.FS, name string) (out []example, err error) {
	err = lines(fsys, name, func(line string) error {
		var r struct {
			Text   string `json:"text"`
			Label  string `json:"label"`
			Source string `json:"source"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return err
		}
		if r.Label == "benign" && len(r.Text) < 400 {
			out = append(out, example{text: r.Text, group: strings.TrimSpace(r.Source)})
		}
		return nil
	})
	return out, err
}

// gateLost counts names of each kind of which the gate lets no word through.
func gateLost(m *tagger.Model, set []example) (lost [4]int) {
	for _, e := range set {
		seen := make([]bool, len(e.spans))
		m.Runs(e.text, func(words []tagger.Word) {
			for _, w := range words {
				for i, sp := range e.spans {
					seen[i] = seen[i] || w.Start < sp.end && w.End > sp.start
				}
			}
		})
		for i, sp := range e.spans {
			if !seen[i] && !sp.unknown {
				lost[sp.kind]++
			}
		}
	}
	return lost
}

// sweep prints figures of persons for other thresholds.
func sweep(out io.Writer, m *tagger.Model, set []example) {
	was := m.Threshold
	for _, t := range []float64{0.3, 0.4, 0.6, 0.7, 0.8} {
		m.Threshold = [4]float64{1, t, t, t}
		c := score(m, set, func(example, tagger.Found, string) {})
		_, _ = fmt.Fprintf(out, "    at %.1f: person %v, place %v\n", t, c[1], c[2])
	}
	m.Threshold = was
}
