package tagger

import (
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func model(tb testing.TB) *Model {
	tb.Helper()
	raw, err := os.ReadFile("../../model.bin")
	if err != nil {
		tb.Fatal(err)
	}
	m, err := Load(string(raw))
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func words(text string) []string {
	z := tokenizer{text: text}
	var out []string
	var t token
	for z.next(&t) {
		w := text[t.start:t.end]
		if t.shape == masked {
			w = "<" + w + ">"
		}
		out = append(out, w)
	}
	return out
}

func TestTokenizer(t *testing.T) {
	for text, want := range map[string]string{
		"hi, I'm Anna!":                "hi I m Anna",
		"O'Neill l'eau D'Angelo o’dea": "O'Neill l eau D'Angelo o’dea",
		"jean-pierre":                  "jean pierre",
		"@ada_b.c. #BobMarley #bob":    "<ada_b.c> Bob Marley bob",
		"a@b.de www.x.org https://y/z": "<a@b.de> <www.x.org> <https://y/z>",
		"_Anna_ snake_case_x":          "Anna <snake_case_x>",
		"Anna😊Tom日本":                   "Anna Tom",
		"Ａｎｎａ A\u200bnna":              "Ａｎｎａ A\u200bnna",
		"привет Ёлка أحمد":             "привет Ёлка أحمد",
		"":                             "",
		"a\u00a0b\u00ad\u00bbc\u00b4d\u00bfe\u201ef\u2039g\u2013h\u2026i\u2028j\u2003k\u202al\u2066m\u2020n\u00d7o\u1ea0p": "a b c d e f g h i j k\u202al\u2066m n o\u1ea0p",
		"ไทย ខ្មែរ ٣٤ a\u064bb \u0600 x؟y \u20acz":                                                                         "٣٤ a\u064bb x y z",
		"\xff\xfe anna \xff": "anna",
	} {
		if diff := cmp.Diff(want, strings.Join(words(text), " ")); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestKey(t *testing.T) {
	for _, same := range [][2]string{{"José", "jose"}, {"ANNA", "Ａｎｎａ"}, {"heyyyy", "hey"}, {"Nguyễn", "nguyen"}, {"Ёлка", "елка"}, {"Straße", "strase"}} {
		if Key(same[0]) != Key(same[1]) || Key(same[0]) == 0 {
			t.Errorf("%q and %q differ", same[0], same[1])
		}
	}
	if Key("anna") == Key("ana") || Key("two words") != 0 || Key("") != 0 {
		t.Error("different words are the same")
	}
}

func TestLexicon(t *testing.T) {
	var x Lexicon
	x.Add("Anna", First)
	x.Add("New York", CityBig)
	x.Add("Real Madrid", OrgName)
	x.Add("Will Smith", Famous)
	x.Add("a word of this", Function)
	x.Add("one two three four five", CityBig)
	x.Parts("de la Cruz", Last)
	x.Take("la", Last)
	x.Take("two words", Last)
	x.Vote("de", LangES)
	x.Vote("no such", LangES)
	x.Cue("my name is", Intro)
	x.Cue("my name is", Greet)
	x.Cue("one two three four five six", Intro)
	x.Cue("", Intro)
	m, err := Load(string(Save(&x, &Params{RowBits: 4, Scale: 1, Weights: []byte(strings.Repeat("\x80", 128))})))
	if err != nil {
		t.Fatal(err)
	}
	flags := func(w string) Flags { return m.lex.classes[m.lex.find(Key(w))].flags }
	for w, want := range map[string]Flags{"anna": First, "new": PhraseHead, "york": PhraseNext, "cruz": Last, "la": 0, "nobody": 0, "is": CueEnd} {
		if got := flags(w); got != want {
			t.Errorf("%s: %x, want %x", w, got, want)
		}
	}
	if x.Flags("anna") != First || x.Flags("new york") != 0 || x.Len() == 0 {
		t.Error("flags of a lexicon that is being built")
	}
	for text, want := range map[string]Kind{"new york": Location, "Real-Madrid": Org, "will smith": Person, "new. york": Location, "new, york": None, "new": None} {
		var w window
		w.m = m
		z := tokenizer{text: text}
		for z.next(&w.tok[w.n]) {
			w.n++
		}
		w.look(text)
		if _, got := w.phrase(0); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestDamagedModel(t *testing.T) {
	var x Lexicon
	x.Add("anna", First)
	file := string(Save(&x, &Params{RowBits: 4, Scale: 1, Weights: make([]byte, 128)}))
	if _, err := Load(file); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "short", file[1:], file[:len(file)-1], file + "x", file[:8] + "\xff\xff\xff\xff" + file[12:], file[:16] + "\xff\xff\xff\x7f" + file[20:]} {
		if _, err := Load(bad); err == nil {
			t.Error("a damaged file loads")
		}
	}
}

func TestCues(t *testing.T) {
	for _, c := range Cues() {
		if c.String() == "" {
			t.Errorf("cue %d has no name", c)
		}
	}
	if NoCue.String() != "" || Cue(99).String() != "" {
		t.Error("what is no cue has a name")
	}
}

// TestWindows: names are found wherever the text is cut, and once.
func TestWindows(t *testing.T) {
	m := model(t)
	for n := range 2 * chunk {
		text := strings.Repeat("ok ", n) + "my name is Anna Schmidt. " + strings.Repeat("ok ", 50)
		got := ""
		m.Find(text, func(f Found) { got += "|" + text[f.Start:f.End] })
		if n%chunk < chunk/2 && got != "|Anna Schmidt" || !strings.Contains(got, "Anna") {
			t.Errorf("behind %d words: %q", n, got)
		}
	}
	long := strings.Repeat("Anna ", 500)
	n := 0
	m.Find(long, func(Found) { n++ })
	if n == 0 {
		t.Error("nothing in many names")
	}
}

// TestLinear: the time grows with the length and not with its square.
func TestLinear(t *testing.T) {
	m := model(t)
	for _, unit := range []string{"Anna ", "a", "A.", "I'm ", "my name is ", "new york ", "_a", "@a", "o'", "de la ", "\u200b", "é", "#Ab", "😊", "\xff", "a.b@", "ANNA "} {
		measure := func(n int) time.Duration {
			text, best := strings.Repeat(unit, n/len(unit)), time.Hour
			for range 3 {
				start := time.Now()
				m.Find(text, func(Found) {})
				best = min(best, time.Since(start))
			}
			return best
		}
		ok := false
		for range 8 {
			if small, large := measure(8_000), measure(128_000); large <= 80*small+20*time.Millisecond {
				ok = true
				break
			}
		}
		if !ok {
			t.Errorf("%q: more than linear", unit)
		}
	}
}

func FuzzFind(f *testing.F) {
	m := model(f)
	for _, s := range []string{"hi im anna", "J. R. R. Tolkien", "a@b.c #BobMarley", "\xffAnna\xfe", "O'", "@", "Anna\u200b Ｓmith", "new york new york"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		end := 0
		m.Find(s, func(x Found) {
			if x.Start < end || x.End <= x.Start || x.End > len(s) || x.Kind == None || x.Kind >= kinds || !(x.Score > 0 && x.Score <= 1) {
				t.Fatalf("%q: %+v behind %d", s, x, end)
			}
			if !utf8.RuneStart(s[x.Start]) || x.End < len(s) && utf8.ValidString(s) && !utf8.RuneStart(s[x.End]) {
				t.Fatalf("%q: %+v is not between characters", s, x)
			}
			end = x.End
		})
		m.Runs(s, func(words []Word) {
			for _, w := range words {
				if len(w.Rows) == 0 || len(w.Rows) > maxFeatures || w.End > len(s) {
					t.Fatalf("%q: %+v", s, w)
				}
			}
		})
	})
}
