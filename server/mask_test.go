package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto/pii"
)

// What bots see is configured, and what is wrong with it is told with its line.
func TestMaskPolicy(t *testing.T) {
	s := newSite(t)
	own := filepath.Join(s.dir, "own.json")
	s.must(os.WriteFile(own, []byte(`[{"name":"member","type":"MEMBER_NO","pattern":"M-[0-9]{4}"}]`), 0o600))
	const head = "data: ./data\nkeys: { current: file:./kek }\naudit: { head: ./head }\nchannels: { webchat: { a: {} } }\n"
	s.configure(head + "pii: { mask: [DATE, MEMBER_NO], leave: [EMAIL], regions: [PL], allow: [\"+49 30 1234567\"], own: ./own.json }\n")
	srv, err := New(s.config(), nil)
	s.must(err)
	got := srv.mask.Mask(pii.NewMap(), "on 3 May 2026 M-1234 wrote from ada@example.org, call +49 30 1234567 or +49 30 7654321")
	if want := "on [DATE_1] [MEMBER_NO_1] wrote from ada@example.org, call +49 30 1234567 or [PHONE_1]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for line, want := range map[string]string{
		"pii: { mask: [DATUM] }":      "no type of this name",
		"pii: { regions: [Poland] }":  "codes of countries",
		"pii: { own: ./absent.json }": "cannot be read",
		"pii: { own: ./kek }":         "pii.own",
	} {
		if got := s.problems(head + line + "\n"); !strings.Contains(got, want) || !strings.Contains(got, "sotto.yaml:5") {
			t.Errorf("%s: %s", line, got)
		}
	}
}
