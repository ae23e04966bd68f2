// Command train makes the model of package names from the lists and texts in
// pii/names/data. It is run in the module's root:
//
//	go run ./pii/names/train           writes pii/names/model.bin
//	go run ./pii/names/train -eval     leaves one source out at a time and prints figures
//
// It promises the same bytes from the same data, on any machine of one
// architecture. It fetches nothing and needs no more than the repository.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		panic("failed") // a developer's tool; the message is above
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("train", flag.ContinueOnError)
	data := fs.String("data", "pii/names/data", "folder of lists and texts")
	model := fs.String("o", "pii/names/model.bin", "file to write")
	eval := fs.Bool("eval", false, "leave one source out at a time and print figures; write nothing")
	clean := fs.String("clean", "", "JSON lines with text and label: how many benign ones get a finding")
	quick := fs.Bool("quick", false, "learn once from few messages: to try the trainer")
	show := fs.Int("show", 0, "how many wrong findings to print")
	if err := fs.Parse(args); err != nil {
		return err
	}
	root, err := os.OpenRoot(*data)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	d, err := load(root.FS())
	if err != nil {
		return err
	}
	if *quick {
		d.repeats, d.passes = 1, 1
	}
	if *eval {
		return d.evaluate(out, *clean, *show)
	}
	file, err := d.train(d.sources(), 1)
	if err != nil {
		return err
	}
	if err := os.WriteFile(*model, file, 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d bytes, %d words\n", *model, len(file), d.lex.Len())
	return err
}
