package wording

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func book(tb testing.TB) *Book {
	tb.Helper()
	b, err := Load()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestLanguages(t *testing.T) {
	b := book(t)
	if diff := cmp.Diff([]string{"de", "en"}, b.Languages()); diff != "" {
		t.Error(diff)
	}
	b.Languages()[0] = "xx"
	if b.Languages()[0] != "de" {
		t.Error("a caller changed the book")
	}
	if got := b.Name("de-AT"); got != "Deutsch" {
		t.Errorf("name of de-AT: %q", got)
	}
	if got := b.Name("tlh"); got != "tlh" {
		t.Errorf("name of an unknown language: %q", got)
	}
}

func TestMatch(t *testing.T) {
	b := book(t)
	for _, c := range []struct {
		tags []string
		want string
	}{
		{nil, "en"},
		{[]string{""}, "en"},
		{[]string{"de"}, "de"},
		{[]string{"de-AT"}, "de"},
		{[]string{"DE_at"}, "de"},
		{[]string{"de-Latn-DE-1996"}, "de"},
		{[]string{"den"}, "en"}, // Slave, not German
		{[]string{"tlh", "de-CH", "en"}, "de"},
		{[]string{"fr-FR, de;q=0.8, en;q=0.5"}, "de"},
		{[]string{"*"}, "en"},
		{[]string{"-"}, "en"},
		{[]string{"de-" + strings.Repeat("a-", 1000)}, "en"},
		{[]string{strings.Repeat("a,", 1000) + "de"}, "de"},
	} {
		if got := b.Match(c.tags...); got != c.want {
			t.Errorf("Match(%.40q) = %q, want %q", c.tags, got, c.want)
		}
	}
}

func TestText(t *testing.T) {
	b := book(t)
	if got := b.Text("de-AT", "button.stop"); got != "Stopp" {
		t.Errorf("de-AT: %q", got)
	}
	if got := b.Text("tlh", "button.stop"); got != "Stop" {
		t.Errorf("an unknown language: %q", got)
	}
	if got := b.Text("en", "no.such"); got != "[no.such]" {
		t.Errorf("an unknown key: %q", got)
	}
	if _, ok := b.Lookup("en", "no.such"); ok {
		t.Error("Lookup finds an unknown key")
	}
	got := b.Text("en", "list.and", "first", "{last}", "last", "b")
	if got != "{last} and b" {
		t.Errorf("a value was read as a placeholder: %q", got)
	}
	if got := b.Text("en", "list.and", "first", "a"); got != "a and {last}" {
		t.Errorf("a missing argument: %q", got)
	}
	if got := b.Text("en", "list.and", "first"); got != "{first} and {last}" {
		t.Errorf("a name without a value: %q", got)
	}
	with := b.Text("en", "notice", "controller", "A", "purposes", "p", "days", "d", "link", "https://a.example")
	without := b.Text("en", "notice", "controller", "A", "purposes", "p", "days", "d", "link", "")
	if !strings.Contains(with, "\nDetails: https://a.example\n") || strings.Contains(without, "Details") {
		t.Errorf("an empty value does not drop its line:\n%s", without)
	}
}

func TestZeroBook(t *testing.T) {
	var b Book
	if got := b.Text("en", "help"); got != "[help]" {
		t.Errorf("Text: %q", got)
	}
	if b.Keys() != nil || b.Match("de") != Fallback {
		t.Error("the zero book knows something")
	}
	if _, _, ok := b.Command("stop"); ok {
		t.Error("the zero book recognises a word")
	}
	if _, _, ok := b.Command("/stop"); ok {
		t.Error("the zero book recognises a command")
	}
}

// TestNeededKeys names the texts that other packages ask for by a literal.
func TestNeededKeys(t *testing.T) {
	b := book(t)
	have := b.Keys()
	for key := range strings.FieldsSeq(`
		notice notice_changed notice_member privacy_head privacy_purpose privacy_foot help stop_done start_done already_stopped
		mydata_caption mydata_link mydata_group mydata_empty delete_ask delete_done delete_kept error_turn busy too_long unsupported
		button.privacy button.mydata button.delete button.delete_yes button.delete_no button.stop button.start
		purpose.reply purpose.personalise purpose.analytics purpose.train purpose.marketing purpose.support
		purpose.security purpose.legal basis.consent basis.contract basis.legal_obligation basis.vital_interest
		basis.public_interest basis.legitimate_interest category.message category.contact category.identifier
		status.title status.received status.review status.erased status.nothing status.refused status.unknown
		status.rows_gone status.rows_left status.contact status.code status.asked status.done status.reason status.receipt
		status.keys status.entry status.proof file.title file.ready file.button file.gone
		category.location category.financial category.health`) {
		found := false
		for _, k := range have {
			found = found || k == key
		}
		if !found {
			t.Errorf("there is no text %s", key)
		}
	}
}

func TestTextsAreClean(t *testing.T) {
	b := book(t)
	for _, lang := range b.Languages() {
		for _, key := range b.Keys() {
			s := b.Text(lang, key)
			if s != strings.TrimSpace(s) || strings.Contains(s, "  ") || !utf8.ValidString(s) {
				t.Errorf("%s %s: stray white space or bytes in %q", lang, key, s)
			}
		}
	}
}

// base is a smallest correct set of files.
func base() fstest.MapFS {
	return fstest.MapFS{
		"texts/en.yaml": file1(`tag: en
name: English
commands: {privacy: [privacy], mydata: [mydata], delete: [delete], stop: [stop], start: [start], help: [help]}
stop: [stop]
start: [start]
texts: {a: "x {y}", button.b: ok}
`),
		"texts/de.yaml": file1(`tag: de
name: Deutsch
rtl: true
stop: [halt]
texts: {a: "{y} z", button.b: gut}
`),
		"texts/words.yaml": file1("fr: {stop: [stop], start: [go]}\n"),
	}
}

func file1(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func TestLoadRefuses(t *testing.T) {
	b, err := load(base())
	if err != nil {
		t.Fatalf("the smallest book: %v", err)
	}
	if !b.RTL("de-AT") || b.RTL("en") || b.RTL("tlh") {
		t.Error("the direction of writing is lost")
	}
	for name, c := range map[string]struct{ file, body, want string }{
		"a missing text":        {"de", "tag: de\nname: D\ntexts: {button.b: gut}", "de.yaml: texts: a is missing"},
		"a text too many":       {"de", "tag: de\nname: D\ntexts: {a: '{y}', button.b: gut, c: d}", "c is not in en.yaml"},
		"an empty text":         {"de", "tag: de\nname: D\ntexts: {a: '{y}', button.b: ' '}", "button.b is empty"},
		"other placeholders":    {"de", "tag: de\nname: D\ntexts: {a: '{z}', button.b: gut}", "a has the placeholders [z]"},
		"an open brace":         {"de", "tag: de\nname: D\ntexts: {a: '{y', button.b: gut}", "a { without"},
		"an odd name":           {"de", "tag: de\nname: D\ntexts: {a: '{Y}', button.b: gut}", "a { without"},
		"a long label":          {"de", "tag: de\nname: D\ntexts: {a: '{y}', button.b: überüberüberüberüberü}", "longer than 20"},
		"another tag":           {"de", "tag: at\nname: D\ntexts: {a: '{y}', button.b: gut}", `tag is "at"`},
		"no name":               {"de", "tag: de\ntexts: {a: '{y}', button.b: gut}", "name is missing"},
		"an unknown key":        {"de", "tag: de\nnam: D", "field nam not found"},
		"no YAML":               {"de", "\t", "de.yaml"},
		"an unknown command":    {"de", "tag: de\nname: D\ncommands: {hug: [a]}\ntexts: {a: '{y}', button.b: gut}", `no command "hug"`},
		"an empty word":         {"de", "tag: de\nname: D\nstop: ['!']\ntexts: {a: '{y}', button.b: gut}", "an empty word"},
		"a long word":           {"de", "tag: de\nname: D\nstop: [" + strings.Repeat("a", 97) + "]\ntexts: {a: '{y}', button.b: gut}", "longer than 96"},
		"a word with two ends":  {"de", "tag: de\nname: D\nstart: [Stop]\ntexts: {a: '{y}', button.b: gut}", `"stop" means start and stop`},
		"words of a known file": {"words", "de: {stop: [x]}", "de has a file of its own"},
		"a missing command":     {"en", "tag: en\nname: E\ntexts: {a: '{y}', button.b: gut}", "/privacy is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := base()
			fsys["texts/"+c.file+".yaml"] = file1(c.body)
			_, err := load(fsys)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
	t.Run("no English", func(t *testing.T) {
		fsys := base()
		delete(fsys, "texts/en.yaml")
		if _, err := load(fsys); err == nil || !strings.Contains(err.Error(), "en.yaml: is missing") {
			t.Error(err)
		}
	})
	t.Run("a folder", func(t *testing.T) {
		fsys := base()
		fsys["texts/it.yaml/x"] = file1("")
		if _, err := load(fsys); err == nil || !strings.Contains(err.Error(), "it.yaml") {
			t.Error(err)
		}
	})
}

func BenchmarkText(b *testing.B) {
	bk := book(b)
	b.ReportAllocs()
	for b.Loop() {
		bk.Text("de-AT", "stop_done")
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		book(b)
	}
}
