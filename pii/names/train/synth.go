package main

import (
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sotto-chat/sotto/pii/names/internal/tagger"
)

// dice are the same on every machine.
type dice uint64

func (r *dice) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *dice) below(n int) int { return int(r.next() % uint64(n)) } //nolint:gosec // n is above 0

func (r *dice) of(list []string) string { return list[r.below(len(list))] }

func (r *dice) chance(percent int) bool { return r.below(100) < percent }

// synth makes messages from templates.
type synth struct {
	*data
	dice
	lang string
	b    strings.Builder
	out  example
}

// messages makes n messages from each template of the main languages and fewer
// from the others.
func (d *data) messages(n int, seed uint64) []example {
	s := &synth{data: d, dice: dice(seed)}
	var all []example
	for _, lang := range []string{
		"en", "de", "fr", "es", "pt", "it", "nl", "sv", "pl", "cs", "hu", "ro", "tr", "id", "vi", "da", "nb", "fi", "ru", "uk", "el", "ar", "he", "hr",
	} {
		s.lang = lang
		for _, t := range d.template[lang] {
			times := n
			if len(t) < 24 && (strings.Contains(t, "{F}") || strings.Contains(t, "{P}")) {
				times *= 2 // who somebody is matters most
			}
			for range times {
				all = append(all, s.message(t))
			}
		}
	}
	return append(all, s.babble(60*n)...)
}

// babble is made of usual words at random, with and without a name in it: it
// teaches what words are, whatever stands around them.
func (s *synth) babble(n int) []example {
	var all []example
	for _, lang := range []string{
		"en", "de", "fr", "es", "pt", "it", "nl", "sv", "pl", "cs", "hu", "ro", "tr", "id", "vi", "da", "nb", "fi", "ru", "uk", "el", "ar", "bg", "sr", "ca", "sk",
	} {
		s.lang = lang
		times, named := n/2, n/10
		if _, main := langs()[lang]; main && lang != "nl" {
			times, named = n, n/2
		}
		for i := range times {
			words := 2 + s.below(10)
			at, style := -1, s.below(100)
			if i < named {
				at = s.below(words)
			}
			s.b.Reset()
			s.out = example{group: "synthetic"}
			for k := range words {
				if k > 0 {
					s.b.WriteString(s.of([]string{" ", " ", " ", " ", " ", " ", " ", ", ", ". ", " - "}))
				}
				if k == at {
					s.slot("PPFFLCYO"[s.below(8)])
					continue
				}
				s.b.WriteString(s.styled(s.anyWord(), k, style))
			}
			s.b.WriteString(s.of([]string{"", "", ".", "!", "?", "...", " 😊"}))
			s.out.text = s.b.String()
			all = append(all, s.out)
		}
	}
	return all
}

// styled writes a word as a sentence, a headline or German would.
func (s *synth) styled(w string, k, style int) string {
	switch {
	case k == 0 && style < 60, style > 84 && style < 94, s.lang == "de" && style < 60 && s.chance(30):
		return s.title(w)
	case style >= 94:
		return strings.ToUpper(w)
	}
	return w
}

// anyWord is a usual word of any rank, or one like it that no list has.
func (s *synth) anyWord() string {
	list := s.usual()
	a := list[s.below(1+s.below(len(list)))]
	for range 5 {
		if s.lex.Flags(a)&(tagger.NameFlags&^tagger.Proper) == 0 {
			break
		}
		a = list[s.below(1+s.below(len(list)))]
	}
	if s.chance(10) {
		return s.madeUp()
	}
	if b := s.of(list); s.lang == "de" && s.chance(20) && len(a) > 3 && len(b) > 3 {
		return s.title(a + s.of([]string{"", "s", "n"}) + b)
	}
	if s.chance(3) {
		return s.code()
	}
	return a
}

// usual are the usual words of the language, or of one near it.
func (s *synth) usual() []string {
	if s.lang == "hr" {
		return s.words["sr"]
	}
	if len(s.words[s.lang]) == 0 {
		return s.words["en"]
	}
	return s.words[s.lang]
}

// madeUp is a word like those of the language that no list has: the beginning of
// one and the end of another.
func (s *synth) madeUp() string {
	list := s.usual()
	for range 10 {
		a, b := []rune(s.of(list)), []rune(s.of(list))
		if len(a) < 4 || len(b) < 4 || s.lex.Flags(string(a))&tagger.NameFlags != 0 {
			continue
		}
		w := string(a[:len(a)-s.below(2)]) + string(b[len(b)-2-s.below(2):])
		if s.lex.Flags(w) == 0 {
			if s.lang == "de" || s.chance(40) {
				return s.title(w)
			}
			return w
		}
	}
	return "blorfing"
}

const figures = "0123456789"

// from is one byte of a list.
func (r *dice) from(list string) byte { return list[r.below(len(list))] }

// code is an abbreviation or a number with letters.
func (s *synth) code() string {
	var b []byte
	for range 2 + s.below(4) {
		b = append(b, s.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	}
	if s.chance(30) {
		b = append(b, s.from(figures), s.from(figures), s.from(figures))
	}
	return string(b)
}

func (s *synth) message(template string) example {
	s.b.Reset()
	s.out = example{group: "synthetic"}
	if s.chance(6) {
		s.b.WriteString(s.of([]string{"ok ", "btw ", "also ", "so ", "😊 ", "hm ", "@support ", "lol ", "Hi! ", "hey, "}))
	}
	for template != "" {
		i := strings.IndexByte(template, '{')
		if i < 0 || i+3 > len(template) {
			s.b.WriteString(template)
			break
		}
		s.b.WriteString(template[:i])
		s.slot(template[i+1])
		template = template[i+3:]
	}
	if s.chance(8) {
		s.b.WriteString(s.of([]string{" 😊", "!!", " :)", " ❤️", " lol", "...", " 🙏", " pls", " thx", "?"}))
	}
	s.out.text = s.b.String()
	return s.out
}

func (s *synth) slot(c byte) {
	start := s.b.Len()
	kind := tagger.None
	switch c {
	case 'P':
		kind = tagger.Person
		s.b.WriteString(s.person())
	case 'F':
		kind = tagger.Person
		s.b.WriteString(s.firstName())
	case 'L':
		kind = tagger.Person
		s.b.WriteString(s.lastName())
	case 'C':
		kind = tagger.Location
		s.b.WriteString(s.city())
	case 'Y':
		kind = tagger.Location
		s.b.WriteString(s.title(s.of(s.lists["country"])))
	case 'O':
		kind = tagger.Org
		s.b.WriteString(s.org())
	default:
		s.b.WriteString(s.filler(c))
	}
	if kind != tagger.None {
		s.out.spans = append(s.out.spans, span{start, s.b.Len(), kind, false})
	}
}

// city is a place, one of ten of which no list knows, or which is a name as well.
func (s *synth) city() string {
	switch n := s.below(100); {
	case n < 7 && !s.otherScript():
		return s.invented(map[string][]string{s.lang: s.cities, "en": s.cities})
	case n < 11:
		return s.title(s.of(s.lists["first"]))
	}
	return s.title(s.of(s.cities))
}

func (s *synth) filler(c byte) string {
	switch c {
	case 'S':
		if n, ok := map[string]int{"en": 0, "de": 1, "fr": 2, "es": 3, "pt": 4, "it": 5}[s.lang]; ok {
			return s.of(s.feelings[n])
		}
		return s.of(s.usual())
	case 'J':
		return s.german(s.of(s.lists["job"]))
	case 'N':
		return s.title(s.of(s.lists["nation"]))
	case 'B':
		return s.title(s.of(s.lists["brand"]))
	case 'R':
		return s.german(s.of(s.lists["kinword"]))
	case 'D':
		return s.title(s.of(s.lists["time"]))
	case 'I':
		w := s.of(s.lists["id"])
		switch n := s.below(10); {
		case n < 3:
			return strings.ToUpper(w)
		case n < 6:
			return s.title(w)
		}
		return w
	case 'U':
		return s.madeUp()
	case 'A':
		return s.code()
	case 'H':
		return string([]byte{s.from(figures[1:]), s.from(figures)})
	}
	return s.word()
}

// german gives nouns their capitals where people mostly write them.
func (s *synth) german(w string) string {
	if s.lang == "de" && s.chance(80) {
		return s.title(w)
	}
	return w
}

// word is a usual word that is no name.
func (s *synth) word() string {
	if s.chance(15) {
		return s.madeUp()
	}
	list := s.usual()
	for range 20 {
		w := s.of(list)
		if utf8.RuneCountInString(w) > 2 && s.lex.Flags(w)&(tagger.NameFlags|tagger.GreetWord) == 0 {
			if s.lang == "de" && s.chance(70) {
				return s.title(w)
			}
			return w
		}
	}
	return "order"
}

// otherScript reports whether the language is not written in Latin letters.
func (s *synth) otherScript() bool {
	switch s.lang {
	case "ru", "uk", "el", "ar", "he", "bg", "sr":
		return true
	}
	return false
}

// lang of a name: mostly that of the message.
func (s *synth) nameLang(by map[string][]string) []string {
	l := s.lang
	if s.chance(25) && !s.otherScript() {
		l = s.of([]string{"en", "de", "fr", "es", "it", "pt", "tr", "pl", "nl", "in", "vi", "hr", "ro", "cs", "sv"})
	}
	if len(by[l]) < 20 {
		l = "en"
	}
	return by[l]
}

func (s *synth) firstName() string {
	if s.chance(18) && !s.otherScript() {
		return s.invented(s.first)
	}
	if s.chance(12) && !s.otherScript() {
		return s.title(s.of(s.lists["first"]))
	}
	n := s.of(s.nameLang(s.first))
	if s.chance(4) {
		return n + s.of([]string{"-", " "}) + s.of(s.nameLang(s.first))
	}
	return n
}

func (s *synth) lastName() string {
	if s.chance(18) && !s.otherScript() {
		return s.invented(s.last)
	}
	if s.chance(15) && !s.otherScript() {
		return s.title(s.of(s.lists["last"]))
	}
	n := s.of(s.nameLang(s.last))
	switch {
	case s.chance(5):
		n = s.of([]string{"van ", "van der ", "de ", "de la ", "von ", "di ", "da ", "dos ", "al-", "del ", "El ", "ter ", "Mc", "O'", "D'"}) + n
	case s.chance(4):
		n += s.of([]string{"-", " "}) + s.of(s.nameLang(s.last))
	}
	return n
}

// invented is a name that no list has: the beginning of one and the end of
// another.
func (s *synth) invented(by map[string][]string) string {
	for range 10 {
		a, b := []rune(s.of(s.nameLang(by))), []rune(s.of(s.nameLang(by)))
		if len(a) < 3 || len(b) < 4 {
			continue
		}
		n := string(a[:2+s.below(len(a)-2)]) + strings.ToLower(string(b[len(b)-2-s.below(2):]))
		if !strings.ContainsAny(n, " -'") && s.lex.Flags(n) == 0 {
			return n
		}
	}
	return "Quirelda"
}

func (s *synth) person() string {
	f, l := s.firstName(), s.lastName()
	initial := func() string {
		r, _ := utf8.DecodeRuneInString(s.firstName())
		return string(unicode.ToUpper(r))
	}
	switch n := s.below(100); {
	case n < 22:
		return f
	case n < 27:
		return f + " " + initial() + ". " + l
	case n < 30:
		return f + " " + initial() + " " + l
	case n < 33:
		return initial() + ". " + l
	case n < 35:
		return f + " " + initial() + "."
	case n < 36:
		return initial() + "." + s.of([]string{" ", ""}) + initial() + ". " + l
	case n < 40:
		return f + " " + s.firstName() + " " + l
	case n < 44:
		return f + " " + l + " " + s.lastName()
	case n < 45:
		return f + " " + l + s.of([]string{" Jr.", " Jr", " III", " II"})
	case n < 50:
		return s.title(s.of(s.lists["famous"]))
	}
	return f + " " + l
}

func (s *synth) org() string {
	switch n := s.below(100); {
	case n < 70:
		return s.title(s.of(s.lists["org"]))
	case n < 80:
		return s.of(s.orgs)
	case n < 90:
		return s.lastName() + " " + s.of([]string{"GmbH", "Inc", "Ltd", "AG", "& Co", "Group", "SA", "SL", "Ltda", "SpA", "Bank", "Motors", "Hospital", "KG", "University", "Consulting"})
	}
	return s.of([]string{"Bank of ", "University of ", "Universität ", "Hospital ", "FC ", "Stadtwerke ", "Universidad de ", "Université de ", "Real ", "Banco de "}) + s.title(s.of(s.cities))
}

// title gives words that the lists have in lower case their capitals.
func (s *synth) title(w string) string {
	up := true
	return strings.Map(func(r rune) rune {
		if up {
			up = false
			return unicode.ToUpper(r)
		}
		up = r == ' ' || r == '-'
		return r
	}, w)
}

// recase returns a copy of a text in another case, with its spans: case does
// not change lengths here, or the copy is dropped.
func recase(e example, to func(string) string) (example, bool) {
	t := to(e.text)
	if len(t) != len(e.text) {
		return e, false
	}
	e.text = t
	return e, true
}

// bare drops punctuation, one byte for a space.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ',', '.', '!', '?', ';', '¡', '¿':
			if r < utf8.RuneSelf {
				return ' '
			}
		}
		return r
	}, s)
}

// clean makes n messages from each template of clean.txt, which have no names.
func (d *data) clean(fsys fs.FS, n int) ([]example, error) {
	s := &synth{data: d, dice: 5}
	var all []example
	err := lines(fsys, "clean.txt", func(line string) error {
		if l, ok := strings.CutPrefix(line, "# "); ok {
			if len(l) == 2 {
				s.lang = l
			}
			return nil
		}
		for range n {
			if line != "" {
				all = append(all, s.message(line))
			}
		}
		return nil
	})
	return all, err
}
