package sottotest_test

import (
	"context"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/sottotest"
)

// A bot is tested with people who write to it. The bot never sees the number,
// the person gets it back, and nothing of it lies on the disk or in the log.
func Example() {
	bot := sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error {
		t.Reply("Shall we call " + t.Text + "?") // the bot sees [PHONE_1]
		return nil
	})
	testBot := func(t *testing.T) {
		t.Helper()
		s := sottotest.Start(t, bot)
		s.Say("41", "+49 30 901820")
		if got := s.Replies("41"); got[0] != "Shall we call +49 30 901820?" {
			t.Errorf("the person got %q", got)
		}
		if at := s.Search("901820"); len(at) > 0 {
			t.Errorf("the number lies in %v", at)
		}
	}
	_ = testBot // func TestBot(t *testing.T) in your own package
}
