package pii

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// dateOrder says how a date is read whose text alone does not tell.
type dateOrder struct {
	monthFirst bool
	lang       string // ISO 639-1
}

// orderOf is the order that a [Use] tells.
func orderOf(u Use) dateOrder {
	return dateOrder{monthFirst: strings.EqualFold(u.Region, "US"), lang: strings.ToLower(u.Language)}
}

// datePiece is a number or a word of a date: text[start:end].
type datePiece struct {
	start, end int
	number     bool
	value      int
	width      int  // digits
	zero       rune // the digit nought of its script
	words      []dateWord
	sign       rune // the character behind it, 0 for none
}

// dateText is a date as it was written: which piece is what.
type dateText struct {
	text             string
	pieces           [8]datePiece
	n                int
	y, m, d          int // the date; 0: not given
	yi, mi, di, wi   int // pieces; -1: none
	lang             int // of the words, index of monthTables
	mshort, wshort   bool
	monthWord, short bool // short: a year of two digits
}

// whole reports whether day, month and year are known.
func (t *dateText) whole() bool { return t.y > 0 && t.m > 0 && t.d > 0 }

// iso returns "2024-05-03".
func (t *dateText) iso() string { return t.time().Format(time.DateOnly) }

func (t *dateText) time() time.Time {
	return time.Date(t.y, time.Month(t.m), t.d, 0, 0, 0, 0, time.UTC)
}

// readDate reads a date: numbers in the usual orders and signs between them,
// months in the languages of monthTables, a day of the week beside them, numbers
// of any script, 年月日. A time of day behind it does not matter.
func readDate(text string, order dateOrder) (dateText, bool) {
	t := dateText{text: text, yi: -1, mi: -1, di: -1, wi: -1}
	if !t.split() || !t.findWords(order) {
		return t, false
	}
	if !t.findNumbers(order) {
		return t, false
	}
	return t, t.valid()
}

// split parts the text into pieces. It reports false where there are too many.
func (t *dateText) split() bool {
	for i := 0; i < len(t.text); {
		r, w := utf8.DecodeRuneInString(t.text[i:])
		c, _ := next(t.text, i)
		var p datePiece
		switch {
		case isDigit(c):
			p = readDateNumber(t.text, i)
			if after, _ := utf8.DecodeRuneInString(t.text[p.end:]); after == ':' || t.n > 0 && t.pieces[t.n-1].sign == ':' {
				return t.n > 0 // a time of day
			}
		case unicode.IsLetter(r):
			p.start, p.end = i, i+w
			for p.end < len(t.text) {
				r, w := utf8.DecodeRuneInString(t.text[p.end:])
				if !unicode.IsLetter(r) && !unicode.IsMark(r) || strings.ContainsRune("年月日", r) {
					break
				}
				p.end += w
			}
			p.words = dateWords[string(foldWords(t.text[p.start:p.end]))]
		default:
			i += w
			continue
		}
		if t.n == len(t.pieces) {
			return false
		}
		p.sign, _ = utf8.DecodeRuneInString(t.text[p.end:])
		t.pieces[t.n] = p
		t.n++
		i = p.end
	}
	t.splitCompact()
	return t.n > 0
}

// readDateNumber reads a run of digits.
func readDateNumber(text string, i int) datePiece {
	p := datePiece{start: i, end: i, number: true}
	for p.end < len(text) && p.width <= 8 {
		c, w := next(text, p.end)
		if !isDigit(c) {
			break
		}
		if p.width == 0 {
			r, _ := utf8.DecodeRuneInString(text[i:])
			p.zero = r - rune(c-'0')
		}
		p.value = 10*p.value + int(c-'0')
		p.width++
		p.end += w
	}
	return p
}

// splitCompact parts "20240503".
func (t *dateText) splitCompact() {
	p := t.pieces[0]
	if t.n != 1 || !p.number || p.width != 8 || p.zero != '0' {
		return
	}
	cuts := [4]int{0, 4, 6, 8}
	if v := p.value / 10000; v < 1000 || v > 2999 || p.value/100%100 > 12 {
		cuts = [4]int{0, 2, 4, 8}
	}
	t.n = 3
	for k := range 3 {
		from, to := p.start+cuts[k], p.start+cuts[k+1]
		t.pieces[k] = readDateNumber(t.text[:to], from)
	}
}

// findWords finds the month and the day of the week and their language.
func (t *dateText) findWords(order dateOrder) bool {
	for i := range t.n {
		for _, w := range t.pieces[i].words {
			if w.month >= 0 && t.mi < 0 && (t.pieces[i].sign != '.' || !t.weekdayNext(i)) {
				t.mi, t.monthWord = i, true
			}
		}
	}
	for i := range t.n {
		for _, w := range t.pieces[i].words {
			if w.day >= 0 && i != t.mi && t.wi < 0 {
				t.wi = i
			}
		}
	}
	best := -1
	for l := range monthTables {
		m, okM := t.meaning(t.mi, l, true)
		w, okW := t.meaning(t.wi, l, false)
		if t.mi >= 0 && !okM || t.mi < 0 && t.wi >= 0 && !okW {
			continue
		}
		score := 1
		if okW {
			score += 2
		}
		if monthTables[l].lang == order.lang {
			score += 4
		}
		score += t.hint(monthTables[l].lang)
		if score > best {
			best, t.lang = score, l
			t.m, t.mshort, t.wshort = int(m.month)+1, m.short, w.short
			if t.mi < 0 {
				t.m = 0
			}
		}
	}
	if _, ok := t.meaning(t.wi, t.lang, false); !ok {
		t.wi = -1
	}
	if t.mi >= 0 && t.wi >= 0 && t.wshort || t.mi >= 0 && t.pieces[t.mi].sign == '-' { // May is long and short
		c := &monthTables[t.lang]
		t.mshort = t.mshort || strings.EqualFold(c.long[t.m-1], c.short[t.m-1])
	}
	return true
}

// weekdayNext reports whether the piece can be a day of the week in front of a
// month: "mar. 3 avr".
func (t *dateText) weekdayNext(i int) bool {
	for k := i + 1; k < t.n; k++ {
		for _, w := range t.pieces[k].words {
			if w.month >= 0 {
				return true
			}
		}
	}
	return false
}

// meaning returns what piece i is in a language.
func (t *dateText) meaning(i, lang int, month bool) (dateWord, bool) {
	if i < 0 {
		return dateWord{}, false
	}
	for _, w := range t.pieces[i].words {
		if int(w.lang) == lang && (w.month >= 0) == month {
			return w, true
		}
	}
	return dateWord{}, false
}

// hint is 1 where small words and signs are those of the language.
func (t *dateText) hint(lang string) int {
	for i := range t.n {
		p := &t.pieces[i]
		word := strings.ToLower(t.text[p.start:p.end])
		switch {
		case p.number && p.sign == '.' && i+1 == t.mi && lang == "de",
			word == "de" && (lang == "es" || lang == "pt"),
			word == "er" && lang == "fr",
			(word == "of" || word == "the" || isOrdinal(word)) && lang == "en":
			return 1
		}
	}
	return 0
}

func isOrdinal(word string) bool { return word == "st" || word == "nd" || word == "rd" || word == "th" }

// findNumbers says which number is what.
func (t *dateText) findNumbers(order dateOrder) bool {
	var nums []int
	for i := range t.n {
		if t.pieces[i].number {
			nums = append(nums, i)
		}
	}
	switch {
	case !t.monthWord && t.signed(nums):
	case t.monthWord:
		t.besideMonth(nums)
	case len(nums) == 3:
		t.three(nums, order)
	case len(nums) == 2:
		t.two(nums, order)
	case len(nums) == 1 && t.pieces[nums[0]].width == 4:
		t.yi = nums[0]
	default:
		return false
	}
	t.take(&t.y, t.yi)
	t.take(&t.d, t.di)
	if !t.monthWord {
		t.take(&t.m, t.mi)
	}
	if t.yi >= 0 && t.pieces[t.yi].width <= 2 {
		t.short = true
		if t.y += 1900; t.y < 1950 {
			t.y += 100
		}
	}
	return true
}

func (t *dateText) take(v *int, i int) {
	if i >= 0 {
		*v = t.pieces[i].value
	}
}

// signed reads numbers with 年, 月 and 日 behind them.
func (t *dateText) signed(nums []int) bool {
	y, m, d := -1, -1, -1
	for _, i := range nums {
		switch t.pieces[i].sign {
		case '年':
			y = i
		case '月':
			m = i
		case '日':
			d = i
		}
	}
	if y < 0 && (m < 0 || d < 0) {
		return false
	}
	t.yi, t.mi, t.di = y, m, d
	return true
}

// besideMonth reads the numbers beside a month's name.
func (t *dateText) besideMonth(nums []int) {
	for _, i := range nums {
		switch {
		case t.pieces[i].width > 2 && t.yi < 0:
			t.yi = i
		case t.di < 0:
			t.di = i
		case t.yi < 0:
			t.yi = i
		}
	}
}

// three reads three numbers.
func (t *dateText) three(n []int, order dateOrder) {
	a, b := t.pieces[n[0]], t.pieces[n[1]]
	switch {
	case a.width >= 3 || a.value > 31:
		t.yi, t.mi, t.di = n[0], n[1], n[2]
		return
	case a.value <= 12 && (b.value > 12 || order.monthFirst && a.sign != '.'):
		t.mi, t.di, t.yi = n[0], n[1], n[2]
	default:
		t.di, t.mi, t.yi = n[0], n[1], n[2]
	}
}

// two reads two numbers: a month and a year, or a day and a month.
func (t *dateText) two(n []int, order dateOrder) {
	a, b := t.pieces[n[0]], t.pieces[n[1]]
	switch {
	case a.width == 4:
		t.yi, t.mi = n[0], n[1]
	case b.width == 4:
		t.mi, t.yi = n[0], n[1]
	case a.value <= 12 && (b.value > 12 || order.monthFirst && a.sign != '.'):
		t.mi, t.di = n[0], n[1]
	default:
		t.di, t.mi = n[0], n[1]
	}
}

// valid reports whether there is such a date.
func (t *dateText) valid() bool {
	if t.yi >= 0 && (t.y < 1 || t.y > 9999) || t.m > 12 || t.mi >= 0 && t.m < 1 || t.di >= 0 && (t.d < 1 || t.mi < 0) {
		return false
	}
	if t.d > 0 {
		y := t.y
		if y == 0 {
			y = leapYear
		}
		return t.d <= time.Date(y, time.Month(t.m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	}
	return t.m > 0 || t.y > 0
}

// leapYear stands for a year that is not given.
const leapYear = 2000

// moved appends the date moved by days, written as it was. A date without a
// day stays; one without a year goes round.
func (t *dateText) moved(dst []byte, days int) []byte {
	if t.d == 0 {
		return append(dst, t.text...)
	}
	to := *t
	if to.y == 0 {
		to.y = leapYear
	}
	at := to.time()
	if t.y == 0 {
		const ring = 366
		at = time.Date(leapYear, 1, 1+((at.YearDay()-1+days)%ring+ring)%ring, 0, 0, 0, 0, time.UTC)
	} else {
		at = at.AddDate(0, 0, days)
	}
	to.y, to.m, to.d = at.Year(), int(at.Month()), at.Day()
	pad := t.pads()
	done := 0
	for i := range t.n {
		p := &t.pieces[i]
		dst = append(dst, t.text[done:p.start]...)
		done = p.end
		switch i {
		case t.yi:
			if t.short {
				dst = appendDateNumber(dst, to.y%100, 2, p.zero)
			} else {
				dst = appendDateNumber(dst, to.y, p.width, p.zero)
			}
		case t.di:
			dst = appendDateNumber(dst, to.d, pad, p.zero)
		case t.mi:
			if t.monthWord {
				dst = appendLike(dst, t.monthName(to.m), t.text[p.start:p.end])
			} else {
				dst = appendDateNumber(dst, to.m, pad, p.zero)
			}
		case t.wi:
			old, _ := t.meaning(i, t.lang, false)
			dst = appendLike(dst, t.dayName(((int(old.day)+days)%7+7)%7), t.text[p.start:p.end])
		default:
			dst = t.suffix(dst, i, to.d)
		}
	}
	return append(dst, t.text[done:]...)
}

// suffix appends what stands behind the number of a day: "3rd", "1er".
func (t *dateText) suffix(dst []byte, i, day int) []byte {
	p := &t.pieces[i]
	word := t.text[p.start:p.end]
	if i > 0 && i-1 == t.di && t.pieces[i-1].end == p.start {
		low := strings.ToLower(word)
		switch {
		case low == "er" && day != 1:
			return dst
		case isOrdinal(low):
			s := "th"
			if day/10 != 1 && day%10 >= 1 && day%10 <= 3 {
				s = [...]string{"st", "nd", "rd"}[day%10-1]
			}
			return appendLike(dst, s, word)
		}
	}
	return append(dst, word...)
}

func (t *dateText) monthName(m int) string {
	if t.mshort {
		return monthTables[t.lang].short[m-1]
	}
	return monthTables[t.lang].long[m-1]
}

func (t *dateText) dayName(d int) string {
	if t.wshort {
		return monthTables[t.lang].shortDays[d]
	}
	return monthTables[t.lang].days[d]
}

// pads returns how many digits a day and a month have at least.
func (t *dateText) pads() int {
	for _, i := range [...]int{t.di, t.mi} {
		if i >= 0 && t.pieces[i].number && t.pieces[i].value < 10 {
			return t.pieces[i].width
		}
	}
	if t.monthWord && t.pieces[t.di].sign != '-' {
		return 1
	}
	return 2
}

// appendDateNumber appends a number in the digits of a script.
func appendDateNumber(dst []byte, v, width int, zero rune) []byte {
	s := strconv.Itoa(v)
	for range width - len(s) {
		dst = utf8.AppendRune(dst, zero)
	}
	for _, d := range s {
		dst = utf8.AppendRune(dst, zero+d-'0')
	}
	return dst
}

// appendLike appends a word in the case of another: capital, small, or a
// capital first.
func appendLike(dst []byte, word, like string) []byte {
	first, w := utf8.DecodeRuneInString(like)
	switch {
	case !unicode.IsUpper(first):
		return append(dst, strings.ToLower(word)...)
	case w < len(like) && like == strings.ToUpper(like):
		return append(dst, strings.ToUpper(word)...)
	}
	r, w := utf8.DecodeRuneInString(word)
	return append(utf8.AppendRune(dst, unicode.ToUpper(r)), strings.ToLower(word[w:])...)
}
