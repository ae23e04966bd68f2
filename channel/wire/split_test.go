package wire

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	family := "👩‍👩‍👧‍👦" // 11 units, one character
	for _, tt := range []struct {
		name, text string
		limit      int
		want       []string
	}{
		{"empty", "", 10, nil},
		{"blank", " \n ", 10, nil},
		{"fits", "hello", 5, []string{"hello"}},
		{"fits with its spaces", " hi ", 5, []string{" hi "}},
		{"words", "hello brave new world", 11, []string{"hello brave", "new world"}},
		{"lines before words", "one two\nthree four", 14, []string{"one two", "three four"}},
		{"paragraphs before lines", "aaa\n\nbbb\nccc dd", 9, []string{"aaa", "bbb", "ccc dd"}},
		{"no early cut", "a bbbbbbbbbbbbbbb", 10, []string{"a bbbbbbbb", "bbbbbbb"}},
		{"no spaces", "一二三四五六七", 3, []string{"一二三", "四五六", "七"}},
		{"units, not runes", "😀😀😀", 4, []string{"😀😀", "😀"}},
		{"whole characters", family + family, 12, []string{family, family}},
		{"combining accent", "abe\u0301", 3, []string{"ab", "e\u0301"}},
		{"one long character", "e" + strings.Repeat("\u0301", 5), 4, []string{"e\u0301\u0301\u0301", "\u0301\u0301"}},
		{"address whole", "see https://e.org/abcdef", 20, []string{"see", "https://e.org/abcdef"}},
		{"address in brackets", "look(https://e.org/abcd) at", 20, []string{"look(", "https://e.org/abcd)", "at"}},
		{"address longer than a part", "https://e.org/abcdefghij", 16, []string{"https://e.org/ab", "cdefghij"}},
		{"windows lines", "aaaa\r\n\r\nbbbb", 9, []string{"aaaa", "bbbb"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Split(tt.text, tt.limit)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
