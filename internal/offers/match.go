package offers

import (
	"strings"
	"unicode"

	"github.com/sotto-chat/sotto"
)

// Match finds the button that a text means: its number, with or without a point
// or a bracket behind it and in the digits of any script, or its label, whatever
// the case. A label that is a number means itself before it means a place,
// because a keyboard sends its labels. Nothing else matches: a text that merely
// holds a number is a text. byNumber tells which it was.
func Match(buttons []sotto.Button, text string) (b sotto.Button, byNumber, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return b, false, false
	}
	for _, b := range buttons {
		if strings.EqualFold(text, strings.TrimSpace(b.Label)) {
			return b, false, true
		}
	}
	if n := number(text); n >= 1 && n <= len(buttons) {
		return buttons[n-1], true, true
	}
	return sotto.Button{}, false, false
}

// number reads "2", "2.", "2)", "２" or the keycap 2️⃣, and nothing longer than
// three digits; 0 = it is something else.
func number(s string) int {
	s = strings.TrimSuffix(s, keycap)
	s = strings.TrimSuffix(s, emoji)
	for _, end := range [...]string{".", ")", "．", "）", "。", "、"} {
		if rest, cut := strings.CutSuffix(s, end); cut {
			s = rest
			break
		}
	}
	n, digits := 0, 0
	for _, r := range s {
		d, ok := digit(r)
		if !ok || digits == 0 && d == 0 || digits == 3 {
			return 0
		}
		n, digits = 10*n+d, digits+1
	}
	return n
}

// What turns a digit into a picture of a key (Unicode UTS #51).
const (
	emoji  = "\ufe0f"
	keycap = "\u20e3"
)

// digit returns the value of a decimal digit of any script. Unicode keeps each
// script's ten digits together and in order (category Nd).
func digit(r rune) (int, bool) {
	if r >= '0' && r <= '9' {
		return int(r - '0'), true
	}
	if r < 0x80 {
		return 0, false
	}
	for _, t := range unicode.Nd.R16 {
		if r <= rune(t.Hi) {
			return int(r-rune(t.Lo)) % 10, r >= rune(t.Lo)
		}
	}
	for _, t := range unicode.Nd.R32 {
		if r <= rune(t.Hi) { //nolint:gosec // no code point is above MaxInt32
			return int(r-rune(t.Lo)) % 10, r >= rune(t.Lo) //nolint:gosec // as above
		}
	}
	return 0, false
}
