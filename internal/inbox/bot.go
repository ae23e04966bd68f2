package inbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
	"github.com/sotto-chat/sotto/pii"
)

// converse lets the bot answer.
func (t *turn) converse(ctx context.Context) (verdict, error) {
	permit, err := t.in.cfg.Gate.Decide(ctx, t.trail, gate.Use{
		Action: gate.Open, Person: t.rec.Person, Facts: t.st.Facts(), Channel: people.Channel(t.rec.Account),
		Purpose: sotto.PurposeReply, Categories: []sotto.Category{sotto.CategoryMessage},
		Recipient: sotto.RecipientBot, Clear: t.in.cfg.Clear,
	})
	if err != nil {
		if sotto.KindOf(err) == sotto.KindDenied {
			return t.finish(ctx) // the refusal stands in the log
		}
		return again, err
	}
	m := pii.NewMap()
	bt := &sotto.Turn{
		Event: sotto.Event{
			Kind: t.ev.Kind, Person: t.rec.Person, Conversation: t.rec.Conversation,
			Channel: people.Channel(t.rec.Account), Account: accountName(t.rec.Account),
			Text: t.mask(m, t.ev.Text), Payload: t.mask(m, t.ev.Payload), Time: t.ev.Time, Group: t.ev.Group,
		},
		Language: t.lang,
	}
	bt.History = func(ctx context.Context, n int) ([]sotto.Line, error) { return t.history(ctx, permit, m, n) }
	files := t.attach(ctx, bt)
	defer files.Close()
	said := transcript.Said{In: t.ev.Text, Button: t.ev.Payload}
	if err := t.ask(ctx, bt); err != nil {
		t.in.Stats.BotErrors.Add(1)
		t.trail.Add(audit.Act{Verb: "bot", Reasons: []string{"error"}})
		t.in.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "the bot failed", slog.Int64("record", t.rec.ID), slog.String("cause", botCause(err)))
		if err := t.say(ctx, outbox.Reply, &outbox.Message{Text: t.text("error_turn")}); err != nil {
			return again, err
		}
	} else {
		for _, r := range bt.Replies() {
			text := m.Unmask(r.Text)
			said.Out = append(said.Out, text)
			if err := t.say(ctx, outbox.Reply, &outbox.Message{Text: text, Buttons: unmaskButtons(m, r.Buttons)}); err != nil {
				return again, err
			}
		}
		if err := t.keepFiles(ctx, files); err != nil {
			return again, err
		}
	}
	if err := t.keep(ctx, &said); err != nil {
		return again, err
	}
	return t.finish(ctx)
}

// Mask puts placeholders in the place of personal data: a [pii.Policy], or a
// [pii.Finder], which leaves nothing.
type Mask interface {
	Mask(m *pii.Map, text string) string
}

func (t *turn) mask(m *pii.Map, text string) string {
	if t.in.cfg.Clear || text == "" {
		return text
	}
	return t.in.cfg.Mask.Mask(m, text)
}

func unmaskButtons(m *pii.Map, in []sotto.Button) []sotto.Button {
	out := make([]sotto.Button, len(in))
	for i, b := range in {
		out[i] = sotto.Button{Label: m.Unmask(b.Label), Payload: b.Payload}
	}
	return out
}

func accountName(account string) string {
	for i := range len(account) {
		if account[i] == '/' {
			return account[i+1:]
		}
	}
	return account
}

var errPanic = errors.New("panic")

// botCause names a bot's error without its text, which may hold personal data.
func botCause(err error) string {
	switch {
	case errors.Is(err, errPanic):
		return "panic"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return fmt.Sprintf("%T", err)
}

// ask runs the bot, within its time, and shows it typing if it is slow.
func (t *turn) ask(ctx context.Context, bt *sotto.Turn) (err error) {
	ctx, cancel := context.WithTimeout(ctx, t.in.cfg.Timeout)
	defer cancel()
	if typer, ok := t.in.cfg.Adapters[t.rec.Account].(channel.Typer); ok {
		m := &channel.Outgoing{Conversation: t.ev.Conversation, ReplyTo: t.ev.ID, Handle: t.ev.Handle}
		record := t.rec.ID // the turn may be over before the call is
		timer := time.AfterFunc(t.in.cfg.Typing, func() {
			if err := typer.Typing(ctx, m); err != nil {
				t.in.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "typing was not shown", slog.Int64("record", record))
			}
		})
		defer timer.Stop()
	}
	defer func() {
		if recover() != nil { // its value may hold personal data
			err = errPanic
		}
	}()
	return t.in.cfg.Bot.Turn(ctx, bt)
}

// keep adds the turn to the transcript, if the purpose keeps one.
func (t *turn) keep(ctx context.Context, said *transcript.Said) error {
	if t.in.cfg.Retention <= 0 || t.ev.Group {
		return nil
	}
	_, err := t.in.cfg.Gate.Decide(ctx, t.trail, gate.Use{
		Action: gate.Store, Person: t.rec.Person, Facts: t.st.Facts(), Channel: people.Channel(t.rec.Account),
		Purpose: sotto.PurposeReply, Categories: []sotto.Category{sotto.CategoryMessage}, Recipient: sotto.RecipientSystem,
	})
	if sotto.KindOf(err) == sotto.KindDenied {
		return nil
	}
	if err != nil {
		return err
	}
	now := t.in.cfg.Now()
	row := &transcript.Row{
		ID: t.in.cfg.IDs.Next(), Person: t.rec.Person, Conversation: t.rec.Conversation, Purpose: sotto.PurposeReply,
		At: now, Expires: now.Add(t.in.cfg.Retention), Message: t.messageKey(),
	}
	if row.Sealed, err = t.in.cfg.Vault.Seal(ctx, transcript.Ref(row), vault.Reply, now, said.Encode()); err != nil {
		return err
	}
	t.res.row = row
	return nil
}

// history opens earlier turns for the bot, masked as this one is.
func (t *turn) history(ctx context.Context, permit gate.Permit, m *pii.Map, n int) ([]sotto.Line, error) {
	rows, err := t.in.cfg.Transcript.Last(ctx, t.rec.Person, n)
	if err != nil {
		return nil, err
	}
	var out []sotto.Line
	for i := range rows {
		plain, err := t.in.cfg.Vault.Open(ctx, permit, transcript.Ref(&rows[i]), rows[i].Sealed)
		if k := sotto.KindOf(err); k == sotto.KindNotFound || k == sotto.KindCorrupt {
			continue // its key is gone: past its last day, or from before an erasure
		}
		if err != nil {
			return nil, err
		}
		var s transcript.Said
		if err := s.Decode(plain); err != nil {
			return nil, err
		}
		if s.In != "" {
			out = append(out, sotto.Line{Text: t.mask(m, s.In), Time: rows[i].At})
		}
		for _, text := range s.Out {
			out = append(out, sotto.Line{FromBot: true, Text: t.mask(m, text), Time: rows[i].At})
		}
	}
	return out[max(0, len(out)-n):], nil
}
