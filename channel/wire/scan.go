package wire

import (
	"errors"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may nest in a body. The webhooks of
// the networks stay below 20.
const MaxDepth = 64

// maxID bounds the ids that Scanner.ID returns, in bytes. The longest that a
// network is known to use are Messenger's message ids with about 150.
const maxID = 512

// errJSON says that a body is not JSON as RFC 8259 describes it, or nests too
// deep. It is the same for every cause and holds nothing of the body.
var errJSON = errors.New("not well-formed JSON")

// Scanner reads JSON once from front to back and hands out only what is asked
// for, without building a tree: an adapter needs about a dozen fields of a
// body that may have hundreds. Everything else is checked and passed over.
//
// A value of another type than the one asked for is passed over and reads as
// the zero value, so that one odd field never spoils a body. Where an object
// names a field twice the adapter sees both, and the last counts. After
// malformed bytes every method returns zero values; [Scanner.End] tells.
//
//	s := wire.NewScanner(body)
//	for ok := s.Object(); ok && s.Field(); {
//		switch string(s.Name()) {
//		case "text":
//			text = s.Text()
//		default:
//			s.Skip()
//		}
//	}
//	err := s.End()
//
// A loop over [Scanner.Field] or [Scanner.Elem] must read or skip each value
// and must run to its end.
type Scanner struct {
	buf    []byte
	pos    int
	depth  int
	begun  uint64 // bit d: the array or object at depth d has had a member
	name   []byte
	failed bool
}

// NewScanner returns a Scanner over body, which must not change meanwhile.
func NewScanner(body []byte) Scanner { return Scanner{buf: body} }

// End reports whether the whole body was read and well formed, with nothing
// but white space after it.
func (s *Scanner) End() error {
	s.space()
	if s.failed || s.depth != 0 || s.pos != len(s.buf) {
		return errJSON
	}
	return nil
}

// Peek returns the first byte of the next value, which tells its type: one of
// {["tfn, a digit or a minus; 0 where there is none. Nothing is passed over.
func (s *Scanner) Peek() byte { return s.peek() }

// Object enters an object. Any other value is passed over and reported false.
func (s *Scanner) Object() bool { return s.enter('{') }

// Array enters an array. Any other value is passed over and reported false.
func (s *Scanner) Array() bool { return s.enter('[') }

func (s *Scanner) enter(open byte) bool {
	if s.peek() != open {
		s.Skip()
		return false
	}
	if s.depth >= MaxDepth {
		return s.fail()
	}
	s.pos++
	s.begun &^= 1 << s.depth
	s.depth++
	return true
}

// Field goes to the next field of the object and reports whether there is one.
func (s *Scanner) Field() bool {
	if !s.member('}') {
		return false
	}
	if s.peek() != '"' {
		return s.fail()
	}
	raw, plain := s.str()
	if s.failed {
		return false
	}
	s.name = raw
	if !plain {
		s.name = unescape(raw)
	}
	if s.peek() != ':' {
		return s.fail()
	}
	s.pos++
	return true
}

// Name returns the name of the field; it is valid until the next Field.
func (s *Scanner) Name() []byte { return s.name }

// Elem goes to the next element of the array and reports whether there is one.
func (s *Scanner) Elem() bool { return s.member(']') }

// member steps over what stands before the next member of an array or object.
func (s *Scanner) member(end byte) bool {
	if s.failed || s.depth == 0 {
		return false
	}
	bit := uint64(1) << (s.depth - 1)
	c := s.peek()
	if c == end {
		s.pos++
		s.depth--
		return false
	}
	if s.begun&bit == 0 {
		s.begun |= bit
		return !s.failed
	}
	if c != ',' {
		return s.fail()
	}
	s.pos++
	return true
}

// Text returns a string; "" for any other value. Bytes that are not UTF-8 and
// halves of surrogate pairs become U+FFFD.
func (s *Scanner) Text() string {
	if s.peek() != '"' {
		s.Skip()
		return ""
	}
	raw, plain := s.str()
	if s.failed {
		return ""
	}
	if plain && utf8.Valid(raw) {
		return string(raw)
	}
	return string(unescape(raw))
}

// ID returns an id: a string, or an integer in its digits, however long. It
// never goes through a float, which would change ids beyond 2^53. Other
// values, and ids over 512 bytes, read as "".
func (s *Scanner) ID() string {
	switch c := s.peek(); {
	case c == '"':
		if id := s.Text(); len(id) <= maxID {
			return id
		}
		return ""
	case c == '-' || digit(c):
		if raw, whole := s.number(); whole && len(raw) <= maxID {
			return string(raw)
		}
		return ""
	default:
		s.Skip()
		return ""
	}
}

// Int returns an integer, also where it stands in a string; 0 for any other
// value and for what does not fit.
func (s *Scanner) Int() int64 {
	var raw []byte
	switch c := s.peek(); {
	case c == '"':
		raw, _ = s.str()
	case c == '-' || digit(c):
		var whole bool
		if raw, whole = s.number(); !whole {
			return 0
		}
	default:
		s.Skip()
		return 0
	}
	if s.failed || len(raw) > 20 {
		return 0
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Bool reports whether the value is true.
func (s *Scanner) Bool() bool {
	if s.peek() != 't' {
		s.Skip()
		return false
	}
	return s.word("true")
}

// Skip checks a value and passes over it.
func (s *Scanner) Skip() {
	switch c := s.peek(); {
	case s.failed:
	case c == '"':
		s.str()
	case c == '{':
		for ok := s.Object(); ok && s.Field(); {
			s.Skip()
		}
	case c == '[':
		for ok := s.Array(); ok && s.Elem(); {
			s.Skip()
		}
	case c == '-' || digit(c):
		s.number()
	case c == 't':
		s.word("true")
	case c == 'f':
		s.word("false")
	case c == 'n':
		s.word("null")
	default:
		s.fail()
	}
}

// Raw checks a value, passes over it, and returns it as it stands in the body,
// to be read again or to be told apart from others; nil after a failure.
func (s *Scanner) Raw() []byte {
	s.peek()
	start := s.pos
	if s.Skip(); s.failed {
		return nil
	}
	return s.buf[start:s.pos]
}

func (s *Scanner) fail() bool {
	s.failed = true
	return false
}

func (s *Scanner) space() {
	for s.pos < len(s.buf) {
		switch s.buf[s.pos] {
		case ' ', '\n', '\r', '\t':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, 0 at the end or after a
// failure.
func (s *Scanner) peek() byte {
	if s.failed {
		return 0
	}
	s.space()
	if s.pos == len(s.buf) {
		s.failed = true
		return 0
	}
	return s.buf[s.pos]
}

func (s *Scanner) word(w string) bool {
	if len(s.buf)-s.pos < len(w) || string(s.buf[s.pos:s.pos+len(w)]) != w {
		return s.fail()
	}
	s.pos += len(w)
	return true
}

// str passes over a string and returns what stands between its quotes, and
// whether that has no escapes. The escapes are well formed.
func (s *Scanner) str() (raw []byte, plain bool) {
	start := s.pos + 1
	plain = true
	for i := start; i < len(s.buf); {
		for len(s.buf)-i >= 8 {
			n := bits.TrailingZeros64(marks(load(s.buf[i:]))) / 8
			i += n
			if n < 8 {
				break
			}
		}
		if i == len(s.buf) {
			break
		}
		switch c := s.buf[i]; {
		case c == '"':
			s.pos = i + 1
			return s.buf[start:i], plain
		case c == '\\':
			plain = false
			n := escape(s.buf[i:])
			if n == 0 {
				s.fail()
				return nil, false
			}
			i += n
		case c < ' ':
			s.fail()
			return nil, false
		default:
			i++
		}
	}
	s.fail()
	return nil, false
}

// escape returns the length of the escape that b begins with, 0 if it is none.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && hex4(b[2:]) >= 0 {
			return 6
		}
	}
	return 0
}

// number passes over a number and reports whether it is an integer.
func (s *Scanner) number() (raw []byte, whole bool) {
	start := s.pos
	whole = true
	if s.buf[s.pos] == '-' {
		s.pos++
	}
	lead := s.pos
	if s.digits(); s.failed || s.buf[lead] == '0' && s.pos > lead+1 {
		s.fail()
		return nil, false
	}
	if s.pos < len(s.buf) && s.buf[s.pos] == '.' {
		whole = false
		s.pos++
		s.digits()
	}
	if s.pos < len(s.buf) && s.buf[s.pos]|0x20 == 'e' {
		whole = false
		s.pos++
		if s.pos < len(s.buf) && (s.buf[s.pos] == '+' || s.buf[s.pos] == '-') {
			s.pos++
		}
		s.digits()
	}
	return s.buf[start:s.pos], whole && !s.failed
}

// digits passes over one digit or more.
func (s *Scanner) digits() {
	start := s.pos
	for s.pos < len(s.buf) && digit(s.buf[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		s.fail()
	}
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// hex4 reads four hexadecimal digits; -1 if they are not.
func hex4(b []byte) rune {
	var r rune
	for _, c := range b[:4] {
		switch {
		case digit(c):
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return r
}

// unescape decodes the inside of a string whose escapes are well formed.
func unescape(raw []byte) []byte {
	out := make([]byte, 0, len(raw)+utf8.UTFMax)
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			r, n := utf8.DecodeRune(raw[i:])
			out = utf8.AppendRune(out, r)
			i += n
			continue
		}
		if raw[i+1] != 'u' {
			out = append(out, short(raw[i+1]))
			i += 2
			continue
		}
		r := hex4(raw[i+2:])
		i += 6
		if utf16.IsSurrogate(r) {
			low := rune(-1)
			if len(raw)-i >= 6 && raw[i] == '\\' && raw[i+1] == 'u' {
				low = hex4(raw[i+2:])
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				i += 6
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// short decodes the letter of a two-byte escape.
func short(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default: // quote, backslash, slash
		return c
	}
}
