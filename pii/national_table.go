package pii

import (
	"strconv"
	"strings"
	"sync"
)

// national reports whether the type is an identifier of one country.
func (t Type) national() bool { return len(t) > 3 && t[2] == '_' }

// nationalForms are the rules, and where they are looked up.
type nationalForms struct {
	rules   []nationalRule
	digits  [maxCode + 1][]nationalForm // by length: forms that codes of digits alone can have
	letters [maxCode + 1][]nationalForm // by length: those that codes with letters can have
	byType  map[Type]int
}

// nationalForm is one form of a rule. In the sets of places, bit i is place i.
type nationalForm struct {
	rule    int
	must    uint32 // places that hold a letter
	either  uint32 // places that hold a letter or a digit
	literal string // what it begins or ends with
	at      int    // where the literal stands
}

// fits reports whether the letters that a form names stand there.
func (f *nationalForm) fits(code []byte) bool {
	return f.literal == "" || string(code[f.at:f.at+len(f.literal)]) == f.literal
}

// nationalTable returns the table, which is built when it is needed first.
var nationalTable = sync.OnceValue(func() *nationalForms { //nolint:gochecknoglobals // a constant table
	rows := nationalRows()
	t := &nationalForms{rules: make([]nationalRule, len(rows)), byType: map[Type]int{}}
	words := contextTable()
	for i := range t.rules {
		r := &t.rules[i]
		r.nationalRow = rows[i]
		r.name = "national/" + strings.ToLower(string(r.of))
		r.group = words.groupOf(r.of)
		r.shapes = packShapes(r.shapes)
		t.byType[r.of] = i
		for form := range strings.SplitSeq(r.forms, ";") {
			f := nationalForm{rule: i}
			for k := range len(form) {
				switch c := form[k]; c {
				case '9':
				case 'a':
					f.must |= 1 << k
				case 'x':
					f.either |= 1 << k
				default:
					if f.literal == "" {
						f.at = k
					}
					f.literal += string(c)
					f.must |= 1 << k
				}
			}
			if f.must == 0 {
				t.digits[len(form)] = append(t.digits[len(form)], f)
			}
			if f.must|f.either != 0 {
				t.letters[len(form)] = append(t.letters[len(form)], f)
			}
		}
	}
	return t
})

// forms returns the forms of a length for codes that hold letters at these places.
func (t *nationalForms) forms(length int, letters uint32) []nationalForm {
	if letters == 0 {
		return t.digits[length]
	}
	return t.letters[length]
}

// packShapes writes shapes as window.key does: "13 2" is "= 2".
func packShapes(shapes string) string {
	var b strings.Builder
	for shape := range strings.SplitSeq(shapes, ",") {
		b.WriteByte(',')
		for i := 0; i < len(shape); {
			k := i
			for k < len(shape) && isDigit(shape[k]) {
				k++
			}
			if n, err := strconv.Atoi(shape[i:k]); err == nil {
				b.WriteByte(byte('0' + n)) //nolint:gosec // at most maxCode
			}
			if k < len(shape) {
				b.WriteByte(shape[k])
				k++
			}
			i = k
		}
	}
	b.WriteByte(',')
	return b.String()
}

// hasShape reports whether a shape is one of the rule's.
func (r *nationalRule) hasShape(k []byte) bool {
	for rest := r.shapes; ; {
		i := strings.IndexByte(rest, ',')
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
		if len(rest) > len(k) && rest[len(k)] == ',' && rest[:len(k)] == string(k) {
			return true
		}
	}
}
