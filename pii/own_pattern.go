package pii

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

// compilePattern compiles a pattern whose matches have at least one byte and at
// most maxMatch. With that, looking for all of them in a text takes time
// proportional to its length, whatever stands in it.
func compilePattern(pattern string, ignoreCase bool) (*regexp.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("%d bytes are more than %d", len(pattern), maxPattern)
	}
	flags := syntax.Perl
	if ignoreCase {
		flags |= syntax.FoldCase
	}
	re, err := syntax.Parse(pattern, flags)
	if err != nil {
		return nil, err
	}
	bound(re)
	least, most := matchLength(re)
	if least == 0 {
		return nil, errors.New("it matches where nothing stands")
	}
	if most > maxMatch {
		return nil, fmt.Errorf("a match may have %d bytes, more than %d", most, maxMatch)
	}
	return regexp.Compile(re.String())
}

// bound gives every repetition an end.
func bound(re *syntax.Regexp) {
	for _, sub := range re.Sub {
		bound(sub)
	}
	switch re.Op { //nolint:exhaustive // the others repeat nothing
	case syntax.OpStar:
		re.Op, re.Min, re.Max = syntax.OpRepeat, 0, maxRepeat
	case syntax.OpPlus:
		re.Op, re.Min, re.Max = syntax.OpRepeat, 1, maxRepeat
	case syntax.OpRepeat:
		if re.Max < 0 {
			re.Max = max(re.Min, maxRepeat)
		}
	}
}

// matchLength returns how many characters a match has at least, and how many
// bytes at most.
func matchLength(re *syntax.Regexp) (least, most int) {
	const never = 1 << 20
	switch re.Op {
	case syntax.OpNoMatch:
		return never, 0
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return 0, 0
	case syntax.OpLiteral:
		return len(re.Rune), widest(re.Rune, re.Flags&syntax.FoldCase != 0)
	case syntax.OpCharClass:
		if len(re.Rune) == 0 {
			return never, 0
		}
		return 1, widestClass(re.Rune)
	case syntax.OpAnyCharNotNL, syntax.OpAnyChar:
		return 1, 4
	case syntax.OpCapture:
		return matchLength(re.Sub[0])
	case syntax.OpQuest:
		_, most = matchLength(re.Sub[0])
		return 0, most
	case syntax.OpRepeat, syntax.OpStar, syntax.OpPlus:
		least, most = matchLength(re.Sub[0])
		return min(least*re.Min, never), min(most*re.Max, never)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			l, m := matchLength(sub)
			least, most = min(least+l, never), min(most+m, never)
		}
		return least, most
	case syntax.OpAlternate:
		least = never
		for _, sub := range re.Sub {
			l, m := matchLength(sub)
			least, most = min(least, l), max(most, m)
		}
		return least, most
	}
	return 0, never
}

// widest returns the bytes of some characters, in either case.
func widest(rs []rune, fold bool) int {
	if !fold {
		return len(string(rs))
	}
	return 3 * len(rs) // the Kelvin sign is a k
}

// widestClass returns the bytes of the widest character of a class, which is
// written as pairs of first and last.
func widestClass(pairs []rune) int {
	return len(string(pairs[len(pairs)-1]))
}
