package pii

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// neutral are names that are given to anybody and stand both first and last.
var neutral = [...][]string{ //nolint:gochecknoglobals // constant tables
	strings.Fields("Alex Arden Ashley Avery Bailey Blair Blake Brook Cameron Carey Casey Charlie Corin Dale Darcy Devin Drew Eden Ellis Emery " +
		"Finley Florin Gale Glenn Harper Hayden Jamie Jesse Jordan Kelly Kerry Kim Lane Lee Leslie Lindsay Logan Marlow Merlin Morgan Noel Noa " +
		"Page Parker Perry Quinn Reed Reese Riley Robin Rory Rowan Sage Sidney Skyler Spencer Tatum Taylor Terry Tracy Val Vivian Wynn"),
	strings.Fields("Саша Женя Валя Слава Паша Шура Мишель Никита Робин Алекс Ким Тони Вилли Юлиан Лесли Морган"),
	strings.Fields("Νίκη Φώτις Ρόμπιν Άλεξ Κιμ Τόνι Μαρίν Χάρις"),
	strings.Fields("نور صباح إحسان رضا نجاح شمس وسام صفاء ضياء بهاء هدى مجد ندى"),
	strings.Fields("גל טל נועם שחר עדי עומר רוני שקד ליאור יובל דניאל מעיין"),
	strings.Fields("किरण ज्योति सुमन शशि हिमांशी रजनी कमल अमन मनन आस्था"),
	strings.Fields("지우 서윤 민서 하늘 가람 은우 다온 아라 나래 이든"),
	strings.Fields("ゆうき ひかる あおい かおる まこと しのぶ なぎさ つばさ"),
}

// Characters for names that are written without spaces; any of them can be the
// first or the last.
const neutralHan = "安文明林江宁云海石方白金元成和清远景晨希"

// scriptOf returns which list of neutral a word belongs to, -1 for Chinese
// characters.
func scriptOf(word string) int {
	r, _ := utf8.DecodeRuneInString(word)
	for i, t := range [...]*unicode.RangeTable{
		unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Arabic, unicode.Hebrew, unicode.Devanagari, unicode.Hangul,
	} {
		if unicode.Is(t, r) {
			return i
		}
	}
	switch {
	case unicode.Is(unicode.Hiragana, r), unicode.Is(unicode.Katakana, r):
		return len(neutral) - 1
	case unicode.Is(unicode.Han, r):
		return -1
	}
	return 0
}

// madeUpName replaces each word of a name but titles. A word is replaced by the
// same one in every name.
func (s Surrogate) madeUpName(value string) string {
	var b strings.Builder
	last := ""
	for i := 0; i < len(value); {
		r, w := utf8.DecodeRuneInString(value[i:])
		if !unicode.IsLetter(r) {
			b.WriteString(value[i : i+w])
			i += w
			continue
		}
		end := i
		for end < len(value) {
			r, w := utf8.DecodeRuneInString(value[end:])
			if !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '\'' && r != '’' {
				break
			}
			end += w
		}
		word, tail := value[i:end], ""
		for _, p := range [...]string{"'s", "’s"} {
			if cut, ok := strings.CutSuffix(word, p); ok {
				word, tail = cut, p
			}
		}
		name := s.nameFor(word, 0)
		if strings.EqualFold(name, last) {
			name = s.nameFor(word, 1)
		}
		b.WriteString(name + tail)
		i, last = end, name
	}
	return b.String()
}

// nameFor returns what takes the place of one word; other is added to the place
// in the list.
func (s Surrogate) nameFor(word string, other int) string {
	key := string(foldWords(word))
	if _, title := titles[key]; title {
		return word
	}
	sum := s.Key.sum("surrogate name", key)
	pick := func(at, n int) int { return int(binary.BigEndian.Uint32(sum[at:]) % uint32(n)) } //nolint:gosec // a few
	script := scriptOf(word)
	if script < 0 {
		all := []rune(neutralHan)
		var out []rune
		for i := range []rune(word) {
			out = append(out, all[pick(4*(i%8), len(all))])
		}
		if string(out) == word {
			slices.Reverse(out)
		}
		return string(out)
	}
	list := neutral[script]
	k := (pick(0, len(list)) + other) % len(list)
	if string(foldWords(list[k])) == key {
		k = (k + 1) % len(list)
	}
	if utf8.RuneCountInString(word) == 1 { // an initial
		_, w := utf8.DecodeRuneInString(list[k])
		return string(appendLike(nil, list[k][:w], word+"x"))
	}
	return string(appendLike(nil, list[k], word))
}
