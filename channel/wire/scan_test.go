package wire

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// tree reads any value through the scanner's own methods.
func tree(s *Scanner) any {
	switch c := s.peek(); {
	case c == '{':
		m := map[string]any{}
		for ok := s.Object(); ok && s.Field(); {
			k := string([]rune(string(s.Name())))
			m[k] = tree(s)
		}
		return m
	case c == '[':
		a := []any{}
		for ok := s.Array(); ok && s.Elem(); {
			a = append(a, tree(s))
		}
		return a
	case c == '"':
		return s.Text()
	case c == 't', c == 'f':
		return s.Bool()
	case c == 'n':
		s.Skip()
		return nil
	case c == '-' || digit(c):
		raw, _ := s.number()
		return json.Number(raw)
	default:
		s.Skip()
		return nil
	}
}

func FuzzScanner(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `[]`, `{"a":1}`, `{"a":[1,2.5,-0,1e9,true,false,null,"x\u00e9\ud83d\ude00\n"]}`,
		`{"a":1,"a":2}`, "{\"\xff\":\"\xff\"}", `"\ud800"`, `"\ud800\u0041"`, `[1,]`, `{"a"}`, `01`, `-`, `1.`, `"`, `[}`, `{]`,
		` { "a" : [ ] } `, `1 2`, `tru`, `"\x"`, strings.Repeat("[", 70) + strings.Repeat("]", 70),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewScanner(b)
		s.Skip()
		err := s.End()
		deep := depth(b) > MaxDepth
		if valid := json.Valid(b) && !deep; valid != (err == nil) {
			t.Fatalf("Skip: valid = %v, encoding/json says %v", err == nil, valid)
		}
		if err != nil {
			return
		}
		s = NewScanner(b)
		got := tree(&s)
		if err := s.End(); err != nil {
			t.Fatalf("tree: %v", err)
		}
		var want any
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("tree differs from encoding/json:\n got %#v\nwant %#v", got, want)
		}
	})
}

// depth is an upper bound of the nesting, for valid JSON exact.
func depth(b []byte) int {
	var d, deepest int
	var in, esc bool
	for _, c := range b {
		switch {
		case esc:
			esc = false
		case in:
			esc, in = c == '\\', c != '"'
		case c == '"':
			in = true
		case c == '{', c == '[':
			d++
			deepest = max(deepest, d)
		case c == '}', c == ']':
			d--
		}
	}
	return deepest
}

func TestScannerValues(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		text, id   string
		n          int64
		b          bool
	}{
		{"string", `"a\tb"`, "a\tb", "a\tb", 0, false},
		{"slash escape", `"a\/b"`, "a/b", "a/b", 0, false},
		{"digits in a string", `"123"`, "123", "123", 123, false},
		{"integer", `123`, "", "123", 123, false},
		{"negative", `-1001234567890`, "", "-1001234567890", -1001234567890, false},
		{"beyond 2^53", `9007199254740993`, "", "9007199254740993", 9007199254740993, false},
		{"beyond 2^64", `49126618466552381450000`, "", "49126618466552381450000", 0, false},
		{"fraction", `1.5`, "", "", 0, false},
		{"exponent", `1e3`, "", "", 0, false},
		{"true", `true`, "", "", 0, true},
		{"false", `false`, "", "", 0, false},
		{"null", `null`, "", "", 0, false},
		{"object", `{"a":{"b":[1]}}`, "", "", 0, false},
		{"array", `[1,[2]]`, "", "", 0, false},
		{"invalid UTF-8", "\"a\xffb\"", "a\ufffdb", "a\ufffdb", 0, false},
		{"lone surrogate", `"\ud83dx"`, "\ufffdx", "\ufffdx", 0, false},
		{"surrogate pair", `"\ud83d\ude00"`, "😀", "😀", 0, false},
		{"long id", `"` + strings.Repeat("x", 513) + `"`, strings.Repeat("x", 513), "", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			one := func(read func(*Scanner)) {
				t.Helper()
				s := NewScanner([]byte(tt.body))
				read(&s)
				if err := s.End(); err != nil {
					t.Errorf("End: %v", err)
				}
			}
			one(func(s *Scanner) {
				if got := s.Text(); got != tt.text {
					t.Errorf("Text = %q, want %q", got, tt.text)
				}
			})
			one(func(s *Scanner) {
				if got := s.ID(); got != tt.id {
					t.Errorf("ID = %q, want %q", got, tt.id)
				}
			})
			one(func(s *Scanner) {
				if got := s.Int(); got != tt.n {
					t.Errorf("Int = %d, want %d", got, tt.n)
				}
			})
			one(func(s *Scanner) {
				if got := s.Bool(); got != tt.b {
					t.Errorf("Bool = %v, want %v", got, tt.b)
				}
			})
		})
	}
}

func TestScannerDepth(t *testing.T) {
	for n, want := range map[int]bool{1: true, MaxDepth: true, MaxDepth + 1: false, 1 << 20: false} {
		s := NewScanner([]byte(strings.Repeat("[", n) + strings.Repeat("]", n)))
		s.Skip()
		if got := s.End() == nil; got != want {
			t.Errorf("depth %d: accepted = %v, want %v", n, got, want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("hello world, this is a text", 8)
	f.Add("see https://example.org/a/long/path for more", 20)
	f.Add("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 12)
	f.Add("a\n\nb\n\n", 2)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 2 || limit > 100 || len(text) > 2000 {
			return
		}
		text = strings.ToValidUTF8(text, "?")
		var joined strings.Builder
		for _, p := range Split(text, limit) {
			if n := Units(p); n > limit || n == 0 {
				t.Fatalf("part of %d units, limit %d", n, limit)
			}
			if !utf8.ValidString(p) {
				t.Fatal("part is not UTF-8")
			}
			joined.WriteString(p)
		}
		if got, want := squeeze(joined.String()), squeeze(text); got != want {
			t.Fatalf("parts say %q, text says %q", got, want)
		}
	})
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

func TestScannerPeek(t *testing.T) {
	for _, body := range []string{` {"a":1}`, `[1]`, `"x"`, `-1`, `7`, `true`, `false`, `null`} {
		s := NewScanner([]byte(body))
		want := strings.TrimSpace(body)[0]
		if got := s.Peek(); got != want || s.Peek() != want {
			t.Errorf("%s: %q", body, got)
		}
		s.Skip()
		if err := s.End(); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	s := NewScanner([]byte("  "))
	if s.Peek() != 0 || s.End() == nil {
		t.Error("nothing has a type")
	}
}

func TestRaw(t *testing.T) {
	s := NewScanner([]byte(` {"a": [1, {"b":"]"}] , "c":"x"}`))
	var got []string
	for ok := s.Object(); ok && s.Field(); {
		got = append(got, string(s.Raw()))
	}
	if want := []string{`[1, {"b":"]"}]`, `"x"`}; s.End() != nil || !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	s = NewScanner([]byte(`[1`))
	if s.Raw() != nil || s.End() == nil {
		t.Error("a value without an end has bytes")
	}
}
