package answer

import (
	"strings"
	"unicode"
)

// say is what the bot says by itself in one language.
type say struct {
	source, dontKnow, greeting, welcome, bye, noText string
}

// texts returns the bot's own words in a language, nil for one it does not speak.
func texts(lang string) *say {
	switch lang {
	case "en":
		return &say{
			source:   "Source",
			dontKnow: "I don't know. I can answer from our help pages only, and found nothing there that fits.",
			greeting: "Hello! What would you like to know?",
			welcome:  "You are welcome.",
			bye:      "Goodbye!",
			noText:   "I can read text only. Please write your question.",
		}
	case "de":
		return &say{
			source:   "Quelle",
			dontKnow: "Das weiß ich nicht. Ich antworte nur aus unseren Hilfeseiten und habe dort nichts Passendes gefunden.",
			greeting: "Guten Tag! Was möchten Sie wissen?",
			welcome:  "Gern geschehen.",
			bye:      "Auf Wiedersehen!",
			noText:   "Ich kann nur Text lesen. Bitte schreiben Sie Ihre Frage.",
		}
	}
	return nil
}

// talk is what a message is that asks nothing.
type talk int

const (
	talkNone talk = iota
	talkGreeting
	talkThanks
	talkBye
)

// smallTalk sorts messages that consist of such words only, in any of our
// languages: people say "hi" and "ciao" in all of them.
func smallTalk(s string) talk {
	kind := talkNone
	for _, w := range strings.FieldsFunc(strings.ToLower(s), func(c rune) bool { return !unicode.IsLetter(c) && c != '\'' }) {
		k, known := talkWord(w)
		if !known {
			return talkNone
		}
		kind = max(kind, k)
	}
	return kind
}

// talkWord says what w is in small talk: a word of one kind, or one that stands
// beside them.
func talkWord(w string) (talk, bool) {
	switch w {
	case "hi", "hello", "hey", "hallo", "moin", "servus", "tag", "morning", "morgen", "evening", "abend", "afternoon",
		"grüezi", "grüß", "gruss", "greetings", "help", "hilfe", "start":
		return talkGreeting, true
	case "thanks", "thank", "thx", "ty", "danke", "dankeschön", "dank", "merci", "cheers":
		return talkThanks, true
	case "bye", "goodbye", "ciao", "tschüss", "tschüs", "wiedersehen", "wiederschauen", "later":
		return talkBye, true
	case "good", "guten", "gute", "schönen", "you", "there", "again", "so", "very", "much", "a", "lot", "vielen", "vielmals",
		"auf", "und", "and", "ok", "okay", "great", "super", "perfect", "perfekt", "prima", "gott", "to", "all", "zusammen",
		"see", "sehr", "your", "ihnen", "dir", "for", "für", "die", "ihre", "bot", "please", "bitte", "me", "mir", "the", "schön", "day", "have", "nice":
		return talkNone, true
	}
	return talkNone, false
}
