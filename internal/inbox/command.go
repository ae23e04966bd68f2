package inbox

import (
	"context"
	"log/slog"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/handout"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/wording"
)

// command tells whether the event is something said to Sotto itself.
func (t *turn) command() (wording.Command, bool) {
	if t.ev.Payload != "" {
		return t.in.cfg.Book.Payload(t.ev.Payload)
	}
	cmd, _, ok := t.in.cfg.Book.Command(t.said())
	if ok && cmd == wording.CommandStart && !t.st.Stopped {
		return "", false // an everyday word; it means something after a stop only
	}
	return cmd, ok
}

// said is what the person wrote, without the mention by which they speak to the
// bot in a group: "@bot stop", "<@U1> /privacy".
func (t *turn) said() string {
	text := strings.TrimSpace(t.ev.Text)
	if !t.ev.Group || !strings.HasPrefix(text, "@") && !strings.HasPrefix(text, "<@") {
		return text
	}
	_, rest, _ := strings.Cut(text, " ")
	return rest
}

// obey does what the person told Sotto. Nothing of it reaches the bot or the
// transcript.
func (t *turn) obey(ctx context.Context, cmd wording.Command) (verdict, error) {
	t.trail.Add(audit.Act{Verb: "command", Ref: string(cmd)})
	switch cmd {
	case wording.CommandPrivacy:
		return t.tell(ctx, t.in.cfg.Notice.Privacy(t.in.cfg.Book, t.lang), wording.PayloadMyData, wording.PayloadDelete, t.stopOrStart())
	case wording.CommandHelp:
		return t.tell(ctx, t.text("help"), wording.PayloadPrivacy, t.stopOrStart())
	case wording.CommandStop:
		if t.st.Stopped {
			t.change(func(s *people.State) { s.ByNetwork = false }) // now it was said to Sotto as well
			return t.finish(ctx)                                    // confirmed once
		}
		t.change(func(s *people.State) { s.Stopped = true })
		return t.tell(ctx, t.text("stop_done"), wording.PayloadStart)
	case wording.CommandStart:
		t.change(func(s *people.State) { s.Stopped = false })
		return t.tell(ctx, t.text("start_done"))
	case wording.CommandMyData:
		return t.myData(ctx)
	case wording.CommandDelete:
		return t.tell(ctx, t.text("delete_ask"), wording.PayloadDeleteYes, wording.PayloadDeleteNo)
	case wording.CommandDeleteNo:
		return t.tell(ctx, t.text("delete_kept"))
	case wording.CommandDeleteYes:
		return t.erase(ctx)
	}
	return t.finish(ctx)
}

func (t *turn) stopOrStart() string {
	if t.st.Stopped {
		return wording.PayloadStart
	}
	return wording.PayloadStop
}

func (t *turn) text(key string, args ...string) string {
	return t.in.cfg.Book.Text(t.lang, key, args...)
}

func (t *turn) tell(ctx context.Context, text string, buttons ...string) (verdict, error) {
	if err := t.say(ctx, outbox.System, &outbox.Message{Text: text, Buttons: t.buttons(buttons...)}); err != nil {
		return again, err
	}
	return t.finish(ctx)
}

// myData sends the person's bundle to that person only: never into a group.
func (t *turn) myData(ctx context.Context) (verdict, error) {
	if t.ev.Group {
		return t.tell(ctx, t.text("mydata_group"))
	}
	data, err := t.in.cfg.Rights.Export(ctx, t.rec.Person, sotto.RecipientPerson)
	if err != nil {
		return again, err
	}
	m := &outbox.Message{Text: t.text("mydata_caption")}
	f := &channel.File{Name: "my-data.json", MIME: "application/json", Data: data}
	if ad := t.in.cfg.Adapters[t.rec.Account]; ad == nil || !ad.Traits().NoFiles {
		m.File = f
	} else if m.Text, err = t.link(ctx, f); err != nil {
		return again, err
	}
	if err := t.say(ctx, outbox.System, m); err != nil {
		return again, err
	}
	return t.finish(ctx)
}

// link has a file fetched through a link, on a network that takes none, and
// returns what to say.
func (t *turn) link(ctx context.Context, f *channel.File) (string, error) {
	row, word, err := t.in.cfg.Handout.Prepare(ctx, t.in.cfg.IDs.Next(), t.rec.Person, &handout.File{Name: f.Name, MIME: f.MIME, Data: f.Data})
	if err != nil {
		return "", err
	}
	t.res.handout = row
	return t.text("mydata_link", "link", t.in.cfg.Public+"/file/"+word), nil
}

// erase destroys what is held of the person and sends the receipt. The event
// itself goes with the rest.
func (t *turn) erase(ctx context.Context) (verdict, error) {
	receipt, err := t.in.cfg.Rights.Erase(ctx, t.rec.Person, sotto.RecipientPerson)
	if err != nil {
		return again, err
	}
	if f, ok := t.in.cfg.Adapters[t.rec.Account].(channel.Forgetter); ok {
		f.Forget(t.ev.Conversation)
	}
	t.in.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "a person was erased", slog.String("receipt", receipt))
	// From here on the person is nobody: new keys, no commitment, no state.
	t.res.generation = t.in.cfg.Vault.Generation(t.rec.Person)
	t.res.state = nil
	t.trail.Who = audit.Commitment{}
	if err := t.say(ctx, outbox.Farewell, &outbox.Message{Text: t.text("delete_done", "receipt", t.receipt(receipt))}); err != nil {
		return again, err
	}
	return t.finish(ctx)
}

// receipt names a receipt, with the page that shows it where there is one.
func (t *turn) receipt(id string) string {
	if t.in.cfg.Public == "" {
		return id
	}
	return id + " " + t.in.cfg.Public + "/deletion?id=" + id
}
