package answer

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	shophelp "github.com/sotto-chat/sotto/examples/shop-help"
)

func shop(tb testing.TB) *Bot {
	tb.Helper()
	b, err := New(context.Background(), Config{FS: shophelp.Files(), Prefix: "help/"})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// say returns the bot's replies to a message.
func (b *Bot) say(tb testing.TB, lang, text string) []sotto.Reply {
	tb.Helper()
	turn := &sotto.Turn{Event: sotto.Event{Kind: sotto.EventMessage, Text: text}, Language: lang}
	if err := b.Turn(context.Background(), turn); err != nil {
		tb.Fatal(err)
	}
	return turn.Replies()
}

type question struct{ lang, answers, text string }

func questions(tb testing.TB, file string) []question {
	tb.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		tb.Fatal(err)
	}
	var qs []question
	for line := range strings.Lines(string(data)) {
		f := strings.SplitN(strings.TrimSpace(line), " | ", 3)
		if len(f) == 3 && !strings.HasPrefix(line, "#") {
			qs = append(qs, question{f[0], f[1], f[2]})
		}
	}
	return qs
}

// TestQuestions holds the bot to nine of ten, both ways and in each language,
// with the questions that it was tuned on. The floors for the others are what it
// reached with them at the first try: 25 of 30 answered rightly, 28 of 30
// declined. They guard against getting worse and promise no more.
func TestQuestions(t *testing.T) {
	b := shop(t)
	<-b.ready
	for file, least := range map[string]map[string]int{ // per cent
		"questions.txt": {"en answered": 90, "de answered": 90, "en declined": 90, "de declined": 90},
		"heldout.txt":   {"en answered": 73, "de answered": 93, "en declined": 100, "de declined": 86},
	} {
		t.Run(file, func(t *testing.T) {
			right, all := map[string]int{}, map[string]int{}
			for _, q := range questions(t, file) {
				kind := q.lang + " answered"
				if q.answers == "-" {
					kind = q.lang + " declined"
				}
				all[kind]++
				if b.knows(t, q) {
					right[kind]++
				}
			}
			for kind, want := range least {
				t.Logf("%s: %d of %d right", kind, right[kind], all[kind])
				if all[kind] == 0 || right[kind]*100 < all[kind]*want {
					t.Errorf("%s: fewer than %d per cent", kind, want)
				}
			}
		})
	}
}

// knows reports whether the bot has the right answer to q.
func (b *Bot) knows(t *testing.T, q question) bool {
	t.Helper()
	p, err := b.find(t.Context(), q.lang, q.text)
	if err != nil {
		t.Fatal(err)
	}
	got := "-"
	if p != nil {
		got = strings.TrimSuffix(strings.TrimPrefix(p.doc.path, p.doc.lang+"/"), ".md") + "#" + p.anchor
	}
	if slices.Contains(strings.Split(q.answers, ","), got) {
		return true
	}
	t.Logf("%s: %q\n\tgot  %s\n\twant %s", q.lang, q.text, got, q.answers)
	return false
}

func TestReply(t *testing.T) {
	b := shop(t)
	got := b.say(t, "en-GB", "How do I redeem a gift card?")
	want := []sotto.Reply{{
		Text: "Enter the code at the checkout. If your order costs less, the rest stays on the card. If it costs more, you pay the difference another way.\n\n" +
			"Source: Gift cards — help/en/gift-cards.md#how-do-i-redeem-a-gift-card",
		Buttons: []sotto.Button{
			{Label: "I have lost my gift card", Payload: "go:en/gift-cards.md#i-have-lost-my-gift-card"},
			{Label: "Do you wrap gifts?", Payload: "go:en/gift-cards.md#do-you-wrap-gifts"},
		},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	turn := &sotto.Turn{Event: sotto.Event{Kind: sotto.EventButton, Payload: got[0].Buttons[1].Payload}, Language: "en"}
	if err := b.Turn(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
	if r := turn.Replies(); len(r) != 1 || !strings.HasPrefix(r[0].Text, "Yes, for 3 euros.") {
		t.Errorf("button: %+v", r)
	}
	turn = &sotto.Turn{Event: sotto.Event{Kind: sotto.EventButton, Payload: "go:../../etc/passwd"}, Language: "de"}
	if err := b.Turn(t.Context(), turn); err != nil || turn.Replies()[0].Text != texts("de").dontKnow {
		t.Errorf("unknown button: %v, %+v", err, turn.Replies())
	}
}

func TestSmallTalk(t *testing.T) {
	b := shop(t)
	for _, tt := range []struct{ lang, text, want string }{
		{"en", "Hi!", texts("en").greeting},
		{"en", "good morning", texts("en").greeting},
		{"de", "Guten Tag 👋", texts("de").greeting},
		{"de", "Hallo zusammen", texts("de").greeting},
		{"en", "Thank you very much!", texts("en").welcome},
		{"de", "Super, vielen Dank", texts("de").welcome},
		{"de", "Tschüss", texts("de").bye},
		{"fr", "merci", texts("en").welcome},
		{"en", "😀", texts("en").dontKnow},
		{"en", "  ", texts("en").noText},
		{"de", "Was ist der Sinn des Lebens?", texts("de").dontKnow},
	} {
		if got := b.say(t, tt.lang, tt.text); len(got) != 1 || got[0].Text != tt.want {
			t.Errorf("%s %q: got %+v", tt.lang, tt.text, got)
		}
	}
	if got := b.say(t, "en", "Hello, how long is the warranty?"); !strings.Contains(got[0].Text, "warranty.md#how-long") {
		t.Errorf("a greeting hides the question: %+v", got)
	}
}

// People write in another language than their phone speaks.
func TestOtherLanguage(t *testing.T) {
	b := shop(t)
	if got := b.say(t, "en", "Was kostet der Versand?")[0].Text; !strings.Contains(got, "Quelle: Versand") {
		t.Errorf("got %q", got)
	}
	if got := b.say(t, "de", "What does shipping cost?")[0].Text; !strings.Contains(got, "Source: Shipping") {
		t.Errorf("got %q", got)
	}
}

func TestPlaceholdersAreNoContent(t *testing.T) {
	b := shop(t)
	got := b.say(t, "en", "Where is my parcel? My number is [PHONE_1] and my mail [EMAIL_2]")[0].Text
	if !strings.Contains(got, "where-is-my-parcel") {
		t.Errorf("got %q", got)
	}
}

func TestParse(t *testing.T) {
	file := "---\ntitle: \"Test\"\nlang: de\n---\nbefore\n\n# Head *line* `x`\n\n<!-- also: one, two words -->\n\n" +
		"Para with [a link](https://x.example) and\nbreak <b>bold</b>.\n\n1. first\n2. second\n\n- a\n  - b\n\n> quote\n\n```\ncode\n```\n\n## Head *line* `x`\n\n## Über ß\nlast\n"
	b, err := New(t.Context(), Config{FS: fstest.MapFS{"x/test.md": {Data: []byte(file)}, "x/other.txt": {Data: []byte("no")}}})
	if err != nil {
		t.Fatal(err)
	}
	<-b.ready
	type flat struct {
		Title, Lang, Heading, Anchor, Text string
		Also                               []string
	}
	var got []flat
	for _, p := range b.langs["de"].passages {
		got = append(got, flat{p.doc.title, p.doc.lang, p.heading, p.anchor, p.text, p.also})
	}
	want := []flat{
		{Title: "Test", Lang: "de", Text: "before"},
		{
			Title: "Test", Lang: "de", Heading: "Head line x", Anchor: "head-line-x", Also: []string{" one", " two words"},
			Text: "Para with a link (https://x.example) and break bold.\n\n1. first\n2. second\n\n• a\n  • b\n\nquote\n\ncode",
		},
		{Title: "Test", Lang: "de", Heading: "Über ß", Anchor: "über-ß", Text: "last"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestNewRefuses(t *testing.T) {
	big := strings.Repeat("x", maxFile+1)
	for name, cfg := range map[string]Config{
		"no files":       {},
		"empty":          {FS: fstest.MapFS{"a.txt": {}}},
		"wrong language": {FS: fstest.MapFS{"a.md": {Data: []byte("---\nlang: xx\n---\n")}}},
		"wrong default":  {FS: shophelp.Files(), Language: "xx"},
		"too large":      {FS: fstest.MapFS{"a.md": {Data: []byte(big)}}},
	} {
		if _, err := New(t.Context(), cfg); sotto.KindOf(err) != sotto.KindInvalid {
			t.Errorf("%s: error %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b, err := New(ctx, Config{FS: shophelp.Files()})
	if err != nil {
		t.Fatal(err)
	}
	<-b.ready
	if err := b.Turn(t.Context(), &sotto.Turn{}); err == nil {
		t.Error("a bot without an index answers")
	}
}

func TestShorten(t *testing.T) {
	for in, want := range map[string]string{
		"short":                          "short",
		"One sentence here. And another": "One sentence here. …",
		"word word word word word word":  "word word word …",
		"ääääääääääääääääääääääääääääääää": "äääääääääääääääääää …",
	} {
		if got := shorten(in, 21); got != want || utf8.RuneCountInString(got) > 21 {
			t.Errorf("shorten(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWithin1(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"retrn", "return", true},
		{"shpiping", "shipping", true},
		{"shopping", "shipping", true},
		{"shipping", "shipping", true},
		{"hipping", "shipping", false},
		{"shippingxx", "shipping", false},
		{"größe", "grösse", false},
		{"cat", "car", false},
		{"", "", false},
	} {
		if got := within1(tt.a, tt.b); got != tt.want {
			t.Errorf("within1(%q, %q) = %t", tt.a, tt.b, got)
		}
	}
}

func FuzzTurn(f *testing.F) {
	b := shop(f)
	f.Add("en", "What does shipping cost?")
	f.Add("de", "Versandkostenerstattungsbetrag [EMAIL_1]")
	f.Add("", "\xff\xfe\x00")
	f.Fuzz(func(t *testing.T, lang, text string) {
		r := b.say(t, lang, text)
		if len(r) != 1 || r[0].Text == "" || utf8.RuneCountInString(r[0].Text) > 800 {
			t.Errorf("replies %+v", r)
		}
		for _, btn := range r[0].Buttons {
			if len(btn.Payload) > 64 || btn.Label == "" {
				t.Errorf("button %+v", btn)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("---\ntitle: x\n---\n# a\n\nb\n"))
	f.Add([]byte("<!-- also: a -->\n\n- x\n\n1) y"))
	f.Fuzz(func(t *testing.T, b []byte) {
		bot, err := New(t.Context(), Config{FS: fstest.MapFS{"a.md": {Data: b}}})
		if err != nil {
			return
		}
		<-bot.ready
		for _, c := range bot.langs {
			for _, p := range c.passages {
				if p.text == "" {
					t.Error("an empty passage")
				}
			}
		}
	})
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		<-shop(b).ready
	}
}

func BenchmarkTurn(b *testing.B) {
	bot := shop(b)
	<-bot.ready
	b.ReportAllocs()
	for b.Loop() {
		bot.say(b, "en", "How many days do I have to return an item?")
	}
}
