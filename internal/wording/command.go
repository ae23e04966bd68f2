package wording

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Command is something a person tells Sotto itself. The zero value is none.
type Command string

// The commands. A person writes the first six as "/privacy" and so on, or
// presses a button; the last two are answers to a question and come from
// buttons only.
const (
	CommandPrivacy   Command = "privacy"    // what is kept, and why
	CommandMyData    Command = "mydata"     // a copy of it
	CommandDelete    Command = "delete"     // erase it: asks back first
	CommandStop      Command = "stop"       // no more messages
	CommandStart     Command = "start"      // messages again
	CommandHelp      Command = "help"       // the list of these
	CommandDeleteYes Command = "delete_yes" // erase it, confirmed
	CommandDeleteNo  Command = "delete_no"  // do not erase it
)

// spoken are the commands that can be written.
func spoken() []Command {
	return []Command{CommandPrivacy, CommandMyData, CommandDelete, CommandStop, CommandStart, CommandHelp}
}

// Payloads of the buttons that Sotto itself offers. Everything that begins with
// [PayloadPrefix] is Sotto's own and never reaches a bot.
const (
	PayloadPrefix    = "sotto:"
	PayloadPrivacy   = "sotto:privacy"
	PayloadMyData    = "sotto:mydata"
	PayloadDelete    = "sotto:delete"
	PayloadDeleteYes = "sotto:delete:yes"
	PayloadDeleteNo  = "sotto:delete:no"
	PayloadStop      = "sotto:stop"
	PayloadStart     = "sotto:start"
	PayloadHelp      = "sotto:help"
)

// Payload returns the command of one of Sotto's own buttons.
func (b *Book) Payload(p string) (Command, bool) {
	switch p {
	case PayloadPrivacy:
		return CommandPrivacy, true
	case PayloadMyData:
		return CommandMyData, true
	case PayloadDelete:
		return CommandDelete, true
	case PayloadDeleteYes:
		return CommandDeleteYes, true
	case PayloadDeleteNo:
		return CommandDeleteNo, true
	case PayloadStop:
		return CommandStop, true
	case PayloadStart:
		return CommandStart, true
	case PayloadHelp:
		return CommandHelp, true
	}
	return "", false
}

// Limits on what is looked at, in bytes. The longest word is far below; a
// message may spend more bytes on the same word, in decomposed letters or in
// punctuation around it.
const (
	maxFolded  = 96
	maxMessage = 256
	maxCommand = 64
)

// Command recognises a message that is for Sotto and not for the bot.
//
// A slash command counts at the start of a message, with or without a bot's
// name behind it ("/stop@MyBot", as Telegram sends it in groups) and whatever
// follows it. A stop or start word counts only as the whole message; case,
// Unicode form, punctuation and symbols around it do not matter. A start word
// is an everyday word ("start"): it means something only after a stop.
//
// lang is the language that the word belongs to, and "" where several share it.
func (b *Book) Command(text string) (cmd Command, lang string, ok bool) {
	text = strings.TrimLeftFunc(text, isOuter)
	if rest, is := slash(text); is {
		return b.slashed(rest)
	}
	text = trim(text)
	if text == "" || len(text) > maxMessage {
		return "", "", false
	}
	var buf [maxMessage]byte
	key := fold(buf[:0], text, b.longest)
	if len(key) > b.longest {
		return "", "", false
	}
	w, ok := b.words[string(key)]
	return w.command, w.lang, ok
}

// slash cuts the slash off a command, the full-width one of East Asian
// keyboards included.
func slash(s string) (string, bool) {
	if rest, ok := strings.CutPrefix(s, "/"); ok {
		return rest, true
	}
	return strings.CutPrefix(s, "／")
}

func (b *Book) slashed(s string) (Command, string, bool) {
	if len(s) > maxMessage {
		s = s[:maxMessage] // only the first word counts
	}
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		s = s[:i]
	}
	s, _, _ = strings.Cut(s, "@")
	s = strings.TrimRightFunc(s, isEnd)
	if s == "" || len(s) > maxCommand {
		return "", "", false
	}
	var buf [maxMessage]byte
	w, ok := b.commands[string(fold(buf[:0], s, maxCommand))]
	return w.command, w.lang, ok
}

// trim takes off what is neither a letter nor a number nor, at the end, a mark
// that belongs to the last letter.
func trim(s string) string {
	return strings.TrimRightFunc(strings.TrimLeftFunc(s, isEnd), isEnd)
}

// isOuter is what may stand before a slash command.
func isOuter(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }

func isEnd(r rune) bool {
	if r < utf8.RuneSelf {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && (!unicode.IsMark(r) || unicode.Is(unicode.Variation_Selector, r))
}

// fold appends the form in which words are compared: compatibility composed
// (NFKC, so that full-width letters are letters), without case and invisible
// characters, white space as single spaces. It ends early where the result is
// longer than limit, because then it is no word.
func fold(dst []byte, s string, limit int) []byte {
	if !isASCII(s) && !norm.NFKC.IsNormalString(s) {
		s = norm.NFKC.String(s)
	}
	space := false
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf && r > ' ' && r != 0x7f:
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
		case unicode.IsSpace(r):
			space = true
			continue
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
			continue
		case r == '’':
			r = '\''
		default:
			// Upper first: it joins what lower alone keeps apart, such as the
			// two small sigmas, and the Turkish letters i.
			r = unicode.ToLower(unicode.ToUpper(r))
		}
		if space && len(dst) > 0 {
			dst = append(dst, ' ')
		}
		space = false
		if dst = utf8.AppendRune(dst, r); len(dst) > limit {
			return dst
		}
	}
	return dst
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
