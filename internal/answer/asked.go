package answer

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// asking is one content word of a question.
type asking struct {
	weight float64
	as     []resolved // how the files write it; empty for a word they do not know
}

// resolved is a word of the files that a word of the question stands for.
type resolved struct {
	term string
	like float64 // 1 for the very word
	part float64 // of the question's word; the parts of a compound share it
}

// placeholder is masked personal data, such as [EMAIL_1].
var placeholder = regexp.MustCompile(`\[[A-Z][A-Z_]*_[0-9]+\]`) //nolint:gochecknoglobals // compiled once, never changed

const maxQuestion = 1000 // bytes that are looked at

// asked returns the content words of a question.
func (c *corpus) asked(question string) []asking {
	if len(question) > maxQuestion {
		question = strings.ToValidUTF8(question[:maxQuestion], "")
	}
	var out []asking
	seen := map[string]bool{}
	for _, t := range c.words(placeholder.ReplaceAllString(question, " ")) {
		if seen[t] || c.filler[t] {
			continue
		}
		seen[t] = true
		out = append(out, asking{weight: c.weight(t), as: c.resolve(t)})
		if n := len(out) - 1; len(out[n].as) > 0 {
			out[n].weight = 0
			for _, as := range out[n].as {
				out[n].weight = max(out[n].weight, c.weight(as.term))
			}
		}
	}
	return out
}

// resolve finds t in the files: itself, as a compound of two of their words, as
// a part of their compounds, or misspelt.
func (c *corpus) resolve(t string) []resolved {
	if c.spread[t] > 0 {
		return []resolved{{t, 1, 1}}
	}
	if utf8.RuneCountInString(t) < 5 {
		return nil
	}
	if a, b := c.split(t); a != "" {
		return []resolved{{a, similar, 0.5}, {b, similar, 0.5}}
	}
	for _, v := range c.vocab {
		if within1(t, v) {
			return []resolved{{v, similar, 1}}
		}
	}
	return nil
}

// split takes a compound apart into two words of the files, with or without
// the letters that German puts between them.
func (c *corpus) split(t string) (a, b string) {
	for i := 4; i+4 <= len(t); i++ {
		if c.spread[t[i:]] == 0 {
			continue
		}
		for _, joint := range []string{"", "s", "n", "en", "es", "e"} {
			if head, ok := strings.CutSuffix(t[:i], joint); ok && len(head) >= 4 && c.spread[head] > 0 {
				return head, t[i:]
			}
		}
	}
	return "", ""
}

// within1 reports whether b is a with one letter changed, added, left out, or
// swapped with its neighbour. The first letter is rarely wrong: it must agree.
func within1(a, b string) bool {
	if a == "" || b == "" || a[0] != b[0] || len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return false
	}
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 || len(x) < 4 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	if len(x) != len(y) {
		return string(x[i:]) == string(y[i+1:])
	}
	if i == len(x) {
		return true
	}
	if i+1 < len(x) && x[i] == y[i+1] && x[i+1] == y[i] {
		return string(x[i+2:]) == string(y[i+2:])
	}
	return string(x[i+1:]) == string(y[i+1:])
}

// fillers are words that people put around a question and that say nothing
// about it, beside the analyser's own stop words.
func fillers(lang string) string {
	switch lang {
	case "en":
		return `please tell want know like need can may get got also just really much many anything something somebody
			hello hi hey thanks thank help question ask explain say possible able want wanna would could shall let
			lets one make way still already now if dont does im ive id whats wheres hows actually maybe sure wonder
			wondering quick quickly kindly dear exactly us go going new`
	case "de":
		return `bitte sagen sag mir möchte möchten will wollen wissen gern gerne kann können könnte könnten darf dürfen
			brauche brauchen muss müssen soll sollen eigentlich mal man denn eine einen hallo hi hey danke hilfe frage
			fragen erklären möglich geht gibt es etwas irgendetwas wie was wann wo wer warum wieso welche welcher
			welches bekomme bekommen kriege bekomm haben hätte würde würden machen mache tun schon noch jetzt wenn
			ob euch ihr ihnen eure euer sie bei viel viele vielleicht genau kurz einfach liebe lieber guten tag`
	}
	return ""
}
