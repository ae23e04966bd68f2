package webchat

import (
	"strconv"
	"strings"
)

// text is what the page says in one language.
type text struct {
	Lang, Privacy, NewTab, Conversation, Messages, Welcome, Storage, Stored, NoScript, Down, Label, Send, Hint string
	You, Bot, Sending, Failed, Again, Slow, Busy, Lost, Back, Elsewhere, Forgotten, Cookie, Denied             string
	Typing, Choices, Save                                                                                      string
}

func texts() map[string]text {
	return map[string]text{
		"en": {
			Lang: "en", Privacy: "Privacy", NewTab: "(opens in a new tab)",
			Conversation: "Conversation", Messages: "Messages",
			Welcome:  "How can we help?",
			Storage:  "Nothing is stored in your browser until you send a message.",
			Stored:   "One cookie in this browser, kept for 30 days, tells your conversation from others.",
			NoScript: "This chat needs JavaScript. Please turn it on in your browser and load the page again.",
			Down:     "New messages", Label: "Your message", Send: "Send",
			Hint: "Enter sends, Shift + Enter starts a new line",
			You:  "You", Bot: "Answer", Sending: "Sending …", Failed: "Not sent.", Again: "Try again",
			Slow:      "That was a lot at once. Please wait a moment.",
			Busy:      "We are very busy right now. Please wait a moment.",
			Lost:      "The connection is lost. Trying again …",
			Back:      "Connected again.",
			Elsewhere: "The chat goes on in another window. Load this page again to continue here.",
			Forgotten: "This conversation was erased. Your browser keeps nothing of it.",
			Cookie:    "Your browser does not accept the cookie that tells your conversation from others.",
			Denied:    "The message was refused.",
			Typing:    "An answer is being written …", Choices: "Choices", Save: "Save",
		},
		"de": {
			Lang: "de", Privacy: "Datenschutz", NewTab: "(öffnet einen neuen Tab)",
			Conversation: "Unterhaltung", Messages: "Nachrichten",
			Welcome:  "Wie können wir helfen?",
			Storage:  "In Ihrem Browser wird nichts gespeichert, bis Sie eine Nachricht senden.",
			Stored:   "Ein Cookie in diesem Browser, 30 Tage lang, unterscheidet Ihre Unterhaltung von anderen.",
			NoScript: "Dieser Chat braucht JavaScript. Bitte schalten Sie es im Browser ein und laden Sie die Seite neu.",
			Down:     "Neue Nachrichten", Label: "Ihre Nachricht", Send: "Senden",
			Hint: "Eingabetaste sendet, Umschalt + Eingabetaste beginnt eine neue Zeile",
			You:  "Sie", Bot: "Antwort", Sending: "Wird gesendet …", Failed: "Nicht gesendet.", Again: "Noch einmal",
			Slow:      "Das war viel auf einmal. Bitte warten Sie einen Moment.",
			Busy:      "Gerade ist sehr viel los. Bitte warten Sie einen Moment.",
			Lost:      "Die Verbindung ist unterbrochen. Neuer Versuch …",
			Back:      "Wieder verbunden.",
			Elsewhere: "Der Chat läuft in einem anderen Fenster weiter. Laden Sie diese Seite neu, um hier fortzufahren.",
			Forgotten: "Diese Unterhaltung wurde gelöscht. Ihr Browser behält nichts davon.",
			Cookie:    "Ihr Browser nimmt das Cookie nicht an, das Ihre Unterhaltung von anderen unterscheidet.",
			Denied:    "Die Nachricht wurde abgelehnt.",
			Typing:    "Eine Antwort wird geschrieben …", Choices: "Auswahl", Save: "Speichern:",
		},
	}
}

// spoken returns the page language that an Accept-Language header prefers,
// "en" where it names none of ours.
func spoken(header string) string {
	best, weight := "en", 0.0
	for range 16 { // no browser sends more
		var part string
		part, header, _ = strings.Cut(header, ",")
		tag, q := strings.TrimSpace(part), 1.0
		if t, param, ok := strings.Cut(tag, ";"); ok {
			tag = strings.TrimSpace(t)
			if v, found := strings.CutPrefix(strings.TrimSpace(param), "q="); found {
				q, _ = strconv.ParseFloat(v, 64) // nonsense counts as never
			}
		}
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if (primary == "en" || primary == "de") && q > weight {
			best, weight = primary, q
		}
		if header == "" {
			break
		}
	}
	return best
}
