package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a configuration. It names keys,
// variables and files, and never shows a value that stands in the file.
type Problem struct {
	File string // as it was given to [Load]; "" where there is no file
	Line int    // 1 is the first; 0 where the problem has no place in the file
	Text string // one sentence that the operator can act on, beginning with the key
}

// String returns "file:line: text", without the parts that are not known.
func (p Problem) String() string {
	if p.File == "" {
		return p.Text
	}
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ": " + p.Text
}

// Problems is everything that is wrong with a configuration, in the order of
// the lines. As an error it has one problem on each line.
type Problems struct { //nolint:errname // several, of which each is a Problem
	List []Problem
}

// Error returns all problems, one on each line.
func (p *Problems) Error() string {
	var b strings.Builder
	for i := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.List[i].String())
	}
	return b.String()
}

// Add takes more problems in, leaves out those that are there already, and
// keeps the order.
func (p *Problems) Add(more ...Problem) {
	for i := range more {
		if !slices.Contains(p.List, more[i]) {
			p.List = append(p.List, more[i])
		}
	}
	slices.SortStableFunc(p.List, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}

// Err returns p, or nil where there is no problem.
func (p *Problems) Err() error {
	if p == nil || len(p.List) == 0 {
		return nil
	}
	return p
}

// Hint returns `, did you mean "x"?` for the word of known that is closest to
// what was written, and "" where none is close.
func Hint(wrote string, known []string) string {
	if w := closest(wrote, known); w != "" {
		return `, did you mean "` + w + `"?`
	}
	return ""
}

// closest returns the known word with the fewest typing mistakes: at most one
// in a word of up to four letters, two up to eight, three above.
func closest(wrote string, known []string) string {
	if len(wrote) > 64 {
		return ""
	}
	best, at := "", 0
	for _, k := range known {
		limit := 1 + (min(len(k), 12)-1)/4
		d := distance(strings.ToLower(wrote), k)
		if d <= limit && d < max(len(k), 2) && (best == "" || d < at) {
			best, at = k, d
		}
	}
	return best
}

// distance counts insertions, deletions, replacements and swaps of neighbours
// (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// shown returns a key as it may be printed. A credential that slipped into the
// place of a key does not look like a word and is not printed.
func shown(key string) string {
	if len(key) == 0 || len(key) > 32 {
		return "(not shown)"
	}
	digits := 0
	for _, c := range []byte(key) {
		switch {
		case c >= 'a' && c <= 'z', c == '_', c == '-', c == '.':
		case c >= 'A' && c <= 'Z':
		case c >= '0' && c <= '9':
			digits++
		default:
			return "(not shown)"
		}
	}
	if digits > 4 {
		return "(not shown)"
	}
	return strconv.Quote(key)
}
