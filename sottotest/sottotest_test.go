package sottotest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/sottotest"
)

func echo() sotto.Bot { return sottotest.Text(func(s string) string { return "You said: " + s }) }

func TestBothNetworks(t *testing.T) {
	t.Parallel()
	s := sottotest.Start(t, echo())
	for _, user := range []string{"41", "messenger/41"} {
		s.Say(user, "Hello")
		s.Say(user, "Call +49 30 901820")
		s.Press(user, "YES")
		want := []string{"You said: Hello", "You said: Call +49 30 901820", "You said: YES"}
		if diff := cmp.Diff(want, s.Replies(user)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", user, diff)
		}
		if got := s.Wait(user, 4); len(got) != 4 || len(got[0].Buttons) == 0 {
			t.Errorf("%s: the notice does not come first: %+v", user, got)
		}
	}
	s.Restart()
	s.Say("41", "Still there?")
	if got := s.Replies("41"); got[len(got)-1] != "You said: Still there?" {
		t.Errorf("after a restart: %q", got)
	}
	if n := s.Verify(); n == 0 {
		t.Error("the audit log is empty")
	}
}

func TestExportAndErase(t *testing.T) {
	t.Parallel()
	s := sottotest.Start(t, echo())
	s.Say("41", "My number is +49 30 901820")
	s.Say("messenger/41", "I am another one")
	s.Settle()
	var b struct {
		Held  bool `json:"held"`
		Turns []struct {
			You string   `json:"you"`
			Bot []string `json:"bot"`
		} `json:"turns"`
	}
	held := func(user string) int {
		b.Held, b.Turns = false, nil
		if err := json.Unmarshal(s.Export(user), &b); err != nil {
			t.Fatal(err)
		}
		return len(b.Turns)
	}
	if held("41") != 1 || b.Turns[0].You != "My number is +49 30 901820" || b.Turns[0].Bot[0] != "You said: My number is +49 30 901820" {
		t.Errorf("export: %+v", b)
	}
	r := s.Erase("41")
	if r.Receipt == "" || r.Keys == 0 || len(r.Proof) == 0 {
		t.Errorf("receipt: %+v", r)
	}
	if n := held("41"); n != 0 || b.Held {
		t.Errorf("after the erasure %d turns are held", n)
	}
	if n := held("messenger/41"); n != 1 {
		t.Errorf("of the other person %d turns are held", n)
	}
	s.Stop()
	if n := held("messenger/41"); n != 1 {
		t.Errorf("without a server %d turns are held", n)
	}
}

// The bot sees masked text and keeps what it sees; the network got the text.
func TestWhatLeft(t *testing.T) {
	t.Parallel()
	var seen []string
	s := sottotest.Start(t, sotto.BotFunc(func(ctx context.Context, turn *sotto.Turn) error {
		seen = append(seen, turn.Text)
		if turn.Text == "fail" {
			turn.Reply("never said")
			return errors.New("+49 30 901820")
		}
		turn.Reply("Is it " + turn.Text + "?")
		return nil
	}))
	s.Say("41", "anna@example.org")
	s.Say("41", "fail")
	got := s.Replies("41")
	if len(got) != 2 || got[0] != "Is it anna@example.org?" || strings.Contains(got[1], "901820") {
		t.Errorf("replies %q", got)
	}
	if diff := cmp.Diff([]string{"[EMAIL_1]", "fail"}, seen); diff != "" {
		t.Errorf("the bot saw (-want +got):\n%s", diff)
	}
	out := s.LeftTheHouse()
	for _, want := range []string{"/bot" + channeltest.TelegramToken + "/sendMessage", "anna@example.org"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("%q did not leave the house", want)
		}
	}
	if bytes.Contains(out, []byte("never said")) {
		t.Error("the words of a failed turn left the house")
	}
	for _, text := range append(s.Secrets(), "anna@example.org", "901820", "never said") {
		if at := s.Search(text); len(at) > 0 {
			t.Errorf("%q is at rest in %v", text, at)
		}
	}
}

// What Search promises to find, it finds; and it finds nothing else.
func TestSearchFinds(t *testing.T) {
	t.Parallel()
	const secret = "Canary+4930/901820?ü"
	wide := []byte{}
	for _, r := range secret {
		wide = append(wide, byte(r), byte(r>>8))
	}
	swapped := bytes.Clone(wide)
	for i := 0; i < len(swapped); i += 2 {
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
	}
	backwards := []rune(secret)
	slices.Reverse(backwards)
	hidden := map[string][]byte{
		"plain": []byte("x" + secret + "y"), "case": []byte("CANARY+4930/901820?ü"), "hex": []byte("00" + hex.EncodeToString([]byte(secret))),
		"HEX": []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))), "utf16le": wide, "utf16be": swapped,
		"reversed": []byte(string(backwards)), "query": []byte(url.QueryEscape(secret)), "path": []byte(url.PathEscape(secret)),
	}
	for i := range 5 {
		text := []byte(strings.Repeat("\xff", i) + secret + strings.Repeat("\xfe", i))
		for name, enc := range map[string]*base64.Encoding{"std": base64.StdEncoding, "url": base64.URLEncoding, "raw": base64.RawStdEncoding} {
			hidden[name+string(rune('0'+i))] = []byte(enc.EncodeToString(text))
		}
	}
	for name, b := range hidden {
		if at := sottotest.Search(map[string][]byte{"f": b}, secret); len(at) == 0 {
			t.Errorf("%s: not found in %q", name, b)
		}
		if at := sottotest.Search(map[string][]byte{"f": b}, "Canary+4930/901821?ü"); len(at) != 0 {
			t.Errorf("%s: found where it is not: %v", name, at)
		}
	}
}
