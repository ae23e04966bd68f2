package channel

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Traits are what is peculiar to a network: what the rest of Sotto has to mind
// when it speaks to it. The zero Traits are a network without peculiarities.
type Traits struct {
	// Idempotent: the network shows a message once for the same
	// [Outgoing.Key], however often it is sent. A send whose outcome is unknown
	// is then simply repeated.
	Idempotent bool

	// StableTime: the network sends an event again with the same [Event.Time].
	// What is remembered of deliveries is then kept in the order of time, which
	// makes looking for a repeated one cheap.
	StableTime bool

	// Migrates: ids on this network can change. An [sotto.EventMigrate] tells
	// that Sender (or, with Group, Conversation) is called Payload from now on.
	// An event with an Alias tells that Sender and Alias are one person.
	Migrates bool

	// Whispers: what the bot answers in a group is shown to the person alone.
	Whispers bool

	// NoFiles: the network takes no files of a bot; a person gets a link instead.
	NoFiles bool

	// Pace is how often and for how long the network lets a bot write.
	Pace Pace

	// Alternative says, for an operator, what may be sent when the window is
	// over, such as "an approved template message".
	Alternative string
}

// Pace is how often and for how long a bot may write. It can be set for each
// account, because networks grant different limits to different customers. In a
// Config its keys stand beside the others:
//
//	Pace channel.Pace `yaml:",inline"`
type Pace struct {
	// Window is how long after a person's last message a bot may answer.
	// Default: the network's own; 0 = for ever.
	Window time.Duration `yaml:"window"`
	// PerAccount bounds the messages of the whole account, PerPerson those of
	// one conversation. Default: the network's own; zero = no bound.
	PerAccount Rate `yaml:"per_account"`
	PerPerson  Rate `yaml:"per_person"`
}

// Or returns p with what it leaves out taken from q.
func (p Pace) Or(q Pace) Pace {
	if p.Window == 0 {
		p.Window = q.Window
	}
	if p.PerAccount == (Rate{}) {
		p.PerAccount = q.PerAccount
	}
	if p.PerPerson == (Rate{}) {
		p.PerPerson = q.PerPerson
	}
	return p
}

// Rate is at most Most in any span of Per. The zero Rate is no bound.
type Rate struct {
	Most int
	Per  time.Duration
}

// UnmarshalText reads a rate such as "30/s", "20/1m" or "1440/24h".
func (r *Rate) UnmarshalText(text []byte) error {
	most, per, ok := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(strings.TrimSpace(most))
	per = strings.TrimSpace(per)
	if per == "s" || per == "m" || per == "h" {
		per = "1" + per
	}
	d, derr := time.ParseDuration(per)
	if !ok || err != nil || derr != nil || n <= 0 || d <= 0 {
		return fmt.Errorf("want a rate such as 30/s, 20/1m or 1440/24h")
	}
	*r = Rate{Most: n, Per: d}
	return nil
}

// String returns the form that UnmarshalText reads, "" for no bound.
func (r Rate) String() string {
	if r == (Rate{}) {
		return ""
	}
	return strconv.Itoa(r.Most) + "/" + r.Per.String()
}
