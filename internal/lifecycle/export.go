package lifecycle

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Bundle is a person's copy of what is held (GDPR Art. 15 and 20). Its keys and
// their order are stable.
type Bundle struct {
	Format  string    `json:"format"` // "sotto-export/1"
	Made    time.Time `json:"made"`
	Person  string    `json:"person"` // the pseudonym that Sotto knows the person by
	Held    bool      `json:"held"`   // false: nothing is held
	Profile *Profile  `json:"profile,omitempty"`
	Turns   []Turn    `json:"turns"`   // what was said, oldest first
	Pending []Pending `json:"pending"` // what came in and is not handled yet
	Sending []Pending `json:"sending"` // what is on its way to the person
	Keys    []Key     `json:"keys"`    // which keys protect it; never the keys
	Lists   []Holding `json:"tables"`  // every table that was read for this copy

	Also map[string]any `json:"also,omitempty"` // by table, what other parts hold

	Unreadable int `json:"unreadable,omitempty"` // rows that are there, whose key has ended or that are damaged
}

// Profile is what Sotto must know of a person to obey them.
type Profile struct {
	Account    string    `json:"account"`
	Since      time.Time `json:"since"`
	Notice     string    `json:"notice_version"`
	NoticeAt   time.Time `json:"notice_given"`
	Language   string    `json:"language,omitempty"`
	Stopped    bool      `json:"stopped"`
	Gone       bool      `json:"unreachable"` // the network says so
	Restricted bool      `json:"restricted"`
	Aliases    []string  `json:"aliases,omitempty"` // other pseudonyms that stand for the person, because the network gave another id
}

// Turn is one stored turn.
type Turn struct {
	At      time.Time     `json:"at"`
	Purpose sotto.Purpose `json:"purpose"`
	Until   time.Time     `json:"kept_until"`
	You     string        `json:"you,omitempty"`
	Button  string        `json:"button,omitempty"`
	Bot     []string      `json:"bot,omitempty"`
}

// Key names a key that protects the person's data: its retention class and,
// where the class has one, its month.
type Key struct {
	Class string `json:"class"`
	Month string `json:"month,omitempty"`
}

func className(c vault.Class) string {
	switch c {
	case vault.Transit:
		return "transit"
	case vault.Profile:
		return "profile"
	case vault.Reply:
		return "reply"
	}
	return "other"
}

// Pending is one message that is on its way.
type Pending struct {
	At   time.Time `json:"at,omitzero"`
	Text string    `json:"text"`
}

// Export returns what is held of a person as indented JSON. The log says that
// it was made before anything is returned. A person of whom nothing is held
// gets a bundle that says so.
func (l *Lifecycle) Export(ctx context.Context, p sotto.PersonID, to sotto.Recipient) ([]byte, error) {
	who, _, err := l.cfg.Vault.Commitment(ctx, p, false)
	if err != nil {
		return nil, err
	}
	trail := audit.NewTrail("export", who)
	permit, err := l.decide(ctx, trail, p, gate.Open, to)
	if err != nil {
		_, werr := l.cfg.Log.Write(ctx, trail)
		if werr != nil {
			return nil, werr
		}
		return nil, err
	}
	b, err := l.bundle(ctx, permit, p)
	if err != nil {
		return nil, err
	}
	trail.Add(audit.Act{Verb: "export", Recipient: string(to), Count: int64(len(b.Turns))})
	if _, err := l.cfg.Log.Write(ctx, trail); err != nil {
		return nil, err
	}
	out, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return nil, sotto.E("lifecycle.export", sotto.KindOther, err)
	}
	return append(out, '\n'), nil
}

func (l *Lifecycle) bundle(ctx context.Context, permit gate.Permit, p sotto.PersonID) (*Bundle, error) {
	b := &Bundle{
		Format: "sotto-export/1", Made: l.cfg.Now().UTC().Truncate(time.Second), Person: p.String(), Lists: l.Holdings(),
		Turns: []Turn{}, Pending: []Pending{}, Sending: []Pending{}, Keys: []Key{},
	}
	st, err := l.cfg.People.Get(ctx, p)
	if err != nil {
		return nil, err
	}
	if st.Known {
		others, err := l.cfg.People.Aliases(ctx, p)
		if err != nil {
			return nil, err
		}
		b.Profile = &Profile{
			Account: st.Account, Since: st.Since, Notice: st.Notice, NoticeAt: st.NoticeAt,
			Language: st.Language, Stopped: st.Stopped, Gone: st.Gone, Restricted: st.Restricted,
		}
		for _, a := range others {
			b.Profile.Aliases = append(b.Profile.Aliases, a.String())
		}
	}
	opener := quiet{l: l, permit: permit, b: b}
	err = l.cfg.Transcript.Of(ctx, p, func(r transcript.Row) error {
		var s transcript.Said
		ok, err := opener.open(ctx, transcript.Ref(&r), r.Sealed, s.Decode)
		if ok {
			b.Turns = append(b.Turns, Turn{At: r.At, Purpose: r.Purpose, Until: r.Expires, You: s.In, Button: s.Button, Bot: s.Out})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := l.onTheWay(ctx, opener, p, b); err != nil {
		return nil, err
	}
	for i := range l.cfg.Also {
		part := &l.cfg.Also[i]
		held, err := part.Export(ctx, permit, p)
		if err != nil {
			return nil, err
		}
		if held == nil {
			continue
		}
		if b.Also == nil {
			b.Also = make(map[string]any)
		}
		b.Also[part.Table] = held
	}
	keys, err := l.cfg.Vault.Keys(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		b.Keys = append(b.Keys, Key{Class: className(k.Class), Month: k.Period.String()})
	}
	b.Held = b.Profile != nil || len(b.Turns)+len(b.Pending)+len(b.Sending)+len(b.Also) > 0
	return b, nil
}

func (l *Lifecycle) onTheWay(ctx context.Context, opener quiet, p sotto.PersonID, b *Bundle) error {
	records, err := l.cfg.Journal.Of(ctx, p)
	if err != nil {
		return err
	}
	for i := range records {
		var ev channel.Event
		ok, err := opener.open(ctx, journal.Ref(&records[i]), records[i].Sealed, func(b []byte) error { return journal.DecodeEvent(b, &ev) })
		if err != nil {
			return err
		}
		if ok {
			b.Pending = append(b.Pending, Pending{At: records[i].Received.UTC(), Text: ev.Text})
		}
	}
	items, err := l.cfg.Outbox.Of(ctx, p)
	if err != nil {
		return err
	}
	for _, it := range items {
		var m outbox.Message
		ok, err := opener.open(ctx, outbox.Ref(it.ID, p), it.Sealed, m.Decode)
		if err != nil {
			return err
		}
		if ok {
			b.Sending = append(b.Sending, Pending{Text: m.Text})
		}
	}
	return nil
}

// quiet opens many rows under one permit.
type quiet struct {
	l      *Lifecycle
	permit gate.Permit
	b      *Bundle
}

// open opens one row; ok is false where its key has ended.
func (q quiet) open(ctx context.Context, ref vault.Ref, s vault.Sealed, decode func([]byte) error) (ok bool, err error) {
	plain, err := q.l.cfg.Vault.Open(ctx, q.permit, ref, s)
	if k := sotto.KindOf(err); k == sotto.KindNotFound || k == sotto.KindCorrupt {
		q.b.Unreadable++
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, decode(plain)
}
