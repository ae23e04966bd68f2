package answer

import (
	"regexp"
	"strings"
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
}

// placeholder is masked personal data, such as [EMAIL_1].
var placeholder = regexp.MustCompile(`\[[A-Z][A-Z_]*_[0-9]+\]`)

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
		a := asking{weight: c.weight(t), as: c.resolve(t)}
		if len(a.as) > 0 && a.as[0].like == similar {
			a.weight = c.weight(a.as[0].term)
		}
		out = append(out, a)
	}
	return out
}

// resolve finds t in the files: itself, in another form, misspelt, or by a part
// of the compound that it is.
func (c *corpus) resolve(t string) []resolved {
	var out []resolved
	known := c.spread[t] > 0
	if known {
		out = append(out, resolved{t, 1})
	}
	if len(t) < 5 {
		return out
	}
	if !known {
		for _, v := range c.vocab {
			if sameRoot(t, v) || within1(t, v) {
				out = append(out, resolved{v, similar})
			}
		}
	}
	return append(out, c.parts(t)...)
}

// parts finds the longest words of the files that the compound t begins and
// ends with: German writes "Kreditkarte" in one word.
func (c *corpus) parts(t string) []resolved {
	if !c.compounds {
		return nil
	}
	var out []resolved
	for i := 3; i+4 <= len(t); i++ {
		if c.spread[t[i:]] > 0 {
			out = append(out, resolved{t[i:], partly})
			break
		}
	}
	for i := len(t) - 3; i >= 5; i-- {
		if c.spread[t[:i]] > 0 {
			out = append(out, resolved{t[:i], partly})
			break
		}
	}
	return out
}

// sameRoot reports whether two stems differ at their ends only, as forms of one
// verb do: the stemmers know nouns better.
func sameRoot(a, b string) bool {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	ends := max(len(a), len(b)) - n
	return n >= 5 && ends <= 2 || n >= 6 && ends <= 3
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

// fillers are words that people put around a question and that say little about
// it, beside the analyser's own stop words: politeness, auxiliary and light
// verbs, vague nouns, and adverbs.
func fillers(lang string) string {
	switch lang {
	case "en":
		return `please tell want wants know like need needs can may might must get gets got getting give gave given also
			just really much many anything something somebody someone nothing thing things stuff hello hi hey thanks thank
			help question questions ask asked explain say said possible able want wanna would could shall should let lets
			one make made way still already yet now then soon today if dont does did im ive id whats wheres hows actually
			maybe perhaps sure wonder wondering quick quickly kindly dear exactly us go goes going gone new take takes took
			use using used see look looking find found myself yourself website site page online bought buying remember
			happen happens happened kind sort lot bit ever even again option options want come comes came put`
	case "de":
		return `bitte sagen sag sagt mir möchte möchten will wollen wollte wissen weiß gern gerne kann können könnte könnten
			konnte darf dürfen brauche brauchen braucht muss müssen soll sollen sollte eigentlich mal man denn eine einen
			hallo hi hey danke hilfe helfen frage fragen erklären möglich möglichkeit möglichkeiten geht gehen gibt gebt geben
			gebe gab es etwas irgendetwas irgendwann irgendwo irgendwie immer angegeben wie was wann wo wer warum wieso welche welcher
			welches bekomme bekommen bekommt kriege kriegen bekomm habe haben habt hat hast hatte hätte wird werde werden
			wurde wurden worden würde würden mache machen macht tun tut schon noch jetzt nun dann wenn ob euch ihr ihnen
			eure euer sie bei viel viele vielleicht genau kurz einfach liebe lieber guten tag mehr hoch seite website
			internetseite benutze benutzen benutzt befindet befinden lautet heißt kam kommen komme gekauft nehmen nimmt
			sehen finden finde gefunden zeit auch da lassen lasse stehen steht`
	}
	return ""
}
