package sim

import (
	"strings"
	"testing"
)

// FuzzParse: a line is a command or is said, in both ways of reading; what is
// said is there whole; and a doubled slash says anything.
func FuzzParse(f *testing.F) {
	for _, line := range []string{"hello", "/edit 5 x", "//quit", "fail 429 2 times after 3s any", "# x", "leave me", "/delete", " \t", "hang 2s lost", "expect /x/"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		for _, script := range []bool{false, true} {
			c, ok := parse(line, script)
			if !ok {
				continue
			}
			if _, known := verbs()[c.name]; !known {
				t.Fatalf("%q is no command", c.name)
			}
			if !strings.Contains(line, c.args) && !strings.Contains(line, strings.TrimPrefix(c.args, "/")) {
				t.Fatalf("%q is not of the line", c.args)
			}
		}
		text := strings.TrimSpace(line)
		if c, ok := parse("//"+text, true); text != "" && (!ok || c.name != "say" || c.args != "/"+text) {
			t.Fatalf("said as %+v", c)
		}
		fault, err := readFault(line)
		if err == nil && (fault.Status < 400 || fault.Status > 599 || fault.After < 0 || fault.Times < 0) {
			t.Fatalf("%+v", fault)
		}
	})
}
