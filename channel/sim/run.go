package sim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
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
