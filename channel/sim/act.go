package sim

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// act has the person do something.
func (st *stage) act(ctx context.Context, c command) error {
	a, err := st.read(c)
	if err != nil {
		return err
	}
	if a.User = st.user; a.User == "" {
		a.User = st.s.user
	}
	a.Group = st.group
	if st.told {
		st.s.say("%s: %s", st.who(), told(c, a))
	}
	d, err := st.s.Do(ctx, a)
	if errors.Is(err, play.ErrNoSuch) && a.Kind == sotto.EventButton && a.ID != "" {
		a = play.Act{Kind: sotto.EventMessage, User: a.User, Group: a.Group, Text: a.Text} // it says its label there
		d, err = st.s.Do(ctx, a)
	}
	if err == nil && d.ID != "" && a.Kind == sotto.EventMessage {
		st.mine = d.ID
	}
	return st.came(d, err)
}

func (st *stage) who() string {
	who := st.user
	if who == "" {
		who = st.s.user
	}
	if who == "" {
		who = "you"
	}
	if st.group != "" {
		who += " in " + st.group
	}
	return who
}

// told is what somebody does, in words.
func told(c command, a play.Act) string {
	switch {
	case a.File != nil:
		return strings.TrimSpace(fmt.Sprintf("{%s, %d bytes} %s", a.File.Name, len(a.File.Data), a.Text))
	case c.name == "say", c.name == "mention":
		return a.Text
	case c.name == "button":
		return "(presses [" + a.Text + "])"
	}
	return strings.TrimSpace("(" + c.name + ") " + c.args)
}

// came notes what became of a webhook.
func (st *stage) came(d Delivery, err error) error {
	if errors.Is(err, play.ErrNoSuch) {
		st.status, st.pending = 0, fmt.Errorf("%s knows nothing of the kind", st.s.player.Channel())
		return nil
	}
	if err != nil {
		return err
	}
	st.status, st.pending = d.Status, nil
	switch {
	case d.Held:
		st.s.say("  . held back until the next one was delivered")
	case d.Status/100 != 2:
		st.pending = fmt.Errorf("the bot answered the webhook with %d", d.Status)
	case d.Refused != nil:
		st.pending = fmt.Errorf("the network does not take the bot's answer: %w", d.Refused)
	case d.ID != "":
		st.s.say("  . #%s", d.ID)
	}
	return nil
}

// read makes an act of a command.
func (st *stage) read(c command) (play.Act, error) {
	switch c.name {
	case "say":
		return play.Act{Kind: sotto.EventMessage, Text: unescape(c.args)}, nil
	case "mention":
		return play.Act{Kind: sotto.EventMessage, Text: unescape(c.args), Addressed: true}, nil
	case "echo":
		return play.Act{Kind: sotto.EventEcho, Text: c.args}, nil
	case "button":
		return st.press(c.args), nil
	case "file":
		return readFile(c.args)
	case "migrate":
		return play.Act{Kind: sotto.EventMigrate, Payload: c.args}, nil
	case "react":
		return st.react(c.args)
	case "reply", "edit", "delete", "receipt":
		return st.about(c)
	}
	kinds := map[string]sotto.EventKind{
		"join": sotto.EventJoin, "leave": sotto.EventLeave, "block": sotto.EventBlock, "unblock": sotto.EventUnblock,
		"optin": sotto.EventOptIn, "optout": sotto.EventOptOut,
	}
	return play.Act{Kind: kinds[c.name], Text: c.args}, nil
}

// about makes an act of a command that names a message.
func (st *stage) about(c command) (play.Act, error) {
	id, text := next(c.args)
	id = strings.TrimPrefix(id, "#")
	text = unescape(text)
	kind, theirs := sotto.EventMessage, true
	switch c.name {
	case "edit":
		kind, theirs = sotto.EventEdit, false
	case "delete":
		kind, theirs = sotto.EventDelete, false
	case "receipt":
		kind = sotto.EventReceipt
	}
	if id == "" || isLast(id) {
		if id = st.mine; theirs {
			id = st.theirs()
		}
		if id == "" {
			return play.Act{}, errors.New("there is no message yet that this could be about")
		}
	}
	if c.name == "reply" {
		return play.Act{Kind: kind, ReplyTo: id, Text: text, Addressed: st.group != ""}, nil
	}
	return play.Act{Kind: kind, ID: id, Text: text}, nil
}

// react reads "[ID] [EMOJI]".
func (st *stage) react(args string) (play.Act, error) {
	words := strings.Fields(args)
	a := play.Act{Kind: sotto.EventReaction, Text: "👍"}
	switch len(words) {
	case 0:
	case 1:
		if isLast(words[0]) || strings.HasPrefix(words[0], "#") {
			a.ID = words[0]
		} else {
			a.Text = words[0]
		}
	default:
		a.ID, a.Text = words[0], words[1]
	}
	a.ID = strings.TrimPrefix(a.ID, "#")
	if a.ID == "" || isLast(a.ID) {
		a.ID = st.theirs()
	}
	if a.ID == "" {
		return a, errors.New("there is no message yet to react to")
	}
	return a, nil
}

// press finds the button in what the bot has said.
func (st *stage) press(what string) play.Act {
	a := play.Act{Kind: sotto.EventButton, Text: what, Payload: what}
	x := st.newest(func(x play.Shown) bool {
		for _, b := range x.Buttons {
			if b.Label == what || b.Payload == what {
				a.Text, a.Payload = b.Label, b.Payload
				return true
			}
		}
		return false
	})
	if a.ID = x.ID; a.Payload == "" {
		a.Payload = a.Text
	}
	return a
}

// theirs is the id of the bot's last message or, where it said nothing, of one's
// own.
func (st *stage) theirs() string {
	if x := st.newest(func(play.Shown) bool { return true }); x.ID != "" {
		return x.ID
	}
	return st.mine
}

// newest is the last message of the bot that is meant.
func (st *stage) newest(meant func(play.Shown) bool) play.Shown {
	for _, x := range slices.Backward(st.s.Shown()) {
		if (x.Kind == "message" || x.Kind == "edit") && x.ID != "" && meant(x) {
			return x
		}
	}
	return play.Shown{}
}

func readFile(args string) (play.Act, error) {
	at, caption := next(args)
	data, err := os.ReadFile(at) //nolint:gosec // whoever types it owns it
	if err != nil {
		return play.Act{}, fmt.Errorf("the file: %w", err)
	}
	f := &channel.File{Name: filepath.Base(at), MIME: mime.TypeByExtension(filepath.Ext(at)), Data: data}
	if f.MIME == "" {
		f.MIME = "application/octet-stream"
	}
	return play.Act{Kind: sotto.EventMessage, Text: caption, File: f}, nil
}

// unescape turns \n into a line's end.
func unescape(s string) string { return strings.ReplaceAll(s, `\n`, "\n") }
