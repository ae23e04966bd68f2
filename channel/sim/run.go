package sim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// stage is who acts where, while lines are carried out.
type stage struct {
	s       *Sim
	user    string // "" = the first
	group   string
	mine    string // the id of the last message that was said
	used    []bool // what people saw that an expect has taken
	timeout time.Duration
	told    bool // print what is done; a terminal shows it already
	checks  int
	pending error // the last webhook was not taken; the next line may expect that
	status  int   // of the last webhook
}

// defaultTimeout is how long an expect waits.
const defaultTimeout = 10 * time.Second

var errQuit = errors.New("quit")

// Chat carries out the lines of in, one by one, and says what is wrong with
// them, until in or ctx ends or a line says /quit. Where in ends it waits until
// the bot has said nothing for a second. [Help] says what can be typed.
func (s *Sim) Chat(ctx context.Context, in io.Reader) error {
	st := &stage{s: s, timeout: defaultTimeout}
	lines, fault := readLines(ctx, in)
	for {
		select {
		case <-ctx.Done():
			return nil
		case text, more := <-lines:
			if !more {
				st.linger(ctx)
				return <-fault
			}
			c, ok := parse(text, false)
			if !ok {
				continue
			}
			err := st.do(ctx, c)
			if errors.Is(err, errQuit) {
				return nil
			}
			if err == nil {
				err, st.pending = st.pending, nil
			}
			if err != nil {
				s.say("  ! %v", err)
			}
		}
	}
}

// linger waits, where the lines have ended, for what the bot still says.
func (st *stage) linger(ctx context.Context) {
	for n := -1; n != len(st.s.Shown()); {
		n = len(st.s.Shown())
		if sleep(ctx, time.Second) != nil {
			return
		}
	}
}

// readLines reads in the background: a terminal does not end with a context.
func readLines(ctx context.Context, in io.Reader) (<-chan string, <-chan error) {
	lines, fault := make(chan string), make(chan error, 1)
	go func() {
		defer close(lines)
		sc := bufio.NewScanner(in)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			select {
			case lines <- sc.Text():
			case <-ctx.Done():
				fault <- nil
				return
			}
		}
		fault <- sc.Err()
	}()
	return lines, fault
}

// Script carries out the lines of in. It ends with the first that cannot be
// read or that expects in vain; an event that the network does not know and a
// webhook that the bot refuses where that was not expected fail the script as
// well, but the lines after them are carried out. The error names the line of the first failure. checks is how many
// expectations came true.
func (s *Sim) Script(ctx context.Context, name string, in io.Reader) (checks int, err error) {
	st := &stage{s: s, timeout: defaultTimeout, told: true}
	var first error // failure
	fail := func(line int, err error) {
		if first == nil && err != nil {
			first = sotto.E("sim.script", sotto.KindInvalid, fmt.Errorf("%s:%d: %w", name, line, err))
		}
	}
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 1<<20)
	n, at := 0, 0
	for sc.Scan() {
		n++
		c, ok := parse(sc.Text(), true)
		if !ok {
			continue
		}
		if st.pending != nil && (c.name != "expect" || !strings.HasPrefix(c.args, "status ")) {
			s.say("  ! %v", st.pending)
			fail(at, st.pending)
			st.pending = nil
		}
		at = n
		err := st.do(ctx, c)
		if errors.Is(err, errQuit) {
			break
		}
		if err != nil {
			fail(n, err)
			return st.checks, first
		}
	}
	fail(at, st.pending)
	fail(n+1, sc.Err())
	fail(n, s.Flush(ctx))
	return st.checks, first
}

// do carries out one line.
func (st *stage) do(ctx context.Context, c command) error {
	if v := verbs()[c.name]; len(strings.Fields(c.args)) < v.least {
		return fmt.Errorf("%s wants more; /help says what", c.name)
	}
	switch c.name {
	case "quit":
		return errQuit
	case "help":
		st.s.say("%s", strings.TrimSuffix(Help, "\n"))
	case "user":
		st.user, st.mine = c.args, ""
	case "group":
		st.group = c.args
	case "connect":
		return st.connect(ctx)
	case "again":
		d, err := st.s.Again(ctx)
		return st.came(d, err)
	case "wait", "timeout":
		return st.pause(ctx, c)
	case "expect", "never", "quiet":
		return st.check(ctx, c)
	case "fail", "hang", "cut", "duplicate", "reorder", "forge", "heal":
		return st.disturb(c)
	default:
		return st.act(ctx, c)
	}
	return nil
}

func (st *stage) connect(ctx context.Context) error {
	verdicts, err := st.s.Connect(ctx)
	for _, v := range verdicts {
		err = errors.Join(err, v.Err)
	}
	return err
}

func (st *stage) pause(ctx context.Context, c command) error {
	d, err := time.ParseDuration(c.args)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no time, such as 2s", c.args)
	}
	if c.name == "timeout" {
		st.timeout = d
		return nil
	}
	return sleep(ctx, d)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // the caller's own
	}
}

// disturb has the network misbehave.
func (st *stage) disturb(c command) error {
	var f Fault
	var err error
	switch c.name {
	case "heal":
		st.s.Heal()
		return nil
	case "reorder":
		st.s.Reorder()
		return nil
	case "forge":
		st.s.Forge()
		return nil
	case "duplicate":
		n := 1
		if c.args != "" {
			word, _ := next(c.args)
			if n, err = strconv.Atoi(word); err != nil || n < 1 {
				return fmt.Errorf("%q is no number", word)
			}
		}
		st.s.Duplicate(n)
		return nil
	case "fail":
		f, err = readFault(c.args)
	case "hang":
		word, rest := next(c.args)
		if f.Delay, err = time.ParseDuration(word); err != nil || f.Delay <= 0 {
			return fmt.Errorf("%q is no time, such as 2s", word)
		}
		err = f.options(rest)
	case "cut":
		f.Cut = true
		err = f.options(c.args)
	}
	if err == nil {
		st.s.Fail(f)
	}
	return err
}

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
	case !d.OK():
		st.pending = fmt.Errorf("the bot answered the webhook with %d", d.Status)
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

// check compares what people saw, or how the bot answered, with a line.
func (st *stage) check(ctx context.Context, c command) error {
	if c.name == "quiet" {
		return st.quiet(ctx, c.args)
	}
	if rest, ok := strings.CutPrefix(c.args, "status "); ok && c.name == "expect" {
		want, err := strconv.Atoi(strings.TrimSpace(rest))
		if err != nil {
			return fmt.Errorf("%q is no status of HTTP", rest)
		}
		st.pending = nil
		if st.status != want {
			return fmt.Errorf("the bot answered the webhook with %d, want %d", st.status, want)
		}
		st.checks++
		return nil
	}
	match, err := matcher(c.args)
	if err != nil {
		return err
	}
	if c.name == "never" {
		for _, x := range st.s.Shown() {
			if match(x) {
				return fmt.Errorf("was said after all: %s", line(content(x), 300))
			}
		}
		st.checks++
		return nil
	}
	return st.expect(ctx, c.args, match)
}

// matcher reads TEXT or /EXPRESSION/.
func matcher(args string) (func(play.Shown) bool, error) {
	if len(args) > 2 && strings.HasPrefix(args, "/") && strings.HasSuffix(args, "/") {
		re, err := regexp.Compile(args[1 : len(args)-1])
		if err != nil {
			return nil, fmt.Errorf("the expression: %w", err)
		}
		return func(x play.Shown) bool { return re.MatchString(content(x)) }, nil
	}
	want := unescape(args)
	return func(x play.Shown) bool { return strings.Contains(content(x), want) }, nil
}

// expect waits for something that no other expect has taken.
func (st *stage) expect(ctx context.Context, want string, match func(play.Shown) bool) error {
	ctx, cancel := context.WithTimeout(ctx, st.timeout)
	defer cancel()
	for n := 0; ; n++ {
		x, err := st.s.Next(ctx, n)
		if err != nil {
			return fmt.Errorf("expected %q in vain for %v%s", want, st.timeout, st.instead())
		}
		for len(st.used) <= n {
			st.used = append(st.used, false)
		}
		if !st.used[n] && match(x) {
			st.used[n] = true
			st.checks++
			return nil
		}
	}
}

// instead lists what came and was not expected.
func (st *stage) instead() string {
	var b strings.Builder
	for i, x := range st.s.Shown() {
		if (i >= len(st.used) || !st.used[i]) && (x.Kind == "message" || x.Kind == "edit") {
			b.WriteString("\n  came instead: " + line(content(x), 300))
		}
	}
	if b.Len() == 0 {
		return "; nothing came"
	}
	return b.String()
}

// quiet waits and fails if the bot says something meanwhile.
func (st *stage) quiet(ctx context.Context, args string) error {
	d := time.Second
	if args != "" {
		var err error
		if d, err = time.ParseDuration(args); err != nil || d <= 0 {
			return fmt.Errorf("%q is no time, such as 1s", args)
		}
	}
	before := len(st.s.Shown())
	if err := sleep(ctx, d); err != nil {
		return err
	}
	for _, x := range st.s.Shown()[before:] {
		if x.Kind == "message" || x.Kind == "edit" {
			return fmt.Errorf("was said, where nothing was expected: %s", line(content(x), 300))
		}
	}
	st.checks++
	return nil
}
