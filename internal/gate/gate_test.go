package gate

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
)

var (
	start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	ada   = sotto.PersonID{1}
	bob   = sotto.PersonID{2}
)

func open(tb testing.TB, cfg Config) *Gate {
	tb.Helper()
	g, err := New(withClock(cfg))
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// reply is what the bot asks for on each turn.
func reply() Use {
	return Use{
		Action: Open, Person: ada, Facts: Facts{Noticed: true, AgeClass: "adult", Region: "DE"}, Channel: "telegram",
		Purpose: sotto.PurposeReply, Categories: []sotto.Category{sotto.CategoryMessage}, Recipient: sotto.RecipientBot,
	}
}

func TestDecide(t *testing.T) {
	g := open(t, Config{})
	trail := audit.NewTrail("turn", audit.Commitment{})
	p, err := g.Decide(context.Background(), trail, reply())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(Open, ada, sotto.PurposeReply); err != nil {
		t.Error(err)
	}
	u := reply()
	u.Facts.Stopped = true
	_, err = g.Decide(context.Background(), trail, u)
	var denied *DeniedError
	if sotto.KindOf(err) != sotto.KindDenied || !errors.As(err, &denied) {
		t.Fatalf("a stopped person's message was opened: %v", err)
	}
	want := []audit.Act{
		{Verb: "decide:open", Purpose: "reply", Recipient: "bot", What: []string{"message"}, Reasons: []string{"sotto.bot"}},
		{Verb: "decide:open", Purpose: "reply", Recipient: "bot", What: []string{"message"}, Denied: true, Reasons: []string{"sotto.stop.use"}},
	}
	if d := cmp.Diff(want, trail.Acts()); d != "" {
		t.Errorf("trail (-want +got):\n%s", d)
	}
}

func withClock(cfg Config) Config {
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return start }
	}
	return cfg
}

func newTrail() *audit.Trail { return audit.NewTrail("turn", audit.Commitment{}) }

func TestPermit(t *testing.T) {
	now := start
	g := open(t, Config{Now: func() time.Time { return now }, Life: time.Minute})
	ctx := context.Background()
	trail := newTrail()
	decide := func(u Use) Permit {
		t.Helper()
		p, err := g.Decide(ctx, trail, u)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	u := reply()
	p := decide(u)
	send := reply()
	send.Action, send.Recipient = Send, sotto.RecipientPerson
	legal := reply()
	legal.Purpose, legal.Recipient = sotto.PurposeLegal, sotto.RecipientPrivacy
	erase := legal
	erase.Action = Erase
	for name, c := range map[string]struct {
		p       Permit
		action  Action
		person  sotto.PersonID
		purpose sotto.Purpose
		says    string // "" = it opens
	}{
		"its use":               {p, Open, ada, "reply", ""},
		"zero":                  {Permit{}, Open, ada, "reply", "there is no permit to open"},
		"another action":        {p, Store, ada, "reply", "to open, not to store"},
		"to send":               {p, Send, ada, "reply", "to open, not to send"},
		"another person":        {p, Open, bob, "reply", "for person 01"},
		"another purpose":       {p, Open, ada, "train", "for the purpose reply, not for train"},
		"sending":               {decide(send), Send, ada, "reply", ""},
		"sending opens":         {decide(send), Open, ada, "reply", ""},
		"sending another's":     {decide(send), Open, bob, "reply", "for person 01"},
		"sending stores not":    {decide(send), Store, ada, "reply", "to send, not to store"},
		"legal opens all":       {decide(legal), Open, ada, "train", ""},
		"legal, another":        {decide(legal), Open, bob, "train", "for person 01"},
		"erasing, its purpose":  {decide(erase), Erase, ada, "legal", ""},
		"erasing, other":        {decide(erase), Erase, ada, "reply", "for the purpose legal, not for reply"},
		"erasing does not open": {decide(erase), Open, ada, "legal", "to erase, not to open"},
	} {
		err := c.p.Check(c.action, c.person, c.purpose)
		if (err == nil) != (c.says == "") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (sotto.KindOf(err) != sotto.KindDenied || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	if p.Trail() != trail || p.Recipient() != "bot" || p.Clear() || !p.Covers("message") || p.Covers("health") {
		t.Errorf("%+v does not tell its use", p)
	}
	if z := (Permit{}); z.Trail() != nil || z.Recipient() != "" || z.Clear() || z.Covers("message") {
		t.Error("the zero permit tells a use")
	}
	// What the caller does with its own values changes nothing.
	u.Categories[0] = "health"
	if p.Covers("health") {
		t.Error("a permit was widened")
	}
	now = now.Add(59 * time.Second)
	if err := p.Check(Open, ada, "reply"); err != nil {
		t.Errorf("after 59 s: %v", err)
	}
	now = now.Add(time.Second)
	if err := p.Check(Open, ada, "reply"); sotto.KindOf(err) != sotto.KindDenied || !strings.Contains(err.Error(), "ended at 2026-07-01T12:01:00Z") {
		t.Errorf("after a minute: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	ctx := context.Background()
	g := open(t, Config{})
	var denied *DeniedError
	// Without a trail nothing is opened.
	p, err := g.Decide(ctx, nil, reply())
	if !errors.As(err, &denied) || p.Check(Open, ada, "reply") == nil {
		t.Errorf("opened without a trail: %v", err)
	}
	// The zero gate.
	trail := newTrail()
	if _, err = new(Gate).Decide(ctx, trail, reply()); !errors.As(err, &denied) || !strings.Contains(err.Error(), "not made by New") {
		t.Errorf("the zero gate: %v", err)
	}
	if _, err := new(Gate).Explain(reply()); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("the zero gate: %v", err)
	}
	// A use that makes no sense stands in the log as well.
	u := reply()
	u.Action = "burn"
	if _, err = g.Decide(ctx, trail, u); !errors.As(err, &denied) || sotto.KindOf(err) != sotto.KindDenied {
		t.Errorf("%v", err)
	}
	want := []audit.Act{
		{Verb: "decide:open", Purpose: "reply", Recipient: "bot", Denied: true, Reasons: []string{"gate.malformed"}},
		{Verb: "decide", Purpose: "reply", Recipient: "bot", Denied: true, Reasons: []string{"gate.malformed"}},
	}
	if d := cmp.Diff(want, trail.Acts()); d != "" {
		t.Errorf("trail (-want +got):\n%s", d)
	}
	// The text of a denial names the policies and no person.
	u = reply()
	u.Facts = Facts{Stopped: true}
	_, err = g.Decide(ctx, trail, u)
	const says = `gate.decide: denied: open for "reply" by "bot": ` +
		`sotto.notice.use: the notice in force was not delivered yet; sotto.stop.use: the person said stop`
	if err == nil || err.Error() != says {
		t.Errorf("%v, want %s", err, says)
	}
	u = reply()
	u.Recipient = "vendor:acme"
	if _, err = g.Decide(ctx, trail, u); err == nil || !strings.HasSuffix(err.Error(), "no policy permits it") {
		t.Errorf("%v", err)
	}
	if text := (&DeniedError{Decision: Decision{Reasons: []Reason{{Policy: "own"}}}}).Error(); !strings.HasSuffix(text, ": own") {
		t.Error(text)
	}
	if _, err := New(Config{}); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("made without a clock: %v", err)
	}
}

// A decision is the caller's own: changing it does not change the next.
func TestDecisionsAreCopies(t *testing.T) {
	g := open(t, Config{})
	d, err := g.Explain(reply())
	if err != nil {
		t.Fatal(err)
	}
	d.Reasons[0].Policy = "mine"
	if again, err := g.Explain(reply()); err != nil || again.Reasons[0].Policy != "sotto.bot" {
		t.Errorf("%+v, %v", again, err)
	}
}

// The key of the cache tells all uses apart that policies can tell apart.
func TestKey(t *testing.T) {
	seen := map[string]string{}
	add := func(name string, change func(u *Use)) {
		u := reply()
		change(&u)
		k := string(appendKey(nil, &u))
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		seen[k] = name
	}
	add("as it is", func(*Use) {})
	add("action", func(u *Use) { u.Action = Store })
	add("channel", func(u *Use) { u.Channel = "x" })
	add("purpose", func(u *Use) { u.Purpose = "train" })
	add("basis", func(u *Use) { u.Basis = "consent" })
	add("recipient", func(u *Use) { u.Recipient = "vendor:x" })
	add("region", func(u *Use) { u.Facts.Region = "FR" })
	add("age", func(u *Use) { u.Facts.AgeClass = "child" })
	add("noticed", func(u *Use) { u.Facts.Noticed = false })
	add("stopped", func(u *Use) { u.Facts.Stopped = true })
	add("restricted", func(u *Use) { u.Facts.Restricted = true })
	add("clear", func(u *Use) { u.Clear = true })
	add("system", func(u *Use) { u.System = true })
	add("category", func(u *Use) { u.Categories = []sotto.Category{"message", "train"} })
	add("no category", func(u *Use) { u.Categories = nil })
	add("consent", func(u *Use) { u.Facts.Consents = []sotto.Purpose{"train"} })
	add("shifted", func(u *Use) { u.Facts.Region, u.Facts.AgeClass = "DEa", "dult" })
	add("long", func(u *Use) { u.Channel = strings.Repeat("x", 300) })
	add("longer", func(u *Use) { u.Channel = strings.Repeat("x", 301) })
}

func TestCacheIsBounded(t *testing.T) {
	g := open(t, Config{})
	u := reply()
	for i := range maxAnswers + 10 {
		u.Channel = strconv.Itoa(i)
		if d, err := g.Explain(u); err != nil || !d.Allowed {
			t.Fatalf("%+v, %v", d, err)
		}
	}
	if len(g.cache) > maxAnswers {
		t.Errorf("%d answers are kept", len(g.cache))
	}
}

func TestConcurrent(t *testing.T) {
	g := open(t, Config{})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			u := reply()
			for i := range 200 {
				u.Facts.Stopped = i%2 == 0
				u.Channel = strconv.Itoa(i % 7 * (w + 1))
				if _, err := g.Decide(context.Background(), newTrail(), u); (err != nil) != u.Facts.Stopped {
					t.Errorf("stopped %v: %v", u.Facts.Stopped, err)
				}
			}
		})
	}
	wg.Wait()
}
