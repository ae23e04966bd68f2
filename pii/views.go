package pii

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// tricks is a set of ways in which a text may hide what it says. The pass over
// a text notes them; only then is a view made.
type tricks uint8

const (
	entities   tricks = 1 << iota // &#64;
	invisibles                    // characters without width between others
	letters                       // letters of other alphabets that look like Latin ones, wide ones
	spaced                        // digits one by one
	spelled                       // digits as words
)

// view is a text as a reader sees it: entities are decoded, what is invisible
// is gone, look-alikes are Latin letters, digits that are set apart or spelled
// are together. from and to say where each of its bytes comes from.
type view struct {
	text     []byte
	from, to []int32
}

// views are reused, because a view is three times as large as its text.
var views = sync.Pool{New: func() any { return new(view) }} //nolint:gochecknoglobals // a pool

// findInView looks at a view of the text that s has looked at, and returns the
// findings as spans of that text.
func (f *Finder) findInView(s *scan) []Span {
	v, _ := views.Get().(*view)
	defer views.Put(v)
	v.make(s.text, s.tricks)
	in := scan{text: string(v.text), finder: f, regions: f.Regions, view: v, checks: s.checks}
	in.run()
	for i := range in.found {
		sp := &in.found[i]
		sp.Start, sp.End = int(v.from[sp.Start]), int(v.to[sp.End-1])
		sp.Rule += "/view"
	}
	return in.found
}

// put appends what text[from:to] is in the view.
func (v *view) put(r rune, from, to int) {
	n := len(v.text)
	v.text = utf8.AppendRune(v.text, r)
	for range len(v.text) - n {
		v.from, v.to = append(v.from, int32(from)), append(v.to, int32(to)) //nolint:gosec // texts are shorter
	}
}

// cut takes all but the first n bytes back.
func (v *view) cut(n int) { v.text, v.from, v.to = v.text[:n], v.from[:n], v.to[:n] }

func (v *view) make(text string, t tricks) {
	v.text, v.from, v.to = v.text[:0], v.from[:0], v.to[:0]
	for i := 0; i < len(text); {
		if t&entities != 0 && text[i] == '&' {
			if r, n := entity(text[i:]); n > 0 {
				v.put(r, i, i+n)
				i += n
				continue
			}
		}
		c := classes[text[i]]
		if c == digit && t&spaced != 0 && !digitBefore(text, i) {
			if end := v.together(text, i); end > i {
				i = end
				continue
			}
		}
		if c != alpha && c != wide {
			v.text, v.from, v.to = append(v.text, text[i]), append(v.from, int32(i)), append(v.to, int32(i+1))
			i++
			continue
		}
		i = v.word(text, i, t)
	}
}

// word appends the word at i, or the character that is none.
func (v *view) word(text string, i int, t tricks) int {
	end := wordEnd(text, i)
	if end == i {
		r, w := utf8.DecodeRuneInString(text[i:])
		c := fold(r)
		switch {
		case c == skip:
		case r == utf8.RuneError && w == 1:
			v.text, v.from, v.to = append(v.text, text[i]), append(v.from, int32(i)), append(v.to, int32(i+1)) //nolint:gosec // as above
		case c < utf8.RuneSelf:
			v.put(rune(c), i, i+w)
		default:
			v.put(mathLetter(r), i, i+w)
		}
		return i + w
	}
	if t&spelled != 0 {
		if to := v.spelled(text, piece{i, end}); to > i {
			return to
		}
	}
	mixed := t&letters != 0 && mixedWord(text[i:end])
	for k, r := range text[i:end] {
		w := utf8.RuneLen(r)
		if c := fold(r); r >= 0xff01 && c < utf8.RuneSelf {
			r = rune(c)
		} else if mixed {
			r = latinFor(r)
		}
		v.put(r, i+k, i+k+w)
	}
	return end
}

// mixedWord reports whether a word has letters of more than one alphabet.
func mixedWord(w string) bool {
	var buf [maxCueWord]byte
	_, s := plainWord(&buf, w)
	return s&lookalike != 0 && s&(latin|wideLetters) != 0
}

// latinFor returns the Latin letter that looks like a Cyrillic or Greek one.
func latinFor(r rune) rune {
	const like = "аaеeоoрpсcхxуyіiјjѕsԁdһhӏlԛqԝwвbкkмmнhтtАAВBЕEКKМMНHОOРPСCТTХXУYІIЈJЅSԚQԜWЗ3б6" +
		"αaοoρpνvιiκkυuτtηnωwγyεeχxΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXϲc"
	if r >= 0x370 && r <= 0x52f {
		if i := strings.IndexRune(like, r); i >= 0 {
			return rune(like[i+utf8.RuneLen(r)])
		}
	}
	return r
}

// mathLetter returns the ASCII letter for one of the alphabets of mathematics.
func mathLetter(r rune) rune {
	if r < 0x1d400 || r > 0x1d6a3 {
		return r
	}
	n := (r - 0x1d400) % 52
	if n < 26 {
		return 'A' + n
	}
	return 'a' + n - 26
}

// isEntity reports whether a character reference that can hide something
// begins at i.
func isEntity(text string, i int) bool {
	_, n := entity(text[i:])
	return n > 0
}

// entity decodes a character reference of HTML: those with numbers, and the
// names of signs that stand in addresses and numbers.
func entity(s string) (r rune, size int) {
	const most = 12
	semicolon := strings.IndexByte(s[:min(len(s), most)], ';')
	if semicolon < 3 {
		return 0, 0
	}
	name := s[1:semicolon]
	if name[0] == '#' {
		base := 10
		if name = name[1:]; name[0]|0x20 == 'x' {
			name, base = name[1:], 16
		}
		n, err := strconv.ParseUint(name, base, 21)
		if err != nil || n < ' ' || n >= 0x7f && n < 0xa0 || !utf8.ValidRune(rune(n)) {
			return 0, 0
		}
		return rune(n), semicolon + 1
	}
	switch name {
	case "commat":
		r = '@'
	case "period":
		r = '.'
	case "nbsp", "ensp", "emsp", "thinsp":
		r = ' '
	case "plus":
		r = '+'
	case "colon":
		r = ':'
	case "sol":
		r = '/'
	case "lpar":
		r = '('
	case "rpar":
		r = ')'
	case "dash", "hyphen", "ndash":
		r = '-'
	case "lowbar":
		r = '_'
	case "num":
		r = '#'
	case "equals":
		r = '='
	case "shy", "zwj", "zwnj":
		r = 0xad
	default:
		return 0, 0
	}
	return r, semicolon + 1
}

// invisible notes an invisible character between two that can be seen and
// belong together: those in emoji and in Persian words do not count.
func (s *scan) invisible(i, end int) {
	if s.view != nil || i == 0 || s.text[i-1] >= utf8.RuneSelf || s.text[i-1] <= ' ' {
		return
	}
	if c, at := after(s.text, end); at < len(s.text) && s.text[at] < utf8.RuneSelf && c > ' ' {
		s.tricks |= invisibles
	}
}

const (
	minSpaced  = 7 // digits that are set apart
	minSpelled = 6 // words
)

// loneDigits measures digits that are set apart one by one, with the same sign
// or space between them. They are none where a longer number goes on.
func loneDigits(text string, i int) (count, end int) {
	var sep byte
	rising, falling := 0, 0
	last := byte(0)
	for {
		d, w := next(text, i)
		if !isDigit(d) {
			return count, end
		}
		if b, _ := next(text, i+w); isDigit(b) || isAlpha(b) || b == letter {
			return 0, i + w
		}
		if d == last+1 {
			rising++
		} else if d+1 == last {
			falling++
		}
		last = d
		count++
		end = i + w
		c, cw := next(text, end)
		at := end + cw
		if c == ' ' {
			if c2, w2 := next(text, at); c2 == ' ' {
				at += w2
			} else if c2 == '-' || c2 == '.' || c2 == '/' {
				c = c2
				at += w2
				if c3, w3 := next(text, at); c3 == ' ' {
					at += w3
				}
			}
		}
		d2, _ := next(text, at)
		good := c == ' ' || c == '-' || c == '.' || c == '_' || c == '*' || c == '/'
		if !good || !isDigit(d2) || sep != 0 && c != sep {
			if 4*max(rising, falling) > 3*count {
				return 0, end // somebody counts
			}
			return count, end
		}
		sep = c
		i = at
	}
}

// digitBefore reports whether a word, or a digit that is set apart, stands in
// front of i, so that no run of lone digits begins there.
func digitBefore(text string, i int) bool {
	c, at := before(text, i)
	if isWord(c) {
		return true
	}
	for range 3 {
		if c != ' ' && c != '-' && c != '.' && c != '_' && c != '*' && c != '/' {
			return false
		}
		if c, at = before(text, at); isDigit(c) {
			return true
		}
	}
	return false
}

// noteSpaced notes digits that are set apart, and returns where they end.
func (s *scan) noteSpaced(i int) {
	if s.view != nil || s.tricks&spaced != 0 || digitBefore(s.text, i) {
		return
	}
	if n, _ := loneDigits(s.text, i); n >= minSpaced {
		s.tricks |= spaced
	}
}

// together appends digits that are set apart as one number.
func (v *view) together(text string, i int) (end int) {
	n, end := loneDigits(text, i)
	if n < minSpaced {
		return i
	}
	if n := len(v.text); n > 1 && v.text[n-1] == ' ' && v.text[n-2] == '+' {
		v.cut(n - 1) // + 4 9
	} else if n > 3 && v.text[n-1] == ' ' && v.text[n-3] == ' ' && isAlpha(v.text[n-2]) && isAlpha(v.text[n-4]) &&
		(n == 4 || !isWord(v.text[n-5])) {
		v.text[n-3], v.from[n-3], v.to[n-3] = v.text[n-2], v.from[n-2], v.to[n-2]
		v.cut(n - 2) // D E 8 9
	}
	for i < end {
		c, w := next(text, i)
		if isDigit(c) {
			v.put(rune(c), i, i+w)
		}
		i += w
	}
	return end
}

// spell notes a word for a digit; enough of them in a row make a view worth it.
func (s *scan) spell(p piece) {
	if s.view != nil {
		return
	}
	if s.spelt == 0 || p.start-s.speltAt > 3 {
		s.spelt = 0
	}
	s.speltAt = p.end
	if s.spelt++; s.spelt >= minSpelled {
		s.tricks |= spelled
	}
}

// spelled appends words for digits as a number, where there are enough of them.
func (v *view) spelled(text string, p piece) (end int) {
	n := len(v.text)
	words, times, from, after := 0, 1, p.start, p.start
	for p.start < p.end {
		e := lookAt(text, p)
		d := e.digit()
		switch {
		case e.is(cueDouble):
			times = 2
		case e.is(cueTriple):
			times = 3
		case d >= 0:
			for range times {
				v.put(rune('0'+d), from, p.end) //nolint:gosec // 0 to 9
			}
			words, times, after = words+times, 1, p.end
		}
		if d < 0 && times == 1 {
			break
		}
		p = pieceAt(text, p.end, 2)
		if times == 1 {
			from = p.start
		}
	}
	if words >= minSpelled {
		return after
	}
	v.cut(n)
	return 0
}

// hanWord handles a character of a script that does not set words apart: r, at
// text[i:end].
func (s *scan) hanWord(r rune, i, end int) int {
	var words [2]string
	var kinds [2]cue
	switch r {
	case '密':
		words, kinds = [2]string{"密码", "密碼"}, [2]cue{cuePassword, cuePassword}
	case 'パ':
		words[0], kinds[0] = "パスワード", cuePassword
	case '비':
		words[0], kinds[0] = "비밀번호", cuePassword
	case '暗':
		words[0], kinds[0] = "暗証番号", cuePIN
	case '验':
		words[0], kinds[0] = "验证码", cueOTP
	case '驗':
		words[0], kinds[0] = "驗證碼", cueOTP
	case '認':
		words[0], kinds[0] = "認証コード", cueOTP
	case '인':
		words[0], kinds[0] = "인증번호", cueOTP
	case '微':
		words[0], kinds[0] = "微信", cueHandle
	case '卡':
		words[0], kinds[0] = "卡号", cueCard
	case '账':
		words[0], kinds[0] = "账号", cueAccount
	case '口':
		words[0], kinds[0] = "口座番号", cueAccountNumber
	case '계':
		words[0], kinds[0] = "계좌", cueAccountNumber
	default:
		return end
	}
	for n, w := range words {
		if w != "" && strings.HasPrefix(s.text[i:], w) {
			e := entry{word: w, kinds: [3]cue{kinds[n]}}
			if kinds[n] == cueAccountNumber {
				e.kinds[1] = cueAccount
			}
			return s.cue(&e, piece{i, i + len(w)})
		}
	}
	return end
}
