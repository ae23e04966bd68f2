// Command sotto runs private chatbots and lets an operator look after them.
//
//	sotto serve                       a bot with a web chat, here and now
//	sotto serve --config sotto.yaml   for real
//	sotto init | check                begin, and see what is wrong
//	sotto sim CHANNEL                 chat with it as on that network, without an account
//	sotto decode CHANNEL              what a webhook body says
//	sotto channel setup | check       connect an account to its network
//	sotto scan | mask                 personal data in texts
//	sotto export | erase              a person's data, and its end
//	sotto retention | policy | audit  what goes, what may be done, what was done
//	sotto bench                       how fast this machine is with it
//
// Exit codes: 0 done, 1 it failed or found a fault, 2 the command line is wrong.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/sotto-chat/sotto/server"
)

// cli is the command line.
type cli struct {
	Serve     serveCmd     `cmd:"" help:"Run the bot. Without --config: development mode on loopback, with a web chat and the sample bot."`
	Init      initCmd      `cmd:"" help:"Write a commented configuration to begin with."`
	Check     checkCmd     `cmd:"" help:"Say everything that is wrong with the configuration, the data, the networks and the certificate."`
	Sim       simCmd       `cmd:"" help:"Play a network on this machine: chat with a bot as people on it do, or run such a chat as a test."`
	Decode    decodeCmd    `cmd:"" help:"Read one raw webhook body on standard input and print one JSON object per event."`
	Export    exportCmd    `cmd:"" help:"Print everything that is held of a person."`
	Erase     eraseCmd     `cmd:"" help:"Erase a person and print the receipt."`
	Retention retentionCmd `cmd:"" help:"Delete what is past its last day."`
	Policy    policyCmd    `cmd:"" help:"See which use of personal data is allowed, and why."`
	Audit     auditCmd     `cmd:"" help:"Verify the audit log, and prove entries of it."`
	Keys      keysCmd      `cmd:"" help:"Rotate the key-encryption key."`
	Channel   channelCmd   `cmd:"" help:"Connect an account to its network, and see what is wrong with it."`
	Deletion  deletionCmd  `cmd:"" help:"Wishes to be deleted that networks pass on."`
	Bench     benchCmd     `cmd:"" help:"Measure this machine: webhooks to durable 200, and webhook to reply."`
	Scan      scanCmd      `cmd:"" help:"Find personal data in texts."`
	Mask      maskCmd      `cmd:"" help:"Put placeholders in place of personal data."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// console is what commands read and write.
type console struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)

	lost error // the first failure to print, which ends the command with an error
}

// printf prints a part of a command's result.
func (c *console) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(c.out, format, args...); err != nil && c.lost == nil {
		c.lost = err
	}
}

// complain says why a command failed.
func (c *console) complain(who string, err error) {
	_, _ = fmt.Fprintf(c.err, "%s: %v\n", who, err) // there is nobody else to tell
}

// gcPercent lets the heap grow to several times what is live before it is
// collected: little is live in a server, and collecting it often costs a tenth
// of its time. GOGC, where it is set, decides instead.
const gcPercent = 400

func main() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], &console{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv})
	stop()
	os.Exit(code)
}

// errFound ends a command that did its work and found something wrong: the
// findings are printed already.
var errFound = errors.New("found")

func run(ctx context.Context, args []string, con *console) (code int) {
	if len(args) > 0 && args[0] == benchChild {
		return runBenchChild(ctx, args[1:], con)
	}
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("sotto"), kong.Description("Chatbots that keep what people tell them private, and can prove it."),
		kong.Writers(con.out, con.err), kong.Exit(func(n int) { exited = n }), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(con))
	if err != nil {
		con.complain("sotto", err)
		return 2
	}
	k, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		con.complain("sotto", err)
		return 2
	}
	err = k.Run()
	if err == nil {
		err = con.lost
	}
	if err == nil {
		return 0
	}
	if !errors.Is(err, errFound) {
		con.complain("sotto", err)
	}
	return 1
}

// configFlag is shared by the commands that work on a configuration.
type configFlag struct {
	Config string `help:"The configuration file. Without one: development mode." type:"path" placeholder:"FILE"`
	Dev    bool   `help:"Development mode: loopback only, the key may lie beside the data."`
	Data   string `help:"Take this data directory instead of the configuration's." type:"path" placeholder:"DIR"`
}

func (f configFlag) server(con *console) server.Config {
	return server.Config{File: f.Config, Dev: f.Dev, Data: f.Data, Env: con.env}
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
