package pii

// A placeholder is written "[EMAIL_1]": the name of a type and a number. What
// is read back is wider, because a model changes what it repeats:
//
//   - letters of any case, and the full-width forms of letters, digits and brackets;
//   - a space or a hyphen for an underscore, and spaces around it and inside the brackets;
//   - Markdown's backslashes in front of brackets and underscores;
//   - the brackets 【 and 】 for [ and ], one of each if need be;
//   - invisible characters anywhere inside.
//
// A placeholder without its brackets, or with only one of them, is not read:
// "EMAIL_1" is what somebody may mean to write, and the person sees a harmless
// word instead of somebody's data in a place where nobody meant it to stand.
type placeholder struct {
	name [maxTypeName]byte // of the type, in capital letters
	len  int               // bytes of it
	n    int
	end  int // text[i:end]
}

const (
	// maxTypeName is how long the name of a type may be.
	maxTypeName = 48

	// maxPlaceholder is how many bytes are read at most; no placeholder that
	// Mask writes is half as long.
	maxPlaceholder = 96

	// maxNumberDigits is how long a number that is read may be. It is short of
	// every number that is personal data.
	maxNumberDigits = 5
)

// reading says what a text holds at one place.
type reading uint8

const (
	noPlaceholder   reading = iota
	openPlaceholder         // the text ends before it can be told
	aPlaceholder
)

// builtins are the types by their names.
var builtins = func() map[string]Type { //nolint:gochecknoglobals // a constant table
	t := make(map[string]Type)
	for _, typ := range Types() {
		t[string(typ)] = typ
	}
	return t
}()

// mayBegin reports whether a placeholder may begin with this byte.
func mayBegin(c byte) bool { return c == '[' || c == '\\' || c == 0xe3 || c == 0xef }

// bracket returns the width of an opening or closing bracket at i; 0 for none.
// c and w are what next says about i.
func bracket(text string, i int, c byte, w int, closing bool) int {
	switch {
	case !closing && c == '[', closing && c == ']':
		return w
	case c == other && w == 3 && !closing && text[i:i+w] == "【", c == other && w == 3 && closing && text[i:i+w] == "】":
		return w
	}
	return 0
}

// readPlaceholder reads a placeholder of any type at i. It never reaches over
// another opening bracket, so what Mask puts side by side is read apart again.
// A backslash in front belongs to it only where its closing bracket has one
// too, which Mask never writes.
func readPlaceholder(text string, i int) (p placeholder, r reading) {
	limit := i + maxPlaceholder
	c, w := next(text, i)
	escaped := c == '\\'
	if escaped {
		i += w
		c, w = next(text, i)
	}
	if w == 0 {
		return p, openPlaceholder
	}
	open := bracket(text, i, c, w, false)
	if open == 0 {
		return p, noPlaceholder
	}
	i += open
	signs, spaces := 0, 0 // of the run of separators in front of i
	for i < limit {
		c, w = next(text, i)
		switch {
		case w == 0:
			return p, openPlaceholder
		case c == skip:
		case c == ' ':
			spaces++
		case c == '_' || c == '-':
			signs++
		case isAlpha(c) || isDigit(c):
			if !p.push(c, signs, spaces) {
				return p, noPlaceholder
			}
			signs, spaces = 0, 0
		case c == '\\':
			d, dw := next(text, i+w)
			if dw == 0 {
				return p, openPlaceholder
			}
			if end := bracket(text, i+w, d, dw, true); end > 0 && signs == 0 {
				return p.close(i + w + end)
			}
			if d != '_' && d != '-' {
				return p, noPlaceholder
			}
		default:
			if end := bracket(text, i, c, w, true); end > 0 && signs == 0 && !escaped {
				return p.close(i + end)
			}
			return p, noPlaceholder
		}
		if signs > 2 || spaces > 4 {
			return p, noPlaceholder
		}
		i += w
	}
	return p, noPlaceholder
}

// push takes a letter or digit and the separators in front of it. Spaces beside
// another sign count for nothing, and several of them for one sign.
func (p *placeholder) push(c byte, signs, spaces int) bool {
	if p.len == 0 {
		if !isAlpha(c) || signs > 0 {
			return false
		}
	} else if signs == 0 && spaces > 0 {
		signs = 1
	}
	if p.len+signs >= len(p.name) {
		return false
	}
	if p.len > 0 {
		for range signs {
			p.name[p.len] = '_'
			p.len++
		}
	}
	if isAlpha(c) {
		c &^= 0x20
	}
	p.name[p.len] = c
	p.len++
	return true
}

// close parts the name and the number, which ends the placeholder at end.
func (p *placeholder) close(end int) (placeholder, reading) {
	at := p.len
	for at > 0 && isDigit(p.name[at-1]) {
		at--
	}
	if at < 2 || at == p.len || p.name[at-1] != '_' || p.name[at] == '0' || p.len-at > maxNumberDigits {
		return *p, noPlaceholder
	}
	for _, d := range p.name[at:p.len] {
		p.n = 10*p.n + int(d-'0')
	}
	p.len = at - 1
	p.end = end
	return *p, aPlaceholder
}

// typeName returns the name of the type. It allocates for a type of one's own.
func (p *placeholder) typeName() (t Type, builtin bool) {
	if t, ok := builtins[string(p.name[:p.len])]; ok {
		return t, true
	}
	return Type(p.name[:p.len]), false
}

// validType reports whether t can be the name of a type: [A-Z][A-Z0-9_]*, at
// most 40 bytes, so that its placeholders are read back.
func validType(t Type) bool {
	if t == "" || len(t) > maxTypeName-8 || t[0] < 'A' || t[0] > 'Z' {
		return false
	}
	for i := range len(t) {
		if c := t[i]; (c < 'A' || c > 'Z') && !isDigit(c) && c != '_' {
			return false
		}
		if i >= 2 && t[i-2:i+1] == "___" {
			return false // a reader takes two underscores in a row for one separator, no more
		}
	}
	return t[len(t)-1] != '_'
}
