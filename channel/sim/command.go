package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// command is one line of a chat or script, understood.
type command struct {
	name string // "say" for a plain line
	args string // the rest of the line
}

// verb says how many words a command takes at least and at most.
type verb struct{ least, most int }

const many = 1 << 20 // words

// verbs are the commands. A line that begins with "/" and one of them, but has
// too few or too many words, is said to the bot: so "/delete" reaches a bot
// that knows it, and "/delete 17" deletes message 17.
func verbs() map[string]verb {
	return map[string]verb{
		"say": {1, many}, "button": {1, many}, "reply": {2, many}, "edit": {2, many}, "delete": {1, 1},
		"react": {0, 2}, "receipt": {0, 1}, "echo": {1, many}, "migrate": {1, 1}, "file": {1, many},
		"join": {0, 0}, "leave": {0, 0}, "block": {0, 0}, "unblock": {0, 0}, "optin": {0, 0}, "optout": {0, 0},
		"user": {1, 1}, "group": {0, many}, "mention": {1, many},
		"fail": {1, many}, "hang": {1, many}, "cut": {0, many}, "duplicate": {0, 2}, "reorder": {0, 0}, "forge": {0, 0},
		"heal": {0, 0}, "again": {0, 0}, "connect": {0, 0}, "wait": {1, 1}, "timeout": {1, 1},
		"expect": {1, many}, "never": {1, many}, "quiet": {0, 1}, "help": {0, 0}, "quit": {0, 0},
	}
}

// parse understands a line. In a script a command may stand without its slash.
// ok is false for an empty line and a comment.
func parse(text string, script bool) (c command, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" || script && strings.HasPrefix(text, "#") {
		return c, false
	}
	if rest, is := strings.CutPrefix(text, "//"); is {
		return command{"say", "/" + rest}, true
	}
	word, args, _ := strings.Cut(text, " ")
	args = strings.TrimSpace(args)
	name, slash := strings.CutPrefix(word, "/")
	if slash || script {
		v, known := verbs()[name]
		n := len(strings.Fields(args))
		if known && n >= v.least && n <= v.most {
			return command{name, args}, true
		}
		if known && !slash && n < v.least {
			return command{name, args}, true // its own complaint follows
		}
	}
	return command{"say", text}, true
}

// next cuts the first word off.
func next(args string) (word, rest string) {
	word, rest, _ = strings.Cut(args, " ")
	return word, strings.TrimSpace(rest)
}

// readFault reads "429 [N times] [after 3s] [any]".
func readFault(args string) (Fault, error) {
	word, rest := next(args)
	status, err := strconv.Atoi(word)
	if err != nil || status < 400 || status > 599 {
		return Fault{}, errors.New("want a status of HTTP from 400 to 599, such as fail 429 after 3s")
	}
	f := Fault{Status: status}
	return f, f.options(rest)
}

// options reads what the commands of misbehaviour have in common.
func (f *Fault) options(rest string) error {
	words := strings.Fields(rest)
	for i := 0; i < len(words); i++ {
		more := i+1 < len(words)
		switch w := words[i]; {
		case w == "any":
			f.Any = true
		case w == "once":
			f.Times = 1
		case w == "lost" && f.Cut:
			f.Lost = true
		case w == "after" && more && f.Status != 0:
			d, err := time.ParseDuration(words[i+1])
			if err != nil || d < 0 {
				return fmt.Errorf("%q is no time, such as 3s", words[i+1])
			}
			f.After = d
			i++
		default:
			n, err := strconv.Atoi(strings.TrimSuffix(w, "x"))
			if err != nil || n < 1 {
				return fmt.Errorf("%q is not understood here", w)
			}
			f.Times = n
			if more && (words[i+1] == "times" || words[i+1] == "time") {
				i++
			}
		}
	}
	return nil
}

// Help says what can be typed.
const Help = `A plain line is said to the bot. So is any /word that is not one of these:

  /button LABEL          press a button; its label or its payload
  /reply ID TEXT         answer a message        /edit ID TEXT    change one of yours
  /delete ID             delete one of yours     /react [ID] [EMOJI]
  /file PATH [CAPTION]   send a file             /receipt [ID]    it was read
  /user ID               be somebody else        /group [NAME]    in a group; without a name: alone again
  /mention TEXT          say it to the bot in a group
  /block  /unblock  /join  /leave  /optin  /optout  /echo TEXT  /migrate NEWID
ID is a number that stands behind # or "last": yours to edit and delete, the bot's to react and reply.

The network misbehaves on request:
  /fail 429 [N times] [after 3s]   the next messages of the bot are refused; also /fail 500
  /hang 2s [N times]               ... are answered late
  /cut [lost]                      the connection breaks when the next one was taken (lost: before that)
  /duplicate [N]                   the next webhook comes twice, in the same bytes
  /reorder                         the next webhook comes after the one behind it
  /forge                           the next webhook's proof is wrong
  /again                           the last webhook once more     /heal   all well again

  /connect   ask what the network asks when a webhook is set
  /wait 2s   /help   /quit         //word says /word to the bot
`

// isLast reports whether an argument means the newest message.
func isLast(id string) bool { return slices.Contains([]string{"last", "#last"}, id) }
