package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // to change the data behind the server's back
)

// cmdHTTP calls "http [-sign CHANNEL] [-H NAME:VALUE]… METHOD PATH [BODYFILE]"
// at $URL and prints status, "empty" or the body, and chosen headers.
func cmdHTTP(ts *testscript.TestScript, _ bool, args []string) {
	header := map[string][]string{}
	sign := ""
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-sign":
			sign = args[1]
		case "-H":
			k, v, _ := strings.Cut(args[1], ":")
			header[k] = append(header[k], v)
		}
		args = args[2:]
	}
	want(ts, len(args) == 2 || len(args) == 3, "http [-sign CHANNEL] [-H NAME:VALUE]… METHOD PATH [BODYFILE]")
	var body []byte
	if len(args) == 3 {
		body = []byte(ts.ReadFile(args[2]))
	}
	if sign != "" {
		maps.Copy(header, of(ts).net.Sign(sign, body))
	}
	status, h, b, err := call(args[0], ts.Getenv("URL")+args[1], header, body)
	for range 20 {
		if err == nil || len(body) < 1<<20 {
			break
		}
		// The answer came before the body was sent, and was lost with the connection.
		status, h, b, err = call(args[0], ts.Getenv("URL")+args[1], header, body)
	}
	ts.Check(err)
	tell(ts, "%d\n", status)
	for _, k := range []string{"Location", "Retry-After", "Content-Type", "Allow"} {
		if v := h.Get(k); v != "" {
			tell(ts, "%s: %s\n", k, v)
		}
	}
	if len(b) == 0 {
		tell(ts, "empty\n")
	}
	_, _ = ts.Stdout().Write(b)
}

// cmdCode runs "code N sotto ARG…" and checks the exit code.
func cmdCode(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) >= 2, "code N PROGRAM ARG…")
	cmd := program(ts, args[1], args[2:])
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// cmdSQLite runs "sqlite FILE STATEMENT…" and prints the rows.
func cmdSQLite(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) >= 2, "sqlite FILE STATEMENT…")
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close() //nolint:errcheck // the test is over
	db.SetMaxOpenConns(1)
	for _, q := range args[1:] {
		ts.Check(query(db, q, func(vals []any) { tell(ts, "%s", fmt.Sprintln(vals...)) }))
	}
}

// query gives every row of a query to f.
func query(db *sql.DB, q string, f func([]any)) error {
	rows, err := db.Query(q)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	cols, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		vals := make([]any, len(cols))
		ptrs := make([]any, len(cols))
		for i := range vals {
			ptrs[i] = &vals[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return err
		}
		f(vals)
	}
	return rows.Err()
}

// cmdOverwrite runs "overwrite FILE WHERE TEXT": damage on the disk. WHERE is an
// offset or =TEXT, which has to be there once; TEXT may have Go's escapes.
func cmdOverwrite(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) == 3, "overwrite FILE OFFSET|=TEXT TEXT")
	text, err := strconv.Unquote(`"` + args[2] + `"`)
	ts.Check(err)
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	old, ok := strings.CutPrefix(args[1], "=")
	at := bytes.Index(b, []byte(old))
	if !ok {
		at, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	want(ts, at >= 0, "overwrite: "+args[1]+" is not there")
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteAt([]byte(text), int64(at))
	ts.Check(errors.Join(err, f.Close()))
}

// cmdMode checks "mode FILE 0600"; FILE may be a pattern of which there is one
// at least.
func cmdMode(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) == 2, "mode FILE MODE")
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	want(ts, len(files) > 0, "mode FILE MODE; there is no "+args[0])
	for _, f := range files {
		fi, err := os.Stat(f)
		ts.Check(err)
		if got := fmt.Sprintf("%04o", fi.Mode().Perm()); got != args[1] {
			ts.Fatalf("%s has mode %s, want %s", f, got, args[1])
		}
	}
}

// cmdSum sets a variable to the names and hashes of files: "sum VAR FILE…".
func cmdSum(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) >= 2, "sum VAR PATTERN…")
	h := sha256.New()
	for _, a := range args[1:] {
		files, err := filepath.Glob(ts.MkAbs(a))
		ts.Check(err)
		slices.Sort(files)
		for _, f := range files {
			b, err := os.ReadFile(f)
			ts.Check(err)
			_, err = fmt.Fprintf(h, "%s %x\n", filepath.Base(f), sha256.Sum256(b))
			ts.Check(err)
		}
	}
	ts.Setenv(args[0], fmt.Sprintf("%x", h.Sum(nil)))
}

// cmdSame compares two values, as of cmdSum: "same A B".
func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, len(args) == 2, "same A B")
	if (args[0] == args[1]) == neg {
		ts.Fatalf("%s and %s", args[0], args[1])
	}
}

// cmdField sets a variable to a field of JSON: "field VAR FILE a.b.0".
func cmdField(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) == 3, "field VAR FILE PATH")
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &v))
	for k := range strings.SplitSeq(args[2], ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[k]
		case []any:
			i, err := strconv.Atoi(k)
			ts.Check(err)
			want(ts, i < len(in), "field: no element "+k)
			v = in[i]
		default:
			ts.Fatalf("there is no %s in %s", args[2], args[1])
		}
	}
	ts.Setenv(args[0], fmt.Sprint(v))
	tell(ts, "%v\n", v)
}

// cmdRepeat writes a file: "repeat FILE N TEXT [BEFORE [BEHIND]]".
func cmdRepeat(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) >= 3 && len(args) <= 5, "repeat FILE N TEXT [BEFORE [BEHIND]]")
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	before, behind := "", ""
	if len(args) > 3 {
		before = args[3]
	}
	if len(args) > 4 {
		behind = args[4]
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(before+strings.Repeat(args[2], n)+behind), 0o600))
}

// cmdPort sets a variable to a free port of this machine: "port VAR".
func cmdPort(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, len(args) == 1, "port VAR")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
	ts.Check(l.Close())
}

// cmdExpand puts the environment's variables into files, such as $API into a
// configuration, in their place, and makes them the owner's alone.
func cmdExpand(ts *testscript.TestScript, _ bool, args []string) {
	for _, f := range args {
		text := os.Expand(ts.ReadFile(f), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(f), []byte(text), 0o600))
		ts.Check(os.Chmod(ts.MkAbs(f), 0o600))
	}
}
