package wording

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestCommand(t *testing.T) {
	b := book(t)
	for _, c := range []struct {
		text string
		want Command
		lang string
	}{
		{"/privacy", CommandPrivacy, ""},
		{"/Privacy", CommandPrivacy, ""},
		{" /privacy please", CommandPrivacy, ""},
		{"/stop@MyBot", CommandStop, ""},
		{"/STOP@MyBot now", CommandStop, ""},
		{"/stop!", CommandStop, ""},
		{"／ｓｔｏｐ", CommandStop, ""},
		{"\u200e/start", CommandStart, ""},
		{"/start promo-42", CommandStart, ""},
		{"/mydata", CommandMyData, ""},
		{"/delete", CommandDelete, ""},
		{"/help\nme", CommandHelp, ""},
		{"/datenschutz", CommandPrivacy, "de"},
		{"/Datenschutz", CommandPrivacy, "de"},
		{"/loeschen", CommandDelete, "de"},
		{"/löschen", CommandDelete, "de"},
		{norm.NFD.String("/LÖSCHEN"), CommandDelete, "de"},
		{"/stopp", CommandStop, "de"},
		{"/meinedaten", CommandMyData, "de"},
		{"/hilfe", CommandHelp, "de"},

		{"STOP", CommandStop, ""},
		{"Stop.", CommandStop, ""},
		{" stop !!", CommandStop, ""},
		{"“Stop”", CommandStop, ""},
		{"¡STOP!", CommandStop, ""},
		{"ＳＴＯＰ", CommandStop, ""},
		{"st\u00adop\u200b", CommandStop, ""},
		{"🛑 STOP", CommandStop, ""},
		{"unsubscribe", CommandStop, "en"},
		{"Please  STOP", CommandStop, "en"},
		{"opt-out", CommandStop, "en"},
		{"stopp", CommandStop, ""},
		{"Abmelden!", CommandStop, "de"},
		{"aufhören", CommandStop, "de"},
		{norm.NFD.String("Aufhören"), CommandStop, "de"},
		{"arrêt", CommandStop, "fr"},
		{"ARRET", CommandStop, "fr"},
		{norm.NFD.String("ARRÊT"), CommandStop, "fr"},
		{"basta", CommandStop, ""},
		{"parar", CommandStop, ""},
		{"停止", CommandStop, ""},
		{"停止。", CommandStop, ""},
		{"退订", CommandStop, "zh"},
		{"やめて", CommandStop, "ja"},
		{norm.NFD.String("중지"), CommandStop, "ko"},
		{"СТОП", CommandStop, ""},
		{"відписатися", CommandStop, "uk"},
		{"ΣΤΑΜΑΤΉΣΤΕ", CommandStop, "el"},
		{"DURDUR", CommandStop, "tr"},
		{"ABONELİĞİ İPTAL ET", CommandStop, "tr"},
		{"توقف", CommandStop, ""},
		{"הסר", CommandStop, "he"},
		{"बंद करो", CommandStop, "hi"},
		{"หยุด", CommandStop, "th"},
		{"dừng lại", CommandStop, "vi"},
		{"berhenti", CommandStop, ""},
		{"start", CommandStart, ""},
		{"UNSTOP", CommandStart, "en"},
		{"Anmelden", CommandStart, "de"},
		{"s’abonner", CommandStart, "fr"},

		{"", "", ""},
		{"/", "", ""},
		{"//stop", "", ""},
		{"/ stop", "", ""},
		{"/@stop", "", ""},
		{"/order 12", "", ""},
		{"/stopwatch", "", ""},
		{"/" + strings.Repeat("stop", 1000), "", ""},
		{"see /stop", "", ""},
		{"privacy", "", ""},
		{"help", "", ""},
		{"stop sending me the blue one", "", ""},
		{"don't stop", "", ""},
		{"non-stop", "", ""},
		{"stop the music", "", ""},
		{"bus stop", "", ""},
		{"stops", "", ""},
		{"s t o p", "", ""},
		{"stop stop", "", ""},
		{"stop 2", "", ""},
		{"nicht aufhören", "", ""},
		{"!!!", "", ""},
		{"cancel", "", ""},
		{"\xff\xfe", "", ""},
		{strings.Repeat(" ", 10000) + "stop" + strings.Repeat("!", 10000), CommandStop, ""},
		{strings.Repeat("a", 10000), "", ""},
		{strings.Repeat("я", 120), "", ""},
	} {
		cmd, lang, ok := b.Command(c.text)
		if cmd != c.want || lang != c.lang || ok != (c.want != "") {
			t.Errorf("Command(%.40q) = %q %q %v, want %q %q", c.text, cmd, lang, ok, c.want, c.lang)
		}
	}
}

// TestWordsInManyLanguages holds the promise that a stop works in at least
// twenty languages.
func TestWordsInManyLanguages(t *testing.T) {
	b := book(t)
	langs := map[string]bool{}
	for _, w := range b.words {
		if w.command == CommandStop && w.lang != "" {
			langs[w.lang] = true
		}
	}
	if len(langs) < 20 {
		t.Errorf("%d languages have a stop word of their own, want 20", len(langs))
	}
}

func TestPayload(t *testing.T) {
	b := book(t)
	for p, want := range map[string]Command{
		PayloadPrivacy: CommandPrivacy, PayloadMyData: CommandMyData, PayloadDelete: CommandDelete,
		PayloadDeleteYes: CommandDeleteYes, PayloadDeleteNo: CommandDeleteNo, PayloadStop: CommandStop,
		PayloadStart: CommandStart, PayloadHelp: CommandHelp, "sotto:hug": "", "": "", "SOTTO:STOP": "",
	} {
		got, ok := b.Payload(p)
		if got != want || ok != (want != "") {
			t.Errorf("Payload(%q) = %q %v, want %q", p, got, ok, want)
		}
		if want != "" && (!strings.HasPrefix(p, PayloadPrefix) || len(p) > 64) {
			t.Errorf("%q lacks the prefix or is longer than a button's payload", p)
		}
	}
}

// FuzzCommand: what counts as a stop still counts when it is shouted, quoted or
// decomposed; and a word with anything in front of it is none.
func FuzzCommand(f *testing.F) {
	b := book(f)
	for _, s := range []string{"STOP", "/stop@x", "arrêt", "İptal", "\xff", "／ｓ", "stop\u0301", "ǰ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cmd, _, ok := b.Command(s)
		if ok != (cmd != "") {
			t.Fatalf("%q: command %q, ok %v", s, cmd, ok)
		}
		if !ok || len(s) > 64 {
			return
		}
		if again, _, _ := b.Command(norm.NFC.String(s)); again != cmd {
			t.Errorf("%q is %s, composed it is %q", s, cmd, again)
		}
		if again, _, _ := b.Command(" " + s + " "); again != cmd {
			t.Errorf("%q is %s, with spaces it is %q", s, cmd, again)
		}
		if _, _, ok := b.Command("do not " + s); ok {
			t.Errorf("%q counts with words before it", s)
		}
	})
}

func BenchmarkCommand(b *testing.B) {
	bk := book(b)
	for name, s := range map[string]string{
		"long":  strings.Repeat("please send me the blue one and not the red ", 10),
		"ascii": "please send me the blue one, not the red one, and tell me when it will be here. thank you!!",
		"utf8":  "пожалуйста, пришлите мне синий, а не красный, спасибо",
		"stop":  "STOP",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bk.Command(s)
			}
		})
	}
}
