package pii

// Limits of a chain. Nothing that is looked for has more digits than the number
// of an account.
const (
	maxDigits = 28
	maxChunks = 10
)

// chain is a run of digits in groups, as people write numbers: "0151 123 456",
// "(415) 555-0100". The recognisers of numbers share it.
type chain struct {
	digits [maxDigits]byte // all of them, as ASCII
	chunks [maxChunks]chunk
	n      int  // chunks in use
	total  int  // digits in use
	more   bool // it goes on behind the last chunk
}

// chunk is one group of digits and what stands in front of it.
type chunk struct {
	start, end int // in the text
	to         int // digits of the chain up to and with this chunk
	sep        separator
}

// separator is a set of what stands between two chunks.
type separator uint8

const (
	space separator = 1 << iota
	dash
	dot
	slash
	opened
	closed
)

// read reads a chain that begins with the digit at i.
func (c *chain) read(text string, i int) {
	c.n, c.total, c.more = 0, 0, false
	var sep separator
	for c.n < maxChunks {
		k := chunk{start: i, end: i, sep: sep}
		for {
			d, w := next(text, i)
			if d == skip && i > k.start {
				i += w
				continue
			}
			if !isDigit(d) {
				break
			}
			if c.total == maxDigits {
				c.more = true
				break
			}
			c.digits[c.total] = d
			c.total++
			i += w
			k.end = i
		}
		k.to = c.total
		c.chunks[c.n] = k
		c.n++
		var ok bool
		if sep, i, ok = readSeparator(text, k.end); !ok || c.more {
			return
		}
	}
	c.more = true
}

// readSeparator reads what may stand between two groups of digits: at most one
// sign, at most one bracket, at most two spaces. ok is false where no digit follows.
func readSeparator(text string, i int) (sep separator, at int, ok bool) {
	const most = 4
	spaces := 0
	for range most {
		c, w := next(text, i)
		var one separator
		switch c {
		case ' ':
			if spaces++; spaces > 2 {
				return 0, 0, false
			}
			i += w
			sep |= space
			continue
		case skip:
			i += w
			continue
		case '-':
			one = dash
		case '.':
			one = dot
		case '/':
			one = slash
		case '(':
			one = opened
		case ')':
			one = closed
		default:
			return sep, i, isDigit(c) && sep != 0
		}
		const signs = dash | dot | slash
		if sep&one != 0 || one&signs != 0 && sep&signs != 0 {
			return 0, 0, false
		}
		sep |= one
		i += w
	}
	c, _ := next(text, i)
	return sep, i, isDigit(c)
}

// len returns the number of digits in chunk k.
func (c *chain) len(k int) int {
	if k == 0 {
		return c.chunks[0].to
	}
	return c.chunks[k].to - c.chunks[k-1].to
}

// is reports whether the chain has exactly these groups.
func (c *chain) is(lengths ...int) bool {
	if c.n != len(lengths) {
		return false
	}
	for k, n := range lengths {
		if c.len(k) != n {
			return false
		}
	}
	return true
}

// value returns the number that chunk k is; k has at most 4 digits.
func (c *chain) value(k int) int {
	v := 0
	for _, d := range c.digits[c.chunks[k].to-c.len(k) : c.chunks[k].to] {
		v = 10*v + int(d-'0')
	}
	return v
}
